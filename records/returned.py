"""Rows handed back: a due date, an answer for each, the end when all are answered (domain §4.2 L4, deadline D38).

A row is answered when a correction takes it in, or when one officer says why it does not come and another confirms.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import User
from catalogue import deadline_actions as clocks
from catalogue.models import Deadline
from creditfujian.lib.text import hide_numbers
from records.intake.reasons import title_of
from records.models import Batch, BatchRow
from records.returned_models import ReturnedRow

State, Why = ReturnedRow.State, ReturnedRow.Why
DEADLINE = "D38"
PAGE = 50
NOT_FOLLOWED = "所更正的批次 {} 已经结束，撤回后其中 {} 行又未入库，不再跟办。仍需报送的，请更正后重新上传。"
UNANSWERED = (State.OPEN, State.AGAIN)
FOLLOWED = (Batch.State.CHECKED, Batch.State.COMMITTED)

# Rows of a correction stand for those of the batch that each came from, which go on being followed there, while they are.
_HANDED_BACK = """
INSERT INTO records_returnedrow (batch_id, row_no, codes, state)
SELECT r.batch_id, r.row_no, ARRAY(SELECT DISTINCT p ->> 1 FROM jsonb_array_elements(r.problems) p ORDER BY 1), 1
  FROM records_batchrow r
 WHERE r.batch_id = %(batch)s AND r.outcome = 9
   AND NOT EXISTS (SELECT 1 FROM records_returnedrow o JOIN records_batch b ON b.id = o.batch_id
                    WHERE o.batch_id = r.source_batch_id AND o.row_no = r.source_row AND o.state IN (1, 2, 3)
                      AND b.state = ANY (%(followed)s))
ON CONFLICT (batch_id, row_no) DO NOTHING
"""
_HANDED_BACK_AGAIN = """
UPDATE records_returnedrow o SET state = 2, answer_batch_id = %(batch)s, answer_row = k.row_no, again_codes = k.codes
  FROM (SELECT DISTINCT ON (r.source_batch_id, r.source_row) r.source_batch_id, r.source_row, r.row_no,
               ARRAY(SELECT DISTINCT p ->> 1 FROM jsonb_array_elements(r.problems) p ORDER BY 1) AS codes
          FROM records_batchrow r
         WHERE r.batch_id = %(batch)s AND r.outcome = 9 AND r.source_batch_id = ANY (%(origins)s)
         ORDER BY r.source_batch_id, r.source_row, r.row_no) k
  JOIN records_batch b ON b.id = k.source_batch_id AND b.state = ANY (%(followed)s)
 WHERE o.batch_id = k.source_batch_id AND o.row_no = k.source_row AND o.state IN (1, 2)
"""
_CORRECTED = """
UPDATE records_returnedrow o SET state = 8, answer_batch_id = %(batch)s, answer_row = k.row_no, again_codes = NULL
  FROM (SELECT DISTINCT ON (r.source_batch_id, r.source_row) r.source_batch_id, r.source_row, r.row_no
          FROM records_batchrow r
         WHERE r.batch_id = %(batch)s AND r.outcome IN (1, 2, 3) AND r.source_batch_id = ANY (%(origins)s)
         ORDER BY r.source_batch_id, r.source_row, r.row_no) k
 WHERE o.batch_id = k.source_batch_id AND o.row_no = k.source_row AND o.state IN (1, 2, 3)
"""
_STAGED_CORRECTED = """
UPDATE records_batchrow w SET outcome = %(to)s FROM records_returnedrow o
 WHERE o.answer_batch_id = %(batch)s AND o.state = 8
   AND w.batch_id = o.batch_id AND w.row_no = o.row_no AND w.outcome = %(of)s
