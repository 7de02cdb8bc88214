"""The catalogue's workflow through the pages: every hand by POST, and every hand that may not."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from accounts.models import Organisation, User
from catalogue import actions
from catalogue.models import (
    Article,
    Consultation,
    Edition,
    ImpactAssessment,
    Instrument,
    ItemVersion,
    ProhibitedCategory,
    Retirement,
)
from catalogue.refusals import SENTENCES, UNKNOWN
from catalogue.rules import add_months
from catalogue.tests.consulting import local_item
from catalogue.tests.editions import approved, assess, assessed, publish, submitted
from creditfujian.tests.cast import Cast

State = ItemVersion.State
As = Callable[[User | None], Client]
VERSION = "/admin/catalogue/itemversion"
TOMORROW = timedelta(days=1)


class Pages:
    """What somebody does in the browser."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def see(self, path: str, status: int = 200) -> str:
        answer = self.client.get(path)
        assert answer.status_code == status, (path, answer.status_code)
        return answer.content.decode()

    def do(self, path: str, status: int = 302, **data: Any) -> Any:
        answer = self.client.post(path, data)
        assert answer.status_code == status, (path, answer.status_code, told(answer))
        assert "/login/" not in answer.headers.get("Location", "")
        return answer

    def deed(self, version: ItemVersion, name: str, status: int = 302, **data: Any) -> str:
        return self.do(f"{VERSION}/{version.pk}/{name}/", status, **data).content.decode()

    def write(self, version: ItemVersion, status: int = 302, **changed: Any) -> Any:
        """Open the draft, change some inputs, save all of them as a browser would."""
        page = self.client.get(f"{VERSION}/{version.pk}/edit/")
        assert page.status_code == 200
        return self.do(f"{VERSION}/{version.pk}/edit/", status, **{**typed(page.context["draft"]), **changed})


def told(answer: Any) -> list[str]:
    context = answer.context
    if not context:
        return []
    draft, refused = context.get("draft"), context.get("refused")
    if refused is not None:
        return refused.reasons
    return [] if draft is None else [str(draft.form.errors), *(str(t.errors) for t in draft.tables.values())]


def typed(draft: Any) -> dict[str, Any]:
    """Return what a browser sends for an untouched draft."""
    groups = [draft.form, *draft.tables.values()]
    inputs = [field for group in groups for form in _forms(group) for field in form]
    sent: dict[str, Any] = {}
    for field in inputs:
        value = field.field.prepare_value(field.value())
        if isinstance(value, bool):
            value = "on" if value else None
        if value not in (None, ""):
            sent[field.html_name] = value.isoformat() if isinstance(value, date) else value
    return sent


def _forms(group: Any) -> list[Any]:
    return [group.management_form, *group.forms] if hasattr(group, "management_form") else [group]


@pytest.fixture
def pages(as_user: As) -> Callable[[User | None], Pages]:
    return lambda user: Pages(as_user(user))


def state(version: ItemVersion) -> str:
    return ItemVersion.objects.get(pk=version.pk).state


def reload(version: ItemVersion) -> ItemVersion:
    return ItemVersion.objects.get(pk=version.pk)


def law() -> Article:
    return Article.objects.filter(instrument__level=10).first() or pytest.fail("no law in the reference data")


ASSESSMENT = {
    "number": "PIA-2026-7001",
    "title": "条目",
    "purpose": "履行法定职责",
    "risks": "误认",
    "safeguards": "脱敏",
}


def dates(months: int = 12) -> dict[str, str]:
    today = timezone.localdate()
    return {"assessed_on": today.isoformat(), "valid_until": add_months(today, months).isoformat()}


# --- the whole way -------------------------------------------------------------------------------------


