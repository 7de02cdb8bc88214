"""Checkpoints outside the database: what was once shipped cannot be taken back by whoever owns the database.

A folder holds `checkpoints.jsonl` (one signed checkpoint a line), `leaves.sha256` (32 bytes per line of the log, salted
hashes, nothing about anybody) and `keys.txt`. All grow at their end only, so the folder may lie on a medium that allows
nothing else. The sealer ships to `home()` at once; `manage.py ship_log DIR` ships anywhere else.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from django.conf import settings

from access.models import Checkpoint
from access.tree import read_kept
from creditfujian.lib.merkle import SIZE

CHECKPOINTS, LEAVES, KEYS = "checkpoints.jsonl", "leaves.sha256", "keys.txt"
_TAIL = 8192  # more than the longest line
_AT_ONCE = 65_536


class Forked(Exception):
    """The folder holds a history that is not the database's; the message says where they part."""


def home() -> Path:
    """Return the folder that the sealer ships to."""
    return Path(settings.LOG_SHIP_DIR or Path(settings.MEDIA_ROOT) / "query-log")


def last_shipped(folder: Path) -> dict[str, Any] | None:
    """Return the last checkpoint in a folder: number, size, note. None in an empty one."""
    path = folder / CHECKPOINTS
    if not path.exists():
        return None
    with path.open("rb") as lines:
        lines.seek(max(0, path.stat().st_size - _TAIL))
        whole = lines.read().rpartition(b"\n")[0]  # a line without its end was not written out
    return json.loads(whole.rpartition(b"\n")[2]) if whole else None


def shipped_leaves(folder: Path, first: int, end: int) -> bytes:
    """Return the hashes of leaves first to end as they were shipped, as far as they go."""
    path = folder / LEAVES
    if not path.exists():
        return b""
    with path.open("rb") as leaves:
        leaves.seek(first * SIZE)
        return leaves.read((end - first) * SIZE)


def disagreement(folder: Path) -> str:
    """Say how the database contradicts the last checkpoint in a folder; empty when it does not."""
    last = last_shipped(folder)
    if last is None:
        return ""
    here = Checkpoint.objects.filter(pk=last["number"]).first()
    if here is None:
        return f"数据库里没有已经外送的检查点 {last['number']}（封存 {last['size']} 条）"
    if here.note.decode() != last["note"]:
        return f"数据库里的检查点 {last['number']} 与外送的不同"
    return ""


def ship(folder: Path) -> int:
    """Add what the folder lacks; return how many checkpoints. Raises Forked and adds nothing when it contradicts."""
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder):
        if fault := disagreement(folder):
            raise Forked(fault)
        last = last_shipped(folder)
        waiting = Checkpoint.objects.filter(number__gt=last["number"] if last else 0).order_by("number")
        newest = waiting.last()
        if newest is None:
            return 0
        _ship_keys(folder)
        _ship_leaves(folder, newest.size)
        with _appending(folder / CHECKPOINTS) as out:
            _end_line(out)
            count = 0
            for checkpoint in waiting.filter(number__lte=newest.number).iterator():
                told = {"number": checkpoint.number, "size": checkpoint.size, "note": checkpoint.note.decode()}
                out.write(json.dumps(told, ensure_ascii=False).encode() + b"\n")
                count += 1
        return count


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _appending(path: Path) -> Iterator[IO[bytes]]:
    """Add to the end of a file; on the disk before we say so."""
    with path.open("ab+") as out:
        yield out
        out.flush()
        os.fsync(out.fileno())


def _end_line(out: IO[bytes]) -> None:
    """End a line that a crash cut off, so that the next one stands alone; the verifier passes over the piece."""
    if out.tell():
        out.seek(-1, os.SEEK_END)
        if out.read(1) != b"\n":
            out.write(b"\n")


def _ship_keys(folder: Path) -> None:
    path = folder / KEYS
    there = path.read_text(encoding="utf-8").split() if path.exists() else []
    with _appending(path) as out:
        out.writelines(f"{key}\n".encode() for key in settings.LOG_KEYS.published() if key not in there)


def _ship_leaves(folder: Path, size: int) -> None:
    with _appending(folder / LEAVES) as out:
        at = out.seek(0, os.SEEK_END)  # a crash may have left part of a hash: go on in the middle of it
        while at < size * SIZE:
            first = at // SIZE
            at += out.write(read_kept(0, first, min(_AT_ONCE, size - first))[at % SIZE :])
