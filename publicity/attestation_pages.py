"""Attestations: the person looks first, has one issued, stops it; what stands in the way is shown to nobody else."""

from typing import Any

from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from access.web import PUBLIC_SITE, asker
from accounts.models import Person
from accounts.web import do_and_say
from creditfujian.errors import too_many
from publicity.pages import citizens_only
from publicity.report_pages import as_pdf
from records import report_pdf
from records.reports import TooMany
from sanctions import attestation as deeds
from sanctions.attestation_forms import YearsForm
from sanctions.attestation_rules import rule_in_force
from sanctions.attestation_sheet import NOT_COUNTED
from sanctions.models import Attestation, AttestationRule


@require_safe
@citizens_only
def me_attestations(request: HttpRequest, person: Person) -> HttpResponse:
    """Show one's own, and, once a number of years is chosen, whether one would be issued today and what stands in the way."""
    rule = AttestationRule.objects.in_force().first()
    form = YearsForm(rule, request.GET) if rule and "years" in request.GET else None
    if form is None:
        return _page(request, person)
    if not form.is_valid():
        return _page(request, person, status=422, form=form)
    try:
        found = deeds.preview(person, form.cleaned_data["years"], by=asker(request, PUBLIC_SITE))
    except ValidationError as error:
        return _page(request, person, status=422, form=form, problem=" ".join(error.messages))
    return _page(request, person, form=form, found=found)


@require_POST
@citizens_only
def issue(request: HttpRequest, person: Person) -> HttpResponse:
    by = asker(request, PUBLIC_SITE)
    try:
        form = YearsForm(rule_in_force(), request.POST)
        if not form.is_valid():
            return _page(request, person, status=422, form=form)
        issued = deeds.issue(person, form.cleaned_data["years"], by=by)
    except ValidationError as error:
        return _page(request, person, status=422, problem=" ".join(error.messages))
    except TooMany:
        return too_many(request, 60 * (24 - timezone.localtime().hour))
    except report_pdf.NoFonts:
        return render(request, "publicity/me/no_pdf.html", status=503)
    if isinstance(issued, deeds.Preview):
        return _page(request, person, status=409, found=issued, form=YearsForm(issued.rule, {"years": issued.years}))
    return as_pdf(issued.pdf, issued.attestation.number)


def _page(request: HttpRequest, person: Person, *, status: int = 200, **context: Any) -> HttpResponse:
    """Show the page, with what came of what was asked."""
    rule = AttestationRule.objects.in_force().first()
    standings = deeds.own_attestations(person, by=asker(request, PUBLIC_SITE))
    shown = {
        "rule": rule, "form": YearsForm(rule) if rule else None, "standings": standings,
        "possible": report_pdf.is_possible(), "not_counted": NOT_COUNTED, **context,
    }  # fmt: skip
    return render(request, "publicity/me/attestations.html", shown, status=status)


@require_POST
@citizens_only
def fetch_again(request: HttpRequest, person: Person, attestation: str) -> HttpResponse:
    try:
        pdf = deeds.fetch_again(attestation, person, by=asker(request, PUBLIC_SITE))
    except Attestation.DoesNotExist as error:
        raise Http404 from error
    if pdf is None:
        raise Http404
    return as_pdf(pdf, attestation)


@require_POST
@citizens_only
def stop(request: HttpRequest, person: Person, attestation: str) -> HttpResponse:
    by = asker(request, PUBLIC_SITE)
    try:
        do_and_say(request, lambda: deeds.stop(attestation, person, by=by), "已停用。再有人核验，只会看到已经停用。")
    except Attestation.DoesNotExist as error:
        raise Http404 from error
    return redirect("me_attestations")
