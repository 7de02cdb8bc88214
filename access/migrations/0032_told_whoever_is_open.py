"""Whether somebody was told, and lives, is asked as the owner: what a policy hides is no reason to let a deed pass.

Also: whom a letter is about is the business of officials alone, who may have to hold it back; an emergency is told once and
asks the register of grants (catalogue 0011), which took the place of guardian's rows.
"""

from importlib import import_module

from django.db import migrations

# Each let a deed pass, or refused a good one, when the person, the message or the question was closed on the connection.
_ASKED = (
    "access_is_dead(bigint)", "access_is_told(bigint, text)", "access_kin_is_refused(bigint)", "access_question_is_told()",
)  # fmt: skip
AS_OWNER = "".join(f"ALTER FUNCTION {one} SECURITY DEFINER SET search_path = public, pg_temp;\n" for one in _ASKED)
AS_OWNER_UNDONE = "".join(f"ALTER FUNCTION {one} SECURITY INVOKER RESET search_path;\n" for one in _ASKED)
# A person's own page never shows whom a letter names: what is held back from them must not lie open beside it.
LETTERS = """
ALTER POLICY letterperson_in_context ON access_letterperson USING (
    (SELECT accounts_everybody_is_open()) OR (SELECT accounts_department_is_open())
);
"""
LETTERS_UNDONE = """
ALTER POLICY letterperson_in_context ON access_letterperson USING (
    (SELECT accounts_everybody_is_open()) OR person_id = ANY ((SELECT accounts_open_persons())::bigint[])
    OR (SELECT accounts_department_is_open())
);
"""
BY_DUTY = """
-- Whether a unit may read all those items under one duty of its register: then nothing has to be broken.
CREATE OR REPLACE FUNCTION access_reads_by_duty(unit bigint, wanted bigint[]) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT wanted <@ catalogue_granted_items(unit, 'query_item')
       AND EXISTS (SELECT 1 FROM access_dutyitem d WHERE d.organisation_id = unit AND wanted <@ access_duty_items(unit, d.code))
$$;
"""
# What an emergency and a withdrawal at the counter say themselves: told again as «by duty», or as a stranger with the card, it
# would be wrong.
_NOTICES = import_module("access.migrations.0016_notices").NOTICES
_WAS = _NOTICES[_NOTICES.index("CREATE FUNCTION access_reading_is_told") : _NOTICES.index("$$;") + 3]
NOTICES_UNDONE = _WAS.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")
_TOLD = "     WHERE CASE WHEN n.allowed"
NOTICES = NOTICES_UNDONE.replace(
    _TOLD,
    """     WHERE NOT (n.allowed AND (q.fields_class LIKE '紧急查询%' OR q.purpose = '窗口为本人撤回查询授权'))
       AND CASE WHEN n.allowed""",
)
assert NOTICES != NOTICES_UNDONE
_URGENT = import_module("access.migrations.0012_glass").URGENT
_BEGINS = _URGENT.index("CREATE FUNCTION access_reads_by_duty")
BY_DUTY_UNDONE = "CREATE OR REPLACE" + _URGENT[_BEGINS + len("CREATE") : _URGENT.index("$$;", _BEGINS) + 3]


class Migration(migrations.Migration):
    dependencies = [("access", "0030_grounds_in_context"), ("catalogue", "0011_grants")]
    operations = [
        migrations.RunSQL(AS_OWNER, AS_OWNER_UNDONE),
        migrations.RunSQL(LETTERS, LETTERS_UNDONE),
        migrations.RunSQL(NOTICES, NOTICES_UNDONE),
        migrations.RunSQL(BY_DUTY, BY_DUTY_UNDONE),
    ]
