"""The deeds of calendar, deadlines and clocks. Two people of the credit office make a calendar or a rule."""

from datetime import date
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models, transaction
from django.db.models import Max, Q
from django.utils import timezone

from accounts.models import User
from catalogue.deadlines import rule_for, working_calendar
from catalogue.models import CalendarDay, CalendarEdition, Deadline, DeadlineRule, Proposal
from creditfujian.lib import workdays
from creditfujian.lib.day_list import Day
from creditfujian.lib.workdays import DAY, Unit

State = Proposal.State


# --- the calendar ---


def propose_edition(
    *, year: int, days: list[Day], notice_no: str, by: User, source: str = "国务院办公厅通知", source_url: str = ""
) -> CalendarEdition:
    """Propose the calendar of a year. Raises PermissionDenied, ValidationError."""
    if not by.has_perm("catalogue.propose_calendar"):
        raise PermissionDenied("只有省信用办可以提出年度工作日历。")
    if not days:
        raise ValidationError("没有一天与周一至周五不同。请按通知逐日录入放假日和调休上班日。", code="empty")
    with transaction.atomic():
        last = CalendarEdition.objects.filter(year=year).aggregate(last=Max("number"))["last"] or 0
        edition = CalendarEdition(
            year=year, number=last + 1, notice_no=notice_no, source=source, source_url=source_url, proposed_by=by
        )
        edition.full_clean()
        edition.save()
        CalendarDay.objects.bulk_create(
            CalendarDay(edition=edition, date=day.date, is_workday=day.is_workday, name=day.name) for day in days
        )
    return edition


def confirm_edition(edition_id: int, *, by: User) -> CalendarEdition:
    """Put a proposed calendar in force; the year's older edition steps back, provisional dates are worked out again.

    Raises PermissionDenied, ValidationError.
    """
    with transaction.atomic():
        edition = CalendarEdition.objects.select_for_update().get(pk=edition_id)
        may_decide(edition, by, "catalogue.confirm_calendar", confirm=True)
        for old in CalendarEdition.objects.select_for_update().filter(year=edition.year, state=State.IN_FORCE):
            old.state = State.SUPERSEDED
            old.save(update_fields=["state"])
        put_in_force(edition, by)
        recompute_provisional()
    return edition


def withdraw_edition(edition_id: int, *, by: User, reason: str) -> CalendarEdition:
    """Send a proposed calendar back; it stays on file. Raises PermissionDenied, ValidationError."""
    with transaction.atomic():
        edition = CalendarEdition.objects.select_for_update().get(pk=edition_id)
        may_decide(edition, by, "catalogue.propose_calendar", confirm=False)
        send_back(edition, reason)
    return edition


# --- the rules ---


def propose_rule(code: str, *, by: User, **values: Any) -> DeadlineRule:
    """Propose a new version of a deadline, the last version's values where none is given; its source always is.

    Raises PermissionDenied, ValidationError.
    """
    if not by.has_perm("catalogue.propose_deadlinerule"):
        raise PermissionDenied("只有省信用办可以提出时限规则。")
    with transaction.atomic():
        rule = DeadlineRule.objects.filter(code=code).exclude(state=State.WITHDRAWN).order_by("-version").first()
        if rule is None:
            raise ValidationError(f"没有时限 {code}。", code="code")
        begins: date = values["valid_from"]
        if rule.state == State.IN_FORCE and begins <= rule.valid_from:
            raise ValidationError(f"启用日期须晚于现行版本的启用日期 {rule.valid_from}。", code="valid_from")
        last = DeadlineRule.objects.filter(code=code).aggregate(last=Max("version"))["last"]
        fields: dict[str, Any] = {
            "pk": None, "version": last + 1, "state": State.DRAFT, "proposed_by": by, "proposed_at": timezone.now(),
            "confirmed_by": None, "confirmed_at": None, "valid_to": None, "source": "", **values,
        }  # fmt: skip
        for name, value in fields.items():
            setattr(rule, name, value)
        rule._state.adding = True
        rule.full_clean()
        rule.save()
    return rule


def confirm_rule(rule_id: int, *, by: User) -> DeadlineRule:
    """Put a proposed version in force; the version before ends the day it begins.

    Clocks already running keep the version they started under. Raises PermissionDenied, ValidationError.
    """
    with transaction.atomic():
        rule = DeadlineRule.objects.select_for_update().get(pk=rule_id)
        may_decide(rule, by, "catalogue.confirm_deadlinerule", confirm=True)
        open_ended = Q(valid_to__isnull=True) | Q(valid_to__gt=rule.valid_from)
        before = DeadlineRule.objects.select_for_update().filter(open_ended, code=rule.code, state=State.IN_FORCE)
        for old in before:
            if old.valid_from >= rule.valid_from or old.valid_to is not None:
                raise ValidationError(f"与现行第 {old.version} 版的有效期间重叠，请退回后改启用日期。", code="overlap")
            old.valid_to = rule.valid_from
            old.save(update_fields=["valid_to"])
        put_in_force(rule, by)
    return rule


