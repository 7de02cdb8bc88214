"""Records of lists (名单): the one way in is the listing procedure, with its two officials as the two hands (domain §5.2).

What a decision says becomes a csv and passes the same checks as every delivery; nothing of a list comes by a spreadsheet. That a
batch of this channel belongs to a case that listed somebody is held by the database (sanctions).
"""

import io
from collections.abc import Mapping
from datetime import date

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils import timezone

from accounts import people
from accounts.models import Organisation, User
from catalogue.models import Field, Item
from records import actions
from records.entry import Typed, as_file
from records.intake import store
from records.intake.schema import Schema
from records.models import Batch, BatchRow


def row_of(item: Item, bound: Mapping[str, str], own: Mapping[str, str]) -> dict[str, str]:
    """Return a row by field code: what the item's bindings ask for, and its own fields by their codes; others stay empty."""
    version = item.version_on(timezone.localdate())
    if version is None:
        raise ValidationError("名单的目录条目没有现行版本，不能列入。", code="not_in_force")
    fields = list(Field.objects.filter(item_version=version, must_be_empty=False))
    return {f.code: bound.get(f.binds, "") if f.binds else own.get(f.code, "") for f in fields}


def put_in(
    row: dict[str, str], *, item: Item, supplier: Organisation, handed_in_by: User, committed_by: User,
    publication: tuple[date, date] | None, label: str,
) -> None:  # fmt: skip
    """Write the record of one listing; `publication` is the listing's own, where it begins later than the item's rule would.

    Call it in the transaction that lists the person. Raises ValidationError with what the checks find.
    """
    with people.everybody("a listing becomes a record of its person"), transaction.atomic():
        rules = Schema(item, supplier)
        content = as_file(rules, [Typed(row, compared=True, named=True)])
        file = store.keep(io.BytesIO(content), f"{label}.csv")
        batch = Batch.objects.create(
            item=item, supplier=supplier, uploaded_by=handed_in_by, file=file, channel=Batch.Channel.LISTING,
            mode=Batch.Mode.ALL_OR_NONE,
        )  # fmt: skip
        batch = actions.check_batch(batch.pk)
        staged = BatchRow.objects.filter(batch=batch).first()
        if staged is None or batch.refused or not batch.goes_in:
            problems = [message for _, _, message in (staged.problems or [])] if staged else []
            raise ValidationError(problems or ["登记中已有这份决定书的记录。"], code="refused")
        _public_from(batch, publication)
        actions.commit_listing(batch.pk, by=committed_by)


def number_of(record_id: int) -> str:
    """Return a record's number by its key, which opens nothing."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT records_numbers_of(ARRAY[%s]::bigint[])", [record_id])
        return cursor.fetchone()[0]


def _public_from(batch: Batch, publication: tuple[date, date] | None) -> None:
    """Let the record be public only where and when the listing is: never longer than the item's rule allows."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE records_batchrow SET publication = nullif(publication * daterange(%s, %s), 'empty') WHERE batch_id = %s",
            [*(publication or (date.min, date.min)), batch.pk],
        )
