"""The deeds of consent: asked for by an institution, answered by the person, withdrawn, ended by the night.

The database holds the arrows, who may take which, and that scope and text never change once granted (migration 0005).
A person's deed writes the person's own line in the query log first: without it the database lets nobody answer.
"""

import hashlib
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from access.actions import Ask, Asker, write_answer, write_query
from access.consent_models import form_in_words, name_index, subject_index
from access.consent_rules import (
    ANSWER_DAYS,
    MAX_DAYS,
    USUAL_DAYS,
    Choice,
    adverse_items_for,
    choices_of,
    is_operator,
    is_wider,
    items_for,
    items_over_years,
    registration_of,
)
from access.models import Consent, ConsentPurpose, ConsentText, Institution, Kind, Message, Refusal
from accounts import people
from accounts.actions import check_identity
from accounts.models import Person, User
from catalogue.deadlines import due, rule_for
from catalogue.models import Item
from catalogue.refusals import rule_of
from creditfujian.lib import identity
from creditfujian.lib.text import hide_numbers, normalise_name

State = Consent.State
ASK_FLOOR_SECONDS = 0.2  # every request takes at least this long, so that time tells nothing about who is known
MANY_USES = 12  # the most that may be asked for at once
OWN_GROUND = "本人办理授权（个人信息保护法第十四条、第十五条）"
COUNTER_GROUND = "窗口核验证件后为本人办理撤回（个人信息保护法第十五条）"


@dataclass(frozen=True)
class Wanted:
    """What an institution asks a person to consent to."""

    id_number: str
    name: str
    purpose: ConsentPurpose
    purpose_text: str
    reference: str
    form: Consent.Form
    items: Sequence[Item]
    days: int
    uses: int = 1
    years: int | None = None  # of the answer over years alone


@dataclass(frozen=True)
class Scope:
    """What the person makes of it: no more than was asked."""

    form: Consent.Form
    items: Sequence[int]
    days: int
    uses: int


def longest_days(day: date | None = None) -> int:
    """Return the longest life of a consent in days (deadline D51)."""
    return rule_for(MAX_DAYS, day or timezone.localdate()).n


def usual_days(day: date | None = None) -> int:
    """Return the usual life of a consent in days (deadline D32)."""
    return rule_for(USUAL_DAYS, day or timezone.localdate()).n


# --- asked for --------------------------------------------------------------------------------------


def ask(wanted: Wanted, *, by: Asker, channel: Consent.Channel = Consent.Channel.PAGE) -> Consent:
    """Ask a person, named by number and name, for their consent; the answer is the same whoever that is.

    A name that is not the number's is written down and shown to its person; the request then reaches nobody.
    Raises PermissionDenied, ValidationError: both without a look at whether the person is known.
    """
    began = time.monotonic()
    try:
        if by.user is None or not is_operator(by.user):
            raise PermissionDenied("只有已登记机构的查询员可以申请。")
        institution = _may_ask(by.user, wanted)
        number = _adult(wanted.id_number)
        with _once(), transaction.atomic():
            person = _addressee(number, wanted, by)
            return enter(wanted, number=number, person=person, institution=institution, by=by.user, channel=channel)
    finally:
        if (left := ASK_FLOOR_SECONDS - (time.monotonic() - began)) > 0:
            time.sleep(left)


def enter(
    wanted: Wanted, *, number: str, person: Person | None, institution: Institution, by: User, channel: Consent.Channel
) -> Consent:
    """Write a request down, and the message to its person when the register knows them. The caller has checked it."""
    today, on_paper = timezone.localdate(), channel is Consent.Channel.PAPER
    consent = Consent.objects.create(
        person=person, subject_index=subject_index(number), name_index=name_index(wanted.name),
        organisation=institution.organisation, institution=institution, asked_by=by, channel=channel,
        purpose=wanted.purpose, purpose_text=wanted.purpose_text.strip(), reference=wanted.reference.strip(),
        asked_form=wanted.form, years=wanted.years, asked_items=sorted(item.pk for item in wanted.items), asked_days=wanted.days,
        asked_uses=wanted.uses, answer_by=due(ANSWER_DAYS, today).date, state=State.ENTERED if on_paper else State.ASKED,
    )  # fmt: skip
    consent.refresh_from_db()
    if person is not None:
        told = f"请在 {consent.answer_by:%Y年%-m月%-d日} 前答复；不答复视为不同意。"
        if on_paper:
            told = "窗口录入了您的纸质授权书，复核后生效。"
        said = f"用途：{wanted.purpose}。{told}授权编号 {consent.number}。"
        tell(consent, f"{institution.organisation}申请查询您的信息", said)
    return consent


