"""What the calendar does to records: use begins, periods of earlier orders are cut, records expire and are disposed of.

Found in one pass, done in small transactions by functions of the database that look again before they write, leave
locked rows for the next night and write the lines. Killed anywhere, the next run goes on; run twice, nothing happens.
"""

from collections.abc import Callable
from itertools import groupby
from operator import itemgetter

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Organisation
from records import acts
from records.intake import store
from records.models import BatchRow, SealedFile

AT_ONCE = 5_000  # records in a transaction
OLD_ORDER = "令第36号施行前作出的决定，公示期按新旧规定中对当事人更有利的计算（从旧兼从轻）"


def begin_use() -> int:
    """Put records in force whose notice is over."""
    return _each("begin", lambda ids: _count("SELECT records_begin_use(%s)", ids))


def expire() -> int:
    """End the records whose query period is over, whatever their state."""
    return _each("expire", lambda ids: _count("SELECT records_expire(%s)", ids))


def dispose() -> int:
    """Delete, anonymise or archive what expired long enough ago, each with a line of proof; destroy spent files."""
    return _each("dispose", _dispose)


def shorten_periods() -> int:
    """Give records decided under an earlier order the more favourable end, by one act per supplier (domain §2.4)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT provider_id, record_id FROM records_too_long_public()")
        found = cursor.fetchall()
    done = 0
    for provider, rows in groupby(found, key=itemgetter(0)):
        ids = [record for _, record in rows]
        for part in _parts(ids):
            done += _shorten(Organisation.objects.get(pk=provider), part)
    return done


def _shorten(provider: Organisation, ids: list[int]) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT records_numbers_of(%s)", [ids])
        numbers = [number for (number,) in cursor.fetchall()]
    acts.by_the_calendar(numbers, organisation=provider, reason=OLD_ORDER)
    return len(numbers)


def _each(what: str, deed: Callable[[list[int]], int]) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM records_due(%s)", [what])
        ids = sorted(record for (record,) in cursor.fetchall())
    return sum(deed(part) for part in _parts(ids))


def _parts(ids: list[int]) -> list[list[int]]:
    return [ids[at : at + AT_ONCE] for at in range(0, len(ids), AT_ONCE)]


def _count(sql: str, ids: list[int]) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, [ids])
        return cursor.fetchone()[0]


def _dispose(ids: list[int]) -> int:
    ring = settings.FIELD_KEYRING
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT record, digest FROM records_to_dispose(%s)", [ids])
        due = cursor.fetchall()
        proofs = [proof_of(bytes(digest)) for _, digest in due]
        cursor.execute(
            "SELECT * FROM records_dispose(%s::bigint[], %s::bytea[], %s::smallint)",
            [[record for record, _ in due], proofs, ring.indexing],
        )
        touched = [batch for (batch,) in cursor.fetchall()]
    destroy_spent(touched)
    return len(due)


def proof_of(digest: bytes) -> bytes:
    """Return the keyed hash that proves what was deleted: whoever holds a copy and the key can tell, nobody else."""
    return settings.FIELD_KEYRING.index(b"disposal:" + digest)


def destroy_spent(batches: list[int]) -> None:
    """Destroy sealed files, and the staged rows of their batches, of which no record is held any more."""
    for pk in _spent(batches):
        with transaction.atomic():
            file = SealedFile.objects.get(pk=pk)
            store.alone_with(file.sha256)  # whoever sends the same file again now is about to use it
            its_batches = list(file.batches.values_list("pk", flat=True))
            if _spent(its_batches):
                BatchRow.objects.filter(batch_id__in=its_batches).delete()
                file.destroyed_at = timezone.now()
                file.save(update_fields=["destroyed_at"])
                transaction.on_commit(lambda sha256=file.sha256: store.destroy(sha256))  # type: ignore[misc]


def _spent(batches: list[int]) -> list[int]:
    """Return the sealed files of batches of which no record is held any more and that no other batch needs."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM records_spent_files(%s)", [batches])
        return [file for (file,) in cursor.fetchall()]
