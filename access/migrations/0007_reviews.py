"""Rules that pick readings for a second look, the reviews with their steps, and who read the query log."""

import django.contrib.postgres.constraints
import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.functions.datetime
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

LOG = """
-- The log grows in the order of time: a small index finds a day of it.
CREATE INDEX access_query_at ON access_query USING brin (at);
CREATE INDEX access_queryperson_at ON access_queryperson USING brin (at);
"""
LOG_UNDONE = """
DROP INDEX access_query_at;
DROP INDEX access_queryperson_at;
"""
FIND = r"""
-- A case number that is none: no digit, too short, or one character over and over.
CREATE FUNCTION access_case_is_none(case_no text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT char_length(btrim(case_no)) < 4 OR case_no !~ '[0-9０-９]' OR btrim(case_no) ~ '^(.)\1*$'
$$;
-- Whether the register holds what came of a case of that organisation; the app that keeps the records says more.
CREATE FUNCTION access_case_is_known(case_no text, organisation bigint) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$ SELECT false $$;

-- The lines that a rule finds in a stretch of one day; `since` is how far the day was looked at before. `opened` are files
-- one by one (at the counter, or under a registration), the rest of the staff's reading are lists and exports.
CREATE FUNCTION access_signs(rule access_reviewrule, looked date, from_ timestamptz, until_ timestamptz, since timestamptz)
RETURNS TABLE (key text, actor_id bigint, organisation_id bigint, person_id bigint, value bigint, seq bigint, at timestamptz)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE span interval := make_interval(hours => coalesce(rule.hours, 0));
BEGIN
    IF rule.sign = 'no_case' THEN
        RETURN QUERY SELECT format('no_case:%s:%s', q.actor_id, looked), q.actor_id, q.organisation_id, NULL::bigint,
                            count(*) OVER (PARTITION BY q.actor_id), q.seq, q.at
          FROM access_query q WHERE q.at >= from_ AND q.at < until_ AND q.kind = 'Q5' AND q.decision = 'allowed'
           AND q.actor_id IS NOT NULL AND access_case_is_none(q.case_no);
    ELSIF rule.sign = 'unresolved' THEN
        RETURN QUERY WITH asked AS (
            SELECT DISTINCT ON (q.organisation_id, q.case_no) q.* FROM access_query q
             WHERE q.at >= since - span AND q.at < until_ - span AND q.kind = 'Q5' AND q.decision = 'allowed'
               AND q.request_no IS NOT NULL AND NOT access_case_is_none(q.case_no)
             ORDER BY q.organisation_id, q.case_no, q.at
        ), named AS (SELECT format('unresolved:%s:%s', a.organisation_id, a.case_no) AS name, a.* FROM asked a)
        SELECT n.name, n.actor_id, n.organisation_id, NULL::bigint, 1::bigint, n.seq, n.at FROM named n
         WHERE random() * 100 < rule.share AND NOT access_case_is_known(n.case_no, n.organisation_id)
           AND NOT EXISTS (SELECT 1 FROM access_anomaly a WHERE a.key = n.name);
    ELSIF rule.sign IN ('hourly', 'listed') THEN
        RETURN QUERY WITH read AS MATERIALIZED (
            SELECT q.actor_id, q.organisation_id, q.seq, q.at, p.person_id FROM access_query q
              JOIN access_queryperson p ON p.query_id = q.seq AND p.at = q.at
             WHERE q.at >= from_ - span AND q.at < until_ AND p.at >= from_ - span AND p.at < until_
               AND q.actor_id IS NOT NULL AND q.kind IN ('Q2', 'Q3', 'Q5', 'Q7') AND q.decision = 'allowed'
               AND (q.kind <> 'Q5' OR q.request_no IS NOT NULL AND q.fields_class NOT LIKE '列表%') = (rule.sign = 'hourly')
        ), lines AS (
            SELECT r.actor_id, r.organisation_id, r.seq, r.at, count(*) AS persons FROM read r GROUP BY 1, 2, 3, 4
        ), met AS (
            SELECT l.*, sum(l.persons) OVER (PARTITION BY l.actor_id ORDER BY l.at RANGE BETWEEN span PRECEDING AND CURRENT ROW) AS total
              FROM lines l
        ), over AS (  -- opened files are counted by persons, however often each was opened
            SELECT DISTINCT m.actor_id, m.at, c.n FROM met m CROSS JOIN LATERAL (
                SELECT CASE rule.sign WHEN 'listed' THEN m.total ELSE (
                    SELECT count(DISTINCT r.person_id) FROM read r
                     WHERE r.actor_id = m.actor_id AND r.at >= m.at - span AND r.at <= m.at) END AS n) c
             WHERE m.at >= from_ AND m.total > rule.threshold AND c.n > rule.threshold
        )
        SELECT format('%s:%s:%s', rule.sign, l.actor_id, looked), l.actor_id, l.organisation_id, NULL::bigint,
               (SELECT max(o.n) FROM over o WHERE o.actor_id = l.actor_id)::bigint, l.seq, l.at
          FROM lines l WHERE EXISTS (SELECT 1 FROM over o WHERE o.actor_id = l.actor_id AND l.at >= o.at - span AND l.at <= o.at);
    ELSIF rule.sign = 'night' THEN
        RETURN QUERY WITH late AS (
            SELECT q.*, count(*) OVER (PARTITION BY q.actor_id) AS times FROM access_query q
             WHERE q.at >= from_ AND q.at < until_ AND q.actor_id IS NOT NULL AND q.kind IN ('Q2', 'Q3', 'Q5', 'Q7')
               AND q.decision = 'allowed'
               AND CASE WHEN rule.night_from > rule.night_until
                        THEN (q.at AT TIME ZONE 'Asia/Shanghai')::time >= rule.night_from
                             OR (q.at AT TIME ZONE 'Asia/Shanghai')::time < rule.night_until
                        ELSE (q.at AT TIME ZONE 'Asia/Shanghai')::time >= rule.night_from
                             AND (q.at AT TIME ZONE 'Asia/Shanghai')::time < rule.night_until END
        )
        SELECT format('night:%s:%s', l.actor_id, looked), l.actor_id, l.organisation_id, NULL::bigint, l.times, l.seq, l.at
          FROM late l WHERE l.times >= rule.threshold;
    ELSIF rule.sign = 'many_units' THEN
        RETURN QUERY WITH met AS MATERIALIZED (
            SELECT DISTINCT coalesce(h.merged_into_id, h.id) AS person FROM access_queryperson p
              JOIN accounts_person h ON h.id = p.person_id
             WHERE p.at >= from_ AND p.at < until_ AND p.allowed AND p.kind IN ('Q3', 'Q4', 'Q5', 'Q7')
        ), looks AS MATERIALIZED (
            SELECT m.person, q.organisation_id, q.seq, q.at FROM met m
              JOIN accounts_person h ON h.id = m.person OR h.merged_into_id = m.person
              JOIN access_queryperson p ON p.person_id = h.id AND p.at >= until_ - span AND p.at < until_ AND p.allowed
                   AND p.kind IN ('Q3', 'Q4', 'Q5', 'Q7')
              JOIN access_query q ON q.seq = p.query_id AND q.at = p.at
        ), units AS (SELECT l.person, count(DISTINCT l.organisation_id) AS n FROM looks l GROUP BY 1)
        SELECT format('many_units:%s:%s', l.person, looked), NULL::bigint, NULL::bigint, l.person, u.n, l.seq, l.at
          FROM looks l JOIN units u USING (person)
         WHERE u.n >= rule.threshold AND NOT EXISTS (  -- once in a span, not once a day
            SELECT 1 FROM access_anomaly a WHERE a.sign = 'many_units' AND a.person_id = l.person
               AND a.day < looked AND a.day > looked - span);
    ELSIF rule.sign = 'refused' THEN
        RETURN QUERY WITH no AS MATERIALIZED (
            SELECT q.actor_id, q.organisation_id, q.seq, q.at,
                   count(*) OVER (PARTITION BY q.actor_id ORDER BY q.at RANGE BETWEEN span PRECEDING AND CURRENT ROW) AS times
              FROM access_query q
             WHERE q.at >= from_ - span AND q.at < until_ AND q.decision = 'refused' AND q.organisation_id IS NOT NULL
               AND q.actor_id IS NOT NULL
        ), over AS (SELECT n.actor_id, n.at, n.times FROM no n WHERE n.at >= from_ AND n.times >= rule.threshold)
        SELECT format('refused:%s:%s', n.actor_id, looked), n.actor_id, n.organisation_id, NULL::bigint,
               (SELECT max(o.times) FROM over o WHERE o.actor_id = n.actor_id), n.seq, n.at
          FROM no n WHERE EXISTS (SELECT 1 FROM over o WHERE o.actor_id = n.actor_id AND n.at >= o.at - span AND n.at <= o.at);
    ELSIF rule.sign = 'same_place' THEN  -- whoever sat beside the person may have answered for them
        RETURN QUERY SELECT format('same_place:%s', q.consent_no), q.actor_id, q.organisation_id, NULL::bigint, 1::bigint, q.seq, q.at
          FROM access_query q JOIN access_consent c ON c.number = q.consent_no AND c.channel <> 'paper'
         WHERE q.at >= from_ AND q.at < until_ AND q.kind = 'Q4' AND q.decision = 'allowed' AND q.address <> ''
           AND q.at <= c.decided_at + span AND EXISTS (
            SELECT 1 FROM access_query g WHERE g.at = c.decided_at AND g.consent_no = c.number AND g.kind = 'Q1'
               AND g.address = q.address);
    ELSIF rule.sign = 'sample' THEN
        RETURN QUERY SELECT format('sample:%s', q.seq), q.actor_id, q.organisation_id, NULL::bigint, 1::bigint, q.seq, q.at
          FROM access_query q WHERE q.at >= since AND q.at < until_ AND q.actor_id IS NOT NULL
           AND q.kind IN ('Q2', 'Q3', 'Q5', 'Q7') AND q.decision = 'allowed' AND random() * 100 < rule.share;
    END IF;
END $$;

CREATE FUNCTION access_open_anomalies(rule access_reviewrule, looked date, from_ timestamptz, until_ timestamptz, since timestamptz)
RETURNS int LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH hits AS MATERIALIZED (SELECT * FROM access_signs(rule, looked, from_, until_, since)), opened AS (
        INSERT INTO access_anomaly (rule_id, sign, key, day, actor_id, actor_name, organisation_id, person_id, value, state, verdict)
        SELECT DISTINCT ON (h.key) (rule).id, (rule).sign, h.key, looked, h.actor_id,
               coalesce((SELECT u.name FROM accounts_user u WHERE u.id = h.actor_id), ''), h.organisation_id, h.person_id,
               h.value, 'open', ''
          FROM hits h ORDER BY h.key, h.at DESC
        ON CONFLICT (key) DO UPDATE SET value = greatest(access_anomaly.value, excluded.value)
           WHERE access_anomaly.state = 'open'
        RETURNING id, key, xmax = 0 AS fresh
    ), lines AS (
        INSERT INTO access_anomalyline (anomaly_id, query_seq, query_at)
        SELECT o.id, h.seq, h.at FROM hits h JOIN opened o USING (key) ON CONFLICT DO NOTHING
    )
    SELECT count(*)::int FROM opened WHERE fresh
$$;

-- Look at a day of the log, whole or as far as it has come; again as often as one likes. Returns how many reviews it opened.
CREATE FUNCTION access_find_anomalies(looked date) RETURNS int
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    from_ timestamptz := looked::timestamp AT TIME ZONE 'Asia/Shanghai';
    whole timestamptz := (looked + 1)::timestamp AT TIME ZONE 'Asia/Shanghai';
    until_ timestamptz := least(whole, clock_timestamp());
    since timestamptz; rule access_reviewrule; found_ int := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('access_find_anomalies'));
    SELECT coalesce(max(l.until), from_) INTO since FROM access_reviewlook l WHERE l.day = looked;
    FOR rule IN SELECT * FROM access_reviewrule r WHERE r.state = 'in_force' AND r.valid_from <= looked
                   AND (r.valid_to IS NULL OR r.valid_to > looked) ORDER BY r.id LOOP
        found_ := found_ + access_open_anomalies(rule, looked, from_, until_, since);
    END LOOP;
    IF until_ = whole AND extract(day FROM looked + 1) = 1 THEN
        found_ := found_ + access_sample_each_reader(looked);
    END IF;
    IF until_ > since THEN
        INSERT INTO access_reviewlook (day, until) VALUES (looked, until_);
    END IF;
    RETURN found_;
END $$;

-- Of every reader whom no sample of the month has met: one line. Up to and with that day.
CREATE FUNCTION access_sample_each_reader(looked date) RETURNS int LANGUAGE sql VOLATILE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH month AS (
        SELECT date_trunc('month', looked)::timestamp AT TIME ZONE 'Asia/Shanghai' AS from_,
               (looked + 1)::timestamp AT TIME ZONE 'Asia/Shanghai' AS until_
    ), rule AS (
        SELECT r.* FROM access_reviewrule r WHERE r.sign = 'sample' AND r.state = 'in_force' AND r.valid_from <= looked
           AND (r.valid_to IS NULL OR r.valid_to > looked)
    ), one AS (
        SELECT DISTINCT ON (q.actor_id) q.seq, q.at, q.actor_id, q.organisation_id FROM month, access_query q
         WHERE q.at >= month.from_ AND q.at < month.until_ AND q.actor_id IS NOT NULL
           AND q.kind IN ('Q2', 'Q3', 'Q5', 'Q7') AND q.decision = 'allowed'
           AND NOT EXISTS (SELECT 1 FROM access_anomaly a JOIN access_anomalyline l ON l.anomaly_id = a.id
                            WHERE a.sign = 'sample' AND a.actor_id = q.actor_id
                              AND l.query_at >= month.from_ AND l.query_at < month.until_)
         ORDER BY q.actor_id, random()
    ), opened AS (
        INSERT INTO access_anomaly (rule_id, sign, key, day, actor_id, actor_name, organisation_id, value, state, verdict)
        SELECT rule.id, 'sample', format('sample:%s', one.seq), (one.at AT TIME ZONE 'Asia/Shanghai')::date, one.actor_id,
               u.name, one.organisation_id, 1, 'open', ''
          FROM one, rule, accounts_user u WHERE u.id = one.actor_id
        ON CONFLICT (key) DO NOTHING RETURNING id, key
    ), lines AS (
        INSERT INTO access_anomalyline (anomaly_id, query_seq, query_at)
        SELECT o.id, one.seq, one.at FROM opened o JOIN one ON o.key = format('sample:%s', one.seq)
    )
    SELECT count(*)::int FROM opened
$$;
"""
FIND_UNDONE = """
DROP FUNCTION access_find_anomalies(date);
DROP FUNCTION access_sample_each_reader(date);
DROP FUNCTION access_open_anomalies(access_reviewrule, date, timestamptz, timestamptz, timestamptz);
DROP FUNCTION access_signs(access_reviewrule, date, timestamptz, timestamptz, timestamptz);
DROP FUNCTION access_case_is_known(text, bigint);
DROP FUNCTION access_case_is_none(text);
"""
STEPS = """
CREATE FUNCTION access_is_reader(account bigint, anomaly bigint) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT 1 FROM access_anomalyline l JOIN access_query q ON q.seq = l.query_seq AND q.at = l.query_at
                    WHERE l.anomaly_id = anomaly AND q.actor_id = account)
$$;
-- A supervisor of the unit answers, never a reader of the lines. Where the lines are of several units, nobody of the unit
-- may, or the time is over, the credit office does.
CREATE FUNCTION access_may_answer(account bigint, anomaly bigint) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT access_holds(account, 'answer_anomaly') AND NOT access_is_reader(account, anomaly) AND EXISTS (
        SELECT 1 FROM access_anomaly a, accounts_user u WHERE a.id = anomaly AND u.id = account AND (
            u.organisation_id = a.organisation_id
            OR access_holds(account, 'oversee_anomaly') AND (
                a.organisation_id IS NULL
                OR EXISTS (SELECT 1 FROM catalogue_deadline d WHERE d.subject_type = 'access.anomaly'
                              AND d.subject_id = a.id::text AND d.met_on IS NULL AND d.due_on < cf_today())
                OR NOT EXISTS (SELECT 1 FROM accounts_user v WHERE v.organisation_id = a.organisation_id
                                  AND access_holds(v.id, 'answer_anomaly') AND NOT access_is_reader(v.id, anomaly)))))
$$;

-- A review goes its way by steps: the unit answers, the auditor closes it or sends it back.
CREATE FUNCTION access_anomaly_stepped() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE a access_anomaly;
BEGIN
    SELECT * INTO a FROM access_anomaly WHERE id = NEW.anomaly_id FOR UPDATE;
    IF a.state IS DISTINCT FROM (CASE NEW.deed WHEN 'answered' THEN 'open' ELSE 'answered' END) THEN
        PERFORM catalogue_refuse('anomaly_moves_along_its_arrows', format('a review that is %s is not %s', a.state, NEW.deed));
    END IF;
    IF NEW.deed = 'answered' AND NOT access_may_answer(NEW.by_id, a.id) THEN
        PERFORM catalogue_refuse('anomaly_answered_by_its_supervisor', 'a supervisor who read none of the lines answers');
    END IF;
    IF NEW.deed <> 'answered' AND (NOT access_holds(NEW.by_id, 'close_anomaly') OR NEW.by_id = a.answered_by_id
                                   OR access_is_reader(NEW.by_id, a.id)) THEN
        PERFORM catalogue_refuse('anomaly_closed_by_the_auditor', 'the auditor, who did not answer, closes or sends back');
    END IF;
    NEW.at := now();
    UPDATE access_anomaly SET
        state = CASE NEW.deed WHEN 'answered' THEN 'answered' WHEN 'closed' THEN 'closed' ELSE 'open' END,
        verdict = CASE NEW.deed WHEN 'answered' THEN NEW.verdict WHEN 'closed' THEN a.verdict ELSE '' END,
        answered_by_id = CASE NEW.deed WHEN 'answered' THEN NEW.by_id WHEN 'closed' THEN a.answered_by_id END,
        closed_by_id = CASE NEW.deed WHEN 'closed' THEN NEW.by_id END
     WHERE id = a.id;
    RETURN NEW;
END $$;
CREATE TRIGGER anomaly_stepped BEFORE INSERT ON access_anomalystep
    FOR EACH ROW EXECUTE FUNCTION access_anomaly_stepped();

CREATE FUNCTION access_anomaly_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE moved text[] := ARRAY['state', 'verdict', 'answered_by_id', 'closed_by_id', 'value'];
BEGIN
    IF to_jsonb(NEW) - moved IS DISTINCT FROM to_jsonb(OLD) - moved OR OLD.state = 'closed' THEN
        PERFORM catalogue_refuse('anomaly_is_fixed', 'what is under review, and what is over, stays');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER anomaly_guard BEFORE UPDATE ON access_anomaly FOR EACH ROW EXECUTE FUNCTION access_anomaly_guard();

-- Who reads the log says so under their own name and now.
CREATE FUNCTION access_logreading_guard() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    NEW.at := now();
    IF NOT (CASE WHEN NEW.anomaly_id IS NULL THEN access_holds(NEW.reader_id, 'view_query')
                 ELSE access_holds(NEW.reader_id, 'view_anomaly') END) THEN
        PERFORM catalogue_refuse('logreading_by_a_reviewer', 'the log is read by its auditor, or for a review');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER logreading_guard BEFORE INSERT ON access_logreading
    FOR EACH ROW EXECUTE FUNCTION access_logreading_guard();
"""
STEPS_UNDONE = """
DROP TRIGGER logreading_guard ON access_logreading;
DROP FUNCTION access_logreading_guard();
DROP TRIGGER anomaly_guard ON access_anomaly;
DROP FUNCTION access_anomaly_guard();
DROP TRIGGER anomaly_stepped ON access_anomalystep;
DROP FUNCTION access_anomaly_stepped();
DROP FUNCTION access_may_answer(bigint, bigint);
DROP FUNCTION access_is_reader(bigint, bigint);
"""
KEPT = ("anomalyline", "anomalystep", "reviewlook", "logreading")
APPEND_ONLY = (
    "".join(
        f"""
CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON access_{table}
    FOR EACH ROW EXECUTE FUNCTION cf_refuse_change();
CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON access_{table} EXECUTE FUNCTION cf_refuse_change();
"""
        for table in KEPT
    )
    + """
CREATE TRIGGER anomaly_is_kept BEFORE DELETE ON access_anomaly FOR EACH ROW EXECUTE FUNCTION cf_refuse_change();
CREATE TRIGGER anomaly_no_truncate BEFORE TRUNCATE ON access_anomaly EXECUTE FUNCTION cf_refuse_change();
"""
)
APPEND_ONLY_UNDONE = (
    "".join(
        f"""
DROP TRIGGER {table}_append_only ON access_{table};
DROP TRIGGER {table}_no_truncate ON access_{table};
"""
        for table in KEPT
    )
    + """
DROP TRIGGER anomaly_is_kept ON access_anomaly;
DROP TRIGGER anomaly_no_truncate ON access_anomaly;
"""
)
RULES = """
INSERT INTO access_reviewrule (sign, threshold, hours, share, night_from, night_until, basis, valid_from, state, proposed_at,
    confirmed_at, withdrawn_reason) VALUES
('no_case', NULL, NULL, NULL, NULL, NULL, '本站设定：依职责查询须有案件，编号须能与案卷对上', '2026-01-01', 'in_force', now(), now(), ''),
('unresolved', NULL, 720, 10, NULL, NULL, '本站设定：三十日后仍无文书的，抽取一成请单位说明案件办理情况', '2026-01-01', 'in_force', now(), now(), ''),
('hourly', 30, 1, NULL, NULL, NULL, '本站设定：一人一小时内逐个打开三十人以上的档案，超出办案常态', '2026-01-01', 'in_force', now(), now(), ''),
('listed', 1000, 1, NULL, NULL, NULL, '本站设定：列表每页 50 人，一小时二十页以上须说明用途', '2026-01-01', 'in_force', now(), now(), ''),
('night', 1, NULL, NULL, '22:00', '06:00', '本站设定：夜间没有日常业务', '2026-01-01', 'in_force', now(), now(), ''),
('many_units', 5, 168, NULL, NULL, NULL, '本站设定：七日内五个以上单位查同一人，须核实各自依据', '2026-01-01', 'in_force', now(), now(), ''),
('refused', 5, 24, NULL, NULL, NULL, '本站设定：一日内多次被拒绝，可能在试探权限', '2026-01-01', 'in_force', now(), now(), ''),
('sample', NULL, NULL, 2, NULL, NULL, '本站设定：工作人员的查询每日随机抽查，每名查询人每月至少一次', '2026-01-01', 'in_force', now(), now(), '');

CREATE FUNCTION access_reviewrule_goes_on() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state <> 'in_force' OR NOT EXISTS (
        SELECT 1 FROM access_reviewrule r
         WHERE r.state = 'in_force' AND r.valid_from = NEW.valid_to AND r.sign = NEW.sign) THEN
        PERFORM catalogue_refuse('reviewrule_ends_by_the_next', 'a rule is ended by the next one only, once');
    END IF;
    RETURN NULL;
END $$;
SET CONSTRAINTS ALL IMMEDIATE;
CREATE CONSTRAINT TRIGGER reviewrule_goes_on AFTER UPDATE ON access_reviewrule DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (OLD.state = 'in_force' AND (NEW.state, NEW.valid_to) IS DISTINCT FROM (OLD.state, OLD.valid_to))
    EXECUTE FUNCTION access_reviewrule_goes_on();
CREATE TRIGGER reviewrule_guard BEFORE INSERT OR UPDATE OR DELETE ON access_reviewrule FOR EACH ROW
    EXECUTE FUNCTION catalogue_proposed_then_confirmed(
        'state', 'confirmed_by_id', 'confirmed_at', 'withdrawn_reason', 'valid_to');
CREATE TRIGGER reviewrule_no_truncate BEFORE TRUNCATE ON access_reviewrule EXECUTE FUNCTION cf_refuse_change();

ALTER TABLE catalogue_deadlinerule DISABLE TRIGGER deadlinerule_guard;
INSERT INTO catalogue_deadlinerule (code, version, what, n, unit, starts, owner, basis, source, confidence, strict, note,
    in_doubt, rolls, verified, valid_from, state, proposed_at, confirmed_at, withdrawn_reason) VALUES
('D45', 1, '答复查询核查', 5, 'WD', '发起核查', 'ALL', '本站设定：单位负责人五个工作日内说明查询依据',
 '时限总表（2026-11-23）补充：domain §7.6', 'D', 5, '逾期由省信用办督办、答复', 'earlier', true, false, '2022-01-01', 'in_force',
 now(), now(), '')
ON CONFLICT (code, version) DO NOTHING;  -- kept from before, when clocks rest on it
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE catalogue_deadlinerule ENABLE TRIGGER deadlinerule_guard;
"""
RULES_UNDONE = """
DROP TRIGGER reviewrule_goes_on ON access_reviewrule;
DROP TRIGGER reviewrule_guard ON access_reviewrule;
DROP TRIGGER reviewrule_no_truncate ON access_reviewrule;
DROP FUNCTION access_reviewrule_goes_on();
ALTER TABLE catalogue_deadlinerule DISABLE TRIGGER deadlinerule_guard;
DELETE FROM catalogue_deadlinerule r WHERE code = 'D45'
   AND NOT EXISTS (SELECT 1 FROM catalogue_deadline d WHERE d.rule_id = r.id);
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE catalogue_deadlinerule ENABLE TRIGGER deadlinerule_guard;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("access", "0006_seals"),
        ("accounts", "0009_sign_in"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("catalogue", "0009_supply"),
        ("contenttypes", "0002_remove_content_type_name"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ReviewLook",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField(verbose_name="日期")),
                ("until", models.DateTimeField(verbose_name="看到")),
            ],
            options={
                "verbose_name": "核查进度",
                "verbose_name_plural": "核查进度",
                "db_table_comment": "append-only, written by the database: how far each day of the log has been looked at",
                "default_permissions": (),
                "indexes": [models.Index(fields=["day"], name="reviewlook_by_day")],
            },
        ),
        migrations.CreateModel(
            name="ReviewRule",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("draft", "待确认"),
                            ("in_force", "现行"),
                            ("superseded", "已被新版替代"),
                            ("withdrawn", "已退回"),
                        ],
                        default="draft",
                        max_length=10,
                        verbose_name="状态",
                    ),
                ),
                ("proposed_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="提出时间")),
                ("confirmed_at", models.DateTimeField(blank=True, null=True, verbose_name="确认时间")),
                ("withdrawn_reason", models.CharField(blank=True, max_length=200, verbose_name="退回理由")),
                (
                    "sign",
                    models.CharField(
                        choices=[
                            ("no_case", "案件编号不像编号"),
                            ("unresolved", "案件编号查无下文"),
                            ("hourly", "短时间打开多人档案"),
                            ("listed", "短时间列出、导出大量人员"),
                            ("night", "夜间查询"),
                            ("many_units", "多个单位查同一人"),
                            ("refused", "多次被拒绝"),
                            ("sample", "随机抽查"),
                        ],
                        max_length=12,
                        verbose_name="情形",
                    ),
                ),
                (
                    "threshold",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="人数超过、单位数和次数达到此数即核查",
                        null=True,
                        verbose_name="人数或次数",
                    ),
                ),
                ("hours", models.PositiveIntegerField(blank=True, null=True, verbose_name="多少小时内")),
                (
                    "share",
                    models.DecimalField(
                        blank=True,
                        decimal_places=2,
                        help_text="在符合条件的查询中随机抽取",
                        max_digits=5,
                        null=True,
                        verbose_name="抽取比例（%）",
                    ),
                ),
                ("night_from", models.TimeField(blank=True, null=True, verbose_name="夜间自")),
                ("night_until", models.TimeField(blank=True, null=True, verbose_name="夜间至")),
                ("basis", models.CharField(max_length=200, verbose_name="依据和理由")),
                ("valid_from", models.DateField(verbose_name="启用日期")),
                (
                    "valid_to",
                    models.DateField(blank=True, help_text="自这一天起不再适用", null=True, verbose_name="停用日期"),
                ),
                (
                    "confirmed_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="确认人",
                    ),
                ),
                (
                    "proposed_by",
                    models.ForeignKey(
                        blank=True,
                        help_text="随系统载入的数据没有提出人和确认人",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="提出人",
                    ),
                ),
            ],
            options={
                "verbose_name": "查询核查规则",
                "verbose_name_plural": "查询核查规则",
                "ordering": ["sign", "-valid_from", "-id"],
                "permissions": [("propose_reviewrule", "提出查询核查规则"), ("confirm_reviewrule", "确认查询核查规则")],
                "abstract": False,
                "default_permissions": ("view",),
            },
        ),
        migrations.CreateModel(
            name="Anomaly",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "sign",
                    models.CharField(
                        choices=[
                            ("no_case", "案件编号不像编号"),
                            ("unresolved", "案件编号查无下文"),
                            ("hourly", "短时间打开多人档案"),
                            ("listed", "短时间列出、导出大量人员"),
                            ("night", "夜间查询"),
                            ("many_units", "多个单位查同一人"),
                            ("refused", "多次被拒绝"),
                            ("sample", "随机抽查"),
                        ],
                        max_length=12,
                        verbose_name="情形",
                    ),
                ),
                ("key", models.CharField(editable=False, max_length=200, unique=True)),
                ("day", models.DateField(verbose_name="查询日期")),
                ("actor_name", models.CharField(blank=True, max_length=60, verbose_name="查询人姓名")),
                ("value", models.PositiveIntegerField(verbose_name="人数或次数")),
                (
                    "opened_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="发起时间"),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "待单位答复"), ("answered", "待审计办结"), ("closed", "已办结")],
                        default="open",
                        max_length=8,
                        verbose_name="状态",
                    ),
                ),
                (
                    "verdict",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("justified", "有依据"),
                            ("mistaken", "操作失误，已改正"),
                            ("unjustified", "没有依据"),
                        ],
                        max_length=12,
                        verbose_name="结论",
                    ),
                ),
                (
                    "actor",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="查询人",
                    ),
                ),
                (
                    "answered_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="答复人",
                    ),
                ),
                (
                    "closed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="办结人",
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organisation",
                        verbose_name="查询单位",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.person",
                    ),
                ),
                (
                    "rule",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="access.reviewrule",
                        verbose_name="规则",
                    ),
                ),
            ],
            options={
                "verbose_name": "查询核查",
                "verbose_name_plural": "查询核查",
                "db_table_comment": "append-only to the application, written by the database: lines of the log under review",
                "ordering": ["-id"],
                "permissions": [
                    ("answer_anomaly", "答复本单位的查询核查"),
                    ("oversee_anomaly", "督办、代为答复查询核查"),
                    ("close_anomaly", "办结查询核查"),
                ],
                "default_permissions": ("view",),
            },
        ),
        migrations.CreateModel(
            name="AnomalyLine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("query_seq", models.BigIntegerField(verbose_name="日志序号")),
                ("query_at", models.DateTimeField(verbose_name="查询时间")),
                (
                    "anomaly",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="lines", to="access.anomaly"
                    ),
                ),
            ],
            options={
                "verbose_name": "被核查的查询",
                "verbose_name_plural": "被核查的查询",
                "db_table_comment": "append-only, written by the database: which lines are under review",
                "ordering": ["query_seq"],
                "default_permissions": (),
                "indexes": [models.Index(fields=["query_seq"], name="anomalyline_by_query")],
                "constraints": [models.UniqueConstraint(fields=("anomaly", "query_seq"), name="anomalyline_once")],
            },
        ),
        migrations.CreateModel(
            name="AnomalyStep",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "deed",
                    models.CharField(
                        choices=[("answered", "单位答复"), ("returned", "审计退回重新核实"), ("closed", "审计办结")],
                        max_length=8,
                        verbose_name="办理",
                    ),
                ),
                (
                    "verdict",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("justified", "有依据"),
                            ("mistaken", "操作失误，已改正"),
                            ("unjustified", "没有依据"),
                        ],
                        max_length=12,
                        verbose_name="结论",
                    ),
                ),
                ("text", models.CharField(max_length=500, verbose_name="说明")),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="时间")),
                (
                    "anomaly",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="steps", to="access.anomaly"
                    ),
                ),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="办理人",
                    ),
                ),
            ],
            options={
                "verbose_name": "核查经过",
                "verbose_name_plural": "核查经过",
                "db_table_comment": "append-only: who answered, sent back and closed a review, and in which words",
                "ordering": ["id"],
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("text", ""), _negated=True),
                        name="anomalystep_says_why",
                        violation_error_message="请写明核实了什么。",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("deed", "answered"), ("verdict__in", ["justified", "mistaken", "unjustified"])),
                            models.Q(("deed__in", ["returned", "closed"]), ("verdict", "")),
                            _connector="OR",
                        ),
                        name="anomalystep_an_answer_has_a_verdict",
                        violation_error_message="请选择核查结论。",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="LogReading",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("reader_name", models.CharField(max_length=60, verbose_name="姓名")),
                ("organisation_name", models.CharField(max_length=200, verbose_name="单位")),
                ("roles", models.CharField(max_length=200, verbose_name="角色")),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="时间")),
                ("reason", models.CharField(max_length=200, verbose_name="理由")),
                ("terms", models.CharField(blank=True, max_length=500, verbose_name="查找条件")),
                (
                    "seqs",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), size=None, verbose_name="看到的日志行"
                    ),
                ),
                (
                    "anomaly",
                    models.ForeignKey(
                        null=True,
                        blank=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="access.anomaly",
                        verbose_name="核查单",
                    ),
                ),
                (
                    "reader",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="查看人",
                    ),
                ),
            ],
            options={
                "verbose_name": "查询日志的查看记录",
                "verbose_name_plural": "查询日志的查看记录",
                "db_table_comment": "append-only: who read which lines of the query log, and why",
                "ordering": ["-id"],
                "default_permissions": ("view",),
                "indexes": [django.contrib.postgres.indexes.GinIndex(fields=["seqs"], name="logreading_by_line")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("reason", ""), _negated=True), name="logreading_says_why"
                    )
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="reviewrule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("confirmed_by__isnull", True),
                    models.Q(("confirmed_by", models.F("proposed_by")), _negated=True),
                    _connector="OR",
                ),
                name="reviewrule_confirmed_by_another",
                violation_error_message="提出人不能确认自己提出的内容，须由另一名工作人员确认。",
            ),
        ),
        migrations.AddConstraint(
            model_name="reviewrule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("confirmed_at__isnull", True), ("state__in", ["draft", "withdrawn"])),
                    models.Q(("confirmed_at__isnull", False), ("state__in", ["in_force", "superseded"])),
                    _connector="OR",
                ),
                name="reviewrule_in_force_means_confirmed",
            ),
        ),
        migrations.AddConstraint(
            model_name="reviewrule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "withdrawn"), _negated=True),
                    models.Q(("withdrawn_reason", ""), _negated=True),
                    _connector="OR",
                ),
                name="reviewrule_withdrawn_with_a_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="reviewrule",
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(
                condition=models.Q(("state", "in_force")),
                expressions=[
                    ("sign", "="),
                    (
                        models.Func(
                            models.F("valid_from"), models.F("valid_to"), models.Value("[)"), function="daterange"
                        ),
                        "&&",
                    ),
                ],
                name="reviewrule_in_force_do_not_overlap",
                violation_error_message="同一情形的现行规则有效期间不能重叠。",
            ),
        ),
        migrations.AddConstraint(
            model_name="reviewrule",
            constraint=models.CheckConstraint(
                condition=models.Q(("basis", ""), _negated=True), name="reviewrule_says_why"
            ),
        ),
        migrations.AddConstraint(
            model_name="reviewrule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "sign__in",
                        ["no_case", "unresolved", "hourly", "listed", "night", "many_units", "refused", "sample"],
                    )
                ),
                name="reviewrule_sign_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="reviewrule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("valid_to__isnull", True), ("valid_to__gt", models.F("valid_from")), _connector="OR"
                ),
                name="reviewrule_ends_after_it_begins",
                violation_error_message="停用日期须晚于启用日期。",
            ),
        ),
        migrations.AddConstraint(
            model_name="reviewrule",
            constraint=models.CheckConstraint(
                condition=models.Q(("threshold__isnull", True), ("threshold__gte", 1), _connector="OR"),
                name="reviewrule_threshold_is_a_number",
                violation_error_message="人数或次数至少为 1。",
            ),
        ),
        migrations.AddConstraint(
            model_name="reviewrule",
            constraint=models.CheckConstraint(
                condition=models.Q(("hours__isnull", True), ("hours__lte", 8760), _connector="OR"),
                name="reviewrule_looks_back_a_year_at_most",
                violation_error_message="最多回看一年（8760 小时）。",
            ),
        ),
        migrations.AddConstraint(
            model_name="reviewrule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("share__isnull", True), models.Q(("share__gte", 0), ("share__lte", 100)), _connector="OR"
                ),
                name="reviewrule_share_is_a_share",
                violation_error_message="比例须在 0 与 100 之间。",
            ),
        ),
        migrations.AddConstraint(
            model_name="reviewrule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("sign", "no_case"), _negated=True),
                    models.Q(
                        ("hours__isnull", True),
                        ("night_from__isnull", True),
                        ("night_until__isnull", True),
                        ("share__isnull", True),
                        ("threshold__isnull", True),
                    ),
                    _connector="OR",
                ),
                name="reviewrule_no_case_says_what_it_needs",
                violation_error_message="请按所选情形填写数值，其余留空。",
            ),
        ),
        migrations.AddConstraint(
            model_name="reviewrule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("sign", "unresolved"), _negated=True),
                    models.Q(
                        ("hours__isnull", False),
                        ("night_from__isnull", True),
                        ("night_until__isnull", True),
                        ("share__isnull", False),
                        ("threshold__isnull", True),
                    ),
                    _connector="OR",
                ),
                name="reviewrule_unresolved_says_what_it_needs",
                violation_error_message="请按所选情形填写数值，其余留空。",
            ),
        ),
        migrations.AddConstraint(
            model_name="reviewrule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("sign", "hourly"), _negated=True),
                    models.Q(
                        ("hours__isnull", False),
                        ("night_from__isnull", True),
                        ("night_until__isnull", True),
                        ("share__isnull", True),
                        ("threshold__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="reviewrule_hourly_says_what_it_needs",
                violation_error_message="请按所选情形填写数值，其余留空。",
            ),
        ),
        migrations.AddConstraint(
            model_name="reviewrule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("sign", "listed"), _negated=True),
                    models.Q(
                        ("hours__isnull", False),
                        ("night_from__isnull", True),
                        ("night_until__isnull", True),
                        ("share__isnull", True),
                        ("threshold__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="reviewrule_listed_says_what_it_needs",
                violation_error_message="请按所选情形填写数值，其余留空。",
            ),
        ),
        migrations.AddConstraint(
            model_name="reviewrule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("sign", "night"), _negated=True),
                    models.Q(
                        ("hours__isnull", True),
                        ("night_from__isnull", False),
                        ("night_until__isnull", False),
                        ("share__isnull", True),
                        ("threshold__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="reviewrule_night_says_what_it_needs",
                violation_error_message="请按所选情形填写数值，其余留空。",
            ),
        ),
        migrations.AddConstraint(
            model_name="reviewrule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("sign", "many_units"), _negated=True),
                    models.Q(
                        ("hours__isnull", False),
                        ("night_from__isnull", True),
                        ("night_until__isnull", True),
                        ("share__isnull", True),
                        ("threshold__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="reviewrule_many_units_says_what_it_needs",
                violation_error_message="请按所选情形填写数值，其余留空。",
            ),
        ),
        migrations.AddConstraint(
            model_name="reviewrule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("sign", "refused"), _negated=True),
                    models.Q(
                        ("hours__isnull", False),
                        ("night_from__isnull", True),
                        ("night_until__isnull", True),
                        ("share__isnull", True),
                        ("threshold__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="reviewrule_refused_says_what_it_needs",
                violation_error_message="请按所选情形填写数值，其余留空。",
            ),
        ),
        migrations.AddConstraint(
            model_name="reviewrule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("sign", "sample"), _negated=True),
                    models.Q(
                        ("hours__isnull", True),
                        ("night_from__isnull", True),
                        ("night_until__isnull", True),
                        ("share__isnull", False),
                        ("threshold__isnull", True),
                    ),
                    _connector="OR",
                ),
                name="reviewrule_sample_says_what_it_needs",
                violation_error_message="请按所选情形填写数值，其余留空。",
            ),
        ),
        migrations.AddIndex(
            model_name="anomaly",
            index=models.Index(fields=["organisation", "state"], name="anomaly_by_organisation"),
        ),
        migrations.AddIndex(
            model_name="anomaly",
            index=models.Index(fields=["sign", "person", "day"], name="anomaly_by_person"),
        ),
        migrations.AddConstraint(
            model_name="anomaly",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("answered_by__isnull", True), ("closed_by__isnull", True), ("state", "open"), ("verdict", "")
                    ),
                    models.Q(
                        ("answered_by__isnull", False),
                        ("closed_by__isnull", True),
                        ("state", "answered"),
                        models.Q(("verdict", ""), _negated=True),
                    ),
                    models.Q(
                        ("answered_by__isnull", False),
                        ("closed_by__isnull", False),
                        ("state", "closed"),
                        models.Q(("verdict", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="anomaly_state_fits_its_hands",
            ),
        ),
        migrations.AddConstraint(
            model_name="anomaly",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("closed_by__isnull", True),
                    models.Q(("closed_by", models.F("answered_by")), _negated=True),
                    _connector="OR",
                ),
                name="anomaly_closed_by_another",
            ),
        ),
        migrations.RunSQL(LOG, LOG_UNDONE),
        migrations.RunSQL(FIND, FIND_UNDONE),
        migrations.RunSQL(STEPS, STEPS_UNDONE),
        migrations.RunSQL(APPEND_ONLY, APPEND_ONLY_UNDONE),
        migrations.RunSQL(RULES, RULES_UNDONE),
    ]
