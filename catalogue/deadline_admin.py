"""Calendar, deadlines and clocks for the credit office: one proposes, another confirms."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Count, Model, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone

from accounts.admin import ReadOnlyAdmin
from accounts.web import do_and_say, signed_in
from catalogue import deadline_actions as actions
from catalogue.deadline_forms import EditionForm, ReasonForm, RuleForm, take_over
from catalogue.deadlines import missing_year, review
from catalogue.models import CalendarEdition, Deadline, DeadlineRule


class ProposalAdmin(ReadOnlyAdmin):
    """A page of its own for what one proposes and another confirms or sends back."""

    detail_template = ""
    propose_permission = ""
    confirm_permission = ""
    list_select_related = ["proposed_by", "confirmed_by"]

    def get_urls(self) -> list[Any]:
        view, name = self.admin_site.admin_view, f"{self.opts.app_label}_{self.opts.model_name}"
        own = [
            path("<int:pk>/confirm/", view(self.confirm_view), name=f"{name}_confirm"),
            path("<int:pk>/withdraw/", view(self.withdraw_view), name=f"{name}_withdraw"),
        ]
        return own + super().get_urls()

    def confirm(self, pk: int, request: HttpRequest) -> None:
        raise NotImplementedError

    def withdraw(self, pk: int, request: HttpRequest, reason: str) -> None:
        raise NotImplementedError

    def more_context(self, proposal: Any) -> dict[str, Any]:
        """Return what the page of one proposal shows besides."""
        return {}

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        return self.detail(request, self.one(request, object_id), ReasonForm())

    def one(self, request: HttpRequest, pk: str | int) -> Any:
        """Return the proposal. Raises PermissionDenied, Http404."""
        if not self.has_view_permission(request):
            raise PermissionDenied("您没有查看的职责。")
        found = self.get_queryset(request).filter(pk=pk).first() if str(pk).isdecimal() else None
        if found is None:
            raise Http404
        return found

    def detail(self, request: HttpRequest, proposal: Any, form: forms.Form, status: int = 200) -> HttpResponse:
        """Show one proposal and what this user may do with it."""
        user = signed_in(request)
        reason = actions.why_not_confirm(proposal, user, self.confirm_permission)
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": str(proposal), "proposal": proposal,
            "form": form, "may_confirm": not reason, "why_not_confirm": reason,
            "may_withdraw": proposal.is_draft and user.has_perm(self.propose_permission),
            "may_propose": user.has_perm(self.propose_permission), **self.more_context(proposal),
        }  # fmt: skip
        return render(request, self.detail_template, context, status=status)

    def confirm_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self._do(request, pk, lambda: self.confirm(pk, request), "已确认，现行有效。")

    def withdraw_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        form = ReasonForm(request.POST or None)
        if request.method == "POST" and not form.is_valid():
            return self.detail(request, self.one(request, pk), form, status=422)
        reason = form.cleaned_data["reason"] if form.is_bound else ""
        return self._do(request, pk, lambda: self.withdraw(pk, request, reason), "已退回。")

    def _do(self, request: HttpRequest, pk: int, deed: Callable[[], None], done: str) -> HttpResponse:
        self.one(request, pk)
        if request.method == "POST":
            do_and_say(request, deed, done)
        return redirect(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", pk)


@admin.register(CalendarEdition)
class CalendarEditionAdmin(ProposalAdmin):
    """One row per notice; the newest confirmed one of a year counts."""

    add_label = "录入年度日历"
    detail_template = "admin/catalogue/calendaredition/detail.html"
    propose_permission = "catalogue.propose_calendar"
    confirm_permission = "catalogue.confirm_calendar"
    list_display = ["year", "number", "notice_no", "state", "off_days", "made_up_days", "proposed_by", "confirmed_by"]
    list_filter = ["state"]
    search_fields = ["notice_no", "=year"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[CalendarEdition]:
        editions = super().get_queryset(request).select_related("proposed_by", "confirmed_by")
        return editions.annotate(
            off=Count("days", filter=Q(days__is_workday=False)), made_up=Count("days", filter=Q(days__is_workday=True))
        )

    @admin.display(description="周一至周五放假（天）")
    def off_days(self, edition: Any) -> int:
        return edition.off

    @admin.display(description="周末调休上班（天）")
    def made_up_days(self, edition: Any) -> int:
        return edition.made_up

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(self.propose_permission)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied("只有省信用办可以录入年度日历。")
        first = {"year": missing_year() or timezone.localdate().year}
        form = EditionForm(request.POST or None, request.FILES or None, initial=first)
        if request.method == "POST" and form.is_valid():
            data = form.cleaned_data
            try:
                edition = actions.propose_edition(
                    year=data["year"], days=form.day_list(), notice_no=data["notice_no"],
                    source_url=data["source_url"], by=signed_in(request),
                )  # fmt: skip
            except ValidationError as error:
                take_over(form, error)
            else:
                messages.success(request, "已提出，等候省信用办另一名工作人员对照通知确认。")
                return redirect("admin:catalogue_calendaredition_change", edition.pk)
        context = {**self.admin_site.each_context(request), "opts": self.opts, "title": "录入年度日历", "form": form}
        status = 422 if form.errors else 200
        return render(request, "admin/catalogue/calendaredition/propose.html", context, status=status)

    def more_context(self, proposal: CalendarEdition) -> dict[str, Any]:
        return {"review": review(proposal)}

    def confirm(self, pk: int, request: HttpRequest) -> None:
        actions.confirm_edition(pk, by=signed_in(request))

    def withdraw(self, pk: int, request: HttpRequest, reason: str) -> None:
        actions.withdraw_edition(pk, by=signed_in(request), reason=reason)


@admin.register(DeadlineRule)
class DeadlineRuleAdmin(ProposalAdmin):
    """The deadlines with their sources; a change is a new version."""

    detail_template = "admin/catalogue/deadlinerule/detail.html"
    propose_permission = "catalogue.propose_deadlinerule"
    confirm_permission = "catalogue.confirm_deadlinerule"
    list_display = ["code", "what", "period_", "starts", "owner", "verified", "state", "valid_from"]
    list_filter = ["state", "owner", "verified"]
    search_fields = ["code", "what", "basis"]
    list_per_page = 100

    @admin.display(description="期限")
    def period_(self, rule: DeadlineRule) -> str:
        return rule.period

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.propose_view)
        return [path("<int:pk>/propose/", view, name="catalogue_deadlinerule_propose"), *super().get_urls()]

    def propose_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        rule = self.one(request, pk)
        if not request.user.has_perm(self.propose_permission):
            raise PermissionDenied("只有省信用办可以提出时限规则。")
        form = RuleForm(
            request.POST or None,
            instance=DeadlineRule.objects.get(pk=rule.pk),
            initial={"valid_from": None, "source": ""},
        )
        if request.method == "POST" and form.is_valid():
            try:
                proposed = actions.propose_rule(rule.code, by=signed_in(request), **form.cleaned_data)
            except ValidationError as error:
                take_over(form, error)
            else:
                messages.success(request, "已提出新版本，等候省信用办另一名工作人员确认。")
                return redirect("admin:catalogue_deadlinerule_change", proposed.pk)
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": f"{rule.code} 提出新版本",
            "form": form, "rule": rule,
        }  # fmt: skip
        status = 422 if form.errors else 200
        return render(request, "admin/catalogue/deadlinerule/propose.html", context, status=status)

    def more_context(self, proposal: DeadlineRule) -> dict[str, Any]:
        others = DeadlineRule.objects.filter(code=proposal.code).exclude(pk=proposal.pk)
        confirmed = others.filter(confirmed_at__isnull=False, version__lt=proposal.version)
        before = confirmed.order_by("-version").first()
        return {"rows": _compare(proposal, before), "before": before, "others": others}

    def confirm(self, pk: int, request: HttpRequest) -> None:
        actions.confirm_rule(pk, by=signed_in(request))

    def withdraw(self, pk: int, request: HttpRequest, reason: str) -> None:
        actions.withdraw_rule(pk, by=signed_in(request), reason=reason)


class OverdueFilter(admin.SimpleListFilter):
    """Clocks that ran out and that nobody has met."""

    title = "是否超期"
    parameter_name = "overdue"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("1", "已超期")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.overdue() if self.value() == "1" else queryset


@admin.register(Deadline)
class DeadlineAdmin(ReadOnlyAdmin):
    """The clocks, soonest first; what stands here decides nothing."""

    list_display = [
        "subject_label",
        "rule",
        "started_on",
        "due",
        "paused_on",
        "extended_until",
        "met_on",
        "escalated_at",
    ]
    list_filter = [OverdueFilter, "provisional", "rule__owner"]
    list_select_related = ["rule"]
    search_fields = ["subject_label", "rule__code"]
    date_hierarchy = "due_on"

    @admin.display(description="届满日", ordering="due_on")
    def due(self, clock: Deadline) -> str:
        return clock.due_text


def _compare(rule: DeadlineRule, before: DeadlineRule | None) -> list[dict[str, str | bool]]:
    """Return each value of a version beside that of the version before."""
    rows: list[dict[str, str | bool]] = []
    for name in RuleForm.Meta.fields:
        now, then = _shown(rule, name), _shown(before, name) if before else ""
        label = str(DeadlineRule._meta.get_field(name).verbose_name)  # type: ignore[union-attr]
        rows.append({"label": label, "now": now, "then": then, "changed": before is not None and now != then})
    return rows


def _shown(rule: Model, name: str) -> str:
    value = getattr(rule, f"get_{name}_display", lambda: getattr(rule, name))()
    if isinstance(value, bool):
        return "是" if value else "否"
    return "" if value is None else str(value)
