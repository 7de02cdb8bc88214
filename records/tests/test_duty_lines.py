"""A line by duty rests on a registration or a case that covers it: whoever writes lines by statement is refused."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from access.actions import Ask, Asker, write_persons, write_query
from access.models import Kind, Reach
from accounts.models import Person, User
from catalogue import grants
from catalogue.models import Item, ItemGrant
from creditfujian.tests.cast import Cast
from creditfujian.tests.registrations import registration_of
from records import acts, holds, rights
from records.life_models import RecordAct
from records.models import Batch, Record
from records.rights_models import RightsRequest
from records.statements import state
from records.tests.deliveries import deliver, penalty
from records.tests.life import numbers_of

REFUSED = "by duty without a registration or case"
TRANSPORT = "FJ1-03-TRAN-0001"


@pytest.fixture
def shelf(cast: Cast) -> Cast:
    """One record of the citizen, supplied by the market authority; none of the other citizen."""
    deliver(cast, [penalty(cast)])
    return cast


def ask_of(cast: Cast, **changes: Any) -> Ask:
    values: dict[str, Any] = {
        "kind": Kind.DUTY, "ground": "履行法定职责", "purpose": "日常监督检查：双随机", "fields_class": "部门可见",
        "case_no": "闽市监检〔2026〕7号", "duty_code": "350000-MRKT-01", "items": [cast.item], "person": cast.citizen.person,
    }  # fmt: skip
    return Ask(**values | changes)


def by(user: User) -> Asker:
    return Asker(user, "工作平台")


def refused(cast: Cast, user: User, **changes: Any) -> None:
    """By statement as the application: no line is left, so nothing opens."""
    with pytest.raises(DatabaseError, match=REFUSED), transaction.atomic():
        write_query(ask_of(cast, **changes), by=by(user))


def opens(cast: Cast, user: User, **changes: Any) -> bool:
    with transaction.atomic():
        write_query(ask_of(cast, **changes), by=by(user))
        found = Record.objects.exists()
        transaction.set_rollback(True)
    return found


def test_a_registration_opens_its_person_and_items_to_its_officer(shelf: Cast) -> None:
    request = registration_of(shelf.officer_here, shelf.citizen.person, [shelf.item])
    assert opens(shelf, shelf.officer_here, request_no=request.pk)


def test_without_a_registration_nobody_is_read_by_statement(shelf: Cast) -> None:
    for user in (
        shelf.officer_here,
        shelf.data_officer,
        shelf.clerk,
        shelf.system_admin,
        shelf.citizen,
        shelf.bank_clerk,
    ):
        refused(shelf, user)
        refused(shelf, user, request_no=999_999)
        refused(shelf, user, items=[])  # a line without items would still show name and number


def test_a_registration_covers_no_other_person_item_officer_case_or_duty(shelf: Cast) -> None:
    request = registration_of(shelf.officer_here, shelf.citizen.person, [shelf.item])
    other = Item.objects.get(code=TRANSPORT)
    for changes in (
        {"person": shelf.other_citizen.person}, {"items": [other]}, {"items": [shelf.item, other]}, {"items": None},
        {"case_no": "别的案件"}, {"duty_code": "350000-MRKT-02"},
    ):  # fmt: skip
        refused(shelf, shelf.officer_here, **{"request_no": request.pk, **changes})
    for user in (shelf.head, shelf.officer_elsewhere, shelf.citizen):
        refused(shelf, user, request_no=request.pk)


def test_a_registration_that_is_over_opens_nothing(shelf: Cast) -> None:
    request = registration_of(shelf.officer_here, shelf.citizen.person, [shelf.item])
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE access_request SET expires_at = created_at + interval '1 microsecond' WHERE id = %s", [request.pk]
        )
    refused(shelf, shelf.officer_here, request_no=request.pk)


def test_a_registration_opens_nothing_that_the_unit_is_no_longer_granted(shelf: Cast) -> None:
    request = registration_of(shelf.officer_here, shelf.citizen.person, [shelf.item])
    held = ItemGrant.objects.in_force().get(organisation=shelf.market, item=shelf.item, permission="query_item")
    grants.take_back(held.pk, by=shelf.credit_office, reason="职责划出")
    refused(shelf, shelf.officer_here, request_no=request.pk)


def on_a_list(cast: Cast, user: User, person: Person | None, **more: Any) -> None:
    listed = registration_of(user, None, [cast.item], **more)
    with transaction.atomic():
        seq = write_query(ask_of(cast, person=None, request_no=listed.pk), by=by(user))
        assert person is not None
        write_persons(seq, [(person.pk, cast.item.pk)])


def test_a_list_names_those_who_stand_on_it_and_nobody_else(shelf: Cast) -> None:
    on_a_list(shelf, shelf.officer_here, shelf.citizen.person)
    with pytest.raises(DatabaseError, match=REFUSED):
        on_a_list(shelf, shelf.officer_here, shelf.other_citizen.person)


def test_a_list_of_what_a_unit_supplied_names_nobody_whom_another_supplied(shelf: Cast) -> None:
    on_a_list(shelf, shelf.data_officer, shelf.citizen.person, reach=Reach.SUPPLIED)
    with pytest.raises(DatabaseError, match=REFUSED):
        on_a_list(shelf, shelf.officer_elsewhere, shelf.citizen.person, reach=Reach.SUPPLIED)


# --- cases: the number of a paper is no key to anybody but whom it is about ------------------------------------------


def an_act(cast: Cast) -> tuple[str, User, list[Item]]:
    made = acts.ask(RecordAct.Kind.CORRECT, numbers_of(cast.citizen), by=cast.data_officer, reason="金额录入有误")
    return made.number, cast.data_reviewer, [cast.item]


def a_right(cast: Cast) -> tuple[str, User, list[Item]]:
    number = numbers_of(cast.citizen)[0]
    assert cast.citizen.person is not None
    made = rights.ask(
        cast.citizen.person, RightsRequest.Kind.DELETE, number, "不是我", by=Asker(cast.citizen, "公示网站")
    )
    return made.number, cast.data_officer, [cast.item]


def a_hold(cast: Cast) -> tuple[str, User, list[Item]]:
    number = numbers_of(cast.citizen)[0]
    assert cast.citizen.person is not None
    state(cast.citizen.person, number, "罚款已缴清。", by=Asker(cast.citizen, "公示网站"))
    return holds.look(number, why="接到反映", by=cast.credit_office).number, cast.credit_office_2, [cast.item]


def a_batch(cast: Cast) -> tuple[str, User, list[Item]]:
    return Batch.objects.latest("pk").number, cast.data_officer, [cast.item]


@pytest.mark.parametrize("make", [an_act, a_right, a_hold, a_batch])
def test_a_case_opens_whom_it_is_about_to_its_own_office(
    shelf: Cast, make: Callable[[Cast], tuple[str, User, list[Item]]]
) -> None:
    number, official, items = make(shelf)
    case = {"case_no": number, "items": items, "duty_code": ""}
    with transaction.atomic():
        write_query(ask_of(shelf, **case), by=by(official))
    other = Item.objects.get(code=TRANSPORT)
    for changes in ({"person": shelf.other_citizen.person}, {"items": [other]}, {"items": None},
                    {"case_no": f"{number[:-1]}{(int(number[-1]) + 1) % 10}"}, {"case_no": f"A20200101{number[9:]}"}):  # fmt: skip
        refused(shelf, official, **{**case, **changes})
    for user in (shelf.officer_elsewhere, shelf.clerk, shelf.citizen):
        refused(shelf, user, **case)


def test_every_case_line_needs_the_kind_that_its_query_has(shelf: Cast) -> None:
    """A line by duty under a query of another kind, or under a refused one, opens nothing."""
    public = ask_of(shelf, kind=Kind.PUBLIC, person=None)
    for ask in (public, ask_of(shelf, person=None, refusal="no_right")):
        seq = write_query(ask, by=by(shelf.officer_here))
        with pytest.raises(DatabaseError, match=REFUSED), transaction.atomic():
            write_persons(seq, [(shelf.citizen.person_id or 0, shelf.item.pk)])
