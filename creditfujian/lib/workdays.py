"""Working days, natural days and months (Civil Code arts 200–204): no app, no database, everything is passed in."""

from calendar import monthrange
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from functools import lru_cache

DAY = timedelta(days=1)
Statutory = Callable[[int], frozenset[date]]


class Unit(StrEnum):
    """What a period is counted in."""

    WORKING_DAY = "WD"
    NATURAL_DAY = "ND"
    MONTH = "MO"


class BeyondCalendar(Exception):
    """A period runs into a year for which the State Council has not told the working days."""

    def __init__(self, day: date) -> None:
        self.day = day
        super().__init__(
            f"这个期限要数到 {day.year} 年，但 {day.year} 年的放假安排还没有录入，算不出准确日期。"
            f"请省信用办先录入并确认 {day.year} 年工作日历。"
        )


@dataclass(frozen=True)
class Due:
    """The last day of a period, until 24:00; provisional when a year without an official calendar was counted."""

    date: date
    provisional: bool = False
    edition: int | None = None
    rolled: bool = False


@dataclass(frozen=True)
class Calendar:
    """The days that differ from Monday to Friday, and which edition tells each official year."""

    off: frozenset[date]
    worked: frozenset[date]
    editions: Mapping[int, int]
    statutory: Statutory | None = None

    def provisional(self, statutory: Statutory) -> "Calendar":
        """Return a calendar that judges the other years by weekends and the statutory days alone."""
        return replace(self, statutory=statutory)

    def is_official(self, day: date) -> bool:
        """Tell whether an edition covers the day."""
        return day.year in self.editions

    def last_day(self) -> date | None:
        """Return the last day of the unbroken run of official years."""
        if not self.editions:
            return None
        year = min(self.editions)
        while year + 1 in self.editions:
            year += 1
        return date(year, 12, 31)

    def is_working_day(self, day: date) -> bool:
        """Tell whether offices work that day. Raises BeyondCalendar."""
        weekday = day.isoweekday() <= 5
        if self.is_official(day):
            return day not in self.off if weekday else day in self.worked
        if self.statutory is None:
            raise BeyondCalendar(day)
        return weekday and day not in self.statutory(day.year)


@lru_cache(10_000)
def add_months(day: date, months: int) -> date:
    """Return the same day of the month that many months later, or that month's end (Civil Code art 202)."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    month += 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def add_working_days(start: date, n: int, calendar: Calendar) -> Due:
    """Return the n-th working day after the day of the event, which is not counted (art 201).

    Raises BeyondCalendar when a year that must be counted is not official and the calendar is not provisional.
    """
    day, guessed = start, False
    while n > 0:
        day += DAY
        n -= calendar.is_working_day(day)
        guessed = guessed or not calendar.is_official(day)
    return Due(day, guessed, calendar.editions.get(day.year))


def roll(day: date, calendar: Calendar) -> Due:
    """Return the day, or the next working day when offices are closed that day (art 203). Raises BeyondCalendar."""
    last, guessed = day, not calendar.is_official(day)
    while not calendar.is_working_day(last):
        last += DAY
        guessed = guessed or not calendar.is_official(last)
    return Due(last, guessed, calendar.editions.get(last.year), rolled=last != day)


def due(start: date, n: int, unit: Unit, calendar: Calendar, *, rolls: bool = True) -> Due:
    """Return the last day of a period of n units after the day of the event. Raises BeyondCalendar.

    A period that is no deadline for anybody to act (how long something stays public or is kept) does not roll.
    """
    if n == 0:
        return Due(start, edition=calendar.editions.get(start.year))
    if unit == Unit.WORKING_DAY:
        return add_working_days(start, n, calendar)
    last = start + n * DAY if unit == Unit.NATURAL_DAY else add_months(start, n)
    return roll(last, calendar) if rolls else Due(last, edition=calendar.editions.get(last.year))


def working_days_between(after: date, until: date, calendar: Calendar) -> int:
    """Count the working days after one day up to and including another. Raises BeyondCalendar."""
    days = (after + offset * DAY for offset in range(1, (until - after).days + 1))
    return sum(calendar.is_working_day(day) for day in days)


def working_days_of(year: int, calendar: Calendar) -> int:
    """Count the working days of a year. Raises BeyondCalendar."""
    return working_days_between(date(year - 1, 12, 31), date(year, 12, 31), calendar)
