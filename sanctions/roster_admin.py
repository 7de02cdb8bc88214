"""Rosters, measures and who runs them: the credit office proposes and confirms, everybody on duty reads."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone

from accounts.admin import ReadOnlyAdmin
from accounts.web import do_and_say, signed_in
from catalogue.deadline_admin import ProposalAdmin
from catalogue.deadline_forms import take_over
from catalogue.grant_forms import TakeBackForm
from catalogue.models import DeadlineRule
from sanctions import rosters
from sanctions.measure_models import Measure
from sanctions.roster_forms import GrantForm, MeasureForm, RosterForm, VersionForm
from sanctions.roster_models import Roster, RosterGrant, RosterVersion

CLOCKS = ("defence_clock", "review_clock", "decide_clock", "serve_clock", "publish_clock", "lift_clock")


class Proposes(ProposalAdmin):
    """A proposal that is typed into one form."""

    propose_permission = rosters.PROPOSE
    confirm_permission = rosters.CONFIRM
    told = ""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(self.propose_permission)

    def typed(self, request: HttpRequest, form: Any, deed: Callable[[], Any], title: str) -> HttpResponse:
        """Show the form, or do the deed with it and go to what was proposed."""
        if not self.has_add_permission(request):
            raise PermissionDenied("只有省信用办可以办理。")
        if request.method == "POST" and form.is_valid():
            try:
                made = deed()
            except ValidationError as error:
                take_over(form, error)
            except PermissionDenied as error:
                form.add_error(None, str(error))
            else:
                messages.success(request, "已提出，等候省信用办另一名工作人员确认。")
                return redirect(f"admin:sanctions_{self.opts.model_name}_change", made.pk)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": title,
            "form": form,
            "told": self.told,
        }
        return render(request, "admin/sanctions/propose.html", context, status=422 if form.errors else 200)


@admin.register(Roster)
class RosterAdmin(ReadOnlyAdmin):
    """What rosters there are; each with its versions, measures and who runs it."""

    add_label = "新设名单制度"
    list_display = ["name", "code", "scope", "mirrored", "item"]
    list_select_related = ["item"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(rosters.PROPOSE)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied("只有省信用办可以新设名单制度。")
        form = RosterForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            roster = form.save()
            messages.success(request, "已登记。请接着提出它的规则，由另一名工作人员确认后才能启用。")
            return redirect("admin:sanctions_roster_propose", roster.pk)
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": "新设名单制度", "form": form,
            "told": "先登记名单的名称和记录归入的目录条目，再提出规则。没有法定依据的名单不能设（国办发〔2020〕49号）。",
        }  # fmt: skip
        return render(request, "admin/sanctions/propose.html", context, status=422 if form.errors else 200)

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.propose_view)
        return [path("<int:pk>/propose/", view, name="sanctions_roster_propose"), *super().get_urls()]

    def propose_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied("只有省信用办可以提出名单制度。")
        return redirect(f"/admin/sanctions/rosterversion/add/?roster={pk}")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        roster = self.get_object(request, object_id)
        if roster is None or not self.has_view_permission(request, roster):
            raise PermissionDenied("您没有查看的职责。")
        today = timezone.localdate()
        version = roster.version_on(today)
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": roster.name, "roster": roster,
            "version": version, "versions": roster.versions.select_related("roster"), "clocks": _clocks(version),
            "bases": version.bases.select_related("article__instrument") if version else [],
            "measures": Measure.objects.in_force(today).filter(rosters=roster).select_related("basis__instrument", "implementer"),
            "grants": RosterGrant.objects.in_force(today).filter(roster=roster).select_related("organisation"),
            "may_propose": request.user.has_perm(rosters.PROPOSE),
        }  # fmt: skip
        return render(request, "admin/sanctions/roster.html", context)


@admin.register(RosterVersion)
class RosterVersionAdmin(Proposes):
    """The rules of rosters; a change is a new version."""

    detail_template = "admin/sanctions/version.html"
    list_display = ["__str__", "state", "valid_from", "valid_to", "verified", "proposed_by", "confirmed_by"]
    list_filter = ["state", "roster"]
    list_select_related = ["roster", "proposed_by", "confirmed_by"]
    told = "规则整体提出，确认后不能修改；要改就另提一版。列入只按决定当天的现行规则，从轻不从重。"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and "roster" in request.GET

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if not request.user.has_perm(self.propose_permission):
            raise PermissionDenied("只有省信用办可以提出名单制度。")
        key = request.GET.get("roster", "")
        roster = Roster.objects.filter(pk=key).first() if key.isdecimal() else None
        if roster is None:
            return redirect("admin:sanctions_roster_changelist")
        before = roster.versions.exclude(state="withdrawn").first()
        form = VersionForm(request.POST or None, before=before)
        deed = lambda: rosters.propose_version(roster, bases=form.bases(), by=signed_in(request), **form.values())  # noqa: E731
        return self.typed(request, form, deed, f"{roster}：提出规则")

    def more_context(self, proposal: RosterVersion) -> dict[str, Any]:
        return {
            "bases": proposal.bases.select_related("article__instrument"), "clocks": _clocks(proposal),
            "others": proposal.roster.versions.exclude(pk=proposal.pk),
        }  # fmt: skip

    def confirm(self, pk: int, request: HttpRequest) -> None:
        rosters.confirm_version(pk, by=signed_in(request))

    def withdraw(self, pk: int, request: HttpRequest, reason: str) -> None:
        rosters.send_back(RosterVersion, pk, by=signed_in(request), reason=reason)


@admin.register(Measure)
class MeasureAdmin(Proposes):
    """The catalogue of measures: who does what to whom on which basis."""

    add_label = "提出措施"
    detail_template = "admin/sanctions/measure.html"
    list_display = ["code", "name", "kind", "carried_out_by_", "state", "published_on", "verified"]
    list_filter = ["state", "kind", "rosters"]
    search_fields = ["code", "name"]
    list_select_related = ["implementer", "proposed_by", "confirmed_by"]
    told = "措施须直接援引法律、法规或者党中央、国务院政策文件，随列入结束，不及于家庭成员；C 类只提供信息。已有代码的为新版本。"

    @admin.display(description="实施主体")
    def carried_out_by_(self, measure: Measure) -> str:
        return measure.carried_out_by

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        form = MeasureForm(request.POST or None)
        deed = lambda: rosters.propose_measure(by=signed_in(request), **form.cleaned_data)  # noqa: E731
        return self.typed(request, form, deed, "提出措施")

    def more_context(self, proposal: Measure) -> dict[str, Any]:
        return {"others": Measure.objects.filter(code=proposal.code).exclude(pk=proposal.pk)}

    def confirm(self, pk: int, request: HttpRequest) -> None:
        rosters.confirm_measure(pk, by=signed_in(request))

    def withdraw(self, pk: int, request: HttpRequest, reason: str) -> None:
        rosters.send_back(Measure, pk, by=signed_in(request), reason=reason)


@admin.register(RosterGrant)
class RosterGrantAdmin(Proposes):
    """Which organisation may run, consent to or check which roster, until when, why."""

    add_label = "申请名单办理授权"
    detail_template = "admin/sanctions/grant.html"
    propose_permission = "sanctions.propose_rostergrant"
    confirm_permission = "sanctions.confirm_rostergrant"
    list_display = ["__str__", "state", "valid_from", "valid_to", "ended_on", "proposed_by", "confirmed_by"]
    list_filter = ["state", "permission", "roster"]
    list_select_related = ["organisation", "roster", "proposed_by", "confirmed_by"]
    told = "授权后，该单位中有相应职责的工作人员可以办理这个名单的列入、移出，或者核查名单；到期当天自动失效。"

    def get_queryset(self, request: HttpRequest) -> QuerySet[RosterGrant]:
        return RosterGrant.objects.visible_to(signed_in(request))

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.take_back_view)
        return [path("<int:pk>/end/", view, name="sanctions_rostergrant_end"), *super().get_urls()]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        form = GrantForm(request.POST or None)
        deed = lambda: rosters.ask_grant(by=signed_in(request), **form.cleaned_data)  # noqa: E731
        return self.typed(request, form, deed, "申请名单办理授权")

    def more_context(self, proposal: RosterGrant) -> dict[str, Any]:
        return {"end_form": TakeBackForm(), "is_open": proposal.state == "in_force" and proposal.ended_on is None}

    def take_back_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Close the door that a grant opens, at once."""
        grant, form = self.one(request, pk), TakeBackForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            reason = form.cleaned_data["reason"]
            deed = lambda: rosters.take_back_grant(grant.pk, by=signed_in(request), reason=reason)  # noqa: E731
            do_and_say(request, deed, "已收回，即时失效。")
        elif request.method == "POST":
            messages.error(request, "请写明收回理由。")
        return redirect("admin:sanctions_rostergrant_change", pk)

    def confirm(self, pk: int, request: HttpRequest) -> None:
        rosters.confirm_grant(pk, by=signed_in(request))

    def withdraw(self, pk: int, request: HttpRequest, reason: str) -> None:
        rosters.refuse_grant(pk, by=signed_in(request), reason=reason)


def _clocks(version: RosterVersion | None) -> list[tuple[str, str]]:
    """Return the time limits of a version in words, as they stand today."""
    if version is None:
        return []
    codes = [getattr(version, name) for name in CLOCKS]
    rules = {rule.code: rule for rule in DeadlineRule.objects.in_force(timezone.localdate()).filter(code__in=codes)}
    label: Any = lambda name: RosterVersion._meta.get_field(name).verbose_name  # type: ignore[union-attr]  # noqa: E731
    return [
        (str(label(name)), f"{code} {rules[code].period}" if code in rules else code)
        for name, code in zip(CLOCKS, codes, strict=True)
    ]
