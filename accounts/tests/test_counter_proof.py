"""A citizen proves who they are at the counter and opens an account."""

import time
from datetime import date, datetime, timedelta

import pytest
import time_machine
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, connection, transaction
from django.db.models import QuerySet
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from accounts.actions import activate, confirm_proof, prove_identity, refuse_proof, register_staff
from accounts.models import IdentityProof, Person, Role, User
from accounts.second_factors import make_recovery_codes
from accounts.sign_in_log import Door
from accounts.tests.counter import code_from, colleague
from accounts.tests.signing import Phone, code_step, events, is_in, password_step
from creditfujian.lib import identity
from creditfujian.tests.cast import CITIZEN_NUMBER, PASSWORD, Cast, browser_of

NUMBER = identity.invent(date(1985, 12, 31), 2)
NEW_PASSWORD = "青山不老-绿水长流-二零二六"


def test_the_code_opens_an_account_once(cast: Cast) -> None:
    proof = code_from(cast, NUMBER, "周清明")
    user = activate(id_number=NUMBER, code=proof.code, username="qingming", password=NEW_PASSWORD)
    assert user.is_citizen
    assert user.name == "周清明"
    assert not user.is_staff
    with pytest.raises(ValidationError, match="激活码不对"):
        activate(id_number=NUMBER, code=proof.code, username="again", password=NEW_PASSWORD)


def test_the_code_is_not_kept_where_anybody_can_read_it(cast: Cast) -> None:
    proof = code_from(cast, NUMBER, "周清明")
    kept = IdentityProof.objects.filter(pk=proof.proof.pk).values().get()
    assert proof.code not in str(kept)
    assert bytes(kept["code_hash"]) != proof.code.encode()


def test_an_expired_code_opens_nothing(cast: Cast) -> None:
    proof = code_from(cast, NUMBER, "周清明")
    with time_machine.travel(timezone.now() + timedelta(days=8), tick=False), pytest.raises(ValidationError):
        activate(id_number=NUMBER, code=proof.code, username="late", password=NEW_PASSWORD)


def test_five_wrong_codes_close_the_door_even_to_the_right_one(cast: Cast) -> None:
    proof = code_from(cast, NUMBER, "周清明")
    for _ in range(5):
        with pytest.raises(ValidationError):
            activate(id_number=NUMBER, code="WRONGCODE2", username="guess", password=NEW_PASSWORD)
    with pytest.raises(ValidationError):
        activate(id_number=NUMBER, code=proof.code, username="right", password=NEW_PASSWORD)
    assert not User.objects.filter(username="right").exists()


def test_the_answer_does_not_tell_whether_the_person_exists(cast: Cast) -> None:
    code_from(cast, NUMBER, "周清明")
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
    noted = browser_of(cast.clerk).post("/admin/accounts/identityproof/add/", card)
    again = {"id_number": CITIZEN_NUMBER, "document_seen": "on"}
    slip = browser_of(colleague(cast)).post(noted["Location"], again).content.decode()
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
    proof = code_from(cast, CITIZEN_NUMBER, "陈小满")
    assert reset(proof.code).status_code == 200
    client = Client()
    assert password_step(client, "citizen", NEW_PASSWORD)["Location"] == "/sign-in/second/"
    assert not is_in(client)


def test_resetting_tells_nobody_who_has_an_account(cast: Cast) -> None:
    code_from(cast, CITIZEN_NUMBER, "陈小满")
    without = code_from(cast, NUMBER, "周清明")
    unknown = identity.invent(date(1970, 5, 5), 77)
    guesses = [(CITIZEN_NUMBER, "WRONGCODE2"), (NUMBER, "WRONGCODE2"), (NUMBER, without.code), (unknown, "WRONGCODE2")]
    said = [reset(code, number).content.decode() for number, code in guesses]
    assert {"证件号码或激活码不对" in page for page in said} == {True}
    assert activate(id_number=NUMBER, code=without.code, username="qingming", password=NEW_PASSWORD)
    known = code_from(cast, NUMBER, "周清明")
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
    proof = code_from(cast, NUMBER, "周清明")
    with pytest.raises(ValidationError):
        activate(id_number=NUMBER, code=proof.code, username="weak", password="12345678")
    assert activate(id_number=NUMBER, code=proof.code, username="weak", password=PASSWORD)


# --- two officials, never one -------------------------------------------------------------------------
PROOFS = "/admin/accounts/identityproof/"


def noted(cast: Cast, **more: bool) -> IdentityProof:
    return prove_identity(id_number=CITIZEN_NUMBER, name="陈小满", by=cast.clerk, **more)


