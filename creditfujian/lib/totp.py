"""Time-based one-time codes (RFC 6238, SHA-1, six digits, 30 seconds): what every authenticator app speaks."""

import base64
import hmac
import secrets
from urllib.parse import quote, urlencode

STEP = 30
DIGITS = 6
DRIFT = 1  # steps that a phone's clock may be off, either way (RFC 6238 §5.2)


def new_secret() -> bytes:
    """Draw a secret of 160 bits, the length that RFC 4226 §4 recommends."""
    return secrets.token_bytes(20)


def as_text(secret: bytes) -> str:
    """Return the secret as people and apps write it (Base32, no padding)."""
    return base64.b32encode(secret).decode().rstrip("=")


def from_text(text: str) -> bytes:
    """Read a Base32 secret, with or without spaces and padding. Raises ValueError."""
    bare = text.replace(" ", "").upper().rstrip("=")
    return base64.b32decode(bare + "=" * (-len(bare) % 8))


def code(secret: bytes, step: int, *, digits: int = DIGITS) -> str:
    """Return the code of a time step (RFC 4226 §5.3)."""
    mac = hmac.digest(secret, step.to_bytes(8, "big"), "sha1")
    at = mac[-1] & 0x0F
    number = int.from_bytes(mac[at : at + 4], "big") & 0x7FFF_FFFF
    return f"{number % 10**digits:0{digits}}"


def step_at(seconds: float) -> int:
    """Return the time step of a moment, in seconds since 1970."""
    return int(seconds) // STEP


def matching_step(secret: bytes, typed: str, *, now: float, after: int) -> int | None:
    """Return the step whose code was typed, or None. Steps up to `after` were used: a code opens once (RFC 6238 §5.2)."""
    here = step_at(now)
    found = None
    for step in range(here - DRIFT, here + DRIFT + 1):
        if hmac.compare_digest(code(secret, step).encode(), typed.encode()) and step > after:
            found = step
    return found


def address(secret: bytes, *, account: str, issuer: str) -> str:
    """Return the otpauth:// address that an authenticator app reads from a QR code."""
    query = urlencode({"secret": as_text(secret), "issuer": issuer, "digits": DIGITS, "period": STEP}, quote_via=quote)
    return f"otpauth://totp/{quote(issuer)}:{quote(account)}?{query}"
