"""A context names the account that has signed in too: what a duty opens, it opens to who holds it, not to their office."""

from django.db import migrations

SQL = r"""
CREATE FUNCTION accounts_open_accounts() RETURNS bigint[] LANGUAGE sql STABLE PARALLEL RESTRICTED AS
    $$ SELECT coalesce(array_agg(substr(one, 2)::bigint), '{}') FROM unnest(accounts_context()) AS one WHERE one ~ '^a[0-9]+$' $$;
"""
UNDONE = "DROP FUNCTION accounts_open_accounts();"


class Migration(migrations.Migration):
    dependencies = [("accounts", "0016_two_hands_at_the_counter")]
    operations = [migrations.RunSQL(SQL, UNDONE)]
