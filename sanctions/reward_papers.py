"""A person's answer on paper: entered by a clerk with the scan, compared with it by another before it moves anything."""

from dataclasses import dataclass
from datetime import date
from typing import BinaryIO

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from access.actions import Ask, Asker, write_answer, write_query
from access.models import Kind, Refusal
from accounts import people
from accounts.actions import check_identity
from accounts.models import Person, User
from creditfujian.lib.text import hide_numbers, normalise_name
from records import scans
from records.intake import store
from records.refusals import InWords
from sanctions import rewards
from sanctions.models import RewardCase, RewardPaper
from sanctions.reward_refusals import REWARDS

ENTER, CHECK = "access.enter_consent", "access.check_consent"
NO_DUTY = "您没有窗口办理书面答复的职责。"
NO_CASE = "没有找到这个人的这项激励推荐。请核对激励编号、姓名和证件号码。"
State, Deed = RewardPaper.State, RewardPaper.Deed


@dataclass(frozen=True)
class Signed:
    """What stands on the paper, and the scan."""

    number: str
    id_number: str
    name: str
    deed: RewardPaper.Deed
    agrees: bool
    notice: bool
    publish: bool
    signed_on: date
    scan: BinaryIO
    file_name: str


def enter(signed: Signed, *, by: Asker) -> RewardPaper | None:
    """Enter a signed answer; it waits for another clerk. None when the name is not the number's, which is written down.

    Raises PermissionDenied, ValidationError.
    """
    user = _holder(by, ENTER)
    try:
        number = check_identity(signed.id_number)
    except ValidationError as error:
        raise ValidationError({"id_number": error.messages}) from error
    kind = scans.type_of(signed.scan)
    with transaction.atomic(), InWords(REWARDS):
        person = Person.objects.holder_of(number)
        if person is None:
            raise ValidationError(NO_CASE, code="case")
        if not person.bears(normalise_name(signed.name)):
            _refused(person, by)
            return None
        try:
            case = RewardCase.objects.of(person).numbered(signed.number.strip())
        except RewardCase.DoesNotExist as error:
            raise ValidationError(NO_CASE, code="case") from error
        answers = signed.deed is Deed.ANSWER and signed.agrees
        paper = RewardPaper(
            case=case, person_id=case.person_id, deed=signed.deed, agrees=answers, notice=answers and signed.notice,
            publish=answers and signed.publish, signed_on=signed.signed_on, type=kind, entered_by=user,
            file=store.keep(signed.scan, name=signed.file_name),
        )  # fmt: skip
        paper.save()
        return paper


def _refused(person: Person, by: Asker) -> None:
    write_query(
        Ask(kind=Kind.COUNTER, ground="窗口录入激励的书面答复", purpose="姓名与证件号码不符，未录入", fields_class="无", items=[],
            refusal=Refusal.NAME_DIFFERS.value, person=person),
        by=by,
    )  # fmt: skip


@transaction.atomic
def scan_of(paper: RewardPaper, *, by: Asker) -> bytes:
    """Open the scan for comparing, with a line in the query log that opens no record. Raises PermissionDenied."""
    user = _holder(by, CHECK)
    if not RewardPaper.objects.visible_to(user).filter(pk=paper.pk).exists():
        raise PermissionDenied(NO_DUTY)
    people.open_persons(paper.person_id)
    person = Person.objects.opened(people.survivor_of(paper.person_id))
    seq = write_query(
        Ask(kind=Kind.DUTY, ground="复核激励的书面答复", purpose="查看书面答复扫描件", fields_class="扫描件，不含记录",
            items=[], case_no=paper.case.number, person=person),
        by=by,
    )  # fmt: skip
    write_answer(seq, record_ids=[], items=[])
    with store.open_sealed(paper.file) as stream:
        return stream.read()


def why_not_check(paper: RewardPaper, user: User) -> str:
    """Return why this clerk may not decide on a paper, or nothing."""
    if not user.has_perm(CHECK):
        return NO_DUTY
    if paper.state != State.ENTERED:
        return REWARDS["rewardpaper_is_what_was_entered"]
    return REWARDS["rewardpaper_takes_two_hands"] if paper.entered_by_id == user.pk else ""


def approve(pk: int, *, by: User) -> RewardPaper:
    """Let the paper be the person's answer: the scan says what was entered. Raises PermissionDenied, ValidationError."""
    with transaction.atomic(), InWords(REWARDS):
        paper = _decided(pk, State.APPROVED, by)
        case = RewardCase.objects.select_related("programme", "organisation").get(pk=paper.case_id)
        if paper.deed == Deed.ANSWER:
            rewards.take_answer(
                case, agrees=paper.agrees, notice=paper.notice, publish=paper.publish, by=by, paper=paper
            )
        else:
            rewards.take_withdrawal(case, by=by, paper=paper)
        return paper


def send_back(pk: int, *, by: User, reason: str) -> RewardPaper:
    """Send the paper back with a reason; it never moved anything. Raises PermissionDenied, ValidationError."""
    if not reason.strip():
        raise ValidationError("请写明退回理由。", code="reason")
    with transaction.atomic(), InWords(REWARDS):
        return _decided(pk, State.RETURNED, by, note=hide_numbers(reason.strip())[:200])


def _decided(pk: int, state: str, by: User, note: str = "") -> RewardPaper:
    paper = RewardPaper.objects.select_for_update(of=("self",), no_key=True).filter(
        pk__in=RewardPaper.objects.visible_to(by).values("pk")
    ).get(pk=pk)  # fmt: skip
    if reason := why_not_check(paper, by):
        raise PermissionDenied(reason)
    people.open_persons(paper.person_id)
    paper.state, paper.checked_by, paper.note = state, by, note
    paper.save(update_fields=["state", "checked_by", "note"])
    return paper


def _holder(by: Asker, permission: str) -> User:
    if by.user is None or by.user.organisation is None or not by.user.has_perm(permission):
        raise PermissionDenied(NO_DUTY)
    return by.user
