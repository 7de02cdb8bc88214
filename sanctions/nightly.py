"""The night's part of sanctions."""

from datetime import date

from sanctions import reward_night


def nightly(day: date) -> dict[str, int]:
    """Do what is due; rewards follow the database's own day."""
    return reward_night.nightly()
