"""Official letters: registered, decided by another official, answered person by person, closed; the auditor sees it all."""

import re
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

from access import letters
from access.consent_rules import choices_of
from access.models import OfficialLetter
from access.web import STAFF_SITE, asker
from accounts import people
from accounts.admin import ReadOnlyAdmin
from accounts.web import do_and_say, signed_in
from catalogue.deadline_forms import take_over
from creditfujian.lib import masking
from creditfujian.lib.masking import Profile
from records import letter_answers, report_pdf, scans
from records.ground_forms import ItemsForm, ScanField, scan_response
from records.reading import Refused

_PAIR = re.compile(r"^\s*(\S.*?)[\s,，、]+(\S+)\s*$")


def pairs(text: str, what: str) -> list[tuple[str, str]]:
    """Return the two parts of each line. Raises ValidationError, which names the line only."""
    found, wrong = [], []
    for n, line in enumerate((line for line in text.splitlines() if line.strip()), start=1):
        met = _PAIR.match(line)
        if met:
            found.append((met[1], met[2]))
        else:
            wrong.append(str(n))
    if wrong:
        raise ValidationError(f"第 {'、'.join(wrong)} 行须写成“{what}”，中间空一格。")
    return found


class LetterForm(ItemsForm):
    """What stands in a letter."""

    sender = forms.ChoiceField(label="机关类别", choices=OfficialLetter.Sender.choices)
    sender_name = forms.CharField(label="机关名称", max_length=100)
    letter_no = forms.CharField(label="公函文号", max_length=60)
    letter_on = forms.DateField(label="公函日期", widget=forms.DateInput(attrs={"type": "date"}))
    case_no = forms.CharField(label="案号", max_length=80)
    legal_basis = forms.CharField(label="法律依据", max_length=200, help_text="法律名称、条款，照公函填写。")
    officers = forms.CharField(
        label="承办人员",
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="每行一人，姓名空一格工作证（执行公务证）编号，两人以上。",
    )
    persons = forms.CharField(
        label="所涉人员", widget=forms.Textarea(attrs={"rows": 4, "autocomplete": "off", "spellcheck": "false"}),
        help_text=f"每行一人，姓名空一格身份证号码，不超过 {letter_answers.MANY} 人；公函没有写明的人不查。",
    )  # fmt: skip
    withhold = forms.BooleanField(label="公函要求暂不告知当事人", required=False)
    withhold_basis = forms.CharField(label="暂不告知的理由和依据", max_length=200, required=False)
    release_on = forms.DateField(label="放出日期", required=False, widget=forms.DateInput(attrs={"type": "date"}))
    scan = ScanField(label="公函扫描件", help_text=f"公函和承办人员证件扫成一个文件。{scans.HELP}")
    field_order = [
        "sender", "sender_name", "letter_no", "letter_on", "case_no", "legal_basis", "officers", "persons", "items", "withhold",
        "withhold_basis", "release_on", "scan",
    ]  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        last = letters.latest_release(timezone.localdate())
        self.fields["release_on"].help_text = (
            f"公函写明日期的照写，不晚于 {last}；没有写明的不填，到 {last} 放出，登记结案后提前到结案后 "
            f"{letters.months_after_close()} 个月。"
        )

    def clean_officers(self) -> list[tuple[str, str]]:
        return pairs(self.cleaned_data["officers"], "姓名 证件编号")

    def clean_persons(self) -> list[tuple[str, str]]:
        return pairs(self.cleaned_data["persons"], "姓名 身份证号码")

    def received(self) -> letter_answers.Received:
        """Return what was entered."""
        data = {**self.cleaned_data}
        persons, scan, officers = data.pop("persons"), data.pop("scan"), data.pop("officers")
        data["sender"] = OfficialLetter.Sender(data["sender"])
        stated = letters.Stated(
            **data, officers=[name for name, _ in officers], certificates=[paper for _, paper in officers]
        )
        return letter_answers.Received(stated, persons, scan.file, scan.name)


