"""What departments owe for each closed period of an item, judged in SQL from what they delivered or declared.

Of departments, never of persons. docs/supply.md says what counts.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from catalogue.deadlines import working_calendar
from catalogue.models import Item, ItemVersion, SupplyAssignment, VersionStep
from creditfujian.lib.workdays import DAY, Calendar, Unit, add_months, due
from records.models import Batch, NilDeclaration, SupplyDuty, period_text

State = SupplyDuty.State
ItemState = ItemVersion.State
_STOOD = (ItemState.PUBLISHED, ItemState.IN_FORCE, ItemState.SUSPENDED, ItemState.RETIRED)
OPEN_AT_MOST = timedelta(days=500)  # a year, and the time for its delivery
ASSIGNED_LATER, ENDED, SUSPENDED, NOT_IN_FORCE = (
    "期间内才开始承担报送", "期间内结束报送任务", "条目暂停", "期间内条目没有全程有效"
)  # fmt: skip


# --- periods ------------------------------------------------------------------------------------------------


def period_of(frequency: str, day: date) -> tuple[date, date]:
    """Return the first and last day of the period of that frequency in which a day lies."""
    if frequency == "D":
        return day, day
    if frequency == "W":
        first = day - (day.isoweekday() - 1) * DAY
        return first, first + 6 * DAY
    months = {"M": 1, "Q": 3, "Y": 12}[frequency]
    first = date(day.year, (day.month - 1) // months * months + 1, 1)
    return first, add_months(first, months) - DAY


def periods(frequency: str, first: date, last: date, calendar: Calendar) -> Iterator[tuple[date, date]]:
    """Yield the periods of which a day lies between two days and which end by the later one.

    A daily item is owed for working days only: on others nobody decides anything.
    """
    start, end = period_of(frequency, first)
    while end <= last:
        if frequency != "D" or calendar.is_working_day(start):
            yield start, end
        start, end = period_of(frequency, end + DAY)


class WorkingDays:
    """Counts working days between two days of a stretch without walking through them each time."""

    def __init__(self, calendar: Calendar, first: date, last: date) -> None:
        stretch = (first + offset * DAY for offset in range((last - first).days + 1))
        self.days = [day for day in stretch if calendar.is_working_day(day)]

    def between(self, after: date, until: date) -> int:
        """Return how many working days come after one day, up to and including another; none when it is earlier."""
        return max(0, bisect_right(self.days, until) - bisect_right(self.days, after))


# --- what is owed ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Owed:
    """One period of one assignment: when it is due, or why it does not count."""

    assignment: int
    item: int
    supplier: int
    first: date
    last: date
    frequency: str
    due_on: date
    provisional: bool
    note: str = ""

    @property
    def key(self) -> tuple[int, int, date]:
        return self.item, self.supplier, self.first


@dataclass(frozen=True)
class Open:
    """A period of which the last day for delivery has not passed."""

    owed: Owed
    item_code: str
    item_name: str
    state: str

    @property
    def period_text(self) -> str:
        """Return the period in words."""
        return period_text(self.owed.frequency, self.owed.first, self.owed.last)

    @property
    def due_text(self) -> str:
        """Return the last day with the mark of a provisional one."""
        return f"{self.owed.due_on:%Y-%m-%d}{'（暂定）' if self.owed.provisional else ''}"


def owed(
    assignments: Iterable[SupplyAssignment], day: date, calendar: Calendar, *, not_before: date = date.min
) -> list[Owed]:
    """Return every closed period of the assignments since somebody entered them, or since `not_before`.

    A period before the duty stood in the system is nobody's: a duty is never dated back onto a department.
    """
    listed = list(assignments)
    items = {one.item_id for one in listed}
    versions: dict[int, list[ItemVersion]] = {pk: [] for pk in items}
    rows = ItemVersion.objects.filter(item__in=items, state__in=_STOOD).select_related("item")
    for version in rows.order_by("item", "version"):
        versions[version.item_id].append(version)
    stopped = _suspensions(items)
    return [
        one
        for assignment in listed
        for version in versions[assignment.item_id]
        for one in _owed_under(assignment, version, versions[assignment.item_id], stopped, day, calendar, not_before)
    ]


def _owed_under(
    assignment: SupplyAssignment, version: ItemVersion, versions: Sequence[ItemVersion],
    stopped: dict[int, list[tuple[date, date | None]]], day: date, calendar: Calendar, not_before: date,
) -> Iterator[Owed]:  # fmt: skip
    if version.update_freq not in SupplyDuty.Frequency or not version.comes_by_delivery:
        return
    since = max(assignment.effective.lower, timezone.localdate(assignment.assigned_at))
    start = max(since, version.effective.lower, not_before)
    end_of_version = version.effective.upper - DAY if version.effective.upper else day
    for first, last in periods(version.update_freq, start, min(day - DAY, end_of_version), calendar):
        if assignment.effective.upper is not None and first >= assignment.effective.upper:
            return
        end = due(last, version.supply_days, Unit(version.supply_unit), calendar)
        yield Owed(
            assignment.pk, assignment.item_id, assignment.supplier_id, first, last, version.update_freq, end.date,
            end.provisional, _why_not(assignment, since, first, last, end.date, versions, stopped),
        )  # fmt: skip


def _why_not(
    assignment: SupplyAssignment, since: date, first: date, last: date, due_on: date,
    versions: Sequence[ItemVersion], stopped: dict[int, list[tuple[date, date | None]]],
) -> str:  # fmt: skip
    """Return why a period does not count, or nothing."""
    if first < since:
        return ASSIGNED_LATER
    if assignment.effective.upper is not None and last >= assignment.effective.upper:
        return ENDED
    if any(begin <= due_on and (end is None or end >= first) for begin, end in stopped.get(assignment.item_id, [])):
        return SUSPENDED
    reached = first
    for version in versions:
        if version.effective.lower <= reached and (
            version.effective.upper is None or version.effective.upper > reached
        ):
            reached = version.effective.upper or last + DAY
    return "" if reached > last else NOT_IN_FORCE


def _suspensions(items: Iterable[int]) -> dict[int, list[tuple[date, date | None]]]:
    """Return from when to when each item was suspended."""
    found: dict[int, list[tuple[date, date | None]]] = {}
    steps = VersionStep.objects.filter(item_version__item__in=items).filter(
        Q(to_state=ItemState.SUSPENDED) | Q(from_state=ItemState.SUSPENDED)
    )
    for item, to_state, at in steps.order_by("id").values_list("item_version__item", "to_state", "at"):
        listed, on = found.setdefault(item, []), timezone.localdate(at)
        if to_state == ItemState.SUSPENDED:
            listed.append((on, None))
        elif listed:
            listed[-1] = (listed[-1][0], on)
    return found


# --- judged ---------------------------------------------------------------------------------------------------

# The state of each duty asked about, from the first delivery of a document of the period, or the declaration.
_JUDGED = """
WITH asked AS MATERIALIZED (
    SELECT * FROM unnest(%(assignment)s::bigint[], %(item)s::bigint[], %(supplier)s::bigint[], %(first)s::date[],
        %(last)s::date[], %(frequency)s::text[], %(due_on)s::date[], %(provisional)s::boolean[], %(note)s::text[])
        AS a(assignment_id, item_id, supplier_id, first_day, last_day, frequency, due_on, provisional, note)
), met AS (
    SELECT a.*, d.batch_id, d.delivered_on, CASE WHEN a.note = '' THEN coalesce(d.delivered_on, n.declared_on) END AS met_on
      FROM asked a
      LEFT JOIN records_first_deliveries(%(item)s::bigint[], %(supplier)s::bigint[], %(first)s::date[],
                                         %(last)s::date[], %(day)s) d USING (item_id, supplier_id, first_day)
      LEFT JOIN records_nildeclaration n ON n.item_id = a.item_id AND n.supplier_id = a.supplier_id
       AND n.period = daterange(a.first_day, a.last_day, '[]') AND n.withdrawn_on IS NULL AND n.declared_on <= %(day)s
), judged AS (
    SELECT m.*, CASE WHEN note <> '' THEN 'not_counted' WHEN met_on > due_on THEN 'late'
                     WHEN delivered_on IS NOT NULL THEN 'met' WHEN met_on IS NOT NULL THEN 'declared'
                     WHEN due_on < %(day)s THEN 'missed' ELSE 'due' END AS state
      FROM met m
)
"""
_WRITE = f"""{_JUDGED}
INSERT INTO records_supplyduty AS s (assignment_id, item_id, supplier_id, frequency, period, due_on, provisional, state,
                                     met_on, late_days, batch_id, note, closed_on)
