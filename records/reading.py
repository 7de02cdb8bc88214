"""The reading gateway: the only way out for a person's records.

Each function writes the query line first, reads, writes what it returned, and hands out values that are already
scoped and masked. If the line cannot be written there is no answer; the database returns nothing without it.
A refusal is an outcome, not an exception, so that its line stays.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import NoReturn, TypeVar

from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.db.models import F
from django.db.models.expressions import RawSQL
from django.utils import timezone

from access.actions import Ask, Asker, Use, register_request, write_answer, write_query
from access.authorities import tell
from access.consent_rules import items_for, refusal_of_use
from access.letters import tell as tell_of_letter
from access.models import (
    Authority,
    Consent,
    ConsentPurpose,
    Kind,
    OfficialLetter,
    Purpose,
    Refusal,
    Request,
)
from access.reading import purpose_in_words
from access.rules import refusal_of_authority, refusal_of_duty, refusal_of_letter, refusal_of_request
from accounts import people
from accounts.models import Person
from catalogue.models import Field, Item, ItemVersion, PublicationPeriod
from catalogue.rules import add_months
from creditfujian.lib import masking
from records.models import Batch, BatchRow, Record, RecordVersion, Statement, StatementHold
from records.visibility import fields_for, sight_of, value_for

COUNTER_GROUND = "本人持居民身份证到窗口查询（个人信息保护法第四十五条）"
NOT_IN_THEIR_NAME = "系统登记此人已经死亡，或号码已并入他人，不能以其名义查询。如登记有误，请联系省信用办。"
REFUSAL_FLOOR_SECONDS = 0.05  # every refusal of a use of a consent takes at least this long, known person or not
Told = TypeVar("Told")  # what a use of a consent answers
PUBLIC_FLOOR_SECONDS = 0.15  # every public answer takes at least this long, so that time tells nothing


@dataclass(frozen=True)
class Fact:
    """One field of a record as this reader may see it."""

    code: str
    label: str
    value: str


@dataclass(frozen=True)
class Held:
    """That the person's words are shown to nobody else for now: since when, why, what to change. Told to the person alone."""

    since: date
    ground: str
    told: str
    spoken_against: bool
    answer: str


@dataclass(frozen=True)
class View:
    """A record as this reader may see it: no more fields than the item allows them."""

    number: str
    item_code: str
    item_name: str
    decider: str
    provider: str
    doc_no: str
    doc_date: date
    severity: str
    public_from: date | None
    public_until: date | None
    query_until: date
    facts: list[Fact]
    bases: list[str]
    public_basis: str
    repairable: bool
    repair_from: date | None
    version: int
    state: Record.State
    used_from: date | None
    objected: bool
    under_review: bool
    held_back: bool
    statement: str
    statement_on: date | None
    held: "Held | None" = None

    @property
    def is_in_use(self) -> bool:
        """Tell whether others may be given it today; the database's `records_is_in_use` says the same."""
        waits = self.state == Record.State.NOTICE_PENDING
        noticed = waits and self.used_from is not None and self.used_from <= timezone.localdate()
        return (self.state == Record.State.IN_FORCE or noticed) and not self.held_back

    def without_held_words(self) -> "View":
        """Return it as others get it: words that are held back stay with the person."""
        return replace(self, statement="", statement_on=None, held=None) if self.held else self

    @property
    def about_state(self) -> str:
        """Say to the person what the record's state means for who sees it; empty when it is in ordinary use."""
        if self.state == Record.State.NOTICE_PENDING and not self.is_in_use and self.used_from:
            return (
                f"这条记录正在告知您：{self.used_from:%Y年%-m月%-d日} 之前只有您本人能看到。认为有误的，请在此之前向提供单位"
                "或省信用办提出。"
            )
        gone = "除您本人外，任何人都查不到这条记录；查询期满后 30 日内删除。"
        if self.state == Record.State.CANCELLED:
            return f"所依据的决定已被撤销、变更或确认无效。{gone}"
        if self.state == Record.State.REPAIRED:
            return f"已完成信用修复：不再公示、共享和使用。{gone}"
        return "异议核查期间，除您本人外任何人都查不到这条记录。" if self.held_back else ""

    @property
    def is_public(self) -> bool:
        """Tell whether the public can see it today."""
        today = timezone.localdate()
        return self.is_in_use and bool(
            self.public_from and self.public_until and self.public_from <= today < self.public_until
        )


