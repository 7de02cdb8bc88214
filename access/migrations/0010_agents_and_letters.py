"""Who reads for somebody else, and for a court: authorities, letters, and until when a person is not shown a line."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

RULES = r"""
-- The day on which a period of the table of deadlines ends; with no rule in force it ends where it begins.
CREATE FUNCTION access_rule_day(rule text, start date, extended boolean DEFAULT false) RETURNS date LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN coalesce((
        SELECT CASE d.unit WHEN 'MO' THEN (start + make_interval(months => d.n))::date
                           ELSE start + d.n + CASE WHEN extended THEN coalesce(d.n_extra, 0) ELSE 0 END END
          FROM catalogue_deadlinerule d WHERE d.code = rule AND d.state = 'in_force'
           AND d.valid_from <= start AND (d.valid_to IS NULL OR d.valid_to > start)), start);
END $$;

-- Whether a person is dead; NULL for a number that was merged into another: neither living nor dead.
CREATE FUNCTION access_is_dead(person bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN p.merged_into_id IS NULL THEN p.deceased_on IS NOT NULL END FROM accounts_person p WHERE p.id = person
$$;
"""
AUTHORITIES = r"""
-- Whether a person arranged, under any number of theirs, that near relatives do not read: the last word counts.
CREATE FUNCTION access_kin_is_refused(person bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT coalesce((SELECT NOT w.allows FROM access_kinwish w
                      WHERE access_survivor(w.person_id) = access_survivor(person) ORDER BY w.id DESC LIMIT 1), false)
$$;
CREATE FUNCTION access_kinwish_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT access_is_the_person(NEW.person_id, NEW.by_id) THEN
        PERFORM catalogue_refuse('kinwish_of_the_person', 'nobody but the person arranges it');
    END IF;
    NEW.at := transaction_timestamp();
    RETURN NEW;
END $$;
CREATE TRIGGER kinwish_guard BEFORE INSERT ON access_kinwish FOR EACH ROW EXECUTE FUNCTION access_kinwish_guard();
CREATE TRIGGER kinwish_append_only BEFORE UPDATE OR DELETE ON access_kinwish FOR EACH ROW EXECUTE FUNCTION cf_refuse_change();
CREATE TRIGGER kinwish_no_truncate BEFORE TRUNCATE ON access_kinwish EXECUTE FUNCTION cf_refuse_change();

-- A power of attorney is of the living and ends with them; kin read of the dead only, unless these arranged otherwise.
CREATE FUNCTION access_authority_stands(basis text, person bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF basis = 'attorney' AND access_is_dead(person) IS DISTINCT FROM false THEN
        PERFORM catalogue_refuse('authority_of_attorney_is_of_the_living', 'a power of attorney ends with its person');
    ELSIF basis = 'kin' AND access_is_dead(person) IS DISTINCT FROM true THEN
        PERFORM catalogue_refuse('authority_of_kin_is_of_the_dead', 'near relatives read of the dead only');
    ELSIF basis = 'kin' AND access_kin_is_refused(person) THEN
        PERFORM catalogue_refuse('authority_of_kin_as_arranged', 'the person arranged that near relatives do not read');
    END IF;
END $$;

CREATE FUNCTION access_authority_guard() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE moved text[] := '{state,decided_by_id,decided_at,note,revoked_by_id,revoked_at}';
BEGIN
    IF TG_OP = 'DELETE' THEN
        PERFORM catalogue_refuse('authority_is_kept', 'authorities are kept');
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'entered' OR (NEW.decided_by_id, NEW.decided_at, NEW.revoked_by_id, NEW.revoked_at)
           IS DISTINCT FROM (NULL::bigint, NULL::timestamptz, NULL::bigint, NULL::timestamptz) THEN
            PERFORM catalogue_refuse('authority_begins_entered', 'an authority begins with a clerk''s entry');
        END IF;
        IF NOT access_holds(NEW.entered_by_id, 'enter_authority') OR NOT EXISTS (
            SELECT 1 FROM accounts_user u WHERE u.id = NEW.entered_by_id AND u.organisation_id = NEW.organisation_id) THEN
            PERFORM catalogue_refuse('authority_entered_by_a_clerk', 'a clerk enters it, at their own counter');
        END IF;
        IF EXISTS (SELECT 1 FROM accounts_person p WHERE p.id_index = NEW.agent_index
                      AND access_survivor(p.id) = access_survivor(NEW.person_id)) THEN
            PERFORM catalogue_refuse('authority_agent_is_another', 'nobody is their own agent');
        END IF;
        IF NEW.valid_until NOT BETWEEN cf_today() AND access_rule_day('D61', cf_today()) THEN
            PERFORM catalogue_refuse('authority_is_short', 'an authority lasts no longer than the rule says');
        END IF;
        IF NOT NEW.items <@ (SELECT array_agg(i.id) FROM catalogue_item i) THEN
            PERFORM catalogue_refuse('authority_names_items', 'an item that is none');
        END IF;
        PERFORM access_authority_stands(NEW.basis, NEW.person_id);
        NEW.entered_at := transaction_timestamp();
        NEW.number := 'WT' || to_char(cf_today(), 'YYYYMMDD') || '-' || lpad(NEW.id::text, 8, '0');
        RETURN NEW;
    END IF;
    IF to_jsonb(NEW) - moved IS DISTINCT FROM to_jsonb(OLD) - moved THEN
        PERFORM catalogue_refuse('authority_is_what_was_entered', 'what was entered is not rewritten');
    END IF;
    IF (OLD.state, NEW.state) NOT IN (('entered', 'approved'), ('entered', 'refused'), ('entered', 'revoked'), ('approved', 'revoked')) THEN
        PERFORM catalogue_refuse('authority_moves_along_its_arrows', format('an authority may not go from %s to %s', OLD.state, NEW.state));
    END IF;
    IF NEW.state = 'revoked' THEN
        IF NOT (access_is_the_person(NEW.person_id, NEW.revoked_by_id) OR access_holds(NEW.revoked_by_id, 'enter_authority')) THEN
            PERFORM catalogue_refuse('authority_revoked_by_the_person', 'the person revokes it, or a clerk for them');
        END IF;
        IF (NEW.decided_by_id, NEW.decided_at, NEW.note) IS DISTINCT FROM (OLD.decided_by_id, OLD.decided_at, OLD.note) THEN
            PERFORM catalogue_refuse('authority_is_what_was_entered', 'what was decided is not rewritten');
        END IF;
        NEW.revoked_at := transaction_timestamp();
        RETURN NEW;
    END IF;
    IF NEW.revoked_by_id IS NOT NULL OR NEW.revoked_at IS NOT NULL OR NOT access_holds(NEW.decided_by_id, 'review_authority') THEN
        PERFORM catalogue_refuse('authority_decided_by_a_reviewer', 'a reviewer decides');
    END IF;
    IF NEW.state = 'approved' THEN
        IF NEW.valid_until < cf_today() OR NEW.note <> '' THEN
            PERFORM catalogue_refuse('authority_is_short', 'its time is over');
        END IF;
        PERFORM access_authority_stands(NEW.basis, NEW.person_id);
    END IF;
    NEW.decided_at := transaction_timestamp();
    RETURN NEW;
END $$;
CREATE TRIGGER authority_guard BEFORE INSERT OR UPDATE OR DELETE ON access_authority
    FOR EACH ROW EXECUTE FUNCTION access_authority_guard();
CREATE TRIGGER authority_no_truncate BEFORE TRUNCATE ON access_authority EXECUTE FUNCTION cf_refuse_change();

-- The living are told of everything that is done in their name: checked when the transaction ends.
CREATE FUNCTION access_is_told(person bigint, number text) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT access_is_dead(person) IS NOT false OR EXISTS (
        SELECT 1 FROM access_message m WHERE m.person_id = person AND m.about = number AND m.at = transaction_timestamp())
$$;
CREATE FUNCTION access_authority_is_told() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT access_is_told(NEW.person_id, NEW.number) THEN
        PERFORM catalogue_refuse('authority_is_told', 'the person is told of every entry, decision and end');
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER authority_is_told AFTER INSERT OR UPDATE OF state ON access_authority DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION access_authority_is_told();

-- No reading for somebody else without an authority in force, of that person, by its counter, within its items. Whoever
-- revokes waits for a reading under way or comes first; so does the case that registers a death.
CREATE FUNCTION access_line_by_authority() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE line access_query; a access_authority;
BEGIN
    SELECT * INTO line FROM access_query q WHERE q.seq = NEW.query_id AND q.at = transaction_timestamp();
    SELECT * INTO a FROM access_authority t WHERE t.number = line.case_no FOR SHARE;
    PERFORM 1 FROM accounts_person p WHERE p.id = NEW.person_id FOR KEY SHARE;
    IF line.kind IS DISTINCT FROM 'Q3' OR a.state IS DISTINCT FROM 'approved' OR a.valid_until < cf_today()
       OR access_survivor(a.person_id) IS DISTINCT FROM NEW.person_id THEN
        PERFORM catalogue_refuse('queryperson_by_authority', 'no reading for somebody else without an authority in force');
    END IF;
    IF NEW.items IS NULL OR cardinality(NEW.items) = 0 OR NOT NEW.items <@ a.items THEN
        PERFORM catalogue_refuse('queryperson_by_authority_within_its_items', 'the authority does not cover those items');
    END IF;
    IF NOT access_holds(line.actor_id, 'enter_authority') OR line.organisation_id IS DISTINCT FROM a.organisation_id THEN
        PERFORM catalogue_refuse('queryperson_by_authority_at_its_counter', 'it is carried out at the counter that entered it');
    END IF;
    PERFORM access_authority_stands(a.basis, NEW.person_id);
    RETURN NEW;
END $$;
CREATE TRIGGER queryperson_by_authority BEFORE INSERT ON access_queryperson FOR EACH ROW
    WHEN (NEW.kind = 'Q3' AND NEW.allowed) EXECUTE FUNCTION access_line_by_authority();
CREATE FUNCTION access_line_by_authority_is_told() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT access_is_told(NEW.person_id, (SELECT q.case_no FROM access_query q WHERE q.seq = NEW.query_id AND q.at = NEW.at)) THEN
        PERFORM catalogue_refuse('queryperson_by_authority_is_told', 'the person is told of every reading by an agent');
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER queryperson_by_authority_is_told AFTER INSERT ON access_queryperson DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.kind = 'Q3' AND NEW.allowed) EXECUTE FUNCTION access_line_by_authority_is_told();
"""
AUTHORITIES_UNDONE = """
DROP TRIGGER queryperson_by_authority_is_told ON access_queryperson;
DROP FUNCTION access_line_by_authority_is_told();
DROP TRIGGER queryperson_by_authority ON access_queryperson;
DROP FUNCTION access_line_by_authority();
DROP TRIGGER authority_is_told ON access_authority;
DROP FUNCTION access_authority_is_told();
DROP FUNCTION access_is_told(bigint, text);
DROP TRIGGER authority_no_truncate ON access_authority;
DROP TRIGGER authority_guard ON access_authority;
DROP FUNCTION access_authority_guard();
DROP FUNCTION access_authority_stands(text, bigint);
DROP TRIGGER kinwish_no_truncate ON access_kinwish;
DROP TRIGGER kinwish_append_only ON access_kinwish;
DROP TRIGGER kinwish_guard ON access_kinwish;
DROP FUNCTION access_kinwish_guard();
DROP FUNCTION access_kin_is_refused(bigint);
DROP FUNCTION access_is_dead(bigint);
DROP FUNCTION access_rule_day(text, date, boolean);
"""
LETTERS = r"""
-- The last day of hiding is settled when a letter is registered: no letter without its day, no day beyond the rule's.
CREATE FUNCTION access_letter_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE owner boolean := current_user = (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID);
    moved text[] := '{state,decided_by_id,decided_at,note,release_on,closed_on,closed_by_id,told_at}';
    answer text[] := '{state,decided_by_id,decided_at,note}';
BEGIN
    IF TG_OP = 'DELETE' THEN
        PERFORM catalogue_refuse('officialletter_is_kept', 'letters are kept');
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'entered' OR (NEW.decided_by_id, NEW.decided_at, NEW.closed_on, NEW.closed_by_id, NEW.told_at)
           IS DISTINCT FROM (NULL::bigint, NULL::timestamptz, NULL::date, NULL::bigint, NULL::timestamptz) THEN
            PERFORM catalogue_refuse('officialletter_begins_entered', 'a letter begins with its registration');
        END IF;
        IF NOT access_holds(NEW.registered_by_id, 'enter_officialletter') OR NOT EXISTS (
            SELECT 1 FROM accounts_user u WHERE u.id = NEW.registered_by_id AND u.organisation_id = NEW.organisation_id) THEN
            PERFORM catalogue_refuse('officialletter_registered_by_an_official', 'an official registers it');
        END IF;
        IF NEW.letter_on > cf_today() OR NEW.answer_until NOT BETWEEN cf_today() AND access_rule_day('D64', cf_today())
           OR NOT NEW.items <@ (SELECT array_agg(i.id) FROM catalogue_item i) THEN
            PERFORM catalogue_refuse('officialletter_is_narrow', 'a letter of today or before, known items, answered for a short time');
        END IF;
        IF NOT NEW.withhold THEN
            NEW.release_on := cf_today();
        ELSIF NEW.release_on NOT BETWEEN cf_today() + 1 AND access_rule_day('D62', cf_today()) THEN
            PERFORM catalogue_refuse('officialletter_is_held_within_the_rule', 'nothing is held back longer than the rule says');
        END IF;
        NEW.registered_at := transaction_timestamp();
        NEW.number := 'GH' || to_char(cf_today(), 'YYYYMMDD') || '-' || lpad(NEW.id::text, 8, '0');
        RETURN NEW;
    END IF;
    IF to_jsonb(NEW) - moved IS DISTINCT FROM to_jsonb(OLD) - moved THEN
        PERFORM catalogue_refuse('officialletter_is_what_was_registered', 'what was registered is not rewritten');
    END IF;
    IF NEW.release_on IS DISTINCT FROM OLD.release_on AND NOT owner THEN
        PERFORM catalogue_refuse('officialletter_day_is_settled', 'the day is moved by the rule and by two officials only');
    END IF;
    IF to_jsonb(NEW) - answer IS NOT DISTINCT FROM to_jsonb(OLD) - answer AND NEW IS DISTINCT FROM OLD THEN
        IF (OLD.state, NEW.state) NOT IN (('entered', 'approved'), ('entered', 'refused')) THEN
            PERFORM catalogue_refuse('officialletter_moves_along_its_arrows', format('a letter may not go from %s to %s', OLD.state, NEW.state));
        END IF;
        IF NOT access_holds(NEW.decided_by_id, 'decide_officialletter') THEN
            PERFORM catalogue_refuse('officialletter_decided_by_an_official', 'another official decides');
        END IF;
        IF NEW.state = 'approved' AND (NEW.answer_until < cf_today() OR NEW.note <> '') THEN
            PERFORM catalogue_refuse('officialletter_is_narrow', 'the time to answer is over');
        END IF;
        NEW.decided_at := transaction_timestamp();
        RETURN NEW;
    END IF;
    IF (NEW.state, NEW.decided_by_id, NEW.decided_at, NEW.note) IS DISTINCT FROM (OLD.state, OLD.decided_by_id, OLD.decided_at, OLD.note) THEN
        PERFORM catalogue_refuse('officialletter_is_what_was_registered', 'one thing at a time');
    END IF;
    IF (NEW.closed_on, NEW.closed_by_id) IS DISTINCT FROM (OLD.closed_on, OLD.closed_by_id) THEN
        IF OLD.closed_on IS NOT NULL OR NEW.closed_on IS NULL OR OLD.state <> 'approved' OR NEW.closed_on > cf_today()
           OR NEW.closed_on < OLD.letter_on OR NOT access_holds(NEW.closed_by_id, 'enter_officialletter') THEN
            PERFORM catalogue_refuse('officialletter_closes_once', 'an official notes once that the case is closed');
        END IF;
        -- the case's end only ever brings the day nearer
        NEW.release_on := CASE WHEN OLD.release_on <= cf_today() THEN OLD.release_on
            ELSE least(OLD.release_on, greatest(cf_today(), access_rule_day('D63', NEW.closed_on))) END;
    END IF;
    IF NEW.told_at IS DISTINCT FROM OLD.told_at THEN
        IF OLD.told_at IS NOT NULL OR NEW.release_on > cf_today() THEN
            PERFORM catalogue_refuse('officialletter_is_told_when_released', 'nobody is told before the day');
        END IF;
        NEW.told_at := transaction_timestamp();
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER officialletter_guard BEFORE INSERT OR UPDATE OR DELETE ON access_officialletter
    FOR EACH ROW EXECUTE FUNCTION access_letter_guard();
CREATE TRIGGER officialletter_no_truncate BEFORE TRUNCATE ON access_officialletter EXECUTE FUNCTION cf_refuse_change();

-- Whom a letter is about is settled with it.
CREATE FUNCTION access_letterperson_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM access_officialletter l
                    WHERE l.id = NEW.letter_id AND l.state = 'entered' AND l.registered_at = transaction_timestamp()) THEN
        PERFORM catalogue_refuse('letterperson_comes_with_its_letter', 'whom a letter is about is settled when it is registered');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER letterperson_guard BEFORE INSERT ON access_letterperson FOR EACH ROW EXECUTE FUNCTION access_letterperson_guard();
CREATE TRIGGER letterperson_append_only BEFORE UPDATE OR DELETE ON access_letterperson
    FOR EACH ROW EXECUTE FUNCTION cf_refuse_change();
CREATE TRIGGER letterperson_no_truncate BEFORE TRUNCATE ON access_letterperson EXECUTE FUNCTION cf_refuse_change();

CREATE FUNCTION access_last_line() RETURNS bigint LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT last_value FROM access_query_seq $$;
-- Held back longer: while it is held, once, within the rule, asked by one official, agreed by another.
CREATE FUNCTION access_holdextension_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE l access_officialletter; moved text[] := '{state,decided_by_id,decided_at,note}';
BEGIN
    IF TG_OP = 'DELETE' THEN
        PERFORM catalogue_refuse('holdextension_is_kept', 'extensions are kept');
    END IF;
    SELECT * INTO l FROM access_officialletter t WHERE t.id = NEW.letter_id FOR NO KEY UPDATE;
    IF TG_OP = 'INSERT' OR NEW.state = 'confirmed' THEN
        IF l.state <> 'approved' OR NOT l.withhold OR l.release_on <= cf_today() OR NEW.release_on <= l.release_on
           OR NEW.release_on > access_rule_day('D62', (l.registered_at AT TIME ZONE 'Asia/Shanghai')::date, true) THEN
            PERFORM catalogue_refuse('holdextension_within_the_rule', 'what is held is held on within the rule; what was released stays so');
        END IF;
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'asked' OR NEW.decided_by_id IS NOT NULL OR NOT access_holds(NEW.asked_by_id, 'enter_officialletter') THEN
            PERFORM catalogue_refuse('holdextension_begins_asked', 'an official asks');
        END IF;
        NEW.asked_at := transaction_timestamp();
        NEW.asked_after := access_last_line();
        RETURN NEW;
    END IF;
    IF to_jsonb(NEW) - moved IS DISTINCT FROM to_jsonb(OLD) - moved OR OLD.state <> 'asked' OR NEW.state NOT IN ('confirmed', 'refused')
       OR NOT access_holds(NEW.decided_by_id, 'decide_officialletter') THEN
        PERFORM catalogue_refuse('holdextension_decided_once', 'another official decides, once');
    END IF;
    NEW.decided_at := transaction_timestamp();
    RETURN NEW;
END $$;
CREATE TRIGGER holdextension_guard BEFORE INSERT OR UPDATE OR DELETE ON access_holdextension
    FOR EACH ROW EXECUTE FUNCTION access_holdextension_guard();
CREATE FUNCTION access_holdextension_confirmed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE access_officialletter SET release_on = NEW.release_on WHERE id = NEW.letter_id;
    RETURN NULL;
END $$;
CREATE TRIGGER holdextension_confirmed AFTER UPDATE ON access_holdextension FOR EACH ROW
    WHEN (OLD.state = 'asked' AND NEW.state = 'confirmed') EXECUTE FUNCTION access_holdextension_confirmed();
CREATE TRIGGER holdextension_no_truncate BEFORE TRUNCATE ON access_holdextension EXECUTE FUNCTION cf_refuse_change();

-- Until when a line is not shown to its person: NULL when it is shown. A line of this kind names its letter.
CREATE FUNCTION access_held_until(line_kind text, letter text) RETURNS date LANGUAGE sql STABLE AS $$
    SELECT l.release_on FROM access_officialletter l WHERE line_kind = 'Q7' AND l.number = letter AND l.release_on > cf_today()
$$;

-- No line of this kind without its letter, about its persons; no reading but while it is answered, within its items.
CREATE FUNCTION access_query_by_letter() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM access_officialletter l WHERE l.number = NEW.case_no) THEN
        PERFORM catalogue_refuse('query_by_letter_names_it', 'no line of a court, procuratorate or supervision without its letter');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER query_by_letter BEFORE INSERT ON access_query FOR EACH ROW
    WHEN (NEW.kind = 'Q7') EXECUTE FUNCTION access_query_by_letter();
