"""A workbook is read as its sender sees it."""

import io
import random
from datetime import date, datetime

import openpyxl
import pytest
import xlsxwriter
from python_calamine import CalamineWorkbook

from records.intake.files import Boolean, ErrorCell, FileRefused, Formula, Number, open_table
from records.intake.header import Column, find_header
from records.intake.numbers import is_date_format
from records.tests.crafting import STRICT, STRICT_LINKS, crafted, text_row

SHARED = ' t="s"'


def workbook(fill, **options) -> io.BytesIO:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, options)
    fill(book)
    book.close()
    return out


def rows_of(stream) -> list:
    return list(open_table(stream).rows())


@pytest.mark.parametrize("constant_memory", [False, True])
def test_text_numbers_dates_and_errors_keep_their_kind(constant_memory):
    def fill(book):
        sheet = book.add_worksheet("名单")
        day = book.add_format({"num_format": 'yyyy"年"m"月"d"日"'})
        sheet.write_row(0, 0, ["姓名", "a & <b> “引号”", " 前后有空格 "])
        sheet.write_number(1, 0, 359901199001010011)
        sheet.write_number(1, 1, 0.1 + 0.2)
        sheet.write_datetime(1, 2, datetime(2026, 3, 1), day)
        sheet.write_datetime(1, 3, datetime(2026, 3, 1, 8, 30), day)
        sheet.write_formula(2, 0, "=1+1", None, 2)
        sheet.write_boolean(2, 1, True)
        sheet.write_string(2, 2, "𠮷·阿卜杜")

    first, second, third = rows_of(workbook(fill, constant_memory=constant_memory))
    assert first == (1, ["姓名", "a & <b> “引号”", " 前后有空格 "])
    assert second == (
        2,
        ["359901199001010000", "0.3", date(2026, 3, 1), datetime(2026, 3, 1, 8, 30)],
    )
    assert [type(cell) for cell in second[1][:2]] == [Number, Number]
    assert third == (3, ["2", "TRUE", "𠮷·阿卜杜"])
    assert isinstance(third[1][0], Formula) and third[1][0].expression == "1+1"


def test_values_agree_with_calamine(tmp_path):
    path = tmp_path / "a.xlsx"
    book = openpyxl.Workbook()
    for row in range(1, 400):
        book.active.append([f"文字{row}", row, row / 7, date(2026, 1, 1), None, f"<&>{row}", row % 2 == 0, " "])
    book.save(path)
    theirs = CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()
    with path.open("rb") as stream:
        ours = rows_of(stream)
    assert len(ours) == len(theirs)
    for (_, mine), other in zip(ours, theirs, strict=True):
        for cell, value in zip(mine, other, strict=True):
            if isinstance(cell, Number):
                assert float(cell) == pytest.approx(value, rel=1e-14)
            else:
                assert cell == ({True: "TRUE", False: "FALSE"}[value] if isinstance(value, bool) else value or None)


def test_error_cells_are_told_apart():
    book = openpyxl.Workbook()
    book.active["A1"] = "#N/A"
    book.active["A1"].data_type = "e"
    out = io.BytesIO()
    book.save(out)
    cell = rows_of(out)[0][1][0]
    assert isinstance(cell, ErrorCell) and cell == "#N/A"


DATE_STYLES = '<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs>'


def cell(reference: str, value: str, attributes: str = "") -> str:
    return f'<c r="{reference}"{attributes}><v>{value}</v></c>'


def only_row(*cells: str, **options) -> list:
    rows = rows_of(crafted(f'<row r="1">{"".join(cells)}</row>', **options))
    return rows[0][1] if rows else []


@pytest.mark.parametrize(
    ("stored", "is_1904", "day"),
    [
        ("1", False, date(1900, 1, 1)),
        ("59", False, date(1900, 2, 28)),
        ("61", False, date(1900, 3, 1)),
        ("46082", False, date(2026, 3, 1)),
        ("46082.5", False, datetime(2026, 3, 1, 12)),
        ("46081.9999999999", False, date(2026, 3, 1)),
        ("2958465", False, date(9999, 12, 31)),
        ("44620", True, date(2026, 3, 1)),
        ("0", True, date(1904, 1, 1)),
    ],
)
def test_serial_numbers_in_both_date_systems(stored, is_1904, day):
    options = {"workbook_pr": '<workbookPr date1904="1"/>'} if is_1904 else {}
    row = only_row(cell("A1", stored, ' s="1"'), styles=DATE_STYLES, **options)
    assert row == [day]
    assert type(row[0]) is type(day)


