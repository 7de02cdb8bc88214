"""Deliveries outside what is usual, rows handed back with a due date, receipts, and the clearing of staged rows."""

import django.contrib.postgres.constraints
import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.comparison
import django.db.models.functions.datetime
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

VOLUME = """
CREATE FUNCTION records_held_up_to(item bigint, supplier bigint, most bigint) RETURNS bigint LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT count(*) FROM (SELECT 1 FROM records_record WHERE item_id = item AND provider_id = supplier LIMIT most) held
$$;

-- What of a batch, or of its withdrawal, is outside the rule that is nearest to it today.
CREATE FUNCTION records_volume_faults(b records_batch, withdrawal boolean) RETURNS TABLE (
    rule_id bigint, measure text, affected int, value numeric, low numeric, high numeric, median numeric, earlier int
) LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE rule records_volumerule;
BEGIN
    IF NOT withdrawal AND (b.new + b.changed = 0 OR b.mode = 'all_or_none' AND b.refused > 0) THEN
        RETURN;  -- nothing of it goes in
    END IF;
    FOR rule IN
        SELECT DISTINCT ON (r.measure) r.* FROM records_volumerule r
         WHERE r.state = 'in_force' AND r.valid_from <= cf_today() AND (r.valid_to IS NULL OR r.valid_to > cf_today())
           AND (r.item_id IS NULL OR r.item_id = b.item_id) AND (r.supplier_id IS NULL OR r.supplier_id = b.supplier_id)
           AND (r.measure = 'withdrawn') = withdrawal
         ORDER BY r.measure, r.item_id IS NULL, r.supplier_id IS NULL
    LOOP
        -- What is typed record by record says nothing about how big a file is, nor the other way round.
        CONTINUE WHEN rule.measure = 'rows' AND b.channel NOT IN ('page', 'command');
        rule_id := rule.id; measure := rule.measure; low := rule.low; high := rule.high;
        median := NULL; earlier := 0;
        affected := CASE measure WHEN 'rows' THEN b.rows WHEN 'refused' THEN b.refused
                                 WHEN 'withdrawn' THEN b.new + b.changed ELSE b.changed END;
        IF measure = 'rows' THEN
            value := b.rows;
            IF rule.factor IS NOT NULL THEN
                SELECT count(*), percentile_cont(0.5) WITHIN GROUP (ORDER BY k.rows) INTO earlier, median FROM (
                    SELECT o.rows FROM records_batch o
                     WHERE o.supplier_id = b.supplier_id AND o.item_id = b.item_id AND o.state = 'committed'
                       AND o.correction_of_id IS NULL AND o.id <> b.id AND o.channel IN ('page', 'command')
                     ORDER BY o.id DESC LIMIT rule."window") k;
                IF earlier >= rule.least THEN
                    high := coalesce(high, median * rule.factor);
                    low := coalesce(low, CASE WHEN median >= rule.floor THEN median / rule.factor END);
                ELSE
                    median := NULL; earlier := 0;
                END IF;
            END IF;
            IF b.correction_of_id IS NOT NULL THEN
                low := NULL;  -- a part of what was sent before: few rows are no surprise
            END IF;
        ELSIF measure IN ('refused', 'changed') THEN
            value := 100.0 * affected / greatest(b.rows, 1);
        ELSE
            CONTINUE WHEN high IS NULL OR affected = 0;
            -- In many small batches is as much as in one: what went before within a day and nobody looked at counts too.
            SELECT affected + coalesce(sum(o.changed + CASE WHEN withdrawal THEN o.new ELSE 0 END), 0) INTO affected
              FROM records_batch o
             WHERE o.supplier_id = b.supplier_id AND o.item_id = b.item_id AND o.id <> b.id
               AND CASE WHEN withdrawal THEN o.state = 'withdrawn' AND o.withdrawn_at > now() - interval '1 day'
                        ELSE o.state = 'committed' AND o.committed_at > now() - interval '1 day' END
               AND NOT EXISTS (SELECT 1 FROM records_batchhold h
                                WHERE h.batch_id = o.id AND h.measure = rule.measure AND h.agreed);
            CONTINUE WHEN affected < rule.floor;
            -- Counted no further than where the share falls below the bound: the register may be of any size.
            value := 100.0 * affected / greatest(1, records_held_up_to(
                b.item_id, b.supplier_id, ceil(affected * 100 / greatest(high, 0.01))::bigint + 1));
        END IF;
        value := round(value, 2); low := round(low, 2); high := round(high, 2); median := round(median, 2);
        IF value > high AND affected >= rule.floor OR value < low THEN
            RETURN NEXT;
        END IF;
    END LOOP;
END $$;

-- Those of them that no second officer has agreed to as far as they go now.
CREATE FUNCTION records_unseen_faults(b records_batch, withdrawal boolean) RETURNS TABLE (
    rule_id bigint, measure text, affected int, value numeric, low numeric, high numeric, median numeric, earlier int
) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT f.* FROM records_volume_faults(b, withdrawal) f
     WHERE NOT EXISTS (
        SELECT 1 FROM records_batchhold h WHERE h.batch_id = b.id AND h.measure = f.measure AND h.agreed
           AND CASE WHEN f.value < f.low THEN h.value < h.low AND h.value <= f.value
                    ELSE h.value > h.high AND h.value >= f.value END)
$$;

-- Hold a checked batch, for rules and registers move on; with an asker, the withdrawal of one that went in. The figures are
-- those of the batch as it stands: whoever calls this brings none.
CREATE FUNCTION records_hold(batch bigint, asker bigint, why text) RETURNS void LANGUAGE sql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    INSERT INTO records_batchhold (batch_id, rule_id, measure, affected, value, low, high, median, earlier,
                                   asked_by_id, asked_reason, note)
    SELECT b.id, f.rule_id, f.measure, f.affected, f.value, f.low, f.high, f.median, f.earlier, asker, why, ''
      FROM records_batch b CROSS JOIN LATERAL records_unseen_faults(b, asker IS NOT NULL) f
     WHERE b.id = batch AND b.state = CASE WHEN asker IS NULL THEN 'checked' ELSE 'committed' END
       AND NOT EXISTS (SELECT 1 FROM records_batchhold h
                        WHERE h.batch_id = b.id AND h.measure = f.measure
                          AND (h.agreed IS NULL OR asker IS NULL AND NOT h.agreed))
$$;

-- Ask for a withdrawal that takes back more than is usual; false when no second officer is needed.
CREATE FUNCTION records_hold_withdrawal(batch bigint, asker bigint, why text) RETURNS boolean LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE b records_batch;
BEGIN
    SELECT * INTO b FROM records_batch WHERE id = batch AND state = 'committed';
    IF b.id IS NULL OR NOT EXISTS (SELECT 1 FROM records_unseen_faults(b, true)) THEN
        RETURN false;
    END IF;
    PERFORM records_hold(b.id, asker, why);
    RETURN true;
END $$;

CREATE FUNCTION records_batch_judge() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM records_hold(NEW.id, NULL, '');
    RETURN NULL;
END $$;
CREATE TRIGGER batch_is_judged_by_its_volume AFTER UPDATE OF state ON records_batch FOR EACH ROW
    WHEN (NEW.state = 'checked' AND OLD.state <> 'checked') EXECUTE FUNCTION records_batch_judge();

CREATE FUNCTION records_batch_held() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state = 'withdrawing' THEN
        IF EXISTS (SELECT 1 FROM records_unseen_faults(NEW, true)) THEN
            PERFORM catalogue_refuse('batch_big_withdrawal_takes_two', 'another officer agrees to a withdrawal this big');
        END IF;
    ELSIF EXISTS (SELECT 1 FROM records_batchhold
                   WHERE batch_id = NEW.id AND measure <> 'withdrawn' AND agreed IS NOT TRUE)
          OR EXISTS (SELECT 1 FROM records_unseen_faults(NEW, false)) THEN
        PERFORM catalogue_refuse('batch_held_for_a_second_look', 'a batch outside what is usual waits for a second look');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER batch_held_for_a_second_look BEFORE UPDATE OF state ON records_batch FOR EACH ROW
    WHEN ((OLD.state, NEW.state) IN (('checked', 'committing'), ('committing', 'committed'), ('committed', 'withdrawing')))
    EXECUTE FUNCTION records_batch_held();

-- What was measured stays; another officer of the supplier decides, once.
CREATE FUNCTION records_batchhold_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE fixed CONSTANT text[] := '{decided_by_id,decided_at,agreed,note}'; b records_batch;
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.asked_by_id IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM accounts_user u JOIN records_batch o ON o.supplier_id = u.organisation_id
             WHERE u.id = NEW.asked_by_id AND o.id = NEW.batch_id) THEN
            PERFORM catalogue_refuse('batchhold_asked_in_its_organisation', 'an officer of the supplier asks');
        END IF;
        RETURN NEW;
    ELSIF TG_OP = 'DELETE' THEN
        PERFORM catalogue_refuse('batchhold_is_kept', 'a hold is decided, never deleted');
    END IF;
    IF OLD.agreed IS NOT NULL OR to_jsonb(NEW) - fixed IS DISTINCT FROM to_jsonb(OLD) - fixed THEN
        PERFORM catalogue_refuse('batchhold_is_fixed', 'what was measured stays, and is decided once');
    END IF;
    SELECT * INTO b FROM records_batch WHERE id = NEW.batch_id;
    IF NEW.decided_by_id = coalesce(NEW.asked_by_id, b.uploaded_by_id) THEN
        PERFORM catalogue_refuse('batchhold_decided_by_another', 'another officer takes the second look');
    END IF;
    IF NOT EXISTS (SELECT 1 FROM accounts_user u WHERE u.id = NEW.decided_by_id AND u.organisation_id = b.supplier_id) THEN
        PERFORM catalogue_refuse('batchhold_decided_in_its_organisation', 'an officer of the supplier takes the second look');
    END IF;
    IF b.state <> (CASE WHEN NEW.measure = 'withdrawn' THEN 'committed' ELSE 'checked' END) THEN
        PERFORM catalogue_refuse('batchhold_decided_while_it_waits', 'the batch does not wait for a second look');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER batchhold_guard BEFORE INSERT OR UPDATE OR DELETE ON records_batchhold
    FOR EACH ROW EXECUTE FUNCTION records_batchhold_guard();
CREATE TRIGGER batchhold_no_truncate BEFORE TRUNCATE ON records_batchhold EXECUTE FUNCTION cf_refuse_change();

INSERT INTO records_volumerule (measure, high, factor, "window", least, floor, basis, valid_from, state, proposed_at,
    confirmed_at, withdrawn_reason) VALUES
('rows', NULL, 10, 12, 6, 200, '本站设定：与本单位近 12 批的中位数相差 10 倍以上，多为错选文件、重复粘贴或者只导出了一部分',
 '2026-01-01', 'in_force', now(), now(), ''),
('refused', 50, NULL, 12, 6, 100, '本站设定：半数以上的行被退回，多为列错位或者用错模板', '2026-01-01', 'in_force', now(), now(), ''),
('changed', 50, NULL, 12, 6, 200, '本站设定：半数以上的行改动已入库的记录，多为旧文件改写后重发', '2026-01-01', 'in_force', now(), now(), ''),
('touched', 30, NULL, 12, 6, 200, '本站设定：一次改动三成以上的现有记录，影响面大，须先核实', '2026-01-01', 'in_force', now(), now(), ''),
('withdrawn', 20, NULL, 12, 6, 200, '本站设定：一次撤回两成以上的现有记录，须由第二人核实', '2026-01-01', 'in_force', now(), now(), '');

CREATE FUNCTION records_volumerule_ends_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.valid_to IS NOT NULL AND NEW.valid_to IS DISTINCT FROM OLD.valid_to THEN
        PERFORM catalogue_refuse('volumerule_ends_once', 'the end of a rule is not moved');
    END IF;
    RETURN NEW;
END $$;
-- By one hand nothing comes to be measured no more: a rule ends the day that the next one begins.
CREATE FUNCTION records_volumerule_goes_on() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state <> 'in_force' OR NOT EXISTS (
        SELECT 1 FROM records_volumerule r
         WHERE r.state = 'in_force' AND r.valid_from = NEW.valid_to AND r.measure = NEW.measure
           AND (r.item_id, r.supplier_id) IS NOT DISTINCT FROM (NEW.item_id, NEW.supplier_id)) THEN
        PERFORM catalogue_refuse('volumerule_ends_by_the_next', 'a rule is ended by the next one only');
    END IF;
    RETURN NULL;
END $$;
SET CONSTRAINTS ALL IMMEDIATE;
CREATE CONSTRAINT TRIGGER volumerule_goes_on AFTER UPDATE ON records_volumerule DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (OLD.state = 'in_force' AND (NEW.state, NEW.valid_to) IS DISTINCT FROM (OLD.state, OLD.valid_to))
    EXECUTE FUNCTION records_volumerule_goes_on();
CREATE TRIGGER volumerule_guard BEFORE INSERT OR UPDATE OR DELETE ON records_volumerule FOR EACH ROW
    EXECUTE FUNCTION catalogue_proposed_then_confirmed(
        'state', 'confirmed_by_id', 'confirmed_at', 'withdrawn_reason', 'valid_to');
CREATE TRIGGER volumerule_ends_once BEFORE UPDATE OF valid_to ON records_volumerule
    FOR EACH ROW EXECUTE FUNCTION records_volumerule_ends_once();
CREATE TRIGGER volumerule_no_truncate BEFORE TRUNCATE ON records_volumerule EXECUTE FUNCTION cf_refuse_change();
"""
VOLUME_UNDONE = """
DROP TRIGGER batch_is_judged_by_its_volume ON records_batch;
DROP TRIGGER batch_held_for_a_second_look ON records_batch;
DROP FUNCTION records_batch_judge();
DROP FUNCTION records_batch_held();
DROP FUNCTION records_hold_withdrawal(bigint, bigint, text);
DROP FUNCTION records_hold(bigint, bigint, text);
DROP FUNCTION records_unseen_faults(records_batch, boolean);
DROP FUNCTION records_volume_faults(records_batch, boolean);
DROP FUNCTION records_held_up_to(bigint, bigint, bigint);
DROP TRIGGER batchhold_guard ON records_batchhold;
DROP TRIGGER batchhold_no_truncate ON records_batchhold;
DROP FUNCTION records_batchhold_guard();
DROP TRIGGER volumerule_guard ON records_volumerule;
DROP TRIGGER volumerule_ends_once ON records_volumerule;
DROP TRIGGER volumerule_no_truncate ON records_volumerule;
DROP FUNCTION records_volumerule_ends_once();
DROP TRIGGER volumerule_goes_on ON records_volumerule;
DROP FUNCTION records_volumerule_goes_on();
"""
RETURNED = """
-- The counts of a batch follow its rows.
CREATE FUNCTION records_returned_count() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        UPDATE records_batch b SET open_rows = b.open_rows + k.n
          FROM (SELECT batch_id, count(*) AS n FROM now_ GROUP BY batch_id) k WHERE b.id = k.batch_id;
    ELSE
        UPDATE records_batch b
           SET open_rows = b.open_rows + k.opened, corrected = b.corrected + k.corrected, explained = b.explained + k.settled
          FROM (SELECT batch_id, sum((s IN (1, 2, 3))::int * d) AS opened, sum((s = 8)::int * d) AS corrected,
                       sum((s = 9)::int * d) AS settled
                  FROM (SELECT batch_id, state AS s, 1 AS d FROM now_
                        UNION ALL SELECT batch_id, state, -1 FROM was_) moved GROUP BY batch_id) k
         WHERE b.id = k.batch_id AND (k.opened <> 0 OR k.corrected <> 0 OR k.settled <> 0);
    END IF;
    RETURN NULL;
END $$;

-- A row handed back is answered by a correction that goes in, or by two officers of its supplier; it is never dropped.
CREATE FUNCTION records_returned_guard() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF EXISTS (SELECT 1 FROM now_ n JOIN records_batch b ON b.id = n.batch_id
                    WHERE n.state <> 1 OR n.answer_batch_id IS NOT NULL OR b.state NOT IN ('checked', 'committed')) THEN
            PERFORM catalogue_refuse('returnedrow_begins_open', 'a row is handed back open, by a batch that is judged');
        END IF;
        RETURN NULL;
    END IF;
    IF EXISTS (SELECT 1 FROM was_ w LEFT JOIN now_ n USING (batch_id, row_no) WHERE n.codes IS DISTINCT FROM w.codes) THEN
        PERFORM catalogue_refuse('returnedrow_is_fixed', 'which row came back and why never changes');
    END IF;
    IF EXISTS (
        SELECT 1 FROM was_ w JOIN now_ n USING (batch_id, row_no) LEFT JOIN records_batch a ON a.id = n.answer_batch_id
          LEFT JOIN records_batch wa ON wa.id = w.answer_batch_id
         WHERE NOT coalesce(CASE
            WHEN n.state = w.state THEN n IS NOT DISTINCT FROM w OR n.state = 2 AND a.correction_of_id = n.batch_id
            WHEN n.state = 8 THEN w.state IN (1, 2, 3) AND a.correction_of_id = n.batch_id AND a.state = 'committing'
            WHEN n.state = 2 THEN w.state = 1 AND a.correction_of_id = n.batch_id AND a.state IN ('checked', 'committed')
                                  OR w.state = 3 AND n.answer_batch_id = w.answer_batch_id
            WHEN n.state = 3 THEN w.state IN (1, 2)
            WHEN n.state = 9 THEN w.state = 3
            WHEN n.state = 1 THEN w.state = 3 AND w.answer_batch_id IS NULL
                                  OR w.state = 8 AND wa.state IN ('withdrawing', 'withdrawn')
            END, false)
    ) THEN
        PERFORM catalogue_refuse('returnedrow_moves_along_its_arrows', 'a row handed back may not go there');
    END IF;
    IF EXISTS (
        SELECT 1 FROM was_ w JOIN now_ n USING (batch_id, row_no)
          JOIN records_batch b ON b.id = n.batch_id
          LEFT JOIN accounts_user e ON e.id = n.explained_by_id LEFT JOIN accounts_user c ON c.id = n.confirmed_by_id
         WHERE n.state = 3 AND e.organisation_id IS DISTINCT FROM b.supplier_id
            OR n.state = 9 AND (c.organisation_id IS DISTINCT FROM b.supplier_id
                                OR (n.why, n.note, n.explained_by_id) IS DISTINCT FROM (w.why, w.note, w.explained_by_id))
    ) THEN
        PERFORM catalogue_refuse('returnedrow_explained_in_its_organisation', 'two officers of the supplier explain');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER returnedrow_guard_insert AFTER INSERT ON records_returnedrow REFERENCING NEW TABLE AS now_
    FOR EACH STATEMENT EXECUTE FUNCTION records_returned_guard();
CREATE TRIGGER returnedrow_guard_update AFTER UPDATE ON records_returnedrow REFERENCING OLD TABLE AS was_ NEW TABLE AS now_
    FOR EACH STATEMENT EXECUTE FUNCTION records_returned_guard();
CREATE TRIGGER returnedrow_count_insert AFTER INSERT ON records_returnedrow REFERENCING NEW TABLE AS now_
    FOR EACH STATEMENT EXECUTE FUNCTION records_returned_count();
CREATE TRIGGER returnedrow_count_update AFTER UPDATE ON records_returnedrow REFERENCING OLD TABLE AS was_ NEW TABLE AS now_
    FOR EACH STATEMENT EXECUTE FUNCTION records_returned_count();
CREATE FUNCTION records_batch_counts_follow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM catalogue_refuse('batch_rows_are_counted', 'what is open or answered is counted from the rows handed back');
    RETURN NULL;
END $$;
CREATE TRIGGER batch_rows_are_counted BEFORE UPDATE ON records_batch FOR EACH ROW
    WHEN (pg_trigger_depth() = 0 AND (NEW.open_rows, NEW.corrected, NEW.explained)
                                     IS DISTINCT FROM (OLD.open_rows, OLD.corrected, OLD.explained))
    EXECUTE FUNCTION records_batch_counts_follow();
CREATE TRIGGER returnedrow_is_kept BEFORE DELETE ON records_returnedrow
    FOR EACH ROW EXECUTE FUNCTION cf_refuse_change();
CREATE TRIGGER returnedrow_no_truncate BEFORE TRUNCATE ON records_returnedrow EXECUTE FUNCTION cf_refuse_change();
"""
EXISTING = """
-- Rows that came back before this was followed: open unless a correction took them in. Clocks start in the next night.
INSERT INTO records_returnedrow (batch_id, row_no, codes, state)
SELECT r.batch_id, r.row_no, ARRAY(SELECT DISTINCT p ->> 1 FROM jsonb_array_elements(r.problems) p),
       CASE r.outcome WHEN 9 THEN 1 ELSE 8 END
  FROM records_batchrow r JOIN records_batch b ON b.id = r.batch_id
 WHERE r.outcome IN (8, 9) AND b.state = 'committed';
UPDATE records_batch b SET open_rows = k.n
  FROM (SELECT batch_id, count(*) AS n FROM records_returnedrow WHERE state = 1 GROUP BY 1) k WHERE b.id = k.batch_id;
SET CONSTRAINTS ALL IMMEDIATE;
"""
RETURNED_UNDONE = """
DROP TRIGGER returnedrow_guard_insert ON records_returnedrow;
DROP TRIGGER returnedrow_guard_update ON records_returnedrow;
DROP TRIGGER returnedrow_count_insert ON records_returnedrow;
DROP TRIGGER returnedrow_count_update ON records_returnedrow;
DROP TRIGGER returnedrow_is_kept ON records_returnedrow;
DROP TRIGGER returnedrow_no_truncate ON records_returnedrow;
DROP FUNCTION records_returned_guard();
DROP FUNCTION records_returned_count();
DROP TRIGGER batch_rows_are_counted ON records_batch;
DROP FUNCTION records_batch_counts_follow();
"""
CLEARED = """
-- What is cleared stays cleared and is not read again.
CREATE FUNCTION records_batch_cleared() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF OLD.cleared_at IS NOT NULL AND NEW.cleared_at IS DISTINCT FROM OLD.cleared_at THEN
        PERFORM catalogue_refuse('batch_stays_cleared', 'what is cleared stays cleared');
    END IF;
    IF OLD.cleared_at IS NULL AND NEW.cleared_at IS NOT NULL
       AND EXISTS (SELECT 1 FROM records_batchrow WHERE batch_id = NEW.id) THEN
        PERFORM catalogue_refuse('batch_cleared_has_no_rows', 'its staged rows are still there');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER batch_cleared BEFORE UPDATE OF cleared_at ON records_batch
    FOR EACH ROW EXECUTE FUNCTION records_batch_cleared();
"""
CLEARED_UNDONE = """
DROP TRIGGER batch_cleared ON records_batch;
DROP FUNCTION records_batch_cleared();
"""
RECEIPT = """
-- A receipt says what the batch says, and is signed by who committed it.
CREATE FUNCTION records_receipt_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE b records_batch; said jsonb := NEW.content -> 'counts';
BEGIN
    SELECT * INTO b FROM records_batch WHERE id = NEW.batch_id;
    IF b.state <> 'committed' OR NEW.signed_by_id IS DISTINCT FROM b.committed_by_id
       OR said IS DISTINCT FROM jsonb_build_object(
           'rows', b.rows, 'new', b.new, 'changed', b.changed, 'unchanged', b.unchanged, 'refused', b.refused) THEN
        PERFORM catalogue_refuse('batchreceipt_says_what_the_batch_says', 'a receipt says what the batch says');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER batchreceipt_guard BEFORE INSERT ON records_batchreceipt
    FOR EACH ROW EXECUTE FUNCTION records_receipt_guard();
CREATE TRIGGER batchreceipt_append_only BEFORE UPDATE OR DELETE ON records_batchreceipt
    FOR EACH ROW EXECUTE FUNCTION cf_refuse_change();
CREATE TRIGGER batchreceipt_no_truncate BEFORE TRUNCATE ON records_batchreceipt EXECUTE FUNCTION cf_refuse_change();
"""
RECEIPT_UNDONE = """
DROP TRIGGER batchreceipt_guard ON records_batchreceipt;
DROP TRIGGER batchreceipt_append_only ON records_batchreceipt;
DROP TRIGGER batchreceipt_no_truncate ON records_batchreceipt;
DROP FUNCTION records_receipt_guard();
"""
DATA = """
ALTER TABLE catalogue_deadlinerule DISABLE TRIGGER deadlinerule_guard;
INSERT INTO catalogue_deadlinerule (code, version, what, n, unit, starts, owner, basis, source, confidence, strict, note,
    in_doubt, rolls, verified, valid_from, state, proposed_at, confirmed_at, withdrawn_reason) VALUES
('D38', 1, '退回行更正后重报', 3, 'WD', '退回', 'PROVIDER', '本站设定：退回的行在三个工作日内更正重报或者说明',
 '时限总表（2026-11-23）补充：domain §4.2 L4', 'D', 3, '', 'earlier', true, false, '2022-01-01', 'in_force', now(), now(), ''),
('D39', 1, '暂存行清除', 90, 'ND', '收到文件', 'PLATFORM', '《个人信息保护法》第十九条（保存期限为实现处理目的所必要的最短时间）；天数为本站设定',
 '时限总表（2026-11-23）补充：design §5 第 3 步', 'D', 90, '更正全部办结的，次日即清除', 'earlier', false, false, '2021-11-01',
 'in_force', now(), now(), '')
ON CONFLICT (code, version) DO NOTHING;  -- kept from before, when clocks rest on them
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE catalogue_deadlinerule ENABLE TRIGGER deadlinerule_guard;
"""
DATA_UNDONE = """
ALTER TABLE catalogue_deadlinerule DISABLE TRIGGER deadlinerule_guard;
DELETE FROM catalogue_deadlinerule r WHERE code IN ('D38', 'D39')
   AND NOT EXISTS (SELECT 1 FROM catalogue_deadline d WHERE d.rule_id = r.id);
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE catalogue_deadlinerule ENABLE TRIGGER deadlinerule_guard;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_whose_account"),
        ("catalogue", "0009_supply"),
        ("records", "0013_mapping"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="BatchHold",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "measure",
                    models.CharField(
                        choices=[
                            ("rows", "每批行数"),
                            ("refused", "退回行占本批的比例"),
                            ("changed", "变更行占本批的比例"),
                            ("touched", "变更占现有记录的比例"),
                            ("withdrawn", "撤回占现有记录的比例"),
                        ],
                        max_length=9,
                        verbose_name="指标",
                    ),
                ),
                ("affected", models.PositiveIntegerField(verbose_name="涉及行数")),
                ("value", models.DecimalField(decimal_places=2, max_digits=14, verbose_name="本次")),
                ("low", models.DecimalField(decimal_places=2, max_digits=14, null=True, verbose_name="下限")),
                ("high", models.DecimalField(decimal_places=2, max_digits=14, null=True, verbose_name="上限")),
                ("median", models.DecimalField(decimal_places=2, max_digits=14, null=True, verbose_name="以往中位数")),
                ("earlier", models.PositiveSmallIntegerField(default=0, verbose_name="以往批数")),
                (
                    "made_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="时间"),
                ),
                ("asked_reason", models.CharField(blank=True, max_length=200, verbose_name="撤回理由")),
                ("decided_at", models.DateTimeField(null=True, verbose_name="复核时间")),
                ("agreed", models.BooleanField(null=True, verbose_name="放行")),
                ("note", models.CharField(blank=True, max_length=200, verbose_name="复核意见")),
            ],
            options={
                "verbose_name": "数量异常复核",
                "verbose_name_plural": "数量异常复核",
                "db_table_comment": "written by the database: a batch outside what is usual waits for a second officer",
                "ordering": ["id"],
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="BatchReceipt",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("content", models.JSONField(verbose_name="内容")),
                (
                    "sha256",
                    models.CharField(help_text="JSON 回执全文的 SHA-256", max_length=64, verbose_name="内容摘要"),
                ),
                ("seal", models.BinaryField(verbose_name="带密钥摘要")),
                ("issued_at", models.DateTimeField(verbose_name="签发时间")),
            ],
            options={
                "verbose_name": "批次回执",
                "verbose_name_plural": "批次回执",
                "db_table_comment": "append-only: one receipt per committed batch",
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="ReturnedRow",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "batch_id", "row_no", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "batch",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="returned",
                        to="records.batch",
                        verbose_name="批次",
                    ),
                ),
                ("row_no", models.IntegerField(verbose_name="行号")),
                (
                    "codes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(), size=None, verbose_name="退回原因"
                    ),
                ),
                (
                    "state",
                    models.SmallIntegerField(
                        choices=[(1, "未交回"), (2, "再次退回"), (3, "说明待确认"), (8, "已更正入库"), (9, "已说明")],
                        default=1,
                        verbose_name="状态",
                    ),
                ),
                ("answer_row", models.IntegerField(null=True, verbose_name="更正批次行号")),
                (
                    "again_codes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(), null=True, size=None, verbose_name="再次退回原因"
                    ),
                ),
                (
                    "why",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("resent", "已在其他批次重新报送"),
                            ("duplicate", "重复报送"),
                            ("wrong_person", "当事人有误，不应报送"),
                            ("annulled", "所依据的文书已撤销或失效"),
                            ("not_due", "不属于应归集的信息"),
                            ("other", "其他"),
                        ],
                        db_default="",
                        max_length=12,
                        verbose_name="不再报送的原因",
                    ),
                ),
                ("note", models.CharField(blank=True, db_default="", max_length=200, verbose_name="说明")),
                ("explained_at", models.DateTimeField(null=True, verbose_name="说明时间")),
                ("confirmed_at", models.DateTimeField(null=True, verbose_name="确认时间")),
                (
                    "declined_note",
                    models.CharField(blank=True, db_default="", max_length=200, verbose_name="不同意的理由"),
                ),
            ],
            options={
                "verbose_name": "退回行",
                "verbose_name_plural": "退回行",
                "db_table_comment": "kept: what became of each row handed back",
                "ordering": ["batch", "row_no"],
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="VolumeRule",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("draft", "待确认"),
                            ("in_force", "现行"),
                            ("superseded", "已被新版替代"),
                            ("withdrawn", "已退回"),
                        ],
                        default="draft",
                        max_length=10,
                        verbose_name="状态",
                    ),
                ),
                ("proposed_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="提出时间")),
                ("confirmed_at", models.DateTimeField(blank=True, null=True, verbose_name="确认时间")),
                ("withdrawn_reason", models.CharField(blank=True, max_length=200, verbose_name="退回理由")),
                (
                    "measure",
                    models.CharField(
                        choices=[
                            ("rows", "每批行数"),
                            ("refused", "退回行占本批的比例"),
                            ("changed", "变更行占本批的比例"),
                            ("touched", "变更占现有记录的比例"),
                            ("withdrawn", "撤回占现有记录的比例"),
                        ],
                        max_length=9,
                        verbose_name="指标",
                    ),
                ),
                (
                    "low",
                    models.DecimalField(
                        blank=True,
                        decimal_places=2,
                        help_text="低于此数须复核；行数填行，比例填百分数",
                        max_digits=12,
                        null=True,
                        verbose_name="下限",
                    ),
                ),
                (
                    "high",
                    models.DecimalField(
                        blank=True,
                        decimal_places=2,
                        help_text="高于此数须复核；行数填行，比例填百分数",
                        max_digits=12,
                        null=True,
                        verbose_name="上限",
                    ),
                ),
                (
                    "factor",
                    models.DecimalField(
                        blank=True,
                        decimal_places=2,
                        help_text="只用于每批行数：没有填上下限的，按以往批次中位数的多少倍、多少分之一",
                        max_digits=6,
                        null=True,
                        verbose_name="按以往批次推算的倍数",
                    ),
                ),
                ("window", models.PositiveSmallIntegerField(default=12, verbose_name="取以往多少批")),
                ("least", models.PositiveSmallIntegerField(default=6, verbose_name="至少有多少批才推算")),
                ("floor", models.PositiveIntegerField(default=200, verbose_name="少于多少行不判断")),
                ("basis", models.CharField(max_length=200, verbose_name="依据和理由")),
                ("valid_from", models.DateField(verbose_name="启用日期")),
                (
                    "valid_to",
                    models.DateField(blank=True, help_text="自这一天起不再适用", null=True, verbose_name="停用日期"),
                ),
            ],
            options={
                "verbose_name": "数量规则",
                "verbose_name_plural": "数量规则",
                "ordering": [
                    "measure",
                    models.OrderBy(models.F("item"), nulls_first=True),
                    models.OrderBy(models.F("supplier"), nulls_first=True),
                    "-valid_from",
                    "-id",
                ],
                "permissions": [("propose_volumerule", "提出数量规则"), ("confirm_volumerule", "确认数量规则")],
                "abstract": False,
                "default_permissions": ("view",),
            },
        ),
        migrations.AddField(
            model_name="batch",
            name="cleared_at",
            field=models.DateTimeField(null=True, verbose_name="暂存行清除时间"),
        ),
        migrations.AddField(
            model_name="batch",
            name="explained",
            field=models.PositiveIntegerField(db_default=0, default=0, verbose_name="已说明"),
        ),
        migrations.AddField(
            model_name="batch",
            name="open_rows",
            field=models.PositiveIntegerField(db_default=0, default=0, verbose_name="未答复的退回行"),
        ),
        migrations.AddIndex(
            model_name="batch",
            index=models.Index(
                condition=models.Q(("cleared_at__isnull", True)), fields=["received_at"], name="batch_to_clear"
            ),
        ),
        migrations.AddIndex(
            model_name="batch",
            index=models.Index(condition=models.Q(("open_rows__gt", 0)), fields=["id"], name="batch_with_open_rows"),
        ),
        migrations.AddConstraint(
            model_name="batch",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("cleared_at__isnull", True),
                    ("state__in", ["committed", "withdrawing", "withdrawn", "refused", "cancelled"]),
                    _connector="OR",
                ),
                name="batch_is_cleared_when_it_is_over",
            ),
        ),
        migrations.AddField(
            model_name="batchhold",
            name="asked_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="申请撤回",
            ),
        ),
        migrations.AddField(
            model_name="batchhold",
            name="batch",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="holds",
                to="records.batch",
                verbose_name="批次",
            ),
        ),
        migrations.AddField(
            model_name="batchhold",
            name="decided_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="复核人",
            ),
        ),
        migrations.AddField(
            model_name="batchreceipt",
            name="batch",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="receipt",
                to="records.batch",
                verbose_name="批次",
            ),
        ),
        migrations.AddField(
            model_name="batchreceipt",
            name="signed_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="签发人",
            ),
        ),
        migrations.AddField(
            model_name="returnedrow",
            name="answer_batch",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="answers",
                to="records.batch",
                verbose_name="更正批次",
            ),
        ),
        migrations.AddField(
            model_name="returnedrow",
            name="confirmed_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="确认人",
            ),
        ),
        migrations.AddField(
            model_name="returnedrow",
            name="explained_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="说明人",
            ),
        ),
        migrations.AddField(
            model_name="volumerule",
            name="confirmed_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="确认人",
            ),
        ),
        migrations.AddField(
            model_name="volumerule",
            name="item",
            field=models.ForeignKey(
                blank=True,
                help_text="不选为所有条目",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="volume_rules",
                to="catalogue.item",
                verbose_name="目录条目",
            ),
        ),
        migrations.AddField(
            model_name="volumerule",
            name="proposed_by",
            field=models.ForeignKey(
                blank=True,
                help_text="随系统载入的数据没有提出人和确认人",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="提出人",
            ),
        ),
        migrations.AddField(
            model_name="volumerule",
            name="supplier",
            field=models.ForeignKey(
                blank=True,
                help_text="不选为所有报送单位",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="volume_rules",
                to="accounts.organisation",
                verbose_name="报送单位",
            ),
        ),
        migrations.AddField(
            model_name="batchhold",
            name="rule",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="records.volumerule",
                verbose_name="规则",
            ),
        ),
        migrations.AddConstraint(
            model_name="batchreceipt",
            constraint=models.CheckConstraint(
                condition=models.Q(("sha256__regex", "^[0-9a-f]{64}$")), name="batchreceipt_has_a_digest"
            ),
        ),
        migrations.AddConstraint(
            model_name="returnedrow",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("explained_at__isnull", True),
                        ("explained_by__isnull", True),
                        ("note", ""),
                        ("state__in", [1, 2]),
                        ("why", ""),
                    ),
                    ("state", 8),
                    models.Q(
                        ("explained_at__isnull", False),
                        ("explained_by__isnull", False),
                        ("state__in", [3, 9]),
                        models.Q(("why", ""), _negated=True),
                        models.Q(("note", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="returnedrow_explained_by_somebody_for_a_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="returnedrow",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("confirmed_at__isnull", False),
                        ("confirmed_by__isnull", False),
                        ("state", 9),
                        models.Q(("confirmed_by", models.F("explained_by")), _negated=True),
                    ),
                    models.Q(
                        models.Q(("state", 9), _negated=True),
                        ("confirmed_at__isnull", True),
                        ("confirmed_by__isnull", True),
                    ),
                    _connector="OR",
                ),
                name="returnedrow_explanation_confirmed_by_another",
                violation_error_message="说明须由本单位另一名工作人员确认。",
            ),
        ),
        migrations.AddConstraint(
            model_name="returnedrow",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", 2), _negated=True),
                    models.Q(("answer_batch__isnull", False), ("answer_row__isnull", False)),
                    _connector="OR",
                ),
                name="returnedrow_again_by_a_batch",
            ),
        ),
        migrations.AddConstraint(
            model_name="volumerule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("confirmed_by__isnull", True),
                    models.Q(("confirmed_by", models.F("proposed_by")), _negated=True),
                    _connector="OR",
                ),
                name="volumerule_confirmed_by_another",
                violation_error_message="提出人不能确认自己提出的内容，须由另一名工作人员确认。",
            ),
        ),
        migrations.AddConstraint(
            model_name="volumerule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("confirmed_at__isnull", True), ("state__in", ["draft", "withdrawn"])),
                    models.Q(("confirmed_at__isnull", False), ("state__in", ["in_force", "superseded"])),
                    _connector="OR",
                ),
                name="volumerule_in_force_means_confirmed",
            ),
        ),
        migrations.AddConstraint(
            model_name="volumerule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "withdrawn"), _negated=True),
                    models.Q(("withdrawn_reason", ""), _negated=True),
                    _connector="OR",
                ),
                name="volumerule_withdrawn_with_a_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="volumerule",
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(
                condition=models.Q(("state", "in_force")),
                expressions=[
                    ("measure", "="),
                    (django.db.models.functions.comparison.Coalesce("item", models.Value(0)), "="),
                    (django.db.models.functions.comparison.Coalesce("supplier", models.Value(0)), "="),
                    (
                        models.Func(
                            models.F("valid_from"), models.F("valid_to"), models.Value("[)"), function="daterange"
                        ),
                        "&&",
                    ),
                ],
                name="volumerule_in_force_do_not_overlap",
                violation_error_message="同一指标、条目和单位的现行规则有效期间不能重叠。",
            ),
        ),
        migrations.AddConstraint(
            model_name="volumerule",
            constraint=models.CheckConstraint(
                condition=models.Q(("basis", ""), _negated=True), name="volumerule_says_why"
            ),
        ),
        migrations.AddConstraint(
            model_name="volumerule",
            constraint=models.CheckConstraint(
                condition=models.Q(("measure__in", ["rows", "refused", "changed", "touched", "withdrawn"])),
                name="volumerule_measure_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="volumerule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("valid_to__isnull", True), ("valid_to__gt", models.F("valid_from")), _connector="OR"
                ),
                name="volumerule_ends_after_it_begins",
                violation_error_message="停用日期须晚于启用日期。",
            ),
        ),
        migrations.AddConstraint(
            model_name="volumerule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("low__isnull", True), ("high__isnull", True), ("low__lte", models.F("high")), _connector="OR"
                ),
                name="volumerule_low_is_not_above_high",
                violation_error_message="下限不能高于上限。",
            ),
        ),
        migrations.AddConstraint(
            model_name="volumerule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("low__isnull", True), ("low__gte", 0), _connector="OR"),
                    models.Q(("high__isnull", True), ("high__gte", 0), _connector="OR"),
                ),
                name="volumerule_bounds_are_not_negative",
                violation_error_message="上下限不能为负数。",
            ),
        ),
        migrations.AddConstraint(
            model_name="volumerule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("factor__isnull", True), models.Q(("factor__gt", 1), ("measure", "rows")), _connector="OR"
                ),
                name="volumerule_only_rows_follow_from_earlier_batches",
                violation_error_message="倍数只用于每批行数，并且须大于 1。",
            ),
        ),
        migrations.AddConstraint(
            model_name="volumerule",
            constraint=models.CheckConstraint(
                condition=models.Q(("low__isnull", True), ("measure", "rows"), _connector="OR"),
                name="volumerule_shares_have_no_low",
                violation_error_message="比例只设上限。",
            ),
        ),
        migrations.AddConstraint(
            model_name="volumerule",
            constraint=models.CheckConstraint(
                condition=models.Q(("least__gte", 3), ("window__gte", models.F("least")), ("window__lte", 100)),
                name="volumerule_derives_from_enough_batches",
                violation_error_message="至少按 3 批推算，并且不多于所取的批数；最多取 100 批。",
            ),
        ),
        migrations.AddIndex(
            model_name="batchhold",
            index=models.Index(condition=models.Q(("agreed__isnull", True)), fields=["batch"], name="batchhold_open"),
        ),
        migrations.AddConstraint(
            model_name="batchhold",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("agreed__isnull", True),
                        ("decided_at__isnull", True),
                        ("decided_by__isnull", True),
                        ("note", ""),
                    ),
                    models.Q(
                        ("agreed__isnull", False),
                        ("decided_at__isnull", False),
                        ("decided_by__isnull", False),
                        models.Q(("note", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="batchhold_decided_by_somebody_for_a_reason",
                violation_error_message="请写明复核意见。",
            ),
        ),
        migrations.AddConstraint(
            model_name="batchhold",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("asked_by__isnull", False),
                        ("measure", "withdrawn"),
                        models.Q(("asked_reason", ""), _negated=True),
                    ),
                    models.Q(
                        models.Q(("measure", "withdrawn"), _negated=True),
                        ("asked_by__isnull", True),
                        ("asked_reason", ""),
                    ),
                    _connector="OR",
                ),
                name="batchhold_a_withdrawal_is_asked_for",
            ),
        ),
        migrations.RunSQL(EXISTING, migrations.RunSQL.noop),
        migrations.RunSQL(VOLUME, VOLUME_UNDONE),
        migrations.RunSQL(RETURNED, RETURNED_UNDONE),
        migrations.RunSQL(CLEARED, CLEARED_UNDONE),
        migrations.RunSQL(RECEIPT, RECEIPT_UNDONE),
        migrations.RunSQL(DATA, DATA_UNDONE),
    ]
