"""A department's system, for tests: it calls the API with its token as any client would."""

import json
import uuid
from dataclasses import dataclass, field
from typing import Any

from django.test import Client

from accounts.tests.tokens import issue
from creditfujian.tests.cast import Cast
from records import actions
from records.models import Batch
from records.tests.deliveries import penalty

BATCHES = "/api/v1/batches/"
ITEM = "FJ1-03-MRKT-0001"
LINES = "application/x-ndjson"


@dataclass
class System:
    """A client with a token. Every write has a key of its own unless one is given."""

    secret: str
    browser: Client = field(default_factory=Client)

    def get(self, address: str, **more: Any) -> Any:
        return self.browser.get(address, headers={"Authorization": f"Bearer {self.secret}"}, **more)

    def post(self, address: str, data: Any = None, *, key: str = "", **more: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.secret}", "Idempotency-Key": key or str(uuid.uuid4())}
        more.setdefault("content_type", "application/json")
        return self.browser.post(address, {} if data is None else data, headers=headers, **more)

    def send_lines(self, content: bytes, *, item: str = ITEM, **more: Any) -> Any:
        return self.post(f"{BATCHES}?item={item}", content, content_type=LINES, **more)

    def send_file(self, file: Any, *, item: str = ITEM, key: str = "", **more: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.secret}", "Idempotency-Key": key or str(uuid.uuid4())}
        return self.browser.post(BATCHES, {"item": item, "file": file, **more}, headers=headers)


def system(cast: Cast, **changes: Any) -> System:
    """Return the market authority's system with a token in use."""
    return System(issue(cast, **changes).secret)


def codes(cast: Cast) -> dict[str, str]:
    """Return the item's field codes by their labels."""
    version = cast.item.versions.order_by("-version")[0]
    return dict(version.fields.values_list("label", "code"))


def as_lines(cast: Cast, *rows: dict[str, str]) -> bytes:
    """Rows as JSON lines by field codes; 来源行 and what has no code keep their names."""
    known = codes(cast)
    return b"".join(
        json.dumps({known.get(label, label): value for label, value in row.items()}, ensure_ascii=False).encode()
        + b"\n"
        for row in rows
    )


def checked(cast: Cast, answer: Any) -> Batch:
    """Let the worker check the batch that an answer is about."""
    assert answer.status_code in (200, 202), answer.content.decode()
    return actions.check_batch(int(answer.json()["number"].rpartition("-")[2]))


def one_line(cast: Cast, **changes: Any) -> bytes:
    """One good row as a JSON line."""
    return as_lines(cast, penalty(cast, **changes))