"""
_REOPENED = """
WITH again AS (
    UPDATE records_returnedrow SET state = 1, answer_batch_id = NULL, answer_row = NULL, why = '', note = '',
           explained_by_id = NULL, explained_at = NULL
     WHERE answer_batch_id = %(batch)s AND state = 8 RETURNING batch_id
)
SELECT batch_id, count(*) FROM again GROUP BY 1 ORDER BY 1
"""
# Rows still to be put right: the batch's own, and those that came back a second time and lead to the batch that they came
# from, unless that had its answer before. A crash of the database empties the unlogged table: then their reasons are known
# by code only.
_TO_CORRECT = """
SELECT r.row_no, r.problems, o.batch_id, o.row_no
  FROM records_batchrow r
  LEFT JOIN records_returnedrow mine ON mine.batch_id = r.batch_id AND mine.row_no = r.row_no
  LEFT JOIN (records_returnedrow o JOIN records_batch b ON b.id = o.batch_id AND b.state = ANY (%(followed)s))
    ON o.batch_id = r.source_batch_id AND o.row_no = r.source_row AND mine.row_no IS NULL
       AND NOT (o.state = 8 AND o.answer_batch_id < r.batch_id)
 WHERE r.batch_id = %(batch)s AND r.outcome = 9
   AND (mine.row_no IS NULL OR mine.state IN (1, 2))
   AND (o.row_no IS NULL OR o.state IN (1, 2) AND coalesce(o.answer_batch_id, 0) <= r.batch_id)
UNION ALL
SELECT lost.row_no, NULL, NULL, NULL FROM records_returnedrow lost
 WHERE lost.batch_id = %(batch)s AND lost.state IN (1, 2)
   AND NOT EXISTS (SELECT 1 FROM records_batchrow r WHERE r.batch_id = lost.batch_id AND r.row_no = lost.row_no)
 ORDER BY 1
