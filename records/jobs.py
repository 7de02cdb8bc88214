"""Thin handlers for the worker: they call actions and are safe to run again."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import connection
from django.utils import timezone
from django_q.models import OrmQ

from accounts import people
from creditfujian.lib import correlation
from records import actions, bulk, exports
from records.models import Batch

log = logging.getLogger("creditfujian.records")

_LOCKS = 4_210  # the first half of the advisory locks of this module; the second is the batch

_OF_BATCHES = ("records.jobs.check_batch", "records.jobs.commit_batch")


def check_batch(batch_id: int) -> str:
    """Read, stage and check a batch."""
    return _run("batch", batch_id, lambda: _alone(batch_id, actions.check_batch), actions.mark_failed)


def commit_batch(batch_id: int) -> str:
    """Write a batch's good rows."""
    return _run("batch", batch_id, lambda: _alone(batch_id, actions.commit_batch), actions.mark_failed)


def run_bulk(job_id: int) -> str:
    """Do what is left of a deed over many records."""
    return _run("bulk", job_id, lambda: bulk.run(job_id).state, bulk.mark_failed)


def run_export(export_id: int) -> str:
    """Count, read and write an export."""
    return _run("export", export_id, lambda: exports.run(export_id).state, exports.mark_failed)


def take_up_orphans() -> dict[str, int]:
    """Let other workers go on with what a dead one left behind; return how many batches by what was done.

    A worker holds a lock of its session while it works on a batch; when it dies, the lock goes with it. Without this
    the queue would hand its job out again only after the longest time that a job may take.
    """
    done = {"released": 0, "queued": 0}
    rows = [(row, row.task) for row in OrmQ.objects.all()]
    queued = {task.get("args", (None,))[0]: row for row, task in rows if task.get("func") in _OF_BATCHES}
    for batch in Batch.objects.filter(state__in=[Batch.State.PARSING, Batch.State.CHECKING, Batch.State.COMMITTING]):
        with _alone_at(batch.pk) as alone:
            if not alone:
                continue
        row = queued.get(batch.pk)
        if row is None:
            (actions.start_committing if batch.state == Batch.State.COMMITTING else actions.start_checking)(batch)
            done["queued"] += 1
        elif row.lock and row.lock > timezone.now():  # handed to a worker that is no more
            done["released"] += OrmQ.objects.filter(pk=row.pk, lock=row.lock).update(lock=timezone.now())
    return done


@contextmanager
def _alone_at(batch_id: int) -> Iterator[bool]:
    """Hold the batch's lock while somebody works on it; say whether nobody else does."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [_LOCKS, batch_id])
        alone = bool(cursor.fetchone()[0])
    try:
        yield alone
    finally:
        if alone:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [_LOCKS, batch_id])


def _alone(batch_id: int, deed: Callable[[int], Batch]) -> str:
    with _alone_at(batch_id) as alone:
        return deed(batch_id).state if alone else "another worker is at it"


def _run(what: str, key: int, deed: Callable[[], str], give_up: Callable[[int], None]) -> str:
    """Do a job under a request number of its own; one that fails is marked, so that people see it and can go on."""
    token = correlation.begin()
    try:
        with people.nobody():
            return str(deed())
    except Exception:
        log.exception("%s %s: job failed", what, key)
        give_up(key)
        return "failed"
    finally:
        correlation.end(token)