CREATE FUNCTION access_line_by_letter() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE line access_query; l access_officialletter; named access_letterperson;
BEGIN
    SELECT * INTO line FROM access_query q WHERE q.seq = NEW.query_id AND q.at = transaction_timestamp();
    SELECT * INTO l FROM access_officialletter t WHERE t.number = line.case_no FOR SHARE;
    SELECT * INTO named FROM access_letterperson n WHERE n.letter_id = l.id AND access_survivor(n.person_id) = NEW.person_id LIMIT 1;
    IF line.kind IS DISTINCT FROM 'Q7' OR named.id IS NULL OR NEW.items IS NULL THEN
        PERFORM catalogue_refuse('queryperson_by_letter_is_named_in_it', 'the letter is not about this person');
    END IF;
    IF NEW.allowed AND cardinality(NEW.items) > 0 AND (l.state <> 'approved' OR l.closed_on IS NOT NULL OR l.answer_until < cf_today()
           OR NOT named.matches OR NOT NEW.items <@ l.items) THEN
        PERFORM catalogue_refuse('queryperson_by_letter_within_its_case', 'a letter approved, still answered, within its items');
    END IF;
    IF NEW.allowed AND NOT access_holds(line.actor_id, CASE cardinality(NEW.items) WHEN 0 THEN 'view_officialletter' ELSE 'enter_officialletter' END) THEN
        PERFORM catalogue_refuse('queryperson_by_letter_by_an_official', 'an official answers it');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER queryperson_by_letter BEFORE INSERT ON access_queryperson FOR EACH ROW
    WHEN (NEW.kind = 'Q7') EXECUTE FUNCTION access_line_by_letter();
