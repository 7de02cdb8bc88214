"""Records follow the catalogue: none without an item in force and a valid basis, none shown of a suspended item."""

from django.db import migrations

OPEN = """
DROP POLICY record_read_with_a_query_line ON records_record;
CREATE POLICY record_read_with_a_query_line ON records_record FOR SELECT USING (
    EXISTS (
        SELECT 1 FROM access_queryperson q
         WHERE q.person_id = records_record.person_id
           AND q.at = transaction_timestamp() AND q.xid = pg_current_xact_id()
           AND q.allowed
           AND (q.items IS NULL OR records_record.item_id = ANY (q.items))
           AND records_record.state = 1 AND records_record.query_until > cf_today()
           AND (q.kind <> 'Q6' OR records_record.publication @> cf_today())
           AND records_record.item_id <> ALL ((SELECT catalogue_withdrawn_items())::bigint[])
           AND (q.kind = 'Q1' OR records_record.item_id <> ALL ((SELECT catalogue_withheld_items())::bigint[]))
    )
);

CREATE OR REPLACE FUNCTION records_person_by_public_document(full_name text, document text) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT min(p.id) FROM records_record r JOIN accounts_person p ON p.id = r.person_id
     WHERE r.doc_no = document AND p.name = full_name AND r.state = 1
       AND r.publication IS NOT NULL AND r.publication @> cf_today()
       AND r.item_id <> ALL ((SELECT catalogue_withdrawn_items() || catalogue_withheld_items())::bigint[])
    HAVING count(DISTINCT p.id) = 1
$$;

-- Nothing is recorded unless its item is in force today and a version with a valid basis covers the document's day.
CREATE OR REPLACE FUNCTION records_versions_need_an_item_in_force() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (
        WITH kinds AS MATERIALIZED (
            SELECT DISTINCT r.item_id, f.item_version_id, f.doc_date
              FROM fresh f JOIN records_record r ON r.id = f.record_id WHERE f.deed IN (1, 2)
        ), allowed AS MATERIALIZED (
            SELECT s.* FROM catalogue_standing s WHERE s.id IN (SELECT item_version_id FROM kinds)
               AND s.state IN ('published', 'in_force')
        ), now_in_force AS MATERIALIZED (
            SELECT v.item_id FROM catalogue_itemversion v WHERE v.id IN (SELECT catalogue_in_force(cf_today()))
        )
        SELECT 1 FROM kinds k LEFT JOIN allowed s ON s.id = k.item_version_id AND s.item_id = k.item_id
            AND s.effective @> k.doc_date AND s.collected_on @> k.doc_date
         WHERE s.id IS NULL OR k.item_id NOT IN (SELECT item_id FROM now_in_force)
    ) THEN
        RAISE EXCEPTION 'no catalogue item in force allows this record'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'recordversion_item_is_in_force';
    END IF;
    -- Nobody is put on a list by a delivery, and nobody but the court writes the court's list.
    IF EXISTS (
        SELECT 1 FROM catalogue_item i
          JOIN (SELECT DISTINCT r.item_id, f.item_version_id FROM fresh f
                  JOIN records_record r ON r.id = f.record_id WHERE f.deed IN (1, 2)) k ON k.item_id = i.id
          JOIN catalogue_itemversion v ON v.id = k.item_version_id
         WHERE i.category = '06' OR v.source_channel NOT IN ('FILE', 'FORM', 'API')
    ) THEN
        RAISE EXCEPTION 'this item is not supplied by deliveries'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'recordversion_comes_by_its_channel';
    END IF;
    RETURN NULL;
END $$;

-- How many records an item has: numbers for those who change the catalogue, never a file.
CREATE FUNCTION records_count_of_items(items bigint[]) RETURNS TABLE (item_id bigint, held bigint, shown bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT r.item_id, count(*), count(*) FILTER (WHERE r.publication @> cf_today())
      FROM records_record r WHERE r.item_id = ANY (items) AND r.state = 1 AND r.query_until > cf_today()
     GROUP BY r.item_id
$$;
"""
GUARD = """
CREATE OR REPLACE FUNCTION records_batch_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE one_hand boolean;
BEGIN
    IF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (
        ('received', 'parsing'), ('received', 'cancelled'), ('received', 'failed'),
        ('parsing', 'received'), ('parsing', 'checking'), ('parsing', 'refused'), ('parsing', 'cancelled'),
        ('parsing', 'failed'), ('checking', 'checked'), ('checking', 'received'), ('checking', 'failed'),
        ('checked', 'committing'), ('checked', 'cancelled'), ('checked', 'received'),
        ('committing', 'committed'), ('committing', 'checked'),
        ('committed', 'withdrawing'), ('withdrawing', 'withdrawn'), ('withdrawing', 'committed'),
        ('failed', 'received'), ('failed', 'cancelled')
    ) THEN
        RAISE EXCEPTION 'batch may not go from % to %', OLD.state, NEW.state
            USING ERRCODE = 'check_violation', CONSTRAINT = 'batch_moves_along_its_arrows';
    END IF;
    IF (NEW.item_id, NEW.supplier_id, NEW.uploaded_by_id, NEW.file_id, NEW.channel)
       IS DISTINCT FROM (OLD.item_id, OLD.supplier_id, OLD.uploaded_by_id, OLD.file_id, OLD.channel) THEN
        RAISE EXCEPTION 'the origin of a batch never changes'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'batch_origin_is_fixed';
    END IF;
    IF NEW.committed_by_id IS NOT NULL AND NEW.committed_by_id = NEW.uploaded_by_id
       AND OLD.committed_by_id IS DISTINCT FROM NEW.committed_by_id THEN
        SELECT i.one_hand_by_command INTO one_hand FROM catalogue_item i WHERE i.id = NEW.item_id;
        IF NEW.channel <> 'command' OR NOT coalesce(one_hand, false) THEN
            RAISE EXCEPTION 'another officer commits'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'batch_committed_by_another';
        END IF;
    END IF;
    RETURN NEW;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("records", "0002_rules"), ("catalogue", "0007_rules")]
    operations = [
        migrations.RunSQL(OPEN + GUARD, "DROP FUNCTION records_count_of_items(bigint[]);"),
    ]
