"""What every reading asks, of plans that a connection keeps.

The lines of the transaction at hand, which open records; that a person's line belongs to a query; an item's name of today.
"""

from django.db import migrations

LINES = """
-- The newest lines are found by their time: the key begins with it, and the index that counted blocks gives way.
ALTER TABLE access_queryperson DROP CONSTRAINT access_queryperson_pkey, ADD PRIMARY KEY (at, seq);
DROP INDEX access_queryperson_at;

-- The persons whom this transaction has written lines for, with what each line opens: nobody else's records can be read.
-- One home for the rule «no log, no data», and planned once per connection: planned with each query that reads records, the
-- partitions of ten years would take longer than the reading.
CREATE FUNCTION access_lines_here() RETURNS TABLE (query_id bigint, person_id bigint, kind varchar, items bigint[])
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp ROWS 50 AS $$
BEGIN
    RETURN QUERY SELECT q.query_id, q.person_id, q.kind, q.items FROM access_queryperson q
                  WHERE q.at = transaction_timestamp() AND q.xid = pg_current_xact_id() AND q.allowed;
END $$;

-- A person's line belongs to a query line of its moment: asked for each query of a statement, not for each person of it. A foreign
-- key asks one by one, and half of writing a page's lines went there. Query lines are never changed, so none is taken away.
ALTER TABLE access_queryperson DROP CONSTRAINT queryperson_belongs_to_a_query;
CREATE FUNCTION access_lines_belong() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE line record;
BEGIN
    FOR line IN SELECT DISTINCT f.query_id, f.at FROM fresh f LOOP
        PERFORM 1 FROM access_query q WHERE q.seq = line.query_id AND q.at = line.at;
        IF NOT FOUND THEN
            RAISE foreign_key_violation USING CONSTRAINT = 'queryperson_belongs_to_a_query', TABLE = 'access_queryperson',
                MESSAGE = format('no query line %s of that moment', line.query_id);
        END IF;
    END LOOP;
    RETURN NULL;
END $$;
CREATE TRIGGER queryperson_belongs_to_a_query AFTER INSERT ON access_queryperson REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION access_lines_belong();

-- Triggers of statements are not handed down to partitions: each gets its own.
CREATE OR REPLACE FUNCTION access_guard_partitions() RETURNS void LANGUAGE plpgsql AS $$
DECLARE part record;
BEGIN
    FOR part IN SELECT inhrelid::regclass AS name FROM pg_inherits
                 WHERE inhparent IN ('access_query'::regclass, 'access_queryperson'::regclass, 'access_queryanswer'::regclass)
                   AND NOT EXISTS (SELECT 1 FROM pg_trigger t WHERE t.tgrelid = inhrelid AND t.tgname = 'no_truncate') LOOP
        EXECUTE format('CREATE TRIGGER no_truncate BEFORE TRUNCATE ON %s EXECUTE FUNCTION cf_refuse_change()', part.name);
    END LOOP;
    FOR part IN SELECT inhrelid::regclass AS name FROM pg_inherits WHERE inhparent = 'access_queryperson'::regclass
                   AND NOT EXISTS (SELECT 1 FROM pg_trigger t WHERE t.tgrelid = inhrelid AND t.tgname = 'belongs_to_a_query') LOOP
        EXECUTE format('CREATE TRIGGER belongs_to_a_query AFTER INSERT ON %s REFERENCING NEW TABLE AS fresh'
                       ' FOR EACH STATEMENT EXECUTE FUNCTION access_lines_belong()', part.name);
    END LOOP;
END $$;
SELECT access_guard_partitions();

-- The items that a duty of an organisation opens today: those that it needs and that are shared with departments.
CREATE OR REPLACE FUNCTION access_duty_items(organisation bigint, duty text) RETURNS bigint[] LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN (SELECT coalesce(array_agg(i.item_id), '{}') FROM access_dutyitem d JOIN access_dutyitem_items i ON i.dutyitem_id = d.id
             WHERE d.organisation_id = organisation AND d.code = duty AND d.state = 'in_force'
               AND d.valid_from <= cf_today() AND (d.valid_to IS NULL OR d.valid_to > cf_today())
               AND i.item_id <> ALL ((SELECT access_closed_items('DEPT'))::bigint[]));
END $$;

-- An item's name by its version in force on a day; empty when there is none.
CREATE FUNCTION access_item_name(item bigint, day date) RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE version record;
BEGIN
    FOR version IN SELECT v.id, v.name FROM catalogue_itemversion v WHERE v.item_id = item AND v.effective @> day LOOP
        IF EXISTS (SELECT 1 FROM catalogue_in_force(day) f(id) WHERE f.id = version.id) THEN  -- by key: not all items are judged
            RETURN version.name;
        END IF;
    END LOOP;
    RETURN '';
END $$;
"""
LINES_UNDONE = """
DROP FUNCTION access_item_name(bigint, date);
CREATE OR REPLACE FUNCTION access_duty_items(organisation bigint, duty text) RETURNS bigint[] LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT coalesce(array_agg(i.item_id), '{}') FROM access_dutyitem d JOIN access_dutyitem_items i ON i.dutyitem_id = d.id
     WHERE d.organisation_id = organisation AND d.code = duty AND d.state = 'in_force'
       AND d.valid_from <= cf_today() AND (d.valid_to IS NULL OR d.valid_to > cf_today())
       AND i.item_id <> ALL ((SELECT access_closed_items('DEPT'))::bigint[])
$$;
CREATE OR REPLACE FUNCTION access_guard_partitions() RETURNS void LANGUAGE plpgsql AS $$
DECLARE part regclass;
BEGIN
    FOR part IN SELECT inhrelid::regclass FROM pg_inherits
                 WHERE inhparent IN ('access_query'::regclass, 'access_queryperson'::regclass, 'access_queryanswer'::regclass)
                   AND NOT EXISTS (SELECT 1 FROM pg_trigger t WHERE t.tgrelid = inhrelid AND t.tgname = 'no_truncate') LOOP
        EXECUTE format('CREATE TRIGGER no_truncate BEFORE TRUNCATE ON %s EXECUTE FUNCTION cf_refuse_change()', part);
    END LOOP;
END $$;
DROP FUNCTION access_lines_belong() CASCADE;
ALTER TABLE access_queryperson
    ADD CONSTRAINT queryperson_belongs_to_a_query FOREIGN KEY (query_id, at) REFERENCES access_query (seq, at);
DROP FUNCTION access_lines_here();
ALTER TABLE access_queryperson DROP CONSTRAINT access_queryperson_pkey, ADD PRIMARY KEY (seq, at);
CREATE INDEX access_queryperson_at ON access_queryperson USING brin (at);
"""


class Migration(migrations.Migration):
    dependencies = [("access", "0018_persons_under_a_line"), ("catalogue", "0009_supply")]

    operations = [migrations.RunSQL(LINES, LINES_UNDONE)]
