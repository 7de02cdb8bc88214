"""Officers work with lists of records in the admin."""

import json
import re
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from access.models import Query, QueryPerson, Reach, Request
from accounts.models import User
from creditfujian.tests.cast import CITIZEN_NUMBER, Cast
from creditfujian.tests.query_counts import counted
from records import bulk, listing
from records.list_rows import rows
from records.models import BulkJob, ListSearch, SavedView, WorkList, WorkListEntry
from records.tests.listings import fill, opened

COUNTS = Path(__file__).with_name("list_query_counts.json")
LIST, REGISTER = "/admin/records/record/", "/admin/records/record/register/"
As = Callable[[User | None], Client]


@pytest.fixture
def shelf(cast: Cast) -> Cast:
    fill(cast, 60)
    return cast


def registration(cast: Cast) -> dict[str, object]:
    version = cast.item.versions.get()
    return {"reach": "by_duty", "items": [version.pk], "purpose": "supervision", "purpose_text": "年度案卷核对",
            "duty_code": "350000-MRKT-02", "case_no": "闽市监核〔2026〕3号"}  # fmt: skip


def test_an_officer_registers_pages_and_opens_a_record(shelf: Cast, as_user: As) -> None:
    client = as_user(shelf.officer_here)
    assert client.get(LIST).headers["Location"] == REGISTER
    opened_list = client.post(REGISTER, registration(shelf), follow=True)
    page = opened_list.content.decode()
    assert page.count('name="record"') == 50
    assert "年度案卷核对" in page
    assert CITIZEN_NUMBER not in page
    following = opened_list.context["page"].older
    second = client.get(LIST, {"r": Request.objects.get().pk, "after": following})
    assert second.content.decode().count('name="record"') == 10
    one = client.get(reverse("admin:records_record_change", args=[second.context["page"].lines[0].pk]))
    assert "来龙去脉" in one.content.decode()
    assert "处罚.csv" in one.content.decode()
    assert Query.objects.count() == 3


def test_what_is_looked_for_is_in_no_address(shelf: Cast, as_user: As) -> None:
    client, request = as_user(shelf.officer_here), opened(shelf)
    sought = {"r": request.pk, "kept": "severity=3", "by": "number", "text": CITIZEN_NUMBER, "name": "陈小满"}
    answer = client.post("/admin/records/record/search/", sought)
    assert CITIZEN_NUMBER not in answer.headers["Location"]
    assert "severity=3" not in CITIZEN_NUMBER
    found = client.get(answer.headers["Location"].replace("severity=3", ""))
    assert [line.name for line in found.context["page"].lines] == ["陈小满"]
    by_name = client.post("/admin/records/record/search/", {"r": request.pk, "by": "name", "text": "大雪"})
    assert "%" not in by_name.headers["Location"]
    assert [line.name for line in client.get(by_name.headers["Location"]).context["page"].lines] == ["林大雪"]


@pytest.mark.parametrize(
    ("by", "text", "said"),
    [
        ("number", "123", "不是 18 位"),
        ("name", "陈", "至少填两个字"),
        ("document", CITIZEN_NUMBER, "像是证件号码"),
        ("document_start", "闽市", "至少填六个字"),
        ("record", "R1", "记录编号不对"),
    ],
)
def test_a_search_that_cannot_work_says_what_to_do(shelf: Cast, as_user: As, by: str, text: str, said: str) -> None:
    answer = as_user(shelf.officer_here).post(
        "/admin/records/record/search/", {"r": opened(shelf).pk, "by": by, "text": text}
    )
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not ListSearch.objects.exists()


def test_a_search_of_another_officers_registration_is_not_found(shelf: Cast, as_user: As) -> None:
    request = opened(shelf)
    search = ListSearch.objects.create(request=request, by="name", text="小满")
    theirs = as_user(shelf.head)
    for address in ({"r": request.pk}, {"r": request.pk, "s": search.pk}):
        assert theirs.get(LIST, address).headers.get("Location") == REGISTER
    own = opened(shelf, shelf.head)
    assert theirs.get(LIST, {"r": own.pk, "s": search.pk}).status_code == 404


@pytest.mark.parametrize(
    "who", ["auditor", "operator", "credit_office", "clerk", "security_admin", "system_admin", "citizen", "nobody"]
)
def test_nobody_without_the_duty_sees_a_list(shelf: Cast, as_user: As, who: str) -> None:
    request = opened(shelf)
    client = as_user(shelf.everyone()[who])
    pk = 1
    for address in (
        LIST,
        f"{LIST}?r={request.pk}",
        REGISTER,
        f"{LIST}{pk}/change/?r={request.pk}",
        "/admin/records/worklist/",
    ):
        assert client.get(address).status_code in (302, 403, 404), address
    assert not QueryPerson.objects.exists()


