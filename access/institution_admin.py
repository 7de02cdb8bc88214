"""Institutions at the credit office: one official registers, another decides; anybody of them suspends."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path

from access import institutions
from access.institution_forms import ReasonForm, RegisterForm
from access.institution_models import ENDING_DAYS
from access.models import ConsentPurpose, Institution
from accounts.admin import ReadOnlyAdmin
from accounts.models import User
from accounts.web import do_and_say, signed_in
from catalogue.deadline_forms import take_over


class EndingFilter(admin.SimpleListFilter):
    """Registrations to renew."""

    title = "证照是否快到期"
    parameter_name = "ending"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("1", f"{ENDING_DAYS} 天内到期或已到期")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Institution]) -> QuerySet[Institution]:
        return queryset.filter(pk__in=Institution.objects.ending()) if self.value() else queryset


@admin.register(Institution)
class InstitutionAdmin(ReadOnlyAdmin):
    """One row per registration; a renewal is a new one."""

    add_label = "登记查询机构"
    list_display = ["organisation", "kind", "licence", "valid_to", "standing_", "proposed_by"]
    list_filter = ["state", EndingFilter, "kind"]
    list_select_related = ["organisation", "proposed_by"]
    search_fields = ["organisation__name", "organisation__uscc", "licence_no"]
    list_per_page = 50

    @admin.display(description="现状")
    def standing_(self, institution: Institution) -> str:
        return institution.standing

    def get_queryset(self, request: HttpRequest) -> QuerySet[Institution]:
        return Institution.objects.visible_to(signed_in(request))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("access.propose_institution")

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        deeds = {
            "confirm": self.confirm_view, "refuse": self.refuse_view, "suspend": self.suspend_view, "resume": self.resume_view,
        }  # fmt: skip
        own = [path(f"<int:pk>/{deed}/", view(page), name=f"access_institution_{deed}") for deed, page in deeds.items()]
        return own + super().get_urls()

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied(institutions.NO_DUTY)
        form = RegisterForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                made = institutions.register(**form.cleaned_data, by=signed_in(request))
            except ValidationError as error:
                take_over(form, error)
            else:
                return redirect("admin:access_institution_change", made.pk)
        return self._page(request, "register", "登记查询机构", status=422 if form.errors else 200, form=form)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        institution, user = self._one(request, object_id), signed_in(request)
        return self._page(
            request, "detail", str(institution), institution=institution, mine=institution.proposed_by_id == user.pk,
            suspended_by_me=institution.moved_by_id == user.pk, may_decide=user.has_perm("access.confirm_institution"),
            purposes=ConsentPurpose.objects.filter(pk__in=institution.purposes), form=ReasonForm(),
            steps=institution.steps.select_related("by"),
            operators=User.objects.filter(organisation=institution.organisation_id, kind=User.Kind.INSTITUTION),
        )  # fmt: skip

    def confirm_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        by = signed_in(request)
        return self._do(request, pk, lambda: institutions.confirm(pk, by=by), "已登记，可以申请授权。")

    def refuse_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        by, reason = signed_in(request), request.POST.get("reason", "")
        return self._do(request, pk, lambda: institutions.refuse(pk, by=by, reason=reason), "已退回。")

    def suspend_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        by, reason = signed_in(request), request.POST.get("reason", "")
        deed = "已暂停，立即不能申请和查询。"
        return self._do(request, pk, lambda: institutions.suspend(pk, by=by, reason=reason), deed)

    def resume_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        by, reason = signed_in(request), request.POST.get("reason", "")
        return self._do(request, pk, lambda: institutions.resume(pk, by=by, reason=reason), "已恢复。")

    def _do(self, request: HttpRequest, pk: int, deed: Callable[[], object], done: str) -> HttpResponse:
        self._one(request, pk)
        if request.method == "POST":
            do_and_say(request, deed, done)
        return redirect("admin:access_institution_change", pk)

    def _one(self, request: HttpRequest, pk: str | int) -> Institution:
        found = self.get_queryset(request).select_related("organisation", "proposed_by", "decided_by")
        if not str(pk).isdecimal() or (one := found.filter(pk=pk).first()) is None:
            raise Http404
        return one

    def _page(self, request: HttpRequest, name: str, title: str, *, status: int = 200, **more: Any) -> HttpResponse:
        context = {**self.admin_site.each_context(request), "opts": self.opts, "title": title, **more}
        return render(request, f"admin/access/institution/{name}.html", context, status=status)
