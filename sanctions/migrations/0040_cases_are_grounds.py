"""A listing case and a reward are grounds of a line by duty too: for those who deal with them, about their person alone."""

from importlib import import_module

from django.db import migrations

COVERS = r"""
-- Whether the case of that number covers a person and an item (NULL: what the case itself says) for this official of a unit. What
-- the register holds is opened by a reward alone, and of it only what stands in its way.
CREATE FUNCTION sanctions_case_covers(number text, official bigint, unit bigint, person bigint, item bigint) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    key bigint := substring(number FROM '^J?L\d{8}-(\d{6,18})$')::bigint;
BEGIN
    IF number LIKE 'JL%' THEN
        RETURN EXISTS (
            SELECT 1 FROM sanctions_rewardcase c
             WHERE c.id = key AND number = sanctions_case_no(c) AND person IN (c.person_id, accounts_survivor(c.person_id)) AND (
                c.organisation_id = unit AND (item IS NULL OR item = ANY (sanctions_reward_items(c.id)))
                   AND (catalogue_holds(official, 'sanctions', 'nominate_reward') OR catalogue_holds(official, 'sanctions', 'decide_reward'))
                OR item IS NULL AND catalogue_holds(official, 'access', 'check_consent') AND EXISTS (
                    SELECT 1 FROM sanctions_rewardpaper p JOIN accounts_user e ON e.id = p.entered_by_id AND e.organisation_id = unit
                     WHERE p.case_id = c.id)));
    END IF;
    RETURN item IS NULL AND EXISTS (
        SELECT 1 FROM sanctions_listingcase c
         WHERE c.id = key AND number = 'L' || to_char(c.opened_on, 'YYYYMMDD') || '-' || lpad(c.id::text, 6, '0')
           AND person IN (c.person_id, accounts_survivor(c.person_id)) AND unit IN (c.organisation_id, c.upper_id)
           AND EXISTS (SELECT 1 FROM unnest(ARRAY['propose_listing', 'review_listing', 'legal_check_listing', 'decide_listing',
                                                  'consent_listing']) AS duty WHERE catalogue_holds(official, 'sanctions', duty)));
END $$;
"""
_WAS = import_module("records.migrations.0053_duties_and_rights").SQL
_WAS = _WAS[_WAS.index("CREATE FUNCTION records_duty_covers") : _WAS.index("-- Asked once for each line")].replace(
    "CREATE FUNCTION", "CREATE OR REPLACE FUNCTION", 1
)
_BEFORE = "            WHEN one IS NULL THEN"
_CASES = "            WHEN q.case_no ~ '^J?L\\d{8}-' THEN sanctions_case_covers(q.case_no, q.actor_id, unit, s.person, s.item)\n"
assert _WAS.count(_BEFORE) == 1


class Migration(migrations.Migration):
    dependencies = [("sanctions", "0031_attestation_rules"), ("records", "0060_listings_go_in")]
    operations = [
        migrations.RunSQL(
            COVERS + _WAS.replace(_BEFORE, _CASES + _BEFORE),
            _WAS + "DROP FUNCTION sanctions_case_covers(text, bigint, bigint, bigint, bigint);",
        )
    ]
