"""Rows taken whole by their form are the rows that are read cell by cell."""

import io
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from records.intake import row_shape, samples
from records.intake.files import FileRefused, open_table
from records.tests.crafting import crafted

STYLES = '<numFmts/><cellXfs><xf numFmtId="0"/><xf numFmtId="49"/><xf numFmtId="14"/></cellXfs>'
STRINGS = "".join(f"<si><t>共{n}</t></si>" for n in range(9)) + "<si><t></t></si><si><t>a &amp; b_x000D_</t></si>"
CELLS = {
    "text": '<c r="{at}" t="inlineStr"><is><t>文{n}</t></is></c>',
    "styled text": '<c r="{at}" s="1" t="inlineStr"><is><t xml:space="preserve"> 文{n} </t></is></c>',
    "escaped": '<c r="{at}" t="inlineStr"><is><t>a &lt; b &#x4e00;_x000A_{n}</t></is></c>',
    "blank text": '<c r="{at}" t="inlineStr"><is><t></t></is></c>',
    "rich text": '<c r="{at}" t="inlineStr"><is><r><t>富</t></r><r><t>文{n}</t></r></is></c>',
    "shared": '<c r="{at}" t="s"><v>{few}</v></c>',
    "styled shared": '<c r="{at}" s="1" t="s"><v>{few}</v></c>',
    "shared, other order": '<c r="{at}" t="s" s="1"><v>{few}</v></c>',
    "number": '<c r="{at}"><v>{n}.5</v></c>',
    "day": '<c r="{at}" s="2"><v>{n}</v></c>',
    "formula": '<c r="{at}"><f>A1+1</f><v>{n}</v></c>',
    "truth": '<c r="{at}" t="b"><v>1</v></c>',
    "error": '<c r="{at}" t="e"><v>#N/A</v></c>',
    "empty": '<c r="{at}" s="1"/>',
    "empty pair": '<c r="{at}" s="1"></c>',
    "spaced": ' <c r="{at}"><v>{n}</v></c>\n',
    "missing": "",
}
USUAL = ["text", "styled text", "shared", "number", "day", "escaped", "missing"]


def sheet(columns: list[str], odd: list[tuple[int, int, str]], rows: int = 30) -> io.BytesIO:
    """Rows in which each column has a kind, but for the odd cells: (row, column, kind)."""
    said = {(row, column): kind for row, column, kind in odd}
    body = ""
    for row in range(1, rows + 1):
        cells = "".join(
            CELLS[said.get((row, column), kind)].format(at=f"{chr(65 + column)}{row}", n=row + column, few=row % 11)
            for column, kind in enumerate(columns)
        )
        body += f'<row r="{row}" spans="1:9">{cells}</row>'
    return crafted(body, strings=STRINGS, styles=STYLES)


def rows_of(book: io.BytesIO) -> list[tuple[int, list[tuple[type, Any]]]]:
    return [(number, [(type(cell), cell) for cell in cells]) for number, cells in open_table(book).rows()]


def both_ways(book: io.BytesIO, monkeypatch: pytest.MonkeyPatch, learn: int = 3) -> int:
    """Compare what is read whole with what is read cell by cell; return how many rows were taken whole."""
    whole, matching = 0, row_shape.RowShape.match

    def counted(self: row_shape.RowShape, chunk: str, position: int) -> Any:
        nonlocal whole
        match = matching(self, chunk, position)
        whole += match is not None
        return match

    with monkeypatch.context() as patch:
        patch.setattr(row_shape, "LEARN", learn)
        patch.setattr(row_shape, "PATIENCE", 5)
        patch.setattr(row_shape.RowShape, "match", counted)
        found = rows_of(book)
    with monkeypatch.context() as patch:
        patch.setattr(row_shape.RowShape, "match", lambda self, chunk, position: None)
        assert rows_of(book) == found
    return whole


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.sampled_from(USUAL), min_size=1, max_size=9),
    st.lists(st.tuples(st.integers(1, 30), st.integers(0, 8), st.sampled_from(list(CELLS))), max_size=12),
)
def test_rows_read_whole_are_the_rows_read_cell_by_cell(columns: list[str], odd: list[tuple[int, int, str]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        try:
            both_ways(sheet(columns, odd), patch)
        except FileRefused as refused:
            assert refused.code == "F16"  # nothing in it


def test_a_regular_sheet_is_read_whole_and_a_change_of_form_is_learned(monkeypatch: pytest.MonkeyPatch) -> None:
    assert both_ways(sheet(["text", "shared", "day", "missing", "number", "escaped"], []), monkeypatch) > 25
    later = [(row, 1, "number") for row in range(10, 61)]  # from row 10 on the column is written otherwise
    taken = both_ways(sheet(["text", "shared", "day"], later, rows=60), monkeypatch)
    assert 35 < taken < 57


@pytest.mark.parametrize("messy", [False, True])
def test_what_departments_send_is_read_the_same_way(monkeypatch: pytest.MonkeyPatch, messy: bool) -> None:
    book = io.BytesIO()
    samples.write_sample(book, 400, messy=messy, kind="xlsx", seed=random.Random(5).randrange(1000))
    assert both_ways(book, monkeypatch, learn=row_shape.LEARN) > 250


def test_a_row_that_only_looks_regular_is_refused_as_before() -> None:
    rows = "".join(f'<row r="{n}"><c r="A{n}" t="s"><v>{n % 9}</v></c></row>' for n in range(1, 40))
    beyond = '<row r="40"><c r="A40" t="s"><v>99</v></c></row>'
    with pytest.raises(FileRefused) as refused:
        rows_of(crafted(rows + beyond, strings=STRINGS))
    assert refused.value.code == "F08"
