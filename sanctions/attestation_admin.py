"""The rule of attestations: one person of the credit office proposes, another confirms. Whose they are, nobody sees here."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from accounts.web import signed_in
from catalogue.deadline_admin import ProposalAdmin
from catalogue.deadline_forms import take_over
from sanctions import attestation_rules as rules
from sanctions.attestation_forms import RuleForm
from sanctions.attestation_models import AttestationRule


@admin.register(AttestationRule)
class AttestationRuleAdmin(ProposalAdmin):
    """Which records count and for how many years may be asked, with the source; a change is a new version."""

    add_label = "提出新版本"
    detail_template = "admin/sanctions/attestationrule/detail.html"
    propose_permission = rules.PROPOSE
    confirm_permission = rules.CONFIRM
    list_display = ["__str__", "severities_", "span_", "confidence", "state", "valid_from", "valid_to"]
    list_filter = ["state"]

    @admin.display(description="计入的失信程度")
    def severities_(self, rule: AttestationRule) -> str:
        return rule.severities_in_words

    @admin.display(description="年数")
    def span_(self, rule: AttestationRule) -> str:
        return rule.span

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(self.propose_permission)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied("只有省信用办可以提出无失信记录证明规则。")
        current = AttestationRule.objects.in_force().first()
        names = ("severities", "years_from", "years_to", "years_usual")
        form = RuleForm(
            request.POST or None, initial={name: getattr(current, name) for name in names} if current else None
        )
        if request.method == "POST" and form.is_valid():
            try:
                rule = rules.propose(by=signed_in(request), **form.cleaned_data)
            except ValidationError as error:
                take_over(form, error)
            else:
                messages.success(request, "已提出，等候省信用办另一名工作人员确认。")
                return redirect("admin:sanctions_attestationrule_change", rule.pk)
        context = {**self.admin_site.each_context(request), "opts": self.opts, "title": "提出新版本", "form": form}
        status = 422 if form.errors else 200
        return render(request, "admin/sanctions/attestationrule/propose.html", context, status=status)

    def more_context(self, proposal: AttestationRule) -> dict[str, Any]:
        return {"others": AttestationRule.objects.exclude(pk=proposal.pk)}

    def confirm(self, pk: int, request: HttpRequest) -> None:
        rules.confirm(pk, by=signed_in(request))

    def withdraw(self, pk: int, request: HttpRequest, reason: str) -> None:
        rules.withdraw(pk, by=signed_in(request), reason=reason)
