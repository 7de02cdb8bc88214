"""The worker's handler of exports: it calls the deed and is safe to run again."""

import logging

from creditfujian.lib import correlation
from records import exports

log = logging.getLogger("creditfujian.records")


def run_export(export_id: int) -> str:
    """Count, read and write an export."""
    token = correlation.begin()
    try:
        return str(exports.run(export_id).state)
    except Exception:
        log.exception("export %s: job failed", export_id)
        exports.mark_failed(export_id)
        return "failed"
    finally:
        correlation.end(token)
