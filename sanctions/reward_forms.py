"""The shape of what officials type about rewards: programmes, nominations, decisions, answers on paper."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts.models import Organisation, User
from catalogue.models import Article, Item
from records import scans
from sanctions.models import RewardBenefit, RewardPaper, RewardProgramme
from sanctions.reward_models import NO_CONDITION
from sanctions.reward_papers import Signed
from sanctions.reward_programmes import Benefit
from sanctions.rewards import Nomination

DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
NUMBER = forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"})
BENEFITS = 5  # rows of benefits on the page


class ProgrammeForm(forms.ModelForm):
    """A programme, beside the rows of its benefits."""

    shown = forms.MultipleChoiceField(
        label="经本人同意公开的内容", choices=RewardProgramme.Shown.choices, widget=forms.CheckboxSelectMultiple,
        initial=list(RewardProgramme.Shown.values),
    )  # fmt: skip
    declared = forms.BooleanField(label=NO_CONDITION, error_messages={"required": "须作出这项声明，才能提出激励项目。"})

    class Meta:
        model = RewardProgramme
        fields = ["code", "name", "source", "item", "basis", "term_months", "term_source", "shown", "valid_from"]
        widgets = {"valid_from": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        items, basis = self.fields["item"], self.fields["basis"]
        items.queryset = Item.objects.filter(category="11", polarity="P")  # type: ignore[attr-defined]
        basis.queryset = _articles()  # type: ignore[attr-defined]

    def values(self) -> dict[str, Any]:
        """Return the programme's fields."""
        return {name: value for name, value in self.cleaned_data.items() if name != "declared"}


class BenefitForm(forms.Form):
    """One benefit; an empty row is none."""

    kind = forms.ChoiceField(label="激励措施", required=False, choices=[("", "不填"), *RewardBenefit.Kind.choices])
    text = forms.CharField(
        label="内容", required=False, max_length=200, help_text="在哪件事上、怎么便利；不得写成办事的条件。"
    )
    organisation = forms.ModelChoiceField(
        label="实施单位", required=False, queryset=Organisation.objects.none(), empty_label="请选择"
    )
    basis = forms.ModelChoiceField(label="依据", required=False, queryset=Article.objects.none(), empty_label="请选择")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        units, basis = self.fields["organisation"], self.fields["basis"]
        units.queryset = Organisation.objects.filter(kind="department", valid_to=None)  # type: ignore[attr-defined]
        basis.queryset = _articles()  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        filled = [name for name in self.fields if data.get(name)]
        if filled and len(filled) < len(self.fields):
            raise ValidationError("措施、内容、实施单位和依据须同时填写；不需要这一行的，全部留空。")
        return data

    @property
    def benefit(self) -> Benefit | None:
        """Return the benefit; None for an empty row."""
        data = self.cleaned_data
        if not data.get("kind"):
            return None
        return Benefit(RewardBenefit.Kind(data["kind"]), data["text"], data["organisation"], data["basis"])


BenefitFormSet = forms.formset_factory(BenefitForm, extra=BENEFITS, max_num=BENEFITS)


def _articles() -> Any:
    return Article.objects.select_related("instrument").order_by("instrument__level", "instrument", "pk")


class NominationForm(forms.Form):
    """Who is nominated, for which award."""

    programme = forms.ModelChoiceField(label="激励项目", queryset=RewardProgramme.objects.none(), empty_label="请选择")
    name = forms.CharField(label="姓名", max_length=100, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    id_number = forms.CharField(label="身份证号码", max_length=40, widget=NUMBER)
    honour = forms.CharField(label="荣誉名称", max_length=100)
    year = forms.RegexField(label="评选年度", regex=r"^\d{4}$", error_messages={"invalid": "写四位年份，如 2026。"})
    award_no = forms.CharField(label="认定文号", max_length=100, help_text="表彰、认定文件的文号。")
    award_on = forms.DateField(label="认定日期", widget=DAY)
    recommended_by = forms.CharField(
        label="推荐的社会组织、媒体",
        max_length=100,
        required=False,
        help_text="社会组织推荐、新闻媒体挖掘的填写；不写个人。",
    )
    reason = forms.CharField(
        label="推荐理由", max_length=300, required=False, widget=forms.Textarea(attrs={"rows": 3}),
        help_text="本人能看到。不写他人信息和证件号码。",
    )  # fmt: skip

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["programme"].queryset = RewardProgramme.objects.of(user)  # type: ignore[attr-defined]

    def nomination(self) -> Nomination:
        """Return what was typed."""
        return Nomination(**self.cleaned_data)


class DecisionForm(forms.Form):
    """The reason that the person reads, and the document of a revocation."""

    text = forms.CharField(
        label="理由（本人可见）", max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 3}),
        help_text="不予授予、恢复、撤销的须写明理由。不写姓名和证件号码。",
    )  # fmt: skip
    document_no = forms.CharField(
        label="撤销决定文号",
        max_length=100,
        required=False,
        help_text="没有暂停而撤销荣誉的，填写本单位撤销决定的文号。",
    )


class EndForm(forms.Form):
    """From which day nobody is nominated any more."""

    on = forms.DateField(label="停用日期", widget=DAY)


class PaperForm(forms.Form):
    """What stands on the signed paper."""

    number = forms.CharField(label="激励编号", max_length=30, help_text="JL 开头，在告知本人的消息或者通知里。")
    name = forms.CharField(label="姓名", max_length=100, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    id_number = forms.CharField(label="身份证号码", max_length=40, widget=NUMBER)
    deed = forms.ChoiceField(label="事项", choices=RewardPaper.Deed.choices, widget=forms.RadioSelect)
    agrees = forms.BooleanField(label="同意接受推荐、核对和激励", required=False)
    notice = forms.BooleanField(label="同意授予前公示", required=False)
    publish = forms.BooleanField(label="同意授予后公开", required=False)
    signed_on = forms.DateField(label="签署日期", widget=DAY)
    scan = forms.FileField(label="扫描件", help_text=scans.HELP, widget=forms.FileInput(attrs={"accept": scans.ACCEPT}))

    def clean_signed_on(self) -> Any:
        day = self.cleaned_data["signed_on"]
        if day > timezone.localdate():
            raise ValidationError("签署日期不能晚于今天。")
        return day

    def signed(self) -> Signed:
        """Return what was entered."""
        data = self.cleaned_data
        return Signed(
            data["number"], data["id_number"], data["name"], RewardPaper.Deed(data["deed"]), data["agrees"], data["notice"],
            data["publish"], data["signed_on"], data["scan"].file, data["scan"].name,
        )  # fmt: skip
