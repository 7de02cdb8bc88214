"""Editions: what the next one would change, publishing it, and what the past ones changed."""

import hashlib
import json
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from accounts.admin import ReadOnlyAdmin
from accounts.web import signed_in
from catalogue import publishing
from catalogue.deed_forms import EditionForm, LeavingTable, standing_items
from catalogue.forms import with_more_rows
from catalogue.item_admin import one
from catalogue.models import Edition
from catalogue.publishing import Difference, Leaving
from catalogue.refusals import attempt

LOOK_AGAIN = "下面的预览与您刚才看到的不同（刚选了停用的条目，或者又有版本批准、退回）。请核对后再发布。"


@admin.register(Edition)
class EditionAdmin(ReadOnlyAdmin):
    """Published editions are read; the next one is previewed, then published by one action."""

    add_label = "发布目录"
    list_display = ["number", "title", "published_on", "published_by", "items"]
    list_select_related = ["published_by"]

    @admin.display(description="条目数")
    def items(self, edition: Edition) -> int:
        return edition.entries.count()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("catalogue.publish_edition")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        edition = one(self, request, object_id)
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": str(edition), "edition": edition,
            "difference": publishing.difference_of(edition),
            "entries": edition.entries.select_related("item", "item_version").order_by("item__code"),
        }  # fmt: skip
        return render(request, "admin/catalogue/edition/detail.html", context)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied("只有省信用办可以发布目录。")
        if request.method != "POST":
            first = {"number": publishing.next_number(), "title": publishing.TITLE}
            return self._page(request, EditionForm(initial=first), _table(), [])
        if request.POST.get("more"):
            return self._page(request, _typed(request.POST), _table(with_more_rows(request.POST, _table())), [])
        return self._publish(request)

    def _publish(self, request: HttpRequest) -> HttpResponse:
        """Publish what the page showed; anything else is shown first."""
        table = _table(request.POST)
        leaving = table.leaving() if table.is_valid() else []
        if "publish" not in request.POST or not table.is_valid():
            return self._page(request, _typed(request.POST), table, leaving, status=200 if table.is_valid() else 422)
        form = EditionForm(request.POST)
        if form.is_valid() and form.cleaned_data["seen"] != _seen(publishing.preview(leaving)):
            form.add_error(None, LOOK_AGAIN)
        if form.is_valid():
            data = {name: form.cleaned_data[name] for name in ("number", "title", "note")}
            published: list[Edition] = []
            refused = attempt(
                lambda: published.append(publishing.publish(**data, by=signed_in(request), leaving=leaving))
            )
            if refused is None:
                messages.success(request, f"{published[0]} 已发布。")
                return redirect("admin:catalogue_edition_change", published[0].pk)
            refused.tell(form)
        return self._page(request, form, table, leaving, status=422)

    def _page(
        self, request: HttpRequest, form: EditionForm, table: Any, leaving: list[Leaving], status: int = 200
    ) -> HttpResponse:
        difference = publishing.preview(leaving)
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": "发布目录", "form": form,
            "table": table, "difference": difference, "seen": _seen(difference),
            "latest": publishing.latest_edition(),
        }  # fmt: skip
        return render(request, "admin/catalogue/edition/publish.html", context, status=status)


def _typed(data: Any) -> EditionForm:
    """Return what was typed about the edition, not judged yet."""
    return EditionForm(initial={name: data.get(name, "") for name in ("number", "title", "note")})


def _table(data: Any = None) -> Any:
    return LeavingTable(data, prefix="leaving", form_kwargs={"items": standing_items()})


def _seen(difference: Difference) -> str:
    """Return a mark of what a preview shows, so that nothing else is published in its place."""
    shown = [
        sorted(version.pk for version in difference.added),
        sorted(version.pk for _, version, _ in difference.changed),
        sorted((one.item.pk, str(one.effective_on), one.old_records, one.reason) for one, _, _ in difference.retired),
    ]
    return hashlib.sha256(json.dumps(shown, ensure_ascii=False).encode()).hexdigest()[:16]
