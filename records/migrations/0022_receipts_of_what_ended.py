"""A receipt also of a batch that never went in: cancelled, or refused as a file. Nobody signs what the system ended."""

from importlib import import_module

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

_OLD = import_module("records.migrations.0014_returned").RECEIPT
GUARD = "CREATE OR REPLACE" + _OLD[_OLD.index("CREATE FUNCTION") + len("CREATE") : _OLD.index("CREATE TRIGGER")]
ENDED = GUARD.replace(
    "b.state <> 'committed' OR NEW.signed_by_id IS DISTINCT FROM b.committed_by_id\n",
    "b.state NOT IN ('committed', 'cancelled', 'refused')\n"
    "       OR b.state = 'committed' AND (NEW.signed_by_id IS DISTINCT FROM b.committed_by_id OR NEW.content ? 'ended')\n"
    "       OR b.state <> 'committed' AND (NOT NEW.content ? 'ended' OR b.committed_by_id IS NOT NULL\n"
    "          OR NEW.signed_by_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM accounts_user u\n"
    "              WHERE u.id = NEW.signed_by_id AND u.organisation_id = b.supplier_id))\n",
)
assert ENDED != GUARD


class Migration(migrations.Migration):
    dependencies = [
        ("records", "0021_counts_are_measured"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.AlterModelTableComment(
            name="batchreceipt", table_comment="append-only: one receipt per batch that went in or ended without"
        ),
        migrations.AlterField(
            model_name="batchreceipt",
            name="signed_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="签发人",
            ),
        ),
        migrations.RunSQL(ENDED, GUARD),
    ]
