"""One column of a table by an item's rules: what each of its cells becomes.

Cell by cell is judged here, while streaming, because only here the cell's own type is known (a number-typed ID
cell has lost digits that no later check can see). Kinds, dates and codes repeat through a file, so a column
remembers what its texts became and looks up instead of converting.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from catalogue.models import Field
from catalogue.prohibited import Door
from creditfujian.lib import identity
from creditfujian.lib.text import normalise_code, normalise_name
from creditfujian.lib.uscc import is_valid as uscc_is_valid
from records.intake import cells
from records.intake.base import Cell
from records.intake.copytext import quoted

Binding = Field.Binding
Problem = tuple[str, str, str]  # field code, reason code, message

_HANZI = re.compile("[\u4e00-\u9fff]+")  # what normalisation leaves alone and no formula begins with
_SEPARATOR = re.compile(r"\s*[;；、,，]\s*")


class Taken(NamedTuple):
    """What a cell became."""

    content: str = ""  # `"CODE":"value",`: its piece of the row's content
    value: Any = None  # what the record or its rules take from it
    problem: Problem | None = None  # why the row is sent back
    prohibited: Problem | None = None  # why its text may not be collected


EMPTY = Taken()


@dataclass(frozen=True)
class Context:
    """What every column of a batch is judged by."""

    today: date
    allow_demo: bool
    door: Door


@dataclass(frozen=True)
class Codes:
    """A code set ready for look-up: every label, code and alias to (code, label, severity, refusal)."""

    values: dict[str, tuple[str, str, int | None, str]]
    labels: str

    @classmethod
    def of(cls, item_field: Field) -> "Codes":
        assert item_field.code_set is not None
        values: dict[str, tuple[str, str, int | None, str]] = {}
        taken = []
        for value in item_field.code_set.values.all():
            entry = (value.code, value.label, value.severity, value.refusal)
            for key in (value.label, value.code, *value.aliases):
                values.setdefault(normalise_code(key), entry)
            if not value.refusal:
                taken.append(value.label)
        return cls(values, "、".join(taken))


class Column:
    """A field's column. Subclasses say how one cell is converted."""

    UNIQUE = (Binding.PERSON_NAME, Binding.ID_NUMBER, Binding.DOC_NO)  # hardly ever the same twice
    CELLS, LETTERS = 5_000, 200  # how much a column remembers
    FEW = 32

    def __init__(self, item_field: Field, context: Context) -> None:
        self.code, self.label, self.binds = item_field.code, item_field.label, item_field.binds
        self._required, self._length = item_field.required, item_field.length
        self._free_text = item_field.free_text
        self._context = context
        self._key = f"{quoted(self.code)}:"
        self._remembers = self.binds not in self.UNIQUE
        # By the cell's type: a formula showing 1 equals the text 1 and must not pass for it.
        self._known: dict[type, dict[Cell, Taken]] = defaultdict(lambda: {} if self._required else {None: EMPTY})

    def convert(self, cell: Any) -> Taken:
        """Return what one cell becomes."""
        raise NotImplementedError

    def take(self, column: Sequence[Cell]) -> tuple[list[Taken], list[int]]:
        """Return what each cell became, and where something is wrong. What is wrong is judged each time anew."""
        found: list[Any] = self._recall(column)
        wrong = []
        unknown = [at for at, taken in enumerate(found) if taken is None]
        for at, taken in zip(unknown, self._convert_all([column[at] for at in unknown]), strict=True):
            found[at] = taken
            if taken.problem or taken.prohibited:
                wrong.append(at)
            elif self._remembers:
                self._remember(column[at], taken)
        return found, wrong

    def _convert_all(self, column: list[Any]) -> list[Taken]:
        """Convert all at once what one look shows to be plain, and halve what is not until it is few."""
        if self._are_plain(column):
            return list(map(self._take_plain, column))
        if len(column) < self.FEW:
            return list(map(self.convert, column))
        half = len(column) // 2
        return self._convert_all(column[:half]) + self._convert_all(column[half:])

    def _are_plain(self, column: list[Any]) -> bool:
        """Tell whether `convert` would keep every one of these cells as it is."""
        return False

    def _take_plain(self, text: str) -> Taken:
        """Return what `convert` makes of a plain text."""
        return Taken(f"{self._key}{quoted(text)},", text)

    def _recall(self, column: Sequence[Cell]) -> list[Taken | None]:
        kinds = {*map(type, column)}
        if len(kinds) == 1:
            return list(map(self._known[kinds.pop()].get, column))
        kinds.discard(type(None))
        if len(kinds) == 1:
            return list(map(self._known[kinds.pop()].get, column))
        return [self._known[type(cell)].get(cell) for cell in column]

    def _remember(self, cell: Cell, taken: Taken) -> None:
        known = self._known[type(cell)]
        if len(known) < self.CELLS and not (isinstance(cell, str) and len(cell) > self.LETTERS):
            known[cell] = taken

    def _keep(self, text: str, value: Any = None, problem: Problem | None = None) -> Taken:
        """Keep a text as content; free text passes the door."""
        prohibited = None
        if self._free_text and (hit := self._context.door.find(text)):
            message = f"“{self.label}”含有“{hit.found}”，属禁止归集的{hit.title}。{hit.advice}"
            prohibited = (self.code, "R14", message)
        return Taken(f"{self._key}{quoted(text)},", value, problem, prohibited)

    def _refuse(self, code: str, message: str) -> Taken:
        return Taken("", None, (self.code, code, message))

    def _is_answer(self, text: str) -> bool:
        """Tell whether a text answers what is asked: a required field is not filled by 无, a document has a number."""
        if self.binds == Binding.DOC_NO:
            return cells.is_document_number(text)
        return not self._required or text not in cells.PLACEHOLDERS

    def _answer(self, text: str) -> Taken:
        if self._is_answer(text):
            return self._keep(text, text)
        if self.binds == Binding.DOC_NO:
            message = f"“{self.label}”填的“{text[:20]}”不是文号。没有文书的不得归集；请照文书填写完整的文号。"
        else:
            message = f"“{self.label}”为必填项，“{text[:20]}”等于没有填。请照文书填写。"
        return self._refuse("C24", message)

    def _unusable(self, value: Any) -> Taken | None:
        """Return what becomes of a converted value that cannot be kept; None when it can."""
        if value is None:
            return self._refuse("C01", f"“{self.label}”为必填项，现为空。请补填。") if self._required else EMPTY
        if type(value) is cells.CellError:
            return self._refuse(value.code, f"“{self.label}”{value.message}")
        if type(value) is str and len(value) > self._length:
            message = f"“{self.label}”有 {len(value)} 个字，超过上限 {self._length} 个字。请删减。"
            return self._refuse("C12", message)
        return None


