"""The deeds of a reward (domain §5.8): nominated, agreed to by the person, checked, announced, granted, suspended, ended.

Who may do what, when, and that the person said yes is held in the database (migration 0026); a no takes effect there.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone

from access.actions import Ask, Asker, write_answer, write_query
from access.models import Kind as QueryKind
from access.models import Message, Refusal
from accounts import people
from accounts.actions import check_identity
from accounts.models import Person, User
from catalogue import deadline_actions as clocks
from catalogue.deadlines import due
from catalogue.models import Deadline
from catalogue.prohibited import Door
from creditfujian.lib import identity
from creditfujian.lib.text import hide_numbers, normalise_name
from creditfujian.lib.workdays import DAY
from records.refusals import InWords
from sanctions import reward_register
from sanctions.models import RewardCase, RewardConsent, RewardObjection, RewardPaper, RewardProgramme, RewardStep
from sanctions.reward_models import DECIDE, NOMINATE
from sanctions.reward_refusals import REWARDS

Deed, State, Scope = RewardStep.Deed, RewardCase.State, RewardConsent.Scope
ANSWER, CHECK, AFTER_CHECK, NOTICE, DECISION = "D91", "D92", "D93", "D35", "D94"
GROUND = "办理守信激励，经本人同意（个人信息保护法第十三条）"
UNKNOWN = "姓名、证件号码与登记不一致，或者此人还没有在本站核验过身份。请与证件核对；还没有核验的，请本人在网上或者窗口核验后再推荐。"
NO_EFFECT = "不同意、不答复或者退出，对您没有任何不利影响。"
LONGEST = 300


# --- nominated ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Nomination:
    """Who is nominated under which programme, for which award."""

    programme: RewardProgramme
    id_number: str
    name: str
    honour: str
    year: str
    award_no: str
    award_on: date
    recommended_by: str = ""
    reason: str = ""


def nominate(wanted: Nomination, *, by: Asker) -> RewardCase | None:
    """Nominate somebody known to the register and ask them at once; nothing else happens before their own yes.

    None when name and number are not those of anybody who can be asked: an attempt on somebody's number is written down.
    Raises PermissionDenied, ValidationError.
    """
    user = _official(by, NOMINATE, "您没有推荐激励的职责。")
    if not RewardProgramme.objects.of(user).filter(pk=wanted.programme.pk).exists():
        raise ValidationError({"programme": REWARDS["rewardcase_under_a_programme_in_force"]})
    check_words(honour=wanted.honour, reason=wanted.reason, recommended_by=wanted.recommended_by)
    with transaction.atomic(), InWords(REWARDS):
        person = _nominee(wanted, by)
        if person is None:
            return None
        case = RewardCase(
            programme=wanted.programme, organisation=wanted.programme.organisation, person=person, nominated_by=user,
            honour=wanted.honour.strip(), year=wanted.year.strip(), award_no=wanted.award_no.strip(), award_on=wanted.award_on,
            recommended_by=wanted.recommended_by.strip(), reason=wanted.reason.strip(),
        )  # fmt: skip
        case.save()
        case.refresh_from_db()
        until = due(ANSWER, timezone.localdate()).date
        _step(case, Deed.ASKED, by=user, until=until)
        _clock(case, ANSWER)
        said = (
            f"{case.organisation}推荐您参加“{case.programme.name}”：{case.honour}。同意的，请在{_day(until)}前到“我的激励”答复，"
            f"也可以到窗口书面答复；公示和公开由您另行决定。到期不答复视为不同意。{NO_EFFECT}"
        )
        _tell(case, "有一项激励推荐等您答复", said)
    return case


def _nominee(wanted: Nomination, by: Asker) -> Person | None:
    try:
        number = check_identity(wanted.id_number)
    except ValidationError as error:
        raise ValidationError({"id_number": error.messages}) from error
    if not identity.is_adult(number, timezone.localdate()):
        raise ValidationError({"id_number": "未满 18 周岁的人不归集信息，不能推荐。"})
    person = Person.objects.holder_of(number)
    if person is None or person.bears(normalise_name(wanted.name)):
        return person
    write_query(
        Ask(kind=QueryKind.DUTY, ground="推荐守信激励", purpose="姓名与证件号码不符，未推荐", fields_class="无",
            items=[], refusal=Refusal.NO_GROUND.value, person=person),
        by=by,
    )  # fmt: skip
    return None


def check_words(**texts: str) -> None:
    """Refuse what may not be collected in what officials or the person write. Raises ValidationError by field."""
    door = Door.load()
    for name, text in texts.items():
        if hit := door.find(text):
            raise ValidationError({name: f"其中有“{hit.found}”，属不得归集的内容（{hit.title}）。请删去后重新提交。"})


# --- the person's own word ------------------------------------------------------------------------------------


def answer(
    person: Person, number: str, *, agrees: bool, notice: bool = False, publish: bool = False, by: Asker
) -> RewardCase:
    """Say yes or no to a nomination, and to each publicity by itself. Raises PermissionDenied, ValidationError, DoesNotExist."""
    with _own(person, "答复激励推荐", by) as user:
        case = RewardCase.objects.of(person).numbered(number)
        return take_answer(case, agrees=agrees, notice=notice, publish=publish, by=user)


def take_answer(
    case: RewardCase, *, agrees: bool, notice: bool, publish: bool, by: User, paper: RewardPaper | None = None
) -> RewardCase:
    """Write the answer down, given by the account or on a checked paper. Inside a transaction."""
    said = {Scope.REWARD: agrees, Scope.NOTICE: agrees and notice, Scope.PUBLISH: agrees and publish}
    for scope, given in said.items() if agrees else [(Scope.REWARD, False)]:
        RewardConsent.objects.create(case=case, scope=scope, given=given, by=by, paper=paper)
    _step(case, Deed.AGREED if agrees else Deed.DECLINED, by=by, paper=paper)
    _clock(case, CHECK if agrees else None)
    return case


def change_consent(person: Person, number: str, scope: RewardConsent.Scope, *, given: bool, by: Asker) -> RewardCase:
    """Allow or forbid one kind of publicity later on; a no is carried out here and now.

    Raises PermissionDenied, ValidationError, RewardCase.DoesNotExist.
    """
    if scope is Scope.REWARD:
        raise ValidationError("退出激励请用“退出”。", code="scope")
    with _own(person, f"{'同意' if given else '撤回同意'}{scope.label}", by) as user:
        case = RewardCase.objects.of(person).numbered(number)
        before = case.state, case.public_to
        RewardConsent.objects.create(case=case, scope=scope, given=given, by=user)
        case.refresh_from_db()
        if given and scope is Scope.PUBLISH and case.state == State.GRANTED:
            _publish(case)
        elif case.state == State.NOTICE and (case.state, case.public_to) != before:
            _clock(case, DECISION)
        return case


def withdraw(person: Person, number: str, *, by: Asker) -> RewardCase:
    """Leave a reward: at once, everywhere. Raises PermissionDenied, ValidationError, RewardCase.DoesNotExist."""
    with _own(person, "退出激励", by) as user:
        return take_withdrawal(RewardCase.objects.of(person).numbered(number), by=user)


def take_withdrawal(case: RewardCase, *, by: User, paper: RewardPaper | None = None) -> RewardCase:
    """Carry a withdrawal out, by the account or on a checked paper. Inside a transaction."""
    RewardConsent.objects.create(case=case, scope=Scope.REWARD, given=False, by=by, paper=paper)
    case.refresh_from_db()
    if case.state != State.ENDED:
        raise ValidationError(REWARDS["rewardcase_moves_along_its_arrows"], code="state")
    return _ended(case, "您已退出", f"已停止公示、公开和全部激励措施，信用记录中的荣誉信息已撤回。{NO_EFFECT}")


def explain(person: Person, number: str, text: str, *, by: Asker) -> RewardCase:
    """Say something to a suspension; the unit decides from then on. Raises PermissionDenied, ValidationError, DoesNotExist."""
    return _say(person, number, Deed.EXPLAINED, text, by)


def comment(person: Person, number: str, text: str, *, by: Asker) -> RewardCase:
    """Say something to a refusal; it stays beside it. Raises PermissionDenied, ValidationError, RewardCase.DoesNotExist."""
    return _say(person, number, Deed.COMMENTED, text, by)


def _say(person: Person, number: str, deed: RewardStep.Deed, text: str, by: Asker) -> RewardCase:
    words = words_of(text)
    with _own(person, deed.label, by) as user:
        case = RewardCase.objects.of(person).numbered(number)
        _step(case, deed, by=user, text=words)
        if deed is Deed.EXPLAINED:
            _clock(case, DECISION)
        return case


def words_of(text: str) -> str:
    """Return what somebody says as it is kept. Raises ValidationError."""
    words = hide_numbers(" ".join(text.split()))
    if not words:
        raise ValidationError({"text": "请写下您的意见。"})
    if len(words) > LONGEST:
        raise ValidationError({"text": f"不超过 {LONGEST} 字，现有 {len(words)} 字。"})
    check_words(text=words)
    return words


@contextmanager
def _own(person: Person, deed: str, by: Asker) -> Iterator[User]:
    """Do something in one transaction under the person's own line. Raises PermissionDenied."""
    if by.user is None or by.user.person_id != person.pk or not person.may_act:
        raise PermissionDenied("只有本人可以办理自己的激励。")
    with transaction.atomic(), InWords(REWARDS):
        seq = write_query(
            Ask(kind=QueryKind.SELF, ground="本人办理守信激励", purpose=deed, fields_class="激励办理，不含信用记录", items=[],
                person=person),
            by=by,
        )  # fmt: skip
        write_answer(seq, record_ids=[], items=[])
        yield by.user


