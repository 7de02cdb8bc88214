"""The night's part of accounts: sessions that are over go."""

from datetime import date

from accounts.sessions import forget_expired


def nightly(day: date) -> dict[str, int]:
    """Do what is due, whatever the day."""
    return {"sessions": forget_expired()}
