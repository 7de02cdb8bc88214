"""Headings that a person says the meaning of: where they stand, what tells them from others, what is under them.

`header` knows columns by their names. Here the names say nothing to us, or not enough, and a saved mapping does: codes in
the order of the headings. It holds for exactly the headings it was made for, of one row or two (`fingerprint`).
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import SequenceMatcher
from itertools import islice, pairwise

from .base import Cell, Number, Row, Table, column_name
from .header import (
    OTHER_PEOPLE,
    OURS,
    REASON_LABEL,
    SEARCHED_ROWS,
    SOURCE_LABEL,
    Column,
    Header,
    Labels,
    best_labels,
    is_footer,
    join_labels,
    known_names,
    may_be_labels,
    most_likely_first,
    normalise_label,
    notes_under,
    read_on,
    without_header,
)

Kinds = Mapping[str, str]
LONGEST_LABEL = 100
ALIKE = 0.5  # how much of two names must agree to suggest one for the other
DOTS = 7
_HEADING = re.compile(
    r"姓名|名称|号码|证号|编号|文号|文书|代码|日期|时间|金额|单位|机关|类别|类型|种类|内容|事实|事由|依据|结果|范围|程度|备注|"
    r"序号|说明|期限|截止|对象|当事人|相对人|案由|合计|报送|统计|信息表|一览|台账|清单|[A-Z]{2,}_[A-Z_]+"
)
_ID_NUMBER = re.compile(r"\d{17}[\dXx]")
_CREDIT_CODE = re.compile(r"[0-9A-Z]{18}")
_DAY = re.compile(r"(\d{4})(?:[-/.年]\d{1,2}[-/.月]\d{1,2}日?|\d{4})")
_AMOUNT = re.compile(r"[-\d,]+(?:\.\d+)?")


@dataclass(frozen=True)
class Heading:
    """A column's heading: its index in the row from 0, its normalised label, the text as it stands."""

    index: int
    label: str
    shown: str

    @property
    def letter(self) -> str:
        """Return how the sheet names the column."""
        return column_name(self.index)


def headings(cells: Sequence[Cell]) -> list[Heading]:
    """Return the headings of a row in order, empty ones between them included; our own two columns are left out."""
    found = [Heading(index, normalise_label(cell), str(cell or "").strip()) for index, cell in enumerate(cells)]
    found = [one for one in found if one.label not in OURS]
    while found and not found[-1].label:
        found.pop()
    return found


def ours_in(cells: Sequence[Cell]) -> dict[str, int]:
    """Return where the columns of a correction workbook stand that are ours, the first of each."""
    return {label: at for at, cell in reversed([*enumerate(cells)]) if (label := normalise_label(cell)) in OURS}


def fingerprint(labels: Sequence[str]) -> str:
    """Return the SHA-256 (hex) that tells headings from others; the database computes the same from the labels."""
    return hashlib.sha256("\x1f".join(labels).encode()).hexdigest()


def labels_at(rows: Sequence[Row], row_no: int, *, two: bool) -> Labels | None:
    """Return the headings in a row, or in it and the next one; None when there is no such row."""
    for position, (number, cells) in enumerate(rows, 1):
        if number != row_no:
            continue
        if not two:
            return Labels(number, cells, position)
        if position < len(rows) and rows[position][0] == number + 1:
            return Labels(number + 1, join_labels(cells, rows[position][1], {}), position + 1)
    return None


def places(rows: Sequence[Row]) -> Iterator[Labels]:
    """Yield every row that may hold headings, then every two that may hold them together."""
    for position, (number, cells) in enumerate(rows, 1):
        yield Labels(number, cells, position)
    for position, ((above_no, above), (below_no, below)) in enumerate(pairwise(rows), 2):
        if below_no == above_no + 1 and may_be_labels(above) and may_be_labels(below):
            yield Labels(below_no, join_labels(above, below, {}), position)


def first_rows(sheet: Table) -> list[Row]:
    """Return the rows among which headings are looked for."""
    return list(islice(sheet.rows(), SEARCHED_ROWS))


def locate(rows: Sequence[Row], known: Collection[str]) -> tuple[Labels, str] | None:
    """Return the first headings that have one of these fingerprints, and which."""
    for labels in places(rows):
        if (found := fingerprint([one.label for one in headings(labels.cells)])) in known:
            return labels, found
    return None


