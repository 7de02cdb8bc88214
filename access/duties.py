"""The deeds of the register of duties: two people of the credit office decide what a duty opens; one may end it."""

from datetime import date
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, transaction
from django.utils import timezone

from access.models import DutyItem
from accounts.models import User
from catalogue import deadline_actions as proposals
from catalogue.models import Item

PROPOSE, CONFIRM = "access.propose_dutyitem", "access.confirm_dutyitem"


def items_of_duty(user: User, code: str) -> set[int]:
    """Return the keys of the items that a duty of the user's organisation opens today; none when it has no such duty."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT access_duty_items(%s, %s)", [user.organisation_id, code])
        return set(cursor.fetchone()[0])


@transaction.atomic
def propose(*, items: list[Item], by: User, **values: Any) -> DutyItem:
    """Propose a duty, in the place of the organisation's one under the same code.

    Raises PermissionDenied, ValidationError.
    """
    if not by.has_perm(PROPOSE):
        raise PermissionDenied("只有省信用办可以提出职责事项。")
    duty = DutyItem(proposed_by=by, **values)
    if duty.valid_from < timezone.localdate():
        raise ValidationError({"valid_from": "启用日期不能早于今天。"}, code="valid_from")
    if not items:
        raise ValidationError({"items": "请选择履职需要的条目。"}, code="items")
    duty.full_clean()
    duty.save()
    duty.items.set(items)
    return duty


def confirm(duty_id: int, *, by: User) -> DutyItem:
    """Put a duty in force; the one before ends the day it begins. Raises PermissionDenied, ValidationError."""
    with transaction.atomic():
        duty = DutyItem.objects.select_for_update(of=("self",)).get(pk=duty_id)
        proposals.may_decide(duty, by, CONFIRM, confirm=True)
        same = DutyItem.objects.filter(organisation=duty.organisation_id, code=duty.code)
        proposals.put_in_place_of(duty, same, by)
    return duty


def withdraw(duty_id: int, *, by: User, reason: str) -> DutyItem:
    """Send a proposed duty back; it stays on file. Raises PermissionDenied, ValidationError."""
    with transaction.atomic():
        duty = DutyItem.objects.select_for_update(of=("self",)).get(pk=duty_id)
        proposals.may_decide(duty, by, PROPOSE, confirm=False)
        proposals.send_back(duty, reason)
    return duty


def end(duty_id: int, *, on: date, by: User) -> DutyItem:
    """Let a duty open nothing from that day on, today at the earliest: one person is enough to close a door.

    Raises PermissionDenied, ValidationError.
    """
    if not by.has_perm(PROPOSE):
        raise PermissionDenied("只有省信用办可以停用职责事项。")
    with transaction.atomic():
        duty = DutyItem.objects.select_for_update(of=("self",)).get(pk=duty_id)
        if duty.state != DutyItem.State.IN_FORCE or duty.valid_to is not None:
            raise ValidationError("只有现行、没有停用日期的职责事项可以停用。", code="state")
        if on < max(timezone.localdate(), duty.valid_from):
            raise ValidationError("停用日期不能早于今天和启用日期。", code="on")
        duty.valid_to = on
        duty.save(update_fields=["valid_to"])
    return duty
