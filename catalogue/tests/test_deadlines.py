"""Deadlines: the table of domain §12, its versions, and the clocks that run by it."""

from collections.abc import Callable
from datetime import date, datetime

import pytest
import time_machine
from auditlog.models import LogEntry
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client

from accounts.models import User
from catalogue import deadline_actions as deeds
from catalogue.deadlines import NoRule, due, overdue, rule_for
from catalogue.models import Deadline, DeadlineRule
from catalogue.tests.office import LINES_2027, proposed, refused_by_database
from catalogue.waiting import waiting_for
from creditfujian.lib.workdays import Due
from creditfujian.tests.cast import Cast

Browser = Callable[[User | None], Client]
# Domain §12: code, n, unit; the strict default of the site; what may be added once.
TABLE = """D01 7 WD 7|D02 1 WD 1|D03 5 WD 5|D04 5 WD 5|D05 5 WD 5|D06 5 WD 5|D07 7 WD 7|D08 30 ND 30|D09 20 WD 20
D10 3 WD 1|D11 1 WD 0|D12 2 WD 1|D13 5 WD 5 +5|D14 20 ND 20|D15 3 WD 3|D16 10 WD 10 +10|D17 10 WD 10|D18 3 WD 1|D19 3 MO 0
D20 12 MO 12|D21 36 MO 36|D22 60 MO 60|D23 3 WD -|D24 60 ND 60|D25 6 MO 6|D26 60 ND - +30|D27 15 WD 15|D28 20 WD 20 +20
D29 36 MO 36|D30 120 MO 120|D31 6 MO 36|D32 90 ND 90|D33 30 ND 30|D34 30 ND 30|D35 5 WD 5|D36 30 ND 30|D37 3 WD 3
D38 3 WD 3|D39 90 ND 90|D40 2 WD 2|D45 5 WD 5|D46 2 WD 2|D51 365 ND 365|D52 30 ND 30|D53 1 WD 1|D60 3 WD 3
D61 90 ND 90|D62 730 ND 730 +365|D63 6 MO 6|D64 30 ND 30|D71 10 WD 10|D72 15 ND 15|D73 12 MO 12
D74 30 ND -|D80 10 WD 10|D81 3 WD 3|D82 3 WD 3|D83 10 WD 10|D84 30 ND 30
D91 10 WD 10|D92 2 WD 2|D93 3 WD 3|D94 5 WD 5|D95 30 ND 30""".replace("\n", "|").split("|")


def start(cast: Cast, code: str, on: date) -> Deadline:
    """A clock on something: the item stands in for a case."""
    return deeds.start(code, on=on, subject=cast.item, label="闽信修〔2026〕1号")


def version(cast: Cast, code: str = "D13", **values: object) -> DeadlineRule:
    """A new version of a deadline, proposed."""
    return deeds.propose_rule(
        code, by=cast.credit_office, **{"valid_from": date(2027, 1, 1), "n": 3, "source": "新令", **values}
    )


# --- the table ---


@pytest.mark.parametrize("row", TABLE)
def test_the_table_is_loaded_as_it_stands(db: None, row: str) -> None:
    code, n, unit, strict, *extra = row.split()
    rule = DeadlineRule.objects.get(code=code)
    assert (rule.n, rule.unit) == (int(n), unit)
    assert rule.strict == (None if strict == "-" else int(strict))
    assert rule.n_extra == (int(extra[0]) if extra else None)
    assert rule.basis
    assert rule.source.startswith("时限总表")


def test_there_are_35_and_only_what_was_checked_says_verified(db: None) -> None:
    assert DeadlineRule.objects.count() == len(TABLE) == 64
    assert set(DeadlineRule.objects.filter(verified=True).values_list("confidence", flat=True)) == {"H"}
    assert (rule_for("D20", date(2026, 11, 25)).n_min, rule_for("D21", date(2026, 11, 25)).n_min) == (3, 12)


def test_windows_of_the_person_take_the_later_and_duties_and_burdens_the_earlier(db: None) -> None:
    later = set(DeadlineRule.objects.filter(in_doubt="later").values_list("code", flat=True))
    windows, kept_for_the_person = (
        {"D03", "D04", "D05", "D08", "D24", "D25", "D27", "D34", "D35", "D52", "D91"},
        {"D29", "D30", "D31"},
    )
    assert later == windows | kept_for_the_person


