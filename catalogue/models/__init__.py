"""The catalogue's tables, by subject."""

from catalogue.models.codes import CodeSet, CodeValue
from catalogue.models.deadlines import CalendarDay, CalendarEdition, Deadline, DeadlineRule, Proposal
from catalogue.models.editions import Edition, EditionEntry, Retirement
from catalogue.models.exchange import ItemImport
from catalogue.models.grants import ItemGrant
from catalogue.models.instruments import Article, Confidence, Instrument, Level
from catalogue.models.items import (
    Field,
    Item,
    ItemVersion,
    ItemVersionQuerySet,
    PublicationPeriod,
    SharingScope,
    VersionStep,
)
from catalogue.models.prohibited import ProhibitedCategory
from catalogue.models.reviews import Comment, Consultation, ImpactAssessment
from catalogue.models.supply import SupplyAssignment

__all__ = [
    "Article",
    "CalendarDay",
    "CalendarEdition",
    "CodeSet",
    "CodeValue",
    "Comment",
    "Confidence",
    "Consultation",
    "Deadline",
    "DeadlineRule",
    "Edition",
    "EditionEntry",
    "Field",
    "ImpactAssessment",
    "Instrument",
    "Item",
    "ItemGrant",
    "ItemImport",
    "ItemVersion",
    "ItemVersionQuerySet",
    "Level",
    "ProhibitedCategory",
    "Proposal",
    "PublicationPeriod",
    "Retirement",
    "SharingScope",
    "SupplyAssignment",
    "VersionStep",
]
