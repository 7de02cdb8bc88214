"""The shape of what an officer says: what each column of a file is, and where its headings stand."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from catalogue.prohibited import Door
from creditfujian.lib.text import hide_numbers
from records import mappings
from records.mappings import ColumnShown, Look, Place
from records.models import ColumnMapping

NOT_READ = "不读取"


class NameForm(forms.Form):
    """What a saved mapping is called."""

    name = forms.CharField(
        label="名称", max_length=ColumnMapping._meta.get_field("name").max_length,
        help_text="写明是哪个系统或哪张表，如“处罚办案系统导出”。不要写人名、号码。",
    )  # fmt: skip

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if hide_numbers(name) != name:
            raise ValidationError("名称中有长号码。请改用系统或表格的名称。", code="number")
        return name


class PlaceForm(forms.Form):
    """Which sheet, which row, one row of headings or two."""

    sheet = forms.IntegerField(min_value=0, max_value=10_000)
    row = forms.IntegerField(min_value=1, max_value=20_000_000)
    two = forms.BooleanField(required=False)

    def place(self) -> Place | None:
        """Return the place, or None when none is given."""
        if not self.is_valid():
            return None
        return Place(self.cleaned_data["sheet"], self.cleaned_data["row"], two=self.cleaned_data["two"])


class ColumnField(forms.ChoiceField):
    """The field that one column feeds; knows the column for the page."""

    def __init__(self, column: ColumnShown, choices: Sequence[tuple[str, str]]) -> None:
        self.column = column
        heading = column.heading
        super().__init__(
            label=f"{heading.letter} 列“{heading.shown or '（没有列名）'}”对应到", required=False, choices=choices,
            initial=column.suggestion,
        )  # fmt: skip


class MappingForm(NameForm):
    """What every column of a file is, and how that is called. The fields of the columns come first, in their order."""

    field_order: list[str]

    def __init__(self, *args: Any, look: Look, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.look = look
        choices = [("", NOT_READ), *((f.code, f"{f.label}{'（必填）' if f.required else ''}") for f in look.fields)]
        for at, column in enumerate(look.columns):
            self.fields[f"c{at}"] = ColumnField(column, choices)
        self.order_fields([*(f"c{at}" for at in range(len(look.columns))), "name"])

    def columns(self) -> list[forms.BoundField]:
        """Return the columns' fields for the page."""
        return [self[f"c{at}"] for at in range(len(self.look.columns))]

    def codes(self) -> list[str]:
        """Return the chosen codes in the order of the columns; of a form not yet sent those that are suggested."""
        return [str(bound.value() or "") for bound in self.columns()]

    def unfed(self) -> list[str]:
        """Return the labels of the required fields that no column feeds as it stands."""
        chosen = set(self.codes())
        return [f.label for f in self.look.fields if f.required and f.code not in chosen]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        named = [column.heading for column in self.look.columns]
        for at, sentence in mappings.wrong(named, self.codes(), self.look.fields, Door.load()):
            self.add_error(None if at is None else f"c{at}", sentence)
        return data