def test_a_new_item_goes_from_its_name_to_an_edition_through_every_hand(cast: Cast, pages: Any) -> None:
    officer, lawyer = pages(cast.data_officer), pages(cast.legal_reviewer)
    office, colleague = pages(cast.credit_office), pages(cast.credit_office_2)
    new = {
        "name": "市场监管领域撤销登记",
        "category": "03",
        "polarity": "N",
        "origin": "N",
        "behaviour": "以欺骗手段取得登记",
    }
    answer = officer.do("/admin/catalogue/item/add/", **new)
    draft = ItemVersion.objects.get(name=new["name"])
    assert draft.item.code == "FJ1-03-MRKT-0002"
    assert answer.url == f"{VERSION}/{draft.pk}/edit/"

    page = officer.see(answer.url)
    assert "还缺什么" in page
    assert "没有法律政策依据" in page
    assert "认定文书类型" in page
    assert "没有法律政策依据" in officer.deed(draft, "submit", 422), "what is missing is told before anything happens"

    officer.write(
        draft, legal_bases=[law().pk], document_type="P", severity_rule="C", repair_conditions=["DONE"],
        **{"fields-4-label": "撤销事由", "fields-4-code": "reason", "fields-4-datatype": "text",
           "fields-4-visible_to": ["SUBJECT", "DEPT"], "fields-4-length": "500"},
    )  # fmt: skip
    draft = reload(draft)
    assert [field.label for field in draft.fields.all()] == ["姓名", "证件号码", "文书号", "认定日期", "撤销事由"]
    assert "内容已齐" in officer.see(f"{VERSION}/{draft.pk}/change/")

    officer.deed(draft, "submit", note="请审核")
    lawyer.see("/admin/catalogue/itemversion/?waiting=review")
    lawyer.deed(draft, "take_up")
    lawyer.deed(draft, "pass_review", note="依据充分，层级符合规定")
    colleague.do(f"{VERSION}/{draft.pk}/assess/", **ASSESSMENT, **dates())
    assessment = ImpactAssessment.objects.get(number="PIA-2026-7001")
    office.do(f"/admin/catalogue/impactassessment/{assessment.pk}/review/", passed="1")
    office.deed(draft, "approve", note="同意")
    assert state(draft) == State.APPROVED

    preview = office.client.get("/admin/catalogue/edition/add/")
    assert [version.pk for version in preview.context["difference"].added] == [draft.pk]
    office.do("/admin/catalogue/edition/add/", publish="1", **edition_of(preview))
    assert state(draft) == State.PUBLISHED
    page = officer.see(f"{VERSION}/{draft.pk}/change/")
    for word in ("请审核", "依据充分，层级符合规定", "同意", cast.legal_reviewer.name, cast.credit_office.name):
        assert word in page, "the page tells who did what, and with which opinion"


def edition_of(page: Any, **more: Any) -> dict[str, Any]:
    """Return what the page of the next edition sends."""
    form = page.context["form"]
    given = {name: form[name].value() or "" for name in ("number", "title", "note")}
    table = page.context["table"]
    rows = {field.html_name: field.value() for one in _forms(table) for field in one if field.value() is not None}
    return {**given, **rows, "seen": page.context["seen"], **more}


def test_a_revision_is_copied_changed_compared_and_published(cast: Cast, pages: Any) -> None:
    officer, office = pages(cast.data_officer), pages(cast.credit_office)
    old = cast.item.version_on(timezone.localdate())
    answer = officer.do(f"/admin/catalogue/item/{cast.item.pk}/revise/")
    draft = ItemVersion.objects.get(item=cast.item, version=2)
    assert answer.url == f"{VERSION}/{draft.pk}/edit/"
    officer.write(draft, query_retention_months="48", change_note="缩短查询披露期限")
    draft = reload(draft)
    assert draft.query_retention_months == 48
    assert draft.fields.count() == old.fields.count(), "untouched rows stay"
    assert list(draft.fields.values_list("code", "aliases", "visible_to")) == list(
        old.fields.values_list("code", "aliases", "visible_to")
    )
    assert list(draft.legal_bases.all()) == list(old.legal_bases.all())
    assert list(draft.periods.values_list("severity", "max_months")) == list(
        old.periods.values_list("severity", "max_months")
    )
    page = pages(cast.legal_reviewer).see(f"{VERSION}/{draft.pk}/change/")
    assert "查询披露期限（月）" in page.split("全部内容")[0], "the reviewer sees the column that changes"
    officer.deed(draft, "submit", note="")
    lawyer = pages(cast.legal_reviewer)
    lawyer.deed(draft, "take_up")
    lawyer.deed(draft, "pass_review", note="可以")
    assess(cast, reload(draft))
    office.deed(draft, "approve", note="")
    preview = office.client.get("/admin/catalogue/edition/add/")
    ((before, after, columns),) = preview.context["difference"].changed
    assert (before.pk, after.pk) == (old.pk, draft.pk)
    assert [(c.column, c.old, c.new) for c in columns if "查询" in c.column] == [("查询披露期限（月）", "60", "48")]
    office.do("/admin/catalogue/edition/add/", publish="1", **edition_of(preview))
    with time_machine.travel(timezone.now() + TOMORROW):
        actions.nightly()
        assert cast.item.version_on(timezone.localdate()).pk == draft.pk


