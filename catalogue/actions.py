"""The deeds of the catalogue: draft, submit, review, assess, consult, approve, suspend. Publishing: `publishing`.

Each locks the row, asks who may, moves one arrow and leaves the rest to the database: its triggers refuse a wrong
arrow, a wrong hand or a version with faults, and write the line of the step.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone
from guardian.shortcuts import assign_perm

from accounts.models import Organisation, User
from catalogue.deadlines import rule_for
from catalogue.models import (
    Article,
    Comment,
    Consultation,
    Field,
    ImpactAssessment,
    Instrument,
    Item,
    ItemVersion,
    PublicationPeriod,
    SharingScope,
)
from catalogue.prohibited import Door
from catalogue.rules import faults, may_propose

State = ItemVersion.State
CONSULTATION_RULE = "D34"
BEFORE_ASSESSMENT = ("assessment", "consultation")  # what a proposal need not have yet


# --- drafts ------------------------------------------------------------------------------------------


@transaction.atomic
def propose_item(
    *, code: str, category: str, polarity: str, provider: Organisation, by: User, origin: str = Item.Origin.NATIONAL
) -> Item:
    """Enter a new item, to be filled by its first version. The provider's group may propose and supply it.

    Raises PermissionDenied unless the proposer belongs to the provider, ValidationError for a wrong code.
    """
    if not by.has_perm("catalogue.propose_item") or by.organisation_id != provider.pk:
        raise PermissionDenied("只能为本单位提出目录条目。")
    item = Item(code=code, category=category, polarity=polarity, provider=provider, origin=origin)
    item.full_clean()
    item.save()
    for permission in ("propose_item", "supply_item", "query_item"):
        assign_perm(f"catalogue.{permission}", provider.group, item)
    return item


@transaction.atomic
def start_draft(item: Item, *, by: User, first: dict[str, Any] | None = None) -> ItemVersion:
    """Begin a new version as a draft: a copy of the latest one, or `first` for an item that has none.

    Raises PermissionDenied; ValidationError when another version is under way or the item is retired.
    """
    if not may_propose(by, item):
        raise PermissionDenied("您的单位未获准提出该条目的修订。")
    versions = ItemVersion.objects.select_for_update().filter(item=item).order_by("-version")
    if any(v.state in ItemVersion.UNDER_WAY for v in versions):
        raise ValidationError("该条目已有一个办理中的版本，请先办完或退回。", code="under_way")
    if any(v.state == State.RETIRED for v in versions):
        raise ValidationError("该条目已停用，不能修订；需要时请提出新条目。", code="retired")
    latest = versions[0] if versions else None
    tomorrow = timezone.localdate() + timedelta(days=1)
    if latest is None:
        draft = ItemVersion(item=item, version=1, effective=DateRange(tomorrow, None), created_by=by, **(first or {}))
        draft.save()
        return draft
    return _copy(latest, effective=DateRange(tomorrow, None), by=by)


def _copy(latest: ItemVersion, *, effective: DateRange, by: User) -> ItemVersion:
    draft = ItemVersion.objects.get(pk=latest.pk)
    draft.pk, draft._state.adding = None, True
    draft.version, draft.state, draft.effective = latest.version + 1, State.DRAFT, effective
    draft.created_by, draft.moved_by, draft.move_note, draft.consultation_note = by, None, "", ""
    draft.change_note = f"修订第 {latest.version} 版"
    draft.save()
    draft.legal_bases.set(latest.legal_bases.all())
    for model in (Field, PublicationPeriod, SharingScope):
        rows = list(model._default_manager.filter(item_version=latest))
        for row in rows:
            row.pk, row._state.adding, row.item_version = None, True, draft
        model._default_manager.bulk_create(rows)
    return draft


@transaction.atomic
def write_draft(
    version: ItemVersion,
    *,
    by: User,
    values: dict[str, Any] | None = None,
    legal_bases: Sequence[Article] | None = None,
    fields: Sequence[Field] | None = None,
    periods: Sequence[PublicationPeriod] | None = None,
    scopes: Sequence[SharingScope] | None = None,
) -> ItemVersion:
    """Write what a draft says; parts that are given replace what was there, in their order.

    Raises PermissionDenied; ValidationError with Chinese sentences by field, and for fields of a prohibited kind.
    """
    draft = _locked(version)
    if not may_propose(by, draft.item):
        raise PermissionDenied("您的单位未获准提出该条目的修订。")
    if draft.state != State.DRAFT:
        raise ValidationError("只有草案可以修改。需要修改请先退回。", code="state")
    for name, value in (values or {}).items():
        setattr(draft, name, value)
    draft.full_clean()
    draft.save()
    if legal_bases is not None:
        draft.legal_bases.set(legal_bases)
    for model, rows in ((Field, fields), (PublicationPeriod, periods), (SharingScope, scopes)):
        if rows is not None:
            _replace(model, draft, rows)
    return draft


def _replace(model: Any, draft: ItemVersion, rows: Sequence[Any]) -> None:
    model.objects.filter(item_version=draft).delete()
    if model is Field:
        refuse_prohibited_fields(rows)
    for position, row in enumerate(rows, start=1):
        row.pk, row._state.adding, row.item_version = None, True, draft
        if model is Field:
            row.position = position
        unseen = model is Field and row.must_be_empty  # a column of the sheet that stays empty is shown to nobody
        row.clean_fields(exclude=["item_version", "visible_to"] if unseen else ["item_version"])
    model.objects.bulk_create(rows)


def refuse_prohibited_fields(rows: Sequence[Field]) -> None:
    """Refuse fields of a kind that is never collected (domain §9). Raises ValidationError naming each."""
    door = Door.load()
    found = []
    for row in rows:
        for label in (row.label, *row.aliases):
            if hit := door.find_header(label):
                found.append(f"数据项“{row.label}”属禁止归集的{hit.title}。{hit.advice}")
        if hit := door.find_class(row.pii_class):
            found.append(f"数据项“{row.label}”的个人信息类别属禁止归集的{hit.title}。{hit.advice}")
    if found:
        raise ValidationError(found, code="prohibited")


@transaction.atomic
def discard_draft(version: ItemVersion, *, by: User) -> None:
    """Throw away a draft that was never submitted. Raises PermissionDenied, ValidationError."""
    draft = _locked(version)
    if not may_propose(by, draft.item):
        raise PermissionDenied("您的单位未获准提出该条目的修订。")
    if draft.state != State.DRAFT or draft.steps.exists():
        raise ValidationError("只有从未提交的草案可以删除。", code="state")
    draft.delete()


# --- the way through the states ------------------------------------------------------------------------


@transaction.atomic
def submit(version: ItemVersion, *, by: User, note: str = "") -> ItemVersion:
    """Hand a draft in. Raises PermissionDenied; ValidationError listing every fault that can be put right now."""
    draft = _locked(version)
    if not may_propose(by, draft.item):
        raise PermissionDenied("您的单位未获准提出该条目的修订。")
    _expect(draft, State.DRAFT)
    found = [fault.text for fault in faults(draft.pk) if fault.code not in BEFORE_ASSESSMENT]
    if draft.version > 1 and not draft.change_note:
        found.append("请写明修订说明。")
    if found:
        raise ValidationError(found, code="faults")
    return _move(draft, State.SUBMITTED, by, note or "提交")


@transaction.atomic
def send_back(version: ItemVersion, *, by: User, note: str) -> ItemVersion:
    """Return a version to its drafter with the reason; the proposer may take it back the same way.

    Raises PermissionDenied, ValidationError.
    """
    under_way = _locked(version)
    if not note.strip():
        raise ValidationError("请写明退回的理由。", code="note")
    allowed = {
        State.SUBMITTED: ("review_item", "propose_item"), State.LEGAL_REVIEW: ("review_item",),
        State.PIA: ("assess_item",), State.CONSULTATION: ("assess_item",), State.APPROVED: ("approve_item",),
    }  # fmt: skip
    permissions = allowed.get(State(under_way.state), ())
    if not permissions:
        raise ValidationError(f"当前状态为“{under_way.get_state_display()}”，不能退回。", code="state")
    if not any(_may(by, permission, under_way) for permission in permissions):
        raise PermissionDenied("您没有退回这个版本的职责。")
    return _move(under_way, State.DRAFT, by, note.strip())


@transaction.atomic
def take_up(version: ItemVersion, *, by: User) -> ItemVersion:
    """Begin the legal review. Raises PermissionDenied, ValidationError."""
    submitted = _locked(version)
    _need(by, "review_item", submitted)
    _expect(submitted, State.SUBMITTED)
    return _move(submitted, State.LEGAL_REVIEW, by, "开始法制审核")


@transaction.atomic
def pass_review(version: ItemVersion, *, by: User, note: str) -> ItemVersion:
    """End the legal review with an opinion in favour. Raises PermissionDenied, ValidationError."""
    reviewed = _locked(version)
    _need(by, "review_item", reviewed)
    _expect(reviewed, State.LEGAL_REVIEW)
    if not note.strip():
        raise ValidationError("请写明审核意见。", code="note")
    return _move(reviewed, State.PIA, by, note.strip())


@transaction.atomic
def assess(version: ItemVersion, *, by: User, values: dict[str, Any]) -> ImpactAssessment:
    """Enter the impact assessment of a version; another person reviews it. Raises PermissionDenied, ValidationError."""
    assessed = _locked(version)
    _need(by, "assess_item", assessed)
    if assessed.state not in (State.PIA, State.CONSULTATION, State.PUBLISHED, State.IN_FORCE, State.SUSPENDED):
        raise ValidationError("法制审核通过后才能登记影响评估。", code="state")
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
    standing = _locked(version)
    _need(by, "assess_item", standing)
    if not assessment.passed or assessment.reviewed_by_id is None:
        raise ValidationError("新的影响评估尚未复核通过。", code="assessment")
    standing.assessment = assessment
    standing.save(update_fields=["assessment"])
    return standing


@transaction.atomic
def open_consultation(version: ItemVersion, *, by: User, explanation: str) -> Consultation:
    """Ask the public about a local item, for as long as rule D34 says. Raises PermissionDenied, ValidationError."""
    asked = _locked(version)
    _need(by, "assess_item", asked)
    _expect(asked, State.PIA)
    if not asked.is_local:
        raise ValidationError("只有地方补充目录的条目需要公开征求意见。", code="origin")
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
    _move(asked, State.CONSULTATION, by, f"公开征求意见至 {closes}")
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
    row = Consultation.objects.select_for_update().select_related("item_version__item").get(pk=consultation.pk)
    _need(by, "assess_item", row.item_version)
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


@transaction.atomic
def approve(version: ItemVersion, *, by: User, note: str = "") -> ItemVersion:
    """Approve a version for the next edition. Raises PermissionDenied; ValidationError listing every fault."""
    ready = _locked(version)
    _need(by, "approve_item", ready)
    _expect(ready, State.PIA, State.CONSULTATION)
    hands = set(ready.steps.filter(to_state__in=[State.SUBMITTED, State.PIA]).values_list("by_id", flat=True))
    if by.pk in hands | {ready.created_by_id}:
        raise PermissionDenied("起草、提交或法制审核的人不能批准，须由另一人办理。")
    if found := [fault.text for fault in faults(ready.pk)]:
        raise ValidationError(found, code="faults")
    return _move(ready, State.APPROVED, by, note or "批准")


@transaction.atomic
def suspend(version: ItemVersion, *, by: User, note: str) -> ItemVersion:
    """Stop an item at once: no intake, nothing shown but to the person. Raises PermissionDenied, ValidationError."""
    standing = _locked(version)
    _need(by, "approve_item", standing)
    _expect(standing, State.IN_FORCE, State.PUBLISHED)
    if not note.strip():
        raise ValidationError("请写明暂停的理由。", code="note")
    return _move(standing, State.SUSPENDED, by, note.strip())


@transaction.atomic
def resume(version: ItemVersion, *, by: User, note: str) -> ItemVersion:
    """Put a suspended item back in force. Raises PermissionDenied; ValidationError listing every fault."""
    stopped = _locked(version)
    _need(by, "approve_item", stopped)
    _expect(stopped, State.SUSPENDED)
    if not note.strip():
        raise ValidationError("请写明恢复的理由。", code="note")
    if found := [fault.text for fault in faults(stopped.pk)]:
        raise ValidationError(found, code="faults")
    return _move(stopped, State.IN_FORCE, by, note.strip())


# --- instruments -----------------------------------------------------------------------------------------


@transaction.atomic
def verify_instrument(instrument: Instrument, *, by: User) -> Instrument:
    """Note that somebody compared the entry with the published text. Raises PermissionDenied."""
    if not by.has_perm("catalogue.verify_instrument"):
        raise PermissionDenied("您没有核对法规文件的职责。")
    row = Instrument.objects.select_for_update().get(pk=instrument.pk)
    row.verified_by, row.verified_on = by, timezone.localdate()
    row.save(update_fields=["verified_by", "verified_on"])
    return row


@transaction.atomic
def repeal(instrument: Instrument, *, on: date, by: User, superseded_by: Instrument | None = None) -> int:
    """Enter the repeal of an instrument; items that lose their basis today are suspended at once.

    Returns how many were suspended. Raises PermissionDenied, ValidationError.
    """
    if not by.has_perm("catalogue.change_instrument"):
        raise PermissionDenied("您没有维护法规文件的职责。")
    row = Instrument.objects.select_for_update().get(pk=instrument.pk)
    row.repealed_on, row.superseded_by = on, superseded_by
    row.full_clean()
    row.save()
    return len(suspend_without_basis())


# --- the clock -------------------------------------------------------------------------------------------


def suspend_without_basis() -> list[int]:
    """Suspend what is in force on paper but has lost its basis or its assessment today; return the versions."""
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE catalogue_itemversion v SET state = 'suspended', moved_by_id = NULL,
                      move_note = '依据已失效或影响评估已到期，自动暂停'
                 FROM catalogue_standing s
                WHERE s.id = v.id AND v.state IN ('published', 'in_force') AND v.effective @> cf_today()
                  AND NOT catalogue_stands(s, cf_today()) RETURNING v.id"""
        )
        return [pk for (pk,) in cursor.fetchall()]


