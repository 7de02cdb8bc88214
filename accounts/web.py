"""What pages ask of the account behind a request, and how they tell what became of a deed."""

import ipaddress
import re
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.models import User
from accounts.sign_in import is_recent
from accounts.sign_in_log import Door

BROWSER_COOKIE = "known_browser"  # says nothing by itself; the lines of signing in know its hash
_BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"))
_SYSTEMS = (("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("Mac OS", "macOS"),
            ("Linux", "Linux"))  # fmt: skip


def signed_in(request: HttpRequest) -> User:
    """Return the user of a page that only the signed-in reach. Raises PermissionDenied."""
    if not isinstance(request.user, User):
        raise PermissionDenied("请先登录。")
    return request.user


def sentence_of(error: PermissionDenied | ValidationError) -> str:
    """Return the sentence for people in a deed's refusal."""
    return error.messages[0] if isinstance(error, ValidationError) else str(error)


def do_and_say(request: HttpRequest, deed: Callable[[], object], done: str) -> None:
    """Do something for the user and say that it is done, unless the deed says so itself, or why not."""
    try:
        deed()
    except (PermissionDenied, ValidationError) as error:
        messages.error(request, sentence_of(error))
    else:
        if done:
            messages.success(request, done)


def client_address(request: HttpRequest) -> str:
    """Return the client's address: the connection's own, or the one our own proxies (a fixed number) report."""
    hops = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if part.strip()]
    if settings.TRUSTED_PROXIES and len(hops) >= settings.TRUSTED_PROXIES:
        return hops[-settings.TRUSTED_PROXIES]
    return request.META.get("REMOTE_ADDR", "")


def network(address: str) -> str:
    """Return the /24 or /48 of an address: what the log keeps (domain §7.4, prefix only)."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return ""
    return str(ipaddress.ip_network(f"{ip}/{24 if ip.version == 4 else 48}", strict=False))


def door_of(request: HttpRequest) -> Door:
    """Return where somebody stands who signs in with this request."""
    address = client_address(request)
    token = request.COOKIES.get(BROWSER_COOKIE, "")
    return Door(
        address=_counted_as(address), network=network(address), agent=_agent(request),
        browser=token if re.fullmatch(r"[\w-]{20,64}", token) else "",
    )  # fmt: skip


def _counted_as(address: str) -> str:
    """Return what attempts are counted under: an IPv4 address, or the /64 that one IPv6 customer holds."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return ""
    return address if ip.version == 4 else str(ipaddress.ip_network(f"{ip}/64", strict=False))


def _agent(request: HttpRequest) -> str:
    """Return browser and system in two words, enough to recognise one's own."""
    said = request.META.get("HTTP_USER_AGENT", "")
    found = [next((name for mark, name in table if mark in said), "") for table in (_BROWSERS, _SYSTEMS)]
    return " · ".join(filter(None, found)) or "未知浏览器"


def home_of(user: User) -> str:
    """Return the address of an account's own place."""
    places = {User.Kind.CITIZEN: "me", User.Kind.INSTITUTION: "institutions"}
    return resolve_url(places.get(User.Kind(user.kind), "admin:index"))


def safe_next(request: HttpRequest, target: str) -> str:
    """Return the path to go on to when it is one of ours, else nothing; a bare word would be taken for a page's name."""
    ours = target.startswith("/") and url_has_allowed_host_and_scheme(
        target, {request.get_host()}, require_https=request.is_secure()
    )
    return target if ours else ""


Page = TypeVar("Page", bound=Callable[..., HttpResponse])


def require_step_up(page: Page) -> Page:
    """Ask for the second factor again before a sensitive page or deed, unless it was shown just now (rule S06).

    A deed that was posted comes back to the page it was posted from: nothing is done before the answer.
    """

    @wraps(page)
    def guarded(*args: Any, **kwargs: Any) -> HttpResponse:
        request = next(arg for arg in args if isinstance(arg, HttpRequest))
        if is_recent(request):
            return page(*args, **kwargs)
        return step_up(request)

    return guarded  # type: ignore[return-value]


def step_up(request: HttpRequest) -> HttpResponse:
    """Send somebody to confirm, and then back to where they were."""
    target = request.get_full_path()
    if request.method == "POST":
        came = urlsplit(request.META.get("HTTP_REFERER", ""))
        target = came.path if came.netloc == request.get_host() else ""
        messages.warning(request, "此事项需要再次验证，刚才的操作没有生效。验证后请重新办理。")
    return redirect(f"{resolve_url('sign_in_confirm')}?{urlencode({'next': target})}")
