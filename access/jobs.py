"""Thin handlers for the worker: they call actions and are safe to run again."""

import logging

from access import sealing

log = logging.getLogger("creditfujian.access")


def seal_log() -> str:
    """Seal what is new, every minute. What goes wrong is in the worker's list of failures and on the dashboard."""
    try:
        checkpoint = sealing.seal()
    except Exception:
        log.exception("the query log was not sealed")
        raise
    return f"checkpoint {checkpoint.number}" if checkpoint else "nothing new"
