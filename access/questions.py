"""A person questions a look at their file (domain §6.4 E7, §7.5): one click, a number, an answer with reasons, one review.

The question opens a review (access.reviews) that the reading unit's supervisor answers and the auditor closes; the person
is told the verdict and why. Who may do what, and when, is held in the database (migration 0015).
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from access.actions import Ask, Asker, write_answer, write_query
from access.models import Anomaly, AnomalyStep, Doubt, Kind, Message, Question, QuestionStep, Verdict
from accounts.models import Person, User
from catalogue import deadline_actions as clocks
from catalogue.models import Deadline
from creditfujian.lib.text import hide_numbers

Deed = QuestionStep.Deed
ANSWER, UNIT, REVIEW = "D14", "D45", "D71"  # the whole, the unit's part, the second look: domain §6.4, §12
LONGEST = 300
GROUND = "本人对查询提出疑问（个人信息保护法第四十四条、第五十条）"
_LINE = """
SELECT q.at, q.kind FROM access_queryperson p JOIN access_query q ON q.seq = p.query_id AND q.at = p.at
 WHERE p.query_id = %s AND p.person_id = ANY (%s) AND access_held_until(p.kind, q.case_no) IS NULL LIMIT 1
"""


# --- asked by the person ------------------------------------------------------------------------------------


def ask(person: Person, seq: int, *, by: Asker) -> Question:
    """Ask about a line of one's own history; asked again, it is the same question.

    Raises PermissionDenied, ValidationError, and Question.DoesNotExist when there is no such line about this person.
    """
    at, kind = _line(person, seq)
    if kind in Question.NOT_ASKED_ABOUT:
        raise ValidationError("自己的查询和公众查询没有查询单位，不能提出疑问。公示内容有误的，请对记录提出异议。")
    with _own(person, "对一次查询提出疑问", by) as user:
        if (asked := questions_by_line(person, [seq]).get(seq)) is not None:
            return asked
        doubt = Doubt.NO_CONSENT if kind is Kind.CONSENT else Doubt.NO_REASON
        try:
            with transaction.atomic():
                asked = Question.objects.create(person=person, asked_by=user, query_seq=seq, query_at=at, doubt=doubt)
        except IntegrityError:  # the second of two clicks at once
            if (other := questions_by_line(person, [seq]).get(seq)) is None:
                raise
            return other
        asked.refresh_from_db()
        today = timezone.localdate()
        clocks.start(UNIT, on=today, subject=asked.anomaly, label=asked.anomaly.number)
        clocks.start(ANSWER, on=today, subject=asked, label=asked.number)
        return asked


def _line(person: Person, seq: int) -> tuple[datetime, Kind]:
    with connection.cursor() as cursor:
        cursor.execute(_LINE, [seq, person.family()])
        row = cursor.fetchone()
    if row is None:
        raise Question.DoesNotExist(seq)
    return row[0], Kind(row[1])


def add(person: Person, number: str, *, doubt: str, text: str, by: Asker) -> QuestionStep:
    """Say more about it, once, while the unit has not answered. Raises PermissionDenied, ValidationError, DoesNotExist."""
    return _said(person, number, Deed.ADDED, text, by, doubt=doubt)


def ask_for_review(person: Person, number: str, *, text: str, by: Asker) -> QuestionStep:
    """Ask, once, that the credit office look at the verdict again. Raises PermissionDenied, ValidationError, DoesNotExist."""
    return _said(person, number, Deed.REVIEW, text, by)


def _said(person: Person, number: str, deed: QuestionStep.Deed, text: str, by: Asker, doubt: str = "") -> QuestionStep:
    question = Question.objects.of(person).numbered(number)
    if reason := story_of(question).why_not(deed):
        raise ValidationError(reason, code="state")
    with _own(person, deed.label, by) as user:
        step = _step(question, deed, text, user, doubt=doubt)
        if deed is Deed.REVIEW:
            clocks.start(REVIEW, on=timezone.localdate(), subject=question, label=question.number)
    return step


def _step(question: Question, deed: QuestionStep.Deed, text: str, by: User, **values: str) -> QuestionStep:
    step = QuestionStep(question=question, deed=deed, text=hide_numbers(" ".join(text.split()))[:500], by=by, **values)
    step.full_clean(exclude=["at"])
    step.save()
    return step


@contextmanager
def _own(person: Person, deed: str, by: Asker) -> Iterator[User]:
    """Do something in one transaction under the person's own line. Raises PermissionDenied."""
    if by.user is None or by.user.person_id != person.pk or not person.may_act:
        raise PermissionDenied("只有本人可以对自己的查询记录提出疑问。")
    with transaction.atomic():
        seq = write_query(
            Ask(
                kind=Kind.SELF,
                ground=GROUND,
                purpose=deed,
                fields_class="查询记录，不含信用记录",
                items=[],
                person=person,
            ),
            by=by,
        )
        write_answer(seq, record_ids=[], items=[])
        yield by.user


