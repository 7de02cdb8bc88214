"""Who must supply which item, and the sheets of proposals that departments send in."""

import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

RULES = """
-- A duty to supply is ended, never rewritten or lengthened: what was owed stays owed.
CREATE FUNCTION catalogue_assignment_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        PERFORM catalogue_refuse('supplyassignment_is_kept', 'an assignment is ended, never deleted');
    END IF;
    IF to_jsonb(NEW) - '{effective,ended_by_id,end_reason}'::text[]
       IS DISTINCT FROM to_jsonb(OLD) - '{effective,ended_by_id,end_reason}'::text[]
       OR NOT (NEW.effective <@ OLD.effective AND lower(NEW.effective) = lower(OLD.effective)) THEN
        PERFORM catalogue_refuse('supplyassignment_may_only_end', 'an assignment may only be ended');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER supplyassignment_guard BEFORE UPDATE OR DELETE ON catalogue_supplyassignment
    FOR EACH ROW EXECUTE FUNCTION catalogue_assignment_guard();
"""
UNDONE = """
DROP TRIGGER supplyassignment_guard ON catalogue_supplyassignment;
DROP FUNCTION catalogue_assignment_guard();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_common"),
        ("catalogue", "0008_reference"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ItemImport",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=200, verbose_name="文件名")),
                ("sha256", models.CharField(max_length=64, verbose_name="SHA-256")),
                ("content", models.BinaryField(verbose_name="内容")),
                (
                    "uploaded_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="上传时间"),
                ),
                ("notes", models.JSONField(default=list, verbose_name="说明")),
                ("outcome", models.JSONField(default=list, verbose_name="逐行结果")),
                ("confirmed_at", models.DateTimeField(blank=True, null=True, verbose_name="确认时间")),
                (
                    "uploaded_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="上传人",
                    ),
                ),
            ],
            options={
                "verbose_name": "导入修订",
                "verbose_name_plural": "导入修订",
                "ordering": ["-id"],
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("sha256__regex", "^[0-9a-f]{64}$")), name="itemimport_is_known_by_sha256"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SupplyAssignment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "effective",
                    django.contrib.postgres.fields.ranges.DateRangeField(
                        help_text="止日当天起不再报送", verbose_name="起止日期"
                    ),
                ),
                (
                    "assigned_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name="指定时间"
                    ),
                ),
                ("reason", models.CharField(max_length=300, verbose_name="指定理由")),
                ("end_reason", models.CharField(blank=True, max_length=300, verbose_name="结束理由")),
                (
                    "assigned_by",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="指定人",
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
                        verbose_name="结束人",
                    ),
                ),
                (
                    "item",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="assignments",
                        to="catalogue.item",
                        verbose_name="条目",
                    ),
                ),
                (
                    "supplier",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="assignments",
                        to="accounts.organisation",
                        verbose_name="报送单位",
                    ),
                ),
            ],
            options={
                "verbose_name": "报送任务",
                "verbose_name_plural": "报送任务",
                "ordering": ["item", "-effective"],
                "permissions": [("assign_supplier", "指定、结束报送单位")],
                "default_permissions": ("view",),
                "constraints": [
                    django.contrib.postgres.constraints.ExclusionConstraint(
                        expressions=[("item", "="), ("supplier", "="), ("effective", "&&")],
                        name="supplyassignment_once_at_a_time",
                        violation_error_message="这个单位在这段时间里已经承担该条目的报送。",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("effective__isempty", False), ("effective__startswith__isnull", False)),
                        name="supplyassignment_lasts_at_least_a_day",
                        violation_error_message="请填写开始日期，结束日期须晚于开始日期。",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("reason", ""), _negated=True),
                        name="supplyassignment_has_a_reason",
                        violation_error_message="请写明指定的理由。",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("effective__endswith__isnull", True), ("end_reason", ""), ("ended_by__isnull", True)
                            ),
                            models.Q(
                                ("effective__endswith__isnull", False),
                                ("ended_by__isnull", False),
                                models.Q(("end_reason", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="supplyassignment_ended_by_somebody_for_a_reason",
                        violation_error_message="请写明结束的理由。",
                    ),
                ],
            },
        ),
        migrations.RunSQL(RULES, UNDONE),
    ]
