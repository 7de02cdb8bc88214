"""What must never happen to calendars, deadlines and clocks, forbidden in the database.

Made after the data of 0004, which nobody proposed: from here on two people are needed for every edition and rule.
"""

from django.db import migrations

RULES = """
-- Proposed by one, confirmed by another; what was proposed never changes. Arguments: the columns that may.
CREATE FUNCTION catalogue_proposed_then_confirmed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE confirms boolean;
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'editions and rules are kept for good'
            USING ERRCODE = 'check_violation', CONSTRAINT = TG_TABLE_NAME || '_is_kept';
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'draft' OR NEW.proposed_by_id IS NULL OR NEW.confirmed_by_id IS NOT NULL THEN
            RAISE EXCEPTION 'somebody proposes it first'
                USING ERRCODE = 'check_violation', CONSTRAINT = TG_TABLE_NAME || '_begins_as_a_proposal';
        END IF;
        RETURN NEW;
    END IF;
    IF to_jsonb(NEW) - TG_ARGV IS DISTINCT FROM to_jsonb(OLD) - TG_ARGV THEN
        RAISE EXCEPTION 'a new version, not an edit'
            USING ERRCODE = 'check_violation', CONSTRAINT = TG_TABLE_NAME || '_is_fixed';
    END IF;
    IF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (
        ('draft', 'in_force'), ('draft', 'withdrawn'), ('in_force', 'superseded')
    ) THEN
        RAISE EXCEPTION 'may not go from % to %', OLD.state, NEW.state
            USING ERRCODE = 'check_violation', CONSTRAINT = TG_TABLE_NAME || '_moves_along_its_arrows';
    END IF;
    confirms := OLD.state = 'draft' AND NEW.state = 'in_force';
    IF confirms AND (NEW.confirmed_by_id IS NULL OR NEW.confirmed_by_id = NEW.proposed_by_id) THEN
        RAISE EXCEPTION 'another person confirms'
            USING ERRCODE = 'check_violation', CONSTRAINT = TG_TABLE_NAME || '_confirmed_by_another';
    END IF;
    IF NOT confirms AND (NEW.confirmed_by_id, NEW.confirmed_at)
                        IS DISTINCT FROM (OLD.confirmed_by_id, OLD.confirmed_at) THEN
        RAISE EXCEPTION 'who confirmed stays'
            USING ERRCODE = 'check_violation', CONSTRAINT = TG_TABLE_NAME || '_confirmation_is_fixed';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER calendaredition_guard BEFORE INSERT OR UPDATE OR DELETE ON catalogue_calendaredition FOR EACH ROW
    EXECUTE FUNCTION catalogue_proposed_then_confirmed('state', 'confirmed_by_id', 'confirmed_at', 'withdrawn_reason');
CREATE TRIGGER deadlinerule_guard BEFORE INSERT OR UPDATE OR DELETE ON catalogue_deadlinerule FOR EACH ROW
    EXECUTE FUNCTION catalogue_proposed_then_confirmed(
        'state', 'confirmed_by_id', 'confirmed_at', 'withdrawn_reason', 'valid_to');

-- A year never loses its calendar: an edition steps back only for a newer one, looked at when the transaction ends.
CREATE FUNCTION catalogue_superseded_by_a_newer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM catalogue_calendaredition e
         WHERE e.year = NEW.year AND e.state = 'in_force' AND e.number > NEW.number
    ) THEN
        RAISE EXCEPTION 'no newer edition of % is in force', NEW.year
            USING ERRCODE = 'check_violation', CONSTRAINT = 'calendaredition_superseded_by_a_newer';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER calendaredition_superseded_by_a_newer AFTER UPDATE ON catalogue_calendaredition
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (OLD.state <> 'superseded' AND NEW.state = 'superseded')
    EXECUTE FUNCTION catalogue_superseded_by_a_newer();

-- Days are entered with the proposal, within its year, and stay.
CREATE FUNCTION catalogue_days_are_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        RAISE EXCEPTION 'the days of an edition never change'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'calendarday_is_fixed';
    END IF;
    IF NOT EXISTS (
        SELECT 1 FROM catalogue_calendaredition e
         WHERE e.id = NEW.edition_id AND e.state = 'draft' AND e.year = extract(year FROM NEW.date)
    ) THEN
        RAISE EXCEPTION 'days belong to a proposed edition of their year'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'calendarday_belongs_to_a_draft_of_its_year';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER calendarday_guard BEFORE INSERT OR UPDATE OR DELETE ON catalogue_calendarday
    FOR EACH ROW EXECUTE FUNCTION catalogue_days_are_fixed();
CREATE TRIGGER calendarday_no_truncate BEFORE TRUNCATE ON catalogue_calendarday
    EXECUTE FUNCTION catalogue_days_are_fixed();

-- A rule in use may end, once; its end is never moved.
CREATE FUNCTION catalogue_rule_ends_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.valid_to IS NOT NULL AND NEW.valid_to IS DISTINCT FROM OLD.valid_to THEN
        RAISE EXCEPTION 'the end of a rule is not moved'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'catalogue_deadlinerule_ends_once';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER deadlinerule_ends_once BEFORE UPDATE OF valid_to ON catalogue_deadlinerule
    FOR EACH ROW EXECUTE FUNCTION catalogue_rule_ends_once();

-- A clock: where it began stays, a person's time never gets shorter, an authority's grows only by a pause or by the
-- one extension that the rule allows; what is met is over.
CREATE FUNCTION catalogue_clock_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE rule catalogue_deadlinerule;
BEGIN
    SELECT * INTO rule FROM catalogue_deadlinerule WHERE id = NEW.rule_id;
    IF TG_OP = 'INSERT' THEN
        IF rule.state <> 'in_force' OR NEW.started_on < rule.valid_from OR NEW.started_on >= rule.valid_to THEN
            RAISE EXCEPTION 'the rule does not answer for that day'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'deadline_rule_is_in_force';
        END IF;
        RETURN NEW;
    END IF;
    IF (NEW.rule_id, NEW.subject_type, NEW.subject_id, NEW.started_on, NEW.created_at)
       IS DISTINCT FROM (OLD.rule_id, OLD.subject_type, OLD.subject_id, OLD.started_on, OLD.created_at) THEN
        RAISE EXCEPTION 'the origin of a clock never changes'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'deadline_origin_is_fixed';
    END IF;
    IF OLD.met_on IS NOT NULL THEN
        RAISE EXCEPTION 'what is met is over'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'deadline_met_is_final';
    END IF;
    IF NEW.extended_until IS DISTINCT FROM OLD.extended_until
       AND (OLD.extended_until IS NOT NULL OR rule.n_extra IS NULL) THEN
        RAISE EXCEPTION 'extended once, and only where the rule says so'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'deadline_extended_once_where_the_rule_allows';
    END IF;
    IF rule.in_doubt = 'later' AND NEW.due_on < OLD.due_on THEN
        RAISE EXCEPTION 'a person''s time never gets shorter'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'deadline_of_a_person_is_never_shortened';
    END IF;
    IF rule.in_doubt = 'earlier' AND NEW.due_on > OLD.due_on
       AND NEW.extended_until IS NOT DISTINCT FROM OLD.extended_until
       AND NOT (OLD.paused_on IS NOT NULL AND NEW.paused_on IS NULL) THEN
        RAISE EXCEPTION 'an authority''s time grows only by a pause or an extension'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'deadline_of_an_authority_is_never_lengthened';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER deadline_guard BEFORE INSERT OR UPDATE ON catalogue_deadline
    FOR EACH ROW EXECUTE FUNCTION catalogue_clock_guard();
CREATE FUNCTION catalogue_clock_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'clocks are kept for good'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'deadline_is_kept';
END $$;
CREATE TRIGGER deadline_is_kept BEFORE DELETE ON catalogue_deadline
    FOR EACH ROW EXECUTE FUNCTION catalogue_clock_is_kept();
"""
UNDONE = """
DROP TRIGGER deadline_is_kept ON catalogue_deadline;
DROP FUNCTION catalogue_clock_is_kept();
DROP TRIGGER deadline_guard ON catalogue_deadline;
DROP FUNCTION catalogue_clock_guard();
DROP TRIGGER deadlinerule_ends_once ON catalogue_deadlinerule;
DROP FUNCTION catalogue_rule_ends_once();
DROP TRIGGER calendarday_no_truncate ON catalogue_calendarday;
DROP TRIGGER calendarday_guard ON catalogue_calendarday;
DROP FUNCTION catalogue_days_are_fixed();
DROP TRIGGER calendaredition_superseded_by_a_newer ON catalogue_calendaredition;
DROP FUNCTION catalogue_superseded_by_a_newer();
DROP TRIGGER deadlinerule_guard ON catalogue_deadlinerule;
DROP TRIGGER calendaredition_guard ON catalogue_calendaredition;
DROP FUNCTION catalogue_proposed_then_confirmed();
"""


class Migration(migrations.Migration):
    dependencies = [("catalogue", "0004_deadline_data")]
    operations = [migrations.RunSQL(RULES, UNDONE)]
