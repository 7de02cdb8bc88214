"""Lists of records: the reading gateway for many persons at once.

A registration first, then page by page: each page writes one query line, asks the database which records stand on
it, writes a line for every person on it, and only then reads them, through row-level security, in a constant number
of queries. A page of nobody leaves its query line too. At most fifty persons a page (domain §7.1, Q5).
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from access.actions import (
    Ask,
    Asker,
    find_and_write_persons,
    register_list,
    write_answer,
    write_persons,
    write_query,
)
from access.models import Kind, Purpose, Reach, Request
from access.reading import LIST_FIELDS, purpose_in_words
from access.rules import refusal_of_list, refusal_of_open_list
from accounts.models import Person, User, number_under
from catalogue.models import Field, Item, PublicationPeriod
from creditfujian.compiled import Compiled
from creditfujian.lib import masking
from records.intake.base import place
from records.models import ListSearch, RecordVersion, SavedView, record_key, record_number
from records.reading import Refused, View, views_of
from records.timeline import Step, steps
from records.visibility import fields_for, sight_of

PAGE_SIZE = 50
_SEVERITIES = dict(PublicationPeriod.Severity.choices)
_LISTED = """
SELECT id, created_at, item_id, doc_no, doc_date, severity, publication, query_until, name, id_cipher, provider
  FROM records_listed(%s)
"""
_PAGE = "SELECT record_id, person_id, item_id FROM records_page(%s, %s, %s, %s, %s, %s)"


@dataclass(frozen=True)
class Filters:
    """What a list is narrowed to. Nothing here is about a person, so it may stand in an address or a saved view."""

    items: tuple[int, ...] = ()
    providers: tuple[int, ...] = ()
    severity: int | None = None
    decided_from: date | None = None
    decided_until: date | None = None
    public: bool = False
    ends_within: int | None = None

    def for_database(self) -> dict[str, Any]:
        """Return them as the database's function takes them."""
        named = {
            "items": list(self.items), "providers": list(self.providers), "severity": self.severity,
            "from": self.decided_from and self.decided_from.isoformat(),
            "until": self.decided_until and self.decided_until.isoformat(),
            "public": self.public or None, "ends_within": self.ends_within,
        }  # fmt: skip
        return {name: value for name, value in named.items() if value not in (None, [])}


@dataclass(frozen=True)
class Line:
    """One record in a list, as a department may see it."""

    pk: int
    number: str
    name: str
    id_number: str
    item: str
    doc_no: str
    doc_date: date
    severity: str
    public_until: date | None
    query_until: date
    provider: str


@dataclass(frozen=True)
class Page:
    """A page of a list. `older` and `newer` are the records to go on from."""

    lines: list[Line]
    older: int | None
    newer: int | None
    too_wide: bool
    seq: int

    @property
    def goes_on_unseen(self) -> bool:
        """Tell whether the page is short because looking further is left to the next one."""
        return self.older is not None and len(self.lines) < PAGE_SIZE


@dataclass(frozen=True)
class ListRegistration:
    """What a member of staff fills in before a list is opened."""

    reach: Reach
    items: list[Item]
    purpose: Purpose
    purpose_text: str
    duty_code: str
    case_no: str


@transaction.atomic
def register(form: ListRegistration, *, by: Asker) -> Request | Refused:
    """Register lists of records for a duty and a case; a refusal is written to the log here."""
    assert by.user is not None
    refusal = refusal_of_list(by.user, form.reach, form.items, form.duty_code)
    if refusal is None:
        return register_list(**{name: getattr(form, name) for name in form.__dataclass_fields__}, by=by.user)
    write_query(
        Ask(
            kind=Kind.DUTY, ground="未取得查询依据", purpose=purpose_in_words(form.purpose, form.purpose_text),
            fields_class="无", items=form.items, case_no=form.case_no, duty_code=form.duty_code, refusal=refusal.value,
        ),
        by=by,
    )  # fmt: skip
    return Refused(refusal)


def _called(day: date, request: int) -> "QuerySet[Item]":
    registered = Request.items.through.objects.filter(request=request).values("item")
    called: QuerySet[Item] = Item.objects.called(day).filter(pk__in=registered)
    return called


_ITEMS = Compiled(_called, date.max, 1 << 60)


