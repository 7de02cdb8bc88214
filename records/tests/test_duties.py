"""What departments owe for each period: in time, late over a holiday, missed, declared, not counted; and the numbers."""

import io
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import openpyxl
import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.test import Client
from django.utils import timezone

from accounts.models import Organisation, Role, User
from catalogue import actions as catalogue_actions
from catalogue import grants, starter_data, supply_actions
from catalogue.models import Item, ItemGrant, ItemVersion, SupplyAssignment
from catalogue.rules import may_supply
from catalogue.tests.editions import retire
from creditfujian.lib.workdays import DAY
from creditfujian.tests.cast import Cast, granted
from records import actions, duties
from records.duties import close_periods, declare_nothing, open_duties, period_of, periods
from records.models import Batch, NilDeclaration, SupplyDuty
from records.situation import as_csv, cells, situation, write_xlsx
from records.tests.deliveries import as_csv as as_delivery
from records.tests.deliveries import check, deliver, penalty
from records.tests.test_returned import bad as row_sent_back
from records.tests.test_returned import put_right, send_back, workbook

ENTERED = datetime(2025, 12, 1, 1, tzinfo=UTC)
JANUARY = date(2026, 1, 1)


def at(day: date) -> datetime:
    """Noon in Fujian."""
    return datetime(day.year, day.month, day.day, 4, tzinfo=UTC)


pytestmark = pytest.mark.own_cast


@pytest.fixture(autouse=True)
def rules(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """The penalties are supplied monthly (or as a test says) within seven working days, since the end of 2025."""
    frequency, days = getattr(request, "param", ("M", 7))
    rows = starter_data.items()
    for row in rows:
        if row["code"] == "FJ1-03-MRKT-0001":
            row["version"] |= {"update_freq": frequency, "supply_days": days}  # type: ignore[operator]
    monkeypatch.setattr(starter_data, "items", lambda: rows)
    monkeypatch.setattr(supply_actions, "assign_providers", _assigned_long_ago)


def _assigned_long_ago(items: list[Item], *, by: User) -> list[SupplyAssignment]:
    return [
        SupplyAssignment.objects.create(
            item=item, supplier=item.provider, effective=DateRange(date(2021, 9, 1), None), assigned_by=by,
            reason="提供单位", assigned_at=ENTERED,
        )
        for item in items
    ]  # fmt: skip


@pytest.fixture
def frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Deliveries are dated by the test; nothing is judged by today's clock in between."""
    monkeypatch.setattr(duties, "follow_delivery", lambda batch, again=False: None)


def delivered(cast: Cast, on: date, *, decided: date, number: int = 1, **more: Any) -> Batch:
    """A delivery of one penalty decided on one day, entered on another."""
    row = penalty(
        cast, 行政处罚决定书文号=f"闽市监处罚〔2026〕{number}号", 处罚决定日期=decided, 公示截止期=decided + 300 * DAY
    )
    batch = deliver(cast, [row], name=f"{number}.csv", **more)
    Batch.objects.filter(pk=batch.pk).update(committed_at=at(on), checked_at=at(on))
    return Batch.objects.get(pk=batch.pk)


def state(cast: Cast, first: date) -> tuple[str, int]:
    duty = SupplyDuty.objects.get(item=cast.item, period__startswith=first)
    return duty.state, duty.late_days


def by_rules(frequency: str, days: int) -> Any:
    """Run a test under another frequency and deadline."""
    return pytest.mark.parametrize("rules", [(frequency, days)], indirect=True)


# --- periods ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("frequency", "day", "first", "last"),
    [
        ("D", date(2026, 2, 13), date(2026, 2, 13), date(2026, 2, 13)), ("W", date(2026, 2, 13), date(2026, 2, 9), date(2026, 2, 15)),
        ("M", date(2024, 2, 13), date(2024, 2, 1), date(2024, 2, 29)), ("Q", date(2026, 6, 30), date(2026, 4, 1), date(2026, 6, 30)),
        ("Y", date(2026, 12, 31), date(2026, 1, 1), date(2026, 12, 31)),
    ],
)  # fmt: skip
def test_periods_have_their_first_and_last_day(frequency: str, day: date, first: date, last: date) -> None:
    assert period_of(frequency, day) == (first, last)


