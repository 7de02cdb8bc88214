"""Typing and pasting: what a clerk types becomes a csv and goes the way of every file (design §5, step 1).

A row that is wrong in itself goes back to the form and leaves nothing behind. A name that is not the registered one (R02)
is asked back first: mistyped it is put right, and nobody else is troubled; the attempt leaves a refused line that the person
sees, for whoever tries names on a number is seen to. Said to be right, or refused by the register otherwise (R04), it leaves
a cancelled batch and the case on the name.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone

from access.actions import Ask, Asker, write_query
from access.models import Kind as QueryKind
from access.models import Refusal
from access.web import STAFF_SITE
from accounts.models import Person, User
from catalogue.models import Field, Item
from creditfujian.lib import identity, masking
from creditfujian.lib.text import hide_numbers, normalise_name
from records import actions
from records.intake import files, header, stage, store
from records.intake.base import Table
from records.intake.columns import Problem
from records.intake.limits import limits_for, limits_of
from records.intake.origins import TYPED_ROWS
from records.intake.schema import TYPED, Schema
from records.models import Batch, BatchRow, Severity

Channel = Batch.Channel
Problems = dict[int, list[Problem]]  # by the row's position among those typed

NOTHING = "还没有填写任何一条。请填写后再提交。"
NAME_CODE = "R02"
NAME_DIFFERS = (
    "姓名与该证件号码登记的姓名不一致。请与证件核对姓名和号码：写错的改正；确实如此的，在最后一项勾选后提交，"
    "由省信用办核对。本次已记入查询日志。"
)
SAME = "登记中已有内容完全相同的记录，没有需要提交的变化。"


@dataclass(frozen=True)
class Typed:
    """One row as typed: texts by field code.

    `compared`: a number that ends in 000 was compared with the document. `named`: so was a name that the register does
    not know with the number.
    """

    values: dict[str, str]
    compared: bool = False
    named: bool = False

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing was typed."""
        return not any(value.strip() for value in self.values.values())


@dataclass(frozen=True)
class Outcome:
    """What became of rows handed in: a batch that waits for the second officer, or what is wrong with them."""

    batch: Batch | None = None
    again: bool = False  # the same rows had been handed in before
    problems: Problems = field(default_factory=dict)


def fields_of(rules: Schema) -> list[Field]:
    """Return the fields that a person's row may fill, in the order of the item."""
    return [f for f in rules.fields if not f.must_be_empty]


def hand_in(rows: Sequence[Typed], *, item: Item, by: User) -> Outcome:
    """Check rows and make a batch of them that another officer commits.

    All in one transaction, under the lock of the item: a second click waits and is answered with the first batch.
    Raises PermissionDenied, ValidationError and FileRefused.
    """
    actions.rules_to_deliver(item, by)
    if not rows:
        raise ValidationError(NOTHING, code="empty")
    if len(rows) > settings.INTAKE_FORM_ROWS:
        raise ValidationError(too_many(len(rows)), code="rows")
    assert by.organisation is not None
    rules = Schema(item, by.organisation)
    content = as_file(rules, rows)
    problems = _problems_in_themselves(rules, content, len(rows)) or _names_to_look_at(rules, rows, item, by)
    if problems:
        return Outcome(problems=problems)
    with transaction.atomic():
        name = f"表单录入{len(rows)}条.csv"
        batch, is_new = actions.receive(io.BytesIO(content), name=name, item=item, by=by, channel=Channel.FORM)
        if not is_new:
            return Outcome(batch, again=True)
        batch = actions.check_batch(batch.pk)
        if not batch.refused and batch.goes_in:
            return Outcome(batch)
        problems = _problems_found(batch)
        actions.cancel(batch.pk, by=by)
    if not problems:
        raise ValidationError(SAME, code="unchanged")
    return Outcome(problems=problems)


def too_many(count: int) -> str:
    """Say that there are more rows than the form takes."""
    return f"共 {count} 条，表单一次最多 {settings.INTAKE_FORM_ROWS} 条。请分几次录入，或存成文件上传。"


