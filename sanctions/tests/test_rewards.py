"""A reward from nomination to its end: the person's yes first, facts only, two hands, gone at once."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from access.models import Message
from creditfujian.tests.cast import Cast
from records.reading import own_file
from sanctions import rewards
from sanctions.models import RewardCase
from sanctions.tests.rewarding import Awarders, agreed, at_home, awarders, granted, looked, nominated, person

State = RewardCase.State


@pytest.fixture
def to(cast: Cast) -> Awarders:
    return awarders(cast)


def test_the_whole_way(cast: Cast, to: Awarders) -> None:
    case = agreed(cast, to, notice=False)
    assert case.state == State.CHECK
    assert looked(case, to.head) == []
    case = rewards.grant(case, by=to.head)
    assert case.state == State.PUBLISHED
    record = next(one for one in own_file(person(cast), by=at_home(cast.citizen)).records if one.number == case.record_no)
    assert record.item_code == "FJ1-11-CULT-0001"
    case = rewards.withdraw(person(cast), case.number, by=at_home(cast.citizen))
    assert (case.state, case.end_kind, case.public_to) == (State.ENDED, "withdrawn", None)
    assert own_file(person(cast), by=at_home(cast.citizen)).records == []
