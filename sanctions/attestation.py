"""The deeds of attestation: looked at, issued to the person, answered to an institution under consent, checked, stopped.

Each that shows something writes its query line first. The rule that says which records count is one function of the
database (`sanctions_in_the_way`), and the answer is found there, whatever is asked here.
"""

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from urllib.parse import urlencode

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from access.actions import Ask, Asker, write_answer, write_query
from access.consent_rules import Choice, choices_of, items_over_years
from access.models import Consent, ConsentUse, Kind, Message, Refusal
from access.reading import looks_by_case
from accounts import people
from accounts.models import Person
from catalogue.deadlines import due
from catalogue.refusals import rule_of
from creditfujian.lib import masking
from creditfujian.lib.masking import Profile
from creditfujian.lib.workdays import add_months
from records import report_pdf
from records.models import record_key
from records.reading import (
    PUBLIC_FLOOR_SECONDS,
    ByConsent,
    Refused,
    View,
    check_may_act,
    logged_views,
    use_consent,
)
from records.reports import TooMany, code_hashes, new_code
from records.visibility import sight_of
from sanctions.attestation_models import (
    Attestation,
    AttestationAnswer,
    AttestationEnd,
    AttestationRule,
    attestation_number,
)
from sanctions.attestation_rules import check_years, rule_in_force
from sanctions.attestation_sheet import SHEET, Cover, says, sheet

Way = Attestation.Way
LETTERS = "ZM"  # how the number of an attestation begins
LASTS = "D95"  # the deadline that ends an attestation
SHOWN = 100  # the latest of one's own
GROUND = "本人查询（个人信息保护法第四十五条）"
LOOKED, ISSUED, LISTED = "本人查看能否出具无失信记录证明", "本人办理无失信记录证明", "本人查看已出具的证明"
_FILE = b"attestation:"


# --- looked at by the person -------------------------------------------------------------------------


@dataclass(frozen=True)
class InTheWay:
    """A record that keeps the attestation from being given, as its person sees it, and the day on which it no longer does."""

    view: View
    clear_on: date


@dataclass(frozen=True)
class Preview:
    """What would be answered today, told to the person alone. `items` is None when all adverse items are meant."""

    rule: AttestationRule
    years: int
    since: date
    as_of: date
    items: list[Choice] | None
    in_the_way: list[InTheWay]

    @property
    def holds(self) -> bool:
        return not self.in_the_way

    @property
    def possible_on(self) -> date | None:
        """Return the first day on which nothing of this stands in the way, if nothing else comes; None today."""
        return max((one.clear_on for one in self.in_the_way), default=None)


def preview(person: Person, years: int, *, by: Asker, consent: Consent | None = None) -> Preview:
    """Show the person what would be answered, to themselves or under a consent, and what stands in the way (Q1).

    Raises PermissionDenied, ValidationError.
    """
    rule = _checked(person, years, by=by)
    over = items_over_years(consent) if consent else None
    with transaction.atomic():
        seq = write_query(_own(person, LOOKED, case_no=consent.number if consent else ""), by=by)
        return _look(person, rule, years, over, seq)


def _checked(person: Person, years: int, *, by: Asker) -> AttestationRule:
    """Return the rule for who may ask and for how many years. Raises PermissionDenied, ValidationError."""
    if by.user is None or by.user.person_id != person.pk:
        raise PermissionDenied("只能办理本人的证明。")
    check_may_act(person, by=by, purpose=LOOKED)
    if not person.is_adult(timezone.localdate()):
        raise ValidationError(
            "未满 18 周岁的人不办理：本站没有未成年人的信用记录，任何单位不得要求提供。", code="minor"
        )
    rule = rule_in_force()
    check_years(years, rule)
    return rule


def _own(person: Person, purpose: str, *, case_no: str = "", opens: bool = True) -> Ask:
    return Ask(
        kind=Kind.SELF, ground=GROUND, purpose=purpose, case_no=case_no, person=person,
        fields_class="本人可见" if opens else "证明，不含记录", items=None if opens else [],
    )  # fmt: skip


def _look(person: Person, rule: AttestationRule, years: int, over: list[int] | None, seq: int) -> Preview:
    """Read what stands in the way, under the line of this transaction."""
    as_of = timezone.localdate()
    since = add_months(as_of, -12 * years)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT record_id, clear_on FROM sanctions_in_the_way(%s, %s, %s, %s)", [person.pk, rule.pk, since, over]
        )
        clear = dict(cursor.fetchall())
    views = [view for _, view in logged_views(list(clear), Kind.SELF)]
    write_answer(seq, record_ids=sorted(clear), items=sorted({view.item_code for view in views}))
    found = [InTheWay(view, clear[key]) for view in views if (key := record_key(view.number)) is not None]
    choices = None if over is None else choices_of(over)
    return Preview(rule, years, since, as_of, choices, sorted(found, key=lambda one: one.clear_on, reverse=True))


