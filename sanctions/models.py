"""Rosters, the listing procedure, listings, measures, rewards and attestations. Each subject has a module; all are known here."""

from sanctions.attestation_models import (  # noqa: F401 – the tables of the app
    Attestation,
    AttestationAnswer,
    AttestationEnd,
    AttestationRule,
    AttestationRuleQuerySet,
)
from sanctions.case_models import (  # noqa: F401
    Arrow,
    CaseEvent,
    CaseFile,
    CaseMeasure,
    CasePaper,
    ListingCase,
)
from sanctions.listing_models import Listing, ListingMeasure, ListingStay  # noqa: F401
from sanctions.measure_models import Measure, MeasureRoster  # noqa: F401
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
from sanctions.roster_models import Roster, RosterArticle, RosterGrant, RosterVersion  # noqa: F401