-- What is not held back is told at once.
CREATE FUNCTION access_line_by_letter_is_told() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE letter text := (SELECT q.case_no FROM access_query q WHERE q.seq = NEW.query_id AND q.at = NEW.at);
BEGIN
    IF access_held_until('Q7', letter) IS NULL AND NOT access_is_told(NEW.person_id, letter) THEN
        PERFORM catalogue_refuse('queryperson_by_letter_is_told', 'the person is told at once of what is not held back');
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER queryperson_by_letter_is_told AFTER INSERT ON access_queryperson DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.kind = 'Q7' AND NEW.allowed AND cardinality(NEW.items) > 0) EXECUTE FUNCTION access_line_by_letter_is_told();
"""
LETTERS_UNDONE = """
DROP TRIGGER queryperson_by_letter_is_told ON access_queryperson;
DROP FUNCTION access_line_by_letter_is_told();
DROP TRIGGER queryperson_by_letter ON access_queryperson;
DROP FUNCTION access_line_by_letter();
DROP TRIGGER query_by_letter ON access_query;
DROP FUNCTION access_query_by_letter();
DROP FUNCTION access_held_until(text, text);
DROP TRIGGER holdextension_no_truncate ON access_holdextension;
DROP TRIGGER holdextension_confirmed ON access_holdextension;
DROP FUNCTION access_holdextension_confirmed();
DROP TRIGGER holdextension_guard ON access_holdextension;
DROP FUNCTION access_holdextension_guard();
DROP FUNCTION access_last_line();
DROP TRIGGER letterperson_no_truncate ON access_letterperson;
DROP TRIGGER letterperson_append_only ON access_letterperson;
DROP TRIGGER letterperson_guard ON access_letterperson;
DROP FUNCTION access_letterperson_guard();
DROP TRIGGER officialletter_no_truncate ON access_officialletter;
DROP TRIGGER officialletter_guard ON access_officialletter;
DROP FUNCTION access_letter_guard();
"""
DEADLINES = """
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE catalogue_deadlinerule DISABLE TRIGGER deadlinerule_guard;
INSERT INTO catalogue_deadlinerule (code, version, what, n, n_extra, unit, starts, owner, basis, source, confidence, strict, note,
    in_doubt, rolls, verified, valid_from, state, proposed_at, confirmed_at, withdrawn_reason) VALUES
