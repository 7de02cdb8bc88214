"""A workbook is read as its sender sees it."""

import io
from datetime import date, datetime

import openpyxl
import pytest
import xlsxwriter
from python_calamine import CalamineWorkbook

from records.intake.files import ErrorCell, Formula, Number, open_table


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
        book.active.append(
            [f"文字{row}", row, row / 7, date(2026, 1, 1), None, f"<&>{row}", row % 2 == 0, " "]
        )
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
                assert cell == (
                    {True: "TRUE", False: "FALSE"}[value]
                    if isinstance(value, bool)
                    else value or None
                )


def test_error_cells_are_told_apart():
    book = openpyxl.Workbook()
    book.active["A1"] = "#N/A"
    book.active["A1"].data_type = "e"
    out = io.BytesIO()
    book.save(out)
    cell = rows_of(out)[0][1][0]
    assert isinstance(cell, ErrorCell) and cell == "#N/A"
