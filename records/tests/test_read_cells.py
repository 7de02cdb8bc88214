"""One cell becomes one value, or a reason that says what to do."""

from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from records.intake.base import Boolean, ErrorCell, Formula, Number
from records.intake.cells import (
    LONG_TERM,
    REASONS,
    CellError,
    are_plain_codes,
    are_plain_texts,
    to_amount,
    to_code_text,
    to_date,
    to_text,
)

CONVERTERS = (
    to_text,
    to_code_text,
    to_date,
    to_amount,
)


def code_of(value: object) -> str | None:
    if isinstance(value, CellError):
        assert value.code in REASONS
        assert "请" in value.message, value.message
        return value.code
    return None


@pytest.mark.parametrize("convert", CONVERTERS)
def test_what_no_field_takes(convert):
    assert code_of(convert(Formula("1", "A1"))) == "C03"
    assert code_of(convert(Formula(""))) == "C03"
    assert code_of(convert(ErrorCell("#N/A"))) == "C04"
    assert code_of(convert(Boolean("TRUE"))) == "C14"


@pytest.mark.parametrize("convert", CONVERTERS)
def test_empty_is_a_reason_only_where_required(convert):
    for empty in (None, "", "  ", "\u200b\ufeff", "\u3000\n"):
        assert convert(empty) is None
        assert code_of(convert(empty, required=True)) == "C01"


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (" 张三\u200b ", "张三"),
        ("\ufeff阿依古丽·买买提", "阿依古丽·买买提"),
        ("𠮷田　明", "𠮷田　明"),
        ("第一行\n第二行", "第一行\n第二行"),
        ("全角１２３（）", "全角１２３（）"),
        (Number("12.5"), "12.5"),
        (date(2026, 3, 1), "2026-03-01"),
        (datetime(2026, 3, 1, 8, 30), "2026-03-01T08:30:00"),
    ],
)
def test_text_stays_as_written_but_for_the_invisible(cell, text):
    assert to_text(cell) == text


@pytest.mark.parametrize("start", "=+-@＝＋－＠\t\r")
def test_names_that_a_spreadsheet_would_calculate(start):
    assert code_of(to_text(f"{start}SUM(A1)", is_name=True)) == "C05"
    assert code_of(to_text(f"\u200b{start}张三", is_name=True)) == "C05"
    assert code_of(to_code_text(f" {start}1")) == ("C05" if start.strip() else None)


def test_text_that_nobody_can_read():
    assert code_of(to_text("张\x07三")) == "C13"
    assert code_of(to_text("张\x85三")) is None
    assert code_of(to_text("张\ue123")) == "C15"
    assert code_of(to_text("张\ufffd")) == "C15"


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("闽市监处罚〔2026〕1234号 ", "闽市监处罚〔2026〕1234号"),
        ("闽市监处罚〔２０２６〕１２号", "闽市监处罚〔2026〕12号"),
        ("（2026）闽01号", "（2026）闽01号"),
        ("３５９９０１１９９００１０１００１１", "359901199001010011"),
        ("3599 0119 9001 0100 11", "359901199001010011"),
        ("35990119851231002ｘ", "35990119851231002x"),
        ("\u200e359901199001010011\u00a0\u3000", "359901199001010011"),
        (Number("2026001"), "2026001"),
        ("'359901199001010011", "359901199001010011"),
        ("’ 闽市监处罚〔2026〕1号", "闽市监处罚〔2026〕1号"),
    ],
)
def test_codes_lose_width_and_spaces(cell, text):
    assert to_code_text(cell) == text


def test_an_id_number_stored_as_a_number_is_refused_with_the_reason():
    error = to_code_text(Number("359901199001010000"), id_number=True)
    assert code_of(error) == "C02"
    assert "15 位" in error.message and "文本" in error.message
    assert code_of(to_code_text("3.5990119900101E+17", id_number=True)) == "C02"
    assert to_code_text("359901199001010011", id_number=True) == "359901199001010011"


@pytest.mark.parametrize(
    "cell",
    [
        "2026/03/01",
        "2026/3/1",
        "2026-03-01",
        "20260301",
        "2026年3月1日",
        "2026 年 03 月 01 日",
        "2026.3.1",
        "２０２６－０３－０１",
        " 2026-03-01 ",
        "2026-03-01 00:00:00",
        "2026-03-01 10:22:33.123",
        "2026/3/1 0:00",
        "二〇二六年三月一日",
        "二○二六年三月一日",
        "二零二六年 三月 初一日",
        "２０２６年３月１日",
        Number("20260301"),
        date(2026, 3, 1),
        datetime(2026, 3, 1, 10, 22),
    ],
)
def test_ways_to_write_a_day(cell):
    day = to_date(cell)
    assert day == date(2026, 3, 1)
    assert type(day) is date


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("二〇二六年十月十日", date(2026, 10, 10)),
        ("二〇二五年十二月三十一日", date(2025, 12, 31)),
        ("一九九八年十一月廿九日", date(1998, 11, 29)),
        ("二〇二四年二月二十九日", date(2024, 2, 29)),
        ("二〇二六年元月五号", date(2026, 1, 5)),
        ("二O二六年八月卅日", date(2026, 8, 30)),
    ],
)
def test_days_in_chinese_numerals(written, day):
    assert to_date(written) == day


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("二〇二六年二月三十日", "C08"),
        ("二六年三月一日", "C06"),
        ("二〇二六年三月", "C06"),
        ("二〇二六年十三月一日", "C06"),
    ],
)
def test_days_in_chinese_numerals_that_cannot_be_taken(written, code):
    assert code_of(to_date(written)) == code