@dataclass(frozen=True)
class File:
    """A person's file for one reader."""

    name: str
    id_number: str
    records: list[View]
    seq: int
    former_names: tuple[str, ...] = ()
    deceased_on: date | None = None


@dataclass(frozen=True)
class Refused:
    """No answer, and why; the attempt is in the log."""

    refusal: Refusal

    @property
    def reason(self) -> str:
        return self.refusal.label


def own_file(person: Person, *, by: Asker) -> File:
    """Return everything about the person to the person (PIPL art 45; kind Q1). Unlimited and free.

    Raises PermissionDenied for the dead and the merged, as `check_may_act` does.
    """
    return _in_their_name(_own_ask(person, "本人查看自己的信用记录"), by)


def own_file_to_hand_on(person: Person, *, by: Asker, purpose: str) -> File:
    """Return to the person what of their file others may be shown too (kind Q1): a report goes through many hands."""
    return _in_their_name(_own_ask(person, purpose), by, to_hand_on=True)


def check_may_act(person: Person, *, by: Asker, purpose: str) -> None:
    """Refuse whoever would read in the name of the dead or of a merged number (kind Q1), with a line that stays.

    Ask before a deed's own transaction: an error inside would take the line back. Raises PermissionDenied.
    """
    if not person.may_act:
        _refuse(_own_ask(person, purpose), by)


def _refuse(ask: Ask, by: Asker) -> NoReturn:
    with transaction.atomic():
        write_query(replace(ask, fields_class="无", refusal=Refusal.NO_GROUND.value), by=by)
    raise PermissionDenied(NOT_IN_THEIR_NAME)


def _in_their_name(ask: Ask, by: Asker, *, to_hand_on: bool = False) -> File:
    assert ask.person is not None
    if not ask.person.may_act:
        _refuse(ask, by)
    with transaction.atomic():
        return _answer(ask, by, to_hand_on=to_hand_on)


def _own_ask(person: Person, purpose: str) -> Ask:
    return Ask(
        kind=Kind.SELF, ground="本人查询（个人信息保护法第四十五条）", purpose=purpose, fields_class="本人可见",
        person=person,
    )  # fmt: skip


def file_at_counter(person: Person, *, by: Asker, case_no: str) -> File:
    """Return what a report may hold about the person, who stands at the counter with their card (kind Q2)."""
    ask = Ask(
        kind=Kind.COUNTER, ground=COUNTER_GROUND, purpose="窗口为本人出具信用报告", fields_class="本人可见",
        case_no=case_no, person=person,
    )  # fmt: skip
    return _in_their_name(ask, by, to_hand_on=True)


@transaction.atomic
def file_by_request(request: Request, *, by: Asker) -> File | Refused:
    """Return the items registered for, to the member of staff who registered (kind Q5), or the refusal."""
    items = list(request.items.all())
    assert by.user is not None
    refusal = refusal_of_request(request, by.user, items)
    ask = Ask(
        kind=Kind.DUTY, ground=f"履行法定职责（事项编码 {request.duty_code}）",
        purpose=purpose_in_words(Purpose(request.purpose), request.purpose_text), fields_class="部门可见，证件号码脱敏",
        items=items, case_no=request.case_no, duty_code=request.duty_code, request_no=request.pk,
        refusal=refusal.value if refusal else "",
        person=of.survivor() if (of := people.opened(request)) else None,
    )  # fmt: skip
    if refusal:
        write_query(ask, by=by)
        return Refused(refusal)
    return _answer(ask, by)


