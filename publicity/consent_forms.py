"""The shape of what institutions ask for and what persons make of it."""

from typing import Any

from django import forms

from access.consent_rules import Choice, adverse_items_for, choices_of, items_for, items_over_years
from access.consents import Scope, Wanted, longest_days, usual_days
from access.models import Consent, ConsentPurpose
from catalogue.models import Item
from sanctions.models import AttestationRule

Form = Consent.Form
FORM_WORDS = {
    Form.YEARS: "连续几年无失信记录：只答“能够证明”或者“不能证明”，包括这一用途可以查的全部失信类条目，不给条数和内容",
    Form.ATTESTATION: "只答有无：例如“有效期内无失信信息：是”，不给内容",
    Form.SUMMARY: "条数摘要：每类有几条、最近一条的日期，不给内容",
    Form.FULL: "记录内容：作出机关、文书号、日期和可以向机构提供的内容",
}


class PickForm(forms.Form):
    """Items in two groups, so that adverse information is chosen apart from the rest."""

    others = forms.TypedMultipleChoiceField(
        label="基础、守信类信息", required=False, coerce=int, widget=forms.CheckboxSelectMultiple
    )
    adverse = forms.TypedMultipleChoiceField(
        label="失信类信息", required=False, coerce=int, widget=forms.CheckboxSelectMultiple
    )

    def offer(self, choices: list[Choice]) -> None:
        """Offer these items; a group without any is left out."""
        for name, is_adverse in (("others", False), ("adverse", True)):
            offered = [(one.item.pk, one.name) for one in choices if one.is_adverse is is_adverse]
            if offered:
                self.fields[name].choices = offered  # type: ignore[attr-defined]
            else:
                del self.fields[name]

    def picked(self) -> list[int]:
        """Return the keys of what was picked in both groups."""
        return [key for name in ("others", "adverse") for key in self.cleaned_data.get(name, [])]


class AskForm(PickForm):
    """What an institution asks a person for, under one purpose."""

    name = forms.CharField(
        label="姓名",
        max_length=100,
        help_text="与居民身份证一致。",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    id_number = forms.CharField(
        label="身份证号码", max_length=40, widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"})
    )
    purpose_text = forms.CharField(label="具体用途", max_length=200, help_text="本人看得到。例如：个人经营贷款审批。")
    reference = forms.CharField(
        label="本单位业务编号", max_length=60, help_text="用来认出这份申请。不要写姓名、证件号码、电话或账号。"
    )
    form = forms.ChoiceField(
        label="方式", choices=[(form.value, words) for form, words in FORM_WORDS.items()], initial=Form.ATTESTATION.value,
        widget=forms.RadioSelect, help_text="够用就好：能用“只答有无”的，不要申请记录内容。",
    )  # fmt: skip
    years = forms.TypedChoiceField(
        label="连续几年",
        coerce=int,
        empty_value=None,
        required=False,
        help_text="只用于“连续几年无失信记录”；此时不用选条目。",
    )
    days = forms.IntegerField(label="有效天数", min_value=1)
    uses = forms.IntegerField(label="查询次数", min_value=1, initial=1)

    field_order = [
        "name",
        "id_number",
        "purpose_text",
        "reference",
        "form",
        "years",
        "others",
        "adverse",
        "days",
        "uses",
    ]

    def __init__(self, purpose: ConsentPurpose, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.purpose = purpose
        self.offer(choices_of(items_for(purpose)))
        rule = AttestationRule.objects.in_force().first()
        self.fields["years"].choices = [("", "不选"), *((n, f"{n} 年") for n in (rule.years if rule else ()))]  # type: ignore[attr-defined]
        self.fields["days"].initial = usual_days()
        self.fields["days"].help_text = f"自本人同意之日起，最长 {longest_days()} 天。"

    def wanted(self) -> Wanted:
        """Return what is asked for."""
        data, form = self.cleaned_data, Form(self.cleaned_data["form"])
        over_years = form is Form.YEARS
        return Wanted(
            id_number=data["id_number"], name=data["name"], purpose=self.purpose, purpose_text=data["purpose_text"],
            reference=data["reference"], form=form, days=data["days"], uses=data["uses"],
            years=data["years"] if over_years else None,
            items=list(adverse_items_for(self.purpose) if over_years else Item.objects.filter(pk__in=self.picked())),
        )  # fmt: skip


class UseForm(forms.Form):
    """What an operator states when using a consent: it has to agree with the consent."""

    id_number = forms.CharField(
        label="授权人的身份证号码", max_length=40, help_text="再填一次，防止看错人。",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )  # fmt: skip
    purpose = forms.ModelChoiceField(
        label="本次用途", queryset=ConsentPurpose.objects.all(), empty_label="请选择", help_text="须与授权的用途一致。"
    )


class ScopeForm(PickForm):
    """What the person makes of a request: nothing is picked beforehand. Over years there is nothing to pick: yes or no."""

    form = forms.ChoiceField(label="方式", widget=forms.RadioSelect)
    days = forms.IntegerField(label="有效天数", min_value=1)
    uses = forms.IntegerField(label="查询次数", min_value=1)

    field_order = ["others", "adverse", "form", "days", "uses"]

    def __init__(self, consent: Consent, choices: list[Choice], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.consent = consent
        if consent.is_over_years:
            for name in ("others", "adverse", "form"):
                del self.fields[name]
        else:
            self.offer(choices)
            self._offer_forms(Form(consent.asked_form))
        for name, most, unit in (("days", consent.asked_days, "天"), ("uses", consent.asked_uses, "次")):
            self.fields[name].initial = most
            self.fields[name].help_text = f"机构申请 {most} {unit}，可以改少。"

    def _offer_forms(self, asked: Consent.Form) -> None:
        narrower = Consent.WIDTH[: Consent.WIDTH.index(asked) + 1]
        self.fields["form"].choices = [(form.value, FORM_WORDS[form]) for form in narrower]  # type: ignore[attr-defined]
        self.fields["form"].initial = asked.value
        self.fields["form"].help_text = "可以选比机构申请的更少的方式。"

    def scope(self) -> Scope:
        """Return what was chosen."""
        data = self.cleaned_data
        if self.consent.is_over_years:
            return Scope(Form.YEARS, items_over_years(self.consent), data["days"], data["uses"])
        return Scope(form=Form(data["form"]), items=self.picked(), days=data["days"], uses=data["uses"])