def as_file(rules: Schema, rows: Sequence[Typed]) -> bytes:
    """Return the rows as a csv in UTF-8: every field of the form, exactly what was typed."""
    fields = fields_of(rules)
    marks = any(row.compared for row in rows)
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([f.label for f in fields] + [header.SOURCE_LABEL] * marks)
    for number, row in enumerate(rows, start=1):
        mark = [f"{TYPED}#{number}" if row.compared else ""] * marks
        writer.writerow([row.values.get(f.code, "") for f in fields] + mark)
    return out.getvalue().encode("utf-8-sig")


def _problems_in_themselves(rules: Schema, content: bytes, count: int) -> Problems:
    """Read the file as staging will, and return what is wrong with its cells and rows; writes nothing."""
    table = files.open_table(io.BytesIO(content), limits=limits_for(Channel.FORM))
    head = header.find_header(table, rules.columns())
    rows = [cells for _, cells in stage.data_rows(table, head)]
    if len(rows) != count:
        message = f"{count} 条中只有 {len(rows)} 条读得出是数据，其余像是表头、填写说明或合计。请核对各条的内容。"
        raise ValidationError(message, code="not_data")
    rules.sources = TYPED_ROWS
    return rules.reader(head.columns, head.source_index)(rows).problems


def _names_to_look_at(rules: Schema, rows: Sequence[Typed], item: Item, by: User) -> Problems:
    """Return the rows whose name is not the registered one and nobody says is right; a refused line for each person.

    That they do not match is all that is told: never the registered name.
    """
    name_code, number_code = rules.bound[Field.Binding.PERSON_NAME], rules.bound[Field.Binding.ID_NUMBER]
    found: Problems = {}
    with transaction.atomic():
        for at, row in enumerate(rows):
            if row.named:
                continue
            person = Person.objects.holder_of(identity.normalise(row.values.get(number_code, "")))
            if person is not None and not person.bears(normalise_name(row.values.get(name_code, ""))):
                ask = Ask(
                    kind=QueryKind.DUTY, ground="信源单位核对本单位报送的数据", purpose="表单录入的姓名与证件号码不符，未提交",
                    fields_class="无", items=[item], refusal=Refusal.NO_GROUND.value, person=person,
                )  # fmt: skip
                write_query(ask, by=Asker(by, STAFF_SITE))
                found[at] = [(name_code, NAME_CODE, NAME_DIFFERS)]
    return found


def _problems_found(batch: Batch) -> Problems:
    """Return why staged rows are refused, by the order in which they were typed."""
    staged = BatchRow.objects.filter(batch=batch).order_by("row_no").values_list("problems", flat=True)
    return {at: [tuple(one) for one in found] for at, found in enumerate(staged) if found}


# --- reading what was pasted ---------------------------------------------------------------------------


def read_pasted(text: str, rules: Schema) -> list[Typed]:
    """Return the rows of a text copied from a spreadsheet: cells between tabs, with the headings or in the form's order.

    Raises ValidationError with what cannot be read.
    """
    try:
        lines = [line for line in csv.reader(io.StringIO(text), delimiter="\t") if any(cell.strip() for cell in line)]
    except csv.Error as error:
        raise ValidationError("粘贴的内容读不出行和列。请从表格中重新复制。", code="pasted") from error
    if not lines:
        return []
    codes = _headings(lines[0], rules)
    if codes:
        lines = lines[1:]
    else:
        codes = [f.code for f in fields_of(rules)]
    if len(lines) > settings.INTAKE_FORM_ROWS:
        raise ValidationError(too_many(len(lines)), code="rows")
    for number, line in enumerate(lines, start=1):
        if lost := [cell for cell, code in zip_longest(line, codes[: len(line)]) if cell.strip() and not code]:
            message = f"粘贴的第 {number} 条中“{lost[0].strip()[:12]}”不在任何一列之下。请带完整的表头一起粘贴。"
            raise ValidationError(hide_numbers(message), code="columns")
    return [Typed(dict(zip(codes, line, strict=False))) for line in lines]


