"""Batches and registered readings, for officers."""

from io import BytesIO
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters

from access.models import Reach, Request
from access.rules import bounds_of
from access.web import STAFF_SITE, asker
from accounts.admin import ReadOnlyAdmin
from accounts.web import do_and_say, signed_in
from records import actions, entry, glass_admin, mapping_admin, mappings, preview
from records.entry_admin import EntryPages
from records.forms import RegisterForm, UploadForm, WithdrawForm
from records.intake.reasons import explained
from records.models import Batch
from records.person_models import PersonCase
from records.reading import Refused, file_by_request, register
from records.returned_admin import AfterThePreview, HeldFilter, OpenRowsFilter, fetch_correction


@admin.register(Batch)
class BatchAdmin(EntryPages, AfterThePreview, ReadOnlyAdmin):
    """Upload, type, preview, commit, correct, withdraw. Everyone else sees counts."""

    add_label = "上传数据"
    list_display = [
        "number_",
        "item",
        "supplier",
        "state",
        "rows",
        "new",
        "changed",
        "unchanged",
        "refused",
        "open_rows",
        "received_at",
    ]
    list_filter = ["state", OpenRowsFilter, HeldFilter, ("item", admin.RelatedOnlyFieldListFilter)]
    list_select_related = ["item", "supplier"]
    date_hierarchy = "received_at"
    list_per_page = 50

    @admin.display(description="批次号", ordering="pk")
    def number_(self, batch: Batch) -> str:
        return batch.number

    def get_queryset(self, request: HttpRequest) -> QuerySet[Batch]:
        return Batch.objects.visible_to(signed_in(request))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("records.add_batch")

    def has_view_permission(self, request: HttpRequest, obj: Batch | None = None) -> bool:
        return request.user.has_perm("records.view_batch") or request.user.has_perm("records.view_batch_counts")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        own = [
            path("reasons/", view(self.reasons_view), name="records_batch_reasons"),
            path("<int:pk>/commit/", view(self.commit_view), name="records_batch_commit"),
            path("<int:pk>/withdraw/", view(self.withdraw_view), name="records_batch_withdraw"),
            path("<int:pk>/cancel/", view(self.cancel_view), name="records_batch_cancel"),
            path("<int:pk>/resume/", view(self.resume_view), name="records_batch_resume"),
            path("<int:pk>/mapping/", view(self.mapping_view), name="records_batch_mapping"),
            path("<int:pk>/correction/", view(self.correction_view), name="records_batch_correction"),
        ]
        return own + self.entry_urls() + super().get_urls()

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied("您没有报送数据的职责。")
        form = UploadForm(request.POST or None, request.FILES or None, user=signed_in(request))
        if request.method == "POST" and form.is_valid():
            return self._receive(request, form)
        context = {**self.admin_site.each_context(request), "opts": self.opts, "title": "上传数据", "form": form}
        return render(request, "admin/records/batch/upload.html", context, status=422 if form.errors else 200)

    def reasons_view(self, request: HttpRequest) -> HttpResponse:
        """Explain every code on one page."""
        if not self.has_view_permission(request):
            raise PermissionDenied("您没有查看报送批次的职责。")
        context = {**self.admin_site.each_context(request), "opts": self.opts, "title": "退回原因代码"}
        return render(request, "admin/records/batch/reasons.html", {**context, "kinds": list(explained())})

    def _receive(self, request: HttpRequest, form: UploadForm) -> HttpResponse:
        data = form.cleaned_data
        with transaction.atomic():
            batch, new = actions.receive(
                data["file"].file, name=data["file"].name, item=data["item"].item, by=signed_in(request),
                channel=Batch.Channel.PAGE, mode=data["mode"],
            )  # fmt: skip
            if new:
                actions.start_checking(batch)
        if not new:
            messages.info(request, f"这个文件此前已报送，批次 {batch.number}，没有重复处理。以下是当时的结果。")
        return redirect("admin:records_batch_change", batch.pk)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        return self._detail(request, self._batch(request, object_id), WithdrawForm())

    def _detail(self, request: HttpRequest, batch: Batch, form: WithdrawForm, status: int = 200) -> HttpResponse:
        user = signed_in(request)
        rows = preview.may_see_rows(batch, user)
        reason = actions.may_commit(batch, user)
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": f"批次 {batch.number}",
            "batch": batch, "sees_rows": rows, "form": form, "item": batch.item.version_on(timezone.localdate(batch.received_at)),
            "reasons": preview.reasons(batch, with_examples=rows),
            "hints": preview.hints(batch) if rows else [],
            "name_cases": PersonCase.objects.filter(sources__batch=batch).order_by("pk")[:100] if rows else [],
            "differences": self._differences(request, batch) if rows else None,
            "typed": entry.shown(batch) if rows else [], "may_take_back": entry.may_take_back(batch, user),
            "may_commit": not reason, "why_not_commit": reason,
            "may_withdraw": rows and batch.state == Batch.State.COMMITTED and user.has_perm("records.withdraw_batch"),
            "may_cancel": rows and user.has_perm("records.add_batch")
            and batch.state in (Batch.State.PARSING, Batch.State.RECEIVED, Batch.State.MAPPING, Batch.State.CHECKED,
                                Batch.State.FAILED),
            "may_map": not mappings.why_not_map(batch, user),
            "may_resume": rows and user.has_perm("records.add_batch") and batch.state == Batch.State.FAILED,
            **self.after_the_preview(request, batch, sees_rows=rows),
        }  # fmt: skip
        return render(request, "admin/records/batch/detail.html", context, status=status)

    def _differences(self, request: HttpRequest, batch: Batch) -> list[preview.Difference] | None:
        """Read samples of changes only when asked to: each one is a line that the person sees."""
        if request.GET.get("differences") != "1" or batch.state != Batch.State.CHECKED:
            return None
        return preview.differences(batch, by=asker(request, STAFF_SITE))

    def _batch(self, request: HttpRequest, pk: str | int) -> Batch:
        batches = Batch.objects.visible_to(signed_in(request))
        related = batches.select_related("item", "supplier", "file", "uploaded_by", "committed_by",
                                         "mapping__item_version", "mapping__saved_by")  # fmt: skip
        if not str(pk).isdecimal() or (batch := related.filter(pk=pk).first()) is None:
            raise Http404
        return batch

    def _do(self, request: HttpRequest, pk: int, deed: Any, done: str) -> HttpResponse:
        if request.method != "POST":
            return redirect("admin:records_batch_change", pk)
        batch = self._batch(request, pk)
        do_and_say(request, lambda: deed(batch.pk), done)
        return redirect("admin:records_batch_change", pk)

    def commit_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self._do(request, pk, lambda b: actions.request_commit(b, by=signed_in(request)), "已提交，正在入库。")

    def cancel_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self._do(request, pk, lambda b: actions.cancel(b, by=signed_in(request)), "已取消，没有任何数据入库。")

    def resume_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self._do(request, pk, lambda b: actions.resume(b, by=signed_in(request)), "已继续处理。")

    def withdraw_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        form = WithdrawForm(request.POST or None)
        if request.method == "POST" and not form.is_valid():
            return self._detail(request, self._batch(request, pk), form, status=422)
        reason = form.cleaned_data["reason"] if form.is_bound else ""
        return self._do(request, pk, lambda b: self._withdraw(request, b, reason), "")

    def _withdraw(self, request: HttpRequest, pk: int, reason: str) -> None:
        if actions.withdraw(pk, by=signed_in(request), reason=reason) is None:
            messages.warning(request, "撤回涉及的记录较多，须由本单位另一名工作人员同意。已提请复核，批次尚未撤回。")
        else:
            messages.success(request, "批次已撤回，入库前的内容已恢复。")

    def mapping_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        context = {**self.admin_site.each_context(request), "opts": self.opts}
        return mapping_admin.answer(request, self._batch(request, pk), context)

    def correction_view(self, request: HttpRequest, pk: int) -> HttpResponse | FileResponse:
        batch = self._batch(request, pk)
        if not preview.may_see_rows(batch, signed_in(request)):
            raise PermissionDenied("只有报送单位可以下载更正件。")
        out = BytesIO()
        if not fetch_correction(batch, out, request):
            return redirect("admin:records_batch_change", pk)
        out.seek(0)
        return FileResponse(out, as_attachment=True, filename=f"更正件-{batch.number}.xlsx")


