"""The family of small messy samples in docs/samples: one for each way in which office files go wrong.

Everybody in them is invented (area 359901, which does not exist). `manage.py write_sample DIR --family` writes them;
records/tests/test_samples.py holds each to its receipt.
"""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any, BinaryIO

from .sample_sheets import Kind, TextSheet, new_xlsx, write_xlsx_row
from .samples import COLUMNS, INDEX, check_digit, clean_row, id_number, write_sample

USCC = "11350000MADEM00038"  # the demo's market regulator
LABELS = [column.label for column in COLUMNS]
ID, NAME, DOC, FACTS = (INDEX[code] for code in ("CF_XDR_ZJHM", "CF_XDR_MC", "CF_WSH", "CF_SY"))
Rows = list[list[Any]]


def rows_of(seed: int, count: int) -> Rows:
    """Good rows about people who are in no other sample."""
    rng = random.Random(seed)
    return [clean_row(rng, number + seed * 1_000_000, uscc=USCC) for number in range(count)]


def _messy(kind: Kind, seed: int, encoding: str = "utf-8-sig") -> Callable[[BinaryIO], None]:
    def write(out: BinaryIO) -> None:
        write_sample(out, 45, messy=True, kind=kind, seed=seed, uscc=USCC, encoding=encoding, flawed=0.45)

    return write


class Book:
    """An xlsx made sheet by sheet."""

    def __init__(self, out: BinaryIO, **options: Any) -> None:
        self.book = new_xlsx(out, **options)
        self.day = self.book.add_format({"num_format": "yyyy-mm-dd"})
        self.bold = self.book.add_format({"bold": True})

    def sheet(self, name: str, rows: list[list[Any]]) -> Any:
        sheet = self.book.add_worksheet(name)
        for number, row in enumerate(rows):
            write_xlsx_row(sheet, number, row, self.day)
        return sheet

    def close(self) -> None:
        self.book.close()


# Two rows of headings: column code → (group heading, heading below it)
GROUPS = {
    "CF_XDR_MC": ("当事人", "姓名"), "CF_XDR_LB": ("当事人", "行政相对人类别"), "CF_XDR_ZJLX": ("当事人", "证件类型"),
    "CF_XDR_ZJHM": ("当事人", "证件号码"), "CF_CFLB": ("处罚结果", "处罚类别"), "CF_NR": ("处罚结果", "处罚内容"),
    "CF_NR_FK": ("处罚结果", "罚款金额（万元）"),
    "CF_NR_WFFF": ("处罚结果", "没收违法所得、没收非法财物的金额（万元）"),
    "CF_CFJG": ("处罚机关", "名称"), "CF_CFJGDM": ("处罚机关", "统一社会信用代码"),
}  # fmt: skip


def two_headers(out: BinaryIO) -> None:
    """A title, group headings over merged cells, headings below, data, 合计 and 制表人."""
    rows = rows_of(41, 12)
    rows[4][ID] = rows[4][ID][:17] + ("1" if rows[4][ID][17] != "1" else "2")
    pairs = [GROUPS.get(column.code, (column.label, None)) for column in COLUMNS]
    book = Book(out)
    above: list[Any] = [group if at == 0 or pairs[at - 1][0] != group else None for at, (group, _) in enumerate(pairs)]
    below: list[Any] = [heading for _, heading in pairs]
    footers: Rows = [["合计", *[None] * 9, 12.0], ["制表人：张某", None, "审核人：李某"]]
    sheet = book.sheet("行政处罚", [["自然人行政处罚信息报送表"], above, below, *rows, *footers])
    sheet.merge_range(0, 0, 0, len(COLUMNS) - 1, "自然人行政处罚信息报送表", book.bold)
    start = 0
    for at in range(1, len(pairs) + 1):
        if at == len(pairs) or pairs[at][0] != pairs[start][0]:
            bottom = 1 if pairs[start][1] else 2
            if at - 1 > start or bottom > 1:
                sheet.merge_range(1, start, bottom, at - 1, pairs[start][0], book.bold)
            start = at
    book.close()


