"""Limits of what is done after a step-up, and whether somebody showed their second factor just now."""

from django.db import migrations, models

SQL = """
INSERT INTO accounts_signinrule (code, value, unit, least, most, source, reason)
SELECT * FROM (VALUES
    ('S10', 10, 'times', 1, 60, '本平台设定：一件案件通常只需核对一个号码，超出即不像在办案（个人信息保护法第六条最小范围）', ''),
    ('S11', 15, 'minutes', 5, 60, '本平台设定：看清一份档案所需的时间（个人信息保护法第六条最小范围）', '')
) AS first (code, value, unit, least, most, source, reason)
 WHERE NOT EXISTS (SELECT 1 FROM accounts_signinrule r WHERE r.code = first.code);

-- The limit in force under a code: the latest row.
CREATE FUNCTION accounts_limit(rule text) RETURNS int LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT value FROM accounts_signinrule WHERE code = rule ORDER BY id DESC LIMIT 1
$$;
-- Whether the account showed a second factor not longer ago than rule S06 says. The lines at the door say so.
CREATE FUNCTION accounts_stepped_up(who bigint) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT 1 FROM accounts_signinline l
                    WHERE l.account_id = who AND l.event IN ('signed_in', 'confirmed') AND l.method NOT IN ('', 'password')
                      AND l.at > clock_timestamp() - make_interval(mins => accounts_limit('S06')))
$$;
"""
UNDONE = """
DROP FUNCTION accounts_stepped_up(bigint);
DROP FUNCTION accounts_limit(text);
ALTER TABLE accounts_signinrule DISABLE TRIGGER signinrule_append_only;
DELETE FROM accounts_signinrule WHERE code IN ('S10', 'S11');
ALTER TABLE accounts_signinrule ENABLE TRIGGER signinrule_append_only;
"""
CODES = [
    ("S01", "同一账户连续失败几次后锁定"), ("S02", "锁定多久"), ("S03", "同一网络地址失败几次后锁定"),
    ("S04", "没有操作多久自动退出"), ("S05", "一次登录最长多久"), ("S06", "办理敏感事项前，第二步验证多久之内有效"),
    ("S07", "输入密码后多久之内完成第二步"), ("S08", "绑定码有效多久"), ("S09", "曾成功登录的浏览器记住多久"),
    ("S10", "一名工作人员一小时内显示完整证件号码至多几次"), ("S11", "紧急查询打开后多久关闭"),
]  # fmt: skip


class Migration(migrations.Migration):
    dependencies = [("accounts", "0009_sign_in")]

    operations = [
        migrations.AlterField(
            model_name="signinrule",
            name="code",
            field=models.CharField(choices=CODES, max_length=3, verbose_name="编号"),
        ),
        migrations.AlterModelOptions(
            name="signinrule",
            options={
                "default_permissions": ("view", "add"),
                "ordering": ["code", "-id"],
                "verbose_name": "登录和敏感操作限值",
                "verbose_name_plural": "登录和敏感操作限值",
            },
        ),
        migrations.RunSQL(SQL, UNDONE),
    ]
