"""What a person asks for by right: no context, no row."""

from django.db import migrations

SQL = """
ALTER TABLE records_rightsrequest ENABLE ROW LEVEL SECURITY;
CREATE POLICY rightsrequest_in_context ON records_rightsrequest USING (
    (SELECT accounts_everybody_is_open()) OR person_id = ANY ((SELECT accounts_open_persons())::bigint[])
    OR (SELECT accounts_department_is_open())
);
"""
UNDONE = """
DROP POLICY rightsrequest_in_context ON records_rightsrequest;
ALTER TABLE records_rightsrequest DISABLE ROW LEVEL SECURITY;
"""


class Migration(migrations.Migration):
    dependencies = [("records", "0039_systems_come_by_the_api"), ("access", "0030_grounds_in_context")]
    operations = [migrations.RunSQL(SQL, UNDONE)]
