"""The deeds of authorities (Q3): entered by a clerk, decided by another official, ended by the person, by death, by its day.

What an authority opens, and when it opens nothing any more, is held in the database (migration 0010). The living are told
of every step in its own transaction.
"""

from dataclasses import dataclass
from datetime import date

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, models, transaction
from django.utils import timezone

from access.actions import Ask, Asker, write_answer, write_query
from access.models import Authority, Kind, KinWish, Message, Refusal
from accounts import people
from accounts.actions import check_identity
from accounts.models import Organisation, Person, User
from catalogue import deadline_actions as clocks
from catalogue.deadlines import due
from catalogue.models import Deadline
from creditfujian.lib import identity
from creditfujian.lib.text import hide_numbers, normalise_name

State, Basis = Authority.State, Authority.Basis
REVIEW, LONGEST = "D60", "D61"  # deadlines: domain §7.3, §7.1
ENTER, DECIDE = "access.enter_authority", "access.review_authority"
NO_DUTY = "您没有办理代理人、近亲属查询的职责。"
ENDED_BY_DEATH = "系统登记此人已经死亡，授权委托书随之失效；近亲属可以凭亲属关系证明和死亡证明另行申请。"
_AT_COUNTER = "窗口核验证件后为本人办理代理查询（个人信息保护法第四十四条）"
REVOKED_AT_COUNTER = "窗口为本人撤销代理查询"  # told by its own message: migration 0034
_OWN = "本人办理代理查询（个人信息保护法第四十四条、第四十五条）"


@dataclass(frozen=True)
class Entry:
    """What stands on the papers at the counter: whose file, who comes for it, why, which items, until when."""

    basis: Authority.Basis
    id_number: str
    name: str
    agent_number: str
    agent_name: str
    relation: str
    purpose: str
    items: list[int]
    valid_until: date


def longest_day(today: date) -> date:
    """Return the last day that an authority entered on that day may have (deadline D61)."""
    return due(LONGEST, today).date


def kin_are_refused(person: Person) -> bool:
    """Tell whether the person arranged that near relatives do not read; the database's function says the same."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT access_kin_is_refused(%s)", [person.pk])
        return cursor.fetchone()[0]


def check_entry(entry: Entry) -> Person:
    """Check what stands on the papers and return the agent, who is never entered into the register.

    An agent is a grown-up with a number of their own, and not the person. Raises ValidationError.
    """
    today, problems = timezone.localdate(), dict[str, str]()
    if not entry.purpose.strip() or entry.purpose != hide_numbers(entry.purpose):
        problems["purpose"] = "请写明用途，不要写号码；当事人看得到。"
    if not entry.items:
        problems["items"] = "请按材料选择条目，至少一个。"
    if not today <= entry.valid_until <= longest_day(today):
        problems["valid_until"] = f"有效期至今天以后、{longest_day(today)} 以前。"
    if (entry.basis == Basis.KIN) != bool(entry.relation):
        problems["relation"] = "近亲属查询须选择与死者的关系；凭授权委托书的不选。"
    number = _number(entry.agent_number, "agent_number", problems)
    if number and not identity.is_adult(number, today):
        problems["agent_number"] = "代理人、近亲属须年满 18 周岁。"
    if number and identity.normalise(entry.id_number) == number:
        problems["agent_number"] = "代理人不能是当事人本人；本人请直接申请出具报告。"
    if not normalise_name(entry.agent_name):
        problems["agent_name"] = "请填写代理人（近亲属）姓名。"
    if problems:
        raise ValidationError({name: [words] for name, words in problems.items()})
    return Person.seal(number, normalise_name(entry.agent_name))


def _number(text: str, name: str, problems: dict[str, str]) -> str:
    try:
        return check_identity(text)
    except ValidationError as error:
        problems[name] = error.messages[0]
        return ""


def check_stands(basis: str, person: Person) -> None:
    """Check that such a ground can open the person's file: of the living, or of the dead. Raises ValidationError."""
    words = ""
    if basis == Basis.ATTORNEY and not person.may_act:
        words = ENDED_BY_DEATH
    elif basis == Basis.KIN and person.deceased_on is None:
        words = (
            "系统没有登记此人死亡。近亲属凭死亡证明申请的，请先由省信用办登记死亡；本人在世的，须有本人的授权委托书。"
        )
    elif basis == Basis.KIN and kin_are_refused(person):
        words = "死者生前另有安排，不允许近亲属查询（个人信息保护法第四十九条）。"
    if words:
        raise ValidationError({"id_number": [words]})