# --- decided by another official ------------------------------------------------------------------------------


def why_not_decide(case: RewardCase, user: User) -> str:
    """Return why this user decides nothing in the case, or an empty string; the rest is the database's."""
    if not user.has_perm(DECIDE) or user.organisation_id != case.organisation_id:
        return "由推荐、认定单位有决定职责的工作人员办理。"
    return REWARDS["rewardstep_decided_by_another"] if case.nominated_by_id == user.pk else ""


def announce(case: RewardCase, *, by: User) -> RewardCase:
    """Decide that the reward is announced before it is granted, as the person agreed. Raises PermissionDenied, ValidationError."""
    until = due(NOTICE, timezone.localdate()).date
    with _deciding(case, by):
        _step(case, Deed.NOTICE, by=by, until=until)
        _clock(case, NOTICE)
        said = f"您的激励（{case.honour}）按您的同意公示至{_day(until)}，只显示姓氏、荣誉名称和年度。您可以随时在“我的激励”撤回。"
        _tell(case, "激励正在公示", said)
    return case


def grant(case: RewardCase, *, by: User) -> RewardCase:
    """Grant the reward: its fact goes into the register by the two officials, and is public if the person wants it.

    Raises PermissionDenied, ValidationError.
    """
    with _deciding(case, by):
        batch = reward_register.enter(case, by=by)
        _step(case, Deed.GRANTED, by=by, batch=batch)
        _clock(case, None)
        said = (
            f"{case.organisation}授予您激励（{case.honour}），至{_day(case.last_day())}。可以享受的便利见“我的激励”。"
            "您可以随时退出。"
        )
        _tell(case, "激励已经授予", said)
        if agrees(case, Scope.PUBLISH):
            _publish(case)
    return case


