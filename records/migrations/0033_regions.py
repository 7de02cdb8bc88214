"""A reading by duty sees no record from beyond the reader's region, whatever statement it comes by."""

from django.db import migrations

REACH = """
-- Whose records the readings by duty of this transaction do not reach: for each line the actor's own organisation counts,
-- whatever the line says. Nobody's (empty) where no region bounds them, and where nobody reads by duty.
CREATE FUNCTION records_beyond_reach() RETURNS bigint[] LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT coalesce(array_agg(DISTINCT far), '{}') FROM (
        SELECT DISTINCT u.organisation_id, l.duty_code FROM access_query l LEFT JOIN accounts_user u ON u.id = l.actor_id
         WHERE l.at = transaction_timestamp() AND l.kind = 'Q5' AND l.decision = 'allowed'
      ) w, unnest(access_beyond(w.organisation_id, w.duty_code)) AS far
$$;
CREATE POLICY record_within_reach ON records_record AS RESTRICTIVE FOR SELECT USING (
    provider_id <> ALL ((SELECT records_beyond_reach())::bigint[])
);
"""
REACH_UNDONE = """
DROP POLICY record_within_reach ON records_record;
DROP FUNCTION records_beyond_reach();
"""


class Migration(migrations.Migration):
    dependencies = [("records", "0032_grants")]

    operations = [migrations.RunSQL(REACH, REACH_UNDONE)]
