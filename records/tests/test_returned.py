"""Rows handed back: due in three working days, followed until each is answered, by correction or by two officers."""

import io
from collections.abc import Callable
from datetime import date, datetime, timedelta
from importlib import import_module
from typing import Any

import openpyxl
import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.utils import timezone

from accounts.models import User
from catalogue.deadline_actions import escalate_overdue
from catalogue.deadlines import due
from catalogue.models import Deadline
from creditfujian.lib import identity
from creditfujian.tests.cast import OTHER_NUMBER, Cast, granted
from records import actions, clearing, preview, receipts, returned
from records.duties import period_of
from records.models import Batch, BatchRow, ReturnedRow
from records.nightly import nightly
from records.situation import situation
from records.tests.deliveries import as_csv, check, decided, deliver, penalty, problems

State, Row = Batch.State, ReturnedRow.State
BAD = "359901197606150043"  # the check digit is wrong


def bad(cast: Cast, n: int, **changes: Any) -> dict[str, str]:
    """A row that comes back because of its number."""
    row = {"证件号码": BAD, "行政相对人名称": "林大雪", "行政处罚决定书文号": f"闽市监处罚〔2026〕{n}号"}
    return penalty(cast, **row | changes)


def with_bad_rows(cast: Cast, count: int = 3) -> Batch:
    """A committed batch with one good row and some that came back: rows 3, 4, … of the file."""
    return deliver(cast, [penalty(cast), *(bad(cast, 10 + n) for n in range(count))])


def workbook(batch: Batch) -> Any:
    out = io.BytesIO()
    preview.write_correction(batch, out)
    return openpyxl.load_workbook(io.BytesIO(out.getvalue()))


def sheet_rows(book: Any) -> list[dict[str, Any]]:
    head, *rows = book["待更正"].iter_rows(values_only=True)
    return [dict(zip(head, row, strict=True)) for row in rows]


def put_right(book: Any, *, keep: int | None = None, leave_wrong: int = 0) -> bytes:
    """Do a clerk's work: write the right number into the first rows, delete what is not kept."""
    sheet = book["待更正"]
    at = [cell.value for cell in sheet[1]].index("证件号码") + 1
    if keep is not None and sheet.max_row > keep + 1:
        sheet.delete_rows(keep + 2, sheet.max_row)
    for row in range(2, sheet.max_row + 1 - leave_wrong):
        sheet.cell(row, at).value = OTHER_NUMBER
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def send_back(cast: Cast, content: bytes, *, commit: bool = True) -> Batch:
    batch = check(cast, content, name="更正件.xlsx")
    return actions.commit_now(batch.pk, by=cast.data_reviewer) if commit else batch


def states(batch: Batch) -> dict[int, int]:
    return dict(ReturnedRow.objects.filter(batch=batch).order_by("row_no").values_list("row_no", "state"))


def fresh(batch: Batch) -> Batch:
    return Batch.objects.get(pk=batch.pk)


def clocks(batch: Batch) -> list[Deadline]:
    return list(Deadline.objects.of(batch).order_by("pk"))


# --- the due date -------------------------------------------------------------------------------------------


def test_rows_handed_back_are_due_in_three_working_days(cast: Cast) -> None:
    batch = with_bad_rows(cast)
    [clock] = clocks(batch)
    today = timezone.localdate()
    assert (clock.rule.code, clock.started_on, clock.due_on) == ("D38", today, due("D38", today).date)
    assert clock.subject_label == batch.number
    assert states(batch) == {3: Row.OPEN, 4: Row.OPEN, 5: Row.OPEN}
    assert fresh(batch).open_rows == 3


def test_a_clean_batch_is_not_followed(cast: Cast) -> None:
    assert clocks(deliver(cast, [penalty(cast)])) == []


def test_a_batch_waiting_for_its_second_officer_owes_nothing_yet(cast: Cast) -> None:
    batch = check(cast, as_csv([penalty(cast), bad(cast, 10)]))
    assert (clocks(batch), states(batch)) == ([], {})


@pytest.mark.parametrize("mode", [Batch.Mode.GOOD_ROWS, Batch.Mode.ALL_OR_NONE])
def test_a_batch_of_which_nothing_goes_in_is_handed_back_at_once(cast: Cast, mode: Batch.Mode) -> None:
    good = [penalty(cast)] if mode == Batch.Mode.ALL_OR_NONE else []
    batch = check(cast, as_csv([*good, bad(cast, 10)]), mode=mode)
    assert (batch.state, len(clocks(batch)), fresh(batch).open_rows) == (State.CHECKED, 1, 1)
    again = send_back(cast, put_right(workbook(batch)))
    assert (again.correction_of, fresh(batch).open_rows, fresh(batch).corrected) == (batch, 0, 1)
    assert clocks(batch)[0].met_on == timezone.localdate()


