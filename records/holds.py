"""The deeds around a statement that may break the law: looked at, held back by two officials, amended by the person.

The office that runs the register does this, not the supplier: the words are often about the supplier. The person is
told the ground and what to change, may replace the words at any time, which ends the hold at once, and may speak
against it once; whoever decided the hold does not answer. The database holds the arrows, the two hands and the reading
(migrations 0010, 0016): without the person's own line, or the review at work and a line for the person, no text comes
out; and who proposes, decides or upholds has opened the words.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from access.actions import Ask, Asker, write_answer, write_query
from access.models import Kind
from accounts import people
from accounts.models import Person, User
from catalogue import deadline_actions as clocks
from catalogue.models import Deadline, Item
from creditfujian.lib.text import hide_numbers
from records.hold_models import StatementHold
from records.life_models import Statement
from records.reading import own_file

State = StatementHold.State
NOT_READ = "请先点“查阅声明文字”（记入查询日志），读过再办理。"
NO_DUTY = "只有省信用办的工作人员可以复核个人声明。"
ANSWER_DUE = "D33"  # how long the office has to answer the person (Credit Reporting Regulations art 26)


@dataclass(frozen=True)
class Words:
    """A statement as its reviewers read it: the words and which item the record is of, nothing of the record."""

    text: str
    made_at: datetime
    item: str


def look(number: str, *, why: str, by: User) -> StatementHold:
    """Begin a review of the statement that stands beside a record. Raises PermissionDenied, ValidationError."""
    if by.organisation is None or not by.has_perm("records.hold_statement"):
        raise PermissionDenied(NO_DUTY)
    if not why.strip():
        raise ValidationError({"why": "请写明为什么复核，本人看得到。"})
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM records_statement_beside(%s)", [number])
        found = cursor.fetchone()
    if found is None:
        raise ValidationError({"number": "这条记录旁没有个人声明，或编号不对。请从记录页面抄全 20 位编号。"})
    statement, record, person, provider = found
    if provider == by.organisation_id:  # the database refuses it too
        raise ValidationError({"number": "这条记录是本单位提供的，声明不能由本单位复核。"})
    try:
        with transaction.atomic():
            hold = StatementHold.objects.create(
                statement_id=statement, record_id=record, record_no=number, person_id=person,
                organisation=by.organisation, why=hide_numbers(why.strip())[:200], asked_by=by,
            )  # fmt: skip
            hold.refresh_from_db()
            return hold
    except IntegrityError as error:
        raise ValidationError({"number": "这条声明已有未结束的复核，请在列表中打开。"}) from error


@transaction.atomic
def words_of(hold: StatementHold, *, by: Asker) -> Words:
    """Open the words under review, with a query line that carries the review's number. Raises PermissionDenied."""
    if by.user is None or not StatementHold.objects.visible_to(by.user).filter(pk=hold.pk).exists():
        raise PermissionDenied(NO_DUTY)
    if hold.state not in StatementHold.OPEN:
        raise PermissionDenied("复核已结束，不能再查阅声明。")
    with connection.cursor() as cursor:
        cursor.execute("SELECT records_item_of_hold(%s)", [hold.pk])
        item = Item.objects.get(pk=cursor.fetchone()[0])
        seq = write_query(
            Ask(
                kind=Kind.DUTY, ground="复核个人声明（个人信息保护法第十条、征信业管理条例第十四条）",
                purpose=f"复核声明：{hold.why}"[:200], fields_class="个人声明的文字", items=[item], case_no=hold.number,
                person=people.opened(hold),
            ),
            by=by,
        )  # fmt: skip
        write_answer(seq, record_ids=[hold.record_id], items=[item.code])
        cursor.execute("SELECT set_config('cf.hold', %s, true)", [str(hold.pk)])
    said = Statement.objects.get(pk=hold.statement_id)
    version = item.version_on(timezone.localdate())
    return Words(said.text, said.made_at, version.name if version else item.code)


def propose(hold_id: int, *, ground: str, told: str, by: User) -> StatementHold:
    """Ask that the words be held back, with the ground and what the person is told to change."""
    if ground not in StatementHold.Ground.values or not told.strip():
        raise ValidationError("请选择理由，并写明请本人改什么。", code="told")
    with _locked(hold_id, by) as hold:
        if hold.asked_by_id != by.pk:
            raise PermissionDenied("只有开始复核的人可以提出暂停显示。")
        hold.ground, hold.told = ground, hide_numbers(told.strip())[:300]
        return _move(hold, State.ASKED, "ground", "told", reader=by)


def decide(hold_id: int, *, agree: bool, note: str = "", by: User) -> StatementHold:
    """Agree, as a second official: the words are held back at once and the person is told; or not, with a reason."""
    if not agree and not note.strip():
        raise ValidationError("请写明不同意的理由，经办人会看到。", code="note")
    with _locked(hold_id, by) as hold:
        if hold.asked_by_id == by.pk:
            raise PermissionDenied("须由本单位另一名工作人员审核。")
        hold.decided_by, hold.decided_at, hold.decision_note = by, timezone.now(), note.strip()[:300]
        if not agree:
            hold.ended_at = hold.decided_at
        fields = ("decided_by", "decided_at", "decision_note", "ended_at")
        return _move(hold, State.HELD if agree else State.REFUSED, *fields, reader=by)


