"""A name that differs from the register's is a conflict for two officials: it is answered, never merged."""

from collections.abc import Callable
from datetime import timedelta
from importlib import import_module
from io import BytesIO

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, IntegrityError, connection, connections, transaction
from django.test import Client
from django.utils import timezone

from access.actions import Ask, write_query
from access.models import Kind, Query
from access.reading import access_history
from accounts.models import Person, PersonName, User
from catalogue import deadline_actions as clocks
from catalogue.models import Deadline
from creditfujian.lib import identity
from creditfujian.tests.cast import CITIZEN_NUMBER, OTHER_NUMBER, Cast, make_cast
from creditfujian.tests.registrations import registration_of
from records import actions, persons
from records.list_models import ListSearch
from records.listing import Filters, Page, look_for, page
from records.models import Batch, Record
from records.person_models import CasePaper, CaseSource, CaseStep, PersonCase
from records.person_reading import names_of
from records.preview import write_correction
from records.tests.deliveries import as_csv, check, decided, deliver, penalty, problems
from records.tests.life import asker, numbers_of
from records.tests.listings import opened
from records.tests.persons import BOOK, OTHER_NAME, Answer, agreed, answered, conflict, delivered, looked, settled
from records.waiting import waiting_for

Browser = Callable[[User | None], Client]
LIST = "/admin/records/personcase/"


def registered(cast: Cast) -> str:
    return Person.objects.get(pk=cast.citizen.person_id).name


def cards(user: User) -> dict[str, int]:
    return {card.title: card.count for card in waiting_for(user)}


# --- met by deliveries ---------------------------------------------------------------------------------


def test_a_delivery_that_names_a_known_person_otherwise_opens_a_case_with_two_working_days(cast: Cast) -> None:
    batch = delivered(cast)
    assert problems(batch) == {2: ["R02"]}
    case = PersonCase.objects.get()
    assert (case.kind, case.state, case.person_id) == ("name", "open", cast.citizen.person_id)
    assert [(s.batch_id, s.rows) for s in case.sources.all()] == [(batch.pk, 1)]
    clock = Deadline.objects.of(case).get()
    assert (clock.rule.code, clock.started_on) == ("D40", timezone.localdate())
    assert cards(cast.credit_office)["姓名不一致待核对"] == 1
    assert cards(cast.data_officer)["待说明的姓名不一致"] == 1


def test_good_rows_go_in_and_the_conflict_opens_with_the_commit(cast: Cast) -> None:
    rows = [
        penalty(cast),
        penalty(cast, 行政相对人名称="林小雪", 证件号码=OTHER_NUMBER, 行政处罚决定书文号="闽市监处罚〔2026〕2号"),
    ]
    batch = check(cast, as_csv(rows))
    assert not PersonCase.objects.exists(), "what goes in decides"
    actions.commit_now(batch.pk, by=cast.data_reviewer)
    assert PersonCase.objects.get().person_id == cast.other_citizen.person_id


def test_many_batches_point_at_one_standing_case_and_another_name_is_another_case(cast: Cast) -> None:
    first, second = delivered(cast), delivered(cast, 行政处罚决定书文号="闽市监处罚〔2026〕3号")
    case = PersonCase.objects.get()
    assert set(case.sources.values_list("batch_id", flat=True)) == {first.pk, second.pk}
    conflict(cast, "陈晓满")
    assert PersonCase.objects.count() == 2
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:  # nobody opens one by hand
        cursor.execute("INSERT INTO records_casesource (case_id, batch_id, rows, says) VALUES (%s, %s, 1, '')",
                       [case.pk, first.pk])  # fmt: skip


def test_checking_a_batch_again_opens_nothing_twice(cast: Cast) -> None:
    batch = delivered(cast)
    Batch.objects.filter(pk=batch.pk).update(state="received")
    actions.check_batch(batch.pk)
    assert PersonCase.objects.count() == CaseSource.objects.count() == 1


