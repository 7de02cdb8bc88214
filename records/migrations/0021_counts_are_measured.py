"""A batch's counts are what its rows and versions are; a version is the one that its record stands by."""

from importlib import import_module

from django.db import migrations

_OLD = import_module("records.migrations.0015_fewer_looks").VERSIONS
VERSIONS = _OLD[: _OLD.index("DROP TRIGGER")]
_ACTS = import_module("records.migrations.0006_life").ACTS
CARRY_OUT = (
    "CREATE OR REPLACE "
    + _ACTS[_ACTS.index("FUNCTION records_carry_out(") : _ACTS.index("-- The person's words stand beside")]
)
# A correction writes the version and its record in one statement, as a delivery does.
CORRECTS = CARRY_OUT.replace(
    "INSERT INTO records_recordversion (record_id,", "WITH said AS (INSERT INTO records_recordversion (record_id,"
).replace(
    "AND r.state IN (1, 3);\n        UPDATE records_record r SET version",
    "AND r.state IN (1, 3))\n        UPDATE records_record r SET version",
)
assert CORRECTS.count("WITH said AS (") == CORRECTS.count("(1, 3))\n        UPDATE") == 1
COUNTS = """
-- Count the rows of the batch at work and write it down. `unmarked` of the new ones are known to be unchanged without having
-- been marked, as a delivery that changes nothing rewrites no row; a commit marks all of them.
CREATE FUNCTION records_count_rows(batch bigint, unmarked int)
RETURNS TABLE (rows int, new int, changed int, unchanged int, refused int) LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN QUERY UPDATE records_batch b
       SET rows = k.all_, new = k.new - unmarked, changed = k.changed, unchanged = k.unchanged + unmarked, refused = k.refused
      FROM (SELECT count(*)::int AS all_, (count(*) FILTER (WHERE r.outcome = 1))::int AS new,
                   (count(*) FILTER (WHERE r.outcome = 2))::int AS changed,
                   (count(*) FILTER (WHERE r.outcome = 3))::int AS unchanged,
                   (count(*) FILTER (WHERE r.outcome IN (8, 9)))::int AS refused
              FROM records_batchrow r WHERE r.batch_id = batch) k
     WHERE b.id = batch AND b.id = records_batch_at_work() AND b.state IN ('checking', 'committing')
       AND unmarked BETWEEN 0 AND CASE b.state WHEN 'checking' THEN k.new ELSE 0 END
    RETURNING b.rows, b.new, b.changed, b.unchanged, b.refused;
    IF NOT FOUND THEN
        PERFORM catalogue_refuse('batch_counts_are_measured', 'rows are counted by the batch at work');
    END IF;
END $$;

CREATE FUNCTION records_batch_counts_are_measured() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_user <> (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID) THEN
        PERFORM catalogue_refuse('batch_counts_are_measured', 'the counts of a batch are counted from its rows');
    END IF;
    RETURN NEW;
END $$;
-- Named to run before the second look is asked for.
CREATE TRIGGER batch_counts_are_measured BEFORE UPDATE ON records_batch FOR EACH ROW
    WHEN ((NEW.rows, NEW.new, NEW.changed, NEW.unchanged, NEW.refused)
          IS DISTINCT FROM (OLD.rows, OLD.new, OLD.changed, OLD.unchanged, OLD.refused))
    EXECUTE FUNCTION records_batch_counts_are_measured();
CREATE TRIGGER batch_counts_begin_at_nothing BEFORE INSERT ON records_batch FOR EACH ROW
    WHEN (NEW.rows + NEW.new + NEW.changed + NEW.unchanged + NEW.refused + NEW.corrected + NEW.explained + NEW.open_rows > 0)
    EXECUTE FUNCTION records_batch_counts_are_measured();

-- Staged rows can be changed after they were counted; what went in cannot. So the two are compared when a batch is in.
CREATE FUNCTION records_batch_is_what_went_in() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE made bigint; changed bigint;
BEGIN
    SELECT count(*) FILTER (WHERE v.deed = 1), count(*) FILTER (WHERE v.deed = 2) INTO made, changed
      FROM records_recordversion v WHERE v.batch_id = NEW.id;
    IF (made, changed) <> (NEW.new, NEW.changed) THEN
        PERFORM catalogue_refuse('batch_is_what_went_in', format(
            'the batch says %s new and %s changed, %s and %s went in', NEW.new, NEW.changed, made, changed));
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER batch_is_what_went_in BEFORE UPDATE OF state ON records_batch FOR EACH ROW
    WHEN (OLD.state = 'committing' AND NEW.state = 'committed') EXECUTE FUNCTION records_batch_is_what_went_in();
"""
COUNTS_UNDONE = """
DROP TRIGGER batch_is_what_went_in ON records_batch;
DROP FUNCTION records_batch_is_what_went_in();
DROP TRIGGER batch_counts_begin_at_nothing ON records_batch;
DROP TRIGGER batch_counts_are_measured ON records_batch;
DROP FUNCTION records_batch_counts_are_measured();
DROP FUNCTION records_count_rows(bigint, int);
"""
# In the one look at new versions: whatever the deed, the record stands by it when the statement ends.
CURRENT = (
    VERSIONS.replace("bool_or(f.deed = 1 AND r.version = f.version AND r.state <> 3) AS used",
                     "bool_or(f.deed IN (1, 2)) AS delivered, bool_or(r.version <> f.version) AS beside,\n"
                     "               bool_or(f.deed = 1 AND r.version = f.version AND r.state <> 3) AS used")
    .replace("ON r.id = f.record_id WHERE f.deed IN (1, 2)\n         GROUP BY r.item_id, f.item_version_id, f.doc_date",
             "ON r.id = f.record_id\n         GROUP BY r.item_id, f.item_version_id, f.doc_date, f.deed IN (1, 2)")
    .replace("bool_or(s.id IS NULL OR", "bool_or(k.delivered AND (s.id IS NULL OR")
    .replace("FROM now_in_force))\n", "FROM now_in_force)))\n")
    .replace("bool_or(i.category = '06' OR v.source_channel NOT IN ('FILE', 'FORM', 'API'))",
             "bool_or(k.delivered AND (i.category = '06' OR v.source_channel NOT IN ('FILE', 'FORM', 'API')))")
    .replace("THEN 'record_says_what_its_version_says' END",
             "THEN 'record_says_what_its_version_says'\n"
             "                WHEN bool_or(k.beside) AND NOT records_is_written_by_the_owner()\n"
             "                THEN 'recordversion_is_the_records_own' END")
    .replace("                            ELSE 'a record says",
             "                            WHEN 'recordversion_is_the_records_own' THEN 'a version is what its record says now'\n"
             "                            ELSE 'a record says")
)  # fmt: skip
assert CURRENT.count("k.delivered AND (") == 2
assert CURRENT.count("recordversion_is_the_records_own") == 2
assert CURRENT.count("AS beside") == CURRENT.count("f.deed IN (1, 2)\n    ), allowed") == 1


class Migration(migrations.Migration):
    dependencies = [("records", "0020_newcomers")]
    operations = [migrations.RunSQL(COUNTS + CORRECTS + CURRENT, COUNTS_UNDONE + VERSIONS + CARRY_OUT)]
