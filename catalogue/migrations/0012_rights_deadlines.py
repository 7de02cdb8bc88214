"""Times of the citizen's rights: a second look at a verdict about a reading, the answer to a request of right."""

from django.db import migrations

ROWS = """
ALTER TABLE catalogue_deadlinerule DISABLE TRIGGER deadlinerule_guard;
INSERT INTO catalogue_deadlinerule (code, version, what, n, unit, starts, owner, basis, source, confidence, strict, note,
    in_doubt, rolls, verified, valid_from, state, proposed_at, confirmed_at, withdrawn_reason) VALUES
('D71', 1, '复核本人对查询的疑问', 10, 'WD', '本人申请复核', 'OFFICE', '《浙江省公共信用信息管理条例》第三十一条（参照）',
 '时限总表（2026-11-23）补充：domain §6.4 复核', 'M', 10, '只能申请一次', 'earlier', true, false, '2021-11-01', 'in_force', now(), now(), ''),
('D72', 1, '答复个人信息权利请求', 15, 'ND', '本人提出请求', 'ALL',
 '《个人信息保护法》第五十条（便捷、及时）；GB/T 35273—2020 第8.7条（三十天内）',
 '时限总表（2026-11-23）补充：domain §2.6', 'M', 15, '国家标准为三十天，本站按十五日办理', 'earlier', true, false, '2021-11-01', 'in_force', now(), now(), '')
ON CONFLICT (code, version) DO NOTHING;  -- kept from before, when clocks rest on it
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE catalogue_deadlinerule ENABLE TRIGGER deadlinerule_guard;
"""
ROWS_UNDONE = """
ALTER TABLE catalogue_deadlinerule DISABLE TRIGGER deadlinerule_guard;
DELETE FROM catalogue_deadlinerule r WHERE code IN ('D71', 'D72')
   AND NOT EXISTS (SELECT 1 FROM catalogue_deadline d WHERE d.rule_id = r.id);
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE catalogue_deadlinerule ENABLE TRIGGER deadlinerule_guard;
"""


class Migration(migrations.Migration):
    dependencies = [("catalogue", "0011_grants")]

    operations = [migrations.RunSQL(ROWS, ROWS_UNDONE)]
