"""What spreadsheets do to identity numbers never lands on another person, in whichever format it comes."""

import csv
import io
from datetime import date
from typing import Any

import openpyxl
import pytest
import xlwt
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from catalogue.models import Field
from creditfujian.lib import identity
from creditfujian.tests.cast import Cast
from records.intake import files, header
from records.intake.schema import Schema
from records.models import Batch, Record
from records.tests.crafting import ods, ods_cell, ods_row
from records.tests.deliveries import HEADER, as_csv, check, penalty, problems

NUMBERS = st.builds(identity.invent, st.dates(date(1930, 1, 1), date(2006, 12, 31)), st.integers(1, 999))
FULL_WIDTH = str.maketrans("0123456789Xx", "０１２３４５６７８９Ｘｘ")

# What a spreadsheet makes of the number: shown, saved as csv, or turned back into a text.
LOSSES = {
    "as a number": lambda number: int(number),
    "as a float": lambda number: float(number),
    "15 digits as a number": lambda number: int(number[:6] + number[8:17]),
    "15 digits": lambda number: number[:6] + number[8:17],
    "3.60E+17": lambda number: f"{float(number):.2E}",
    "3.59901E+17": lambda number: f"{float(number):.5E}",
    "all digits of the exponent": lambda number: f"{float(number):.14E}",
    "small e": lambda number: f"{float(number):.10e}",
    "zeros at the end": lambda number: number[:15] + "000",
    "zeros at the end, spaced": lambda number: f" {number[:15]}000 ",
    "cut": lambda number: number[:15],
    "last one lost": lambda number: number[:17],
}
# What people type around it, which says the same number.
HABITS = {
    "as it is": lambda number: number,
    "apostrophe": lambda number: "'" + number,
    "spaces": lambda number: f" {number[:6]} {number[6:14]} {number[14:]}\u3000",
    "full width": lambda number: number.translate(FULL_WIDTH),
    "zero width": lambda number: f"\u200b{number[:9]}\ufeff{number[9:]}\u200e",
    "no-break": lambda number: f"\xa0{number}\xa0",
    "small x": lambda number: number.lower(),
    "Cyrillic": lambda number: number.replace("X", "Х"),
    "Greek": lambda number: number.replace("X", "Χ"),
    "times": lambda number: number.replace("X", "×"),
    "hyphens": lambda number: f"{number[:6]}-{number[6:14]}-{number[14:]}",
}


def as_text(row: list[Any], delimiter: str, encoding: str) -> io.BytesIO:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter)
    writer.writerow(HEADER)
    writer.writerow([f"{float(cell):.14E}" if type(cell) in (int, float) else cell for cell in row])
    return io.BytesIO(text.getvalue().encode(encoding))


def as_xlsx(row: list[Any]) -> io.BytesIO:
    book = openpyxl.Workbook()
    book.active.append(HEADER)
    for column, cell in enumerate(row, 1):
        book.active.cell(2, column, cell).data_type = "n" if type(cell) in (int, float) else "s"
    out = io.BytesIO()
    book.save(out)
    return out


def as_xls(row: list[Any]) -> io.BytesIO:
    book = xlwt.Workbook()
    sheet = book.add_sheet("一")
    for column, (label, cell) in enumerate(zip(HEADER, row, strict=True)):
        sheet.write(0, column, label)
        sheet.write(1, column, float(cell) if type(cell) is int else cell)
    out = io.BytesIO()
    book.save(out)
    return out


def as_ods(row: list[Any]) -> io.BytesIO:
    cells = [
        ods_cell("3.6E+17", value_type="float", value=repr(cell)) if type(cell) in (int, float)
        else f'<table:table-cell office:value-type="string" office:string-value="{cell}"/>'
        for cell in row
    ]  # fmt: skip
    return ods(ods_row(*HEADER) + ods_row(*cells))


FORMATS = {
    "csv": lambda row: as_text(row, ",", "utf-8-sig"),
    "gb18030": lambda row: as_text(row, ",", "gb18030"),
    "tsv": lambda row: as_text(row, "\t", "utf-8"),
    "xlsx": as_xlsx,
    "xls": as_xls,
    "ods": as_ods,
}


@pytest.fixture
def rules(cast: Cast) -> Schema:
    return Schema(cast.item, cast.market)


def taken(rules: Schema, cast: Cast, made: Any, kind: str) -> tuple[str | None, list[str]]:
    """The number that a file with this cell is read as, and why its row goes back."""
    row = [made if label == "证件号码" else value for label, value in penalty(cast).items()]
    table = files.open_table(FORMATS[kind](row))
    head = header.find_header(table, rules.columns())
    cells = [cells for row_no, cells in table.rows() if row_no >= head.data_from]
    block = rules.reader(head.columns, head.source_index)(cells)
    code = rules.bound[Field.Binding.ID_NUMBER]
    return block.id_numbers[0], [reason for field, reason, _ in block.problems.get(0, []) if field == code]


SETTINGS = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@given(NUMBERS, st.sampled_from(sorted(LOSSES)), st.sampled_from(sorted(FORMATS)))
@SETTINGS
def test_a_damaged_number_is_refused(rules: Schema, cast: Cast, number: str, loss: str, kind: str) -> None:
    assume(number.isdigit())
    _, reasons = taken(rules, cast, LOSSES[loss](number), kind)
    assert reasons, (number, loss, kind)


@given(NUMBERS, st.sampled_from(sorted(HABITS)), st.sampled_from(sorted(FORMATS)))
@SETTINGS
def test_a_number_written_by_habit_is_that_number_or_goes_back(
    rules: Schema, cast: Cast, number: str, habit: str, kind: str
) -> None:
    found, reasons = taken(rules, cast, HABITS[habit](number), kind)
    assert found == number or reasons
    assert not reasons or reasons == ["C16"] and number.endswith("000") or reasons == ["R10"]


@given(NUMBERS, st.sampled_from(sorted(FORMATS)), st.text(max_size=24))
@SETTINGS
def test_no_text_becomes_a_number_that_it_does_not_spell(
    rules: Schema, cast: Cast, number: str, kind: str, text: str
) -> None:
    made = number[:9] + text + number[9:]
    assume(not any(character < " " or "\ud800" <= character <= "\udfff" for character in made))
    assume('"' not in made and "<" not in made and "&" not in made and "\x7f" not in made)
    assume(kind != "gb18030")
    found, reasons = taken(rules, cast, made, kind)
    assert reasons or found == identity.normalise(made)


def ending_in_000() -> str:
    """A real number whose serial and check digit are all zeros at the end: one in a thousand is."""
    days = (date(1980, 1, day) for day in range(1, 32))
    return next(number for day in days if (number := identity.invent(day, 100)).endswith("000"))


def test_a_number_that_does_end_in_000_goes_in_once_somebody_has_looked(cast: Cast) -> None:
    number = ending_in_000()
    rows = [penalty(cast, 行政相对人名称="林末零", 证件号码=number)]
    first = check(cast, as_csv(rows))
    assert problems(first) == {2: ["C16"]}
    assert "更正件" in first.staged.get().problems[0][2]
    again = [{**rows[0], "来源行": f"{first.number}#2"}]
    batch = check(cast, as_csv(again, header=[*HEADER, "来源行"]))
    assert (batch.new, batch.refused) == (1, 0)
    assert Record.objects.count() == 0 and Batch.objects.count() == 2
