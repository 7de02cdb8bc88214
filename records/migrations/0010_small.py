"""Exports of what a list shows: by its filters, or these records only."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

MATCHES = """
-- The records that an export asks for; called by the application, row-level security leaves only what is logged.
-- Named records are found by their keys, everything else by item.
CREATE OR REPLACE FUNCTION records_export_matches(export bigint) RETURNS SETOF records_record LANGUAGE sql STABLE AS $$
    SELECT r.* FROM records_export e CROSS JOIN LATERAL (
        SELECT s.* FROM records_shown() s WHERE e.record_ids IS NULL AND s.item_id = ANY (e.item_ids)
        UNION ALL
        SELECT s.* FROM records_shown() s WHERE s.id = ANY (e.record_ids) AND s.item_id = ANY (e.item_ids)
    ) r
     WHERE e.id = export
       AND (NOT e.own_only OR r.provider_id = e.organisation_id)
       AND (e.provider_id IS NULL OR r.provider_id = e.provider_id)
       AND (e.severity IS NULL OR r.severity = e.severity)
       AND (e.decided_from IS NULL OR r.doc_date >= e.decided_from)
       AND (e.decided_until IS NULL OR r.doc_date <= e.decided_until)
       AND (e.ends_by IS NULL OR upper(r.publication) > cf_today() AND upper(r.publication) <= e.ends_by)
       AND CASE e.which WHEN 'public' THEN coalesce(r.publication @> cf_today(), false)
                        WHEN 'not_public' THEN NOT coalesce(r.publication @> cf_today(), false) ELSE true END
$$;

-- What a list narrowed an export to is as fixed as the rest of what was asked for (records_export_guard).
CREATE FUNCTION records_export_stays_narrow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM catalogue_refuse('export_is_what_was_asked_for', 'what was asked for is never rewritten');
    RETURN NULL;
END $$;
CREATE TRIGGER export_stays_narrow BEFORE UPDATE ON records_export FOR EACH ROW WHEN (
    (NEW.severity, NEW.provider_id, NEW.ends_by, NEW.record_ids) IS DISTINCT FROM
    (OLD.severity, OLD.provider_id, OLD.ends_by, OLD.record_ids)
) EXECUTE FUNCTION records_export_stays_narrow();
"""
MATCHES_UNDONE = """
DROP TRIGGER export_stays_narrow ON records_export;
DROP FUNCTION records_export_stays_narrow();
CREATE OR REPLACE FUNCTION records_export_matches(export bigint) RETURNS SETOF records_record LANGUAGE sql STABLE AS $$
    SELECT r.* FROM records_export e JOIN records_shown() r ON r.item_id = ANY (e.item_ids)
     WHERE e.id = export
       AND (NOT e.own_only OR r.provider_id = e.organisation_id)
       AND (e.decided_from IS NULL OR r.doc_date >= e.decided_from)
       AND (e.decided_until IS NULL OR r.doc_date <= e.decided_until)
       AND CASE e.which WHEN 'public' THEN coalesce(r.publication @> cf_today(), false)
                        WHEN 'not_public' THEN NOT coalesce(r.publication @> cf_today(), false) ELSE true END
$$;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_whose_account"),
        ("records", "0010_one_look"),
    ]

    operations = [
        migrations.AddField(
            model_name="export",
            name="ends_by",
            field=models.DateField(blank=True, null=True, verbose_name="公示结束不晚于"),
        ),
        migrations.AddField(
            model_name="export",
            name="provider",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="accounts.organisation",
                verbose_name="提供单位",
            ),
        ),
        migrations.AddField(
            model_name="export",
            name="record_ids",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.BigIntegerField(), blank=True, null=True, size=None, verbose_name="只要这些记录"
            ),
        ),
        migrations.AddField(
            model_name="export",
            name="severity",
            field=models.SmallIntegerField(
                blank=True,
                choices=[(0, "不适用"), (1, "轻微"), (2, "一般"), (3, "严重")],
                null=True,
                verbose_name="失信程度",
            ),
        ),
        migrations.RunSQL(MATCHES, MATCHES_UNDONE),
    ]
