"""Who may see what of a record: one table for every way out, of which the database's policy reads the same rows.

Reader and profile by kind of query, the situations of a record that it shows, and how the purpose narrows the items:
`data/visibility.json`, entered by migration 0030 (domain §5.7, §7.1). Which fields, says the catalogue (column 30, 31).
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from access.models import Kind
from catalogue.models import Field, ItemVersion
from creditfujian.lib.masking import Profile

KEPT_BACK = "（内容只对本人显示）"  # what others read of a field that the catalogue hides (column 31, by field)
ACT = "act"  # no kind of query: the provider's officials at work on an act about its own records
_TABLE = Path(__file__).parent / "data" / "visibility.json"

IDENTITY = frozenset({"person_name", "id_number"})
# These have a place of their own in every view, or are never shown as a field.
SHOWN_APART = IDENTITY | frozenset({"doc_no", "doc_date", "decider", "severity", "public_mark"})


@dataclass(frozen=True)
class Sight:
    """What one kind of query shows: as which reader of the catalogue's fields, masked how, in which situations."""

    kind: str
    who: str
    reader: Field.Reader
    profile: Profile
    situations: tuple[str, ...]
    narrowed: str
    basis: str


def _read(row: dict[str, str | list[str]]) -> Sight:
    return Sight(
        kind=str(row["kind"]), who=str(row["who"]), reader=Field.Reader(str(row["reader"])), profile=Profile(str(row["profile"])),
        situations=tuple(row["situations"]), narrowed=str(row["narrowed"]), basis=str(row["basis"]),
    )  # fmt: skip


SIGHTS = {sight.kind: sight for sight in map(_read, json.loads(_TABLE.read_text(encoding="utf-8")))}


def sight_of(kind: Kind) -> Sight:
    """Return what that kind of query shows."""
    return SIGHTS[kind.value]


def fields_for(
    version: ItemVersion, fields: Iterable[Field], reader: Field.Reader, *, with_head: bool = False
) -> list[Field]:
    """Return the fields of a record under those rules that this reader is shown, in order.

    Those of the record's head have a place of their own in a view; comparing versions asks for them too.
    """
    if reader not in version.lets_in:
        return []
    apart = IDENTITY if with_head else SHOWN_APART
    return [field for field in fields if reader in field.visible_to and field.binds not in apart]


def value_for(field: Field, value: str, reader: Field.Reader) -> str:
    """Return what this reader reads in a field that they are shown."""
    return KEPT_BACK if field.mask == "HIDE" and reader is not Field.Reader.SUBJECT else value
