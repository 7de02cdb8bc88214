"""Many records on one page: registered first, logged for every person on it, and found by indexes alone."""

from datetime import timedelta

import pytest
import time_machine
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from access.actions import Ask, write_query
from access.models import Kind, Query, QueryPerson, Reach, Refusal
from access.reading import access_history
from catalogue import grants
from catalogue.models import Item, ItemGrant
from creditfujian.tests.cast import CITIZEN_NUMBER, OTHER_NUMBER, Cast
from records.listing import Filters, Page, RecordPage, look_for, one, page, register
from records.models import ListSearch, Record
from records.reading import Refused, file_by_request
from records.tests.deliveries import decided, deliver, penalty
from records.tests.listings import asks, fill, opened, wish

By = ListSearch.By
ALL = Filters()


@pytest.fixture
def shelf(cast: Cast) -> Cast:
    """Sixty records about sixty people: two pages."""
    fill(cast, 60)
    return cast


def read(cast: Cast, request, filters: Filters = ALL, search=None, **more) -> Page:  # type: ignore[no-untyped-def]
    found = page(request, filters, search, by=asks(more.pop("user", cast.officer_here)), **more)
    assert isinstance(found, Page), found
    return found


def test_pages_follow_one_another_in_the_order_of_decisions_and_back(shelf: Cast) -> None:
    request = opened(shelf)
    first = read(shelf, request)
    second = read(shelf, request, after=first.older)
    assert (len(first.lines), len(second.lines), second.older) == (50, 10, None)
    days = [line.doc_date for line in first.lines + second.lines]
    assert days == sorted(days, reverse=True)
    assert len({line.pk for line in first.lines + second.lines}) == 60
    back = read(shelf, request, after=second.newer, newer=True)
    assert [line.pk for line in back.lines] == [line.pk for line in first.lines]
    assert back.newer is None


def test_every_person_on_a_page_has_a_line_and_reads_of_it_in_plain_words(shelf: Cast) -> None:
    found = read(shelf, opened(shelf))
    assert Query.objects.count() == 1
    assert QueryPerson.objects.filter(query=found.seq).count() == len(
        {line.id_number + line.name for line in found.lines}
    )
    assert "陈小满" in {line.name for line in found.lines}
    line = access_history(shelf.citizen.person)[0]
    assert line.listed
    assert (line.unit, line.items, line.count) == ("省市场监督管理局", [shelf.item.code], 0)
    assert line.purpose == "日常监督检查：年度案卷核对"


def test_numbers_are_masked_in_a_list(shelf: Cast) -> None:
    text = str(read(shelf, opened(shelf)))
    assert CITIZEN_NUMBER not in text
    assert "359901********0011" in text


def test_a_page_that_finds_nothing_leaves_its_query_line(shelf: Cast) -> None:
    found = read(shelf, opened(shelf), Filters(decided_from=timezone.localdate()))
    assert found.lines == []
    assert Query.objects.get(seq=found.seq).answer.record_ids == []
    assert not QueryPerson.objects.filter(query=found.seq).exists()


@pytest.mark.django_db(transaction=True)
def test_the_keys_of_a_page_are_gone_with_its_transaction() -> None:
    from creditfujian.tests.cast import make_cast

    cast = make_cast()
    fill(cast, 3)
    assert len(read(cast, opened(cast)).lines) == 3
    assert Record.objects.count() == 0


@pytest.mark.parametrize(
    ("filters", "meets"),
    [
        (
            Filters(decided_from=decided(60), decided_until=decided(50)),
            lambda line: decided(60) <= line.doc_date <= decided(50),
        ),
        (Filters(severity=3), lambda line: line.severity == "严重"),
        (Filters(public=True), lambda line: line.public_until is not None),
    ],
)
def test_filters_return_what_meets_them_and_all_of_it(shelf: Cast, filters: Filters, meets) -> None:  # type: ignore[no-untyped-def]
    request = opened(shelf)
    first = read(shelf, request)
    everything = first.lines + read(shelf, request, after=first.older).lines
    found = read(shelf, request, filters)
    assert {line.pk for line in found.lines} == {line.pk for line in everything if meets(line)}
    assert found.lines


def test_what_ends_soonest_stands_first(shelf: Cast) -> None:
    request = opened(shelf)
    found = read(shelf, request, Filters(ends_within=1200))
    days = [line.public_until for line in found.lines]
    assert days == sorted(days)
    assert len(days) == 40
    assert read(shelf, request, Filters(ends_within=1)).lines == []


