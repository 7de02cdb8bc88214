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
from django.db import connection
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
"""


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
