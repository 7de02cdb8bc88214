"""Drafts: a new item, a revision, what it says."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone
from guardian.shortcuts import assign_perm

from accounts.models import Organisation, User
from catalogue.actions.permits import State, allow, locked
from catalogue.models import (
    Article,
    Field,
    Item,
    ItemVersion,
    PublicationPeriod,
    SharingScope,
)
from catalogue.prohibited import Door
from catalogue.rules import may_propose


@transaction.atomic
def propose_item(
    *, code: str, category: str, polarity: str, provider: Organisation, by: User, origin: str = Item.Origin.NATIONAL
) -> Item:
    """Enter a new item, to be filled by its first version. The provider's group may propose changes of it.

    Raises PermissionDenied unless the proposer belongs to the provider, ValidationError for a wrong code.
    """
    if not by.has_perm("catalogue.propose_item") or by.organisation_id != provider.pk:
        raise PermissionDenied("只能为本单位提出目录条目。")
    item = Item(code=code, category=category, polarity=polarity, provider=provider, origin=origin)
    item.full_clean()
    item.save()
    grant_provider(item)
    return item


def grant_provider(item: Item) -> None:
    """Let the provider's people propose changes of the item; to supply and query it they need grants of the register."""
    assign_perm("catalogue.propose_item", item.provider.group, item)


@transaction.atomic
def begin_item(
    *,
    category: str,
    polarity: str,
    name: str,
    behaviour: str,
    by: User,
    number: str = "",
    origin: str = Item.Origin.NATIONAL,
) -> ItemVersion:
    """Enter a new item of the proposer's own department with its first draft and the fields that every item has.

    The code is made of category, department and number; without a number the next free one is taken.
    Raises PermissionDenied, ValidationError.
    """
    provider = by.organisation
    if provider is None or not by.has_perm("catalogue.propose_item"):
        raise PermissionDenied("只能为本单位提出目录条目。")
    if not provider.code:
        raise ValidationError(
            "本单位还没有四位目录简称，不能编号。请联系系统管理员在机构信息中登记。", code="organisation"
        )
    code = f"FJ1-{category}-{provider.code}-{number or _next_number(category, provider.code)}"
    item = propose_item(code=code, category=category, polarity=polarity, provider=provider, by=by, origin=origin)
    positive = polarity == Item.Polarity.POSITIVE
    first = {
        "name": name, "behaviour": behaviour, "territory_id": provider.region_id, "opt_out": positive,
        "query_retention_months": 36 if positive else 60,
        "severity_rule": ItemVersion.SeverityRule.BY_CASE if polarity == Item.Polarity.NEGATIVE else "0",
    }  # fmt: skip
    draft = start_draft(item, by=by, first=first)
    return write_draft(draft, by=by, fields=[Field(**row) for row in _FIELDS_OF_EVERY_ITEM])


_FIELDS_OF_EVERY_ITEM: list[dict[str, Any]] = [
    {"required": True, "visible_to": [Field.Reader.SUBJECT, Field.Reader.PROVIDER, Field.Reader.DEPARTMENT], **row}
    for row in (
        {"code": "name", "label": "姓名", "datatype": "name", "length": 50, "binds": "person_name"},
        {"code": "id_number", "label": "证件号码", "datatype": "id_number", "length": 18, "binds": "id_number"},
        {"code": "doc_no", "label": "文书号", "datatype": "code", "length": 100, "binds": "doc_no"},
        {"code": "doc_date", "label": "认定日期", "datatype": "date", "length": 10, "binds": "doc_date"},
    )
]


def _next_number(category: str, short_code: str) -> str:
    prefix = f"FJ1-{category}-{short_code}-"
    last = Item.objects.filter(code__startswith=prefix).order_by("code").values_list("code", flat=True).last()
    return f"{int(last[-4:]) + 1 if last else 1:04d}"