def test_the_last_day_follows_the_rule_of_the_day_and_the_calendar(db: None) -> None:
    assert due("D04", date(2026, 4, 30)).date == date(2026, 5, 11)
    assert due("D14", date(2026, 9, 14)).date == date(2026, 10, 8)  # 4 October is closed
    assert due("D21", date(2026, 11, 25)) == Due(date(2029, 11, 25))  # how long something is public never rolls
    assert due("D10", date(2026, 11, 25), strict=True).date == date(2026, 11, 26)
    assert due("D11", date(2026, 11, 25), strict=True).date == date(2026, 11, 25)


def test_a_deadline_before_its_law_is_not_guessed(db: None) -> None:
    with pytest.raises(NoRule, match="时限 D19 在 2025-01-06 没有现行规则"):
        due("D19", date(2025, 1, 6))
    assert due("D19", date(2025, 1, 6), on=date(2026, 11, 25)).date == date(2025, 4, 6)
    with pytest.raises(NoRule):
        due("D99", date(2026, 11, 25))


def test_a_last_day_in_a_year_without_calendar_is_provisional(db: None) -> None:
    assert due("D04", date(2026, 12, 28)) == Due(date(2027, 1, 5), provisional=True)
    assert not due("D04", date(2026, 12, 21)).provisional


# --- versions ---


def test_a_change_is_a_new_version_from_a_day_on_and_the_old_one_stands_before_it(cast: Cast) -> None:
    rule = version(cast)
    assert rule_for("D13", date(2027, 3, 1)).n == 5
    deeds.confirm_rule(rule.pk, by=cast.credit_office_2)
    assert rule_for("D13", date(2026, 12, 31)).n == 5
    assert (rule_for("D13", date(2027, 1, 1)).n, rule_for("D13", date(2027, 1, 1)).n_extra) == (3, 5)
    assert DeadlineRule.objects.get(code="D13", version=1).valid_to == date(2027, 1, 1)
    assert LogEntry.objects.get_for_object(rule).exists()


def test_nobody_confirms_their_own_version(cast: Cast, as_user: Browser) -> None:
    rule = version(cast)
    with pytest.raises(PermissionDenied, match="须由省信用办另一名工作人员确认"):
        deeds.confirm_rule(rule.pk, by=cast.credit_office)
    as_user(cast.credit_office).post(f"/admin/catalogue/deadlinerule/{rule.pk}/confirm/")
    rule.refresh_from_db()
    assert rule.state == "draft"
    sql = (
        "UPDATE catalogue_deadlinerule SET state = 'in_force', confirmed_at = now(), confirmed_by_id = %s WHERE id = %s"
    )
    refused_by_database("catalogue_deadlinerule_confirmed_by_another", sql, [cast.credit_office.pk, rule.pk])


@pytest.mark.parametrize("who", ["data_officer", "system_admin", "operator", "legal_reviewer"])
def test_others_change_no_deadline(cast: Cast, as_user: Browser, who: str) -> None:
    user = cast.everyone()[who]
    assert user is not None
    with pytest.raises(PermissionDenied):
        deeds.propose_rule("D13", by=user, valid_from=date(2027, 1, 1), n=9, source="新令")
    rule = version(cast)
    with pytest.raises(PermissionDenied):
        deeds.confirm_rule(rule.pk, by=user)
    with pytest.raises(PermissionDenied):
        deeds.withdraw_rule(rule.pk, by=user, reason="试试")
    for deed in ("propose", "confirm", "withdraw"):
        answer = as_user(user).post(f"/admin/catalogue/deadlinerule/{rule.pk}/{deed}/", {"reason": "试试"})
        assert answer.status_code == 403
    assert DeadlineRule.objects.filter(code="D13").count() == 2


@pytest.mark.parametrize(
    "change", ["n = 9", "unit = 'ND'", "basis = '别的'", "in_doubt = 'later'", "valid_from = '2019-01-01'"]
)
def test_the_database_refuses_to_edit_a_rule(cast: Cast, change: str) -> None:
    refused_by_database(
        "catalogue_deadlinerule_is_fixed", f"UPDATE catalogue_deadlinerule SET {change} WHERE code = 'D13'"
    )
    rule = version(cast)
    refused_by_database(
        "catalogue_deadlinerule_is_fixed", f"UPDATE catalogue_deadlinerule SET {change} WHERE id = {rule.pk}"
    )


