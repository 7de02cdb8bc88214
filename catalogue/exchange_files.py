"""The spreadsheet of the catalogue: written with its fields on a sheet of their own, read back from xlsx or csv."""

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import islice
from typing import Any, BinaryIO

import openpyxl
import tablib
import xlsxwriter
from django.core.exceptions import ValidationError

from accounts.models import User
from catalogue import field_cells
from catalogue.cells import BY_TITLE, CELLS, Kind, Known, normal
from catalogue.exchange import FIELD_ROWS, ROW, ItemResource
from catalogue.field_cells import FieldRow
from catalogue.models import ItemVersion
from creditfujian.lib.spreadsheet import safe, unsafe

MAX_ROWS, MAX_FIELD_ROWS, MAX_COLUMNS = 2_000, 60_000, 80
MAX_BYTES, MAX_UNPACKED = 10 * 1024 * 1024, 100 * 1024 * 1024
ITEMS, FIELDS, GUIDE, VALUES = "条目", "数据项", "填写说明", "可填的值"
KEY, ORDER, REASON = "条目编码", "顺序", "更正说明"
FIELD_TITLES = (KEY, ORDER, *(part.title for part in field_cells.PARTS))
HEAD_ROWS = 10
SAVE_AS = "请用 Excel 或 WPS 打开，另存为 xlsx 或“CSV UTF-8”后重新上传。"
GUIDE_LINES = (
    "一行一个条目。不想改的单元格原样留着；不需要的列可以整列删去，删去的列视为不改。",
    "以代码开头的单元格只看第一个词，后面的文字是给人看的。可填的值见“可填的值”表。",
    "“法律政策依据”每行一个条款，写成 文件代码/条款，如 XZCFF/第四十八条。",
    "“数据项”写在“数据项”表里，每个数据项一行；新增的写在最后，“顺序”决定先后。删去的行就是删去的数据项。",
    "灰色的列不由本表修改：条目编码、信息类别、信息性质、主体类型、提供单位改了会退回；依据层级、影响评估编号、"
    "征求意见情况、状态改了不起作用。",
    "“版本、生效、失效”里的版本号不要改：系统靠它知道您是从哪一版改起的。生效日期可以改。",
    "导入只产生草案：先给您看逐列的差别，确认后才写入；草案仍要提交、法制审核、影响评估和批准。",
    "以 = + - @ 等符号开头的文字前面有一个单引号，防止被当成公式，导入时自动去掉。",
)


# --- out ---------------------------------------------------------------------------------------------------


def as_csv(versions: Iterable[ItemVersion], *, by: User) -> bytes:
    """Return the items as a csv file, the fields in one cell."""
    exported = ItemResource(by=by).export(versions).export("csv")
    return str(exported).encode("utf-8-sig")


def as_xlsx(versions: Sequence[ItemVersion], out: BinaryIO, *, by: User) -> None:
    """Write the items to a workbook, the fields on a sheet of their own."""
    rows = [{title: unsafe(text) for title, text in row.items()} for row in ItemResource(by=by).export(versions).dict]
    fields = []
    for row, version in zip(rows, versions, strict=True):
        own = list(version.fields.all())
        row[FIELDS] = f"{field_cells.ELSEWHERE}，共 {len(own)} 项"
        fields += [{KEY: row[KEY], ORDER: str(place), **field_cells.texts(one)} for place, one in enumerate(own, 1)]
    with Book(out) as book:
        book.items(rows)
        book.fields(fields)
        book.guide(GUIDE_LINES)
        book.values(Known.load())


@dataclass(frozen=True)
class Mark:
    """A bad cell of a correction workbook: sheet row it stood in, column, sentence."""

    row: int
    title: str
    message: str


