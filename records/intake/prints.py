"""What a row that was taken in before is known by, so that the same row sent again is not converted once more.

A print is 16 keyed bytes over a row's cells as read and over everything that decides what becomes of them: columns, fields,
code sets, item versions, periods, prohibited words, and the code itself. It is kept with the record that the row made, and
only where reading the row again could say nothing else: not with a hint, not in a correction. What can change with the day
or the register is asked when the prints are loaded and again when the batch is checked (`records_standing_prints`).
"""

import io
import sys
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from pathlib import Path
from struct import Struct
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Model

import creditfujian.lib
from catalogue import models, prohibited, rules
from records import periods
from records.intake.schema import Schema
from records.models import Batch

Print = Callable[[bytes], bytes]  # of packed cells: see `packing`

MOST = 4_000_000  # prints that are loaded; a supplier with more records of an item does without
BYTES_A_ROW = 40  # of a file, at least: prints that could not all be met are not worth loading
_STANDING = "COPY (SELECT row_print FROM records_standing_prints({}) LIMIT {}) TO STDOUT (FORMAT binary)"
_TUPLE = Struct(">hiQQ")  # of the binary format: one column, its length, the print
_HEAD = 19


def printer_of(schema: Schema, mapping: Mapping[int, str], source_index: int | None) -> Print | None:
    """Return what makes a row's print of its packed cells; None where rows have none: each row of a correction is read."""
    if source_index is not None:
        return None
    return settings.FIELD_KEYRING.printer(rules_digest(schema, mapping))


def rules_digest(schema: Schema, mapping: Mapping[int, str]) -> bytes:
    """Return 32 bytes over everything but the cells and the day that decides what becomes of a row."""
    parts: list[Any] = [
        _code_digest(), sys.version, settings.DEMO, schema.supplier.uscc, schema.item_id, schema.negative, sorted(mapping.items()),
        sorted(schema.basis_days.items()), *map(_said, schema.fields), *map(_said, schema.door.categories),
        *map(_said, schema.old_orders.periods), sorted(schema.now_longest.items()),
    ]  # fmt: skip
    for item_field in schema.fields:
        if item_field.code_set is not None:
            parts += map(_said, item_field.code_set.values.all())
    for version in schema.versions:
        parts += [_said(version), *map(_said, version.periods.all())]
    return blake2b("\n".join(map(repr, parts)).encode(), digest_size=32).digest()


def _said(row: Model) -> list[Any]:
    """Return a row of the catalogue with all its columns: whichever of them decides, a change of it is noticed."""
    return [getattr(row, column.attname) for column in row._meta.concrete_fields]


@cache
def _code_digest() -> bytes:
    """Return a digest of the code that reads rows: a release may read the same cells otherwise."""
    files = [Path(module.__file__ or "") for module in (models, prohibited, rules, periods)]
    for folder in (Path(__file__).parent, Path(creditfujian.lib.__file__).parent):
        files += sorted(folder.glob("*.py"))
    whole = blake2b(digest_size=32)
    for path in files:
        whole.update(path.read_bytes())
    return whole.digest()


class Known:
    """Which prints are known, in four bytes each: what is not is found out by the check, which joins whole prints."""

    def __init__(self, most: int) -> None:
        self.count = 0
        size = 1 << (2 * most).bit_length()  # at most half of it is taken, so that a search is short
        self._slots = array("I", [0]) * size
        self._mask = size - 1

    def add(self, prints: Iterable[tuple[int, int]]) -> None:
        """Add prints, each as its two halves."""
        slots, mask = self._slots, self._mask
        for high, low in prints:
            at = high & mask
            while slots[at]:
                at = (at + 1) & mask
            slots[at] = low & 0xFFFFFFFF or 1
            self.count += 1

    def split(self, prints: Sequence[bytes]) -> list[bool]:
        """Tell of each print whether it is known."""
        slots, mask, found = self._slots, self._mask, []
        for one in prints:
            at = int.from_bytes(one[:8], "big") & mask
            tag = int.from_bytes(one[12:], "big") or 1
            while (held := slots[at]) and held != tag:
                at = (at + 1) & mask
            found.append(held != 0)
        return found


