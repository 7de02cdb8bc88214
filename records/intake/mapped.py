"""The header of a batch's file: by the mapping fixed on the batch, by a saved one that fits, or by the names."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from catalogue.prohibited import Door
from records.intake import headings
from records.intake.base import FileRefused, Table
from records.intake.header import SOURCE_LABEL, Header, find_header, normalise_label
from records.intake.jsonlines import header_of_lines
from records.intake.origins import origins_of
from records.intake.schema import Schema
from records.mapping_models import ColumnMapping
from records.models import Batch

BY_NAME = ("F17", "F18", "F19")  # no header, a required column missing, a column twice: people can say which is which
CHANGED = "保存的列对应“{name}”须重新确认：条目的数据项“{fields}”与对应时不同。请在“对应列”页面重新确认，或取消本批次。"
ON_THE_PAGE = "列名与模板不同的，也可以由网页上传（报送批次—上传数据），在“对应列”页面逐列指明。"


class MappingNeeded(FileRefused):
    """The columns cannot be told by their names, and a person can say what they are."""


def header_of(batch: Batch, table: Table, rules: Schema) -> Header:
    """Return the header of a file that is read, and note on the batch (unsaved) the saved mapping that was used.

    Raises MappingNeeded when a person must say what the columns are, FileRefused when the file cannot be read or holds
    a prohibited column.
    """
    if table.exact:
        [(_, keys)] = islice(table.rows(), 1)
        refuse_prohibited(rules.door, [str(key) for key in keys])  # before a key is refused as merely unknown
        return header_of_lines(table, rules.columns())
    if batch.mapping is None:
        batch.mapping = _saved(batch, table, rules)
    if batch.mapping is not None:
        if changed := batch.mapping.changed_since(rules.fields):
            raise MappingNeeded("F24", CHANGED.format(name=batch.mapping.name, fields="、".join(changed[:5])))
        return header_by(batch.mapping, table, rules)
    try:
        return find_header(table, rules.columns())
    except FileRefused as refused:
        if refused.code not in BY_NAME or not headings.can_be_mapped(table, rules.columns()):
            raise
        refuse_prohibited_in_header(table, rules)
        if batch.channel != Batch.Channel.PAGE:
            raise FileRefused(refused.code, refused.message + ON_THE_PAGE) from refused
        raise MappingNeeded(refused.code, refused.message) from refused


def header_of_read(batch: Batch, table: Table, rules: Schema) -> Header:
    """Return the header that a batch was read by, whatever has become of its mapping since. Raises FileRefused."""
    if batch.mapping is None:
        return (header_of_lines if table.exact else find_header)(table, rules.columns())
    return header_by(batch.mapping, table, rules)


def header_by(mapping: ColumnMapping, table: Table, rules: Schema) -> Header:
    """Return the header that a mapping makes. Raises FileRefused (F17) when the file has no such headings."""
    found = headings.find(table, {mapping.fingerprint})
    if found is None:
        raise FileRefused("F17", f"文件里没有列对应“{mapping.name}”所说的表头。请重新上传文件并对应各列。")
    sheet, labels, _ = found
    return headings.mapped_header(table, sheet, labels, mapping.codes, rules.columns())


def prohibited(door: Door, label: str) -> str:
    """Return why a column of that heading may never be sent (domain §9), or an empty string."""
    hit = door.find_header(label) or door.find_header(normalise_label(label))
    return f"表中有“{label}”一列，属禁止归集的{hit.title}。请删去整列后重新上传。" if hit else ""


def refuse_prohibited(door: Door, labels: Sequence[str]) -> None:
    """Raise FileRefused F30 when one of the headings is of a kind that is never collected, read or not."""
    for label in labels:
        if message := prohibited(door, label):
            raise FileRefused("F30", message)


def refuse_prohibited_in_header(table: Table, rules: Schema) -> None:
    """Refuse prohibited columns of a header that is known only in part; a title row is not yet a header."""
    for sheet in headings.most_likely_first(table):
        rows = headings.first_rows(sheet)
        place = headings.likely_headings(rows, rules.columns())
        labels = headings.labels_at(rows, place[0], two=place[1])
        if labels and len(named := headings.headings(labels.cells)) > 1:
            return refuse_prohibited(rules.door, [one.shown for one in named])


def _saved(batch: Batch, table: Table, rules: Schema) -> ColumnMapping | None:
    """Return the saved mapping for the file's headings that still holds; a retired one only for its own corrections."""
    mine = ColumnMapping.objects.filter(supplier=batch.supplier, item=batch.item).select_related("item_version")
    known = {one.fingerprint: one for one in sorted(mine, key=lambda one: (one.retired_at is None, one.pk))}
    found = headings.find(table, known)
    if found is None:
        return None
    sheet, labels, fingerprint = found
    mapping = known[fingerprint]
    if mapping.changed_since(rules.fields):
        return None
    if mapping.retired_at is None:
        return mapping
    first = origins_of(batch, sheet.rows(), headings.ours_in(labels.cells).get(SOURCE_LABEL)).first
    return mapping if first is not None and first.mapping_id == mapping.pk else None
