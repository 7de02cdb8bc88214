"""Acts on records outside batches, and the proofs of disposal: asked here by one official, decided here by another."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import F, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone

from access.web import STAFF_SITE, asker
from accounts.admin import ReadOnlyAdmin
from accounts.web import do_and_say, signed_in
from catalogue.models import Deadline
from records import acts
from records.act_forms import AskForm, CorrectionForm, DecideForm
from records.act_reading import records_of
from records.life_models import Disposal, RecordAct

State = RecordAct.State


@admin.register(RecordAct)
class RecordActAdmin(ReadOnlyAdmin):
    """Ask, fill in a correction, decide, drop; the list says what waits and until when."""

    add_label = "申请办理"
    list_display = ["number_", "kind", "state", "asked_by", "asked_at", "due_"]
    list_filter = ["state", "kind"]
    list_select_related = ["asked_by", "organisation"]
    list_per_page = 50

    @admin.display(description="办理单号", ordering="pk")
    def number_(self, act: RecordAct) -> str:
        return act.number

    @admin.display(description="届满日", ordering="due_on")
    def due_(self, act: Any) -> str:
        if act.due_on is None:
            return ""
        return f"{act.due_on:%Y-%m-%d}{'（暂定）' if act.due_provisional else ''}{'（超期）' if act.is_overdue else ''}"

    def get_queryset(self, request: HttpRequest) -> QuerySet[RecordAct]:
        return RecordAct.objects.visible_to(signed_in(request)).with_due_day()

    def get_ordering(self, request: HttpRequest) -> list[Any]:
        return [F("due_on").asc(nulls_last=True), "-pk"]  # what runs out first, then the latest

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("records.ask_act")

    def has_view_permission(self, request: HttpRequest, obj: RecordAct | None = None) -> bool:
        return request.user.has_perm("records.ask_act") or request.user.has_perm("records.decide_act")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        own = [
            path("<int:pk>/correct/", view(self.correct_view), name="records_recordact_correct"),
            path("<int:pk>/decide/", view(self.decide_view), name="records_recordact_decide"),
            path("<int:pk>/drop/", view(self.drop_view), name="records_recordact_drop"),
        ]
        return own + super().get_urls()

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied("您没有申请更正、撤回、撤销的职责。")
        user = signed_in(request)
        form = AskForm(request.POST or None, organisation=user.organisation)
        if request.method == "POST" and form.is_valid():
            data = form.cleaned_data
            try:
                act = acts.ask(
                    RecordAct.Kind(data["kind"]), data["numbers"], by=user, reason=data["reason"], marks=data["marks"],
                    document_no=data["document_no"], document_date=data["document_date"],
                )  # fmt: skip
            except ValidationError as error:
                form.add_error(None, error)
            else:
                step = "correct" if act.kind == RecordAct.Kind.CORRECT else "change"
                return redirect(f"admin:records_recordact_{step}", act.pk)
        return self._page(request, "ask", "申请办理", form, form=form)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        return self._detail(request, self._act(request, object_id), DecideForm())

    def _detail(self, request: HttpRequest, act: RecordAct, form: DecideForm) -> HttpResponse:
        user = signed_in(request)
        is_open = act.state in (State.DRAFT, State.ASKED)
        shows = is_open and request.GET.get("records") == "1"
        records = records_of(act, by=asker(request, STAFF_SITE)) if shows else None  # before it is asked who has looked
        return self._page(
            request, "detail", f"办理单 {act.number}", form, act=act, form=form, is_open=is_open,
            about=act.about.order_by("id"), clock=Deadline.objects.of(act).order_by("-pk").first(),
            why_not=acts.why_not_decide(act, user), mine=act.asked_by_id == user.pk, records=records,
        )  # fmt: skip

    def correct_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        act, by = self._act(request, pk), asker(request, STAFF_SITE)
        if act.asked_by_id != signed_in(request).pk or act.state != State.DRAFT or act.kind != RecordAct.Kind.CORRECT:
            raise PermissionDenied("只有申请人可以填写尚未提交的更正。")
        with transaction.atomic():  # one opening of the record, one query line, whether it is shown or handed in
            record, version, person = acts.correction_of(act, by=by)
            form = CorrectionForm(request.POST or None, rules=acts.schema_of(record), initial=version.content)
            if request.method == "POST" and form.is_valid():
                opened = (record, version, person)
                problems = acts.propose_correction(act.pk, form.cleaned_data, by=by, opened=opened)
                for code, found in problems.items():
                    for message in found:
                        form.add_error(code if code in form.fields else None, message)
                if not problems:
                    messages.success(request, "更正已提交，等候本单位另一名审核员审核。")
                    return redirect("admin:records_recordact_change", act.pk)
        return self._page(request, "correct", f"更正 {act.number}", form, form=form, act=act, record=record)

    def decide_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        act, form = self._act(request, pk), DecideForm(request.POST or None)
        if request.method != "POST" or not form.is_valid():
            return redirect("admin:records_recordact_change", pk)
        agree = request.POST.get("agree") == "1"
        deed = lambda: acts.decide(act.pk, by=signed_in(request), agree=agree, note=form.cleaned_data["note"])  # noqa: E731
        return self._do(request, pk, deed, "已同意并办结。" if agree else "已退回申请人。")

    def drop_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        act = self._act(request, pk)
        if request.method != "POST":
            return redirect("admin:records_recordact_change", pk)
        return self._do(request, pk, lambda: acts.drop(act.pk, by=signed_in(request)), "申请已撤销，记录没有变化。")

    def _do(self, request: HttpRequest, pk: int, deed: Any, done: str) -> HttpResponse:
        do_and_say(request, deed, done)
        return redirect("admin:records_recordact_change", pk)

    def _act(self, request: HttpRequest, pk: str | int) -> RecordAct:
        found = RecordAct.objects.visible_to(signed_in(request)).select_related(
            "asked_by", "decided_by", "organisation", "marks"
        )
        if not str(pk).isdecimal() or (act := found.filter(pk=pk).first()) is None:
            raise Http404
        return act

    def _page(self, request: HttpRequest, name: str, title: str, tried: Any, **more: Any) -> HttpResponse:
        context = {**self.admin_site.each_context(request), "opts": self.opts, "title": title,
                   "today": timezone.localdate(), **more}  # fmt: skip
        template = f"admin/records/recordact/{name}.html"
        return render(request, template, context, status=422 if tried.is_bound and tried.errors else 200)


@admin.register(Disposal)
class DisposalAdmin(ReadOnlyAdmin):
    """Proofs of deletion, for auditors: record numbers and keyed hashes, no personal data."""

    list_display = ["record_no", "item", "rule", "expired_on", "disposed_on", "versions", "statements"]
    list_filter = ["rule"]
    list_select_related = ["item"]
    search_fields = ["record_no"]
    show_full_result_count = False
    fields = ["record_no", "item", "rule", "basis", "expired_on", "disposed_on", "versions", "statements", "contents",
              "key_id", "proof_"]  # fmt: skip
    readonly_fields = ["proof_"]

    @admin.display(description="删除内容的带密钥摘要")
    def proof_(self, disposal: Disposal) -> str:
        return bytes(disposal.proof).hex()
