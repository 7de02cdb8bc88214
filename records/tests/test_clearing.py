"""Staged rows are personal data: gone the night after they are not needed, and ninety days after receipt at the latest."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.utils import timezone

from accounts.models import User
from creditfujian.tests.cast import Cast
from records import actions, clearing, preview, returned
from records.models import Batch, BatchRow, RecordVersion
from records.nightly import nightly
from records.tests.deliveries import as_csv, check, deliver, penalty
from records.tests.life import at
from records.tests.test_mapping import waiting
from records.tests.test_returned import bad, put_right, send_back, sheet_rows, with_bad_rows, workbook

State = Batch.State


def today() -> date:
    return timezone.localdate()


def tomorrow() -> date:
    return today() + timedelta(days=1)


def staged(batch: Batch) -> int:
    return BatchRow.objects.filter(batch=batch).count()


def fresh(batch: Batch) -> Batch:
    return Batch.objects.get(pk=batch.pk)


def test_a_clean_batch_is_cleared_the_night_after_and_can_still_be_withdrawn(cast: Cast) -> None:
    batch = deliver(cast, [penalty(cast)])
    assert clearing.clear(today()) == 0, "on the day itself the office may still look"
    assert clearing.clear(tomorrow()) == 1
    assert (staged(batch), fresh(batch).rows, fresh(batch).cleared_at is not None) == (0, 1, True)
    assert clearing.clear(tomorrow()) == 0
    assert actions.withdraw(batch.pk, by=cast.data_officer, reason="错报") == 1
    assert RecordVersion.objects.filter(batch=batch).count() == 0, "nobody reads without a query line"


def test_rows_handed_back_are_kept_until_they_are_answered(cast: Cast) -> None:
    batch = with_bad_rows(cast)
    assert clearing.clear(tomorrow()) == 0
    again = send_back(cast, put_right(workbook(batch), leave_wrong=1))
    assert clearing.clear(tomorrow()) == 0
    assert staged(again) == 3, "the second workbook is made of them"
    last = send_back(cast, put_right(workbook(again)))
    assert clearing.clear(tomorrow()) == 3
    assert [staged(one) for one in (batch, again, last)] == [0, 0, 0]
    assert [one.row.get_state_display() for one in returned.page(batch).answers] == ["已更正入库"] * 3, (
        "what became of them stays"
    )


@pytest.mark.parametrize("end", ["cancelled", "withdrawn", "refused"])
def test_what_is_over_is_cleared_that_night(cast: Cast, end: str) -> None:
    if end == "cancelled":
        batch = check(cast, as_csv([penalty(cast)]))
        actions.cancel(batch.pk, by=cast.data_officer)
    elif end == "withdrawn":
        batch = deliver(cast, [penalty(cast), bad(cast, 10)])
        actions.withdraw(batch.pk, by=cast.data_officer, reason="错报")
    else:
        batch = check(cast, b"not,a,table\n1,2,3\n")
    assert (fresh(batch).state, clearing.clear(today()), staged(batch)) == (end, 1, 0)


def test_a_batch_of_which_nothing_could_go_in_ends_when_all_is_answered(cast: Cast) -> None:
    batch = check(cast, as_csv([bad(cast, 10)]))
    returned.explain(batch.pk, rows=None, why="not_due", note="传错了文件", by=cast.data_officer)
    assert clearing.clear(tomorrow()) == 0
    returned.confirm(batch.pk, rows=None, by=cast.data_reviewer, agree=True)
    assert clearing.clear(tomorrow()) == 1
    assert (fresh(batch).state, fresh(batch).notes[-1], staged(batch)) == (State.CANCELLED, clearing.ALL_ANSWERED, 0)


def test_a_cleared_batch_says_so_and_gives_no_workbook(cast: Cast, as_user: Callable[[User | None], Client]) -> None:
    batch = with_bad_rows(cast)
    assert clearing.clear(today() + timedelta(days=91)) == 1
    with pytest.raises(ValidationError, match="按期清除"):
        workbook(fresh(batch))
    browser, url = as_user(cast.data_officer), f"/admin/records/batch/{batch.pk}/"
    page = browser.get(f"{url}correction/", follow=True).content.decode()
    assert "按期清除，更正件不再提供" in page
    assert "下载更正件" not in page
    assert "3</span> 退回" in page
    page = browser.get(f"{url}returned/").content.decode()
    assert "证件号码" in page
    assert "第 3 行" in page
    assert preview.reasons(fresh(batch), with_examples=True)[0].count == 3


def test_an_answer_still_comes_in_after_the_clearing(cast: Cast) -> None:
    batch = with_bad_rows(cast)
    fixed = put_right(workbook(batch))
    clearing.clear(today() + timedelta(days=91))
    send_back(cast, fixed)
    assert (fresh(batch).open_rows, fresh(batch).corrected) == (0, 3)


def test_rows_that_are_owed_again_between_the_list_and_the_lock_are_kept(cast: Cast) -> None:
    """The night takes its time; whoever withdraws a correction meanwhile needs the first workbook again."""
    batch = with_bad_rows(cast)
    again = send_back(cast, put_right(workbook(batch)))
    chosen = list(clearing.to_clear(tomorrow()))
    actions.withdraw(again.pk, by=cast.data_officer, reason="更正也错了")
    assert [clearing.clear_batch(*one) for one in chosen if one[0] == batch.pk] == [0]
    assert (staged(batch), fresh(batch).cleared_at, len(sheet_rows(workbook(batch)))) == (4, None, 3)


def test_a_batch_that_waits_for_a_mapping_ends_too(cast: Cast) -> None:
    waiting = check(cast, as_csv([penalty(cast)]).replace("行政处罚决定书文号".encode(), "文书编号某".encode()))
    assert waiting.state == State.MAPPING
    assert clearing.clear(today() + timedelta(days=91)) == 1
    assert (fresh(waiting).state, fresh(waiting).notes[-1]) == (State.CANCELLED, clearing.TOO_LATE)


def test_the_good_rows_of_all_or_none_are_not_said_to_be_none(cast: Cast) -> None:
    batch = check(cast, as_csv([penalty(cast), bad(cast, 10)]), mode=Batch.Mode.ALL_OR_NONE)
    returned.explain(batch.pk, rows=None, why="other", note="不报了", by=cast.data_officer)
    returned.confirm(batch.pk, rows=None, by=cast.data_reviewer, agree=True)
    assert clearing.clear(tomorrow()) == 1
    assert "合格的 1 行没有入库" in fresh(batch).notes[-1]


def test_rows_owed_again_after_their_batch_ended_are_owed_by_the_correction_that_was_withdrawn(cast: Cast) -> None:
    batch = check(cast, as_csv([bad(cast, 10)]))
    again = send_back(cast, put_right(workbook(batch)))
    assert clearing.clear(tomorrow()) == 2
    assert fresh(batch).state == State.CANCELLED
    actions.withdraw(again.pk, by=cast.data_officer, reason="更正也错了")
    assert "未入库" in fresh(again).notes[-1]


def refused_by_database(match: str, sql: str, *values: Any) -> None:
    with pytest.raises(DatabaseError, match=match), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, values)


def test_clearing_is_not_undone_by_sql(cast: Cast) -> None:
    batch = deliver(cast, [penalty(cast)])
    refused_by_database("still there", "UPDATE records_batch SET cleared_at = now() WHERE id = %s", batch.pk)
    waiting = check(cast, as_csv([penalty(cast, 处罚内容="罚款。")]))
    BatchRow.objects.filter(batch=waiting).delete()
    refused_by_database("when_it_is_over", "UPDATE records_batch SET cleared_at = now() WHERE id = %s", waiting.pk)
    clearing.clear(tomorrow())
    refused_by_database("stays cleared", "UPDATE records_batch SET cleared_at = NULL WHERE id = %s", batch.pk)
    refused_by_database(
        "stays cleared", "UPDATE records_batch SET cleared_at = now() + interval '1 day' WHERE id = %s", batch.pk
    )


def test_a_cancelled_and_cleared_batch_is_never_read_again(cast: Cast) -> None:
    batch = check(cast, as_csv([penalty(cast)]))
    clearing.clear(today() + timedelta(days=91))
    assert (fresh(batch).state, fresh(batch).notes[-1]) == (State.CANCELLED, clearing.TOO_LATE)
    assert actions.check_batch(batch.pk).state == State.CANCELLED
    with pytest.raises(PermissionDenied):
        actions.commit_now(batch.pk, by=cast.data_reviewer)
    with pytest.raises(ValidationError):
        actions.resume(batch.pk, by=cast.data_officer)
    assert staged(batch) == 0
    refused_by_database(
        "may not go|when_it_is_over", "UPDATE records_batch SET state = 'received' WHERE id = %s", batch.pk
    )


def test_a_batch_that_waits_for_its_columns_in_vain_ends_with_its_term(cast: Cast) -> None:
    batch = waiting(cast)
    assert clearing.clear(tomorrow()) == 0
    clearing.clear(today() + timedelta(days=91))
    assert (fresh(batch).state, fresh(batch).notes[-1]) == (State.CANCELLED, clearing.TOO_LATE)


def test_rows_staged_for_a_cleared_batch_are_swept(cast: Cast) -> None:
    batch, kept = deliver(cast, [penalty(cast)]), check(cast, as_csv([penalty(cast, 处罚内容="罚款。")]))
    clearing.clear(tomorrow())
    with connection.cursor() as cursor:
        for owner in (batch.pk, 999_999_999):
            cursor.execute("INSERT INTO records_batchrow (batch_id, row_no, outcome) VALUES (%s, 2, 9)", [owner])
    clearing.clear(tomorrow())
    assert list(BatchRow.objects.values_list("batch", flat=True).distinct()) == [kept.pk]


STOPPED = ("received", "parsing", "checking", "checked", "committing", "failed")


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
def test_no_staged_row_outlives_its_term() -> None:
    """Whatever state a batch was left in: the 90th day still counts, on the 91st nothing is left."""
    from creditfujian.tests.cast import make_cast

    cast = make_cast()
    batches = {}
    for n, state in enumerate(STOPPED):
        batch = check(cast, as_csv([penalty(cast, 行政处罚决定书文号=f"闽市监处罚〔2026〕{300 + n}号")]))
        left_in(batch, state, cast)
        batches[state] = batch
    open_one = with_bad_rows(cast)
    received = timezone.localdate(open_one.received_at)
    with at(moment_of(received + timedelta(days=90))):
        nightly(today())
        assert BatchRow.objects.values("batch").distinct().count() == len(STOPPED) + 1
    with at(moment_of(received + timedelta(days=91))):
        nightly(today())
        assert not BatchRow.objects.exists()
        assert nightly(today())["cleared"] == 0
    assert {state: fresh(batch).state for state, batch in batches.items()} == dict.fromkeys(STOPPED, "cancelled")
    assert fresh(open_one).state == State.COMMITTED
    assert fresh(open_one).open_rows == 3, "still owed: followed without the rows"


def moment_of(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, datetime.min.time())) + timedelta(minutes=10)


def left_in(batch: Batch, state: str, cast: Cast) -> None:
    """Leave a batch where a worker died or nobody came."""
    ways = {
        "received": ("received",), "parsing": ("received", "parsing"), "checking": ("received", "parsing", "checking"),
        "checked": (), "committing": ("committing",), "failed": ("received", "failed"),
    }  # fmt: skip
    for step in ways[state]:
        by = {"committed_by": cast.data_reviewer} if step == "committing" else {}
        Batch.objects.filter(pk=batch.pk).update(state=step, **by)
