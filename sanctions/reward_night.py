"""What the calendar does to rewards: unanswered nominations close, terms end, everything granted is checked again."""

from collections.abc import Callable

from django.db import connection
from django.db.models import BooleanField, Exists, F, Func, Q, QuerySet

from accounts import people
from catalogue.models import Deadline
from sanctions import rewards
from sanctions.models import RewardCase
from sanctions.reward_models import today

State = RewardCase.State
STANDING = [*RewardCase.IN_BENEFIT, State.SUSPENDED]


@people.everybody("rewards end on their day and are checked with the register")
def nightly() -> dict[str, int]:
    """Do what is due by the database's own day. Each case in a transaction of its own; safe to run twice."""
    return {
        "rewards_lapsed": _lapsed(), "rewards_expired": _expired(), "rewards_suspended": _suspended(), "rewards_ready": _ready(),
    }  # fmt: skip


def _lapsed() -> int:
    asked = _with_life().filter(state=State.CONSENT)
    return _each(rewards.lapse, asked.filter(Q(answer_by__lt=today()) | Q(lives=False)))


def _expired() -> int:
    return _each(
        rewards.expire, _with_life().filter(state__in=STANDING).filter(Q(valid_to__lte=today()) | Q(lives=False))
    )


def _suspended() -> int:
    """Check every case that is open or granted in one statement; suspend those granted in which something stands."""
    keys = list(
        RewardCase.objects.filter(state__in=[State.CHECK, State.NOTICE, *STANDING]).values_list("pk", flat=True)
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM sanctions_reward_check(%s::bigint[])", [keys])
        hit = [key for (key,) in cursor.fetchall()]
    return _each(rewards.suspend, RewardCase.objects.filter(pk__in=hit, state__in=RewardCase.IN_BENEFIT))


def _ready() -> int:
    """Start the clock of the decision where a notice, or the time to explain, is over."""
    runs = Deadline.objects.of_outer(RewardCase).filter(met_on__isnull=True, rule__code=rewards.DECISION)
    over = RewardCase.objects.filter(~Exists(runs), state__in=[State.NOTICE, State.SUSPENDED], decide_from__lte=today())
    return _each(rewards.ready_to_decide, over)


def _with_life() -> QuerySet[RewardCase]:
    """Cases with whether somebody can act for their person, asked of the database in the same query."""
    survivor = Func(F("person_id"), function="accounts_survivor")
    return RewardCase.objects.annotate(lives=Func(survivor, function="accounts_may_act", output_field=BooleanField()))


def _each(deed: Callable[[RewardCase], object], cases: QuerySet[RewardCase]) -> int:
    found = list(cases.select_related("programme", "organisation", "nominated_by", "decided_by").order_by("pk"))
    for case in found:
        deed(case)
    return len(found)
