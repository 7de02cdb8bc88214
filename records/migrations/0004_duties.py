"""What departments owed for each closed period, who declared nothing, and the numbers that tell."""

import django.contrib.postgres.fields.ranges
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

NUMBERS = """
-- The first delivery for each period asked about: a batch that holds a document of the period. Numbers and days only;
-- a batch that was withdrawn keeps its day when another stands in its place.
CREATE FUNCTION records_first_deliveries(
    items bigint[], suppliers bigint[], firsts date[], lasts date[], until date
) RETURNS TABLE (item_id bigint, supplier_id bigint, first_day date, delivered_on date, batch_id bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH asked AS MATERIALIZED (
        SELECT * FROM unnest(items, suppliers, firsts, lasts) AS a(item_id, supplier_id, first_day, last_day)
    ), days AS MATERIALIZED (
        SELECT b.item_id, b.supplier_id, b.id, b.state, (b.committed_at AT TIME ZONE 'Asia/Shanghai')::date AS on_day,
               v.doc_date
          FROM records_batch b JOIN records_recordversion v ON v.batch_id = b.id AND v.deed IN (1, 2)
         WHERE b.item_id = ANY (items) AND b.supplier_id = ANY (suppliers) AND b.state IN ('committed', 'withdrawn')
           AND b.committed_at >= (SELECT min(d) FROM unnest(firsts) d)
           AND v.doc_date BETWEEN (SELECT min(d) FROM unnest(firsts) d) AND (SELECT max(d) FROM unnest(lasts) d)
         GROUP BY b.id, v.doc_date
    )
    SELECT a.item_id, a.supplier_id, a.first_day, min(d.on_day),
           (array_agg(d.id ORDER BY d.state = 'committed' DESC, d.on_day, d.id))[1]
      FROM asked a JOIN days d ON d.item_id = a.item_id AND d.supplier_id = a.supplier_id
       AND d.doc_date BETWEEN a.first_day AND a.last_day AND d.on_day <= until
     GROUP BY a.item_id, a.supplier_id, a.first_day HAVING bool_or(d.state = 'committed')
$$;

-- How many new records came in, by the day of the document and the day of entry: numbers, never a file.
CREATE FUNCTION records_supply_times(first_day date, last_day date) RETURNS TABLE (
    item_id bigint, supplier_id bigint, item_version_id bigint, doc_date date, entered_on date, records bigint
) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT b.item_id, b.supplier_id, v.item_version_id, v.doc_date,
           (b.committed_at AT TIME ZONE 'Asia/Shanghai')::date, count(*)
      FROM records_batch b JOIN records_recordversion v ON v.batch_id = b.id AND v.deed = 1
     WHERE b.state = 'committed' AND (b.committed_at AT TIME ZONE 'Asia/Shanghai')::date BETWEEN first_day AND last_day
     GROUP BY 1, 2, 3, 4, 5
$$;

-- A duty is written once per period and judged again as deliveries come; whose it is and what for never changes.
CREATE FUNCTION records_duty_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        PERFORM catalogue_refuse('supplyduty_is_kept', 'duties are kept');
    END IF;
    IF (NEW.item_id, NEW.supplier_id, NEW.assignment_id, NEW.period, NEW.frequency)
       IS DISTINCT FROM (OLD.item_id, OLD.supplier_id, OLD.assignment_id, OLD.period, OLD.frequency)
       OR NOT OLD.provisional AND (NEW.due_on, NEW.provisional) IS DISTINCT FROM (OLD.due_on, OLD.provisional) THEN
        PERFORM catalogue_refuse('supplyduty_is_what_it_was', 'whose duty it was and when it was due is fixed');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER supplyduty_guard BEFORE UPDATE OR DELETE ON records_supplyduty
    FOR EACH ROW EXECUTE FUNCTION records_duty_guard();

CREATE FUNCTION records_declaration_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.withdrawn_on IS NOT NULL
       OR to_jsonb(NEW) - '{withdrawn_on,withdrawn_by_batch_id}'::text[]
          IS DISTINCT FROM to_jsonb(OLD) - '{withdrawn_on,withdrawn_by_batch_id}'::text[] THEN
        PERFORM catalogue_refuse('nildeclaration_is_kept', 'a declaration may only be withdrawn, once');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER nildeclaration_guard BEFORE UPDATE OR DELETE ON records_nildeclaration
    FOR EACH ROW EXECUTE FUNCTION records_declaration_guard();
"""
UNDONE = """
DROP TRIGGER nildeclaration_guard ON records_nildeclaration;
DROP FUNCTION records_declaration_guard();
DROP TRIGGER supplyduty_guard ON records_supplyduty;
DROP FUNCTION records_duty_guard();
DROP FUNCTION records_supply_times(date, date);
DROP FUNCTION records_first_deliveries(bigint[], bigint[], date[], date[], date);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_common"),
        ("catalogue", "0009_supply"),
        ("records", "0003_catalogue_rules"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="NilDeclaration",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("period", django.contrib.postgres.fields.ranges.DateRangeField(verbose_name="期间")),
                ("declared_on", models.DateField(verbose_name="申报日")),
                ("withdrawn_on", models.DateField(blank=True, null=True, verbose_name="撤销日")),
                (
                    "declared_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="申报人",
                    ),
                ),
                (
                    "item",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="catalogue.item",
                        verbose_name="条目",
                    ),
                ),
                (
                    "supplier",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organisation",
                        verbose_name="报送单位",
                    ),
                ),
                (
                    "withdrawn_by_batch",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="records.batch",
                        verbose_name="撤销它的批次",
                    ),
                ),
            ],
            options={
                "verbose_name": "零报",
                "verbose_name_plural": "零报",
                "db_table_comment": "kept: who said that there was nothing to supply",
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("withdrawn_on__isnull", True)),
                        fields=("item", "supplier", "period"),
                        name="nildeclaration_once_per_period",
                        violation_error_message="这个期间已经零报过。",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SupplyDuty",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "frequency",
                    models.CharField(
                        choices=[("D", "日"), ("W", "周"), ("M", "月"), ("Q", "季"), ("Y", "年")],
                        max_length=2,
                        verbose_name="频次",
                    ),
                ),
                ("period", django.contrib.postgres.fields.ranges.DateRangeField(verbose_name="期间")),
                ("due_on", models.DateField(verbose_name="截止日")),
                ("provisional", models.BooleanField(default=False, verbose_name="暂定")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("due", "待报"),
                            ("met", "已报"),
                            ("late", "迟报"),
                            ("missed", "未报"),
                            ("declared", "零报"),
                            ("not_counted", "不计"),
                        ],
                        max_length=12,
                        verbose_name="状态",
                    ),
                ),
                ("met_on", models.DateField(blank=True, null=True, verbose_name="报送日")),
                ("late_days", models.PositiveSmallIntegerField(default=0, verbose_name="迟报工作日")),
                ("note", models.CharField(blank=True, max_length=60, verbose_name="不计的原因")),
                ("closed_on", models.DateField(verbose_name="登记日")),
                (
                    "assignment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="duties",
                        to="catalogue.supplyassignment",
                        verbose_name="报送任务",
                    ),
                ),
                (
                    "batch",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="records.batch",
                        verbose_name="批次",
                    ),
                ),
                (
                    "item",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="duties",
                        to="catalogue.item",
                        verbose_name="条目",
                    ),
                ),
                (
                    "supplier",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="duties",
                        to="accounts.organisation",
                        verbose_name="报送单位",
                    ),
                ),
            ],
            options={
                "verbose_name": "报送期次",
                "verbose_name_plural": "报送期次",
                "db_table_comment": "kept: one line per item, supplier and closed period",
                "ordering": ["-due_on", "item", "supplier"],
                "permissions": [("view_all_duties", "查看全部单位的报送情况")],
                "default_permissions": ("view",),
                "indexes": [models.Index(fields=["supplier", "-due_on"], name="supplyduty_by_supplier")],
                "constraints": [
                    models.UniqueConstraint(fields=("item", "supplier", "period"), name="supplyduty_once_per_period"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("met_on__isnull", False), ("state__in", ["met", "late", "declared"])),
                            models.Q(("met_on__isnull", True), ("state__in", ["due", "missed", "not_counted"])),
                            _connector="OR",
                        ),
                        name="supplyduty_met_on_a_day",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state__in", ["met", "declared"]), _negated=True),
                            ("met_on__lte", models.F("due_on")),
                            _connector="OR",
                        ),
                        name="supplyduty_met_in_time",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "late"), _negated=True),
                            ("met_on__gt", models.F("due_on")),
                            _connector="OR",
                        ),
                        name="supplyduty_late_is_after_the_day",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state", "not_counted"), ("note", ""), _connector="OR"),
                        name="supplyduty_reason_only_when_not_counted",
                    ),
                ],
            },
        ),
        migrations.RunSQL(NUMBERS, UNDONE),
    ]
