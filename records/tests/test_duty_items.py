"""Organisation × duty × item: a reading by duty names a duty of the register and holds no more than it needs."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.utils import timezone

from access import duties
from access.models import DutyItem, Query, Refusal, Request
from access.waiting import waiting_for
from accounts.models import User
from catalogue.models import Item
from creditfujian.tests.cast import Cast, with_duty
from records import exports, listing
from records.export_models import Export
from records.listing import Filters
from records.reading import Refused, file_by_request, register
from records.tests.deliveries import deliver, penalty
from records.tests.listings import asks, opened, wish
from records.tests.test_gateway import registration, staff

Today = timezone.localdate
HONOURS = "FJ1-06-MRKT-0003"


@pytest.fixture
def narrow(cast: Cast) -> Cast:
    """A duty of the market authority that needs its honours only."""
    with_duty(cast.credit_office, cast.credit_office_2, cast.market, "350000-MRKT-9", HONOURS)
    deliver(cast, [penalty(cast)])
    return cast


def proposed(cast: Cast, **changes: Any) -> DutyItem:
    values = {
        "organisation": cast.market, "code": "350000-MRKT-77", "name": "食品生产许可", "basis": "《食品安全法》第三十五条",
        "valid_from": Today(), "items": [cast.item],
    }  # fmt: skip
    return duties.propose(by=cast.credit_office, **values | changes)


def refused_by_database(words: str, statement: str, *values: Any) -> None:
    with connection.cursor() as cursor, pytest.raises(DatabaseError, match=words), transaction.atomic():
        cursor.execute(statement, values)


# --- what a duty opens --------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["350000-MRKT-9", "350000-JT-1", ""])
def test_a_duty_that_does_not_need_the_item_opens_no_file(narrow: Cast, code: str) -> None:
    outcome = register(registration(narrow, duty_code=code), by=staff(narrow.officer_here))
    assert isinstance(outcome, Refused)
    assert outcome.refusal is Refusal.NO_DUTY
    assert Query.objects.get(refusal="no_duty").actor == narrow.officer_here


def test_nor_a_list_nor_an_export_of_others_records(narrow: Cast) -> None:
    outcome = listing.register(wish(narrow, duty_code="350000-MRKT-9"), by=asks(narrow.officer_here))
    assert isinstance(outcome, Refused)
    filters = exports.Filters(
        items=[narrow.item], purpose=wish(narrow).purpose, purpose_text="核对", duty_code="350000-MRKT-9",
        case_no="闽市监检〔2026〕70号", own_only=False,
    )  # fmt: skip
    assert isinstance(exports.request(filters, by=staff(narrow.officer_here)), Refused)
    refused_by_database(
        "does not open",
        "INSERT INTO records_export (requested_by_id, organisation_id, purpose, purpose_text, duty_code, case_no, item_ids,"
        " own_only, which, format, channel, address, state, decision_reason, failure, persons_done, rows, last_person,"
        " cancel_requested, requested_at) VALUES (%s, %s, 'other', '核对', '350000-MRKT-9', '1号', %s, false, 'all', 'csv',"
        " '', '', 'requested', '', '', 0, 0, 0, false, now())",
        narrow.officer_here.pk, narrow.market.pk, [narrow.item.pk],
    )  # fmt: skip
    assert not Export.objects.exists()


def test_what_a_unit_supplied_itself_it_lists_without_a_duty(narrow: Cast) -> None:
    request = opened(narrow, narrow.data_officer, reach=listing.Reach.SUPPLIED, duty_code="信源单位自查")
    page = listing.page(request, Filters(), None, by=asks(narrow.data_officer))
    assert isinstance(page, listing.Page)
    assert len(page.lines) == 1


def test_a_registration_in_the_database_holds_only_what_its_duty_needs(narrow: Cast) -> None:
    request = register(registration(narrow), by=staff(narrow.officer_here))
    assert isinstance(request, Request)
    strange = Item.objects.exclude(pk__in=duties.items_of_duty(narrow.officer_here, request.duty_code)).first()
    other = Request.objects.create(
        person=narrow.citizen.person, actor=narrow.officer_here, organisation=narrow.market, kind="Q5", purpose="other",
        purpose_text="核对", duty_code="350000-MRKT-9", case_no="1号", expires_at=timezone.now() + timedelta(minutes=9),
    )  # fmt: skip
    for key, item in ((other.pk, narrow.item), *(((request.pk, strange),) if strange else ())):
        refused_by_database(
            "does not open", "INSERT INTO access_request_items (request_id, item_id) VALUES (%s, %s)", key, item.pk
        )
    move = "UPDATE access_request_items SET request_id = %s WHERE request_id = %s"
    refused_by_database("does not open", move, other.pk, request.pk)
    for change in (
        "duty_code = '350000-MRKT-01'", f"person_id = {narrow.other_citizen.person.pk}",
        "expires_at = expires_at + interval '1 hour'",
        "created_at = created_at + interval '9 days', expires_at = expires_at + interval '9 days'",
    ):  # fmt: skip
        refused_by_database("never rewritten", f"UPDATE access_request SET {change} WHERE id = %s", other.pk)


def test_the_person_reads_the_duty_by_its_name_and_law(narrow: Cast, as_user: Callable[[User | None], Client]) -> None:
    with_duty(narrow.credit_office, narrow.credit_office_2, narrow.market, "350000-MRKT-55", narrow.item.code)
    request = register(registration(narrow, duty_code="350000-MRKT-55"), by=staff(narrow.officer_here))
    assert isinstance(request, Request)
    file_by_request(request, by=staff(narrow.officer_here))
    page = as_user(narrow.citizen).get("/me/access/").content.decode()
    assert "履行法定职责（事项编码 350000-MRKT-55）：市场监督管理，《市场主体登记管理条例》第三十八条" in page


def test_when_a_duty_ends_what_was_registered_for_it_opens_nothing(narrow: Cast) -> None:
    request = register(registration(narrow), by=staff(narrow.officer_here))
    listed = opened(narrow)
    assert isinstance(request, Request)
    for code in {request.duty_code, listed.duty_code}:
        duty = DutyItem.objects.get(organisation=narrow.market, code=code)
        duties.end(duty.pk, on=Today(), by=narrow.credit_office)
    outcome = file_by_request(request, by=staff(narrow.officer_here))
    assert isinstance(outcome, Refused)
    assert outcome.refusal is Refusal.NO_DUTY
    assert isinstance(listing.page(listed, Filters(), None, by=asks(narrow.officer_here)), Refused)


# --- the register -------------------------------------------------------------------------------------------


def test_a_duty_takes_two_and_is_fixed(cast: Cast) -> None:
    duty = proposed(cast)
    assert next(card for card in waiting_for(cast.credit_office_2) if card.title == "待确认的职责事项").count == 1
    assert not duties.items_of_duty(cast.officer_here, duty.code), "a draft opens nothing"
    with pytest.raises(PermissionDenied, match="另一名"):
        duties.confirm(duty.pk, by=cast.credit_office)
    put = "UPDATE access_dutyitem SET state = 'in_force', confirmed_at = now(), confirmed_by_id = %s WHERE id = %s"
    refused_by_database("another person|confirmed_by_another", put, cast.credit_office.pk, duty.pk)
    duties.confirm(duty.pk, by=cast.credit_office_2)
    assert duties.items_of_duty(cast.officer_here, duty.code) == {cast.item.pk}
    assert not duties.items_of_duty(cast.officer_elsewhere, duty.code), "a duty of another organisation"
    refused_by_database("not an edit", "UPDATE access_dutyitem SET name = 'x' WHERE id = %s", duty.pk)
    refused_by_database("kept for good", "DELETE FROM access_dutyitem WHERE id = %s", duty.pk)
    add = "INSERT INTO access_dutyitem_items (dutyitem_id, item_id) VALUES (%s, %s)"
    refused_by_database("while it is a draft", add, duty.pk, Item.objects.get(code=HONOURS).pk)
    refused_by_database("while it is a draft", "DELETE FROM access_dutyitem_items WHERE dutyitem_id = %s", duty.pk)
    for user in (cast.head, cast.auditor, cast.officer_here, cast.system_admin):
        with pytest.raises(PermissionDenied):
            duties.propose(
                by=user, organisation=cast.market, code="1", name="1", basis="1", valid_from=Today(), items=[]
            )


def test_a_duty_without_items_a_basis_or_for_days_gone_is_refused(cast: Cast) -> None:
    for values in ({"items": []}, {"basis": ""}, {"valid_from": Today() - timedelta(days=1)}):
        with pytest.raises(ValidationError):
            proposed(cast, **values)
    duty = proposed(cast)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM access_dutyitem_items WHERE dutyitem_id = %s", [duty.pk])
    with pytest.raises(DatabaseError, match="names the items"), transaction.atomic():
        duties.confirm(duty.pk, by=cast.credit_office_2)


def test_the_next_entry_takes_the_place_of_the_one_before(cast: Cast) -> None:
    first = duties.confirm(proposed(cast).pk, by=cast.credit_office_2)
    tomorrow = Today() + timedelta(days=1)
    duties.confirm(proposed(cast, valid_from=tomorrow).pk, by=cast.credit_office_2)
    first.refresh_from_db()
    assert first.valid_to == tomorrow
    refused_by_database("set once", "UPDATE access_dutyitem SET valid_to = NULL WHERE id = %s", first.pk)
    with pytest.raises(ValidationError, match="可以停用"):
        duties.end(first.pk, on=Today(), by=cast.credit_office)


def test_by_page(narrow: Cast, as_user: Callable[[User | None], Client]) -> None:
    office, other = as_user(narrow.credit_office), as_user(narrow.credit_office_2)
    version = narrow.item.version_on(Today())
    form = {
        "organisation": narrow.market.pk, "code": "350000-MRKT-88", "name": "广告监管", "basis": "《广告法》第六条",
        "valid_from": Today().isoformat(), "items": [version.pk],
    }  # fmt: skip
    assert office.post("/admin/access/dutyitem/add/", {**form, "items": []}).status_code == 422
    assert office.post("/admin/access/dutyitem/add/", form).status_code == 302
    duty = DutyItem.objects.get(state="draft")
    office.post(f"/admin/access/dutyitem/{duty.pk}/confirm/")
    assert DutyItem.objects.get(pk=duty.pk).state == "draft"
    other.post(f"/admin/access/dutyitem/{duty.pk}/confirm/")
    assert DutyItem.objects.get(pk=duty.pk).state == "in_force"
    officer = as_user(narrow.officer_here)
    choice = officer.get("/admin/access/request/add/").content.decode()
    assert "广告监管（350000-MRKT-88）" in choice
    assert "350000-MRKT-88" not in as_user(narrow.officer_elsewhere).get("/admin/access/request/add/").content.decode()
    assert officer.get(f"/admin/access/dutyitem/{duty.pk}/change/").status_code == 200
    officer.post(f"/admin/access/dutyitem/{duty.pk}/end/", {"on": Today().isoformat()})
    assert DutyItem.objects.get(pk=duty.pk).valid_to is None
    office.post(f"/admin/access/dutyitem/{duty.pk}/end/", {"on": Today().isoformat()})
    assert DutyItem.objects.get(pk=duty.pk).valid_to == Today()
    assert "350000-MRKT-88" not in officer.get("/admin/access/request/add/").content.decode()
    assert as_user(narrow.data_officer).get("/admin/access/dutyitem/").status_code == 403
