"""我的权利: every right of the person in one place, each within two clicks; what needs an official's answer is tracked."""

from django import forms
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, QueryDict, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from access.web import PUBLIC_SITE, asker
from accounts.models import Person
from catalogue.deadline_forms import take_over
from catalogue.models import Deadline
from publicity.copy import SCHEMA, own_copy
from publicity.pages import citizens_only, one_page
from publicity.rights import Right, rights, within
from publicity.transparency_pages import download
from records import rights as deeds
from records.explained import Explained, explained
from records.rights_models import RightsRequest

Kind = RightsRequest.Kind
HINTS = {
    Kind.CORRECT: "写明哪一项错了、应当是什么、有什么材料可以证明。",
    Kind.DELETE: "写明是哪一种：认错了人、没有依据、依据的决定已撤销、超过期限、不该归集。",
    Kind.EXPLAIN: "写明哪里不清楚。",
    Kind.RESTRICT: "写明要限制或者拒绝哪一种处理，为什么。",
}


class AskForm(forms.Form):
    """Which record, and what is asked."""

    record = forms.ChoiceField(label="哪一条记录", widget=forms.RadioSelect)
    text = forms.CharField(label="您的请求和理由", max_length=deeds.LONGEST, widget=forms.Textarea(attrs={"rows": 4}))

    def __init__(self, kind: RightsRequest.Kind, told: list[Explained], data: QueryDict | None) -> None:
        super().__init__(data)
        self.fields["record"].choices = [  # type: ignore[attr-defined]
            (one.view.number, f"{one.view.item_name}，{one.view.doc_no}（{one.view.provider}提供）") for one in told
        ]
        self.fields["text"].help_text = f"{HINTS[kind]}不超过 {deeds.LONGEST} 字，不要写证件号码。"


@require_safe
@citizens_only
def me_rights(request: HttpRequest, person: Person) -> HttpResponse:
    """Show every right, and the requests made so far."""
    context = one_page(request, RightsRequest.objects.of(person)) | {"rights": rights()}
    return render(request, "publicity/me/rights.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@citizens_only
def me_right_ask(request: HttpRequest, person: Person, right: str) -> HttpResponse:
    """Ask something about one record: choose it, say what, send."""
    if right not in Kind.values:
        raise Http404
    kind, by = Kind(right), asker(request, PUBLIC_SITE)
    told = explained(person, by=by)
    form = AskForm(kind, told, request.POST or None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            made = deeds.ask(person, kind, data["record"], data["text"], by=by)
        except ValidationError as error:
            take_over(form, error)
        else:
            return redirect("me_right", made.number)
    context = {"kind": kind, "form": form, "told": told, "right": _right_of(kind),
               "time": within(RightsRequest.CLOCKS.get(kind, "D72"))}  # fmt: skip
    return render(request, "publicity/me/right_ask.html", context, status=422 if form.errors else 200)


def _right_of(kind: RightsRequest.Kind) -> Right:
    address = f"/{kind.value}/"
    return next(one for one in rights() if any(link.endswith(address) for _, link in one.links))


@require_safe
@citizens_only
def me_right(request: HttpRequest, person: Person, right_no: str) -> HttpResponse:
    """One request: where it stands, until when, the answer and its reasons."""
    try:
        made = RightsRequest.objects.of(person).numbered(right_no)
    except RightsRequest.DoesNotExist as error:
        raise Http404 from error
    answer = made.steps.exclude(deed="returned").order_by("-id").first() if made.is_over else None
    reasons = [step for step in made.steps.all() if step.deed == "refusal"][-1:] if made.is_over else []
    context = {
        "made": made, "answer": answer, "reasons": reasons if made.state == "refused" else [],
        "clock": Deadline.objects.of(made).select_related("rule").order_by("-pk").first(),
    }  # fmt: skip
    return render(request, "publicity/me/right.html", context)


@require_safe
@citizens_only
def me_explained(request: HttpRequest, person: Person) -> HttpResponse:
    context = {"told": explained(person, by=asker(request, PUBLIC_SITE))}
    return render(request, "publicity/me/explained.html", context)


@require_safe
@citizens_only
def me_copy(request: HttpRequest, person: Person) -> HttpResponse:
    """Give everything the register holds about the person as one JSON file, under one line of the query log."""
    answer = StreamingHttpResponse(own_copy(person, by=asker(request, PUBLIC_SITE)), content_type="application/json")
    return download(answer, f"my-data-{timezone.localdate():%Y%m%d}.json")


@require_safe
@citizens_only
def me_copy_schema(request: HttpRequest, person: Person) -> JsonResponse:
    return JsonResponse(SCHEMA, json_dumps_params={"ensure_ascii": False, "indent": 1})