def test_a_version_is_sent_back_with_the_reason_and_waits_for_its_department(cast: Cast, pages: Any) -> None:
    version = submitted(cast)
    lawyer = pages(cast.legal_reviewer)
    lawyer.deed(version, "take_up")
    assert "理由" in lawyer.deed(version, "send_back", 422, note="")
    assert state(version) == State.LEGAL_REVIEW
    lawyer.deed(version, "send_back", note="依据条款写错")
    officer = pages(cast.data_officer)
    assert "依据条款写错" in officer.see(f"{VERSION}/{version.pk}/change/")
    assert version.name in officer.see(f"{VERSION}/?waiting=returned")
    assert ("退回修改的草案", 1) in cards(cast.data_officer)


def test_the_proposer_takes_a_version_back_and_throws_a_fresh_draft_away(cast: Cast, pages: Any) -> None:
    version, officer = submitted(cast), pages(cast.data_officer)
    officer.deed(version, "take_back", note="还要改")
    assert state(version) == State.DRAFT
    assert "只有从未提交的草案可以删除" in officer.deed(version, "discard", 422)
    other = actions.begin_item(category="03", polarity="N", name="误建", behaviour="误建", by=cast.data_officer)
    officer.deed(other, "discard")
    assert not ItemVersion.objects.filter(pk=other.pk).exists()


# --- whose hand ----------------------------------------------------------------------------------------


def test_who_proposes_cannot_approve_even_with_both_duties(cast: Cast, pages: Any) -> None:
    roles = [*cast.credit_office.groups.all(), *cast.data_officer.groups.all()]
    User.objects.filter(pk=cast.credit_office.pk).update(organisation=cast.market)
    cast.credit_office.groups.set(roles)  # given anew: who moves leaves them behind
    office = User.objects.get(pk=cast.credit_office.pk)
    draft = actions.start_draft(cast.item, by=office)
    actions.write_draft(draft, by=office, values={"change_note": "调整"})
    pages(office).deed(draft, "submit", note="")
    assert "须由另一人办理" in pages(office).deed(draft, "take_up", 403)
    lawyer = pages(cast.legal_reviewer)
    lawyer.deed(draft, "take_up")
    lawyer.deed(draft, "pass_review", note="可以")
    assess_by = pages(cast.credit_office_2)
    assess_by.do(f"{VERSION}/{draft.pk}/assess/", **ASSESSMENT, **dates())
    page = pages(office).see(f"{VERSION}/{draft.pk}/change/")
    assert "起草、提交或法制审核的人不能批准" in page, "the page says so before anybody presses"
    assert "起草、提交或法制审核的人不能批准" in pages(office).deed(draft, "approve", 403, note="")
    assert state(draft) == State.PIA


def test_who_drafts_cannot_review(cast: Cast, pages: Any) -> None:
    cast.data_officer.groups.add(*cast.legal_reviewer.groups.all())
    version = submitted(cast)
    both = pages(User.objects.get(pk=cast.data_officer.pk))
    assert "起草或提交的人不能审核自己的条目" in both.deed(version, "take_up", 403)
    assert state(version) == State.SUBMITTED


def test_who_assesses_cannot_sign_the_assessment(cast: Cast, pages: Any) -> None:
    version = submitted(cast)
    lawyer, office = pages(cast.legal_reviewer), pages(cast.credit_office)
    lawyer.deed(version, "take_up")
    lawyer.deed(version, "pass_review", note="可以")
    office.do(f"{VERSION}/{version.pk}/assess/", **ASSESSMENT, **dates())
    assessment = ImpactAssessment.objects.get(number="PIA-2026-7001")
    path = f"/admin/catalogue/impactassessment/{assessment.pk}"
    assert "须由省信用办另一名工作人员复核" in office.see(f"{path}/change/")
    assert "评估人不能复核自己的评估" in office.do(f"{path}/review/", 403, passed="1").content.decode()
    assert "没有通过复核" in office.deed(version, "approve", 422, note=""), "no approval without the second signature"
    assert ("待复核的影响评估", 1) in cards(cast.credit_office_2)
    assert ("待复核的影响评估", 0) in cards(cast.credit_office)
    pages(cast.credit_office_2).do(f"{path}/review/", passed="1")
    office.deed(version, "approve", note="")
    assert state(version) == State.APPROVED


def test_after_submission_nobody_edits(cast: Cast, pages: Any) -> None:
    version, officer = submitted(cast), pages(cast.data_officer)
    assert "只有草案可以修改" in officer.see(f"{VERSION}/{version.pk}/edit/", 422)
    assert "只有草案可以修改" in officer.do(f"{VERSION}/{version.pk}/edit/", 422, name="改名").content.decode()
    assert reload(version).name != "改名"
    assert f"{VERSION}/{version.pk}/edit/" not in officer.see(f"{VERSION}/{version.pk}/change/")


