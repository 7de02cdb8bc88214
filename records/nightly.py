"""The night's part of records: what begins, what ends and is disposed of; duties of closed periods; what is sealed."""

from datetime import date

from records import life
from records.duties import close_periods
from records.soundness import check_sealed


def nightly(day: date) -> dict[str, int]:
    """Do what is due. Records follow the database's own day, the duties of departments the day given."""
    return {
        "in_use": life.begin_use(),
        "periods_cut": life.shorten_periods(),
        "expired": life.expire(),
        "disposed": life.dispose(),
        "duties": close_periods(day),
        "unsound": check_sealed(day),
    }
