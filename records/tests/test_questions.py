"""The person questions a look at their file with one click; the unit explains, the auditor closes, the person is told."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.utils import timezone

from access import questions, reviews
from access.actions import Ask, Asker, write_query
from access.models import Anomaly, AnomalyStep, Kind, Message, Query, Question, QuestionStep, Request
from access.reading import access_history
from access.waiting import waiting_for
from accounts.models import User
from catalogue.models import Deadline
from creditfujian.tests.cast import Cast
from records.reading import file_by_request, own_file, register
from records.tests.consenting import granted, read, registered
from records.tests.deliveries import deliver, penalty
from records.tests.test_gateway import registration, staff

As = Callable[[User | None], Client]
TOLD = "为办理闽市监检〔2026〕7号案，核实您有没有同类处罚，只看了行政处罚一项"


def at_home(user: User) -> Asker:
    return Asker(user, "公示网站", "203.0.113.0/24")


def looked_at(cast: Cast) -> int:
    """The officer opens the citizen's file under a registration; the line's number."""
    request = register(registration(cast), by=staff(cast.officer_here))
    assert isinstance(request, Request)
    file_by_request(request, by=staff(cast.officer_here))
    return Query.objects.filter(kind="Q5", decision="allowed", actor=cast.officer_here).latest("seq").seq


@pytest.fixture
def asked(cast: Cast) -> Question:
    """The citizen asked about the officer's look."""
    return questions.ask(cast.citizen.person, looked_at(cast), by=at_home(cast.citizen))


def answered(cast: Cast, question: Question, verdict: str = "justified") -> None:
    question.anomaly.refresh_from_db()
    reviews.answer(question.anomaly, verdict=verdict, text="案卷齐全", told=TOLD, by=cast.head)


def closed(cast: Cast, question: Question, verdict: str = "justified") -> None:
    answered(cast, question, verdict)
    question.anomaly.refresh_from_db()
    reviews.close(question.anomaly, text="与案卷一致", by=cast.auditor)


def under_own_line(user: User) -> None:
    """Write the person's own line, as every deed of theirs does: what is refused then is refused for itself."""
    values: dict[str, Any] = {
        "ground": "本人",
        "purpose": "试",
        "fields_class": "无",
        "items": [],
        "person": user.person,
    }
    write_query(Ask(kind=Kind.SELF, **values), by=at_home(user))


def refused(words: str, statement: str, *values: Any, own: User | None = None) -> None:
    def deed() -> None:
        if own is not None:
            under_own_line(own)
        with connection.cursor() as cursor:
            cursor.execute(statement, values)
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")

    with pytest.raises(DatabaseError, match=words), transaction.atomic():
        deed()


# --- asking ----------------------------------------------------------------------------------------------------------


def test_one_click_opens_a_review_that_jumps_the_queue(cast: Cast, as_user: As) -> None:
    seq = looked_at(cast)
    reviews.sample_each_reader(timezone.localdate())
    citizen = as_user(cast.citizen)
    page = citizen.get("/me/access/").content.decode()
    assert re.search(rf'action="/me/access/{seq}/question/".*?我有疑问', page, re.S)
    answer = citizen.post(f"/me/access/{seq}/question/")
    question = Question.objects.get()
    assert answer["Location"] == f"/me/questions/{question.number}/"
    told = citizen.get(answer["Location"]).content.decode()
    assert question.number in told
    assert "您不需要再做什么" in told
    anomaly = question.anomaly
    assert (anomaly.sign, anomaly.actor, anomaly.organisation, anomaly.lines.get().query_seq) == (
        "questioned", cast.officer_here, cast.market, seq,
    )  # fmt: skip
    assert {clock.rule.code for clock in Deadline.objects.of(question) | Deadline.objects.of(anomaly)} == {"D14", "D45"}
    assert next(card for card in waiting_for(cast.head) if card.title == "本人提出疑问的查询").count == 1
    rows = as_user(cast.head).get("/admin/access/anomaly/").content.decode()
    assert rows.index(anomaly.number) < rows.index("随机抽查</td>"), "a question comes before a sample"
    page = citizen.get("/me/access/").content.decode()
    assert question.number in page
    assert f"/me/access/{seq}/question/" not in page, "asked once"
    assert access_history(cast.citizen.person)[0].question == question


