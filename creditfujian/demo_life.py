"""The demo's records in every state: corrected, withdrawn, cancelled, repaired, marked; a statement; acts that wait."""

from datetime import timedelta

from django.utils import timezone

from access.actions import Asker
from access.models import Purpose, Request
from accounts.models import User
from catalogue.models import Item
from records import acts
from records.act_reading import records_of
from records.life_models import RecordAct
from records.reading import File, Registration, file_by_request, own_file, register
from records.statements import state

Kind = RecordAct.Kind


def load(people: list[tuple[str, str]], item: Item) -> None:
    """Enter them through the deeds that people use; `people` are names and numbers with a record of the item."""
    officer, reviewer, decider, head, office = (
        User.objects.get(username=name)
        for name in ("data_officer", "data_reviewer", "decider_officer", "decider_head", "credit_office")
    )
    numbers = [number for somebody in people if (number := _record_of(somebody, item, by=decider))]
    day = timezone.localdate() - timedelta(days=5)
    for act in (
        acts.ask(Kind.WITHDRAW, [numbers[0]], by=officer, reason="同一处罚重复报送"),
        acts.ask(Kind.CANCEL, [numbers[1]], by=officer, reason="处罚决定经行政复议撤销",
                 document_no="闽政行复〔2026〕12号", document_date=day),
    ):  # fmt: skip
        records_of(act, by=Asker(reviewer, "工作平台"))
        acts.decide(act.pk, by=reviewer, agree=True, note="情况属实")
    acts.mark(Kind.REVIEW, [numbers[2]], organisation=item.provider, by=officer, reason="当事人已申请行政复议",
              document_no="闽政行复〔2026〕15号", document_date=day)  # fmt: skip
    acts.mark(Kind.OBJECTION, [numbers[3]], organisation=item.provider, by=office, reason="本人提出异议：罚款金额有误",
              document_no="异议〔2026〕3号", document_date=day)  # fmt: skip
    acts.mark(Kind.OBJECTION, [numbers[4]], organisation=item.provider, by=office, reason="本人提出异议：不是本人",
              document_no="异议〔2026〕4号", document_date=day, hides=True)  # fmt: skip
    acts.carry_out_decided(
        Kind.REPAIR, [numbers[5]], organisation=item.provider, asked_by=decider, decided_by=head,
        reason="已履行完毕并作出信用承诺，准予修复", document_no="闽市监修〔2026〕8号", document_date=day,
    )  # fmt: skip
    acts.ask(Kind.WITHDRAW, [numbers[6]], by=officer, reason="当事人身份录入有误")
    refused = acts.ask(Kind.WITHDRAW, [numbers[7]], by=officer, reason="疑似重复")
    records_of(refused, by=Asker(reviewer, "工作平台"))
    acts.decide(refused.pk, by=reviewer, agree=False, note="核对文书号后不是重复，保留。")


def speak(citizen: User) -> None:
    """Let a citizen put words beside the first of their records."""
    assert citizen.person is not None
    by = Asker(citizen, "公示网站")
    mine = own_file(citizen.person, by=by).records
    state(citizen.person, mine[0].number, "登记证已交回，罚款已按期缴清，作坊已停业整改。", by=by)


def _record_of(somebody: tuple[str, str], item: Item, *, by: User) -> str:
    """Register and read like any officer; return the number of the record found, if any."""
    name, id_number = somebody
    form = Registration(
        id_number=id_number, name=name, items=[item], purpose=Purpose.SUPERVISION, purpose_text="核对本单位报送的记录",
        duty_code="350000-MRKT-0107", case_no="闽市监核〔2026〕1号",
    )  # fmt: skip
    request = register(form, by=Asker(by, "工作平台"))
    assert isinstance(request, Request)
    file = file_by_request(request, by=Asker(by, "工作平台"))
    return file.records[0].number if isinstance(file, File) and file.records else ""
