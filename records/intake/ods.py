"""Streaming reader for ods (OpenDocument 1.2 and 1.3), as LibreOffice, WPS and Excel write it.

Days are stored as ISO texts, so the document's null date (1899, 1900 or 1904) moves nothing.
Empty rows and cells repeat by a number, often to the end of the sheet: they are counted, never made.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime

from lxml import etree

from .base import Boolean, Cell, ErrorCell, Formula, Limits, Row, Sheet, Table, refuse, refuse_long
from .numbers import as_number
from .parts import Package, damaged, forget, stream_events
from .sheets import choose, merged_range, note_hidden, refuse_columns, refuse_rows

NS = "{urn:oasis:names:tc:opendocument:xmlns:%s:1.0}"
OFFICE, TABLE, TEXT, STYLE = (NS % name for name in ("office", "table", "text", "style"))
CALCEXT = "{urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0}"
ERROR_TEXTS = frozenset({"#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A"})
CELLS = (f"{TABLE}table-cell", f"{TABLE}covered-table-cell")
NO_TEXT = (f"{OFFICE}annotation", f"{TEXT}note", f"{TEXT}ruby-text")
SPREADSHEET = "application/vnd.oasis.opendocument.spreadsheet"
BLANKS = re.compile("[ \t\r\n]+")  # as XML lays them out; those that count are elements of their own
MAX_REPEAT = 1 << 24
MAX_MERGES = 10_000
SAVE_AS_XLSX = "请用 WPS 或 LibreOffice 打开，另存为 xlsx 文件后重新上传。"


def open_ods(package: Package, limits: Limits) -> Table:
    """Raises FileRefused. Reads the content through once, to know its sheets."""
    names = package.names()
    if any(name.startswith(("basic/", "scripts/")) and not name.endswith("/") for name in names):
        refuse("F09", f"表格中含有宏，已拒绝。{SAVE_AS_XLSX}")
    _refuse_encrypted(package)
    sheets = Content(package).sheets()
    if not sheets:
        refuse("F07", f"这是 OpenDocument 文档，但里面没有工作表。{SAVE_AS_XLSX}")
    return choose("ods", [SheetReader(package, limits, number, sheet) for number, sheet in enumerate(sheets)])


def _refuse_encrypted(package: Package) -> None:
    manifest = "META-INF/manifest.xml"
    if "encrypted-package" in package:
        refuse("F03", "表格设有打开密码。请取消密码，保存后重新上传。")
    if manifest in package and any(
        isinstance(node.tag, str) and node.tag.endswith("}encryption-data") for node in package.xml(manifest).iter()
    ):
        refuse("F03", "表格设有打开密码。请取消密码，保存后重新上传。")


class Content:
    """The document's sheets one after another."""

    def __init__(self, package: Package) -> None:
        self._package = package
        self._hidden_styles: set[str] = set()

    def sheets(self) -> list[Sheet]:
        """Names and visibility of all sheets."""
        found = []
        for sheet, events in self.each():
            found.append(sheet)
            for event, element in events:
                if event == "end" and element.tag == ROW:
                    forget(element)
        return found

    def each(self) -> Iterator[tuple[Sheet, Iterator[tuple[str, etree._Element]]]]:
        """Each sheet with its events; those left over are skipped."""
        tags = (SHEET, ROW, COLUMN, f"{STYLE}style")
        with self._package.open("content.xml") as part:
            events = stream_events(part, *tags)
            for event, element in events:
                if element.tag == SHEET and event == "start":
                    inside = self._inside(events)
                    yield self._sheet(element), inside
                    for _, left in inside:
                        if left.tag == ROW:
                            forget(left)
                    forget(element)
                elif element.tag == f"{STYLE}style" and event == "end":
                    self._take_style(element)

    @staticmethod
    def _inside(events: Iterator[tuple[str, etree._Element]]) -> Iterator[tuple[str, etree._Element]]:
        """Rows and columns up to the end of the sheet, without those of tables inside its cells."""
        depth = 1
        for event, element in events:
            if element.tag == SHEET:
                depth += 1 if event == "start" else -1
                if depth == 0:
                    return
            elif depth == 1:
                yield event, element

    def _take_style(self, element: etree._Element) -> None:
        properties = element.find(f"{STYLE}table-properties")
        if properties is not None and properties.get(f"{TABLE}display") == "false":
            self._hidden_styles.add(element.get(f"{STYLE}name", ""))

    def _sheet(self, element: etree._Element) -> Sheet:
        return Sheet(element.get(f"{TABLE}name", ""), element.get(f"{TABLE}style-name", "") in self._hidden_styles)


SHEET, ROW, COLUMN = f"{TABLE}table", f"{TABLE}table-row", f"{TABLE}table-column"


class SheetReader:
    """Rows of one sheet. `rows()` may be called again; each call reads the part anew."""

    def __init__(self, package: Package, limits: Limits, number: int, sheet: Sheet) -> None:
        self.sheet = sheet
        self.notes: list[str] = []
        self._package = package
        self._limits = limits
        self._number = number
        self._merged: list[str] | None = None

    def rows(self) -> Iterator[Row]:
        """(row number, cells) for rows with content, cells up to the last one filled."""
        reading = _Reading(self.sheet.name, self._limits)
        for number, (_, events) in enumerate(Content(self._package).each()):
            if number == self._number:
                yield from reading.rows(events)
                break
        self._merged = reading.merged
        note_hidden(self.notes, reading.hidden_rows, reading.hidden_columns)

    def merged(self) -> list[str]:
        """Merged ranges; reads the sheet through when that has not happened yet."""
        if self._merged is None:
            for _ in self.rows():
                pass
        return self._merged or []


