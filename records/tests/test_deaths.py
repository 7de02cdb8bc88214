"""A death is registered by two officials: nothing more is public or taken, nobody acts as the dead; a mistake is undone."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test import Client
from django.utils import timezone

from access.actions import Asker
from access.models import Query, Request
from access.reading import access_history
from accounts.actions import activate, prove_identity
from accounts.models import Person, User
from accounts.tests.counter import code_from
from creditfujian.lib import identity
from creditfujian.tests.cast import CITIZEN_NUMBER, Cast, make_cast
from records import acts, persons, reports
from records.intake import commit
from records.life_models import RecordAct
from records.models import Batch, BatchRow
from records.person_models import PersonCase
from records.reading import File, file_by_request, own_file, public_records, register
from records.report_models import Report
from records.tests.deliveries import as_csv, check, deliver, penalty, problems
from records.tests.life import asker, numbers_of, opened_and_decided
from records.tests.persons import CERTIFICATE, DAY, agreed, dying, looked, merging, undone
from records.tests.test_database_rules import at_work
from records.tests.test_gateway import registration, staff
from records.tests.ways_out import second_clerk

Browser = Callable[[User | None], Client]
apart = pytest.mark.django_db(transaction=True)
LIST = "/admin/records/personcase/"


def died(cast: Cast) -> object:
    return Person.objects.get(pk=cast.citizen.person_id).deceased_on


def public(**by: str) -> int:
    return len(public_records(name="陈小满", by=Asker(None, "公示网站"), **by).records)


def late_row(cast: Cast) -> dict[str, str]:
    """A penalty of the day after the death."""
    return penalty(
        cast, 处罚决定日期=(DAY + timedelta(days=1)).isoformat(), 行政处罚决定书文号="闽市监处罚〔2026〕88号"
    )


@apart
def test_the_dead_are_not_public_and_duties_see_the_mark() -> None:
    cast = make_cast()
    deliver(cast, [penalty(cast)])
    document = penalty(cast)["行政处罚决定书文号"]
    assert (public(id_number=CITIZEN_NUMBER), public(doc_no=document)) == (1, 1)
    agreed(cast, dying(cast))
    assert died(cast) == DAY
    assert (public(id_number=CITIZEN_NUMBER), public(doc_no=document)) == (0, 0)
    request = register(registration(cast), by=staff(cast.officer_here))
    assert isinstance(request, Request)
    file = file_by_request(request, by=staff(cast.officer_here))
    assert isinstance(file, File)
    assert (file.deceased_on, len(file.records)) == (DAY, 1)


@apart
def test_no_line_of_the_public_or_of_the_person_opens_a_record_of_the_dead_even_by_sql() -> None:
    cast = make_cast()
    deliver(cast, [penalty(cast)])
    agreed(cast, dying(cast))
    for kind in ("Q1", "Q2", "Q6"):  # a line by consent (Q4) is refused by itself: test_consents.py
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO access_query (actor_id, actor_name, organisation_name, uscc, roles, channel, kind, ground, purpose,"
                " case_no, duty_code, items, fields_class, decision, address, correlation) VALUES (%s, '', '', '', '', '', %s,"
                " '试', '', '', '', '{}', '', 'allowed', '', '') RETURNING seq", [cast.citizen.pk, kind],
            )  # fmt: skip
            cursor.execute("INSERT INTO access_queryperson (query_id, person_id, kind, allowed) VALUES (%s, %s, %s, true)",
                           [cursor.fetchone()[0], cast.citizen.person_id, kind])  # fmt: skip
            cursor.execute("SELECT count(*) FROM records_record")
            assert cursor.fetchone()[0] == 0, kind


def test_the_account_of_the_dead_is_closed_with_its_open_session(cast: Cast, as_user: Browser) -> None:
    session = as_user(cast.citizen)
    assert session.get("/me/").status_code == 200
    death = agreed(cast, dying(cast))
    assert session.get("/me/").status_code == 302
    assert session.post("/sign-in/", {"username": "citizen", "password": "松竹梅-岁寒三友-2026"}).status_code == 422
    cast.citizen.person.refresh_from_db()
    with pytest.raises(PermissionDenied, match="死亡"):
        own_file(cast.citizen.person, by=Asker(cast.citizen, "公示网站"))
    undone(cast, death)
    assert as_user(cast.citizen).get("/me/").status_code == 200


def test_nobody_opens_an_account_or_gets_a_report_in_the_name_of_the_dead(cast: Cast) -> None:
    who = {"id_number": identity.invent(date(1950, 1, 1), 3), "name": "周清明"}
    proof = code_from(cast, **who)
    agreed(cast, dying(cast, **who))
    with pytest.raises(ValidationError, match="激活码"):
        activate(id_number=who["id_number"], code=proof.code, username="x", password="松竹梅-岁寒三友-2026")
    with pytest.raises(ValidationError, match="死亡"):
        prove_identity(**who, by=cast.clerk)
    with pytest.raises(ValidationError, match="死亡"):
        reports.ask_at_counter(**who, by=staff(cast.clerk))
    with pytest.raises(IntegrityError, match="no account is opened"), transaction.atomic():
        User.objects.create(username="ghost", name="周清明", kind="citizen", person=proof.proof.person)


@apart
@pytest.mark.parametrize("end", ["death", "merge"])
def test_a_death_or_merge_between_the_two_clerks_stops_the_report_and_leaves_a_line(end: str) -> None:
    cast = make_cast()
    deliver(cast, [penalty(cast)])
    request = reports.ask_at_counter(id_number=CITIZEN_NUMBER, name="陈小满", by=staff(cast.clerk))
    assert request is not None
    agreed(cast, dying(cast) if end == "death" else merging(cast))
    lines = Query.objects.count()
    with pytest.raises(PermissionDenied, match="已经死亡，或号码已并入他人"):
        reports.confirm_at_counter(request.pk, by=staff(second_clerk(cast)))
    assert Query.objects.count() == lines + 1
    line = Query.objects.latest("seq")
    assert (line.kind, line.decision, line.organisation_name) == ("Q2", "refused", "省政务服务中心")
    assert line.persons.get().person == cast.citizen.person
    assert not Report.objects.exists()


@apart
def test_a_report_issued_before_the_death_is_not_printed_after_it_and_the_attempt_leaves_a_line(
    as_user: Browser,
) -> None:
    cast = make_cast()
    deliver(cast, [penalty(cast)])
    request = reports.ask_at_counter(id_number=CITIZEN_NUMBER, name="陈小满", by=staff(cast.clerk))
    assert request is not None
    report = reports.confirm_at_counter(request.pk, by=staff(second_clerk(cast))).report
    agreed(cast, dying(cast))
    lines = Query.objects.count()
    with pytest.raises(PermissionDenied, match="已经死亡"):
        reports.print_copy(report.pk, by=staff(cast.clerk))
    assert Query.objects.count() == lines + 1
    line = Query.objects.latest("seq")
    assert (line.kind, line.decision, line.case_no) == ("Q2", "refused", report.number)
    assert line.persons.get().person == cast.citizen.person
    assert not report.prints.exists()
    page = as_user(cast.clerk).post(f"/admin/records/counterrequest/{request.pk}/print/", {"reason": ""})
    assert (page.status_code, Query.objects.count()) == (403, lines + 2)


@apart
@pytest.mark.parametrize("deed", [
    lambda person, by: own_file(person, by=by), lambda person, by: reports.preview(person, by=by),
    lambda person, by: reports.issue(person, by=by),
])  # fmt: skip
def test_nobody_reads_in_the_name_of_the_dead_and_the_attempt_leaves_a_line(deed: Callable[..., object]) -> None:
    cast = make_cast()
    agreed(cast, dying(cast))
    person, lines = Person.objects.get(pk=cast.citizen.person_id), Query.objects.count()
    with pytest.raises(PermissionDenied, match="已经死亡"):
        deed(person, Asker(cast.citizen, "公示网站"))
    assert Query.objects.count() == lines + 1
    assert Query.objects.latest("seq").decision == "refused"


def test_the_counter_learns_of_a_death_by_name_and_number_only_and_that_leaves_a_line(cast: Cast) -> None:
    agreed(cast, dying(cast))
    person = cast.citizen.person
    assert reports.ask_at_counter(id_number=CITIZEN_NUMBER, name="周清明", by=staff(cast.clerk)) is None
    with pytest.raises(ValidationError, match="死亡"):
        reports.ask_at_counter(id_number=CITIZEN_NUMBER, name="陈小满", by=staff(cast.clerk))
    told = [line.purpose for line in access_history(person)][:2]
    assert told == ["系统登记此人已经死亡，未出具", "姓名与证件号码不符，未出具"]


def test_a_document_made_after_the_death_is_sent_back_and_an_earlier_one_goes_in(cast: Cast) -> None:
    agreed(cast, dying(cast))
    assert problems(check(cast, as_csv([late_row(cast)]))) == {2: ["R05"]}
    assert deliver(cast, [penalty(cast)]).new == 1


def test_a_death_between_check_and_commit_is_noticed_at_the_commit(cast: Cast) -> None:
    from records import actions

    batch = check(cast, as_csv([late_row(cast), penalty(cast)]))
    assert batch.new == 2
    agreed(cast, dying(cast))
    batch = actions.commit_now(batch.pk, by=cast.data_reviewer)
    assert (batch.new, batch.reasons) == (1, {"R05": 1})


def test_the_database_takes_no_document_made_after_the_death(cast: Cast) -> None:
    batch = check(cast, as_csv([late_row(cast)]))
    agreed(cast, dying(cast))
    at_work(batch)
    with pytest.raises(IntegrityError, match="after the person's death"), transaction.atomic():
        commit.write_records(batch, by_id=cast.data_reviewer.pk)


def test_what_was_withdrawn_is_not_restored_after_the_death_and_can_still_be_withdrawn(cast: Cast) -> None:
    deliver(cast, [late_row(cast)])
    number = numbers_of(cast.citizen)[0]
    agreed(cast, dying(cast))
    act = acts.ask(RecordAct.Kind.WITHDRAW, [number], by=cast.data_officer, reason="认错了人")
    opened_and_decided(cast, act)
    act = acts.ask(RecordAct.Kind.RESTORE, [number], by=cast.data_officer, reason="试试")
    with pytest.raises(ValidationError, match="已经死亡"):
        opened_and_decided(cast, act)


def test_a_mistaken_death_is_undone_by_another_case_once(cast: Cast) -> None:
    death = agreed(cast, dying(cast))
    alive = undone(cast, death)
    assert (alive.state, died(cast)) == ("done", None)
    with pytest.raises(ValidationError, match="已经撤销"):
        undone(cast, death)


def test_a_second_death_of_the_same_person_is_refused(cast: Cast) -> None:
    agreed(cast, dying(cast))
    with pytest.raises(ValidationError, match="已经变化"):
        agreed(cast, dying(cast))


@pytest.mark.parametrize(("changes", "says"), [
    ({"day": timezone.localdate() + timedelta(days=1)}, "晚于今天"), ({"name": "林大雪"}, "都一致"),
    ({"document_date": DAY - timedelta(days=1)}, "早于死亡日期"), ({"reason": " "}, "核对的情况"), ({"id_number": "1"}, "18 位"),
])  # fmt: skip
def test_what_does_not_fit_is_told(cast: Cast, changes: dict[str, object], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        dying(cast, **changes)
    assert not PersonCase.objects.exists()


def test_the_look_for_a_death_is_in_the_persons_history(cast: Cast) -> None:
    case = dying(cast)
    assert [(line.case_no, line.purpose) for line in access_history(cast.citizen.person)] == [
        (case.number, "办理登记死亡")
    ]


def test_one_official_alone_registers_no_death(cast: Cast) -> None:
    case = dying(cast)
    with pytest.raises(PermissionDenied):
        persons.decide(case.pk, by=cast.credit_office, agree=True)
    with pytest.raises(PermissionDenied):
        persons.ask_death(
            id_number=CITIZEN_NUMBER, name="陈小满", day=DAY, reason="试", by=asker(cast.clerk), **CERTIFICATE
        )


ATTACKS = {
    "the day by itself": "UPDATE accounts_person SET deceased_on = '2026-11-24' WHERE id = {person}",
    "with a forged setting and a decided case": "UPDATE records_personcase SET state = 'decided', decided_by_id = {second}, "
    "decided_at = now() WHERE id = {case}; SELECT set_config('cf.person_case', '{case}', true); "
    "UPDATE accounts_person SET deceased_on = '2026-11-24' WHERE id = {person}",
    "another day than was asked": "UPDATE records_personcase SET day = '2020-01-01' WHERE id = {case}",
    "a case born decided": "INSERT INTO records_personcase (kind, state, person_id, day, answer, reason, document, document_no, "
    "document_date, decision_note, asked_by_id, asked_at, decided_by_id, decided_at) VALUES ('death', 'decided', {other}, "
    "'2026-01-01', '', 'x', 'death', 'x', '2026-01-02', '', {first}, now(), {second}, now())",
    "a case asked by somebody without the duty": "INSERT INTO records_personcase (kind, state, person_id, day, answer, reason, "
    "document, document_no, document_date, decision_note, asked_by_id, asked_at) VALUES ('death', 'asked', {other}, "
    "'2026-01-01', '', 'x', 'death', 'x', '2026-01-02', '', {clerk}, now())",
    "a death to come": "INSERT INTO records_personcase (kind, state, person_id, day, answer, reason, document, document_no, "
    "document_date, decision_note, asked_by_id, asked_at) VALUES ('death', 'asked', {other}, '2999-01-01', '', 'x', 'death', "
    "'x', '2026-01-02', '', {first}, now())",
    "the owner's part called apart": "SELECT records_carry_out_death(c) FROM records_personcase c WHERE id = {case}",
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_nobody_dies_by_sql(cast: Cast, attack: str) -> None:
    case = dying(cast)
    looked(case, cast.credit_office_2)
    values = {"case": case.pk, "person": case.person_id, "other": cast.other_citizen.person_id, "first": cast.credit_office.pk,
              "second": cast.credit_office_2.pk, "clerk": cast.clerk.pk}  # fmt: skip
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(ATTACKS[attack].format(**values))
    assert died(cast) is None


def test_officials_register_and_undo_on_the_pages(cast: Cast, as_user: Browser) -> None:
    deliver(cast, [late_row(cast)])
    first, second = as_user(cast.credit_office), as_user(cast.credit_office_2)
    assert "登记死亡" in first.get(f"{LIST}add/").content.decode()
    sent = {
        "id_number": CITIZEN_NUMBER,
        "name": "陈小满",
        "day": DAY.isoformat(),
        "reason": "家属持证明办理",
        **CERTIFICATE,
    }
    page = first.post(f"{LIST}add/?kind=death", sent)["Location"]
    case = PersonCase.objects.get()
    shown = second.get(f"{page}?names=1").content.decode()
    assert "1 份文书的日期在死亡日期之后" in shown
    second.post(f"{LIST}{case.pk}/decide/", {"agree": "1"})
    assert died(cast) == DAY
    paper = {"document": "police", "document_no": "1号", "document_date": "2026-11-26", "reason": "登记有误"}
    first.post(f"{LIST}{case.pk}/undo/", paper)
    undoing = PersonCase.objects.latest("pk")
    second.get(f"{LIST}{undoing.pk}/change/?names=1")
    second.post(f"{LIST}{undoing.pk}/decide/", {"agree": "1"})
    assert died(cast) is None
    assert as_user(cast.clerk).get(f"{LIST}add/?kind=death").status_code == 403


def test_staged_rows_are_not_touched_by_a_death(cast: Cast) -> None:
    batch = check(cast, as_csv([penalty(cast)]))
    agreed(cast, dying(cast))
    assert BatchRow.objects.filter(batch=batch, outcome=1).count() == 1
    assert Batch.objects.get(pk=batch.pk).state == "checked"
