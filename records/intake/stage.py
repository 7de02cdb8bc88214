"""Steps 2 and 3: read the sealed file block by block and stage it by COPY, a chunk per transaction.

A chunk's rows and the batch's progress are written together, so a worker that dies goes on after the last chunk.
A second process helps with a big file: `helper`.
"""

import gc
import io
import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from django.db import connection, transaction
from django.utils import timezone
from psycopg2 import Error as DriverError

from catalogue.models import Field, Item
from records.intake import check, files, header, helper, lines, mapped, merged, prints, schema, store
from records.intake.base import FileRefused
from records.intake.limits import limits_of
from records.intake.origins import origins_of
from records.intake.packing import Packing, packing_of
from records.models import Batch

CHUNK = 20_000  # rows in a transaction
T = TypeVar("T")
BLOCK = 200  # rows converted together: their lines fit the pipe to the server, so neither waits
COPY = f"COPY records_batchrow ({lines.COLUMNS}) FROM STDIN"


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
    """Read and stage the batch's file; return None when it was cancelled on the way.

    Raises MappingNeeded when a person must say what the columns are, FileRefused.
    """
    rules = schema.Schema(batch.item, batch.supplier)
    with store.open_sealed(batch.file) as stream:
        table = files.open_table(stream, limits=limits_of(batch))
        head = mapped.header_of(batch, table, rules)
        mapped.refuse_prohibited(rules.door, [str(cell) for cell in head.cells if cell is not None])
        came_from = origins_of(batch, data_rows(table, head), head.source_index)
        batch.sheet, batch.notes = (
            "" if table.kind in ("csv", "jsonl") else table.sheet_names[:100],
            [*_notes(batch, table, head), *came_from.notes],
        )
        batch.correction_of = batch.correction_of or came_from.first
        batch.save(update_fields=["sheet", "notes", "correction_of", "mapping"])
        helper.remove_unrecorded(batch)
        if check.staged_rows(batch) != batch.rows_done:  # a crash of the database empties an unlogged table
            helper.start_over(batch)
        rules.sources = came_from.sources
        convert = _converter(batch.pk, rules.reader(head.columns, head.source_index))
        print_of = prints.printer_of(rules, head.columns, head.source_index)
        packing = packing_of(table)
        rows = data_rows(table, head, after=batch.last_row)
        with ExitStack() as stack:
            second = None
            if helper.is_worth_it(batch):
                second = stack.enter_context(helper.Helper(batch.pk, COPY, convert, packing.unpack))
            # Loaded after the helper was split off: it has no use for them.
            known = prints.load(batch) if print_of and batch.channel not in Batch.TYPED else None  # typed is read again
            blocks = _blocks(rows, convert, _Packer(batch.pk, packing, print_of, known), second)
            while chunk := _Chunk(itertools.islice(blocks, max(1, CHUNK // BLOCK))):
                if not _copy(batch, chunk, second):
                    return None
        # Hidden rows are known only now.
        batch.notes = [*_notes(batch, table, head), *header.merged_notes(table, head), *came_from.notes]
        batch.save(update_fields=["notes"])
    return Reading(rules.bound[Field.Binding.DOC_NO], rules.bound[Field.Binding.PERSON_NAME])


def stand_by_prints(batch: Batch) -> bool:
    """Stage in full the rows known by their print of which the register, or another row, says something else now.

    Merged numbers are followed on the way. Tells whether there were such rows. Runs inside the batch's own transaction,
    after `check.work_on`. Raises FileRefused when the file cannot be read as it was.
    """
    merged.follow_merges(batch)
    again = False
    while (found := prints.stand(batch)).told or found.unread:
        if found.unread:
            _read_again(batch, found.unread)
        merged.follow_merges(batch)
        again = True
    return again


def _read_again(batch: Batch, row_nos: list[int]) -> None:
    """Convert some rows of the file that were staged by their print."""
    rules, wanted = schema.Schema(batch.item, batch.supplier), frozenset(row_nos)
    with store.open_sealed(batch.file) as stream, connection.cursor() as cursor:
        table = files.open_table(stream, limits=limits_of(batch))
        head = mapped.header_of_read(batch, table, rules)
        convert = _converter(batch.pk, rules.reader(head.columns, head.source_index))
        print_of = prints.printer_of(rules, head.columns, head.source_index)
        packer = _Packer(batch.pk, packing_of(table), print_of, None)
        cursor.execute("DELETE FROM records_batchrow WHERE batch_id = %s AND row_no = ANY (%s)", [batch.pk, row_nos])
        rows = (row for row in data_rows(table, head) if row[0] in wanted)
        chunk = _Chunk(_blocks(rows, convert, packer))
        cursor.copy_expert(COPY, chunk, size=65536)
        if chunk.count != len(wanted):
            raise FileRefused("F17", "表头的读法已经变化，须重新读取文件。")


def data_rows(table: files.Table, head: header.Header, *, after: int = 0) -> Iterator[tuple[int, list[Any]]]:
    """Yield the rows that hold data, by number, those after `after`: no header, no notes under it, no footer."""
    start = max(head.data_from - 1, after)
    for row_no, cells in table.rows():
        if row_no > start and (table.exact or not header.is_footer(cells)):
            yield row_no, cells


class _Block(NamedTuple):
    rows: int
    last_row: int
    data: bytes


def _converter(batch_id: int, read: Callable[[list[list[Any]]], schema.Block]) -> helper.Convert:
    """Return the function that turns rows into lines for COPY."""
    sealer = lines.Sealer()

    def convert(rows: helper.Rows, made: helper.Prints) -> bytes:
        block = read([cells for _, cells in rows])
        return sealer.lines(batch_id, [row_no for row_no, _ in rows], block, made).encode()

    return convert


class _Packer:
    """Packs the rows of a block, makes their prints and takes out those that are known by them."""

    def __init__(
        self, batch_id: int, packing: Packing, print_of: prints.Print | None, known: prints.Known | None
    ) -> None:
        self._batch_id, self._pack, self._print_of, self._known = batch_id, packing.pack, print_of, known

    def split(self, block: helper.Rows) -> tuple[bytes, helper.Rows, helper.Packed]:
        """Return the lines of the known rows, the other rows, and these packed with their prints."""
        row_nos = [row_no for row_no, _ in block]
        packed = [self._pack(cells) for _, cells in block]
        if self._print_of is None:
            return b"", block, helper.Packed(row_nos, packed, None)
        made = list(map(self._print_of, packed))
        known = self._known.split(made) if self._known is not None else []
        if not any(known):
            return b"", block, helper.Packed(row_nos, packed, made)
        others = [not one for one in known]
        data = lines.lines_by_print(self._batch_id, _those(row_nos, known), _those(made, known)).encode()
        left = helper.Packed(_those(row_nos, others), _those(packed, others), _those(made, others))
        return data, _those(block, others), left


def _those(of: list[T], chosen: list[bool]) -> list[T]:
    return list(itertools.compress(of, chosen))


def _blocks(
    rows: Iterator[tuple[int, list[Any]]], convert: helper.Convert, packer: _Packer, second: helper.Helper | None = None
) -> Iterator[_Block]:
    """Read block by block; one that the second process has time for is converted and staged there."""
    while True:
        with _without_collecting():
            block = list(itertools.islice(rows, min(BLOCK, CHUNK)))
            if not block:
                return
            data, left, packed = packer.split(block)
            if left and second is not None and second.has_time():
                second.send(packed)
            elif left:
                data += convert(left, packed.prints)
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


def _notes(batch: Batch, table: files.Table, head: header.Header) -> list[str]:
    notes = table.notes
    if batch.mapping:
        notes.append(f"按已保存的列对应“{batch.mapping.name}”读取。")
    if head.unknown:
        names = "、".join(label for _, label in head.unknown)
        notes.append(f"下列列不在目录数据项内，未读取：{names}。")
    if head.row_no > 1:
        notes.append(f"表头在第 {head.row_no} 行，之前的标题行未作数据读取。")
    if table.encoding and table.encoding.lower() not in ("utf-8", "utf-8-sig"):
        notes.append(f"文件编码识别为 {table.encoding.upper()}。")
    return notes
