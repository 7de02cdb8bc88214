"""Letters of courts, procuratorates and supervision (Q7): registered with the scan, looked at by another, answered.

Every line about a letter is of kind Q7 and names it, also who only looked at its scan: what is held back from its persons
is held back whole.
"""

from dataclasses import dataclass
from typing import BinaryIO

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from access import letters
from access.actions import Ask, Asker, write_answer, write_query
from access.consent_rules import choices_of
from access.letters import NO_DUTY, Stated
from access.models import HoldExtension, Kind, LetterPerson, OfficialLetter, Query, Refusal
from accounts import people
from accounts.actions import check_identity
from accounts.models import Person, User
from creditfujian.lib.text import normalise_name
from records import extracts, report_pdf, scans
from records.ground_models import GroundPaper
from records.intake import store
from records.reading import Refused, file_by_letter

MANY = 50  # persons of one letter: a court that asks about more writes another


@dataclass(frozen=True)
class Received:
    """A letter as it came: what stands in it, its persons by name and number, its scan."""

    stated: Stated
    persons: list[tuple[str, str]]
    scan: BinaryIO
    name: str


def register(received: Received, *, by: Asker) -> OfficialLetter:
    """Register a letter; it waits for another official. Whose name is not the number's will not be read.

    Raises PermissionDenied, ValidationError.
    """
    user = _holder(by, letters.ENTER)
    letters.check_stated(received.stated)
    kind = scans.type_of(received.scan)
    named = _numbers(received.persons)
    with transaction.atomic():
        persons = [_person(number, name) for name, number in named]
        if len({person.pk for person, _ in persons}) < len(persons):
            raise ValidationError({"persons": ["同一个人写了两次。"]})
        letter = letters.register(received.stated, persons, by=user)
        file = store.keep(received.scan, name=received.name)
        GroundPaper.objects.create(letter=letter, file=file, type=kind)
        for one in people.opened_all(letter.persons.filter(matches=False)):
            _write(letter, one, "姓名与证件号码不符，不予查询", by=by, refusal=Refusal.NAME_DIFFERS)
        return letter


def _numbers(persons: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return names and numbers, checked. Raises ValidationError, which names the line and not the number."""
    problems, found = [], []
    for line, (name, text) in enumerate(persons, start=1):
        try:
            found.append((normalise_name(name), check_identity(text)))
        except ValidationError as error:
            problems.append(f"第 {line} 人：{error.messages[0]}")
    if not persons or len(persons) > MANY:
        problems.append(f"请填写公函所涉人员，每行一人，不超过 {MANY} 人。")
    if problems:
        raise ValidationError({"persons": problems})
    return found


def _person(number: str, name: str) -> tuple[Person, bool]:
    """Return whom a number stands for and whether they bear that name; who is unknown is entered as the letter says."""
    person = Person.objects.holder_of(number)
    if person is None:
        person = Person.seal(number, name)
        person.save()
    return person, person.bears(name)


def _write(
    letter: OfficialLetter, named: LetterPerson, purpose: str, *, by: Asker, refusal: Refusal | None = None
) -> None:
    """Write a line under a letter that opens no record."""
    seq = write_query(
        Ask(kind=Kind.OFFICIAL, ground=letter.ground, purpose=purpose, fields_class="扫描件，不含记录", items=[],
            case_no=letter.number, person=named.person.survivor(), refusal=refusal.value if refusal else ""),
        by=by,
    )  # fmt: skip
    if refusal is None:
        write_answer(seq, record_ids=[], items=[])


@transaction.atomic
def scan_of(paper: GroundPaper, *, by: Asker) -> bytes:
    """Open the scan of a letter, with a line for each of its persons that opens no record. Raises PermissionDenied."""
    user, letter = by.user, paper.letter
    if user is None or letter is None or not OfficialLetter.objects.visible_to(user).filter(pk=letter.pk).exists():
        raise PermissionDenied(NO_DUTY)
    for named in people.opened_all(letter.persons.all()):
        _write(letter, named, "查看公函扫描件", by=by)
    with store.open_sealed(paper.file) as stream:
        return stream.read()


def approve(pk: int, *, by: User) -> OfficialLetter:
    """Agree, as another official who has opened the letter. Raises PermissionDenied, ValidationError."""
    _may_decide(pk, by)
    return letters.approve(pk, by=by)


def refuse(pk: int, *, by: User, reason: str) -> OfficialLetter:
    """Decline, as another official who has opened the letter. Raises PermissionDenied, ValidationError."""
    _may_decide(pk, by)
    return letters.refuse(pk, by=by, reason=reason)


def _may_decide(pk: int, by: User) -> None:
    letter = OfficialLetter.objects.visible_to(by).get(pk=pk)
    if reason := letters.why_not_decide(letter, by):
        raise PermissionDenied(reason)
    _check_opened(letter, by)


def _check_opened(letter: OfficialLetter, by: User, after: int = 0) -> None:
    """Refuse who decides without having opened the letter; the database holds it too. Raises ValidationError."""
    opened = Query.objects.filter(actor_id=by.pk, kind=Kind.OFFICIAL, case_no=letter.number)
    if not opened.filter(at__gte=letter.registered_at, seq__gt=after).exists():
        raise ValidationError("请先打开公函核对，再办理审核。", code="scan")


def decide_extension(pk: int, *, agree: bool, note: str = "", by: User) -> HoldExtension:
    """Agree to hold a letter back longer, having opened it again, or not. Raises PermissionDenied, ValidationError."""
    extension = HoldExtension.objects.select_related("letter").get(pk=pk)
    if agree and by.has_perm(letters.DECIDE) and extension.asked_by_id != by.pk:
        _check_opened(extension.letter, by, after=extension.asked_after)
    return letters.decide_extension(pk, agree=agree, note=note, by=by)


def answer(pk: int, person_id: int, *, by: Asker) -> bytes | Refused:
    """Read what a letter asks about one of its persons and return it set for the printer (Q7); nothing of it is kept.

    Raises PermissionDenied, NoFonts.
    """
    user = _holder(by, letters.ENTER)
    report_pdf.characters()
    with transaction.atomic():
        file = file_by_letter(pk, person_id, by=by)
        if isinstance(file, Refused):
            return file
        letter = OfficialLetter.objects.get(pk=pk)
        how, names = f"应{letter.ground}提供", [choice.name for choice in choices_of(letter.items)]
        return extracts.set_extract(file, number=letter.number, how=how, until=None, item_names=names, by=user)


def _holder(by: Asker, permission: str) -> User:
    if by.user is None or by.user.organisation is None or not by.user.has_perm(permission):
        raise PermissionDenied(NO_DUTY)
    return by.user
