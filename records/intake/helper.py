"""A forked helper that does part of the tasks, so that a second processor works on a big file.

The helper is given tasks and sends back bytes; it touches neither the database nor the file. When it dies or hangs,
the worker does its tasks and goes on alone. `multiprocessing` will not do: the workers of django-q2 are daemons and
may have no children of its kind.
"""

import gc
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import chain, islice
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from queue import SimpleQueue
from threading import Thread
from typing import Generic, NoReturn, TypeVar

Task = TypeVar("Task")

PATIENCE = 60  # seconds for one task that takes a fiftieth of one
ALONE = 4  # tasks before a helper is worth its fork
GIVEN = 3  # tasks that the helper holds, so that it never waits for the worker
AHEAD = 8  # results that wait for an earlier one


def two_at_once(tasks: Iterator[Task], do: Callable[[Task], bytes]) -> Iterator[tuple[Task, bytes]]:
    """Do the tasks, the helper as many as it can; yield each with its result in the order of the tasks."""
    for task in islice(tasks, ALONE):
        yield task, do(task)
    first = list(islice(tasks, 1))
    if not first:
        return
    helper = Helper(do)
    begun: deque[tuple[Task, bytes | None]] = deque()  # in order; no result yet where the helper has the task

    def finish() -> tuple[Task, bytes]:
        task, done = begun.popleft()
        return task, helper.take(task) if done is None else done

    try:
        for task in chain(first, tasks):
            begun.append((task, None if helper.give(task) else do(task)))
            while begun and (begun[0][1] is not None or len(begun) > AHEAD or helper.is_ready()):
                yield finish()
        while begun:
            yield finish()
    finally:
        helper.end()


class Helper(Generic[Task]):
    """A process forked off with everything that the work needs; gone as soon as it fails."""

    def __init__(self, do: Callable[[Task], bytes]) -> None:
        self._do = do
        self._given = 0
        self._pipe, theirs = Pipe()
        self._pid = os.fork() if (os.cpu_count() or 1) > 1 else None
        if self._pid == 0:
            self._pipe.close()
            _serve(theirs, do)
        theirs.close()

    def give(self, task: Task) -> bool:
        """Hand over a task, whose result `take` gives in its turn; return False when the helper has enough."""
        if not self._pid or self._given == GIVEN:
            return False
        try:
            self._pipe.send(task)
        except OSError:
            self.end()
            return False
        self._given += 1
        return True

    def is_ready(self) -> bool:
        """Tell whether `take` need not wait."""
        return not self._pid or self._pipe.poll()

    def take(self, task: Task) -> bytes:
        """Return the result of the task given longest ago; do it here when the helper cannot."""
        if self._pid:
            try:
                if self._pipe.poll(PATIENCE):
                    done = self._pipe.recv_bytes()
                    self._given -= 1
                    return done
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
    tasks: SimpleQueue[Task | None] = SimpleQueue()

    def receive() -> None:  # at all times, or two full pipes would wait for each other
        try:
            while True:
                tasks.put(pipe.recv())
        except (EOFError, OSError):
            tasks.put(None)

    try:
        sys.setswitchinterval(0.0005)  # the worker, giving a task, waits for the receiving thread's turn
        gc.disable()  # else the first search for cycles copies every page shared with the worker
        Thread(target=receive, daemon=True).start()
        while (task := tasks.get()) is not None:
            pipe.send_bytes(do(task))
    finally:
        os._exit(0)  # no tidying up: the database connection and the open files are the worker's
