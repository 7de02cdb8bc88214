"""What waits for the credit office in sanctions."""

from django.urls import reverse

from accounts.models import User
from creditfujian.lib.waiting import Tone, Waiting
from sanctions import attestation_rules as rules


def waiting_rules(user: User) -> list[Waiting]:
    """Return the cards of rules that another official proposed."""
    if not user.has_perm(rules.CONFIRM):
        return []
    where = f"{reverse('admin:sanctions_attestationrule_changelist')}?state__exact=draft"
    told = "另一名工作人员提出，由您核对依据后确认"
    return [Waiting("待确认的无失信记录证明规则", rules.to_confirm_by(user).count(), told, where, Tone.DUE)]
