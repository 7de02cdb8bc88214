"""The register of grants: who may supply or query an item, decided by two, ended by itself on its day."""

import django.contrib.postgres.constraints
import django.db.models.deletion
import django.db.models.functions.comparison
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

GRANTED = """
-- The items that an organisation may supply or query today.
CREATE FUNCTION catalogue_granted_items(organisation bigint, permission text) RETURNS bigint[] LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT coalesce(array_agg(g.item_id), '{}') FROM catalogue_itemgrant g JOIN accounts_organisation o ON o.id = g.organisation_id
     WHERE g.organisation_id = $1 AND g.permission = $2 AND g.state = 'in_force' AND g.valid_from <= cf_today()
       AND coalesce(g.ended_on, g.valid_to) > cf_today() AND (o.valid_to IS NULL OR o.valid_to > cf_today())
$$;
CREATE FUNCTION catalogue_holds(who bigint, app text, permission text) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (
        SELECT 1 FROM accounts_user u
          JOIN accounts_user_groups m ON m.user_id = u.id
          JOIN auth_group_permissions g ON g.group_id = m.group_id
          JOIN auth_permission p ON p.id = g.permission_id AND p.codename = permission
          JOIN django_content_type t ON t.id = p.content_type_id AND t.app_label = app
         WHERE u.id = who AND u.is_active)
$$;
-- Whether somebody would use what their organisation is granted.
CREATE FUNCTION catalogue_would_use(who bigint, organisation bigint) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT 1 FROM accounts_user u WHERE u.id = who AND u.organisation_id = organisation)
       AND (catalogue_holds(who, 'access', 'add_request') OR catalogue_holds(who, 'access', 'list_by_duty')
            OR catalogue_holds(who, 'access', 'list_supplied') OR catalogue_holds(who, 'records', 'add_batch')
            OR catalogue_holds(who, 'records', 'commit_batch'))
$$;
-- The latest end of a grant, by the rule in force today.
CREATE FUNCTION catalogue_longest_grant(first date) RETURNS date LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT (first + make_interval(months => min(coalesce(r.strict, r.n))))::date FROM catalogue_deadlinerule r
     WHERE r.code = 'D73' AND r.state = 'in_force' AND r.valid_from <= cf_today()
       AND (r.valid_to IS NULL OR r.valid_to > cf_today())
$$;
"""
GRANTED_UNDONE = """
DROP FUNCTION catalogue_longest_grant(date);
DROP FUNCTION catalogue_would_use(bigint, bigint);
DROP FUNCTION catalogue_holds(bigint, text, text);
DROP FUNCTION catalogue_granted_items(bigint, text);
"""
# What was granted before there was a register goes on for the longest time, loaded with the system; then it is renewed or ends.
BEFORE = """
INSERT INTO catalogue_itemgrant (organisation_id, item_id, permission, basis, reason, valid_from, valid_to, state, proposed_at,
    confirmed_at, withdrawn_reason, end_reason)
SELECT o.id, g.object_pk::bigint, p.codename, '征集目录条目、报送任务', '登记簿建立以前的授权', cf_today(),
       catalogue_longest_grant(cf_today()), 'in_force', now(), now(), '', ''
  FROM guardian_groupobjectpermission g JOIN accounts_organisation o ON o.group_id = g.group_id
  JOIN auth_permission p ON p.id = g.permission_id AND p.codename IN ('supply_item', 'query_item')
  JOIN django_content_type t ON t.id = g.content_type_id AND t.app_label = 'catalogue' AND t.model = 'item';
DELETE FROM guardian_groupobjectpermission g USING auth_permission p, django_content_type t
 WHERE p.id = g.permission_id AND p.codename IN ('supply_item', 'query_item') AND t.id = g.content_type_id
   AND t.app_label = 'catalogue' AND t.model = 'item';
SET CONSTRAINTS ALL IMMEDIATE;
"""
GUARDS = """
CREATE TRIGGER itemgrant_guard BEFORE INSERT OR UPDATE OR DELETE ON catalogue_itemgrant FOR EACH ROW
    EXECUTE FUNCTION catalogue_proposed_then_confirmed('state', 'confirmed_by_id', 'confirmed_at', 'withdrawn_reason',
        'ended_on', 'ended_by_id', 'ended_at', 'end_reason');
-- Two officials with that duty, neither of whom would use it; no longer than the rule; taken back once, at once or later.
CREATE FUNCTION catalogue_itemgrant_guard() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NOT catalogue_holds(NEW.proposed_by_id, 'catalogue', 'propose_itemgrant') THEN
            PERFORM catalogue_refuse('itemgrant_is_asked_for_by_the_credit_office', 'the credit office asks for grants');
        END IF;
        IF catalogue_would_use(NEW.proposed_by_id, NEW.organisation_id) THEN
            PERFORM catalogue_refuse('itemgrant_is_not_for_oneself', 'nobody asks for what they would use');
        END IF;
        IF NEW.valid_to > coalesce(catalogue_longest_grant(NEW.valid_from), NEW.valid_from) THEN
            PERFORM catalogue_refuse('itemgrant_is_no_longer_than_the_rule', 'a grant is no longer than the rule allows');
        END IF;
        IF NOT EXISTS (SELECT 1 FROM accounts_organisation o WHERE o.id = NEW.organisation_id AND o.kind = 'department') THEN
            PERFORM catalogue_refuse('itemgrant_is_for_departments', 'institutions read by consent');
        END IF;
        IF NEW.ended_on IS NOT NULL THEN
            PERFORM catalogue_refuse('itemgrant_begins_open', 'a grant is not taken back before it is given');
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.state = 'draft' AND NEW.state = 'in_force' THEN
        IF NOT catalogue_holds(NEW.confirmed_by_id, 'catalogue', 'confirm_itemgrant') THEN
            PERFORM catalogue_refuse('itemgrant_is_confirmed_by_the_credit_office', 'the credit office confirms grants');
        END IF;
        IF catalogue_would_use(NEW.proposed_by_id, NEW.organisation_id)
           OR catalogue_would_use(NEW.confirmed_by_id, NEW.organisation_id) THEN
            PERFORM catalogue_refuse('itemgrant_is_not_for_oneself', 'nobody confirms what they would use');
        END IF;
    END IF;
    IF NEW.state = 'superseded' THEN
        PERFORM catalogue_refuse('itemgrant_ends_by_its_day', 'a grant ends by its day or is taken back');
    END IF;
    IF (NEW.ended_on, NEW.ended_by_id, NEW.end_reason) IS DISTINCT FROM (OLD.ended_on, OLD.ended_by_id, OLD.end_reason) THEN
        IF OLD.ended_on IS NOT NULL OR OLD.state <> 'in_force' OR NEW.state <> 'in_force' OR NEW.ended_on IS NULL
           OR NEW.ended_on < cf_today() OR NOT catalogue_holds(NEW.ended_by_id, 'catalogue', 'end_itemgrant') THEN
            PERFORM catalogue_refuse('itemgrant_is_taken_back_once', 'a grant in force is taken back once, from today on');
        END IF;
        NEW.ended_at := transaction_timestamp();
    ELSIF NEW.ended_at IS DISTINCT FROM OLD.ended_at THEN
        PERFORM catalogue_refuse('itemgrant_is_taken_back_once', 'the time of taking back is the database''s');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER itemgrant_guard_hands BEFORE INSERT OR UPDATE ON catalogue_itemgrant
    FOR EACH ROW EXECUTE FUNCTION catalogue_itemgrant_guard();
CREATE TRIGGER itemgrant_no_truncate BEFORE TRUNCATE ON catalogue_itemgrant EXECUTE FUNCTION cf_refuse_change();

-- What an organisation may supply or query stands in the register and nowhere beside it.
CREATE FUNCTION catalogue_grants_stand_in_the_register() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM auth_permission p JOIN django_content_type t ON t.id = p.content_type_id
                WHERE p.id = NEW.permission_id AND t.app_label = 'catalogue' AND p.codename IN ('supply_item', 'query_item')) THEN
        PERFORM catalogue_refuse('grants_stand_in_the_register', 'supplying and querying an item is granted in the register');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER grants_stand_in_the_register BEFORE INSERT OR UPDATE ON guardian_groupobjectpermission
    FOR EACH ROW EXECUTE FUNCTION catalogue_grants_stand_in_the_register();
CREATE TRIGGER grants_stand_in_the_register BEFORE INSERT OR UPDATE ON guardian_userobjectpermission
    FOR EACH ROW EXECUTE FUNCTION catalogue_grants_stand_in_the_register();

-- An organisation at work, or one that was ever granted anything, keeps its region but for a change of divisions: what it
-- reads is bounded by it.
CREATE FUNCTION catalogue_organisation_keeps_its_region() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF (EXISTS (SELECT 1 FROM accounts_user u WHERE u.organisation_id = NEW.id)
        OR EXISTS (SELECT 1 FROM catalogue_itemgrant g WHERE g.organisation_id = NEW.id))
       AND NOT EXISTS (SELECT 1 FROM accounts_regionsuccession s WHERE s.predecessor_id = OLD.region_id
                          AND s.successor_id = NEW.region_id AND s.since <= cf_today()) THEN
        PERFORM catalogue_refuse('organisation_keeps_its_region', 'the region of an organisation at work changes with the divisions only');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER organisation_keeps_its_region BEFORE UPDATE OF region_id ON accounts_organisation FOR EACH ROW
    WHEN (NEW.region_id IS DISTINCT FROM OLD.region_id) EXECUTE FUNCTION catalogue_organisation_keeps_its_region();
"""
GUARDS_UNDONE = """
DROP TRIGGER organisation_keeps_its_region ON accounts_organisation;
DROP FUNCTION catalogue_organisation_keeps_its_region();
DROP TRIGGER grants_stand_in_the_register ON guardian_userobjectpermission;
DROP TRIGGER grants_stand_in_the_register ON guardian_groupobjectpermission;
DROP FUNCTION catalogue_grants_stand_in_the_register();
DROP TRIGGER itemgrant_no_truncate ON catalogue_itemgrant;
DROP TRIGGER itemgrant_guard_hands ON catalogue_itemgrant;
DROP FUNCTION catalogue_itemgrant_guard();
DROP TRIGGER itemgrant_guard ON catalogue_itemgrant;
"""
BEFORE_UNDONE = """
INSERT INTO guardian_groupobjectpermission (object_pk, content_type_id, group_id, permission_id)
SELECT DISTINCT g.item_id::text, t.id, o.group_id, p.id FROM catalogue_itemgrant g
  JOIN accounts_organisation o ON o.id = g.organisation_id
  JOIN django_content_type t ON t.app_label = 'catalogue' AND t.model = 'item'
  JOIN auth_permission p ON p.content_type_id = t.id AND p.codename = g.permission
 WHERE g.item_id = ANY (catalogue_granted_items(g.organisation_id, g.permission));
"""
DATA = """
ALTER TABLE catalogue_deadlinerule DISABLE TRIGGER deadlinerule_guard;
INSERT INTO catalogue_deadlinerule (code, version, what, n, unit, starts, owner, basis, source, confidence, strict, note,
    in_doubt, rolls, verified, valid_from, state, proposed_at, confirmed_at, withdrawn_reason) VALUES
('D73', 1, '目录授权最长期限', 12, 'MO', '授权起始日', 'OFFICE',
 '本站设定：授权每年重新核对一次依据和必要性（个人信息保护法第六条、第五十一条；GB/T 22239-2019 8.1.4.2 最小权限）',
 '时限总表（2026-11-23）补充：domain §13', 'D', 12, '到期自动失效，续期另行两人办理', 'earlier', false, false, '2022-01-01',
 'in_force', now(), now(), ''),
('D74', 1, '目录授权到期提醒', 30, 'ND', '授权到期前', 'OFFICE', '本站设定：到期前三十日提示省信用办和被授权单位',
 '时限总表（2026-11-23）补充：domain §13', 'D', NULL, '', 'earlier', false, false, '2022-01-01', 'in_force', now(), now(), '')
ON CONFLICT (code, version) DO NOTHING;  -- kept from before, when somebody changed them
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE catalogue_deadlinerule ENABLE TRIGGER deadlinerule_guard;
"""
DATA_UNDONE = """
ALTER TABLE catalogue_deadlinerule DISABLE TRIGGER deadlinerule_guard;
DELETE FROM catalogue_deadlinerule WHERE code IN ('D73', 'D74');
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE catalogue_deadlinerule ENABLE TRIGGER deadlinerule_guard;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("catalogue", "0009_supply"),
        ("accounts", "0011_regions"),
        ("guardian", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunSQL(DATA, DATA_UNDONE),
        migrations.CreateModel(
            name="ItemGrant",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("draft", "待确认"),
                            ("in_force", "现行"),
                            ("superseded", "已被新版替代"),
                            ("withdrawn", "已退回"),
                        ],
                        default="draft",
                        max_length=10,
                        verbose_name="状态",
                    ),
                ),
                ("proposed_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="提出时间")),
                ("confirmed_at", models.DateTimeField(blank=True, null=True, verbose_name="确认时间")),
                ("withdrawn_reason", models.CharField(blank=True, max_length=200, verbose_name="退回理由")),
                (
                    "permission",
                    models.CharField(
                        choices=[("supply_item", "报送"), ("query_item", "依职责查询")],
                        max_length=12,
                        verbose_name="授权事项",
                    ),
                ),
                (
                    "basis",
                    models.CharField(help_text="法规名称、条款，或者目录条目", max_length=200, verbose_name="法律依据"),
                ),
                ("reason", models.CharField(max_length=300, verbose_name="理由")),
                ("valid_from", models.DateField(verbose_name="起始日期")),
                ("valid_to", models.DateField(help_text="自这一天起失效；需要继续的另行续期", verbose_name="截止日期")),
                ("ended_on", models.DateField(blank=True, editable=False, null=True, verbose_name="收回日期")),
                ("ended_at", models.DateTimeField(blank=True, editable=False, null=True, verbose_name="收回时间")),
                ("end_reason", models.CharField(blank=True, editable=False, max_length=300, verbose_name="收回理由")),
                (
                    "confirmed_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="确认人",
                    ),
                ),
                (
                    "ended_by",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="收回人",
                    ),
                ),
                (
                    "item",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="grants",
                        to="catalogue.item",
                        verbose_name="目录条目",
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="item_grants",
                        to="accounts.organisation",
                        verbose_name="单位",
                    ),
                ),
                (
                    "proposed_by",
                    models.ForeignKey(
                        blank=True,
                        help_text="随系统载入的数据没有提出人和确认人",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="提出人",
                    ),
                ),
                (
                    "renews",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="renewals",
                        to="catalogue.itemgrant",
                        verbose_name="所续授权",
                    ),
                ),
            ],
            options={
                "verbose_name": "目录授权",
                "verbose_name_plural": "目录授权",
                "ordering": ["organisation", "item", "permission", "-valid_from", "-id"],
                "permissions": [
                    ("view_all_itemgrants", "查看全部目录授权"),
                    ("propose_itemgrant", "申请目录授权"),
                    ("confirm_itemgrant", "确认目录授权"),
                    ("end_itemgrant", "收回目录授权"),
                ],
                "abstract": False,
                "default_permissions": ("view",),
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "in_force")),
                        fields=["organisation", "permission"],
                        name="itemgrant_in_force",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("confirmed_by__isnull", True),
                            models.Q(("confirmed_by", models.F("proposed_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="itemgrant_confirmed_by_another",
                        violation_error_message="提出人不能确认自己提出的内容，须由另一名工作人员确认。",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("confirmed_at__isnull", True), ("state__in", ["draft", "withdrawn"])),
                            models.Q(("confirmed_at__isnull", False), ("state__in", ["in_force", "superseded"])),
                            _connector="OR",
                        ),
                        name="itemgrant_in_force_means_confirmed",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "withdrawn"), _negated=True),
                            models.Q(("withdrawn_reason", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="itemgrant_withdrawn_with_a_reason",
                    ),
                    django.contrib.postgres.constraints.ExclusionConstraint(
                        condition=models.Q(("state", "in_force")),
                        expressions=[
                            ("organisation", "="),
                            ("item", "="),
                            ("permission", "="),
                            (
                                models.Func(
                                    models.F("valid_from"),
                                    django.db.models.functions.comparison.Coalesce("ended_on", "valid_to"),
                                    models.Value("[)"),
                                    function="daterange",
                                ),
                                "&&",
                            ),
                        ],
                        name="itemgrant_in_force_do_not_overlap",
                        violation_error_message="这个单位在这段时间里已有该条目的同一授权。",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("basis", ""), _negated=True), models.Q(("reason", ""), _negated=True)
                        ),
                        name="itemgrant_says_on_what_basis_and_why",
                        violation_error_message="请写明法律依据和理由。",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("valid_to__gt", models.F("valid_from"))),
                        name="itemgrant_ends_after_it_begins",
                        violation_error_message="截止日期须晚于起始日期。",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("end_reason", ""),
                                ("ended_at__isnull", True),
                                ("ended_by__isnull", True),
                                ("ended_on__isnull", True),
                            ),
                            models.Q(
                                ("ended_at__isnull", False),
                                ("ended_by__isnull", False),
                                ("ended_on__isnull", False),
                                models.Q(("end_reason", ""), _negated=True),
                                ("ended_on__gte", models.F("valid_from")),
                                ("ended_on__lte", models.F("valid_to")),
                            ),
                            _connector="OR",
                        ),
                        name="itemgrant_taken_back_by_somebody_for_a_reason",
                        violation_error_message="请写明收回的理由。",
                    ),
                ],
            },
        ),
        migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE", migrations.RunSQL.noop),
        migrations.RunSQL(GRANTED, GRANTED_UNDONE),
        migrations.RunSQL(BEFORE, BEFORE_UNDONE),
        migrations.RunSQL(GUARDS, GUARDS_UNDONE),
    ]
