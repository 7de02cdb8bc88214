"""Citizen identity numbers (公民身份号码): one home for what makes one well formed.

Source: GB 11643-1999. The area code is a hint, never a gate: abolished codes stay on cards for life.
"""

import re
import secrets
from datetime import date
from functools import lru_cache

from creditfujian.lib.text import normalise_code

DEMO_AREA = "359901"  # assigned to nobody, so no number in it can belong to a real person
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECK_CHARS = "10X98765432"
ADULT_AGE = 18  # Civil Code art 17: full capacity begins at eighteen

_SHAPE = re.compile(r"[1-9]\d{16}[\dX]\Z", re.ASCII)

PROBLEMS = {
    "I11": "身份证号码不是 18 位。请填写 18 位公民身份号码（15 位旧号码请换成 18 位）。",
    "I12": "身份证号码含有不允许的字符。前 17 位应为数字，末位为数字或 X。",
    "I13": "身份证号码中的出生日期不是真实存在的日期。请与证件核对。",
    "I14": "身份证号码中的出生日期晚于今天。请与证件核对。",
    "I15": "身份证号码的顺序码为 000，多半是被表格软件截断。请按证件重新填写。",
    "I16": "身份证号码校验位不对。请与证件核对后重新填写，不要由表格软件自动填充。",
    "I17": "身份证号码属于演示号段（359901），正式环境不受理。",
}


def normalise(raw: str) -> str:
    """Return what the person meant: NFKC, no format characters or spaces, upper-case X."""
    return normalise_code(raw).upper()


def is_shaped(text: str) -> bool:
    """Tell whether a text is eighteen characters of the right kinds; if so it is normalised too."""
    return _SHAPE.match(text) is not None


def check_char(first17: str) -> str:
    """Return the ISO 7064 MOD 11-2 check character of the first 17 digits."""
    return CHECK_CHARS[(_weighed(first17[:6], 0) + _weighed(first17[6:14], 6) + _weighed(first17[14:], 14)) % 11]


@lru_cache(50_000)  # areas, days and serials repeat; whole numbers do not
def _weighed(digits: str, at: int) -> int:
    return sum(int(digit) * weight for digit, weight in zip(digits, WEIGHTS[at:], strict=False))


@lru_cache(50_000)
def _day(digits: str) -> date | None:
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None


def problem(id_number: str, *, today: date, allow_demo: bool) -> str | None:
    """Return the code of the first thing wrong with a normalised number, or None.

    Order as in domain §8.1: length, digits, a real date of birth, serial, check digit.
    """
    if not is_shaped(id_number):
        return "I12" if len(id_number) == 18 else "I11"
    birth = _day(id_number[6:14])
    if birth is None:
        return "I13"
    if birth > today:
        return "I14"
    if birth.year < 1880:
        return "I13"
    if id_number[14:17] == "000":
        return "I15"
    if id_number[17] != check_char(id_number[:17]):
        return "I16"
    if not allow_demo and id_number.startswith("3599"):
        return "I17"
    return None


@lru_cache(50_000)
def adult_if_born_by(on: date) -> str:
    """Return the last date of birth, as a number writes it, of those who are adults on that day."""
    return f"{(on.year - ADULT_AGE) * 10_000 + on.month * 100 + on.day:08}"


def is_adult(id_number: str, on: date) -> bool:
    """Tell whether the holder had reached eighteen on that day (the birthday itself counts)."""
    return id_number[6:14] <= adult_if_born_by(on)


def invent(birth: date, serial: int) -> str:
    """Make up a number in the demo area; serial 1 to 999, odd for men."""
    first17 = f"{DEMO_AREA}{birth:%Y%m%d}{serial:03d}"
    return first17 + check_char(first17)


def activation_code() -> str:
    """Return a one-time code of 10 characters that is easy to read aloud (about 47 bits)."""
    return "".join(secrets.choice("23456789ABCDEFGHJKMNPQRTUVWXY") for _ in range(10))
