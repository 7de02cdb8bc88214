"""Who may call the API: tokens only, from their networks, within their scopes and quotas."""

import logging
from typing import Any

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import ParseError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import JSONParser
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from accounts import people
from accounts.api_errors import Problem
from accounts.models import User
from accounts.token_models import Scope, ServiceToken
from accounts.tokens import comes_from, count_call, find, why_closed
from accounts.web import client_address

log = logging.getLogger("creditfujian.api")

LONGEST_JSON = 64 * 1024
BEARER = 'Bearer realm="credit-fujian"'
SESSION = 'Session realm="credit-fujian"'
SENTENCES = {
    "A01": "没有令牌：请带上 Authorization: Bearer cf_…。",
    "A02": "令牌无效：没有这个令牌，或者没有抄全。",
    "A03": "令牌已到期，请申请新令牌。",
    "A04": "令牌已撤销，请申请新令牌。",
    "A05": "令牌还没有经安全管理员确认，尚未启用。",
}


class ByToken(BaseAuthentication):
    """The only way in: no session, no password. The token's own account is the user, the token `request.auth`."""

    def authenticate(self, request: Request) -> tuple[User, ServiceToken] | None:
        """Raises Problem: 401 for a token that opens nothing, 403 from another network."""
        scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
        if not scheme:
            return None
        token = find(secret.strip()) if scheme.lower() == "bearer" else None
        if code := why_closed(token) if token else "A02":
            raise _unauthorised(code)
        assert token is not None
        if not comes_from(token, client_address(request._request)):
            log.warning("token %s… used from outside its networks", token.hint)
            raise Problem(403, "A06", "这个令牌不能从当前地址使用。请从登记的网段调用。")
        people.open_office(token.organisation_id)
        people.open_account(token.user_id)
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return BEARER


def _unauthorised(code: str) -> Problem:
    return Problem(401, code, SENTENCES[code], headers={"WWW-Authenticate": BEARER})


class BySession(BaseAuthentication):
    """The way in for a person's own things: signed in in this browser, with all that the pages ask for. Reads only."""

    def authenticate(self, request: Request) -> tuple[User, None] | None:
        user = request._request.user
        return (user, None) if isinstance(user, User) else None

    def authenticate_header(self, request: Request) -> str:
        return SESSION


class OwnPerson(BasePermission):
    """A signed-in citizen: staff, institutions and systems have no file here."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Raises Problem."""
        if not isinstance(request.user, User):
            raise Problem(401, "A22", "请先在本站登录，再用同一个浏览器打开。", headers={"WWW-Authenticate": SESSION})
        if not request.user.is_citizen:
            raise Problem(403, "A18", "这里只供本人查看自己的信息。")
        return True


class InScope(BasePermission):
    """A token, and the scope that the endpoint names for the method."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Raises Problem."""
        if not isinstance(request.auth, ServiceToken):
            raise _unauthorised("A01")
        needed = view.scopes.get("GET" if request.method == "HEAD" else request.method)
        if needed is not None and needed not in request.auth.scopes:
            raise Problem(403, "A07", f"令牌没有“{Scope(needed).label}”（{needed}）的权限。")
        return True


class ByQuota(BaseThrottle):
    """The token's calls of the hour, counted in the database."""

    def allow_request(self, request: Request, view: Any) -> bool:
        """Raises Problem: 429 when the hour's calls are used up."""
        left = view.calls_left = count_call(request.auth)
        if left.refused:
            message = f"本小时的 {left.quota} 次调用已用完，{left.seconds} 秒后重新计数。"
            raise Problem(429, "A08", message, headers={"Retry-After": str(left.seconds)})
        return True


class SmallJson(JSONParser):
    """JSON that fits a form: DRF would read any length into memory."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        """Raises Problem and ParseError."""
        length = parser_context["request"].META.get("CONTENT_LENGTH") or "0"
        if not length.isdecimal() or int(length) > LONGEST_JSON:
            raise Problem(413, "A21", f"请求内容超过 {LONGEST_JSON >> 10} KB。请对照接口说明核对。")
        try:
            return super().parse(stream, media_type, parser_context)
        except RecursionError:  # brackets within brackets
            raise ParseError from None


class OnlyJson(BaseContentNegotiation):
    """There is one form of answer: whatever the caller accepts, it is given that."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        content_type = (request.content_type or "").partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == content_type), None)

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the OpenAPI document calls our tokens."""

    target_class = "accounts.api_access.ByToken"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "cf_…", "description": "接口令牌"}


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the OpenAPI document calls the session of a browser."""

    target_class = "accounts.api_access.BySession"
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        name = settings.SESSION_COOKIE_NAME
        return {"type": "apiKey", "in": "cookie", "name": name, "description": "本人在本站登录后的会话"}
