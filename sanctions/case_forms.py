"""The shape of what officials type in a case: each step has a form, and the form of a paper that the step rests on."""

from typing import Any

from django import forms
from django.conf import settings
from django.utils import timezone

from accounts.models import Organisation
from catalogue.models import CodeValue
from creditfujian.lib import identity
from sanctions.case_models import CaseFile, ListingCase, Service
from sanctions.measure_models import Measure
from sanctions.roster_models import PersonCategory, Roster, RosterGrant

DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
DIGEST = r"^[0-9a-fA-F]{64}$"
LONG = forms.Textarea(attrs={"rows": 5})


def _digest(label: str = "文书的 SHA-256", *, required: bool = True) -> forms.RegexField:
    return forms.RegexField(
        DIGEST, label=label, required=required, help_text="64 位十六进制，扫描件或者电子文书的摘要，由文书系统给出",
        error_messages={"invalid": "SHA-256 为 64 位十六进制字符，请从文书系统复制。"},
    )  # fmt: skip


class OpenForm(forms.Form):
    """A case: about whom, under which roster, from which document."""

    roster = forms.ModelChoiceField(label="名单", queryset=Roster.objects.none(), empty_label="请选择")
    id_number = forms.CharField(
        label="公民身份号码", max_length=18, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    name = forms.CharField(label="姓名", max_length=100, help_text="须与登记的姓名一致")
    category = forms.ChoiceField(label="人员类别", choices=[("", "请选择"), *PersonCategory.choices])
    employer = forms.CharField(
        label="所在单位", max_length=200, required=False, help_text="责任人员填写其所在的用人单位"
    )
    employer_uscc = forms.CharField(label="所在单位统一社会信用代码", max_length=18, required=False)
    acts = forms.CharField(label="具体行为", help_text="名单制度所列行为的序号，见页末，多项用逗号分开，例如 1,3")
    act_end = forms.DateField(label="行为终止日期", widget=DAY)
    document_kind = forms.ChoiceField(label="认定文书类型")
    document_no = forms.CharField(label="认定文书号", max_length=100)
    document_issuer = forms.CharField(label="文书制作机关", max_length=200)
    document_on = forms.DateField(label="文书日期", widget=DAY)
    document_effective_on = forms.DateField(label="文书生效日期", widget=DAY, help_text="没有生效的文书不能作为依据")
    digest = _digest("认定文书的 SHA-256")
    upper = forms.ModelChoiceField(
        label="上级机关", queryset=Organisation.objects.none(), required=False, empty_label="不适用",
        help_text="名单制度要求省级以下单位经上级同意时选择",
    )  # fmt: skip

    def __init__(self, *args: Any, organisation: Organisation | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        mine = Roster.objects.run_by(organisation.pk if organisation else None)
        self.fields["roster"].queryset = mine  # type: ignore[attr-defined]
        kinds = CodeValue.objects.filter(code_set__code="DOC").order_by("code")
        self.fields["document_kind"].choices = [("", "请选择"), *((kind.code, kind.label) for kind in kinds)]  # type: ignore[attr-defined]
        above = RosterGrant.objects.filter(state="in_force", permission="consent").values("organisation")
        self.fields["upper"].queryset = Organisation.objects.filter(pk__in=above)  # type: ignore[attr-defined]

    def acts_of_rosters(self) -> list[tuple[Roster, list[str]]]:
        """Return the acts of each roster that may be chosen, in the order of their numbers."""
        chosen: Any = self.fields["roster"]
        versions = [(roster, roster.version_on(timezone.localdate())) for roster in chosen.queryset]
        return [(roster, version.acts) for roster, version in versions if version]

    def clean_id_number(self) -> str:
        number = identity.normalise(self.cleaned_data["id_number"])
        if problem := identity.problem(number, today=timezone.localdate(), allow_demo=settings.DEMO):
            raise forms.ValidationError(problem)
        return number

    def clean_acts(self) -> list[int]:
        parts = [
            part for part in self.cleaned_data["acts"].replace("，", ",").replace("、", ",").split(",") if part.strip()
        ]
        if not all(part.strip().isdecimal() for part in parts):
            raise forms.ValidationError("请填写序号，多项用逗号分开，例如 1,3。")
        return [int(part) for part in parts]


class DraftForm(forms.Form):
    """What the notice will say; `file` is what was drafted before."""

    facts = forms.CharField(label="事实", max_length=4000, widget=LONG)
    reasons = forms.CharField(label="理由和依据", max_length=4000, widget=LONG, help_text="写明制度的名称、文号和条款")
    summary = forms.CharField(label="列入事由（公示用）", max_length=500, help_text="不写第三人和与认定无关的情况")
    evidence = forms.CharField(label="证据清单", widget=LONG, help_text="一行一项，写“名称｜来源”")
    term_months = forms.IntegerField(label="拟列入期限（月）", min_value=1, max_value=60)
    public = forms.BooleanField(label="拟公示", required=False)
    measures = forms.ModelMultipleChoiceField(
        label="拟采取的措施", queryset=Measure.objects.none(), required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, case: ListingCase, file: CaseFile | None = None, **kwargs: Any) -> None:
        kwargs["initial"] = {"term_months": case.roster_version.term_months} if file is None else {
            "facts": file.facts, "reasons": file.reasons, "summary": file.summary, "term_months": case.notice_term_months,
            "evidence": "\n".join(f"{one['name']}｜{one['source']}" for one in file.evidence), "public": case.notice_public,
            "measures": list(case.case_measures.values_list("measure", flat=True)),
        }  # fmt: skip
        super().__init__(*args, **kwargs)
        self.fields["measures"].queryset = Measure.objects.filter(  # type: ignore[attr-defined]
            rosters=case.roster_version.roster_id, state="in_force"
        )

    def clean_evidence(self) -> list[dict[str, str]]:
        found = []
        for line in self.cleaned_data["evidence"].splitlines():
            if line.strip():
                name, _, source = line.replace("|", "｜").partition("｜")
                found.append({"name": name.strip(), "source": source.strip()})
        if any(not one["name"] or not one["source"] for one in found):
            raise forms.ValidationError("每项证据都写“名称｜来源”，例如：检验报告｜省检验院。")
        return found


class PaperForm(forms.Form):
    """The paper that a step rests on."""

    number = forms.CharField(label="文号", max_length=100, required=False)
    issuer = forms.CharField(label="制作机关", max_length=200, required=False)
    dated = forms.DateField(label="文书日期", widget=DAY)
    digest = _digest()

    def paper(self) -> dict[str, Any]:
        """Return what the register of papers keeps."""
        return {name: self.cleaned_data[name] for name in ("number", "issuer", "dated", "digest")}


class ServiceForm(PaperForm):
    """A service and its proof."""

    way = forms.ChoiceField(label="送达方式", choices=[("", "请选择"), *Service.choices])
    on = forms.DateField(label="送达（公告发布）日期", widget=DAY, help_text="公告送达的，自发布之日起三十日视为送达")


class RepairServiceForm(ServiceForm):
    """The service of a decision, with the notice on repair that goes with it (两书同达)."""

    repair_digest = _digest("信用修复告知书的 SHA-256")


class WordsForm(forms.Form):
    """What the person said, taken down."""

    text = forms.CharField(label="陈述申辩内容", max_length=10000, widget=LONG)


class OpinionForm(PaperForm):
    """An opinion and its paper."""

    text = forms.CharField(label="意见", max_length=4000, widget=LONG)


class NoteForm(PaperForm):
    """A step for a reason, with its paper."""

    note = forms.CharField(
        label="理由", max_length=500, widget=forms.Textarea(attrs={"rows": 2}), help_text="不写证件号码"
    )


class EarlyForm(NoteForm):
    """Early removal: each condition of the roster's version that the listing was decided under, shown by evidence."""

    shown = forms.TypedMultipleChoiceField(
        label="有证据证明的条件", coerce=int, widget=forms.CheckboxSelectMultiple, help_text="逐项核对证据后勾选，须全部具备",
        error_messages={"required": "请逐项核对证据后勾选，须全部具备。"},
    )  # fmt: skip

    def __init__(self, *args: Any, case: ListingCase, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.conditions = case.listing.roster_version.early_conditions
        self.fields["shown"].choices = list(enumerate(self.conditions, start=1))  # type: ignore[attr-defined]

    def clean_shown(self) -> list[int]:
        shown: list[int] = self.cleaned_data["shown"]
        if missing := [said for number, said in enumerate(self.conditions, start=1) if number not in shown]:
            raise forms.ValidationError(f"提前移出须具备全部条件，还没有证据证明的：{'；'.join(missing)}。")
        return shown


class ReasonForm(forms.Form):
    """A step for a reason alone."""

    note = forms.CharField(
        label="理由", max_length=500, widget=forms.Textarea(attrs={"rows": 2}), help_text="不写证件号码"
    )


class DecisionForm(OpinionForm):
    """The decision: nothing in it worse than the notice."""

    term_months = forms.IntegerField(label="列入期限（月）", min_value=1, max_value=60)
    public = forms.BooleanField(label="公示", required=False)
    measures = forms.ModelMultipleChoiceField(
        label="措施", queryset=Measure.objects.none(), required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, case: ListingCase, **kwargs: Any) -> None:
        kwargs["initial"] = {"term_months": case.notice_term_months, "public": case.notice_public} | (
            kwargs.get("initial") or {}
        )
        super().__init__(*args, **kwargs)
        noticed = Measure.objects.filter(pk__in=case.case_measures.values("measure"))
        self.fields["measures"].queryset = noticed  # type: ignore[attr-defined]
