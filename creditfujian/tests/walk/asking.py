"""One question of one actor, in a transaction of its own that is taken back: every question meets the same stage."""

import json
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from django.contrib.messages import ERROR, WARNING
from django.db import connection, transaction
from django.utils import timezone

from access.models import Query, QueryPerson
from accounts import people
from creditfujian.tests.cast import browser_of
from creditfujian.tests.walk.reading import plain
from creditfujian.tests.walk.stage import Actor

# What the deeds' forms have in common: whoever has no duty is refused for that, and not for a reason left out.
_WORDS = ("reason", "text", "note", "why", "comment", "told", "outcome", "name")
BODY = {
    **dict.fromkeys(_WORDS, "核对后办理"), "verdict": "justified", "deed": "refusal", "on": timezone.localdate().isoformat(),
    "closed_on": timezone.localdate().isoformat(), "release_on": (timezone.localdate() + timedelta(days=60)).isoformat(),
}  # fmt: skip
INDEX = "/admin/"  # where Django's admin leads, with a warning, whoever asks for what they do not see
_WRITTEN = "SELECT relname FROM pg_stat_xact_user_tables WHERE n_tup_ins + n_tup_upd + n_tup_del > 0"


class Outcome(StrEnum):
    """What became of a question."""

    PAGE = "page"
    TOLD = "told on the form"  # 422: what is wrong, or that it is not theirs
    LED = "led"
    REFUSED = "refused"
    DOOR = "door"
    NO_METHOD = "no method"


@dataclass(frozen=True)
class Answer:
    """What came back, what it says in plain text, and what the question wrote before it was taken back."""

    status: int
    outcome: Outcome
    text: str
    cached: str
    named: frozenset[int]
    written: frozenset[str]
    error: str


class Asker:
    """An actor at work: the same browser or token for every question."""

    def __init__(self, actor: Actor) -> None:
        self.client = browser_of(actor.user)
        self.client.raise_request_exception = False
        self.cookies = self.client.cookies.copy()
        headers = {"Authorization": f"Bearer {actor.token}", "Idempotency-Key": "5b1f3c1e-0000-4000-8000-000000000001"}
        self.more: dict[str, Any] = {"headers": headers} if actor.token else {}
        self.last_line = Query.objects.order_by("-seq").values_list("seq", flat=True).first() or 0

    def ask(self, method: str, address: str, said: dict[str, str], *, log: bool = True) -> Answer:
        """Ask once; without `log` nobody can write a line of the query log meanwhile."""
        self.client.cookies = self.cookies.copy()
        with transaction.atomic():
            if not log:
                _take_the_log_away()
            told = self._told(self._send(method, address, said))
            transaction.set_rollback(True)
        return told

    def _send(self, method: str, address: str, said: dict[str, str]) -> Any:
        if method == "GET":
            return self.client.get(address, said or None, **self.more)
        if self.more:
            return self.client.post(address, json.dumps(said), content_type="application/json", **self.more)
        return self.client.post(address, said)

    def _told(self, answer: Any) -> Answer:
        content = b"".join(answer) if answer.streaming else answer.content
        error, self.client.exc_info = self.client.exc_info, None
        broken = connection.needs_rollback
        return Answer(
            answer.status_code, outcome_of(answer), plain(content, answer.get("Content-Type", "")),
            answer.get("Cache-Control", ""), frozenset() if broken else self._named(),
            frozenset() if broken else _written(), repr(error) if error else "",
        )  # fmt: skip

    def _named(self) -> frozenset[int]:
        """Return whom the lines of this question name as read: everything after the last line of the stage."""
        with people.log("a test looks which lines a question has written"):
            lines = QueryPerson.objects.filter(query_id__gt=self.last_line, allowed=True)
            return frozenset(lines.values_list("person_id", flat=True))


def outcome_of(answer: Any) -> Outcome:
    """Tell what an answer means. Who is led away with an error was refused, in our words or in Django's."""
    to = answer.get("Location", "")
    if answer.status_code == 405:
        return Outcome.NO_METHOD
    if answer.status_code == 401 or to.startswith(("/sign-in/?", "/admin/login/")):
        return Outcome.DOOR
    if answer.status_code in (403, 404):
        return Outcome.REFUSED
    if answer.status_code == 422:
        return Outcome.TOLD
    if not to:
        return Outcome.PAGE
    said = {one.level for one in getattr(getattr(answer, "wsgi_request", None), "_messages", ())}
    refused = ERROR in said or (WARNING in said and to == INDEX)
    return Outcome.REFUSED if refused else Outcome.LED


def _take_the_log_away() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('test.log_is_gone', 'on', true)")


def _written() -> frozenset[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id_if_assigned() IS NOT NULL")
        if not cursor.fetchone()[0]:
            return frozenset()
        cursor.execute(_WRITTEN)
        found = frozenset(name for (name,) in cursor.fetchall())
        cursor.execute("SELECT pg_stat_force_next_flush()")  # counts of this transaction are not to stay for the next
        return found
