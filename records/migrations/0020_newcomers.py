"""Nobody enters the register by one hand: whom records go to is entered when two officials have decided it."""

from importlib import import_module

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F, Q

_OLD = import_module("records.migrations.0012_persons")


def _function(text: str, name: str, end: str) -> str:
    """Return the statement in migration 0012 that makes a function, to be made anew."""
    start = text.index(f"CREATE FUNCTION {name}")
    return "CREATE OR REPLACE" + text[start + len("CREATE") : text.index(end, start)]


GUARD = _function(_OLD.CASES, "records_personcase_guard()", "CREATE TRIGGER personcase_guard")
CARRY_OUT = _function(_OLD.NAMES, "records_carry_out_case(", "-- The old name goes")
# The other person is named once: when the case is asked for, or by the database, entering them.
NEW_GUARD = GUARD.replace(
    "(OLD.kind, OLD.person_id, OLD.other_id,",
    "(OLD.kind, OLD.person_id, CASE WHEN owner AND OLD.state = 'decided' AND OLD.other_id IS NULL THEN NEW.other_id"
    " ELSE OLD.other_id END,",
).replace("done_at,account_id}", "done_at,account_id,other_id}")
NEW_CARRY_OUT = CARRY_OUT.replace(
    "    -- The strongest lock",
    "    IF c.kind = 'move' AND c.other_id IS NULL THEN\n        c.other_id := records_enter_newcomer(c);\n    END IF;\n"
    "    -- The strongest lock",
)
assert NEW_GUARD.count("account_id,other_id}") == 2
assert "records_enter_newcomer" in NEW_CARRY_OUT
NEWCOMER = """
-- Enter whom a decided case names, and let the case be about them.
CREATE FUNCTION records_enter_newcomer(c records_personcase) RETURNS bigint
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE person bigint;
BEGIN
    INSERT INTO accounts_person (sid, name, id_cipher, id_index)
    SELECT gen_random_uuid(), n.name, n.id_cipher, n.id_index FROM records_casenewcomer n WHERE n.case_id = c.id
    ON CONFLICT (id_index) DO NOTHING RETURNING id INTO person;
    IF person IS NULL THEN
        PERFORM catalogue_refuse('personcase_newcomer_is_new', 'nobody is named, or somebody has the number by now');
    END IF;
    UPDATE records_personcase SET other_id = person WHERE id = c.id;
    DELETE FROM records_casenewcomer WHERE case_id = c.id;
    RETURN person;
END $$;

-- Whom a case that came to nothing named is not kept.
CREATE FUNCTION records_newcomer_goes() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    DELETE FROM records_casenewcomer WHERE case_id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER personcase_newcomer_goes AFTER UPDATE OF state ON records_personcase FOR EACH ROW
    WHEN (NEW.state IN ('refused', 'dropped')) EXECUTE FUNCTION records_newcomer_goes();

-- Named once, in a case that is asked for and about nobody else; read under a line of that case, and while it is carried out.
ALTER TABLE records_casenewcomer ENABLE ROW LEVEL SECURITY;
CREATE POLICY casenewcomer_read_with_a_query_line ON records_casenewcomer FOR SELECT USING (
    records_case_is_open_here(case_id)
    OR EXISTS (SELECT 1 FROM records_personcase c WHERE c.id = case_id AND c.state = 'decided'));
CREATE POLICY casenewcomer_named_when_asked_for ON records_casenewcomer FOR INSERT WITH CHECK (
    records_case_is_open_here(case_id) AND EXISTS (SELECT 1 FROM records_personcase c
        WHERE c.id = case_id AND c.kind = 'move' AND c.state = 'asked' AND c.other_id IS NULL));
"""
NEWCOMER_UNDONE = """
DROP POLICY casenewcomer_named_when_asked_for ON records_casenewcomer;
DROP POLICY casenewcomer_read_with_a_query_line ON records_casenewcomer;
DROP TRIGGER personcase_newcomer_goes ON records_personcase;
DROP FUNCTION records_newcomer_goes();
DROP FUNCTION records_enter_newcomer(records_personcase);
"""
ABOUT_TWO = Q(kind__in=["merge", "split", "move"], other__isnull=False) & ~Q(other=F("person"))
ABOUT_ONE = ~Q(kind__in=["merge", "split", "move"]) & Q(other__isnull=True)
NOT_ENTERED = Q(kind="move", other__isnull=True, state__in=["asked", "decided", "refused", "dropped"])


class Migration(migrations.Migration):
    dependencies = [("accounts", "0008_service_tokens"), ("records", "0019_api")]
    operations = [
        migrations.CreateModel(
            name="CaseNewcomer",
            fields=[
                (
                    "case",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="newcomer",
                        serialize=False,
                        to="records.personcase",
                    ),
                ),
                ("name", models.CharField(max_length=100, verbose_name="姓名")),
                ("id_cipher", models.BinaryField(verbose_name="证件号码（密文）")),
                ("id_index", models.BinaryField(verbose_name="证件号码（索引）")),
            ],
            options={
                "verbose_name": "拟登记的人员",
                "verbose_name_plural": "拟登记的人员",
                "db_table_comment": "append-only: entered by the database when the case is carried out, gone when it ends otherwise",
                "default_permissions": (),
            },
        ),
        migrations.RemoveConstraint(model_name="personcase", name="personcase_about_two_persons"),
        migrations.AddConstraint(
            model_name="personcase",
            constraint=models.CheckConstraint(
                condition=ABOUT_TWO | NOT_ENTERED | ABOUT_ONE, name="personcase_about_two_persons"
            ),
        ),
        migrations.RunSQL(NEWCOMER, NEWCOMER_UNDONE),
        migrations.RunSQL(NEW_GUARD + NEW_CARRY_OUT, GUARD + CARRY_OUT),
    ]
