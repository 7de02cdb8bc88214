"""Whole identity numbers after a step-up, and files opened in an emergency: both only as the database allows."""

from importlib import import_module

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

_OLD = import_module("access.migrations.0007_reviews")


def _was(text: str, name: str) -> str:
    """Return the definition of a function as an earlier migration wrote it, to be replaced."""
    start = text.index(f"CREATE FUNCTION {name}")
    return "CREATE OR REPLACE" + text[start + len("CREATE") : text.index("$$;", start) + 3]


_SIGNS_END = """           AND q.kind IN ('Q2', 'Q3', 'Q5', 'Q7') AND q.decision = 'allowed' AND random() * 100 < rule.share;
    END IF;
END $$;"""
_UNMASKED = """           AND q.kind IN ('Q2', 'Q3', 'Q5', 'Q7') AND q.decision = 'allowed' AND random() * 100 < rule.share;
    ELSIF rule.sign = 'unmasked' THEN
        RETURN QUERY WITH shown AS MATERIALIZED (
            SELECT q.actor_id, q.organisation_id, q.seq, q.at,
                   count(*) OVER (PARTITION BY q.actor_id ORDER BY q.at RANGE BETWEEN span PRECEDING AND CURRENT ROW) AS times
              FROM access_query q
             WHERE q.at >= from_ - span AND q.at < until_ AND q.actor_id IS NOT NULL AND q.decision = 'allowed'
               AND access_shows_number(q.fields_class)
        ), over AS (SELECT s.actor_id, s.at, s.times FROM shown s WHERE s.at >= from_ AND s.times >= rule.threshold)
        SELECT format('unmasked:%s:%s', s.actor_id, looked), s.actor_id, s.organisation_id, NULL::bigint,
               (SELECT max(o.times) FROM over o WHERE o.actor_id = s.actor_id), s.seq, s.at
          FROM shown s WHERE EXISTS (SELECT 1 FROM over o WHERE o.actor_id = s.actor_id AND s.at >= o.at - span AND s.at <= o.at);
    END IF;
END $$;"""
SIGNS = _was(_OLD.FIND, "access_signs").replace(_SIGNS_END, _UNMASKED)
assert "'unmasked'" in SIGNS

NUMBERS = r"""
-- How a line of the log says that an identity number was shown whole.
CREATE FUNCTION access_shows_number(fields_class text) RETURNS boolean LANGUAGE sql IMMUTABLE AS
    $$ SELECT fields_class LIKE '%完整证件号码%' $$;
-- How often that officer was shown whole numbers in the last hour.
CREATE FUNCTION access_numbers_shown(who bigint) RETURNS bigint LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT count(*) FROM access_query q
     WHERE q.actor_id = who AND q.at > clock_timestamp() - interval '1 hour' AND q.decision = 'allowed'
       AND access_shows_number(q.fields_class)
$$;

-- A whole number is shown to the officer of a registration that is running, after a step-up, with a reason in words,
-- no more often than rule S10 says.
CREATE FUNCTION access_line_shows_number() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('access_line_shows_number'), hashtext(NEW.actor_id::text));
    IF NOT EXISTS (SELECT 1 FROM access_request r
                    WHERE r.id = NEW.request_no AND r.actor_id = NEW.actor_id AND r.kind = NEW.kind AND NEW.kind = 'Q5'
                      AND r.reach = 'person' AND r.expires_at > clock_timestamp()
                      AND (r.case_no, r.duty_code) = (NEW.case_no, NEW.duty_code)
                      AND EXISTS (SELECT 1 FROM access_request_items i WHERE i.request_id = r.id)
                      AND NOT EXISTS (SELECT 1 FROM access_request_items i WHERE i.request_id = r.id
                                         AND i.item_id <> ALL (access_duty_items(r.organisation_id, r.duty_code)))) THEN
        PERFORM catalogue_refuse('number_has_its_registration', 'a whole number needs a registration of this officer in force');
    END IF;
    IF NOT accounts_stepped_up(NEW.actor_id) THEN
        PERFORM catalogue_refuse('number_after_a_step_up', 'a whole number needs a step-up just before');
    END IF;
    IF NEW.purpose !~ '^[^：]+：.*[^\s]{2,}' THEN
        PERFORM catalogue_refuse('number_for_a_reason', 'a whole number needs a reason in words');
    END IF;
    IF access_numbers_shown(NEW.actor_id) >= accounts_limit('S10') THEN
        PERFORM catalogue_refuse('numbers_are_few', 'no more whole numbers for this officer within the hour');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER query_shows_number BEFORE INSERT ON access_query FOR EACH ROW
    WHEN (access_shows_number(NEW.fields_class) AND NEW.decision = 'allowed')
    EXECUTE FUNCTION access_line_shows_number();
"""
NUMBERS_UNDONE = """
DROP TRIGGER query_shows_number ON access_query;
DROP FUNCTION access_line_shows_number();
DROP FUNCTION access_numbers_shown(bigint);
DROP FUNCTION access_shows_number(text);
"""

