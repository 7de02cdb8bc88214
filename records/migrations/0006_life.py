"""The life of a record: its states and arrows, acts outside batches, events, statements, disposal with proof."""

import django.contrib.postgres.fields.ranges
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

KEYS = """
-- The act that this transaction works under, if any.
CREATE FUNCTION records_act_at_work() RETURNS bigint LANGUAGE sql STABLE AS
    $$ SELECT nullif(current_setting('cf.act', true), '')::bigint $$;

-- The records of the act at work while it is open: beside a query line, the key to read them in any state.
CREATE FUNCTION records_of_act_at_work() RETURNS bigint[] LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT coalesce(array_agg(r.record_id), '{}') FROM records_actrecord r JOIN records_recordact a ON a.id = r.act_id
     WHERE a.id = records_act_at_work() AND a.state IN ('draft', 'asked', 'decided')
$$;

-- Whether others may be given a record today: in force, or its notice is over and the night has not come by yet.
CREATE FUNCTION records_is_in_use(state smallint, usable_from date, hidden_at timestamptz) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT (state = 1 OR state = 3 AND usable_from <= cf_today()) AND hidden_at IS NULL
$$;

-- The person reads what is held about them until its query period ends; others only what is in use.
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
CREATE POLICY record_read_by_the_act ON records_record FOR SELECT USING (
    id = ANY ((SELECT records_of_act_at_work())::bigint[]) AND EXISTS (
        SELECT 1 FROM access_queryperson q
         WHERE q.person_id = records_record.person_id AND q.at = transaction_timestamp()
           AND q.xid = pg_current_xact_id() AND q.allowed
           AND (q.items IS NULL OR records_record.item_id = ANY (q.items)))
);

CREATE OR REPLACE FUNCTION records_person_by_public_document(full_name text, document text) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT min(p.id) FROM records_record r JOIN accounts_person p ON p.id = r.person_id
     WHERE r.doc_no = document AND p.name = full_name
       AND records_is_in_use(r.state, r.usable_from, r.hidden_at)
       AND r.publication IS NOT NULL AND r.publication @> cf_today() AND r.query_until > cf_today()
       AND r.item_id <> ALL ((SELECT catalogue_withdrawn_items() || catalogue_withheld_items())::bigint[])
    HAVING count(DISTINCT p.id) = 1
$$;

CREATE OR REPLACE FUNCTION records_count_of_items(items bigint[])
RETURNS TABLE (item_id bigint, held bigint, shown bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT r.item_id, count(*), count(*) FILTER (
               WHERE r.publication @> cf_today() AND records_is_in_use(r.state, r.usable_from, r.hidden_at))
      FROM records_record r WHERE r.item_id = ANY (items) AND r.state IN (1, 3) AND r.query_until > cf_today()
     GROUP BY r.item_id
$$;
"""

