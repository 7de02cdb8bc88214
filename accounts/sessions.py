"""Where sessions are kept: in a table that knows whose they are. An ended session is a deleted row."""

import hashlib
from datetime import UTC, datetime
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import Session, User
from creditfujian.compiled import Compiled

_OPEN = Compiled(
    lambda key, now: Session.objects.filter(session_key=key, expire_date__gt=now),
    "key",
    datetime.max.replace(tzinfo=UTC),
)
MARK = "signed_in"  # the key under which a session says when, whence and how its account signed in


class SessionStore(DatabaseStore):
    """Django's database store over our own table. Saving a row that somebody ended fails: it does not come back."""

    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def _get_session_from_db(self) -> Session | None:
        """Return the session's row while it is open; Django's own way compiles the query anew for every page."""
        row = _OPEN.first(self.session_key, timezone.now())
        if row is None:
            self._session_key = None
        return row

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        """Write beside the data whose session it is."""
        row = super().create_model_instance(data)
        assert isinstance(row, Session)
        mark = data.get(MARK)
        if SESSION_KEY in data and mark:
            row.account_id = int(data[SESSION_KEY])
            row.started_at, row.seen_at = (_moment(mark[key]) for key in ("at", "seen"))
            row.network, row.agent, row.method = mark["network"], mark["agent"], mark["method"]
        return row


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, tz=timezone.get_current_timezone())


def sessions_of(user: User) -> QuerySet[Session]:
    """Return the account's open sessions, latest use first."""
    return Session.objects.filter(account=user, expire_date__gt=timezone.now()).order_by("-seen_at")


def reference(session: Session) -> str:
    """Return what pages call a session by: its key would open it."""
    return hashlib.sha256(session.session_key.encode()).hexdigest()[:24]


def forget_expired() -> int:
    """Delete sessions that are over; return how many."""
    return Session.objects.filter(expire_date__lte=timezone.now()).delete()[0]
