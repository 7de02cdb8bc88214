"""谁能看到什么: the table by kind of query, and by catalogue item which field leaves to whom, for which purpose."""

from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models.expressions import RawSQL
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils import timezone

from access.models import ConsentPurpose, DutyItem
from accounts.admin import ReadOnlyAdmin
from accounts.models import Organisation
from catalogue.models import Field, ItemGrant, ItemVersion
from creditfujian.lib import masking
from records.forms import current_versions
from records.models import Visibility
from records.visibility import IDENTITY, SHOWN_APART, SIGHTS

_EXAMPLE = ("郑示例", "35990119900101001X")  # nobody's: area 359901 is not in use
_COLUMNS = (
    Field.Reader.SUBJECT, Field.Reader.PROVIDER, Field.Reader.DEPARTMENT, Field.Reader.THIRD_PARTY, Field.Reader.PUBLIC,
)  # fmt: skip


@dataclass(frozen=True)
class Line:
    """One field: its name, and what each kind of reader gets of it."""

    label: str
    code: str
    cells: list[str]


def lines_of(version: ItemVersion) -> list[Line]:
    """Return each field of an item with what each kind of reader gets of it, as the gateway does."""
    return [
        Line(field.label, field.code, [_cell(version, field, reader) for reader in _COLUMNS])
        for field in version.fields.all()
        if not field.must_be_empty
    ]


def _cell(version: ItemVersion, field: Field, reader: Field.Reader) -> str:
    if reader not in version.lets_in or (reader not in field.visible_to and field.binds not in SHOWN_APART):
        return "看不到"
    if field.binds in IDENTITY:
        return _identity(version, field.binds, reader)
    if field.binds == Field.Binding.PUBLIC_MARK:
        return "不显示，只用来判断"
    if field.mask == "HIDE" and reader is not Field.Reader.SUBJECT:
        return "只看到有这一项"
    return "看得到"


def _identity(version: ItemVersion, binds: str, reader: Field.Reader) -> str:
    profile = next(sight.profile for sight in SIGHTS.values() if sight.reader is reader)
    name, number = _EXAMPLE
    if binds == Field.Binding.PERSON_NAME:
        return f"如“{masking.name(name, profile)}”"
    whole = "；说明用途、再次验证后可以显示一次全号" if reader is Field.Reader.DEPARTMENT else ""
    return f"如“{masking.id_number(number, profile)}”{whole}"


@admin.register(Visibility)
class VisibilityAdmin(ReadOnlyAdmin):
    """The table, and a page for each item in force."""

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.item_view)
        return [path("item/<str:code>/", view, name="records_visibility_item"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        self._check(request)
        rows = [
            (row, [situation in row.situations for situation in Visibility.Situation.values])
            for row in Visibility.objects.all()
        ]
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": "谁能看到什么", "rows": rows,
            "situations": Visibility.Situation.labels, "versions": current_versions(),
        }  # fmt: skip
        return render(request, "admin/records/visibility/list.html", context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        return redirect("admin:records_visibility_changelist")

    def item_view(self, request: HttpRequest, code: str) -> HttpResponse:
        """Tell of one item who sees which field, and on what ground."""
        self._check(request)
        found = ItemVersion.objects.in_force(timezone.localdate()).select_related(
            "item", "disclosure_basis__instrument"
        )
        version = found.filter(item__code=code).first()
        if version is None:
            raise Http404
        item = version.item
        granted = ItemGrant.objects.in_force().filter(item=item, permission=ItemGrant.Permission.QUERY)
        duties = DutyItem.objects.in_force().filter(items=item).select_related("organisation")
        may_ask = RawSQL("SELECT code FROM access_consentpurpose WHERE %s = ANY (access_items_for(code))", [item.pk])
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": f"谁能看到：{version.name}",
            "version": version, "item": item, "lines": lines_of(version), "columns": [reader.label for reader in _COLUMNS],
            "units": Organisation.objects.filter(pk__in=granted.values("organisation")).order_by("name"),
            "duties": duties if version.is_shared else [], "is_public": Field.Reader.PUBLIC in version.lets_in,
            "purposes": ConsentPurpose.objects.filter(pk__in=may_ask),
            "back": reverse("admin:records_visibility_changelist"),
        }  # fmt: skip
        return render(request, "admin/records/visibility/item.html", context)

    def _check(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied("您没有查看可见范围的职责。")
