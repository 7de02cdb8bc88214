"""The report at the counter: one officer checks the card, another confirms, every print is counted."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters

from access.web import STAFF_SITE, asker
from accounts.admin import ProofForm, ReadOnlyAdmin
from accounts.web import do_and_say, signed_in
from records import report_pdf, reports
from records.report_models import CounterRequest, Report


class ConfirmForm(forms.Form):
    """What the second officer vouches for."""

    document_seen = forms.BooleanField(label="已当面核对居民身份证原件，持证人就是本人，由本人要求出具")


class ReasonForm(forms.Form):
    """Why a request goes back."""

    reason = forms.CharField(label="退回理由", max_length=200)


class PrintForm(forms.Form):
    """Why a report is printed again."""

    reason = forms.CharField(
        label="重印理由", max_length=200, required=False, help_text="第一份不用填；重印必须写明，当事人看得到。"
    )


@admin.register(CounterRequest)
class CounterRequestAdmin(ReadOnlyAdmin):
    """Nobody at the counter sees a file: the report goes to the printer and to its person. Nor whose request it is, but to check."""

    add_label = "窗口出具报告"
    list_display = ["__str__", "asked_at", "asked_by", "state", "decided_by", "report_number"]
    list_filter = ["state"]
    list_select_related = ["asked_by", "decided_by", "report"]
    list_per_page = 50

    @admin.display(description="报告编号")
    def report_number(self, request: CounterRequest) -> str:
        return request.report.number if hasattr(request, "report") else "—"

    def get_queryset(self, request: HttpRequest) -> QuerySet[CounterRequest]:
        return CounterRequest.objects.visible_to(signed_in(request))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("records.add_counterrequest")

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        own = [
            path("<int:pk>/confirm/", view(self.confirm_view), name="records_counterrequest_confirm"),
            path("<int:pk>/refuse/", view(self.refuse_view), name="records_counterrequest_refuse"),
            path("<int:pk>/print/", view(self.print_view), name="records_counterrequest_print"),
        ]
        return own + super().get_urls()

    @method_decorator(sensitive_post_parameters("name", "id_number"))
    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied("您没有窗口出具报告的职责。")
        form = ProofForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            data = form.cleaned_data
            try:
                asked = reports.ask_at_counter(
                    id_number=data["id_number"], name=data["name"], by=asker(request, STAFF_SITE)
                )
            except ValidationError as error:
                form.add_error("id_number", error)
            else:
                if asked is not None:
                    return redirect("admin:records_counterrequest_change", asked.pk)
                form.add_error("name", "姓名与证件号码不符，没有出具报告；本次尝试已记入查询日志。请核对证件。")
        context = self._context(request, title="窗口出具报告", form=form)
        template = "admin/records/counterrequest/ask.html"
        return render(request, template, context, status=422 if form.errors else 200)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        return self._detail(request, self._one(request, object_id))

    def confirm_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        asked, form = self._one(request, pk), ConfirmForm(request.POST or None)
        if request.method != "POST":
            return redirect("admin:records_counterrequest_change", pk)
        if not form.is_valid() and not reports.why_not_confirm(asked, signed_in(request)):
            return self._detail(request, asked, confirm=form, status=422)
        return self._do(
            request, pk, lambda: reports.confirm_at_counter(pk, by=asker(request, STAFF_SITE)), "已出具，请打印。"
        )

    def refuse_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        asked, form = self._one(request, pk), ReasonForm(request.POST or None)
        if request.method != "POST":
            return redirect("admin:records_counterrequest_change", pk)
        if not form.is_valid():
            return self._detail(request, asked, refuse=form, status=422)
        reason = form.cleaned_data["reason"]
        return self._do(
            request, pk, lambda: reports.refuse_at_counter(pk, by=signed_in(request), reason=reason), "已退回。"
        )

    def print_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        report, form = Report.objects.filter(counter_request=self._one(request, pk)).first(), PrintForm(request.POST)
        if request.method != "POST" or report is None or not form.is_valid():
            return redirect("admin:records_counterrequest_change", pk)
        try:
            pdf = reports.print_copy(report.pk, by=asker(request, STAFF_SITE), reason=form.cleaned_data["reason"])
        except ValidationError as error:
            form.add_error("reason", error)
            return self._detail(request, self._one(request, pk), again=form, status=422)
        if pdf is None:
            raise Http404
        answer = HttpResponse(pdf, content_type="application/pdf")
        answer["Content-Disposition"] = f'inline; filename="{report.number}.pdf"'
        return answer

    def _one(self, request: HttpRequest, pk: str | int) -> CounterRequest:
        mine = CounterRequest.objects.visible_to(signed_in(request)).select_related("asked_by", "decided_by", "report")
        if not str(pk).isdecimal() or (found := mine.filter(pk=pk).first()) is None:
            raise Http404
        return found

    def _do(self, request: HttpRequest, pk: int, deed: Any, done: str) -> HttpResponse:
        try:
            do_and_say(request, deed, done)
        except report_pdf.NoFonts:
            messages.error(request, "生成报告用的字库没有装好，没有出具报告。请联系平台运维。")
        return redirect("admin:records_counterrequest_change", pk)

    def _detail(
        self, request: HttpRequest, asked: CounterRequest, status: int = 200, **forms_: forms.Form
    ) -> HttpResponse:
        report = getattr(asked, "report", None)
        why_not = reports.why_not_confirm(asked, signed_in(request))
        whose = "" if why_not else reports.whose_at_counter(asked, by=asker(request, STAFF_SITE))
        context = self._context(
            request, title=f"窗口出具报告：{asked}", asked=asked, whose=whose, report=report,
            prints=report.prints.select_related("by") if report else [], kept=getattr(report, "kept", None),
            why_not=why_not,
            confirm=forms_.get("confirm") or ConfirmForm(), refuse=forms_.get("refuse") or ReasonForm(),
            again=forms_.get("again") or PrintForm(),
        )  # fmt: skip
        return render(request, "admin/records/counterrequest/detail.html", context, status=status)

    def _context(self, request: HttpRequest, **more: Any) -> dict[str, Any]:
        return {**self.admin_site.each_context(request), "opts": self.opts, **more}
