"""Finding the row of headings, and what each column means."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice, pairwise, zip_longest
from typing import NamedTuple, NoReturn

from .base import Cell, FileRefused, Formula, Number, Row, Table, column_name, refuse

SEARCHED_ROWS = 20
MOST_SHEETS = 100  # that go on where the first ends
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
# Sheets that are no delivery by their name; whatever they hold is told.
NO_DATA = re.compile(r"示例|样例|范例|样表|模板|说明|须知|作废|撤销|字典|代码|参考")
OTHER_PEOPLE = re.compile(r"法定代表人|负责人|代理人|监护人|举报|投诉|被害|受害|证人|联系|经办|执法|配偶|家属|担保")
ID_NUMBER = re.compile(r"(?<!\d)\d{17}[\dXx](?!\d)")
JUST_A_NAME = frozenset({"名称", "全称"})  # under 处罚机关
OF_A_PERSON = re.compile(r"姓\s*名|名\s*称|证\s*件|身份证|号\s*码")
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
    `reason_index`: our own columns when a correction workbook comes back. `cells`: the headings as one row, also
    where the sheet has two.
    """

    row_no: int
    columns: dict[int, str]
    labels: dict[str, str]
    unknown: list[tuple[int, str]] = field(default_factory=list)
    missing: list[Column] = field(default_factory=list)
    ignored: list[int] = field(default_factory=list)
    source_index: int | None = None
    reason_index: int | None = None
    cells: Sequence[Cell] = ()

    @property
    def data_from(self) -> int:
        """The first row number that may hold data."""
        return max([self.row_no, *self.ignored]) + 1


def normalise_label(text: object) -> str:
    """A heading without what people add to it: width, spaces, line breaks, marks, 必填."""
    if not isinstance(text, str):
        return ""
    folded = unicodedata.normalize("NFKC", text)
    folded = "".join(c for c in folded if unicodedata.category(c) not in SPACE_OR_FORMAT)
    folded = folded.replace("【", "(").replace("】", ")").replace("[", "(").replace("]", ")")
    return MARKS.sub("", folded).upper()


def find_header(table: Table, columns: Sequence[Column]) -> Header:
    """The row or two among the first twenty with content that name most of `columns`, and the sheet they are in.

    Raises FileRefused: F17 no such row, F18 required columns missing, F19 a column twice, F23 another sheet goes on
    in another order.
    """
    names = known_names(columns)
    enough = min(2, len(columns))
    for sheet in most_likely_first(table):
        rows = list(islice(sheet.rows(), SEARCHED_ROWS))
        labels, matching = best_labels(rows, names)
        if matching >= enough:
            break
    else:
        refuse_without_header(table, columns)
    if sheet is not table:
        table.lead_with(sheet)
    header = read_header(labels, columns, names)
    header.ignored.extend(notes_under(rows[labels.next : labels.next + 2], header))
    read_on(table, header, lambda other, rows: _same_header(other, rows, header, columns, names))
    return header


def most_likely_first(table: Table) -> list[Table]:
    """The visible sheets in order, those that are examples or instructions by their name last."""
    visible = [table, *(other for other in table.others if not other.is_hidden)]
    return sorted(visible, key=lambda sheet: bool(NO_DATA.search(sheet.sheet)))


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


class Labels(NamedTuple):
    """The headings as one row: its number, its cells, and the position of the row after it."""

    row_no: int
    cells: Sequence[Cell]
    next: int


def best_labels(rows: Sequence[Row], names: dict[str, str]) -> tuple[Labels, int]:
    """The headings and how many different columns they name; the first of equals.

    Two rows are taken together, group headings above and column headings below, when that names more than either.
    """
    single = Labels(*rows[0], 1) if rows else Labels(0, [], 0)
    best = 0
    for position, (row_no, cells) in enumerate(rows, 1):
        if (named := _named(cells, names)) > best:
            single, best = Labels(row_no, cells, position), named
    for position, ((above_no, above), (row_no, below)) in enumerate(pairwise(rows), 2):
        if row_no != above_no + 1 or not may_be_labels(below):
            continue
        joined = join_labels(above, below, names)
        named = _named(joined, names)
        same_count = named == best and single.row_no == above_no and _goes_deeper(above, below, names)
        if named > best or named and same_count:
            single, best = Labels(row_no, joined, position), named
        elif single.row_no == row_no and _loses_names(below, joined, names):
            single = Labels(row_no, joined, position)
    return single, best


