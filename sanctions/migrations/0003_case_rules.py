"""The listing procedure in the database: its arrows, what each step must find, whose hand it is, what it leaves behind.

A case moves by an UPDATE of its state. The trigger looks for the arrow, asks whether the mover has its duty, whether the paper
is there and the guard holds, sets hands and days itself, lets nothing else be changed, and writes the event.
"""

from django.db import migrations

# from, to, event, whose duty (a permission of the app; `defend`: the person or whoever takes it down; empty: the calendar), paper
ARROWS = [
    ("", "opened", "open", "propose_listing", ""),
    ("opened", "drafted", "cosign", "propose_listing", ""),
    ("drafted", "noticed", "notice", "propose_listing", "notice"),
    ("noticed", "defence_open", "notice_served", "propose_listing", "notice_receipt"),
    ("defence_open", "defence_received", "defend", "defend", ""),
    ("defence_open", "reviewed", "review", "review_listing", "review"),
    ("defence_received", "reviewed", "review", "review_listing", "review"),
    *((state, "remedied", "remedy", "propose_listing", "remedy") for state in (
        "noticed", "defence_open", "defence_received", "reviewed", "legal_check", "upper_consent")),
    ("reviewed", "legal_check", "legal_check", "legal_check_listing", "legal"),
    ("legal_check", "upper_consent", "upper_consent", "consent_listing", "consent"),
    *((state, "decided", "decide", "decide_listing", "decision") for state in ("legal_check", "upper_consent")),
    *((state, "not_listed", "decide_not", "decide_listing", "not_listing") for state in (
        "reviewed", "legal_check", "upper_consent")),
    ("decided", "served", "decision_served", "propose_listing", "receipt"),
    ("served", "listed", "list", "propose_listing", ""),
    ("listed", "suspended", "suspend", "propose_listing", "suspension"),
    ("suspended", "listed", "resume", "decide_listing", "resumption"),
    *((state, "removed_early", "remove_early", "decide_listing", "removal") for state in ("listed", "suspended")),
    *((state, "removed_expired", "expire", "", "") for state in ("listed", "suspended")),
    *((state, "closed", "close", "decide_listing", "") for state in (
        "opened", "drafted", "noticed", "defence_open", "defence_received", "reviewed", "legal_check", "upper_consent")),
    *((state, "annulled", "annul", "decide_listing", "annulment") for state in (
        "opened", "drafted", "noticed", "defence_open", "defence_received", "reviewed", "legal_check", "upper_consent",
        "decided", "served", "listed", "suspended", "removed_early", "removed_expired")),
]  # fmt: skip
ROWS = "INSERT INTO sanctions_arrow (from_state, to_state, event, duty, paper) VALUES " + ", ".join(  # noqa: S608 – ours
    "(" + ", ".join(f"'{part}'" for part in arrow) + ")" for arrow in ARROWS
)

