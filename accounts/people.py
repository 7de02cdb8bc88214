"""Whose rows the application has opened on its connection: nothing set, no row (docs/row-level-security.md).

A request, a job or a command begins with nobody open. What it opens is signed with a key that the application's role
cannot read in the database, for this connection alone, so a statement that somebody smuggles in opens nobody.
"""

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import _GeneratorContextManager, contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar, cast

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connection
from django.db.backends.signals import connection_created
from django.db.models import Model, prefetch_related_objects
from psycopg2.extensions import TRANSACTION_STATUS_IDLE, TRANSACTION_STATUS_INERROR

if TYPE_CHECKING:
    from accounts.models import Person

Row = TypeVar("Row", bound=Model)
EVERYBODY, LOG = "*", "l"
# Statements that name one of these need to know who is open; a line of the log is written without being seen.
_CLOSED = (
    "accounts_person", "accounts_identityproof", "access_consent", "access_message", "records_counterrequest", "records_report",
    "access_authority", "access_officialletter", "access_kinwish", "access_letterperson", "access_question",
    "access_urgentreading", "access_break_glass", "records_rightsrequest",
    "sanctions_attestation", "sanctions_case", "sanctions_early_from", "sanctions_listing", "sanctions_reward",
    "INTO access_query", "access_lines", "cf.batch", "access_queryperson",
)  # fmt: skip
_BLOCK = 64  # bytes of a block of SHA-256

_open: ContextVar[frozenset[str]] = ContextVar("people", default=frozenset())


def context_pads() -> tuple[bytes, bytes]:
    """Return the two keys of the signature (HMAC, RFC 2104) as the database keeps them."""
    key = hashlib.sha256(b"people in context:" + settings.SECRET_KEY.encode()).digest().ljust(_BLOCK, b"\0")
    return bytes(byte ^ 0x36 for byte in key), bytes(byte ^ 0x5C for byte in key)


def signed(who: frozenset[str], backend: int) -> str:
    """Return what tells one connection of the database whose rows it may show."""
    inner, outer = context_pads()
    said = ",".join(sorted(who))
    mac = hashlib.sha256(outer + hashlib.sha256(inner + f"{backend}|{said}".encode()).digest()).hexdigest()
    return f"{said}|{mac}"


# --- opening -----------------------------------------------------------------------------------------


def open_persons(*keys: int | None) -> None:
    """Open the rows of these persons until the request or job ends: for whoever has come by the key by a ground."""
    _open.set(_open.get() | {str(key) for key in keys if key is not None})


def while_open(*keys: int) -> _GeneratorContextManager[None]:
    """Open these persons' rows for the block alone: to tell somebody whom no page shows, to stream what is a person's own."""
    return _with(frozenset(map(str, keys)))


def open_numbers(*indexes: bytes) -> None:
    """Open the row with this number's index until the request or job ends: whoever knows a number knows its holder."""
    _open.set(_open.get() | {f"n{index.hex()}" for index in indexes})


def open_office(key: int | None) -> None:
    """Open what is the business of this office until the request ends: of whoever has signed in, or shown its token."""
    if key is not None:
        _open.set(_open.get() | {f"o{key}"})


def open_account(key: int) -> None:
    """Open what is the duty of this account until the request ends: of whoever has signed in, or shown its token."""
    _open.set(_open.get() | {f"a{key}"})


def open_batch(key: int) -> None:
    """Open the records of a batch's item to the batch while it is at work."""
    _open.set(_open.get() | {f"b{key}"})


def opened(row: Any, name: str = "person") -> "Person | None":
    """Open the person that a row points at, and return them."""
    open_persons(getattr(row, f"{name}_id"))
    return getattr(row, name)


def opened_all(rows: Iterable[Row], name: str = "person") -> list[Row]:
    """Open the persons that these rows point at, and have them at hand, in two queries."""
    found = list(rows)
    open_persons(*(getattr(row, f"{name}_id") for row in found))
    prefetch_related_objects(cast("list[Model]", found), name)
    return found