def turn_down(case: RewardCase, *, text: str, by: User) -> RewardCase:
    """Decide that nothing is granted, with the reason; the person may comment. Raises PermissionDenied, ValidationError."""
    with _deciding(case, by, text):
        _step(case, Deed.RETURNED, by=by, text=hide_numbers(text.strip())[:500])
        _clock(case, None)
        said = f"您的激励推荐（{case.honour}）没有授予，理由见“我的激励”。您可以写下意见；对记录有异议的，可以提出异议、申请修复。"
        _tell(case, "激励没有授予", f"{said}这不影响您的信用记录。")
    return case


def resume(case: RewardCase, *, text: str, by: User) -> RewardCase:
    """Let a suspended reward go on, with the reason. Raises PermissionDenied, ValidationError."""
    with _deciding(case, by, text):
        _step(case, Deed.RESUMED, by=by, text=hide_numbers(text.strip())[:500])
        _clock(case, None)
        _tell(case, "激励已经恢复", f"{case.organisation}决定恢复您的激励（{case.honour}）。理由见“我的激励”。")
        if agrees(case, Scope.PUBLISH):
            _publish(case)
    return case


def revoke(case: RewardCase, *, text: str, document_no: str = "", by: User) -> RewardCase:
    """End a reward by decision: after a suspension, or when the unit revokes the honour by a document of its own.

    Raises PermissionDenied, ValidationError.
    """
    with _deciding(case, by, text):
        _step(case, Deed.REVOKED, by=by, text=hide_numbers(text.strip())[:500], document_no=document_no.strip()[:100])
        said = f"{case.organisation}决定撤销您的激励，理由见“我的激励”。不服的，可以依法申请行政复议或者提起行政诉讼。"
        _ended(case, "激励已被撤销", said)
    return case


def answer_objection(pk: int, *, text: str, by: User) -> RewardObjection:
    """Answer what somebody said against a notice. Raises PermissionDenied, ValidationError, RewardObjection.DoesNotExist."""
    words = hide_numbers(text.strip())[:500]
    if not words:
        raise ValidationError("请写明答复，公示页面会显示。", code="text")
    with transaction.atomic(), InWords(REWARDS):
        mine = RewardObjection.objects.filter(case__in=RewardCase.objects.visible_to(by))
        objection = mine.get(pk=pk)
        objection.answer, objection.answered_by, objection.answered_at = words, by, timezone.now()
        objection.save(update_fields=["answer", "answered_by", "answered_at"])
    return objection