@pytest.mark.parametrize("deed", ["submit", "take_back", "discard", "edit", "approve", "suspend"])
def test_another_departments_item_looks_like_none(cast: Cast, pages: Any, deed: str) -> None:
    elsewhere = officer_of(cast.transport)
    draft = actions.start_draft(cast.item, by=cast.data_officer)
    stranger = pages(elsewhere)
    stranger.see(f"{VERSION}/{draft.pk}/change/", 404)
    stranger.do(f"{VERSION}/{draft.pk}/{deed}/", 404, note="试试")
    stranger.do(f"/admin/catalogue/item/{cast.item.pk}/revise/", 404)
    stranger.see(f"{VERSION}/999999/change/", 404)
    assert cast.item.code not in stranger.see("/admin/catalogue/item/")
    assert "FJ1-03-TRAN-0001" in stranger.see("/admin/catalogue/item/")


def officer_of(where: Organisation) -> User:
    from django.contrib.auth.models import Group

    user = User.objects.create(username="elsewhere", name="报送员辰", organisation=where, is_staff=True)
    user.groups.set(Group.objects.filter(name="data_officer"))
    return user


@pytest.mark.parametrize("who", ["data_officer", "legal_reviewer"])
@pytest.mark.parametrize("deed", ["approve", "consult", "renew", "suspend", "resume", "assess"])
def test_departments_do_not_do_the_offices_part(cast: Cast, pages: Any, who: str, deed: str) -> None:
    version = assessed(cast)
    answer = pages(cast.everyone()[who]).deed(version, deed, 403, note="试试", explanation="试试")
    assert "您没有" in answer
    assert state(version) == State.PIA


@pytest.mark.parametrize("who", ["officer_here", "clerk", "auditor", "operator", "system_admin", "citizen", "nobody"])
def test_those_without_the_duty_do_not_even_see_it(cast: Cast, as_user: As, who: str) -> None:
    version, edition = approved(cast), Edition.objects.get()
    client = as_user(cast.everyone()[who])
    for path in (f"{VERSION}/{version.pk}/approve/", f"{VERSION}/{version.pk}/edit/", "/admin/catalogue/edition/add/",
                 f"/admin/catalogue/edition/{edition.pk}/change/", "/admin/catalogue/item/add/"):  # fmt: skip
        assert client.post(path, {"publish": "1"}).status_code in (302, 403, 404), path
    assert state(version) == State.APPROVED
    assert Edition.objects.count() == 1


# --- what may be written -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("inputs", "told"), [({"label": "宗教信仰"}, "禁止归集"), ({"label": "其他情况", "pii_class": "X01"}, "禁止归集")]
)
def test_a_field_that_is_never_collected_is_refused_beside_its_row(
    cast: Cast, pages: Any, inputs: dict[str, str], told: str
) -> None:
    draft = actions.start_draft(cast.item, by=cast.data_officer)
    fields = draft.fields.count()
    row = {"code": "more", "datatype": "text", "length": "50", "visible_to": ["SUBJECT"], **inputs}
    answer = pages(cast.data_officer).write(
        draft, 422, behaviour="写了很久的行为", **{f"fields-{fields}-{name}": value for name, value in row.items()}
    )
    table = answer.context["draft"].tables["fields"]
    assert told in str(table.forms[fields].errors["label"])
    page = answer.content.decode()
    assert "写了很久的行为" in page, "nothing that was typed is lost"
    assert inputs["label"] in page
    assert draft.fields.count() == fields


def test_a_public_item_without_a_basis_is_refused_beside_the_basis(cast: Cast, pages: Any) -> None:
    draft = actions.start_draft(cast.item, by=cast.data_officer)
    answer = pages(cast.data_officer).write(draft, 422, disclosure="PUBLIC", disclosure_basis="")
    assert "公开公示须另有公开依据" in str(answer.context["draft"].form.errors["disclosure_basis"])


def test_two_fields_of_one_name_are_told_in_a_sentence(cast: Cast, pages: Any) -> None:
    draft = actions.start_draft(cast.item, by=cast.data_officer)
    answer = pages(cast.data_officer).write(draft, 422, **{"fields-1-code": "same", "fields-2-code": "same"})
    assert SENTENCES["field_code_once_per_version"] in answer.content.decode()
    assert "same" not in draft.fields.values_list("code", flat=True)


def test_rows_are_added_without_script_and_nothing_typed_is_lost(cast: Cast, pages: Any) -> None:
    draft, officer = actions.start_draft(cast.item, by=cast.data_officer), pages(cast.data_officer)
    before = len(officer.client.get(f"{VERSION}/{draft.pk}/edit/").context["draft"].tables["fields"].forms)
    answer = officer.write(draft, 200, more="fields", name="", behaviour="写了一半")
    draft_page = answer.context["draft"]
    assert len(draft_page.tables["fields"].forms) == before + 5
    assert "写了一半" in answer.content.decode()
    assert draft_page.wrong == 0, "asking for rows is not handing in"
    assert draft.behaviour == reload(draft).behaviour
    page = {**typed(draft_page), "name": "新名称"}
    officer.do(f"{VERSION}/{draft.pk}/edit/", **page)
    assert (reload(draft).name, reload(draft).behaviour) == ("新名称", "写了一半"), "blank rows ask for nothing"


