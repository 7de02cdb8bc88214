"""Divisions of the province, and the rule that roles which exclude each other never meet in one account."""

import csv
from pathlib import Path

from django.db import migrations

ROLE_RULE = """
CREATE FUNCTION accounts_refuse_conflicting_roles() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE clash text;
BEGIN
    SELECT c.reason INTO clash
      FROM auth_group mine
      JOIN accounts_user_groups held ON held.user_id = NEW.user_id AND held.id <> NEW.id
      JOIN auth_group other ON other.id = held.group_id
      JOIN accounts_roleconflict c
        ON (c.role_a, c.role_b) IN ((mine.name, other.name), (other.name, mine.name))
     WHERE mine.id = NEW.group_id
     LIMIT 1;
    IF clash IS NOT NULL THEN
        RAISE EXCEPTION '%', clash USING ERRCODE = 'check_violation', CONSTRAINT = 'user_roles_exclude_each_other';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER accounts_roles_exclude_each_other
    BEFORE INSERT OR UPDATE ON accounts_user_groups
    FOR EACH ROW EXECUTE FUNCTION accounts_refuse_conflicting_roles();
"""
ROLE_RULE_UNDONE = """
DROP TRIGGER accounts_roles_exclude_each_other ON accounts_user_groups;
DROP FUNCTION accounts_refuse_conflicting_roles();
"""


def load_regions(apps, schema_editor):
    """Enter the divisions of GB/T 2260, abolished ones with their last day."""
    region = apps.get_model("accounts", "Region")
    path = Path(__file__).parent.parent / "data" / "regions.csv"
    with path.open(encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    region.objects.using(schema_editor.connection.alias).bulk_create(
        region(
            code=row["code"], name=row["name"], kind=row["kind"], parent_id=row["parent"] or None,
            valid_from=row["valid_from"] or None, valid_to=row["valid_to"] or None,
        )
        for row in rows
    )  # fmt: skip


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]
    operations = [
        migrations.RunPython(load_regions, migrations.RunPython.noop),
        migrations.RunSQL(ROLE_RULE, ROLE_RULE_UNDONE),
    ]
