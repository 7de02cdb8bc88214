"""The list of records as Django's admin does it by default: ModelAdmin, its search, filters and page numbers.

Addresses of its own, so that the benchmark's client can ask it like ours. Nobody is asked who they are, and it reads
as the owner of the tables: row-level security would show an ordinary admin nothing at all.
"""

from typing import Any

from django.contrib import admin
from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.urls import include, path

from records.models import Record


class OpenSite(AdminSite):
    """An admin for a benchmark: whoever asks is let in."""

    def has_permission(self, request: HttpRequest) -> bool:
        return True


class RecordOrdinary(admin.ModelAdmin):
    """The same columns as ours; relations fetched with the page, choices on every filter: a careful default."""

    list_display = ["id", "person_name", "item", "doc_no", "doc_date", "severity", "publication", "provider"]
    list_select_related = ["person", "item", "provider"]
    list_filter = ["state", "severity", "item"]
    list_per_page = 50
    search_fields = ["doc_no", "person__name"]
    actions = None

    @admin.display(description="姓名")
    def person_name(self, record: Record) -> str:
        return record.person.name

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    has_change_permission = has_view_permission


site = OpenSite(name="ordinary")
site.register(Record, RecordOrdinary)
urlpatterns = [path("ordinary/", site.urls), path("", include("accounts.urls"))]  # our frame of the admin links there
