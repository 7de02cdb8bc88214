"""Exports of what a list shows; statements by the person that two officials hold back."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

MATCHES = """
-- The records that an export asks for; called by the application, row-level security leaves only what is logged.
-- One plain join, so that a person or a range of keys asked of it finds its index.
CREATE OR REPLACE FUNCTION records_export_matches(export bigint) RETURNS SETOF records_record LANGUAGE sql STABLE AS $$
    SELECT r.* FROM records_export e JOIN records_shown() r ON r.item_id = ANY (e.item_ids)
     WHERE e.id = export AND (e.record_ids IS NULL OR r.id = ANY (e.record_ids))
       AND (NOT e.own_only OR r.provider_id = e.organisation_id)
       AND (e.provider_id IS NULL OR r.provider_id = e.provider_id)
       AND (e.severity IS NULL OR r.severity = e.severity)
       AND (e.decided_from IS NULL OR r.doc_date >= e.decided_from)
       AND (e.decided_until IS NULL OR r.doc_date <= e.decided_until)
       AND (e.ends_by IS NULL OR upper(r.publication) > cf_today() AND upper(r.publication) <= e.ends_by)
       AND CASE e.which WHEN 'public' THEN coalesce(r.publication @> cf_today(), false)
                        WHEN 'not_public' THEN NOT coalesce(r.publication @> cf_today(), false) ELSE true END
$$;

