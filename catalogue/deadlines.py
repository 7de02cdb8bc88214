"""Questions about time: the calendar in force, the rule of a day, the last day of a period."""

from dataclasses import dataclass
from datetime import date

from django.db.models import QuerySet
from django.utils import timezone

from catalogue.calendar_library import NotOfficial, days_of, statutory_days
from catalogue.models import CalendarDay, CalendarEdition, Deadline, DeadlineRule
from creditfujian.lib.day_list import Day
from creditfujian.lib.workdays import Calendar, Due, add_months, working_days_of

WARNING_MONTHS = 2


class NoRule(LookupError):
    """No version of the deadline answers for that day."""

    def __init__(self, code: str, day: date) -> None:
        super().__init__(f"时限 {code} 在 {day} 没有现行规则。请省信用办核对时限规则表的启用、停用日期。")


def official_calendar() -> Calendar:
    """Return the calendar of all editions in force; asked beyond them it raises BeyondCalendar."""
    editions = {edition.year: edition.pk for edition in CalendarEdition.objects.filter(state="in_force").only("year")}
    days = CalendarDay.objects.filter(edition__in=editions.values()).values_list("date", "is_workday")
    return Calendar(
        off=frozenset(day for day, worked in days if not worked),
        worked=frozenset(day for day, worked in days if worked),
        editions=editions,
    )


def working_calendar() -> Calendar:
    """Return the official calendar, going on provisionally where it ends: weekends and the statutory days."""
    return official_calendar().provisional(statutory_days)


def rule_for(code: str, day: date) -> DeadlineRule:
    """Return the version of a deadline that answers for a day. Raises NoRule."""
    rule = DeadlineRule.objects.in_force(day).filter(code=code).first()
    if rule is None:
        raise NoRule(code, day)
    return rule


def due(
    code: str, start: date, *, on: date | None = None, strict: bool = False, calendar: Calendar | None = None
) -> Due:
    """Return the last day of the period that an event on `start` begins, provisional where the calendar ends.

    The rule is the one in force on the day of the event, or on `on`; `strict` takes the site's own shorter (or, for
    keeping, longer) period. Pass a calendar when asking often. Raises NoRule.
    """
    return rule_for(code, on or start).due(start, calendar or working_calendar(), strict=strict)


def overdue(day: date | None = None) -> QuerySet[Deadline]:
    """Return the running clocks whose last day is over."""
    return Deadline.objects.overdue(day)


def last_official_day() -> date | None:
    """Return the last day that an official edition covers without a gap before it, this year's or later."""
    years = set(CalendarEdition.objects.filter(state="in_force").values_list("year", flat=True))
    return Calendar(frozenset(), frozenset(), dict.fromkeys(years, 0)).last_day()


def missing_year(day: date | None = None) -> int | None:
    """Return the year whose calendar should be entered by now: from two months before the last official day."""
    last, day = last_official_day(), day or timezone.localdate()
    if last is None:
        return day.year
    first_of_next = date(last.year + 1, 1, 1)
    return last.year + 1 if day >= add_months(first_of_next, -WARNING_MONTHS) else None


@dataclass(frozen=True)
class Review:
    """What the one who confirms an edition should look at before the notice itself."""

    off: list[Day]
    worked: list[Day]
    working_days: int
    older: CalendarEdition | None
    added: list[Day]
    removed: list[Day]
    statutory_missing: list[date]
    library: str


def review(edition: CalendarEdition) -> Review:
    """Compare an edition with the weekends, the statutory days, the year's older edition and the packages."""
    days = _days(edition)
    off, worked = [day for day in days if not day.is_workday], [day for day in days if day.is_workday]
    closed, made_up = frozenset(day.date for day in off), frozenset(day.date for day in worked)
    older = _older(edition)
    before = _days(older) if older else []
    return Review(
        off=off, worked=worked, older=older,
        working_days=working_days_of(edition.year, Calendar(closed, made_up, {edition.year: edition.pk})),
        added=[day for day in days if older and day not in before], removed=[day for day in before if day not in days],
        statutory_missing=[
            day for day in sorted(statutory_days(edition.year))
            if day in made_up or (day.isoweekday() <= 5 and day not in closed)
        ],
        library=_library(edition.year, days),
    )  # fmt: skip


def _days(edition: CalendarEdition) -> list[Day]:
    return [Day(day.date, day.is_workday, day.name) for day in edition.days.all()]


def _older(edition: CalendarEdition) -> CalendarEdition | None:
    confirmed = edition.__class__.objects.filter(
        year=edition.year, number__lt=edition.number, confirmed_at__isnull=False
    )
    return confirmed.order_by("-number").first()


def _library(year: int, days: list[Day]) -> str:
    try:
        known = {(day.date, day.is_workday) for day in days_of(year)}
    except NotOfficial as error:
        return str(error)
    ours = {(day.date, day.is_workday) for day in days}
    if known == ours:
        return ""
    listed = "、".join(str(day) for day in sorted({day for day, _ in known ^ ours})[:10])
    return f"与程序库收录的 {year} 年安排不一致：{listed}。请对照通知原文逐日核对。"
