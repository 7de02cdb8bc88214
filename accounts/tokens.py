"""The deeds of service tokens: asked for by one administrator, confirmed by another, revoked by either.

A token is `cf_`, 40 random letters and digits, and 6 that are its check: a mistyped or cut one is known without asking the
database, and a scanner finds one that got into a repository.
"""

import ipaddress
import secrets
import string
import zlib
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Organisation, User
from accounts.token_models import Scope, ServiceToken, TokenRule

PREFIX = "cf_"
SECRET, CHECK = 40, 6  # 40 letters and digits hold 238 bits
_ALPHABET = string.digits + string.ascii_letters
_ABOUT = b"service-token:"


@dataclass(frozen=True)
class Wish:
    """What is asked for."""

    organisation: Organisation
    name: str
    reason: str
    scopes: list[Scope]
    networks: list[str]
    quota: int
    expires_at: datetime


@dataclass(frozen=True)
class Issued:
    """A token and its secret: shown once, kept only as a keyed hash."""

    token: ServiceToken
    secret: str


@transaction.atomic
def ask(wish: Wish, *, by: User) -> Issued:
    """Make a token that opens nothing until another administrator confirms it, with an account of its own.

    Raises PermissionDenied without the duty, ValidationError for what the rule in force does not allow.
    """
    if not by.has_perm("accounts.add_servicetoken"):
        raise PermissionDenied("只有系统管理员可以申请接口令牌。")
    _refuse_beyond_rule(wish)
    secret = _make()
    username = f"service-{secrets.token_hex(6)}"
    user = User(username=username, name=f"{wish.name}（接口）", kind=User.Kind.SERVICE, organisation=wish.organisation)
    user.set_unusable_password()
    user.save()
    token = ServiceToken.objects.create(
        user=user, organisation=wish.organisation, name=wish.name, reason=wish.reason, scopes=sorted(wish.scopes),
        networks=[str(ipaddress.ip_network(text)) for text in wish.networks], quota=wish.quota, asked_by=by,
        expires_at=wish.expires_at, hint=secret[: len(PREFIX) + 4], key_hash=_hash(secret),
    )  # fmt: skip
    return Issued(token, secret)


def _refuse_beyond_rule(wish: Wish) -> None:
    now = timezone.now()
    rule = TokenRule.on(timezone.localdate())
    if wish.organisation.valid_to and wish.organisation.valid_to <= timezone.localdate():
        raise ValidationError({"organisation": "该单位已撤销，不能申请。"})
    if wish.expires_at <= now:
        raise ValidationError({"expires_at": "有效期须晚于现在。"})
    if (wish.expires_at - now).days >= rule.longest_days:
        raise ValidationError({"expires_at": f"有效期最长 {rule.longest_days} 日（{rule.source}）。"})
    if not 1 <= wish.quota <= rule.most_per_hour:
        raise ValidationError({"quota": f"每小时 1 至 {rule.most_per_hour} 次（{rule.source}）。"})


@transaction.atomic
def confirm(token_id: int, *, by: User) -> ServiceToken:
    """Let a token in: from now on it opens what was asked for. Raises PermissionDenied and ValidationError."""
    token = _locked(token_id)
    if reason := why_not_confirm(token, by):
        raise PermissionDenied(reason)
    token.confirmed_by, token.confirmed_at = by, timezone.now()
    token.save(update_fields=["confirmed_by", "confirmed_at"])
    token.user.groups.set(Group.objects.filter(name__in=[Scope(scope).group_name for scope in token.scopes]))
    return token


def why_not_confirm(token: ServiceToken, user: User) -> str:
    """Return why this user may not confirm the token, or an empty string."""
    if not token.is_waiting:
        return f"令牌当前为“{token.state}”，不能确认。"
    if not user.has_perm("accounts.confirm_servicetoken") or user.pk == token.asked_by_id:
        return "须由安全管理员核对后确认，申请人不能确认自己的申请。"
    return ""


