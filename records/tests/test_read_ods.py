"""An ods is read cell by cell as an xlsx is; what repeats without end costs nothing."""

import io
import zipfile
from datetime import date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from records.intake.base import Boolean, ErrorCell, FileRefused, Formula, Limits, Number
from records.intake.files import open_table
from records.tests.crafting import ods, ods_cell, ods_row
from records.tests.test_read_refusals import refusal


def rows_of(stream):
    return list(open_table(stream).rows())


def only_row(*cells, **more):
    return rows_of(ods(ods_row(*cells), **more))[0][1]


def test_every_kind_of_cell():
    row = only_row(
        "张三",
        ods_cell("3.59901E+17", value_type="float", value="359901199001010011"),
        ods_cell("15%", value_type="percentage", value="0.15"),
        ods_cell("￥1.25", value_type="currency", value="1.25"),
        ods_cell("2026年3月1日", value_type="date", date_value="2026-03-01"),
        ods_cell("", value_type="date", date_value="2026-03-01T08:30:00"),
        ods_cell("TRUE", value_type="boolean", boolean_value="true"),
        ods_cell("#N/A", value_type="float", value="0"),
        ods_cell("甲", value_type="string", string_value="乙"),
    )
    assert row == [
        "张三", "359901199001010000", "0.15", "1.25", date(2026, 3, 1), datetime(2026, 3, 1, 8, 30), "TRUE", "#N/A", "乙",
    ]  # fmt: skip
    assert [type(cell) for cell in row[1:4]] == [Number] * 3
    assert [type(cell) for cell in row[6:8]] == [Boolean, ErrorCell]


def test_errors_as_libreoffice_marks_them():
    cell = '<table:table-cell office:value-type="string" calcext:value-type="error"><text:p>#REF!</text:p></table:table-cell>'
    found = only_row(cell)
    assert found == ["#REF!"] and type(found[0]) is ErrorCell


def test_formulas_keep_their_value_and_say_that_they_are_formulas():
    found = only_row(
        ods_cell("2", formula="of:=1+1", value_type="float", value="2"),
        ods_cell("2026-03-01", formula="of:=TODAY()", value_type="date", date_value="2026-03-01"),
        '<table:table-cell table:formula="of:=A1"/>',
    )
    assert found == ["2", "2026-03-01", ""]
    assert [type(cell) for cell in found] == [Formula] * 3
    assert found[0].expression == "of:=1+1"


def test_texts_of_several_paragraphs_spaces_and_links_without_comments():
    cell = (
        '<table:table-cell office:value-type="string"><office:annotation><text:p>批注</text:p></office:annotation>'
        '<text:p>第一<text:s text:c="2"/>段<text:span>甲<text:tab/>乙</text:span></text:p>'
        "<text:p>  \n  第<text:a>二</text:a>段<text:line-break/>尾</text:p></table:table-cell>"
    )
    assert only_row(cell) == ["第一  段甲\t乙\n 第二段\n尾"]


def test_the_null_date_moves_no_day():
    settings_1904 = (
        '<table:calculation-settings><table:null-date table:date-value="1904-01-01"/></table:calculation-settings>'
    )
    assert only_row(ods_cell("", value_type="date", date_value="2026-03-01"), settings=settings_1904) == [
        date(2026, 3, 1)
    ]


def test_repeated_cells_and_rows_with_content_are_repeated():
    twice = '<table:table-cell table:number-columns-repeated="2" office:value-type="string"><text:p>甲</text:p></table:table-cell>'
    gap = '<table:table-cell table:number-columns-repeated="3"/>'
    rows = ods_row(twice, gap, "乙") + ods_row("丙", attributes=' table:number-rows-repeated="3"') + ods_row("丁")
    assert rows_of(ods(rows)) == [
        (1, ["甲", "甲", None, None, None, "乙"]), (2, ["丙"]), (3, ["丙"]), (4, ["丙"]), (5, ["丁"]),
    ]  # fmt: skip


def test_empty_tails_to_the_end_of_the_sheet_cost_nothing():
    empty = '<table:table-cell table:style-name="x" table:number-columns-repeated="16384"/>'
    tail = ods_row(empty, attributes=' table:number-rows-repeated="1048574"')
    book = ods(ods_row("姓名", empty) + tail + ods_row("末"))
    assert rows_of(book) == [(1, ["姓名"]), (1_048_576, ["末"])]


def test_hidden_sheets_rows_and_columns_and_merged_cells():
    styles = '<style:style style:name="藏" style:family="table"><style:table-properties table:display="false"/></style:style>'
    secret = f'<table:table table:name="旧" table:style-name="藏">{ods_row("x")}</table:table>'
    columns = '<table:table-column table:number-columns-repeated="2"/><table:table-column table:visibility="collapse"/>'
    merged = ods_cell("张三", number_columns_spanned="1", number_rows_spanned="2", value_type="string")
    covered = '<table:covered-table-cell office:value-type="string"><text:p>看不见</text:p></table:covered-table-cell>'
    rows = (
        ods_row("姓名", "号码")
        + ods_row(merged, "甲")
        + ods_row(covered, "乙", attributes=' table:visibility="filter"')
    )
    table = open_table(ods(secret, columns + rows, styles=styles))
    assert [(sheet.name, sheet.hidden) for sheet in table.sheets] == [("旧", True), ("表2", False)]
    assert table.merged == ["A2:A3"]
    assert [cells for _, cells in table.rows()] == [["姓名", "号码"], ["张三", "甲"], [None, "乙"]]
    assert table.skipped == ["有 1 行处于隐藏状态（如第 3 行），仍已读取。", "有 1 列处于隐藏状态（C），仍已读取。"]