def test_a_daily_item_is_owed_for_working_days_only(db: None) -> None:
    calendar = duties.working_calendar()
    found = [first for first, _ in periods("D", date(2026, 2, 12), date(2026, 2, 25), calendar)]
    assert found == [date(2026, 2, day) for day in (12, 13, 14, 24, 25)]  # the Saturday is worked, then Spring Festival


# --- states ----------------------------------------------------------------------------------------------------


def test_a_delivery_within_the_deadline_is_in_time(cast: Cast, frozen: None) -> None:
    delivered(cast, date(2026, 2, 10), decided=date(2026, 1, 20))
    close_periods(date(2026, 2, 12))
    duty = SupplyDuty.objects.get(item=cast.item, period__startswith=JANUARY)
    assert (duty.state, duty.due_on, duty.met_on) == ("met", date(2026, 2, 10), date(2026, 2, 10))
    assert duty.period_text == "2026年1月"


@by_rules("D", 3)
def test_three_working_days_from_13_february_end_on_25_february_and_what_comes_later_is_late(
    cast: Cast, frozen: None
) -> None:
    friday = date(2026, 2, 13)
    close_periods(date(2026, 2, 25))
    assert not SupplyDuty.objects.filter(period__startswith=friday).exists(), "there is still time on the last day"
    delivered(cast, date(2026, 3, 2), decided=friday)
    close_periods(date(2026, 3, 2))
    duty = SupplyDuty.objects.get(item=cast.item, period__startswith=friday)
    # 26 and 27 February, Saturday 28 February (worked), 2 March
    assert (duty.due_on, duty.state, duty.late_days) == (date(2026, 2, 25), "late", 4)
    assert duty.state_text == "迟报 4 个工作日"


def test_what_never_came_is_missed_once_the_day_is_over(cast: Cast, frozen: None) -> None:
    close_periods(date(2026, 2, 10))
    assert not SupplyDuty.objects.filter(item=cast.item, period__startswith=JANUARY).exists()
    close_periods(date(2026, 2, 11))
    assert state(cast, JANUARY) == ("missed", 0)


def test_a_delivery_of_another_month_does_not_stand_in(cast: Cast, frozen: None) -> None:
    delivered(cast, date(2026, 2, 5), decided=date(2026, 2, 3))
    close_periods(date(2026, 2, 11))
    assert state(cast, JANUARY) == ("missed", 0)


def test_a_missed_period_becomes_late_when_it_comes_and_is_one_line_for_ever(cast: Cast, frozen: None) -> None:
    assert close_periods(date(2026, 2, 11)) > 0
    assert close_periods(date(2026, 2, 11)) == 0, "a second run finds nothing to do"
    delivered(cast, date(2026, 2, 13), decided=date(2026, 1, 20))
    assert close_periods(date(2026, 2, 13)) == 1
    assert state(cast, JANUARY) == ("late", 3)
    delivered(cast, date(2026, 2, 14), decided=date(2026, 1, 21), number=2)
    assert close_periods(date(2026, 2, 24)) == 0
    assert SupplyDuty.objects.filter(item=cast.item, period__startswith=JANUARY).count() == 1


def test_a_withdrawn_batch_leaves_the_period_open_again(cast: Cast, frozen: None, monkeypatch: Any) -> None:
    batch = delivered(cast, date(2026, 2, 9), decided=date(2026, 1, 20))
    close_periods(date(2026, 2, 12))
    assert state(cast, JANUARY)[0] == "met"
    actions.withdraw(batch.pk, by=cast.data_officer, reason="文号有误")
    close_periods(date(2026, 2, 12), again=True)
    assert state(cast, JANUARY)[0] == "missed"


def test_a_batch_withdrawn_and_delivered_again_keeps_its_first_day(cast: Cast, frozen: None) -> None:
    batch = delivered(cast, date(2026, 2, 9), decided=date(2026, 1, 20))
    actions.withdraw(batch.pk, by=cast.data_officer, reason="文号有误")
    delivered(cast, date(2026, 3, 2), decided=date(2026, 1, 20), number=2)
    close_periods(date(2026, 3, 3))
    duty = SupplyDuty.objects.get(item=cast.item, period__startswith=JANUARY)
    assert (duty.state, duty.met_on) == ("met", date(2026, 2, 9))


