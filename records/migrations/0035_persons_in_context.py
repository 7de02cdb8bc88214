"""Rules about records ask of persons as the owner, whoever is open on the connection (accounts 0013)."""

from django.db import migrations

SQL = """
CREATE OR REPLACE FUNCTION records_survivor(person bigint) RETURNS bigint LANGUAGE sql STABLE AS
    $$ SELECT accounts_survivor(person) $$;
"""
UNDONE = """
CREATE OR REPLACE FUNCTION records_survivor(person bigint) RETURNS bigint LANGUAGE sql STABLE AS $$
    WITH RECURSIVE chain(id, next) AS (
        SELECT p.id, p.merged_into_id FROM accounts_person p WHERE p.id = person
        UNION ALL SELECT p.id, p.merged_into_id FROM chain c JOIN accounts_person p ON p.id = c.next
    ) SELECT id FROM chain WHERE next IS NULL
$$;
"""


class Migration(migrations.Migration):
    dependencies = [("records", "0027_mixed_corrections"), ("accounts", "0013_persons_in_context")]
    operations = [migrations.RunSQL(SQL, UNDONE)]
