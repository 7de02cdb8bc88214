"""Institutions, consents, their uses, messages: the arrows, the counts and the key that a use is to the records."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

RULES = r"""
-- Whether an active account holds one of this app's permissions by a role.
CREATE FUNCTION access_holds(who bigint, permission text) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (
        SELECT 1 FROM accounts_user u
          JOIN accounts_user_groups m ON m.user_id = u.id
          JOIN auth_group_permissions g ON g.group_id = m.group_id
          JOIN auth_permission p ON p.id = g.permission_id AND p.codename = permission
          JOIN django_content_type t ON t.id = p.content_type_id AND t.app_label = 'access'
         WHERE u.id = who AND u.is_active)
$$;

-- Whether an active account is an operator of that institution.
CREATE FUNCTION access_operates(who bigint, organisation bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT 1 FROM accounts_user u WHERE u.id = who AND u.is_active AND u.kind = 'institution'
                      AND u.organisation_id = organisation)
$$;

-- Whom a number stands for at the end of its mergers.
CREATE FUNCTION access_survivor(person bigint) RETURNS bigint LANGUAGE sql STABLE AS $$
    WITH RECURSIVE chain(id, next) AS (
        SELECT p.id, p.merged_into_id FROM accounts_person p WHERE p.id = person
        UNION ALL SELECT p.id, p.merged_into_id FROM chain c JOIN accounts_person p ON p.id = c.next
    ) SELECT id FROM chain WHERE next IS NULL
$$;

-- Whether this transaction has written the person's own line, by their own account.
CREATE FUNCTION access_is_the_person(person bigint, who bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT 1 FROM access_queryperson q JOIN access_query l ON l.seq = q.query_id AND l.at = q.at
          JOIN accounts_user u ON u.id = l.actor_id
         WHERE q.person_id = access_survivor(person) AND q.kind = 'Q1' AND q.allowed
           AND q.at = transaction_timestamp() AND q.xid = pg_current_xact_id()
           AND u.id = who AND u.is_active AND u.kind = 'citizen' AND u.person_id = access_survivor(person))
$$;

-- The registrations that hold today: confirmed, their licence good. Dates decide, no job has to run first.
CREATE FUNCTION access_institutions_in_force() RETURNS SETOF access_institution LANGUAGE sql STABLE AS $$
    SELECT i.* FROM access_institution i JOIN accounts_organisation o ON o.id = i.organisation_id
     WHERE i.state = 'confirmed' AND i.valid_from <= cf_today() AND (i.valid_to IS NULL OR i.valid_to >= cf_today())
       AND o.kind = 'institution' AND (o.valid_to IS NULL OR o.valid_to > cf_today())
$$;

-- The items that may be asked for under a purpose: in force, and open to institutions for that purpose.
CREATE FUNCTION access_items_for(purpose text) RETURNS bigint[] LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT coalesce(array_agg(v.item_id), '{}') FROM catalogue_itemversion v JOIN catalogue_item i ON i.id = v.item_id
      JOIN access_consentpurpose p ON p.code = purpose
     WHERE v.id IN (SELECT catalogue_in_force(cf_today()))
       AND v.disclosure = ANY (CASE i.polarity WHEN 'N' THEN p.adverse ELSE p.others END)
$$;

-- A registration is proposed by one official and decided by another; only its state moves, along its arrows.
CREATE FUNCTION access_institution_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        PERFORM catalogue_refuse('institution_is_kept', 'registrations are kept');
    END IF;
    IF TG_OP = 'INSERT' THEN
        NEW.proposed_at := transaction_timestamp();
        IF NEW.state <> 'asked' OR NOT access_holds(NEW.proposed_by_id, 'propose_institution') THEN
            PERFORM catalogue_refuse('institution_begins_asked', 'a registration begins with an official''s proposal');
        END IF;
        IF NOT EXISTS (SELECT 1 FROM accounts_organisation o WHERE o.id = NEW.organisation_id AND o.kind = 'institution')
           OR NOT NEW.purposes <@ (SELECT array_agg(code) FROM access_consentpurpose)
           OR NEW.checked_on > cf_today() OR NEW.valid_to < cf_today() THEN
            PERFORM catalogue_refuse('institution_is_one_with_a_licence', 'an institution, known purposes, a licence that holds');
        END IF;
        RETURN NEW;
    END IF;
    IF to_jsonb(NEW) - '{state,decided_by_id,decided_at,moved_by_id,reason}'::text[]
       IS DISTINCT FROM to_jsonb(OLD) - '{state,decided_by_id,decided_at,moved_by_id,reason}'::text[]
       OR OLD.decided_by_id IS NOT NULL AND (NEW.decided_by_id, NEW.decided_at) IS DISTINCT FROM (OLD.decided_by_id, OLD.decided_at) THEN
        PERFORM catalogue_refuse('institution_is_what_was_registered', 'what was registered is not rewritten');
    END IF;
    IF (OLD.state, NEW.state) NOT IN (('asked', 'confirmed'), ('asked', 'refused'), ('confirmed', 'suspended'),
        ('suspended', 'confirmed'), ('confirmed', 'replaced'), ('suspended', 'replaced')) THEN
        PERFORM catalogue_refuse('institution_moves_along_its_arrows',
            format('a registration may not go from %s to %s', OLD.state, NEW.state));
    END IF;
    IF NOT access_holds(NEW.moved_by_id, 'confirm_institution')
       OR OLD.state = 'asked' AND (NEW.moved_by_id <> NEW.decided_by_id OR NEW.decided_by_id = OLD.proposed_by_id) THEN
        PERFORM catalogue_refuse('institution_decided_by_another', 'another official decides');
    END IF;
    IF OLD.state = 'suspended' AND NEW.state = 'confirmed' AND NEW.moved_by_id = OLD.moved_by_id THEN
        PERFORM catalogue_refuse('institution_resumed_by_another', 'somebody else than who suspended it resumes it');
    END IF;
    IF NEW.state = 'confirmed' AND NEW.valid_to < cf_today() THEN
        PERFORM catalogue_refuse('institution_is_one_with_a_licence', 'the licence has ended');
    END IF;
    IF NEW.state = 'replaced' AND NOT EXISTS (
        SELECT 1 FROM access_institution i WHERE i.organisation_id = NEW.organisation_id AND i.state = 'asked' AND i.id > NEW.id) THEN
        PERFORM catalogue_refuse('institution_is_replaced_by_a_newer', 'a registration is replaced by a newer one');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER institution_guard BEFORE INSERT OR UPDATE OR DELETE ON access_institution
    FOR EACH ROW EXECUTE FUNCTION access_institution_guard();
