"""The night of sanctions: what attestations said goes with their period."""

from datetime import date

from sanctions.attestation import forget_answers


def nightly(day: date) -> dict[str, int]:
    """Do what is due, by the database's own day."""
    return {"attestation_answers": forget_answers()}
