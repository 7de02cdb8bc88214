"""Impact assessments and consultations, for the credit office; others read."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone

from accounts.admin import ReadOnlyAdmin
from accounts.web import signed_in
from catalogue import actions, desk
from catalogue.deed_forms import AnswerForm, OutcomeForm
from catalogue.item_admin import one
from catalogue.models import Comment, Consultation, ImpactAssessment
from catalogue.refusals import Refusal, attempt


class UnsignedFilter(admin.SimpleListFilter):
    """Assessments that wait for this user's second signature."""

    title = "待复核"
    parameter_name = "unsigned"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("1", "待我复核")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ImpactAssessment]) -> QuerySet[ImpactAssessment]:
        if self.value() != "1":
            return queryset
        return queryset.filter(pk__in=desk.unsigned_assessments(signed_in(request)).values("pk"))


@admin.register(ImpactAssessment)
class ImpactAssessmentAdmin(ReadOnlyAdmin):
    """One person assesses, another signs."""

    list_display = ["number", "title", "assessed_by", "assessed_on", "reviewed_by", "passed", "valid_until"]
    list_filter = [UnsignedFilter, "passed"]
    list_select_related = ["assessed_by", "reviewed_by"]
    search_fields = ["number", "title"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ImpactAssessment]:
        user = signed_in(request)
        if user.has_perm("catalogue.assess_item"):
            return ImpactAssessment.objects.all()
        return ImpactAssessment.objects.filter(versions__in=desk.versions_seen_by(user)).distinct()

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.review_view)
        return [path("<int:pk>/review/", view, name="catalogue_impactassessment_review"), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        return self._detail(request, one(self, request, object_id))

    def _detail(
        self, request: HttpRequest, assessment: ImpactAssessment, refused: Refusal | None = None
    ) -> HttpResponse:
        user = signed_in(request)
        theirs = assessment.reviewed_by_id is None and user.has_perm("catalogue.assess_item")
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": str(assessment), "refused": refused,
            "assessment": assessment, "theirs": theirs, "own": assessment.assessed_by_id == user.pk,
            "versions": desk.versions_seen_by(user).filter(assessment=assessment).select_related("item"),
            "over": assessment.valid_until <= timezone.localdate(),
        }  # fmt: skip
        status = refused.status if refused else 200
        return render(request, "admin/catalogue/impactassessment/detail.html", context, status=status)

    def review_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        assessment, user = one(self, request, pk), signed_in(request)
        if request.method != "POST":
            return redirect("admin:catalogue_impactassessment_change", pk)
        passed = request.POST.get("passed") == "1"
        if refused := attempt(lambda: actions.review_assessment(assessment, by=user, passed=passed)):
            return self._detail(request, assessment, refused)
        messages.success(request, "已复核：可以处理。" if passed else "已复核：不可以处理。")
        return redirect("admin:catalogue_impactassessment_change", pk)


class TendFilter(admin.SimpleListFilter):
    """Consultations that need somebody: unanswered comments, or the end is near or over."""

    title = "待办"
    parameter_name = "tend"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("1", "待答复或即将期满")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Consultation]) -> QuerySet[Consultation]:
        return queryset.filter(pk__in=desk.consultations_to_tend().values("pk")) if self.value() == "1" else queryset


@admin.register(Consultation)
class ConsultationAdmin(ReadOnlyAdmin):
    """What the public was asked, what it said, what it was answered."""

    list_display = ["item_version", "opened_on", "closes_on", "said", "unanswered", "closed_at"]
    list_filter = [TendFilter]
    list_select_related = ["item_version__item"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Consultation]:
        seen = Consultation.objects.filter(item_version__in=desk.versions_seen_by(signed_in(request)))
        return seen.annotate(
            count=Count("comments"), open_ones=Count("comments", filter=Q(comments__answer=""))
        ).order_by("-opened_on", "-id")

    @admin.display(description="意见（条）")
    def said(self, consultation: Any) -> int:
        return consultation.count

    @admin.display(description="未答复（条）")
    def unanswered(self, consultation: Any) -> int:
        return consultation.open_ones

    def get_urls(self) -> list[Any]:
        view, name = self.admin_site.admin_view, "catalogue_consultation"
        own = [
            path("<int:pk>/answer/", view(self.answer_view), name=f"{name}_answer"),
            path("<int:pk>/close/", view(self.close_view), name=f"{name}_close"),
        ]
        return own + super().get_urls()

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        return self._detail(request, one(self, request, object_id))

    def _detail(
        self,
        request: HttpRequest,
        consultation: Any,
        refused: Refusal | None = None,
        tried: forms.Form | None = None,
    ) -> HttpResponse:
        theirs = consultation.closed_at is None and request.user.has_perm("catalogue.assess_item")
        comments = list(consultation.comments.select_related("answered_by"))
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": str(consultation), "refused": refused,
            "consultation": consultation, "over": consultation.closes_on < timezone.localdate(), "theirs": theirs,
            "comments": [(comment, _answer_form(comment, tried) if theirs else None) for comment in comments],
            "outcome": tried if isinstance(tried, OutcomeForm) else OutcomeForm(),
        }  # fmt: skip
        status = refused.status if refused else 422 if tried is not None else 200
        return render(request, "admin/catalogue/consultation/detail.html", context, status=status)

    def answer_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        number = request.POST.get("comment", "")
        comments = Comment.objects.filter(consultation=pk)
        comment = comments.filter(pk=number).first() if number.isdecimal() else None

        def deed(data: dict[str, Any]) -> object:
            assert comment is not None
            return actions.answer(comment, by=signed_in(request), text=data["text"])

        form = AnswerForm(request.POST, prefix=f"c{comment.pk}") if comment else None
        return self._do(request, pk, form, deed, "已答复。")

    def close_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        def deed(data: dict[str, Any]) -> object:
            return actions.close_consultation(
                Consultation.objects.get(pk=pk), by=signed_in(request), outcome=data["outcome"]
            )

        return self._do(request, pk, OutcomeForm(request.POST), deed, "征求意见已结束，采纳情况已公布。")

    def _do(
        self,
        request: HttpRequest,
        pk: int,
        form: forms.Form | None,
        deed: Callable[[dict[str, Any]], object],
        done: str,
    ) -> HttpResponse:
        consultation = one(self, request, pk)
        if request.method != "POST" or form is None:
            return redirect("admin:catalogue_consultation_change", pk)
        if not form.is_valid() and request.user.has_perm("catalogue.assess_item"):
            return self._detail(request, consultation, tried=form)
        data = {name: form.cleaned_data.get(name, "") for name in form.fields}
        if refused := attempt(lambda: deed(data)):
            return self._detail(request, consultation, refused, form)
        messages.success(request, done)
        return redirect("admin:catalogue_consultation_change", pk)


def _answer_form(comment: Comment, tried: forms.Form | None) -> forms.Form:
    prefix = f"c{comment.pk}"
    if tried is not None and tried.prefix == prefix:
        return tried
    return AnswerForm(prefix=prefix, initial={"text": comment.answer})
