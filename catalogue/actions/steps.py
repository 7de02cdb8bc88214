"""The way of a version through its states, by the hands that may."""

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.models import User
from catalogue.actions.permits import State, allow, locked, move
from catalogue.models import (
    ItemVersion,
)
from catalogue.rules import BEFORE_ASSESSMENT, faults, may_propose


@transaction.atomic
def submit(version: ItemVersion, *, by: User, note: str = "") -> ItemVersion:
    """Hand a draft in. Raises PermissionDenied; ValidationError listing every fault that can be put right now."""
    draft = locked(version)
    allow("submit", draft, by)
    found = [fault.text for fault in faults(draft.pk) if fault.code not in BEFORE_ASSESSMENT]
    if draft.version > 1 and not draft.change_note:
        found.append("请写明修订说明。")
    if found:
        raise ValidationError(found, code="faults")
    return move(draft, State.SUBMITTED, by, note or "提交")


@transaction.atomic
def send_back(version: ItemVersion, *, by: User, note: str) -> ItemVersion:
    """Return a version to its drafter with the reason; the proposer may take it back the same way.

    Raises PermissionDenied, ValidationError.
    """
    under_way = locked(version)
    taken_back = under_way.state == State.SUBMITTED and may_propose(by, under_way.item)
    allow("take_back" if taken_back else "send_back", under_way, by)
    if not note.strip():
        raise ValidationError("请写明退回的理由。", code="note")
    return move(under_way, State.DRAFT, by, note.strip())


@transaction.atomic
def take_up(version: ItemVersion, *, by: User) -> ItemVersion:
    """Begin the legal review. Raises PermissionDenied, ValidationError."""
    submitted = locked(version)
    allow("take_up", submitted, by)
    return move(submitted, State.LEGAL_REVIEW, by, "开始法制审核")


@transaction.atomic
def pass_review(version: ItemVersion, *, by: User, note: str) -> ItemVersion:
    """End the legal review with an opinion in favour. Raises PermissionDenied, ValidationError."""
    reviewed = locked(version)
    allow("pass_review", reviewed, by)
    if not note.strip():
        raise ValidationError("请写明审核意见。", code="note")
    return move(reviewed, State.PIA, by, note.strip())


@transaction.atomic
def approve(version: ItemVersion, *, by: User, note: str = "") -> ItemVersion:
    """Approve a version for the next edition. Raises PermissionDenied; ValidationError listing every fault."""
    ready = locked(version)
    allow("approve", ready, by)
    if found := [fault.text for fault in faults(ready.pk)]:
        raise ValidationError(found, code="faults")
    return move(ready, State.APPROVED, by, note or "批准")


@transaction.atomic
def suspend(version: ItemVersion, *, by: User, note: str) -> ItemVersion:
    """Stop an item at once: no intake, nothing shown but to the person. Raises PermissionDenied, ValidationError."""
    standing = locked(version)
    allow("suspend", standing, by)
    if not note.strip():
        raise ValidationError("请写明暂停的理由。", code="note")
    return move(standing, State.SUSPENDED, by, note.strip())


@transaction.atomic
def resume(version: ItemVersion, *, by: User, note: str) -> ItemVersion:
    """Put a suspended item back in force. Raises PermissionDenied; ValidationError listing every fault."""
    stopped = locked(version)
    allow("resume", stopped, by)
    if not note.strip():
        raise ValidationError("请写明恢复的理由。", code="note")
    if found := [fault.text for fault in faults(stopped.pk)]:
        raise ValidationError(found, code="faults")
    return move(stopped, State.IN_FORCE, by, note.strip())
