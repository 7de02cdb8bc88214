"""The catalogue and the rules for everybody: who may, which object, do it, answer. Nothing here is about a person."""

from collections.abc import Callable
from datetime import date
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.contrib.messages import get_messages, success
from django.core.exceptions import ValidationError
from django.core.paginator import Page as Sheet
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.cache import get_conditional_response, patch_cache_control, patch_vary_headers
from django.utils.http import http_date, quote_etag
from django.views.decorators.http import require_http_methods, require_safe

from accounts.web import client_address
from catalogue import actions, downloads, reading
from catalogue.columns import labels
from catalogue.deadlines import last_official_day
from catalogue.models import Edition, ItemVersion, ProhibitedCategory
from catalogue.publishing import difference_of, latest_edition
from catalogue.words import until_when, who_sees
from publicity.actions import count_comment
from publicity.forms import BrowseForm, CommentForm
from publicity.pages import minutes_left

Page = Callable[..., HttpResponse]
PAGE_SIZE = 50
KEPT_SECONDS = 300  # how long anybody in between may keep a page: an item suspended today is so in five minutes


def for_everybody(page: Page) -> Page:
    """Let caches keep what somebody unknown gets; a reader who is signed in, or is told something, gets their own."""

    @wraps(page)
    def kept(request: HttpRequest, **kwargs: Any) -> HttpResponse:
        response = page(request, **kwargs)
        patch_vary_headers(response, ["Cookie"])
        told = getattr(get_messages(request), "used", False)
        own = request.user.is_authenticated or told or "CSRF_COOKIE_NEEDS_UPDATE" in request.META
        if response.status_code in (200, 304) and not own:
            patch_cache_control(response, public=True, max_age=KEPT_SECONDS)
        return response

    return kept


def _sheet(rows: Any, request: HttpRequest) -> Sheet:
    return Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))


# --- the catalogue ----------------------------------------------------------------------------------------


@require_safe
@for_everybody
def catalogue(request: HttpRequest) -> HttpResponse:
    known = labels()
    form = BrowseForm(request.GET, known=known)
    wanted = form.wanted
    sheet = _sheet(reading.browse(wanted, timezone.localdate()), request)
    kept = urlencode({name: value for name, value in vars(wanted).items() if value})
    rows = [_row(version, known) for version in sheet.object_list]
    context = {"form": form, "sheet": sheet, "rows": rows, "kept": kept, "edition": latest_edition(),
               "standing": reading.Standing(wanted.standing)}  # fmt: skip
    return render(request, "publicity/catalogue/index.html", context)


def _row(version: ItemVersion, known: dict[tuple[str, str], str]) -> dict[str, object]:
    word, sentence = who_sees(version)
    category = known.get(("CAT", version.item.category), version.item.category)
    return {"version": version, "who": word, "seen": sentence, "until": until_when(version), "category": category}


@require_safe
@for_everybody
def item(request: HttpRequest, code: str) -> HttpResponse:
    account = reading.account_of(code, timezone.localdate())
    if account is None:
        raise Http404
    return render(request, "publicity/catalogue/item.html", {"account": account, "words": account.words})


# --- editions and their files ---------------------------------------------------------------------------------


@require_safe
@for_everybody
def editions(request: HttpRequest) -> HttpResponse:
    return render(request, "publicity/catalogue/editions.html", {"sheet": _sheet(reading.editions(), request)})


@require_safe
@for_everybody
def edition(request: HttpRequest, number: str) -> HttpResponse:
    shown = _edition(number)
    context = {"edition": shown, "difference": difference_of(shown), "kinds": downloads.KINDS}
    return render(request, "publicity/catalogue/edition.html", context)


@require_safe
@for_everybody
def download(request: HttpRequest, kind: str, number: str = "") -> HttpResponse:
    """Give an edition, or the latest one, as a file; the same edition as it stands today is sent once."""
    shown = _edition(number) if number else latest_edition()
    if shown is None or kind not in downloads.KINDS:
        raise Http404
    word, changed_at = downloads.stamp(shown)
    tag, changed = quote_etag(f"{word}-{kind}"), int(changed_at.timestamp())
    response = get_conditional_response(request, tag, changed)
    if response is None:
        response = HttpResponse(downloads.file_of(shown, kind), content_type=downloads.KINDS[kind])
        response["Content-Disposition"] = f'attachment; filename="{shown.number}-catalogue.{kind}"'
    response["ETag"], response["Last-Modified"] = tag, http_date(changed)
    return response


@require_safe
@for_everybody
def schema(request: HttpRequest) -> HttpResponse:
    answer = JsonResponse(downloads.schema(), json_dumps_params={"ensure_ascii": False, "indent": 1})
    answer["Content-Type"] = "application/schema+json; charset=utf-8"
    return answer


def _edition(number: str) -> Edition:
    found = reading.edition_called(number)
    if found is None:
        raise Http404
    return found


# --- consultations ---------------------------------------------------------------------------------------------


@require_safe
@for_everybody
def consultations(request: HttpRequest) -> HttpResponse:
    today = timezone.localdate()
    sheet = _sheet(reading.consultations(), request)
    rows = [(one, reading.is_open(one, today)) for one in sheet.object_list]
    return render(request, "publicity/catalogue/consultations.html", {"sheet": sheet, "rows": rows})


@require_http_methods(["GET", "HEAD", "POST"])
def consultation(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a consultation and take down what somebody says; what was typed stays on the page until it is taken."""
    asked = reading.asked_about(pk, timezone.localdate())
    if asked is None:
        raise Http404
    form = CommentForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and _say(request, asked, form):
        success(request, "已收到您的意见。答复后，意见和答复会一起公开在本页。")
        return redirect("consultation", pk=pk)
    busy = form.has_error("text", "busy")
    context = {"asked": asked, "words": asked.words, "form": form, "sheet": _sheet(asked.answered, request)}
    response = render(
        request, "publicity/catalogue/consultation.html", context, status=429 if busy else 422 if form.errors else 200
    )
    if busy:
        response["Retry-After"] = str(minutes_left() * 60)
    return response


def _say(request: HttpRequest, asked: reading.Asked, form: CommentForm) -> bool:
    if not count_comment(client_address(request)):
        form.add_error("text", ValidationError(
            f"这个网络地址一小时内提交的意见已到上限，请 {minutes_left()} 分钟后再提交。您写的内容还在下面。", code="busy"
        ))  # fmt: skip
        return False
    try:
        actions.comment(asked.consultation, text=form.cleaned_data["text"])
    except ValidationError as error:
        form.add_error("text", error)
        return False
    return True


# --- rules -----------------------------------------------------------------------------------------------------


@require_safe
@for_everybody
def rules(request: HttpRequest) -> HttpResponse:
    today = timezone.localdate()
    last = last_official_day()
    context = {
        "today": today, "shelves": reading.instruments_by_level(), "deadlines": reading.deadlines_in_force(today),
        "years": reading.official_years(), "provisional_from": date(last.year + 1, 1, 1) if last else None,
    }  # fmt: skip
    return render(request, "publicity/rules/index.html", context)


@require_safe
@for_everybody
def prohibited(request: HttpRequest) -> HttpResponse:
    return render(request, "publicity/rules/prohibited.html", {"categories": ProhibitedCategory.objects.all()})