def test_rows_are_struck_out_and_put_in_another_order(cast: Cast, pages: Any) -> None:
    draft = actions.start_draft(cast.item, by=cast.data_officer)
    codes = list(draft.fields.values_list("code", flat=True))
    pages(cast.data_officer).write(draft, **{"fields-0-ORDER": "90", f"fields-{len(codes) - 1}-DELETE": "on"})
    assert list(reload(draft).fields.values_list("code", flat=True)) == [*codes[1:-1], codes[0]]


def test_a_department_without_a_short_code_is_told_whom_to_ask(cast: Cast, pages: Any) -> None:
    Organisation.objects.filter(pk=cast.market.pk).update(code="")
    new = {"name": "新条目", "category": "03", "polarity": "N", "origin": "N", "behaviour": "行为"}
    page = pages(cast.data_officer).do("/admin/catalogue/item/add/", 422, **new).content.decode()
    assert "系统管理员" in page
    assert "新条目" in page
    assert not ItemVersion.objects.filter(name="新条目").exists()


def test_a_number_that_is_taken_is_told(cast: Cast, pages: Any) -> None:
    new = {"name": "新条目", "category": "03", "polarity": "N", "origin": "N", "behaviour": "行为", "number": "0001"}
    assert "已存在" in pages(cast.data_officer).do("/admin/catalogue/item/add/", 422, **new).content.decode()


# --- the credit office ---------------------------------------------------------------------------------


def test_no_approval_without_an_assessment(cast: Cast, pages: Any) -> None:
    version = submitted(cast, cast.item)
    actions.take_up(version, by=cast.legal_reviewer)
    actions.pass_review(version, by=cast.legal_reviewer, note="可以")
    ItemVersion.objects.filter(pk=version.pk).update(assessment=None)
    answer = pages(cast.credit_office).deed(version, "approve", 422, note="我的意见")
    assert "没有通过复核且在有效期内的影响评估" in answer
    assert "我的意见" in answer
    assert ("待影响评估的条目", 1) in cards(cast.credit_office)


def test_an_item_is_suspended_and_resumed_with_reasons(cast: Cast, pages: Any) -> None:
    version, office = cast.item.version_on(timezone.localdate()), pages(cast.credit_office)
    office.deed(version, "suspend", 422, note="")
    office.deed(version, "suspend", note="接到异议，核查中")
    assert state(version) == State.SUSPENDED
    assert ("暂停的条目", 1) in cards(cast.credit_office)
    assert version.name in office.see(f"{VERSION}/?waiting=suspended")
    office.deed(version, "resume", note="核查无误")
    assert state(version) == State.IN_FORCE


def test_an_item_whose_law_is_gone_cannot_be_resumed_and_says_why(cast: Cast, pages: Any) -> None:
    version, office = cast.item.version_on(timezone.localdate()), pages(cast.credit_office)
    for instrument in Instrument.objects.filter(articles__items=version).distinct():
        actions.repeal(instrument, on=timezone.localdate(), by=cast.credit_office)
    assert state(version) == State.SUSPENDED
    page = office.deed(version, "resume", 422, note="恢复")
    assert "法律政策依据的层级不够、不适用于该区域或在生效日无效" in page.split("没有办成")[1]
    assert state(version) == State.SUSPENDED


def test_an_assessment_that_runs_out_is_renewed(cast: Cast, pages: Any) -> None:
    version = cast.item.version_on(timezone.localdate())
    with time_machine.travel(timezone.now() + timedelta(days=3 * 365 - 40)):
        office = pages(cast.credit_office)
        assert any(count for title, count in cards(cast.credit_office) if title == "影响评估将到期的条目")
        assert version.name in office.see(f"{VERSION}/?waiting=running_out")
        pages(cast.credit_office_2).do(f"{VERSION}/{version.pk}/assess/", **ASSESSMENT, **dates(36))
        fresh = ImpactAssessment.objects.get(number="PIA-2026-7001")
        office.deed(version, "renew", 422, assessment=fresh.pk)
        assert reload(version).assessment_id != fresh.pk, "not before it is signed"
        office.do(f"/admin/catalogue/impactassessment/{fresh.pk}/review/", passed="1")
        office.deed(version, "renew", assessment=fresh.pk)
        assert reload(version).assessment_id == fresh.pk