URGENT = r"""
INSERT INTO access_urgentground (code, name, basis, confidence, position) VALUES
('LIFE', '自然人的生命健康正处于现实危险，为保护其所必需', '《个人信息保护法》第十三条第一款第四项', 'M', 1),
('HEALTH', '应对突发公共卫生事件所必需', '《个人信息保护法》第十三条第一款第四项', 'M', 2),
('EMERG', '已启动应急响应，应急处置所必需', '《突发事件应对法》（2024年修订）第八十四条', 'L', 3);
CREATE TRIGGER urgentground_append_only BEFORE UPDATE OR DELETE ON access_urgentground
    FOR EACH ROW EXECUTE FUNCTION cf_refuse_change();
CREATE TRIGGER urgentground_no_truncate BEFORE TRUNCATE ON access_urgentground EXECUTE FUNCTION cf_refuse_change();
CREATE TRIGGER urgentreading_append_only BEFORE UPDATE OR DELETE ON access_urgentreading
    FOR EACH ROW EXECUTE FUNCTION cf_refuse_change();
CREATE TRIGGER urgentreading_no_truncate BEFORE TRUNCATE ON access_urgentreading EXECUTE FUNCTION cf_refuse_change();

-- The items that an emergency may open: in force today, shared with departments, with something that they may see.
CREATE FUNCTION access_urgent_items() RETURNS bigint[] LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT coalesce(array_agg(v.item_id), '{}') FROM catalogue_itemversion v
     WHERE v.id IN (SELECT catalogue_in_force(cf_today())) AND v.disclosure NOT IN ('SELF', 'NONE') AND v.sharing <> 'NO'
       AND EXISTS (SELECT 1 FROM catalogue_field f WHERE f.item_version_id = v.id AND 'DEPT' = ANY (f.visible_to))
$$;

-- Why this officer may not open a file in an emergency now: the code of a refusal, or nothing.
CREATE FUNCTION access_no_break(who bigint) RETURNS text LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT CASE
        WHEN NOT access_holds(who, 'break_glass') THEN 'no_role'
        WHEN EXISTS (SELECT 1 FROM access_urgentreading u JOIN access_anomaly a ON a.id = u.anomaly_id
                      WHERE u.actor_id = who AND a.verdict = 'unjustified') THEN 'unjustified'
        WHEN EXISTS (SELECT 1 FROM access_urgentreading u JOIN access_anomaly a ON a.id = u.anomaly_id
                      WHERE u.actor_id = who AND a.state = 'open') THEN 'unanswered'
        WHEN NOT accounts_stepped_up(who) THEN 'no_step_up'
        ELSE '' END
$$;

-- Whether a unit may read all those items under one duty of its register: then nothing has to be broken.
CREATE FUNCTION access_reads_by_duty(unit bigint, wanted bigint[]) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT 1 FROM access_dutyitem d WHERE d.organisation_id = unit AND wanted <@ access_duty_items(unit, d.code))
       AND wanted <@ catalogue_granted_items(unit, 'query_item')
$$;

-- Open one person's file for the minutes of rule S11: the reading, its review and the message to the person are one.
CREATE FUNCTION access_break_glass(
    who bigint, whom bigint, wanted bigint[], statutory text, incident text, told text, sworn text
) RETURNS bigint LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE one bigint; numbered text; unit accounts_organisation; g access_urgentground; review bigint;
    person bigint := access_survivor(whom); named text; refused text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('access_break_glass'), hashtext(who::text));
    refused := access_no_break(who);
    IF refused <> '' THEN
        PERFORM catalogue_refuse('urgent_by_who_may', format('this account may not open a file in an emergency: %s', refused));
    END IF;
    SELECT * INTO g FROM access_urgentground WHERE code = statutory;
    SELECT o.* INTO unit FROM accounts_user u JOIN accounts_organisation o ON o.id = u.organisation_id WHERE u.id = who;
    IF g.code IS NULL OR unit.id IS NULL OR person IS NULL OR char_length(btrim(told)) < 10 OR char_length(btrim(sworn)) < 10
       OR btrim(incident) = '' OR incident !~ '[0-9０-９]' THEN
        PERFORM catalogue_refuse('urgent_says_why', 'an emergency has a statutory reason, facts, a number and a statement');
    END IF;
    IF cardinality(wanted) = 0 OR NOT wanted <@ access_urgent_items() THEN
        PERFORM catalogue_refuse('urgent_items_are_shared', 'what is shown to the person alone stays closed in an emergency too');
    END IF;
    IF access_reads_by_duty(unit.id, wanted) THEN
        PERFORM catalogue_refuse('urgent_without_a_duty', 'where a duty opens these items a registration is the way');
    END IF;
    SELECT u.name INTO named FROM accounts_user u WHERE u.id = who;
    one := nextval(pg_get_serial_sequence('access_urgentreading', 'id'));
    numbered := 'JJ' || to_char(cf_today(), 'YYYYMMDD') || '-' || lpad(one::text, 6, '0');
    INSERT INTO access_anomaly (rule_id, sign, key, day, actor_id, actor_name, organisation_id, value, state, verdict)
    SELECT r.id, 'urgent', 'urgent:' || numbered, cf_today(), who, named, unit.id, 1, 'open', '' FROM access_reviewrule r
     WHERE r.sign = 'urgent' AND r.state = 'in_force' AND r.valid_from <= cf_today()
       AND (r.valid_to IS NULL OR r.valid_to > cf_today()) RETURNING id INTO STRICT review;
    INSERT INTO access_urgentreading (id, number, person_id, actor_id, organisation_id, ground_id, facts, incident_no, statement,
                                      items, opened_at, expires_at, anomaly_id)
    VALUES (one, numbered, person, who, unit.id, g.code, btrim(told), btrim(incident), btrim(sworn), wanted, now(),
            now() + make_interval(mins => accounts_limit('S11')), review);
    INSERT INTO access_message (person_id, subject, text, about, at) VALUES (person, unit.name || '紧急查询了您的信用档案',
        format('%s，%s在紧急情况下打开了您的信用档案。理由：%s（%s）。编号 %s。该单位负责人须说明依据，由审计员作出结论，结论见“谁查了我”。'
               '您认为没有依据的，请向省信用办提出。', to_char(now() AT TIME ZONE 'Asia/Shanghai', 'YYYY"年"FMMM"月"FMDD"日" HH24:MI'),
               unit.name, g.name, g.basis, numbered), numbered, now());
    RETURN one;
END $$;

-- A line of an emergency is of its reader, in its minutes, of its items, before its review goes on; and it is under that review.
CREATE FUNCTION access_line_is_urgent() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE u access_urgentreading;
BEGIN
    SELECT u1.* INTO u FROM access_urgentreading u1 JOIN access_anomaly a ON a.id = u1.anomaly_id AND a.state = 'open'
     WHERE u1.number = NEW.case_no AND u1.actor_id = NEW.actor_id AND NEW.kind = 'Q5' AND u1.expires_at > clock_timestamp();
    IF u.id IS NULL OR NOT NEW.items <@ (SELECT array_agg(i.code::text) FROM catalogue_item i WHERE i.id = ANY (u.items)) THEN
        PERFORM catalogue_refuse('urgent_line_of_its_reading', 'no urgent line without an urgent reading of this officer that is open');
    END IF;
    INSERT INTO access_anomalyline (anomaly_id, query_seq, query_at) VALUES (u.anomaly_id, NEW.seq, NEW.at);
    RETURN NEW;
END $$;
CREATE TRIGGER query_is_urgent BEFORE INSERT ON access_query FOR EACH ROW
    WHEN (NEW.fields_class LIKE '紧急查询%' AND NEW.decision = 'allowed') EXECUTE FUNCTION access_line_is_urgent();

-- Whom such a line may be about, and what it may open of them: a whole number opens no record.
CREATE FUNCTION access_line_opens(line access_query) RETURNS TABLE (person bigint, items bigint[]) LANGUAGE sql STABLE AS $$
    SELECT access_survivor(u.person_id), u.items FROM access_urgentreading u
     WHERE line.fields_class LIKE '紧急查询%' AND u.number = line.case_no
    UNION ALL SELECT access_survivor(r.person_id), '{}' FROM access_request r
     WHERE access_shows_number(line.fields_class) AND r.id = line.request_no
$$;
CREATE FUNCTION access_persons_of_lines() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM added n JOIN access_query q ON q.seq = n.query_id AND q.at = n.at
                WHERE n.allowed AND (q.fields_class LIKE '紧急查询%' OR access_shows_number(q.fields_class))
                  AND NOT EXISTS (SELECT 1 FROM access_line_opens(q) o
                                   WHERE o.person = access_survivor(n.person_id) AND n.items <@ o.items)) THEN
        PERFORM catalogue_refuse('line_is_about_its_person', 'such a line is about the person of its registration or emergency');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER queryperson_of_its_line AFTER INSERT ON access_queryperson REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION access_persons_of_lines();
-- Whoever was shown whole, or opened in an emergency, sees it.
CREATE FUNCTION access_line_has_its_person() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF (SELECT count(*) FROM access_queryperson p WHERE p.query_id = NEW.seq AND p.at = NEW.at AND p.allowed) <> 1 THEN
        PERFORM catalogue_refuse('line_has_its_person', 'the person sees every such line');
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER query_has_its_person AFTER INSERT ON access_query DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (NEW.decision = 'allowed' AND (NEW.fields_class LIKE '紧急查询%' OR access_shows_number(NEW.fields_class)))
    EXECUTE FUNCTION access_line_has_its_person();
"""
URGENT_UNDONE = """
DROP TRIGGER query_has_its_person ON access_query;
DROP FUNCTION access_line_has_its_person();
DROP TRIGGER queryperson_of_its_line ON access_queryperson;
DROP FUNCTION access_persons_of_lines();
DROP FUNCTION access_line_opens(access_query);
DROP TRIGGER query_is_urgent ON access_query;
DROP FUNCTION access_line_is_urgent();
DROP FUNCTION access_break_glass(bigint, bigint, bigint[], text, text, text, text);
DROP FUNCTION access_reads_by_duty(bigint, bigint[]);
DROP FUNCTION access_no_break(bigint);
DROP FUNCTION access_urgent_items();
DROP TRIGGER urgentreading_no_truncate ON access_urgentreading;
DROP TRIGGER urgentreading_append_only ON access_urgentreading;
DROP TRIGGER urgentground_no_truncate ON access_urgentground;
DROP TRIGGER urgentground_append_only ON access_urgentground;
"""

