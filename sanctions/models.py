"""The models of sanctions."""

from sanctions.attestation_models import (
    Attestation,
    AttestationAnswer,
    AttestationEnd,
    AttestationRule,
    AttestationRuleQuerySet,
)

__all__ = ["Attestation", "AttestationAnswer", "AttestationEnd", "AttestationRule", "AttestationRuleQuerySet"]