class EmptyColumn(Column):
    """A column that is for organisations only."""

    def convert(self, cell: Any) -> Taken:
        if cell is not None and str(cell).strip() not in ("", "/", "无", "-", "—"):
            return self._refuse("C20", f"“{self.label}”只用于单位，自然人请留空。")
        return EMPTY


class TextColumn(Column):
    def convert(self, cell: Any) -> Taken:
        text: Any = cells.to_text(cell)
        return self._unusable(text) or self._answer(text)

    def _are_plain(self, column: list[Any]) -> bool:
        return (
            {*map(type, column)} == {str}
            and cells.are_plain_texts(column, longest=self._length)
            and all(map(self._is_answer, column))
            and not (self._free_text and self._context.door.find("\n".join(column)))
        )


class NameColumn(Column):
    def convert(self, cell: Any) -> Taken:
        name: Any = cells.to_text(cell, is_name=True)
        return self._unusable(name) or Taken("", normalise_name(name))

    def _are_plain(self, column: list[Any]) -> bool:
        return (
            {*map(type, column)} == {str}
            and bool(_HANZI.fullmatch("".join(column)))
            and 0 < len(min(column, key=len)) <= len(max(column, key=len)) <= self._length
        )

    def _take_plain(self, text: str) -> Taken:
        return Taken("", text)