def tell(consent: Consent, subject: str, text: str) -> None:
    """Write a message about a consent to its person, in the transaction of what it tells."""
    assert consent.person_id is not None
    Message.objects.tell(consent.person_id, consent=consent, about=consent.number, subject=subject, text=text)


def check_wanted(wanted: Wanted) -> None:
    """Check what may be asked for, whoever asks and about whom. Raises ValidationError."""
    problems: dict[str, str] = {}
    if not wanted.purpose_text.strip():
        problems["purpose_text"] = "请写明具体用途，本人看得到。"
    if not wanted.reference.strip():
        problems["reference"] = "请填写本单位的业务编号。"
    if wanted.reference != hide_numbers(wanted.reference) or wanted.purpose_text != hide_numbers(wanted.purpose_text):
        problems["reference"] = "用途说明和业务编号里不能有九位以上的连续数字，以免写入证件号码、电话或账号。"
    if not 1 <= wanted.days <= longest_days():
        problems["days"] = f"有效天数为 1 至 {longest_days()} 天（时限规则 {MAX_DAYS}）。"
    if not 1 <= wanted.uses <= MANY_USES:
        problems["uses"] = f"次数为 1 至 {MANY_USES} 次。"
    allowed = set(items_for(wanted.purpose).values_list("pk", flat=True))
    if not wanted.items or any(item.pk not in allowed for item in wanted.items):
        problems["items"] = f"请选择条目。“{wanted.purpose}”只能查法律允许的条目，所选条目有的不在其中。"
    if wanted.form is Consent.Form.YEARS and (said := _not_over_years(wanted)):
        problems["form"] = said
    if problems:
        raise ValidationError(problems)


def _not_over_years(wanted: Wanted) -> str:
    """Return why an answer over years cannot be asked for like this, or nothing: it is over all adverse items, or none."""
    if wanted.years is None:
        return "请选择连续几年。"
    whole = {item.pk for item in adverse_items_for(wanted.purpose)}
    if not whole:
        return f"“{wanted.purpose}”不能查失信类信息，不能申请这种证明。"
    return (
        "" if {item.pk for item in wanted.items} == whole else "这种证明包括这一用途可以查的全部失信类条目，不能挑选。"
    )


def _may_ask(user: User, wanted: Wanted) -> Institution:
    institution = registration_of(user.organisation, wanted.purpose)
    if institution is None:
        raise PermissionDenied(Refusal.LICENCE.label + "，不能申请。请联系省信用办。")
    check_wanted(wanted)
    people.open_office(user.organisation_id)  # a count of what is closed would be none
    today = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    if (
        Consent.objects.filter(organisation=user.organisation, asked_at__gte=today).count()
        >= settings.CONSENT_ASKS_PER_DAY
    ):
        raise ValidationError(f"本单位今天已提出 {settings.CONSENT_ASKS_PER_DAY} 份申请，请明天再提。", code="quota")
    return institution


def _adult(typed: str) -> str:
    try:
        number = check_identity(typed)
    except ValidationError as error:
        raise ValidationError({"id_number": error.messages}) from error
    if not identity.is_adult(number, timezone.localdate()):
        raise ValidationError({"id_number": "未满 18 周岁的人不能授权，本站也没有未成年人的信息。"})
    return number


def _addressee(number: str, wanted: Wanted, by: Asker) -> Person | None:
    """Return whom a request reaches. A wrong name reaches nobody, and the number's owner sees that it was tried."""
    person = Person.objects.holder_of(number)
    if person is None or not person.may_act:
        return None
    if person.bears(normalise_name(wanted.name)):
        return person
    write_query(
        Ask(kind=Kind.CONSENT, ground="申请查询授权", purpose=f"{wanted.purpose}：{wanted.purpose_text}"[:200],
            fields_class="无", items=list(wanted.items), refusal=Refusal.NAME_DIFFERS.value, person=person),
        by=by,
    )  # fmt: skip
    return None


@contextmanager
def _once() -> Iterator[None]:
    try:
        yield
    except IntegrityError as error:
        if rule_of(error) != "consent_asked_once_at_a_time":
            raise
        raise ValidationError("对此人同一用途的申请还没有答复，请等待答复或到期后再申请。", code="again") from error


# --- answered by the person ---------------------------------------------------------------------------


