"""A query line shows its person too; rules about consents ask of persons as the owner, whoever is open."""

from importlib import import_module

from django.db import migrations

_OLD = import_module("access.migrations.0005_consents").CONSENTS
_BEGINS, _ENDS = _OLD.index("FUNCTION access_consent_granted("), _OLD.index("CREATE FUNCTION access_consent_guard()")
GRANTED_BEFORE = "CREATE OR REPLACE " + _OLD[_BEGINS:_ENDS]
GRANTED = GRANTED_BEFORE.replace(
    """    IF EXISTS (SELECT 1 FROM accounts_person p WHERE p.id = new.person_id
                  AND (p.deceased_on IS NOT NULL OR p.merged_into_id IS NOT NULL)) THEN
""",
    """    IF NOT accounts_may_act(new.person_id) THEN
""",
)
assert GRANTED != GRANTED_BEFORE

LINES = """
-- Whether this transaction has written an allowed line about this person.
CREATE FUNCTION access_reads(person bigint) RETURNS boolean LANGUAGE sql STABLE PARALLEL RESTRICTED COST 1
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT 1 FROM access_queryperson q WHERE q.person_id = person AND q.at = transaction_timestamp()
                      AND q.xid = pg_current_xact_id_if_assigned() AND q.allowed)
$$;
CREATE POLICY person_read_with_a_query_line ON accounts_person FOR SELECT USING (access_reads(id));
CREATE POLICY person_read_with_a_query_line ON accounts_personname FOR SELECT USING (access_reads(person_id));

CREATE OR REPLACE FUNCTION access_survivor(person bigint) RETURNS bigint LANGUAGE sql STABLE AS
    $$ SELECT accounts_survivor(person) $$;
CREATE OR REPLACE FUNCTION access_number_is_of(person bigint, number_index bytea) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT 1 FROM accounts_person p WHERE p.id_index = number_index AND accounts_survivor(p.id) = person)
$$;
"""
UNDONE = """
CREATE OR REPLACE FUNCTION access_number_is_of(person bigint, number_index bytea) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT 1 FROM accounts_person p WHERE p.id_index = number_index AND access_survivor(p.id) = person)
$$;
CREATE OR REPLACE FUNCTION access_survivor(person bigint) RETURNS bigint LANGUAGE sql STABLE AS $$
    WITH RECURSIVE chain(id, next) AS (
        SELECT p.id, p.merged_into_id FROM accounts_person p WHERE p.id = person
        UNION ALL SELECT p.id, p.merged_into_id FROM chain c JOIN accounts_person p ON p.id = c.next
    ) SELECT id FROM chain WHERE next IS NULL
$$;
DROP POLICY person_read_with_a_query_line ON accounts_personname;
DROP POLICY person_read_with_a_query_line ON accounts_person;
DROP FUNCTION access_reads(bigint);
"""


class Migration(migrations.Migration):
    dependencies = [("access", "0016_notices"), ("accounts", "0013_persons_in_context")]
    operations = [migrations.RunSQL(LINES + GRANTED, GRANTED_BEFORE + UNDONE)]
