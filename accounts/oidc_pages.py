"""To the identity service and back."""

import time
from dataclasses import asdict
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.models import User
from accounts.oidc import Errand, Provider, Refused, claims, provider, way_there
from accounts.oidc_actions import account_of
from accounts.sign_in import confirm
from accounts.sign_in_log import write
from accounts.sign_in_models import Event, Method
from accounts.sign_in_pages import admit
from accounts.sign_in_rules import limits
from accounts.web import door_of, home_of, safe_next

KEY = "identity_errand"
SENTENCE = (
    "没有完成统一身份认证，或者认证结果不能用于登录。可以重试；仍然不行的，请本人带居民身份证原件到政务服务窗口办理。"
)


@require_safe
def start(request: HttpRequest) -> HttpResponse:
    """Send the browser to the identity service (a link, not a form: our policy lets no form lead elsewhere)."""
    one = provider()
    if one is None:
        return redirect("sign_in")
    back = request.build_absolute_uri(reverse("sign_in_oidc_back"))
    errand = Errand.new(redirect_uri=back, next_page=safe_next(request, request.GET.get("next", "")))
    try:
        there = way_there(one, errand)
    except Refused as error:
        return _refuse(request, one, error.reason)
    request.session[KEY] = asdict(errand)
    return HttpResponseRedirect(there)


@require_safe
def back(request: HttpRequest) -> HttpResponse:
    """Take the answer: an errand is answered once, from the browser that began it, within minutes."""
    one, kept = provider(), request.session.pop(KEY, None)
    if one is None:
        return redirect("sign_in")
    try:
        if kept is None or time.time() - kept["at"] > limits().pending.total_seconds():
            raise Refused("no_errand")
        errand = Errand(**kept)
        if "error" in request.GET:
            raise Refused("declined")
        if request.GET.get("iss", one.issuer) != one.issuer:  # RFC 9207: another service's answer
            raise Refused("issuer")
        state, code = request.GET.get("state", ""), request.GET.get("code", "")
        user = account_of(claims(one, errand, state=state, code=code), issuer=one.issuer, door=door_of(request))
    except Refused as error:
        return _refuse(request, one, error.reason)
    return _welcome(request, user, errand.next)


def _welcome(request: HttpRequest, user: User, target: str) -> HttpResponse:
    """Sign in, or take it as a confirmation when the same account is signed in already."""
    if isinstance(request.user, User) and request.user.pk == user.pk:
        confirm(request, user, door_of(request), method=Method.OIDC)
        return redirect(target or home_of(user))
    return admit(request, user, target, method=Method.OIDC, factor=True)


def _refuse(request: HttpRequest, one: Provider, reason: str) -> HttpResponse:
    """One sentence for every refusal: what it was about stands in the log only."""
    note = f"{urlsplit(one.issuer).netloc}: {reason}"
    write(Event.REFUSED, None, door_of(request), method=Method.OIDC, note=note)
    return render(request, "accounts/oidc_refused.html", {"sentence": SENTENCE}, status=403)
