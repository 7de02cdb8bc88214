"""The query log for the auditor: who asked what, when, on what ground; never what was in the file."""

from django.contrib import admin

from access.models import Checkpoint, Query, Verification
from accounts.admin import ReadOnlyAdmin


@admin.register(Query)
class QueryAdmin(ReadOnlyAdmin):
    list_display = ["seq", "at", "actor_name", "organisation_name", "kind", "purpose", "case_no", "decision", "refusal"]
    list_filter = ["kind", "decision"]
    search_fields = ["actor_name", "organisation_name", "case_no"]
    date_hierarchy = "at"
    list_per_page = 50
    show_full_result_count = False


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


from access import institution_admin  # noqa: E402, F401 – further pages of the app
