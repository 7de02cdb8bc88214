"""Reader for xls (BIFF8 in an OLE container), which WPS also writes as et.

A walk over the records themselves: libraries that read xls give a formula's value without saying that it is one,
and turn every number into a float. An identity number must be refused by what its cell is.
Written after [MS-XLS]; the names of records are those of that document.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Iterator
from functools import partial
from typing import BinaryIO, NamedTuple, NoReturn

import olefile

from .base import Boolean, Cell, ErrorCell, Formula, Limits, Row, Sheet, Table, refuse, refuse_long
from .numbers import BUILT_IN_DATES, Kept, as_number, is_date_format, serial_date
from .sheets import choose, merged_range, note_hidden, refuse_columns, refuse_rows
from .strings import SharedStrings

SAVE_AS_XLSX = "请用 Excel 或 WPS 打开，另存为“Excel 工作簿（*.xlsx）”后上传。"
BIFF8 = 0x0600
BOF, EOF, CONTINUE = 0x0809, 0x000A, 0x003C
FILEPASS, DATE1904, FORMAT, XF, BOUNDSHEET, SST = 0x002F, 0x0022, 0x041E, 0x00E0, 0x0085, 0x00FC
ROW, COLINFO, MERGECELLS = 0x0208, 0x007D, 0x00E5
LABELSST, NUMBER, RK, MULRK, LABEL, RSTRING, BOOLERR = 0x00FD, 0x0203, 0x027E, 0x00BD, 0x0204, 0x00D6, 0x0205
FORMULA, STRING = 0x0006, 0x0207
ERRORS = {0: "#NULL!", 7: "#DIV/0!", 15: "#VALUE!", 23: "#REF!", 29: "#NAME?", 36: "#NUM!", 42: "#N/A"}
MAX_MERGES = 10_000
_HEAD = struct.Struct("<HH")
_CELL = struct.Struct("<HHH")
_DOUBLE = struct.Struct("<d")


def open_xls(stream: BinaryIO, limits: Limits) -> Table:
    """Raises FileRefused. The container's Workbook stream is held in memory: xls ends at 65,536 rows."""
    book = Workbook(_workbook_stream(stream), limits)
    return choose("xls", [SheetReader(book, sheet, start) for sheet, start in book.sheets])


def _damaged(where: str, cause: BaseException | None = None) -> NoReturn:
    refuse("F08", f"xls 工作簿已损坏（{where}）。{SAVE_AS_XLSX}", cause)


def _workbook_stream(stream: BinaryIO) -> bytes:
    stream.seek(0)
    try:
        # A window of its own: olefile closes what it is given.
        with olefile.OleFileIO(io.BytesIO(stream.read())) as container:
            names = {name.lower() for entry in container.listdir(streams=True, storages=True) for name in entry}
            _refuse_others(names)
            return container.openstream("Workbook").read()
    except (OSError, ValueError, LookupError, struct.error, RecursionError, AttributeError, TypeError) as cause:
        _damaged("容器不完整，可能没有传完", cause)


def _refuse_others(names: set[str]) -> None:
    """What else comes in an OLE container."""
    if "encryptedpackage" in names:
        refuse("F03", "工作簿设有打开密码。请在 Excel 或 WPS 中取消密码，保存后重新上传。")
    if "_vba_project_cur" in names or "_vba_project" in names:
        refuse("F09", f"工作簿中含有宏，已拒绝。{SAVE_AS_XLSX}")
    if "workbook" in names:
        return
    if "book" in names:
        refuse("F04", f"这是 Excel 95 或更早的 xls 文件，无法可靠读取。{SAVE_AS_XLSX}")
    if names & {"worddocument", "powerpoint document"}:
        refuse("F07", "这是 Word 或 PowerPoint 文档，不是表格。请上传 xlsx、xls、ods 或 csv 文件。")
    refuse("F07", f"文件里没有工作簿。{SAVE_AS_XLSX}")


class Record(NamedTuple):
    """`pieces`: the record's own bytes and those of the CONTINUE records after it."""

    kind: int
    pieces: list[bytes]

    @property
    def data(self) -> bytes:
        return self.pieces[0]