CREATE FUNCTION access_institution_stepped() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO access_institutionstep (institution_id, at, from_state, to_state, by_id, reason)
    VALUES (NEW.id, transaction_timestamp(), CASE TG_OP WHEN 'UPDATE' THEN OLD.state ELSE '' END, NEW.state,
            coalesce(NEW.moved_by_id, NEW.proposed_by_id), NEW.reason);
    RETURN NULL;
END $$;
CREATE TRIGGER institution_stepped AFTER INSERT OR UPDATE OF state ON access_institution
    FOR EACH ROW EXECUTE FUNCTION access_institution_stepped();
"""
CONSENTS = r"""
-- Whether a number on a request is this person's, or was merged into theirs.
CREATE FUNCTION access_number_is_of(person bigint, number_index bytea) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT 1 FROM accounts_person p WHERE p.id_index = number_index AND access_survivor(p.id) = person)
$$;

-- A request is made by an operator, or entered from paper by a clerk; for a purpose of the registration and for items
-- that the purpose may reach.
CREATE FUNCTION access_consent_begins(new access_consent) RETURNS void LANGUAGE plpgsql AS $$
DECLARE purposes text[];
BEGIN
    IF new.state <> (CASE new.channel WHEN 'paper' THEN 'entered' ELSE 'asked' END) OR new.uses <> 0 OR new.form <> ''
       OR new.items <> '{}' OR new.text <> '' OR new.signature IS NOT NULL OR new.ended_at IS NOT NULL
       OR (new.valid_from, new.valid_to, new.max_uses, new.decided_by_id, new.decided_at, new.ended_by_id, new.text_version_id)
          IS DISTINCT FROM (NULL::date, NULL::date, NULL::smallint, NULL::bigint, NULL::timestamptz, NULL::bigint, NULL::varchar) THEN
        PERFORM catalogue_refuse('consent_begins_asked', 'a consent begins with a request that nobody has answered');
    END IF;
    SELECT i.purposes INTO purposes FROM access_institutions_in_force() i
     WHERE i.id = new.institution_id AND i.organisation_id = new.organisation_id;
    IF purposes IS NULL OR new.purpose_id <> ALL (purposes) THEN
        PERFORM catalogue_refuse('consent_to_an_institution_in_force', 'no registration in force for this purpose');
    END IF;
    IF NOT new.asked_items <@ access_items_for(new.purpose_id) THEN
        PERFORM catalogue_refuse('consent_items_fit_the_purpose', 'an item that this purpose may not reach');
    END IF;
    IF new.asked_days > catalogue_deadline_n('D51', cf_today())
       OR new.answer_by NOT BETWEEN cf_today() AND cf_today() + catalogue_deadline_n('D52', cf_today()) THEN
        PERFORM catalogue_refuse('consent_is_short', 'a consent lasts no longer than the rule says');
    END IF;
    IF NOT (CASE new.channel WHEN 'paper' THEN access_holds(new.asked_by_id, 'enter_consent') AND new.person_id IS NOT NULL
                             ELSE access_operates(new.asked_by_id, new.organisation_id) END) THEN
        PERFORM catalogue_refuse('consent_asked_by_its_operator', 'an operator of the institution asks, a clerk enters paper');
    END IF;
END $$;

-- What is granted is what the person saw, today, within what was asked, to an institution that may still have it.
CREATE FUNCTION access_consent_granted(old access_consent, new access_consent) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF NOT (CASE new.channel WHEN 'paper' THEN access_holds(new.decided_by_id, 'check_consent')
                             ELSE access_is_the_person(new.person_id, new.decided_by_id) END) THEN
        PERFORM catalogue_refuse('consent_granted_by_the_person', 'nobody but the person grants it');
    END IF;
    IF EXISTS (SELECT 1 FROM accounts_person p WHERE p.id = new.person_id
                  AND (p.deceased_on IS NOT NULL OR p.merged_into_id IS NOT NULL)) THEN
        PERFORM catalogue_refuse('consent_of_the_living', 'nobody consents for the dead, nor under a merged number');
    END IF;
    IF new.valid_from <> cf_today() OR new.valid_to > new.valid_from + new.asked_days
       OR new.channel <> 'paper' AND new.answer_by < cf_today() OR new.uses <> 0 THEN
        PERFORM catalogue_refuse('consent_is_short', 'a consent lasts no longer than was asked');
    END IF;
    IF NOT new.items <@ access_items_for(new.purpose_id) THEN
        PERFORM catalogue_refuse('consent_items_fit_the_purpose', 'an item that this purpose may not reach');
    END IF;
    IF NOT EXISTS (SELECT 1 FROM access_institutions_in_force() i
                    WHERE i.organisation_id = new.organisation_id AND new.purpose_id = ANY (i.purposes)) THEN
        PERFORM catalogue_refuse('consent_to_an_institution_in_force', 'no registration in force for this purpose');
    END IF;
    IF new.text_sha256 <> encode(sha256(convert_to(new.text, 'UTF8')), 'hex') OR position(new.number IN new.text) = 0 THEN
        PERFORM catalogue_refuse('consent_keeps_what_was_shown', 'the digest is that of the text, which names the consent');
    END IF;
END $$;

CREATE FUNCTION access_consent_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE owner boolean := current_user = (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID);
    answer text[] := '{state,person_id,form,items,valid_from,valid_to,max_uses,text_version_id,text,text_sha256,signature,decided_by_id,decided_at,note}';
    ending text[] := '{state,uses,ended_by_id,ended_at}';
