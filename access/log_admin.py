"""A log for the auditor: a reason first, then every page and every line that is shown leaves a reading of its own."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from access.models import LogReading
from access.review_forms import LogReasonForm
from access.reviews import note_reading
from accounts.admin import ReadOnlyAdmin
from accounts.web import signed_in
from creditfujian.lib import masking
from creditfujian.lib.masking import Profile


def actor_shown(name: str, *, is_official: bool) -> str:
    """Name whoever acted: officials and institutions' operators in full, citizens as the public would read them."""
    return name if is_official or not name else masking.name(name, Profile.PUBLIC)


class LogAdmin(ReadOnlyAdmin):
    """A log that is read under a reason, for as long as a registration; it is narrowed by what is offered, and by nothing else."""

    log: LogReading.Log
    narrowed_by: tuple[str, ...]  # parameters of the page; any other would find out names that are not shown
    list_per_page = 50
    show_full_result_count = False

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.reason_view)
        return [path("reason/", view, name=self._name("reason").split(":")[1]), *super().get_urls()]

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        return lookup.split("__")[0] in self.narrowed_by

    def reason_view(self, request: HttpRequest) -> HttpResponse:
        """Ask why the log is opened; the reason holds for as long as a registration."""
        if not self.has_view_permission(request):
            raise PermissionDenied(f"您没有查看{self.log.label}的职责。")
        form = LogReasonForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            until = timezone.now() + timedelta(minutes=settings.READING_MINUTES)
            request.session[self._key] = [form.cleaned_data["reason"], until.isoformat()]
            return redirect(self._name("changelist"))
        context = {**self.admin_site.each_context(request), "opts": self.opts, "title": f"查看{self.log.label}", "form": form,
                   "minutes": settings.READING_MINUTES, "log": self.log.label}  # fmt: skip
        return render(request, "admin/access/log_reason.html", context, status=422 if form.errors else 200)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if self.has_view_permission(request) and not (reason := self._reason(request)):
            return redirect(self._name("reason"))
        answer = super().changelist_view(request, extra_context)
        shown = getattr(answer, "context_data", {}).get("cl")
        if shown is not None:
            self._note(request, [line.pk for line in shown.result_list], reason, request.GET.urlencode())
        return answer

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        if self.has_view_permission(request) and not (reason := self._reason(request)):
            return redirect(self._name("reason"))
        answer = super().change_view(request, object_id, form_url, extra_context)
        if (shown := getattr(answer, "context_data", {}).get("original")) is not None:
            self._note(request, [shown.pk], reason, "打开一行")
        return answer

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """A line of a log has no history; the page would name what the line is about."""
        return redirect(self._name("change"), object_id)

    def _note(self, request: HttpRequest, seqs: list[int], reason: str, terms: str) -> None:
        note_reading(seqs, reason=reason, terms=terms, log=self.log, by=signed_in(request))

    def _reason(self, request: HttpRequest) -> str:
        """Return the reason given for opening the log, or an empty string when there is none or its time is over."""
        reason, until = request.session.get(self._key, ["", ""])
        ends = parse_datetime(until) if until else None
        return reason if ends is not None and timezone.now() < ends else ""

    @property
    def _key(self) -> str:
        """Where the session keeps the reason, and until when it holds: one log's reason opens no other."""
        return f"{self.log}_log_reason"

    def _name(self, page: str) -> str:
        return f"admin:{self.opts.app_label}_{self.opts.model_name}_{page}"
