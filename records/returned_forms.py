"""The shape of what officers type about held batches, rows handed back, receipts and volume rules."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from catalogue.supply_forms import ItemByName
from records.models import ReturnedRow, VolumeRule
from records.volume_models import Measure


class HoldForm(forms.Form):
    """The second look: what was verified, and why it goes on or not."""

    note = forms.CharField(
        label="复核意见", max_length=200, widget=forms.Textarea(attrs={"rows": 2}),
        help_text="写明向谁核实了什么、为什么放行或不放行。不写姓名和证件号码。",
    )  # fmt: skip


class ExplainForm(forms.Form):
    """Why rows do not come in again."""

    why = forms.ChoiceField(label="不再报送的原因", choices=[("", "请选择"), *ReturnedRow.Why.choices])
    note = forms.CharField(
        label="说明", max_length=200, widget=forms.Textarea(attrs={"rows": 2}),
        help_text="重新报送的写明批次号，撤销的写明文书号。不写姓名和证件号码。",
    )  # fmt: skip


class ConfirmForm(forms.Form):
    """The second officer's word on explanations."""

    note = forms.CharField(
        label="意见", max_length=200, required=False, widget=forms.Textarea(attrs={"rows": 2}),
        help_text="不同意须写明理由，数据员会看到。",
    )  # fmt: skip


class VerifyForm(forms.Form):
    """A receipt, as a file or by number and code."""

    file = forms.FileField(
        label="JSON 回执", required=False, widget=forms.FileInput(attrs={"accept": ".json"}),
        help_text="从本站下载的 .json 文件，逐字核对。",
    )  # fmt: skip
    number = forms.CharField(label="或者：回执编号", max_length=40, required=False, help_text="HZ-B 开头。")
    code = forms.CharField(
        label="校验码", max_length=40, required=False, widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text="回执末行的 20 位字母和数字。",
    )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not data.get("file") and not (data.get("number") and data.get("code")):
            raise ValidationError("请选择 JSON 回执文件，或者同时填写回执编号和校验码。", code="nothing")
        return data


class VolumeRuleForm(forms.ModelForm):
    """A rule about what is usual."""

    class Meta:
        model = VolumeRule
        fields = [
            "measure",
            "item",
            "supplier",
            "low",
            "high",
            "factor",
            "window",
            "least",
            "floor",
            "basis",
            "valid_from",
        ]
        field_classes = {"item": ItemByName}
        widgets = {
            "valid_from": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            "basis": forms.Textarea(attrs={"rows": 2}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["measure"].choices = [("", "请选择"), *Measure.choices]  # type: ignore[attr-defined]
        self.fields["item"].empty_label = "所有条目"  # type: ignore[attr-defined]
        self.fields["supplier"].empty_label = "所有报送单位"  # type: ignore[attr-defined]
        suppliers = self.fields["supplier"].queryset  # type: ignore[attr-defined]
        self.fields["supplier"].queryset = suppliers.filter(kind="department")  # type: ignore[attr-defined]