def excel_damaged_ids(out: BinaryIO) -> None:
    """What spreadsheets do to identity numbers, and what people type around them."""
    rows = rows_of(42, 16)
    changes: list[Callable[[str], Any]] = [
        lambda number: float(number[:17] + "0"),  # typed as a number
        lambda number: float(number[:15] + "000"),
        lambda number: float(number[:6] + number[8:17]),  # 15 digits, as a number
        lambda number: number[:6] + number[8:17],  # 15 digits, as a text
        lambda number: f"{float(number[:17] + '0'):.2E}",  # 3.60E+17
        lambda number: f"{float(number[:17] + '0'):.14E}",
        lambda number: number[:14] + "0000",  # the last digits lost, then made a text
        lambda number: number[:15],
        lambda number: number[:17],
        lambda number: "'" + number,
        lambda number: f" {number[:6]} {number[6:14]} {number[14:]} ",
        lambda number: "".join(chr(ord(c) + 0xFEE0) for c in number),
        lambda number: f"\u200b{number[:8]}\ufeff{number[8:]}",
        lambda number: _ending_in_x(number) + "Х",  # Cyrillic
        lambda number: _ending_in_x(number) + "×",
        _truncated_yet_valid,
    ]
    for row, change in zip(rows, changes, strict=False):
        row[ID] = change(row[ID])
    book = Book(out)
    book.sheet("行政处罚", [LABELS, *rows])
    book.close()


def _ending_in_x(number: str) -> str:
    """The first seventeen digits of the next number of that day that ends in X."""
    born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    found = (id_number(random.Random(0), serial, born) for serial in range(int(number[14:17]), 2_000))
    return next(candidate for candidate in found if candidate.endswith("X"))[:17]


def _truncated_yet_valid(number: str) -> str:
    """A truncated number that passes the check digit all the same, as one in eleven does."""
    born = [date(int(number[6:10]), int(number[10:12]), day) for day in range(1, 29)]
    made = (f"{number[:6]}{day:%Y%m%d}{hundred}00" for day in born for hundred in range(1, 10))
    return next(first17 for first17 in made if check_digit(first17) == "0") + "0"


def hidden_and_merged(out: BinaryIO) -> None:
    """Instructions first, two months on two sheets, an old hidden sheet, hidden and merged cells, formulas, footers."""
    january, february, old = rows_of(43, 9), rows_of(44, 6), rows_of(45, 3)
    january[2][DOC] = None  # covered by the merged cell above it
    book = Book(out)
    book.sheet("填报说明", [["请按月填报，金额单位为万元。"], ["证件号码请设为文本格式。"]])
    notes = [None, None, None, "18 位字符", None, None, None, None, None, None, "单位：万元"]
    sheet = book.sheet("一月", [["一月报送表"], LABELS, notes, *january, ["合计", *[None] * 9, 9.0], ["制表人：张某"]])
    sheet.merge_range(0, 0, 0, len(COLUMNS) - 1, "一月报送表", book.bold)
    sheet.merge_range(4, DOC, 5, DOC, january[1][DOC])  # rows 5 and 6 share a document number
    sheet.write_formula(6, INDEX["CF_NR_FK"], "=1.5+0.5", None, 2)
    sheet.write_formula(7, INDEX["CF_YJ"], "=NA()", None, "#N/A")
    sheet.write_boolean(8, INDEX["CF_WFXW"], True)
    sheet.write_string(9, INDEX["BZ"], "备注列是隐藏的")
    sheet.set_row(10, None, None, {"hidden": True})
    sheet.set_column(INDEX["BZ"], INDEX["BZ"], None, None, {"hidden": True})
    february[2][NAME] = None
    book.sheet("二月", [["二月报送表"], LABELS, *february, ["合计", *[None] * 9, 6.0]])
    book.sheet("旧数据", [LABELS, *old]).hide()
    book.sheet("统计", [["县区", "件数"], ["鼓楼区", 9.0], ["台江区", 6.0]])
    book.close()


