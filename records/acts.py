"""The deeds on records outside batches: one official asks, another decides, the database carries out.

Records are named by their numbers. What an act does to them happens in the database's own function
`records_carry_out`, all or none; its lines (versions, events) are written by the same statements.
"""

import json
from collections.abc import Sequence
from datetime import date

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, transaction
from django.utils import timezone

from access.actions import Ask, Asker, write_answer, write_query
from access.models import Kind as QueryKind
from accounts import people
from accounts.models import Organisation, Person, User
from catalogue import deadline_actions as clocks
from catalogue.models import Deadline, Item
from records.intake.lines import content_digest
from records.intake.schema import Schema
from records.life_models import ActContent, RecordAct
from records.models import Record, RecordVersion
from records.refusals import InWords

Kind, State = RecordAct.Kind, RecordAct.State

ASKED_BY_PROVIDERS = (Kind.CORRECT, Kind.WITHDRAW, Kind.CANCEL, Kind.RESTORE, Kind.REVIEW, Kind.REVIEW_END)
# Which clock runs while the second official decides (domain §4.2 L9, L10).
CLOCKS = {Kind.CORRECT: "D37", Kind.WITHDRAW: "D37", Kind.CANCEL: "D10"}
REFUSALS = {
    "recordact_fits_its_records": "有记录的当前状态不能办理这一事项：撤回、撤销、更正限有效或告知中的记录，恢复限已撤回、已撤销或"
    "已修复的记录。请核对记录编号。",
    "recordact_decided_by_another": "申请人不能审核自己的申请，须由本单位另一名工作人员办理。",
    "recordact_opened_before_it_is_decided": "请先点“查阅记录内容”核对（记入查询日志），再审核。",
    "recordact_decided_in_its_organisation": "只有提供记录的单位可以审核。",
    "recordact_lifts_the_mark_it_names": "这些记录上没有该办理单所加的标记，或标记已经解除。",
    "recordact_rests_on_a_document": "这类事项须写明依据的文书号和日期。",
    "record_stands_with_the_survivor": "这个号码已并入同一人的另一个号码，同一份文书在保留的号码名下另有记录，不能恢复。",
    "record_not_after_death": "系统登记当事人在文书作出前已经死亡，不能更正为这个日期，也不能恢复。登记有误的，请联系省信用办撤销。",
    "recordversion_publication_within_the_rule": "更正后的公示期超过目录条目允许的最长公示期。",
}


def ask(
    kind: RecordAct.Kind,
    numbers: Sequence[str],
    *,
    by: User,
    reason: str,
    document_no: str = "",
    document_date: date | None = None,
    marks: RecordAct | None = None,
) -> RecordAct:
    """Ask for an act on records of the user's own organisation; a correction stays a draft until its fields are given.

    Raises PermissionDenied without the duty, ValidationError when a number is not one of the organisation's records.
    """
    if not by.has_perm("records.ask_act") or by.organisation is None:
        raise PermissionDenied("只有报送单位的数据员可以申请更正、撤回、撤销。")
    if kind not in ASKED_BY_PROVIDERS:
        raise PermissionDenied("这一事项不由报送单位申请。")
    with transaction.atomic(), InWords(REFUSALS):
        act = _draft(
            kind, numbers, organisation=by.organisation, by=by, reason=reason, document_no=document_no,
            document_date=document_date, marks=marks,
        )  # fmt: skip
        if kind != Kind.CORRECT:
            _hand_in(act)
    return act


def decide(act_id: int, *, by: User, agree: bool, note: str = "") -> RecordAct:
    """Agree, and have it done in the same transaction, or refuse with a reason. Raises PermissionDenied, ValidationError."""
    with transaction.atomic(), InWords(REFUSALS):
        act = RecordAct.objects.select_for_update().get(pk=act_id)
        if reason := why_not_decide(act, by):
            raise PermissionDenied(reason)
        if not agree and not note.strip():
            raise ValidationError("请写明不同意的理由，申请人会看到。", code="note")
        _decide(act, by=by, agree=agree, note=note)
    return act


def why_not_decide(act: RecordAct, user: User) -> str:
    """Return why this user may not decide the act, or an empty string."""
    if not user.has_perm("records.decide_act") or user.organisation_id != act.organisation_id:
        return "只有报送单位的审核员可以审核。"
    if act.state != State.ASKED:
        return f"办理单当前状态为“{act.get_state_display()}”，不能审核。"
    if act.asked_by_id == user.pk:
        return REFUSALS["recordact_decided_by_another"]
    if not has_looked(act, user):
        return REFUSALS["recordact_opened_before_it_is_decided"]
    return ""


