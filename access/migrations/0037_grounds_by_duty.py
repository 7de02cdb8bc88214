"""Authorities, letters, questions and emergencies are open to those whose duty they are, as the pages are: not to every department."""

from django.db import migrations

BEFORE = "OR (SELECT accounts_department_is_open())"
PERSON = "(SELECT accounts_everybody_is_open()) OR person_id = ANY ((SELECT accounts_open_persons())::bigint[])"
LETTERS = "(SELECT accounts_everybody_is_open()) OR (SELECT access_duty_is_open('access', 'view_officialletter'))"
OWN_OFFICE = "organisation_id = ANY ((SELECT accounts_open_offices())::bigint[])"
# Table: what opens a row now, and what did before.
POLICIES = {
    "authority": (
        f"""{PERSON} OR (SELECT access_duty_is_open('access', 'review_authority'))
        OR {OWN_OFFICE} AND (SELECT access_duty_is_open('access', 'enter_authority'))""",
        f"{PERSON} {BEFORE}",
    ),
    "kinwish": (PERSON, f"{PERSON} {BEFORE}"),
    "letterperson": (LETTERS, f"(SELECT accounts_everybody_is_open()) {BEFORE}"),
    "question": (
        f"""{PERSON} OR EXISTS (SELECT 1 FROM access_anomaly a WHERE a.id = anomaly_id AND (
            (SELECT access_duty_is_open('access', 'close_anomaly')) OR (SELECT access_duty_is_open('access', 'oversee_anomaly'))
            OR a.{OWN_OFFICE} AND (SELECT access_duty_is_open('access', 'answer_anomaly'))))""",  # noqa: S608 – ours
        f"{PERSON} {BEFORE}",
    ),
    "urgentreading": (
        f"""{PERSON} OR (SELECT access_duty_is_open('access', 'view_all_urgentreadings'))
        OR actor_id = ANY ((SELECT accounts_open_accounts())::bigint[])
        OR {OWN_OFFICE} AND (SELECT access_duty_is_open('access', 'answer_urgentreading'))""",
        f"{PERSON} {BEFORE}",
    ),
}
DUTY = """
-- Whether who has signed in on this connection holds a duty.
CREATE FUNCTION access_duty_is_open(app text, permission text) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT 1 FROM unnest(accounts_open_accounts()) AS who WHERE catalogue_holds(who, app, permission))
$$;
"""
LETTER = f"""
ALTER TABLE access_officialletter ENABLE ROW LEVEL SECURITY;
CREATE POLICY officialletter_in_context ON access_officialletter USING ({LETTERS});
"""
# Rules that look a letter up do so whoever is on the connection.
RULES = ("access_holdextension_guard()", "access_held_until(text, text)", "access_query_by_letter()")
AS_OWNER = "".join(f"ALTER FUNCTION {rule} SECURITY DEFINER SET search_path = public, pg_temp;\n" for rule in RULES)
AS_CALLER = "".join(f"ALTER FUNCTION {rule} SECURITY INVOKER RESET search_path;\n" for rule in RULES)
LETTER_UNDONE = """
DROP POLICY officialletter_in_context ON access_officialletter;
ALTER TABLE access_officialletter DISABLE ROW LEVEL SECURITY;
"""


def each(which: int) -> str:
    """Return the statements that give each table its policy of now (0) or of before (1)."""
    return "".join(
        f"ALTER POLICY {table}_in_context ON access_{table} USING ({texts[which]});\n"
        for table, texts in POLICIES.items()
    )


class Migration(migrations.Migration):
    dependencies = [("access", "0036_codes_are_told"), ("accounts", "0017_accounts_in_context")]
    operations = [
        migrations.RunSQL(
            DUTY + each(0) + LETTER + AS_OWNER,
            AS_CALLER + LETTER_UNDONE + each(1) + "DROP FUNCTION access_duty_is_open(text, text);",
        )
    ]
