"""Two readings that go further than a registration: a whole identity number, and a file opened in an emergency.

Both write their line first, as every reading does; what such a line may say is held in the database (access 0012).
"""

from dataclasses import dataclass

from django.db import transaction

from access import urgent
from access.actions import Ask, Asker, write_answer, write_query
from access.models import (
    URGENT_FIELDS,
    WHOLE_NUMBER,
    Kind,
    Purpose,
    Refusal,
    Request,
    UnmaskReason,
    UrgentGround,
    UrgentReading,
)
from access.rules import refusal_of_number
from accounts import people
from accounts.models import Person
from catalogue.models import Item
from creditfujian.lib.text import hide_numbers
from records.reading import File, Refused, file_asked_for


@dataclass(frozen=True)
class WholeNumber:
    """What is shown once: the number, whose, and the line of the log that says so."""

    name: str
    id_number: str
    seq: int


@transaction.atomic
def whole_number(request: Request, *, reason: UnmaskReason, words: str, by: Asker) -> WholeNumber | Refused:
    """Return the whole identity number of a registration's person, or the refusal (kind Q5; domain §5.7, M3).

    No record is opened by it. The person sees that the number was shown, and why.
    """
    assert by.user is not None
    of = people.opened(request)
    assert of is not None
    person, items = of.survivor(), list(request.items.all())
    refusal = refusal_of_number(request, by.user, items)
    seq = write_query(
        Ask(
            kind=Kind.DUTY, ground=f"履行法定职责（事项编码 {request.duty_code}）",
            purpose=f"{Purpose(request.purpose).label}，{reason.label}：{hide_numbers(words)}",
            fields_class="无" if refusal else WHOLE_NUMBER, items=[], case_no=request.case_no,
            duty_code=request.duty_code, request_no=request.pk, refusal=refusal.value if refusal else "", person=person,
        ),
        by=by,
    )  # fmt: skip
    if refusal:
        return Refused(refusal)
    write_answer(seq, record_ids=[], items=[])
    return WholeNumber(person.name, person.id_number(), seq)


@dataclass(frozen=True)
class Emergency:
    """What a member of staff states before a file is opened in an emergency."""

    id_number: str
    name: str
    items: list[Item]
    ground: UrgentGround
    incident_no: str
    facts: str


@transaction.atomic
def open_in_emergency(form: Emergency, *, by: Asker) -> UrgentReading | Refused | None:
    """Open one person's file for some minutes without a duty; None when no person has that number and name.

    A refusal and a person not found are written down here; opening the file writes a line each time.
    """
    assert by.user is not None
    person = Person.objects.holder_of(form.id_number)
    if person is not None and not person.bears(form.name):
        person = None
    refusal = urgent.why_not(by.user) or urgent.why_not_these(by.user, form.items)
    if refusal is None and person is not None:
        return urgent.break_glass(
            person=person,
            items=form.items,
            ground=form.ground,
            incident_no=form.incident_no,
            facts=form.facts,
            by=by.user,
        )
    seq = write_query(
        Ask(
            kind=Kind.DUTY, ground="紧急查询未获准" if refusal else "紧急查询，没有查到此人", purpose=_purpose(form.ground, form.facts),
            fields_class="无", items=form.items, case_no=form.incident_no, refusal=refusal.value if refusal else "",
            person=person,
        ),
        by=by,
    )  # fmt: skip
    if refusal:
        return Refused(refusal)
    write_answer(seq, record_ids=[], items=[])
    return None


@transaction.atomic
def file_in_emergency(opened: UrgentReading, *, by: Asker) -> File | Refused:
    """Return the file that was opened in an emergency, to whoever opened it, in its minutes (kind Q5)."""
    assert by.user is not None
    mine, of = opened.actor_id == by.user.pk, people.opened(opened)
    assert of is not None
    refusal = None if mine and opened.is_open else Refusal.REVIEWED if mine else Refusal.NOT_OWNER
    ask = Ask(
        kind=Kind.DUTY, ground=f"紧急查询，{opened.ground}", purpose=_purpose(opened.ground, opened.facts),
        fields_class="无" if refusal else URGENT_FIELDS, items=list(Item.objects.filter(pk__in=opened.items)),
        case_no=opened.number, refusal=refusal.value if refusal else "", person=of.survivor(),
    )  # fmt: skip
    if refusal:
        write_query(ask, by=by)
        return Refused(refusal)
    return file_asked_for(ask, by=by)


def _purpose(ground: UrgentGround, facts: str) -> str:
    return f"紧急查询，{ground.name}：{hide_numbers(facts)}"
