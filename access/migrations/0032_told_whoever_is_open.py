"""Whether somebody was told, and lives, is asked as the owner: what a policy hides is no reason to let a deed pass.

Also: an emergency asks the register of grants (catalogue 0011), which took the place of guardian's rows.
"""

from importlib import import_module

from django.db import migrations

# Each let a deed pass, or refused a good one, when the person, the message or the question was closed on the connection.
_ASKED = (
    "access_is_dead(bigint)", "access_is_told(bigint, text)", "access_kin_is_refused(bigint)", "access_question_is_told()",
)  # fmt: skip
AS_OWNER = "".join(f"ALTER FUNCTION {one} SECURITY DEFINER SET search_path = public, pg_temp;\n" for one in _ASKED)
AS_OWNER_UNDONE = "".join(f"ALTER FUNCTION {one} SECURITY INVOKER RESET search_path;\n" for one in _ASKED)
BY_DUTY = """
-- Whether a unit may read all those items under one duty of its register: then nothing has to be broken.
CREATE OR REPLACE FUNCTION access_reads_by_duty(unit bigint, wanted bigint[]) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT wanted <@ catalogue_granted_items(unit, 'query_item')
       AND EXISTS (SELECT 1 FROM access_dutyitem d WHERE d.organisation_id = unit AND wanted <@ access_duty_items(unit, d.code))
$$;
"""
_URGENT = import_module("access.migrations.0012_glass").URGENT
_BEGINS = _URGENT.index("CREATE FUNCTION access_reads_by_duty")
BY_DUTY_UNDONE = "CREATE OR REPLACE" + _URGENT[_BEGINS + len("CREATE") : _URGENT.index("$$;", _BEGINS) + 3]


class Migration(migrations.Migration):
    dependencies = [("access", "0030_grounds_in_context"), ("catalogue", "0011_grants")]
    operations = [
        migrations.RunSQL(AS_OWNER, AS_OWNER_UNDONE),
        migrations.RunSQL(BY_DUTY, BY_DUTY_UNDONE),
    ]
