"""Second factors: one-time codes, passkeys, recovery codes, and the code that lets an account bind its first one."""

import hmac
import json
import time
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from fido2.server import Fido2Server
from fido2.webauthn import (
    AttestedCredentialData,
    AuthenticationResponse,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialUserEntity,
    UserVerificationRequirement,
)

from accounts.models import BindingCode, RecoveryCode, SecondFactor, User
from accounts.sign_in_log import Door, write
from accounts.sign_in_models import Event, Method
from accounts.sign_in_rules import limits
from creditfujian.lib import identity, totp

Kind = SecondFactor.Kind
RECOVERY_CODES = 10  # as many as fit on a slip; each opens once
MAX_ATTEMPTS = 5  # at a binding code, like at the counter's
ISSUER = "信用福建"
PREFERRED = UserVerificationRequirement.PREFERRED  # the password is the other factor


def demanded_of(user: User) -> bool:
    """Tell whether the account never opens by its password alone (GB/T 22239-2019 8.1.4.1 d): staff and institutions."""
    return user.kind != User.Kind.CITIZEN


def held_by(user: User) -> list[SecondFactor]:
    """Return the factors that open the account, beside recovery codes."""
    return list(user.second_factors.all())


def recovery_left(user: User) -> int:
    """Return how many recovery codes are unused."""
    return user.recovery_codes.filter(used_at=None).count()


# --- using one ------------------------------------------------------------------------------------
def open_by_code(user: User, typed: str) -> Method | None:
    """Take a one-time or recovery code and use it up; return which it was, or None."""
    bare = identity.normalise(typed)
    if bare.isdecimal():
        return Method.TOTP if _use_totp(user, bare) else None
    return Method.RECOVERY if _use_recovery(user, bare) else None


def _use_totp(user: User, typed: str) -> bool:
    factor = user.second_factors.select_for_update().filter(kind=Kind.TOTP).first()
    if factor is None:
        return False
    step = totp.matching_step(_opened(factor), typed, now=time.time(), after=factor.counter)
    if step is None:
        return False
    factor.counter, factor.last_used_at = step, timezone.now()
    factor.save(update_fields=["counter", "last_used_at"])
    return True


def _use_recovery(user: User, typed: str) -> bool:
    unused = user.recovery_codes.filter(code_hash__in=_hashes("recovery", user, typed), used_at=None)
    return unused.update(used_at=timezone.now()) == 1


def open_by_passkey(user: User, answer: str, ceremony: "Ceremony") -> Method | None:
    """Check a passkey's signature over our challenge; return PASSKEY, or None when anything about it is wrong."""
    factors = list(user.second_factors.select_for_update().filter(kind=Kind.PASSKEY))
    keys = {bytes(one.credential_id or b""): one for one in factors}
    held = [AttestedCredentialData(_opened(one)) for one in factors]
    try:
        said = AuthenticationResponse.from_dict(json.loads(answer))
        used = ceremony.server.authenticate_complete(ceremony.state, held, said)
    except Exception:  # a crafted answer makes the library's parsers raise whatever Python has
        return None
    factor, count = keys[used.credential_id], said.response.authenticator_data.counter
    if count and count <= factor.counter:  # a copied key (WebAuthn §6.1.1)
        return None
    factor.counter, factor.last_used_at = count, timezone.now()
    factor.save(update_fields=["counter", "last_used_at"])
    return Method.PASSKEY


@dataclass(frozen=True)
class Ceremony:
    """One exchange with a passkey: our server at this host, and the challenge that was given."""

    server: Fido2Server
    state: dict[str, Any]


def passkeys_at(origin: str) -> Fido2Server | None:
    """Return the server for an origin such as https://credit.example.gov, or None where browsers know no passkeys.

    A passkey belongs to a host name: an address in numbers has none, and plain http only at localhost.
    """
    scheme, _, place = origin.partition("://")
    host = place.rsplit(":", 1)[0] if not place.endswith("]") else place
    named = not host.replace(".", "").isdecimal() and not host.startswith("[")
    if not named or (scheme != "https" and host != "localhost"):
        return None
    return Fido2Server(PublicKeyCredentialRpEntity(id=host, name=ISSUER), verify_origin=lambda said: said == origin)


def ask_passkey(user: User, server: Fido2Server) -> tuple[str, dict[str, Any]] | None:
    """Return the browser's options (JSON) and our state for signing in, or None when the account has no passkey."""
    held = [AttestedCredentialData(_opened(one)) for one in user.second_factors.filter(kind=Kind.PASSKEY)]
    if not held:
        return None
    options, state = server.authenticate_begin(held, user_verification=PREFERRED)
    return json.dumps(dict(options)), state


# --- binding and removing -------------------------------------------------------------------------
def offer_passkey(user: User, server: Fido2Server) -> tuple[str, dict[str, Any]]:
    """Return the browser's options (JSON) and our state for making a passkey."""
    held = [AttestedCredentialData(_opened(one)) for one in user.second_factors.filter(kind=Kind.PASSKEY)]
    who = PublicKeyCredentialUserEntity(id=_handle(user), name=user.username, display_name=user.name)
    options, state = server.register_begin(who, held, user_verification=PREFERRED)
    return json.dumps(dict(options)), state