# --- declared -----------------------------------------------------------------------------------------------------


def test_nothing_to_report_is_declared_and_counts_as_such(cast: Cast, frozen: None) -> None:
    declare_nothing(cast.item, JANUARY, by=cast.data_officer, day=date(2026, 2, 9))
    assert state(cast, JANUARY) == ("declared", 0)
    with pytest.raises(ValidationError, match="不能再零报"):
        declare_nothing(cast.item, JANUARY, by=cast.data_officer, day=date(2026, 2, 9))


def test_a_declaration_after_the_day_is_late(cast: Cast, frozen: None) -> None:
    close_periods(date(2026, 2, 11))
    declare_nothing(cast.item, JANUARY, by=cast.data_officer, day=date(2026, 2, 11))
    assert state(cast, JANUARY) == ("late", 1)


def test_a_delivery_for_the_period_withdraws_the_declaration(cast: Cast) -> None:
    today = timezone.localdate()
    first, last = period_of("M", today.replace(day=1) - DAY)
    declaration = declare_nothing(cast.item, first, by=cast.data_officer)
    row = penalty(cast, 处罚决定日期=last, 公示截止期=last + 300 * DAY)
    batch = deliver(cast, [row])
    declaration.refresh_from_db()
    assert (declaration.withdrawn_on, declaration.withdrawn_by_batch) == (today, batch)
    duty = SupplyDuty.objects.get(item=cast.item, period__startswith=first)
    assert (duty.batch, duty.state in ("met", "late")) == (batch, True)
    with pytest.raises(ValidationError):
        declare_nothing(cast.item, first, by=cast.data_officer)


def test_a_period_that_runs_or_was_delivered_is_not_declared(cast: Cast, frozen: None) -> None:
    with pytest.raises(ValidationError, match="还没有结束"):
        declare_nothing(cast.item, JANUARY, by=cast.data_officer, day=date(2026, 1, 31))
    delivered(cast, date(2026, 2, 2), decided=date(2026, 1, 20))
    with pytest.raises(ValidationError, match="已有报送"):
        declare_nothing(cast.item, JANUARY, by=cast.data_officer, day=date(2026, 2, 3))


def test_only_the_department_that_owes_declares(cast: Cast) -> None:
    for user in (cast.data_reviewer, cast.credit_office, cast.officer_elsewhere, cast.operator, elsewhere(cast)):
        with pytest.raises(PermissionDenied):
            declare_nothing(cast.item, JANUARY, by=user, day=date(2026, 2, 9))
    assert not NilDeclaration.objects.exists()


# --- not counted --------------------------------------------------------------------------------------------------


def test_nobody_is_blamed_for_a_period_before_or_in_which_the_duty_began(cast: Cast, frozen: None) -> None:
    SupplyAssignment.objects.create(
        item=cast.item, supplier=cast.transport, effective=DateRange(date(2026, 1, 15), None), reason="分工调整",
        assigned_by=cast.credit_office, assigned_at=at(date(2026, 1, 10)),
    )  # fmt: skip
    close_periods(date(2026, 4, 1))
    theirs = SupplyDuty.objects.filter(supplier=cast.transport).order_by("period")
    assert [(one.period.lower.month, one.state, one.note) for one in theirs] == [
        (1, "not_counted", duties.ASSIGNED_LATER), (2, "missed", ""),
    ]  # fmt: skip


def test_a_duty_entered_later_is_not_dated_back(cast: Cast, frozen: None) -> None:
    close_periods(date(2026, 4, 1))
    assert SupplyDuty.objects.order_by("period").first().period.lower == date(2025, 12, 1)  # type: ignore[union-attr]


def test_the_month_in_which_a_duty_ends_is_not_counted(cast: Cast, frozen: None) -> None:
    mine = SupplyAssignment.objects.get(item=cast.item)
    mine.effective, mine.ended_by, mine.end_reason = (
        DateRange(date(2021, 9, 1), date(2026, 2, 10)),
        cast.credit_office,
        "划转",
    )
    mine.save()
    close_periods(date(2026, 5, 1))
    assert state(cast, date(2026, 2, 1))[0] == "not_counted"
    assert not SupplyDuty.objects.filter(item=cast.item, period__startswith=date(2026, 3, 1)).exists()


