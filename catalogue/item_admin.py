"""Items and their versions: departments propose, legal reviewers review, the credit office approves."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path

from accounts.admin import ReadOnlyAdmin
from accounts.models import User
from accounts.web import signed_in
from catalogue import actions, desk
from catalogue.columns import COLUMNS, complete, labels, texts
from catalogue.deed_forms import (
    AssessmentForm,
    ConsultForm,
    DeedForm,
    NoteForm,
    OpinionForm,
    ReasonForm,
    RenewForm,
)
from catalogue.draft_forms import DraftForms
from catalogue.exchange_admin import ExportView
from catalogue.forms import NewItemForm
from catalogue.models import Item, ItemVersion
from catalogue.refusals import Refusal, attempt
from catalogue.rules import BEFORE_ASSESSMENT, faults, may_propose

State = ItemVersion.State
Data = dict[str, Any]


@dataclass(frozen=True)
class Deed:
    """A deed as the page of a version offers it: its button, what it means, what it asks for, the action."""

    button: str
    told: str
    done: str
    act: Callable[[ItemVersion, User, Data], object]
    form: type[DeedForm] = DeedForm
    folded: bool = False
    danger: bool = False


DEEDS = {
    "submit": Deed(
        "提交", "提交后内容不能再改，由本单位法制审核员审核。开始审核前可以撤回。", "已提交，等候法制审核。",
        lambda version, by, data: actions.submit(version, by=by, note=data["note"]), NoteForm,
    ),
    "take_up": Deed(
        "开始审核", "开始后由您出具审核意见；提出单位不能再撤回。", "已开始法制审核。",
        lambda version, by, data: actions.take_up(version, by=by),
    ),
    "pass_review": Deed(
        "审核通过", "通过后交省信用办做影响评估。", "审核通过，已交省信用办。",
        lambda version, by, data: actions.pass_review(version, by=by, note=data["note"]), OpinionForm,
    ),
    "consult": Deed(
        "公开征求意见", "地方补充条目向社会公开征求意见，期限按时限规则计算；期满、逐条答复后才能批准。",
        "已开始公开征求意见。",
        lambda version, by, data: actions.open_consultation(version, by=by, explanation=data["explanation"]),
        ConsultForm,
    ),
    "approve": Deed(
        "批准", "批准后随下一次发布的目录生效。", "已批准，等候发布目录。",
        lambda version, by, data: actions.approve(version, by=by, note=data["note"]), NoteForm,
    ),
    "resume": Deed(
        "恢复", "恢复后重新接收报送，并按规定披露。", "已恢复。",
        lambda version, by, data: actions.resume(version, by=by, note=data["note"]), ReasonForm,
    ),
    "renew": Deed(
        "换用新的影响评估", "影响评估将要到期或者已到期时，另做一份并复核，再在这里换上。", "已换用新的影响评估。",
        lambda version, by, data: actions.renew_assessment(version, data["assessment"], by=by), RenewForm, folded=True,
    ),
    "take_back": Deed(
        "撤回修改", "撤回后成为草案，可以修改后重新提交。", "已撤回，可以修改。",
        lambda version, by, data: actions.send_back(version, by=by, note=data["note"]), ReasonForm, folded=True,
    ),
    "send_back": Deed(
        "退回修改", "退回后成为草案，由提出单位修改后重新提交，再走一遍审核。", "已退回提出单位。",
        lambda version, by, data: actions.send_back(version, by=by, note=data["note"]), ReasonForm, folded=True,
        danger=True,
    ),
    "suspend": Deed(
        "暂停", "立即停止接收报送；除本人外，谁也看不到该条目的记录。", "已暂停。",
        lambda version, by, data: actions.suspend(version, by=by, note=data["note"]), ReasonForm, folded=True,
        danger=True,
    ),
    "discard": Deed(
        "删除草案", "从未提交的草案可以删除，删除后不能恢复。", "草案已删除。",
        lambda version, by, data: actions.discard_draft(version, by=by), folded=True, danger=True,
    ),
}  # fmt: skip
# What happens next, for whoever looks.
NEXT = {
    State.DRAFT: "草案：由提出单位填写，补齐后提交。",
    State.SUBMITTED: "已提交：等候提出单位的法制审核员开始审核。",
    State.LEGAL_REVIEW: "法制审核中：等候审核意见。",
    State.PIA: "法制审核已通过：省信用办做影响评估（两人签署），地方补充条目还要公开征求意见，然后批准。",
    State.CONSULTATION: "正在公开征求意见：期满并逐条答复后，由省信用办批准。",
    State.APPROVED: "已批准：随下一次发布的目录生效。",
    State.PUBLISHED: "已发布：到生效日期自动现行。",
    State.IN_FORCE: "现行有效。",
    State.SUSPENDED: "已暂停：不接收报送；除本人外，谁也看不到该条目的记录。",
    State.RETIRED: "已停用。",
}
WAY = (State.DRAFT, State.SUBMITTED, State.LEGAL_REVIEW, State.PIA, State.APPROVED, State.PUBLISHED, State.IN_FORCE)


class WaitingFilter(admin.SimpleListFilter):
    """Versions that wait for one step: the lists that the dashboard's cards count."""

    title = "待办"
    parameter_name = "waiting"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, title) for name, (title, _) in desk.WAITING.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ItemVersion]) -> QuerySet[ItemVersion]:
        what = self.value()
        return desk.WAITING[what][1](queryset) if what in desk.WAITING else queryset


