"""Credit codes, names and masks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import uscc as other

from creditfujian.lib import masking, uscc
from creditfujian.lib.masking import Profile
from creditfujian.lib.text import hide_numbers, normalise_name

NUMBER = "35990119851231002X"


def test_the_published_credit_code_is_valid() -> None:
    assert uscc.is_valid("11350000MB0000001W")


@pytest.mark.parametrize("code", ["11350000MB0000001X", "11350000MB0000001", "11350000MI0000001W", ""])
def test_wrong_credit_codes_are_refused(code: str) -> None:
    assert not uscc.is_valid(code)


@given(st.text(alphabet=uscc.ALPHABET, min_size=9, max_size=9), st.integers(11000000, 93999999))
def test_credit_codes_agree_with_another_implementation(tail: str, head: int) -> None:
    first17 = f"{head}{tail}"
    assert other.calc_check_digit(first17 + "0") == uscc.check_char(first17)


def test_what_each_reader_sees_of_a_number() -> None:
    assert masking.id_number(NUMBER, Profile.PUBLIC) == "3599************2X"
    for profile in (Profile.THIRD_PARTY, Profile.DEPARTMENT, Profile.SELF):
        assert masking.id_number(NUMBER, profile) == "359901********002X"


@given(st.sampled_from(list(Profile)))
def test_no_mask_shows_month_or_day_of_birth(profile: Profile) -> None:
    assert masking.id_number(NUMBER, profile)[6:14] == "*" * 8


@pytest.mark.parametrize(
    ("name", "public"),
    [("张三", "张*"), ("欧阳修远", "欧阳*"), ("买买提·吐尔逊", "买*"), ("李", "李*"), ("𠮷田", "𠮷*")],
)
def test_the_public_sees_the_surname_only(name: str, public: str) -> None:
    assert masking.name(name, Profile.PUBLIC) == public
    assert masking.name(name, Profile.PUBLIC, full_if_public=True) == name
    assert masking.name(name, Profile.DEPARTMENT) == name


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("陈　小满", "陈小满"),
        ("买买提•吐尔逊", "买买提·吐尔逊"),
        ("陈小满\u200b", "陈小满"),
        ("Ｊｏｈｎ  Ｌｅｅ", "John Lee"),
    ],
)
def test_names_are_compared_as_people_mean_them(typed: str, meant: str) -> None:
    assert normalise_name(typed) == meant


def test_numbers_never_stay_in_file_names() -> None:
    assert hide_numbers("陈小满35990119851231002X处罚.xlsx") == "陈小满＊处罚.xlsx"
    assert hide_numbers("2026年9月.xlsx") == "2026年9月.xlsx"
