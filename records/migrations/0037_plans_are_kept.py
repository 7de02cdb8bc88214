"""The policies on records ask the same, of plans that a connection keeps: they were made anew with every query that reads records.

A function in the language `sql` is planned in each query that calls it, one in `plpgsql` once per connection. The rules are
the ones of `0006_life`, `0010_list_exports_and_holds`, `0012_persons` and `0030_visibility`, word for word; the lines of the transaction come from
`access_lines_here` now.
"""

from django.db import migrations

AT_WORK = """
-- The item of the batch at work in this transaction, if any.
CREATE OR REPLACE FUNCTION records_item_at_work() RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF records_batch_at_work() IS NULL THEN
        RETURN NULL;
    END IF;
    RETURN (SELECT b.item_id FROM records_batch b
             WHERE b.id = records_batch_at_work() AND b.state IN ('checking', 'committing', 'withdrawing')
               AND accounts_context() && ARRAY['*', 'b' || b.id]);
END $$;

-- The records of the act at work while it is open: beside a query line, the key to read them in any state.
CREATE OR REPLACE FUNCTION records_of_act_at_work() RETURNS bigint[] LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF records_act_at_work() IS NULL THEN
        RETURN '{}';
    END IF;
    RETURN (SELECT coalesce(array_agg(r.record_id), '{}') FROM records_actrecord r JOIN records_recordact a ON a.id = r.act_id
             WHERE a.id = records_act_at_work() AND a.state IN ('draft', 'asked', 'decided'));
END $$;

-- The statement under the review at work, while the review is open: beside a query line, the key to read it.
CREATE OR REPLACE FUNCTION records_statement_under_review() RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE hold bigint := nullif(current_setting('cf.hold', true), '')::bigint;
BEGIN
    IF hold IS NULL THEN
        RETURN NULL;
    END IF;
    RETURN (SELECT h.statement_id FROM records_statementhold h WHERE h.id = hold AND h.state IN ('looking', 'asked', 'held'));
END $$;

-- Records that nobody is shown because the number behind them is not what it must be.
CREATE OR REPLACE FUNCTION records_unsound() RETURNS bigint[]
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN (SELECT coalesce(array_agg(hidden.id), '{}') FROM (
        SELECT u.record_id AS id FROM records_unsound u
        UNION SELECT r.id FROM records_unsound u JOIN records_record r ON r.person_id = u.person_id WHERE u.fault <> 'minor'
    ) hidden);
END $$;

-- Items whose records nobody but the person is shown: suspended, or without a valid basis today.
CREATE OR REPLACE FUNCTION catalogue_withheld_items() RETURNS bigint[] LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN (SELECT coalesce(array_agg(DISTINCT s.item_id), '{}') FROM catalogue_standing s
             WHERE s.effective @> cf_today() AND (s.state = 'suspended' OR s.state IN ('published', 'in_force')
                   AND NOT catalogue_stands(s, cf_today())));
END $$;

-- Items taken out with all their records.
CREATE OR REPLACE FUNCTION catalogue_withdrawn_items() RETURNS bigint[] LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN (SELECT coalesce(array_agg(r.item_id), '{}') FROM catalogue_retirement r
             WHERE r.old_records = 'withdraw' AND r.effective_on <= cf_today());
END $$;

-- Whether this transaction has written a line of the person's own: of words beside a record that came by a merge, the survivor's.
CREATE OR REPLACE FUNCTION records_is_the_person(person bigint) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN EXISTS (SELECT 1 FROM access_lines_here() q
                    WHERE q.person_id = ANY (ARRAY[person, records_survivor(person)]) AND q.kind = 'Q1');
END $$;
"""
AT_WORK_UNDONE = """
CREATE OR REPLACE FUNCTION records_is_the_person(person bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT 1 FROM access_queryperson q WHERE q.person_id = ANY (ARRAY[person, records_survivor(person)])
                      AND q.kind = 'Q1' AND q.allowed AND q.at = transaction_timestamp() AND q.xid = pg_current_xact_id())
$$;
CREATE OR REPLACE FUNCTION catalogue_withdrawn_items() RETURNS bigint[] LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT coalesce(array_agg(item_id), '{}') FROM catalogue_retirement
     WHERE old_records = 'withdraw' AND effective_on <= cf_today()
$$;
CREATE OR REPLACE FUNCTION catalogue_withheld_items() RETURNS bigint[] LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT coalesce(array_agg(DISTINCT s.item_id), '{}') FROM catalogue_standing s
     WHERE s.effective @> cf_today() AND (s.state = 'suspended' OR s.state IN ('published', 'in_force')
           AND NOT catalogue_stands(s, cf_today()))
$$;
CREATE OR REPLACE FUNCTION records_unsound() RETURNS bigint[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT coalesce(array_agg(id), '{}') FROM (
        SELECT record_id AS id FROM records_unsound
        UNION SELECT r.id FROM records_unsound u JOIN records_record r ON r.person_id = u.person_id WHERE u.fault <> 'minor'
    ) hidden
$$;
CREATE OR REPLACE FUNCTION records_statement_under_review() RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT statement_id FROM records_statementhold
     WHERE id = nullif(current_setting('cf.hold', true), '')::bigint AND state IN ('looking', 'asked', 'held')
$$;
CREATE OR REPLACE FUNCTION records_of_act_at_work() RETURNS bigint[] LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT coalesce(array_agg(r.record_id), '{}') FROM records_actrecord r JOIN records_recordact a ON a.id = r.act_id
     WHERE a.id = records_act_at_work() AND a.state IN ('draft', 'asked', 'decided')
$$;
CREATE OR REPLACE FUNCTION records_item_at_work() RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT item_id FROM records_batch
     WHERE id = records_batch_at_work() AND state IN ('checking', 'committing', 'withdrawing')
       AND accounts_context() && ARRAY['*', 'b' || id]
$$;
"""
POLICIES = """
-- A query line of this transaction opens its person's records of its items, in the situations that its kind may see, until
-- their query period ends. The public sees what is published, of items that are public today.
ALTER POLICY record_read_with_a_query_line ON records_record USING (
    query_until > cf_today() AND item_id <> ALL ((SELECT catalogue_withdrawn_items())::bigint[]) AND EXISTS (
        SELECT 1 FROM access_lines_here() q
         WHERE q.person_id = records_record.person_id
           AND (q.items IS NULL OR records_record.item_id = ANY (q.items))
           AND records_situation(records_record.state, records_record.usable_from, records_record.hidden_at,
                                 records_record.item_id = ANY ((SELECT catalogue_withheld_items())::bigint[]))
               = ANY ((SELECT v.situations FROM records_visibility v WHERE v.kind = q.kind)::text[])
           AND (q.kind <> 'Q6' OR records_record.publication @> cf_today()
                                  AND records_record.item_id <> ALL ((SELECT access_closed_items('PUBLIC'))::bigint[]))
    )
);
ALTER POLICY record_read_by_the_act ON records_record USING (
    id = ANY ((SELECT records_of_act_at_work())::bigint[]) AND EXISTS (
        SELECT 1 FROM access_lines_here() q WHERE q.person_id = records_record.person_id
           AND (q.items IS NULL OR records_record.item_id = ANY (q.items)))
);
-- Of the dead only duties read, near relatives and courts (Q3, Q5, Q7): no public, no consent, nobody in their name.
ALTER POLICY record_of_the_dead_is_not_public ON records_record USING (
    item_id = (SELECT records_item_at_work())
    OR NOT EXISTS (SELECT 1 FROM accounts_person p WHERE p.id = records_record.person_id AND p.deceased_on IS NOT NULL)
    OR id = ANY ((SELECT records_of_act_at_work())::bigint[])
    OR EXISTS (SELECT 1 FROM access_lines_here() q
                WHERE q.person_id = records_record.person_id AND q.kind IN ('Q3', 'Q5', 'Q7'))
);
ALTER POLICY statement_read_for_its_review ON records_statement USING (
    id = (SELECT records_statement_under_review()) AND EXISTS (
        SELECT 1 FROM access_lines_here() q WHERE q.person_id = records_statement.person_id));
ALTER POLICY statement_made_by_the_person ON records_statement
    WITH CHECK (EXISTS (SELECT 1 FROM records_record r JOIN access_lines_here() q ON q.person_id = r.person_id
        WHERE r.id = record_id AND r.person_id = records_statement.person_id AND q.kind = 'Q1'));
"""
POLICIES_UNDONE = """
ALTER POLICY statement_made_by_the_person ON records_statement
    WITH CHECK (EXISTS (SELECT 1 FROM records_record r JOIN access_queryperson q ON q.person_id = r.person_id
        WHERE r.id = record_id AND r.person_id = records_statement.person_id AND q.kind = 'Q1' AND q.allowed
          AND q.at = transaction_timestamp() AND q.xid = pg_current_xact_id()));
ALTER POLICY statement_read_for_its_review ON records_statement USING (
    id = (SELECT records_statement_under_review()) AND EXISTS (
        SELECT 1 FROM access_queryperson q WHERE q.person_id = records_statement.person_id AND q.allowed
           AND q.at = transaction_timestamp() AND q.xid = pg_current_xact_id()));
ALTER POLICY record_of_the_dead_is_not_public ON records_record USING (
    item_id = (SELECT records_item_at_work())
    OR NOT EXISTS (SELECT 1 FROM accounts_person p WHERE p.id = records_record.person_id AND p.deceased_on IS NOT NULL)
    OR id = ANY ((SELECT records_of_act_at_work())::bigint[])
    OR EXISTS (SELECT 1 FROM access_queryperson q
                WHERE q.person_id = records_record.person_id AND q.at = transaction_timestamp()
                  AND q.xid = pg_current_xact_id() AND q.allowed AND q.kind IN ('Q3', 'Q5', 'Q7'))
);
ALTER POLICY record_read_by_the_act ON records_record USING (
    id = ANY ((SELECT records_of_act_at_work())::bigint[]) AND EXISTS (
        SELECT 1 FROM access_queryperson q
         WHERE q.person_id = records_record.person_id AND q.at = transaction_timestamp()
           AND q.xid = pg_current_xact_id() AND q.allowed
           AND (q.items IS NULL OR records_record.item_id = ANY (q.items)))
);
ALTER POLICY record_read_with_a_query_line ON records_record USING (
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


class Migration(migrations.Migration):
    dependencies = [("access", "0019_lines_here"), ("catalogue", "0009_supply"), ("records", "0036_more_in_context")]

    operations = [migrations.RunSQL(AT_WORK, AT_WORK_UNDONE), migrations.RunSQL(POLICIES, POLICIES_UNDONE)]