class Book:
    """A workbook being written: text cells only, headings that stay in sight, lists to pick from."""

    def __init__(self, out: BinaryIO) -> None:
        options = {
            "strings_to_formulas": False,
            "strings_to_numbers": False,
            "strings_to_urls": False,
            "in_memory": True,
        }
        self._book = xlsxwriter.Workbook(out, options)
        text = {"num_format": "@", "valign": "top", "text_wrap": True}
        self._plain = self._book.add_format(text)
        self._aside = self._book.add_format({**text, "bg_color": "#EDEDED", "font_color": "#4A5A5D"})
        self._bad = self._book.add_format({**text, "bg_color": "#FFC7CE", "font_color": "#9C0006"})
        self._head = self._book.add_format({"bold": True, "bg_color": "#D9E1F2", "text_wrap": True, "border": 1})
        self._pickable: dict[str, str] = {}

    def __enter__(self) -> "Book":
        return self

    def __exit__(self, kind: Any, *rest: Any) -> None:
        if kind is None:
            self._book.close()

    def items(self, rows: Sequence[dict[str, str]], marks: Sequence[Mark] = (), numbers: Sequence[int] = ()) -> None:
        """Write the sheet of items; `numbers` are the rows in which they stood before."""
        titles = list(dict.fromkeys(title for row in rows for title in row)) or [cell.title for cell in CELLS]
        titles += [REASON] if marks and REASON not in titles else []
        aside = {cell.title for cell in CELLS if cell.kind is not Kind.RULE}
        self._item_titles, self._item_rows = titles, len(rows)
        self._items = self._sheet(ITEMS, titles, rows, marks, numbers, aside, {KEY: 20, REASON: 48})
        self._items.freeze_panes(1, 2)

    def fields(self, rows: Sequence[dict[str, str]], marks: Sequence[Mark] = (), numbers: Sequence[int] = ()) -> None:
        """Write the sheet of fields."""
        titles = list(dict.fromkeys((*FIELD_TITLES, *(title for row in rows for title in row))))
        titles += [REASON] if marks and REASON not in titles else []
        sheet = self._sheet(FIELDS, titles, rows, marks, numbers, {KEY}, {KEY: 20, REASON: 48})
        sheet.freeze_panes(1, 4)
        for part in field_cells.PARTS:
            if part.choices and part.title in titles:
                self._list(sheet, titles.index(part.title), len(rows) + 200, {"source": [c for c in part.choices if c]})

    def _sheet(
        self, name: str, titles: Sequence[str], rows: Sequence[dict[str, str]], marks: Sequence[Mark],
        numbers: Sequence[int], aside: set[str], widths: dict[str, int],
    ) -> Any:  # fmt: skip
        sheet = self._book.add_worksheet(name)
        for column, title in enumerate(titles):
            sheet.set_column(column, column, widths.get(title, 22), self._plain)
            sheet.write_string(0, column, title, self._head)
        bad: dict[tuple[int, str], list[str]] = {}
        for mark in marks:
            bad.setdefault((mark.row, mark.title), []).append(mark.message)
        for at, row in enumerate(rows, start=1):
            number = numbers[at - 1] if numbers else at
            reasons = [
                f"【{title}】{said}" if title else said
                for (n, title), all_ in bad.items()
                if n == number
                for said in all_
            ]
            for column, title in enumerate(titles):
                wrong = bad.get((number, title))
                text = "\n".join(reasons) if title == REASON else safe(row.get(title, ""))
                style = self._bad if wrong else self._aside if title in aside else self._plain
                sheet.write_string(at, column, text[:32_767], style)
                if wrong:
                    sheet.write_comment(at, column, "\n".join(wrong), {"author": "信用福建", "x_scale": 2})
        return sheet

    def guide(self, lines: Sequence[str]) -> None:
        """Write how the sheets are filled in."""
        sheet = self._book.add_worksheet(GUIDE)
        sheet.set_column(0, 0, 90, self._plain)
        for at, line in enumerate(lines):
            sheet.write_string(at, 0, f"{at + 1}. {line}", self._plain)

    def values(self, known: Known) -> None:
        """Write what may be filled in, column by column, and let the cells of the items pick from it."""
        sheet = self._book.add_worksheet(VALUES)
        listed = [(cell.title, choices) for cell in CELLS if (choices := cell.choices(known))]
        for column, (title, choices) in enumerate(listed):
            sheet.set_column(column, column, 24, self._plain)
            sheet.write_string(0, column, title, self._head)
            for at, choice in enumerate(choices, start=1):
                sheet.write_string(at, column, choice, self._plain)
            if title in self._item_titles:
                letter = xlsxwriter.utility.xl_col_to_name(column)
                source = f"='{VALUES}'!${letter}$2:${letter}${len(choices) + 1}"
                self._list(self._items, self._item_titles.index(title), self._item_rows, {"source": source})

    def _list(self, sheet: Any, column: int, rows: int, more: dict[str, Any]) -> None:
        """Offer a list; text that is not in it is told by the import, in words."""
        sheet.data_validation(1, column, max(rows, 1), column, {"validate": "list", "show_error": False, **more})


