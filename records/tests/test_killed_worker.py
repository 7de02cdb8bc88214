"""A worker that is killed at any step leaves nothing half done; started again, the result is the same."""

import io
import os
import signal
import sys
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, connections
from django.utils import timezone
from django_q.models import OrmQ

from creditfujian.dev import owner_sql
from creditfujian.lib import identity
from creditfujian.tests.cast import Cast, make_cast
from records import actions, jobs
from records.intake import stage
from records.models import Batch, BatchRow
from records.tests.deliveries import as_csv, decided, penalty

ROWS = 23
STEPS = 12  # how many of the statements are the last that a worker lives to see

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "CHUNK", 4)
    monkeypatch.setattr(stage, "BLOCK", 2)


def rows_of(cast: Cast, series: int) -> bytes:
    """A file of good rows, bad rows, a duplicate and a name that differs."""
    rows = [
        penalty(
            cast, 行政相对人名称="林立春", 证件号码=identity.invent(decided(365 * 40) - timedelta(days=series), n + 1),
            行政处罚决定书文号=f"闽市监处罚〔2026〕{series}-{n}号",
        )
        for n in range(ROWS)
    ]  # fmt: skip
    rows[3]["处罚类别"] = "记过"
    rows[9] = rows[8]
    rows[15]["行政相对人名称"] = "=1+1"
    rows[20] = penalty(cast, 行政相对人名称="陈小暑", 行政处罚决定书文号=f"闽市监处罚〔2026〕{series}-x号")
    return as_csv(rows)


def receive(cast: Cast, series: int) -> Batch:
    batch, _ = actions.receive(
        io.BytesIO(rows_of(cast, series)), name="处罚.csv", item=cast.item, by=cast.data_officer,
        channel=Batch.Channel.PAGE,
    )  # fmt: skip
    return batch


