"""Whoever is read by others is told: once per reading, set-based, without contents, read or unread."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from access.actions import Ask, Asker, write_persons, write_query
from access.models import Kind, Message
from accounts.models import Person, User
from creditfujian.lib import identity
from creditfujian.tests.cast import Cast
from creditfujian.tests.registrations import registration_of
from records.list_models import ListSearch
from records.tests.deliveries import decided

As = Callable[[User | None], Client]


def look(cast: Cast, by: User | None, person: Person | None, **changes: Any) -> int:
    values = {
        "kind": Kind.DUTY, "ground": "履行法定职责", "purpose": "日常监督检查：有人反映他乱倒垃圾", "fields_class": "部门可见",
        "items": [cast.item], "case_no": "闽市监检〔2026〕7号", "duty_code": "350000-MRKT-01", "person": person,
    }  # fmt: skip
    made = values | changes
    if made["kind"] is Kind.DUTY and made["person"] and not made.get("refusal"):
        names = {name: made[name] for name in ("case_no", "duty_code")}
        made["request_no"] = registration_of(by, made["person"], made["items"], **names).pk
    return write_query(Ask(**made), by=Asker(by, "工作平台", "192.0.2.0/24"))  # type: ignore[arg-type]


def test_a_reading_by_duty_is_told_without_what_was_said_or_seen(cast: Cast, as_user: As) -> None:
    look(cast, cast.officer_here, cast.citizen.person)
    message = Message.objects.get()
    assert (message.person, message.subject) == (cast.citizen.person, "省市场监督管理局依职责查询了您的信息")
    assert "日常监督检查" in message.text
    for hidden in ("乱倒垃圾", "经办人丙", "7号", cast.item.code):
        assert hidden not in message.text
    citizen = as_user(cast.citizen)
    assert "1 条未读" in citizen.get("/me/").content.decode()
    page = citizen.get("/me/messages/").content.decode()
    assert 'href="/me/access/"' in page
    assert "未读" not in citizen.get("/me/messages/").content.decode().split('class="entries"')[1]
    assert "还没有消息" in as_user(cast.other_citizen).get("/me/messages/").content.decode()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"refusal": "no_right", "ground": "未取得查询依据"}, "想查询您的信息，被拒绝"),
        ({"kind": Kind.COUNTER, "purpose": "窗口为本人出具信用报告"}, "查询了您的信息"),
        ({"kind": Kind.CONSENT, "refusal": "no_consent", "ground": "未取得本人授权"}, "想查询您的信息，被拒绝"),
        ({"purpose": "办理信用修复：履行完毕"}, None), ({"purpose": "办理本人的请求：更正"}, None),
        ({"kind": Kind.PUBLIC}, None), ({"kind": Kind.COUNTER, "purpose": "窗口为本人撤回查询授权"}, None),
    ],
)  # fmt: skip
def test_what_is_told_and_what_is_not(cast: Cast, changes: dict[str, Any], told: str | None) -> None:
    look(cast, cast.officer_here, cast.citizen.person, **changes)
    found = [message.subject for message in Message.objects.all()]
    assert found == ([f"省市场监督管理局{told}"] if told else [])


def test_ones_own_look_is_no_news(cast: Cast) -> None:
    look(cast, cast.citizen, cast.citizen.person, kind=Kind.SELF, case_no="", duty_code="")
    assert not Message.objects.exists()


def test_a_list_tells_each_of_its_persons_in_one_statement(cast: Cast) -> None:
    stranger = Person.seal(identity.invent(decided(40 * 365), 9), "无户人")
    stranger.save()
    pairs = [(person.pk, cast.item.pk) for person in (cast.citizen.person, cast.other_citizen.person, stranger)]
    listed = registration_of(cast.officer_here, None, [cast.item])
    for person, _ in pairs:  # searched for by number: nobody has a record here
        ListSearch.objects.create(request=listed, by=ListSearch.By.NUMBER, person_id=person)
    seq = look(cast, cast.officer_here, None, request_no=listed.pk)
    with CaptureQueriesContext(connection) as captured:
        write_persons(seq, pairs)
    assert len(captured) == 1
    assert {message.person for message in Message.objects.all()} == {cast.citizen.person, cast.other_citizen.person}