def test_two_clicks_are_one_question(cast: Cast, asked: Question) -> None:
    again = questions.ask(cast.citizen.person, asked.query_seq, by=at_home(cast.citizen))
    assert (again.pk, Question.objects.count(), Anomaly.objects.filter(sign="questioned").count()) == (asked.pk, 1, 1)


def test_a_look_by_consent_is_questioned_as_not_consented_to(cast: Cast) -> None:
    deliver(cast, [penalty(cast)])
    registered(cast)
    read(granted(cast), cast.bank_clerk)
    line = access_history(cast.citizen.person)[0]
    question = questions.ask(cast.citizen.person, line.seq, by=at_home(cast.citizen))
    assert (question.doubt, question.anomaly.organisation) == ("no_consent", cast.bank)
    assert Anomaly.objects.to_answer_by(cast.credit_office).get() == question.anomaly, (
        "nobody of the bank answers for it"
    )


def test_nobody_asks_about_their_own_look_or_anybody_elses_history(cast: Cast, as_user: As) -> None:
    seq = looked_at(cast)
    own_file(cast.citizen.person, by=at_home(cast.citizen))
    own = Query.objects.filter(kind="Q1").latest("seq")
    with pytest.raises(ValidationError, match="自己的查询"):
        questions.ask(cast.citizen.person, own.seq, by=at_home(cast.citizen))
    with pytest.raises(Question.DoesNotExist):
        questions.ask(cast.other_citizen.person, seq, by=at_home(cast.other_citizen))
    with pytest.raises(PermissionDenied):
        questions.ask(cast.citizen.person, seq, by=at_home(cast.other_citizen))
    assert as_user(cast.other_citizen).post(f"/me/access/{seq}/question/").status_code == 404
    assert as_user(cast.officer_here).post(f"/me/access/{seq}/question/").status_code == 403
    assert as_user(None).post(f"/me/access/{seq}/question/")["Location"].startswith("/sign-in/")
    assert as_user(cast.citizen).get(f"/me/access/{seq}/question/")["Location"] == "/me/access/"
    assert not Question.objects.exists()


INSERT = "INSERT INTO access_question (person_id, asked_by_id, query_seq, query_at, doubt) VALUES (%s, %s, %s, %s, 'no_reason')"


def test_the_database_refuses_questions_of_others(cast: Cast) -> None:
    seq = looked_at(cast)
    at = Query.objects.get(seq=seq).at
    me, other = cast.citizen, cast.other_citizen
    refused("only the person asks", INSERT, me.person_id, me.pk, seq, at)
    refused("only the person asks", INSERT, me.person_id, cast.officer_here.pk, seq, at, own=me)
    refused("only the person asks", INSERT, me.person_id, me.pk, seq, at, own=other)
    refused("no such line", INSERT, other.person_id, other.pk, seq, at, own=other)
    refused("no such line", INSERT, me.person_id, me.pk, seq + 1000, at, own=me)
    own_file(me.person, by=at_home(me))
    own = Query.objects.filter(kind="Q1").latest("seq")
    refused("no reader to ask", INSERT, me.person_id, me.pk, own.seq, own.at, own=me)


def test_a_question_is_asked_once_and_never_changed(cast: Cast, asked: Question) -> None:
    refused("question", INSERT, asked.person_id, cast.citizen.pk, asked.query_seq, asked.query_at, own=cast.citizen)
    for statement in (
        "UPDATE access_question SET doubt = 'other'", "DELETE FROM access_question", "TRUNCATE access_question CASCADE",
        "UPDATE access_questionstep SET text = 'x'", "DELETE FROM access_questionstep",
    ):  # fmt: skip
        refused("permission denied|append-only", statement)


# --- saying more ----------------------------------------------------------------------------------------------------


