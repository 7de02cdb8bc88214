"""What must never happen to the catalogue, forbidden in the database.

One home for each rule: `catalogue_faults` says what keeps a version from being in force, and forms, actions, imports
and the trigger all ask it. `catalogue_in_force` says which versions are in force on a day, and pages, intake, the
nightly job and the trigger on records all ask that.
"""

from django.db import migrations

STANDING = """
-- A division's code covers those that begin with it: 350000 covers 350203, 350200 covers 350203. NULL covers all.
CREATE FUNCTION catalogue_covers(wide text, narrow text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT wide IS NULL OR narrow LIKE regexp_replace(wide, '(00)+$', '') || '%'
$$;

-- Months from a rule of the deadline table, on a day; NULL when no rule is in force.
CREATE FUNCTION catalogue_deadline_n(rule text, day date) RETURNS int LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT d.n FROM catalogue_deadlinerule d WHERE d.code = rule AND d.state = 'in_force'
               AND d.valid_from <= day AND (d.valid_to IS NULL OR d.valid_to > day));
END $$;

-- Which legal basis is enough for which item (domain §3.3; 国办发〔2020〕49号 二).
CREATE FUNCTION catalogue_basis_is_enough(
    level int, polarity text, origin text, category text, reason text
) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN polarity = 'P' THEN true
        WHEN polarity = 'B' THEN level <= 50
        WHEN level IN (10, 20, 30) THEN true
        WHEN origin = 'L' THEN level = 40
        ELSE category = '06' AND level = 50 AND reason <> ''
    END
$$;

-- On which days each version rests on a basis that allows its collection, on one that allows its publication where
-- it is public, and on an assessment that others may see it.
CREATE VIEW catalogue_standing AS
SELECT v.id, v.item_id, v.state, v.effective, c.level AS basis_level,
       coalesce(c.days, '{}') AS collected_on,
       CASE WHEN v.disclosure <> 'PUBLIC' OR v.public_by_consent THEN '{(,)}'::datemultirange
            ELSE coalesce(p.days, '{}') END AS published_on,
       CASE WHEN NOT v.sensitive AND v.disclosure IN ('SELF', 'NONE') THEN '{(,)}'::datemultirange
            WHEN a.passed AND a.reviewed_by_id IS NOT NULL
            THEN datemultirange(daterange(a.assessed_on, a.valid_until)) ELSE '{}' END AS assessed_on
  FROM catalogue_itemversion v
  JOIN catalogue_item i ON i.id = v.item_id
  LEFT JOIN catalogue_impactassessment a ON a.id = v.assessment_id
  LEFT JOIN LATERAL (
      SELECT min(n.level) AS level, range_agg(daterange(n.effective_on, n.repealed_on)) FILTER (
                 WHERE catalogue_covers(n.territory_id, v.territory_id)
                   AND catalogue_basis_is_enough(n.level, i.polarity, i.origin, i.category, v.ministry_rule_reason)
             ) AS days
        FROM catalogue_itemversion_legal_bases b
        JOIN catalogue_article r ON r.id = b.article_id
        JOIN catalogue_instrument n ON n.id = r.instrument_id
       WHERE b.itemversion_id = v.id
  ) c ON true
  LEFT JOIN LATERAL (
      SELECT datemultirange(daterange(n.effective_on, n.repealed_on)) AS days
        FROM catalogue_article r JOIN catalogue_instrument n ON n.id = r.instrument_id
       WHERE r.id = v.disclosure_basis_id AND catalogue_covers(n.territory_id, v.territory_id)
         AND (n.level IN (10, 20, 40) OR n.state_council_order)
  ) p ON true;

CREATE FUNCTION catalogue_stands(s catalogue_standing, day date) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT s.collected_on @> day AND s.published_on @> day AND s.assessed_on @> day
$$;

-- The versions in force on a day. A version published but not yet moved by the nightly job counts already.
CREATE FUNCTION catalogue_in_force(day date) RETURNS SETOF bigint LANGUAGE sql STABLE AS $$
    SELECT s.id FROM catalogue_standing s
     WHERE s.state IN ('published', 'in_force') AND s.effective @> day AND catalogue_stands(s, day)
       AND NOT EXISTS (SELECT 1 FROM catalogue_retirement r WHERE r.item_id = s.item_id AND r.effective_on <= day)
$$;

-- Items whose records nobody but the person is shown: suspended, or without a valid basis today.
CREATE FUNCTION catalogue_withheld_items() RETURNS bigint[] LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT coalesce(array_agg(DISTINCT s.item_id), '{}') FROM catalogue_standing s
     WHERE s.effective @> cf_today() AND (s.state = 'suspended' OR s.state IN ('published', 'in_force')
           AND NOT catalogue_stands(s, cf_today()))
$$;

-- Items taken out with all their records.
CREATE FUNCTION catalogue_withdrawn_items() RETURNS bigint[] LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT coalesce(array_agg(item_id), '{}') FROM catalogue_retirement
     WHERE old_records = 'withdraw' AND effective_on <= cf_today()
$$;
"""
STANDING_UNDONE = """
DROP FUNCTION catalogue_withdrawn_items();
DROP FUNCTION catalogue_withheld_items();
DROP FUNCTION catalogue_in_force(date);
DROP FUNCTION catalogue_stands(catalogue_standing, date);
DROP VIEW catalogue_standing;
DROP FUNCTION catalogue_basis_is_enough(int, text, text, text, text);
DROP FUNCTION catalogue_deadline_n(text, date);
DROP FUNCTION catalogue_covers(text, text);
"""

