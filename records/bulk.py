"""One deed over many records, in the background: small transactions, progress, cancel, resume, an outcome each.

A kind is a function that takes the job and up to STEP record keys, does its deed in the open transaction, and returns
an outcome for every key. To add one: write the function and enter it in KINDS.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django_q.tasks import async_task

from access.models import Request
from accounts.models import User
from records import work_lists
from records.models import BulkJob, BulkOutcome

STEP = 100
MOST = 2_000  # records in one job
State = BulkJob.State
Outcome = work_lists.Outcome


@dataclass(frozen=True)
class Kind:
    """A deed over many records."""

    title: str
    deed: Callable[[BulkJob, list[int]], list[Outcome]]


KINDS = {"work_list": Kind("列入核对名单", work_lists.add_entries)}


@transaction.atomic
def start(kind: str, *, request: Request, record_ids: list[int], params: dict[str, Any], by: User) -> BulkJob:
    """Enter a job and queue it in the same transaction. Raises ValidationError when there is nothing or too much to do."""
    if not record_ids:
        raise ValidationError("没有选中记录。请勾选后再提交。", code="nothing")
    if len(record_ids) > MOST:
        raise ValidationError(f"一次最多办理 {MOST:,} 条。请缩小筛选范围，分几次办理。", code="too_many")
    job = BulkJob.objects.create(kind=kind, by=by, request=request, params=params, record_ids=record_ids)
    _queue(job)
    return job


def run(job_id: int) -> BulkJob:
    """Do what is left of a job, step by step; safe to run again after a crash."""
    while _step(job_id):
        pass
    return BulkJob.objects.get(pk=job_id)


@transaction.atomic
def cancel(job_id: int, *, by: User) -> BulkJob:
    """Ask a job to stop; what is done stays done. Raises ValidationError when it has ended."""
    job = _own(job_id, by)
    if not job.is_working:
        raise ValidationError("这项批量办理已经结束，不能取消。", code="state")
    job.cancel_requested = True
    job.save(update_fields=["cancel_requested"])
    return job


@transaction.atomic
def resume(job_id: int, *, by: User) -> BulkJob:
    """Go on with a job that broke off or was cancelled. Raises ValidationError."""
    job = _own(job_id, by)
    if job.state not in (State.FAILED, State.CANCELLED):
        raise ValidationError("这项批量办理没有中断，不需要继续。", code="state")
    job.state, job.cancel_requested, job.ended_at = State.WAITING, False, None
    job.save(update_fields=["state", "cancel_requested", "ended_at"])
    _queue(job)
    return job


def mark_failed(job_id: int) -> None:
    """Note that a worker gave up, so that people see it and can go on."""
    working = BulkJob.objects.filter(pk=job_id, state__in=[State.WAITING, State.RUNNING])
    working.update(state=State.FAILED, ended_at=timezone.now())


def _queue(job: BulkJob) -> None:
    async_task("records.jobs.run_bulk", job.pk, group=f"bulk-{job.pk}")


def _own(job_id: int, by: User) -> BulkJob:
    return BulkJob.objects.visible_to(by).select_for_update().get(pk=job_id)


@transaction.atomic
def _step(job_id: int) -> bool:
    """Do one step; return whether another is due."""
    job = BulkJob.objects.select_for_update().get(pk=job_id)
    if not job.is_working:
        return False
    if job.cancel_requested:
        return _end(job, State.CANCELLED)
    keys = job.record_ids[job.done : job.done + STEP]
    outcomes = KINDS[job.kind].deed(job, keys)
    BulkOutcome.objects.bulk_create(
        BulkOutcome(job=job, record_id=one.record_id, done=one.done, note=one.note) for one in outcomes
    )
    job.done += len(keys)
    if job.done >= job.total:
        return _end(job, State.DONE)
    job.state = State.RUNNING
    job.save(update_fields=["state", "done"])
    return True


def _end(job: BulkJob, state: BulkJob.State) -> bool:
    job.state, job.ended_at = state, timezone.now()
    job.save(update_fields=["state", "done", "ended_at"])
    return False