def test_the_mark_of_a_text_is_no_part_of_a_name():
    assert to_text("'张三", is_name=True) == "张三"
    assert code_of(to_text("'=1+1", is_name=True)) == "C05"
    assert code_of(to_text("'", required=True, is_name=True)) == "C01"
    assert to_text("'当事人", required=True) == "'当事人"


@pytest.mark.parametrize("cell", ["2099/12/31", "2099-12-31", "长期", date(2099, 12, 31)])
def test_long_term(cell):
    assert to_date(cell) == LONG_TERM


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("明年三月", "C06"),
        ("2026-03", "C06"),
        ("03/01/2026", "C06"),
        ("2026-3/1", "C06"),
        ("26.3.1", "C06"),
        ("2026-02-30", "C08"),
        ("20261301", "C08"),
        ("0000-01-01", "C08"),
        (Number("46082"), "C07"),
        (Number("46082.5"), "C07"),
        (Number("0.5"), "C07"),
        (Number("99991231"), "C07"),
        ("46082", "C07"),
    ],
)
def test_days_that_cannot_be_taken(cell, code):
    assert code_of(to_date(cell)) == code


@pytest.mark.parametrize(
    ("cell", "amount"),
    [
        ("1.25", "1.25"),
        (Number("0.000001"), "0.000001"),
        ("1,234,567.5", "1234567.5"),
        ("１，２３４．５", "1234.5"),
        ("12万元", "12"),
        ("0", "0"),
        (".5", "0.5"),
        ("999999999999.999999", "999999999999.999999"),
        ("1.2500000", "1.25"),
    ],
)
def test_amounts(cell, amount):
    assert to_amount(cell) == Decimal(amount)


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("十万", "C09"),
        ("1,23", "C09"),
        ("1.2.3", "C09"),
        ("5000元", "C09"),
        ("无", "C09"),
        ("NaN", "C09"),
        ("1e5", "C09"),
        (date(2026, 1, 1), "C09"),
        ("-1", "C10"),
        ("1000000000000", "C10"),
        ("0.0000001", "C10"),
    ],
)
def test_amounts_that_cannot_be_taken(cell, code):
    assert code_of(to_amount(cell)) == code


CELLS = st.one_of(
    st.none(),
    st.text(max_size=40),
    st.text("0123456789-/.年月日 :,+eE１２万元;；、", max_size=24),
    st.builds(Number, st.floats(allow_nan=False, allow_infinity=False).map(repr)),
    st.dates(),
    st.datetimes(),
    st.builds(Formula, st.text(max_size=5)),
    st.builds(ErrorCell, st.just("#N/A")),
)


@given(CELLS, st.booleans())
def test_every_cell_is_a_value_or_a_reason(cell, required):
    for convert in CONVERTERS:
        value = convert(cell, required=required)
        code_of(value)
        if required:
            assert value is not None
    value = to_text(cell, is_name=True)
    if type(value) is str:
        assert value[0] not in "=+-@＝＋－＠" and value == value.strip()
    value = to_code_text(cell, id_number=True)
    if type(value) is str:
        assert " " not in value and to_code_text(value) == value


@given(st.lists(st.text("陈 （(1１-=\t\u200b\u3000\ufffd\ue000é", max_size=6), min_size=1, max_size=6))
def test_what_one_look_calls_plain_is_kept_as_it_is(texts):
    if are_plain_texts(texts, longest=4):
        assert [to_text(text) for text in texts] == texts and max(map(len, texts)) <= 4
    if are_plain_codes(texts, longest=4):
        assert [to_code_text(text) for text in texts] == texts


@given(st.dates(min_value=date(1900, 1, 1)))
def test_every_day_is_read_back_from_every_form(day):
    for form in ("{:%Y-%m-%d}", "{:%Y/%m/%d}", "{:%Y%m%d}", "{:%Y.%m.%d}", "{:%Y年%m月%d日}"):
        assert to_date(form.format(day)) == day


@given(st.decimals(min_value=0, max_value=Decimal("999999999999.999999"), places=6))
def test_every_amount_is_read_back(amount):
    assert to_amount(str(amount)) == amount
    assert to_amount(f"{amount:,f}") == amount
