"""Statements of the database's owner outside any transaction: making and dropping databases for tests and benchmarks."""

import time
from typing import Any

import psycopg2
from psycopg2 import errors

PATIENCE_SECONDS = 600  # to vacuum a million rows takes minutes


def connect(settings: dict[str, Any], database: str) -> Any:
    """Connect as the owner, given Django's settings of that connection."""
    return psycopg2.connect(
        dbname=database, user=settings["USER"], password=settings["PASSWORD"], host=settings["HOST"],
        port=settings["PORT"] or None,
    )  # fmt: skip


def run(settings: dict[str, Any], database: str, *statements: str) -> None:
    """Run statements that cannot be in a transaction, one by one.

    An autovacuum worker in a database to be dropped belongs to nobody that an ordinary owner may end; it is waited for.
    """
    connection = connect(settings, database)
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            for statement in statements:
                _patiently(cursor, statement)
    finally:
        connection.close()


def _patiently(cursor: Any, statement: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            cursor.execute(statement)
        except errors.InsufficientPrivilege:
            if "WITH (FORCE)" not in statement or time.monotonic() > deadline:
                raise
            time.sleep(0.5)
        else:
            return
