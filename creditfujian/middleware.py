"""What happens around every request: an id, no caching of private answers."""

import logging
import re
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from accounts import people
from creditfujian.lib import correlation

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


class LineFormatter(logging.Formatter):
    """One line per event with the request id; long digit runs never reach a log."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s [%(request_id)s] %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        record.request_id = correlation.current.get() or "-"
        return _LONG_DIGITS.sub("<number>", super().format(record))
