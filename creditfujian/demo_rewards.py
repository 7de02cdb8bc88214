"""Demo of rewards: a programme in force, one that waits; cases in every state that officials, citizens and the public meet."""

import io
from collections.abc import Callable

from django.utils import timezone

from access.actions import Asker
from accounts.models import Person, User
from catalogue.models import Article, Item
from creditfujian.demo_consents import SCAN
from creditfujian.demo_counter import open_account
from creditfujian.demo_people import Somebody
from sanctions import reward_night, reward_papers, reward_programmes, reward_reading, rewards
from sanctions.models import RewardBenefit, RewardCase, RewardPaper, RewardProgramme
from sanctions.reward_papers import Signed
from sanctions.reward_programmes import Benefit
from sanctions.rewards import Nomination

HONOURS = "FJ1-11-CULT-0001"
OFFICER, HEAD = "honour_officer", "honour_head"
Kind, Source = RewardBenefit.Kind, RewardProgramme.Source


Decision = Callable[..., object]


def load(crowd: list[Somebody], *, password: str, penalise: Callable[[list[Somebody]], object]) -> str:
    """Propose, confirm, nominate, answer, check, decide as people would; `citizen3` is asked and has not answered.

    `crowd` are nine people without records; their accounts have the password given. `penalise` delivers a penalty about
    somebody. Says what was done.
    """
    volunteers = _programme("JL-2026-01", "优秀志愿者守信激励", Source.VOLUNTEER, confirmed=True)
    _programme("JL-2026-02", "诚信会员守信激励", Source.MEMBER, confirmed=False)
    citizens = [open_account(one, f"volunteer{number}", password) for number, one in enumerate(crowd, start=1)]
    paper, checked, announced, granted, published, returned, left, declined, hit = citizens
    third = User.objects.get(username="citizen3")
    for number, user in enumerate([third, *citizens], start=5):
        _nominate(volunteers, user, number)
    _answer(declined, agrees=False)
    for user in (checked, announced, granted, published, returned, left, hit):
        _answer(user, agrees=True, notice=user is announced, publish=user is not granted)
    _decide(announced, rewards.announce)
    reward_reading.object_to(_case(announced), "去年的服务时长是不是含了单位组织的活动，请核对。")
    for user in (granted, published, left, hit):
        _decide(user, rewards.grant)
    _decide(
        returned,
        lambda case, by: rewards.turn_down(case, text="认定文件正在复核，本次不予授予；复核以后可以重新推荐。", by=by),
    )
    rewards.withdraw(_person(left), _case(left).number, by=_home(left))
    _on_paper(paper)
    penalise(crowd[-1:])
    reward_night.nightly()
    states = RewardCase.objects.values_list("state", flat=True)
    return f"激励项目 2 个（1 个待确认），激励办理 {len(states)} 件、{len(set(states))} 种状态"


def _programme(code: str, name: str, source: RewardProgramme.Source, *, confirmed: bool) -> RewardProgramme:
    officer = User.objects.select_related("organisation").get(username=OFFICER)
    assert officer.organisation is not None
    basis = Article.objects.get(instrument__code="GBF2016-98", number="守信激励条款")
    benefits = [
        Benefit(Kind.GREEN, "办理市场主体登记走绿色通道，专人导办", officer.organisation, basis),
        Benefit(Kind.LATER, "次要材料暂缺的，承诺补齐后先受理", officer.organisation, basis),
    ]
    made = reward_programmes.propose(
        benefits=benefits, by=officer, code=code, name=name, source=source, item=Item.objects.get(code=HONOURS), basis=basis,
        term_months=36, term_source="表彰文件没有规定期限，本站设定三年", shown=["name", "honour", "year"],
        valid_from=timezone.localdate(),
    )  # fmt: skip
    return reward_programmes.confirm(made.pk, by=User.objects.get(username="credit_office")) if confirmed else made


def _nominate(programme: RewardProgramme, user: User, number: int) -> None:
    person, today = _person(user), timezone.localdate()
    wanted = Nomination(
        programme=programme, id_number=person.id_number(), name=person.name, honour="2026年度全省优秀志愿者", year="2026",
        award_no=f"闽文明办〔2026〕{number}号", award_on=today, reason="累计志愿服务六百小时以上，群众评议良好。",
    )  # fmt: skip
    assert rewards.nominate(wanted, by=_staff(OFFICER)) is not None


def _answer(user: User, **said: bool) -> None:
    rewards.answer(_person(user), _case(user).number, by=_home(user), **said)


def _decide(user: User, deed: Decision) -> None:
    """Read the check and decide, as the unit's head does."""
    case = _case(user)
    reward_reading.check_of(case, by=_staff(HEAD))
    deed(case, by=User.objects.get(username=HEAD))


def _on_paper(user: User) -> None:
    """Leave an answer on paper that waits for the second clerk."""
    person, case = _person(user), _case(user)
    signed = Signed(
        case.number, person.id_number(), person.name, RewardPaper.Deed.ANSWER, True, False, True, timezone.localdate(),
        io.BytesIO(SCAN + case.number.encode()), "书面答复.pdf",
    )  # fmt: skip
    assert reward_papers.enter(signed, by=_staff("clerk")) is not None


def _case(user: User) -> RewardCase:
    return RewardCase.objects.select_related("programme", "organisation", "nominated_by").get(person=user.person_id)


def _person(user: User) -> Person:
    assert user.person is not None
    return user.person


def _staff(username: str) -> Asker:
    return Asker(User.objects.get(username=username), "工作平台")


def _home(user: User) -> Asker:
    return Asker(user, "公示网站")
