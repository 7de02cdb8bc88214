"""Every address of the portal, from the resolver itself: nothing is listed by hand, so nothing is forgotten."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

API = "api/v1/"
NOT_WALKED = {"admin:logout"}  # the way out of the portal, for staff: sign_out in another dress


@dataclass(frozen=True)
class Route:
    """One address: its name, its pattern as Django writes it, and what answers."""

    name: str
    pattern: str
    callback: Any

    @property
    def has_object(self) -> bool:
        """Whether the address names one thing."""
        return "<" in self.pattern or "(?P" in self.pattern

    @property
    def is_api(self) -> bool:
        """Whether systems call it."""
        return self.pattern.startswith(API)


def walk(patterns: list[URLPattern | URLResolver], prefix: str = "", space: str = "") -> Iterator[Route]:
    """Yield each address below these patterns."""
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            inner = f"{space}{pattern.namespace}:" if pattern.namespace else space
            yield from walk(pattern.url_patterns, route, inner)
        else:
            yield Route(f"{space}{pattern.name or route}", route, pattern.callback)


def all_routes() -> list[Route]:
    """Every address of the portal, in the order of names."""
    return sorted(walk(get_resolver().url_patterns), key=lambda route: (route.name, route.pattern))


_PART = re.compile(r"<(?:(\w+):)?(\w+)>")
SPELT_OUT = {
    "admin:app_list": "/admin/records/", "admin:admin/(?P<url>.*)$": "/admin/none-such/", "admin:view_on_site": "/admin/r/1/1/",
}  # fmt: skip
NOWHERE = {"int": "987654321", "path": "987654321", "str": "none-such"}


def address(route: Route, keys: dict[str, str]) -> str:
    """Fill an address in with what is on the stage. A new kind of object must be put there: that is the point."""
    if "(?P" in route.pattern or route.name == "admin:view_on_site":
        return SPELT_OUT[route.name]
    parts = route.pattern.split("/")
    kind = "_".join(parts[1:3]) if route.name.startswith("admin:") else parts[1] if len(parts) > 1 else ""

    def fill(found: re.Match[str]) -> str:
        key = "api/v1" if route.is_api else found[0] if found[1] == "str" else kind
        assert key in keys, f"{route.name} has nothing to show: put it on the stage"
        return keys.get(route.name + found[0], keys[key])  # perhaps another of its kind, in the state that this needs

    return "/" + _PART.sub(fill, route.pattern)


def address_of_nothing(route: Route) -> str:
    """Fill an address in with what does not exist."""
    if route.name in SPELT_OUT:
        return "/admin/none-such/"
    return "/" + _PART.sub(lambda found: NOWHERE[found[1] or "str"], route.pattern)
