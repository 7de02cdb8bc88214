"""What rules of every app use: the day in the province, and the trigger of append-only tables."""

from django.db import migrations

COMMON = """
CREATE FUNCTION cf_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE FUNCTION cf_today() RETURNS date LANGUAGE sql STABLE AS
    $$ SELECT (transaction_timestamp() AT TIME ZONE 'Asia/Shanghai')::date $$;
"""
UNDONE = """
DROP FUNCTION cf_today();
DROP FUNCTION cf_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_rules")]
    operations = [migrations.RunSQL(COMMON, UNDONE)]
