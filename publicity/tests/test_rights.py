"""The person's rights: each in two clicks; what needs an answer has a number, a day, reasons, and two hands to refuse."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, connection, transaction
from django.test import Client
from jsonschema import Draft202012Validator

from access.actions import Asker
from access.models import Message, Query
from access.reading import access_history
from accounts.models import User
from catalogue.models import Deadline
from creditfujian.tests.cast import CITIZEN_NUMBER, Cast
from publicity.copy import SCHEMA
from records import rights
from records.explained import explained
from records.life_models import RecordAct
from records.rights_models import RightsRequest
from records.statements import state
from records.tests.life import done, numbers_of, one_record
from records.tests.test_questions import at_home, looked_at, under_own_line
from records.waiting import waiting_for

As = Callable[[User | None], Client]
Kind, Deed = RightsRequest.Kind, rights.Deed
WHY = "罚款已经缴清，金额写多了一个零"


@pytest.fixture
def number(cast: Cast) -> str:
    """The number of the citizen's one record."""
    return one_record(cast)


def asked(cast: Cast, number: str, kind: RightsRequest.Kind = Kind.CORRECT) -> RightsRequest:
    return rights.ask(cast.citizen.person, kind, number, WHY, by=at_home(cast.citizen))


def opened(request: RightsRequest, user: User) -> None:
    assert rights.record_of(request, by=Asker(user, "工作平台", "192.0.2.0/24")) is not None


def refused(words: str, statement: str, *values: Any, own: User | None = None) -> None:
    def deed() -> None:
        if own is not None:
            under_own_line(own)
        with connection.cursor() as cursor:
            cursor.execute(statement, values)
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")

    with pytest.raises(DatabaseError, match=words), transaction.atomic():
        deed()


# --- the page -------------------------------------------------------------------------------------------------------


def test_every_right_is_there_with_its_article_time_and_limits(cast: Cast, number: str, as_user: As) -> None:
    citizen = as_user(cast.citizen)
    page = citizen.get("/me/rights/").content.decode()
    for article in ("第四十四条", "第四十五条", "第四十六条", "第四十七条", "第四十八条", "第十五条", "第六十五条"):
        assert article in page
    for words in ("5 个工作日内", "15 日内", "20 日内", "征信业管理条例", "GB/T 35273"):
        assert words in page
    for address in ("/me/file/", "/me/reports/", "/me/rights/copy.json", "/me/rights/explained/", "/me/consents/"):
        assert f'href="{address}"' in page
        assert citizen.get(address).status_code == 200
    for kind in Kind:
        assert f'href="/me/rights/ask/{kind}/"' in page
        assert number in citizen.get(f"/me/rights/ask/{kind}/").content.decode()
    assert citizen.get("/me/rights/ask/other/").status_code == 404
    assert as_user(cast.officer_here).get("/me/rights/").status_code == 403
    assert as_user(None).get("/me/rights/")["Location"].startswith("/sign-in/")


def test_why_a_record_is_here_and_when_it_goes(cast: Cast, number: str, as_user: As) -> None:
    one = explained(cast.citizen.person, by=at_home(cast.citizen))[0]
    said = "".join(one.reasons)
    for words in (
        one.view.item_code,
        one.view.bases[0],
        one.view.doc_no,
        "省市场监督管理局",
        "征信业管理条例第十六条",
        "当天撤下",
    ):
        assert words in said
    assert f"{one.view.query_until:%Y年%-m月%-d日}" in one.deletion
    assert "第四十七条第二款" in one.deletion
    page = as_user(cast.citizen).get("/me/rights/explained/").content.decode()
    assert one.deletion in page
    assert Query.objects.filter(kind="Q1").count() == 3, "each look at the own file leaves its line"


# --- the copy -------------------------------------------------------------------------------------------------------


def test_the_copy_holds_everything_and_is_of_its_schema(cast: Cast, number: str, as_user: As) -> None:
    state(cast.citizen.person, number, "罚款已缴清。", by=at_home(cast.citizen))
    looked_at(cast)
    request = asked(cast, number)
    lines = Query.objects.filter(kind="Q1").count()
    citizen = as_user(cast.citizen)
    answer = citizen.get("/me/rights/copy.json")
    text = b"".join(answer).decode()
    assert "attachment" in answer["Content-Disposition"]
    body = json.loads(text)
    Draft202012Validator(SCHEMA).validate(body)
    assert citizen.get("/me/rights/copy.schema.json").json() == SCHEMA
    record = body["records"][0]
    assert (record["number"], record["statements"][0]["text"], len(record["versions"])) == (number, "罚款已缴清。", 1)
    assert record["versions"][0]["fields"]
    assert [one["number"] for one in body["requests"]] == [request.number]
    assert len(body["usages"]) == 1
    assert CITIZEN_NUMBER not in text
    assert "经办人丙" not in text
    assert Query.objects.filter(kind="Q1").count() == lines + 1, "one line for one copy"


