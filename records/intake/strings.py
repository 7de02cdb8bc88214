"""The shared string table of a workbook, kept out of the heap when it is large.

A table of six million addresses costs openpyxl and calamine a gigabyte. Here strings beyond
a small budget go, 64 at a time, to an unnamed temporary file that only this process can open
and that vanishes with it; what is asked for again soon is kept.
"""

from __future__ import annotations

import os
import re
import tempfile
from array import array
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from lxml import etree

from .base import Limits, refuse_long
from .parts import Package, Part, stream_elements, strict_parser
from .plain import Irregular, PlainList, unescape, unescape_excel

BLOCK = 64
KEPT_BLOCKS = 512  # about 10 MB of ordinary cells
HELD_BYTES = 48 * 1024 * 1024


class SharedStrings:
    """`held` are the first strings, on the heap; `later` looks up the others.

    Writers number strings by first use, so what repeats from row to row is nearly always among
    the first, and the others are asked for in order.
    """

    def __init__(self, batches: Iterable[list[str]] = ()) -> None:
        self.held: list[str] = []
        self._file: StringFile | None = None
        size = 0
        batches = iter(batches)
        for batch in batches:
            self.held += batch
            size += heap_size(batch)
            if size > HELD_BYTES:
                self._file = StringFile(batches)

    def later(self, index: int) -> str:
        """A string beyond those held. Raises IndexError when there is none."""
        if self._file is None or index < len(self.held):
            raise IndexError(index)
        return self._file[index - len(self.held)]


class StringFile:
    """Sequence of strings on disk in blocks of 64. Unknown indexes: IndexError."""

    def __init__(self, batches: Iterator[list[str]]) -> None:
        self._file: BinaryIO = tempfile.TemporaryFile(prefix="strings-")  # noqa: SIM115
        self._starts = array("Q", [0])
        self._kept: dict[int, list[str]] = {}
        rest: list[str] = []
        for batch in batches:
            rest += batch
            whole = len(rest) - len(rest) % BLOCK
            for start in range(0, whole, BLOCK):
                self._add(rest[start : start + BLOCK])
            del rest[:whole]
        if rest:
            self._add(rest)
        self._file.flush()

    def _add(self, block: list[str]) -> None:
        """No string holds NUL: XML cannot, and escaped ones stay escaped."""
        packed = "\0".join(block).encode()
        self._file.write(packed)
        self._starts.append(self._starts[-1] + len(packed))

    def __getitem__(self, index: int) -> str:
        block = self._kept.get(index // BLOCK)
        if block is None:
            block = self._load(index // BLOCK)
        return block[index % BLOCK]

    def _load(self, number: int) -> list[str]:
        if not 0 <= number < len(self._starts) - 1:
            raise IndexError(number)
        start, end = self._starts[number], self._starts[number + 1]
        block = os.pread(self._file.fileno(), end - start, start).decode().split("\0")
        if len(self._kept) >= KEPT_BLOCKS:
            del self._kept[next(iter(self._kept))]
        self._kept[number] = block
        return block


def heap_size(batch: list[str]) -> int:
    """Roughly what these strings weigh in memory: two bytes a character and their frames."""
    return 2 * sum(map(len, batch)) + 84 * len(batch)


def load_strings(package: Package, name: str, limits: Limits) -> SharedStrings:
    """All shared strings of the workbook; none when it has no such part."""
    return SharedStrings(string_batches(package, name, limits) if name in package else ())


def string_batches(package: Package, name: str, limits: Limits) -> Iterator[list[str]]:
    """Lists of strings in order; by pattern where the XML is plain, else by lxml from there on."""
    done = 0
    try:
        with package.open(name) as part:
            for batch in _plain_batches(part, limits):
                yield batch
                done += len(batch)
    except Irregular:
        with package.open(name) as part:
            yield from _lxml_batches(part, done, limits)


def _plain_batches(part: Part, limits: Limits) -> Iterator[list[str]]:
    """Irregular is raised where lxml must take over."""
    table = PlainList(part, "sst", "si")
    item = _item_pattern(table.prefix)
    for chunk in table.chunks():
        batch = []
        escaped = "&" in chunk or "_x" in chunk
        for content, rich, odd in item.findall(chunk.rstrip()):
            if odd:
                raise Irregular
            text = content
            if rich:
                text = _rich_text(rich, table)
            elif escaped:
                text = unescape_excel(unescape(text))
            batch.append(text)
        _check_lengths(batch, limits)
        yield batch
    for _ in table.after():
        pass


def _item_pattern(prefix: str) -> re.Pattern[str]:
    tag, end = f"<{prefix}", f"</{prefix}"
    return re.compile(
        rf'\s*(?:{tag}si>\s*{tag}t(?: xml:space="preserve")?>([^<]*){end}t>\s*{end}si>'
        rf"|({tag}si>.*?{end}si>)|{tag}si\s*/>|(.))",
        re.DOTALL,
    )


def _rich_text(xml: str, table: PlainList) -> str:
    tag = f"{table.prefix}sst"
    try:
        item = etree.fromstring(f"<{tag} {table.namespaces}>{xml}</{tag}>", strict_parser())[0]
    except (etree.XMLSyntaxError, IndexError):
        raise Irregular from None
    return element_text(item)


def element_text(item: etree._Element) -> str:
    """Text of an `si` or `is`: its `t` and the `t` of its runs, without phonetic runs."""
    pieces = []
    for child in item.iterchildren("{*}t", "{*}r"):
        if child.tag[-1] == "t":
            pieces.append(child.text or "")
        else:
            pieces += [t.text or "" for t in child.iterchildren("{*}t")]
    return unescape_excel("".join(pieces))


def _lxml_batches(part: Part, skip: int, limits: Limits) -> Iterator[list[str]]:
    """The same strings by lxml, without the first `skip`, which were already given."""
    batch: list[str] = []
    for number, item in enumerate(stream_elements(part, "{*}si")):
        if number >= skip:
            batch.append(element_text(item))
        if len(batch) >= 1000:
            _check_lengths(batch, limits)
            yield batch
            batch = []
    _check_lengths(batch, limits)
    yield batch


def _check_lengths(batch: list[str], limits: Limits) -> None:
    if batch and max(map(len, batch)) > limits.max_cell_chars:
        refuse_long(limits)
