"""From the bank's counter to the person's yes, the reading and the message: by the pages, as people do it."""

import re
from collections.abc import Callable

import pytest
from django.test import Client

from access import consents, institutions
from access.models import Consent, ConsentUse, Institution, Message
from accounts.models import User
from creditfujian.lib import identity
from creditfujian.tests.cast import CITIZEN_NUMBER, OTHER_NUMBER, Cast
from records.tests.consenting import Form, as_, asked, employer, granted, registered
from records.tests.deliveries import decided, deliver, penalty

As = Callable[[User | None], Client]


@pytest.fixture
def listed(cast: Cast) -> Cast:
    """The citizen with one serious public penalty; the bank registered."""
    deliver(cast, [penalty(cast)])
    registered(cast)
    return cast


def request_of(cast: Cast, **changes: str) -> dict[str, object]:
    return {
        "purpose": "loan", "name": "陈小满", "id_number": CITIZEN_NUMBER, "purpose_text": "个人经营贷款审批", "reference": "贷17",
        "form": "full", "adverse": [str(cast.item.pk)], "days": "30", "uses": "1", **changes,
    }  # fmt: skip


def main_of(answer: object) -> str:
    text = answer.content.decode()  # type: ignore[attr-defined]
    return text.split("<main")[1].split("</main>")[0]


def test_from_the_request_to_the_reading(listed: Cast, as_user: As) -> None:
    bank, citizen = as_user(listed.bank_clerk), as_user(listed.citizen)
    answer = bank.post("/institutions/consents/ask/", request_of(listed))
    consent = Consent.objects.get()
    page = f"/institutions/consents/{consent.number}/"
    assert answer["Location"] == page
    assert "等候本人答复" in bank.get(page).content.decode()

    assert "等您答复" in citizen.get("/me/").content.decode()
    assert "1 条未读" in citizen.get("/me/").content.decode()
    own = f"/me/consents/{consent.number}/"
    told = citizen.get(own).content.decode()
    for words in (
        "闽江虚拟银行",
        listed.bank.uscc,
        "0591-0000000",
        "个人经营贷款审批",
        "同意的后果",
        "不影响您依法享有的权利",
    ):
        assert words in told
    assert "checked" not in told.split("失信类信息")[1].split("</fieldset>")[0]  # nothing is picked for the person
    choice = {"adverse": [str(listed.item.pk)], "form": "summary", "days": "10", "uses": "1"}
    words = citizen.post(own, choice | {"deed": "show"}).content.decode()
    assert "条数摘要" in words
    assert consent.number in words
    shown = re.search(r'name="shown" value="([0-9a-f]{64})"', words)
    assert shown
    citizen.post(own, choice | {"deed": "agree", "shown": shown[1]})
    consent.refresh_from_db()
    assert (consent.state, consent.form, consent.max_uses) == ("granted", "summary", 1)
    assert "".join(consent.text.split())[:20] in "".join(re.sub("<[^>]+>", "", words).split())

    result = bank.post(page, {"id_number": CITIZEN_NUMBER, "purpose": "loan"})
    text = result.content.decode()
    assert result["Cache-Control"].startswith("no-store")
    assert "359901********0011" in text
    assert CITIZEN_NUMBER not in text
    assert "菌落" not in text  # a summary says how many
    assert bank.post(page, {"id_number": CITIZEN_NUMBER, "purpose": "loan"}).status_code == 422
    assert ConsentUse.objects.count() == 1
    assert "凭您的授权查询了信息" in citizen.get("/me/messages/").content.decode()
    history = citizen.get("/me/access/").content.decode()
    assert f'href="/me/consents/{consent.number}/"' in history
    assert "次数已用完" in history


def test_the_page_answers_the_same_whoever_is_asked(listed: Cast, as_user: As) -> None:
    bank = as_user(listed.bank_clerk)
    stranger = identity.invent(decided(50 * 365), 8)
    pages = []
    for number, name in (
        (CITIZEN_NUMBER, "陈小满"),
        (CITIZEN_NUMBER, "陈大满"),
        (stranger, "查无此人"),
        (OTHER_NUMBER, "林大雪"),
    ):
        answer = bank.post("/institutions/consents/ask/", request_of(listed, id_number=number, name=name), follow=True)
        text = main_of(answer)
        assert number not in text
        number_of = Consent.objects.latest("pk").number
        pages.append(re.sub(r'value="[^"]{30,}"|\d{2}:\d{2}', "", text.replace(number_of, "")))
    assert len(set(pages)) == 1


