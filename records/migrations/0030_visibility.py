"""One table says who may see records in which situation, and the policy on records reads it."""

import json
from pathlib import Path

import django.contrib.postgres.fields
from django.db import migrations, models

POLICY = """
CREATE TRIGGER visibility_append_only BEFORE UPDATE OR DELETE ON records_visibility
    FOR EACH ROW EXECUTE FUNCTION cf_refuse_change();
CREATE TRIGGER visibility_no_truncate BEFORE TRUNCATE ON records_visibility EXECUTE FUNCTION cf_refuse_change();

-- In which situation a record is, for those who would see it.
CREATE FUNCTION records_situation(state smallint, usable_from date, hidden_at timestamptz, withheld boolean) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN state NOT IN (1, 3, 4, 5) THEN 'gone' WHEN withheld THEN 'withheld'
                WHEN state = 4 THEN 'cancelled' WHEN state = 5 THEN 'repaired' WHEN hidden_at IS NOT NULL THEN 'held'
                WHEN records_is_in_use(state, usable_from, hidden_at) THEN 'in_use' ELSE 'noticed' END
$$;

-- A query line of this transaction opens its person's records of its items, in the situations that its kind may see, until
-- their query period ends. The public sees what is published, of items that are public today.
DROP POLICY record_read_with_a_query_line ON records_record;
CREATE POLICY record_read_with_a_query_line ON records_record FOR SELECT USING (
    EXISTS (
        SELECT 1 FROM access_queryperson q
         WHERE q.person_id = records_record.person_id
           AND q.at = transaction_timestamp() AND q.xid = pg_current_xact_id()
           AND q.allowed
           AND (q.items IS NULL OR records_record.item_id = ANY (q.items))
           AND records_record.query_until > cf_today()
           AND records_record.item_id <> ALL ((SELECT catalogue_withdrawn_items())::bigint[])
           AND records_situation(records_record.state, records_record.usable_from, records_record.hidden_at,
                                 records_record.item_id = ANY ((SELECT catalogue_withheld_items())::bigint[]))
               = ANY ((SELECT v.situations FROM records_visibility v WHERE v.kind = q.kind)::text[])
           AND (q.kind <> 'Q6' OR records_record.publication @> cf_today()
                                  AND records_record.item_id <> ALL ((SELECT access_closed_items('PUBLIC'))::bigint[]))
    )
);
"""
UNDONE = """
DROP POLICY record_read_with_a_query_line ON records_record;
CREATE POLICY record_read_with_a_query_line ON records_record FOR SELECT USING (
    EXISTS (
        SELECT 1 FROM access_queryperson q
         WHERE q.person_id = records_record.person_id
           AND q.at = transaction_timestamp() AND q.xid = pg_current_xact_id()
           AND q.allowed
           AND (q.items IS NULL OR records_record.item_id = ANY (q.items))
           AND records_record.query_until > cf_today()
           AND records_record.item_id <> ALL ((SELECT catalogue_withdrawn_items())::bigint[])
           AND (q.kind = 'Q1' AND records_record.state IN (1, 3, 4, 5)
                OR records_is_in_use(records_record.state, records_record.usable_from, records_record.hidden_at)
                   AND (q.kind <> 'Q6' OR records_record.publication @> cf_today())
                   AND records_record.item_id <> ALL ((SELECT catalogue_withheld_items())::bigint[]))
    )
);
DROP FUNCTION records_situation(smallint, date, timestamptz, boolean);
DROP TRIGGER visibility_no_truncate ON records_visibility;
DROP TRIGGER visibility_append_only ON records_visibility;
"""
SITUATIONS = [
    ("in_use", "在用（含有异议标记的）"), ("noticed", "告知期内"), ("held", "异议核查中停用"), ("cancelled", "所依据的决定已撤销"),
    ("repaired", "已修复"), ("withheld", "条目暂停或失去依据"),
]  # fmt: skip


def load(apps, schema_editor):
    """Enter the table as the code reads it."""
    model = apps.get_model("records", "Visibility")
    rows = json.loads((Path(__file__).parent.parent / "data" / "visibility.json").read_text(encoding="utf-8"))
    model.objects.using(schema_editor.connection.alias).bulk_create(model(**row) for row in rows)


class Migration(migrations.Migration):
    dependencies = [("records", "0028_ground_papers"), ("access", "0013_closed_items")]

    operations = [
        migrations.CreateModel(
            name="Visibility",
            fields=[
                ("kind", models.CharField(max_length=3, primary_key=True, serialize=False, verbose_name="查询方式")),
                ("who", models.CharField(max_length=40, verbose_name="谁")),
                ("reader", models.CharField(max_length=12, verbose_name="按哪类读者看数据项")),
                (
                    "profile",
                    models.CharField(
                        choices=[("M1", "M1"), ("M2", "M2"), ("M3", "M3"), ("M4", "M4")],
                        max_length=2,
                        verbose_name="脱敏规则",
                    ),
                ),
                (
                    "situations",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(choices=SITUATIONS, max_length=10),
                        size=None,
                        verbose_name="看得到哪些状态的记录",
                    ),
                ),
                ("narrowed", models.CharField(max_length=100, verbose_name="按用途限于")),
                ("basis", models.CharField(max_length=100, verbose_name="依据")),
            ],
            options={
                "verbose_name": "谁能看到什么",
                "verbose_name_plural": "谁能看到什么",
                "db_table_comment": "append-only, written by the database: who may see records in which situation",
                "ordering": ["kind"],
                "default_permissions": ("view",),
            },
        ),
        migrations.RunPython(load, migrations.RunPython.noop),
        migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE", migrations.RunSQL.noop),
        migrations.RunSQL(POLICY, UNDONE),
    ]
