"""Intake, lists, work lists and exports follow the register of grants and the region of the reader."""

from importlib import import_module

from django.db import migrations

LISTS = r"""
-- The items of a registered list that its organisation may still read today, and whose records of them: those of its own, or of
-- all within the reach of its duty (NULL: no region bounds it). Raises when the list is not open to the reader who wrote this
-- transaction's query line. No log, no list.
CREATE FUNCTION records_items_of_list(line bigint, registered bigint, OUT items bigint[], OUT providers bigint[])
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
"""
KEPT = """
-- Which of these records are in life and supplied by the organisation, or open to it and within the reach of the duty: their
-- keys and numbers only.
CREATE FUNCTION records_kept(organisation bigint, duty text, keys bigint[]) RETURNS TABLE (record_id bigint, number text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE granted CONSTANT bigint[] := catalogue_granted_items(organisation, 'query_item');
        reach CONSTANT bigint[] := access_reach(organisation, duty);
BEGIN
    RETURN QUERY SELECT r.id, records_number(r.id, r.created_at) FROM records_record r
     WHERE r.id = ANY (keys) AND r.id <> ALL ((SELECT records_unsound())::bigint[])
       AND records_is_in_use(r.state, r.usable_from, r.hidden_at) AND r.query_until > cf_today()
       AND r.item_id <> ALL ((SELECT catalogue_withdrawn_items() || catalogue_withheld_items())::bigint[])
       AND (r.provider_id = organisation
            OR r.item_id = ANY (granted) AND (reach IS NULL OR r.provider_id = ANY (reach)));
END $$;
"""
EXPORTS = """
-- The items that an export may hold today: what its organisation may query, and of what is its own what it may supply.
CREATE FUNCTION records_export_items(organisation bigint, own_only boolean) RETURNS bigint[] LANGUAGE sql STABLE AS $$
    SELECT catalogue_granted_items($1, 'query_item')
        || CASE WHEN $2 THEN catalogue_granted_items($1, 'supply_item') ELSE '{}' END
$$;
-- One plain join, as before: what is granted, and whose records lie beyond the reach of its duty, is asked once.
CREATE OR REPLACE FUNCTION records_export_matches(export bigint) RETURNS SETOF records_record LANGUAGE sql STABLE AS $$
    SELECT r.* FROM records_export e JOIN records_shown() r ON r.item_id = ANY (e.item_ids)
     WHERE e.id = export
       AND r.item_id = ANY ((SELECT records_export_items(x.organisation_id, x.own_only) FROM records_export x
                              WHERE x.id = export)::bigint[])
       AND r.provider_id <> ALL ((SELECT access_beyond(x.organisation_id, x.duty_code) FROM records_export x
                                   WHERE x.id = export)::bigint[])
       AND (e.record_ids IS NULL OR r.id = ANY (e.record_ids))
       AND (NOT e.own_only OR r.provider_id = e.organisation_id)
       AND (e.provider_id IS NULL OR r.provider_id = e.provider_id)
       AND (e.severity IS NULL OR r.severity = e.severity)
       AND (e.decided_from IS NULL OR r.doc_date >= e.decided_from)
       AND (e.decided_until IS NULL OR r.doc_date <= e.decided_until)
       AND (e.ends_by IS NULL OR upper(r.publication) > cf_today() AND upper(r.publication) <= e.ends_by)
       AND CASE e.which WHEN 'public' THEN coalesce(r.publication @> cf_today(), false)
                        WHEN 'not_public' THEN NOT coalesce(r.publication @> cf_today(), false) ELSE true END
$$;
CREATE OR REPLACE FUNCTION records_export_for_a_duty() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT NEW.own_only AND NOT NEW.item_ids <@ access_duty_items(NEW.organisation_id, NEW.duty_code) THEN
        PERFORM catalogue_refuse('export_items_belong_to_its_duty', 'the duty of the export does not open those items');
    END IF;
    IF NOT NEW.item_ids <@ records_export_items(NEW.organisation_id, NEW.own_only) THEN
        PERFORM catalogue_refuse('export_items_are_granted', 'its organisation is not granted those items');
    END IF;
    RETURN NEW;
END $$;
"""
BATCHES = """
-- Nothing is delivered, and nothing goes in, without a grant in force of its supplier; what went in may still be taken back.
CREATE FUNCTION records_batch_under_a_grant() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.item_id <> ALL (catalogue_granted_items(NEW.supplier_id, 'supply_item')) THEN
        PERFORM catalogue_refuse('batch_under_a_grant', 'its supplier is not granted the supply of that item');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER batch_delivered_under_a_grant BEFORE INSERT ON records_batch
    FOR EACH ROW EXECUTE FUNCTION records_batch_under_a_grant();
CREATE TRIGGER batch_committed_under_a_grant BEFORE UPDATE OF state ON records_batch FOR EACH ROW
    WHEN (NEW.state = 'committing' AND OLD.state <> 'committing') EXECUTE FUNCTION records_batch_under_a_grant();
"""
BATCHES_UNDONE = """
DROP TRIGGER batch_committed_under_a_grant ON records_batch;
DROP TRIGGER batch_delivered_under_a_grant ON records_batch;
DROP FUNCTION records_batch_under_a_grant();
"""
_LISTS, _WALK = import_module("records.migrations.0009_lists"), import_module("records.migrations.0018_faster_lists")
_DUTIES = import_module("records.migrations.0026_duties")
_EXPORTS = import_module("records.migrations.0010_list_exports_and_holds")
_OWN = """    SELECT l.items, l.provider INTO allowed, own FROM records_items_of_list(line, registered) l;
"""
_NARROWED = """    IF own IS NOT NULL THEN
        providers := ARRAY[own];
    ELSIF filters ? 'providers' THEN
        providers := ARRAY(SELECT i::bigint FROM jsonb_array_elements_text(filters -> 'providers') i);
    END IF;
"""
for _part in (_OWN, _NARROWED, "allowed bigint[]; own bigint;"):
    assert _part in _WALK.PAGE  # a migration that changed less than it says would be worse
