"""Exports of persons named by a list of ID numbers; how many wait for another officer is a rule; the answer has a clock."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

NAMED = """
ALTER TABLE records_exportnumber ENABLE ROW LEVEL SECURITY;  -- no policy: the application neither sees nor writes it

-- Name the persons of an export that was just asked for: the indexes of each number, under every key in use, in the order
-- of the list. Once; as many as the request says.
CREATE FUNCTION records_export_name(export bigint, ordinals int[], indexes bytea[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE asked records_export;
BEGIN
    SELECT * INTO asked FROM records_export e WHERE e.id = export FOR UPDATE;
    IF asked.state IS DISTINCT FROM 'requested' OR asked.named IS NULL OR asked.persons IS NOT NULL
       OR EXISTS (SELECT 1 FROM records_exportnumber n WHERE n.export_id = export)
       OR asked.named <> (SELECT count(DISTINCT o) FROM unnest(ordinals) o) THEN
        PERFORM catalogue_refuse('export_is_named_once', 'whom an export is about is said once, when it is asked for');
    END IF;
    INSERT INTO records_exportnumber (export_id, ordinal, indexes)
    SELECT export, o, array_agg(i) FROM unnest(ordinals, indexes) AS x(o, i) GROUP BY o;
END $$;

-- Which lines of the list stand for the persons that this transaction's query line has opened.
CREATE FUNCTION records_export_ordinals(export bigint, line bigint) RETURNS TABLE (person_id bigint, ordinals text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT q.person_id, string_agg(n.ordinal::text, '、' ORDER BY n.ordinal) FROM access_queryperson q
      JOIN accounts_person p ON records_survivor(p.id) = q.person_id
       AND (p.id = q.person_id OR p.merged_into_id IS NOT NULL)
      JOIN records_exportnumber n ON n.export_id = export AND p.id_index = ANY (n.indexes)
     WHERE q.query_id = line AND q.at = transaction_timestamp() AND q.xid = pg_current_xact_id() AND q.allowed
     GROUP BY q.person_id
$$;
DROP TRIGGER export_stays_narrow ON records_export;
CREATE TRIGGER export_stays_narrow BEFORE UPDATE ON records_export FOR EACH ROW WHEN (
    (NEW.severity, NEW.provider_id, NEW.ends_by, NEW.record_ids, NEW.named) IS DISTINCT FROM
    (OLD.severity, OLD.provider_id, OLD.ends_by, OLD.record_ids, OLD.named)
) EXECUTE FUNCTION records_export_stays_narrow();
"""
NAMED_UNDONE = """
DROP TRIGGER export_stays_narrow ON records_export;
CREATE TRIGGER export_stays_narrow BEFORE UPDATE ON records_export FOR EACH ROW WHEN (
    (NEW.severity, NEW.provider_id, NEW.ends_by, NEW.record_ids) IS DISTINCT FROM
    (OLD.severity, OLD.provider_id, OLD.ends_by, OLD.record_ids)
) EXECUTE FUNCTION records_export_stays_narrow();
DROP FUNCTION records_export_ordinals(bigint, bigint);
DROP FUNCTION records_export_name(bigint, int[], bytea[]);
"""
FUNCTIONS = """
CREATE OR REPLACE FUNCTION records_export_gather(export bigint) RETURNS TABLE (persons_found bigint, records_found bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE named bigint[]; listed int;
BEGIN
    IF NOT EXISTS (SELECT 1 FROM records_export e WHERE e.id = export AND e.state = 'requested') THEN
        PERFORM catalogue_refuse('export_is_counted_first', 'an export is counted before it is decided');
    END IF;
    DELETE FROM records_exporttarget t WHERE t.export_id = export;
    SELECT e.named INTO listed FROM records_export e WHERE e.id = export;
    IF listed IS NOT NULL THEN
        INSERT INTO records_exporttarget (export_id, person_id)
        SELECT DISTINCT export, records_survivor(p.id) FROM records_exportnumber n
          JOIN accounts_person p ON p.id_index = ANY (n.indexes) WHERE n.export_id = export;
        RETURN QUERY SELECT listed::bigint, 0::bigint;  -- how many of them there are is told to nobody before the reading
        RETURN;
    END IF;
    SELECT e.record_ids INTO named FROM records_export e WHERE e.id = export;
    RETURN QUERY WITH found AS (
        SELECT m.person_id, count(*) AS n FROM records_export_matches(export) m
         WHERE named IS NULL OR m.id = ANY (named) GROUP BY m.person_id
    ), kept AS (
        INSERT INTO records_exporttarget (export_id, person_id) SELECT export, f.person_id FROM found f
    )
    SELECT count(*), coalesce(sum(n), 0)::bigint FROM found;
END $$;


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


CREATE OR REPLACE FUNCTION records_export_guard() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        PERFORM catalogue_refuse('export_is_kept', 'exports are kept');
    ELSIF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'requested' OR num_nonnulls(NEW.reviewed_by_id, NEW.persons, NEW.file_id, NEW.link_until) > 0
           OR NOT EXISTS (SELECT 1 FROM accounts_user u
                           WHERE u.id = NEW.requested_by_id AND u.organisation_id = NEW.organisation_id) THEN
            PERFORM catalogue_refuse('export_begins_as_a_request', 'an export begins as a request of one''s own organisation');
        END IF;
        RETURN NEW;
    END IF;
    IF (NEW.requested_by_id, NEW.organisation_id, NEW.purpose, NEW.purpose_text, NEW.duty_code, NEW.case_no, NEW.item_ids,
        NEW.own_only, NEW.decided_from, NEW.decided_until, NEW.which, NEW.format, NEW.requested_at) IS DISTINCT FROM
       (OLD.requested_by_id, OLD.organisation_id, OLD.purpose, OLD.purpose_text, OLD.duty_code, OLD.case_no, OLD.item_ids,
        OLD.own_only, OLD.decided_from, OLD.decided_until, OLD.which, OLD.format, OLD.requested_at) THEN
        PERFORM catalogue_refuse('export_is_what_was_asked_for', 'what was asked for is never rewritten');
    END IF;
    IF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (
        ('requested', 'awaiting'), ('requested', 'running'), ('requested', 'cancelled'), ('requested', 'failed'),
        ('awaiting', 'running'), ('awaiting', 'refused'), ('awaiting', 'cancelled'),
        ('running', 'ready'), ('running', 'cancelled'), ('running', 'failed'),
        ('failed', 'requested'), ('failed', 'running'), ('failed', 'cancelled'), ('ready', 'expired')
    ) THEN
        PERFORM catalogue_refuse('export_moves_along_its_arrows', format('an export may not go from %s to %s', OLD.state, NEW.state));
    END IF;
    IF NEW.reviewed_by_id IS DISTINCT FROM OLD.reviewed_by_id AND (
        OLD.state <> 'awaiting' OR NOT EXISTS (
            SELECT 1 FROM accounts_user u WHERE u.id = NEW.reviewed_by_id AND u.organisation_id = NEW.organisation_id)
    ) THEN
        PERFORM catalogue_refuse('export_reviewed_in_its_organisation', 'another officer of the organisation reviews');
    END IF;
    IF NEW.persons IS DISTINCT FROM OLD.persons AND NEW.persons IS DISTINCT FROM
       (SELECT coalesce(NEW.named, count(*)) FROM records_exporttarget t WHERE t.export_id = NEW.id) THEN
        PERFORM catalogue_refuse('export_counts_its_persons', 'the database counts the persons of an export');
    END IF;
    IF NEW.state = 'running' AND (NEW.persons IS NULL OR NEW.persons > access_review_above() AND NEW.reviewed_by_id IS NULL) THEN
        PERFORM catalogue_refuse('export_of_many_is_reviewed', 'more persons than the rule lets pass need another officer');
    END IF;
    IF NEW.state IN ('ready', 'expired', 'refused', 'cancelled') AND NEW.state <> OLD.state THEN
        DELETE FROM records_exporttarget t WHERE t.export_id = NEW.id;  -- the list of people is needed no longer
        DELETE FROM records_exportnumber n WHERE n.export_id = NEW.id;
    END IF;
    RETURN NEW;
END $$;
"""
FUNCTIONS_UNDONE = """
CREATE OR REPLACE FUNCTION records_export_gather(export bigint) RETURNS TABLE (persons_found bigint, records_found bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE named bigint[];
BEGIN
    IF NOT EXISTS (SELECT 1 FROM records_export e WHERE e.id = export AND e.state = 'requested') THEN
        PERFORM catalogue_refuse('export_is_counted_first', 'an export is counted before it is decided');
    END IF;
    DELETE FROM records_exporttarget t WHERE t.export_id = export;
    SELECT e.record_ids INTO named FROM records_export e WHERE e.id = export;
    RETURN QUERY WITH found AS (
        SELECT m.person_id, count(*) AS n FROM records_export_matches(export) m
         WHERE named IS NULL OR m.id = ANY (named) GROUP BY m.person_id
    ), kept AS (
        INSERT INTO records_exporttarget (export_id, person_id) SELECT export, f.person_id FROM found f
    )
    SELECT count(*), coalesce(sum(n), 0)::bigint FROM found;
END $$;


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
         WHERE EXISTS (SELECT 1 FROM records_export_matches(export) m WHERE m.person_id = p.person_id)
        RETURNING 1
    )
    SELECT max(p.person_id), count(*), (SELECT count(*) FROM written) FROM page p;
END $$;


CREATE OR REPLACE FUNCTION records_export_guard() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        PERFORM catalogue_refuse('export_is_kept', 'exports are kept');
    ELSIF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'requested' OR num_nonnulls(NEW.reviewed_by_id, NEW.persons, NEW.file_id, NEW.link_until) > 0
           OR NOT EXISTS (SELECT 1 FROM accounts_user u
                           WHERE u.id = NEW.requested_by_id AND u.organisation_id = NEW.organisation_id) THEN
            PERFORM catalogue_refuse('export_begins_as_a_request', 'an export begins as a request of one''s own organisation');
        END IF;
        RETURN NEW;
    END IF;
    IF (NEW.requested_by_id, NEW.organisation_id, NEW.purpose, NEW.purpose_text, NEW.duty_code, NEW.case_no, NEW.item_ids,
        NEW.own_only, NEW.decided_from, NEW.decided_until, NEW.which, NEW.format, NEW.requested_at) IS DISTINCT FROM
       (OLD.requested_by_id, OLD.organisation_id, OLD.purpose, OLD.purpose_text, OLD.duty_code, OLD.case_no, OLD.item_ids,
        OLD.own_only, OLD.decided_from, OLD.decided_until, OLD.which, OLD.format, OLD.requested_at) THEN
        PERFORM catalogue_refuse('export_is_what_was_asked_for', 'what was asked for is never rewritten');
    END IF;
    IF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (
        ('requested', 'awaiting'), ('requested', 'running'), ('requested', 'cancelled'), ('requested', 'failed'),
        ('awaiting', 'running'), ('awaiting', 'refused'), ('awaiting', 'cancelled'),
        ('running', 'ready'), ('running', 'cancelled'), ('running', 'failed'),
        ('failed', 'requested'), ('failed', 'running'), ('failed', 'cancelled'), ('ready', 'expired')
    ) THEN
        PERFORM catalogue_refuse('export_moves_along_its_arrows', format('an export may not go from %s to %s', OLD.state, NEW.state));
    END IF;
    IF NEW.reviewed_by_id IS DISTINCT FROM OLD.reviewed_by_id AND (
        OLD.state <> 'awaiting' OR NOT EXISTS (
            SELECT 1 FROM accounts_user u WHERE u.id = NEW.reviewed_by_id AND u.organisation_id = NEW.organisation_id)
    ) THEN
        PERFORM catalogue_refuse('export_reviewed_in_its_organisation', 'another officer of the organisation reviews');
    END IF;
    IF NEW.persons IS DISTINCT FROM OLD.persons AND NEW.persons IS DISTINCT FROM
       (SELECT count(*) FROM records_exporttarget t WHERE t.export_id = NEW.id) THEN
        PERFORM catalogue_refuse('export_counts_its_persons', 'the database counts the persons of an export');
    END IF;
    IF NEW.state = 'running' AND (NEW.persons IS NULL OR NEW.persons > 50 AND NEW.reviewed_by_id IS NULL) THEN
        PERFORM catalogue_refuse('export_of_many_is_reviewed', 'more than fifty persons need another officer');
    END IF;
    IF NEW.state IN ('ready', 'expired', 'refused', 'cancelled') AND NEW.state <> OLD.state THEN
        DELETE FROM records_exporttarget t WHERE t.export_id = NEW.id;  -- the list of people is needed no longer
    END IF;
    RETURN NEW;
END $$;
"""
DATA = """
ALTER TABLE catalogue_deadlinerule DISABLE TRIGGER deadlinerule_guard;
INSERT INTO catalogue_deadlinerule (code, version, what, n, unit, starts, owner, basis, source, confidence, strict, note,
    in_doubt, rolls, verified, valid_from, state, proposed_at, confirmed_at, withdrawn_reason) VALUES
('D46', 1, '复核批量查询、导出', 2, 'WD', '提请复核', 'ALL', '本站设定：批量查询由本单位另一名工作人员在两个工作日内复核',
 '时限总表（2026-11-23）补充：domain §7.3', 'D', 2, '逾期不视为同意', 'earlier', true, false, '2022-01-01', 'in_force',
 now(), now(), '')
ON CONFLICT (code, version) DO NOTHING;  -- kept from before, when clocks rest on it
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE catalogue_deadlinerule ENABLE TRIGGER deadlinerule_guard;
"""
DATA_UNDONE = """
ALTER TABLE catalogue_deadlinerule DISABLE TRIGGER deadlinerule_guard;
DELETE FROM catalogue_deadlinerule r WHERE code = 'D46'
   AND NOT EXISTS (SELECT 1 FROM catalogue_deadline d WHERE d.rule_id = r.id);
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE catalogue_deadlinerule ENABLE TRIGGER deadlinerule_guard;
"""


class Migration(migrations.Migration):
    dependencies = [("records", "0023_cases"), ("access", "0008_batches")]

    operations = [
        migrations.AddField(
            model_name="export",
            name="named",
            field=models.PositiveIntegerField(blank=True, null=True, verbose_name="名单人数"),
        ),
        migrations.CreateModel(
            name="ExportNumber",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "export_id", "ordinal", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("ordinal", models.IntegerField()),
                ("indexes", django.contrib.postgres.fields.ArrayField(base_field=models.BinaryField(), size=None)),
                (
                    "export",
                    models.ForeignKey(
                        db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE,
                        related_name="+", to="records.export",
                    ),
                ),
            ],
            options={"verbose_name": "名单中的号码", "verbose_name_plural": "名单中的号码", "default_permissions": ()},
        ),
        migrations.AddConstraint(
            model_name="export",
            constraint=models.CheckConstraint(
                condition=models.Q(named__isnull=True)
                | models.Q(own_only=False, record_ids__isnull=True, named__gte=1),
                name="export_names_persons_or_records",
            ),
        ),
        migrations.RunSQL(NAMED, NAMED_UNDONE),
        migrations.RunSQL(FUNCTIONS, FUNCTIONS_UNDONE),
        migrations.RunSQL(DATA, DATA_UNDONE),
    ]  # fmt: skip
