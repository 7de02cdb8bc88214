"""Cases and listings are about persons: the office of the case, the person, or a line of the query log; no context, no row."""

from django.db import migrations

CLOSED = """
-- Whether this transaction has written a line about the person: their own (Q1), or one that covers the roster's item; the public's
-- covers what is public only.
CREATE FUNCTION sanctions_own(person bigint) RETURNS boolean LANGUAGE sql STABLE PARALLEL RESTRICTED COST 1
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT 1 FROM access_queryperson q WHERE q.person_id = person AND q.at = transaction_timestamp()
                      AND q.xid = pg_current_xact_id_if_assigned() AND q.allowed AND q.kind = 'Q1')
$$;
CREATE FUNCTION sanctions_shows(person bigint, roster bigint, public_on daterange) RETURNS boolean LANGUAGE sql STABLE
PARALLEL RESTRICTED COST 1 SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT 1 FROM access_queryperson q WHERE q.person_id = person AND q.at = transaction_timestamp()
                      AND q.xid = pg_current_xact_id_if_assigned() AND q.allowed
                      AND (q.items IS NULL OR (SELECT r.item_id FROM sanctions_roster r WHERE r.id = roster) = ANY (q.items))
                      AND (q.kind <> 'Q6' OR public_on @> cf_today()))
$$;

ALTER TABLE sanctions_listingcase ENABLE ROW LEVEL SECURITY;
CREATE POLICY case_in_context ON sanctions_listingcase USING (
    (SELECT accounts_everybody_is_open()) OR organisation_id = ANY ((SELECT accounts_open_offices())::bigint[])
    OR upper_id = ANY ((SELECT accounts_open_offices())::bigint[]) OR sanctions_own(person_id)
);

-- What a case says: the person under their own line; the offices of the case under a line about the person with its number.
CREATE FUNCTION sanctions_file_is_open(wanted bigint) RETURNS boolean LANGUAGE sql STABLE PARALLEL RESTRICTED
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (
        SELECT 1 FROM sanctions_listingcase c JOIN access_queryperson p ON p.person_id = c.person_id
          JOIN access_query q ON q.seq = p.query_id
         WHERE c.id = wanted AND p.at = transaction_timestamp() AND p.xid = pg_current_xact_id_if_assigned() AND p.allowed
           AND (p.kind = 'Q1' OR q.case_no = 'L' || to_char(c.opened_on, 'YYYYMMDD') || '-' || lpad(c.id::text, 6, '0')
                AND accounts_open_offices() && ARRAY[c.organisation_id, c.upper_id]))
$$;
ALTER TABLE sanctions_casefile ENABLE ROW LEVEL SECURITY;
CREATE POLICY casefile_in_context ON sanctions_casefile USING (
    (SELECT accounts_everybody_is_open()) OR sanctions_file_is_open(case_id)
);
ALTER TABLE sanctions_casepaper ENABLE ROW LEVEL SECURITY;
CREATE POLICY casepaper_with_its_case ON sanctions_casepaper USING (
    EXISTS (SELECT 1 FROM sanctions_listingcase c WHERE c.id = case_id)
);
ALTER TABLE sanctions_caseevent ENABLE ROW LEVEL SECURITY;
CREATE POLICY caseevent_with_its_case ON sanctions_caseevent FOR SELECT USING (
    EXISTS (SELECT 1 FROM sanctions_listingcase c WHERE c.id = case_id)
);
ALTER TABLE sanctions_listing ENABLE ROW LEVEL SECURITY;
CREATE POLICY listing_in_context ON sanctions_listing USING (
    (SELECT accounts_everybody_is_open()) OR organisation_id = ANY ((SELECT accounts_open_offices())::bigint[])
    OR sanctions_shows(person_id, roster_id, publication)
);
"""
UNDONE = """
DROP POLICY listing_in_context ON sanctions_listing;
ALTER TABLE sanctions_listing DISABLE ROW LEVEL SECURITY;
DROP POLICY caseevent_with_its_case ON sanctions_caseevent;
ALTER TABLE sanctions_caseevent DISABLE ROW LEVEL SECURITY;
DROP POLICY casepaper_with_its_case ON sanctions_casepaper;
ALTER TABLE sanctions_casepaper DISABLE ROW LEVEL SECURITY;
DROP POLICY casefile_in_context ON sanctions_casefile;
ALTER TABLE sanctions_casefile DISABLE ROW LEVEL SECURITY;
DROP FUNCTION sanctions_file_is_open(bigint);
DROP POLICY case_in_context ON sanctions_listingcase;
ALTER TABLE sanctions_listingcase DISABLE ROW LEVEL SECURITY;
DROP FUNCTION sanctions_shows(bigint, bigint, daterange);
DROP FUNCTION sanctions_own(bigint);
"""


class Migration(migrations.Migration):
    dependencies = [("sanctions", "0003_case_rules"), ("access", "0035_one_answer_to_who_holds")]
    operations = [migrations.RunSQL(CLOSED, UNDONE)]
