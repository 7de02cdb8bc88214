"""The query log's part of /readyz."""

from access.models import Verification
from access.sealing import lateness


def readiness() -> dict[str, str]:
    """Say whether the log is sealed in time and whole at its last verification: ok, late or broken."""
    last = Verification.objects.first()
    if last is not None and not last.is_whole:
        return {"query_log": "broken"}
    return {"query_log": "late" if lateness() else "ok"}