PAGE = (
    _WALK.PAGE.replace(_OWN, _OWN.replace("l.provider", "l.providers"))
    .replace("allowed bigint[]; own bigint;", "allowed bigint[]; own bigint[];")
    .replace(
        _NARROWED,
        """    providers := own;  -- NULL: of everybody
    IF filters ? 'providers' THEN
        providers := ARRAY(SELECT i::bigint FROM jsonb_array_elements_text(filters -> 'providers') i
                            WHERE own IS NULL OR i::bigint = ANY (own));
    END IF;
""",
    )
)
_ITEMS = "DROP FUNCTION records_items_of_list(bigint, bigint);"
_MATCHES = _EXPORTS.MATCHES[_EXPORTS.MATCHES.index("CREATE OR REPLACE FUNCTION records_export_matches") :]
_FOR_A_DUTY = _DUTIES.EXPORTS[_DUTIES.EXPORTS.index("CREATE FUNCTION") : _DUTIES.EXPORTS.index("CREATE TRIGGER")]
EXPORTS_UNDONE = (
    _MATCHES[: _MATCHES.index("$$;") + 3]
    + _FOR_A_DUTY.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")
    + "DROP FUNCTION records_export_items(bigint, boolean);"
)


class Migration(migrations.Migration):
    dependencies = [("records", "0030_visibility"), ("access", "0014_reach"), ("catalogue", "0011_grants")]

    operations = [
        migrations.RunSQL(_ITEMS + LISTS, _ITEMS + _DUTIES.LISTS),
        migrations.RunSQL(PAGE, _WALK.PAGE),
        migrations.RunSQL(
            "DROP FUNCTION records_kept(bigint, bigint[]);" + KEPT,
            "DROP FUNCTION records_kept(bigint, text, bigint[]);" + _LISTS.KEPT,
        ),
        migrations.RunSQL(EXPORTS, EXPORTS_UNDONE),
        migrations.RunSQL(BATCHES, BATCHES_UNDONE),
    ]