BEGIN
    IF TG_OP = 'DELETE' THEN
        PERFORM catalogue_refuse('consent_is_kept', 'consents are kept');
    END IF;
    IF TG_OP = 'INSERT' THEN
        NEW.asked_at := transaction_timestamp();
        NEW.number := 'SQ' || to_char(cf_today(), 'YYYYMMDD') || '-' || lpad(NEW.id::text, 8, '0');
        PERFORM access_consent_begins(NEW);
    ELSIF OLD.state IN ('asked', 'entered') AND to_jsonb(NEW) - answer IS DISTINCT FROM to_jsonb(OLD) - answer
       OR OLD.state = 'granted' AND to_jsonb(NEW) - ending IS DISTINCT FROM to_jsonb(OLD) - ending
       OR OLD.state NOT IN ('asked', 'entered', 'granted') THEN
        PERFORM catalogue_refuse('consent_is_what_was_agreed', 'what was asked or agreed is not rewritten');
    ELSIF NEW.state = OLD.state AND (OLD.state <> 'granted' OR to_jsonb(NEW) - '{uses}'::text[] IS DISTINCT FROM to_jsonb(OLD) - '{uses}'::text[])
       OR (OLD.state, NEW.state) NOT IN (('asked', 'granted'), ('asked', 'declined'), ('asked', 'lapsed'), ('entered', 'granted'),
           ('entered', 'returned'), ('granted', 'granted'), ('granted', 'used'), ('granted', 'expired'), ('granted', 'withdrawn')) THEN
        PERFORM catalogue_refuse('consent_moves_along_its_arrows', format('a consent may not go from %s to %s', OLD.state, NEW.state));
    ELSIF (NEW.uses <> OLD.uses OR NEW.state = 'used') AND NOT (owner AND NEW.uses = OLD.uses + 1
           AND (NEW.state = 'used') = (NEW.uses = NEW.max_uses)) THEN
        PERFORM catalogue_refuse('consent_is_used_by_using_it', 'uses are counted by the uses themselves');
    END IF;
    IF NEW.person_id IS NOT NULL AND (TG_OP = 'INSERT' OR OLD.person_id IS NULL)
       AND NOT access_number_is_of(NEW.person_id, NEW.subject_index) OR TG_OP = 'UPDATE' AND OLD.person_id <> NEW.person_id THEN
        PERFORM catalogue_refuse('consent_is_of_its_person', 'a request stays its person''s');
    END IF;
    IF TG_OP = 'INSERT' THEN
        RETURN NEW;
    END IF;
    IF OLD.state <> 'granted' AND NEW.state <> 'lapsed' THEN
        NEW.decided_at := transaction_timestamp();
    ELSIF NEW.state <> 'granted' THEN
        NEW.ended_at := transaction_timestamp();
    END IF;
    IF OLD.state <> 'granted' AND NEW.state <> 'granted' AND (NEW.form, NEW.items, NEW.text) IS DISTINCT FROM (OLD.form, OLD.items, OLD.text) THEN
        PERFORM catalogue_refuse('consent_is_what_was_agreed', 'what was not granted has no scope');
    END IF;
    CASE NEW.state
    WHEN 'granted' THEN
        IF OLD.state <> 'granted' THEN PERFORM access_consent_granted(OLD, NEW); END IF;
    WHEN 'declined' THEN
        IF NOT access_is_the_person(NEW.person_id, NEW.decided_by_id) THEN
            PERFORM catalogue_refuse('consent_granted_by_the_person', 'nobody but the person declines it');
        END IF;
    WHEN 'returned' THEN
        IF NOT access_holds(NEW.decided_by_id, 'check_consent') OR NEW.note = '' THEN
            PERFORM catalogue_refuse('consent_on_paper_is_checked', 'paper is sent back by its reviewer, with a reason');
        END IF;
    WHEN 'withdrawn' THEN
        IF NOT (access_is_the_person(NEW.person_id, NEW.ended_by_id) OR access_holds(NEW.ended_by_id, 'enter_consent')) THEN
            PERFORM catalogue_refuse('consent_withdrawn_by_the_person', 'the person withdraws it, or a clerk for them');
        END IF;
    WHEN 'lapsed' THEN
        IF NEW.answer_by >= cf_today() THEN
            PERFORM catalogue_refuse('consent_lapses_on_its_day', 'the time to answer is not over');
        END IF;
    WHEN 'expired' THEN
        IF NEW.valid_to >= cf_today() THEN
            PERFORM catalogue_refuse('consent_lapses_on_its_day', 'its time is not over');
        END IF;
    ELSE NULL;
    END CASE;
    RETURN NEW;
END $$;
CREATE TRIGGER consent_guard BEFORE INSERT OR UPDATE OR DELETE ON access_consent
    FOR EACH ROW EXECUTE FUNCTION access_consent_guard();

-- A use: of a consent in force, by its grantee, for its purpose, within its items, counted under the row's lock, tied to
-- one line of the query log. Whoever comes second waits here and then finds the count or the state changed.
ALTER TABLE access_consentuse ADD COLUMN xid xid8 NOT NULL DEFAULT pg_current_xact_id();
CREATE FUNCTION access_consentuse_guard() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE c access_consent; forms text[] := '{attest,summary,full}';
BEGIN
    SELECT * INTO c FROM access_consent WHERE id = NEW.consent_id FOR NO KEY UPDATE;
    IF c.id IS NULL OR c.state <> 'granted' OR NOT cf_today() BETWEEN c.valid_from AND c.valid_to OR c.uses >= c.max_uses THEN
        PERFORM catalogue_refuse('consentuse_of_a_consent_in_force', 'the consent is not in force, or used up');
    END IF;
    IF NOT EXISTS (SELECT 1 FROM access_institutions_in_force() i
                    WHERE i.organisation_id = c.organisation_id AND c.purpose_id = ANY (i.purposes)) THEN
        PERFORM catalogue_refuse('consentuse_by_an_institution_in_force', 'no registration in force for this purpose');
    END IF;
    IF NOT access_operates(NEW.by_id, c.organisation_id) OR NOT EXISTS (
        SELECT 1 FROM access_query q WHERE q.seq = NEW.query_seq AND q.at = transaction_timestamp() AND q.kind = 'Q4'
           AND q.decision = 'allowed' AND q.consent_no = c.number AND q.actor_id = NEW.by_id AND q.organisation_id = c.organisation_id) THEN
        PERFORM catalogue_refuse('consentuse_by_its_grantee', 'the grantee uses it, under a query line of its own');
    END IF;
    IF NEW.purpose_id <> c.purpose_id OR cardinality(NEW.items) = 0 OR NOT NEW.items <@ c.items
       OR NOT NEW.items <@ access_items_for(c.purpose_id)
       OR NOT coalesce(array_position(forms, NEW.form::text) <= array_position(forms, c.form::text), false) THEN
        PERFORM catalogue_refuse('consentuse_within_its_scope', 'a use stays within purpose, items and form');
    END IF;
    IF EXISTS (SELECT 1 FROM accounts_person p WHERE p.id = c.person_id AND (p.deceased_on IS NOT NULL OR p.merged_into_id IS NOT NULL)) THEN
        PERFORM catalogue_refuse('consent_of_the_living', 'the consent ended with its person or number');
    END IF;
    NEW.n := c.uses + 1;
    NEW.at := transaction_timestamp();
    NEW.xid := pg_current_xact_id();
    UPDATE access_consent SET uses = c.uses + 1, state = CASE WHEN c.uses + 1 = c.max_uses THEN 'used' ELSE 'granted' END
     WHERE id = c.id;
    RETURN NEW;
