"""What waits for somebody in this app."""

from accounts.models import User
from creditfujian.lib.waiting import Waiting
from sanctions.attestation_waiting import waiting_rules
from sanctions.case_waiting import waiting_cases
from sanctions.reward_waiting import waiting_rewards


def waiting_for(user: User) -> list[Waiting]:
    """Return the cards of listing cases, of proposals, of rewards, and of rules of attestations."""
    return waiting_cases(user) + waiting_rewards(user) + waiting_rules(user)
