"""Citizens by OpenID Connect: authorisation code with PKCE, state and nonce, against any provider that publishes itself.

OpenID Connect Core 1.0 (§3.1 code flow, §3.1.3.7 checking the ID token), Discovery 1.0, RFC 7636 (PKCE). The token's
signature, issuer, audience and times are checked by PyJWT; what the claims must say about the person is in
`accounts.oidc_actions`.
"""

import base64
import hashlib
import hmac
import json
import secrets
import time
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

import jwt
from django.conf import settings

ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]  # public keys only: no "none", no shared secrets
SECONDS = 10  # for one answer of the provider
MOST_BYTES = 1 << 20
LEEWAY = 30  # seconds that clocks may differ
METADATA_SECONDS = 3600  # how long a provider's description is kept


class Refused(Exception):
    """The provider's answer cannot be trusted or used. `reason` is a code for the log; people get one sentence."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Provider:
    """An identity service as the settings name it."""

    issuer: str
    client_id: str
    client_secret: str
    label: str
    scopes: str
    acr: tuple[str, ...]


@dataclass(frozen=True)
class Errand:
    """One way to the provider and back: kept in the session, used once."""

    state: str
    nonce: str
    verifier: str
    redirect_uri: str
    next: str
    at: int  # seconds since 1970

    @classmethod
    def new(cls, *, redirect_uri: str, next_page: str) -> "Errand":
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        return cls(state, nonce, verifier, redirect_uri, next_page, int(time.time()))


def provider() -> Provider | None:
    """Return the provider, or None when none is set."""
    if not settings.OIDC_ISSUER:
        return None
    return Provider(
        settings.OIDC_ISSUER, settings.OIDC_CLIENT_ID, settings.OIDC_CLIENT_SECRET, settings.OIDC_LABEL,
        settings.OIDC_SCOPES, tuple(settings.OIDC_ACR),
    )  # fmt: skip


def way_there(one: Provider, errand: Errand) -> str:
    """Return the address at the provider that the browser is sent to. Raises Refused when the provider is not there."""
    challenge = base64.urlsafe_b64encode(hashlib.sha256(errand.verifier.encode()).digest()).rstrip(b"=").decode()
    asked = {
        "response_type": "code", "client_id": one.client_id, "redirect_uri": errand.redirect_uri, "scope": one.scopes,
        "state": errand.state, "nonce": errand.nonce, "code_challenge": challenge, "code_challenge_method": "S256",
        "acr_values": " ".join(one.acr), "prompt": "login", "max_age": "0",
    }  # fmt: skip
    return f"{_metadata(one)['authorization_endpoint']}?{urlencode(asked)}"


def claims(one: Provider, errand: Errand, *, state: str, code: str) -> dict[str, Any]:
    """Exchange the code and return the claims of a checked ID token. Raises Refused."""
    if not hmac.compare_digest(state.encode(), errand.state.encode()):
        raise Refused("state")
    if not code:
        raise Refused("no_code")
    about = _metadata(one)
    form = {
        "grant_type": "authorization_code", "code": code, "redirect_uri": errand.redirect_uri,
        "code_verifier": errand.verifier, "client_id": one.client_id,
    }  # fmt: skip
    answer = _fetch(about["token_endpoint"], form, basic=(one.client_id, one.client_secret))
    found = _checked(one, about, str(answer.get("id_token", "")))
    if not hmac.compare_digest(str(found.get("nonce", "")).encode(), errand.nonce.encode()):
        raise Refused("nonce")
    if found.get("azp", one.client_id) != one.client_id:
        raise Refused("azp")
    if found.get("acr") not in one.acr:
        raise Refused("acr")
    if type(found["auth_time"]) is not int:
        raise Refused("token")
    if found["auth_time"] < errand.at - LEEWAY:  # a fresh sign-in: the browser may have lost what we asked for
        raise Refused("auth_time")
    return found


def _checked(one: Provider, about: dict[str, Any], token: str) -> dict[str, Any]:
    """Return the claims of a token with a good signature, issuer, audience and times. Raises Refused."""
    try:
        key = _key_of(about["jwks_uri"], token)
        return jwt.decode(
            token, key.key, algorithms=ALGORITHMS, audience=one.client_id, issuer=one.issuer, leeway=LEEWAY,
            options={"require": ["iss", "sub", "aud", "exp", "iat", "nonce", "auth_time"]},
        )  # fmt: skip
    except jwt.ExpiredSignatureError:
        raise Refused("expired") from None
    except jwt.InvalidIssuerError:
        raise Refused("issuer") from None
    except jwt.InvalidAudienceError:
        raise Refused("audience") from None
    except jwt.MissingRequiredClaimError as error:
        raise Refused(f"no_{error.claim}") from None
    except (jwt.PyJWTError, ValueError, KeyError):
        raise Refused("token") from None


def _key_of(jwks_uri: str, token: str) -> jwt.PyJWK:
    """Return the provider's key that the token names, asking once more when it is new. Raises Refused, jwt.PyJWTError."""
    kid = jwt.get_unverified_header(token).get("kid")
    for fresh in (False, True):
        if fresh:
            _document.cache_clear()
        keys = jwt.PyJWKSet.from_dict(_document(jwks_uri, _hour())).keys
        fitting = [key for key in keys if key.key_id == kid or kid is None]
        if len(fitting) == 1:
            return fitting[0]
    raise Refused("key")


def _metadata(one: Provider) -> dict[str, Any]:
    """Return the provider's description of itself. Raises Refused when it is another's or leads elsewhere in the clear."""
    found = _document(f"{one.issuer.rstrip('/')}/.well-known/openid-configuration", _hour())
    if found.get("issuer") != one.issuer:
        raise Refused("issuer")
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        if not _is_safe(str(found.get(name, ""))):
            raise Refused("metadata")
    return found


def _is_safe(address: str) -> bool:
    """Tell whether an address is https; plain http only at this machine, for tests and the demo."""
    parts = urlsplit(address)
    return parts.scheme == "https" or (settings.DEMO and parts.scheme == "http" and parts.hostname == "127.0.0.1")


def _hour() -> int:
    return int(time.time()) // METADATA_SECONDS


@lru_cache(16)
def _document(address: str, hour: int) -> dict[str, Any]:
    """Fetch a document that changes seldom; kept for an hour at most."""
    return _fetch(address)


class _Stay(HTTPRedirectHandler):
    """A provider's endpoints do not send us elsewhere."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


def _fetch(address: str, form: dict[str, str] | None = None, basic: tuple[str, str] | None = None) -> dict[str, Any]:
    """Ask the provider for JSON. Raises Refused when there is no answer in time, or it is not one."""
    if not _is_safe(address):
        raise Refused("metadata")
    request = Request(address, data=urlencode(form).encode() if form else None)  # noqa: S310  checked above
    request.add_header("Accept", "application/json")
    if basic and basic[1]:
        pair = base64.b64encode(":".join(map(_quoted, basic)).encode()).decode()
        request.add_header("Authorization", f"Basic {pair}")
    try:
        with build_opener(_Stay).open(request, timeout=SECONDS) as answer:
            found = json.loads(answer.read(MOST_BYTES))
    except (URLError, OSError, ValueError):
        raise Refused("provider" if form is None else "code") from None
    if not isinstance(found, dict):
        raise Refused("provider")
    return found


def _quoted(text: str) -> str:
    """Return a part of the basic credentials as RFC 6749 §2.3.1 wants it."""
    return urlencode({"": text})[1:]