def in_a_worker(deed: Callable[[], Any], *, dies_at: int | None = None) -> int:
    """Do something in a process of its own, which is killed before its n-th statement; return how many it sent, or -1."""
    connections.close_all()
    sent, says = os.pipe()
    child = os.fork()
    if child == 0:
        count = 0

        def die_in_time(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
            nonlocal count
            count += 1
            if dies_at is not None and count >= dies_at:
                os.kill(os.getpid(), signal.SIGKILL)
            return execute(sql, params, many, context)

        try:
            with ExitStack() as stack:
                stack.enter_context(connection.execute_wrapper(die_in_time))
                deed()
            os.write(says, str(count).encode())
            connections.close_all()
        except BaseException as error:
            sys.stderr.write(f"{error!r}\n")
        finally:
            os._exit(0)
    os.close(says)
    _, status = os.waitpid(child, 0)
    text = os.read(sent, 100)
    os.close(sent)
    assert (os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL) or text, "the worker failed"
    return int(text) if text else -1


def outcome(batch: Batch) -> tuple[Any, ...]:
    """Return what became of a batch, row by row."""
    batch = Batch.objects.get(pk=batch.pk)
    rows = BatchRow.objects.filter(batch=batch).order_by("row_no")
    lines = [
        (row_no, result, [code for _, code, _ in problems or []])
        for row_no, result, problems in rows.values_list("row_no", "outcome", "problems")
    ]
    return (batch.state, batch.rows, batch.new, batch.changed, batch.unchanged, batch.refused, batch.reasons, lines)


def written(batch: Batch) -> list[tuple[Any, ...]]:
    """Return the records that a batch left, as the owner of the database sees them."""
    owner = owner_sql.connect(settings.DATABASES["owner"], connection.settings_dict["NAME"])
    with owner, owner.cursor() as cursor:
        cursor.execute(
            """SELECT v.row_no, v.version, v.deed, r.state, r.version FROM records_recordversion v
                 JOIN records_record r ON r.id = v.record_id WHERE v.batch_id = %s ORDER BY 1, 2""",
            [batch.pk],
        )
        rows = cursor.fetchall()
    owner.close()
    return rows


def steps(total: int) -> list[int]:
    """Spread the deaths over all statements, the first and the last among them."""
    return sorted({round(1 + n * (total - 1) / (STEPS - 1)) for n in range(STEPS)})


def test_a_worker_killed_while_reading_and_checking(transactional_db: None) -> None:
    cast = make_cast()
    whole = receive(cast, 0)
    total = in_a_worker(lambda: actions.check_batch(whole.pk))
    expected = outcome(whole)
    assert expected[0] == Batch.State.CHECKED
    assert (expected[1], expected[5]) == (ROWS, 4)
    for number, step in enumerate(steps(total), start=1):
        batch = receive(cast, number)
        assert in_a_worker(lambda: actions.check_batch(batch.pk), dies_at=step) == -1  # noqa: B023
        assert Batch.objects.get(pk=batch.pk).state in ("received", "parsing", "checking")
        assert in_a_worker(lambda: actions.check_batch(batch.pk)) > 0  # noqa: B023
        assert outcome(batch) == expected, step


def test_a_worker_killed_while_writing(transactional_db: None) -> None:
    cast = make_cast()

    def decided_batch(series: int) -> Batch:
        batch = actions.check_batch(receive(cast, series).pk)
        return actions.request_commit(batch.pk, by=cast.data_reviewer)

    actions.commit_batch(decided_batch(99).pk)  # opens the case on the name that differs; those that follow join it
    whole = decided_batch(0)
    total = in_a_worker(lambda: actions.commit_batch(whole.pk))
    expected, records = outcome(whole), written(whole)
    assert expected[0] == Batch.State.COMMITTED
    assert len(records) == expected[2]
    for number, step in enumerate(steps(total), start=1):
        batch = decided_batch(number)
        assert in_a_worker(lambda: actions.commit_batch(batch.pk), dies_at=step) == -1  # noqa: B023
        assert written(batch) == []
        assert in_a_worker(lambda: actions.commit_batch(batch.pk)) > 0  # noqa: B023
        assert (outcome(batch), written(batch)) == (expected, records), step


def test_a_withdrawal_cut_short_leaves_everything_as_it_was(transactional_db: None) -> None:
    cast = make_cast()
    batch = actions.check_batch(receive(cast, 0).pk)
    batch = actions.commit_now(batch.pk, by=cast.data_reviewer)
    stood = written(batch)

    def withdraw() -> None:
        actions.withdraw(batch.pk, by=cast.data_officer, reason="错报")

    for step in (2, 4, 6):
        assert in_a_worker(withdraw, dies_at=step) == -1
        assert Batch.objects.get(pk=batch.pk).state == Batch.State.COMMITTED
        assert written(batch) == stood
    assert in_a_worker(withdraw) > 0
    assert Batch.objects.get(pk=batch.pk).state == Batch.State.WITHDRAWN
    assert len(written(batch)) == 2 * len(stood)


def test_what_a_dead_worker_left_is_handed_to_another_at_once(transactional_db: None) -> None:
    cast = make_cast()
    batch = receive(cast, 0)
    actions.start_checking(batch)
    OrmQ.objects.update(lock=timezone.now() + timedelta(seconds=4000))  # a worker took it …
    assert in_a_worker(lambda: jobs.check_batch(batch.pk), dies_at=12) == -1  # … and died
    assert Batch.objects.get(pk=batch.pk).state == Batch.State.PARSING
    assert jobs.take_up_orphans() == {"released": 1, "queued": 0}
    assert OrmQ.objects.get().lock <= timezone.now()
    assert jobs.take_up_orphans() == {"released": 0, "queued": 0}
    OrmQ.objects.all().delete()
    assert jobs.take_up_orphans() == {"released": 0, "queued": 1}
    assert jobs.check_batch(batch.pk) == Batch.State.CHECKED
    assert jobs.take_up_orphans() == {"released": 0, "queued": 0}


def test_a_batch_that_somebody_works_on_is_nobodys_orphan(transactional_db: None) -> None:
    cast = make_cast()
    batch = receive(cast, 0)
    Batch.objects.filter(pk=batch.pk).update(state=Batch.State.PARSING)
    other = connections.create_connection("default")
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s, %s)", [jobs._LOCKS, batch.pk])
        assert jobs.take_up_orphans() == {"released": 0, "queued": 0}
        assert jobs.check_batch(batch.pk) == "another worker is at it"
        cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [jobs._LOCKS, batch.pk])
    other.close()
    assert jobs.take_up_orphans() == {"released": 0, "queued": 1}
