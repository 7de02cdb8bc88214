"""The catalogue's part of the night: items begin, are suspended or retired; clocks that ran out are escalated."""

from datetime import date

from catalogue import actions, deadline_actions


def nightly(day: date) -> dict[str, int]:
    """Do what is due; items follow the database's own day, clocks the day given."""
    moved = actions.nightly()
    clocks = {
        "escalated": len(deadline_actions.escalate_overdue(day)),
        "recomputed": len(deadline_actions.recompute_provisional()),
    }
    return moved | clocks
