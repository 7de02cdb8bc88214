"""What rules look for in closed tables they ask as the owner: one that looks for absence would pass when it sees nothing."""

from django.db import migrations

FUNCTIONS = (
    "access_authority_is_told()",
    "access_authority_stands(text, bigint)",
    "access_is_dead(bigint)",
    "access_is_told(bigint, text)",
    "access_kin_is_refused(bigint)",
    "access_kinwish_guard()",
    "access_letterperson_guard()",
    "access_line_opens(access_query)",
    "access_question_is_told()",
    "access_withdrawal_leaves_a_line()",
)


def each(how: str) -> str:
    """Return the statements for each function."""
    return "".join(f"ALTER FUNCTION {one} {how};\n" for one in FUNCTIONS)


class Migration(migrations.Migration):
    dependencies = [("access", "0032_told_once")]
    operations = [
        migrations.RunSQL(
            each("SECURITY DEFINER SET search_path = public, pg_temp"), each("SECURITY INVOKER RESET search_path")
        )
    ]