def test_a_rule_may_be_ended_once_and_is_never_deleted(cast: Cast) -> None:
    rule = DeadlineRule.objects.get(code="D33")
    rule.valid_to = date(2027, 6, 1)
    rule.save()
    refused_by_database(
        "catalogue_deadlinerule_ends_once", "UPDATE catalogue_deadlinerule SET valid_to = NULL WHERE code = 'D33'"
    )
    refused_by_database("catalogue_deadlinerule_is_kept", "DELETE FROM catalogue_deadlinerule WHERE code = 'D33'")


def test_two_versions_never_answer_for_the_same_day(cast: Cast) -> None:
    rule, colleague = version(cast), cast.credit_office_2
    refused_by_database(
        "deadlinerule_in_force_do_not_overlap",
        "UPDATE catalogue_deadlinerule SET state = 'in_force', confirmed_at = now(), confirmed_by_id = %s WHERE id = %s",
        [colleague.pk, rule.pk],
    )
    with pytest.raises(ValidationError, match="启用日期须晚于现行版本的启用日期"):
        version(cast, "D14", valid_from=date(2010, 1, 1))
    with pytest.raises(ValidationError, match="已有待确认的新版本"):
        version(cast)


def test_a_version_sent_back_stays_on_file(cast: Cast) -> None:
    rule = version(cast)
    deeds.withdraw_rule(rule.pk, by=cast.credit_office, reason="依据有误")
    assert DeadlineRule.objects.get(pk=rule.pk).state == "withdrawn"
    assert version(cast).version == 3
    with pytest.raises(PermissionDenied, match="当前状态为“已退回”"):
        deeds.confirm_rule(rule.pk, by=cast.credit_office_2)


def test_a_version_goes_through_the_pages(cast: Cast, as_user: Browser) -> None:
    rule, browser = DeadlineRule.objects.get(code="D13"), as_user(cast.credit_office)
    address = f"/admin/catalogue/deadlinerule/{rule.pk}/propose/"
    assert "提出新版本" in browser.get(f"/admin/catalogue/deadlinerule/{rule.pk}/change/").content.decode()
    first = browser.get(address).context["form"].initial
    form = {name: value for name, value in first.items() if value not in (None, False)} | {"source": "新令第三条"}
    early = browser.post(address, {**form, "n": "3", "valid_from": "2010-01-01"})
    assert early.status_code == 422
    assert "启用日期须晚于现行版本的启用日期" in early.content.decode()
    page = browser.post(address, {**form, "n": "3", "n_min": "4", "valid_from": "2027-01-01"}).content.decode()
    assert "最短期限不能长于期限" in page
    page = browser.post(address, {**form, "n": "3", "valid_from": "2027-01-01"}, follow=True).content.decode()
    assert "已提出新版本" in page
    assert "有变化" in page
    made = DeadlineRule.objects.get(code="D13", version=2)
    as_user(cast.credit_office_2).post(f"/admin/catalogue/deadlinerule/{made.pk}/confirm/")
    assert rule_for("D13", date(2027, 1, 4)).n == 3


# --- clocks ---


def test_a_clock_shows_its_last_day_and_the_calendar_it_rests_on(cast: Cast) -> None:
    clock = start(cast, "D16", date(2026, 9, 30))
    assert (clock.due_on, clock.provisional) == (date(2026, 10, 20), False)
    assert clock.edition is not None
    assert clock.edition.year == 2026
    assert list(Deadline.objects.of(cast.item)) == [clock]
    with pytest.raises(ValidationError, match="同一对象的这项期限已在计时"):
        start(cast, "D16", date(2026, 9, 30))


def test_a_pause_is_not_counted_and_the_working_days_left_go_on_after_it(cast: Cast) -> None:
    clock = start(cast, "D16", date(2026, 11, 2))  # ten working days: 16 November
    deeds.pause(clock.pk, on=date(2026, 11, 5), reason="等候补正材料")  # three counted, seven left
    assert not overdue(date(2026, 12, 1)).exists()
    clock = deeds.resume(clock.pk, on=date(2026, 11, 20))
    assert (clock.due_on, clock.paused_days) == (date(2026, 12, 1), 15)
    with pytest.raises(ValidationError, match="没有中止"):
        deeds.resume(clock.pk, on=date(2026, 11, 21))


