"""Signing in: second factors, limits with their sources, sessions with owners, and the log at the door."""

import json
from pathlib import Path

import django.db.models.deletion
import django.db.models.functions.datetime
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

SQL = """
CREATE FUNCTION accounts_signinline_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.at := clock_timestamp();  -- when it happened is not the application's to say
    RETURN NEW;
END $$;
CREATE TRIGGER signinline_guard BEFORE INSERT ON accounts_signinline
    FOR EACH ROW EXECUTE FUNCTION accounts_signinline_guard();
CREATE TRIGGER signinline_append_only BEFORE UPDATE OR DELETE ON accounts_signinline
    FOR EACH ROW EXECUTE FUNCTION cf_refuse_change();
CREATE TRIGGER signinline_no_truncate BEFORE TRUNCATE ON accounts_signinline EXECUTE FUNCTION cf_refuse_change();

CREATE FUNCTION accounts_signinrule_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE first accounts_signinrule;
BEGIN
    NEW.since := clock_timestamp();
    SELECT * INTO first FROM accounts_signinrule WHERE code = NEW.code ORDER BY id LIMIT 1;
    IF FOUND AND (first.unit, first.least, first.most) IS DISTINCT FROM (NEW.unit, NEW.least, NEW.most) THEN
        RAISE EXCEPTION 'the bounds of a limit never change'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'signinrule_keeps_its_bounds';
    END IF;
    IF FOUND AND NOT EXISTS (
        SELECT 1 FROM accounts_user_groups m JOIN auth_group g ON g.id = m.group_id
         WHERE m.user_id = NEW.set_by_id AND g.name = 'security_admin') THEN
        RAISE EXCEPTION 'limits of signing in are set by a security administrator'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'signinrule_set_by_security_admin';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER signinrule_guard BEFORE INSERT ON accounts_signinrule
    FOR EACH ROW EXECUTE FUNCTION accounts_signinrule_guard();
CREATE TRIGGER signinrule_append_only BEFORE UPDATE OR DELETE ON accounts_signinrule
    FOR EACH ROW EXECUTE FUNCTION cf_refuse_change();
CREATE TRIGGER signinrule_no_truncate BEFORE TRUNCATE ON accounts_signinrule EXECUTE FUNCTION cf_refuse_change();

CREATE TRIGGER identitylink_append_only BEFORE UPDATE OR DELETE ON accounts_identitylink
    FOR EACH ROW EXECUTE FUNCTION cf_refuse_change();
CREATE TRIGGER identitylink_no_truncate BEFORE TRUNCATE ON accounts_identitylink EXECUTE FUNCTION cf_refuse_change();

CREATE FUNCTION accounts_secondfactor_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.user_id, OLD.kind, OLD.credential_id) IS DISTINCT FROM (NEW.user_id, NEW.kind, NEW.credential_id) THEN
        RAISE EXCEPTION 'a second factor stays its account''s'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'secondfactor_keeps_its_account';
    END IF;
    IF NEW.counter < OLD.counter THEN
        RAISE EXCEPTION 'a code opens once'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'secondfactor_counts_up';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER secondfactor_guard BEFORE UPDATE ON accounts_secondfactor
    FOR EACH ROW EXECUTE FUNCTION accounts_secondfactor_guard();

CREATE FUNCTION accounts_bindingcode_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NOT EXISTS (
            SELECT 1 FROM accounts_user_groups m JOIN auth_group g ON g.id = m.group_id
             WHERE m.user_id = NEW.issued_by_id AND g.name = 'security_admin') THEN
            RAISE EXCEPTION 'binding codes are issued by a security administrator'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'bindingcode_issued_by_security_admin';
        END IF;
    ELSIF (OLD.user_id, OLD.issued_by_id, OLD.issued_at, OLD.expires_at, OLD.code_hash)
          IS DISTINCT FROM (NEW.user_id, NEW.issued_by_id, NEW.issued_at, NEW.expires_at, NEW.code_hash)
          OR OLD.used_at IS NOT NULL OR NEW.attempts < OLD.attempts THEN
        RAISE EXCEPTION 'a binding code is used once and never changed'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'bindingcode_is_used_once';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER bindingcode_guard BEFORE INSERT OR UPDATE ON accounts_bindingcode
    FOR EACH ROW EXECUTE FUNCTION accounts_bindingcode_guard();

CREATE FUNCTION accounts_recoverycode_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.used_at IS NOT NULL OR (OLD.user_id, OLD.code_hash) IS DISTINCT FROM (NEW.user_id, NEW.code_hash) THEN
        RAISE EXCEPTION 'a recovery code opens once'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'recoverycode_opens_once';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER recoverycode_guard BEFORE UPDATE ON accounts_recoverycode
    FOR EACH ROW EXECUTE FUNCTION accounts_recoverycode_guard();
"""
UNDONE = """
DROP TRIGGER recoverycode_guard ON accounts_recoverycode;
DROP FUNCTION accounts_recoverycode_guard();
DROP TRIGGER bindingcode_guard ON accounts_bindingcode;
DROP FUNCTION accounts_bindingcode_guard();
DROP TRIGGER secondfactor_guard ON accounts_secondfactor;
DROP FUNCTION accounts_secondfactor_guard();
DROP TRIGGER identitylink_no_truncate ON accounts_identitylink;
DROP TRIGGER identitylink_append_only ON accounts_identitylink;
DROP TRIGGER signinrule_no_truncate ON accounts_signinrule;
DROP TRIGGER signinrule_append_only ON accounts_signinrule;
DROP TRIGGER signinrule_guard ON accounts_signinrule;
DROP FUNCTION accounts_signinrule_guard();
DROP TRIGGER signinline_no_truncate ON accounts_signinline;
DROP TRIGGER signinline_append_only ON accounts_signinline;
DROP TRIGGER signinline_guard ON accounts_signinline;
DROP FUNCTION accounts_signinline_guard();
"""


