"""Demo of the citizen's side: a look questioned and explained, one by a bank that waits for its answer, requests of right."""

from access import questions, reviews
from access.actions import Asker
from access.models import Kind
from access.reading import access_history
from accounts.models import User
from records import rights
from records.explained import explained
from records.rights_models import RightsRequest


def load() -> str:
    """Question two looks and ask the supplier for something, as people would; say what was done."""
    citizen, second = (User.objects.get(username=name) for name in ("citizen", "citizen2"))
    head, auditor = (User.objects.get(username=name) for name in ("decider_head", "auditor"))
    assert head.organisation is not None
    answered, waits = _ask(citizen, Kind.DUTY, head.organisation.uscc), _ask(citizen, Kind.CONSENT)
    reviews.answer(
        answered.anomaly, verdict="justified", text="已核对案卷，编号与登记一致", by=head,
        told="双随机检查抽中了您登记的作坊，检查前依《市场主体登记管理条例》第三十八条核实既往处罚，只看了行政处罚一项。",
    )  # fmt: skip
    answered.anomaly.refresh_from_db()
    reviews.close(answered.anomaly, text="与案卷一致", by=auditor)
    correct = _request(citizen, RightsRequest.Kind.CORRECT, "罚款已按期缴清，请补充履行情况。")
    _request(second, RightsRequest.Kind.EXPLAIN, "不清楚公示期为什么到这一天。")
    return f"本人疑问 {answered.number} 已有结论、{waits.number} 待答复；权利请求 {correct.number} 等 2 件待答复"


def _ask(citizen: User, kind: Kind, unit: str = "") -> questions.Question:
    """Question the latest look of that kind, of that unit, that gave something; what a review has closed is explained."""
    assert citizen.person is not None
    line = next(
        one for one in access_history(citizen.person)
        if one.kind is kind and unit in one.uscc and not one.refused and not one.listed and not one.reviewed.verdict
    )  # fmt: skip
    return questions.ask(citizen.person, line.seq, by=Asker(citizen, "公示网站"))


def _request(citizen: User, kind: RightsRequest.Kind, text: str) -> RightsRequest:
    assert citizen.person is not None
    by = Asker(citizen, "公示网站")
    market = next(one for one in explained(citizen.person, by=by) if "市场监督管理局" in one.view.provider)
    return rights.ask(citizen.person, kind, market.view.number, text, by=by)
