"""The limits of signing in, as the rows in force say."""

from dataclasses import dataclass
from datetime import timedelta

from django.core.exceptions import PermissionDenied

from accounts.models import SignInRule, User

_NAMES = {
    SignInRule.Code.FAILURES: "failures",
    SignInRule.Code.LOCK: "lock",
    SignInRule.Code.ADDRESS_FAILURES: "address_failures",
    SignInRule.Code.IDLE: "idle",
    SignInRule.Code.LONGEST: "longest",
    SignInRule.Code.RECENT: "recent",
    SignInRule.Code.PENDING: "pending",
    SignInRule.Code.BINDING: "binding",
    SignInRule.Code.KNOWN: "known",
    SignInRule.Code.WHOLE_NUMBERS: "whole_numbers",
    SignInRule.Code.URGENT: "urgent",
}


@dataclass(frozen=True)
class Limits:
    """The limits in force; lengths of time as such, the others as numbers of times."""

    failures: int
    lock: timedelta
    address_failures: int
    idle: timedelta
    longest: timedelta
    recent: timedelta
    pending: timedelta
    binding: timedelta
    known: timedelta
    whole_numbers: int
    urgent: timedelta


def limits() -> Limits:
    """Return the limits in force: of each code, the latest row."""
    rows = SignInRule.objects.order_by("code", "-id").distinct("code")
    return Limits(**{_NAMES[SignInRule.Code(row.code)]: _meant(row) for row in rows})  # type: ignore[arg-type]


def set_limit(rule: SignInRule, value: int, *, source: str, reason: str, by: User) -> SignInRule:
    """Set a limit anew, from now on; sessions that are open keep theirs. Raises PermissionDenied, ValidationError."""
    if not by.has_perm("accounts.add_signinrule"):
        raise PermissionDenied("只有安全管理员可以修改登录限值。")
    new = SignInRule(
        code=rule.code, unit=rule.unit, least=rule.least, most=rule.most, value=value, source=source.strip(),
        reason=reason.strip(), set_by=by,
    )  # fmt: skip
    new.full_clean()
    new.save()
    return new


def _meant(row: SignInRule) -> int | timedelta:
    return row.value if row.unit == SignInRule.Unit.TIMES else timedelta(**{row.unit: row.value})
