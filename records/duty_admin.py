"""What departments owe and how they supplied: the credit office sees all, data officers their own."""

from datetime import date
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
from catalogue.models import Item
from records import duties
from records.forms import QuarterForm
from records.models import SupplyDuty
from records.situation import as_csv, quarter_text, quarters, situation, write_xlsx


class UnmetFilter(admin.SimpleListFilter):
    """Duties that were missed or met late."""

    title = "未报、迟报"
    parameter_name = "unmet"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("1", "只看未报、迟报")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[SupplyDuty]) -> QuerySet[SupplyDuty]:
        return queryset.unmet() if self.value() == "1" else queryset  # type: ignore[attr-defined]


@admin.register(SupplyDuty)
class SupplyDutyAdmin(ReadOnlyAdmin):
    """One line per closed period; the page of the quarter; nothing to report."""

    list_display = ["item", "supplier", "period_", "due_", "state_", "met_on"]
    list_filter = [UnmetFilter, "state", "frequency"]
    list_select_related = ["item", "supplier"]
    search_fields = ["item__code", "supplier__name"]
    list_per_page = 100

    @admin.display(description="期间", ordering="period")
    def period_(self, duty: SupplyDuty) -> str:
        return duty.period_text

    @admin.display(description="截止日", ordering="due_on")
    def due_(self, duty: SupplyDuty) -> str:
        return duty.due_text

    @admin.display(description="状态", ordering="state")
    def state_(self, duty: SupplyDuty) -> str:
        return duty.state_text

    def get_queryset(self, request: HttpRequest) -> QuerySet[SupplyDuty]:
        return SupplyDuty.objects.visible_to(signed_in(request)).select_related("item", "supplier", "batch")

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        own = [
            path("situation/", view(self.situation_view), name="records_supplyduty_situation"),
            path("declare/", view(self.declare_view), name="records_supplyduty_declare"),
        ]
        return own + super().get_urls()

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied("您没有查看报送情况的职责。")
        found = self.get_queryset(request).filter(pk=object_id).first() if object_id.isdecimal() else None
        if found is None:
            raise Http404
        context = {**self.admin_site.each_context(request), "opts": self.opts, "title": str(found), "duty": found,
                   "may_declare": self._may_declare(request, found)}  # fmt: skip
        return render(request, "admin/records/supplyduty/detail.html", context)

    def _may_declare(self, request: HttpRequest, duty: SupplyDuty) -> bool:
        user = signed_in(request)
        mine = user.has_perm("records.add_batch") and user.organisation_id == duty.supplier_id
        return mine and duty.state == SupplyDuty.State.MISSED

    def situation_view(self, request: HttpRequest) -> HttpResponse | FileResponse:
        """Show a quarter, or hand it over as a file."""
        if not self.has_view_permission(request):
            raise PermissionDenied("您没有查看报送情况的职责。")
        user, today = signed_in(request), timezone.localdate()
        form = QuarterForm(request.GET or None, choices=quarters(today))
        day = form.cleaned_data["quarter"] if form.is_bound and form.is_valid() else today
        lines = situation(day, by=user)
        if (kind := request.GET.get("as")) in ("csv", "xlsx"):
            return _file(lines, kind, day)
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": "部门报送情况", "lines": lines,
            "quarter": quarter_text(day), "quarter_value": f"{duties.period_of('Q', day)[0]}", "quarters": quarters(today),
            "open": duties.open_duties(user, today), "may_declare": user.has_perm("records.add_batch"), "form": form,
            "unmet": SupplyDuty.objects.visible_to(user).filter(state=SupplyDuty.State.MISSED).count(),
        }  # fmt: skip
        status = 422 if form.errors else 200
        return render(request, "admin/records/supplyduty/situation.html", context, status=status)

    def declare_view(self, request: HttpRequest) -> HttpResponse:
        """Take a declaration that nothing was decided."""
        if not self.has_view_permission(request):
            raise PermissionDenied("您没有零报的职责。")
        if request.method == "POST":
            item = Item.objects.filter(code=request.POST.get("item", "")).first()
            if item is None:
                raise Http404
            try:
                duties.declare_nothing(item, date.fromisoformat(request.POST.get("first", "")), by=signed_in(request))
            except ValueError:
                messages.error(request, "没有这个期间。请从本页的按钮办理。")
            except (PermissionDenied, ValidationError) as error:
                messages.error(request, sentence_of(error))
            else:
                messages.success(request, "已零报。以后报送了这个期间的文书，零报自动撤销。")
        return redirect("admin:records_supplyduty_situation")


def _file(lines: list[Any], kind: str, day: date) -> FileResponse:
    out, name = BytesIO(), quarter_text(day)
    if kind == "csv":
        out.write(as_csv(lines))
    else:
        write_xlsx(lines, out, name)
    out.seek(0)
    return FileResponse(out, as_attachment=True, filename=f"部门报送情况-{name}.{kind}")
