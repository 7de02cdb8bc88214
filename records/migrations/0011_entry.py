"""Typing records in the admin: a channel of its own. And what no way in may write, whoever has the application's password.

Each check is one statement over all rows written. The owner (migrations, `demo_scale`, the raw
COPY of the bench) is left alone: it could drop the triggers.
"""

from django.db import migrations, models

CHANNELS = [("page", "网页上传"), ("command", "命令行"), ("form", "表单录入")]
READING = r"""
CREATE FUNCTION records_is_written_by_the_owner() RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT session_user = pg_get_userbyid(relowner) FROM pg_class WHERE oid = 'records_record'::regclass
$$;

-- A document's number has a digit and is not one character over and over: 无, —— and 0000 stand for no document.
-- `records.intake.cells.is_document_number` says the same.
CREATE FUNCTION records_is_document_number(said text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT (said ~ '[0-9]' OR said ~ '[零〇一二三四五六七八九十]') AND translate(said, left(said, 1), '') <> ''
$$;

-- Which fields of an item version say what the rules ask for.
CREATE FUNCTION records_fields_that_rule(
    rules bigint, OUT act_end text, OUT stated text, OUT kind text, OUT mark text, OUT required text[]
) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT max(code) FILTER (WHERE binds = 'act_end'), max(code) FILTER (WHERE binds = 'severity'),
           max(code) FILTER (WHERE binds = 'kind'), max(code) FILTER (WHERE binds = 'public_mark'),
           coalesce(array_agg(code) FILTER (
               WHERE required AND NOT must_be_empty AND binds NOT IN ('person_name', 'id_number')), '{}')
      FROM catalogue_field WHERE item_version_id = rules
$$;

-- How grave a row may be at most: as the item says, else as the row states, else by its kind, else minor.
-- `Schema._judge` of records.intake.schema says the same.
CREATE FUNCTION records_gravest(rules bigint, said_severity text, said_kind text) RETURNS int
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT CASE WHEN v.severity_rule IN ('1', '2', '3') THEN v.severity_rule::int WHEN i.polarity <> 'N' THEN 0
                ELSE coalesce(
                    (SELECT nullif(max(c.code::int), 0) FROM catalogue_field f JOIN catalogue_codevalue c USING (code_set_id)
                      WHERE f.item_version_id = v.id AND f.binds = 'severity' AND c.label = said_severity),
                    (SELECT nullif(max(c.severity), 0) FROM catalogue_field f JOIN catalogue_codevalue c USING (code_set_id)
                      WHERE f.item_version_id = v.id AND f.binds = 'kind'
                        AND c.label = ANY (string_to_array(said_kind, '；'))), 1) END
      FROM catalogue_itemversion v JOIN catalogue_item i ON i.id = v.item_id WHERE v.id = rules
$$;

-- The longest publication of that severity in months, by the version that covers the document and the one in force.
CREATE FUNCTION records_public_months(versions bigint[], grave int) RETURNS int
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT min(max_months)::int FROM catalogue_publicationperiod WHERE item_version_id = ANY (versions) AND severity = grave
$$;
"""
VERSIONS = r"""
-- The text of a field as SQL over a version `f`: by its name in the item version that covers the document, or by the one in
-- force when the row was read.
CREATE FUNCTION records_said(code text, code_now text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN coalesce(code, code_now) IS NULL THEN '''''::text'
                WHEN code = code_now OR code_now IS NULL THEN format('coalesce(f.content ->> %L, '''')', code)
                ELSE format('coalesce(f.content ->> %L, f.content ->> %L, '''')', code, code_now) END
$$;

-- Whether a version `f` lacks something required, as SQL: looked up by name it costs a fifth of a path query. What begins
-- with a blank, narrow or wide, is no text that intake writes.
CREATE FUNCTION records_lacks(codes text[]) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce('(' || string_agg(format(
               'coalesce(ascii(f.content ->> %1$L), 0) = ANY (''{0,9,10,13,32,12288}'')', code), ' OR ') || ')', 'false')
      FROM unnest(codes) AS c(code)
$$;

-- What a version says keeps the rule of its item version: what is required is there, how grave, how long given and public.
CREATE FUNCTION records_version_keeps_the_rule() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE used record; broken text; old_ends date := records_old_regime_ends();
BEGIN
    IF records_is_written_by_the_owner() THEN
        RETURN NULL;
    END IF;
    FOR used IN
        SELECT v.id, cur.id AS cur, v.query_retention_months AS months, v.public_by_consent, i.polarity = 'N' AS negative,
               records_said(own.act_end, now.act_end) AS act_end, records_said(own.stated, now.stated) AS stated,
               records_said(own.kind, now.kind) AS kind, records_said(own.mark, now.mark) AS mark,
               coalesce(own.mark, now.mark) IS NOT NULL AS has_mark,
               records_lacks(own.required) || CASE WHEN own.required = now.required THEN ''
                                                   ELSE ' AND ' || records_lacks(now.required) END AS lacks
          FROM (SELECT DISTINCT item_version_id AS id FROM fresh WHERE deed IN (1, 2, 5)) d
          JOIN catalogue_itemversion v USING (id) JOIN catalogue_item i ON i.id = v.item_id,
               LATERAL (SELECT coalesce(max(c.id), v.id) AS id FROM catalogue_itemversion c
                         WHERE c.item_id = v.item_id AND c.id IN (SELECT catalogue_in_force(cf_today()))) cur,
               LATERAL records_fields_that_rule(v.id) own, LATERAL records_fields_that_rule(cur.id) now
    LOOP
        -- One look at each row, as the rows are wide; what costs more is asked once for all that say the same.
        EXECUTE format($q$
            SELECT max(coalesce(fault, CASE
                    WHEN severity > coalesce(greatest(records_gravest($1, stated, kind), records_gravest($2, stated, kind)), 0)
                    THEN 'recordversion_is_as_grave_as_it_says'
                    WHEN public_until > coalesce(records_favourable_end(
                        old_day, severity, records_public_months(ARRAY[$1, $2], severity)), old_day)
                    THEN 'recordversion_public_by_the_better_rule' END))
              FROM (SELECT stated, kind, severity, old_day, max(public_until) AS public_until, max(fault) AS fault FROM (
                SELECT %1$s AS stated, %2$s AS kind, severity, upper(publication) AS public_until,
                       CASE WHEN doc_date < $7 AND publication IS NOT NULL THEN doc_date END AS old_day, CASE
                    WHEN %5$s THEN 'recordversion_has_what_is_required'
                    WHEN doc_date > $8 THEN 'recordversion_rests_on_a_document_made'
                    WHEN $3 AND length(%3$s) = 10 AND (%3$s)::date > doc_date THEN 'recordversion_act_is_over_when_decided'
                    WHEN query_until > (CASE WHEN length(%3$s) <> 10 THEN doc_date WHEN $3 THEN (%3$s)::date
                                             ELSE greatest((%3$s)::date, doc_date) END + $4)::date
                    THEN 'recordversion_given_within_the_rule'
                    WHEN publication IS NOT NULL AND ($5 OR $6 AND %4$s <> '0') THEN 'recordversion_is_public_as_marked'
                    END AS fault
                  FROM fresh f WHERE item_version_id = $1 AND deed IN (1, 2, 5)) each
                GROUP BY stated, kind, severity, old_day) said
            $q$, used.stated, used.kind, used.act_end, used.mark, used.lacks
        ) INTO broken USING used.id, used.cur, used.negative, make_interval(months => used.months), used.public_by_consent,
                            used.has_mark, old_ends, cf_today();
        IF broken IS NOT NULL THEN
            PERFORM catalogue_refuse(broken, 'what a version says does not keep the rule of its item');
        END IF;
    END LOOP;
    RETURN NULL;
END $$;
CREATE TRIGGER recordversion_within_the_rule AFTER INSERT ON records_recordversion
    REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION records_version_keeps_the_rule();

-- A deed is what it is called: withdrawing and restoring say again what was said before, correcting is done by an act on an
-- item in force. Only these are left over by `recordversion_item_is_in_force`.
CREATE FUNCTION records_version_is_its_deed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE again bigint[]; corrected boolean;
BEGIN
    IF records_is_written_by_the_owner() THEN
        RETURN NULL;
    END IF;
    SELECT array_agg(record_id) FILTER (WHERE deed IN (3, 4)), bool_or(deed = 5) INTO again, corrected
      FROM fresh WHERE deed IN (3, 4, 5);
    IF again IS NOT NULL AND EXISTS (
        WITH before AS MATERIALIZED (
            SELECT * FROM records_recordversion WHERE record_id = ANY (again)
        )
        SELECT 1 FROM fresh f LEFT JOIN records_batch b ON b.id = f.batch_id AND b.state = 'withdrawing'
         WHERE f.deed IN (3, 4) AND (b.id IS NULL OR NOT EXISTS (
               SELECT 1 FROM before e WHERE e.record_id = f.record_id AND e.version IN (f.version - 1, f.version - 2)
                  AND (e.item_version_id, e.name, e.doc_date, e.severity, e.query_until, e.content_hash, e.content)
                    = (f.item_version_id, f.name, f.doc_date, f.severity, f.query_until, f.content_hash, f.content)
                  AND (f.publication IS NULL OR f.publication = e.publication)))
    ) THEN
        PERFORM catalogue_refuse('recordversion_says_again_what_was_said', 'only what was said before is restored');
    END IF;
    IF corrected AND EXISTS (
        SELECT 1 FROM fresh f JOIN records_record r ON r.id = f.record_id
          LEFT JOIN catalogue_standing s ON s.id = f.item_version_id AND s.item_id = r.item_id
               AND s.state IN ('published', 'in_force') AND s.effective @> f.doc_date AND s.collected_on @> f.doc_date
         WHERE f.deed = 5 AND (s.id IS NULL OR f.act_id IS NULL OR NOT EXISTS (
               SELECT 1 FROM catalogue_itemversion v WHERE v.item_id = r.item_id AND v.id IN (SELECT catalogue_in_force(cf_today()))))
    ) THEN
        PERFORM catalogue_refuse('recordversion_item_is_in_force', 'no catalogue item in force allows this correction');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER recordversion_is_its_deed AFTER INSERT ON records_recordversion
    REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION records_version_is_its_deed();
"""
RECORDS = """
-- A record says what its version says: whoever writes one without the other is refused when the statement ends. Outside a
-- delivery a period may get shorter than the version's (从旧兼从轻).
CREATE FUNCTION records_record_says_what_its_version_says() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE first bigint; last bigint; changed bigint[]; unnumbered boolean; alone boolean;
BEGIN
    IF records_is_written_by_the_owner() THEN
        RETURN NULL;
    END IF;
    IF TG_OP = 'INSERT' THEN
        SELECT min(id), max(id), bool_or(NOT records_is_document_number(doc_no)) INTO first, last, unnumbered FROM fresh;
        IF unnumbered THEN
            PERFORM catalogue_refuse('record_rests_on_a_document', 'this is no number of a document');
        END IF;
        -- New records have neighbouring numbers: their versions are read off a short stretch of the index. What such a
        -- version says is compared where the catalogue is asked about it (0015_fewer_looks).
        SELECT EXISTS (
            SELECT 1 FROM fresh r LEFT JOIN (
                SELECT record_id, version FROM records_recordversion WHERE record_id BETWEEN first AND last
            ) v ON v.record_id = r.id AND v.version = r.version WHERE v.record_id IS NULL) INTO alone;
    ELSE
        SELECT array_agg(r.id) INTO changed FROM fresh r JOIN was o USING (id)
         WHERE (r.version, r.doc_date, r.severity, r.content_hash) <> (o.version, o.doc_date, o.severity, o.content_hash)
            OR r.query_until > o.query_until OR r.publication IS NOT NULL AND (r.publication <@ o.publication) IS NOT TRUE;
        SELECT EXISTS (
            SELECT 1 FROM fresh r LEFT JOIN (
                SELECT * FROM records_recordversion WHERE record_id = ANY (changed)
            ) v ON v.record_id = r.id AND v.version = r.version
             WHERE r.id = ANY (changed) AND (v.record_id IS NULL OR (v.doc_date, v.severity, v.query_until, v.content_hash)
                                             <> (r.doc_date, r.severity, r.query_until, r.content_hash)
                OR v.publication IS DISTINCT FROM r.publication)) INTO alone;
    END IF;
    IF alone THEN
        PERFORM catalogue_refuse('record_says_what_its_version_says', 'a record is changed by a version of it');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER records_record_says_what_its_version_says_when_new AFTER INSERT ON records_record
    REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION records_record_says_what_its_version_says();
CREATE TRIGGER records_record_says_what_its_version_says_when_changed AFTER UPDATE ON records_record
    REFERENCING OLD TABLE AS was NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION records_record_says_what_its_version_says();
"""
UNDONE = """
DROP TRIGGER records_record_says_what_its_version_says_when_changed ON records_record;
DROP TRIGGER records_record_says_what_its_version_says_when_new ON records_record;
DROP TRIGGER recordversion_is_its_deed ON records_recordversion;
DROP TRIGGER recordversion_within_the_rule ON records_recordversion;
DROP FUNCTION records_record_says_what_its_version_says();
DROP FUNCTION records_version_is_its_deed();
DROP FUNCTION records_version_keeps_the_rule();
DROP FUNCTION records_said(text, text);
DROP FUNCTION records_lacks(text[]);
DROP FUNCTION records_public_months(bigint[], int);
DROP FUNCTION records_gravest(bigint, text, text);
DROP FUNCTION records_fields_that_rule(bigint);
DROP FUNCTION records_is_document_number(text);
DROP FUNCTION records_is_written_by_the_owner();
"""


class Migration(migrations.Migration):
    dependencies = [("records", "0010_list_exports_and_holds")]

    operations = [
        migrations.AlterField(
            "batch", "channel", models.CharField(choices=CHANNELS, max_length=8, verbose_name="渠道")
        ),
        migrations.RunSQL(READING + VERSIONS + RECORDS, UNDONE),
    ]
