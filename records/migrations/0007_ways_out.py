"""The ways out: credit reports with their verification and printing, exports with their review and query lines."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.datetime
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

RULES = """
-- A request at the counter is decided once, by another officer of the same counter, while it is fresh.
CREATE FUNCTION records_counterrequest_guard() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        PERFORM catalogue_refuse('counterrequest_is_kept', 'requests at the counter are kept');
    ELSIF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'waiting' THEN
            PERFORM catalogue_refuse('counterrequest_begins_waiting', 'a request begins by waiting for the second officer');
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.state <> 'waiting'
       OR (NEW.person_id, NEW.asked_by_id, NEW.organisation_id, NEW.asked_at, NEW.expires_at)
          IS DISTINCT FROM (OLD.person_id, OLD.asked_by_id, OLD.organisation_id, OLD.asked_at, OLD.expires_at) THEN
        PERFORM catalogue_refuse('counterrequest_is_what_it_was', 'a request is decided once and never rewritten');
    END IF;
    IF NEW.state = 'issued' AND now() >= NEW.expires_at THEN
        PERFORM catalogue_refuse('counterrequest_is_fresh', 'the request has run out');
    END IF;
    IF NEW.decided_by_id IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM accounts_user u WHERE u.id = NEW.decided_by_id AND u.organisation_id = NEW.organisation_id
    ) THEN
        PERFORM catalogue_refuse('counterrequest_decided_at_its_counter', 'an officer of the same counter decides');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER counterrequest_guard BEFORE INSERT OR UPDATE OR DELETE ON records_counterrequest
    FOR EACH ROW EXECUTE FUNCTION records_counterrequest_guard();

-- Whether this transaction has written the line of a reading of the person's whole file, of that kind.
CREATE FUNCTION records_whole_file_is_open(person bigint, kinds text[]) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT 1 FROM access_queryperson q
         WHERE q.person_id = person AND q.at = transaction_timestamp() AND q.xid = pg_current_xact_id()
           AND q.allowed AND q.items IS NULL AND q.kind = ANY (kinds)
    )
$$;

-- No report without its query line, to nobody but the person themselves or, by two officers, at the counter.
CREATE FUNCTION records_report_guard() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.issued_at <> transaction_timestamp() THEN
        PERFORM catalogue_refuse('report_is_issued_now', 'a report bears the time of its issue');
    END IF;
    IF NOT records_whole_file_is_open(NEW.person_id, ARRAY[CASE NEW.kind WHEN 'online' THEN 'Q1' ELSE 'Q2' END])
       OR NOT EXISTS (SELECT 1 FROM access_queryperson q
                       WHERE q.query_id = NEW.query_seq AND q.at = transaction_timestamp()
                         AND q.person_id = NEW.person_id) THEN
        PERFORM catalogue_refuse('report_has_its_query_line', 'no report without a query line of its own');
    END IF;
    IF NEW.kind = 'online' AND NOT EXISTS (
        SELECT 1 FROM accounts_user u WHERE u.id = NEW.by_id AND u.person_id = NEW.person_id
    ) THEN
        PERFORM catalogue_refuse('report_online_is_for_oneself', 'online, a report is issued to the person themselves');
    END IF;
    IF NEW.kind = 'counter' AND NOT EXISTS (
        SELECT 1 FROM records_counterrequest c
         WHERE c.id = NEW.counter_request_id AND c.state = 'issued' AND c.person_id = NEW.person_id
           AND c.decided_by_id = NEW.by_id AND c.organisation_id = NEW.organisation_id
    ) THEN
        PERFORM catalogue_refuse('report_at_the_counter_was_confirmed', 'at the counter, two officers issue a report');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER report_guard BEFORE INSERT ON records_report
    FOR EACH ROW EXECUTE FUNCTION records_report_guard();

ALTER TABLE records_reportentry ENABLE ROW LEVEL SECURITY;
CREATE POLICY entry_read_with_the_file ON records_reportentry FOR SELECT USING (
    EXISTS (SELECT 1 FROM records_report r
             WHERE r.id = report_id AND records_whole_file_is_open(r.person_id, ARRAY['Q1', 'Q2']))
);
CREATE POLICY entry_written_with_its_report ON records_reportentry FOR INSERT WITH CHECK (
    EXISTS (SELECT 1 FROM records_report r
             WHERE r.id = report_id AND r.issued_at = transaction_timestamp()
               AND records_whole_file_is_open(r.person_id, ARRAY['Q1', 'Q2']))
);