REVIEWS = """
-- A reader of the lines, or whoever opened a file in an emergency, is no reviewer of it.
CREATE OR REPLACE FUNCTION access_is_reader(account bigint, anomaly bigint) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT 1 FROM access_anomalyline l JOIN access_query q ON q.seq = l.query_seq AND q.at = l.query_at
                    WHERE l.anomaly_id = anomaly AND q.actor_id = account)
        OR EXISTS (SELECT 1 FROM access_anomaly a WHERE a.id = anomaly AND a.actor_id = account)
$$;
-- A supervisor of the unit answers, its head for an emergency, never a reader of the lines. Where the lines are of several
-- units, nobody of the unit may, or the time is over, the credit office does.
CREATE OR REPLACE FUNCTION access_may_answer(account bigint, anomaly bigint) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT NOT access_is_reader(account, anomaly) AND EXISTS (
        SELECT 1 FROM access_anomaly a CROSS JOIN accounts_user u
          CROSS JOIN LATERAL (SELECT CASE a.sign WHEN 'urgent' THEN 'answer_urgentreading' ELSE 'answer_anomaly' END AS duty) d
         WHERE a.id = anomaly AND u.id = account AND access_holds(account, d.duty) AND (
            u.organisation_id = a.organisation_id
            OR access_holds(account, 'oversee_anomaly') AND (
                a.organisation_id IS NULL
                OR EXISTS (SELECT 1 FROM catalogue_deadline d WHERE d.subject_type = 'access.anomaly'
                              AND d.subject_id = a.id::text AND d.met_on IS NULL AND d.due_on < cf_today())
                OR NOT EXISTS (SELECT 1 FROM accounts_user v WHERE v.organisation_id = a.organisation_id
                                  AND access_holds(v.id, d.duty) AND NOT access_is_reader(v.id, anomaly)))))
$$;

-- A review goes its way by steps: the unit answers, the auditor closes it or sends it back. Of an emergency the auditor
-- says what it was.
CREATE OR REPLACE FUNCTION access_anomaly_stepped() RETURNS trigger LANGUAGE plpgsql
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
    IF NEW.deed = 'closed' AND (a.sign = 'urgent') <> (NEW.verdict <> '') THEN
        PERFORM catalogue_refuse('urgent_closed_with_a_verdict', 'the auditor says what an emergency was, of nothing else');
    END IF;
    NEW.at := now();
    UPDATE access_anomaly SET
        state = CASE NEW.deed WHEN 'answered' THEN 'answered' WHEN 'closed' THEN 'closed' ELSE 'open' END,
        verdict = CASE NEW.deed WHEN 'answered' THEN NEW.verdict WHEN 'closed' THEN coalesce(nullif(NEW.verdict, ''), a.verdict)
                                ELSE '' END,
        answered_by_id = CASE NEW.deed WHEN 'answered' THEN NEW.by_id WHEN 'closed' THEN a.answered_by_id END,
        closed_by_id = CASE NEW.deed WHEN 'closed' THEN NEW.by_id END
     WHERE id = a.id;
    RETURN NEW;
END $$;
"""
REVIEWS_UNDONE = "\n".join(
    _was(_OLD.STEPS, name) for name in ("access_anomaly_stepped", "access_may_answer", "access_is_reader")
)
SIGNS_UNDONE = _was(_OLD.FIND, "access_signs")

