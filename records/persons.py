"""The deeds on who somebody is: one official looks into it and proposes, another decides, the database carries out.

Persons are matched by identity number only. A name that differs is a conflict for officials, never a merge.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, transaction
from django.utils import timezone

from access.actions import Asker
from accounts import people
from accounts.actions import check_identity
from accounts.models import Person, User
from catalogue import deadline_actions as clocks
from catalogue.models import Deadline
from creditfujian.lib.text import normalise_name
from records import holds
from records.hold_models import StatementHold
from records.models import Batch
from records.person_models import CaseNewcomer, CaseSource, PersonCase
from records.person_reading import look_at
from records.refusals import InWords

Answer, Kind, State = PersonCase.Answer, PersonCase.Kind, PersonCase.State
CLOCK = "D40"  # a name that differs is looked into by hand (domain §4.2 L6)

REFUSALS = {
    "personcase_decided_by_another": "核对人不能审核自己提出的事项，须由另一名工作人员办理。",
    "personcase_by_the_credit_office": "只有省信用办有相应职责的工作人员可以核对、审核。",
    "personcase_opened_before_it_is_decided": "请先点“查看双方姓名”或“查看当事人”核对（记入查询日志），再办理。",
    "personcase_moves_along_its_arrows": "核对单的状态已经变化，请刷新页面后再办理。",
    "personcase_is_over": "核对单已经办结，不能再改。",
    "personcase_rests_on_a_document": "须写明证明文件的种类、编号和日期。",
    "personcase_fits_the_register": "登记的姓名已由另一张核对单更改，或者与核定的姓名相同。请退回后重新核对。",
    "personcase_fits_the_person": "登记的情况已经变化（例如已登记死亡、已合并，或所撤销的登记已不在），不能这样办理。请退回后核对。",
    "personcase_asked_once_at_a_time": "此人已有一张同一事项的核对单待审核，不必重复提出。",
    "personcase_undone_once": "这张核对单已经撤销，或者撤销正待审核。",
    "personcase_death_is_past": "死亡日期晚于今天。请与证明文件核对。",
    "personcase_no_document_twice": "同一份文书在两人名下都有记录，须先由信源单位处理其中一条（见“重复的文书”），再办理。",
    "personcase_of_the_sound": "其中一个号码在封存核验中发现问题，不能合并。请先查明。",
    "personcase_newcomer_is_new": "应归的人在提出之后已由别处登记。请退回，按登记的人员重新提出。",
    "personcase_fits_its_records": "有记录已不在此人名下。请退回后核对。",
    "record_not_after_death": "系统登记应归的人在文书作出前已经死亡。请核对是否认错了人。",
    "record_stands_with_the_survivor": "应归的人已并入另一人。请退回后按保留的号码办理。",
    "casesource_said_in_time": "核对单已进入审核或已办结，不能再作说明。",
    "casesource_said_by_its_supplier": "只有报送该批次的单位可以说明。",
    "casesource_is_kept": "本单位已作过说明。",
}


# --- names that differ ---------------------------------------------------------------------------------


def open_name_cases(batch: Batch) -> int:
    """Open a case for each known person whom the batch at work names otherwise (R02); return how many are new.

    A person and a delivered name have one standing case, whatever batches meet it.
    """
    if "R02" not in batch.reasons:
        return 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT records_open_name_cases(%s)", [batch.pk])
        fresh = [pk for (pk,) in cursor.fetchall()]
    cases = PersonCase.objects.filter(pk__in=fresh)
    clocks.start_all(CLOCK, on=timezone.localdate(), subjects=[(case, case.number) for case in cases])
    return len(fresh)


def attest(source_id: int, *, by: User, says: CaseSource.Says) -> CaseSource:
    """Say for the supplier what its document shows, once. Raises PermissionDenied, ValidationError."""
    if not by.has_perm("records.attest_name"):
        raise PermissionDenied("只有报送单位的数据员可以说明。")
    with transaction.atomic(), InWords(REFUSALS):
        source = CaseSource.objects.select_for_update(of=("self",)).get(pk=source_id)
        source.says, source.said_by, source.said_at = says, by, timezone.now()
        source.save(update_fields=["says", "said_by", "said_at"])
    return source


def answer_name(
    case_id: int,
    *,
    by: User,
    answer: PersonCase.Answer,
    reason: str,
    new_name: str = "",
    document: str = "",
    document_no: str = "",
    document_date: date | None = None,
) -> PersonCase:
    """Propose what a name that differs comes from; nothing changes before another official decides.

    A change of the register names the name on the document and the document. Raises PermissionDenied, ValidationError.
    """
    if not by.has_perm("records.ask_personcase"):
        raise PermissionDenied("只有省信用办可以核对姓名不一致。")
    name = "" if answer == Answer.SUPPLIER else normalise_name(new_name)
    _check_words(reason, document_date)
    if answer != Answer.SUPPLIER and not (name and document and document_no.strip() and document_date):
        raise ValidationError("更改登记的姓名，须填写证件上的姓名，以及证明文件的种类、编号和日期。", code="document")
    if answer == Answer.SUPPLIER:
        document, document_no, document_date = "", "", None
    with transaction.atomic(), InWords(REFUSALS), connection.cursor() as cursor:
        cursor.execute(
            "SELECT records_propose_name(%s, %s, %s, %s, %s, %s, %s, %s)",
            [
                case_id,
                by.pk,
                Answer(answer).value,
                name,
                reason.strip()[:300],
                document,
                document_no.strip()[:100],
                document_date,
            ],
        )
    return PersonCase.objects.get(pk=case_id)


# --- deaths --------------------------------------------------------------------------------------------


def ask_death(
    *, id_number: str, name: str, day: date, document: str, document_no: str, document_date: date, reason: str, by: Asker
) -> PersonCase:  # fmt: skip
    """Ask for a death to be registered, on the document that proves it; the look at whose it is writes its line.

    Raises PermissionDenied, ValidationError.
    """
    user = _official(by)
    if day > timezone.localdate():
        raise ValidationError({"day": "死亡日期晚于今天。请与证明文件核对。"})
    if day > document_date:
        raise ValidationError({"document_date": "证明文件的日期早于死亡日期。请核对。"})
    return _ask(
        PersonCase(
            kind=Kind.DEATH, person=_found(id_number, name), day=day, document=document, document_no=document_no.strip()[:100],
            document_date=document_date, reason=reason,
        ),
        by=by, user=user,
    )  # fmt: skip


def ask_undoing(
    case_id: int, *, document: str, document_no: str, document_date: date, reason: str, by: Asker
) -> PersonCase:
    """Ask for a registered death or a merge to be undone, on the document that shows it was wrong.

    Raises PermissionDenied, ValidationError.
    """
    user = _official(by)
    done = PersonCase.objects.get(pk=case_id)
    if done.kind not in PersonCase.UNDO or done.state != State.DONE:
        raise ValidationError("只有已办结的死亡登记和合并可以撤销。", code="kind")
    return _ask(
        PersonCase(
            kind=PersonCase.UNDO[Kind(done.kind)], person=people.opened(done), other=people.opened(done, "other"),
            undoes=done, document=document, document_no=document_no.strip()[:100], document_date=document_date, reason=reason,
        ),
        by=by, user=user,
    )  # fmt: skip


# --- two numbers, one human; one number, records of two -----------------------------------------------


def ask_merge(
    *, id_number: str, name: str, other_number: str, other_name: str, document: str, document_no: str, document_date: date,
    reason: str, by: Asker,
) -> PersonCase:  # fmt: skip
    """Ask for two numbers to be registered as one human; `other_number` is the one that stays.

    Never by name: a document has to show that both numbers are the same person's. Raises PermissionDenied, ValidationError.
    """
    user = _official(by)
    person, other = _found(id_number, name), _found(other_number, other_name)
    if person == other:
        raise ValidationError("两个号码已经是同一人，不必合并。", code="same")
    with transaction.atomic():
        case = _ask(
            PersonCase(
                kind=Kind.MERGE, person=person, other=other, document=document, document_no=document_no.strip()[:100],
                document_date=document_date, reason=reason,
            ),
            by=by, user=user,
        )  # fmt: skip
        _check_of_age(case)
    return case


def ask_move(
    *, numbers: Sequence[str], id_number: str, name: str, other_number: str, other_name: str, document: str, document_no: str,
    document_date: date, reason: str, by: Asker,
) -> PersonCase:  # fmt: skip
    """Ask for named records, delivered under the wrong number, to go to the person they are about.

    A person whose number nobody has yet is entered when the case is carried out, by two hands, and not before.
    Raises PermissionDenied, ValidationError.
    """
    user = _official(by)
    wanted = list(dict.fromkeys(numbers))
    with transaction.atomic():
        person, other = _found(id_number, name), _found_or_new(other_number, other_name)
        if person == other:
            raise ValidationError("记录已经在此人名下，不必移转。", code="same")
        is_new = other.pk is None
        case = _ask(
            PersonCase(
                kind=Kind.MOVE, person=person, other=None if is_new else other, document=document, document_no=document_no.strip()[:100],
                document_date=document_date, reason=reason,
            ),
            by=by, user=user,
        )  # fmt: skip
        if is_new:
            CaseNewcomer.objects.create(
                case=case, name=other.name, id_cipher=other.id_cipher, id_index=other.id_index
            )  # fmt: skip
        with InWords(REFUSALS), connection.cursor() as cursor:
            cursor.execute("SELECT records_name_in_case(%s, %s)", [case.pk, wanted])
            if not wanted or cursor.fetchone()[0] != len(wanted):
                raise ValidationError({"numbers": "有记录编号不在此人名下，或记录已到期。请对照记录页面核对。"})
        _check_of_age(case)
    return case


def _check_of_age(case: PersonCase) -> None:
    whose = people.opened(case, "other") or case.newcomer.as_person()
    with connection.cursor() as cursor:
        cursor.execute("SELECT records_case_acted_on(%s)", [case.pk])
        acted_on = cursor.fetchone()[0]
    if acted_on is not None and not whose.is_adult(acted_on):
        raise ValidationError("应归的人在行为发生时未满 18 周岁，其记录不得归集。请由信源单位撤回。", code="minor")


def _found_or_new(id_number: str, name: str) -> Person:
    """Return who has the number, or, not saved, the person who would be entered with it."""
    number = check_identity(id_number)
    if Person.objects.holder_of(number) is None:
        return Person.seal(number, normalise_name(name))
    return _found(number, name)


def _official(by: Asker) -> User:
    if by.user is None or not by.user.has_perm("records.ask_personcase"):
        raise PermissionDenied("只有省信用办可以办理人员身份事项。")
    return by.user


def _found(id_number: str, name: str) -> Person:
    person = Person.objects.holder_of(check_identity(id_number))
    if person is None or not person.bears(normalise_name(name)):
        raise ValidationError("没有与该姓名和证件号码都一致的人员。请与证件核对。", code="nobody")
    return person


def _ask(case: PersonCase, *, by: Asker, user: User) -> PersonCase:
    """Hand a case in and write the lines of looking at whom it is about, in the same transaction."""
    _check_words(case.reason, case.document_date)
    case.state, case.asked_by, case.asked_at, case.reason = State.ASKED, user, timezone.now(), case.reason.strip()[:300]
    with transaction.atomic(), InWords(REFUSALS):
        case.save()
        case.refresh_from_db()
        for person in filter(None, (people.opened(case), people.opened(case, "other"))):
            look_at(case, person, by=by)
    return case


# --- deciding ------------------------------------------------------------------------------------------


def decide(case_id: int, *, by: User, agree: bool, note: str = "") -> PersonCase:
    """Agree, and have it done in the same transaction, or send it back with a reason.

    A conflict that is sent back is open again. Raises PermissionDenied, ValidationError.
    """
    with transaction.atomic(), InWords(REFUSALS):
        case = PersonCase.objects.select_for_update(of=("self",)).get(pk=case_id)
        if reason := why_not_decide(case, by):
            raise PermissionDenied(reason)
        if not agree and not note.strip():
            raise ValidationError("请写明不同意的理由，核对人会看到。", code="note")
        case.decided_by, case.decided_at, case.decision_note = by, timezone.now(), note.strip()[:300]
        back = State.OPEN if case.kind == Kind.NAME else State.REFUSED
        _move(case, State.DECIDED if agree else back, "decided_by", "decided_at", "decision_note")
        if agree:
            _carry_out(case)
    return case


def why_not_decide(case: PersonCase, user: User) -> str:
    """Return why this user may not decide the case, or an empty string."""
    if not user.has_perm("records.decide_personcase"):
        return "只有省信用办可以审核。"
    if case.state != State.ASKED:
        return f"核对单当前状态为“{case.get_state_display()}”，不能审核。"
    if case.asked_by_id == user.pk:
        return REFUSALS["personcase_decided_by_another"]
    if not has_looked(case, user):
        return REFUSALS["personcase_opened_before_it_is_decided"]
    return ""


def has_looked(case: PersonCase, user: User) -> bool:
    """Tell whether the user has opened whom the case is about since its last step: the query log says so."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT records_case_was_opened(%s, %s)", [case.pk, user.pk])
        return bool(cursor.fetchone()[0])