def local_version(cast: Cast) -> ItemVersion:
    """A version of a local item that has passed its legal review and its assessment."""
    draft = actions.submit(local_item(cast).versions.get(), by=cast.data_officer)
    actions.take_up(draft, by=cast.legal_reviewer)
    actions.pass_review(draft, by=cast.legal_reviewer, note="可以")
    assess(cast, draft)
    return reload(draft)


def test_a_local_item_is_put_to_the_public_answered_and_closed(cast: Cast, pages: Any) -> None:
    version, office = local_version(cast), pages(cast.credit_office)
    office.deed(version, "consult", 422, explanation="")
    office.deed(version, "consult", explanation="为什么要设")
    consultation = Consultation.objects.get(item_version=version)
    path = f"/admin/catalogue/consultation/{consultation.pk}"
    said = actions.comment(consultation, text="期限太长")
    assert "期限太长" in office.see(f"{path}/change/")
    assert ("待办的征求意见", 1) in cards(cast.credit_office)
    office.do(f"{path}/answer/", 422, comment=said.pk)
    office.do(f"{path}/answer/", comment=said.pk, **{f"c{said.pk}-text": "已采纳，改为 48 个月"})
    assert "期满才能结束" in office.do(f"{path}/close/", 422, outcome="采纳一条").content.decode()
    assert "已采纳，改为 48 个月" in pages(cast.data_officer).see(f"{path}/change/")


def test_a_consultation_that_is_over_is_closed_and_its_item_approved(cast: Cast, pages: Any) -> None:
    version, office, today = local_version(cast), pages(cast.credit_office), timezone.localdate()
    assert ("待影响评估的条目", 1) in cards(cast.credit_office), "the public has not been asked"
    consultation = Consultation.objects.create(  # the clock of the database does not travel
        item_version=version, opened_on=today - timedelta(days=40), closes_on=today - TOMORROW, explanation="为什么"
    )
    office.deed(version, "consult", explanation="为什么")
    Consultation.objects.update(closes_on=today - TOMORROW)
    assert "征求意见期满" in office.deed(version, "approve", 422, note="")
    path = f"/admin/catalogue/consultation/{consultation.pk}"
    office.do(f"{path}/close/", 422, outcome="")
    office.do(f"{path}/close/", outcome="没有收到意见")
    assert "没有收到意见" in pages(cast.data_officer).see(f"{path}/change/")
    assert ("待批准的条目", 1) in cards(cast.credit_office)
    office.deed(version, "approve", note="")
    consultation.refresh_from_db()
    assert (state(version), consultation.closed_by) == (State.APPROVED, cast.credit_office)


def test_the_department_reads_its_consultation_and_answers_nothing(cast: Cast, pages: Any) -> None:
    version = local_version(cast)
    actions.open_consultation(version, by=cast.credit_office, explanation="为什么")
    consultation = Consultation.objects.get()
    said = actions.comment(consultation, text="不同意")
    officer, path = pages(cast.data_officer), f"/admin/catalogue/consultation/{consultation.pk}"
    officer.see(f"{path}/change/")
    officer.do(f"{path}/answer/", 403, comment=said.pk, **{f"c{said.pk}-text": "驳回"})
    officer.do(f"{path}/close/", 403, outcome="结束")
    pages(officer_of(cast.transport)).see(f"{path}/change/", 404)


# --- editions ------------------------------------------------------------------------------------------


def test_an_item_is_retired_only_after_its_effect_was_shown(cast: Cast, pages: Any) -> None:
    office, add = pages(cast.credit_office), "/admin/catalogue/edition/add/"
    page = office.client.get(add)
    assert page.context["difference"].is_empty
    row = {"leaving-0-item": cast.item.pk, "leaving-0-effective_on": timezone.localdate().isoformat(),
           "leaving-0-old_records": "withdraw", "leaving-0-reason": "主管部门不再认定"}  # fmt: skip
    answer = office.do(add, 422, publish="1", **edition_of(page, **row))
    assert "请核对后再发布" in answer.content.decode()
    assert "不再提供给任何人" in answer.content.decode()
    assert not Retirement.objects.exists()
    again = office.do(add, 200, preview="1", **edition_of(page, **row))
    office.do(add, publish="1", **edition_of(again, **row))
    assert Retirement.objects.get().item == cast.item
    edition = Edition.objects.first()
    shown = pages(cast.data_officer).see(f"/admin/catalogue/edition/{edition.pk}/change/")
    assert "主管部门不再认定" in shown