def drop(hold_id: int, *, by: User) -> StatementHold:
    """End a review that nobody has decided: the words stand as they did."""
    with _locked(hold_id, by) as hold:
        if hold.asked_by_id != by.pk:
            raise PermissionDenied("只有开始复核的人可以结束它。")
        hold.ended_at = timezone.now()
        return _move(hold, State.DROPPED, "ended_at")


def lift(hold_id: int, *, answer: str = "", by: User) -> StatementHold:
    """Show the words again; one hand is enough, because it only gives back. Answers the person when they had spoken."""
    with _locked(hold_id, by) as hold:
        hold.ended_at, fields = timezone.now(), ["ended_at"]
        if hold.review_at and not hold.answered_at and hold.decided_by_id != by.pk:
            hold.answered_by, hold.answered_at = by, hold.ended_at
            hold.answer = answer.strip()[:300] or "意见成立，恢复显示。"
            fields += ["answered_by", "answered_at", "answer"]
        return _move(hold, State.LIFTED, *fields)


def uphold(hold_id: int, *, answer: str, by: User) -> StatementHold:
    """Answer the person that the hold stays, with the reason; by somebody else than who decided it."""
    if not answer.strip():
        raise ValidationError("请写明维持的理由，本人看得到。", code="answer")
    with _locked(hold_id, by) as hold:
        if hold.decided_by_id == by.pk:
            raise PermissionDenied("作出决定的人不能答复对自己决定的意见。")
        if hold.review_at is None or hold.answered_at is not None:
            raise ValidationError("本人没有提出意见，或已经答复。", code="state")
        hold.answered_by, hold.answered_at, hold.answer = by, timezone.now(), answer.strip()[:300]
        return _move(hold, State.HELD, "answered_by", "answered_at", "answer", reader=by)


@transaction.atomic
def speak_against(person: Person, number: str, words: str, *, by: Asker) -> StatementHold:
    """Let the person speak against a hold, once; a clock runs until the answer (kind Q1).

    Raises ValidationError with what to change, StatementHold.DoesNotExist when nothing of theirs is held there.
    """
    if not words.strip():
        raise ValidationError("请写明为什么不同意暂停显示。", code="empty")
    if len(words.strip()) > 300:
        raise ValidationError("意见不超过 300 字。", code="long")
    own_file(person, by=by)
    hold = StatementHold.objects.select_for_update().standing().get(person__in=person.family(), record_no=number)
    if hold.review_at is not None:
        raise ValidationError("您已提出过意见，请等候答复；也可以修改声明，修改后立即显示。", code="once")
    hold.review_at, hold.review_words = timezone.now(), hide_numbers(words.strip())
    hold.save(update_fields=["review_at", "review_words"])
    clocks.start(ANSWER_DUE, on=timezone.localdate(), subject=hold, label=hold.number)
    return hold


def has_read(hold: StatementHold, user: User) -> bool:
    """Tell whether the user has opened the words under review: the query log says so."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT records_hold_was_opened(%s, %s)", [hold.pk, user.pk])
        return bool(cursor.fetchone()[0])


@contextmanager
def _locked(hold_id: int, by: User) -> Iterator[StatementHold]:
    """Give the review's row, locked, to officials of its own office; others are told no more than that."""
    with transaction.atomic():
        hold = StatementHold.objects.visible_to(by).select_for_update().filter(pk=hold_id).first()
        if hold is None:
            raise PermissionDenied(NO_DUTY)
        yield hold


ARROWS: dict[str, tuple[str, ...]] = {
    State.ASKED: (State.LOOKING,), State.HELD: (State.ASKED, State.HELD), State.REFUSED: (State.ASKED,),
    State.DROPPED: (State.LOOKING, State.ASKED), State.LIFTED: (State.HELD,),
}  # fmt: skip


def _move(hold: StatementHold, state: str, *fields: str, reader: User | None = None) -> StatementHold:
    if hold.state not in ARROWS[state]:
        raise ValidationError(f"复核当前状态为“{hold.get_state_display()}”，不能这样办理。", code="state")
    if reader is not None and not has_read(hold, reader):  # the database refuses it too
        raise PermissionDenied(NOT_READ)
    hold.state = state
    hold.save(update_fields=["state", *fields])
    if hold.answered_at or hold.ended_at:
        _stop_clock(hold)
    return hold


def held_words(person: Person) -> int:
    """Return how many of the person's statements are held back: a number, nothing of what they say."""
    return StatementHold.objects.standing().filter(person__in=person.family()).count()


def words_ended(statement_ids: Sequence[int]) -> None:
    """Stop the clocks of reviews that ended because the person replaced or took back the words."""
    for hold in StatementHold.objects.filter(statement__in=statement_ids, state=State.OVER):
        _stop_clock(hold)


def _stop_clock(hold: StatementHold) -> None:
    for clock in Deadline.objects.of(hold).filter(met_on__isnull=True):
        clocks.meet(clock.pk, on=max(timezone.localdate(), clock.started_on))
