"""What two maintained packages say about working days in China: a second pair of eyes, never the last word."""

from datetime import date, timedelta
from functools import lru_cache

import chinese_calendar
import holidays

from creditfujian.lib.day_list import Day
from creditfujian.lib.workdays import DAY

# The packages' short names, as the Regulation on Public Holidays writes them.
_NAMES = {"清明": "清明节", "端午": "端午节", "中秋": "中秋节"}


class NotOfficial(Exception):
    """The packages do not both know the year, or disagree: take the State Council's notice instead."""


def days_of(year: int) -> list[Day]:
    """Return the days of a year that differ from Monday to Friday. Raises NotOfficial with what to do.

    `holidays` answers for any year and leaves out 调休 when the notice is not in it yet; `chinesecalendar` refuses.
    """
    ours = holidays.country_holidays("CN", years=year, language="zh_CN")
    found, disputed = [], []
    for day in _year(year):
        try:
            worked = chinese_calendar.is_workday(day)
        except NotImplementedError:
            raise NotOfficial(
                f"{year} 年的放假安排还没有收进程序库（chinesecalendar 没有该年数据；holidays 会漏掉调休，不能单独采用）。"
                f"请等国务院办公厅通知发布后，按通知逐日录入。"
            ) from None
        if worked != ours.is_working_day(day):
            disputed.append(str(day))
        elif worked != (day.isoweekday() <= 5):
            found.append(Day(day, worked, _name(day, worked)))
    if disputed:
        listed = "、".join(disputed[:10])
        raise NotOfficial(f"两个程序库对 {year} 年的 {listed} 说法不一，没有生成草案。请按国务院办公厅通知逐日录入。")
    return found


@lru_cache(maxsize=64)
def statutory_days(year: int) -> frozenset[date]:
    """Return the days off that the Regulation on Public Holidays names itself: thirteen since 2025, no 调休 or 补假."""
    known = holidays.country_holidays("CN", years=year, language="zh_CN")
    return frozenset(day for day, name in known.items() if "（补假）" not in name and "调休" not in name)


def _year(year: int) -> list[date]:
    first = date(year, 1, 1)
    return [first + offset * DAY for offset in range((date(year + 1, 1, 1) - first) // timedelta(days=1))]


def _name(day: date, worked: bool) -> str:
    _, label = chinese_calendar.get_holiday_detail(day)
    chinese = chinese_calendar.Holiday(label).chinese if label else "放假"
    name = _NAMES.get(chinese, chinese)
    return f"{name}调休" if worked else name
