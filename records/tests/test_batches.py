"""From the file received to the receipt, and back again."""

import io
from typing import Any

import openpyxl
import pytest
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection

from access.actions import Asker
from access.reading import access_history
from accounts.models import Person, Role, User
from catalogue.models import Item
from catalogue.tests.editions import retire
from creditfujian.lib import identity
from creditfujian.tests.cast import CITIZEN_NUMBER, OTHER_NUMBER, Cast, granted
from records import actions, preview
from records.intake.check import work_on
from records.models import Batch, BatchRow, RecordVersion, SealedFile
from records.reading import View, own_file
from records.tests.deliveries import as_csv, check, decided, deliver, penalty

State = Batch.State


def file_of(cast: Cast) -> list[View]:
    return own_file(cast.citizen.person, by=Asker(cast.citizen, "公示网站")).records


def facts(view: View) -> dict[str, str]:
    return {fact.code: fact.value for fact in view.facts}


def two_rows(cast: Cast) -> list[dict[str, str]]:
    return [
        penalty(cast),
        penalty(cast, 行政相对人名称="林大雪", 证件号码=OTHER_NUMBER, 行政处罚决定书文号="闽市监处罚〔2026〕2号"),
    ]


def test_a_clean_file_goes_in_by_two_hands(cast: Cast) -> None:
    batch = check(cast, as_csv(two_rows(cast)))
    assert (batch.state, batch.rows, batch.new, batch.refused) == (State.CHECKED, 2, 2, 0)
    assert file_of(cast) == []
    batch = actions.commit_now(batch.pk, by=cast.data_reviewer)
    assert batch.state == State.COMMITTED
    assert batch.committed_by == cast.data_reviewer
    assert [view.doc_no for view in file_of(cast)] == ["闽市监处罚〔2026〕1号"]


def test_the_uploader_cannot_commit_their_own(cast: Cast) -> None:
    batch = check(cast, as_csv(two_rows(cast)))
    with pytest.raises(PermissionDenied, match="另一名审核员"):
        actions.commit_now(batch.pk, by=cast.data_officer)
    assert Batch.objects.get(pk=batch.pk).state == State.CHECKED


def test_nobody_outside_the_supplying_office_commits_cancels_or_withdraws(cast: Cast) -> None:
    batch = check(cast, as_csv(two_rows(cast)))
    strangers = (cast.officer_elsewhere, cast.operator, cast.credit_office, cast.auditor, cast.system_admin, cast.clerk)
    for stranger in strangers:
        with pytest.raises(PermissionDenied):
            actions.commit_now(batch.pk, by=stranger)
        with pytest.raises(PermissionDenied):
            actions.cancel(batch.pk, by=stranger)
    actions.commit_now(batch.pk, by=cast.data_reviewer)
    for stranger in strangers:
        with pytest.raises(PermissionDenied):
            actions.withdraw(batch.pk, by=stranger, reason="不应允许")


def test_an_office_without_the_grant_cannot_supply(cast: Cast) -> None:
    transport = Item.objects.get(code="FJ1-03-TRAN-0001")
    with pytest.raises(PermissionDenied):
        actions.receive(
            io.BytesIO(b"x"), name="x.csv", item=transport, by=cast.data_officer, channel=Batch.Channel.PAGE
        )
    with pytest.raises(PermissionDenied):
        actions.receive(
            io.BytesIO(b"x"), name="x.csv", item=cast.item, by=cast.officer_here, channel=Batch.Channel.PAGE
        )


def test_a_retired_item_takes_nothing_more_that_day(cast: Cast) -> None:
    batch = check(cast, as_csv(two_rows(cast)))
    retire(cast, cast.item)
    with pytest.raises(ValidationError, match="没有现行版本"):
        actions.receive(
            io.BytesIO(b"y"), name="y.csv", item=cast.item, by=cast.data_officer, channel=Batch.Channel.PAGE
        )
    with pytest.raises(PermissionDenied, match="没有现行版本"):
        actions.commit_now(batch.pk, by=cast.data_reviewer)


def test_the_same_file_twice_changes_nothing(cast: Cast) -> None:
    content = as_csv(two_rows(cast))
    first = check(cast, content)
    actions.commit_now(first.pk, by=cast.data_reviewer)
    again, new = actions.receive(
        io.BytesIO(content), name="换个名字.csv", item=cast.item, by=cast.data_officer, channel=Batch.Channel.PAGE
    )
    assert (again.pk, new) == (first.pk, False)
    assert Batch.objects.count() == 1
    assert SealedFile.objects.count() == 1
    assert len(file_of(cast)) == 1


