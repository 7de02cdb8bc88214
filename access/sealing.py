"""Sealing the query log: each new line gets its place in the tree, and a signed checkpoint says what the tree is now.

Whoever seals holds one lock, so that there is one history. Before anything is signed, what was shipped before is compared
with what the database says was sealed: a tree that lost or changed anything since is never signed anew.
"""

import logging
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from access import shipping
from access.models import Checkpoint, Node
from access.tree import LogBroken, read_kept
from creditfujian.lib.merkle import SIZE, STEP, Tree, completed
from creditfujian.lib.signed_note import NOTHING_BEFORE, Head

log = logging.getLogger("creditfujian.access")

_LOCK = 4_230  # advisory lock of the log's one writer of checkpoints
_CHECKPOINT = """
INSERT INTO access_checkpoint (number, size, root, at, previous, key_id, signature, upto, gaps)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s::int8multirange)
"""


def seal() -> Checkpoint | None:
    """Seal what is new and ship the checkpoint; None when nothing is new and the last checkpoint is young.

    Not to be called inside a transaction: the checkpoint is shipped once it is committed. Raises LogBroken, ValueError
    on a host without the key.
    """
    with transaction.atomic():
        checkpoint = _seal()
    if checkpoint is not None:
        shipping.ship(shipping.home())
    return checkpoint


def _seal() -> Checkpoint | None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        cursor.execute("SELECT clock_timestamp()")
        now = cursor.fetchone()[0]
    last = Checkpoint.objects.first()
    if fault := shipping.disagreement(shipping.home()):
        raise LogBroken(fault)
    if last is not None and not settings.LOG_KEYS.verifies(last.head, last.key_id, bytes(last.signature)):
        raise LogBroken(f"检查点 {last.number} 的签名无效")  # where it says to go on from is nobody's word
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sealed, upto, gaps::text FROM access_seal_lines(make_interval(mins => %s))",
            [settings.LOG_PATIENCE_MINUTES],
        )
        sealed, upto, gaps = cursor.fetchone()
    if not sealed and last is not None and now - last.at < timedelta(minutes=settings.LOG_QUIET_MINUTES):
        return None
    return _sign(last, sealed, now, upto, gaps)


def _sign(last: Checkpoint | None, sealed: int, now: datetime, upto: int, gaps: str) -> Checkpoint:
    before = last.size if last else 0
    if last is not None and Tree(before, read_kept).root() != bytes(last.root):
        raise LogBroken(f"封存树与检查点 {last.number} 不符")
    size = before + sealed
    _keep_nodes(before, size)
    previous = sha256(last.note).digest() if last else NOTHING_BEFORE
    head = Head(last.number + 1 if last else 1, size, Tree(size, read_kept).root(), now, previous)
    key, signature = settings.LOG_KEYS.sign(head)
    with connection.cursor() as cursor:
        cursor.execute(
            _CHECKPOINT, [head.number, size, head.root, now, previous, key, signature, upto, gaps]
        )  # fmt: skip
    log.info("query log sealed: checkpoint %s, %s lines, %s new", head.number, size, sealed)
    return Checkpoint.objects.get(pk=head.number)


def _keep_nodes(before: int, size: int) -> None:
    """Keep the nodes that became complete, lower levels first."""
    level = STEP
    while size >> level:
        first, hashes = completed(level, before, size, read_kept)
        nodes = [hashes[at : at + SIZE] for at in range(0, len(hashes), SIZE)]
        Node.objects.bulk_create(
            (Node(level=level, number=first + offset, hash=node) for offset, node in enumerate(nodes)), batch_size=1000
        )
        level += STEP


def unsealed_before(when: datetime) -> tuple[int, int] | None:
    """Return the first line older than that which has no place in the tree, and how many there are; None when none."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT min(q.seq), count(*) FROM access_query q"
            " WHERE q.at < %s AND NOT EXISTS (SELECT 1 FROM access_leaf l WHERE l.query_id = q.seq AND l.at = q.at)",
            [when],
        )
        first, count = cursor.fetchone()
    return (first, count) if count else None


def lateness() -> str:
    """Say what is late about the sealing; empty when nothing is. Cheap: asks of the newest lines only."""
    limit = timedelta(minutes=settings.LOG_LATE_MINUTES)
    now = timezone.now()
    last = Checkpoint.objects.first()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT min(at) FROM access_query WHERE seq > %s AND at > %s",
            [_upto(), last.at - limit if last else datetime.min.replace(tzinfo=UTC)],
        )
        waiting = cursor.fetchone()[0]
    if waiting is not None and now - waiting > limit:
        return f"{timezone.localtime(waiting):%Y-%m-%d %H:%M} 起的查询日志还没有封存"
    if last is not None and now - last.at > limit + timedelta(minutes=settings.LOG_QUIET_MINUTES):
        return f"最近一个检查点是 {timezone.localtime(last.at):%Y-%m-%d %H:%M} 的"
    return ""


def _upto() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT upto FROM access_checkpoint ORDER BY number DESC LIMIT 1")
        row = cursor.fetchone()
    return row[0] if row else 0