class CodeColumn(Column):
    def __init__(self, item_field: Field, context: Context) -> None:
        super().__init__(item_field, context)
        self._is_uscc = self.binds == Binding.DECIDER_USCC or (self.code.endswith("DM") and self._length == 18)

    def convert(self, cell: Any) -> Taken:
        text: Any = cells.to_code_text(cell)
        if unusable := self._unusable(text):
            return unusable
        if self._is_uscc:
            text = normalise_code(text).upper()
            if not uscc_is_valid(text):
                return self._refuse("C22", f"“{self.label}”不是有效的统一社会信用代码（18 位）。请核对。")
        return self._answer(text)

    def _are_plain(self, column: list[Any]) -> bool:
        return (
            not self._is_uscc
            and not self._free_text
            and {*map(type, column)} == {str}
            and cells.are_plain_codes(column, longest=self._length)
            and all(map(self._is_answer, column))
        )


class IdNumberColumn(Column):
    def convert(self, cell: Any) -> Taken:
        text: Any = cells.to_code_text(cell, id_number=True)
        if type(text) is str:
            text = identity.normalise(text)
        return self._unusable(text) or self._take_plain(text)

    def _are_plain(self, column: list[Any]) -> bool:
        return {*map(type, column)} == {str} and all(map(identity.is_shaped, column)) and self._length >= 18

    def _take_plain(self, number: str) -> Taken:
        if problem := identity.problem(number, today=self._context.today, allow_demo=self._context.allow_demo):
            return self._refuse(problem, identity.PROBLEMS[problem])
        return Taken("", number)


class DateColumn(Column):
    def convert(self, cell: Any) -> Taken:
        day: Any = cells.to_date(cell)
        if unusable := self._unusable(day):
            return unusable
        if day is cells.LONG_TERM:
            message = f"“{self.label}”不能填长期。请填写具体日期。"
            return self._keep("长期", None, (self.code, "C21", message) if self._required else None)
        if day > self._context.today and self.binds in (Binding.DOC_DATE, Binding.SERVICE_DATE):
            message = f"“{self.label}”晚于今天。请核对日期，文书作出后再报送。"
            value = None if self.binds == Binding.DOC_DATE else day
            return self._keep(day.isoformat(), value, (self.code, "C21", message))
        return self._keep(day.isoformat(), day)


class AmountColumn(Column):
    def convert(self, cell: Any) -> Taken:
        amount: Any = cells.to_amount(cell)
        return self._unusable(amount) or self._keep(f"{amount.normalize():f}")


class ChoiceColumn(Column):
    def __init__(self, item_field: Field, context: Context) -> None:
        super().__init__(item_field, context)
        self._codes = Codes.of(item_field)
        self._several = item_field.datatype == Field.Type.CHOICES

    def convert(self, cell: Any) -> Taken:
        text: Any = cells.to_text(cell)
        if unusable := self._unusable(text):
            return unusable
        known, found = self._codes.values, []
        is_one = not self._several or normalise_code(text) in known
        for part in [text] if is_one else _SEPARATOR.split(text):
            entry = known.get(normalise_code(part))
            if entry is None:
                message = f"“{self.label}”中的“{part[:30]}”不在代码表内。可填：{self._codes.labels}。"
                return self._refuse("C11", message)
            if entry[3]:
                return self._refuse("R13", entry[3])
            found.append(entry)
        labels = "；".join(entry[1] for entry in found)
        if self.binds == Binding.KIND:
            return self._keep(labels, max((entry[2] or 0) for entry in found))
        if self.binds == Binding.SEVERITY:
            return self._keep(labels, int(found[0][0]))
        if self.binds == Binding.PUBLIC_MARK:
            return self._keep(found[0][0], found[0][0])
        return self._keep(labels, labels)


_CLASSES: dict[str, type[Column]] = {
    Field.Type.TEXT: TextColumn,
    Field.Type.CODE: CodeColumn,
    Field.Type.NAME: NameColumn,
    Field.Type.ID_NUMBER: IdNumberColumn,
    Field.Type.DATE: DateColumn,
    Field.Type.AMOUNT: AmountColumn,
    Field.Type.CHOICE: ChoiceColumn,
    Field.Type.CHOICES: ChoiceColumn,
}


def column_of(item_field: Field, context: Context) -> Column:
    """Return the column that a field's rules make."""
    made = EmptyColumn if item_field.must_be_empty else _CLASSES[item_field.datatype]
    return made(item_field, context)
