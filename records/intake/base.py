"""Shapes shared by the readers: refusals, limits, cell values and the table itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import chain
from typing import Literal, NoReturn, Self

CODES: dict[str, str] = {
    "F01": "文件为空",
    "F02": "文件过大",
    "F03": "文件已加密",
    "F04": "过旧的 xls 工作簿",
    "F06": "网页文件冒充表格",
    "F07": "压缩包里没有工作簿",
    "F08": "文件已损坏",
    "F09": "文件含有宏",
    "F10": "解压后过大",
    "F11": "行数过多",
    "F12": "列数过多",
    "F13": "文字编码无法识别",
    "F14": "单元格内容过长",
    "F15": "不是表格文件",
    "F16": "没有可读取的工作表",
    "F17": "未找到表头",
    "F18": "缺少必填列",
    "F19": "列重复",
    "F20": "二进制 xlsb 工作簿",
    "F21": "含有空字符",
    "F22": "含有外部定义",
    "F23": "各工作表表头不一致",
    "F24": "列对应须重新确认",
    "F25": "不是 JSON 行",
    "F26": "含有条目没有的键",
}


class FileRefused(Exception):
    """The file as a whole cannot be taken in.

    `code` is a key of CODES; `message` is one Chinese text for the person who sent the file:
    what is wrong, where, and what to do next.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message

    @property
    def title(self) -> str:
        return CODES[self.code]

    def __str__(self) -> str:
        return f"{self.code} {self.title}：{self.message}"


def refuse(code: str, message: str, cause: BaseException | None = None) -> NoReturn:
    """Raise FileRefused; `cause` stays in the traceback for operators, not in the message."""
    raise FileRefused(code, message) from cause


def refuse_long(limits: Limits, where: str = "") -> NoReturn:
    refuse(
        "F14",
        f"{where or '文件'}中有单元格超过 {limits.max_cell_chars} 个字，超出 Excel 单元格的容量。"
        "请检查是否误粘贴了大段内容或引号没有成对，改正后重新上传。",
    )


@dataclass(frozen=True)
class Limits:
    """What one file may cost. Checked while streaming, not after loading."""

    max_bytes: int = 100 * 1024 * 1024
    max_unpacked: int = 2 * 1024 * 1024 * 1024
    max_ratio: int = 100
    ratio_from: int = 10 * 1024 * 1024
    max_rows: int = 1_048_576
    max_columns: int = 200
    max_cell_chars: int = 32_767


class Number(str):
    """A cell stored as a number, as its sheet shows it: 15 significant digits, no exponent."""

    __slots__ = ()


class Boolean(str):
    """A cell stored as TRUE or FALSE."""

    __slots__ = ()


class ErrorCell(str):
    """A cell holding #REF!, #N/A and the like."""

    __slots__ = ()


class Formula(str):
    """A cell holding a formula; the text is the cached value, `expression` the formula's own."""

    expression: str

    def __new__(cls, value: str, expression: str = "") -> Self:
        self = super().__new__(cls, value)
        self.expression = expression
        return self


Cell = str | date | None
Row = tuple[int, list[Cell]]


@dataclass(frozen=True)
class Sheet:
    name: str
    hidden: bool = False


SHEET_STEP = 10_000_000  # further sheets of the same table count their rows from here on


def place(row_no: int) -> str:
    """A row's number in the words of its sender: 第 5 行, or 第 2 张表第 5 行."""
    sheet, number = divmod(row_no, SHEET_STEP)
    return f"第 {sheet + 1} 张表第 {number} 行" if sheet else f"第 {number} 行"


@dataclass
class Table:
    """The sheet of a file that will be read, and those that go on where it ends.

    `rows()` streams `(row number in the sheet from 1, cells)`, leaves out rows without any
    content, and may be called again. It raises FileRefused when damage or a limit shows up on
    the way. `skipped` says in Chinese what was left unread; notes on hidden rows join it once
    the rows have been read to the end. `others`: the workbook's other sheets; those that the
    header shows to hold more of the same become `further`, with the row after which they are
    read, and their rows are numbered from SHEET_STEP on (see `place`). `exact`: the first row is
    the header and every other one a row of data: nothing is looked for, no note or footer left out.
    """

    kind: Literal["xlsx", "xls", "ods", "csv", "jsonl"]
    sheet: str
    sheets: list[Sheet]
    encoding: str | None
    _rows: Callable[[], Iterator[Row]] = field(repr=False)
    _merged: Callable[[], list[str]] = field(repr=False, default=list)
    skipped: list[str] = field(default_factory=list)
    is_hidden: bool = False
    others: list[Table] = field(default_factory=list)
    further: list[tuple[Table, int]] = field(default_factory=list)
    exact: bool = False

    def rows(self) -> Iterator[Row]:
        return chain(self._rows(), self._rows_of_further()) if self.further else self._rows()

    def _rows_of_further(self) -> Iterator[Row]:
        for number, (table, after) in enumerate(self.further, 1):
            for row_no, cells in table.rows():
                if row_no > after:
                    yield number * SHEET_STEP + row_no, cells

    def lead_with(self, other: Table) -> None:
        """Let another sheet of the workbook be the one that is read."""
        first = replace(self, others=[], further=[])
        self.others = [first, *(table for table in self.others if table is not other)]
        self.sheet, self.is_hidden, self.skipped = other.sheet, other.is_hidden, other.skipped
        self._rows, self._merged = other._rows, other._merged

    @property
    def sheet_names(self) -> str:
        """The sheets that are read, in order."""
        return "、".join([self.sheet, *(table.sheet for table, _ in self.further)])

    @property
    def notes(self) -> list[str]:
        """What the sender should know of the reading, of all sheets that are read."""
        return [*self.skipped, *(f"“{table.sheet}”{note}" for table, _ in self.further for note in table.skipped)]

    @property
    def merged(self) -> list[str]:
        """Merged ranges such as `A1:F1`; the value stays in the top left cell."""
        return self._merged()


def column_name(index: int) -> str:
    """0 → A, 26 → AA: how the sheet names a column."""
    name = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        name = chr(65 + rest) + name
    return name
