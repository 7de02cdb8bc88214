"""Hundreds of items, made like the cast's one in a few statements and published as one edition."""

from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone

from catalogue.models import Edition, Item, ItemVersion
from catalogue.tests.editions import publish
from creditfujian.tests.cast import Cast

State = ItemVersion.State
_PARTS = {
    "catalogue_field": "item_version_id", "catalogue_publicationperiod": "item_version_id",
    "catalogue_itemversion_legal_bases": "itemversion_id",
}  # fmt: skip


def many_items(cast: Cast, n: int, first: int = 1000) -> Edition:
    """Copy the cast's item n times (their codes count from `first`), walk the copies through the states, and publish them."""
    many_approved(cast, n, first)
    return publish(cast)


def many_approved(cast: Cast, n: int, first: int = 1000) -> None:
    """The same up to approval."""
    model = cast.item.versions.get(version=1)
    items = Item.objects.bulk_create(
        Item(code=f"FJ1-03-MRKT-{first + i}", category="03", polarity="N", provider=cast.market) for i in range(n)
    )
    drafts = [_copy(model, item, cast, i) for i, item in enumerate(items)]
    ItemVersion.objects.bulk_create(drafts)
    _copy_parts(model.pk, [draft.pk for draft in drafts])
    ours = ItemVersion.objects.filter(item__in=items)
    for state, hand in (
        (State.SUBMITTED, cast.data_officer), (State.LEGAL_REVIEW, cast.legal_reviewer),
        (State.PIA, cast.legal_reviewer), (State.APPROVED, cast.credit_office),
    ):  # fmt: skip
        ours.update(state=state, moved_by=hand, move_note="测试")


def _copy(model: ItemVersion, item: Item, cast: Cast, i: int) -> ItemVersion:
    own = {"id", "item_id", "state", "moved_by_id", "created_by_id", "created_at", "name", "effective"}
    rules = {f.attname: getattr(model, f.attname) for f in ItemVersion._meta.concrete_fields if f.attname not in own}
    name, effective = f"行政处罚信息（第 {i} 种）", DateRange(timezone.localdate(), None)
    return ItemVersion(
        item=item, state=State.DRAFT, created_by=cast.data_officer, name=name, effective=effective, **rules
    )


def _copy_parts(model: int, drafts: list[int]) -> None:
    with connection.cursor() as cursor:
        for table, parent in _PARTS.items():
            columns = [c.name for c in connection.introspection.get_table_description(cursor, table)]
            others = ", ".join(f'"{name}"' for name in columns if name not in ("id", parent))
            cursor.execute(
                f"INSERT INTO {table} ({parent}, {others}) SELECT d, {others} FROM {table}, unnest(%s) AS d"
                f" WHERE {parent} = %s",
                [drafts, model],
            )
