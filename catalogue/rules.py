"""Decisions of the catalogue: periods and permissions. No clock, no request: everything is passed in."""

from datetime import date
from typing import TYPE_CHECKING

from guardian.core import ObjectPermissionChecker
from guardian.shortcuts import get_objects_for_group

from creditfujian.lib.workdays import add_months

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from accounts.models import Organisation
    from catalogue.models import Item


def publication_end(doc_date: date, max_months: int, until: date | None) -> date:
    """Return the first day on which a record is no longer public.

    The longest period counts from the document (NDRC Order 36, 2025); an earlier end set by the decider stands.
    """
    longest = add_months(doc_date, max_months)
    return min(longest, until) if until else longest


def query_end(act_end: date, months: int) -> date:
    """Return the first day on which a record is no longer returned (Credit Reporting Regulations art 16)."""
    return add_months(act_end, months)


def may_supply(organisation: "Organisation | None", item: "Item") -> bool:
    """Tell whether the organisation was granted the supply of the item."""
    return _holds(organisation, "supply_item", item)


def may_query(organisation: "Organisation | None", item: "Item") -> bool:
    """Tell whether the organisation was granted the reading of the item by duty."""
    return _holds(organisation, "query_item", item)


def items_for(organisation: "Organisation | None", permission: str) -> "QuerySet[Item]":
    """Return the items that the organisation holds a permission on, in one query."""
    from catalogue.models import Item

    if organisation is None or organisation.group is None:
        return Item.objects.none()
    return get_objects_for_group(organisation.group, f"catalogue.{permission}", Item)


def _holds(organisation: "Organisation | None", permission: str, item: "Item") -> bool:
    if organisation is None or organisation.group is None:
        return False
    return ObjectPermissionChecker(organisation.group).has_perm(permission, item)
