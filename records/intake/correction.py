"""The correction workbook: the sheet as sent, good rows left out, bad cells marked with reasons.

Sent back after correction it is read like any other file; 来源行 leads each row to the one it
corrects.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any, BinaryIO, NamedTuple

import xlsxwriter

from .base import Cell, Formula, Table
from .header import REASON_LABEL, SOURCE_LABEL, Header, is_footer

MAX_COMMENTS = 2_000  # xlsxwriter keeps comments in memory until the end
MAX_CELL = 32_767
SHEET_NAME = "待更正"
GUIDE_NAME = "填写说明"
PART = "本文件只包含未通过检查的行，已通过的行不在其中，请勿补入。"
WHOLE = "本批次有一行不合格则全部不入库，本文件是整份数据：只改标红的行，没有标红的行请勿删去，改好后整份上传。"
GUIDE = (
    "标红的单元格有问题；原因写在“更正说明”一列，鼠标停在红色单元格上也能看到。",
    "请直接在“待更正”工作表里改正，改完后保存为 xlsx，上传到同一事项。",
    "不要改动表头和“来源行”一列：系统靠它把更正后的行与原来的行对应起来。",
    "“更正说明”一列可以保留，系统不读取其内容。",
    "证件号码、文号等列已设为文本格式，请直接输入完整号码，不要改为数字格式。",
    "日期写成 2026-03-01 的样子；金额单位为万元，只填数字。",
    "确认不应报送的行，请整行删除，并在批次的“退回行”页面逐行说明原因，由另一名工作人员确认。",
)


class Problem(NamedTuple):
    """One reason why a row was refused; `column` is a column code, None for the whole row."""

    column: str | None
    code: str
    message: str


def write_correction(
    out: BinaryIO,
    table: Table,
    header: Header,
    problems: Mapping[int, Sequence[Problem]],
    *,
    batch_no: str,
    id_columns: Collection[str],
    sources: Mapping[int, str] | None = None,
    whole: bool = False,
) -> int:
    """Write the workbook to `out`; return how many rows it holds.

    `sources`: row number → 来源行 of a row that came back again; else it is the row itself.
    `problems`: row number in the sheet → reasons. `id_columns`: codes of columns for ID and
    document numbers, preset as text. `whole`: good rows too, where none goes in without the others.
    Memory stays flat: rows go to disk as they are written.
    """
    book = xlsxwriter.Workbook(
        out,
        {
            "constant_memory": True,
            "strings_to_formulas": False,
            "strings_to_numbers": False,
            "strings_to_urls": False,
        },
    )
    try:
        sheet = Correction(book, header, batch_no, id_columns, sources or {})
        for number, cells in table.rows():
            if number < header.row_no or number in header.ignored:
                sheet.copy(cells)
            elif number == header.row_no:
                sheet.write_header(header.cells)
            elif number in problems or whole and (table.exact or not is_footer(cells)):
                sheet.write_row(number, cells, problems.get(number, ()))
        sheet.finish(WHOLE if whole else PART)
    finally:
        book.close()
    return sheet.count


class Correction:
    """The sheet being written, top to bottom."""

    def __init__(
        self, book: Any, header: Header, batch_no: str, id_columns: Collection[str], sources: Mapping[int, str]
    ) -> None:
        self._book = book
        self._sheet = book.add_worksheet(SHEET_NAME)
        self._header = header
        self._batch_no = batch_no
        self._sources = sources
        self._next = 0
        self._comments = 0
        self._width = 0
        self.count = 0
        text = {"num_format": "@", "valign": "top"}
        self._plain = book.add_format(text)
        self._bad = book.add_format({**text, "bg_color": "#FFC7CE", "font_color": "#9C0006"})
        self._head = book.add_format({"bold": True, "bg_color": "#D9E1F2", "text_wrap": True, "border": 1})
        self._note = book.add_format({**text, "text_wrap": True, "font_color": "#9C0006"})
        self._id_columns = {index for index, code in header.columns.items() if code in set(id_columns)}
        self._indexes = {code: index for index, code in header.columns.items()}
        self._place_ours()

    def _place_ours(self) -> None:
        """Our two columns keep their place when the sheet already has them, else they go last."""
        header = self._header
        named = [*header.columns, *(index for index, _ in header.unknown)]
        ours = [i for i in (header.reason_index, header.source_index) if i is not None]
        self._width = max([-1, *named, *ours]) + 1
        last = self._width
        self._reason = header.reason_index
        if self._reason is None:
            self._reason, last = last, last + 1
        self._source = header.source_index
        if self._source is None:
            self._source, last = last, last + 1
        self._columns = last
        for index in range(last):
            self._sheet.set_column(index, index, self._column_width(index), self._plain)

    def _column_width(self, index: int) -> float:
        if index == self._reason:
            return 48
        return 22 if index in self._id_columns or index == self._source else 16

    def copy(self, cells: Sequence[Cell]) -> None:
        """A title or note row, as it was."""
        for index, cell in enumerate(cells):
            self._write(index, shown(cell), None)
        self._next += 1

    def write_header(self, cells: Sequence[Cell]) -> None:
        for index in range(self._columns):
            label = shown(cells[index]) if index < len(cells) else ""
            if index in (self._reason, self._source):
                label = REASON_LABEL if index == self._reason else SOURCE_LABEL
            self._write(index, label, self._head)
        self._next += 1
        self._sheet.freeze_panes(self._next, 0)

    def write_row(self, number: int, cells: Sequence[Cell], problems: Sequence[Problem]) -> None:
        """One row: its cells as text, the bad ones marked, and why."""
        by_index = self._by_index(problems)
        for index in range(max(self._columns, len(cells))):
            if index == self._reason:
                self._write(index, self._reasons(problems), self._note)
            elif index == self._source:
                self._write(index, self._sources.get(number, f"{self._batch_no}#{number}"), self._plain)
            else:
                cell = cells[index] if index < len(cells) else None
                bad = by_index.get(index)
                self._write(index, shown(cell), self._bad if bad else self._plain)
                if bad:
                    self._comment(index, "\n".join(bad))
        self._next += 1
        self.count += 1

    def _by_index(self, problems: Sequence[Problem]) -> dict[int, list[str]]:
        found: dict[int, list[str]] = {}
        for problem in problems:
            if problem.column in self._indexes:
                found.setdefault(self._indexes[problem.column], []).append(problem.message)
        return found

    def _reasons(self, problems: Sequence[Problem]) -> str:
        """All reasons, numbered, each with the heading of its column."""
        lines = []
        for position, problem in enumerate(problems, 1):
            label = self._header.labels.get(problem.column or "", "")
            place = f"【{label}】" if label else ""
            lines.append(f"{position}. {place}{problem.message}")
        return "\n".join(lines)

    def _write(self, index: int, text: str, style: Any) -> None:
        """Always a string cell: a text such as =1+1 stays a text in the sheet."""
        if text:
            self._sheet.write_string(self._next, index, text[:MAX_CELL], style)
        elif style is not None:
            self._sheet.write_blank(self._next, index, None, style)

    def _comment(self, index: int, text: str) -> None:
        if self._comments < MAX_COMMENTS:
            self._comments += 1
            options = {"author": "信用福建", "x_scale": 2, "y_scale": 1}
            self._sheet.write_comment(self._next, index, text, options)

    def finish(self, what: str) -> None:
        guide = self._book.add_worksheet(GUIDE_NAME)
        guide.set_column(0, 0, 90)
        wrapped = self._book.add_format({"text_wrap": True, "valign": "top"})
        for row, line in enumerate((what, *GUIDE)):
            guide.write_string(row, 0, f"{row + 1}. {line}", wrapped)


def shown(cell: Cell) -> str:
    """The cell as text: dates as YYYY-MM-DD, a formula by the value it showed."""
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return cell.isoformat(" ", "seconds")
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, Formula) and not cell:
        return f"={cell.expression}"
    return str(cell)
