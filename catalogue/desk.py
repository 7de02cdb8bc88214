"""Questions that officers ask of the catalogue: what is mine, what waits, what would change."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.expressions import RawSQL
from django.utils import timezone

from accounts.models import User
from catalogue.columns import Labels, complete
from catalogue.models import Comment, Consultation, ImpactAssessment, Instrument, Item, ItemVersion, VersionStep
from catalogue.publishing import Change, changes
from catalogue.rules import items_to_propose
from creditfujian.lib.workdays import add_months

State = ItemVersion.State
STANDING = (State.PUBLISHED, State.IN_FORCE, State.SUSPENDED)
RUNS_OUT_SOON = 60  # days before an assessment ends that the office is told
ENDS_SOON = 7  # days before a consultation ends that the office is told


# --- whose ---------------------------------------------------------------------------------------------


def items_seen_by(user: User) -> QuerySet[Item]:
    """Return the items whose workflow a member of staff sees: all for the credit office, else the department's own."""
    if user.has_perm("catalogue.approve_item") or user.has_perm("catalogue.assess_item"):
        return Item.objects.all()
    own = Q(provider=user.organisation_id) if user.organisation_id else Q(pk=None)
    return Item.objects.filter(own | Q(pk__in=items_to_propose(user.organisation).values("pk")))


def versions_seen_by(user: User) -> QuerySet[ItemVersion]:
    """Return the versions of these items."""
    return ItemVersion.objects.filter(item__in=items_seen_by(user))


# --- what waits ----------------------------------------------------------------------------------------


def _faulty() -> RawSQL:
    return RawSQL("SELECT version_id FROM catalogue_fault", [])


def _returned(versions: QuerySet[ItemVersion]) -> QuerySet[ItemVersion]:
    back = VersionStep.objects.filter(item_version=OuterRef("pk"), to_state=State.DRAFT)
    return versions.filter(Exists(back), state=State.DRAFT)


def _unassessed(versions: QuerySet[ItemVersion]) -> QuerySet[ItemVersion]:
    unsigned = ImpactAssessment.objects.filter(reviewed_by=None)
    return versions.filter(state=State.PIA, pk__in=_faulty()).exclude(assessment__in=unsigned)


def _ready(versions: QuerySet[ItemVersion]) -> QuerySet[ItemVersion]:
    return versions.filter(state__in=[State.PIA, State.CONSULTATION]).exclude(pk__in=_faulty())


def _running_out(versions: QuerySet[ItemVersion]) -> QuerySet[ItemVersion]:
    public = Q(sensitive=True) | ~Q(disclosure__in=[ItemVersion.Disclosure.SELF, ItemVersion.Disclosure.NONE])
    soon = timezone.localdate() + timedelta(days=RUNS_OUT_SOON)
    return versions.filter(public, state__in=STANDING, assessment__valid_until__lte=soon)


# What waits for somebody, by the name that lists and dashboard cards share.
WAITING: dict[str, tuple[str, Callable[[QuerySet[ItemVersion]], QuerySet[ItemVersion]]]] = {
    "returned": ("退回待修改", _returned),
    "review": ("待法制审核", lambda versions: versions.filter(state__in=[State.SUBMITTED, State.LEGAL_REVIEW])),
    "assessment": ("待影响评估或征求意见", _unassessed),
    "approval": ("待批准", _ready),
    "publication": ("已批准待发布", lambda versions: versions.filter(state=State.APPROVED)),
    "suspended": ("暂停", lambda versions: versions.filter(state=State.SUSPENDED)),
    "running_out": (f"影响评估 {RUNS_OUT_SOON} 天内到期", _running_out),
}


def waiting_versions(what: str, user: User) -> QuerySet[ItemVersion]:
    """Return the versions that this user sees and that wait for that step."""
    return WAITING[what][1](versions_seen_by(user))


def unsigned_assessments(user: User) -> QuerySet[ImpactAssessment]:
    """Return the assessments that wait for the second signature, and that this user may give it to."""
    return ImpactAssessment.objects.filter(reviewed_by=None).exclude(assessed_by=user)


def consultations_to_tend() -> QuerySet[Consultation]:
    """Return the open consultations with unanswered comments, or that end within days or are over."""
    open_question = Comment.objects.filter(consultation=OuterRef("pk"), answer="")
    soon = timezone.localdate() + timedelta(days=ENDS_SOON)
    under_way = Consultation.objects.filter(closed_at=None, item_version__state=State.CONSULTATION)
    return under_way.filter(Exists(open_question) | Q(closes_on__lte=soon))


# --- what would change ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Comparison:
    """A version beside the one that stands now."""

    standing: ItemVersion
    changes: list[Change]


def comparison(version: ItemVersion, known: Labels) -> Comparison | None:
    """Compare a completely loaded version with the one that stood before it; None where there is none."""
    others = ItemVersion.objects.filter(item=version.item_id, state__in=STANDING, version__lt=version.version)
    standing = complete(others).order_by("-version").first()
    if standing is None:
        return None
    return Comparison(standing, changes(standing, version, known))


def blank_assessment(version: ItemVersion) -> dict[str, Any]:
    """Return what the form of a new impact assessment begins with: the next number, three years."""
    today = timezone.localdate()
    prefix = f"PIA-{today.year}-"
    numbers = ImpactAssessment.objects.filter(number__regex=rf"^{prefix}\d{{4}}$").values_list("number", flat=True)
    number = int(max(numbers, default="0000")[-4:]) + 1
    return {
        "number": f"{prefix}{number:04d}", "title": version.name, "assessed_on": today,
        "valid_until": add_months(today, 36),
    }  # fmt: skip


def in_use(instrument: Instrument) -> bool:
    """Tell whether a version that was handed in rests on the instrument: its level and first day are then fixed."""
    rests = Q(legal_bases__instrument=instrument) | Q(disclosure_basis__instrument=instrument)
    return ItemVersion.objects.filter(rests).exclude(state=State.DRAFT).exists()


@transaction.atomic
def losing_basis(instrument: Instrument, on: date) -> list[ItemVersion]:
    """Return the versions in force that would be suspended if the instrument were repealed on a day.

    Found by trying: the repeal is entered, the rule itself is asked, and everything is rolled back.
    """
    day = max(on, timezone.localdate())
    before = _based_on(day)
    with transaction.atomic():
        Instrument.objects.filter(pk=instrument.pk).update(repealed_on=on)
        after = _based_on(day)
        transaction.set_rollback(True)
    lost = ItemVersion.objects.filter(pk__in=before - after).select_related("item__provider")
    return list(lost.order_by("item__code", F("version")))


def _based_on(day: date) -> set[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT s.id FROM catalogue_standing s, greatest(lower(s.effective), %(day)s) AS d
                WHERE s.state IN ('published', 'in_force') AND s.effective && daterange(%(day)s, NULL)
                  AND s.collected_on @> d AND s.published_on @> d""",
            {"day": day},
        )
        return {pk for (pk,) in cursor.fetchall()}
