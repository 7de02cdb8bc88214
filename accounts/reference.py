"""The province's departments and what they grew out of, as files: no database.

`data/organisations.csv` names the departments of 2026 with the four letters that item codes use. Their unified
social credit codes are not public reference data: `manage.py load_organisations` takes them from the operator.
ALLD and SELF of the item codes are no organisations: items of many departments and what a person declares answer to
one unit, the provincial credit office (FGWH). `data/successions.csv` names the departments of 2017 that are gone and
who took over; one that was split stands there once for each successor. National bodies are not listed.
"""

import csv
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

DATA = Path(__file__).parent / "data"


@dataclass(frozen=True)
class Department:
    """A department as it is today; `parent` is the code of the one it belongs to."""

    code: str
    name: str
    short_name: str
    region: str
    parent: str | None
    valid_from: date | None
    source: str
    confidence: str


@dataclass(frozen=True)
class Succession:
    """A department that ended, and the code of one that took over."""

    predecessor: str
    valid_to: date
    successor: str
    source: str
    confidence: str


@cache
def departments() -> tuple[Department, ...]:
    """Return the departments; one that another belongs to stands before it."""
    return tuple(
        Department(
            code=row["code"], name=row["name"], short_name=row["short_name"], region=row["region"],
            parent=row["parent"] or None, source=row["source"], confidence=row["confidence"],
            valid_from=date.fromisoformat(row["valid_from"]) if row["valid_from"] else None,
        )
        for row in _rows("organisations.csv")
    )  # fmt: skip


@cache
def successions() -> tuple[Succession, ...]:
    """Return who took over from whom since the seed document of 2017."""
    return tuple(
        Succession(
            predecessor=row["predecessor"], valid_to=date.fromisoformat(row["valid_to"]), successor=row["successor"],
            source=row["source"], confidence=row["confidence"],
        )
        for row in _rows("successions.csv")
    )  # fmt: skip


def _rows(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))
