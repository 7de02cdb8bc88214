"""The deeds of supply: who must deliver an item, from when, until when. The grant to deliver is asked for with them."""

from collections.abc import Iterable
from datetime import date

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone

from accounts.models import Organisation, User
from catalogue import grants
from catalogue.models import Item, ItemGrant, SupplyAssignment
from catalogue.trail import note_created

PROVIDER_REASON = "目录条目的提供单位"
ASSIGNED_BASIS = "省信用办指定的报送任务"


@transaction.atomic
def assign_supplier(
    item: Item, supplier: Organisation, *, by: User, reason: str, since: date | None = None
) -> SupplyAssignment:
    """Make an organisation supply an item from today or a later day, and ask for the grant that it needs for it.

    It may deliver once another official has confirmed the grant. Raises PermissionDenied, ValidationError.
    """
    _need(by)
    today = timezone.localdate()
    first = since or today
    if first < today:
        raise ValidationError({"since": "报送任务从今天或以后起算，不能追溯：以前没有任务就没有未报、迟报。"})
    if supplier.kind != Organisation.Kind.DEPARTMENT:
        raise ValidationError({"supplier": "只能指定行政机关和公共管理机构报送。"})
    assignment = SupplyAssignment(
        item=Item.objects.select_for_update().get(pk=item.pk), supplier=supplier, effective=DateRange(first, None),
        assigned_by=by, reason=reason.strip(),
    )  # fmt: skip
    assignment.full_clean()
    assignment.save()
    if not grants.of_supplier(item, supplier):
        grants.ask(
            organisation=supplier, item=item, permission=ItemGrant.Permission.SUPPLY, basis=ASSIGNED_BASIS,
            reason=assignment.reason, valid_from=first, by=by,
        )  # fmt: skip
    return assignment


@transaction.atomic
def end_assignment(assignment: SupplyAssignment, *, by: User, reason: str, on: date | None = None) -> SupplyAssignment:
    """End a duty to supply on today or a later day; what was owed before stays owed. Raises PermissionDenied, ValidationError."""
    _need(by)
    row = (
        SupplyAssignment.objects.select_for_update(of=("self",))
        .select_related("item", "supplier")
        .get(pk=assignment.pk)
    )
    last, today = on or timezone.localdate(), timezone.localdate()
    if row.effective.upper is not None:
        raise ValidationError(f"这项报送任务已定于 {row.effective.upper} 结束。", code="state")
    if last < today or last <= row.effective.lower:
        raise ValidationError({"on": "结束日期须在今天或以后，并且晚于开始日期。"})
    row.effective = DateRange(row.effective.lower, last)
    row.ended_by, row.end_reason = by, reason.strip()
    row.full_clean()
    row.save(update_fields=["effective", "ended_by", "end_reason"])
    for grant in grants.of_supplier(row.item, row.supplier):
        if grant.state == ItemGrant.State.DRAFT:
            grants.refuse(grant.pk, by=by, reason=f"报送任务已定于 {last} 结束")
        else:
            grants.take_back(grant.pk, by=by, reason=f"报送任务结束：{row.end_reason}", on=last)
    return row


@transaction.atomic
def assign_providers(items: Iterable[Item], *, by: User) -> list[SupplyAssignment]:
    """Let the provider of each item supply it from its first version's first day, where nobody was ever assigned.

    Done when an edition is published. Raises PermissionDenied.
    """
    _need(by)
    wanted = Item.objects.filter(pk__in=[item.pk for item in items], assignments=None, versions__version=1)
    first_days = wanted.values_list("pk", "versions__effective")
    waiting = wanted.select_related("provider__group").in_bulk()
    made = SupplyAssignment.objects.bulk_create(
        SupplyAssignment(
            item=waiting[pk], supplier=waiting[pk].provider, effective=DateRange(effective.lower, None), assigned_by=by,
            reason=PROVIDER_REASON,
        )
        for pk, effective in first_days
    )  # fmt: skip
    note_created(made, by=by)
    return made


def _need(user: User) -> None:
    if not user.has_perm("catalogue.assign_supplier"):
        raise PermissionDenied("您没有指定报送单位的职责。")
