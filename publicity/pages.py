"""The public site and the citizen's own space: who may, which object, do it, answer."""

from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render, resolve_url
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from access.consents import unread, waiting_for_answer
from access.reading import Access, access_history
from access.web import PUBLIC_SITE, asker
from accounts.actions import activate, reset_password
from accounts.models import Person, User
from accounts.web import client_address, door_of
from catalogue.models import ItemVersion, ProhibitedCategory
from creditfujian.context import LARGE_TYPE_COOKIE
from creditfujian.errors import too_many
from publicity.actions import count_lookup
from publicity.forms import ActivateForm, LookupForm, ResetForm
from records.holds import held_words
from records.person_reading import notices_for
from records.reading import public_records
from records.timeline import own_file_with_steps
from sanctions.models import RewardCase

Page = Callable[..., HttpResponse]
PAGE_SIZE = 30
NOT_A_CITIZEN = "这里只供本人使用，您现在以工作账户登录。要办自己的事，请先退出，再用本人的账户登录。"
SHOWN_AT_HOME = 6  # items of the catalogue; the rest is one link away


def citizens_only(page: Page) -> Page:
    """Let a signed-in citizen in, with their person; send the unknown to sign in, and say so to everybody else."""

    @wraps(page)
    def guarded(request: HttpRequest, **kwargs: Any) -> HttpResponse:
        user = request.user
        if not isinstance(user, User):
            return redirect(f"{resolve_url('sign_in')}?next={request.path}")
        if not user.is_citizen:  # signing in again as the same would lead here for ever
            raise PermissionDenied(NOT_A_CITIZEN)
        return page(request, person=user.person, **kwargs)

    return guarded


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    versions = (
        ItemVersion.objects.in_force(timezone.localdate()).select_related("item__provider").order_by("item__code")
    )
    context = {"versions": versions[:SHOWN_AT_HOME], "count": versions.count()}
    return render(request, "publicity/home.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("name", "number")
def lookup(request: HttpRequest) -> HttpResponse:
    """Look up what is public about one person. POST only, so that nothing typed reaches an address or a log."""
    form = LookupForm(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        context = {"form": form, "limit": settings.LOOKUPS_PER_HOUR}
        return render(request, "publicity/lookup.html", context, status=422 if form.is_bound else 200)
    if not count_lookup(client_address(request)):
        return too_many(request, minutes_left())
    name, number = form.cleaned_data["name"], form.cleaned_data["number"]
    file = public_records(name=name, id_number=number.id_number, doc_no=number.doc_no, by=asker(request, PUBLIC_SITE))
    return render(request, "publicity/lookup_result.html", {"file": file, "today": timezone.localdate()})


def minutes_left() -> int:
    """Return the minutes until an hour's limit begins anew."""
    return 61 - timezone.localtime().minute


@require_safe
def what_we_do_not_do(request: HttpRequest) -> HttpResponse:
    return render(request, "publicity/what_we_do_not_do.html", {"count": ProhibitedCategory.objects.count()})


@require_safe
def accessibility(request: HttpRequest) -> HttpResponse:
    return render(request, "publicity/accessibility.html")


@require_safe
@citizens_only
def me(request: HttpRequest, person: Person) -> HttpResponse:
    context = {
        "latest": with_item_names(access_history(person, limit=3)),
        "held_words": held_words(person),
        "notices": notices_for(person)[:1],
        "unread": unread(person),
        "to_answer": waiting_for_answer(person),
        "rewards": [
            case for case in RewardCase.objects.of(person) if case.waits_for_the_person or case.state == "suspended"
        ],
    }
    return render(request, "publicity/me/index.html", context)


@require_safe
@citizens_only
def me_file(request: HttpRequest, person: Person) -> HttpResponse:
    file, told = own_file_with_steps(person, by=asker(request, PUBLIC_SITE))
    context = {"file": file, "told": told, "now": timezone.localtime(), "notices": notices_for(person)}
    return render(request, "publicity/me/file.html", context)


def one_page(request: HttpRequest, rows: QuerySet[Any]) -> dict[str, Any]:
    """Return a page of rows, the newest first, for the template: `shown`, whether there is `more`, the `last` one's key.

    Pages by keyset: the next page's address carries the last row's key as `before`.
    """
    before = request.GET.get("before", "")
    found = list((rows.filter(pk__lt=int(before)) if before.isdecimal() else rows)[: PAGE_SIZE + 1])
    shown = found[:PAGE_SIZE]
    return {"shown": shown, "more": len(found) > PAGE_SIZE, "last": shown[-1].pk if shown else None}


def with_item_names(lines: list[Access]) -> list[Access]:
    """Give each line the items' names: people do not know codes."""
    versions = ItemVersion.objects.select_related("item").order_by("item", "version")
    names = {v.item.code: v.name for v in versions}
    return [replace(line, item_names=[names.get(code, code) for code in line.items]) for line in lines]


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters()
def activate_account(request: HttpRequest) -> HttpResponse:
    """Open a citizen's account with the code from the counter."""
    form = ActivateForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            activate(
                id_number=data["id_number"], code=data["code"], username=data["username"], password=data["password"]
            )
        except ValidationError as error:
            _show(form, error)
        else:
            return render(request, "publicity/activated.html", {"username": data["username"]})
    return render(request, "publicity/activate.html", {"form": form}, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters()
def reset_forgotten_password(request: HttpRequest) -> HttpResponse:
    """Set a forgotten password anew with the code from the counter."""
    form = ResetForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            user = reset_password(
                id_number=data["id_number"], code=data["code"], password=data["password"], door=door_of(request)
            )
        except ValidationError as error:
            _show(form, error)
        else:
            return render(request, "publicity/reset_done.html", {"username": user.username})
    return render(request, "publicity/reset.html", {"form": form}, status=422 if form.errors else 200)


def _show(form: ResetForm, error: ValidationError) -> None:
    if not hasattr(error, "error_dict"):
        error = ValidationError(
            {"password" if error.error_list[0].code != "activation" else "__all__": error.error_list}
        )
    for name, errors in error.error_dict.items():
        form.add_error(name if name in form.fields else None, errors)


@csrf_exempt  # changes nothing but the size of type; without a token in its form, pages can be kept by caches
@require_POST
def display_mode(request: HttpRequest) -> HttpResponse:
    """Switch large type on or off, and go back to where the reader was."""
    target = request.POST.get("next", "/")
    if not url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        target = "/"
    response = HttpResponseRedirect(target)
    large = request.POST.get("large") == "1"
    response.set_cookie(
        LARGE_TYPE_COOKIE, "1" if large else "0", max_age=31_536_000, samesite="Lax", secure=request.is_secure()
    )
    return response