def test_a_person_is_found_by_number_and_the_number_is_kept_nowhere(shelf: Cast) -> None:
    request = opened(shelf)
    search = look_for(request, By.NUMBER, CITIZEN_NUMBER, name="陈小满")
    assert [line.name for line in read(shelf, request, search=search).lines] == ["陈小满"]
    assert search.text == ""
    assert read(shelf, request, search=look_for(request, By.NUMBER, CITIZEN_NUMBER, name="陈大满")).lines == []
    with pytest.raises(DatabaseError), transaction.atomic():
        ListSearch.objects.filter(pk=search.pk).update(text=CITIZEN_NUMBER)


def test_a_person_looked_for_without_records_in_the_list_reads_of_it_too(cast: Cast) -> None:
    request = opened(cast)
    assert read(cast, request, search=look_for(request, By.NUMBER, OTHER_NUMBER)).lines == []
    assert access_history(cast.other_citizen.person)[0].case_no == "闽市监核〔2026〕3号"


@pytest.mark.parametrize(
    ("by", "text", "names"),
    [
        (By.NAME, "小满", {"陈小满"}),
        (By.NAME, "林大雪", {"林大雪"}),
        (By.NAME, "无此", set()),
        (By.NAME, "陈望舒小", set()),
        (By.DOCUMENT, "闽市监处罚〔2026〕1001号", {"林大雪"}),
        (By.DOCUMENT, "闽市监处罚〔2026〕100", set()),
        (By.DOCUMENT_START, "闽市监处罚〔2026〕1000", {"陈小满"}),
        (By.DOCUMENT_START, "闽市%", set()),
    ],
)
def test_names_and_documents_are_found(shelf: Cast, by: By, text: str, names: set[str]) -> None:
    request = opened(shelf)
    assert {line.name for line in read(shelf, request, search=look_for(request, by, text)).lines} == names


def test_a_record_is_found_by_its_number(shelf: Cast) -> None:
    request = opened(shelf)
    wanted = read(shelf, request).lines[7]
    search = look_for(request, By.RECORD, wanted.number)
    assert [line.pk for line in read(shelf, request, search=search).lines] == [wanted.pk]
    wrong = wanted.number[:-1] + ("A" if wanted.number[-1] != "A" else "B")
    assert read(shelf, request, search=look_for(request, By.RECORD, wrong)).lines == []


def test_the_own_supply_is_listed_to_the_supplier_alone(shelf: Cast) -> None:
    request = opened(shelf, shelf.data_officer, reach=Reach.SUPPLIED)
    assert len(read(shelf, request, user=shelf.data_officer).lines) == 50
    refused = register(wish(shelf, reach=Reach.SUPPLIED), by=asks(shelf.officer_here))
    assert isinstance(refused, Refused)
    assert refused.refusal is Refusal.NO_ROLE


@pytest.mark.parametrize(
    "who", ["officer_elsewhere", "data_officer", "auditor", "operator", "credit_office", "clerk", "system_admin"]
)
def test_nobody_without_role_and_grant_registers_a_list_and_the_attempt_is_logged(shelf: Cast, who: str) -> None:
    outcome = register(wish(shelf), by=asks(getattr(shelf, who)))
    assert isinstance(outcome, Refused)
    assert outcome.refusal is (Refusal.NO_RIGHT if who == "officer_elsewhere" else Refusal.NO_ROLE)
    assert Query.objects.latest("seq").decision == "refused"


def test_a_registration_of_lists_is_nobody_elses_ends_and_opens_no_file(shelf: Cast) -> None:
    request = opened(shelf)
    borrowed = page(request, Filters(), None, by=asks(shelf.head))
    assert isinstance(borrowed, Refused)
    assert borrowed.refusal is Refusal.NOT_OWNER
    no_file = file_by_request(request, by=asks(shelf.officer_here))
    assert isinstance(no_file, Refused)
    with time_machine.travel(timezone.now() + timedelta(minutes=31), tick=False):
        late = page(request, Filters(), None, by=asks(shelf.officer_here))
    assert isinstance(late, Refused)
    assert late.refusal is Refusal.EXPIRED


def test_a_grant_taken_back_closes_the_open_list_in_the_database(shelf: Cast) -> None:
    request = opened(shelf)
    held = ItemGrant.objects.in_force().get(organisation=shelf.market, item=shelf.item, permission="query_item")
    grants.take_back(held.pk, by=shelf.credit_office, reason="职责划出")
    with transaction.atomic():
        seq = _line(shelf, request)
        assert _direct(seq, request.pk) == []


