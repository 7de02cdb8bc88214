"""Impact assessments and public consultation."""

from datetime import timedelta
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from catalogue.actions.permits import DUTIES, State, allow, locked, move
from catalogue.deadlines import rule_for
from catalogue.models import (
    Comment,
    Consultation,
    ImpactAssessment,
    ItemVersion,
)
from catalogue.prohibited import Door

CONSULTATION_RULE = "D34"


@transaction.atomic
def assess(version: ItemVersion, *, by: User, values: dict[str, Any]) -> ImpactAssessment:
    """Enter the impact assessment of a version; another person reviews it. Raises PermissionDenied, ValidationError."""
    assessed = locked(version)
    allow("assess", assessed, by)
    assessment = ImpactAssessment(assessed_by=by, **values)
    assessment.full_clean()
    assessment.save()
    if not assessed.assessment_id or not assessed.needs_assessment or assessed.state in (State.PIA, State.CONSULTATION):
        assessed.assessment = assessment
        assessed.save(update_fields=["assessment"])
    return assessment


@transaction.atomic
def review_assessment(assessment: ImpactAssessment, *, by: User, passed: bool) -> ImpactAssessment:
    """Sign an assessment as its second person, with the conclusion. Raises PermissionDenied, ValidationError."""
    waiting = ImpactAssessment.objects.select_for_update().get(pk=assessment.pk)
    if not by.has_perm("catalogue.assess_item"):
        raise PermissionDenied("您没有复核影响评估的职责。")
    if waiting.reviewed_by_id:
        raise ValidationError("这份影响评估已经复核。", code="state")
    if waiting.assessed_by_id == by.pk:
        raise PermissionDenied("评估人不能复核自己的评估。")
    waiting.reviewed_by, waiting.reviewed_on, waiting.passed = by, timezone.localdate(), passed
    waiting.save()
    return waiting


@transaction.atomic
def renew_assessment(version: ItemVersion, assessment: ImpactAssessment, *, by: User) -> ItemVersion:
    """Put a reviewed, later assessment in the place of one that runs out. Raises PermissionDenied, ValidationError."""
    standing = locked(version)
    allow("renew", standing, by)
    if not assessment.passed or assessment.reviewed_by_id is None:
        raise ValidationError("新的影响评估尚未复核通过。", code="assessment")
    standing.assessment = assessment
    standing.save(update_fields=["assessment"])
    return standing


@transaction.atomic
def open_consultation(version: ItemVersion, *, by: User, explanation: str) -> Consultation:
    """Ask the public about a local item, for as long as rule D34 says. Raises PermissionDenied, ValidationError."""
    asked = locked(version)
    allow("consult", asked, by)
    if not explanation.strip():
        raise ValidationError("请写明起草说明。", code="explanation")
    today = timezone.localdate()
    closes = today + timedelta(days=rule_for(CONSULTATION_RULE, today).n)
    consultation, new = Consultation.objects.get_or_create(
        item_version=asked, defaults={"opened_on": today, "closes_on": closes, "explanation": explanation.strip()}
    )
    if not new and consultation.closed_at is not None:
        raise ValidationError("该版本已经征求过意见。修改内容后须另立版本重新征求。", code="state")
    if consultation.closes_on < closes:  # sent back and changed: people have the whole time for the new text
        consultation.closes_on, consultation.explanation = closes, explanation.strip()
        consultation.save(update_fields=["closes_on", "explanation"])
    move(asked, State.CONSULTATION, by, f"公开征求意见至 {closes}")
    return consultation


@transaction.atomic
def comment(consultation: Consultation, *, text: str) -> Comment:
    """Take down what somebody from the public says. Raises ValidationError for empty or prohibited content."""
    said = text.strip()
    today = timezone.localdate()
    if consultation.closed_at is not None or not consultation.opened_on <= today <= consultation.closes_on:
        raise ValidationError("征求意见已经结束。", code="closed")
    if not ItemVersion.objects.filter(pk=consultation.item_version_id, state=State.CONSULTATION).exists():
        raise ValidationError("草案已退回修改，征求意见中止。修改后会重新公开征求。", code="closed")
    if not said:
        raise ValidationError("请写下您的意见。", code="text")
    if len(said) > 1000:
        raise ValidationError(f"意见有 {len(said)} 个字，最多 1000 个字。请缩短。", code="text")
    if (hit := Door.load().find_number(said)) is not None:
        raise ValidationError(f"意见中有{hit.found}，公开后别人会看到。请删去后再提交。", code="personal")
    return Comment.objects.create(consultation=consultation, text=said)


@transaction.atomic
def answer(said: Comment, *, by: User, text: str) -> Comment:
    """Answer a comment. Raises PermissionDenied, ValidationError."""
    row = Comment.objects.select_for_update().get(pk=said.pk)
    if not by.has_perm("catalogue.assess_item"):
        raise PermissionDenied("您没有答复公众意见的职责。")
    if not text.strip():
        raise ValidationError("请写明是否采纳和理由。", code="answer")
    row.answer, row.answered_by = text.strip(), by
    row.full_clean()
    row.save(update_fields=["answer", "answered_by"])
    return row


@transaction.atomic
def close_consultation(consultation: Consultation, *, by: User, outcome: str) -> Consultation:
    """End a consultation once its time is over and every comment is answered. Raises PermissionDenied, ValidationError."""
    row = Consultation.objects.select_for_update().get(pk=consultation.pk)
    if not by.has_perm("catalogue.assess_item"):
        raise PermissionDenied(DUTIES["assess_item"])
    if row.closes_on >= timezone.localdate():
        raise ValidationError(f"征求意见到 {row.closes_on} 截止，期满才能结束。", code="early")
    if open_ones := row.comments.filter(answer="").count():
        raise ValidationError(f"还有 {open_ones} 条意见没有答复。", code="answers")
    if not outcome.strip():
        raise ValidationError("请写明意见采纳情况。", code="outcome")
    row.outcome, row.closed_by, row.closed_at = outcome.strip(), by, timezone.now()
    row.save()
    ItemVersion.objects.filter(pk=row.item_version_id).update(consultation_note=row.outcome)
    return row