def test_cancelling_and_withdrawing_end_the_following(cast: Cast) -> None:
    refused = check(cast, as_csv([bad(cast, 10)]))
    actions.cancel(refused.pk, by=cast.data_officer)
    committed = with_bad_rows(cast)
    actions.withdraw(committed.pk, by=cast.data_officer, reason="错报")
    assert [clock.met_on for batch in (refused, committed) for clock in clocks(batch)] == [timezone.localdate()] * 2


def test_overdue_is_escalated_and_shown_to_the_office_and_to_those_who_watch(
    cast: Cast, as_user: Callable[[User | None], Client]
) -> None:
    batch = with_bad_rows(cast)
    late = clocks(batch)[0].due_on + timedelta(days=1)
    assert batch not in returned.overdue_batches(Batch.objects.all())
    Deadline.objects.filter(pk=clocks(batch)[0].pk).update(due_on=timezone.localdate() - timedelta(days=0))
    escalate_overdue(late)
    assert clocks(batch)[0].escalated_at is not None
    with time_goes_to(late):
        for who, card in ((cast.data_officer, "有退回行待答复的批次"), (cast.credit_office, "退回行超期未答复的批次")):
            home = as_user(who).get("/admin/").content.decode()
            assert card in home
        assert "1 个批次已超期" in as_user(cast.data_officer).get("/admin/").content.decode()
        listed = as_user(cast.credit_office).get("/admin/records/batch/?open_rows=overdue").content.decode()
        assert batch.number in listed
        assert "已超期" in as_user(cast.credit_office).get(f"/admin/records/batch/{batch.pk}/change/").content.decode()


def time_goes_to(day: date) -> Any:
    import time_machine

    noon = timezone.make_aware(datetime.combine(day, datetime.min.time())) + timedelta(hours=12)
    return time_machine.travel(noon, tick=False)


# --- answered by a correction -------------------------------------------------------------------------------


def test_each_row_says_what_became_of_it(cast: Cast, as_user: Callable[[User | None], Client]) -> None:
    batch = with_bad_rows(cast)
    again = send_back(cast, put_right(workbook(batch), keep=2, leave_wrong=1))
    assert states(batch) == {3: Row.CORRECTED, 4: Row.AGAIN, 5: Row.OPEN}
    assert (fresh(batch).corrected, fresh(batch).open_rows) == (1, 2)
    first, second, third = returned.page(batch).answers
    assert (first.row.answer_batch, first.row.answer_row) == (again, 2)
    assert (second.row.answer_batch, second.row.answer_row) == (again, 3)
    assert "校验位" in second.again[0][1]
    assert third.row.answer_batch is None
    assert clocks(batch)[0].met_on is None
    page = as_user(cast.data_officer).get(f"/admin/records/batch/{again.pk}/change/").content.decode()
    for words in ("所更正的批次", batch.number, "已更正入库 1", "再次退回 1", "未交回 1", "第 5 行"):
        assert words in page
    page = as_user(cast.data_officer).get(f"/admin/records/batch/{batch.pk}/returned/?state=2").content.decode()
    assert "第 4 行" in page
    assert "第 5 行" not in page


def test_the_second_round_still_leads_to_the_first_batch(cast: Cast) -> None:
    batch = with_bad_rows(cast)
    again = send_back(cast, put_right(workbook(batch), leave_wrong=2))
    assert (states(again), clocks(again)) == ({}, []), "its rows are followed where they came from"
    book = workbook(again)
    assert [row["来源行"] for row in sheet_rows(book)] == [f"{batch.number}#4", f"{batch.number}#5"]
    last = send_back(cast, put_right(book))
    assert last.correction_of == batch
    assert set(states(batch).values()) == {Row.CORRECTED}
    assert (fresh(batch).corrected, fresh(batch).open_rows, clocks(batch)[0].met_on) == (3, 0, timezone.localdate())
    assert workbook(again)["待更正"].max_row == 1, "what came in later is no longer in the second workbook"


def test_a_correction_of_which_all_comes_back_again_is_answered_in_the_first_batch(cast: Cast) -> None:
    batch = with_bad_rows(cast)
    again = send_back(cast, put_right(workbook(batch), leave_wrong=3), commit=False)
    assert (again.state, set(states(batch).values()), fresh(again).open_rows) == (State.CHECKED, {Row.AGAIN}, 0)
    assert [row["来源行"] for row in sheet_rows(workbook(again))] == [f"{batch.number}#{n}" for n in (3, 4, 5)]


def test_rows_added_to_a_correction_are_its_own(cast: Cast) -> None:
    batch = with_bad_rows(cast, 1)
    [row] = sheet_rows(workbook(batch))
    rows = [{**row, "证件号码": OTHER_NUMBER}, {**bad(cast, 99), "来源行": "", "更正说明": ""}]
    again = send_back(cast, as_csv(rows, header=list(row)))
    assert states(batch) == {3: Row.CORRECTED}
    assert states(again) == {3: Row.OPEN}
    assert [row["来源行"] for row in sheet_rows(workbook(again))] == [f"{again.number}#3"]


