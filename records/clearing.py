"""Staged rows are personal data that nobody needs once a batch is over: cleared each night, and by D39 at the latest.

Cleared is the night after all rows handed back are answered, or when a batch was cancelled, refused or withdrawn; at the
end of D39 whatever its state. What has not gone in by then is cancelled first, so that nothing is ever read again.
"""

from collections.abc import Iterator
from datetime import date
from functools import cache
from itertools import starmap

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from catalogue.deadlines import due, working_calendar
from records import receipts, returned
from records.models import Batch, BatchRow
from records.returned_models import ReturnedRow

State = Batch.State
DEADLINE = "D39"
ENDED = (State.WITHDRAWN, State.REFUSED, State.CANCELLED)
UNFINISHED = (
    State.RECEIVED, State.PARSING, State.MAPPING, State.CHECKING, State.CHECKED, State.COMMITTING, State.FAILED,
)  # fmt: skip
# By which arrows a batch that was left lying comes to its end.
TO_THE_END = {
    State.PARSING: (State.CANCELLED,), State.CHECKING: (State.FAILED, State.CANCELLED),
    State.COMMITTING: (State.CHECKED, State.CANCELLED),
}  # fmt: skip
TOO_LATE = "收到后满期没有入库，批次已自动取消，暂存行已清除（时限 D39）。仍需报送的，请重新上传。"
GOOD_ROWS_TOO = "退回的行已全部答复，本批次已自动结束。因选择“有一行不合格则全部不入库”，合格的 {} 行没有入库。"
ALL_ANSWERED = "退回的行已全部答复，本批次没有可以入库的行，已自动结束。"
# The batches of which rows are staged, without reading the rows: from one key to the next.
_STAGED = """
WITH RECURSIVE staged AS (
    (SELECT batch_id FROM records_batchrow ORDER BY batch_id LIMIT 1)
    UNION ALL
    SELECT (SELECT r.batch_id FROM records_batchrow r WHERE r.batch_id > s.batch_id ORDER BY r.batch_id LIMIT 1)
      FROM staged s WHERE s.batch_id IS NOT NULL
)
SELECT s.batch_id FROM staged s LEFT JOIN records_batch b ON b.id = s.batch_id
 WHERE s.batch_id IS NOT NULL AND (b.id IS NULL OR b.cleared_at IS NOT NULL)
"""


def clear(day: date) -> int:
    """Clear the staged rows of every batch whose time has come by that day; return how many batches.

    A batch at a time, in a transaction of its own: killed anywhere, the next night goes on.
    """
    cleared = sum(starmap(clear_batch, to_clear(day)))
    _sweep()
    return cleared


def to_clear(day: date) -> Iterator[tuple[int, "QuerySet[Batch]", str]]:
    """Yield each batch whose time has come, with what must still be so under its lock, and what is noted on it."""
    overdue = _overdue(day)
    waiting = Batch.objects.filter(cleared_at__isnull=True)
    late = waiting.filter(state__in=UNFINISHED, pk__in=overdue)
    for still, note in ((late, TOO_LATE), (_answered(waiting), ALL_ANSWERED), (_over(waiting, day, overdue), "")):
        yield from ((pk, still, note) for pk in list(still.order_by("pk").values_list("pk", flat=True)))


def _answered(waiting: "QuerySet[Batch]") -> "QuerySet[Batch]":
    """Batches of which nothing can go in and every row is answered."""
    has_rows = Exists(ReturnedRow.objects.filter(batch=OuterRef("pk")))
    return waiting.filter(has_rows, state=State.CHECKED, open_rows=0).filter(
        Q(mode=Batch.Mode.ALL_OR_NONE) | Q(new=0, changed=0)
    )


def _over(waiting: "QuerySet[Batch]", day: date, overdue: list[int]) -> "QuerySet[Batch]":
    """Batches that are over: ended, all answered since yesterday, or at the end of the term."""
    # Rows of a correction that came back again are kept for its workbook, until those that they stand for are answered.
    again = Exists(ReturnedRow.objects.filter(answer_batch=OuterRef("pk"), state__in=ReturnedRow.OPEN_STATES))
    done = Q(state=State.COMMITTED, open_rows=0, committed_at__date__lt=day) & ~again
    return waiting.filter(Q(state__in=ENDED) | done | Q(state=State.COMMITTED, pk__in=overdue))


def _overdue(day: date) -> list[int]:
    """Return the batches whose term (D39, from the day received) was over before that day."""
    calendar = working_calendar()

    @cache
    def last_day(received: date) -> date:
        return due(DEADLINE, received, calendar=calendar).date

    waiting = Batch.objects.filter(cleared_at__isnull=True).values_list("pk", "received_at")
    return [pk for pk, at in waiting.iterator() if last_day(timezone.localdate(at)) < day]


@transaction.atomic
def clear_batch(batch_id: int, still: "QuerySet[Batch]", note: str) -> int:
    """Clear one batch unless it is no longer among those to clear; return how many were."""
    batch = Batch.objects.select_for_update().get(pk=batch_id)
    if not still.filter(pk=batch_id).exists():
        return 0
    if batch.state in UNFINISHED:
        for state in TO_THE_END.get(State(batch.state), (State.CANCELLED,)):
            batch.state, batch.committed_by = state, None
            batch.save(update_fields=["state", "committed_by"])
        good = batch.new + batch.changed if note == ALL_ANSWERED else 0
        batch.notes = [*batch.notes, GOOD_ROWS_TOO.format(good) if good else note]
        receipts.issue_of_end(batch, by=None)
        returned.follow(batch.pk)
    BatchRow.objects.filter(batch=batch).delete()
    batch.cleared_at = timezone.now()
    batch.save(update_fields=["cleared_at", "notes"])
    return 1


def _sweep() -> None:
    """Remove rows that somebody staged for a batch already cleared, or for none."""
    with connection.cursor() as cursor:
        cursor.execute(_STAGED)
        stray = [batch for (batch,) in cursor.fetchall()]
        cursor.execute("DELETE FROM records_batchrow WHERE batch_id = ANY (%s)", [stray])
