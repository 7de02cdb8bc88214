"""A row's cells as bytes and back: equal cells make equal bytes, different ones, None and "" among them, different bytes.

By this a row goes to the second process, and by this it has its print.
"""

from collections.abc import Callable
from datetime import date, datetime
from marshal import dumps, loads
from typing import Any, NamedTuple

from records.intake.base import Boolean, ErrorCell, Formula, Number, Table
from records.intake.numbers import Kept

Cells = list[Any]
_VERSION = 2  # of the format: texts are written as they are, whether they were met before or not


class Packing(NamedTuple):
    """How cells become bytes and bytes cells again."""

    pack: Callable[[Cells], bytes]
    unpack: Callable[[bytes], Cells]


def packing_of(table: Table) -> Packing:
    """Return how the rows of a table are packed: a text file has no cells but texts and empty ones."""
    return _TEXTS if table.kind == "csv" else _ANY


def _pack(cells: Cells) -> bytes:
    named = [cell if cell is None or type(cell) is str else _NAMED[type(cell)](cell) for cell in cells]
    return dumps(named, _VERSION)


def _unpack(data: bytes) -> Cells:
    return [cell if cell is None or type(cell) is str else _CELLS[cell] for cell in loads(data)]  # noqa: S302 – we packed it


# What stands for a cell that is no text: something that no text is, and no other kind of cell.
_NAMED: dict[type, Callable[[Any], Any]] = {
    date: date.toordinal, Number: str.encode, Boolean: lambda cell: ("Boolean", str(cell)),
    ErrorCell: lambda cell: ("ErrorCell", str(cell)), Formula: lambda cell: ("Formula", str(cell), cell.expression),
    datetime: lambda cell: ("datetime", cell.isoformat()),
}  # fmt: skip
_KINDS: dict[str, Callable[..., Any]] = {
    "Boolean": Boolean, "ErrorCell": ErrorCell, "Formula": Formula, "datetime": datetime.fromisoformat,
}  # fmt: skip


def _cell(named: Any) -> Any:
    if type(named) is int:
        return date.fromordinal(named)
    if type(named) is bytes:
        return Number(named.decode())
    kind, *rest = named
    return _KINDS[kind](*rest)


_CELLS = Kept(_cell)  # days and amounts repeat
_ANY = Packing(_pack, _unpack)
_TEXTS = Packing(lambda cells: dumps(cells, _VERSION), loads)
