"""The person's own words beside a record."""

from collections.abc import Callable

from django import forms
from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from access.web import PUBLIC_SITE, asker
from accounts.models import Person
from publicity.pages import citizens_only
from records import holds, statements
from records.models import Statement
from records.reading import own_file


class StatementForm(forms.Form):
    """What the person wants to say."""

    text = forms.CharField(label="声明内容", required=False, widget=forms.Textarea(attrs={"rows": 6}),
                           help_text=f"不超过 {Statement.LONGEST} 字。")  # fmt: skip


class AgainstForm(forms.Form):
    """Why the person does not agree that their words are held back."""

    text = forms.CharField(label="您的意见", required=False, widget=forms.Textarea(attrs={"rows": 3}),
                           help_text="不超过 300 字。")  # fmt: skip


_DEEDS: dict[str, Callable[..., object]] = {
    "say": statements.state,
    "take_back": lambda person, number, _, by: statements.take_back(person, number, by=by),
    "speak_against": holds.speak_against,
}


@require_http_methods(["GET", "HEAD", "POST"])
@citizens_only
def me_statement(request: HttpRequest, person: Person, record_no: str) -> HttpResponse:
    """Make, change or take back a statement, or speak against its hold: one opening of the file, one line."""
    by, deed = asker(request, PUBLIC_SITE), _DEEDS.get(request.POST.get("deed", "say"), statements.state)
    form = (AgainstForm if deed is holds.speak_against else StatementForm)(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            deed(person, record_no, form.cleaned_data["text"], by=by)
        except ObjectDoesNotExist as error:
            raise Http404 from error
        except ValidationError as error:
            form.add_error("text", error)
        else:
            return redirect("me_file")
    record = next((view for view in own_file(person, by=by).records if view.number == record_no), None)
    if record is None:
        raise Http404
    if not form.is_bound:
        form.initial = {"text": record.statement}
    against: forms.Form = AgainstForm(auto_id="against_%s")
    if deed is holds.speak_against:
        form, against = StatementForm(initial={"text": record.statement}), form
    context = {"record": record, "form": form, "against": against}
    status = 422 if form.errors or against.errors else 200
    return render(request, "publicity/me/statement.html", context, status=status)
