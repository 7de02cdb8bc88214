"""What came of a case: the register holds a document under its number."""

from django.db import migrations

KNOWN = """
CREATE OR REPLACE FUNCTION access_case_is_known(case_no text, organisation bigint) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT 1 FROM records_record r WHERE r.doc_no = case_no AND r.provider_id = organisation)
$$;
"""
KNOWN_UNDONE = """
CREATE OR REPLACE FUNCTION access_case_is_known(case_no text, organisation bigint) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$ SELECT false $$;
"""


class Migration(migrations.Migration):
    dependencies = [("records", "0022_receipts_of_what_ended"), ("access", "0007_reviews")]

    operations = [migrations.RunSQL(KNOWN, KNOWN_UNDONE)]