@transaction.atomic
def revoke(token_id: int, *, by: User, reason: str) -> ServiceToken:
    """End a token at once and for good; one that waits is not agreed to. Raises PermissionDenied and ValidationError."""
    token = _locked(token_id)
    if not by.has_perm("accounts.revoke_servicetoken"):
        raise PermissionDenied("只有系统管理员或安全管理员可以撤销接口令牌。")
    if not reason.strip():
        raise ValidationError("请写明撤销理由。", code="reason")
    if token.revoked_at is not None:
        raise ValidationError("令牌已经撤销。", code="state")
    token.revoked_by, token.revoked_at, token.revoke_reason = by, timezone.now(), reason.strip()[:200]
    token.save(update_fields=["revoked_by", "revoked_at", "revoke_reason"])
    token.user.is_active = False
    token.user.save(update_fields=["is_active"])
    token.user.groups.clear()
    return token


def _locked(token_id: int) -> ServiceToken:
    tokens = ServiceToken.objects.select_for_update(of=("self",)).select_related("user", "organisation")
    return tokens.get(pk=token_id)


def scopes_of(user: User) -> list[Scope]:
    """Return what a system's account may do by the token that was confirmed for it."""
    held = set(user.groups.values_list("name", flat=True))
    return [scope for scope in Scope if scope.group_name in held]


# --- what a call shows ---------------------------------------------------------------------------------------


def find(secret: str) -> ServiceToken | None:
    """Return the token of a secret, whatever has become of it; None when there is no such token."""
    if not is_well_formed(secret):
        return None
    hashes = settings.FIELD_KEYRING.indexes(_ABOUT + secret.encode())
    return ServiceToken.objects.select_related("user__organisation", "organisation").filter(key_hash__in=hashes).first()


def why_closed(token: ServiceToken) -> str:
    """Return the code of why a token opens nothing (creditfujian.lib.problems), or an empty string."""
    today, gone = timezone.localdate(), token.organisation.valid_to
    if token.revoked_at is not None or not token.user.is_active or (gone and gone <= today):
        return "A04"
    if token.expires_at <= timezone.now():
        return "A03"
    return "" if token.confirmed_at is not None else "A05"


def comes_from(token: ServiceToken, address: str) -> bool:
    """Tell whether an address lies in the networks that the token is for."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(ip, "ipv4_mapped", None)
    return any((mapped or ip) in ipaddress.ip_network(network) for network in token.networks)


@dataclass(frozen=True)
class Left:
    """How many calls are left of the hour, and when the next one begins."""

    quota: int
    left: int
    seconds: int
    refused: bool = False


def count_call(token: ServiceToken) -> Left:
    """Count a call of this hour, exactly: one statement adds it, or finds that the hour's calls are used up."""
    with connection.cursor() as cursor:
        cursor.execute(
            """WITH counted AS (
                   INSERT INTO accounts_tokenuse AS known (token_id, hour, used) VALUES (%s, date_trunc('hour', now()), 1)
                       ON CONFLICT (token_id, hour) DO UPDATE SET used = known.used + 1 WHERE known.used < %s
                   RETURNING used)
               SELECT (SELECT used FROM counted),
                      ceil(extract(epoch FROM date_trunc('hour', now()) + interval '1 hour' - now()))::int""",
            [token.pk, token.quota],
        )
        used, seconds = cursor.fetchone()
    return Left(token.quota, 0 if used is None else token.quota - used, seconds, refused=used is None)


def is_well_formed(secret: str) -> bool:
    """Tell whether a text can be a token: its shape, and its check."""
    body, check = secret[len(PREFIX) : -CHECK], secret[-CHECK:]
    right = secret.startswith(PREFIX) and len(body) == SECRET and secret.isascii() and body.isalnum()
    return right and check == _check_of(body)


def _make() -> str:
    body = "".join(secrets.choice(_ALPHABET) for _ in range(SECRET))
    return f"{PREFIX}{body}{_check_of(body)}"


def _check_of(body: str) -> str:
    """Return the CRC-32 of the random part in six digits of base 62."""
    rest, digits = zlib.crc32(body.encode()), ""
    for _ in range(CHECK):
        rest, digit = divmod(rest, 62)
        digits = _ALPHABET[digit] + digits
    return digits


def _hash(secret: str) -> bytes:
    return settings.FIELD_KEYRING.index(_ABOUT + secret.encode())
