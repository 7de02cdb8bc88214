"""The register of duties: one person of the credit office proposes, another confirms; those who read by duty see it."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path

from access import duties
from access.duty_forms import DutyItemForm, EndForm
from access.models import DutyItem
from accounts.web import do_and_say, sentence_of, signed_in
from catalogue.deadline_admin import ProposalAdmin
from catalogue.deadline_forms import take_over


@admin.register(DutyItem)
class DutyItemAdmin(ProposalAdmin):
    """Which duty of which organisation opens which items; a change is a new entry."""

    add_label = "提出职责事项"
    detail_template = "admin/access/dutyitem/detail.html"
    propose_permission = duties.PROPOSE
    confirm_permission = duties.CONFIRM
    list_display = ["code", "name", "organisation", "basis", "state", "valid_from", "valid_to"]
    list_filter = ["state"]
    search_fields = ["code", "name", "organisation__name"]
    list_select_related = ["organisation__region", "region", "proposed_by", "confirmed_by"]
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(self.propose_permission)

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.end_view)
        return [path("<int:pk>/end/", view, name="access_dutyitem_end"), *super().get_urls()]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied("只有省信用办可以提出职责事项。")
        form = DutyItemForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            data = form.cleaned_data
            values = {**data, "items": [version.item for version in data["items"]]}
            try:
                duty = duties.propose(by=signed_in(request), **values)
            except ValidationError as error:
                take_over(form, error)
            else:
                messages.success(request, "已提出，等候省信用办另一名工作人员确认。")
                return redirect("admin:access_dutyitem_change", duty.pk)
        context = {**self.admin_site.each_context(request), "opts": self.opts, "title": "提出职责事项", "form": form}
        status = 422 if form.errors else 200
        return render(request, "admin/access/dutyitem/propose.html", context, status=status)

    def end_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Close the door that a duty opens."""
        duty, form = self.one(request, pk), EndForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            day = form.cleaned_data["on"]
            do_and_say(request, lambda: duties.end(duty.pk, on=day, by=signed_in(request)), f"自 {day} 起停用。")
        elif request.method == "POST":
            messages.error(request, sentence_of(ValidationError("请填写停用日期。")))
        return redirect("admin:access_dutyitem_change", pk)

    def more_context(self, proposal: DutyItem) -> dict[str, Any]:
        same = DutyItem.objects.filter(organisation=proposal.organisation_id, code=proposal.code)
        return {
            "items": proposal.items.order_by("code"), "others": same.exclude(pk=proposal.pk), "end_form": EndForm(),
            "is_open": proposal.state == DutyItem.State.IN_FORCE and proposal.valid_to is None,
        }  # fmt: skip

    def confirm(self, pk: int, request: HttpRequest) -> None:
        duties.confirm(pk, by=signed_in(request))

    def withdraw(self, pk: int, request: HttpRequest, reason: str) -> None:
        duties.withdraw(pk, by=signed_in(request), reason=reason)
