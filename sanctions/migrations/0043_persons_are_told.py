"""What a case does to a person is told to them, whatever statement moves it: from the served notice to the last day."""

from django.db import migrations

TOLD = """
-- What the person is told of a step, by its event: the subject and the text. Steps inside the office are not in it.
CREATE FUNCTION sanctions_told_of(event text, unit text, roster text, number text, c sanctions_listingcase, relief text,
                                  OUT subject text, OUT said text) LANGUAGE plpgsql STABLE SET search_path = public, pg_temp AS $$
DECLARE told text[] := CASE event
    WHEN 'notice_served' THEN ARRAY['拟将您列入失信名单的告知已送达', '%1$s拟将您列入“%2$s”。%4$s以前您可以陈述、申辩，理由、方式和联系人见告知书；期满以前不会决定。']
    WHEN 'defend' THEN ARRAY['您的陈述申辩已经收到', '%1$s将由另一名工作人员逐条复核，书面回应。不会因为您申辩而加重。']
    WHEN 'decision_served' THEN ARRAY['列入失信名单的决定已送达', '%1$s决定将您列入“%2$s”。%5$s怎样移出，见一并送达的修复告知书。']
    WHEN 'list' THEN ARRAY['您已被列入失信名单', '%1$s已将您列入“%2$s”，从今天起 %6$s，期满自动移出。提前移出的条件和办法见决定书。']
    WHEN 'suspend' THEN ARRAY['对您的列入已经停止执行', '依有关机关的决定，“%2$s”对您的列入从今天起停止公示、共享和惩戒措施。']
    WHEN 'resume' THEN ARRAY['对您的列入恢复执行', '停止执行已经结束，“%2$s”对您的列入恢复，期限不延长。']
    WHEN 'remove_early' THEN ARRAY['您已被提前移出失信名单', '%1$s已将您移出“%2$s”，公示、共享和惩戒措施从今天起停止。']
    WHEN 'expire' THEN ARRAY['列入期满，您已不在失信名单', '“%2$s”对您的列入已经期满，公示、共享和惩戒措施已经停止。']
    WHEN 'annul' THEN ARRAY['对您的列入案件已经撤销', '%1$s已撤销将您列入“%2$s”的案件。曾经列入的，公示、共享和惩戒措施从今天起停止。']
    WHEN 'remedy' THEN ARRAY['您已改正，不列入失信名单', '%1$s认定您已在决定以前改正，不将您列入“%2$s”。']
    WHEN 'decide_not' THEN ARRAY['决定不将您列入失信名单', '%1$s决定不将您列入“%2$s”。']
    WHEN 'close' THEN ARRAY['对您的列入案件已经终止', '%1$s不再办理将您列入“%2$s”的案件。'] END;
BEGIN
    subject := told[1];
    said := format(told[2] || '案件编号 %3$s。', unit, roster, number, to_char(c.defence_until + 1, 'YYYY年FMMM月FMDD日'), relief,
                   coalesce(c.term_months || ' 个月', '由人民法院决定期限'));
END $$;

CREATE FUNCTION sanctions_case_is_told() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE c sanctions_listingcase;
BEGIN
    SELECT k.* INTO c FROM sanctions_listingcase k WHERE k.id = NEW.case_id;
    -- A case of which the person has heard nothing yet ends as quietly.
    IF NEW.event IN ('close', 'annul') AND c.notice_served_on IS NULL THEN
        RETURN NULL;
    END IF;
    INSERT INTO access_message (person_id, subject, text, about)
    SELECT p.id, t.subject, left(t.said, 500), 'L' || to_char(c.opened_on, 'YYYYMMDD') || '-' || lpad(c.id::text, 6, '0')
      FROM sanctions_rosterversion v JOIN sanctions_roster r ON r.id = v.roster_id
      JOIN accounts_organisation o ON o.id = c.organisation_id
      JOIN accounts_person p ON p.id = accounts_survivor(c.person_id) AND p.deceased_on IS NULL,
           LATERAL sanctions_told_of(NEW.event, left(o.name, 60), left(r.name, 60),
               'L' || to_char(c.opened_on, 'YYYYMMDD') || '-' || lpad(c.id::text, 6, '0'), c, left(v.relief, 200)) t
     WHERE v.id = c.roster_version_id AND t.subject IS NOT NULL;
    RETURN NULL;
END $$;
CREATE TRIGGER caseevent_is_told AFTER INSERT ON sanctions_caseevent FOR EACH ROW EXECUTE FUNCTION sanctions_case_is_told();
"""
UNDONE = """
DROP TRIGGER caseevent_is_told ON sanctions_caseevent;
DROP FUNCTION sanctions_case_is_told();
DROP FUNCTION sanctions_told_of(text, text, text, text, sanctions_listingcase, text);
"""


class Migration(migrations.Migration):
    dependencies = [("sanctions", "0042_no_wider_than_its_ground"), ("access", "0035_one_answer_to_who_holds")]
    operations = [migrations.RunSQL(TOLD, UNDONE)]
