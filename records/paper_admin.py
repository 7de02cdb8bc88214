"""Paper consents at the counter: entered with the scan, compared by another officer; withdrawal for who stands there."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters

from access import consents
from access.consent_rules import choices_of, items_for_any
from access.models import Consent, ConsentPurpose, Institution
from access.web import STAFF_SITE, asker
from accounts.admin import ReadOnlyAdmin
from accounts.web import do_and_say, signed_in
from catalogue.deadline_forms import take_over
from catalogue.models import Deadline, Item
from records import paper_consents, scans
from records.consent_models import ConsentPaper
from records.paper_consents import Signed


class PaperForm(forms.Form):
    """What stands on the paper."""

    institution = forms.ModelChoiceField(label="被授权机构", queryset=Institution.objects.none(), empty_label="请选择")
    purpose = forms.ModelChoiceField(label="用途", queryset=ConsentPurpose.objects.all(), empty_label="请选择")
    name = forms.CharField(label="授权人姓名", max_length=100, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    id_number = forms.CharField(
        label="授权人身份证号码",
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    purpose_text = forms.CharField(label="具体用途", max_length=200)
    reference = forms.CharField(label="机构业务编号", max_length=60)
    items = forms.TypedMultipleChoiceField(label="条目", coerce=int, widget=forms.CheckboxSelectMultiple)
    form = forms.ChoiceField(
        label="方式", choices=[(one.value, one.label) for one in Consent.WIDTH], widget=forms.RadioSelect
    )
    days = forms.IntegerField(label="有效天数", min_value=1, help_text="自签署之日起，按授权书填写。")
    uses = forms.IntegerField(label="次数", min_value=1, initial=1)
    signed_on = forms.DateField(label="签署日期", help_text="写成 2026-01-01。")
    scan = forms.FileField(
        label="授权书扫描件", help_text=scans.HELP, widget=forms.FileInput(attrs={"accept": scans.ACCEPT}),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        institutions = Institution.objects.in_force().select_related("organisation")
        self.fields["institution"].queryset = institutions  # type: ignore[attr-defined]
        offered = [
            (one.item.pk, f"{one.name}{'（失信类）' if one.is_adverse else ''}") for one in choices_of(items_for_any())
        ]
        self.fields["items"].choices = offered  # type: ignore[attr-defined]

    def signed(self) -> Signed:
        """Return what was entered."""
        data = self.cleaned_data
        wanted = consents.Wanted(
            id_number=data["id_number"], name=data["name"], purpose=data["purpose"], purpose_text=data["purpose_text"],
            reference=data["reference"], form=Consent.Form(data["form"]), days=data["days"], uses=data["uses"],
            items=list(Item.objects.filter(pk__in=data["items"])),
        )  # fmt: skip
        return Signed(data["institution"], wanted, data["signed_on"], data["scan"].file, data["scan"].name)


class WithdrawForm(forms.Form):
    """Who stands at the counter and which consent they withdraw."""

    number = forms.CharField(label="授权编号", max_length=24, help_text="SQ 开头，在授权书或消息里。")
    id_number = forms.CharField(
        label="身份证号码", max_length=40, widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"})
    )
    document_seen = forms.BooleanField(label="已当面核对居民身份证原件，持证人就是本人，由本人要求撤回")


class ReasonForm(forms.Form):
    """Why a paper goes back."""

    reason = forms.CharField(label="退回理由", max_length=200, required=False)


@admin.register(ConsentPaper)
class ConsentPaperAdmin(ReadOnlyAdmin):
    """Nobody at the counter sees a record: only the paper that a person signed, with a line in the query log."""

    add_label = "录入纸质授权书"
    list_display = ["number", "institution", "signed_on", "entered_by", "standing"]
    list_filter = ["consent__state"]
    list_select_related = ["consent__organisation", "consent__asked_by"]
    list_per_page = 50

    @admin.display(description="授权编号", ordering="consent")
    def number(self, paper: ConsentPaper) -> str:
        return paper.consent.number

    @admin.display(description="被授权机构")
    def institution(self, paper: ConsentPaper) -> str:
        return paper.consent.organisation.name

    @admin.display(description="录入人")
    def entered_by(self, paper: ConsentPaper) -> str:
        return paper.consent.asked_by.name

    @admin.display(description="状态")
    def standing(self, paper: ConsentPaper) -> str:
        return paper.consent.standing

    def get_queryset(self, request: HttpRequest) -> QuerySet[ConsentPaper]:
        return ConsentPaper.objects.visible_to(signed_in(request))

    def has_view_permission(self, request: HttpRequest, obj: ConsentPaper | None = None) -> bool:
        return request.user.has_perm("access.check_consent")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("access.enter_consent")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        own = [
            path("withdraw/", view(self.withdraw_view), name="records_consentpaper_withdraw"),
            path("<int:pk>/scan/", view(self.scan_view), name="records_consentpaper_scan"),
            path("<int:pk>/approve/", view(self.approve_view), name="records_consentpaper_approve"),
            path("<int:pk>/return/", view(self.return_view), name="records_consentpaper_return"),
        ]
        return own + super().get_urls()

    @method_decorator(sensitive_post_parameters("name", "id_number"))
    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied(paper_consents.NO_DUTY)
        form = PaperForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            try:
                consent = paper_consents.enter(form.signed(), by=asker(request, STAFF_SITE))
            except ValidationError as error:
                take_over(form, error)
            else:
                if consent is not None:
                    return redirect("admin:records_consentpaper_change", consent.pk)
                form.add_error("name", "姓名与证件号码不符，没有录入；本次尝试已记入查询日志。请核对证件。")
        return self._page(request, "enter", "录入纸质授权书", status=422 if form.errors else 200, form=form)

    @method_decorator(sensitive_post_parameters("id_number"))
    def withdraw_view(self, request: HttpRequest) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied(paper_consents.NO_DUTY)
        form = WithdrawForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            data = form.cleaned_data
            try:
                consents.withdraw_for(data["number"], data["id_number"], by=asker(request, STAFF_SITE))
            except ValidationError as error:
                form.add_error(None, error)
            else:
                messages.success(request, "已撤回，立即生效；本人会收到消息。")
                return redirect("admin:records_consentpaper_changelist")
        return self._page(request, "withdraw", "窗口撤回授权", status=422 if form.errors else 200, form=form)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        paper = self._one(request, object_id)
        return self._page(
            request, "detail", str(paper), paper=paper, consent=paper.consent, choices=choices_of(paper.consent.asked_items),
            why_not=paper_consents.why_not_check(paper.consent, signed_in(request)), form=ReasonForm(),
            clock=Deadline.objects.of(paper.consent).first(),
        )  # fmt: skip

    def scan_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Hand the scan out as a file: it is never shown inside the site."""
        paper = self._one(request, pk)
        if request.method != "POST":
            return redirect("admin:records_consentpaper_change", pk)
        content = paper_consents.scan_of(paper, by=asker(request, STAFF_SITE))
        answer = HttpResponse(content, content_type=scans.MIME[ConsentPaper.Type(paper.type)])
        answer["Content-Disposition"] = f'attachment; filename="{paper.consent.number}.{paper.type}"'
        return answer

    def approve_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        by = signed_in(request)
        return self._do(request, pk, lambda: paper_consents.approve(pk, by=by), "已复核，授权生效。")

    def return_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        by, reason = signed_in(request), request.POST.get("reason", "")
        return self._do(request, pk, lambda: paper_consents.send_back(pk, by=by, reason=reason), "已退回。")

    def _do(self, request: HttpRequest, pk: int, deed: Callable[[], object], done: str) -> HttpResponse:
        self._one(request, pk)
        if request.method == "POST":
            do_and_say(request, deed, done)
        return redirect("admin:records_consentpaper_change", pk)

    def _one(self, request: HttpRequest, pk: str | int) -> ConsentPaper:
        mine = self.get_queryset(request).select_related(
            "file", "consent__organisation", "consent__purpose", "consent__asked_by", "consent__decided_by"
        )
        if not str(pk).isdecimal() or (one := mine.filter(consent_id=int(pk)).first()) is None:
            raise Http404
        return one

    def _page(self, request: HttpRequest, name: str, title: str, *, status: int = 200, **more: Any) -> HttpResponse:
        context = {**self.admin_site.each_context(request), "opts": self.opts, "title": title, **more}
        return render(request, f"admin/records/consentpaper/{name}.html", context, status=status)