def test_withdrawing_a_correction_lets_its_rows_be_owed_again(cast: Cast) -> None:
    batch = with_bad_rows(cast)
    again = send_back(cast, put_right(workbook(batch)))
    assert (fresh(batch).open_rows, len(clocks(batch))) == (0, 1)
    actions.withdraw(again.pk, by=cast.data_officer, reason="更正也报错了")
    assert set(states(batch).values()) == {Row.OPEN}
    assert (fresh(batch).open_rows, fresh(batch).corrected, len(sheet_rows(workbook(batch)))) == (3, 0, 3)
    first, second = clocks(batch)
    assert (first.met_on, second.met_on) == (timezone.localdate(), None)


def test_rows_survive_a_crash_that_empties_the_unlogged_table(cast: Cast) -> None:
    batch = with_bad_rows(cast)
    batch.staged.all().delete()
    book = workbook(batch)
    assert [row["更正说明"] for row in sheet_rows(book)] == ["1. 身份证号码校验位不对"] * 3
    send_back(cast, put_right(book))
    assert set(states(batch).values()) == {Row.CORRECTED}


def test_all_or_none_gives_back_the_whole_sheet_so_that_nothing_is_lost(cast: Cast) -> None:
    """The good rows have not gone in either: a workbook of the bad ones alone would lose them."""
    batch = check(cast, as_csv([penalty(cast), bad(cast, 10)]), mode=Batch.Mode.ALL_OR_NONE)
    book = workbook(batch)
    assert [(row["行政处罚决定书文号"][-2:], bool(row["更正说明"])) for row in sheet_rows(book)] == [
        ("1号", False), ("0号", True),
    ]  # fmt: skip
    assert "整份" in book["填写说明"]["A1"].value
    sheet = book["待更正"]
    sheet.cell(3, [cell.value for cell in sheet[1]].index("证件号码") + 1).value = OTHER_NUMBER
    out = io.BytesIO()
    book.save(out)
    again = send_back(cast, out.getvalue())
    assert (again.rows, again.new, states(batch)) == (2, 2, {3: Row.CORRECTED})


def test_a_refused_row_is_never_lost_behind_one_that_is_answered(cast: Cast) -> None:
    """An old workbook sent again, with a mistake in a row that has gone in meanwhile."""
    batch = with_bad_rows(cast, 2)
    old = workbook(batch)
    send_back(cast, put_right(workbook(batch)))
    late = send_back(cast, put_right(old, leave_wrong=1), commit=False)
    assert (fresh(batch).open_rows, late.refused) == (0, 1)
    assert states(late) == {3: Row.OPEN}
    assert [row["来源行"] for row in sheet_rows(workbook(late))] == [f"{late.number}#3"]


def test_a_correction_of_a_batch_cancelled_meanwhile_owes_its_own_rows(cast: Cast) -> None:
    batch = check(cast, as_csv([bad(cast, 10), bad(cast, 11)]))
    again = check(cast, put_right(workbook(batch), leave_wrong=1), name="更正件.xlsx")
    actions.cancel(batch.pk, by=cast.data_officer)
    again = actions.commit_now(again.pk, by=cast.data_reviewer)
    assert (again.correction_of, again.refused, fresh(again).open_rows) == (batch, 1, 1)


def test_a_source_row_of_any_length_is_read(cast: Cast) -> None:
    row = penalty(cast) | {"来源行": "B20261124-000001#99999999999999"}
    assert check(cast, as_csv([row], header=list(row))).new == 1


# --- rows of several batches in one file --------------------------------------------------------------------


def with_more_bad_rows(cast: Cast, count: int = 2) -> Batch:
    """Another committed batch of the same item: one good row and some that came back."""
    good = penalty(cast, 行政处罚决定书文号="闽市监处罚〔2026〕40号")
    return deliver(cast, [good, *(bad(cast, 41 + n) for n in range(count))])


def fixed(*rows: dict[str, Any]) -> bytes:
    """Rows of correction workbooks pasted together, each with the right number."""
    return as_csv([{**row, "证件号码": OTHER_NUMBER} for row in rows], header=list(rows[0]))


