"""What waits for somebody, as the dashboard shows it. Each app's `waiting.py` fills it in."""

from dataclasses import dataclass
from enum import StrEnum


class Tone(StrEnum):
    NEUTRAL = "neutral"
    DUE = "due"
    OVERDUE = "overdue"


@dataclass(frozen=True)
class Waiting:
    """One card: so many things of a kind, and where to deal with them."""

    title: str
    count: int
    detail: str
    url: str
    tone: Tone = Tone.NEUTRAL
