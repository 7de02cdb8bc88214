"""What must never happen to records and batches, forbidden in the database.

No log, no data: a record is readable by the application only in a transaction that has written a query line for
its person, or by the batch at work on its item. No record without a batch. Versions are append-only.
"""

from django.db import migrations

RULES = """
ALTER TABLE records_batchrow SET UNLOGGED;
ALTER TABLE records_batchrow SET (autovacuum_vacuum_scale_factor = 0.05);

-- The batch at work in this transaction, if any.
CREATE FUNCTION records_batch_at_work() RETURNS bigint LANGUAGE sql STABLE AS
    $$ SELECT nullif(current_setting('cf.batch', true), '')::bigint $$;

CREATE FUNCTION records_item_at_work() RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT item_id FROM records_batch
     WHERE id = records_batch_at_work() AND state IN ('checking', 'committing', 'withdrawing')
$$;

ALTER TABLE records_record ENABLE ROW LEVEL SECURITY;
CREATE POLICY record_read_with_a_query_line ON records_record FOR SELECT USING (
    EXISTS (
        SELECT 1 FROM access_queryperson q
         WHERE q.person_id = records_record.person_id
           AND q.at = transaction_timestamp() AND q.xid = pg_current_xact_id()
           AND q.allowed
           AND (q.items IS NULL OR records_record.item_id = ANY (q.items))
           AND records_record.state = 1 AND records_record.query_until > cf_today()
           AND (q.kind <> 'Q6' OR records_record.publication @> cf_today())
    )
);
CREATE POLICY record_read_by_the_batch ON records_record FOR SELECT
    USING (item_id = (SELECT records_item_at_work()));
CREATE POLICY record_written_by_the_batch ON records_record FOR INSERT
    WITH CHECK (item_id = (SELECT records_item_at_work()));
CREATE POLICY record_changed_by_the_batch ON records_record FOR UPDATE
    USING (item_id = (SELECT records_item_at_work())) WITH CHECK (item_id = (SELECT records_item_at_work()));

ALTER TABLE records_recordversion ENABLE ROW LEVEL SECURITY;
CREATE POLICY version_read_with_its_record ON records_recordversion FOR SELECT
    USING (EXISTS (SELECT 1 FROM records_record r WHERE r.id = record_id));
CREATE POLICY version_written_by_the_batch ON records_recordversion FOR INSERT
    WITH CHECK (batch_id = (SELECT records_batch_at_work()));

-- A public look-up by document number has to know whom its line is about before it may read anything.
CREATE INDEX records_public_document ON records_record (doc_no) WHERE publication IS NOT NULL;
CREATE FUNCTION records_person_by_public_document(full_name text, document text) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT min(p.id) FROM records_record r JOIN accounts_person p ON p.id = r.person_id
     WHERE r.doc_no = document AND p.name = full_name AND r.state = 1
       AND r.publication IS NOT NULL AND r.publication @> cf_today()
    HAVING count(DISTINCT p.id) = 1
$$;

CREATE TRIGGER recordversion_append_only BEFORE UPDATE OR DELETE ON records_recordversion
    FOR EACH ROW EXECUTE FUNCTION cf_refuse_change();
CREATE TRIGGER recordversion_no_truncate BEFORE TRUNCATE ON records_recordversion
    EXECUTE FUNCTION cf_refuse_change();

-- Nothing is recorded that no item version in force on the document's day allows.
CREATE FUNCTION records_versions_need_an_item_in_force() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (
        SELECT 1 FROM fresh f
          JOIN records_record r ON r.id = f.record_id
          JOIN catalogue_itemversion v ON v.id = f.item_version_id
         WHERE f.deed IN (1, 2)
           AND NOT (v.state = 'in_force' AND v.effective @> f.doc_date AND v.item_id = r.item_id)
    ) THEN
        RAISE EXCEPTION 'no catalogue item in force allows this record'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'recordversion_item_is_in_force';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER recordversion_item_is_in_force AFTER INSERT ON records_recordversion
    REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION records_versions_need_an_item_in_force();

-- Published only when the item version says PUBLIC, and never beyond the longest period of that severity.
CREATE FUNCTION records_publication_within_the_rule() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (
        SELECT 1 FROM fresh f
          JOIN catalogue_itemversion v ON v.id = f.item_version_id
          LEFT JOIN catalogue_publicationperiod p ON p.item_version_id = v.id AND p.severity = f.severity
         WHERE f.publication IS NOT NULL
           AND (v.disclosure <> 'PUBLIC' OR p.id IS NULL OR p.max_months = 0
                OR upper(f.publication) IS NULL
                OR upper(f.publication) > (f.doc_date + make_interval(months => p.max_months))::date)
    ) THEN
        RAISE EXCEPTION 'publication beyond what the catalogue item allows'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'recordversion_publication_within_the_rule';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER recordversion_publication_within_the_rule AFTER INSERT ON records_recordversion
    REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION records_publication_within_the_rule();

-- A batch moves along declared arrows only, and two different people upload and commit.
CREATE FUNCTION records_batch_guard() RETURNS trigger LANGUAGE plpgsql AS $$
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
        SELECT bool_and(v.one_hand_by_command) INTO one_hand
          FROM catalogue_itemversion v WHERE v.item_id = NEW.item_id AND v.state = 'in_force';
        IF NEW.channel <> 'command' OR NOT coalesce(one_hand, false) THEN
            RAISE EXCEPTION 'another officer commits'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'batch_committed_by_another';
        END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER batch_guard BEFORE UPDATE ON records_batch FOR EACH ROW EXECUTE FUNCTION records_batch_guard();
"""
UNDONE = """
DROP TRIGGER batch_guard ON records_batch;
DROP FUNCTION records_batch_guard();
DROP TRIGGER recordversion_publication_within_the_rule ON records_recordversion;
DROP FUNCTION records_publication_within_the_rule();
DROP TRIGGER recordversion_item_is_in_force ON records_recordversion;
DROP FUNCTION records_versions_need_an_item_in_force();
DROP FUNCTION records_person_by_public_document(text, text);
DROP INDEX records_public_document;
DROP TRIGGER recordversion_append_only ON records_recordversion;
DROP TRIGGER recordversion_no_truncate ON records_recordversion;
DROP POLICY version_read_with_its_record ON records_recordversion;
DROP POLICY version_written_by_the_batch ON records_recordversion;
ALTER TABLE records_recordversion DISABLE ROW LEVEL SECURITY;
DROP POLICY record_read_with_a_query_line ON records_record;
DROP POLICY record_read_by_the_batch ON records_record;
DROP POLICY record_written_by_the_batch ON records_record;
DROP POLICY record_changed_by_the_batch ON records_record;
ALTER TABLE records_record DISABLE ROW LEVEL SECURITY;
DROP FUNCTION records_item_at_work();
DROP FUNCTION records_batch_at_work();
"""


class Migration(migrations.Migration):
    dependencies = [("records", "0001_initial"), ("access", "0003_log")]
    operations = [migrations.RunSQL(RULES, UNDONE)]
