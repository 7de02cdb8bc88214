"""Names found by any two characters of theirs: pg_trgm cannot use its index for fewer than three."""

from django.db import migrations

BIGRAMS = """
-- Names of two to four characters, nearly all, without a loop: the expression is inlined into the index.
CREATE FUNCTION cf_bigrams(name text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE char_length(name)
        WHEN 0 THEN '{}'::text[] WHEN 1 THEN '{}' WHEN 2 THEN ARRAY[name]
        WHEN 3 THEN ARRAY[left(name, 2), right(name, 2)]
        WHEN 4 THEN ARRAY[left(name, 2), substr(name, 2, 2), right(name, 2)]
        ELSE ARRAY(SELECT substr(name, at, 2) FROM generate_series(1, char_length(name) - 1) AS at) END
$$;
CREATE INDEX person_name_bigrams ON accounts_person USING gin (cf_bigrams(name));
"""
UNDONE = """
DROP INDEX person_name_bigrams;
DROP FUNCTION cf_bigrams(text);
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_common")]
    operations = [migrations.RunSQL(BIGRAMS, UNDONE)]