def test_our_own_workbook_may_mix_batches_and_each_row_finds_its_own(cast: Cast) -> None:
    """A row that came back twice names the first batch; one that was added to the correction names the correction."""
    batch = with_bad_rows(cast, 1)
    [row] = sheet_rows(workbook(batch))
    again = send_back(cast, as_csv([row, {**bad(cast, 99), "来源行": ""}], header=list(row)), commit=False)
    book = workbook(again)
    assert [row["来源行"] for row in sheet_rows(book)] == [f"{batch.number}#3", f"{again.number}#3"]
    assert (states(batch), states(again)) == ({3: Row.AGAIN}, {3: Row.OPEN})
    last = send_back(cast, put_right(book))
    assert (states(batch), states(again)) == ({3: Row.CORRECTED}, {3: Row.CORRECTED})
    for one in (batch, again):
        assert (fresh(one).corrected, fresh(one).open_rows) == (1, 0)
        assert [clock.met_on for clock in clocks(one)] == [timezone.localdate()]
        assert ReturnedRow.objects.get(batch=one).answer_batch == last


def test_each_row_of_a_mixed_file_answers_the_batch_that_it_names(
    cast: Cast, as_user: Callable[[User | None], Client]
) -> None:
    first, second = with_bad_rows(cast, 2), with_more_bad_rows(cast)
    mine, other = sheet_rows(workbook(first))[0], sheet_rows(workbook(second))[1]
    batch = send_back(cast, fixed(mine, other))
    assert (states(first), states(second)) == ({3: Row.CORRECTED, 4: Row.OPEN}, {3: Row.OPEN, 4: Row.CORRECTED})
    for one in (first, second):
        assert (fresh(one).corrected, fresh(one).open_rows, clocks(one)[0].met_on) == (1, 1, None)
        assert [row["来源行"] for row in sheet_rows(workbook(one))] == [
            f"{one.number}#{row_no}" for row_no, state in states(one).items() if state == Row.OPEN
        ]
    assert batch.correction_of == first
    assert batch.receipt.content["corrects"] == [first.number, second.number]
    assert ("更正自批次", f"{first.number}、{second.number}") in receipts.lines(batch.receipt)
    page = as_user(cast.data_officer).get(f"/admin/records/batch/{batch.pk}/change/").content.decode()
    for one in (first, second):
        assert f"/admin/records/batch/{one.pk}/change/" in page
    assert page.count("已更正入库 1") == 2


def test_a_row_of_a_mixed_file_that_comes_back_again_is_followed_where_it_came_from(cast: Cast) -> None:
    first, second = with_bad_rows(cast, 1), with_more_bad_rows(cast, 1)
    rows = [sheet_rows(workbook(one))[0] for one in (first, second)]
    batch = send_back(cast, as_csv([{**rows[0], "证件号码": OTHER_NUMBER}, rows[1]], header=list(rows[0])))
    assert (states(first), states(second), states(batch)) == ({3: Row.CORRECTED}, {3: Row.AGAIN}, {})
    assert (clocks(first)[0].met_on, clocks(second)[0].met_on) == (timezone.localdate(), None)
    assert [row["来源行"] for row in sheet_rows(workbook(batch))] == [f"{second.number}#3"]
    cleared = [pk for pk, *_ in clearing.to_clear(timezone.localdate() + timedelta(days=1))]
    assert cleared == [first.pk], "the workbook of the correction is still needed"


def test_withdrawing_a_mixed_correction_opens_the_rows_of_each_batch_again(cast: Cast) -> None:
    first, second = with_bad_rows(cast, 1), with_more_bad_rows(cast, 1)
    batch = send_back(cast, fixed(*(sheet_rows(workbook(one))[0] for one in (first, second))))
    actions.withdraw(batch.pk, by=cast.data_officer, reason="更正也报错了")
    for one in (first, second):
        assert (states(one), fresh(one).open_rows, fresh(one).corrected) == ({3: Row.OPEN}, 1, 0)
        assert [clock.met_on for clock in clocks(one)] == [timezone.localdate(), None]
        assert [row["来源行"] for row in sheet_rows(workbook(one))] == [f"{one.number}#3"]


def test_withdrawing_says_of_each_batch_that_is_over_that_its_rows_are_not_followed(cast: Cast) -> None:
    first, second = with_bad_rows(cast, 1), with_more_bad_rows(cast, 1)
    batch = send_back(cast, fixed(*(sheet_rows(workbook(one))[0] for one in (first, second))))
    actions.withdraw(second.pk, by=cast.data_officer, reason="整批错报")
    actions.withdraw(batch.pk, by=cast.data_officer, reason="更正也报错了")
    told = "".join(fresh(batch).notes)
    assert f"所更正的批次 {second.number} 已经结束" in told
    assert f"所更正的批次 {first.number} 已经结束" not in told


