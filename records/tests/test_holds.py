"""The person's words held back: two officials, told to the person, amended at once; by page and by SQL."""

from collections.abc import Callable

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, connection, transaction
from django.test import Client

from access.actions import Asker
from access.models import Query, QueryPerson
from access.reading import access_history
from accounts.actions import register_staff
from accounts.models import Role, User
from catalogue.models import Deadline
from creditfujian.tests.cast import CITIZEN_NUMBER, PASSWORD, Cast
from records import holds, reports
from records.hold_models import StatementHold
from records.life_models import Statement
from records.models import record_key
from records.reading import file_by_request, own_file, public_records, register
from records.statements import state
from records.tests.deliveries import deliver, penalty
from records.tests.life import asker, one_record
from records.tests.listings import opened
from records.tests.test_gateway import registration
from records.tests.ways_out import sql, text_of
from records.timeline import own_file_with_steps
from records.waiting import waiting_for

As = Callable[[User | None], Client]
State = StatementHold.State
WORDS = "罚款已缴清。邻居林大雪住在村东三号，也做过同样的事。"
TOLD = "第二句写了别人的姓名和住址，请删去。"
LIST = "/admin/records/statementhold/"


def me(cast: Cast) -> Asker:
    return Asker(cast.citizen, "公示网站")


@pytest.fixture
def number(cast: Cast) -> str:
    """A record with words beside it that break the law."""
    found = one_record(cast)
    state(cast.citizen.person, found, WORDS, by=me(cast))
    return found


def proposed(cast: Cast, number: str) -> StatementHold:
    hold = holds.look(number, why="接到反映，写有他人住址", by=cast.credit_office)
    holds.words_of(hold, by=asker(cast.credit_office))
    return holds.propose(hold.pk, ground="others", told=TOLD, by=cast.credit_office)


def held(cast: Cast, number: str) -> StatementHold:
    hold = proposed(cast, number)
    holds.words_of(hold, by=asker(cast.credit_office_2))
    return holds.decide(hold.pk, agree=True, by=cast.credit_office_2)


def third_official(cast: Cast) -> User:
    """Another official of the office, who has had nothing to do with it."""
    return register_staff(
        username="credit_office_3", name="信用辛", organisation=cast.credit_office.organisation,
        roles=[Role.CREDIT_OFFICE], password=PASSWORD,
    )  # fmt: skip


def seen_by_others(cast: Cast) -> list[str]:
    """The words beside the record as an officer, the public and the holder of a report read them."""
    request = register(registration(cast), by=asker(cast.officer_here))
    duty = file_by_request(request, by=asker(cast.officer_here)).records[0]  # type: ignore[union-attr, arg-type]
    public = public_records(name="陈小满", id_number=CITIZEN_NUMBER, by=Asker(None, "公示网站")).records[0]
    return [duty.statement, public.statement, text_of(reports.issue(cast.citizen.person, by=me(cast)).pdf)]


def test_two_officials_hold_words_back_from_everybody_but_their_person(cast: Cast, number: str) -> None:
    assert all("村东三号" in text for text in seen_by_others(cast))
    hold = proposed(cast, number)
    assert all("村东三号" in text for text in seen_by_others(cast))  # one official alone changes nothing
    holds.words_of(hold, by=asker(cast.credit_office_2))
    holds.decide(hold.pk, agree=True, by=cast.credit_office_2)
    assert not any("村东三号" in text for text in seen_by_others(cast))
    mine = own_file(cast.citizen.person, by=me(cast)).records[0]
    assert (mine.statement, mine.held.told) == (WORDS, TOLD)
    assert "个人信息保护法第十条" in mine.held.ground


def test_the_person_is_told_why_and_new_words_stand_at_once(cast: Cast, number: str, as_user: As) -> None:
    hold, citizen = held(cast, number), as_user(cast.citizen)
    page = f"/me/file/{number}/statement/"
    for address in ("/me/file/", page):
        text = citizen.get(address).content.decode()
        assert TOLD in text
        assert "暂停显示" in text
    assert "暂停显示" in citizen.get("/me/").content.decode()
    lines = Query.objects.count()
    assert citizen.post(page, {"text": "罚款已缴清。", "deed": "say"}).status_code == 302
    assert Query.objects.count() == lines + 1
    hold.refresh_from_db()
    assert hold.state == State.OVER
    assert all("罚款已缴清" in text and "村东三号" not in text for text in seen_by_others(cast))
    _, [(_, steps)] = own_file_with_steps(cast.citizen.person, by=me(cast))
    assert [step.what for step in steps if step.what.startswith("本人声明")] == ["本人声明暂停显示"]


