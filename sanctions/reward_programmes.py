"""The deeds of reward programmes: the awarding unit proposes, the credit office confirms; one person closes it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone

from accounts.models import Organisation, User
from catalogue import deadline_actions as proposals
from catalogue.models import Article
from records.refusals import InWords
from sanctions.models import RewardBenefit, RewardProgramme
from sanctions.reward_refusals import REWARDS

PROPOSE, CONFIRM = "sanctions.propose_rewardprogramme", "sanctions.confirm_rewardprogramme"


@dataclass(frozen=True)
class Benefit:
    """One benefit as proposed."""

    kind: RewardBenefit.Kind
    text: str
    organisation: Organisation
    basis: Article


@transaction.atomic
def propose(*, benefits: Iterable[Benefit], by: User, **values: Any) -> RewardProgramme:
    """Propose a programme of the user's own organisation, in the place of the one under the same code.

    Raises PermissionDenied, ValidationError.
    """
    if not by.has_perm(PROPOSE) or by.organisation is None:
        raise PermissionDenied("只有推荐、认定单位的经办人可以提出激励项目。")
    programme = RewardProgramme(proposed_by=by, organisation=by.organisation, **values)
    given = list(benefits)
    if programme.valid_from < timezone.localdate():
        raise ValidationError({"valid_from": "启用日期不能早于今天。"}, code="valid_from")
    if not given:
        raise ValidationError(REWARDS["rewardprogramme_has_a_benefit"], code="benefits")
    _stand(programme.basis, *(one.basis for one in given), on=programme.valid_from)
    with InWords(REWARDS):
        programme.full_clean()
        programme.save()
        for one in given:
            benefit = RewardBenefit(
                programme=programme,
                kind=one.kind,
                text=one.text.strip(),
                organisation=one.organisation,
                basis=one.basis,
            )
            benefit.full_clean()
            benefit.save()
    return programme


def _stand(*articles: Article, on: date) -> None:
    """Refuse a basis that is not in force on that day."""
    for article in articles:
        if not article.instrument.in_force_on(on):
            raise ValidationError({"basis": f"{article} 在启用日期不是现行有效的依据。"}, code="basis")


def confirm(pk: int, *, by: User) -> RewardProgramme:
    """Put a programme in force; the one before ends the day it begins. Raises PermissionDenied, ValidationError."""
    with transaction.atomic(), InWords(REWARDS):
        programme = RewardProgramme.objects.select_for_update(of=("self",)).get(pk=pk)
        proposals.may_decide(programme, by, CONFIRM, confirm=True)
        proposals.put_in_place_of(programme, RewardProgramme.objects.filter(code=programme.code), by)
    return programme


def withdraw(pk: int, *, by: User, reason: str) -> RewardProgramme:
    """Send a proposed programme back; it stays on file. Raises PermissionDenied, ValidationError."""
    with transaction.atomic():
        programme = RewardProgramme.objects.select_for_update(of=("self",)).get(pk=pk)
        proposals.may_decide(programme, by, CONFIRM if by.has_perm(CONFIRM) else PROPOSE, confirm=False)
        proposals.send_back(programme, reason)
    return programme


def end(pk: int, *, on: date, by: User) -> RewardProgramme:
    """Let nobody be nominated under a programme from that day on; what was granted goes on to its own end.

    Raises PermissionDenied, ValidationError.
    """
    with transaction.atomic(), InWords(REWARDS):
        programme = RewardProgramme.objects.select_for_update(of=("self",)).get(pk=pk)
        if not (by.has_perm(CONFIRM) or by.has_perm(PROPOSE) and by.organisation_id == programme.organisation_id):
            raise PermissionDenied("只有推荐、认定单位和省信用办可以停用激励项目。")
        if programme.state != RewardProgramme.State.IN_FORCE or programme.valid_to is not None:
            raise ValidationError("只有现行、没有停用日期的激励项目可以停用。", code="state")
        if on < max(timezone.localdate(), programme.valid_from):
            raise ValidationError("停用日期不能早于今天和启用日期。", code="on")
        programme.valid_to = on
        programme.save(update_fields=["valid_to"])
    return programme
