"""A line by duty names its ground, and the ground is there: whatever statement writes it."""

from importlib import import_module

from django.db import migrations

SQL = r"""
-- Whether what a line by duty says it rests on covers these persons and items (one pair each; an item that is NULL opens no
-- record): the registration of this officer that is still running, or the paper of their own office under whose number it is.
CREATE FUNCTION records_duty_covers(line bigint, moment timestamptz, persons bigint[], wanted bigint[]) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    q access_query;
    r access_request;
    unit bigint;
    opens bigint[];
    one bigint;
BEGIN
    SELECT l.* INTO q FROM access_query l WHERE l.seq = line AND l.at = moment AND l.kind = 'Q5' AND l.decision = 'allowed';
    SELECT u.organisation_id INTO unit FROM accounts_user u WHERE u.id = q.actor_id AND u.is_active;
    IF unit IS NULL THEN
        RETURN false;
    END IF;
    IF q.fields_class LIKE '紧急查询%' OR access_shows_number(q.fields_class) THEN
        RETURN true;  -- their own rules ask more: query_is_urgent, query_shows_number, queryperson_of_its_line
    END IF;
    IF q.request_no IS NOT NULL THEN
        SELECT a.* INTO r FROM access_request a
         WHERE a.id = q.request_no AND a.actor_id = q.actor_id AND a.organisation_id = unit AND a.kind = 'Q5'
           AND a.expires_at > clock_timestamp() AND (a.case_no, a.duty_code) = (q.case_no, q.duty_code);
        IF r.id IS NULL THEN
            RETURN false;
        END IF;
        opens := (SELECT array_agg(i.item_id) FROM access_request_items i WHERE i.request_id = r.id AND i.item_id = ANY (
                    catalogue_granted_items(unit, CASE r.reach WHEN 'supplied' THEN 'supply_item' ELSE 'query_item' END)));
        RETURN NOT EXISTS (
            SELECT 1 FROM unnest(persons, wanted) AS s(person, item)
             WHERE CASE WHEN r.reach = 'person'
                   THEN s.person NOT IN (r.person_id, access_survivor(r.person_id)) OR s.item IS NOT NULL AND s.item <> ALL (coalesce(opens, '{}'))
                   ELSE s.item IS NULL OR s.item <> ALL (coalesce(opens, '{}'))
                        -- who stands on a list has a record there, or is whom it was searched for
                        OR NOT EXISTS (SELECT 1 FROM records_record d WHERE d.person_id = s.person AND d.item_id = s.item
                                          AND (r.reach <> 'supplied' OR d.provider_id = unit))
                           AND NOT EXISTS (SELECT 1 FROM records_listsearch f WHERE f.request_id = r.id AND f.person_id = s.person)
                   END);
    END IF;
    one := substring(q.case_no FROM '^[AQSBH]\d{8}-(\d{6,18})$')::bigint;
    RETURN NOT EXISTS (
        SELECT 1 FROM unnest(persons, wanted) AS s(person, item) WHERE NOT coalesce(CASE
            WHEN q.consent_no <> '' THEN s.item IS NULL AND catalogue_holds(q.actor_id, 'access', 'check_consent') AND EXISTS (
                SELECT 1 FROM access_consent c JOIN accounts_user e ON e.id = c.asked_by_id AND e.organisation_id = unit
                 WHERE c.number = q.consent_no AND c.channel = 'paper' AND s.person IN (c.person_id, access_survivor(c.person_id)))
            WHEN one IS NULL THEN s.item IS NULL AND EXISTS (
                SELECT 1 FROM access_authority a
                 WHERE a.number = q.case_no AND s.person IN (a.person_id, access_survivor(a.person_id))
                   AND (catalogue_holds(q.actor_id, 'access', 'review_authority')
                        OR a.organisation_id = unit AND catalogue_holds(q.actor_id, 'access', 'enter_authority')))
            WHEN q.case_no LIKE 'A%' THEN EXISTS (
                SELECT 1 FROM records_recordact a JOIN records_actrecord x ON x.act_id = a.id JOIN records_record d ON d.id = x.record_id
                 WHERE a.id = one AND q.case_no = records_paper_no('A', a.id, a.asked_at) AND a.organisation_id = unit
                   AND (d.person_id, d.item_id) = (s.person, s.item))
            WHEN q.case_no LIKE 'Q%' THEN EXISTS (
                SELECT 1 FROM records_rightsrequest a
                 WHERE a.id = one AND q.case_no = records_paper_no('Q', a.id, a.at) AND a.organisation_id = unit
                   AND s.item = a.item_id AND s.person IN (a.person_id, access_survivor(a.person_id)))
            WHEN q.case_no LIKE 'S%' THEN catalogue_holds(q.actor_id, 'records', 'hold_statement') AND EXISTS (
                SELECT 1 FROM records_statementhold h
                 WHERE h.id = one AND q.case_no = records_paper_no('S', h.id, h.opened_at) AND h.organisation_id = unit
                   AND h.state IN ('looking', 'asked', 'held') AND h.person_id = s.person AND s.item = records_item_of_hold(h.id))
            WHEN q.case_no LIKE 'B%' THEN EXISTS (
                SELECT 1 FROM records_batch b JOIN accounts_person p ON true JOIN records_batchrow w ON w.batch_id = b.id AND w.id_index = p.id_index
                 WHERE b.id = one AND q.case_no = records_paper_no('B', b.id, b.received_at) AND b.supplier_id = unit
                   AND s.item = b.item_id AND s.person = access_survivor(p.id) AND p.id IN (SELECT accounts_family(s.person)))
            WHEN q.case_no LIKE 'H%' THEN s.item IS NULL AND EXISTS (
                SELECT 1 FROM records_personcase c
                 WHERE c.id = one AND q.case_no = records_case_no(c.id, c.opened_at) AND s.person IN (c.person_id, c.other_id)
                   AND (catalogue_holds(q.actor_id, 'records', 'ask_personcase')
                        OR catalogue_holds(q.actor_id, 'records', 'decide_personcase')
                        OR catalogue_holds(q.actor_id, 'records', 'attest_name') AND EXISTS (
                            SELECT 1 FROM records_casesource o JOIN records_batch b ON b.id = o.batch_id
                             WHERE o.case_id = c.id AND b.supplier_id = unit)))
        END, false));
END $$;

-- Asked once for each line of a statement. What the owner's functions write (exports) they have judged themselves; the serving
-- role has no right on partitions, so the parent's trigger sees all that it writes.
CREATE FUNCTION records_lines_by_duty() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE line record;
BEGIN
    IF current_user = (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID) THEN
        RETURN NULL;
    END IF;
    FOR line IN SELECT f.query_id, f.at, bool_or(f.items IS NULL) AS whole, array_agg(f.person_id) AS persons, array_agg(i.item) AS items
                  FROM fresh f LEFT JOIN LATERAL unnest(f.items) AS i(item) ON true
                 WHERE f.kind = 'Q5' AND f.allowed GROUP BY f.query_id, f.at LOOP
        IF line.whole OR NOT records_duty_covers(line.query_id, line.at, line.persons, line.items) THEN
            PERFORM catalogue_refuse('line_by_duty_has_its_ground', 'nobody is read by duty without a registration or case that covers them');
        END IF;
    END LOOP;
    RETURN NULL;
END $$;
CREATE TRIGGER queryperson_rests_on_its_ground AFTER INSERT ON access_queryperson REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION records_lines_by_duty();
"""
UNDONE = """
DROP TRIGGER queryperson_rests_on_its_ground ON access_queryperson;
DROP FUNCTION records_lines_by_duty();
DROP FUNCTION records_duty_covers(bigint, timestamptz, bigint[], bigint[]);
"""

