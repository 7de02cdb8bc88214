"""The register of grants: the credit office asks and confirms, the security administrator takes back, departments see their own.

The system administrator, who opens accounts and keeps organisations, has no part in it.
"""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path

from accounts.models import Organisation
from accounts.web import do_and_say, sentence_of, signed_in
from catalogue import grants
from catalogue.deadline_admin import ProposalAdmin
from catalogue.deadline_forms import take_over
from catalogue.grant_forms import GrantForm, TakeBackForm
from catalogue.models import Item, ItemGrant, ItemVersion


class StandingFilter(admin.SimpleListFilter):
    """Where a grant stands today."""

    title = "现在"
    parameter_name = "standing"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("now", "现行"),
            ("ending", f"{grants.notice_days()} 天内到期"),
            ("asked", "待确认"),
            ("over", "已到期或收回"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ItemGrant]) -> QuerySet[ItemGrant]:
        seen = ItemGrant.objects.visible_to(signed_in(request))
        kinds = {
            "now": lambda: queryset.filter(pk__in=seen.in_force().values("pk")),
            "ending": lambda: queryset.filter(pk__in=seen.ending_within(grants.notice_days()).values("pk")),
            "asked": lambda: queryset.filter(state=ItemGrant.State.DRAFT),
            "over": lambda: queryset.filter(pk__in=seen.over().values("pk")),
        }
        chosen = kinds.get(self.value() or "")
        return chosen() if chosen else queryset


