"""The night's part of records: what begins, what ends, what is disposed of; what departments owed is written down."""

from datetime import date

from records import life
from records.duties import close_periods


def nightly(day: date) -> dict[str, int]:
    """Do what is due. Records follow the database's own day, the duties of departments the day given."""
    return {
        "in_use": life.begin_use(),
        "periods_cut": life.shorten_periods(),
        "expired": life.expire(),
        "disposed": life.dispose(),
        "duties": close_periods(day),
    }
