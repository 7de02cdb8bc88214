"""What an item lets nobody see, no duty and no old mark opens: departments and the public."""

from importlib import import_module

from django.db import migrations

_OLD = import_module("access.migrations.0009_duties").DUTIES
_DUTY = _OLD[_OLD.index("CREATE FUNCTION access_duty_items") : _OLD.index("CREATE TRIGGER dutyitem_guard")]
CLOSED = """
-- The items that the version of today closes to a kind of reader, whatever their records were marked with before.
CREATE FUNCTION access_closed_items(reader text) RETURNS bigint[] LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT coalesce(array_agg(v.item_id), '{}') FROM catalogue_itemversion v
     WHERE v.state IN ('published', 'in_force', 'suspended') AND v.effective @> cf_today() AND CASE reader
        WHEN 'DEPT' THEN v.disclosure IN ('SELF', 'NONE') OR v.sharing = 'NO'
        WHEN 'THIRD_PARTY' THEN v.disclosure NOT IN ('PUBLIC', 'QUERY_AUTH')
        WHEN 'PUBLIC' THEN v.disclosure <> 'PUBLIC'
        ELSE false END
$$;
-- The items that a duty of an organisation opens today: those that it needs and that are shared with departments.
CREATE OR REPLACE FUNCTION access_duty_items(organisation bigint, duty text) RETURNS bigint[] LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT coalesce(array_agg(i.item_id), '{}') FROM access_dutyitem d JOIN access_dutyitem_items i ON i.dutyitem_id = d.id
     WHERE d.organisation_id = organisation AND d.code = duty AND d.state = 'in_force'
       AND d.valid_from <= cf_today() AND (d.valid_to IS NULL OR d.valid_to > cf_today())
       AND i.item_id <> ALL ((SELECT access_closed_items('DEPT'))::bigint[])
$$;
"""
UNDONE = _DUTY.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION") + "DROP FUNCTION access_closed_items(text);"


class Migration(migrations.Migration):
    dependencies = [("access", "0012_glass")]

    operations = [migrations.RunSQL(CLOSED, UNDONE)]
