"""Whatever office software saved it, a delivery becomes the same records, and what is not taken is told."""

import io
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlwt

from creditfujian.lib import identity
from creditfujian.tests.cast import OTHER_NUMBER, Cast
from records import actions
from records.forms import UploadForm
from records.intake.base import SHEET_STEP
from records.models import Batch
from records.preview import reasons
from records.tests.crafting import ods, ods_cell, ods_row
from records.tests.deliveries import HEADER, as_csv, check, decided, penalty, problems


def cells(row: dict[str, str]) -> list[Any]:
    """The row with its days as days, as a spreadsheet holds them."""
    return [
        date.fromisoformat(value) if label in ("处罚决定日期", "公示截止期") else value for label, value in row.items()
    ]


def as_xls(rows: list[dict[str, str]]) -> bytes:
    book = xlwt.Workbook()
    sheet = book.add_sheet("一")
    day = xlwt.easyxf(num_format_str="yyyy-mm-dd")
    for number, row in enumerate([HEADER, *map(cells, rows)]):
        for column, cell in enumerate(row):
            sheet.write(number, column, cell, *([day] if isinstance(cell, date) else []))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def as_ods(rows: list[dict[str, str]]) -> bytes:
    made = [
        ods_row(*(
            ods_cell(value_type="date", date_value=cell.isoformat()) if isinstance(cell, date) else cell for cell in cells(row)
        ))
        for row in rows
    ]  # fmt: skip
    return ods(ods_row(*HEADER) + "".join(made)).getvalue()


def as_xlsx(*sheets: tuple[str, list[list[Any]]]) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets:
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def tsv(rows: list[dict[str, str]]) -> bytes:
    return "".join("\t".join(row) + "\n" for row in [HEADER, *(list(row.values()) for row in rows)]).encode()


FORMATS = {
    "处罚.csv": as_csv,
    "处罚.tsv": tsv,
    "处罚.txt": lambda rows: tsv(rows).decode().encode("gb18030"),
    "处罚.xls": as_xls,
    "处罚.et": as_xls,
    "处罚.ods": as_ods,
    "处罚.xlsx": lambda rows: as_xlsx(("一", [HEADER, *map(cells, rows)])),
}


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gives_the_same_record(cast: Cast, name: str) -> None:
    batch = check(cast, FORMATS[name]([penalty(cast)]), name=name)
    assert (batch.rows, batch.new, batch.refused) == (1, 1, 0), batch.failure
    actions.commit_now(batch.pk, by=cast.data_reviewer)
    again = check(cast, as_csv([penalty(cast), penalty(cast, 行政处罚决定书文号="闽市监处罚〔2026〕2号")]))
    assert (again.unchanged, again.new) == (1, 1)


@pytest.mark.parametrize("name", FORMATS)
def test_the_upload_page_takes_every_format(cast: Cast, name: str) -> None:
    accepted = UploadForm(user=cast.data_officer).fields["file"].widget.attrs["accept"].split(",")
    assert Path(name).suffix in accepted


def test_rows_of_a_second_sheet_are_named_by_their_sheet(cast: Cast) -> None:
    known_to_nobody = {"证件号码": identity.invent(decided(50 * 365), 7)}
    good = list(penalty(cast, 行政相对人名称="林立夏", **known_to_nobody).values())
    other = penalty(cast, 行政相对人名称="林立秋", 行政处罚决定书文号="闽市监处罚〔2026〕2号", **known_to_nobody)
    other_name = list(other.values())
    third = list(penalty(cast, 行政相对人名称="林大雪", 证件号码=OTHER_NUMBER, 行政处罚决定书文号="闽3号").values())
    content = as_xlsx(("一月", [HEADER, third]), ("二月", [HEADER, good, good, other_name]))
    batch = check(cast, content, name="两月.xlsx")
    assert problems(batch) == {SHEET_STEP + 2: ["R03"], SHEET_STEP + 3: ["R01"], SHEET_STEP + 4: ["R03"]}
    assert batch.sheet == "一月、二月"
    told = {reason.code: reason.examples[0] for reason in reasons(batch, with_examples=True)}
    assert told["R01"].place == "第 2 张表第 3 行"
    assert "与本文件第 2 张表第 2 行重复" in told["R01"].message
    assert "在本文件第 2 张表第 4 行使用了另一个姓名" in told["R03"].message
    assert any("二月" in note and "接着读取" in note for note in batch.notes)


def test_a_duplicate_on_the_first_sheet_is_named_by_its_row_alone(cast: Cast) -> None:
    row = list(penalty(cast).values())
    batch = check(cast, as_xlsx(("一月", [HEADER, row]), ("二月", [HEADER, row])), name="两月.xlsx")
    assert "与本文件第 2 行重复" in reasons(batch, with_examples=True)[0].examples[0].message


def test_hidden_rows_and_merged_cells_are_told_on_the_receipt(cast: Cast) -> None:
    book = openpyxl.Workbook()
    for row in (HEADER, list(penalty(cast).values()), list(penalty(cast, 行政处罚决定书文号="").values())):
        book.active.append(row)
    book.active.merge_cells("E2:E3")
    book.active.row_dimensions[3].hidden = True
    book.active.column_dimensions["G"].hidden = True
    out = io.BytesIO()
    book.save(out)
    batch = check(cast, out.getvalue(), name="隐藏.xlsx")
    assert problems(batch) == {3: ["C01"]}
    notes = "".join(batch.notes)
    assert "有 1 行处于隐藏状态（如第 3 行）" in notes
    assert "有 1 列处于隐藏状态（G）" in notes
    assert "合并单元格（“Sheet”E2:E3）" in notes


def test_a_second_sheet_in_another_order_refuses_the_file(cast: Cast) -> None:
    row = list(penalty(cast).values())
    batch = check(cast, as_xlsx(("一月", [HEADER, row]), ("二月", [HEADER[::-1], row[::-1]])), name="两月.xlsx")
    assert batch.state == Batch.State.REFUSED
    assert batch.failure is not None and batch.failure["code"] == "F23"
