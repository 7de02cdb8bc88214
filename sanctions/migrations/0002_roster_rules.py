"""Rosters, measures and who runs them: proposed by one, confirmed by another, on a basis of the level that the rule asks for."""

from django.db import migrations

GRANTS = """
CREATE FUNCTION sanctions_granted_rosters(organisation bigint, permission text) RETURNS bigint[] LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT coalesce(array_agg(g.roster_id), '{}') FROM sanctions_rostergrant g JOIN accounts_organisation o ON o.id = g.organisation_id
     WHERE g.organisation_id = $1 AND g.permission = $2 AND g.state = 'in_force' AND g.valid_from <= cf_today()
       AND coalesce(g.ended_on, g.valid_to) > cf_today() AND (o.valid_to IS NULL OR o.valid_to > cf_today())
$$;
-- Whether somebody may do a step of a roster for their organisation: the role's permission and the organisation's grant.
CREATE FUNCTION sanctions_may(who bigint, deed text, roster bigint, unit bigint) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT who IS NOT NULL AND unit IS NOT NULL AND catalogue_holds(who, 'sanctions', deed)
       AND EXISTS (SELECT 1 FROM accounts_user u WHERE u.id = who AND u.organisation_id = unit)
       AND roster = ANY (sanctions_granted_rosters(unit, CASE deed WHEN 'consent_listing' THEN 'consent' ELSE 'decide' END))
$$;

CREATE TRIGGER rostergrant_guard BEFORE INSERT OR UPDATE OR DELETE ON sanctions_rostergrant FOR EACH ROW
    EXECUTE FUNCTION catalogue_proposed_then_confirmed('state', 'confirmed_by_id', 'confirmed_at', 'withdrawn_reason',
        'ended_on', 'ended_by_id', 'end_reason');
CREATE FUNCTION sanctions_rostergrant_guard() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NOT catalogue_holds(NEW.proposed_by_id, 'sanctions', 'propose_rostergrant') THEN
            PERFORM catalogue_refuse('rostergrant_is_asked_for_by_the_credit_office', 'the credit office asks for grants');
        END IF;
        IF NEW.valid_to > coalesce(catalogue_longest_grant(NEW.valid_from), NEW.valid_from) THEN
            PERFORM catalogue_refuse('rostergrant_is_no_longer_than_the_rule', 'a grant is no longer than the rule allows');
        END IF;
        IF NOT EXISTS (SELECT 1 FROM accounts_organisation o WHERE o.id = NEW.organisation_id AND o.kind = 'department') THEN
            PERFORM catalogue_refuse('rostergrant_is_for_departments', 'authorities alone run and check rosters');
        END IF;
        IF NEW.permission <> 'check' AND EXISTS (SELECT 1 FROM sanctions_roster r WHERE r.id = NEW.roster_id AND r.mirrored) THEN
            PERFORM catalogue_refuse('rostergrant_of_a_mirror_is_to_check_only', 'nobody here decides on a mirrored roster');
        END IF;
        IF NEW.ended_on IS NOT NULL THEN
            PERFORM catalogue_refuse('rostergrant_is_taken_back_once', 'a grant is not taken back before it is given');
        END IF;
    END IF;
    IF EXISTS (SELECT 1 FROM accounts_user u WHERE u.organisation_id = NEW.organisation_id
                  AND u.id IN (NEW.proposed_by_id, NEW.confirmed_by_id)) THEN
        PERFORM catalogue_refuse('rostergrant_is_not_for_oneself', 'nobody asks for or confirms what their own unit would use');
    END IF;
    IF TG_OP = 'INSERT' THEN
        RETURN NEW;
    END IF;
    IF NEW.state = 'superseded' THEN
        PERFORM catalogue_refuse('rostergrant_ends_by_its_day', 'a grant ends by its day or is taken back');
    END IF;
    IF OLD.state = 'draft' AND NEW.state = 'in_force' AND NOT catalogue_holds(NEW.confirmed_by_id, 'sanctions', 'confirm_rostergrant') THEN
        PERFORM catalogue_refuse('rostergrant_is_confirmed_by_the_credit_office', 'the credit office confirms grants');
    END IF;
    IF (NEW.ended_on, NEW.ended_by_id, NEW.end_reason) IS DISTINCT FROM (OLD.ended_on, OLD.ended_by_id, OLD.end_reason)
       AND (OLD.ended_on IS NOT NULL OR OLD.state <> 'in_force' OR NEW.ended_on IS NULL OR NEW.ended_on < cf_today()
            OR NOT catalogue_holds(NEW.ended_by_id, 'sanctions', 'end_rostergrant')) THEN
        PERFORM catalogue_refuse('rostergrant_is_taken_back_once', 'a grant in force is taken back once, from today on');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER rostergrant_guard_hands BEFORE INSERT OR UPDATE ON sanctions_rostergrant
    FOR EACH ROW EXECUTE FUNCTION sanctions_rostergrant_guard();
CREATE TRIGGER rostergrant_no_truncate BEFORE TRUNCATE ON sanctions_rostergrant EXECUTE FUNCTION cf_refuse_change();
"""
GRANTS_UNDONE = """
DROP TRIGGER rostergrant_no_truncate ON sanctions_rostergrant;
DROP TRIGGER rostergrant_guard_hands ON sanctions_rostergrant;
DROP FUNCTION sanctions_rostergrant_guard();
DROP TRIGGER rostergrant_guard ON sanctions_rostergrant;
DROP FUNCTION sanctions_may(bigint, text, bigint, bigint);
DROP FUNCTION sanctions_granted_rosters(bigint, text);
"""
ROSTERS = """
-- Whether an article's instrument is valid on a day.
CREATE FUNCTION sanctions_is_law(article bigint, day date) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT 1 FROM catalogue_article a JOIN catalogue_instrument i ON i.id = a.instrument_id
                    WHERE a.id = article AND i.effective_on <= day AND (i.repealed_on IS NULL OR i.repealed_on > day))
$$;

-- What a version lacks to be in force, by the name of the rule; nothing when it may be (国办发〔2020〕49号; domain §2.2).
CREATE FUNCTION sanctions_roster_lacks(wanted bigint) RETURNS text LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE v sanctions_rosterversion; r sanctions_roster;
BEGIN
    SELECT * INTO v FROM sanctions_rosterversion WHERE id = wanted;
    SELECT * INTO r FROM sanctions_roster WHERE id = v.roster_id;
    IF r.item_id IS NULL OR NOT EXISTS (
        SELECT 1 FROM catalogue_item i WHERE i.id = r.item_id AND i.polarity = 'N' AND (r.mirrored OR i.category = '06')) THEN
        RETURN 'rosterversion_has_a_catalogue_item';
    END IF;
    -- A national list rests on a law, a regulation, a central policy or a ministry's rule; the court's on its interpretation as
    -- well; a local list on a local regulation alone.
    IF NOT EXISTS (
        SELECT 1 FROM sanctions_rosterarticle b WHERE b.version_id = v.id AND b.use = 'list' AND sanctions_is_law(b.article_id, cf_today()))
       OR EXISTS (
        SELECT 1 FROM sanctions_rosterarticle b JOIN catalogue_article a ON a.id = b.article_id
          JOIN catalogue_instrument i ON i.id = a.instrument_id
         WHERE b.version_id = v.id AND b.use = 'list'
           AND NOT (r.scope = 'N' AND (i.level IN (10, 20, 30, 50) OR r.mirrored AND i.level = 35) OR r.scope = 'L' AND i.level = 40)) THEN
        RETURN 'rosterversion_basis_is_of_the_level';
    END IF;
    IF v.term_months IS NULL AND NOT r.mirrored THEN
        RETURN 'rosterversion_term_has_an_end';
    END IF;
    -- Personal information is public by a law, a regulation or an order of the State Council only.
    IF v.public AND NOT EXISTS (
        SELECT 1 FROM sanctions_rosterarticle b JOIN catalogue_article a ON a.id = b.article_id
          JOIN catalogue_instrument i ON i.id = a.instrument_id
         WHERE b.version_id = v.id AND b.use = 'publish' AND sanctions_is_law(b.article_id, cf_today())
           AND (i.level IN (10, 20, 40) OR i.state_council_order)) THEN
        RETURN 'rosterversion_public_on_a_basis';
    END IF;
    IF NOT v.public AND v.public_fields <> '{}' OR EXISTS (
        SELECT 1 FROM unnest(v.public_fields) AS shown(code) WHERE NOT EXISTS (
            SELECT 1 FROM catalogue_field f JOIN catalogue_itemversion iv ON iv.id = f.item_version_id
             WHERE iv.item_id = r.item_id AND iv.id IN (SELECT catalogue_in_force(cf_today())) AND f.code = shown.code
               AND 'PUBLIC' = ANY (f.visible_to))) THEN
        RETURN 'rosterversion_publishes_what_the_item_lets_out';
    END IF;
    IF EXISTS (SELECT 1 FROM unnest(ARRAY[v.defence_clock, v.review_clock, v.decide_clock, v.serve_clock, v.publish_clock, v.lift_clock])
                AS clock(code) WHERE catalogue_due(clock.code, cf_today()) IS NULL) THEN
        RETURN 'rosterversion_clocks_are_known';
    END IF;
    RETURN '';
END $$;

-- The version that answers for a roster on a day, while an instrument that it rests on is valid.
CREATE FUNCTION sanctions_version_on(wanted bigint, day date) RETURNS bigint LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT v.id FROM sanctions_rosterversion v
     WHERE v.roster_id = wanted AND v.state = 'in_force' AND v.valid_from <= day AND (v.valid_to IS NULL OR v.valid_to > day)
       AND EXISTS (SELECT 1 FROM sanctions_rosterarticle b
                    WHERE b.version_id = v.id AND b.use = 'list' AND sanctions_is_law(b.article_id, day))
$$;

CREATE TRIGGER rosterversion_guard BEFORE INSERT OR UPDATE OR DELETE ON sanctions_rosterversion FOR EACH ROW
    EXECUTE FUNCTION catalogue_proposed_then_confirmed('state', 'confirmed_by_id', 'confirmed_at', 'withdrawn_reason', 'valid_to');
CREATE FUNCTION sanctions_rosterversion_guard() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE lacks text;
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NOT catalogue_holds(NEW.proposed_by_id, 'sanctions', 'propose_roster') THEN
            PERFORM catalogue_refuse('rosterversion_is_proposed_by_the_credit_office', 'the credit office proposes rosters');
        END IF;
        NEW.created_at := transaction_timestamp();
        RETURN NEW;
    END IF;
    IF OLD.state = 'draft' AND NEW.state = 'in_force' THEN
        IF NOT catalogue_holds(NEW.confirmed_by_id, 'sanctions', 'confirm_roster') THEN
            PERFORM catalogue_refuse('rosterversion_is_confirmed_by_the_credit_office', 'the credit office confirms rosters');
        END IF;
        lacks := sanctions_roster_lacks(NEW.id);
        IF lacks <> '' THEN
            PERFORM catalogue_refuse(lacks, 'this version may not be in force');
        END IF;
    END IF;
    IF NEW.state = 'superseded' OR NEW.valid_to IS DISTINCT FROM OLD.valid_to
       AND (OLD.state <> 'in_force' OR OLD.valid_to IS NOT NULL OR NEW.valid_to <= NEW.valid_from) THEN
        PERFORM catalogue_refuse('rosterversion_ends_once', 'the end of a version is set once, and not moved');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER rosterversion_guard_hands BEFORE INSERT OR UPDATE ON sanctions_rosterversion
    FOR EACH ROW EXECUTE FUNCTION sanctions_rosterversion_guard();
CREATE TRIGGER rosterversion_no_truncate BEFORE TRUNCATE ON sanctions_rosterversion EXECUTE FUNCTION cf_refuse_change();

-- What a roster is does not change once somebody confirmed a version of it.
CREATE FUNCTION sanctions_roster_guard() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' OR (NEW.code, NEW.scope, NEW.mirrored, NEW.item_id) IS DISTINCT FROM (OLD.code, OLD.scope, OLD.mirrored, OLD.item_id)
       THEN
        IF EXISTS (SELECT 1 FROM sanctions_rosterversion v WHERE v.roster_id = OLD.id AND v.confirmed_at IS NOT NULL) THEN
            PERFORM catalogue_refuse('roster_is_what_it_is', 'a roster that was in force keeps its code, scope, source and item');
        END IF;
    END IF;
    RETURN coalesce(NEW, OLD);
END $$;
CREATE TRIGGER roster_guard BEFORE UPDATE OR DELETE ON sanctions_roster FOR EACH ROW EXECUTE FUNCTION sanctions_roster_guard();

-- Articles come with their version, in the same transaction: nobody adds one after the version was proposed.
CREATE FUNCTION sanctions_comes_with_its_version() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE whole boolean;
BEGIN
    IF TG_TABLE_NAME = 'sanctions_rosterarticle' THEN
        SELECT state = 'draft' AND created_at = transaction_timestamp() INTO whole FROM sanctions_rosterversion
         WHERE id = (to_jsonb(NEW) ->> 'version_id')::bigint;
    ELSE
        SELECT state = 'draft' AND created_at = transaction_timestamp() INTO whole FROM sanctions_measure
         WHERE id = (to_jsonb(NEW) ->> 'measure_id')::bigint;
    END IF;
    IF whole IS NOT TRUE THEN
        PERFORM catalogue_refuse(TG_TABLE_NAME || '_comes_with_its_version', 'what a version says is said when it is proposed');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER rosterarticle_comes_with_its_version BEFORE INSERT ON sanctions_rosterarticle
    FOR EACH ROW EXECUTE FUNCTION sanctions_comes_with_its_version();
CREATE TRIGGER rosterarticle_append_only BEFORE UPDATE OR DELETE ON sanctions_rosterarticle
    FOR EACH ROW EXECUTE FUNCTION cf_refuse_change();
CREATE TRIGGER rosterarticle_no_truncate BEFORE TRUNCATE ON sanctions_rosterarticle EXECUTE FUNCTION cf_refuse_change();
"""
ROSTERS_UNDONE = """
DROP TRIGGER rosterarticle_no_truncate ON sanctions_rosterarticle;
DROP TRIGGER rosterarticle_append_only ON sanctions_rosterarticle;
DROP TRIGGER rosterarticle_comes_with_its_version ON sanctions_rosterarticle;
DROP FUNCTION sanctions_comes_with_its_version();
DROP TRIGGER roster_guard ON sanctions_roster;
DROP FUNCTION sanctions_roster_guard();
DROP TRIGGER rosterversion_no_truncate ON sanctions_rosterversion;
DROP TRIGGER rosterversion_guard_hands ON sanctions_rosterversion;
DROP FUNCTION sanctions_rosterversion_guard();
DROP TRIGGER rosterversion_guard ON sanctions_rosterversion;
DROP FUNCTION sanctions_version_on(bigint, date);
DROP FUNCTION sanctions_roster_lacks(bigint);
DROP FUNCTION sanctions_is_law(bigint, date);
"""
MEASURES = """
-- Measures that may be bound on a day: confirmed, published, on a basis valid on that day.
CREATE FUNCTION sanctions_measures_in_force(day date) RETURNS SETOF bigint LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT m.id FROM sanctions_measure m
     WHERE m.state = 'in_force' AND m.valid_from <= day AND (m.valid_to IS NULL OR m.valid_to > day) AND m.published_on <= day
       AND sanctions_is_law(m.basis_id, day)
$$;
CREATE TRIGGER measure_guard BEFORE INSERT OR UPDATE OR DELETE ON sanctions_measure FOR EACH ROW
    EXECUTE FUNCTION catalogue_proposed_then_confirmed('state', 'confirmed_by_id', 'confirmed_at', 'withdrawn_reason', 'valid_to');
CREATE FUNCTION sanctions_measure_guard() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NOT catalogue_holds(NEW.proposed_by_id, 'sanctions', 'propose_roster') THEN
            PERFORM catalogue_refuse('measure_is_proposed_by_the_credit_office', 'the credit office proposes measures');
        END IF;
        NEW.created_at := transaction_timestamp();
        RETURN NEW;
    END IF;
    IF OLD.state = 'draft' AND NEW.state = 'in_force' THEN
        IF NOT catalogue_holds(NEW.confirmed_by_id, 'sanctions', 'confirm_roster') THEN
            PERFORM catalogue_refuse('measure_is_confirmed_by_the_credit_office', 'the credit office confirms measures');
        END IF;
        IF NEW.published_on IS NULL OR NEW.published_on > cf_today() OR NOT sanctions_is_law(NEW.basis_id, cf_today()) THEN
            PERFORM catalogue_refuse('measure_rests_on_a_published_basis', 'no measure without a basis in force and publication');
        END IF;
        -- Rights are reduced by laws, regulations and central policies only (国办发〔2020〕49号).
        IF NEW.kind = 'A' AND NOT EXISTS (
            SELECT 1 FROM catalogue_article a JOIN catalogue_instrument i ON i.id = a.instrument_id
             WHERE a.id = NEW.basis_id AND i.level IN (10, 20, 30, 40)) THEN
            PERFORM catalogue_refuse('measure_basis_is_of_the_level', 'rights are reduced by laws, regulations and central policies only');
        END IF;
        IF NOT EXISTS (SELECT 1 FROM sanctions_measureroster l WHERE l.measure_id = NEW.id) THEN
            PERFORM catalogue_refuse('measure_names_its_rosters', 'a measure names the rosters that it follows from');
        END IF;
    END IF;
    IF NEW.state = 'superseded' OR NEW.valid_to IS DISTINCT FROM OLD.valid_to
       AND (OLD.state <> 'in_force' OR OLD.valid_to IS NOT NULL OR NEW.valid_to <= NEW.valid_from) THEN
        PERFORM catalogue_refuse('measure_ends_once', 'the end of a version is set once, and not moved');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER measure_guard_hands BEFORE INSERT OR UPDATE ON sanctions_measure
    FOR EACH ROW EXECUTE FUNCTION sanctions_measure_guard();
CREATE TRIGGER measure_no_truncate BEFORE TRUNCATE ON sanctions_measure EXECUTE FUNCTION cf_refuse_change();
CREATE TRIGGER measureroster_comes_with_its_version BEFORE INSERT ON sanctions_measureroster
    FOR EACH ROW EXECUTE FUNCTION sanctions_comes_with_its_version();
CREATE TRIGGER measureroster_append_only BEFORE UPDATE OR DELETE ON sanctions_measureroster
    FOR EACH ROW EXECUTE FUNCTION cf_refuse_change();
CREATE TRIGGER measureroster_no_truncate BEFORE TRUNCATE ON sanctions_measureroster EXECUTE FUNCTION cf_refuse_change();
"""
MEASURES_UNDONE = """
DROP TRIGGER measureroster_no_truncate ON sanctions_measureroster;
DROP TRIGGER measureroster_append_only ON sanctions_measureroster;
DROP TRIGGER measureroster_comes_with_its_version ON sanctions_measureroster;
DROP TRIGGER measure_no_truncate ON sanctions_measure;
DROP TRIGGER measure_guard_hands ON sanctions_measure;
DROP FUNCTION sanctions_measure_guard();
DROP TRIGGER measure_guard ON sanctions_measure;
DROP FUNCTION sanctions_measures_in_force(date);
"""


class Migration(migrations.Migration):
    dependencies = [("sanctions", "0001_rosters_and_cases"), ("catalogue", "0032_listing_deadlines")]
    operations = [
        migrations.RunSQL(GRANTS, GRANTS_UNDONE),
        migrations.RunSQL(ROSTERS, ROSTERS_UNDONE),
        migrations.RunSQL(MEASURES, MEASURES_UNDONE),
    ]
