"""Consents, messages, reports, requests at the counter and whom the query log names: no context, no row."""

from django.db import migrations

SQL = """
-- A consent: its person's, its institution's, and on paper that of the counter that entered it. A request that came before
-- the register knew somebody is open to whoever has that number.
ALTER TABLE access_consent ENABLE ROW LEVEL SECURITY;
CREATE POLICY consent_in_context ON access_consent USING (
    (SELECT accounts_everybody_is_open()) OR person_id = ANY ((SELECT accounts_open_persons())::bigint[])
    OR organisation_id = ANY ((SELECT accounts_open_offices())::bigint[])
    OR subject_index = ANY ((SELECT accounts_open_numbers())::bytea[])
    OR channel = 'paper' AND EXISTS (
        SELECT 1 FROM accounts_user u
         WHERE u.id = asked_by_id AND u.organisation_id = ANY ((SELECT accounts_open_offices())::bigint[]))
);

-- Whose consent a number is: its key alone, so that the person sees who tried it.
CREATE FUNCTION access_person_of_consent(consent_number text) RETURNS bigint LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$ SELECT person_id FROM access_consent WHERE number = consent_number $$;

ALTER TABLE access_message ENABLE ROW LEVEL SECURITY;
CREATE POLICY message_in_context ON access_message USING (
    (SELECT accounts_everybody_is_open()) OR person_id = ANY ((SELECT accounts_open_persons())::bigint[])
);

-- Whether the person was told is asked when a transaction ends, whoever is open by then.
ALTER FUNCTION access_consent_is_told() SECURITY DEFINER SET search_path = public, pg_temp;
ALTER FUNCTION access_consentuse_is_told() SECURITY DEFINER SET search_path = public, pg_temp;

ALTER TABLE records_counterrequest ENABLE ROW LEVEL SECURITY;
CREATE POLICY counterrequest_in_context ON records_counterrequest USING (
    (SELECT accounts_everybody_is_open()) OR person_id = ANY ((SELECT accounts_open_persons())::bigint[])
    OR organisation_id = ANY ((SELECT accounts_open_offices())::bigint[])
);

ALTER TABLE records_report ENABLE ROW LEVEL SECURITY;
CREATE POLICY report_in_context ON records_report USING (
    (SELECT accounts_everybody_is_open()) OR person_id = ANY ((SELECT accounts_open_persons())::bigint[])
    OR organisation_id = ANY ((SELECT accounts_open_offices())::bigint[])
);
-- Whoever holds a report has its number and its code; without both there is nothing.
CREATE FUNCTION records_report_held(report_number text, hashes bytea[]) RETURNS SETOF records_report LANGUAGE sql STABLE ROWS 1
SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT * FROM records_report WHERE number = report_number AND code_hash = ANY (hashes) $$;

-- The batch at work is the key to its item's records: a setting that a statement makes up is not enough.
CREATE OR REPLACE FUNCTION records_item_at_work() RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT item_id FROM records_batch
     WHERE id = records_batch_at_work() AND state IN ('checking', 'committing', 'withdrawing')
       AND accounts_context() && ARRAY['*', 'b' || id]
$$;

-- Whom a line of the log is about: this transaction's own lines, a person's own history, or the log read as a whole.
ALTER TABLE access_queryperson ENABLE ROW LEVEL SECURITY;
CREATE POLICY queryperson_in_context ON access_queryperson FOR SELECT USING (
    xid = pg_current_xact_id_if_assigned() OR person_id = ANY ((SELECT accounts_open_persons())::bigint[])
    OR (SELECT accounts_log_is_open())
);
CREATE POLICY queryperson_written ON access_queryperson FOR INSERT WITH CHECK (true);
"""
UNDONE = """
DROP POLICY queryperson_written ON access_queryperson;
DROP POLICY queryperson_in_context ON access_queryperson;
ALTER TABLE access_queryperson DISABLE ROW LEVEL SECURITY;
CREATE OR REPLACE FUNCTION records_item_at_work() RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT item_id FROM records_batch
     WHERE id = records_batch_at_work() AND state IN ('checking', 'committing', 'withdrawing')
$$;
DROP FUNCTION records_report_held(text, bytea[]);
DROP POLICY report_in_context ON records_report;
ALTER TABLE records_report DISABLE ROW LEVEL SECURITY;
DROP POLICY counterrequest_in_context ON records_counterrequest;
ALTER TABLE records_counterrequest DISABLE ROW LEVEL SECURITY;
ALTER FUNCTION access_consentuse_is_told() SECURITY INVOKER RESET search_path;
ALTER FUNCTION access_consent_is_told() SECURITY INVOKER RESET search_path;
DROP POLICY message_in_context ON access_message;
ALTER TABLE access_message DISABLE ROW LEVEL SECURITY;
DROP FUNCTION access_person_of_consent(text);
DROP POLICY consent_in_context ON access_consent;
ALTER TABLE access_consent DISABLE ROW LEVEL SECURITY;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("records", "0035_persons_in_context"), ("accounts", "0014_offices_in_context"),
        ("access", "0018_persons_under_a_line"),
    ]  # fmt: skip
    operations = [migrations.RunSQL(SQL, UNDONE)]
