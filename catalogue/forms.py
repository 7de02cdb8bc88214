"""The shape of what departments, reviewers and the credit office type about items; clean values out, no rules."""

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from catalogue.models import (
    Article,
    CodeValue,
    Item,
)

Choices = list[tuple[Any, Any]]
EMPTY = ("", "请选择")
MORE_ROWS = 5


# --- parts ---------------------------------------------------------------------------------------------


class DateInput(forms.DateInput):
    """A date with the browser's calendar."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class WordsField(forms.CharField):
    """Several words in one box: one on each line, or parted by 、 where no word can hold one."""

    def __init__(self, *, word_length: int, by_line: bool = False, rows: int = 2, **more: Any) -> None:
        self.word_length = word_length
        self.between = re.compile(r"\n+") if by_line else re.compile(r"[、，,；;\n]+")
        self.joined_by = "\n" if by_line else "、"
        super().__init__(required=False, widget=forms.Textarea(attrs={"rows": rows}), **more)

    def prepare_value(self, value: Any) -> Any:
        return self.joined_by.join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> list[str]:  # type: ignore[override]
        return [word for part in self.between.split(super().to_python(value) or "") if (word := part.strip())]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return list(initial or []) != self.to_python(data)

    def run_validators(self, value: Any) -> None:
        for word in value:
            if len(word) > self.word_length:
                raise ValidationError(f"“{word[:20]}”过长，每个最多 {self.word_length} 个字。", code="max_length")


class ArticlePicker(forms.CheckboxSelectMultiple):
    """Articles to tick, folded up by instrument; those with a tick stand open. Narrowing needs script, ticking not."""

    template_name = "django/forms/article_picker.html"

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        groups = [
            {"title": title, "options": options, "ticked": sum(bool(one["selected"]) for one in options)}
            for title, options, _ in context["widget"]["optgroups"]
        ]
        context["widget"]["groups"] = sorted(groups, key=lambda group: not group["ticked"])
        return context


def code_choices(*code_sets: str) -> dict[str, Choices]:
    """Return the values of code sets to choose from, those that are never taken left out."""
    found: dict[str, Choices] = {code_set: [] for code_set in code_sets}
    values = CodeValue.objects.filter(code_set__code__in=code_sets, refusal="")
    for code_set, code, label in values.values_list("code_set__code", "code", "label"):
        found[code_set].append((code, label if label == code else f"{code} {label}"))
    return found


def article_choices() -> Choices:
    """Return all articles by instrument, the highest level first; repealed instruments say so."""
    today = timezone.localdate()
    groups: dict[str, Choices] = {}
    articles = Article.objects.select_related("instrument").order_by("instrument__level", "instrument__title", "id")
    for article in articles:
        instrument = article.instrument
        told = "" if instrument.in_force_on(today) else (
            f"（{instrument.repealed_on} 废止）" if instrument.repealed_on else f"（{instrument.effective_on} 起施行）"
        )  # fmt: skip
        title = f"{instrument.get_level_display()}　{instrument}{told}"
        groups.setdefault(title, []).append((article.pk, f"{article.number}　{article.summary}"))
    return list(groups.items())


def short(choices: Choices) -> Choices:
    """Shorten labels for a drop-down."""
    return [EMPTY, *((title, [(pk, label[:40]) for pk, label in rows]) for title, rows in choices)]


# --- a new item -------------------------------------------------------------------------------


class NewItemForm(forms.Form):
    """What an item is; everything else is written in its draft."""

    name = forms.CharField(label="条目名称", max_length=100, help_text="如：市场监管领域行政处罚（自然人）")
    category = forms.ChoiceField(
        label="信息类别", help_text="公共信用信息基础目录的类别；只列出用于自然人的几类。提交后不能改。"
    )
    polarity = forms.ChoiceField(
        label="信息性质", choices=Item.Polarity, widget=forms.RadioSelect,
        help_text="失信：有法律文书认定的失信行为；守信：表彰等；基础：资格、许可等事实。提交后不能改。",
    )  # fmt: skip
    origin = forms.ChoiceField(
        label="目录来源", choices=Item.Origin, widget=forms.RadioSelect, initial=Item.Origin.NATIONAL,
        help_text="地方补充目录须有本地有效的地方性法规，并公开征求意见不少于 30 日。提交后不能改。",
    )  # fmt: skip
    number = forms.RegexField(
        r"^\d{4}$", label="顺序号", required=False, help_text="四位数字；不填就用本单位这一类的下一个号。",
        error_messages={"invalid": "顺序号是四位数字，如 0003。"},
    )  # fmt: skip
    behaviour = forms.CharField(
        label="对应的具体行为", max_length=500, widget=forms.Textarea(attrs={"rows": 3}),
        help_text="照抄依据写明的行为，不要概括扩大。",
    )  # fmt: skip

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["category"].choices = [EMPTY, *code_choices("CAT")["CAT"]]  # type: ignore[attr-defined]


def with_more_rows(data: Any, table: forms.BaseFormSet) -> Any:
    """Return what was typed with some blank rows more in one table, each with its first values."""
    grown, prefix = data.copy(), table.prefix
    total = grown.get(f"{prefix}-TOTAL_FORMS", "")
    stands = int(total) if total.isdecimal() else 0
    grown[f"{prefix}-TOTAL_FORMS"] = str(stands + MORE_ROWS)
    blank = {field.name: field.value() for field in table.empty_form if field.value() not in (None, "", [], False)}
    for place in range(stands, stands + MORE_ROWS):
        for name, value in blank.items():
            grown[f"{prefix}-{place}-{name}"] = str(value)
    return grown