FAULTS = """
-- The prohibited word that a column's or item's name contains, if any (domain §9).
CREATE FUNCTION catalogue_prohibited_in(name text) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT c.code || ' ' || w FROM catalogue_prohibitedcategory c, unnest(c.header_keywords) w
     WHERE position(w in name) > 0 ORDER BY length(w) DESC, 1 LIMIT 1
$$;

CREATE FUNCTION catalogue_code_is_known(set_code text, value text) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT 1 FROM catalogue_codevalue v JOIN catalogue_codeset s ON s.id = v.code_set_id
                    WHERE s.code = set_code AND v.code = value AND v.refusal = '')
$$;

-- What keeps a version from being in force, by code; catalogue.rules.FAULTS says it in words.
CREATE VIEW catalogue_fault AS
WITH v AS NOT MATERIALIZED (
    SELECT v.*, i.code AS item_code, i.polarity, i.origin, i.category, lower(v.effective) AS day
      FROM catalogue_itemversion v JOIN catalogue_item i ON i.id = v.item_id
), words AS NOT MATERIALIZED (
    SELECT c.code || ' ' || w AS named, w AS word FROM catalogue_prohibitedcategory c, unnest(c.header_keywords) w
)
SELECT v.id AS version_id, 'basis'::text AS code, ''::text AS detail FROM v WHERE NOT EXISTS (
    SELECT 1 FROM catalogue_itemversion_legal_bases b WHERE b.itemversion_id = v.id)
UNION ALL SELECT v.id, 'basis_level', '' FROM v JOIN catalogue_standing s ON s.id = v.id
    WHERE NOT (s.collected_on @> v.day AND s.collected_on @> greatest(v.day, cf_today()))
      AND EXISTS (SELECT 1 FROM catalogue_itemversion_legal_bases b WHERE b.itemversion_id = v.id)
UNION ALL SELECT v.id, 'public_basis', '' FROM v JOIN catalogue_standing s ON s.id = v.id
    WHERE NOT (s.published_on @> v.day AND s.published_on @> greatest(v.day, cf_today()))
UNION ALL SELECT v.id, 'document', '' FROM v WHERE v.polarity = 'N' AND v.document_type = ''
UNION ALL SELECT v.id, 'severity', '' FROM v WHERE (v.polarity = 'N') = (v.severity_rule = '0')
UNION ALL SELECT v.id, 'period_missing', '' FROM v WHERE v.polarity = 'N' AND v.disclosure = 'PUBLIC'
    AND NOT EXISTS (SELECT 1 FROM catalogue_publicationperiod p WHERE p.item_version_id = v.id)
UNION ALL SELECT v.id, 'period_too_long', p.severity::text FROM v
    JOIN catalogue_publicationperiod p ON p.item_version_id = v.id
    JOIN catalogue_deadlinerule d ON d.code = 'D' || (18 + p.severity) AND d.state = 'in_force'
     AND d.valid_from <= greatest(v.day, cf_today()) AND (d.valid_to IS NULL OR d.valid_to > greatest(v.day, cf_today()))
    WHERE p.severity > 0 AND p.max_months > 0 AND v.polarity = 'N'
      AND (p.max_months > d.n OR p.min_months < coalesce(d.n_min, 0))
UNION ALL SELECT v.id, 'positive_retention', '' FROM v WHERE v.polarity = 'P' AND v.query_retention_months > 36
UNION ALL SELECT v.id, 'opt_out', '' FROM v WHERE v.polarity = 'P' AND NOT v.opt_out
UNION ALL SELECT v.id, 'no_repair_basis', '' FROM v JOIN catalogue_article r ON r.id = v.no_repair_basis_id
    JOIN catalogue_instrument n ON n.id = r.instrument_id WHERE NOT v.repairable
    AND NOT (n.level IN (10, 20, 30, 40) AND daterange(n.effective_on, n.repealed_on) @> v.day)
UNION ALL SELECT v.id, 'repair_conditions', '' FROM v
    WHERE v.polarity = 'N' AND v.repairable AND v.repair_conditions = '{}'
UNION ALL SELECT v.id, 'no_fields', '' FROM v
    WHERE NOT EXISTS (SELECT 1 FROM catalogue_field f WHERE f.item_version_id = v.id)
UNION ALL SELECT v.id, 'field_missing', b.name
    FROM v, unnest(ARRAY['person_name', 'id_number', 'doc_no', 'doc_date']) AS b(name)
    WHERE EXISTS (SELECT 1 FROM catalogue_field f WHERE f.item_version_id = v.id)
      AND NOT EXISTS (SELECT 1 FROM catalogue_field f WHERE f.item_version_id = v.id AND f.binds = b.name AND f.required)
UNION ALL SELECT v.id, 'prohibited', v.name || '：' || w.named FROM v, words w WHERE position(w.word in v.name) > 0
UNION ALL SELECT f.item_version_id, 'prohibited', f.label || '：' || w.named
    FROM catalogue_field f, words w WHERE position(w.word in f.label) > 0
UNION ALL SELECT v.id, 'unknown_code', c.title || ' ' || c.value FROM v, LATERAL (VALUES
        ('CAT', v.category, '信息类别'), ('SRC', v.source_channel, '归集来源和渠道'), ('LVL', v.source_level, '来源层级'),
        ('FRQ', v.update_freq, '更新频次'), ('RET', v.storage_rule, '保存期限及到期处理'),
        ('PST', v.period_start, '期限起算点'), ('MSK', v.masking_profile, '脱敏规则'),
        ('DOC', nullif(v.document_type, ''), '认定文书类型')) AS c(set_code, value, title)
    WHERE c.value IS NOT NULL AND NOT catalogue_code_is_known(c.set_code, c.value)
UNION ALL SELECT v.id, 'unknown_code', '修复条件 ' || r.value FROM v, unnest(v.repair_conditions) AS r(value)
    WHERE NOT catalogue_code_is_known('RPC', r.value)
UNION ALL SELECT v.id, 'assessment', '' FROM v JOIN catalogue_standing s ON s.id = v.id
    WHERE NOT s.assessed_on @> greatest(v.day, cf_today())
UNION ALL SELECT v.id, 'local_duplicate', v.national_ref FROM v WHERE v.origin = 'L' AND v.national_ref <> ''
UNION ALL SELECT v.id, 'consultation', '' FROM v WHERE v.origin = 'L' AND NOT EXISTS (
    SELECT 1 FROM catalogue_consultation c WHERE c.item_version_id = v.id AND c.closed_at IS NOT NULL
       AND NOT EXISTS (SELECT 1 FROM catalogue_comment m WHERE m.consultation_id = c.id AND m.answer = ''));
"""
FAULTS_UNDONE = """
DROP VIEW catalogue_fault;
DROP FUNCTION catalogue_code_is_known(text, text);
DROP FUNCTION catalogue_prohibited_in(text);
"""

