"""Times of a reward (domain §5.8): the person's answer, the check, the decisions. The public notice itself is D35."""

from django.db import migrations

CODES = ("D91", "D92", "D93", "D94")
ROWS = """
ALTER TABLE catalogue_deadlinerule DISABLE TRIGGER deadlinerule_guard;
INSERT INTO catalogue_deadlinerule (code, version, what, n, unit, starts, owner, basis, source, confidence, strict, note,
    in_doubt, rolls, verified, valid_from, state, proposed_at, confirmed_at, withdrawn_reason) VALUES
('D91', 1, '本人答复激励推荐、说明核对结果', 10, 'WD', '征求意见、告知暂停', 'SUBJECT', '本站设定（domain §5.8）',
 '时限总表（2026-11-23）补充：domain §5.8', 'D', 10, '对推荐不答复视为不同意', 'later', true, false, '2021-11-01', 'in_force', now(), now(), ''),
('D92', 1, '激励冲突核对', 2, 'WD', '本人同意', 'DECIDER', '本站设定（domain §5.8）',
 '时限总表（2026-11-23）补充：domain §5.8', 'D', 2, '系统只列事实，由工作人员查阅', 'earlier', true, false, '2021-11-01', 'in_force', now(), now(), ''),
('D93', 1, '核对后决定公示、授予或者不予授予', 3, 'WD', '核对届满', 'DECIDER', '本站设定（domain §5.8）',
 '时限总表（2026-11-23）补充：domain §5.8', 'D', 3, '', 'earlier', true, false, '2021-11-01', 'in_force', now(), now(), ''),
('D94', 1, '公示期满、本人说明后作出决定', 5, 'WD', '公示期满、本人说明或者说明期满', 'DECIDER', '本站设定（domain §5.8）',
 '时限总表（2026-11-23）补充：domain §5.8', 'D', 5, '', 'earlier', true, false, '2021-11-01', 'in_force', now(), now(), '')
ON CONFLICT (code, version) DO NOTHING;  -- kept from before, when clocks rest on it
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE catalogue_deadlinerule ENABLE TRIGGER deadlinerule_guard;
"""
ROWS_UNDONE = f"""
ALTER TABLE catalogue_deadlinerule DISABLE TRIGGER deadlinerule_guard;
DELETE FROM catalogue_deadlinerule r WHERE code IN {CODES}
   AND NOT EXISTS (SELECT 1 FROM catalogue_deadline d WHERE d.rule_id = r.id);
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE catalogue_deadlinerule ENABLE TRIGGER deadlinerule_guard;
"""  # noqa: S608 – ours


class Migration(migrations.Migration):
    dependencies = [("sanctions", "0026_reward_rules"), ("catalogue", "0029_one_hand_of_a_system")]
    operations = [migrations.RunSQL(ROWS, ROWS_UNDONE)]
