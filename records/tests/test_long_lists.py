"""A list of many records and a name that thousands bear: nothing is lost or doubled between pages, former names count."""

from collections.abc import Iterator

import pytest
from django.db import connection, connections

from catalogue.models import Item
from creditfujian import demo_scale
from creditfujian.tests.cast import Cast, make_cast
from records.listing import Filters, Page, look_for, page
from records.models import ListSearch
from records.tests.deliveries import deliver, penalty
from records.tests.listings import asks, fill, opened
from records.tests.persons import conflict, settled

By = ListSearch.By
FREQUENT = 3001  # as many persons as make a name frequent: the list is walked, not gathered
NAMESAKES = """
INSERT INTO accounts_person (sid, name, id_cipher, id_index)
SELECT gen_random_uuid(), %s, '\\x00', sha256(convert_to('namesake ' || n, 'UTF8')) FROM generate_series(1, %s) n
"""
IN_ORDER = """
SELECT r.id FROM records_record r JOIN accounts_person p ON p.id = r.person_id JOIN catalogue_item i ON i.id = r.item_id
 WHERE i.code = ANY (%s) AND records_is_in_use(r.state, r.usable_from, r.hidden_at) AND r.query_until > cf_today() AND {}
 ORDER BY {}
"""


def pages(cast: Cast, request, filters: Filters, search=None) -> Iterator[Page]:  # type: ignore[no-untyped-def]
    """Page on as long as there is a next page, then back again."""
    after, newer = None, False
    while True:
        found = page(request, filters, search, after=after, newer=newer, by=asks(cast.officer_here))
        assert isinstance(found, Page), found
        yield found
        newer = newer or found.older is None
        after = found.newer if newer else found.older
        if after is None:
            return


def walked(cast: Cast, request, filters: Filters, search=None) -> tuple[list[int], list[int]]:  # type: ignore[no-untyped-def]
    """Return the records in the order of the pages, on the way forth and on the way back."""
    all_pages = list(pages(cast, request, filters, search))
    turn = next(at for at, found in enumerate(all_pages) if found.older is None)
    forth = [line.pk for found in all_pages[: turn + 1] for line in found.lines]
    back = [line.pk for found in reversed(all_pages[turn + 1 :]) for line in found.lines]
    return forth, back + [line.pk for line in all_pages[turn].lines]


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
def test_every_record_stands_on_one_page_in_order_however_long_the_walk() -> None:
    cast = make_cast()
    demo_scale.load(persons=1500, records=40_000, rebuild_indexes=True, say=str)
    codes = ["FJ1-03-MRKT-0001"]
    with connections["owner"].cursor() as cursor:
        cursor.execute(NAMESAKES, ["欧阳一鸣", FREQUENT])

        def expected(condition: str, order: str = "r.doc_date DESC, r.id DESC") -> list[int]:
            cursor.execute(IN_ORDER.format(condition, order), [codes])
            return [pk for (pk,) in cursor.fetchall()]

        cursor.execute("SELECT count(*) FROM records_record r JOIN catalogue_item i ON i.id = r.item_id AND i.code = ANY (%s)",
                       [codes])  # fmt: skip
        assert cursor.fetchone()[0] > 6000  # more than one step of either walk
        request = opened(cast, items=list(Item.objects.filter(code__in=codes)))
        frequent = look_for(request, By.NAME, "欧阳")
        cases = [
            (Filters(ends_within=90), None, expected(
                "upper(r.publication) > cf_today() AND upper(r.publication) <= cf_today() + 90", "upper(r.publication), r.id")),
            (Filters(severity=1), frequent, expected("r.severity = 1 AND p.name LIKE '%%欧阳%%'")),
            (Filters(), frequent, expected("p.name LIKE '%%欧阳%%'")),
        ]  # fmt: skip
    for filters, search, wanted in cases:
        assert wanted, filters
        forth, back = walked(cast, request, filters, search)
        assert forth == wanted
        assert back == wanted
    assert len(cases[-1][2]) > 50  # more than a page


def test_a_former_name_is_found_among_thousands_who_bear_it(cast: Cast) -> None:
    deliver(cast, [penalty(cast)])
    settled(cast, conflict(cast))
    assert cast.citizen.person is not None
    cast.citizen.person.refresh_from_db()
    assert cast.citizen.person.name == "陈小曼"
    fill(cast, 60, first=2)
    with connection.cursor() as cursor:
        cursor.execute(NAMESAKES, ["李小满", FREQUENT])
        cursor.execute(NAMESAKES.replace("namesake", "another"), ["王景行", FREQUENT])
    request = opened(cast)
    found = page(request, Filters(), look_for(request, By.NAME, "小满"), by=asks(cast.officer_here))
    assert isinstance(found, Page)
    assert {line.name for line in found.lines} == {"陈小曼"}
    assert found.older is None
    others = page(request, Filters(), look_for(request, By.NAME, "景行"), by=asks(cast.officer_here))
    assert isinstance(others, Page)
    assert {line.name[1:] for line in others.lines} == {"景行"}
    assert len(others.lines) == 15
