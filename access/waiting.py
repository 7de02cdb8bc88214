"""What waits in access: the seals of the query log for those who watch it, institutions, and reviews of readings."""

from django.urls import reverse

from access import duties, reviews
from access.institution_models import ENDING_DAYS
from access.models import Anomaly, DutyItem, Institution, ReviewRule, Sign, UrgentReading, Verification
from access.sealing import lateness
from accounts.models import Role, User
from creditfujian.lib.waiting import Tone, Waiting


def waiting_for(user: User) -> list[Waiting]:
    """Return the cards of what this account has to see to."""
    return _seals(user) + _institutions(user) + _reviews(user) + _alarms(user)


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
    url = reverse("admin:access_institution_changelist")
    asked = Institution.objects.filter(state=Institution.State.ASKED).exclude(proposed_by=user).count()
    ending = Institution.objects.ending().count()
    return [
        Waiting("待审核的机构登记", asked, "另一名工作人员登记，由您审核", f"{url}?state__exact=asked", Tone.DUE),
        Waiting(
            "证照快到期的机构",
            ending,
            f"{ENDING_DAYS} 天内到期或已到期；到期当天起自动停止查询",
            f"{url}?ending=1",
        ),
    ]


def _alarms(user: User) -> list[Waiting]:
    """Return the card of urgent readings that stand open, for those who watch and for the unit's head."""
    if not (user.has_perm("access.view_all_urgentreadings") or user.has_perm("access.answer_urgentreading")):
        return []
    count = UrgentReading.objects.visible_to(user).under_review().count()
    url, told = (
        reverse("admin:access_urgentreading_changelist"),
        "没有登记职责就打开了档案；单位负责人答复、审计员作出结论前一直提示",
    )
    return [Waiting("紧急查询报警", count, told, url, Tone.OVERDUE)]


def _reviews(user: User) -> list[Waiting]:
    """Return the cards of reviews, of their rules and of duties."""
    cards, url = [], reverse("admin:access_anomaly_changelist")
    if user.has_perm("access.answer_anomaly"):
        mine = Anomaly.objects.to_answer_by(user)
        late = Anomaly.objects.overdue().filter(pk__in=mine.values("pk")).count()
        told = "核对案卷，说明这些查询有没有依据"
        told, tone = (f"{late} 件已超期；{told}", Tone.OVERDUE) if late else (told, Tone.DUE)
        cards.append(Waiting("待答复的查询核查", mine.count(), told, f"{url}?state__exact=open", tone))
        asked = mine.filter(sign=Sign.QUESTIONED).count()
        told = "当事人在等答复：先办，用平常的话写明为什么查、凭什么查"
        cards.append(
            Waiting("本人提出疑问的查询", asked, told, f"{url}?state__exact=open&sign__exact=questioned", Tone.DUE)
        )
    if user.has_perm("access.close_anomaly"):
        count = Anomaly.objects.to_close().count()
        told = "单位已答复，由您核对后办结或者退回"
        cards.append(Waiting("待办结的查询核查", count, told, f"{url}?state__exact=answered", Tone.DUE))
    if user.has_perm("access.close_anomaly") or user.has_perm("access.oversee_anomaly"):
        late = Anomaly.objects.overdue().count()
        told = "五个工作日内没有答复，由省信用办督办、答复"
        cards.append(Waiting("超期未答复的查询核查", late, told, f"{url}?overdue=1", Tone.OVERDUE))
    if user.has_perm("access.oversee_anomaly"):
        count = Anomaly.objects.to_review_by(user).count()
        told = "当事人对结论申请复核，由没有答复过的人办理"
        cards.append(
            Waiting("待复核的本人疑问", count, told, f"{url}?state__exact=closed&sign__exact=questioned", Tone.DUE)
        )
    if user.has_perm(reviews.CONFIRM):
        count = ReviewRule.objects.filter(state="draft").exclude(proposed_by=user).count()
        rules = f"{reverse('admin:access_reviewrule_changelist')}?state__exact=draft"
        told = "另一名工作人员提出，由您核对理由后确认"
        cards.append(Waiting("待确认的查询核查规则", count, told, rules, Tone.DUE))
    if user.has_perm(duties.CONFIRM):
        count = DutyItem.objects.filter(state="draft").exclude(proposed_by=user).count()
        where = f"{reverse('admin:access_dutyitem_changelist')}?state__exact=draft"
        told = "另一名工作人员提出，由您核对法律依据和条目后确认"
        cards.append(Waiting("待确认的职责事项", count, told, where, Tone.DUE))
    return cards
