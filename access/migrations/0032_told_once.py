"""What an emergency and a withdrawal at the counter tell themselves is told once; whom a letter names is closed to that person."""

from importlib import import_module

from django.db import migrations

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
# Told again, the one as «by duty», the other as a stranger with the card, it would be wrong.
_WAS = import_module("access.migrations.0031_changes_are_read").TOLD
NOTICES_UNDONE = _WAS[_WAS.index("CREATE OR REPLACE FUNCTION") : _WAS.index("END $$;") + len("END $$;")]
_ALLOWED = "     WHERE CASE WHEN n.allowed"
NOTICES = NOTICES_UNDONE.replace(
    _ALLOWED,
    """     WHERE NOT (n.allowed AND (q.fields_class LIKE '紧急查询%' OR q.purpose = '窗口为本人撤回查询授权'))
       AND CASE WHEN n.allowed""",
)
assert NOTICES != NOTICES_UNDONE


class Migration(migrations.Migration):
    dependencies = [("access", "0031_changes_are_read")]  # both were made in one night
    operations = [migrations.RunSQL(LETTERS, LETTERS_UNDONE), migrations.RunSQL(NOTICES, NOTICES_UNDONE)]