@pytest.mark.parametrize("stored", ["0", "0.5", "60", "-3", "2958466", "1E+300", "abc"])
def test_serial_numbers_that_are_no_day_stay_as_they_are(stored):
    row = only_row(cell("A1", stored, ' s="1"'), styles=DATE_STYLES)
    assert isinstance(row[0], str)


@pytest.mark.parametrize(
    ("code", "is_date"),
    [
        ("yyyy-mm-dd", True),
        ('yyyy"年"m"月"d"日"', True),
        ("[$-804]yyyy年m月d日;@", True),
        ("m/d", True),
        ("General", False),
        ("G/通用格式", False),
        ("0.00E+00", False),
        ('#,##0.00"days"', False),
        ("[Red]0.00;[蓝色]-0.00", False),
        ("@", False),
        ("h:mm:ss", False),
        ("[h]:mm", False),
        (r"0\d", False),
        ("_d0", False),
    ],
)
def test_which_formats_show_a_day(code, is_date):
    assert is_date_format(code) is is_date


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        ("1", "1"),
        ("007", "7"),
        ("1.0", "1"),
        ("0.30000000000000004", "0.3"),
        ("3.5990119900101001E+17", "359901199001010000"),
        ("1E-7", "0.0000001"),
        ("-12.50", "-12.5"),
        ("1e400", "1e400"),
        ("123456789012345678", "123456789012346000"),
        ("１２", "１２"),
    ],
)
def test_numbers_read_as_the_sheet_shows_them(stored, shown):
    assert only_row(cell("A1", stored)) == [shown]


def test_iso_dates_booleans_errors_and_text_results():
    row = only_row(
        cell("A1", "2026-03-01T00:00:00", ' t="d"'),
        cell("B1", "2026-03-01T08:30:00Z", ' t="d"'),
        cell("C1", "nonsense", ' t="d"'),
        cell("D1", "0", ' t="b"'),
        cell("E1", "#REF!", ' t="e"'),
        cell("F1", "A&amp;B_x000D_&#x4E00;&#24352;_x0000_", ' t="str"'),
    )
    assert row[:2] == [date(2026, 3, 1), datetime(2026, 3, 1, 8, 30)]
    assert row[2:] == ["nonsense", "FALSE", "#REF!", "A&B\r一张_x0000_"]
    assert isinstance(row[3], Boolean) and isinstance(row[4], ErrorCell)


def test_formulas_of_every_form_are_marked():
    row = only_row(
        '<c r="A1"><f>B1*2</f><v>4</v></c>',
        '<c r="B1"><f t="shared" ref="B1:B9" si="0">ROW()</f><v>1</v></c>',
        '<c r="C1"><f t="shared" si="0"/><v>2</v></c>',
        '<c r="D1" t="str"><f>"a"&amp;"b"</f><v>ab</v></c>',
        '<c r="E1"><f>TODAY()</f></c>',
        '<c r="F1" s="1"><f>DATE(2026,3,1)</f><v>46082</v></c>',
        '<c r="G1" t="e"><f>1/0</f><v>#DIV/0!</v></c>',
        styles=DATE_STYLES,
    )
    assert row == ["4", "1", "2", "ab", "", "2026-03-01", "#DIV/0!"]
    assert all(isinstance(value, Formula) for value in row)
    assert [row[0].expression, row[3].expression, row[4].expression] == [
        "B1*2",
        '"a"&"b"',
        "TODAY()",
    ]


def test_rich_text_without_phonetic_runs():
    rich = "<r><t>张</t></r><r><rPr><b/></rPr><t xml:space='preserve'> 三</t></r>"
    phonetic = "<rPh sb='0' eb='1'><t>zhang</t></rPh><phoneticPr fontId='1'/>"
    strings = f"<si>{rich}{phonetic}</si>\n<si/><si><t/></si><si><t>尾&lt;</t></si>"
    shared = [cell(f"{letter}1", str(n), ' t="s"') for n, letter in enumerate("ABCD")]
    assert only_row(*shared, strings=strings) == ["张 三", None, None, "尾<"]
    assert only_row(f'<c r="A1" t="inlineStr"><is>{rich}{phonetic}</is></c>') == ["张 三"]