ARROWS = """
-- A record's number: R, day of entry, ten digits, check character (ISO 7064 MOD 37,36). Record.number says the same.
CREATE FUNCTION records_number(record bigint, entered timestamptz) RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE alphabet CONSTANT text := '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ'; body text; product int := 36; total int;
BEGIN
    body := 'R' || to_char(entered AT TIME ZONE 'Asia/Shanghai', 'YYYYMMDD') || lpad(record::text, 10, '0');
    FOR at IN 1..length(body) LOOP
        total := (product + strpos(alphabet, substr(body, at, 1)) - 1) % 36;
        IF total = 0 THEN total := 36; END IF;
        product := total * 2 % 37;
    END LOOP;
    RETURN body || substr(alphabet, (37 - product) % 36 + 1, 1);
END $$;

-- The kind of the act that is being carried out in this transaction: nothing but its own function gets that far.
CREATE FUNCTION records_deed_at_work() RETURNS text LANGUAGE sql STABLE AS $$
    SELECT kind FROM records_recordact WHERE id = records_act_at_work() AND state = 'decided'
$$;

CREATE FUNCTION records_open_marks(
    record bigint, OUT objected_at timestamptz, OUT reviewed_at timestamptz, OUT hidden_at timestamptz
) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT min(a.done_at) FILTER (WHERE a.kind = 'objection'), min(a.done_at) FILTER (WHERE a.kind = 'review'),
           min(a.done_at) FILTER (WHERE a.hides)
      FROM records_actrecord r JOIN records_recordact a ON a.id = r.act_id
     WHERE r.record_id = record AND r.lifted_by_id IS NULL AND a.state = 'done' AND a.kind IN ('objection', 'review')
$$;

-- A record moves along declared arrows only (domain §4.2), each by the hand or the day that it needs.
CREATE FUNCTION records_record_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE deed text := records_deed_at_work(); batch text; marks record;
BEGIN
    IF (NEW.person_id, NEW.item_id, NEW.doc_no, NEW.decider_uscc, NEW.created_at)
       IS DISTINCT FROM (OLD.person_id, OLD.item_id, OLD.doc_no, OLD.decider_uscc, OLD.created_at) THEN
        PERFORM catalogue_refuse('record_is_about_its_document', 'person, item and document of a record never change');
    END IF;
    SELECT state INTO batch FROM records_batch WHERE id = records_batch_at_work();
    IF NEW.state <> OLD.state AND NOT coalesce(CASE
        WHEN OLD.state = 6 THEN false
        WHEN NEW.state = 6 THEN OLD.query_until <= cf_today() AND NEW.expired_on = cf_today()
        WHEN (OLD.state, NEW.state) = (3, 1) THEN OLD.usable_from <= cf_today() OR deed = 'restore'
        WHEN NEW.state = 2 THEN OLD.state IN (1, 3) AND (batch = 'withdrawing' OR deed = 'withdraw')
        WHEN NEW.state = 4 THEN OLD.state IN (1, 3) AND deed = 'cancel'
        WHEN NEW.state = 5 THEN OLD.state IN (1, 3) AND deed = 'repair'
        WHEN OLD.state = 2 THEN NEW.state IN (1, 3) AND (batch = 'committing' OR deed = 'restore')
        WHEN OLD.state IN (4, 5) THEN NEW.state IN (1, 3) AND deed = 'restore'
        ELSE false END, false) THEN
        PERFORM catalogue_refuse('record_moves_along_its_arrows',
            format('a record may not go from %s to %s this way', OLD.state, NEW.state));
    END IF;
    IF NEW.state = 1 AND OLD.state <> 1 AND NEW.usable_from > cf_today() THEN
        PERFORM catalogue_refuse('record_is_used_after_its_notice', 'the notice before use is not over');
    END IF;
    IF NEW.usable_from IS DISTINCT FROM OLD.usable_from AND NOT coalesce(batch = 'committing' AND OLD.state = 2, false) THEN
        PERFORM catalogue_refuse('record_notice_is_fixed', 'the day on which a notice ends is not moved');
    END IF;
    IF (NEW.objected_at, NEW.reviewed_at, NEW.hidden_at)
       IS DISTINCT FROM (OLD.objected_at, OLD.reviewed_at, OLD.hidden_at) THEN
        SELECT * INTO marks FROM records_open_marks(NEW.id);
        IF (NEW.objected_at, NEW.reviewed_at, NEW.hidden_at)
           IS DISTINCT FROM (marks.objected_at, marks.reviewed_at, marks.hidden_at) THEN
            PERFORM catalogue_refuse('record_marks_follow_the_acts', 'marks are what the open acts say');
        END IF;
    END IF;
    IF (NEW.publication, NEW.query_until) IS DISTINCT FROM (OLD.publication, OLD.query_until)
       AND NOT coalesce(batch IN ('committing', 'withdrawing') OR deed = 'correct'
            OR deed = 'periods' AND NEW.query_until <= OLD.query_until
               AND (NEW.publication IS NULL OR NEW.publication <@ OLD.publication), false) THEN
        PERFORM catalogue_refuse('record_periods_only_get_shorter', 'outside a delivery a period only gets shorter');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER record_guard BEFORE UPDATE ON records_record FOR EACH ROW WHEN (
    (OLD.state, OLD.person_id, OLD.item_id, OLD.doc_no, OLD.decider_uscc, OLD.created_at, OLD.usable_from, OLD.objected_at,
     OLD.reviewed_at, OLD.hidden_at, OLD.publication, OLD.query_until)
    IS DISTINCT FROM
    (NEW.state, NEW.person_id, NEW.item_id, NEW.doc_no, NEW.decider_uscc, NEW.created_at, NEW.usable_from, NEW.objected_at,
     NEW.reviewed_at, NEW.hidden_at, NEW.publication, NEW.query_until)
) EXECUTE FUNCTION records_record_guard();

-- A record is born in force, or waiting for the end of its notice; what the item asks is not left to the writer.
CREATE FUNCTION records_begin_as_the_item_says() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (
        SELECT 1 FROM fresh f JOIN records_record r ON r.id = f.record_id AND r.version = f.version
          JOIN catalogue_itemversion v ON v.id = f.item_version_id
         WHERE f.deed = 1 AND v.notice_mode = 'PRE' AND r.state <> 3
    ) THEN
        PERFORM catalogue_refuse('record_waits_for_its_notice', 'the item wants a notice before a record is used');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER recordversion_waits_for_its_notice AFTER INSERT ON records_recordversion
    REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION records_begin_as_the_item_says();

CREATE FUNCTION records_record_is_born() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM catalogue_refuse('record_is_born_in_force', 'a record begins in force or with its notice, unmarked');
    RETURN NULL;
END $$;
CREATE TRIGGER record_is_born BEFORE INSERT ON records_record FOR EACH ROW
    WHEN (NEW.state NOT IN (1, 3) OR NEW.objected_at IS NOT NULL OR NEW.reviewed_at IS NOT NULL
          OR NEW.hidden_at IS NOT NULL)
    EXECUTE FUNCTION records_record_is_born();

-- The line of every change of state, mark or period, in the statement that makes it: no path can skip it.
CREATE FUNCTION records_record_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE act records_recordact; batch records_batch;
BEGIN
    SELECT * INTO act FROM records_recordact WHERE id = records_act_at_work();
    SELECT * INTO batch FROM records_batch WHERE id = records_batch_at_work() AND state IN ('committing', 'withdrawing');
    INSERT INTO records_recordevent (record_id, kind, from_state, to_state, detail, act_id, batch_id, by_id)
    SELECT n.id,
           CASE WHEN n.state <> o.state THEN 1
                WHEN (n.objected_at, n.reviewed_at, n.hidden_at) IS DISTINCT FROM (o.objected_at, o.reviewed_at, o.hidden_at)
                THEN 2 ELSE 3 END,
           o.state, n.state,
           CASE WHEN n.state = o.state THEN jsonb_strip_nulls(jsonb_build_object(
               'objected_at', n.objected_at, 'reviewed_at', n.reviewed_at, 'hidden_at', n.hidden_at,
               'publication', CASE WHEN n.publication IS DISTINCT FROM o.publication
                                   THEN jsonb_build_array(o.publication, n.publication) END,
               'query_until', CASE WHEN n.query_until <> o.query_until
                                   THEN jsonb_build_array(o.query_until, n.query_until) END)) END,
           act.id, batch.id, coalesce(act.decided_by_id, batch.withdrawn_by_id, batch.committed_by_id)
      FROM fresh n JOIN was o ON o.id = n.id
     WHERE n.state <> o.state
        OR (n.objected_at, n.reviewed_at, n.hidden_at) IS DISTINCT FROM (o.objected_at, o.reviewed_at, o.hidden_at)
        OR n.version = o.version
           AND (n.publication, n.query_until) IS DISTINCT FROM (o.publication, o.query_until);
    RETURN NULL;
END $$;
CREATE TRIGGER record_changed AFTER UPDATE ON records_record
    REFERENCING OLD TABLE AS was NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION records_record_changed();
CREATE TRIGGER recordevent_append_only BEFORE UPDATE OR DELETE ON records_recordevent
    FOR EACH ROW EXECUTE FUNCTION cf_refuse_change();
CREATE TRIGGER recordevent_no_truncate BEFORE TRUNCATE ON records_recordevent EXECUTE FUNCTION cf_refuse_change();
"""

