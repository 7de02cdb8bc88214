"""What waits for whom: items on their way, a year without a calendar, proposals of another, clocks that ran out."""

from datetime import date

from django.urls import reverse
from django.utils import timezone

from accounts.models import Role, User
from catalogue import grants
from catalogue.deadlines import missing_year, overdue
from catalogue.desk import consultations_to_tend, unsigned_assessments, waiting_versions
from catalogue.models import CalendarEdition, DeadlineRule, ItemGrant
from creditfujian.lib.waiting import Tone, Waiting


def waiting_for(user: User) -> list[Waiting]:
    """Return the cards of items, calendar, deadlines and clocks."""
    cards = _items(user)
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
    cards += _grants(user)
    if user.has_perm("catalogue.view_deadline"):
        url = f"{reverse('admin:catalogue_deadline_changelist')}?overdue=1"
        cards.append(
            Waiting("已超期的办理期限", overdue().count(), "超期只督办，不视为拒绝或者同意", url, Tone.OVERDUE)
        )
    return cards


# Which card each duty has: what waits (desk.WAITING), heading, what to do, tone.
_CARDS = (
    ("propose_item", "returned", "退回修改的草案", "按退回的理由修改后重新提交", Tone.DUE),
    ("review_item", "review", "待法制审核的条目", "核对依据、公开和期限，写出审核意见", Tone.DUE),
    ("assess_item", "assessment", "待影响评估的条目", "登记影响评估；地方补充条目还要公开征求意见", Tone.DUE),
    ("approve_item", "approval", "待批准的条目", "评估和征求意见都已完成", Tone.DUE),
    ("publish_edition", "publication", "已批准待发布的条目", "随下一版目录一起发布", Tone.NEUTRAL),
    ("approve_item", "suspended", "暂停的条目", "查明原因后恢复，或者随下一版目录停用", Tone.OVERDUE),
    ("assess_item", "running_out", "影响评估将到期的条目", "60 天内到期；到期没有新评估就自动暂停", Tone.DUE),
)


def _items(user: User) -> list[Waiting]:
    """Return the cards of items on their way, for those whose duty it is."""
    cards = [
        Waiting(title, waiting_versions(what, user).count(), told, _list("itemversion", f"waiting={what}"), tone)
        for duty, what, title, told, tone in _CARDS
        if user.has_perm(f"catalogue.{duty}")
    ]
    if user.has_perm("catalogue.assess_item"):
        unsigned, told = unsigned_assessments(user).count(), "另一名工作人员评估，由您复核签署"
        url = _list("impactassessment", "unsigned=1")
        cards.append(Waiting("待复核的影响评估", unsigned, told, url, Tone.DUE))
        open_ones, told = consultations_to_tend().count(), "有意见没有答复，或者 7 天内期满、已经期满"
        cards.append(Waiting("待办的征求意见", open_ones, told, _list("consultation", "tend=1"), Tone.DUE))
    return cards


def _grants(user: User) -> list[Waiting]:
    """Return the cards of grants: to confirm, and about to end, for the credit office and for the departments."""
    if not user.has_perm("catalogue.view_itemgrant"):
        return []
    cards, days = [], grants.notice_days()
    if user.has_perm(grants.CONFIRM):
        count = ItemGrant.objects.to_confirm_by(user).count()
        url = _list("itemgrant", "standing=asked")
        cards.append(
            Waiting("待确认的目录授权", count, "另一名工作人员申请，由您核对依据和必要性后确认", url, Tone.DUE)
        )
    if user.has_perm(grants.PROPOSE) or not user.has_perm("catalogue.view_all_itemgrants"):
        count = ItemGrant.objects.visible_to(user).ending_within(days).count()
        ask = "请核对后续期" if user.has_perm(grants.PROPOSE) else "请联系省信用办续期"
        told = f"到期当天自动失效；需要继续的，{ask}"
        cards.append(
            Waiting(f"{days} 天内到期的目录授权", count, told, _list("itemgrant", "standing=ending"), Tone.DUE)
        )
    return cards


def _list(model: str, query: str) -> str:
    return f"{reverse(f'admin:catalogue_{model}_changelist')}?{query}"


def _missing(user: User, year: int) -> Waiting:
    proposed = CalendarEdition.objects.filter(year=year, state="draft").exists()
    may = user.has_perm("catalogue.propose_calendar") and not proposed
    url = reverse(f"admin:catalogue_calendaredition_{'add' if may else 'changelist'}")
    told = "已录入，等候确认" if proposed else "请按国务院办公厅通知录入；录入确认前，跨年的期限都是暂定"
    late = timezone.localdate() >= date(year, 1, 1)
    return Waiting(f"{year} 年工作日历还没有生效", 1, told, url, Tone.OVERDUE if late else Tone.DUE)
