"""Step 4, set-based: what only the whole file and the register together can tell."""

import json
import re
from collections.abc import Sequence
from typing import Any

from django.db import connection

from accounts import people
from records.intake.base import SHEET_STEP
from records.models import Batch

BIG = 2_000

R01 = "与本文件%s重复（同一当事人、同一文书号、同一认定单位）。请只保留一行。"
R02 = (
    "姓名与该证件号码已登记的姓名不一致，这一行暂不入库，由省信用办按核对单核对。请与证件核对：写错的改正后重报；"
    "没写错的在核对单上说明，核定后重报。"
)
R03 = "同一证件号码在本文件%s使用了另一个姓名。请与证件核对。"

R04 = "这份文书的记录已经%s，不能再次报送。确需恢复或更正的，请用办理单办理（记录更正、撤回）。"
R05 = "系统登记当事人在这份文书作出前已经死亡，不能入库。请与文书和证件核对；登记有误的，请联系省信用办撤销。"
R06 = (
    "这份文书的记录已经两名工作人员核定与该证件号码的人无关，并移到他人名下，不能再按这个号码报送。请照文书更正证件号码后重报；"
    "认为核定有误的，请联系省信用办。"
)
CLOSED = {4: "撤销", 5: "修复", 6: "到期"}

ROW_REASONS = {
    "R01": "文件内重复",
    "R02": "姓名与登记不一致",
    "R03": "文件内姓名不一致",
    "R04": "记录已撤销、修复或到期",
    "R05": "文书作出时当事人已死亡",
    "R06": "记录已核定属于他人",
}

# What `base.place` says, where the row is known to the database only.
_PLACE = re.compile(r"PLACE\(([\w.]+)\)")
_IN_WORDS = (
    rf"(CASE WHEN \1 > {SHEET_STEP} THEN '第 ' || \1 / {SHEET_STEP} + 1 || ' 张表' ELSE '' END"
    rf" || '第 ' || \1 %% {SHEET_STEP} || ' 行')"
)
_DUPLICATES = """
UPDATE records_batchrow r
   SET outcome = 9, problems = coalesce(r.problems, '[]') || jsonb_build_array(
       jsonb_build_array(%(field)s::text, 'R01', replace(%(message)s, '%%s', PLACE(d.first))))
  FROM (SELECT row_no, min(row_no) OVER (PARTITION BY id_index, doc_no, decider_uscc) AS first
          FROM records_batchrow WHERE batch_id = %(batch)s AND outcome <> 9 AND id_index IS NOT NULL) d
 WHERE r.batch_id = %(batch)s AND r.row_no = d.row_no AND d.row_no <> d.first
"""
# Which of the names is right nobody can tell from the file, so all of these rows go back; whoever the register knows
# is judged by the register.
_TWO_NAMES = """
WITH several AS MATERIALIZED (
    SELECT id_index FROM records_batchrow b WHERE batch_id = %(batch)s AND outcome <> 9
     GROUP BY id_index HAVING min(name) <> max(name)
)
UPDATE records_batchrow r
   SET outcome = 9, problems = coalesce(r.problems, '[]') || jsonb_build_array(
       jsonb_build_array(%(field)s::text, 'R03', replace(%(message)s, '%%s', (
           SELECT PLACE(f.row_no) FROM (
               SELECT min(o.row_no) AS row_no FROM records_batchrow o
                WHERE o.batch_id = r.batch_id AND o.id_index = r.id_index AND o.outcome <> 9 AND o.name <> r.name) f))))
 WHERE r.batch_id = %(batch)s AND r.outcome <> 9 AND r.id_index IN (SELECT id_index FROM several)
   AND NOT EXISTS (SELECT 1 FROM accounts_person p WHERE p.id_index = r.id_index)
"""
# Whoever changed their name stands under the old one in documents made before; whoever had two numbers, under the name
# that was registered with the one that the document bears.
_OTHER_NAME_KNOWN = """
UPDATE records_batchrow r
   SET outcome = 9, problems = coalesce(r.problems, '[]') || jsonb_build_array(
       jsonb_build_array(%(field)s::text, 'R02', %(message)s::text))
  FROM accounts_person p
 WHERE r.batch_id = %(batch)s AND r.outcome <> 9 AND p.id_index = r.id_index AND p.name <> r.name
   AND NOT EXISTS (SELECT 1 FROM accounts_personname n WHERE n.person_id = p.id AND n.name = r.name
                      AND n.how = 'renamed' AND r.doc_date <= n.until)
   AND NOT EXISTS (SELECT 1 FROM accounts_person m WHERE m.id = r.merged_person_id AND m.name = r.name)
"""
_AFTER_DEATH = """
UPDATE records_batchrow r
   SET outcome = 9, problems = coalesce(r.problems, '[]') || jsonb_build_array(jsonb_build_array(
       (SELECT f.code FROM catalogue_field f WHERE f.item_version_id = r.item_version_id AND f.binds = 'doc_date'),
       'R05', %(message)s::text))
  FROM accounts_person p
 WHERE r.batch_id = %(batch)s AND r.outcome <> 9 AND p.id_index = r.id_index
   AND p.deceased_on IS NOT NULL AND p.deceased_on < r.doc_date
"""
# Two officials moved the record to whom it is about: the same row again would make a second one, about the wrong person.
_MOVED_AWAY = """
UPDATE records_batchrow r
   SET outcome = 9, problems = coalesce(r.problems, '[]') || jsonb_build_array(jsonb_build_array(
       (SELECT f.code FROM catalogue_field f WHERE f.item_version_id = r.item_version_id AND f.binds = 'id_number'),
       'R06', %(message)s::text))
  FROM records_personcase c
  JOIN records_caserecord x ON x.case_id = c.id
  JOIN records_record k ON k.id = x.record_id AND k.item_id = %(item)s
  JOIN accounts_person p ON p.id = records_survivor(c.person_id) AND p.id <> k.person_id
 WHERE c.kind = 'move' AND c.state = 'done'
   AND r.batch_id = %(batch)s AND r.outcome <> 9 AND r.id_index = p.id_index
   AND r.doc_no = k.doc_no AND r.decider_uscc = k.decider_uscc
"""
# What the register already holds: the same content is unchanged, other content is a change; a withdrawn
# record that is sent again counts as new, and what was annulled, repaired or is over does not come back by a delivery.
# Unchanged rows are marked only when something will be written: a delivery that changes nothing should not rewrite all of its rows.
_KNOWN = """
WITH known AS MATERIALIZED (
    SELECT r.row_no, k.id,
           CASE WHEN k.state IN (4, 5, 6) THEN 9 WHEN k.state = 2 THEN 1
                WHEN k.content_hash = r.content_hash THEN 3 ELSE 2 END AS outcome, k.state
      FROM records_batchrow r
      JOIN accounts_person p ON p.id_index = r.id_index
      JOIN records_record k ON k.person_id = p.id AND k.item_id = %(item)s
                           AND k.doc_no = r.doc_no AND k.decider_uscc = r.decider_uscc
     WHERE r.batch_id = %(batch)s AND r.outcome IN (1, 2, 3)
), marked AS (
    UPDATE records_batchrow r SET record_id = known.id, outcome = known.outcome,
           problems = CASE WHEN known.outcome <> 9 THEN r.problems ELSE jsonb_build_array(jsonb_build_array(
               %(doc_field)s::text, 'R04', replace(%(closed)s, '%%s', %(words)s::jsonb ->> known.state::text))) END
      FROM known
     WHERE r.batch_id = %(batch)s AND r.row_no = known.row_no AND (known.outcome <> 3 OR %(mark_unchanged)s)
)
SELECT count(*) FROM known WHERE outcome = 3
"""
_REASONS = """
SELECT p.value ->> 1, count(DISTINCT row_no)
  FROM records_batchrow, jsonb_array_elements(problems) p
 WHERE batch_id = %s AND outcome IN (8, 9) GROUP BY 1 ORDER BY 2 DESC, 1
"""


