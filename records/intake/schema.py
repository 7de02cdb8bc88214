"""An item's rules compiled for reading rows: which columns, which checks, what becomes of each cell.

Cell by cell is judged here, while streaming, because only here the cell's own type is known (a number-typed ID
cell has lost digits that no later check can see). What needs the whole file or the register is judged in SQL:
`check`.
"""

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.conf import settings
from django.utils import timezone

from accounts.models import ID_ABOUT, Organisation
from catalogue.models import Field, Item, ItemVersion, PublicationPeriod
from catalogue.prohibited import Door
from catalogue.rules import basis_days, publication_end, query_end
from creditfujian.lib import identity
from creditfujian.lib.text import normalise_code, normalise_name
from creditfujian.lib.uscc import is_valid as uscc_is_valid
from records.intake import cells
from records.intake.header import Column

_SEPARATOR = re.compile(r"\s*[;；、,，]\s*")
MINOR = PublicationPeriod.Severity.MINOR.value
FIXED_SEVERITY = ("1", "2", "3")  # column 20 of the catalogue; "C" leaves it to the decider, case by case
PUBLIC_MARK = "0"  # code set SYFW: the decider marked the document public by law

FILE_REASONS = {"F30": "含有禁止归集的列", "F31": "没有数据行", "S01": "处理中断", "S02": "入库中断"}
R_REASONS = {
    **FILE_REASONS,
    "C20": "自然人不应填写的列有内容",
    "C21": "日期晚于今天",
    "C22": "统一社会信用代码不对",
    "C23": "行为终了日期晚于认定日期",
    "R10": "当事人行为时未满 18 周岁",
    "R11": "认定之日没有现行目录条目",
    "R12": "已超过查询披露期限",
    "R13": "代码值不予归集",
    "R14": "含有禁止归集的内容",
}


@dataclass(slots=True)
class Row:
    """What one row became: values for the staging table, or the problems that send it back."""

    problems: list[tuple[str | None, str, str]] = field(default_factory=list)
    hints: list[tuple[str, str]] = field(default_factory=list)
    source_row: int | None = None
    name: str | None = None
    id_number: str | None = None
    item_version: int | None = None
    doc_no: str | None = None
    doc_date: date | None = None
    decider_uscc: str | None = None
    act_end: date | None = None
    stated_severity: int = 0
    kind_severity: int = 0
    severity: int = 0
    publication: tuple[date, date] | None = None
    query_until: date | None = None
    content: dict[str, str] = field(default_factory=dict)


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