def _headings(line: Sequence[str], rules: Schema) -> list[str]:
    """Return the field codes that a first line names, or nothing when it is data. Raises ValidationError."""
    names = header.known_names(rules.columns())
    codes = [names.get(header.normalise_label(cell), "") for cell in line]
    if len(set(filter(None, codes))) < 2:
        return []
    for cell, code in zip(line, codes, strict=True):
        if code and codes.count(code) > 1:
            raise ValidationError(f"“{cell.strip()}”这一项有不止一列。请只保留一列。", code="twice")
        if cell.strip() and (not code or rules.by_code[code].must_be_empty):
            hit = rules.door.find_header(cell)
            why = f"属禁止归集的{hit.title}" if hit else "不是本条目对自然人归集的数据项"
            raise ValidationError(f"“{cell.strip()[:30]}”一列{why}。请删去整列后重新粘贴。", code="unknown")
    return codes


def as_pasted(rules: Schema, rows: Iterable[Typed]) -> str:
    """Return rows as a text that `read_pasted` reads, with headings."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter="\t", lineterminator="\n")
    fields = fields_of(rules)
    writer.writerow([f.label for f in fields])
    writer.writerows([row.values.get(f.code, "") for f in fields] for row in rows)
    return out.getvalue()


# --- reading a batch again -----------------------------------------------------------------------------


def typed_again(batch: Batch) -> list[Typed]:
    """Return the rows of a form's batch as they were typed, from its sealed file."""
    rules = Schema(batch.item, batch.supplier)
    with store.open_sealed(batch.file) as stream:
        table = files.open_table(stream, limits=limits_of(batch))
        return list(_rows_of(table, header.find_header(table, rules.columns())))


def _rows_of(table: Table, head: header.Header) -> Iterator[Typed]:
    for _, cells in stage.data_rows(table, head):
        row = dict(enumerate(cells))
        values = {code: str(row.get(index) or "") for index, code in head.columns.items()}
        yield Typed(values, compared=head.source_index is not None and bool(row.get(head.source_index)))


def take_back(batch: Batch, *, by: User) -> list[Typed]:
    """Cancel a form's batch that waits, for its own typist to go on with the rows. Raises PermissionDenied."""
    with transaction.atomic():
        if not may_take_back(batch, by):
            raise PermissionDenied("只有录入人可以取回尚未入库的录入。")
        actions.cancel(batch.pk, by=by)
        return typed_again(batch)


def may_take_back(batch: Batch, user: User) -> bool:
    """Tell whether the user typed this batch and nobody has committed it."""
    return batch.channel == Channel.FORM and batch.state == Batch.State.CHECKED and batch.uploaded_by_id == user.pk


@dataclass(frozen=True)
class Shown:
    """A typed row as the second officer reads it before it goes in, and what the check made of it."""

    number: int
    facts: list[tuple[str, str]]
    staged: BatchRow

    @property
    def severity(self) -> str:
        """Return how grave it is, in words."""
        return Severity(self.staged.severity or 0).label


def shown(batch: Batch) -> list[Shown]:
    """Return a waiting form's rows field by field, from what was typed; the number masked as for departments.

    Nothing of the register is read. Empty once the rows are in it: from then on reading takes a registration; and while
    they cannot go in, because the item is not in force or a crash of the database took what was staged.
    """
    if batch.channel != Channel.FORM or batch.state != Batch.State.CHECKED:
        return []
    staged = list(BatchRow.objects.filter(batch=batch).order_by("row_no"))
    if len(staged) != batch.rows or batch.item.version_on(timezone.localdate()) is None:
        return []
    fields = fields_of(Schema(batch.item, batch.supplier))
    return [
        Shown(number, [(f.label, _shown(f, row.values[f.code])) for f in fields if row.values.get(f.code)], found)
        for number, (row, found) in enumerate(zip(typed_again(batch), staged, strict=True), start=1)
    ]


def _shown(item_field: Field, value: str) -> str:
    if item_field.binds != Field.Binding.ID_NUMBER:
        return value
    return masking.id_number(identity.normalise(value), masking.Profile.DEPARTMENT)
