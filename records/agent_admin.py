"""Agents and near relatives: a clerk enters the papers, the credit office decides, the clerk hands the answer over."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters

from access import authorities
from access.consent_rules import choices_of
from access.models import Authority
from access.web import STAFF_SITE, asker
from accounts import people
from accounts.admin import AboutPersonsAdmin
from accounts.web import do_and_say, signed_in
from catalogue.deadline_forms import take_over
from catalogue.models import Deadline
from creditfujian.lib import masking
from creditfujian.lib.masking import Profile
from records import agents, report_pdf, scans
from records.agents import Papers
from records.ground_forms import ItemsForm, NumberInput, ScanField, scan_response
from records.reading import Refused


class AuthorityForm(ItemsForm):
    """What stands on the papers."""

    basis = forms.ChoiceField(label="凭什么", choices=Authority.Basis.choices, widget=forms.RadioSelect)
    name = forms.CharField(label="当事人姓名", max_length=100, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    id_number = forms.CharField(label="当事人身份证号码", max_length=40, widget=NumberInput())
    agent_name = forms.CharField(
        label="代理人（近亲属）姓名", max_length=100, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    agent_number = forms.CharField(
        label="代理人（近亲属）身份证号码", max_length=40, widget=NumberInput(), help_text="加密保存，只用于核对来人。"
    )
    relation = forms.ChoiceField(
        label="与死者的关系", choices=[("", "不是近亲属查询"), *Authority.Relation.choices], required=False
    )
    purpose = forms.CharField(
        label="用途", max_length=200, help_text="按材料填写，当事人看得到。近亲属须为自身合法、正当利益。"
    )
    valid_until = forms.DateField(label="有效期至", widget=forms.DateInput(attrs={"type": "date"}))
    scan = ScanField(
        label="材料扫描件",
        help_text=f"授权委托书（近亲属：亲属关系证明、死亡证明）和代理人证件扫成一个文件。{scans.HELP}",
    )
    document_seen = forms.BooleanField(label="已查验代理人（近亲属）居民身份证原件，来人就是材料上的人")
    field_order = [
        "basis", "name", "id_number", "agent_name", "agent_number", "relation", "purpose", "items", "valid_until", "scan",
        "document_seen",
    ]  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        last = authorities.longest_day(timezone.localdate())
        self.fields["valid_until"].help_text = f"按材料填写，最晚 {last}。"

    def papers(self) -> Papers:
        """Return what was entered."""
        data = {**self.cleaned_data}
        scan = data.pop("scan")
        del data["document_seen"]
        data["basis"] = Authority.Basis(data["basis"])
        return Papers(authorities.Entry(**data), scan.file, scan.name)


class RevokeForm(forms.Form):
    """Who stands at the counter and which authority they end."""

    number = forms.CharField(label="委托编号", max_length=24, help_text="WT 开头，在消息里。")
    id_number = forms.CharField(label="当事人身份证号码", max_length=40, widget=NumberInput())
    document_seen = forms.BooleanField(label="已当面核对居民身份证原件，持证人就是当事人本人，由本人要求撤销")


class RefusalForm(forms.Form):
    """Why an authority is turned down."""

    reason = forms.CharField(label="不予通过的理由", max_length=200, required=False, help_text="当事人看得到。")


@admin.register(Authority)
class AuthorityAdmin(AboutPersonsAdmin):
    """Nobody sees a record here: the papers, with a line in the query log, and what goes to the printer."""

    add_label = "录入代理人、近亲属材料"
    list_display = ["number", "basis", "masked_person", "organisation", "valid_until", "standing_"]
    list_filter = ["state", "basis"]
    list_select_related = ["organisation"]
    list_per_page = 50

    @admin.display(description="当事人")
    def masked_person(self, authority: Authority) -> str:
        person = people.opened(authority)  # of one's own counter, or to be reviewed: get_queryset
        assert person is not None
        return f"{masking.name(person.name, Profile.PUBLIC)}（{person.masked_id(Profile.PUBLIC)}）"

    @admin.display(description="状态")
    def standing_(self, authority: Authority) -> str:
        return authority.standing

    def get_queryset(self, request: HttpRequest) -> QuerySet[Authority]:
        return Authority.objects.visible_to(signed_in(request))

    def has_view_permission(self, request: HttpRequest, obj: Authority | None = None) -> bool:
        return request.user.has_perm(authorities.ENTER) or request.user.has_perm(authorities.DECIDE)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(authorities.ENTER)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        deeds = {
            "scan": self.scan_view, "approve": self.approve_view, "refuse": self.refuse_view, "print": self.print_view,
        }  # fmt: skip
        own = [path("revoke/", view(self.revoke_view), name="access_authority_revoke")]
        own += [path(f"<int:pk>/{deed}/", view(page), name=f"access_authority_{deed}") for deed, page in deeds.items()]
        return own + super().get_urls()

    @method_decorator(sensitive_post_parameters("name", "id_number", "agent_name", "agent_number"))
    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied(authorities.NO_DUTY)
        form = AuthorityForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            try:
                authority = agents.enter(form.papers(), by=asker(request, STAFF_SITE))
            except ValidationError as error:
                take_over(form, error)
            else:
                if authority is not None:
                    return redirect("admin:access_authority_change", authority.pk)
                form.add_error("name", agents.NAME_DIFFERS)
        return self._page(request, "enter", "录入代理人、近亲属材料", status=422 if form.errors else 200, form=form)

    @method_decorator(sensitive_post_parameters("id_number"))
    def revoke_view(self, request: HttpRequest) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied(authorities.NO_DUTY)
        form = RevokeForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            data = form.cleaned_data
            try:
                authorities.revoke_for(data["number"], data["id_number"], by=asker(request, STAFF_SITE))
            except ValidationError as error:
                form.add_error(None, error)
            else:
                messages.success(request, "已撤销，立即生效；本人会收到消息。")
                return redirect("admin:access_authority_changelist")
        return self._page(request, "revoke", "窗口撤销代理查询", status=422 if form.errors else 200, form=form)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        authority, user = self._one(request, object_id), signed_in(request)
        agent = authority.agent()
        return self._page(
            request, "detail", str(authority), authority=authority, person=self.masked_person(authority),
            agent_number=agent.masked_id(Profile.THIRD_PARTY), choices=choices_of(authority.items),
            why_not=authorities.why_not_decide(authority, user), form=RefusalForm(),
            clock=Deadline.objects.of(authority).first(),
            may_print=authority.is_in_force and user.has_perm(authorities.ENTER),
        )  # fmt: skip

    def scan_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Hand the scan out as a file: it is never shown inside the site."""
        authority = self._one(request, pk)
        if request.method != "POST":
            return redirect("admin:access_authority_change", pk)
        content = agents.scan_of(authority.paper, by=asker(request, STAFF_SITE))
        return scan_response(content, authority.number, authority.paper.type)

    def approve_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        by = signed_in(request)
        return self._do(request, pk, lambda: agents.approve(pk, by=by), "已通过，窗口可以办理。")

    def refuse_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        by, reason = signed_in(request), request.POST.get("reason", "")
        return self._do(request, pk, lambda: agents.refuse(pk, by=by, reason=reason), "未予通过，当事人会看到理由。")

    def print_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        authority = self._one(request, pk)
        if request.method != "POST":
            return redirect("admin:access_authority_change", pk)
        try:
            pdf = agents.hand_over(pk, by=asker(request, STAFF_SITE))
        except report_pdf.NoFonts:
            messages.error(request, "生成文件用的字库没有装好，没有查询。请联系平台运维。")
            return redirect("admin:access_authority_change", pk)
        if isinstance(pdf, Refused):
            messages.error(request, f"{pdf.reason}。本次尝试已记入查询日志。")
            return redirect("admin:access_authority_change", pk)
        answer = HttpResponse(pdf, content_type="application/pdf")
        answer["Content-Disposition"] = f'inline; filename="{authority.number}.pdf"'
        return answer

    def _do(self, request: HttpRequest, pk: int, deed: Callable[[], object], done: str) -> HttpResponse:
        self._one(request, pk)
        if request.method == "POST":
            do_and_say(request, deed, done)
        return redirect("admin:access_authority_change", pk)

    def _one(self, request: HttpRequest, pk: str | int) -> Authority:
        mine = self.get_queryset(request).select_related(
            "organisation", "entered_by", "decided_by", "revoked_by", "paper__file"
        )
        if not str(pk).isdecimal() or (one := mine.filter(pk=int(pk)).first()) is None:
            raise Http404
        return one

    def _page(self, request: HttpRequest, name: str, title: str, *, status: int = 200, **more: Any) -> HttpResponse:
        context = {**self.admin_site.each_context(request), "opts": self.opts, "title": title, **more}
        return render(request, f"admin/access/authority/{name}.html", context, status=status)
