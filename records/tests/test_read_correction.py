"""The correction workbook holds the bad rows only and leads back to them."""

import io
import random

import openpyxl
import pytest

from records.intake.correction import Problem, write_correction
from records.intake.files import open_table
from records.intake.header import find_header, is_footer
from records.intake.samples import COLUMNS, ID_COLUMNS, INDEX, write_sample

BATCH = "B20261124-0007"


def correction_of(stream, problems_of, batch_no=BATCH):
    table = open_table(stream)
    header = find_header(table, COLUMNS)
    problems = problems_of(table, header)
    out = io.BytesIO()
    count = write_correction(out, table, header, problems, batch_no=batch_no, id_columns=set(ID_COLUMNS))
    return out, count, header


@pytest.fixture(scope="module", params=["xlsx", "csv"])
def messy(request):
    out = io.BytesIO()
    outcomes = write_sample(out, 400, messy=True, kind=request.param, seed=5)
    return out, {outcome.row_no: outcome for outcome in outcomes if not outcome.accepted}


def as_problems(bad):
    return lambda table, header: {
        number: [Problem(o.column, "C06", f"{o.flaw}。请改正。"), Problem(None, "R01", "整行。")]
        for number, o in bad.items()
    }


def test_bad_rows_only_with_reasons_and_source(messy):
    stream, bad = messy
    out, count, header = correction_of(stream, as_problems(bad))
    assert count == len(bad) > 20

    book = openpyxl.load_workbook(out)
    assert book.sheetnames == ["待更正", "填写说明"]
    sheet = book["待更正"]
    assert sheet.freeze_panes == "A3"
    rows = list(sheet.iter_rows(min_row=3))
    assert len(rows) == len(bad)
    for row, (number, outcome) in zip(rows, sorted(bad.items()), strict=True):
        marked = row[INDEX[outcome.column]]
        assert marked.fill.fgColor.rgb == "FFFFC7CE"
        assert outcome.flaw in marked.comment.text
        label = header.labels[outcome.column]
        assert row[-2].value == f"1. 【{label}】{outcome.flaw}。请改正。\n2. 整行。"
        assert row[-1].value == f"{BATCH}#{number}"
        assert row[INDEX["CF_XDR_ZJHM"]].number_format == "@"
        assert all(cell.data_type in "sn" and (cell.data_type == "s" or cell.value is None) for cell in row)


def test_corrected_and_sent_back_it_leads_to_the_rows(messy):
    stream, bad = messy
    out, _, _ = correction_of(stream, as_problems(bad))
    book = openpyxl.load_workbook(out)
    for row in book["待更正"].iter_rows(min_row=3):
        row[0].value = "更正人"
    sent_back = io.BytesIO()
    book.save(sent_back)

    table = open_table(sent_back)
    header = find_header(table, COLUMNS)
    assert table.sheet == "待更正"
    assert header.missing == [] and header.unknown == []
    sources = [
        (cells[0], cells[header.source_index])
        for number, cells in table.rows()
        if number >= header.data_from and not is_footer(cells)
    ]
    assert sources == [("更正人", f"{BATCH}#{number}") for number in sorted(bad)]


def test_a_second_correction_keeps_its_shape(messy):
    stream, bad = messy
    first, _, _ = correction_of(stream, as_problems(bad))

    def only_third(table, header):
        return {4: [Problem("CF_WSH", "C01", "此项必填。请填写。")]}

    second, count, header = correction_of(first, only_third, "B20261125-0001")
    assert count == 1
    sheet = openpyxl.load_workbook(second)["待更正"]
    labels = [cell.value for cell in sheet[header.row_no]]
    assert labels.count("更正说明") == labels.count("来源行") == 1
    assert sheet.cell(3, header.source_index + 1).value == "B20261125-0001#4"


def test_nothing_becomes_a_formula_again():
    text = '姓名,证件号码\n"=HYPERLINK(""http://x"",""y"")",+1\n{=A1},https://example.com\n'
    columns = [c for c in COLUMNS if c.code in ("CF_XDR_MC", "CF_XDR_ZJHM")]
    table = open_table(io.BytesIO(text.encode()))
    header = find_header(table, columns)
    out = io.BytesIO()
    problems = {n: [Problem("CF_XDR_MC", "C05", "请改。")] for n in (2, 3)}
    write_correction(out, table, header, problems, batch_no="B", id_columns=set())
    sheet = openpyxl.load_workbook(out).active
    assert [cell.value for cell in sheet[2]][:2] == ['=HYPERLINK("http://x","y")', "+1"]
    assert all(cell.data_type == "s" for row in sheet.iter_rows() for cell in row)
    assert not sheet["B3"].hyperlink
    again = [cells[0] for _, cells in open_table(out).rows()]
    assert again[1:] == ['=HYPERLINK("http://x","y")', "{=A1}"]


def test_comments_are_capped_and_reasons_are_not(monkeypatch):
    monkeypatch.setattr("records.intake.correction.MAX_COMMENTS", 3)
    stream = io.BytesIO()
    write_sample(stream, 20, messy=False)
    out, count, header = correction_of(
        stream, lambda *_: {n: [Problem("CF_WSH", "C01", "请填写。")] for n in range(2, 22)}
    )
    assert count == 20
    sheet = openpyxl.load_workbook(out).active
    column = INDEX["CF_WSH"] + 1
    assert sum(sheet.cell(row, column).comment is not None for row in range(2, 22)) == 3
    assert all("请填写" in cell.value for cell in sheet["Z"][1:])
    assert header.row_no == 1


def test_samples_are_the_same_for_the_same_seed():
    made = []
    for _ in range(2):
        out = io.BytesIO()
        write_sample(out, 50, messy=True, kind="csv", seed=random.Random(4).randrange(99))
        made.append(out.getvalue())
    assert made[0] == made[1]
