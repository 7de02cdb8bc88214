"""What the application's role could still write past the deeds: requests, lines, leaves and nodes that nobody's deed made."""

from django.db import migrations

CONSENTS = """
-- A request that was put to a person stays theirs when its time is over: it is never taken from their sight.
CREATE FUNCTION access_consent_stays_asked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.person_id IS NOT NULL AND NEW.person_id IS DISTINCT FROM OLD.person_id THEN
        PERFORM catalogue_refuse('consent_is_of_its_person', 'a request stays its person''s');
    END IF;
    IF NEW.state = 'lapsed' AND to_jsonb(NEW) - '{state,ended_at}'::text[] IS DISTINCT FROM to_jsonb(OLD) - '{state,ended_at}'::text[] THEN
        PERFORM catalogue_refuse('consent_is_what_was_agreed', 'what nobody answered ends as it was asked');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER consent_stays_asked BEFORE UPDATE ON access_consent
    FOR EACH ROW EXECUTE FUNCTION access_consent_stays_asked();

-- Whoever withdraws for the person at the counter leaves a line under that consent, which the person sees.
CREATE FUNCTION access_withdrawal_leaves_a_line() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT access_is_the_person(NEW.person_id, NEW.ended_by_id) AND NOT EXISTS (
        SELECT 1 FROM access_queryperson p JOIN access_query q ON q.seq = p.query_id AND q.at = p.at
         WHERE p.person_id = access_survivor(NEW.person_id) AND p.kind = 'Q2' AND p.allowed
           AND p.at = transaction_timestamp() AND p.xid = pg_current_xact_id()
           AND q.kind = 'Q2' AND q.actor_id = NEW.ended_by_id AND q.consent_no = NEW.number) THEN
        PERFORM catalogue_refuse('consent_withdrawn_leaves_a_line', 'a withdrawal at the counter leaves a line');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER consent_withdrawn_leaves_a_line AFTER UPDATE OF state ON access_consent FOR EACH ROW
    WHEN (NEW.state = 'withdrawn' AND OLD.state <> 'withdrawn') EXECUTE FUNCTION access_withdrawal_leaves_a_line();
"""
CONSENTS_UNDONE = """
DROP TRIGGER consent_withdrawn_leaves_a_line ON access_consent;
DROP FUNCTION access_withdrawal_leaves_a_line();
DROP TRIGGER consent_stays_asked ON access_consent;
DROP FUNCTION access_consent_stays_asked();
"""
READINGS = """
-- When a registration was made says the database's clock: dated ahead, it would stay open for as long as anybody likes.
CREATE FUNCTION access_request_begins_now() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW.expires_at := transaction_timestamp() + (NEW.expires_at - NEW.created_at);
        NEW.created_at := transaction_timestamp();
    ELSIF NEW.created_at > OLD.created_at THEN
        PERFORM catalogue_refuse('request_is_what_was_registered', 'what was registered is never rewritten');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER request_begins_now BEFORE INSERT OR UPDATE OF created_at ON access_request
    FOR EACH ROW EXECUTE FUNCTION access_request_begins_now();

-- "本人" in the log is the person: the account that asked is theirs.
CREATE FUNCTION access_line_by_the_person() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM access_query q JOIN accounts_user u ON u.id = q.actor_id
         WHERE q.seq = NEW.query_id AND q.at = NEW.at AND q.kind = 'Q1'
           AND u.kind = 'citizen' AND access_survivor(u.person_id) = access_survivor(NEW.person_id)) THEN
        PERFORM catalogue_refuse('queryperson_by_the_person', 'only a person''s own account asks as that person');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER queryperson_by_the_person BEFORE INSERT ON access_queryperson FOR EACH ROW
    WHEN (NEW.kind = 'Q1') EXECUTE FUNCTION access_line_by_the_person();
"""
READINGS_UNDONE = """
DROP TRIGGER queryperson_by_the_person ON access_queryperson;
DROP FUNCTION access_line_by_the_person();
DROP TRIGGER request_begins_now ON access_request;
DROP FUNCTION access_request_begins_now();
"""
SEALS = r"""
-- Lines get their place together with the checkpoint that covers them: places without one would stop every later sealing.
CREATE FUNCTION access_leaf_is_covered() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.number >= coalesce((SELECT max(c.size) FROM access_checkpoint c), 0) THEN
        RAISE EXCEPTION 'lines are sealed under a checkpoint only' USING ERRCODE = 'check_violation',
            CONSTRAINT = 'leaf_under_a_checkpoint';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER leaf_under_a_checkpoint AFTER INSERT ON access_leaf DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION access_leaf_is_covered();

-- The root over the 256 hashes below a kept node (RFC 6962); NULL while they are not all there.
CREATE FUNCTION access_node_over(level smallint, number bigint) RETURNS bytea LANGUAGE plpgsql STABLE AS $$
DECLARE hashes bytea[];
BEGIN
    IF level = 8 THEN
        SELECT array_agg(l.hash ORDER BY l.number) INTO hashes FROM access_leaf l
         WHERE l.number >= access_node_over.number * 256 AND l.number < (access_node_over.number + 1) * 256;
    ELSE
        SELECT array_agg(n.hash ORDER BY n.number) INTO hashes FROM access_node n WHERE n.level = access_node_over.level - 8
           AND n.number >= access_node_over.number * 256 AND n.number < (access_node_over.number + 1) * 256;
    END IF;
    IF coalesce(cardinality(hashes), 0) <> 256 THEN
        RETURN NULL;
    END IF;
    WHILE cardinality(hashes) > 1 LOOP
        SELECT array_agg(sha256('\x01'::bytea || hashes[at] || hashes[at + 1]) ORDER BY at) INTO hashes
          FROM generate_series(1, cardinality(hashes) - 1, 2) at;
    END LOOP;
    RETURN hashes[1];
END $$;
CREATE FUNCTION access_node_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.hash IS DISTINCT FROM access_node_over(NEW.level, NEW.number) THEN
        RAISE EXCEPTION 'a node is kept once all below it stands, and says what that says' USING ERRCODE = 'check_violation',
            CONSTRAINT = 'node_follows_from_what_is_below';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER node_guard BEFORE INSERT ON access_node FOR EACH ROW EXECUTE FUNCTION access_node_guard();
"""
SEALS_UNDONE = """
DROP TRIGGER node_guard ON access_node;
DROP FUNCTION access_node_guard();
DROP FUNCTION access_node_over(smallint, bigint);
DROP TRIGGER leaf_under_a_checkpoint ON access_leaf;
DROP FUNCTION access_leaf_is_covered();
"""


class Migration(migrations.Migration):
    dependencies = [("access", "0019_lines_here")]
    operations = [
        migrations.RunSQL(CONSENTS, CONSENTS_UNDONE),
        migrations.RunSQL(READINGS, READINGS_UNDONE),
        migrations.RunSQL(SEALS, SEALS_UNDONE),
    ]
