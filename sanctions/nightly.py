"""The night of sanctions: listings and rewards that ended are tidied up, what attestations said goes with their period."""

from datetime import date

from sanctions import reward_night
from sanctions.attestation import forget_answers
from sanctions.cases import expire_due


def nightly(day: date) -> dict[str, int]:
    """Do what is due, by the database's own day."""
    return {"listings_over": expire_due(), "attestation_answers": forget_answers(), **reward_night.nightly()}
