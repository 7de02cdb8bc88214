"""The person's consents and messages: what is asked, the exact words, yes, no, withdrawn."""

from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from access import consents
from access.models import Consent, Message
from access.web import PUBLIC_SITE, asker
from accounts.models import Person
from accounts.web import do_and_say
from catalogue.deadline_forms import take_over
from publicity.consent_forms import ScopeForm
from publicity.pages import citizens_only, one_page
from sanctions.attestation import Preview, preview

State = Consent.State
SHOWN = 100  # the latest of one's own that are over


@require_safe
@citizens_only
def me_consents(request: HttpRequest, person: Person) -> HttpResponse:
    """Show all that waits or is in force, however old, and the latest of what is over."""
    mine = Consent.objects.about(person).select_related("organisation", "purpose")
    open_ones = list(mine.filter(state__in=[*Consent.OPEN, State.GRANTED]))
    waiting = [one for one in open_ones if one.waits or one.state == State.ENTERED]
    in_force = [one for one in open_ones if one.is_in_force]
    alive = [one.pk for one in waiting + in_force]
    context = {"waiting": waiting, "in_force": in_force, "over": list(mine.exclude(pk__in=alive)[:SHOWN])}
    return render(request, "publicity/me/consents.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@citizens_only
def me_consent(request: HttpRequest, person: Person, consent_no: str) -> HttpResponse:
    """One consent: its story, and while it waits the choice; the exact words are shown before the yes."""
    consent, deed, by = _own(person, consent_no), request.POST.get("deed", ""), asker(request, PUBLIC_SITE)
    if deed == "decline":
        do_and_say(request, lambda: consents.decline(consent_no, by=by), "已答复不同意。不影响您办任何事。")
        return redirect("me_consent", consent_no)
    if deed == "withdraw":
        do_and_say(request, lambda: consents.withdraw(consent_no, by=by), "已撤回，立即生效。")
        return redirect("me_consent", consent_no)
    choices = consents.chosen(consent)
    form = ScopeForm(consent, choices, request.POST if deed in ("show", "agree") else None)
    if form.is_bound and consent.waits and form.is_valid():
        try:
            return _answer(request, consent, form, agree=deed == "agree")
        except ValidationError as error:
            take_over(form, error)
    context = {
        "consent": consent, "choices": choices, "form": form, "preview": _preview(request, person, consent),
        "uses": list(consent.used.order_by("n")),
        "institution": consent.institution, "genuine": bool(consent.text) and consents.is_genuine(consent),
    }  # fmt: skip
    return render(request, "publicity/me/consent.html", context, status=422 if form.errors else 200)


def _preview(request: HttpRequest, person: Person, consent: Consent) -> Preview | str | None:
    """Show the person what would be answered over the years asked for, before they answer; why not, when it cannot be."""
    if not (consent.is_over_years and consent.waits and consent.years):
        return None
    try:
        return preview(person, consent.years, by=asker(request, PUBLIC_SITE), consent=consent)
    except ValidationError as error:
        return " ".join(error.messages)


def _answer(request: HttpRequest, consent: Consent, form: ScopeForm, *, agree: bool) -> HttpResponse:
    """Show the words of what was chosen, or grant them. Raises ValidationError."""
    scope = form.scope()
    if agree:
        shown, by = request.POST.get("shown", ""), asker(request, PUBLIC_SITE)
        consents.agree(consent.number, scope, shown=shown, by=by)
        messages.success(request, "已同意。您可以随时在这里撤回。")
        return redirect("me_consent", consent.number)
    consents.check_scope(consent, scope)
    text = consents.text_of(consent, scope)
    context = {"consent": consent, "form": form, "text": text, "shown": consents.digest_of(text)}
    return render(request, "publicity/me/consent_words.html", context)


def _own(person: Person, number: str) -> Consent:
    found = Consent.objects.about(person).select_related(
        "organisation", "institution", "purpose", "person", "decided_by"
    )
    try:
        return found.get(number=number)
    except ObjectDoesNotExist as error:
        raise Http404 from error


@require_safe
@citizens_only
def me_messages(request: HttpRequest, person: Person) -> HttpResponse:
    """Show the messages, the newest first; what has been shown is read."""
    mine = Message.objects.to(person).select_related("consent", "question")
    context = one_page(request, mine) | {"unread": mine.unread().count()}
    answer = render(request, "publicity/me/messages.html", context)
    if request.method == "GET":
        Message.objects.filter(pk__in=[one.pk for one in context["shown"]]).unread().update(read_at=timezone.now())
    return answer
