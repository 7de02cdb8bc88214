"""Many calls at once, and clients that die half-way, against a server that listens: nothing twice, nothing lost."""

import http.client
import json
import socket
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connections
from django_q.models import OrmQ

from accounts.tests.tokens import issue
from accounts.token_models import IdempotentCall, TokenUse
from creditfujian.tests.cast import Cast, make_cast
from records.models import Batch, SealedFile
from records.tests.api import BATCHES, ITEM, LINES, one_line

pytestmark = pytest.mark.django_db(transaction=True)
CALLERS = 20


class Caller:
    """Calls a listening server over a connection of its own each time."""

    def __init__(self, live_server: Any, secret: str) -> None:
        self.address, self.secret = urlsplit(live_server.url), secret

    def call(
        self, method: str, path: str, body: bytes = b"", *, key: str = "", content_type: str = LINES
    ) -> tuple[int, Any, Any]:
        assert self.address.hostname
        connection = http.client.HTTPConnection(self.address.hostname, self.address.port, timeout=120)
        headers = {"Authorization": f"Bearer {self.secret}", "Content-Type": content_type,
                   "Idempotency-Key": key or str(uuid.uuid4())}  # fmt: skip
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        told = json.loads(answer.read())
        connection.close()
        return answer.status, told, answer.headers

    def send(self, body: bytes, key: str) -> tuple[int, Any, Any]:
        return self.call("POST", f"{BATCHES}?item={ITEM}", body, key=key)

    def half(self, path: str, body: bytes, *, key: str, content_type: str, listens: bool) -> bytes:
        """Send the head and half of the body; then die, or close one side and listen."""
        head = (
            f"POST {path} HTTP/1.1\r\nHost: {self.address.netloc}\r\nAuthorization: Bearer {self.secret}\r\n"
            f"Idempotency-Key: {key}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        assert self.address.hostname
        assert self.address.port
        with socket.create_connection((self.address.hostname, self.address.port), timeout=60) as wire:
            wire.sendall(head.encode() + body[: len(body) // 2])
            if not listens:
                return b""
            wire.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: wire.recv(65536), b""))


@pytest.fixture
def caller(live_server: Any) -> tuple[Cast, Caller]:
    cast = make_cast()
    return cast, Caller(live_server, issue(cast).secret)


def at_once(deed: Any, count: int = CALLERS) -> list[Any]:
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(deed, range(count)))


def test_twenty_calls_with_one_key_make_one_batch_and_get_one_answer(caller: tuple[Cast, Caller]) -> None:
    cast, us = caller
    body = one_line(cast)
    answers = at_once(lambda _: us.send(body, "night-2026-11-30"))
    assert {status for status, *_ in answers} == {202}
    assert len({json.dumps(told, sort_keys=True) for _, told, _ in answers}) == 1
    assert sum("Idempotent-Replayed" in headers for *_, headers in answers) == CALLERS - 1
    assert (Batch.objects.count(), IdempotentCall.objects.count(), OrmQ.objects.count()) == (1, 1, 1)


def test_twenty_contents_under_one_key_are_one_batch_and_nineteen_refusals(caller: tuple[Cast, Caller]) -> None:
    cast, us = caller
    bodies = [one_line(cast, 行政处罚决定书文号=f"{n}号") for n in range(CALLERS)]
    answers = at_once(lambda n: us.send(bodies[n], "same"))
    assert sorted(status for status, *_ in answers) == [202] + [422] * (CALLERS - 1)
    assert Batch.objects.count() == 1


def test_twenty_writers_lose_nothing(caller: tuple[Cast, Caller]) -> None:
    cast, us = caller
    bodies = [one_line(cast, 行政处罚决定书文号=f"{n}号") for n in range(CALLERS)]
    answers = at_once(lambda n: us.send(bodies[n], f"k-{n}"))
    assert {status for status, *_ in answers} == {202}
    assert len({told["number"] for _, told, _ in answers}) == CALLERS
    assert (Batch.objects.count(), OrmQ.objects.count()) == (CALLERS, CALLERS)


def test_twenty_calls_of_the_same_content_under_their_own_keys_are_one_batch(caller: tuple[Cast, Caller]) -> None:
    cast, us = caller
    body = one_line(cast)
    answers = at_once(lambda n: us.send(body, f"k-{n}"))
    assert sorted(status for status, *_ in answers) == [200] * (CALLERS - 1) + [202]
    assert (Batch.objects.count(), IdempotentCall.objects.count()) == (1, CALLERS)


def test_of_twenty_calls_at_once_the_quota_lets_exactly_seven_through(live_server: Any) -> None:
    cast = make_cast()
    issued = issue(cast, quota=7)
    us = Caller(live_server, issued.secret)
    answers = at_once(lambda _: us.call("GET", BATCHES))
    assert sorted(status for status, *_ in answers) == [200] * 7 + [429] * 13
    left = sorted(int(headers["RateLimit-Remaining"]) for status, _, headers in answers if status == 200)
    assert left == list(range(7))
    assert TokenUse.objects.get(token=issued.token).used == 7


MULTIPART = (
    b'--edge\r\nContent-Disposition: form-data; name="item"\r\n\r\n' + ITEM.encode()
    + b'\r\n--edge\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\nContent-Type: text/csv\r\n\r\n'
)  # fmt: skip


@pytest.mark.parametrize("form", ["lines", "file"])
@pytest.mark.parametrize("listens", [True, False])
def test_a_client_that_dies_half_way_leaves_nothing_and_goes_on_with_its_key(
    caller: tuple[Cast, Caller], form: str, listens: bool
) -> None:
    cast, us = caller
    body = b"".join(one_line(cast, 行政处罚决定书文号=f"{n}号") for n in range(40))
    path, content_type = f"{BATCHES}?item={ITEM}", LINES
    if form == "file":
        path, content_type = BATCHES, "multipart/form-data; boundary=edge"
        body = MULTIPART + body + b"\r\n--edge--\r\n"
    told = us.half(path, body, key="night", content_type=content_type, listens=listens)
    if listens:
        assert b" 400 " in told.split(b"\r\n")[0]
        assert b'"A16"' in told
    status, answer, _ = us.call("POST", path, body, key="night", content_type=content_type)
    assert status == 202
    assert [batch.number for batch in Batch.objects.all()] == [answer["number"]]
    assert SealedFile.objects.count() == 1
    connections.close_all()