def test_a_suspended_item_has_no_duties_for_that_time(cast: Cast, frozen: None, monkeypatch: Any) -> None:
    monkeypatch.setattr(duties, "_suspensions", lambda items: {cast.item.pk: [(date(2026, 2, 3), date(2026, 3, 1))]})
    close_periods(date(2026, 5, 1))
    assert state(cast, date(2025, 12, 1))[0] == "missed"
    assert state(cast, JANUARY)[0] == "not_counted"  # its last days for delivery fell into the suspension
    assert state(cast, date(2026, 2, 1))[0] == "not_counted"
    assert state(cast, date(2026, 3, 1))[0] == "not_counted"  # it was suspended on the first day still
    assert not SupplyDuty.objects.filter(item=cast.item, period__startswith=date(2026, 4, 1), state="missed").exists()


def test_the_time_of_a_suspension_is_read_from_the_steps_of_the_item(cast: Cast) -> None:
    version, today = cast.item.versions.get(), timezone.localdate()
    assert duties._suspensions([cast.item.pk]) == {}
    catalogue_actions.suspend(version, by=cast.credit_office, note="核查依据")
    assert duties._suspensions([cast.item.pk]) == {cast.item.pk: [(today, None)]}
    catalogue_actions.resume(version, by=cast.credit_office, note="依据有效")
    assert duties._suspensions([cast.item.pk]) == {cast.item.pk: [(today, today)]}


def test_a_retired_item_owes_nothing_more(cast: Cast, frozen: None) -> None:
    retire(cast, cast.item)
    today = timezone.localdate()
    close_periods(today + timedelta(days=120))
    last = SupplyDuty.objects.filter(item=cast.item).order_by("-period").first()
    assert last is not None
    assert last.last_day < today


@by_rules("EV", 7)
def test_an_item_of_events_has_no_periods(cast: Cast, frozen: None) -> None:
    close_periods(date(2026, 6, 1))
    assert not SupplyDuty.objects.exists()


def test_lists_and_the_courts_feed_are_nobodys_duty_to_deliver(cast: Cast, monkeypatch: Any, frozen: None) -> None:
    monkeypatch.setattr(ItemVersion, "comes_by_delivery", property(lambda version: False))
    close_periods(date(2026, 6, 1))
    assert not SupplyDuty.objects.exists()


# --- beyond the calendar --------------------------------------------------------------------------------------------


@by_rules("Y", 7)
def test_a_day_beyond_the_official_calendar_is_marked_provisional(cast: Cast, frozen: None) -> None:
    day = date(2027, 1, 4)
    [one] = open_duties(cast.data_officer, day)
    assert one.owed.first == JANUARY
    assert one.due_text.endswith("（暂定）")
    close_periods(date(2027, 2, 1))
    duty = SupplyDuty.objects.get(item=cast.item, period__startswith=JANUARY)
    assert (duty.state, duty.provisional) == ("missed", True)


@by_rules("Y", 7)
def test_the_official_calendar_moves_a_provisional_day_and_judges_anew(cast: Cast, frozen: None) -> None:
    from catalogue.deadline_actions import confirm_edition
    from catalogue.tests.office import LINES_2027, proposed

    close_periods(date(2027, 1, 13))
    duty = SupplyDuty.objects.get(item=cast.item, period__startswith=JANUARY)
    assert (duty.state, duty.due_on) == ("missed", date(2027, 1, 12))
    edition = proposed(cast, LINES_2027 + "\n2027-01-04 休 元旦")
    confirm_edition(edition.pk, by=cast.credit_office_2)
    close_periods(date(2027, 1, 13))
    duty.refresh_from_db()
    assert (duty.state, duty.due_on, duty.provisional) == ("due", date(2027, 1, 13), False)
    close_periods(date(2027, 1, 14))
    duty.refresh_from_db()
    assert duty.state == "missed"


# --- what is open ----------------------------------------------------------------------------------------------------


