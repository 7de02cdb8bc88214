"""What waits for the credit office: a year without a calendar, proposals of another, clocks that ran out."""

from datetime import date

from django.urls import reverse
from django.utils import timezone

from accounts.models import Role, User
from catalogue.deadlines import missing_year, overdue
from catalogue.models import CalendarEdition, DeadlineRule
from creditfujian.lib.waiting import Tone, Waiting


def waiting_for(user: User) -> list[Waiting]:
    """Return the cards of calendar, deadlines and clocks."""
    cards = []
    if user.has_role(Role.CREDIT_OFFICE, Role.SYSTEM_ADMIN) and (year := missing_year()):
        cards.append(_missing(user, year))
    if user.has_perm("catalogue.confirm_calendar"):
        count = CalendarEdition.objects.filter(state="draft").exclude(proposed_by=user).count()
        url = f"{reverse('admin:catalogue_calendaredition_changelist')}?state__exact=draft"
        cards.append(Waiting("待确认的工作日历", count, "另一名工作人员录入，由您对照通知确认", url, Tone.DUE))
    if user.has_perm("catalogue.confirm_deadlinerule"):
        count = DeadlineRule.objects.filter(state="draft").exclude(proposed_by=user).count()
        url = f"{reverse('admin:catalogue_deadlinerule_changelist')}?state__exact=draft"
        cards.append(Waiting("待确认的时限规则", count, "另一名工作人员提出，由您核对依据后确认", url, Tone.DUE))
    if user.has_perm("catalogue.view_deadline"):
        url = f"{reverse('admin:catalogue_deadline_changelist')}?overdue=1"
        cards.append(
            Waiting("已超期的办理期限", overdue().count(), "超期只督办，不视为拒绝或者同意", url, Tone.OVERDUE)
        )
    return cards


def _missing(user: User, year: int) -> Waiting:
    proposed = CalendarEdition.objects.filter(year=year, state="draft").exists()
    may = user.has_perm("catalogue.propose_calendar") and not proposed
    url = reverse(f"admin:catalogue_calendaredition_{'add' if may else 'changelist'}")
    told = "已录入，等候确认" if proposed else "请按国务院办公厅通知录入；录入确认前，跨年的期限都是暂定"
    late = timezone.localdate() >= date(year, 1, 1)
    return Waiting(f"{year} 年工作日历还没有生效", 1, told, url, Tone.OVERDUE if late else Tone.DUE)
