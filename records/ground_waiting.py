"""What waits about agents and about official letters: to decide, to extend, to tell; what is held back, for the auditor."""

from django.urls import reverse

from access import authorities, letters
from access.models import Authority, HoldExtension, OfficialLetter
from accounts.models import User
from catalogue.models import Deadline
from creditfujian.lib.waiting import Tone, Waiting


def waiting_on_grounds(user: User) -> list[Waiting]:
    """Return the cards of authorities and of letters."""
    return _authorities(user) + _letters(user)


def _authorities(user: User) -> list[Waiting]:
    url = reverse("admin:access_authority_changelist")
    if user.has_perm(authorities.DECIDE):
        count = Authority.objects.to_review_by(user).count()
        late = Deadline.objects.overdue().filter(subject_type=Authority._meta.label_lower).count()
        told = f"已超期 {late} 件；" if late else ""
        told += "窗口录入，三个工作日内打开材料核对"
        tone = Tone.OVERDUE if late else Tone.DUE
        return [Waiting("待复核的代理人、近亲属查询", count, told, f"{url}?state__exact=entered", tone)]
    if user.has_perm(authorities.ENTER):
        ready = Authority.objects.visible_to(user).in_force().count()
        told = "已通过复核，来人到窗口时查验证件、查询并打印"
        return [Waiting("可以办理的代理人、近亲属查询", ready, told, f"{url}?state__exact=approved")]
    return []


def _letters(user: User) -> list[Waiting]:
    if not user.has_perm("access.view_officialletter"):
        return []
    url, cards = reverse("admin:access_officialletter_changelist"), []
    if user.has_perm(letters.DECIDE):
        count = OfficialLetter.objects.to_decide_by(user).count()
        told = "另一名工作人员登记，由您打开公函核对后审核"
        cards.append(Waiting("待审核的公函", count, told, f"{url}?state__exact=entered", Tone.DUE))
        count = HoldExtension.objects.to_decide_by(user).count()
        told = "另一名工作人员提出，由您重新打开公函核对后审核"
        cards.append(Waiting("待审核的延期显示", count, told, f"{url}?held=1", Tone.DUE))
    held = OfficialLetter.objects.held().count()
    cards.append(Waiting("暂不显示的公函", held, "当事人只看到条数和最迟日期，到期自动放出", f"{url}?held=1"))
    untold = OfficialLetter.objects.released_untold().count()
    told = "已到放出日期，当事人看得到了，夜间任务还没有发消息"
    cards.append(Waiting("放出后尚未告知的公函", untold, told, f"{url}?held=untold", Tone.OVERDUE))
    return cards