def test_a_number_that_is_not_ours_is_said_and_its_row_is_an_ordinary_one(cast: Cast) -> None:
    """Of another supplier's batch no more is told than of one that is not there; nobody has looked at its numbers."""
    theirs, mine = of_another_supplier(cast), with_bad_rows(cast, 1)
    nowhere = f"B20260101-{mine.pk + 999:06d}"
    row = sheet_rows(workbook(mine))[0] | {"行政相对人名称": "林末零", "证件号码": ending_in_000()}
    others = [{**row, "行政处罚决定书文号": f"闽市监处罚〔2026〕{n}号", "来源行": source}
              for n, source in ((72, f"{theirs.number}#2"), (73, f"{nowhere}#3"))]  # fmt: skip
    batch = send_back(cast, as_csv([row, *others], header=list(row)))
    assert (batch.new, problems(batch)) == (1, {3: ["C16"], 4: ["C16"]})
    assert (states(mine), states(theirs)) == ({3: Row.CORRECTED}, {2: Row.OPEN})
    assert (states(batch), batch.receipt.content["corrects"]) == ({3: Row.OPEN, 4: Row.OPEN}, [mine.number])
    [note] = [note for note in batch.notes if "来源行" in note]
    assert f"{theirs.number}、{nowhere} 不存在，或者不是本单位" in note
    assert "2 行" in note


def of_another_supplier(cast: Cast) -> Batch:
    """A committed batch of the same item, of another office, with a row that came back."""
    granted(cast, cast.transport, cast.item)
    officers = []
    for name, role in (("tran_data", cast.data_officer), ("tran_review", cast.data_reviewer)):
        one = User.objects.create(username=name, name=name, organisation=cast.transport, is_staff=True)
        one.groups.set(role.groups.all())
        officers.append(User.objects.get(pk=one.pk))
    rows = [bad(cast, 70), penalty(cast, 行政处罚决定书文号="闽交处罚〔2026〕71号")]
    batch = check(cast, as_csv(rows), by=officers[0])
    return actions.commit_now(batch.pk, by=officers[1])


def ending_in_000() -> str:
    """A real number that looks as if a spreadsheet had cut it."""
    days = (date(1980, 1, day) for day in range(1, 32))
    return next(number for day in days if (number := identity.invent(day, 100)).endswith("000"))


def test_a_batch_that_is_over_is_named_in_a_note_and_its_rows_are_the_corrections_own(cast: Cast) -> None:
    first, second = with_bad_rows(cast, 1), with_more_bad_rows(cast, 1)
    rows = [sheet_rows(workbook(one))[0] for one in (first, second)]
    actions.withdraw(first.pk, by=cast.data_officer, reason="整批错报")
    batch = send_back(cast, as_csv([rows[0], {**rows[1], "证件号码": OTHER_NUMBER}], header=list(rows[0])))
    assert (batch.correction_of, states(second), states(batch)) == (second, {3: Row.CORRECTED}, {2: Row.OPEN})
    assert any(first.number in note and "不再等候更正" in note for note in batch.notes)


def test_a_correction_sent_before_its_batch_went_in_is_matched_when_that_goes_in_first(cast: Cast) -> None:
    batch = check(cast, as_csv([penalty(cast), bad(cast, 10)]))
    early = check(cast, put_right(workbook(batch)), name="更正件.xlsx")
    assert any(batch.number in note and "还没有入库" in note for note in early.notes)
    actions.commit_now(batch.pk, by=cast.data_reviewer)
    assert states(batch) == {3: Row.OPEN}
    actions.commit_now(early.pk, by=cast.data_reviewer)
    assert (states(batch), fresh(batch).open_rows) == ({3: Row.CORRECTED}, 0)


def test_the_whole_sheet_of_a_correction_that_did_not_go_in_mixes_batches_without_a_warning(cast: Cast) -> None:
    """Its good rows name the correction, which hands nothing back: they are taken in like any others."""
    batch = with_bad_rows(cast, 1)
    [row] = sheet_rows(workbook(batch))
    good = {**penalty(cast, 行政处罚决定书文号="闽市监处罚〔2026〕98号"), "来源行": ""}
    whole = check(cast, as_csv([row, good], header=list(row)), mode=Batch.Mode.ALL_OR_NONE)
    rows = sheet_rows(workbook(whole))
    assert [row["来源行"] for row in rows] == [f"{batch.number}#3", f"{whole.number}#3"]
    last = send_back(cast, as_csv([{**rows[0], "证件号码": OTHER_NUMBER}, rows[1]], header=list(row)))
    assert (last.new, states(batch), states(whole)) == (2, {3: Row.CORRECTED}, {})
    assert [note for note in last.notes if "来源行" in note] == [
        f"各行来自 2 个批次：{batch.number}、{whole.number}。每一行与“来源行”所写的批次对应。"
    ]


def test_a_row_without_a_batch_is_nobodys_where_several_are_named(cast: Cast) -> None:
    first, second = with_bad_rows(cast, 2), with_more_bad_rows(cast, 1)
    rows = sheet_rows(workbook(first))
    batch = send_back(cast, fixed(rows[0], sheet_rows(workbook(second))[0], {**rows[1], "来源行": "#4"}))
    assert states(first) == {3: Row.CORRECTED, 4: Row.OPEN}
    assert any("1 行" in note and "来源行" in note for note in batch.notes)
    alone = send_back(cast, fixed({**rows[1], "来源行": "#4", "处罚内容": "罚款五万元。"}, rows[0]))
    assert (alone.refused, states(first)) == (0, {3: Row.CORRECTED, 4: Row.CORRECTED})