def test_an_incomplete_retirement_says_what_is_missing(cast: Cast, pages: Any) -> None:
    office, add = pages(cast.credit_office), "/admin/catalogue/edition/add/"
    data = edition_of(office.client.get(add), **{"leaving-0-item": cast.item.pk})
    page = office.do(add, 422, preview="1", **data).content.decode()
    assert "请选择已有记录如何处理" in page
    assert "请写明停用理由" in page


def test_what_was_approved_after_the_preview_is_shown_first(cast: Cast, pages: Any) -> None:
    office = pages(cast.credit_office)
    approved(cast)
    page = office.client.get("/admin/catalogue/edition/add/")
    ItemVersion.objects.filter(state=State.APPROVED).update(
        state=State.DRAFT, moved_by=cast.credit_office, move_note="退回"
    )
    answer = office.do("/admin/catalogue/edition/add/", 422, publish="1", **edition_of(page))
    assert "请核对后再发布" in answer.content.decode()
    assert Edition.objects.count() == 1


def test_nobody_publishes_without_the_duty(cast: Cast, pages: Any) -> None:
    approved(cast)
    for who in (cast.data_officer, cast.legal_reviewer):
        pages(who).do("/admin/catalogue/edition/add/", 403, publish="1", number="X", title="Y")
    assert Edition.objects.count() == 1


def test_a_number_used_before_is_told_beside_the_number(cast: Cast, pages: Any) -> None:
    approved(cast)
    office = pages(cast.credit_office)
    data = edition_of(office.client.get("/admin/catalogue/edition/add/"), number=Edition.objects.get().number)
    answer = office.do("/admin/catalogue/edition/add/", 422, publish="1", **data)
    assert "number" in answer.context["form"].errors


# --- instruments and what is never collected -------------------------------------------------------------


def instrument_page(instrument: Instrument) -> str:
    return f"/admin/catalogue/instrument/{instrument.pk}"


def inline(rows: int = 0) -> dict[str, Any]:
    return {"articles-TOTAL_FORMS": rows, "articles-INITIAL_FORMS": 0}


def test_the_office_enters_an_instrument_verifies_it_and_a_change_undoes_the_verification(
    cast: Cast, pages: Any
) -> None:
    office = pages(cast.credit_office)
    entry = {"code": "T-1", "title": "某办法", "issuer": "某部", "level": "50", "effective_on": "2020-01-01",
             "confidence": "M", "source_url": "www.gov.cn/某办法"}  # fmt: skip
    article = {"articles-0-number": "第一条", "articles-0-summary": "……"}
    office.do("/admin/catalogue/instrument/add/", **entry, **inline(1), **article)
    instrument = Instrument.objects.get(code="T-1")
    assert instrument.source_url.startswith("https://")
    assert instrument.articles.get().number == "第一条"
    office.do(f"{instrument_page(instrument)}/verify/")
    instrument.refresh_from_db()
    assert instrument.verified_by == cast.credit_office
    stored = {"articles-TOTAL_FORMS": 1, "articles-INITIAL_FORMS": 1, "articles-0-id": instrument.articles.get().pk,
              "articles-0-instrument": instrument.pk}  # fmt: skip
    office.do(f"{instrument_page(instrument)}/change/", **{**entry, "title": "某某办法"}, **stored, **article)
    instrument.refresh_from_db()
    assert (instrument.title, instrument.verified_by) == ("某某办法", None)


def test_the_rank_of_an_instrument_in_use_is_not_even_asked_for(cast: Cast, pages: Any) -> None:
    instrument = law_in_use(cast)
    page = pages(cast.credit_office).see(f"{instrument_page(instrument)}/change/")
    assert 'name="level"' not in page
    assert "层级、适用地域和施行日期不能改" in page


def law_in_use(cast: Cast) -> Instrument:
    version = cast.item.version_on(timezone.localdate())
    (instrument,) = Instrument.objects.filter(articles__items=version).distinct()[:1]
    return instrument


def test_a_repeal_shows_first_whom_it_suspends(cast: Cast, pages: Any) -> None:
    version, office = cast.item.version_on(timezone.localdate()), pages(cast.credit_office)
    for other in list(version.legal_bases.all())[1:]:
        actions.repeal(other.instrument, on=timezone.localdate(), by=cast.credit_office)
    instrument, today = law_in_use(cast), timezone.localdate().isoformat()
    shown = office.see(f"{instrument_page(instrument)}/repeal/?on={today}")
    instrument.refresh_from_db()
    assert instrument.repealed_on is None, "looking changes nothing"
    if state(version) == State.IN_FORCE:
        assert cast.item.code in shown
    office.do(f"{instrument_page(instrument)}/repeal/", on=today)
    instrument.refresh_from_db()
    assert instrument.repealed_on == timezone.localdate()
    assert state(version) == State.SUSPENDED