def records(data: bytes, at: int) -> Iterator[Record]:
    """The records of the substream that begins at a place, those of nested ones (charts) left out."""
    found: Record | None = None
    for kind, piece in _own_records(data, at):
        if kind == CONTINUE and found is not None:
            found.pieces.append(piece)
            continue
        if found is not None:
            yield found
        found = Record(kind, [piece])
    if found is not None:
        yield found


def _own_records(data: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    depth = 0
    while True:
        if at + 4 > len(data):
            _damaged("记录没有结尾")
        kind, size = _HEAD.unpack_from(data, at)
        at += 4 + size
        if at > len(data):
            _damaged("记录不完整")
        depth += (kind == BOF) - (kind == EOF)
        if depth == 0:
            if kind == EOF:
                return
            _damaged("缺少开头")
        if depth == 1 and kind != EOF:
            yield kind, data[at - size : at]


class Text:
    """Reads strings from a record and its continuations: a string cut in two says its width again."""

    def __init__(self, pieces: list[bytes], at: int = 0) -> None:
        self._pieces = pieces
        self._piece = 0
        self._at = at

    def _next_piece(self) -> None:
        self._piece += 1
        self._at = 0
        if self._piece >= len(self._pieces):
            raise EOFError

    def take(self, size: int) -> bytes:
        """Plain bytes, across pieces."""
        taken = b""
        while True:
            piece = self._pieces[self._piece]
            part = piece[self._at : self._at + size - len(taken)]
            self._at += len(part)
            taken += part
            if len(taken) == size:
                return taken
            self._next_piece()

    def string(self, count_size: int = 2) -> str:
        """An XLUnicodeString, or one with rich text and phonetic data, which are left out."""
        count = int.from_bytes(self.take(count_size), "little")
        flags = self.take(1)[0]
        runs = int.from_bytes(self.take(2), "little") if flags & 8 else 0
        extra = int.from_bytes(self.take(4), "little") if flags & 4 else 0
        text = self._characters(count, bool(flags & 1))
        self.take(4 * runs + extra)
        return text

    def _characters(self, count: int, wide: bool) -> str:
        made = b""
        while True:
            piece = self._pieces[self._piece]
            width = 2 if wide else 1
            part = piece[self._at : self._at + count * width]
            part = part[: len(part) // width * width]
            self._at += len(part)
            count -= len(part) // width
            made += part if wide else part.decode("latin-1").encode("utf-16-le")
            if not count:
                return made.decode("utf-16-le", "replace")
            self._next_piece()
            wide = bool(self.take(1)[0] & 1)


class Workbook:
    """The frame of one workbook: its sheets, date system, date styles and shared strings."""

    def __init__(self, data: bytes, limits: Limits) -> None:
        self.data = data
        self.limits = limits
        self.is_1904 = False
        self.sheets: list[tuple[Sheet, int]] = []
        self.strings = SharedStrings()
        self._formats: dict[int, bool] = {}
        self._styles: list[int] = []
        self._version()
        try:
            for record in records(data, 0):
                self._take(record)
        except (struct.error, IndexError, EOFError) as cause:
            _damaged("工作簿目录不完整", cause)
        if not self.sheets:
            refuse("F16", f"工作簿里没有可读取的工作表。{SAVE_AS_XLSX}")
        self.date_styles = {i for i, f in enumerate(self._styles) if self._formats.get(f, f in BUILT_IN_DATES)}

    def _version(self) -> None:
        if len(self.data) < 8 or _HEAD.unpack_from(self.data)[0] != BOF:
            _damaged("缺少开头")
        if int.from_bytes(self.data[4:6], "little") != BIFF8:
            refuse("F04", f"这是 Excel 95 或更早的 xls 文件，无法可靠读取。{SAVE_AS_XLSX}")

    def _take(self, record: Record) -> None:
        kind, data = record.kind, record.data
        if kind == FILEPASS:
            refuse("F03", "工作簿设有密码或写保护。请在 Excel 或 WPS 中取消密码，保存后重新上传。")
        elif kind == DATE1904:
            self.is_1904 = data[0] == 1
        elif kind == FORMAT:
            self._formats[int.from_bytes(data[:2], "little")] = is_date_format(Text(record.pieces, 2).string())
        elif kind == XF:
            self._styles.append(int.from_bytes(data[2:4], "little"))
        elif kind == BOUNDSHEET:
            self._take_sheet(record)
        elif kind == SST:
            self.strings = SharedStrings(self._batches(record))

    def _take_sheet(self, record: Record) -> None:
        start, hidden, kind = struct.unpack_from("<IBB", record.data)
        if kind in (1, 6):
            refuse("F09", f"工作簿中含有宏表或宏模块，已拒绝。{SAVE_AS_XLSX}")
        if kind == 0:
            name = Text(record.pieces, 6).string(count_size=1)
            self.sheets.append((Sheet(name, bool(hidden & 3)), start))

    def _batches(self, record: Record) -> Iterator[list[str]]:
        count = int.from_bytes(record.data[4:8], "little")
        text = Text(record.pieces, 8)
        while count > 0:
            batch = [text.string() for _ in range(min(count, 1000))]
            if max(map(len, batch)) > self.limits.max_cell_chars:
                refuse_long(self.limits)
            count -= len(batch)
            yield batch

    def string(self, index: int) -> str:
        held = self.strings.held
        return held[index] if index < len(held) else self.strings.later(index)


class SheetReader:
    """Rows of one sheet. `rows()` may be called again."""

    def __init__(self, book: Workbook, sheet: Sheet, start: int) -> None:
        self.book = book
        self.sheet = sheet
        self.notes: list[str] = []
        self._start = start
        self._merged: list[str] | None = None
        self._to_number: Callable[[str], Cell] = Kept(as_number).__getitem__
        self._to_date: Callable[[str], Cell] = Kept(partial(serial_date, is_1904=book.is_1904)).__getitem__

    def rows(self) -> Iterator[Row]:
        """(row number, cells) for rows with content, cells up to the last one filled."""
        try:
            yield from self._rows()
        except (struct.error, IndexError, EOFError) as cause:
            _damaged(f"工作表“{self.sheet.name}”不完整", cause)

    def _rows(self) -> Iterator[Row]:
        hidden_rows: set[int] = set()
        self._hidden_columns: list[int] = []
        self._ranges: list[str] = []
        found_hidden: list[int] = []
        cells: dict[int, Cell] = {}
        row = -1
        count = 0
        for at, index, cell in self._cells(hidden_rows):
            if at != row:
                if at < row:
                    _damaged(f"工作表“{self.sheet.name}”第 {row + 1} 行之后出现第 {at + 1} 行")
                if cells:
                    yield row + 1, _in_order(cells)
                row, cells = at, {}
            if cell is None or cell == "" and type(cell) is not Formula:
                continue
            if not cells:
                count += 1
                if count > self.book.limits.max_rows:
                    refuse_rows(self.sheet.name, self.book.limits.max_rows)
                if at in hidden_rows:
                    found_hidden.append(at + 1)
            self._check(index, cell)
            cells[index] = cell
        if cells:
            yield row + 1, _in_order(cells)
        self._merged = self._ranges
        note_hidden(self.notes, found_hidden, sorted(set(self._hidden_columns)))

    def _check(self, index: int, cell: Cell) -> None:
        limits = self.book.limits
        if index >= limits.max_columns:
            refuse_columns(self.sheet.name, index, limits.max_columns)
        if isinstance(cell, str) and len(cell) > limits.max_cell_chars:
            refuse_long(limits, f"工作表“{self.sheet.name}”")

    def _cells(self, hidden_rows: set[int]) -> Iterator[tuple[int, int, Cell]]:
        """(row, column, cell), both from 0. A text that a formula gives stands in the record after it."""
        waiting: tuple[int, int] | None = None
        for record in records(self.book.data, self._start):
            kind, data = record.kind, record.data
            if waiting is not None and kind == STRING:
                yield *waiting, Formula(Text(record.pieces).string())
                waiting = None
                continue
            if waiting is not None and (kind in _READERS or kind == MULRK):
                yield *waiting, Formula("")
                waiting = None
            if kind == FORMULA and data[6] == 0 and data[12:14] == b"\xff\xff":
                waiting = struct.unpack_from("<HH", data)
            elif kind in _READERS:
                row, column, style = _CELL.unpack_from(data)
                yield row, column, _READERS[kind](self, record, style)
            elif kind == MULRK:
                yield from self._several(data)
            elif kind == ROW:
                if data[12] & 0x20:
                    hidden_rows.add(int.from_bytes(data[:2], "little"))
            else:
                self._take_frame(kind, data)
        if waiting is not None:
            yield *waiting, Formula("")

    def _several(self, data: bytes) -> Iterator[tuple[int, int, Cell]]:
        row, first = struct.unpack_from("<HH", data)
        for number in range((len(data) - 6) // 6):
            style, rk = struct.unpack_from("<HI", data, 4 + 6 * number)
            yield row, first + number, self.number(_from_rk(rk), style)

    def _take_frame(self, kind: int, data: bytes) -> None:
        if kind == COLINFO:
            first, last, _, _, flags = struct.unpack_from("<HHHHH", data)
            if flags & 1 and last < self.book.limits.max_columns:  # beyond: the empty space to the right
                self._hidden_columns += range(first, last + 1)
        elif kind == MERGECELLS:
            for number in range(int.from_bytes(data[:2], "little")):
                top, bottom, left, right = struct.unpack_from("<HHHH", data, 2 + 8 * number)
                if len(self._ranges) < MAX_MERGES:
                    self._ranges.append(merged_range(top + 1, bottom + 1, left, right))

    def number(self, value: float, style: int) -> Cell:
        """A number, or a day where the cell's style shows one."""
        return (self._to_date if style in self.book.date_styles else self._to_number)(repr(value))

    def merged(self) -> list[str]:
        """Merged ranges; reads the sheet through when that has not happened yet."""
        if self._merged is None:
            for _ in self.rows():
                pass
        return self._merged or []

    # How each kind of record gives its cell

    def _label_sst(self, record: Record, _style: int) -> Cell:
        return self.book.string(int.from_bytes(record.data[6:10], "little"))

    def _label(self, record: Record, _style: int) -> Cell:
        return Text(record.pieces, 6).string()

    def _number(self, record: Record, style: int) -> Cell:
        return self.number(_DOUBLE.unpack_from(record.data, 6)[0], style)

    def _rk(self, record: Record, style: int) -> Cell:
        return self.number(_from_rk(int.from_bytes(record.data[6:10], "little")), style)

    def _boolerr(self, record: Record, _style: int) -> Cell:
        return _truth_or_error(record.data[6], is_error=bool(record.data[7]))

    def _formula(self, record: Record, style: int) -> Cell:
        data = record.data
        if data[12:14] != b"\xff\xff":
            value = self.number(_DOUBLE.unpack_from(data, 6)[0], style)
        elif data[6] in (1, 2):
            value = _truth_or_error(data[8], is_error=data[6] == 2)
        else:
            value = ""
        return Formula(str(value))


_READERS: dict[int, Callable[[SheetReader, Record, int], Cell]] = {
    LABELSST: SheetReader._label_sst,
    LABEL: SheetReader._label,
    RSTRING: SheetReader._label,
    NUMBER: SheetReader._number,
    RK: SheetReader._rk,
    BOOLERR: SheetReader._boolerr,
    FORMULA: SheetReader._formula,
}


def _from_rk(rk: int) -> float:
    """Thirty bits of an integer or of a double, perhaps a hundredfold."""
    if rk & 2:
        value = float((rk >> 2) - (1 << 30 if rk & 0x80000000 else 0))
    else:
        value = _DOUBLE.unpack(b"\0\0\0\0" + (rk & 0xFFFFFFFC).to_bytes(4, "little"))[0]
    return value / 100 if rk & 1 else value


def _truth_or_error(value: int, *, is_error: bool) -> Cell:
    return ErrorCell(ERRORS.get(value, "#N/A")) if is_error else Boolean("TRUE" if value else "FALSE")


def _in_order(cells: dict[int, Cell]) -> list[Cell]:
    row: list[Cell] = [None] * (max(cells) + 1)
    for index, cell in cells.items():
        row[index] = cell
    return row