def test_the_copy_of_another_holds_nothing_of_mine(cast: Cast, number: str, as_user: As) -> None:
    body = json.loads(b"".join(as_user(cast.other_citizen).get("/me/rights/copy.json")))
    assert (body["records"], body["person"]["name"]) == ([], "林大雪")


# --- asked ----------------------------------------------------------------------------------------------------------


def test_a_request_has_a_number_a_day_and_goes_to_the_supplier(cast: Cast, number: str, as_user: As) -> None:
    citizen = as_user(cast.citizen)
    answer = citizen.post("/me/rights/ask/correct/", {"record": number, "text": WHY})
    request = RightsRequest.objects.get()
    assert answer["Location"] == f"/me/rights/{request.number}/"
    assert (request.organisation, request.item, request.state) == (cast.market, cast.item, "open")
    clock = Deadline.objects.of(request).get()
    assert clock.rule.code == "D13"
    page = citizen.get(answer["Location"]).content.decode()
    assert f"{clock.due_on:%Y年%-m月%-d日}" in page
    assert WHY in page
    assert next(card for card in waiting_for(cast.data_officer) if card.title == "待答复的权利请求").count == 1
    assert request.number in citizen.get("/me/rights/").content.decode()
    assert as_user(cast.other_citizen).get(answer["Location"]).status_code == 404
    assert citizen.post("/me/rights/ask/correct/", {"record": number, "text": "再来"}).status_code == 422
    assert citizen.post("/me/rights/ask/delete/", {"record": number, "text": " "}).status_code == 422
    assert Deadline.objects.of(asked(cast, number, Kind.EXPLAIN)).get().rule.code == "D72"


def test_nobody_asks_about_anybody_elses_record(cast: Cast, number: str, as_user: As) -> None:
    other = as_user(cast.other_citizen)
    assert other.post("/me/rights/ask/correct/", {"record": number, "text": WHY}).status_code == 422
    with pytest.raises(ValidationError, match="您自己的"):
        rights.ask(cast.other_citizen.person, Kind.CORRECT, number, WHY, by=at_home(cast.other_citizen))
    with pytest.raises(PermissionDenied):
        rights.ask(cast.citizen.person, Kind.CORRECT, number, WHY, by=at_home(cast.other_citizen))
    insert = (
        "INSERT INTO records_rightsrequest (kind, person_id, asked_by_id, record_no, item_id, organisation_id, text, state)"
        " VALUES ('delete', %s, %s, %s, 1, 1, '删', 'granted')"
    )
    me, them = cast.citizen, cast.other_citizen
    refused("no such record", insert, them.person_id, them.pk, number, own=them)
    refused("only the person", insert, me.person_id, cast.data_officer.pk, number, own=me)
    refused("no such record", insert, me.person_id, me.pk, "R20261130", own=me)


# --- answered -------------------------------------------------------------------------------------------------------


def test_what_is_granted_was_done_first(cast: Cast, number: str, as_user: As) -> None:
    request = asked(cast, number)
    url = f"/admin/records/rightsrequest/{request.pk}/"
    with pytest.raises(ValidationError, match="查阅记录内容"):
        rights.step(request, Deed.REFUSAL, text="不对", by=cast.data_officer)
    shown = as_user(cast.data_officer).get(f"{url}change/?record=1").content.decode()
    assert "菌落总数" in shown
    assert "陈小满" not in shown
    assert access_history(cast.citizen.person)[0].case_no == request.number
    with pytest.raises(ValidationError, match="先用办理单"):
        rights.step(request, Deed.GRANTED, text="已更正", by=cast.data_officer)
    act = done(cast, RecordAct.Kind.WITHDRAW, number)
    with pytest.raises(ValidationError, match="没有关于这条记录"):
        rights.step(request, Deed.GRANTED, text="已更正", act_no="A20260101-000000", by=cast.data_officer)
    as_user(cast.data_officer).post(
        f"{url}step/", {"deed": "granted", "text": "金额有误，已撤回重报", "act_no": act.number}
    )
    request.refresh_from_db()
    assert request.state == "granted"
    page = as_user(cast.citizen).get(f"/me/rights/{request.number}/").content.decode()
    assert "金额有误，已撤回重报" in page
    assert act.number in page
    assert "报送员甲" not in page
    assert Message.objects.get(about=request.number).person == cast.citizen.person
    assert "查看请求" in as_user(cast.citizen).get("/me/messages/").content.decode()
    assert not Deadline.objects.of(request).filter(met_on=None).exists()