def text_of(consent: Consent, scope: Scope, *, version: ConsentText | None = None, day: date | None = None) -> str:
    """Return the exact words that the person agrees to with that scope, under the newest text."""
    version, day = (
        version or ConsentText.objects.filter(since__lte=timezone.localdate()).latest("since"),
        day or timezone.localdate(),
    )
    chosen = choices_of(list(scope.items))
    names = {
        adverse: "、".join(one.name for one in chosen if one.is_adverse is adverse) or "无" for adverse in (True, False)
    }
    institution = registration_of(consent.organisation, consent.purpose) or consent.institution
    return version.body.format(
        number=consent.number, institution=consent.organisation.name, uscc=consent.organisation.uscc,
        contact=institution.contact, purpose=consent.purpose.name, purpose_text=consent.purpose_text,
        reference=consent.reference, form=form_in_words(scope.form, consent.years), adverse=names[True], others=names[False],
        valid_from=f"{day:%Y年%-m月%-d日}", valid_to=f"{day + timedelta(days=scope.days):%Y年%-m月%-d日}",
        uses=scope.uses, consequence=consent.purpose.consequence,
    )  # fmt: skip


def digest_of(text: str) -> str:
    """Return the SHA-256 of a text, in hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def check_scope(consent: Consent, scope: Scope) -> None:
    """Check that a scope is no wider than was asked, and can still be given. Raises ValidationError."""
    if not scope.items:
        raise ValidationError({"items": "请至少选择一项；一项都不同意的，请选“不同意”。"})
    if (
        is_wider(scope.form, Consent.Form(consent.asked_form))
        or not set(scope.items) <= set(consent.asked_items)
        or scope.days > consent.asked_days
        or scope.uses > consent.asked_uses
    ):
        raise ValidationError("同意的范围不能比机构申请的更大。", code="wider")
    if scope.days < 1 or scope.uses < 1:
        raise ValidationError({"days": "天数和次数至少为 1。"})
    if consent.is_over_years and set(scope.items) != set(items_over_years(consent)):
        raise ValidationError("这种证明包括申请的全部条目，只能同意或者不同意，不能挑选。", code="narrower")
    if not set(scope.items) <= set(items_for(consent.purpose).values_list("pk", flat=True)):
        raise ValidationError({"items": "所选条目有的已经停用或不再允许机构查询，请去掉后再提交。"})
    if registration_of(consent.organisation, consent.purpose) is None:
        raise ValidationError("这个机构的登记已暂停或证照已到期，不能再授权给它。", code="licence")


def agree(number: str, scope: Scope, *, shown: str, by: Asker) -> Consent:
    """Grant what the person was shown: `shown` is the digest of that text. Raises Consent.DoesNotExist, ValidationError."""
    with _own(number, by, "本人同意查询授权") as (consent, person):
        if not consent.waits:
            raise ValidationError(f"这份申请{consent.standing}，不能再答复。", code="state")
        check_scope(consent, scope)
        if digest_of(text_of(consent, scope)) != shown:
            raise ValidationError("授权书的内容有变化，请重新核对后再同意。", code="text")
        consent.person, consent.decided_by = consent.person or person, by.user
        seal(consent, scope)
        consent.save()
        until = f"{consent.valid_to:%Y年%-m月%-d日} 到期，可用 {consent.max_uses} 次"
        said = f"授权编号 {consent.number}，{until}。随时可以撤回。"
        tell(consent, f"您已同意{consent.organisation}的查询授权", said)
        return consent


def seal(consent: Consent, scope: Scope, *, on_paper: str = "") -> None:
    """Put scope, words and the platform's signature on a consent that is being granted, `on_paper` after the words."""
    today = timezone.localdate()
    version = ConsentText.objects.filter(since__lte=today).latest("since")
    consent.state, consent.form, consent.items = State.GRANTED, scope.form, sorted(scope.items)
    consent.valid_from, consent.valid_to = today, today + timedelta(days=scope.days)
    consent.max_uses, consent.text_version = scope.uses, version
    consent.text = text_of(consent, scope, version=version, day=today) + (f"\n\n{on_paper}" if on_paper else "")
    consent.text_sha256, consent.decided_at = digest_of(consent.text), timezone.now()
    consent.signature = settings.FIELD_KEYRING.index(_signed(consent))


def _signed(consent: Consent) -> bytes:
    assert consent.person is not None
    return f"consent:{consent.number}:{consent.person.sid}:{consent.decided_by_id}:{consent.text_sha256}".encode()


def is_genuine(consent: Consent) -> bool:
    """Tell whether text, digest and the platform's signature still belong together."""
    signed = consent.signature is not None and bytes(consent.signature) in settings.FIELD_KEYRING.indexes(
        _signed(consent)
    )
    return signed and digest_of(consent.text) == consent.text_sha256


def decline(number: str, *, by: Asker) -> Consent:
    """Say no. Raises Consent.DoesNotExist, ValidationError."""
    with _own(number, by, "本人不同意查询授权") as (consent, person):
        if not consent.waits:
            raise ValidationError(f"这份申请{consent.standing}，不能再答复。", code="state")
        consent.person, consent.decided_by, consent.state = consent.person or person, by.user, State.DECLINED
        consent.save()
        return consent


