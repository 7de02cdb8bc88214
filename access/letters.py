"""The deeds of official letters (Q7): registered, decided by another official, closed, and the day on which they are shown.

A line under a letter is in the log and under its seals at once. That its person is not shown it yet has a last day from
the first moment; the day comes nearer when the case is closed and moves away only by two officials, once (migration 0010).
"""

from dataclasses import dataclass
from datetime import date

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from access.models import HoldExtension, LetterPerson, Message, OfficialLetter
from accounts import people
from accounts.models import Person, User
from catalogue.deadlines import due, rule_for
from creditfujian.lib.text import hide_numbers

State = OfficialLetter.State
LATEST, AFTER_CLOSE, ANSWER_DAYS = "D62", "D63", "D64"  # deadlines: domain §7.5, §7.1
ENTER, DECIDE = "access.enter_officialletter", "access.decide_officialletter"
NO_DUTY = "您没有办理公函的职责。"


@dataclass(frozen=True)
class Stated:
    """What stands in the letter, apart from its persons."""

    sender: OfficialLetter.Sender
    sender_name: str
    letter_no: str
    letter_on: date
    officers: list[str]
    certificates: list[str]
    legal_basis: str
    case_no: str
    items: list[int]
    withhold: bool
    withhold_basis: str = ""
    release_on: date | None = None


def latest_release(registered: date, *, extended: bool = False) -> date:
    """Return the last day on which a letter's lines may still wait for their release (deadline D62)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT access_rule_day(%s, %s, %s)", [LATEST, registered, extended])
        return cursor.fetchone()[0]


def months_after_close() -> int:
    """Return after how many months from the case's end the lines are shown (deadline D63)."""
    return rule_for(AFTER_CLOSE, timezone.localdate()).n


def check_stated(stated: Stated) -> None:
    """Check what stands in the letter. Raises ValidationError."""
    today, problems = timezone.localdate(), dict[str, str]()
    if stated.letter_on > today:
        problems["letter_on"] = "公函日期不能晚于今天。"
    if not stated.items:
        problems["items"] = "请按公函选择条目，至少一个。"
    if len(stated.officers) < 2 or len(stated.officers) != len(stated.certificates):
        problems["officers"] = "请逐行填写两名以上承办人员的姓名和证件编号。"
    if stated.withhold and not stated.withhold_basis.strip():
        problems["withhold_basis"] = "请写明暂不显示的理由和依据。"
    last = latest_release(today)
    if stated.withhold and stated.release_on and not today < stated.release_on <= last:
        problems["release_on"] = f"放出日期须在今天以后、不晚于 {last}。"
    if not stated.withhold and (stated.withhold_basis or stated.release_on):
        problems["withhold_basis"] = "没有要求暂不显示的，不填理由和日期。"
    if problems:
        raise ValidationError({name: [words] for name, words in problems.items()})


def register(stated: Stated, persons: list[tuple[Person, bool]], *, by: User) -> OfficialLetter:
    """Write a letter down with its persons, each with whether the name is the number's; the caller keeps the scan."""
    if by.organisation is None or not by.has_perm(ENTER):
        raise PermissionDenied(NO_DUTY)
    check_stated(stated)
    if not persons:
        raise ValidationError({"persons": ["请填写公函所涉人员。"]})
    today = timezone.localdate()
    letter = OfficialLetter(
        sender=stated.sender, sender_name=stated.sender_name.strip(), letter_no=stated.letter_no.strip(),
        letter_on=stated.letter_on, officers=stated.officers, certificates=stated.certificates,
        legal_basis=stated.legal_basis.strip(), case_no=stated.case_no.strip(), items=sorted(stated.items),
        answer_until=due(ANSWER_DAYS, today).date, withhold=stated.withhold, withhold_basis=stated.withhold_basis.strip(),
        organisation=by.organisation, registered_by=by,
        release_on=(stated.release_on or latest_release(today)) if stated.withhold else today,
    )  # fmt: skip
    with transaction.atomic():
        letter.validate_constraints()
        letter.save()
        letter.refresh_from_db()
        LetterPerson.objects.bulk_create(LetterPerson(letter=letter, person=one, matches=ok) for one, ok in persons)
    return letter


# --- decided by another official ---------------------------------------------------------------------------------


def why_not_decide(letter: OfficialLetter, user: User) -> str:
    """Return why this official may not decide, or nothing."""
    if not user.has_perm(DECIDE):
        return "由省信用办审核。"
    if letter.state != State.ENTERED:
        return f"当前状态为“{letter.standing}”，不需要审核。"
    return "登记人不能自己审核。" if letter.registered_by_id == user.pk else ""


def approve(pk: int, *, by: User) -> OfficialLetter:
    """Agree that the letter is answered. Raises PermissionDenied, ValidationError."""
    with transaction.atomic():
        letter = _to_decide(pk, by)
        if letter.answer_until < timezone.localdate():
            raise ValidationError("提供期已过，须另行来函。请不予提供。", code="over")
        letter.state, letter.decided_by = State.APPROVED, by
        letter.save(update_fields=["state", "decided_by"])
        return letter