def items_of(request: Request) -> list[Any]:
    """Return the items registered for, each with its `name` of today; asked for once per registration at hand."""
    kept: list[Any] | None = request.__dict__.get("_items_of_today")
    if kept is None:
        kept = request.__dict__["_items_of_today"] = _ITEMS(timezone.localdate(), request.pk)
    return kept


def look_for(request: Request, by: ListSearch.By, text: str, *, name: str = "") -> ListSearch:
    """Keep what is looked for on the server; of a number only whose it is stays, if anybody's.

    `text` is a normalised value of its kind; `name` may accompany a number and must then be the person's.
    """
    if by is not ListSearch.By.NUMBER:
        return ListSearch.objects.create(request=request, by=by, text=text)
    person = Person.objects.holder_of(text)
    is_theirs = person is not None and (not name or person.bears(name))
    return ListSearch.objects.create(request=request, by=by, person=person if is_theirs else None)


@transaction.atomic
def page(
    request: Request, filters: Filters, search: ListSearch | None, *, after: int | None = None, newer: bool = False,
    size: int = PAGE_SIZE, by: Asker,
) -> Page | Refused:  # fmt: skip
    """Return one page of the registered list (kind Q5), or the refusal; every person on it finds it in their history."""
    asked = _ask(request, filters, LIST_FIELDS, by)
    if isinstance(asked, Refused):
        return asked
    seq, items = asked
    rows, goes_on = _shown(seq, request, filters.for_database() | _looked_for(search), after, newer, size)
    if not rows and search is not None and search.person_id:
        write_persons(seq, [(search.person_id, item.pk) for item in items])
    lines = _lines([pk for pk, _, _ in rows], items)
    codes = {item.pk: item.code for item in items}
    write_answer(seq, record_ids=[line.pk for line in lines], items=sorted({codes[item] for _, _, item in rows}))
    if newer:
        lines.reverse()
    first, last = (lines[0].pk, lines[-1].pk) if lines else (None, None)
    if newer:
        return Page(lines, older=last or after, newer=goes_on, too_wide=goes_on == 0, seq=seq)
    return Page(lines, older=goes_on or None, newer=first if after else None, too_wide=goes_on == 0, seq=seq)


@dataclass(frozen=True)
class Change:
    """One field that a version says differently from the one before."""

    label: str
    old: str
    new: str


@dataclass(frozen=True)
class VersionLine:
    """One version of a record: what was done, by whom, from which row of which file or by which act, under which rule."""

    version: int
    deed: str
    at: datetime
    by: str
    rule: str
    source: str
    uploaded_by: str
    changes: list[Change]


@dataclass(frozen=True)
class RecordPage:
    """One record with its versions and where each came from."""

    pk: int
    name: str
    id_number: str
    view: View
    versions: list[VersionLine]
    steps: list[Step]
    seq: int


@transaction.atomic
def one(request: Request, record_id: int, *, by: Asker) -> RecordPage | Refused | None:
    """Return one record of the registered list with its versions and lineage; None when the list does not hold it."""
    asked = _ask(request, Filters(), "部门可见，证件号码脱敏", by)
    if isinstance(asked, Refused):
        return asked
    seq, items = asked
    rows, _ = _shown(seq, request, {"record": record_id}, None, False, 1)
    if not rows:
        write_answer(seq, record_ids=[], items=[])
        return None
    item_id = rows[0][2]
    versions = list(
        RecordVersion.objects.filter(record=record_id)
        .select_related("record__person", "record__item", "record__provider", "batch__file", "batch__uploaded_by", "by",
                        "item_version", "act")
        .order_by("version")
    )  # fmt: skip
    if not versions:
        write_answer(seq, record_ids=[], items=[])
        return None
    write_answer(seq, record_ids=[record_id], items=[item.code for item in items if item.pk == item_id])
    person = versions[0].record.person
    [(_, view)] = views_of(versions[-1:], sight_of(Kind.DUTY).reader)
    return RecordPage(
        pk=record_id, name=person.name, id_number=person.masked_id(sight_of(Kind.DUTY).profile),
        view=view, versions=_version_lines(versions), steps=steps([record_id], officer=by.user)[record_id], seq=seq,
    )  # fmt: skip