ACTS = """
-- An act moves along its arrows; what was asked stays what was asked; two people, unless it only protects.
CREATE FUNCTION records_act_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE here bigint;
BEGIN
    IF TG_OP = 'DELETE' THEN
        PERFORM catalogue_refuse('recordact_is_kept', 'acts are kept');
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'draft' OR NEW.decided_by_id IS NOT NULL THEN
            PERFORM catalogue_refuse('recordact_is_born_a_draft', 'an act begins as a draft');
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.state IN ('done', 'refused', 'dropped') THEN
        PERFORM catalogue_refuse('recordact_is_over', 'what is over is not changed');
    END IF;
    IF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (
        ('draft', 'asked'), ('draft', 'dropped'), ('asked', 'decided'), ('asked', 'refused'), ('asked', 'dropped'),
        ('decided', 'done')
    ) THEN
        PERFORM catalogue_refuse('recordact_moves_along_its_arrows',
            format('an act may not go from %s to %s', OLD.state, NEW.state));
    END IF;
    IF to_jsonb(NEW) - '{state,decided_by_id,decided_at,decision_note,done_at}'::text[]
       IS DISTINCT FROM to_jsonb(OLD) - '{state,decided_by_id,decided_at,decision_note,done_at}'::text[] THEN
        PERFORM catalogue_refuse('recordact_is_what_was_asked', 'what was asked is not rewritten');
    END IF;
    IF OLD.decided_at IS NOT NULL
       AND (NEW.decided_by_id, NEW.decided_at, NEW.decision_note)
           IS DISTINCT FROM (OLD.decided_by_id, OLD.decided_at, OLD.decision_note) THEN
        PERFORM catalogue_refuse('recordact_is_decided_once', 'a decision is not rewritten');
    END IF;
    IF NEW.state = 'asked' AND OLD.state = 'draft' AND NOT EXISTS (SELECT 1 FROM records_actrecord WHERE act_id = NEW.id) THEN
        PERFORM catalogue_refuse('recordact_names_its_records', 'an act is about a record');
    END IF;
    IF NEW.state = 'decided' AND OLD.state = 'asked' AND NEW.kind IN ('correct', 'withdraw', 'cancel', 'restore') THEN
        SELECT organisation_id INTO here FROM accounts_user WHERE id = NEW.decided_by_id;
        IF here IS DISTINCT FROM NEW.organisation_id THEN
            PERFORM catalogue_refuse('recordact_decided_in_its_organisation', 'who supplied a record decides about it');
        END IF;
    END IF;
    IF NEW.state = 'done' AND (records_act_at_work() IS DISTINCT FROM NEW.id
       OR current_user <> (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID)) THEN
        PERFORM catalogue_refuse('recordact_is_done_by_doing_it', 'an act is done when its records are');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER recordact_guard BEFORE INSERT OR UPDATE OR DELETE ON records_recordact
    FOR EACH ROW EXECUTE FUNCTION records_act_guard();

-- Name records by their numbers in a draft: only those that the act's organisation supplied. Returns how many.
CREATE FUNCTION records_name_in_act(act bigint, numbers text[]) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE n int;
BEGIN
    IF NOT EXISTS (SELECT 1 FROM records_recordact WHERE id = act AND state = 'draft') THEN
        PERFORM catalogue_refuse('recordact_names_its_records', 'records are named in a draft');
    END IF;
    INSERT INTO records_actrecord (act_id, record_id, record_no)
    SELECT a.id, r.id, w.number
      FROM records_recordact a, unnest(numbers) AS w(number)
      JOIN records_record r ON r.id = CASE WHEN w.number ~ '^R[0-9]{18}[0-9A-Z]$' THEN substr(w.number, 10, 10)::bigint END
     WHERE a.id = act AND r.provider_id = a.organisation_id AND r.state <> 6
       AND records_number(r.id, r.created_at) = w.number
     ORDER BY r.id;
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN n;
END $$;

-- Whom and what a record that an act names is about: what the query line must say before anything is read.
CREATE FUNCTION records_subject_of(act bigint) RETURNS TABLE (record_id bigint, person_id bigint, item_id bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT r.id, r.person_id, r.item_id FROM records_actrecord x JOIN records_record r ON r.id = x.record_id
     WHERE x.act_id = act ORDER BY r.id
$$;

-- What a correction would say is read with its record, and written while the act is a draft.
ALTER TABLE records_actcontent ENABLE ROW LEVEL SECURITY;
CREATE POLICY actcontent_read_with_its_record ON records_actcontent FOR SELECT
    USING (EXISTS (SELECT 1 FROM records_record r WHERE r.id = record_id));
CREATE POLICY actcontent_written_in_the_draft ON records_actcontent FOR ALL
    USING (act_id = (SELECT records_act_at_work()) AND record_id = ANY ((SELECT records_of_act_at_work())::bigint[])
           AND EXISTS (SELECT 1 FROM records_recordact a WHERE a.id = act_id AND a.state = 'draft'))
    WITH CHECK (act_id = (SELECT records_act_at_work()) AND record_id = ANY ((SELECT records_of_act_at_work())::bigint[])
           AND EXISTS (SELECT 1 FROM records_recordact a WHERE a.id = act_id AND a.state = 'draft'));

-- The first day on which a decision is judged by the new order alone (从旧兼从轻): the day the new order begins.
CREATE FUNCTION records_old_regime_ends() RETURNS date LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT max(upper(decided)) FROM records_legacyperiod
$$;

-- The longest publication of a decision: under the order in force now, and, if it is older, under the old one as well;
-- the shorter stands. NULL: not public at all.
CREATE FUNCTION records_favourable_end(decided_on date, grave int, months_now int) RETURNS date LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT CASE WHEN least(months_now, old.months) > 0
                THEN (decided_on + make_interval(months => least(months_now, old.months)))::date END
      FROM (SELECT min(p.max_months) AS months FROM records_legacyperiod p
             WHERE p.severity = grave AND p.decided @> decided_on) old
$$;

-- Records decided under an earlier order that are public for longer than either order allows: numbers, by supplier.
CREATE FUNCTION records_too_long_public(among bigint[] DEFAULT NULL) RETURNS TABLE (provider_id bigint, record_id bigint, ends date)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH now_in_force AS MATERIALIZED (
        SELECT v.item_id, p.severity, p.max_months FROM catalogue_itemversion v
          JOIN catalogue_publicationperiod p ON p.item_version_id = v.id
         WHERE v.id IN (SELECT catalogue_in_force(cf_today()))
    )
    SELECT r.provider_id, r.id, e.ends
      FROM records_record r
      JOIN now_in_force n ON n.item_id = r.item_id AND n.severity = r.severity,
           LATERAL (SELECT records_favourable_end(r.doc_date, r.severity, n.max_months) AS ends) e
     WHERE (among IS NULL OR r.id = ANY (among)) AND r.doc_date < (SELECT records_old_regime_ends())
       AND r.publication IS NOT NULL AND r.state IN (1, 3)
       AND upper(r.publication) > coalesce(e.ends, lower(r.publication))
     ORDER BY r.provider_id, r.id
$$;

CREATE FUNCTION records_numbers_of(ids bigint[]) RETURNS SETOF text LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT records_number(id, created_at) FROM records_record WHERE id = ANY (ids) ORDER BY id
$$;

-- Carry out a decided act on its records: all or none. The only hand that changes records outside a batch.
CREATE FUNCTION records_carry_out(act bigint) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE a records_recordact; ids bigint[]; n int;
BEGIN
    SELECT * INTO a FROM records_recordact WHERE id = act FOR UPDATE;
    IF a.state IS DISTINCT FROM 'decided' THEN
        PERFORM catalogue_refuse('recordact_is_decided_first', 'nothing is done that was not decided');
    END IF;
    PERFORM set_config('cf.act', act::text, true), set_config('cf.batch', '', true);
    SELECT array_agg(record_id) INTO ids FROM records_actrecord WHERE act_id = act;
    PERFORM 1 FROM records_record WHERE id = ANY (ids) ORDER BY id FOR UPDATE;
    n := cardinality(ids);
    IF a.kind = 'withdraw' THEN
        UPDATE records_record SET state = 2 WHERE id = ANY (ids) AND state IN (1, 3);
        GET DIAGNOSTICS n = ROW_COUNT;
    ELSIF a.kind = 'cancel' THEN
        UPDATE records_record SET state = 4 WHERE id = ANY (ids) AND state IN (1, 3);
        GET DIAGNOSTICS n = ROW_COUNT;
    ELSIF a.kind = 'repair' THEN
        UPDATE records_record SET state = 5 WHERE id = ANY (ids) AND state IN (1, 3);
        GET DIAGNOSTICS n = ROW_COUNT;
    ELSIF a.kind = 'restore' THEN
        UPDATE records_record SET state = CASE WHEN usable_from > cf_today() THEN 3 ELSE 1 END
         WHERE id = ANY (ids) AND state IN (2, 4, 5);
        GET DIAGNOSTICS n = ROW_COUNT;
    ELSIF a.kind = 'correct' THEN
        INSERT INTO records_recordversion (record_id, version, deed, item_version_id, act_id, name, doc_date, severity,
                                           publication, query_until, content, content_hash, by_id)
        SELECT r.id, r.version + 1, 5, c.item_version_id, act, c.name, c.doc_date, c.severity, c.publication,
               c.query_until, c.content, c.content_hash, a.decided_by_id
          FROM records_actcontent c JOIN records_record r ON r.id = c.record_id
          JOIN catalogue_itemversion v ON v.id = c.item_version_id AND v.item_id = r.item_id
         WHERE c.act_id = act AND r.id = ANY (ids) AND r.state IN (1, 3);
        UPDATE records_record r SET version = r.version + 1, doc_date = c.doc_date, severity = c.severity,
               publication = c.publication, query_until = c.query_until, content_hash = c.content_hash
          FROM records_actcontent c WHERE c.act_id = act AND c.record_id = r.id AND r.state IN (1, 3);
        GET DIAGNOSTICS n = ROW_COUNT;
    ELSIF a.kind = 'periods' THEN
        UPDATE records_record r SET publication = CASE WHEN t.ends > lower(r.publication)
                                                       THEN daterange(lower(r.publication), t.ends) END
          FROM records_too_long_public(ids) t WHERE t.record_id = r.id;
    END IF;
    IF n IS DISTINCT FROM cardinality(ids) THEN
        PERFORM catalogue_refuse('recordact_fits_its_records', 'the state of a record does not allow this act');
    END IF;
    IF a.kind IN ('objection_end', 'review_end') THEN
        UPDATE records_actrecord SET lifted_by_id = act
         WHERE act_id = a.marks_id AND record_id = ANY (ids) AND lifted_by_id IS NULL;
        GET DIAGNOSTICS n = ROW_COUNT;
        IF n <> cardinality(ids) OR a.kind <> (SELECT m.kind || '_end' FROM records_recordact m WHERE m.id = a.marks_id) THEN
            PERFORM catalogue_refuse('recordact_lifts_the_mark_it_names', 'no such mark stands on these records');
        END IF;
    END IF;
    UPDATE records_recordact SET state = 'done', done_at = now() WHERE id = act;
    IF a.kind IN ('objection', 'review', 'objection_end', 'review_end') THEN
        UPDATE records_record r SET objected_at = m.objected_at, reviewed_at = m.reviewed_at, hidden_at = m.hidden_at
          FROM unnest(ids) AS i(id), LATERAL records_open_marks(i.id) m WHERE r.id = i.id;
    END IF;
    RETURN n;
END $$;

-- The person's words stand beside the record: read with it, ended never deleted.
ALTER TABLE records_statement ENABLE ROW LEVEL SECURITY;
CREATE POLICY statement_read_with_its_record ON records_statement FOR SELECT
    USING (EXISTS (SELECT 1 FROM records_record r WHERE r.id = record_id));
CREATE POLICY statement_made_by_the_person ON records_statement FOR INSERT
    WITH CHECK (EXISTS (SELECT 1 FROM records_record r JOIN access_queryperson q ON q.person_id = r.person_id
        WHERE r.id = record_id AND r.person_id = records_statement.person_id AND q.kind = 'Q1' AND q.allowed
          AND q.at = transaction_timestamp() AND q.xid = pg_current_xact_id()));
CREATE POLICY statement_ended_with_its_record ON records_statement FOR UPDATE
    USING (EXISTS (SELECT 1 FROM records_record r WHERE r.id = record_id));
CREATE FUNCTION records_statement_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.ended_at IS NOT NULL OR to_jsonb(NEW) - 'ended_at' IS DISTINCT FROM to_jsonb(OLD) - 'ended_at' THEN
        PERFORM catalogue_refuse('statement_is_kept', 'a statement is ended, never rewritten');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER statement_guard BEFORE UPDATE ON records_statement
    FOR EACH ROW EXECUTE FUNCTION records_statement_guard();
"""