def test_a_wrong_number_is_told_beside_its_field(listed: Cast, as_user: As) -> None:
    answer = as_user(listed.bank_clerk).post("/institutions/consents/ask/", request_of(listed, id_number="123"))
    assert answer.status_code == 422
    assert not Consent.objects.exists()


def test_withdrawing_takes_one_click_and_stops_the_next_reading(listed: Cast, as_user: As) -> None:
    consent, citizen = granted(listed, uses=5), as_user(listed.citizen)
    assert consent.number in citizen.get("/me/consents/").content.decode()
    citizen.post(f"/me/consents/{consent.number}/", {"deed": "withdraw"})
    answer = as_user(listed.bank_clerk).post(
        f"/institutions/consents/{consent.number}/", {"id_number": CITIZEN_NUMBER, "purpose": "loan"}
    )
    assert "本人已撤回授权" in answer.content.decode()
    assert not ConsentUse.objects.exists()


def test_declining_takes_one_click(listed: Cast, as_user: As) -> None:
    consent = asked(listed)
    answer = as_user(listed.citizen).post(f"/me/consents/{consent.number}/", {"deed": "decline"}, follow=True)
    assert "不影响您办任何事" in answer.content.decode()
    consent.refresh_from_db()
    assert consent.state == "declined"


@pytest.mark.parametrize("deed", ["decline", "withdraw", "agree", "show", ""])
def test_nobody_deals_with_anothers_consent(listed: Cast, as_user: As, deed: str) -> None:
    consent = asked(listed)
    stranger = employer(listed)
    page = f"/me/consents/{consent.number}/"
    assert as_user(listed.other_citizen).post(page, {"deed": deed}).status_code == 404
    assert as_user(listed.bank_clerk).post(page, {"deed": deed}).status_code == 403
    assert as_user(stranger).get(f"/institutions/consents/{consent.number}/").status_code == 404
    for user in (listed.citizen, listed.officer_here, listed.auditor):
        assert as_user(user).get(f"/institutions/consents/{consent.number}/").status_code == 403
    assert as_user(None).get(f"/institutions/consents/{consent.number}/").status_code == 302
    consent.refresh_from_db()
    assert consent.state == "asked"


def test_the_full_answer_shows_what_institutions_may_see(listed: Cast, as_user: As) -> None:
    consent = granted(listed, form=Form.FULL, uses=2)
    page = f"/institutions/consents/{consent.number}/"
    text = as_user(listed.bank_clerk).post(page, {"id_number": CITIZEN_NUMBER, "purpose": "loan"}).content.decode()
    assert "闽市监处罚〔2026〕1号" in text
    assert "不是对此人的评价" in text
    assert CITIZEN_NUMBER not in text


def test_messages_are_unread_until_they_are_shown(listed: Cast, as_user: As) -> None:
    asked(listed)
    citizen = as_user(listed.citizen)
    assert "有 1 条未读" in citizen.get("/me/messages/").content.decode()
    assert "没有未读消息" in citizen.get("/me/messages/").content.decode()
    assert Message.objects.filter(read_at=None).count() == 0
    assert "还没有消息" in as_user(listed.other_citizen).get("/me/messages/").content.decode()


@pytest.mark.parametrize("who", ["officer_here", "bank_clerk"])
def test_whoever_is_signed_in_at_work_is_told_so_and_not_sent_to_sign_in_again(
    cast: Cast, as_user: As, who: str
) -> None:
    answer = as_user(getattr(cast, who)).get("/me/")
    assert answer.status_code == 403
    assert "您现在以工作账户登录" in answer.content.decode()
    assert as_user(None).get("/me/")["Location"] == "/sign-in/?next=/me/"


