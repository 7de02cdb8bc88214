"""The night's part of records: duties of closed periods, the check of what is sealed, searches of closed lists."""

from datetime import date

from django.utils import timezone

from records.duties import close_periods
from records.models import ListSearch
from records.soundness import check_sealed


def nightly(day: date) -> dict[str, int]:
    """Close the periods decided by the day; check the sealed numbers of what came in; forget what was looked for."""
    forgotten, _ = ListSearch.objects.filter(request__expires_at__lt=timezone.now()).delete()
    return {"duties": close_periods(day), "unsound": check_sealed(day), "searches": forgotten}
