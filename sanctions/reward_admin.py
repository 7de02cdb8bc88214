"""Rewards for officials: programmes by two hands, nominations, the queue, the check read with a line, decisions."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import F, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters

from access.web import STAFF_SITE, asker
from accounts.admin import AboutPersonsAdmin, ReadOnlyAdmin
from accounts.web import do_and_say, sentence_of, signed_in
from catalogue.deadline_admin import ProposalAdmin
from catalogue.deadline_forms import take_over
from catalogue.models import Deadline
from creditfujian.lib import masking
from records import scans
from sanctions import reward_papers, reward_programmes, reward_reading, rewards
from sanctions.models import RewardCase, RewardPaper, RewardProgramme
from sanctions.reward_forms import BenefitFormSet, DecisionForm, EndForm, NominationForm, PaperForm, ProgrammeForm
from sanctions.reward_models import DECIDE, NOMINATE

State = RewardCase.State


@admin.register(RewardProgramme)
class RewardProgrammeAdmin(ProposalAdmin):
    """What is rewarded and how: proposed by the unit that awards, confirmed by the credit office."""

    add_label = "提出激励项目"
    detail_template = "admin/sanctions/rewardprogramme/detail.html"
    propose_permission = reward_programmes.PROPOSE
    confirm_permission = reward_programmes.CONFIRM
    list_display = ["code", "name", "source", "organisation", "state", "valid_from", "valid_to"]
    list_filter = ["state", "source"]
    search_fields = ["code", "name", "organisation__name"]
    list_select_related = ["organisation", "proposed_by", "confirmed_by"]
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(self.propose_permission)

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.end_view)
        return [path("<int:pk>/end/", view, name="sanctions_rewardprogramme_end"), *super().get_urls()]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied("只有推荐、认定单位的经办人可以提出激励项目。")
        form, rows = ProgrammeForm(request.POST or None), BenefitFormSet(request.POST or None, prefix="benefits")
        if request.method == "POST" and form.is_valid() and rows.is_valid():
            benefits = [one.benefit for one in rows if one.benefit is not None]
            try:
                made = reward_programmes.propose(benefits=benefits, by=signed_in(request), **form.values())
            except ValidationError as error:
                take_over(form, error)
            else:
                messages.success(request, "已提出，等候省信用办确认。")
                return redirect("admin:sanctions_rewardprogramme_change", made.pk)
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": self.add_label, "form": form, "rows": rows,
        }  # fmt: skip
        status = 422 if form.errors or any(rows.errors) else 200
        return render(request, "admin/sanctions/rewardprogramme/propose.html", context, status=status)

    def end_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Let nobody be nominated under it any more."""
        programme, form = self.one(request, pk), EndForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            day = form.cleaned_data["on"]
            done = f"自 {day} 起不再推荐。"
            do_and_say(request, lambda: reward_programmes.end(programme.pk, on=day, by=signed_in(request)), done)
        elif request.method == "POST":
            messages.error(request, sentence_of(ValidationError("请填写停用日期。")))
        return redirect("admin:sanctions_rewardprogramme_change", pk)

    def more_context(self, proposal: RewardProgramme) -> dict[str, Any]:
        return {
            "benefits": proposal.benefits.select_related("organisation", "basis__instrument"), "end_form": EndForm(),
            "shown": [RewardProgramme.Shown(one).label for one in proposal.shown],
            "others": RewardProgramme.objects.filter(code=proposal.code).exclude(pk=proposal.pk),
            "is_open": proposal.state == RewardProgramme.State.IN_FORCE and proposal.valid_to is None,
        }  # fmt: skip

    def confirm(self, pk: int, request: HttpRequest) -> None:
        reward_programmes.confirm(pk, by=signed_in(request))

    def withdraw(self, pk: int, request: HttpRequest, reason: str) -> None:
        reward_programmes.withdraw(pk, by=signed_in(request), reason=reason)


Decide = Callable[[RewardCase, dict[str, str], Any], object]
DEEDS: dict[str, tuple[Decide, str]] = {
    "announce": (lambda case, _, by: rewards.announce(case, by=by), "已决定公示，已告知本人。"),
    "grant": (lambda case, _, by: rewards.grant(case, by=by), "已授予，荣誉信息已记入信用记录，已告知本人。"),
    "turn_down": (lambda case, data, by: rewards.turn_down(case, text=data["text"], by=by), "已决定不予授予，已告知本人。"),
    "resume": (lambda case, data, by: rewards.resume(case, text=data["text"], by=by), "已恢复，已告知本人。"),
    "revoke": (lambda case, data, by: rewards.revoke(case, by=by, **data), "已撤销，已告知本人。"),
}  # fmt: skip
# Which decisions may be taken in which state, with their words on the button.
OPEN: dict[str, list[tuple[str, str]]] = {
    State.CHECK: [("announce", "决定公示"), ("grant", "决定授予（本人未同意公示）"), ("turn_down", "不予授予")],
    State.NOTICE: [("grant", "决定授予"), ("turn_down", "不予授予")],
    State.GRANTED: [("revoke", "撤销荣誉")],
    State.PUBLISHED: [("revoke", "撤销荣誉")],
    State.SUSPENDED: [("resume", "恢复激励"), ("revoke", "撤销激励")],
}