@transaction.atomic
def start_draft(item: Item, *, by: User, first: dict[str, Any] | None = None) -> ItemVersion:
    """Begin a new version as a draft: a copy of the latest one, or `first` for an item that has none.

    Raises PermissionDenied; ValidationError when another version is under way or the item is retired.
    """
    if not may_propose(by, item):
        raise PermissionDenied("您的单位未获准提出该条目的修订。")
    versions = ItemVersion.objects.select_for_update().filter(item=item).order_by("-version")
    if any(v.state in ItemVersion.UNDER_WAY for v in versions):
        raise ValidationError("该条目已有一个办理中的版本，请先办完或退回。", code="under_way")
    if any(v.state == State.RETIRED for v in versions):
        raise ValidationError("该条目已停用，不能修订；需要时请提出新条目。", code="retired")
    latest = versions[0] if versions else None
    tomorrow = timezone.localdate() + timedelta(days=1)
    if latest is None:
        draft = ItemVersion(item=item, version=1, effective=DateRange(tomorrow, None), created_by=by, **(first or {}))
        draft.save()
        return draft
    return _copy(latest, effective=DateRange(tomorrow, None), by=by)


def _copy(latest: ItemVersion, *, effective: DateRange, by: User) -> ItemVersion:
    draft = ItemVersion.objects.get(pk=latest.pk)
    draft.pk, draft._state.adding = None, True
    draft.version, draft.state, draft.effective = latest.version + 1, State.DRAFT, effective
    draft.created_by, draft.moved_by, draft.move_note, draft.consultation_note = by, None, "", ""
    draft.change_note = f"修订第 {latest.version} 版"
    draft.save()
    draft.legal_bases.set(latest.legal_bases.all())
    parts: list[Any] = [Field, PublicationPeriod, SharingScope]
    for model in parts:
        rows = list(model._default_manager.filter(item_version=latest))
        for row in rows:
            row.pk, row._state.adding, row.item_version = None, True, draft
        model._default_manager.bulk_create(rows)
    return draft


@transaction.atomic
def write_draft(
    version: ItemVersion,
    *,
    by: User,
    values: dict[str, Any] | None = None,
    legal_bases: Sequence[Article] | None = None,
    fields: Sequence[Field] | None = None,
    periods: Sequence[PublicationPeriod] | None = None,
    scopes: Sequence[SharingScope] | None = None,
) -> ItemVersion:
    """Write what a draft says; parts that are given replace what was there, in their order.

    Raises PermissionDenied; ValidationError with Chinese sentences by field, and for fields of a prohibited kind.
    """
    draft = locked(version)
    allow("write", draft, by)
    for name, value in (values or {}).items():
        setattr(draft, name, value)
    draft.full_clean()
    draft.save()
    if legal_bases is not None:
        draft.legal_bases.set(legal_bases)
    for model, rows in ((Field, fields), (PublicationPeriod, periods), (SharingScope, scopes)):
        if rows is not None:
            _replace(model, draft, rows)
    return draft


def _replace(model: Any, draft: ItemVersion, rows: Sequence[Any]) -> None:
    model.objects.filter(item_version=draft).delete()
    if model is Field:
        refuse_prohibited_fields(rows)
    for position, row in enumerate(rows, start=1):
        row.pk, row._state.adding, row.item_version = None, True, draft
        if model is Field:
            row.position = position
        unseen = model is Field and row.must_be_empty  # a column of the sheet that stays empty is shown to nobody
        row.clean_fields(exclude=["item_version", "visible_to"] if unseen else ["item_version"])
    model.objects.bulk_create(rows)


def refuse_prohibited_fields(rows: Sequence[Field]) -> None:
    """Refuse fields of a kind that is never collected (domain §9). Raises ValidationError naming each."""
    door = Door.load()
    found = []
    for row in rows:
        for label in (row.label, *row.aliases):
            if hit := door.find_header(label):
                found.append(f"数据项“{row.label}”属禁止归集的{hit.title}。{hit.advice}")
        if hit := door.find_class(row.pii_class):
            found.append(f"数据项“{row.label}”的个人信息类别属禁止归集的{hit.title}。{hit.advice}")
    if found:
        raise ValidationError(found, code="prohibited")


@transaction.atomic
def discard_draft(version: ItemVersion, *, by: User) -> None:
    """Throw away a draft that was never submitted. Raises PermissionDenied, ValidationError."""
    draft = locked(version)
    allow("discard", draft, by)
    draft.delete()
