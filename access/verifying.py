"""Verification of the query log: everything is derived anew from the lines, and the first bad line is named.

What is asked, of each line: is it there, does it hash to its leaf, with its persons and its answer. Of the tree: do the
leaves give each checkpoint's root. Of the checkpoints: numbers, times, the chain, signatures by our keys. Of the outside:
are the leaves and checkpoints that were shipped still these. Of the tables: is there a line, a person or an answer that
was not sealed in its time.
"""

import json
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from access import shipping
from access.models import Checkpoint, Leaf, Verification
from access.sealing import unsealed_before
from access.tree import LogBroken, read_kept
from accounts import people
from creditfujian.lib.merkle import SIZE, Growing, Tree
from creditfujian.lib.signed_note import NOTHING_BEFORE, Head

CHUNK = 20_000  # lines compared in one statement
_BOUNDS = "SELECT min(at), max(at), min(query_id), max(query_id) FROM access_leaf WHERE number >= %s AND number < %s"
_COMPARE = """
SELECT count(*), string_agg(stored, ''::bytea ORDER BY number),
       min(ARRAY[number, query_id, there::int]) FILTER (WHERE derived IS DISTINCT FROM stored)
  FROM access_lines(%s, %s, %s, %s, %s, %s)
"""


@dataclass(frozen=True)
class Fault:
    """Something wrong: at which leaf it shows first, which line that is, and what it is."""

    leaf: int
    seq: int
    what: str


@dataclass
class Report:
    """What a verification looked at and found, first things first."""

    lines: int = 0
    checkpoints: int = 0
    faults: list[Fault] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def first(self) -> Fault | None:
        return min(self.faults, key=lambda fault: (fault.leaf, fault.seq)) if self.faults else None

    @property
    def first_bad(self) -> int | None:
        """Return the number of the first bad line; None when all is whole."""
        return self.first.seq if self.first else None


def verify(*, since: datetime | None = None, folder: Path | None = None, jobs: int = 1) -> Report:
    """Verify the log, or the part sealed since a time, against a shipped folder (the sealer's own unless given)."""
    began = time.perf_counter()
    found = _Verification(since, folder or shipping.home(), jobs)
    found.run()
    found.report.seconds = time.perf_counter() - began
    return found.report


def verify_and_note(*, since: datetime | None = None) -> Verification:
    """Verify and keep what was found, so that those who watch see it."""
    report = verify(since=since)
    first = report.first
    return Verification.objects.create(
        scope=Verification.Scope.DAY if since else Verification.Scope.WHOLE, lines=report.lines,
        checkpoints=report.checkpoints, first_bad=report.first_bad, found=first.what if first else "",
        seconds=report.seconds,
    )  # fmt: skip


@dataclass(frozen=True)
class _Part:
    """What one statement said of a run of leaves."""

    first: int
    end: int
    count: int
    hashes: bytes
    bad: tuple[int, int, bool] | None


