"""Whether an item is withheld is asked of the items that a reading names, not of the whole catalogue.

To judge one item takes some ten microseconds, and a page of a list judged every item of the catalogue twice.
"""

from django.db import migrations

AMONG = """
-- Those of some items whose records nobody but the person is shown: suspended, or without a valid basis today.
CREATE FUNCTION catalogue_withheld_among(wanted bigint[]) RETURNS bigint[] LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN (SELECT coalesce(array_agg(DISTINCT s.item_id), '{}') FROM catalogue_standing s
             WHERE s.item_id = ANY (wanted) AND s.effective @> cf_today()
               AND (s.state = 'suspended' OR s.state IN ('published', 'in_force') AND NOT catalogue_stands(s, cf_today())));
END $$;

-- The same of the items that the lines of this transaction name; of all items where a line opens a whole file.
CREATE FUNCTION records_withheld_here() RETURNS bigint[] LANGUAGE plpgsql STABLE
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

-- A query line of this transaction opens its person's records of its items, in the situations that its kind may see, until
-- their query period ends. The public sees what is published, of items that are public today.
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

CREATE OR REPLACE FUNCTION records_items_of_list(line bigint, registered bigint, OUT items bigint[], OUT providers bigint[])
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE list record; granted bigint[]; asked bigint[];
BEGIN
    SELECT r.reach, r.organisation_id, r.duty_code INTO list
      FROM access_query q
      JOIN access_request r ON r.id = q.request_no AND r.actor_id = q.actor_id
      JOIN accounts_user u ON u.id = r.actor_id AND u.is_active AND u.organisation_id = r.organisation_id
     WHERE q.seq = line AND q.at = transaction_timestamp() AND q.decision = 'allowed' AND q.kind = 'Q5'
       AND r.id = registered AND r.reach <> 'person' AND r.expires_at > transaction_timestamp();
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no open list of this reader, or no query line in this transaction'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF list.reach = 'supplied' THEN
        granted := catalogue_granted_items(list.organisation_id, 'supply_item');
        providers := ARRAY[list.organisation_id];
    ELSE
        granted := ARRAY(SELECT unnest(catalogue_granted_items(list.organisation_id, 'query_item'))
                         INTERSECT SELECT unnest(access_duty_items(list.organisation_id, list.duty_code)));
        providers := access_reach(list.organisation_id, list.duty_code);
    END IF;
    asked := ARRAY(SELECT i.item_id FROM access_request_items i WHERE i.request_id = registered);
    items := ARRAY(SELECT i FROM unnest(asked) i WHERE i = ANY (granted)
                      AND i <> ALL (catalogue_withdrawn_items() || catalogue_withheld_among(asked)));
END $$;
"""
AMONG_UNDONE = """
CREATE OR REPLACE FUNCTION records_items_of_list(line bigint, registered bigint, OUT items bigint[], OUT providers bigint[])
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE list record; granted bigint[];
BEGIN
    SELECT r.reach, r.organisation_id, r.duty_code INTO list
      FROM access_query q
      JOIN access_request r ON r.id = q.request_no AND r.actor_id = q.actor_id
      JOIN accounts_user u ON u.id = r.actor_id AND u.is_active AND u.organisation_id = r.organisation_id
     WHERE q.seq = line AND q.at = transaction_timestamp() AND q.decision = 'allowed' AND q.kind = 'Q5'
       AND r.id = registered AND r.reach <> 'person' AND r.expires_at > transaction_timestamp();
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no open list of this reader, or no query line in this transaction'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF list.reach = 'supplied' THEN
        granted := catalogue_granted_items(list.organisation_id, 'supply_item');
        providers := ARRAY[list.organisation_id];
    ELSE
        granted := ARRAY(SELECT unnest(catalogue_granted_items(list.organisation_id, 'query_item'))
                         INTERSECT SELECT unnest(access_duty_items(list.organisation_id, list.duty_code)));
        providers := access_reach(list.organisation_id, list.duty_code);
    END IF;
    SELECT coalesce(array_agg(i.item_id), '{}') INTO items FROM access_request_items i
     WHERE i.request_id = registered AND i.item_id = ANY (granted)
       AND i.item_id <> ALL (catalogue_withdrawn_items() || catalogue_withheld_items());
END $$;
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
DROP FUNCTION records_withheld_here();
DROP FUNCTION catalogue_withheld_among(bigint[]);
"""


class Migration(migrations.Migration):
    dependencies = [("records", "0037_plans_are_kept")]

    operations = [migrations.RunSQL(AMONG, AMONG_UNDONE)]