def withdraw_rule(rule_id: int, *, by: User, reason: str) -> DeadlineRule:
    """Send a proposed version back; it stays on file. Raises PermissionDenied, ValidationError."""
    with transaction.atomic():
        rule = DeadlineRule.objects.select_for_update().get(pk=rule_id)
        may_decide(rule, by, "catalogue.propose_deadlinerule", confirm=False)
        send_back(rule, reason)
    return rule


def why_not_confirm(proposal: Proposal, user: User, permission: str) -> str:
    """Return why this user may not confirm the proposal, or an empty string."""
    if not proposal.is_draft:
        return f"当前状态为“{proposal.get_state_display()}”，不能确认。"
    if not user.has_perm(permission):
        return "只有省信用办可以确认。"
    if user.pk == proposal.proposed_by_id:
        return "这是您提出的，须由省信用办另一名工作人员确认。"
    return ""


def may_decide(proposal: Proposal, by: User, permission: str, *, confirm: bool) -> None:
    """Let through who may confirm, or send back, what another proposed. Raises PermissionDenied, ValidationError."""
    if confirm and (reason := why_not_confirm(proposal, by, permission)):
        raise PermissionDenied(reason)
    if not by.has_perm(permission):
        raise PermissionDenied("只有省信用办可以办理。")
    if not proposal.is_draft:
        raise ValidationError(f"当前状态为“{proposal.get_state_display()}”，不能退回。", code="state")


def put_in_force(proposal: Proposal, by: User) -> None:
    """Note who confirmed the proposal, and when."""
    proposal.state, proposal.confirmed_by, proposal.confirmed_at = State.IN_FORCE, by, timezone.now()
    proposal.save(update_fields=["state", "confirmed_by", "confirmed_at"])


def put_in_place_of(proposal: Proposal, before: "models.QuerySet[Any]", by: User) -> None:
    """Put a proposal in force; what is in force for the same matter (`before`) ends the day it begins.

    For proposals with `valid_from` and `valid_to`. Raises ValidationError when both would be in force on one day.
    """
    mine: Any = proposal
    open_ended = Q(valid_to__isnull=True) | Q(valid_to__gt=mine.valid_from)
    for old in before.select_for_update(of=("self",)).filter(open_ended, state=State.IN_FORCE):
        if old.valid_from >= mine.valid_from or old.valid_to is not None:
            raise ValidationError("与现行规则的有效期间重叠，请退回后改启用日期。", code="overlap")
        old.valid_to = mine.valid_from
        old.save(update_fields=["valid_to"])
    put_in_force(proposal, by)


def send_back(proposal: Proposal, reason: str) -> None:
    """Send a proposal back for good. Raises ValidationError without a reason."""
    if not reason.strip():
        raise ValidationError("请写明退回理由。", code="reason")
    proposal.state, proposal.withdrawn_reason = State.WITHDRAWN, reason.strip()[:200]
    proposal.save(update_fields=["state", "withdrawn_reason"])


# --- the clocks ---


def start(code: str, *, on: date, subject: models.Model, label: str) -> Deadline:
    """Start a clock on a case, a listing or whatever else has a deadline. Raises NoRule, ValidationError.

    `label` is the case's number: no names, no identity numbers.
    """
    rule, calendar = rule_for(code, on), working_calendar()
    clock = Deadline(
        rule=rule, subject_type=subject._meta.label_lower, subject_id=str(subject.pk), subject_label=label,
        started_on=on, counted_from=on, counted=rule.n, counted_unit=rule.unit,
    )  # fmt: skip
    _set_due(clock, calendar, keep_better=False)
    clock.full_clean()
    clock.save()
    return clock


def start_all(code: str, *, on: date, subjects: list[tuple[models.Model, str]]) -> list[Deadline]:
    """Start the same clock on many subjects, given with their labels, in one statement. Raises NoRule."""
    if not subjects:
        return []
    rule, calendar = rule_for(code, on), working_calendar()
    due = rule.due(on, calendar)
    return Deadline.objects.bulk_create(
        Deadline(
            rule=rule, subject_type=subject._meta.label_lower, subject_id=str(subject.pk), subject_label=label,
            started_on=on, counted_from=on, counted=rule.n, counted_unit=rule.unit, due_on=due.date,
            provisional=due.provisional, edition_id=None if due.provisional else due.edition,
        )
        for subject, label in subjects
    )  # fmt: skip


def pause(clock_id: int, *, on: date, reason: str) -> Deadline:
    """Stop a clock, such as while papers are awaited; what is left of it is counted from `resume`.

    Raises ValidationError.
    """
    with transaction.atomic():
        clock = _running(clock_id)
        if not reason.strip():
            raise ValidationError("请写明中止理由。", code="reason")
        if not clock.started_on <= on <= clock.due_on:
            raise ValidationError(f"中止日须在起算日与届满日（{clock.due_text}）之间，已超期的不能中止。", code="on")
        clock.counted, clock.counted_unit = _left(clock, on)
        clock.counted_from, clock.paused_on, clock.pause_reason = on, on, reason.strip()[:200]
        clock.save()
    return clock


