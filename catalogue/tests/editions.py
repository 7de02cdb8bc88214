"""What the credit office does to the catalogue, for tests: an item retired, a version on its way."""

from datetime import date
from itertools import count
from typing import Any

from django.utils import timezone

from catalogue import actions, publishing
from catalogue.models import Edition, Field, Item, ItemVersion, Retirement
from creditfujian.tests.cast import Cast

_NUMBERS = count(1)
ASSESSMENT = {"purpose": "履行法定职责所必需", "risks": "误认他人", "safeguards": "证件号码加密、脱敏、查询留痕"}


def publish(cast: Cast, **more: object) -> Edition:
    """Publish what is approved as the next edition."""
    return publishing.publish(number=f"FJ-T-{next(_NUMBERS):02d}", title="测试版", by=cast.credit_office, **more)  # type: ignore[arg-type]


def retire(cast: Cast, item: Item, old_records: str = Retirement.OldRecords.KEEP, on: date | None = None) -> Edition:
    """Retire an item by an edition."""
    leaving = publishing.Leaving(item, on or timezone.localdate(), old_records, "主管部门不再认定")
    return publish(cast, leaving=[leaving])


def submitted(cast: Cast, item: Item | None = None, fields: list[Field] | None = None, **values: object) -> ItemVersion:
    """A new version of the item, written and handed in by its department."""
    draft = actions.start_draft(item or cast.item, by=cast.data_officer)
    actions.write_draft(draft, by=cast.data_officer, values={"change_note": "调整", **values}, fields=fields)
    return actions.submit(draft, by=cast.data_officer)


def assessed(cast: Cast, item: Item | None = None, **values: Any) -> ItemVersion:
    """The same after legal review, with an assessment signed by two."""
    version = submitted(cast, item, **values)
    actions.take_up(version, by=cast.legal_reviewer)
    version = actions.pass_review(version, by=cast.legal_reviewer, note="依据充分")
    assess(cast, version)
    return ItemVersion.objects.get(pk=version.pk)


def assess(cast: Cast, version: ItemVersion) -> None:
    """Assess and review a version by two people of the credit office."""
    from catalogue.rules import add_months

    today = timezone.localdate()
    values = {"number": f"PIA-T-{next(_NUMBERS):03d}", "title": version.name, "assessed_on": today,
              "valid_until": add_months(today, 12), **ASSESSMENT}  # fmt: skip
    assessment = actions.assess(version, by=cast.credit_office_2, values=values)
    actions.review_assessment(assessment, by=cast.credit_office, passed=True)


def approved(cast: Cast, item: Item | None = None, **values: Any) -> ItemVersion:
    """The same, approved for the next edition."""
    return actions.approve(assessed(cast, item, **values), by=cast.credit_office)