def test_an_officer_sees_what_there_is_still_time_for(cast: Cast, frozen: None) -> None:
    [one] = open_duties(cast.data_officer, date(2026, 2, 3))
    assert (one.period_text, one.due_text, one.item_code) == ("2026年1月", "2026-02-10", cast.item.code)
    declare_nothing(cast.item, JANUARY, by=cast.data_officer, day=date(2026, 2, 3))
    assert open_duties(cast.data_officer, date(2026, 2, 3)) == []
    assert open_duties(elsewhere(cast), date(2026, 2, 3)) == []
    assert open_duties(cast.operator, date(2026, 2, 3)) == []


# --- the table keeps what it says ------------------------------------------------------------------------------------


def test_a_duty_is_neither_deleted_nor_given_to_another(cast: Cast, frozen: None) -> None:
    close_periods(date(2026, 2, 11))
    duty = SupplyDuty.objects.filter(item=cast.item).first()
    assert duty is not None
    for deed in (
        duty.delete,
        lambda: SupplyDuty.objects.filter(pk=duty.pk).update(supplier=cast.transport),
        lambda: SupplyDuty.objects.filter(pk=duty.pk).update(due_on=duty.due_on + DAY),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            deed()


# --- the assignment itself ---------------------------------------------------------------------------------------------


def elsewhere(cast: Cast) -> User:
    """A data officer of another department."""
    user, new = User.objects.get_or_create(
        username="tran_data", defaults={"name": "丁", "organisation": cast.transport, "is_staff": True}
    )
    user.groups.set(cast.data_officer.groups.filter(name=Role.DATA_OFFICER))
    return user


def asked_for(cast: Cast) -> ItemGrant:
    """The grant that an assignment asks for."""
    return ItemGrant.objects.get(organisation=cast.transport, item=cast.item, permission="supply_item")


def test_assigning_asks_for_the_grant_and_ending_takes_it_back(cast: Cast) -> None:
    made = supply_actions.assign_supplier(cast.item, cast.transport, by=cast.credit_office, reason="机构改革划转")
    assert not may_supply(cast.transport, cast.item), "one official alone lets nobody deliver"
    with pytest.raises(PermissionDenied, match="另一名"):
        grants.confirm(asked_for(cast).pk, by=cast.credit_office)
    grants.confirm(asked_for(cast).pk, by=cast.credit_office_2)
    assert may_supply(cast.transport, cast.item)
    tomorrow = timezone.localdate() + DAY
    supply_actions.end_assignment(made, by=cast.credit_office, reason="划回", on=tomorrow)
    assert may_supply(cast.transport, cast.item)
    assert asked_for(cast).ended_on == tomorrow, "from that day on it opens nothing, with no job in between"


def test_an_assignment_that_ends_today_lets_nobody_deliver_from_now_on(cast: Cast) -> None:
    yesterday = timezone.localdate() - DAY
    made = SupplyAssignment.objects.create(
        item=cast.item, supplier=cast.transport, effective=DateRange(yesterday, None), assigned_by=cast.credit_office,
        reason="划转",
    )  # fmt: skip
    granted(cast, cast.transport, cast.item)
    supply_actions.end_assignment(made, by=cast.credit_office, reason="划回")
    assert not may_supply(cast.transport, cast.item)


def test_a_duty_that_begins_later_brings_its_grant_that_day(cast: Cast) -> None:
    day = timezone.localdate() + 5 * DAY
    made = supply_actions.assign_supplier(cast.item, cast.transport, by=cast.credit_office, reason="划转", since=day)
    grants.confirm(asked_for(cast).pk, by=cast.credit_office_2)
    assert asked_for(cast).valid_from == day
    assert not may_supply(cast.transport, cast.item)
    supply_actions.end_assignment(made, by=cast.credit_office, reason="不再划转", on=day + DAY)
    assert asked_for(cast).ended_on == day + DAY


def test_a_duty_is_not_dated_back_not_doubled_and_not_given_to_a_bank(cast: Cast) -> None:
    today = timezone.localdate()
    tried: list[tuple[Organisation, date]] = [(cast.transport, today - DAY), (cast.market, today), (cast.bank, today)]
    for supplier, since in tried:
        with pytest.raises(ValidationError):
            supply_actions.assign_supplier(cast.item, supplier, by=cast.credit_office, reason="划转", since=since)
    for user in (cast.data_officer, cast.operator, cast.system_admin):
        with pytest.raises(PermissionDenied):
            supply_actions.assign_supplier(cast.item, cast.transport, by=user, reason="划转")


def test_an_assignment_is_ended_never_rewritten(cast: Cast) -> None:
    mine = SupplyAssignment.objects.get(item=cast.item)
    with pytest.raises(IntegrityError), transaction.atomic():
        mine.delete()
    for changed in ({"supplier": cast.transport}, {"effective": DateRange(date(2020, 1, 1), None)}):
        with pytest.raises(IntegrityError), transaction.atomic():
            SupplyAssignment.objects.filter(pk=mine.pk).update(**changed)


# --- numbers of the quarter ----------------------------------------------------------------------------------------------


def test_the_numbers_of_a_quarter_add_up(cast: Cast, frozen: None) -> None:
    delivered(cast, date(2026, 2, 9), decided=date(2026, 1, 27))  # nine working days from the document
    delivered(cast, date(2026, 2, 10), decided=date(2026, 2, 2), number=2)  # six
    good = penalty(cast, 行政处罚决定书文号="甲1", 处罚决定日期="2026-03-02")
    wrong = [row_sent_back(cast, n, 处罚决定日期="2026-03-02") for n in (3, 4)]
    bad = check(cast, as_delivery([good, *wrong]), name="坏.csv")
    actions.commit_now(bad.pk, by=cast.data_reviewer)
    Batch.objects.filter(pk=bad.pk).update(checked_at=at(date(2026, 3, 5)), committed_at=at(date(2026, 3, 5)))
    mended = send_back(cast, put_right(workbook(bad), keep=1))
    Batch.objects.filter(pk=mended.pk).update(checked_at=at(date(2026, 3, 9)), committed_at=at(date(2026, 3, 9)))
    close_periods(date(2026, 4, 20))
    [line] = situation(date(2026, 2, 1), by=cast.data_officer)
    assert (line.met, line.late, line.missed, line.declared, line.not_counted) == (3, 0, 0, 0, 0)
    assert (line.rows, line.refused, line.refused_share, line.corrected_share) == (5, 2, "40.0%", "50.0%")
    assert line.median_correction == "2"
    assert (line.records, line.in_time, line.in_time_share) == (4, 3, "75.0%")
    assert line.withdrawn == 0
    text = as_csv([line]).decode("utf-8-sig")
    assert "行政处罚" in text
    assert "40.0%" in text


def test_withdrawn_batches_are_counted_in_their_quarter(cast: Cast, frozen: None) -> None:
    batch = deliver(cast, [penalty(cast)])
    actions.withdraw(batch.pk, by=cast.data_officer, reason="重复报送")
    [line] = situation(timezone.localdate(), by=cast.credit_office)
    assert (line.withdrawn, line.records, line.in_time_share) == (1, 0, "—")


def test_the_credit_office_sees_all_a_department_itself_an_operator_nothing(cast: Cast, frozen: None) -> None:
    close_periods(date(2026, 4, 1))
    assert {line.supplier for line in situation(date(2026, 1, 1), by=cast.credit_office)} == {cast.market.name}
    assert situation(date(2026, 1, 1), by=cast.data_officer)
    for user in (elsewhere(cast), cast.operator, cast.data_reviewer, cast.auditor, cast.citizen, cast.system_admin):
        assert situation(date(2026, 1, 1), by=user) == []
        assert not SupplyDuty.objects.visible_to(user).exists()


def test_downloads_are_safe_from_formulas(cast: Cast, frozen: None) -> None:
    Organisation.objects.filter(pk=cast.market.pk).update(name="=HYPERLINK(1)")
    close_periods(date(2026, 4, 1))
    lines = situation(date(2026, 1, 1), by=cast.credit_office)
    assert as_csv(lines).decode("utf-8-sig").splitlines()[1].startswith("'=HYPERLINK(1)")
    out = io.BytesIO()
    write_xlsx(lines, out, "2026年第1季度")
    sheet = openpyxl.load_workbook(out).active
    assert sheet["A2"].value == "'=HYPERLINK(1)"
    assert sheet["F2"].value == lines[0].missed
    assert len(cells(lines[0])) == sheet.max_column


# --- pages ---------------------------------------------------------------------------------------------------------------


def test_an_officer_declares_on_the_page(cast: Cast, as_user: Callable[[User | None], Client]) -> None:
    first, _ = period_of("M", timezone.localdate().replace(day=1) - DAY)
    close_periods(timezone.localdate())
    officer = as_user(cast.data_officer)
    assert "部门报送情况" in officer.get("/admin/records/supplyduty/situation/").content.decode()
    body = {"item": cast.item.code, "first": f"{first}"}
    page = officer.post("/admin/records/supplyduty/declare/", body, follow=True).content.decode()
    assert "已零报" in page
    assert NilDeclaration.objects.get().declared_by == cast.data_officer
    again = officer.post("/admin/records/supplyduty/declare/", body, follow=True).content.decode()
    assert "不能再零报" in again
    nonsense = officer.post(
        "/admin/records/supplyduty/declare/", body | {"first": "昨天"}, follow=True
    ).content.decode()
    assert "没有这个期间" in nonsense


def test_the_page_is_for_those_who_owe_and_for_the_credit_office(
    cast: Cast, as_user: Callable[[User | None], Client], frozen: None
) -> None:
    close_periods(date(2026, 2, 11))
    duty = SupplyDuty.objects.filter(item=cast.item).first()
    assert duty is not None
    for user in (cast.data_officer, cast.credit_office):
        assert as_user(user).get("/admin/records/supplyduty/situation/").status_code == 200
        assert as_user(user).get(f"/admin/records/supplyduty/{duty.pk}/change/").status_code == 200
    assert as_user(elsewhere(cast)).get(f"/admin/records/supplyduty/{duty.pk}/change/").status_code == 404
    for user in (cast.operator, cast.data_reviewer, cast.auditor):
        assert as_user(user).get("/admin/records/supplyduty/situation/").status_code == 403
        assert as_user(user).get(f"/admin/records/supplyduty/{duty.pk}/change/").status_code == 403


def test_the_dashboard_tells_what_was_missed(
    cast: Cast, as_user: Callable[[User | None], Client], frozen: None
) -> None:
    close_periods(date(2026, 2, 11))
    count = SupplyDuty.objects.filter(item=cast.item, state="missed").count()
    assert count == 2
    assert f"未报 {count} 期" in as_user(cast.data_officer).get("/admin/").content.decode()
    assert f"未报 {count} 期" in as_user(cast.credit_office).get("/admin/").content.decode()
    assert "未报 0 期" in as_user(elsewhere(cast)).get("/admin/").content.decode()
    assert "未报、迟报" not in as_user(cast.operator).get("/admin/").content.decode()


def test_the_credit_office_assigns_and_ends_on_pages(cast: Cast, as_user: Callable[[User | None], Client]) -> None:
    office, today = as_user(cast.credit_office), timezone.localdate()
    body = {"item": cast.item.pk, "supplier": cast.transport.pk, "since": f"{today - DAY}", "reason": "划转"}
    answer = office.post("/admin/catalogue/supplyassignment/add/", body)
    assert answer.status_code == 422
    assert "不能追溯" in answer.content.decode()
    office.post("/admin/catalogue/supplyassignment/add/", body | {"since": f"{today}"})
    made = SupplyAssignment.objects.get(supplier=cast.transport, item=cast.item)
    page = f"/admin/catalogue/supplyassignment/{made.pk}/"
    assert office.post(f"{page}end/", {"on": f"{today}", "reason": "划回"}).status_code == 422
    office.post(f"{page}end/", {"on": f"{today + DAY}", "reason": "划回"})
    made.refresh_from_db()
    assert made.effective.upper == today + DAY
    assert as_user(elsewhere(cast)).get(f"{page}change/").status_code == 200
    assert as_user(cast.data_officer).get(f"{page}change/").status_code == 404
    assert as_user(cast.operator).get(f"{page}change/").status_code == 403
