"""One record typed, or some pasted: by two people, through the same checks as a file."""

import csv
import io
import re
from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import connection, connections
from django.http import HttpResponse
from django.urls import reverse

from access.actions import Asker
from access.models import QueryPerson
from access.reading import access_history
from accounts.models import User
from catalogue.tests.editions import retire
from creditfujian.lib import identity
from creditfujian.tests.cast import CITIZEN_NUMBER, OTHER_NUMBER, Cast, browser_of, make_cast
from records import actions, entry
from records.intake import store
from records.models import Batch, BatchRow, SealedFile
from records.person_models import PersonCase
from records.reading import own_file
from records.tests.deliveries import HEADER, as_csv, check, decided, deliver, penalty
from records.tests.typing import address, by_code, posted, type_in, typed

State, Channel = Batch.State, Batch.Channel


def other(cast: Cast, **changes: Any) -> dict[str, str]:
    return penalty(
        cast, 行政相对人名称="林大雪", 证件号码=OTHER_NUMBER, 行政处罚决定书文号="闽市监处罚〔2026〕2号", **changes
    )


def pasted(rows: list[dict[str, str]], header: list[str] = HEADER, with_header: bool = True) -> str:
    """The rows as Excel puts them on the clipboard."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter="\t")
    if with_header:
        writer.writerow(header)
    writer.writerows([row.get(label, "") for label in header] for row in rows)
    return out.getvalue()


def errors(page: HttpResponse) -> str:
    found = re.search(r'<div class="error-summary".*?</div>', page.content.decode(), re.DOTALL)
    return re.sub(r"<[^>]+>|\s+", " ", found.group()) if found else ""


def records_of(user: User) -> list[str]:
    return [view.doc_no for view in own_file(user.person, by=Asker(user, "公示网站")).records]


# --- the way of two officers ---------------------------------------------------------------------------


def test_a_typed_record_waits_and_goes_in_by_another_officer(cast: Cast) -> None:
    answer = type_in(cast, penalty(cast))
    batch = Batch.objects.get()
    assert answer.status_code == 302
    assert answer["Location"] == reverse("admin:records_batch_change", args=[batch.pk])
    assert (batch.state, batch.channel, batch.rows, batch.new) == (State.CHECKED, Channel.FORM, 1, 1)
    assert records_of(cast.citizen) == []
    browser_of(cast.data_officer).post(reverse("admin:records_batch_commit", args=[batch.pk]))
    assert Batch.objects.get().state == State.CHECKED, "the typist cannot commit"
    actions.commit_now(batch.pk, by=cast.data_reviewer)
    assert records_of(cast.citizen) == ["闽市监处罚〔2026〕1号"]
    actions.withdraw(batch.pk, by=cast.data_officer, reason="录错了人")
    assert records_of(cast.citizen) == []


def test_the_same_record_typed_or_sent_as_a_file_is_the_same(cast: Cast) -> None:
    type_in(cast, penalty(cast))
    actions.commit_now(Batch.objects.get().pk, by=cast.data_reviewer)
    batch = check(cast, as_csv([penalty(cast)]))
    assert (batch.new, batch.changed, batch.unchanged) == (0, 0, 1)


def test_what_is_kept_is_a_sealed_csv_of_exactly_what_was_typed(cast: Cast) -> None:
    facts = '当事人称：“不知情”，\r\n第二行,有逗号和"引号"。'
    type_in(cast, penalty(cast, 违法事实=facts))
    batch = Batch.objects.select_related("file").get()
    [row] = csv.DictReader(io.StringIO(store.open_sealed(batch.file).read().decode("utf-8-sig"), newline=""))
    assert row["违法事实"] == facts
    assert row["证件号码"] == CITIZEN_NUMBER
    assert CITIZEN_NUMBER not in batch.file.name


def test_the_second_officer_reads_field_by_field_what_was_typed(cast: Cast) -> None:
    type_in(cast, penalty(cast))
    page = reverse("admin:records_batch_change", args=[Batch.objects.get().pk])
    for who in (cast.data_reviewer, cast.data_officer):
        text = browser_of(who).get(page).content.decode()
        for value in (
            "陈小满",
            "闽市监处罚〔2026〕1号",
            "菌落总数超过标准限量",
            "359901********0011",
            "失信程度：严重",
        ):
            assert value in text
        assert CITIZEN_NUMBER not in text
    for stranger in (cast.operator, cast.credit_office, cast.officer_elsewhere):
        assert "菌落总数" not in browser_of(stranger).get(page).content.decode()
    actions.commit_now(Batch.objects.get().pk, by=cast.data_reviewer)
    assert "菌落总数" not in browser_of(cast.data_reviewer).get(page).content.decode(), (
        "once in, reading takes a registration"
    )


def test_several_typed_and_pasted_records_are_one_batch(cast: Cast) -> None:
    third = penalty(cast, 行政处罚决定书文号="闽市监处罚〔2026〕3号")
    answer = type_in(cast, penalty(cast), other(cast), pasted=pasted([third]))
    assert answer.status_code == 302
    assert (Batch.objects.get().rows, Batch.objects.get().new) == (3, 3)


# --- what is wrong comes back at its field -------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "label", "told"),
    [
        ({"证件号码": CITIZEN_NUMBER[:-1] + "0"}, "证件号码", "I16"),
        ({"证件号码": ""}, "证件号码", "C01"),
        ({"行政处罚决定书文号": " "}, "行政处罚决定书文号", "C01"),
        ({"处罚依据": ""}, "处罚依据", "C01"),
        ({"处罚决定日期": "2026/13/1"}, "处罚决定日期", "C08"),
        ({"处罚类别": "行政拘留"}, "处罚类别", "R13"),
        ({"处罚类别": "记过"}, "处罚类别", "C11"),
        ({"违法事实": "当事人患有肝炎，联系电话13800138000。"}, "违法事实", "R14"),
        ({"处罚机关统一社会信用代码": "123"}, "处罚机关统一社会信用代码", "C22"),
        ({"证件号码": identity.invent(decided(365 * 17), 3)}, "证件号码", "R10"),
    ],
)  # fmt: skip
def test_a_wrong_field_is_named_with_its_reason_and_leaves_nothing(
    cast: Cast, changes: dict[str, str], label: str, told: str
) -> None:
    answer = type_in(cast, penalty(cast, **changes))
    assert answer.status_code == 422
    assert f"第 1 条 {label}：" in errors(answer)
    assert told in errors(answer)
    assert Batch.objects.count() == SealedFile.objects.count() == 0
    assert "no-store" in answer["Cache-Control"]


def test_everything_typed_is_still_there_after_a_refusal(cast: Cast) -> None:
    row = penalty(
        cast,
        处罚决定日期="2026/13/1",
        处罚类别="吊销许可证件;记过",
        证件号码="35990119900101 0012",
        失信程度="特别严重",
    )
    page = type_in(cast, row).content.decode()
    for kept in ("2026/13/1", "35990119900101 0012", "菌落总数超过标准限量", "特别严重", "陈小满"):
        assert kept in page
    for choice in ("吊销许可证件", "记过"):
        assert re.search(rf'value="{choice}"[^>]*checked', page)


def test_a_record_that_only_the_register_refuses_comes_back_and_leaves_a_cancelled_batch(cast: Cast) -> None:
    answer = type_in(cast, penalty(cast, 行政相对人名称="欧阳惊蛰"), **{"r0-named": "on"})
    assert answer.status_code == 422
    assert "行政相对人名称" in errors(answer)
    assert "R02" in errors(answer)
    assert cast.citizen.person.name not in answer.content.decode()
    batch = Batch.objects.get()
    assert (batch.state, batch.reasons, batch.uploaded_by) == (State.CANCELLED, {"R02": 1}, cast.data_officer)
    assert "由省信用办按核对单核对" in errors(answer)
    assert QueryPerson.objects.count() == 0


def test_a_mistyped_name_is_asked_back_and_troubles_nobody_else(cast: Cast) -> None:
    deliver(cast, [penalty(cast)])
    mistyped = penalty(cast, 行政相对人名称="陈小慢", 行政处罚决定书文号="闽市监处罚〔2026〕5号")
    answer = type_in(cast, mistyped, other(cast))
    assert answer.status_code == 422
    assert "第 1 条 行政相对人名称：姓名与该证件号码登记的姓名不一致" in errors(answer)
    text = answer.content.decode()
    assert 'name="r0-named"' in text
    assert 'name="r1-named"' not in text
    assert "陈小满" not in text, "that they differ is all that is told"
    assert (Batch.objects.filter(channel="form").count(), PersonCase.objects.count()) == (0, 0)
    line = access_history(cast.citizen.person)[0]
    assert (line.refused, line.unit) == (True, "省市场监督管理局"), "whoever tries names on a number is seen to"
    assert type_in(cast, mistyped | {"行政相对人名称": "陈小满"}, other(cast)).status_code == 302
    assert PersonCase.objects.count() == 0


def test_a_name_said_to_be_right_opens_the_case_as_before(cast: Cast) -> None:
    deliver(cast, [penalty(cast)])
    row = penalty(cast, 行政相对人名称="陈小暑", 行政处罚决定书文号="闽市监处罚〔2026〕5号")
    answer = type_in(cast, row, **{"r0-named": "on"})
    assert "由省信用办按核对单核对" in errors(answer)
    assert re.search(r'name="r0-named"[^>]*checked', answer.content.decode())
    assert PersonCase.objects.filter(kind="name", sources__batch__channel="form").count() == 1


@pytest.mark.parametrize("known", ["somebody new", "the registered name"])
def test_a_name_that_fits_or_that_nobody_has_is_not_asked_back(cast: Cast, known: str) -> None:
    row = penalty(cast) if known == "the registered name" else penalty(
        cast, 行政相对人名称="周清明", 证件号码=identity.invent(decided(9999), 7)
    )  # fmt: skip
    lines = QueryPerson.objects.count()
    assert type_in(cast, row).status_code == 302
    assert QueryPerson.objects.count() == lines


def test_two_equal_documents_in_one_form_come_back(cast: Cast) -> None:
    answer = type_in(cast, penalty(cast), penalty(cast, 处罚内容="罚款五万元。"))
    assert "第 2 条 行政处罚决定书文号" in errors(answer)
    assert "R01" in errors(answer)


def test_what_is_in_already_is_said_and_not_handed_in_again(cast: Cast) -> None:
    deliver(cast, [penalty(cast)])
    assert "内容完全相同" in errors(type_in(cast, penalty(cast)))


def test_a_number_ending_in_000_goes_in_once_it_was_compared(cast: Cast) -> None:
    births = (decided(365 * 30 + more) for more in range(60))  # not every day has a number that ends so
    invented = (identity.invent(born, serial) for born in births for serial in range(100, 1000, 100))
    number = next(n for n in invented if n.endswith("000"))
    row = penalty(cast, 行政相对人名称="林白露", 证件号码=number)
    answer = type_in(cast, row)
    assert "最后一项勾选" in errors(answer)
    assert 'name="r0-compared"' in answer.content.decode()
    assert type_in(cast, row, **{"r0-compared": "on"}).status_code == 302
    assert Batch.objects.get().new == 1


# --- pasting -------------------------------------------------------------------------------------------


def test_pasted_records_with_and_without_headings(cast: Cast) -> None:
    rows = [penalty(cast), other(cast)]
    assert type_in(cast, pasted=pasted(rows, header=HEADER[::-1])).status_code == 302
    labels = [f.label for f in entry.fields_of(entry.Schema(cast.item, cast.market))]
    again = [row | {"处罚内容": "罚款五万元。"} for row in rows]
    assert type_in(cast, pasted=pasted(again, header=labels, with_header=False)).status_code == 302
    assert [batch.new for batch in Batch.objects.all()] == [2, 2]


def test_a_pasted_record_that_is_wrong_opens_for_typing_and_the_others_stay(cast: Cast) -> None:
    wrong = other(cast, 处罚决定日期="昨天")
    answer = type_in(cast, pasted=pasted([penalty(cast), wrong]))
    page = answer.content.decode()
    assert "第 1 条 处罚决定日期" in errors(answer)
    assert 'value="昨天"' in page
    assert "已粘贴 1 条" in page
    assert "2026〕1号" in page


def test_a_sheet_of_two_hundred_is_pasted_at_once_and_no_more(cast: Cast) -> None:
    rows = [
        penalty(
            cast, 行政相对人名称="林谷雨", 证件号码=identity.invent(decided(40 * 365), n), 行政处罚决定书文号=f"文{n}号"
        )
        for n in range(1, 202)
    ]
    assert "一次最多 200 条" in errors(type_in(cast, pasted=pasted(rows)))
    assert type_in(cast, pasted=pasted(rows[:200])).status_code == 302
    assert Batch.objects.get().new == 200


@pytest.mark.parametrize(
    ("header", "told"),
    [
        (["行政相对人名称", "证件号码", "血型"], "禁止归集"),
        (["行政相对人名称", "证件号码", "天气"], "不是本条目"),
        (["行政相对人名称", "证件号码", "法定代表人"], "不是本条目"),
        (["行政相对人名称", "姓名", "证件号码"], "不止一列"),
    ],
)
def test_headings_that_may_not_or_cannot_be_read_are_named_and_the_text_is_kept(
    cast: Cast, header: list[str], told: str
) -> None:
    answer = type_in(cast, pasted=pasted([dict.fromkeys(header, "某值")], header=header))
    assert told in errors(answer)
    assert "某值" in answer.content.decode()
    assert not Batch.objects.exists()


def test_a_number_that_a_spreadsheet_has_ruined_is_refused(cast: Cast) -> None:
    assert "C02" in errors(type_in(cast, pasted=pasted([penalty(cast, 证件号码="3.59901E+17")])))


def test_pasted_cells_without_a_heading_are_not_lost_silently(cast: Cast) -> None:
    text = pasted([penalty(cast)]).replace("\r\n", "\t\r\n", 1).rstrip() + "\t多出来的\r\n"
    assert "不在任何一列之下" in errors(type_in(cast, pasted=text))


# --- the page ------------------------------------------------------------------------------------------


def test_the_form_shows_the_fields_of_the_item_in_force(cast: Cast) -> None:
    page = browser_of(cast.data_officer).get(address(cast)).content.decode()
    assert 'type="date"' in page
    assert "不收：行政拘留" in page
    assert f'value="{cast.market.uscc}"' in page
    assert "法定代表人" not in page


def test_records_are_added_and_taken_out_without_a_check(cast: Cast) -> None:
    two = type_in(cast, penalty(cast, 证件号码="还没填"), deed="add").content.decode()
    assert 'name="r1-CF_XDR_MC"' in two
    assert "还没填" in two
    one = type_in(cast, penalty(cast), other(cast), deed="remove-0").content.decode()
    assert "林大雪" in one
    assert "陈小满" not in one
    opened = type_in(cast, pasted=pasted([penalty(cast), other(cast)]), deed="open").content.decode()
    assert 'name="r1-CF_XDR_MC" value="林大雪"' in opened
    assert not Batch.objects.exists()


def test_an_empty_form_is_not_handed_in(cast: Cast) -> None:
    assert "还没有填写" in errors(type_in(cast))


def test_empty_records_beside_a_filled_one_are_left_out(cast: Cast) -> None:
    data = posted(cast, penalty(cast)) | {"count": "3", "r1-CF_CFJG": cast.market.name}
    assert browser_of(cast.data_officer).post(address(cast), data).status_code == 302
    assert Batch.objects.get().rows == 1


def test_text_cannot_become_markup(cast: Cast) -> None:
    page = type_in(cast, penalty(cast, 违法行为类型="<script>alert(1)</script>", 证件号码="1")).content.decode()
    assert "<script>alert" not in page


def test_only_data_officers_of_the_supplier_reach_the_form(cast: Cast) -> None:
    for user, status in (
        (cast.data_reviewer, 403), (cast.officer_here, 403), (cast.credit_office, 403), (cast.operator, 403), (cast.citizen, 302),
    ):  # fmt: skip
        assert browser_of(user).get(address(cast)).status_code == status
        assert type_in(cast, penalty(cast), by=user).status_code == status
    elsewhere = reverse("admin:records_batch_type_item", args=["FJ1-03-TRAN-0001"])
    assert browser_of(cast.data_officer).get(elsewhere).status_code == 404
    listed = reverse("admin:records_batch_type_item", args=["FJ1-06-MRKT-0003"])
    assert browser_of(cast.data_officer).get(listed).status_code == 404
    assert not Batch.objects.exists()


def test_an_item_that_is_no_longer_in_force_takes_no_typing(cast: Cast) -> None:
    retire(cast, cast.item)
    assert browser_of(cast.data_officer).get(address(cast)).status_code == 404
    with pytest.raises(Exception, match="没有现行版本"):
        entry.hand_in([typed_before(cast)], item=cast.item, by=cast.data_officer)


def typed_before(cast: Cast) -> entry.Typed:
    return entry.Typed({"CF_XDR_MC": "陈小满"})


@pytest.mark.parametrize("count", ["", "x", "-1", "0", "99999", "１"])
def test_a_forged_count_breaks_nothing(cast: Cast, count: str) -> None:
    assert browser_of(cast.data_officer).post(address(cast), {"count": count, "deed": "submit"}).status_code == 422


# --- taking back ---------------------------------------------------------------------------------------


def test_the_typist_takes_a_waiting_record_back_and_goes_on_with_it(cast: Cast) -> None:
    type_in(cast, penalty(cast))
    batch = Batch.objects.get()
    where = reverse("admin:records_batch_take_back", args=[batch.pk])
    assert browser_of(cast.data_reviewer).post(where).status_code == 403
    page = browser_of(cast.data_officer).post(where)
    assert page.status_code == 200
    assert CITIZEN_NUMBER in page.content.decode()
    assert "no-store" in page["Cache-Control"]
    assert Batch.objects.get().state == State.CANCELLED
    assert type_in(cast, penalty(cast)).status_code == 302
    assert Batch.objects.first().state == State.CHECKED


def test_nobody_takes_back_what_is_in_or_came_as_a_file(cast: Cast) -> None:
    type_in(cast, penalty(cast))
    actions.commit_now(Batch.objects.get().pk, by=cast.data_reviewer)
    check(cast, as_csv([other(cast)]))
    for batch in Batch.objects.all():
        answer = browser_of(cast.data_officer).post(reverse("admin:records_batch_take_back", args=[batch.pk]))
        assert answer.status_code == 302
        assert CITIZEN_NUMBER not in answer.content.decode()
    assert {batch.state for batch in Batch.objects.all()} == {State.CHECKED, State.COMMITTED}


# --- twice ---------------------------------------------------------------------------------------------


def test_the_same_form_sent_twice_is_one_batch(cast: Cast) -> None:
    first, second = type_in(cast, penalty(cast)), type_in(cast, penalty(cast))
    assert first["Location"] == second["Location"]
    assert Batch.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_double_click_is_one_batch() -> None:
    cast, at_once, answers = make_cast(), Barrier(2), []

    def click() -> None:
        at_once.wait()
        outcome = entry.hand_in([typed(cast)], item=cast.item, by=cast.data_officer)
        answers.append((outcome.batch.pk if outcome.batch else 0, outcome.again))
        connections.close_all()

    threads = [Thread(target=click) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Batch.objects.count() == 1
    assert sorted(again for _, again in answers) == [False, True]


def test_a_typed_batch_lost_in_a_crash_is_read_again_from_its_sealed_file(cast: Cast) -> None:
    type_in(cast, penalty(cast))
    batch = Batch.objects.get()
    BatchRow.objects.filter(batch=batch).delete()
    actions.commit_now(batch.pk, by=cast.data_reviewer)
    actions.check_batch(batch.pk)
    assert actions.commit_now(batch.pk, by=cast.data_reviewer).state == State.COMMITTED


def test_one_hand_is_not_enough_even_where_the_command_needs_only_one(cast: Cast) -> None:
    type(cast.item).objects.filter(pk=cast.item.pk).update(one_hand_by_command=True)
    type_in(cast, penalty(cast))
    batch = Batch.objects.get()
    assert "另一名审核员" in actions.may_commit(batch, cast.data_officer)
    with connection.cursor() as cursor, pytest.raises(Exception, match="another officer commits"):
        cursor.execute("UPDATE records_batch SET committed_by_id = uploaded_by_id WHERE id = %s", [batch.pk])


def test_fields_are_known_by_the_codes_of_the_item(cast: Cast) -> None:
    assert by_code(cast, {"证件号码": "1"}) == {"CF_XDR_ZJHM": "1"}


def test_the_page_of_a_typed_batch_opens_whatever_became_of_its_rows_or_its_item(cast: Cast) -> None:
    """A crash of the database empties the staging table; an item may be retired while a batch waits."""
    type_in(cast, penalty(cast))
    batch = Batch.objects.get()
    url = reverse("admin:records_batch_change", args=[batch.pk])
    BatchRow.objects.filter(batch=batch).delete()
    page = browser_of(cast.data_reviewer).get(url)
    assert (page.status_code, "审核通过" in page.content.decode()) == (200, True)
    retire(cast, cast.item)
    assert browser_of(cast.data_reviewer).get(url).status_code == 200


def test_a_name_that_differs_opens_its_case_beside_good_records_too(cast: Cast) -> None:
    """The form says that the case decides; and nobody tries names on a number in the shadow of a good row."""
    deliver(cast, [penalty(cast)])
    answer = type_in(
        cast,
        other(cast),
        penalty(cast, 行政相对人名称="陈小暑", 行政处罚决定书文号="闽市监处罚〔2026〕5号"),
        **{"r1-named": "on"},
    )
    assert "R02" in errors(answer)
    assert PersonCase.objects.filter(kind="name", sources__batch__channel="form").count() == 1
