"""Decisions of access: is there a ground. Everything is passed in; nothing is written."""

from access.models import Refusal, Request
from accounts.models import User
from catalogue.models import Item
from catalogue.rules import items_for


def refusal_of_duty(user: User, items: list[Item]) -> Refusal | None:
    """Return why this member of staff may not read those items by duty, or None (domain §7.1, Q5).

    The account needs a role that reads, the organisation a grant on every item asked for.
    """
    if not user.is_active or not user.has_perm("access.add_request"):
        return Refusal.NO_ROLE
    granted = set(items_for(user.organisation, "query_item").values_list("pk", flat=True))
    if not items or any(item.pk not in granted for item in items):
        return Refusal.NO_RIGHT
    return None


def refusal_of_request(request: Request, user: User, items: list[Item]) -> Refusal | None:
    """Return why a registration does not open the file for this user now, or None."""
    if request.actor_id != user.pk:
        return Refusal.NOT_OWNER
    if not request.is_open:
        return Refusal.EXPIRED
    return refusal_of_duty(user, items)
