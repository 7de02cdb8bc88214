"""Thin handlers for the worker: they call actions and are safe to run again."""

import logging

from creditfujian.lib import correlation
from records import actions, bulk

log = logging.getLogger("creditfujian.records")


def check_batch(batch_id: int) -> str:
    """Read, stage and check a batch."""
    return _run(batch_id, lambda: actions.check_batch(batch_id).state)


def commit_batch(batch_id: int) -> str:
    """Write a batch's good rows."""
    return _run(batch_id, lambda: actions.commit_batch(batch_id).state)


def run_bulk(job_id: int) -> str:
    """Do what is left of a deed over many records."""
    token = correlation.begin()
    try:
        return str(bulk.run(job_id).state)
    except Exception:
        log.exception("bulk %s: job failed", job_id)
        bulk.mark_failed(job_id)
        return "failed"
    finally:
        correlation.end(token)


def _run(batch_id: int, deed) -> str:  # type: ignore[no-untyped-def]
    token = correlation.begin()
    try:
        return str(deed())
    except Exception:
        log.exception("batch %s: job failed", batch_id)
        actions.mark_failed(batch_id)
        return "failed"
    finally:
        correlation.end(token)