def _loses_names(below: Sequence[Cell], joined: Sequence[Cell], names: dict[str, str]) -> bool:
    """Whether the row above makes a name or number somebody else's, though the lower row alone names more columns."""
    pairs = zip(below, joined, strict=False)
    return any(normalise_label(own) in names and normalise_label(whole) not in names for own, whole in pairs)


def _named(cells: Sequence[Cell], names: dict[str, str]) -> int:
    return len({names.get(normalise_label(cell)) for cell in cells} - {None})


def may_be_labels(cells: Sequence[Cell]) -> bool:
    """Texts only, and none with a number as lines of data have them."""
    return all(cell is None or type(cell) is str and not re.search(r"\d{6}", cell) for cell in cells)


def _goes_deeper(above: Sequence[Cell], below: Sequence[Cell], names: dict[str, str]) -> bool:
    """Whether the lower row holds headings only, and some of them other than the one above: 罚款金额 under 处罚内容."""
    lower = [(index, names.get(normalise_label(cell))) for index, cell in enumerate(below) if cell is not None]
    return all(code for _, code in lower) and any(
        index < len(above) and names.get(normalise_label(above[index])) not in (None, code) for index, code in lower
    )


def join_labels(above: Sequence[Cell], below: Sequence[Cell], names: dict[str, str]) -> list[Cell]:
    """Group headings and column headings as one row; a group reaches over the columns to its right without one.

    A name or number under 法定代表人 and the like is somebody else's and never the person's own.
    """
    joined: list[Cell] = []
    group: Cell = None
    for upper, lower in zip_longest(above, below):
        if lower is None:
            group = None
            joined.append(upper)
            continue
        group = upper if upper is not None else group
        whole, own = f"{group or ''}{lower}", normalise_label(lower)
        if group is None or normalise_label(whole) in names:
            joined.append(whole)
        elif own in OURS or own in names and not (_names_others(group) and OF_A_PERSON.search(own)):
            joined.append(lower)
        elif own in JUST_A_NAME and normalise_label(group) in names:
            joined.append(group)
        else:
            joined.append(f"{group}（{lower}）")
    return joined


def _names_others(group: Cell) -> bool:
    label = normalise_label(group)
    return len(label) <= 10 and ":" not in label and bool(OTHER_PEOPLE.search(label))


def named_columns(cells: Sequence[Cell], names: dict[str, str]) -> dict[int, str]:
    """Index → code of the cells that name a column."""
    found = {index: names.get(normalise_label(cell), "") for index, cell in enumerate(cells)}
    return {index: code for index, code in found.items() if code}


def read_header(header: Labels, columns: Sequence[Column], names: dict[str, str]) -> Header:
    row_no, cells, _ = header
    found = named_columns(cells, names)
    unknown: list[tuple[int, str]] = []
    ours: dict[str, int] = {}
    for index, cell in enumerate(cells):
        label = normalise_label(cell)
        if index not in found and label in OURS:
            ours.setdefault(label, index)
        elif index not in found and cell is not None and label:
            unknown.append((index, str(cell)))
    labels = {column.code: column.label for column in columns}
    refuse_repeated(row_no, found, labels)
    absent = [column for column in columns if column.code not in found.values()]
    refuse_missing(row_no, [column for column in absent if column.required], unknown)
    return Header(row_no, found, labels, unknown, absent, [], ours.get(SOURCE_LABEL), ours.get(REASON_LABEL), cells)


