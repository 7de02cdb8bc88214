"""A person's question about a look at their file: it opens a review, whose verdict and reasons the person is told."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

SIGNS = [
    ("no_case", "案件编号不像编号"), ("unresolved", "案件编号查无下文"), ("hourly", "短时间打开多人档案"),
    ("listed", "短时间列出、导出大量人员"), ("night", "夜间查询"), ("many_units", "多个单位查同一人"),
    ("refused", "多次被拒绝"), ("same_place", "同意授权后随即在同一网段使用"), ("sample", "随机抽查"), ("batch", "批量查询、导出先经复核"),
    ("unmasked", "多次显示完整证件号码"), ("urgent", "紧急查询"), ("questioned", "本人提出疑问"),
]  # fmt: skip
DOUBTS = [
    ("no_consent", "我没有同意"), ("no_reason", "不知道为什么查我"), ("too_much", "查看的内容超出需要"),
    ("not_me", "我没有办过这件事"), ("other", "其他"),
]  # fmt: skip
VERDICTS = [("justified", "有依据"), ("mistaken", "操作失误，已改正"), ("unjustified", "没有依据")]
QUESTIONS = """
-- Asked by the person alone, under their own line of this transaction, about a line of their own history that is another's
-- reading. The review is opened here: nobody else writes it.
CREATE FUNCTION access_question_guard() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE line access_query; anomaly bigint;
BEGIN
    NEW.at := now();
    IF NEW.person_id IS DISTINCT FROM access_survivor(NEW.person_id) OR NOT access_is_the_person(NEW.person_id, NEW.asked_by_id) THEN
        PERFORM catalogue_refuse('question_asked_by_the_person', 'only the person asks about their own history');
    END IF;
    SELECT q.* INTO line FROM access_queryperson p JOIN access_query q ON q.seq = p.query_id AND q.at = p.at
     WHERE p.query_id = NEW.query_seq AND p.at = NEW.query_at AND p.person_id IN (
        WITH RECURSIVE family(id) AS (
            SELECT NEW.person_id UNION SELECT h.id FROM accounts_person h JOIN family f ON h.merged_into_id = f.id
        ) SELECT id FROM family) AND access_held_until(p.kind, q.case_no) IS NULL LIMIT 1;
    IF line.seq IS NULL THEN
        PERFORM catalogue_refuse('question_about_ones_own_history', 'there is no such line about this person');
    END IF;
    IF line.kind IN ('Q1', 'Q6') THEN
        PERFORM catalogue_refuse('question_about_a_reader', 'one''s own and the public''s look-ups have no reader to ask');
    END IF;
    INSERT INTO access_anomaly (rule_id, sign, key, day, actor_id, actor_name, organisation_id, person_id, value, state, verdict)
    SELECT r.id, 'questioned', format('questioned:%s:%s', line.seq, NEW.person_id),
           (line.at AT TIME ZONE 'Asia/Shanghai')::date, line.actor_id, left(line.actor_name, 60), line.organisation_id,
           NEW.person_id, 1, 'open', ''
      FROM access_reviewrule r WHERE r.sign = 'questioned' AND r.state = 'in_force' AND r.valid_from <= cf_today()
       AND (r.valid_to IS NULL OR r.valid_to > cf_today())
    RETURNING id INTO STRICT anomaly;
    INSERT INTO access_anomalyline (anomaly_id, query_seq, query_at) VALUES (anomaly, line.seq, line.at);
    NEW.anomaly_id := anomaly;
    RETURN NEW;
END $$;
CREATE TRIGGER question_guard BEFORE INSERT ON access_question FOR EACH ROW EXECUTE FUNCTION access_question_guard();

-- The person adds words while the unit has not answered, asks for a second look once there is a verdict; the credit office
-- decides it by somebody who neither read, answered nor closed.
CREATE FUNCTION access_questionstep_guard() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE q access_question; a access_anomaly;
BEGIN
    NEW.at := now();
    SELECT * INTO q FROM access_question WHERE id = NEW.question_id;
    SELECT * INTO a FROM access_anomaly WHERE id = q.anomaly_id FOR UPDATE;
    IF a.state IS DISTINCT FROM (CASE NEW.deed WHEN 'added' THEN 'open' ELSE 'closed' END) THEN
        PERFORM catalogue_refuse('question_moves_along_its_arrows', format('a question whose review is %s is not %s', a.state, NEW.deed));
    END IF;
    IF NEW.deed IN ('added', 'review') AND NOT access_is_the_person(q.person_id, NEW.by_id) THEN
        PERFORM catalogue_refuse('question_asked_by_the_person', 'only the person adds to a question or asks for a second look');
    END IF;
    IF NEW.deed = 'reviewed' AND (
        NOT access_holds(NEW.by_id, 'oversee_anomaly') OR access_is_reader(NEW.by_id, a.id)
        OR NEW.by_id IN (a.answered_by_id, a.closed_by_id)
        OR NOT EXISTS (SELECT 1 FROM access_questionstep s WHERE s.question_id = q.id AND s.deed = 'review')) THEN
        PERFORM catalogue_refuse('question_reviewed_by_another', 'the credit office looks again, when asked, by another');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER questionstep_guard BEFORE INSERT ON access_questionstep
    FOR EACH ROW EXECUTE FUNCTION access_questionstep_guard();