SELECT assignment_id, item_id, supplier_id, frequency, daterange(first_day, last_day, '[]'), due_on, provisional, state,
       met_on, CASE WHEN state = 'late' THEN (
           SELECT count(*) FROM unnest(%(working_days)s::date[]) w WHERE w > due_on AND w <= met_on) ELSE 0 END,
       CASE WHEN note = '' THEN batch_id END, note, %(day)s
  FROM judged j
 WHERE state <> 'due' OR EXISTS (SELECT 1 FROM records_supplyduty k WHERE k.item_id = j.item_id
       AND k.supplier_id = j.supplier_id AND k.period = daterange(j.first_day, j.last_day, '[]'))
ON CONFLICT ON CONSTRAINT supplyduty_once_per_period DO UPDATE
   SET state = excluded.state, met_on = excluded.met_on, late_days = excluded.late_days, batch_id = excluded.batch_id,
       due_on = CASE WHEN s.provisional THEN excluded.due_on ELSE s.due_on END,
       provisional = s.provisional AND excluded.provisional, note = excluded.note
 WHERE (s.state, s.met_on, s.late_days, s.batch_id, s.note, s.provisional) IS DISTINCT FROM
       (excluded.state, excluded.met_on, excluded.late_days, excluded.batch_id, excluded.note, excluded.provisional)
    OR s.provisional AND s.due_on <> excluded.due_on