def _line(cast: Cast, request, **changes):  # type: ignore[no-untyped-def]
    ask = Ask(kind=Kind.DUTY, ground="职责", purpose="试", fields_class="无", case_no="1", request_no=request.pk)
    return write_query(ask, by=asks(changes.get("user", cast.officer_here)))


def _direct(line: int, request: int, size: int = 50) -> list[tuple[int, ...]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM records_page(%s, %s, '{}', NULL, false, %s)", [line, request, size])
        return cursor.fetchall()


def test_the_database_lists_nothing_without_a_line_of_the_same_reader_in_the_same_transaction(shelf: Cast) -> None:
    request = opened(shelf)
    for line in (0, 999_999):
        with pytest.raises(DatabaseError, match="no open list"), transaction.atomic():
            _direct(line, request.pk)
    with transaction.atomic():
        foreign = _line(shelf, request, user=shelf.head)
    with pytest.raises(DatabaseError, match="no open list"), transaction.atomic():
        _direct(foreign, request.pk)
    with transaction.atomic():
        own = _line(shelf, request)
        assert len(_direct(own, request.pk)) == 51
    with pytest.raises(DatabaseError, match="at most 50"), transaction.atomic():
        _direct(own, request.pk, 51)


def test_ids_alone_open_no_record(shelf: Cast) -> None:
    request = opened(shelf)
    with transaction.atomic():
        _direct(_line(shelf, request), request.pk)
        assert Record.objects.count() == 0


def test_a_line_opens_only_the_items_in_which_the_person_stands_on_the_page(shelf: Cast) -> None:
    found = read(shelf, opened(shelf))
    kept = QueryPerson.objects.filter(query=found.seq).values_list("items", flat=True)
    assert {tuple(items) for items in kept} == {(shelf.item.pk,)}


def test_what_is_withdrawn_or_suspended_is_on_no_page(shelf: Cast) -> None:
    from records import actions
    from records.models import Batch

    request = opened(shelf)
    actions.withdraw(Batch.objects.get().pk, by=shelf.data_officer, reason="误报")
    assert read(shelf, request).lines == []


def test_what_the_nightly_check_found_unsound_is_on_no_page(shelf: Cast) -> None:
    from records.models import Unsound

    request = opened(shelf)
    hidden = read(shelf, request).lines[0]
    with transaction.atomic():
        page(request, Filters(), None, by=asks(shelf.officer_here))
        person = Record.objects.get(pk=hidden.pk).person_id
    Unsound.objects.create(person_id=person, record_id=hidden.pk, fault="minor")
    lines = read(shelf, request).lines
    assert hidden.pk not in {line.pk for line in lines}
    assert len(lines) == 50
    assert one(request, hidden.pk, by=asks(shelf.officer_here)) is None


def test_one_record_shows_versions_differences_and_lineage_and_the_person_reads_of_it(cast: Cast) -> None:
    deliver(cast, [penalty(cast)])
    second = deliver(cast, [penalty(cast, 处罚内容="吊销登记证，罚款五万元。")], name="更正.csv")
    request = opened(cast)
    pk = read(cast, request).lines[0].pk
    found = one(request, pk, by=asks(cast.officer_here))
    assert isinstance(found, RecordPage)
    assert [version.version for version in found.versions] == [2, 1]
    newest = found.versions[0]
    assert ("处罚内容", "吊销登记证，罚款六万元。", "吊销登记证，罚款五万元。") in [
        (change.label, change.old, change.new) for change in newest.changes
    ]
    assert newest.source == f"批次 {second.number}，文件“更正.csv”，第 2 行"
    assert newest.uploaded_by == "报送员甲"
    line = access_history(cast.citizen.person)[0]
    assert (line.count, line.listed) == (1, False)
    assert one(request, pk + 1, by=asks(cast.officer_here)) is None


def test_a_record_of_another_item_is_not_opened_by_its_number(shelf: Cast) -> None:
    pk = read(shelf, opened(shelf)).lines[0].pk
    transport = Item.objects.get(code="FJ1-03-TRAN-0001")
    request = opened(shelf, shelf.officer_elsewhere, items=[transport])
    assert one(request, pk, by=asks(shelf.officer_elsewhere)) is None
