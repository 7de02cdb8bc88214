"""A row of a correction is matched with the batch that it names, not with the one that the file's first row names."""

from importlib import import_module

import django.db.models.deletion
from django.db import migrations, models

_OLD = import_module("records.migrations.0014_returned").RETURNED
GUARD = (
    "CREATE OR REPLACE "
    + _OLD[_OLD.index("FUNCTION records_returned_guard()") : _OLD.index("CREATE TRIGGER returnedrow_guard_insert")]
)
# What answers a row is a staged row that names it: of a younger batch of the same supplier and item, and taken in or refused
# as the answer says.
NAMED = """EXISTS (SELECT 1 FROM records_batchrow s JOIN records_batch b ON b.id = n.batch_id
                  WHERE s.batch_id = n.answer_batch_id AND s.row_no = n.answer_row AND s.outcome IN ({})
                    AND (s.source_batch_id, s.source_row) = (n.batch_id, n.row_no)
                    AND a.id > b.id AND (a.supplier_id, a.item_id) = (b.supplier_id, b.item_id))"""
BY_ROW = (
    GUARD.replace("n.state = 2 AND a.correction_of_id = n.batch_id\n", f"n.state = 2 AND {NAMED.format('9')}\n")
    .replace("w.state IN (1, 2, 3) AND a.correction_of_id = n.batch_id", f"w.state IN (1, 2, 3) AND {NAMED.format('1, 2, 3')}")
    .replace("w.state = 1 AND a.correction_of_id = n.batch_id", f"w.state = 1 AND {NAMED.format('9')}")
)  # fmt: skip
assert BY_ROW.count("(s.source_batch_id, s.source_row)") == 3
assert "correction_of_id" not in BY_ROW
# Rows staged before this named the batch that their file corrects, or none.
STAGED = """
UPDATE records_batchrow r
   SET source_batch_id = b.correction_of_id, source_row = CASE WHEN b.correction_of_id IS NOT NULL THEN r.source_row END
  FROM records_batch b WHERE b.id = r.batch_id AND r.source_row IS NOT NULL
"""


class Migration(migrations.Migration):
    dependencies = [("records", "0026_duties")]

    operations = [
        migrations.AddField(
            model_name="batchrow",
            name="source_batch",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="records.batch",
            ),
        ),
        migrations.RunSQL(STAGED, migrations.RunSQL.noop),
        migrations.RunSQL(BY_ROW, GUARD),
    ]
