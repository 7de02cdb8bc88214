"""The first edition of the catalogue (domain §3.6), entered as data through the same states as any later one.

It is data about law, not about persons; what is not verified says so in its confidence.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone

from accounts.models import Organisation, Region, User
from catalogue import grants, publishing, starter_data
from catalogue.actions.drafts import grant_provider
from catalogue.models import (
    Article,
    CodeSet,
    Edition,
    Field,
    ImpactAssessment,
    Item,
    ItemGrant,
    ItemVersion,
    PublicationPeriod,
)
from catalogue.rules import add_months
from catalogue.starter_data import ItemData

NOTICE = "首版目录补录（各条目自其依据生效之日起适用）"
State = ItemVersion.State


@dataclass(frozen=True)
class Hands:
    """The people of the first edition: nobody does two of the deeds that exclude each other."""

    drafter: User
    reviewer: User
    assessor: User
    approver: User


@transaction.atomic
def load_starter(
    providers: dict[str, Organisation], hands: Hands, *, only: Collection[str] | None = None
) -> list[Item]:
    """Enter the starter items and publish them as the first edition; providers are keyed by catalogue short code.

    Items whose provider is not among them are left out, and all but `only` when it is given. Safe to run twice:
    where an edition exists, nothing is done.
    """
    if Edition.objects.exists():
        return list(Item.objects.order_by("code"))
    rows = [
        row for row in starter_data.items() if row["provider"] in providers and (only is None or row["code"] in only)
    ]
    versions = [_draft(row, providers[row["provider"]], hands) for row in rows]
    _walk(versions, hands)
    publishing.publish(
        number="FJ-2021-01", title="福建省自然人公共信用信息征集目录（首版）", by=hands.approver, earlier_notice=NOTICE,
        published_on=min(version.effective.lower for version in versions),
    )  # fmt: skip
    waiting = ItemGrant.objects.to_confirm_by(hands.assessor).select_related("organisation", "item")
    grants.confirm_together(list(waiting), by=hands.assessor)
    return [version.item for version in versions]


def _article(reference: str) -> Article:
    code, number = reference.split("/", 1)
    return Article.objects.get(instrument__code=code, number=number)


def _draft(row: ItemData, provider: Organisation, hands: Hands) -> ItemVersion:
    item = Item.objects.create(
        code=row["code"], category=row["code"][4:6], polarity=row["polarity"], provider=provider,
        origin=row.get("origin", Item.Origin.NATIONAL),
    )  # fmt: skip
    grant_provider(item)
    rules: dict[str, Any] = dict(row["version"])
    bases = [_article(reference) for reference in rules.pop("legal_bases")]
    for key in ("disclosure_basis", "no_repair_basis"):
        if rules.get(key):
            rules[key] = _article(rules[key])
    version = ItemVersion.objects.create(
        item=item, version=1, territory=Region.objects.get(pk=row.get("territory", "350000")), created_by=hands.drafter,
        effective=DateRange(date.fromisoformat(row["effective_from"]), None), **rules,
    )  # fmt: skip
    version.legal_bases.set(bases)
    PublicationPeriod.objects.bulk_create(
        PublicationPeriod(item_version=version, **{**period, "basis": _article(period["basis"])})
        for period in row["periods"]
    )
    sets = {one.code: one for one in CodeSet.objects.all()}
    Field.objects.bulk_create(
        Field(
            item_version=version,
            position=position,
            **{**f, "code_set": sets[f["code_set"]] if f.get("code_set") else None},
        )
        for position, f in enumerate(row["fields"], start=1)
    )
    if version.needs_assessment:
        version.assessment = _assessment(row, hands)
        version.save(update_fields=["assessment"])
    return version


def _assessment(row: ItemData, hands: Hands) -> ImpactAssessment:
    today = timezone.localdate()
    return ImpactAssessment.objects.create(
        number=f"PIA-{row['code']}", passed=True, assessed_by=hands.assessor, assessed_on=today,
        valid_until=add_months(today, 36), reviewed_by=hands.approver, reviewed_on=today, **row["assessment"],
    )  # fmt: skip


def _walk(versions: list[ItemVersion], hands: Hands) -> None:
    """Move the drafts through the states, each step by the hand that may."""
    ours = ItemVersion.objects.filter(pk__in=[version.pk for version in versions])
    for state, hand, note in (
        (State.SUBMITTED, hands.drafter, "首版目录补录"),
        (State.LEGAL_REVIEW, hands.reviewer, "开始法制审核"),
        (State.PIA, hands.reviewer, "依据层级符合国办发〔2020〕49号"),
        (State.APPROVED, hands.approver, "批准"),
    ):
        ours.update(state=state, moved_by=hand, move_note=note)
