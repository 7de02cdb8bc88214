"""Who supplies what: the credit office assigns and ends, departments see their own."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path

from accounts.admin import ReadOnlyAdmin
from accounts.web import signed_in
from catalogue import supply_actions as actions
from catalogue.deadline_forms import take_over
from catalogue.models import SupplyAssignment
from catalogue.supply_forms import AssignForm, EndForm


@admin.register(SupplyAssignment)
class SupplyAssignmentAdmin(ReadOnlyAdmin):
    """One row per duty to supply."""

    add_label = "指定报送单位"
    list_display = ["item", "supplier", "since", "until", "assigned_by"]
    list_select_related = ["item", "supplier", "assigned_by"]
    search_fields = ["item__code", "supplier__name"]
    list_per_page = 100

    @admin.display(description="开始", ordering="effective")
    def since(self, assignment: SupplyAssignment) -> Any:
        return assignment.effective.lower

    @admin.display(description="结束")
    def until(self, assignment: SupplyAssignment) -> Any:
        return assignment.effective.upper or "—"

    def get_queryset(self, request: HttpRequest) -> QuerySet[SupplyAssignment]:
        return SupplyAssignment.objects.visible_to(signed_in(request)).select_related("item", "supplier")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("catalogue.assign_supplier")

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.end_view)
        return [path("<int:pk>/end/", view, name="catalogue_supplyassignment_end"), *super().get_urls()]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied("只有省信用办可以指定报送单位。")
        form = AssignForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                made = actions.assign_supplier(**form.cleaned_data, by=signed_in(request))
            except ValidationError as error:
                take_over(form, error)
            else:
                messages.success(
                    request, f"已指定{made.supplier}报送 {made.item}。报送授权等候省信用办另一名工作人员确认。"
                )
                return redirect("admin:catalogue_supplyassignment_change", made.pk)
        context = {**self.admin_site.each_context(request), "opts": self.opts, "title": "指定报送单位", "form": form}
        status = 422 if form.errors else 200
        return render(request, "admin/catalogue/supplyassignment/assign.html", context, status=status)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        return self._detail(request, self._one(request, object_id), EndForm())

    def _detail(
        self, request: HttpRequest, assignment: SupplyAssignment, form: EndForm, status: int = 200
    ) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": str(assignment), "form": form,
            "assignment": assignment, "may_end": self.has_add_permission(request) and not assignment.effective.upper,
        }  # fmt: skip
        return render(request, "admin/catalogue/supplyassignment/detail.html", context, status=status)

    def end_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        assignment = self._one(request, pk)
        if request.method != "POST":
            return redirect("admin:catalogue_supplyassignment_change", pk)
        form = EndForm(request.POST)
        if form.is_valid():
            try:
                actions.end_assignment(assignment, by=signed_in(request), **form.cleaned_data)
            except ValidationError as error:
                take_over(form, error)
            else:
                messages.success(request, "已结束。以前应报未报的仍然要报。")
                return redirect("admin:catalogue_supplyassignment_change", pk)
        return self._detail(request, assignment, form, status=422)

    def _one(self, request: HttpRequest, pk: str | int) -> SupplyAssignment:
        if not self.has_view_permission(request):
            raise PermissionDenied("您没有查看报送任务的职责。")
        found = self.get_queryset(request).filter(pk=pk).first() if str(pk).isdecimal() else None
        if found is None:
            raise Http404
        return found