def work_on(batch: Batch) -> None:
    """Tell the database which batch this transaction works on: the key to its item's records."""
    people.open_batch(batch.pk)
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('cf.batch', %s, true)", [str(batch.pk)])
        # Rows just staged or written have no statistics yet; without this a big batch may meet a nested loop.
        if max(batch.rows, batch.rows_done) > BIG:
            cursor.execute("SET LOCAL enable_nestloop = off")


def compare_with_file(batch: Batch, *, doc_field: str, name_field: str) -> None:
    """Mark duplicates and one number under two names; the fields are the codes that the reasons point at.

    Once is enough unless numbers are merged meanwhile: staged rows do not change otherwise.
    """
    with connection.cursor() as cursor:
        cursor.execute(_PLACE.sub(_IN_WORDS, _DUPLICATES), {"batch": batch.pk, "field": doc_field, "message": R01})
        cursor.execute(_PLACE.sub(_IN_WORDS, _TWO_NAMES), {"batch": batch.pk, "field": name_field, "message": R03})


def compare_with_register(batch: Batch, *, name_field: str, doc_field: str, mark_unchanged: bool) -> int:
    """Mark name conflicts, and tell new rows from changed and unchanged ones; return how many are unchanged.

    Runs inside the batch's own transaction, after `work_on`, and again at the commit: the register moves on.
    """
    with connection.cursor() as cursor:
        cursor.execute(_OTHER_NAME_KNOWN, {"batch": batch.pk, "field": name_field, "message": R02})
        cursor.execute(_AFTER_DEATH, {"batch": batch.pk, "message": R05})
        cursor.execute(_MOVED_AWAY, {"batch": batch.pk, "item": batch.item_id, "message": R06})
        values: dict[str, Any] = {"batch": batch.pk, "item": batch.item_id, "mark_unchanged": mark_unchanged, "doc_field": doc_field,
                  "closed": R04, "words": json.dumps(CLOSED)}  # fmt: skip
        cursor.execute(_KNOWN, values)
        return cursor.fetchone()[0]


def count(batch: Batch, *, unmarked: int = 0) -> None:
    """Have the database count the batch's staged rows, and find the reasons (not saved).

    `unmarked` of the new are unchanged. Nobody else writes counts: they are what a second look is asked for by.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT rows, new, changed, unchanged, refused FROM records_count_rows(%s, %s)", [batch.pk, unmarked]
        )
        batch.rows, batch.new, batch.changed, batch.unchanged, batch.refused = cursor.fetchone()
        batch.reasons = {}
        if batch.refused:
            cursor.execute(_REASONS, [batch.pk])
            batch.reasons = dict(cursor.fetchall())


def staged_rows(batch: Batch) -> int:
    """Return how many rows are staged: fewer than expected after a crash of the database."""
    return _scalar("SELECT count(*) FROM records_batchrow WHERE batch_id = %s", [batch.pk])


def _scalar(sql: str, values: Sequence[Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchone()[0]