def ids_for_a_job(
    request: Request, filters: Filters, search: ListSearch | None, *, most: int, by: Asker
) -> list[int] | Refused:
    """Return the keys, and nothing else, of the records that the filters find, at most so many; logged as one query.

    Nobody's record is read.
    """
    found: list[int] = []
    with transaction.atomic():
        asked = _ask(request, filters, "仅记录编号，未读取内容", by)
        if isinstance(asked, Refused):
            return asked
        seq, _ = asked
        after: int | None = None
        while len(found) < most:
            wanted = filters.for_database() | _looked_for(search)
            rows, after = _rows(seq, request, wanted, after, False, min(PAGE_SIZE, most - len(found)))
            found += [pk for pk, _, _ in rows]
            if not after:
                break
        write_answer(seq, record_ids=[], items=[])
    return found


def shown_to(request: Request, record_ids: Iterable[int]) -> list[int]:
    """Return those of the records that pages of this registration have shown."""
    wanted = list(dict.fromkeys(record_ids))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT shown FROM access_query q JOIN access_queryanswer a ON a.query_id = q.seq AND a.at = q.at,"
            " unnest(a.record_ids) AS shown WHERE q.actor_id = %s AND q.request_no = %s AND q.at >= %s"
            " AND shown = ANY (%s)",
            [request.actor_id, request.pk, request.created_at - timedelta(days=1), wanted],  # only where to look
        )
        seen = {pk for (pk,) in cursor.fetchall()}
    return [pk for pk in wanted if pk in seen]


def forget_searches() -> int:
    """Forget what was looked for in registrations that have ended; return how many rows went."""
    return ListSearch.objects.filter(request__expires_at__lt=timezone.now()).delete()[0]


_VIEWS = Compiled(lambda owner: SavedView.objects.filter(owner=owner), 1 << 60)


def saved_views(user: User) -> list[SavedView]:
    """Return the officer's own saved views."""
    return _VIEWS(user.pk)


@transaction.atomic
def save_view(user: User, *, name: str, is_default: bool, filters: Filters) -> SavedView:
    """Save filters under a name of the officer's own. Raises IntegrityError when the name is taken."""
    if is_default:
        SavedView.objects.filter(owner=user, is_default=True).update(is_default=False)
    return SavedView.objects.create(owner=user, name=name, is_default=is_default, filters=as_stored(filters))


def as_stored(filters: Filters) -> dict[str, Any]:
    """Return filters as a saved view keeps them."""
    return json.loads(json.dumps(asdict(filters), default=str))


def from_stored(stored: dict[str, Any]) -> Filters:
    """Return the filters of a saved view."""
    days = {name: date.fromisoformat(stored[name]) for name in ("decided_from", "decided_until") if stored.get(name)}
    keys = {name: tuple(stored.get(name) or ()) for name in ("items", "providers")}
    return Filters(**{**stored, "decided_from": None, "decided_until": None, **days, **keys})


def _ask(request: Request, filters: Filters, fields_class: str, by: Asker) -> tuple[int, list[Item]] | Refused:
    """Write the query line of a list; return its number and the items, or the refusal that it holds."""
    assert by.user is not None
    items = items_of(request)
    refusal = refusal_of_open_list(request, by.user, items)
    asked = [item for item in items if not filters.items or item.pk in filters.items]
    whose = "本单位报送的记录，" if request.reach == Reach.SUPPLIED else ""
    seq = write_query(
        Ask(
            kind=Kind.DUTY, ground=f"履行法定职责（{whose}事项编码 {request.duty_code}）",
            purpose=purpose_in_words(Purpose(request.purpose), request.purpose_text), fields_class=fields_class,
            items=asked, case_no=request.case_no, duty_code=request.duty_code, request_no=request.pk,
            refusal=refusal.value if refusal else "",
        ),
        by=by,
    )  # fmt: skip
    return Refused(refusal) if refusal else (seq, items)


def _looked_for(search: ListSearch | None) -> dict[str, Any]:
    if search is None:
        return {}
    if search.by == ListSearch.By.NUMBER:
        return {"person": search.person_id or 0}
    if search.by == ListSearch.By.RECORD:
        return {"record": record_key(search.text) or 0}
    names = {
        ListSearch.By.NAME: "name", ListSearch.By.DOCUMENT: "doc_no", ListSearch.By.DOCUMENT_START: "doc_start",
    }  # fmt: skip
    return {names[ListSearch.By(search.by)]: search.text}


