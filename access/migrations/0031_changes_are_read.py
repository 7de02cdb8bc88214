"""Two logs are read under a reason: of queries, and of changes. A download of an export is told as one, and counted once."""

from importlib import import_module

from django.db import migrations, models

# From here on a reading says of which log it is.
GUARD = """
CREATE OR REPLACE FUNCTION access_logreading_guard() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    NEW.at := now();
    IF NOT (CASE WHEN NEW.log = 'changes' THEN catalogue_holds(NEW.reader_id, 'auditlog', 'view_logentry')
                 WHEN NEW.anomaly_id IS NULL THEN access_holds(NEW.reader_id, 'view_query')
                 ELSE access_holds(NEW.reader_id, 'view_anomaly') END) THEN
        PERFORM catalogue_refuse('logreading_by_a_reviewer', 'the log is read by its auditor, or for a review');
    END IF;
    RETURN NEW;
END $$;
"""
GUARD_UNDONE = """
CREATE OR REPLACE FUNCTION access_logreading_guard() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    NEW.at := now();
    IF NOT (CASE WHEN NEW.anomaly_id IS NULL THEN access_holds(NEW.reader_id, 'view_query')
                 ELSE access_holds(NEW.reader_id, 'view_anomaly') END) THEN
        PERFORM catalogue_refuse('logreading_by_a_reviewer', 'the log is read by its auditor, or for a review');
    END IF;
    RETURN NEW;
END $$;
"""
# What a person is told of a download; the reading itself was told when the file was made.
TOLD = """
CREATE OR REPLACE FUNCTION access_reading_is_told() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO access_message (person_id, subject, text, about)
    SELECT DISTINCT ON (u.person_id, q.seq) u.person_id,
           left(CASE WHEN NOT n.allowed THEN format('%s想查询您的信息，被拒绝', w.unit)
                     WHEN n.kind = 'Q2' THEN format('%s查询了您的信息', w.unit)
                     WHEN q.fields_class = '下载导出文件' THEN format('%s下载了含有您信息的导出文件', left(w.unit, 48))
                     ELSE format('%s依职责查询了您的信息', w.unit) END, 80),
           format('%s，%s%s。%s“谁查了我”里有凭什么、为什么；有疑问的，点一下就能要求说明。',
                  to_char(q.at AT TIME ZONE 'Asia/Shanghai', 'YYYY年FMMM月FMDD日 HH24:MI'), w.unit,
                  CASE WHEN NOT n.allowed THEN '的查询被拒绝，没有看到任何内容'
                       WHEN n.kind = 'Q2' THEN '有人持您的居民身份证办理查询'
                       WHEN q.fields_class = '下载导出文件' THEN '下载了批量导出的文件，您的信息在制作时已经读取，事由：' || split_part(q.purpose, '：', 1)
                       ELSE '查询，事由：' || split_part(q.purpose, '：', 1) END,
                  CASE WHEN n.kind = 'Q2' AND n.allowed THEN '如果不是您本人，请立即提出。' ELSE '' END),
           'L' || q.seq
      FROM told n JOIN access_query q ON q.seq = n.query_id AND q.at = n.at
      CROSS JOIN LATERAL (SELECT left(coalesce(nullif(q.organisation_name, ''), '有关单位'), 60) AS unit) w
      JOIN accounts_user u ON u.person_id = n.person_id AND u.kind = 'citizen' AND u.is_active
     WHERE CASE WHEN n.allowed THEN n.kind IN ('Q2', 'Q5') ELSE n.kind IN ('Q2', 'Q3', 'Q4', 'Q5') END
       AND split_part(q.purpose, '：', 1) NOT IN ('办理信用修复', '办理异议', '办理本人的请求', '查看纸质授权书扫描件',
                                                  '查看委托书或者亲属、死亡证明的扫描件');
    RETURN NULL;
END $$;
"""
_TOLD = import_module("access.migrations.0016_notices").NOTICES
TOLD_UNDONE = (
    "CREATE OR REPLACE"
    + _TOLD[len("CREATE") + _TOLD.index("CREATE FUNCTION") : _TOLD.index("END $$;") + len("END $$;")]
)
# Persons of an export are counted when its file is made, and not again by its requester's downloads.
SIGNS_UNDONE = import_module("access.migrations.0012_glass").SIGNS
_KINDS = "               AND (q.kind <> 'Q5' OR q.request_no IS NOT NULL"
SIGNS = SIGNS_UNDONE.replace(
    _KINDS, "               AND q.fields_class <> '下载导出文件'  -- counted when the file was made\n" + _KINDS
)
assert SIGNS != SIGNS_UNDONE


class Migration(migrations.Migration):
    dependencies = [("access", "0030_grounds_in_context")]

    operations = [
        migrations.AlterModelOptions(
            name="logreading",
            options={
                "default_permissions": ("view",),
                "ordering": ["-id"],
                "verbose_name": "日志的查看记录",
                "verbose_name_plural": "日志的查看记录",
            },
        ),
        migrations.AlterModelTableComment(
            name="logreading",
            table_comment="append-only: who read which lines of the query log and of the log of changes, and why",
        ),
        migrations.AddField(
            model_name="logreading",
            name="log",
            field=models.CharField(
                choices=[("query", "查询日志"), ("changes", "变更日志")],
                db_default="query",
                default="query",
                max_length=7,
                verbose_name="日志",
            ),
        ),
        migrations.AddConstraint(
            model_name="logreading",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("log", "query"), models.Q(("anomaly__isnull", True), ("log", "changes")), _connector="OR"
                ),
                name="logreading_of_a_known_log",
            ),
        ),
        migrations.RunSQL(GUARD, GUARD_UNDONE),
        migrations.RunSQL(TOLD, TOLD_UNDONE),
        migrations.RunSQL(SIGNS, SIGNS_UNDONE),
    ]