RULES = """
ALTER TABLE access_reviewrule DISABLE TRIGGER reviewrule_guard;
INSERT INTO access_reviewrule (sign, threshold, hours, basis, valid_from, state, proposed_at, confirmed_at, withdrawn_reason) VALUES
('unmasked', 5, 24, '本站设定：一人一日内多次显示完整证件号码，须说明各自用途', '2026-01-01', 'in_force', now(), now(), ''),
('urgent', NULL, NULL, '本站设定：紧急查询绕过职责登记，每一次都须事后核查', '2026-01-01', 'in_force', now(), now(), '');
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE access_reviewrule ENABLE TRIGGER reviewrule_guard;
"""
RULES_UNDONE = """
ALTER TABLE access_reviewrule DISABLE TRIGGER reviewrule_guard;
DELETE FROM access_reviewrule WHERE sign IN ('unmasked', 'urgent');
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE access_reviewrule ENABLE TRIGGER reviewrule_guard;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("access", "0010_agents_and_letters"),
        ("accounts", "0010_step_up"),
        ("catalogue", "0011_grants"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="UrgentGround",
            fields=[
                ("code", models.CharField(max_length=10, primary_key=True, serialize=False, verbose_name="代码")),
                ("name", models.CharField(max_length=60, verbose_name="情形")),
                ("basis", models.CharField(max_length=200, verbose_name="法律依据")),
                (
                    "confidence",
                    models.CharField(
                        choices=[("H", "已核对"), ("M", "待核对"), ("L", "未核实")],
                        max_length=1,
                        verbose_name="核实程度",
                    ),
                ),
                ("position", models.PositiveSmallIntegerField(verbose_name="顺序")),
            ],
            options={
                "verbose_name": "紧急查询的法定情形",
                "verbose_name_plural": "紧急查询的法定情形",
                "db_table_comment": "append-only, written by the database: statutory reasons for an urgent reading",
                "ordering": ["position"],
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="UrgentReading",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.CharField(max_length=20, unique=True, verbose_name="编号")),
                ("facts", models.CharField(max_length=300, verbose_name="事情经过和非查不可的理由")),
                ("incident_no", models.CharField(max_length=60, verbose_name="接警、应急或者办件编号")),
                ("statement", models.CharField(max_length=300, verbose_name="具结")),
                (
                    "items",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), size=None, verbose_name="查询条目"
                    ),
                ),
                (
                    "opened_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="打开时间"),
                ),
                ("expires_at", models.DateTimeField(verbose_name="关闭时间")),
            ],
            options={
                "verbose_name": "紧急查询",
                "verbose_name_plural": "紧急查询",
                "db_table_comment": "append-only, written by the database: files opened in an emergency",
                "ordering": ["-id"],
                "permissions": [
                    ("break_glass", "紧急查询"),
                    ("answer_urgentreading", "答复本单位的紧急查询核查"),
                    ("view_all_urgentreadings", "查看全部紧急查询"),
                ],
                "default_permissions": ("view",),
            },
        ),
        migrations.RemoveConstraint(
            model_name="anomalystep",
            name="anomalystep_an_answer_has_a_verdict",
        ),
        migrations.RemoveConstraint(
            model_name="reviewrule",
            name="reviewrule_sign_is_known",
        ),
        migrations.AlterField(
            model_name="anomaly",
            name="sign",
            field=models.CharField(
                choices=[
                    ("no_case", "案件编号不像编号"),
                    ("unresolved", "案件编号查无下文"),
                    ("hourly", "短时间打开多人档案"),
                    ("listed", "短时间列出、导出大量人员"),
                    ("night", "夜间查询"),
                    ("many_units", "多个单位查同一人"),
                    ("refused", "多次被拒绝"),
                    ("same_place", "同意授权后随即在同一网段使用"),
                    ("sample", "随机抽查"),
                    ("batch", "批量查询、导出先经复核"),
                    ("unmasked", "多次显示完整证件号码"),
                    ("urgent", "紧急查询"),
                ],
                max_length=12,
                verbose_name="情形",
            ),
        ),
        migrations.AlterField(
            model_name="reviewrule",
            name="sign",
            field=models.CharField(
                choices=[
                    ("no_case", "案件编号不像编号"),
                    ("unresolved", "案件编号查无下文"),
                    ("hourly", "短时间打开多人档案"),
                    ("listed", "短时间列出、导出大量人员"),
                    ("night", "夜间查询"),
                    ("many_units", "多个单位查同一人"),
                    ("refused", "多次被拒绝"),
                    ("same_place", "同意授权后随即在同一网段使用"),
                    ("sample", "随机抽查"),
                    ("batch", "批量查询、导出先经复核"),
                    ("unmasked", "多次显示完整证件号码"),
                    ("urgent", "紧急查询"),
                ],
                max_length=12,
                verbose_name="情形",
            ),
        ),
        migrations.AddConstraint(
            model_name="anomalystep",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("deed", "answered"), ("verdict__in", ["justified", "mistaken", "unjustified"])),
                    models.Q(("deed", "closed"), ("verdict__in", ["", "justified", "mistaken", "unjustified"])),
                    models.Q(("deed", "returned"), ("verdict", "")),
                    _connector="OR",
                ),
                name="anomalystep_an_answer_has_a_verdict",
                violation_error_message="请选择核查结论。",
            ),
        ),
        migrations.AddConstraint(
            model_name="reviewrule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "sign__in",
                        [
                            "no_case",
                            "unresolved",
                            "hourly",
                            "listed",
                            "night",
                            "many_units",
                            "refused",
                            "same_place",
                            "sample",
                            "batch",
                            "unmasked",
                            "urgent",
                        ],
                    )
                ),
                name="reviewrule_sign_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="reviewrule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("sign", "unmasked"), _negated=True),
                    models.Q(
                        ("hours__isnull", False),
                        ("night_from__isnull", True),
                        ("night_until__isnull", True),
                        ("share__isnull", True),
                        ("threshold__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="reviewrule_unmasked_says_what_it_needs",
                violation_error_message="请按所选情形填写数值，其余留空。",
            ),
        ),
        migrations.AddConstraint(
            model_name="reviewrule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("sign", "urgent"), _negated=True),
                    models.Q(
                        ("hours__isnull", True),
                        ("night_from__isnull", True),
                        ("night_until__isnull", True),
                        ("share__isnull", True),
                        ("threshold__isnull", True),
                    ),
                    _connector="OR",
                ),
                name="reviewrule_urgent_says_what_it_needs",
                violation_error_message="请按所选情形填写数值，其余留空。",
            ),
        ),
        migrations.AddField(
            model_name="urgentreading",
            name="actor",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="urgent_readings",
                to=settings.AUTH_USER_MODEL,
                verbose_name="查询人",
            ),
        ),
        migrations.AddField(
            model_name="urgentreading",
            name="anomaly",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="urgent_reading",
                to="access.anomaly",
                verbose_name="核查单",
            ),
        ),
        migrations.AddField(
            model_name="urgentreading",
            name="ground",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="access.urgentground",
                verbose_name="法定情形",
            ),
        ),
        migrations.AddField(
            model_name="urgentreading",
            name="organisation",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="accounts.organisation",
                verbose_name="查询单位",
            ),
        ),
        migrations.AddField(
            model_name="urgentreading",
            name="person",
            field=models.ForeignKey(
                editable=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="urgent_readings",
                to="accounts.person",
            ),
        ),
        migrations.AddIndex(
            model_name="urgentreading",
            index=models.Index(fields=["actor", "-id"], name="urgentreading_by_actor"),
        ),
        migrations.AddConstraint(
            model_name="urgentreading",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("facts", ""), _negated=True),
                    models.Q(("incident_no", ""), _negated=True),
                    models.Q(("statement", ""), _negated=True),
                    models.Q(("items", []), _negated=True),
                ),
                name="urgentreading_says_why_and_what",
            ),
        ),
        migrations.AddConstraint(
            model_name="urgentreading",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("expires_at__gt", models.F("opened_at")),
                    (
                        "expires_at__lte",
                        django.db.models.expressions.CombinedExpression(
                            models.F("opened_at"), "+", models.Value("1 hour")
                        ),
                    ),
                ),
                name="urgentreading_is_short",
            ),
        ),
        migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE", migrations.RunSQL.noop),
        migrations.RunSQL(NUMBERS, NUMBERS_UNDONE),
        migrations.RunSQL(SIGNS, SIGNS_UNDONE),
        migrations.RunSQL(URGENT, URGENT_UNDONE),
        migrations.RunSQL(REVIEWS, REVIEWS_UNDONE),
        migrations.RunSQL(RULES, RULES_UNDONE),
    ]
