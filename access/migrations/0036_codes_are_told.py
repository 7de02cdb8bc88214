"""A code from the counter is told to whoever has the account: when two officials hand it over, and when it is used."""

from django.db import migrations

SQL = """
CREATE FUNCTION access_code_is_told() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE counter text;
BEGIN
    SELECT left(o.name, 60) INTO counter FROM accounts_organisation o WHERE o.id = NEW.organisation_id;
    INSERT INTO access_message (person_id, subject, text, about)
    SELECT u.person_id,
           CASE WHEN NEW.used_at IS NULL THEN '窗口发放了您账户的激活码' WHEN NEW.used_for = 'opened' THEN '您的账户已开通'
                ELSE '您的密码已重设' END,
           CASE WHEN NEW.used_at IS NULL
                THEN format('%s，%s由两名工作人员查验居民身份证后发放了激活码，凭它可以重设您的密码%s。如果不是您本人办理，请立即修改密码并联系该窗口。',
                            to_char(now() AT TIME ZONE 'Asia/Shanghai', 'YYYY年FMMM月FMDD日 HH24:MI'), counter,
                            CASE WHEN NEW.lifts_factors THEN '，并解除第二步验证' ELSE '' END)
                ELSE format('%s，凭%s发放的激活码%s。如果不是您本人办理，请立即联系该窗口。',
                            to_char(now() AT TIME ZONE 'Asia/Shanghai', 'YYYY年FMMM月FMDD日 HH24:MI'), counter,
                            CASE WHEN NEW.used_for = 'opened' THEN '开通了您的账户'
                                 WHEN NEW.lifts_factors THEN '重设了您的密码，解除了第二步验证，原来的登录全部退出'
                                 ELSE '重设了您的密码，原来的登录全部退出' END) END,
           'P' || NEW.id
      FROM accounts_user u WHERE u.person_id = NEW.person_id AND u.kind = 'citizen' AND u.is_active;
    RETURN NULL;
END $$;
CREATE TRIGGER identityproof_is_told AFTER UPDATE ON accounts_identityproof FOR EACH ROW
    WHEN (OLD.code_hash IS NULL AND NEW.code_hash IS NOT NULL OR OLD.used_at IS NULL AND NEW.used_at IS NOT NULL)
    EXECUTE FUNCTION access_code_is_told();
"""
UNDONE = """
DROP TRIGGER identityproof_is_told ON accounts_identityproof;
DROP FUNCTION access_code_is_told();
"""


class Migration(migrations.Migration):
    dependencies = [("access", "0035_one_answer_to_who_holds"), ("accounts", "0016_two_hands_at_the_counter")]
    operations = [migrations.RunSQL(SQL, UNDONE)]
