"""Authorities, letters, questions and emergencies: no context, no row; a department's page rules who sees which."""

from django.db import migrations

TABLES = ("access_authority", "access_kinwish", "access_letterperson", "access_question", "access_urgentreading")
OPEN = """
-- Whether somebody of a department has signed in on this connection: what the pages of staff then show, they rule themselves.
CREATE FUNCTION accounts_department_is_open() RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT 1 FROM accounts_organisation o
                    WHERE o.id = ANY ((SELECT accounts_open_offices())::bigint[]) AND o.kind = 'department')
$$;
"""
POLICY = """
ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
CREATE POLICY {name}_in_context ON {table} USING (
    (SELECT accounts_everybody_is_open()) OR person_id = ANY ((SELECT accounts_open_persons())::bigint[])
    OR (SELECT accounts_department_is_open())
);
"""
UNDONE = """
DROP POLICY {name}_in_context ON {table};
ALTER TABLE {table} DISABLE ROW LEVEL SECURITY;
"""


def each(text: str) -> str:
    """Return the statements for each table."""
    return "".join(text.format(table=table, name=table.partition("_")[2]) for table in TABLES)


class Migration(migrations.Migration):
    dependencies = [("access", "0021_nothing_by_the_side_door"), ("accounts", "0014_offices_in_context")]
    operations = [migrations.RunSQL(OPEN + each(POLICY), each(UNDONE) + "DROP FUNCTION accounts_department_is_open();")]