class RefusalForm(forms.Form):
    """Why a letter, or an extension, is declined."""

    reason = forms.CharField(label="理由", max_length=200, required=False)


class CloseForm(forms.Form):
    """When the case was closed."""

    closed_on = forms.DateField(label="结案日期", widget=forms.DateInput(attrs={"type": "date"}))


class ExtensionForm(forms.Form):
    """Until when a letter is to be held back, and why."""

    release_on = forms.DateField(label="延至", widget=forms.DateInput(attrs={"type": "date"}))
    reason = forms.CharField(label="延期的理由和依据", max_length=200)


class HeldFilter(admin.SimpleListFilter):
    """Held back today, or released and not told yet."""

    title, parameter_name = "显示", "held"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("1", "暂不显示"), ("untold", "已到放出日期、尚未告知")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        held = {"1": "held", "untold": "released_untold"}.get(self.value() or "")
        return getattr(queryset, held)() if held else queryset


@admin.register(OfficialLetter)
class OfficialLetterAdmin(ReadOnlyAdmin):
    """The register of letters: persons masked, the scan opened with lines in the log, answers to the printer."""

    add_label = "登记公函"
    list_display = ["number", "sender_name", "letter_no", "case_no", "lines_", "release_on", "held_", "standing_"]
    list_filter = [HeldFilter, "state", "sender"]
    search_fields = ["number", "sender_name", "letter_no", "case_no"]
    list_per_page = 50

    @admin.display(description="查询日志条数")
    def lines_(self, letter: OfficialLetter) -> int:
        return letter.lines  # type: ignore[attr-defined,no-any-return]  # annotated by `with_lines`

    @admin.display(description="当事人能否看到")
    def held_(self, letter: OfficialLetter) -> str:
        return "暂不显示" if letter.is_held else "看得到"

    @admin.display(description="状态")
    def standing_(self, letter: OfficialLetter) -> str:
        return letter.standing

    def get_queryset(self, request: HttpRequest) -> QuerySet[OfficialLetter]:
        return OfficialLetter.objects.visible_to(signed_in(request)).with_lines()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(letters.ENTER)

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        deeds = {
            "scan": self.scan_view, "approve": self.approve_view, "refuse": self.refuse_view, "close": self.close_view,
            "extend": self.extend_view, "extension": self.extension_view, "answer": self.answer_view,
        }  # fmt: skip
        own = [
            path(f"<int:pk>/{deed}/", view(page), name=f"access_officialletter_{deed}") for deed, page in deeds.items()
        ]
        return own + super().get_urls()

    @method_decorator(sensitive_post_parameters("persons"))
    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied(letters.NO_DUTY)
        form = LetterForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            try:
                letter = letter_answers.register(form.received(), by=asker(request, STAFF_SITE))
            except ValidationError as error:
                take_over(form, error)
            else:
                return redirect("admin:access_officialletter_change", letter.pk)
        return self._page(request, "enter", "登记公函", status=422 if form.errors else 200, form=form)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        letter, user = self._one(request, object_id), signed_in(request)
        named = [
            (one, f"{masking.name(one.person.name, Profile.PUBLIC)}（{one.person.masked_id(Profile.PUBLIC)}）")
            for one in people.opened_all(letter.persons.all())
        ]
        asked = letter.extensions.filter(state="asked").first()
        may_enter = user.has_perm(letters.ENTER)
        return self._page(
            request, "detail", str(letter), letter=letter, named=named, choices=choices_of(letter.items),
            why_not=letters.why_not_decide(letter, user), refusal=RefusalForm(), may_enter=may_enter,
            extensions=letter.extensions.select_related("asked_by", "decided_by"), asked=asked,
            may_decide_extension=asked is not None and user.has_perm(letters.DECIDE) and asked.asked_by_id != user.pk,
            may_close=may_enter and letter.state == OfficialLetter.State.APPROVED and letter.closed_on is None,
            may_extend=may_enter and letter.state == OfficialLetter.State.APPROVED and letter.is_held
            and not letter.extensions.exclude(state="refused").exists(),
            latest=letters.latest_release(timezone.localdate(letter.registered_at), extended=True),
            months=letters.months_after_close(), close_form=CloseForm(), extension_form=ExtensionForm(auto_id="extend_%s"),
        )  # fmt: skip

    def scan_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        letter = self._one(request, pk)
        if request.method != "POST":
            return redirect("admin:access_officialletter_change", pk)
        content = letter_answers.scan_of(letter.paper, by=asker(request, STAFF_SITE))
        return scan_response(content, letter.number, letter.paper.type)

    def approve_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        by = signed_in(request)
        return self._do(request, pk, lambda: letter_answers.approve(pk, by=by), "已同意提供。")

    def refuse_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        by, reason = signed_in(request), request.POST.get("reason", "")
        return self._do(request, pk, lambda: letter_answers.refuse(pk, by=by, reason=reason), "已答复不予提供。")

    def close_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        form, by = CloseForm(request.POST), signed_in(request)
        return self._do(
            request,
            pk,
            lambda: letters.close(pk, on=_valid(form)["closed_on"], by=by),
            "已登记结案，放出日期按规则提前。",
        )

    def extend_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        form, by = ExtensionForm(request.POST), signed_in(request)
        return self._do(
            request, pk, lambda: letters.ask_extension(pk, **_valid(form), by=by), "已提出，等候另一名工作人员审核。"
        )

    def extension_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Decide the extension that waits."""
        asked = self._one(request, pk).extensions.filter(state="asked").first()
        agree, note, by = request.POST.get("agree") == "1", request.POST.get("reason", ""), signed_in(request)
        if asked is None:
            return redirect("admin:access_officialletter_change", pk)
        said = "已同意延期。" if agree else "已答复不同意，放出日期不变。"
        deed = lambda: letter_answers.decide_extension(asked.pk, agree=agree, note=note, by=by)  # noqa: E731
        return self._do(request, pk, deed, said)

    def answer_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        letter, person = self._one(request, pk), request.POST.get("person", "")
        if request.method != "POST" or not person.isdecimal():
            return redirect("admin:access_officialletter_change", pk)
        if not letter.persons.filter(person=int(person)).exists():
            raise Http404
        try:
            pdf = letter_answers.answer(pk, int(person), by=asker(request, STAFF_SITE))
        except report_pdf.NoFonts:
            messages.error(request, "生成文件用的字库没有装好，没有查询。请联系平台运维。")
            return redirect("admin:access_officialletter_change", pk)
        if isinstance(pdf, Refused):
            messages.error(request, f"{pdf.reason}。本次尝试已记入查询日志。")
            return redirect("admin:access_officialletter_change", pk)
        answer = HttpResponse(pdf, content_type="application/pdf")
        answer["Content-Disposition"] = f'inline; filename="{letter.number}.pdf"'
        return answer

    def _do(self, request: HttpRequest, pk: int, deed: Callable[[], object], done: str) -> HttpResponse:
        self._one(request, pk)
        if request.method == "POST":
            do_and_say(request, deed, done)
        return redirect("admin:access_officialletter_change", pk)

    def _one(self, request: HttpRequest, pk: str | int) -> OfficialLetter:
        mine = self.get_queryset(request).select_related(
            "organisation", "registered_by", "decided_by", "closed_by", "paper__file"
        )
        if not str(pk).isdecimal() or (one := mine.filter(pk=int(pk)).first()) is None:
            raise Http404
        return one

    def _page(self, request: HttpRequest, name: str, title: str, *, status: int = 200, **more: Any) -> HttpResponse:
        context = {**self.admin_site.each_context(request), "opts": self.opts, "title": title, **more}
        return render(request, f"admin/access/officialletter/{name}.html", context, status=status)


def _valid(form: forms.Form) -> dict[str, Any]:
    """Return what was typed. Raises ValidationError with the first thing that is wrong."""
    if not form.is_valid():
        name, problems = next(iter(form.errors.items()))
        raise ValidationError(f"{form.fields[name].label}：{problems[0]}")
    return form.cleaned_data
