"""Who somebody is: cases of two officials on names, deaths and merged numbers; the only way to change a person."""

from importlib import import_module

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

CASES = """
-- The case that this transaction carries out, if any; and its number, as PersonCase.number says it.
CREATE FUNCTION records_person_case_at_work() RETURNS bigint LANGUAGE sql STABLE AS
    $$ SELECT nullif(current_setting('cf.person_case', true), '')::bigint $$;
CREATE FUNCTION records_case_no(one bigint, opened timestamptz) RETURNS text LANGUAGE sql STABLE AS
    $$ SELECT 'H' || to_char(opened AT TIME ZONE 'Asia/Shanghai', 'YYYYMMDD') || '-' || lpad(one::text, greatest(6, length(one::text)), '0') $$;

-- Whether the owner's own function is carrying out a decided case of these kinds about this person: a setting that the
-- application makes up is not enough, for it is not the owner.
CREATE FUNCTION records_case_allows(person bigint, kinds text[]) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT current_user = (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = 'public.records_personcase'::regclass)
       AND EXISTS (SELECT 1 FROM public.records_personcase c
                    WHERE c.id = public.records_person_case_at_work() AND c.state = 'decided' AND c.kind = ANY (kinds)
                      AND person IN (c.person_id, c.other_id))
$$;

-- Who somebody is changes by a case alone; a person is born under their own number, alive.
CREATE FUNCTION records_person_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM catalogue_refuse('person_begins_alive', 'death and merging are registered by a case');
    END IF;
    IF NEW.sid <> OLD.sid THEN
        PERFORM catalogue_refuse('person_keeps_its_sid', 'the key of a person never changes');
    END IF;
    IF (NEW.id_index, NEW.id_cipher) IS DISTINCT FROM (OLD.id_index, OLD.id_cipher)
       AND current_user <> (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID) THEN
        PERFORM catalogue_refuse('person_keeps_its_number', 'only the owner seals a number anew');
    END IF;
    IF NEW.name <> OLD.name AND NOT records_case_allows(NEW.id, '{name}') THEN
        PERFORM catalogue_refuse('person_name_changes_by_a_case', 'a name is changed by a case of two officials');
    END IF;
    IF NEW.deceased_on IS DISTINCT FROM OLD.deceased_on AND NOT records_case_allows(NEW.id, '{death,alive}') THEN
        PERFORM catalogue_refuse('person_dies_by_a_case', 'a death is registered by a case of two officials');
    END IF;
    IF NEW.merged_into_id IS DISTINCT FROM OLD.merged_into_id AND NOT records_case_allows(NEW.id, '{merge,split}') THEN
        PERFORM catalogue_refuse('person_merges_by_a_case', 'persons are merged by a case of two officials');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER person_guard BEFORE UPDATE ON accounts_person FOR EACH ROW
    WHEN ((OLD.sid, OLD.name, OLD.deceased_on, OLD.merged_into_id, OLD.id_index, OLD.id_cipher)
          IS DISTINCT FROM (NEW.sid, NEW.name, NEW.deceased_on, NEW.merged_into_id, NEW.id_index, NEW.id_cipher))
    EXECUTE FUNCTION records_person_guard();
CREATE TRIGGER person_begins_alive BEFORE INSERT ON accounts_person FOR EACH ROW
    WHEN (NEW.deceased_on IS NOT NULL OR NEW.merged_into_id IS NOT NULL) EXECUTE FUNCTION records_person_guard();

-- Whether an account is in use and its roles carry a permission of this app.
CREATE FUNCTION records_holds(who bigint, permission text) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (
        SELECT 1 FROM accounts_user u
          JOIN accounts_user_groups m ON m.user_id = u.id
          JOIN auth_group_permissions g ON g.group_id = m.group_id
          JOIN auth_permission p ON p.id = g.permission_id AND p.codename = permission
          JOIN django_content_type t ON t.id = p.content_type_id AND t.app_label = 'records'
         WHERE u.id = who AND u.is_active)
$$;

-- Whether an official has looked at everybody whom the case is about since it took its last step: a line each in the
-- query log, under the case's number.
CREATE FUNCTION records_case_was_opened(one bigint, who bigint) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT bool_and(EXISTS (
        SELECT 1 FROM access_query q JOIN access_queryperson p ON p.query_id = q.seq AND p.at = q.at
         WHERE q.actor_id = who AND q.case_no = records_case_no(c.id, c.opened_at) AND q.kind = 'Q5' AND q.decision = 'allowed'
           AND p.person_id = s.person AND p.allowed
           AND q.at >= (SELECT max(t.at) FROM records_casestep t WHERE t.case_id = c.id)))
      FROM records_personcase c, unnest(ARRAY[c.person_id, c.other_id]) AS s(person)
     WHERE c.id = one AND s.person IS NOT NULL
$$;

-- Whether this transaction has written the line of looking into the case.
CREATE FUNCTION records_case_is_open_here(one bigint) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (
        SELECT 1 FROM records_personcase c JOIN access_queryperson p ON p.person_id = c.person_id
          JOIN access_query q ON q.seq = p.query_id AND q.at = p.at
         WHERE c.id = one AND q.case_no = records_case_no(c.id, c.opened_at) AND p.kind = 'Q5' AND p.allowed
           AND p.at = transaction_timestamp() AND p.xid = pg_current_xact_id())
$$;

-- A case moves along its arrows by the hands of two officials; what was asked is not rewritten once it is decided.
CREATE FUNCTION records_personcase_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE owner boolean := current_user = (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID);
BEGIN
    IF TG_OP = 'DELETE' THEN
        PERFORM catalogue_refuse('personcase_is_kept', 'cases are kept');
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF NEW.day > cf_today() THEN
            PERFORM catalogue_refuse('personcase_death_is_past', 'a death is registered after it');
        END IF;
        IF NEW.decided_by_id IS NOT NULL OR NEW.account_id IS NOT NULL OR NEW.state <> (CASE NEW.kind WHEN 'name' THEN 'open' ELSE 'asked' END)
           OR NEW.kind = 'name' AND NOT owner THEN
            PERFORM catalogue_refuse('personcase_begins_undecided', 'a case begins undecided, a conflict by the delivery that met it');
        END IF;
    ELSE
        IF OLD.state IN ('done', 'refused', 'dropped') THEN
            PERFORM catalogue_refuse('personcase_is_over', 'what is over is not changed');
        END IF;
        IF NEW.state <> OLD.state AND NOT coalesce(CASE
            WHEN (OLD.state, NEW.state) IN (('open', 'asked'), ('asked', 'open')) THEN NEW.kind = 'name'
            WHEN (OLD.state, NEW.state) IN (('asked', 'refused'), ('asked', 'dropped')) THEN NEW.kind <> 'name'
            ELSE (OLD.state, NEW.state) IN (('asked', 'decided'), ('decided', 'done')) END, false) THEN
            PERFORM catalogue_refuse('personcase_moves_along_its_arrows',
                format('a case may not go from %s to %s', OLD.state, NEW.state));
        END IF;
        IF (NEW.kind, NEW.person_id, NEW.other_id, NEW.undoes_id, NEW.day, NEW.opened_at)
           IS DISTINCT FROM (OLD.kind, OLD.person_id, OLD.other_id, OLD.undoes_id, OLD.day, OLD.opened_at)
           OR (OLD.state, NEW.state) <> ('open', 'asked')
              AND to_jsonb(NEW) - '{state,decided_by_id,decided_at,decision_note,done_at,account_id}'::text[]
                  IS DISTINCT FROM to_jsonb(OLD) - '{state,decided_by_id,decided_at,decision_note,done_at,account_id}'::text[]
           OR NEW.account_id IS DISTINCT FROM OLD.account_id AND NEW.state <> 'done' THEN
            PERFORM catalogue_refuse('personcase_is_what_was_asked', 'what was asked is not rewritten');
        END IF;
        IF OLD.state = 'decided' AND (NEW.decided_by_id, NEW.decided_at, NEW.decision_note)
           IS DISTINCT FROM (OLD.decided_by_id, OLD.decided_at, OLD.decision_note) THEN
            PERFORM catalogue_refuse('personcase_is_decided_once', 'a decision is not rewritten');
        END IF;
        IF NEW.state = 'done' AND NOT (owner AND records_person_case_at_work() = NEW.id) THEN
            PERFORM catalogue_refuse('personcase_is_done_by_doing_it', 'a case is done when it has been carried out');
        END IF;
    END IF;
    IF NEW.state = 'asked' AND NOT records_holds(NEW.asked_by_id, 'ask_personcase')
       OR (NEW.state IN ('decided', 'refused') OR NEW.state = 'open' AND NEW.decided_by_id IS NOT NULL) AND NOT records_holds(NEW.decided_by_id, 'decide_personcase') THEN
        PERFORM catalogue_refuse('personcase_by_the_credit_office', 'two officials with that duty look into it');
    END IF;
    IF TG_OP = 'UPDATE' AND (OLD.state = 'open' AND NEW.state = 'asked' AND NOT records_case_was_opened(NEW.id, NEW.asked_by_id)
       OR OLD.state = 'asked' AND NEW.state <> 'asked' AND NEW.decided_by_id IS NOT NULL
          AND NOT records_case_was_opened(NEW.id, NEW.decided_by_id)) THEN
        PERFORM catalogue_refuse('personcase_opened_before_it_is_decided', 'whoever proposes or decides has looked, with a line in the query log');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER personcase_guard BEFORE INSERT OR UPDATE OR DELETE ON records_personcase
    FOR EACH ROW EXECUTE FUNCTION records_personcase_guard();

-- The line of every step, and the end of what stands, in the statement that takes it.
CREATE FUNCTION records_personcase_stepped() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO records_casestep (case_id, at, from_state, to_state, answer, note, by_id)
    VALUES (NEW.id, transaction_timestamp(), CASE TG_OP WHEN 'UPDATE' THEN OLD.state ELSE '' END, NEW.state, NEW.answer,
            CASE WHEN NEW.state = 'asked' THEN NEW.reason ELSE NEW.decision_note END,
            CASE WHEN NEW.state = 'asked' THEN NEW.asked_by_id ELSE coalesce(NEW.decided_by_id, NEW.asked_by_id) END);
    UPDATE records_casepaper SET standing = false WHERE case_id = NEW.id AND standing AND NEW.state NOT IN ('open', 'asked', 'decided');
    RETURN NULL;
END $$;
CREATE TRIGGER personcase_stepped AFTER INSERT OR UPDATE OF state ON records_personcase
    FOR EACH ROW EXECUTE FUNCTION records_personcase_stepped();
CREATE TRIGGER casestep_append_only BEFORE UPDATE OR DELETE ON records_casestep FOR EACH ROW EXECUTE FUNCTION cf_refuse_change();
CREATE TRIGGER casestep_no_truncate BEFORE TRUNCATE ON records_casestep EXECUTE FUNCTION cf_refuse_change();

-- Both names are read under a query line for the person and the case, and no other way.
ALTER TABLE records_casepaper ENABLE ROW LEVEL SECURITY;
CREATE POLICY casepaper_read_with_a_query_line ON records_casepaper FOR SELECT USING (records_case_is_open_here(case_id));
"""
NAMES = """
-- Open a case for each known person whom a batch at work names otherwise, or point at the one that stands.
CREATE FUNCTION records_open_name_cases(batch bigint) RETURNS SETOF bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE met record; here bigint;
BEGIN
    IF NOT EXISTS (SELECT 1 FROM records_batch b WHERE b.id = batch AND b.id = records_batch_at_work()
                                                   AND b.state IN ('checking', 'committing')) THEN
        PERFORM catalogue_refuse('personcase_begins_undecided', 'a conflict is met by the batch at work');
    END IF;
    FOR met IN
        SELECT p.id AS person, p.name AS registered, r.name AS delivered, count(*) AS rows
          FROM records_batchrow r JOIN accounts_person p ON p.id_index = r.id_index AND p.name <> r.name
         WHERE r.batch_id = batch AND r.outcome = 9
           AND EXISTS (SELECT 1 FROM jsonb_array_elements(r.problems) e WHERE e ->> 1 = 'R02')
         GROUP BY p.id, p.name, r.name ORDER BY p.id, r.name
    LOOP
        PERFORM 1 FROM accounts_person WHERE id = met.person FOR NO KEY UPDATE;  -- one opens it, the next points at it
        SELECT n.case_id INTO here FROM records_casepaper n
         WHERE n.person_id = met.person AND n.delivered = met.delivered AND n.standing;
        IF here IS NULL THEN
            INSERT INTO records_personcase (kind, state, person_id, answer, reason, document, document_no, decision_note)
            VALUES ('name', 'open', met.person, '', '', '', '', '') RETURNING id INTO here;
            INSERT INTO records_casepaper (case_id, person_id, registered, delivered, new_name, standing)
            VALUES (here, met.person, met.registered, met.delivered, '', true);
            RETURN NEXT here;
        END IF;
        INSERT INTO records_casesource (case_id, batch_id, rows, says) VALUES (here, batch, met.rows, '')
        ON CONFLICT (case_id, batch_id) DO NOTHING;
    END LOOP;
END $$;

-- Answer an open conflict: one official proposes, with the document seen; the name to be registered stands in the paper.
CREATE FUNCTION records_propose_name(
    one bigint, official bigint, result text, right_name text, why text, kind_of_document text, number_of_document text, dated date
) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE records_personcase SET state = 'asked', answer = result, reason = why, document = kind_of_document,
           document_no = number_of_document, document_date = dated, asked_by_id = official, asked_at = now(),
           decided_by_id = NULL, decided_at = NULL, decision_note = ''
     WHERE id = one AND kind = 'name' AND state = 'open';
    IF NOT FOUND THEN
        PERFORM catalogue_refuse('personcase_moves_along_its_arrows', 'only an open conflict is answered');
    END IF;
    UPDATE records_casepaper SET new_name = right_name WHERE case_id = one;
END $$;

-- Carry out a decided case: the only hand that changes who somebody is.
CREATE FUNCTION records_carry_out_case(one bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE c records_personcase; account bigint;
BEGIN
    SELECT * INTO c FROM records_personcase WHERE id = one FOR UPDATE;
    IF c.state IS DISTINCT FROM 'decided' THEN
        PERFORM catalogue_refuse('personcase_is_decided_first', 'nothing is done that was not decided');
    END IF;
    PERFORM set_config('cf.person_case', one::text, true), set_config('cf.batch', '', true), set_config('cf.act', '', true);
    -- The strongest lock: a delivery that has written records of these persons ends first, one that comes waits.
    PERFORM 1 FROM accounts_person WHERE id IN (c.person_id, c.other_id) ORDER BY id FOR UPDATE;
    IF c.kind = 'name' AND c.answer <> 'supplier' THEN
        PERFORM records_change_name(c);
    ELSIF c.kind IN ('death', 'alive') THEN
        PERFORM records_carry_out_death(c);
    ELSIF c.kind <> 'name' THEN
        account := records_carry_out_merge(c);
    END IF;
    UPDATE records_personcase SET state = 'done', done_at = now(), account_id = account WHERE id = one;
    PERFORM set_config('cf.person_case', '', true);
END $$;

-- The old name goes into the history, the new one on the person and their account.
CREATE FUNCTION records_change_name(c records_personcase) RETURNS void LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE paper records_casepaper; old_name text;
BEGIN
    SELECT * INTO paper FROM records_casepaper WHERE case_id = c.id;
    SELECT name INTO old_name FROM accounts_person WHERE id = c.person_id;
    IF old_name <> paper.registered OR paper.new_name IN ('', old_name) THEN
        PERFORM catalogue_refuse('personcase_fits_the_register', 'the registered name is not what it was, or would not change');
    END IF;
    INSERT INTO accounts_personname (person_id, name, how, until, document, case_no, asked_by_id, decided_by_id)
    VALUES (c.person_id, old_name, CASE c.answer WHEN 'renamed' THEN 'renamed' ELSE 'wrong' END, c.document_date,
            c.document || ' ' || c.document_no, records_case_no(c.id, c.opened_at), c.asked_by_id, c.decided_by_id);
    UPDATE accounts_person SET name = paper.new_name WHERE id = c.person_id;
    UPDATE accounts_user SET name = left(paper.new_name, 60) WHERE person_id = c.person_id;
END $$;

-- A supplier says once what its document shows, while the conflict is open; where a conflict came from is fixed.
CREATE FUNCTION records_casesource_guard() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' OR (NEW.case_id, NEW.batch_id, NEW.rows, NEW.at) IS DISTINCT FROM (OLD.case_id, OLD.batch_id, OLD.rows, OLD.at)
       OR OLD.says <> '' THEN
        PERFORM catalogue_refuse('casesource_is_kept', 'where a conflict came from, and what was said to it, stays');
    END IF;
    IF NOT EXISTS (SELECT 1 FROM records_personcase c WHERE c.id = NEW.case_id AND c.state = 'open') THEN
        PERFORM catalogue_refuse('casesource_said_in_time', 'the conflict is not open');
    END IF;
    IF NOT records_holds(NEW.said_by_id, 'attest_name') OR NOT EXISTS (
        SELECT 1 FROM accounts_user u JOIN records_batch b ON b.supplier_id = u.organisation_id
         WHERE u.id = NEW.said_by_id AND b.id = NEW.batch_id) THEN
        PERFORM catalogue_refuse('casesource_said_by_its_supplier', 'whoever supplied the name says what the document shows');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER casesource_guard BEFORE UPDATE OR DELETE ON records_casesource
    FOR EACH ROW EXECUTE FUNCTION records_casesource_guard();

-- Lists are searched by former names too, and by those of merged numbers: the one statement of `records_page` that finds a name, wherever it was last written.
CREATE INDEX personname_bigrams ON accounts_personname USING gin (cf_bigrams(name)) WHERE how = 'renamed';
DO $do$
DECLARE
    was text := pg_get_functiondef('records_page(bigint, bigint, jsonb, bigint, boolean, int)'::regprocedure);
    changed text := replace(was, $a$AND strpos(p.name, filters ->> 'name') > 0 LIMIT few + 1);$a$,
        $b$AND strpos(p.name, filters ->> 'name') > 0
            UNION ALL SELECT n.person_id FROM accounts_personname n WHERE n.how = 'renamed'
            AND cf_bigrams(n.name) @> cf_bigrams(filters ->> 'name') AND strpos(n.name, filters ->> 'name') > 0
            UNION ALL SELECT records_survivor(m.id) FROM accounts_person m WHERE m.merged_into_id IS NOT NULL
            AND cf_bigrams(m.name) @> cf_bigrams(filters ->> 'name') AND strpos(m.name, filters ->> 'name') > 0 LIMIT few + 1);$b$);
BEGIN
    IF changed = was THEN
        RAISE EXCEPTION 'records_page finds names in another way now: former names have to be searched there';
    END IF;
    EXECUTE changed;
END $do$;
"""
DEATH = """
-- A death stands from its case until a case undoes it; nothing is decided about the dead, and the public sees no more of them.
CREATE FUNCTION records_carry_out_death(c records_personcase) RETURNS void LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF c.kind = 'death' THEN
        UPDATE accounts_person SET deceased_on = c.day WHERE id = c.person_id AND deceased_on IS NULL AND merged_into_id IS NULL;
    ELSE
        UPDATE accounts_person p SET deceased_on = NULL FROM records_personcase d
         WHERE p.id = c.person_id AND d.id = c.undoes_id AND d.person_id = p.id AND d.kind = 'death' AND d.state = 'done'
           AND p.deceased_on = d.day;
    END IF;
    IF NOT FOUND THEN
        PERFORM catalogue_refuse('personcase_fits_the_person', 'the register does not stand as this case supposes');
    END IF;
END $$;
CREATE INDEX person_is_over ON accounts_person (id) WHERE deceased_on IS NOT NULL OR merged_into_id IS NOT NULL;

-- No record of a document made after death, none under a merged number, and none that was moved to somebody else: whoever writes it. Named to run after the keys,
-- whose lock waits for a case that is being carried out.
CREATE FUNCTION records_record_of_the_living() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE dead boolean; merged boolean;
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM 1 FROM records_personcase c JOIN records_caserecord x ON x.case_id = c.id
          JOIN records_record k ON k.id = x.record_id AND k.person_id <> c.person_id
          JOIN fresh f ON f.person_id = c.person_id AND f.item_id = k.item_id AND f.doc_no = k.doc_no AND f.decider_uscc = k.decider_uscc
         WHERE c.kind = 'move' AND c.state = 'done' LIMIT 1;
        IF FOUND THEN
            PERFORM catalogue_refuse('record_does_not_come_back', 'two officials found that the document is about somebody else');
        END IF;
        SELECT bool_or(f.doc_date > p.deceased_on), bool_or(p.merged_into_id IS NOT NULL) INTO dead, merged
          FROM accounts_person p JOIN fresh f ON f.person_id = p.id
         WHERE p.deceased_on IS NOT NULL OR p.merged_into_id IS NOT NULL;
    ELSE
        SELECT bool_or(f.doc_date > p.deceased_on), bool_or(p.merged_into_id IS NOT NULL AND (f.person_id <> g.person_id OR g.state = 2 AND f.state IN (1, 3)))
          INTO dead, merged
          FROM accounts_person p JOIN fresh f ON f.person_id = p.id JOIN gone g ON g.id = f.id
         WHERE (p.deceased_on IS NOT NULL OR p.merged_into_id IS NOT NULL)
           AND (f.doc_date <> g.doc_date OR f.person_id <> g.person_id OR g.state = 2 AND f.state IN (1, 3));
    END IF;
    IF dead THEN
        PERFORM catalogue_refuse('record_not_after_death', 'the document was made after the person''s death');
    ELSIF merged THEN
        PERFORM catalogue_refuse('record_stands_with_the_survivor', 'the number was merged into another person');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER records_record_of_the_living_on_insert AFTER INSERT ON records_record REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION records_record_of_the_living();
CREATE TRIGGER records_record_of_the_living_on_update AFTER UPDATE ON records_record
    REFERENCING NEW TABLE AS fresh OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION records_record_of_the_living();

-- Of the dead only duties read, near relatives and courts (Q3, Q5, Q7): no public, no consent, nobody in their name.
CREATE POLICY record_of_the_dead_is_not_public ON records_record AS RESTRICTIVE FOR SELECT USING (
    item_id = (SELECT records_item_at_work())
    OR NOT EXISTS (SELECT 1 FROM accounts_person p WHERE p.id = records_record.person_id AND p.deceased_on IS NOT NULL)
    OR id = ANY ((SELECT records_of_act_at_work())::bigint[])
    OR EXISTS (SELECT 1 FROM access_queryperson q
                WHERE q.person_id = records_record.person_id AND q.at = transaction_timestamp()
                  AND q.xid = pg_current_xact_id() AND q.allowed AND q.kind IN ('Q3', 'Q5', 'Q7'))
);

-- Whether one of the numbers that were merged into a person stood under this name.
CREATE FUNCTION records_name_of_merged(person bigint, full_name text) RETURNS boolean LANGUAGE sql STABLE AS $$
    WITH RECURSIVE merged(id, name) AS (
        SELECT m.id, m.name FROM accounts_person m WHERE m.merged_into_id = person
        UNION ALL SELECT m.id, m.name FROM merged f JOIN accounts_person m ON m.merged_into_id = f.id
    ) SELECT EXISTS (SELECT 1 FROM merged WHERE name = full_name)
$$;

-- Found by document and the name on it: whoever changed their name, or had two numbers, is found under the name that the
-- document bears.
CREATE OR REPLACE FUNCTION records_person_by_public_document(full_name text, document text) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT min(p.id) FROM records_record r JOIN accounts_person p ON p.id = r.person_id
     WHERE r.doc_no = document AND p.deceased_on IS NULL
       AND (p.name = full_name OR EXISTS (SELECT 1 FROM accounts_personname n
               WHERE n.person_id = p.id AND n.name = full_name AND n.how = 'renamed' AND r.doc_date <= n.until)
            OR records_name_of_merged(p.id, full_name))
       AND records_is_in_use(r.state, r.usable_from, r.hidden_at)
       AND r.publication IS NOT NULL AND r.publication @> cf_today() AND r.query_until > cf_today()
       AND r.item_id <> ALL ((SELECT catalogue_withdrawn_items() || catalogue_withheld_items())::bigint[])
    HAVING count(DISTINCT p.id) = 1
$$;

-- No account is opened for the dead, nor for a number that was merged.
CREATE FUNCTION records_account_of_the_living() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM 1 FROM accounts_person p WHERE p.id = NEW.person_id AND (p.deceased_on IS NOT NULL OR p.merged_into_id IS NOT NULL);
    IF FOUND THEN
        PERFORM catalogue_refuse('user_is_of_the_living', 'no account is opened for the dead or for a merged number');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER user_is_of_the_living BEFORE INSERT ON accounts_user FOR EACH ROW WHEN (NEW.person_id IS NOT NULL)
    EXECUTE FUNCTION records_account_of_the_living();

-- How many records of the person rest on documents made after that day: what officials look into with a death.
CREATE FUNCTION records_dated_after(one bigint) RETURNS bigint LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT count(*) FROM records_personcase c JOIN records_record r ON r.person_id = c.person_id AND r.doc_date > c.day
     WHERE c.id = one AND r.state NOT IN (2, 6) AND records_case_is_open_here(c.id)
$$;
"""
MERGE = r"""
-- Whom a person was merged into, at the end of the chain; itself when it was not.
CREATE FUNCTION records_survivor(person bigint) RETURNS bigint LANGUAGE sql STABLE AS $$
    WITH RECURSIVE chain(id, next) AS (
        SELECT p.id, p.merged_into_id FROM accounts_person p WHERE p.id = person
        UNION ALL SELECT p.id, p.merged_into_id FROM chain c JOIN accounts_person p ON p.id = c.next
    ) SELECT id FROM chain WHERE next IS NULL
$$;

-- Whether the case being carried out takes this record from the one person to the other.
CREATE FUNCTION records_case_moves(record bigint, giver bigint, taker bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT current_user = (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = 'public.records_personcase'::regclass)
       AND EXISTS (SELECT 1 FROM public.records_personcase c JOIN public.records_caserecord r ON r.case_id = c.id AND r.record_id = record
                    WHERE c.id = public.records_person_case_at_work() AND c.state = 'decided'
                      AND CASE c.kind WHEN 'split' THEN (giver, taker) = (c.other_id, c.person_id)
                                      WHEN 'merge' THEN (giver, taker) = (c.person_id, c.other_id)
                                      WHEN 'move' THEN (giver, taker) = (c.person_id, c.other_id) ELSE false END)
$$;

CREATE OR REPLACE FUNCTION accounts_user_keeps_its_person() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF records_case_allows(OLD.person_id, '{merge,split}') AND records_case_allows(NEW.person_id, '{merge,split}') THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'the person of an account never changes'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'user_keeps_its_person';
END $$;

-- Name the records that a case would move, once, when it is asked for. Returns how many.
CREATE FUNCTION records_name_in_case(one bigint, numbers text[]) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE n int;
BEGIN
    IF NOT EXISTS (SELECT 1 FROM records_personcase c WHERE c.id = one AND c.kind = 'move' AND c.state = 'asked' FOR UPDATE)
       OR EXISTS (SELECT 1 FROM records_caserecord x WHERE x.case_id = one) THEN
        PERFORM catalogue_refuse('personcase_is_what_was_asked', 'records are named once, when the case is asked for');
    END IF;
    INSERT INTO records_caserecord (case_id, record_id, record_no)
    SELECT c.id, r.id, w.number FROM records_personcase c, unnest(numbers) AS w(number)
      JOIN records_record r ON r.id = CASE WHEN w.number ~ '^R[0-9]{18}[0-9A-Z]$' THEN substr(w.number, 10, 10)::bigint END
     WHERE c.id = one AND r.person_id = c.person_id AND r.state <> 6 AND records_number(r.id, r.created_at) = w.number
     ORDER BY r.id;
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN n;
END $$;

-- The earliest day on which the person acted of whose records a case would move: nobody takes one of when they were a minor.
CREATE FUNCTION records_case_acted_on(one bigint) RETURNS date LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT min(least(v.doc_date, CASE WHEN v.content ->> f.code ~ '^\d{4}-\d{2}-\d{2}$' THEN (v.content ->> f.code)::date END))
      FROM records_personcase c JOIN records_record r ON r.person_id = c.person_id
      JOIN records_recordversion v ON v.record_id = r.id AND v.version = r.version
      LEFT JOIN catalogue_field f ON f.item_version_id = v.item_version_id AND f.binds = 'act_end'
     WHERE c.id = one AND (c.kind = 'merge' OR r.id IN (SELECT x.record_id FROM records_caserecord x WHERE x.case_id = one))
       AND (c.state = 'decided' OR records_case_is_open_here(c.id))
$$;

-- Records that could not be moved, because the same document stands with the other person already: both numbers and
-- states, under a line for the person. What was withdrawn or is over stays behind in a merge and stops nothing.
CREATE FUNCTION records_clashes(c records_personcase) RETURNS TABLE (mine bigint, theirs bigint) LANGUAGE sql STABLE
SET search_path = public, pg_temp AS $$
    SELECT m.id, s.id FROM records_record m
      JOIN records_record s ON s.person_id = c.other_id AND s.item_id = m.item_id AND s.doc_no = m.doc_no
                           AND s.decider_uscc = m.decider_uscc
     WHERE m.person_id = c.person_id
       AND CASE c.kind WHEN 'merge' THEN m.state NOT IN (2, 6)
                       ELSE m.id IN (SELECT x.record_id FROM records_caserecord x WHERE x.case_id = c.id) END
$$;
CREATE FUNCTION records_case_clashes(one bigint) RETURNS TABLE (mine text, my_state smallint, theirs text, their_state smallint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT records_number(m.id, m.created_at), m.state, records_number(s.id, s.created_at), s.state
      FROM records_personcase c, LATERAL records_clashes(c) x
      JOIN records_record m ON m.id = x.mine JOIN records_record s ON s.id = x.theirs
     WHERE c.id = one AND c.kind IN ('merge', 'move') AND records_case_is_open_here(c.id)
     ORDER BY 1
$$;

-- Move the records of a case that is at work, with a line each.
CREATE FUNCTION records_move(c records_personcase, giver bigint, taker bigint) RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE ids bigint[];
BEGIN
    SELECT array_agg(r.id) INTO ids FROM (
        SELECT r.id FROM records_caserecord x JOIN records_record r ON r.id = x.record_id
         WHERE x.case_id = c.id AND r.person_id = giver ORDER BY r.id FOR UPDATE OF r) r;
    IF c.kind = 'move' AND (ids IS NULL OR cardinality(ids) <> (SELECT count(*) FROM records_caserecord x WHERE x.case_id = c.id)) THEN
        PERFORM catalogue_refuse('personcase_fits_its_records', 'a named record stands with this person no longer');
    END IF;
    UPDATE records_record SET person_id = taker WHERE id = ANY (ids);
    INSERT INTO records_recordevent (record_id, kind, from_state, to_state, detail, by_id)
    SELECT r.id, 4, r.state, r.state, jsonb_build_object('case', records_case_no(c.id, c.opened_at),
           'person', jsonb_build_array(giver, taker)), c.decided_by_id FROM records_record r WHERE r.id = ANY (ids);
    IF c.kind IN ('move', 'split') THEN  -- the words of whoever it was never about
        UPDATE records_statement SET ended_at = now() WHERE record_id = ANY (ids) AND ended_at IS NULL
           AND (c.kind = 'move' OR person_id = giver);
    END IF;
END $$;

-- Merge, undo a merge exactly, or move named records. Returns the account that followed its person.
CREATE FUNCTION records_carry_out_merge(c records_personcase) RETURNS bigint LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE one accounts_person; two accounts_person; undone records_personcase; account bigint;
BEGIN
    SELECT * INTO one FROM accounts_person WHERE id = c.person_id;
    SELECT * INTO two FROM accounts_person WHERE id = c.other_id;
    SELECT * INTO undone FROM records_personcase WHERE id = c.undoes_id;
    IF two.merged_into_id IS NOT NULL OR (CASE c.kind
        WHEN 'split' THEN one.merged_into_id IS DISTINCT FROM two.id OR undone.kind <> 'merge' OR undone.state <> 'done'
                          OR (undone.person_id, undone.other_id) <> (one.id, two.id)
        WHEN 'merge' THEN one.merged_into_id IS NOT NULL OR one.deceased_on IS DISTINCT FROM two.deceased_on
        ELSE one.merged_into_id IS NOT NULL END) THEN
        PERFORM catalogue_refuse('personcase_fits_the_person', 'the register does not stand as this case supposes');
    END IF;
    IF c.kind = 'merge' AND EXISTS (SELECT 1 FROM records_unsound u WHERE u.person_id IN (one.id, two.id)) THEN
        PERFORM catalogue_refuse('personcase_of_the_sound', 'a number found unsound is not merged');
    END IF;
    IF c.kind <> 'split' AND EXISTS (SELECT 1 FROM records_clashes(c)) THEN
        PERFORM catalogue_refuse('personcase_no_document_twice', 'a document stands with both persons');
    END IF;
    IF c.kind = 'merge' THEN
        INSERT INTO records_caserecord (case_id, record_id, record_no)
        SELECT c.id, r.id, records_number(r.id, r.created_at) FROM records_record r
         WHERE r.person_id = one.id AND NOT EXISTS (
            SELECT 1 FROM records_record s WHERE s.person_id = two.id AND s.item_id = r.item_id AND s.doc_no = r.doc_no
               AND s.decider_uscc = r.decider_uscc);
        UPDATE accounts_person SET merged_into_id = two.id WHERE id = one.id;
        PERFORM records_move(c, one.id, two.id);
        UPDATE accounts_user SET person_id = two.id WHERE person_id = one.id
           AND NOT EXISTS (SELECT 1 FROM accounts_user u WHERE u.person_id = two.id) RETURNING id INTO account;
    ELSIF c.kind = 'split' THEN
        INSERT INTO records_caserecord (case_id, record_id, record_no)
        SELECT c.id, x.record_id, x.record_no FROM records_caserecord x JOIN records_record r ON r.id = x.record_id
         WHERE x.case_id = undone.id AND r.person_id = two.id;
        UPDATE accounts_person SET merged_into_id = NULL WHERE id = one.id;
        PERFORM records_move(c, two.id, one.id);
        UPDATE accounts_user SET person_id = one.id WHERE id = undone.account_id AND person_id = two.id RETURNING id INTO account;
    ELSE
        PERFORM records_move(c, one.id, two.id);
    END IF;
    RETURN account;
END $$;

-- Merged numbers, those that the batch met merged among them, and whose number stands for them now: looked up one by one,
-- for they are few, and a join may be planned over all persons.
CREATE FUNCTION records_merged_numbers(batch bigint)
RETURNS TABLE (id bigint, own bytea, now bigint, id_index bytea, id_cipher bytea) LANGUAGE sql STABLE ROWS 20 AS $$
    WITH pairs AS MATERIALIZED (
        SELECT m.id, m.id_index, records_survivor(m.id) AS now FROM accounts_person m
         WHERE m.merged_into_id IS NOT NULL
            OR m.id = ANY (ARRAY(SELECT DISTINCT r.merged_person_id FROM records_batchrow r
                                  WHERE r.batch_id = batch AND r.merged_person_id IS NOT NULL))
    )
    SELECT p.id, p.id_index, p.now, (SELECT s.id_index FROM accounts_person s WHERE s.id = p.now),
           (SELECT s.id_cipher FROM accounts_person s WHERE s.id = p.now) FROM pairs p
$$;

-- What came in under a merged number belongs to the merge: undone, it goes back with the rest.
CREATE FUNCTION records_note_merged(batch bigint) RETURNS void LANGUAGE sql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH RECURSIVE came AS (
        SELECT r.merged_person_id AS person, v.record_id FROM records_batchrow r
          JOIN records_recordversion v ON v.batch_id = r.batch_id AND v.row_no = r.row_no AND v.version = 1
          JOIN records_batch b ON b.id = r.batch_id AND b.state = 'committing'
         WHERE r.batch_id = batch AND batch = records_batch_at_work() AND r.merged_person_id IS NOT NULL
    ), chain AS (
        SELECT c.person, p.merged_into_id AS next, c.record_id FROM came c JOIN accounts_person p ON p.id = c.person
        UNION ALL SELECT p.id, p.merged_into_id, c.record_id FROM chain c JOIN accounts_person p ON p.id = c.next
    )
    INSERT INTO records_caserecord (case_id, record_id, record_no)
    SELECT (SELECT max(k.id) FROM records_personcase k WHERE k.kind = 'merge' AND k.state = 'done'
               AND (k.person_id, k.other_id) = (c.person, c.next)), r.id, records_number(r.id, r.created_at)
      FROM chain c JOIN records_record r ON r.id = c.record_id WHERE c.next IS NOT NULL
    ON CONFLICT (case_id, record_id) DO NOTHING
$$;

-- The words beside a record that came by a merge are the survivor's own.
CREATE OR REPLACE FUNCTION records_is_the_person(person bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT 1 FROM access_queryperson q WHERE q.person_id = ANY (ARRAY[person, records_survivor(person)])
                      AND q.kind = 'Q1' AND q.allowed AND q.at = transaction_timestamp() AND q.xid = pg_current_xact_id())
$$;

-- A report is compared with what stands about its person today, under whatever number.
CREATE OR REPLACE FUNCTION records_report_changes(report_number text, hashes bytea[])
RETURNS TABLE (added bigint, changed bigint, ended bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH report AS (
        SELECT r.id, records_survivor(r.person_id) AS person_id FROM records_report r
         WHERE r.number = report_number AND r.code_hash = ANY (hashes)
           AND EXISTS (SELECT 1 FROM access_queryperson q
                        WHERE q.person_id = ANY (ARRAY[r.person_id, records_survivor(r.person_id)]) AND q.at = transaction_timestamp()
                          AND q.xid = pg_current_xact_id() AND q.allowed)
    ), held AS (
        SELECT e.record_id, e.version, e.public FROM records_reportentry e JOIN report ON report.id = e.report_id
    ), now_there AS (
        SELECT r.id, r.version, coalesce(r.publication @> cf_today(), false) AS public
          FROM report, records_shown() r WHERE r.person_id = report.person_id
    )
    SELECT count(*) FILTER (WHERE h.record_id IS NULL),
           count(*) FILTER (WHERE h.version <> n.version OR h.public <> n.public),
           count(*) FILTER (WHERE n.id IS NULL)
      FROM held h FULL JOIN now_there n ON n.id = h.record_id
    HAVING EXISTS (SELECT 1 FROM report)
$$;
"""
DATA = """
ALTER TABLE catalogue_deadlinerule DISABLE TRIGGER deadlinerule_guard;
INSERT INTO catalogue_deadlinerule (code, version, what, n, unit, starts, owner, basis, source, confidence, strict, note,
    in_doubt, rolls, verified, valid_from, state, proposed_at, confirmed_at, withdrawn_reason) VALUES
('D40', 1, '姓名不一致核对', 2, 'WD', '发现报送姓名与登记姓名不一致', 'PLATFORM', '《个人信息保护法》第八条（保证个人信息的质量）；天数为本站设定',
 '时限总表（2026-11-23）补充：domain §4.2 L6', 'D', 2, '', 'earlier', true, false, '2021-11-01', 'in_force', now(), now(), '')
ON CONFLICT (code, version) DO NOTHING;  -- kept from before, when clocks rest on it
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE catalogue_deadlinerule ENABLE TRIGGER deadlinerule_guard;
"""
DATA_UNDONE = """
ALTER TABLE catalogue_deadlinerule DISABLE TRIGGER deadlinerule_guard;
DELETE FROM catalogue_deadlinerule r WHERE code = 'D40' AND NOT EXISTS (SELECT 1 FROM catalogue_deadline d WHERE d.rule_id = r.id);
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE catalogue_deadlinerule ENABLE TRIGGER deadlinerule_guard;
"""
UNDONE = """
CREATE OR REPLACE FUNCTION records_is_the_person(person bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT 1 FROM access_queryperson q WHERE q.person_id = person AND q.kind = 'Q1' AND q.allowed
                      AND q.at = transaction_timestamp() AND q.xid = pg_current_xact_id())
$$;
DO $do$
BEGIN
    EXECUTE replace(pg_get_functiondef('records_page(bigint, bigint, jsonb, bigint, boolean, int)'::regprocedure), $b$
            UNION ALL SELECT n.person_id FROM accounts_personname n WHERE n.how = 'renamed'
            AND cf_bigrams(n.name) @> cf_bigrams(filters ->> 'name') AND strpos(n.name, filters ->> 'name') > 0
            UNION ALL SELECT records_survivor(m.id) FROM accounts_person m WHERE m.merged_into_id IS NOT NULL
            AND cf_bigrams(m.name) @> cf_bigrams(filters ->> 'name') AND strpos(m.name, filters ->> 'name') > 0 LIMIT$b$, ' LIMIT');
END $do$;
DROP INDEX personname_bigrams;
CREATE OR REPLACE FUNCTION records_report_changes(report_number text, hashes bytea[])
RETURNS TABLE (added bigint, changed bigint, ended bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH report AS (
        SELECT r.id, r.person_id FROM records_report r
         WHERE r.number = report_number AND r.code_hash = ANY (hashes)
           AND EXISTS (SELECT 1 FROM access_queryperson q
                        WHERE q.person_id = r.person_id AND q.at = transaction_timestamp()
                          AND q.xid = pg_current_xact_id() AND q.allowed)
    ), held AS (
        SELECT e.record_id, e.version, e.public FROM records_reportentry e JOIN report ON report.id = e.report_id
    ), now_there AS (
        SELECT r.id, r.version, coalesce(r.publication @> cf_today(), false) AS public
          FROM report, records_shown() r WHERE r.person_id = report.person_id
    )
    SELECT count(*) FILTER (WHERE h.record_id IS NULL),
           count(*) FILTER (WHERE h.version <> n.version OR h.public <> n.public),
           count(*) FILTER (WHERE n.id IS NULL)
      FROM held h FULL JOIN now_there n ON n.id = h.record_id
    HAVING EXISTS (SELECT 1 FROM report)
$$;
CREATE OR REPLACE FUNCTION accounts_user_keeps_its_person() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the person of an account never changes'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'user_keeps_its_person';
END $$;
DROP FUNCTION records_note_merged(bigint);
DROP FUNCTION records_merged_numbers(bigint);
DROP FUNCTION records_carry_out_merge(records_personcase);
DROP FUNCTION records_move(records_personcase, bigint, bigint);
DROP FUNCTION records_case_clashes(bigint);
DROP FUNCTION records_clashes(records_personcase);
DROP FUNCTION records_case_acted_on(bigint);
DROP FUNCTION records_name_in_case(bigint, text[]);
DROP FUNCTION records_case_moves(bigint, bigint, bigint);
DROP FUNCTION records_survivor(bigint);
CREATE OR REPLACE FUNCTION records_person_by_public_document(full_name text, document text) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT min(p.id) FROM records_record r JOIN accounts_person p ON p.id = r.person_id
     WHERE r.doc_no = document AND p.name = full_name
       AND records_is_in_use(r.state, r.usable_from, r.hidden_at)
       AND r.publication IS NOT NULL AND r.publication @> cf_today() AND r.query_until > cf_today()
       AND r.item_id <> ALL ((SELECT catalogue_withdrawn_items() || catalogue_withheld_items())::bigint[])
    HAVING count(DISTINCT p.id) = 1
$$;
DROP FUNCTION records_name_of_merged(bigint, text);
DROP FUNCTION records_dated_after(bigint);
DROP TRIGGER user_is_of_the_living ON accounts_user;
DROP FUNCTION records_account_of_the_living();
DROP POLICY record_of_the_dead_is_not_public ON records_record;
DROP TRIGGER records_record_of_the_living_on_update ON records_record;
DROP TRIGGER records_record_of_the_living_on_insert ON records_record;
DROP FUNCTION records_record_of_the_living();
DROP INDEX person_is_over;
DROP FUNCTION records_carry_out_death(records_personcase);
DROP TRIGGER casesource_guard ON records_casesource;
DROP FUNCTION records_casesource_guard();
DROP FUNCTION records_change_name(records_personcase);
DROP FUNCTION records_carry_out_case(bigint);
DROP FUNCTION records_propose_name(bigint, bigint, text, text, text, text, text, date);
DROP FUNCTION records_open_name_cases(bigint);
DROP TRIGGER personcase_stepped ON records_personcase;
DROP FUNCTION records_personcase_stepped();
DROP TRIGGER personcase_guard ON records_personcase;
DROP FUNCTION records_personcase_guard();
DROP FUNCTION records_case_was_opened(bigint, bigint);
DROP FUNCTION records_holds(bigint, text);
DROP POLICY casepaper_read_with_a_query_line ON records_casepaper;
DROP FUNCTION records_case_is_open_here(bigint);
DROP TRIGGER person_begins_alive ON accounts_person;
DROP TRIGGER person_guard ON accounts_person;
DROP FUNCTION records_person_guard();
DROP FUNCTION records_case_allows(bigint, text[]);
DROP FUNCTION records_case_no(bigint, timestamptz);
DROP FUNCTION records_person_case_at_work();
"""

