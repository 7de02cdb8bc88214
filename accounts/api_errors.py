"""Every refusal of the API as application/problem+json, in Chinese, with a code and what is wrong."""

from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response

from creditfujian.lib.correlation import request_id
from creditfujian.lib.problems import TITLES, problem

CONTENT_TYPE = "application/problem+json"
STATES = ("state",)  # codes of ValidationError that say: not now


class Problem(exceptions.APIException):
    """A refusal: a code of ours or of the pages, the status, what is wrong and what to do next."""

    def __init__(
        self, status: int, code: str, detail: str, *, title: str = "", headers: dict[str, str] | None = None,
        errors: list[dict[str, str]] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(detail)
        self.status_code, self.code, self.sentence = status, code, detail
        self.title, self.headers, self.errors = title or TITLES[code], headers or {}, errors


def answer(error: Exception, context: dict[str, Any]) -> Response | None:
    """Turn an exception into the answer; None for what nobody foresaw, which is logged and answered as 500."""
    found = _problem_of(error)
    if found is None:
        return None
    body = problem(
        found.status_code, found.code, found.sentence, request_id=request_id(), title=found.title, errors=found.errors
    )
    return Response(body, status=found.status_code, content_type=CONTENT_TYPE, headers=found.headers)


def _problem_of(error: Exception) -> Problem | None:
    if isinstance(error, Problem):
        return error
    if isinstance(error, Http404 | exceptions.NotFound):
        return Problem(404, "A12", "没有这个资源，或者它不属于本单位。")
    if isinstance(error, PermissionDenied):
        return Problem(403, "A18", str(error) or "没有办理的职责。")
    if isinstance(error, ValidationError):
        code = error.code if hasattr(error, "code") else ""
        return Problem(409, "A17", error.messages[0]) if code in STATES else Problem(422, "A19", error.messages[0])
    if isinstance(error, exceptions.ValidationError):
        return Problem(422, "A19", "有参数不对，详见 errors。", errors=list(_fields(error.detail)))
    if isinstance(error, exceptions.MethodNotAllowed):
        return Problem(405, "A13", "这个地址不支持这个方法，支持的见 Allow。")
    if isinstance(error, exceptions.UnsupportedMediaType):
        return Problem(415, "A14", "不支持这种内容类型，见接口说明。")
    return (
        Problem(400, "A11", "请求无法解析，请对照接口说明核对。") if isinstance(error, exceptions.ParseError) else None
    )


def _fields(detail: Any) -> "list[dict[str, str]]":
    """Return field and message of each of DRF's validation errors."""
    pairs = detail.items() if isinstance(detail, dict) else [("", detail)]
    return [
        {"field": str(name), "message": str(message)}
        for name, found in pairs
        for message in (found if isinstance(found, list) else [found])
    ]
