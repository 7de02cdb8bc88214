"""Tables of the app: each part has its module."""

from sanctions.reward_models import (  # noqa: F401
    RewardArrow,
    RewardBenefit,
    RewardCase,
    RewardConsent,
    RewardHit,
    RewardObjection,
    RewardPaper,
    RewardProgramme,
    RewardStep,
)
