"""Cases on who somebody is: looked into here by one official of the credit office, decided here by another."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters

from access.actions import Asker
from access.web import STAFF_SITE, asker
from accounts.admin import ReadOnlyAdmin
from accounts.web import do_and_say, signed_in
from catalogue.models import Deadline
from records import persons
from records.act_forms import DecideForm
from records.person_forms import AnswerForm, AttestForm, DeathForm, MergeForm, MoveForm, PaperForm
from records.person_models import CaseSource, PersonCase
from records.person_reading import names_of, subjects_of

Kind, State = PersonCase.Kind, PersonCase.State
DEEDS: dict[str, tuple[type[PaperForm], Callable[..., PersonCase]]] = {
    Kind.DEATH: (DeathForm, persons.ask_death),
    Kind.MERGE: (MergeForm, persons.ask_merge),
    Kind.MOVE: (MoveForm, persons.ask_move),
}


@admin.register(PersonCase)
class PersonCaseAdmin(ReadOnlyAdmin):
    """Look into a conflict, propose, decide; suppliers say what their documents show."""

    add_label = "申请办理"
    list_display = ["number_", "kind", "state", "answer", "opened_at", "due_"]
    list_filter = ["state", "kind"]
    list_per_page = 50

    @admin.display(description="编号", ordering="pk")
    def number_(self, case: PersonCase) -> str:
        return case.number

    @admin.display(description="届满日")
    def due_(self, case: PersonCase) -> str:
        clock = Deadline.objects.of(case).order_by("-pk").first()
        return "" if clock is None else f"{clock.due_text}{'（超期）' if clock.is_overdue() else ''}"

    def get_queryset(self, request: HttpRequest) -> QuerySet[PersonCase]:
        return PersonCase.objects.visible_to(signed_in(request))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("records.ask_personcase")

    def has_view_permission(self, request: HttpRequest, obj: PersonCase | None = None) -> bool:
        return any(
            request.user.has_perm(f"records.{duty}") for duty in ("ask_personcase", "decide_personcase", "attest_name")
        )

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        own = [
            path("<int:pk>/answer/", view(self.answer_view), name="records_personcase_answer"),
            path("<int:pk>/decide/", view(self.decide_view), name="records_personcase_decide"),
            path("<int:pk>/take-back/", view(self.take_back_view), name="records_personcase_take_back"),
            path("<int:pk>/undo/", view(self.undo_view), name="records_personcase_undo"),
            path("<int:pk>/attest/", view(self.attest_view), name="records_personcase_attest"),
        ]
        return own + super().get_urls()

    @method_decorator(sensitive_post_parameters("name", "id_number", "other_name", "other_number"))
    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied("您没有办理人员身份事项的职责。")
        what = request.GET.get("kind", "")
        if what not in DEEDS:
            return self._page(request, "ask", "申请办理", kinds=[Kind(kind) for kind in DEEDS])
        form_class, deed = DEEDS[what]
        form = form_class(request.POST or None)
        return self._ask(request, form, Kind(what).label, lambda by: deed(**form.cleaned_data, by=by))

    def undo_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        case = self._case(request, pk)
        if not self.has_add_permission(request) or case.kind not in PersonCase.UNDO:
            raise PermissionDenied("这张核对单不能撤销，或者您没有办理人员身份事项的职责。")
        form, title = PaperForm(request.POST or None), f"{PersonCase.UNDO[Kind(case.kind)].label} {case.number}"
        return self._ask(request, form, title, lambda by: persons.ask_undoing(case.pk, **form.cleaned_data, by=by))

    def _ask(
        self, request: HttpRequest, form: PaperForm, title: str, deed: Callable[[Asker], PersonCase]
    ) -> HttpResponse:
        if request.method == "POST" and form.is_valid():
            try:
                case = deed(asker(request, STAFF_SITE))
            except ValidationError as error:
                form.add_error(None, error)
            else:
                messages.success(request, "已提交，由另一名工作人员审核；审核前登记没有变化。")
                return redirect("admin:records_personcase_change", case.pk)
        return self._page(request, "ask", title, status=422 if form.errors else 200, form=form)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        case = self._case(request, object_id)
        return self._detail(request, case, shows=request.GET.get("names") == "1")

    @method_decorator(sensitive_post_parameters("new_name"))
    def answer_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        case, form = self._case(request, pk), AnswerForm(request.POST or None)
        if request.method != "POST" or case.kind != Kind.NAME:
            return redirect("admin:records_personcase_change", pk)
        if form.is_valid():
            try:
                persons.answer_name(case.pk, by=signed_in(request), **form.cleaned_data)
            except ValidationError as error:
                form.add_error(None, error)
            else:
                return redirect("admin:records_personcase_change", pk)
        return self._detail(request, case, shows=True, form=form)

    def decide_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        case, form = self._case(request, pk), DecideForm(request.POST or None)
        if request.method != "POST" or not form.is_valid():
            return redirect("admin:records_personcase_change", pk)
        agree = request.POST.get("agree") == "1"
        deed = lambda: persons.decide(case.pk, by=signed_in(request), agree=agree, note=form.cleaned_data["note"])  # noqa: E731
        return self._do(request, pk, deed, "已同意并办结。" if agree else "已退回核对人。")

    def take_back_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        case = self._case(request, pk)
        if request.method != "POST":
            return redirect("admin:records_personcase_change", pk)
        return self._do(
            request, pk, lambda: persons.take_back(case.pk, by=signed_in(request)), "已撤回，登记没有变化。"
        )

    def attest_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        case, form = self._case(request, pk), AttestForm(request.POST or None)
        user = signed_in(request)
        mine = CaseSource.objects.filter(case=case, batch__supplier=user.organisation_id, says="").first()
        if request.method != "POST" or mine is None or not form.is_valid():
            return redirect("admin:records_personcase_change", pk)
        says = CaseSource.Says(form.cleaned_data["says"])
        deed = lambda: persons.attest(mine.pk, by=user, says=says)  # noqa: E731
        return self._do(request, pk, deed, "已记下本单位的说明，省信用办核对时会看到。")

    def _do(self, request: HttpRequest, pk: int, deed: Any, done: str) -> HttpResponse:
        do_and_say(request, deed, done)
        return redirect("admin:records_personcase_change", pk)

    def _case(self, request: HttpRequest, pk: str | int) -> PersonCase:
        found = self.get_queryset(request).select_related("undoes", "asked_by", "decided_by")
        if not str(pk).isdecimal() or (case := found.filter(pk=pk).first()) is None:
            raise Http404
        return case

    def _detail(
        self, request: HttpRequest, case: PersonCase, *, shows: bool, form: AnswerForm | None = None
    ) -> HttpResponse:
        user = signed_in(request)
        is_office = user.has_perm("records.ask_personcase") or user.has_perm("records.decide_personcase")
        if shows and not is_office:
            raise PermissionDenied("只有省信用办可以查看登记的姓名。")
        sources = case.sources.select_related("batch__supplier", "batch__item", "said_by")
        if not is_office:
            sources = sources.filter(batch__supplier=user.organisation_id)
        is_name, by = case.kind == Kind.NAME, asker(request, STAFF_SITE)
        names = names_of(case, by=by) if shows and is_name else None
        context = {
            "case": case, "subjects": subjects_of(case, by=by) if shows and not is_name else None,
            "undoable": case.kind in PersonCase.UNDO and case.state == State.DONE and not case.undone_by.exclude(
                state__in=[State.REFUSED, State.DROPPED]).exists() and user.has_perm("records.ask_personcase"),
            "is_office": is_office, "names": names, "sources": sources, "about": case.about.order_by("pk"),
            "clock": Deadline.objects.of(case).order_by("-pk").first(), "steps": case.steps.select_related("by"),
            "why_not": persons.why_not_decide(case, user), "mine": case.asked_by_id == user.pk, "decide_form": DecideForm(),
            "may_answer": case.state == State.OPEN and user.has_perm("records.ask_personcase"),
            "to_attest": sources.filter(says="").first() if user.has_perm("records.attest_name") and case.state == State.OPEN else None,
            "attest_form": AttestForm(),
            "form": form or AnswerForm(initial={"new_name": names.delivered} if names else None),
        }  # fmt: skip
        status = 422 if form is not None and form.errors else 200
        return self._page(request, "detail", f"{case.get_kind_display()} {case.number}", status=status, **context)

    def _page(self, request: HttpRequest, name: str, title: str, *, status: int = 200, **more: Any) -> HttpResponse:
        context = {**self.admin_site.each_context(request), "opts": self.opts, "title": title,
                   "today": timezone.localdate(), **more}  # fmt: skip
        return render(request, f"admin/records/personcase/{name}.html", context, status=status)
