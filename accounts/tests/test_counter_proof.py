"""A citizen proves who they are at the counter and opens an account."""

from datetime import date, timedelta

import pytest
import time_machine
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from accounts.actions import activate, prove_identity
from accounts.models import IdentityProof, Person, User
from accounts.tests.signing import Phone, code_step, events, is_in, password_step
from creditfujian.lib import identity
from creditfujian.tests.cast import CITIZEN_NUMBER, PASSWORD, Cast, browser_of

NUMBER = identity.invent(date(1985, 12, 31), 2)
NEW_PASSWORD = "青山不老-绿水长流-二零二六"


def test_the_code_opens_an_account_once(cast: Cast) -> None:
    proof = prove_identity(id_number=NUMBER, name="周清明", by=cast.clerk)
    user = activate(id_number=NUMBER, code=proof.code, username="qingming", password=NEW_PASSWORD)
    assert user.is_citizen
    assert user.name == "周清明"
    assert not user.is_staff
    with pytest.raises(ValidationError, match="激活码不对"):
        activate(id_number=NUMBER, code=proof.code, username="again", password=NEW_PASSWORD)


def test_the_code_is_not_kept_where_anybody_can_read_it(cast: Cast) -> None:
    proof = prove_identity(id_number=NUMBER, name="周清明", by=cast.clerk)
    kept = IdentityProof.objects.filter(pk=proof.proof.pk).values().get()
    assert proof.code not in str(kept)
    assert bytes(kept["code_hash"]) != proof.code.encode()


def test_an_expired_code_opens_nothing(cast: Cast) -> None:
    proof = prove_identity(id_number=NUMBER, name="周清明", by=cast.clerk)
    with time_machine.travel(timezone.now() + timedelta(days=8), tick=False), pytest.raises(ValidationError):
        activate(id_number=NUMBER, code=proof.code, username="late", password=NEW_PASSWORD)


def test_five_wrong_codes_close_the_door_even_to_the_right_one(cast: Cast) -> None:
    proof = prove_identity(id_number=NUMBER, name="周清明", by=cast.clerk)
    for _ in range(5):
        with pytest.raises(ValidationError):
            activate(id_number=NUMBER, code="WRONGCODE2", username="guess", password=NEW_PASSWORD)
    with pytest.raises(ValidationError):
        activate(id_number=NUMBER, code=proof.code, username="right", password=NEW_PASSWORD)
    assert not User.objects.filter(username="right").exists()


def test_the_answer_does_not_tell_whether_the_person_exists(cast: Cast) -> None:
    prove_identity(id_number=NUMBER, name="周清明", by=cast.clerk)
    unknown = identity.invent(date(1970, 5, 5), 77)
    said = set()
    for number in (NUMBER, unknown, CITIZEN_NUMBER):
        with pytest.raises(ValidationError) as caught:
            activate(id_number=number, code="WRONGCODE2", username="x1", password=NEW_PASSWORD)
        said.add(caught.value.messages[0])
    assert len(said) == 1


def test_a_minor_cannot_open_an_account(cast: Cast) -> None:
    birth = timezone.localdate() - timedelta(days=17 * 365)
    with pytest.raises(ValidationError, match="未满 18 周岁"):
        prove_identity(id_number=identity.invent(birth, 3), name="小朋友", by=cast.clerk)


def test_another_name_for_a_known_number_is_a_conflict_not_a_merge(cast: Cast) -> None:
    Person.seal(NUMBER, "周清明").save()
    with pytest.raises(ValidationError, match="姓名与系统登记的不一致"):
        prove_identity(id_number=NUMBER, name="周谷雨", by=cast.clerk)
    assert Person.objects.filter(name="周清明").get() == Person.objects.numbered(NUMBER)


def reset(code: str, number: str = CITIZEN_NUMBER, password: str = NEW_PASSWORD) -> HttpResponse:
    form = {"id_number": number, "code": code, "password": password, "password_again": password}
    return Client().post("/sign-in/reset/", form)


