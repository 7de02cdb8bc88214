"""The query log for the auditor: who asked what, when, on what ground; never what was in the file, nor who asked about themselves."""

from django.contrib import admin
from django.db.models import Case, QuerySet, When
from django.http import HttpRequest

from access.log_admin import LogAdmin, actor_shown
from access.models import Checkpoint, LogReading, Query, Verification
from accounts.admin import ReadOnlyAdmin


@admin.register(Query)
class QueryAdmin(LogAdmin):
    log = LogReading.Log.QUERY
    narrowed_by = ("kind", "decision", "at")
    list_display = [
        "seq",
        "at",
        "reader",
        "organisation_name",
        "kind",
        "purpose",
        "case_no",
        "consent_no",
        "decision",
        "refusal",
    ]
    list_filter = ["kind", "decision"]
    search_fields = ["official", "organisation_name", "case_no", "consent_no"]
    date_hierarchy = "at"
    fields = ["seq", "at", "reader", "organisation_name", "uscc", "roles", "channel", "kind", "ground", "purpose",
              "case_no", "duty_code", "request_no", "items", "fields_class", "decision", "refusal", "address",
              "correlation", "consent_no"]  # fmt: skip
    readonly_fields = ["reader"]

    @admin.display(description="查询人姓名")
    def reader(self, query: Query) -> str:
        return actor_shown(query.actor_name, is_official=query.organisation_id is not None)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Query]:
        """Give the lines with their officials' names to search by: citizens are not found by name."""
        return super().get_queryset(request).annotate(
            official=Case(When(organisation__isnull=False, then="actor_name"))
        )  # fmt: skip


@admin.register(Checkpoint)
class CheckpointAdmin(ReadOnlyAdmin):
    list_display = ["number", "at", "size", "key_id"]
    fields = ["number", "at", "size", "key_id", "signed_text"]
    date_hierarchy = "at"
    list_per_page = 50
    show_full_result_count = False

    @admin.display(description="签名文本")
    def signed_text(self, checkpoint: Checkpoint) -> str:
        return checkpoint.note.decode()


@admin.register(Verification)
class VerificationAdmin(ReadOnlyAdmin):
    list_display = ["at", "scope", "lines", "checkpoints", "first_bad", "found", "seconds"]
    list_filter = ["scope"]
    list_per_page = 50
    show_full_result_count = False


from access import change_log_admin, duty_admin, institution_admin, review_admin  # noqa: E402, F401 – further pages of the app
