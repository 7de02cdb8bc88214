"""Early removal (提前移出) waits as long as the roster says and rests on each of its conditions, shown by evidence."""

from importlib import import_module

from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models

BEFORE = import_module("sanctions.migrations.0003_case_rules").CASES


def _was(name: str) -> str:
    """Return the text of a function as it stood, to be put in place of what there is."""
    start = BEFORE.index(f"CREATE FUNCTION {name}(")
    return BEFORE[start : BEFORE.index("\n$$;\n", start) + 5].replace(
        "CREATE FUNCTION", "CREATE OR REPLACE FUNCTION", 1
    )


def _with(text: str, anchor: str, added: str) -> str:
    assert text.count(anchor) == 1
    return text.replace(anchor, added + anchor)


STEP_SETS, STEPS_OPEN = _was("sanctions_step_sets"), _was("sanctions_steps_open")
EARLY = r"""
-- From which day the listing of a case may end early, by the version of the roster that it was decided under; NULL where that names
-- no early removal.
CREATE FUNCTION sanctions_early_from(wanted bigint) RETURNS date LANGUAGE sql STABLE AS $$
    SELECT (lower(l.period) + make_interval(months => coalesce(v.early_wait_months, 0)))::date
      FROM sanctions_listing l JOIN sanctions_rosterversion v ON v.id = l.roster_version_id
     WHERE l.case_id = wanted AND cardinality(v.early_conditions) > 0
$$;

CREATE FUNCTION sanctions_case_may_end_early() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE first date := sanctions_early_from(NEW.id); conditions smallint[];
BEGIN
    IF first IS NULL THEN
        PERFORM catalogue_refuse('listingcase_early_where_the_roster_says', 'this roster names no early removal');
    END IF;
    IF first > cf_today() THEN
        PERFORM catalogue_refuse('listingcase_early_after_its_wait', format('no early removal before %s', first));
    END IF;
    SELECT array_agg(n::smallint ORDER BY n) INTO conditions FROM sanctions_listing l
      JOIN sanctions_rosterversion v ON v.id = l.roster_version_id, generate_series(1, cardinality(v.early_conditions)) n
     WHERE l.case_id = NEW.id;
    IF NEW.early_shown IS DISTINCT FROM conditions THEN
        PERFORM catalogue_refuse('listingcase_early_on_all_conditions', 'each condition of early removal is shown');
    END IF;
    RETURN NEW;
END $$;
-- After listingcase_guard, by name: whose duty it is comes first.
CREATE TRIGGER listingcase_may_end_early BEFORE UPDATE ON sanctions_listingcase FOR EACH ROW
    WHEN (NEW.state = 'removed_early' AND OLD.state <> 'removed_early') EXECUTE FUNCTION sanctions_case_may_end_early();
"""
NOW = (
    EARLY
    + _with(STEP_SETS, "        ELSE ARRAY['ended_on'] END", "        WHEN 'remove_early' THEN ARRAY['ended_on', 'early_shown']\n")
    + _with(STEPS_OPEN, "\n                WHEN 'list' THEN", "\n                WHEN 'remove_early' THEN sanctions_early_from(c.id) <= cf_today()")
)  # fmt: skip
UNDONE = (
    STEP_SETS
    + STEPS_OPEN
    + """
DROP TRIGGER listingcase_may_end_early ON sanctions_listingcase;
DROP FUNCTION sanctions_case_may_end_early();
DROP FUNCTION sanctions_early_from(bigint);
"""
)


class Migration(migrations.Migration):
    dependencies = [("sanctions", "0040_cases_are_grounds")]
    operations = [
        migrations.AddField(
            "listingcase", "early_shown",
            ArrayField(
                models.PositiveSmallIntegerField(), null=True, blank=True, editable=False,
                verbose_name="提前移出：有证据证明的条件", help_text="名单制度所列条件的序号，从 1 起",
            ),
        ),
        migrations.RunSQL(NOW, UNDONE),
    ]  # fmt: skip
