"""The sealed lines in full, for the auditor: every field with its salt, so that each leaf can be derived anew.

This holds who read whose file. It leaves by `manage.py ship_log --lines`, which writes down for whom.
"""

import json
import os
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path
from typing import Any

from django.db import connection

from accounts import people

_LINES = """
SELECT l.salt, q.*, a.record_ids, a.items AS answer_items,
       (SELECT json_agg(json_build_object('seq', p.seq, 'person_id', p.person_id, 'kind', p.kind, 'allowed', p.allowed,
                                          'items', p.items) ORDER BY p.seq)
          FROM access_queryperson p WHERE p.query_id = l.query_id AND p.at = l.at) AS persons
  FROM access_leaf l
  JOIN access_query q ON q.seq = l.query_id AND q.at = l.at
  LEFT JOIN access_queryanswer a ON a.query_id = l.query_id AND a.at = l.at
 WHERE l.number >= %s AND l.number < %s
 ORDER BY l.number
"""
_SEALED = (
    "salt", "actor_id", "actor_name", "roles", "request_no", "address", "correlation", "record_ids", "answer_items",
)  # fmt: skip
_AT_ONCE = 5_000


def lines(first: int, end: int) -> Iterator[dict[str, Any]]:
    """Yield the lines of leaves first to end in their order: what is shown, what is sealed, the persons."""
    for start in range(first, end, _AT_ONCE):
        with people.log("the auditor's evidence"), connection.cursor() as cursor:
            cursor.execute(_LINES, [start, min(start + _AT_ONCE, end)])
            names = [column.name for column in cursor.description]
            rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        for row in rows:
            persons = row.pop("persons") or []
            row["salt"] = str(row["salt"])
            row["at"] = row["at"].astimezone(UTC).isoformat(timespec="microseconds")
            sealed = {name: row.pop(name) for name in _SEALED}
            yield {"line": row, "sealed": sealed, "persons": persons}


def write(path: Path, size: int) -> int:
    """Add to a file, readable by its owner only, the lines up to a size that it lacks; return how many."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(handle, "a+", encoding="utf-8") as out:
        out.seek(0)
        there = sum(1 for _ in out)
        for line in lines(there, size):
            out.write(json.dumps(line, ensure_ascii=False) + "\n")
    return max(0, size - there)