"""  # noqa: S608 – no value is put into the text


def _values(asked: Sequence[Owed], day: date) -> dict[str, Any]:
    names = ("assignment", "item", "supplier", "first", "last", "frequency", "due_on", "provisional", "note")
    return {name: [getattr(one, name) for one in asked] for name in names} | {"day": day}


@transaction.atomic
def close_periods(day: date, *, assignments: Iterable[SupplyAssignment] | None = None, again: bool = False) -> int:
    """Write down the duties of closed periods that are decided by that day; return how many lines are new or changed.

    One line per item, supplier and period, however often it runs. What was met stays so unless `again` is asked for
    (a batch was withdrawn); what was missed or declared is judged anew, for a delivery may have come.
    """
    calendar = working_calendar()
    of = list(SupplyAssignment.objects.all() if assignments is None else assignments)
    asked = owed(of, day, calendar)
    if not again:
        done = _settled(of)
        asked = [one for one in asked if one.key not in done]
    if not asked:
        return 0
    asked = _with_kept_due(asked)
    stretch = WorkingDays(calendar, min(one.due_on for one in asked), max(day, *(one.due_on for one in asked)))
    with connection.cursor() as cursor:
        cursor.execute(_WRITE, _values(asked, day) | {"working_days": stretch.days})
        return cursor.rowcount


def _settled(assignments: Sequence[SupplyAssignment]) -> set[tuple[int, int, date]]:
    """Return the duties that no later delivery changes: met, or not counted, by a date that is not provisional."""
    final = Q(state__in=[State.MET, State.NOT_COUNTED]) | Q(state=State.LATE, batch__isnull=False)
    rows = SupplyDuty.objects.filter(final, assignment__in=assignments, provisional=False)
    return {(item, supplier, period.lower) for item, supplier, period in rows.values_list("item", "supplier", "period")}


def _with_kept_due(asked: Sequence[Owed]) -> list[Owed]:
    """Judge a duty by the day it was given: a calendar that is changed later does not make anybody late."""
    rows = SupplyDuty.objects.filter(provisional=False, item__in={one.item for one in asked})
    kept = {
        (item, supplier, period.lower): due_on
        for item, supplier, period, due_on in rows.values_list("item", "supplier", "period", "due_on")
    }
    return [
        Owed(**{**vars(one), "due_on": kept[one.key], "provisional": False}) if one.key in kept else one
        for one in asked
    ]


def open_duties(user: User, day: date) -> list[Open]:
    """Return what the user's own department still has time for: closed periods, nothing delivered, not declared."""
    if not user.has_perm("records.view_supplyduty") or user.organisation_id is None:
        return []
    mine = SupplyAssignment.objects.filter(supplier=user.organisation_id).select_related("item")
    lately = owed(mine, day, working_calendar(), not_before=day - OPEN_AT_MOST)
    asked = [one for one in lately if one.due_on >= day and not one.note]
    if not asked:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            f"{_JUDGED} SELECT item_id, first_day FROM judged WHERE state = 'due' ORDER BY due_on, item_id",  # noqa: S608
            _values(asked, day),
        )
        waiting = cursor.fetchall()
    by_key = {(one.item, one.first): one for one in asked}
    codes, names = {one.item_id: one.item.code for one in mine}, item_names(day)
    return [Open(by_key[key], codes[key[0]], names.get(key[0], codes[key[0]]), State.DUE.label) for key in waiting]


