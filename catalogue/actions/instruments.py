"""Instruments and what is never collected."""

from datetime import date

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from catalogue.actions.clock import suspend_without_basis
from catalogue.models import (
    Instrument,
    ProhibitedCategory,
)


@transaction.atomic
def write_instrument(instrument: Instrument, *, by: User) -> Instrument:
    """Enter an instrument or change its entry; an entry that changed has to be compared with the text anew.

    Raises PermissionDenied, ValidationError.
    """
    if not by.has_perm(f"catalogue.{'change' if instrument.pk else 'add'}_instrument"):
        raise PermissionDenied("您没有维护法规文件的职责。")
    instrument.verified_by, instrument.verified_on = None, None
    instrument.full_clean()
    instrument.save()
    return instrument


@transaction.atomic
def write_prohibited(category: ProhibitedCategory, *, by: User) -> ProhibitedCategory:
    """Enter a category that is never collected, or add words to one; words that refuse are never taken away.

    Raises PermissionDenied; ValidationError by field.
    """
    if not by.has_perm(f"catalogue.{'change' if category.pk else 'add'}_prohibitedcategory"):
        raise PermissionDenied("您没有维护禁止归集类别的职责。")
    before = ProhibitedCategory.objects.select_for_update().filter(pk=category.pk).first()
    if before is not None:
        refuse_fewer_words(before, category)
    category.full_clean()
    category.save()
    return category


def refuse_fewer_words(before: ProhibitedCategory, after: ProhibitedCategory) -> None:
    """Refuse a category that would refuse less than before. Raises ValidationError by field."""
    gone = {
        name: [word for word in getattr(before, name) if word not in getattr(after, name)]
        for name in ("keywords", "header_keywords")
    }
    if wrong := {name: f"关键词只能增加，不能删去：{'、'.join(words)}。" for name, words in gone.items() if words}:
        raise ValidationError(wrong)
    if before.code != after.code:
        raise ValidationError({"code": f"类别的代码 {before.code} 不能改。"})


@transaction.atomic
def verify_instrument(instrument: Instrument, *, by: User) -> Instrument:
    """Note that somebody compared the entry with the published text. Raises PermissionDenied."""
    if not by.has_perm("catalogue.verify_instrument"):
        raise PermissionDenied("您没有核对法规文件的职责。")
    row = Instrument.objects.select_for_update().get(pk=instrument.pk)
    row.verified_by, row.verified_on = by, timezone.localdate()
    row.save(update_fields=["verified_by", "verified_on"])
    return row


@transaction.atomic
def repeal(instrument: Instrument, *, on: date, by: User, superseded_by: Instrument | None = None) -> int:
    """Enter the repeal of an instrument; items that lose their basis today are suspended at once.

    Returns how many were suspended. Raises PermissionDenied, ValidationError.
    """
    if not by.has_perm("catalogue.change_instrument"):
        raise PermissionDenied("您没有维护法规文件的职责。")
    row = Instrument.objects.select_for_update().get(pk=instrument.pk)
    row.repealed_on, row.superseded_by = on, superseded_by
    row.full_clean()
    row.save()
    return len(suspend_without_basis())
