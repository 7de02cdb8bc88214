"""Requests of right about one's own records: asked by the person, granted when it is done, refused by two, always told."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

RIGHTS = """
-- Asked by the person alone, under their own line of this transaction, about a record of theirs that they can see. Item and
-- supplier are the record's.
CREATE FUNCTION records_right_guard() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE found_ records_record;
BEGIN
    NEW.at := now();
    NEW.state := 'open';
    IF NEW.person_id IS DISTINCT FROM access_survivor(NEW.person_id) OR NOT access_is_the_person(NEW.person_id, NEW.asked_by_id) THEN
        PERFORM catalogue_refuse('rightsrequest_asked_by_the_person', 'only the person asks about their own records');
    END IF;
    IF NEW.record_no ~ '^R[0-9]{18}[0-9A-Z]$' THEN
        SELECT * INTO found_ FROM records_record r
         WHERE r.id = substr(NEW.record_no, 10, 10)::bigint AND r.person_id = NEW.person_id AND r.state NOT IN (2, 6)
           AND substr(NEW.record_no, 2, 8) = to_char(r.created_at AT TIME ZONE 'Asia/Shanghai', 'YYYYMMDD');
    END IF;
    IF found_.id IS NULL THEN
        PERFORM catalogue_refuse('rightsrequest_about_ones_own_record', 'there is no such record about this person');
    END IF;
    NEW.item_id := found_.item_id;
    NEW.organisation_id := found_.provider_id;
    RETURN NEW;
END $$;
CREATE TRIGGER rightsrequest_guard BEFORE INSERT ON records_rightsrequest FOR EACH ROW EXECUTE FUNCTION records_right_guard();

-- The supplier answers, having opened the record under the request's number. Granted is what an act has done; a refusal is
-- confirmed or returned by another.
CREATE FUNCTION records_right_stepped() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE r records_rightsrequest; said records_rightsstep;
BEGIN
    NEW.at := now();
    SELECT * INTO r FROM records_rightsrequest WHERE id = NEW.request_id FOR UPDATE;
    SELECT * INTO said FROM records_rightsstep WHERE request_id = r.id ORDER BY id DESC LIMIT 1;
    IF r.state IS DISTINCT FROM (CASE WHEN NEW.deed IN ('granted', 'refusal') THEN 'open' ELSE 'proposed' END) THEN
        PERFORM catalogue_refuse('rightsrequest_moves_along_its_arrows', format('a request that is %s is not %s', r.state, NEW.deed));
    END IF;
    IF NOT EXISTS (SELECT 1 FROM accounts_user u WHERE u.id = NEW.by_id AND u.organisation_id = r.organisation_id)
       OR NOT (records_holds(NEW.by_id, 'decide_act')
               OR NEW.deed IN ('granted', 'refusal') AND records_holds(NEW.by_id, 'ask_act')) THEN
        PERFORM catalogue_refuse('rightsstep_by_its_supplier', 'officials of the supplier answer');
    END IF;
    IF NEW.deed IN ('confirmed', 'returned') AND said.by_id = NEW.by_id THEN
        PERFORM catalogue_refuse('rightsstep_refused_by_two', 'whoever proposed to refuse does not confirm it');
    END IF;
    IF NOT records_was_opened(NEW.by_id, records_paper_no('Q', r.id, r.at), access_survivor(r.person_id), r.at) THEN
        PERFORM catalogue_refuse('rightsstep_opened_before', 'whoever answers has opened the record, with a line in the query log');
    END IF;
    IF NEW.deed = 'granted' AND r.kind <> 'explain' AND NOT EXISTS (
        SELECT 1 FROM records_recordact a JOIN records_actrecord n ON n.act_id = a.id
         WHERE a.id = NEW.act_id AND a.state = 'done' AND a.done_at >= r.at AND n.record_no = r.record_no
           AND a.kind = ANY (CASE r.kind WHEN 'correct' THEN ARRAY['correct', 'withdraw', 'cancel']
                                         WHEN 'delete' THEN ARRAY['withdraw', 'cancel']
                                         ELSE ARRAY['objection', 'review', 'withdraw', 'cancel', 'repair'] END)) THEN
        PERFORM catalogue_refuse('rightsstep_granted_is_done', 'what is granted was done by an act');
    END IF;
    UPDATE records_rightsrequest SET state = CASE NEW.deed WHEN 'granted' THEN 'granted' WHEN 'refusal' THEN 'proposed'
                                                           WHEN 'confirmed' THEN 'refused' ELSE 'open' END WHERE id = r.id;
    RETURN NEW;
END $$;
CREATE TRIGGER rightsstep_guard BEFORE INSERT ON records_rightsstep FOR EACH ROW EXECUTE FUNCTION records_right_stepped();

-- No outcome without a message to the person: checked when the transaction ends.
CREATE FUNCTION records_right_is_told() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM records_rightsrequest r JOIN access_message m ON m.person_id = r.person_id
                      AND m.about = records_paper_no('Q', r.id, r.at) AND m.at = transaction_timestamp()
                    WHERE r.id = NEW.request_id) THEN
        PERFORM catalogue_refuse('rightsrequest_is_told', 'the person is told of every outcome');
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER rightsstep_is_told AFTER INSERT ON records_rightsstep DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.deed IN ('granted', 'confirmed')) EXECUTE FUNCTION records_right_is_told();

