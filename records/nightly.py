"""The night's part of records: duties of periods that are over are written down, searches of closed lists forgotten."""

from datetime import date

from django.utils import timezone

from records.duties import close_periods
from records.models import ListSearch


def nightly(day: date) -> dict[str, int]:
    """Close the periods that are decided by the day; forget what was looked for in registrations that have ended."""
    forgotten, _ = ListSearch.objects.filter(request__expires_at__lt=timezone.now()).delete()
    return {"duties": close_periods(day), "searches": forgotten}
