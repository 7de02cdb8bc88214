"""The calendar of 2020 to 2026 and the deadlines of domain §12, entered from catalogue/data/."""

import csv
import json
from datetime import date
from pathlib import Path

from django.db import migrations
from django.utils import timezone

DATA = Path(__file__).parent.parent / "data"
SOURCE = "国务院办公厅通知；holidays 与 chinesecalendar 逐日核对一致"


def load_calendar(apps, schema_editor):
    """Enter one edition per year; loaded with the system, so nobody proposed or confirmed it."""
    using = schema_editor.connection.alias
    edition, day = apps.get_model("catalogue", "CalendarEdition"), apps.get_model("catalogue", "CalendarDay")
    with (DATA / "calendar.csv").open(encoding="utf-8") as handle:
        days = list(csv.DictReader(handle))
    for row in json.loads((DATA / "calendar_editions.json").read_text(encoding="utf-8")):
        made = edition.objects.using(using).create(
            **row, number=1, source=SOURCE, state="in_force", confirmed_at=timezone.now()
        )
        day.objects.using(using).bulk_create(
            day(edition=made, date=date.fromisoformat(d["date"]), is_workday=d["is_workday"] == "1", name=d["name"])
            for d in days
            if d["date"].startswith(str(row["year"]))
        )


def load_rules(apps, schema_editor):
    """Enter the first version of every deadline."""
    rule = apps.get_model("catalogue", "DeadlineRule")
    rows = json.loads((DATA / "deadlines.json").read_text(encoding="utf-8"))
    rule.objects.using(schema_editor.connection.alias).bulk_create(
        rule(**row, version=1, state="in_force", confirmed_at=timezone.now()) for row in rows
    )


class Migration(migrations.Migration):
    dependencies = [("catalogue", "0003_deadlines")]
    operations = [
        migrations.RunPython(load_calendar, migrations.RunPython.noop),
        migrations.RunPython(load_rules, migrations.RunPython.noop),
    ]