def test_strict_workbooks_and_prefixed_names():
    row = '<x:row r="1"><x:c r="A1" t="s"><x:v>0</x:v></x:c><x:c r="B1"><x:v>2</x:v></x:c></x:row>'
    sheet = f'<x:worksheet xmlns:x="{STRICT}"><x:sheetData>{row}</x:sheetData></x:worksheet>'
    strings = f'<x:sst xmlns:x="{STRICT}"><x:si><x:t>甲</x:t></x:si></x:sst>'
    book = crafted(sheet, strings=strings, namespace=STRICT, links=STRICT_LINKS)
    assert rows_of(book) == [(1, ["甲", "2"])]


ODD_SHEETS = {
    "no references": '<row><c t="inlineStr"><is><t>甲</t></is></c><c/><c><v>2</v></c></row>',
    "other order of attributes": (
        '<row spans="1:3" r="1"><c t="inlineStr" r="A1"><is><t>甲</t></is></c><c s="0" r="C1"><v>2</v></c></row>'
    ),
    "single quotes": ("<row r='1'><c r='A1' t='inlineStr'><is><t>甲</t></is></c><c r='C1'><v>2</v></c></row>"),
    "spread over lines": (
        '\r\n <row r="1">\r\n  <c r="A1" t="inlineStr">\n <is>\n<t>甲</t></is></c>\n'
        '  <c r="C1">\n<v>2</v>\n</c>\n </row>\n'
    ),
    "comment": ('<row r="1"><!-- </row> --><c r="A1" t="inlineStr"><is><t>甲</t></is></c><c r="C1"><v>2</v></c></row>'),
    "cdata": ('<row r="1"><c r="A1" t="inlineStr"><is><t><![CDATA[甲]]></t></is></c><c r="C1"><v>2</v></c></row>'),
    "cells out of order": ('<row r="1"><c r="C1"><v>2</v></c><c r="A1" t="inlineStr"><is><t>甲</t></is></c></row>'),
    "utf-16": (
        '<?xml version="1.0" encoding="utf-16"?><worksheet><sheetData><row r="1">'
        '<c r="A1" t="inlineStr"><is><t>甲</t></is></c><c r="C1"><v>2</v></c></row>'
        "</sheetData></worksheet>"
    ),
    "extension in the row": (
        '<row r="1"><c r="A1" t="inlineStr"><is><t>甲</t></is></c><c r="C1"><v>2</v></c>'
        '<extLst><ext uri="x"/></extLst></row>'
    ),
}


@pytest.mark.parametrize("rows", ODD_SHEETS.values(), ids=ODD_SHEETS)
def test_unusual_xml_reads_the_same(rows):
    assert rows_of(crafted(rows)) == [(1, ["甲", None, "2"])]


def test_a_comment_late_in_the_sheet_loses_and_doubles_nothing():
    rows = [text_row(n, f"甲{n}", "一" * 40) for n in range(1, 9000)]
    expected = rows_of(crafted("".join(rows)))
    rows[8000] = f"<!-- </row> -->{rows[8000]}"
    assert rows_of(crafted("".join(rows))) == expected
    assert len(expected) == 8999


def test_a_comment_late_in_the_shared_strings_loses_and_doubles_nothing():
    items = [f"<si><t>串{n}{'一' * 30}</t></si>" for n in range(9000)]
    items[8500] = f"<!-- </si> -->{items[8500]}"
    row = "".join(cell(f"A{n}", str(n - 1), ' t="s"').join((f'<row r="{n}">', "</row>")) for n in range(1, 9001))
    found = rows_of(crafted(row, strings="".join(items)))
    assert [cells[0] for _, cells in found] == [f"串{n}{'一' * 30}" for n in range(9000)]


def test_gaps_keep_their_row_numbers():
    rows = text_row(3, "甲") + '<row r="5" s="1"/>\n<row r="6"><c r="A6" s="1"/></row>' + text_row(9, "乙")
    unnumbered = '<row/><row><c t="inlineStr"><is><t>丙</t></is></c></row>'
    assert rows_of(crafted(rows + unnumbered)) == [(3, ["甲"]), (9, ["乙"]), (11, ["丙"])]


