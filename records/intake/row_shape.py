"""Rows of a worksheet taken whole: where cells keep the form of the rows above them, one pattern reads a row at once.

Programs write a column in one form all the way down. The form is learned from rows that were read cell by cell, and a row is
taken only when every cell has it; any other row is read cell by cell. So this decides what is fast, never what is true.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from .base import Cell, column_name
from .plain import as_text

Convert = Callable[[str], Cell]
Form = tuple[str, str]  # what the cell holds, and its attributes
LEARN = 16  # rows that a form is learned from
PATIENCE = 1000  # rows of another form before it is learned anew


class RowShape:
    """The form of a sheet's rows. `columns`: letters → index, `converts`: attributes → how a value is read."""

    def __init__(
        self, prefix: str, columns: Mapping[str, int], converts: Mapping[str, Convert], shared: Convert
    ) -> None:
        self._prefix = re.escape(prefix)
        self._columns, self._convert_for, self._shared = columns, converts, shared
        self._match: Callable[[str, int], re.Match[str] | None] | None = None
        self._converts: list[tuple[int, Convert]] = []
        self._texts: list[int] = []
        self._learn_anew()

    def _learn_anew(self) -> None:
        self._seen: dict[int, Counter[Form]] = {}
        self._to_learn = LEARN
        self._taken = self._missed = 0

    def match(self, chunk: str, position: int) -> re.Match[str] | None:
        """Match a row of that form at a position; its first groups are the row's number and its other attributes."""
        match = self._match(chunk, position) if self._match else None
        self._taken += match is not None
        return match

    def cells(self, match: re.Match[str]) -> list[Cell]:
        """Return the cells of a row that matched, up to the last one filled."""
        cells: list[Cell] = list(match.groups()[2:])
        chunk, (start, end) = match.string, match.span()
        if chunk.find("&", start, end) >= 0 or chunk.find("_x", start, end) >= 0:
            for index in self._texts:
                if (raw := cells[index]) is not None:
                    cells[index] = as_text(raw) or None  # type: ignore[arg-type]
        for index, convert in self._converts:
            if (raw := cells[index]) is not None:
                cells[index] = convert(raw) or None  # type: ignore[arg-type]
        while cells and cells[-1] is None:
            cells.pop()
        return cells

    def learn(self, found: Sequence[tuple[str, ...]]) -> None:
        """Note a row that was read cell by cell (the groups of `xlsx.cell_pattern`); most rows being such, learn anew."""
        if not self._to_learn:
            self._missed += 1
            if self._missed > PATIENCE and self._missed > self._taken:
                self._learn_anew()
            return
        for column, shared, attributes, value, inline, _ in found:
            if shared or value or inline:
                form = "shared" if shared else "value" if value else "text"
                self._seen.setdefault(self._columns[column], Counter())[form, "" if shared else attributes] += 1
        self._to_learn -= 1
        if not self._to_learn:
            self._compile()

    def _compile(self) -> None:
        self._converts, self._texts = [], []
        cells = [self._cell_pattern(index) for index in range(max(self._seen, default=-1) + 1)]
        row = rf'\s*+<{self._prefix}row r="(\d{{1,7}})"((?:\s[^>/]*+)?+)>{"".join(cells)}</{self._prefix}row>'
        self._match = re.compile(row).match if cells else None

    def _cell_pattern(self, index: int) -> str:
        """Return the pattern of a column's cell, which may be empty or missing; it has one group. No part of it is tried twice."""
        if index not in self._seen:
            return "((?!))?"
        tag, end = f"<{self._prefix}", f"</{self._prefix}"
        (form, attributes), _ = self._seen[index].most_common(1)[0]
        if form == "text":
            self._texts.append(index)
            content = rf'{re.escape(attributes)}>{tag}is>{tag}t(?: xml:space="preserve")?+>([^<]++){end}t>{end}is>'
        elif form == "value":
            self._converts.append((index, self._convert_for[attributes]))
            content = rf"{re.escape(attributes)}>{tag}v>([^<]++){end}v>"
        else:
            self._converts.append((index, self._shared))
            content = rf'(?: s="\d++")?+ t="s">{tag}v>(\d++){end}v>'
        return rf'(?:{tag}c r="{column_name(index)}\d{{1,7}}"(?:{content}{end}c>|[^>/]*+/>))?+'
