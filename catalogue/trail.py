"""What django-auditlog writes down when somebody changes the catalogue by hand."""

from auditlog.registry import auditlog

from catalogue.models import (
    Article,
    CalendarDay,
    CalendarEdition,
    CodeSet,
    CodeValue,
    Deadline,
    DeadlineRule,
    Field,
    Instrument,
    Item,
    ItemVersion,
    ProhibitedCategory,
    PublicationPeriod,
    SupplyAssignment,
)

for model in (Instrument, Article, Item, Field, CodeSet, CodeValue, ProhibitedCategory, PublicationPeriod):
    auditlog.register(model)
for kept in (CalendarEdition, CalendarDay, DeadlineRule, Deadline, SupplyAssignment):
    auditlog.register(kept)
auditlog.register(ItemVersion, m2m_fields={"legal_bases"})
