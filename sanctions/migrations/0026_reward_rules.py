"""Rewards held in the database: two hands, the person's yes first, the arrows, the facts that stand in the way, the end."""

from django.db import migrations

PROGRAMMES = r"""
CREATE TRIGGER rewardprogramme_guard BEFORE INSERT OR UPDATE OR DELETE ON sanctions_rewardprogramme FOR EACH ROW
    EXECUTE FUNCTION catalogue_proposed_then_confirmed(
        'state', 'confirmed_by_id', 'confirmed_at', 'withdrawn_reason', 'valid_to');
CREATE FUNCTION sanctions_programme_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NOT catalogue_holds(NEW.proposed_by_id, 'sanctions', 'propose_rewardprogramme') OR NOT EXISTS (
            SELECT 1 FROM accounts_user u WHERE u.id = NEW.proposed_by_id AND u.organisation_id = NEW.organisation_id) THEN
            PERFORM catalogue_refuse('rewardprogramme_proposed_by_its_unit', 'the unit that awards proposes its programme');
        END IF;
        IF NOT EXISTS (SELECT 1 FROM catalogue_item i WHERE i.id = NEW.item_id AND i.category = '11' AND i.polarity = 'P') THEN
            PERFORM catalogue_refuse('rewardprogramme_is_of_an_honour', 'a reward is entered under an item of honours');
        END IF;
        RETURN NEW;
    END IF;
    IF NEW.valid_to IS DISTINCT FROM OLD.valid_to AND (OLD.valid_to IS NOT NULL OR NEW.valid_to < cf_today()) THEN
        PERFORM catalogue_refuse('rewardprogramme_ends_once', 'the end of a programme is set once, from today on');
    END IF;
    IF NEW.state = 'superseded' THEN
        PERFORM catalogue_refuse('rewardprogramme_ends_by_its_day', 'a programme ends by its day');
    END IF;
    IF NEW.state = 'in_force' AND OLD.state = 'draft' THEN
        IF NOT catalogue_holds(NEW.confirmed_by_id, 'sanctions', 'confirm_rewardprogramme') THEN
            PERFORM catalogue_refuse('rewardprogramme_confirmed_by_the_office', 'the credit office confirms');
        END IF;
        IF NOT EXISTS (SELECT 1 FROM sanctions_rewardbenefit b WHERE b.programme_id = NEW.id) THEN
            PERFORM catalogue_refuse('rewardprogramme_has_a_benefit', 'a programme gives something');
        END IF;
    END IF;
    RETURN NEW;
END $$;
-- Named to run after `rewardprogramme_guard`.
CREATE TRIGGER rewardprogramme_rules BEFORE INSERT OR UPDATE ON sanctions_rewardprogramme
    FOR EACH ROW EXECUTE FUNCTION sanctions_programme_guard();
CREATE FUNCTION sanctions_benefit_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM sanctions_rewardprogramme p WHERE p.state <> 'draft'
                  AND (TG_OP <> 'INSERT' AND p.id = OLD.programme_id OR TG_OP <> 'DELETE' AND p.id = NEW.programme_id)) THEN
        PERFORM catalogue_refuse('rewardbenefit_is_fixed', 'what a programme gives is settled while it is a draft');
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER rewardbenefit_guard BEFORE INSERT OR UPDATE OR DELETE ON sanctions_rewardbenefit
    FOR EACH ROW EXECUTE FUNCTION sanctions_benefit_guard();
CREATE TRIGGER rewardprogramme_no_truncate BEFORE TRUNCATE ON sanctions_rewardprogramme EXECUTE FUNCTION cf_refuse_change();
CREATE TRIGGER rewardbenefit_no_truncate BEFORE TRUNCATE ON sanctions_rewardbenefit EXECUTE FUNCTION cf_refuse_change();
"""
PROGRAMMES_UNDONE = """
DROP TRIGGER rewardbenefit_no_truncate ON sanctions_rewardbenefit;
DROP TRIGGER rewardprogramme_no_truncate ON sanctions_rewardprogramme;
DROP TRIGGER rewardbenefit_guard ON sanctions_rewardbenefit;
DROP FUNCTION sanctions_benefit_guard();
DROP TRIGGER rewardprogramme_rules ON sanctions_rewardprogramme;
DROP FUNCTION sanctions_programme_guard();
DROP TRIGGER rewardprogramme_guard ON sanctions_rewardprogramme;
"""
CONFLICTS = r"""
-- The records that stand in the way of a reward today (domain §5.8): serious listings and the court's list in force, other
-- adverse records, general and serious, within their longest publication. Each record is a fact with its own end; nothing is
-- added up. Repaired, expired, cancelled, withdrawn, held back for a check and not yet in use do not count. A listing's own
-- record is what is asked: this function is the one place that knows how. Asked by the owner's check it sees all records, on
-- a connection what its lines open.
CREATE FUNCTION sanctions_reward_conflicts(persons bigint[])
RETURNS TABLE (person_id bigint, record_id bigint, item_id bigint, kind text, ends date) LANGUAGE sql STABLE AS $$
    WITH standing AS MATERIALIZED (
        SELECT w.person, r.id, r.item_id, r.doc_date, r.severity, r.query_until, v.item_version_id,
               CASE WHEN i.code LIKE '%02-COUR-0001' THEN 'court' WHEN i.category = '06' THEN 'listing' ELSE 'adverse' END AS kind
          FROM (SELECT DISTINCT p AS person FROM unnest(persons) p) w
               CROSS JOIN LATERAL accounts_family(accounts_survivor(w.person)) AS f(id)
          JOIN records_record r ON r.person_id = f.id
          JOIN catalogue_item i ON i.id = r.item_id AND i.polarity = 'N'
          JOIN records_recordversion v ON v.record_id = r.id AND v.version = r.version
         WHERE r.state = 1 AND r.hidden_at IS NULL AND r.query_until > cf_today()
           AND r.item_id <> ALL ((SELECT catalogue_withdrawn_items())::bigint[])
           AND r.item_id <> ALL ((SELECT catalogue_withheld_items())::bigint[])
    )
    SELECT s.person, s.id, s.item_id, s.kind, e.ends
      FROM standing s
      LEFT JOIN catalogue_publicationperiod p ON p.item_version_id = s.item_version_id AND p.severity = s.severity
      CROSS JOIN LATERAL (
        SELECT CASE WHEN s.kind = 'court' THEN s.query_until
                    ELSE records_favourable_end(s.doc_date, s.severity, coalesce(nullif(p.max_months, 0),
                             catalogue_deadline_n(CASE WHEN s.severity = 2 THEN 'D20' ELSE 'D21' END, cf_today()))) END AS ends) e
     WHERE (s.kind <> 'adverse' OR s.severity IN (2, 3)) AND e.ends > cf_today()
$$;

-- Bring what is known to stand in the way of these cases up to date; return the cases in which something stands that nobody
-- has decided to set aside.
CREATE FUNCTION sanctions_reward_check(cases bigint[]) RETURNS SETOF bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    WITH live AS MATERIALIZED (
        SELECT c.id, c.person_id FROM sanctions_rewardcase c
         WHERE c.id = ANY (cases) AND c.state IN ('check', 'notice', 'granted', 'published', 'suspended') FOR UPDATE
    ), found AS MATERIALIZED (
        SELECT l.id AS case_id, x.* FROM live l
          JOIN sanctions_reward_conflicts((SELECT array_agg(person_id) FROM live)) x ON x.person_id = l.person_id
    ), gone AS (
        UPDATE sanctions_rewardhit h SET gone_at = now() FROM live l
         WHERE h.case_id = l.id AND h.gone_at IS NULL
           AND NOT EXISTS (SELECT 1 FROM found f WHERE f.case_id = h.case_id AND f.record_id = h.record_id)
    )
    INSERT INTO sanctions_rewardhit AS h (case_id, person_id, record_id, item_id, kind, found_at, set_aside)
    SELECT f.case_id, f.person_id, f.record_id, f.item_id, f.kind, now(), false FROM found f
     ORDER BY f.case_id, f.record_id
    ON CONFLICT (case_id, record_id) DO UPDATE SET gone_at = NULL, found_at = now(), set_aside = false
     WHERE h.gone_at IS NOT NULL;
    RETURN QUERY SELECT DISTINCT h.case_id FROM sanctions_rewardhit h
                  WHERE h.case_id = ANY (cases) AND h.gone_at IS NULL AND NOT h.set_aside ORDER BY 1;
END $$;
-- Under which items something stands in the way: what a line must name before anything is read.
CREATE FUNCTION sanctions_reward_items(one bigint) RETURNS bigint[] LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT coalesce(array_agg(DISTINCT h.item_id), '{}') FROM sanctions_rewardhit h WHERE h.case_id = one AND h.gone_at IS NULL
$$;
"""
CONFLICTS_UNDONE = """
DROP FUNCTION sanctions_reward_items(bigint);
DROP FUNCTION sanctions_reward_check(bigint[]);
DROP FUNCTION sanctions_reward_conflicts(bigint[]);
"""
CASES = r"""
INSERT INTO sanctions_rewardarrow (deed, from_state, to_state, actor) VALUES
    ('asked', 'nominated', 'consent', 'nominator'),
    ('agreed', 'consent', 'check', 'person'), ('declined', 'consent', 'declined', 'person'),
    ('lapsed', 'consent', 'declined', 'calendar'),
    ('notice', 'check', 'notice', 'decider'), ('granted', 'check', 'granted', 'decider'),
    ('returned', 'check', 'returned', 'decider'),
    ('granted', 'notice', 'granted', 'decider'), ('returned', 'notice', 'returned', 'decider'),
    ('hidden', 'notice', 'notice', 'person'), ('hidden', 'published', 'granted', 'person'),
    ('published', 'granted', 'published', 'calendar'),
    ('suspended', 'granted', 'suspended', 'calendar'), ('suspended', 'published', 'suspended', 'calendar'),
    ('explained', 'suspended', 'suspended', 'person'), ('resumed', 'suspended', 'granted', 'decider'),
    ('revoked', 'suspended', 'ended', 'decider'), ('revoked', 'granted', 'ended', 'decider'),
    ('revoked', 'published', 'ended', 'decider'),
    ('expired', 'granted', 'ended', 'calendar'), ('expired', 'published', 'ended', 'calendar'),
    ('expired', 'suspended', 'ended', 'calendar'),
    ('withdrawn', 'check', 'ended', 'person'), ('withdrawn', 'notice', 'ended', 'person'),
    ('withdrawn', 'granted', 'ended', 'person'), ('withdrawn', 'published', 'ended', 'person'),
    ('withdrawn', 'suspended', 'ended', 'person'),
    ('commented', 'returned', 'returned', 'person');

CREATE FUNCTION sanctions_case_no(one sanctions_rewardcase) RETURNS text LANGUAGE sql STABLE AS
    $$ SELECT records_paper_no('JL', one.id, one.nominated_at) $$;

-- Whether the person's last word on a subject is yes; what nobody asked them is no.
CREATE FUNCTION sanctions_agrees(one bigint, subject text) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT coalesce((SELECT c.given FROM sanctions_rewardconsent c WHERE c.case_id = one AND c.scope = subject
                      ORDER BY c.id DESC LIMIT 1), false)
$$;

-- Whether this is the person's own deed: by their account under their own line, or by their paper that another has checked.
CREATE FUNCTION sanctions_is_the_persons(one sanctions_rewardcase, who bigint, on_paper bigint, what text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT CASE WHEN on_paper IS NULL THEN access_is_the_person(one.person_id, who) ELSE EXISTS (
        SELECT 1 FROM sanctions_rewardpaper p
         WHERE p.id = on_paper AND p.case_id = one.id AND p.state = 'approved' AND p.checked_by_id = who AND p.deed = what) END
$$;

-- A case begins with a nomination by an official of the programme's unit, about somebody living, for an award whose term runs.
CREATE FUNCTION sanctions_reward_begins() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE p sanctions_rewardprogramme;
BEGIN
    NEW.nominated_at := now();
    NEW.moved_at := now();
    SELECT * INTO p FROM sanctions_rewardprogramme WHERE id = NEW.programme_id;
    IF NEW.state <> 'nominated' OR NEW.was_public OR NEW.record_no <> '' OR NEW.end_kind <> ''
       OR num_nonnulls(NEW.answer_by, NEW.decide_from, NEW.public_to, NEW.decided_by_id, NEW.valid_to) > 0 THEN
        PERFORM catalogue_refuse('rewardcase_begins_nominated', 'a case begins with a nomination');
    END IF;
    IF NOT catalogue_holds(NEW.nominated_by_id, 'sanctions', 'nominate_reward') OR NEW.organisation_id <> p.organisation_id
       OR NOT EXISTS (SELECT 1 FROM accounts_user u WHERE u.id = NEW.nominated_by_id AND u.organisation_id = p.organisation_id) THEN
        PERFORM catalogue_refuse('rewardcase_nominated_by_its_unit', 'an official of the programme''s unit nominates');
    END IF;
    IF p.state <> 'in_force' OR p.valid_from > cf_today() OR p.valid_to <= cf_today() THEN
        PERFORM catalogue_refuse('rewardcase_under_a_programme_in_force', 'the programme is not in force');
    END IF;
    IF NOT accounts_may_act(NEW.person_id) THEN
        PERFORM catalogue_refuse('rewardcase_of_the_living', 'nobody is rewarded who cannot say yes');
    END IF;
    IF NEW.award_on > cf_today() OR (NEW.award_on + make_interval(months => p.term_months))::date <= cf_today() THEN
        PERFORM catalogue_refuse('rewardcase_within_its_term', 'the award is of today or before, and its term runs');
    END IF;
    IF (p.source IN ('4', '5')) <> (NEW.recommended_by <> '') THEN
        PERFORM catalogue_refuse('rewardcase_names_who_recommended', 'an association or a medium recommends under these sources alone');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER rewardcase_begins BEFORE INSERT ON sanctions_rewardcase
    FOR EACH ROW EXECUTE FUNCTION sanctions_reward_begins();

-- Moved by its steps, which are the owner's; whom, under what and by whom it is about stays.
CREATE FUNCTION sanctions_reward_is_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR current_user <> (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID)
       OR OLD.state IN ('ended', 'declined') OR OLD.state = 'returned' AND NEW.state <> 'returned'
       OR (NEW.id, NEW.programme_id, NEW.organisation_id, NEW.person_id, NEW.nominated_by_id, NEW.nominated_at)
          IS DISTINCT FROM (OLD.id, OLD.programme_id, OLD.organisation_id, OLD.person_id, OLD.nominated_by_id, OLD.nominated_at) THEN
        PERFORM catalogue_refuse('rewardcase_is_moved_by_its_steps', 'a case is moved by its steps, and never after its end');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER rewardcase_is_fixed BEFORE UPDATE OR DELETE ON sanctions_rewardcase
    FOR EACH ROW EXECUTE FUNCTION sanctions_reward_is_fixed();
CREATE TRIGGER rewardcase_no_truncate BEFORE TRUNCATE ON sanctions_rewardcase EXECUTE FUNCTION cf_refuse_change();
"""
CASES_UNDONE = """
DROP TRIGGER rewardcase_no_truncate ON sanctions_rewardcase;
DROP TRIGGER rewardcase_is_fixed ON sanctions_rewardcase;
DROP FUNCTION sanctions_reward_is_fixed();
DROP TRIGGER rewardcase_begins ON sanctions_rewardcase;
DROP FUNCTION sanctions_reward_begins();
DROP FUNCTION sanctions_is_the_persons(sanctions_rewardcase, bigint, bigint, text);
DROP FUNCTION sanctions_agrees(bigint, text);
DROP FUNCTION sanctions_case_no(sanctions_rewardcase);
DELETE FROM sanctions_rewardarrow;
"""
STEPS = r"""
-- The number of the record that a batch of the case's unit entered about its person, award and item; NULL when there is none.
CREATE FUNCTION sanctions_reward_record(batch bigint, c sanctions_rewardcase) RETURNS text LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT records_number(r.id, r.created_at)
      FROM records_recordversion v JOIN records_record r ON r.id = v.record_id AND r.version = v.version
      JOIN records_batch b ON b.id = v.batch_id AND b.supplier_id = c.organisation_id AND b.state = 'committed'
      JOIN sanctions_rewardprogramme p ON p.id = c.programme_id AND p.item_id = r.item_id
     WHERE v.batch_id = batch AND r.state IN (1, 3) AND r.doc_no = c.award_no
       AND accounts_survivor(r.person_id) = accounts_survivor(c.person_id)
$$;

-- Whose deed it is.
CREATE FUNCTION sanctions_step_by_the_right_hand(c sanctions_rewardcase, s sanctions_rewardstep, actor text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF actor = 'calendar' AND num_nonnulls(s.by_id, s.paper_id) > 0
       OR actor = 'nominator' AND s.by_id IS DISTINCT FROM c.nominated_by_id THEN
        PERFORM catalogue_refuse('rewardstep_by_the_right_hand', format('this is done by: %s', actor));
    END IF;
    IF actor = 'person' AND NOT sanctions_is_the_persons(c, s.by_id, s.paper_id,
           CASE WHEN s.deed IN ('agreed', 'declined') THEN 'answer' WHEN s.deed IN ('withdrawn', 'hidden') THEN 'withdraw' END) THEN
        PERFORM catalogue_refuse('rewardstep_by_the_person', 'nobody but the person does this');
    END IF;
    IF actor = 'decider' THEN
        IF s.by_id = c.nominated_by_id OR NOT catalogue_holds(s.by_id, 'sanctions', 'decide_reward') OR NOT EXISTS (
            SELECT 1 FROM accounts_user u WHERE u.id = s.by_id AND u.organisation_id = c.organisation_id) THEN
            PERFORM catalogue_refuse('rewardstep_decided_by_another', 'another official of the unit than who nominated decides');
        END IF;
        IF NOT records_was_opened(s.by_id, sanctions_case_no(c), accounts_survivor(c.person_id), c.moved_at) THEN
            PERFORM catalogue_refuse('rewardstep_opened_before', 'whoever decides has read the check, with a line in the query log');
        END IF;
    END IF;
END $$;

-- What the calendar does follows from dates and facts alone.
CREATE FUNCTION sanctions_step_is_due(c sanctions_rewardcase, s sanctions_rewardstep) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT coalesce(CASE s.deed
        WHEN 'lapsed' THEN c.answer_by < cf_today() OR NOT accounts_may_act(accounts_survivor(c.person_id))
        WHEN 'expired' THEN c.valid_to <= cf_today() OR NOT accounts_may_act(accounts_survivor(c.person_id))
        WHEN 'published' THEN sanctions_agrees(c.id, 'publish') AND c.valid_to > cf_today()
        WHEN 'suspended' THEN EXISTS (SELECT 1 FROM sanctions_reward_check(ARRAY[c.id]))
        END, false) THEN
        PERFORM catalogue_refuse('rewardstep_is_due', format('no fact and no date lead to %s', s.deed));
    END IF;
END $$;

-- Time that people are given is never shorter than the table says: working days are never fewer than days.
CREATE FUNCTION sanctions_step_gives_time(s sanctions_rewardstep) RETURNS void LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF s.deed IN ('asked', 'suspended', 'notice') AND (s.until IS NULL
       OR s.until < cf_today() + catalogue_deadline_n(CASE s.deed WHEN 'notice' THEN 'D35' ELSE 'D91' END, cf_today())) THEN
        PERFORM catalogue_refuse('rewardstep_gives_time', 'a notice and an answer have their time');
    END IF;
END $$;

-- What must hold before a deed is done.
CREATE FUNCTION sanctions_step_may_be_done(c sanctions_rewardcase, s sanctions_rewardstep) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE p sanctions_rewardprogramme;
BEGIN
    SELECT * INTO p FROM sanctions_rewardprogramme WHERE id = c.programme_id;
    IF s.deed = 'agreed' AND (c.answer_by < cf_today() OR NOT sanctions_agrees(c.id, 'reward')) THEN
        PERFORM catalogue_refuse('rewardcase_agreed_in_time', 'the person says yes within their time');
    END IF;
    IF s.deed IN ('notice', 'granted') AND (NOT sanctions_agrees(c.id, 'reward') OR NOT accounts_may_act(accounts_survivor(c.person_id))) THEN
        PERFORM catalogue_refuse('rewardcase_consent_first', 'nothing is done without the person''s yes');
    END IF;
    IF s.deed IN ('notice', 'granted') AND EXISTS (SELECT 1 FROM sanctions_reward_check(ARRAY[c.id])) THEN
        PERFORM catalogue_refuse('rewardcase_nothing_stands_in_the_way', 'a record in force stands in the way');
    END IF;
    IF s.deed = 'notice' AND NOT sanctions_agrees(c.id, 'notice') THEN
        PERFORM catalogue_refuse('rewardcase_public_with_consent', 'nothing is public without the person''s consent to it');
    END IF;
    IF s.deed = 'granted' THEN
        IF c.state = 'check' AND sanctions_agrees(c.id, 'notice') OR c.state = 'notice' AND c.public_to > cf_today() THEN
            PERFORM catalogue_refuse('rewardcase_after_its_notice', 'what the person agreed to have announced is announced first');
        END IF;
        IF EXISTS (SELECT 1 FROM sanctions_rewardobjection o WHERE o.case_id = c.id AND o.answer = '') THEN
            PERFORM catalogue_refuse('rewardcase_objections_are_answered', 'every objection is answered first');
        END IF;
        IF sanctions_reward_record(s.batch_id, c) IS NULL THEN
            PERFORM catalogue_refuse('rewardcase_granted_stands_in_the_register', 'the fact is in the register');
        END IF;
        IF (c.award_on + make_interval(months => p.term_months))::date <= cf_today() THEN
            PERFORM catalogue_refuse('rewardcase_within_its_term', 'the term of the award is over');
        END IF;
    END IF;
    IF s.deed = 'resumed' THEN
        PERFORM sanctions_reward_check(ARRAY[c.id]);
        IF EXISTS (SELECT 1 FROM sanctions_rewardhit h WHERE h.case_id = c.id AND h.gone_at IS NULL AND h.kind <> 'adverse') THEN
            PERFORM catalogue_refuse('rewardcase_nothing_stands_in_the_way', 'a serious listing or the court''s list stands in the way');
        END IF;
    END IF;
    IF s.deed = 'revoked' AND c.state = 'suspended' AND coalesce(c.decide_from > cf_today(), true) THEN
        PERFORM catalogue_refuse('rewardcase_hears_the_person_first', 'the person has their time to explain');
    END IF;
    IF s.deed = 'revoked' AND c.state <> 'suspended' AND s.document_no = '' THEN
        PERFORM catalogue_refuse('rewardcase_revoked_by_a_document', 'the awarding unit revokes by a document');
    END IF;
END $$;

CREATE FUNCTION sanctions_reward_stepped() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE c sanctions_rewardcase; a sanctions_rewardarrow; months int;
BEGIN
    NEW.at := now();
    SELECT * INTO c FROM sanctions_rewardcase WHERE id = NEW.case_id FOR UPDATE;
    SELECT * INTO a FROM sanctions_rewardarrow WHERE deed = NEW.deed AND from_state = c.state;
    IF a.id IS NULL THEN
        PERFORM catalogue_refuse('rewardcase_moves_along_its_arrows', format('a case that is %s is not %s', c.state, NEW.deed));
    END IF;
    PERFORM sanctions_step_by_the_right_hand(c, NEW, a.actor);
    IF a.actor = 'calendar' THEN
        PERFORM sanctions_step_is_due(c, NEW);
    END IF;
    PERFORM sanctions_step_gives_time(NEW), sanctions_step_may_be_done(c, NEW);
    SELECT term_months INTO months FROM sanctions_rewardprogramme WHERE id = c.programme_id;
    c.state := a.to_state;
    IF NEW.deed NOT IN ('commented', 'hidden') THEN
        c.moved_at := now();
    END IF;
    c.answer_by := CASE WHEN NEW.deed IN ('asked', 'suspended') THEN NEW.until
                        WHEN NEW.deed IN ('hidden', 'commented') THEN c.answer_by END;
    c.decide_from := CASE WHEN NEW.deed IN ('suspended', 'notice') THEN NEW.until + 1
                          WHEN NEW.deed IN ('agreed', 'explained', 'hidden') THEN cf_today() END;
    c.public_to := CASE NEW.deed WHEN 'notice' THEN NEW.until + 1 WHEN 'published' THEN c.valid_to END;
    c.was_public := c.was_public OR c.public_to IS NOT NULL;
    IF NEW.deed = 'granted' THEN
        c.decided_by_id := NEW.by_id;
        c.record_no := sanctions_reward_record(NEW.batch_id, c);
        c.valid_to := (c.award_on + make_interval(months => months))::date;
    ELSIF NEW.deed = 'returned' THEN
        c.decided_by_id := NEW.by_id;
    ELSIF NEW.deed = 'resumed' THEN
        UPDATE sanctions_rewardhit SET set_aside = true WHERE case_id = c.id AND gone_at IS NULL;
    ELSIF c.state = 'ended' THEN
        c.end_kind := NEW.deed;
    ELSIF c.state = 'declined' THEN  -- nothing is kept but the refusal itself
        c.honour := ''; c.year := ''; c.award_no := ''; c.award_on := NULL; c.recommended_by := ''; c.reason := '';
    END IF;
    UPDATE sanctions_rewardcase SET state = c.state, moved_at = c.moved_at, answer_by = c.answer_by, decide_from = c.decide_from,
           public_to = c.public_to, was_public = c.was_public, decided_by_id = c.decided_by_id, record_no = c.record_no,
           valid_to = c.valid_to, end_kind = c.end_kind, honour = c.honour, year = c.year, award_no = c.award_no,
           award_on = c.award_on, recommended_by = c.recommended_by, reason = c.reason
     WHERE id = c.id;
    IF NEW.deed = 'agreed' THEN
        PERFORM sanctions_reward_check(ARRAY[c.id]);
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER rewardstep_moves BEFORE INSERT ON sanctions_rewardstep FOR EACH ROW EXECUTE FUNCTION sanctions_reward_stepped();
CREATE TRIGGER rewardstep_append_only BEFORE UPDATE OR DELETE ON sanctions_rewardstep FOR EACH ROW EXECUTE FUNCTION cf_refuse_change();
CREATE TRIGGER rewardstep_no_truncate BEFORE TRUNCATE ON sanctions_rewardstep EXECUTE FUNCTION cf_refuse_change();

-- The person's word: theirs alone, while there is something to say it about. A no takes effect here and now.
CREATE FUNCTION sanctions_consent_begins() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE c sanctions_rewardcase;
BEGIN
    NEW.at := now();
    SELECT * INTO c FROM sanctions_rewardcase WHERE id = NEW.case_id FOR UPDATE;
    IF NOT sanctions_is_the_persons(c, NEW.by_id, NEW.paper_id, CASE c.state WHEN 'consent' THEN 'answer' ELSE 'withdraw' END) THEN
        PERFORM catalogue_refuse('rewardconsent_of_the_person', 'nobody but the person consents');
    END IF;
    IF c.state IN ('nominated', 'ended', 'returned', 'declined') OR NEW.given AND (
           c.state = 'consent' AND c.answer_by < cf_today() OR NEW.scope = 'reward' AND c.state <> 'consent'
           OR NEW.scope = 'notice' AND c.state NOT IN ('consent', 'check')) THEN
        PERFORM catalogue_refuse('rewardconsent_in_its_time', 'there is nothing to consent to');
    END IF;
    IF NEW.given AND NEW.scope <> 'reward' AND NOT sanctions_agrees(c.id, 'reward') THEN
        PERFORM catalogue_refuse('rewardconsent_to_the_reward_first', 'who does not want the reward has nothing made public');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER rewardconsent_begins BEFORE INSERT ON sanctions_rewardconsent
    FOR EACH ROW EXECUTE FUNCTION sanctions_consent_begins();
CREATE FUNCTION sanctions_consent_takes_effect() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE c sanctions_rewardcase; step text;
BEGIN
    SELECT * INTO c FROM sanctions_rewardcase WHERE id = NEW.case_id;
    step := CASE WHEN NEW.scope = 'reward' AND c.state <> 'consent' THEN 'withdrawn'
                 WHEN NEW.scope = 'notice' AND c.state = 'notice' AND c.public_to IS NOT NULL THEN 'hidden'
                 WHEN NEW.scope = 'publish' AND c.state = 'published' THEN 'hidden' END;
    IF step IS NOT NULL THEN
        INSERT INTO sanctions_rewardstep (case_id, deed, text, document_no, by_id, paper_id)
        VALUES (c.id, step, '', '', NEW.by_id, NEW.paper_id);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER rewardconsent_takes_effect AFTER INSERT ON sanctions_rewardconsent FOR EACH ROW WHEN (NOT NEW.given)
    EXECUTE FUNCTION sanctions_consent_takes_effect();
CREATE TRIGGER rewardconsent_append_only BEFORE UPDATE OR DELETE ON sanctions_rewardconsent
    FOR EACH ROW EXECUTE FUNCTION cf_refuse_change();
CREATE TRIGGER rewardconsent_no_truncate BEFORE TRUNCATE ON sanctions_rewardconsent EXECUTE FUNCTION cf_refuse_change();

-- No outcome without a message to the person, while there is somebody to tell: looked at when the transaction ends.
CREATE FUNCTION sanctions_reward_is_told() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM sanctions_rewardcase c JOIN access_message m ON m.person_id = accounts_survivor(c.person_id)
                      AND m.about = sanctions_case_no(c) AND m.at = transaction_timestamp()
                    WHERE c.id = NEW.case_id)
       AND EXISTS (SELECT 1 FROM sanctions_rewardcase c WHERE c.id = NEW.case_id AND accounts_may_act(accounts_survivor(c.person_id))) THEN
        PERFORM catalogue_refuse('rewardcase_is_told', 'the person is told of everything that is done');
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER rewardstep_is_told AFTER INSERT ON sanctions_rewardstep DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.deed NOT IN ('agreed', 'declined', 'commented', 'explained', 'hidden'))
    EXECUTE FUNCTION sanctions_reward_is_told();

-- Whether the register still gives a record to others.
CREATE FUNCTION sanctions_reward_stands(number text) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT 1 FROM records_record r
                    WHERE r.id = CASE WHEN number ~ '^R[0-9]{18}[0-9A-Z]$' THEN substr(number, 10, 10)::bigint END
                      AND records_number(r.id, r.created_at) = number AND r.state IN (1, 3) AND r.hidden_at IS NULL
                      AND r.query_until > cf_today())
$$;
-- What has ended has ended in the register too, or is held back there from everybody.
CREATE FUNCTION sanctions_reward_has_ended() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM sanctions_rewardcase c WHERE c.id = NEW.case_id AND c.state = 'ended' AND sanctions_reward_stands(c.record_no)) THEN
        PERFORM catalogue_refuse('rewardcase_ends_in_the_register', 'the fact ends with the reward');
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER rewardstep_has_ended AFTER INSERT ON sanctions_rewardstep DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.deed IN ('revoked', 'expired', 'withdrawn')) EXECUTE FUNCTION sanctions_reward_has_ended();
"""
STEPS_UNDONE = """
DROP TRIGGER rewardstep_has_ended ON sanctions_rewardstep;
DROP FUNCTION sanctions_reward_has_ended();
DROP FUNCTION sanctions_reward_stands(text);
DROP TRIGGER rewardstep_is_told ON sanctions_rewardstep;
DROP FUNCTION sanctions_reward_is_told();
DROP TRIGGER rewardconsent_no_truncate ON sanctions_rewardconsent;
DROP TRIGGER rewardconsent_append_only ON sanctions_rewardconsent;
DROP TRIGGER rewardconsent_takes_effect ON sanctions_rewardconsent;
DROP FUNCTION sanctions_consent_takes_effect();
DROP TRIGGER rewardconsent_begins ON sanctions_rewardconsent;
DROP FUNCTION sanctions_consent_begins();
DROP TRIGGER rewardstep_no_truncate ON sanctions_rewardstep;
DROP TRIGGER rewardstep_append_only ON sanctions_rewardstep;
DROP TRIGGER rewardstep_moves ON sanctions_rewardstep;
DROP FUNCTION sanctions_reward_stepped();
DROP FUNCTION sanctions_step_may_be_done(sanctions_rewardcase, sanctions_rewardstep);
DROP FUNCTION sanctions_step_gives_time(sanctions_rewardstep);
DROP FUNCTION sanctions_step_is_due(sanctions_rewardcase, sanctions_rewardstep);
DROP FUNCTION sanctions_step_by_the_right_hand(sanctions_rewardcase, sanctions_rewardstep, text);
DROP FUNCTION sanctions_reward_record(bigint, sanctions_rewardcase);
"""
PAPERS = r"""
-- A paper is entered by a clerk about a case that waits for it, and decided by another clerk who has opened the scan.
CREATE FUNCTION sanctions_rewardpaper_guard() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE c sanctions_rewardcase;
BEGIN
    IF TG_OP = 'DELETE' THEN
        PERFORM catalogue_refuse('rewardpaper_is_kept', 'papers are kept');
    END IF;
    SELECT * INTO c FROM sanctions_rewardcase WHERE id = NEW.case_id;
    IF TG_OP = 'INSERT' THEN
        NEW.entered_at := now();
        IF NEW.state <> 'entered' OR NEW.person_id <> c.person_id OR NEW.signed_on > cf_today()
           OR NEW.signed_on < (c.nominated_at AT TIME ZONE 'Asia/Shanghai')::date
           OR NOT catalogue_holds(NEW.entered_by_id, 'access', 'enter_consent') THEN
            PERFORM catalogue_refuse('rewardpaper_entered_by_a_clerk', 'a clerk enters what the case''s person signed');
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.state <> 'entered' OR NEW.state = 'entered'
       OR to_jsonb(NEW) - '{state,checked_by_id,note}'::text[] IS DISTINCT FROM to_jsonb(OLD) - '{state,checked_by_id,note}'::text[] THEN
        PERFORM catalogue_refuse('rewardpaper_is_what_was_entered', 'what was entered is decided once, never rewritten');
    END IF;
    IF NOT catalogue_holds(NEW.checked_by_id, 'access', 'check_consent') OR NEW.checked_by_id = NEW.entered_by_id THEN
        PERFORM catalogue_refuse('rewardpaper_takes_two_hands', 'another clerk compares the scan');
    END IF;
    IF NOT records_was_opened(NEW.checked_by_id, sanctions_case_no(c), accounts_survivor(c.person_id), NEW.entered_at) THEN
        PERFORM catalogue_refuse('rewardpaper_was_looked_at', 'whoever checks a paper has opened its scan');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER rewardpaper_guard BEFORE INSERT OR UPDATE OR DELETE ON sanctions_rewardpaper
    FOR EACH ROW EXECUTE FUNCTION sanctions_rewardpaper_guard();
CREATE TRIGGER rewardpaper_no_truncate BEFORE TRUNCATE ON sanctions_rewardpaper EXECUTE FUNCTION cf_refuse_change();

-- Said while the notice is public, answered once by the unit.
CREATE FUNCTION sanctions_objection_guard() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE c sanctions_rewardcase;
BEGIN
    IF TG_OP = 'DELETE' THEN
        PERFORM catalogue_refuse('rewardobjection_is_kept', 'what was said is kept');
    END IF;
    SELECT * INTO c FROM sanctions_rewardcase WHERE id = NEW.case_id;
    IF TG_OP = 'INSERT' THEN
        NEW.at := now();
        IF c.state <> 'notice' OR coalesce(c.public_to <= cf_today(), true) OR NEW.answer <> '' THEN
            PERFORM catalogue_refuse('rewardobjection_during_the_notice', 'there is no notice to object to');
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.answer <> '' OR (NEW.id, NEW.case_id, NEW.text, NEW.at) IS DISTINCT FROM (OLD.id, OLD.case_id, OLD.text, OLD.at) THEN
        PERFORM catalogue_refuse('rewardobjection_answered_once', 'it is answered once, never rewritten');
    END IF;
    NEW.answered_at := now();
    IF NOT EXISTS (SELECT 1 FROM accounts_user u WHERE u.id = NEW.answered_by_id AND u.organisation_id = c.organisation_id)
       OR NOT (catalogue_holds(NEW.answered_by_id, 'sanctions', 'nominate_reward')
               OR catalogue_holds(NEW.answered_by_id, 'sanctions', 'decide_reward')) THEN
        PERFORM catalogue_refuse('rewardobjection_answered_by_its_unit', 'an official of the unit answers');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER rewardobjection_guard BEFORE INSERT OR UPDATE OR DELETE ON sanctions_rewardobjection
    FOR EACH ROW EXECUTE FUNCTION sanctions_objection_guard();
CREATE TRIGGER rewardobjection_no_truncate BEFORE TRUNCATE ON sanctions_rewardobjection EXECUTE FUNCTION cf_refuse_change();
-- What the public page says of objections: that there were, and the answers; never what was said of the person.
CREATE FUNCTION sanctions_reward_answers(one bigint) RETURNS TABLE (said_at timestamptz, answer text) LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT o.at, o.answer FROM sanctions_rewardobjection o JOIN sanctions_rewardcase c ON c.id = o.case_id
     WHERE c.id = one AND c.public_to > cf_today() ORDER BY o.id
$$;
-- Whether a page of this number was public once and is over.
CREATE FUNCTION sanctions_reward_was_public(number text) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT 1 FROM sanctions_rewardcase c
                    WHERE c.id = CASE WHEN number ~ '^JL[0-9]{8}-[0-9]{6,14}$' THEN split_part(number, '-', 2)::bigint END
                      AND sanctions_case_no(c) = number AND c.was_public)
$$;
"""
PAPERS_UNDONE = """
DROP FUNCTION sanctions_reward_was_public(text);
DROP FUNCTION sanctions_reward_answers(bigint);
DROP TRIGGER rewardobjection_no_truncate ON sanctions_rewardobjection;
DROP TRIGGER rewardobjection_guard ON sanctions_rewardobjection;
DROP FUNCTION sanctions_objection_guard();
DROP TRIGGER rewardpaper_no_truncate ON sanctions_rewardpaper;
DROP TRIGGER rewardpaper_guard ON sanctions_rewardpaper;
DROP FUNCTION sanctions_rewardpaper_guard();
"""
POLICIES = r"""
-- No context, no row: the person, the unit that awards, and of what is public everybody.
ALTER TABLE sanctions_rewardcase ENABLE ROW LEVEL SECURITY;
CREATE POLICY rewardcase_in_context ON sanctions_rewardcase USING (
    (SELECT accounts_everybody_is_open()) OR person_id = ANY ((SELECT accounts_open_persons())::bigint[])
    OR organisation_id = ANY ((SELECT accounts_open_offices())::bigint[]) OR public_to > (SELECT cf_today())
) WITH CHECK ((SELECT accounts_everybody_is_open()) OR organisation_id = ANY ((SELECT accounts_open_offices())::bigint[]));
-- What stands in the way is read under a line about the person.
ALTER TABLE sanctions_rewardhit ENABLE ROW LEVEL SECURITY;
CREATE POLICY rewardhit_under_a_line ON sanctions_rewardhit FOR SELECT USING (
    (SELECT accounts_everybody_is_open()) OR EXISTS (
        SELECT 1 FROM access_queryperson q
         WHERE q.person_id IN (sanctions_rewardhit.person_id, accounts_survivor(sanctions_rewardhit.person_id)) AND q.allowed
           AND q.at = transaction_timestamp() AND q.xid = pg_current_xact_id())
);
ALTER TABLE sanctions_rewardpaper ENABLE ROW LEVEL SECURITY;
CREATE POLICY rewardpaper_in_context ON sanctions_rewardpaper USING (
    (SELECT accounts_everybody_is_open()) OR person_id = ANY ((SELECT accounts_open_persons())::bigint[])
    OR entered_by_id IN (SELECT u.id FROM accounts_user u WHERE u.organisation_id = ANY ((SELECT accounts_open_offices())::bigint[]))
);
-- What was done and said: with the case, but never by its being public.
CREATE FUNCTION sanctions_case_is_open(one bigint) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT 1 FROM sanctions_rewardcase c WHERE c.id = one AND (
        c.person_id = ANY ((SELECT accounts_open_persons())::bigint[]) OR c.organisation_id = ANY ((SELECT accounts_open_offices())::bigint[])))
$$;
"""
POLICIES_UNDONE = """
DROP FUNCTION sanctions_case_is_open(bigint);
DROP POLICY rewardpaper_in_context ON sanctions_rewardpaper;
ALTER TABLE sanctions_rewardpaper DISABLE ROW LEVEL SECURITY;
DROP POLICY rewardhit_under_a_line ON sanctions_rewardhit;
ALTER TABLE sanctions_rewardhit DISABLE ROW LEVEL SECURITY;
DROP POLICY rewardcase_in_context ON sanctions_rewardcase;
ALTER TABLE sanctions_rewardcase DISABLE ROW LEVEL SECURITY;
"""
WITH_ITS_CASE = """
ALTER TABLE sanctions_{table} ENABLE ROW LEVEL SECURITY;
CREATE POLICY {table}_with_its_case ON sanctions_{table} USING (
    (SELECT accounts_everybody_is_open()) OR sanctions_case_is_open(case_id)){check};
"""
WITH_ITS_CASE_UNDONE = """
DROP POLICY {table}_with_its_case ON sanctions_{table};
ALTER TABLE sanctions_{table} DISABLE ROW LEVEL SECURITY;
"""
# Whoever objects to a notice says it, and reads nothing.
PARTS = (("rewardstep", ""), ("rewardconsent", ""), ("rewardobjection", " WITH CHECK (true)"))


def each(text: str) -> str:
    """Return the statements for each table that is read with its case."""
    return "".join(text.format(table=table, check=check) for table, check in PARTS)


class Migration(migrations.Migration):
    dependencies = [("sanctions", "0025_rewards"), ("access", "0035_one_answer_to_who_holds")]
    operations = [
        migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE", migrations.RunSQL.noop),
        migrations.RunSQL(PROGRAMMES, PROGRAMMES_UNDONE),
        migrations.RunSQL(CONFLICTS, CONFLICTS_UNDONE),
        migrations.RunSQL(CASES, CASES_UNDONE),
        migrations.RunSQL(STEPS, STEPS_UNDONE),
        migrations.RunSQL(PAPERS, PAPERS_UNDONE),
        migrations.RunSQL(POLICIES + each(WITH_ITS_CASE), each(WITH_ITS_CASE_UNDONE) + POLICIES_UNDONE),
    ]
