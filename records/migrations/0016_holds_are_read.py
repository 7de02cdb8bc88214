"""Whoever decides has looked: the words under review, and the records of an act, opened under its number by that official."""

from django.db import migrations, models

LOOKED = """
-- The number of a paper that people quote and the query log holds as the case: letter, day, key.
CREATE FUNCTION records_paper_no(letter text, one bigint, opened timestamptz) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT letter || to_char(opened AT TIME ZONE 'Asia/Shanghai', 'YYYYMMDD') || '-' || lpad(one::text, greatest(6, length(one::text)), '0')
$$;
CREATE OR REPLACE FUNCTION records_case_no(one bigint, opened timestamptz) RETURNS text LANGUAGE sql STABLE AS
    $$ SELECT records_paper_no('H', one, opened) $$;

-- Whether an official has opened what a paper is about since then: a line for that person in the query log, under its number.
CREATE FUNCTION records_was_opened(who bigint, number text, person bigint, since timestamptz) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (
        SELECT 1 FROM access_query q JOIN access_queryperson p ON p.query_id = q.seq AND p.at = q.at
         WHERE q.actor_id = who AND q.case_no = number AND q.kind = 'Q5' AND q.decision = 'allowed'
           AND p.person_id = person AND p.allowed AND q.at >= since)
$$;
CREATE OR REPLACE FUNCTION records_case_was_opened(one bigint, who bigint) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT bool_and(records_was_opened(who, records_case_no(c.id, c.opened_at), s.person,
                                       (SELECT max(t.at) FROM records_casestep t WHERE t.case_id = c.id)))
      FROM records_personcase c, unnest(ARRAY[c.person_id, c.other_id]) AS s(person)
     WHERE c.id = one AND s.person IS NOT NULL
$$;

-- The words of a review never change, so any look under its number will do: the month only says where the log begins.
CREATE FUNCTION records_hold_was_opened(one bigint, who bigint) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT records_was_opened(who, records_paper_no('S', h.id, h.opened_at), h.person_id, date_trunc('month', h.opened_at))
      FROM records_statementhold h WHERE h.id = one
$$;
CREATE FUNCTION records_hold_is_read() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state = 'asked' AND OLD.state = 'looking' AND NOT records_hold_was_opened(NEW.id, NEW.asked_by_id)
       OR NEW.decided_by_id IS DISTINCT FROM OLD.decided_by_id AND NOT records_hold_was_opened(NEW.id, NEW.decided_by_id)
       OR NEW.answered_by_id IS DISTINCT FROM OLD.answered_by_id AND NEW.state = 'held'
          AND NOT records_hold_was_opened(NEW.id, NEW.answered_by_id) THEN
        PERFORM catalogue_refuse('statementhold_opened_before_it_is_decided',
            'whoever proposes, decides or upholds has read the words, with a line in the query log');
    END IF;
    RETURN NEW;
END $$;
-- Named to run after `statementhold_guard`, which refuses whoever is not of the office.
CREATE TRIGGER statementhold_is_read BEFORE UPDATE ON records_statementhold
    FOR EACH ROW EXECUTE FUNCTION records_hold_is_read();

-- Whether an official has opened every record of an act as it was handed in; records that are gone are nobody's to open.
CREATE FUNCTION records_act_was_opened(one bigint, who bigint) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT coalesce(bool_and(records_was_opened(who, records_paper_no('A', a.id, a.asked_at), s.person_id,
                                                coalesce(a.handed_in_at, a.asked_at))), true)
      FROM records_recordact a, LATERAL (SELECT DISTINCT person_id FROM records_subject_of(a.id)) s WHERE a.id = one
$$;
-- The moment of handing in is the database's; what a procedure of its own decided (repair, objection) it has read in its
-- own papers, and a mark by one hand only protects.
CREATE FUNCTION records_act_is_read() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW.handed_in_at := NULL;
    ELSIF OLD.state = 'draft' AND NEW.state = 'asked' THEN
        NEW.handed_in_at := transaction_timestamp();
    ELSIF OLD.state = 'asked' AND NEW.state IN ('decided', 'refused')
          AND (NEW.kind IN ('correct', 'withdraw', 'cancel', 'restore')
               OR NEW.kind IN ('review', 'review_end') AND NEW.decided_by_id <> NEW.asked_by_id AND EXISTS (
                   SELECT 1 FROM accounts_user u WHERE u.id = NEW.decided_by_id AND u.organisation_id = NEW.organisation_id))
          AND NOT records_act_was_opened(NEW.id, NEW.decided_by_id) THEN
        PERFORM catalogue_refuse('recordact_opened_before_it_is_decided',
            'whoever decides has opened the records of the act, with a line in the query log');
    END IF;
    RETURN NEW;
END $$;
-- Named to run after `recordact_guard`, which lets nobody else write the moment.
CREATE TRIGGER recordact_is_read BEFORE INSERT OR UPDATE ON records_recordact
    FOR EACH ROW EXECUTE FUNCTION records_act_is_read();
"""
LOOKED_UNDONE = """
DROP TRIGGER recordact_is_read ON records_recordact;
DROP FUNCTION records_act_is_read();
DROP FUNCTION records_act_was_opened(bigint, bigint);
DROP TRIGGER statementhold_is_read ON records_statementhold;
DROP FUNCTION records_hold_is_read();
DROP FUNCTION records_hold_was_opened(bigint, bigint);
CREATE OR REPLACE FUNCTION records_case_was_opened(one bigint, who bigint) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT bool_and(EXISTS (
        SELECT 1 FROM access_query q JOIN access_queryperson p ON p.query_id = q.seq AND p.at = q.at
         WHERE q.actor_id = who AND q.case_no = records_case_no(c.id, c.opened_at) AND q.kind = 'Q5' AND q.decision = 'allowed'
           AND p.person_id = s.person AND p.allowed
           AND q.at >= (SELECT max(t.at) FROM records_casestep t WHERE t.case_id = c.id)))
      FROM records_personcase c, unnest(ARRAY[c.person_id, c.other_id]) AS s(person)
     WHERE c.id = one AND s.person IS NOT NULL
$$;
CREATE OR REPLACE FUNCTION records_case_no(one bigint, opened timestamptz) RETURNS text LANGUAGE sql STABLE AS
    $$ SELECT 'H' || to_char(opened AT TIME ZONE 'Asia/Shanghai', 'YYYYMMDD') || '-' || lpad(one::text, greatest(6, length(one::text)), '0') $$;
DROP FUNCTION records_was_opened(bigint, text, bigint, timestamptz);
DROP FUNCTION records_paper_no(text, bigint, timestamptz);
"""


class Migration(migrations.Migration):
    dependencies = [("records", "0015_fewer_looks")]
    operations = [
        migrations.AddField(
            model_name="recordact",
            name="handed_in_at",
            field=models.DateTimeField(null=True, editable=False, verbose_name="提交时间"),
        ),
        migrations.RunSQL(LOOKED, LOOKED_UNDONE),
    ]