Row = tuple[int, int, int]  # record, person, item


def _shown(
    seq: int, request: Request, wanted: dict[str, Any], after: int | None, newer: bool, size: int
) -> tuple[list[Row], int | None]:
    """Return the rows of one page, with a line for every person on it, and the record to go on from."""
    return _parted(find_and_write_persons(seq, _PAGE, [seq, request.pk, json.dumps(wanted), after, newer, size]))


def _rows(
    seq: int, request: Request, wanted: dict[str, Any], after: int | None, newer: bool, size: int
) -> tuple[list[Row], int | None]:
    """Return the rows of one page, which nobody is shown, and the record to go on from."""
    with connection.cursor() as cursor:
        cursor.execute(_PAGE, [seq, request.pk, json.dumps(wanted), after, newer, size])
        return _parted(cursor.fetchall())


def _parted(rows: list[Any]) -> tuple[list[Row], int | None]:
    """Take off the line that says where to go on: a record's key, 0 when too wide; None at the end."""
    goes_on = rows.pop()[0] if rows and rows[-1][1] is None else None
    return rows, goes_on


def _lines(pks: list[int], items: list[Any]) -> list[Line]:
    """Read the records of a page through row-level security, in the order of the page."""
    names, profile = {item.pk: item.name for item in items}, sight_of(Kind.DUTY).profile
    with connection.cursor() as cursor:
        cursor.execute(_LISTED, [pks])
        lines = {row[0]: _line(row, names, profile) for row in cursor.fetchall()}
    return [lines[pk] for pk in pks if pk in lines]


def _line(row: tuple[Any, ...], names: dict[int, str], profile: masking.Profile) -> Line:
    pk, entered, item, doc_no, doc_date, severity, publication, query_until, name, id_cipher, provider = row
    return Line(
        pk=pk, number=record_number(pk, entered), name=name,
        id_number=masking.id_number(number_under(id_cipher), profile), item=names.get(item, ""),
        doc_no=doc_no, doc_date=doc_date,
        severity=_SEVERITIES[severity] if severity else "",
        public_until=publication.upper if publication else None, query_until=query_until, provider=provider,
    )  # fmt: skip


def _version_lines(versions: list[RecordVersion]) -> list[VersionLine]:
    """Return the versions, newest first, each with what it says differently from the one before."""
    rules, reader = {version.item_version_id: version.item_version for version in versions}, sight_of(Kind.DUTY).reader
    fields: dict[int, list[Field]] = {}
    for field in Field.objects.filter(item_version__in=rules).order_by("position"):
        fields.setdefault(field.item_version_id, []).append(field)
    visible = {
        pk: [f for f in fields_for(rules[pk], of, reader, with_head=True) if f.mask != "HIDE"]
        for pk, of in fields.items()
    }
    lines, before = [], None
    for version in versions:
        lines.append(_version_line(version, before, visible.get(version.item_version_id, [])))
        before = version
    return lines[::-1]


def _version_line(version: RecordVersion, before: RecordVersion | None, fields: list[Field]) -> VersionLine:
    changes = []
    if before is not None:
        pairs = [(f.label, before.content.get(f.code, ""), version.content.get(f.code, "")) for f in fields]
        pairs += [
            ("文书所载姓名", before.name, version.name),
            ("公示止日", _until(before), _until(version)),
            ("查询期至", before.query_until.isoformat(), version.query_until.isoformat()),
        ]
        changes = [Change(label, old, new) for label, old, new in pairs if old != new]
    return VersionLine(
        version=version.version, deed=version.get_deed_display(), at=version.at, by=version.by.name,
        rule=f"{version.item_version.name}（第 {version.item_version.version} 版）", source=_source(version),
        uploaded_by=version.batch.uploaded_by.name if version.batch else "", changes=changes,
    )  # fmt: skip


def _source(version: RecordVersion) -> str:
    """Say where a version comes from: the row of the file of a batch, or the act."""
    batch = version.batch
    if batch is None:
        return str(version.act)
    sheet = f"，工作表“{batch.sheet}”" if batch.sheet else ""
    row = f"，{place(version.row_no)}" if version.row_no else ""
    return f"批次 {batch.number}，文件“{batch.file.name}”{sheet}{row}"


def _until(version: RecordVersion) -> str:
    return version.publication.upper.isoformat() if version.publication else ""
