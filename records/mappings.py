"""Saying what the columns of a waiting file are: what an officer sees of the file, saving, renaming, retiring.

A saved mapping is never changed: saving another one for the same headings retires it. Batches keep the one they were
read by. The rules of `wrong` are held by the database too (migration 0014).
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import User
from catalogue.models import Field, ItemVersion
from catalogue.prohibited import Door
from catalogue.rules import may_supply
from creditfujian.lib.text import hide_numbers
from records import actions
from records.intake import files, headings, mapped, schema, store
from records.intake.base import FileRefused, Row, Table, column_name
from records.intake.header import Column, Labels
from records.intake.headings import Content, Heading
from records.intake.limits import limits_of
from records.models import Batch, ColumnMapping

SHOWN_ROWS = 15
SAMPLED_ROWS = 60  # under the headings, for what their columns hold
OF_A_PERSON = (Field.Binding.PERSON_NAME, Field.Binding.ID_NUMBER)


@dataclass(frozen=True)
class Place:
    """Where headings stand: which visible sheet from 0, their first row, whether there are two."""

    sheet: int
    row: int
    two: bool = False


@dataclass(frozen=True)
class RowShown:
    """One of the first rows of a sheet, masked where it does not read like headings."""

    number: int
    cells: list[str]
    is_chosen: bool


@dataclass(frozen=True)
class ColumnShown:
    """A column to be mapped: its heading, what it holds, what it most likely is, why it may not be mapped."""

    heading: Heading
    content: Content
    suggestion: str
    prohibited: str


@dataclass(frozen=True)
class Look:
    """What an officer sees of a file: its sheets and first rows, and the columns under the chosen headings.

    `why_not` says why the chosen row cannot be the headings; there are no columns then. `before` is what was saved for
    the same headings and no longer holds, if anything.
    """

    sheets: list[str]
    place: Place
    rows: list[RowShown]
    fields: list[Field]
    columns: list[ColumnShown]
    why_not: str = ""
    before: ColumnMapping | None = None

    @property
    def letters(self) -> list[str]:
        """Return the names of the columns that the first rows reach over."""
        return [column_name(index) for index in range(max((len(row.cells) for row in self.rows), default=0))]

    @property
    def sheet(self) -> str:
        """Return the name of the sheet that is shown."""
        return self.sheets[self.place.sheet if self.place.sheet < len(self.sheets) else 0]

    @property
    def prohibited(self) -> list[str]:
        """Return why the file cannot be taken in at all, a sentence for each column."""
        return [one.prohibited for one in self.columns if one.prohibited]


def why_not_map(batch: Batch, user: User) -> str:
    """Return why this user may not say what a batch's columns are, or an empty string."""
    if not user.has_perm("records.add_batch") or user.organisation_id != batch.supplier_id:
        return "只有报送单位的数据员可以对应列。"
    if not may_supply(user.organisation, batch.item):
        return "您的单位未获准报送该目录条目，或报送授权已收回。"
    if batch.state != Batch.State.MAPPING:
        return f"批次当前状态为“{batch.get_state_display()}”，不需要对应列。"
    return ""


def look(batch: Batch, place: Place | None = None) -> Look:
    """Return what of a waiting batch's file is shown, with the headings at a place or where they most likely are.

    Nothing of it is kept or written anywhere. Raises FileRefused.
    """
    rules = schema.Schema(batch.item, batch.supplier)
    with store.open_sealed(batch.file) as stream:
        sheets = _sheets(files.open_table(stream, limits=limits_of(batch)))
        place = place or _likely_place(sheets, rules.columns(), _saved_for(batch))
        sheet = sheets[place.sheet if place.sheet < len(sheets) else 0]
        rows = _beginning(sheet)
    first = rows[: headings.SEARCHED_ROWS]
    labels = headings.labels_at(first, place.row, two=place.two)
    chosen = {place.row, place.row + 1} if place.two else {place.row}
    shown = [RowShown(no, headings.shown_in_search(cells), no in chosen) for no, cells in rows[:SHOWN_ROWS]]
    names = [one.sheet for one in sheets]
    if why_not := headings.why_no_headings(labels):
        return Look(names, place, shown, rules.fields, [], why_not)
    assert labels is not None
    columns, before = _columns(batch, rules, labels, rows[labels.next :])
    return Look(names, place, shown, rules.fields, columns, before=before)


