"""Two numbers of one human are merged, undone exactly, and records moved: by two officials, with a line for each move."""

import threading
from collections.abc import Callable
from datetime import date

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test import Client

from access.actions import Asker
from access.reading import access_history
from accounts.models import Person, User
from creditfujian.lib import identity
from creditfujian.tests.cast import CITIZEN_NUMBER, OTHER_NUMBER, PASSWORD, Cast, make_cast
from records import actions, holds, persons, reports
from records.life_models import RecordAct, RecordEvent
from records.list_models import ListSearch
from records.listing import Filters, Page, look_for, page
from records.models import Batch, Record
from records.person_models import CaseNewcomer, CaseRecord, PersonCase
from records.person_reading import notices_for, subjects_of
from records.reading import own_file, public_records
from records.statements import state as say
from records.statements import take_back
from records.tests.deliveries import as_csv, check, deliver, penalty, problems
from records.tests.life import asker, done, numbers_of, owner_sql
from records.tests.listings import opened
from records.tests.persons import agreed, answered, conflict, dying, looked, merging, moving, undone
from records.tests.test_database_rules import at_work

Browser = Callable[[User | None], Client]
apart = pytest.mark.django_db(transaction=True, databases=["default", "owner"])
LIST = "/admin/records/personcase/"
THIRD = {"other_number": identity.invent(date(1980, 5, 5), 8), "other_name": "周清明"}


def about(cast: Cast, number: str, name: str, document: int, **changes: object) -> dict[str, str]:
    return penalty(
        cast, 行政相对人名称=name, 证件号码=number, 行政处罚决定书文号=f"闽市监处罚〔2026〕{document}号", **changes
    )


def both(cast: Cast) -> None:
    """One record of each: document 1 of the citizen's, 2 of the other's."""
    deliver(cast, [about(cast, CITIZEN_NUMBER, "陈小满", 1), about(cast, OTHER_NUMBER, "林大雪", 2)])


def held(person: Person) -> set[str]:
    """Document numbers of the records that stand with a person: the owner looks, no line is needed."""
    return {doc for (doc,) in owner_sql("SELECT doc_no FROM records_record WHERE person_id = %s", person.pk)}


def register() -> list[tuple]:
    """Everything that a merge touches, to compare before and after."""
    return [
        *owner_sql(
            "SELECT id, person_id, state, version, publication, query_until, content_hash FROM records_record ORDER BY id"
        ),
        *owner_sql("SELECT id, name, deceased_on, merged_into_id FROM accounts_person ORDER BY id"),
        *owner_sql("SELECT id, person_id, is_active, name FROM accounts_user ORDER BY id"),
    ]


# --- merging -------------------------------------------------------------------------------------------


@apart
def test_a_merge_moves_the_records_with_a_line_each_and_both_numbers_lead_to_the_survivor() -> None:
    cast = make_cast()
    both(cast)
    case = agreed(cast, merging(cast))
    assert (held(cast.citizen.person), len(held(cast.other_citizen.person))) == (set(), 2)
    event = RecordEvent.objects.get(kind=4)
    assert event.detail == {"case": case.number, "person": [cast.citizen.person_id, cast.other_citizen.person_id]}
    assert event.by == cast.credit_office_2
    assert not event.is_by_calendar
    found = public_records(name="林大雪", id_number=CITIZEN_NUMBER, by=Asker(None, "公示网站"))
    assert len(found.records) == 2
    assert Person.objects.holder_of(CITIZEN_NUMBER) == cast.other_citizen.person


@apart
def test_an_undone_merge_restores_exactly_and_takes_along_what_came_in_under_the_number_since() -> None:
    cast = make_cast()
    both(cast)
    before = register()
    merge = agreed(cast, merging(cast))
    undone(cast, merge)
    assert register() == before
    merge = agreed(cast, merging(cast))
    deliver(cast, [about(cast, CITIZEN_NUMBER, "林大雪", 3), about(cast, OTHER_NUMBER, "林大雪", 4)], name="合并后.csv")
    assert len(held(cast.other_citizen.person)) == 4
    undone(cast, merge)
    assert held(cast.citizen.person) == {"闽市监处罚〔2026〕1号", "闽市监处罚〔2026〕3号"}
    assert held(cast.other_citizen.person) == {"闽市监处罚〔2026〕2号", "闽市监处罚〔2026〕4号"}


