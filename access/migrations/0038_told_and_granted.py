"""A whole number needs the grant as well as the duty; under a merged number the human is told all the same."""

from importlib import import_module

from django.db import migrations

_WAS = import_module("access.migrations.0012_glass").NUMBERS
NUMBER_UNDONE = (
    "CREATE OR REPLACE "
    + _WAS[_WAS.index("FUNCTION access_line_shows_number()") : _WAS.index("CREATE TRIGGER query_shows_number")]
)
_DUTY = "AND i.item_id <> ALL (access_duty_items(r.organisation_id, r.duty_code))"
NUMBER = NUMBER_UNDONE.replace(
    _DUTY,
    """AND (i.item_id <> ALL (access_duty_items(r.organisation_id, r.duty_code))
                                              OR i.item_id <> ALL (catalogue_granted_items(r.organisation_id, 'query_item')))""",
)
assert NUMBER != NUMBER_UNDONE

# A merged number is neither dead nor alive by itself: the human behind it is, and their messages stand under the number that stays.
TOLD = """
CREATE OR REPLACE FUNCTION access_is_told(person bigint, number text) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT access_is_dead(access_survivor(person)) IS NOT false OR EXISTS (
        SELECT 1 FROM access_message m WHERE m.person_id IN (person, access_survivor(person)) AND m.about = number
           AND m.at = transaction_timestamp())
$$;
"""
TOLD_UNDONE = """
CREATE OR REPLACE FUNCTION access_is_told(person bigint, number text) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT access_is_dead(person) IS NOT false OR EXISTS (
        SELECT 1 FROM access_message m WHERE m.person_id = person AND m.about = number AND m.at = transaction_timestamp())
$$;
"""


class Migration(migrations.Migration):
    dependencies = [("access", "0037_grounds_by_duty")]
    operations = [migrations.RunSQL(NUMBER, NUMBER_UNDONE), migrations.RunSQL(TOLD, TOLD_UNDONE)]