@admin.register(ItemGrant)
class ItemGrantAdmin(ProposalAdmin):
    """Which organisation may supply or query which item, until when, why."""

    add_label = "申请目录授权"
    detail_template = "admin/catalogue/itemgrant/detail.html"
    propose_permission = grants.PROPOSE
    confirm_permission = grants.CONFIRM
    list_display = ["__str__", "standing", "valid_from", "end", "basis", "proposed_by", "confirmed_by"]
    list_filter = [StandingFilter, "permission"]
    search_fields = ["organisation__name", "item__code", "basis"]
    list_select_related = ["organisation", "item", "proposed_by", "confirmed_by"]
    list_per_page = 50
    actions: Any = ["confirm_selected"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ItemGrant]:
        return ItemGrant.objects.visible_to(signed_in(request)).with_end()

    @admin.display(description="现在")
    def standing(self, grant: ItemGrant) -> str:
        return grant.state_on(grants.today())

    @admin.display(description="失效日期", ordering="end")
    def end(self, grant: Any) -> Any:
        return grant.end

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(self.propose_permission)

    def has_confirm_permission(self, request: HttpRequest) -> bool:
        """Who may choose many at once; each is judged by itself."""
        return request.user.has_perm(self.confirm_permission)

    @admin.action(description="核对无误，确认所选的授权", permissions=["confirm"])
    def confirm_selected(self, request: HttpRequest, chosen: QuerySet[ItemGrant]) -> None:
        done = 0
        for grant in chosen:
            try:
                grants.confirm(grant.pk, by=signed_in(request))
                done += 1
            except (PermissionDenied, ValidationError) as error:
                messages.error(request, f"{grant}：{sentence_of(error)}")
        if done:
            messages.success(request, f"已确认 {done} 项。")

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        return [
            path("<int:pk>/end/", view(self.take_back_view), name="catalogue_itemgrant_end"),
            path("<int:pk>/organisation/", view(self.of_organisation_view), name="catalogue_itemgrant_of_organisation"),
            path("<int:pk>/item/", view(self.of_item_view), name="catalogue_itemgrant_of_item"),
            *super().get_urls(),
        ]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Ask for a grant, or for a further row after one that ends: first its effect in words, then the deed."""
        if not self.has_add_permission(request):
            raise PermissionDenied("只有省信用办可以申请目录授权。")
        renews = self._renewed(request)
        form = GrantForm(request.POST or None, renews=renews)
        effect = None
        if request.method == "POST" and form.is_valid():
            values = form.values(renews)
            effect = grants.effect_of(values)
            if "go" in request.POST and (asked := self._ask(request, form, values, renews)):
                return redirect("admin:catalogue_itemgrant_change", asked.pk)
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "form": form, "renews": renews,
            "title": "申请续期" if renews else "申请目录授权", "effect": None if form.errors else effect,
        }  # fmt: skip
        return render(request, "admin/catalogue/itemgrant/ask.html", context, status=422 if form.errors else 200)

    def _renewed(self, request: HttpRequest) -> ItemGrant | None:
        asked = request.GET.get("renews", "")
        return self.one(request, asked) if asked else None

    def _ask(
        self, request: HttpRequest, form: forms.Form, values: dict[str, Any], renews: ItemGrant | None
    ) -> ItemGrant | None:
        try:
            asked = grants.ask(**values, renews=renews, by=signed_in(request))
        except ValidationError as error:
            take_over(form, error)
            return None
        except PermissionDenied as error:
            form.add_error(None, sentence_of(error))
            return None
        messages.success(request, "已申请，等候省信用办另一名工作人员确认。")
        return asked

    def take_back_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Close the door that a grant opens, at once."""
        grant, form = self.one(request, pk), TakeBackForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            reason = form.cleaned_data["reason"]
            do_and_say(
                request, lambda: grants.take_back(grant.pk, by=signed_in(request), reason=reason), "已收回，即时失效。"
            )
        elif request.method == "POST":
            messages.error(request, "请写明收回理由。")
        return redirect("admin:catalogue_itemgrant_change", pk)

    def of_organisation_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """What this unit may supply and query, until when, why."""
        unit = Organisation.objects.select_related("region").filter(pk=self.one(request, pk).organisation_id).first()
        if unit is None:
            raise Http404
        told = f"{unit}现在可以报送、查询哪些条目，到什么时候，为什么。查询限于{unit.region}及其下辖区划的记录，职责事项另行写明的除外。"
        return self._of(request, str(unit), told, self.get_queryset(request).filter(organisation=unit))

    def of_item_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Who may supply and query this item, until when, why."""
        item: Any = Item.objects.called(grants.today()).get(pk=self.one(request, pk).item_id)
        told = f"“{item.name or item.code}”（{item.code}）现在谁可以报送、查询，到什么时候，为什么。"
        return self._of(request, item.code, told, self.get_queryset(request).filter(item=item))

    def _of(self, request: HttpRequest, title: str, told: str, rows: Any) -> HttpResponse:
        named = ItemVersion.objects.in_force(grants.today()).filter(item=OuterRef("item")).values("name")[:1]
        rows = rows.select_related("organisation", "item").annotate(item_name=Subquery(named))
        now = set(rows.in_force().values_list("pk", flat=True))
        listed = list(rows)
        groups = [
            (kind.label, [one for one in listed if one.pk in now and one.permission == kind])
            for kind in ItemGrant.Permission
        ]
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": title, "told": told, "groups": groups,
            "others": _standing(one for one in listed if one.pk not in now),
        }  # fmt: skip
        return render(request, "admin/catalogue/itemgrant/of.html", context)

    def more_context(self, proposal: ItemGrant) -> dict[str, Any]:
        day = grants.today()
        standing = proposal.state_on(day)
        same = ItemGrant.objects.filter(
            organisation=proposal.organisation, item=proposal.item, permission=proposal.permission
        ).exclude(pk=proposal.pk)
        item = Item.objects.called(day).get(pk=proposal.item_id)
        return {
            "standing": standing, "is_open": standing in ("现行", "未开始") and proposal.ended_on is None, "item": item,
            "others": _standing(same), "end_form": TakeBackForm(),
            "effect": grants.effect_of({
                "organisation": proposal.organisation, "item": item, "permission": proposal.permission,
                "valid_from": proposal.valid_from, "valid_to": proposal.ended_on or proposal.valid_to,
            }) if proposal.is_draft else None,
        }  # fmt: skip

    def confirm(self, pk: int, request: HttpRequest) -> None:
        grants.confirm(pk, by=signed_in(request))

    def withdraw(self, pk: int, request: HttpRequest, reason: str) -> None:
        grants.refuse(pk, by=signed_in(request), reason=reason)


def _standing(rows: Iterable[ItemGrant]) -> list[tuple[ItemGrant, str]]:
    day = grants.today()
    return [(one, one.state_on(day)) for one in rows]
