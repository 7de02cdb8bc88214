"""Binding, recovering, confirming again, ending sessions; and that no administrator alone gets into an account."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone
from fido2 import cbor

from accounts.models import BindingCode, Organisation, SecondFactor, Session, SignInLine, User
from accounts.second_factors import issue_binding_code, make_recovery_codes, passkeys_at, remove
from accounts.sign_in_log import Door
from accounts.tests.signing import Phone, code_step, events, is_in, password_step, sign_in
from creditfujian.lib import totp
from creditfujian.tests.cast import PASSWORD, Cast, browser_of

NEW_PASSWORD = "青山不老-绿水长流-二零二六"


def offered(page: str) -> bytes:
    """The secret that an enrolment page shows."""
    return totp.from_text(page.split('class="secret">')[1].split("<")[0])


def bind(client: Client, binding: str) -> str:
    """Go through the binding page; return what it answers."""
    secret = offered(client.get("/sign-in/bind/").content.decode())
    code = totp.code(secret, totp.step_at(timezone.now().timestamp()))
    return client.post("/sign-in/bind/", {"binding": binding, "code": code}).content.decode()


def test_the_first_sign_in_binds_a_phone_with_the_security_administrators_code(cast: Cast) -> None:
    _, code = issue_binding_code(cast.clerk, by=cast.security_admin, door=Door())
    client = Client()
    password_step(client, "clerk")
    assert client.get("/sign-in/second/")["Location"] == "/sign-in/bind/"
    assert "绑定码不对" in bind(client, "WRONGCODE2")
    assert client.get("/admin/").status_code == 302
    page = bind(client, code.lower())
    assert "请收好恢复码" in page
    assert client.get("/admin/").status_code == 200
    assert cast.clerk.recovery_codes.count() == 10
    assert set(client.session.keys()) <= {"_auth_user_id", "_auth_user_backend", "_auth_user_hash", "signed_in"}
    again = Client()
    password_step(again, "clerk")
    assert "绑定码不对" in bind(again, code), "a binding code binds once"


def test_a_browser_that_two_share_offers_each_a_seed_of_their_own(cast: Cast) -> None:
    browser, seen = Client(), []
    for name in ("clerk", "auditor"):
        password_step(browser, name)
        seen.append(offered(browser.get("/sign-in/bind/").content.decode()))
    assert seen[0] != seen[1], "whoever was there first would hold the other's second factor"


def test_the_security_administrator_sees_who_waits_for_a_binding_code(cast: Cast) -> None:
    listed = "/admin/accounts/user/?without_phone=1"
    security = browser_of(cast.security_admin)
    assert "窗口壬" in security.get(listed).content.decode()
    assert "尚未绑定手机" in security.get("/admin/").content.decode()
    issue_binding_code(cast.clerk, by=cast.security_admin, door=Door())
    Phone(cast.auditor)
    page = security.get(listed).content.decode()
    assert "窗口壬" not in page
    assert "审计癸" not in page
    assert "运维辛" in page


def test_five_wrong_binding_codes_or_a_week_close_it(cast: Cast) -> None:
    _, code = issue_binding_code(cast.clerk, by=cast.security_admin, door=Door())
    with time_machine.travel(timezone.now() + timedelta(days=8), tick=True):
        late = Client()
        password_step(late, "clerk")
        assert "绑定码不对" in bind(late, code)
    client = Client()
    password_step(client, "clerk")
    for _ in range(4):
        bind(client, "WRONGCODE2")
    assert client.post("/sign-in/bind/", {"binding": code, "code": "000000"}).status_code == 422
    assert not cast.clerk.second_factors.exists()


def test_who_sets_the_password_cannot_bind_the_phone_and_the_other_way_round(cast: Cast) -> None:
    system, security = browser_of(cast.system_admin), browser_of(cast.security_admin)
    state, reset = f"/admin/accounts/user/{cast.clerk.pk}/sign-in/", f"/admin/accounts/user/{cast.clerk.pk}/password/"
    assert system.post(state, {"deed": "binding"}).status_code == 403
    assert security.post(reset, {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD}).status_code == 403
    assert not BindingCode.objects.exists()
    assert security.post(state, {"deed": "binding"}).status_code == 200
    new = {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD, "usable_password": "true"}
    assert system.post(reset, new).status_code == 302
    assert events(cast.clerk) == ["binding_issued", "password_reset"]
    with pytest.raises(IntegrityError), transaction.atomic():
        BindingCode.objects.create(
            user=cast.clerk, issued_by=cast.system_admin, code_hash=b"x", expires_at=timezone.now()
        )
    with pytest.raises(ValidationError):
        issue_binding_code(cast.security_admin, by=cast.security_admin, door=Door())


def test_a_password_set_by_an_administrator_is_changed_before_anything_else(cast: Cast) -> None:
    phone = Phone(cast.clerk)
    User.objects.filter(pk=cast.clerk.pk).update(must_change_password=True)
    client = sign_in(cast.clerk, phone)
    assert client.get("/admin/")["Location"] == "/account/password/"
    form = {"old": PASSWORD, "new": NEW_PASSWORD, "again": NEW_PASSWORD}
    assert client.post("/account/password/", form | {"old": "错的"}).status_code == 422
    assert client.post("/account/password/", form | {"new": "12345678", "again": "12345678"}).status_code == 422
    assert client.post("/account/password/", form)["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200


def test_a_new_account_of_an_institution_is_no_staff(cast: Cast) -> None:
    assert cast.bank.kind == Organisation.Kind.INSTITUTION
    form = {"username": "bank_new", "name": "余某", "organisation": cast.bank.pk, "password": NEW_PASSWORD}
    answer = browser_of(cast.system_admin).post("/admin/accounts/user/add/", form)
    assert answer.status_code == 302, answer.content.decode()[:400]
    user = User.objects.get(username="bank_new")
    assert (user.kind, user.is_staff, user.must_change_password) == (User.Kind.INSTITUTION, False, True)
    client = Client()
    password_step(client, "bank_new", NEW_PASSWORD)
    assert client.get("/sign-in/second/")["Location"] == "/sign-in/bind/"
    assert not is_in(client)


def test_an_operator_of_an_institution_comes_to_its_desk(cast: Cast) -> None:
    user = User(username="bank_new", name="余某", kind=User.Kind.INSTITUTION, organisation=cast.bank)
    user.set_password(PASSWORD)
    user.save()
    client = Client()
    phone = Phone(user)
    password_step(client, "bank_new")
    assert code_step(client, phone.code())["Location"] == "/institutions/"
    page = client.get("/institutions/").content.decode()
    assert cast.bank.uscc in page
    assert client.get("/admin/").status_code == 302
    assert cast.bank.uscc not in Client().get("/institutions/").content.decode()


def test_a_recovery_code_stands_for_the_phone_once(cast: Cast) -> None:
    Phone(cast.clerk)
    codes = make_recovery_codes(cast.clerk, door=Door())
    assert len(set(codes)) == 10
    for expected in (302, 422):
        client = Client()
        password_step(client, "clerk")
        assert code_step(client, codes[0].lower()).status_code == expected
    other = Client()
    Phone(cast.data_officer)
    password_step(other, "data_officer")
    assert code_step(other, codes[1]).status_code == 422, "a code opens its own account only"


def test_binding_anew_voids_what_was_bound_before_and_ends_sessions(cast: Cast) -> None:
    phone = Phone(cast.clerk)
    old_codes = make_recovery_codes(cast.clerk, door=Door())
    lost = sign_in(cast.clerk, phone)
    _, code = issue_binding_code(cast.clerk, by=cast.security_admin, door=Door())
    client = Client()
    password_step(client, "clerk")
    assert "请收好恢复码" in bind(client, code)
    assert not is_in(lost)
    stolen = Client()
    password_step(stolen, "clerk")
    assert code_step(stolen, phone.code()).status_code == 422
    assert code_step(stolen, old_codes[0]).status_code == 422


def test_the_last_factor_of_staff_stays_and_a_citizens_goes(cast: Cast) -> None:
    for user in (cast.clerk, cast.citizen):
        Phone(user)
    with pytest.raises(ValidationError, match="至少要保留一种"):
        remove(cast.clerk.second_factors.get(), door=Door())
    remove(cast.citizen.second_factors.get(), door=Door())
    assert not cast.citizen.second_factors.exists()


def test_a_seed_is_sealed_and_opens_nobody_elses_account(cast: Cast) -> None:
    phone = Phone(cast.clerk)
    row = SecondFactor.objects.get(user=cast.clerk)
    assert phone.secret not in bytes(row.sealed)
    with pytest.raises(IntegrityError), transaction.atomic():
        SecondFactor.objects.filter(pk=row.pk).update(user=cast.auditor)
    Phone(cast.auditor)
    SecondFactor.objects.filter(user=cast.auditor).update(sealed=row.sealed)
    client = Client(raise_request_exception=False)
    password_step(client, "auditor")
    assert code_step(client, phone.code()).status_code == 500, "a copied seed does not open"


def test_sensitive_pages_ask_again_after_ten_minutes(cast: Cast) -> None:
    phone = Phone(cast.clerk)
    client = sign_in(cast.clerk, phone)
    assert client.get("/account/passkey/", headers={"host": "localhost"}).status_code == 200
    with time_machine.travel(timezone.now() + timedelta(minutes=11), tick=True):
        asked = client.get("/account/totp/")
        assert asked["Location"] == "/sign-in/confirm/?next=%2Faccount%2Ftotp%2F"
        assert client.post("/account/codes/").status_code == 302
        assert cast.clerk.recovery_codes.count() == 0, "nothing is done before the answer"
        form = {"next": "/account/totp/"}
        assert client.post("/sign-in/confirm/", form | {"code": "000000"}).status_code == 422
        assert client.post("/sign-in/confirm/", form | {"code": phone.code()})["Location"] == "/account/totp/"
        assert client.get("/account/totp/").status_code == 200
        assert client.post("/account/codes/").status_code == 200
    assert cast.clerk.recovery_codes.count() == 10


def test_a_citizen_without_a_phone_confirms_with_the_password(cast: Cast) -> None:
    client = Client()
    password_step(client, "citizen")
    assert client.get("/account/totp/")["Location"].startswith("/sign-in/confirm/")
    assert client.post("/sign-in/confirm/", {"password": "错的", "next": "/account/totp/"}).status_code == 422
    assert client.post("/sign-in/confirm/", {"password": PASSWORD, "next": "/account/totp/"}).status_code == 302
    secret = offered(client.get("/account/totp/").content.decode())
    code = totp.code(secret, totp.step_at(timezone.now().timestamp()))
    assert "请收好恢复码" in client.post("/account/totp/", {"code": code}).content.decode()
    again = Client()
    assert password_step(again, "citizen")["Location"] == "/sign-in/second/"


def test_giving_roles_asks_again(cast: Cast) -> None:
    client = sign_in(cast.security_admin, Phone(cast.security_admin))
    page = f"/admin/accounts/user/{cast.clerk.pk}/change/"
    with time_machine.travel(timezone.now() + timedelta(minutes=11), tick=True):
        assert client.get(page).status_code == 200
        assert client.post(page, {"is_active": ""})["Location"].startswith("/sign-in/confirm/")
    assert User.objects.get(pk=cast.clerk.pk).is_active


def test_one_sees_ones_sessions_and_ends_them(cast: Cast) -> None:
    phone = Phone(cast.clerk)
    office = sign_in(cast.clerk, phone, headers={"user-agent": "Mozilla/5.0 (Windows NT 10.0) Chrome/140 Safari/537"})
    home = sign_in(cast.clerk, phone, headers={"user-agent": "Mozilla/5.0 (X11; Linux) Firefox/140"})
    stranger = browser_of(cast.auditor)
    page = home.get("/account/").content.decode()
    assert "Chrome · Windows" in page
    assert "Firefox · Linux" in page
    for session in Session.objects.all():
        assert session.session_key not in page, "a page never shows what would open a session"
    reference = page.split('name="session" value="')[1].split('"')[0]
    stranger.post("/account/sessions/end/", {"session": reference})
    assert is_in(office)
    home.post("/account/sessions/end/", {"session": reference})
    assert not is_in(office)
    assert is_in(home)
    assert events(cast.clerk)[-1] == "ended"
    third = browser_of(cast.clerk)
    home.post("/account/sessions/end/", {"session": "others"})
    assert not is_in(third)
    assert is_in(stranger)


def test_the_security_administrator_ends_sessions_and_unlocks_and_others_do_not(cast: Cast) -> None:
    phone = Phone(cast.clerk)
    client = sign_in(cast.clerk, phone)
    state = f"/admin/accounts/user/{cast.clerk.pk}/sign-in/"
    for other in (cast.system_admin, cast.auditor, cast.operator, cast.data_officer):
        assert browser_of(other).post(state, {"deed": "end"}).status_code in (302, 403)
    assert is_in(client)
    security = browser_of(cast.security_admin)
    security.post(state, {"deed": "end"})
    assert not is_in(client)
    guesser = Client()
    for _ in range(6):
        password_step(guesser, "clerk", "错的")
    assert "锁定至" in security.get(state).content.decode()
    security.post(state, {"deed": "unlock"})
    assert password_step(guesser, "clerk").status_code == 302
    lines = cast.clerk.sign_in_lines.filter(event__in=["ended", "unlocked"])
    assert {line.by_id for line in lines} == {cast.security_admin.pk}


def test_the_auditor_reads_all_lines_and_everybody_their_own(cast: Cast) -> None:
    password_step(Client(), "clerk", "错的")
    assert "用户名或密码不符" in browser_of(cast.auditor).get("/admin/accounts/signinline/").content.decode()
    assert browser_of(cast.system_admin).get("/admin/accounts/signinline/").status_code == 403
    assert "用户名或密码不符" in browser_of(cast.clerk).get("/account/").content.decode()
    assert "用户名或密码不符" not in browser_of(cast.citizen).get("/account/").content.decode()


def test_the_sign_in_log_names_officials_and_no_citizen(cast: Cast) -> None:
    for user in (cast.citizen, cast.officer_here):
        password_step(Client(), user.username, "错的")
    line = SignInLine.objects.filter(account=cast.citizen).latest("pk")
    for watcher in (cast.auditor, cast.security_admin):
        watching, log = browser_of(watcher), "/admin/accounts/signinline/"
        listed, opened = (watching.get(page).content.decode() for page in (log, f"{log}{line.pk}/change/"))
        assert cast.officer_here.name in listed
        for page in (listed, opened):
            assert "陈*" in page
            assert cast.citizen.name not in page
        assert "陈*" not in watching.get(f"{log}?q={cast.citizen.name}").content.decode()
        assert cast.officer_here.name in watching.get(f"{log}?q={cast.officer_here.username}").content.decode()


def test_changing_the_password_ends_other_sessions(cast: Cast) -> None:
    one, two = browser_of(cast.citizen), browser_of(cast.citizen)
    form = {"old": PASSWORD, "new": NEW_PASSWORD, "again": NEW_PASSWORD}
    assert one.post("/account/password/", form)["Location"] == "/account/"
    assert is_in(one)
    assert not is_in(two)


# --- answers that no browser gives ------------------------------------------------------------------
LOCAL = {"host": "localhost"}
DEEP = b"\x81" * 50_000  # a list in a list in a list …


def _coded(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _said(kind: str, challenge: str) -> str:
    return _coded(json.dumps({"type": kind, "challenge": challenge, "origin": "http://localhost"}).encode())


def _authenticator(flags: int, rest: bytes = b"") -> bytes:
    return sha256(b"localhost").digest() + bytes([flags]) + bytes(4) + rest


def _made(challenge: str, attestation: bytes) -> str:
    said = {"clientDataJSON": _said("webauthn.create", challenge), "attestationObject": _coded(attestation)}
    return json.dumps({"id": "AAAA", "rawId": "AAAA", "type": "public-key", "response": said})


def _signed(challenge: str, authenticator: bytes) -> str:
    said = {"clientDataJSON": _said("webauthn.get", challenge), "authenticatorData": _coded(authenticator),
            "signature": _coded(b"0")}  # fmt: skip
    return json.dumps({"id": "AAAA", "rawId": "AAAA", "type": "public-key", "response": said})


def _attested(data: bytes) -> bytes:
    return cbor.encode({"fmt": "none", "attStmt": {}, "authData": data})


@pytest.mark.parametrize("answer", [
    lambda challenge: "[" * 100_000, lambda challenge: "null", lambda challenge: "[[]]", lambda challenge: "\x00",
    lambda challenge: _made(challenge, b""), lambda challenge: _made(challenge, b"\xa1"),
    lambda challenge: _made(challenge, DEEP), lambda challenge: _made(challenge, _attested(b"short")),
    lambda challenge: _made(challenge, _attested(_authenticator(0x01))),
    lambda challenge: _made(challenge, _attested(_authenticator(0x41, b"\x00"))),
    lambda challenge: _made(challenge, _attested(_authenticator(0x81, DEEP))),
])  # fmt: skip
def test_a_crafted_passkey_is_refused_and_not_kept(cast: Cast, answer: Callable[[str], str]) -> None:
    client = sign_in(cast.clerk, Phone(cast.clerk), headers=LOCAL)
    client.get("/account/passkey/", headers=LOCAL)
    challenge: Any = client.session["passkey_challenge"]
    form = {"label": "我的", "passkey": answer(challenge["challenge"])}
    refused = client.post("/account/passkey/", form, headers=LOCAL)
    assert refused.status_code == 422
    assert "请重试" in refused.content.decode()
    assert [one.kind for one in cast.clerk.second_factors.all()] == ["totp"]


@pytest.mark.parametrize("answer", [
    lambda challenge: "[" * 100_000, lambda challenge: "7", lambda challenge: _signed(challenge, b"short"),
    lambda challenge: _signed(challenge, _authenticator(0x81, b"\xa1")),
    lambda challenge: _signed(challenge, _authenticator(0x81, DEEP)),
    lambda challenge: _signed(challenge, _authenticator(0x01)),
])  # fmt: skip
def test_a_crafted_signature_opens_nothing_and_is_counted(cast: Cast, answer: Callable[[str], str]) -> None:
    Phone(cast.clerk)
    client = Client(headers=LOCAL)
    password_step(client, "clerk")
    server = passkeys_at("http://localhost")
    assert server is not None
    _, state = server.authenticate_begin([], user_verification=None)
    session = client.session
    session["passkey_challenge"] = dict(state)
    session.save()
    assert client.post("/sign-in/second/", {"passkey": answer(state["challenge"])}).status_code == 200
    assert not is_in(client)
    assert events(cast.clerk)[-1] == "wrong_factor"