def test_rows_of_both_numbers_are_duplicates_after_the_merge_and_the_sender_is_told(cast: Cast) -> None:
    agreed(cast, merging(cast))
    batch = check(cast, as_csv([about(cast, OTHER_NUMBER, "林大雪", 1), about(cast, CITIZEN_NUMBER, "林大雪", 1)]))
    assert problems(batch) == {3: ["R01"]}
    row = batch.staged.get(row_no=3)
    assert "并入" in row.hints[0][1]
    assert row.merged_person_id == cast.citizen.person_id


def test_a_merge_between_check_and_commit_is_followed_and_so_is_its_undoing(cast: Cast) -> None:
    batch = check(cast, as_csv([about(cast, CITIZEN_NUMBER, "林大雪", 5), about(cast, OTHER_NUMBER, "林大雪", 6)]))
    assert batch.reasons == {"R02": 1}  # 林大雪 is not the citizen's name
    batch = check(cast, as_csv([about(cast, CITIZEN_NUMBER, "陈小满", 7)]), name="二.csv")
    merge = agreed(cast, merging(cast))
    again = check(cast, as_csv([about(cast, CITIZEN_NUMBER, "林大雪", 8)]), name="三.csv")
    undone(cast, merge)
    assert actions.commit_now(batch.pk, by=cast.data_reviewer).new == 1
    assert actions.commit_now(again.pk, by=cast.data_reviewer).reasons == {"R02": 1}, "it is the citizen's number again"


@apart
def test_withdrawing_a_batch_after_a_merge_takes_its_records_back_from_the_survivor() -> None:
    cast = make_cast()
    batch = deliver(cast, [about(cast, CITIZEN_NUMBER, "陈小满", 1)])
    agreed(cast, merging(cast))
    assert actions.withdraw(batch.pk, by=cast.data_officer, reason="报错") == 1


def test_a_document_that_stands_with_both_stops_the_merge_until_one_is_withdrawn(cast: Cast) -> None:
    deliver(cast, [about(cast, CITIZEN_NUMBER, "陈小满", 1), about(cast, OTHER_NUMBER, "林大雪", 1)])
    mine = numbers_of(cast.citizen)[0]
    case = merging(cast)
    clash = subjects_of(case, by=asker(cast.credit_office)).clashes
    assert [(one.mine, one.my_state) for one in clash] == [(mine, "有效")]
    with pytest.raises(ValidationError, match="同一份文书"):
        agreed(cast, case)
    done(cast, RecordAct.Kind.WITHDRAW, mine)
    assert agreed(cast, case).state == "done"
    with pytest.raises(ValidationError, match="另有记录"):
        done(cast, RecordAct.Kind.RESTORE, mine)  # what stayed behind stays out


def test_the_account_follows_when_the_survivor_has_none_and_comes_back(cast: Cast, as_user: Browser) -> None:
    both(cast)
    persons_case = persons.ask_move(
        numbers=numbers_of(cast.citizen), id_number=CITIZEN_NUMBER, name="陈小满", **THIRD, document="police", document_no="1",
        document_date=date(2026, 11, 20), reason="录入有误", by=asker(cast.credit_office),
    )  # fmt: skip
    agreed(cast, persons_case)  # enters 周清明, who has no account
    merge = agreed(cast, merging(cast, **THIRD))
    user = User.objects.get(pk=cast.citizen.pk)
    assert (user.person.name, merge.account) == ("周清明", user)
    assert as_user(user).get("/me/file/").status_code == 200
    undone(cast, merge)
    assert User.objects.get(pk=user.pk).person == cast.citizen.person


