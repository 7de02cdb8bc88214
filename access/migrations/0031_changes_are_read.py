"""Two logs are read under a reason: of queries, and of changes. A download of an export is told as one, and counted once."""

from django.db import migrations, models

# From here on a reading says of which log it is.
GUARD = """
-- Whether an account may read the log of changes, which is another app's.
CREATE FUNCTION access_may_read_changes(who bigint) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (
        SELECT 1 FROM accounts_user u
          JOIN accounts_user_groups m ON m.user_id = u.id
          JOIN auth_group_permissions g ON g.group_id = m.group_id
          JOIN auth_permission p ON p.id = g.permission_id AND p.codename = 'view_logentry'
          JOIN django_content_type t ON t.id = p.content_type_id AND t.app_label = 'auditlog'
         WHERE u.id = who AND u.is_active)
$$;
CREATE OR REPLACE FUNCTION access_logreading_guard() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    NEW.at := now();
    IF NOT (CASE WHEN NEW.log = 'changes' THEN access_may_read_changes(NEW.reader_id)
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
DROP FUNCTION access_may_read_changes(bigint);
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
TOLD_UNDONE = """
CREATE OR REPLACE FUNCTION access_reading_is_told() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO access_message (person_id, subject, text, about)
    SELECT DISTINCT ON (u.person_id, q.seq) u.person_id,
           left(CASE WHEN NOT n.allowed THEN format('%s想查询您的信息，被拒绝', w.unit)
                     WHEN n.kind = 'Q2' THEN format('%s查询了您的信息', w.unit)
                     ELSE format('%s依职责查询了您的信息', w.unit) END, 80),
           format('%s，%s%s。%s“谁查了我”里有凭什么、为什么；有疑问的，点一下就能要求说明。',
                  to_char(q.at AT TIME ZONE 'Asia/Shanghai', 'YYYY年FMMM月FMDD日 HH24:MI'), w.unit,
                  CASE WHEN NOT n.allowed THEN '的查询被拒绝，没有看到任何内容'
                       WHEN n.kind = 'Q2' THEN '有人持您的居民身份证办理查询'
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
# Persons of an export are counted when its file is made, and not again by its requester's downloads.
SIGNS = """
CREATE OR REPLACE FUNCTION access_signs(rule access_reviewrule, looked date, from_ timestamptz, until_ timestamptz, since timestamptz)
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
               AND q.fields_class <> '下载导出文件'  -- counted when the file was made
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
END $$;
"""
SIGNS_UNDONE = """
CREATE OR REPLACE FUNCTION access_signs(rule access_reviewrule, looked date, from_ timestamptz, until_ timestamptz, since timestamptz)
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
END $$;
"""


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
