"""Cases for those who run a roster: what waits and until when, and a page that says where a case is and what may be done now."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import F, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters

from access.actions import Asker
from access.web import STAFF_SITE, asker
from accounts import people
from accounts.admin import ReadOnlyAdmin
from accounts.web import signed_in
from catalogue.deadline_forms import take_over
from catalogue.models import Deadline
from creditfujian.lib import masking
from sanctions import cases
from sanctions.case_forms import (
    DecisionForm,
    DraftForm,
    EarlyForm,
    NoteForm,
    OpenForm,
    OpinionForm,
    PaperForm,
    ReasonForm,
    RepairServiceForm,
    ServiceForm,
    WordsForm,
)
from sanctions.case_models import HANDS, UNDER_WAY, CaseFile, CasePaper, ListingCase
from sanctions.listing_models import Listing

Kind = CasePaper.Kind
Deed = Callable[[ListingCase, Any, Asker], object]


@dataclass(frozen=True)
class Step:
    """A step as the page offers it: what it is called, its form, and what is done with it."""

    label: str
    told: str
    form: type[forms.Form] | None
    deed: Deed
    grave: bool = False


def _with_paper(kind: str, deed: Callable[[ListingCase, CasePaper, Any, Asker], object]) -> Deed:
    """Register the paper first, then do the step that rests on it: both or neither."""

    def both(case: ListingCase, data: Any, by: Asker) -> object:
        paper = {name: data[name] for name in ("number", "issuer", "dated", "digest")}
        return deed(case, cases.add_paper(case, kind, by=by, **paper | {"digest": paper["digest"].lower()}), data, by)

    return both


def _decision_served(case: ListingCase, proof: CasePaper, data: Any, by: Asker) -> object:
    cases.add_paper(case, Kind.REPAIR_NOTICE, digest=data["repair_digest"].lower(), dated=data["dated"], by=by)
    return cases.decision_served(case.pk, way=data["way"], on=data["on"], proof=proof, by=by)


STEPS: dict[str, Step] = {
    "draft": Step("拟稿", "写明告知书的内容。由另一名经办人协办后定稿，定稿后不能再改。", DraftForm,
                  lambda case, data, by: cases.draft(case.pk, by=by, **data)),
    "cosign": Step("协办定稿", "核对事实、证据、措施和期限，无误后定稿。", None, lambda case, data, by: cases.cosign(case.pk, by=by)),
    "notice": Step("签发拟列入告知书", "登记已签发的告知书。", PaperForm, _with_paper(
        Kind.NOTICE, lambda case, paper, data, by: cases.issue_notice(case.pk, paper=paper, by=by))),
    "notice_served": Step("登记告知书送达", "陈述申辩期自送达的次日起算，期满之前不能复核和列入。", ServiceForm, _with_paper(
        Kind.NOTICE_RECEIPT,
        lambda case, paper, data, by: cases.notice_served(case.pk, way=data["way"], on=data["on"], proof=paper, by=by))),
    "defend": Step("登记陈述申辩", "当事人书面或者口头提出的，如实记入。", WordsForm,
                   lambda case, data, by: cases.file_defence(case.pk, text=data["text"], by=by)),
    "review": Step("复核", "对陈述申辩逐条回应；没有提出的，写明未提出。不得因申辩而加重。", OpinionForm, _with_paper(
        Kind.REVIEW, lambda case, paper, data, by: cases.review(case.pk, text=data["text"], paper=paper, by=by))),
    "legal_check": Step("法制审核", "核对权限、程序、依据和证据。", OpinionForm, _with_paper(
        Kind.LEGAL, lambda case, paper, data, by: cases.legal_check(case.pk, text=data["text"], paper=paper, by=by))),
    "upper_consent": Step("上级机关同意", "登记同意列入的文书。", NoteForm, _with_paper(
        Kind.CONSENT,
        lambda case, paper, data, by: cases.upper_consent(case.pk, paper=paper, note=data["note"], by=by))),
    "decide": Step("决定列入", "措施、期限和公示不能超出告知书写明的范围。", DecisionForm, _with_paper(
        Kind.DECISION, lambda case, paper, data, by: cases.decide(
            case.pk, text=data["text"], measures=data["measures"], term_months=data["term_months"], public=data["public"],
            paper=paper, by=by)), grave=True),
    "decide_not": Step("决定不予列入", "登记不予列入决定书。", NoteForm, _with_paper(
        Kind.NOT_LISTING, lambda case, paper, data, by: cases.decide_not(case.pk, note=data["note"], paper=paper, by=by))),
    "decision_served": Step("登记决定送达", "信用修复告知书须一并送达（两书同达）。", RepairServiceForm,
                            _with_paper(Kind.RECEIPT, _decision_served)),
    "list": Step("列入名单", "列入后记录进入信用档案，措施随之生效；决定公示的，最早从送达的下一个工作日起公示。", None,
                 lambda case, data, by: cases.list_person(case.pk, by=by), grave=True),
    "remedy": Step("已改正，不予列入", "登记改正证明和承诺书。", NoteForm, _with_paper(
        Kind.REMEDY, lambda case, paper, data, by: cases.remedy(case.pk, note=data["note"], paper=paper, by=by))),
    "suspend": Step("停止执行", "复议机关或者人民法院决定停止执行的，当天停止公示和措施。", NoteForm, _with_paper(
        Kind.SUSPENSION, lambda case, paper, data, by: cases.suspend(case.pk, note=data["note"], paper=paper, by=by))),
    "resume": Step("恢复执行", "期限不因停止执行而延长。", NoteForm, _with_paper(
        Kind.RESUMPTION, lambda case, paper, data, by: cases.resume(case.pk, note=data["note"], paper=paper, by=by))),
    "remove_early": Step("提前移出", "登记移出决定书，当天解除公示和措施。", EarlyForm, _with_paper(
        Kind.REMOVAL, lambda case, paper, data, by: cases.remove_early(
            case.pk, shown=data["shown"], note=data["note"], paper=paper, by=by))),
    "annul": Step("撤销", "所依据的文书被撤销、确认违法或者无效的，撤销全部后果。", NoteForm, _with_paper(
        Kind.ANNULMENT, lambda case, paper, data, by: cases.annul(case.pk, note=data["note"], paper=paper, by=by)), grave=True),
    "close": Step("终止案件", "决定之前不再办理的，写明理由。", ReasonForm,
                  lambda case, data, by: cases.close(case.pk, note=data["note"], by=by)),
}  # fmt: skip


class QueueFilter(admin.SimpleListFilter):
    """What is under way, what is overdue."""

    title = "进展"
    parameter_name = "queue"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("open", "办理中"), ("overdue", "已超期")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        kinds: Any = {"open": queryset.under_way, "overdue": lambda: queryset.filter(is_overdue=True)}
        return kinds[self.value()]() if self.value() in kinds else queryset


@admin.register(ListingCase)
class ListingCaseAdmin(ReadOnlyAdmin):
    """The queue by due day, and the page of a case. The list names nobody; the page opens the file under a line."""

    add_label = "立案"
    list_display = ["number_", "roster_", "state", "organisation", "opened_on", "due_"]
    list_filter = [QueueFilter, "state"]
    list_select_related = ["roster_version__roster", "organisation"]
    list_per_page = 50

    @admin.display(description="案件编号", ordering="pk")
    def number_(self, case: ListingCase) -> str:
        return case.number

    @admin.display(description="名单")
    def roster_(self, case: ListingCase) -> str:
        return str(case.roster_version.roster)

    @admin.display(description="届满日", ordering="due_on")
    def due_(self, case: Any) -> str:
        if case.due_on is None:
            return ""
        return (
            f"{case.due_on:%Y-%m-%d}{'（暂定）' if case.due_provisional else ''}{'（超期）' if case.is_overdue else ''}"
        )

    def get_queryset(self, request: HttpRequest) -> QuerySet[ListingCase]:
        return ListingCase.objects.visible_to(signed_in(request)).with_due_day()

    def get_ordering(self, request: HttpRequest) -> list[Any]:
        return [F("due_on").asc(nulls_last=True), "-pk"]  # what runs out first, then the latest

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("sanctions.propose_listing")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return any(request.user.has_perm(hand) for hand in HANDS)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.step_view)
        return [path("<int:pk>/step/<str:step>/", view, name="sanctions_listingcase_step"), *super().get_urls()]

    @method_decorator(sensitive_post_parameters("name", "id_number"))
    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied("您没有经办列入名单的职责。")
        form = OpenForm(request.POST or None, organisation=signed_in(request).organisation)
        if request.method == "POST" and form.is_valid() and (case := self._open(request, form)):
            messages.success(request, f"已立案：{case.number}。请拟稿。")
            return redirect("admin:sanctions_listingcase_change", case.pk)
        told = "从已经生效的认定文书开始。立案不告知、不公示，也不产生任何后果；列入要经过告知、申辩、复核、法制审核、决定和送达。"
        return self._page(request, "open", "立案", form, form=form, told=told, acts=form.acts_of_rosters())

    def _open(self, request: HttpRequest, form: OpenForm) -> ListingCase | None:
        data, by = dict(form.cleaned_data), asker(request, STAFF_SITE)
        document = cases.Document(
            kind=data.pop("document_kind"), number=data.pop("document_no"), issuer=data.pop("document_issuer"),
            on=data.pop("document_on"), effective_on=data.pop("document_effective_on"), digest=data.pop("digest").lower(),
        )  # fmt: skip
        try:
            person = cases.person_for(data.pop("id_number"), data.pop("name"), by=by)
            return cases.open_case(person=person, document=document, by=by, **data)
        except (ValidationError, PermissionDenied) as error:
            take_over(form, error if isinstance(error, ValidationError) else ValidationError(str(error)))
            return None

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        case, by = self._case(request, object_id), asker(request, STAFF_SITE)
        with transaction.atomic():  # one look at the file, one line
            cases.open_file(case, by=by)
            person, file = people.opened(case), CaseFile.objects.get(case=case)
            assert person is not None
            number = person.masked_id(masking.Profile.DEPARTMENT)
        listing = Listing.objects.filter(case=case).select_related("roster_version").first()
        context = {
            "case": case, "person": person, "id_number": number, "file": file, "listing": listing,
            "steps": [(name, STEPS[name]) for name in self._steps(case, request)], "is_open": case.state in UNDER_WAY,
            "events": case.events.all(), "papers": case.papers.all(),
            "clocks": Deadline.objects.of(case).filter(met_on=None).select_related("rule"),
            "measures": case.case_measures.select_related("measure"),
            "bound": listing.measures.select_related("measure") if listing else [],
            "early_from": listing.early_from if listing else None,
            "early_conditions": listing.roster_version.early_conditions if listing else [],
        }  # fmt: skip
        return self._page(request, "case", f"列入案件 {case.number}", None, **context)

    def _steps(self, case: ListingCase, request: HttpRequest) -> list[str]:
        user = signed_in(request)
        found = cases.steps_open_to(case, user)
        drafts = case.state == "opened" and user.has_perm("sanctions.propose_listing")
        return (["draft"] if drafts else []) + [step for step in found if step in STEPS]

    def step_view(self, request: HttpRequest, pk: int, step: str) -> HttpResponse:
        """Do one step: its form, and what became of it."""
        case = self._case(request, pk)
        if step not in STEPS or step not in self._steps(case, request):
            messages.error(request, "案件现在不能由您办理这一步。")
            return redirect("admin:sanctions_listingcase_change", pk)
        chosen = STEPS[step]
        form = self._form(chosen, case, request)
        if request.method == "POST" and form.is_valid():
            try:
                with transaction.atomic():
                    chosen.deed(case, form.cleaned_data, asker(request, STAFF_SITE))
            except (ValidationError, PermissionDenied) as error:
                form.add_error(None, list(error.messages) if isinstance(error, ValidationError) else str(error))
            else:
                messages.success(request, f"{chosen.label}：已办理。")
                return redirect("admin:sanctions_listingcase_change", pk)
        return self._page(request, "step", f"{chosen.label} {case.number}", form, form=form, case=case, step=chosen)

    def _form(self, step: Step, case: ListingCase, request: HttpRequest) -> Any:
        kind: Any = step.form or forms.Form
        more: dict[str, Any] = {"case": case} if kind in (DraftForm, DecisionForm, EarlyForm) else {}
        if kind is DraftForm and request.method == "GET" and case.drafted_by_id:
            with transaction.atomic():  # what was drafted is read under a line
                cases.open_file(case, by=asker(request, STAFF_SITE))
                more["file"] = CaseFile.objects.get(case=case)
        return kind(request.POST if request.method == "POST" else None, **more)

    def _case(self, request: HttpRequest, pk: str | int) -> ListingCase:
        found = ListingCase.objects.visible_to(signed_in(request)).select_related(
            "roster_version__roster", "organisation", "upper", "opened_by", "drafted_by", "cosigned_by", "reviewed_by", "legal_by",
            "upper_by", "decided_by",
        )  # fmt: skip
        if not str(pk).isdecimal() or (case := found.filter(pk=pk).first()) is None:
            raise Http404
        return case

    def _page(self, request: HttpRequest, name: str, title: str, tried: Any, **more: Any) -> HttpResponse:
        context = {**self.admin_site.each_context(request), "opts": self.opts, "title": title, **more}
        status = 422 if tried is not None and tried.errors else 200
        return render(request, f"admin/sanctions/{name}.html", context, status=status)


@admin.register(Listing)
class ListingAdmin(ReadOnlyAdmin):
    """Who stands on the rosters that the unit runs, by number: the list names nobody, the case's page does under a line."""

    list_display = ["number_", "roster", "document_no", "begins", "ends", "public_", "ended_on", "end"]
    list_filter = ["roster", "origin", "end"]
    list_select_related = ["roster"]
    search_fields = ["document_no"]
    list_display_links = None
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet[Listing]:
        user = signed_in(request)
        return (
            Listing.objects.filter(organisation=user.organisation_id)
            if self.has_view_permission(request)
            else Listing.objects.none()
        )

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return any(request.user.has_perm(hand) for hand in HANDS)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    @admin.display(description="列入编号", ordering="pk")
    def number_(self, listing: Listing) -> str:
        return listing.number

    @admin.display(description="列入日期")
    def begins(self, listing: Listing) -> Any:
        return listing.period.lower

    @admin.display(description="期满日期")
    def ends(self, listing: Listing) -> Any:
        return listing.period.upper

    @admin.display(description="公示期")
    def public_(self, listing: Listing) -> str:
        shown = listing.publication
        return f"{shown.lower:%Y-%m-%d} 至 {shown.upper:%Y-%m-%d}" if shown else "不公示"

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        found = self.get_queryset(request).filter(pk=object_id).first() if object_id.isdecimal() else None
        if found is None or found.case_id is None:
            raise Http404
        return redirect("admin:sanctions_listingcase_change", found.case_id)
