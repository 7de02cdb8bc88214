"""No cell that leaves the portal is taken for a formula by a spreadsheet program."""

import csv
import io
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from creditfujian.lib import spreadsheet

DANGEROUS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "＝1",
    "＋1",
    "－1",
    "＠1",
    " =1",
    "\u3000=cmd|' /C calc'!A0",
]
MADE = datetime(2026, 1, 1)


@pytest.mark.parametrize("text", DANGEROUS)
def test_what_looks_like_a_formula_is_led_by_an_apostrophe(text: str) -> None:
    assert spreadsheet.safe(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "行政处罚", "350000", "a=b", "第 1 版，2021-09-01 至 长期", "“+”"])
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert spreadsheet.safe(text) == text


def test_both_kinds_of_file_hold_texts_only() -> None:
    rows = [[text, "0012", "https://example.org/"] for text in DANGEROUS]
    head = ["=甲", "乙", "丙"]
    table = spreadsheet.as_csv(head, rows)
    assert table.startswith("\ufeff".encode())
    read = list(csv.reader(io.StringIO(table.decode("utf-8-sig"), newline="")))
    assert read == [["'=甲", "乙", "丙"], *([spreadsheet.safe(row[0]), *row[1:]] for row in rows)]
    sheet = load_workbook(io.BytesIO(spreadsheet.as_xlsx("表", head, rows, made=MADE))).active
    cells = [cell for row in sheet.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells} == {"s"}
    assert sheet["B2"].value == "0012"
    assert not any(cell.hyperlink for cell in cells)


def test_the_same_rows_give_the_same_bytes() -> None:
    assert spreadsheet.as_xlsx("表", ["甲"], [["1"]], made=MADE) == spreadsheet.as_xlsx(
        "表", ["甲"], [["1"]], made=MADE
    )


def test_a_cell_that_is_too_long_says_so() -> None:
    sheet = load_workbook(io.BytesIO(spreadsheet.as_xlsx("表", ["甲"], [["长" * 40_000]], made=MADE))).active
    assert len(sheet["A2"].value) == spreadsheet.MAX_CELL
    assert sheet["A2"].value.endswith(spreadsheet.TOO_LONG)


@given(st.text(max_size=20))
def test_no_text_whatever_begins_like_a_formula_and_none_is_changed(text: str) -> None:
    safe = spreadsheet.safe(text)
    assert safe[:1] not in {*"=+-@\t\r\n\0＝＋－＠"}
    assert spreadsheet.unsafe(safe) == text
