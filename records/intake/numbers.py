"""Numbers and dates as a workbook stores them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from lxml import etree

from .base import Number

# Built-in formats that show a date; 27–36 and 50–58 are the Chinese, Japanese and Korean ones.
BUILT_IN_DATES = frozenset([*range(14, 18), 22, *range(27, 32), 36, *range(50, 59)])
NUMERIC = re.compile(r"\s*[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,4})?\s*", re.ASCII)
# What in a format code is not a placeholder: quoted text, \x, _x, *x, [red], General.
LITERAL = re.compile(r'"[^"]*"|\\.|_.|\*.|\[[^\]]*\]|general|g/通用格式|[eE][-+]', re.IGNORECASE)
LAST_DAY = 2_958_465  # 9999-12-31


def as_number(raw: str) -> Number | str:
    """The number as its sheet shows it; what is no number stays plain text."""
    if raw.isdigit() and len(raw) <= 15 and raw.isascii() and (raw[0] != "0" or raw == "0"):
        return Number(raw)
    if NUMERIC.fullmatch(raw) is None:
        return raw
    value = float(raw)
    if not math.isfinite(value):
        return raw
    shown = f"{value:.15g}"
    return Number(format(Decimal(shown), "f") if "e" in shown else shown)


def is_date_format(code: str) -> bool:
    """Whether a format code shows a day (a pure time of day is no date)."""
    return any(letter in LITERAL.sub("", code.split(";")[0]).lower() for letter in "yd年日")


def date_formats(styles: etree._Element) -> frozenset[int]:
    """Indexes of cell styles that show a date."""
    custom = {
        int(node.get("numFmtId", "0")): is_date_format(node.get("formatCode", ""))
        for node in styles.iterfind("{*}numFmts/{*}numFmt")
    }
    found = set()
    for index, style in enumerate(styles.iterfind("{*}cellXfs/{*}xf")):
        number = int(style.get("numFmtId", "0"))
        if custom.get(number, number in BUILT_IN_DATES):
            found.add(index)
    return frozenset(found)


class Kept(dict[Any, Any]):
    """What a function made of a key, so that it is made once; holds a bounded number."""

    def __init__(self, make: Callable[[Any], Any], limit: int = 20_000) -> None:
        super().__init__()
        self._make = make
        self._limit = limit

    def __missing__(self, key: Any) -> Any:
        value = self._make(key)
        if len(self) < self._limit:
            self[key] = value
        return value


def serial_date(raw: str, is_1904: bool) -> date | str:
    """The stored serial as a date, or a datetime when it has a time of day.

    What is no day of either calendar (below 1, the 29th of February 1900 that Excel made up,
    beyond 9999) stays a Number, which the checks refuse with its own reason.
    """
    number = as_number(raw)
    if not isinstance(number, Number):
        return number
    serial = float(number)
    if not (0 if is_1904 else 1) <= serial < LAST_DAY + 1 - (1462 if is_1904 else 0):
        return number
    days, seconds = divmod(round(serial * 86_400), 86_400)
    if is_1904:
        start = date(1904, 1, 1)
    elif days == 60:
        return number
    else:
        start = date(1899, 12, 31) if days < 60 else date(1899, 12, 30)
    day = start + timedelta(days=days)
    if seconds:
        return datetime(day.year, day.month, day.day) + timedelta(seconds=seconds)
    return day
