"""The night of sanctions: listings that ended by themselves on their day are tidied up."""

from datetime import date

from sanctions.cases import expire_due


def nightly(day: date) -> dict[str, int]:
    """Do what is due, by the database's own day."""
    return {"listings_over": expire_due()}
