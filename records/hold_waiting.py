"""What waits around statements: proposals for the second official, persons who wait for an answer."""

from django.urls import reverse

from accounts.models import User
from creditfujian.lib.waiting import Tone, Waiting
from records.hold_models import StatementHold


def waiting_statements(user: User) -> list[Waiting]:
    """Return the cards of the office that reviews statements."""
    if not user.has_perm("records.hold_statement"):
        return []
    url = reverse("admin:records_statementhold_changelist")
    to_decide = StatementHold.objects.to_decide_by(user).count()
    to_answer = StatementHold.objects.to_answer_by(user).count()
    return [
        Waiting("待审核的声明复核", to_decide, "同事提出暂停显示，由您审核", f"{url}?state__exact=asked", Tone.DUE),
        Waiting("待答复的声明意见", to_answer, "本人不同意暂停显示，由您答复", f"{url}?state__exact=held", Tone.DUE),
    ]
