"""Service tokens: what other systems call the API with; what each used; the answers that are given again.

What the database holds itself: a token is asked for within the rule of the day, confirmed once by another hand, revoked once
and for good; nothing else of it ever changes. A system's account stays what it was made.
"""

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

SQL = """
INSERT INTO accounts_tokenrule (valid_from, longest_days, most_per_hour, source) VALUES
    ('2020-01-01', 365, 36000, '本站设定：GB/T 22239-2019 8.1.4.1 要求身份鉴别信息定期更换，未定天数');

CREATE FUNCTION accounts_refuse(rule text, said text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%', said USING ERRCODE = 'check_violation', CONSTRAINT = rule;
END $$;

CREATE FUNCTION accounts_token_guard() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE rule accounts_tokenrule; account accounts_user;
BEGIN
    IF TG_OP = 'DELETE' THEN
        PERFORM accounts_refuse('servicetoken_is_kept', 'a token is kept');
    ELSIF TG_OP = 'INSERT' THEN
        SELECT * INTO rule FROM accounts_tokenrule r
         WHERE r.valid_from <= (NEW.asked_at AT TIME ZONE 'Asia/Shanghai')::date ORDER BY r.valid_from DESC LIMIT 1;
        IF NEW.asked_at > now() + interval '5 minutes' OR rule.id IS NULL
           OR NEW.expires_at > NEW.asked_at + make_interval(days => rule.longest_days) OR NEW.quota > rule.most_per_hour THEN
            PERFORM accounts_refuse('servicetoken_is_within_the_rule', 'the rule of the day allows no such token');
        END IF;
        IF NEW.confirmed_at IS NOT NULL OR NEW.revoked_at IS NOT NULL THEN
            PERFORM accounts_refuse('servicetoken_waits_for_another', 'a token begins unconfirmed');
        END IF;
        SELECT * INTO account FROM accounts_user u WHERE u.id = NEW.user_id;
        IF (account.kind, account.organisation_id) IS DISTINCT FROM ('service', NEW.organisation_id) THEN
            PERFORM accounts_refuse('servicetoken_has_an_account_of_its_own', 'a token has a service account of its organisation');
        END IF;
        PERFORM network::cidr FROM unnest(NEW.networks) AS network;
    ELSE
        IF (to_jsonb(NEW) - ARRAY['confirmed_by_id', 'confirmed_at', 'revoked_by_id', 'revoked_at', 'revoke_reason'])
           <> (to_jsonb(OLD) - ARRAY['confirmed_by_id', 'confirmed_at', 'revoked_by_id', 'revoked_at', 'revoke_reason']) THEN
            PERFORM accounts_refuse('servicetoken_is_fixed', 'what was asked for never changes: ask for another token');
        END IF;
        IF OLD.revoked_at IS NOT NULL THEN
            PERFORM accounts_refuse('servicetoken_stays_revoked', 'a revoked token stays revoked');
        END IF;
        IF OLD.confirmed_at IS NULL AND NEW.confirmed_at IS NOT NULL THEN
            IF NEW.revoked_at IS NOT NULL OR NEW.confirmed_at >= OLD.expires_at THEN
                PERFORM accounts_refuse('servicetoken_is_confirmed_in_time', 'a token that is over is not confirmed');
            END IF;
        ELSIF (NEW.confirmed_by_id, NEW.confirmed_at) IS DISTINCT FROM (OLD.confirmed_by_id, OLD.confirmed_at) THEN
            PERFORM accounts_refuse('servicetoken_is_confirmed_once', 'a token is confirmed once');
        END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER servicetoken_guard BEFORE INSERT OR UPDATE OR DELETE ON accounts_servicetoken
    FOR EACH ROW EXECUTE FUNCTION accounts_token_guard();
CREATE TRIGGER servicetoken_no_truncate BEFORE TRUNCATE ON accounts_servicetoken EXECUTE FUNCTION cf_refuse_change();

-- What a system's account is never changes, and nothing becomes one: its organisation is that of all it delivered.
CREATE FUNCTION accounts_service_account_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.kind, NEW.organisation_id, NEW.username, NEW.password) IS DISTINCT FROM
       (OLD.kind, OLD.organisation_id, OLD.username, OLD.password) THEN
        PERFORM accounts_refuse('user_service_account_is_fixed', 'the account of a system is fixed');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER user_service_account_is_fixed BEFORE UPDATE ON accounts_user
    FOR EACH ROW WHEN (OLD.kind = 'service' OR NEW.kind = 'service')
    EXECUTE FUNCTION accounts_service_account_guard();

-- A system's account is in the groups of scopes and in no other; nobody else is in those.
CREATE FUNCTION accounts_service_account_groups() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF (SELECT u.kind = 'service' FROM accounts_user u WHERE u.id = NEW.user_id)
       <> (SELECT g.name LIKE '接口 %' FROM auth_group g WHERE g.id = NEW.group_id) THEN
        PERFORM accounts_refuse('user_service_account_has_scopes_only', 'systems have scopes, people have roles');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER user_service_account_has_scopes_only BEFORE INSERT OR UPDATE ON accounts_user_groups
    FOR EACH ROW EXECUTE FUNCTION accounts_service_account_groups();

CREATE TRIGGER tokenrule_append_only BEFORE UPDATE OR DELETE ON accounts_tokenrule
    FOR EACH ROW EXECUTE FUNCTION cf_refuse_change();
CREATE TRIGGER tokenrule_no_truncate BEFORE TRUNCATE ON accounts_tokenrule EXECUTE FUNCTION cf_refuse_change();
CREATE TRIGGER idempotentcall_append_only BEFORE UPDATE OR DELETE ON accounts_idempotentcall
    FOR EACH ROW EXECUTE FUNCTION cf_refuse_change();
CREATE TRIGGER idempotentcall_no_truncate BEFORE TRUNCATE ON accounts_idempotentcall EXECUTE FUNCTION cf_refuse_change();

-- A call that was counted stays counted.
CREATE FUNCTION accounts_uses_only_grow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR (NEW.token_id, NEW.hour) <> (OLD.token_id, OLD.hour) OR NEW.used < OLD.used THEN
        PERFORM accounts_refuse('tokenuse_only_grows', 'calls that were counted stay counted');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER tokenuse_only_grows BEFORE UPDATE OR DELETE ON accounts_tokenuse
    FOR EACH ROW EXECUTE FUNCTION accounts_uses_only_grow();
CREATE TRIGGER tokenuse_no_truncate BEFORE TRUNCATE ON accounts_tokenuse EXECUTE FUNCTION cf_refuse_change();
"""
UNDONE = """
DROP TRIGGER tokenuse_no_truncate ON accounts_tokenuse;
DROP TRIGGER tokenuse_only_grows ON accounts_tokenuse;
DROP FUNCTION accounts_uses_only_grow();
DROP TRIGGER idempotentcall_no_truncate ON accounts_idempotentcall;
DROP TRIGGER idempotentcall_append_only ON accounts_idempotentcall;
DROP TRIGGER tokenrule_no_truncate ON accounts_tokenrule;
DROP TRIGGER tokenrule_append_only ON accounts_tokenrule;
DROP TRIGGER user_service_account_has_scopes_only ON accounts_user_groups;
DROP FUNCTION accounts_service_account_groups();
DROP TRIGGER user_service_account_is_fixed ON accounts_user;
DROP FUNCTION accounts_service_account_guard();
DROP TRIGGER servicetoken_no_truncate ON accounts_servicetoken;
DROP TRIGGER servicetoken_guard ON accounts_servicetoken;
DROP FUNCTION accounts_token_guard();
DROP FUNCTION accounts_refuse(text, text);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0007_persons"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.CreateModel(
            name="IdempotentCall",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=200, verbose_name="Idempotency-Key")),
                ("digest", models.CharField(max_length=64, verbose_name="内容摘要")),
                ("status", models.PositiveSmallIntegerField(verbose_name="答复代码")),
                ("body", models.JSONField(verbose_name="答复")),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="时间")),
            ],
            options={
                "verbose_name": "接口写入",
                "verbose_name_plural": "接口写入",
                "db_table_comment": "append-only: what each key of a caller did, so that a repeated call does nothing twice",
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="ServiceToken",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "name",
                    models.CharField(
                        help_text="如“行政处罚办案系统”；批次的上传人写作这个名称",
                        max_length=40,
                        verbose_name="系统名称",
                    ),
                ),
                ("reason", models.CharField(max_length=200, verbose_name="用途和理由")),
                (
                    "scopes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[
                                ("batches:read", "查看批次、退回行、更正件和回执"),
                                ("batches:write", "报送和取消批次"),
                                ("batches:commit", "提交入库（只限目录允许单人提交的条目）"),
                                ("batches:withdraw", "撤回批次"),
                            ],
                            max_length=40,
                        ),
                        size=None,
                        verbose_name="权限",
                    ),
                ),
                (
                    "networks",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=43), size=None, verbose_name="允许的网段"
                    ),
                ),
                ("quota", models.PositiveIntegerField(verbose_name="每小时调用次数")),
                ("hint", models.CharField(max_length=8, verbose_name="令牌开头")),
                ("key_hash", models.BinaryField(unique=True)),
                ("asked_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="申请时间")),
                ("expires_at", models.DateTimeField(verbose_name="有效期至")),
                ("confirmed_at", models.DateTimeField(null=True, verbose_name="确认时间")),
                ("revoked_at", models.DateTimeField(null=True, verbose_name="撤销时间")),
                ("revoke_reason", models.CharField(blank=True, max_length=200, verbose_name="撤销理由")),
            ],
            options={
                "verbose_name": "接口令牌",
                "verbose_name_plural": "接口令牌",
                "db_table_comment": "kept: who let which system in, with what and until when",
                "ordering": ["-id"],
                "permissions": [("confirm_servicetoken", "确认接口令牌"), ("revoke_servicetoken", "撤销接口令牌")],
                "default_permissions": ("view", "add"),
            },
        ),
        migrations.CreateModel(
            name="TokenRule",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("valid_from", models.DateField(unique=True, verbose_name="启用日期")),
                (
                    "longest_days",
                    models.PositiveSmallIntegerField(
                        validators=[django.core.validators.MinValueValidator(1)], verbose_name="最长有效天数"
                    ),
                ),
                (
                    "most_per_hour",
                    models.PositiveIntegerField(
                        validators=[django.core.validators.MinValueValidator(1)], verbose_name="每小时最多调用次数"
                    ),
                ),
                ("source", models.CharField(max_length=200, verbose_name="依据")),
            ],
            options={
                "verbose_name": "令牌规则",
                "verbose_name_plural": "令牌规则",
                "db_table_comment": "append-only: a change is a new row with its first day",
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="TokenUse",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("hour", models.DateTimeField(verbose_name="小时")),
                ("used", models.PositiveIntegerField(verbose_name="调用次数")),
            ],
            options={
                "verbose_name": "令牌使用量",
                "verbose_name_plural": "令牌使用量",
                "default_permissions": (),
            },
        ),
        migrations.RemoveConstraint(
            model_name="user",
            name="user_kind_fits_organisation_and_person",
        ),
        migrations.AlterField(
            model_name="user",
            name="kind",
            field=models.CharField(
                choices=[
                    ("staff", "工作人员"),
                    ("institution", "机构查询员"),
                    ("citizen", "公民"),
                    ("service", "接口账户"),
                ],
                default="staff",
                max_length=12,
                verbose_name="类别",
            ),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("is_staff", False),
                        ("kind", "citizen"),
                        ("organisation__isnull", True),
                        ("person__isnull", False),
                    ),
                    models.Q(("kind", "staff"), ("organisation__isnull", False), ("person__isnull", True)),
                    models.Q(
                        ("is_staff", False),
                        ("kind__in", ["institution", "service"]),
                        ("organisation__isnull", False),
                        ("person__isnull", True),
                    ),
                    _connector="OR",
                ),
                name="user_kind_fits_organisation_and_person",
                violation_error_message="工作人员、机构查询员和接口账户须有所属机构；公民账户须对应本人。",
            ),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "service"), _negated=True), ("password__startswith", "!"), _connector="OR"
                ),
                name="user_service_has_no_password",
            ),
        ),
        migrations.AddField(
            model_name="idempotentcall",
            name="organisation",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="accounts.organisation",
                verbose_name="单位",
            ),
        ),
        migrations.AddField(
            model_name="servicetoken",
            name="asked_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="申请人",
            ),
        ),
        migrations.AddField(
            model_name="servicetoken",
            name="confirmed_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="确认人",
            ),
        ),
        migrations.AddField(
            model_name="servicetoken",
            name="organisation",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="tokens",
                to="accounts.organisation",
                verbose_name="单位",
            ),
        ),
        migrations.AddField(
            model_name="servicetoken",
            name="revoked_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="撤销人",
            ),
        ),
        migrations.AddField(
            model_name="servicetoken",
            name="user",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="token",
                to=settings.AUTH_USER_MODEL,
                verbose_name="接口账户",
            ),
        ),
        migrations.AddField(
            model_name="idempotentcall",
            name="token",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="accounts.servicetoken",
                verbose_name="令牌",
            ),
        ),
        migrations.AddConstraint(
            model_name="tokenrule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("longest_days__gte", 1), ("most_per_hour__gte", 1), models.Q(("source", ""), _negated=True)
                ),
                name="tokenrule_says_something",
            ),
        ),
        migrations.AddField(
            model_name="tokenuse",
            name="token",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="uses",
                to="accounts.servicetoken",
                verbose_name="令牌",
            ),
        ),
        migrations.AddConstraint(
            model_name="servicetoken",
            constraint=models.CheckConstraint(
                condition=models.Q(("expires_at__gt", models.F("asked_at"))), name="servicetoken_ends_after_it_begins"
            ),
        ),
        migrations.AddConstraint(
            model_name="servicetoken",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("networks__len__gte", 1),
                    ("quota__gte", 1),
                    ("scopes__len__gte", 1),
                    models.Q(("reason", ""), _negated=True),
                ),
                name="servicetoken_says_what_for_from_where_how_often",
            ),
        ),
        migrations.AddConstraint(
            model_name="servicetoken",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("confirmed_at__isnull", True), ("confirmed_by__isnull", True)),
                    models.Q(
                        ("confirmed_at__isnull", False),
                        ("confirmed_by__isnull", False),
                        models.Q(("confirmed_by", models.F("asked_by")), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="servicetoken_confirmed_by_another",
                violation_error_message="申请人不能确认自己的申请。",
            ),
        ),
        migrations.AddConstraint(
            model_name="servicetoken",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("revoke_reason", ""), ("revoked_at__isnull", True), ("revoked_by__isnull", True)),
                    models.Q(
                        ("revoked_at__isnull", False),
                        ("revoked_by__isnull", False),
                        models.Q(("revoke_reason", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="servicetoken_revoked_with_a_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="idempotentcall",
            constraint=models.UniqueConstraint(fields=("organisation", "key"), name="idempotentcall_once_per_key"),
        ),
        migrations.AddConstraint(
            model_name="idempotentcall",
            constraint=models.CheckConstraint(
                condition=models.Q(("digest__regex", "^[0-9a-f]{64}$")), name="idempotentcall_has_a_digest"
            ),
        ),
        migrations.AddConstraint(
            model_name="tokenuse",
            constraint=models.UniqueConstraint(fields=("token", "hour"), name="tokenuse_once_per_hour"),
        ),
        migrations.AddConstraint(
            model_name="tokenuse",
            constraint=models.CheckConstraint(condition=models.Q(("used__gte", 1)), name="tokenuse_counts_calls"),
        ),
        migrations.RunSQL(SQL, UNDONE),
    ]