def test_of_two_accounts_the_merged_number_s_is_closed_and_both_numbers_sign_in_to_the_other(
    cast: Cast, as_user: Browser
) -> None:
    session = as_user(cast.citizen)
    merge = agreed(cast, merging(cast))
    assert session.get("/me/").status_code == 302
    survivor = Client()
    assert survivor.post("/sign-in/", {"username": CITIZEN_NUMBER, "password": PASSWORD}).status_code == 302
    assert "林大雪" in survivor.get("/me/").content.decode()
    undone(cast, merge)
    assert as_user(cast.citizen).get("/me/").status_code == 200


def test_the_survivor_sees_who_looked_under_either_number_and_is_told(cast: Cast, as_user: Browser) -> None:
    both(cast)
    merge = merging(cast)
    before = len(access_history(cast.other_citizen.person))
    agreed(cast, merge)
    assert len(access_history(cast.other_citizen.person)) > before
    words = [one.words for one in notices_for(cast.other_citizen.person)]
    assert words == ["您的两个证件号码已登记为同一人，记录、查询记录和账户归到一处。"]
    page = as_user(cast.other_citizen).get("/me/file/").content.decode()
    assert page.count(merge.number) > 1, "in the notice and among the steps of the record that came"
    assert "记录归属更正" in page


def test_a_chain_of_merges_is_followed_and_undone_from_its_end(cast: Cast) -> None:
    both(cast)
    first = agreed(cast, merging(cast))
    move = persons.ask_move(
        numbers=numbers_of(cast.other_citizen)[:1], id_number=OTHER_NUMBER, name="林大雪", **THIRD, document="police",
        document_no="1", document_date=date(2026, 11, 20), reason="录入有误", by=asker(cast.credit_office),
    )  # fmt: skip
    agreed(cast, move)
    second = agreed(cast, merging(cast, id_number=OTHER_NUMBER, name="林大雪", **THIRD))
    third = Person.objects.get(name="周清明")
    assert Person.objects.holder_of(CITIZEN_NUMBER) == third
    deliver(cast, [about(cast, CITIZEN_NUMBER, "周清明", 9)], name="链.csv")
    latest = CaseRecord.objects.filter(case=second).latest("pk")
    assert set(CaseRecord.objects.filter(record=latest.record_id).values_list("case", flat=True)) == {
        first.pk,
        second.pk,
    }
    with pytest.raises(ValidationError, match="已经变化"):
        undone(cast, first)
    persons.take_back(PersonCase.objects.latest("pk").pk, by=cast.credit_office)
    undone(cast, second)
    undone(cast, first)
    assert Person.objects.holder_of(CITIZEN_NUMBER) == cast.citizen.person
    assert RecordEvent.objects.filter(record=latest.record_id, kind=4).count() == 2, (
        "the latest record went the whole way back"
    )


@pytest.mark.parametrize("into", ["itself", "a circle", "the dead"])
def test_what_cannot_be_merged_is_refused(cast: Cast, into: str) -> None:
    if into == "itself":
        with pytest.raises(ValidationError, match="已经是同一人"):
            merging(cast, other_number=CITIZEN_NUMBER, other_name="陈小满")
        return
    if into == "a circle":
        case = merging(cast)
        back = merging(cast, id_number=OTHER_NUMBER, name="林大雪", other_number=CITIZEN_NUMBER, other_name="陈小满")
        agreed(cast, case)
    else:
        back = merging(cast)
        agreed(cast, dying(cast))
    with pytest.raises(ValidationError, match="已经变化"):
        agreed(cast, back)


# --- what else hangs on a person ------------------------------------------------------------------------


@apart
def test_the_survivor_speaks_on_beside_a_record_that_came_by_a_merge() -> None:
    cast = make_cast()
    both(cast)
    [number] = numbers_of(cast.citizen)
    say(cast.citizen.person, number, "已整改。", by=Asker(cast.citizen, "公示网站"))
    merge = agreed(cast, merging(cast))
    survivor, by = cast.other_citizen.person, Asker(cast.other_citizen, "公示网站")
    say(survivor, number, "早已整改。", by=by)
    assert take_back(survivor, number, by=by)
    say(survivor, number, "另有说明。", by=by)
    undone(cast, merge)
    mine = own_file(cast.citizen.person, by=Asker(cast.citizen, "公示网站")).records
    assert [one.statement for one in mine] == [""], "the words of whoever it is not about have ended"


