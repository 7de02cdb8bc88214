"""Counting days as the law counts them: the vectors of domain §10, month ends, closed last days, the unknown year."""

import csv
from datetime import date
from pathlib import Path

import pytest

from creditfujian.lib.workdays import (
    BeyondCalendar,
    Calendar,
    Due,
    Unit,
    add_months,
    add_working_days,
    due,
    working_days_between,
    working_days_of,
)  # fmt: skip

TABLE = Path(__file__).parent.parent / "data" / "calendar.csv"


def official() -> Calendar:
    """The calendar as seeded: 2020 to 2026, each year's edition numbered like the year."""
    with TABLE.open(encoding="utf-8") as handle:
        rows = [(date.fromisoformat(row["date"]), row["is_workday"] == "1") for row in csv.DictReader(handle)]
    return Calendar(
        off=frozenset(day for day, worked in rows if not worked),
        worked=frozenset(day for day, worked in rows if worked),
        editions={year: year for year in range(2020, 2027)},
    )


def thirteen(year: int) -> frozenset[date]:
    """The thirteen days of 2027, as the regulation names them."""
    named = [
        "01-01",
        "02-05",
        "02-06",
        "02-07",
        "02-08",
        "04-05",
        "05-01",
        "05-02",
        "06-09",
        "09-15",
        "10-01",
        "10-02",
        "10-03",
    ]
    assert year == 2027
    return frozenset(date.fromisoformat(f"2027-{day}") for day in named)


CALENDAR = official()


@pytest.mark.parametrize(
    ("start", "n", "unit", "last"),
    [
        ("2026-02-13", 3, Unit.WORKING_DAY, "2026-02-25"),  # a Friday before the Spring Festival; Saturday is worked
        ("2026-02-13", 10, Unit.WORKING_DAY, "2026-03-05"),
        ("2026-04-30", 5, Unit.WORKING_DAY, "2026-05-11"),
        ("2026-09-24", 7, Unit.WORKING_DAY, "2026-10-12"),
        ("2026-09-30", 10, Unit.WORKING_DAY, "2026-10-20"),
        ("2026-10-09", 3, Unit.WORKING_DAY, "2026-10-13"),
        ("2026-01-03", 1, Unit.WORKING_DAY, "2026-01-04"),  # a Sunday that is worked
        ("2026-09-01", 30, Unit.NATURAL_DAY, "2026-10-08"),  # 1 October is closed, the holiday ends on the 7th
        ("2026-01-31", 1, Unit.MONTH, "2026-02-28"),  # month end, and a Saturday that is worked
        ("2026-08-31", 6, Unit.MONTH, "2027-02-28"),
    ],
)
def test_ten_periods_end_on_the_day_the_law_says(start: str, n: int, unit: Unit, last: str) -> None:
    rolls = unit != Unit.MONTH or last < "2027"
    assert due(date.fromisoformat(start), n, unit, CALENDAR, rolls=rolls).date == date.fromisoformat(last)


def test_2026_has_248_working_days_and_six_make_up_days() -> None:
    assert working_days_of(2026, CALENDAR) == 248
    made_up = {f"{day:%m-%d}" for day in CALENDAR.worked if day.year == 2026}
    assert made_up == {"01-04", "02-14", "02-28", "05-09", "09-20", "10-10"}


def test_the_day_of_the_event_is_not_counted_and_no_time_means_that_day() -> None:
    monday = date(2026, 11, 23)
    assert due(monday, 1, Unit.WORKING_DAY, CALENDAR).date == date(2026, 11, 24)
    assert due(monday, 1, Unit.NATURAL_DAY, CALENDAR).date == date(2026, 11, 24)
    assert due(monday, 0, Unit.WORKING_DAY, CALENDAR).date == monday


@pytest.mark.parametrize(
    ("day", "months", "same_day_or_month_end"),
    [
        (date(2024, 1, 31), 1, date(2024, 2, 29)),
        (date(2023, 1, 31), 1, date(2023, 2, 28)),
        (date(2026, 10, 31), 1, date(2026, 11, 30)),
        (date(2026, 11, 30), 3, date(2027, 2, 28)),
        (date(2024, 2, 29), 12, date(2025, 2, 28)),
        (date(2026, 12, 15), 60, date(2031, 12, 15)),
    ],
)
def test_months_end_on_the_same_day_or_the_months_end(day: date, months: int, same_day_or_month_end: date) -> None:
    assert add_months(day, months) == same_day_or_month_end


def test_a_period_of_days_whose_last_day_is_closed_ends_on_the_next_working_day_and_says_so() -> None:
    saturday = due(date(2026, 11, 18), 10, Unit.NATURAL_DAY, CALENDAR)
    assert saturday == Due(date(2026, 11, 30), edition=2026, rolled=True)
    worked_saturday = due(date(2026, 10, 5), 5, Unit.NATURAL_DAY, CALENDAR)
    assert worked_saturday == Due(date(2026, 10, 10), edition=2026, rolled=False)


def test_how_long_something_stays_public_does_not_roll() -> None:
    assert due(date(2026, 7, 3), 3, Unit.MONTH, CALENDAR, rolls=False).date == date(2026, 10, 3)


def test_counting_stops_where_the_calendar_ends_and_says_what_to_do() -> None:
    with pytest.raises(BeyondCalendar, match=r"2027 年的放假安排还没有录入.*请省信用办先录入并确认 2027 年工作日历"):
        add_working_days(date(2026, 12, 31), 1, CALENDAR)
    with pytest.raises(BeyondCalendar):
        due(date(2026, 12, 10), 30, Unit.NATURAL_DAY, CALENDAR)
    assert add_working_days(date(2026, 12, 30), 1, CALENDAR).date == date(2026, 12, 31)


def test_days_before_the_first_official_year_are_unknown_too() -> None:
    with pytest.raises(BeyondCalendar, match="2019"):
        add_working_days(date(2019, 6, 3), 1, CALENDAR)


def test_a_provisional_date_counts_weekends_and_the_statutory_days_and_says_that_it_is_provisional() -> None:
    calendar = CALENDAR.provisional(thirteen)
    # 1 January is closed by law, 2 and 3 are a weekend: Monday is the first working day we may assume.
    assert add_working_days(date(2026, 12, 31), 1, calendar) == Due(date(2027, 1, 4), provisional=True)
    assert due(date(2026, 12, 2), 30, Unit.NATURAL_DAY, calendar) == Due(
        date(2027, 1, 4), provisional=True, rolled=True
    )
    assert not add_working_days(date(2026, 12, 1), 5, calendar).provisional


def test_the_official_days_end_where_a_year_is_missing() -> None:
    assert CALENDAR.last_day() == date(2026, 12, 31)
    gap = Calendar(frozenset(), frozenset(), {2026: 1, 2028: 2})
    assert gap.last_day() == date(2026, 12, 31)
    assert Calendar(frozenset(), frozenset(), {}).last_day() is None


def test_working_days_left_of_a_period() -> None:
    assert working_days_between(date(2026, 2, 13), date(2026, 2, 25), CALENDAR) == 3
    assert working_days_between(date(2026, 2, 13), date(2026, 2, 13), CALENDAR) == 0
