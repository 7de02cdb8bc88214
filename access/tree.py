"""The tree over the query log's lines, read where the database keeps it."""

from django.db import connection

from creditfujian.lib.merkle import SIZE

_LEAVES = "SELECT string_agg(hash, ''::bytea ORDER BY number) FROM access_leaf WHERE number >= %s AND number < %s"
_NODES = "SELECT string_agg(hash, ''::bytea ORDER BY number) FROM access_node WHERE level = %s AND number >= %s AND number < %s"


class LogBroken(Exception):
    """The log is not what was sealed before; the message says what is wrong. Nothing is signed over it."""


def read_kept(level: int, first: int, count: int) -> bytes:
    """Return that many hashes of a kept level (creditfujian.lib.merkle). Raises LogBroken when some are missing."""
    with connection.cursor() as cursor:
        if level == 0:
            cursor.execute(_LEAVES, [first, first + count])
        else:
            cursor.execute(_NODES, [level, first, first + count])
        found = bytes(cursor.fetchone()[0] or b"")
    if len(found) != count * SIZE:
        raise LogBroken(f"封存树第 {level} 层缺少节点（自第 {first} 个起）")
    return found
