"""As access 0033: rules of records ask of closed tables as the owner."""

from django.db import migrations

FUNCTIONS = (
    "records_consentpaper_guard()",
    "records_groundpaper_guard()",
    "records_right_is_told()",
)


def each(how: str) -> str:
    """Return the statements for each function."""
    return "".join(f"ALTER FUNCTION {one} {how};\n" for one in FUNCTIONS)


class Migration(migrations.Migration):
    dependencies = [("records", "0042_downloads_are_logged"), ("access", "0033_rules_ask_as_the_owner")]
    operations = [
        migrations.RunSQL(
            each("SECURITY DEFINER SET search_path = public, pg_temp"), each("SECURITY INVOKER RESET search_path")
        )
    ]
