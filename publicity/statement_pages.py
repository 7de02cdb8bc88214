"""The person's own words beside a record."""

from django import forms
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from access.web import PUBLIC_SITE, asker
from accounts.models import Person
from publicity.pages import citizens_only
from records import statements
from records.models import Statement
from records.reading import own_file


class StatementForm(forms.Form):
    """What the person wants to say."""

    text = forms.CharField(label="声明内容", required=False, widget=forms.Textarea(attrs={"rows": 6}),
                           help_text=f"不超过 {Statement.LONGEST} 字。")  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
@citizens_only
def me_statement(request: HttpRequest, person: Person, record_no: str) -> HttpResponse:
    """Make, change or take back a statement."""
    by = asker(request, PUBLIC_SITE)
    record = next((view for view in own_file(person, by=by).records if view.number == record_no), None)
    if record is None:
        raise Http404
    form = StatementForm(request.POST or None, initial={"text": record.statement})
    if request.method == "POST" and form.is_valid():
        try:
            if request.POST.get("deed") == "take_back":
                statements.take_back(person, record_no, by=by)
            else:
                statements.state(person, record_no, form.cleaned_data["text"], by=by)
        except ValidationError as error:
            form.add_error("text", error)
        else:
            return redirect("me_file")
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "publicity/me/statement.html", {"record": record, "form": form}, status=status)
