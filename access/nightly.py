"""The night's part of access: requests that nobody answered, consents whose time is over."""

from datetime import date

from access.consents import end_what_is_over


def nightly(day: date) -> dict[str, int]:
    """Put what dates have already ended into its last state, by the database's own day."""
    return end_what_is_over()