def begin_due() -> list[int]:
    """Move published versions whose day has come into force; return them."""
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE catalogue_itemversion v SET state = 'in_force', moved_by_id = NULL, move_note = '到期生效'
                WHERE v.state = 'published' AND v.id IN (SELECT catalogue_in_force(cf_today())) RETURNING v.id"""
        )
        return [pk for (pk,) in cursor.fetchall()]


def retire_due() -> list[int]:
    """Retire the versions of items whose last day has come; return them."""
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE catalogue_itemversion v SET state = 'retired', moved_by_id = NULL, move_note = '条目停用',
                      effective = CASE WHEN lower(v.effective) < r.effective_on
                          THEN v.effective * daterange(NULL, r.effective_on) ELSE v.effective END
                 FROM catalogue_retirement r
                WHERE r.item_id = v.item_id AND r.effective_on <= cf_today()
                  AND v.state IN ('published', 'in_force', 'suspended') RETURNING v.id"""
        )
        return [pk for (pk,) in cursor.fetchall()]


@transaction.atomic
def nightly() -> dict[str, int]:
    """Everything in the catalogue that begins, ends or falls due today. Safe to run twice."""
    return {
        "retired": len(retire_due()), "suspended": len(suspend_without_basis()), "begun": len(begin_due()),
    }  # fmt: skip


