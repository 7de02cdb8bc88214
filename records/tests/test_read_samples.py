"""Samples hold invented people and exactly the faults they announce."""

import io
from datetime import date

import pytest

from records.intake.base import Number
from records.intake.cells import CellError, to_amount, to_code_text, to_date, to_text
from records.intake.files import open_table
from records.intake.header import find_header, is_footer
from records.intake.samples import (
    COLUMNS,
    DATE_COLUMNS,
    FLAWS,
    ID_COLUMNS,
    INDEX,
    TODAY,
    check_digit,
    write_sample,
)

PROHIBITED = ("病", "宗教", "基因", "拘留", "治安", "未成年", "电话", "举报", "投诉")


def judge(column, cell):
    """What the converters make of a cell of this column."""
    code, required = column.code, column.required
    if code in DATE_COLUMNS:
        return to_date(cell, required=required)
    if code in ("CF_NR_FK", "CF_NR_WFFF"):
        return to_amount(cell)
    if code in ID_COLUMNS:
        return to_code_text(cell, required=required, id_number=code == "CF_XDR_ZJHM")
    return to_text(cell, required=required, is_name=code == "CF_XDR_MC")


def read(kind, *, messy, rows=400, encoding="utf-8-sig"):
    out = io.BytesIO()
    outcomes = write_sample(out, rows, messy=messy, kind=kind, seed=11, encoding=encoding)
    table = open_table(out)
    header = find_header(table, COLUMNS)
    data = {
        number: cells + [None] * (len(COLUMNS) - len(cells))
        for number, cells in table.rows()
        if number >= header.data_from and not is_footer(cells)
    }
    return outcomes, data


@pytest.mark.parametrize("kind", ["xlsx", "csv"])
def test_a_clean_sample_has_no_fault(kind):
    outcomes, data = read(kind, messy=False)
    assert [outcome.row_no for outcome in outcomes] == list(data)
    numbers = set()
    for cells in data.values():
        judged = {c.code: judge(c, cell) for c, cell in zip(COLUMNS, cells, strict=True)}
        assert not [value for value in judged.values() if type(value) is CellError]
        number = judged["CF_XDR_ZJHM"]
        assert number.startswith("359901") and check_digit(number[:17]) == number[17]
        assert date.fromisoformat(f"{number[6:10]}-{number[10:12]}-{number[12:14]}").year < 2006
        assert judged["CF_JDRQ"] <= TODAY
        assert not any(word in str(cell) for word in PROHIBITED for cell in cells)
        numbers.add(number)
    assert len(numbers) == len(data)


@pytest.mark.parametrize("kind", ["xlsx", "csv"])
def test_a_messy_sample_has_every_fault_where_it_says(kind):
    outcomes, data = read(kind, messy=True)
    assert [outcome.row_no for outcome in outcomes] == list(data)
    assert {outcome.flaw for outcome in outcomes} == {None, *FLAWS}
    seen_by_cells = {
        "number_id": "C02", "no_document": "C01", "formula_name": "C05", "bad_date": "C06",
        "empty_name": "C01",
    }  # fmt: skip
    for outcome in outcomes:
        cells = data[outcome.row_no]
        errors = {
            column.code: value.code
            for column, cell in zip(COLUMNS, cells, strict=True)
            if type(value := judge(column, cell)) is CellError
        }
        expected = seen_by_cells.get(outcome.flaw)
        assert errors == ({outcome.column: expected} if expected else {}), outcome


def test_number_typed_ids_are_numbers_in_the_workbook():
    outcomes, data = read("xlsx", messy=True)
    typed = [data[o.row_no][INDEX["CF_XDR_ZJHM"]] for o in outcomes if o.flaw == "number_id"]
    assert typed and all(type(cell) is Number and cell.endswith("000") for cell in typed)


def test_gb18030_samples():
    outcomes, data = read("csv", messy=True, encoding="gb18030")
    assert len(outcomes) == len(data) == 400
