"""A batch of the listing procedure belongs to a case that has just listed somebody, and says nothing but that."""

from django.db import migrations

RULES = """
CREATE FUNCTION sanctions_batch_is_of_a_listing() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM sanctions_listing l JOIN sanctions_listingcase c ON c.id = l.case_id JOIN sanctions_roster r ON r.id = l.roster_id
         WHERE c.state = 'listed' AND l.record_id IS NULL AND r.item_id = NEW.item_id AND l.organisation_id = NEW.supplier_id
           AND c.drafted_by_id = NEW.uploaded_by_id AND (NEW.committed_by_id IS NULL OR c.decided_by_id = NEW.committed_by_id)) THEN
        PERFORM catalogue_refuse('batch_is_of_a_listing', 'this channel is the listing procedure''s, by its drafter and its head');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER batch_is_of_a_listing BEFORE INSERT OR UPDATE OF committed_by_id ON records_batch FOR EACH ROW
    WHEN (NEW.channel = 'listing' AND NEW.state <> 'cancelled') EXECUTE FUNCTION sanctions_batch_is_of_a_listing();

-- What goes in by it is the decision of such a case about its person; the listing knows its record from then on.
CREATE FUNCTION sanctions_versions_are_of_a_listing() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF (SELECT b.channel FROM records_batch b WHERE b.id = records_batch_at_work()) IS DISTINCT FROM 'listing' THEN
        RETURN NULL;
    END IF;
    IF EXISTS (
        SELECT 1 FROM fresh f JOIN records_record k ON k.id = f.record_id
         WHERE f.deed IN (1, 2) AND NOT EXISTS (
               SELECT 1 FROM sanctions_listing l JOIN sanctions_listingcase c ON c.id = l.case_id JOIN sanctions_roster r ON r.id = l.roster_id
                WHERE c.state = 'listed' AND l.record_id IS NULL AND l.person_id = k.person_id AND l.document_no = k.doc_no
                  AND l.decided_on = k.doc_date AND r.item_id = k.item_id AND (f.publication IS NULL OR f.publication <@ l.publication))) THEN
        PERFORM catalogue_refuse('recordversion_is_of_a_listing', 'the record of a list says what its decision says');
    END IF;
    UPDATE sanctions_listing l SET record_id = k.id
      FROM fresh f JOIN records_record k ON k.id = f.record_id, sanctions_listingcase c, sanctions_roster r
     WHERE f.deed IN (1, 2) AND c.id = l.case_id AND c.state = 'listed' AND r.id = l.roster_id AND r.item_id = k.item_id
       AND l.record_id IS NULL AND l.person_id = k.person_id AND l.document_no = k.doc_no;
    RETURN NULL;
END $$;
CREATE TRIGGER recordversion_is_of_a_listing AFTER INSERT ON records_recordversion
    REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION sanctions_versions_are_of_a_listing();
"""
UNDONE = """
DROP TRIGGER recordversion_is_of_a_listing ON records_recordversion;
DROP FUNCTION sanctions_versions_are_of_a_listing();
DROP TRIGGER batch_is_of_a_listing ON records_batch;
DROP FUNCTION sanctions_batch_is_of_a_listing();
"""


class Migration(migrations.Migration):
    dependencies = [("sanctions", "0004_closed"), ("records", "0060_listings_go_in")]
    operations = [migrations.RunSQL(RULES, UNDONE)]
