"""Typing records the way a clerk does, for tests: the page's own fields, posted."""

from typing import Any

from django.http import HttpResponse
from django.urls import reverse

from accounts.models import User
from catalogue.models import Field
from creditfujian.tests.cast import Cast, browser_of
from records.entry import Typed
from records.tests.deliveries import penalty


def address(cast: Cast) -> str:
    return reverse("admin:records_batch_type_item", args=[cast.item.code])


def fields(cast: Cast) -> list[Field]:
    """The fields that a person's row may fill, whether or not the item is in force today."""
    return list(cast.item.versions.order_by("-version")[0].fields.filter(must_be_empty=False))


def by_code(cast: Cast, row: dict[str, str]) -> dict[str, str]:
    """A row by field codes instead of headings."""
    labels = {f.label: f.code for f in fields(cast)}
    return {labels[label]: value for label, value in row.items()}


def posted(cast: Cast, *rows: dict[str, str], **more: str) -> dict[str, Any]:
    """What the page's form sends for these rows; several values of one field as checkboxes send them."""
    data: dict[str, Any] = {"count": str(max(1, len(rows))), "deed": "submit", "pasted": "", **more}
    several = {f.code for f in fields(cast) if f.datatype == Field.Type.CHOICES}
    for at, row in enumerate(rows):
        for code, value in by_code(cast, row).items():
            data[f"r{at}-{code}"] = value.split(";") if code in several else value
    return data


def type_in(cast: Cast, *rows: dict[str, str], by: User | None = None, **more: str) -> HttpResponse:
    """Post the page as the data officer."""
    return browser_of(by or cast.data_officer).post(address(cast), posted(cast, *rows, **more))


def typed(cast: Cast, **changes: Any) -> Typed:
    """One good row as typed."""
    return Typed(by_code(cast, penalty(cast, **changes)))