def everybody(why: str) -> _GeneratorContextManager[None]:
    """Open all persons for a deed of the system itself, never for a page: `why` names it for the reader of the code."""
    assert why
    return _with(frozenset({EVERYBODY}))


def log(why: str) -> _GeneratorContextManager[None]:
    """Open whom the whole query log names: to verify it, to prove a line, to review lines and write that down."""
    assert why
    return _with(frozenset({LOG}))


@contextmanager
def nobody() -> Iterator[None]:
    """Begin with nobody open, and leave nobody open behind: around each request and each job."""
    before = _open.set(frozenset())
    try:
        yield
    finally:
        _open.reset(before)
        _take_back()


@contextmanager
def _with(more: frozenset[str]) -> Iterator[None]:
    before = _open.set(_open.get() | more)
    try:
        yield
    finally:
        _open.reset(before)
        _take_back()


# --- asked of the database, which tells nothing else of a person ---------------------------------------


def may_act(person: int) -> bool:
    """Tell whether anybody can act as this person: not for the dead, nor under a number merged into another."""
    return bool(_scalar("SELECT accounts_may_act(%s)", person))


def survivor_of(person: int) -> int:
    """Return whom a person was merged into, at the end of the chain; itself when it was not."""
    return int(_scalar("SELECT accounts_survivor(%s)", person))


def is_known() -> bool:
    """Tell whether the database takes our signature."""
    connection.ensure_connection()
    told = signed(frozenset({EVERYBODY}), connection.connection.get_backend_pid())
    return bool(_scalar("SELECT '*' = ANY (accounts_signed(%s))", told))


def _scalar(sql: str, *values: Any) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchone()[0]


# --- telling the database --------------------------------------------------------------------------------


class _Told:
    """What one connection was last told, and whether that still holds: what a transaction was told goes back with it."""

    def __init__(self) -> None:
        self.who: frozenset[str] | None = frozenset()  # None: perhaps something, perhaps not
        self.in_transaction = False

    def __call__(self, execute: Any, sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
        """Let every statement run with what is open now, and with nothing more."""
        text = sql if isinstance(sql, str) else str(sql)
        if text.startswith("ROLLBACK TO"):
            self.who = None
        elif not text.startswith("RELEASE"):
            self.bring(context["connection"], text)
        return execute(sql, params, many, context)

    def bring(self, at: Any, text: str = "") -> None:
        """Tell the database who is open: at once when that is less than it was told, else when a statement needs it."""
        status, who = at.connection.get_transaction_status(), _open.get()
        if status == TRANSACTION_STATUS_IDLE and self.in_transaction:
            self.who, self.in_transaction = None, False
        if status == TRANSACTION_STATUS_INERROR or self.who == who:
            return
        if self.who is None or not self.who <= who or any(table in text for table in _CLOSED):
            with at.connection.cursor() as cursor:  # not Django's cursor, which would come by here again
                cursor.execute(
                    "SELECT set_config('cf.people', %s, false)",
                    [signed(who, at.connection.get_backend_pid()) if who else ""],
                )
            self.who, self.in_transaction = who, not at.connection.autocommit


def _take_back() -> None:
    """Leave nothing open on a connection that waits for its next work; one that cannot be told is closed."""
    told = next((wrapper for wrapper in connection.execute_wrappers if isinstance(wrapper, _Told)), None)
    if told is None or connection.connection is None or connection.in_atomic_block:
        return  # inside a transaction the next statement brings it
    try:
        told.bring(connection)
    except Exception:
        connection.close()
        raise


def _newly_connected(connection: Any, **kwargs: Any) -> None:
    """A new connection has nobody open, and is told who is by the first statement that needs it."""
    if connection.alias == DEFAULT_DB_ALIAS:
        others = [wrapper for wrapper in connection.execute_wrappers if not isinstance(wrapper, _Told)]
        connection.execute_wrappers[:] = [_Told(), *others]


def listen() -> None:
    """Have every connection told."""
    connection_created.connect(_newly_connected, dispatch_uid="accounts.people")
