"""The query log for the auditor: who asked what, when, on what ground; never what was in the file.

A reason first; then every page and every line that is shown leaves a line of its own, which the person can see.
"""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from access.models import Checkpoint, Query, Verification
from access.review_forms import LogReasonForm
from access.reviews import note_reading
from accounts.admin import ReadOnlyAdmin
from accounts.web import signed_in

_REASON = "query_log_reason"  # in the session: the reason, and until when it holds


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

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.reason_view)
        return [path("reason/", view, name="access_query_reason"), *super().get_urls()]

    def reason_view(self, request: HttpRequest) -> HttpResponse:
        """Ask why the log is opened; the reason holds for as long as a registration."""
        if not self.has_view_permission(request):
            raise PermissionDenied("您没有查看查询日志的职责。")
        form = LogReasonForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            until = timezone.now() + timedelta(minutes=settings.READING_MINUTES)
            request.session[_REASON] = [form.cleaned_data["reason"], until.isoformat()]
            return redirect("admin:access_query_changelist")
        context = {**self.admin_site.each_context(request), "opts": self.opts, "title": "查看查询日志", "form": form,
                   "minutes": settings.READING_MINUTES}  # fmt: skip
        return render(request, "admin/access/query/reason.html", context, status=422 if form.errors else 200)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if self.has_view_permission(request) and not (reason := _reason(request)):
            return redirect("admin:access_query_reason")
        answer = super().changelist_view(request, extra_context)
        shown = getattr(answer, "context_data", {}).get("cl")
        if shown is not None:
            seqs = [query.seq for query in shown.result_list]
            note_reading(seqs, reason=reason, terms=request.GET.urlencode(), by=signed_in(request))
        return answer

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        if self.has_view_permission(request) and not (reason := _reason(request)):
            return redirect("admin:access_query_reason")
        answer = super().change_view(request, object_id, form_url, extra_context)
        if (shown := getattr(answer, "context_data", {}).get("original")) is not None:
            note_reading([shown.seq], reason=reason, terms="打开一行", by=signed_in(request))
        return answer


def _reason(request: HttpRequest) -> str:
    """Return the reason given for opening the log, or an empty string when there is none or its time is over."""
    reason, until = request.session.get(_REASON, ["", ""])
    ends = parse_datetime(until) if until else None
    return reason if ends is not None and timezone.now() < ends else ""


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


from access import duty_admin, institution_admin, review_admin  # noqa: E402, F401 – further pages of the app