class _Loading(io.RawIOBase):
    """Takes the answer of COPY as it comes."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self._left = b""
        self._skip = _HEAD

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        whole = self._left + bytes(data)
        begin = min(self._skip, len(whole))
        self._skip -= begin
        end = begin + (len(whole) - begin) // _TUPLE.size * _TUPLE.size
        self._known.add((high, low) for _, _, high, low in _TUPLE.iter_unpack(whole[begin:end]))
        self._left = whole[end:]
        return len(data)


def load(batch: Batch) -> Known | None:
    """Return the prints by which the batch's rows may be known; None when there are none, or too many for this file."""
    most = min(MOST, batch.file.size // BYTES_A_ROW + 1)
    known = Known(most + 1)
    with connection.cursor() as cursor:
        cursor.copy_expert(_STANDING.format(int(batch.pk), most + 1), _Loading(known))
    return known if 0 < known.count <= most else None


@dataclass(frozen=True)
class Stands:
    """Which rows staged by their print do not stand by it: `told` by the register, `unread` of which nothing is known."""

    told: int
    unread: list[int]


_HOW_MANY = """
SELECT count(*) FILTER (WHERE outcome = 3 AND id_index IS NULL), count(*) FILTER (WHERE outcome <> 9 AND id_index IS NOT NULL)
  FROM records_batchrow WHERE batch_id = %(batch)s
"""
# Where the file says the same document twice, which row counts is a question of the rows and not of the register: they
# are staged in full after all. The record says what they say, for they are what made it.
_TELL = """
WITH known AS MATERIALIZED (
    SELECT r.row_no, s.record_id FROM records_batchrow r JOIN records_standing_prints(%(batch)s) s ON s.row_print = r.row_print
     WHERE r.batch_id = %(batch)s AND r.outcome = 3 AND r.id_index IS NULL
), twice AS (
    SELECT record_id FROM known GROUP BY record_id HAVING count(*) > 1
    UNION SELECT k.id FROM records_batchrow r JOIN accounts_person p ON p.id_index = r.id_index
      JOIN records_record k ON k.person_id = p.id AND k.item_id = %(item)s AND k.doc_no = r.doc_no AND k.decider_uscc = r.decider_uscc
     WHERE %(beside)s AND r.batch_id = %(batch)s AND r.outcome <> 9 AND k.row_print IS NOT NULL
)
UPDATE records_batchrow r
   SET outcome = 1, item_version_id = v.item_version_id, doc_date = v.doc_date, severity = v.severity, publication = v.publication,
       query_until = v.query_until, name = v.name, id_index = p.id_index, id_cipher = p.id_cipher, doc_no = k.doc_no,
       decider_uscc = k.decider_uscc, content = v.content, content_hash = v.content_hash
  FROM known JOIN twice ON twice.record_id = known.record_id
  JOIN records_record k ON k.id = known.record_id JOIN accounts_person p ON p.id = k.person_id
  JOIN records_recordversion v ON v.record_id = k.id AND v.version = k.version
 WHERE r.batch_id = %(batch)s AND r.row_no = known.row_no
"""
_UNREAD = """
SELECT r.row_no FROM records_batchrow r
 WHERE r.batch_id = %(batch)s AND r.outcome = 3 AND r.id_index IS NULL
   AND NOT EXISTS (SELECT 1 FROM records_standing_prints(%(batch)s) s WHERE s.row_print = r.row_print)
 ORDER BY 1
"""


def stand(batch: Batch) -> Stands:
    """Compare the rows staged by their print with the register and with the other rows; in the batch's own transaction."""
    values: dict[str, int | bool] = {"batch": batch.pk, "item": batch.item_id}
    with connection.cursor() as cursor:
        cursor.execute(_HOW_MANY, values)
        by_print, beside = cursor.fetchone()
        if not by_print:
            return Stands(0, [])
        values["beside"] = beside > 0
        cursor.execute(_UNREAD, values)
        unread = [row_no for (row_no,) in cursor.fetchall()]
        cursor.execute(_TELL, values)
        return Stands(cursor.rowcount, unread)