# --- in ----------------------------------------------------------------------------------------------------


@dataclass
class Table:
    """A sheet that came in: its rows by heading, each with its number, and the fields by item."""

    rows: list[tuple[int, dict[str, str]]]
    field_rows: dict[str, list[FieldRow]] | None = None
    notes: list[str] = field(default_factory=list)

    def dataset(self) -> tablib.Dataset:
        """Return the rows for the resource."""
        titles = list(dict.fromkeys(title for _, row in self.rows for title in row))
        known = [title for title in titles if title in BY_TITLE]
        dataset = tablib.Dataset(headers=[*known, ROW, FIELD_ROWS])
        for number, row in self.rows:
            dataset.append([*(row.get(title, "") for title in known), number, self._fields_of(row)])
        return dataset

    def _fields_of(self, row: dict[str, str]) -> list[FieldRow] | None:
        if self.field_rows is None or not row.get(FIELDS, "").startswith(field_cells.ELSEWHERE):
            return None
        return self.field_rows.get(normal(row.get(KEY, "")), [])


def read_table(content: bytes) -> Table:
    """Read a workbook or a csv file. Raises ValidationError with what is wrong and what to do."""
    if not content:
        raise ValidationError("文件是空的（0 字节）。请确认选对了文件。", code="empty")
    if len(content) > MAX_BYTES:
        raise ValidationError(f"文件超过 {MAX_BYTES // 1024 // 1024} MB。请分成几个文件导入。", code="size")
    table = _read_xlsx(content) if content[:4] == b"PK\x03\x04" else _read_csv(content)
    if not table.rows:
        raise ValidationError("表头下面没有条目。请填写后重新上传。", code="empty")
    unknown = {title for _, row in table.rows for title in row if title not in BY_TITLE} - {REASON, ""}
    if unknown:
        table.notes.append(f"不认识的列已忽略：{'、'.join(sorted(unknown))}。")
    missing = [cell.title for cell in CELLS if all(cell.title not in row for _, row in table.rows)]
    if missing:
        table.notes.append(f"表中没有的列视为不改：{'、'.join(missing)}。")
    return table


def _read_xlsx(content: bytes) -> Table:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            if sum(part.file_size for part in package.infolist()) > MAX_UNPACKED:
                raise ValidationError("工作簿解压后太大，不像是目录条目表。请用导出的表填写。", code="size")
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    except ValidationError:
        raise
    except Exception as error:  # whatever a damaged package makes the reader raise
        raise ValidationError(f"这不是完好的 xlsx 工作簿。{SAVE_AS}", code="damaged") from error
    names = book.sheetnames
    if FIELDS in names and ITEMS not in names:
        raise ValidationError(f"没有“{ITEMS}”工作表。请用导出的表填写，不要改工作表的名称。", code="sheet")
    table = Table(list(_under_heading(_cells(book[ITEMS if ITEMS in names else names[0]], MAX_ROWS), MAX_ROWS)))
    if FIELDS in names:
        table.field_rows = _by_item(_under_heading(_cells(book[FIELDS], MAX_FIELD_ROWS), MAX_FIELD_ROWS))
    return table


def _cells(sheet: Any, limit: int) -> Iterator[tuple[int, list[str]]]:
    rows = sheet.iter_rows(max_row=limit + HEAD_ROWS + 1, max_col=MAX_COLUMNS, values_only=True)
    for number, cells in enumerate(rows, start=1):
        yield number, [unsafe(_as_text(cell)) for cell in cells]


def _as_text(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "是" if cell else "否"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime | date):
        return f"{cell:%Y-%m-%d}"
    return str(cell)


