"""Each download of an export leaves its line, and that of everybody in the file: the database writes them, or refuses."""

import django.db.models.deletion
from django.db import migrations, models

PERSONS = """
ALTER TABLE records_exportperson ENABLE ROW LEVEL SECURITY;  -- no policy: the application neither sees nor writes it

-- Whom the files that lie ready, and the exports under way, have read: their lines say it.
INSERT INTO records_exportperson (export_id, person_id)
SELECT DISTINCT e.id, p.person_id FROM records_export e
  JOIN access_query q ON q.kind = 'Q5' AND q.decision = 'allowed' AND q.actor_id = e.requested_by_id AND q.case_no = e.case_no
       AND q.at >= e.requested_at AND q.ground LIKE '%批量导出 ' || records_export_number(e)
  JOIN access_queryperson p ON p.query_id = q.seq AND p.at = q.at AND p.allowed
 WHERE e.state IN ('running', 'failed', 'ready');

-- Once there is no file any more, nobody needs to know who was in it.
CREATE FUNCTION records_export_forgets_its_persons() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    DELETE FROM records_exportperson p WHERE p.export_id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER export_forgets_its_persons AFTER UPDATE OF state ON records_export FOR EACH ROW
    WHEN (NEW.state IN ('expired', 'refused', 'cancelled')) EXECUTE FUNCTION records_export_forgets_its_persons();
"""
NUMBER = """
-- The number of an export that people quote, as the log's lines name it (records.export_models.Export.number).
CREATE FUNCTION records_export_number(export records_export) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT format('D%s-%s', to_char(export.requested_at AT TIME ZONE 'Asia/Shanghai', 'YYYYMMDD'),
                  lpad(export.id::text, greatest(6, length(export.id::text)), '0'))
$$;
"""
PERSONS_UNDONE = """
DROP TRIGGER export_forgets_its_persons ON records_export;
DROP FUNCTION records_export_forgets_its_persons();
"""
FUNCTIONS = """
CREATE OR REPLACE FUNCTION records_export_open(export bigint, line bigint, many int)
RETURNS TABLE (until_person bigint, persons_passed bigint, persons_opened bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE asked records_export;
BEGIN
    SELECT * INTO asked FROM records_export e WHERE e.id = export FOR UPDATE;
    IF asked.state IS DISTINCT FROM 'running' THEN
        PERFORM catalogue_refuse('export_reads_while_it_runs', 'this export may not read');
    END IF;
    IF NOT EXISTS (
        SELECT 1 FROM access_query q
         WHERE q.seq = line AND q.at = transaction_timestamp() AND q.kind = 'Q5' AND q.decision = 'allowed'
           AND q.actor_id = asked.requested_by_id AND q.case_no = asked.case_no AND q.duty_code = asked.duty_code
    ) THEN
        PERFORM catalogue_refuse('export_has_its_query_line', 'no export without a query line of its own');
    END IF;
    RETURN QUERY WITH page AS MATERIALIZED (
        SELECT t.person_id FROM records_exporttarget t
         WHERE t.export_id = export AND t.person_id > asked.last_person ORDER BY t.person_id LIMIT many
    ), written AS (
        INSERT INTO access_queryperson (query_id, person_id, kind, allowed, items)
        SELECT line, p.person_id, 'Q5', true, asked.item_ids FROM page p
         WHERE asked.named IS NOT NULL OR EXISTS (SELECT 1 FROM records_export_matches(export) m WHERE m.person_id = p.person_id)
        RETURNING person_id
    ), kept AS (
        INSERT INTO records_exportperson (export_id, person_id) SELECT export, w.person_id FROM written w ON CONFLICT DO NOTHING
    )
    SELECT max(p.person_id), count(*), (SELECT count(*) FROM written) FROM page p;
END $$;

-- Fetched by its requester, in time, under a query line of this transaction that names it; everybody in it has a line.
CREATE OR REPLACE FUNCTION records_exportdownload_guard() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE asked records_export; told bigint;
BEGIN
    SELECT * INTO asked FROM records_export e WHERE e.id = NEW.export_id AND e.state = 'ready'
       AND e.requested_by_id = NEW.by_id AND now() < e.link_until AND now() < e.keep_until;
    IF NOT FOUND THEN
        PERFORM catalogue_refuse('exportdownload_by_its_requester', 'whoever asked for the export fetches it, in time');
    END IF;
    IF NOT EXISTS (
        SELECT 1 FROM access_query q
         WHERE q.seq = NEW.query_seq AND q.at = transaction_timestamp() AND q.kind = 'Q5' AND q.decision = 'allowed'
           AND q.actor_id = NEW.by_id AND q.case_no = asked.case_no AND q.duty_code = asked.duty_code
           AND q.fields_class = '下载导出文件' AND q.ground LIKE '%下载了导出文件 ' || records_export_number(asked)
    ) OR EXISTS (SELECT 1 FROM records_exportdownload d WHERE d.query_seq = NEW.query_seq) THEN
        PERFORM catalogue_refuse('exportdownload_has_its_query_line', 'no download without a query line of its own');
    END IF;
    INSERT INTO access_queryperson (query_id, person_id, kind, allowed, items)  -- opens no record: they were read before
    SELECT NEW.query_seq, p.person_id, 'Q5', true, '{}' FROM records_exportperson p WHERE p.export_id = NEW.export_id;
    GET DIAGNOSTICS told = ROW_COUNT;
    IF told = 0 AND asked.rows > 0 THEN
        PERFORM catalogue_refuse('exportdownload_is_seen', 'everybody in the file has a line of the download');
    END IF;
    NEW.at := now();
    RETURN NEW;
END $$;
"""
FUNCTIONS_UNDONE = """
CREATE OR REPLACE FUNCTION records_export_open(export bigint, line bigint, many int)
RETURNS TABLE (until_person bigint, persons_passed bigint, persons_opened bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE asked records_export;
BEGIN
    SELECT * INTO asked FROM records_export e WHERE e.id = export FOR UPDATE;
    IF asked.state IS DISTINCT FROM 'running' THEN
        PERFORM catalogue_refuse('export_reads_while_it_runs', 'this export may not read');
    END IF;
    IF NOT EXISTS (
        SELECT 1 FROM access_query q
         WHERE q.seq = line AND q.at = transaction_timestamp() AND q.kind = 'Q5' AND q.decision = 'allowed'
           AND q.actor_id = asked.requested_by_id AND q.case_no = asked.case_no AND q.duty_code = asked.duty_code
    ) THEN
        PERFORM catalogue_refuse('export_has_its_query_line', 'no export without a query line of its own');
    END IF;
    RETURN QUERY WITH page AS MATERIALIZED (
        SELECT t.person_id FROM records_exporttarget t
         WHERE t.export_id = export AND t.person_id > asked.last_person ORDER BY t.person_id LIMIT many
    ), written AS (
        INSERT INTO access_queryperson (query_id, person_id, kind, allowed, items)
        SELECT line, p.person_id, 'Q5', true, asked.item_ids FROM page p
         WHERE asked.named IS NOT NULL OR EXISTS (SELECT 1 FROM records_export_matches(export) m WHERE m.person_id = p.person_id)
        RETURNING 1
    )
    SELECT max(p.person_id), count(*), (SELECT count(*) FROM written) FROM page p;
END $$;

CREATE OR REPLACE FUNCTION records_exportdownload_guard() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM records_export e WHERE e.id = NEW.export_id AND e.state = 'ready'
                    AND e.requested_by_id = NEW.by_id AND now() < e.link_until AND now() < e.keep_until) THEN
        PERFORM catalogue_refuse('exportdownload_by_its_requester', 'whoever asked for the export fetches it, in time');
    END IF;
    NEW.at := now();
    RETURN NEW;
END $$;
DROP FUNCTION records_export_number(records_export);
"""


class Migration(migrations.Migration):
    dependencies = [("records", "0041_rights_in_context"), ("access", "0031_changes_are_read")]

    operations = [
        migrations.CreateModel(
            name="ExportPerson",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "export_id", "person_id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("person_id", models.BigIntegerField()),
                (
                    "export",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="records.export",
                    ),
                ),
            ],
            options={
                "verbose_name": "导出文件中的人",
                "verbose_name_plural": "导出文件中的人",
                "default_permissions": (),
            },
        ),
        migrations.AddField(
            model_name="exportdownload",
            name="query_seq",
            field=models.BigIntegerField(help_text="此前的下载没有", null=True, verbose_name="查询日志号"),
        ),
        migrations.RunSQL(NUMBER + FUNCTIONS, FUNCTIONS_UNDONE),
        migrations.RunSQL(PERSONS, PERSONS_UNDONE),
    ]