def has_looked(act: RecordAct, user: User) -> bool:
    """Tell whether the user has opened every record of the act since it was handed in: the query log says so."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT records_act_was_opened(%s, %s)", [act.pk, user.pk])
        return bool(cursor.fetchone()[0])


def drop(act_id: int, *, by: User) -> RecordAct:
    """Take an act back that nobody has decided. Raises PermissionDenied, ValidationError."""
    with transaction.atomic():
        act = RecordAct.objects.select_for_update().get(pk=act_id)
        if act.asked_by_id != by.pk:
            raise PermissionDenied("只有申请人可以撤销自己的申请。")
        if act.state not in (State.DRAFT, State.ASKED):
            raise ValidationError(f"办理单当前状态为“{act.get_state_display()}”，不能撤销申请。", code="state")
        _move(act, State.DROPPED)
        _stop_clock(act)
    return act


def mark(
    kind: RecordAct.Kind,
    numbers: Sequence[str],
    *,
    organisation: Organisation,
    by: User,
    reason: str,
    document_no: str = "",
    document_date: date | None = None,
    hides: bool = False,
) -> RecordAct:
    """Mark records as objected to, or as under reconsideration: at once, by one hand, because it only protects.

    `hides` holds them back from everybody but the person while it is looked into (objections E1, E4, E8).
    """
    if kind not in (Kind.OBJECTION, Kind.REVIEW):
        raise ValidationError("这不是标记。", code="kind")
    with transaction.atomic(), InWords(REFUSALS):
        act = _draft(
            kind, numbers, organisation=organisation, by=by, reason=reason, document_no=document_no,
            document_date=document_date, hides=hides,
        )  # fmt: skip
        _hand_in(act)
        _decide(act, by=by, agree=True)
    return act


def carry_out_decided(
    kind: RecordAct.Kind,
    numbers: Sequence[str],
    *,
    organisation: Organisation,
    asked_by: User,
    decided_by: User,
    reason: str,
    document_no: str,
    document_date: date,
    marks: RecordAct | None = None,
    opens: Asker | None = None,
) -> RecordAct:
    """Do what a procedure of its own decided: a repair, its revocation, the end of an objection, of a listing.

    Its two officials are named; the database refuses one for both. `opens` writes the lines under which the records are opened
    first, where the act wants that of whoever decides. Raises ValidationError.
    """
    with transaction.atomic(), InWords(REFUSALS):
        act = _draft(
            kind, numbers, organisation=organisation, by=asked_by, reason=reason, document_no=document_no,
            document_date=document_date, marks=marks,
        )  # fmt: skip
        _hand_in(act)
        if opens is not None:
            open_for(act, by=opens)
        _decide(act, by=decided_by, agree=True)
    return act


def by_the_calendar(numbers: Sequence[str], *, organisation: Organisation, reason: str) -> RecordAct:
    """Cut the periods of records as the rule on earlier orders says; nobody asks, nobody decides, it only shortens."""
    with transaction.atomic():
        act = _draft(Kind.PERIODS, numbers, organisation=organisation, by=None, reason=reason)
        _hand_in(act)
        _decide(act, by=None, agree=True)
    return act


# --- corrections ---------------------------------------------------------------------------------------


Opened = tuple[Record, RecordVersion, Person]  # the one record that a correction is about


def propose_correction(
    act_id: int, values: dict[str, str], *, by: Asker, opened: Opened | None = None
) -> dict[str, list[str]]:
    """Give the fields of a correction and hand it in; the row passes the same checks as a delivered one.

    `opened` is the record when this transaction has opened it already: one opening, one query line.
    Returns what is wrong by field code, or nothing when it was handed in. Raises PermissionDenied, ValidationError.
    """
    with transaction.atomic(), InWords(REFUSALS):
        act = RecordAct.objects.select_for_update().get(pk=act_id)
        if by.user is None or act.asked_by_id != by.user.pk or act.state != State.DRAFT:
            raise PermissionDenied("只有申请人可以填写尚未提交的更正。")
        record, version, person = opened or correction_of(act, by=by)
        problems = _judge(act, record, version, person, values)
        if not problems:
            _hand_in(act)
    return problems


def correction_of(act: RecordAct, *, by: Asker) -> Opened:
    """Open the one record that a correction is about, with a query line. Call it inside a transaction."""
    record_id, person_id, item_id = subjects_of(act)[0]
    open_for(act, by=by)
    record = Record.objects.select_related("item", "provider").get(pk=record_id)
    assert (record.person_id, record.item_id) == (person_id, item_id)
    version = RecordVersion.objects.get(record=record_id, version=record.version)
    return record, version, Person.objects.get(pk=person_id)


def schema_of(record: Record) -> Schema:
    """Return the rules that a row of the record's item is read by. Raises ValidationError without a version in force."""
    if record.item.version_on(timezone.localdate()) is None:
        raise ValidationError("该目录条目没有现行版本，不能更正内容；确有错误的，请申请撤回。", code="not_in_force")
    return Schema(record.item, record.provider)


