"""What happens around every request: an id, no caching of private answers, no form that was cut off on its way."""

import logging
import re
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.request import UnreadablePostError

from accounts import people
from creditfujian import errors
from creditfujian.lib import correlation
from creditfujian.lib.counted import Counted

Handler = Callable[[HttpRequest], HttpResponse]
_LONG_DIGITS = re.compile(r"\d{15,}[\dXx]?")


class RequestId:
    """Give every request an id that log lines, changes and queries share."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        token = correlation.begin()
        try:
            response = self.get_response(request)
            response["X-Request-Id"] = correlation.request_id()
            return response
        finally:
            correlation.end(token)


class NobodyOpen:
    """Let every request begin with no person's row open, and leave none open behind (docs/row-level-security.md)."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with people.nobody():
            return self.get_response(request)


class PrivateByDefault:
    """Pages are never stored by anybody in between; static files set their own caching."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not response.has_header("Cache-Control"):
            response["Cache-Control"] = "no-store, private"
        response["Cross-Origin-Opener-Policy"] = "same-origin"
        response["Permissions-Policy"] = "camera=(), geolocation=(), microphone=(), payment=()"
        return response


class WholeForms:
    """Refuse a form with files that was cut off on its way: Django takes the end of the stream for the end of the file.

    The API has parsers of its own that do the same (records.api_bodies).
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.content_type == "multipart/form-data":
            request._stream = Counted(request._stream)  # type: ignore[assignment]
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *view: object) -> HttpResponse | None:
        """Read the form before anybody uses it, and compare what came with what was announced."""
        if request.content_type != "multipart/form-data" or request.path.startswith(errors.API):
            return None
        try:
            request.POST  # noqa: B018 – reading it is what it is for
        except UnreadablePostError:
            return errors.cut_off(request)
        came: int = request._stream.size  # type: ignore[attr-defined]
        return errors.cut_off(request) if came < int(request.META.get("CONTENT_LENGTH") or 0) else None


class LineFormatter(logging.Formatter):
    """One line per event with the request id; long digit runs never reach a log."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s [%(request_id)s] %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        record.request_id = correlation.current.get() or "-"
        return _LONG_DIGITS.sub("<number>", super().format(record))
