"""The night's part of records: what begins, what ends and is disposed of; closed periods, seals, what is forgotten."""

from datetime import date

from records import clearing, life, returned
from records.duties import close_periods
from records.exports import forget_files as forget_exports
from records.listing import forget_searches
from records.reports import forget_files as forget_reports
from records.soundness import check_sealed
from records.sweeping import destroy_ended, sweep_files


def nightly(day: date) -> dict[str, int]:
    """Do what is due. Records follow the database's own day, the duties of departments the day given."""
    return {
        "in_use": life.begin_use(),
        "periods_cut": life.shorten_periods(),
        "expired": life.expire(),
        "disposed": life.dispose(),
        "duties": close_periods(day),
        "unsound": check_sealed(day),
        "report_files": forget_reports(day),
        "export_files": forget_exports(),
        "searches": forget_searches(),
        "followed": returned.follow_all(),
        "cleared": clearing.clear(day),
        "ended_files": destroy_ended(),
        "swept_files": sweep_files(),
    }
