"""Demo of what goes further than a registration: a whole number shown, one emergency closed, one with its alarm standing."""

from access import reviews
from access.actions import Asker
from access.models import Purpose, Request, UnmaskReason, UrgentGround, UrgentReading
from accounts.models import User
from accounts.sign_in_log import Door, write
from accounts.sign_in_models import Event, Method
from catalogue.models import Item
from creditfujian.demo_people import Somebody
from records.glass import Emergency, file_in_emergency, open_in_emergency, whole_number
from records.reading import Registration, register


def load(one: Somebody, other: Somebody, item: Item) -> str:
    """Show a number for a document; open two files in an emergency, of which one is answered for and closed."""
    officer, office, elsewhere, auditor = (
        User.objects.get(username=name) for name in ("decider_officer", "credit_office", "transport_officer", "auditor")
    )
    request = register(
        Registration(
            id_number=one.id_number, name=one.name, items=[item], purpose=Purpose.PENALTY, purpose_text="制作处罚决定书",
            duty_code="350000-MRKT-0107", case_no="闽市监罚〔2026〕21号",
        ),
        by=_confirmed(officer),
    )  # fmt: skip
    assert isinstance(request, Request)
    whole_number(request, reason=UnmaskReason.DOCUMENT, words="制作处罚决定书", by=_confirmed(officer))
    closed = _emergency(
        one, item, "LIFE", "接警〔2026〕118号", "客车坠河，须立即查明车主的食品运输处罚情况以便施救", elsewhere
    )
    reviews.answer(closed.anomaly, verdict="justified", text="与接警单、应急值班记录一致", by=office)
    closed.anomaly.refresh_from_db()
    reviews.close(closed.anomaly, verdict="justified", text="情况属实，只看了所需条目", by=auditor)
    standing = _emergency(
        other, item, "EMERG", "应急〔2026〕7号", "台风应急响应期间须立即核实转运车辆经营者的情况", elsewhere
    )
    return f"紧急查询：{closed.number} 已办结，{standing.number} 报警未解除"


def _confirmed(user: User) -> Asker:
    """The officer, who has shown the second factor again at the door."""
    write(Event.CONFIRMED, user, Door(), method=Method.TOTP)
    return Asker(user, "工作平台")


def _emergency(whom: Somebody, item: Item, ground: str, incident_no: str, facts: str, by: User) -> UrgentReading:
    opened = open_in_emergency(
        Emergency(
            id_number=whom.id_number, name=whom.name, items=[item], ground=UrgentGround.objects.get(pk=ground),
            incident_no=incident_no, facts=facts,
        ),
        by=_confirmed(by),
    )  # fmt: skip
    assert isinstance(opened, UrgentReading)
    file_in_emergency(opened, by=Asker(by, "工作平台"))
    return opened