def test_the_person_speaks_against_it_once_and_somebody_else_answers_in_time(
    cast: Cast, number: str, as_user: As
) -> None:
    hold, citizen = held(cast, number), as_user(cast.citizen)
    page = f"/me/file/{number}/statement/"
    assert "请写明" in citizen.post(page, {"text": "", "deed": "speak_against"}).content.decode()
    assert citizen.post(page, {"text": "那是公开的地址。", "deed": "speak_against"}).status_code == 302
    assert "已提出过意见" in citizen.post(page, {"text": "再说一次", "deed": "speak_against"}).content.decode()
    assert Deadline.objects.of(hold).get().rule.code == "D33"
    cards = {who: {c.title: c.count for c in waiting_for(who)} for who in (cast.credit_office, cast.credit_office_2)}
    assert cards[cast.credit_office]["待答复的声明意见"] == 1
    assert cards[cast.credit_office_2]["待答复的声明意见"] == 0
    with pytest.raises(PermissionDenied, match="自己决定"):
        holds.uphold(hold.pk, answer="维持", by=cast.credit_office_2)
    with pytest.raises(ValidationError, match="维持的理由"):
        holds.uphold(hold.pk, answer=" ", by=cast.credit_office)
    holds.uphold(hold.pk, answer="住址不是公开信息。", by=cast.credit_office)
    assert "住址不是公开信息。" in citizen.get(page).content.decode()
    assert Deadline.objects.of(hold).get().met_on is not None
    holds.lift(hold.pk, by=cast.credit_office)
    assert all("村东三号" in text for text in seen_by_others(cast))


def test_reading_the_words_leaves_a_line_that_the_person_finds(cast: Cast, number: str, as_user: As) -> None:
    office = as_user(cast.credit_office)
    asked = office.post(f"{LIST}add/", {"number": number, "why": "接到反映"})
    hold = StatementHold.objects.get()
    assert "村东三号" not in office.get(asked["Location"]).content.decode()
    lines = QueryPerson.objects.count()
    page = office.get(f"{LIST}{hold.pk}/change/?words=1").content.decode()
    assert "村东三号" in page
    assert "菌落总数" not in page  # the words, nothing of the record
    assert QueryPerson.objects.count() == lines + 1
    assert access_history(cast.citizen.person)[0].case_no == hold.number
    office.post(f"{LIST}{hold.pk}/propose/", {"ground": "others", "told": TOLD})
    second = as_user(cast.credit_office_2)
    detail = f"{LIST}{hold.pk}/change/"
    assert "同意暂停显示" not in second.get(detail).content.decode()  # not before they have read the words themselves
    second.post(f"{LIST}{hold.pk}/decide/", {"agree": "1"})
    refused = second.get(detail).content.decode()
    assert "请先点“查阅声明文字”" in refused
    assert StatementHold.objects.get().state == State.ASKED
    assert "同意暂停显示" in second.get(f"{detail}?words=1").content.decode()
    assert "同意暂停显示" in second.get(detail).content.decode()
    second.post(f"{LIST}{hold.pk}/decide/", {"agree": "1"})
    hold.refresh_from_db()
    assert (hold.state, hold.decided_by) == (State.HELD, cast.credit_office_2)


@pytest.mark.parametrize(
    "who", ["data_officer", "data_reviewer", "officer_here", "head", "operator", "auditor", "clerk", "citizen"]
)
def test_nobody_else_reviews_words_least_of_all_whom_they_criticise(
    cast: Cast, number: str, as_user: As, who: str
) -> None:
    hold, user = proposed(cast, number), cast.everyone()[who]
    client = as_user(user)
    for address in (LIST, f"{LIST}add/", f"{LIST}{hold.pk}/change/?words=1"):
        assert client.get(address).status_code in (302, 403, 404)
    client.post(f"{LIST}{hold.pk}/decide/", {"agree": "1"})
    hold.refresh_from_db()
    assert hold.state == State.ASKED
    with pytest.raises(PermissionDenied):
        holds.look(number, why="试试", by=user)


