"""What the officials of a case see of a person: names and masked number, under the case's number in the query log."""

from dataclasses import dataclass
from datetime import date

from django.db import connection, transaction
from django.db.models import Count, Q
from django.utils import timezone

from access.actions import Ask, Asker, write_answer, write_query
from access.models import Kind as QueryKind
from accounts import people
from accounts.models import Person, PersonName
from creditfujian.lib.masking import Profile
from records.models import Record
from records.person_models import CaseNewcomer, CasePaper, CaseRecord, PersonCase

GROUND = "核对自然人身份，保证信息质量（个人信息保护法第八条）"


@dataclass(frozen=True)
class Who:
    """A person as the officials of a case see them."""

    name: str
    number: str
    former: list[PersonName]
    deceased_on: date | None
    is_new: bool = False  # not in the register yet


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
    who = look_at(case, _subject(case), by=by)
    paper = CasePaper.objects.get(case=case)
    earlier = PersonCase.objects.filter(person=case.person_id, kind=case.kind, pk__lt=case.pk).order_by("-pk")[:10]
    return Names(who, paper.delivered, paper.new_name, list(earlier))


@dataclass(frozen=True)
class Subjects:
    """Whom a case is about, and what the officials have to weigh with it."""

    who: Who
    other: Who | None
    dated_after: int
    clashes: list["Clash"]


@dataclass(frozen=True)
class Clash:
    """Two records of one document, one with each person: which the supplier has to deal with first."""

    mine: str
    my_state: str
    theirs: str
    their_state: str


@transaction.atomic
def subjects_of(case: PersonCase, *, by: Asker) -> Subjects:
    """Return whom a case is about, each with a line that the person sees."""
    who = look_at(case, _subject(case), by=by)
    other = look_at(case, _subject(case, "other"), by=by) if case.other_id else _newcomer_of(case)
    with connection.cursor() as cursor:
        cursor.execute("SELECT records_dated_after(%s)", [case.pk])
        dated_after = cursor.fetchone()[0]
        cursor.execute("SELECT * FROM records_case_clashes(%s)", [case.pk])
        clashes = [
            Clash(mine, Record.State(my_state).label, theirs, Record.State(their_state).label)
            for mine, my_state, theirs, their_state in (cursor.fetchall() if case.is_standing else [])
        ]
        return Subjects(who, other, dated_after, clashes)


def _newcomer_of(case: PersonCase) -> Who | None:
    """Return whom the case would enter: of them the register holds nothing yet, so there is no line to write."""
    found = CaseNewcomer.objects.filter(case=case).first()
    if found is None:
        return None
    return Who(found.name, found.as_person().masked_id(Profile.DEPARTMENT), [], None, is_new=True)


@dataclass(frozen=True)
class Notice:
    """What was changed about who the person is, in words for them."""

    day: date
    number: str
    words: str


def notices_for(person: Person) -> list[Notice]:
    """Return what cases changed about the person, the latest first; of another person only that there is one."""
    mine = person.family()
    about_me = Q(person__in=mine) | Q(other__in=mine)
    cases = PersonCase.objects.filter(about_me, state=PersonCase.State.DONE).exclude(answer=PersonCase.Answer.SUPPLIER)
    found = list(cases.order_by("-done_at")[:20])
    moved = CaseRecord.objects.filter(case__in=found).values_list("case").annotate(Count("pk"))
    records = dict(moved) if found else {}
    return [
        Notice(timezone.localdate(case.done_at), case.number, _words(case, mine, records.get(case.pk, 0)))
        for case in found
    ]


def _words(case: PersonCase, mine: list[int], records: int) -> str:
    kind, gives = PersonCase.Kind(case.kind), case.person_id in mine
    if kind == PersonCase.Kind.NAME:
        renamed = case.answer == PersonCase.Answer.RENAMED
        return "登记的姓名已按您的改名更新，原姓名留作曾用名。" if renamed else "登记的姓名有误，已照证件更正。"
    if kind == PersonCase.Kind.MOVE:
        told = "误记在您名下的 {} 条记录已移出。" if gives else "误记在他人名下、属于您的 {} 条记录已移到您名下。"
        return told.format(records)
    return {
        PersonCase.Kind.MERGE: "您的两个证件号码已登记为同一人，记录、查询记录和账户归到一处。",
        PersonCase.Kind.SPLIT: "此前两个证件号码的合并有误，已经撤销，记录回到各自名下。",
        PersonCase.Kind.DEATH: "曾登记死亡。",
        PersonCase.Kind.ALIVE: "死亡登记有误，已经撤销，一切恢复原状。",
    }[kind]


def _subject(case: PersonCase, name: str = "person") -> Person:
    """Return whom a case is about, opened for the line that `look_at` writes."""
    person = people.opened(case, name)
    assert person is not None
    return person


def look_at(case: PersonCase, person: Person, *, by: Asker) -> Who:
    """Write the line of looking at who a person is (no record is opened), and return it. Inside a transaction."""
    ask = Ask(
        kind=QueryKind.DUTY, ground=GROUND, purpose=f"办理{case.get_kind_display()}", fields_class="姓名，证件号码脱敏",
        items=[], case_no=case.number, person=person,
    )  # fmt: skip
    write_answer(write_query(ask, by=by), record_ids=[], items=[])
    return Who(person.name, person.masked_id(Profile.DEPARTMENT), list(person.names.all()), person.deceased_on)