class Schema:
    """The compiled rules of an item on a day. Build once per batch; `row` is the hot path."""

    def __init__(self, item: Item, supplier: Organisation, *, today: date | None = None) -> None:
        self.today = today or timezone.localdate()
        self.supplier = supplier
        self.negative = item.polarity == Item.Polarity.NEGATIVE
        standing = (ItemVersion.State.PUBLISHED, ItemVersion.State.IN_FORCE)
        self.versions = list(
            ItemVersion.objects.filter(item=item, state__in=standing).prefetch_related("periods").order_by("-version")
        )
        self.basis_days = basis_days(version.pk for version in self.versions)
        current = item.version_on(self.today)
        assert current is not None
        self.fields = list(current.fields.select_related("code_set").prefetch_related("code_set__values"))
        self.by_code = {f.code: f for f in self.fields}
        self.bound = {f.binds: f.code for f in self.fields if f.binds}
        self.codes = {f.code: Codes.of(f) for f in self.fields if f.code_set_id}
        self.free_text = [f.code for f in self.fields if f.free_text]
        self.door = Door.load()
        self.periods = {v.pk: {p.severity: p for p in v.periods.all()} for v in self.versions}
        self._allow_demo = settings.DEMO

    def columns(self) -> list[Column]:
        """Return the columns to look for in a header."""
        return [Column(code=f.code, label=f.label, required=f.required, aliases=tuple(f.aliases)) for f in self.fields]

    def reader(self, mapping: dict[int, str], source_index: int | None) -> Callable[[Sequence[Any]], Row]:
        """Return the function that turns a row's cells into a Row, for a header's mapping."""
        fields = [(index, self.by_code[code]) for index, code in mapping.items()]
        plan = [(index, f, f.required, self._convert(f), _Memory.of(f)) for index, f in fields]

        def read(values: Sequence[Any]) -> Row:
            row = Row()
            width = len(values)
            for index, item_field, required, convert, memory in plan:
                cell = values[index] if index < width else None
                if not (required or cell) and cell in ("", None):
                    continue
                known = memory.known.get(cell) if memory is not None and type(cell) is str else None
                if known is not None:  # written out here and not in a method: this line runs millions of times
                    row.content[item_field.code] = known[0]
                    for name, value in known[1]:
                        setattr(row, name, value)
                    continue
                convert(row, item_field, cell)
                if memory is not None:
                    memory.note(convert, cell)
            if source_index is not None and source_index < width:
                row.source_row = _source_row(values[source_index])
            self._whole_row(row)
            return row

        return read

    # --- one cell -----------------------------------------------------------------------------------

    def _convert(self, item_field: Field) -> Callable[[Row, Field, Any], None]:
        if item_field.must_be_empty:
            return self._empty
        return {
            Field.Type.TEXT: self._text,
            Field.Type.CODE: self._code,
            Field.Type.NAME: self._name,
            Field.Type.ID_NUMBER: self._id_number,
            Field.Type.DATE: self._date,
            Field.Type.AMOUNT: self._amount,
            Field.Type.CHOICE: self._choices,
            Field.Type.CHOICES: self._choices,
        }[Field.Type(item_field.datatype)]

    def _empty(self, row: Row, f: Field, cell: Any) -> None:
        if cell is not None and str(cell).strip() not in ("", "/", "无", "-", "—"):
            row.problems.append((f.code, "C20", f"“{f.label}”只用于单位，自然人请留空。"))

    def _text(self, row: Row, f: Field, cell: Any) -> None:
        value: Any = cells.to_text(cell)
        if self._usable(row, f, value):
            row.content[f.code] = value

    def _name(self, row: Row, f: Field, cell: Any) -> None:
        value: Any = cells.to_text(cell, is_name=True)
        if self._usable(row, f, value):
            row.name = normalise_name(value)

    def _code(self, row: Row, f: Field, cell: Any) -> None:
        value: Any = cells.to_code_text(cell)
        if not self._usable(row, f, value):
            return
        if f.binds == Field.Binding.DECIDER_USCC or (f.code.endswith("DM") and f.length == 18):
            value = normalise_code(value).upper()
            if not uscc_is_valid(value):
                row.problems.append((f.code, "C22", f"“{f.label}”不是有效的统一社会信用代码（18 位）。请核对。"))
                return
        row.content[f.code] = value
        if f.binds == Field.Binding.DOC_NO:
            row.doc_no = value
        elif f.binds == Field.Binding.DECIDER_USCC:
            row.decider_uscc = value

    def _id_number(self, row: Row, f: Field, cell: Any) -> None:
        value: Any = cells.to_code_text(cell, id_number=True)
        if not self._usable(row, f, value):
            return
        number = identity.normalise(value)
        if problem := identity.problem(number, today=self.today, allow_demo=self._allow_demo):
            row.problems.append((f.code, problem, identity.PROBLEMS[problem]))
        else:
            row.id_number = number

    def _date(self, row: Row, f: Field, cell: Any) -> None:
        value: Any = cells.to_date(cell)
        if not self._usable(row, f, value):
            return
        if value is cells.LONG_TERM:
            row.content[f.code] = "长期"
            if f.required:
                row.problems.append((f.code, "C21", f"“{f.label}”不能填长期。请填写具体日期。"))
            return
        row.content[f.code] = value.isoformat()
        if f.binds in (Field.Binding.DOC_DATE, Field.Binding.SERVICE_DATE) and value > self.today:
            row.problems.append((f.code, "C21", f"“{f.label}”晚于今天。请核对日期，文书作出后再报送。"))
        elif f.binds == Field.Binding.DOC_DATE:
            row.doc_date = value
        elif f.binds == Field.Binding.ACT_END:
            row.act_end = value

    def _amount(self, row: Row, f: Field, cell: Any) -> None:
        value: Any = cells.to_amount(cell)
        if self._usable(row, f, value):
            row.content[f.code] = f"{value.normalize():f}"

    def _choices(self, row: Row, f: Field, cell: Any) -> None:
        several = f.datatype == Field.Type.CHOICES
        value: Any = cells.to_text(cell)
        if not self._usable(row, f, value):
            return
        codes, found = self.codes[f.code], []
        whole = codes.values.get(normalise_code(value))
        parts = [value] if whole or not several else _SEPARATOR.split(value)
        for part in parts:
            entry = codes.values.get(normalise_code(part))
            if entry is None:
                message = f"“{f.label}”中的“{part[:30]}”不在代码表内。可填：{codes.labels}。"
                row.problems.append((f.code, "C11", message))
                return
            if entry[3]:
                row.problems.append((f.code, "R13", entry[3]))
                return
            found.append(entry)
        row.content[f.code] = "；".join(entry[1] for entry in found)
        if f.binds == Field.Binding.KIND:
            row.kind_severity = max((entry[2] or 0) for entry in found)
        elif f.binds == Field.Binding.SEVERITY:
            row.stated_severity = int(found[0][0])
        elif f.binds == Field.Binding.PUBLIC_MARK:
            row.content[f.code] = found[0][0]

    def _usable(self, row: Row, f: Field, value: Any) -> bool:
        """Tell whether a converted value can be kept; note the problem when it cannot."""
        if value is None:
            if f.required:
                row.problems.append((f.code, "C01", f"“{f.label}”为必填项，现为空。请补填。"))
            return False
        if type(value) is cells.CellError:
            row.problems.append((f.code, value.code, f"“{f.label}”{value.message}"))
            return False
        if type(value) is str and len(value) > f.length:
            message = f"“{f.label}”有 {len(value)} 个字，超过上限 {f.length} 个字。请删减。"
            row.problems.append((f.code, "C12", message))
            return False
        return True

    # --- the row as a whole ---------------------------------------------------------------------------

    def _whole_row(self, row: Row) -> None:
        if self.negative:  # what the decider states wins; nothing said counts as the mildest
            row.severity = row.stated_severity or row.kind_severity or MINOR
        if row.doc_date is None:
            self._scan(row)
            return
        row.act_end = row.act_end or row.doc_date
        if self.negative and row.act_end > row.doc_date:
            code = self.bound[Field.Binding.ACT_END]
            row.problems.append((code, "C23", f"“{self.by_code[code].label}”晚于认定日期。请核对。"))
            return
        self._adult(row)
        version = self._version_on(row.doc_date)
        if version is None:
            message = "文书作出之日没有现行的目录条目，或者条目的依据已经失效，不能归集。请核对认定日期。"
            row.problems.append((self.bound[Field.Binding.DOC_DATE], "R11", message))
            return
        row.item_version = version.pk
        if version.severity_rule in FIXED_SEVERITY:  # the item says how grave it is, whatever the row says
            row.severity = int(version.severity_rule)
        row.decider_uscc = row.decider_uscc or self.supplier.uscc
        self._periods(row, version)
        self._scan(row)

    def _version_on(self, day: date) -> ItemVersion | None:
        """Return the version that covers a document's day and rests on a basis valid on that day."""
        for version in self.versions:
            if day in version.effective and any(
                (first is None or first <= day) and (last is None or day < last)
                for first, last in self.basis_days[version.pk]
            ):
                return version
        return None

    def _adult(self, row: Row) -> None:
        on = min(row.act_end, row.doc_date) if row.act_end and row.doc_date else row.doc_date
        if row.id_number and on and not identity.is_adult(row.id_number, on):
            message = "当事人行为时未满 18 周岁，未成年人的记录不得归集。请勿报送该行。"
            row.problems.append((self.bound[Field.Binding.ID_NUMBER], "R10", message))

    def _periods(self, row: Row, version: ItemVersion) -> None:
        assert row.doc_date is not None
        assert row.act_end is not None
        start = row.act_end if self.negative else max(row.act_end, row.doc_date)
        row.query_until = query_end(start, version.query_retention_months)
        if row.query_until <= self.today:
            message = (
                f"自行为终止之日起已满 {version.query_retention_months} 个月，不再归集（征信业管理条例第十六条）。"
            )
            row.problems.append((self.bound[Field.Binding.DOC_DATE], "R12", message))
            return
        if version.disclosure != ItemVersion.Disclosure.PUBLIC or version.public_by_consent:
            return  # what needs the person's consent is not public by a delivery
        marked_by = self.bound.get(Field.Binding.PUBLIC_MARK)
        if marked_by and row.content.get(marked_by) != PUBLIC_MARK:
            return
        period = self.periods[version.pk].get(row.severity)
        if period is None or period.max_months == 0:
            if marked_by:
                row.hints.append((marked_by, "轻微失信信息不予公示，只作查询。"))
            return
        self._publish(row, period)

    def _publish(self, row: Row, period: PublicationPeriod) -> None:
        assert row.doc_date is not None
        assert row.query_until is not None
        until = self._date_of(row, Field.Binding.PUBLIC_UNTIL)
        end = min(publication_end(row.doc_date, period.max_months, until), row.query_until)
        if until and until > end:
            code = self.bound[Field.Binding.PUBLIC_UNTIL]
            row.hints.append((code, f"公示截止期超过最长公示期，实际公示至 {end}（当天起不再公示）。"))
        start = max(row.doc_date, self._date_of(row, Field.Binding.SERVICE_DATE) or row.doc_date)
        if start < end:
            row.publication = (start, end)

    def _date_of(self, row: Row, binding: str) -> date | None:
        text = row.content.get(self.bound.get(binding, ""), "")
        return date.fromisoformat(text) if text and text != "长期" else None

    def _scan(self, row: Row) -> None:
        texts = [row.content.get(code, "") for code in self.free_text]
        if self.door.find("\n".join(texts)) is None:
            return
        for code, text in zip(self.free_text, texts, strict=True):
            if hit := self.door.find(text):
                message = f"“{self.by_code[code].label}”含有“{hit.found}”，属禁止归集的{hit.title}。{hit.advice}"
                row.problems.append((code, "R14", message))


