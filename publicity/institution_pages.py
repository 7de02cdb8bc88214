"""What operators of institutions do: ask a person for consent, see what became of it, read once what was consented to."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from access import consents
from access.consent_rules import is_operator, registration_of
from access.models import Consent, ConsentPurpose, Institution
from access.web import asker
from accounts.models import User
from catalogue.deadline_forms import take_over
from creditfujian.lib import identity
from publicity.consent_forms import AskForm, UseForm
from publicity.pages import one_page
from records.consent_answers import Answer, answer
from records.reading import ByConsent, Refused, file_by_consent
from sanctions.attestation import Told, by_consent

INSTITUTION_SITE = "机构查询页面"  # the channel, as the log and the person read it
NOT_YET = "本单位还没有有效的查询机构登记，或者证照已到期、登记已暂停。请联系省信用办。"


def operators_only(page: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Let a signed-in operator of an institution in; send the unknown to sign in, and say so to everybody else."""

    @wraps(page)
    def guarded(request: HttpRequest, **kwargs: Any) -> HttpResponse:
        if not isinstance(request.user, User):
            return redirect(f"{resolve_url('sign_in')}?next={request.path}")
        if not is_operator(request.user):
            raise PermissionDenied("这里只供机构查询员使用。本人的授权在“我的信用”里。")
        return page(request, user=request.user, **kwargs)

    return guarded


@require_safe
@operators_only
def institution_consents(request: HttpRequest, user: User) -> HttpResponse:
    context = one_page(request, Consent.objects.of(user).select_related("purpose")) | {
        "registration": registration_of(user.organisation), "organisation": user.organisation, "not_yet": NOT_YET,
    }  # fmt: skip
    return render(request, "publicity/institutions/consents.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("name", "id_number")
@operators_only
def institution_ask(request: HttpRequest, user: User) -> HttpResponse:
    """Ask for consent: first for what, then whom and which items. Whom is posted, never in an address."""
    registration = registration_of(user.organisation)
    purposes = list(ConsentPurpose.objects.filter(pk__in=registration.purposes)) if registration else []
    asked_for = request.POST.get("purpose") or request.GET.get("purpose", "")
    purpose = next((one for one in purposes if one.pk == asked_for), purposes[0] if len(purposes) == 1 else None)
    context: dict[str, Any] = {"purposes": purposes, "purpose": purpose, "not_yet": NOT_YET}
    if purpose is None:
        return render(request, "publicity/institutions/ask.html", context)
    form = AskForm(purpose, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            consent = consents.ask(form.wanted(), by=asker(request, INSTITUTION_SITE))
        except PermissionDenied as error:
            form.add_error(None, str(error))
        except ValidationError as error:
            take_over(form, error)
        else:
            messages.success(request, "申请已提交。无论对方是否在本站有账户，答复期限都一样。")
            return redirect("institution_consent", consent.number)
    status = 422 if form.errors else 200
    return render(request, "publicity/institutions/ask.html", context | {"form": form}, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("id_number")
@operators_only
def institution_consent(request: HttpRequest, user: User, consent_no: str) -> HttpResponse:
    """What became of a request; a use is posted and its answer shown once, kept nowhere."""
    consent = Consent.objects.of(user).select_related("purpose", "organisation").filter(number=consent_no).first()
    if consent is None:
        raise Http404
    form = UseForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        form_of = Consent.Form(consent.form or consent.asked_form)
        stated = ByConsent(
            consent_no, identity.normalise(form.cleaned_data["id_number"]), form.cleaned_data["purpose"], form_of
        )
        told = _use(stated, consent, request)
        if not isinstance(told, Refused | None):
            consent.refresh_from_db()
            which = "attestation" if isinstance(told, Told) else "answer"
            return render(request, f"publicity/institutions/{which}.html", {"consent": consent, "answer": told})
        form.add_error(
            None, f"没有提供：{told.reason if told else '没有这份授权'}。本次尝试已记入查询日志，本人看得到。"
        )
        consent.refresh_from_db()
    context = {
        "consent": consent, "choices": consents.chosen(consent), "form": form,
        "may_use": consent.is_in_force and Institution.objects.in_force().filter(organisation=user.organisation).exists(),
    }  # fmt: skip
    return render(request, "publicity/institutions/consent.html", context, status=422 if form.errors else 200)


def _use(stated: ByConsent, consent: Consent, request: HttpRequest) -> Answer | Told | Refused | None:
    """Use a consent as it was granted: for the answer over years, or for what its items hold."""
    by = asker(request, INSTITUTION_SITE)
    if stated.form is Consent.Form.YEARS:
        return by_consent(stated, by=by)
    file = file_by_consent(stated, by=by)
    return file if isinstance(file, Refused | None) else answer(file, stated.form, consent.items)
