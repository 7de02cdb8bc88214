"""A page of a list is read, and what opens it is asked, by plans that a connection keeps.

The records of a page were planned through all their policies with every page; what an office was granted and what is closed to a
reader, in each statement that asked; what a list may hold was asked anew for each of its items. The rules are those of
`catalogue.0011_grants`, `access.0013_closed_items` and `0038_withheld_of_those_asked`.
"""

from importlib import import_module

from django.db import migrations

LISTED = """
-- These records as a list shows them. Asked as whoever is on the connection, so that the policies on records and persons
-- answer; its schema is set, so that no temporary table answers instead.
CREATE FUNCTION records_listed(keys bigint[])
RETURNS TABLE (id bigint, created_at timestamptz, item_id bigint, doc_no text, doc_date date, severity smallint,
               publication daterange, query_until date, name text, id_cipher bytea, provider text)
LANGUAGE plpgsql STABLE ROWS 50 SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN QUERY SELECT r.id, r.created_at, r.item_id, r.doc_no, r.doc_date, r.severity, r.publication, r.query_until,
                        p.name::text, p.id_cipher, o.name::text
                   FROM records_record r JOIN accounts_person p ON p.id = r.person_id
                   JOIN accounts_organisation o ON o.id = r.provider_id WHERE r.id = ANY (keys);
END $$;
"""
LISTED_UNDONE = "DROP FUNCTION records_listed(bigint[]);"
ASKED = """
-- What an organisation was granted and may use today.
CREATE OR REPLACE FUNCTION catalogue_granted_items(organisation bigint, permission text) RETURNS bigint[]
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN (SELECT coalesce(array_agg(g.item_id), '{}')
              FROM catalogue_itemgrant g JOIN accounts_organisation o ON o.id = g.organisation_id
             WHERE g.organisation_id = $1 AND g.permission = $2 AND g.state = 'in_force' AND g.valid_from <= cf_today()
               AND coalesce(g.ended_on, g.valid_to) > cf_today() AND (o.valid_to IS NULL OR o.valid_to > cf_today()));
END $$;

CREATE OR REPLACE FUNCTION access_closed_items(reader text) RETURNS bigint[] LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN (SELECT coalesce(array_agg(v.item_id), '{}') FROM catalogue_itemversion v
             WHERE v.state IN ('published', 'in_force', 'suspended') AND v.effective @> cf_today() AND CASE reader
                WHEN 'DEPT' THEN v.disclosure IN ('SELF', 'NONE') OR v.sharing = 'NO'
                WHEN 'THIRD_PARTY' THEN v.disclosure NOT IN ('PUBLIC', 'QUERY_AUTH')
                WHEN 'PUBLIC' THEN v.disclosure <> 'PUBLIC'
                ELSE false END);
END $$;

-- The items of an open list and whose records it holds (NULL: everybody's). Each rule is asked once, not for every item.
CREATE OR REPLACE FUNCTION records_items_of_list(line bigint, registered bigint, OUT items bigint[], OUT providers bigint[])
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan AS $$
DECLARE list record; granted bigint[]; due bigint[]; asked bigint[]; gone bigint[];
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
    asked := ARRAY(SELECT i.item_id FROM access_request_items i WHERE i.request_id = registered);
    IF list.reach = 'supplied' THEN
        granted := catalogue_granted_items(list.organisation_id, 'supply_item');
        due := asked;
        providers := ARRAY[list.organisation_id];
    ELSE
        granted := catalogue_granted_items(list.organisation_id, 'query_item');
        due := access_duty_items(list.organisation_id, list.duty_code);
        providers := access_reach(list.organisation_id, list.duty_code);
    END IF;
    gone := catalogue_withdrawn_items() || catalogue_withheld_among(asked);
    items := ARRAY(SELECT i FROM unnest(asked) i WHERE i = ANY (granted) AND i = ANY (due) AND i <> ALL (gone));
END $$;
"""
ASKED_UNDONE = """
CREATE OR REPLACE FUNCTION catalogue_granted_items(organisation bigint, permission text) RETURNS bigint[] LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT coalesce(array_agg(g.item_id), '{}') FROM catalogue_itemgrant g JOIN accounts_organisation o ON o.id = g.organisation_id
     WHERE g.organisation_id = $1 AND g.permission = $2 AND g.state = 'in_force' AND g.valid_from <= cf_today()
       AND coalesce(g.ended_on, g.valid_to) > cf_today() AND (o.valid_to IS NULL OR o.valid_to > cf_today())
$$;
CREATE OR REPLACE FUNCTION access_closed_items(reader text) RETURNS bigint[] LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT coalesce(array_agg(v.item_id), '{}') FROM catalogue_itemversion v
     WHERE v.state IN ('published', 'in_force', 'suspended') AND v.effective @> cf_today() AND CASE reader
        WHEN 'DEPT' THEN v.disclosure IN ('SELF', 'NONE') OR v.sharing = 'NO'
        WHEN 'THIRD_PARTY' THEN v.disclosure NOT IN ('PUBLIC', 'QUERY_AUTH')
        WHEN 'PUBLIC' THEN v.disclosure <> 'PUBLIC'
        ELSE false END
$$;
"""
_AMONG = import_module("records.migrations.0038_withheld_of_those_asked").AMONG
_ITEMS = _AMONG[_AMONG.index("CREATE OR REPLACE FUNCTION records_items_of_list") :]


class Migration(migrations.Migration):
    dependencies = [("records", "0049_rules_are_hashed")]
    operations = [
        migrations.RunSQL(LISTED, LISTED_UNDONE),
        migrations.RunSQL(ASKED, ASKED_UNDONE + _ITEMS),
    ]
