"""Rewards in every state, for tests: made by the people who make them."""

import io
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from django.contrib.auth.models import Group
from django.utils import timezone

from access.actions import Asker
from accounts.actions import register_organisation
from accounts.models import Organisation, Person, Region, Role, User
from catalogue import grants, publishing, starter, starter_data
from catalogue.models import Article, Item, ItemGrant, ItemVersion
from creditfujian.tests.cast import CITIZEN_NUMBER, OTHER_NUMBER, PASSWORD, Cast, credit_code
from sanctions import reward_papers, reward_programmes, reward_reading, rewards
from sanctions.models import RewardBenefit, RewardCase, RewardPaper, RewardProgramme
from sanctions.reward_papers import Signed
from sanctions.reward_programmes import Benefit
from sanctions.rewards import Nomination

HONOURS = "FJ1-11-CULT-0001"
HONOUR = "2026年度全省优秀志愿者"
BASIS = ("GBF2016-98", "守信激励条款")


@dataclass(frozen=True)
class Awarders:
    """The office that awards: who nominates, who decides, a second who nominates."""

    office: Organisation
    officer: User
    head: User
    item: Item
    programme: RewardProgramme


def staff(username: str, name: str, where: Organisation, *roles: Role) -> User:
    user = User(username=username, name=name, organisation=where, is_staff=True)
    user.set_password(PASSWORD)
    user.save()
    user.groups.set(Group.objects.filter(name__in=roles))
    return user


def as_(user: User, channel: str = "工作平台") -> Asker:
    return Asker(user, channel, "192.0.2.0/24")


def at_home(user: User) -> Asker:
    return Asker(user, "公示网站", "192.0.2.0/24")


def honours(cast: Cast, office: Organisation) -> Item:
    """The item of honours, in force, supplied by the office; entered beside the first edition as a second one."""
    hands = starter.Hands(cast.data_officer, cast.legal_reviewer, cast.credit_office_2, cast.credit_office)
    row = next(one for one in starter_data.items() if one["code"] == HONOURS)
    row["effective_from"] = timezone.localdate().isoformat()
    version = starter._draft(row, office, hands)
    starter._walk([version], hands)
    publishing.publish(
        number="FJ-2026-02", title="福建省自然人公共信用信息征集目录（荣誉）", by=hands.approver, earlier_notice=starter.NOTICE,
        published_on=timezone.localdate(),
    )  # fmt: skip
    assert ItemVersion.objects.in_force(timezone.localdate()).filter(item=version.item).exists()
    waiting = (
        ItemGrant.objects.to_confirm_by(hands.assessor).filter(item=version.item).select_related("organisation", "item")
    )
    grants.confirm_together(list(waiting), by=hands.assessor)
    return version.item


def awarders(cast: Cast) -> Awarders:
    """An office with a programme in force, by two hands."""
    province = Region.objects.get(pk="350000")
    office = register_organisation(
        uscc=credit_code(41), name="省委文明办", kind="department", region=province, code="WMBA"
    )
    item = honours(cast, office)
    officer = staff("wm_officer", "推荐人巳", office, Role.DECIDER_OFFICER, Role.DATA_OFFICER)
    head = staff("wm_head", "决定人午", office, Role.DECIDER_HEAD, Role.DATA_REVIEWER)
    proposed = proposed_by(officer, item)
    programme = reward_programmes.confirm(proposed.pk, by=cast.credit_office)
    return Awarders(office, officer, head, item, programme)


def basis() -> Article:
    code, number = BASIS
    return Article.objects.get(instrument__code=code, number=number)


def benefit(office: Organisation, **changes: Any) -> Benefit:
    made = Benefit(RewardBenefit.Kind.GREEN, "办理市场主体登记时走绿色通道", office, basis())
    return replace(made, **changes)


def proposed_by(officer: User, item: Item, **changes: Any) -> RewardProgramme:
    """A programme for volunteers, proposed."""
    assert officer.organisation is not None
    benefits = changes.pop("benefits", [benefit(officer.organisation)])
    values = {
        "code": "JL-2026-01", "name": "优秀志愿者守信激励", "source": RewardProgramme.Source.VOLUNTEER, "item": item,
        "basis": basis(), "term_months": 36, "term_source": "表彰文件没有规定期限，本站设定三年",
        "shown": ["name", "honour", "year"], "valid_from": timezone.localdate(), **changes,
    }  # fmt: skip
    return reward_programmes.propose(benefits=benefits, by=officer, **values)


def nomination(to: Awarders, **changes: Any) -> Nomination:
    made = Nomination(
        programme=to.programme, id_number=CITIZEN_NUMBER, name="陈小满", honour=HONOUR, year="2026",
        award_no="闽文明办〔2026〕5号", award_on=awarded_on(), reason="三年累计志愿服务六百小时",
    )  # fmt: skip
    return replace(made, **changes)


def awarded_on() -> date:
    """Today: the item of the test is in force since then."""
    return timezone.localdate()


def nominated(to: Awarders, **changes: Any) -> RewardCase:
    """The citizen, nominated and asked."""
    case = rewards.nominate(nomination(to, **changes), by=as_(to.officer))
    assert case is not None
    return case


def agreed(cast: Cast, to: Awarders, *, notice: bool = True, publish: bool = True, **changes: Any) -> RewardCase:
    """The citizen said yes."""
    case = nominated(to, **changes)
    return rewards.answer(
        person(cast), case.number, agrees=True, notice=notice, publish=publish, by=at_home(cast.citizen)
    )


def looked(case: RewardCase, by: User) -> list[reward_reading.Hit]:
    """The result of the check, read by an official with a line."""
    return reward_reading.check_of(case, by=as_(by))[1]


def granted(cast: Cast, to: Awarders, *, publish: bool = True, **changes: Any) -> RewardCase:
    """Granted without a notice, which the citizen did not want, and public if they want that."""
    case = agreed(cast, to, notice=False, publish=publish, **changes)
    looked(case, to.head)
    return rewards.grant(case, by=to.head)


def person(cast: Cast) -> Person:
    assert cast.citizen.person is not None
    return cast.citizen.person


def on_stage(cast: Cast) -> tuple[RewardCase, RewardPaper]:
    """A programme of the market authority, the citizen's case under check with their paper, another's in public notice."""
    item = honours(cast, cast.market)
    programme = reward_programmes.confirm(proposed_by(cast.officer_here, item).pk, by=cast.credit_office)
    to = Awarders(cast.market, cast.officer_here, cast.head, item, programme)
    case = agreed(cast, to)
    other = nominated(to, id_number=OTHER_NUMBER, name="林大雪")
    assert cast.other_citizen.person is not None
    other = rewards.answer(
        cast.other_citizen.person, other.number, agrees=True, notice=True, publish=True, by=at_home(cast.other_citizen)
    )
    looked(other, cast.head)
    rewards.announce(other, by=cast.head)
    paper = entered(cast, case)
    assert paper is not None
    return case, paper


def entered(cast: Cast, case: RewardCase, **changes: Any) -> RewardPaper | None:
    """A paper of the citizen, entered by the clerk."""
    signed = Signed(
        case.number, CITIZEN_NUMBER, "陈小满", RewardPaper.Deed.ANSWER, True, False, True, timezone.localdate(),
        io.BytesIO(b"%PDF-1.7 " + case.number.encode()), "答复.pdf",
    )  # fmt: skip
    return reward_papers.enter(replace(signed, **changes), by=as_(cast.clerk))