def test_words_may_be_added_once_until_the_unit_answers(cast: Cast, asked: Question, as_user: As) -> None:
    page = f"/me/questions/{asked.number}/"
    citizen = as_user(cast.citizen)
    citizen.post(page, {"deed": "add", "doubt": "not_me", "text": "我没有在那里办过事，电话 13800001111"})
    added = QuestionStep.objects.get()
    assert (added.doubt, added.text) == ("not_me", "我没有在那里办过事，电话 ＊")
    assert citizen.post(page, {"deed": "add", "doubt": "other", "text": "再说"}).status_code == 422
    shown = as_user(cast.head).get(f"/admin/access/anomaly/{asked.anomaly_id}/change/").content.decode()
    assert "我没有在那里办过事" in shown
    assert "陈小满" not in shown, "whose file it was is not shown"
    with pytest.raises(Question.DoesNotExist):
        questions.add(cast.other_citizen.person, asked.number, doubt="other", text="x", by=at_home(cast.other_citizen))
    assert as_user(cast.other_citizen).get(page).status_code == 404


def test_nothing_is_added_after_the_answer(cast: Cast, asked: Question) -> None:
    answered(cast, asked)
    with pytest.raises(ValidationError, match="已经答复"):
        questions.add(cast.citizen.person, asked.number, doubt="other", text="x", by=at_home(cast.citizen))
    step = "INSERT INTO access_questionstep (question_id, deed, doubt, verdict, text, by_id) VALUES (%s, %s, '', %s, 'x', %s)"
    refused("is not added", step, asked.pk, "added", "", cast.citizen.pk, own=cast.citizen)
    refused("is not review", step, asked.pk, "review", "", cast.citizen.pk, own=cast.citizen)


# --- the answer -----------------------------------------------------------------------------------------------------


def test_the_answer_tells_the_person_why(cast: Cast, asked: Question, as_user: As) -> None:
    with pytest.raises(ValidationError, match="平常的话"):
        reviews.answer(asked.anomaly, verdict="justified", text="案卷齐全", by=cast.head)
    refused(
        "told the reasons", "INSERT INTO access_anomalystep (anomaly_id, deed, verdict, text, by_id)"
        " VALUES (%s, 'answered', 'justified', '有', %s)", asked.anomaly_id, cast.head.pk,
    )  # fmt: skip
    url, page = f"/admin/access/anomaly/{asked.anomaly_id}/", f"/me/questions/{asked.number}/"
    assert (
        as_user(cast.head).post(f"{url}answer/", {"verdict": "justified", "text": "有", "told": ""}).status_code == 422
    )
    as_user(cast.head).post(f"{url}answer/", {"verdict": "justified", "text": "案卷齐全", "told": TOLD})
    citizen = as_user(cast.citizen)
    assert TOLD not in citizen.get(page).content.decode(), "not before the auditor agreed"
    as_user(cast.auditor).post(f"{url}close/", {"text": "与案卷一致"})
    told = citizen.get(page).content.decode()
    for words in ("结论：有依据", TOLD, "省市场监督管理局", "申请复核"):
        assert words in told
    for name in ("负责人己", "审计癸", "案卷齐全"):
        assert name not in told, "officers and what they wrote to each other stay inside"
    message = Message.objects.get(question=asked)
    assert asked.number in message.text
    assert TOLD not in message.text
    assert "查看疑问" in citizen.get("/me/messages/").content.decode()
    assert Deadline.objects.of(asked).get().met_on == timezone.localdate()
    assert "有依据" in citizen.get("/me/access/").content.decode()


def test_a_look_without_ground_says_what_the_person_can_do(cast: Cast, asked: Question, as_user: As) -> None:
    closed(cast, asked, "unjustified")
    told = as_user(cast.citizen).get(f"/me/questions/{asked.number}/").content.decode()
    for article in ("第四十四条", "第五十条", "第六十五条", "第六十八条", "第六十九条", "第七十条"):
        assert article in told
    assert "没有依据" in Message.objects.get(question=asked).text


def test_no_verdict_without_a_message(cast: Cast, asked: Question) -> None:
    answered(cast, asked)
    close = "INSERT INTO access_anomalystep (anomaly_id, deed, verdict, text, by_id) VALUES (%s, 'closed', '', 'x', %s)"
    refused("told of every verdict", close, asked.anomaly_id, cast.auditor.pk)


