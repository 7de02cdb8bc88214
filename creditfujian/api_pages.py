"""The pages for developers: what the API is, readable without script, its OpenAPI document, and a console over it."""

import json
from functools import lru_cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator

from accounts.token_models import Scope
from creditfujian.lib.problems import ADVICE, TITLES
from records.intake.reasons import explained


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """Explain every address, scope and code; about nobody, so that anybody may read it."""
    codes = [(code, title, ADVICE[code]) for code, title in TITLES.items()]
    context = {"operations": _operations(), "codes": codes, "scopes": Scope.choices, "reasons": list(explained())}
    return render(request, "api/docs.html", context)


@require_safe
def console(request: HttpRequest) -> HttpResponse:
    """Let a developer call the API from the page, with a token of their own."""
    return render(request, "api/console.html")


@require_safe
def schema(request: HttpRequest) -> HttpResponse:
    """Return the OpenAPI document; it is made once per process."""
    return HttpResponse(_as_json(), content_type="application/vnd.oai.openapi+json;version=3.1")


@lru_cache(1)
def _document() -> dict[str, Any]:
    made: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return made


@lru_cache(1)
def _as_json() -> bytes:
    return json.dumps(_document(), ensure_ascii=False, indent=1).encode()


def _operations() -> list[dict[str, Any]]:
    """Return method, address, summary and explanation of every operation, in the document's order."""
    return [
        {"method": method.upper(), "path": path, "summary": one["summary"], "text": one.get("description", "")}
        for path, methods in _document()["paths"].items()
        for method, one in methods.items()
    ]