def resume(clock_id: int, *, on: date) -> Deadline:
    """Let a paused clock go on: the day of resuming is not counted. Raises ValidationError."""
    with transaction.atomic():
        clock = _open(clock_id)
        if clock.paused_on is None:
            raise ValidationError("期限没有中止，不需要恢复。", code="state")
        if on < clock.paused_on:
            raise ValidationError(f"恢复日不能早于中止日 {clock.paused_on}。", code="on")
        clock.paused_days += (on - clock.paused_on).days
        clock.counted_from, clock.paused_on = on, None
        _set_due(clock, working_calendar(), keep_better=clock.rule.in_doubt == DeadlineRule.InDoubt.LATER)
        clock.save()
    return clock


def extend(clock_id: int, *, by: User, reason: str) -> Deadline:
    """Extend a clock once, as far as its rule says, before it is over. Raises ValidationError."""
    with transaction.atomic():
        clock = _running(clock_id)
        if clock.rule.n_extra is None:
            raise ValidationError(f"{clock.rule.code} {clock.rule.what}不能延长。", code="extra")
        if clock.extended_until is not None:
            raise ValidationError(f"已延长至 {clock.extended_until}，只能延长一次。", code="once")
        if not reason.strip():
            raise ValidationError("请写明延长理由。", code="reason")
        if clock.is_overdue():
            raise ValidationError("期限已经届满，不能再延长，请尽快办理。", code="overdue")
        clock.counted += clock.rule.n_extra
        _set_due(clock, working_calendar(), keep_better=False)
        clock.extended_by, clock.extended_until, clock.extension_reason = by, clock.due_on, reason.strip()[:200]
        clock.save()
    return clock


def meet(clock_id: int, *, on: date) -> Deadline:
    """Stop a clock for good: what was due is done. Raises ValidationError."""
    with transaction.atomic():
        clock = _open(clock_id)
        if on < clock.started_on:
            raise ValidationError(f"办结日不能早于起算日 {clock.started_on}。", code="on")
        clock.met_on, clock.paused_on = on, None
        clock.save()
    return clock


def escalate_overdue(day: date | None = None) -> list[Deadline]:
    """Mark the clocks that ran out, once each: their cases stay as they are, somebody above is told.

    Silence is never refusal, and never consent.
    """
    with transaction.atomic():
        late = list(Deadline.objects.overdue(day).filter(escalated_at__isnull=True).select_for_update())
        for clock in late:
            clock.escalated_at = timezone.now()
            clock.save(update_fields=["escalated_at"])
    return late


def recompute_provisional() -> list[Deadline]:
    """Work out again the open dates that no official edition carried, or an edition since superseded.

    Of the old and the new date the one that is better for the person stands. Returns the clocks whose date changed.
    """
    stale = Q(provisional=True) | Q(edition__state=State.SUPERSEDED)
    changed, calendar = [], working_calendar()
    with transaction.atomic():
        for clock in Deadline.objects.running().filter(stale).select_related("rule").select_for_update(of=("self",)):
            before = clock.due_on
            _set_due(clock, calendar, keep_better=True)
            clock.save()
            if clock.due_on != before:
                changed.append(clock)
    return changed


def _open(clock_id: int) -> Deadline:
    clock = Deadline.objects.select_for_update(of=("self",)).select_related("rule").get(pk=clock_id)
    if clock.met_on is not None:
        raise ValidationError(f"这项期限已于 {clock.met_on} 办结。", code="met")
    return clock


def _running(clock_id: int) -> Deadline:
    clock = _open(clock_id)
    if clock.paused_on is not None:
        raise ValidationError(f"期限自 {clock.paused_on} 起中止，请先恢复。", code="paused")
    return clock


def _set_due(clock: Deadline, calendar: workdays.Calendar, *, keep_better: bool) -> None:
    """Put the last day of the stretch now running on the clock, or keep the old one where the person is better off."""
    found = workdays.due(clock.counted_from, clock.counted, Unit(clock.counted_unit), calendar, rolls=clock.rule.rolls)
    clock.due_on = clock.rule.better_for_the_person(clock.due_on, found.date) if keep_better else found.date
    clock.provisional, clock.edition_id = found.provisional, None if found.provisional else found.edition


def _left(clock: Deadline, on: date) -> tuple[int, str]:
    """Return what is left of a clock on a day: working days where it counts those, else days."""
    if clock.counted_unit == Unit.WORKING_DAY:
        return workdays.working_days_between(on, clock.due_on, working_calendar()), clock.counted_unit
    return (clock.due_on - on) // DAY, Unit.NATURAL_DAY
