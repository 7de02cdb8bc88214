"""What those who watch the query log must know: it is not sealed in time, or a verification found something."""

from django.urls import reverse

from access.models import Verification
from access.sealing import lateness
from accounts.models import Role, User
from creditfujian.lib.waiting import Tone, Waiting


def waiting_for(user: User) -> list[Waiting]:
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
