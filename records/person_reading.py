"""What the officials of a case see of a person: names and masked number, under the case's number in the query log."""

from dataclasses import dataclass
from datetime import date

from django.db import connection, transaction

from access.actions import Ask, Asker, write_answer, write_query
from access.models import Kind as QueryKind
from accounts.models import Person, PersonName
from creditfujian.lib.masking import Profile
from records.person_models import CasePaper, PersonCase

GROUND = "核对自然人身份，保证信息质量（个人信息保护法第八条）"


@dataclass(frozen=True)
class Who:
    """A person as the officials of a case see them."""

    name: str
    number: str
    former: list[PersonName]
    deceased_on: date | None


@dataclass(frozen=True)
class Names:
    """Both sides of a conflict."""

    who: Who
    delivered: str
    new_name: str
    earlier: list[PersonCase]


@transaction.atomic
def names_of(case: PersonCase, *, by: Asker) -> Names:
    """Return both names of a conflict, with a line that the person sees."""
    who = look_at(case, case.person, by=by)
    paper = CasePaper.objects.get(case=case)
    earlier = PersonCase.objects.filter(person=case.person_id, kind=case.kind, pk__lt=case.pk).order_by("-pk")[:10]
    return Names(who, paper.delivered, paper.new_name, list(earlier))


@dataclass(frozen=True)
class Subjects:
    """Whom a case is about, and what the officials have to weigh with it."""

    who: Who
    other: Who | None
    dated_after: int


@transaction.atomic
def subjects_of(case: PersonCase, *, by: Asker) -> Subjects:
    """Return whom a case is about, each with a line that the person sees."""
    who = look_at(case, case.person, by=by)
    other = look_at(case, case.other, by=by) if case.other else None
    with connection.cursor() as cursor:
        cursor.execute("SELECT records_dated_after(%s)", [case.pk])
        return Subjects(who, other, cursor.fetchone()[0])


def look_at(case: PersonCase, person: Person, *, by: Asker) -> Who:
    """Write the line of looking at who a person is (no record is opened), and return it. Inside a transaction."""
    ask = Ask(
        kind=QueryKind.DUTY, ground=GROUND, purpose=f"办理{case.get_kind_display()}", fields_class="姓名，证件号码脱敏",
        items=[], case_no=case.number, person=person,
    )  # fmt: skip
    write_answer(write_query(ask, by=by), record_ids=[], items=[])
    return Who(person.name, person.masked_id(Profile.DEPARTMENT), list(person.names.all()), person.deceased_on)
