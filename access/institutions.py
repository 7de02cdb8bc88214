"""The deeds around institutions: registered by one official, decided by another, suspended, resumed."""

from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone

from access.models import Institution
from accounts.models import Organisation, User

State = Institution.State
NO_DUTY = "只有省信用办可以办理查询机构登记。"


@transaction.atomic
def register(organisation: Organisation, *, by: User, **values: Any) -> Institution:
    """Propose the registration of an institution with its licence. Raises PermissionDenied, ValidationError."""
    if not by.has_perm("access.propose_institution"):
        raise PermissionDenied(NO_DUTY)
    if organisation.kind != Organisation.Kind.INSTITUTION:
        raise ValidationError({"organisation": "只有“查询机构”类的机构可以登记。"})
    today, institution = timezone.localdate(), Institution(organisation=organisation, proposed_by=by, **values)
    if institution.checked_on and institution.checked_on > today:
        raise ValidationError({"checked_on": "核验日期不能晚于今天。"})
    if institution.valid_to and institution.valid_to < today:
        raise ValidationError({"valid_to": "证照已经到期，不能登记。"})
    institution.full_clean(exclude=["proposed_at", "decided_by", "decided_at", "moved_by"])
    institution.save()
    return institution


def confirm(pk: int, *, by: User) -> Institution:
    """Put a registration in force as another official; the one before is replaced."""
    with transaction.atomic():
        institution = _locked(pk, by, State.ASKED)
        if institution.proposed_by_id == by.pk:
            raise PermissionDenied("这是您登记的，须由省信用办另一名工作人员审核。")
        if institution.valid_to and institution.valid_to < timezone.localdate():
            raise ValidationError("证照已经到期，不能登记。请退回。", code="valid_to")
        for old in Institution.objects.filter(
            organisation=institution.organisation_id, state__in=[State.CONFIRMED, State.SUSPENDED]
        ):
            _move(old, State.REPLACED, by, f"由第 {institution.pk} 号登记替换")
        return _decide(institution, State.CONFIRMED, by, "")


def refuse(pk: int, *, by: User, reason: str) -> Institution:
    """Send a registration back with a reason, as another official."""
    with transaction.atomic():
        institution = _locked(pk, by, State.ASKED)
        if institution.proposed_by_id == by.pk:
            raise PermissionDenied("这是您登记的，须由省信用办另一名工作人员审核。")
        return _decide(institution, State.REFUSED, by, _reason(reason))


def suspend(pk: int, *, by: User, reason: str) -> Institution:
    """Stop an institution at once; one hand is enough, because it only protects."""
    with transaction.atomic():
        return _move(_locked(pk, by, State.CONFIRMED), State.SUSPENDED, by, _reason(reason))


def resume(pk: int, *, by: User, reason: str) -> Institution:
    """Let a suspended institution go on; by somebody else than who suspended it."""
    with transaction.atomic():
        institution = _locked(pk, by, State.SUSPENDED)
        if institution.moved_by_id == by.pk:
            raise PermissionDenied("须由另一名工作人员恢复。")
        if not institution.licence_holds():
            raise ValidationError("证照不在有效期内，请办理新登记。", code="valid_to")
        return _move(institution, State.CONFIRMED, by, _reason(reason))


def _locked(pk: int, by: User, state: str) -> Institution:
    if not by.has_perm("access.confirm_institution"):
        raise PermissionDenied(NO_DUTY)
    institution = Institution.objects.select_for_update().get(pk=pk)
    if institution.state != state:
        raise ValidationError(f"这份登记{institution.get_state_display()}，不能这样办理。请刷新页面。", code="state")
    return institution


def _reason(reason: str) -> str:
    if not reason.strip():
        raise ValidationError("请写明理由。", code="reason")
    return reason.strip()[:200]


def _decide(institution: Institution, state: str, by: User, reason: str) -> Institution:
    institution.decided_by, institution.decided_at = by, timezone.now()
    return _move(institution, state, by, reason)


def _move(institution: Institution, state: str, by: User, reason: str) -> Institution:
    institution.state, institution.moved_by, institution.reason = state, by, reason
    institution.save(update_fields=["state", "moved_by", "reason", "decided_by", "decided_at"])
    return institution
