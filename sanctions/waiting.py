"""What waits for somebody in this app."""

from accounts.models import User
from creditfujian.lib.waiting import Waiting
from sanctions.attestation_waiting import waiting_rules
from sanctions.case_waiting import waiting_cases


def waiting_for(user: User) -> list[Waiting]:
    """Return the cards of listing cases, of proposals, and of rules of attestations."""
    return waiting_cases(user) + waiting_rules(user)