def test_a_repeal_before_the_first_day_is_told(cast: Cast, pages: Any) -> None:
    instrument = law_in_use(cast)
    page = pages(cast.credit_office).do(f"{instrument_page(instrument)}/repeal/", 422, on="1990-01-01")
    assert "废止日期不能早于施行日期" in page.content.decode()


def test_departments_read_instruments_and_change_nothing(cast: Cast, pages: Any) -> None:
    instrument, officer = law_in_use(cast), pages(cast.data_officer)
    officer.see(f"{instrument_page(instrument)}/change/")
    officer.do(f"{instrument_page(instrument)}/repeal/", 403, on=timezone.localdate().isoformat())
    officer.do(f"{instrument_page(instrument)}/verify/")
    officer.do(f"{instrument_page(instrument)}/change/", 403, title="改")
    instrument.refresh_from_db()
    assert (instrument.repealed_on, instrument.verified_by) == (None, None)


def category_inputs(category: ProhibitedCategory, **changed: Any) -> dict[str, Any]:
    return {
        "code": category.code, "title": category.title, "basis": category.basis, "advice": category.advice,
        **{name: "、".join(getattr(category, name)) for name in ("keywords", "header_keywords", "exceptions")}, **changed,
    }  # fmt: skip


def test_words_are_added_to_a_category_and_never_taken_away(cast: Cast, pages: Any) -> None:
    office, category = pages(cast.credit_office), ProhibitedCategory.objects.exclude(header_keywords=[]).first()
    path = f"/admin/catalogue/prohibitedcategory/{category.pk}"
    words = list(category.header_keywords)
    office.do(f"{path}/change/", **category_inputs(category, header_keywords="、".join([*words, "新词甲"])))
    category.refresh_from_db()
    assert category.header_keywords == [*words, "新词甲"]
    answer = office.do(f"{path}/change/", 200, **category_inputs(category, header_keywords="、".join(words)))
    assert "关键词只能增加，不能删去：新词甲" in answer.content.decode()
    category.refresh_from_db()
    assert "新词甲" in category.header_keywords
    office.do(f"{path}/delete/", 403, post="yes")
    office.do("/admin/catalogue/prohibitedcategory/add/", code="X99", title="新类别", basis="某规定", advice="请删去")
    assert ProhibitedCategory.objects.filter(code="X99").exists()
    pages(cast.data_officer).do(f"{path}/change/", 403, **category_inputs(category))


# --- cards, lists, sentences -----------------------------------------------------------------------------


def cards(user: User) -> list[tuple[str, int]]:
    from catalogue.waiting import waiting_for

    return [(card.title, card.count) for card in waiting_for(User.objects.get(pk=user.pk))]


@pytest.mark.parametrize("who", ["data_officer", "legal_reviewer", "credit_office", "credit_office_2"])
def test_every_card_leads_to_the_list_it_counts(cast: Cast, as_user: As, who: str) -> None:
    from catalogue.waiting import waiting_for

    approved(cast)
    user = cast.everyone()[who]
    client = as_user(user)
    for card in waiting_for(user):
        answer = client.get(card.url)
        assert answer.status_code == 200, card.url
        if "cl" in (answer.context or {}):
            assert answer.context["cl"].result_count == card.count, card.title


def test_every_rule_of_the_database_has_its_sentence() -> None:
    import re
    from pathlib import Path

    text = (Path(__file__).parent.parent / "migrations" / "0007_rules.py").read_text()
    named = set(re.findall(r"catalogue_refuse\('(\w+)'", text)) | set(re.findall(r"ADD CONSTRAINT (\w+)", text))
    assert len(named) > 20
    assert named - SENTENCES.keys() == set()
    assert UNKNOWN not in SENTENCES.values()


def test_no_warning_of_the_next_django_is_left(recwarn: pytest.WarningsRecorder, cast: Cast, pages: Any) -> None:
    for path in ("instrument/add", "prohibitedcategory/add", "edition/add"):
        pages(cast.credit_office).see(f"/admin/catalogue/{path}/")
    assert [str(w.message) for w in recwarn if "RemovedInDjango60" in w.category.__name__] == []


def test_a_published_edition_is_only_read(cast: Cast, pages: Any) -> None:
    approved(cast, query_retention_months=36)
    publish(cast)
    edition, office = Edition.objects.first(), pages(cast.credit_office)
    page = office.see(f"/admin/catalogue/edition/{edition.pk}/change/")
    assert "查询披露期限（月）" in page
    assert "<button" not in page.split('id="content"')[1]
    office.do(f"/admin/catalogue/edition/{edition.pk}/delete/", 403, post="yes")
