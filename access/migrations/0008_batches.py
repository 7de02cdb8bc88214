"""Two rules more: above how many persons another officer looks first; consents used where they were given."""

from django.db import migrations, models

SIGNS = [
    ("no_case", "案件编号不像编号"), ("unresolved", "案件编号查无下文"), ("hourly", "短时间打开多人档案"),
    ("listed", "短时间列出、导出大量人员"), ("night", "夜间查询"), ("many_units", "多个单位查同一人"),
    ("refused", "多次被拒绝"), ("same_place", "同意授权后随即在同一网段使用"), ("sample", "随机抽查"), ("batch", "批量查询、导出先经复核"),
]  # fmt: skip
RULE = """
ALTER TABLE access_reviewrule DISABLE TRIGGER reviewrule_guard;
INSERT INTO access_reviewrule (sign, threshold, hours, basis, valid_from, state, proposed_at, confirmed_at, withdrawn_reason) VALUES
('batch', 50, NULL, '本站设定：批量查询影响面大，须由两人把关（domain §7.1 Q5）', '2026-01-01', 'in_force', now(), now(), ''),
('same_place', NULL, 1, '本站设定：同意和使用来自同一网段，须核实是不是本人自愿同意', '2026-01-01', 'in_force', now(), now(), '');
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE access_reviewrule ENABLE TRIGGER reviewrule_guard;

-- Above so many persons another officer looks first; with no rule in force, always.
CREATE FUNCTION access_review_above() RETURNS int LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT coalesce((SELECT r.threshold FROM access_reviewrule r
                      WHERE r.sign = 'batch' AND r.state = 'in_force' AND r.valid_from <= cf_today()
                        AND (r.valid_to IS NULL OR r.valid_to > cf_today())), 0)
$$;
"""
RULE_UNDONE = """
DROP FUNCTION access_review_above();
ALTER TABLE access_reviewrule DISABLE TRIGGER reviewrule_guard;
DELETE FROM access_reviewrule WHERE sign IN ('batch', 'same_place');
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE access_reviewrule ENABLE TRIGGER reviewrule_guard;
"""


class Migration(migrations.Migration):
    dependencies = [("access", "0007_reviews")]

    operations = [
        *(
            migrations.AlterField(
                model_name=model, name="sign", field=models.CharField(choices=SIGNS, max_length=12, verbose_name="情形")
            )
            for model in ("anomaly", "reviewrule")
        ),
        migrations.RemoveConstraint(model_name="reviewrule", name="reviewrule_sign_is_known"),
        migrations.AddConstraint(
            model_name="reviewrule",
            constraint=models.CheckConstraint(
                condition=models.Q(sign__in=[sign for sign, _ in SIGNS]), name="reviewrule_sign_is_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="reviewrule",
            constraint=models.CheckConstraint(
                condition=~models.Q(sign="batch")
                | models.Q(
                    threshold__isnull=False, hours__isnull=True, share__isnull=True, night_from__isnull=True,
                    night_until__isnull=True,
                ),
                name="reviewrule_batch_says_what_it_needs",
                violation_error_message="请按所选情形填写数值，其余留空。",
            ),
        ),
        migrations.AddConstraint(
            model_name="reviewrule",
            constraint=models.CheckConstraint(
                condition=~models.Q(sign="same_place")
                | models.Q(
                    hours__isnull=False, threshold__isnull=True, share__isnull=True, night_from__isnull=True,
                    night_until__isnull=True,
                ),
                name="reviewrule_same_place_says_what_it_needs",
                violation_error_message="请按所选情形填写数值，其余留空。",
            ),
        ),
        migrations.RunSQL(RULE, RULE_UNDONE),
    ]  # fmt: skip
