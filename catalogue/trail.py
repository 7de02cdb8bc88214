"""What django-auditlog writes down when somebody changes the catalogue by hand, and the lines of what enters in bulk."""

from collections.abc import Sequence
from typing import Any

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
    ItemGrant,
    ItemVersion,
    ProhibitedCategory,
    PublicationPeriod,
    SupplyAssignment,
)
from creditfujian.lib.correlation import request_id

for model in (Instrument, Article, Item, Field, CodeSet, CodeValue, ProhibitedCategory, PublicationPeriod):
    auditlog.register(model)
for kept in (CalendarEdition, CalendarDay, DeadlineRule, Deadline, SupplyAssignment, ItemGrant):
    auditlog.register(kept)
auditlog.register(ItemVersion, m2m_fields={"legal_bases"})


def note_created(rows: Sequence[models.Model], *, by: User) -> None:
    """Write the lines of rows entered in bulk, one for each, as if each had been saved by hand."""
    LogEntry.objects.bulk_create(_line(row, LogEntry.Action.CREATE, model_instance_diff(None, row), by) for row in rows)


def note_changed(rows: Sequence[models.Model], changes: dict[str, tuple[str, str]], *, by: User) -> None:
    """Write the lines of rows changed alike in one statement: each field's old and new value."""
    LogEntry.objects.bulk_create(_line(row, LogEntry.Action.UPDATE, changes, by) for row in rows)


def _line(row: models.Model, action: int, changes: Any, by: User) -> LogEntry:
    return LogEntry(
        content_type=ContentType.objects.get_for_model(row), object_pk=str(row.pk), object_id=row.pk,
        object_repr=str(row), action=action, changes=changes, actor=by, actor_email=by.email, cid=request_id(),
    )  # fmt: skip