def test_the_same_rows_in_another_file_are_unchanged_and_write_no_version(cast: Cast) -> None:
    deliver(cast, two_rows(cast))
    batch = check(cast, as_csv(two_rows(cast)) + b"\r\n")
    assert (batch.new, batch.changed, batch.unchanged) == (0, 0, 2)
    assert not batch.goes_in
    with pytest.raises(PermissionDenied, match="没有需要入库的行"):
        actions.commit_now(batch.pk, by=cast.data_reviewer)


def test_a_change_is_a_new_version_with_its_lineage(cast: Cast) -> None:
    deliver(cast, [penalty(cast)])
    batch = check(cast, as_csv([penalty(cast, 处罚内容="吊销登记证，罚款五万元。")]))
    assert (batch.changed, batch.new) == (1, 0)
    [difference] = preview.differences(batch, by=Asker(cast.data_officer, "工作平台"))
    line = access_history(cast.citizen.person)[0]
    assert (line.who, line.case_no) == ("省市场监督管理局", batch.number)
    assert (difference.label, difference.old, difference.new) == (
        "处罚内容", "吊销登记证，罚款六万元。", "吊销登记证，罚款五万元。",
    )  # fmt: skip
    actions.commit_now(batch.pk, by=cast.data_reviewer)
    [view] = file_of(cast)
    assert view.version == 2
    assert facts(view)["CF_NR"] == "吊销登记证，罚款五万元。"
    own_file(cast.citizen.person, by=Asker(cast.citizen, "公示网站"))
    lines = RecordVersion.objects.order_by("version").values_list("version", "batch_id", "row_no", "by__username")
    assert list(lines)[-1] == (2, batch.pk, 2, "data_reviewer")
    assert len(lines) == 2


def test_every_written_row_has_exactly_one_version_line(cast: Cast) -> None:
    people = [(identity.invent(decided(40 * 365), n), f"林谷雨{n}") for n in range(1, 60)]
    rows = [
        penalty(cast, 证件号码=number, 行政相对人名称="林谷雨", 行政处罚决定书文号=f"闽市监处罚〔2026〕{n}号")
        for n, (number, _) in enumerate(people)
    ]
    batch = deliver(cast, rows)
    Batch.objects.filter(pk=batch.pk).update(state=State.WITHDRAWING)
    from records.intake.check import work_on

    work_on(batch)
    assert RecordVersion.objects.filter(batch=batch).count() == batch.new == len(rows)
    assert set(RecordVersion.objects.values_list("row_no", flat=True)) == set(range(2, len(rows) + 2))


def test_withdrawing_puts_everything_back(cast: Cast) -> None:
    deliver(cast, [penalty(cast)])
    before = facts(file_of(cast)[0])
    second = deliver(cast, [penalty(cast, 处罚内容="罚款五万元。"), two_rows(cast)[1]])
    assert (second.changed, second.new) == (1, 1)
    other = own_file(cast.other_citizen.person, by=Asker(cast.other_citizen, "公示网站"))
    assert len(other.records) == 1
    assert actions.withdraw(second.pk, by=cast.data_officer, reason="报送错误") == 2
    assert facts(file_of(cast)[0]) == before
    assert own_file(cast.other_citizen.person, by=Asker(cast.other_citizen, "公示网站")).records == []
    batch = Batch.objects.get(pk=second.pk)
    assert (batch.state, batch.withdraw_reason) == (State.WITHDRAWN, "报送错误")


def test_withdrawing_gives_a_record_back_to_who_supplied_it_before(cast: Cast) -> None:
    deliver(cast, [penalty(cast)])
    granted(cast, cast.transport, cast.item)
    officer = User.objects.create(username="t1", name="报送员卯", organisation=cast.transport, is_staff=True)
    officer.groups.set(Group.objects.filter(name=Role.DATA_OFFICER))
    reviewer = User.objects.create(username="t2", name="审核员辰", organisation=cast.transport, is_staff=True)
    reviewer.groups.set(Group.objects.filter(name=Role.DATA_REVIEWER))
    second = check(cast, as_csv([penalty(cast, 处罚内容="罚款五万元。")]), by=officer)
    actions.commit_now(second.pk, by=reviewer)
    assert file_of(cast)[0].provider == "省交通运输厅"
    actions.withdraw(second.pk, by=officer, reason="不应由我单位报送")
    assert file_of(cast)[0].provider == "省市场监督管理局"