# The guard of records as migration 0006 wrote it, but for a move that a case of two officials carries out.
_LIFE = import_module("records.migrations.0006_life").ARROWS
_GUARD = (
    "CREATE OR REPLACE "
    + _LIFE[_LIFE.index("FUNCTION records_record_guard()") : _LIFE.index("CREATE TRIGGER record_guard")]
)
GUARD = (
    _GUARD.replace("(NEW.person_id, ", "(", 1)
    .replace("(OLD.person_id, ", "(", 1)
    .replace(
        "THEN",
        "OR NEW.person_id <> OLD.person_id AND NOT records_case_moves(NEW.id, OLD.person_id, NEW.person_id) THEN",
        1,
    )
)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0007_persons"),
        ("catalogue", "0009_supply"),
        ("records", "0011_entry"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="PersonCase",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("name", "姓名不一致"),
                            ("death", "登记死亡"),
                            ("alive", "撤销死亡登记"),
                            ("merge", "合并（同一人的两个号码）"),
                            ("split", "撤销合并"),
                            ("move", "移转记录（误记在他人名下）"),
                        ],
                        max_length=6,
                        verbose_name="事项",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "待核对"),
                            ("asked", "待审核"),
                            ("decided", "已同意"),
                            ("refused", "未同意"),
                            ("dropped", "已撤销申请"),
                            ("done", "已办结"),
                        ],
                        max_length=8,
                        verbose_name="状态",
                    ),
                ),
                ("day", models.DateField(null=True, verbose_name="死亡日期")),
                (
                    "answer",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("renamed", "当事人已改名"),
                            ("wrong", "登记的姓名有误，应更正"),
                            ("supplier", "报送有误，登记的姓名正确"),
                        ],
                        max_length=8,
                        verbose_name="核对结果",
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=300, verbose_name="说明")),
                (
                    "document",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("card", "居民身份证"),
                            ("book", "居民户口簿"),
                            ("police", "公安机关证明"),
                            ("death", "居民死亡医学证明（推断）书"),
                            ("cancel", "户口注销证明"),
                            ("court", "人民法院判决书"),
                        ],
                        max_length=8,
                        verbose_name="证明文件",
                    ),
                ),
                ("document_no", models.CharField(blank=True, max_length=100, verbose_name="文件编号")),
                ("document_date", models.DateField(blank=True, null=True, verbose_name="文件日期")),
                (
                    "opened_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="建立时间"),
                ),
                ("asked_at", models.DateTimeField(null=True, verbose_name="提出时间")),
                ("decided_at", models.DateTimeField(null=True, verbose_name="审核时间")),
                ("decision_note", models.CharField(blank=True, max_length=300, verbose_name="审核意见")),
                ("done_at", models.DateTimeField(null=True, verbose_name="办结时间")),
            ],
            options={
                "verbose_name": "人员核对单",
                "verbose_name_plural": "人员核对单",
                "db_table_comment": "kept: what was asked, decided and done about who somebody is",
                "ordering": ["-id"],
                "permissions": [
                    ("ask_personcase", "核对人员身份事项"),
                    ("decide_personcase", "审核人员身份事项"),
                    ("attest_name", "说明本单位报送的姓名"),
                ],
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="CaseRecord",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("record_no", models.CharField(max_length=24, verbose_name="记录编号")),
            ],
            options={
                "verbose_name": "移转的记录",
                "verbose_name_plural": "移转的记录",
                "db_table_comment": "append-only, written by the database: numbers only, outlives the record",
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="CaseSource",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("rows", models.PositiveIntegerField(verbose_name="行数")),
                (
                    "says",
                    models.CharField(
                        blank=True,
                        choices=[("right", "已核对证件，报送的姓名无误"), ("wrong", "报送有误，将更正")],
                        max_length=5,
                        verbose_name="报送单位的说明",
                    ),
                ),
                ("said_at", models.DateTimeField(null=True, verbose_name="说明时间")),
                (
                    "at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="发现时间"),
                ),
            ],
            options={
                "verbose_name": "来源批次",
                "verbose_name_plural": "来源批次",
                "db_table_comment": "written by the database: which deliveries met a name conflict",
                "ordering": ["id"],
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="CaseStep",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "from_state",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("open", "待核对"),
                            ("asked", "待审核"),
                            ("decided", "已同意"),
                            ("refused", "未同意"),
                            ("dropped", "已撤销申请"),
                            ("done", "已办结"),
                        ],
                        max_length=8,
                        verbose_name="原状态",
                    ),
                ),
                (
                    "to_state",
                    models.CharField(
                        choices=[
                            ("open", "待核对"),
                            ("asked", "待审核"),
                            ("decided", "已同意"),
                            ("refused", "未同意"),
                            ("dropped", "已撤销申请"),
                            ("done", "已办结"),
                        ],
                        max_length=8,
                        verbose_name="新状态",
                    ),
                ),
                (
                    "answer",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("renamed", "当事人已改名"),
                            ("wrong", "登记的姓名有误，应更正"),
                            ("supplier", "报送有误，登记的姓名正确"),
                        ],
                        max_length=8,
                        verbose_name="核对结果",
                    ),
                ),
                ("note", models.CharField(blank=True, max_length=300, verbose_name="意见")),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="时间")),
            ],
            options={
                "verbose_name": "核对经过",
                "verbose_name_plural": "核对经过",
                "db_table_comment": "append-only, written by the database: every step of a case on a person",
                "ordering": ["id"],
                "default_permissions": (),
            },
        ),
        migrations.AddField(
            model_name="batchrow",
            name="merged_person_id",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AlterField(
            model_name="recordevent",
            name="kind",
            field=models.SmallIntegerField(
                choices=[(1, "状态"), (2, "标记"), (3, "期限"), (4, "主体")], verbose_name="种类"
            ),
        ),
        migrations.AddIndex(
            model_name="batchrow",
            index=models.Index(
                condition=models.Q(("merged_person_id__isnull", False)),
                fields=["batch"],
                name="batchrow_by_merged_number",
            ),
        ),
        migrations.AddField(
            model_name="personcase",
            name="account",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="随人员移转的账户",
            ),
        ),
        migrations.AddField(
            model_name="personcase",
            name="asked_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="核对人",
            ),
        ),
        migrations.AddField(
            model_name="personcase",
            name="decided_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="审核人",
            ),
        ),
        migrations.AddField(
            model_name="personcase",
            name="other",
            field=models.ForeignKey(
                help_text="合并后保留的，或移入的人",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="accounts.person",
                verbose_name="另一人",
            ),
        ),
        migrations.AddField(
            model_name="personcase",
            name="person",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="cases",
                to="accounts.person",
                verbose_name="自然人",
            ),
        ),
        migrations.AddField(
            model_name="personcase",
            name="undoes",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="undone_by",
                to="records.personcase",
                verbose_name="所撤销的核对单",
            ),
        ),
        migrations.AddField(
            model_name="caserecord",
            name="case",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="about",
                to="records.personcase",
                verbose_name="核对单",
            ),
        ),
        migrations.AddField(
            model_name="caserecord",
            name="record",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="person_cases",
                to="records.record",
                verbose_name="记录",
            ),
        ),
        migrations.AddField(
            model_name="casesource",
            name="batch",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="name_conflicts",
                to="records.batch",
                verbose_name="报送批次",
            ),
        ),
        migrations.AddField(
            model_name="casesource",
            name="case",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="sources",
                to="records.personcase",
                verbose_name="核对单",
            ),
        ),
        migrations.AddField(
            model_name="casesource",
            name="said_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="说明人",
            ),
        ),
        migrations.AddField(
            model_name="casestep",
            name="by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="办理人",
            ),
        ),
        migrations.AddField(
            model_name="casestep",
            name="case",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="steps",
                to="records.personcase",
                verbose_name="核对单",
            ),
        ),
        migrations.CreateModel(
            name="CasePaper",
            fields=[
                (
                    "case",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="paper",
                        serialize=False,
                        to="records.personcase",
                    ),
                ),
                ("registered", models.CharField(max_length=100, verbose_name="登记的姓名")),
                ("delivered", models.TextField(verbose_name="报送的姓名")),
                ("new_name", models.CharField(blank=True, max_length=100, verbose_name="应登记的姓名")),
                ("standing", models.BooleanField(default=True)),
                (
                    "person",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.person",
                    ),
                ),
            ],
            options={
                "verbose_name": "核对内容",
                "verbose_name_plural": "核对内容",
                "db_table_comment": "append-only, written by the database: the names in a conflict",
                "default_permissions": (),
            },
        ),
        migrations.AddIndex(
            model_name="personcase",
            index=models.Index(fields=["person"], name="personcase_by_person"),
        ),
        migrations.AddConstraint(
            model_name="personcase",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("decided_by__isnull", True),
                    models.Q(
                        ("asked_by__isnull", False), models.Q(("decided_by", models.F("asked_by")), _negated=True)
                    ),
                    _connector="OR",
                ),
                name="personcase_decided_by_another",
                violation_error_message="核对人不能审核自己提出的事项，须由另一名工作人员办理。",
            ),
        ),
        migrations.AddConstraint(
            model_name="personcase",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state__in", ["asked", "decided", "refused", "dropped", "done"]), _negated=True),
                    models.Q(("asked_at__isnull", False), ("asked_by__isnull", False)),
                    _connector="OR",
                ),
                name="personcase_asked_by_somebody",
            ),
        ),
        migrations.AddConstraint(
            model_name="personcase",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state__in", ["decided", "refused", "done"]), _negated=True),
                    models.Q(("decided_at__isnull", False), ("decided_by__isnull", False)),
                    _connector="OR",
                ),
                name="personcase_decided_by_somebody",
            ),
        ),
        migrations.AddConstraint(
            model_name="personcase",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "refused"), _negated=True),
                    models.Q(("decision_note", ""), _negated=True),
                    _connector="OR",
                ),
                name="personcase_refused_with_a_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="personcase",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("done_at__isnull", False), ("state", "done")),
                    models.Q(models.Q(("state", "done"), _negated=True), ("done_at__isnull", True)),
                    _connector="OR",
                ),
                name="personcase_done_at_a_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="personcase",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("day__isnull", False), ("kind", "death")),
                    models.Q(models.Q(("kind", "death"), _negated=True), ("day__isnull", True)),
                    _connector="OR",
                ),
                name="personcase_death_has_a_day",
            ),
        ),
        migrations.AddConstraint(
            model_name="personcase",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("kind__in", ["merge", "split", "move"]),
                        ("other__isnull", False),
                        models.Q(("other", models.F("person")), _negated=True),
                    ),
                    models.Q(
                        models.Q(("kind__in", ["merge", "split", "move"]), _negated=True), ("other__isnull", True)
                    ),
                    _connector="OR",
                ),
                name="personcase_about_two_persons",
            ),
        ),
        migrations.AddConstraint(
            model_name="personcase",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind__in", ["alive", "split"]), ("undoes__isnull", False)),
                    models.Q(models.Q(("kind__in", ["alive", "split"]), _negated=True), ("undoes__isnull", True)),
                    _connector="OR",
                ),
                name="personcase_undoes_one",
            ),
        ),
        migrations.AddConstraint(
            model_name="personcase",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ["refused", "dropped"]), _negated=True),
                fields=("undoes",),
                name="personcase_undone_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="personcase",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "asked"), models.Q(("kind__in", ["name", "move"]), _negated=True)),
                fields=("person", "kind"),
                name="personcase_asked_once_at_a_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="personcase",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("kind", "name"),
                    models.Q(("answer", ""), models.Q(("state", "open"), _negated=True)),
                    _connector="OR",
                ),
                name="personcase_answers_a_name",
            ),
        ),
        migrations.AddConstraint(
            model_name="personcase",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "name"), _negated=True),
                    ("state", "open"),
                    models.Q(("answer", ""), _negated=True),
                    _connector="OR",
                ),
                name="personcase_name_has_an_answer",
            ),
        ),
        migrations.AddConstraint(
            model_name="personcase",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state", "open"),
                    ("answer", "supplier"),
                    models.Q(
                        models.Q(("document", ""), _negated=True),
                        models.Q(("document_no", ""), _negated=True),
                        ("document_date__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="personcase_rests_on_a_document",
                violation_error_message="须写明证明文件的种类、编号和日期。",
            ),
        ),
        migrations.AddConstraint(
            model_name="caserecord",
            constraint=models.UniqueConstraint(fields=("case", "record"), name="caserecord_once_per_case"),
        ),
        migrations.AddConstraint(
            model_name="casesource",
            constraint=models.UniqueConstraint(fields=("case", "batch"), name="casesource_once_per_batch"),
        ),
        migrations.AddConstraint(
            model_name="casesource",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("said_at__isnull", True), ("said_by__isnull", True), ("says", "")),
                    models.Q(
                        models.Q(("says", ""), _negated=True), ("said_at__isnull", False), ("said_by__isnull", False)
                    ),
                    _connector="OR",
                ),
                name="casesource_said_by_somebody",
            ),
        ),
        migrations.AddConstraint(
            model_name="casepaper",
            constraint=models.UniqueConstraint(
                condition=models.Q(("standing", True)),
                fields=("person", "delivered"),
                name="casepaper_one_stands_per_name",
            ),
        ),
        migrations.RunSQL(CASES + NAMES + DEATH + MERGE + GUARD, _GUARD + UNDONE),
        migrations.RunSQL(DATA, DATA_UNDONE),
    ]
