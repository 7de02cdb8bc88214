"""Reviews of readings and their rules, for supervisors, the auditor and the credit office."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path

from access import questions, reviews
from access.models import Anomaly, LogReading, QuestionStep, ReviewRule, Sign
from access.review_forms import (
    AnswerForm,
    ClosingForm,
    QuestionAnswerForm,
    ReviewForm,
    ReviewRuleForm,
    VerdictForm,
)
from accounts.admin import ReadOnlyAdmin
from accounts.web import do_and_say, signed_in
from catalogue.deadline_admin import ProposalAdmin
from catalogue.deadline_forms import take_over
from catalogue.models import Deadline


class LateFilter(admin.SimpleListFilter):
    """Reviews that nobody answered in time."""

    title = "是否超期"
    parameter_name = "overdue"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("1", "超期未答复")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.overdue() if self.value() == "1" else queryset


@admin.register(Anomaly)
class AnomalyAdmin(ReadOnlyAdmin):
    """Answer for one's unit, close as the auditor. Opening a review leaves a line of who read it."""

    list_display = ["number_", "sign", "organisation_", "actor_name", "value", "day", "state", "verdict"]
    list_filter = ["state", LateFilter, "sign"]
    list_select_related = ["organisation"]
    list_per_page = 50

    @admin.display(description="核查单", ordering="pk")
    def number_(self, anomaly: Anomaly) -> str:
        return anomaly.number

    @admin.display(description="查询单位")
    def organisation_(self, anomaly: Anomaly) -> str:
        return anomaly.organisation.name if anomaly.organisation else "多个单位"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Anomaly]:
        return Anomaly.objects.visible_to(signed_in(request))

    def get_ordering(self, request: HttpRequest) -> Any:
        return Anomaly.objects.questions_first().query.order_by

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        deeds = {"answer": self.answer_view, "close": self.close_view, "return": self.return_view,
                 "review": self.review_view}  # fmt: skip
        own = [path(f"<int:pk>/{deed}/", view(page), name=f"access_anomaly_{deed}") for deed, page in deeds.items()]
        return own + super().get_urls()

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        return self._detail(request, self._one(request, object_id), None)

    def answer_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        deed = lambda anomaly, data: reviews.answer(anomaly, by=signed_in(request), **data)  # noqa: E731
        form = _answer_form(self._one(request, pk))
        return self._do(request, pk, form, deed, "已答复，等候审计员办结。")

    def close_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        deed = lambda anomaly, data: reviews.close(anomaly, by=signed_in(request), **data)  # noqa: E731
        return self._do(request, pk, _closing(self._one(request, pk)), deed, "已办结。")

    def return_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        deed = lambda anomaly, data: reviews.send_back(anomaly, by=signed_in(request), **data)  # noqa: E731
        return self._do(request, pk, ClosingForm, deed, "已退回单位重新核实。")

    def review_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        deed = lambda anomaly, data: questions.review(anomaly, by=signed_in(request), **data)  # noqa: E731
        return self._do(request, pk, ReviewForm, deed, "已复核，当事人已得到通知。")

    def _do(
        self, request: HttpRequest, pk: int, kind: type[forms.Form], deed: Callable[[Anomaly, Any], object], done: str
    ) -> HttpResponse:
        anomaly, form = self._one(request, pk), kind(request.POST or None)
        if request.method == "POST" and not form.is_valid():
            return self._detail(request, anomaly, form, status=422)
        if request.method == "POST":
            do_and_say(request, lambda: deed(anomaly, form.cleaned_data), done)
            if not Anomaly.objects.visible_to(signed_in(request)).filter(pk=pk).exists():
                return redirect("admin:access_anomaly_changelist")
        return redirect("admin:access_anomaly_change", pk)

    def _one(self, request: HttpRequest, pk: str | int) -> Anomaly:
        if not self.has_view_permission(request):
            raise PermissionDenied("您没有核查查询的职责。")
        visible = self.get_queryset(request).select_related(
            "rule", "organisation", "answered_by", "closed_by", "urgent_reading__ground"
        )
        if not str(pk).isdecimal() or (anomaly := visible.filter(pk=pk).first()) is None:
            raise Http404
        return anomaly

    def _detail(
        self, request: HttpRequest, anomaly: Anomaly, form: forms.Form | None, status: int = 200
    ) -> HttpResponse:
        user = signed_in(request)
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": f"查询核查 {anomaly.number}",
            "anomaly": anomaly, "lines": reviews.lines_of(anomaly, by=user),
            "steps": anomaly.steps.select_related("by__organisation"),
            "clock": Deadline.objects.of(anomaly).select_related("rule").order_by("-pk").first(),
            "why_not_answer": reviews.why_not_answer(anomaly, user), "why_not_close": reviews.why_not_close(anomaly, user),
            "answer_form": form if isinstance(form, AnswerForm) else _answer_form(anomaly)(),
            "closing_form": form if isinstance(form, ClosingForm) else _closing(anomaly)(),
            "review_form": form if isinstance(form, ReviewForm) else ReviewForm(),
            "why_not_review": questions.why_not_review(anomaly, user),
            "question": getattr(anomaly, "question", None),
            "said": QuestionStep.objects.filter(question__anomaly=anomaly).select_related("by__organisation"),
            "readings": anomaly_readings(anomaly), "most": reviews.LINES_SHOWN,
        }  # fmt: skip
        return render(request, "admin/access/anomaly/detail.html", context, status=status)


