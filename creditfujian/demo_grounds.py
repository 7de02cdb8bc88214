"""Demo of agents, near relatives and official letters: in the states that clerks, officials, auditor and citizen meet."""

import io
from datetime import date, timedelta

from django.utils import timezone

from access import authorities, letters
from access.actions import Asker
from access.authorities import Entry
from access.letters import Stated
from access.models import Authority, OfficialLetter
from accounts.models import User
from catalogue.models import Item
from creditfujian.demo_consents import CERTIFICATES, SCAN
from creditfujian.lib import identity
from records import agents, letter_answers
from records.agents import Papers
from records.letter_answers import Received
from records.reading import file_by_authority, file_by_letter

Basis, Sender = Authority.Basis, OfficialLetter.Sender
AGENTS = [("方代理", identity.invent(date(1975, 2, 3), 21)), ("石亲属", identity.invent(date(1988, 9, 1), 22))]


def load(deceased: tuple[str, str], penalties: Item) -> str:
    """Enter, decide and carry out as people would; `deceased` is somebody dead (name, number). Says what was done."""
    items = [penalties.pk, Item.objects.get(code=CERTIFICATES).pk]
    _agents(_who("citizen"), _who("citizen2"), deceased, items)
    _letters(_who("citizen"), _who("citizen2"), items)
    return (
        f"代理人、近亲属查询 {Authority.objects.count()} 份：待复核、有效、未通过、已撤销；"
        f"公函 {OfficialLetter.objects.count()} 份：待审核、暂不显示、当时就看得到、申请延期"
    )


def _who(username: str) -> tuple[str, str]:
    person = User.objects.get(username=username).person
    assert person is not None
    return person.name, person.id_number()


def _staff(username: str) -> Asker:
    return Asker(User.objects.get(username=username), "工作平台")


def _agents(citizen: tuple[str, str], second: tuple[str, str], deceased: tuple[str, str], items: list[int]) -> None:
    """Leave one in force that was used, one refused, one revoked, one of kin that was used, one that waits."""
    clerk = _staff("clerk")
    used = _approved(_entered(citizen, items, purpose="代办食品经营许可"))
    file_by_authority(used.pk, by=clerk)
    refused = _entered(citizen, items, purpose="代办贷款")
    _opened(refused)
    agents.refuse(refused.pk, by=User.objects.get(username="credit_office"), reason="委托书没有写明查询的条目")
    revoked = _approved(_entered(citizen, items, purpose="代办招投标"))
    authorities.revoke(revoked.number, by=Asker(User.objects.get(username="citizen"), "公示网站"))
    kin = _approved(_entered(deceased, items, purpose="核实死者生前的行政处罚，办理继承", kin=True))
    file_by_authority(kin.pk, by=clerk)
    _entered(second, items[:1], purpose="代办营业执照变更")


def _entered(who: tuple[str, str], items: list[int], *, purpose: str, kin: bool = False) -> Authority:
    agent, n = AGENTS[int(kin)], Authority.objects.count()
    entry = Entry(
        basis=Basis.KIN if kin else Basis.ATTORNEY, name=who[0], id_number=who[1], agent_name=agent[0], agent_number=agent[1],
        relation="child" if kin else "", purpose=purpose, items=items, valid_until=timezone.localdate() + timedelta(days=60),
    )  # fmt: skip
    authority = agents.enter(Papers(entry, io.BytesIO(SCAN + b"%" * (n + 1)), "材料.pdf"), by=_staff("clerk"))
    assert authority is not None
    return authority


def _opened(authority: Authority) -> None:
    agents.scan_of(authority.paper, by=_staff("credit_office"))


def _approved(authority: Authority) -> Authority:
    _opened(authority)
    return agents.approve(authority.pk, by=User.objects.get(username="credit_office"))


def _letters(citizen: tuple[str, str], second: tuple[str, str], items: list[int]) -> None:
    """Leave one held back with an extension that waits, one seen at once, one that waits for its decision."""
    office, other = User.objects.get(username="credit_office"), User.objects.get(username="credit_office2")
    soon = timezone.localdate() + timedelta(days=120)
    held = _registered([citizen, second], items, "榕虚法函〔2026〕31号", "财产保全前告知将妨碍执行", soon)
    shown = _registered([citizen], items[:1], "榕虚检函〔2026〕7号", "", None, sender=Sender.PROCURATORATE)
    for letter in (held, shown):
        letter_answers.scan_of(letter.paper, by=_staff("credit_office2"))
        letter_answers.approve(letter.pk, by=other)
        for named in letter.persons.all():
            file_by_letter(letter.pk, named.person_id, by=_staff("credit_office"))
    letters.ask_extension(held.pk, release_on=soon + timedelta(days=90), reason="案件尚在执行，来函要求延期", by=office)
    _registered([second], items, "榕虚监函〔2026〕2号", "审查调查期间依法保密", None, sender=Sender.SUPERVISION)


def _registered(
    persons: list[tuple[str, str]], items: list[int], number: str, withhold: str, release_on: date | None, *,
    sender: OfficialLetter.Sender = Sender.COURT,
) -> OfficialLetter:  # fmt: skip
    names = {Sender.COURT: "榕江市虚拟人民法院", Sender.PROCURATORATE: "榕江市虚拟人民检察院"}
    laws = {
        Sender.COURT: "《民事诉讼法》第七十条、第二百五十三条", Sender.PROCURATORATE: "《人民检察院组织法》第二十一条",
        Sender.SUPERVISION: "《监察法》第十八条",
    }  # fmt: skip
    stated = Stated(
        sender=sender, sender_name=names.get(sender, "榕江市虚拟监察委员会"), letter_no=number,
        letter_on=timezone.localdate() - timedelta(days=2), officers=["周执行", "吴书记"], certificates=["演示-0007", "演示-0012"],
        legal_basis=laws[sender], case_no=f"（2026）闽9901办{len(number)}号", items=items, withhold=bool(withhold),
        withhold_basis=withhold, release_on=release_on,
    )  # fmt: skip
    return letter_answers.register(
        Received(stated, persons, io.BytesIO(SCAN + number.encode()), "公函.pdf"), by=_staff("credit_office")
    )