# --- shared ------------------------------------------------------------------------------------------------


def _locked(version: ItemVersion) -> ItemVersion:
    return ItemVersion.objects.select_for_update(of=("self",)).select_related("item").get(pk=version.pk)


def _may(user: User, permission: str, version: ItemVersion) -> bool:
    if permission == "propose_item":
        return may_propose(user, version.item)
    if not user.has_perm(f"catalogue.{permission}"):
        return False
    # A department's legal reviewer reviews its own items; the credit office's people all.
    at_home = user.organisation_id == version.item.provider_id
    return permission != "review_item" or at_home or user.has_perm("catalogue.approve_item")


def _need(user: User, permission: str, version: ItemVersion) -> None:
    words = {"review_item": "法制审核", "assess_item": "影响评估和征求意见", "approve_item": "批准条目"}
    if not _may(user, permission, version):
        raise PermissionDenied(f"您没有{words[permission]}的职责，或者不是该条目所在单位的人员。")


def _expect(version: ItemVersion, *states: str) -> None:
    if version.state not in states:
        words = "、".join(State(state).label for state in states)
        raise ValidationError(f"当前状态为“{version.get_state_display()}”，须为“{words}”才能办理。", code="state")


def _move(version: ItemVersion, state: str, by: User | None, note: str) -> ItemVersion:
    """Move along one arrow; the database refuses any other and writes the step."""
    if (
        by is not None
        and state in (State.LEGAL_REVIEW, State.PIA)
        and by.pk
        in {version.created_by_id, *version.steps.filter(to_state=State.SUBMITTED).values_list("by_id", flat=True)}
    ):
        raise PermissionDenied("起草或提交的人不能审核自己的条目，须由另一人办理。")
    version.state, version.moved_by, version.move_note = state, by, note[:500]
    version.save(update_fields=["state", "moved_by", "move_note"])
    return version