@admin.register(RewardCase)
class RewardCaseAdmin(AboutPersonsAdmin):
    """The queue by due day; one case: where it stands, what is next, who may do it and until when."""

    add_label = "推荐激励"
    list_display = ["number_", "who", "programme", "state", "due_"]
    list_filter = ["state"]
    list_select_related = ["programme", "organisation"]
    list_per_page = 50

    @admin.display(description="激励编号", ordering="pk")
    def number_(self, case: RewardCase) -> str:
        return case.number

    @admin.display(description="本人")
    def who(self, case: RewardCase) -> str:
        return masking.name(case.person.name, masking.Profile.PUBLIC)

    @admin.display(description="届满日", ordering="due_on")
    def due_(self, case: Any) -> str:
        return f"{case.due_on:%Y-%m-%d}{'（超期）' if case.is_overdue else ''}" if case.due_on else ""

    def get_queryset(self, request: HttpRequest) -> QuerySet[RewardCase]:
        return RewardCase.objects.visible_to(signed_in(request)).with_due_day()

    def get_ordering(self, request: HttpRequest) -> list[Any]:
        return [F("due_on").asc(nulls_last=True), "-pk"]  # what runs out first, then the latest

    def has_view_permission(self, request: HttpRequest, obj: RewardCase | None = None) -> bool:
        return request.user.has_perm(NOMINATE) or request.user.has_perm(DECIDE)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(NOMINATE)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        own = [
            path("<int:pk>/decide/", view(self.decide_view), name="sanctions_rewardcase_decide"),
            path("<int:pk>/objection/", view(self.objection_view), name="sanctions_rewardcase_objection"),
        ]
        return own + super().get_urls()

    @method_decorator(sensitive_post_parameters("name", "id_number"))
    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied("您没有推荐激励的职责。")
        form = NominationForm(signed_in(request), request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                case = rewards.nominate(form.nomination(), by=asker(request, STAFF_SITE))
            except ValidationError as error:
                take_over(form, error)
            else:
                if case is not None:
                    messages.success(request, "已推荐，正在征求本人意见；本人同意以前什么都不会做。")
                    return redirect("admin:sanctions_rewardcase_change", case.pk)
                form.add_error("name", rewards.UNKNOWN)
        context = {**self.admin_site.each_context(request), "opts": self.opts, "title": self.add_label, "form": form}
        return render(request, "admin/sanctions/rewardcase/nominate.html", context, status=422 if form.errors else 200)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        return self._detail(request, self._one(request, object_id), DecisionForm())

    def decide_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        case, form, deed = self._one(request, pk), DecisionForm(request.POST or None), request.POST.get("deed", "")
        if request.method != "POST" or deed not in DEEDS:
            return redirect("admin:sanctions_rewardcase_change", pk)
        if form.is_valid():
            do, done = DEEDS[deed]
            try:
                do(case, form.cleaned_data, signed_in(request))
            except ValidationError as error:
                take_over(form, error)
            else:
                messages.success(request, done)
                return redirect("admin:sanctions_rewardcase_change", pk)
        return self._detail(request, self._one(request, pk), form)

    def objection_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Answer one objection to the notice."""
        self._one(request, pk)
        key, text = request.POST.get("objection", ""), request.POST.get("text", "")
        if request.method == "POST" and key.isdecimal():
            deed = lambda: rewards.answer_objection(int(key), text=text, by=signed_in(request))  # noqa: E731
            do_and_say(request, deed, "已答复，公示页面会显示。")
        return redirect("admin:sanctions_rewardcase_change", pk)

    def _one(self, request: HttpRequest, pk: str | int) -> RewardCase:
        if not self.has_view_permission(request):
            raise PermissionDenied("您没有办理激励的职责。")
        found = RewardCase.objects.visible_to(signed_in(request)).select_related(
            "programme", "organisation", "nominated_by", "decided_by"
        )
        if not str(pk).isdecimal() or (case := found.filter(pk=int(pk)).first()) is None:
            raise Http404
        return case

    def _detail(self, request: HttpRequest, case: RewardCase, form: forms.Form) -> HttpResponse:
        user = signed_in(request)
        checks = case.state in (State.CHECK, State.NOTICE, State.SUSPENDED, *RewardCase.IN_BENEFIT)
        opens = request.GET.get("check") == "1" and checks
        person, hits = reward_reading.check_of(case, by=asker(request, STAFF_SITE)) if opens else (None, [])
        why_not = rewards.why_not_decide(case, user)
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": f"激励办理 {case.number}", "case": case,
            "form": form, "checks": checks, "opens": opens, "person": person, "hits": hits, "why_not": why_not,
            "deeds": [] if why_not else self._open(case), "consents": _last_words(case),
            "steps": case.steps.select_related("by").order_by("-id"), "objections": case.objections.order_by("id"),
            "clock": Deadline.objects.of(case).filter(met_on=None).select_related("rule").first(),
            "benefits": case.programme.benefits.select_related("organisation"),
        }  # fmt: skip
        status = 422 if form.errors else 200
        return render(request, "admin/sanctions/rewardcase/detail.html", context, status=status)

    def _open(self, case: RewardCase) -> list[tuple[str, str]]:
        """Return the decisions that fit what the person wants made public."""
        announces = rewards.agrees(case, rewards.Scope.NOTICE)
        unfit = {"announce"} if not announces else {"grant"} if case.state == State.CHECK else set()
        return [one for one in OPEN.get(case.state, []) if one[0] not in unfit]


def _last_words(case: RewardCase) -> list[tuple[str, bool]]:
    """Return what the person last said to each subject."""
    last = {consent.scope: consent for consent in case.consents.order_by("id")}
    return [(consent.get_scope_display(), consent.given) for consent in last.values()]


class ReasonForm(forms.Form):
    """Why a paper goes back."""

    reason = forms.CharField(label="退回理由", max_length=200, required=False)


@admin.register(RewardPaper)
class RewardPaperAdmin(ReadOnlyAdmin):
    """Answers on paper at the counter: entered with the scan by one clerk, compared by another."""

    add_label = "录入激励的书面答复"
    list_display = ["number", "deed", "signed_on", "entered_by", "state"]
    list_filter = ["state"]
    list_select_related = ["entered_by"]
    list_per_page = 50

    @admin.display(description="编号", ordering="pk")
    def number(self, paper: RewardPaper) -> str:
        return str(paper)

    def get_queryset(self, request: HttpRequest) -> QuerySet[RewardPaper]:
        return RewardPaper.objects.visible_to(signed_in(request))

    def has_view_permission(self, request: HttpRequest, obj: RewardPaper | None = None) -> bool:
        return request.user.has_perm(reward_papers.CHECK)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(reward_papers.ENTER)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        own = [
            path("<int:pk>/scan/", view(self.scan_view), name="sanctions_rewardpaper_scan"),
            path("<int:pk>/approve/", view(self.approve_view), name="sanctions_rewardpaper_approve"),
            path("<int:pk>/return/", view(self.return_view), name="sanctions_rewardpaper_return"),
        ]
        return own + super().get_urls()

    @method_decorator(sensitive_post_parameters("name", "id_number"))
    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied(reward_papers.NO_DUTY)
        form = PaperForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            try:
                paper = reward_papers.enter(form.signed(), by=asker(request, STAFF_SITE))
            except ValidationError as error:
                take_over(form, error)
            else:
                if paper is not None:
                    return redirect("admin:sanctions_rewardpaper_change", paper.pk)
                form.add_error("name", "姓名与证件号码不符，没有录入；本次尝试已记入查询日志。请核对证件。")
        return self._page(request, "enter", self.add_label, status=422 if form.errors else 200, form=form)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        paper, user = self._one(request, object_id), signed_in(request)
        why_not = reward_papers.why_not_check(paper, user)
        return self._page(request, "detail", str(paper), paper=paper, why_not=why_not, form=ReasonForm())

    def scan_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Hand the scan out as a file: it is never shown inside the site."""
        paper = self._one(request, pk)
        if request.method != "POST":
            return redirect("admin:sanctions_rewardpaper_change", pk)
        content = reward_papers.scan_of(paper, by=asker(request, STAFF_SITE))
        answer = HttpResponse(content, content_type=scans.MIME[scans.Type(paper.type)])
        answer["Content-Disposition"] = f'attachment; filename="reward-answer-{paper.pk}.{paper.type}"'
        return answer

    def approve_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        by = signed_in(request)
        return self._do(request, pk, lambda: reward_papers.approve(pk, by=by), "已复核，本人的答复生效。")

    def return_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        by, reason = signed_in(request), request.POST.get("reason", "")
        return self._do(request, pk, lambda: reward_papers.send_back(pk, by=by, reason=reason), "已退回。")

    def _do(self, request: HttpRequest, pk: int, deed: Callable[[], object], done: str) -> HttpResponse:
        self._one(request, pk)
        if request.method == "POST":
            do_and_say(request, deed, done)
        return redirect("admin:sanctions_rewardpaper_change", pk)

    def _one(self, request: HttpRequest, pk: str | int) -> RewardPaper:
        mine = self.get_queryset(request).select_related("file", "entered_by", "checked_by")
        if not str(pk).isdecimal() or (one := mine.filter(pk=int(pk)).first()) is None:
            raise Http404
        return one

    def _page(self, request: HttpRequest, name: str, title: str, *, status: int = 200, **more: Any) -> HttpResponse:
        context = {**self.admin_site.each_context(request), "opts": self.opts, "title": title, **more}
        return render(request, f"admin/sanctions/rewardpaper/{name}.html", context, status=status)