"""


def hand_back(batch: Batch) -> None:
    """Hand back the refused rows of a batch that went in, or of which nothing can; their time starts today."""
    if not batch.refused:
        return
    values = {**_keys(batch), "origins": _lock(_named_by(batch))}
    with connection.cursor() as cursor:
        cursor.execute(_HANDED_BACK, values)
        if values["origins"]:
            cursor.execute(_HANDED_BACK_AGAIN, values)
    follow(batch.pk)


def take_corrections(batch: Batch) -> None:
    """Note, while a correction goes in, which rows of which earlier batches it puts right."""
    origins = _lock(_named_by(batch))
    if not origins:
        return
    values = {**_keys(batch), "origins": origins}
    with connection.cursor() as cursor:
        cursor.execute(_CORRECTED, values)
        cursor.execute(_STAGED_CORRECTED, values | {"of": 9, "to": 8})
    for origin in origins:
        follow(origin)


def reopen(batch: Batch) -> None:
    """Let the rows be owed again, in each batch, that a correction put right which is withdrawn."""
    answered = ReturnedRow.objects.filter(answer_batch=batch, state=State.CORRECTED).order_by()
    if not _lock(answered.values_list("batch", flat=True).distinct()):
        return
    values = _keys(batch)
    with connection.cursor() as cursor:
        cursor.execute(_STAGED_CORRECTED, values | {"of": 8, "to": 9})
        cursor.execute(_REOPENED, values)
        again = dict(cursor.fetchall())
    over = [one for one in Batch.objects.filter(pk__in=again).order_by("pk") if one.state not in FOLLOWED]
    if over:
        batch.notes = [*batch.notes, *(NOT_FOLLOWED.format(one.number, again[one.pk]) for one in over)]
        batch.save(update_fields=["notes"])
    for origin in again:
        follow(origin)


def origins_of(batch: Batch) -> list[Batch]:
    """Return the batches whose rows a batch corrects, the oldest first: those that its rows name, or have answered."""
    if batch.correction_of_id is None:
        return []
    answered = ReturnedRow.objects.filter(answer_batch=batch).order_by().values("batch").distinct()
    any_of = Q(pk=batch.correction_of_id) | Q(pk__in=_named_by(batch)) | Q(pk__in=answered)
    return list(Batch.objects.filter(any_of).order_by("pk"))


def follow(batch_id: int) -> bool:
    """Start the clock of a batch with rows not answered, stop that of one without; tell whether it was started."""
    batch = Batch.objects.get(pk=batch_id)
    clock, today = clock_of(batch), timezone.localdate()
    owed = batch.open_rows > 0 and batch.state in FOLLOWED
    if owed and clock is None:
        clocks.start(DEADLINE, on=today, subject=batch, label=batch.number)
    elif clock is not None and not owed:
        clocks.meet(clock.pk, on=today)
    return owed and clock is None


def follow_all() -> int:
    """Start the clocks that are missing; return how many. Rows handed back before there were clocks get theirs."""
    open_ones = Batch.objects.with_open_rows().values_list("pk", flat=True)
    running = set(running_clocks().values_list("subject_id", flat=True))
    return sum(follow(pk) for pk in open_ones if str(pk) not in running)


def running_clocks() -> "QuerySet[Deadline]":
    """Return the clocks of all batches with rows not answered."""
    kind = Batch._meta.label_lower
    return Deadline.objects.filter(subject_type=kind, rule__code=DEADLINE, met_on__isnull=True)


def clock_of(batch: Batch) -> Deadline | None:
    """Return the running clock of a batch."""
    return running_clocks().filter(subject_id=str(batch.pk)).select_related("rule").first()


def overdue_batches(batches: "QuerySet[Batch]") -> "QuerySet[Batch]":
    """Return those whose time for an answer is over."""
    late = running_clocks().overdue().values_list("subject_id", flat=True)  # type: ignore[attr-defined]
    return batches.with_open_rows().filter(pk__in=[int(pk) for pk in late])  # type: ignore[attr-defined]


def to_correct(batch: Batch) -> list[tuple[int, list[Any], str]]:
    """Return the rows for the correction workbook: row number, problems, and what 来源行 says of one that came back again."""
    with connection.cursor() as cursor:
        cursor.execute(_TO_CORRECT, _keys(batch))
        rows = cursor.fetchall()
    lost = [row_no for row_no, problems, *_ in rows if problems is None]
    known = (
        dict(ReturnedRow.objects.filter(batch=batch, row_no__in=lost).values_list("row_no", "codes")) if lost else {}
    )
    origins = Batch.objects.in_bulk({origin for *_, origin, _ in rows if origin})
    return [
        (row_no, json.loads(problems) if problems else [[None, *told] for told in _titles(known[row_no])],
         f"{origins[origin].number}#{source}" if origin else "")
        for row_no, problems, origin, source in rows
    ]  # fmt: skip


def has_rows_to_correct(batch: Batch) -> bool:
    """Tell whether the correction workbook would hold a row."""
    with connection.cursor() as cursor:
        cursor.execute(_TO_CORRECT + " LIMIT 1", _keys(batch))
        return cursor.fetchone() is not None


# --- explaining ---------------------------------------------------------------------------------------------


def explain(batch_id: int, *, rows: Sequence[int] | None, why: str, note: str, by: User) -> int:
    """Say why rows do not come in again: those named, or with None all that are not answered. Returns how many.

    Another officer confirms. Raises PermissionDenied, ValidationError.
    """
    with transaction.atomic():
        batch = _followed(batch_id, by, "records.add_batch", "只有报送单位的数据员可以说明。")
        note = note.strip()[:200]
        if why not in Why.values or not note:
            raise ValidationError("请选择不再报送的原因，并写明说明。", code="note")
        _no_numbers(note)
        changed = _chosen(batch, rows, UNANSWERED).update(
            state=State.EXPLAINED, why=why, note=note, explained_by=by, explained_at=timezone.now(), declined_note=""
        )
        return _at_least_one(changed)


def confirm(batch_id: int, *, rows: Sequence[int] | None, by: User, agree: bool, note: str = "") -> int:
    """Confirm, as another officer, why rows do not come in again, or send the explanation back. Returns how many.

    Raises PermissionDenied, ValidationError.
    """
    with transaction.atomic():
        batch = _followed(batch_id, by, "records.commit_batch", "须由报送单位的审核员确认。")
        found = _chosen(batch, rows, (State.EXPLAINED,))
        if found.filter(explained_by=by).exists():
            raise PermissionDenied("说明须由本单位另一名工作人员确认。")
        if agree:
            changed = found.update(state=State.SETTLED, confirmed_by=by, confirmed_at=timezone.now())
        else:
            if not note.strip():
                raise ValidationError("请写明不同意的理由。", code="note")
            _no_numbers(note)
            back = {
                "why": "",
                "note": "",
                "explained_by": None,
                "explained_at": None,
                "declined_note": note.strip()[:200],
            }
            changed = found.filter(answer_batch__isnull=False).update(state=State.AGAIN, **back)
            changed += found.filter(answer_batch__isnull=True).update(state=State.OPEN, **back)
        follow(batch.pk)
        return _at_least_one(changed)


def _no_numbers(words: str) -> None:
    if hide_numbers(words) != words:
        raise ValidationError("说明里不要写证件号码、电话等长数字。请改用文书号或批次号。", code="numbers")


def _followed(batch_id: int, by: User, permission: str, otherwise: str) -> Batch:
    batch = Batch.objects.select_for_update(of=("self",)).get(pk=batch_id)
    if by.organisation_id != batch.supplier_id or not by.has_perm(permission):
        raise PermissionDenied(otherwise)
    if batch.state not in FOLLOWED:
        raise ValidationError(f"批次当前状态为“{batch.get_state_display()}”，不需要说明。", code="state")
    return batch


def _chosen(batch: Batch, rows: Sequence[int] | None, states: Sequence[int]) -> "QuerySet[ReturnedRow]":
    found = ReturnedRow.objects.filter(batch=batch, state__in=states).order_by()
    return found if rows is None else found.filter(row_no__in=rows)


def _at_least_one(changed: int) -> int:
    if not changed:
        raise ValidationError("没有选中可以办理的行。请勾选后再提交。", code="nothing")
    return changed


# --- the page -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Answer:
    """One row handed back, and what became of it."""

    row: ReturnedRow
    reasons: list[tuple[str, str]]
    again: list[tuple[str, str]]


@dataclass(frozen=True)
class Page:
    """Some rows handed back, in the order of the file, and where the next page begins."""

    answers: list[Answer]
    next: int | None


def page(batch: Batch, *, after: int = 0, state: int | None = None) -> Page:
    """Return a page of what became of the rows handed back, after a row number; reasons in full while rows are kept."""
    found = ReturnedRow.objects.filter(batch=batch, row_no__gt=after).order_by("row_no")
    found = found if state is None else found.filter(state=state)
    rows = list(found.select_related("answer_batch", "explained_by", "confirmed_by")[: PAGE + 1])
    shown = rows[:PAGE]
    told = _told(batch.pk, [row.row_no for row in shown])
    for answer_batch in {row.answer_batch_id for row in shown if row.state == State.AGAIN}:
        numbers = [row.answer_row for row in shown if row.answer_batch_id == answer_batch]
        told |= _told(answer_batch, numbers)
    answers = [
        Answer(
            row, told.get((batch.pk, row.row_no)) or _titles(row.codes),
            told.get((row.answer_batch_id, row.answer_row)) or _titles(row.again_codes or []),
        )
        for row in shown
    ]  # fmt: skip
    return Page(answers, shown[-1].row_no if len(rows) > PAGE else None)


def counts(batch: Batch) -> list[tuple[int, str, int]]:
    """Return how many rows are in each state, with the state and its name."""
    found = Counter(dict(_grouped(batch)))
    return [(state.value, state.label, found[state.value]) for state in State if found[state.value]]


def _grouped(batch: Batch) -> list[tuple[int, int]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT state, count(*) FROM records_returnedrow WHERE batch_id = %s GROUP BY 1", [batch.pk])
        return cursor.fetchall()


def _told(
    batch_id: int | None, numbers: Sequence[int | None]
) -> dict[tuple[int | None, int | None], list[tuple[str, str]]]:
    staged = BatchRow.objects.filter(batch=batch_id, row_no__in=[number for number in numbers if number])
    return {
        (batch_id, row_no): [(code, message) for _, code, message in problems or []]
        for row_no, problems in staged.values_list("row_no", "problems")
    }


def _titles(codes: Sequence[str]) -> list[tuple[str, str]]:
    return [(code, title_of(code)) for code in codes]


def _named_by(batch: Batch) -> "QuerySet[BatchRow, int | None]":
    """Return the batches that the staged rows of a correction name; no rows are read of a batch that is none."""
    rows = BatchRow.objects.filter(batch=batch, source_batch__isnull=False).order_by()
    rows = rows if batch.correction_of_id is not None else rows.none()
    return rows.values_list("source_batch", flat=True).distinct()


def _lock(batches: "QuerySet[Any, int | None]") -> list[int]:
    """Lock batches before their rows, as whoever explains them does; return them.

    The youngest first: each of them may be a correction itself, which holds its own lock when it asks for an older one's.
    """
    locked = Batch.objects.select_for_update(of=("self",)).filter(pk__in=batches).order_by("-pk")
    return [one.pk for one in locked]


def _keys(batch: Batch) -> dict[str, Any]:
    return {"batch": batch.pk, "followed": list(FOLLOWED)}
