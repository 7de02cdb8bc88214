"""The night's part of the public site: what was counted against scripts is forgotten."""

from datetime import date

from publicity.actions import forget_lookup_counts


def nightly(day: date) -> dict[str, int]:
    """Forget the counts per address of hours that are over, whatever the day asked for."""
    return {"lookup_counts": forget_lookup_counts()}
