"""What waits in access: the seals of the query log for those who watch it, institutions for the credit office."""

from datetime import timedelta

from django.urls import reverse
from django.utils import timezone

from access.models import Institution, Verification
from access.sealing import lateness
from accounts.models import Role, User
from creditfujian.lib.waiting import Tone, Waiting

ENDING_DAYS = 60  # how long before its end a licence is shown as ending


def waiting_for(user: User) -> list[Waiting]:
    """Return the cards of what this account has to see to."""
    return _seals(user) + _institutions(user)


def _seals(user: User) -> list[Waiting]:
    """Return the cards of the query log's seals, for the auditor and for operations."""
    if not user.has_role(Role.AUDITOR, Role.OPERATOR):
        return []
    url = reverse("admin:access_verification_changelist")
    late, last = lateness(), Verification.objects.first()
    broken = last is not None and not last.is_whole
    found = f"{last.found}（序号 {last.first_bad}）" if last and broken else "最近一次核验完好"
    return [
        Waiting("查询日志没有按时封存", int(bool(late)), late or "每分钟封存，检查点没有延误", url, Tone.OVERDUE),
        Waiting("查询日志核验发现问题", int(broken), found, url, Tone.OVERDUE),
    ]


def _institutions(user: User) -> list[Waiting]:
    """Return the cards of registrations to decide and of licences that end."""
    if not user.has_perm("access.confirm_institution"):
        return []
    url, today = reverse("admin:access_institution_changelist"), timezone.localdate()
    asked = Institution.objects.filter(state=Institution.State.ASKED).exclude(proposed_by=user).count()
    stand = Institution.objects.filter(state=Institution.State.CONFIRMED)
    ending = stand.filter(valid_to__lt=today + timedelta(days=ENDING_DAYS)).count()
    return [
        Waiting("待审核的机构登记", asked, "另一名工作人员登记，由您审核", f"{url}?state__exact=asked", Tone.DUE),
        Waiting(
            "证照快到期的机构",
            ending,
            f"{ENDING_DAYS} 天内到期或已到期；到期当天起自动停止查询",
            f"{url}?state__exact=confirmed",
        ),
    ]