@admin.register(Item)
class ItemAdmin(ExportView, ReadOnlyAdmin):
    """The items of one's own department; all of them for the credit office."""

    add_label = "提出新条目"
    list_display = ["code", "name_", "polarity", "origin", "provider", "standing", "under_way"]
    list_filter = ["polarity", "origin"]
    list_select_related = ["provider"]
    search_fields = ["code", "versions__name"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Item]:
        versions = ItemVersion.objects.filter(item=OuterRef("pk")).order_by("-version")
        return desk.items_seen_by(signed_in(request)).annotate(
            newest=Subquery(versions.values("name")[:1]),
            now=Subquery(versions.exclude(state__in=ItemVersion.UNDER_WAY).values("state")[:1]),
            coming=Subquery(versions.filter(state__in=ItemVersion.UNDER_WAY).values("state")[:1]),
        )

    @admin.display(description="名称")
    def name_(self, item: Any) -> str:
        return item.newest or "—"

    @admin.display(description="已发布的版本")
    def standing(self, item: Any) -> str:
        return State(item.now).label if item.now else "—"

    @admin.display(description="办理中的版本")
    def under_way(self, item: Any) -> str:
        return State(item.coming).label if item.coming else "—"

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        return [path("<int:pk>/revise/", view(self.revise_view), name="catalogue_item_revise"), *super().get_urls()]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("catalogue.propose_item")

    def one(self, request: HttpRequest, pk: str | int) -> Item:
        """Return an item that the user may see. Raises PermissionDenied, Http404."""
        return one(self, request, pk, self.get_queryset(request).select_related("provider"))

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied("只有部门的报送人员可以为本单位提出条目。")
        user, form = signed_in(request), NewItemForm(request.POST if request.method == "POST" else None)
        begun: list[ItemVersion] = []
        if form.is_valid():
            refused = attempt(lambda: begun.append(actions.begin_item(**form.cleaned_data, by=user)))
            if refused is None:
                messages.success(request, f"已建立条目 {begun[0].item.code} 和第一版草案，请继续填写。")
                return redirect("admin:catalogue_itemversion_edit", begun[0].pk)
            refused.tell(form)
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": "提出新条目", "form": form,
            "organisation": user.organisation,
        }  # fmt: skip
        return render(request, "admin/catalogue/item/propose.html", context, status=422 if form.errors else 200)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        return self._detail(request, self.one(request, object_id))

    def _detail(self, request: HttpRequest, item: Any, refused: Refusal | None = None) -> HttpResponse:
        versions = list(item.versions.order_by("-version").select_related("created_by"))
        under_way = [version for version in versions if version.state in ItemVersion.UNDER_WAY]
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": f"{item.code} {item.newest or ''}",
            "item": item, "versions": versions, "refused": refused, "category": labels().get(("CAT", item.category)),
            "may_revise": not under_way and item.now != State.RETIRED
            and may_propose(signed_in(request), item),
        }  # fmt: skip
        return render(request, "admin/catalogue/item/detail.html", context, status=refused.status if refused else 200)

    def revise_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        item = self.one(request, pk)
        if request.method != "POST":
            return redirect("admin:catalogue_item_change", pk)
        begun: list[ItemVersion] = []
        if refused := attempt(lambda: begun.append(actions.start_draft(item, by=signed_in(request)))):
            return self._detail(request, item, refused)
        messages.success(request, "已照最近一版起草，请修改后保存。")
        return redirect("admin:catalogue_itemversion_edit", begun[0].pk)


