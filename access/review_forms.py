"""The shape of what supervisors, auditors and the credit office type about reviews."""

from typing import Any

from django import forms

from access.models import ReviewRule
from access.review_models import Sign, Verdict


class AnswerForm(forms.Form):
    """What the unit found."""

    verdict = forms.ChoiceField(label="核查结论", choices=Verdict.choices, widget=forms.RadioSelect)
    text = forms.CharField(
        label="核实情况", max_length=500, widget=forms.Textarea(attrs={"rows": 3}),
        help_text="写明案件办理情况、核对了哪些材料；不写姓名和证件号码。当事人会看到结论。",
    )  # fmt: skip


class QuestionAnswerForm(AnswerForm):
    """What the unit found, and what it tells the person who asked."""

    told = forms.CharField(
        label="给当事人的答复", max_length=500, widget=forms.Textarea(attrs={"rows": 4}),
        help_text="用平常的话写：为办什么事、按哪条法律、看了哪些内容。办结后当事人会看到全文，也会看到单位名称，看不到您的姓名。",
    )  # fmt: skip


class ReviewForm(forms.Form):
    """What the credit office finds when the person asked for a second look."""

    verdict = forms.ChoiceField(label="复核结论", choices=Verdict.choices, widget=forms.RadioSelect)
    text = forms.CharField(
        label="复核理由", max_length=500, widget=forms.Textarea(attrs={"rows": 4}),
        help_text="当事人会看到全文。复核只有一次，是最后结论。",
    )  # fmt: skip


class ClosingForm(forms.Form):
    """What the auditor thinks of the answer."""

    text = forms.CharField(label="审计意见", max_length=500, widget=forms.Textarea(attrs={"rows": 3}))


class VerdictForm(ClosingForm):
    """What the auditor finds of an emergency: the last word on it."""

    verdict = forms.ChoiceField(label="审计结论", choices=Verdict.choices, widget=forms.RadioSelect)
    field_order = ["verdict", "text"]


class LogReasonForm(forms.Form):
    """Why the auditor opens the query log."""

    reason = forms.CharField(
        label="查看理由", max_length=200, widget=forms.Textarea(attrs={"rows": 2}),
        help_text="例如：季度审计、某单位的投诉。理由和看到的每一行都会留下记录，当事人看得到这一行被查看过。",
    )  # fmt: skip


class ReviewRuleForm(forms.ModelForm):
    """A rule about which readings get a second look."""

    class Meta:
        model = ReviewRule
        fields = ["sign", "threshold", "hours", "share", "night_from", "night_until", "basis", "valid_from"]
        widgets = {
            "valid_from": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            "night_from": forms.TimeInput(attrs={"placeholder": "22:00"}, format="%H:%M"),
            "night_until": forms.TimeInput(attrs={"placeholder": "06:00"}, format="%H:%M"),
            "basis": forms.Textarea(attrs={"rows": 2}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["sign"].choices = [("", "请选择"), *Sign.choices]  # type: ignore[attr-defined]
