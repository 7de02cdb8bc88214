"""A reward from nomination to its end: the person's yes first, facts only, two hands, gone at once."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.utils import timezone

from access.models import Message, QueryPerson
from accounts.models import Role, User
from catalogue.models import Deadline
from creditfujian.lib import identity
from creditfujian.tests.cast import CITIZEN_NUMBER, Cast
from records.acts import Kind
from records.life_models import RecordEvent
from records.models import Batch
from records.reading import own_file
from records.tests.deliveries import deliver, penalty
from records.tests.life import done, numbers_of
from sanctions import reward_night, reward_programmes, reward_reading, rewards
from sanctions.models import RewardCase, RewardConsent, RewardHit, RewardObjection, RewardProgramme, RewardStep
from sanctions.tests.rewarding import (
    HONOUR,
    Awarders,
    agreed,
    as_,
    at_home,
    awarders,
    basis,
    benefit,
    granted,
    looked,
    nominated,
    nomination,
    person,
    proposed_by,
    staff,
)

As = Callable[[User | None], Client]
State, Deed, Scope = RewardCase.State, RewardStep.Deed, RewardConsent.Scope


@pytest.fixture
def to(cast: Cast) -> Awarders:
    return awarders(cast)


def again(case: RewardCase) -> RewardCase:
    case.refresh_from_db()
    return case


def refused(words: str, statement: str, *values: Any) -> None:
    def deed() -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement, values)
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")

    with pytest.raises(DatabaseError, match=words), transaction.atomic():
        deed()


def clock(case: RewardCase) -> str:
    """The code of the clock that runs."""
    return Deadline.objects.of(case).get(met_on=None).rule.code


STEP = (
    "INSERT INTO sanctions_rewardstep (case_id, deed, text, document_no, by_id, until) VALUES (%s, %s, %s, '', %s, %s)"
)


# --- the whole way ---------------------------------------------------------------------------------------------


def test_from_the_nomination_to_the_end_by_the_person(cast: Cast, to: Awarders, as_user: As) -> None:
    officer, head, citizen, anybody = (as_user(one) for one in (to.officer, to.head, cast.citizen, None))
    page = officer.post("/admin/sanctions/rewardcase/add/", {
        "programme": to.programme.pk, "name": "陈小满", "id_number": CITIZEN_NUMBER, "honour": HONOUR, "year": "2026",
        "award_no": "闽文明办〔2026〕5号", "award_on": timezone.localdate().isoformat(), "reason": "三年累计志愿服务六百小时",
    })  # fmt: skip
    case = RewardCase.objects.get()
    assert page["Location"] == f"/admin/sanctions/rewardcase/{case.pk}/change/"
    assert (case.state, clock(case)) == (State.CONSENT, "D91")
    assert RewardHit.objects.count() == 0, "nothing is checked before the person's yes"
    assert "等您答复" in citizen.get("/me/").content.decode()
    assert f"/me/rewards/{case.number}/" in citizen.get("/me/messages/").content.decode()

    mine = f"/me/rewards/{case.number}/"
    assert HONOUR in citizen.get(mine).content.decode()
    assert citizen.post(mine, {"deed": "answer"}).status_code == 422
    assert citizen.post(mine, {"deed": "answer", "agrees": "yes", "notice": "yes", "publish": "yes"}).status_code == 302
    assert (again(case).state, clock(case)) == (State.CHECK, "D92")

    work = f"/admin/sanctions/rewardcase/{case.pk}/"
    assert "没有发现冲突" in head.get(f"{work}change/?check=1").content.decode()
    assert clock(case) == "D93"
    assert head.post(f"{work}decide/", {"deed": "announce"}).status_code == 302
    assert (again(case).state, clock(case)) == (State.NOTICE, "D35")
    assert Deadline.objects.of(case).get(met_on=None).due_text in head.get(f"{work}change/").content.decode()
    for address in ("/rewards/", f"/rewards/{case.number}/"):
        shown = anybody.get(address)
        text = shown.content.decode()
        assert "陈*" in text
        assert HONOUR in text
        assert "陈小满" not in text
        assert CITIZEN_NUMBER[:6] not in text
        assert '<meta name="robots" content="noindex">' in text
        assert "no-store" in shown["Cache-Control"]
    said = head.post(f"{work}decide/", {"deed": "grant"})
    assert said.status_code == 422
    assert "公示期满后再决定" in said.content.decode()

    citizen.post(mine, {"deed": "forbid_notice"})
    assert anybody.get(f"/rewards/{case.number}/").status_code == 410
    head.get(f"{work}change/?check=1")
    assert head.post(f"{work}decide/", {"deed": "grant"}).status_code == 302
    case = again(case)
    assert (case.state, case.decided_by, case.end_kind) == (State.PUBLISHED, to.head, "")
    assert "绿色通道" in citizen.get(mine).content.decode()
    record = next(
        one for one in own_file(person(cast), by=at_home(cast.citizen)).records if one.number == case.record_no
    )
    assert record.item_code == "FJ1-11-CULT-0001"
    batch = Batch.objects.latest("pk")
    assert (batch.uploaded_by, batch.committed_by, batch.rows) == (to.officer, to.head, 1)

    assert citizen.post(mine, {"deed": "withdraw"}).status_code == 302
    case = again(case)
    assert (case.state, case.end_kind, case.public_to) == (State.ENDED, "withdrawn", None)
    assert own_file(person(cast), by=at_home(cast.citizen)).records == []
    assert anybody.get(f"/rewards/{case.number}/").status_code == 410
    assert HONOUR not in anybody.get("/rewards/").content.decode()
    assert anybody.get("/rewards/JL20261201-999999/").status_code == 404
    assert not Deadline.objects.of(case).filter(met_on=None).exists()
    assert Message.objects.filter(about=case.number).count() >= 4


# --- programmes ------------------------------------------------------------------------------------------------


def test_a_programme_is_put_in_force_by_two_hands(cast: Cast, to: Awarders, as_user: As) -> None:
    proposed = proposed_by(to.officer, to.item, code="JL-2026-02")
    for user in (to.officer, to.head, cast.officer_here):
        with pytest.raises(PermissionDenied):
            reward_programmes.confirm(proposed.pk, by=user)
    with pytest.raises(ValidationError):
        rewards.nominate(nomination(to, programme=proposed), by=as_(to.officer))
    answer = as_user(cast.credit_office_2).post(f"/admin/sanctions/rewardprogramme/{proposed.pk}/confirm/")
    assert answer.status_code == 302
    proposed.refresh_from_db()
    assert proposed.state == RewardProgramme.State.IN_FORCE
    refused(
        "settled while it is a draft",
        "UPDATE sanctions_rewardbenefit SET text = '别的' WHERE programme_id = %s",
        proposed.pk,
    )
    refused("not an edit", "UPDATE sanctions_rewardprogramme SET term_months = 60 WHERE id = %s", proposed.pk)
    refused("somebody proposes", "INSERT INTO sanctions_rewardprogramme (code, name, source, organisation_id, item_id, basis_id,"
            " term_months, term_source, shown, no_condition, valid_from, state, proposed_at, withdrawn_reason)"
            " SELECT 'x', name, source, organisation_id, item_id, basis_id, 1, 'x', shown, no_condition, valid_from, 'in_force',"
            " now(), '' FROM sanctions_rewardprogramme LIMIT 1")  # fmt: skip


@pytest.mark.parametrize("words", ["仅限获得激励的人办理许可", "以激励作为申请低保的条件", "没有激励的不予受理"])
def test_a_reward_is_no_condition_of_what_the_law_gives(cast: Cast, to: Awarders, words: str) -> None:
    with pytest.raises(ValidationError, match="不能写成"):
        proposed_by(to.officer, to.item, code="JL-2026-03", benefits=[benefit(to.office, text=words)])
    draft = proposed_by(to.officer, to.item, code="JL-2026-04")
    refused(
        "rewardbenefit_is_no_condition",
        "UPDATE sanctions_rewardbenefit SET text = %s WHERE programme_id = %s",
        words,
        draft.pk,
    )
    with pytest.raises(ValidationError, match="须声明"):
        proposed_by(to.officer, to.item, code="JL-2026-05", no_condition="有激励的优先领取低保")


def test_a_programme_is_about_an_honour_and_gives_something(cast: Cast, to: Awarders, as_user: As) -> None:
    with pytest.raises(ValidationError, match="荣誉"):
        proposed_by(to.officer, cast.item, code="JL-2026-06")
    with pytest.raises(ValidationError, match="至少一项激励措施"):
        proposed_by(to.officer, to.item, code="JL-2026-07", benefits=[])
    with pytest.raises(PermissionDenied):
        proposed_by(cast.data_officer, to.item)
    values = {
        "code": "JL-2026-08", "name": "诚信会员激励", "source": "4", "item": to.item.pk, "basis": basis().pk, "term_months": "24",
        "term_source": "章程第八条", "shown": ["name", "year"], "valid_from": timezone.localdate().isoformat(),
        "benefits-TOTAL_FORMS": "5", "benefits-INITIAL_FORMS": "0", "benefits-0-kind": "first", "benefits-0-text": "年检优先办理",
        "benefits-0-organisation": to.office.pk, "benefits-0-basis": basis().pk,
    }  # fmt: skip
    officer = as_user(to.officer)
    said = officer.post("/admin/sanctions/rewardprogramme/add/", values)
    assert said.status_code == 422
    assert "须作出这项声明" in said.content.decode()
    assert officer.post("/admin/sanctions/rewardprogramme/add/", {**values, "declared": "on"}).status_code == 302
    made = RewardProgramme.objects.get(code="JL-2026-08")
    page = as_user(cast.credit_office).get(f"/admin/sanctions/rewardprogramme/{made.pk}/change/").content.decode()
    assert "年检优先办理" in page
    assert "不是取得法定权利" in page


# --- consent first ---------------------------------------------------------------------------------------------


def test_nothing_is_kept_of_a_refusal_but_the_refusal(cast: Cast, to: Awarders, as_user: As) -> None:
    case = nominated(to)
    as_user(cast.citizen).post(f"/me/rewards/{case.number}/", {"deed": "answer", "agrees": "no", "notice": "yes"})
    case = again(case)
    assert (case.state, case.honour, case.year, case.award_no, case.award_on, case.reason) == (
        State.DECLINED,
        "",
        "",
        "",
        None,
        "",
    )
    assert [one.scope for one in case.consents.all()] == ["reward"]
    assert set(case.steps.values_list("text", flat=True)) == {""}
    page = as_user(to.officer).get(f"/admin/sanctions/rewardcase/{case.pk}/change/").content.decode()
    assert "没有同意" in page
    assert HONOUR not in page
    assert nominated(to).state == State.CONSENT, "a refusal stands in nobody's way"


def test_silence_is_no(cast: Cast, to: Awarders) -> None:
    case = nominated(to)
    reward_night.nightly()
    assert again(case).state == State.CONSENT
    refused("no fact and no date", STEP, case.pk, "lapsed", "", None, None)


def test_nobody_but_the_person_says_yes(cast: Cast, to: Awarders, as_user: As) -> None:
    case = nominated(to)
    with pytest.raises(PermissionDenied):
        rewards.answer(person(cast), case.number, agrees=True, by=at_home(cast.other_citizen))
    assert as_user(cast.other_citizen).get(f"/me/rewards/{case.number}/").status_code == 404
    consent = "INSERT INTO sanctions_rewardconsent (case_id, scope, given, by_id) VALUES (%s, 'reward', true, %s)"
    for user in (to.officer, to.head, cast.citizen, cast.other_citizen):  # the citizen without a line of their own
        refused("nobody but the person", consent, case.pk, user.pk)
        refused("nobody but the person", STEP, case.pk, "agreed", "", user.pk, None)
    for deed in ("notice", "granted", "published", "suspended", "withdrawn"):
        refused("is not", STEP, case.pk, deed, "x", to.head.pk, timezone.localdate() + timedelta(days=99))
    with pytest.raises(PermissionDenied, match="同意以前"):
        looked(case, to.head)


def test_each_publicity_has_its_own_yes(cast: Cast, to: Awarders, as_user: As) -> None:
    case = agreed(cast, to, notice=False, publish=False)
    looked(case, to.head)
    with pytest.raises(ValidationError, match="没有同意公示"):
        rewards.announce(case, by=to.head)
    case = rewards.grant(case, by=to.head)
    assert (case.state, case.public_to) == (State.GRANTED, None), (
        "who wants nothing public gets the benefits all the same"
    )
    refused("no fact and no date", STEP, case.pk, "published", "", None, None)
    assert as_user(None).get(f"/rewards/{case.number}/").status_code == 404
    mine, citizen = f"/me/rewards/{case.number}/", as_user(cast.citizen)
    citizen.post(mine, {"deed": "allow_publish"})
    assert again(case).state == State.PUBLISHED
    assert as_user(None).get(f"/rewards/{case.number}/").status_code == 200
    citizen.post(mine, {"deed": "forbid_publish"})
    assert (again(case).state, case.is_in_benefit) == (State.GRANTED, True)
    assert as_user(None).get(f"/rewards/{case.number}/").status_code == 410


def test_a_notice_ends_at_once_when_the_person_says_so(cast: Cast, to: Awarders, as_user: As) -> None:
    case = agreed(cast, to)
    looked(case, to.head)
    with pytest.raises(ValidationError, match="先公示"):
        rewards.grant(case, by=to.head)
    case = rewards.announce(case, by=to.head)
    as_user(cast.citizen).post(f"/me/rewards/{case.number}/", {"deed": "forbid_notice"})
    assert (again(case).state, case.public_to, clock(case)) == (State.NOTICE, None, "D94")
    assert as_user(None).get(f"/rewards/{case.number}/").status_code == 410
    looked(case, to.head)
    assert rewards.grant(case, by=to.head).state == State.PUBLISHED


# --- nominated -------------------------------------------------------------------------------------------------


def test_only_somebody_who_can_be_asked_is_nominated(cast: Cast, to: Awarders, as_user: As) -> None:
    assert rewards.nominate(nomination(to, name="陈小曼"), by=as_(to.officer)) is None
    assert QueryPerson.objects.get(person=cast.citizen.person_id).allowed is False, "the person sees who tried"
    assert (
        rewards.nominate(
            nomination(to, id_number=identity.invent(date(1980, 1, 1), 7), name="无此人"), by=as_(to.officer)
        )
        is None
    )
    with pytest.raises(ValidationError, match="未满 18 周岁"):
        nominated(to, id_number=identity.invent(date(2015, 1, 1), 3))
    with pytest.raises(ValidationError, match="不得归集"):
        nominated(to, reason="患病仍坚持服务")
    for user in (to.head, cast.officer_here, cast.data_officer):
        with pytest.raises((PermissionDenied, ValidationError)):
            rewards.nominate(nomination(to), by=as_(user))
    with pytest.raises(ValidationError, match="激励期已满"):
        nominated(to, award_on=timezone.localdate() + timedelta(days=1))
    with pytest.raises(ValidationError, match="社会组织"):
        nominated(to, recommended_by="省志愿服务联合会")
    nominated(to)
    with pytest.raises(ValidationError, match="已有正在办理"):
        nominated(to)


# --- the check -------------------------------------------------------------------------------------------------


def test_a_record_in_force_stands_in_the_way_and_is_read_with_a_line(cast: Cast, to: Awarders, as_user: As) -> None:
    deliver(cast, [penalty(cast)])
    case = agreed(cast, to)
    lines = QueryPerson.objects.filter(person=cast.citizen.person_id, kind="Q5").count()
    page = as_user(to.head).get(f"/admin/sanctions/rewardcase/{case.pk}/change/").content.decode()
    assert "闽市监处罚〔2026〕1号" not in page
    page = as_user(to.head).get(f"/admin/sanctions/rewardcase/{case.pk}/change/?check=1").content.decode()
    assert "闽市监处罚〔2026〕1号" in page
    assert "菌落总数" not in page, "the fact, not what it is about"
    assert CITIZEN_NUMBER not in page
    assert QueryPerson.objects.filter(person=cast.citizen.person_id, kind="Q5").count() == lines + 1
    for deed in (rewards.announce, rewards.grant):
        with pytest.raises(ValidationError, match="冲突"):
            deed(case, by=to.head)
    case = rewards.turn_down(case, text="有现行的严重失信记录", by=to.head)
    assert case.state == State.RETURNED
    mine = as_user(cast.citizen).get(f"/me/rewards/{case.number}/").content.decode()
    assert "有现行的严重失信记录" in mine
    assert "闽市监处罚〔2026〕1号" in mine
    as_user(cast.citizen).post(f"/me/rewards/{case.number}/", {"deed": "comment", "text": "已经缴清罚款"})
    assert "已经缴清罚款" in as_user(to.officer).get(f"/admin/sanctions/rewardcase/{case.pk}/change/").content.decode()


def test_what_is_over_does_not_count(cast: Cast, to: Awarders) -> None:
    deliver(cast, [penalty(cast)])
    number = numbers_of(cast.citizen)[0]
    case = agreed(cast, to)
    assert [one.doc_no for one in looked(case, to.head)] == ["闽市监处罚〔2026〕1号"]
    done(cast, Kind.WITHDRAW, number)
    assert looked(case, to.head) == []
    done(cast, Kind.RESTORE, number)
    assert len(looked(case, to.head)) == 1


def test_a_minor_record_does_not_count(cast: Cast, to: Awarders) -> None:
    deliver(
        cast,
        [
            penalty(
                cast,
                失信程度="轻微",
                处罚类别="警告",
                处罚内容="警告。",
                信息使用范围="",
                公示截止期="",
                **{"罚款金额（万元）": ""},
            )
        ],
    )
    assert looked(agreed(cast, to), to.head) == []


def test_what_stands_in_the_way_is_found_by_the_database_alone(cast: Cast, to: Awarders) -> None:
    deliver(cast, [penalty(cast)])
    case = agreed(cast, to)
    assert RewardHit.objects.count() == 1
    refused("permission denied", "INSERT INTO sanctions_rewardhit (case_id, person_id, record_id, item_id, kind, found_at, set_aside)"
            " VALUES (%s, %s, 1, 1, 'court', now(), false)", case.pk, case.person_id)  # fmt: skip
    refused("permission denied", "UPDATE sanctions_rewardhit SET set_aside = true")


# --- decided by another ----------------------------------------------------------------------------------------


def test_who_nominates_does_not_decide_and_who_decides_has_looked(cast: Cast, to: Awarders) -> None:
    case = agreed(cast, to, notice=False)
    with pytest.raises(ValidationError, match="查阅核对结果"):
        rewards.grant(case, by=to.head)
    with pytest.raises(PermissionDenied):
        rewards.grant(case, by=to.officer)
    elsewhere = staff("elsewhere", "别处未", cast.market, Role.DECIDER_HEAD, Role.DATA_REVIEWER)
    looked(case, to.officer)
    for user, words in ((to.officer, "another official"), (elsewhere, "another official"), (cast.citizen, "another official"),
                        (to.head, "has read the check")):  # fmt: skip
        refused(words, STEP, case.pk, "granted", "", user.pk, None)
    looked(case, to.head)
    refused("in the register", STEP, case.pk, "granted", "", to.head.pk, None)
    assert rewards.grant(case, by=to.head).state == State.PUBLISHED


def test_no_state_is_reached_by_hand(cast: Cast, to: Awarders) -> None:
    case = granted(cast, to)
    for statement in (
        "UPDATE sanctions_rewardcase SET state = 'ended', end_kind = 'expired'", "UPDATE sanctions_rewardstep SET text = 'x'",
        "DELETE FROM sanctions_rewardcase", "DELETE FROM sanctions_rewardstep", "UPDATE sanctions_rewardconsent SET given = true",
        "INSERT INTO sanctions_rewardarrow (deed, from_state, to_state, actor) VALUES ('granted', 'consent', 'granted', 'calendar')",
        "UPDATE sanctions_rewardarrow SET actor = 'calendar'",
    ):  # fmt: skip
        refused("permission denied", statement)
    refused("begins with a nomination", "INSERT INTO sanctions_rewardcase (programme_id, organisation_id, person_id, honour, year,"
            " award_no, award_on, recommended_by, reason, nominated_by_id, state, record_no, end_kind, was_public) VALUES"
            " (%s, %s, %s, 'x', '2026', 'x', cf_today(), '', '', %s, 'granted', '', '', false)",
            to.programme.pk, to.office.pk, cast.other_citizen.person_id, to.officer.pk)  # fmt: skip
    refused("no fact and no date", STEP, case.pk, "expired", "", None, None)
    refused("no fact and no date", STEP, case.pk, "suspended", "", None, timezone.localdate() + timedelta(days=99))
    refused("nobody but the person", STEP, case.pk, "withdrawn", "", to.head.pk, None)


# --- objections ------------------------------------------------------------------------------------------------


def test_objections_are_answered_before_anything_is_granted(cast: Cast, to: Awarders, as_user: As) -> None:
    case = agreed(cast, to)
    looked(case, to.head)
    case = rewards.announce(case, by=to.head)
    public = f"/rewards/{case.number}/"
    assert as_user(None).post(public, {"text": ""}).status_code == 422
    assert as_user(None).post(public, {"text": "听说他患有糖尿病"}).status_code == 422
    assert as_user(None).post(public, {"text": "去年的服务时长有出入"}).status_code == 302
    said = RewardObjection.objects.get()
    page = as_user(None).get(public).content.decode()
    assert "等待答复" in page
    assert "服务时长有出入" not in page
    rewards.change_consent(person(cast), case.number, Scope.NOTICE, given=False, by=at_home(cast.citizen))
    looked(case, to.head)
    with pytest.raises(ValidationError, match="没有答复"):
        rewards.grant(again(case), by=to.head)
    with pytest.raises(RewardObjection.DoesNotExist):
        rewards.answer_objection(said.pk, text="已核实", by=cast.head)
    as_user(to.officer).post(
        f"/admin/sanctions/rewardcase/{case.pk}/objection/", {"objection": said.pk, "text": "已核对服务记录，时长无误"}
    )
    said.refresh_from_db()
    assert (said.answer, said.answered_by) == ("已核对服务记录，时长无误", to.officer)
    refused("answered once", "UPDATE sanctions_rewardobjection SET answer = '改' WHERE id = %s", said.pk)
    assert rewards.grant(again(case), by=to.head).state == State.PUBLISHED
    refused(
        "no notice to object to",
        "INSERT INTO sanctions_rewardobjection (case_id, text, answer) VALUES (%s, '晚了', '')",
        case.pk,
    )


# --- suspended -------------------------------------------------------------------------------------------------


def test_a_hit_at_night_suspends_and_a_human_decides(cast: Cast, to: Awarders, as_user: As) -> None:
    case = granted(cast, to)
    assert reward_night.nightly()["rewards_suspended"] == 0
    deliver(cast, [penalty(cast)])
    assert reward_night.nightly()["rewards_suspended"] == 1
    assert reward_night.nightly()["rewards_suspended"] == 0
    assert (again(case).state, case.public_to, clock(case)) == (State.SUSPENDED, None, "D91")
    assert as_user(None).get(f"/rewards/{case.number}/").status_code == 410
    mine = as_user(cast.citizen).get(f"/me/rewards/{case.number}/").content.decode()
    assert "闽市监处罚〔2026〕1号" in mine
    looked(case, to.head)
    with pytest.raises(ValidationError, match="说明期限还没有满"):
        rewards.revoke(case, text="有严重失信记录", by=to.head)
    as_user(cast.citizen).post(f"/me/rewards/{case.number}/", {"deed": "explain", "text": "已经缴清罚款，正在申请修复"})
    assert clock(case) == "D94"
    case = rewards.resume(again(case), text="处罚与志愿服务无关，已缴清", by=to.head)
    assert case.state == State.PUBLISHED
    assert reward_night.nightly()["rewards_suspended"] == 0, "what a human set aside is not found again"
    assert "处罚与志愿服务无关" in as_user(cast.citizen).get(f"/me/rewards/{case.number}/").content.decode()


def test_revoked_by_a_document_of_the_unit(cast: Cast, to: Awarders, as_user: As) -> None:
    case = granted(cast, to)
    looked(case, to.head)
    with pytest.raises(ValidationError, match="撤销决定的文号"):
        rewards.revoke(case, text="材料不实", by=to.head)
    with pytest.raises(ValidationError):
        rewards.revoke(case, text=" ", document_no="闽文明办〔2026〕9号", by=to.head)
    case = rewards.revoke(case, text="申报材料不实", document_no="闽文明办〔2026〕9号", by=to.head)
    assert (case.state, case.end_kind) == (State.ENDED, "revoked")
    assert own_file(person(cast), by=at_home(cast.citizen)).records == []
    assert RecordEvent.objects.filter(to_state=2).count() == 1
    assert as_user(None).get(f"/rewards/{case.number}/").status_code == 410


def test_leaving_does_not_wait_for_officials(cast: Cast, to: Awarders) -> None:
    case = granted(cast, to)
    for official in (to.officer, to.head):
        official.groups.clear()
    case = rewards.withdraw(person(cast), case.number, by=at_home(cast.citizen))
    assert case.state == State.ENDED
    held = own_file(person(cast), by=at_home(cast.citizen)).records
    assert len(held) == 1, "the person alone still sees it"
    with connection.cursor() as cursor:
        cursor.execute("SELECT sanctions_reward_stands(%s)", [case.record_no])
        assert cursor.fetchone() == (False,)


# --- who sees what ---------------------------------------------------------------------------------------------


def test_cases_are_of_their_unit(cast: Cast, to: Awarders, as_user: As) -> None:
    case = agreed(cast, to)
    work = f"/admin/sanctions/rewardcase/{case.pk}/change/"
    assert as_user(to.head).get(work).status_code == 200
    for user in (cast.officer_here, cast.head):
        assert as_user(user).get(work).status_code == 404
    for user in (cast.credit_office, cast.auditor, cast.data_officer, cast.citizen, None):
        assert as_user(user).get(work).status_code in (302, 403)
    with pytest.raises(PermissionDenied):
        reward_reading.check_of(case, by=as_(cast.head))
