"""Staff and institutions sign in with two factors; whoever guesses is locked out; every attempt leaves a line."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
import time_machine
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test import Client
from django.utils import timezone

from accounts.models import SignInLine, SignInRule, User
from accounts.sign_in_rules import limits
from accounts.tests.signing import CountingHasher, Phone, code_step, events, is_in, password_step, sign_in
from creditfujian.lib import identity
from creditfujian.tests.cast import CITIZEN_NUMBER, PASSWORD, Cast, browser_of, make_cast


def later(**time: int) -> time_machine.travel:
    return time_machine.travel(timezone.now() + timedelta(**time), tick=True)


def test_the_admin_opens_after_password_and_code_only(cast: Cast) -> None:
    phone, client = Phone(cast.data_officer), Client()
    assert client.get("/admin/").status_code == 302
    first = password_step(client, "data_officer")
    assert (first.status_code, first["Location"]) == (302, "/sign-in/second/")
    assert client.get("/admin/").status_code == 302, "the password alone opens nothing"
    assert code_step(client, "000000").status_code == 422
    assert client.get("/admin/").status_code == 302
    last = code_step(client, phone.code())
    assert (last.status_code, last["Location"]) == (302, "/admin/")
    assert client.get("/admin/").status_code == 200


def test_the_door_of_the_admin_takes_no_password(cast: Cast) -> None:
    Phone(cast.data_officer)
    client = Client()
    form = {"username": "data_officer", "password": PASSWORD, "next": "/admin/"}
    assert client.post("/admin/login/", form).status_code == 302
    assert client.get("/admin/").status_code == 302
    assert not is_in(client)


def test_a_code_opens_once(cast: Cast) -> None:
    phone = Phone(cast.data_officer)
    code = phone.code()
    one, two = Client(), Client()
    for client in (one, two):
        password_step(client, "data_officer")
    assert code_step(one, code).status_code == 302
    assert code_step(two, code).status_code == 422
    assert not is_in(two)


def test_a_session_made_by_other_means_does_not_open_the_admin(cast: Cast) -> None:
    client = Client()
    client.force_login(cast.data_officer, backend="accounts.backends.StaffAndCitizens")
    assert client.get("/admin/").status_code == 302
    assert not is_in(client)


def test_one_goes_on_to_where_one_wanted_but_not_elsewhere(cast: Cast) -> None:
    phone = Phone(cast.data_officer)
    for wanted, reached in (
        ("/admin/records/batch/", "/admin/records/batch/"),
        ("https://elsewhere.example/", "/admin/"),
    ):
        client = Client()
        client.post("/sign-in/", {"username": "data_officer", "password": PASSWORD, "next": wanted})
        assert code_step(client, phone.code())["Location"] == reached


@pytest.mark.parametrize("wanted", ["nowhere", "me", "a.b", "//elsewhere.example", "/\\elsewhere.example"])
def test_what_is_no_path_of_ours_is_nowhere_to_go_on_to(cast: Cast, wanted: str) -> None:
    answer = Client().post("/sign-in/", {"username": CITIZEN_NUMBER, "password": PASSWORD, "next": wanted})
    assert answer["Location"] == "/me/"


def test_a_lifted_lock_is_lifted_in_the_browser_that_one_always_uses_too(cast: Cast) -> None:
    phone = Phone(cast.data_officer)
    own = sign_in(cast.data_officer, phone)
    own.post("/sign-out/")
    for _ in range(5):
        password_step(own, "data_officer", "错的")
    assert password_step(own, "data_officer").status_code == 429
    page = f"/admin/accounts/user/{cast.data_officer.pk}/sign-in/"
    security = browser_of(cast.security_admin)
    assert "解除锁定" in security.get(page).content.decode()
    assert security.post(page, {"deed": "unlock"}).status_code == 302
    assert password_step(own, "data_officer").status_code == 302


NOBODYS = identity.invent(date(1971, 3, 4), 7)


@pytest.mark.parametrize(
    ("somebodys", "nobodys", "respelt"),
    [
        ("data_officer", "date_officer", str.upper),
        (CITIZEN_NUMBER, NOBODYS, lambda number: f"{number[:6]} {number[6:]}"),
    ],
)
def test_how_a_name_is_spelt_tells_nothing_of_whether_it_is_somebodys(
    cast: Cast, somebodys: str, nobodys: str, respelt: Callable[[str], str]
) -> None:
    """Locked under one spelling, tried under another: one answer for every name."""
    answers = []
    for name in (somebodys, nobodys):
        client = Client()
        for _ in range(5):
            password_step(client, name, "错的")
        assert password_step(client, name, "错的").status_code == 429
        answers.append(password_step(client, respelt(name), "错的").status_code)
    assert answers[0] == answers[1]


def test_a_citizen_signs_in_by_number_and_may_bind_a_phone(cast: Cast) -> None:
    client = Client()
    assert password_step(client, CITIZEN_NUMBER)["Location"] == "/me/"
    assert is_in(client)
    phone, again = Phone(cast.citizen), Client()
    assert password_step(again, CITIZEN_NUMBER)["Location"] == "/sign-in/second/"
    assert code_step(again, phone.code())["Location"] == "/me/"


def test_five_failures_lock_for_thirty_minutes_even_with_the_right_password(cast: Cast) -> None:
    phone, client = Phone(cast.data_officer), Client()
    for _ in range(5):
        assert password_step(client, "data_officer", "错的").status_code == 422
    refused = password_step(client, "data_officer")
    assert refused.status_code == 429
    assert 1700 < int(refused["Retry-After"]) <= 1800
    assert events(cast.data_officer)[-1] == "locked"
    with later(minutes=29):
        assert password_step(client, "data_officer").status_code == 429
    with later(minutes=31):
        assert password_step(client, "data_officer").status_code == 302
    assert phone


def test_wrong_codes_count_like_wrong_passwords(cast: Cast) -> None:
    phone, client = Phone(cast.data_officer), Client()
    password_step(client, "data_officer")
    for _ in range(5):
        code_step(client, "123456")
    assert code_step(client, phone.code()).status_code == 429
    assert password_step(client, "data_officer").status_code == 429
    assert not is_in(client)


def test_success_wipes_the_slate(cast: Cast) -> None:
    phone, client = Phone(cast.data_officer), Client()
    for _ in range(2):
        for _ in range(4):
            password_step(client, "data_officer", "错的")
        password_step(client, "data_officer")
        client = Client()
        client = sign_in(cast.data_officer, phone)
        client.post("/sign-out/")


def test_nobody_locks_others_out_of_the_browser_they_use(cast: Cast) -> None:
    phone = Phone(cast.data_officer)
    own = sign_in(cast.data_officer, phone)
    own.post("/sign-out/")
    stranger = Client()
    for _ in range(6):
        password_step(stranger, "data_officer", "错的")
    assert password_step(stranger, "data_officer").status_code == 429
    assert password_step(own, "data_officer").status_code == 302
    with later(seconds=40):
        assert code_step(own, phone.code()).status_code == 302
    assert is_in(own)


def test_the_known_browser_is_locked_by_its_own_failures(cast: Cast) -> None:
    own = sign_in(cast.data_officer, Phone(cast.data_officer))
    own.post("/sign-out/")
    for _ in range(5):
        password_step(own, "data_officer", "错的")
    assert password_step(own, "data_officer").status_code == 429


def test_an_address_that_tries_many_names_is_locked_and_others_are_not(cast: Cast) -> None:
    here, there = {"REMOTE_ADDR": "203.0.113.7"}, {"REMOTE_ADDR": "203.0.113.8"}
    for number in range(limits().address_failures):
        password_step(Client(**here), f"guess{number}", "错的")
    assert password_step(Client(**here), "citizen").status_code == 429
    assert password_step(Client(**there), "citizen").status_code == 302


def test_the_answer_is_the_same_whether_or_not_the_account_exists(cast: Cast) -> None:
    def said(username: str) -> list[tuple[int, str]]:
        client, found = Client(), []
        for _ in range(7):
            answer = password_step(client, username, "错的")
            text = answer.content.decode().replace(username, "…")
            found.append((answer.status_code, text[text.index("<h1>") : text.index("</main>")].split("csrf")[0]))
        return found

    assert said("data_officer") == said("nobody_has_this")
    assert said(CITIZEN_NUMBER) == said("359901197606150042")


def test_the_answer_takes_as_long_for_names_that_belong_to_nobody(db: None, settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["accounts.tests.signing.CountingHasher"]
    cast = make_cast()
    User.objects.filter(pk=cast.operator.pk).update(is_active=False)
    for typed in ("data_officer", "operator", "nobody_has_this", CITIZEN_NUMBER, "359901197606150042"):
        before = CountingHasher.runs
        password_step(Client(), typed, "错的")
        assert CountingHasher.runs - before == 1, typed


def test_nothing_typed_is_kept_in_the_log(cast: Cast) -> None:
    password_step(Client(), "my-secret-password", "another-secret")
    password_step(Client(), "359901197606150042", "x")
    for line in SignInLine.objects.values():
        assert "secret" not in str(line)
        assert "359901" not in str(line)


def test_a_closed_account_and_an_unknown_one_are_refused_alike(cast: Cast) -> None:
    User.objects.filter(pk=cast.operator.pk).update(is_active=False)
    assert password_step(Client(), "operator").status_code == 422
    phone, client = Phone(cast.data_officer), Client()
    password_step(client, "data_officer")
    User.objects.filter(pk=cast.data_officer.pk).update(is_active=False)
    assert code_step(client, phone.code())["Location"] == "/sign-in/"


def test_the_password_step_waits_only_so_long(cast: Cast) -> None:
    phone, client = Phone(cast.data_officer), Client()
    password_step(client, "data_officer")
    with later(minutes=11):
        assert code_step(client, phone.code())["Location"] == "/sign-in/"


def test_an_idle_session_ends_after_fifteen_minutes_and_a_used_one_after_a_day_s_work(cast: Cast) -> None:
    phone = Phone(cast.data_officer)
    idle = sign_in(cast.data_officer, phone)
    with later(minutes=14):
        assert is_in(idle)
    with later(minutes=30):
        assert not is_in(idle)
    assert events(cast.data_officer)[-1] == "timed_out"
    with later(seconds=60):
        busy = sign_in(cast.data_officer, phone)
    for minutes in range(10, 480, 10):
        with later(minutes=minutes):
            assert is_in(busy)
    with later(minutes=482):
        assert not is_in(busy)


def test_a_page_that_refreshes_itself_keeps_no_session_alive(cast: Cast) -> None:
    left = sign_in(cast.data_officer, Phone(cast.data_officer))
    for minutes in (5, 10, 14):
        with later(minutes=minutes):
            assert left.get("/admin/", headers={"X-Requested-With": "fetch"}).status_code == 200
    with later(minutes=16):
        assert left.get("/admin/", headers={"X-Requested-With": "fetch"}).status_code == 302


def test_every_step_leaves_a_line_with_network_and_method_and_no_address(cast: Cast) -> None:
    client = Client(REMOTE_ADDR="198.51.100.77")
    phone = Phone(cast.data_officer)
    password_step(client, "data_officer", "错的")
    password_step(client, "data_officer")
    code_step(client, phone.code())
    client.post("/sign-out/")
    assert events(cast.data_officer) == ["factor_added", "wrong_password", "signed_in", "signed_out"]
    line = SignInLine.objects.get(account=cast.data_officer, event="signed_in")
    assert (line.network, line.method) == ("198.51.100.0/24", "totp")
    assert abs(timezone.now() - line.at) < timedelta(minutes=1)


@pytest.mark.parametrize("deed", ["UPDATE {t} SET network = ''", "DELETE FROM {t}", "TRUNCATE {t}"])
@pytest.mark.parametrize("table", ["accounts_signinline", "accounts_signinrule", "accounts_identitylink"])
def test_lines_and_limits_never_change(cast: Cast, table: str, deed: str) -> None:
    password_step(Client(), "data_officer", "错的")
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(deed.format(t=table).replace("network = ''", "id = id"))


def test_the_time_of_a_line_is_the_databases(cast: Cast) -> None:
    old = timezone.now() - timedelta(days=300)
    line = SignInLine.objects.create(event="wrong_password", at=old)
    line.refresh_from_db()
    assert timezone.now() - line.at < timedelta(minutes=1)


def test_every_limit_has_a_source_and_bounds_that_hold(cast: Cast) -> None:
    assert set(SignInRule.objects.values_list("code", flat=True)) == set(SignInRule.Code.values)
    rule = SignInRule.objects.get(code="S01")
    assert (rule.value, rule.source[:4]) == (5, "GB/T")
    same = {"code": "S01", "unit": rule.unit, "source": "测试", "reason": "测试"}
    for bad in (
        {"value": 1000, "least": 3, "most": 2000, "set_by": cast.security_admin},
        {"value": 11, "least": 3, "most": 10, "set_by": cast.security_admin},
        {"value": 7, "least": 3, "most": 10, "set_by": cast.system_admin},
        {"value": 7, "least": 3, "most": 10},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            SignInRule.objects.create(**same, **bad)
    SignInRule.objects.create(**same, value=3, least=3, most=10, set_by=cast.security_admin)
    assert limits().failures == 3
