"""Whether somebody is open is asked before whether a line was written about them, and in one policy.

PostgreSQL tries the policies of a table in an order of its own and stops at the first that says yes. It began with the line, a
call for each row: of the time in which a delivery went in, a sixth, though everybody is open then. What is seen is the same.
"""

from django.db import migrations

TABLES = {"accounts_person": ("person_in_context", "id"), "accounts_personname": ("personname_in_context", "person_id")}
OPEN = "(SELECT accounts_everybody_is_open()) OR {key} = ANY ((SELECT accounts_open_persons())::bigint[])"
NUMBERED = " OR id_index = ANY ((SELECT accounts_open_numbers())::bytea[])"


def open_to(table: str, key: str) -> str:
    """Return the condition under which a row is seen without a line."""
    return OPEN.format(key=key) + (NUMBERED if table == "accounts_person" else "")


ONE = "\n".join(
    f"DROP POLICY person_read_with_a_query_line ON {table};\n"
    f"ALTER POLICY {policy} ON {table} USING ({open_to(table, key)} OR access_reads({key}));"
    for table, (policy, key) in TABLES.items()
)
TWO = "\n".join(
    f"ALTER POLICY {policy} ON {table} USING ({open_to(table, key)});\n"
    f"CREATE POLICY person_read_with_a_query_line ON {table} FOR SELECT USING (access_reads({key}));"
    for table, (policy, key) in TABLES.items()
)


class Migration(migrations.Migration):
    dependencies = [("records", "0046_lines_open_once"), ("access", "0018_persons_under_a_line")]  # fmt: skip
    operations = [migrations.RunSQL(ONE, TWO)]
