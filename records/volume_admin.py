"""Volume rules: one person of the credit office proposes, another confirms; suppliers read them."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from accounts.web import signed_in
from catalogue.deadline_admin import ProposalAdmin
from catalogue.deadline_forms import take_over
from records import volume
from records.models import VolumeRule
from records.returned_forms import VolumeRuleForm


@admin.register(VolumeRule)
class VolumeRuleAdmin(ProposalAdmin):
    """What is usual for a delivery, with the reason; a change is a new rule."""

    add_label = "提出数量规则"
    detail_template = "admin/records/volumerule/detail.html"
    propose_permission = volume.PROPOSE
    confirm_permission = volume.CONFIRM
    list_display = ["measure", "scope_", "band_", "state", "valid_from", "valid_to"]
    list_filter = ["state", "measure"]
    list_select_related = ["item", "supplier", "proposed_by", "confirmed_by"]
    list_per_page = 100

    @admin.display(description="适用")
    def scope_(self, rule: VolumeRule) -> str:
        return rule.scope

    @admin.display(description="通常范围")
    def band_(self, rule: VolumeRule) -> str:
        return rule.band

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(self.propose_permission)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied("只有省信用办可以提出数量规则。")
        form = VolumeRuleForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                rule = volume.propose(by=signed_in(request), **form.cleaned_data)
            except ValidationError as error:
                take_over(form, error)
            else:
                messages.success(request, "已提出，等候省信用办另一名工作人员确认。")
                return redirect("admin:records_volumerule_change", rule.pk)
        context = {**self.admin_site.each_context(request), "opts": self.opts, "title": "提出数量规则", "form": form}
        status = 422 if form.errors else 200
        return render(request, "admin/records/volumerule/propose.html", context, status=status)

    def more_context(self, proposal: VolumeRule) -> dict[str, Any]:
        same = VolumeRule.objects.filter(measure=proposal.measure, item=proposal.item, supplier=proposal.supplier)
        return {"others": same.exclude(pk=proposal.pk)}

    def confirm(self, pk: int, request: HttpRequest) -> None:
        volume.confirm(pk, by=signed_in(request))

    def withdraw(self, pk: int, request: HttpRequest, reason: str) -> None:
        volume.withdraw(pk, by=signed_in(request), reason=reason)
