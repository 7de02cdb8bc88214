"""Finding the row of headings, and what each column means."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice

from .base import Cell, FileRefused, Formula, Number, Row, Table, column_name, refuse

SEARCHED_ROWS = 20
REASON_LABEL = "更正说明"
SOURCE_LABEL = "来源行"
OURS = (REASON_LABEL, SOURCE_LABEL)
# Marks that people put on headings; no part of the name.
MARKS = re.compile(r"\((?:必填|必填项|选填|可选|非必填|必须|required|optional)\)|[*※●★]|^[\d]+[.、]", re.IGNORECASE)
SPACE_OR_FORMAT = frozenset({"Cf", "Zs", "Zl", "Zp", "Cc"})
SUM = re.compile(r"(?:本页)?(?:合计|小计|总计|共计|汇总)")
SIGNED = re.compile(
    r"(?:制表|填表|填报|审核|复核|经办|负责|打印)(?:人|单位|日期|时间)?|联系电话|注意事项|备?注\d*|填写说明|说明"
)
COUNT = re.compile(r"共?[-\d.,]{1,14}(?:人|条|件|笔|元|万元)?")
DAY = re.compile(r"\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}日?")
NOTE = re.compile(
    r"单位|格式|示例|例如|如[:：]|填写|必填|选填|说明|字符|长度|万元|YYYY|[Cc]\d+$|N\(|VARCHAR",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Column:
    """A column that the item knows: code such as CF_WSH, label, other names it goes by."""

    code: str
    label: str
    required: bool
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Header:
    """Which row is the header and what its columns are.

    `columns`: index in the row from 0 → code. `unknown`: (index, label) left unread.
    `missing`: optional columns the sheet does not have. `ignored`: numbers of the rows under the
    header that explain it and hold no data; data begin after them. `source_index` and
    `reason_index`: our own columns when a correction workbook comes back.
    """

    row_no: int
    columns: dict[int, str]
    labels: dict[str, str]
    unknown: list[tuple[int, str]] = field(default_factory=list)
    missing: list[Column] = field(default_factory=list)
    ignored: list[int] = field(default_factory=list)
    source_index: int | None = None
    reason_index: int | None = None

    @property
    def data_from(self) -> int:
        """The first row number that may hold data."""
        return max([self.row_no, *self.ignored]) + 1

    def index_of(self, code: str) -> int | None:
        return next((index for index, known in self.columns.items() if known == code), None)


def normalise_label(text: object) -> str:
    """A heading without what people add to it: width, spaces, line breaks, marks, 必填."""
    if not isinstance(text, str):
        return ""
    folded = unicodedata.normalize("NFKC", text)
    folded = "".join(c for c in folded if unicodedata.category(c) not in SPACE_OR_FORMAT)
    folded = folded.replace("【", "(").replace("】", ")").replace("[", "(").replace("]", ")")
    return MARKS.sub("", folded).upper()


def find_header(table: Table, columns: Sequence[Column]) -> Header:
    """The row among the first twenty with content that names most of `columns`.

    Raises FileRefused: F17 no such row, F18 required columns missing, F19 a column twice.
    """
    names = known_names(columns)
    rows = list(islice(table.rows(), SEARCHED_ROWS))
    position, matching = best_row(rows, names)
    if matching < min(2, len(columns)):
        refuse_without_header(table, columns)
    row_no, cells = rows[position]
    header = read_header(row_no, cells, columns, names)
    header.ignored.extend(notes_under(rows[position + 1 : position + 3], header))
    return header


def known_names(columns: Iterable[Column]) -> dict[str, str]:
    """Normalised label, code or alias → code. A label wins over another column's alias."""
    names: dict[str, str] = {}
    for column in columns:
        for alias in column.aliases:
            names.setdefault(normalise_label(alias), column.code)
    for column in columns:
        names[normalise_label(column.label)] = column.code
        names[normalise_label(column.code)] = column.code
    names.pop("", None)
    return names


def best_row(rows: Sequence[Row], names: dict[str, str]) -> tuple[int, int]:
    """(position, number of different columns named) of the best row; the first of equals."""
    matches = [len({names.get(normalise_label(cell)) for cell in cells} - {None}) for _, cells in rows]
    best = max(matches, default=0)
    return (matches.index(best) if matches else 0), best


def read_header(row_no: int, cells: Sequence[Cell], columns: Sequence[Column], names: dict[str, str]) -> Header:
    found: dict[int, str] = {}
    unknown: list[tuple[int, str]] = []
    ours: dict[str, int] = {}
    for index, cell in enumerate(cells):
        label = normalise_label(cell)
        if label in names:
            found[index] = names[label]
        elif label in OURS:
            ours.setdefault(label, index)
        elif cell is not None and label:
            unknown.append((index, str(cell)))
    labels = {column.code: column.label for column in columns}
    refuse_repeated(row_no, found, labels)
    absent = [column for column in columns if column.code not in found.values()]
    refuse_missing(row_no, [column for column in absent if column.required], unknown)
    return Header(row_no, found, labels, unknown, absent, [], ours.get(SOURCE_LABEL), ours.get(REASON_LABEL))


