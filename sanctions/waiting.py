"""What waits for somebody in this app."""

from accounts.models import User
from creditfujian.lib.waiting import Waiting
from sanctions.reward_waiting import waiting_rewards


def waiting_for(user: User) -> list[Waiting]:
    """Return the cards of rewards."""
    return waiting_rewards(user)