END $$;
CREATE TRIGGER consentuse_guard BEFORE INSERT ON access_consentuse
    FOR EACH ROW EXECUTE FUNCTION access_consentuse_guard();

-- No reading by consent without a use of this very transaction: the line is the key to the records.
CREATE FUNCTION access_line_by_consent() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.items IS NULL OR NOT EXISTS (
        SELECT 1 FROM access_consentuse u JOIN access_consent c ON c.id = u.consent_id
         WHERE u.query_seq = NEW.query_id AND u.xid = pg_current_xact_id() AND c.person_id = NEW.person_id AND NEW.items <@ u.items) THEN
        PERFORM catalogue_refuse('queryperson_by_consent_has_its_use', 'no reading by consent without a use of it');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER queryperson_by_consent BEFORE INSERT ON access_queryperson FOR EACH ROW
    WHEN (NEW.kind = 'Q4' AND NEW.allowed) EXECUTE FUNCTION access_line_by_consent();

-- Nobody is asked about, or read, without being told: checked when the transaction ends.
CREATE FUNCTION access_consentuse_is_told() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM access_message m JOIN access_consent c ON c.id = NEW.consent_id AND c.person_id = m.person_id
                    WHERE m.use_id = NEW.id)
       OR NOT EXISTS (SELECT 1 FROM access_queryperson q WHERE q.query_id = NEW.query_seq AND q.at = NEW.at AND q.allowed) THEN
        PERFORM catalogue_refuse('consentuse_is_told_and_logged', 'every use is told to the person and in the log');
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER consentuse_is_told AFTER INSERT ON access_consentuse DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION access_consentuse_is_told();
CREATE FUNCTION access_consent_is_told() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM access_message m
                    WHERE m.consent_id = NEW.id AND m.person_id = NEW.person_id AND m.at = transaction_timestamp()) THEN
        PERFORM catalogue_refuse('consent_is_told', 'the person is told of every request, yes and withdrawal');
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER consent_is_told AFTER INSERT OR UPDATE OF state ON access_consent DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.person_id IS NOT NULL AND NEW.state IN ('asked', 'entered', 'granted', 'returned', 'withdrawn'))
    EXECUTE FUNCTION access_consent_is_told();

-- A message is written once; reading it is all that happens to it.
CREATE FUNCTION access_message_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW.at := transaction_timestamp();
        IF NEW.read_at IS NOT NULL OR NEW.use_id IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM access_consentuse u WHERE u.id = NEW.use_id AND u.consent_id = NEW.consent_id) THEN
            PERFORM catalogue_refuse('message_is_kept', 'a message begins unread, about its own consent');
        END IF;
        RETURN NEW;
    END IF;
    IF TG_OP = 'DELETE' OR to_jsonb(NEW) - 'read_at' IS DISTINCT FROM to_jsonb(OLD) - 'read_at' OR OLD.read_at IS NOT NULL THEN
        PERFORM catalogue_refuse('message_is_kept', 'messages are kept as they were written');
    END IF;
    NEW.read_at := transaction_timestamp();
    RETURN NEW;
END $$;
CREATE TRIGGER message_guard BEFORE INSERT OR UPDATE OR DELETE ON access_message
    FOR EACH ROW EXECUTE FUNCTION access_message_guard();

