"""What an institution is told under a consent: the least that the form of the consent allows. Facts, never a verdict."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.utils import timezone

from access.consent_rules import Choice, choices_of
from access.models import Consent
from records.reading import File, View


@dataclass(frozen=True)
class Line:
    """One sentence of an attestation: what is attested, yes or no."""

    says: str
    holds: bool


@dataclass(frozen=True)
class Count:
    """One item of a summary: how many records, the latest document, whether any is in dispute."""

    name: str
    records: int
    latest: date | None
    objected: bool


@dataclass(frozen=True)
class Answer:
    """What goes out: exactly one of lines, counts and views is filled, by the form."""

    form: Consent.Form
    at: datetime
    seq: int
    name: str
    id_number: str
    items: list[Choice]
    lines: list[Line]
    counts: list[Count]
    views: list[View]


def answer(file: File, form: Consent.Form, items: Sequence[int]) -> Answer:
    """Put a file read under a consent into the form that the person allowed, over those items."""
    choices = choices_of(list(items))
    return Answer(
        form=form, at=timezone.localtime(), seq=file.seq, name=file.name, id_number=file.id_number, items=choices,
        lines=_lines(file, choices) if form is Consent.Form.ATTESTATION else [],
        counts=[_count(file, one) for one in choices] if form is Consent.Form.SUMMARY else [],
        views=file.records if form is Consent.Form.FULL else [],
    )  # fmt: skip


def _lines(file: File, choices: Sequence[Choice]) -> list[Line]:
    """Attest: no adverse information in its query period, over all adverse items at once; each other item by itself."""
    held = {view.item_code for view in file.records}
    adverse = [one for one in choices if one.is_adverse]
    lines = [Line(f"登记有“{one.name}”", one.item.code in held) for one in choices if not one.is_adverse]
    if adverse:
        names = "、".join(one.name for one in adverse)
        lines.insert(0, Line(f"有效期内无失信信息（{names}）", not any(one.item.code in held for one in adverse)))
    return lines


def _count(file: File, choice: Choice) -> Count:
    views = [view for view in file.records if view.item_code == choice.item.code]
    latest = max((view.doc_date for view in views), default=None)
    return Count(choice.name, len(views), latest, any(view.objected for view in views))