def _beginning(sheet: Table) -> list[Row]:
    """Return the first rows of a sheet; where the file ends in damage or a limit is for the reading to say."""
    rows: list[Row] = []
    with suppress(FileRefused):
        rows.extend(islice(sheet.rows(), headings.SEARCHED_ROWS + SAMPLED_ROWS))
    return rows


def _columns(
    batch: Batch, rules: schema.Schema, labels: Labels, under: list[Row]
) -> tuple[list[ColumnShown], ColumnMapping | None]:
    named = headings.headings(labels.cells)
    contents = [headings.content_under(under, one.index) for one in named]
    suggested = headings.suggest(named, contents, rules.columns(), {f.code: f.datatype for f in rules.fields})
    before = _saved_for(batch).get(headings.fingerprint([one.label for one in named]))
    if before is not None:
        suggested = [code if code in rules.by_code else "" for code in before.codes]
    columns = [
        ColumnShown(one, content, code, mapped.prohibited(rules.door, one.shown))
        for one, content, code in zip(named, contents, suggested, strict=True)
    ]
    return columns, before if before is not None and before.changed_since(rules.fields) else None


def _sheets(table: Table) -> list[Table]:
    return [table, *(other for other in table.others if not other.is_hidden)]


def _saved_for(batch: Batch) -> dict[str, ColumnMapping]:
    """Return the mappings of a batch's supplier and item by fingerprint, an active one before what it replaced."""
    mine = ColumnMapping.objects.filter(supplier=batch.supplier, item=batch.item).select_related("item_version")
    return {one.fingerprint: one for one in sorted(mine, key=lambda one: (one.retired_at is None, one.pk))}


def _likely_place(sheets: list[Table], columns: Sequence[Column], known: dict[str, ColumnMapping]) -> Place:
    """Return where known headings stand, else the row that most likely holds headings, on the most likely sheet."""
    for number, sheet in enumerate(sheets):
        rows = headings.first_rows(sheet)
        for row_no, _ in rows:
            for two in (False, True):
                labels = headings.labels_at(rows, row_no, two=two)
                if labels and headings.fingerprint([h.label for h in headings.headings(labels.cells)]) in known:
                    return Place(number, row_no, two)
    sheet = max(headings.most_likely_first(sheets[0]), key=lambda one: _matching(one, columns))
    row_no, two = headings.likely_headings(headings.first_rows(sheet), columns)
    return Place(next(at for at, one in enumerate(sheets) if one is sheet), row_no, two)


def _matching(sheet: Table, columns: Sequence[Column]) -> int:
    return headings.best_labels(headings.first_rows(sheet), headings.known_names(columns))[1]


def wrong(
    named: Sequence[Heading], codes: Sequence[str], fields: Sequence[Field], door: Door
) -> list[tuple[int | None, str]]:
    """Return what is wrong with codes for headings: the heading's position or None, and a sentence."""
    by_code = {f.code: f for f in fields}
    found: list[tuple[int | None, str]] = []
    fed_by: dict[str, Heading] = {}
    for at, (heading, code) in enumerate(zip(named, codes, strict=True)):
        why = mapped.prohibited(door, heading.shown) or _why_not(heading, code, by_code, fed_by)
        if why:
            found.append((at, why))
        fed_by.setdefault(code, heading)
    if absent := [f"“{f.label}”" for f in fields if f.required and f.code not in fed_by]:
        found.append((None, f"还有必填的数据项没有对应的列：{'、'.join(absent)}。文件里没有的，请补上后重新上传。"))
    return found


def _why_not(heading: Heading, code: str, by_code: dict[str, Field], fed_by: dict[str, Heading]) -> str:
    if not code:
        return ""
    if code not in by_code:
        return "目录条目没有这个数据项。请重新选择。"
    label = by_code[code].label
    if not heading.label:
        return f"{heading.letter} 列没有列名，不能对应。请在文件中补上列名后重新上传，或选“不读取”。"
    if code in fed_by:
        return f"“{label}”已由 {fed_by[code].letter} 列提供，一个数据项只能对应一列。请改选其中一列。"
    if by_code[code].binds in OF_A_PERSON and headings.names_somebody_else(heading.label):
        return f"“{heading.shown}”是他人的信息，不能作为当事人的“{label}”。请选“不读取”，或核对后改正文件的列名。"
    return ""