-- No verdict about a question without a message to its person: checked when the transaction ends.
CREATE FUNCTION access_question_is_told() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE q access_question; verdicts int; told int;
BEGIN
    SELECT * INTO q FROM access_question
     WHERE CASE TG_TABLE_NAME WHEN 'access_anomaly' THEN anomaly_id = NEW.id ELSE id = (to_jsonb(NEW) ->> 'question_id')::bigint END;
    SELECT (SELECT count(*) FROM access_anomalystep s WHERE s.anomaly_id = q.anomaly_id AND s.deed = 'closed' AND s.at = now())
         + (SELECT count(*) FROM access_questionstep s WHERE s.question_id = q.id AND s.deed = 'reviewed' AND s.at = now())
      INTO verdicts;
    SELECT count(*) INTO told FROM access_message m WHERE m.question_id = q.id AND m.person_id = q.person_id AND m.at = now();
    IF told < verdicts THEN
        PERFORM catalogue_refuse('question_is_told', 'the person is told of every verdict');
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER anomaly_verdict_is_told AFTER UPDATE OF state ON access_anomaly DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.sign = 'questioned' AND NEW.state = 'closed') EXECUTE FUNCTION access_question_is_told();
CREATE CONSTRAINT TRIGGER questionstep_is_told AFTER INSERT ON access_questionstep DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.deed = 'reviewed') EXECUTE FUNCTION access_question_is_told();

-- The answer to a question says to the person, in words for them, what was found.
CREATE FUNCTION access_anomaly_answer_tells() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF btrim(NEW.told) = '' AND EXISTS (SELECT 1 FROM access_anomaly a WHERE a.id = NEW.anomaly_id AND a.sign = 'questioned') THEN
        PERFORM catalogue_refuse('anomalystep_tells_the_person', 'whoever asked is told the reasons');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER anomalystep_tells_the_person BEFORE INSERT ON access_anomalystep FOR EACH ROW
    WHEN (NEW.deed = 'answered') EXECUTE FUNCTION access_anomaly_answer_tells();

CREATE TRIGGER question_append_only BEFORE UPDATE OR DELETE ON access_question FOR EACH ROW EXECUTE FUNCTION cf_refuse_change();
CREATE TRIGGER question_no_truncate BEFORE TRUNCATE ON access_question EXECUTE FUNCTION cf_refuse_change();
CREATE TRIGGER questionstep_append_only BEFORE UPDATE OR DELETE ON access_questionstep FOR EACH ROW EXECUTE FUNCTION cf_refuse_change();
CREATE TRIGGER questionstep_no_truncate BEFORE TRUNCATE ON access_questionstep EXECUTE FUNCTION cf_refuse_change();