@dataclass(frozen=True)
class ByConsent:
    """What an institution states when it uses a consent: whom, what for, how, which items (None: all consented to)."""

    number: str
    id_number: str
    purpose: ConsentPurpose
    form: Consent.Form
    items: Sequence[Item] | None = None


def file_by_consent(asked: ByConsent, *, by: Asker) -> File | Refused | None:
    """Return what a person consented to, to the institution they consented to (kind Q4), or the refusal.

    None when this institution has no such consent: another's and none at all look alike. What is answered over years
    opens no file: it has a way of its own, sanctions.attestation.by_consent.
    """
    assert asked.form is not Consent.Form.YEARS
    return use_consent(asked, lambda ask: _answer(ask, by), by=by)


def use_consent(asked: ByConsent, tell: Callable[[Ask], Told], *, by: Asker) -> Told | Refused | None:
    """Let an institution use a consent: `tell` writes the line of the ask it is given, and answers. Or the refusal, or None.

    A refusal takes at least the same time whoever it is about.
    """
    began = time.monotonic()
    outcome = _by_consent(asked, tell, by)
    if (outcome is None or isinstance(outcome, Refused)) and (
        left := REFUSAL_FLOOR_SECONDS - (time.monotonic() - began)
    ) > 0:
        time.sleep(left)
    return outcome


def _open_its_person(number: str) -> None:
    """Open whose consent a number is: theirs is what the use is compared with, and they see who tried it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT access_person_of_consent(%s)", [number])
        people.open_persons(cursor.fetchone()[0])


@transaction.atomic
def _by_consent(asked: ByConsent, tell: Callable[[Ask], Told], by: Asker) -> Told | Refused | None:
    """Read under the consent's lock: of two that come for its last use one is answered, none that begins after a withdrawal."""
    assert by.user is not None
    person = Person.objects.holder_of(asked.id_number)
    _open_its_person(asked.number)
    found = Consent.objects.select_related("organisation", "purpose")
    consent = found.select_for_update(of=("self",), no_key=True).filter(number=asked.number).first()
    use, wanted = Use(asked.purpose, asked.form), None if asked.items is None else {item.pk for item in asked.items}
    refusal = refusal_of_use(consent, by.user, person=person, use=use, wanted=wanted) if consent else Refusal.NO_CONSENT
    items = list(items_for(asked.purpose).filter(pk__in=wanted or (consent.items if consent else [])))
    if refusal is None and not items:
        refusal = Refusal.OUT_OF_SCOPE  # what was consented to is no longer given to institutions
    ask = Ask(
        kind=Kind.CONSENT, ground=f"经本人授权（授权编号 {consent.number}）" if consent else "未取得本人授权",
        purpose=f"{asked.purpose}：{consent.purpose_text}" if consent and refusal is None else str(asked.purpose),
        fields_class=f"经授权可见：{asked.form.label}", items=items, refusal=refusal.value if refusal else "",
        person=consent.person if consent else None, consent=consent, use=use,
        opens=asked.form is not Consent.Form.YEARS,
    )  # fmt: skip
    if refusal is None:
        return tell(ask)
    write_query(ask, by=by)
    mine = consent is not None and refusal is not Refusal.NOT_GRANTEE
    return Refused(refusal) if mine else None


@transaction.atomic
def file_by_authority(pk: int, *, by: Asker) -> File | Refused:
    """Return what an authority covers, to hand over at its counter (kind Q3), or the refusal; the person is told of both.

    Reads under the authority's lock: none that begins after it was revoked. The agent's name stays out of the line.
    """
    assert by.user is not None
    found = Authority.objects.select_for_update(of=("self",), no_key=True).select_related("organisation")
    authority = found.get(pk=pk)
    of = people.opened(authority)
    assert of is not None
    person, refusal = of.survivor(), refusal_of_authority(authority, by.user)
    living = authority.is_for_the_living
    ask = Ask(
        kind=Kind.AGENT, case_no=authority.number, purpose=authority.purpose, person=person,
        ground="本人授权委托书，代理人到窗口办理" if living else "近亲属凭亲属关系证明和死亡证明到窗口办理（个人信息保护法第四十九条）",
        fields_class="委托条目内，本人可见", items=list(Item.objects.filter(pk__in=authority.items)),
        refusal=refusal.value if refusal else "",
    )  # fmt: skip
    if refusal:
        write_query(ask, by=by)
        return Refused(refusal)
    tell(authority, "您的代理人查询了您的信息",
         f"委托编号 {authority.number}，代理人：{authority.agent_name}，用途：{authority.purpose}。看了什么，见“谁查了我”。")  # fmt: skip
    return _answer(ask, by, to_hand_on=True)


