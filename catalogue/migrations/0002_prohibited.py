"""What is never collected: domain §9, entered from catalogue/data/prohibited.json."""

import json
from pathlib import Path

from django.db import migrations


def load(apps, schema_editor):
    """Enter the categories."""
    category = apps.get_model("catalogue", "ProhibitedCategory")
    rows = json.loads((Path(__file__).parent.parent / "data" / "prohibited.json").read_text(encoding="utf-8"))
    category.objects.using(schema_editor.connection.alias).bulk_create(category(**row) for row in rows)


class Migration(migrations.Migration):
    dependencies = [("catalogue", "0001_initial")]
    operations = [migrations.RunPython(load, migrations.RunPython.noop)]
