"""The pages of rosters and cases: each step by its form and by the hand whose duty it is; everybody else is told no."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from access.models import Query
from accounts.models import Person, User
from creditfujian.lib import identity
from creditfujian.lib.workdays import add_months
from creditfujian.tests.cast import Cast
from records.tests.life import themselves
from sanctions.models import CaseFile, Listing, ListingCase, Measure, RosterGrant, RosterVersion
from sanctions.tests.stage import (
    BORN,
    FACTS,
    Stage,
    a_year_later,
    day_after,
    digest,
    own_days,  # noqa: F401 – the days
    stage,  # noqa: F401 – the fixture
)

pytestmark = pytest.mark.django_db

As = Callable[[User | None], Client]
CASES = "/admin/sanctions/listingcase/"
NUMBER = identity.invent(BORN, 71)
NOT_YOURS = "案件现在不能由您办理这一步"
HANDS = ("officer", "second", "reviewer", "legal", "head")


def ago(days: int) -> str:
    return (timezone.localdate() - timedelta(days=days)).isoformat()


def opening(stage: Stage, **changes: Any) -> dict[str, Any]:  # noqa: F811
    return {
        "roster": stage.roster.pk, "id_number": NUMBER, "name": "郑清和", "category": "self", "acts": "1", "act_end": ago(60),
        "document_kind": "P", "document_no": "闽市监处罚〔2026〕7号", "document_issuer": "省市场监督管理局", "document_on": ago(40),
        "document_effective_on": ago(30), "digest": digest("处罚决定书"),
    } | changes  # fmt: skip


def paper(kind: str, **more: Any) -> dict[str, Any]:
    return {
        "number": f"闽市监〔2026〕{kind}号",
        "issuer": "省市场监督管理局",
        "dated": ago(0),
        "digest": digest(kind),
        **more,
    }


def drafting(stage: Stage, **changes: Any) -> dict[str, Any]:  # noqa: F811
    return {
        "facts": FACTS, "reasons": "总局令第44号第五条", "summary": "销售不合格食品", "term_months": "36", "public": "on",
        "evidence": "行政处罚决定书｜本机关\n检验报告｜省检验院", "measures": [measure.pk for measure in stage.measures],
    } | changes  # fmt: skip


def text(answer: Any) -> str:
    return answer.content.decode()


def opened(stage: Stage, as_user: As) -> ListingCase:  # noqa: F811
    answer = as_user(stage.officer).post(f"{CASES}add/", opening(stage))
    assert answer.status_code == 302, text(answer)
    case = ListingCase.objects.get()
    assert answer["Location"] == f"{CASES}{case.pk}/change/"
    return case


def tried(user: User, case: ListingCase, name: str, data: dict[str, Any], as_user: As) -> HttpResponse:
    """Post a step as somebody; what the page says after it."""
    return as_user(user).post(f"{CASES}{case.pk}/step/{name}/", data, follow=True)  # type: ignore[return-value]


def whole(case: ListingCase) -> tuple[Any, ...]:
    """All that a step could have changed."""
    return (
        ListingCase.objects.values().get(pk=case.pk), CaseFile.objects.values().get(pk=case.pk), case.events.count(),
        case.papers.count(), list(case.case_measures.values("measure", "decided")),
    )  # fmt: skip


def step(stage: Stage, case: ListingCase, name: str, hand: str, data: dict[str, Any], to: str, as_user: As) -> None:  # noqa: F811
    """The step is nobody's but its hand's; by it, the case moves."""
    before = whole(case)
    twin = {"officer", "second"} if name != "cosign" and hand == "officer" else {hand}
    for other in sorted(set(HANDS) - twin):
        answer = tried(getattr(stage, other), case, name, data, as_user)
        assert NOT_YOURS in text(answer), f"{name} by {other}"
    for stranger in (stage.cast.officer_elsewhere, stage.cast.credit_office):
        assert tried(stranger, case, name, data, as_user).status_code in (403, 404), f"{name} by {stranger}"
    assert whole(case) == before
    user = getattr(stage, hand)
    page = as_user(user).get(f"{CASES}{case.pk}/step/{name}/")
    assert page.status_code == 200
    assert "返回案件" in text(page)
    assert f"step/{name}/" in text(as_user(user).get(f"{CASES}{case.pk}/change/")), "the case's page leads to the step"
    answer = tried(user, case, name, data, as_user)
    case.refresh_from_db()
    assert case.state == to, text(answer)
    assert "已办理" in text(answer)


def before_the_window(stage: Stage, as_user: As) -> ListingCase:  # noqa: F811
    case = opened(stage, as_user)
    step(stage, case, "draft", "officer", drafting(stage), "opened", as_user)
    step(stage, case, "cosign", "second", {}, "drafted", as_user)
    step(stage, case, "notice", "officer", paper("notice"), "noticed", as_user)
    step(
        stage,
        case,
        "notice_served",
        "officer",
        paper("notice_receipt", way="in_person", on=ago(0)),
        "defence_open",
        as_user,
    )
    step(stage, case, "defend", "officer", {"text": "货值没有那么大"}, "defence_received", as_user)
    return case


def after_the_window(stage: Stage, case: ListingCase, as_user: As) -> Listing:  # noqa: F811
    step(stage, case, "review", "reviewer", paper("review", text="以检验报告为准"), "reviewed", as_user)
    step(stage, case, "legal_check", "legal", paper("legal", text="程序合法"), "legal_check", as_user)
    measures = [measure.pk for measure in stage.measures[:1]]
    decision = paper("decision", text="事实清楚", term_months="24", public="on", measures=measures)
    step(stage, case, "decide", "head", decision, "decided", as_user)
    served = paper("receipt", way="in_person", on=ago(0), repair_digest=digest("修复告知书"))
    step(stage, case, "decision_served", "officer", served, "served", as_user)
    step(stage, case, "list", "officer", {}, "listed", as_user)
    return Listing.objects.get(case=case)


# --- opening -------------------------------------------------------------------------------------------


def test_the_form_says_what_may_be_chosen(stage: Stage, as_user: As) -> None:  # noqa: F811
    page = text(as_user(stage.officer).get(f"{CASES}add/"))
    assert all(act in page for act in stage.roster.versions.get().acts)
    assert "没有名单的现行授权" in text(as_user(stage.cast.officer_elsewhere).get(f"{CASES}add/"))


def test_a_case_is_opened_and_drafting_comes_next(stage: Stage, as_user: As) -> None:  # noqa: F811
    case = opened(stage, as_user)
    page = text(as_user(stage.officer).get(f"{CASES}{case.pk}/change/"))
    assert "郑清和" in page
    assert NUMBER not in page
    assert "step/draft/" in page
    assert case.number in text(as_user(stage.officer).get(CASES))
    assert "郑清和" not in text(as_user(stage.officer).get(CASES)), "the queue names nobody"


def test_a_name_that_is_not_the_registered_one_is_asked_back_and_the_person_sees_it(stage: Stage, as_user: As) -> None:  # noqa: F811
    answer = as_user(stage.officer).post(f"{CASES}add/", opening(stage, name="郑清河"))
    assert answer.status_code == 422
    assert "姓名与该证件号码登记的姓名不一致" in text(answer)
    assert not ListingCase.objects.exists()
    seen = text(as_user(themselves(stage.person).user).get("/me/access/"))
    assert "省市场监督管理局" in seen
    assert "姓名与证件号码不符，未立案" in seen


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"id_number": identity.invent(date(timezone.localdate().year - 17, 1, 2), 81), "name": "郑小和"}, "未满 18 周岁"),
        ({"acts": "9"}, "没有规定这一人员类别或者这一行为"), ({"acts": "一"}, "请填写序号"),
        ({"category": "legal", "employer": "某公司"}, "没有规定这一人员类别或者这一行为"),
        ({"document_effective_on": ago(-1)}, "认定文书须已经生效"), ({"document_effective_on": ago(50)}, "请核对文书日期和生效日期"),
        ({"act_end": ago(1)}, "行为终止日期不能晚于文书日期"), ({"digest": "abc"}, "SHA-256 为 64 位"),
        ({"id_number": "350102198503020000"}, "号码"),
    ],
)  # fmt: skip
def test_what_opens_no_case_is_said_and_enters_nobody(stage: Stage, as_user: As, changes: Any, words: str) -> None:  # noqa: F811
    known = Person.objects.count()
    stranger = {"id_number": identity.invent(BORN, 72), "name": "郑清平"}
    answer = as_user(stage.officer).post(f"{CASES}add/", opening(stage, **stranger | changes))
    assert answer.status_code == 422
    assert words in text(answer)
    assert not ListingCase.objects.exists()
    assert Person.objects.count() == known, "no case, no entry in the register"


def test_somebody_new_is_entered_with_their_case(stage: Stage, as_user: As) -> None:  # noqa: F811
    number = identity.invent(BORN, 72)
    answer = as_user(stage.officer).post(f"{CASES}add/", opening(stage, id_number=number, name="郑清平"))
    assert answer.status_code == 302, text(answer)
    assert ListingCase.objects.get().person == Person.objects.holder_of(number)


def test_who_is_no_officer_opens_nothing(stage: Stage, as_user: As) -> None:  # noqa: F811
    for user in (stage.reviewer, stage.legal, stage.head, stage.cast.credit_office, stage.cast.auditor):
        assert as_user(user).get(f"{CASES}add/").status_code == 403
        assert as_user(user).post(f"{CASES}add/", opening(stage)).status_code == 403
    answer = as_user(stage.cast.officer_elsewhere).post(f"{CASES}add/", opening(stage))
    assert answer.status_code == 422, "their unit has no grant of the roster"
    assert not ListingCase.objects.exists()


# --- from step to step ---------------------------------------------------------------------------------


def test_from_the_document_to_early_removal_by_the_pages(stage: Stage, as_user: As) -> None:  # noqa: F811
    case = before_the_window(stage, as_user)
    assert NOT_YOURS in text(tried(stage.reviewer, case, "review", paper("review", text="早"), as_user)), (
        "the window is open"
    )
    with day_after(case):
        listing = after_the_window(stage, case, as_user)
        assert (listing.period.upper, listing.measures.count()) == (add_months(case.decided_on, 24), 1)
        lines = Query.objects.filter(case_no=case.number).count()
        page = text(as_user(stage.head).get(f"{CASES}{case.pk}/change/"))
        assert listing.number in page
        assert f"{add_months(listing.period.lower, 12):%Y-%m-%d} 起，具备以下全部条件的可以提前移出" in page
        assert Query.objects.filter(case_no=case.number).count() == lines + 1, "each look at the page is a line"
        assert case.number in text(as_user(themselves(stage.person).user).get("/me/access/"))
        assert NOT_YOURS in text(
            tried(stage.head, case, "remove_early", paper("removal", note="已履行", shown=["1"]), as_user)
        )
        listings = text(as_user(stage.officer).get("/admin/sanctions/listing/"))
        assert listing.number in listings
        assert "郑清和" not in listings
        to_case = as_user(stage.officer).get(f"/admin/sanctions/listing/{listing.pk}/change/")
        assert to_case["Location"] == f"{CASES}{case.pk}/change/"
        assert (
            as_user(stage.cast.officer_elsewhere).get(f"/admin/sanctions/listing/{listing.pk}/change/").status_code
            == 404
        )
        step(stage, case, "suspend", "officer", paper("suspension", note="复议机关决定停止执行"), "suspended", as_user)
        step(stage, case, "resume", "head", paper("resumption", note="复议维持"), "listed", as_user)
    with a_year_later(stage, listing):
        some = tried(stage.head, case, "remove_early", paper("removal", note="已履行", shown=["1", "2", "3"]), as_user)
        assert some.status_code == 422
        assert "还没有证据证明的：作出守信承诺" in text(some)
        removal = paper("removal", note="已履行", shown=["1", "2", "3", "4"])
        step(stage, case, "remove_early", "head", removal, "removed_early", as_user)
        page = text(as_user(stage.head).get(f"{CASES}{case.pk}/change/"))
        assert "有证据证明：已经自觉履行" in page
        assert "提前移出，" in page


def test_other_ways_out_by_the_pages(stage: Stage, as_user: As) -> None:  # noqa: F811
    case = opened(stage, as_user)
    nothing = tried(stage.head, case, "close", {"note": ""}, as_user)
    assert nothing.status_code == 422
    step(stage, case, "close", "head", {"note": "文书录错，另行立案"}, "closed", as_user)
    opened_again = as_user(stage.officer).post(f"{CASES}add/", opening(stage))
    assert opened_again.status_code == 302, "the document may be dealt with anew"
    case = ListingCase.objects.latest("pk")
    step(stage, case, "draft", "officer", drafting(stage), "opened", as_user)
    step(stage, case, "cosign", "second", {}, "drafted", as_user)
    step(stage, case, "annul", "head", paper("annulment", note="处罚决定被撤销"), "annulled", as_user)


def test_not_listed_by_the_page(stage: Stage, as_user: As) -> None:  # noqa: F811
    case = before_the_window(stage, as_user)
    with day_after(case):
        step(stage, case, "review", "reviewer", paper("review", text="申辩成立"), "reviewed", as_user)
        step(stage, case, "decide_not", "head", paper("not_listing", note="情节轻微"), "not_listed", as_user)
        assert not Listing.objects.exists()


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"term_months": "48"}, "拟列入期限超过名单制度规定的期限"), ({"evidence": "检验报告"}, "名称｜来源"), ({"facts": ""}, "必填")],
)  # fmt: skip
def test_a_draft_that_cannot_stand_is_told_why(stage: Stage, as_user: As, changes: Any, words: str) -> None:  # noqa: F811
    case = opened(stage, as_user)
    answer = tried(stage.officer, case, "draft", drafting(stage, **changes), as_user)
    if answer.status_code == 200:
        answer = tried(stage.second, case, "cosign", {}, as_user)
    assert answer.status_code == 422
    assert words in text(answer)
    case.refresh_from_db()
    assert case.state == "opened"


def test_who_drafted_does_not_cosign(stage: Stage, as_user: As) -> None:  # noqa: F811
    case = opened(stage, as_user)
    step(stage, case, "draft", "officer", drafting(stage), "opened", as_user)
    again = text(as_user(stage.officer).get(f"{CASES}{case.pk}/step/draft/"))
    assert FACTS in again, "what was drafted is there to be changed"
    assert NOT_YOURS in text(tried(stage.officer, case, "cosign", {}, as_user))
    case.refresh_from_db()
    assert case.state == "opened"


# --- rosters, measures, grants: two hands --------------------------------------------------------------

VERSION, MEASURE, GRANT = (f"/admin/sanctions/{name}/" for name in ("rosterversion", "measure", "rostergrant"))


def a_version(stage: Stage) -> tuple[str, dict[str, Any], Any]:  # noqa: F811
    old = stage.roster.versions.get()
    uses = {
        f"basis_{use}": [base.article_id for base in old.bases.filter(use=use)]
        for use in ("list", "procedure", "publish", "remove")
    }
    return f"{VERSION}add/?roster={stage.roster.pk}", uses | {
        "grounds": old.grounds, "acts": "\n".join(old.acts), "categories": old.categories, "term_months": "24", "early_wait_months": "6",
        "early_conditions": "履行完毕", "relief": old.relief, "public": "on", "public_wait_days": "1", "source": "总局令",
        "public_fields": "\n".join(old.public_fields), "confidence": "M", "change_note": "缩短期限", "valid_from": ago(-1),
        **{f"{name}_clock": getattr(old, f"{name}_clock") for name in ("defence", "review", "decide", "serve", "publish", "lift")},
    }, RosterVersion  # fmt: skip


def a_measure(stage: Stage) -> tuple[str, dict[str, Any], Any]:  # noqa: F811
    known = Measure.objects.filter(kind="B").first()
    assert known is not None
    names = ("name", "kind", "content", "subject", "implementer_name", "proportionality", "source", "confidence")
    return f"{MEASURE}add/", {name: getattr(known, name) for name in names} | {
        "code": "Z-01", "basis": known.basis_id, "rosters": [stage.roster.pk], "published_on": ago(10), "valid_from": ago(0),
        "implementer": known.implementer_id or "",
    }, Measure  # fmt: skip


def a_grant(stage: Stage) -> tuple[str, dict[str, Any], Any]:  # noqa: F811
    return f"{GRANT}add/", {
        "organisation": stage.cast.transport.pk, "roster": stage.roster.pk, "permission": "check", "basis": "法", "reason": "招标核查",
    }, RosterGrant  # fmt: skip


@pytest.mark.parametrize("make", [a_version, a_measure, a_grant])
def test_one_proposes_by_the_page_and_another_confirms(stage: Stage, cast: Cast, as_user: As, make: Any) -> None:  # noqa: F811
    where, data, model = make(stage)
    known = model.objects.count()
    for user in (stage.head, stage.officer, cast.auditor):
        assert as_user(user).get(where).status_code == 403
        assert as_user(user).post(where, data).status_code == 403
    answer = as_user(cast.credit_office).post(where, data, follow=True)
    assert model.objects.count() == known + 1, text(answer)
    assert "等候省信用办另一名工作人员确认" in text(answer)
    proposal = model.objects.latest("pk")
    page = f"/admin/sanctions/{model._meta.model_name}/{proposal.pk}/"
    refused = as_user(cast.credit_office).post(f"{page}confirm/", follow=True)
    assert "须由省信用办另一名工作人员确认" in text(refused)
    assert "核对无误，确认生效" not in text(refused)
    as_user(stage.head).post(f"{page}confirm/")
    as_user(stage.head).post(f"{page}withdraw/", {"reason": "不要"})
    proposal.refresh_from_db()
    assert proposal.state == "draft"
    assert "核对无误，确认生效" in text(as_user(cast.credit_office_2).get(f"{page}change/"))
    assert "已确认" in text(as_user(cast.credit_office_2).post(f"{page}confirm/", follow=True))
    proposal.refresh_from_db()
    assert (proposal.state, proposal.confirmed_by) == ("in_force", cast.credit_office_2)


@pytest.mark.parametrize("make", [a_version, a_measure, a_grant])
def test_what_is_sent_back_says_why_and_is_not_in_force(stage: Stage, cast: Cast, as_user: As, make: Any) -> None:  # noqa: F811
    where, data, model = make(stage)
    as_user(cast.credit_office).post(where, data)
    proposal = model.objects.latest("pk")
    page = f"/admin/sanctions/{model._meta.model_name}/{proposal.pk}/"
    assert as_user(cast.credit_office_2).post(f"{page}withdraw/", {"reason": ""}).status_code == 422
    answer = as_user(cast.credit_office_2).post(f"{page}withdraw/", {"reason": "依据引错了条款"}, follow=True)
    assert "依据引错了条款" in text(answer)
    proposal.refresh_from_db()
    assert proposal.state == "withdrawn"
    as_user(cast.credit_office_2).post(f"{page}confirm/")
    proposal.refresh_from_db()
    assert proposal.state == "withdrawn", "what was sent back is not confirmed"


def test_nobody_else_is_led_to_a_form_of_rules(stage: Stage, cast: Cast, as_user: As) -> None:  # noqa: F811
    for user in (stage.head, stage.officer, cast.auditor, cast.system_admin):
        for page in (
            f"/admin/sanctions/roster/{stage.roster.pk}/propose/",
            f"{VERSION}add/",
            f"{VERSION}add/?roster={stage.roster.pk}",
        ):
            assert as_user(user).get(page).status_code == 403, page
    led = as_user(cast.credit_office).get(f"/admin/sanctions/roster/{stage.roster.pk}/propose/", follow=True)
    assert led.status_code == 200
    assert "提出规则" in text(led)
