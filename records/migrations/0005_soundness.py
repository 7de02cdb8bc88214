"""Writing past intake: batches begin received; sealed numbers are checked each night, and what is found is hidden."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

SQL = """
-- Versions are written in the order of time: a block range index finds yesterday's at next to no cost.
CREATE INDEX recordversion_by_time ON records_recordversion USING brin (at);

-- Whom something was written about since a moment, and when they acted: for the check of what is sealed.
CREATE FUNCTION records_written_since(moment timestamptz) RETURNS TABLE (person_id bigint, record_id bigint, acted_on date)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT r.person_id, r.id,
           min(least(v.doc_date, CASE WHEN v.content ->> f.code ~ '^\\d{4}-\\d{2}-\\d{2}$' THEN (v.content ->> f.code)::date END))
      FROM records_recordversion v JOIN records_record r ON r.id = v.record_id
      LEFT JOIN catalogue_field f ON f.item_version_id = v.item_version_id AND f.binds = 'act_end'
     WHERE v.at >= moment AND v.deed IN (1, 2, 5)
     GROUP BY r.person_id, r.id
$$;

-- Records that nobody is shown because the number behind them is not what it must be.
CREATE FUNCTION records_unsound() RETURNS bigint[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT coalesce(array_agg(id), '{}') FROM (
        SELECT record_id AS id FROM records_unsound
        UNION SELECT r.id FROM records_unsound u JOIN records_record r ON r.person_id = u.person_id WHERE u.fault <> 'minor'
    ) hidden
$$;
-- A batch begins as received: whoever inserts one further on would pass by its arrows and the second officer.
CREATE FUNCTION records_batch_begins_received() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM catalogue_refuse('batch_begins_received', 'a batch begins received, with nobody''s decision');
    RETURN NULL;
END $$;
CREATE TRIGGER batch_begins_received BEFORE INSERT ON records_batch FOR EACH ROW
    WHEN (NEW.state <> 'received' OR NEW.committed_by_id IS NOT NULL OR NEW.withdrawn_by_id IS NOT NULL)
    EXECUTE FUNCTION records_batch_begins_received();

CREATE POLICY record_unsound_is_hidden ON records_record AS RESTRICTIVE FOR SELECT USING (
    item_id = (SELECT records_item_at_work()) OR id <> ALL ((SELECT records_unsound())::bigint[])
);
"""
UNDONE = """
DROP POLICY record_unsound_is_hidden ON records_record;
DROP TRIGGER batch_begins_received ON records_batch;
DROP FUNCTION records_batch_begins_received();
DROP FUNCTION records_unsound();
DROP FUNCTION records_written_since(timestamptz);
DROP INDEX recordversion_by_time;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_common"),
        ("records", "0004_duties"),
    ]

    operations = [
        migrations.CreateModel(
            name="Unsound",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "fault",
                    models.CharField(
                        choices=[
                            ("seal", "证件号码密文无法打开"),
                            ("index", "证件号码与索引不符"),
                            ("number", "证件号码不合规则"),
                            ("minor", "行为时未满 18 周岁"),
                        ],
                        max_length=8,
                        verbose_name="问题",
                    ),
                ),
                (
                    "found_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="发现时间"),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.person",
                        verbose_name="自然人",
                    ),
                ),
                (
                    "record",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="records.record",
                        verbose_name="记录",
                    ),
                ),
            ],
            options={
                "verbose_name": "封存核验发现",
                "verbose_name_plural": "封存核验发现",
                "db_table_comment": "append-only: what the nightly check of sealed numbers found",
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(fields=("record", "fault"), name="unsound_once_per_record_and_fault")
                ],
            },
        ),
        migrations.RunSQL(SQL, UNDONE),
    ]
