"""What is a citizen identity number, and what is not (GB 11643, domain §8.1)."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import ric

from creditfujian.lib import identity

TODAY = date(2026, 11, 24)
VECTORS = ["359901199001010011", "35990119851231002X", "359901200002290030", "359901197606150042"]


def problem(number: str) -> str | None:
    return identity.problem(identity.normalise(number), today=TODAY, allow_demo=True)


@pytest.mark.parametrize("number", VECTORS)
def test_published_vectors_are_accepted(number: str) -> None:
    assert problem(number) is None


@pytest.mark.parametrize("number", VECTORS)
def test_every_single_digit_slip_is_noticed(number: str) -> None:
    for position in range(17):
        for digit in "0123456789":
            if digit != number[position]:
                assert problem(number[:position] + digit + number[position + 1 :]) is not None


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("３５９９０１１９９００１０１００１１", "359901199001010011"),
        ("35990119851231002x", "35990119851231002X"),
        ("35990119851231002ｘ", "35990119851231002X"),
        ("35990119851231002Х", "35990119851231002X"),  # Cyrillic
        ("359901\u200b199001010011", "359901199001010011"),
        (" 359901 19900101 0011 ", "359901199001010011"),
        ("359901-19900101-0011", "359901199001010011"),
        ("\ufeff359901199001010011", "359901199001010011"),
    ],
)
def test_typing_habits_are_understood(typed: str, meant: str) -> None:
    assert identity.normalise(typed) == meant
    assert problem(typed) is None


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("359901900101001", "I11"),  # fifteen digits, first generation
        ("3599011990010100111", "I11"),
        ("35990119900101001A", "I12"),
        ("X59901199001010011", "I12"),
        ("359901199002300014", "I13"),  # 30 February
        ("359901190002290010", "I13"),  # 1900 was no leap year
        ("359901202801010018", "I14"),
        ("359901199001010003", "I15"),  # serial 000: cut off by a spreadsheet
        ("359901199001010012", "I16"),
    ],
)
def test_wrong_numbers_are_refused_with_the_first_reason(number: str, code: str) -> None:
    assert problem(number) == code
    assert identity.PROBLEMS[code]


def test_residence_permits_of_hong_kong_macao_and_taiwan_pass() -> None:
    first17 = "81000019900101001"
    assert problem(first17 + identity.check_char(first17)) is None


def test_area_codes_abolished_long_ago_pass() -> None:
    first17 = "35262219610312001"  # a county code that no list carries any more
    assert problem(first17 + identity.check_char(first17)) is None


def test_demo_numbers_are_refused_in_production() -> None:
    assert identity.problem(VECTORS[0], today=TODAY, allow_demo=False) == "I17"


@given(st.dates(date(1930, 1, 1), TODAY), st.integers(1, 999))
def test_check_characters_agree_with_another_implementation(birth: date, serial: int) -> None:
    number = identity.invent(birth, serial)
    assert ric.calc_check_digit(number) == number[-1]
    assert problem(number) is None


@pytest.mark.parametrize(
    ("birth", "on", "adult"),
    [
        (date(2008, 11, 24), date(2026, 11, 24), True),
        (date(2008, 11, 25), date(2026, 11, 24), False),
        (date(2008, 2, 29), date(2026, 2, 28), False),
        (date(2008, 2, 29), date(2026, 3, 1), True),
    ],
)
def test_eighteen_is_reached_on_the_birthday(birth: date, on: date, adult: bool) -> None:
    assert identity.is_adult(identity.invent(birth, 1), on) is adult


def test_excel_truncation_is_caught_by_the_serial_or_the_check_digit() -> None:
    # fifteen significant digits, then zeros: the shape that a spreadsheet leaves behind
    assert problem("359901199001010000") in ("I15", "I16")