def save(batch_id: int, place: Place, codes: Sequence[str], *, name: str, by: User) -> ColumnMapping:
    """Save what a waiting batch's columns are and let it be read by that; the same saying is not saved twice.

    Raises PermissionDenied, ValidationError, FileRefused.
    """
    with transaction.atomic():
        batch = (
            Batch.objects.select_for_update(of=("self",)).select_related("item", "supplier", "file").get(pk=batch_id)
        )
        if reason := why_not_map(batch, by):
            raise PermissionDenied(reason)
        version = batch.item.version_on(timezone.localdate())
        if version is None:
            raise ValidationError("该目录条目没有现行版本，不能报送。", code="not_in_force")
        seen = look(batch, place)
        if seen.why_not:
            raise ValidationError(seen.why_not, code="headings")
        named = [one.heading for one in seen.columns]
        if len(codes) != len(named):
            raise ValidationError("列数与文件不符。请重新打开页面再对应。", code="columns")
        if found := wrong(named, codes, seen.fields, Door.load()):
            raise ValidationError([sentence for _, sentence in found])
        mapping = _saved(batch, version, [one.label for one in named], list(codes), name=name, by=by)
        actions.go_on_mapped(batch, mapping, by=by)
    return mapping


def _saved(
    batch: Batch, version: ItemVersion, labels: list[str], codes: list[str], *, name: str, by: User
) -> ColumnMapping:
    fields = list(version.fields.all())
    fingerprint = headings.fingerprint(labels)
    known = ColumnMapping.objects.active().filter(supplier=batch.supplier, item=batch.item, fingerprint=fingerprint)
    for one in known.select_for_update(of=("self",)):
        if one.codes == codes and not one.changed_since(fields):
            return one
        _retire(one, by=by)
    try:
        with transaction.atomic():
            return ColumnMapping.objects.create(
                supplier=batch.supplier, item=batch.item, item_version=version, name=_name(name), labels=labels,
                fingerprint=fingerprint, codes=codes, saved_by=by,
            )  # fmt: skip
    except IntegrityError as error:  # two officers at the same headings, at the same moment
        if "mapping_once_per_header" not in str(error):
            raise
        raise ValidationError("刚刚有人保存了同一表头的列对应。请重新打开页面核对。", code="twice") from error


def rename(mapping_id: int, *, name: str, by: User) -> ColumnMapping:
    """Give a mapping another name. Raises PermissionDenied, ValidationError."""
    with transaction.atomic():
        mapping = _own(mapping_id, by)
        mapping.name = _name(name)
        mapping.save(update_fields=["name"])
    return mapping


def retire(mapping_id: int, *, by: User) -> ColumnMapping:
    """Let a mapping read no new files; batches read by it stay as they are. Raises PermissionDenied, ValidationError."""
    with transaction.atomic():
        mapping = _own(mapping_id, by)
        if mapping.retired_at is not None:
            raise ValidationError("这个列对应已经停用。", code="state")
        _retire(mapping, by=by)
    return mapping


def _retire(mapping: ColumnMapping, *, by: User) -> None:
    mapping.retired_by, mapping.retired_at = by, timezone.now()
    mapping.save(update_fields=["retired_by", "retired_at"])


def _own(mapping_id: int, by: User) -> ColumnMapping:
    mapping = ColumnMapping.objects.select_for_update(of=("self",)).get(pk=mapping_id)
    if not by.has_perm("records.add_batch") or by.organisation_id != mapping.supplier_id:
        raise PermissionDenied("只有报送单位的数据员可以更改列对应。")
    return mapping


def _name(text: str) -> str:
    name = text.strip()[:60]
    if not name or hide_numbers(name) != name:
        raise ValidationError("请给列对应起一个名称，不要写号码。", code="name")
    return name
