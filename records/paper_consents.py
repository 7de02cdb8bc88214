"""Consent on paper: entered by a clerk with the scan, compared with it by another before it opens anything."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import BinaryIO

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone

from access import consents
from access.actions import Ask, Asker, write_answer, write_query
from access.consent_rules import CHECK_DAYS, registration_of
from access.models import Consent, Institution, Kind, Query, Refusal
from accounts import people
from accounts.actions import check_identity
from accounts.models import Person, User
from catalogue import deadline_actions as clocks
from catalogue.models import Deadline
from creditfujian.lib import identity
from creditfujian.lib.text import normalise_name
from records import scans
from records.consent_models import ConsentPaper
from records.intake import store

NO_DUTY = "您没有窗口办理授权的职责。"
State = Consent.State


@dataclass(frozen=True)
class Signed:
    """What stands on the paper: to whom, for what, since when; and the scan."""

    institution: Institution
    wanted: consents.Wanted
    signed_on: date
    scan: BinaryIO
    name: str


def enter(signed: Signed, *, by: Asker) -> Consent | None:
    """Enter a signed paper; it waits for another officer. None when the name is not the number's, which is written down.

    Raises PermissionDenied, ValidationError.
    """
    user = _holder(by, "access.enter_consent")
    if registration_of(signed.institution.organisation, signed.wanted.purpose) is None:
        raise ValidationError({"institution": Refusal.LICENCE.label + "。"})
    if signed.wanted.form is Consent.Form.YEARS:
        raise ValidationError({"form": "这种证明只能网上授权：本人答复之前要能先看到回答。"})
    consents.check_wanted(signed.wanted)
    _check_day(signed)
    kind = scans.type_of(signed.scan)
    try:
        number = check_identity(signed.wanted.id_number)
    except ValidationError as error:
        raise ValidationError({"id_number": error.messages}) from error
    if not identity.is_adult(number, timezone.localdate()):
        raise ValidationError({"id_number": "未满 18 周岁的人不能授权。"})
    with transaction.atomic():
        person = _signer(number, signed, by)
        if person is None:
            return None
        consent = consents.enter(
            signed.wanted, number=number, person=person, institution=signed.institution, by=user,
            channel=Consent.Channel.PAPER,
        )  # fmt: skip
        file = store.keep(signed.scan, name=signed.name)
        ConsentPaper.objects.create(consent=consent, file=file, type=kind, signed_on=signed.signed_on)
        clocks.start(CHECK_DAYS, on=timezone.localdate(), subject=consent, label=consent.number)
        return consent


def _check_day(signed: Signed) -> None:
    today = timezone.localdate()
    if signed.signed_on > today:
        raise ValidationError({"signed_on": "签署日期不能晚于今天。"})
    if signed.signed_on + timedelta(days=signed.wanted.days) < today:
        raise ValidationError({"signed_on": "按签署日期和有效天数，这份授权已经到期。"})


def _signer(number: str, signed: Signed, by: Asker) -> Person | None:
    """Return who signed, entering them if the register does not know them; a wrong name is written down."""
    person, name = Person.objects.holder_of(number), normalise_name(signed.wanted.name)
    if person is None:
        person = Person.seal(number, name)
        person.save()
    if person.deceased_on is not None:
        raise ValidationError({"id_number": "系统登记此人已经死亡，不能授权。如登记有误，请联系省信用办撤销。"})
    if person.bears(name):
        return person
    write_query(
        Ask(kind=Kind.COUNTER, ground="窗口录入纸质授权书", purpose="姓名与证件号码不符，未录入", fields_class="无",
            refusal=Refusal.NAME_DIFFERS.value, person=person),
        by=by,
    )  # fmt: skip
    return None


@transaction.atomic
def scan_of(paper: ConsentPaper, *, by: Asker) -> bytes:
    """Open the scan for comparing, with a line in the query log that opens no record. Raises PermissionDenied."""
    user = _holder(by, "access.check_consent")
    if not ConsentPaper.objects.visible_to(user).filter(pk=paper.pk).exists():
        raise PermissionDenied(NO_DUTY)
    seq = write_query(
        Ask(kind=Kind.DUTY, ground="复核纸质授权书", purpose="查看纸质授权书扫描件", fields_class="扫描件，不含记录",
            items=[], case_no=paper.consent.number, person=people.opened(paper.consent), consent=paper.consent),
        by=by,
    )  # fmt: skip
    write_answer(seq, record_ids=[], items=[])
    with store.open_sealed(paper.file) as stream:
        return stream.read()


def why_not_check(consent: Consent, user: User) -> str:
    """Return why this officer may not decide on a paper, or nothing."""
    if not user.has_perm("access.check_consent"):
        return NO_DUTY
    if consent.state != State.ENTERED:
        return f"这份授权书{consent.standing}，不需要复核。"
    return "须由另一名工作人员复核，录入人不能自己复核。" if consent.asked_by_id == user.pk else ""


def approve(pk: int, *, by: User) -> Consent:
    """Let the paper be good: the scan says what was entered. Raises PermissionDenied, ValidationError."""
    with transaction.atomic():
        consent = _to_check(pk, by)
        paper = consent.paper
        days = (paper.signed_on + timedelta(days=consent.asked_days) - timezone.localdate()).days
        if days < 1:
            raise ValidationError("按签署日期，这份授权已经到期。请退回。", code="over")
        scope = consents.Scope(Consent.Form(consent.asked_form), consent.asked_items, days, consent.asked_uses)
        consents.check_scope(consent, scope)
        consent.decided_by = by
        signed = f"本人于 {paper.signed_on:%Y年%-m月%-d日} 签署纸质授权书，扫描件 SHA-256 {paper.file.sha256}。"
        consents.seal(consent, scope, on_paper=signed)
        consent.save()
        said = f"授权编号 {consent.number}，{consent.valid_to:%Y年%-m月%-d日} 到期。随时可以撤回。"
        consents.tell(consent, f"您给{consent.organisation}的纸质授权已生效", said)
        _done(consent)
        return consent


def send_back(pk: int, *, by: User, reason: str) -> Consent:
    """Send the paper back with a reason; it never opened anything. Raises PermissionDenied, ValidationError."""
    if not reason.strip():
        raise ValidationError("请写明退回理由。", code="reason")
    with transaction.atomic():
        consent = _to_check(pk, by)
        consent.state, consent.decided_by, consent.note = State.RETURNED, by, reason.strip()[:200]
        consent.save()
        consents.tell(
            consent,
            f"给{consent.organisation}的纸质授权没有生效",
            f"授权编号 {consent.number}，退回理由：{consent.note}",
        )
        _done(consent)
        return consent


def _to_check(pk: int, by: User) -> Consent:
    found = Consent.objects.select_for_update(of=("self",), no_key=True).filter(
        paper__in=ConsentPaper.objects.visible_to(by)
    )
    consent = found.select_related("organisation", "institution", "purpose").get(pk=pk)
    people.open_persons(consent.person_id)
    if reason := why_not_check(consent, by):
        raise PermissionDenied(reason)
    if not Query.objects.filter(actor_id=by.pk, kind=Kind.DUTY, consent_no=consent.number).exists():
        raise ValidationError("请先打开扫描件核对，再办理复核。", code="scan")  # the database holds it too
    return consent


def _done(consent: Consent) -> None:
    for clock in Deadline.objects.of(consent).filter(met_on=None):
        clocks.meet(clock.pk, on=timezone.localdate())


def _holder(by: Asker, permission: str) -> User:
    if by.user is None or by.user.organisation is None or not by.user.has_perm(permission):
        raise PermissionDenied(NO_DUTY)
    return by.user
