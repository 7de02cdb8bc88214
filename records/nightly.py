"""The night's part of records: duties of closed periods, and the check of what is sealed."""

from datetime import date

from records.duties import close_periods
from records.soundness import check_sealed


def nightly(day: date) -> dict[str, int]:
    """Close the periods that are decided by the day; check the sealed numbers of what came in."""
    return {"duties": close_periods(day), "unsound": check_sealed(day)}