-- A request moves by its steps only, and never after its end.
CREATE FUNCTION records_right_is_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR to_jsonb(NEW) - 'state' IS DISTINCT FROM to_jsonb(OLD) - 'state' OR OLD.state IN ('granted', 'refused') THEN
        PERFORM catalogue_refuse('rightsrequest_is_fixed', 'what was asked, and what is over, stays');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER rightsrequest_is_fixed BEFORE UPDATE OR DELETE ON records_rightsrequest
    FOR EACH ROW EXECUTE FUNCTION records_right_is_fixed();
CREATE TRIGGER rightsrequest_no_truncate BEFORE TRUNCATE ON records_rightsrequest EXECUTE FUNCTION cf_refuse_change();
CREATE TRIGGER rightsstep_append_only BEFORE UPDATE OR DELETE ON records_rightsstep FOR EACH ROW EXECUTE FUNCTION cf_refuse_change();
CREATE TRIGGER rightsstep_no_truncate BEFORE TRUNCATE ON records_rightsstep EXECUTE FUNCTION cf_refuse_change();
"""
RIGHTS_UNDONE = """
DROP TRIGGER rightsstep_no_truncate ON records_rightsstep;
DROP TRIGGER rightsstep_append_only ON records_rightsstep;
DROP TRIGGER rightsrequest_no_truncate ON records_rightsrequest;
DROP TRIGGER rightsrequest_is_fixed ON records_rightsrequest;
DROP TRIGGER rightsstep_is_told ON records_rightsstep;
DROP TRIGGER rightsstep_guard ON records_rightsstep;
DROP TRIGGER rightsrequest_guard ON records_rightsrequest;
DROP FUNCTION records_right_is_fixed();
DROP FUNCTION records_right_is_told();
DROP FUNCTION records_right_stepped();
DROP FUNCTION records_right_guard();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("records", "0033_regions"),
        ("access", "0015_questions"),
        ("catalogue", "0012_rights_deadlines"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="RightsRequest",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("correct", "更正、补充"), ("delete", "删除"), ("explain", "解释说明"), ("restrict", "限制、拒绝处理"),
                        ],
                        max_length=8, verbose_name="权利",
                    ),
                ),
                ("record_no", models.CharField(max_length=24, verbose_name="记录编号")),
                ("text", models.CharField(max_length=500, verbose_name="请求内容和理由")),
                (
                    "at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="提出时间"
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "待答复"), ("proposed", "拟不同意，待复核"), ("granted", "已办理"), ("refused", "不同意"),
                        ],
                        default="open", max_length=8, verbose_name="状态",
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
                    "item",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="catalogue.item",
                        verbose_name="目录条目",
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.organisation",
                        verbose_name="提供单位",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        editable=False, on_delete=django.db.models.deletion.PROTECT, related_name="+",
                        to="accounts.person",
                    ),
                ),
            ],
            options={
                "verbose_name": "权利请求",
                "verbose_name_plural": "权利请求",
                "db_table_comment": "append-only to the application, moved by the database: a person's requests about their records",
                "ordering": ["-id"],
                "default_permissions": (),
                "indexes": [
                    models.Index(fields=["person", "-id"], name="rightsrequest_by_person"),
                    models.Index(fields=["organisation", "state"], name="rightsrequest_by_organisation"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(state__in=["open", "proposed"]), fields=("record_no", "kind"),
                        name="rightsrequest_once_at_a_time",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("text", ""), _negated=True), name="rightsrequest_says_what"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(kind__in=["correct", "delete", "explain", "restrict"]),
                        name="rightsrequest_kind_is_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="RightsStep",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "deed",
                    models.CharField(
                        choices=[
                            ("granted", "已办理"), ("refusal", "拟不同意"), ("confirmed", "复核：不同意"),
                            ("returned", "退回重新办理"),
                        ],
                        max_length=9, verbose_name="办理",
                    ),
                ),
                ("text", models.CharField(max_length=500, verbose_name="答复（本人可见）")),
                (
                    "at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="时间"),
                ),
                (
                    "act",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name="rights_steps",
                        to="records.recordact", verbose_name="办理单",
                    ),
                ),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL,
                        verbose_name="办理人",
                    ),
                ),
                (
                    "request",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="steps", to="records.rightsrequest"
                    ),
                ),
            ],
            options={
                "verbose_name": "权利请求的办理",
                "verbose_name_plural": "权利请求的办理",
                "db_table_comment": "append-only: who granted, proposed to refuse, confirmed or returned a request, and the reasons",
                "ordering": ["id"],
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("text", ""), _negated=True), name="rightsstep_says_why",
                        violation_error_message="请写明答复的理由。",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(deed__in=["granted", "refusal", "confirmed", "returned"]),
                        name="rightsstep_deed_is_known",
                    ),
                ],
            },
        ),
        migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE", migrations.RunSQL.noop),
        migrations.RunSQL(RIGHTS, RIGHTS_UNDONE),
    ]  # fmt: skip
