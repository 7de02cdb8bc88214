"""What is sealed cannot be checked by the database, so each night it is opened and checked by us.

Intake refuses a wrong number and a minor; whoever writes past it, straight into the tables, is found here. A record of
an unsound person is shown to nobody until an official has dealt with it.
"""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from accounts import people
from accounts.models import ID_ABOUT
from creditfujian.lib import identity
from creditfujian.lib.crypto import SealBroken
from records.soundness_models import Unsound

_WRITTEN = """
SELECT w.person_id, w.record_id, w.acted_on, p.id_cipher, p.id_index
  FROM records_written_since(%s) w JOIN accounts_person p ON p.id = w.person_id
"""


def check_sealed(day: date) -> int:
    """Check number, index and age behind everything written since the day before; return how many are newly unsound.

    Rules: GB 11643 (number), Order 36 and the definition of 自然人信用主体 (of age on the day of the act).
    """
    since = timezone.make_aware(datetime.combine(day - timedelta(days=1), time()))
    with people.everybody("what is sealed is opened and checked"):
        found = [
            Unsound(person_id=person, record_id=record, fault=fault)
            for person, record, acted_on, cipher, index in _written(since)
            if (fault := _fault(bytes(cipher), bytes(index), acted_on, day))
        ]
    before = Unsound.objects.count()
    Unsound.objects.bulk_create(found, ignore_conflicts=True)
    return Unsound.objects.count() - before


def _written(since: datetime) -> Iterator[tuple[int, int, date, memoryview, memoryview]]:
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        cursor.execute(_WRITTEN, [since])
        yield from cursor


def _fault(cipher: bytes, index: bytes, acted_on: date, today: date) -> str:
    """Return what is wrong with a sealed number, or an empty string."""
    ring = settings.FIELD_KEYRING
    try:
        number = ring.open(cipher, about=ID_ABOUT)
    except SealBroken:
        return Unsound.Fault.SEAL
    if index not in ring.indexes(number):
        return Unsound.Fault.INDEX
    text = number.decode(errors="replace")
    if identity.problem(text, today=today, allow_demo=settings.DEMO):
        return Unsound.Fault.NUMBER
    return "" if identity.is_adult(text, acted_on) else Unsound.Fault.MINOR