def test_after_a_withdrawal_the_same_file_can_be_sent_again(cast: Cast) -> None:
    first = deliver(cast, [penalty(cast)])
    actions.withdraw(first.pk, by=cast.data_reviewer, reason="先撤回")
    assert file_of(cast) == []
    second = deliver(cast, [penalty(cast)])
    assert second.pk != first.pk
    assert second.new == 1
    assert len(file_of(cast)) == 1


def test_withdrawing_leaves_what_a_later_batch_changed(cast: Cast) -> None:
    first = deliver(cast, [penalty(cast)])
    deliver(cast, [penalty(cast, 处罚内容="罚款五万元。")])
    assert actions.withdraw(first.pk, by=cast.data_officer, reason="撤回较早的批次") == 0
    assert facts(file_of(cast)[0])["CF_NR"] == "罚款五万元。"


def test_a_withdrawal_needs_a_reason_and_happens_once(cast: Cast) -> None:
    batch = deliver(cast, [penalty(cast)])
    with pytest.raises(ValidationError, match="理由"):
        actions.withdraw(batch.pk, by=cast.data_officer, reason="  ")
    actions.withdraw(batch.pk, by=cast.data_officer, reason="错报")
    with pytest.raises(ValidationError, match="不能撤回"):
        actions.withdraw(batch.pk, by=cast.data_officer, reason="再来")


def test_all_or_none_keeps_everything_out(cast: Cast) -> None:
    rows = [*two_rows(cast), penalty(cast, 行政处罚决定书文号="")]
    batch = check(cast, as_csv(rows), mode=Batch.Mode.ALL_OR_NONE)
    assert (batch.new, batch.refused) == (2, 1)
    with pytest.raises(PermissionDenied, match="全部不入库"):
        actions.commit_now(batch.pk, by=cast.data_reviewer)
    assert file_of(cast) == []


def test_the_correction_workbook_closes_the_loop(cast: Cast) -> None:
    bad = penalty(
        cast, 证件号码="359901197606150043", 行政相对人名称="林大雪", 行政处罚决定书文号="闽市监处罚〔2026〕2号"
    )
    batch = deliver(cast, [penalty(cast), bad])
    assert (batch.new, batch.refused) == (1, 1)
    out = io.BytesIO()
    assert preview.write_correction(batch, out) == 1
    book = openpyxl.load_workbook(io.BytesIO(out.getvalue()))
    sheet = book.worksheets[0]
    assert sheet.max_row == 2
    header = [cell.value for cell in sheet[1]]
    cell = sheet.cell(2, header.index("证件号码") + 1)
    assert cell.comment is not None
    assert "校验位" in cell.comment.text
    assert cell.fill.fgColor.rgb.endswith("FFC7CE")
    assert "校验位" in sheet.cell(2, header.index("更正说明") + 1).value
    cell.value = OTHER_NUMBER
    fixed = io.BytesIO()
    book.save(fixed)
    again = check(cast, fixed.getvalue(), name="更正件.xlsx")
    assert (again.correction_of, again.new, again.refused) == (batch, 1, 0)
    actions.commit_now(again.pk, by=cast.data_reviewer)
    batch.refresh_from_db()
    assert (batch.refused, batch.corrected) == (1, 1)
    assert not BatchRow.objects.filter(batch=batch, outcome=BatchRow.Outcome.REFUSED).exists()
    assert len(own_file(cast.other_citizen.person, by=Asker(cast.other_citizen, "公示网站")).records) == 1


def test_a_correction_claiming_another_offices_batch_is_just_a_file(cast: Cast) -> None:
    batch = deliver(cast, [penalty(cast)])
    row = penalty(cast, 行政处罚决定书文号="闽市监处罚〔2026〕8号") | {"来源行": f"B20260101-{batch.pk + 999:06d}#2"}
    again = check(cast, as_csv([row], header=list(row)))
    assert again.correction_of is None
    assert again.new == 1


def test_cancelling_leaves_nothing_behind(cast: Cast) -> None:
    batch = check(cast, as_csv(two_rows(cast)))
    assert actions.cancel(batch.pk, by=cast.data_officer).state == State.CANCELLED
    with pytest.raises(PermissionDenied):
        actions.commit_now(batch.pk, by=cast.data_reviewer)
    assert file_of(cast) == []


