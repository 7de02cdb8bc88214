"""What pages ask of the account behind a request, and how they tell what became of a deed."""

from collections.abc import Callable

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest

from accounts.models import User


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