def enter(entry: Entry, person: Person, agent: Person, *, by: User, organisation: Organisation) -> Authority:
    """Write an authority down with the message to its person and the clock; the caller keeps the scan with it."""
    authority = Authority.objects.create(
        basis=entry.basis, person=person, agent_name=agent.name, agent_cipher=agent.id_cipher, agent_index=agent.id_index,
        relation=entry.relation, purpose=entry.purpose.strip(), items=sorted(entry.items), valid_until=entry.valid_until,
        organisation=organisation, entered_by=by,
    )  # fmt: skip
    authority.refresh_from_db()
    clocks.start(REVIEW, on=timezone.localdate(), subject=authority, label=authority.number)
    said = (
        f"{organisation}窗口收到{authority.agent_name}代您查询的授权委托书，用途：{authority.purpose}。复核后才能查询。"
    )
    tell(authority, "有人持委托书代您查询", f"{said}不是您委托的，请立即在“代理查询”里撤销。")
    return authority


def tell(authority: Authority, subject: str, text: str) -> None:
    """Write a message about an authority to its person, who lives; the dead get none."""
    person = people.opened(authority)
    if person is not None and (human := person.survivor()).deceased_on is None:
        Message.objects.tell(human.pk, about=authority.number, subject=subject, text=text[:500])


# --- decided by another official ------------------------------------------------------------------------------


def why_not_decide(authority: Authority, user: User) -> str:
    """Return why this official may not decide, or nothing."""
    if not user.has_perm(DECIDE):
        return "由省信用办复核。"
    if authority.state != State.ENTERED:
        return f"当前状态为“{authority.standing}”，不需要复核。"
    return "录入人不能自己复核。" if authority.entered_by_id == user.pk else ""


def approve(pk: int, *, by: User) -> Authority:
    """Let an authority open what it names. The database asks whether the papers were opened.

    Raises PermissionDenied, ValidationError.
    """
    with transaction.atomic():
        authority = _to_decide(pk, by)
        person = people.opened(authority)
        assert person is not None
        check_stands(authority.basis, person)
        if authority.valid_until < timezone.localdate():
            raise ValidationError("按材料，有效期已过。请不予通过。", code="over")
        authority.state, authority.decided_by = State.APPROVED, by
        authority.save(update_fields=["state", "decided_by"])
        until = f"{authority.valid_until:%Y年%-m月%-d日} 到期，随时可以撤销"
        tell(
            authority,
            "代您查询的委托已通过复核",
            f"委托编号 {authority.number}，代理人：{authority.agent_name}，{until}。",
        )
        _met(authority)
        return authority


def refuse(pk: int, *, by: User, reason: str) -> Authority:
    """Turn an authority down, with a reason that the person reads. Raises PermissionDenied, ValidationError."""
    if not reason.strip():
        raise ValidationError("请写明不予通过的理由，当事人看得到。", code="reason")
    with transaction.atomic():
        authority = _to_decide(pk, by)
        authority.state, authority.decided_by, authority.note = State.REFUSED, by, hide_numbers(reason.strip())[:200]
        authority.save(update_fields=["state", "decided_by", "note"])
        tell(authority, "代您查询的委托没有通过复核", f"委托编号 {authority.number}，理由：{authority.note}")
        _met(authority)
        return authority


