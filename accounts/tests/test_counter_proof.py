"""A citizen proves who they are at the counter and opens an account."""

from datetime import date, timedelta

import pytest
import time_machine
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from accounts.actions import activate, prove_identity
from accounts.models import IdentityProof, Person, User
from creditfujian.lib import identity
from creditfujian.tests.cast import CITIZEN_NUMBER, PASSWORD, Cast

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


def test_whoever_has_an_account_is_sent_to_sign_in(cast: Cast) -> None:
    with pytest.raises(ValidationError, match="已开通账户"):
        prove_identity(id_number=CITIZEN_NUMBER, name="陈小满", by=cast.clerk)


def test_only_a_clerk_proves_identities(cast: Cast) -> None:
    for user in (cast.data_officer, cast.operator, cast.system_admin, cast.citizen):
        with pytest.raises(PermissionDenied):
            prove_identity(id_number=NUMBER, name="周清明", by=user)


def test_a_weak_password_is_refused_and_the_code_stays_good(cast: Cast) -> None:
    proof = prove_identity(id_number=NUMBER, name="周清明", by=cast.clerk)
    with pytest.raises(ValidationError):
        activate(id_number=NUMBER, code=proof.code, username="weak", password="12345678")
    assert activate(id_number=NUMBER, code=proof.code, username="weak", password=PASSWORD)
