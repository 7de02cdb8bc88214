"""What every request of a signed-in account passes: an end to sessions, and a first password is changed first."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from accounts.models import User
from accounts.sign_in import is_over, leave, touch
from accounts.sign_in_models import Event
from accounts.web import door_of

Handler = Callable[[HttpRequest], HttpResponse]


class SessionLimits:
    """Sign accounts out that are idle too long or signed in too long, or whose session lacks the second factor.

    GB/T 22239-2019 8.1.4.1; the limits are rows (accounts.sign_in_rules).
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = getattr(request, "user", None)
        if isinstance(user, User):
            if is_over(request, user):
                leave(request, door_of(request), Event.TIMED_OUT)
            else:
                if request.headers.get("X-Requested-With") != "fetch":  # a page that refreshes itself is nobody at work
                    touch(request)
                if user.must_change_password and request.path not in _always_open():
                    return redirect("account_password")
        return self.get_response(request)


def _always_open() -> set[str]:
    return {reverse(name) for name in ("account_password", "sign_out", "display_mode", "healthz", "readyz")}