-- Every printing has a query line and the next number.
CREATE FUNCTION records_reportprint_guard() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE report records_report;
BEGIN
    SELECT * INTO report FROM records_report r WHERE r.id = NEW.report_id;
    IF report.kind <> 'counter' OR NOT EXISTS (
        SELECT 1 FROM accounts_user u WHERE u.id = NEW.by_id AND u.organisation_id = report.organisation_id
    ) THEN
        PERFORM catalogue_refuse('reportprint_at_its_counter', 'a report is printed at the counter that issued it');
    END IF;
    IF NOT EXISTS (SELECT 1 FROM access_queryperson q
                    WHERE q.query_id = NEW.query_seq AND q.at = transaction_timestamp() AND q.allowed
                      AND q.xid = pg_current_xact_id() AND q.person_id = report.person_id AND q.kind = 'Q2') THEN
        PERFORM catalogue_refuse('reportprint_has_its_query_line', 'no printing without a query line of its own');
    END IF;
    IF NEW.copy <> 1 + (SELECT count(*) FROM records_reportprint p WHERE p.report_id = NEW.report_id) THEN
        PERFORM catalogue_refuse('reportprint_counts_every_copy', 'copies are numbered one after the other');
    END IF;
    NEW.at := transaction_timestamp();
    RETURN NEW;
END $$;
CREATE TRIGGER reportprint_guard BEFORE INSERT ON records_reportprint
    FOR EACH ROW EXECUTE FUNCTION records_reportprint_guard();

-- The sealed PDF goes on its day, not before.
CREATE FUNCTION records_reportfile_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' OR OLD.keep_until > cf_today() THEN
        PERFORM catalogue_refuse('reportfile_is_kept', 'the file of a report is kept until its day');
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER reportfile_guard BEFORE UPDATE OR DELETE ON records_reportfile
    FOR EACH ROW EXECUTE FUNCTION records_reportfile_guard();

-- The records that others than their person may be shown today, which is what may leave on paper or in a file: reports are
-- handed on. The ways out take and count by this rule, which says what the policies on records say.
CREATE FUNCTION records_shown() RETURNS SETOF records_record LANGUAGE sql STABLE AS $$
    SELECT r.* FROM records_record r
     WHERE r.query_until > cf_today()
       AND records_is_in_use(r.state, r.usable_from, r.hidden_at)
       AND r.item_id <> ALL ((SELECT catalogue_withdrawn_items() || catalogue_withheld_items())::bigint[])
       AND r.id <> ALL ((SELECT records_unsound())::bigint[])
$$;

-- What became of a report's records since: numbers only, to whoever holds the code, once the line is written.
CREATE FUNCTION records_report_changes(report_number text, hashes bytea[])
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

-- The records that an export asks for; called by the application, row-level security leaves only what is logged.
CREATE FUNCTION records_export_matches(export bigint) RETURNS SETOF records_record LANGUAGE sql STABLE AS $$
    SELECT r.* FROM records_export e JOIN records_shown() r ON r.item_id = ANY (e.item_ids)
     WHERE e.id = export
       AND (NOT e.own_only OR r.provider_id = e.organisation_id)
       AND (e.decided_from IS NULL OR r.doc_date >= e.decided_from)
       AND (e.decided_until IS NULL OR r.doc_date <= e.decided_until)
       AND CASE e.which WHEN 'public' THEN coalesce(r.publication @> cf_today(), false)
                        WHEN 'not_public' THEN NOT coalesce(r.publication @> cf_today(), false) ELSE true END
$$;

ALTER TABLE records_exporttarget ENABLE ROW LEVEL SECURITY;

-- Who would be in it: numbers come out, the list itself stays inside.
CREATE FUNCTION records_export_gather(export bigint) RETURNS TABLE (persons_found bigint, records_found bigint)
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

