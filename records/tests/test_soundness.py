"""Whoever writes past intake straight into the tables is found in the night, and what they wrote is shown to nobody."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from access.actions import Asker
from accounts.models import ID_ABOUT, Person
from creditfujian.lib import identity
from creditfujian.tests.cast import CITIZEN_NUMBER, Cast
from records import actions
from records.models import Batch, BatchRow
from records.reading import own_file, public_records
from records.soundness import check_sealed
from records.soundness_models import Unsound
from records.tests.deliveries import as_csv, check, decided, deliver, penalty
from records.tests.life import themselves

WRONG = CITIZEN_NUMBER[:-1] + "0"
YOUNG = identity.invent(decided(365 * 17), 3)


def written_past_intake(cast: Cast, number: str, *, index_of: str = "") -> Batch:
    """Change a checked row by SQL, as somebody with the application's password could, and let it be committed."""
    batch = check(cast, as_csv([penalty(cast, 行政相对人名称="林小寒", 证件号码=identity.invent(decided(9999), 7))]))
    forged = Person.seal(number, "林小寒")
    index = settings.FIELD_KEYRING.index((index_of or number).encode())
    BatchRow.objects.filter(batch=batch).update(id_cipher=forged.id_cipher, id_index=index)
    return actions.commit_now(batch.pk, by=cast.data_reviewer)


@pytest.mark.parametrize(
    ("number", "index_of", "fault"),
    [
        (WRONG, "", "number"),
        (YOUNG, "", "minor"),
        (identity.invent(decided(9999), 9), CITIZEN_NUMBER[:17] + "9", "index"),
    ],
)
def test_a_wrong_number_or_a_minor_written_by_sql_is_found_and_hidden(
    cast: Cast, number: str, index_of: str, fault: str
) -> None:
    deliver(cast, [penalty(cast)])
    written_past_intake(cast, number, index_of=index_of)
    person = Person.objects.order_by("pk").last()
    today = timezone.localdate()
    assert person is not None
    assert len(own_file(person, by=themselves(person)).records) == 1
    assert check_sealed(today) == 1
    assert list(Unsound.objects.values_list("person", "fault")) == [(person.pk, fault)]
    assert own_file(person, by=themselves(person)).records == []
    assert check_sealed(today) == 0


def test_a_seal_that_cannot_be_opened_is_found(cast: Cast) -> None:
    batch = check(cast, as_csv([penalty(cast, 行政相对人名称="林小寒", 证件号码=identity.invent(decided(9999), 7))]))
    other_use = settings.FIELD_KEYRING.seal(CITIZEN_NUMBER.encode(), about=b"something else")
    assert ID_ABOUT != b"something else"
    BatchRow.objects.filter(batch=batch).update(id_cipher=other_use)
    actions.commit_now(batch.pk, by=cast.data_reviewer)
    assert check_sealed(timezone.localdate()) == 1
    assert Unsound.objects.get().fault == Unsound.Fault.SEAL


def test_sound_records_stay_where_they_are(cast: Cast) -> None:
    deliver(cast, [penalty(cast)])
    assert check_sealed(timezone.localdate()) == 0
    assert check_sealed(timezone.localdate() + timedelta(days=2)) == 0
    assert len(public_records(name="陈小满", id_number=CITIZEN_NUMBER, by=Asker(None, "公示网站")).records) == 1


@pytest.mark.parametrize("deed", ["DELETE FROM records_unsound", "UPDATE records_unsound SET fault = 'seal'"])
def test_what_was_found_cannot_be_taken_back(cast: Cast, deed: str) -> None:
    with connection.cursor() as cursor, pytest.raises(DatabaseError, match="denied"), transaction.atomic():
        cursor.execute(deed)