STATES = """
CREATE FUNCTION catalogue_refuse(named text, says text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%', says USING ERRCODE = 'check_violation', CONSTRAINT = named;
END $$;

-- A version is born a draft, moves along declared arrows, by the right hands, and is not rewritten on the way.
CREATE FUNCTION catalogue_version_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE submitter bigint; reviewer bigint;
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'draft' THEN
            PERFORM catalogue_refuse('itemversion_is_born_a_draft', 'a version begins as a draft');
        END IF;
        RETURN NEW;
    END IF;
    IF (NEW.item_id, NEW.version, NEW.created_by_id) IS DISTINCT FROM (OLD.item_id, OLD.version, OLD.created_by_id) THEN
        PERFORM catalogue_refuse('itemversion_origin_is_fixed', 'item, number and drafter of a version never change');
    END IF;
    IF OLD.state <> 'draft' AND (to_jsonb(NEW) - '{state,moved_by_id,move_note,effective,assessment_id,consultation_note}'::text[])
       IS DISTINCT FROM (to_jsonb(OLD) - '{state,moved_by_id,move_note,effective,assessment_id,consultation_note}'::text[]) THEN
        PERFORM catalogue_refuse('itemversion_is_written_as_a_draft_only', 'only a draft can be rewritten');
    END IF;
    IF OLD.state NOT IN ('draft', 'legal_review', 'pia', 'consultation')
       AND NEW.consultation_note IS DISTINCT FROM OLD.consultation_note THEN
        PERFORM catalogue_refuse('itemversion_is_written_as_a_draft_only', 'only a draft can be rewritten');
    END IF;
    IF OLD.state <> 'draft' AND NEW.effective IS DISTINCT FROM OLD.effective
       AND NOT (NEW.effective <@ OLD.effective AND lower(NEW.effective) = lower(OLD.effective)) THEN
        PERFORM catalogue_refuse('itemversion_may_only_end_earlier', 'the dates of a version may only be cut short');
    END IF;
    IF NEW.state = OLD.state THEN
        RETURN NEW;
    END IF;
    IF (OLD.state, NEW.state) NOT IN (
        ('draft', 'submitted'), ('submitted', 'draft'), ('submitted', 'legal_review'),
        ('legal_review', 'draft'), ('legal_review', 'pia'), ('pia', 'draft'), ('pia', 'consultation'), ('pia', 'approved'),
        ('consultation', 'draft'), ('consultation', 'approved'), ('approved', 'draft'), ('approved', 'published'),
        ('published', 'in_force'), ('published', 'suspended'), ('in_force', 'suspended'), ('suspended', 'in_force'),
        ('published', 'retired'), ('in_force', 'retired'), ('suspended', 'retired')
    ) THEN
        PERFORM catalogue_refuse('itemversion_moves_along_its_arrows',
            format('a version may not go from %s to %s', OLD.state, NEW.state));
    END IF;
    -- The clock alone moves a version into force, suspends one whose basis is gone, retires one at its day.
    IF NEW.moved_by_id IS NULL AND (OLD.state, NEW.state) NOT IN (
        ('published', 'in_force'), ('published', 'suspended'), ('in_force', 'suspended'), ('in_force', 'retired'),
        ('suspended', 'retired'), ('published', 'retired')
    ) THEN
        PERFORM catalogue_refuse('itemversion_is_moved_by_somebody', 'this step needs somebody who takes it');
    END IF;
    SELECT by_id INTO submitter FROM catalogue_versionstep
     WHERE item_version_id = OLD.id AND to_state = 'submitted' ORDER BY id DESC LIMIT 1;
    SELECT by_id INTO reviewer FROM catalogue_versionstep
     WHERE item_version_id = OLD.id AND to_state = 'pia' ORDER BY id DESC LIMIT 1;
    IF NEW.state IN ('legal_review', 'pia', 'approved') AND NEW.moved_by_id IN (submitter, OLD.created_by_id) THEN
        PERFORM catalogue_refuse('itemversion_approved_by_another', 'who proposes does not review or approve');
    END IF;
    IF NEW.state = 'approved' AND NEW.moved_by_id = reviewer THEN
        PERFORM catalogue_refuse('itemversion_approved_by_another', 'legal review and approval are two people');
    END IF;
    IF NEW.state = 'consultation' AND NOT EXISTS (SELECT 1 FROM catalogue_consultation WHERE item_version_id = OLD.id) THEN
        PERFORM catalogue_refuse('itemversion_consults_the_public', 'no consultation is open');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER itemversion_guard BEFORE INSERT OR UPDATE ON catalogue_itemversion
    FOR EACH ROW EXECUTE FUNCTION catalogue_version_guard();

-- After the rows stand: approved, published or in force without a fault only; each step leaves its line.
-- An edition moves hundreds of rows at once: never a plan that was made for one, nor one that looks row by row.
CREATE FUNCTION catalogue_versions_stepped() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
SET plan_cache_mode = force_custom_plan SET enable_nestloop = off AS $$
DECLARE moved bigint[]; found text;
BEGIN
    SELECT array_agg(n.id) INTO moved FROM fresh n JOIN was o ON o.id = n.id WHERE n.state <> o.state;
    IF moved IS NULL THEN
        RETURN NULL;
    END IF;
    INSERT INTO catalogue_versionstep (item_version_id, from_state, to_state, by_id, by_name, note)
    SELECT n.id, o.state, n.state, n.moved_by_id, coalesce(u.name, '系统'), n.move_note
      FROM fresh n JOIN was o ON o.id = n.id LEFT JOIN accounts_user u ON u.id = n.moved_by_id
     WHERE n.id = ANY (moved) ORDER BY n.id;
    SELECT string_agg(f.version_id || ' ' || f.code || ' ' || f.detail, ', ') INTO found
      FROM catalogue_fault f JOIN fresh n ON n.id = f.version_id
     WHERE f.version_id = ANY (moved) AND (n.state IN ('approved', 'published', 'in_force')
        OR n.state IN ('submitted', 'legal_review', 'pia', 'consultation') AND f.code NOT IN ('assessment', 'consultation'));
    IF found IS NOT NULL THEN
        PERFORM catalogue_refuse('itemversion_has_no_fault', 'versions have faults: ' || left(found, 500));
    END IF;
    IF EXISTS (SELECT 1 FROM fresh n WHERE n.id = ANY (moved) AND n.state = 'published' AND NOT EXISTS (
        SELECT 1 FROM catalogue_editionentry e JOIN catalogue_edition d ON d.id = e.edition_id
         WHERE e.item_version_id = n.id AND d.published_on <= lower(n.effective))) THEN
        PERFORM catalogue_refuse('itemversion_is_published_in_an_edition',
            'a version is published by an edition, on or before the day it takes effect');
    END IF;
    IF EXISTS (SELECT 1 FROM fresh n JOIN catalogue_standing s ON s.id = n.id WHERE n.id = ANY (moved)
                  AND n.state = 'in_force' AND NOT (lower(n.effective) <= cf_today() AND catalogue_stands(s, cf_today()))) THEN
        PERFORM catalogue_refuse('itemversion_is_in_force_by_its_dates', 'the version is not in force today');
    END IF;
    IF EXISTS (SELECT 1 FROM fresh n WHERE n.id = ANY (moved) AND n.state = 'retired' AND NOT EXISTS (
        SELECT 1 FROM catalogue_retirement r WHERE r.item_id = n.item_id AND r.effective_on <= cf_today())) THEN
        PERFORM catalogue_refuse('itemversion_is_retired_by_an_edition',
            'an item is retired by an edition that decides about its records');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER itemversion_stepped AFTER UPDATE ON catalogue_itemversion
    REFERENCING OLD TABLE AS was NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION catalogue_versions_stepped();

CREATE FUNCTION catalogue_version_never_goes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state <> 'draft' OR EXISTS (SELECT 1 FROM catalogue_versionstep WHERE item_version_id = OLD.id) THEN
        PERFORM catalogue_refuse('itemversion_is_kept', 'only a draft that was never submitted can be thrown away');
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER itemversion_is_kept BEFORE DELETE ON catalogue_itemversion
    FOR EACH ROW EXECUTE FUNCTION catalogue_version_never_goes();

-- Fields, periods, bases and sharing are part of the version: written with the draft, then fixed.
CREATE FUNCTION catalogue_part_of_a_draft() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE parent bigint; state text;
BEGIN
    IF TG_OP <> 'DELETE' THEN
        parent := coalesce((to_jsonb(NEW) ->> 'item_version_id'), (to_jsonb(NEW) ->> 'itemversion_id'))::bigint;
        SELECT v.state INTO state FROM catalogue_itemversion v WHERE v.id = parent;
        IF state IS DISTINCT FROM 'draft' THEN
            PERFORM catalogue_refuse('itemversion_is_written_as_a_draft_only', 'only a draft can be rewritten');
        END IF;
    END IF;
    IF TG_OP <> 'INSERT' THEN
        parent := coalesce((to_jsonb(OLD) ->> 'item_version_id'), (to_jsonb(OLD) ->> 'itemversion_id'))::bigint;
        SELECT v.state INTO state FROM catalogue_itemversion v WHERE v.id = parent;
        IF state <> 'draft' THEN  -- gone with its draft is fine
            PERFORM catalogue_refuse('itemversion_is_written_as_a_draft_only', 'only a draft can be rewritten');
        END IF;
        IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER field_part_of_a_draft BEFORE INSERT OR UPDATE OR DELETE ON catalogue_field
    FOR EACH ROW EXECUTE FUNCTION catalogue_part_of_a_draft();
CREATE TRIGGER period_part_of_a_draft BEFORE INSERT OR UPDATE OR DELETE ON catalogue_publicationperiod
    FOR EACH ROW EXECUTE FUNCTION catalogue_part_of_a_draft();
CREATE TRIGGER basis_part_of_a_draft BEFORE INSERT OR UPDATE OR DELETE ON catalogue_itemversion_legal_bases
    FOR EACH ROW EXECUTE FUNCTION catalogue_part_of_a_draft();
CREATE TRIGGER scope_part_of_a_draft BEFORE INSERT OR UPDATE OR DELETE ON catalogue_sharingscope
    FOR EACH ROW EXECUTE FUNCTION catalogue_part_of_a_draft();

-- A field of a prohibited kind cannot even be written down (domain §9).
CREATE FUNCTION catalogue_field_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE word text;
BEGIN
    IF EXISTS (SELECT 1 FROM catalogue_prohibitedcategory c WHERE c.code = NEW.pii_class) THEN
        PERFORM catalogue_refuse('field_is_not_prohibited', format('prohibited class %s', NEW.pii_class));
    END IF;
    SELECT catalogue_prohibited_in(t) INTO word FROM unnest(NEW.aliases || NEW.label::text) AS t
     WHERE catalogue_prohibited_in(t) IS NOT NULL LIMIT 1;
    IF word IS NOT NULL THEN
        PERFORM catalogue_refuse('field_is_not_prohibited', format('prohibited: %s', word));
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER field_guard BEFORE INSERT OR UPDATE ON catalogue_field
    FOR EACH ROW EXECUTE FUNCTION catalogue_field_guard();

-- What an item is does not change under the versions that were judged by it.
CREATE FUNCTION catalogue_item_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.code <> OLD.code OR (NEW.category, NEW.polarity, NEW.origin) IS DISTINCT FROM (OLD.category, OLD.polarity, OLD.origin)
       AND EXISTS (SELECT 1 FROM catalogue_itemversion v WHERE v.item_id = OLD.id AND v.state <> 'draft') THEN
        PERFORM catalogue_refuse('item_is_what_it_is', 'code and kind of an item never change');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER item_guard BEFORE UPDATE ON catalogue_item FOR EACH ROW EXECUTE FUNCTION catalogue_item_guard();

-- Nor does the rank of an instrument that something published rests on.
CREATE FUNCTION catalogue_instrument_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.level, NEW.territory_id, NEW.effective_on, NEW.state_council_order)
       IS DISTINCT FROM (OLD.level, OLD.territory_id, OLD.effective_on, OLD.state_council_order)
       AND EXISTS (
           SELECT 1 FROM catalogue_article a
             LEFT JOIN catalogue_itemversion_legal_bases b ON b.article_id = a.id
             JOIN catalogue_itemversion v ON v.id = b.itemversion_id OR v.disclosure_basis_id = a.id
            WHERE a.instrument_id = OLD.id AND v.state <> 'draft') THEN
        PERFORM catalogue_refuse('instrument_in_use_keeps_its_rank',
            'level, territory and first day of an instrument in use are fixed');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER instrument_guard BEFORE UPDATE ON catalogue_instrument
    FOR EACH ROW EXECUTE FUNCTION catalogue_instrument_guard();

-- An assessment is signed by two; once reviewed it is fixed, and kept (PIPL art 56).
CREATE FUNCTION catalogue_assessment_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.reviewed_by_id IS NOT NULL THEN
        PERFORM catalogue_refuse('impactassessment_is_kept', 'a reviewed assessment is neither changed nor deleted');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER assessment_guard BEFORE UPDATE OR DELETE ON catalogue_impactassessment
    FOR EACH ROW EXECUTE FUNCTION catalogue_assessment_guard();
ALTER TABLE catalogue_impactassessment ADD CONSTRAINT impactassessment_lasts_three_years_at_most
    CHECK (valid_until <= (assessed_on + interval '36 months')::date);

-- A consultation is open as long as the deadline table says, and only for local items.
CREATE FUNCTION catalogue_consultation_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.closes_on < NEW.opened_on + coalesce(catalogue_deadline_n('D34', NEW.opened_on), 30) THEN
        PERFORM catalogue_refuse('consultation_is_long_enough', 'the consultation is too short');
    END IF;
    IF TG_OP = 'UPDATE' AND (NEW.opened_on, NEW.item_version_id) IS DISTINCT FROM (OLD.opened_on, OLD.item_version_id) THEN
        PERFORM catalogue_refuse('consultation_keeps_its_first_day', 'the first day of a consultation is fixed');
    END IF;
    IF NEW.closed_at IS NOT NULL AND NEW.closes_on >= cf_today() THEN
        PERFORM catalogue_refuse('consultation_is_long_enough', 'the consultation is still open');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER consultation_guard BEFORE INSERT OR UPDATE ON catalogue_consultation
    FOR EACH ROW EXECUTE FUNCTION catalogue_consultation_guard();

CREATE FUNCTION catalogue_comment_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR TG_OP = 'UPDATE' AND NEW.text <> OLD.text THEN
        PERFORM catalogue_refuse('comment_is_kept', 'what the public said is neither changed nor deleted');
    END IF;
    IF TG_OP = 'INSERT' AND NOT EXISTS (
        SELECT 1 FROM catalogue_consultation c WHERE c.id = NEW.consultation_id AND c.closed_at IS NULL
           AND cf_today() BETWEEN c.opened_on AND c.closes_on) THEN
        PERFORM catalogue_refuse('comment_while_open', 'the consultation is not open');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER comment_guard BEFORE INSERT OR UPDATE OR DELETE ON catalogue_comment
    FOR EACH ROW EXECUTE FUNCTION catalogue_comment_guard();

-- Categories that are never collected are added to, never taken away.
CREATE TRIGGER prohibited_is_kept BEFORE DELETE ON catalogue_prohibitedcategory
    FOR EACH ROW EXECUTE FUNCTION cf_refuse_change();

CREATE FUNCTION catalogue_prohibited_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.code <> OLD.code OR NOT (NEW.keywords @> OLD.keywords AND NEW.header_keywords @> OLD.header_keywords) THEN
        PERFORM catalogue_refuse('prohibited_words_only_grow', 'words that are never collected are added to, not taken away');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER prohibited_guard BEFORE UPDATE ON catalogue_prohibitedcategory
    FOR EACH ROW EXECUTE FUNCTION catalogue_prohibited_guard();

-- Editions: never back-dated without saying which notice they enter; never changed.
CREATE FUNCTION catalogue_edition_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.published_on > cf_today() OR NEW.published_on < cf_today() AND NEW.earlier_notice = '' THEN
        PERFORM catalogue_refuse('edition_is_published_today', 'an edition is published today, or names the notice it enters');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER edition_guard BEFORE INSERT ON catalogue_edition FOR EACH ROW EXECUTE FUNCTION catalogue_edition_guard();
CREATE FUNCTION catalogue_retirement_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.effective_on < (SELECT published_on FROM catalogue_edition WHERE id = NEW.edition_id) THEN
        PERFORM catalogue_refuse('retirement_not_before_its_edition', 'an item is not retired before its edition');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER retirement_guard BEFORE INSERT ON catalogue_retirement
    FOR EACH ROW EXECUTE FUNCTION catalogue_retirement_guard();
"""
KEPT = ["catalogue_edition", "catalogue_editionentry", "catalogue_retirement", "catalogue_versionstep"]
APPEND_ONLY = "".join(
    f"""
CREATE TRIGGER {table.removeprefix("catalogue_")}_append_only BEFORE UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION cf_refuse_change();
CREATE TRIGGER {table.removeprefix("catalogue_")}_no_truncate BEFORE TRUNCATE ON {table}
    EXECUTE FUNCTION cf_refuse_change();
"""
    for table in KEPT
)
APPEND_ONLY_UNDONE = "".join(
    f"""
DROP TRIGGER {table.removeprefix("catalogue_")}_append_only ON {table};
DROP TRIGGER {table.removeprefix("catalogue_")}_no_truncate ON {table};
"""
    for table in KEPT
)
STATES_UNDONE = """
DROP TRIGGER retirement_guard ON catalogue_retirement;
DROP FUNCTION catalogue_retirement_guard();
DROP TRIGGER edition_guard ON catalogue_edition;
DROP FUNCTION catalogue_edition_guard();
DROP TRIGGER prohibited_guard ON catalogue_prohibitedcategory;
DROP FUNCTION catalogue_prohibited_guard();
DROP TRIGGER prohibited_is_kept ON catalogue_prohibitedcategory;
DROP TRIGGER comment_guard ON catalogue_comment;
DROP FUNCTION catalogue_comment_guard();
DROP TRIGGER consultation_guard ON catalogue_consultation;
DROP FUNCTION catalogue_consultation_guard();
ALTER TABLE catalogue_impactassessment DROP CONSTRAINT impactassessment_lasts_three_years_at_most;
DROP TRIGGER assessment_guard ON catalogue_impactassessment;
DROP FUNCTION catalogue_assessment_guard();
DROP TRIGGER instrument_guard ON catalogue_instrument;
DROP FUNCTION catalogue_instrument_guard();
DROP TRIGGER item_guard ON catalogue_item;
DROP FUNCTION catalogue_item_guard();
DROP TRIGGER field_guard ON catalogue_field;
DROP FUNCTION catalogue_field_guard();
DROP TRIGGER scope_part_of_a_draft ON catalogue_sharingscope;
DROP TRIGGER basis_part_of_a_draft ON catalogue_itemversion_legal_bases;
DROP TRIGGER period_part_of_a_draft ON catalogue_publicationperiod;
DROP TRIGGER field_part_of_a_draft ON catalogue_field;
DROP FUNCTION catalogue_part_of_a_draft();
DROP TRIGGER itemversion_is_kept ON catalogue_itemversion;
DROP FUNCTION catalogue_version_never_goes();
DROP TRIGGER itemversion_stepped ON catalogue_itemversion;
DROP FUNCTION catalogue_versions_stepped();
DROP TRIGGER itemversion_guard ON catalogue_itemversion;
DROP FUNCTION catalogue_version_guard();
DROP FUNCTION catalogue_refuse(text, text);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("catalogue", "0006_workflow"),
        ("accounts", "0003_common"),
    ]
    operations = [
        migrations.RunSQL(STANDING, STANDING_UNDONE),
        migrations.RunSQL(FAULTS, FAULTS_UNDONE),
        migrations.RunSQL(STATES + APPEND_ONLY, APPEND_ONLY_UNDONE + STATES_UNDONE),
    ]
