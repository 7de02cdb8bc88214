"""A stream that counts what is read from it: what was announced and what arrived are compared."""

from typing import Any


class Counted:
    """Wraps what a request reads its body from."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.size = 0

    def read(self, *size: int) -> bytes:
        return self._count(self._stream.read(*size))

    def readline(self, *size: int) -> bytes:
        return self._count(self._stream.readline(*size))

    def _count(self, data: bytes) -> bytes:
        self.size += len(data)
        return data