def test_the_database_lets_no_row_be_closed_by_one_that_does_not_name_it(cast: Cast) -> None:
    first, second = with_bad_rows(cast, 1), with_more_bad_rows(cast, 1)
    batch = check(cast, fixed(sheet_rows(workbook(first))[0]))
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE records_batch SET state = 'committing', committed_by_id = %s WHERE id = %s",
            [cast.data_reviewer.pk, batch.pk],
        )
    closed = "UPDATE records_returnedrow SET state = 8, answer_batch_id = %s, answer_row = 2 WHERE batch_id = %s AND row_no = 3"
    refused_by_database("may not go", closed, batch.pk, second.pk)
    named = "UPDATE records_batchrow SET source_batch_id = %s, source_row = %s WHERE batch_id = %s AND row_no = 2"
    with connection.cursor() as cursor:
        cursor.execute(named, [second.pk, 4, batch.pk])
    refused_by_database("may not go", closed, batch.pk, second.pk)
    refused_by_database("may not go", closed, batch.pk, first.pk)
    with connection.cursor() as cursor:
        cursor.execute(named, [second.pk, 3, batch.pk])
        cursor.execute("UPDATE records_batchrow SET outcome = 9 WHERE batch_id = %s", [batch.pk])
    refused_by_database("may not go", closed, batch.pk, second.pk)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE records_batchrow SET outcome = 1 WHERE batch_id = %s", [batch.pk])
        cursor.execute(closed, [batch.pk, second.pk])
    assert states(second) == {3: Row.CORRECTED}


# --- answered by an explanation -----------------------------------------------------------------------------


def test_an_explanation_takes_two_and_ends_the_following(cast: Cast) -> None:
    batch = with_bad_rows(cast)
    assert (
        returned.explain(
            batch.pk, rows=[3, 4], why="wrong_person", note="当事人为企业，误录为自然人", by=cast.data_officer
        )
        == 2
    )
    assert fresh(batch).open_rows == 3, "asked for is not answered"
    assert returned.confirm(batch.pk, rows=[3], by=cast.data_reviewer, agree=True) == 1
    assert returned.confirm(batch.pk, rows=[4], by=cast.data_reviewer, agree=False, note="核对后是自然人，请更正") == 1
    assert states(batch) == {3: Row.SETTLED, 4: Row.OPEN, 5: Row.OPEN}
    assert ReturnedRow.objects.get(batch=batch, row_no=4).declined_note == "核对后是自然人，请更正"
    assert [row["来源行"].rpartition("#")[2] for row in sheet_rows(workbook(batch))] == ["4", "5"]
    returned.explain(batch.pk, rows=None, why="annulled", note="文书已撤销", by=cast.data_officer)
    returned.confirm(batch.pk, rows=None, by=cast.data_reviewer, agree=True)
    assert (fresh(batch).explained, fresh(batch).open_rows, clocks(batch)[0].met_on) == (3, 0, timezone.localdate())


def test_an_explained_row_may_still_come_in_until_it_is_confirmed(cast: Cast) -> None:
    batch = with_bad_rows(cast, 1)
    fixed = put_right(workbook(batch))
    returned.explain(batch.pk, rows=None, why="duplicate", note="重复", by=cast.data_officer)
    send_back(cast, fixed)
    assert states(batch) == {3: Row.CORRECTED}


def test_who_may_not_explain_or_confirm(cast: Cast) -> None:
    batch = with_bad_rows(cast)
    for user in (cast.data_reviewer, cast.officer_here, cast.credit_office, cast.operator, cast.officer_elsewhere):
        with pytest.raises(PermissionDenied):
            returned.explain(batch.pk, rows=None, why="other", note="不报了", by=user)
    returned.explain(batch.pk, rows=None, why="other", note="不报了", by=cast.data_officer)
    for user in (cast.data_officer, cast.officer_here, cast.credit_office, cast.operator, cast.officer_elsewhere):
        with pytest.raises(PermissionDenied):
            returned.confirm(batch.pk, rows=None, by=user, agree=True)
    cast.data_officer.groups.set(cast.data_reviewer.groups.all())
    with pytest.raises(PermissionDenied, match="另一名"):
        returned.confirm(batch.pk, rows=None, by=User.objects.get(pk=cast.data_officer.pk), agree=True)


@pytest.mark.parametrize(
    ("why", "note", "words"),
    [
        ("", "说明", "原因"),
        ("other", "  ", "说明"),
        ("made_up", "说明", "原因"),
        ("other", f"证件号码为{OTHER_NUMBER}", "长数字"),
    ],
)
def test_an_explanation_says_why_and_holds_no_number(cast: Cast, why: str, note: str, words: str) -> None:
    batch = with_bad_rows(cast)
    with pytest.raises(ValidationError, match=words):
        returned.explain(batch.pk, rows=None, why=why, note=note, by=cast.data_officer)


