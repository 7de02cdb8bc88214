"""The query log for the auditor: who asked what, when, on what ground; never what was in the file."""

from django.contrib import admin

from access.models import Query
from accounts.admin import ReadOnlyAdmin


@admin.register(Query)
class QueryAdmin(ReadOnlyAdmin):
    list_display = [
        "seq",
        "at",
        "actor_name",
        "organisation_name",
        "kind",
        "purpose",
        "case_no",
        "consent_no",
        "decision",
        "refusal",
    ]
    list_filter = ["kind", "decision"]
    search_fields = ["actor_name", "organisation_name", "case_no", "consent_no"]
    date_hierarchy = "at"
    list_per_page = 50
    show_full_result_count = False


from access import institution_admin  # noqa: E402, F401 – further pages of the app
