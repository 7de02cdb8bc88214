"""A big file is read by two processes: the same rows, whoever of them dies, and the file is refused as a whole."""

import itertools
import os
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from creditfujian.dev import owner_sql
from creditfujian.tests.cast import Cast, make_cast
from records import actions, jobs
from records.intake import helper, stage
from records.models import Batch, BatchRow
from records.tests.deliveries import as_csv, check, deliver, penalty
from records.tests.test_killed_worker import in_a_worker, outcome, receive, steps

pytestmark = pytest.mark.django_db(transaction=True)
SEALED = {"batch_id", "id_cipher", "id_index", "content_hash", "doc_no", "content"}  # differ from file to file


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "CHUNK", 8)
    monkeypatch.setattr(stage, "BLOCK", 2)


@pytest.fixture
def two(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a helper take every other block of any file."""
    turn = itertools.cycle([True, False])
    monkeypatch.setattr(helper, "is_worth_it", lambda batch: True)
    monkeypatch.setattr(helper.Helper, "has_time", lambda self: next(turn))


def staged(batch: Batch) -> list[dict[str, Any]]:
    rows = BatchRow.objects.filter(batch=batch).order_by("row_no").values()
    return [{name: value for name, value in row.items() if name not in SEALED} for row in rows]


def no_children() -> bool:
    try:
        os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return True
    return False


def test_two_processes_read_what_one_reads(two: None, monkeypatch: pytest.MonkeyPatch) -> None:
    cast = make_cast()
    by_two = actions.check_batch(receive(cast, 0).pk)
    monkeypatch.setattr(helper, "is_worth_it", lambda batch: False)
    by_one = actions.check_batch(receive(cast, 1).pk)
    assert by_two.state == Batch.State.CHECKED
    assert outcome(by_two) == outcome(by_one)
    assert staged(by_two)
    assert [set(row) for row in staged(by_two)] == [set(row) for row in staged(by_one)]
    assert no_children()
    assert actions.commit_now(by_two.pk, by=cast.data_reviewer).state == Batch.State.COMMITTED


def test_a_reader_killed_at_any_step_leaves_nothing_double_and_nothing_out(two: None) -> None:
    cast = make_cast()
    whole = receive(cast, 0)
    total = in_a_worker(lambda: actions.check_batch(whole.pk))
    expected = outcome(whole)
    for number, step in enumerate(steps(total), start=1):
        batch = receive(cast, number)
        assert in_a_worker(lambda: actions.check_batch(batch.pk), dies_at=step) == -1  # noqa: B023
        assert in_a_worker(lambda: actions.check_batch(batch.pk)) > 0  # noqa: B023
        assert outcome(batch) == expected, step


@pytest.mark.parametrize("block", [1, 3, 5])
def test_a_helper_that_dies_breaks_the_job_off_and_it_goes_on_where_it_stood(
    two: None, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    cast = make_cast()
    expected = outcome(actions.check_batch(receive(cast, 0).pk))
    batch = receive(cast, 1)
    taking, count = helper._Sent._next, itertools.count(1)

    def die(self: helper._Sent) -> Any:
        if next(count) == block:
            os._exit(9)
        return taking(self)

    with monkeypatch.context() as patch:
        patch.setattr(helper._Sent, "_next", die)
        assert jobs.check_batch(batch.pk) == "failed"
    batch.refresh_from_db()
    assert (batch.state, batch.failure["code"]) == (Batch.State.FAILED, "S01")
    assert no_children()
    actions.resume(batch.pk, by=cast.data_officer)
    actions.check_batch(batch.pk)
    assert outcome(batch) == expected


def test_a_file_with_a_fault_far_down_is_refused_with_its_reason(two: None, monkeypatch: pytest.MonkeyPatch) -> None:
    cast = make_cast()
    rows = [penalty(cast, 行政处罚决定书文号=f"文{number}号") for number in range(30)]
    for more in ('"没有成对的引号\n', '"又一个没有成对的引号\n'):
        batch = check(cast, as_csv(rows) + more.encode())
        assert (batch.state, batch.failure["code"]) == (Batch.State.REFUSED, "F08")
        assert "第 32 行" in batch.failure["message"]
        assert no_children()
        monkeypatch.setattr(helper, "is_worth_it", lambda batch: False)


def test_a_cancelled_batch_stops_the_helper_too(two: None, monkeypatch: pytest.MonkeyPatch) -> None:
    cast = make_cast()
    batch = receive(cast, 0)
    copying = stage._copy

    def cancelled_meanwhile(*arguments: Any) -> bool:
        actions.cancel(batch.pk, by=cast.data_officer)
        return copying(*arguments)

    monkeypatch.setattr(stage, "_copy", cancelled_meanwhile)
    assert actions.check_batch(batch.pk).state == Batch.State.CANCELLED
    assert no_children()


def test_a_small_file_and_one_inside_a_transaction_are_read_by_one_process(cast: Cast) -> None:
    small = check(cast, as_csv([penalty(cast)]))
    assert not helper.is_worth_it(small)
    small.file.size = helper.FROM_BYTES
    assert helper.is_worth_it(small) == (len(os.sched_getaffinity(0)) > 1)


def test_the_same_again_writes_no_row_of_the_register(cast: Cast) -> None:
    """Rows carry the transaction that wrote or locked them last; none of them is touched."""
    deliver(cast, [penalty(cast, 行政处罚决定书文号=f"文{number}号") for number in range(30)])

    def marks() -> list[tuple[Any, ...]]:
        owner = owner_sql.connect(settings.DATABASES["owner"], connection.settings_dict["NAME"])
        with owner, owner.cursor() as cursor:
            found = []
            for table in ("accounts_person", "records_record", "records_recordversion"):
                cursor.execute(f"SELECT ctid::text, xmin::text, xmax::text FROM {table} ORDER BY 1")
                found += cursor.fetchall()
        owner.close()
        return found

    before = marks()
    again = check(cast, as_csv([penalty(cast, 行政处罚决定书文号=f"文{number}号") for number in range(30)]) + b"\r\n")
    assert (again.state, again.unchanged, again.new) == (Batch.State.CHECKED, 30, 0)
    assert marks() == before
    assert not again.goes_in
