"""A forked helper that does every other task, so that a second processor works on a big file.

The helper is given a task at a time and sends back bytes; it touches neither the database nor the file. When it
dies or hangs, the worker does the task itself and goes on alone. `multiprocessing` will not do: the workers of
django-q2 are daemons and may have no children of its kind.
"""

import gc
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Generic, NoReturn, TypeVar

Task = TypeVar("Task")

PATIENCE = 60  # seconds for one task that takes a fiftieth of one
ALONE = 4  # tasks before a helper is worth its fork


def two_at_once(tasks: Iterator[Task], do: Callable[[Task], bytes]) -> Iterator[tuple[Task, bytes]]:
    """Do the tasks, every other one in a helper; yield each with its result in the order of the tasks."""
    for count, task in enumerate(tasks, 1):
        yield task, do(task)
        if count == ALONE:
            break
    if (given := next(tasks, None)) is None:
        return
    helper = Helper(do)
    try:
        helper.give(given)
        while given is not None:
            mine = next(tasks, None)
            done = do(mine) if mine is not None else b""
            theirs = helper.take(given)
            if (following := next(tasks, None)) is not None:
                helper.give(following)  # before the results are used, so that it never waits for that
            yield given, theirs
            if mine is not None:
                yield mine, done
            given = following
    finally:
        helper.end()


class Helper(Generic[Task]):
    """A process forked off with everything that the work needs; gone as soon as it fails."""

    def __init__(self, do: Callable[[Task], bytes]) -> None:
        self._do = do
        self._pipe, theirs = Pipe()
        self._pid = os.fork() if (os.cpu_count() or 1) > 1 else None
        if self._pid == 0:
            self._pipe.close()
            _serve(theirs, do)
        theirs.close()

    def give(self, task: Task) -> None:
        """Hand over a task; call `take` before the next."""
        if self._pid:
            try:
                self._pipe.send(task)
            except OSError:
                self.end()

    def take(self, task: Task) -> bytes:
        """Return the result of the task given; do it here when the helper cannot."""
        if self._pid:
            try:
                if self._pipe.poll(PATIENCE):
                    return self._pipe.recv_bytes()
            except (OSError, EOFError):
                pass  # it died: below
            self.end()
        return self._do(task)

    def end(self) -> None:
        """Stop the helper. It holds nothing that could be lost."""
        if self._pid:
            with suppress(ProcessLookupError, ChildProcessError):  # where SIGCHLD is ignored it may be gone for good
                os.kill(self._pid, signal.SIGKILL)
                os.waitpid(self._pid, 0)
            self._pid = None
        self._pipe.close()


def _serve(pipe: Connection, do: Callable[[Task], bytes]) -> NoReturn:
    try:
        gc.disable()  # else the first search for cycles copies every page shared with the worker
        while True:
            pipe.send_bytes(do(pipe.recv()))
    finally:
        os._exit(0)  # no tidying up: the database connection and the open files are the worker's