def find(table: Table, known: Collection[str]) -> tuple[Table, Labels, str] | None:
    """Return the sheet, the headings and the fingerprint of the first headings of a file that are known."""
    for sheet in most_likely_first(table) if known else ():
        if found := locate(first_rows(sheet), known):
            return sheet, *found
    return None


def mapped_header(
    table: Table, sheet: Table, labels: Labels, codes: Sequence[str], columns: Sequence[Column]
) -> Header:
    """Return the header that codes in the order of the headings make; an empty code is a column left unread.

    Further sheets with the same headings are read on. Raises FileRefused F23.
    """
    if sheet is not table:
        table.lead_with(sheet)
    named = headings(labels.cells)
    found = {one.index: code for one, code in zip(named, codes, strict=True) if code}
    unknown = [(one.index, one.shown) for one in named if one.index not in found and one.label]
    missing = [column for column in columns if column.code not in found.values()]
    ours = ours_in(labels.cells)
    header = Header(
        labels.row_no, found, {column.code: column.label for column in columns}, unknown, missing, [],
        ours.get(SOURCE_LABEL), ours.get(REASON_LABEL), labels.cells,
    )  # fmt: skip
    header.ignored.extend(notes_under(first_rows(table)[labels.next : labels.next + 2], header))
    known = {fingerprint([one.label for one in named])}

    def same_header(other: Table, rows: Sequence[Row]) -> Labels | str:
        same = locate(rows, known)
        return same[0] if same else without_header(other, rows)

    read_on(table, header, same_header)
    return header


# --- whether and what to ask -----------------------------------------------------------------------------


def can_be_mapped(table: Table, columns: Sequence[Column]) -> bool:
    """Tell whether some row has enough headings to feed every required column: else asking what they mean is no help."""
    names, required = known_names(columns), {column.code for column in columns if column.required}
    for sheet in most_likely_first(table):
        for labels in places(first_rows(sheet)):
            if may_be_labels(labels.cells) and _free(labels, names, required) >= len(required):
                return True
    return False


def _free(labels: Labels, names: dict[str, str], required: set[str]) -> int:
    """Count the headings that may stand for a required column: those that do not name an optional one."""
    taken: set[str] = set()
    count = 0
    for one in headings(labels.cells):
        code = names.get(one.label, "")
        optional = code and code not in required and code not in taken
        taken.add(code)
        count += bool(one.label) and not optional
    return count


def why_no_headings(labels: Labels | None) -> str:
    """Return why a row cannot be the headings, or an empty string."""
    if labels is None:
        return "没有这一行，或它下面没有紧接着的一行。请另选一行。"
    if not may_be_labels(labels.cells):
        return f"第 {labels.row_no} 行含有数字、日期或号码，像是数据而不是列名。请另选一行；文件没有表头的，请补上后重新上传。"
    if any(len(one.label) > LONGEST_LABEL for one in headings(labels.cells)):
        return f"第 {labels.row_no} 行有超过 {LONGEST_LABEL} 个字的格，像是说明而不是列名。请另选一行。"
    if any(re.search(r"\d{6}", one.label) for one in headings(labels.cells)):  # 12 34 56, or digits from two rows
        return f"第 {labels.row_no} 行有一格是一串数字，像是数据而不是列名。请另选一行。"
    return "" if headings(labels.cells) else f"第 {labels.row_no} 行没有列名。请另选一行。"


def likely_headings(rows: Sequence[Row], columns: Sequence[Column]) -> tuple[int, bool]:
    """Return where the headings most likely stand: the number of their first row, and whether there are two."""
    labels, best = best_labels(rows, known_names(columns))
    if best:
        for number, cells in rows:
            if number == labels.row_no:
                return (number, False) if cells is labels.cells else (number - 1, True)
    fullest = max((row for row in rows if may_be_labels(row[1])), key=lambda row: len(headings(row[1])), default=None)
    return (fullest or rows[0])[0] if rows else 0, False


def names_somebody_else(label: str) -> bool:
    """Tell whether a heading is about another person than the party: 法定代表人 and the like."""
    return bool(OTHER_PEOPLE.search(label))


