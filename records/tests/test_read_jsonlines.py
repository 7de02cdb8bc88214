"""JSON lines are read as they are written: every line a row, every key a column, every number its own digits."""

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from records.intake.base import Boolean, FileRefused, Limits, Number
from records.intake.files import open_table
from records.intake.header import Column
from records.intake.jsonlines import header_of_lines

COLUMNS = [
    Column("CF_WSH", "行政处罚决定书文号", True, ("文号",)), Column("CF_SY", "违法事实", True), Column("BZ", "备注", False),
]  # fmt: skip


def read(content: bytes, **limits: int) -> list[tuple[int, list[Any]]]:
    return list(open_table(io.BytesIO(content), limits=Limits(**limits)).rows())


def refused(content: bytes, **limits: int) -> str:
    with pytest.raises(FileRefused) as error:
        read(content, **limits)
    return error.value.code


def test_the_keys_are_the_header_in_the_order_in_which_they_come() -> None:
    rows = read(b'{"CF_WSH": "1", "BZ": null}\n\n{"CF_SY": "x", "CF_WSH": "2"}\n')
    assert rows == [(0, ["CF_WSH", "BZ", "CF_SY"]), (1, ["1", None, None]), (3, ["2", None, "x"])]


def test_a_value_keeps_its_type_and_its_digits() -> None:
    [_, (_, cells)] = read(b'{"a": 359901199001010011, "b": 0.10, "c": 1E5, "d": true, "e": "007", "f": ""}')
    assert cells == ["359901199001010011", "0.10", "1E5", "TRUE", "007", None]
    assert [type(cell) for cell in cells] == [Number, Number, Number, Boolean, str, type(None)]


def test_rows_are_read_again_from_the_beginning_while_others_are_read() -> None:
    table = open_table(io.BytesIO(b'{"CF_WSH": "1"}\n{"CF_WSH": "2"}'))
    first = table.rows()
    assert next(first)[0] == 0
    assert next(first) == (1, ["1"])
    assert [number for number, _ in table.rows()] == [0, 1, 2]
    assert next(first) == (2, ["2"])


@given(st.lists(st.dictionaries(st.sampled_from(["CF_WSH", "CF_SY", "BZ"]), st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)), min_size=1, max_size=20))  # fmt: skip
def test_what_is_read_is_what_was_sent(rows: list[dict[str, str]]) -> None:
    for ascii_only in (True, False):
        content = "\n".join(json.dumps(row, ensure_ascii=ascii_only) for row in rows).encode()
        (_, keys), *found = read(content)
        assert [number for number, _ in found] == list(range(1, len(rows) + 1))
        for row, (_, cells) in zip(rows, found, strict=True):
            said = {key: cell for key, cell in zip(keys, cells, strict=True) if cell is not None}
            assert said == {key: value for key, value in row.items() if value}


@pytest.mark.parametrize(("content", "code"), [
    (b"", "F01"), (b'{"a": 1}\n{"a": 2', "F25"), (b'[{"a": 1}]', "F25"), (b'{"a": {"b": 1}}', "F25"), (b'{"a": Infinity}', "F25"),
    (b'{"a": "\xff"}', "F13"), (b'{"a": "\\udc00"}', "F13"), (b'{"a\\u0000": 1}', "F21"), (b'{"a": 1} {"a": 2}', "F25"),
])  # fmt: skip
def test_damage_has_a_code(content: bytes, code: str) -> None:
    assert refused(content) == code


def test_limits_hold_while_it_is_read() -> None:
    assert refused(b'{"a": 1}\n' * 4, max_rows=3) == "F11"
    assert refused(b'{"a": 1, "b": 2, "c": 3}', max_columns=2) == "F12"
    assert refused(b'{"a": "12345"}', max_cell_chars=4) == "F14"
    assert len(read(b'{"a": "1234"}\n' * 3, max_rows=3, max_cell_chars=4)) == 4


def test_a_label_or_an_alias_is_as_good_as_a_code_and_what_is_missing_is_an_empty_column() -> None:
    table = open_table(io.BytesIO('{"文号": "1", "备注": "x", "来源行": "B20261130-000001#4"}'.encode()))
    header = header_of_lines(table, COLUMNS)
    assert header.columns == {0: "CF_WSH", 1: "BZ", 3: "CF_SY"}
    assert (header.source_index, header.data_from) == (2, 1)
    assert list(header.cells) == ["文号", "备注", "来源行", "CF_SY"]


@pytest.mark.parametrize(("line", "code"), [
    ('{"CF_WSH": "1", "CF_WHS": "2"}', "F26"), ('{"CF_WSH": "1", "文号": "2"}', "F19"), ('{"": "1"}', "F26"),
])  # fmt: skip
def test_a_key_that_is_none_or_one_too_many_refuses_all(line: str, code: str) -> None:
    with pytest.raises(FileRefused) as error:
        header_of_lines(open_table(io.BytesIO(line.encode())), COLUMNS)
    assert error.value.code == code
