"""What waits in sanctions: cases by due day for those who run them, proposals and grants to confirm for the credit office."""

from typing import Any

from django.db.models import Q
from django.urls import reverse

from accounts.models import User
from creditfujian.lib.waiting import Tone, Waiting
from sanctions.case_models import HANDS, ListingCase, State
from sanctions.measure_models import Measure
from sanctions.roster_models import RosterGrant, RosterVersion

# Whose duty it is to go on: the permission, the card's title, what it says, and of which cases.
_NEXT: tuple[tuple[str, str, str, Q], ...] = (
    ("propose_listing", "待拟稿、送达或者列入的案件", "到期日最近的在前",
     Q(state__in=[State.OPENED, State.DRAFTED, State.NOTICED, State.DECIDED, State.SERVED])),
    ("review_listing", "待复核的列入案件", "陈述申辩期满后复核，逐条回应", Q(state__in=[State.DEFENCE_OPEN, State.DEFENCE_RECEIVED])),
    ("legal_check_listing", "待法制审核的列入案件", "核对权限、程序、依据和证据", Q(state=State.REVIEWED)),
    ("decide_listing", "待决定的列入案件", "决定列入或者不予列入",
     Q(state=State.LEGAL_CHECK, upper=None) | Q(state=State.UPPER_CONSENT)),
)  # fmt: skip


def waiting_cases(user: User) -> list[Waiting]:
    """Return the cards of cases and of proposals."""
    return _cases(user) + _proposals(user)


def _cases(user: User) -> list[Waiting]:
    if not any(user.has_perm(hand) for hand in HANDS):
        return []
    url = reverse("admin:sanctions_listingcase_changelist")
    mine = ListingCase.objects.visible_to(user)
    own = mine.filter(organisation=user.organisation_id)
    cards = [
        Waiting(title, own.filter(which).count(), told, f"{url}?queue=open", Tone.DUE)
        for duty, title, told, which in _NEXT
        if user.has_perm(f"sanctions.{duty}")
    ]
    if user.has_perm("sanctions.consent_listing"):
        below = mine.filter(upper=user.organisation_id, state=State.LEGAL_CHECK).count()
        cards.append(
            Waiting("待同意的下级列入案件", below, "下级单位的案件须经同意才能决定", f"{url}?queue=open", Tone.DUE)
        )
    due: Any = mine.under_way().with_due_day()
    late = due.filter(is_overdue=True).count()
    return [
        *cards,
        Waiting("超期的列入案件", late, "超期只督办，不视为同意或者拒绝", f"{url}?queue=overdue", Tone.OVERDUE),
    ]


def _proposals(user: User) -> list[Waiting]:
    cards = []
    for permission, model, title in (
        ("confirm_roster", RosterVersion, "待确认的名单制度"), ("confirm_roster", Measure, "待确认的惩戒措施"),
        ("confirm_rostergrant", RosterGrant, "待确认的名单办理授权"),
    ):  # fmt: skip
        if user.has_perm(f"sanctions.{permission}"):
            count = model._default_manager.filter(state="draft").exclude(proposed_by=user).count()
            url = f"{reverse(f'admin:sanctions_{model._meta.model_name}_changelist')}?state__exact=draft"
            cards.append(Waiting(title, count, "另一名工作人员提出，由您核对依据后确认", url, Tone.DUE))
    return cards
