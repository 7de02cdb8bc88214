"""Times of the listing procedure, and the last day of a period as the database itself counts it."""

from django.db import migrations

ROWS = """
ALTER TABLE catalogue_deadlinerule DISABLE TRIGGER deadlinerule_guard;
INSERT INTO catalogue_deadlinerule (code, version, what, n, unit, starts, owner, basis, source, confidence, strict, note,
    in_doubt, rolls, verified, valid_from, state, proposed_at, confirmed_at, withdrawn_reason) VALUES
('D80', 1, '列入案件拟稿', 10, 'WD', '立案', 'DECIDER', '本站设定', '时限总表（2026-11-23）补充：domain §5.2', 'D', 10, '',
 'earlier', true, false, '2021-07-15', 'in_force', now(), now(), ''),
('D81', 1, '送达拟列入告知书', 3, 'WD', '拟稿', 'DECIDER', '本站设定', '时限总表（2026-11-23）补充：domain §5.2', 'D', 3, '',
 'earlier', true, false, '2021-07-15', 'in_force', now(), now(), ''),
('D82', 1, '列入案件法制审核', 3, 'WD', '复核', 'DECIDER', '本站设定：对自然人的列入一律经法制审核',
 '时限总表（2026-11-23）补充：domain §5.2', 'D', 3, '', 'earlier', true, false, '2021-07-15', 'in_force', now(), now(), ''),
('D83', 1, '上级机关同意列入', 10, 'WD', '法制审核通过', 'AUTHORITY', '本站设定；市场监督管理总局令第44号要求上级同意',
 '时限总表（2026-11-23）补充：domain §5.2', 'D', 10, '', 'earlier', true, false, '2021-07-15', 'in_force', now(), now(), ''),
('D84', 1, '作出列入或者不予列入的决定', 30, 'ND', '告知送达', 'DECIDER', '税务总局令第54号；其他名单为本站设定',
 '时限总表（2026-11-23）补充：domain §5.2', 'D', 30, '', 'earlier', true, false, '2021-07-15', 'in_force', now(), now(), '')
ON CONFLICT (code, version) DO NOTHING;  -- kept from before, when clocks rest on it
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE catalogue_deadlinerule ENABLE TRIGGER deadlinerule_guard;
"""
ROWS_UNDONE = """
ALTER TABLE catalogue_deadlinerule DISABLE TRIGGER deadlinerule_guard;
DELETE FROM catalogue_deadlinerule r WHERE code IN ('D80', 'D81', 'D82', 'D83', 'D84')
   AND NOT EXISTS (SELECT 1 FROM catalogue_deadline d WHERE d.rule_id = r.id);
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE catalogue_deadlinerule ENABLE TRIGGER deadlinerule_guard;
"""
COUNTING = """
-- Whether offices work on a day, by the editions in force; beyond them Monday to Friday.
CREATE FUNCTION catalogue_is_working_day(day date) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT coalesce((SELECT d.is_workday FROM catalogue_calendarday d
                       JOIN catalogue_calendaredition e ON e.id = d.edition_id AND e.state = 'in_force' WHERE d.date = day),
                    extract(isodow FROM day) < 6)
$$;

-- The n-th working day after a day.
CREATE FUNCTION catalogue_working_day_after(day date, n int) RETURNS date LANGUAGE plpgsql STABLE AS $$
DECLARE last date := day; left_over int := n;
BEGIN
    WHILE left_over > 0 LOOP
        last := last + 1;
        IF catalogue_is_working_day(last) THEN
            left_over := left_over - 1;
        END IF;
    END LOOP;
    RETURN last;
END $$;

-- The last day of the period that an event on `start` begins; no rule, no day. `creditfujian.lib.workdays.due` says the same, but
-- that it knows the statutory days beyond the calendar: there this one may be earlier, never later.
CREATE FUNCTION catalogue_due(rule text, start date) RETURNS date LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE r catalogue_deadlinerule; last date;
BEGIN
    SELECT * INTO r FROM catalogue_deadlinerule WHERE code = rule AND state = 'in_force' AND valid_from <= start
       AND (valid_to IS NULL OR valid_to > start);
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    IF r.unit = 'WD' THEN
        RETURN catalogue_working_day_after(start, r.n);
    END IF;
    last := CASE r.unit WHEN 'ND' THEN start + r.n ELSE (start + make_interval(months => r.n))::date END;
    WHILE r.rolls AND NOT catalogue_is_working_day(last) LOOP
        last := last + 1;
    END LOOP;
    RETURN last;
END $$;
"""
COUNTING_UNDONE = """
DROP FUNCTION catalogue_due(text, date);
DROP FUNCTION catalogue_working_day_after(date, int);
DROP FUNCTION catalogue_is_working_day(date);
"""


class Migration(migrations.Migration):
    dependencies = [("catalogue", "0029_one_hand_of_a_system")]

    operations = [migrations.RunSQL(ROWS, ROWS_UNDONE), migrations.RunSQL(COUNTING, COUNTING_UNDONE)]
