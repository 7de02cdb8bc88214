"""The night's part of records: closed periods, the check of what is sealed, the end of files whose time is over."""

from datetime import date

from records.duties import close_periods
from records.exports import forget_files as forget_exports
from records.reports import forget_files as forget_reports
from records.soundness import check_sealed


def nightly(day: date) -> dict[str, int]:
    """Close the periods that are decided; check the sealed numbers of what came in; delete what reports and exports kept."""
    return {
        "duties": close_periods(day),
        "unsound": check_sealed(day),
        "report_files": forget_reports(day),
        "export_files": forget_exports(),
    }
