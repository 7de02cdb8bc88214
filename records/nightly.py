"""The night's part of records: periods are closed, files whose time is over go."""

from datetime import date

from records.duties import close_periods
from records.exports import forget_files as forget_exports
from records.reports import forget_files as forget_reports


def nightly(day: date) -> dict[str, int]:
    """Close the periods that are decided by the day; delete sealed files of reports and exports after their time."""
    return {
        "duties": close_periods(day),
        "report_files": forget_reports(day),
        "export_files": forget_exports(),
    }