def bind_passkey(user: User, answer: str, ceremony: Ceremony, *, label: str, door: Door) -> SecondFactor:
    """Keep a new passkey. Raises ValidationError when the browser's answer does not fit our challenge."""
    try:
        made = ceremony.server.register_complete(ceremony.state, json.loads(answer))
        key = AttestedCredentialData(made.credential_data or b"")
    except Exception:  # as above
        raise ValidationError("浏览器返回的通行密钥不对或已过期，请重试。", code="passkey") from None
    if SecondFactor.objects.filter(credential_id=key.credential_id).exists():
        raise ValidationError("这个通行密钥已经绑定过。", code="passkey")
    return _bind(user, Kind.PASSKEY, bytes(key), label=label, door=door, counter=made.counter,
                 credential_id=key.credential_id)  # fmt: skip


def check_first_code(secret: bytes, typed: str) -> int:
    """Return the step of a new seed's first code. Raises ValidationError when it is not one."""
    step = totp.matching_step(secret, identity.normalise(typed), now=time.time(), after=0)
    if step is None:
        raise ValidationError("验证码不对。请确认手机时间准确，输入应用里现在显示的 6 位数字。", code="code")
    return step


def bind_totp(user: User, secret: bytes, typed: str, *, door: Door) -> SecondFactor:
    """Keep a seed once its holder has shown a code of it. Raises ValidationError. The code is used up by that."""
    step = check_first_code(secret, typed)
    if user.second_factors.filter(kind=Kind.TOTP).exists():
        raise ValidationError("已经绑定了手机验证码；要换手机，请先解除。", code="bound")
    return _bind(user, Kind.TOTP, secret, label="手机验证码", door=door, counter=step)


def _bind(user: User, kind: SecondFactor.Kind, secret: bytes, *, label: str, door: Door, counter: int,
          credential_id: bytes | None = None) -> SecondFactor:  # fmt: skip
    with transaction.atomic():
        factor = SecondFactor.objects.create(
            user=user, kind=kind, label=label or kind.label, counter=counter, credential_id=credential_id,
            sealed=settings.FIELD_KEYRING.seal(secret, about=about_factor_of(user.pk)),
        )  # fmt: skip
        write(Event.FACTOR_ADDED, user, door, method=kind.value, note=factor.label)
        return factor


def remove(factor: SecondFactor, *, door: Door) -> None:
    """Unbind one. Raises ValidationError when a staff account would be left without."""
    with transaction.atomic():
        user = User.objects.select_for_update().get(pk=factor.user_id)
        if demanded_of(user) and user.second_factors.count() == 1:
            raise ValidationError("至少要保留一种第二步验证方式。请先绑定新的，再解除旧的。", code="last")
        write(Event.FACTOR_REMOVED, user, door, method=factor.kind, note=factor.label)
        factor.delete()
        if not user.second_factors.exists():
            user.recovery_codes.all().delete()


def make_recovery_codes(user: User, *, door: Door) -> list[str]:
    """Make new recovery codes and void the old; they are shown once."""
    codes = [identity.activation_code() for _ in range(RECOVERY_CODES)]
    with transaction.atomic():
        user.recovery_codes.all().delete()
        RecoveryCode.objects.bulk_create(
            RecoveryCode(user=user, code_hash=_hashes("recovery", user, code)[0]) for code in codes
        )
        write(Event.CODES_MADE, user, door)
    return codes


# --- the code from the security administrator -----------------------------------------------------
def issue_binding_code(user: User, *, by: User, door: Door) -> tuple[BindingCode, str]:
    """Make the code that lets an account bind a factor afresh. Raises PermissionDenied, ValidationError."""
    if not by.has_perm("accounts.guard_sign_in"):
        raise PermissionDenied("只有安全管理员可以发放绑定码。")
    if by.pk == user.pk:
        raise ValidationError("不能给自己发放绑定码，请由另一名安全管理员办理。", code="self")
    if user.kind not in (User.Kind.STAFF, User.Kind.INSTITUTION):
        raise ValidationError("公民账户和接口账户不用绑定码。", code="kind")
    code, now = identity.activation_code(), timezone.now()
    with transaction.atomic():
        user.binding_codes.filter(used_at=None).delete()
        kept = BindingCode.objects.create(
            user=user, issued_by=by, issued_at=now, expires_at=now + limits().binding,
            code_hash=_hashes("binding", user, code)[0],
        )  # fmt: skip
        write(Event.BINDING_ISSUED, user, door, by=by, method=Method.BINDING)
    return kept, code


def take_binding_code(user: User, typed: str) -> bool:
    """Use the open binding code up; tell whether it was right. Five wrong ones close it. Old factors go with it."""
    kept = user.binding_codes.select_for_update().filter(used_at=None, expires_at__gt=timezone.now()).first()
    if kept is None:
        return False
    right = any(hmac.compare_digest(bytes(kept.code_hash), h) for h in _hashes("binding", user, typed))
    if not right or kept.attempts >= MAX_ATTEMPTS:
        kept.attempts += 1
        kept.save(update_fields=["attempts"])
        return False
    kept.used_at = timezone.now()
    kept.save(update_fields=["used_at"])
    user.second_factors.all().delete()
    user.recovery_codes.all().delete()
    return True


def about_factor_of(account: int) -> bytes:
    """Return what the seeds and keys of an account are bound to: copied to another account's row they do not open."""
    return f"secondfactor:{account}".encode()


def _opened(factor: SecondFactor) -> bytes:
    return settings.FIELD_KEYRING.open(bytes(factor.sealed), about=about_factor_of(factor.user_id))


def _handle(user: User) -> bytes:
    return settings.FIELD_KEYRING.index(f"passkey handle:{user.pk}".encode())


def _hashes(use: str, user: User, typed: str) -> list[bytes]:
    """Return the keyed hashes of a code under every key in use, the active first."""
    return settings.FIELD_KEYRING.indexes(f"{use}:{user.pk}:{identity.normalise(typed)}".encode())