# --- answered and decided ------------------------------------------------------------------------------


def test_a_renamed_person_keeps_the_old_name_in_the_history_and_the_row_goes_in_when_resent(cast: Cast) -> None:
    case = settled(cast, conflict(cast))
    assert (case.state, registered(cast)) == ("done", OTHER_NAME)
    old = PersonName.objects.get()
    assert (old.name, old.how, old.case_no) == ("陈小满", "renamed", case.number)
    assert (old.asked_by, old.decided_by) == (cast.credit_office, cast.credit_office_2)
    assert User.objects.get(pk=cast.citizen.pk).name == OTHER_NAME
    assert Deadline.objects.of(case).get().met_on == timezone.localdate()
    returned, sheet = case.sources.get().batch, BytesIO()
    write_correction(returned, sheet)
    again = check(cast, sheet.getvalue(), name="更正件.xlsx")
    assert actions.commit_now(again.pk, by=cast.data_reviewer).new == 1
    assert len(numbers_of(cast.citizen)) == 1


def test_documents_made_before_the_change_go_in_under_the_old_name_and_later_ones_do_not(cast: Cast) -> None:
    settled(cast, conflict(cast))  # changed on 2026-11-20
    assert deliver(cast, [penalty(cast)]).new == 1
    later = BOOK["document_date"] + timedelta(days=1)  # type: ignore[operator]
    row = penalty(cast, 处罚决定日期=later.isoformat(), 行政处罚决定书文号="闽市监处罚〔2026〕9号")
    assert problems(check(cast, as_csv([row]))) == {2: ["R02"]}


def test_a_name_that_was_wrong_from_the_start_is_no_name_of_theirs(cast: Cast) -> None:
    settled(cast, conflict(cast), Answer.WRONG)
    assert PersonName.objects.get().how == "wrong"
    assert problems(check(cast, as_csv([penalty(cast)]))) == {2: ["R02"]}


def test_a_wrong_delivery_changes_nothing_and_the_same_name_again_is_a_new_case(cast: Cast) -> None:
    case = settled(cast, conflict(cast), Answer.SUPPLIER)
    assert (case.state, registered(cast)) == ("done", "陈小满")
    assert not PersonName.objects.exists()
    again = conflict(cast, 行政处罚决定书文号="闽市监处罚〔2026〕4号")
    assert again.pk != case.pk


def test_an_officer_finds_the_person_under_the_old_name_and_the_number(cast: Cast) -> None:
    from records.reading import register
    from records.tests.test_gateway import registration, staff

    settled(cast, conflict(cast))
    assert register(registration(cast), by=staff(cast.officer_here)) is not None


def test_a_list_is_searched_by_the_old_name_too(cast: Cast) -> None:
    settled(cast, conflict(cast))
    deliver(cast, [penalty(cast)])
    opened_list = opened(cast)
    for name in ("陈小满", OTHER_NAME):
        search = look_for(opened_list, ListSearch.By.NAME, name)
        found = page(opened_list, Filters(), search, by=asker(cast.officer_here))
        assert isinstance(found, Page)
        assert len(found.lines) == 1, name


def test_what_is_sent_back_is_open_again_with_the_reason_and_every_step_is_kept(cast: Cast) -> None:
    case = answered(cast, conflict(cast))
    looked(case, cast.credit_office_2)
    with pytest.raises(ValidationError, match="理由"):
        persons.decide(case.pk, by=cast.credit_office_2, agree=False)
    case = persons.decide(case.pk, by=cast.credit_office_2, agree=False, note="户口簿页码不清")
    assert (case.state, registered(cast)) == ("open", "陈小满")
    agreed(cast, answered(cast, case))
    steps = CaseStep.objects.order_by("pk").values_list("to_state", "by__username")
    assert list(steps) == [("open", None), ("asked", "office"), ("open", "office2"), ("asked", "office"),
                           ("decided", "office2"), ("done", "office2")]  # fmt: skip


