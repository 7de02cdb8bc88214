"""A line by duty that names a case is good for those who deal with it, and for nothing but what the case is about."""

from typing import Any

import pytest
from django.db import DatabaseError, transaction

from access.actions import Ask, write_query
from access.models import Kind
from accounts.models import Person, User
from catalogue.models import Item
from creditfujian.tests.cast import Cast
from records.tests.deliveries import deliver, penalty
from sanctions import cases, rewards
from sanctions.models import ListingCase
from sanctions.tests import rewarding
from sanctions.tests.stage import Stage, asker, stage  # noqa: F401 – a fixture

REFUSED = "by duty without a registration or case"


def line(case_no: str, person: Person | None, user: User, *items: Item) -> int:
    """A line as a statement of the application writes it, past the pages."""
    said: dict[str, Any] = {"kind": Kind.DUTY, "ground": "依法办理", "purpose": "办理案件", "fields_class": "案件内容"}
    with transaction.atomic():
        return write_query(Ask(**said, items=list(items), case_no=case_no, person=person), by=asker(user))


def test_a_case_opens_itself_to_its_hands_alone(stage: Stage) -> None:  # noqa: F811
    case = stage.drafted()
    assert line(case.number, stage.person, stage.reviewer)
    with transaction.atomic():
        assert cases.open_file(case, by=asker(stage.head))
    for who, whom, items in (
        (stage.cast.officer_elsewhere, stage.person, ()),  # another department's
        (stage.cast.data_officer, stage.person, ()),  # of the unit, without a hand in cases
        (stage.reviewer, stage.cast.citizen.person, ()),  # somebody whom the case is not about
        (stage.reviewer, stage.person, (stage.cast.item,)),  # the person's records
    ):
        with pytest.raises(DatabaseError, match=REFUSED):
            line(case.number, whom, who, *items)
    invented = ListingCase(pk=case.pk + 1, opened_on=case.opened_on).number
    with pytest.raises(DatabaseError, match=REFUSED):
        line(invented, stage.person, stage.reviewer)


def test_a_reward_opens_what_stands_in_its_way_and_no_more(cast: Cast) -> None:
    to = rewarding.awarders(cast)
    case = rewarding.agreed(cast, to)
    assert line(case.number, cast.citizen.person, to.head)
    for who, whom, items in (
        (cast.officer_elsewhere, cast.citizen.person, ()),
        (to.head, cast.other_citizen.person, ()),
        (to.head, cast.citizen.person, (cast.item,)),  # nothing of that item stands in the way
    ):
        with pytest.raises(DatabaseError, match=REFUSED):
            line(case.number, whom, who, *items)


def test_a_reward_that_is_over_opens_no_record_any_more(cast: Cast) -> None:
    to = rewarding.awarders(cast)
    deliver(cast, [penalty(cast)])
    case = rewarding.agreed(cast, to)
    assert line(case.number, cast.citizen.person, to.head, cast.item)
    rewards.withdraw(rewarding.person(cast), case.number, by=rewarding.at_home(cast.citizen))
    with pytest.raises(DatabaseError, match=REFUSED):
        line(case.number, cast.citizen.person, to.head, cast.item)
    assert line(case.number, cast.citizen.person, to.head), "the case itself is read as before"
