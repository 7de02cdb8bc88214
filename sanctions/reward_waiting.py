"""What waits of rewards: decisions, objections, papers, programmes to confirm."""

from django.db.models import Exists
from django.urls import reverse

from accounts.models import User
from catalogue.models import Deadline
from creditfujian.lib.waiting import Tone, Waiting
from sanctions import reward_papers, reward_programmes
from sanctions.models import RewardCase, RewardObjection, RewardPaper, RewardProgramme
from sanctions.reward_models import DECIDE, NOMINATE


def waiting_rewards(user: User) -> list[Waiting]:
    """Return the cards of officials of an awarding unit, of clerks and of the credit office."""
    cards, cases = [], reverse("admin:sanctions_rewardcase_changelist")
    if user.has_perm(DECIDE):
        mine = RewardCase.objects.to_decide_by(user)
        late = mine.filter(Exists(Deadline.objects.of_outer(RewardCase).overdue())).count()
        told = "先查阅核对结果，再决定公示、授予、恢复或者撤销"
        told, tone = (f"{late} 件已超期；{told}", Tone.OVERDUE) if late else (told, Tone.DUE)
        cards.append(Waiting("待决定的激励", mine.count(), told, cases, tone))
    if user.has_perm(DECIDE) or user.has_perm(NOMINATE):
        said = RewardObjection.objects.filter(answer="", case__in=RewardCase.objects.visible_to(user)).count()
        where = f"{cases}?state__exact=notice"
        cards.append(Waiting("待答复的公示意见", said, "逐条答复以后才能授予", where, Tone.DUE))
    if user.has_perm(reward_programmes.CONFIRM):
        drafts = RewardProgramme.objects.filter(state="draft").exclude(proposed_by=user).count()
        where = f"{reverse('admin:sanctions_rewardprogramme_changelist')}?state__exact=draft"
        cards.append(Waiting("待确认的激励项目", drafts, "核对依据、期限和措施后确认", where, Tone.DUE))
    if user.has_perm(reward_papers.CHECK):
        papers = RewardPaper.objects.visible_to(user).waiting().exclude(entered_by=user).count()
        where = f"{reverse('admin:sanctions_rewardpaper_changelist')}?state__exact=entered"
        cards.append(Waiting("待复核的激励书面答复", papers, "同事录入，由您对照扫描件复核", where, Tone.DUE))
    return cards
