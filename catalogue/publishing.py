"""Publishing an edition: what it would change first, then one action that does it."""

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.apps import apps
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import User
from catalogue import actions, grants, supply_actions
from catalogue.cells import CELLS
from catalogue.columns import Labels, complete, labels, texts
from catalogue.models import Edition, EditionEntry, Item, ItemVersion, Retirement
from creditfujian.lib.parts import parts

State = ItemVersion.State
_NOT_RULES = {"state", "effective", "consultation_note"}  # what tells of a version and changes nothing by itself
TITLE = "福建省自然人公共信用信息征集目录"
_NUMBER = re.compile(r"[A-Za-z0-9-]+")
_LOCK = 39_440  # one edition at a time; the number of the catalogue standard GB/T 39440


@dataclass(frozen=True)
class Change:
    """One column of an item before and after."""

    column: str
    old: str
    new: str


@dataclass(frozen=True)
class Effect:
    """What becomes of records, in numbers: held now, and how many of them the public sees."""

    held: int
    shown: int


@dataclass(frozen=True)
class Leaving:
    """An item to be retired: from when, what becomes of its records, why."""

    item: Item
    effective_on: date
    old_records: str
    reason: str


@dataclass(frozen=True)
class Difference:
    """What an edition changes against the one before."""

    added: list[ItemVersion] = field(default_factory=list)
    changed: list[tuple[ItemVersion, ItemVersion, list[Change]]] = field(default_factory=list)
    retired: list[tuple[Leaving, ItemVersion | None, Effect]] = field(default_factory=list)
    unchanged: int = 0

    @property
    def is_empty(self) -> bool:
        return not (self.added or self.changed or self.retired)

    @property
    def records_stopping(self) -> int:
        """Records of retired items: nothing more is taken in beside them."""
        return sum(effect.held for _, _, effect in self.retired)

    @property
    def records_ending(self) -> int:
        """Records that are no longer given to anybody from the day their item is retired."""
        withdraw = Retirement.OldRecords.WITHDRAW
        return sum(effect.held for leaving, _, effect in self.retired if leaving.old_records == withdraw)


def next_number() -> str:
    """Return the number that the next edition would have: the year's next."""
    prefix = f"FJ-{timezone.localdate().year}-"
    return f"{prefix}{Edition.objects.filter(number__startswith=prefix).count() + 1:02d}"


def latest_edition() -> Edition | None:
    """Return the edition published last."""
    return Edition.objects.order_by("-id").first()


def entries_of(edition: Edition | None) -> dict[int, ItemVersion]:
    """Return the versions that stand in an edition, by item, completely loaded."""
    if edition is None:
        return {}
    versions = complete(ItemVersion.objects.filter(entries__edition=edition))
    return {version.item_id: version for version in versions}


def waiting_versions() -> list[ItemVersion]:
    """Return the approved versions that the next edition takes."""
    return list(complete(ItemVersion.objects.filter(state=State.APPROVED)).order_by("item__code"))


def preview(leaving: Sequence[Leaving] = ()) -> Difference:
    """Return what the next edition would change, before anything is done."""
    return compare(entries_of(latest_edition()), waiting_versions(), leaving)


def difference_of(edition: Edition) -> Difference:
    """Return what a published edition changed against the one before."""
    before, after = entries_of(edition.previous), entries_of(edition)
    fresh = [v for item, v in after.items() if item not in before or before[item].pk != v.pk]
    gone = [
        Leaving(r.item, r.effective_on, r.old_records, r.reason)
        for r in edition.retirements.select_related("item").order_by("item__code")
    ]
    return compare(before, sorted(fresh, key=lambda v: v.item.code), gone, count=False)


def compare(
    before: dict[int, ItemVersion], fresh: Sequence[ItemVersion], leaving: Sequence[Leaving], *, count: bool = True
) -> Difference:
    """Compare the items of an edition with new versions, column by column, and count the records concerned."""
    known = labels()
    effects = effects_on([one.item for one in leaving]) if count else {}
    changed = [(before[v.item_id], v, changes(before[v.item_id], v, known)) for v in fresh if v.item_id in before]
    gone = [(one, before.get(one.item.pk), effects.get(one.item.pk, Effect(0, 0))) for one in leaving]
    touched = {v.item_id for v in fresh} | {one.item.pk for one in leaving}
    return Difference(
        added=[v for v in fresh if v.item_id not in before], changed=changed, retired=gone,
        unchanged=len(before.keys() - touched),
    )  # fmt: skip


def changes(old: ItemVersion, new: ItemVersion, known: Labels) -> list[Change]:
    """Return the columns in which two versions of an item differ, also in what the catalogue's text leaves out.

    Masks, aliases and bindings of fields, the basis of a period: a difference there is told by the column's cell.
    """
    was, now = texts(old, known), texts(new, known)
    found = []
    for cell in CELLS:
        if cell.name in _NOT_RULES:
            continue
        before, after = was.get(cell.name, ""), now.get(cell.name, "")
        if before == after:
            before, after = cell.write(old, known), cell.write(new, known)
        if before != after:
            found.append(Change(cell.title, before, after))
    return found


def effects_on(items: Sequence[Item]) -> dict[int, Effect]:
    """Ask the apps that hold records how many of these items there are: numbers only (module `catalogue_effects`)."""
    found: dict[int, Effect] = {}
    modules = parts((app.name for app in apps.get_app_configs()), "catalogue_effects") if items else []
    for module in modules:
        for pk, (held, shown) in module.records_of([item.pk for item in items]).items():
            before = found.get(pk, Effect(0, 0))
            found[pk] = Effect(before.held + held, before.shown + shown)
    return found


