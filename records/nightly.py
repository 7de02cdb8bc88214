"""The night's part of records: what departments owed for the periods that are over is written down."""

from datetime import date

from records.duties import close_periods


def nightly(day: date) -> dict[str, int]:
    """Close the periods that are decided by the day."""
    return {"duties": close_periods(day)}