def _judge(
    act: RecordAct, record: Record, version: RecordVersion, person: Person, values: dict[str, str]
) -> dict[str, list[str]]:
    rules = schema_of(record)
    fixed = {"person_name": version.name, "id_number": person.id_number(), "doc_no": record.doc_no,
             "decider_uscc": record.decider_uscc}  # fmt: skip
    # Whom and which document a record is about is no matter of correction: that is another record.
    row = {code: fixed.get(field.binds, values.get(code, "").strip()) for code, field in rules.by_code.items()}
    codes = list(row)
    block = rules.reader(dict(enumerate(codes)), None)([[row[code] or None for code in codes]])
    if found := block.problems.get(0):
        problems: dict[str, list[str]] = {}
        for code, _, message in found:
            problems.setdefault(code or "", []).append(message)
        return problems
    judged = block.judgements[0]
    digest = content_digest(version.name, judged, block.contents[0])
    if digest == bytes(version.content_hash):
        return {"": ["内容与现在的记录相同，没有要更正的地方。"]}
    assert judged.item_version is not None
    assert judged.doc_date is not None
    assert judged.query_until is not None
    ActContent.objects.create(
        act=act, record=record, item_version_id=judged.item_version, name=version.name, doc_date=judged.doc_date,
        severity=judged.severity, publication=judged.publication, query_until=judged.query_until,
        content=json.loads(block.contents[0]), content_hash=digest,
    )  # fmt: skip
    return {}


# --- the key -------------------------------------------------------------------------------------------


def subjects_of(act: RecordAct) -> list[tuple[int, int, int]]:
    """Return record, person and item of each record that the act names: what its query lines must say."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT record_id, person_id, item_id FROM records_subject_of(%s)", [act.pk])
        return cursor.fetchall()


def open_for(act: RecordAct, *, by: Asker) -> list[int]:
    """Write a query line for each person that the act is about and make the act the key to its records.

    Good for this transaction; the lines carry the act's number as the case.
    """
    found = subjects_of(act)
    items = {item.pk: item for item in Item.objects.filter(pk__in={item for _, _, item in found})}
    people.open_persons(*(person for _, person, _ in found))
    persons = {person.pk: person for person in Person.objects.filter(pk__in={person for _, person, _ in found})}
    for person_id in sorted(persons):
        mine = [(record, item) for record, person, item in found if person == person_id]
        of = [items[pk] for pk in sorted({item for _, item in mine})]
        seq = write_query(
            Ask(
                kind=QueryKind.DUTY, ground="信源单位核对本单位报送的记录", purpose=f"办理{act.get_kind_display()}",
                fields_class="提供单位可见", items=of, case_no=act.number, person=persons[person_id],
            ),
            by=by,
        )  # fmt: skip
        write_answer(seq, record_ids=[record for record, _ in mine], items=[item.code for item in of])
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('cf.act', %s, true)", [str(act.pk)])
    return [record for record, _, _ in found]


# --- steps ---------------------------------------------------------------------------------------------


def _draft(
    kind: RecordAct.Kind, numbers: Sequence[str], *, organisation: Organisation, by: User | None, reason: str, document_no: str = "",
    document_date: date | None = None, hides: bool = False, marks: RecordAct | None = None,
) -> RecordAct:  # fmt: skip
    wanted = list(dict.fromkeys(number.strip().upper() for number in numbers))
    if not reason.strip():
        raise ValidationError({"reason": "请写明理由。"})
    if kind in RecordAct.NEED_DOCUMENT and not (document_no.strip() and document_date):
        raise ValidationError({"document_no": REFUSALS["recordact_rests_on_a_document"]})
    if document_date and document_date > timezone.localdate():
        raise ValidationError({"document_date": "文书日期晚于今天。请核对。"})
    act = RecordAct.objects.create(
        kind=kind, organisation=organisation, reason=reason.strip()[:300], document_no=document_no.strip()[:100],
        document_date=document_date, hides=hides, marks=marks, asked_by=by,
    )  # fmt: skip
    act.refresh_from_db()
    with connection.cursor() as cursor:
        cursor.execute("SELECT records_name_in_act(%s, %s)", [act.pk, wanted])
        named = cursor.fetchone()[0]
    if not wanted or named != len(wanted):
        message = "有记录编号不是本单位提供的记录，或记录已到期。记录编号为 R 开头的 20 位，请对照记录页面核对。"
        raise ValidationError({"numbers": message})
    if kind == Kind.CORRECT and named != 1:
        raise ValidationError({"numbers": "一张办理单只更正一条记录。"})
    return act


def _hand_in(act: RecordAct) -> None:
    _move(act, State.ASKED)
    if code := CLOCKS.get(Kind(act.kind)):
        clocks.start(code, on=act.document_date or timezone.localdate(), subject=act, label=act.number)


def _decide(act: RecordAct, *, by: User | None, agree: bool, note: str = "") -> None:
    act.decided_by, act.decided_at, act.decision_note = by, timezone.now(), note.strip()[:300]
    _move(act, State.DECIDED if agree else State.REFUSED, "decided_by", "decided_at", "decision_note")
    if agree:
        with connection.cursor() as cursor:
            cursor.execute("SELECT records_carry_out(%s)", [act.pk])
            cursor.execute("SELECT set_config('cf.act', '', true)")
        act.refresh_from_db()
    _stop_clock(act)


def _stop_clock(act: RecordAct) -> None:
    for clock in Deadline.objects.of(act).filter(met_on__isnull=True):
        clocks.meet(clock.pk, on=max(timezone.localdate(), clock.started_on))


def _move(act: RecordAct, state: str, *fields: str) -> None:
    act.state = state
    act.save(update_fields=["state", *fields])
