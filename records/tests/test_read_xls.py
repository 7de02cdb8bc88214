"""An xls of Excel 97 to 2003 or of WPS is read cell by cell as an xlsx is: types, days, formulas, what is hidden."""

import io
import random
import struct
from datetime import date, datetime

import pytest
import xlwt
from hypothesis import given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from records.intake.base import Boolean, ErrorCell, FileRefused, Formula, Limits, Number
from records.intake.files import open_table
from records.tests.crafting import ole, xls
from records.tests.test_read_refusals import refusal

DAY = xlwt.easyxf(num_format_str="yyyy-mm-dd")
CHINESE_DAY = xlwt.easyxf(num_format_str='yyyy"年"m"月"d"日"')
BOF = struct.pack("<HHHHHHII", 0x0809, 16, 0x0600, 0x0005, 0, 0, 0, 0)
EOF = struct.pack("<HH", 0x000A, 0)


def rows_of(stream):
    return list(open_table(stream).rows())


def record(kind: int, data: bytes = b"") -> bytes:
    return struct.pack("<HH", kind, len(data)) + data


def one_sheet(*cells: bytes, before: bytes = b"") -> io.BytesIO:
    """A workbook of one sheet 甲 from raw records; `before` joins the workbook's own."""
    name = "甲".encode("utf-16-le")
    sheet = struct.pack("<IBBBB", 0, 0, 0, 1, 1) + name
    start = len(BOF) + len(before) + len(record(0x85, sheet)) + len(EOF)
    sheet = struct.pack("<I", start) + sheet[4:]
    return ole(BOF + before + record(0x85, sheet) + EOF + BOF + b"".join(cells) + EOF)


def test_every_kind_of_cell():
    def fill(book):
        sheet = book.add_sheet("名单")
        for column, value in enumerate(["姓名", 359901199001010011.0, 1.25, -3, 1e-7, True, " 𠮷·阿卜杜 "]):
            sheet.write(0, column, value)
        sheet.write(1, 0, date(2026, 3, 1), DAY)
        sheet.write(1, 1, datetime(2026, 3, 1, 8, 30), CHINESE_DAY)
        sheet.row(1).set_cell_error(2, 0x2A)
        sheet.write(1, 3, 350102199001011)
        sheet.write(1, 4, 20260301)
        sheet.write(1, 6, "")

    first, second = rows_of(xls(fill))
    assert first == (1, ["姓名", "359901199001010000", "1.25", "-3", "0.0000001", "TRUE", " 𠮷·阿卜杜 "])
    assert [type(cell) for cell in first[1]] == [str, Number, Number, Number, Number, Boolean, str]
    assert second == (2, [date(2026, 3, 1), datetime(2026, 3, 1, 8, 30), "#N/A", "350102199001011", "20260301"])
    assert [type(cell) for cell in second[1][2:]] == [ErrorCell, Number, Number]


def test_formulas_are_told_from_values_whatever_they_give():
    def formula(column: int, result: bytes, *after: bytes) -> bytes:
        return record(6, struct.pack("<HHH", 0, column, 0) + result + b"\0" * 8) + b"".join(after)

    text = record(0x207, struct.pack("<HB", 2, 1) + "张三".encode("utf-16-le"))
    shared = record(0x04BC, b"\0" * 10)
    found = rows_of(
        one_sheet(
            formula(0, struct.pack("<d", 2.0)),
            formula(1, b"\0\0\0\0\0\0\xff\xff", text),
            formula(2, b"\0\0\0\0\0\0\xff\xff", shared, text),
            formula(3, b"\1\0\1\0\0\0\xff\xff"),
            formula(4, b"\2\0\x07\0\0\0\xff\xff"),
            formula(5, b"\3\0\0\0\0\0\xff\xff"),
            formula(6, b"\0\0\0\0\0\0\xff\xff"),
        )
    )
    assert found == [(1, ["2", "张三", "张三", "TRUE", "#DIV/0!", "", ""])]
    assert {type(cell) for cell in found[0][1]} == {Formula}


def test_old_labels_packed_numbers_and_charts_inside_a_sheet():
    label = record(0x204, struct.pack("<HHHHB", 0, 0, 0, 2, 0) + b"AB")
    rich = record(0xD6, struct.pack("<HHHHB", 0, 1, 0, 1, 1) + "甲".encode("utf-16-le") + b"\0\0")
    packed = (
        struct.pack("<HH", 0, 2) + b"".join(struct.pack("<HI", 0, rk) for rk in (7 << 2 | 2, 125 << 2 | 3)) + b"\3\0"
    )
    chart = BOF + record(0x203, struct.pack("<HHHd", 0, 9, 0, 5.0)) + EOF
    negative = record(0x27E, struct.pack("<HHHI", 0, 4, 0, (-3 << 2 | 2) & 0xFFFFFFFF))
    found = rows_of(one_sheet(label, rich, record(0xBD, packed), chart, negative))
    assert found == [(1, ["AB", "甲", "7", "1.25", "-3"])]


