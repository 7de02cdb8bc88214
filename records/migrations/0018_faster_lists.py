"""A page of a list costs what it shows: its stretches of the index are merged, not walked to the end of a budget each.

A frequent name is looked for among former names and those of merged numbers too.
"""

from importlib import import_module

from django.db import migrations

PAGE = r"""
-- One page of a list: ids in order, then, when there is more, a line without a person whose id is where to go on. That
-- line's id is 0 when the search is too wide to be answered. `after` is the record to go on from.
-- A list is walked as what it is made of: one stretch of the index for each pair of item and provider, merged. At first a
-- little of every stretch is looked at, then more of those that hold the others up, until the records of the page are known.
-- A page looks at about `budget` entries of the index at most; it may hold fewer records than asked for and still say where to
-- go on, so that no filter, however rare what it looks for, becomes a scan.
CREATE OR REPLACE FUNCTION records_page(line bigint, registered bigint, filters jsonb, after bigint, newer boolean, size int)
RETURNS TABLE (record_id bigint, person_id bigint, item_id bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    budget CONSTANT int := 20000;
    few CONSTANT int := 3000;
    block int := 720; looked int := 0; waiting int; walk record;
    allowed bigint[]; own bigint; providers bigint[]; names bigint[]; others bigint[]; documents bigint[];
    source text; key text := 'r.doc_date'; base text; conditions text; pairs text; statement text;
    from_key date; from_id bigint; first_day date; last_day date; first_key date; last_key date;
    ascending boolean; way text; back text; past text; within text; last_id bigint;
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
                ' AND (strpos((SELECT p.name FROM accounts_person p WHERE p.id = r.person_id), %L) > 0'
                ' OR r.person_id = ANY ($6))',
                filters ->> 'name');
            names := others;
            block := 1800;
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
            || CASE WHEN providers IS NULL THEN '' ELSE ' AND provider_id = ANY ($2)' END;
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
        way := 'ASC'; back := 'DESC'; past := '>'; within := '<='; last_id := 9223372036854775807;
        IF from_key IS NULL OR from_key < first_key THEN
            from_key := first_key; from_id := 0;
        END IF;
    ELSE
        way := 'DESC'; back := 'ASC'; past := '<'; within := '>='; last_id := 0;
        IF from_key IS NULL OR from_key > last_key THEN
            from_key := last_key; from_id := 9223372036854775807;
        END IF;
    END IF;

    IF source IS NOT NULL THEN
        RETURN QUERY EXECUTE format('WITH hits AS MATERIALIZED (
                SELECT r.id, r.person_id, r.item_id, row_number() OVER (ORDER BY %1$s %5$s, r.id %5$s) AS n FROM %2$s AND %3$s
                   AND (%1$s, r.id) %4$s ($8, $9) ORDER BY n LIMIT $2 + 1)
            SELECT id, person_id, item_id FROM (
                SELECT id, person_id, item_id, n FROM hits WHERE n <= $2
                UNION ALL SELECT h.id, NULL, NULL, $2 + 1 FROM hits h, hits beyond WHERE h.n = $2 AND beyond.n = $2 + 1) l
             ORDER BY n', key, source, conditions, past, way)
            USING allowed, size, providers, first_day, last_day, names, documents, from_key, from_id, 0, 0, 0, records_unsound();
        RETURN;
    END IF;

    -- Where each stretch has been looked at to, whether it goes on, and the best records so far.
    EXECUTE format('SELECT array_agg(item_id) AS items, array_agg(provider_id) AS providers, 0::bigint AS entries,
            array_agg($3) AS ks, array_agg($4) AS ids, array_agg(true) AS open, ''{}''::date[] AS hit_ks,
            ''{}''::bigint[] AS hit_ids, ''{}''::bigint[] AS hit_persons, ''{}''::bigint[] AS hit_items FROM (%s) p', pairs)
        INTO walk USING allowed, providers, from_key, from_id;
    waiting := cardinality(walk.items);
    IF NOT ascending THEN
        last_key := first_key;
    END IF;
    block := greatest(least(block / greatest(waiting, 1), 360), 20);
    statement := format('WITH stretch AS MATERIALIZED (
            SELECT * FROM unnest($11, $12, $14, $15, $16) WITH ORDINALITY AS s(item_id, provider_id, k, id, open, at)),
        hit AS MATERIALIZED (SELECT * FROM unnest($17, $18, $19, $20) WITH ORDINALITY AS h(k, id, person_id, item_id, n)),
        chosen AS MATERIALIZED (  -- those that hold the others up; once the page is full, all that may hold nearer records
            SELECT p.* FROM stretch p WHERE p.open AND ($22, $23) %3$s (p.k, p.id) ORDER BY p.k %4$s, p.id %4$s
             LIMIT CASE WHEN $21 OR cardinality($17) > $2 THEN cardinality($11) ELSE (cardinality($11) + 3) / 4 END),
        met AS MATERIALIZED (
            SELECT p.at, e.* FROM chosen p CROSS JOIN LATERAL (
                SELECT r.id, r.person_id, r.item_id, %1$s AS k, %2$s AS fits FROM records_record r
                 WHERE %5$s AND (%1$s, r.id) %3$s (p.k, p.id) AND (%1$s, r.id) %7$s ($22, $23)
                 ORDER BY %1$s %4$s, r.id %4$s LIMIT $10) e),
        reached AS MATERIALIZED (
            SELECT DISTINCT ON (at) at, k, id, count(*) OVER (PARTITION BY at) = $10 AS open FROM met
             ORDER BY at, k %6$s, id %6$s),
        best AS MATERIALIZED (
            SELECT k, id, person_id, item_id FROM hit UNION ALL SELECT k, id, person_id, item_id FROM met WHERE fits
             ORDER BY 1 %4$s, 2 %4$s LIMIT $2 + 1)
        SELECT $11 AS items, $12 AS providers, (SELECT count(*) FROM met) AS entries, s.*, h.*
          FROM (SELECT array_agg(coalesce(r.k, p.k) ORDER BY p.at) AS ks, array_agg(coalesce(r.id, p.id) ORDER BY p.at) AS ids,
                       array_agg(CASE WHEN c.at IS NULL THEN p.open ELSE coalesce(r.open, false) END ORDER BY p.at) AS open
                  FROM stretch p LEFT JOIN chosen c ON c.at = p.at LEFT JOIN reached r ON r.at = p.at) s,
               (SELECT coalesce(array_agg(k ORDER BY k %4$s, id %4$s), ''{}'') AS hit_ks,
                       coalesce(array_agg(id ORDER BY k %4$s, id %4$s), ''{}'') AS hit_ids,
                       coalesce(array_agg(person_id ORDER BY k %4$s, id %4$s), ''{}'') AS hit_persons,
                       coalesce(array_agg(item_id ORDER BY k %4$s, id %4$s), ''{}'') AS hit_items FROM best) h',
        key, conditions, past, way, base, back, within);
    WHILE waiting > 0 AND looked < budget LOOP
        EXECUTE statement INTO walk USING allowed, size, providers, first_day, last_day, names, documents, from_key, from_id,
            block, walk.items, walk.providers, records_unsound(), walk.ks, walk.ids, walk.open,
            walk.hit_ks, walk.hit_ids, walk.hit_persons, walk.hit_items, looked = 0, last_key, last_id;
        looked := looked + walk.entries;
        block := least(2 * block, 1000);
        IF cardinality(walk.hit_ids) > size THEN  -- nothing beyond the last record of the page is of interest
            last_key := walk.hit_ks[size]; last_id := walk.hit_ids[size];
        END IF;
        SELECT count(*) INTO waiting FROM unnest(walk.ks, walk.ids, walk.open) AS s(k, id, open) WHERE s.open
           AND CASE WHEN ascending THEN (last_key, last_id) > (s.k, s.id) ELSE (last_key, last_id) < (s.k, s.id) END;
    END LOOP;

    -- The next page begins after the last record, or, where the budget ended, where the first of the stretches was left.
    RETURN QUERY EXECUTE format('WITH edge AS (
            SELECT s.k, s.id FROM unnest($2, $3, $4) AS s(k, id, open) WHERE s.open AND $9 ORDER BY s.k %2$s, s.id %2$s LIMIT 1),
        hit AS (SELECT h.* FROM unnest($5, $6, $7, $8) WITH ORDINALITY AS h(k, id, person_id, item_id, n)
                 WHERE NOT EXISTS (SELECT FROM edge e WHERE (h.k, h.id) %1$s (e.k, e.id)))
        SELECT id, person_id, item_id FROM (
            SELECT id, person_id, item_id, n FROM hit WHERE n <= $1
            UNION ALL SELECT coalesce((SELECT h.id FROM hit h, hit beyond WHERE h.n = $1 AND beyond.n = $1 + 1),
                                      (SELECT e.id FROM edge e)), NULL, NULL, $1 + 1) l
         WHERE id IS NOT NULL ORDER BY n', past, way)
        USING size, walk.ks, walk.ids, walk.open, walk.hit_ks, walk.hit_ids, walk.hit_persons, walk.hit_items, waiting > 0;
END $$;
"""
_LISTS, _PERSONS = import_module("records.migrations.0009_lists"), import_module("records.migrations.0012_persons")
_WALKED = _LISTS.PAGE[_LISTS.PAGE.index("CREATE FUNCTION records_page") :].replace("CREATE", "CREATE OR REPLACE", 1)
_NAMED = _PERSONS.NAMES[_PERSONS.NAMES.index("DO $do$") :]


class Migration(migrations.Migration):
    dependencies = [("records", "0017_row_prints")]
    operations = [migrations.RunSQL(PAGE, _WALKED + _NAMED)]