@contextmanager
def _deciding(case: RewardCase, by: User, text: str = "-") -> Iterator[None]:
    """Decide in one transaction, the refusals of the database in words. Raises PermissionDenied, ValidationError."""
    if reason := why_not_decide(case, by):
        raise PermissionDenied(reason)
    if not text.strip():
        raise ValidationError({"text": "请写明理由，当事人会看到。"})
    with transaction.atomic(), InWords(REWARDS):
        people.open_persons(case.person_id)
        yield


# --- by the calendar ------------------------------------------------------------------------------------------


def lapse(case: RewardCase) -> None:
    """Close a nomination that the person left unanswered: no consent, and nothing kept of it."""
    with transaction.atomic():
        _step(case, Deed.LAPSED)
        _clock(case, None)
        _tell(case, "激励推荐已到答复期限", f"您没有答复，视为不同意，推荐已经结束，推荐内容已删除。{NO_EFFECT}")


def suspend(case: RewardCase) -> None:
    """Suspend the benefits of a case in which a record stands in the way, and ask the person; somebody decides after that."""
    until = due(ANSWER, timezone.localdate()).date
    with transaction.atomic():
        _step(case, Deed.SUSPENDED, until=until)
        _clock(case, ANSWER)
        said = (
            f"夜间核对发现有现行记录与您的激励（{case.honour}）冲突，激励措施和公开已暂停。是哪条记录见“我的激励”；请在{_day(until)}前"
            "说明，之后由工作人员决定。记录有误的，可以提出异议。"
        )
        _tell(case, "激励已暂停，请您说明", said)


def expire(case: RewardCase) -> None:
    """End a reward whose term is over, or whose person has died."""
    with transaction.atomic():
        _step(case, Deed.EXPIRED)
        _ended(case, "激励已到期", f"您的激励（{case.honour}）已到期，激励措施和公开同时停止。")


def ready_to_decide(case: RewardCase) -> None:
    """Start the clock of the decision: the notice, or the time to explain, ended the day before it can be decided."""
    assert case.decide_from is not None
    with transaction.atomic():
        _clock(case, DECISION, on=case.decide_from - DAY)


# --- steps ----------------------------------------------------------------------------------------------------


def agrees(case: RewardCase, scope: RewardConsent.Scope) -> bool:
    """Tell whether the person's last word on a subject is yes."""
    last = case.consents.filter(scope=scope).order_by("-id").first()
    return last is not None and last.given


def _official(by: Asker, permission: str, why_not: str) -> User:
    if by.user is None or by.user.organisation is None or not by.user.has_perm(permission):
        raise PermissionDenied(why_not)
    return by.user


def _step(case: RewardCase, deed: RewardStep.Deed, *, by: User | None = None, text: str = "", **more: object) -> None:
    """Write one event, by which the database moves the case, and take over how it stands now."""
    RewardStep.objects.create(case=case, deed=deed, by=by, text=text, **more)
    case.refresh_from_db()


def _publish(case: RewardCase) -> None:
    _step(case, Deed.PUBLISHED)
    said = f"按您的同意，您的激励（{case.honour}）自今日起公开，只显示姓氏、荣誉名称和年度，至激励期满。可以随时撤回。"
    _tell(case, "激励已公开", said)


def _ended(case: RewardCase, subject: str, said: str) -> RewardCase:
    """Let the fact end in the register with the reward, stop the clocks, and tell the person."""
    reward_register.end(case, reason=f"激励 {case.number} 终止：{case.get_end_kind_display()}")
    _clock(case, None)
    _tell(case, subject, said)
    return case


def _clock(case: RewardCase, code: str | None, *, on: date | None = None) -> None:
    """Stop the clocks that run on the case, and start the next one."""
    today = timezone.localdate()
    for running in Deadline.objects.of(case).filter(met_on__isnull=True):
        clocks.meet(running.pk, on=max(today, running.started_on))
    if code:
        clocks.start(code, on=on or today, subject=case, label=case.number)


def _tell(case: RewardCase, subject: str, text: str) -> None:
    survivor = people.survivor_of(case.person_id)
    if people.may_act(survivor):
        Message.objects.tell(survivor, about=case.number, subject=subject, text=text[:500])


def _day(day: date | None) -> str:
    return f"{day:%Y年%-m月%-d日}" if day else ""
