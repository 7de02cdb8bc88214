"""From a list to an export of just what it shows, under all the rules of exports."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction
from django.test import Client
from django.utils import timezone

from access.models import Query, QueryPerson, Request
from accounts.models import User
from creditfujian.tests.cast import Cast, make_cast
from records import exports
from records.export_models import Export
from records.listing import look_for
from records.models import ListSearch
from records.tests.listings import fill, opened
from records.tests.test_exports import fetched, table
from records.tests.ways_out import sql

As = Callable[[User | None], Client]
LIST, EXPORT = "/admin/records/record/", "/admin/records/record/export/"
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def shelf(transactional_db: None) -> Cast:
    made = make_cast()
    fill(made, 60)
    return made


def asked(client: Client, request: Request, **more: object) -> Export:
    form = {"r": request.pk, "kept": f"r={request.pk}", "which": "all", "format": "csv", **more}
    answer = client.post(EXPORT, form)
    assert "/admin/records/export/" in answer.headers.get("Location", ""), answer.content.decode()
    return Export.objects.latest("pk")


def held(cast: Cast, export: Export) -> set[str]:
    assert export.state == Export.State.READY, export.failure
    return {row["记录编号"] for row in table(fetched(cast, export))}


@pytest.mark.parametrize(
    "narrowed",
    [
        "severity=1",
        "severity=3&public=on",
        "ends_within=90&severity=3",
        "decided_from={day}",
        "item={item}&provider={unit}&severity=1",
    ],
)
def test_an_export_holds_what_the_list_shows_and_everybody_in_it_is_logged(
    shelf: Cast, as_user: As, narrowed: str
) -> None:
    client, request = as_user(shelf.officer_here), opened(shelf)
    day = timezone.localdate() - timedelta(days=70)
    kept = f"r={request.pk}&" + narrowed.format(day=day, item=shelf.item.pk, unit=shelf.market.pk)
    lines = client.get(f"{LIST}?{kept}").context["page"].lines
    assert len(lines) < 50
    export = exports.run(asked(client, request, kept=kept).pk)
    assert held(shelf, export) == {line.number for line in lines}
    assert (export.case_no, export.purpose_text) == (request.case_no, request.purpose_text)
    logged = QueryPerson.objects.filter(query__ground__contains=export.number)
    assert logged.values("person").distinct().count() == export.persons == len({line.id_number for line in lines})


def test_ticked_records_go_out_and_no_other_even_when_asked_for(shelf: Cast, as_user: As) -> None:
    client, request = as_user(shelf.officer_here), opened(shelf)
    lines = client.get(LIST, {"r": request.pk}).context["page"].lines
    page = client.post(EXPORT, {"r": request.pk, "kept": "", "record": [line.pk for line in lines[:2]]})
    assert "勾选的 2 条记录" in page.content.decode()
    narrowed = client.post(EXPORT, {"r": request.pk, "kept": f"r={request.pk}&severity=3&public=on"}).content.decode()
    assert "失信程度：严重；只看公示中的：是" in narrowed
    export = asked(client, request, which="selected", record=[lines[0].pk, lines[1].pk, 999_999])
    assert held(shelf, exports.run(export.pk)) == {lines[0].number, lines[1].number}
    with pytest.raises(DatabaseError, match="never rewritten"), transaction.atomic():
        sql("UPDATE records_export SET record_ids = NULL WHERE id = %s", export.pk)
    none = client.post(
        EXPORT, {"r": request.pk, "which": "selected", "format": "csv", "record": [999_999]}, follow=True
    )
    assert "没有选中可以导出的记录" in none.content.decode()


def test_what_a_search_found_goes_out_and_nothing_else(shelf: Cast, as_user: As) -> None:
    client, request = as_user(shelf.officer_here), opened(shelf)
    search = look_for(request, ListSearch.By.NAME, "小满")
    export = exports.run(asked(client, request, kept=f"r={request.pk}&s={search.pk}").pk)
    assert (export.persons, export.records) == (1, 1)
    search.delete()
    gone = client.post(
        EXPORT, {"r": request.pk, "kept": f"r={request.pk}&s={search.pk}", "which": "all", "format": "csv"}
    )
    assert gone.status_code == 404  # and not: everybody
    assert Export.objects.count() == 1


def test_a_wrong_filter_never_becomes_the_whole_list(shelf: Cast, as_user: As) -> None:
    client, request = as_user(shelf.officer_here), opened(shelf)
    kept = f"r={request.pk}&severity=77"
    answer = client.post(EXPORT, {"r": request.pk, "kept": kept, "which": "all", "format": "csv"})
    assert "筛选条件有误" in client.get(answer.headers["Location"]).content.decode()
    assert not Export.objects.exists()


def test_more_than_fifty_persons_wait_for_another_officer(shelf: Cast, as_user: As) -> None:
    client, request = as_user(shelf.officer_here), opened(shelf)
    export = exports.run(asked(client, request).pk)
    assert (export.state, export.persons) == (Export.State.AWAITING, 60)
    detail = as_user(shelf.head).get(f"/admin/records/export/{export.pk}/change/").content.decode()
    assert "同意导出" in detail


def test_an_ended_registration_exports_nothing_and_the_attempt_is_logged(shelf: Cast, as_user: As) -> None:
    client, request = as_user(shelf.officer_here), opened(shelf)
    past = timezone.now() - timedelta(hours=1)
    Request.objects.filter(pk=request.pk).update(created_at=past - timedelta(minutes=30), expires_at=past)
    answer = client.post(EXPORT, {"r": request.pk, "kept": f"r={request.pk}", "which": "all", "format": "csv"})
    assert answer.status_code == 403
    assert Query.objects.latest("seq").refusal == "expired"
    assert not Export.objects.exists()


def test_the_button_stands_only_before_those_who_may_export(shelf: Cast, as_user: As) -> None:
    assert EXPORT in as_user(shelf.officer_here).get(LIST, {"r": opened(shelf).pk}).content.decode()
    legal, request = as_user(shelf.legal_reviewer), opened(shelf, shelf.legal_reviewer)
    assert EXPORT not in legal.get(LIST, {"r": request.pk}).content.decode()
    assert legal.post(EXPORT, {"r": request.pk, "kept": "", "which": "all", "format": "csv"}).status_code == 403
    others = as_user(shelf.head).post(EXPORT, {"r": request.pk, "kept": "", "which": "all", "format": "csv"})
    assert others.status_code == 404
