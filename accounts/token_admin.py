"""Service tokens: the system administrator asks, the security administrator confirms, either ends one at once."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Max, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path

from accounts import tokens
from accounts.admin import ReadOnlyAdmin
from accounts.token_forms import AskForm, RevokeForm
from accounts.token_models import ServiceToken
from accounts.web import do_and_say, require_step_up, signed_in

HOURS = 24  # of use that the page shows


@admin.register(ServiceToken)
class ServiceTokenAdmin(ReadOnlyAdmin):
    """Which systems may call the API. The secret is on no page but the one that made it."""

    add_label = "申请令牌"
    list_display = ["name", "organisation", "state_", "hint_", "expires_at", "used_", "asked_by", "confirmed_by"]
    list_select_related = ["organisation", "asked_by", "confirmed_by"]
    search_fields = ["name", "organisation__name", "organisation__uscc"]
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet[ServiceToken]:
        return super().get_queryset(request).annotate(last_hour=Max("uses__hour"))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("accounts.add_servicetoken")

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        own = [
            path("<int:pk>/confirm/", view(self.confirm_view), name="accounts_servicetoken_confirm"),
            path("<int:pk>/revoke/", view(self.revoke_view), name="accounts_servicetoken_revoke"),
        ]
        return own + super().get_urls()

    @admin.display(description="状态")
    def state_(self, token: ServiceToken) -> str:
        return token.state

    @admin.display(description="令牌")
    def hint_(self, token: ServiceToken) -> str:
        return f"{token.hint}…"

    @admin.display(description="最近使用")
    def used_(self, token: Any) -> Any:
        return token.last_hour

    @require_step_up
    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied("只有系统管理员可以申请接口令牌。")
        form = AskForm(request.POST or None)
        context = {**self.admin_site.each_context(request), "opts": self.opts, "title": "申请接口令牌", "form": form}
        if request.method == "POST" and form.is_valid():
            try:
                issued = tokens.ask(form.wish(), by=signed_in(request))
            except ValidationError as error:
                for name, messages in error.message_dict.items():
                    form.add_error("expires_on" if name == "expires_at" else name, messages)
            else:
                context |= {"token": issued.token, "secret": issued.secret, "title": "接口令牌"}
                return render(request, "admin/accounts/servicetoken/shown.html", context)
        return render(request, "admin/accounts/servicetoken/ask.html", context, status=422 if form.errors else 200)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied("您没有查看接口令牌的职责。")
        return self._detail(request, self._token(object_id), RevokeForm())

    def _token(self, pk: str | int) -> ServiceToken:
        related = ServiceToken.objects.select_related("organisation", "asked_by", "confirmed_by", "revoked_by")
        if not str(pk).isdecimal() or (token := related.filter(pk=pk).first()) is None:
            raise Http404
        return token

    def _detail(self, request: HttpRequest, token: ServiceToken, form: RevokeForm, status: int = 200) -> HttpResponse:
        user = signed_in(request)
        reason = tokens.why_not_confirm(token, user)
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": f"接口令牌：{token.name}", "token": token,
            "may_confirm": not reason, "why_not_confirm": reason, "form": form,
            "may_revoke": user.has_perm("accounts.revoke_servicetoken") and token.revoked_at is None,
            "uses": token.uses.order_by("-hour")[:HOURS],
        }  # fmt: skip
        return render(request, "admin/accounts/servicetoken/detail.html", context, status=status)

    @require_step_up
    def confirm_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        token = self._token(pk)
        if not self.has_view_permission(request):
            raise PermissionDenied("您没有确认接口令牌的职责。")
        if request.method == "POST":
            do_and_say(request, lambda: tokens.confirm(token.pk, by=signed_in(request)), "已确认，令牌即时启用。")
        return redirect("admin:accounts_servicetoken_change", pk)

    def revoke_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        token = self._token(pk)
        if not self.has_view_permission(request):
            raise PermissionDenied("您没有撤销接口令牌的职责。")
        form = RevokeForm(request.POST or None)
        if request.method == "POST" and not form.is_valid():
            return self._detail(request, token, form, status=422)
        if request.method == "POST":
            reason = form.cleaned_data["reason"]
            do_and_say(
                request, lambda: tokens.revoke(token.pk, by=signed_in(request), reason=reason), "已撤销，令牌即时失效。"
            )
        return redirect("admin:accounts_servicetoken_change", pk)