def refused_by_database(match: str, sql: str, *values: Any) -> None:
    with pytest.raises(DatabaseError, match=match), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, values)


def test_rows_are_not_answered_by_sql(cast: Cast) -> None:
    batch, other = with_bad_rows(cast), deliver(cast, [penalty(cast, 行政处罚决定书文号="闽市监处罚〔2026〕60号")])
    of_batch = "WHERE batch_id = %s AND row_no = 3"
    refused_by_database("may not go", f"UPDATE records_returnedrow SET state = 8 {of_batch}", batch.pk)
    refused_by_database(
        "may not go",
        f"UPDATE records_returnedrow SET state = 8, answer_batch_id = %s, answer_row = 2 {of_batch}",
        other.pk,
        batch.pk,
    )
    refused_by_database("never changes", f"UPDATE records_returnedrow SET codes = '{{}}' {of_batch}", batch.pk)
    refused_by_database("never changes", f"UPDATE records_returnedrow SET row_no = 900 {of_batch}", batch.pk)
    refused_by_database("refuse|append|not", f"DELETE FROM records_returnedrow {of_batch}", batch.pk)
    refused_by_database("permission|refuse|append", "TRUNCATE records_returnedrow")
    explained = "why = 'other', note = 'x', explained_by_id = %s, explained_at = now()"
    confirmed = "confirmed_by_id = %s, confirmed_at = now()"
    refused_by_database(
        "may not go", f"UPDATE records_returnedrow SET state = 9, {explained}, {confirmed} {of_batch}",
        cast.data_officer.pk, cast.data_reviewer.pk, batch.pk,
    )  # fmt: skip
    refused_by_database(
        "two officers of the supplier",
        f"UPDATE records_returnedrow SET state = 3, {explained} {of_batch}",
        cast.credit_office.pk,
        batch.pk,
    )
    returned.explain(batch.pk, rows=[3], why="other", note="不报了", by=cast.data_officer)
    confirm = f"UPDATE records_returnedrow SET state = 9, {confirmed} {of_batch}"
    refused_by_database("confirmed_by_another", confirm, cast.data_officer.pk, batch.pk)
    refused_by_database("two officers of the supplier", confirm, cast.credit_office.pk, batch.pk)
    refused_by_database(
        "two officers of the supplier", f"UPDATE records_returnedrow SET state = 9, note = 'y', {confirmed} {of_batch}",
        cast.data_reviewer.pk, batch.pk,
    )  # fmt: skip
    refused_by_database("begins_open|handed back open", "INSERT INTO records_returnedrow (batch_id, row_no, codes, state)"
                        " VALUES (%s, 77, '{C01}', 8)", batch.pk)  # fmt: skip
    returned.confirm(batch.pk, rows=[3], by=cast.data_reviewer, agree=True)
    refused_by_database(
        "may not go", f"UPDATE records_returnedrow SET state = 1, why = '', note = '', explained_by_id = NULL, explained_at = NULL,"
        f" confirmed_by_id = NULL, confirmed_at = NULL {of_batch}", batch.pk,
    )  # fmt: skip


def test_what_is_open_is_counted_by_the_database_alone(cast: Cast) -> None:
    """Zero open rows would stop the clock and clear what is owed."""
    batch = with_bad_rows(cast)
    for column in ("open_rows", "corrected", "explained"):
        refused_by_database("counted", f"UPDATE records_batch SET {column} = 7 WHERE id = %s", batch.pk)


def test_no_number_gets_into_the_words_of_the_second_officer(cast: Cast) -> None:
    batch = with_bad_rows(cast)
    returned.explain(batch.pk, rows=None, why="other", note="不报了", by=cast.data_officer)
    with pytest.raises(ValidationError, match="长数字"):
        returned.confirm(batch.pk, rows=None, by=cast.data_reviewer, agree=False, note=f"{OTHER_NUMBER} 是对的")


# --- pages --------------------------------------------------------------------------------------------------


