"""The rule of attestations: which version answers, and how two hands change it (seed C-26; domain §1A)."""

from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import User
from catalogue.deadline_actions import may_decide, put_in_place_of, send_back
from sanctions.attestation_models import AttestationRule

State = AttestationRule.State
PROPOSE, CONFIRM = "sanctions.propose_attestationrule", "sanctions.confirm_attestationrule"
NO_RULE = "现在没有现行的无失信记录证明规则，不能办理。请联系省信用办。"


def rule_in_force() -> AttestationRule:
    """Return the version that answers today. Raises ValidationError when there is none."""
    if (rule := AttestationRule.objects.in_force().first()) is None:
        raise ValidationError(NO_RULE, code="rule")
    return rule


def check_years(years: int, rule: AttestationRule) -> None:
    """Check that the rule allows that many years. Raises ValidationError."""
    if years not in rule.years:
        raise ValidationError(f"只能选 {rule.years_from} 至 {rule.years_to} 年。", code="years")


def propose(*, by: User, **values: Any) -> AttestationRule:
    """Propose a version; it takes the place of the one in force. Raises PermissionDenied, ValidationError."""
    if not by.has_perm(PROPOSE):
        raise PermissionDenied("只有省信用办可以提出无失信记录证明规则。")
    rule = AttestationRule(proposed_by=by, **values)
    if rule.valid_from < timezone.localdate():
        raise ValidationError({"valid_from": "启用日期不能早于今天。"}, code="valid_from")
    rule.full_clean()
    rule.save()
    return rule


def confirm(rule_id: int, *, by: User) -> AttestationRule:
    """Put a proposed version in force; the one before ends the day it begins. Raises PermissionDenied, ValidationError."""
    with transaction.atomic():
        rule = AttestationRule.objects.select_for_update(of=("self",)).get(pk=rule_id)
        may_decide(rule, by, CONFIRM, confirm=True)
        if rule.valid_from < timezone.localdate():
            raise ValidationError("启用日期已经过去，请退回后重新提出。", code="valid_from")
        put_in_place_of(rule, AttestationRule.objects.all(), by)
    return rule


def withdraw(rule_id: int, *, by: User, reason: str) -> AttestationRule:
    """Send a proposed version back; it stays on file. Raises PermissionDenied, ValidationError."""
    with transaction.atomic():
        rule = AttestationRule.objects.select_for_update(of=("self",)).get(pk=rule_id)
        may_decide(rule, by, PROPOSE, confirm=False)
        send_back(rule, reason)
    return rule


def to_confirm_by(user: User) -> "QuerySet[AttestationRule]":
    """Return the proposals that this user may confirm."""
    drafts = AttestationRule.objects.filter(state=State.DRAFT)
    return drafts.exclude(proposed_by=user) if user.has_perm(CONFIRM) else drafts.none()
