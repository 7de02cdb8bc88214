"""An item's rules compiled for reading rows: which columns, and what a row's dates and marks decide.

Rows are read by the block and by column (`columns`): a column's cells repeat, so most of them are only looked up.
What needs the whole file or the register is judged in SQL: `check`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from itertools import zip_longest
from operator import itemgetter
from typing import Any, NamedTuple

from django.conf import settings
from django.utils import timezone
from django.utils.functional import cached_property  # without the lock that 3.11 puts into its own

from accounts.models import Organisation
from catalogue.models import Field, Item, ItemVersion, PublicationPeriod
from catalogue.prohibited import Door
from catalogue.rules import basis_days, query_end
from creditfujian.lib import identity
from records.intake.base import Cell
from records.intake.columns import Column as CellColumn
from records.intake.columns import Context, Problem, Taken, column_of
from records.intake.copytext import NOTHING, encode, escape
from records.intake.header import Column
from records.periods import OldOrders, favourable_end

Binding = Field.Binding
MINOR = PublicationPeriod.Severity.MINOR.value
FIXED_SEVERITY = ("1", "2", "3")  # column 20 of the catalogue; "C" leaves it to the decider, case by case
MOST_DIGITS = 9  # of a row's number
TYPED = "表单"  # what 来源行 says of a record typed and compared with its document: see `records.entry`
FROM_NOWHERE = f"{NOTHING}\t{NOTHING}"
PUBLIC_MARK = "0"  # code set SYFW: the decider marked the document public by law

FILE_REASONS = {"F30": "含有禁止归集的列", "F31": "没有数据行", "S01": "处理中断", "S02": "入库中断"}
R_REASONS = {
    **FILE_REASONS,
    "C20": "自然人不应填写的列有内容",
    "C21": "日期晚于今天",
    "C22": "统一社会信用代码不对",
    "C23": "行为终了日期晚于认定日期",
    "C24": "必填项没有实际内容",
    "R10": "当事人行为时未满 18 周岁",
    "R11": "认定之日没有现行目录条目",
    "R12": "已超过查询披露期限",
    "R13": "代码值不予归集",
    "R14": "含有禁止归集的内容",
}


# Excel turns the last three digits into zeros; as a text (TEXT(A1,"0"), or a csv saved from it) one in eleven of those
# still passes the check digit, as somebody else. A row of a correction workbook has been looked at.
TRUNCATED = (
    "证件号码末三位为 000，多半是被表格软件截断的号码。请与证件核对，在更正件中填写完整号码；"
    "确为此号码的，在更正件中保留原样重新上传即可。"
)


class Facts(NamedTuple):
    """What of a row, beside whom it is about, decides severity and periods."""

    doc_date: date | None
    service_date: date | None
    act_end: date | None
    severity: int | None
    kind: int | None
    public_mark: str | None
    public_until: date | None


FACTS = [Binding(name) for name in Facts._fields]


@dataclass(eq=False)  # not frozen: that would treble the cost of making one
class Judgement:
    """What a row's facts decide. Many rows share one; nobody changes it."""

    problems: tuple[Problem, ...] = ()
    hints: tuple[tuple[str, str], ...] = ()
    adult_if_born_by: str = ""  # the last birth date, as in an identity number; empty for no question of age
    text_counts: bool = True  # whether the door's findings are added to the problems
    item_version: int | None = None
    doc_date: date | None = None
    act_end: date | None = None
    severity: int = 0
    publication: tuple[date, date] | None = None
    query_until: date | None = None

    @cached_property
    def as_columns(self) -> str:
        """The columns hints to query_until as COPY reads them."""
        hints = escape(encode(self.hints)) if self.hints else NOTHING
        public = f"[{self.publication[0]},{self.publication[1]})" if self.publication else NOTHING
        version = NOTHING if self.item_version is None else self.item_version
        days = (self.doc_date or NOTHING, self.act_end or NOTHING, self.query_until or NOTHING)
        return f"{hints}\t{version}\t{days[0]}\t{days[1]}\t{self.severity}\t{public}\t{days[2]}"

    @cached_property
    def as_hashed(self) -> str:
        """The part of the content's hash that says severity and publication."""
        return f"{self.severity}\0{self.publication}"


class Source(NamedTuple):
    """The row that a row of a correction stands for. Without a batch it is matched with none, but somebody has looked at it."""

    batch: int | None
    row_no: int

    @property
    def as_columns(self) -> str:
        """The columns source_batch_id and source_row as COPY reads them."""
        return FROM_NOWHERE if self.batch is None else f"{self.batch}\t{self.row_no}"


