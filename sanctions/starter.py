"""The first rosters and measures (domain §2.8–2.11, §5.6), proposed by one official of the credit office and confirmed by another.

They are data about law; what is not verified says so. A roster whose catalogue item is not there yet waits as a proposal.
"""

import json
from collections.abc import Collection
from datetime import date
from pathlib import Path
from typing import Any

from accounts.models import User
from catalogue.models import Article, Item
from sanctions import rosters
from sanctions.measure_models import Measure
from sanctions.roster_models import Roster, RosterVersion

DATA = Path(__file__).parent / "data"


def load_starter(*, proposes: User, confirms: User, only: Collection[str] | None = None) -> list[Roster]:
    """Enter the rosters and measures of `data/`; safe to run twice: what is there is left alone."""
    rows = [row for row in _read("rosters.json") if only is None or row["code"] in only]
    loaded = [_roster(row, proposes, confirms) for row in rows]
    for row in _read("measures.json"):
        _measure(row, {roster.code: roster for roster in loaded}, proposes, confirms)
    return loaded


def _roster(row: dict[str, Any], proposes: User, confirms: User) -> Roster:
    roster, _ = Roster.objects.get_or_create(
        code=row["code"],
        defaults={
            "name": row["name"], "scope": row["scope"], "mirrored": row["mirrored"],
            "item": Item.objects.filter(code=row["item"] or "").first(),
        },
    )  # fmt: skip
    if not RosterVersion.objects.filter(roster=roster).exists():
        rules = {**row["version"], "valid_from": date.fromisoformat(row["version"]["valid_from"])}
        bases = [(_article(base["article"]), base["use"]) for base in row["bases"]]
        version = rosters.propose_version(roster, bases=bases, by=proposes, **rules)
        if roster.item is not None:
            rosters.confirm_version(version.pk, by=confirms)
    return roster


def _measure(row: dict[str, Any], known: dict[str, Roster], proposes: User, confirms: User) -> None:
    follows = [known[code] for code in row["rosters"] if code in known]
    if not follows or Measure.objects.filter(code=row["code"]).exists():
        return
    values = {key: value for key, value in row.items() if key not in ("rosters", "basis")}
    for day in ("published_on", "valid_from"):
        values[day] = date.fromisoformat(values[day])
    measure = rosters.propose_measure(rosters=follows, by=proposes, basis=_article(row["basis"]), **values)
    rosters.confirm_measure(measure.pk, by=confirms)


def _article(reference: str) -> Article:
    code, number = reference.split("/", 1)
    return Article.objects.get(instrument__code=code, number=number)


def _read(name: str) -> list[dict[str, Any]]:
    return json.loads((DATA / name).read_text(encoding="utf-8"))
