"""Requests of rights are open to the supplier's officials whose duty they are."""

from importlib import import_module

from django.db import migrations

_PERSON = "(SELECT accounts_everybody_is_open()) OR person_id = ANY ((SELECT accounts_open_persons())::bigint[])"
# Rights are answered by the data officers of the supplier; with that nothing is open to every department any more.
RIGHTS = f"""
ALTER POLICY rightsrequest_in_context ON records_rightsrequest USING ({_PERSON}
    OR organisation_id = ANY ((SELECT accounts_open_offices())::bigint[])
       AND ((SELECT access_duty_is_open('records', 'ask_act')) OR (SELECT access_duty_is_open('records', 'decide_act'))));
DROP FUNCTION accounts_department_is_open();
ALTER FUNCTION records_extension_was_opened() SECURITY DEFINER SET search_path = public, pg_temp;
"""
RIGHTS_UNDONE = (
    "ALTER FUNCTION records_extension_was_opened() SECURITY INVOKER RESET search_path;"
    + import_module("access.migrations.0030_grounds_in_context").OPEN
    + f"ALTER POLICY rightsrequest_in_context ON records_rightsrequest USING ({_PERSON} OR (SELECT accounts_department_is_open()));"
)


class Migration(migrations.Migration):
    dependencies = [("records", "0045_one_answer_to_who_holds"), ("access", "0037_grounds_by_duty")]
    operations = [migrations.RunSQL(RIGHTS, RIGHTS_UNDONE)]
