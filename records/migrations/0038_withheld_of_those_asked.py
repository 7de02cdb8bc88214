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

-- The person reads what is held about them until its query period ends; others only what is in use.
ALTER POLICY record_read_with_a_query_line ON records_record USING (
    query_until > cf_today() AND item_id <> ALL ((SELECT catalogue_withdrawn_items())::bigint[]) AND EXISTS (
        SELECT 1 FROM access_lines_here() q
         WHERE q.person_id = records_record.person_id
           AND (q.items IS NULL OR records_record.item_id = ANY (q.items))
           AND (q.kind = 'Q1' AND records_record.state IN (1, 3, 4, 5)
                OR records_is_in_use(records_record.state, records_record.usable_from, records_record.hidden_at)
                   AND (q.kind <> 'Q6' OR records_record.publication @> cf_today())
                   AND records_record.item_id <> ALL ((SELECT records_withheld_here())::bigint[]))
    )
);

CREATE OR REPLACE FUNCTION records_items_of_list(line bigint, registered bigint, OUT items bigint[], OUT provider bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE list record; asked bigint[]; needed bigint[];
BEGIN
    SELECT r.reach, r.organisation_id, r.duty_code, o.group_id INTO list
      FROM access_query q
      JOIN access_request r ON r.id = q.request_no AND r.actor_id = q.actor_id
      JOIN accounts_user u ON u.id = r.actor_id AND u.is_active AND u.organisation_id = r.organisation_id
      JOIN accounts_organisation o ON o.id = r.organisation_id
     WHERE q.seq = line AND q.at = transaction_timestamp() AND q.decision = 'allowed' AND q.kind = 'Q5'
       AND r.id = registered AND r.reach <> 'person' AND r.expires_at > transaction_timestamp();
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no open list of this reader, or no query line in this transaction'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    asked := ARRAY(SELECT i.item_id FROM access_request_items i WHERE i.request_id = registered);
    needed := CASE list.reach WHEN 'supplied' THEN asked ELSE access_duty_items(list.organisation_id, list.duty_code) END;
    SELECT coalesce(array_agg(i.item_id), '{}') INTO items FROM access_request_items i
     WHERE i.request_id = registered
       AND i.item_id = ANY (needed)
       AND i.item_id <> ALL (catalogue_withdrawn_items() || catalogue_withheld_among(asked))
       AND EXISTS (
           SELECT 1 FROM guardian_groupobjectpermission g
             JOIN auth_permission p ON p.id = g.permission_id
             JOIN django_content_type t ON t.id = g.content_type_id AND t.app_label = 'catalogue' AND t.model = 'item'
            WHERE g.group_id = list.group_id AND g.object_pk = i.item_id::text
              AND p.codename = CASE list.reach WHEN 'supplied' THEN 'supply_item' ELSE 'query_item' END);
    IF list.reach = 'supplied' THEN
        provider := list.organisation_id;
    END IF;
END $$;
"""
AMONG_UNDONE = """
CREATE OR REPLACE FUNCTION records_items_of_list(line bigint, registered bigint, OUT items bigint[], OUT provider bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE list record;
BEGIN
    SELECT r.reach, r.organisation_id, r.duty_code, o.group_id INTO list
      FROM access_query q
      JOIN access_request r ON r.id = q.request_no AND r.actor_id = q.actor_id
      JOIN accounts_user u ON u.id = r.actor_id AND u.is_active AND u.organisation_id = r.organisation_id
      JOIN accounts_organisation o ON o.id = r.organisation_id
     WHERE q.seq = line AND q.at = transaction_timestamp() AND q.decision = 'allowed' AND q.kind = 'Q5'
       AND r.id = registered AND r.reach <> 'person' AND r.expires_at > transaction_timestamp();
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no open list of this reader, or no query line in this transaction'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    SELECT coalesce(array_agg(i.item_id), '{}') INTO items FROM access_request_items i
     WHERE i.request_id = registered
       AND (list.reach = 'supplied' OR i.item_id = ANY (access_duty_items(list.organisation_id, list.duty_code)))
       AND i.item_id <> ALL (catalogue_withdrawn_items() || catalogue_withheld_items())
       AND EXISTS (
           SELECT 1 FROM guardian_groupobjectpermission g
             JOIN auth_permission p ON p.id = g.permission_id
             JOIN django_content_type t ON t.id = g.content_type_id AND t.app_label = 'catalogue' AND t.model = 'item'
            WHERE g.group_id = list.group_id AND g.object_pk = i.item_id::text
              AND p.codename = CASE list.reach WHEN 'supplied' THEN 'supply_item' ELSE 'query_item' END);
    IF list.reach = 'supplied' THEN
        provider := list.organisation_id;
    END IF;
END $$;
ALTER POLICY record_read_with_a_query_line ON records_record USING (
    query_until > cf_today() AND item_id <> ALL ((SELECT catalogue_withdrawn_items())::bigint[]) AND EXISTS (
        SELECT 1 FROM access_lines_here() q
         WHERE q.person_id = records_record.person_id
           AND (q.items IS NULL OR records_record.item_id = ANY (q.items))
           AND (q.kind = 'Q1' AND records_record.state IN (1, 3, 4, 5)
                OR records_is_in_use(records_record.state, records_record.usable_from, records_record.hidden_at)
                   AND (q.kind <> 'Q6' OR records_record.publication @> cf_today())
                   AND records_record.item_id <> ALL ((SELECT catalogue_withheld_items())::bigint[]))
    )
);
DROP FUNCTION records_withheld_here();
DROP FUNCTION catalogue_withheld_among(bigint[]);
"""


class Migration(migrations.Migration):
    dependencies = [("records", "0037_plans_are_kept")]

    operations = [migrations.RunSQL(AMONG, AMONG_UNDONE)]
