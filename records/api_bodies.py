"""The body of a delivery: taken off the wire whole before anything is begun, never more than is allowed, and counted.

A client that dies half-way leaves nothing: what was announced and what arrived are compared. The copy on disk has no name
and is gone with the request.
"""

import hashlib
import tempfile
from typing import Any, BinaryIO

from django.core.handlers.wsgi import WSGIRequest
from rest_framework.exceptions import ParseError
from rest_framework.parsers import MultiPartParser

from accounts.api_errors import Problem
from creditfujian.lib.counted import Counted
from records.intake.base import CODES
from records.intake.limits import limits_for
from records.models import Batch

BLOCK = 1 << 20
IN_MEMORY = 2 << 20
AROUND_THE_FILE = 64 * 1024  # of a multipart body: boundaries, headers, the other fields
LINES = ("application/x-ndjson", "application/jsonl")


def most_bytes() -> int:
    """Return how large what comes by the API may be."""
    return limits_for(Batch.Channel.API).max_bytes


def refuse_too_large() -> Problem:
    """Return the refusal of a body that is too large, by the code that the page uses."""
    message = f"内容超过上限 {most_bytes() // BLOCK} MB。请分成几次报送。"
    return Problem(413, "F02", message, title=CODES["F02"])


def _announced(request: WSGIRequest) -> int | None:
    """Return the length that the client announced; None when it sends in chunks. Raises Problem."""
    length = request.META.get("CONTENT_LENGTH") or ""
    if length.isdecimal():
        return int(length)
    if request.environ.get("wsgi.input_terminated") and "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", ""):
        return None
    raise Problem(411, "A15", "请带上 Content-Length；JSON 行也可以分块传输（Transfer-Encoding: chunked）。")


def take(request: WSGIRequest) -> tuple[BinaryIO, str]:
    """Return a body as a stream at its beginning, and its SHA-256. Raises Problem."""
    announced, most = _announced(request), most_bytes()
    if announced is not None and announced > most:
        raise refuse_too_large()
    source: Any = request if announced is not None else request.environ["wsgi.input"]
    body: BinaryIO = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # type: ignore[assignment]  # noqa: SIM115 – closed by its last user
    digest, size = hashlib.sha256(), 0
    try:
        while block := source.read(BLOCK):
            size += len(block)
            if size > most:
                raise refuse_too_large()
            digest.update(block)
            body.write(block)
    except OSError:  # the client went away, or its chunks are broken
        raise _cut_short() from None
    if announced is not None and size < announced:
        raise _cut_short()
    body.seek(0)
    return body, digest.hexdigest()


def _cut_short() -> Problem:
    return Problem(400, "A16", "内容没有传完，没有收下任何一行。请用同一个 Idempotency-Key 重发。")


def length_of_file(request: WSGIRequest) -> int:
    """Return the length of a multipart body, which is needed: in chunks Django sees none. Raises Problem."""
    announced = _announced(request)
    if announced is None:
        raise Problem(411, "A15", "上传文件请带上 Content-Length。")
    return announced


class WholeMultiPart(MultiPartParser):
    """Multipart, refused before reading when it is too large and after reading when it was cut short."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        """Raises Problem and ParseError."""
        announced = length_of_file(parser_context["request"]._request)
        if announced > most_bytes() + AROUND_THE_FILE:
            raise refuse_too_large()
        counted = Counted(stream)
        try:
            parsed = super().parse(counted, media_type, parser_context)
        except (ParseError, OSError):
            if 0 < counted.size < announced:  # else it was not even begun: no boundary
                raise _cut_short() from None
            raise
        if counted.size < announced:  # Django takes the end of the stream for the end of the file
            raise _cut_short()
        return parsed


def digest_of(file: Any) -> str:
    """Return the SHA-256 of an uploaded file, and leave it at its beginning."""
    digest = hashlib.sha256()
    for block in file.chunks(BLOCK):
        digest.update(block)
    file.seek(0)
    return digest.hexdigest()
