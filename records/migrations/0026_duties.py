"""Lists and exports by duty hold only what a duty in force opens."""

from django.db import migrations

LISTS = r"""
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

"""
LISTS_UNDONE = r"""
CREATE OR REPLACE FUNCTION records_items_of_list(line bigint, registered bigint, OUT items bigint[], OUT provider bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE list record;
BEGIN
    SELECT r.reach, r.organisation_id, o.group_id INTO list
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

"""
EXPORTS = """
-- What others supplied is exported for a duty in force that needs it; what the own organisation supplied, without one.
CREATE FUNCTION records_export_for_a_duty() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT NEW.own_only AND NOT NEW.item_ids <@ access_duty_items(NEW.organisation_id, NEW.duty_code) THEN
        PERFORM catalogue_refuse('export_items_belong_to_its_duty', 'the duty of the export does not open those items');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER export_for_a_duty BEFORE INSERT ON records_export
    FOR EACH ROW EXECUTE FUNCTION records_export_for_a_duty();
"""
EXPORTS_UNDONE = """
DROP TRIGGER export_for_a_duty ON records_export;
DROP FUNCTION records_export_for_a_duty();
"""


class Migration(migrations.Migration):
    dependencies = [("records", "0025_consent"), ("access", "0009_duties")]

    operations = [migrations.RunSQL(LISTS, LISTS_UNDONE), migrations.RunSQL(EXPORTS, EXPORTS_UNDONE)]
