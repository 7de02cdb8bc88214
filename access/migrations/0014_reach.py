"""How far a reading by duty reaches: the organisation's own region and what lies within, or further where the duty says so."""

import django.db.models.deletion
from django.db import migrations, models

REACH = """
-- Whose records an organisation may read for a duty: the organisations within its region, and within the region that a duty in
-- force states besides. Nothing (NULL) for the province, which no region bounds.
CREATE FUNCTION access_reach(organisation bigint, duty text) RETURNS bigint[] LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE codes text[];
BEGIN
    codes := ARRAY(
        SELECT o.region_id::text FROM accounts_organisation o WHERE o.id = organisation
        UNION
        SELECT d.region_id::text FROM access_dutyitem d
         WHERE d.organisation_id = organisation AND d.code = duty AND d.region_id IS NOT NULL AND d.state = 'in_force'
           AND d.valid_from <= cf_today() AND (d.valid_to IS NULL OR d.valid_to > cf_today()));
    IF EXISTS (SELECT 1 FROM accounts_region r WHERE r.code = ANY (codes) AND r.kind = 'province') THEN
        RETURN NULL;
    END IF;
    RETURN ARRAY(SELECT o.id FROM accounts_organisation o WHERE o.region_id = ANY (accounts_regions_within(codes)));
END $$;

-- Whose records it does not reach; nobody's (empty) for the province. What asks for many records asks for this: it is short.
CREATE FUNCTION access_beyond(organisation bigint, duty text) RETURNS bigint[] LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT coalesce(array_agg(o.id), '{}') FROM (SELECT access_reach($1, $2) AS reach) w
      JOIN accounts_organisation o ON o.id <> ALL (w.reach)
$$;

-- The line of a reading at work is found by its moment: the policy on records asks for it in every statement.
CREATE INDEX access_query_by_duty_at ON access_query (at) WHERE kind = 'Q5';
"""
REACH_UNDONE = """
DROP INDEX access_query_by_duty_at;
DROP FUNCTION access_beyond(bigint, text);
DROP FUNCTION access_reach(bigint, text);
"""


class Migration(migrations.Migration):
    dependencies = [("access", "0013_closed_items"), ("accounts", "0011_regions"), ("catalogue", "0011_grants")]

    operations = [
        migrations.AddField(
            model_name="dutyitem",
            name="region",
            field=models.ForeignKey(
                blank=True,
                help_text="留空：只及本单位所在区域及其下辖。写明的，还及这个区域及其下辖，须写依据",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="accounts.region",
                verbose_name="另行写明的区域",
            ),
        ),
        migrations.AddField(
            model_name="dutyitem",
            name="region_basis",
            field=models.CharField(
                blank=True, help_text="法规名称、条款", max_length=200, verbose_name="扩大区域的依据"
            ),
        ),
        migrations.AddConstraint(
            model_name="dutyitem",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("region__isnull", True), ("region_basis", "")),
                    models.Q(("region__isnull", False), models.Q(("region_basis", ""), _negated=True)),
                    _connector="OR",
                ),
                name="dutyitem_says_why_it_reaches_further",
                violation_error_message="写明区域的，须写扩大区域的依据；不扩大的，两项都留空。",
            ),
        ),
        migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE", migrations.RunSQL.noop),
        migrations.RunSQL(REACH, REACH_UNDONE),
    ]
