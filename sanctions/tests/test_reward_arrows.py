"""Every deed in every state, tried by statement: what is no arrow is refused, and what is one needs its own hand."""

import pytest
from django.db import DatabaseError, connection, transaction

from creditfujian.tests.cast import Cast
from records.tests.deliveries import deliver, penalty
from sanctions import reward_night, rewards
from sanctions.models import RewardArrow, RewardCase, RewardStep
from sanctions.tests.rewarding import Awarders, agreed, at_home, awarders, granted, looked, nominated, person

State = RewardCase.State
STEP = "INSERT INTO sanctions_rewardstep (case_id, deed, text, document_no, by_id, until) VALUES (%s, %s, %s, 'x', %s, cf_today() + 99)"
WORDLESS = ("asked", "declined", "lapsed")


def announced(cast: Cast, to: Awarders) -> RewardCase:
    case = agreed(cast, to)
    looked(case, to.head)
    return rewards.announce(case, by=to.head)


def suspended(cast: Cast, to: Awarders) -> RewardCase:
    case = granted(cast, to)
    deliver(cast, [penalty(cast)])
    reward_night.nightly()
    return case


def returned(cast: Cast, to: Awarders) -> RewardCase:
    case = agreed(cast, to)
    looked(case, to.head)
    return rewards.turn_down(case, text="材料不全", by=to.head)


def left(cast: Cast, to: Awarders) -> RewardCase:
    case = granted(cast, to)
    return rewards.withdraw(person(cast), case.number, by=at_home(cast.citizen))


def declined(cast: Cast, to: Awarders) -> RewardCase:
    return rewards.answer(person(cast), nominated(to).number, agrees=False, by=at_home(cast.citizen))


REACHED = {
    State.CONSENT: lambda cast, to: nominated(to), State.CHECK: agreed, State.NOTICE: announced,
    State.GRANTED: lambda cast, to: granted(cast, to, publish=False), State.PUBLISHED: granted, State.SUSPENDED: suspended,
    State.RETURNED: returned, State.ENDED: left, State.DECLINED: declined,
}  # fmt: skip


@pytest.mark.parametrize("state", REACHED)
def test_no_deed_leads_off_the_arrows(cast: Cast, state: State) -> None:
    to = awarders(cast)
    case = REACHED[state](cast, to)
    case.refresh_from_db()
    assert case.state == state
    arrows = {arrow.deed: arrow.actor for arrow in RewardArrow.objects.filter(from_state=state)}
    hands = {"nominator": to.officer, "decider": to.head, "person": cast.citizen, "calendar": None}
    for deed in RewardStep.Deed.values:
        for hand, user in hands.items():
            if arrows.get(deed) != hand:
                refused(case, deed, user.pk if user else None)
    case.refresh_from_db()
    assert case.state == state


def refused(case: RewardCase, deed: str, by: int | None) -> None:
    """Try a deed by a statement, to the end of the transaction."""

    def tried() -> None:
        with connection.cursor() as cursor:
            cursor.execute(STEP, [case.pk, deed, "" if deed in WORDLESS else "x", by])
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")

    with (
        pytest.raises(DatabaseError, match="is not|is done by|nobody but the person|another official"),
        transaction.atomic(),
    ):
        tried()
