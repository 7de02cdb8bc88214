"""The public look-up gives the least, alike to everybody; an account opens with the code from the counter."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.utils import timezone

from access.models import Kind, Query
from accounts.models import User
from accounts.tests.counter import code_from
from creditfujian.lib import identity
from creditfujian.tests.cast import CITIZEN_NUMBER, OTHER_NUMBER, PASSWORD, Cast
from publicity.nightly import nightly
from records.tests.deliveries import deliver, penalty

NAME, DOCUMENT = "陈小满", "闽市监处罚〔2026〕1号"
As = Callable[[User | None], Client]


@pytest.fixture
def listed(cast: Cast) -> Cast:
    """The citizen with one serious public record."""
    deliver(cast, [penalty(cast)])
    return cast


def look_up(client: Client, name: str, number: str) -> str:
    answer = client.post("/lookup/", {"name": name, "number": number})
    assert answer.status_code == 200, answer.content.decode()
    return answer.content.decode()


def same_apart_from(text: str, *typed: str) -> str:
    text = text.split("<main")[1].split("</main>")[0]
    for words in typed:
        text = text.replace(words, "")
    return re.sub(r'value="[^"]{30,}"', "", text)  # the token of the form


def test_a_public_serious_record_is_shown_masked(listed: Cast, client: Client) -> None:
    text = look_up(client, NAME, CITIZEN_NUMBER)
    assert DOCUMENT in text
    assert NAME not in text
    assert CITIZEN_NUMBER not in text
    assert CITIZEN_NUMBER[6:14] not in text  # nor the day of birth


def test_a_document_number_finds_it_too(listed: Cast, client: Client) -> None:
    assert "罚款六万元" in look_up(client, NAME, DOCUMENT)
    assert "罚款六万元" not in look_up(client, "林大雪", DOCUMENT)


def test_nobody_and_nothing_public_are_answered_alike(listed: Cast, client: Client) -> None:
    unknown = identity.invent(date(1985, 5, 5), 7)
    answers = {
        same_apart_from(look_up(client, name, number), name, number)
        for name, number in [
            ("林大雪", OTHER_NUMBER),
            ("林无名", unknown),
            ("陈大满", CITIZEN_NUMBER),
            ("林无名", "闽市监处罚〔2026〕404号"),
        ]
    }
    assert len(answers) == 1


@pytest.mark.parametrize(("ends", "shown"), [(-1, False), (0, False), (1, True)])
def test_what_was_public_is_gone_on_the_day_its_period_ends(cast: Cast, client: Client, ends: int, shown: bool) -> None:
    deliver(cast, [penalty(cast, 公示截止期=date.today() + timedelta(days=ends))])
    assert (DOCUMENT in look_up(client, NAME, CITIZEN_NUMBER)) is shown


def test_every_look_up_is_a_line_without_the_number(listed: Cast, client: Client) -> None:
    before = Query.objects.count()
    look_up(client, NAME, CITIZEN_NUMBER)
    assert Query.objects.count() == before + 1
    line = Query.objects.latest("seq")
    assert line.kind == Kind.PUBLIC
    assert CITIZEN_NUMBER not in str(vars(line))


def test_an_address_may_ask_so_often_in_an_hour(listed: Cast, client: Client, settings: Any) -> None:
    settings.LOOKUPS_PER_HOUR = 2
    for _ in range(2):
        look_up(client, "林无名", DOCUMENT)
    answer = client.post("/lookup/", {"name": "林无名", "number": DOCUMENT})
    assert answer.status_code == 429
    assert "分钟" in answer.content.decode()
    other = client.post("/lookup/", {"name": "林无名", "number": DOCUMENT}, REMOTE_ADDR="192.0.2.77")
    assert other.status_code == 200


def test_a_forged_forwarding_header_does_not_reset_the_limit(listed: Cast, client: Client, settings: Any) -> None:
    settings.LOOKUPS_PER_HOUR = 1
    look_up(client, "林无名", DOCUMENT)
    answer = client.post("/lookup/", {"name": "林无名", "number": DOCUMENT}, HTTP_X_FORWARDED_FOR="203.0.113.9")
    assert answer.status_code == 429


def test_a_mistyped_number_is_explained_and_costs_nothing(listed: Cast, client: Client) -> None:
    before = Query.objects.count()
    answer = client.post("/lookup/", {"name": NAME, "number": CITIZEN_NUMBER[:-1] + "9"})
    assert answer.status_code == 422
    assert "校验位" in answer.content.decode()
    assert Query.objects.count() == before


def test_what_is_typed_never_stands_in_an_address(client: Client, db: None) -> None:
    answer = client.get(f"/lookup/?name={NAME}&number={CITIZEN_NUMBER}")
    assert CITIZEN_NUMBER not in answer.content.decode()


def test_a_code_from_the_counter_opens_an_account_once(cast: Cast, client: Client) -> None:
    number = identity.invent(date(1970, 7, 7), 9)
    proof = code_from(cast, number, "许谷雨")
    form = {
        "id_number": number,
        "code": proof.code,
        "username": "xuguyu",
        "password": PASSWORD,
        "password_again": PASSWORD,
    }
    assert client.post("/sign-in/activate/", form | {"code": "AAAAAAAAAA"}).status_code == 422
    assert "账户已开通" in client.post("/sign-in/activate/", form).content.decode()
    assert client.post("/sign-in/activate/", form | {"username": "again"}).status_code == 422
    signed_in = client.post("/sign-in/", {"username": "xuguyu", "password": PASSWORD})
    assert signed_in.headers["Location"] == "/me/"
    assert "没有关于您的记录" in client.get("/me/file/").content.decode()


def test_a_citizen_sees_own_record_and_who_looked(listed: Cast, as_user: As) -> None:
    me = as_user(listed.citizen)
    text = me.get("/me/file/").content.decode()
    assert DOCUMENT in text
    assert "公示中" in text
    assert "我的" in me.get("/me/access/?own=1").content.decode()


def test_the_unknown_are_sent_to_sign_in_and_who_is_at_work_is_told_why_not(cast: Cast, as_user: As) -> None:
    for page in ("/me/", "/me/file/", "/me/access/"):
        answer = as_user(None).get(page)
        assert (answer.status_code, answer.headers["Location"]) == (302, f"/sign-in/?next={page}")
        for user in (cast.auditor, cast.officer_here):
            answer = as_user(user).get(page)
            assert answer.status_code == 403
            assert "您现在以工作账户登录" in answer.content.decode()


def test_large_type_goes_back_to_where_the_reader_was_and_nowhere_else(client: Client, db: None) -> None:
    answer = client.post("/display/", {"large": "1", "next": "/lookup/"})
    assert answer.headers["Location"] == "/lookup/"
    assert '<html lang="zh-Hans" class="large"' in client.get("/").content.decode()
    assert client.post("/display/", {"large": "0", "next": "https://example.org/"}).headers["Location"] == "/"


def test_pages_tell_browsers_what_they_may_do(client: Client, db: None) -> None:
    answer = client.get("/")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert "no-store" in client.get("/sign-in/").headers["Cache-Control"]


def test_staff_leave_a_browser_alone_and_are_signed_out(cast: Cast, as_user: As) -> None:
    officer = as_user(cast.data_officer)
    assert officer.get("/admin/").status_code == 200
    with time_machine.travel(date.today() + timedelta(days=1)):
        assert officer.get("/admin/").status_code == 302


def test_what_was_counted_per_address_is_forgotten_in_the_night(listed: Cast, client: Client) -> None:
    look_up(client, NAME, CITIZEN_NUMBER)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE publicity_lookupcount SET hour = hour - interval '2 hours'")
    look_up(client, NAME, CITIZEN_NUMBER)
    assert nightly(timezone.localdate())["lookup_counts"] == 1
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM publicity_lookupcount")
        assert cursor.fetchone()[0] == 1
