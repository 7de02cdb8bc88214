"""The demo's deliveries that need a second look or an answer: one held, one overdue, one answered, some cleared."""

from collections.abc import Callable
from datetime import timedelta

from django.utils import timezone

from accounts.models import User
from catalogue import deadline_actions as clocks
from records import actions, clearing, returned
from records.models import Batch

Deliver = Callable[[bytes, str, str | None], Batch]
DAYS_AGO = 12  # when the overdue rows were handed back


def load(deliver: Deliver, *, shifted: bytes, late: bytes, answered: bytes) -> str:
    """Deliver the files and do what officers did; return what there is to see.

    `shifted` holds more wrong rows than right ones, the others a few wrong ones.
    """
    officer, reviewer = (User.objects.get(username=name) for name in ("data_officer", "data_reviewer"))
    held = deliver(shifted, "厦门报送10月（列错位）.csv", None)
    overdue = deliver(late, "漳州报送8月.csv", None)
    started = timezone.localdate() - timedelta(days=DAYS_AGO)
    clocks.start(returned.DEADLINE, on=started, subject=overdue, label=overdue.number)
    actions.commit_now(overdue.pk, by=reviewer)
    closed = deliver(answered, "莆田报送8月.csv", "data_reviewer")
    returned.explain(closed.pk, rows=None, why="duplicate", note="与莆田报送7月的同一文书重复，已核对案卷", by=officer)
    returned.confirm(closed.pk, rows=None, by=reviewer, agree=True)
    cleared = clearing.clear(timezone.localdate() + timedelta(days=1))
    return (
        f"数量异常待复核 {held.number}，退回行超期未答复 {overdue.number}，已全部说明 {closed.number}，"
        f"暂存行已清除的批次 {cleared} 个"
    )
