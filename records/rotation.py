"""Sealing anew, under the active key, what is sealed under another (`manage.py rotate_keys`).

Values are opened and sealed in batches, each its own transaction, while the site serves: a value opens under any key of
FIELD_KEYS, so readers notice nothing. Stopped at any point it goes on where it was, for it looks for what is left.
Numbers of persons change hands by the database's owner alone (trigger `person_guard`).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connections, transaction

from accounts.models import ID_ABOUT
from accounts.second_factors import about_factor_of
from creditfujian.lib.crypto import SealBroken
from records.intake import store
from records.models import SealedFile

AT_ONCE = 2_000  # values of a batch: a fraction of a second each, so nobody waits for its locks


@dataclass(frozen=True)
class Column:
    """A column of sealed values: its table, the columns of its key, and what its values are bound to (`about`).

    `bound` names the column that `about` is made from; none where all values are bound to the same.
    """

    what: str
    table: str
    key: tuple[str, ...]
    name: str
    about: Callable[[Any], bytes] = lambda _: ID_ABOUT
    bound: str = "NULL"


COLUMNS = (
    Column("自然人的证件号码", "accounts_person", ("id",), "id_cipher"),
    Column("第二步验证", "accounts_secondfactor", ("id",), "sealed", about_factor_of, "user_id"),
    Column("代理人的证件号码", "access_authority", ("id",), "agent_cipher"),
    Column("核对单中待登记人员的证件号码", "records_casenewcomer", ("case_id",), "id_cipher"),
    Column("暂存行的证件号码", "records_batchrow", ("batch_id", "row_no"), "id_cipher"),
)
FILES = "密封文件"


@dataclass(frozen=True)
class Rotated:
    """What became of one kind of value: sealed anew, and left because no key opens it (the keys of their rows)."""

    what: str
    done: int
    broken: list[str]


def rotate(*, using: str) -> Iterator[Rotated]:
    """Seal everything anew that is not under the active key, as the database's owner; one outcome for each kind."""
    for column in COLUMNS:
        yield _rotated(column, using)
    yield _files()


def left(*, using: str) -> dict[str, dict[int, int]]:
    """Return how many values of each kind are sealed under which key id."""
    found: dict[str, dict[int, int]] = {}
    with connections[using].cursor() as cursor:
        for column in COLUMNS:
            cursor.execute(
                f"SELECT get_byte({column.name}, 1), count(*) FROM {column.table} WHERE length({column.name}) > 1 GROUP BY 1"  # noqa: S608
            )
            found[column.what] = dict(cursor.fetchall())
    files: dict[int, int] = {}
    for file in SealedFile.objects.filter(destroyed_at=None):
        if (key := store.key_of(file)) is not None:
            files[key] = files.get(key, 0) + 1
    return {**found, FILES: files}


def _rotated(column: Column, using: str) -> Rotated:
    done, broken, after = 0, list[str](), None
    while rows := _next(column, using, after):
        after = rows[-1][:-2]
        tried = [(row, _anew(row, column)) for row in rows]
        broken += ["-".join(map(str, row[:-2])) for row, new in tried if new is None]
        done += _write(column, using, [(row, new) for row, new in tried if new is not None])
    return Rotated(column.what, done, broken)


def _next(column: Column, using: str, after: tuple[int, ...] | None) -> list[tuple[Any, ...]]:
    """Return the next values to seal anew: key, what they are bound to, sealed value."""
    ring = settings.FIELD_KEYRING
    key, values = ", ".join(column.key), [ring.active, ring.keys[ring.active].suite]
    further = f"AND ({key}) > ({', '.join(['%s'] * len(column.key))})" if after else ""
    with connections[using].cursor() as cursor:
        cursor.execute(
            f"SELECT {key}, {column.bound}, {column.name} FROM {column.table} WHERE length({column.name}) > 1"  # noqa: S608
            f" AND (get_byte({column.name}, 1), get_byte({column.name}, 0)) <> (%s, %s) {further} ORDER BY {key} LIMIT {AT_ONCE}",
            [*values, *(after or ())],
        )
        return cursor.fetchall()


def _anew(row: tuple[Any, ...], column: Column) -> bytes | None:
    ring, about = settings.FIELD_KEYRING, column.about(row[-2])
    try:
        return ring.seal(ring.open(bytes(row[-1]), about=about), about=about)
    except SealBroken:
        return None


def _write(column: Column, using: str, sealed: list[tuple[tuple[Any, ...], bytes]]) -> int:
    """Write a batch; a value that somebody changed meanwhile stays as they wrote it."""
    keys = [[row[at] for row, _ in sealed] for at in range(len(column.key))]
    names = [f"k{at}" for at in range(len(column.key))]
    same = " AND ".join(f"t.{name} = n.{alias}" for name, alias in zip(column.key, names, strict=True))
    arrays = ", ".join(["%s::bigint[]"] * len(column.key))
    with transaction.atomic(using=using), connections[using].cursor() as cursor:
        cursor.execute(
            f"UPDATE {column.table} t SET {column.name} = n.new FROM unnest({arrays}, %s::bytea[], %s::bytea[])"  # noqa: S608
            f" AS n({', '.join(names)}, was, new) WHERE {same} AND t.{column.name} = n.was",
            [*keys, [bytes(row[-1]) for row, _ in sealed], [new for _, new in sealed]],
        )
        return cursor.rowcount


def _files() -> Rotated:
    done, broken = 0, list[str]()
    for file in SealedFile.objects.filter(destroyed_at=None).iterator():
        try:
            done += store.seal_anew(file)
        except (SealBroken, FileNotFoundError):
            broken.append(file.sha256[:12])
    return Rotated(FILES, done, broken)
