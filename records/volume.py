"""Volume assertions: what is usual for a delivery, and the second look at a batch that is not.

Measured in the database, when a batch is checked and again when it goes in (`records_volume_faults`).
"""

from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import User
from catalogue.deadline_actions import may_decide, put_in_place_of, send_back
from creditfujian.lib.text import hide_numbers
from records.models import Batch
from records.volume_models import BatchHold, VolumeRule

State = VolumeRule.State
PROPOSE, CONFIRM = "records.propose_volumerule", "records.confirm_volumerule"


# --- held batches -----------------------------------------------------------------------------------------


def judge(batch_id: int) -> None:
    """Hold a checked batch that has come to be outside what is usual since it was checked."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT records_hold(%s, NULL, '')", [batch_id])


def is_unseen(batch: Batch) -> bool:
    """Tell whether the batch, as saved, is outside what is usual in a way that no second officer has agreed to."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT 1 FROM records_batch b, records_unseen_faults(b, false) WHERE b.id = %s)", [batch.pk]
        )
        return cursor.fetchone()[0]


def holds_of(batch: Batch) -> "QuerySet[BatchHold]":
    """Return what keeps the batch from going in: undecided or not agreed to."""
    return batch.holds.exclude(measure="withdrawn").exclude(agreed=True)


def why_held(batch: Batch) -> str:
    """Return why the batch may not go in, or an empty string."""
    held = list(holds_of(batch))
    if refused := [hold for hold in held if hold.agreed is False]:
        return f"复核不同意入库：{refused[0].note}。请取消本批次，核对文件后重新上传。"
    return "数量异常，须由上传人以外的审核员复核放行后才能提交。" if held else ""


def why_not_decide(hold: BatchHold, user: User) -> str:
    """Return why this user may not decide the hold, or an empty string."""
    needed = "records.withdraw_batch" if hold.is_withdrawal else "records.commit_batch"
    if hold.agreed is not None:
        return "已经复核。"
    if user.organisation_id != hold.batch.supplier_id or not user.has_perm(needed):
        return "须由报送单位的审核员复核。"
    if user.pk == (hold.asked_by_id or hold.batch.uploaded_by_id):
        return "申请撤回的人不能同意自己的申请。" if hold.is_withdrawal else "上传人不能复核自己的批次。"
    waits = Batch.State.COMMITTED if hold.is_withdrawal else Batch.State.CHECKED
    if hold.batch.state != waits:
        return f"批次当前状态为“{hold.batch.get_state_display()}”，不需要复核。"
    return ""


def decide(hold: BatchHold, *, by: User, agree: bool, note: str) -> None:
    """Let a held batch go on, or not, and say why. Raises PermissionDenied, ValidationError."""
    if reason := why_not_decide(hold, by):
        raise PermissionDenied(reason)
    if not note.strip():
        raise ValidationError("请写明复核意见：核实了什么，为什么放行或不放行。", code="note")
    hold.decided_by, hold.decided_at, hold.agreed = by, timezone.now(), agree
    hold.note = hide_numbers(note.strip())[:200]
    hold.save(update_fields=["decided_by", "decided_at", "agreed", "note"])


def ask_withdrawal(batch: Batch, *, by: User, reason: str) -> bool:
    """Ask for a second officer where a withdrawal takes back more than is usual; tell whether one is needed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT records_hold_withdrawal(%s, %s, %s)", [batch.pk, by.pk, reason.strip()[:200]])
        return cursor.fetchone()[0]


# --- the rules ----------------------------------------------------------------------------------------------


def propose(*, by: User, **values: Any) -> VolumeRule:
    """Propose a rule; it takes the place of the one in force for the same measure, item and supplier.

    Raises PermissionDenied, ValidationError.
    """
    if not by.has_perm(PROPOSE):
        raise PermissionDenied("只有省信用办可以提出数量规则。")
    rule = VolumeRule(proposed_by=by, **values)
    if rule.valid_from < timezone.localdate():
        raise ValidationError({"valid_from": "启用日期不能早于今天。"}, code="valid_from")
    rule.full_clean()
    rule.save()
    return rule


def confirm(rule_id: int, *, by: User) -> VolumeRule:
    """Put a proposed rule in force; the one before ends the day it begins. Raises PermissionDenied, ValidationError."""
    with transaction.atomic():
        rule = VolumeRule.objects.select_for_update(of=("self",)).get(pk=rule_id)
        may_decide(rule, by, CONFIRM, confirm=True)
        same = VolumeRule.objects.filter(measure=rule.measure, item=rule.item, supplier=rule.supplier)
        put_in_place_of(rule, same, by)
    return rule


def withdraw(rule_id: int, *, by: User, reason: str) -> VolumeRule:
    """Send a proposed rule back; it stays on file. Raises PermissionDenied, ValidationError."""
    with transaction.atomic():
        rule = VolumeRule.objects.select_for_update(of=("self",)).get(pk=rule_id)
        may_decide(rule, by, PROPOSE, confirm=False)
        send_back(rule, reason)
    return rule


def to_confirm_by(user: User) -> "QuerySet[VolumeRule]":
    """Return the proposals that this user may confirm."""
    drafts = VolumeRule.objects.filter(state=State.DRAFT)
    return drafts.exclude(proposed_by=user) if user.has_perm(CONFIRM) else drafts.none()
