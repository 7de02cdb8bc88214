"""One's own account: second factors, sessions, sign-ins, password. The same page for citizens, staff and institutions."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render, resolve_url
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import pending, second_factors
from accounts.models import SignInLine, User
from accounts.sessions import reference, sessions_of
from accounts.sign_in import change_password, end_sessions
from accounts.sign_in_forms import LabelForm, PasswordForm, TotpForm
from accounts.sign_in_log import minutes_left
from accounts.sign_in_pages import locked_out, origin_of, qr_of
from accounts.sign_in_rules import limits
from accounts.web import do_and_say, door_of, home_of, require_step_up, signed_in
from creditfujian.lib import totp

Page = Callable[..., HttpResponse]
LINES_SHOWN = 20


def own(page: Page) -> Page:
    """Let whoever is signed in in; send others to the door."""

    @wraps(page)
    def guarded(request: HttpRequest, **kwargs: Any) -> HttpResponse:
        if not isinstance(request.user, User):
            return redirect(f"{resolve_url('sign_in')}?{urlencode({'next': request.path})}")
        return page(request, **kwargs)

    return guarded


@require_safe
@own
def account(request: HttpRequest) -> HttpResponse:
    """What opens the account, where it is open, and what happened at its door."""
    user = signed_in(request)
    key = request.session.session_key
    factors = second_factors.held_by(user)
    open_now = [(reference(one), one, one.session_key == key) for one in sessions_of(user)]
    context = {
        "who": user, "factors": factors, "has_totp": any(factor.kind == "totp" for factor in factors),
        "codes_left": second_factors.recovery_left(user),
        "sessions": open_now, "lines": SignInLine.objects.filter(account=user).select_related("by")[:LINES_SHOWN],
        "passkeys_work": second_factors.passkeys_at(origin_of(request)) is not None, "home": home_of(user),
        "demanded": second_factors.demanded_of(user), "limits": limits(),
    }  # fmt: skip
    return render(request, "accounts/account.html", context)


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@own
def password(request: HttpRequest) -> HttpResponse:
    """Change one's password; the first one given by an administrator must be."""
    user, form = signed_in(request), PasswordForm(request.POST or None)
    if not user.has_usable_password():
        messages.info(request, "您用统一身份认证登录，本站没有您的密码。")
        return redirect("account")
    first = user.must_change_password
    if request.method == "POST" and form.is_valid():
        try:
            locked = change_password(
                request, user, form.cleaned_data["old"], form.cleaned_data["new"], door_of(request)
            )
            if locked:
                return locked_out(request, minutes_left(locked))
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, "密码已修改，其他会话已全部结束。")
            return redirect(home_of(user) if first else "account")
    return render(request, "accounts/password.html", {"form": form, "first": first}, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@own
@require_step_up
def bind_totp(request: HttpRequest) -> HttpResponse:
    """Bind an authenticator app."""
    user, form = signed_in(request), TotpForm(request.POST or None)
    seed = pending.seed_on_offer(request) or pending.seed_on_offer(request, totp.new_secret())
    assert seed is not None
    if request.method == "POST" and form.is_valid():
        try:
            second_factors.bind_totp(user, seed, form.cleaned_data["code"], door=door_of(request))
        except ValidationError as error:
            form.add_error("code", error)
        else:
            pending.forget_seed(request)
            return _bound(request, user)
    return render(
        request, "accounts/totp.html", {"form": form, **qr_of(user, seed)}, status=422 if form.errors else 200
    )


@require_http_methods(["GET", "HEAD", "POST"])
@own
@require_step_up
def bind_passkey(request: HttpRequest) -> HttpResponse:
    """Bind a passkey: the browser makes it, we keep its public half."""
    user, server, form = (
        signed_in(request),
        second_factors.passkeys_at(origin_of(request)),
        LabelForm(request.POST or None),
    )
    if server is None:
        messages.error(request, "浏览器只在以域名访问的安全连接（https 或 localhost）下支持通行密钥。")
        return redirect("account")
    if request.method == "POST" and form.is_valid():
        ceremony = second_factors.Ceremony(server, pending.challenge(request) or {})
        said, label = request.POST.get("passkey", ""), form.cleaned_data["label"]
        try:
            second_factors.bind_passkey(user, said, ceremony, label=label, door=door_of(request))
        except ValidationError as error:
            form.add_error(None, error)
        else:
            return _bound(request, user)
    options, state = second_factors.offer_passkey(user, server)
    pending.challenge(request, state)
    context = {"form": form, "options": options}
    return render(request, "accounts/passkey.html", context, status=422 if form.errors else 200)


def _bound(request: HttpRequest, user: User) -> HttpResponse:
    """Say so; whoever has no recovery codes yet gets them with their first factor."""
    messages.success(request, "已绑定。")
    return redirect("account") if second_factors.recovery_left(user) else _codes(request, user)


def _codes(request: HttpRequest, user: User) -> HttpResponse:
    codes = second_factors.make_recovery_codes(user, door=door_of(request))
    context = {"codes": codes, "target": resolve_url("account"), "at": timezone.now()}
    return render(request, "accounts/codes.html", context)


@require_POST
@own
@require_step_up
def new_codes(request: HttpRequest) -> HttpResponse:
    """Make new recovery codes; the old ones are void."""
    user = signed_in(request)
    if not second_factors.held_by(user):
        messages.error(request, "请先绑定手机验证码或通行密钥。")
        return redirect("account")
    return _codes(request, user)


@require_POST
@own
@require_step_up
def remove_factor(request: HttpRequest, pk: int) -> HttpResponse:
    """Unbind one's own."""
    factor = get_object_or_404(signed_in(request).second_factors, pk=pk)
    do_and_say(request, lambda: second_factors.remove(factor, door=door_of(request)), f"已解除“{factor}”。")
    return redirect("account")


@require_POST
@own
def end_own(request: HttpRequest) -> HttpResponse:
    """End one of one's sessions, or all but this one."""
    user, wanted = signed_in(request), request.POST.get("session", "")
    if not wanted:
        raise Http404
    here, only = request.session.session_key or "", "" if wanted == "others" else wanted
    do_and_say(request, lambda: end_sessions(user, door_of(request), by=user, keep=here, only=only), "会话已结束。")
    return redirect("account")
