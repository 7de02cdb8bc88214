"""The night of access: consents that are over; letters that are shown; the log's partitions, verification, second look."""

from datetime import date, timedelta

from django.conf import settings
from django.db import connection
from django.utils import timezone

from access import reviews
from access.consents import end_what_is_over
from access.letters import tell_released
from access.models import Verification
from access.verifying import verify_and_note


def nightly(day: date) -> dict[str, int]:
    """Do what is due, by the database's own day; the log is verified once a day.

    A verification that finds something is no failure of the night: the dashboard tells those who watch.
    """
    told = {"log_partitions": make_partitions(), "log_verified": verify_when_due()}
    told |= {"letters_released": tell_released()}
    return end_what_is_over() | told | {"reviews": reviews.look_at_days_before(day)}


def make_partitions() -> int:
    """Make the partitions of the months ahead that are missing; return how many."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT access_partitions_ahead(%s)", [settings.LOG_MONTHS_AHEAD])
        return cursor.fetchone()[0]


def verify_when_due() -> int:
    """Verify the last day's lines, or all when that is due; 0 when today's verification was made."""
    now = timezone.now()
    midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    if Verification.objects.filter(at__gte=midnight).exists():
        return 0
    recently = now - timedelta(days=settings.LOG_WHOLE_DAYS, hours=-1)
    whole = Verification.objects.filter(scope=Verification.Scope.WHOLE, at__gt=recently).exists()
    verify_and_note(since=now - timedelta(days=1) if whole else None)
    return 1