# --- issued to the person ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Issued:
    """An attestation and its PDF; the code is nowhere else in clear."""

    attestation: Attestation
    pdf: bytes


def issue(person: Person, years: int, *, by: Asker) -> Issued | Preview:
    """Issue an attestation to the person; or show what stands in the way, when something does (Q1).

    Raises NoFonts, PermissionDenied, TooMany, ValidationError.
    """
    rule = _checked(person, years, by=by)
    try:
        return _issue_or_show(person, rule, years, by)
    except IntegrityError as error:
        if rule_of(error) != "attestation_of_no_is_not_handed_out":
            raise
        return preview(person, years, by=by)  # a record came in between


def _issue_or_show(person: Person, rule: AttestationRule, years: int, by: Asker) -> Issued | Preview:
    with transaction.atomic():
        Person.objects.select_for_update(no_key=True).get(
            pk=person.pk
        )  # one after the other, so that the count is right
        today = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
        if (
            Attestation.objects.filter(person=person, way=Way.ONLINE, issued_at__gte=today).count()
            >= settings.REPORTS_PER_DAY
        ):
            raise TooMany
        report_pdf.characters()
        seq = write_query(_own(person, ISSUED), by=by)
        found = _look(person, rule, years, None, seq)
        return found if found.in_the_way else _issue(person, found, seq, by)


def _issue(person: Person, found: Preview, seq: int, by: Asker) -> Issued:
    code = new_code()
    attestation = _write(person, found.rule, found.years, seq, code, by, way=Way.ONLINE)
    profile, url = sight_of(Kind.SELF).profile, f"{settings.PUBLIC_URL}/verify/"
    cover = Cover(masking.name(person.name, profile), person.masked_id(profile), code, url, _qr(attestation.number))
    pdf = report_pdf.set_report(sheet(attestation, cover), SHEET)
    AttestationAnswer.objects.create(
        attestation=attestation, holds=True, sha256=hashlib.sha256(pdf).hexdigest(),
        sealed=settings.FIELD_KEYRING.seal(pdf, about=_about(attestation)),
    )  # fmt: skip
    Message.objects.tell(
        person.pk, about=attestation.number, subject="您办理了一份无失信记录证明",
        text=f"证明编号 {attestation.number}，连续 {attestation.years} 年，有效期至 {attestation.valid_until:%Y年%-m月%-d日}。"
        "交给谁由您决定，随时可以停用。不是您本人办理的，请立即修改密码。",
    )  # fmt: skip
    return Issued(attestation, pdf)


def _write(
    person: Person, rule: AttestationRule, years: int, seq: int, code: str, by: Asker, *, way: Attestation.Way,
    use: ConsentUse | None = None, items: Sequence[int] | None = None,
) -> Attestation:  # fmt: skip
    """Write down that it is issued; the database sets the dates and refuses what has no ground."""
    assert by.user is not None
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence('sanctions_attestation', 'id'))")
        pk = cursor.fetchone()[0]
    today = timezone.localdate()
    number = attestation_number(pk, f"{today:%Y%m%d}")
    attestation = Attestation(
        pk=pk, number=number, person=person, way=way, rule=rule, years=years, query_seq=seq, by=by.user,
        since=add_months(today, -12 * years), as_of=today, valid_until=due(LASTS, today).date,
        items=None if items is None else list(items), consent_use=use, code_hash=code_hashes(number, code)[0],
        organisation=by.user.organisation if use else None,
    )  # fmt: skip
    attestation.save(force_insert=True)
    attestation.refresh_from_db(fields=["since", "as_of", "valid_until", "issued_at"])
    return attestation


def _qr(number: str) -> str:
    return report_pdf.qr_code(f"{settings.PUBLIC_URL}/verify/?{urlencode({'no': number})}")


def _about(attestation: Attestation) -> bytes:
    return _FILE + attestation.number.encode()


# --- answered to an institution ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Told:
    """What an institution is told, once: that it can be attested, with number, code and QR code; or that it cannot."""

    attestation: Attestation
    holds: bool
    name: str
    id_number: str
    items: list[Choice]
    code: str = ""
    qr: str = ""

    @property
    def says(self) -> str:
        """Return the sentence that the answer is about."""
        return says(self.attestation, self.attestation.rule)