def dates(out: BinaryIO) -> None:
    """A workbook of the 1904 calendar, as a Mac makes it, and days written in every way."""
    rows = rows_of(46, 14)
    decided = INDEX["CF_JDRQ"]
    ways: list[Callable[[date], Any]] = [
        lambda d: f"{d:%Y/%m/%d}",
        lambda d: f"{d.year}.{d.month}.{d.day}",
        lambda d: f"{d.year}年{d.month}月{d.day}日",
        chinese,
        lambda d: f"{d:%Y%m%d}",
        lambda d: float(f"{d:%Y%m%d}"),
        lambda d: "".join(chr(ord(c) + 0xFEE0) for c in f"{d:%Y-%m-%d}"),
        lambda d: f" {d:%Y-%m-%d} 08:30:00 ",
        lambda d: float((d - date(1904, 1, 1)).days),  # a serial number without a date format
        lambda d: "2026年2月30日",
        lambda d: "去年三月",
    ]
    for row, way in zip(rows[3:], ways, strict=False):
        row[decided] = way(row[decided])
    book = Book(out, date_1904=True)
    book.sheet("行政处罚", [LABELS, *rows])
    book.close()


def chinese(day: date) -> str:
    """二〇二六年三月五日."""
    digits = "〇一二三四五六七八九"

    def small(number: int) -> str:
        tens, ones = divmod(number, 10)
        head = {0: "", 1: "十"}.get(tens, f"{digits[tens]}十")
        return head + (digits[ones] if ones else "")

    return f"{''.join(digits[int(c)] for c in str(day.year))}年{small(day.month)}月{small(day.day)}日"


def names(out: BinaryIO) -> None:
    """Names as registers have them: rare characters, every kind of middle dot, spaces, what nobody else can read."""
    written = [
        "𠅤明", "陈㛃", "李𫟹", "阿依古丽·买买提", "阿依古丽•买买提", "阿依古丽・买买提", "阿依古丽．买买提", "张 三",
        "　林建国　", "王\u200b小\ufeff明", "'陈志强", "黄\ue123", "刘\ufffd", "=cmd", "", "John Smith",
    ]  # fmt: skip
    sheet = TextSheet(out, "utf-8-sig", ",")
    sheet.labels(LABELS)
    for row, name in zip(rows_of(47, len(written)), written, strict=True):
        row[NAME] = name
        sheet.row(row)
    sheet.close()


# What an office's own system calls some columns; the rest it calls as the catalogue does.
OWN_NAMES = {
    "CF_XDR_MC": "被处罚人", "CF_XDR_LB": "被处罚人性质", "CF_XDR_ZJLX": "持有证件", "CF_XDR_ZJHM": "被处罚人证号",
    "CF_WSH": "决定书编号", "CF_WFXW": "案由", "CF_SY": "查明事实", "CF_YJ": "法律依据", "CF_CFLB": "处罚方式",
    "CF_NR": "处理结果", "CF_JDRQ": "作出日期", "CF_CFJG": "办案机构", "CF_CFJGDM": "办案机构信用代码",
}  # fmt: skip


def own_headings(out: BinaryIO) -> None:
    """A sheet in the names of the office's own system, with a column that nobody asks for: it waits to be mapped."""
    rows = rows_of(48, 10)
    rows[3][ID] = rows[3][ID][:17] + ("1" if rows[3][ID][17] != "1" else "2")
    labels = [OWN_NAMES.get(column.code, column.label) for column in COLUMNS]
    book = Book(out)
    book.sheet("导出", [["办案系统导出"], [*labels, "承办科室"], *[[*row, "二科"] for row in rows]])
    book.close()


FAMILY: dict[str, Callable[[BinaryIO], None]] = {
    "messy.xlsx": _messy("xlsx", 31),
    "messy.xls": _messy("xls", 32),
    "messy.ods": _messy("ods", 33),
    "messy-gb18030.csv": _messy("csv", 34, "gb18030"),
    "messy.tsv": _messy("tsv", 35),
    "two-headers.xlsx": two_headers,
    "excel-damaged-ids.xlsx": excel_damaged_ids,
    "hidden-and-merged.xlsx": hidden_and_merged,
    "dates-1904.xlsx": dates,
    "names.csv": names,
    "own-headings.xlsx": own_headings,
}


def write_family(folder: Path) -> None:
    """Write every sample of the family into a folder."""
    for name, write in FAMILY.items():
        out = io.BytesIO()
        write(out)
        (folder / name).write_bytes(out.getvalue())
