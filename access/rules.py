"""Decisions of access: is there a ground. Nothing is written."""

from typing import TYPE_CHECKING

from django.db import connection
from django.db.models.expressions import RawSQL

from access.authorities import kin_are_refused
from access.duties import items_of_duty
from access.models import Authority, DutyItem, LetterPerson, OfficialLetter, Reach, Refusal, Request
from accounts.models import Region, User
from accounts.sign_in_log import stepped_up
from accounts.sign_in_rules import limits
from catalogue.models import Item
from catalogue.rules import items_for

if TYPE_CHECKING:
    from django.db.models import QuerySet


def refusal_of_duty(user: User, items: list[Item], duty_code: str) -> Refusal | None:
    """Return why this member of staff may not read those items by duty, or None (domain §7.1, Q5).

    The account needs a role that reads, the organisation a grant on every item asked for, and a duty in force that
    needs them: organisation × duty × item.
    """
    if not user.is_active or not user.has_perm("access.add_request"):
        return Refusal.NO_ROLE
    granted = set(items_for(user.organisation, "query_item").values_list("pk", flat=True))
    if not items or any(item.pk not in granted for item in items):
        return Refusal.NO_RIGHT
    return refusal_of_duty_item(user, items, duty_code)


def refusal_of_duty_item(user: User, items: list[Item], duty_code: str) -> Refusal | None:
    """Return why a duty of the user's organisation does not open those items today, or None."""
    needed = items_of_duty(user, duty_code)
    return None if all(item.pk in needed for item in items) else Refusal.NO_DUTY


def bounds_of(request: Request) -> list[str]:
    """Return the names of the regions that bound what a registration opens by duty; none where no region does.

    In words what the database's `access_reach` holds.
    """
    own = request.organisation.region
    if request.reach == Reach.SUPPLIED or own.kind == Region.Kind.PROVINCE:
        return []
    duties = DutyItem.objects.in_force().filter(organisation=request.organisation_id, code=request.duty_code)
    wider = Region.objects.filter(pk__in=duties.values("region")).exclude(pk=own.pk)
    bounds = [own, *wider]
    return [] if any(region.kind == Region.Kind.PROVINCE for region in bounds) else [region.name for region in bounds]


# What each kind of list asks for: the account's permission, and the organisation's grant on every item.
_LISTS = {
    Reach.BY_DUTY: ("access.list_by_duty", "query_item"),
    Reach.SUPPLIED: ("access.list_supplied", "supply_item"),
}


def lists_of(user: User) -> list[Reach]:
    """Return the kinds of lists that this member of staff may register for."""
    return [reach for reach, (permission, _) in _LISTS.items() if user.is_active and user.has_perm(permission)]


def items_of_list(user: User, reach: Reach) -> "QuerySet[Item]":
    """Return the items that a list of that kind may hold for this user's organisation."""
    return items_for(user.organisation, _LISTS[reach][1])


def refusal_of_list(user: User, reach: Reach, items: list[Item], duty_code: str) -> Refusal | None:
    """Return why this member of staff may not list records of those items, or None.

    What an organisation supplied itself it lists without a duty of the register.
    """
    if reach not in lists_of(user):
        return Refusal.NO_ROLE
    needed = RawSQL("(SELECT access_duty_items(%s, %s))", [user.organisation_id, duty_code])
    granted = dict(items_of_list(user, reach).annotate(needed=needed).values_list("pk", "needed"))
    if not items or any(item.pk not in granted for item in items):
        return Refusal.NO_RIGHT
    by_duty = reach == Reach.BY_DUTY
    return Refusal.NO_DUTY if by_duty and any(item.pk not in granted[item.pk] for item in items) else None


def refusal_of_open_list(request: Request, user: User, items: list[Item]) -> Refusal | None:
    """Return why a registration does not open a list for this user now, or None."""
    if request.actor_id != user.pk:
        return Refusal.NOT_OWNER
    if request.reach == Reach.PERSON:
        return Refusal.NO_GROUND
    if not request.is_open:
        return Refusal.EXPIRED
    return refusal_of_list(user, Reach(request.reach), items, request.duty_code)


def refusal_of_number(request: Request, user: User, items: list[Item]) -> Refusal | None:
    """Return why this user may not be shown the whole number of a registration's person now, or None.

    The database says the same (`access_line_shows_number`): a registration in force, a step-up, few times an hour.
    """
    if refusal := refusal_of_request(request, user, items):
        return refusal
    if not stepped_up(user):
        return Refusal.NO_STEP_UP
    with connection.cursor() as cursor:
        cursor.execute("SELECT access_numbers_shown(%s)", [user.pk])
        shown = cursor.fetchone()[0]
    return Refusal.TOO_MANY if shown >= limits().whole_numbers else None


def refusal_of_request(request: Request, user: User, items: list[Item]) -> Refusal | None:
    """Return why a registration does not open the file for this user now, or None."""
    if request.actor_id != user.pk:
        return Refusal.NOT_OWNER
    if request.reach != Reach.PERSON:
        return Refusal.NO_GROUND
    if not request.is_open:
        return Refusal.EXPIRED
    return refusal_of_duty(user, items, request.duty_code)


def refusal_of_authority(authority: Authority, user: User) -> Refusal | None:
    """Return why an authority opens nothing at this user's counter now, or None: PIPL art. 49, Civil Code art. 165, 173."""
    person = authority.person.survivor()
    if not user.is_active or not user.has_perm("access.enter_authority"):
        return Refusal.NO_ROLE
    if authority.organisation_id != user.organisation_id:
        return Refusal.NOT_OWNER
    if authority.is_for_the_living and person.deceased_on is not None:
        return Refusal.PERSON_GONE
    closed_to_kin = not authority.is_for_the_living and (person.deceased_on is None or kin_are_refused(person))
    return None if authority.is_in_force and not closed_to_kin else Refusal.NO_AUTHORITY


def refusal_of_letter(letter: OfficialLetter, named: LetterPerson, user: User) -> Refusal | None:
    """Return why a letter is not answered about one of its persons now, or None."""
    if not user.is_active or not user.has_perm("access.enter_officialletter"):
        return Refusal.NO_ROLE
    return None if letter.is_open and named.matches else Refusal.NO_LETTER