def test_row_groups_header_rows_and_tables_inside_cells():
    inner = f'<table:table-cell><table:table table:name="内">{ods_row("不读")}</table:table></table:table-cell>'
    rows = f"<table:table-header-rows>{ods_row('姓名')}</table:table-header-rows>" + ods_row("张三", inner)
    table = open_table(ods(rows + f"<table:table-row-group>{ods_row('李四')}</table:table-row-group>", ods_row("次")))
    assert [sheet.name for sheet in table.sheets] == ["表1", "表2"]
    assert [(number, cells[0]) for number, cells in table.rows()] == [(1, "姓名"), (2, "张三"), (3, "李四")]


def test_values_agree_with_calamine(tmp_path):
    rows = "".join(
        ods_row(f"文字{n}", ods_cell(str(n), value_type="float", value=str(n / 7)), "", f"&lt;{n}&amp;")
        for n in range(1, 200)
    )
    out = ods(rows)
    (tmp_path / "a.ods").write_bytes(out.getvalue())
    theirs = CalamineWorkbook.from_path(str(tmp_path / "a.ods")).get_sheet_by_index(0).to_python()
    for (_, mine), other in zip(rows_of(out), theirs, strict=True):
        assert [mine[0], mine[2] or "", mine[3]] == [other[0], other[2], other[3]]
        assert float(mine[1]) == pytest.approx(other[1], rel=1e-14)


MANIFEST = (
    b'<m:manifest xmlns:m="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"><m:file-entry m:full-path="content.xml">'
    b'<m:encryption-data m:checksum="x"/></m:file-entry></m:manifest>'
)


def test_what_cannot_be_taken_is_named():
    assert refusal(ods(ods_row("甲"), extra={"META-INF/manifest.xml": MANIFEST})).code == "F03"
    assert refusal(ods(ods_row("甲"), extra={"encrypted-package": b"x"})).code == "F03"
    assert refusal(ods(ods_row("甲"), extra={"Basic/Standard/Module1.xml": b"<x/>"})).code == "F09"
    assert refusal(ods(ods_row("甲"), extra={"Scripts/python/a.py": b"x"})).code == "F09"
    assert refusal(ods()).code == "F07"
    assert refusal(ods("")).code == "F16"
    assert refusal(ods(ods_row("甲", attributes=' table:number-rows-repeated="9"')), Limits(max_rows=8)).code == "F11"
    wide = '<table:table-cell table:number-columns-repeated="16384" office:value-type="string"><text:p>甲</text:p></table:table-cell>'
    assert refusal(ods(ods_row(wide))).code == "F12"
    assert refusal(ods(ods_row("长" * 40_000))).code == "F14"
    for nonsense in ("-1", "0", "x", "9" * 30):
        assert refusal(ods(ods_row("甲", attributes=f' table:number-rows-repeated="{nonsense}"'))).code == "F08"


def test_external_entities_and_bombs_are_refused():
    with zipfile.ZipFile(ods(ods_row("&x;"))) as archive:
        content = archive.read("content.xml")
    outside = content.replace(b"?>", b'?><!DOCTYPE o [<!ENTITY x SYSTEM "file:///etc/passwd">]>', 1)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", "x")
        archive.writestr("content.xml", outside)
    assert refusal(out).code == "F22"
    bomb = ods(ods_row("甲" * 30_000) * 400)
    assert refusal(bomb).code == "F10"


WHOLE = ods(
    "".join(
        ods_row("张三", ods_cell("1", value_type="float", value="1"), attributes=' table:number-rows-repeated="2"')
        for _ in range(40)
    )
).getvalue()


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_broken_files_are_refused_or_read_but_never_break_the_reader(data):
    with zipfile.ZipFile(io.BytesIO(WHOLE)) as archive:
        content = bytearray(archive.read("content.xml"))
    whole_zip = data.draw(st.booleans())
    broken = bytearray(WHOLE) if whole_zip else content
    for _ in range(data.draw(st.integers(1, 6))):
        broken[data.draw(st.integers(4, len(broken) - 1))] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        del broken[data.draw(st.integers(0, len(broken) - 1)) :]
    out = io.BytesIO(bytes(broken))
    if not whole_zip:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr("mimetype", "x")
            archive.writestr("content.xml", bytes(broken))
    try:
        for _ in open_table(out).rows():
            pass
    except FileRefused as refused:
        assert "请" in refused.message
