"""The second look at readings (domain §7.6): rules find lines, the unit answers, the auditor closes.

Which lines a rule finds, who may answer and how a review moves is held in the database (migration 0007); here are the
deeds, with the clock (D45) and the trace of who read the lines.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, transaction
from django.db.models import Exists, Max
from django.utils import timezone

from access import questions
from access.models import Anomaly, AnomalyLine, AnomalyStep, LogReading, Query, ReviewLook, ReviewRule, Sign, Verdict
from accounts import people
from accounts.models import User
from catalogue import deadline_actions as clocks
from catalogue.models import Deadline
from creditfujian.lib.text import hide_numbers

State, Deed = Anomaly.State, AnomalyStep.Deed
DEADLINE = "D45"
PROPOSE, CONFIRM = "access.propose_reviewrule", "access.confirm_reviewrule"
FIRST_LOOK_DAYS = 31  # how far the first night looks back; after that every day is looked at once


# --- finding ------------------------------------------------------------------------------------------------


def look_at_days_before(day: date) -> int:
    """Look at every day of the log before that day that was not looked at to its end; return how many reviews opened."""
    last = ReviewLook.objects.aggregate(last=Max("day"))["last"]
    first = last or day - timedelta(days=FIRST_LOOK_DAYS)
    return sum(look_at(first + timedelta(days=step)) for step in range((day - first).days))


@transaction.atomic
def look_at(day: date) -> int:
    """Look at one day, whole or as far as it has come, and start the clocks of what was found. Safe to run again."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT access_find_anomalies(%s)", [day])
        found = cursor.fetchone()[0]
    start_clocks()
    return found


@transaction.atomic
def sample_each_reader(day: date) -> int:
    """Draw a line of every reader whom no sample of the day's month has met; the last night of a month does it too."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT access_sample_each_reader(%s)", [day])
        found = cursor.fetchone()[0]
    start_clocks()
    return found


def start_clocks() -> None:
    """Start the clock of every open review that has none running."""
    running = Deadline.objects.of_outer(Anomaly).filter(met_on__isnull=True)
    unclocked = Anomaly.objects.filter(~Exists(running), state=State.OPEN)
    clocks.start_all(DEADLINE, on=timezone.localdate(), subjects=[(anomaly, anomaly.number) for anomaly in unclocked])


# --- going its way ------------------------------------------------------------------------------------------


def why_not_answer(anomaly: Anomaly, user: User) -> str:
    """Return why this user may not answer, or an empty string."""
    if anomaly.state != State.OPEN:
        return f"核查单当前状态为“{anomaly.get_state_display()}”，不需要答复。"
    if not Anomaly.objects.to_answer_by(user).filter(pk=anomaly.pk).exists():
        return "由查询单位没有参与这些查询的负责人、审核员答复；涉及多个单位、单位无人可答或者逾期的，由省信用办答复。"
    return ""


def why_not_close(anomaly: Anomaly, user: User) -> str:
    """Return why this user may not close the review or send it back, or an empty string."""
    if not user.has_perm("access.close_anomaly"):
        return "由审计员办结。"
    if anomaly.state != State.ANSWERED:
        return f"核查单当前状态为“{anomaly.get_state_display()}”，不能办结。"
    return ""


def answer(anomaly: Anomaly, *, verdict: str, text: str, told: str = "", by: User) -> AnomalyStep:
    """Say, for the unit, whether the readings had a ground; `told` is for the person who asked.

    Raises PermissionDenied, ValidationError.
    """
    if reason := why_not_answer(anomaly, by):
        raise PermissionDenied(reason)
    if anomaly.sign == Sign.QUESTIONED and not told.strip():
        raise ValidationError({"told": "当事人提出了疑问，请用平常的话写明为什么查、凭什么查。"}, code="told")
    with transaction.atomic():
        step = _step(anomaly, Deed.ANSWERED, text, by, verdict=verdict, told=hide_numbers(told.strip())[:500])
        for clock in Deadline.objects.of(anomaly).filter(met_on__isnull=True):
            clocks.meet(clock.pk, on=timezone.localdate())
    return step


def close(anomaly: Anomaly, *, text: str, verdict: str = "", by: User) -> AnomalyStep:
    """End a review, as the auditor who agrees with the answer; of an emergency the auditor gives the verdict.

    Raises PermissionDenied, ValidationError.
    """
    if reason := why_not_close(anomaly, by):
        raise PermissionDenied(reason)
    if (anomaly.sign == Sign.URGENT) != bool(verdict):
        raise ValidationError({"verdict": "紧急查询由审计员作出结论，其他核查以单位的结论为准。"}, code="verdict")
    with transaction.atomic():
        step = _step(anomaly, Deed.CLOSED, text, by, verdict=verdict)
        questions.tell_verdict(anomaly)
    return step


def send_back(anomaly: Anomaly, *, text: str, by: User) -> AnomalyStep:
    """Ask the unit again, as the auditor; the time to answer begins anew. Raises PermissionDenied, ValidationError."""
    if reason := why_not_close(anomaly, by):
        raise PermissionDenied(reason)
    with transaction.atomic():
        step = _step(anomaly, Deed.RETURNED, text, by)
        clocks.start(DEADLINE, on=timezone.localdate(), subject=anomaly, label=anomaly.number)
    return step


def _step(
    anomaly: Anomaly, deed: AnomalyStep.Deed, text: str, by: User, *, verdict: str = "", told: str = ""
) -> AnomalyStep:
    step = AnomalyStep(
        anomaly=anomaly, deed=deed, verdict=verdict, text=hide_numbers(text.strip())[:500], told=told, by=by
    )
    step.full_clean(exclude=["at"])
    step.save()
    return step


# --- who read the log ---------------------------------------------------------------------------------------


def note_reading(
    seqs: list[int],
    *,
    reason: str,
    terms: str = "",
    anomaly: Anomaly | None = None,
    log: LogReading.Log = LogReading.Log.QUERY,
    by: User,
) -> None:
    """Write down, before they are shown, that somebody reads these lines of a log, and why. Raises ValidationError."""
    reading = LogReading(
        log=log,
        reader=by, reader_name=by.name, organisation_name=by.organisation.name if by.organisation else "",
        roles="、".join(role.label for role in by.roles()), reason=hide_numbers(reason.strip())[:200],
        terms=hide_numbers(terms)[:500], anomaly=anomaly, seqs=seqs,
    )  # fmt: skip
    reading.full_clean(exclude=["at", "seqs"])
    reading.save()


@dataclass(frozen=True)
class ReviewedLine:
    """One line under review, as its reviewers see it: no name and no number of the person read."""

    seq: int
    at: datetime
    actor: str
    unit: str
    kind: str
    purpose: str
    case_no: str
    duty_code: str
    items: list[str]
    persons: int
    refused: bool


_LINES = """
SELECT q.seq, q.at, q.actor_name, q.organisation_name, q.kind, q.purpose,
       coalesce(nullif(q.case_no, ''), q.consent_no), q.duty_code, q.items, q.decision,
       (SELECT count(*) FROM access_queryperson p WHERE p.at = q.at AND p.query_id = q.seq)
  FROM access_anomalyline l JOIN access_query q ON q.seq = l.query_seq AND q.at = l.query_at
 WHERE l.anomaly_id = %s ORDER BY q.seq LIMIT %s
