"""The lines written at the door, and what is counted from them: who is locked out, and until when.

The log is the lock: no other state says that an account or address is locked, so nobody can reset it unseen.
"""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.backends import as_named
from accounts.models import SignInLine, User
from accounts.sign_in_models import FAILURES, Event
from accounts.sign_in_rules import Limits


@dataclass(frozen=True)
class Door:
    """Where somebody stands who signs in: full address (never stored), network, browser token, browser's name."""

    address: str = ""
    network: str = ""
    browser: str = ""
    agent: str = ""

    def with_browser(self, token: str) -> "Door":
        """Return the same door for a browser that is given a token."""
        return replace(self, browser=token)

    def nowhere(self) -> "Door":
        """Return a door that no attempt was made at: to ask about an account, not about an address."""
        return replace(self, address="-", browser="")

    @property
    def address_index(self) -> bytes:
        return settings.FIELD_KEYRING.index(f"sign-in address:{self.address}".encode())

    @property
    def browser_index(self) -> bytes | None:
        return settings.FIELD_KEYRING.index(f"browser:{self.browser}".encode()) if self.browser else None


def name_index(user: User | None, typed: str) -> bytes:
    """Return the keyed hash that attempts are counted under: the account's, or the typed name's when there is none."""
    about = f"account:{user.pk}" if user else f"name:{as_named(typed)}"
    return settings.FIELD_KEYRING.index(f"sign-in {about}".encode())


def write(
    event: Event, user: User | None, door: Door, *, method: str = "", by: User | None = None, note: str = "",
    name: bytes | None = None, known: bool = False,
) -> None:  # fmt: skip
    """Write a line. Whatever it tells of does not happen when it cannot be written."""
    SignInLine.objects.create(
        account=user, event=event, method=method, network=door.network, by=by, note=note[:200],
        name_index=name or (name_index(user, "") if user else None), address_index=door.address_index,
        browser_index=door.browser_index, known_browser=known,
    )  # fmt: skip


def is_known(user: User | None, door: Door, limits: Limits) -> bool:
    """Tell whether this browser has opened the account before: others' failures do not shut it out."""
    if user is None or door.browser_index is None:
        return False
    return SignInLine.objects.filter(
        account=user, event=Event.SIGNED_IN, browser_index=door.browser_index, at__gt=timezone.now() - limits.known
    ).exists()


def stepped_up(user: User) -> bool:
    """Tell whether the account showed a second factor not longer ago than rule S06 says, as the database sees it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT accounts_stepped_up(%s)", [user.pk])
        return bool(cursor.fetchone()[0])


def one_at_a_time(key: bytes) -> None:
    """Let attempts under one key pass one by one, so that none is made between counting and writing."""
    number = int.from_bytes(hashlib.sha256(key).digest()[:8], "big", signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [number])


def locked_until(name: bytes, door: Door, limits: Limits, *, known: bool) -> datetime | None:
    """Return until when attempts are refused unread, or None.

    A known browser counts its own failures only; all others count together, by name and by address.
    """
    under = Q(name_index=name, known_browser=known)
    if known:
        under &= Q(browser_index=door.browser_index)
    # Success wipes the slate of where it was had, a security administrator's hand the account's.
    wiped = Q(event=Event.SIGNED_IN) & under | Q(event=Event.UNLOCKED, name_index=name)
    ends = [_lock(SignInLine.objects.filter(under), limits.failures, limits, wiped=wiped)]
    if not known:
        here = SignInLine.objects.filter(address_index=door.address_index, known_browser=False)
        ends.append(_lock(here, limits.address_failures, limits))
    later = [end for end in ends if end is not None and end > timezone.now()]
    return max(later, default=None)


def _lock(lines: "QuerySet[SignInLine]", allowed: int, limits: Limits, *, wiped: Q | None = None) -> datetime | None:
    """Return the end of the lock that the last so many failures make, when they lie within one lock's time."""
    since = timezone.now() - 2 * limits.lock
    counted = lines.filter(at__gt=since)
    if wiped is not None:
        last = SignInLine.objects.filter(wiped, at__gt=since).order_by("-id").values_list("id", flat=True).first()
        counted = counted.filter(id__gt=last or 0)
    failures = counted.filter(event__in=FAILURES).order_by("-id").values_list("at", flat=True)[:allowed]
    times = list(failures)
    if len(times) < allowed or times[0] - times[-1] > limits.lock:
        return None
    return times[0] + limits.lock


def minutes_left(until: datetime) -> int:
    """Return whole minutes to wait, at least one."""
    return max(1, -(-(until - timezone.now()) // timedelta(minutes=1)))
