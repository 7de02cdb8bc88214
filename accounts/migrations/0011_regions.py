"""Which division went into which, and what lies within a division today."""

import csv
from pathlib import Path

import django.db.models.deletion
from django.db import migrations, models

REACH = """
-- The division above each one today. One that went whole into another is part of that; one that was split stays with what it
-- lay in; the comprehensive experimental area answers to the province, whatever the county's code begins with.
CREATE VIEW accounts_region_above AS
SELECT r.code, CASE WHEN h.many = 1 THEN h.heir WHEN r.kind = 'area' THEN p.parent_id ELSE r.parent_id END AS above
  FROM accounts_region r LEFT JOIN accounts_region p ON p.code = r.parent_id
  LEFT JOIN (SELECT s.predecessor_id, count(*) AS many, min(s.successor_id) AS heir FROM accounts_regionsuccession s
              WHERE s.since <= cf_today() GROUP BY s.predecessor_id) h ON h.predecessor_id = r.code;

-- The codes of all that lies within these divisions today, bygone ones that went into them too.
CREATE FUNCTION accounts_regions_within(codes text[]) RETURNS text[] LANGUAGE sql STABLE AS $$
    WITH RECURSIVE within(code) AS (
        SELECT unnest(codes)
        UNION
        SELECT a.code::text FROM within w JOIN accounts_region_above a ON a.above = w.code
    )
    SELECT coalesce(array_agg(code), '{}') FROM within
$$;

-- Who comes to another organisation brings no role along: the security administrator gives roles there anew. Nobody who
-- maintains accounts widens by it what somebody may read.
CREATE FUNCTION accounts_user_moved() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    DELETE FROM accounts_user_groups WHERE user_id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER user_who_moves_leaves_the_roles AFTER UPDATE OF organisation_id ON accounts_user
    FOR EACH ROW WHEN (NEW.organisation_id IS DISTINCT FROM OLD.organisation_id AND NEW.kind = 'staff')
    EXECUTE FUNCTION accounts_user_moved();
"""
REACH_UNDONE = """
DROP TRIGGER user_who_moves_leaves_the_roles ON accounts_user;
DROP FUNCTION accounts_user_moved();
DROP FUNCTION accounts_regions_within(text[]);
DROP VIEW accounts_region_above;
"""


def load_successions(apps, schema_editor):
    """Enter what became of the divisions that ended."""
    succession = apps.get_model("accounts", "RegionSuccession")
    path = Path(__file__).parent.parent / "data" / "region_successions.csv"
    with path.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    succession.objects.using(schema_editor.connection.alias).bulk_create(
        succession(
            predecessor_id=row["predecessor"], successor_id=row["successor"], since=row["since"], source=row["source"]
        )
        for row in rows
    )  # fmt: skip


class Migration(migrations.Migration):
    dependencies = [("accounts", "0010_step_up")]
    operations = [
        migrations.CreateModel(
            name="RegionSuccession",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("since", models.DateField(verbose_name="自")),
                ("source", models.CharField(max_length=200, verbose_name="来源")),
                (
                    "predecessor",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="successions",
                        to="accounts.region",
                        verbose_name="原区划",
                    ),
                ),
                (
                    "successor",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="absorbed",
                        to="accounts.region",
                        verbose_name="现区划",
                    ),
                ),
            ],
            options={
                "verbose_name": "区划沿革",
                "verbose_name_plural": "区划沿革",
                "db_table_comment": "append-only, written by the database: which division went into which",
                "ordering": ["since", "predecessor"],
                "default_permissions": ("view",),
                "constraints": [
                    models.UniqueConstraint(fields=("predecessor", "successor"), name="regionsuccession_is_said_once"),
                    models.CheckConstraint(
                        condition=models.Q(("predecessor", models.F("successor")), _negated=True),
                        name="regionsuccession_is_into_another",
                    ),
                ],
            },
        ),
        migrations.AlterModelTableComment(
            name="region",
            table_comment="append-only, written by the database: divisions come with a migration, from their source",
        ),
        migrations.RunPython(load_successions, migrations.RunPython.noop),
        migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE", migrations.RunSQL.noop),
        migrations.RunSQL(REACH, REACH_UNDONE),
    ]