def item_names(day: date) -> dict[int, str]:
    """Return the name of each item by its latest version that was ever published."""
    rows = ItemVersion.objects.filter(state__in=_STOOD, effective__startswith__lte=day).order_by("version")
    return dict(rows.values_list("item", "name"))


# --- deeds ----------------------------------------------------------------------------------------------------


@transaction.atomic
def declare_nothing(item: Item, first: date, *, by: User, day: date | None = None) -> NilDeclaration:
    """Say for one's department that no decision was made in the period of the item that begins on that day.

    Raises PermissionDenied; ValidationError when the period is not owed, was delivered or was declared before.
    """
    today = day or timezone.localdate()
    mine = list(SupplyAssignment.objects.select_for_update().filter(item=item, supplier=by.organisation_id))
    if not by.has_perm("records.add_batch") or not mine:
        raise PermissionDenied("只有承担报送的单位的数据员可以零报。")
    asked = [one for one in owed(mine, today, working_calendar()) if one.first == first and not one.note]
    if not asked:
        raise ValidationError("这个期间还没有结束，或者不计报送任务，不用零报。", code="period")
    close_periods(today, assignments=mine)
    period = DateRange(first, asked[0].last + DAY)
    duties = SupplyDuty.objects.filter(item=item, supplier=by.organisation_id, period=period)
    if duties.filter(met_on__isnull=False).exists():
        raise ValidationError("这个期间已有报送或者零报，不能再零报。", code="met")
    declaration = NilDeclaration(
        item=item, supplier_id=mine[0].supplier_id, period=period, declared_by=by, declared_on=today
    )
    declaration.full_clean()
    declaration.save()
    close_periods(today, assignments=mine)
    return declaration


def follow_delivery(batch: Batch, *, again: bool = False) -> None:
    """Judge the duties of a batch's item anew after it went in or was withdrawn; what it belies is withdrawn."""
    periodic = ItemVersion.objects.filter(item=batch.item_id, update_freq__in=SupplyDuty.Frequency.values)
    mine = SupplyAssignment.objects.filter(item=batch.item_id, supplier=batch.supplier_id)
    if not periodic.exists() or not mine:
        return
    today = timezone.localdate()
    _withdraw_belied(batch, today)
    close_periods(today, assignments=mine, again=again)


def _withdraw_belied(batch: Batch, day: date) -> None:
    """Withdraw the declarations of periods for which a delivery stands."""
    open_ones = list(NilDeclaration.objects.filter(item=batch.item_id, supplier=batch.supplier_id, withdrawn_on=None))
    if not open_ones:
        return
    firsts = [one.period.lower for one in open_ones]
    lasts = [one.period.upper - timedelta(days=1) for one in open_ones]
    ids = [batch.item_id] * len(firsts), [batch.supplier_id] * len(firsts)
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE records_nildeclaration n SET withdrawn_on = greatest(d.delivered_on, n.declared_on),
                      withdrawn_by_batch_id = d.batch_id
                 FROM records_first_deliveries(%s::bigint[], %s::bigint[], %s::date[], %s::date[], %s) d
                WHERE n.item_id = d.item_id AND n.supplier_id = d.supplier_id AND lower(n.period) = d.first_day
                  AND n.withdrawn_on IS NULL""",
            [*ids, firsts, lasts, day],
        )