def test_days_of_the_1904_calendar():
    def fill(book):
        book.dates_1904 = True
        book.add_sheet("一").write(0, 0, 44620, DAY)

    assert rows_of(xls(fill)) == [(1, [date(2026, 3, 1)])]


def test_long_texts_cut_by_record_ends_are_whole():
    made = random.Random(4)
    texts = ["".join(made.choice("a甲𠮷·b") for _ in range(made.randrange(1, 3000))) for _ in range(400)]

    def fill(book):
        sheet = book.add_sheet("一")
        for number, text in enumerate(texts):
            sheet.write(number, 0, text)

    assert [cells for _, cells in rows_of(xls(fill))] == [[text] for text in texts]


def test_values_agree_with_calamine():
    def fill(book):
        sheet = book.add_sheet("一")
        for row in range(600):
            for column, value in enumerate([f"文字{row}", row, row / 7, f"{row}" * 30, row % 2 == 0, row * 1e9]):
                sheet.write(row, column, value)

    out = xls(fill)
    theirs = CalamineWorkbook.from_filelike(io.BytesIO(out.getvalue())).get_sheet_by_index(0).to_python()
    ours = rows_of(out)
    assert len(ours) == len(theirs)
    for (_, mine), other in zip(ours, theirs, strict=True):
        for cell, value in zip(mine, other, strict=True):
            if isinstance(cell, Number):
                assert float(cell) == pytest.approx(value, rel=1e-14)
            else:
                assert cell == (str(value).upper() if isinstance(value, bool) else value)


def test_what_is_hidden_and_merged_is_told():
    def fill(book):
        secret = book.add_sheet("藏")
        secret.visibility = 2
        secret.write(0, 0, "x")
        sheet = book.add_sheet("名单")
        sheet.write_merge(0, 0, 0, 2, "标题")
        sheet.write_merge(1, 2, 0, 0, "张三")
        sheet.write(2, 1, "乙")
        sheet.row(2).hidden = True
        sheet.col(1).hidden = True
        sheet.col(255).hidden = True

    table = open_table(xls(fill))
    assert (table.kind, table.sheet) == ("xls", "名单")
    assert [(sheet.name, sheet.hidden) for sheet in table.sheets] == [("藏", True), ("名单", False)]
    assert sorted(table.merged) == ["A1:C1", "A2:A3"]
    assert list(table.rows()) == [(1, ["标题"]), (2, ["张三"]), (3, [None, "乙"])]
    assert table.skipped == ["有 1 行处于隐藏状态（如第 3 行），仍已读取。", "有 1 列处于隐藏状态（B），仍已读取。"]


def test_what_cannot_be_taken_is_named():
    number = record(0x203, struct.pack("<HHHd", 0, 0, 0, 5.0))
    assert refusal(one_sheet(number, before=record(0x2F, b"\0" * 54))).code == "F03"
    old = one_sheet(number).getvalue().replace(BOF, BOF[:4] + b"\x00\x05" + BOF[6:])
    assert refusal(old).code == "F04"
    macro = one_sheet(number).getvalue()
    at = macro.index(struct.pack("<H", 0x85) + b"\x0a\0") + 9
    assert refusal(macro[:at] + b"\1" + macro[at + 1 :]).code == "F09"
    assert refusal(macro[:at] + b"\2" + macro[at + 1 :]).code == "F16"
    assert refusal(one_sheet()).code == "F16"
    backwards = record(0x203, struct.pack("<HHHd", 4, 0, 0, 5.0)) + number
    assert refusal(one_sheet(backwards)).code == "F08"
    assert refusal(one_sheet(record(0xFD, struct.pack("<HHHI", 0, 0, 0, 9)))).code == "F08"
    assert refusal(ole(b"\x01\x02")).code == "F08"
    assert refusal(ole(BOF)).code == "F08"
    far = record(0x203, struct.pack("<HHHd", 0, 250, 0, 5.0))
    assert refusal(one_sheet(far)).code == "F12"

    def rows(book):
        sheet = book.add_sheet("一")
        for number in range(9):
            sheet.write(number, 0, "长" * 30)

    assert refusal(xls(rows), Limits(max_rows=8)).code == "F11"
    assert refusal(xls(rows), Limits(max_cell_chars=29)).code == "F14"


def whole_workbook() -> bytes:
    def fill(book):
        sheet = book.add_sheet("名单")
        for number in range(60):
            for column, value in enumerate(["张三", number, 1.5, True, date(2026, 3, 1), xlwt.Formula("1+1")]):
                sheet.write(number, column, value, *([DAY] if column == 4 else []))

    return xls(fill).getvalue()


WHOLE = whole_workbook()


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_broken_files_are_refused_or_read_but_never_break_the_reader(data):
    broken = bytearray(WHOLE)
    for _ in range(data.draw(st.integers(1, 8))):
        broken[data.draw(st.integers(8, len(broken) - 1))] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        del broken[data.draw(st.integers(0, len(broken) - 1)) :]
    try:
        for _ in open_table(io.BytesIO(bytes(broken))).rows():
            pass
    except FileRefused as refused:
        assert "请" in refused.message