def _read_csv(content: bytes) -> Table:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise ValidationError(f"这不是 xlsx，也不是 UTF-8 或 GB18030 编码的 csv 文件。{SAVE_AS}", code="kind")
    if "\0" in text:
        raise ValidationError(f"文件里有不能识别的字符，不像是表格。{SAVE_AS}", code="kind")
    head = text[:2_000]
    delimiter = max(",;\t", key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        numbered = [
            (n, [unsafe(cell) for cell in row]) for n, row in enumerate(islice(reader, MAX_ROWS + HEAD_ROWS + 1), 1)
        ]
    except csv.Error as error:
        raise ValidationError(f"csv 文件的引号或分隔符不完整。{SAVE_AS}", code="damaged") from error
    return Table(list(_under_heading(iter(numbered), MAX_ROWS)))


def _under_heading(rows: Iterator[tuple[int, list[str]]], limit: int) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the rows below the heading by its titles; the heading is the row that holds 条目编码."""
    titles: list[str] = []
    for _, cells in islice(rows, HEAD_ROWS):
        if KEY in [normal(cell) for cell in cells]:
            titles = [normal(cell) for cell in cells]
            break
    if not titles:
        raise ValidationError(f"前 {HEAD_ROWS} 行里没有“{KEY}”这一列。请用导出的表填写。", code="heading")
    twice = {title for title in titles if title and titles.count(title) > 1}
    if twice:
        raise ValidationError(f"表头重复：{'、'.join(sorted(twice))}。请只留一列。", code="heading")
    count = 0
    for number, cells in rows:
        row = {title: cell for title, cell in zip(titles, cells, strict=False) if title}
        if any(normal(cell) for title, cell in row.items() if title != REASON):
            count += 1
            if count > limit:
                raise ValidationError(f"超过 {limit} 行。请分成几个文件导入。", code="rows")
            yield number, row


def _by_item(rows: Iterator[tuple[int, dict[str, str]]]) -> dict[str, list[FieldRow]]:
    """Return the fields of each item in the order they state; without a number they come last."""
    found: dict[str, list[tuple[float, FieldRow]]] = {}
    for number, row in rows:
        place = normal(row.get(ORDER, ""))
        order = float(place) if re.fullmatch(r"\d{1,5}(\.\d+)?", place) else float("inf")
        found.setdefault(normal(row.get(KEY, "")), []).append((order, FieldRow(number, row)))
    return {code: [row for _, row in sorted(listed, key=lambda pair: pair[0])] for code, listed in found.items()}


def write_correction(content: bytes, outcome: Sequence[dict[str, Any]], out: BinaryIO) -> None:
    """Write the refused rows as they came, bad cells marked and explained; sent back it is read like any other."""
    table = read_table(content)
    refused = {row["row"]: row["problems"] for row in outcome if row["kind"] == "refused"}
    rows = [(number, row) for number, row in table.rows if number in refused]
    titles = {cell.name: cell.title for cell in CELLS}
    marks = [
        Mark(number, titles.get(problem["column"], ""), field_text(problem, table))
        for number, problems in refused.items()
        for problem in problems
    ]
    with Book(out) as book:
        book.items([row for _, row in rows], marks, [number for number, _ in rows])
        if table.field_rows is not None:
            codes = [normal(row.get(KEY, "")) for _, row in rows]
            listed = [one for code in dict.fromkeys(codes) for one in table.field_rows.get(code, [])]
            bad = [
                Mark(problem["field_row"], problem["part"], problem["message"])
                for problems in refused.values()
                for problem in problems
                if problem["field_row"] is not None
            ]
            book.fields([one.texts for one in listed], bad, [one.number for one in listed])
        book.guide(
            ("红色的单元格有问题，原因写在“更正说明”列；已成为草案的行不在其中。改好后作为新文件导入。", *GUIDE_LINES)
        )
        book.values(Known.load())


def field_text(problem: dict[str, Any], table: Table | None = None) -> str:
    """Return a problem in words, with the place among the fields where it has one."""
    if problem["field_row"] is None:
        return str(problem["message"])
    where = f"“{FIELDS}”表第 {problem['field_row']} 行" if table is None or table.field_rows is not None else (
        f"第 {problem['field_row']} 个数据项"
    )  # fmt: skip
    part = f"“{problem['part']}”" if problem["part"] else ""
    return f"{where}{part}：{problem['message']}"
