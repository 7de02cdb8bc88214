"""What is left of sealed files whose transaction never ended: found each night and destroyed.

A file is written before its row is committed, so that a row never stands without its file. Whoever rolls back, or dies,
leaves the file; it holds what nobody asked to keep.
"""

import logging
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from records.intake import store
from records.models import SealedFile

REST = 24 * 3600  # seconds: far longer than any transaction, so that nothing under way is taken for left behind
AT_ONCE = 1_000
DOUBTFUL = 100  # so many strangers, and more of them than of ours, are no leftovers: the folder is not this database's

log = logging.getLogger("creditfujian.records")

_UNUSED = """
SELECT f.id FROM records_sealedfile f
 WHERE f.created_at < %s AND NOT EXISTS (SELECT 1 FROM records_batch b WHERE b.file_id = f.id)
   AND NOT EXISTS (SELECT 1 FROM records_export e WHERE e.file_id = f.id)
   AND NOT EXISTS (SELECT 1 FROM records_reportfile r WHERE r.file_id = f.id)
   AND NOT EXISTS (SELECT 1 FROM records_consentpaper p WHERE p.file_id = f.id)
   AND NOT EXISTS (SELECT 1 FROM records_groundpaper p WHERE p.file_id = f.id)
"""


# Of what never went in nothing is held any more once its rows are cleared. What did go in ends with its records (records.life).
_ENDED = """
SELECT f.id FROM records_sealedfile f JOIN records_batch b ON b.file_id = f.id
 WHERE f.destroyed_at IS NULL AND f.id = ANY (coalesce(%(among)s::bigint[], ARRAY[f.id]))
   AND NOT EXISTS (SELECT 1 FROM records_export e WHERE e.file_id = f.id)
   AND NOT EXISTS (SELECT 1 FROM records_reportfile r WHERE r.file_id = f.id)
 GROUP BY f.id HAVING bool_and(b.state IN ('cancelled', 'refused') AND b.cleared_at IS NOT NULL)
"""


def destroy_ended() -> int:
    """Destroy the sealed files of batches that never went in and are cleared; return how many."""
    count = 0
    for pk in _ended(None):
        with transaction.atomic():
            file = SealedFile.objects.get(pk=pk)
            store.alone_with(file.sha256)  # whoever sends the same file again now is about to use it
            if _ended([pk]):
                file.destroyed_at = timezone.now()
                file.save(update_fields=["destroyed_at"])
                transaction.on_commit(lambda sha256=file.sha256: store.destroy(sha256))  # type: ignore[misc]
                count += 1
    return count


def _ended(among: list[int] | None) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(_ENDED, {"among": among})
        return [pk for (pk,) in cursor.fetchall()]


def sweep_files() -> int:
    """Destroy sealed files that no row knows, rows that nothing uses, and half-written files; return how many."""
    with connection.cursor() as cursor:
        cursor.execute(_UNUSED, [timezone.now() - timedelta(seconds=REST)])
        unused = [pk for (pk,) in cursor.fetchall()]
    for file in SealedFile.objects.filter(pk__in=unused):
        store.forget(file)
    known, unknown, part = 0, list[Path](), list[Path]()
    for path in (*_resting(), None):
        part += [path] if path else []
        if len(part) == AT_ONCE or path is None:
            strange = _unknown(part)
            known, unknown, part = known + len(part) - len(strange), unknown + strange, []
    if len(unknown) > max(DOUBTFUL, known):
        log.error("%s sealed files belong to no row, %s to one: is MEDIA_ROOT another database's? None touched.",
                  len(unknown), known)  # fmt: skip
        return len(unused)
    for path in unknown:
        if len(path.name) == 64:
            store.destroy(path.name)
        else:
            path.unlink(missing_ok=True)  # half written: it never got its name
    return len(unused) + len(unknown)


def _resting() -> Iterator[Path]:
    """Yield the files that have not been touched for long: sealed ones by their digest, and what was half written."""
    before = time.time() - REST
    for path in (Path(settings.MEDIA_ROOT) / "sealed").rglob("*"):
        try:
            if path.is_file() and path.stat().st_mtime < before:
                yield path
        except FileNotFoundError:
            continue  # gone meanwhile


def _unknown(paths: list[Path]) -> list[Path]:
    """Return those of the files that no row knows."""
    kept = SealedFile.objects.filter(sha256__in=[path.name for path in paths], destroyed_at=None)
    known = set(kept.values_list("sha256", flat=True))
    return [path for path in paths if path.name not in known]
