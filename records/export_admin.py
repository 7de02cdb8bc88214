"""Exports for officers: request, review, watch, fetch."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters

from access.web import STAFF_SITE, asker
from accounts.admin import ReadOnlyAdmin
from accounts.web import do_and_say, sentence_of, signed_in
from catalogue.models import Deadline
from records import exports
from records.export_forms import DecisionForm, ExportForm
from records.export_models import Export
from records.export_rules import review_above
from records.forms import current_versions
from records.named_forms import NamedExportForm
from records.reading import Refused


@admin.register(Export)
class ExportAdmin(ReadOnlyAdmin):
    """One's own exports, and for reviewers those of their organisation."""

    add_label = "申请导出"
    list_display = ["number_", "requested_by", "case_no", "state", "persons", "rows", "requested_at"]
    list_filter = ["state"]
    list_select_related = ["requested_by"]
    list_per_page = 50

    @admin.display(description="导出号", ordering="pk")
    def number_(self, export: Export) -> str:
        return export.number

    def get_queryset(self, request: HttpRequest) -> QuerySet[Export]:
        return Export.objects.visible_to(signed_in(request))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("records.add_export")

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        deeds = {
            "approve": self.approve_view, "refuse": self.refuse_view, "cancel": self.cancel_view,
            "resume": self.resume_view, "link": self.link_view, "download": self.download_view,
        }  # fmt: skip
        own = [path(f"<int:pk>/{deed}/", view(page), name=f"records_export_{deed}") for deed, page in deeds.items()]
        own.append(path("named/", view(self.named_view), name="records_export_named"))
        return own + super().get_urls()

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied("您没有导出信用记录的职责。")
        form = ExportForm(request.POST or None, user=signed_in(request))
        return self._ask(request, form, "admin/records/export/request.html", "申请导出")

    @method_decorator(sensitive_post_parameters("numbers", "file"))
    def named_view(self, request: HttpRequest) -> HttpResponse:
        """Ask about persons named by a list of numbers."""
        if not self.has_add_permission(request) or not request.user.has_perm("access.add_request"):
            raise PermissionDenied("您没有依职责查询信用记录的职责。")
        form = NamedExportForm(request.POST or None, request.FILES or None, user=signed_in(request))
        return self._ask(request, form, "admin/records/export/named.html", "按名单查询")

    def _ask(self, request: HttpRequest, form: ExportForm | NamedExportForm, template: str, title: str) -> HttpResponse:
        if request.method == "POST" and form.is_valid():
            outcome = exports.request(form.filters(), by=asker(request, STAFF_SITE))
            if not isinstance(outcome, Refused):
                return redirect("admin:records_export_change", outcome.pk)
            refused = {"reason": f"{outcome.reason}。本次尝试已记入查询日志。"}
            return render(request, "403.html", refused, status=403)
        may_name = request.user.has_perm("access.add_request")
        context = self._context(request, title=title, form=form, review_above=review_above(), may_name=may_name,
                                most=settings.EXPORT_NAMES)  # fmt: skip
        return render(request, template, context, status=422 if form.errors else 200)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        export, user = self._one(request, object_id), signed_in(request)
        context = self._context(
            request, title=f"导出 {export.number}", export=export, mine=export.requested_by_id == user.pk,
            items=current_versions().filter(item__in=export.item_ids), why_not_review=exports.why_not_review(export, user),
            decision=DecisionForm(), clock=Deadline.objects.of(export).select_related("rule").first(),
            downloads=export.downloads.select_related("by"),
        )  # fmt: skip
        return render(request, "admin/records/export/detail.html", context)

    def approve_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        reason = request.POST.get("reason", "")
        return self._do(
            request, pk, lambda: exports.approve(pk, by=signed_in(request), reason=reason), "已同意，正在导出。"
        )

    def refuse_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        reason = request.POST.get("reason", "")
        return self._do(request, pk, lambda: exports.refuse(pk, by=signed_in(request), reason=reason), "已答复不同意。")

    def cancel_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self._do(
            request, pk, lambda: exports.cancel(pk, by=signed_in(request)), "已取消。已经读取的部分仍在查询日志中。"
        )

    def resume_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self._do(request, pk, lambda: exports.resume(pk, by=signed_in(request)), "已继续。")

    def link_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self._do(request, pk, lambda: exports.open_link(pk, by=asker(request, STAFF_SITE)), "下载链接已可用。")

    def download_view(self, request: HttpRequest, pk: int) -> HttpResponse | FileResponse:
        export = self._one(request, pk)
        try:
            stream = exports.download(pk, by=asker(request, STAFF_SITE))
        except (PermissionDenied, ValidationError) as error:
            messages.error(request, sentence_of(error))
            return redirect("admin:records_export_change", pk)
        return FileResponse(stream, as_attachment=True, filename=f"导出-{export.number}.{export.format}")

    def _one(self, request: HttpRequest, pk: str | int) -> Export:
        mine = Export.objects.visible_to(signed_in(request)).select_related(
            "requested_by", "reviewed_by", "organisation", "file", "provider"
        )
        if not str(pk).isdecimal() or (export := mine.filter(pk=pk).first()) is None:
            raise Http404
        return export

    def _do(self, request: HttpRequest, pk: int, deed: Callable[[], object], done: str) -> HttpResponse:
        self._one(request, pk)
        if request.method != "POST":
            return redirect("admin:records_export_change", pk)
        do_and_say(request, deed, done)
        return redirect("admin:records_export_change", pk)

    def _context(self, request: HttpRequest, **more: Any) -> dict[str, Any]:
        return {**self.admin_site.each_context(request), "opts": self.opts, **more}