def refuse(pk: int, *, by: User, reason: str) -> OfficialLetter:
    """Decline to answer, with the reason. Raises PermissionDenied, ValidationError."""
    if not reason.strip():
        raise ValidationError("请写明不予提供的理由。", code="reason")
    with transaction.atomic():
        letter = _to_decide(pk, by)
        letter.state, letter.decided_by, letter.note = State.REFUSED, by, hide_numbers(reason.strip())[:200]
        letter.save(update_fields=["state", "decided_by", "note"])
        return letter


def _to_decide(pk: int, by: User) -> OfficialLetter:
    letter = _locked().get(pk=pk)
    if reason := why_not_decide(letter, by):
        raise PermissionDenied(reason)
    return letter


def _locked() -> QuerySet[OfficialLetter]:
    return OfficialLetter.objects.select_for_update(of=("self",), no_key=True)


def close(pk: int, *, on: date, by: User) -> OfficialLetter:
    """Note that the case is closed: nothing more is read, and the day of release comes nearer by the rule (D63).

    Raises PermissionDenied, ValidationError.
    """
    if not by.has_perm(ENTER):
        raise PermissionDenied(NO_DUTY)
    with transaction.atomic():
        letter = _locked().get(pk=pk)
        if letter.state != State.APPROVED or letter.closed_on is not None:
            raise ValidationError(f"当前状态为“{letter.standing}”，不能登记结案。", code="state")
        if not letter.letter_on <= on <= timezone.localdate():
            raise ValidationError("结案日期不能早于公函日期，也不能晚于今天。", code="closed_on")
        letter.closed_on, letter.closed_by = on, by
        letter.save(update_fields=["closed_on", "closed_by"])
        letter.refresh_from_db()
        return letter


# --- held back longer: once, by two -----------------------------------------------------------------------------


def ask_extension(pk: int, *, release_on: date, reason: str, by: User) -> HoldExtension:
    """Ask that a letter is held back longer than settled, for a reason. Raises PermissionDenied, ValidationError."""
    if not by.has_perm(ENTER):
        raise PermissionDenied(NO_DUTY)
    with transaction.atomic():
        letter = _locked().get(pk=pk)
        if letter.state != State.APPROVED or not letter.withhold or not letter.is_held:
            raise ValidationError("只有已同意提供、还没有放出的公函可以申请延期；放出的不能再收回。", code="state")
        last = latest_release(timezone.localdate(letter.registered_at), extended=True)
        if not letter.release_on < release_on <= last:
            raise ValidationError(f"延期须晚于 {letter.release_on}，不晚于 {last}。", code="release_on")
        if not reason.strip():
            raise ValidationError("请写明延期的理由和依据。", code="reason")
        said = hide_numbers(reason.strip())[:200]
        extension = HoldExtension(letter=letter, release_on=release_on, reason=said, asked_by=by)
        extension.validate_constraints()
        extension.save()
        return extension


def decide_extension(pk: int, *, agree: bool, note: str = "", by: User) -> HoldExtension:
    """Agree to an extension, as another official who has opened the letter again, or not, with a reason.

    Raises PermissionDenied, ValidationError.
    """
    if not by.has_perm(DECIDE):
        raise PermissionDenied(NO_DUTY)
    with transaction.atomic():
        extension = HoldExtension.objects.select_for_update(of=("self",), no_key=True).get(pk=pk)
        if extension.state != HoldExtension.State.ASKED:
            raise ValidationError("这份延期申请已经办结。", code="state")
        if extension.asked_by_id == by.pk:
            raise PermissionDenied("提出人不能自己审核。")
        if not agree and not note.strip():
            raise ValidationError("请写明不同意的理由。", code="reason")
        extension.state = HoldExtension.State.CONFIRMED if agree else HoldExtension.State.REFUSED
        extension.decided_by, extension.note = by, "" if agree else hide_numbers(note.strip())[:200]
        extension.save(update_fields=["state", "decided_by", "note"])
        return extension


# --- the day --------------------------------------------------------------------------------------------------------


def tell(letter: OfficialLetter, person: Person, subject: str) -> None:
    """Tell a living person of a letter that is not held back from them."""
    if person.may_act:
        said = f"{letter.ground}。详情见“谁查了我”，可以下载封存凭证。"
        Message.objects.tell(person.pk, about=letter.number, subject=subject, text=said[:500])


_READ = """
SELECT DISTINCT p.person_id FROM access_query q JOIN access_queryperson p ON p.query_id = q.seq AND p.at = q.at
 WHERE q.kind = 'Q7' AND q.case_no = %s AND q.at >= %s AND p.kind = 'Q7'
"""


def tell_released() -> int:
    """Tell the persons of every letter whose day has come; nothing waits for this: dates release. Safe to run twice."""
    with people.everybody("letters whose day has come are let go"):
        letters = list(OfficialLetter.objects.released_untold())
    for letter in letters:
        with people.everybody("whom a letter was held back from is told"), transaction.atomic():
            locked = _locked().get(pk=letter.pk)
            if locked.told_at is not None:
                continue
            with connection.cursor() as cursor:
                with people.log("whom the lines of a letter are about is told when they are let go"):
                    cursor.execute(_READ, [letter.number, letter.registered_at])
                read = [pk for (pk,) in cursor.fetchall()]
            people.open_persons(*read)
            for person in {one.survivor() for one in Person.objects.filter(pk__in=read)}:
                tell(locked, person, "此前依法暂不显示的查询，现在可以看了")
            locked.told_at = timezone.now()
            locked.save(update_fields=["told_at"])
    return len(letters)
