"""The door: password, second factor, first binding, confirming again, signing out."""

import secrets
from typing import Any
from urllib.parse import urlencode

import segno
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts import oidc, pending, second_factors
from accounts.models import User
from accounts.sign_in import Answer, confirm, end_sessions, leave, open_session, try_factor, try_password
from accounts.sign_in_forms import AgainForm, BindForm, CodeForm, SignInForm
from accounts.sign_in_log import minutes_left
from accounts.sign_in_models import Method
from accounts.sign_in_rules import limits
from accounts.web import BROWSER_COOKIE, door_of, home_of, safe_next, signed_in
from creditfujian.lib import totp

WRONG = "用户名（或身份证号码）与密码不符，请重新输入。注意大小写。"
WRONG_CODE = "验证码不对，或者已经用过。手机验证码每 30 秒换一个，每个只能用一次；恢复码也只能用一次。"


@sensitive_post_parameters("username", "password")
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """One door for citizens, staff and institutions; each goes on to their own place."""
    target = safe_next(request, request.POST.get("next", request.GET.get("next", "")))
    if request.method != "POST" and isinstance(request.user, User) and not target:
        return redirect(home_of(request.user))
    form = SignInForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        answer = try_password(request, form.cleaned_data["username"], form.cleaned_data["password"], door_of(request))
        if answer.locked:
            return locked_out(request, minutes_left(answer.locked))
        if answer.user:
            return _password_was_right(request, answer.user, target)
        form.add_error(None, WRONG)
    for_staff = target.startswith("/admin/")
    if for_staff:
        form.fields["username"].help_text = ""
    context = {
        "form": form,
        "next": target,
        "for_staff": for_staff,
        "limits": limits(),
        "oidc": oidc.provider(),
    }
    return render(request, "accounts/sign_in.html", context, status=422 if form.errors else 200)


def locked_out(request: HttpRequest, minutes: int) -> HttpResponse:
    """Say when to come back; the same for names that belong to nobody."""
    response = render(request, "accounts/locked.html", {"minutes": minutes}, status=429)
    response["Retry-After"] = str(minutes * 60)
    return response


def _password_was_right(request: HttpRequest, user: User, target: str) -> HttpResponse:
    if second_factors.held_by(user) or second_factors.demanded_of(user):
        pending.begin(request, user, next_page=target)
        return redirect("sign_in_second")
    return admit(request, user, target, method=Method.PASSWORD, factor=False)


def admit(request: HttpRequest, user: User, target: str, *, method: str, factor: bool) -> HttpResponse:
    """Open the session, and let the browser be known from now on."""
    door = door_of(request)
    token = door.browser or secrets.token_urlsafe(24)
    open_session(request, user, door.with_browser(token), method=method, factor=factor)
    pending.end(request)
    return _remembered(request, redirect(target or home_of(user)), token)


def _remembered(request: HttpRequest, response: HttpResponse, token: str) -> HttpResponse:
    age = int(limits().known.total_seconds())
    response.set_cookie(BROWSER_COOKIE, token, max_age=age, httponly=True, samesite="Lax", secure=request.is_secure())
    return response


@sensitive_post_parameters("code", "passkey")
@require_http_methods(["GET", "HEAD", "POST"])
def second(request: HttpRequest) -> HttpResponse:
    """Show the second factor; only then is anybody signed in."""
    user = pending.user_of(request)
    if user is None:
        return _start_again(request)
    if not second_factors.held_by(user):
        return redirect("sign_in_bind")
    form, answer = _shown(request, user)
    if answer and answer.locked:
        return locked_out(request, minutes_left(answer.locked))
    if answer and answer.user:
        return admit(request, user, pending.next_of(request), method=answer.method, factor=True)
    return _ask(request, user, form, "accounts/second.html")


def _start_again(request: HttpRequest) -> HttpResponse:
    messages.warning(request, "停留时间过长或尚未输入密码，请重新登录。")
    return redirect("sign_in")


def _shown(request: HttpRequest, user: User) -> tuple[CodeForm, Answer | None]:
    """Read what was typed or signed; the answer is None while nothing was."""
    form, door = CodeForm(request.POST or None), door_of(request)
    if request.method != "POST":
        return form, None
    if request.POST.get("passkey"):
        form = CodeForm()
        state, server = pending.challenge(request), second_factors.passkeys_at(origin_of(request))
        if state is None or server is None:
            return form, None
        ceremony = second_factors.Ceremony(server, state)
        said = request.POST["passkey"]
        answer = try_factor(user, door, lambda: second_factors.open_by_passkey(user, said, ceremony))
        if answer.user is None and answer.locked is None:
            messages.error(request, "通行密钥没有通过验证，请重试，或改用验证码。")
        return form, answer
    if not form.is_valid():
        return form, None
    answer = try_factor(user, door, lambda: second_factors.open_by_code(user, form.cleaned_data["code"]))
    if answer.user is None:
        form.add_error("code", WRONG_CODE)
    return form, answer


