"""The page that explains the API: readable without script, and with it a console over the OpenAPI document."""

from functools import lru_cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator

from accounts.token_models import Scope
from creditfujian.lib.problems import ADVICE, TITLES


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """Explain every address, scope and code; about nobody, so that anybody may read it."""
    codes = [(code, title, ADVICE[code]) for code, title in TITLES.items()]
    return render(request, "api/docs.html", {"operations": _operations(), "codes": codes, "scopes": Scope.choices})


@lru_cache(1)
def _operations() -> list[dict[str, Any]]:
    """Return method, address, summary and explanation of every operation, in the document's order."""
    schema = SchemaGenerator().get_schema(request=None, public=True)
    return [
        {"method": method.upper(), "path": path, "summary": one["summary"], "text": one.get("description", "")}
        for path, methods in schema["paths"].items()
        for method, one in methods.items()
    ]
