"""What every page knows."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

LARGE_TYPE_COOKIE = "large_type"


def site(request: HttpRequest) -> dict[str, Any]:
    """Return the demo mark and the reader's display mode."""
    return {
        "demo": settings.DEMO,
        "display": {"large": request.COOKIES.get(LARGE_TYPE_COOKIE) == "1"},
    }