def take_back(case_id: int, *, by: User) -> PersonCase:
    """Take back what one proposed and nobody has decided. Raises PermissionDenied, ValidationError."""
    with transaction.atomic(), InWords(REFUSALS):
        case = PersonCase.objects.select_for_update(of=("self",)).get(pk=case_id)
        if case.asked_by_id != by.pk:
            raise PermissionDenied("只有提出的人可以撤回。")
        if case.state != State.ASKED:
            raise ValidationError(f"核对单当前状态为“{case.get_state_display()}”，不能撤回。", code="state")
        _move(case, State.OPEN if case.kind == Kind.NAME else State.DROPPED)
    return case


def _check_words(reason: str, document_date: date | None) -> None:
    if not reason.strip():
        raise ValidationError({"reason": "请写明核对的情况。"})
    if document_date and document_date > timezone.localdate():
        raise ValidationError({"document_date": "文件日期晚于今天。请核对。"})


def _carry_out(case: PersonCase) -> None:
    if case.kind in (Kind.MERGE, Kind.MOVE):  # more may have come in since it was asked for; nothing more does now
        people.open_persons(case.person_id, case.other_id)
        list(Person.objects.select_for_update().filter(pk__in=[case.person_id, case.other_id]).order_by("pk"))
        if case.other_id is None and Person.objects.holder_of(case.newcomer.as_person().id_number()) is not None:
            raise ValidationError(REFUSALS["personcase_newcomer_is_new"], code="newcomer")
        _check_of_age(case)
    with connection.cursor() as cursor:
        cursor.execute("SELECT records_carry_out_case(%s)", [case.pk])
    case.refresh_from_db()
    reviewed = StatementHold.objects.filter(record__in=case.about.values("record"))
    holds.words_ended(list(reviewed.values_list("statement", flat=True)))
    for clock in Deadline.objects.of(case).filter(met_on__isnull=True):
        clocks.meet(clock.pk, on=max(timezone.localdate(), clock.started_on))


def _move(case: PersonCase, state: str, *fields: Any) -> None:
    case.state = state
    case.save(update_fields=["state", *fields])