def test_a_pause_of_natural_days_and_its_guards(cast: Cast) -> None:
    clock = start(cast, "D14", date(2026, 11, 2))  # twenty days: Sunday 22, so Monday 23 November
    assert clock.due_on == date(2026, 11, 23)
    with pytest.raises(ValidationError, match="请写明中止理由"):
        deeds.pause(clock.pk, on=date(2026, 11, 12), reason="")
    with pytest.raises(ValidationError, match="已超期的不能中止"):
        deeds.pause(clock.pk, on=date(2026, 11, 24), reason="等候鉴定")
    deeds.pause(clock.pk, on=date(2026, 11, 13), reason="等候鉴定")
    with pytest.raises(ValidationError, match="请先恢复"):
        deeds.extend(clock.pk, by=cast.head, reason="案情复杂")
    with pytest.raises(ValidationError, match="不能早于中止日"):
        deeds.resume(clock.pk, on=date(2026, 11, 12))
    assert deeds.resume(clock.pk, on=date(2026, 11, 16)).due_on == date(2026, 11, 26)


def test_an_extension_is_given_once_with_a_reason_only_where_the_rule_says_so(cast: Cast) -> None:
    clock = start(cast, "D13", date(2026, 11, 23))
    with time_machine.travel(datetime(2026, 11, 25, 12), tick=False):
        with pytest.raises(ValidationError, match="请写明延长理由"):
            deeds.extend(clock.pk, by=cast.head, reason="")
        clock = deeds.extend(clock.pk, by=cast.head, reason="需要向外省核实")
        assert clock.due_on == clock.extended_until == date(2026, 12, 7)
        with pytest.raises(ValidationError, match="只能延长一次"):
            deeds.extend(clock.pk, by=cast.head, reason="还要延长")
        with pytest.raises(ValidationError, match="D06 复核陈述申辩不能延长"):
            deeds.extend(start(cast, "D06", date(2026, 11, 23)).pk, by=cast.head, reason="案情复杂")
    late = deeds.start("D28", on=date(2026, 9, 1), subject=cast.market, label="依申请公开 1 号")
    with (
        time_machine.travel(datetime(2026, 11, 25, 12), tick=False),
        pytest.raises(ValidationError, match="期限已经届满"),
    ):
        deeds.extend(late.pk, by=cast.head, reason="案情复杂")


def test_what_runs_out_is_only_escalated_and_once(cast: Cast) -> None:
    clock = start(cast, "D13", date(2026, 11, 2))
    assert not overdue(date(2026, 11, 9)).exists()  # its last day counts to the end
    assert list(overdue(date(2026, 11, 10))) == [clock]
    assert deeds.escalate_overdue(date(2026, 11, 10)) == [clock]
    assert deeds.escalate_overdue(date(2026, 11, 11)) == []
    clock.refresh_from_db()
    assert (clock.met_on, clock.due_on) == (None, date(2026, 11, 9))
    card = next(card for card in waiting_for(cast.credit_office) if card.title == "已超期的办理期限")
    assert (card.count, card.detail) == (1, "超期只督办，不视为拒绝或者同意")
    deeds.meet(clock.pk, on=date(2026, 11, 12))
    assert not overdue().exists()
    with pytest.raises(ValidationError, match="已于 2026-11-12 办结"):
        deeds.pause(clock.pk, on=date(2026, 11, 12), reason="太迟")


def test_the_official_calendar_settles_provisional_dates_in_favour_of_the_person(cast: Cast) -> None:
    # The invented notice closes two more days in January and works a weekend for them; the guess knew neither.
    lines = LINES_2027.replace(
        "2027-02-05", "2027-01-04 休 元旦\n2027-01-05 休 元旦\n2027-01-09 班\n2027-01-10 班\n2027-02-05"
    )
    window = start(cast, "D04", date(2026, 12, 28))  # guessed: 5 January
    duty = start(cast, "D16", date(2026, 12, 28))  # guessed: 12 January
    assert (window.due_text, duty.due_text) == ("2027-01-05（暂定）", "2027-01-12（暂定）")
    paused = deeds.start("D13", on=date(2026, 12, 30), subject=cast.market, label="异议 1 号")
    deeds.pause(paused.pk, on=date(2026, 12, 30), reason="等候材料")
    deeds.confirm_edition(proposed(cast, lines).pk, by=cast.credit_office_2)
    window.refresh_from_db()
    duty.refresh_from_db()
    assert due("D04", date(2026, 12, 28)).date == date(2027, 1, 7)
    assert due("D16", date(2026, 12, 28)).date == date(2027, 1, 12)
    assert (window.due_on, window.provisional) == (date(2027, 1, 7), False)
    assert (duty.due_on, duty.provisional) == (date(2027, 1, 12), False)
    assert window.edition is not None
    assert window.edition.year == 2027