_PERSON = "(SELECT accounts_everybody_is_open()) OR person_id = ANY ((SELECT accounts_open_persons())::bigint[])"
# Rights are answered by the data officers of the supplier; with that nothing is open to every department any more.
RIGHTS = f"""
ALTER POLICY rightsrequest_in_context ON records_rightsrequest USING ({_PERSON}
    OR organisation_id = ANY ((SELECT accounts_open_offices())::bigint[])
       AND ((SELECT access_duty_is_open('records', 'ask_act')) OR (SELECT access_duty_is_open('records', 'decide_act'))));
DROP FUNCTION accounts_department_is_open();
ALTER FUNCTION records_extension_was_opened() SECURITY DEFINER SET search_path = public, pg_temp;
"""
RIGHTS_UNDONE = (
    "ALTER FUNCTION records_extension_was_opened() SECURITY INVOKER RESET search_path;"
    + import_module("access.migrations.0030_grounds_in_context").OPEN
    + f"ALTER POLICY rightsrequest_in_context ON records_rightsrequest USING ({_PERSON} OR (SELECT accounts_department_is_open()));"
)


class Migration(migrations.Migration):
    dependencies = [("records", "0051_lists_keep_their_plans"), ("access", "0037_grounds_by_duty")]
    operations = [migrations.RunSQL(SQL, UNDONE), migrations.RunSQL(RIGHTS, RIGHTS_UNDONE)]