# --- answered -----------------------------------------------------------------------------------------------


def tell_verdict(anomaly: Anomaly) -> None:
    """Tell the person, in the transaction that closes the review of their question, what was found."""
    question = Question.objects.filter(anomaly=anomaly).first()
    if question is not None:
        _tell(question, Verdict(anomaly.verdict), "有了结论", "不同意的，可以申请一次复核。")
        _meet(question, ANSWER)


def why_not_review(anomaly: Anomaly, user: User) -> str:
    """Return why this user may not decide the review that the person asked for, or an empty string."""
    if Anomaly.objects.to_review_by(user).filter(pk=anomaly.pk).exists():
        return ""
    return "由省信用办没有答复过、没有参与这次查询的工作人员复核。"


def review(anomaly: Anomaly, *, verdict: str, text: str, by: User) -> QuestionStep:
    """Decide, for the credit office, what the person asked to be looked at again. Raises PermissionDenied, ValidationError."""
    if reason := why_not_review(anomaly, by):
        raise PermissionDenied(reason)
    question = Question.objects.get(anomaly=anomaly)
    with transaction.atomic():
        step = _step(question, Deed.REVIEWED, text, by, verdict=verdict)
        _tell(question, Verdict(verdict), "复核完毕", "")
        _meet(question, REVIEW)
    return step


def _tell(question: Question, verdict: Verdict, what: str, more: str) -> None:
    unit = question.anomaly.organisation
    when = timezone.localtime(question.query_at)
    text = f"{when:%Y年%-m月%-d日}{unit or '有关单位'}的那次查询：{verdict.label}。理由见疑问 {question.number}。{more}"
    if verdict is Verdict.UNJUSTIFIED:
        text += "这次查询没有依据，您可以要求说明处理情况，可以投诉、起诉，怎么办见疑问页面。"
    Message.objects.tell(
        question.person_id, question=question, about=question.number, subject=f"您提出的疑问{what}", text=text
    )


def _meet(question: Question, code: str) -> None:
    for clock in Deadline.objects.of(question).filter(met_on__isnull=True, rule__code=code):
        clocks.meet(clock.pk, on=timezone.localdate())


# --- what the pages show ------------------------------------------------------------------------------------


def questions_by_line(person: Person, seqs: Sequence[int]) -> dict[int, Question]:
    """Return the person's questions about those lines, by line."""
    if not seqs:
        return {}
    asked = Question.objects.of(person).filter(query_seq__in=seqs).prefetch_related("steps")
    return {one.query_seq: one for one in asked}


@dataclass(frozen=True)
class Story:
    """A question as its person sees it: where it stands, the answer and its reasons once they are final, what may be done."""

    question: Question
    answer: AnomalyStep | None  # of the unit, once the auditor has closed the review
    steps: dict[str, QuestionStep]
    clocks: dict[str, Deadline]

    @property
    def standing(self) -> str:
        if Deed.REVIEWED in self.steps:
            return "复核完毕"
        if Deed.REVIEW in self.steps:
            return "正在复核"
        return {"open": "等候单位答复", "answered": "单位已答复，审计员正在核对"}.get(
            self.question.anomaly.state, "已有结论"
        )

    @property
    def verdict(self) -> Verdict | None:
        """Return the latest verdict that the person is told."""
        return self.question.verdict

    @property
    def is_unjustified(self) -> bool:
        return self.verdict is Verdict.UNJUSTIFIED

    @property
    def may_add(self) -> bool:
        return not self.why_not(Deed.ADDED)

    @property
    def may_ask_for_review(self) -> bool:
        return not self.why_not(Deed.REVIEW)

    def why_not(self, deed: QuestionStep.Deed) -> str:
        """Return why the person may not add to it, or not ask for a review, or an empty string."""
        if deed in self.steps:
            return "已经提交过，只能提交一次。"
        state = self.question.anomaly.state
        if deed is Deed.ADDED:
            return "" if state == Anomaly.State.OPEN else "单位已经答复，不能再补充；有结论以后可以申请复核。"
        return "" if state == Anomaly.State.CLOSED else "还没有结论，不能申请复核。"


def story_of(question: Question) -> Story:
    """Return what the person is told of a question."""
    anomaly = question.anomaly
    closed = anomaly.state == Anomaly.State.CLOSED
    answer = anomaly.steps.filter(deed="answered").order_by("-id").first() if closed else None
    started = Deadline.objects.of(question) | Deadline.objects.of(anomaly)
    running = {clock.rule.code: clock for clock in started.select_related("rule").order_by("pk")}
    return Story(question, answer, {step.deed: step for step in question.steps.all()}, running)
