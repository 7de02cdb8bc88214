"""The staff site: Django's own admin in our dress."""

from typing import Any, cast
from urllib.parse import urlencode

from django.apps import apps
from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from accounts.models import User
from accounts.sign_in_pages import sign_out
from creditfujian.lib.parts import parts
from creditfujian.lib.waiting import Waiting


class StaffSite(AdminSite):
    """The admin with a dashboard that tells each role what waits for it."""

    site_header = "信用福建 · 工作平台"
    site_title = "信用福建工作平台"
    index_title = "工作台"
    site_url = "/"
    enable_nav_sidebar = False  # the dashboard says where to go, in the field's words

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        context = super().each_context(request)
        if isinstance(request.user, User) and request.user.is_staff:
            context["role_titles"] = "、".join(role.label for role in request.user.roles())
        return context

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Send people to the one door there is: this page would open by the password alone."""
        target = request.GET.get("next") or reverse("admin:index")
        return redirect(f"{reverse('sign_in')}?{urlencode({'next': target})}")

    def logout(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:  # type: ignore[override]
        return sign_out(request)

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:  # type: ignore[override]
        return redirect("account_password")

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[dict[str, Any]]:
        """Return the list of apps, made only where a page shows it: of every page's context it is a part."""
        return cast("list[dict[str, Any]]", SimpleLazyObject(lambda: self._app_list(request, app_label)))

    def _app_list(self, request: HttpRequest, app_label: str | None) -> list[dict[str, Any]]:
        """Name each «add» by what it does: the admin of the model says so."""
        listed = super().get_app_list(request, app_label)
        for model in (model for app in listed for model in app["models"]):
            model["add_label"] = getattr(self._registry[model["model"]], "add_label", "新增")
        return listed

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        assert isinstance(request.user, User)
        waiting = waiting_for(request.user)
        quiet = [card for card in waiting if not card.count]
        told = {"waiting": waiting, "quiet": quiet, "nothing_waits": len(quiet) == len(waiting)}
        return super().index(request, {**(extra_context or {}), **told})


def waiting_for(user: User) -> list[Waiting]:
    """Return what waits for the user, from every app that has a `waiting` module."""
    modules = parts((config.name for config in apps.get_app_configs()), "waiting")
    return [card for module in modules for card in module.waiting_for(user)]
