"""Beside persons, a context names the office that asks, and whether the query log is read as a whole."""

from django.db import migrations

SQL = r"""
CREATE FUNCTION accounts_open_offices() RETURNS bigint[] LANGUAGE sql STABLE PARALLEL RESTRICTED AS
    $$ SELECT coalesce(array_agg(substr(one, 2)::bigint), '{}') FROM unnest(accounts_context()) AS one WHERE one ~ '^o' $$;
CREATE FUNCTION accounts_log_is_open() RETURNS boolean LANGUAGE sql STABLE PARALLEL RESTRICTED AS
    $$ SELECT accounts_context() && '{*,l}' $$;

-- Proofs of identity: at the counter that saw the card, and whoever comes with the number to activate.
ALTER TABLE accounts_identityproof ENABLE ROW LEVEL SECURITY;
CREATE POLICY proof_in_context ON accounts_identityproof USING (
    (SELECT accounts_everybody_is_open()) OR person_id = ANY ((SELECT accounts_open_persons())::bigint[])
    OR organisation_id = ANY ((SELECT accounts_open_offices())::bigint[])
);
"""
UNDONE = """
DROP POLICY proof_in_context ON accounts_identityproof;
ALTER TABLE accounts_identityproof DISABLE ROW LEVEL SECURITY;
DROP FUNCTION accounts_log_is_open();
DROP FUNCTION accounts_open_offices();
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0013_persons_in_context")]
    operations = [migrations.RunSQL(SQL, UNDONE)]
