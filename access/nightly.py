"""The night's part of access: the days of the log that are over get their second look."""

from datetime import date

from access import reviews


def nightly(day: date) -> dict[str, int]:
    """Look at the days before; return how many reviews were opened."""
    return {"reviews": reviews.look_at_days_before(day)}