@transaction.atomic
def file_by_letter(pk: int, person_id: int, *, by: Asker) -> File | Refused:
    """Return what a letter asks about one of its persons, to the official who answers it (kind Q7), or the refusal.

    The line is in the log at once; the person is told at once unless the letter is held back from them.
    """
    assert by.user is not None
    letter = OfficialLetter.objects.select_for_update(of=("self",), no_key=True).get(pk=pk)
    named = letter.persons.get(person=person_id)
    of = people.opened(named)
    assert of is not None
    person, refusal = of.survivor(), refusal_of_letter(letter, named, by.user)
    ask = Ask(
        kind=Kind.OFFICIAL, case_no=letter.number, ground=letter.ground, purpose=f"{letter.get_sender_display()}办案",
        fields_class="公函条目内，部门可见，证件号码脱敏", items=list(Item.objects.filter(pk__in=letter.items)), person=person,
        refusal=refusal.value if refusal else "",
    )  # fmt: skip
    if refusal:
        write_query(ask, by=by)
        return Refused(refusal)
    if not letter.is_held:
        tell_of_letter(letter, person, f"{letter.sender_name}依法查询了您的信息")
    return _answer(ask, by, to_hand_on=True)


@dataclass(frozen=True)
class Registration:
    """What a member of staff fills in before a file is opened."""

    id_number: str
    name: str
    items: list[Item]
    purpose: Purpose
    purpose_text: str
    duty_code: str
    case_no: str


@transaction.atomic
def register(form: Registration, *, by: Asker) -> Request | Refused | None:
    """Register a reading by duty (kind Q5); None when no person has that number and name.

    A refusal and a person not found are written down here; a registration's own reading writes its line when
    the file is opened.
    """
    assert by.user is not None
    person = Person.objects.holder_of(form.id_number)
    if person is not None and not person.bears(form.name):
        person = None
    refusal = refusal_of_duty(by.user, form.items, form.duty_code)
    if refusal is None and person is not None:
        return register_request(
            person=person, purpose=form.purpose, purpose_text=form.purpose_text, duty_code=form.duty_code,
            case_no=form.case_no, items=form.items, by=by.user,
        )  # fmt: skip
    ask = Ask(
        kind=Kind.DUTY, ground="未取得查询依据" if refusal else f"履行法定职责（事项编码 {form.duty_code}）",
        purpose=purpose_in_words(form.purpose, form.purpose_text), fields_class="无", items=form.items,
        case_no=form.case_no, duty_code=form.duty_code, refusal=refusal.value if refusal else "", person=person,
    )  # fmt: skip
    seq = write_query(ask, by=by)
    if refusal is None:
        write_answer(seq, record_ids=[], items=[])
        return None
    return Refused(refusal)


@transaction.atomic
def supplied_content(batch: Batch, row: BatchRow, *, by: Asker) -> dict[str, str]:
    """Return what the register says now of the document that a staged row would change, to its own supplier."""
    assert row.id_index is not None
    people.open_numbers(bytes(row.id_index))
    person = Person.objects.get(id_index=row.id_index).survivor()
    ask = Ask(
        kind=Kind.DUTY, ground="信源单位核对本单位报送的数据", purpose="核对报送数据的变更", fields_class="提供单位可见",
        items=[batch.item], case_no=batch.number, person=person,
    )  # fmt: skip
    seq = write_query(ask, by=by)
    version = RecordVersion.objects.filter(
        record=row.record_id, record__provider=batch.supplier, version=F("record__version")
    ).first()
    write_answer(seq, record_ids=[version.record_id] if version else [], items=[batch.item.code] if version else [])
    return version.content if version else {}