def test_what_changed_since_the_preview_is_judged_again_at_the_commit(cast: Cast) -> None:
    stranger = identity.invent(decided(45 * 365), 21)
    batch = check(cast, as_csv([penalty(cast, 证件号码=stranger, 行政相对人名称="林白露"), penalty(cast)]))
    assert batch.new == 2
    Person.seal(stranger, "另一个名字").save()
    batch = actions.commit_now(batch.pk, by=cast.data_reviewer)
    assert (batch.new, batch.refused) == (1, 1)
    assert batch.reasons == {"R02": 1}


@pytest.mark.parametrize("rows_are_gone", [False, True])  # as after a crash of the database: the table is unlogged
def test_a_worker_that_died_goes_on_where_it_stopped(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, rows_are_gone: bool
) -> None:
    from records.intake import stage

    rows = [
        penalty(
            cast, 证件号码=identity.invent(decided(40 * 365), n), 行政相对人名称="林霜降", 行政处罚决定书文号=f"文{n}号"
        )
        for n in range(1, 31)
    ]
    monkeypatch.setattr(stage, "CHUNK", 10)
    original, calls = stage._copy, []

    def dies_on_the_second(batch: Batch, chunk: object, *more: Any) -> bool:
        calls.append(1)
        if len(calls) == 2:
            raise ConnectionError("the worker was killed")
        return original(batch, chunk, *more)

    monkeypatch.setattr(stage, "_copy", dies_on_the_second)
    batch, _ = actions.receive(
        io.BytesIO(as_csv(rows)), name="三十行.csv", item=cast.item, by=cast.data_officer, channel=Batch.Channel.PAGE
    )
    with pytest.raises(ConnectionError):
        actions.check_batch(batch.pk)
    batch.refresh_from_db()
    assert batch.rows_done == 10
    actions.mark_failed(batch.pk)
    assert Batch.objects.get(pk=batch.pk).state == State.FAILED
    if rows_are_gone:
        BatchRow.objects.filter(batch=batch).delete()
    actions.resume(batch.pk, by=cast.data_officer)
    batch = actions.check_batch(batch.pk)
    assert (batch.state, batch.rows, batch.rows_done, batch.new) == (State.CHECKED, 30, 30, 30)


def test_lost_staged_rows_are_read_again_from_the_sealed_file(cast: Cast) -> None:
    batch = check(cast, as_csv(two_rows(cast)))
    BatchRow.objects.filter(batch=batch).delete()  # what a crash of the database does to an unlogged table
    batch = actions.commit_now(batch.pk, by=cast.data_reviewer)
    assert batch.state == State.RECEIVED
    batch = actions.check_batch(batch.pk)
    assert (batch.state, batch.new) == (State.CHECKED, 2)
    assert actions.commit_now(batch.pk, by=cast.data_reviewer).state == State.COMMITTED


def test_uploaded_files_are_sealed_at_rest(cast: Cast, settings: object) -> None:
    from pathlib import Path

    from records.intake.store import open_sealed

    batch = check(cast, as_csv(two_rows(cast)))
    kept = [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]
    assert kept
    for path in kept:
        assert CITIZEN_NUMBER.encode() not in path.read_bytes()
        assert CITIZEN_NUMBER not in path.name
    assert CITIZEN_NUMBER in open_sealed(batch.file).read().decode("utf-8-sig")


def test_a_sealed_file_that_was_cut_or_changed_does_not_open(cast: Cast, settings: object) -> None:
    from pathlib import Path

    from creditfujian.lib.crypto import SealBroken
    from records.intake import store

    content = as_csv(two_rows(cast)) * 9000  # several frames
    file = store.keep(io.BytesIO(content), "大文件.csv")
    [path] = [p for p in Path(settings.MEDIA_ROOT).rglob("*") if p.name == file.sha256]
    whole = path.read_bytes()
    assert store.open_sealed(file).read() == content
    first = 4 + 4 + int.from_bytes(whole[4:8], "big")
    changed = bytearray(whole)
    changed[first // 2] ^= 1
    for damaged in (whole[:first], whole[:-1], bytes(changed)):
        path.write_bytes(damaged)
        with pytest.raises(SealBroken):
            store.open_sealed(file)


def test_a_big_batch_is_checked_without_nested_loops_before_its_rows_are_counted(cast: Cast) -> None:
    batch = check(cast, as_csv(two_rows(cast)))
    batch.rows, batch.rows_done = 0, 100_000
    with connection.cursor() as cursor:
        work_on(batch)
        cursor.execute("SHOW enable_nestloop")
        assert cursor.fetchone() == ("off",)
