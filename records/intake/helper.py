"""A second process that converts and stages every block it has time for: a big file is read with two cores.

The helper has a connection and a transaction of its own. It commits its part of a chunk when told to, just before the
reading process commits the rest with the progress; so rows beyond the recorded progress may be left by a crash, and
`remove_unrecorded` takes them away before the reading goes on. Whoever of the two dies, the other's part is rolled
back: the helper commits only when told, and the reader only when the helper has answered.
"""

import array
import fcntl
import gc
import io
import os
import pickle
import sys
import termios
from collections.abc import Callable
from contextlib import suppress
from typing import Any, BinaryIO, NamedTuple, NoReturn

from django.db import connection, connections, transaction

from records.models import Batch

Rows = list[tuple[int, list[Any]]]
Prints = list[bytes] | None  # one for each row, where rows have any: see `prints`
Convert = Callable[[Rows, Prints], bytes]


class Packed(NamedTuple):
    """A block as it goes through the pipe: the rows' cells packed (`packing`)."""

    row_nos: list[int]
    cells: list[bytes]
    prints: Prints


FROM_BYTES = 4 * 1024 * 1024  # of a file; a smaller one is read before a helper would be of use
PIPE = 1024 * 1024  # what the pipe holds; a block is some 100 KB
WAITING = 256 * 1024  # enough for the helper not to wait
_LOCKS = 4_211  # advisory locks of this module; the second half is the batch


class HelperDied(Exception):
    """The second process is gone; the chunk is rolled back and the batch can go on from the one before."""


def is_worth_it(batch: Batch) -> bool:
    """Tell whether a second process pays, and may be: its rows outlive a transaction around the reading."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1  # its pipe is sized on Linux only
    return batch.file.size >= FROM_BYTES and cores > 1 and not connection.in_atomic_block


def remove_unrecorded(batch: Batch) -> None:
    """Remove staged rows beyond the recorded progress; waits for a helper that a dead reader left committing."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_LOCKS, batch.pk])
        cursor.execute("DELETE FROM records_batchrow WHERE batch_id = %s AND row_no > %s", [batch.pk, batch.last_row])


def start_over(batch: Batch) -> None:
    """Forget what is staged and recorded of a batch, so that its file is read from the beginning."""
    batch.last_row, batch.rows_done = 0, 0
    batch.save(update_fields=["last_row", "rows_done"])
    remove_unrecorded(batch)


class Helper:
    """The reading process's end. Use as a context: leaving it ends the helper and rolls back what is not committed."""

    def __init__(self, batch_id: int, copy: str, convert: Convert, unpack: Callable[[bytes], list[Any]]) -> None:
        from_reader, to_helper = os.pipe()
        from_helper, to_reader = os.pipe()
        fcntl.fcntl(to_helper, fcntl.F_SETPIPE_SZ, PIPE)
        self._pid = os.fork()
        if self._pid == 0:
            os.close(to_helper)
            os.close(from_helper)
            _serve(_Sent(os.fdopen(from_reader, "rb"), convert, unpack), to_reader, batch_id, copy)
        os.close(from_reader)
        os.close(to_reader)
        self._to_helper = os.fdopen(to_helper, "wb")
        self._from_helper = from_helper
        self._unread = array.array("i", [0])

    def __enter__(self) -> "Helper":
        return self

    def __exit__(self, *exc: object) -> None:
        with suppress(BrokenPipeError):
            self._to_helper.close()
        os.close(self._from_helper)
        os.waitpid(self._pid, 0)

    def has_time(self) -> bool:
        """Tell whether the helper has nearly read what it was sent."""
        fcntl.ioctl(self._to_helper, termios.FIONREAD, self._unread)
        return self._unread[0] < WAITING

    def send(self, block: Packed | None) -> None:
        """Hand over a block. Raises HelperDied."""
        try:
            pickle.dump(block and tuple(block), self._to_helper, pickle.HIGHEST_PROTOCOL)
            self._to_helper.flush()
        except BrokenPipeError:
            raise HelperDied from None

    def commit(self) -> None:
        """Let the helper commit its part of the chunk, and wait until it has. Raises HelperDied."""
        self.send(None)
        if os.read(self._from_helper, 1) != b"1":
            raise HelperDied


def _serve(sent: "_Sent", answers: int, batch_id: int, copy: str) -> NoReturn:
    """Stage chunk after chunk until the reader closes the pipe. Never returns: the process is a copy of the reader."""
    gc.disable()  # rows make no cycles
    try:
        link = connections.create_connection("default")
        link.connect()
        link.set_autocommit(False)
        while True:
            with link.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock_shared(%s, %s)", [_LOCKS, batch_id])
                cursor.copy_expert(copy, sent, size=65536)
            link.commit()
            os.write(answers, b"1")
    except BaseException as error:  # nothing may reach the code that this process is a copy of
        # Without a reader there is nothing more to do: what was not committed is rolled back with the connection.
        if not sent.ended:
            sys.stderr.write(f"intake helper: {type(error).__name__}\n")
    finally:
        os._exit(0)


class _Sent(io.RawIOBase):
    """The blocks of a chunk as they come through the pipe, as a file that COPY reads."""

    def __init__(self, source: BinaryIO, convert: Convert, unpack: Callable[[bytes], list[Any]]) -> None:
        self._source, self._convert, self._unpack = source, convert, unpack
        self._left = memoryview(b"")
        self.ended = False

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if not self._left and (block := self._next()):
            rows = list(zip(block.row_nos, map(self._unpack, block.cells), strict=True))
            self._left = memoryview(self._convert(rows, block.prints))
        data, self._left = self._left[:size], self._left[size:]
        return bytes(data)

    def _next(self) -> Packed | None:
        try:
            block = pickle.load(self._source)  # noqa: S301 – our own process wrote it
            return block and Packed(*block)
        except EOFError:
            self.ended = True
            raise