def test_a_change_of_the_register_needs_the_name_and_the_document(cast: Cast) -> None:
    case = conflict(cast)
    with pytest.raises(ValidationError, match="证明文件"):
        persons.answer_name(case.pk, by=cast.credit_office, answer=Answer.RENAMED, reason="已核对", new_name=OTHER_NAME)


def test_two_conflicts_of_one_person_do_not_undo_each_other(cast: Cast) -> None:
    first, second = conflict(cast), conflict(cast, "陈晓满")
    answered(cast, second, Answer.RENAMED, "陈晓满")
    settled(cast, first)
    with pytest.raises(ValidationError, match="另一张核对单"):
        agreed(cast, second)
    assert registered(cast) == OTHER_NAME


# --- who may -------------------------------------------------------------------------------------------


def test_nobody_decides_what_they_proposed_nor_without_the_duty(cast: Cast) -> None:
    case = answered(cast, conflict(cast))
    for user in (cast.credit_office, cast.data_reviewer, cast.operator, cast.clerk, cast.head, cast.auditor):
        with pytest.raises(PermissionDenied):
            persons.decide(case.pk, by=user, agree=True)
    with pytest.raises(PermissionDenied):
        persons.answer_name(case.pk, by=cast.data_officer, answer=Answer.SUPPLIER, reason="试试")


@pytest.mark.parametrize("who", ["credit_office", "data_reviewer", "system_admin"])
def test_one_official_alone_decides_nothing_even_by_sql(cast: Cast, who: str) -> None:
    case = answered(cast, conflict(cast))
    with pytest.raises(IntegrityError), transaction.atomic():
        PersonCase.objects.filter(pk=case.pk).update(
            state="decided", decided_by=getattr(cast, who), decided_at=timezone.now()
        )


