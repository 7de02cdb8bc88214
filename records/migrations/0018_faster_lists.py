"""Lists of records are walked in short steps first; a frequent name is looked for among former names too."""

from importlib import import_module

from django.db import migrations

PAGE = r"""
-- One page of a list: ids in order, then, when there is more, a line without a person whose id is where to go on. That
-- line's id is 0 when the search is too wide to be answered. `after` is the record to go on from.
-- The walk goes in steps, each four times as long as the one before: most pages are full after the first. A step ends at
-- its nearest cut, up to which every pair of item and provider has been looked at. All steps of a page together look at no
-- more than `budget` entries of the index; a page may hold fewer records than asked for and still say where to go on, so
-- that no filter, however rare what it looks for, becomes a scan.
CREATE OR REPLACE FUNCTION records_page(line bigint, registered bigint, filters jsonb, after bigint, newer boolean, size int)
RETURNS TABLE (record_id bigint, person_id bigint, item_id bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    budget CONSTANT int := 20000;
    few CONSTANT int := 3000;
    step int := 1500; walked int := 0; found int := 0; met record; goes_on bigint;
    allowed bigint[]; own bigint; providers bigint[]; names bigint[]; others bigint[]; documents bigint[];
    source text; key text := 'r.doc_date'; base text; conditions text; pairs text; statement text;
    from_key date; from_id bigint; first_day date; last_day date; first_key date; last_key date;
    ascending boolean; way text; past text; within text;
BEGIN
    IF size IS NULL OR size NOT BETWEEN 1 AND 50 THEN
        RAISE EXCEPTION 'a page holds at most 50 records' USING ERRCODE = 'check_violation';
    END IF;
    SELECT l.items, l.provider INTO allowed, own FROM records_items_of_list(line, registered) l;
    IF filters ? 'items' THEN
        allowed := ARRAY(SELECT unnest(allowed) INTERSECT SELECT i::bigint FROM jsonb_array_elements_text(filters -> 'items') i);
    END IF;
    IF own IS NOT NULL THEN
        providers := ARRAY[own];
    ELSIF filters ? 'providers' THEN
        providers := ARRAY(SELECT i::bigint FROM jsonb_array_elements_text(filters -> 'providers') i);
    END IF;
    first_day := coalesce((filters ->> 'from')::date, '-infinity');
    last_day := coalesce((filters ->> 'until')::date, 'infinity');
    conditions := 'records_is_in_use(r.state, r.usable_from, r.hidden_at) AND r.query_until > cf_today() AND '
        'r.doc_date BETWEEN $4 AND $5 AND r.id <> ALL ($13)';
    IF providers IS NOT NULL THEN
        conditions := conditions || ' AND r.provider_id = ANY ($3)';
    END IF;
    IF filters ? 'severity' THEN
        conditions := conditions || format(' AND r.severity = %L::smallint', filters ->> 'severity');
    END IF;
    IF filters ? 'public' THEN
        conditions := conditions || ' AND r.publication @> cf_today()';
    END IF;

    -- Few: a person, a record, a document or a rare name; all of them are found, then put in order.
    IF filters ? 'person' THEN
        source := format('records_record r WHERE r.person_id = %L::bigint AND r.item_id = ANY ($1)', filters ->> 'person');
    ELSIF filters ? 'record' THEN
        source := format('records_record r WHERE r.id = %L::bigint AND r.item_id = ANY ($1)', filters ->> 'record');
    ELSIF filters ? 'doc_no' THEN
        source := format('records_record r WHERE r.doc_no = %L AND r.item_id = ANY ($1)', filters ->> 'doc_no');
    ELSIF filters ? 'doc_start' THEN
        documents := ARRAY(SELECT r.id FROM records_record r WHERE starts_with(r.doc_no, filters ->> 'doc_start')
            AND r.doc_no ~>=~ (filters ->> 'doc_start') AND r.doc_no ~<~ ((filters ->> 'doc_start') || chr(1114109))
            AND r.item_id = ANY (allowed) LIMIT few + 1);
        IF cardinality(documents) > few THEN
            RETURN QUERY SELECT 0::bigint, NULL::bigint, NULL::bigint;
            RETURN;
        END IF;
        source := 'records_record r WHERE r.id = ANY ($7)';
    ELSIF filters ? 'name' THEN
        names := ARRAY(SELECT p.id FROM accounts_person p WHERE cf_bigrams(p.name) @> cf_bigrams(filters ->> 'name')
            AND strpos(p.name, filters ->> 'name') > 0 LIMIT few + 1);
        -- who bore it before, or whose merged number did: few are renamed or merged, so all of them
        others := ARRAY(
            SELECT n.person_id FROM accounts_personname n WHERE n.how = 'renamed'
               AND cf_bigrams(n.name) @> cf_bigrams(filters ->> 'name') AND strpos(n.name, filters ->> 'name') > 0
            UNION SELECT records_survivor(m.id) FROM accounts_person m WHERE m.merged_into_id IS NOT NULL
               AND cf_bigrams(m.name) @> cf_bigrams(filters ->> 'name') AND strpos(m.name, filters ->> 'name') > 0);
        IF cardinality(names) + cardinality(others) <= few THEN
            names := names || others;
            source := 'records_record r WHERE r.person_id = ANY ($6) AND r.item_id = ANY ($1)';
        ELSE  -- a frequent name is soon met: walk the list and look at each person
            conditions := conditions || format(
                ' AND (strpos((SELECT p.name FROM accounts_person p WHERE p.id = r.person_id), %L) > 0 OR r.person_id = ANY ($6))',
                filters ->> 'name');
            names := others;
            step := 4 * step;
        END IF;
    END IF;

    ascending := newer;
    IF filters ? 'ends_within' AND source IS NULL THEN
        key := 'upper(r.publication)';
        ascending := NOT newer;  -- what ends first stands first
        base := format('r.item_id = p.item_id AND r.publication IS NOT NULL AND upper(r.publication) > cf_today() '
            'AND upper(r.publication) <= cf_today() + %L::int', filters ->> 'ends_within');
        pairs := 'SELECT i AS item_id, 0::bigint AS provider_id FROM unnest($1) i';
    ELSE
        IF filters ? 'ends_within' THEN
            conditions := conditions || format(' AND upper(r.publication) > cf_today() '
                'AND upper(r.publication) <= cf_today() + %L::int', filters ->> 'ends_within');
        END IF;
        base := 'r.item_id = p.item_id AND r.provider_id = p.provider_id AND r.doc_date BETWEEN $4 AND $5';
        pairs := 'WITH RECURSIVE met(item_id, provider_id) AS (
            SELECT i, (SELECT r.provider_id FROM records_record r WHERE r.item_id = i ORDER BY r.provider_id LIMIT 1)
              FROM unnest($1) i
            UNION ALL
            SELECT m.item_id, (SELECT r.provider_id FROM records_record r WHERE r.item_id = m.item_id
                                  AND r.provider_id > m.provider_id ORDER BY r.provider_id LIMIT 1)
              FROM met m WHERE m.provider_id IS NOT NULL
        ) SELECT item_id, provider_id FROM met WHERE provider_id IS NOT NULL'
            || CASE WHEN providers IS NULL THEN '' ELSE ' AND provider_id = ANY ($3)' END;
    END IF;
    IF after IS NOT NULL THEN
        EXECUTE format('SELECT %s, r.id FROM records_record r WHERE r.id = $1', key) INTO from_key, from_id USING after;
    END IF;
    -- The range's own end is where to begin: of two bounds of one kind the index would take either.
    IF key <> 'r.doc_date' THEN
        first_key := cf_today() + 1; last_key := cf_today() + (filters ->> 'ends_within')::int;
    ELSE
        first_key := first_day; last_key := last_day;
    END IF;
    IF ascending THEN
        way := 'ASC'; past := '>'; within := '<=';
        IF from_key IS NULL OR from_key < first_key THEN
            from_key := first_key; from_id := 0;
        END IF;
    ELSE
        way := 'DESC'; past := '<'; within := '>=';
        IF from_key IS NULL OR from_key > last_key THEN
            from_key := last_key; from_id := 9223372036854775807;
        END IF;
    END IF;

    IF source IS NOT NULL THEN
        statement := format('WITH edge AS (SELECT NULL::bigint AS id WHERE false), hits AS MATERIALIZED (
            SELECT r.id, r.person_id, r.item_id, %1$s AS k FROM %2$s AND %3$s
               AND (%1$s, r.id) %4$s ($8, $9) ORDER BY k %5$s, r.id %5$s LIMIT $2 + 1)',
            key, source, conditions, past, way);
    ELSE
        statement := format('WITH pairs AS MATERIALIZED (%6$s),
            edge AS MATERIALIZED (  -- beyond the nearest cut nothing is known yet
                SELECT c.k, c.id FROM pairs p CROSS JOIN LATERAL (
                    SELECT %1$s AS k, r.id FROM records_record r WHERE %2$s AND (%1$s, r.id) %4$s ($8, $9)
                     ORDER BY %1$s %5$s, r.id %5$s
                    OFFSET (SELECT greatest(20, $10 / greatest(count(*), 1)) FROM pairs) LIMIT 1) c
                 ORDER BY c.k %5$s, c.id %5$s LIMIT 1),
            hits AS MATERIALIZED (
                SELECT h.* FROM pairs p CROSS JOIN LATERAL (
                    SELECT r.id, r.person_id, r.item_id, %1$s AS k FROM records_record r
                     WHERE %2$s AND (%1$s, r.id) %4$s ($8, $9)
                       AND (%1$s, r.id) %7$s (coalesce((SELECT e.k FROM edge e), $11), coalesce((SELECT e.id FROM edge e), $12))
                       AND %3$s
                     ORDER BY %1$s %5$s, r.id %5$s LIMIT $2 + 1) h)', key, base, conditions, past, way, pairs, within);
    END IF;
    statement := statement || format(', page AS MATERIALIZED (
            SELECT h.id, h.person_id, h.item_id, row_number() OVER (ORDER BY h.k %1$s, h.id %1$s) AS n FROM hits h
             ORDER BY n LIMIT $2 + 1), met AS (SELECT count(*) AS n FROM page)
        SELECT l.id, l.person_id, l.item_id FROM (
            SELECT id, person_id, item_id, n FROM page WHERE n <= $2
            UNION ALL SELECT p.id, NULL, NULL, $2 + 1 FROM page p, met WHERE met.n > $2 AND p.n = $2
            UNION ALL SELECT e.id, NULL, NULL, $2 + 1 FROM edge e, met WHERE met.n <= $2) l ORDER BY l.n', way);
    LOOP
        goes_on := NULL;
        FOR met IN EXECUTE statement USING allowed, size - found, providers, first_day, last_day, names, documents,
            from_key, from_id, step, CASE WHEN ascending THEN last_key ELSE first_key END,
            CASE WHEN ascending THEN 9223372036854775807 ELSE 0::bigint END, records_unsound()
        LOOP
            IF met.person_id IS NULL THEN
                goes_on := met.id;
            ELSE
                record_id := met.id; person_id := met.person_id; item_id := met.item_id; found := found + 1;
                RETURN NEXT;
            END IF;
        END LOOP;
        walked := walked + step;
        EXIT WHEN goes_on IS NULL OR found = size OR walked >= budget;
        step := least(4 * step, budget - walked);
        EXECUTE format('SELECT %s, r.id FROM records_record r WHERE r.id = $1', key) INTO from_key, from_id USING goes_on;
    END LOOP;
    IF goes_on IS NOT NULL THEN
        record_id := goes_on; person_id := NULL; item_id := NULL;
        RETURN NEXT;
    END IF;
END $$;
"""
_LISTS, _PERSONS = import_module("records.migrations.0009_lists"), import_module("records.migrations.0012_persons")
_WALKED = _LISTS.PAGE[_LISTS.PAGE.index("CREATE FUNCTION records_page") :].replace("CREATE", "CREATE OR REPLACE", 1)
_NAMED = _PERSONS.NAMES[_PERSONS.NAMES.index("DO $do$") :]


class Migration(migrations.Migration):
    dependencies = [("records", "0017_newcomers")]
    operations = [migrations.RunSQL(PAGE, _WALKED + _NAMED)]
