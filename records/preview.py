"""What people see of a batch: reasons with examples, samples of differences, the correction workbook."""

from dataclasses import dataclass
from typing import BinaryIO

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils import timezone

from access.actions import Asker
from accounts.models import User
from records import returned
from records.intake import correction, files, mapped, schema, store
from records.intake.base import place
from records.intake.limits import limits_of
from records.intake.reasons import title_of
from records.models import Batch, BatchRow
from records.reading import supplied_content

SAMPLES = 5
CLEARED = "本批次的暂存行已按期清除，更正件不再提供。尚未答复的行请从原表改正后重新报送，并在“退回行”页面说明。"

NOT_IN_FORCE = "该目录条目没有现行版本，不能报送，更正件暂不提供。"


@dataclass(frozen=True)
class Example:
    """One refused row: where, what is wrong."""

    row_no: int
    message: str

    @property
    def place(self) -> str:
        """Return where the row stands, in the sender's words."""
        return place(self.row_no)


@dataclass(frozen=True)
class Reason:
    """A reason for refusal: how many rows, and some of them."""

    code: str
    title: str
    count: int
    examples: list[Example]


@dataclass(frozen=True)
class Difference:
    """One field of a changed row, before and after."""

    row_no: int
    doc_no: str
    label: str
    old: str
    new: str

    @property
    def place(self) -> str:
        """Return where the row stands, in the sender's words."""
        return place(self.row_no)


def may_see_rows(batch: Batch, user: User) -> bool:
    """Tell whether the user sees rows and not only counts: the batch's own officers (design §5, step 3)."""
    return user.organisation_id == batch.supplier_id and user.has_perm("records.view_batch")


def reasons(batch: Batch, *, with_examples: bool) -> list[Reason]:
    """Return why rows were refused, the most frequent first."""
    found = [Reason(code, title_of(code), count, []) for code, count in batch.reasons.items()]
    found.sort(key=lambda reason: (-reason.count, reason.code))
    if with_examples:
        for reason in found:
            reason.examples.extend(_examples(batch, reason.code))
    return found


def _examples(batch: Batch, code: str) -> list[Example]:
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT row_no, p.value ->> 2 FROM records_batchrow, jsonb_array_elements(problems) p
                WHERE batch_id = %s AND outcome IN (8, 9) AND p.value ->> 1 = %s ORDER BY row_no LIMIT %s""",
            [batch.pk, code, SAMPLES],
        )
        return [Example(*row) for row in cursor.fetchall()]


def hints(batch: Batch) -> list[Example]:
    """Return what was taken but not quite as sent, so that the office knows."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT min(row_no), count(*), h.value ->> 1 FROM records_batchrow, jsonb_array_elements(hints) h
                WHERE batch_id = %s GROUP BY 3 ORDER BY 2 DESC LIMIT 10""",
            [batch.pk],
        )
        return [Example(row_no, f"{message}（{count} 行）") for row_no, count, message in cursor.fetchall()]


@transaction.atomic
def differences(batch: Batch, *, by: Asker) -> list[Difference]:
    """Return samples of what changed rows would change.

    Showing what the register says now is a reading of somebody's record: each sample writes its query line.
    """
    rows = list(BatchRow.objects.filter(batch=batch, outcome=BatchRow.Outcome.CHANGED).order_by("row_no")[:SAMPLES])
    labels = {f.code: f.label for v in batch.item.versions.all() for f in v.fields.all()}
    found = []
    for row in rows:
        old, new = supplied_content(batch, row, by=by), row.content or {}
        for code in dict.fromkeys([*old, *new]):
            if old.get(code, "") != new.get(code, ""):
                found.append(
                    Difference(
                        row.row_no, row.doc_no or "", labels.get(code, code), old.get(code, ""), new.get(code, "")
                    )
                )
    return found


def write_correction(batch: Batch, out: BinaryIO) -> int:
    """Write the correction workbook: the sheet sent, only the rows still wrong, each bad cell marked and explained.

    Of a file of which all goes in or nothing, the whole sheet. A row that came back again still names the row and the
    batch that it came from. Returns the number of rows. Raises ValidationError when the rows were cleared or the item is not in force.
    """
    if batch.cleared_at:
        raise ValidationError(CLEARED, code="cleared")
    if batch.item.version_on(timezone.localdate()) is None:
        raise ValidationError(NOT_IN_FORCE, code="not_in_force")
    rules, rows = schema.Schema(batch.item, batch.supplier), returned.to_correct(batch)
    problems = {row_no: [correction.Problem(*problem) for problem in found] for row_no, found, _ in rows}
    sources = {row_no: source for row_no, _, source in rows if source}
    id_columns = {code for code, f in rules.by_code.items() if f.datatype in ("id_number", "code")}
    with store.open_sealed(batch.file) as stream:
        table = files.open_table(stream, limits=limits_of(batch))
        head = mapped.header_of_read(batch, table, rules)
        return correction.write_correction(
            out, table, head, problems, batch_no=batch.number, id_columns=id_columns, sources=sources,
            whole=bool(rows) and batch.mode == Batch.Mode.ALL_OR_NONE,
        )  # fmt: skip
