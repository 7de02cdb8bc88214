"""A year's days off and make-up days as officials type them, one a line: `2027-01-01 休 元旦`, `2027-01-02 班`."""

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import date

from creditfujian.lib.text import strip_format

_LINE = re.compile(
    r"(?P<year>\d{4})\s*[-/.年]\s*(?P<month>\d{1,2})\s*[-/.月]\s*(?P<day>\d{1,2})\s*日?"
    r"(?:[\s,:;、]+(?P<kind>\S)(?:[\s,:;、]+(?P<name>.+))?)?"
)
MAX_NAME = 40


@dataclass(frozen=True)
class Day:
    """A day that differs from Monday to Friday: a weekday off, or a weekend day worked."""

    date: date
    is_workday: bool
    name: str = ""


@dataclass
class DayList:
    """What was read: the days, what stands wrong and where, and the weekends that were listed needlessly."""

    days: list[Day] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    weekends: list[date] = field(default_factory=list)


def read(text: str, year: int) -> DayList:
    """Read the lines of one year; every line that is wrong says so and what to do."""
    result, seen = DayList(), dict[date, int]()
    for number, raw in enumerate(text.splitlines(), start=1):
        line = unicodedata.normalize("NFKC", strip_format(raw)).strip()
        if not line or line.startswith("#"):
            continue
        try:
            day = _day(line, year)
            if day.date in seen:
                raise ValueError(f"与第 {seen[day.date]} 行是同一天，请删去其中一行。")
        except ValueError as error:
            result.problems.append(f"第 {number} 行“{line[:40]}”：{error}")
            continue
        seen[day.date] = number
        if not day.is_workday and day.date.isoweekday() > 5:
            result.weekends.append(day.date)  # closed anyway
        else:
            result.days.append(day)
    result.days.sort(key=lambda day: day.date)
    return result


def write(days: list[Day]) -> str:
    """Return the days as the lines that `read` takes."""
    return "\n".join(f"{day.date} {'班' if day.is_workday else '休'} {day.name}".rstrip() for day in days)


def _day(line: str, year: int) -> Day:
    match = _LINE.fullmatch(line)
    if match is None:
        raise ValueError(f"看不懂。请写成“{year}-01-01 休 元旦”或“{year}-01-02 班”。")
    day = _date(match, year)
    kind, name = match["kind"], (match["name"] or "").strip()
    if kind not in ("休", "班"):
        raise ValueError("日期后面请空一格写“休”（放假）或“班”（调休上班）。")
    if len(name) > MAX_NAME:
        raise ValueError(f"节日名称过长，请不超过 {MAX_NAME} 个字。")
    if kind == "休" and not name:
        raise ValueError(f"请在“休”后面写明节日名称，如“{day} 休 元旦”。")
    if kind == "班" and day.isoweekday() <= 5:
        raise ValueError("这天是周一至周五，本来就上班，请删去这一行；若是放假，请把“班”改为“休”。")
    return Day(day, kind == "班", name)


def _date(match: re.Match[str], year: int) -> date:
    try:
        day = date(int(match["year"]), int(match["month"]), int(match["day"]))
    except ValueError:
        raise ValueError("没有这一天，请核对月份和日期。") from None
    if day.year != year:
        raise ValueError(f"不是 {year} 年的日期。请改正，或另为 {day.year} 年提出日历。")
    return day
