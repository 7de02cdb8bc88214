"""Persons' requests of right, for the supplier: open the record, grant what an act has done, refuse by two."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import F, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path

from access.web import STAFF_SITE, asker
from accounts.admin import ReadOnlyAdmin
from accounts.web import do_and_say, signed_in
from catalogue.models import Deadline
from records import rights
from records.rights_models import RightsRequest, RightsStep

Deed = RightsStep.Deed
DONE = {
    Deed.GRANTED: "已答复本人：已办理。", Deed.REFUSAL: "已提交，等候本单位另一名审核员复核。",
    Deed.CONFIRMED: "已答复本人：不同意。", Deed.RETURNED: "已退回重新办理。",
}  # fmt: skip


class StepForm(forms.Form):
    """The reasons that the person reads, and the act that did what was asked."""

    text = forms.CharField(
        label="答复和理由", max_length=500, widget=forms.Textarea(attrs={"rows": 4}),
        help_text="写给本人看：核实了什么、依据哪一条、怎么办。不写姓名和证件号码。",
    )  # fmt: skip
    act_no = forms.CharField(
        label="办理单号",
        required=False,
        max_length=30,
        help_text="更正、删除、限制的，先用办理单办完再填；只是说明的不填。",
    )


@admin.register(RightsRequest)
class RightsRequestAdmin(ReadOnlyAdmin):
    """The list by due day; one request with its record, opened under the request's number."""

    list_display = ["number_", "kind", "state", "item", "at", "due_"]
    list_filter = ["state", "kind"]
    list_select_related = ["item", "organisation"]
    list_per_page = 50

    @admin.display(description="请求编号", ordering="pk")
    def number_(self, request: RightsRequest) -> str:
        return request.number

    @admin.display(description="届满日", ordering="due_on")
    def due_(self, request: Any) -> str:
        return f"{request.due_on:%Y-%m-%d}{'（超期）' if request.is_overdue else ''}" if request.due_on else ""

    def get_queryset(self, request: HttpRequest) -> QuerySet[RightsRequest]:
        return RightsRequest.objects.visible_to(signed_in(request)).with_due_day()

    def get_ordering(self, request: HttpRequest) -> list[Any]:
        return [F("due_on").asc(nulls_last=True), "-pk"]  # what runs out first, then the latest

    def has_view_permission(self, request: HttpRequest, obj: RightsRequest | None = None) -> bool:
        return request.user.has_perm("records.ask_act") or request.user.has_perm("records.decide_act")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.step_view)
        return [path("<int:pk>/step/", view, name="records_rightsrequest_step"), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        return self._detail(request, self._one(request, object_id), StepForm())

    def step_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        made, form, deed = self._one(request, pk), StepForm(request.POST or None), request.POST.get("deed", "")
        if request.method != "POST" or deed not in Deed.values:
            return redirect("admin:records_rightsrequest_change", pk)
        if not form.is_valid():
            return self._detail(request, made, form)
        do_and_say(
            request, lambda: rights.step(made, Deed(deed), by=signed_in(request), **form.cleaned_data), DONE[Deed(deed)]
        )
        return redirect("admin:records_rightsrequest_change", pk)

    def _one(self, request: HttpRequest, pk: str | int) -> RightsRequest:
        if not self.has_view_permission(request):
            raise PermissionDenied("您没有办理权利请求的职责。")
        found = RightsRequest.objects.visible_to(signed_in(request)).select_related("item", "organisation")
        if not str(pk).isdecimal() or (made := found.filter(pk=pk).first()) is None:
            raise Http404
        return made

    def _detail(self, request: HttpRequest, made: RightsRequest, form: StepForm) -> HttpResponse:
        user, shows = signed_in(request), request.GET.get("record") == "1" and not made.is_over
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": f"权利请求 {made.number}", "made": made,
            "form": form, "shows": shows, "record": rights.record_of(made, by=asker(request, STAFF_SITE)) if shows else None,
            "steps": made.steps.select_related("by", "act"), "why_not_answer": rights.why_not(made, Deed.GRANTED, user),
            "why_not_confirm": rights.why_not(made, Deed.CONFIRMED, user),
            "clock": Deadline.objects.of(made).select_related("rule").order_by("-pk").first(),
        }  # fmt: skip
        status = 422 if form.errors else 200
        return render(request, "admin/records/rightsrequest/detail.html", context, status=status)
