"""The person's questions about who looked: one click, a number, the answer, one review."""

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from access import questions
from access.models import Doubt, Question
from access.reading import Which, access_history
from access.web import PUBLIC_SITE, asker
from accounts.models import Person
from accounts.web import sentence_of
from catalogue.deadline_forms import take_over
from catalogue.deadlines import rule_for
from publicity.pages import citizens_only, one_page, with_item_names


class AddForm(forms.Form):
    """What the person wants to say more: nothing of it is needed."""

    doubt = forms.ChoiceField(label="您的疑问是", choices=Doubt.choices, widget=forms.RadioSelect)
    text = forms.CharField(
        label="补充说明", required=False, max_length=questions.LONGEST, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=f"不写也可以。不超过 {questions.LONGEST} 字，不要写证件号码和别人的姓名。",
    )  # fmt: skip


class ReviewForm(forms.Form):
    """Why the person does not agree with the verdict."""

    text = forms.CharField(
        label="为什么不同意这个结论", max_length=questions.LONGEST, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=f"不超过 {questions.LONGEST} 字。",
    )  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
@citizens_only
def ask(request: HttpRequest, person: Person, pk: int) -> HttpResponse:
    """Ask about one line with one click; who comes here from signing in has to click again."""
    if request.method != "POST":
        return redirect("me_access")
    try:
        question = questions.ask(person, pk, by=asker(request, PUBLIC_SITE))
    except Question.DoesNotExist as error:
        raise Http404 from error
    except (PermissionDenied, ValidationError) as error:
        messages.error(request, sentence_of(error))
        return redirect("me_access")
    return redirect("me_question", question.number)


@require_safe
@citizens_only
def me_questions(request: HttpRequest, person: Person) -> HttpResponse:
    """Show the questions, the newest first, with where each stands."""
    context = one_page(request, Question.objects.of(person))
    context["stories"] = [questions.story_of(question) for question in context["shown"]]
    return render(request, "publicity/me/questions.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@citizens_only
def me_question(request: HttpRequest, person: Person, question_no: str) -> HttpResponse:
    """One question: where it stands, what was found and why; words to add, a review to ask for."""
    try:
        question = Question.objects.of(person).numbered(question_no)
    except Question.DoesNotExist as error:
        raise Http404 from error
    by, deed = asker(request, PUBLIC_SITE), request.POST.get("deed", "")
    add = AddForm(request.POST if deed == "add" else None, initial={"doubt": question.doubt})
    again = ReviewForm(request.POST if deed == "review" else None)
    sent = add if add.is_bound else again
    if sent.is_bound and sent.is_valid():
        data = sent.cleaned_data
        said = questions.add if sent is add else questions.ask_for_review
        try:
            said(person, question_no, by=by, **data)
        except ValidationError as error:
            take_over(sent, error)
        else:
            messages.success(request, "已收到。")
            return redirect("me_question", question_no)
    story = questions.story_of(question)
    lines = with_item_names(access_history(person, which=Which(line=question.query_seq)))
    context = {"story": story, "question": question, "line": lines[0] if lines else None, "add": add, "again": again,
               "review_period": rule_for(questions.REVIEW, timezone.localdate()).period}  # fmt: skip
    return render(request, "publicity/me/question.html", context, status=422 if sent.errors else 200)