class _Memory:
    """What the cells of one column became: kinds, dates and codes repeat through a file, so look and not convert.

    Only text that was taken without a word is remembered; what has a problem is judged each time.
    """

    _SET = ("doc_date", "decider_uscc", "act_end", "stated_severity", "kind_severity")
    CELLS, LETTERS = 2_000, 200

    def __init__(self, item_field: Field) -> None:
        self._field = item_field
        self.known: dict[str, tuple[str, tuple[tuple[str, Any], ...]]] = {}

    @classmethod
    def of(cls, item_field: Field) -> "_Memory | None":
        """Return a memory for a column whose cells repeat; None for names and numbers of persons and documents."""
        unique = (Field.Binding.PERSON_NAME, Field.Binding.ID_NUMBER, Field.Binding.DOC_NO)
        return None if item_field.binds in unique else cls(item_field)

    def note(self, convert: Callable[[Row, Field, Any], None], cell: Any) -> None:
        """Remember what a text becomes."""
        if type(cell) is not str or len(cell) > self.LETTERS or len(self.known) >= self.CELLS:
            return
        alone, blank = Row(), Row()
        convert(alone, self._field, cell)
        if self._field.code in alone.content and not alone.problems and not alone.hints:
            changed = tuple((n, getattr(alone, n)) for n in self._SET if getattr(alone, n) != getattr(blank, n))
            self.known[cell] = (alone.content[self._field.code], changed)


