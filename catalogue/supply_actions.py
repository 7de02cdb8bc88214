"""The deeds of supply: who must deliver an item, from when, until when. The grant to deliver follows."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone
from guardian.shortcuts import assign_perm, remove_perm

from accounts.models import Organisation, User
from catalogue.models import Item, SupplyAssignment
from catalogue.rules import may_supply
from catalogue.trail import note_created

PROVIDER_REASON = "目录条目的提供单位"


@transaction.atomic
def assign_supplier(
    item: Item, supplier: Organisation, *, by: User, reason: str, since: date | None = None
) -> SupplyAssignment:
    """Make an organisation supply an item from today or a later day; its group may deliver from that day.

    Raises PermissionDenied, ValidationError.
    """
    _need(by)
    today = timezone.localdate()
    first = since or today
    if first < today:
        raise ValidationError({"since": "报送任务从今天或以后起算，不能追溯：以前没有任务就没有未报、迟报。"})
    if supplier.kind != Organisation.Kind.DEPARTMENT or supplier.group is None:
        raise ValidationError({"supplier": "只能指定行政机关和公共管理机构报送。"})
    assignment = SupplyAssignment(
        item=Item.objects.select_for_update().get(pk=item.pk), supplier=supplier, effective=DateRange(first, None),
        assigned_by=by, reason=reason.strip(),
    )  # fmt: skip
    assignment.full_clean()
    assignment.save()
    if first == today:
        assign_perm("catalogue.supply_item", supplier.group, item)
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
    if last == today:
        _revoke(row, today)
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
    for provider in {one.supplier for one in made}:
        theirs: Any = Item.objects.filter(pk__in=[one.item_id for one in made if one.supplier == provider])
        assign_perm("catalogue.supply_item", provider.group, theirs)
    return made


@transaction.atomic
def follow(day: date) -> dict[str, int]:
    """Give and take the grants of assignments that begin or end; safe to run twice."""
    begun = [
        one
        for one in SupplyAssignment.objects.on(day).select_related("supplier__group", "item")
        if one.supplier.group is not None and not may_supply(one.supplier, one.item)
    ]
    for one in begun:
        assign_perm("catalogue.supply_item", one.supplier.group, one.item)
    ended = SupplyAssignment.objects.filter(effective__endswith__lte=day).select_related("supplier__group", "item")
    return {"supply_begun": len(begun), "supply_ended": sum(_revoke(one, day) for one in ended)}


def _revoke(assignment: SupplyAssignment, day: date) -> bool:
    """Take the grant back unless another assignment of the same organisation holds."""
    item, supplier = assignment.item, assignment.supplier
    others = SupplyAssignment.objects.on(day).filter(item=item, supplier=supplier)
    if others.exists() or not may_supply(supplier, item):
        return False
    remove_perm("catalogue.supply_item", supplier.group, item)
    return True


def _need(user: User) -> None:
    if not user.has_perm("catalogue.assign_supplier"):
        raise PermissionDenied("您没有指定报送单位的职责。")