def _to_decide(pk: int, by: User) -> Authority:
    authority = _locked().get(pk=pk)
    if reason := why_not_decide(authority, by):
        raise PermissionDenied(reason)
    return authority


def _locked() -> "models.QuerySet[Authority]":
    found = Authority.objects.select_for_update(of=("self",), no_key=True)
    return found.select_related("organisation", "entered_by")


def _met(authority: Authority) -> None:
    for clock in Deadline.objects.of(authority).filter(met_on=None):
        clocks.meet(clock.pk, on=timezone.localdate())


# --- ended by the person ----------------------------------------------------------------------------------------


def revoke(number: str, *, by: Asker) -> Authority:
    """End an authority as its person: nothing is read under it from now on.

    Raises PermissionDenied, ValidationError, Authority.DoesNotExist.
    """
    person = _own_person(by)
    with transaction.atomic():
        authority = _locked().get(number=number, person__in=person.family())
        _write_own_line(person, "本人撤销代理查询", authority.number, by=by)
        assert by.user is not None
        return _revoke(authority, by.user, "您已撤销代理查询")


def revoke_for(number: str, id_number: str, *, by: Asker) -> Authority:
    """End one at the counter, for the person who stands there with their card. Raises PermissionDenied, ValidationError.

    The person finds it in their access history, also when the clerk named an authority that is not theirs.
    """
    if by.user is None or not by.user.has_perm(ENTER):
        raise PermissionDenied(NO_DUTY)
    person, wanted = Person.objects.holder_of(check_identity(id_number)), number.strip().upper()
    with transaction.atomic():
        authority = _locked().filter(number=wanted).first()
        of = people.opened(authority) if authority else None
        theirs = of is not None and person is not None and of.survivor() == person and person.may_act
        if person is not None:
            refusal = "" if theirs else Refusal.NO_AUTHORITY.value
            named = wanted if theirs else ""  # another's number is none of this person's business
            _write_line(Kind.COUNTER, _AT_COUNTER, REVOKED_AT_COUNTER, person, named, by=by, refusal=refusal)
        if authority is not None and theirs:
            return _revoke(authority, by.user, "窗口为您撤销了代理查询")
    raise ValidationError("此人没有这个编号的委托，请核对编号和证件；本次尝试已记入查询日志。", code="state")


def _revoke(authority: Authority, user: User, subject: str) -> Authority:
    if not authority.may_be_revoked:
        raise ValidationError(f"这份委托{authority.standing}，不需要撤销。", code="state")
    authority.state, authority.revoked_by = State.REVOKED, user
    authority.save(update_fields=["state", "revoked_by"])
    tell(authority, subject, f"委托编号 {authority.number}，撤销立即生效；此前已经交付的不受影响。")
    _met(authority)
    return authority


def arrange(*, allows: bool, by: Asker) -> KinWish:
    """Write down what the person wants after their death: whether near relatives may read (PIPL art. 49)."""
    person = _own_person(by)
    with transaction.atomic():
        _write_own_line(person, "本人安排去世后近亲属能否查询", "", by=by)
        assert by.user is not None
        return KinWish.objects.create(person=person, allows=allows, by=by.user)


def _own_person(by: Asker) -> Person:
    person = by.user.person if by.user else None
    if person is None or not person.may_act:
        raise PermissionDenied("只有本人可以办理。")
    return person


def _write_own_line(person: Person, deed: str, number: str, *, by: Asker) -> None:
    _write_line(Kind.SELF, _OWN, deed, person, number, by=by)


def _write_line(
    kind: Kind, ground: str, deed: str, person: Person, number: str, *, by: Asker, refusal: str = ""
) -> None:
    seq = write_query(
        Ask(kind=kind, ground=ground, purpose=deed, fields_class="代理查询，不含记录", items=[], case_no=number,
            person=person, refusal=refusal),
        by=by,
    )  # fmt: skip
    if not refusal:
        write_answer(seq, record_ids=[], items=[])
