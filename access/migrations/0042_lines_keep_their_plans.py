"""What writing a line asks is asked only where it is due, of plans that a connection keeps.

A function in the language `sql` is planned in each query that calls it, and with a parameter the log's months are planned anew
each time: a plan made for every value costs more on paper, so PostgreSQL would not keep it unless told. The rules are those of
`0012_glass`, `0014_reach`, `0018_persons_under_a_line`, `0021_nothing_by_the_side_door` and `0034_revoking_leaves_a_line`.
"""

from importlib import import_module

from django.db import migrations

READS = """
-- Whether this transaction has written an allowed line about this person.
CREATE OR REPLACE FUNCTION access_reads(person bigint) RETURNS boolean LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1
SECURITY DEFINER SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN EXISTS (SELECT 1 FROM access_queryperson q WHERE q.person_id = person AND q.at = transaction_timestamp()
                      AND q.xid = pg_current_xact_id_if_assigned() AND q.allowed);
END $$;

-- Whose records a duty does not reach; nobody's (empty) for the province. What asks for many records asks for this: it is short.
CREATE OR REPLACE FUNCTION access_beyond(organisation bigint, duty text) RETURNS bigint[] LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE reach bigint[] := access_reach(organisation, duty);
BEGIN
    IF reach IS NULL THEN
        RETURN '{}';
    END IF;
    RETURN (SELECT coalesce(array_agg(o.id), '{}') FROM accounts_organisation o WHERE o.id <> ALL (reach));
END $$;
"""
READS_UNDONE = """
CREATE OR REPLACE FUNCTION access_beyond(organisation bigint, duty text) RETURNS bigint[] LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT coalesce(array_agg(o.id), '{}') FROM (SELECT access_reach($1, $2) AS reach) w
      JOIN accounts_organisation o ON o.id <> ALL (w.reach)
$$;
CREATE OR REPLACE FUNCTION access_reads(person bigint) RETURNS boolean LANGUAGE sql STABLE PARALLEL RESTRICTED COST 1
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT 1 FROM access_queryperson q WHERE q.person_id = person AND q.at = transaction_timestamp()
                      AND q.xid = pg_current_xact_id_if_assigned() AND q.allowed)
$$;
"""
PERSONS = """
ALTER FUNCTION access_lines_belong() SET plan_cache_mode = force_generic_plan;

-- "本人" in the log is the person: the account that asked is theirs, by their number of today or one that was merged.
CREATE OR REPLACE FUNCTION access_line_by_the_person() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan AS $$
DECLARE whose bigint;
BEGIN
    SELECT u.person_id INTO whose FROM access_query q JOIN accounts_user u ON u.id = q.actor_id
     WHERE q.seq = NEW.query_id AND q.at = NEW.at AND q.kind = 'Q1' AND u.kind = 'citizen';
    IF whose = NEW.person_id OR access_survivor(whose) = access_survivor(NEW.person_id) THEN
        RETURN NEW;
    END IF;
    PERFORM catalogue_refuse('queryperson_by_the_person', 'only a person''s own account asks as that person');
END $$;

-- Whom a line may be about that shows a whole number or opens a file in an emergency.
CREATE OR REPLACE FUNCTION access_persons_of_lines() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan AS $$
DECLARE one record; line access_query;
BEGIN
    FOR one IN SELECT DISTINCT n.query_id, n.at FROM added n WHERE n.allowed LOOP
        SELECT q.* INTO line FROM access_query q WHERE q.seq = one.query_id AND q.at = one.at;
        IF (line.fields_class LIKE '紧急查询%' OR access_shows_number(line.fields_class)) AND EXISTS (
                SELECT 1 FROM added n WHERE n.query_id = line.seq AND n.at = line.at AND n.allowed
                   AND NOT EXISTS (SELECT 1 FROM access_line_opens(line) o
                                    WHERE o.person = access_survivor(n.person_id) AND n.items <@ o.items)) THEN
            PERFORM catalogue_refuse('line_is_about_its_person', 'such a line is about the person of its registration or emergency');
        END IF;
    END LOOP;
    RETURN NULL;
END $$;
"""
PERSONS_UNDONE = """
CREATE OR REPLACE FUNCTION access_persons_of_lines() RETURNS trigger
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
CREATE OR REPLACE FUNCTION access_line_by_the_person() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM access_query q JOIN accounts_user u ON u.id = q.actor_id
         WHERE q.seq = NEW.query_id AND q.at = NEW.at AND q.kind = 'Q1'
           AND u.kind = 'citizen' AND access_survivor(u.person_id) = access_survivor(NEW.person_id)) THEN
        PERFORM catalogue_refuse('queryperson_by_the_person', 'only a person''s own account asks as that person');
    END IF;
    RETURN NEW;
END $$;
ALTER FUNCTION access_lines_belong() RESET plan_cache_mode;
"""
# Who is told of a reading, and of what; a person's own ends at the first line.
TOLD = """
CREATE OR REPLACE FUNCTION access_reading_is_told() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan AS $$
DECLARE one record; q access_query; unit text;
BEGIN
    FOR one IN SELECT n.query_id, n.at, array_agg(n.person_id) AS persons, array_agg(n.kind) AS kinds,
                      array_agg(n.allowed) AS allowed FROM told n
                WHERE CASE WHEN n.allowed THEN n.kind IN ('Q2', 'Q5') ELSE n.kind IN ('Q2', 'Q3', 'Q4', 'Q5') END
                GROUP BY n.query_id, n.at LOOP
        SELECT l.* INTO q FROM access_query l WHERE l.seq = one.query_id AND l.at = one.at;
        CONTINUE WHEN q.seq IS NULL OR split_part(q.purpose, '：', 1) IN (
            '办理信用修复', '办理异议', '办理本人的请求', '查看纸质授权书扫描件', '查看委托书或者亲属、死亡证明的扫描件');
        unit := left(coalesce(nullif(q.organisation_name, ''), '有关单位'), 60);
        INSERT INTO access_message (person_id, subject, text, about)
        SELECT DISTINCT ON (u.person_id) u.person_id,
               left(CASE WHEN NOT n.allowed THEN format('%s想查询您的信息，被拒绝', unit)
                         WHEN n.kind = 'Q2' THEN format('%s查询了您的信息', unit)
                         WHEN q.fields_class = '下载导出文件' THEN format('%s下载了含有您信息的导出文件', left(unit, 48))
                         ELSE format('%s依职责查询了您的信息', unit) END, 80),
               format('%s，%s%s。%s“谁查了我”里有凭什么、为什么；有疑问的，点一下就能要求说明。',
                      to_char(q.at AT TIME ZONE 'Asia/Shanghai', 'YYYY年FMMM月FMDD日 HH24:MI'), unit,
                      CASE WHEN NOT n.allowed THEN '的查询被拒绝，没有看到任何内容'
                           WHEN n.kind = 'Q2' THEN '有人持您的居民身份证办理查询'
                           WHEN q.fields_class = '下载导出文件'
                               THEN '下载了批量导出的文件，您的信息在制作时已经读取，事由：' || split_part(q.purpose, '：', 1)
                           ELSE '查询，事由：' || split_part(q.purpose, '：', 1) END,
                      CASE WHEN n.kind = 'Q2' AND n.allowed THEN '如果不是您本人，请立即提出。' ELSE '' END),
               'L' || q.seq
          FROM unnest(one.persons, one.kinds::text[], one.allowed) AS n(person_id, kind, allowed)
          JOIN accounts_user u ON u.person_id = n.person_id AND u.kind = 'citizen' AND u.is_active
         WHERE NOT (n.allowed AND (q.fields_class LIKE '紧急查询%'
                                   OR q.purpose IN ('窗口为本人撤回查询授权', '窗口为本人撤销代理查询')));
    END LOOP;
    RETURN NULL;
END $$;
"""
TOLD_UNDONE = import_module("access.migrations.0034_revoking_leaves_a_line").TOLD


class Migration(migrations.Migration):
    dependencies = [("access", "0039_agents_sealed_anew")]
    operations = [
        migrations.RunSQL(READS, READS_UNDONE),
        migrations.RunSQL(PERSONS, PERSONS_UNDONE),
        migrations.RunSQL(TOLD, TOLD_UNDONE),
    ]