def test_one_clerk_alone_gets_no_code(cast: Cast) -> None:
    browser = browser_of(cast.clerk)
    card = {"name": "陈小满", "id_number": CITIZEN_NUMBER, "document_seen": "on"}
    page = browser.post(f"{PROOFS}add/", card, follow=True).content.decode()
    assert "待复核" in page
    assert "查验人不能自己复核" in page
    assert 'aria-label="激活码"' not in page
    proof = IdentityProof.objects.get()
    answer = browser.post(
        f"{PROOFS}{proof.pk}/change/", {"id_number": CITIZEN_NUMBER, "document_seen": "on"}, follow=True
    )
    assert "查验人不能自己复核" in answer.content.decode()
    assert 'aria-label="激活码"' not in answer.content.decode()
    with pytest.raises(PermissionDenied, match="另一名工作人员"):
        confirm_proof(proof.pk, id_number=CITIZEN_NUMBER, by=cast.clerk, door=Door())


def test_the_second_finds_the_proof_on_the_desk_and_reads_the_number_off_the_card(cast: Cast) -> None:
    proof, browser = noted(cast), browser_of(colleague(cast))
    assert "待您复核的身份核验" in browser.get("/admin/").content.decode()
    assert f"{PROOFS}{proof.pk}/change/" in browser.get(f"{PROOFS}?waiting=1").content.decode()
    page, seen = f"{PROOFS}{proof.pk}/change/", {"document_seen": "on"}
    assert CITIZEN_NUMBER not in browser.get(page).content.decode()
    assert "请当面查验居民身份证原件" in browser.get(page).content.decode()
    wrong = browser.post(page, seen | {"id_number": NUMBER})
    assert "与查验人登记的证件号码不符" in wrong.content.decode()
    assert browser.post(page, {"id_number": CITIZEN_NUMBER}).status_code == 422, "the card was not seen"
    assert 'aria-label="激活码"' in browser.post(page, seen | {"id_number": CITIZEN_NUMBER}).content.decode()
    assert "不需要复核" in browser.post(page, seen | {"id_number": CITIZEN_NUMBER}, follow=True).content.decode()


def test_guessing_the_number_of_the_card_ends_after_five(cast: Cast) -> None:
    proof = noted(cast)
    for _ in range(5):
        with pytest.raises(ValidationError, match="证件号码不符"):
            confirm_proof(proof.pk, id_number=NUMBER, by=colleague(cast), door=Door())
    with pytest.raises(PermissionDenied, match="重新核验"):
        confirm_proof(proof.pk, id_number=CITIZEN_NUMBER, by=colleague(cast), door=Door())


def test_nobody_of_another_office_or_without_the_duty_confirms(cast: Cast) -> None:
    proof = noted(cast)
    away = register_staff(
        username="clerk9", name="窗口远", organisation=cast.transport, roles=[Role.CLERK], password=PASSWORD
    )
    for user in (away, cast.data_officer, cast.system_admin, cast.security_admin, cast.operator):
        with pytest.raises(PermissionDenied):
            confirm_proof(proof.pk, id_number=CITIZEN_NUMBER, by=user, door=Door())
        page = browser_of(user).post(
            f"{PROOFS}{proof.pk}/change/", {"id_number": CITIZEN_NUMBER, "document_seen": "on"}
        )
        assert page.status_code in (302, 403, 404), user


def test_what_the_second_sends_back_opens_nothing_and_stays_on_record(cast: Cast) -> None:
    proof = noted(cast)
    browser = browser_of(colleague(cast))
    assert (
        "请写明退回理由"
        in browser.post(f"{PROOFS}{proof.pk}/change/", {"deed": "refuse"}, follow=True).content.decode()
    )
    page = browser.post(f"{PROOFS}{proof.pk}/change/", {"deed": "refuse", "reason": "本人不在场"}, follow=True)
    assert "本人不在场" in page.content.decode()
    with pytest.raises(PermissionDenied, match="已退回"):
        confirm_proof(proof.pk, id_number=CITIZEN_NUMBER, by=colleague(cast), door=Door())
    code_from(cast, CITIZEN_NUMBER, "陈小满")
    assert IdentityProof.objects.filter(refusal="本人不在场").exists()
    with pytest.raises(PermissionDenied):
        refuse_proof(noted(cast).pk, reason="自己退回", by=cast.clerk)


ID = "SELECT id FROM accounts_user WHERE username ="
CODE = "code_hash = '\\x00'"
FORGED = {
    "the same hand": f"UPDATE accounts_identityproof SET decided_by_id = clerk_id, {CODE}",
    "somebody without the duty": f"UPDATE accounts_identityproof SET decided_by_id = ({ID} 'data_officer'), {CODE}",
    "a code without a second hand": f"UPDATE accounts_identityproof SET {CODE}",
    "used without a code": "UPDATE accounts_identityproof SET used_at = now(), used_for = 'reset'",
    "another clerk afterwards": f"UPDATE accounts_identityproof SET clerk_id = ({ID} 'clerk2')",
    "another person afterwards": "UPDATE accounts_identityproof SET person_id = (SELECT max(id) FROM accounts_person)",
    "sent back with a code": f"UPDATE accounts_identityproof SET decided_by_id = ({ID} 'clerk2'), refusal = 'x', {CODE}",
    "born with a code": f"""INSERT INTO accounts_identityproof
        (person_id, document, clerk_id, organisation_id, checked_at, expires_at, attempts, code_hash, decided_by_id)
        SELECT person_id, '111', clerk_id, organisation_id, now(), now() + interval '7 days', 0, '\\x00',
               ({ID} 'clerk2') FROM accounts_identityproof""",
    "noted by somebody who is no clerk": """INSERT INTO accounts_identityproof
        (person_id, document, clerk_id, organisation_id, checked_at, expires_at, attempts)
        SELECT o.person_id, '111', d.id, d.organisation_id, now(), now() + interval '7 days', 0
          FROM accounts_user o, accounts_user d WHERE o.username = 'other' AND d.username = 'data_officer'""",
}  # fmt: skip