def test_an_office_without_the_grant_is_refused_and_it_is_logged(shelf: Cast, as_user: As) -> None:
    answer = as_user(shelf.officer_elsewhere).post(REGISTER, registration(shelf))
    assert answer.status_code == 422  # the item is not even among its choices
    assert not Request.objects.exists()


def test_an_ended_registration_is_refused_in_words(shelf: Cast, as_user: As) -> None:
    request = opened(shelf)
    now = timezone.now()
    Request.objects.filter(pk=request.pk).update(
        created_at=now - timedelta(hours=2), expires_at=now - timedelta(hours=1)
    )
    answer = as_user(shelf.officer_here).get(LIST, {"r": request.pk})
    assert answer.status_code == 403
    assert "已过有效时间" in answer.content.decode()
    assert Query.objects.latest("seq").refusal == "expired"


def test_views_are_the_officers_own_and_hold_no_search(shelf: Cast, as_user: As) -> None:
    client, request = as_user(shelf.officer_here), opened(shelf)
    kept = f"r={request.pk}&s=7&severity=3&after=12"
    saved = client.post(
        "/admin/records/record/views/save/",
        {"r": request.pk, "kept": kept, "name": "严重的", "is_default": "on"},
        follow=True,
    )
    assert saved.status_code in (200, 404)
    view = SavedView.objects.get()
    assert {name for name, value in view.filters.items() if value} == {"severity"}
    first = client.get(LIST, {"r": request.pk}, follow=True)
    assert {line.severity for line in first.context["page"].lines} == {"严重"}
    assert "严重的" not in as_user(shelf.head).get(LIST, {"r": opened(shelf, shelf.head).pk}).content.decode()
    as_user(shelf.head).post("/admin/records/record/views/drop/", {"r": opened(shelf, shelf.head).pk, "view": view.pk})
    assert SavedView.objects.exists()
    again = client.post(
        "/admin/records/record/views/save/", {"r": request.pk, "kept": "", "name": "严重的"}, follow=True
    )
    assert "已有同名的视图" in again.content.decode()
    client.post("/admin/records/record/views/drop/", {"r": request.pk, "view": view.pk})
    assert not SavedView.objects.exists()


def hand_out(cast: Cast, client: Client, request: Request, **more: object) -> WorkList:
    form = {"r": request.pk, "kept": f"r={request.pk}", "title": "三季度核对", "assigned_to": cast.head.pk,
            "due_on": (timezone.localdate() + timedelta(days=9)).isoformat(), "which": "selected", **more}  # fmt: skip
    answer = client.post("/admin/records/record/hand-out/", form)
    assert "/worklist/" in answer.headers["Location"], answer.headers["Location"]
    return WorkList.objects.latest("pk")


def test_ticked_records_go_on_a_colleagues_work_list_in_the_background(shelf: Cast, as_user: As) -> None:
    client, request = as_user(shelf.officer_here), opened(shelf)
    lines = client.get(LIST, {"r": request.pk}).context["page"].lines
    unseen = 999_999
    made = hand_out(shelf, client, request, record=[lines[0].pk, lines[1].pk, unseen])
    assert made.job.record_ids == [lines[0].pk, lines[1].pk]  # nobody ticks what was not shown
    bulk.run(made.job_id)
    assert {entry.number for entry in made.entries.all()} == {lines[0].number, lines[1].number}
    page = as_user(shelf.head).get(f"/admin/records/worklist/{made.pk}/change/").content.decode()
    assert lines[0].number in page
    assert lines[0].name not in page
    assert as_user(shelf.data_officer).get(f"/admin/records/worklist/{made.pk}/change/").status_code == 404
    entry = made.entries.all()[0]
    noted = as_user(shelf.head).post(
        f"/admin/records/worklist/{made.pk}/finding/", {"entry": entry.pk, "finding": "differs", "note": "罚款金额不符"}
    )
    assert noted.status_code == 302
    entry.refresh_from_db()
    assert (entry.finding, entry.note) == ("differs", "罚款金额不符")
    assert (
        as_user(shelf.officer_here)
        .post(f"/admin/records/worklist/{made.pk}/finding/", {"entry": entry.pk, "finding": "agrees"})
        .status_code
        == 403
    )


def test_all_that_the_filters_find_goes_on_a_list_without_a_record_being_read(shelf: Cast, as_user: As) -> None:
    request = opened(shelf)
    made = hand_out(shelf, as_user(shelf.officer_here), request, which="all", kept=f"r={request.pk}&severity=3")
    assert not QueryPerson.objects.exists()
    assert "未读取内容" in Query.objects.latest("seq").fields_class
    bulk.run(made.job_id)
    assert made.entries.count() == 45


