"""The number of SQL queries of a page, written down beside the tests; a test fails when it grows.

`UPDATE_QUERY_COUNTS=1 make test ARGS=…` writes the numbers anew: the change is then seen in the commit.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connection
from django.test.utils import CaptureQueriesContext


@contextmanager
def counted(name: str, file: Path) -> Iterator[None]:
    """Count the queries of a block and compare with the number kept under that name in the file."""
    with CaptureQueriesContext(connection) as captured:
        yield
    kept = json.loads(file.read_text()) if file.exists() else {}
    if os.environ.get("UPDATE_QUERY_COUNTS") == "1":
        kept[name] = len(captured)
        file.write_text(json.dumps(dict(sorted(kept.items())), ensure_ascii=False, indent=1) + "\n")
        return
    asked = "\n".join(query["sql"][:300] for query in captured.captured_queries)
    assert len(captured) == kept.get(name), f"{name}: {len(captured)} queries, {kept.get(name)} kept:\n{asked}"
