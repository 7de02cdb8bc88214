"""What the catalogue allows of new versions is asked in one look at them instead of two, with the same refusals."""

from django.db import migrations

RULE = """
-- Nothing is recorded unless its item is in force today and a version with a valid basis covers the document's day.
-- Nobody is put on a list by a delivery, and nobody but the court writes the court's list.
CREATE OR REPLACE FUNCTION records_versions_need_an_item_in_force() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE not_in_force boolean; not_delivered boolean;
BEGIN
    WITH kinds AS MATERIALIZED (
        SELECT DISTINCT r.item_id, f.item_version_id, f.doc_date
          FROM fresh f JOIN records_record r ON r.id = f.record_id WHERE f.deed IN (1, 2)
    ), allowed AS MATERIALIZED (
        SELECT s.* FROM catalogue_standing s WHERE s.id IN (SELECT item_version_id FROM kinds)
           AND s.state IN ('published', 'in_force')
    ), now_in_force AS MATERIALIZED (
        SELECT v.item_id FROM catalogue_itemversion v WHERE v.id IN (SELECT catalogue_in_force(cf_today()))
    )
    SELECT bool_or(s.id IS NULL OR k.item_id NOT IN (SELECT item_id FROM now_in_force)),
           bool_or(i.category = '06' OR v.source_channel NOT IN ('FILE', 'FORM', 'API'))
      INTO not_in_force, not_delivered
      FROM kinds k JOIN catalogue_item i ON i.id = k.item_id
      LEFT JOIN catalogue_itemversion v ON v.id = k.item_version_id
      LEFT JOIN allowed s ON s.id = k.item_version_id AND s.item_id = k.item_id
           AND s.effective @> k.doc_date AND s.collected_on @> k.doc_date;
    IF not_in_force THEN
        RAISE EXCEPTION 'no catalogue item in force allows this record'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'recordversion_item_is_in_force';
    END IF;
    IF not_delivered THEN
        RAISE EXCEPTION 'this item is not supplied by deliveries'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'recordversion_comes_by_its_channel';
    END IF;
    RETURN NULL;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("records", "0009_lists")]
    operations = [migrations.RunSQL(RULE, migrations.RunSQL.noop)]