def refuse_without_header(table: Table, columns: Sequence[Column]) -> None:
    wanted = [c for c in columns if c.required] or list(columns)
    named = "、".join(column.label for column in wanted[:12])
    refuse(
        "F17",
        f"在“{table.sheet}”前 {SEARCHED_ROWS} 个有内容的行中没有找到表头。应有这些列名：{named}"
        f"{'等' if len(wanted) > 12 else ''}。请下载模板，核对列名后重新上传。",
    )


def refuse_missing(row_no: int, absent: list[Column], unknown: list[tuple[int, str]]) -> None:
    if not absent:
        return
    named = "、".join(f"“{column.label}”" for column in absent)
    hint = "、".join(f"“{label.strip()[:20]}”" for _, label in unknown[:8])
    refuse(
        "F18",
        f"第 {row_no} 行表头缺少必填列：{named}。"
        + (f"未能识别的列：{hint}，请检查是否列名写法不同。" if hint else "")
        + "请补上这些列（列名与模板一致）后重新上传。",
    )


def refuse_repeated(row_no: int, found: dict[int, str], labels: dict[str, str]) -> None:
    places: dict[str, list[str]] = {}
    for index, code in found.items():
        places.setdefault(code, []).append(column_name(index))
    repeated = [f"“{labels[code]}”（{'、'.join(letters)} 列）" for code, letters in places.items() if len(letters) > 1]
    if repeated:
        refuse(
            "F19",
            f"第 {row_no} 行表头中有的列出现了不止一次：{'，'.join(repeated)}。"
            "请每项只保留一列，删去多余的列后重新上传。",
        )


def notes_under(rows: Sequence[Row], header: Header) -> list[int]:
    """Rows right under the header that explain it (units, formats, codes) instead of data."""
    ignored = []
    for number, cells in rows:
        if not is_note(cells, header):
            break
        ignored.append(number)
    return ignored


def is_note(cells: Sequence[Cell], header: Header) -> bool:
    """Whether a row holds only codes, units or instructions.

    A row with a date, a number or an ID number is data; so is one whose texts mostly say
    nothing of units or formats. In doubt it is data, and the checks will speak.
    """
    filled = [cell for cell in cells if cell is not None]
    bound = [cells[index] for index in header.columns if index < len(cells)]
    texts = [cell for cell in bound if isinstance(cell, str)]
    words = [cell for cell in filled if isinstance(cell, str) and not isinstance(cell, Number)]
    if len(words) < len(filled) or any(re.search(r"\d{15}", word) for word in words):
        return False
    if not texts:
        return any(NOTE.search(word) for word in words)
    if all(normalise_label(cell) in header.labels for cell in texts):
        return True
    return sum(bool(NOTE.search(cell)) for cell in texts) * 2 > len(texts)


def is_footer(cells: Sequence[Cell]) -> bool:
    """Whether a row is 合计, 制表人, 填报单位, 注 and the like and not a line of data.

    The first filled cell must begin so. Beside 合计 only sums and counts may stand; beside 制表人
    also short names, days and further such labels.
    """
    if len(cells) - cells.count(None) > 8:  # nearly every line of data
        return False
    filled = [cell for cell in cells if cell is not None]
    if not filled or type(filled[0]) is not str:
        return False
    first = normalise_label(filled[0])
    if _begins(SUM, first):
        return all(_is_count(cell) for cell in filled[1:])
    return _begins(SIGNED, first) and all(_is_signature(cell) for cell in filled[1:])


def _begins(pattern: re.Pattern[str], label: str) -> bool:
    """The label is the pattern alone, or the pattern and what it introduces."""
    match = pattern.match(label)
    return match is not None and label[match.end() : match.end() + 1] in ("", ":", "(", ")")


def _is_count(cell: Cell) -> bool:
    if not isinstance(cell, str) or isinstance(cell, Number | Formula):
        return True
    label = normalise_label(cell)
    return bool(COUNT.fullmatch(label)) or _begins(SUM, label) or not label


def _is_signature(cell: Cell) -> bool:
    if _is_count(cell):
        return True
    label = normalise_label(cell)
    return len(label) <= 4 or _begins(SIGNED, label) or bool(DAY.fullmatch(label))


__all__ = ["Column", "FileRefused", "Header", "find_header", "is_footer", "normalise_label"]