def test_an_authority_gains_nothing_and_a_person_loses_nothing_by_the_official_calendar(cast: Cast) -> None:
    closed = LINES_2027.replace("2027-02-05", "2027-01-04 休 元旦\n2027-01-05 休 元旦\n2027-02-05")
    duty = start(cast, "D13", date(2026, 12, 28))
    deeds.confirm_edition(proposed(cast, closed).pk, by=cast.credit_office_2)
    duty.refresh_from_db()
    assert due("D13", date(2026, 12, 28)).date == date(2027, 1, 7)
    assert duty.due_on == date(2027, 1, 5)
    # A newer edition works the weekend: the person's window, by counting now shorter, stays.
    window = start(cast, "D04", date(2026, 12, 28))
    newer = closed + "\n2027-01-02 班 元旦调休\n2027-01-03 班 元旦调休"
    deeds.confirm_edition(proposed(cast, newer).pk, by=User.objects.get(username="office2"))
    window.refresh_from_db()
    assert due("D04", date(2026, 12, 28)).date == date(2027, 1, 3)
    assert window.due_on == date(2027, 1, 7)


@pytest.mark.parametrize(
    ("code", "constraint", "change"),
    [
        ("D04", "deadline_of_a_person_is_never_shortened", "due_on = due_on - 1"),
        ("D13", "deadline_of_an_authority_is_never_lengthened", "due_on = due_on + 1"),
        ("D13", "deadline_origin_is_fixed", "started_on = started_on - 1"),
        ("D13", "deadline_extended_by_somebody_for_a_reason", "due_on = due_on + 9, extended_until = due_on + 9"),
        ("D06", "deadline_extended_once_where_the_rule_allows", "extended_until = due_on + 9"),
        ("D13", "deadline_paused_with_a_reason", "paused_on = started_on"),
        ("D13", "deadline_met_not_before_start", "met_on = started_on - 1"),
    ],
)
def test_the_database_refuses_to_bend_a_clock(cast: Cast, code: str, constraint: str, change: str) -> None:
    clock = start(cast, code, date(2026, 11, 23))
    refused_by_database(constraint, f"UPDATE catalogue_deadline SET {change} WHERE id = {clock.pk}")


def test_the_database_keeps_clocks_and_what_was_met(cast: Cast) -> None:
    clock = start(cast, "D13", date(2026, 11, 23))
    refused_by_database("deadline_is_kept", f"DELETE FROM catalogue_deadline WHERE id = {clock.pk}")
    deeds.meet(clock.pk, on=date(2026, 11, 24))
    refused_by_database("deadline_met_is_final", f"UPDATE catalogue_deadline SET met_on = NULL WHERE id = {clock.pk}")
    draft = version(cast)
    refused_by_database(
        "deadline_rule_is_in_force",
        "INSERT INTO catalogue_deadline (rule_id, subject_type, subject_id, subject_label, started_on, due_on, provisional,"
        " counted_from, counted, counted_unit, pause_reason, paused_days, extension_reason)"
        " VALUES (%s, 'x', '1', 'x', '2027-01-04', '2027-01-08', false, '2027-01-04', 3, 'WD', '', 0, '')",
        [draft.pk],
    )


def test_the_credit_office_sees_the_clocks_and_changes_none(cast: Cast, as_user: Browser) -> None:
    clock = start(cast, "D13", date(2026, 11, 2))
    other = deeds.start("D16", on=date(2026, 11, 24), subject=cast.market, label="修复 2 号")
    with time_machine.travel(datetime(2026, 11, 25, 12), tick=False):
        browser = as_user(cast.credit_office)
        page = browser.get("/admin/catalogue/deadline/?overdue=1").content.decode()
        assert clock.subject_label in page
        assert other.subject_label not in page
        assert "2026-12-08" in browser.get("/admin/catalogue/deadline/").content.decode()
        answer = browser.post(f"/admin/catalogue/deadline/{clock.pk}/change/", {"due_on": "2027-01-01"})
        assert answer.status_code == 403
    assert as_user(cast.data_officer).get("/admin/catalogue/deadline/").status_code == 403