@dataclass(slots=True)
class Block:
    """What rows read together became. `problems` holds those of the rows that are sent back, by position."""

    names: Sequence[str | None]
    id_numbers: Sequence[str | None]
    doc_nos: Sequence[str | None]
    deciders: Sequence[str | None]
    contents: Sequence[str]
    judgements: list[Judgement]
    sources: Sequence[Source | None]
    problems: dict[int, list[Problem]]


@dataclass(slots=True)
class _Findings:
    """What is wrong in a block's cells, by the row's position and in the order of the columns."""

    problems: dict[int, list[Problem]] = field(default_factory=dict)
    prohibited: dict[int, list[Problem]] = field(default_factory=dict)

    def note(self, column: Sequence[Taken], wrong: list[int]) -> None:
        for at in wrong:
            if problem := column[at].problem:
                self.problems.setdefault(at, []).append(problem)
            if prohibited := column[at].prohibited:
                self.prohibited.setdefault(at, []).append(prohibited)


class Schema:
    """The compiled rules of an item on a day. Build once per batch; `reader` makes the hot path."""

    def __init__(self, item: Item, supplier: Organisation, *, today: date | None = None) -> None:
        self.today = today or timezone.localdate()
        self.supplier = supplier
        self.item_id = item.pk
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
        self.free_text = [f.code for f in self.fields if f.free_text]
        self.door = Door.load()
        self.old_orders = OldOrders.load()
        self.now_longest = {p.severity: p.max_months for p in current.periods.all()}
        self.periods = {v.pk: {p.severity: p for p in v.periods.all()} for v in self.versions}
        self._allow_demo = settings.DEMO
        self.sources: Mapping[str, int | None] = {}  # what 来源行 may name, and the batch that is matched by it
        self._versions_by_day: dict[date, ItemVersion | None] = {}

    def columns(self) -> list[Column]:
        """Return the columns to look for in a header."""
        return [Column(code=f.code, label=f.label, required=f.required, aliases=tuple(f.aliases)) for f in self.fields]

    def reader(self, mapping: dict[int, str], source_index: int | None) -> Callable[[list[list[Cell]]], Block]:
        """Return the function that turns rows of cells into a Block, for a header's mapping."""
        context = Context(self.today, self._allow_demo, self.door)
        plan = [(index, column_of(self.by_code[code], context)) for index, code in mapping.items()]
        judge = lru_cache(20_000)(self._judge)

        def read(rows: list[list[Cell]]) -> Block:
            size = len(rows)
            columns: list[Sequence[Cell]] = list(zip_longest(*rows))
            nothing: Sequence[Any] = (None,) * size
            taken, contents, findings = self._take(plan, columns, nothing)
            facts = zip(*(taken.get(binding, nothing) for binding in FACTS), strict=True)
            has_source = source_index is not None and source_index < len(columns)
            block = Block(
                taken.get(Binding.PERSON_NAME, nothing),
                taken.get(Binding.ID_NUMBER, nothing),
                taken.get(Binding.DOC_NO, nothing),
                [decider or self.supplier.uscc for decider in taken.get(Binding.DECIDER_USCC, nothing)],
                contents,
                list(map(judge, facts)),
                [source_of(cell, self.sources) for cell in columns[source_index or 0]] if has_source else nothing,
                findings.problems,
            )
            self._judge_rows(block, findings)
            return block

        return read

    def _take(
        self, plan: list[tuple[int, CellColumn]], columns: list[Sequence[Cell]], nothing: Sequence[Any]
    ) -> tuple[dict[str, list[Any]], list[str], _Findings]:
        """Convert column by column: what bound fields hold, each row's content, and what is wrong."""
        values: dict[str, list[Any]] = {}
        pieces = []
        findings = _Findings()
        for index, column in plan:
            taken, wrong = column.take(columns[index] if index < len(columns) else nothing)
            findings.note(taken, wrong)
            pieces.append(map(itemgetter(0), taken))
            if column.binds:
                values[column.binds] = [value for _, value, _, _ in taken]
        contents = ["{" + row[:-1] + "}" for row in map("".join, zip(*pieces, strict=True))]
        return values, contents, findings

    def _judge_rows(self, block: Block, findings: _Findings) -> None:
        """Add to the cells' problems those of age, of the facts and of prohibited text."""
        for at, (id_number, judgement) in enumerate(zip(block.id_numbers, block.judgements, strict=True)):
            found: list[Problem] = []
            if judgement.adult_if_born_by and id_number and id_number[6:14] > judgement.adult_if_born_by:
                message = "当事人行为时未满 18 周岁，未成年人的记录不得归集。请勿报送该行。"
                found.append((self.bound[Binding.ID_NUMBER], "R10", message))
            if id_number and id_number.endswith("000") and block.sources[at] is None:
                found.append((self.bound[Binding.ID_NUMBER], "C16", TRUNCATED))
            if judgement.problems:
                found += judgement.problems
            if at in findings.prohibited and judgement.text_counts:
                found += sorted(findings.prohibited[at], key=lambda problem: self.free_text.index(problem[0]))
            if found:
                block.problems.setdefault(at, []).extend(found)

    # --- what a row's facts decide --------------------------------------------------------------------

    def _judge(self, values: tuple[Any, ...]) -> Judgement:
        facts = Facts(*values)
        # What the decider states wins; nothing said counts as the mildest.
        severity = (facts.severity or facts.kind or MINOR) if self.negative else 0
        if facts.doc_date is None:
            return Judgement(severity=severity)
        act_end = facts.act_end or facts.doc_date
        if self.negative and act_end > facts.doc_date:
            code = self.bound[Binding.ACT_END]
            problem = (code, "C23", f"“{self.by_code[code].label}”晚于认定日期。请核对。")
            return Judgement(problems=(problem,), text_counts=False)
        born_by = identity.adult_if_born_by(min(act_end, facts.doc_date))
        version = self._version_on(facts.doc_date)
        if version is None:
            message = "文书作出之日没有现行的目录条目，或者条目的依据已经失效，不能归集。请核对认定日期。"
            problem = (self.bound[Binding.DOC_DATE], "R11", message)
            return Judgement(problems=(problem,), adult_if_born_by=born_by, text_counts=False)
        start = act_end if self.negative else max(act_end, facts.doc_date)
        until = query_end(start, version.query_retention_months)
        if until <= self.today:
            months = version.query_retention_months
            message = f"自行为终止之日起已满 {months} 个月，不再归集（征信业管理条例第十六条）。"
            return Judgement(problems=((self.bound[Binding.DOC_DATE], "R12", message),), adult_if_born_by=born_by)
        if version.severity_rule in FIXED_SEVERITY:  # the item says how grave it is, whatever the row says
            severity = int(version.severity_rule)
        publication, hints = self._publication(facts, version, severity, until)
        return Judgement((), hints, born_by, True, version.pk, facts.doc_date, act_end, severity, publication, until)

    def _version_on(self, day: date) -> ItemVersion | None:
        """Return the version that covers a document's day and rests on a basis valid on that day."""
        if day not in self._versions_by_day:
            covering = (v for v in self.versions if day in v.effective and self._has_basis(v, day))
            self._versions_by_day[day] = next(covering, None)
        return self._versions_by_day[day]

    def _has_basis(self, version: ItemVersion, day: date) -> bool:
        days = self.basis_days[version.pk]
        return any((first is None or first <= day) and (last is None or day < last) for first, last in days)

    def _publication(
        self, facts: Facts, version: ItemVersion, severity: int, query_until: date
    ) -> tuple[tuple[date, date] | None, tuple[tuple[str, str], ...]]:
        """Return from when to when the row is public, if at all, and what the office should know of it."""
        assert facts.doc_date is not None
        if version.disclosure != ItemVersion.Disclosure.PUBLIC or version.public_by_consent:
            return None, ()  # what needs the person's consent is not public by a delivery
        marked_by = self.bound.get(Binding.PUBLIC_MARK)
        if marked_by and facts.public_mark != PUBLIC_MARK:
            return None, ()
        period = self.periods[version.pk].get(severity)
        longest = self._longest(facts.doc_date, severity, period.max_months) if period else [0]
        by_law = favourable_end(facts.doc_date, longest)
        if by_law is None:
            return None, ((marked_by, "轻微失信信息不予公示，只作查询。"),) if marked_by else ()
        until = facts.public_until
        hints: tuple[tuple[str, str], ...] = ()
        end = min(by_law, until or by_law, query_until)  # an earlier end set by the decider stands
        if until and until > end:
            message = f"公示截止期超过最长公示期，实际公示至 {end}（当天起不再公示）。"
            hints = ((self.bound[Binding.PUBLIC_UNTIL], message),)
        start = max(facts.doc_date, facts.service_date or facts.doc_date)
        return ((start, end) if start < end else None), hints

    def _longest(self, decided_on: date, severity: int, months: int) -> list[int]:
        """Return the longest publications, in months, of all the rules that a decision of that day is judged under."""
        old = self.old_orders.months(decided_on, severity)
        return [months, self.now_longest.get(severity, months), *old] if old else [months]


def source_of(cell: Cell, known: Mapping[str, int | None]) -> Source | None:
    """Return the row that a cell under 来源行 names; None where it names none of what is known."""
    named, row_no = split_source(cell)
    return None if row_no is None or named not in known else Source(known[named], row_no)


def split_source(cell: Cell) -> tuple[str, int | None]:
    """Return the batch and the row that a cell under 来源行 names; no row where it cannot be read."""
    named, _, number = str(cell or "").strip().rpartition("#")
    return named, int(number) if number.isdecimal() and len(number) <= MOST_DIGITS else None
