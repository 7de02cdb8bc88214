"""What waits for the credit office about institutions."""

from datetime import timedelta

from django.urls import reverse
from django.utils import timezone

from access.models import Institution
from accounts.models import User
from creditfujian.lib.waiting import Tone, Waiting

ENDING_DAYS = 60  # how long before its end a licence is shown as ending


def waiting_for(user: User) -> list[Waiting]:
    """Return the cards of registrations to decide and of licences that end."""
    if not user.has_perm("access.confirm_institution"):
        return []
    url, today = reverse("admin:access_institution_changelist"), timezone.localdate()
    asked = Institution.objects.filter(state=Institution.State.ASKED).exclude(proposed_by=user).count()
    stand = Institution.objects.filter(state=Institution.State.CONFIRMED)
    ending = stand.filter(valid_to__lt=today + timedelta(days=ENDING_DAYS)).count()
    return [
        Waiting("待审核的机构登记", asked, "另一名工作人员登记，由您审核", f"{url}?state__exact=asked", Tone.DUE),
        Waiting(
            "证照快到期的机构",
            ending,
            f"{ENDING_DAYS} 天内到期或已到期；到期当天起自动停止查询",
            f"{url}?state__exact=confirmed",
        ),
    ]
