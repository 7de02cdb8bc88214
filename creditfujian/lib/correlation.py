"""The id that a request's or job's log lines, changes and queries share."""

import uuid
from contextvars import ContextVar, Token

current: ContextVar[str] = ContextVar("request_id", default="")


def begin() -> Token[str]:
    """Start a new id; give the token to `end`."""
    return current.set(uuid.uuid4().hex)


def end(token: Token[str]) -> None:
    """Go back to the id before."""
    current.reset(token)


def request_id() -> str:
    """Return the id of the request or job at hand; a new one outside both."""
    if not current.get():
        begin()
    return current.get()