def test_one_official_cannot_do_both_nor_without_a_reason(cast: Cast, number: str) -> None:
    hold = holds.look(number, why="接到反映", by=cast.credit_office)
    with pytest.raises(ValidationError, match="未结束"):
        holds.look(number, why="再来", by=cast.credit_office_2)
    with pytest.raises(ValidationError, match="不能这样办理"):
        holds.decide(hold.pk, agree=True, by=cast.credit_office_2)
    with pytest.raises(ValidationError, match="请选择理由"):
        holds.propose(hold.pk, ground="", told=TOLD, by=cast.credit_office)
    holds.words_of(hold, by=asker(cast.credit_office))
    holds.propose(hold.pk, ground="others", told=TOLD, by=cast.credit_office)
    with pytest.raises(PermissionDenied, match="另一名"):
        holds.decide(hold.pk, agree=True, by=cast.credit_office)
    with pytest.raises(ValidationError, match="不同意的理由"):
        holds.decide(hold.pk, agree=False, by=cast.credit_office_2)
    holds.words_of(hold, by=asker(cast.credit_office_2))
    holds.decide(hold.pk, agree=False, note="没有他人信息", by=cast.credit_office_2)
    again = holds.look(number, why="又有反映", by=cast.credit_office_2)
    assert holds.drop(again.pk, by=cast.credit_office_2).state == State.DROPPED
    assert all("村东三号" in text for text in seen_by_others(cast))


SIGNED = "decided_at = now(), decided_by_id = (SELECT id FROM accounts_user WHERE username = 'office2')"


@pytest.mark.parametrize("way", ["held", "refused"])
def test_nobody_proposes_decides_or_upholds_without_having_read_the_words(cast: Cast, number: str, way: str) -> None:
    hold = holds.look(number, why="接到反映", by=cast.credit_office)
    with pytest.raises(PermissionDenied, match="查阅声明文字"):
        holds.propose(hold.pk, ground="others", told=TOLD, by=cast.credit_office)
    with pytest.raises(DatabaseError, match="has read the words"), transaction.atomic():
        sql("UPDATE records_statementhold SET state = 'asked', ground = 'others', told = '删去'")
    holds.words_of(hold, by=asker(cast.credit_office))
    holds.propose(hold.pk, ground="others", told=TOLD, by=cast.credit_office)
    with pytest.raises(PermissionDenied, match="查阅声明文字"):
        holds.decide(hold.pk, agree=way == "held", note="不必", by=cast.credit_office_2)
    with pytest.raises(DatabaseError, match="has read the words"), transaction.atomic():
        sql(f"UPDATE records_statementhold SET state = %s, decision_note = '不必', {SIGNED}", way)
    holds.words_of(hold, by=asker(cast.credit_office_2))
    assert holds.decide(hold.pk, agree=way == "held", note="不必", by=cast.credit_office_2).state == way


def test_whoever_answers_the_person_has_read_the_words_too(cast: Cast, number: str, as_user: As) -> None:
    hold, third = held(cast, number), third_official(cast)
    holds.speak_against(cast.citizen.person, number, "那是公开的地址。", by=me(cast))
    page = as_user(third)
    assert 'name="answer"' in page.get(f"{LIST}{hold.pk}/change/").content.decode()
    assert "/uphold/" not in page.get(f"{LIST}{hold.pk}/change/").content.decode()
    with pytest.raises(PermissionDenied, match="查阅声明文字"):
        holds.uphold(hold.pk, answer="维持", by=third)
    with pytest.raises(DatabaseError, match="has read the words"), transaction.atomic():
        sql("UPDATE records_statementhold SET answered_by_id = %s, answered_at = now(), answer = '维持'", third.pk)
    assert "/uphold/" in page.get(f"{LIST}{hold.pk}/change/?words=1").content.decode()
    assert holds.uphold(hold.pk, answer="住址不是公开信息。", by=third).answered_by == third


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        ("UPDATE records_statementhold SET state = 'held', decided_by_id = asked_by_id, decided_at = now()", "decided_by_another"),
        ("UPDATE records_statementhold SET state = 'held'", "decided_by_somebody"),
        ("UPDATE records_statementhold SET state = 'lifted'", "may not go"),
        ("UPDATE records_statementhold SET told = '另一句'", "not rewritten"),
        ("UPDATE records_statementhold SET state = 'over'", "only the person ends"),
        ("UPDATE records_statementhold SET review_at = now(), review_words = '代他说'", "speaks against a hold"),
        ("DELETE FROM records_statementhold", "are kept"),
        ("UPDATE records_statementhold SET state = 'held', decided_at = now(), decided_by_id = "
         "(SELECT id FROM accounts_user WHERE username = 'data_reviewer')", "officials of the office"),
    ],
)  # fmt: skip
def test_the_database_refuses_every_short_cut(cast: Cast, number: str, statement: str, rule: str) -> None:
    proposed(cast, number)
    with pytest.raises(DatabaseError, match=rule), transaction.atomic():
        sql(statement)