def test_formatted_empty_rows_to_the_end_of_the_sheet_cost_little():
    styled = "".join(f'<c r="{letter}{{0}}" s="1"/>' for letter in "ABCDEF")
    rows = [f'<row r="{n}" spans="1:6">{styled.format(n)}</row>' for n in range(3, 120_001)]
    closed = [f'<row r="{n}" s="1" customFormat="1"/>' for n in range(120_001, 1_048_577)]
    book = crafted(text_row(1, "姓名") + text_row(2, "张三") + "".join(rows + closed))
    table = open_table(book)
    assert list(table.rows()) == [(1, ["姓名"]), (2, ["张三"])]


def test_merged_cells_keep_the_value_top_left():
    def fill(book):
        sheet = book.add_worksheet()
        sheet.merge_range("A1:C1", "标题")
        sheet.write_row("A2", ["姓名", "证件号码", "文号"])
        sheet.merge_range("A3:A4", "张三")
        sheet.write("B3", "甲")
        sheet.write("B4", "乙")

    table = open_table(workbook(fill))
    assert table.merged == ["A1:C1", "A3:A4"]
    assert [cells for _, cells in table.rows()] == [
        ["标题"], ["姓名", "证件号码", "文号"], ["张三", "甲"], [None, "乙"],
    ]  # fmt: skip
    odd = crafted('<worksheet><!-- x --><sheetData/><mergeCells><mergeCell ref="A1:B1"/>'
                  "</mergeCells></worksheet>", text_row(1, "甲"))  # fmt: skip
    assert open_table(odd).merged == []


def test_merged_ranges_of_an_odd_sheet():
    rows = f"<!-- x -->{text_row(1, '甲')}"
    sheet = f"<worksheet><sheetData>{rows}</sheetData><mergeCells><mergeCell ref='A1:B1'/></mergeCells></worksheet>"
    assert open_table(crafted(sheet)).merged == ["A1:B1"]


def test_the_first_visible_sheet_with_content_is_read_and_the_others_named():
    book = crafted(text_row(1, "藏"), "", text_row(1, "姓名"), text_row(1, "余"), hidden=(1,))
    table = open_table(book)
    assert table.sheet == "表3"
    assert [(sheet.name, sheet.hidden) for sheet in table.sheets] == [
        ("表1", True), ("表2", False), ("表3", False), ("表4", False),
    ]  # fmt: skip
    find_header(table, [Column("MC", "姓名", True)])
    assert table.skipped == [
        "工作表“表1”是隐藏的，其中有内容的 1 行未读取。", "工作表“表4”没有本条目的表头，其中有内容的 1 行未读取。",
    ]  # fmt: skip


def test_hidden_rows_are_read_and_noted():
    rows = text_row(1, "姓名") + text_row(2, "张三").replace("<row ", '<row hidden="1" ')
    rows += text_row(3, "李四").replace('r="3">', 'r="3" hidden="true">', 1)
    for body in (rows, f"<!-- x -->{rows}"):
        table = open_table(crafted(body))
        assert len(list(table.rows())) == 3
        list(table.rows())
        notes = [note for note in table.skipped if "隐藏" in note]
        assert notes == ["有 2 行处于隐藏状态（如第 2 行），仍已读取。"]


def test_rows_may_be_read_again_and_side_by_side():
    table = open_table(crafted("".join(text_row(n, f"甲{n}") for n in range(1, 20_000))))
    first, second = table.rows(), table.rows()
    pairs = list(zip(first, second, strict=True))
    assert len(pairs) == 19_999
    assert all(a == b for a, b in pairs)


def test_shared_strings_beyond_the_heap_come_from_disk(monkeypatch):
    monkeypatch.setattr("records.intake.strings.HELD_BYTES", 20_000)
    monkeypatch.setattr("records.intake.strings.KEPT_BLOCKS", 2)
    items = [f"串{n}\n𠮷{'一' * (n % 7)}" if n % 5 else "" for n in range(9000)]
    order = random.Random(3).sample(range(9000), 9000)
    rows = "".join(
        f'<row r="{i}">{cell(f"A{i}", str(n), SHARED)}{cell(f"B{i}", "0.5")}</row>' for i, n in enumerate(order, 1)
    )
    book = crafted(rows, strings="".join(f"<si><t>{text}</t></si>" for text in items))
    found = [cells[0] for _, cells in rows_of(book)]
    assert found == [items[n] or None for n in order]
    beyond = crafted(
        f'<row r="1">{cell("A1", "9000", SHARED)}</row>',
        strings="".join(f"<si><t>{text}</t></si>" for text in items),
    )
    with pytest.raises(FileRefused, match="9000"):
        open_table(beyond)
