"""What a change of the catalogue does to records, in numbers: for the preview before an edition is published."""

from collections.abc import Sequence

from django.db import connection


def records_of(item_ids: Sequence[int]) -> dict[int, tuple[int, int]]:
    """Return how many records of each item are held and how many of them are public today; no record is read."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT item_id, held, shown FROM records_count_of_items(%s)", [list(item_ids)])
        return {item: (held, shown) for item, held, shown in cursor.fetchall()}