-- Who would be in it: numbers come out, the list itself stays inside. Named records are found by their keys.
CREATE OR REPLACE FUNCTION records_export_gather(export bigint) RETURNS TABLE (persons_found bigint, records_found bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE named bigint[];
BEGIN
    IF NOT EXISTS (SELECT 1 FROM records_export e WHERE e.id = export AND e.state = 'requested') THEN
        PERFORM catalogue_refuse('export_is_counted_first', 'an export is counted before it is decided');
    END IF;
    DELETE FROM records_exporttarget t WHERE t.export_id = export;
    SELECT e.record_ids INTO named FROM records_export e WHERE e.id = export;
    RETURN QUERY WITH found AS (
        SELECT m.person_id, count(*) AS n FROM records_export_matches(export) m
         WHERE named IS NULL OR m.id = ANY (named) GROUP BY m.person_id
    ), kept AS (
        INSERT INTO records_exporttarget (export_id, person_id) SELECT export, f.person_id FROM found f
    )
    SELECT count(*), coalesce(sum(n), 0)::bigint FROM found;
END $$;

-- What a list narrowed an export to is as fixed as the rest of what was asked for (records_export_guard).
CREATE FUNCTION records_export_stays_narrow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM catalogue_refuse('export_is_what_was_asked_for', 'what was asked for is never rewritten');
    RETURN NULL;
END $$;
CREATE TRIGGER export_stays_narrow BEFORE UPDATE ON records_export FOR EACH ROW WHEN (
    (NEW.severity, NEW.provider_id, NEW.ends_by, NEW.record_ids) IS DISTINCT FROM
    (OLD.severity, OLD.provider_id, OLD.ends_by, OLD.record_ids)
) EXECUTE FUNCTION records_export_stays_narrow();
"""
MATCHES_UNDONE = """
DROP TRIGGER export_stays_narrow ON records_export;
DROP FUNCTION records_export_stays_narrow();
CREATE OR REPLACE FUNCTION records_export_matches(export bigint) RETURNS SETOF records_record LANGUAGE sql STABLE AS $$
    SELECT r.* FROM records_export e JOIN records_shown() r ON r.item_id = ANY (e.item_ids)
     WHERE e.id = export
       AND (NOT e.own_only OR r.provider_id = e.organisation_id)
       AND (e.decided_from IS NULL OR r.doc_date >= e.decided_from)
       AND (e.decided_until IS NULL OR r.doc_date <= e.decided_until)
       AND CASE e.which WHEN 'public' THEN coalesce(r.publication @> cf_today(), false)
                        WHEN 'not_public' THEN NOT coalesce(r.publication @> cf_today(), false) ELSE true END
$$;
CREATE OR REPLACE FUNCTION records_export_gather(export bigint) RETURNS TABLE (persons_found bigint, records_found bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM records_export e WHERE e.id = export AND e.state = 'requested') THEN
        PERFORM catalogue_refuse('export_is_counted_first', 'an export is counted before it is decided');
    END IF;
    DELETE FROM records_exporttarget t WHERE t.export_id = export;
    RETURN QUERY WITH found AS (
        SELECT m.person_id, count(*) AS n FROM records_export_matches(export) m GROUP BY m.person_id
    ), kept AS (
        INSERT INTO records_exporttarget (export_id, person_id) SELECT export, f.person_id FROM found f
    )
    SELECT count(*), coalesce(sum(n), 0)::bigint FROM found;
END $$;
"""


HOLDS = """
-- The statement that stands beside a record, by the record's number: keys only, for whoever is to review it.
CREATE FUNCTION records_statement_beside(number text)
RETURNS TABLE (statement_id bigint, record_id bigint, person_id bigint, provider_id bigint) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT s.id, r.id, s.person_id, r.provider_id FROM records_record r
      JOIN records_statement s ON s.record_id = r.id AND s.ended_at IS NULL
     WHERE r.id = CASE WHEN number ~ '^R[0-9]{18}[0-9A-Z]$' THEN substr(number, 10, 10)::bigint END
       AND r.state <> 6 AND records_number(r.id, r.created_at) = number
$$;
CREATE FUNCTION records_item_of_hold(hold bigint) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT r.item_id FROM records_statementhold h JOIN records_record r ON r.id = h.record_id WHERE h.id = hold
$$;

-- The statement under the review at work, while the review is open: beside a query line, the key to read it.
CREATE FUNCTION records_statement_under_review() RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT statement_id FROM records_statementhold
     WHERE id = nullif(current_setting('cf.hold', true), '')::bigint AND state IN ('looking', 'asked', 'held')
$$;
-- Whether this transaction has written a line of the person's own, and any line for the person.
CREATE FUNCTION records_is_the_person(person bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT 1 FROM access_queryperson q WHERE q.person_id = person AND q.kind = 'Q1' AND q.allowed
                      AND q.at = transaction_timestamp() AND q.xid = pg_current_xact_id())
$$;
CREATE POLICY statement_read_for_its_review ON records_statement FOR SELECT USING (
    id = (SELECT records_statement_under_review()) AND EXISTS (
        SELECT 1 FROM access_queryperson q WHERE q.person_id = records_statement.person_id AND q.allowed
           AND q.at = transaction_timestamp() AND q.xid = pg_current_xact_id()));

-- What is held, or was held until the person replaced it, is shown to its person and its reviewers alone.
CREATE POLICY statement_held_is_its_persons_own ON records_statement AS RESTRICTIVE FOR SELECT USING (
    NOT EXISTS (SELECT 1 FROM records_statementhold h WHERE h.statement_id = records_statement.id
                   AND h.decided_at IS NOT NULL AND h.state IN ('held', 'over'))
    OR id = (SELECT records_statement_under_review()) OR records_is_the_person(person_id));
-- Nobody but the person ends their words: an official can hold them back, with a reason, and no more.
CREATE POLICY statement_ended_by_its_person ON records_statement AS RESTRICTIVE FOR UPDATE
    USING (records_is_the_person(person_id));

CREATE FUNCTION records_hold_guard() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF current_setting('cf.disposing', true) = 'on' AND pg_trigger_depth() > 1 THEN
            RETURN OLD;  -- goes with its statement
        END IF;
        PERFORM catalogue_refuse('statementhold_is_kept', 'reviews of statements are kept');
    ELSIF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'looking'
           OR num_nonnulls(NEW.decided_by_id, NEW.decided_at, NEW.review_at, NEW.answered_by_id, NEW.ended_at) > 0
           OR NOT EXISTS (SELECT 1 FROM records_statement s JOIN records_record r ON r.id = s.record_id
                           WHERE s.id = NEW.statement_id AND s.ended_at IS NULL AND r.id = NEW.record_id
                             AND s.person_id = NEW.person_id AND NEW.record_no = records_number(r.id, r.created_at))
           OR NOT EXISTS (SELECT 1 FROM accounts_user u
                           WHERE u.id = NEW.asked_by_id AND u.organisation_id = NEW.organisation_id) THEN
            PERFORM catalogue_refuse('statementhold_begins_by_looking', 'a review begins with a look at words that stand');
        END IF;
        IF EXISTS (SELECT 1 FROM records_record WHERE id = NEW.record_id AND provider_id = NEW.organisation_id) THEN
            PERFORM catalogue_refuse('statementhold_not_by_the_supplier',
                'words are reviewed by the office that runs the register, never its supplier');
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.state IN ('refused', 'dropped', 'lifted', 'over') THEN
        PERFORM catalogue_refuse('statementhold_is_over', 'what is over is not changed');
    END IF;
    IF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (
        ('looking', 'asked'), ('looking', 'dropped'), ('looking', 'over'), ('asked', 'held'), ('asked', 'refused'),
        ('asked', 'dropped'), ('asked', 'over'), ('held', 'lifted'), ('held', 'over')
    ) THEN
        PERFORM catalogue_refuse('statementhold_moves_along_its_arrows',
            format('a review may not go from %s to %s', OLD.state, NEW.state));
    END IF;
    IF (NEW.statement_id, NEW.record_id, NEW.record_no, NEW.person_id, NEW.organisation_id, NEW.why, NEW.asked_by_id,
        NEW.opened_at) IS DISTINCT FROM
       (OLD.statement_id, OLD.record_id, OLD.record_no, OLD.person_id, OLD.organisation_id, OLD.why, OLD.asked_by_id,
        OLD.opened_at)
       OR OLD.state <> 'looking' AND (NEW.ground, NEW.told) IS DISTINCT FROM (OLD.ground, OLD.told)
       OR OLD.state <> 'asked' AND (NEW.decided_by_id, NEW.decided_at, NEW.decision_note) IS DISTINCT FROM
                                   (OLD.decided_by_id, OLD.decided_at, OLD.decision_note)
       OR OLD.answered_at IS NOT NULL AND (NEW.answered_by_id, NEW.answered_at, NEW.answer) IS DISTINCT FROM
                                          (OLD.answered_by_id, OLD.answered_at, OLD.answer) THEN
        PERFORM catalogue_refuse('statementhold_is_what_was_said', 'what was proposed, decided or answered is not rewritten');
    END IF;
    IF NEW.decided_by_id IS DISTINCT FROM OLD.decided_by_id AND NOT EXISTS (
        SELECT 1 FROM accounts_user u WHERE u.id = NEW.decided_by_id AND u.organisation_id = NEW.organisation_id)
       OR NEW.answered_by_id IS DISTINCT FROM OLD.answered_by_id AND NOT EXISTS (
        SELECT 1 FROM accounts_user u WHERE u.id = NEW.answered_by_id AND u.organisation_id = NEW.organisation_id) THEN
        PERFORM catalogue_refuse('statementhold_decided_in_its_office', 'officials of the office decide and answer');
    END IF;
    IF (NEW.review_at, NEW.review_words) IS DISTINCT FROM (OLD.review_at, OLD.review_words) AND (
        OLD.state <> 'held' OR OLD.review_at IS NOT NULL OR NOT records_is_the_person(NEW.person_id)) THEN
        PERFORM catalogue_refuse('statementhold_spoken_against_by_its_person', 'the person speaks against a hold, once');
    END IF;
    IF NEW.state = 'over' AND OLD.state <> 'over' AND NOT EXISTS (
        SELECT 1 FROM records_statement s WHERE s.id = NEW.statement_id AND s.ended_at IS NOT NULL) THEN
        PERFORM catalogue_refuse('statementhold_ends_with_the_words', 'only the person ends the words');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER statementhold_guard BEFORE INSERT OR UPDATE OR DELETE ON records_statementhold
    FOR EACH ROW EXECUTE FUNCTION records_hold_guard();
CREATE TRIGGER statementhold_no_truncate BEFORE TRUNCATE ON records_statementhold EXECUTE FUNCTION cf_refuse_change();

-- New words, or none: the review of the old ones is over. Words that go take their reviews along.
CREATE FUNCTION records_words_end() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        DELETE FROM records_statementhold WHERE statement_id = OLD.id;
    ELSE
        UPDATE records_statementhold SET state = 'over', ended_at = now()
         WHERE statement_id = NEW.id AND state IN ('looking', 'asked', 'held');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER statement_words_end AFTER UPDATE OF ended_at ON records_statement FOR EACH ROW
    WHEN (OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL) EXECUTE FUNCTION records_words_end();
CREATE TRIGGER statement_words_go AFTER DELETE ON records_statement FOR EACH ROW EXECUTE FUNCTION records_words_end();
"""
HOLDS_UNDONE = """
DROP TRIGGER statement_words_go ON records_statement;
DROP TRIGGER statement_words_end ON records_statement;
DROP FUNCTION records_words_end();
DROP TRIGGER statementhold_no_truncate ON records_statementhold;
DROP TRIGGER statementhold_guard ON records_statementhold;
DROP FUNCTION records_hold_guard();
DROP POLICY statement_ended_by_its_person ON records_statement;
DROP POLICY statement_held_is_its_persons_own ON records_statement;
DROP POLICY statement_read_for_its_review ON records_statement;
DROP FUNCTION records_is_the_person(bigint);
DROP FUNCTION records_statement_under_review();
DROP FUNCTION records_item_of_hold(bigint);
DROP FUNCTION records_statement_beside(text);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_whose_account"),
        ("records", "0009_lists"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="export",
            name="ends_by",
            field=models.DateField(blank=True, null=True, verbose_name="公示结束不晚于"),
        ),
        migrations.AddField(
            model_name="export",
            name="provider",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="accounts.organisation",
                verbose_name="提供单位",
            ),
        ),
        migrations.AddField(
            model_name="export",
            name="record_ids",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.BigIntegerField(), blank=True, null=True, size=None, verbose_name="只要这些记录"
            ),
        ),
        migrations.AddField(
            model_name="export",
            name="severity",
            field=models.SmallIntegerField(
                blank=True,
                choices=[(0, "不适用"), (1, "轻微"), (2, "一般"), (3, "严重")],
                null=True,
                verbose_name="失信程度",
            ),
        ),
        migrations.CreateModel(
            name="StatementHold",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("record_no", models.CharField(max_length=24, verbose_name="记录编号")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("looking", "复核中"),
                            ("asked", "待审核"),
                            ("held", "已暂停显示"),
                            ("refused", "未同意，照常显示"),
                            ("dropped", "已结束，照常显示"),
                            ("lifted", "已恢复显示"),
                            ("over", "本人已更换或撤回"),
                        ],
                        default="looking",
                        max_length=8,
                        verbose_name="状态",
                    ),
                ),
                ("why", models.CharField(max_length=200, verbose_name="为什么复核")),
                (
                    "ground",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("others", "含有他人的个人信息（个人信息保护法第十条）"),
                            ("forbidden", "含有法律禁止归集的个人信息（征信业管理条例第十四条）"),
                            ("insult", "侮辱、诽谤他人（民法典第一千零二十四条）"),
                        ],
                        max_length=10,
                        verbose_name="理由",
                    ),
                ),
                ("told", models.CharField(blank=True, max_length=300, verbose_name="告知本人的内容")),
                (
                    "opened_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="开始时间"),
                ),
                ("decided_at", models.DateTimeField(null=True, verbose_name="审核时间")),
                ("decision_note", models.CharField(blank=True, max_length=300, verbose_name="审核意见")),
                ("review_at", models.DateTimeField(null=True, verbose_name="本人申请复核时间")),
                ("review_words", models.CharField(blank=True, max_length=300, verbose_name="本人的意见")),
                ("answered_at", models.DateTimeField(null=True, verbose_name="答复时间")),
                ("answer", models.CharField(blank=True, max_length=300, verbose_name="答复")),
                ("ended_at", models.DateTimeField(null=True, verbose_name="结束时间")),
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
                    "asked_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="经办人",
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
                        verbose_name="复核单位",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.person",
                        verbose_name="本人",
                    ),
                ),
                (
                    "record",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="records.record",
                    ),
                ),
                (
                    "statement",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="holds",
                        to="records.statement",
                    ),
                ),
            ],
            options={
                "verbose_name": "声明复核",
                "verbose_name_plural": "声明复核",
                "db_table_comment": "kept as long as the statement: who held it back, on what ground, what the person was told",
                "ordering": ["-id"],
                "permissions": [("hold_statement", "复核个人声明")],
                "default_permissions": (),
                "indexes": [models.Index(fields=["organisation", "-id"], name="statementhold_by_office")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ["looking", "asked", "held"])),
                        fields=("statement",),
                        name="statementhold_one_at_a_time",
                        violation_error_message="这条声明已有未结束的复核。",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("why", ""), _negated=True), name="statementhold_says_why_it_looked"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state__in", ["asked", "held", "refused", "lifted"]), _negated=True),
                            models.Q(models.Q(("ground", ""), _negated=True), models.Q(("told", ""), _negated=True)),
                            _connector="OR",
                        ),
                        name="statementhold_tells_the_person_why",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("decided_by__isnull", True),
                            models.Q(("decided_by", models.F("asked_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="statementhold_decided_by_another",
                        violation_error_message="须由本单位另一名工作人员审核。",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state__in", ["held", "refused", "lifted"]), _negated=True),
                            models.Q(("decided_at__isnull", False), ("decided_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="statementhold_decided_by_somebody",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "refused"), _negated=True),
                            models.Q(("decision_note", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="statementhold_refused_with_a_reason",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("answered_by__isnull", True),
                            models.Q(
                                models.Q(("answered_by", models.F("decided_by")), _negated=True),
                                models.Q(("answer", ""), _negated=True),
                                ("answered_at__isnull", False),
                                ("review_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="statementhold_answered_by_another_with_a_reason",
                        violation_error_message="作出决定的人不能答复对自己决定的意见。",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("review_at__isnull", True), models.Q(("review_words", ""), _negated=True), _connector="OR"
                        ),
                        name="statementhold_review_says_something",
                    ),
                ],
            },
        ),
        migrations.RunSQL(MATCHES, MATCHES_UNDONE),
        migrations.RunSQL(HOLDS, HOLDS_UNDONE),
    ]