def test_a_consent_in_force_stays_in_sight_however_many_came_after(
    listed: Cast, as_user: As, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = granted(listed, days=300)
    monkeypatch.setattr("publicity.consent_pages.SHOWN", 1)
    for n in range(3):
        consents.decline(asked(listed, reference=f"贷{n}").number, by=as_(listed.citizen))
    assert first.number in main_of(as_user(listed.citizen).get("/me/consents/"))


def test_an_operator_goes_from_their_desk_to_their_requests(listed: Cast, as_user: As) -> None:
    bank = as_user(listed.bank_clerk)
    assert 'href="/institutions/consents/"' in main_of(bank.get("/institutions/"))
    assert "申请授权" in main_of(bank.get("/institutions/consents/"))


def test_an_institution_without_a_registration_is_told_so(cast: Cast, as_user: As) -> None:
    bank = as_user(cast.bank_clerk)
    assert "还没有有效的查询机构登记" in bank.get("/institutions/consents/").content.decode()
    assert "还没有有效的查询机构登记" in bank.get("/institutions/consents/ask/").content.decode()
    bank.post("/institutions/consents/ask/", request_of(cast))
    assert not Consent.objects.exists()


# --- the credit office ------------------------------------------------------------------------------


def registration_of(cast: Cast, **changes: object) -> dict[str, object]:
    return {
        "organisation": cast.bank.pk, "kind": "bureau", "licence": "个人征信业务经营许可证", "licence_no": "A0001",
        "valid_from": "2026-01-01",
        "valid_to": "2099-01-01", "checked_on": "2026-11-01", "checked_at_source": "中国人民银行官网", "purposes": ["loan"],
        "contact": "0591-0000000", **changes,
    }  # fmt: skip


def test_an_institution_is_registered_by_one_official_and_confirmed_by_another(cast: Cast, as_user: As) -> None:
    office, second = as_user(cast.credit_office), as_user(cast.credit_office_2)
    answer = office.post("/admin/access/institution/add/", registration_of(cast))
    institution = Institution.objects.get()
    page = f"/admin/access/institution/{institution.pk}/"
    assert answer["Location"] == f"{page}change/"
    office.post(f"{page}confirm/", {})
    assert not Institution.objects.in_force().exists()
    assert "须由省信用办另一名工作人员审核" in office.get(f"{page}change/").content.decode()
    second.post(f"{page}confirm/", {})
    assert Institution.objects.in_force().get() == institution
    office.post(f"{page}suspend/", {"reason": ""})
    assert Institution.objects.in_force().exists()
    office.post(f"{page}suspend/", {"reason": "投诉核查"})
    assert not Institution.objects.in_force().exists()
    office.post(f"{page}resume/", {"reason": "查无问题"})
    assert not Institution.objects.in_force().exists()
    second.post(f"{page}resume/", {"reason": "查无问题"})
    assert Institution.objects.in_force().exists()
    assert [step.to_state for step in institution.steps.all()] == ["asked", "confirmed", "suspended", "confirmed"]


@pytest.mark.parametrize("missing", ["checked_on", "checked_at_source", "valid_to"])
def test_a_credit_bureau_needs_a_checked_licence(cast: Cast, as_user: As, missing: str) -> None:
    answer = as_user(cast.credit_office).post("/admin/access/institution/add/", registration_of(cast, **{missing: ""}))
    assert answer.status_code == 422
    assert "征信机构须核验许可证" in answer.content.decode()


def test_others_do_not_register_institutions(cast: Cast, as_user: As) -> None:
    for user in (cast.officer_here, cast.clerk, cast.system_admin, cast.bank_clerk, cast.citizen):
        answer = as_user(user).post("/admin/access/institution/add/", registration_of(cast))
        assert answer.status_code in (302, 403)
    assert not Institution.objects.exists()


def test_a_renewal_replaces_the_registration(cast: Cast) -> None:
    first, second = registered(cast), registered(cast, licence_no="B2")
    first.refresh_from_db()
    assert first.state == Institution.State.REPLACED
    assert Institution.objects.in_force().get() == second
    with pytest.raises(Exception, match="不能这样办理"):
        institutions.suspend(first.pk, by=cast.credit_office, reason="x")