CASES = r"""
-- Who may speak for the person: they themselves, or an officer of the case who takes it down.
CREATE FUNCTION sanctions_may_defend(who bigint, roster bigint, unit bigint, person bigint) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT 1 FROM accounts_user u WHERE u.id = who AND u.is_active AND u.person_id = person)
        OR sanctions_may(who, 'propose_listing', roster, unit)
$$;

-- The day from which a document counts as served: an announcement when its time is over, everything else at once.
CREATE FUNCTION sanctions_counts_from(way text, served date) RETURNS date LANGUAGE sql STABLE AS $$
    SELECT CASE way WHEN 'announcement' THEN catalogue_due('D08', served) ELSE served END
$$;

-- Whether the person's time to answer is over: by the case, and by its clock where the calendar moved it meanwhile.
CREATE FUNCTION sanctions_window_is_over(wanted bigint, until date, clock text) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT until IS NOT NULL AND until < cf_today() AND NOT EXISTS (
        SELECT 1 FROM catalogue_deadline d JOIN catalogue_deadlinerule r ON r.id = d.rule_id AND r.code = clock
         WHERE d.subject_type = 'sanctions.listingcase' AND d.subject_id = wanted::text AND d.due_on >= cf_today())
$$;

-- What of a case one step may set; state, mover, note and paper are set by each.
CREATE FUNCTION sanctions_step_sets(event text) RETURNS text[] LANGUAGE sql IMMUTABLE AS $$
    SELECT ARRAY['state', 'moved_by_id', 'move_note', 'move_paper_id'] || CASE event
        WHEN 'cosign' THEN ARRAY['cosigned_by_id', 'drafted_on']
        WHEN 'notice' THEN ARRAY['noticed_on']
        WHEN 'notice_served' THEN ARRAY['notice_way', 'notice_served_on', 'notice_counts_from', 'defence_until']
        WHEN 'defend' THEN ARRAY['defence_on']
        WHEN 'review' THEN ARRAY['reviewed_by_id', 'reviewed_on']
        WHEN 'legal_check' THEN ARRAY['legal_by_id', 'legal_on']
        WHEN 'upper_consent' THEN ARRAY['upper_by_id', 'upper_on']
        WHEN 'decide' THEN ARRAY['decided_by_id', 'decided_on', 'decision_no', 'term_months', 'public']
        WHEN 'decide_not' THEN ARRAY['decided_by_id', 'decided_on', 'decision_no', 'ended_on']
        WHEN 'decision_served' THEN ARRAY['serve_way', 'decision_served_on', 'decision_counts_from']
        WHEN 'list' THEN ARRAY['listed_on']
        WHEN 'suspend' THEN '{}'::text[] WHEN 'resume' THEN '{}'::text[]
        ELSE ARRAY['ended_on'] END
$$;

CREATE FUNCTION sanctions_case_opens(c sanctions_listingcase) RETURNS void LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE v sanctions_rosterversion; r sanctions_roster;
BEGIN
    SELECT * INTO v FROM sanctions_rosterversion WHERE id = c.roster_version_id;
    SELECT * INTO r FROM sanctions_roster WHERE id = v.roster_id;
    IF r.mirrored OR sanctions_version_on(r.id, cf_today()) IS DISTINCT FROM v.id THEN
        PERFORM catalogue_refuse('listingcase_under_a_roster_in_force', 'no case without a roster in force');
    END IF;
    IF NOT sanctions_may(c.opened_by_id, 'propose_listing', r.id, c.organisation_id) THEN
        PERFORM catalogue_refuse('listingcase_moved_by_its_duty', 'this is not their duty');
    END IF;
    IF NOT c.category = ANY (v.categories) OR NOT c.acts <@ (SELECT array_agg(n::smallint) FROM generate_series(1, cardinality(v.acts)) n)
       THEN
        PERFORM catalogue_refuse('listingcase_names_whom_the_roster_names', 'the roster names neither such persons nor such acts');
    END IF;
    IF c.document_effective_on > cf_today() THEN
        PERFORM catalogue_refuse('listingcase_rests_on_an_effective_document', 'the document has no effect yet');
    END IF;
    IF NOT accounts_may_act(c.person_id) THEN
        PERFORM catalogue_refuse('listingcase_is_about_somebody_alive', 'nobody lists the dead, nor under a merged number');
    END IF;
    -- Below the province a roster may want the consent of the authority above.
    IF (c.upper_id IS NOT NULL) <> (v.upper_consent AND EXISTS (
           SELECT 1 FROM accounts_organisation o WHERE o.id = c.organisation_id AND o.region_id NOT LIKE '__0000')) OR c.upper_id = c.organisation_id
       OR c.upper_id IS NOT NULL AND NOT r.id = ANY (sanctions_granted_rosters(c.upper_id, 'consent')) THEN
        PERFORM catalogue_refuse('listingcase_asks_the_authority_above', 'the authority above is named where the roster wants its consent');
    END IF;
    IF jsonb_strip_nulls(to_jsonb(c) - ARRAY['id', 'roster_version_id', 'organisation_id', 'upper_id', 'person_id', 'category', 'acts',
            'act_end', 'document_kind', 'document_no', 'document_issuer', 'document_on', 'document_effective_on', 'state', 'opened_by_id',
            'opened_on', 'moved_by_id', 'move_note'])
       <> '{"notice_way": "", "serve_way": "", "decision_no": "", "notice_public": false, "public": false}'::jsonb THEN
        PERFORM catalogue_refuse('listingcase_begins_at_the_beginning', 'a case begins when it is opened');
    END IF;
END $$;

CREATE FUNCTION sanctions_case_is_drafted(c sanctions_listingcase, v sanctions_rosterversion) RETURNS void LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF c.drafted_by_id IS NULL OR NOT EXISTS (
        SELECT 1 FROM sanctions_casefile f WHERE f.case_id = c.id AND f.facts <> '' AND f.reasons <> '' AND f.summary <> ''
           AND jsonb_typeof(f.evidence) = 'array' AND jsonb_array_length(f.evidence) > 0
           AND (c.category = 'self' OR f.employer <> '')) THEN
        PERFORM catalogue_refuse('listingcase_says_what_the_notice_must', 'facts, reasons, evidence and summary come first');
    END IF;
    IF c.notice_term_months IS NULL OR c.notice_term_months > v.term_months OR c.notice_public AND NOT v.public THEN
        PERFORM catalogue_refuse('listingcase_within_the_roster', 'no longer and no more public than the roster allows');
    END IF;
    IF EXISTS (SELECT 1 FROM sanctions_casemeasure m WHERE m.case_id = c.id
                  AND m.measure_id NOT IN (SELECT sanctions_measures_in_force(cf_today()))) THEN
        PERFORM catalogue_refuse('casemeasure_is_in_force', 'a measure of the notice is not in force');
    END IF;
END $$;

CREATE FUNCTION sanctions_case_is_decided(c sanctions_listingcase, v sanctions_rosterversion, was text) RETURNS void LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE now_in_force sanctions_rosterversion;
BEGIN
    SELECT * INTO now_in_force FROM sanctions_rosterversion WHERE id = sanctions_version_on(v.roster_id, cf_today());
    IF now_in_force.id IS NULL THEN
        PERFORM catalogue_refuse('listingcase_under_a_roster_in_force', 'nobody is listed under a roster that is not in force');
    END IF;
    IF c.upper_id IS NOT NULL AND was <> 'upper_consent' THEN
        PERFORM catalogue_refuse('listingcase_asks_the_authority_above', 'the authority above has not consented');
    END IF;
    IF NOT sanctions_window_is_over(c.id, c.defence_until, v.defence_clock) THEN
        PERFORM catalogue_refuse('listingcase_waits_for_the_window', 'the person may still answer');
    END IF;
    IF c.term_months IS NULL OR c.term_months > least(c.notice_term_months, now_in_force.term_months)
       OR c.public AND NOT now_in_force.public THEN
        PERFORM catalogue_refuse('listingcase_term_not_worse_than_noticed', 'no decision is worse than the notice, or than the rule of the day');
    END IF;
    IF NOT EXISTS (SELECT 1 FROM sanctions_casefile f WHERE f.case_id = c.id AND f.decision <> '') THEN
        PERFORM catalogue_refuse('listingcase_says_why_it_decides', 'a decision has reasons');
    END IF;
END $$;

-- No hand in two duties; whoever opened or drafted neither reviews, checks, consents nor decides.
CREATE FUNCTION sanctions_case_hands_differ(c sanctions_listingcase) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT count(*) = count(DISTINCT hand) FROM unnest(ARRAY[c.drafted_by_id, c.cosigned_by_id, c.reviewed_by_id, c.legal_by_id,
                c.upper_by_id, c.decided_by_id]) AS hands(hand) WHERE hand IS NOT NULL
$$;

-- The steps that lead on from a case's state and are somebody's duty, whose hand has had no other part in it.
CREATE FUNCTION sanctions_steps_open(wanted bigint, who bigint) RETURNS SETOF text LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT a.event FROM sanctions_listingcase c JOIN sanctions_rosterversion v ON v.id = c.roster_version_id
      JOIN sanctions_arrow a ON a.from_state = c.state AND a.duty <> ''
     WHERE c.id = wanted
       AND CASE a.duty WHEN 'defend' THEN sanctions_may_defend(who, v.roster_id, c.organisation_id, c.person_id)
                WHEN 'consent_listing' THEN sanctions_may(who, a.duty, v.roster_id, c.upper_id)
                ELSE sanctions_may(who, a.duty, v.roster_id, c.organisation_id) END
       AND CASE a.event WHEN 'remedy' THEN v.remedy_exit WHEN 'upper_consent' THEN c.upper_id IS NOT NULL
                WHEN 'decide' THEN (c.upper_id IS NOT NULL) = (c.state = 'upper_consent')
                WHEN 'cosign' THEN c.drafted_by_id IS NOT NULL AND c.drafted_by_id <> who
                WHEN 'review' THEN sanctions_window_is_over(c.id, c.defence_until, v.defence_clock)
                WHEN 'defend' THEN NOT sanctions_window_is_over(c.id, c.defence_until, v.defence_clock)
                WHEN 'list' THEN c.decision_counts_from <= cf_today() ELSE true END
       AND (a.event NOT IN ('review', 'legal_check', 'upper_consent', 'decide', 'decide_not')
            OR who NOT IN (SELECT hand FROM unnest(ARRAY[c.opened_by_id, c.drafted_by_id, c.cosigned_by_id, c.reviewed_by_id,
                                                          c.legal_by_id, c.upper_by_id]) AS hands(hand) WHERE hand IS NOT NULL))
     ORDER BY a.id
$$;

CREATE FUNCTION sanctions_case_guard() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE arrow sanctions_arrow; v sanctions_rosterversion; paper sanctions_casepaper; draft text[] := ARRAY['notice_term_months',
    'notice_public', 'drafted_by_id', 'moved_by_id', 'move_note', 'move_paper_id'];
BEGIN
    IF TG_OP = 'DELETE' THEN
        PERFORM catalogue_refuse('listingcase_is_kept', 'cases are kept');
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'opened' THEN
            PERFORM catalogue_refuse('listingcase_begins_at_the_beginning', 'a case begins when it is opened');
        END IF;
        NEW.opened_on := cf_today();
        NEW.moved_by_id := NEW.opened_by_id;
        PERFORM sanctions_case_opens(NEW);
        RETURN NEW;
    END IF;
    SELECT * INTO v FROM sanctions_rosterversion WHERE id = OLD.roster_version_id;
    IF NEW.state = OLD.state THEN
        IF OLD.state <> 'opened' OR to_jsonb(NEW) - draft IS DISTINCT FROM to_jsonb(OLD) - draft THEN
            PERFORM catalogue_refuse('listingcase_moves_along_its_arrows', 'a case is written while it is drafted only');
        END IF;
        IF NOT sanctions_may(NEW.drafted_by_id, 'propose_listing', v.roster_id, OLD.organisation_id) THEN
            PERFORM catalogue_refuse('listingcase_moved_by_its_duty', 'this is not their duty');
        END IF;
        RETURN NEW;
    END IF;
    SELECT * INTO arrow FROM sanctions_arrow a WHERE a.from_state = OLD.state AND a.to_state = NEW.state;
    IF NOT FOUND OR to_jsonb(NEW) - sanctions_step_sets(arrow.event) IS DISTINCT FROM to_jsonb(OLD) - sanctions_step_sets(arrow.event) THEN
        PERFORM catalogue_refuse('listingcase_moves_along_its_arrows', format('a case may not go from %s to %s so', OLD.state, NEW.state));
    END IF;
    IF (CASE arrow.duty WHEN '' THEN NEW.moved_by_id IS NOT NULL
            WHEN 'defend' THEN NOT sanctions_may_defend(NEW.moved_by_id, v.roster_id, OLD.organisation_id, OLD.person_id)
            WHEN 'consent_listing' THEN NOT sanctions_may(NEW.moved_by_id, arrow.duty, v.roster_id, OLD.upper_id)
            ELSE NOT sanctions_may(NEW.moved_by_id, arrow.duty, v.roster_id, OLD.organisation_id) END) THEN
        PERFORM catalogue_refuse('listingcase_moved_by_its_duty', 'this is not their duty');
    END IF;
    SELECT * INTO paper FROM sanctions_casepaper p WHERE p.id = NEW.move_paper_id AND p.case_id = NEW.id;
    IF paper.id IS NULL AND (arrow.paper <> '' OR NEW.move_paper_id IS NOT NULL) OR arrow.paper <> '' AND paper.kind <> arrow.paper THEN
        PERFORM catalogue_refuse('listingcase_rests_on_its_paper', format('this step rests on a paper of the kind %s', arrow.paper));
    END IF;
    IF arrow.event IN ('close', 'annul', 'remedy', 'decide_not', 'suspend', 'resume', 'remove_early') AND btrim(NEW.move_note) = '' THEN
        PERFORM catalogue_refuse('listingcase_moved_for_a_reason', 'this step has a reason');
    END IF;
    CASE arrow.event
    WHEN 'cosign' THEN
        NEW.cosigned_by_id := NEW.moved_by_id;
        NEW.drafted_on := cf_today();
        PERFORM sanctions_case_is_drafted(NEW, v);
    WHEN 'notice' THEN
        NEW.noticed_on := cf_today();
    WHEN 'notice_served' THEN
        NEW.notice_counts_from := sanctions_counts_from(NEW.notice_way, NEW.notice_served_on);
        IF NEW.notice_way = '' OR NEW.notice_served_on NOT BETWEEN OLD.noticed_on AND cf_today() OR NEW.notice_counts_from IS NULL THEN
            PERFORM catalogue_refuse('listingcase_is_served_after_it_is_signed', 'service is between the signing and today');
        END IF;
        -- The application knows the statutory days of years without a calendar; the person has the later of both days.
        NEW.defence_until := greatest(NEW.defence_until, catalogue_due(v.defence_clock, NEW.notice_counts_from));
    WHEN 'defend' THEN
        IF cf_today() > OLD.defence_until AND sanctions_window_is_over(OLD.id, OLD.defence_until, v.defence_clock) THEN
            PERFORM catalogue_refuse('listingcase_is_answered_in_time', 'the time to answer is over');
        END IF;
        NEW.defence_on := cf_today();
    WHEN 'review' THEN
        NEW.reviewed_by_id := NEW.moved_by_id;
        NEW.reviewed_on := cf_today();
        IF NOT sanctions_window_is_over(OLD.id, OLD.defence_until, v.defence_clock) THEN
            PERFORM catalogue_refuse('listingcase_waits_for_the_window', 'the person may still answer');
        END IF;
        IF NOT EXISTS (SELECT 1 FROM sanctions_casefile f WHERE f.case_id = OLD.id AND f.review <> '') THEN
            PERFORM catalogue_refuse('listingcase_answers_the_defence', 'a review is written');
        END IF;
    WHEN 'remedy' THEN
        IF NOT v.remedy_exit THEN
            PERFORM catalogue_refuse('listingcase_is_remedied_where_the_roster_says', 'this roster has no such way out');
        END IF;
        NEW.ended_on := cf_today();
    WHEN 'legal_check' THEN
        NEW.legal_by_id := NEW.moved_by_id;
        NEW.legal_on := cf_today();
        IF NOT EXISTS (SELECT 1 FROM sanctions_casefile f WHERE f.case_id = OLD.id AND f.legal <> '') THEN
            PERFORM catalogue_refuse('listingcase_has_a_legal_opinion', 'a legal check is written');
        END IF;
    WHEN 'upper_consent' THEN
        NEW.upper_by_id := NEW.moved_by_id;
        NEW.upper_on := cf_today();
    WHEN 'decide' THEN
        NEW.decided_by_id := NEW.moved_by_id;
        NEW.decided_on := cf_today();
        NEW.decision_no := paper.number;
        PERFORM sanctions_case_is_decided(NEW, v, OLD.state);
    WHEN 'decide_not' THEN
        NEW.decided_by_id := NEW.moved_by_id;
        NEW.decided_on := cf_today();
        NEW.ended_on := cf_today();
        NEW.decision_no := paper.number;
    WHEN 'decision_served' THEN
        NEW.decision_counts_from := sanctions_counts_from(NEW.serve_way, NEW.decision_served_on);
        IF NEW.serve_way = '' OR NEW.decision_served_on NOT BETWEEN OLD.decided_on AND cf_today() OR NEW.decision_counts_from IS NULL THEN
            PERFORM catalogue_refuse('listingcase_is_served_after_it_is_signed', 'service is between the signing and today');
        END IF;
        IF NOT EXISTS (SELECT 1 FROM sanctions_casepaper p WHERE p.case_id = OLD.id AND p.kind = 'repair_notice') THEN
            PERFORM catalogue_refuse('listingcase_tells_the_way_out', 'the notice on repair is served with the decision');
        END IF;
    WHEN 'list' THEN
        NEW.listed_on := cf_today();
        IF NOT sanctions_window_is_over(OLD.id, OLD.defence_until, v.defence_clock) THEN
            PERFORM catalogue_refuse('listingcase_waits_for_the_window', 'the person may still answer');
        END IF;
        IF OLD.decision_counts_from > cf_today() THEN
            PERFORM catalogue_refuse('listingcase_is_listed_after_service', 'the decision does not count as served yet');
        END IF;
    WHEN 'suspend', 'resume' THEN
        NULL;
    WHEN 'expire' THEN
        NEW.ended_on := cf_today();
        IF NOT EXISTS (SELECT 1 FROM sanctions_listing l WHERE l.case_id = OLD.id AND upper(l.period) <= cf_today()) THEN
            PERFORM catalogue_refuse('listingcase_ends_on_its_day', 'the term is not over');
        END IF;
    ELSE  -- close, annul, remove_early
        NEW.ended_on := cf_today();
    END CASE;
    IF NEW.state IN ('drafted', 'noticed', 'reviewed', 'legal_check', 'decided', 'listed') AND NOT accounts_may_act(OLD.person_id)
       AND arrow.event <> 'resume' THEN
        PERFORM catalogue_refuse('listingcase_is_about_somebody_alive', 'nobody lists the dead, nor under a merged number');
    END IF;
    IF NOT sanctions_case_hands_differ(NEW) OR NEW.opened_by_id IN (NEW.reviewed_by_id, NEW.legal_by_id, NEW.upper_by_id, NEW.decided_by_id)
       THEN
        PERFORM catalogue_refuse('listingcase_each_duty_by_another', 'each duty of a case is in another hand');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER listingcase_guard BEFORE INSERT OR UPDATE OR DELETE ON sanctions_listingcase
    FOR EACH ROW EXECUTE FUNCTION sanctions_case_guard();
CREATE TRIGGER listingcase_no_truncate BEFORE TRUNCATE ON sanctions_listingcase EXECUTE FUNCTION cf_refuse_change();

-- The event of each step; and what a step does to the listing, in the same statement.
CREATE FUNCTION sanctions_case_moved() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE was text := CASE TG_OP WHEN 'INSERT' THEN '' ELSE OLD.state END; roster bigint; decided_under bigint;
BEGIN
    IF was = NEW.state THEN
        RETURN NULL;
    END IF;
    INSERT INTO sanctions_caseevent (case_id, event, from_state, to_state, by_id, by_name, "on", note, paper_digest)
    SELECT NEW.id, a.event, was, NEW.state, NEW.moved_by_id, coalesce((SELECT u.name FROM accounts_user u WHERE u.id = NEW.moved_by_id), ''),
           cf_today(), NEW.move_note, coalesce((SELECT p.digest FROM sanctions_casepaper p WHERE p.id = NEW.move_paper_id), '')
      FROM sanctions_arrow a WHERE a.from_state = was AND a.to_state = NEW.state;
    IF NEW.state = 'listed' AND was = 'served' THEN
        SELECT v.roster_id INTO roster FROM sanctions_rosterversion v WHERE v.id = NEW.roster_version_id;
        decided_under := coalesce(sanctions_version_on(roster, NEW.decided_on), NEW.roster_version_id);
        -- Public, where it was decided so, from the working day after service at the earliest, to the end of the term.
        INSERT INTO sanctions_listing (roster_id, roster_version_id, person_id, organisation_id, origin, case_id, document_no, decided_on,
                                       period, publication, "end")
        SELECT roster, v.id, NEW.person_id, NEW.organisation_id, 'case', NEW.id, NEW.decision_no, NEW.decided_on,
               daterange(NEW.listed_on, term.ends), CASE WHEN NEW.public AND v.public AND shown.begins < term.ends
                                                         THEN daterange(shown.begins, term.ends) END, ''
          FROM sanctions_rosterversion v,
               LATERAL (SELECT (NEW.decided_on + make_interval(months => NEW.term_months))::date AS ends) term,
               LATERAL (SELECT greatest(NEW.listed_on, catalogue_working_day_after(NEW.decision_counts_from, v.public_wait_days)) AS begins) shown
         WHERE v.id = decided_under;
        INSERT INTO sanctions_listingmeasure (listing_id, measure_id, begins_on, ends_on)
        SELECT l.id, m.measure_id, NEW.listed_on, upper(l.period) FROM sanctions_listing l JOIN sanctions_casemeasure m ON m.case_id = NEW.id
         WHERE l.case_id = NEW.id AND m.decided;
    ELSIF NEW.state = 'suspended' THEN
        INSERT INTO sanctions_listingstay (listing_id, period, order_id)
        SELECT l.id, daterange(cf_today(), NULL), NEW.move_paper_id FROM sanctions_listing l WHERE l.case_id = NEW.id;
    ELSIF was = 'suspended' THEN
        UPDATE sanctions_listingstay s SET period = daterange(lower(s.period), cf_today()) FROM sanctions_listing l
         WHERE l.case_id = NEW.id AND s.listing_id = l.id AND upper_inf(s.period);
    END IF;
    IF NEW.state IN ('removed_early', 'removed_expired', 'annulled') THEN
        UPDATE sanctions_listing SET ended_on = least(cf_today(), upper(period)),
               "end" = CASE NEW.state WHEN 'removed_early' THEN 'early' WHEN 'annulled' THEN 'annulled' ELSE 'expired' END,
               tidied_at = coalesce(tidied_at, transaction_timestamp())
         WHERE case_id = NEW.id AND (ended_on IS NULL OR NEW.state = 'annulled');
        UPDATE sanctions_listingmeasure m SET ends_on = greatest(m.begins_on, least(m.ends_on, l.ended_on)) FROM sanctions_listing l
         WHERE l.case_id = NEW.id AND m.listing_id = l.id;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER listingcase_moved AFTER INSERT OR UPDATE ON sanctions_listingcase
    FOR EACH ROW EXECUTE FUNCTION sanctions_case_moved();
"""
PARTS = r"""
-- What a case says is written at its step and stands afterwards: facts before the notice, answers in the window.
CREATE FUNCTION sanctions_casefile_guard() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE at text; allowed text[];
BEGIN
    IF TG_OP = 'DELETE' THEN
        PERFORM catalogue_refuse('casefile_is_written_at_its_step', 'what a case says is kept');
    END IF;
    SELECT state INTO at FROM sanctions_listingcase WHERE id = NEW.case_id;
    IF TG_OP = 'INSERT' THEN
        IF at <> 'opened' OR NEW.defence || NEW.review || NEW.legal || NEW.decision <> '' THEN
            PERFORM catalogue_refuse('casefile_is_written_at_its_step', 'a file begins with its case');
        END IF;
        RETURN NEW;
    END IF;
    allowed := CASE WHEN at = 'opened' THEN ARRAY['facts', 'reasons', 'summary', 'evidence', 'employer', 'employer_uscc']
                    WHEN at = 'defence_open' THEN ARRAY['defence', 'review'] WHEN at = 'defence_received' THEN ARRAY['review']
                    WHEN at = 'reviewed' THEN ARRAY['legal', 'decision'] WHEN at IN ('legal_check', 'upper_consent') THEN ARRAY['decision']
                    ELSE '{}'::text[] END;
    IF to_jsonb(NEW) - allowed IS DISTINCT FROM to_jsonb(OLD) - allowed THEN
        PERFORM catalogue_refuse('casefile_is_written_at_its_step', 'what was said at a step stands');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER casefile_guard BEFORE INSERT OR UPDATE OR DELETE ON sanctions_casefile
    FOR EACH ROW EXECUTE FUNCTION sanctions_casefile_guard();
CREATE TRIGGER casefile_no_truncate BEFORE TRUNCATE ON sanctions_casefile EXECUTE FUNCTION cf_refuse_change();

-- The notice names measures while it is drafted; the decision takes some of them and adds none.
CREATE FUNCTION sanctions_casemeasure_guard() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE at text; roster bigint; category text; subject text;
BEGIN
    SELECT c.state, v.roster_id, c.category INTO at, roster, category FROM sanctions_listingcase c
      JOIN sanctions_rosterversion v ON v.id = c.roster_version_id WHERE c.id = coalesce(NEW.case_id, OLD.case_id);
    IF TG_OP = 'DELETE' THEN
        IF at <> 'opened' THEN
            PERFORM catalogue_refuse('casemeasure_as_noticed', 'what the notice names stands');
        END IF;
        RETURN OLD;
    END IF;
    IF TG_OP = 'INSERT' THEN
        SELECT m.subject INTO subject FROM sanctions_measure m WHERE m.id = NEW.measure_id;
        IF at <> 'opened' OR NEW.decided THEN
            PERFORM catalogue_refuse('casemeasure_as_noticed', 'no measure is decided that the notice did not name');
        END IF;
        IF NEW.measure_id NOT IN (SELECT sanctions_measures_in_force(cf_today()))
           OR NOT EXISTS (SELECT 1 FROM sanctions_measureroster l WHERE l.measure_id = NEW.measure_id AND l.roster_id = roster)
           OR subject = 'responsible' AND category = 'self' THEN
            PERFORM catalogue_refuse('casemeasure_is_in_force', 'the measure is not in force, or not for this roster or person');
        END IF;
        RETURN NEW;
    END IF;
    IF (NEW.case_id, NEW.measure_id) IS DISTINCT FROM (OLD.case_id, OLD.measure_id) OR at NOT IN ('legal_check', 'upper_consent') THEN
        PERFORM catalogue_refuse('casemeasure_as_noticed', 'measures are decided with the decision');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER casemeasure_guard BEFORE INSERT OR UPDATE OR DELETE ON sanctions_casemeasure
    FOR EACH ROW EXECUTE FUNCTION sanctions_casemeasure_guard();
CREATE TRIGGER casemeasure_no_truncate BEFORE TRUNCATE ON sanctions_casemeasure EXECUTE FUNCTION cf_refuse_change();

CREATE FUNCTION sanctions_casepaper_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.dated > cf_today() THEN
        PERFORM catalogue_refuse('casepaper_is_made', 'a paper is not of a day to come');
    END IF;
    NEW.at := transaction_timestamp();
    RETURN NEW;
END $$;
CREATE TRIGGER casepaper_guard BEFORE INSERT ON sanctions_casepaper FOR EACH ROW EXECUTE FUNCTION sanctions_casepaper_guard();
CREATE TRIGGER casepaper_append_only BEFORE UPDATE OR DELETE ON sanctions_casepaper FOR EACH ROW EXECUTE FUNCTION cf_refuse_change();
CREATE TRIGGER casepaper_no_truncate BEFORE TRUNCATE ON sanctions_casepaper EXECUTE FUNCTION cf_refuse_change();
CREATE TRIGGER caseevent_append_only BEFORE UPDATE OR DELETE ON sanctions_caseevent FOR EACH ROW EXECUTE FUNCTION cf_refuse_change();
CREATE TRIGGER caseevent_no_truncate BEFORE TRUNCATE ON sanctions_caseevent EXECUTE FUNCTION cf_refuse_change();

-- Listings are written by the steps of their case. What else may be said of one: its record once, and a publication that is later
-- or shorter than what the law allows, never sooner or longer.
CREATE FUNCTION sanctions_listing_guard() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE c sanctions_listingcase; wait int; may_set text[] := ARRAY['record_id', 'publication', 'tidied_at', 'ended_on', 'end'];
BEGIN
    IF TG_OP = 'DELETE' OR to_jsonb(NEW) - may_set IS DISTINCT FROM to_jsonb(OLD) - may_set
       OR OLD.record_id IS NOT NULL AND NEW.record_id IS DISTINCT FROM OLD.record_id THEN
        PERFORM catalogue_refuse('listing_is_kept', 'a listing says what the decision said');
    END IF;
    SELECT * INTO c FROM sanctions_listingcase WHERE id = OLD.case_id;
    IF NEW.publication IS DISTINCT FROM OLD.publication AND NEW.publication IS NOT NULL AND c.id IS NOT NULL THEN
        SELECT v.public_wait_days INTO wait FROM sanctions_rosterversion v WHERE v.id = OLD.roster_version_id;
        IF NOT c.public OR (NEW.publication <@ OLD.publication) IS NOT TRUE
           OR isempty(NEW.publication) OR lower(NEW.publication) IS NULL
           OR lower(NEW.publication) < catalogue_working_day_after(c.decision_counts_from, wait)
           OR NOT NEW.publication <@ OLD.period THEN
            PERFORM catalogue_refuse('listing_public_only_after_service', 'public no sooner than the working day after service, nor after the end');
        END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER listing_guard BEFORE UPDATE OR DELETE ON sanctions_listing FOR EACH ROW EXECUTE FUNCTION sanctions_listing_guard();
-- Its end is written by the steps of its case (as the owner), never by the application itself.
CREATE FUNCTION sanctions_listing_ends_by_its_case() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_user <> (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID) THEN
        PERFORM catalogue_refuse('listing_ends_by_its_case', 'a listing ends by its day or by a step of its case');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER listing_ends_by_its_case BEFORE UPDATE OF ended_on, "end" ON sanctions_listing FOR EACH ROW
    WHEN ((NEW.ended_on, NEW."end") IS DISTINCT FROM (OLD.ended_on, OLD."end")) EXECUTE FUNCTION sanctions_listing_ends_by_its_case();
CREATE TRIGGER listing_no_truncate BEFORE TRUNCATE ON sanctions_listing EXECUTE FUNCTION cf_refuse_change();
CREATE TRIGGER listingstay_no_truncate BEFORE TRUNCATE ON sanctions_listingstay EXECUTE FUNCTION cf_refuse_change();
CREATE TRIGGER listingmeasure_no_truncate BEFORE TRUNCATE ON sanctions_listingmeasure EXECUTE FUNCTION cf_refuse_change();

-- Who stands on which roster on a day: begun, not over, not stayed. Every question about rosters asks this; policies hold in it.
CREATE FUNCTION sanctions_listings_in_force(day date) RETURNS SETOF sanctions_listing LANGUAGE sql STABLE AS $$
    SELECT l.* FROM sanctions_listing l
     WHERE l.period @> day AND (l.ended_on IS NULL OR l.ended_on > day)
       AND NOT EXISTS (SELECT 1 FROM sanctions_listingstay s WHERE s.listing_id = l.id AND s.period @> day)
$$;
"""
UNDONE = """
DROP FUNCTION sanctions_listings_in_force(date);
DROP TRIGGER listingmeasure_no_truncate ON sanctions_listingmeasure;
DROP TRIGGER listingstay_no_truncate ON sanctions_listingstay;
DROP TRIGGER listing_no_truncate ON sanctions_listing;
DROP TRIGGER listing_ends_by_its_case ON sanctions_listing;
DROP FUNCTION sanctions_listing_ends_by_its_case();
DROP TRIGGER listing_guard ON sanctions_listing;
DROP FUNCTION sanctions_listing_guard();
DROP TRIGGER caseevent_no_truncate ON sanctions_caseevent;
DROP TRIGGER caseevent_append_only ON sanctions_caseevent;
DROP TRIGGER casepaper_no_truncate ON sanctions_casepaper;
DROP TRIGGER casepaper_append_only ON sanctions_casepaper;
DROP TRIGGER casepaper_guard ON sanctions_casepaper;
DROP FUNCTION sanctions_casepaper_guard();
DROP TRIGGER casemeasure_no_truncate ON sanctions_casemeasure;
DROP TRIGGER casemeasure_guard ON sanctions_casemeasure;
DROP FUNCTION sanctions_casemeasure_guard();
DROP TRIGGER casefile_no_truncate ON sanctions_casefile;
DROP TRIGGER casefile_guard ON sanctions_casefile;
DROP FUNCTION sanctions_casefile_guard();
DROP TRIGGER listingcase_moved ON sanctions_listingcase;
DROP FUNCTION sanctions_case_moved();
DROP TRIGGER listingcase_no_truncate ON sanctions_listingcase;
DROP TRIGGER listingcase_guard ON sanctions_listingcase;
DROP FUNCTION sanctions_case_guard();
DROP FUNCTION sanctions_steps_open(bigint, bigint);
DROP FUNCTION sanctions_case_hands_differ(sanctions_listingcase);
DROP FUNCTION sanctions_case_is_decided(sanctions_listingcase, sanctions_rosterversion, text);
DROP FUNCTION sanctions_case_is_drafted(sanctions_listingcase, sanctions_rosterversion);
DROP FUNCTION sanctions_case_opens(sanctions_listingcase);
DROP FUNCTION sanctions_step_sets(text);
DROP FUNCTION sanctions_window_is_over(bigint, date, text);
DROP FUNCTION sanctions_counts_from(text, date);
DROP FUNCTION sanctions_may_defend(bigint, bigint, bigint, bigint);
"""


class Migration(migrations.Migration):
    dependencies = [("sanctions", "0002_roster_rules"), ("accounts", "0015_passwords_anew")]
    operations = [
        migrations.RunSQL(ROWS, "DELETE FROM sanctions_arrow"),
        migrations.RunSQL(CASES + PARTS, UNDONE),
    ]
