"""Reviews of statements by the person: looked at and proposed by one official, decided by another, told to the person."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path

from access.web import STAFF_SITE, asker
from accounts.admin import ReadOnlyAdmin
from accounts.web import do_and_say, signed_in
from catalogue.models import Deadline
from records import holds
from records.hold_models import StatementHold

State = StatementHold.State


class LookForm(forms.Form):
    """Which statement, and why it is looked at."""

    number = forms.CharField(label="记录编号", max_length=24, help_text="声明所在记录的编号，R 开头的 20 位。")
    why = forms.CharField(
        label="为什么复核",
        max_length=200,
        help_text="例如：接到反映，声明中写有他人住址。本人看得到；不写姓名和证件号码。",
    )

    def clean_number(self) -> str:
        return self.cleaned_data["number"].strip().upper()


class ProposeForm(forms.Form):
    """On what ground, and what the person is to change."""

    ground = forms.ChoiceField(label="理由", choices=[("", "请选择"), *StatementHold.Ground.choices])
    told = forms.CharField(
        label="告知本人：哪里不行，怎样改", max_length=300, widget=forms.Textarea(attrs={"rows": 3}),
        help_text="本人凭这段话修改声明。说清是哪一句，不照抄他人的信息。",
    )  # fmt: skip


class NoteForm(forms.Form):
    """The second official's word."""

    note = forms.CharField(label="审核意见", max_length=300, required=False, help_text="不同意须写明理由。")


class AnswerForm(forms.Form):
    """The answer to the person."""

    answer = forms.CharField(label="答复本人", max_length=300, required=False, help_text="维持的须写明理由。")


@admin.register(StatementHold)
class StatementHoldAdmin(ReadOnlyAdmin):
    """Look, propose, decide, lift, answer. The words are opened on demand, each time with a query line."""

    add_label = "复核一条声明"
    list_display = ["number_", "record_no", "state", "ground", "asked_by", "opened_at"]
    list_filter = ["state", "ground"]
    list_select_related = ["asked_by"]
    list_per_page = 50

    @admin.display(description="复核号", ordering="pk")
    def number_(self, hold: StatementHold) -> str:
        return hold.number

    def get_queryset(self, request: HttpRequest) -> QuerySet[StatementHold]:
        return StatementHold.objects.visible_to(signed_in(request))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("records.hold_statement")

    def has_view_permission(self, request: HttpRequest, obj: StatementHold | None = None) -> bool:
        return self.has_add_permission(request)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_add_permission(request)

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        deeds = {
            "propose": self.propose_view, "decide": self.decide_view, "drop": self.drop_view, "lift": self.lift_view,
            "uphold": self.uphold_view,
        }  # fmt: skip
        own = [
            path(f"<int:pk>/{deed}/", view(page), name=f"records_statementhold_{deed}") for deed, page in deeds.items()
        ]
        return own + super().get_urls()

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied(holds.NO_DUTY)
        form = LookForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                hold = holds.look(form.cleaned_data["number"], why=form.cleaned_data["why"], by=signed_in(request))
            except ValidationError as error:
                form.add_error(None, error)
            else:
                return redirect("admin:records_statementhold_change", hold.pk)
        return self._page(request, "look", "复核一条声明", status=422 if form.errors else 200, form=form)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        return self._detail(request, self._one(request, object_id))

    def propose_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        hold, form = self._one(request, pk), ProposeForm(request.POST or None)
        if request.method == "POST" and not form.is_valid():
            return self._detail(request, hold, status=422, propose=form)
        by = signed_in(request)
        return self._do(
            request, pk, lambda: holds.propose(pk, **form.cleaned_data, by=by), "已提出，等候另一名工作人员审核。"
        )

    def decide_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        self._one(request, pk)
        agree, note, by = request.POST.get("agree") == "1", request.POST.get("note", ""), signed_in(request)
        said = "已暂停显示，本人登录后可以看到理由。" if agree else "已答复不同意，声明照常显示。"
        return self._do(request, pk, lambda: holds.decide(pk, agree=agree, note=note, by=by), said)

    def drop_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        self._one(request, pk)
        return self._do(request, pk, lambda: holds.drop(pk, by=signed_in(request)), "复核已结束，声明照常显示。")

    def lift_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        self._one(request, pk)
        answer, by = request.POST.get("answer", ""), signed_in(request)
        return self._do(request, pk, lambda: holds.lift(pk, answer=answer, by=by), "声明已恢复显示。")

    def uphold_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        self._one(request, pk)
        answer, by = request.POST.get("answer", ""), signed_in(request)
        return self._do(request, pk, lambda: holds.uphold(pk, answer=answer, by=by), "已答复本人。")

    def _do(self, request: HttpRequest, pk: int, deed: Callable[[], object], done: str) -> HttpResponse:
        if request.method == "POST":
            do_and_say(request, deed, done)
        return redirect("admin:records_statementhold_change", pk)

    def _one(self, request: HttpRequest, pk: str | int) -> StatementHold:
        mine = self.get_queryset(request).select_related("organisation", "asked_by", "decided_by", "answered_by")
        if not str(pk).isdecimal() or (hold := mine.filter(pk=pk).first()) is None:
            raise Http404
        return hold

    def _detail(
        self, request: HttpRequest, hold: StatementHold, *, status: int = 200, propose: ProposeForm | None = None
    ) -> HttpResponse:
        user, is_open = signed_in(request), hold.state in StatementHold.OPEN
        words = None
        if is_open and request.GET.get("words") == "1":
            words = holds.words_of(hold, by=asker(request, STAFF_SITE))
        return self._page(
            request, "detail", f"声明复核 {hold.number}", status=status, hold=hold, words=words, is_open=is_open,
            mine=hold.asked_by_id == user.pk, decided=hold.decided_by_id == user.pk, propose=propose or ProposeForm(),
            note=NoteForm(), answer=AnswerForm(), clock=Deadline.objects.of(hold).order_by("-pk").first(),
            unanswered=hold.review_at is not None and hold.answered_at is None,
            has_read=is_open and holds.has_read(hold, user), not_read=holds.NOT_READ,
        )  # fmt: skip

    def _page(self, request: HttpRequest, name: str, title: str, *, status: int, **more: Any) -> HttpResponse:
        context = {**self.admin_site.each_context(request), "opts": self.opts, "title": title, **more}
        return render(request, f"admin/records/statementhold/{name}.html", context, status=status)