@transaction.atomic
def publish(
    *,
    number: str,
    title: str,
    by: User,
    note: str = "",
    leaving: Sequence[Leaving] = (),
    published_on: date | None = None,
    earlier_notice: str = "",
) -> Edition:
    """Publish every approved version and retire what leaves, as the next edition.

    `published_on` in the past enters an edition that was published elsewhere before, and needs its notice number.
    Raises PermissionDenied; ValidationError when there is nothing to publish or an item cannot go in as it is.
    """
    if not by.has_perm("catalogue.publish_edition"):
        raise PermissionDenied("您没有发布目录版本的职责。")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    if not _NUMBER.fullmatch(number):
        raise ValidationError({"number": "版本号只用字母、数字和短横线，如 FJ-2026-01：它是公开网址的一部分。"})
    day = published_on or timezone.localdate()
    before = entries_of(latest_edition())
    fresh = waiting_versions()
    _refuse_unfit(fresh, leaving, before, day)
    after = {pk: v for pk, v in before.items() if pk not in {one.item.pk for one in leaving}} | {
        v.item_id: v for v in fresh
    }
    edition = Edition(
        number=number, title=title, published_on=day, published_by=by, note=note, earlier_notice=earlier_notice,
        previous=latest_edition(), digest=digest_of(after.values()),
    )  # fmt: skip
    edition.full_clean()
    edition.save()
    EditionEntry.objects.bulk_create(
        EditionEntry(edition=edition, item_id=pk, item_version=version) for pk, version in after.items()
    )
    Retirement.objects.bulk_create(
        Retirement(
            edition=edition,
            item=one.item,
            effective_on=one.effective_on,
            old_records=one.old_records,
            reason=one.reason,
        )
        for one in leaving
    )
    _take_effect(edition, fresh, by)
    supply_actions.assign_providers([version.item for version in fresh], by=by)
    grants.ask_for_providers([version.item for version in fresh], by=by)
    return edition


def _refuse_unfit(
    fresh: Sequence[ItemVersion], leaving: Sequence[Leaving], before: dict[int, ItemVersion], day: date
) -> None:
    wrong = [
        f"{v.item.code} 的生效日期 {v.effective.lower} 早于发布日期 {day}，请退回修改。"
        for v in fresh
        if v.effective.lower < day
    ]
    wrong += [
        f"{v.item.code} 第 {v.version} 版须晚于上一版的生效日期 {before[v.item_id].effective.lower} 生效，请退回修改。"
        for v in fresh
        if v.item_id in before and v.effective.lower <= before[v.item_id].effective.lower
    ]
    both = {v.item_id for v in fresh} & {one.item.pk for one in leaving}
    wrong += [f"{one.item.code} 有待发布的新版本，不能同时停用。" for one in leaving if one.item.pk in both]
    wrong += [f"{one.item.code} 不在上一版目录中，不能停用。" for one in leaving if one.item.pk not in before]
    wrong += [f"{one.item.code} 的停用日期早于发布日期 {day}。" for one in leaving if one.effective_on < day]
    wrong += [f"{one.item.code} 须写明停用理由。" for one in leaving if not one.reason.strip()]
    if not fresh and not leaving:
        wrong.append("没有已批准的版本，也没有停用的条目，不需要发布。")
    if wrong:
        raise ValidationError(wrong, code="unfit")


def _take_effect(edition: Edition, fresh: Sequence[ItemVersion], by: User) -> None:
    """End the versions that are replaced, publish the new ones, and let the day do the rest."""
    values: dict[str, Any] = {
        "by": by.pk,
        "note": f"随{edition.number}发布",
        "fresh": [version.pk for version in fresh],
    }
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE catalogue_itemversion p SET effective = p.effective * daterange(NULL, lower(n.effective))
                 FROM catalogue_itemversion n
                WHERE n.id = ANY (%(fresh)s) AND p.item_id = n.item_id AND p.id <> n.id
                  AND p.state IN ('published', 'in_force', 'suspended') AND p.effective && n.effective""",
            values,
        )
        cursor.execute(
            """UPDATE catalogue_itemversion SET state = 'published', moved_by_id = %(by)s, move_note = %(note)s
                WHERE id = ANY (%(fresh)s)""",
            values,
        )
    actions.retire_due()
    actions.begin_due()


def as_data(version: ItemVersion, known: Labels) -> dict[str, object]:
    """Return an item as plain data: every column's text, and its fields one by one."""
    rows = texts(version, known)
    fields = [
        {
            "code": f.code, "label": f.label, "datatype": f.datatype, "length": f.length, "required": f.required,
            "code_set": f.code_set.code if f.code_set else None, "must_be_empty": f.must_be_empty,
            "visible_to": f.visible_to, "mask": f.mask, "sensitive": f.sensitive,
        }
        for f in version.fields.all()
    ]  # fmt: skip
    return {**{name: text for name, text in rows.items() if name not in ("state", "fields")}, "fields": fields}


def digest_of(versions: Iterable[ItemVersion]) -> str:
    """Return the SHA-256 of an edition's items as canonical JSON: what the public download can be checked against."""
    known = labels()
    rows = sorted((as_data(v, known) for v in versions), key=lambda row: str(row["code"]))
    for row in rows:
        row.pop("effective", None)  # the end of a version is set later, by the next edition
        row.pop("assessment", None)  # and its assessment is renewed
    return hashlib.sha256(json.dumps(rows, ensure_ascii=False, sort_keys=True).encode()).hexdigest()
