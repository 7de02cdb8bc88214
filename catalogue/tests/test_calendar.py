"""The calendar of working days: true to the notices, made by two people, never edited."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from io import StringIO

import chinese_calendar
import holidays
import pytest
import time_machine
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.test import Client

from accounts.models import User
from catalogue.calendar_library import NotOfficial, days_of, statutory_days
from catalogue.deadline_actions import confirm_edition, propose_edition, withdraw_edition
from catalogue.deadlines import missing_year, official_calendar, review
from catalogue.models import CalendarDay, CalendarEdition
from catalogue.tests.office import LINES_2027, NOTICE, proposed, refused_by_database
from catalogue.waiting import waiting_for
from creditfujian.lib.day_list import Day
from creditfujian.lib.workdays import BeyondCalendar, working_days_of
from creditfujian.tests.cast import Cast

Browser = Callable[[User | None], Client]
ADD = "/admin/catalogue/calendaredition/add/"


@pytest.mark.parametrize("year", [2020, 2023, 2024, 2025, 2026])
def test_every_day_is_what_both_packages_say(db: None, year: int) -> None:
    calendar, theirs = official_calendar(), holidays.country_holidays("CN", years=year)
    day = date(year, 1, 1)
    while day.year == year:
        worked = calendar.is_working_day(day)
        assert worked == chinese_calendar.is_workday(day), day
        assert worked == theirs.is_working_day(day), day
        day += timedelta(days=1)


def test_2026_is_as_the_notice_says(db: None) -> None:
    calendar = official_calendar()
    assert working_days_of(2026, calendar) == 248
    edition = CalendarEdition.objects.get(year=2026)
    assert edition.notice_no == "国办发明电〔2025〕7号"
    made_up = {f"{day:%m-%d}" for day in edition.days.filter(is_workday=True).values_list("date", flat=True)}
    assert made_up == {"01-04", "02-14", "02-28", "05-09", "09-20", "10-10"}


def test_each_seeded_year_names_its_notice_and_leaves_no_statutory_day_out(db: None) -> None:
    editions = CalendarEdition.objects.order_by("year")
    assert [edition.year for edition in editions] == list(range(2020, 2027))
    for edition in editions:
        assert "国办发明电" in edition.notice_no
        assert edition.source_url.startswith("https://www.gov.cn/")
        assert review(edition).statutory_missing == []


def test_a_year_that_is_not_official_is_not_taken_from_a_package_that_guesses(cast: Cast) -> None:
    with pytest.raises(NotOfficial, match=r"2027 年的放假安排还没有收进程序库.*漏掉调休"):
        days_of(2027)
    with pytest.raises(CommandError, match="请等国务院办公厅通知发布后"):
        call_command("calendar_from_library", "2027", by="office", notice=NOTICE)
    assert not CalendarEdition.objects.filter(year=2027).exists()


def test_days_on_which_the_packages_disagree_stop_the_draft(monkeypatch: pytest.MonkeyPatch) -> None:
    told = chinese_calendar.is_workday
    monkeypatch.setattr(chinese_calendar, "is_workday", lambda day: told(day) != (day == date(2026, 3, 2)))
    with pytest.raises(NotOfficial, match="2026-03-02 说法不一"):
        days_of(2026)


def test_the_command_proposes_what_both_packages_know_and_somebody_else_still_confirms(cast: Cast) -> None:
    out = StringIO()
    call_command("calendar_from_library", "2026", by="office", notice=NOTICE, stdout=out)
    edition = CalendarEdition.objects.get(year=2026, number=2)
    assert (edition.state, edition.proposed_by) == ("draft", cast.credit_office)
    assert "2026-01-04 班 元旦调休" in out.getvalue()
    with pytest.raises(CommandError, match="只有省信用办"):
        call_command("calendar_from_library", "2025", by="data_officer", notice=NOTICE, stdout=StringIO())


def test_the_thirteen_statutory_days_of_the_years_to_come() -> None:
    assert len(statutory_days(2027)) == 13
    assert {date(2027, 2, 5), date(2027, 2, 8), date(2027, 6, 9)} <= statutory_days(2027)
    assert date(2027, 2, 9) not in statutory_days(2027)


def test_one_proposes_another_confirms_and_then_the_year_counts(cast: Cast) -> None:
    edition = proposed(cast)
    with pytest.raises(BeyondCalendar):
        official_calendar().is_working_day(date(2027, 2, 20))
    confirmed = confirm_edition(edition.pk, by=cast.credit_office_2)
    assert confirmed.state == "in_force"
    calendar = official_calendar()
    assert calendar.is_working_day(date(2027, 2, 20))
    assert not calendar.is_working_day(date(2027, 2, 11))
    assert calendar.last_day() == date(2027, 12, 31)


def test_nobody_confirms_what_they_proposed_themselves(cast: Cast, as_user: Browser) -> None:
    edition = proposed(cast)
    with pytest.raises(PermissionDenied, match="须由省信用办另一名工作人员确认"):
        confirm_edition(edition.pk, by=cast.credit_office)
    as_user(cast.credit_office).post(f"/admin/catalogue/calendaredition/{edition.pk}/confirm/")
    edition.refresh_from_db()
    assert edition.state == "draft"
    refused_by_database(
        "catalogue_calendaredition_confirmed_by_another",
        "UPDATE catalogue_calendaredition SET state = 'in_force', confirmed_at = now(), confirmed_by_id = %s WHERE id = %s",
        [cast.credit_office.pk, edition.pk],
    )
    refused_by_database(
        "catalogue_calendaredition_confirmed_by_another",
        "UPDATE catalogue_calendaredition SET state = 'in_force', confirmed_at = now() WHERE id = %s",
        [edition.pk],
    )


def test_no_calendar_comes_into_force_unproposed(cast: Cast) -> None:
    refused_by_database(
        "catalogue_calendaredition_begins_as_a_proposal",
        "INSERT INTO catalogue_calendaredition (year, number, notice_no, source, source_url, state, proposed_at,"
        " confirmed_at, withdrawn_reason) VALUES (2027, 1, 'x', 'x', '', 'in_force', now(), now(), '')",
    )


@pytest.mark.parametrize("who", ["data_officer", "system_admin", "auditor", "head"])
def test_others_neither_propose_nor_confirm(cast: Cast, as_user: Browser, who: str) -> None:
    user = cast.everyone()[who]
    assert user is not None
    with pytest.raises(PermissionDenied):
        propose_edition(year=2027, days=[Day(date(2027, 1, 1), False, "元旦")], notice_no=NOTICE, by=user)
    edition = proposed(cast)
    with pytest.raises(PermissionDenied):
        confirm_edition(edition.pk, by=user)
    with pytest.raises(PermissionDenied):
        withdraw_edition(edition.pk, by=user, reason="试试")
    browser = as_user(user)
    page = f"/admin/catalogue/calendaredition/{edition.pk}/"
    for address in (ADD, f"{page}confirm/", f"{page}withdraw/"):
        assert browser.post(address, {"reason": "试试", "year": 2028}).status_code in (302, 403)
    edition.refresh_from_db()
    assert edition.state == "draft"
    assert CalendarEdition.objects.filter(year__gt=2026).count() == 1


def test_a_confirmed_calendar_is_changed_only_by_a_newer_edition_and_stays_on_file(cast: Cast) -> None:
    first = confirm_edition(proposed(cast).pk, by=cast.credit_office_2)
    newer = proposed(cast, LINES_2027 + "\n2027-09-03 休 纪念日")
    colleague = User.objects.get(username="office2")
    shown = review(newer)
    assert (shown.older, shown.added, shown.removed) == (first, [Day(date(2027, 9, 3), False, "纪念日")], [])
    confirm_edition(newer.pk, by=colleague)
    first.refresh_from_db()
    assert first.state == "superseded"
    assert first.days.count() == 16
    assert official_calendar().editions[2027] == newer.pk
    assert not official_calendar().is_working_day(date(2027, 9, 3))


def test_the_database_lets_nobody_touch_the_days_of_an_edition(cast: Cast) -> None:
    edition = confirm_edition(proposed(cast).pk, by=cast.credit_office_2)
    for statement in (
        "UPDATE catalogue_calendarday SET name = '工作' WHERE edition_id = %s",
        "DELETE FROM catalogue_calendarday WHERE edition_id = %s",
    ):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, [edition.pk])
    insert = "INSERT INTO catalogue_calendarday (edition_id, date, is_workday, name) VALUES (%s, %s, false, '偷偷放假')"
    refused_by_database("calendarday_belongs_to_a_draft_of_its_year", insert, [edition.pk, "2027-03-01"])
    draft = proposed(cast)
    refused_by_database("calendarday_belongs_to_a_draft_of_its_year", insert, [draft.pk, "2028-03-01"])
    refused_by_database("calendarday_differs_from_monday_to_friday", insert, [draft.pk, "2027-03-06"])


def test_the_database_keeps_every_edition_as_it_was_confirmed(cast: Cast) -> None:
    edition = CalendarEdition.objects.get(year=2026)
    for constraint, change in (
        ("catalogue_calendaredition_is_fixed", "notice_no = '别的文号'"),
        ("catalogue_calendaredition_is_fixed", "year = 2027"),
        ("catalogue_calendaredition_moves_along_its_arrows", "state = 'draft', confirmed_at = NULL"),
        ("catalogue_calendaredition_confirmation_is_fixed", "confirmed_at = now() - interval '1 day'"),
        ("calendaredition_superseded_by_a_newer", "state = 'superseded'"),
    ):
        refused_by_database(constraint, f"UPDATE catalogue_calendaredition SET {change} WHERE id = {edition.pk}")
    refused_by_database(
        "catalogue_calendaredition_is_kept", f"DELETE FROM catalogue_calendaredition WHERE id = {edition.pk}"
    )


def test_a_calendar_sent_back_stays_on_file_with_the_reason_and_makes_room_for_another(cast: Cast) -> None:
    edition = proposed(cast)
    with pytest.raises(ValidationError, match="已有待确认的日历"):
        proposed(cast)
    with pytest.raises(ValidationError, match="请写明退回理由"):
        withdraw_edition(edition.pk, by=cast.credit_office, reason=" ")
    withdraw_edition(edition.pk, by=cast.credit_office, reason="漏了端午节")
    assert CalendarEdition.objects.get(pk=edition.pk).withdrawn_reason == "漏了端午节"
    assert proposed(cast).number == 2


def test_the_whole_way_through_the_pages(cast: Cast, as_user: Browser) -> None:
    browser, colleague = as_user(cast.credit_office), cast.credit_office_2
    form = {"year": "2027", "notice_no": NOTICE, "source_url": "", "days": LINES_2027}
    answer = browser.post(ADD, form, follow=True)
    page = answer.content.decode()
    edition = CalendarEdition.objects.get(year=2027)
    assert "须由省信用办另一名工作人员确认" in page
    assert "核对无误，确认生效" not in page
    assert "2027-02-20" in page
    other = as_user(colleague)
    assert "核对无误，确认生效" in other.get(f"/admin/catalogue/calendaredition/{edition.pk}/change/").content.decode()
    page = other.post(f"/admin/catalogue/calendaredition/{edition.pk}/confirm/", follow=True).content.decode()
    assert "已确认，现行有效" in page
    edition.refresh_from_db()
    assert (edition.state, edition.confirmed_by) == ("in_force", colleague)


def test_the_page_warns_the_confirmer_of_a_statutory_day_left_out(cast: Cast, as_user: Browser) -> None:
    edition = proposed(cast, LINES_2027.replace("2027-06-09 休 端午节\n", ""))
    page = as_user(cast.credit_office_2).get(f"/admin/catalogue/calendaredition/{edition.pk}/change/").content.decode()
    assert "有法定节日没有列为放假" in page
    assert "2027-06-09 星期三" in page


def test_a_wrong_line_is_named_and_nothing_typed_is_lost(cast: Cast, as_user: Browser) -> None:
    lines = "2027-01-01 休 元旦\n2027-01-04 班\n2027-13-01 休 春节"
    form = {"year": "2027", "notice_no": NOTICE, "source_url": "", "days": lines}
    answer = as_user(cast.credit_office).post(ADD, form)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "第 2 行“2027-01-04 班”：这天是周一至周五，本来就上班" in page
    assert "第 3 行“2027-13-01 休 春节”：没有这一天" in page
    assert f"{lines}</textarea>" in page
    assert NOTICE in page
    assert not CalendarEdition.objects.filter(year=2027).exists()


def test_a_file_does_as_well_and_its_mistakes_can_be_put_right_on_the_page(cast: Cast, as_user: Browser) -> None:
    browser = as_user(cast.credit_office)
    form = {"year": "2027", "notice_no": NOTICE, "source_url": "", "days": ""}
    bad = SimpleUploadedFile("2027.txt", "2027-01-01 休 元旦\n2027-01-02 加班".encode("gb18030"))
    answer = browser.post(ADD, {**form, "file": bad})
    assert answer.status_code == 422
    assert "2027-01-02 加班</textarea>" in answer.content.decode()
    good = SimpleUploadedFile("2027.txt", LINES_2027.encode("utf-8-sig"))
    assert browser.post(ADD, {**form, "file": good}).status_code == 302
    assert CalendarDay.objects.filter(edition__year=2027).count() == 16


def test_a_second_proposal_for_a_year_is_told_on_the_form_and_one_can_be_sent_back_on_its_page(
    cast: Cast, as_user: Browser
) -> None:
    edition, browser = proposed(cast), as_user(cast.credit_office)
    form = {"year": "2027", "notice_no": NOTICE, "source_url": "", "days": LINES_2027}
    assert "已有待确认的日历" in browser.post(ADD, form).content.decode()
    address = f"/admin/catalogue/calendaredition/{edition.pk}/withdraw/"
    assert browser.post(address, {"reason": ""}).status_code == 422
    page = browser.post(address, {"reason": "漏了端午节"}, follow=True).content.decode()
    assert "已退回。" in page
    assert "漏了端午节" in page
    assert browser.post(ADD, form).status_code == 302


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (LINES_2027.encode("utf-16"), "文件不是文本。请另存为 UTF-8"),
        (b"\xff\xfe\x00\x80" * 9, "文件不是文本"),
        (b"2027-01-01\n" * 6000, "文件过大"),
        ("元旦\n".encode() * 40, "还有 10 行有同类问题"),
        (b"# \n", "请录入放假日和调休上班日"),
    ],
)
def test_a_file_that_is_no_list_of_days_is_told_why(cast: Cast, as_user: Browser, content: bytes, told: str) -> None:
    form = {"year": "2027", "notice_no": NOTICE, "days": "", "file": SimpleUploadedFile("2027.txt", content)}
    answer = as_user(cast.credit_office).post(ADD, form)
    assert answer.status_code == 422
    assert told in answer.content.decode()


@pytest.mark.parametrize("form", [{}, {"year": "2027", "notice_no": NOTICE, "days": ""}, {"year": "1900", "days": "x"}])
def test_a_form_half_filled_in_comes_back_with_what_is_missing(
    cast: Cast, as_user: Browser, form: dict[str, str]
) -> None:
    answer = as_user(cast.credit_office).post(ADD, {**form, "x": "1"})
    assert answer.status_code == 422
    assert "需要改正" in answer.content.decode()


def test_from_november_the_missing_year_waits_for_the_credit_office_and_the_administrator(cast: Cast) -> None:
    def card(user: User) -> str:
        return " ".join(
            f"{card.title}{card.tone}{card.url}" for card in waiting_for(user) if "还没有生效" in card.title
        )

    with time_machine.travel(datetime(2026, 10, 31, 12), tick=False):
        assert missing_year() is None
        assert card(cast.credit_office) == ""
    with time_machine.travel(datetime(2026, 11, 1, 12), tick=False):
        assert card(cast.credit_office) == f"2027 年工作日历还没有生效due{ADD}"
        assert card(cast.system_admin) == "2027 年工作日历还没有生效due/admin/catalogue/calendaredition/"
        assert card(cast.data_officer) == ""
    with time_machine.travel(datetime(2027, 1, 4, 12), tick=False):
        assert "overdue" in card(cast.credit_office)
    with time_machine.travel(datetime(2026, 12, 1, 12), tick=False):
        edition = proposed(cast)
        colleague = cast.credit_office_2
        assert "等候确认" in next(c.detail for c in waiting_for(colleague) if "还没有生效" in c.title)
        assert next(c.count for c in waiting_for(colleague) if c.title == "待确认的工作日历") == 1
        assert next(c.count for c in waiting_for(cast.credit_office) if c.title == "待确认的工作日历") == 0
        confirm_edition(edition.pk, by=colleague)
        assert missing_year() is None
        assert card(cast.credit_office) == ""
