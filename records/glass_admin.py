"""Whole numbers and urgent readings, for officers; the list of urgent readings for those who watch."""

import secrets
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters

from access import urgent
from access.models import Anomaly, Reach, Request, UnmaskReason, UrgentReading
from access.web import STAFF_SITE, asker
from accounts.admin import ReadOnlyAdmin
from accounts.sign_in_rules import limits
from accounts.web import require_step_up, signed_in
from catalogue.models import Item
from records.glass import WholeNumber, file_in_emergency, open_in_emergency, whole_number
from records.glass_forms import EmergencyForm, NumberForm
from records.reading import Refused

_ONCE = "number_once"  # in the session: what the next form about a whole number must bring along


def refused(request: HttpRequest, outcome: Refused, back: str) -> HttpResponse:
    """Say why nothing was shown, and that the attempt is in the log."""
    said = {"reason": f"{outcome.reason}。本次尝试已记入查询日志。", "back": back}
    return render(request, "403.html", said, status=403)


@require_step_up
def number_view(request: HttpRequest, pk: int, site: dict[str, Any]) -> HttpResponse:
    """Show the whole number of a registration's person once, in the answer to a form and nowhere else."""
    registered = Request.objects.visible_to(signed_in(request)).filter(pk=pk, reach=Reach.PERSON).first()
    if registered is None:
        raise Http404
    form = NumberForm(request.POST or None)
    context = {**site, "title": "显示完整证件号码", "registered": registered, "limit": limits().whole_numbers}
    if request.method == "POST" and form.is_valid():
        if request.session.pop(_ONCE, "") != form.cleaned_data["once"]:
            return redirect("admin:access_request_number", pk)  # a page turned back to shows nothing again
        reason = UnmaskReason(form.cleaned_data["reason"])
        shown = whole_number(registered, reason=reason, words=form.cleaned_data["words"], by=asker(request, STAFF_SITE))
        if isinstance(shown, WholeNumber):
            return render(request, "admin/access/number_shown.html", {**context, "shown": shown})
        return refused(request, shown, reverse("admin:access_request_add"))
    if request.method != "POST":
        request.session[_ONCE] = once = secrets.token_urlsafe(12)
        form = NumberForm(initial={"once": once})
    return render(request, "admin/access/number.html", {**context, "form": form}, status=422 if form.errors else 200)


@admin.register(UrgentReading)
class UrgentReadingAdmin(ReadOnlyAdmin):
    """Open one file in an emergency; whoever watches sees that it was opened, by whom and why, never whose it is."""

    add_label = "紧急查询"
    list_display = ["number", "opened_at", "organisation", "actor_", "ground_", "incident_no", "review_"]
    list_select_related = ["organisation", "actor", "ground", "anomaly"]
    list_per_page = 50

    @admin.display(description="查询人")
    def actor_(self, opened: UrgentReading) -> str:
        return opened.actor.name

    @admin.display(description="法定情形")
    def ground_(self, opened: UrgentReading) -> str:
        return opened.ground.name

    @admin.display(description="核查")
    def review_(self, opened: UrgentReading) -> str:
        return " ".join(filter(None, [opened.anomaly.get_state_display(), opened.anomaly.get_verdict_display()]))

    def get_queryset(self, request: HttpRequest) -> QuerySet[UrgentReading]:
        return UrgentReading.objects.visible_to(signed_in(request))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("access.break_glass")

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.file_view)
        return [path("<int:pk>/file/", view, name="access_urgentreading_file"), *super().get_urls()]

    @method_decorator(sensitive_post_parameters("name", "id_number"))
    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied("您没有查询信用记录的职责。")
        return self._open(request)

    @method_decorator(require_step_up)
    def _open(self, request: HttpRequest) -> HttpResponse:
        form = EmergencyForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            outcome = open_in_emergency(form.emergency(), by=asker(request, STAFF_SITE))
            if isinstance(outcome, UrgentReading):
                return redirect("admin:access_urgentreading_file", outcome.pk)
            if isinstance(outcome, Refused):
                return refused(request, outcome, reverse("admin:access_urgentreading_changelist"))
            form.add_error("name", "没有与该姓名和证件号码都一致的档案。请核对；本次查询已记入日志。")
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": "紧急查询", "form": form,
            "why_not": urgent.why_not(signed_in(request)), "minutes": int(limits().urgent.total_seconds()) // 60,
        }  # fmt: skip
        return render(request, "admin/access/urgentreading/open.html", context, status=422 if form.errors else 200)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        user, opened = signed_in(request), self._one(request, object_id)
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": f"紧急查询 {opened.number}",
            "opened": opened, "items": Item.objects.filter(pk__in=opened.items).order_by("code"),
            "mine": opened.actor_id == user.pk,
            "sees_review": Anomaly.objects.visible_to(user).filter(pk=opened.anomaly_id).exists(),
        }  # fmt: skip
        return render(request, "admin/access/urgentreading/detail.html", context)

    def file_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show the file in its minutes, to whoever opened it; each showing is a line that the person sees."""
        opened = self._one(request, pk)
        if opened.actor_id != signed_in(request).pk:
            raise Http404
        file = file_in_emergency(opened, by=asker(request, STAFF_SITE))
        if isinstance(file, Refused):
            return refused(request, file, reverse("admin:access_urgentreading_change", args=[pk]))
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": "信用档案（紧急查询）", "file": file,
            "opened": opened,
        }  # fmt: skip
        return render(request, "admin/access/urgentreading/file.html", context)

    def _one(self, request: HttpRequest, pk: str | int) -> UrgentReading:
        found = self.get_queryset(request).select_related("actor", "organisation", "ground", "anomaly")
        if not str(pk).isdecimal() or (opened := found.filter(pk=pk).first()) is None:
            raise Http404
        return opened