-- Write the lines of the next persons and say how far they go; only while the export runs, only under its own query.
CREATE FUNCTION records_export_open(export bigint, line bigint, many int)
RETURNS TABLE (until_person bigint, persons_passed bigint, persons_opened bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE asked records_export;
BEGIN
    SELECT * INTO asked FROM records_export e WHERE e.id = export FOR UPDATE;
    IF asked.state IS DISTINCT FROM 'running' THEN
        PERFORM catalogue_refuse('export_reads_while_it_runs', 'this export may not read');
    END IF;
    IF NOT EXISTS (
        SELECT 1 FROM access_query q
         WHERE q.seq = line AND q.at = transaction_timestamp() AND q.kind = 'Q5' AND q.decision = 'allowed'
           AND q.actor_id = asked.requested_by_id AND q.case_no = asked.case_no AND q.duty_code = asked.duty_code
    ) THEN
        PERFORM catalogue_refuse('export_has_its_query_line', 'no export without a query line of its own');
    END IF;
    RETURN QUERY WITH page AS MATERIALIZED (
        SELECT t.person_id FROM records_exporttarget t
         WHERE t.export_id = export AND t.person_id > asked.last_person ORDER BY t.person_id LIMIT many
    ), written AS (
        INSERT INTO access_queryperson (query_id, person_id, kind, allowed, items)
        SELECT line, p.person_id, 'Q5', true, asked.item_ids FROM page p
         WHERE EXISTS (SELECT 1 FROM records_export_matches(export) m WHERE m.person_id = p.person_id)
        RETURNING 1
    )
    SELECT max(p.person_id), count(*), (SELECT count(*) FROM written) FROM page p;
END $$;

-- An export moves along its arrows; what was asked for is fixed; more than fifty persons need another officer.
CREATE FUNCTION records_export_guard() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        PERFORM catalogue_refuse('export_is_kept', 'exports are kept');
    ELSIF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'requested' OR num_nonnulls(NEW.reviewed_by_id, NEW.persons, NEW.file_id, NEW.link_until) > 0
           OR NOT EXISTS (SELECT 1 FROM accounts_user u
                           WHERE u.id = NEW.requested_by_id AND u.organisation_id = NEW.organisation_id) THEN
            PERFORM catalogue_refuse('export_begins_as_a_request', 'an export begins as a request of one''s own organisation');
        END IF;
        RETURN NEW;
    END IF;
    IF (NEW.requested_by_id, NEW.organisation_id, NEW.purpose, NEW.purpose_text, NEW.duty_code, NEW.case_no, NEW.item_ids,
        NEW.own_only, NEW.decided_from, NEW.decided_until, NEW.which, NEW.format, NEW.requested_at) IS DISTINCT FROM
       (OLD.requested_by_id, OLD.organisation_id, OLD.purpose, OLD.purpose_text, OLD.duty_code, OLD.case_no, OLD.item_ids,
        OLD.own_only, OLD.decided_from, OLD.decided_until, OLD.which, OLD.format, OLD.requested_at) THEN
        PERFORM catalogue_refuse('export_is_what_was_asked_for', 'what was asked for is never rewritten');
    END IF;
    IF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (
        ('requested', 'awaiting'), ('requested', 'running'), ('requested', 'cancelled'), ('requested', 'failed'),
        ('awaiting', 'running'), ('awaiting', 'refused'), ('awaiting', 'cancelled'),
        ('running', 'ready'), ('running', 'cancelled'), ('running', 'failed'),
        ('failed', 'requested'), ('failed', 'running'), ('failed', 'cancelled'), ('ready', 'expired')
    ) THEN
        PERFORM catalogue_refuse('export_moves_along_its_arrows', format('an export may not go from %s to %s', OLD.state, NEW.state));
    END IF;
    IF NEW.reviewed_by_id IS DISTINCT FROM OLD.reviewed_by_id AND (
        OLD.state <> 'awaiting' OR NOT EXISTS (
            SELECT 1 FROM accounts_user u WHERE u.id = NEW.reviewed_by_id AND u.organisation_id = NEW.organisation_id)
    ) THEN
        PERFORM catalogue_refuse('export_reviewed_in_its_organisation', 'another officer of the organisation reviews');
    END IF;
    IF NEW.persons IS DISTINCT FROM OLD.persons AND NEW.persons IS DISTINCT FROM
       (SELECT count(*) FROM records_exporttarget t WHERE t.export_id = NEW.id) THEN
        PERFORM catalogue_refuse('export_counts_its_persons', 'the database counts the persons of an export');
    END IF;
    IF NEW.state = 'running' AND (NEW.persons IS NULL OR NEW.persons > 50 AND NEW.reviewed_by_id IS NULL) THEN
        PERFORM catalogue_refuse('export_of_many_is_reviewed', 'more than fifty persons need another officer');
    END IF;
    IF NEW.state IN ('ready', 'expired', 'refused', 'cancelled') AND NEW.state <> OLD.state THEN
        DELETE FROM records_exporttarget t WHERE t.export_id = NEW.id;  -- the list of people is needed no longer
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER export_guard BEFORE INSERT OR UPDATE OR DELETE ON records_export
    FOR EACH ROW EXECUTE FUNCTION records_export_guard();

CREATE FUNCTION records_exportdownload_guard() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM records_export e WHERE e.id = NEW.export_id AND e.state = 'ready'
                    AND e.requested_by_id = NEW.by_id AND now() < e.link_until AND now() < e.keep_until) THEN
        PERFORM catalogue_refuse('exportdownload_by_its_requester', 'whoever asked for the export fetches it, in time');
    END IF;
    NEW.at := now();
    RETURN NEW;
