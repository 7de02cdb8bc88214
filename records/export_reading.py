"""What an export reads and what its file holds: the gateway's views, chunk by chunk, each with its query lines."""

import io
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any, BinaryIO, cast

from django.conf import settings
from django.db import connection, transaction

from access.actions import Ask, Asker, write_answer, write_query
from access.models import Kind, Purpose
from access.reading import purpose_in_words
from creditfujian.lib import masking
from creditfujian.lib.spreadsheet import csv_pieces, write_xlsx
from records.export_models import Export, ExportPart
from records.reading import View, logged_views
from records.visibility import sight_of

CHUNK = 500  # persons read in one transaction
HEAD = ["记录编号", "条目编码", "条目名称", "姓名", "证件号码", "文书号", "认定日期", "作出机关", "提供单位", "失信程度",
        "公示期自", "公示期至（当天撤下）", "查询期至", "版本"]  # fmt: skip
PLACE = "名单序号"  # first, when the persons were named by a list
Row = tuple[list[str], list[tuple[str, str]]]  # the cells under HEAD, and the item's own fields by label


def read_next(export: Export) -> None:
    """Read the next persons of a running export: their query lines, the rows and what was returned, in one transaction.

    The caller holds the export's row.
    """
    assert transaction.get_connection().in_atomic_block
    by = Asker(export.requested_by, export.channel, export.address)
    seq = write_query(ask_of(export, "批量导出", "部门可见，证件号码脱敏"), by=by)
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM records_export_open(%s, %s, %s)", [export.pk, seq, CHUNK])
        until, passed, _ = cursor.fetchone()
        if not passed:
            write_answer(seq, record_ids=[], items=[])
            export.persons_done = export.persons or 0
            return
        cursor.execute(
            "SELECT m.id FROM records_export_matches(%s) m WHERE m.person_id > %s AND m.person_id <= %s",
            [export.pk, export.last_person, until],
        )
        record_ids = [pk for (pk,) in cursor.fetchall()]
        ordinals = _ordinals(cursor, export, seq)
    rows, items = _rows(record_ids, ordinals)
    write_answer(seq, record_ids=record_ids, items=sorted(items))
    ExportPart.objects.create(
        export=export, number=export.parts.count() + 1, rows=len(rows), sealed=_seal(export, rows)
    )
    export.last_person, export.persons_done, export.rows = until, export.persons_done + passed, export.rows + len(rows)


def ask_of(export: Export, deed: str, fields_class: str) -> Ask:
    """Return what the log says of an export's making or fetching: for its duty and case, by its number."""
    return Ask(
        kind=Kind.DUTY, ground=f"履行法定职责（事项编码 {export.duty_code}），{deed} {export.number}",
        purpose=purpose_in_words(Purpose(export.purpose), export.purpose_text), fields_class=fields_class,
        items=list(export.items.all()), case_no=export.case_no, duty_code=export.duty_code,
    )  # fmt: skip


def _ordinals(cursor: Any, export: Export, seq: int) -> dict[int, str] | None:
    """Return where in the list each person now opened stands; None for exports without a list."""
    if export.named is None:
        return None
    cursor.execute("SELECT * FROM records_export_ordinals(%s, %s)", [export.pk, seq])
    return dict(cursor.fetchall())


def _rows(record_ids: list[int], ordinals: dict[int, str] | None) -> tuple[list[Row], set[str]]:
    rows, items, masked = [], set[str](), dict[int, tuple[str, str]]()
    profile = sight_of(Kind.DUTY).profile
    for person, view in logged_views(record_ids, Kind.DUTY):
        if person.pk not in masked:
            masked[person.pk] = masking.name(person.name, profile), person.masked_id(profile)
        place = [] if ordinals is None else [ordinals[person.pk]]
        rows.append(([*place, *_cells(view, *masked[person.pk])], [(fact.label, fact.value) for fact in view.facts]))
        items.add(view.item_code)
    return rows, items


def _cells(view: View, name: str, id_number: str) -> list[str]:
    return [
        view.number, view.item_code, view.item_name, name, id_number, view.doc_no, _day(view.doc_date), view.decider,
        view.provider, view.severity, _day(view.public_from), _day(view.public_until), _day(view.query_until),
        str(view.version),
    ]  # fmt: skip


def _day(day: date | None) -> str:
    return day.isoformat() if day else ""


@contextmanager
def file_of(export: Export) -> Iterator[BinaryIO]:
    """Give the finished table as a stream, made from the parts one at a time so that memory stays flat."""
    labels = dict.fromkeys(label for _, facts in _all_rows(export) for label, _ in facts)
    head = [*([] if export.named is None else [PLACE]), *HEAD, *labels]
    table = (_line(row, labels) for row in _all_rows(export))
    if export.format == Export.Format.CSV:
        yield cast("BinaryIO", io.BufferedReader(_Pieces(csv_pieces(head, table)), 1 << 20))
        return
    # No other process finds these: the folder is ours alone, the workbook has no name.
    with tempfile.TemporaryDirectory(prefix="cf-export-") as folder, tempfile.TemporaryFile(dir=folder) as out:
        options: dict[str, object] = {"constant_memory": True, "tmpdir": folder}
        write_xlsx(out, "记录", head, table, made=export.requested_at, options=options)
        out.seek(0)
        yield out


def _line(row: Row, labels: dict[str, None]) -> list[str]:
    cells, facts = row[0], dict(row[1])
    return [*cells, *(facts.get(label, "") for label in labels)]


def _all_rows(export: Export) -> Iterator[Row]:
    for number in export.parts.order_by("number").values_list("number", flat=True):
        part = ExportPart.objects.get(export=export, number=number)
        yield from json.loads(settings.FIELD_KEYRING.open(bytes(part.sealed), about=_about(export)))


def _seal(export: Export, rows: list[Row]) -> bytes:
    return settings.FIELD_KEYRING.seal(json.dumps(rows, ensure_ascii=False).encode(), about=_about(export))


def _about(export: Export) -> bytes:
    return b"export:%d" % export.pk


class _Pieces(io.RawIOBase):
    """A stream over pieces of bytes as they are made."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._left = pieces, b""

    def readable(self) -> bool:
        return True

    def readinto(self, target: bytearray) -> int:  # type: ignore[override]
        while not self._left:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._left = piece
        size = min(len(target), len(self._left))
        target[:size], self._left = self._left[:size], self._left[size:]
        return size
