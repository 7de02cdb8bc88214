"""What waits about who somebody is: for the credit office, and for suppliers whose deliveries met another name."""

from django.urls import reverse

from accounts.models import User
from catalogue.models import Deadline
from creditfujian.lib.waiting import Tone, Waiting
from records.person_models import PersonCase


def waiting_about_persons(user: User) -> list[Waiting]:
    """Return the cards of cases on persons."""
    cards, url = [], reverse("admin:records_personcase_changelist")
    if user.has_perm("records.ask_personcase"):
        count = PersonCase.objects.open().count()
        late = Deadline.objects.overdue().filter(subject_type=PersonCase._meta.label_lower).count()
        told = f"已超期 {late} 件，请尽快照证件核对" if late else "两个工作日内照证件核对，由另一名工作人员审核"
        tone = Tone.OVERDUE if late else Tone.DUE
        cards.append(Waiting("姓名不一致待核对", count, told, f"{url}?state__exact=open", tone))
    if user.has_perm("records.decide_personcase"):
        count = PersonCase.objects.to_decide_by(user).count()
        told = "另一名工作人员核对后提出，由您审核"
        cards.append(Waiting("待审核的人员核对单", count, told, f"{url}?state__exact=asked", Tone.DUE))
    if user.has_perm("records.attest_name"):
        count = PersonCase.objects.to_attest_by(user).count()
        told = "报送的姓名与登记的不一致，请照证件核对后说明"
        cards.append(Waiting("待说明的姓名不一致", count, told, f"{url}?state__exact=open", Tone.DUE))
    return cards