ENDS = """
-- The last day of expiry whose records are disposed of today (D36), and whether a record is among them.
CREATE FUNCTION records_disposal_day() RETURNS date LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$ SELECT cf_today() - catalogue_deadline_n('D36', cf_today()) $$;

-- What is disputed is not deleted under the dispute.
CREATE FUNCTION records_is_spent(
    state smallint, expired_on date, objected_at timestamptz, reviewed_at timestamptz, day date
) RETURNS boolean LANGUAGE sql IMMUTABLE AS
    $$ SELECT state = 6 AND expired_on <= day AND objected_at IS NULL AND reviewed_at IS NULL $$;

-- What the night has to do, found in one pass: numbers only.
CREATE FUNCTION records_due(what text) RETURNS SETOF bigint LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT id FROM records_record WHERE what = 'begin' AND state = 3 AND usable_from <= cf_today()
    UNION ALL
    SELECT id FROM records_record WHERE what = 'expire' AND state <> 6 AND query_until <= cf_today()
    UNION ALL
    SELECT id FROM records_record WHERE what = 'dispose'
       AND records_is_spent(state, expired_on, objected_at, reviewed_at, (SELECT records_disposal_day()))
$$;

CREATE FUNCTION records_begin_use(ids bigint[]) RETURNS int LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE n int;
BEGIN
    WITH due AS MATERIALIZED (
        SELECT id FROM records_record WHERE id = ANY (ids) AND state = 3 AND usable_from <= cf_today()
           AND query_until > cf_today() FOR UPDATE SKIP LOCKED
    )
    UPDATE records_record r SET state = 1 FROM due WHERE r.id = due.id;
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN n;
END $$;

CREATE FUNCTION records_expire(ids bigint[]) RETURNS int LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE n int;
BEGIN
    WITH due AS MATERIALIZED (
        SELECT id FROM records_record WHERE id = ANY (ids) AND state <> 6 AND query_until <= cf_today()
           FOR UPDATE SKIP LOCKED
    )
    UPDATE records_record r SET state = 6, expired_on = cf_today() FROM due WHERE r.id = due.id;
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN n;
END $$;

-- What would be deleted, as a digest of every version and statement: the application keys it for the proof.
CREATE FUNCTION records_to_dispose(ids bigint[]) RETURNS TABLE (record bigint, digest bytea) LANGUAGE sql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH due AS MATERIALIZED (
        SELECT id, doc_no, decider_uscc, created_at FROM records_record
         WHERE id = ANY (ids) AND records_is_spent(state, expired_on, objected_at, reviewed_at,
                                                   (SELECT records_disposal_day())) FOR UPDATE SKIP LOCKED
    )
    SELECT d.id, sha256(convert_to(records_number(d.id, d.created_at) || E'\\n' || d.doc_no || E'\\n' || d.decider_uscc
               || E'\\n' || (SELECT string_agg(row_to_json(v)::text, E'\\n' ORDER BY v.version)
                              FROM records_recordversion v WHERE v.record_id = d.id)
               || coalesce(E'\\n' || (SELECT string_agg(row_to_json(s)::text, E'\\n' ORDER BY s.id)
                              FROM records_statement s WHERE s.record_id = d.id), ''), 'UTF8'))
      FROM due d
$$;

-- Delete, anonymise or archive what is due, with a line of proof each; returns the batches that lost records.
CREATE FUNCTION records_dispose(ids bigint[], proofs bytea[], key smallint) RETURNS SETOF bigint LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE gone bigint[]; touched bigint[];
BEGIN
    SELECT array_agg(id) INTO gone FROM (
        SELECT id FROM records_record
         WHERE id = ANY (ids) AND records_is_spent(state, expired_on, objected_at, reviewed_at,
                                                   (SELECT records_disposal_day())) FOR UPDATE SKIP LOCKED
    ) due;
    IF gone IS NULL THEN
        RETURN;
    END IF;
    INSERT INTO records_disposal (record_no, item_id, rule, basis, expired_on, disposed_on, versions, statements,
                                  contents, key_id, proof)
    SELECT records_number(r.id, r.created_at), r.item_id, v.storage_rule,
           format('%s 第%s版（查询期 %s 个月）；个人信息保护法第四十七条', i.code, v.version, v.query_retention_months),
           r.expired_on, cf_today(),
           (SELECT count(*) FROM records_recordversion x WHERE x.record_id = r.id),
           (SELECT count(*) FROM records_statement x WHERE x.record_id = r.id),
           (SELECT count(*) FROM records_actcontent x WHERE x.record_id = r.id), key, p.proof
      FROM unnest(ids, proofs) AS p(id, proof)
      JOIN records_record r ON r.id = p.id AND r.id = ANY (gone)
      JOIN records_recordversion c ON c.record_id = r.id AND c.version = r.version
      JOIN catalogue_itemversion v ON v.id = c.item_version_id JOIN catalogue_item i ON i.id = r.item_id
     ORDER BY r.id;
    INSERT INTO records_anonymouscount AS a (item_id, year, severity, records)
    SELECT r.item_id, extract(year FROM r.doc_date), r.severity, count(*)
      FROM records_record r JOIN records_recordversion c ON c.record_id = r.id AND c.version = r.version
      JOIN catalogue_itemversion v ON v.id = c.item_version_id
     WHERE r.id = ANY (gone) AND v.storage_rule = 'ANON' GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    ON CONFLICT (item_id, year, severity) DO UPDATE SET records = a.records + excluded.records;
    INSERT INTO records_archivedrecord (record_no, item_id, archived_on, content)
    SELECT records_number(r.id, r.created_at), r.item_id, cf_today(), jsonb_build_object(
               'person', r.person_id, 'doc_no', r.doc_no, 'decider', r.decider_uscc,
               'versions', (SELECT jsonb_agg(to_jsonb(x) - 'content_hash' ORDER BY x.version)
                              FROM records_recordversion x WHERE x.record_id = r.id),
               'statements', (SELECT jsonb_agg(jsonb_build_object('text', s.text, 'made_at', s.made_at) ORDER BY s.id)
                                FROM records_statement s WHERE s.record_id = r.id))
      FROM records_record r JOIN records_recordversion c ON c.record_id = r.id AND c.version = r.version
      JOIN catalogue_itemversion v ON v.id = c.item_version_id
     WHERE r.id = ANY (gone) AND v.storage_rule = 'ARC';
    PERFORM set_config('cf.disposing', 'on', true);
    DELETE FROM records_batchrow b USING records_recordversion v
     WHERE v.record_id = ANY (gone) AND b.batch_id = v.batch_id AND b.row_no = v.row_no;
    DELETE FROM records_actcontent WHERE record_id = ANY (gone);
    DELETE FROM records_statement WHERE record_id = ANY (gone);
    SELECT array_agg(DISTINCT batch_id) INTO touched FROM records_recordversion
     WHERE record_id = ANY (gone) AND batch_id IS NOT NULL;
    DELETE FROM records_recordversion WHERE record_id = ANY (gone);
    DELETE FROM records_record WHERE id = ANY (gone);
    PERFORM set_config('cf.disposing', '', true);
    RETURN QUERY SELECT unnest(touched);
END $$;

-- Versions are append-only, but for the disposal function, which is the owner's.
CREATE FUNCTION records_version_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('cf.disposing', true) = 'on'
       AND current_user = (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;
DROP TRIGGER recordversion_append_only ON records_recordversion;
CREATE TRIGGER recordversion_append_only BEFORE UPDATE OR DELETE ON records_recordversion
    FOR EACH ROW EXECUTE FUNCTION records_version_is_kept();

-- Sealed files in which nothing is left that is still held: every batch of theirs is over and has no version left.
CREATE FUNCTION records_spent_files(batches bigint[]) RETURNS SETOF bigint LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT DISTINCT b.file_id FROM records_batch b JOIN records_sealedfile f ON f.id = b.file_id
     WHERE b.id = ANY (batches) AND f.destroyed_at IS NULL AND NOT EXISTS (
        SELECT 1 FROM records_batch o WHERE o.file_id = b.file_id AND (
            o.state NOT IN ('committed', 'withdrawn', 'refused', 'cancelled')
            OR EXISTS (SELECT 1 FROM records_recordversion v WHERE v.batch_id = o.id)))
$$;

CREATE TRIGGER disposal_append_only BEFORE UPDATE OR DELETE ON records_disposal
    FOR EACH ROW EXECUTE FUNCTION cf_refuse_change();
CREATE TRIGGER disposal_no_truncate BEFORE TRUNCATE ON records_disposal EXECUTE FUNCTION cf_refuse_change();
ALTER TABLE records_archivedrecord ENABLE ROW LEVEL SECURITY;
"""

