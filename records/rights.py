"""A person's requests of right about their records: asked, answered with reasons, refused by two (PIPL art 44, 46–48, 50).

What is granted is done first, by the act that does it; a refusal takes a second official. Who may do what is held in the
database (migration 0034).
"""

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from access.actions import Ask, Asker, write_answer, write_query
from access.models import Kind as QueryKind
from access.models import Message
from accounts import people
from accounts.models import Person, User
from catalogue import deadline_actions as clocks
from catalogue.models import Deadline, Field
from creditfujian.lib.text import hide_numbers, key_in
from records.life_models import ActRecord, RecordAct
from records.models import RecordVersion, record_key
from records.reading import View, own_file, views_of
from records.refusals import InWords
from records.rights_models import RightsRequest, RightsRequestQuerySet, RightsStep

Kind, State, Deed = RightsRequest.Kind, RightsRequest.State, RightsStep.Deed
LONGEST = 300
GROUND = "办理本人的权利请求（个人信息保护法第五十条）"
REFUSALS = {
    "rightsstep_granted_is_done": "请先用办理单办完（更正、撤回、撤销或者加注标记），再填写办理单号答复“已办理”。",
    "rightsstep_opened_before": "请先点“查阅记录内容”核对（记入查询日志），再答复。",
    "rightsstep_refused_by_two": "提出不同意的人不能自己复核，须由本单位另一名审核员办理。",
    "rightsstep_by_its_supplier": "只有提供记录的单位可以答复。",
}


def ask(person: Person, kind: RightsRequest.Kind, record_no: str, text: str, *, by: Asker) -> RightsRequest:
    """Ask something about one of one's own records, opening the own file with its line.

    Raises PermissionDenied, ValidationError; Record.DoesNotExist is told as a ValidationError.
    """
    words = hide_numbers(" ".join(text.split()))
    if not words:
        raise ValidationError({"text": "请写明您的请求和理由。"})
    if len(words) > LONGEST:
        raise ValidationError({"text": f"不超过 {LONGEST} 字，现有 {len(words)} 字。"})
    if by.user is None or by.user.person_id != person.pk:
        raise PermissionDenied("只有本人可以提出请求。")
    with transaction.atomic():
        shown = {view.number for view in own_file(person, by=by).records}
        if record_no not in shown:
            raise ValidationError({"record": "请选择您自己的一条记录。"}, code="record")
        if _open(person).filter(record_no=record_no, kind=kind).exists():
            raise ValidationError("这条记录的同一请求正在办理，请等候答复。", code="again")
        request = RightsRequest(kind=kind, person=person, asked_by=by.user, record_no=record_no, text=words)
        try:
            with transaction.atomic():
                request.save()
        except IntegrityError as error:
            raise ValidationError("这条记录的同一请求正在办理，请等候答复。", code="again") from error
        request.refresh_from_db()
        code = RightsRequest.CLOCKS.get(kind, "D72")
        clocks.start(code, on=timezone.localdate(), subject=request, label=request.number)
        return request


def _open(person: Person) -> RightsRequestQuerySet:
    return RightsRequest.objects.of(person).filter(state__in=[State.OPEN, State.PROPOSED])


@transaction.atomic
def record_of(request: RightsRequest, *, by: Asker) -> View | None:
    """Open, for the supplier's official, the record a request is about, under its number; None when it is gone.

    Raises PermissionDenied.
    """
    if by.user is None or not RightsRequest.objects.visible_to(by.user).filter(pk=request.pk).exists():
        raise PermissionDenied("只有提供记录的单位可以查阅。")
    person = people.opened(request)
    assert person is not None
    query = Ask(
        kind=QueryKind.DUTY, ground=GROUND, purpose=f"办理本人的请求：{request.get_kind_display()}", items=[request.item],
        fields_class="提供单位可见", case_no=request.number, person=person.survivor(),
    )  # fmt: skip
    seq = write_query(query, by=by)
    versions = RecordVersion.objects.filter(
        record=record_key(request.record_no), record__provider=request.organisation_id, version=F("record__version")
    )
    found = next(views_of(versions.select_related("record__item", "record__provider"), Field.Reader.PROVIDER), None)
    write_answer(seq, record_ids=[found[0].record_id] if found else [], items=[request.item.code] if found else [])
    return found[1] if found else None


def why_not(request: RightsRequest, deed: RightsStep.Deed, user: User) -> str:
    """Return why this user may not do that, or an empty string; the rest is the database's."""
    waits = RightsRequest.objects.filter(pk=request.pk)
    if deed in (Deed.GRANTED, Deed.REFUSAL):
        return "" if waits.to_answer_by(user).exists() else "由提供单位的数据员、审核员答复尚未答复的请求。"
    return "" if waits.to_confirm_by(user).exists() else REFUSALS["rightsstep_refused_by_two"]


def step(request: RightsRequest, deed: RightsStep.Deed, *, text: str, act_no: str = "", by: User) -> RightsStep:
    """Answer for the supplier, or confirm or return another's refusal. Raises PermissionDenied, ValidationError."""
    if reason := why_not(request, deed, by):
        raise PermissionDenied(reason)
    act = _act_of(request, act_no) if deed is Deed.GRANTED and act_no.strip() else None
    with transaction.atomic(), InWords(REFUSALS):
        done = RightsStep(request=request, deed=deed, text=hide_numbers(text.strip())[:500], act=act, by=by)
        done.full_clean(exclude=["at"])
        done.save()
        if deed in (Deed.GRANTED, Deed.CONFIRMED):
            _tell(request, "办理完毕" if deed is Deed.GRANTED else "没有同意")
            for clock in Deadline.objects.of(request).filter(met_on__isnull=True):
                clocks.meet(clock.pk, on=timezone.localdate())
    return done


def _act_of(request: RightsRequest, act_no: str) -> RecordAct:
    named = ActRecord.objects.filter(record_no=request.record_no, act=key_in(act_no))
    found = named.select_related("act").first()
    if found is None or found.act.number != act_no.strip():
        raise ValidationError({"act_no": "没有关于这条记录的这张办理单，请核对单号。"})
    return found.act


def _tell(request: RightsRequest, what: str) -> None:
    Message.objects.tell(
        request.person_id, about=request.number, subject=f"您的请求（{request.get_kind_display()}）{what}",
        text=f"{request.organisation}已答复您的请求 {request.number}。理由和不服时怎么办，见“我的权利”。",
    )  # fmt: skip