def refuse_without_header(table: Table, columns: Sequence[Column]) -> NoReturn:
    wanted = [c for c in columns if c.required] or list(columns)
    named = "、".join(column.label for column in wanted[:12])
    refuse(
        "F17",
        f"在“{table.sheet}”前 {SEARCHED_ROWS} 个有内容的行中没有找到表头。应有这些列名：{named}"
        f"{'等' if len(wanted) > 12 else ''}。请下载模板，核对列名后重新上传。",
    )


# Where another sheet has the same headings, or why it is left unread. Raises FileRefused F23.
SameHeader = Callable[[Table, Sequence[Row]], Labels | str]


def read_on(table: Table, header: Header, same_header: SameHeader) -> None:
    """Let the other visible sheets with the same header follow, and say of the rest how much is left unread.

    Raises FileRefused F23 for a sheet that holds data which cannot be read together with the first.
    """
    for other in table.others:
        rows = list(islice(other.rows(), SEARCHED_ROWS))
        if not rows:
            continue
        labels = left_out(other) or same_header(other, rows)
        if isinstance(labels, str):
            count = sum(1 for _ in other.rows())
            table.skipped.append(f"工作表“{other.sheet}”{labels}，其中有内容的 {count} 行未读取。")
            continue
        after = max([labels.row_no, *notes_under(rows[labels.next : labels.next + 2], header)])
        if all(number <= after or is_footer(cells) for number, cells in rows):
            continue
        if len(table.further) == MOST_SHEETS:
            refuse("F23", f"表头相同的工作表超过 {MOST_SHEETS + 1} 张。请分成几个文件上传。")
        table.further.append((other, after))
        table.skipped.append(
            f"工作表“{other.sheet}”与“{table.sheet}”表头相同，已接着读取，行号写作“第 {len(table.further) + 1} 张表第几行”。"
        )


def left_out(other: Table) -> str:
    """Why a sheet is left unread whatever its header; empty when it is not."""
    if other.is_hidden:
        return "是隐藏的"
    return "按名称不是报送数据（如应报送请改名）" if NO_DATA.search(other.sheet) else ""


def without_header(other: Table, rows: Sequence[Row]) -> str:
    """Why a sheet without our header is left unread. Raises FileRefused F23 when it holds identity numbers."""
    if any(ID_NUMBER.search(str(cell)) for _, cells in rows for cell in cells):
        refuse(
            "F23",
            f"工作表“{other.sheet}”中有证件号码，但没有表头，无法判断各列含义。请补上与第一张表相同的表头，"
            "或把数据合并到一张表后重新上传；不报送的请删去。",
        )
    return "没有本条目的表头"


def _same_header(
    other: Table, rows: Sequence[Row], header: Header, columns: Sequence[Column], names: dict[str, str]
) -> Labels | str:
    labels, matching = best_labels(rows, names)
    if matching < min(2, len(columns)):
        return without_header(other, rows)
    found = named_columns(labels.cells, names)
    if found == header.columns:
        return labels
    required = {column.code for column in columns if column.required}
    if len(required & {*found.values()}) * 2 < len(required):
        return "表头与本条目不符"
    refuse(
        "F23",
        f"工作表“{other.sheet}”也有数据，但第 {labels.row_no} 行表头与前面的工作表不同（列名或次序不一样），不能一起读取。"
        "请把各表的表头改成一致，或分别另存为文件上传；不报送的请删去。",
    )


def merged_notes(table: Table, header: Header) -> list[str]:
    """Say where merged cells leave rows of data without a value. Asked once the rows have been read."""
    found = [
        f"“{sheet.sheet}”{name}"
        for sheet, after in [(table, header.data_from - 1), *table.further]
        for name in sheet.merged
        if (rows := [int(number) for number in re.findall(r"\d+", name)])[0] > after and rows[-1] > rows[0]
    ]
    if not found:
        return []
    return [
        f"数据区有合并单元格（{'、'.join(found[:3])}{f' 等 {len(found)} 处' if len(found) > 3 else ''}），"
        "其中没有内容的格按空读取。请取消合并，逐行填写。"
    ]


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
