"""Agents and near relatives at the counter (Q3): papers taken, looked at by another official, the answer handed over."""

from dataclasses import dataclass
from typing import BinaryIO

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone

from access import authorities
from access.actions import Ask, Asker, write_answer, write_query
from access.authorities import NO_DUTY, Entry
from access.consent_rules import choices_of
from access.models import Authority, Kind, Query, Refusal
from accounts import people
from accounts.actions import check_identity
from accounts.models import Person, User
from creditfujian.lib import identity
from creditfujian.lib.text import normalise_name
from records import extracts, report_pdf, scans
from records.ground_models import GroundPaper
from records.intake import store
from records.reading import Refused, file_by_authority

NAME_DIFFERS = "当事人姓名与证件号码不符，没有录入；本次尝试已记入查询日志。请核对材料。"


@dataclass(frozen=True)
class Papers:
    """What somebody brings to the counter for another: what stands on it, and its scan in one file."""

    entry: Entry
    scan: BinaryIO
    name: str


def enter(papers: Papers, *, by: Asker) -> Authority | None:
    """Enter papers; they wait for another official. None when the name is not the number's, which is written down.

    Raises PermissionDenied, ValidationError.
    """
    user = _holder(by, authorities.ENTER)
    assert user.organisation is not None
    agent, kind = authorities.check_entry(papers.entry), scans.type_of(papers.scan)
    try:
        number = check_identity(papers.entry.id_number)
    except ValidationError as error:
        raise ValidationError({"id_number": error.messages}) from error
    if papers.entry.basis == Authority.Basis.ATTORNEY and not identity.is_adult(number, timezone.localdate()):
        raise ValidationError({"id_number": ["未满 18 周岁的人不能委托代理人查询。"]})
    with transaction.atomic():
        person = _person(number, papers.entry, by)
        if person is None:
            return None
        if Person.objects.holder_of(agent.id_number()) == person:
            raise ValidationError({"agent_number": ["代理人不能是当事人本人；本人请直接申请出具报告。"]})
        authorities.check_stands(papers.entry.basis, person)
        authority = authorities.enter(papers.entry, person, agent, by=user, organisation=user.organisation)
        file = store.keep(papers.scan, name=papers.name)
        GroundPaper.objects.create(authority=authority, file=file, type=kind)
        return authority


def _person(number: str, entry: Entry, by: Asker) -> Person | None:
    """Return whose file it is, entering the living whom the register does not know; a wrong name is written down."""
    person, name = Person.objects.holder_of(number), normalise_name(entry.name)
    if person is None:
        person = Person.seal(number, name)
        if entry.basis == Authority.Basis.ATTORNEY:
            person.save()
        return person
    if person.bears(name):
        return person
    write_query(
        Ask(kind=Kind.AGENT, ground="窗口录入代理人、近亲属查询材料", purpose="姓名与证件号码不符，未录入", fields_class="无",
            refusal=Refusal.NAME_DIFFERS.value, person=person),
        by=by,
    )  # fmt: skip
    return None


@transaction.atomic
def scan_of(paper: GroundPaper, *, by: Asker) -> bytes:
    """Open the papers for comparing, with a line in the query log that opens no record. Raises PermissionDenied."""
    user, authority = by.user, paper.authority
    if user is None or authority is None or not Authority.objects.visible_to(user).filter(pk=authority.pk).exists():
        raise PermissionDenied(NO_DUTY)
    person = people.opened(authority)
    assert person is not None
    seq = write_query(
        Ask(kind=Kind.DUTY, ground="复核代理人、近亲属查询材料", purpose="查看委托书或者亲属、死亡证明的扫描件",
            fields_class="扫描件，不含记录", items=[], case_no=authority.number, person=person.survivor()),
        by=by,
    )  # fmt: skip
    write_answer(seq, record_ids=[], items=[])
    with store.open_sealed(paper.file) as stream:
        return stream.read()


def check_opened(authority: Authority, user: User) -> None:
    """Refuse who decides without having opened the papers; the database holds it too. Raises ValidationError."""
    if not Query.objects.filter(actor_id=user.pk, kind=Kind.DUTY, case_no=authority.number).exists():
        raise ValidationError("请先打开材料核对，再办理复核。", code="scan")


def approve(pk: int, *, by: User) -> Authority:
    """Approve, as another official who has opened the papers. Raises PermissionDenied, ValidationError."""
    check_opened(_may_decide(pk, by), by)
    return authorities.approve(pk, by=by)


def refuse(pk: int, *, by: User, reason: str) -> Authority:
    """Turn down, as another official who has opened the papers. Raises PermissionDenied, ValidationError."""
    check_opened(_may_decide(pk, by), by)
    return authorities.refuse(pk, by=by, reason=reason)


def _may_decide(pk: int, by: User) -> Authority:
    authority = Authority.objects.visible_to(by).get(pk=pk)
    if reason := authorities.why_not_decide(authority, by):
        raise PermissionDenied(reason)
    return authority


def hand_over(pk: int, *, by: Asker) -> bytes | Refused:
    """Read what the authority covers and return it set for the printer (Q3); nothing of it is kept.

    Raises PermissionDenied, NoFonts.
    """
    user = _holder(by, authorities.ENTER)
    if not Authority.objects.visible_to(user).filter(pk=pk).exists():
        raise PermissionDenied(NO_DUTY)
    report_pdf.characters()
    with transaction.atomic():
        file = file_by_authority(pk, by=by)
        if isinstance(file, Refused):
            return file
        authority = Authority.objects.select_related("organisation").get(pk=pk)
        how = f"代理人持授权委托书领取（委托编号 {authority.number}）"
        if not authority.is_for_the_living:
            how = f"近亲属领取（办理编号 {authority.number}）"
        names = [choice.name for choice in choices_of(authority.items)]
        return extracts.set_extract(
            file, number=authority.number, how=how, until=authority.valid_until, item_names=names, by=user
        )


def _holder(by: Asker, permission: str) -> User:
    if by.user is None or by.user.organisation is None or not by.user.has_perm(permission):
        raise PermissionDenied(NO_DUTY)
    return by.user