def _ask(request: HttpRequest, user: User, form: Any, template: str, **more: Any) -> HttpResponse:
    """Show the page with a fresh challenge for passkeys, where the account and the address have any."""
    server = second_factors.passkeys_at(origin_of(request))
    asked = second_factors.ask_passkey(user, server) if server else None
    if asked:
        pending.challenge(request, asked[1])
    kinds = {factor.kind for factor in second_factors.held_by(user)}
    context = {"form": form, "who": user, "options": asked[0] if asked else "", "has_passkey": "passkey" in kinds,
               "has_totp": "totp" in kinds, **more}  # fmt: skip
    return render(request, template, context, status=422 if form.errors else 200)


def origin_of(request: HttpRequest) -> str:
    """Return the origin that browsers sign for passkeys."""
    return f"{request.scheme}://{request.get_host()}"


@sensitive_post_parameters("code", "binding")
@require_http_methods(["GET", "HEAD", "POST"])
def bind(request: HttpRequest) -> HttpResponse:
    """Bind the first second factor, or a new one after the phone is lost, with the security administrator's code."""
    user = pending.user_of(request)
    if user is None or not second_factors.demanded_of(user):
        return _start_again(request)
    seed = pending.seed_on_offer(request) or pending.seed_on_offer(request, totp.new_secret())
    assert seed is not None
    form = BindForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            answer = _bound(request, user, seed, form)
        except ValidationError as error:
            form.add_error("code", error)
        else:
            if answer.locked:
                return locked_out(request, minutes_left(answer.locked))
            if answer.user:
                return _first_codes(request, user)
            form.add_error("binding", "绑定码不对、已过期或已用过。请向安全管理员核对，或请其重新发放。")
    context = {"form": form, "who": user, "rebinding": bool(second_factors.held_by(user)), **qr_of(user, seed)}
    return render(request, "accounts/bind.html", context, status=422 if form.errors else 200)


def _bound(request: HttpRequest, user: User, seed: bytes, form: BindForm) -> Answer:
    door, typed = door_of(request), form.cleaned_data["code"]
    second_factors.check_first_code(seed, typed)

    def use() -> Method | None:
        if not second_factors.take_binding_code(user, form.cleaned_data["binding"]):
            return None
        second_factors.bind_totp(user, seed, typed, door=door)
        end_sessions(user, door, by=user)
        return Method.BINDING

    return try_factor(user, door, use)


def _first_codes(request: HttpRequest, user: User) -> HttpResponse:
    target = pending.next_of(request) or home_of(user)
    response = admit(request, user, target, method=Method.BINDING, factor=True)
    codes = second_factors.make_recovery_codes(user, door=door_of(request))
    page = render(request, "accounts/codes.html", {"codes": codes, "target": target, "at": timezone.now()})
    page.cookies.update(response.cookies)
    return page


def qr_of(user: User, seed: bytes) -> dict[str, Any]:
    """Return what an enrolment page shows: the QR code, the secret in groups of four, the address for this device."""
    address = totp.address(seed, account=user.username, issuer=second_factors.ISSUER)
    text = totp.as_text(seed)
    svg = segno.make(address, error="m").svg_inline(border=3, svgclass=None, lineclass=None, omitsize=True)
    return {"qr": svg, "address": address, "secret": " ".join(text[at : at + 4] for at in range(0, len(text), 4))}


@sensitive_post_parameters("code", "passkey", "password")
@require_http_methods(["GET", "HEAD", "POST"])
def confirm_again(request: HttpRequest) -> HttpResponse:
    """Ask a signed-in account for its second factor again before something sensitive."""
    if not isinstance(request.user, User):
        return redirect("sign_in")
    user, target = signed_in(request), safe_next(request, request.POST.get("next", request.GET.get("next", "")))
    if second_factors.held_by(user):
        form, answer = _shown(request, user)
    elif not user.has_usable_password():
        return redirect(f"{resolve_url('sign_in_oidc')}?{urlencode({'next': target})}")
    else:
        form, answer = _password_again(request, user)
    if answer and answer.locked:
        return locked_out(request, minutes_left(answer.locked))
    if answer and answer.user:
        confirm(request, user, door_of(request), method=answer.method)
        return redirect(target or home_of(user))
    return _ask(request, user, form, "accounts/confirm.html", next=target)


def _password_again(request: HttpRequest, user: User) -> tuple[Any, Answer | None]:
    form = AgainForm(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return form, None
    answer = try_password(request, user.username, form.cleaned_data["password"], door_of(request))
    if answer.user is None:
        form.add_error("password", "密码不对。")
    return form, answer


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    leave(request, door_of(request))
    return redirect("home")