def public_records(*, name: str, id_number: str = "", doc_no: str = "", by: Asker) -> File:
    """Return what is public today about exactly that name with that ID number or document number (kind Q6).

    The answer has the same shape, and takes at least the same time, whether the person does not exist or has
    nothing public. Exactly one of `id_number` (normalised) and `doc_no` is given.
    """
    began = time.monotonic()
    try:
        with transaction.atomic():
            person = _public_person(name, id_number, doc_no)
            ask = Ask(
                kind=Kind.PUBLIC, ground="依法公示（行政处罚法第四十八条等）", purpose="公众查询公示信息",
                fields_class="公众可见，脱敏", person=person,
            )  # fmt: skip
            file = _answer(ask, by)
            return replace(file, records=[view for view in file.records if not doc_no or view.doc_no == doc_no])
    finally:
        if (left := PUBLIC_FLOOR_SECONDS - (time.monotonic() - began)) > 0:
            time.sleep(left)


def _public_person(name: str, id_number: str, doc_no: str) -> Person | None:
    if id_number:
        named = Person.objects.numbered(id_number)
        person = named.survivor() if named else None
        if named is None or person is None or person.deceased_on is not None:
            return None
        return person if name in (named.name, person.name) else None
    with connection.cursor() as cursor:
        cursor.execute("SELECT records_person_by_public_document(%s, %s)", [name, doc_no])
        found = cursor.fetchone()[0]
    return Person.objects.opened(found) if found else None


def file_asked_for(ask: Ask, *, by: Asker) -> File:
    """Return what the ask's kind of reader may see of its person; the caller has judged the ground."""
    return _answer(ask, by)


def _answer(ask: Ask, by: Asker, *, to_hand_on: bool = False) -> File:
    seq = write_query(ask, by=by)
    views = _views(ask, to_hand_on=to_hand_on) if ask.person else []
    write_answer(seq, record_ids=[pk for pk, _ in views], items=sorted({view.item_code for _, view in views}))
    profile = sight_of(ask.kind).profile
    if ask.person is None:
        return File("", "", [], seq)
    return File(
        name=masking.name(ask.person.name, profile),
        id_number=ask.person.masked_id(profile),
        records=[view for _, view in views],
        seq=seq,
        former_names=() if ask.kind is Kind.PUBLIC else ask.person.former_names(),
        deceased_on=ask.person.deceased_on,
    )


def _views(ask: Ask, *, to_hand_on: bool) -> list[tuple[int, View]]:
    """Read the current version of each record that the database lets this transaction see, or of those to hand on."""
    assert ask.person is not None
    versions = (
        RecordVersion.objects.filter(record__person=ask.person, version=F("record__version"))
        .select_related("record__item", "record__provider")
        .order_by("-doc_date", "-record_id")
    )
    if to_hand_on:
        versions = versions.filter(
            record__in=RawSQL("SELECT id FROM records_shown() WHERE person_id = %s", [ask.person.pk])
        )
    views = [(version.record_id, view) for version, view in views_of(versions, sight_of(ask.kind).reader)]
    return [(pk, view.without_held_words()) for pk, view in views] if to_hand_on else views


def logged_views(record_ids: Sequence[int], kind: Kind) -> Iterator[tuple[Person, View]]:
    """Yield those records, with their persons, of which this transaction has written lines; others the database hides."""
    versions = (
        RecordVersion.objects.filter(record__in=record_ids, version=F("record__version"))
        .select_related("record__item", "record__provider", "record__person")
        .order_by("record__person", "record__item", "doc_date", "record")
    )
    return ((version.record.person, view) for version, view in views_of(versions, sight_of(kind).reader))


