"""The shape of what officials type about who somebody is."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from records.act_forms import DAY, numbers_field, split_numbers
from records.person_models import CaseSource, PersonCase

REASON = forms.Textarea(attrs={"rows": 3})


class AnswerForm(forms.Form):
    """What a name that differs comes from, and the document that shows it."""

    answer = forms.ChoiceField(label="核对结果", choices=PersonCase.Answer.choices, widget=forms.RadioSelect)
    new_name = forms.CharField(
        label="证件上的姓名", max_length=100, required=False, widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text="照证明文件填写，登记的姓名将改成它。报送有误的不填。",
    )  # fmt: skip
    document = forms.ChoiceField(
        label="证明文件", required=False, choices=[("", "请选择"), *PersonCase.Document.choices]
    )
    document_no = forms.CharField(
        label="文件编号", max_length=100, required=False, help_text="户口簿写户号和页码；不写证件号码。"
    )
    document_date = forms.DateField(
        label="文件日期", required=False, widget=DAY, help_text="改名的，写变更姓名的日期：此前作出的文书仍可用原姓名。"
    )
    reason = forms.CharField(
        label="核对的情况", max_length=300, widget=REASON, help_text="不写姓名和证件号码。", strip=True
    )

    def clean(self) -> dict[str, object]:
        data = super().clean() or {}
        if data.get("answer") in (PersonCase.Answer.RENAMED, PersonCase.Answer.WRONG):
            for name in ("new_name", "document", "document_no", "document_date"):
                if not data.get(name) and name not in self.errors:
                    self.add_error(name, ValidationError("更改登记的姓名，须填写这一项。", code="required"))
        return data


class PaperForm(forms.Form):
    """The document that a case rests on, and what it shows."""

    DOCUMENTS: tuple[PersonCase.Document, ...] = tuple(PersonCase.Document)

    document = forms.ChoiceField(label="证明文件")
    document_no = forms.CharField(label="文件编号", max_length=100, help_text="不写证件号码。")
    document_date = forms.DateField(label="文件日期", widget=DAY)
    reason = forms.CharField(label="说明", max_length=300, widget=REASON, help_text="不写姓名和证件号码。")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", "请选择"), *((one.value, one.label) for one in self.DOCUMENTS)]
        self.fields["document"].choices = choices  # type: ignore[attr-defined]


def number_field(label: str) -> forms.CharField:
    """Return a box for an identity number: posted, never kept by the browser."""
    widget = forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"})
    return forms.CharField(label=label, max_length=40, widget=widget)


def name_field(label: str) -> forms.CharField:
    """Return a box for a name."""
    return forms.CharField(label=label, max_length=100, widget=forms.TextInput(attrs={"autocomplete": "off"}))


class DeathForm(PaperForm):
    """Who died, when, by which document."""

    DOCUMENTS = (PersonCase.Document.DEATH, PersonCase.Document.CANCEL, PersonCase.Document.COURT)

    name = name_field("姓名")
    id_number = number_field("身份证号码")
    day = forms.DateField(label="死亡日期", widget=DAY, help_text="照证明文件填写。")
    field_order = ["name", "id_number", "day"]


class MergeForm(PaperForm):
    """Two numbers of one human, and the document that says so."""

    DOCUMENTS = (PersonCase.Document.POLICE, PersonCase.Document.BOOK)

    name = name_field("被并入的号码：姓名")
    id_number = number_field("被并入的号码：身份证号码")
    other_name = name_field("保留的号码：姓名")
    other_number = number_field("保留的号码：身份证号码")
    field_order = ["name", "id_number", "other_name", "other_number"]


class MoveForm(PaperForm):
    """Records that stand with the wrong person, and whose they are."""

    DOCUMENTS = (PersonCase.Document.CARD, PersonCase.Document.BOOK, PersonCase.Document.POLICE)

    numbers = numbers_field()
    name = name_field("现在名下：姓名")
    id_number = number_field("现在名下：身份证号码")
    other_name = name_field("应归：姓名")
    other_number = number_field("应归：身份证号码")
    field_order = ["numbers", "name", "id_number", "other_name", "other_number"]

    def clean_numbers(self) -> list[str]:
        return split_numbers(self.cleaned_data["numbers"])


class AttestForm(forms.Form):
    """What the supplier says after looking at the document."""

    says = forms.ChoiceField(label="核对证件后", choices=CaseSource.Says.choices, widget=forms.RadioSelect)
