"""What django-auditlog writes down when somebody changes the catalogue by hand, and the lines of what enters in bulk."""

from collections.abc import Sequence

from auditlog.diff import model_instance_diff
from auditlog.models import LogEntry
from auditlog.registry import auditlog
from django.contrib.contenttypes.models import ContentType
from django.db import models

from accounts.models import User
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
from creditfujian.lib.correlation import request_id

for model in (Instrument, Article, Item, Field, CodeSet, CodeValue, ProhibitedCategory, PublicationPeriod):
    auditlog.register(model)
for kept in (CalendarEdition, CalendarDay, DeadlineRule, Deadline, SupplyAssignment):
    auditlog.register(kept)
auditlog.register(ItemVersion, m2m_fields={"legal_bases"})


def note_created(rows: Sequence[models.Model], *, by: User) -> None:
    """Write the lines of rows entered in bulk, one for each, as if each had been saved by hand."""
    LogEntry.objects.bulk_create(
        LogEntry(
            content_type=ContentType.objects.get_for_model(row), object_pk=str(row.pk), object_id=row.pk,
            object_repr=str(row), action=LogEntry.Action.CREATE, changes=model_instance_diff(None, row), actor=by,
            actor_email=by.email, cid=request_id(),
        )
        for row in rows
    )  # fmt: skip