('D60', 1, '复核代理人、近亲属查询', 3, NULL, 'WD', '窗口录入之日', 'PLATFORM', '本站设定：先复核、后查询',
 '时限总表（2026-11-23）补充：domain §7.3', 'D', 3, '', 'earlier', true, false, '2021-11-01', 'in_force', now(), now(), ''),
('D61', 1, '委托、近亲属查询最长有效期', 90, NULL, 'ND', '窗口录入之日', 'SUBJECT', '本站设定（个人信息保护法第六条、第十九条：最小必要、最短时间）',
 '时限总表（2026-11-23）补充：domain §7.1', 'D', 90, '与授权查询的通常期限相同', 'earlier', false, false, '2021-11-01', 'in_force', now(), now(), ''),
('D62', 1, '公函查询最迟向当事人放出', 730, 365, 'ND', '公函登记之日', 'PLATFORM',
 '个人信息保护法第十八条、第三十五条：法律规定应当保密或者告知将妨碍履行法定职责的，可以暂不告知',
 '时限总表（2026-11-23）补充：domain §7.5', 'D', 730, '上限为本站设定；只能延长一次，须两人办理并写明理由', 'earlier', false, false, '2021-11-01', 'in_force', now(), now(), ''),
('D63', 1, '结案后向当事人放出公函查询', 6, NULL, 'MO', '结案之日', 'PLATFORM', '个人信息保护法第十八条：妨碍情形消除后应当告知',
 '时限总表（2026-11-23）补充：domain §7.5', 'D', 6, '只会提前、不会推后放出日期', 'earlier', false, false, '2021-11-01', 'in_force', now(), now(), ''),