ATTACKS = {
    "the name by itself": "UPDATE accounts_person SET name = '陈小曼' WHERE id = {person}",
    "the name with a forged setting": "SELECT set_config('cf.person_case', '{case}', true); "
    "UPDATE accounts_person SET name = '陈小曼' WHERE id = {person}",
    "the name inside a decided case": "UPDATE records_personcase SET state = 'decided', decided_by_id = {second}, "
    "decided_at = now() WHERE id = {case}; SELECT set_config('cf.person_case', '{case}', true); "
    "UPDATE accounts_person SET name = '陈小曼' WHERE id = {person}",
    "a case done without doing it": "UPDATE records_personcase SET state = 'decided', decided_by_id = {second}, "
    "decided_at = now() WHERE id = {case}; UPDATE records_personcase SET state = 'done', done_at = now() WHERE id = {case}",
    "carrying out what is not decided": "SELECT records_carry_out_case({case})",
    "jumping over the proposal": "UPDATE records_personcase SET state = 'open' WHERE id = {case}; UPDATE records_personcase "
    "SET state = 'decided', decided_by_id = {second}, decided_at = now() WHERE id = {case}",
    "another person's case": "UPDATE records_personcase SET person_id = {other} WHERE id = {case}",
    "the proposal rewritten": "UPDATE records_personcase SET answer = 'supplier' WHERE id = {case}",
    "a case deleted": "DELETE FROM records_personcase WHERE id = {case}",
    "a conflict made up": "INSERT INTO records_personcase (kind, state, person_id, answer, reason, document, document_no, "
    "decision_note) VALUES ('name', 'open', {person}, '', '', '', '', '')",
    "the history deleted": "DELETE FROM accounts_personname",
    "a history made up": "INSERT INTO accounts_personname (person_id, name, how, until, document, case_no, asked_by_id, "
    "decided_by_id) VALUES ({person}, '甲', 'renamed', now(), 'x', 'x', {first}, {second})",
    "the names rewritten": "UPDATE records_casepaper SET new_name = '甲'",
    "the steps rewritten": "UPDATE records_casestep SET note = '甲'",
    "a conflict opened without a batch at work": "SELECT records_open_name_cases({batch})",
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_about_a_name_is_done_by_sql(cast: Cast, attack: str) -> None:
    case = answered(cast, conflict(cast))
    looked(case, cast.credit_office_2)
    values = {
        "case": case.pk, "person": case.person_id, "other": cast.other_citizen.person_id, "first": cast.credit_office.pk,
        "second": cast.credit_office_2.pk, "batch": case.sources.get().batch_id,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('cf.batch', '', true)")  # the check's own transaction is this test's
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(ATTACKS[attack].format(**values))
    assert registered(cast) == "陈小满"
    assert not PersonName.objects.exists()


def test_a_new_person_is_entered_alive_and_unmerged(cast: Cast) -> None:
    stranger = Person.seal(identity.invent(decided(9999), 7), "林小寒")
    stranger.deceased_on = timezone.localdate()
    with pytest.raises(IntegrityError, match="registered by a case"), transaction.atomic():
        stranger.save()


# --- reading the names ---------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_both_names_are_read_under_a_line_that_the_person_sees_and_open_no_record() -> None:
    cast = make_cast()
    deliver(cast, [penalty(cast)])
    case = conflict(cast)
    assert not CasePaper.objects.exists(), "no line, no names"
    before = Query.objects.count()
    with transaction.atomic():
        names = names_of(case, by=asker(cast.credit_office))
        assert not Record.objects.exists()
    assert (names.who.name, names.delivered) == ("陈小满", OTHER_NAME)
    assert CITIZEN_NUMBER not in names.who.number
    assert Query.objects.count() == before + 1
    line = access_history(cast.citizen.person)[0]
    assert (line.case_no, line.unit, line.count) == (case.number, cast.platform.name, 0)


@pytest.mark.django_db(transaction=True)
def test_nobody_proposes_or_decides_without_having_looked_since_the_last_step_not_even_by_sql() -> None:
    cast = make_cast()
    case = conflict(cast)
    with pytest.raises(ValidationError, match="请先点"):
        persons.answer_name(case.pk, by=cast.credit_office, answer=Answer.SUPPLIER, reason="没看过")
    looked(case, cast.credit_office)
    looked(case, cast.credit_office_2)  # before anything was proposed: not what is decided on
    answered(cast, case)
    by_second = {"decided_by": cast.credit_office_2, "decided_at": timezone.now(), "decision_note": "没看过"}
    for state in ("decided", "open"):
        with pytest.raises(IntegrityError, match="has looked"), transaction.atomic():
            PersonCase.objects.filter(pk=case.pk).update(state=state, **by_second)
    for agree in (True, False):
        with pytest.raises(PermissionDenied, match="请先点"):
            persons.decide(case.pk, by=cast.credit_office_2, agree=agree, note="没看过")
    assert agreed(cast, case).state == "done"


@pytest.mark.django_db(transaction=True)
def test_a_line_of_another_purpose_opens_no_names() -> None:
    cast = make_cast()
    case = conflict(cast)
    other = registration_of(cast.officer_here, cast.citizen.person, case_no="别的事")
    ask = Ask(kind=Kind.DUTY, ground="履行法定职责", purpose="别的事", fields_class="无", items=[], case_no="别的事",
              duty_code=other.duty_code, request_no=other.pk, person=cast.citizen.person)  # fmt: skip
    with transaction.atomic():
        write_query(ask, by=asker(cast.officer_here))
        assert not CasePaper.objects.filter(case=case).exists()


# --- pages ---------------------------------------------------------------------------------------------


def test_officials_look_propose_and_decide_on_the_pages(cast: Cast, as_user: Browser) -> None:
    case = conflict(cast)
    first, second = as_user(cast.credit_office), as_user(cast.credit_office_2)
    page = f"{LIST}{case.pk}/change/"
    before = Query.objects.count()
    assert OTHER_NAME not in first.get(page).content.decode()
    assert Query.objects.count() == before
    shown = first.get(f"{page}?names=1").content.decode()
    assert OTHER_NAME in shown
    assert "陈小满" in shown
    assert Query.objects.count() == before + 1
    wrong = first.post(f"{LIST}{case.pk}/answer/", {"answer": "renamed", "reason": "已核对"})
    assert wrong.status_code == 422
    assert "须填写这一项" in wrong.content.decode()
    sent = {"answer": "renamed", "new_name": OTHER_NAME, "reason": "已核对", **BOOK}
    assert first.post(f"{LIST}{case.pk}/answer/", sent)["Location"] == page
    first.post(f"{LIST}{case.pk}/decide/", {"agree": "1"})
    assert registered(cast) == "陈小满", "nobody decides alone"
    assert cards(cast.credit_office_2)["待审核的人员核对单"] == 1
    assert "请先点" in second.get(page).content.decode()
    second.post(f"{LIST}{case.pk}/decide/", {"agree": "1"})
    assert registered(cast) == "陈小满", "not without having looked"
    assert "同意，立即生效" in second.get(f"{page}?names=1").content.decode()
    second.post(f"{LIST}{case.pk}/decide/", {"agree": "1"})
    assert registered(cast) == OTHER_NAME


def test_the_supplier_says_what_its_document_shows_once_and_never_sees_the_registered_name(
    cast: Cast, as_user: Browser
) -> None:
    case = conflict(cast)
    officer, page = as_user(cast.data_officer), f"{LIST}{case.pk}/change/"
    assert "陈小满" not in officer.get(page).content.decode()
    assert officer.get(f"{page}?names=1").status_code == 403
    officer.post(f"{LIST}{case.pk}/attest/", {"says": "right"})
    source = case.sources.get()
    assert (source.says, source.said_by) == ("right", cast.data_officer)
    with pytest.raises(ValidationError, match="已作过说明"):
        persons.attest(source.pk, by=cast.data_officer, says=CaseSource.Says.WRONG)
    assert "报送的姓名无误" in as_user(cast.credit_office).get(page).content.decode()
    assert case.number in officer.get(f"/admin/records/batch/{source.batch_id}/change/").content.decode()


def test_nobody_speaks_for_another_supplier_nor_sees_its_cases(cast: Cast, as_user: Browser) -> None:
    case = conflict(cast)
    cast.data_officer.organisation = cast.transport
    cast.data_officer.save()
    assert as_user(cast.data_officer).get(f"{LIST}{case.pk}/change/").status_code == 404
    with pytest.raises(ValidationError, match="只有报送该批次的单位"):
        persons.attest(case.sources.get().pk, by=cast.data_officer, says=CaseSource.Says.RIGHT)


def test_an_overdue_conflict_is_told_on_the_home_page_and_escalated_by_the_night(cast: Cast) -> None:
    from catalogue.deadline_actions import escalate_overdue

    case = conflict(cast)
    late = Deadline.objects.of(case).get().due_on + timedelta(days=1)
    assert [clock.subject_label for clock in escalate_overdue(late)] == [case.number]


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
@pytest.mark.parametrize("rests_on_it", [True, False])
def test_the_migration_taken_back_leaves_the_time_limit_while_a_clock_rests_on_it(rests_on_it: bool) -> None:
    cast = make_cast()
    if rests_on_it:
        clocks.start("D40", on=timezone.localdate(), subject=cast.item, label="x")
    with transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:
        cursor.execute(import_module("records.migrations.0012_persons").DATA_UNDONE)
        cursor.execute("SELECT count(*) FROM catalogue_deadlinerule WHERE code = 'D40'")
        assert cursor.fetchone() == (int(rests_on_it),)
        transaction.set_rollback(True, using="owner")
