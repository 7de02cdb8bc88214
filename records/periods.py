"""How long a decision may be public when the orders changed in between: the rule better for the person (从旧兼从轻).

Domain §2.4: NDRC Order 36 replaced Order 58 on 2026-04-01. A decision made before is judged under both, and the
shorter publication stands; one made after is judged under the new order alone. The periods of the earlier orders and
the days they answer for are data (LegacyPeriod); those in force now are the item's own. The database's
`records_favourable_end` says the same for what is stored already.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from catalogue.rules import add_months
from records.life_models import LegacyPeriod


def favourable_end(decided_on: date, longest: Iterable[int]) -> date | None:
    """Return the first day no longer public: the earliest that any of the longest periods (in months) gives.

    None where one of them allows no publication at all.
    """
    months = min(longest)
    return add_months(decided_on, months) if months else None


@dataclass(frozen=True)
class OldOrders:
    """The periods of earlier orders, loaded once."""

    periods: tuple[LegacyPeriod, ...]

    @classmethod
    def load(cls) -> "OldOrders":
        """Read the table."""
        return cls(tuple(LegacyPeriod.objects.all()))

    @cached_property
    def end(self) -> date:
        """Return the first day on which no earlier order answers any more."""
        return max((period.decided.upper for period in self.periods), default=date.min)

    def months(self, decided_on: date, severity: int) -> list[int]:
        """Return the longest periods that the orders of that day gave, in months."""
        if decided_on >= self.end:
            return []
        return [p.max_months for p in self.periods if p.severity == severity and decided_on in p.decided]
