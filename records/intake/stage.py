"""Steps 2 and 3: read the sealed file block by block and stage it by COPY, a chunk per transaction.

A chunk's rows and the batch's progress are written together, so a worker that dies goes on after the last chunk.
A second process helps with a big file: `helper`.
"""

import gc
import io
import itertools
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone
from psycopg2 import Error as DriverError

from catalogue.models import Field, Item
from records.intake import check, files, header, helper, lines, schema, store
from records.intake.files import FileRefused
from records.intake.limits import limits_of
from records.models import Batch

CHUNK = 20_000  # rows in a transaction
BLOCK = 200  # rows converted together: their lines fit the pipe to the server, so neither waits
COPY = f"COPY records_batchrow ({lines.COLUMNS}) FROM STDIN"
_SOURCE = re.compile(r"B\d{8}-(\d{6,})#\d+\Z")


@dataclass(frozen=True)
class Reading:
    """What the check needs to know of the reading: the fields that reasons point at."""

    doc_field: str
    name_field: str


def bound_codes(item: Item) -> dict[str, str]:
    """Return which field code feeds which column of the record, for the version in force."""
    version = item.version_on(timezone.localdate())
    assert version is not None
    return {f.binds: f.code for f in version.fields.exclude(binds="")}


def stage(batch: Batch) -> Reading | None:
    """Read and stage the batch's file; return None when it was cancelled on the way. Raises FileRefused."""
    rules = schema.Schema(batch.item, batch.supplier)
    with store.open_sealed(batch.file) as stream:
        table = files.open_table(stream, limits=limits_of(batch))
        head = header.find_header(table, rules.columns())
        _refuse_prohibited_columns(rules, head)
        batch.sheet, batch.notes = "" if table.kind == "csv" else table.sheet_names[:100], _notes(table, head)
        batch.correction_of = batch.correction_of or _origin(batch, table, head)
        batch.save(update_fields=["sheet", "notes", "correction_of"])
        helper.remove_unrecorded(batch)
        if check.staged_rows(batch) != batch.rows_done:  # a crash of the database empties an unlogged table
            helper.start_over(batch)
        rules.origin = batch.correction_of.number if batch.correction_of else None
        convert = _converter(batch.pk, rules.reader(head.columns, head.source_index))
        rows = _data_rows(table, head, after=batch.last_row)
        with ExitStack() as stack:
            second = None
            if helper.is_worth_it(batch):
                second = stack.enter_context(helper.Helper(batch.pk, COPY, convert))
            blocks = _blocks(rows, convert, second)
            while chunk := _Chunk(itertools.islice(blocks, max(1, CHUNK // BLOCK))):
                if not _copy(batch, chunk, second):
                    return None
        batch.notes = [*_notes(table, head), *header.merged_notes(table, head)]  # hidden rows are known only now
        batch.save(update_fields=["notes"])
    return Reading(rules.bound[Field.Binding.DOC_NO], rules.bound[Field.Binding.PERSON_NAME])


def _data_rows(table: files.Table, head: header.Header, *, after: int) -> Iterator[tuple[int, list[Any]]]:
    start = max(head.data_from - 1, after)
    for row_no, cells in table.rows():
        if row_no > start and not header.is_footer(cells):
            yield row_no, cells


class _Block(NamedTuple):
    rows: int
    last_row: int
    data: bytes


def _converter(batch_id: int, read: Callable[[list[list[Any]]], schema.Block]) -> helper.Convert:
    """Return the function that turns rows into lines for COPY."""
    sealer = lines.Sealer()

    def convert(rows: helper.Rows) -> bytes:
        block = read([cells for _, cells in rows])
        return sealer.lines(batch_id, [row_no for row_no, _ in rows], block).encode()

    return convert


def _blocks(
    rows: Iterator[tuple[int, list[Any]]], convert: helper.Convert, second: helper.Helper | None
) -> Iterator[_Block]:
    """Read block by block; one that the second process has time for is converted and staged there."""
    while True:
        with _without_collecting():
            block = list(itertools.islice(rows, min(BLOCK, CHUNK)))
            if not block:
                return
            if second is not None and second.has_time():
                second.send(block)
                data = b""
            else:
                data = convert(block)
        yield _Block(len(block), block[-1][0], data)


@contextmanager
def _without_collecting() -> Iterator[None]:
    """Rows make no cycles; looking for some among a block's many small objects took a fifth of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


class _Chunk(io.RawIOBase):
    """The next blocks as a file that COPY reads: lines are made while the server works on the ones before."""

    def __init__(self, blocks: Iterator[_Block]) -> None:
        self._first = next(blocks, None)
        self._blocks = itertools.chain([self._first], blocks) if self._first else iter(())
        self._left = memoryview(b"")
        self.count = 0
        self.last_row = 0
        self.error: Exception | None = None  # COPY would tell only its text

    def __bool__(self) -> bool:
        return self._first is not None

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        while not self._left and (block := self._next()):
            self.count += block.rows
            self.last_row = block.last_row
            self._left = memoryview(block.data)
        data, self._left = self._left[:size], self._left[size:]
        return bytes(data)

    def _next(self) -> _Block | None:
        try:
            return next(self._blocks, None)
        except Exception as error:
            self.error = error
            raise


def _copy(batch: Batch, chunk: _Chunk, second: helper.Helper | None) -> bool:
    """Write a chunk and the progress in one transaction; return False when somebody cancelled. Raises FileRefused."""
    with transaction.atomic():
        try:
            with connection.cursor() as cursor:
                cursor.copy_expert(COPY, chunk, size=65536)
        except DriverError:  # COPY is the driver's own, and so are its errors
            if chunk.error is not None:
                raise chunk.error from None
            raise
        if second is not None:
            second.commit()
        batch.rows_done += chunk.count
        batch.last_row = chunk.last_row
        batch.save(update_fields=["rows_done", "last_row"])
    return not Batch.objects.filter(pk=batch.pk, cancel_requested=True).exists()


def _refuse_prohibited_columns(rules: schema.Schema, head: header.Header) -> None:
    for _, label in head.unknown:
        if hit := rules.door.find_header(label):
            raise FileRefused("F30", f"表中有“{label}”一列，属禁止归集的{hit.title}。请删去整列后重新上传。")


def _notes(table: files.Table, head: header.Header) -> list[str]:
    notes = table.notes
    if head.unknown:
        names = "、".join(label for _, label in head.unknown)
        notes.append(f"下列列不在目录数据项内，未读取：{names}。")
    if head.row_no > 1:
        notes.append(f"表头在第 {head.row_no} 行，之前的标题行未作数据读取。")
    if table.encoding and table.encoding.lower() not in ("utf-8", "utf-8-sig"):
        notes.append(f"文件编码识别为 {table.encoding.upper()}。")
    return notes


def _origin(batch: Batch, table: files.Table, head: header.Header) -> Batch | None:
    """Return the batch that a correction workbook came from, when it is this supplier's and of this item."""
    if head.source_index is None:
        return None
    for _, cells in _data_rows(table, head, after=0):
        cell = cells[head.source_index] if head.source_index < len(cells) else None
        if match := _SOURCE.match(str(cell or "").strip()):
            of_ours = Batch.objects.filter(pk=int(match.group(1)), item=batch.item, supplier=batch.supplier)
            return of_ours.filter(
                Q(state=Batch.State.COMMITTED) | Q(state=Batch.State.CHECKED, open_rows__gt=0)
            ).first()
    return None