@apart
def test_words_held_back_stay_their_persons_own_after_a_merge() -> None:
    cast = make_cast()
    both(cast)
    [number] = numbers_of(cast.citizen)
    say(cast.citizen.person, number, "某人的事。", by=Asker(cast.citizen, "公示网站"))
    hold = holds.look(number, why="接到反映", by=cast.credit_office)
    holds.words_of(hold, by=asker(cast.credit_office))
    holds.propose(hold.pk, ground="others", told="写了别人的事，请删去。", by=cast.credit_office)
    holds.words_of(hold, by=asker(cast.credit_office_2))
    holds.decide(hold.pk, agree=True, by=cast.credit_office_2)
    agreed(cast, merging(cast))
    survivor, by = cast.other_citizen.person, Asker(cast.other_citizen, "公示网站")
    assert {one.statement for one in own_file(survivor, by=by).records} == {"", "某人的事。"}
    assert holds.held_words(survivor) == 1
    assert holds.speak_against(survivor, number, "并无不当。", by=by).review_at is not None


@apart
def test_reports_issued_under_the_merged_number_are_the_survivors_to_see() -> None:
    cast = make_cast()
    both(cast)
    issued = reports.issue(cast.citizen.person, by=Asker(cast.citizen, "公示网站"))
    agreed(cast, merging(cast))
    by = Asker(cast.other_citizen, "公示网站")
    [standing] = reports.own_reports(cast.other_citizen.person, by=by)
    assert standing.report == issued.report
    assert (standing.changes.added, standing.changes.ended) == (1, 0)
    assert reports.fetch_again(standing.report, by=by) == issued.pdf
    with pytest.raises(PermissionDenied):
        reports.fetch_again(standing.report, by=Asker(cast.clerk, "公示网站"))


@apart
def test_the_name_registered_with_a_merged_number_is_the_survivors_too() -> None:
    """A document made under the earlier number bears the earlier name: it goes in, and is found by that name."""
    cast = make_cast()
    both(cast)
    merge = agreed(cast, merging(cast))
    batch = deliver(cast, [about(cast, CITIZEN_NUMBER, "陈小满", 5)], name="旧姓名.csv")
    assert (batch.new, len(held(cast.other_citizen.person))) == (1, 3)
    stranger = check(cast, as_csv([about(cast, OTHER_NUMBER, "陈小满", 6)]), name="别的号码.csv")
    assert problems(stranger) == {2: ["R02"]}, "only under the number that it was registered with"
    for found, many in (({"id_number": CITIZEN_NUMBER}, 3), ({"doc_no": "闽市监处罚〔2026〕1号"}, 1)):
        assert len(public_records(name="陈小满", **found, by=Asker(None, "公示网站")).records) == many
    search = look_for(opened(cast), ListSearch.By.NAME, "陈小满")
    found = page(opened(cast), Filters(), search, by=asker(cast.officer_here))
    assert isinstance(found, Page)
    assert len(found.lines) == 3
    undone(cast, merge)
    assert "闽市监处罚〔2026〕5号" in held(cast.citizen.person)


# --- moving records ------------------------------------------------------------------------------------


@apart
def test_a_record_delivered_under_the_wrong_number_goes_to_whom_it_is_about_and_both_are_told() -> None:
    cast = make_cast()
    deliver(cast, [about(cast, CITIZEN_NUMBER, "陈小满", 1), about(cast, CITIZEN_NUMBER, "陈小满", 2)])
    wrong, right = numbers_of(cast.citizen)
    say(cast.citizen.person, wrong, "这不是我。", by=Asker(cast.citizen, "公示网站"))
    agreed(cast, moving(cast, [wrong]))
    assert (numbers_of(cast.citizen), numbers_of(cast.other_citizen)) == ([right], [wrong])
    assert own_file(cast.other_citizen.person, by=Asker(cast.other_citizen, "公示网站")).records[0].statement == ""
    assert [one.words for one in notices_for(cast.citizen.person)] == ["误记在您名下的 1 条记录已移出。"]
    assert "已移到您名下" in notices_for(cast.other_citizen.person)[0].words
    assert RecordEvent.objects.filter(kind=4).count() == 1


