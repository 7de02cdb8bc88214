"""Instruments and code sets, entered from catalogue/data: data about law, each with its confidence."""

import json
from pathlib import Path

from django.db import migrations

DATA = Path(__file__).parent.parent / "data"


def load(apps, schema_editor):
    """Enter instruments with their articles, and code sets with their values."""
    using = schema_editor.connection.alias
    enter_instruments(apps, using)
    enter_code_sets(apps, using)


def enter_instruments(apps, using):
    """Enter the instruments, then who replaced whom."""
    instrument, article = apps.get_model("catalogue", "Instrument"), apps.get_model("catalogue", "Article")
    entered, followers = {}, {}
    for row in json.loads((DATA / "instruments.json").read_text(encoding="utf-8"))["instruments"]:
        articles, territory = row.pop("articles"), row.pop("territory", None)
        followers[row["code"]] = row.pop("superseded_by", None)
        one = instrument.objects.using(using).create(territory_id=territory, **row)
        entered[one.code] = one
        article.objects.using(using).bulk_create(
            article(instrument=one, number=number, summary=summary) for number, summary in articles.items()
        )
    for code, follower in followers.items():
        if follower:
            instrument.objects.using(using).filter(code=code).update(superseded_by=entered[follower])


def enter_code_sets(apps, using):
    """Enter the closed lists."""
    code_set, value = apps.get_model("catalogue", "CodeSet"), apps.get_model("catalogue", "CodeValue")
    for row in json.loads((DATA / "code_sets.json").read_text(encoding="utf-8")):
        rows = row.pop("values")
        entered = code_set.objects.using(using).create(**row)
        value.objects.using(using).bulk_create(
            value(code_set=entered, position=position, **one) for position, one in enumerate(rows)
        )


class Migration(migrations.Migration):
    dependencies = [("catalogue", "0007_rules")]
    operations = [migrations.RunPython(load, migrations.RunPython.noop)]