@admin.register(ItemVersion)
class ItemVersionAdmin(ReadOnlyAdmin):
    """Versions on their way: the page shows what is missing, what changes, who did what, and whose turn it is."""

    list_display = ["name", "item", "version", "state", "disclosure", "dates", "provider_", "created_by"]
    list_filter = [WaitingFilter, "state", "disclosure"]
    list_select_related = ["item__provider", "created_by"]
    search_fields = ["name", "item__code"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ItemVersion]:
        return desk.versions_seen_by(signed_in(request)).order_by("item__code", "-version")

    @admin.display(description="有效期间", ordering="effective")
    def dates(self, version: ItemVersion) -> str:
        return f"{version.effective.lower} 至 {version.effective.upper or '长期'}"

    @admin.display(description="提供单位")
    def provider_(self, version: ItemVersion) -> str:
        return version.item.provider.name

    def get_urls(self) -> list[Any]:
        view, name = self.admin_site.admin_view, "catalogue_itemversion"
        deeds = [path(f"<int:pk>/{deed}/", view(self.deed_view), {"name": deed}, f"{name}_{deed}") for deed in DEEDS]
        pages = [
            path("<int:pk>/edit/", view(self.edit_view), name=f"{name}_edit"),
            path("<int:pk>/assess/", view(self.assess_view), name=f"{name}_assess"),
        ]
        return deeds + pages + super().get_urls()

    def one(self, request: HttpRequest, pk: str | int) -> ItemVersion:
        """Return a version that the user may see. Raises PermissionDenied, Http404."""
        return one(self, request, pk, complete(self.get_queryset(request)))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        return self._detail(request, self.one(request, object_id))

    def _detail(
        self, request: HttpRequest, version: ItemVersion, refused: Refusal | None = None, tried: Any = ("", None)
    ) -> HttpResponse:
        """Show a version: what is missing, what changes, all of it, its way, and the deeds that are this user's."""
        known = labels()
        rows = texts(version, known)
        theirs = actions.deeds_for(version, signed_in(request))
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": f"{version.name}（第 {version.version} 版）",
            "version": version, "next": NEXT[State(version.state)], "way": _way(version), "refused": refused,
            "deeds": [_offer(name, version, why, tried) for name, why in _in_order(theirs)],
            "may_write": theirs.get("write") == "", "may_assess": theirs.get("assess") == "",
            "faults": _faults(version), "comparison": desk.comparison(version, known),
            "columns": [(c.number, c.title, rows[c.name]) for c in COLUMNS if c.name != "fields"],
            "steps": version.steps.select_related("by").order_by("id"),
            "consultation": getattr(version, "consultation", None),
            "others": version.item.versions.exclude(pk=version.pk).order_by("-version"),
        }  # fmt: skip
        status = refused.status if refused else 422 if tried[1] is not None and tried[1].errors else 200
        return render(request, "admin/catalogue/itemversion/detail.html", context, status=status)

    def deed_view(self, request: HttpRequest, pk: int, name: str) -> HttpResponse:
        version, deed = self.one(request, pk), DEEDS[name]
        if request.method != "POST":
            return redirect("admin:catalogue_itemversion_change", pk)
        form = deed.form(request.POST, version=version)
        if not form.is_valid() and name in actions.deeds_for(version, signed_in(request)):
            return self._detail(request, version, tried=(name, form))
        data = {field: form.cleaned_data.get(field) or "" for field in form.fields}
        if refused := attempt(lambda: deed.act(version, signed_in(request), data)):
            return self._detail(request, self.one(request, pk), refused, tried=(name, form))
        messages.success(request, deed.done)
        if name == "discard":
            return redirect("admin:catalogue_item_change", version.item_id)
        return redirect("admin:catalogue_itemversion_change", pk)

    def edit_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        version, user = self.one(request, pk), signed_in(request)
        if refused := attempt(lambda: actions.allow("write", version, user)):
            return self._detail(request, version, refused)
        if request.method != "POST":
            return self._edit(request, version, DraftForms(version))
        if table := request.POST.get("more"):
            return self._edit(request, version, DraftForms.with_more(version, request.POST, table))
        draft = DraftForms(version, request.POST)
        if draft.is_valid() and (refused := attempt(lambda: draft.write(by=user))):
            refused.tell(draft.form)
        if draft.wrong:
            return self._edit(request, version, draft, status=422)
        messages.success(request, "草案已保存。")
        return redirect(f"admin:catalogue_itemversion_{'change' if 'then' in request.POST else 'edit'}", pk)

    def _edit(self, request: HttpRequest, version: ItemVersion, draft: DraftForms, status: int = 200) -> HttpResponse:
        stored = ItemVersion.objects.select_related("item__provider").get(pk=version.pk)
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": f"修改草案：{stored.name}",
            "version": stored, "draft": draft, "faults": _faults(stored),
        }  # fmt: skip
        return render(request, "admin/catalogue/itemversion/edit.html", context, status=status)

    def assess_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        version, user = self.one(request, pk), signed_in(request)
        if refused := attempt(lambda: actions.allow("assess", version, user)):
            return self._detail(request, version, refused)
        data = request.POST if request.method == "POST" else None
        form = AssessmentForm(data, initial=desk.blank_assessment(version))
        if form.is_valid():
            refused = attempt(lambda: actions.assess(version, by=user, values=form.cleaned_data))
            if refused is None:
                messages.success(request, "影响评估已登记，等候省信用办另一名工作人员复核。")
                return redirect("admin:catalogue_itemversion_change", pk)
            refused.tell(form)
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": f"影响评估：{version.name}",
            "form": form, "version": version,
        }  # fmt: skip
        template = "admin/catalogue/impactassessment/assess.html"
        return render(request, template, context, status=422 if form.errors else 200)


