"""Demo of the second look at readings: one answered and closed, one answered, others open."""

from django.utils import timezone

from access import reviews
from access.actions import Asker
from access.models import Anomaly, Purpose, Request
from accounts.models import User
from catalogue.models import Item
from creditfujian.demo_people import Somebody
from records.reading import Registration, file_by_request, register


def load(one: Somebody, other: Somebody, item: Item) -> str:
    """Read with a case number that is none, be refused five times, draw a sample; then answer as people would."""
    officer, curious, head, elsewhere, auditor = (
        User.objects.get(username=name)
        for name in ("decider_officer", "transport_officer", "decider_head", "transport_data_reviewer", "auditor")
    )
    request = register(_form(one, item, "待补"), by=Asker(officer, "工作平台"))
    assert isinstance(request, Request)
    file_by_request(request, by=Asker(officer, "工作平台"))
    for number in range(1, 6):
        register(_form(other, item, f"闽交运〔2026〕{number}号"), by=Asker(curious, "工作平台"))
    today = timezone.localdate()
    reviews.look_at(today)
    reviews.sample_each_reader(today)
    answered = Anomaly.objects.get(sign="no_case")
    reviews.answer(
        answered, verdict="mistaken", text="登记时尚未编号，案件现为闽市监检〔2026〕9号，已告诫经办人", by=head
    )
    answered.refresh_from_db()
    reviews.lines_of(answered, by=auditor)
    reviews.close(answered, text="与案卷一致", by=auditor)
    refused = Anomaly.objects.get(sign="refused")
    reviews.answer(refused, verdict="mistaken", text="误选了本单位没有获准的条目，已培训", by=elsewhere)
    return f"查询核查 {Anomaly.objects.count()} 件，已办结 {answered.number}"


def _form(somebody: Somebody, item: Item, case_no: str) -> Registration:
    return Registration(
        id_number=somebody.id_number, name=somebody.name, items=[item], purpose=Purpose.SUPERVISION,
        purpose_text="日常检查前核实", duty_code="350000-MRKT-0107", case_no=case_no,
    )  # fmt: skip
