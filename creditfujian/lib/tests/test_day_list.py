"""The days of a year as an official types them: what is read, and what a wrong line is told."""

from datetime import date

import pytest

from creditfujian.lib.day_list import Day, read, write


def test_days_off_and_make_up_days_are_read_in_any_order() -> None:
    found = read("2027-01-04 休 元旦\n\n2027/1/1 休 元旦\n２０２７年２月２０日　班　春节调休\n", 2027)
    assert found.problems == []
    assert found.days == [
        Day(date(2027, 1, 1), False, "元旦"), Day(date(2027, 1, 4), False, "元旦"), Day(date(2027, 2, 20), True, "春节调休"),
    ]  # fmt: skip


def test_a_weekend_day_off_is_closed_anyway_and_left_out() -> None:
    found = read("2027-01-02 休 元旦", 2027)
    assert (found.days, found.weekends, found.problems) == ([], [date(2027, 1, 2)], [])


def test_what_is_written_can_be_read_again() -> None:
    days = [Day(date(2027, 1, 1), False, "元旦"), Day(date(2027, 2, 20), True)]
    assert write(days) == "2027-01-01 休 元旦\n2027-02-20 班"
    assert read(write(days), 2027).days == days


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("元旦放假", "看不懂。请写成“2027-01-01 休 元旦”"),
        ("2027-02-30 休 春节", "没有这一天"),
        ("2026-01-01 休 元旦", "不是 2027 年的日期"),
        ("2027-01-01 假 元旦", "请空一格写“休”（放假）或“班”（调休上班）"),
        ("2027-01-01", "请空一格写“休”（放假）或“班”（调休上班）"),
        ("2027-01-01 休", "请在“休”后面写明节日名称"),
        ("2027-01-04 班", "本来就上班，请删去这一行"),
        ("2027-01-01 休 " + "长" * 41, "节日名称过长"),
    ],
)
def test_a_wrong_line_is_named_with_what_to_do(line: str, told: str) -> None:
    problems = read(f"2027-02-20 班\n{line}", 2027).problems
    assert len(problems) == 1
    assert problems[0].startswith("第 2 行“")
    assert told in problems[0]


def test_the_same_day_twice_is_told_with_both_lines() -> None:
    assert "与第 1 行是同一天" in read("2027-01-01 休 元旦\n2027-1-1 休 元旦", 2027).problems[0]