def one(model_admin: admin.ModelAdmin, request: HttpRequest, pk: str | int, among: QuerySet[Any] | None = None) -> Any:
    """Return an object of a list that the user may see. Raises PermissionDenied; Http404 for any other."""
    if not model_admin.has_view_permission(request):
        raise PermissionDenied("您没有查看的职责。")
    among = model_admin.get_queryset(request) if among is None else among
    found = among.filter(pk=pk).first() if str(pk).isdecimal() else None
    if found is None:
        raise Http404
    return found


def _in_order(theirs: dict[str, str]) -> list[tuple[str, str]]:
    return [(name, theirs[name]) for name in DEEDS if name in theirs]


def _offer(name: str, version: ItemVersion, why: str, tried: tuple[str, forms.Form | None]) -> dict[str, Any]:
    """Return a deed as the page shows it, with what was typed when it has just been refused."""
    form = tried[1] if tried[0] == name and tried[1] is not None else DEEDS[name].form(version=version)
    return {"name": name, "deed": DEEDS[name], "why_not": why, "form": form, "tried": tried[0] == name}


def _faults(version: ItemVersion) -> dict[str, list[str]]:
    """Return what is missing: now, and at the steps that follow."""
    found = faults(version.pk)
    later = [fault.text for fault in found if fault.code in BEFORE_ASSESSMENT]
    return {"now": [fault.text for fault in found if fault.code not in BEFORE_ASSESSMENT], "later": later}


def _way(version: ItemVersion) -> list[tuple[str, str]]:
    """Return the steps of the way with how far the version is: done, now or still to come."""
    way = [*WAY[:4], State.CONSULTATION, *WAY[4:]] if version.is_local else list(WAY)
    at = State(version.state)
    if at not in way:
        return []
    here = way.index(at)
    return [
        (state.label, "done" if place < here or at == State.IN_FORCE else "now" if place == here else "")
        for place, state in enumerate(way)
    ]