def by_consent(asked: ByConsent, *, by: Asker) -> Told | Refused | None:
    """Answer an institution over the years that a person consented to (Q4), or the refusal; None where it has no such consent.

    Its line opens no record, and the items are all that were granted: neither reasons nor numbers can be had by asking.
    """
    assert asked.form is Consent.Form.YEARS
    assert asked.items is None
    return use_consent(asked, lambda ask: _told(ask, by), by=by)


def _told(ask: Ask, by: Asker) -> Told | Refused:
    assert ask.consent is not None
    assert ask.consent.years is not None
    assert ask.person is not None
    rule = AttestationRule.objects.in_force().first()
    if rule is None or ask.consent.years not in rule.years:
        write_query(replace(ask, refusal=Refusal.OUT_OF_SCOPE.value), by=by)
        return Refused(Refusal.OUT_OF_SCOPE)
    seq, code = write_query(ask, by=by), new_code()
    use, items = ConsentUse.objects.get(query_seq=seq), [item.pk for item in ask.items or ()]
    attestation = _write(ask.person, rule, ask.consent.years, seq, code, by, way=Way.CONSENT, use=use, items=items)
    answer = AttestationAnswer.objects.create(attestation=attestation, holds=False)
    answer.refresh_from_db()  # the database has found it
    write_answer(seq, record_ids=[], items=[])
    profile = sight_of(Kind.CONSENT).profile
    told = Told(
        attestation,
        answer.holds,
        masking.name(ask.person.name, profile),
        ask.person.masked_id(profile),
        choices_of(items),
    )
    return replace(told, code=code, qr=_qr(attestation.number)) if answer.holds else told


# --- one's own, and what becomes of them -----------------------------------------------------------------


@dataclass(frozen=True)
class Standing:
    """An attestation about oneself: what it said while that is kept, how it stands, how often it was checked."""

    attestation: Attestation
    holds: bool | None
    has_file: bool
    stands: str
    verified: int
    verified_last: datetime | None

    @property
    def may_stop(self) -> bool:
        """Tell whether the person can still stop it: what they handed out themselves, in its period."""
        return self.attestation.way == Way.ONLINE and self.stands in ("same", "changed")


@transaction.atomic
def own_attestations(person: Person, *, by: Asker) -> list[Standing]:
    """Return the attestations about the person, to the person (Q1). Raises PermissionDenied."""
    if by.user is None or by.user.person_id != person.pk:
        raise PermissionDenied("只能查看本人的证明。")
    seq = write_query(_own(person, LISTED, opens=False), by=by)
    write_answer(seq, record_ids=[], items=[])
    return standings_of(person)


def standings_of(person: Person) -> list[Standing]:
    """Return the attestations about a person, of whom this transaction has written their own line."""
    mine = Attestation.objects.filter(person__in=person.family()).select_related("rule", "organisation", "answer")
    found = list(mine[:SHOWN])
    checked = looks_by_case(person, [one.number for one in found])
    return [_standing(one, *checked.get(one.number, (0, None))) for one in found]


def _standing(one: Attestation, verified: int, last: datetime | None) -> Standing:
    answer = one.answer if hasattr(one, "answer") else None
    stands, _ = _stands(one.number, [bytes(one.code_hash)])
    return Standing(one, answer.holds if answer else None, bool(answer and answer.sha256), stands, verified, last)


def _stands(number: str, hashes: list[bytes]) -> tuple[str, str]:
    """Return how an attestation stands and the digest of its file, to whoever holds its code, under a line of theirs."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT standing, file_sha256 FROM sanctions_attestation_stands(%s, %s)", [number, hashes])
        return cursor.fetchone() or ("over", "")


def _mine(number: str, person: Person) -> Attestation:
    """Return one of the person's own. Raises Attestation.DoesNotExist."""
    return Attestation.objects.get(person__in=person.family(), way=Way.ONLINE, number=number)


@transaction.atomic
def fetch_again(number: str, person: Person, *, by: Asker) -> bytes | None:
    """Return the kept PDF to its person, or None when its period is over (Q1). Raises Attestation.DoesNotExist, PermissionDenied."""
    attestation = _own_one(number, person, by)
    seq = write_query(_own(person, "本人再次下载无失信记录证明", case_no=number, opens=False), by=by)
    write_answer(seq, record_ids=[], items=[])
    answer = AttestationAnswer.objects.filter(attestation=attestation).first()
    if answer is None or answer.sealed is None or attestation.is_over:
        return None
    return settings.FIELD_KEYRING.open(bytes(answer.sealed), about=_about(attestation))


