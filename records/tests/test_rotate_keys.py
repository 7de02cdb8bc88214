"""A new key is put in front: the site goes on, everything sealed is sealed anew, and nothing is lost on the way."""

from collections.abc import Iterator
from io import BytesIO, StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, connections, transaction
from django.test import override_settings

from access.models import Authority
from accounts.models import Person, SecondFactor
from accounts.second_factors import open_by_code
from accounts.tests.signing import Phone
from creditfujian.lib.crypto import Keyring
from creditfujian.tests.cast import CITIZEN_NUMBER, Cast, make_cast
from records import rotation
from records.intake import store
from records.models import BatchRow
from records.tests.deliveries import as_csv, check, deliver, penalty
from records.tests.grounds import AGENT_NUMBER, approved
from records.tests.life import numbers_of

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "owner"])
NEW = f"7:sm:{'5a' * 32}"


@pytest.fixture
def cast() -> Cast:
    return make_cast()


@pytest.fixture
def new_key(settings: Any) -> Iterator[None]:
    """The new key in front of the one that everything is sealed under."""
    old = settings.FIELD_KEYRING
    ring = Keyring({7: Keyring.parse(NEW).keys[7], **old.keys}, active=7)
    with override_settings(FIELD_KEYRING=ring):
        yield


def rotated(*arguments: str) -> str:
    out = StringIO()
    call_command("rotate_keys", "--database=owner", *arguments, stdout=out, stderr=out)
    return out.getvalue()


def keys_of(what: str) -> set[int]:
    return set(rotation.left(using="owner")[what])


def test_everything_sealed_opens_before_and_after_and_is_under_the_new_key(cast: Cast, settings: Any) -> None:
    deliver(cast, [penalty(cast)])
    waiting = check(cast, as_csv([penalty(cast, 处罚内容="吊销登记证，罚款五万元。")]))
    phone, authority = Phone(cast.data_officer), approved(cast)
    file = store.keep(BytesIO(b"a" * 3_000_000), name="材料.pdf")
    old = settings.FIELD_KEYRING
    with override_settings(FIELD_KEYRING=Keyring({7: Keyring.parse(NEW).keys[7], **old.keys}, active=7)):
        said = rotated()
        assert "自然人的证件号码：换用新密钥" in said
        for what, keys in rotation.left(using="owner").items():
            assert set(keys) <= {7}, what
        assert cast.citizen.person is not None
        assert Person.objects.get(pk=cast.citizen.person_id).id_number() == CITIZEN_NUMBER
        assert Person.objects.holder_of(CITIZEN_NUMBER) == cast.citizen.person
        assert Authority.objects.get(pk=authority.pk).agent().id_number() == AGENT_NUMBER
        with transaction.atomic():
            assert open_by_code(cast.data_officer, phone.code()) is not None
        with store.open_sealed(file) as plain:
            assert plain.read() == b"a" * 3_000_000
        row = BatchRow.objects.filter(batch=waiting, id_cipher__isnull=False).first()
        assert row is not None
        assert row.id_cipher is not None
        assert settings.FIELD_KEYRING.open(bytes(row.id_cipher), about=b"person.id_number").decode() == CITIZEN_NUMBER
    sealed = bytes(Person.objects.get(pk=cast.citizen.person_id).id_cipher)
    with pytest.raises(Exception, match="no key"):
        old.open(sealed, about=b"person.id_number")


def test_stopped_half_way_it_goes_on_and_a_second_run_finds_nothing(
    cast: Cast, new_key: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotation, "AT_ONCE", 1)
    written = rotation._write

    def once(*arguments: Any) -> int:
        monkeypatch.setattr(rotation, "_write", fails)
        return written(*arguments)

    def fails(*_: Any) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(rotation, "_write", once)
    with pytest.raises(KeyboardInterrupt):
        rotated()
    assert len(keys_of("自然人的证件号码")) == 2, "one is done, others are left"
    monkeypatch.setattr(rotation, "_write", written)
    rotated()
    assert keys_of("自然人的证件号码") == {7}
    assert "自然人的证件号码：换用新密钥 0 个" in rotated()


def test_while_keys_change_a_delivery_finds_whom_the_register_knows(cast: Cast, new_key: None) -> None:
    """The number's index stays what it was: nobody becomes a second person under a new key."""
    before = Person.objects.count()
    deliver(cast, [penalty(cast)])
    assert Person.objects.count() == before
    assert len(numbers_of(cast.citizen)) == 1
    rotated()
    deliver(cast, [penalty(cast, 行政处罚决定书文号="闽市监处罚〔2026〕9号")])
    assert Person.objects.count() == before
    assert len(numbers_of(cast.citizen)) == 2


def test_counting_alone_changes_nothing(cast: Cast, new_key: None) -> None:
    before = keys_of("自然人的证件号码")
    assert "密钥 1：" in rotated("--check")
    assert keys_of("自然人的证件号码") == before


def test_what_no_key_opens_is_named_and_left(cast: Cast, new_key: None) -> None:
    Phone(cast.clerk)
    Phone(cast.auditor)
    broken = SecondFactor.objects.get(user=cast.clerk)
    other = SecondFactor.objects.get(user=cast.auditor)
    SecondFactor.objects.filter(pk=broken.pk).update(sealed=b"\x01\x09" + bytes(other.sealed)[2:])
    with pytest.raises(CommandError, match="1 个值打不开"):
        rotated()
    assert keys_of("第二步验证") == {7, 9}


def test_the_application_seals_no_number_anew(cast: Cast) -> None:
    authority = approved(cast)
    for statement in (
        f"UPDATE accounts_person SET id_cipher = '\\x00' WHERE id = {cast.citizen.person_id}",
        f"UPDATE access_authority SET agent_cipher = '\\x00' WHERE id = {authority.pk}",
    ):
        with pytest.raises(DatabaseError, match="only the owner"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    with (
        pytest.raises(DatabaseError),
        transaction.atomic(using="owner"),
        connections["owner"].cursor() as cursor,
    ):
        cursor.execute(
            "UPDATE access_authority SET agent_cipher = '\\x00', agent_name = 'x' WHERE id = %s", [authority.pk]
        )