('D64', 1, '公函提供期', 30, NULL, 'ND', '公函登记之日', 'PLATFORM', '本站设定：一函一办，过期另行来函',
 '时限总表（2026-11-23）补充：domain §7.1', 'D', 30, '', 'earlier', false, false, '2021-11-01', 'in_force', now(), now(), '')
ON CONFLICT (code, version) DO NOTHING;  -- kept from before, when clocks rest on it
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE catalogue_deadlinerule ENABLE TRIGGER deadlinerule_guard;
"""
DEADLINES_UNDONE = """
ALTER TABLE catalogue_deadlinerule DISABLE TRIGGER deadlinerule_guard;
DELETE FROM catalogue_deadlinerule r WHERE code IN ('D60', 'D61', 'D62', 'D63', 'D64')
   AND NOT EXISTS (SELECT 1 FROM catalogue_deadline d WHERE d.rule_id = r.id);
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE catalogue_deadlinerule ENABLE TRIGGER deadlinerule_guard;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("access", "0009_duties"),
        ("accounts", "0009_sign_in"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="OfficialLetter",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.CharField(editable=False, max_length=24, unique=True, verbose_name="登记编号")),
                (
                    "sender",
                    models.CharField(
                        choices=[
                            ("court", "人民法院"),
                            ("procurate", "人民检察院"),
                            ("supervise", "监察机关"),
                            ("other", "其他依法有权的监督机关"),
                        ],
                        max_length=9,
                        verbose_name="机关类别",
                    ),
                ),
                ("sender_name", models.CharField(max_length=100, verbose_name="机关名称")),
                ("letter_no", models.CharField(max_length=60, verbose_name="公函文号")),
                ("letter_on", models.DateField(verbose_name="公函日期")),
                (
                    "officers",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=100), size=None, verbose_name="承办人员姓名"
                    ),
                ),
                (
                    "certificates",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=60), size=None, verbose_name="工作证（执行公务证）编号"
                    ),
                ),
                ("legal_basis", models.CharField(max_length=200, verbose_name="法律依据")),
                ("case_no", models.CharField(max_length=80, verbose_name="案号")),
                (
                    "items",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), size=None, verbose_name="条目"
                    ),
                ),
                ("answer_until", models.DateField(verbose_name="提供至")),
                ("withhold", models.BooleanField(verbose_name="暂不向当事人显示")),
                ("withhold_basis", models.CharField(blank=True, max_length=200, verbose_name="暂不显示的理由和依据")),
                (
                    "registered_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="登记时间"),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("entered", "待审核"), ("approved", "已同意提供"), ("refused", "不予提供")],
                        default="entered",
                        max_length=8,
                        verbose_name="状态",
                    ),
                ),
                ("decided_at", models.DateTimeField(null=True, verbose_name="审核时间")),
                ("note", models.CharField(blank=True, max_length=200, verbose_name="不予提供的理由")),
                (
                    "release_on",
                    models.DateField(help_text="自这一天起，当事人在“谁查了我”里看得到", verbose_name="放出日期"),
                ),
                ("closed_on", models.DateField(null=True, verbose_name="结案日期")),
                ("told_at", models.DateTimeField(null=True, verbose_name="放出后告知时间")),
                (
                    "closed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="结案登记人",
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="审核人",
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organisation",
                        verbose_name="登记单位",
                    ),
                ),
                (
                    "registered_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="登记人",
                    ),
                ),
            ],
            options={
                "verbose_name": "司法、监察、监督机关公函",
                "verbose_name_plural": "司法、监察、监督机关公函",
                "ordering": ["-id"],
                "permissions": [
                    ("enter_officialletter", "登记公函、办理提供"),
                    ("decide_officialletter", "审核公函、审核延期显示"),
                ],
                "default_permissions": ("view",),
            },
        ),
        migrations.CreateModel(
            name="LetterPerson",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("matches", models.BooleanField(verbose_name="姓名与号码相符")),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.person",
                        verbose_name="当事人",
                    ),
                ),
                (
                    "letter",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="persons",
                        to="access.officialletter",
                        verbose_name="公函",
                    ),
                ),
            ],
            options={
                "verbose_name": "公函所涉人员",
                "verbose_name_plural": "公函所涉人员",
                "db_table_comment": "append-only: the persons of each letter, settled when it is registered",
                "ordering": ["id"],
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="HoldExtension",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("release_on", models.DateField(verbose_name="延至")),
                ("reason", models.CharField(max_length=200, verbose_name="延期的理由和依据")),
                (
                    "asked_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="提出时间"),
                ),
                (
                    "asked_after",
                    models.BigIntegerField(default=0, editable=False, verbose_name="提出时的查询日志号"),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("asked", "待审核"), ("confirmed", "已同意"), ("refused", "未同意")],
                        default="asked",
                        max_length=9,
                        verbose_name="状态",
                    ),
                ),
                ("decided_at", models.DateTimeField(null=True, verbose_name="审核时间")),
                ("note", models.CharField(blank=True, max_length=200, verbose_name="未同意的理由")),
                (
                    "asked_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="提出人",
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="审核人",
                    ),
                ),
                (
                    "letter",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="extensions",
                        to="access.officialletter",
                        verbose_name="公函",
                    ),
                ),
            ],
            options={
                "verbose_name": "延期显示",
                "verbose_name_plural": "延期显示",
                "ordering": ["-id"],
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="Authority",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.CharField(editable=False, max_length=24, unique=True, verbose_name="委托编号")),
                (
                    "basis",
                    models.CharField(
                        choices=[("attorney", "授权委托书"), ("kin", "近亲属（当事人已死亡）")],
                        max_length=8,
                        verbose_name="依据",
                    ),
                ),
                ("agent_name", models.CharField(max_length=100, verbose_name="代理人（近亲属）姓名")),
                ("agent_cipher", models.BinaryField(verbose_name="代理人证件号码（密文）")),
                ("agent_index", models.BinaryField(verbose_name="代理人证件号码（索引）")),
                (
                    "relation",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("spouse", "配偶"),
                            ("parent", "父母"),
                            ("child", "子女"),
                            ("sibling", "兄弟姐妹"),
                            ("grandparent", "祖父母、外祖父母"),
                            ("grandchild", "孙子女、外孙子女"),
                        ],
                        max_length=11,
                        verbose_name="与死者的关系",
                    ),
                ),
                ("purpose", models.CharField(max_length=200, verbose_name="用途")),
                (
                    "items",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), size=None, verbose_name="条目"
                    ),
                ),
                ("valid_until", models.DateField(verbose_name="有效期至")),
                (
                    "entered_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="录入时间"),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("entered", "待复核"),
                            ("approved", "有效"),
                            ("refused", "未通过复核"),
                            ("revoked", "本人已撤销"),
                        ],
                        default="entered",
                        max_length=8,
                        verbose_name="状态",
                    ),
                ),
                ("decided_at", models.DateTimeField(null=True, verbose_name="复核时间")),
                ("note", models.CharField(blank=True, max_length=200, verbose_name="未通过的理由")),
                ("revoked_at", models.DateTimeField(null=True, verbose_name="撤销时间")),
                (
                    "decided_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="复核人",
                    ),
                ),
                (
                    "entered_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="录入人",
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organisation",
                        verbose_name="窗口",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="authorities",
                        to="accounts.person",
                        verbose_name="当事人",
                    ),
                ),
                (
                    "revoked_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="撤销人",
                    ),
                ),
            ],
            options={
                "verbose_name": "代理人、近亲属查询",
                "verbose_name_plural": "代理人、近亲属查询",
                "ordering": ["-id"],
                "permissions": [
                    ("enter_authority", "窗口录入、办理代理人和近亲属查询"),
                    ("review_authority", "复核代理人和近亲属查询"),
                ],
                "default_permissions": (),
                "indexes": [
                    models.Index(fields=["person", "-id"], name="authority_by_person"),
                    models.Index(fields=["organisation", "-id"], name="authority_by_counter"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("agent_name", ""), _negated=True),
                            models.Q(("purpose", ""), _negated=True),
                            ("items__len__gte", 1),
                        ),
                        name="authority_says_who_what_and_why",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("basis", "attorney"), ("relation", "")),
                            models.Q(("basis", "kin"), models.Q(("relation", ""), _negated=True)),
                            _connector="OR",
                        ),
                        name="authority_of_kin_says_how_related",
                        violation_error_message="请选择与死者的关系。",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("decided_by__isnull", True),
                            models.Q(("decided_by", models.F("entered_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="authority_takes_two_hands",
                        violation_error_message="录入人不能自己复核。",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("decided_by__isnull", True), ("state", "entered")),
                            models.Q(("decided_by__isnull", False), ("state__in", ["approved", "refused"])),
                            models.Q(("revoked_by__isnull", False), ("state", "revoked")),
                            _connector="OR",
                        ),
                        name="authority_is_decided_by_somebody",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "refused"), _negated=True),
                            models.Q(("note", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="authority_refused_with_a_reason",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="KinWish",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("allows", models.BooleanField(verbose_name="去世后允许近亲属查询")),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="时间")),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="办理人",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.person",
                        verbose_name="当事人",
                    ),
                ),
            ],
            options={
                "verbose_name": "身后安排",
                "verbose_name_plural": "身后安排",
                "db_table_comment": "append-only: what persons arranged about near relatives after their death (PIPL art. 49)",
                "ordering": ["-id"],
                "default_permissions": (),
                "indexes": [models.Index(fields=["person", "-id"], name="kinwish_by_person")],
            },
        ),
        migrations.AddIndex(
            model_name="officialletter",
            index=models.Index(fields=["release_on"], name="officialletter_by_release"),
        ),
        migrations.AddConstraint(
            model_name="officialletter",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("sender_name", ""), _negated=True),
                    models.Q(("letter_no", ""), _negated=True),
                    models.Q(("legal_basis", ""), _negated=True),
                    models.Q(("case_no", ""), _negated=True),
                    ("items__len__gte", 1),
                ),
                name="officialletter_says_who_why_and_what",
            ),
        ),
        migrations.AddConstraint(
            model_name="officialletter",
            constraint=models.CheckConstraint(
                condition=models.Q(("certificates__len", models.F("officers__len")), ("officers__len__gte", 2)),
                name="officialletter_names_two_officers",
                violation_error_message="须有两名以上承办人员及其证件编号。",
            ),
        ),
        migrations.AddConstraint(
            model_name="officialletter",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("withhold", False), models.Q(("withhold_basis", ""), _negated=True), _connector="OR"
                ),
                name="officialletter_withheld_for_a_reason",
                violation_error_message="请写明暂不显示的理由和依据。",
            ),
        ),
        migrations.AddConstraint(
            model_name="officialletter",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("decided_by__isnull", True),
                    models.Q(("decided_by", models.F("registered_by")), _negated=True),
                    _connector="OR",
                ),
                name="officialletter_takes_two_hands",
                violation_error_message="登记人不能自己审核。",
            ),
        ),
        migrations.AddConstraint(
            model_name="officialletter",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("decided_by__isnull", True), ("state", "entered")),
                    models.Q(models.Q(("state", "entered"), _negated=True), ("decided_by__isnull", False)),
                    _connector="OR",
                ),
                name="officialletter_is_decided_by_somebody",
            ),
        ),
        migrations.AddConstraint(
            model_name="officialletter",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "refused"), _negated=True),
                    models.Q(("note", ""), _negated=True),
                    _connector="OR",
                ),
                name="officialletter_refused_with_a_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="officialletter",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "refused"), _negated=True),
                fields=("sender_name", "letter_no"),
                name="officialletter_registered_once",
                violation_error_message="这份公函已经登记过。",
            ),
        ),
        migrations.AddConstraint(
            model_name="letterperson",
            constraint=models.UniqueConstraint(fields=("letter", "person"), name="letterperson_named_once"),
        ),
        migrations.AddConstraint(
            model_name="holdextension",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason", ""), _negated=True), name="holdextension_has_a_reason"
            ),
        ),
        migrations.AddConstraint(
            model_name="holdextension",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("decided_by__isnull", True),
                    models.Q(("decided_by", models.F("asked_by")), _negated=True),
                    _connector="OR",
                ),
                name="holdextension_takes_two_hands",
                violation_error_message="提出人不能自己审核。",
            ),
        ),
        migrations.AddConstraint(
            model_name="holdextension",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("decided_by__isnull", True), ("state", "asked")),
                    models.Q(models.Q(("state", "asked"), _negated=True), ("decided_by__isnull", False)),
                    _connector="OR",
                ),
                name="holdextension_is_decided_by_somebody",
            ),
        ),
        migrations.AddConstraint(
            model_name="holdextension",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "refused"), _negated=True),
                    models.Q(("note", ""), _negated=True),
                    _connector="OR",
                ),
                name="holdextension_refused_with_a_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="holdextension",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ["asked", "confirmed"])),
                fields=("letter",),
                name="holdextension_once",
                violation_error_message="这份公函已经延期或者正在申请延期，只能延一次。",
            ),
        ),
        migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE", migrations.RunSQL.noop),
        migrations.RunSQL(DEADLINES, DEADLINES_UNDONE),
        migrations.RunSQL(RULES + AUTHORITIES, AUTHORITIES_UNDONE),
        migrations.RunSQL(LETTERS, LETTERS_UNDONE),
    ]
