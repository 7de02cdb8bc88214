"""Credit reports: the person fetches their own; anybody checks a report or an attestation that was handed to them."""

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from access.web import PUBLIC_SITE, asker
from accounts.models import Person
from accounts.web import client_address
from creditfujian.errors import too_many
from publicity.actions import count_verification
from publicity.forms import VerifyForm
from publicity.pages import citizens_only
from records import report_pdf
from records import reports as deeds
from records.report_content import TITLE
from records.report_models import Report
from sanctions import attestation


@require_safe
@citizens_only
def reports(request: HttpRequest, person: Person) -> HttpResponse:
    context = {
        "standings": deeds.own_reports(person, by=asker(request, PUBLIC_SITE)),
        "possible": report_pdf.is_possible(),
    }
    return render(request, "publicity/me/reports.html", context | {"keep_days": settings.REPORT_KEEP_DAYS})


@require_POST
@citizens_only
def issue(request: HttpRequest, person: Person) -> HttpResponse:
    try:
        issued = deeds.issue(person, by=asker(request, PUBLIC_SITE))
    except deeds.TooMany:
        return too_many(request, 60 * (24 - timezone.localtime().hour))
    except report_pdf.NoFonts:
        return render(request, "publicity/me/no_pdf.html", status=503)
    return as_pdf(issued.pdf, issued.report.number)


@require_POST
@citizens_only
def fetch_again(request: HttpRequest, person: Person, report: str) -> HttpResponse:
    found = Report.objects.filter(person__in=person.family(), number=report).first()
    pdf = deeds.fetch_again(found, by=asker(request, PUBLIC_SITE)) if found else None
    if found is None or pdf is None:
        raise Http404
    return as_pdf(pdf, found.number)


@require_safe
@citizens_only
def print_view(request: HttpRequest, person: Person) -> HttpResponse:
    content = deeds.preview(person, by=asker(request, PUBLIC_SITE))
    return render(request, "publicity/me/print.html", {"content": content, "title": TITLE})


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("code")
def verify(request: HttpRequest) -> HttpResponse:
    """Check a report or an attestation. The code is posted, so that it reaches no address and no log."""
    form = VerifyForm(request.POST or None, request.FILES or None, initial={"number": request.GET.get("no", "")[:40]})
    if request.method != "POST" or not form.is_valid():
        return _verify_page(request, "publicity/verify.html", {"form": form}, status=422 if form.is_bound else 200)
    if not count_verification(client_address(request)):
        return too_many(request, 61 - timezone.localtime().minute)
    data = form.cleaned_data
    check = attestation.verify if data["number"].startswith(attestation.LETTERS) else deeds.verify
    found = check(number=data["number"], code=data["code"], sha256=data["file"], by=asker(request, PUBLIC_SITE))
    return _verify_page(request, "publicity/verified.html", {"found": found, "now": timezone.localtime()})


def _verify_page(request: HttpRequest, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    response = render(request, template, context | {"limit": settings.VERIFICATIONS_PER_HOUR}, status=status)
    response["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    return response


def as_pdf(pdf: bytes, number: str) -> HttpResponse:
    """Answer with a PDF to be kept under the report's number."""
    response = HttpResponse(pdf, content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="{number}.pdf"'
    return response