def _closing(anomaly: Anomaly) -> type[ClosingForm]:
    """Return the form by which the auditor ends that review: of an emergency with a verdict."""
    return VerdictForm if anomaly.sign == Sign.URGENT else ClosingForm


def _answer_form(anomaly: Anomaly) -> type[AnswerForm]:
    return QuestionAnswerForm if anomaly.sign == Sign.QUESTIONED else AnswerForm


def anomaly_readings(anomaly: Anomaly) -> "QuerySet[LogReading]":
    """Return who opened the review, the latest first."""
    return LogReading.objects.filter(anomaly=anomaly)[:50]


@admin.register(ReviewRule)
class ReviewRuleAdmin(ProposalAdmin):
    """Which readings get a second look, with the reason; a change is a new rule."""

    add_label = "提出核查规则"
    detail_template = "admin/access/reviewrule/detail.html"
    propose_permission = reviews.PROPOSE
    confirm_permission = reviews.CONFIRM
    list_display = ["sign", "sentence_", "state", "valid_from", "valid_to"]
    list_filter = ["state", "sign"]
    list_per_page = 100

    @admin.display(description="规则")
    def sentence_(self, rule: ReviewRule) -> str:
        return rule.sentence

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(self.propose_permission)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied("只有省信用办可以提出查询核查规则。")
        form = ReviewRuleForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                rule = reviews.propose(by=signed_in(request), **form.cleaned_data)
            except ValidationError as error:
                take_over(form, error)
            else:
                messages.success(request, "已提出，等候省信用办另一名工作人员确认。")
                return redirect("admin:access_reviewrule_change", rule.pk)
        context = {**self.admin_site.each_context(request), "opts": self.opts, "title": "提出核查规则", "form": form}
        status = 422 if form.errors else 200
        return render(request, "admin/access/reviewrule/propose.html", context, status=status)

    def more_context(self, proposal: ReviewRule) -> dict[str, Any]:
        return {"others": ReviewRule.objects.filter(sign=proposal.sign).exclude(pk=proposal.pk)}

    def confirm(self, pk: int, request: HttpRequest) -> None:
        reviews.confirm(pk, by=signed_in(request))

    def withdraw(self, pk: int, request: HttpRequest, reason: str) -> None:
        reviews.withdraw(pk, by=signed_in(request), reason=reason)


@admin.register(LogReading)
class LogReadingAdmin(ReadOnlyAdmin):
    """Who read the logs: those who watch are watched."""

    list_display = ["at", "log", "reader_name", "organisation_name", "reason", "terms", "lines_", "anomaly_"]
    list_select_related = ["anomaly"]
    list_per_page = 50
    date_hierarchy = "at"
    fields = ["at", "log", "reader_name", "organisation_name", "roles", "reason", "terms", "anomaly_", "seqs"]

    @admin.display(description="看到的行数")
    def lines_(self, reading: LogReading) -> int:
        return len(reading.seqs)

    @admin.display(description="核查单")
    def anomaly_(self, reading: LogReading) -> str:
        return reading.anomaly.number if reading.anomaly else ""
