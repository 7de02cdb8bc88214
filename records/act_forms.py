"""The shape of what officials type about records outside batches."""

import re

from django import forms
from django.core.exceptions import ValidationError

from accounts.models import Organisation
from records.acts import ASKED_BY_PROVIDERS
from records.intake.schema import Schema
from records.life_models import RecordAct
from records.models import record_key

DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


def numbers_field(more: str = "") -> forms.CharField:
    """Return a box for record numbers."""
    return forms.CharField(
        label="记录编号", widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}),
        help_text=f"R 开头的 20 位编号，在记录页面和报告上；多条用换行或逗号分开。{more}",
    )  # fmt: skip


def split_numbers(text: str) -> list[str]:
    """Return the record numbers in a text. Raises ValidationError for what is none."""
    found = [number.upper() for number in re.split(r"[\s,，;；、]+", text.strip())]
    if wrong := [number for number in found if record_key(number) is None]:
        raise ValidationError(f"“{wrong[0][:30]}”不是记录编号。记录编号为 R 开头的 20 位。", code="number")
    return found


class AskForm(forms.Form):
    """An act on records: which, what, why, on which document."""

    kind = forms.ChoiceField(
        label="办理事项", choices=[("", "请选择"), *((kind.value, kind.label) for kind in ASKED_BY_PROVIDERS)]
    )
    numbers = numbers_field("更正每次一条。")
    reason = forms.CharField(
        label="理由", max_length=300, widget=forms.Textarea(attrs={"rows": 3}), help_text="不写姓名和证件号码。"
    )
    document_no = forms.CharField(
        label="依据文书号", max_length=100, required=False, help_text="撤销、复议诉讼标记须填写。"
    )
    document_date = forms.DateField(label="文书日期", required=False, widget=DAY)
    marks = forms.ModelChoiceField(
        label="所解除的标记", queryset=RecordAct.objects.none(), required=False, empty_label="不适用",
        help_text="解除复议、诉讼标记时选择当时的办理单。",
    )  # fmt: skip

    def __init__(self, *args: object, organisation: Organisation | None, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        standing = RecordAct.objects.filter(organisation=organisation, kind="review", state="done")
        self.fields["marks"].queryset = standing.filter(about__lifted_by=None).distinct()  # type: ignore[attr-defined]

    def clean_numbers(self) -> list[str]:
        return split_numbers(self.cleaned_data["numbers"])


class DecideForm(forms.Form):
    """The second official's word."""

    note = forms.CharField(label="审核意见", max_length=300, required=False, widget=forms.Textarea(attrs={"rows": 2}),
                           help_text="不同意须写明理由。")  # fmt: skip


class CorrectionForm(forms.Form):
    """The fields of a record, as its item has them; what they may hold is judged like a delivered row."""

    # Whom and which document a record is about, and who decided, is no matter of correction.
    FIXED = ("person_name", "id_number", "doc_no", "decider_uscc")

    def __init__(self, *args: object, rules: Schema, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        for code, field in rules.by_code.items():
            if field.binds in self.FIXED or field.must_be_empty:
                continue
            long = forms.Textarea(attrs={"rows": 3}) if field.free_text or field.length > 200 else forms.TextInput()
            self.fields[code] = forms.CharField(label=field.label, required=False, max_length=field.length, widget=long)