DATA = """
ALTER TABLE catalogue_deadlinerule DISABLE TRIGGER deadlinerule_guard;
INSERT INTO catalogue_deadlinerule (code, version, what, n, unit, starts, owner, basis, source, confidence, strict, note,
    in_doubt, rolls, verified, valid_from, state, proposed_at, confirmed_at, withdrawn_reason) VALUES
('D36', 1, '记录到期后处理', 30, 'ND', '查询披露期限届满', 'PLATFORM', '《个人信息保护法》第四十七条；天数为本站设定',
 '时限总表（2026-11-23）补充：domain §4.2 L15', 'D', 30, '到期即不再提供；满 30 日删除、匿名化或转档案', 'earlier', false, false, '2021-11-01',
 'in_force', now(), now(), ''),
('D37', 1, '信源单位发现错误后更正', 3, 'WD', '发现错误', 'PROVIDER', '人力资源和社会保障部令第45号第十二条（及时更正）；天数为本站设定',
 '时限总表（2026-11-23）补充：domain §4.2 L9', 'D', 3, '', 'earlier', true, false, '2022-01-01', 'in_force', now(), now(), '');
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE catalogue_deadlinerule ENABLE TRIGGER deadlinerule_guard;

INSERT INTO records_legacyperiod (instrument, severity, decided, min_months, max_months, basis, confidence) VALUES
('FGW58', 1, '[2023-05-01,2026-04-01)', 0, 0, '令第58号：简易程序、警告、通报批评不予公示（条文序号待核对）', 'M'),
('FGW58', 2, '[2023-05-01,2026-04-01)', 3, 36, '令第58号公示期条款：最短三个月、最长三年（条文序号待核对）', 'M'),
('FGW58', 3, '[2023-05-01,2026-04-01)', 12, 36, '令第58号公示期条款：食品、药品、特种设备、安全生产、消防领域最短一年（条文序号待核对）', 'M');
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_common"),
        ("catalogue", "0009_supply"),
        ("records", "0005_soundness"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ActContent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.TextField(verbose_name="文书所载姓名")),
                ("doc_date", models.DateField(verbose_name="认定日期")),
                ("severity", models.SmallIntegerField(verbose_name="失信程度")),
                ("publication", django.contrib.postgres.fields.ranges.DateRangeField(null=True, verbose_name="公示期")),
                ("query_until", models.DateField(verbose_name="查询期至")),
                ("content", models.JSONField(verbose_name="内容")),
                ("content_hash", models.BinaryField()),
            ],
            options={
                "verbose_name": "更正内容",
                "verbose_name_plural": "更正内容",
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="ActRecord",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("record_no", models.CharField(max_length=24, verbose_name="记录编号")),
            ],
            options={
                "verbose_name": "办理单所涉记录",
                "verbose_name_plural": "办理单所涉记录",
                "db_table_comment": "append-only, written by the database: numbers only, outlives the record",
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="AnonymousCount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("year", models.SmallIntegerField(verbose_name="认定年度")),
                (
                    "severity",
                    models.SmallIntegerField(
                        choices=[(0, "不适用"), (1, "轻微"), (2, "一般"), (3, "严重")], verbose_name="失信程度"
                    ),
                ),
                ("records", models.PositiveIntegerField(verbose_name="条数")),
            ],
            options={
                "verbose_name": "匿名统计",
                "verbose_name_plural": "匿名统计",
                "db_table_comment": "append-only, written by the database: added to by its own function",
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="ArchivedRecord",
            fields=[
                (
                    "record_no",
                    models.CharField(max_length=24, primary_key=True, serialize=False, verbose_name="记录编号"),
                ),
                ("archived_on", models.DateField(verbose_name="归档日")),
                ("content", models.JSONField(verbose_name="档案内容")),
            ],
            options={
                "verbose_name": "档案",
                "verbose_name_plural": "档案",
                "db_table_comment": "append-only, written by the database: read by the archive's owner alone",
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="Disposal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("record_no", models.CharField(max_length=24, unique=True, verbose_name="记录编号")),
                (
                    "rule",
                    models.CharField(
                        choices=[("DEL", "到期删除"), ("ANON", "到期匿名化"), ("ARC", "转档案（隔离）")],
                        max_length=4,
                        verbose_name="到期处理",
                    ),
                ),
                ("basis", models.CharField(max_length=120, verbose_name="依据")),
                ("expired_on", models.DateField(verbose_name="到期日")),
                ("disposed_on", models.DateField(verbose_name="处理日")),
                ("versions", models.PositiveIntegerField(verbose_name="删除的版本数")),
                ("statements", models.PositiveIntegerField(verbose_name="删除的声明数")),
                ("contents", models.PositiveIntegerField(verbose_name="删除的更正内容数")),
                ("key_id", models.SmallIntegerField(verbose_name="密钥编号")),
                ("proof", models.BinaryField(verbose_name="删除内容的带密钥摘要")),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="时间")),
            ],
            options={
                "verbose_name": "删除证明",
                "verbose_name_plural": "删除证明",
                "db_table_comment": "append-only, written by the database: proof of deletion, no personal data",
                "ordering": ["-id"],
                "default_permissions": ("view",),
            },
        ),
        migrations.CreateModel(
            name="LegacyPeriod",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("instrument", models.CharField(max_length=20, verbose_name="文件代码")),
                (
                    "severity",
                    models.PositiveSmallIntegerField(
                        choices=[(0, "不适用"), (1, "轻微"), (2, "一般"), (3, "严重")], verbose_name="失信程度"
                    ),
                ),
                ("decided", django.contrib.postgres.fields.ranges.DateRangeField(verbose_name="认定日期")),
                ("min_months", models.PositiveSmallIntegerField(verbose_name="最短公示期（月）")),
                ("max_months", models.PositiveSmallIntegerField(verbose_name="最长公示期（月）")),
                ("basis", models.CharField(max_length=200, verbose_name="依据")),
                ("confidence", models.CharField(default="M", max_length=1, verbose_name="核实程度")),
            ],
            options={
                "verbose_name": "旧规公示期",
                "verbose_name_plural": "旧规公示期",
                "db_table_comment": "append-only, written by the database: the periods of earlier regimes",
                "ordering": ["instrument", "severity"],
                "default_permissions": ("view",),
            },
        ),
        migrations.CreateModel(
            name="RecordAct",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("correct", "更正"),
                            ("withdraw", "撤回"),
                            ("cancel", "撤销（文书被撤销、变更或确认无效）"),
                            ("restore", "恢复"),
                            ("repair", "信用修复"),
                            ("objection", "加注异议标记"),
                            ("objection_end", "解除异议标记"),
                            ("review", "加注复议、诉讼标记"),
                            ("review_end", "解除复议、诉讼标记"),
                            ("periods", "公示期从旧兼从轻"),
                        ],
                        max_length=14,
                        verbose_name="事项",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("draft", "填写中"),
                            ("asked", "待审核"),
                            ("decided", "已同意"),
                            ("refused", "未同意"),
                            ("dropped", "已撤销申请"),
                            ("done", "已办结"),
                        ],
                        default="draft",
                        max_length=8,
                        verbose_name="状态",
                    ),
                ),
                ("reason", models.CharField(max_length=300, verbose_name="理由")),
                ("document_no", models.CharField(blank=True, max_length=100, verbose_name="依据文书号")),
                ("document_date", models.DateField(blank=True, null=True, verbose_name="文书日期")),
                (
                    "hides",
                    models.BooleanField(
                        default=False,
                        help_text="认错人、超过期限、应当封存的异议，核查期间除本人外不再提供",
                        verbose_name="核查期间暂停提供",
                    ),
                ),
                (
                    "asked_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="申请时间"),
                ),
                ("decided_at", models.DateTimeField(null=True, verbose_name="审核时间")),
                ("decision_note", models.CharField(blank=True, max_length=300, verbose_name="审核意见")),
                ("done_at", models.DateTimeField(null=True, verbose_name="办结时间")),
            ],
            options={
                "verbose_name": "办理单",
                "verbose_name_plural": "办理单",
                "db_table_comment": "kept: what was asked, decided and done to records outside batches",
                "ordering": ["-id"],
                "permissions": [("ask_act", "申请更正、撤回、撤销等"), ("decide_act", "审核更正、撤回、撤销等")],
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="RecordEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.SmallIntegerField(choices=[(1, "状态"), (2, "标记"), (3, "期限")], verbose_name="种类"),
                ),
                (
                    "from_state",
                    models.SmallIntegerField(
                        choices=[
                            (1, "有效"),
                            (2, "已撤回"),
                            (3, "告知中"),
                            (4, "已撤销"),
                            (5, "已修复"),
                            (6, "已到期"),
                        ],
                        verbose_name="原状态",
                    ),
                ),
                (
                    "to_state",
                    models.SmallIntegerField(
                        choices=[
                            (1, "有效"),
                            (2, "已撤回"),
                            (3, "告知中"),
                            (4, "已撤销"),
                            (5, "已修复"),
                            (6, "已到期"),
                        ],
                        verbose_name="新状态",
                    ),
                ),
                ("detail", models.JSONField(null=True, verbose_name="变化")),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="时间")),
            ],
            options={
                "verbose_name": "记录变更",
                "verbose_name_plural": "记录变更",
                "db_table_comment": "append-only, written by the database: every change of state, mark or period of a record",
                "ordering": ["record", "id"],
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="Statement",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("text", models.CharField(max_length=500, verbose_name="声明")),
                (
                    "made_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="作出时间"),
                ),
                ("ended_at", models.DateTimeField(null=True, verbose_name="结束时间")),
            ],
            options={
                "verbose_name": "个人声明",
                "verbose_name_plural": "个人声明",
                "db_table_comment": "kept: what the person said beside a record, until the record itself goes",
                "ordering": ["-id"],
                "default_permissions": (),
            },
        ),
        migrations.AddField(
            model_name="record",
            name="expired_on",
            field=models.DateField(null=True, verbose_name="到期日"),
        ),
        migrations.AddField(
            model_name="record",
            name="hidden_at",
            field=models.DateTimeField(null=True, verbose_name="核查期间暂停提供"),
        ),
        migrations.AddField(
            model_name="record",
            name="objected_at",
            field=models.DateTimeField(null=True, verbose_name="存在异议"),
        ),
        migrations.AddField(
            model_name="record",
            name="reviewed_at",
            field=models.DateTimeField(null=True, verbose_name="复议、诉讼中"),
        ),
        migrations.AddField(
            model_name="record",
            name="usable_from",
            field=models.DateField(
                help_text="报送前告知的条目：自这一天起才提供给他人", null=True, verbose_name="告知期满"
            ),
        ),
        migrations.AddField(
            model_name="sealedfile",
            name="destroyed_at",
            field=models.DateTimeField(
                help_text="其中的记录都已到期处理，文件随之销毁", null=True, verbose_name="销毁时间"
            ),
        ),
        migrations.AlterField(
            model_name="record",
            name="state",
            field=models.SmallIntegerField(
                choices=[(1, "有效"), (2, "已撤回"), (3, "告知中"), (4, "已撤销"), (5, "已修复"), (6, "已到期")],
                default=1,
                verbose_name="状态",
            ),
        ),
        migrations.AlterField(
            model_name="recordversion",
            name="batch",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="versions",
                to="records.batch",
                verbose_name="批次",
            ),
        ),
        migrations.AlterField(
            model_name="recordversion",
            name="deed",
            field=models.SmallIntegerField(
                choices=[(1, "新增"), (2, "变更"), (3, "撤回"), (4, "恢复"), (5, "更正")], verbose_name="变更类型"
            ),
        ),
        migrations.AddIndex(
            model_name="record",
            index=models.Index(condition=models.Q(("state", 3)), fields=["usable_from"], name="record_notice_ends"),
        ),
        migrations.AddIndex(
            model_name="record",
            index=models.Index(condition=models.Q(("state", 6)), fields=["expired_on"], name="record_to_dispose_of"),
        ),
        migrations.AddConstraint(
            model_name="record",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", 3), _negated=True), ("usable_from__isnull", False), _connector="OR"
                ),
                name="record_notice_has_an_end",
            ),
        ),
        migrations.AddConstraint(
            model_name="record",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("expired_on__isnull", False), ("state", 6)),
                    models.Q(models.Q(("state", 6), _negated=True), ("expired_on__isnull", True)),
                    _connector="OR",
                ),
                name="record_expired_on_a_day",
            ),
        ),
        migrations.AddField(
            model_name="actcontent",
            name="item_version",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="catalogue.itemversion",
            ),
        ),
        migrations.AddField(
            model_name="actcontent",
            name="record",
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="records.record"),
        ),
        migrations.AddField(
            model_name="actrecord",
            name="record",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="acts",
                to="records.record",
                verbose_name="记录",
            ),
        ),
        migrations.AddField(
            model_name="anonymouscount",
            name="item",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="catalogue.item",
                verbose_name="目录条目",
            ),
        ),
        migrations.AddField(
            model_name="archivedrecord",
            name="item",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="catalogue.item",
                verbose_name="目录条目",
            ),
        ),
        migrations.AddField(
            model_name="disposal",
            name="item",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="catalogue.item",
                verbose_name="目录条目",
            ),
        ),
        migrations.AddField(
            model_name="recordact",
            name="asked_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="申请人",
            ),
        ),
        migrations.AddField(
            model_name="recordact",
            name="decided_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="审核人",
            ),
        ),
        migrations.AddField(
            model_name="recordact",
            name="marks",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="ends",
                to="records.recordact",
                verbose_name="所解除的标记",
            ),
        ),
        migrations.AddField(
            model_name="recordact",
            name="organisation",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="acts",
                to="accounts.organisation",
                verbose_name="信源单位",
            ),
        ),
        migrations.AddField(
            model_name="actrecord",
            name="act",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="about",
                to="records.recordact",
                verbose_name="办理单",
            ),
        ),
        migrations.AddField(
            model_name="actrecord",
            name="lifted_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="lifted",
                to="records.recordact",
                verbose_name="解除标记的办理单",
            ),
        ),
        migrations.AddField(
            model_name="actcontent",
            name="act",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="contents", to="records.recordact"
            ),
        ),
        migrations.AddField(
            model_name="recordversion",
            name="act",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="versions",
                to="records.recordact",
                verbose_name="办理单",
            ),
        ),
        migrations.AddConstraint(
            model_name="recordversion",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("act__isnull", True), ("batch__isnull", False)),
                    models.Q(("act__isnull", False), ("batch__isnull", True)),
                    _connector="OR",
                ),
                name="recordversion_comes_by_a_batch_or_an_act",
            ),
        ),
        migrations.AddField(
            model_name="recordevent",
            name="act",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="records.recordact",
                verbose_name="办理单",
            ),
        ),
        migrations.AddField(
            model_name="recordevent",
            name="batch",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="records.batch",
                verbose_name="批次",
            ),
        ),
        migrations.AddField(
            model_name="recordevent",
            name="by",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="办理人",
            ),
        ),
        migrations.AddField(
            model_name="recordevent",
            name="record",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="events",
                to="records.record",
                verbose_name="记录",
            ),
        ),
        migrations.AddField(
            model_name="statement",
            name="made_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="办理账户",
            ),
        ),
        migrations.AddField(
            model_name="statement",
            name="person",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.person", verbose_name="本人"
            ),
        ),
        migrations.AddField(
            model_name="statement",
            name="record",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="statements",
                to="records.record",
                verbose_name="记录",
            ),
        ),
        migrations.AddConstraint(
            model_name="anonymouscount",
            constraint=models.UniqueConstraint(fields=("item", "year", "severity"), name="anonymouscount_once"),
        ),
        migrations.AddIndex(
            model_name="recordact",
            index=models.Index(fields=["organisation", "-id"], name="recordact_by_organisation"),
        ),
        migrations.AddConstraint(
            model_name="recordact",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason", ""), _negated=True), name="recordact_has_a_reason"
            ),
        ),
        migrations.AddConstraint(
            model_name="recordact",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("decided_by__isnull", True),
                    ("kind__in", ["objection", "review", "periods"]),
                    models.Q(
                        ("asked_by__isnull", False), models.Q(("decided_by", models.F("asked_by")), _negated=True)
                    ),
                    _connector="OR",
                ),
                name="recordact_decided_by_another",
                violation_error_message="申请人不能审核自己的申请，须由另一名工作人员办理。",
            ),
        ),
        migrations.AddConstraint(
            model_name="recordact",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state__in", ["decided", "refused", "done"]), _negated=True),
                    ("kind", "periods"),
                    models.Q(("decided_at__isnull", False), ("decided_by__isnull", False)),
                    _connector="OR",
                ),
                name="recordact_decided_by_somebody",
            ),
        ),
        migrations.AddConstraint(
            model_name="recordact",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "refused"), _negated=True),
                    models.Q(("decision_note", ""), _negated=True),
                    _connector="OR",
                ),
                name="recordact_refused_with_a_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="recordact",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("done_at__isnull", False), ("state__in", ["done"])),
                    models.Q(models.Q(("state", "done"), _negated=True), ("done_at__isnull", True)),
                    _connector="OR",
                ),
                name="recordact_done_at_a_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="recordact",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state__in", ["draft", "dropped"]),
                    models.Q(
                        ("kind__in", ["cancel", "repair", "review", "review_end", "objection_end"]), _negated=True
                    ),
                    models.Q(models.Q(("document_no", ""), _negated=True), ("document_date__isnull", False)),
                    _connector="OR",
                ),
                name="recordact_rests_on_a_document",
                violation_error_message="这类事项须写明依据的文书号和日期。",
            ),
        ),
        migrations.AddConstraint(
            model_name="recordact",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind__in", ["objection_end", "review_end"]), ("marks__isnull", False)),
                    models.Q(
                        models.Q(("kind__in", ["objection_end", "review_end"]), _negated=True), ("marks__isnull", True)
                    ),
                    _connector="OR",
                ),
                name="recordact_lifts_the_mark_it_names",
            ),
        ),
        migrations.AddConstraint(
            model_name="recordact",
            constraint=models.CheckConstraint(
                condition=models.Q(("hides", False), ("kind", "objection"), _connector="OR"),
                name="recordact_only_objections_hide",
            ),
        ),
        migrations.AddConstraint(
            model_name="actrecord",
            constraint=models.UniqueConstraint(fields=("act", "record"), name="actrecord_once_per_act"),
        ),
        migrations.AddConstraint(
            model_name="actcontent",
            constraint=models.UniqueConstraint(fields=("act", "record"), name="actcontent_once_per_act"),
        ),
        migrations.AddConstraint(
            model_name="statement",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at__isnull", True)),
                fields=("record",),
                name="statement_one_stands_per_record",
            ),
        ),
        migrations.AddConstraint(
            model_name="statement",
            constraint=models.CheckConstraint(
                condition=models.Q(("text", ""), _negated=True), name="statement_says_something"
            ),
        ),
        migrations.RunSQL(KEYS + ARROWS + ACTS + ENDS, migrations.RunSQL.noop),
        migrations.RunSQL(DATA, migrations.RunSQL.noop),
    ]