@apart
def test_whom_records_go_to_enters_the_register_by_two_hands_and_not_before() -> None:
    cast = make_cast()
    deliver(cast, [about(cast, CITIZEN_NUMBER, "陈小满", 1)])
    people = Person.objects.count()
    case = moving(cast, numbers_of(cast.citizen), **THIRD)
    assert Person.objects.count() == people
    assert owner_sql("SELECT name FROM records_casenewcomer") == [("周清明",)]
    assert not CaseNewcomer.objects.exists(), "closed without a line of the case"
    shown = subjects_of(case, by=asker(cast.credit_office_2)).other
    assert shown is not None
    assert (shown.name, shown.is_new, THIRD["other_number"] in shown.number) == ("周清明", True, False)
    agreed(cast, case)
    found = Person.objects.holder_of(THIRD["other_number"])
    assert found is not None
    assert (found.name, held(found)) == ("周清明", {"闽市监处罚〔2026〕1号"})
    case.refresh_from_db()
    assert case.other == found
    assert "已移到您名下" in notices_for(found)[0].words
    assert owner_sql("SELECT 1 FROM records_casenewcomer") == []


@apart
@pytest.mark.parametrize("end", ["refused", "dropped"])
def test_a_move_that_comes_to_nothing_leaves_nobody_behind(end: str) -> None:
    cast = make_cast()
    deliver(cast, [about(cast, CITIZEN_NUMBER, "陈小满", 1)])
    people = Person.objects.count()
    case = moving(cast, numbers_of(cast.citizen), **THIRD)
    if end == "dropped":
        persons.take_back(case.pk, by=cast.credit_office)
    else:
        looked(case, cast.credit_office_2)
        persons.decide(case.pk, by=cast.credit_office_2, agree=False, note="证明文件不足")
    assert PersonCase.objects.get(pk=case.pk).state == end
    assert (Person.objects.count(), owner_sql("SELECT 1 FROM records_casenewcomer")) == (people, [])


@apart
def test_a_newcomer_who_was_entered_meanwhile_is_looked_at_as_who_they_are() -> None:
    cast = make_cast()
    deliver(cast, [about(cast, CITIZEN_NUMBER, "陈小满", 1)])
    case = moving(cast, numbers_of(cast.citizen), **THIRD)
    deliver(cast, [about(cast, THIRD["other_number"], "周清明", 2)], name="另一批.csv")
    with pytest.raises(ValidationError, match="已由别处登记"):
        agreed(cast, case)
    assert numbers_of(cast.citizen), "nothing has moved"
    persons.take_back(case.pk, by=cast.credit_office)
    agreed(cast, moving(cast, numbers_of(cast.citizen), **THIRD))
    assert numbers_of(cast.citizen) == []


@apart
@pytest.mark.parametrize("attack", [
    "UPDATE records_personcase SET other_id = {person} WHERE id = {case}",
    "UPDATE records_personcase SET state = 'decided', decided_by_id = {second}, decided_at = now() WHERE id = {case};"
    "UPDATE records_personcase SET other_id = {other} WHERE id = {case}",
    "INSERT INTO records_casenewcomer (case_id, name, id_cipher, id_index) VALUES ({case}, '别人', 'x', 'y')",
    "UPDATE records_casenewcomer SET name = '别人'", "DELETE FROM records_casenewcomer",
    "SELECT records_enter_newcomer(c) FROM records_personcase c WHERE id = {case}",
])  # fmt: skip
def test_nobody_exchanges_whom_a_case_would_enter(attack: str) -> None:
    cast = make_cast()
    deliver(cast, [about(cast, CITIZEN_NUMBER, "陈小满", 1)])
    case = moving(cast, numbers_of(cast.citizen), **THIRD)
    looked(case, cast.credit_office_2)
    keys = {
        "case": case.pk,
        "person": case.person_id,
        "other": cast.other_citizen.person_id,
        "second": cast.credit_office_2.pk,
    }
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(attack.format(**keys))