def withdraw(number: str, *, by: Asker) -> Consent:
    """Withdraw a consent: no reading begins after it. Raises Consent.DoesNotExist, ValidationError."""
    with _own(number, by, "本人撤回查询授权") as (consent, _):
        if consent.state != State.GRANTED:
            raise ValidationError(f"这份授权{consent.standing}，不需要撤回。", code="state")
        consent.state, consent.ended_by = State.WITHDRAWN, by.user
        consent.save()
        said = f"授权编号 {consent.number}，撤回立即生效；此前已经完成的查询不受影响。"
        tell(consent, f"您已撤回给{consent.organisation}的查询授权", said)
        return consent


@contextmanager
def _own(number: str, by: Asker, deed: str) -> Iterator[tuple[Consent, Person]]:
    """Lock one of the person's own consents, under their own line. Raises PermissionDenied, Consent.DoesNotExist."""
    person = by.user.person if by.user else None
    if person is None or not person.may_act:
        raise PermissionDenied("只有本人可以办理自己的授权。")
    with transaction.atomic():
        mine = Consent.objects.about(person).select_related("organisation", "institution", "purpose")
        consent = mine.select_for_update(of=("self",), no_key=True).get(number=number)
        people.open_persons(consent.person_id)  # perhaps under a number that was merged into theirs
        write_own_line(consent, person, deed, by=by)
        yield consent, person


def write_own_line(consent: Consent, person: Person, deed: str, *, by: Asker) -> None:
    """Write the line of the person's dealing with a consent; it opens no record."""
    _write_line(Kind.SELF, OWN_GROUND, deed, person, consent, by=by)


def _write_line(
    kind: Kind, ground: str, deed: str, person: Person, consent: Consent | None, *, by: Asker, refusal: str = ""
) -> None:
    seq = write_query(
        Ask(kind=kind, ground=ground, purpose=deed, fields_class="授权，不含记录", items=[], person=person,
            consent=consent, refusal=refusal),
        by=by,
    )  # fmt: skip
    if not refusal:
        write_answer(seq, record_ids=[], items=[])


def withdraw_for(number: str, id_number: str, *, by: Asker) -> Consent:
    """Withdraw at the counter, for the person who stands there with their card. Raises PermissionDenied, ValidationError.

    The person finds it in their access history, also when the clerk named a consent that is not theirs.
    """
    if by.user is None or not by.user.has_perm("access.enter_consent"):
        raise PermissionDenied("您没有窗口办理授权的职责。")
    person = Person.objects.holder_of(check_identity(id_number))
    with transaction.atomic():
        mine = Consent.objects.select_for_update(of=("self",), no_key=True).filter(number=number.strip().upper())
        found = mine.select_related("organisation").first()
        if found is None or found.state != State.GRANTED or found.person_id is None or not _is_theirs(found, person):
            found = None
        refusal = "" if found else Refusal.NO_CONSENT.value
        if person is not None:
            _write_line(Kind.COUNTER, COUNTER_GROUND, "窗口为本人撤回查询授权", person, found, by=by, refusal=refusal)
        if found:
            found.state, found.ended_by = State.WITHDRAWN, by.user
            found.save()
            said = f"授权编号 {found.number}，撤回立即生效。"
            tell(found, f"窗口为您撤回了给{found.organisation}的查询授权", said)
    if found is None:
        raise ValidationError("此人没有这个编号的有效授权，请核对编号和证件；本次尝试已记入查询日志。", code="state")
    return found


def _is_theirs(consent: Consent, person: Person | None) -> bool:
    of = people.opened(consent)
    return of is not None and of.survivor() == person


# --- what the pages show -----------------------------------------------------------------------------------


def chosen(consent: Consent) -> list[Choice]:
    """Return the items of a consent by name: those granted, or those asked for while nothing is granted."""
    return choices_of(list(consent.items or consent.asked_items))


def unread(person: Person) -> int:
    """Return how many messages the person has not read."""
    return Message.objects.to(person).unread().count()


def waiting_for_answer(person: Person) -> int:
    """Return how many requests wait for the person."""
    return Consent.objects.about(person).filter(state=State.ASKED, answer_by__gte=timezone.localdate()).count()


# --- the night -------------------------------------------------------------------------------------------------


def end_what_is_over() -> dict[str, int]:
    """Move what dates have ended to its last state; nothing depends on it. Safe to run twice."""
    today, counts = timezone.localdate(), {}
    with people.everybody("what dates have ended moves to its last state"):
        for name, state, ended, over in (
            ("consents_lapsed", State.ASKED, State.LAPSED, {"answer_by__lt": today}),
            ("consents_expired", State.GRANTED, State.EXPIRED, {"valid_to__lt": today}),
        ):
            counts[name] = Consent.objects.filter(state=state, **over).update(state=ended)
    return counts
