"""What the lines of a transaction show is asked once per statement, of plans that a connection keeps.

The policies on records were planned anew in each statement, and once more for each table that is read with its record: longer
than the reading itself. The rules are those of `0002_rules`, `0006_life`, `0033_regions`, `0037_plans_are_kept` and
`0038_withheld_of_those_asked`.
"""

from django.db import migrations

REACH = """
-- Whose records the readings by duty of this transaction do not reach: for each line the actor's own organisation counts,
-- whatever the line says. Nobody's (empty) where no region bounds them, and where nobody reads by duty.
CREATE OR REPLACE FUNCTION records_beyond_reach() RETURNS bigint[] LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE duty record; beyond bigint[] := '{}';
BEGIN
    FOR duty IN SELECT DISTINCT u.organisation_id, l.duty_code FROM access_query l LEFT JOIN accounts_user u ON u.id = l.actor_id
                 WHERE l.at = transaction_timestamp() AND l.kind = 'Q5' AND l.decision = 'allowed' LOOP
        beyond := beyond || access_beyond(duty.organisation_id, duty.duty_code);
    END LOOP;
    RETURN beyond;
END $$;

-- Items that the lines of this transaction name and that are withheld; of all items where a line opens a whole file. A kind
-- that is shown every situation is shown what is withheld too, so nothing is judged for it.
CREATE OR REPLACE FUNCTION records_withheld_here() RETURNS bigint[] LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE whole boolean; named bigint[];
BEGIN
    SELECT bool_or(q.items IS NULL), array_agg(DISTINCT i) INTO whole, named
      FROM access_lines_here() q LEFT JOIN LATERAL unnest(q.items) i ON true
     WHERE NOT EXISTS (SELECT 1 FROM records_visibility v WHERE v.kind = q.kind
                          AND v.situations::text[] @> '{in_use,noticed,held,cancelled,repaired,withheld}');
    IF whole THEN
        RETURN catalogue_withheld_items();
    END IF;
    RETURN CASE WHEN named IS NULL THEN '{}' ELSE catalogue_withheld_among(named) END;
END $$;
"""
REACH_UNDONE = """
CREATE OR REPLACE FUNCTION records_withheld_here() RETURNS bigint[] LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE whole boolean; named bigint[];
BEGIN
    SELECT bool_or(q.items IS NULL), array_agg(DISTINCT i) INTO whole, named
      FROM access_lines_here() q LEFT JOIN LATERAL unnest(q.items) i ON true;
    IF whole THEN
        RETURN catalogue_withheld_items();
    END IF;
    RETURN catalogue_withheld_among(named);
END $$;
CREATE OR REPLACE FUNCTION records_beyond_reach() RETURNS bigint[] LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT coalesce(array_agg(DISTINCT far), '{}') FROM (
        SELECT DISTINCT u.organisation_id, l.duty_code FROM access_query l LEFT JOIN accounts_user u ON u.id = l.actor_id
         WHERE l.at = transaction_timestamp() AND l.kind = 'Q5' AND l.decision = 'allowed'
      ) w, unnest(access_beyond(w.organisation_id, w.duty_code)) AS far
$$;
"""
RECORDS = """
-- The records that the lines of this transaction open: their person's, of their items, in the situations that their kind may see,
-- until the query period ends. The public sees what is published, of items that are public today.
CREATE FUNCTION records_opened_here() RETURNS SETOF bigint LANGUAGE plpgsql STABLE ROWS 50
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT r.id FROM access_lines_here() q
      JOIN records_visibility v ON v.kind = q.kind
      JOIN records_record r ON r.person_id = q.person_id AND (q.items IS NULL OR r.item_id = ANY (q.items))
     WHERE r.query_until > cf_today() AND r.item_id <> ALL ((SELECT catalogue_withdrawn_items())::bigint[])
       AND records_situation(r.state, r.usable_from, r.hidden_at, r.item_id = ANY ((SELECT records_withheld_here())::bigint[]))
           = ANY (v.situations::text[])
       AND (q.kind <> 'Q6' OR r.publication @> cf_today()
                              AND r.item_id <> ALL ((SELECT access_closed_items('PUBLIC'))::bigint[]));
END $$;
ALTER POLICY record_read_with_a_query_line ON records_record USING (id IN (SELECT records_opened_here()));

-- Of whom the lines of this transaction may show a record: of the living, and of the dead to duties, near relatives and courts.
CREATE FUNCTION records_persons_answered_for() RETURNS SETOF bigint LANGUAGE plpgsql STABLE ROWS 50
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT q.person_id FROM access_lines_here() q
     WHERE q.kind IN ('Q3', 'Q5', 'Q7')
        OR NOT EXISTS (SELECT 1 FROM accounts_person p WHERE p.id = q.person_id AND p.deceased_on IS NOT NULL);
END $$;
-- Of the dead only duties read, near relatives and courts (Q3, Q5, Q7): no public, no consent, nobody in their name.
ALTER POLICY record_of_the_dead_is_not_public ON records_record USING (
    item_id = (SELECT records_item_at_work())
    OR id = ANY ((SELECT records_of_act_at_work())::bigint[])
    OR person_id IN (SELECT records_persons_answered_for())
);
"""
RECORDS_UNDONE = """
ALTER POLICY record_of_the_dead_is_not_public ON records_record USING (
    item_id = (SELECT records_item_at_work())
    OR NOT EXISTS (SELECT 1 FROM accounts_person p WHERE p.id = records_record.person_id AND p.deceased_on IS NOT NULL)
    OR id = ANY ((SELECT records_of_act_at_work())::bigint[])
    OR EXISTS (SELECT 1 FROM access_lines_here() q
                WHERE q.person_id = records_record.person_id AND q.kind IN ('Q3', 'Q5', 'Q7'))
);
ALTER POLICY record_read_with_a_query_line ON records_record USING (
    query_until > cf_today() AND item_id <> ALL ((SELECT catalogue_withdrawn_items())::bigint[]) AND EXISTS (
        SELECT 1 FROM access_lines_here() q
         WHERE q.person_id = records_record.person_id
           AND (q.items IS NULL OR records_record.item_id = ANY (q.items))
           AND records_situation(records_record.state, records_record.usable_from, records_record.hidden_at,
                                 records_record.item_id = ANY ((SELECT records_withheld_here())::bigint[]))
               = ANY ((SELECT v.situations FROM records_visibility v WHERE v.kind = q.kind)::text[])
           AND (q.kind <> 'Q6' OR records_record.publication @> cf_today()
                                  AND records_record.item_id <> ALL ((SELECT access_closed_items('PUBLIC'))::bigint[]))
    )
);
DROP FUNCTION records_persons_answered_for();
DROP FUNCTION records_opened_here();
"""


class Migration(migrations.Migration):
    dependencies = [("records", "0045_one_answer_to_who_holds"), ("access", "0042_lines_keep_their_plans")]
    operations = [
        migrations.RunSQL(REACH, REACH_UNDONE),
        migrations.RunSQL(RECORDS, RECORDS_UNDONE),
    ]