class _Verification:
    def __init__(self, since: datetime | None, folder: Path, jobs: int) -> None:
        self.report = Report()
        self.since = since
        self.folder, self.jobs = folder, jobs
        self.last = Checkpoint.objects.first()
        earlier = Checkpoint.objects.filter(at__lt=since).first() if since else None
        self.before = earlier
        self.first = earlier.size if earlier else 0
        self.size = self.last.size if self.last else 0

    def run(self) -> None:
        self._outside()
        self._lines_and_tree()
        self._nothing_else()

    def fault(self, leaf: int, what: str, seq: int | None = None) -> None:
        self.report.faults.append(Fault(leaf, self._seq(leaf) if seq is None else seq, what))

    def _seq(self, leaf: int) -> int:
        """Return the line of a leaf; of a leaf that is gone, the first number after those that are left."""
        found = Leaf.objects.filter(number=leaf).first()
        if found is not None:
            return found.query_id
        before = Leaf.objects.filter(number__lt=leaf).order_by("-number").first()
        return before.query_id + 1 if before else 1

    # --- what was shipped -----------------------------------------------------------------------

    def _outside(self) -> None:
        last = shipping.last_shipped(self.folder)
        if last is not None and last["size"] > self.size:
            self.fault(
                self.size, f"已外送的检查点 {last['number']} 封存了 {last['size']} 条，数据库里只有 {self.size} 条"
            )
        if what := shipping.disagreement(self.folder):
            for told in _shipped(self.folder):
                here = Checkpoint.objects.filter(pk=told["number"]).first()
                if here is None or here.note.decode() != told["note"]:
                    self.fault(self._size_before(told["number"]), what)
                    return

    def _size_before(self, number: int) -> int:
        earlier = Checkpoint.objects.filter(number__lt=number).first()
        return earlier.size if earlier else 0

    # --- lines, tree, checkpoints -----------------------------------------------------------------

    def _lines_and_tree(self) -> None:
        grown = _resumed(self.before) if self.before else Growing()
        if self.before and grown.root() != bytes(self.before.root):
            self.fault(0, "此前的封存树与检查点不符，请核验全部日志")
        checkpoints = self._checkpoints()
        due = next(checkpoints, None)
        due = self._compare_roots(grown, b"", due, checkpoints)
        for part in self._parts():
            self._judge(part)
            if len(part.hashes) != (part.end - part.first) * SIZE:
                self.fault(_first_missing(part.first, part.end), "封存叶缺失")
                return
            due = self._compare_roots(grown, part.hashes, due, checkpoints)
        self._no_other_leaf()

    def _no_other_leaf(self) -> None:
        """Leaves come with their checkpoint in one transaction: none lies beyond the newest."""
        highest = Leaf.objects.order_by("-number").first()
        newest = Checkpoint.objects.first()
        if highest is not None and highest.number >= (newest.size if newest else 0):
            self.fault(newest.size if newest else 0, "封存叶不在任何检查点之下")

    def _parts(self) -> Iterator[_Part]:
        """Compare the lines run by run; several at once on connections of their own when there is more than one run."""
        runs = [(first, min(first + CHUNK, self.size)) for first in range(self.first, self.size, CHUNK)]
        if self.jobs == 1 or len(runs) < 2:
            yield from map(_compare, runs)
            return
        with ThreadPoolExecutor(self.jobs) as pool:
            ahead = deque(pool.submit(_compare_apart, run) for run in runs[: self.jobs + 1])
            for run in runs[self.jobs + 1 :]:
                yield ahead.popleft().result()
                ahead.append(pool.submit(_compare_apart, run))
            for part in ahead:
                yield part.result()

    def _judge(self, part: _Part) -> None:
        self.report.lines += part.count
        if part.bad:
            number, seq, there = part.bad
            self.fault(number, "与封存时不同（本条、所涉人员或者查询结果）" if there else "已被删除或者移走", seq)
        shipped = shipping.shipped_leaves(self.folder, part.first, part.end)
        known = part.hashes[: len(shipped)]
        if known != shipped[: len(known)]:
            offset = next(at for at in range(0, len(known), SIZE) if known[at : at + SIZE] != shipped[at : at + SIZE])
            self.fault(part.first + offset // SIZE, "封存叶与已外送的不同")

    def _checkpoints(self) -> Iterator[Checkpoint]:
        """Yield the checkpoints in their order, each judged by itself and against the one before."""
        last, retired = self.before, set[str]()
        after = last.number if last else 0
        for checkpoint in Checkpoint.objects.filter(number__gt=after).order_by("number").iterator():
            self.report.checkpoints += 1
            if what := _wrong_with(checkpoint, last, retired):
                self.fault(last.size if last else 0, f"检查点 {checkpoint.number}：{what}")
            if last and last.key_id != checkpoint.key_id:
                retired.add(last.key_id)
            last = checkpoint
            yield checkpoint

    def _compare_roots(
        self, grown: Growing, hashes: bytes, due: Checkpoint | None, checkpoints: Iterator[Checkpoint]
    ) -> Checkpoint | None:
        """Take leaves in up to each checkpoint and compare its root; return the checkpoint that is due next."""
        while due is not None and due.size <= grown.size + len(hashes) // SIZE:
            first, take = grown.size, max(0, due.size - grown.size) * SIZE
            grown.add(hashes[:take])
            hashes = hashes[take:]
            if grown.root() != bytes(due.root):
                known = [fault.leaf for fault in self.report.faults if first <= fault.leaf < grown.size]
                leaf = min(known, default=_out_of_order(first, grown.size))
                self.fault(leaf, f"检查点 {due.number} 的树根与封存叶不符（第 {first + 1} 至 {grown.size} 条之间）")
                for _ in checkpoints:  # whatever follows has another root too; its own signature is still judged
                    pass
                return None
            due = next(checkpoints, None)
        grown.add(hashes)
        return due

    # --- what was not sealed ---------------------------------------------------------------------

    def _nothing_else(self) -> None:
        limit = timezone.now() - timedelta(minutes=settings.LOG_LATE_MINUTES)
        if late := unsealed_before(limit):
            first, count = late
            at = Leaf.objects.filter(query_id__lt=first).order_by("-query_id").first()
            self.fault(at.number + 1 if at else 0, f"有 {count} 条没有在规定时间内封存", first)
        for table, what in (("access_queryperson", "人员"), ("access_queryanswer", "查询结果")):
            with people.log("a row without its line is looked for"), connection.cursor() as cursor:
                cursor.execute(
                    f"SELECT min(c.query_id) FROM {table} c WHERE c.at >= %s AND NOT EXISTS"  # noqa: S608 – ours
                    " (SELECT 1 FROM access_query q WHERE q.seq = c.query_id AND q.at = c.at)",
                    [self.since or datetime.min.replace(tzinfo=UTC)],
                )
                orphan = cursor.fetchone()[0]
            if orphan is not None:
                at = Leaf.objects.filter(query_id__gte=orphan).order_by("query_id").first()
                self.fault(at.number if at else self.size, f"{what}行没有所属的查询", orphan)


def _shipped(folder: Path) -> Iterator[dict[str, Any]]:
    with (folder / shipping.CHECKPOINTS).open("rb") as lines:
        for line in lines:
            try:
                yield json.loads(line)
            except ValueError:
                continue  # a line that a crash cut off; it was written again whole


def _wrong_with(checkpoint: Checkpoint, last: Checkpoint | None, retired: set[str]) -> str:
    """Say what is wrong with a checkpoint in itself or after the one before; empty when nothing is."""
    head: Head = checkpoint.head
    if not settings.LOG_KEYS.verifies(head, checkpoint.key_id, bytes(checkpoint.signature)):
        return "签名无效"
    if checkpoint.key_id in retired:
        return "用已经停用的密钥签名"
    if head.previous != (sha256(last.note).digest() if last else NOTHING_BEFORE):
        return "与上一检查点不相连"
    if head.number != (last.number + 1 if last else 1) or (last and (head.size < last.size or head.at <= last.at)):
        return "编号、条数或者时间不接上一检查点"
    return ""


def _resumed(checkpoint: Checkpoint) -> Growing:
    """Return the tree as it was at a checkpoint, from its kept nodes: the earlier lines are not read again."""
    grown = Growing()
    try:
        grown.resume(Tree(checkpoint.size, read_kept).peaks())
    except LogBroken:
        return Growing()
    return grown


def _first_missing(first: int, end: int) -> int:
    """Return the first number of a run that no leaf has."""
    there = Leaf.objects.filter(number__gte=first, number__lt=end).order_by("number").values_list("number", flat=True)
    return next((expected for expected, number in enumerate(there, first) if number != expected), first + len(there))


def _out_of_order(first: int, end: int) -> int:
    """Return the first leaf between two checkpoints whose line does not follow the one before; the first one if all do."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT min(number) FROM (SELECT number, query_id, lag(query_id) OVER (ORDER BY number) AS before"
            " FROM access_leaf WHERE number >= %s AND number < %s) o WHERE query_id < before",
            [first, end],
        )
        found = cursor.fetchone()[0]
    return max(first, found - 1) if found is not None else first


def _compare(run: tuple[int, int]) -> _Part:
    with people.log("each leaf is compared with its line"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_nestloop = off")  # young lines are in no statistics: never each with each
        cursor.execute(_BOUNDS, run)
        cursor.execute(_COMPARE, [*run, *cursor.fetchone()])
        count, hashes, bad = cursor.fetchone()
    told = (bad[0], bad[1], bool(bad[2])) if bad else None
    return _Part(*run, count, bytes(hashes or b""), told)


def _compare_apart(run: tuple[int, int]) -> _Part:
    """Compare on a connection of the thread's own."""
    try:
        return _compare(run)
    finally:
        connection.close()