CREATE TRIGGER institutionstep_append_only BEFORE UPDATE OR DELETE ON access_institutionstep FOR EACH ROW EXECUTE FUNCTION cf_refuse_change();
CREATE TRIGGER institutionstep_no_truncate BEFORE TRUNCATE ON access_institutionstep EXECUTE FUNCTION cf_refuse_change();
CREATE TRIGGER consentpurpose_append_only BEFORE UPDATE OR DELETE ON access_consentpurpose FOR EACH ROW EXECUTE FUNCTION cf_refuse_change();
CREATE TRIGGER consentpurpose_no_truncate BEFORE TRUNCATE ON access_consentpurpose EXECUTE FUNCTION cf_refuse_change();
CREATE TRIGGER consenttext_append_only BEFORE UPDATE OR DELETE ON access_consenttext FOR EACH ROW EXECUTE FUNCTION cf_refuse_change();
CREATE TRIGGER consenttext_no_truncate BEFORE TRUNCATE ON access_consenttext EXECUTE FUNCTION cf_refuse_change();
CREATE TRIGGER consentuse_append_only BEFORE UPDATE OR DELETE ON access_consentuse FOR EACH ROW EXECUTE FUNCTION cf_refuse_change();
CREATE TRIGGER consentuse_no_truncate BEFORE TRUNCATE ON access_consentuse EXECUTE FUNCTION cf_refuse_change();
CREATE TRIGGER consent_no_truncate BEFORE TRUNCATE ON access_consent EXECUTE FUNCTION cf_refuse_change();
CREATE TRIGGER message_no_truncate BEFORE TRUNCATE ON access_message EXECUTE FUNCTION cf_refuse_change();
CREATE TRIGGER institution_no_truncate BEFORE TRUNCATE ON access_institution EXECUTE FUNCTION cf_refuse_change();
"""
LOG = """
-- The line names the consent it rests on. The column comes last: lines written before have none.
ALTER TABLE access_query ADD COLUMN consent_no text NOT NULL DEFAULT '';
ALTER TABLE access_query ADD CONSTRAINT query_by_consent_names_it CHECK (kind <> 'Q4' OR decision = 'refused' OR consent_no <> '') NOT VALID;
DO $do$
BEGIN
    EXECUTE replace(pg_get_functiondef('access_grant(text)'::regprocedure), $a$'correlation) ON access_query$a$,
                    $a$'correlation, consent_no) ON access_query$a$);
END $do$;
"""
LOG_UNDONE = """
DO $do$
BEGIN
    EXECUTE replace(pg_get_functiondef('access_grant(text)'::regprocedure), $a$'correlation, consent_no) ON access_query$a$,
                    $a$'correlation) ON access_query$a$);
END $do$;
ALTER TABLE access_query DROP CONSTRAINT query_by_consent_names_it;
ALTER TABLE access_query DROP COLUMN consent_no;
"""
UNDONE = """
DROP TRIGGER queryperson_by_consent ON access_queryperson;
DROP TRIGGER institution_stepped ON access_institution;
DROP TRIGGER institution_guard ON access_institution;
DROP TRIGGER institution_no_truncate ON access_institution;
DROP TRIGGER institutionstep_append_only ON access_institutionstep;
DROP TRIGGER institutionstep_no_truncate ON access_institutionstep;
DROP TRIGGER consentpurpose_append_only ON access_consentpurpose;
DROP TRIGGER consentpurpose_no_truncate ON access_consentpurpose;
DROP TRIGGER consenttext_append_only ON access_consenttext;
DROP TRIGGER consenttext_no_truncate ON access_consenttext;
DROP TRIGGER consentuse_append_only ON access_consentuse;
DROP TRIGGER consentuse_no_truncate ON access_consentuse;
DROP TRIGGER consentuse_guard ON access_consentuse;
DROP TRIGGER consentuse_is_told ON access_consentuse;
DROP TRIGGER consent_no_truncate ON access_consent;
DROP TRIGGER consent_guard ON access_consent;
DROP TRIGGER consent_is_told ON access_consent;
DROP TRIGGER message_no_truncate ON access_message;
DROP TRIGGER message_guard ON access_message;
DROP FUNCTION access_message_guard();
DROP FUNCTION access_consent_is_told();
DROP FUNCTION access_consentuse_is_told();
DROP FUNCTION access_line_by_consent();
DROP FUNCTION access_consentuse_guard();
DROP FUNCTION access_consent_guard();
DROP FUNCTION access_consent_granted(access_consent, access_consent);
DROP FUNCTION access_consent_begins(access_consent);
DROP FUNCTION access_number_is_of(bigint, bytea);
DROP FUNCTION access_institution_stepped();
DROP FUNCTION access_institution_guard();
DROP FUNCTION access_items_for(text);
DROP FUNCTION access_institutions_in_force();
DROP FUNCTION access_is_the_person(bigint, bigint);
DROP FUNCTION access_survivor(bigint);
DROP FUNCTION access_operates(bigint, bigint);
DROP FUNCTION access_holds(bigint, text);
"""
DATA = """
INSERT INTO access_consentpurpose (code, name, consequence, adverse, others, basis, confidence, position) VALUES
('loan', '贷款、担保', '机构会依据这些信息决定是否贷款或担保，以及条件如何。有失信记录的，申请可能被拒绝。', '{PUBLIC,QUERY_AUTH}', '{PUBLIC,QUERY_AUTH}',
 '《征信业管理条例》第十八条；《个人信息保护法》第二十三条', 'H', 1),
('hire', '招聘、录用', '单位会依据这些信息决定是否录用。失信类信息只限法律规定公开的。', '{PUBLIC}', '{PUBLIC,QUERY_AUTH}',
 '《劳动合同法》第八条（只限与劳动合同直接相关的情况）；《个人信息保护法》第六条、第二十三条', 'M', 2),
('tender', '采购、招标', '采购人会依据这些信息决定是否接受您参加采购或投标。', '{PUBLIC,QUERY_AUTH}', '{PUBLIC,QUERY_AUTH}',
 '《个人信息保护法》第二十三条', 'M', 3),
('rent', '租赁', '出租方会依据这些信息决定是否出租或要求押金。失信类信息只限法律规定公开的。', '{PUBLIC}', '{PUBLIC,QUERY_AUTH}',
 '《个人信息保护法》第六条、第二十三条', 'M', 4),
('other', '其他', '机构会依据这些信息办理您委托或申请的事项。失信类信息只限法律规定公开的。', '{PUBLIC}', '{PUBLIC,QUERY_AUTH}',
 '《个人信息保护法》第六条、第二十三条', 'M', 9);
INSERT INTO access_consenttext (version, since, body) VALUES ('2026-11', '2026-11-01', '查询授权书 {number}

一、接收方：{institution}（统一社会信用代码 {uscc}）。联系方式：{contact}。
二、用途：{purpose}——{purpose_text}（机构业务编号 {reference}）。不得用于其他用途。
三、方式：{form}。机构查询时由本站直接提供，机构不得转给他人。
四、个人信息种类：
　　失信类：{adverse}
　　其他：{others}
　　没有列出的，一律不提供。
五、有效期：{valid_from} 至 {valid_to}，最多使用 {uses} 次。
六、同意的后果：{consequence}
七、不同意的后果：不同意或者只同意一部分，不影响您依法享有的权利和本站的任何服务；不是办理业务所必需的信息，机构不得因您不同意而拒绝办理（个人信息保护法第十六条）。
八、您可以随时撤回，撤回立即生效，以前已经完成的查询不受影响（个人信息保护法第十五条）。每次使用都会给您发消息，并记入“谁查了我”。');
ALTER TABLE catalogue_deadlinerule DISABLE TRIGGER deadlinerule_guard;
INSERT INTO catalogue_deadlinerule (code, version, what, n, unit, starts, owner, basis, source, confidence, strict, note,
    in_doubt, rolls, verified, valid_from, state, proposed_at, confirmed_at, withdrawn_reason) VALUES
('D51', 1, '查询授权最长有效期', 365, 'ND', '本人同意之日', 'SUBJECT', '本站设定（个人信息保护法第六条、第十九条：最小必要、最短时间）',
 '时限总表（2026-11-23）补充：domain §7.2', 'D', 365, '', 'earlier', false, false, '2021-11-01', 'in_force', now(), now(), ''),
('D52', 1, '答复授权申请', 30, 'ND', '机构提出申请之日', 'SUBJECT', '本站设定：逾期视为没有同意',
 '时限总表（2026-11-23）补充：domain §7.2', 'D', 30, '逾期只失效，不视为同意', 'later', false, false, '2021-11-01', 'in_force', now(), now(), ''),
('D53', 1, '复核纸质授权书', 1, 'WD', '窗口录入之日', 'PLATFORM', '本站设定',
 '时限总表（2026-11-23）补充：domain §7.3', 'D', 1, '', 'earlier', true, false, '2021-11-01', 'in_force', now(), now(), '')
ON CONFLICT (code, version) DO NOTHING;
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE catalogue_deadlinerule ENABLE TRIGGER deadlinerule_guard;
"""
DATA_UNDONE = """
ALTER TABLE catalogue_deadlinerule DISABLE TRIGGER deadlinerule_guard;
DELETE FROM catalogue_deadlinerule r WHERE code IN ('D51', 'D52', 'D53')
   AND NOT EXISTS (SELECT 1 FROM catalogue_deadline d WHERE d.rule_id = r.id);
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE catalogue_deadlinerule ENABLE TRIGGER deadlinerule_guard;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("access", "0004_lists"),
        ("accounts", "0009_sign_in"),
        ("catalogue", "0009_supply"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ConsentPurpose",
            fields=[
                ("code", models.CharField(max_length=8, primary_key=True, serialize=False, verbose_name="代码")),
                ("name", models.CharField(max_length=20, verbose_name="用途")),
                ("consequence", models.CharField(max_length=200, verbose_name="同意的后果")),
                (
                    "adverse",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=10),
                        size=None,
                        verbose_name="可查的失信类条目（公开属性）",
                    ),
                ),
                (
                    "others",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=10), size=None, verbose_name="可查的其他条目（公开属性）"
                    ),
                ),
                ("basis", models.CharField(max_length=200, verbose_name="依据")),
                ("confidence", models.CharField(max_length=3, verbose_name="核实程度")),
                ("position", models.PositiveSmallIntegerField(verbose_name="顺序")),
            ],
            options={
                "verbose_name": "授权用途",
                "verbose_name_plural": "授权用途",
                "db_table_comment": "append-only, written by the database: purposes come with the software's migrations",
                "ordering": ["position"],
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="ConsentText",
            fields=[
                ("version", models.CharField(max_length=12, primary_key=True, serialize=False, verbose_name="版本")),
                ("body", models.TextField(verbose_name="文本")),
                ("since", models.DateField(verbose_name="启用日期")),
            ],
            options={
                "verbose_name": "授权文本",
                "verbose_name_plural": "授权文本",
                "db_table_comment": "append-only, written by the database: every version of the words of consent",
                "ordering": ["-since"],
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="Consent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.CharField(editable=False, max_length=24, unique=True, verbose_name="授权编号")),
                ("subject_index", models.BinaryField(verbose_name="证件号码（索引）")),
                ("name_index", models.BinaryField(verbose_name="姓名（索引）")),
                (
                    "asked_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="提出时间"),
                ),
                (
                    "channel",
                    models.CharField(
                        choices=[("page", "机构查询页面"), ("api", "接口"), ("paper", "纸质授权书")],
                        max_length=5,
                        verbose_name="渠道",
                    ),
                ),
                ("purpose_text", models.CharField(max_length=200, verbose_name="用途说明")),
                ("reference", models.CharField(max_length=60, verbose_name="机构业务编号")),
                (
                    "asked_form",
                    models.CharField(
                        choices=[("attest", "只答有无"), ("summary", "条数摘要"), ("full", "记录内容")],
                        max_length=8,
                        verbose_name="申请的方式",
                    ),
                ),
                (
                    "asked_items",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), size=None, verbose_name="申请的条目"
                    ),
                ),
                ("asked_days", models.PositiveSmallIntegerField(verbose_name="申请的有效天数")),
                ("asked_uses", models.PositiveSmallIntegerField(default=1, verbose_name="申请的次数")),
                ("answer_by", models.DateField(verbose_name="答复期限")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("asked", "待本人答复"),
                            ("entered", "纸质授权待复核"),
                            ("granted", "有效"),
                            ("declined", "本人不同意"),
                            ("returned", "纸质授权已退回"),
                            ("lapsed", "逾期未答复"),
                            ("used", "次数已用完"),
                            ("expired", "已到期"),
                            ("withdrawn", "本人已撤回"),
                        ],
                        default="asked",
                        max_length=9,
                        verbose_name="状态",
                    ),
                ),
                (
                    "form",
                    models.CharField(
                        blank=True,
                        choices=[("attest", "只答有无"), ("summary", "条数摘要"), ("full", "记录内容")],
                        max_length=8,
                        verbose_name="方式",
                    ),
                ),
                (
                    "items",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), default=list, size=None, verbose_name="条目"
                    ),
                ),
                ("valid_from", models.DateField(null=True, verbose_name="有效期自")),
                ("valid_to", models.DateField(null=True, verbose_name="有效期至")),
                ("max_uses", models.PositiveSmallIntegerField(null=True, verbose_name="可用次数")),
                ("uses", models.PositiveSmallIntegerField(default=0, verbose_name="已用次数")),
                ("onward", models.BooleanField(default=False, editable=False, verbose_name="可否转给他人")),
                ("text", models.TextField(blank=True, verbose_name="所见文本")),
                ("text_sha256", models.CharField(blank=True, max_length=64, verbose_name="文本 SHA-256")),
                ("signature", models.BinaryField(null=True, verbose_name="平台电子签章")),
                ("decided_at", models.DateTimeField(null=True, verbose_name="答复时间")),
                ("note", models.CharField(blank=True, max_length=200, verbose_name="理由")),
                ("ended_at", models.DateTimeField(null=True, verbose_name="终止时间")),
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
                        verbose_name="答复人",
                    ),
                ),
                (
                    "ended_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="撤回人",
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="consents",
                        to="accounts.organisation",
                        verbose_name="被授权机构",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="consents",
                        to="accounts.person",
                        verbose_name="授权人",
                    ),
                ),
                (
                    "purpose",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="access.consentpurpose",
                        verbose_name="用途",
                    ),
                ),
                (
                    "text_version",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="access.consenttext",
                        verbose_name="文本版本",
                    ),
                ),
            ],
            options={
                "verbose_name": "查询授权",
                "verbose_name_plural": "查询授权",
                "ordering": ["-id"],
                "permissions": [("enter_consent", "录入纸质授权书"), ("check_consent", "复核纸质授权书")],
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="ConsentUse",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("n", models.PositiveSmallIntegerField(verbose_name="第几次")),
                (
                    "form",
                    models.CharField(
                        choices=[("attest", "只答有无"), ("summary", "条数摘要"), ("full", "记录内容")],
                        max_length=8,
                        verbose_name="方式",
                    ),
                ),
                (
                    "items",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), size=None, verbose_name="条目"
                    ),
                ),
                ("query_seq", models.BigIntegerField(unique=True, verbose_name="查询日志号")),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="时间")),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="查询人",
                    ),
                ),
                (
                    "consent",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="used",
                        to="access.consent",
                        verbose_name="授权",
                    ),
                ),
                (
                    "purpose",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="access.consentpurpose",
                        verbose_name="用途",
                    ),
                ),
            ],
            options={
                "verbose_name": "授权使用",
                "verbose_name_plural": "授权使用",
                "db_table_comment": "append-only: every use of a consent, with the line of the query log that it opened",
                "ordering": ["-id"],
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="Institution",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("bank", "银行业金融机构"),
                            ("bureau", "征信机构"),
                            ("employer", "用人单位"),
                            ("landlord", "住房租赁企业"),
                            ("tender", "采购、招标单位"),
                            ("other", "其他机构"),
                        ],
                        max_length=8,
                        verbose_name="机构类型",
                    ),
                ),
                (
                    "licence",
                    models.CharField(
                        help_text="如 金融许可证、个人征信业务经营许可证、营业执照",
                        max_length=60,
                        verbose_name="证照名称",
                    ),
                ),
                ("licence_no", models.CharField(max_length=60, verbose_name="证照编号")),
                ("valid_from", models.DateField(verbose_name="证照有效期自")),
                (
                    "valid_to",
                    models.DateField(
                        blank=True, help_text="证照写明“长期”的留空；当天仍有效", null=True, verbose_name="证照有效期至"
                    ),
                ),
                ("checked_on", models.DateField(blank=True, null=True, verbose_name="证照核验日期")),
                ("checked_at_source", models.CharField(blank=True, max_length=120, verbose_name="在哪里核验")),
                (
                    "purposes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=8), size=None, verbose_name="可以申请的用途"
                    ),
                ),
                (
                    "contact",
                    models.CharField(
                        help_text="本人在授权页面看到，可以据此联系机构行使权利",
                        max_length=120,
                        verbose_name="联系方式",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("asked", "待审核"),
                            ("confirmed", "已登记"),
                            ("refused", "已退回"),
                            ("suspended", "已暂停"),
                            ("replaced", "已换新登记"),
                        ],
                        default="asked",
                        max_length=10,
                        verbose_name="状态",
                    ),
                ),
                (
                    "proposed_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="登记时间"),
                ),
                ("decided_at", models.DateTimeField(null=True, verbose_name="审核时间")),
                ("reason", models.CharField(blank=True, max_length=200, verbose_name="最近办理理由")),
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
                    "moved_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="最近办理人",
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="registrations",
                        to="accounts.organisation",
                        verbose_name="机构",
                    ),
                ),
                (
                    "proposed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="登记人",
                    ),
                ),
            ],
            options={
                "verbose_name": "查询机构登记",
                "verbose_name_plural": "查询机构登记",
                "ordering": ["-id"],
                "permissions": [
                    ("propose_institution", "登记查询机构"),
                    ("confirm_institution", "审核、暂停、恢复查询机构"),
                ],
                "default_permissions": ("view",),
            },
        ),
        migrations.AddField(
            model_name="consent",
            name="institution",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="consents",
                to="access.institution",
                verbose_name="机构登记",
            ),
        ),
        migrations.CreateModel(
            name="InstitutionStep",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="时间")),
                ("from_state", models.CharField(blank=True, max_length=10, verbose_name="从")),
                (
                    "to_state",
                    models.CharField(
                        choices=[
                            ("asked", "待审核"),
                            ("confirmed", "已登记"),
                            ("refused", "已退回"),
                            ("suspended", "已暂停"),
                            ("replaced", "已换新登记"),
                        ],
                        max_length=10,
                        verbose_name="到",
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=200, verbose_name="理由")),
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
                    "institution",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="steps", to="access.institution"
                    ),
                ),
            ],
            options={
                "verbose_name": "查询机构登记经过",
                "verbose_name_plural": "查询机构登记经过",
                "db_table_comment": "append-only, written by the database: every step of a registration",
                "ordering": ["id"],
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="Message",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("subject", models.CharField(max_length=80, verbose_name="标题")),
                ("text", models.CharField(max_length=500, verbose_name="内容")),
                ("about", models.CharField(blank=True, max_length=40, verbose_name="相关编号")),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="时间")),
                ("read_at", models.DateTimeField(null=True, verbose_name="阅读时间")),
                (
                    "consent",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="messages",
                        to="access.consent",
                        verbose_name="授权",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="messages",
                        to="accounts.person",
                        verbose_name="收件人",
                    ),
                ),
                (
                    "use",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="message",
                        to="access.consentuse",
                        verbose_name="授权使用",
                    ),
                ),
            ],
            options={
                "verbose_name": "消息",
                "verbose_name_plural": "消息",
                "ordering": ["-id"],
                "default_permissions": (),
            },
        ),
        migrations.AddConstraint(
            model_name="consentuse",
            constraint=models.UniqueConstraint(fields=("consent", "n"), name="consentuse_counts_each_use"),
        ),
        migrations.AddConstraint(
            model_name="consentuse",
            constraint=models.CheckConstraint(condition=models.Q(("n__gte", 1)), name="consentuse_counts_from_one"),
        ),
        migrations.AddConstraint(
            model_name="institution",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("valid_to__isnull", True), ("valid_to__gte", models.F("valid_from")), _connector="OR"
                ),
                name="institution_licence_ends_after_it_begins",
                violation_error_message="证照到期日不能早于起始日。",
            ),
        ),
        migrations.AddConstraint(
            model_name="institution",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "bureau"), _negated=True),
                    models.Q(
                        ("checked_on__isnull", False),
                        ("valid_to__isnull", False),
                        models.Q(("checked_at_source", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="institution_bureau_has_a_checked_licence",
                violation_error_message="征信机构须核验许可证，写明核验日期、在哪里核验和有效期止。",
            ),
        ),
        migrations.AddConstraint(
            model_name="institution",
            constraint=models.CheckConstraint(
                condition=models.Q(("purposes__len__gte", 1)),
                name="institution_has_a_purpose",
                violation_error_message="请至少选择一个用途。",
            ),
        ),
        migrations.AddConstraint(
            model_name="institution",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("licence", ""), _negated=True),
                    models.Q(("licence_no", ""), _negated=True),
                    models.Q(("contact", ""), _negated=True),
                ),
                name="institution_names_licence_and_contact",
            ),
        ),
        migrations.AddConstraint(
            model_name="institution",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("decided_at__isnull", True), ("decided_by__isnull", True), ("state", "asked")),
                    models.Q(
                        models.Q(("state", "asked"), _negated=True),
                        ("decided_at__isnull", False),
                        ("decided_by__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="institution_is_decided_by_somebody",
            ),
        ),
        migrations.AddConstraint(
            model_name="institution",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("decided_by__isnull", True),
                    models.Q(("decided_by", models.F("proposed_by")), _negated=True),
                    _connector="OR",
                ),
                name="institution_takes_two_officials",
                violation_error_message="须由另一名工作人员审核。",
            ),
        ),
        migrations.AddConstraint(
            model_name="institution",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state__in", ["refused", "suspended"]), _negated=True),
                    models.Q(("reason", ""), _negated=True),
                    _connector="OR",
                ),
                name="institution_stopped_with_a_reason",
                violation_error_message="请写明理由。",
            ),
        ),
        migrations.AddConstraint(
            model_name="institution",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "asked")),
                fields=("organisation",),
                name="institution_one_asked_at_a_time",
                violation_error_message="这个机构已有待审核的登记。",
            ),
        ),
        migrations.AddConstraint(
            model_name="institution",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ["confirmed", "suspended"])),
                fields=("organisation",),
                name="institution_one_stands",
            ),
        ),
        migrations.AddIndex(
            model_name="consent",
            index=models.Index(fields=["person", "-id"], name="consent_by_person"),
        ),
        migrations.AddIndex(
            model_name="consent",
            index=models.Index(fields=["organisation", "-id"], name="consent_by_organisation"),
        ),
        migrations.AddIndex(
            model_name="consent",
            index=models.Index(
                condition=models.Q(("person__isnull", True)), fields=["subject_index"], name="consent_of_the_unknown"
            ),
        ),
        migrations.AddConstraint(
            model_name="consent",
            constraint=models.CheckConstraint(condition=models.Q(("onward", False)), name="consent_is_never_passed_on"),
        ),
        migrations.AddConstraint(
            model_name="consent",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("purpose_text", ""), _negated=True),
                    models.Q(("reference", ""), _negated=True),
                    ("asked_days__gte", 1),
                    ("asked_items__len__gte", 1),
                    ("asked_uses__gte", 1),
                ),
                name="consent_asks_for_something",
            ),
        ),
        migrations.AddConstraint(
            model_name="consent",
            constraint=models.CheckConstraint(
                condition=models.Q(("items__contained_by", models.F("asked_items"))), name="consent_is_only_narrowed"
            ),
        ),
        migrations.AddConstraint(
            model_name="consent",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("max_uses__isnull", True), ("max_uses__lte", models.F("asked_uses")), _connector="OR"
                ),
                name="consent_uses_are_only_narrowed",
            ),
        ),
        migrations.AddConstraint(
            model_name="consent",
            constraint=models.CheckConstraint(
                condition=models.Q(("uses", 0), ("uses__lte", models.F("max_uses")), _connector="OR"),
                name="consent_is_not_used_more_often_than_allowed",
            ),
        ),
        migrations.AddConstraint(
            model_name="consent",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("form", ""),
                    ("form", "attest"),
                    ("asked_form", "full"),
                    ("form", models.F("asked_form")),
                    _connector="OR",
                ),
                name="consent_form_is_only_narrowed",
            ),
        ),
        migrations.AddConstraint(
            model_name="consent",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state__in", ["asked", "entered", "declined", "returned", "lapsed"]),
                    models.Q(
                        ("person__isnull", False),
                        ("valid_from__isnull", False),
                        ("valid_to__gte", models.F("valid_from")),
                        ("items__len__gte", 1),
                        ("max_uses__gte", 1),
                        ("text_sha256__regex", "^[0-9a-f]{64}$"),
                        ("text_version__isnull", False),
                        ("decided_at__isnull", False),
                        ("signature__isnull", False),
                        models.Q(("form", ""), _negated=True),
                        models.Q(("text", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="consent_granted_says_what_was_granted",
            ),
        ),
        migrations.AddConstraint(
            model_name="consent",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("channel", "paper"),
                        ("state__in", ["entered", "granted", "returned", "used", "expired", "withdrawn"]),
                    ),
                    models.Q(
                        models.Q(("channel", "paper"), _negated=True),
                        models.Q(("state__in", ["entered", "returned"]), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="consent_state_fits_its_channel",
            ),
        ),
        migrations.AddConstraint(
            model_name="consent",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("channel", "paper"), _negated=True),
                    ("decided_by__isnull", True),
                    models.Q(("decided_by", models.F("asked_by")), _negated=True),
                    _connector="OR",
                ),
                name="consent_on_paper_takes_two_hands",
                violation_error_message="须由另一名工作人员复核。",
            ),
        ),
        migrations.AddConstraint(
            model_name="consent",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "asked")),
                fields=("organisation", "subject_index", "name_index", "purpose"),
                name="consent_asked_once_at_a_time",
                violation_error_message="对此人同一用途的申请还没有答复，请等待答复或到期。",
            ),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(fields=["person", "-id"], name="message_by_person"),
        ),
        migrations.AddConstraint(
            model_name="message",
            constraint=models.CheckConstraint(
                condition=models.Q(models.Q(("subject", ""), _negated=True), models.Q(("text", ""), _negated=True)),
                name="message_says_something",
            ),
        ),
        migrations.RunSQL(LOG, LOG_UNDONE),
        migrations.RunSQL(RULES + CONSENTS, UNDONE),
        migrations.RunSQL(DATA, DATA_UNDONE),
    ]
