"""The log of changes for the auditor: who changed what. Citizens are not named, neither as who acted nor as what was changed."""

from typing import Any

from auditlog.admin import LogEntryAdmin as _PackagesAdmin
from auditlog.filters import CIDFilter, ResourceTypeFilter
from auditlog.models import LogEntry
from django.contrib import admin
from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Value, When
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from access.log_admin import LogAdmin, actor_shown
from access.models import LogReading
from accounts.models import User

_SHOWN_OF_CITIZENS = ("is_active", "kind")  # of a citizen's account; of the rest only that it changed
_ACCOUNT = Q(content_type__app_label="accounts", content_type__model="user")

admin.site.unregister(LogEntry)


@admin.register(LogEntry)
class ChangeLogAdmin(LogAdmin):
    log = LogReading.Log.CHANGES
    narrowed_by = ("action", "timestamp", CIDFilter.parameter_name, ResourceTypeFilter.parameter_name)
    list_display = ["timestamp", "resource", "action", "changed", "actor_", "cid"]
    list_filter = ["action", ResourceTypeFilter, CIDFilter]
    list_select_related = ["content_type", "actor"]
    search_fields = ["object_pk", "said", "official", "cid"]
    date_hierarchy = "timestamp"
    fields = ["timestamp", "actor_", "resource", "action", "changes_", "cid"]
    readonly_fields = ["resource", "changed", "actor_", "changes_"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[LogEntry]:
        """Give the lines, and whether they are about an account of no organisation; such are not found by name."""
        found: QuerySet[LogEntry] = super().get_queryset(request)
        of_an_organisation = User.objects.filter(pk=OuterRef("object_id"), organisation__isnull=False)
        return found.annotate(
            of_citizen=Case(When(_ACCOUNT & ~Exists(of_an_organisation), then=Value(True)), default=Value(False)),
            said=Case(When(of_citizen=False, then=F("object_repr"))),
            official=Case(When(actor__organisation__isnull=False, then=F("actor__name"))),
        )

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Give a line whose own title, which the page shows as well, names no citizen. It is never saved."""
        if (entry := super().get_object(request, object_id, from_field)) is not None:
            entry.object_repr = _about(entry)
        return entry

    @admin.display(description="变更人")
    def actor_(self, entry: LogEntry) -> str:
        if entry.actor is None:
            return "系统"
        return actor_shown(str(entry.actor), is_official=entry.actor.organisation_id is not None)

    @admin.display(description="变更对象")
    def resource(self, entry: Any) -> str:
        return f"{entry.content_type.name}：{_about(entry)}"

    @admin.display(description="变更字段")
    def changed(self, entry: LogEntry) -> str:
        return "、".join(entry.changes_dict)

    @admin.display(description="变更内容")
    def changes_(self, entry: Any) -> str | SafeString:
        if not entry.of_citizen:
            return _PackagesAdmin.msg(self, entry)  # type: ignore[arg-type]
        shown = {name: values for name, values in entry.changes_dict.items() if name in _SHOWN_OF_CITIZENS}
        kept = "、".join(name for name in entry.changes_dict if name not in shown)
        lines = format_html_join("", "<li>{}：{} → {}</li>", ((name, *values) for name, values in shown.items()))
        return format_html("<ul>{}<li>公民账户，不显示内容的字段：{}</li></ul>", lines, kept or "无")


def _about(entry: Any) -> str:
    return actor_shown(entry.object_repr, is_official=not entry.of_citizen)