@pytest.mark.django_db(transaction=True)
def test_no_sql_of_the_application_reads_held_words_or_ends_what_the_person_said(transactional_db: None) -> None:
    from creditfujian.tests.cast import make_cast

    cast = make_cast()
    number = one_record(cast)
    state(cast.citizen.person, number, WORDS, by=me(cast))
    hold = held(cast, number)
    assert sql("SELECT text FROM records_statement") == []
    with transaction.atomic():  # a reading by duty opens the record; the words stay shut, and nobody ends them
        request = register(registration(cast), by=asker(cast.officer_here))
        file_by_request(request, by=asker(cast.officer_here))  # type: ignore[arg-type]
        assert sql("SELECT count(*) FROM records_record") == [(1,)]
        assert sql("SELECT text FROM records_statement") == []
        assert sql("UPDATE records_statement SET ended_at = now() RETURNING id") == []
    with transaction.atomic(), connection.cursor() as cursor:  # the review's key alone opens nothing
        cursor.execute("SELECT set_config('cf.hold', %s, true)", [str(hold.pk)])
        assert sql("SELECT text FROM records_statement") == []
    holds.lift(hold.pk, by=cast.credit_office)
    with transaction.atomic():
        request = register(registration(cast), by=asker(cast.officer_here))
        file_by_request(request, by=asker(cast.officer_here))  # type: ignore[arg-type]
        assert sql("SELECT text FROM records_statement") == [(WORDS,)]
        assert sql("UPDATE records_statement SET ended_at = now() RETURNING id") == []
    with transaction.atomic():
        own_file(cast.citizen.person, by=me(cast))
        assert Statement.objects.update(ended_at=None) == 1


def test_officers_pages_tell_that_words_are_held_and_not_which(cast: Cast, number: str, as_user: As) -> None:
    held(cast, number)
    request = opened(cast)
    page = (
        as_user(cast.officer_here)
        .get(f"/admin/records/record/{record_key(number)}/change/?r={request.pk}")
        .content.decode()
    )
    assert "本人声明暂停显示" in page
    for hidden in ("村东三号", TOLD):
        assert hidden not in page


def test_a_review_of_somebody_elses_words_is_not_begun_by_a_wrong_number(cast: Cast, number: str) -> None:
    deliver(cast, [penalty(cast, 行政处罚决定书文号="闽市监处罚〔2026〕8号")])
    silent = max(view.number for view in own_file(cast.citizen.person, by=me(cast)).records)
    for wrong in (silent, "R1", number[:-1] + ("A" if number[-1] != "A" else "B")):
        with pytest.raises(ValidationError, match="没有个人声明"):
            holds.look(wrong, why="试试", by=cast.credit_office)


def test_the_supplier_never_reviews_words_beside_its_own_record(cast: Cast, number: str) -> None:
    """The words are often about the supplier; a right given to it by mistake, or SQL, does not help it."""
    cast.data_officer.groups.set(cast.credit_office.groups.all())
    supplier = User.objects.get(pk=cast.data_officer.pk)
    with pytest.raises(ValidationError, match="本单位提供"):
        holds.look(number, why="这话说的是我们", by=supplier)
    with pytest.raises(DatabaseError, match="never its supplier"), transaction.atomic():
        sql(
            "INSERT INTO records_statementhold (statement_id, record_id, record_no, person_id, organisation_id, state, why,"
            " ground, told, asked_by_id, decision_note, review_words, answer)"
            " SELECT b.statement_id, b.record_id, %s, b.person_id, %s, 'looking', '这话说的是我们', '', '', %s, '', '', ''"
            " FROM records_statement_beside(%s) b",
            number, cast.market.pk, supplier.pk, number,
        )  # fmt: skip