"""
LINES_SHOWN = 200


@transaction.atomic
def lines_of(anomaly: Anomaly, *, by: User) -> list[ReviewedLine]:
    """Return the lines under review, at most 200, after writing down who reads them."""
    kinds = dict(Query._meta.get_field("kind").choices or ())  # type: ignore[union-attr]
    with people.log("lines under review"), connection.cursor() as cursor:
        cursor.execute(_LINES, [anomaly.pk, LINES_SHOWN])
        rows = cursor.fetchall()
    note_reading([row[0] for row in rows], reason=f"查询核查 {anomaly.number}", anomaly=anomaly, by=by)
    return [
        ReviewedLine(
            seq=row[0], at=row[1], actor=row[2], unit=row[3], kind=str(kinds[row[4]]), purpose=row[5], case_no=row[6],
            duty_code=row[7], items=row[8], refused=row[9] == "refused", persons=row[10],
        )
        for row in rows
    ]  # fmt: skip


@dataclass(frozen=True)
class Reviewed:
    """What the person is told of the second looks at one line of their access history."""

    read: int = 0  # how often reviewers read the line
    open: bool = False
    verdict: str = ""  # of the latest closed review


_READ = """
SELECT seq, count(*) FROM access_logreading r, unnest(r.seqs) AS s(seq)
 WHERE r.log = 'query' AND r.seqs && %(seqs)s::bigint[] AND s.seq = ANY (%(seqs)s::bigint[]) GROUP BY seq
"""


def reviews_of(seqs: list[int]) -> dict[int, Reviewed]:
    """Return, by line of the log, what became of its reviews; lines that nobody looked at are left out."""
    if not seqs:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_READ, {"seqs": seqs})
        read = dict(cursor.fetchall())
    found = {seq: Reviewed(read=times) for seq, times in read.items()}
    lines = AnomalyLine.objects.filter(query_seq__in=seqs).select_related("anomaly__question")
    for line in lines.prefetch_related("anomaly__question__steps").order_by("anomaly"):
        before, anomaly = found.get(line.query_seq, Reviewed()), line.anomaly
        closed = anomaly.state == State.CLOSED
        found[line.query_seq] = Reviewed(
            read=before.read, open=before.open or not closed,
            verdict=_verdict_of(anomaly).label if closed else before.verdict,
        )  # fmt: skip
    return found


def _verdict_of(anomaly: Anomaly) -> Verdict:
    """Return how a closed review ended: by the second look, where the person who asked had one."""
    question = getattr(anomaly, "question", None)  # what opened it, if this person's
    return Verdict(question.verdict if question else anomaly.verdict)


# --- the rules ----------------------------------------------------------------------------------------------


def propose(*, by: User, **values: Any) -> ReviewRule:
    """Propose a rule in the place of the one in force for the same sign. Raises PermissionDenied, ValidationError."""
    if not by.has_perm(PROPOSE):
        raise PermissionDenied("只有省信用办可以提出查询核查规则。")
    rule = ReviewRule(proposed_by=by, **values)
    if rule.valid_from < timezone.localdate():
        raise ValidationError({"valid_from": "启用日期不能早于今天。"}, code="valid_from")
    rule.full_clean()
    rule.save()
    return rule


def confirm(rule_id: int, *, by: User) -> ReviewRule:
    """Put a proposed rule in force; the one before ends the day it begins. Raises PermissionDenied, ValidationError."""
    with transaction.atomic():
        rule = ReviewRule.objects.select_for_update(of=("self",)).get(pk=rule_id)
        clocks.may_decide(rule, by, CONFIRM, confirm=True)
        clocks.put_in_place_of(rule, ReviewRule.objects.filter(sign=rule.sign), by)
    return rule


def withdraw(rule_id: int, *, by: User, reason: str) -> ReviewRule:
    """Send a proposed rule back; it stays on file. Raises PermissionDenied, ValidationError."""
    with transaction.atomic():
        rule = ReviewRule.objects.select_for_update(of=("self",)).get(pk=rule_id)
        clocks.may_decide(rule, by, PROPOSE, confirm=False)
        clocks.send_back(rule, reason)
    return rule
