"""What the forms of authorities and of letters share: items, numbers, the scan."""

from typing import Any

from django import forms
from django.http import HttpResponse
from django.utils import timezone

from access.consent_rules import choices_of
from catalogue.models import Item, ItemVersion
from records import scans
from records.consent_models import ConsentPaper


class NumberInput(forms.TextInput):
    """A field for an identity number: the browser keeps it nowhere."""

    def __init__(self) -> None:
        super().__init__(attrs={"autocomplete": "off", "spellcheck": "false"})


class ScanField(forms.FileField):
    """A scan of papers."""

    widget = forms.FileInput(attrs={"accept": scans.ACCEPT})


class ItemsForm(forms.Form):
    """Items of the catalogue in force, chosen one by one: nothing is ticked beforehand."""

    items = forms.TypedMultipleChoiceField(label="条目", coerce=int, widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        current = ItemVersion.objects.in_force(timezone.localdate()).values("item")
        offered = choices_of(Item.objects.filter(pk__in=current))
        self.fields["items"].choices = [  # type: ignore[attr-defined]
            (one.item.pk, f"{one.name}{'（失信类）' if one.is_adverse else ''}") for one in offered
        ]


def scan_response(content: bytes, number: str, kind: str) -> HttpResponse:
    """Hand a scan out as a file: it is never shown inside the site."""
    answer = HttpResponse(content, content_type=scans.MIME[ConsentPaper.Type(kind)])
    answer["Content-Disposition"] = f'attachment; filename="{number}.{kind}"'
    return answer
