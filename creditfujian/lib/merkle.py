"""Merkle trees of RFC 6962: a root that commits to every leaf in its place, and short proofs about it.

A tree grows at its right edge only. Leaf hashes are level 0; of the levels above, every eighth is kept (8, 16, …), each
node once its subtree is complete. From these any root, path or proof takes a few reads of at most 256 hashes. Hashes are
handed about joined together, 32 bytes each. Checking proofs is the verifier's work: tools/verify_log.py.
"""

from collections.abc import Callable, Iterator
from hashlib import sha256

SIZE = 32
STEP = 8  # every eighth level is kept
TILE = 1 << STEP
EMPTY_ROOT = sha256(b"").digest()

# (level, first, count) -> that many hashes of a kept level, joined together
Read = Callable[[int, int, int], bytes]


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of a leaf (RFC 6962 section 2.1)."""
    return sha256(b"\0" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of a node over its two children."""
    return sha256(b"\1" + left + right).digest()


def parents(hashes: bytes) -> bytes:
    """Return the hashes one level up; the last of an odd number goes up as it is."""
    whole = len(hashes) // (2 * SIZE) * 2 * SIZE
    above = b"".join([sha256(b"\1" + hashes[at : at + 2 * SIZE]).digest() for at in range(0, whole, 2 * SIZE)])
    return above + hashes[whole:]


def fold(hashes: bytes) -> bytes:
    """Return the root over some hashes of one level."""
    if not hashes:
        return EMPTY_ROOT
    while len(hashes) > SIZE:
        hashes = parents(hashes)
    return hashes


def split(hashes: bytes) -> list[bytes]:
    """Return joined hashes as a list."""
    return [hashes[at : at + SIZE] for at in range(0, len(hashes), SIZE)]


def completed(level: int, before: int, size: int, read: Read) -> tuple[int, bytes]:
    """Return the nodes of a kept level that became complete when the tree grew: the first one's number, the hashes.

    The kept level below must be readable up to `size`.
    """
    first, end = before >> level, size >> level
    below = read(level - STEP, first * TILE, (end - first) * TILE) if end > first else b""
    tiles = range(0, len(below), TILE * SIZE)
    return first, b"".join(fold(below[at : at + TILE * SIZE]) for at in tiles)


def root_from_peaks(peaks: list[bytes]) -> bytes:
    """Return the root over complete subtrees from left to right, each smaller than the one before."""
    if not peaks:
        return EMPTY_ROOT
    root = peaks[-1]
    for peak in reversed(peaks[:-1]):
        root = node_hash(peak, root)
    return root


class Tree:
    """A tree of a given size whose kept hashes are read where they lie."""

    def __init__(self, size: int, read: Read) -> None:
        self.size = size
        self._read = read
        self._tiles: dict[tuple[int, int], bytes] = {}

    def root(self) -> bytes:
        """Return the root over all leaves."""
        return self._over(0, self.size)

    def peaks(self) -> list[tuple[int, bytes]]:
        """Return level and hash of the complete subtrees that make up the tree, largest first."""
        return [(level, self._subtree(level, number)) for level, number in _peaks(0, self.size)]

    def path(self, leaf: int) -> list[bytes]:
        """Return the audit path of a leaf, lowest first (section 2.1.1). Raises IndexError."""
        if not 0 <= leaf < self.size:
            raise IndexError(leaf)
        return self._path(leaf, 0, self.size)

    def consistency(self, before: int) -> list[bytes]:
        """Return the proof that the tree of size `before` is its beginning (section 2.1.2). Raises IndexError."""
        if not 0 < before <= self.size:
            raise IndexError(before)
        return self._subproof(before, 0, self.size, whole=True)

    def _path(self, leaf: int, first: int, end: int) -> list[bytes]:
        if end - first == 1:
            return []
        middle = first + _half(end - first)
        if leaf < middle:
            return [*self._path(leaf, first, middle), self._over(middle, end)]
        return [*self._path(leaf, middle, end), self._over(first, middle)]

    def _subproof(self, before: int, first: int, end: int, *, whole: bool) -> list[bytes]:
        if before == end:
            return [] if whole else [self._over(first, end)]
        middle = first + _half(end - first)
        if before <= middle:
            return [*self._subproof(before, first, middle, whole=whole), self._over(middle, end)]
        return [*self._subproof(before, middle, end, whole=False), self._over(first, middle)]

    def _over(self, first: int, end: int) -> bytes:
        """Return the root over leaves first to end; `first` is a multiple of every power of two that fits in between."""
        return root_from_peaks([self._subtree(level, number) for level, number in _peaks(first, end)])

    def _subtree(self, level: int, number: int) -> bytes:
        kept = level - level % STEP
        count = 1 << (level - kept)
        at = number * count
        tile = self._tile(kept, at // TILE)
        start = at % TILE * SIZE
        return fold(tile[start : start + count * SIZE])

    def _tile(self, level: int, number: int) -> bytes:
        if (level, number) not in self._tiles:
            first = number * TILE
            self._tiles[level, number] = self._read(level, first, min(TILE, (self.size >> level) - first))
        return self._tiles[level, number]


def _half(size: int) -> int:
    """Return the largest power of two smaller than a size."""
    return 1 << ((size - 1).bit_length() - 1)


def _peaks(first: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield level and number of the complete subtrees that make up leaves first to end, largest first."""
    while first < end:
        level = (end - first).bit_length() - 1
        yield level, first >> level
        first += 1 << level


class Growing:
    """A tree built from its leaves from left to right, keeping its right edge only; roots at any size on the way."""

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[tuple[int, bytes]] = []  # level and hash, levels falling

    def resume(self, peaks: list[tuple[int, bytes]]) -> None:
        """Go on from an earlier tree (`Tree.peaks`)."""
        for level, peak in peaks:
            self._push(level, peak)

    def add(self, hashes: bytes) -> None:
        """Take in more leaf hashes. Large aligned pieces are hashed level by level."""
        at, count = 0, len(hashes) // SIZE
        while at < count:
            aligned = (self.size & -self.size).bit_length() - 1 if self.size else 63
            level = min(aligned, (count - at).bit_length() - 1)
            self._push(level, fold(hashes[at * SIZE : (at + (1 << level)) * SIZE]))
            at += 1 << level

    def root(self) -> bytes:
        """Return the root of what was taken in so far."""
        return root_from_peaks([peak for _, peak in self._peaks])

    def _push(self, level: int, peak: bytes) -> None:
        self.size += 1 << level
        while self._peaks and self._peaks[-1][0] == level:
            peak = node_hash(self._peaks.pop()[1], peak)
            level += 1
        self._peaks.append((level, peak))