def test_a_job_is_stopped_goes_on_and_tells_of_each_record(
    shelf: Cast, as_user: As, monkeypatch: pytest.MonkeyPatch
) -> None:
    from records import actions
    from records.models import Batch

    monkeypatch.setattr(bulk, "STEP", 20)
    client, request = as_user(shelf.officer_here), opened(shelf)
    made = hand_out(shelf, client, request, which="all")
    assert bulk._step(made.job_id)
    client.post(f"/admin/records/worklist/{made.pk}/cancel/")
    assert bulk.run(made.job_id).state == BulkJob.State.CANCELLED
    assert made.entries.count() == 20
    actions.withdraw(Batch.objects.get().pk, by=shelf.data_officer, reason="误报")
    client.post(f"/admin/records/worklist/{made.pk}/resume/")
    job = bulk.run(made.job_id)
    assert (job.state, job.done, job.outcomes.filter(done=False).count()) == (BulkJob.State.DONE, 60, 40)
    assert "没有列入的记录" in client.get(f"/admin/records/worklist/{made.pk}/change/").content.decode()


def test_a_job_that_broke_off_can_go_on(shelf: Cast, as_user: As, monkeypatch: pytest.MonkeyPatch) -> None:
    from records import jobs

    made = hand_out(shelf, as_user(shelf.officer_here), opened(shelf), which="all")
    monkeypatch.setitem(bulk.KINDS, "work_list", bulk.Kind("坏", lambda job, keys: 1 / 0))  # type: ignore[arg-type, return-value]
    assert jobs.run_bulk(made.job_id) == "failed"
    monkeypatch.undo()
    bulk.resume(made.job_id, by=shelf.officer_here)
    assert jobs.run_bulk(made.job_id) == "done"
    assert WorkListEntry.objects.count() == 60


def test_searches_of_ended_registrations_are_forgotten_at_night(shelf: Cast) -> None:
    from records.nightly import nightly

    request = opened(shelf)
    ListSearch.objects.create(request=request, by="name", text="小满")
    assert nightly(timezone.localdate())["searches"] == 0
    now = timezone.now()
    Request.objects.filter(pk=request.pk).update(
        created_at=now - timedelta(hours=2), expires_at=now - timedelta(hours=1)
    )
    assert nightly(timezone.localdate())["searches"] == 1


@pytest.mark.parametrize("records", [10, 1000])
def test_the_number_of_queries_does_not_grow(cast: Cast, as_user: As, records: int) -> None:
    fill(cast, records)
    client, request = as_user(cast.officer_here), opened(cast)
    search = ListSearch.objects.create(request=request, by="name", text="望舒")
    client.get(LIST, {"r": request.pk})
    with counted("admin list", COUNTS):
        page = client.get(LIST, {"r": request.pk})
    with counted("admin list, filtered", COUNTS):
        client.get(LIST, {"r": request.pk, "severity": 3, "public": "on"})
    with counted("admin list, by name", COUNTS):
        client.get(LIST, {"r": request.pk, "s": search.pk})
    with counted("admin list, next page", COUNTS):
        client.get(LIST, {"r": request.pk, "after": page.context["page"].lines[3].pk})
    with counted("admin record", COUNTS):
        client.get(f"{LIST}{page.context['page'].lines[0].pk}/change/", {"r": request.pk})
    assert len(page.context["page"].lines) == min(records, 50)
    assert set(json.loads(COUNTS.read_text())) >= {"admin list", "admin record"}


def test_the_filters_shown_are_those_of_the_page_and_nobody_elses(shelf: Cast, as_user: As) -> None:
    """They are drawn once for all who filter alike."""
    client, request = as_user(shelf.officer_here), opened(shelf)

    def chosen(**filters: str) -> list[str]:
        page = client.get(LIST, {"r": request.pk, **filters}).content.decode()
        return re.findall(r'<option value="([^"]+)" selected>', page)

    assert chosen(severity="1") == ["1"]
    assert chosen(severity="2", ends_within="30") == ["2", "30"]
    assert chosen() == []
    assert chosen(severity="1") == ["1"]
    assert "选择一个有效的选项" in client.get(LIST, {"r": request.pk, "severity": "9"}).content.decode()
    assert shelf.market.name in client.get(LIST, {"r": request.pk}).content.decode()
    supplied = opened(shelf, shelf.data_officer, reach=Reach.SUPPLIED)
    assert 'name="provider"' not in as_user(shelf.data_officer).get(LIST, {"r": supplied.pk}).content.decode()


def test_what_departments_wrote_is_text_in_a_row_and_nothing_else(shelf: Cast) -> None:
    wrote = '<img src=x onerror="a">&'
    line = listing.Line(
        pk=7, number="R20260101000000000071", name=wrote, id_number=wrote, item=wrote, doc_no=wrote, doc_date=date(2026, 1, 1),
        severity="轻微", public_until=None, query_until=date(2029, 1, 1), provider=wrote,
    )  # fmt: skip
    drawn = rows([line], opened(shelf))
    assert "<img" not in drawn
    assert drawn.count("&lt;img src=x onerror=&quot;a&quot;&gt;&amp;") == 5