def test_by_page(cast: Cast, as_user: Callable[[User | None], Client]) -> None:
    batch = with_bad_rows(cast)
    url = f"/admin/records/batch/{batch.pk}/"
    officer, reviewer = as_user(cast.data_officer), as_user(cast.data_reviewer)
    page = officer.get(f"{url}returned/").content.decode()
    assert "校验位" in page
    assert "说明所选的行" in page
    assert officer.post(f"{url}explain/", {"row": ["3"], "why": "", "note": ""}).status_code == 422
    officer.post(f"{url}explain/", {"row": ["3", "4"], "why": "duplicate", "note": "与八月批次重复"})
    assert states(batch) == {3: Row.EXPLAINED, 4: Row.EXPLAINED, 5: Row.OPEN}
    assert "待确认的退回行说明" in reviewer.get("/admin/").content.decode()
    assert "与八月批次重复" in reviewer.get(f"{url}returned/?state=3").content.decode()
    officer.post(f"{url}confirm/", {"all": "1", "agree": "1"})
    assert states(batch)[3] == Row.EXPLAINED
    reviewer.post(f"{url}confirm/", {"row": ["3"], "agree": "1"})
    reviewer.post(f"{url}confirm/", {"row": ["4"], "agree": "0", "note": ""})
    reviewer.post(f"{url}confirm/", {"row": ["4"], "agree": "0", "note": "不是重复"})
    assert states(batch) == {3: Row.SETTLED, 4: Row.OPEN, 5: Row.OPEN}
    assert "不是重复" in officer.get(f"{url}returned/").content.decode()
    for stranger in (cast.credit_office, cast.operator):
        assert as_user(stranger).get(f"{url}returned/").status_code == 403
        assert as_user(stranger).post(f"{url}explain/", {"all": "1", "why": "other", "note": "x"}).status_code == 403
    assert as_user(cast.officer_elsewhere).get(f"{url}returned/").status_code in (403, 404)


def test_the_page_goes_on_row_by_row(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = with_bad_rows(cast, 5)
    monkeypatch.setattr(returned, "PAGE", 2)
    seen, after = [], 0
    while True:
        page = returned.page(batch, after=after)
        seen += [one.row.row_no for one in page.answers]
        if page.next is None:
            break
        after = page.next
    assert seen == [3, 4, 5, 6, 7]


def test_the_night_starts_clocks_that_are_missing_and_twice_is_once(cast: Cast) -> None:
    batch = check(cast, as_csv([bad(cast, 10)]))
    with connection.cursor() as cursor:
        cursor.execute("UPDATE catalogue_deadline SET met_on = started_on WHERE subject_id = %s", [str(batch.pk)])
    assert nightly(timezone.localdate())["followed"] == 1
    assert nightly(timezone.localdate())["followed"] == 0
    assert [clock.met_on is None for clock in clocks(batch)] == [False, True]


def test_the_quarter_counts_what_was_explained_and_what_is_late(cast: Cast) -> None:
    batch = with_bad_rows(cast)
    returned.explain(batch.pk, rows=[3], why="other", note="不报了", by=cast.data_officer)
    returned.confirm(batch.pk, rows=[3], by=cast.data_reviewer, agree=True)
    [line] = situation(timezone.localdate(), by=cast.credit_office)
    assert (line.refused, line.explained, line.explained_share, line.open_rows) == (3, 1, "33.3%", 2)


def test_the_quarter_counts_a_mixed_file_for_each_batch_that_waited_for_it(cast: Cast) -> None:
    first, second = with_bad_rows(cast, 1), with_more_bad_rows(cast, 1)
    week_ago = timezone.now() - timedelta(days=7)
    Batch.objects.filter(pk=second.pk).update(checked_at=week_ago)
    send_back(cast, fixed(*(sheet_rows(workbook(one))[0] for one in (first, second))))
    days = [day for line in situation(week_ago.date(), by=cast.credit_office) for day in line.correction_days]
    today = timezone.localdate()
    if period_of("Q", week_ago.date()) == period_of("Q", today):
        assert len(days) == 2
    assert max(days) > 2, "the batch that waited for a week is not left out"


def test_rows_staged_before_name_the_batch_that_their_file_corrects(cast: Cast) -> None:
    """The data step of 0027."""
    staged = import_module("records.migrations.0027_mixed_corrections").STAGED
    batch = with_bad_rows(cast, 1)
    correction = check(cast, put_right(workbook(batch)))
    plain = check(cast, as_csv([bad(cast, 77)]))
    BatchRow.objects.filter(batch__in=[correction, plain]).update(source_batch=None, source_row=3)
    with connection.cursor() as cursor:
        cursor.execute(staged)
    named = BatchRow.objects.order_by("batch_id").values_list("source_batch", "source_row")
    assert list(named.filter(batch=correction)) == [(batch.pk, 3)]
    assert list(named.filter(batch=plain)) == [(None, None)], "a file that corrects nothing answers no row"


def test_many_rows_are_handed_back_by_the_same_number_of_statements(
    cast: Cast, django_assert_max_num_queries: Any
) -> None:
    people = [identity.invent(decided(40 * 365), n) for n in range(1, 30)]
    rows = [bad(cast, n) for n in range(95)] + [penalty(cast, 证件号码=people[0], 行政相对人名称="林谷雨")]
    batch = check(cast, as_csv(rows))
    with django_assert_max_num_queries(90):
        actions.commit_now(batch.pk, by=cast.data_reviewer)
    assert fresh(batch).open_rows == 95