def test_a_refusal_takes_two_and_its_reasons_are_told(cast: Cast, number: str, as_user: As) -> None:
    request = asked(cast, number, Kind.DELETE)
    url, page = f"/admin/records/rightsrequest/{request.pk}/", f"/me/rights/{request.number}/"
    opened(request, cast.data_officer)
    as_user(cast.data_officer).post(f"{url}step/", {"deed": "refusal", "text": "决定有效，公示期未满"})
    request.refresh_from_db()
    assert request.state == "proposed"
    assert "决定有效" not in as_user(cast.citizen).get(page).content.decode(), "not before the second"
    assert next(card for card in waiting_for(cast.data_reviewer) if card.title == "待复核的权利请求").count == 1
    with pytest.raises(PermissionDenied):
        rights.step(request, Deed.CONFIRMED, text="同意", by=cast.data_officer)
    with pytest.raises(ValidationError, match="查阅记录内容"):
        rights.step(request, Deed.CONFIRMED, text="同意", by=cast.data_reviewer)
    opened(request, cast.data_reviewer)
    rights.step(request, Deed.RETURNED, text="请写明依据", by=cast.data_reviewer)
    rights.step(request, Deed.REFUSAL, text="依据征信业管理条例第十六条，未满五年", by=cast.data_officer)
    as_user(cast.data_reviewer).post(f"{url}step/", {"deed": "confirmed", "text": "与案卷一致"})
    told = as_user(cast.citizen).get(page).content.decode()
    for words in ("未满五年", "与案卷一致", "第五十条第二款", "两名工作人员"):
        assert words in told
    with pytest.raises(PermissionDenied):
        rights.step(request, Deed.GRANTED, text="改", by=cast.data_officer)


def test_the_reviewer_who_proposed_does_not_confirm(cast: Cast, number: str) -> None:
    request = asked(cast, number, Kind.DELETE)
    opened(request, cast.data_reviewer)
    rights.step(request, Deed.REFUSAL, text="未到期", by=cast.data_reviewer)
    with pytest.raises(PermissionDenied, match="另一名"):
        rights.step(request, Deed.CONFIRMED, text="同意", by=cast.data_reviewer)
    step = "INSERT INTO records_rightsstep (request_id, deed, text, by_id) VALUES (%s, %s, '同意', %s)"
    refused("does not confirm", step, request.pk, "confirmed", cast.data_reviewer.pk)


def test_the_database_holds_who_answers(cast: Cast, number: str) -> None:
    request = asked(cast, number, Kind.EXPLAIN)
    step = "INSERT INTO records_rightsstep (request_id, deed, text, by_id) VALUES (%s, %s, '有', %s)"
    for user in (cast.officer_here, cast.officer_elsewhere, cast.credit_office, cast.citizen, cast.auditor):
        refused("officials of the supplier", step, request.pk, "granted", user.pk)
    refused("has opened", step, request.pk, "granted", cast.data_officer.pk)
    opened(request, cast.data_officer)
    refused("told of every outcome", step, request.pk, "granted", cast.data_officer.pk)
    refused("is not confirmed", step, request.pk, "confirmed", cast.data_reviewer.pk)
    for statement in (
        "UPDATE records_rightsrequest SET state = 'refused'", "DELETE FROM records_rightsrequest",
        "UPDATE records_rightsstep SET text = 'x'", "DELETE FROM records_rightsstep",
    ):  # fmt: skip
        refused("permission denied|append-only", statement)
    rights.step(request, Deed.GRANTED, text="依据食品安全法第一百二十四条", by=cast.data_officer)


def test_only_the_supplier_sees_a_request(cast: Cast, number: str, as_user: As) -> None:
    request = asked(cast, number)
    url = f"/admin/records/rightsrequest/{request.pk}/change/"
    assert as_user(cast.data_officer).get(url).status_code == 200
    for user in (cast.officer_here, cast.officer_elsewhere, cast.auditor, cast.credit_office, cast.operator):
        assert as_user(user).get(url).status_code in (302, 403, 404)
    with pytest.raises(PermissionDenied):
        rights.record_of(request, by=Asker(cast.officer_elsewhere, "工作平台"))


def test_a_request_outlives_its_record(cast: Cast, number: str, as_user: As) -> None:
    request = asked(cast, number, Kind.DELETE)
    done(cast, RecordAct.Kind.WITHDRAW, number)
    assert numbers_of(cast.citizen) == []
    assert request.number in as_user(cast.citizen).get("/me/rights/").content.decode()
