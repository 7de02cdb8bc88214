"""The starter catalogue of domain §3.6: instruments, code sets and the first items, entered once.

It is data about law, not about persons; what is not verified says so in its confidence.
"""

import json
from datetime import date
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange

from accounts.models import Organisation, Region
from catalogue.models import (
    Article,
    CodeSet,
    CodeValue,
    Field,
    Instrument,
    Item,
    ItemVersion,
    PublicationPeriod,
)  # fmt: skip

DATA = Path(__file__).parent / "data"


@transaction.atomic
def load_starter(providers: dict[str, Organisation]) -> list[Item]:
    """Enter instruments, code sets and starter items; providers are keyed by catalogue short code.

    Safe to run twice: what exists is left as it is.
    """
    data = json.loads((DATA / "starter.json").read_text(encoding="utf-8"))
    for row in data["instruments"]:
        _load_instrument(dict(row))
    for row in data["code_sets"]:
        _load_code_set(dict(row))
    return [_load_item(row, providers[row["provider"]]) for row in data["items"]]


def _load_instrument(row: dict[str, Any]) -> None:
    articles = row.pop("articles")
    instrument, _ = Instrument.objects.get_or_create(code=row.pop("code"), defaults=row)
    for number, summary in articles.items():
        Article.objects.get_or_create(instrument=instrument, number=number, defaults={"summary": summary})


def _load_code_set(row: dict[str, Any]) -> None:
    values = row.pop("values")
    code_set, _ = CodeSet.objects.get_or_create(code=row.pop("code"), defaults=row)
    for position, value in enumerate(values):
        CodeValue.objects.get_or_create(code_set=code_set, code=value["code"], defaults={**value, "position": position})


def _article(reference: str) -> Article:
    code, number = reference.split("/")
    return Article.objects.get(instrument__code=code, number=number)


def _load_item(row: dict[str, Any], provider: Organisation) -> Item:
    item, new = Item.objects.get_or_create(
        code=row["code"],
        defaults={"category": row["code"][4:6], "polarity": row["polarity"], "provider": provider},
    )
    if not new:
        return item
    rules = dict(row["version"])
    bases = [_article(reference) for reference in rules.pop("legal_bases")]
    for key in ("disclosure_basis", "no_repair_basis"):
        if key in rules:
            rules[key] = _article(rules[key])
    version = ItemVersion.objects.create(
        item=item, version=1, territory=Region.objects.get(pk="350000"), state=ItemVersion.State.IN_FORCE,
        effective=DateRange(date.fromisoformat(row["effective_from"]), None), **rules,
    )  # fmt: skip
    version.legal_bases.set(bases)
    for period in row["periods"]:
        PublicationPeriod.objects.create(item_version=version, **{**period, "basis": _article(period["basis"])})
    sets = {s.code: s for s in CodeSet.objects.all()}
    for position, field in enumerate(row["fields"], start=1):
        code_set = sets[field["code_set"]] if "code_set" in field else None
        Field.objects.create(item_version=version, position=position, **{**field, "code_set": code_set})
    return item
