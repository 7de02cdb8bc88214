"""Readings are told: by duty, prints at the counter, refused attempts of others; one message per person who has an account."""

from django.db import migrations

NOTICES = """
-- Who has no account finds the lines in 谁查了我 when they get one. Said are unit, kind and day, never what was read or why in
-- somebody's own words. A reading for the person's own application is no news; one for a court is told when it is released.
CREATE FUNCTION access_reading_is_told() RETURNS trigger LANGUAGE plpgsql
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
CREATE TRIGGER queryperson_is_told AFTER INSERT ON access_queryperson REFERENCING NEW TABLE AS told
    FOR EACH STATEMENT EXECUTE FUNCTION access_reading_is_told();
"""
NOTICES_UNDONE = """
DROP TRIGGER queryperson_is_told ON access_queryperson;
DROP FUNCTION access_reading_is_told();
"""


class Migration(migrations.Migration):
    dependencies = [("access", "0015_questions")]

    operations = [migrations.RunSQL(NOTICES, NOTICES_UNDONE)]
