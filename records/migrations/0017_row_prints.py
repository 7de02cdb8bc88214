"""What a delivered row is known by when it is sent again: 16 keyed bytes with the record that it made.

A print stands for the version that its row made. Whatever else changes a record takes the print away, so that the next
delivery of that row is read in full.
"""

from django.db import migrations, models

SQL = """
ALTER TABLE records_record ADD CONSTRAINT record_print_is_whole CHECK (octet_length(row_print) = 16);

-- A print comes with a version of its own and goes with the next one, with the person and with the content.
CREATE FUNCTION records_print_goes_with_its_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.row_print = OLD.row_print THEN
        NEW.row_print := NULL;
    ELSIF NEW.row_print IS NOT NULL AND NEW.version = OLD.version THEN
        PERFORM catalogue_refuse('record_print_comes_with_its_version', 'a print stands for the version that its row made');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER record_print_goes_with_its_version BEFORE UPDATE ON records_record FOR EACH ROW WHEN (
    (NEW.row_print IS NOT NULL OR OLD.row_print IS NOT NULL)
    AND (OLD.row_print, OLD.version, OLD.person_id, OLD.item_id, OLD.provider_id, OLD.doc_no, OLD.decider_uscc, OLD.content_hash)
    IS DISTINCT FROM
    (NEW.row_print, NEW.version, NEW.person_id, NEW.item_id, NEW.provider_id, NEW.doc_no, NEW.decider_uscc, NEW.content_hash)
) EXECUTE FUNCTION records_print_goes_with_its_version();

-- The prints by which a batch's rows may be known while it is read, checked or goes in: of its supplier's records of its
-- item, in force and within their time, about persons who stand as they were entered. A row known by one of them is
-- unchanged; any other row is judged in full. No word of a record leaves here.
CREATE FUNCTION records_standing_prints(batch bigint) RETURNS TABLE (record_id bigint, row_print bytea)
LANGUAGE sql STABLE ROWS 100000 SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT k.id, k.row_print FROM records_batch b
      JOIN records_record k ON k.item_id = b.item_id AND k.provider_id = b.supplier_id
     WHERE b.id = batch AND b.state IN ('parsing', 'checking', 'committing')
       AND k.row_print IS NOT NULL AND k.state IN (1, 3) AND k.query_until > cf_today()
       AND k.person_id NOT IN (SELECT p.id FROM accounts_person p
                                WHERE p.deceased_on IS NOT NULL OR p.merged_into_id IS NOT NULL)
       AND k.person_id NOT IN (SELECT n.person_id FROM accounts_personname n)
$$;
"""
UNDONE = """
DROP FUNCTION records_standing_prints(bigint);
DROP TRIGGER record_print_goes_with_its_version ON records_record;
DROP FUNCTION records_print_goes_with_its_version();
ALTER TABLE records_record DROP CONSTRAINT record_print_is_whole;
"""


class Migration(migrations.Migration):
    dependencies = [("records", "0016_holds_are_read"), ("accounts", "0007_persons")]

    operations = [
        migrations.AddField("record", "row_print", models.BinaryField(editable=False, null=True)),
        migrations.AddField("batchrow", "row_print", models.BinaryField(null=True)),
        migrations.RunSQL(SQL, UNDONE),
    ]