def held_in(file: File, person: Person) -> list[tuple[int, int, bool]]:
    """Return record, version and whether it is public today, of a file read in this transaction: what a report holds."""
    shown = {view.number: view.is_public for view in file.records}
    records = Record.objects.filter(person=person).order_by("pk")
    return [(record.pk, record.version, shown[record.number]) for record in records if record.number in shown]


def views_of(versions: Iterable[RecordVersion], reader: Field.Reader) -> Iterator[tuple[RecordVersion, View]]:
    """Turn versions that the database let this transaction read into what that kind of reader may see of them."""
    rules: dict[int, _Rules] = {}
    found = list(versions)
    said = {s.record_id: s for s in Statement.objects.filter(record__in=[v.record_id for v in found], ended_at=None)}
    held = _held(said.values())
    for version in found:
        if version.item_version_id not in rules:
            rules[version.item_version_id] = _rules(version.item_version_id, reader)
        view = _view(version, rules[version.item_version_id], reader, said.get(version.record_id))
        view = replace(view, held=held.get(version.record_id))
        yield version, view if reader is Field.Reader.SUBJECT else view.without_held_words()


def _held(said: Iterable[Statement]) -> dict[int, Held]:
    """Return what the person is told of each of their statements that is held back, by record."""
    holds = StatementHold.objects.standing().filter(statement__in=[s.pk for s in said])
    return {
        hold.record_id: Held(
            since=timezone.localdate(hold.decided_at), ground=hold.get_ground_display(), told=hold.told,
            spoken_against=hold.review_at is not None, answer=hold.answer,
        )
        for hold in holds
    }  # fmt: skip


@dataclass(frozen=True)
class _Rules:
    """What an item version says, loaded once per answer, for one kind of reader."""

    version: ItemVersion
    fields: list[Field]
    decider_code: str
    periods: dict[int, PublicationPeriod]
    bases: list[str]


def _rules(item_version_id: int, reader: Field.Reader) -> _Rules:
    version = ItemVersion.objects.select_related("item", "disclosure_basis__instrument").get(pk=item_version_id)
    fields = list(version.fields.all())
    return _Rules(
        version=version,
        fields=fields_for(version, fields, reader),
        decider_code=next((f.code for f in fields if f.binds == Field.Binding.DECIDER), ""),
        periods={p.severity: p for p in version.periods.all()},
        bases=[str(article) for article in version.legal_bases.select_related("instrument")],
    )


def _view(version: RecordVersion, rules: _Rules, reader: Field.Reader, said: Statement | None) -> View:
    record, period = version.record, rules.periods.get(version.severity)
    public = record.publication  # the record's own: an act may have cut what the version said
    return View(
        number=record.number,
        item_code=record.item.code,
        item_name=rules.version.name,
        decider=version.content.get(rules.decider_code) or record.provider.name,
        provider=record.provider.name,
        doc_no=record.doc_no,
        doc_date=version.doc_date,
        severity=PublicationPeriod.Severity(version.severity).label if version.severity else "",
        public_from=public.lower if public else None,
        public_until=public.upper if public else None,
        query_until=record.query_until,
        facts=[
            Fact(f.code, f.label, value_for(f, version.content[f.code], reader))
            for f in rules.fields
            if version.content.get(f.code)
        ],
        bases=rules.bases,
        public_basis=str(rules.version.disclosure_basis or ""),
        repairable=rules.version.repairable
        and rules.version.item.polarity == Item.Polarity.NEGATIVE
        and record.state in (Record.State.IN_FORCE, Record.State.NOTICE_PENDING),
        repair_from=add_months(version.doc_date, period.min_months) if period else None,
        version=version.version,
        state=Record.State(record.state),
        used_from=record.usable_from,
        objected=record.objected_at is not None,
        under_review=record.reviewed_at is not None,
        held_back=record.hidden_at is not None,
        statement=said.text if said else "",
        statement_on=timezone.localdate(said.made_at) if said else None,
    )
