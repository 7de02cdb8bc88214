"""Thin handlers for the worker: they call actions and are safe to run again."""

import logging

from access import sealing
from access.shipping import Forked
from access.tree import LogBroken

log = logging.getLogger("creditfujian.access")


def seal_log() -> str:
    """Seal what is new, every minute. A log that must not be signed stays unsealed; the dashboard tells those who watch."""
    try:
        checkpoint = sealing.seal()
    except (LogBroken, Forked, ValueError) as error:
        log.error("the query log was not sealed: %s", error)
        return f"not sealed: {error}"
    return f"checkpoint {checkpoint.number}" if checkpoint else "nothing new"