@transaction.atomic
def stop(number: str, person: Person, *, by: Asker) -> None:
    """Stop what one has handed out: whoever checks it is told no more than that (Q1).

    Raises Attestation.DoesNotExist, PermissionDenied, ValidationError.
    """
    attestation = _own_one(number, person, by)
    seq = write_query(_own(person, "本人停用无失信记录证明", case_no=number, opens=False), by=by)
    write_answer(seq, record_ids=[], items=[])
    if attestation.is_over or AttestationEnd.objects.filter(attestation=attestation).exists():
        raise ValidationError("这份证明已经停用或者已过有效期，不需要再停用。", code="state")
    AttestationEnd.objects.create(attestation=attestation, query_seq=seq)


def _own_one(number: str, person: Person, by: Asker) -> Attestation:
    if by.user is None or by.user.person_id != person.pk:
        raise PermissionDenied("只能办理本人的证明。")
    return _mine(number, person)


# --- checked by whoever was handed it ------------------------------------------------------------------------


@dataclass(frozen=True)
class Verified:
    """What a holder learns of a genuine attestation; `stands` is over, stopped, issued, changed or same."""

    number: str
    issued_at: datetime
    how: str
    name: str
    says: str
    since: date
    as_of: date
    valid_until: date
    rule: str
    rule_is_over: bool
    stands: str
    sha256: str
    same_file: bool | None
    is_attestation: bool = True


def verify(*, number: str, code: str, sha256: str = "", by: Asker) -> Verified | None:
    """Tell whether an attestation is genuine and whether it still stands (Q6); None for unknown and wrong alike.

    A right code writes a line that the person sees, and a message once a day. A wrong one writes a refused line about
    nobody, as with reports.
    """
    began = time.monotonic()
    try:
        with transaction.atomic():
            found = _held(number, code)
            person = people.opened(found) if found else None
            ask = Ask(
                kind=Kind.PUBLIC, ground="持证明编号和验证码核验（证明由本人或者经其授权的机构出示）", purpose="核验无失信记录证明真伪",
                fields_class="出具时间、脱敏姓名和有没有变化，不含内容", items=[], case_no=found.number if found else "",
                refusal="" if found else Refusal.NO_GROUND.value, person=person,
            )  # fmt: skip
            seq = write_query(ask, by=by)
            if found is None or person is None:
                return None
            write_answer(seq, record_ids=[], items=[])
            _tell_checked(found)
            return _verified(found, person, code, sha256)
    finally:
        if (left := PUBLIC_FLOOR_SECONDS - (time.monotonic() - began)) > 0:
            time.sleep(left)


def _held(number: str, code: str) -> Attestation | None:
    """Return the attestation with that number and code, for whoever holds it."""
    found = Attestation.objects.raw(
        "SELECT * FROM sanctions_attestation_held(%s, %s)", [number, code_hashes(number, code)]
    )
    return next(iter(found), None)


def _tell_checked(attestation: Attestation) -> None:
    """Tell the person that it was checked, the first time of a day; every time stands in 谁查了我."""
    today = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    subject = "有人核验了您的无失信记录证明"
    if Message.objects.filter(
        person=attestation.person_id, about=attestation.number, subject=subject, at__gte=today
    ).exists():
        return
    Message.objects.tell(
        attestation.person_id, about=attestation.number, subject=subject,
        text=f"证明编号 {attestation.number}。今天每次核验都在“谁查了我”里。不想再让人核验的，请在“我的证明”里停用。",
    )  # fmt: skip


def _verified(found: Attestation, person: Person, code: str, sha256: str) -> Verified:
    stands, kept = _stands(found.number, code_hashes(found.number, code))
    rule = found.rule
    return Verified(
        number=found.number, issued_at=found.issued_at, how=found.get_way_display(),
        name=masking.name(person.name, Profile.PUBLIC), says=says(found, rule), since=found.since, as_of=found.as_of,
        valid_until=found.valid_until, rule=str(rule), stands=stands, sha256=kept,
        rule_is_over=rule.valid_to is not None and rule.valid_to <= timezone.localdate(),
        same_file=sha256 == kept if sha256 and kept else None,
    )  # fmt: skip


def forget_answers() -> int:
    """Delete what attestations said whose period is over; return how many."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT sanctions_forget_answers()")
        return cursor.fetchone()[0]
