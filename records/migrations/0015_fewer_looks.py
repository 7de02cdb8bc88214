"""The rules of new rows, asked in fewer looks at them: what a delivery writes is wide, and each look reads all of it.

The refusals are the same. `recordversion_waits_for_its_notice` and the comparison of a new record with its version go
along with the look that asks the catalogue, as all three join versions with their records.
"""

from django.db import migrations

KEYS = """
-- What new rows point at exists, and stays until they are committed. Arguments: column, table, column, table, …
-- The first column may hold as many keys as there are rows; the others hold few, which one look finds together.
CREATE OR REPLACE FUNCTION records_keys_exist() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE wanted bigint[]; own bigint[]; missing bigint; few jsonb := '{}'; columns text;
BEGIN
    IF TG_OP = 'INSERT' THEN
        SELECT string_agg(format('%I', TG_ARGV[n]), ', ') INTO columns FROM generate_series(2, TG_NARGS - 2, 2) n;
        EXECUTE format('SELECT coalesce(jsonb_object_agg(key, keys), ''{}'') FROM (
                            SELECT e.key, jsonb_agg(DISTINCT e.value) AS keys FROM (SELECT DISTINCT %s FROM fresh) d,
                                   LATERAL jsonb_each(to_jsonb(d)) e WHERE e.value <> ''null'' GROUP BY e.key) each', columns)
           INTO few;
    END IF;
    FOR n IN 0 .. TG_NARGS - 2 BY 2 LOOP
        IF TG_OP = 'INSERT' AND n > 0 THEN
            CONTINUE WHEN NOT few ? TG_ARGV[n];
            wanted := ARRAY(SELECT jsonb_array_elements_text(few -> TG_ARGV[n])::bigint);
        ELSE
            -- What an updated row pointed at before is known to be there.
            EXECUTE format('SELECT array_agg(id) FROM (SELECT DISTINCT %1$I FROM fresh %2$s) f(id) WHERE id IS NOT NULL',
                           TG_ARGV[n], CASE TG_OP WHEN 'UPDATE' THEN format('EXCEPT SELECT %I FROM gone', TG_ARGV[n]) END)
               INTO wanted;
        END IF;
        CONTINUE WHEN wanted IS NULL;
        -- Rows of this very transaction nobody else can delete. Looked up by array, not joined: rows just written have
        -- no statistics yet, and a join may be planned for one row and meet a million.
        EXECUTE format('SELECT array_agg(id) FROM %1$I WHERE id = ANY ($1) AND xmin = pg_current_xact_id()::xid',
                       TG_ARGV[n + 1]) INTO own USING wanted;
        CONTINUE WHEN cardinality(own) = cardinality(wanted);
        -- The others are locked as a foreign key locks them.
        wanted := ARRAY(SELECT unnest(wanted) EXCEPT SELECT unnest(own));
        EXECUTE format('
            WITH locked AS MATERIALIZED (SELECT id FROM %1$I WHERE id = ANY ($1) FOR KEY SHARE)
            SELECT min(id) FROM (SELECT unnest($1) EXCEPT SELECT id FROM locked) absent(id)', TG_ARGV[n + 1]
        ) INTO missing USING wanted;
        IF missing IS NOT NULL THEN
            RAISE foreign_key_violation USING
                MESSAGE = format('insert or update on table "%s" violates foreign key constraint "%s_%s_exists"',
                                 TG_TABLE_NAME, TG_TABLE_NAME, TG_ARGV[n]),
                DETAIL = format('Key (%s)=(%s) is not present in table "%s".', TG_ARGV[n], missing, TG_ARGV[n + 1]),
                TABLE = TG_TABLE_NAME, COLUMN = TG_ARGV[n], CONSTRAINT = format('%s_%s_exists', TG_TABLE_NAME, TG_ARGV[n]);
        END IF;
    END LOOP;
    RETURN NULL;
END $$;
"""
VERSIONS = r"""
-- A new version fits its record and the catalogue: its item is in force today and a version with a valid basis covers the
-- document's day; nobody is put on a list by a delivery, and nobody but the court writes the court's list; where the item
-- wants a notice the record waits for it; and a new record says what its version says.
CREATE OR REPLACE FUNCTION records_versions_need_an_item_in_force() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE broken text; said text;
BEGIN
    WITH kinds AS MATERIALIZED (
        SELECT r.item_id, f.item_version_id, f.doc_date, bool_or(f.deed = 1 AND r.version = f.version AND r.state <> 3) AS used,
               bool_or(f.deed = 1 AND r.version = f.version AND (
                   (f.doc_date, f.severity, f.query_until, f.content_hash) <> (r.doc_date, r.severity, r.query_until, r.content_hash)
                   OR f.publication IS DISTINCT FROM r.publication)) AS differs
          FROM fresh f JOIN records_record r ON r.id = f.record_id WHERE f.deed IN (1, 2)
         GROUP BY r.item_id, f.item_version_id, f.doc_date
    ), allowed AS MATERIALIZED (
        SELECT s.* FROM catalogue_standing s WHERE s.id IN (SELECT item_version_id FROM kinds)
           AND s.state IN ('published', 'in_force')
    ), now_in_force AS MATERIALIZED (
        SELECT v.item_id FROM catalogue_itemversion v WHERE v.id IN (SELECT catalogue_in_force(cf_today()))
    )
    SELECT CASE WHEN bool_or(s.id IS NULL OR k.item_id NOT IN (SELECT item_id FROM now_in_force))
                THEN 'recordversion_item_is_in_force'
                WHEN bool_or(i.category = '06' OR v.source_channel NOT IN ('FILE', 'FORM', 'API'))
                THEN 'recordversion_comes_by_its_channel'
                WHEN bool_or(k.used AND v.notice_mode = 'PRE') THEN 'record_waits_for_its_notice'
                WHEN bool_or(k.differs) AND NOT records_is_written_by_the_owner()
                THEN 'record_says_what_its_version_says' END
      INTO broken
      FROM kinds k JOIN catalogue_item i ON i.id = k.item_id
      LEFT JOIN catalogue_itemversion v ON v.id = k.item_version_id
      LEFT JOIN allowed s ON s.id = k.item_version_id AND s.item_id = k.item_id
           AND s.effective @> k.doc_date AND s.collected_on @> k.doc_date;
    IF broken IS NOT NULL THEN
        said := CASE broken WHEN 'recordversion_item_is_in_force' THEN 'no catalogue item in force allows this record'
                            WHEN 'recordversion_comes_by_its_channel' THEN 'this item is not supplied by deliveries'
                            WHEN 'record_waits_for_its_notice' THEN 'the item wants a notice before a record is used'
                            ELSE 'a record says what its version says' END;
        PERFORM catalogue_refuse(broken, said);
    END IF;
    RETURN NULL;
END $$;
DROP TRIGGER recordversion_waits_for_its_notice ON records_recordversion;
DROP FUNCTION records_begin_as_the_item_says();
"""


class Migration(migrations.Migration):
    dependencies = [("records", "0014_returned")]
    operations = [migrations.RunSQL(KEYS + VERSIONS, migrations.RunSQL.noop)]