def test_the_reader_does_not_answer_for_themselves(cast: Cast, asked: Question) -> None:
    for user in (cast.officer_here, cast.officer_elsewhere, cast.auditor, cast.credit_office):
        with pytest.raises(PermissionDenied):
            reviews.answer(asked.anomaly, verdict="justified", text="有", told="有", by=user)
    assert AnomalyStep.objects.count() == 0


# --- the second look ------------------------------------------------------------------------------------------------


def test_a_second_look_once_by_others(cast: Cast, asked: Question, as_user: As) -> None:
    with pytest.raises(ValidationError, match="还没有结论"):
        questions.ask_for_review(cast.citizen.person, asked.number, text="不同意", by=at_home(cast.citizen))
    closed(cast, asked)
    page, citizen = f"/me/questions/{asked.number}/", as_user(cast.citizen)
    assert citizen.post(page, {"deed": "review", "text": " "}).status_code == 422
    url = f"/admin/access/anomaly/{asked.anomaly_id}/"
    assert as_user(cast.credit_office).get(f"{url}change/").status_code == 404, "nobody asked for it yet"
    citizen.post(page, {"deed": "review", "text": "那天我不在省内"})
    assert "正在复核" in citizen.get(page).content.decode()
    assert citizen.post(page, {"deed": "review", "text": "再来"}).status_code == 422
    assert Deadline.objects.of(asked).filter(rule__code="D71", met_on=None).count() == 1
    assert next(card for card in waiting_for(cast.credit_office) if card.title == "待复核的本人疑问").count == 1
    for user in (cast.head, cast.auditor, cast.data_reviewer, cast.officer_here):
        with pytest.raises(PermissionDenied):
            questions.review(asked.anomaly, verdict="unjustified", text="x", by=user)
    assert "那天我不在省内" in as_user(cast.credit_office).get(f"{url}change/").content.decode()
    as_user(cast.credit_office).post(f"{url}review/", {"verdict": "unjustified", "text": "案件编号与案卷不符"})
    told = citizen.get(page).content.decode()
    for words in ("复核完毕", "结论：没有依据", "案件编号与案卷不符", "第六十九条"):
        assert words in told
    assert access_history(cast.citizen.person)[0].reviewed.verdict == "没有依据"
    history = citizen.get("/me/access/").content.decode()
    assert history.count("结论：没有依据") == 2, "beside the question and beside the review: the last word"
    assert "结论：有依据" not in history
    assert Message.objects.filter(question=asked).count() == 2
    assert not Deadline.objects.of(asked).filter(met_on=None).exists()
    with pytest.raises(PermissionDenied):
        questions.review(asked.anomaly, verdict="justified", text="x", by=cast.credit_office_2)
    assert "案件编号与案卷不符" in as_user(cast.credit_office).get(f"{url}change/").content.decode()


def test_the_database_keeps_the_second_look_to_others(cast: Cast, asked: Question) -> None:
    closed(cast, asked)
    step = "INSERT INTO access_questionstep (question_id, deed, doubt, verdict, text, by_id) VALUES (%s, %s, '', %s, 'x', %s)"
    refused("when asked", step, asked.pk, "reviewed", "justified", cast.credit_office.pk)
    refused("only the person", step, asked.pk, "review", "", cast.head.pk, own=cast.citizen)
    questions.ask_for_review(cast.citizen.person, asked.number, text="不同意", by=at_home(cast.citizen))
    for user in (cast.head, cast.auditor, cast.officer_here, cast.citizen):
        refused("by another", step, asked.pk, "reviewed", "justified", user.pk)
    refused("told of every verdict", step, asked.pk, "reviewed", "justified", cast.credit_office.pk)


def test_the_list_of_questions_is_the_persons_own(cast: Cast, asked: Question, as_user: As) -> None:
    assert asked.number in as_user(cast.citizen).get("/me/questions/").content.decode()
    assert asked.number not in as_user(cast.other_citizen).get("/me/questions/").content.decode()
    assert as_user(cast.officer_here).get("/me/questions/").status_code == 403
