"""The page on which an officer says what a file's columns are, and the mappings that an office has saved."""

from typing import Any

from auditlog.models import LogEntry
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Count, Prefetch, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from accounts.admin import ReadOnlyAdmin
from accounts.web import do_and_say, signed_in
from catalogue.models import ItemVersion
from records import mappings
from records.intake.base import FileRefused
from records.mapping_forms import MappingForm, NameForm, PlaceForm
from records.models import Batch, ColumnMapping


@sensitive_variables("seen", "form", "context")
def answer(request: HttpRequest, batch: Batch, context: dict[str, Any]) -> HttpResponse:
    """Show a waiting batch's columns, or take what an officer says of them. Raises PermissionDenied."""
    user = signed_in(request)
    if batch.state != Batch.State.MAPPING:
        return redirect("admin:records_batch_change", batch.pk)
    if reason := mappings.why_not_map(batch, user):
        raise PermissionDenied(reason)
    try:
        seen = mappings.look(batch, PlaceForm(request.POST or request.GET).place())
    except FileRefused as refused:
        messages.error(request, refused.message)
        return redirect("admin:records_batch_change", batch.pk)
    form = MappingForm(request.POST or None, look=seen, initial={"name": _default_name(seen)})
    if request.method == "POST" and not seen.why_not and form.is_valid():
        try:
            mappings.save(batch.pk, seen.place, form.codes(), name=form.cleaned_data["name"], by=user)
        except (ValidationError, FileRefused) as error:
            form.add_error(None, error.message if isinstance(error, FileRefused) else error)
        else:
            messages.success(request, "已保存，正在按此读取。以后同样表头的文件不再询问。")
            return redirect("admin:records_batch_change", batch.pk)
    item = batch.item.version_on(timezone.localdate())
    title = f"对应列 · 批次 {batch.number}"
    page = {**context, "title": title, "batch": batch, "look": seen, "form": form, "item": item}
    return render(request, "admin/records/batch/mapping.html", page, status=422 if form.errors else 200)


def _default_name(seen: mappings.Look) -> str:
    return seen.before.name if seen.before else f"{timezone.localdate():%Y年%-m月}的表头（{len(seen.columns)} 列）"


class RetiredFilter(admin.SimpleListFilter):
    """Mappings that read new files, or those that no longer do."""

    title = "状态"
    parameter_name = "retired"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("0", "使用中"), ("1", "已停用")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ColumnMapping]) -> QuerySet[ColumnMapping]:
        return queryset.filter(retired_at__isnull=self.value() == "0") if self.value() in ("0", "1") else queryset


@admin.register(ColumnMapping)
class ColumnMappingAdmin(ReadOnlyAdmin):
    """What the office has said of its sheets: to read, rename and retire. Another saying is made on a batch's page."""

    list_display = ["name", "item", "state_", "used_", "saved_by", "saved_at"]
    list_filter = [RetiredFilter]
    list_select_related = ["item", "saved_by", "item_version"]
    list_per_page = 50

    @admin.display(description="状态")
    def state_(self, mapping: ColumnMapping) -> str:
        return state_of(mapping)

    @admin.display(description="读取过的批次", ordering="used")
    def used_(self, mapping: Any) -> int:
        return int(mapping.used)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ColumnMapping]:
        mine = ColumnMapping.objects.visible_to(signed_in(request))
        in_force = ItemVersion.objects.in_force(timezone.localdate()).prefetch_related("fields")
        today = Prefetch("item__versions", queryset=in_force, to_attr="in_force_today")
        return mine.annotate(used=Count("batches")).prefetch_related("item_version__fields", today)

    def has_view_permission(self, request: HttpRequest, obj: ColumnMapping | None = None) -> bool:
        return request.user.has_perm("records.view_batch")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        own = [
            path("<int:pk>/rename/", view(self.rename_view), name="records_columnmapping_rename"),
            path("<int:pk>/retire/", view(self.retire_view), name="records_columnmapping_retire"),
        ]
        return own + super().get_urls()

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        mapping = self._mapping(request, object_id)
        return self._page(request, mapping, NameForm(initial={"name": mapping.name}))

    def _page(self, request: HttpRequest, mapping: ColumnMapping, form: NameForm) -> HttpResponse:
        changed = mapping.changed_since(_fields_today(mapping))
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": f"列对应“{mapping.name}”", "mapping": mapping,
            "state": state_of(mapping), "changed": changed, "form": form,
            "batches": mapping.batches.visible_to(signed_in(request))[:20],
            "history": LogEntry.objects.get_for_object(mapping).select_related("actor").order_by("timestamp"),
            "may_change": request.user.has_perm("records.add_batch"),
        }  # fmt: skip
        return render(request, "admin/records/columnmapping/detail.html", context, status=422 if form.errors else 200)

    def rename_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        mapping, form = self._mapping(request, pk), NameForm(request.POST or None)
        if request.method == "POST" and not form.is_valid():
            return self._page(request, mapping, form)
        if request.method == "POST":
            name = form.cleaned_data["name"]
            do_and_say(request, lambda: mappings.rename(pk, name=name, by=signed_in(request)), "已改名。")
        return redirect("admin:records_columnmapping_change", pk)

    def retire_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        self._mapping(request, pk)
        if request.method == "POST":
            done = "已停用。已读取的批次不受影响；以后同样表头的文件会再次询问。"
            do_and_say(request, lambda: mappings.retire(pk, by=signed_in(request)), done)
        return redirect("admin:records_columnmapping_change", pk)

    def _mapping(self, request: HttpRequest, pk: str | int) -> ColumnMapping:
        mine = self.get_queryset(request).select_related("item", "item_version", "saved_by", "retired_by", "supplier")
        if not str(pk).isdecimal() or (mapping := mine.filter(pk=pk).first()) is None:
            raise Http404
        return mapping


def _fields_today(mapping: Any) -> list[Any]:
    """Return the fields of the item's version in force, fetched with the mapping."""
    return [field for version in mapping.item.in_force_today[:1] for field in version.fields.all()]


def state_of(mapping: ColumnMapping) -> str:
    """Return in words whether a mapping applies today."""
    if mapping.retired_at is not None:
        return "已停用"
    return "需重新确认" if mapping.changed_since(_fields_today(mapping)) else "有效"
