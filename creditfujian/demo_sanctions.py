"""Rosters in force, and cases of the market authority as far as they come on the day they are opened: the window runs from today."""

import hashlib
from collections.abc import Sequence
from datetime import timedelta

from django.utils import timezone

from access.actions import Asker
from access.web import STAFF_SITE
from accounts.models import Organisation, Person, User
from sanctions import cases, rosters, starter
from sanctions.case_models import ListingCase
from sanctions.models import CasePaper, Measure, Roster

STORIES = (
    ("生产销售不符合食品安全标准的食品", "货值金额二十八万元，经责令召回拒不改正"),
    ("销售假冒知名品牌的电线电缆", "货值金额四十万元，经检验不合格"),
    ("虚构交易骗取消费者预付款", "涉及消费者六十二人，拒不退款"),
    ("提交虚假材料取得登记", "冒用他人身份信息登记，经两次责令拒不改正"),
    ("销售超过使用期限的化妆品", "货值金额十五万元，篡改生产日期"),
    ("商业贿赂扰乱市场秩序", "金额三十万元，情节严重"),
)

REASONS = "《市场监督管理严重违法失信名单管理办法》第五条至第十条、第十二条"


def load(organisations: dict[str, Organisation], numbers: Sequence[str]) -> str:
    """Enter rosters, measures, grants and a case in each state that a case reaches on its first day; say what was entered."""
    proposes, confirms = (User.objects.get(username=name) for name in ("credit_office", "credit_office2"))
    starter.load_starter(proposes=proposes, confirms=confirms)
    market, roster = organisations["MRKT"], Roster.objects.get(code="market")
    for organisation, permission in ((market, "decide"), (market, "consent"), (organisations["TRAN"], "check")):
        grant = rosters.ask_grant(
            organisation=organisation, roster=roster, permission=permission, basis="市场监督管理总局令第44号；办理道路运输许可的审查职责",
            reason="演示：履职需要", by=proposes,
        )  # fmt: skip
        rosters.confirm_grant(grant.pk, by=confirms)
    made = [_case(roster, number, at) for at, number in enumerate(numbers[: len(STORIES)])]
    return f"名单制度 {Roster.objects.count()} 个，措施 {Measure.objects.count()} 项，列入案件 {len(made)} 件"


def _by(username: str) -> Asker:
    return Asker(User.objects.get(username=username), STAFF_SITE)


def _paper(case: ListingCase, kind: str, number: str = "") -> CasePaper:
    digest = hashlib.sha256(f"{case.number}{kind}".encode()).hexdigest()
    return cases.add_paper(case, kind, digest=digest, number=number, by=_by("decider_officer"))


def _case(roster: Roster, number: str, at: int) -> ListingCase:
    """Walk a case as many steps as its place in the row says."""
    person = Person.objects.holder_of(number)
    assert person is not None
    today, officer = timezone.localdate(), _by("decider_officer")
    assert officer.user is not None
    document = cases.Document(
        "P", f"闽市监处罚〔{today.year}〕{900 + at}号", str(officer.user.organisation), today - timedelta(days=45),
        today - timedelta(days=38), hashlib.sha256(f"处罚决定书{at}".encode()).hexdigest(),
    )  # fmt: skip
    case = cases.open_case(
        roster=roster, person=person, category="self", acts=[at % 6 + 1], act_end=today - timedelta(days=70), document=document,
        by=officer,
    )  # fmt: skip
    summary, facts = STORIES[at]
    measures = list(Measure.objects.in_force(today).filter(rosters=roster).exclude(kind="A").order_by("code"))
    steps = (
        lambda: cases.draft(
            case.pk, facts=f"{summary}，{facts}。", reasons=REASONS, summary=summary,
            evidence=[{"name": "行政处罚决定书", "source": "本机关"}, {"name": "检验报告", "source": "省检验院（演示）"}],
            measures=measures, term_months=36, public=True, by=officer),
        lambda: cases.cosign(case.pk, by=_by("decider_officer2")),
        lambda: cases.issue_notice(case.pk, paper=_paper(case, "notice", f"闽市监列告〔{today.year}〕{at}号"), by=officer),
        lambda: cases.notice_served(case.pk, way="in_person", on=today, proof=_paper(case, "notice_receipt"), by=officer),
        lambda: cases.file_defence(case.pk, text="货值金额计算有误，请复核进货单据。", by=officer),
    )  # fmt: skip
    for step in steps[:at]:
        step()
    return case
