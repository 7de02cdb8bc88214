"""The register of duties: which duty of which organisation opens which items, decided by two."""

import django.contrib.postgres.constraints
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

DUTIES = """
-- The items that a duty of an organisation opens today.
CREATE FUNCTION access_duty_items(organisation bigint, duty text) RETURNS bigint[] LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT coalesce(array_agg(i.item_id), '{}') FROM access_dutyitem d JOIN access_dutyitem_items i ON i.dutyitem_id = d.id
     WHERE d.organisation_id = organisation AND d.code = duty AND d.state = 'in_force'
       AND d.valid_from <= cf_today() AND (d.valid_to IS NULL OR d.valid_to > cf_today())
$$;

CREATE TRIGGER dutyitem_guard BEFORE INSERT OR UPDATE OR DELETE ON access_dutyitem FOR EACH ROW
    EXECUTE FUNCTION catalogue_proposed_then_confirmed(
        'state', 'confirmed_by_id', 'confirmed_at', 'withdrawn_reason', 'valid_to');
-- What a duty opens is settled while it is a draft; its end is set once, never for days that are over.
CREATE FUNCTION access_dutyitem_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.valid_to IS DISTINCT FROM OLD.valid_to AND (OLD.valid_to IS NOT NULL OR NEW.valid_to < cf_today()) THEN
        PERFORM catalogue_refuse('dutyitem_ends_once', 'the end of a duty is set once, from today on');
    END IF;
    IF NEW.state = 'superseded' THEN
        PERFORM catalogue_refuse('dutyitem_ends_by_its_day', 'a duty ends by its day');
    END IF;
    IF NEW.state = 'in_force' AND NOT EXISTS (SELECT 1 FROM access_dutyitem_items i WHERE i.dutyitem_id = NEW.id) THEN
        PERFORM catalogue_refuse('dutyitem_names_items', 'a duty names the items that it needs');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER dutyitem_ends_once BEFORE UPDATE ON access_dutyitem
    FOR EACH ROW EXECUTE FUNCTION access_dutyitem_guard();
CREATE FUNCTION access_dutyitem_items_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM access_dutyitem d WHERE d.state <> 'draft'
                  AND (TG_OP <> 'INSERT' AND d.id = OLD.dutyitem_id OR TG_OP <> 'DELETE' AND d.id = NEW.dutyitem_id)) THEN
        PERFORM catalogue_refuse('dutyitem_is_fixed', 'what a duty opens is settled while it is a draft');
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER dutyitem_items_guard BEFORE INSERT OR UPDATE OR DELETE ON access_dutyitem_items
    FOR EACH ROW EXECUTE FUNCTION access_dutyitem_items_guard();
CREATE TRIGGER dutyitem_no_truncate BEFORE TRUNCATE ON access_dutyitem EXECUTE FUNCTION cf_refuse_change();
CREATE TRIGGER dutyitem_items_no_truncate BEFORE TRUNCATE ON access_dutyitem_items EXECUTE FUNCTION cf_refuse_change();

-- A registration by duty names items of a duty in force of its organisation; what an organisation supplied itself it lists
-- without one. What was registered is not changed.
CREATE FUNCTION access_request_items_guard() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP <> 'INSERT' OR EXISTS (
        SELECT 1 FROM access_request r WHERE r.id = NEW.request_id AND r.kind = 'Q5' AND r.reach <> 'supplied'
           AND NEW.item_id <> ALL (access_duty_items(r.organisation_id, r.duty_code))
    ) THEN
        PERFORM catalogue_refuse('request_items_belong_to_its_duty', 'the duty of the registration does not open that item');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER request_items_guard BEFORE INSERT OR UPDATE ON access_request_items
    FOR EACH ROW EXECUTE FUNCTION access_request_items_guard();
CREATE FUNCTION access_request_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM catalogue_refuse('request_is_what_was_registered', 'what was registered is never rewritten');
    RETURN NULL;
END $$;
CREATE TRIGGER request_stays BEFORE UPDATE ON access_request FOR EACH ROW WHEN (
    (NEW.actor_id, NEW.organisation_id, NEW.kind, NEW.reach, NEW.duty_code, NEW.case_no, NEW.purpose, NEW.purpose_text)
    IS DISTINCT FROM
    (OLD.actor_id, OLD.organisation_id, OLD.kind, OLD.reach, OLD.duty_code, OLD.case_no, OLD.purpose, OLD.purpose_text)
    OR NEW.person_id IS DISTINCT FROM OLD.person_id OR NEW.expires_at > OLD.expires_at
) EXECUTE FUNCTION access_request_stays();
"""
DUTIES_UNDONE = """
DROP TRIGGER request_stays ON access_request;
DROP FUNCTION access_request_stays();
DROP TRIGGER request_items_guard ON access_request_items;
DROP FUNCTION access_request_items_guard();
DROP TRIGGER dutyitem_items_no_truncate ON access_dutyitem_items;
DROP TRIGGER dutyitem_no_truncate ON access_dutyitem;
DROP TRIGGER dutyitem_items_guard ON access_dutyitem_items;
DROP FUNCTION access_dutyitem_items_guard();
DROP TRIGGER dutyitem_ends_once ON access_dutyitem;
DROP FUNCTION access_dutyitem_guard();
DROP TRIGGER dutyitem_guard ON access_dutyitem;
DROP FUNCTION access_duty_items(bigint, text);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("access", "0008_batches"),
        ("accounts", "0009_sign_in"),
        ("catalogue", "0009_supply"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="DutyItem",
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
                    "code",
                    models.CharField(
                        help_text="权责清单或政务服务事项中的编码", max_length=40, verbose_name="事项编码"
                    ),
                ),
                ("name", models.CharField(max_length=100, verbose_name="事项名称")),
                ("basis", models.CharField(help_text="法规名称、条款", max_length=200, verbose_name="法律依据")),
                ("valid_from", models.DateField(verbose_name="启用日期")),
                (
                    "valid_to",
                    models.DateField(blank=True, help_text="自这一天起不再适用", null=True, verbose_name="停用日期"),
                ),
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
                ("items", models.ManyToManyField(related_name="+", to="catalogue.item", verbose_name="履职需要的条目")),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="duty_items",
                        to="accounts.organisation",
                        verbose_name="履职单位",
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
            ],
            options={
                "verbose_name": "职责事项",
                "verbose_name_plural": "职责事项",
                "ordering": ["organisation", "code", "-valid_from", "-id"],
                "permissions": [("propose_dutyitem", "提出、停用职责事项"), ("confirm_dutyitem", "确认职责事项")],
                "abstract": False,
                "default_permissions": ("view",),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("confirmed_by__isnull", True),
                            models.Q(("confirmed_by", models.F("proposed_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="dutyitem_confirmed_by_another",
                        violation_error_message="提出人不能确认自己提出的内容，须由另一名工作人员确认。",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("confirmed_at__isnull", True), ("state__in", ["draft", "withdrawn"])),
                            models.Q(("confirmed_at__isnull", False), ("state__in", ["in_force", "superseded"])),
                            _connector="OR",
                        ),
                        name="dutyitem_in_force_means_confirmed",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "withdrawn"), _negated=True),
                            models.Q(("withdrawn_reason", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="dutyitem_withdrawn_with_a_reason",
                    ),
                    django.contrib.postgres.constraints.ExclusionConstraint(
                        condition=models.Q(("state", "in_force")),
                        expressions=[
                            ("organisation", "="),
                            ("code", "="),
                            (
                                models.Func(
                                    models.F("valid_from"),
                                    models.F("valid_to"),
                                    models.Value("[)"),
                                    function="daterange",
                                ),
                                "&&",
                            ),
                        ],
                        name="dutyitem_in_force_do_not_overlap",
                        violation_error_message="同一单位同一事项的现行登记有效期间不能重叠。",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("basis", ""), _negated=True),
                            models.Q(("code", ""), _negated=True),
                            models.Q(("name", ""), _negated=True),
                        ),
                        name="dutyitem_says_by_what_law",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("valid_to__isnull", True), ("valid_to__gte", models.F("valid_from")), _connector="OR"
                        ),
                        name="dutyitem_ends_after_it_begins",
                        violation_error_message="停用日期不能早于启用日期。",
                    ),
                ],
            },
        ),
        migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE", migrations.RunSQL.noop),
        migrations.RunSQL(DUTIES, DUTIES_UNDONE),
    ]