def test_only_records_of_that_person_are_named_and_a_document_is_not_doubled(cast: Cast) -> None:
    deliver(cast, [about(cast, CITIZEN_NUMBER, "陈小满", 1), about(cast, OTHER_NUMBER, "林大雪", 1)])
    mine, theirs = numbers_of(cast.citizen)[0], numbers_of(cast.other_citizen)[0]
    with pytest.raises(ValidationError, match="不在此人名下"):
        moving(cast, [theirs])
    assert not PersonCase.objects.exists(), "nothing is left of it"
    with pytest.raises(ValidationError, match="同一份文书"):
        agreed(cast, moving(cast, [mine]))


def test_nobody_takes_a_record_of_when_they_were_a_minor_or_dead(cast: Cast) -> None:
    deliver(cast, [about(cast, CITIZEN_NUMBER, "陈小满", 1)])
    child = {"other_number": identity.invent(date(2012, 1, 1), 5), "other_name": "周小童"}
    with pytest.raises(ValidationError, match="未满 18"):
        moving(cast, numbers_of(cast.citizen), **child)
    agreed(cast, dying(cast, date(2020, 1, 1), id_number=OTHER_NUMBER, name="林大雪"))
    with pytest.raises(ValidationError, match="已经死亡"):
        agreed(cast, moving(cast, numbers_of(cast.citizen)))


@apart
def test_a_record_that_was_moved_does_not_come_back_under_the_wrong_number() -> None:
    from records.intake import check as staging
    from records.intake import commit

    cast = make_cast()
    row = about(cast, CITIZEN_NUMBER, "陈小满", 1)
    deliver(cast, [row])
    ahead = check(cast, as_csv([row | {"处罚内容": "罚款三百元"}]), name="移转前校验.csv")
    assert ahead.changed == 1
    case = agreed(cast, moving(cast, numbers_of(cast.citizen)))
    assert actions.commit_now(ahead.pk, by=cast.data_reviewer).reasons == {"R06": 1}
    assert problems(check(cast, as_csv([row | {"处罚内容": "罚款四百元"}]), name="再报.csv")) == {2: ["R06"]}
    right = check(cast, as_csv([about(cast, OTHER_NUMBER, "林大雪", 1)]), name="更正.csv")
    assert (right.new, right.changed) == (0, 1)
    Batch.objects.filter(pk=ahead.pk).update(state=Batch.State.WITHDRAWING)
    with transaction.atomic():
        staging.work_on(ahead)
        ahead.staged.update(outcome=1, record_id=None)
        with pytest.raises(IntegrityError, match="about somebody else"), transaction.atomic():
            commit.write_records(ahead, by_id=cast.data_reviewer.pk)
    moved_back = moving(cast, numbers_of(cast.other_citizen), id_number=OTHER_NUMBER, name="林大雪",
                        other_number=CITIZEN_NUMBER, other_name="陈小满")  # fmt: skip
    agreed(cast, moved_back)
    assert case.pk < moved_back.pk
    assert check(cast, as_csv([row | {"处罚内容": "罚款五百元"}]), name="移回后.csv").changed == 1


@apart
def test_rows_of_two_numbers_that_are_merged_before_the_commit_are_duplicates_then() -> None:
    cast = make_cast()
    batch = check(cast, as_csv([about(cast, CITIZEN_NUMBER, "陈小满", 1), about(cast, OTHER_NUMBER, "林大雪", 1)]))
    agreed(cast, merging(cast))
    done_ = actions.commit_now(batch.pk, by=cast.data_reviewer)
    assert (done_.new, done_.reasons) == (1, {"R01": 1})


@apart
def test_a_row_checked_under_a_merge_that_is_undone_changes_no_record_of_somebody_else() -> None:
    cast = make_cast()
    deliver(cast, [about(cast, OTHER_NUMBER, "林大雪", 1)])
    merge = agreed(cast, merging(cast))
    row = about(cast, CITIZEN_NUMBER, "陈小满", 1, 处罚内容="罚款三百元")
    batch = check(cast, as_csv([row]), name="合并中校验.csv")
    assert batch.changed == 1
    undone(cast, merge)
    assert actions.commit_now(batch.pk, by=cast.data_reviewer).new == 1
    assert len(held(cast.citizen.person)) == len(held(cast.other_citizen.person)) == 1
    assert owner_sql("SELECT version FROM records_record ORDER BY id") == [(1,), (1,)]