def _source_row(cell: Any) -> int | None:
    text = str(cell or "").strip()
    number = text.rpartition("#")[2]
    return int(number) if number.isdecimal() else None


class Sealer:
    """Turns good rows into lines for COPY: seals the number, hashes the content."""

    def __init__(self) -> None:
        ring = settings.FIELD_KEYRING
        self._seal = ring.sealer(about=ID_ABOUT)
        self._index = ring.indexer()

    def line(self, batch_id: int, row_no: int, row: Row) -> str:
        """Return the row in the text format of COPY (columns: `COLUMNS`)."""
        if row.problems:
            problems = _json(row.problems)
            source = row.source_row if row.source_row is not None else "\\N"
            return f"{batch_id}\t{row_no}\t9\t{problems}\t\\N\t{source}" + "\t\\N" * 13 + "\n"
        number = (row.id_number or "").encode()
        content = _ENCODE(row.content)
        facts = f"{row.name}\0{row.severity}\0{row.publication}\0{content}"
        digest = hashlib.blake2b(facts.encode(), digest_size=16).hexdigest()
        publication = f"[{row.publication[0]},{row.publication[1]})" if row.publication else "\\N"
        hints = _json(row.hints) if row.hints else "\\N"
        source = row.source_row if row.source_row is not None else "\\N"
        return (
            f"{batch_id}\t{row_no}\t1\t\\N\t{hints}\t{source}\t{_escape(row.name or '')}\t"
            f"\\\\x{self._index(number).hex()}\t\\\\x{self._seal(number).hex()}\t{row.item_version}\t"
            f"{_escape(row.doc_no or '')}\t{row.doc_date}\t{row.decider_uscc}\t{row.act_end}\t{row.severity}\t"
            f"{publication}\t{row.query_until}\t{_escape(content)}\t\\\\x{digest}\n"
        )


COLUMNS = (
    "batch_id, row_no, outcome, problems, hints, source_row, name, id_index, id_cipher, item_version_id, doc_no, "
    "doc_date, decider_uscc, act_end, severity, publication, query_until, content, content_hash"
)


_ENCODE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def _json(value: Any) -> str:
    return _escape(_ENCODE(value))


def _escape(text: str) -> str:
    if "\\" in text:
        text = text.replace("\\", "\\\\")
    if "\t" in text or "\n" in text or "\r" in text:
        text = text.replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
    return text
