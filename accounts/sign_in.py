"""The deeds of signing in: the password, the second factor, the session, confirming again, ending sessions."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth import authenticate, login, logout, update_session_auth_hash
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import HttpRequest

from accounts import second_factors
from accounts.backends import account_named
from accounts.models import Session, User
from accounts.sessions import MARK, reference, sessions_of
from accounts.sign_in_log import Door, is_known, locked_until, name_index, one_at_a_time, write
from accounts.sign_in_models import Event, Method
from accounts.sign_in_rules import Limits, limits

BACKEND = "accounts.backends.StaffAndCitizens"


@dataclass(frozen=True)
class Answer:
    """What became of an attempt: the account when it was right; until when attempts are refused when it was not read."""

    user: User | None = None
    locked: datetime | None = None
    method: str = ""


def try_password(request: HttpRequest, typed: str, password: str, door: Door) -> Answer:
    """Check name and password. Nothing in answer, time or log lines tells whether the name belongs to anybody."""
    user = account_named(typed)
    return _attempt(
        user, typed, door, Event.WRONG_PASSWORD, Method.PASSWORD, lambda: _password(request, typed, password)
    )


def _password(request: HttpRequest, typed: str, password: str) -> Answer:
    user = authenticate(request, username=typed, password=password)
    return Answer(user=user if isinstance(user, User) else None, method=Method.PASSWORD)


def try_factor(user: User, door: Door, use: Callable[[], Method | None]) -> Answer:
    """Check the second factor; `use` takes what was typed or signed and uses it up."""

    def check() -> Answer:
        method = use()
        return Answer(user=user, method=method) if method else Answer()

    return _attempt(user, "", door, Event.WRONG_FACTOR, "", check)


def _attempt(
    user: User | None, typed: str, door: Door, wrong: Event, method: str, check: Callable[[], Answer]
) -> Answer:
    limit, name = limits(), name_index(user, typed)
    with transaction.atomic():
        one_at_a_time(name)
        known = is_known(user, door, limit)
        if until := locked_until(name, door, limit, known=known):
            write(Event.LOCKED, user, door, method=method, name=name, known=known)
            return Answer(locked=until)
        answer = check()
        if answer.user is None:
            write(wrong, user, door, method=method, name=name, known=known)
        return answer


def open_session(request: HttpRequest, user: User, door: Door, *, method: str, factor: bool) -> None:
    """Sign the account in on this browser and write the line. Raises PermissionDenied without the second factor."""
    if second_factors.demanded_of(user) and not factor:
        raise PermissionDenied("此账户须完成第二步验证。")
    limit = limits()
    with transaction.atomic():
        write(Event.SIGNED_IN, user, door, method=method, known=is_known(user, door, limit))
        login(request, user, backend=BACKEND)
        request.session[MARK] = mark(limit, door, method=method, factor=factor)


def mark(limit: Limits, door: Door, *, method: str, factor: bool) -> dict[str, object]:
    """Return what a session says of its beginning; times in whole seconds since 1970. Limits stay those of its start."""
    now = int(time.time())
    return {
        "at": now, "seen": now, "until": now + int(limit.longest.total_seconds()),
        "idle": int(limit.idle.total_seconds()), "factor": now if factor else 0,
        "network": door.network, "agent": door.agent, "method": str(Method(method).label),
    }  # fmt: skip


def is_over(request: HttpRequest, user: User) -> bool:
    """Tell whether a session has ended by itself: too long idle, too long at all, or begun without what it needs."""
    begun, now = request.session.get(MARK), int(time.time())
    if begun is None:
        return True
    lacking = second_factors.demanded_of(user) and not begun["factor"]
    return lacking or now - begun["seen"] > begun["idle"] or now > begun["until"]


def touch(request: HttpRequest) -> None:
    """Note that the session is used, at most twice a minute."""
    begun, now = request.session[MARK], int(time.time())
    if now - begun["seen"] > 30:
        request.session[MARK] = {**begun, "seen": now}


def is_recent(request: HttpRequest) -> bool:
    """Tell whether the session's holder showed a second factor (a citizen without one here: the password) just now."""
    begun = request.session.get(MARK) or {}
    shown = max(begun.get("factor", 0), begun.get("confirmed", 0))
    return time.time() - shown <= limits().recent.total_seconds()


def confirm(request: HttpRequest, user: User, door: Door, *, method: str) -> None:
    """Note that the holder has shown their factor again."""
    key = "confirmed" if method == Method.PASSWORD else "factor"
    write(Event.CONFIRMED, user, door, method=method)
    request.session[MARK] = {**request.session[MARK], key: int(time.time())}


def leave(request: HttpRequest, door: Door, event: Event = Event.SIGNED_OUT) -> None:
    """Sign out, with a line."""
    if isinstance(request.user, User):
        write(event, request.user, door)
    logout(request)


def end_session(session: Session, door: Door, *, by: User) -> None:
    """End one session. Raises PermissionDenied when it is neither one's own nor one's duty."""
    user = session.account
    if user is None or (user.pk != by.pk and not by.has_perm("accounts.guard_sign_in")):
        raise PermissionDenied("只能结束本人的会话；他人的由安全管理员结束。")
    with transaction.atomic():
        write(Event.ENDED, user, door, by=by, note=session.agent)
        session.delete()


def end_sessions(user: User, door: Door, *, by: User, keep: str = "", only: str = "") -> int:
    """End all sessions of an account but the one with the key `keep`; return how many. Raises PermissionDenied.

    With `only`, the reference of a session (accounts.sessions.reference), end no other.
    """
    ended = 0
    for session in sessions_of(user).exclude(session_key=keep):
        if only in ("", reference(session)):
            end_session(session, door, by=by)
            ended += 1
    return ended


def unlock(user: User, door: Door, *, by: User) -> None:
    """Let a locked-out account try again. Raises PermissionDenied."""
    if not by.has_perm("accounts.guard_sign_in"):
        raise PermissionDenied("只有安全管理员可以解除锁定。")
    write(Event.UNLOCKED, user, door, by=by)


def change_password(request: HttpRequest, user: User, old: str, new: str, door: Door) -> datetime | None:
    """Set a new password; all other sessions end with it. Returns until when the account is locked, if it is.

    Raises ValidationError: a wrong old one, or a weak new one.
    """
    answer = _attempt(
        user, "", door, Event.WRONG_PASSWORD, Method.PASSWORD,
        lambda: Answer(user=user if user.check_password(old) else None),
    )  # fmt: skip
    if answer.locked:
        return answer.locked
    if answer.user is None:
        raise ValidationError({"old": "现在的密码不对。"}, code="old")
    if new == old:
        raise ValidationError({"new": "新密码不能与现在的密码相同。"}, code="same")
    try:
        validate_password(new, user)
    except ValidationError as error:
        raise ValidationError({"new": error.messages}) from None
    with transaction.atomic():
        user.set_password(new)
        user.must_change_password = False
        user.save(update_fields=["password", "must_change_password"])
        end_sessions(user, door, by=user, keep=request.session.session_key or "")
        write(Event.PASSWORD_CHANGED, user, door)
    update_session_auth_hash(request, user)
    return None
