"""What a line of the log or a context opens of rewards and listings is what it is about, while it is; a record ends with its listing."""

from importlib import import_module

from django.db import migrations

# What stands in the way of a reward: under a line that covers the item of the record, as the record itself.
HITS = """
ALTER POLICY rewardhit_under_a_line ON sanctions_rewardhit USING (
    (SELECT accounts_everybody_is_open()) OR EXISTS (
        SELECT 1 FROM access_queryperson q
         WHERE q.person_id IN (sanctions_rewardhit.person_id, accounts_survivor(sanctions_rewardhit.person_id)) AND q.allowed
           AND (q.items IS NULL OR sanctions_rewardhit.item_id = ANY (q.items)) AND q.kind IN ('Q1', 'Q5')
           AND q.at = transaction_timestamp() AND q.xid = pg_current_xact_id())
);
"""
HITS_UNDONE = """
ALTER POLICY rewardhit_under_a_line ON sanctions_rewardhit USING (
    (SELECT accounts_everybody_is_open()) OR EXISTS (
        SELECT 1 FROM access_queryperson q
         WHERE q.person_id IN (sanctions_rewardhit.person_id, accounts_survivor(sanctions_rewardhit.person_id)) AND q.allowed
           AND q.at = transaction_timestamp() AND q.xid = pg_current_xact_id())
);
"""
ITEMS_UNDONE = """
CREATE OR REPLACE FUNCTION sanctions_reward_items(one bigint) RETURNS bigint[] LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT coalesce(array_agg(DISTINCT h.item_id), '{}') FROM sanctions_rewardhit h WHERE h.case_id = one AND h.gone_at IS NULL
$$;
"""
# Which items these are is said of somebody as well: to the person and the unit of the case.
ITEMS = ITEMS_UNDONE.replace(
    "h.gone_at IS NULL\n",
    "h.gone_at IS NULL\n       AND (accounts_everybody_is_open() OR sanctions_case_is_open(one))\n",
)
assert ITEMS != ITEMS_UNDONE

_WAS = import_module("sanctions.migrations.0040_cases_are_grounds").COVERS.replace(
    "CREATE FUNCTION", "CREATE OR REPLACE FUNCTION", 1
)
_ITEM = "(item IS NULL OR item = ANY (sanctions_reward_items(c.id)))"
# Nothing is read of the register before the person's yes, nor once the case is over: what was found then stays noted.
COVERS = _WAS.replace(
    _ITEM,
    """(item IS NULL OR item = ANY (sanctions_reward_items(c.id))
                                              AND c.state IN ('check', 'notice', 'granted', 'published', 'suspended'))""",
)
assert COVERS != _WAS

_LISTING = """
ALTER POLICY listing_in_context ON sanctions_listing USING (
    (SELECT accounts_everybody_is_open()) OR organisation_id = ANY ((SELECT accounts_open_offices())::bigint[])
    OR {shown}
);
"""
# Others than the person and the office see who stands on a roster today: what ended, was annulled or is stayed is over for them.
LISTINGS = _LISTING.format(
    shown="""sanctions_own(person_id) OR sanctions_shows(person_id, roster_id, publication)
       AND period @> cf_today() AND (ended_on IS NULL OR ended_on > cf_today())
       AND NOT EXISTS (SELECT 1 FROM sanctions_listingstay s WHERE s.listing_id = sanctions_listing.id AND s.period @> cf_today())"""
)
LISTINGS_UNDONE = _LISTING.format(shown="sanctions_shows(person_id, roster_id, publication)")

# Whatever statement ends or stays a listing: nobody is given its record any more. Looked at when the transaction ends.
RECORDS = """
CREATE FUNCTION sanctions_record_ends_with_its_listing() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (
        SELECT 1 FROM sanctions_listingcase c JOIN sanctions_listing l ON l.case_id = c.id JOIN records_record r ON r.id = l.record_id
         WHERE c.id = NEW.id AND c.state IN ('suspended', 'removed_early', 'annulled') AND r.state IN (1, 3) AND r.hidden_at IS NULL
           AND r.query_until > cf_today()) THEN
        PERFORM catalogue_refuse('listingcase_ends_in_the_register', 'the record ends with its listing');
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER listingcase_ends_in_the_register AFTER UPDATE ON sanctions_listingcase DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.state <> OLD.state AND NEW.state IN ('suspended', 'removed_early', 'annulled'))
    EXECUTE FUNCTION sanctions_record_ends_with_its_listing();
"""
RECORDS_UNDONE = """
DROP TRIGGER listingcase_ends_in_the_register ON sanctions_listingcase;
DROP FUNCTION sanctions_record_ends_with_its_listing();
"""

# What is taken down from a paper is what stands on it: its no is no yes, and a withdrawal allows nothing.
PAPERS = """
CREATE FUNCTION sanctions_consent_as_on_paper() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE p sanctions_rewardpaper;
BEGIN
    SELECT * INTO p FROM sanctions_rewardpaper WHERE id = NEW.paper_id;
    IF NEW.given AND NOT coalesce(p.deed = 'answer' AND p.agrees
           AND CASE NEW.scope WHEN 'notice' THEN p.notice WHEN 'publish' THEN p.publish ELSE true END, false) THEN
        PERFORM catalogue_refuse('rewardconsent_says_what_its_paper_says', 'the paper does not say yes to this');
    END IF;
    RETURN NEW;
END $$;
-- Named to run after `rewardconsent_begins`.
CREATE TRIGGER rewardconsent_says_what_its_paper_says BEFORE INSERT ON sanctions_rewardconsent FOR EACH ROW
    WHEN (NEW.paper_id IS NOT NULL) EXECUTE FUNCTION sanctions_consent_as_on_paper();
"""
PAPERS_UNDONE = """
DROP TRIGGER rewardconsent_says_what_its_paper_says ON sanctions_rewardconsent;
DROP FUNCTION sanctions_consent_as_on_paper();
"""


class Migration(migrations.Migration):
    dependencies = [("sanctions", "0041_early_removal")]
    operations = [
        migrations.RunSQL(HITS + ITEMS + COVERS, _WAS + ITEMS_UNDONE + HITS_UNDONE),
        migrations.RunSQL(LISTINGS + RECORDS, RECORDS_UNDONE + LISTINGS_UNDONE),
        migrations.RunSQL(PAPERS, PAPERS_UNDONE),
    ]
