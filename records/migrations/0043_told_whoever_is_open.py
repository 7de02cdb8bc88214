"""Whether the person was told of what became of their request is asked when the transaction ends, whoever is open by then."""

from django.db import migrations

SQL = "ALTER FUNCTION records_right_is_told() SECURITY DEFINER SET search_path = public, pg_temp"
UNDONE = "ALTER FUNCTION records_right_is_told() SECURITY INVOKER RESET search_path"


class Migration(migrations.Migration):
    dependencies = [("records", "0041_rights_in_context"), ("access", "0032_told_whoever_is_open")]
    operations = [migrations.RunSQL(SQL, UNDONE)]
