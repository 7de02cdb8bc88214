"""The form of one record, made from the fields of the item's version in force."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.forms.utils import ErrorDict
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict

from accounts.models import Organisation
from catalogue.models import Field
from records.entry import NAME_CODE, Typed, fields_of
from records.intake.columns import Problem
from records.intake.schema import Schema

Type, Binding = Field.Type, Field.Binding
LONG = 200  # longer texts get several lines
COMPARED = "compared"
NAMED = "named"
COMPARE_CODE = "C16"  # a number that ends in 000 goes in once somebody has compared it with the document
# The check's own words speak of the correction workbook.
COMPARE = "证件号码末三位为 000，多半是被表格软件截断的号码。请与证件核对：错了就改；没错的，在最后一项勾选。"
_ISO_DAY = re.compile(r"(\d{4}-\d{2}-\d{2})?\Z")
_SEPARATOR = re.compile(r"\s*[;；、]\s*")
_HINTS = {
    Binding.ID_NUMBER: "18 位，照证件输入；末位可以是 X。",
    Binding.DOC_NO: "照文书抄写，包括年份括号和“号”字。",
    Binding.ACT_END: "行为持续到哪一天；没有持续的留空，按文书日期计算。",
    Binding.PUBLIC_MARK: "文书依法应当公示的才选“公示”；不选即不公示。",
    Binding.PUBLIC_UNTIL: "不填按最长公示期计算；超过最长公示期的，以最长公示期为准。",
    Binding.SEVERITY: "以认定单位在文书中的认定为准；不选则按类别推定，推定不出的按轻微。",
}
_DOOR = "不得写入健康、宗教、联系方式、第三人姓名等禁止归集的内容。"


class EntryForm(forms.Form):
    """One record. It only keeps and shows what was typed: what is wrong is said by the check of every delivery."""

    use_required_attribute = False
    error_css_class = ""

    def __init__(
        self, typed: Typed, *, rules: Schema, prefix: str, problems: Iterable[Problem] = (), number: int = 1
    ) -> None:
        self.number = number
        self._found = list(problems)
        super().__init__(_as_posted(typed, rules, prefix), prefix=prefix)
        for item_field in fields_of(rules):
            value = typed.values.get(item_field.code, "")
            self.fields[item_field.code] = _field_of(item_field, value)
        if typed.compared or any(code == COMPARE_CODE for _, code, _ in self._found):
            label = "已与证件核对，号码末三位确为 000"
            self.fields[COMPARED] = forms.BooleanField(label=label, required=False)
        if typed.named or any(code == NAME_CODE for _, code, _ in self._found):
            self.fields[NAMED] = forms.BooleanField(label="已与证件核对，姓名确为如此", required=False)

    def full_clean(self) -> None:
        self._errors = ErrorDict(renderer=self.renderer)
        self.cleaned_data: dict[str, Any] = {}
        for code, reason, message in self._found:
            told = COMPARE if reason == COMPARE_CODE else message
            self.add_error(code if code in self.fields else None, f"{told}（{reason}）")

    @property
    def wide(self) -> list[str]:
        """Return the names of fields that take the whole width."""
        return [
            name
            for name, one in self.fields.items()
            if isinstance(one.widget, forms.Textarea | forms.CheckboxSelectMultiple)
        ]


def typed_of(data: QueryDict, *, rules: Schema, prefix: str) -> Typed:
    """Return one row as posted; several chosen values are joined as a spreadsheet would hold them."""
    values = {f.code: ";".join(data.getlist(f"{prefix}-{f.code}")) for f in fields_of(rules)}
    return Typed(values, compared=f"{prefix}-{COMPARED}" in data, named=f"{prefix}-{NAMED}" in data)


def blank(rules: Schema, organisation: Organisation) -> Typed:
    """Return what a new record begins with: who decides, and where a code set leaves one choice only."""
    usual = {Binding.DECIDER: organisation.name, Binding.DECIDER_USCC: organisation.uscc}
    values = {f.code: usual[Binding(f.binds)] for f in fields_of(rules) if f.binds in usual}
    for f in fields_of(rules):
        if f.datatype == Type.CHOICE and len(labels := _labels(f)) == 1:
            values[f.code] = labels[0]
    return Typed(values)


def is_blank(typed: Typed, begun: Typed) -> bool:
    """Tell whether nothing was added to what a new record begins with."""
    return all(not value.strip() or value == begun.values.get(code) for code, value in typed.values.items())


def _as_posted(typed: Typed, rules: Schema, prefix: str) -> MultiValueDict[str, str]:
    data: dict[str, list[str]] = {}
    for f in fields_of(rules):
        value = typed.values.get(f.code, "")
        data[f"{prefix}-{f.code}"] = _chosen(f, value) if f.datatype in (Type.CHOICE, Type.CHOICES) else [value]
    if typed.compared:
        data[f"{prefix}-{COMPARED}"] = ["on"]
    if typed.named:
        data[f"{prefix}-{NAMED}"] = ["on"]
    return MultiValueDict(data)


def _chosen(item_field: Field, value: str) -> list[str]:
    """Return the choices that a text means; what is no choice stays as typed."""
    known: Mapping[str, str] = {
        key: one.label
        for one in item_field.code_set.values.all()  # type: ignore[union-attr]
        for key in (*one.aliases, one.code, one.label)
    }
    parts = [value] if value in known or item_field.datatype == Type.CHOICE else _SEPARATOR.split(value)
    return [known.get(part.strip(), part) for part in parts if part.strip()]


def _labels(item_field: Field) -> list[str]:
    return [one.label for one in item_field.code_set.values.all() if not one.refusal]  # type: ignore[union-attr]


def _field_of(item_field: Field, value: str) -> forms.Field:
    made: dict[str, Any] = {"label": item_field.label, "required": item_field.required, "help_text": _hint(item_field)}
    kind = item_field.datatype
    if kind in (Type.CHOICE, Type.CHOICES):
        labels = _labels(item_field)
        choices = [(one, one) for one in dict.fromkeys([*labels, *_chosen(item_field, value)])]
        if kind == Type.CHOICES:
            return forms.MultipleChoiceField(choices=choices, widget=forms.CheckboxSelectMultiple, **made)
        return forms.ChoiceField(choices=[("", "请选择" if item_field.required else "不填"), *choices], **made)
    return forms.CharField(widget=_widget(item_field, value), **made)


def _widget(item_field: Field, value: str) -> forms.Widget:
    if item_field.datatype == Type.DATE and _ISO_DAY.match(value):  # a browser empties a date it cannot read
        return forms.DateInput(attrs={"type": "date"})
    if item_field.datatype == Type.TEXT and (item_field.free_text or item_field.length > LONG or "\n" in value):
        return forms.Textarea(attrs={"rows": 3 if item_field.free_text else 2})
    attrs = {"autocomplete": "off", "spellcheck": "false"}
    if item_field.datatype == Type.AMOUNT:
        attrs["inputmode"] = "decimal"
    return forms.TextInput(attrs=attrs)


def _hint(item_field: Field) -> str:
    """Return one line of help: what to write, what is not taken."""
    hints = [_HINTS[Binding(item_field.binds)]] if item_field.binds in _HINTS else []
    if item_field.datatype == Type.AMOUNT:
        hints.append("没有的留空。")
    if item_field.free_text:
        hints.append(_DOOR)
    if item_field.code_set is not None:
        refused = [one for one in item_field.code_set.values.all() if one.refusal]
        if refused:
            hints.append(f"不收：{'、'.join(one.label for one in refused)}。")
    return "".join(hints)