@pytest.mark.parametrize("how", FORGED)
def test_the_database_knows_no_code_of_one_hand(cast: Cast, how: str) -> None:
    noted(cast)
    colleague(cast)
    with pytest.raises(IntegrityError) as caught, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(FORGED[how])
    assert caught.value.__cause__.diag.constraint_name == "identityproof_takes_two_hands"  # type: ignore[union-attr]


def test_a_code_is_not_moved_to_another_proof_nor_used_twice(cast: Cast) -> None:
    proof = code_from(cast, CITIZEN_NUMBER, "陈小满")
    assert reset(proof.code).status_code == 200
    for change in ({"used_at": None}, {"attempts": 0}, {"code_hash": b"x"}, {"lifts_factors": True}):
        with pytest.raises(IntegrityError), transaction.atomic():
            IdentityProof.objects.filter(pk=proof.proof.pk).update(**change)
    with pytest.raises(IntegrityError), transaction.atomic():
        IdentityProof.objects.filter(pk=proof.proof.pk).delete()


def test_what_has_run_out_gets_no_code_and_its_code_opens_nothing(cast: Cast) -> None:
    now, second = timezone.now(), colleague(cast)

    def proof(checked_at: datetime, expires_at: datetime) -> "QuerySet[IdentityProof]":
        made = IdentityProof.objects.create(
            person=cast.citizen.person, clerk=cast.clerk, organisation=cast.counter, checked_at=checked_at, expires_at=expires_at
        )  # fmt: skip
        return IdentityProof.objects.filter(pk=made.pk)

    over = proof(now - timedelta(days=8), now - timedelta(days=1))
    with pytest.raises(IntegrityError, match="run out"), transaction.atomic():
        over.update(decided_by=second, code_hash=b"x")
    over.delete()
    ends = timezone.now() + timedelta(seconds=1)
    short = proof(now, ends)
    short.update(decided_by=second, code_hash=b"x")
    time.sleep(max(0, (ends - timezone.now()).total_seconds()) + 0.05)
    with pytest.raises(IntegrityError, match="run out"), transaction.atomic():
        short.update(used_at=timezone.now(), used_for="reset")


def test_the_citizen_is_told_of_the_code_and_of_the_new_password(cast: Cast) -> None:
    proof = code_from(cast, CITIZEN_NUMBER, "陈小满")
    assert "窗口发放了您账户的激活码" in browser_of(cast.citizen).get("/me/messages/").content.decode()
    reset(proof.code)
    client = Client()
    password_step(client, "citizen", NEW_PASSWORD)
    said = client.get("/me/messages/").content.decode()
    assert "您的密码已重设" in said
    assert "省政务服务中心" in said
    code = code_from(cast, NUMBER, "周清明").code
    activate(id_number=NUMBER, code=code, username="qingming", password=NEW_PASSWORD)
    client = Client()
    password_step(client, "qingming", NEW_PASSWORD)
    assert "您的账户已开通" in client.get("/me/messages/").content.decode()


def test_who_lost_phone_and_recovery_codes_comes_back_by_the_two_at_the_counter(cast: Cast) -> None:
    Phone(cast.citizen)
    make_recovery_codes(cast.citizen, door=Door())
    card = {"name": "陈小满", "id_number": CITIZEN_NUMBER, "document_seen": "on", "lifts_factors": "on"}
    page = browser_of(cast.clerk).post(f"{PROOFS}add/", card)["Location"]
    second = browser_of(colleague(cast))
    assert "手机和恢复码都不在了" in second.get(page).content.decode()
    slip = second.post(page, {"id_number": CITIZEN_NUMBER, "document_seen": "on"}).content.decode()
    assert cast.citizen.second_factors.count() == 1, "nothing is lifted before the code is used"
    assert reset(slip.split('aria-label="激活码">')[1].split("<")[0]).status_code == 200
    client = Client()
    assert password_step(client, "citizen", NEW_PASSWORD)["Location"] == "/me/"
    assert cast.citizen.recovery_codes.count() == 0
    assert "factor_removed" in events(cast.citizen)
    assert "解除了第二步验证" in client.get("/me/messages/").content.decode()
