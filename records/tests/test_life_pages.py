"""The pages of acts and of the person's words: what officials and the person do with them."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from access.actions import Asker
from access.models import QueryPerson
from accounts.models import User
from creditfujian.tests.cast import Cast
from records import acts
from records.life_models import RecordAct
from records.models import Record
from records.reading import own_file
from records.statements import state, take_back
from records.tests.life import one_record, opened_and_decided
from records.waiting import waiting_for

Kind = RecordAct.Kind
Browser = Callable[[User | None], Client]
LIST = "/admin/records/recordact/"


def me(cast: Cast) -> Asker:
    return Asker(cast.citizen, "公示网站")


def test_an_officer_asks_on_the_page_and_another_decides_there(cast: Cast, as_user: Browser) -> None:
    number = one_record(cast)
    officer, reviewer = as_user(cast.data_officer), as_user(cast.data_reviewer)
    asked = officer.post(f"{LIST}add/", {"kind": "withdraw", "numbers": number, "reason": "重复报送"})
    act = RecordAct.objects.get()
    assert asked["Location"] == f"{LIST}{act.pk}/change/"
    assert {c.title: c.count for c in waiting_for(cast.data_reviewer)}["待审核的办理单"] == 1
    shut = reviewer.get(asked["Location"]).content.decode()
    assert "重复报送" in shut
    assert "同意，立即生效" not in shut  # not before the reviewer has opened the record
    reviewer.post(f"{LIST}{act.pk}/decide/", {"agree": "1", "note": ""})
    assert "请先点“查阅记录内容”" in reviewer.get(asked["Location"]).content.decode()
    assert "同意，立即生效" in reviewer.get(asked["Location"] + "?records=1").content.decode()
    reviewer.post(f"{LIST}{act.pk}/decide/", {"agree": "1", "note": ""})
    act.refresh_from_db()
    assert act.state == "done"


def test_a_correction_is_filled_in_compared_and_decided(cast: Cast, as_user: Browser) -> None:
    number = one_record(cast)
    officer, reviewer = as_user(cast.data_officer), as_user(cast.data_reviewer)
    page = officer.post(f"{LIST}add/", {"kind": "correct", "numbers": number, "reason": "金额有误"})["Location"]
    form = officer.get(page).context["form"]
    values = {name: form.initial.get(name, "") for name in form.fields}
    code = next(name for name, field in form.fields.items() if field.label == "处罚内容")
    wrong = officer.post(page, values | {code: "联系电话13800138000"})
    assert wrong.status_code == 422
    assert "手机号码" in wrong.content.decode()
    lines = QueryPerson.objects.count()
    assert officer.post(page, values | {code: "吊销登记证。"}).status_code == 302
    assert QueryPerson.objects.count() == lines + 1  # one opening of the record, one line
    act = RecordAct.objects.get()
    lines = QueryPerson.objects.count()
    shown = reviewer.get(f"{LIST}{act.pk}/change/?records=1").content.decode()
    assert "<ins>吊销登记证。</ins>" in shown
    assert QueryPerson.objects.count() == lines + 1
    reviewer.post(f"{LIST}{act.pk}/decide/", {"agree": "1"})
    assert "吊销登记证。" in as_user(cast.citizen).get("/me/file/").content.decode()


def test_what_runs_out_first_stands_first_however_many_acts_there_are(cast: Cast, as_user: Browser) -> None:
    numbers = [one_record(cast, 行政处罚决定书文号=f"闽市监处罚〔2026〕{n}号") for n in range(1, 5)]
    early, reviewer = timezone.localdate() - timedelta(days=30), as_user(cast.data_reviewer)
    made = [acts.ask(Kind.RESTORE, numbers[:1], by=cast.data_officer, reason="没有期限的")]
    made += [acts.ask(Kind.WITHDRAW, numbers[1:2], by=cast.data_officer, reason="今天起算的")]
    reviewer.get(LIST)  # what a first page loads once
    with CaptureQueriesContext(connection) as few:
        reviewer.get(LIST)
    made += [
        acts.ask(Kind.CANCEL, [number], by=cast.data_officer, reason="文书早已撤销", document_no="闽政行复〔2026〕1号",
                 document_date=early) for number in numbers[2:]
    ]  # fmt: skip
    with CaptureQueriesContext(connection) as many:
        page = reviewer.get(LIST)
    assert [act.pk for act in page.context["cl"].result_list] == [made[n].pk for n in (3, 2, 1, 0)]
    assert page.content.decode().count("（超期）") == 2
    assert len(many) == len(few)
    opened_and_decided(cast, made[3])
    assert reviewer.get(LIST).context["cl"].result_list[0].pk == made[2].pk  # what is done runs out no more


def test_a_wrong_number_is_told_by_name(cast: Cast, as_user: Browser) -> None:
    answer = as_user(cast.data_officer).post(f"{LIST}add/", {"kind": "withdraw", "numbers": "R1", "reason": "试试"})
    assert answer.status_code == 422
    assert "“R1”不是记录编号" in answer.content.decode()


def test_acts_of_another_department_do_not_exist(cast: Cast, as_user: Browser) -> None:
    act_page = as_user(cast.data_officer).post(
        f"{LIST}add/", {"kind": "withdraw", "numbers": one_record(cast), "reason": "重复报送"}
    )["Location"]
    cast.data_reviewer.organisation = cast.transport
    cast.data_reviewer.save()
    assert as_user(cast.data_reviewer).get(act_page).status_code == 404


def test_the_person_says_something_beside_a_record_changes_it_and_takes_it_back(cast: Cast, as_user: Browser) -> None:
    number, citizen = one_record(cast), as_user(cast.citizen)
    page = f"/me/file/{number}/statement/"
    assert citizen.post(page, {"text": "已整改完毕。", "deed": "say"})["Location"] == "/me/file/"
    assert "已整改完毕。" in citizen.get("/me/file/").content.decode()
    citizen.post(page, {"text": "已整改并缴清罚款。", "deed": "say"})
    assert own_file(cast.citizen.person, by=me(cast)).records[0].statement == "已整改并缴清罚款。"
    citizen.post(page, {"deed": "take_back"})
    assert own_file(cast.citizen.person, by=me(cast)).records[0].statement == ""


@pytest.mark.parametrize(("text", "says"), [
    ("字" * 501, "500 字"), ("邻居电话13800138000", "手机号码"), ("", "请填写"), ("我当时怀孕，没有去。", "不得公开"),
])  # fmt: skip
def test_what_may_not_be_said_is_refused_with_the_reason(cast: Cast, text: str, says: str) -> None:
    number = one_record(cast)
    with pytest.raises(ValidationError, match=says):
        state(cast.citizen.person, number, text, by=me(cast))


def test_nobody_speaks_beside_a_record_of_somebody_else(cast: Cast, as_user: Browser) -> None:
    number = one_record(cast)
    other = as_user(cast.other_citizen)
    assert other.post(f"/me/file/{number}/statement/", {"text": "试试", "deed": "say"}).status_code == 404
    with pytest.raises(Record.DoesNotExist):
        take_back(cast.other_citizen.person, number, by=Asker(cast.other_citizen, "公示网站"))