ALTER TABLE access_reviewrule DISABLE TRIGGER reviewrule_guard;
INSERT INTO access_reviewrule (sign, basis, valid_from, state, proposed_at, confirmed_at, withdrawn_reason) VALUES
('questioned', '《个人信息保护法》第四十四条、第五十条；domain §6.4 E7、§7.5', '2026-01-01', 'in_force', now(), now(), '');
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE access_reviewrule ENABLE TRIGGER reviewrule_guard;
"""
QUESTIONS_UNDONE = """
DROP TRIGGER anomalystep_tells_the_person ON access_anomalystep;
DROP TRIGGER anomaly_verdict_is_told ON access_anomaly;
DROP TRIGGER questionstep_is_told ON access_questionstep;
DROP TRIGGER questionstep_guard ON access_questionstep;
DROP TRIGGER question_guard ON access_question;
DROP TRIGGER question_append_only ON access_question;
DROP TRIGGER question_no_truncate ON access_question;
DROP TRIGGER questionstep_append_only ON access_questionstep;
DROP TRIGGER questionstep_no_truncate ON access_questionstep;
DROP FUNCTION access_anomaly_answer_tells();
DROP FUNCTION access_question_is_told();
DROP FUNCTION access_questionstep_guard();
DROP FUNCTION access_question_guard();
ALTER TABLE access_reviewrule DISABLE TRIGGER reviewrule_guard;
DELETE FROM access_reviewrule WHERE sign = 'questioned';
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE access_reviewrule ENABLE TRIGGER reviewrule_guard;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("access", "0014_reach"),
        ("accounts", "0009_sign_in"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        *(
            migrations.AlterField(
                model_name=model, name="sign", field=models.CharField(choices=SIGNS, max_length=12, verbose_name="情形")
            )
            for model in ("anomaly", "reviewrule")
        ),
        migrations.RemoveConstraint(model_name="reviewrule", name="reviewrule_sign_is_known"),
        migrations.AddConstraint(
            model_name="reviewrule",
            constraint=models.CheckConstraint(
                condition=models.Q(sign__in=[sign for sign, _ in SIGNS]), name="reviewrule_sign_is_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="reviewrule",
            constraint=models.CheckConstraint(
                condition=~models.Q(sign="questioned")
                | models.Q(
                    threshold__isnull=True, hours__isnull=True, share__isnull=True, night_from__isnull=True,
                    night_until__isnull=True,
                ),
                name="reviewrule_questioned_says_what_it_needs",
                violation_error_message="请按所选情形填写数值，其余留空。",
            ),
        ),
        migrations.AddField(
            model_name="anomalystep",
            name="told",
            field=models.CharField(blank=True, db_default="", max_length=500, verbose_name="给当事人的答复"),
        ),
        migrations.CreateModel(
            name="Question",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("query_seq", models.BigIntegerField(verbose_name="日志序号")),
                ("query_at", models.DateTimeField(verbose_name="查询时间")),
                ("doubt", models.CharField(choices=DOUBTS, max_length=12, verbose_name="疑问")),
                (
                    "at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="提出时间"
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        editable=False, on_delete=django.db.models.deletion.PROTECT, related_name="questions",
                        to="accounts.person",
                    ),
                ),
                (
                    "asked_by",
                    models.ForeignKey(
                        editable=False, on_delete=django.db.models.deletion.PROTECT, related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "anomaly",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="question", to="access.anomaly",
                        verbose_name="核查单",
                    ),
                ),
            ],
            options={
                "verbose_name": "本人疑问",
                "verbose_name_plural": "本人疑问",
                "db_table_comment": "append-only: what a person asked about a line of their access history",
                "ordering": ["-id"],
                "default_permissions": (),
                "indexes": [models.Index(fields=["person", "-id"], name="question_by_person")],
                "constraints": [
                    models.UniqueConstraint(fields=("query_seq", "person"), name="question_once_per_line"),
                    models.CheckConstraint(
                        condition=models.Q(doubt__in=[doubt for doubt, _ in DOUBTS]), name="question_doubt_is_known"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="QuestionStep",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "deed",
                    models.CharField(
                        choices=[("added", "本人补充说明"), ("review", "本人申请复核"), ("reviewed", "省信用办复核")],
                        max_length=8, verbose_name="事项",
                    ),
                ),
                ("doubt", models.CharField(blank=True, choices=DOUBTS, max_length=12, verbose_name="疑问")),
                ("verdict", models.CharField(blank=True, choices=VERDICTS, max_length=12, verbose_name="结论")),
                ("text", models.CharField(blank=True, max_length=500, verbose_name="说明")),
                (
                    "at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="时间"),
                ),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL,
                        verbose_name="办理人",
                    ),
                ),
                (
                    "question",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="steps", to="access.question"
                    ),
                ),
            ],
            options={
                "verbose_name": "疑问经过",
                "verbose_name_plural": "疑问经过",
                "db_table_comment": "append-only: the person's words about a question, their demand for a review, its outcome",
                "ordering": ["id"],
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(fields=("question", "deed"), name="questionstep_each_once"),
                    models.CheckConstraint(
                        condition=models.Q(deed="added", verdict="") & (~models.Q(doubt="") | ~models.Q(text=""))
                        | models.Q(deed="review", verdict="", doubt="") & ~models.Q(text="")
                        | models.Q(deed="reviewed", verdict__in=[one for one, _ in VERDICTS], doubt="") & ~models.Q(text=""),
                        name="questionstep_says_what_it_needs",
                        violation_error_message="请填写说明。",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(doubt__in=["", *(doubt for doubt, _ in DOUBTS)]),
                        name="questionstep_doubt_is_known",
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="message",
            name="question",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="messages", to="access.question",
                verbose_name="疑问",
            ),
        ),
        migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE", migrations.RunSQL.noop),
        migrations.RunSQL(QUESTIONS, QUESTIONS_UNDONE),
    ]  # fmt: skip