# --- attacks -------------------------------------------------------------------------------------------


DECIDED = ("UPDATE records_personcase SET state = 'decided', decided_by_id = {second}, decided_at = now() WHERE id = {case}; "
           "SELECT set_config('cf.person_case', '{case}', true); ")  # fmt: skip
ATTACKS = {
    "merged by itself": "UPDATE accounts_person SET merged_into_id = {other} WHERE id = {person}",
    "merged under a decided case": DECIDED + "UPDATE accounts_person SET merged_into_id = {other} WHERE id = {person}",
    "an account under a decided case": DECIDED + "UPDATE accounts_user SET person_id = {other} WHERE id = {clerk}; "
    "DELETE FROM accounts_user WHERE person_id = {other}; UPDATE accounts_user SET person_id = {other} WHERE person_id = {person}",
    "the owner's part called apart": DECIDED
    + "SELECT records_carry_out_merge(c) FROM records_personcase c WHERE id = {case}",
    "the move called apart": DECIDED
    + "SELECT records_move(c, {person}, {other}) FROM records_personcase c WHERE id = {case}",
    "records named for somebody": "INSERT INTO records_caserecord (case_id, record_id, record_no) VALUES ({case}, 1, 'x')",
    "a number exchanged": "UPDATE accounts_person SET id_index = 'x' WHERE id = {person}",
    "a number sealed anew": "UPDATE accounts_person SET id_cipher = (SELECT id_cipher FROM accounts_person WHERE id = {other}) "
    "WHERE id = {person}",
    "the other person exchanged": "UPDATE records_personcase SET other_id = {person} WHERE id = {case}",
    "an account written into the case": "UPDATE records_personcase SET account_id = {clerk} WHERE id = {case}",
    "one hand": "UPDATE records_personcase SET state = 'decided', decided_by_id = {first}, decided_at = now() WHERE id = {case}",
    "noting what did not come": "SELECT records_name_in_case({case}, '{{}}')",
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_nobody_is_merged_by_sql(cast: Cast, attack: str) -> None:
    both(cast)
    case = merging(cast)
    looked(case, cast.credit_office_2)
    values = {"case": case.pk, "person": case.person_id, "other": case.other_id, "first": cast.credit_office.pk,
              "second": cast.credit_office_2.pk, "clerk": cast.clerk.pk}  # fmt: skip
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(ATTACKS[attack].format(**values))
    assert Person.objects.get(pk=case.person_id).merged_into is None


def test_a_record_is_not_moved_by_sql_under_a_decided_case_and_a_batch_at_work(cast: Cast) -> None:
    batch = deliver(cast, [about(cast, CITIZEN_NUMBER, "陈小满", 1)])
    case = merging(cast)
    looked(case, cast.credit_office_2)
    PersonCase.objects.filter(pk=case.pk).update(
        state="decided", decided_by=cast.credit_office_2, decided_at=case.asked_at
    )
    Batch.objects.filter(pk=batch.pk).update(state=Batch.State.WITHDRAWING)
    from records.intake import check as staging

    staging.work_on(batch)
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('cf.person_case', %s, true)", [str(case.pk)])
    with pytest.raises(IntegrityError, match="person, item and document"), transaction.atomic():
        Record.objects.update(person=cast.other_citizen.person)


def test_the_database_takes_no_record_under_a_merged_number(cast: Cast) -> None:
    from records.intake import commit

    batch = check(cast, as_csv([about(cast, CITIZEN_NUMBER, "陈小满", 1)]))
    agreed(cast, merging(cast))
    at_work(batch)
    with pytest.raises(IntegrityError, match="merged into another"), transaction.atomic():
        commit.write_records(batch, by_id=cast.data_reviewer.pk)


def test_a_person_without_the_duty_merges_nothing(cast: Cast) -> None:
    case = merging(cast)
    for user in (cast.credit_office, cast.clerk, cast.data_reviewer, cast.system_admin):
        with pytest.raises(PermissionDenied):
            persons.decide(case.pk, by=user, agree=True)
    looked(case, cast.credit_office_2)
    refused = persons.decide(case.pk, by=cast.credit_office_2, agree=False, note="证明不足")
    assert (refused.state, Person.objects.get(pk=case.person_id).merged_into) == ("refused", None)


# --- at the same time ----------------------------------------------------------------------------------


@apart
def test_a_commit_on_its_way_ends_before_the_merge_which_then_takes_its_records_along() -> None:
    cast = make_cast()
    batch = check(cast, as_csv([about(cast, CITIZEN_NUMBER, "陈小满", 1)]))
    case, outcome = merging(cast), []

    def merge() -> None:
        outcome.append(agreed(cast, case).state)
        connection.close()

    other = threading.Thread(target=merge)
    with transaction.atomic():
        actions.commit_now(batch.pk, by=cast.data_reviewer)
        other.start()
        other.join(1.5)
        assert not outcome, "the merge waits for the keys of the new record"
    other.join(30)
    assert outcome == ["done"]
    assert (held(cast.citizen.person), held(cast.other_citizen.person)) == (set(), {"闽市监处罚〔2026〕1号"})


@apart
def test_a_commit_that_meets_a_merge_in_progress_writes_nothing_and_goes_in_again() -> None:
    cast = make_cast()
    batch = check(cast, as_csv([about(cast, CITIZEN_NUMBER, "陈小满", 1)]))
    case, outcome = merging(cast), []

    def commit() -> None:
        try:
            actions.commit_now(batch.pk, by=cast.data_reviewer)
            outcome.append("in")
        except IntegrityError as error:
            outcome.append(str(error))
        connection.close()

    other = threading.Thread(target=commit)
    with transaction.atomic():
        agreed(cast, case)
        other.start()
        other.join(1.5)
        assert not outcome, "the keys of the new record wait for the merge"
    other.join(30)
    assert "merged into another person" in outcome[0]
    assert not owner_sql("SELECT 1 FROM records_record")
    Batch.objects.filter(pk=batch.pk, state="committing").update(state="checked", committed_by=None)
    assert actions.commit_now(batch.pk, by=cast.data_reviewer).new == 1
    assert held(cast.other_citizen.person) == {"闽市监处罚〔2026〕1号"}


# --- pages ---------------------------------------------------------------------------------------------


def test_officials_merge_and_move_on_the_pages(cast: Cast, as_user: Browser) -> None:
    both(cast)
    first, second = as_user(cast.credit_office), as_user(cast.credit_office_2)
    paper = {"document": "police", "document_no": "闽公户〔2026〕12号", "document_date": "2026-11-20", "reason": "证明为同一人",
             "id_number": CITIZEN_NUMBER, "name": "陈小满", "other_number": OTHER_NUMBER, "other_name": "林大雪"}  # fmt: skip
    moved = first.post(f"{LIST}add/?kind=move", {**paper, "numbers": numbers_of(cast.citizen)[0]})["Location"]
    second.post(moved.replace("change", "decide"), {"agree": "1"})
    assert not PersonCase.objects.filter(state="done").exists(), "not without having looked at both"
    second.get(f"{moved}?names=1")
    second.post(moved.replace("change", "decide"), {"agree": "1"})
    page = first.post(f"{LIST}add/?kind=merge", paper)["Location"]
    shown = second.get(f"{page}?names=1").content.decode()
    assert "被并入的号码" in shown
    assert CITIZEN_NUMBER not in shown
    second.post(page.replace("change", "decide"), {"agree": "1"})
    assert PersonCase.objects.filter(state="done").count() == 2
    wrong = first.post(f"{LIST}add/?kind=move", {**paper, "numbers": "R1"})
    assert wrong.status_code == 422


def test_a_name_conflict_of_a_merged_number_is_the_survivors(cast: Cast) -> None:
    agreed(cast, merging(cast))
    case = conflict(cast, "陈小曼")
    assert case.person == cast.other_citizen.person
    assert answered(cast, case).state == "asked"
