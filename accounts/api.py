"""What every endpoint of the API shares: who calls (accounts.api_access), and one answer per Idempotency-Key.

An endpoint is a subclass of ApiView: it names the scope of each method and answers; what it does is a deed of its app.
"""

import hashlib
import json
from collections.abc import Callable
from typing import Any, ClassVar

from auditlog.context import auditlog_value
from django.db import connection, transaction
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api_access import BySession, OwnPerson
from accounts.api_errors import Problem
from accounts.models import Person, User
from accounts.token_models import IdempotentCall
from accounts.tokens import Left

KEY_HEADER = "Idempotency-Key"
LONGEST_KEY = 200
_LOCKS = 4_213  # the first half of this module's advisory locks; the second is organisation and key


class ApiView(APIView):
    """An endpoint. `scopes`: method → the scope it takes."""

    scopes: ClassVar[dict[str, str]] = {}
    http_method_names = ["get", "head", "post", "put", "patch", "delete"]
    calls_left: Left | None = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        # Only now is it known who calls: the middleware noted nobody, or whose session the client happens to send. Its own
        # note is corrected, for a second one inside it would leave a receiver behind with every call.
        auditlog_value.get()["actor"] = request.user

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        if left := self.calls_left:
            response["RateLimit-Limit"] = str(left.quota)
            response["RateLimit-Remaining"] = str(left.left)
            response["RateLimit-Reset"] = str(left.seconds)
        return response

    @property
    def caller(self) -> User:
        """Return the account of the token that calls."""
        return self.request.user


class OwnView(APIView):
    """An endpoint of a person's own things, for the browser in which they are signed in. It only reads."""

    authentication_classes: ClassVar = [BySession]
    permission_classes: ClassVar = [OwnPerson]
    throttle_classes: ClassVar[list[type]] = []
    http_method_names = ["get", "head"]

    @property
    def person(self) -> Person:
        """Return whose things these are."""
        person: Person = self.request.user.person
        return person


def idempotency_key(request: Request) -> str:
    """Return the caller's key for this write. Raises Problem."""
    key = request.headers.get(KEY_HEADER, "")
    if not 1 <= len(key) <= LONGEST_KEY or not key.isascii() or not key.isprintable():
        message = f"写入类调用须带 {KEY_HEADER}：1 至 {LONGEST_KEY} 个可见的 ASCII 字符，如 UUID；重试时用同一个值。"
        raise Problem(400, "A09", message)
    return key


Deed = Callable[[], tuple[int, dict[str, Any]]]


def once(request: Request, content: dict[str, Any], deed: Deed) -> Response:
    """Do a write once for the caller's key, and give the same answer to the same call from then on.

    `content` is what the call means; another content under the same key is refused. A deed that raises leaves nothing,
    its key included; calls with the same key at once wait for the first. Raises Problem.
    """
    key, token = idempotency_key(request), request.auth
    meant = json.dumps([request.method, request.path, content], ensure_ascii=False, sort_keys=True)
    digest = hashlib.sha256(meant.encode()).hexdigest()
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [_LOCKS, f"{token.organisation_id}:{key}"])
        call = IdempotentCall.objects.filter(organisation=token.organisation_id, key=key).first()
        if call is not None and call.digest != digest:
            raise Problem(422, "A10", f"这个 {KEY_HEADER} 已用于另一次调用。重试须原样发送；内容不同的请换一个新的值。")
        if call is None:
            status, body = deed()
            call = IdempotentCall.objects.create(
                organisation_id=token.organisation_id, key=key, token=token, digest=digest, status=status, body=body
            )
            return Response(body, status=status)
    return Response(call.body, status=call.status, headers={"Idempotent-Replayed": "true"})
