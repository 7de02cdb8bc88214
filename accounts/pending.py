"""Between the password and the second factor: whose password was right, kept in the session for a few minutes.

Nobody is signed in yet: `request.user` stays nobody, so no page opens.
"""

import time
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from accounts.models import User
from accounts.sign_in_rules import limits

KEY = "password_was_right"
CEREMONY, SEED = "passkey_challenge", "new_seed"
_SEED_ABOUT = b"seed on offer"


def begin(request: HttpRequest, user: User, *, next_page: str) -> None:
    """Remember whose password was right; the session gets a new key, and nothing of whoever began here before."""
    request.session.cycle_key()
    end(request)
    request.session[KEY] = {
        "user": user.pk, "at": int(time.time()), "next": next_page, "hash": user.get_session_auth_hash(),
    }  # fmt: skip


def user_of(request: HttpRequest) -> User | None:
    """Return who may show the second factor now: not after the time (rule S07), nor when the password was changed."""
    kept = request.session.get(KEY)
    if kept is None or time.time() - kept["at"] > limits().pending.total_seconds():
        return None
    user = User.objects.filter(pk=kept["user"], is_active=True).first()
    if user is None or user.get_session_auth_hash() != kept["hash"] or user.is_closed():
        return None
    return user


def next_of(request: HttpRequest) -> str:
    """Return where the visitor wanted to go."""
    return request.session.get(KEY, {}).get("next", "")


def seed_on_offer(request: HttpRequest, make: bytes | None = None) -> bytes | None:
    """Return the seed shown to this session and not yet bound, or keep a new one. Sealed: sessions lie in the database."""
    ring = settings.FIELD_KEYRING
    if make is not None:
        request.session[SEED] = ring.seal(make, about=_SEED_ABOUT).hex()
        return make
    kept = request.session.get(SEED)
    return ring.open(bytes.fromhex(kept), about=_SEED_ABOUT) if kept else None


def end(request: HttpRequest) -> None:
    """Forget the way in: somebody is signed in now."""
    for key in (KEY, SEED, CEREMONY):
        request.session.pop(key, None)


def forget_seed(request: HttpRequest) -> None:
    """Drop a seed that is bound now."""
    request.session.pop(SEED, None)


def challenge(request: HttpRequest, state: dict[str, Any] | None = None) -> dict[str, Any] | None:
    """Keep a passkey's challenge, or take the kept one: each is answered once."""
    if state is not None:
        request.session[CEREMONY] = {
            "challenge": state["challenge"],
            "user_verification": str(state["user_verification"]),
        }
        return state
    return request.session.pop(CEREMONY, None)