END $$;
CREATE TRIGGER exportdownload_guard BEFORE INSERT ON records_exportdownload
    FOR EACH ROW EXECUTE FUNCTION records_exportdownload_guard();
"""
KEPT = ("report", "reportentry", "reportprint", "exportdownload")
APPEND_ONLY = "".join(
    f"""
CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON records_{table}
    FOR EACH ROW EXECUTE FUNCTION cf_refuse_change();
CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON records_{table} EXECUTE FUNCTION cf_refuse_change();
"""
    for table in KEPT
)
UNDONE = """
DROP TRIGGER exportdownload_guard ON records_exportdownload;
DROP FUNCTION records_exportdownload_guard();
DROP TRIGGER export_guard ON records_export;
DROP FUNCTION records_export_guard();
DROP FUNCTION records_export_open(bigint, bigint, int);
DROP FUNCTION records_export_gather(bigint);
DROP FUNCTION records_export_matches(bigint);
DROP FUNCTION records_report_changes(text, bytea[]);
DROP FUNCTION records_shown();
DROP TRIGGER reportfile_guard ON records_reportfile;
DROP FUNCTION records_reportfile_guard();
DROP TRIGGER reportprint_guard ON records_reportprint;
DROP FUNCTION records_reportprint_guard();
DROP POLICY entry_written_with_its_report ON records_reportentry;
DROP POLICY entry_read_with_the_file ON records_reportentry;
DROP TRIGGER report_guard ON records_report;
DROP FUNCTION records_report_guard();
DROP FUNCTION records_whole_file_is_open(bigint, text[]);
DROP TRIGGER counterrequest_guard ON records_counterrequest;
DROP FUNCTION records_counterrequest_guard();
""" + "".join(
    f"DROP TRIGGER {table}_append_only ON records_{table}; DROP TRIGGER {table}_no_truncate ON records_{table};"
    for table in KEPT
)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_common"),
        ("catalogue", "0009_supply"),
        ("records", "0006_life"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Report",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.CharField(max_length=21, unique=True, verbose_name="报告编号")),
                (
                    "kind",
                    models.CharField(
                        choices=[("online", "本人网上下载"), ("counter", "窗口出具")],
                        max_length=8,
                        verbose_name="出具方式",
                    ),
                ),
                ("query_seq", models.BigIntegerField(verbose_name="查询日志号")),
                ("issued_at", models.DateTimeField(verbose_name="出具时间")),
                ("records", models.PositiveIntegerField(verbose_name="记录条数")),
                ("sha256", models.CharField(max_length=64, verbose_name="SHA-256")),
                ("code_hash", models.BinaryField(verbose_name="验证码（索引）")),
                ("snapshot", models.BinaryField(help_text="所载记录及其版本的 SHA-256", verbose_name="内容摘要")),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="出具人",
                    ),
                ),
            ],
            options={
                "verbose_name": "信用报告",
                "verbose_name_plural": "信用报告",
                "db_table_comment": "append-only: every report issued, with the digests of its file and of what it rests on",
                "ordering": ["-id"],
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="CounterRequest",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "state",
                    models.CharField(
                        choices=[("waiting", "待第二人核对"), ("issued", "已出具"), ("refused", "已退回")],
                        default="waiting",
                        max_length=8,
                        verbose_name="状态",
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=200, verbose_name="退回理由")),
                ("asked_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="提出时间")),
                ("expires_at", models.DateTimeField(verbose_name="有效至")),
                ("decided_at", models.DateTimeField(null=True, verbose_name="核对时间")),
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
                        verbose_name="核对人",
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
                        related_name="+",
                        to="accounts.person",
                        verbose_name="当事人",
                    ),
                ),
            ],
            options={
                "verbose_name": "窗口出具报告",
                "verbose_name_plural": "窗口出具报告",
                "ordering": ["-id"],
                "permissions": [("print_report", "窗口核对并打印信用报告")],
                "default_permissions": ("view", "add"),
            },
        ),
        migrations.CreateModel(
            name="Export",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "purpose",
                    models.CharField(
                        choices=[
                            ("licensing", "办理行政许可"),
                            ("supervision", "日常监督检查"),
                            ("penalty", "办理行政处罚案件"),
                            ("listing", "办理名单认定或移出"),
                            ("repair", "办理信用修复"),
                            ("objection", "办理异议"),
                            ("award", "办理表彰奖励"),
                            ("other", "其他法定职责"),
                        ],
                        max_length=20,
                        verbose_name="查询事由",
                    ),
                ),
                ("purpose_text", models.CharField(max_length=200, verbose_name="事由说明")),
                ("duty_code", models.CharField(max_length=40, verbose_name="事项编码")),
                ("case_no", models.CharField(max_length=60, verbose_name="案件（办件）编号")),
                (
                    "item_ids",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), size=None, verbose_name="条目"
                    ),
                ),
                ("own_only", models.BooleanField(default=True, verbose_name="只要本单位提供的")),
                ("decided_from", models.DateField(blank=True, null=True, verbose_name="认定日期自")),
                ("decided_until", models.DateField(blank=True, null=True, verbose_name="认定日期至")),
                (
                    "which",
                    models.CharField(
                        choices=[
                            ("all", "查询期内的全部记录"),
                            ("public", "公示中的记录"),
                            ("not_public", "不公示的记录"),
                        ],
                        default="all",
                        max_length=12,
                        verbose_name="范围",
                    ),
                ),
                (
                    "format",
                    models.CharField(
                        choices=[("csv", "CSV（UTF-8）"), ("xlsx", "Excel（xlsx）")],
                        default="xlsx",
                        max_length=4,
                        verbose_name="格式",
                    ),
                ),
                ("channel", models.CharField(max_length=20, verbose_name="渠道")),
                ("address", models.CharField(blank=True, max_length=50, verbose_name="来源网段")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("requested", "已申请"),
                            ("awaiting", "待复核"),
                            ("running", "导出中"),
                            ("ready", "可下载"),
                            ("expired", "已删除"),
                            ("refused", "未获同意"),
                            ("cancelled", "已取消"),
                            ("failed", "处理中断"),
                        ],
                        default="requested",
                        max_length=10,
                        verbose_name="状态",
                    ),
                ),
                ("decision_reason", models.CharField(blank=True, max_length=200, verbose_name="复核意见")),
                ("failure", models.CharField(blank=True, max_length=200, verbose_name="中断原因")),
                ("persons", models.PositiveIntegerField(null=True, verbose_name="涉及人数")),
                ("records", models.PositiveIntegerField(null=True, verbose_name="涉及记录数")),
                ("persons_done", models.PositiveIntegerField(default=0, verbose_name="已读取人数")),
                ("rows", models.PositiveIntegerField(default=0, verbose_name="已写出行数")),
                ("last_person", models.BigIntegerField(default=0, verbose_name="读到哪一人")),
                ("cancel_requested", models.BooleanField(default=False, verbose_name="要求取消")),
                ("requested_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="申请时间")),
                ("reviewed_at", models.DateTimeField(null=True, verbose_name="复核时间")),
                ("ready_at", models.DateTimeField(null=True, verbose_name="完成时间")),
                ("keep_until", models.DateTimeField(null=True, verbose_name="文件保存至")),
                ("link_until", models.DateTimeField(null=True, verbose_name="下载链接有效至")),
                (
                    "file",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="records.sealedfile",
                        verbose_name="文件",
                    ),
                ),
                ("items", models.ManyToManyField(related_name="+", to="catalogue.item", verbose_name="条目")),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organisation",
                        verbose_name="申请单位",
                    ),
                ),
                (
                    "requested_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="exports",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="申请人",
                    ),
                ),
                (
                    "reviewed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="复核人",
                    ),
                ),
            ],
            options={
                "verbose_name": "记录导出",
                "verbose_name_plural": "记录导出",
                "ordering": ["-id"],
                "permissions": [("review_export", "复核本单位的导出")],
                "default_permissions": ("view", "add"),
            },
        ),
        migrations.CreateModel(
            name="ExportDownload",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("address", models.CharField(blank=True, max_length=50, verbose_name="来源网段")),
                (
                    "at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="下载时间"),
                ),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="下载人",
                    ),
                ),
                (
                    "export",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="downloads",
                        to="records.export",
                        verbose_name="导出",
                    ),
                ),
            ],
            options={
                "verbose_name": "导出下载",
                "verbose_name_plural": "导出下载",
                "db_table_comment": "append-only: every download of an exported file",
                "ordering": ["id"],
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="ExportPart",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "export_id", "number", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("number", models.IntegerField()),
                ("rows", models.IntegerField()),
                ("sealed", models.BinaryField()),
                (
                    "export",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="parts", to="records.export"
                    ),
                ),
            ],
            options={
                "verbose_name": "导出片段",
                "verbose_name_plural": "导出片段",
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="ExportTarget",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "export_id", "person_id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("person_id", models.BigIntegerField()),
                (
                    "export",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="records.export",
                    ),
                ),
            ],
            options={
                "verbose_name": "导出涉及的人",
                "verbose_name_plural": "导出涉及的人",
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="ReportFile",
            fields=[
                (
                    "report",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="kept",
                        serialize=False,
                        to="records.report",
                    ),
                ),
                ("keep_until", models.DateField(help_text="当天删除", verbose_name="保存至")),
            ],
            options={
                "verbose_name": "报告文件",
                "verbose_name_plural": "报告文件",
                "default_permissions": (),
            },
        ),
        migrations.AddField(
            model_name="report",
            name="counter_request",
            field=models.OneToOneField(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="report",
                to="records.counterrequest",
                verbose_name="窗口申请",
            ),
        ),
        migrations.AddField(
            model_name="report",
            name="organisation",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="accounts.organisation",
                verbose_name="出具单位",
            ),
        ),
        migrations.AddField(
            model_name="report",
            name="person",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="reports",
                to="accounts.person",
                verbose_name="报告主体",
            ),
        ),
        migrations.CreateModel(
            name="ReportEntry",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "report_id", "record_id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("version", models.IntegerField(verbose_name="版本")),
                ("public", models.BooleanField(verbose_name="当时公示中")),
                (
                    "record",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="records.record",
                    ),
                ),
                (
                    "report",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="entries", to="records.report"
                    ),
                ),
            ],
            options={
                "verbose_name": "报告所载记录",
                "verbose_name_plural": "报告所载记录",
                "db_table_comment": "append-only: which record in which version each report holds",
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="ReportPrint",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("copy", models.PositiveSmallIntegerField(verbose_name="第几份")),
                ("reason", models.CharField(blank=True, max_length=200, verbose_name="重印理由")),
                ("query_seq", models.BigIntegerField(verbose_name="查询日志号")),
                (
                    "at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="打印时间"),
                ),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="打印人",
                    ),
                ),
                (
                    "report",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="prints",
                        to="records.report",
                        verbose_name="报告",
                    ),
                ),
            ],
            options={
                "verbose_name": "报告打印",
                "verbose_name_plural": "报告打印",
                "db_table_comment": "append-only: every printing of a report at the counter",
                "ordering": ["copy"],
                "default_permissions": (),
            },
        ),
        migrations.AddIndex(
            model_name="counterrequest",
            index=models.Index(fields=["organisation", "-id"], name="counterrequest_by_counter"),
        ),
        migrations.AddConstraint(
            model_name="counterrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("expires_at__gt", models.F("asked_at")),
                    (
                        "expires_at__lte",
                        django.db.models.expressions.CombinedExpression(
                            models.F("asked_at"), "+", models.Value("1 day")
                        ),
                    ),
                ),
                name="counterrequest_is_short_lived",
            ),
        ),
        migrations.AddConstraint(
            model_name="counterrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("decided_at__isnull", True), ("decided_by__isnull", True), ("state", "waiting")),
                    models.Q(
                        models.Q(("state", "waiting"), _negated=True),
                        ("decided_at__isnull", False),
                        ("decided_by__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="counterrequest_is_decided_by_somebody",
            ),
        ),
        migrations.AddConstraint(
            model_name="counterrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "issued"), _negated=True),
                    models.Q(("decided_by", models.F("asked_by")), _negated=True),
                    _connector="OR",
                ),
                name="counterrequest_takes_two_officers",
                violation_error_message="须由另一名窗口人员核对。",
            ),
        ),
        migrations.AddConstraint(
            model_name="counterrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "refused"), _negated=True),
                    models.Q(("reason", ""), _negated=True),
                    _connector="OR",
                ),
                name="counterrequest_refused_with_a_reason",
            ),
        ),
        migrations.AddIndex(
            model_name="export",
            index=models.Index(fields=["organisation", "-id"], name="export_by_organisation"),
        ),
        migrations.AddConstraint(
            model_name="export",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("case_no", ""), _negated=True),
                    models.Q(("duty_code", ""), _negated=True),
                    models.Q(("purpose_text", ""), _negated=True),
                ),
                name="export_names_duty_case_and_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="export",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("reviewed_by__isnull", True),
                    models.Q(("reviewed_by", models.F("requested_by")), _negated=True),
                    _connector="OR",
                ),
                name="export_reviewed_by_another",
                violation_error_message="须由本单位另一名工作人员复核。",
            ),
        ),
        migrations.AddConstraint(
            model_name="export",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("decided_from__isnull", True),
                    ("decided_until__isnull", True),
                    ("decided_until__gte", models.F("decided_from")),
                    _connector="OR",
                ),
                name="export_dates_run_forward",
            ),
        ),
        migrations.AddConstraint(
            model_name="export",
            constraint=models.CheckConstraint(
                condition=models.Q(("item_ids", []), _negated=True), name="export_names_items"
            ),
        ),
        migrations.AddConstraint(
            model_name="export",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "ready"), _negated=True),
                    models.Q(("file__isnull", False), ("keep_until__isnull", False)),
                    _connector="OR",
                ),
                name="export_ready_has_a_file_and_an_end",
            ),
        ),
        migrations.AddConstraint(
            model_name="export",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "refused"), _negated=True),
                    models.Q(models.Q(("decision_reason", ""), _negated=True), ("reviewed_by__isnull", False)),
                    _connector="OR",
                ),
                name="export_refused_with_a_reason",
            ),
        ),
        migrations.AddField(
            model_name="reportfile",
            name="file",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="records.sealedfile"
            ),
        ),
        migrations.AddIndex(
            model_name="report",
            index=models.Index(fields=["person", "-id"], name="report_by_person"),
        ),
        migrations.AddConstraint(
            model_name="report",
            constraint=models.CheckConstraint(
                condition=models.Q(("sha256__regex", "^[0-9a-f]{64}$")), name="report_is_known_by_sha256"
            ),
        ),
        migrations.AddConstraint(
            model_name="report",
            constraint=models.CheckConstraint(
                condition=models.Q(("number__regex", "^BG[0-9]{18}[0-9A-Z]$")), name="report_number_is_well_formed"
            ),
        ),
        migrations.AddConstraint(
            model_name="report",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("counter_request__isnull", True), ("kind", "online"), ("organisation__isnull", True)),
                    models.Q(("counter_request__isnull", False), ("kind", "counter"), ("organisation__isnull", False)),
                    _connector="OR",
                ),
                name="report_at_the_counter_was_asked_for_there",
            ),
        ),
        migrations.AddConstraint(
            model_name="reportprint",
            constraint=models.UniqueConstraint(fields=("report", "copy"), name="reportprint_counts_each_copy"),
        ),
        migrations.AddConstraint(
            model_name="reportprint",
            constraint=models.CheckConstraint(condition=models.Q(("copy__gte", 1)), name="reportprint_counts_from_one"),
        ),
        migrations.AddConstraint(
            model_name="reportprint",
            constraint=models.CheckConstraint(
                condition=models.Q(("copy", 1), models.Q(("reason", ""), _negated=True), _connector="OR"),
                name="reportprint_again_with_a_reason",
                violation_error_message="重印须写明理由。",
            ),
        ),
        migrations.RunSQL(RULES + APPEND_ONLY, UNDONE),
    ]
