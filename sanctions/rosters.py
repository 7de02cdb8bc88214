"""The deeds of rosters, measures and of who runs them: one official of the credit office proposes, another confirms."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Max

from accounts.models import Organisation, User
from catalogue import deadline_actions as proposals
from catalogue.grants import longest_end, today
from catalogue.models import Article, Proposal
from sanctions.measure_models import Measure, MeasureRoster
from sanctions.refusals import in_words
from sanctions.roster_models import Roster, RosterArticle, RosterGrant, RosterVersion

PROPOSE, CONFIRM = "sanctions.propose_roster", "sanctions.confirm_roster"
State = Proposal.State
Bases = Iterable[tuple[Article, str]]  # an article and its use (RosterArticle.Use)


def propose_version(roster: Roster, *, bases: Bases, by: User, **values: Any) -> RosterVersion:
    """Propose the rules of a roster whole. Raises PermissionDenied, ValidationError."""
    if not by.has_perm(PROPOSE):
        raise PermissionDenied("只有省信用办可以提出名单制度。")
    with in_words():
        version = RosterVersion(roster=roster, number=_next(roster.versions, "number"), proposed_by=by, **values)
        version.full_clean()
        version.save()
        RosterArticle.objects.bulk_create(
            RosterArticle(version=version, article=article, use=use) for article, use in bases
        )
    return version


def confirm_version(version_id: int, *, by: User) -> RosterVersion:
    """Put a proposed version in force as another official; the one before ends the day it begins.

    Raises PermissionDenied, ValidationError.
    """
    with in_words():
        version = RosterVersion.objects.select_for_update(of=("self",)).select_related("roster").get(pk=version_id)
        proposals.may_decide(version, by, CONFIRM, confirm=True)
        proposals.put_in_place_of(version, RosterVersion.objects.filter(roster=version.roster), by)
    return version


def propose_measure(*, code: str, rosters: Sequence[Roster], by: User, **values: Any) -> Measure:
    """Propose a measure, or a further version of it. Raises PermissionDenied, ValidationError."""
    if not by.has_perm(PROPOSE):
        raise PermissionDenied("只有省信用办可以提出惩戒措施。")
    with in_words():
        number = _next(Measure.objects.filter(code=code), "version")
        measure = Measure(code=code, version=number, proposed_by=by, **values)
        measure.full_clean()
        measure.save()
        MeasureRoster.objects.bulk_create(MeasureRoster(measure=measure, roster=roster) for roster in rosters)
    return measure


def confirm_measure(measure_id: int, *, by: User) -> Measure:
    """Put a measure in force as another official. Raises PermissionDenied, ValidationError."""
    with in_words():
        measure = Measure.objects.select_for_update().get(pk=measure_id)
        proposals.may_decide(measure, by, CONFIRM, confirm=True)
        proposals.put_in_place_of(measure, Measure.objects.filter(code=measure.code), by)
    return measure


def send_back(kind: type[RosterVersion] | type[Measure], key: int, *, by: User, reason: str) -> Proposal:
    """Send back what was proposed; it stays on file. Raises PermissionDenied, ValidationError."""
    with in_words():
        proposal: Proposal = kind.objects.select_for_update(of=("self",)).get(pk=key)
        proposals.may_decide(proposal, by, PROPOSE, confirm=False)
        proposals.send_back(proposal, reason)
    return proposal


# --- who runs a roster ---------------------------------------------------------------------------------


def ask_grant(
    *, organisation: Organisation, roster: Roster, permission: str, basis: str, reason: str, by: User,
    valid_to: date | None = None,
) -> RosterGrant:  # fmt: skip
    """Ask for leave to run or to check a roster, from today; as long as rule D73 allows where no day is given.

    Raises PermissionDenied, ValidationError.
    """
    if not by.has_perm("sanctions.propose_rostergrant"):
        raise PermissionDenied("只有省信用办可以申请名单办理授权。")
    with in_words():
        first = today()
        grant = RosterGrant(
            organisation=organisation, roster=roster, permission=permission, basis=basis.strip(), reason=reason.strip(),
            valid_from=first, valid_to=valid_to or longest_end(first), proposed_by=by,
        )  # fmt: skip
        grant.full_clean()
        grant.save()
    return grant


def confirm_grant(grant_id: int, *, by: User) -> RosterGrant:
    """Put a grant in force as another official. Raises PermissionDenied, ValidationError."""
    with in_words():
        grant = RosterGrant.objects.select_for_update(of=("self",)).get(pk=grant_id)
        proposals.may_decide(grant, by, "sanctions.confirm_rostergrant", confirm=True)
        proposals.put_in_force(grant, by)
    return grant


def refuse_grant(grant_id: int, *, by: User, reason: str) -> RosterGrant:
    """Send back what was asked for. Raises PermissionDenied, ValidationError."""
    with in_words():
        grant = RosterGrant.objects.select_for_update(of=("self",)).get(pk=grant_id)
        proposals.may_decide(grant, by, "sanctions.propose_rostergrant", confirm=False)
        proposals.send_back(grant, reason)
    return grant


def take_back_grant(grant_id: int, *, by: User, reason: str) -> RosterGrant:
    """Let a grant open nothing any more from today on: one person is enough to close a door.

    Raises PermissionDenied, ValidationError.
    """
    if not by.has_perm("sanctions.end_rostergrant"):
        raise PermissionDenied("您没有收回名单办理授权的职责。")
    if not reason.strip():
        raise ValidationError("请写明收回理由。", code="reason")
    with in_words():
        grant = RosterGrant.objects.select_for_update(of=("self",)).get(pk=grant_id)
        if grant.state != State.IN_FORCE or grant.ended_on is not None or grant.valid_to <= today():
            raise ValidationError("只有现行的授权可以收回。", code="state")
        grant.ended_on, grant.ended_by, grant.end_reason = max(today(), grant.valid_from), by, reason.strip()[:300]
        grant.save(update_fields=["ended_on", "ended_by", "end_reason"])
    return grant


def _next(rows: Any, field: str) -> int:
    return (rows.aggregate(last=Max(field))["last"] or 0) + 1
