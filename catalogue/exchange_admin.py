"""Export of items, import of proposals: own pages beside the lists."""

from io import BytesIO
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone

from accounts.admin import ReadOnlyAdmin
from accounts.web import sentence_of, signed_in
from catalogue import exchange_actions as actions
from catalogue.cells import BY_NAME
from catalogue.exchange import to_export
from catalogue.exchange_files import as_csv, as_xlsx, field_text, write_correction
from catalogue.exchange_forms import ExportForm, ImportForm
from catalogue.models import ItemImport

SHOWN_ROWS = 200


class ExportView(admin.ModelAdmin):
    """Adds the export to the list of items."""

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.export_view)
        return [path("export/", view, name="catalogue_item_export"), *super().get_urls()]

    def export_view(self, request: HttpRequest) -> HttpResponse | FileResponse:
        """Ask which items, then hand the file over."""
        if not self.has_view_permission(request):
            raise PermissionDenied("您没有查看目录条目的职责。")
        asked = "which" in request.GET
        form = ExportForm(request.GET if asked else None, initial={"which": "own", "format": "xlsx"})
        if asked and form.is_valid():
            versions = list(to_export(signed_in(request), form.cleaned_data["which"]))
            if versions:
                return _file(versions, form.cleaned_data["format"], request)
            form.add_error("which", "这个范围里现在没有条目。请换一个范围。")
        context = {**self.admin_site.each_context(request), "opts": self.opts, "title": "导出条目", "form": form}
        return render(request, "admin/catalogue/item/export.html", context, status=422 if form.errors else 200)


def _file(versions: list[Any], kind: str, request: HttpRequest) -> FileResponse:
    out = BytesIO()
    if kind == "csv":
        out.write(as_csv(versions, by=signed_in(request)))
    else:
        as_xlsx(versions, out, by=signed_in(request))
    out.seek(0)
    return FileResponse(out, as_attachment=True, filename=f"目录条目-{timezone.localdate():%Y%m%d}.{kind}")


@admin.register(ItemImport)
class ItemImportAdmin(ReadOnlyAdmin):
    """Upload, look at what would change, confirm; rows that cannot be come back in a workbook."""

    add_label = "导入修订"
    list_display = ["name", "uploaded_at", "confirmed_at", "drafts", "refused"]
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet[ItemImport]:
        return ItemImport.objects.visible_to(signed_in(request)).defer("content")

    def has_view_permission(self, request: HttpRequest, obj: ItemImport | None = None) -> bool:
        return request.user.has_perm("catalogue.propose_item")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("catalogue.propose_item")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    @admin.display(description="草案")
    def drafts(self, sheet: ItemImport) -> int:
        return sheet.count("new") + sheet.count("changed")

    @admin.display(description="退回")
    def refused(self, sheet: ItemImport) -> int:
        return sheet.count("refused")

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        own = [
            path("<int:pk>/confirm/", view(self.confirm_view), name="catalogue_itemimport_confirm"),
            path("<int:pk>/correction/", view(self.correction_view), name="catalogue_itemimport_correction"),
        ]
        return own + super().get_urls()

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied("您没有提出目录条目修订的职责。")
        form = ImportForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            upload = form.cleaned_data["file"]
            try:
                sheet = actions.take_file(upload.read(), name=upload.name, by=signed_in(request))
            except ValidationError as error:
                form.add_error("file", error.messages)
            else:
                return redirect("admin:catalogue_itemimport_change", sheet.pk)
        context = {**self.admin_site.each_context(request), "opts": self.opts, "title": "导入修订", "form": form}
        return render(request, "admin/catalogue/itemimport/upload.html", context, status=422 if form.errors else 200)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        sheet = self._one(request, object_id)
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": f"导入 {sheet.name}", "sheet": sheet,
            "counts": {kind: sheet.count(kind) for kind in ("new", "changed", "unchanged", "refused")},
            "groups": _groups(sheet),
        }  # fmt: skip
        return render(request, "admin/catalogue/itemimport/detail.html", context)

    def confirm_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        sheet = self._one(request, pk)
        if request.method == "POST":
            try:
                done = actions.confirm_import(sheet, by=signed_in(request))
            except (PermissionDenied, ValidationError) as error:
                messages.error(request, sentence_of(error))
            else:
                made = done.count("new") + done.count("changed")
                messages.success(request, f"已写成 {made} 份草案，在条目版本里可以继续修改、提交。")
        return redirect("admin:catalogue_itemimport_change", pk)

    def correction_view(self, request: HttpRequest, pk: int) -> FileResponse:
        sheet = self._one(request, pk)
        if not sheet.count("refused"):
            raise Http404
        out = BytesIO()
        write_correction(bytes(sheet.content), sheet.outcome, out)
        out.seek(0)
        return FileResponse(out, as_attachment=True, filename=f"更正件-条目-{sheet.pk}.xlsx")

    def _one(self, request: HttpRequest, pk: str | int) -> ItemImport:
        if not self.has_view_permission(request):
            raise PermissionDenied("您没有提出目录条目修订的职责。")
        found = self.get_queryset(request).filter(pk=pk).first() if str(pk).isdecimal() else None
        if found is None:
            raise Http404
        return found


def _groups(sheet: ItemImport) -> list[dict[str, Any]]:
    """Return the rows by what becomes of them, those to look at first."""
    done = sheet.confirmed_at is not None
    titles = {
        "refused": "退回的行" if done else "会退回的行",
        "changed": "改写的草案" if done else "会改写的草案",
        "new": "新写的草案" if done else "会新写的草案",
        "unchanged": "没有变化的行",
    }
    groups = []
    for kind, title in titles.items():
        rows = [row for row in sheet.outcome if row["kind"] == kind]
        shown = [row | {"told": [_told(one) for one in row["problems"]]} for row in rows[:SHOWN_ROWS]]
        groups.append({"kind": kind, "title": title, "rows": shown, "count": len(rows), "more": len(rows) - len(shown)})
    return groups


def _told(problem: dict[str, Any]) -> str:
    column = BY_NAME.get(problem["column"])
    in_a_field = problem["field_row"] is not None
    return field_text(problem) if in_a_field or column is None else f"“{column.title}”：{problem['message']}"