def test_whoever_forgot_the_password_sets_it_anew_with_a_code_from_the_counter(cast: Cast) -> None:
    elsewhere = browser_of(cast.citizen)
    card = {"name": "陈小满", "id_number": CITIZEN_NUMBER, "document_seen": "on"}
    slip = browser_of(cast.clerk).post("/admin/accounts/identityproof/add/", card).content.decode()
    code = slip.split('aria-label="激活码">')[1].split("<")[0]
    assert "citizen" in reset(code).content.decode(), "who forgot the password may have forgotten the name"
    assert not is_in(elsewhere)
    assert password_step(Client(), CITIZEN_NUMBER, PASSWORD).status_code == 422
    client = Client()
    assert password_step(client, CITIZEN_NUMBER, NEW_PASSWORD)["Location"] == "/me/"
    assert "窗口核验身份，发放激活码" in client.get("/account/").content.decode()
    assert events(cast.citizen)[:2] == ["reset_issued", "password_reset"]
    assert reset(code).status_code == 422, "a code opens once"


def test_a_code_from_the_counter_does_not_stand_for_the_phone(cast: Cast) -> None:
    Phone(cast.citizen)
    proof = prove_identity(id_number=CITIZEN_NUMBER, name="陈小满", by=cast.clerk)
    assert reset(proof.code).status_code == 200
    client = Client()
    assert password_step(client, "citizen", NEW_PASSWORD)["Location"] == "/sign-in/second/"
    assert not is_in(client)


def test_resetting_tells_nobody_who_has_an_account(cast: Cast) -> None:
    prove_identity(id_number=CITIZEN_NUMBER, name="陈小满", by=cast.clerk)
    without = prove_identity(id_number=NUMBER, name="周清明", by=cast.clerk)
    unknown = identity.invent(date(1970, 5, 5), 77)
    guesses = [(CITIZEN_NUMBER, "WRONGCODE2"), (NUMBER, "WRONGCODE2"), (NUMBER, without.code), (unknown, "WRONGCODE2")]
    said = [reset(code, number).content.decode() for number, code in guesses]
    assert {"证件号码或激活码不对" in page for page in said} == {True}
    assert activate(id_number=NUMBER, code=without.code, username="qingming", password=NEW_PASSWORD)
    known = prove_identity(id_number=NUMBER, name="周清明", by=cast.clerk)
    with pytest.raises(ValidationError, match="证件号码或激活码不对"):
        activate(id_number=NUMBER, code=known.code, username="second", password=NEW_PASSWORD)


def test_staff_who_forgot_theirs_come_back_by_the_system_administrator_and_their_phone(cast: Cast) -> None:
    phone, reset_page = Phone(cast.data_officer), f"/admin/accounts/user/{cast.data_officer.pk}/password/"
    first = "临时密码-山高水长-2026"
    form = {"password1": first, "password2": first, "usable_password": "true"}
    assert browser_of(cast.system_admin).post(reset_page, form).status_code == 302
    client = Client()
    assert password_step(client, "data_officer", PASSWORD).status_code == 422
    password_step(client, "data_officer", first)
    code_step(client, phone.code())
    assert client.get("/admin/")["Location"] == "/account/password/"
    own = {"old": first, "new": NEW_PASSWORD, "again": NEW_PASSWORD}
    assert client.post("/account/password/", own)["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200


def test_the_door_says_what_to_do_without_the_password(cast: Cast) -> None:
    page = Client().get("/sign-in/").content.decode()
    assert "忘记密码" in page
    assert "/sign-in/reset/" in page
    staff = Client().get("/sign-in/?next=/admin/").content.decode()
    assert "系统管理员" in staff
    assert "安全管理员" in staff


def test_only_a_clerk_proves_identities(cast: Cast) -> None:
    for user in (cast.data_officer, cast.operator, cast.system_admin, cast.citizen):
        with pytest.raises(PermissionDenied):
            prove_identity(id_number=NUMBER, name="周清明", by=user)


def test_a_weak_password_is_refused_and_the_code_stays_good(cast: Cast) -> None:
    proof = prove_identity(id_number=NUMBER, name="周清明", by=cast.clerk)
    with pytest.raises(ValidationError):
        activate(id_number=NUMBER, code=proof.code, username="weak", password="12345678")
    assert activate(id_number=NUMBER, code=proof.code, username="weak", password=PASSWORD)