class _Reading:
    """One pass over one sheet."""

    def __init__(self, name: str, limits: Limits) -> None:
        self._name = name
        self._limits = limits
        self.merged: list[str] = []
        self.hidden_rows: list[int] = []
        self.hidden_columns: list[int] = []

    def rows(self, events: Iterator[tuple[str, etree._Element]]) -> Iterator[Row]:
        number = count = column = 0
        for event, element in events:
            if event == "start":
                continue
            times = repeated(element, "rows" if element.tag == ROW else "columns")
            hidden = element.get(f"{TABLE}visibility", "visible") != "visible"
            if element.tag == COLUMN:
                if hidden and column + times <= self._limits.max_columns:  # beyond: the empty space to the right
                    self.hidden_columns += range(column, column + times)
                column += times
            elif element.tag == ROW:
                cells = self._cells(element, number + 1)
                for again in range(number + 1, number + 1 + times) if cells else ():
                    count += 1
                    if count > self._limits.max_rows:
                        refuse_rows(self._name, self._limits.max_rows)
                    if hidden:
                        self.hidden_rows.append(again)
                    yield again, list(cells)
                number += times
            forget(element)

    def _cells(self, row: etree._Element, number: int) -> list[Cell]:
        cells: list[Cell] = []
        index = 0
        for element in row.iterchildren(*CELLS):
            times = repeated(element, "columns")
            # What a merged cell covers is not seen by its sender, so it is not read.
            cell = self._cell(element, number, index) if element.tag == CELLS[0] else None
            if cell is not None:
                if index + times > self._limits.max_columns:
                    refuse_columns(self._name, index + times - 1, self._limits.max_columns)
                cells += [None] * (index - len(cells)) + [cell] * times
            index += times
        return cells

    def _cell(self, element: etree._Element, number: int, index: int) -> Cell:
        if (spans := element.get(f"{TABLE}number-columns-spanned")) or element.get(f"{TABLE}number-rows-spanned"):
            self._merge(number, index, spans or "1", element.get(f"{TABLE}number-rows-spanned", "1"))
        if not len(element) and not element.attrib.has_key(f"{OFFICE}value-type"):
            if (formula := element.get(f"{TABLE}formula")) is None:
                return None
            return Formula("", formula)
        cell = _value(element)
        if isinstance(cell, str) and len(cell) > self._limits.max_cell_chars:
            refuse_long(self._limits, f"工作表“{self._name}”")
        if (formula := element.get(f"{TABLE}formula")) is not None:
            return Formula("" if cell is None else str(cell), formula)
        return None if cell == "" else cell

    def _merge(self, number: int, index: int, columns: str, rows: str) -> None:
        wide, high = (int(raw) if raw.isdigit() and len(raw) < 8 else 1 for raw in (columns, rows))
        if (wide > 1 or high > 1) and len(self.merged) < MAX_MERGES:
            self.merged.append(merged_range(number, number + high - 1, index, index + wide - 1))


def repeated(element: etree._Element, what: str) -> int:
    """How many rows or columns an element stands for. Raises FileRefused F08 for nonsense."""
    raw = element.get(f"{TABLE}number-{what}-repeated", "1")
    if not (raw.isascii() and raw.isdigit() and len(raw) < 9 and 1 <= int(raw) <= MAX_REPEAT):
        damaged(f"重复数 {raw[:20]} 不正确")
    return int(raw)


def _value(element: etree._Element) -> Cell:
    kind = element.get(f"{OFFICE}value-type")
    if element.get(f"{CALCEXT}value-type") == "error":
        return ErrorCell(shown_text(element) or "#N/A")
    if kind in ("float", "percentage", "currency"):
        text = shown_text(element)
        return ErrorCell(text) if text in ERROR_TEXTS else as_number(element.get(f"{OFFICE}value") or text)
    if kind == "date":
        return _moment(element.get(f"{OFFICE}date-value", ""))
    if kind == "boolean":
        return Boolean("TRUE" if element.get(f"{OFFICE}boolean-value") == "true" else "FALSE")
    if kind == "string" and (told := element.get(f"{OFFICE}string-value")) is not None:
        return told
    return shown_text(element)


def _moment(raw: str) -> Cell:
    try:
        moment = datetime.fromisoformat(raw.strip()[:26]).replace(tzinfo=None)
    except ValueError:
        return raw
    return moment if moment.time().isoformat() != "00:00:00" else moment.date()


def shown_text(element: etree._Element) -> str:
    """The cell's paragraphs as text; comments and ruby left out."""
    return "\n".join("".join(_pieces(paragraph)) for paragraph in element.iterchildren(f"{TEXT}p"))


def _pieces(element: etree._Element) -> Iterator[str]:
    yield BLANKS.sub(" ", element.text or "")
    for child in element:
        if isinstance(child.tag, str) and child.tag not in NO_TEXT:
            made = _SPACES.get(child.tag)
            yield made(child) if made else "".join(_pieces(child))
        yield BLANKS.sub(" ", child.tail or "")


def _blanks(element: etree._Element) -> str:
    raw = element.get(f"{TEXT}c", "1")
    return " " * min(int(raw), 1000) if raw.isascii() and raw.isdigit() and len(raw) < 8 else " "


_SPACES: dict[str, Callable[[etree._Element], str]] = {
    f"{TEXT}s": _blanks,
    f"{TEXT}tab": lambda _: "\t",
    f"{TEXT}line-break": lambda _: "\n",
}