def load_limits(apps, schema_editor):
    """Enter the first limits, each with its source."""
    rule = apps.get_model("accounts", "SignInRule")
    rows = json.loads((Path(__file__).parent.parent / "data" / "sign_in_rules.json").read_text(encoding="utf-8"))
    rule.objects.using(schema_editor.connection.alias).bulk_create(rule(**row) for row in rows)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0008_service_tokens"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="user",
            options={
                "permissions": [("assign_roles", "分配角色"), ("guard_sign_in", "管理登录安全")],
                "verbose_name": "用户",
                "verbose_name_plural": "用户",
            },
        ),
        migrations.AddField(
            model_name="user",
            name="must_change_password",
            field=models.BooleanField(db_default=False, default=False, editable=False, verbose_name="须修改密码"),
        ),
        migrations.CreateModel(
            name="RecoveryCode",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code_hash", models.BinaryField()),
                ("used_at", models.DateTimeField(null=True)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="recovery_codes",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "恢复码",
                "verbose_name_plural": "恢复码",
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="Session",
            fields=[
                (
                    "session_key",
                    models.CharField(max_length=40, primary_key=True, serialize=False, verbose_name="session key"),
                ),
                ("session_data", models.TextField(verbose_name="session data")),
                ("expire_date", models.DateTimeField(db_index=True, verbose_name="expire date")),
                ("started_at", models.DateTimeField(null=True, verbose_name="登录时间")),
                ("seen_at", models.DateTimeField(null=True, verbose_name="最近操作")),
                ("network", models.CharField(blank=True, max_length=50, verbose_name="网段")),
                ("agent", models.CharField(blank=True, max_length=60, verbose_name="浏览器")),
                ("method", models.CharField(blank=True, max_length=40, verbose_name="登录方式")),
                (
                    "account",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sessions",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="账户",
                    ),
                ),
            ],
            options={
                "verbose_name": "会话",
                "verbose_name_plural": "会话",
                "abstract": False,
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="BindingCode",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("issued_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="发放时间")),
                ("expires_at", models.DateTimeField(verbose_name="有效期至")),
                ("code_hash", models.BinaryField()),
                ("attempts", models.PositiveSmallIntegerField(default=0, verbose_name="错误次数")),
                ("used_at", models.DateTimeField(null=True, verbose_name="使用时间")),
                (
                    "issued_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="发放人",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="binding_codes",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="账户",
                    ),
                ),
            ],
            options={
                "verbose_name": "绑定码",
                "verbose_name_plural": "绑定码",
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("issued_by", models.F("user")), _negated=True),
                        name="bindingcode_not_for_oneself",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("used_at__isnull", True)),
                        fields=("user",),
                        name="bindingcode_one_open_per_account",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="IdentityLink",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("issuer", models.CharField(max_length=200, verbose_name="身份服务")),
                ("subject", models.CharField(max_length=255, verbose_name="用户标识")),
                (
                    "linked_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="绑定时间"),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="identity_links",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="账户",
                    ),
                ),
            ],
            options={
                "verbose_name": "身份服务绑定",
                "verbose_name_plural": "身份服务绑定",
                "db_table_comment": "append-only: subjects of identity services and their accounts",
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(fields=("issuer", "subject"), name="identitylink_subject_is_one_account"),
                    models.UniqueConstraint(fields=("issuer", "user"), name="identitylink_account_is_one_subject"),
                ],
            },
        ),
        migrations.CreateModel(
            name="SecondFactor",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[("totp", "手机验证码"), ("passkey", "通行密钥")], max_length=8, verbose_name="种类"
                    ),
                ),
                ("label", models.CharField(max_length=40, verbose_name="名称")),
                ("sealed", models.BinaryField()),
                ("credential_id", models.BinaryField(null=True, unique=True)),
                ("counter", models.BigIntegerField(default=0, editable=False)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="绑定时间")),
                ("last_used_at", models.DateTimeField(null=True, verbose_name="最近使用")),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="second_factors",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="账户",
                    ),
                ),
            ],
            options={
                "verbose_name": "第二步验证方式",
                "verbose_name_plural": "第二步验证方式",
                "ordering": ["pk"],
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("kind", "totp")), fields=("user",), name="secondfactor_one_seed"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("credential_id__isnull", True), ("kind", "totp")),
                            models.Q(("credential_id__isnull", False), ("kind", "passkey")),
                            _connector="OR",
                        ),
                        name="secondfactor_passkey_has_its_id",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SignInLine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name="时间"
                    ),
                ),
                (
                    "event",
                    models.CharField(
                        choices=[
                            ("signed_in", "登录成功"),
                            ("wrong_password", "用户名或密码不符"),
                            ("wrong_factor", "第二步验证不符"),
                            ("locked", "锁定期间的尝试"),
                            ("refused", "身份服务登录被拒"),
                            ("confirmed", "再次验证通过"),
                            ("signed_out", "退出登录"),
                            ("timed_out", "超时自动退出"),
                            ("ended", "会话被结束"),
                            ("factor_added", "绑定第二步验证"),
                            ("factor_removed", "解除第二步验证"),
                            ("codes_made", "生成恢复码"),
                            ("password_changed", "修改密码"),
                            ("password_reset", "管理员重设密码"),
                            ("binding_issued", "发放绑定码"),
                            ("unlocked", "解除锁定"),
                            ("linked", "绑定身份服务"),
                        ],
                        max_length=20,
                        verbose_name="事项",
                    ),
                ),
                (
                    "method",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("password", "密码"),
                            ("totp", "手机验证码"),
                            ("passkey", "通行密钥"),
                            ("recovery", "恢复码"),
                            ("binding", "绑定码"),
                            ("oidc", "统一身份认证"),
                        ],
                        max_length=10,
                        verbose_name="方式",
                    ),
                ),
                ("network", models.CharField(blank=True, max_length=50, verbose_name="网段")),
                ("note", models.CharField(blank=True, max_length=200, verbose_name="说明")),
                ("name_index", models.BinaryField(null=True)),
                ("address_index", models.BinaryField(null=True)),
                ("browser_index", models.BinaryField(null=True)),
                ("known_browser", models.BooleanField(default=False, verbose_name="常用浏览器")),
                (
                    "account",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="sign_in_lines",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="账户",
                    ),
                ),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="办理人",
                    ),
                ),
            ],
            options={
                "verbose_name": "登录日志",
                "verbose_name_plural": "登录日志",
                "db_table_comment": "append-only: what happened when somebody signed in or tried to",
                "ordering": ["-id"],
                "default_permissions": ("view",),
                "indexes": [
                    models.Index(fields=["name_index", "id"], name="signinline_by_name"),
                    models.Index(fields=["address_index", "id"], name="signinline_by_address"),
                    models.Index(fields=["account", "id"], name="signinline_by_account"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                (
                                    "event__in",
                                    ["signed_in", "confirmed", "factor_added", "password_changed", "unlocked"],
                                ),
                                _negated=True,
                            ),
                            ("account__isnull", False),
                            _connector="OR",
                        ),
                        name="signinline_success_is_somebody_s",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SignInRule",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "code",
                    models.CharField(
                        choices=[
                            ("S01", "同一账户连续失败几次后锁定"),
                            ("S02", "锁定多久"),
                            ("S03", "同一网络地址失败几次后锁定"),
                            ("S04", "没有操作多久自动退出"),
                            ("S05", "一次登录最长多久"),
                            ("S06", "办理敏感事项前，第二步验证多久之内有效"),
                            ("S07", "输入密码后多久之内完成第二步"),
                            ("S08", "绑定码有效多久"),
                            ("S09", "曾成功登录的浏览器记住多久"),
                        ],
                        max_length=3,
                        verbose_name="编号",
                    ),
                ),
                ("value", models.PositiveIntegerField(verbose_name="限值")),
                (
                    "unit",
                    models.CharField(
                        choices=[("times", "次"), ("minutes", "分钟"), ("days", "日")],
                        max_length=8,
                        verbose_name="单位",
                    ),
                ),
                ("least", models.PositiveIntegerField(verbose_name="最小")),
                ("most", models.PositiveIntegerField(verbose_name="最大")),
                ("source", models.CharField(max_length=300, verbose_name="依据")),
                ("reason", models.CharField(blank=True, max_length=200, verbose_name="变更理由")),
                (
                    "since",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="生效时间"),
                ),
                (
                    "set_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="设定人",
                    ),
                ),
            ],
            options={
                "verbose_name": "登录限值",
                "verbose_name_plural": "登录限值",
                "db_table_comment": "append-only: limits of signing in",
                "ordering": ["code", "-id"],
                "default_permissions": ("view", "add"),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("value__gte", models.F("least")), ("value__lte", models.F("most"))),
                        name="signinrule_within_its_bounds",
                        violation_error_message="限值超出允许的范围。",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("source", ""), _negated=True), name="signinrule_has_a_source"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("set_by__isnull", True), models.Q(("reason", ""), _negated=True), _connector="OR"
                        ),
                        name="signinrule_changed_with_a_reason",
                    ),
                ],
            },
        ),
        migrations.RunSQL(SQL, UNDONE),
        migrations.RunPython(load_limits, migrations.RunPython.noop),
    ]