def suggest(
    named: Sequence[Heading], contents: Sequence[Content], columns: Sequence[Column], kinds: Kinds
) -> list[str]:
    """Return for each heading the code it most likely stands for, or an empty string; no code twice.

    What is named exactly goes first, then what is named most alike, if no other field is named as much alike and the
    cells are of the field's kind. `kinds`: code → data type of the field.
    """
    names = known_names(columns)
    likeness: dict[tuple[int, str], float] = {}
    for at, one in enumerate(named):
        for name, code in names.items():
            if contents[at].may_be(kinds.get(code, "")):
                likeness[at, code] = max(likeness.get((at, code), 0.0), _likeness(one.label, name))
    found = [""] * len(named)
    for (at, code), much in sorted(likeness.items(), key=lambda pair: -pair[1]):
        if much < ALIKE or found[at] or code in found:
            continue
        others = [other for (where, what), other in likeness.items() if where == at and what not in (code, *found)]
        if much > max(others, default=0.0):
            found[at] = code
    return found


def _likeness(label: str, name: str) -> float:
    if not label or names_somebody_else(label) and label != name:
        return 0.0
    if label == name:
        return 2.0
    within = min(len(label), len(name)) >= 2 and (label in name or name in label)
    return SequenceMatcher(None, label, name, autojunk=False).ratio() + 0.25 * within


# --- what is under a heading, without saying it ----------------------------------------------------------


DAY, NUMBER, ID_NUMBER, LONG_NUMBER = "日期", "数字", "18 位号码", "数字格式的长号码（可能已失真）"
NOTHING, MORE = "这些行里没有内容", "等"
OF_TYPE = {"date": (DAY,), "amount": (NUMBER,), "id_number": (ID_NUMBER, LONG_NUMBER)}


@dataclass(frozen=True)
class Content:
    """What a column holds: the kind in words, and some cells masked."""

    kind: str
    samples: tuple[str, ...] = ()

    def may_be(self, datatype: str) -> bool:
        """Tell whether a field of a data type may hold such cells."""
        kind = self.kind.removesuffix(MORE)
        if kind == NOTHING:
            return True
        wanted = OF_TYPE.get(datatype)
        return kind in wanted if wanted else kind not in (DAY, ID_NUMBER)


def content_under(rows: Sequence[Row], index: int) -> Content:
    """Return what the cells of a column are like; footers are no cells of it."""
    cells = [row[index] for _, row in rows if index < len(row) and row[index] is not None and not is_footer(row)]
    if not cells:
        return Content(NOTHING)
    kinds = Counter(map(kind_of, cells)).most_common()
    return Content(kinds[0][0] + (MORE if len(kinds) > 1 else ""), tuple(dict.fromkeys(map(masked, cells)))[:3])


def kind_of(cell: Cell) -> str:
    """Return what a cell is like, in words."""
    if isinstance(cell, date):
        return DAY
    text = str(cell).strip()
    if isinstance(cell, Number):
        return LONG_NUMBER if len(text) >= 15 else NUMBER
    for pattern, kind in ((_ID_NUMBER, ID_NUMBER), (_DAY, DAY), (_CREDIT_CODE, "18 位代码"), (_AMOUNT, NUMBER)):
        if pattern.fullmatch(text):
            return kind
    return "短文字" if len(text) <= 10 else "文字" if len(text) <= 30 else "长文字"


def masked(cell: Cell) -> str:
    """Return what may be shown of a cell: its first character, of a day its year, of a single character nothing."""
    if isinstance(cell, date):
        return f"{cell.year}-••-••"
    text = str(cell or "").strip()
    if day := _DAY.fullmatch(text):
        return f"{day[1]}-••-••"
    dots = "•" * min(max(len(text) - 1, 1), DOTS) if text else ""
    return f"{text[:1] if len(text) > 1 else ''}{dots}{'…' if len(text) > DOTS + 1 else ''}"


def shown_in_search(cells: Sequence[Cell]) -> list[str]:
    """Return a row the way it is shown to find the headings: what reads like a heading as it is, all else masked."""
    if not may_be_labels(cells):
        return [masked(cell) for cell in cells]
    return [
        str(cell) if _HEADING.search(normalise_label(cell)) and len(str(cell)) <= 30 else masked(cell) for cell in cells
    ]