@admin.register(Request)
class RequestAdmin(ReadOnlyAdmin):
    """Register first, then read: each opening of the file is a line that the person sees."""

    add_label = "登记查询"
    list_display = ["created_at", "reach", "purpose", "case_no", "duty_code", "expires_at", "open_link"]
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet[Request]:
        return Request.objects.visible_to(signed_in(request))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("access.add_request")

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        own = [
            path("<int:pk>/file/", view(self.file_view), name="access_request_file"),
            path("<int:pk>/number/", view(self.number_view), name="access_request_number"),
        ]
        return own + super().get_urls()

    @admin.display(description="有效", boolean=True)
    def open_link(self, request: Request) -> bool:
        return request.is_open

    @method_decorator(sensitive_post_parameters("name", "id_number"))
    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied("您没有查询信用记录的职责。")
        form = RegisterForm(request.POST or None, user=signed_in(request))
        context = {**self.admin_site.each_context(request), "opts": self.opts, "title": "查询登记", "form": form}
        if request.method == "POST" and form.is_valid():
            outcome = register(form.registration(), by=asker(request, STAFF_SITE))
            if isinstance(outcome, Request):
                return redirect("admin:access_request_file", outcome.pk)
            if isinstance(outcome, Refused):
                return render(
                    request, "403.html", {"reason": f"{outcome.reason}。本次尝试已记入查询日志。"}, status=403
                )
            form.add_error("name", "没有与该姓名和证件号码都一致的档案。请核对；本次查询已记入日志。")
        return render(request, "admin/access/register.html", context, status=422 if form.errors else 200)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        return redirect("admin:access_request_file", object_id)

    def file_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        registered = Request.objects.visible_to(signed_in(request)).filter(pk=pk).first()
        if registered is None:
            raise Http404
        if registered.reach != Reach.PERSON:
            return redirect(f"{reverse('admin:records_record_changelist')}?r={registered.pk}")
        file = file_by_request(registered, by=asker(request, STAFF_SITE))
        if isinstance(file, Refused):
            again = f"{file.reason}。本次尝试已记入查询日志。"
            return render(
                request, "403.html", {"reason": again, "back": reverse("admin:access_request_add")}, status=403
            )
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": "信用档案（部门视图）",
            "file": file, "registered": registered, "bounds": bounds_of(registered),
        }  # fmt: skip
        return render(request, "admin/access/file.html", context)

    def number_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        return glass_admin.number_view(request, pk, {**self.admin_site.each_context(request), "opts": self.opts})


from records import (  # noqa: E402, F401
    act_admin,
    agent_admin,
    duty_admin,
    export_admin,
    hold_admin,
    letter_admin,
    list_admin,
    paper_admin,
    person_admin,
    report_admin,
    rights_admin,
    visibility_admin,
    volume_admin,
)
