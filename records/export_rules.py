"""Decisions of exports: who may take what out. Nothing is written."""

from collections.abc import Iterable

from django.db import connection

from access.models import Refusal
from access.rules import refusal_of_duty_item
from accounts.models import User
from catalogue.models import Item
from catalogue.rules import items_for


def review_above() -> int:
    """Return above how many persons another officer looks first (domain §7.1 Q5): a rule in force today."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT access_review_above()")
        return cursor.fetchone()[0]


def exportable(user: User) -> tuple[set[int], set[int]]:
    """Return the items that this user may export from any provider, and those of which only what their own supplied.

    Officers who read by duty take the items that the catalogue lets their organisation query; data officers those
    that it supplies, and of them nothing that others supplied.
    """
    anybody, own = set[int](), set[int]()
    if user.is_active and user.has_perm("records.add_export"):
        if user.has_perm("access.add_request"):
            anybody = set(items_for(user.organisation, "query_item").values_list("pk", flat=True))
        if user.has_perm("records.view_batch"):
            own = set(items_for(user.organisation, "supply_item").values_list("pk", flat=True))
    return anybody, own


def refusal_of_export(user: User, items: Iterable[Item], *, own_only: bool, duty_code: str) -> Refusal | None:
    """Return why this member of staff may not export those items, or None.

    What others supplied needs a duty of the register; what the own organisation supplied does not.
    """
    if not user.is_active or user.organisation_id is None or not user.has_perm("records.add_export"):
        return Refusal.NO_ROLE
    anybody, own = exportable(user)
    allowed = anybody | own if own_only else anybody
    wanted = list(items)
    if not wanted or any(item.pk not in allowed for item in wanted):
        return Refusal.NO_RIGHT
    return None if own_only else refusal_of_duty_item(user, wanted, duty_code)
