"""谁查了我: who looked at the person's file, why, on what ground; narrowed, printed, taken away as JSON."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from access.models import ConsentPurpose, Purpose
from access.reading import Readers, Which, access_history, held_back, readers_of, usage_period
from access.words import WORDS
from accounts import people
from accounts.models import Person
from publicity.pages import PAGE_SIZE, citizens_only, with_item_names
from publicity.transparency_pages import download
from publicity.usage import usage_of

AT_ONCE = 1000  # lines read at a time for a download


class WhichForm(forms.Form):
    """Which look-ups to show. The choices are this person's own; an address names no person."""

    unit = forms.TypedChoiceField(label="查询单位", required=False, coerce=int, empty_value=None)
    purpose = forms.ChoiceField(label="为什么查", required=False)
    year = forms.TypedChoiceField(label="年份", required=False, coerce=int, empty_value=None)

    def __init__(self, readers: Readers, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen: dict[str, list[tuple[Any, Any]]] = {
            "unit": [(pk, name) for pk, name in readers.units.items()],
            "purpose": [(code, label) for code, label in purposes() if label in readers.purposes],
            "year": [(year, f"{year} 年") for year in readers.years],
        }
        for name, choices in chosen.items():
            self.fields[name].choices = [("", "全部"), *choices]  # type: ignore[attr-defined]

    def which(self, *, own: bool) -> Which:
        """Return what was chosen; a choice that is none of this person's shows everything."""
        data = self.cleaned_data if self.is_valid() else {}
        purpose = dict(purposes()).get(data.get("purpose", ""), "")
        return Which(own=own, unit=data.get("unit"), purpose=purpose, year=data.get("year"))


def purposes() -> list[tuple[str, str]]:
    """Return the purposes that have a code, with the words of the log: what else stands there stays out of addresses."""
    return [*Purpose.choices, *ConsentPurpose.objects.values_list("code", "name")]


def _asked(request: HttpRequest, person: Person) -> tuple[WhichForm, Which]:
    form = WhichForm(readers_of(person), request.GET)
    return form, form.which(own=request.GET.get("own") == "1")


@require_safe
@citizens_only
def me_access(request: HttpRequest, person: Person) -> HttpResponse:
    """Show who looked, a page at a time."""
    form, which = _asked(request, person)
    before = request.GET.get("before", "")
    last = int(before) if before.isdecimal() and len(before) < 19 else None
    lines = access_history(person, which=which, before=last, limit=PAGE_SIZE + 1)
    shown = with_item_names(lines[:PAGE_SIZE])
    kept = urlencode({k: v for k, v in request.GET.items() if k in ("own", "unit", "purpose", "year") and v})
    context = {
        "lines": shown, "more": len(lines) > PAGE_SIZE, "own": which.own, "last": shown[-1].seq if shown else None,
        "form": form, "kept": kept, "narrowed": which != Which(own=which.own),
        "held": None if which.own else held_back(person), "total": usage_period(person, which=which).lines,
        "kinds": [(kind, WORDS[kind]) for kind in dict.fromkeys(line.kind for line in shown)],
    }  # fmt: skip
    return render(request, "publicity/me/access.html", context)


@require_safe
@citizens_only
def me_access_json(request: HttpRequest, person: Person) -> HttpResponse:
    """Give all lines, in the shape of /api/v1/me/usage/, as a file."""
    _, which = _asked(request, person)
    answer = StreamingHttpResponse(_json(person, which), content_type="application/json")
    return download(answer, f"access-{timezone.localdate():%Y%m%d}.json")


def _json(person: Person, which: Which) -> Iterator[str]:
    with people.while_open(*person.family()):  # lines leave after the page has ended and closed what it opened
        yield from _lines(person, which)


def _lines(person: Person, which: Which) -> Iterator[str]:
    yield f'{{"totalUsages": {usage_period(person, which=which).lines}, "usages": ['
    before, first = None, True
    while lines := access_history(person, which=which, before=before, limit=AT_ONCE):
        for line in with_item_names(lines):
            yield ("\n" if first else ",\n") + json.dumps(usage_of(line), ensure_ascii=False)
            first = False
        before = lines[-1].seq
    yield "\n]}\n"
