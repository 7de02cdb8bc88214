"""What waits of persons' requests of right, for the officials who answer and those who confirm a refusal."""

from django.urls import reverse

from accounts.models import User
from creditfujian.lib.waiting import Tone, Waiting
from records.rights_models import RightsRequest


def waiting_rights(user: User) -> list[Waiting]:
    """Return the cards of the supplier's officials."""
    mine = RightsRequest.objects.to_answer_by(user)
    if not (user.has_perm("records.ask_act") or user.has_perm("records.decide_act")):
        return []
    url = reverse("admin:records_rightsrequest_changelist")
    late = mine.overdue().count()
    told = "本人请求更正、删除、说明、限制，由提供单位答复"
    told, tone = (f"{late} 件已超期；{told}", Tone.OVERDUE) if late else (told, Tone.DUE)
    cards = [Waiting("待答复的权利请求", mine.count(), told, f"{url}?state__exact=open", tone)]
    if user.has_perm("records.decide_act"):
        count = RightsRequest.objects.to_confirm_by(user).count()
        told = "同事拟不同意，由您核对记录后复核或者退回"
        cards.append(Waiting("待复核的权利请求", count, told, f"{url}?state__exact=proposed", Tone.DUE))
    return cards
