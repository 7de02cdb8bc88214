"""What dates do to a reward, and what holds when a transaction ends: each deed committed, with what its page has open."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from access.actions import Ask, write_query
from access.models import Kind, Message
from accounts import people
from accounts.models import User
from catalogue.models import Deadline
from creditfujian import night
from creditfujian.tests.cast import Cast, make_cast
from records.reading import own_file
from records.tests.deliveries import deliver, penalty
from records.tests.life import at
from sanctions import rewards
from sanctions.models import RewardCase, RewardConsent, RewardHit, RewardStep
from sanctions.tests.rewarding import Awarders, agreed, as_, at_home, awarders, granted, looked, nominated, person

pytestmark = [pytest.mark.django_db(transaction=True, databases=["default", "owner"]), pytest.mark.own_cast]
State = RewardCase.State


def later(days: int) -> datetime:
    return timezone.now() + timedelta(days=days)


@contextmanager
def page_of(user: User) -> Iterator[None]:
    """What a page has open: the office of an official, the citizen themselves."""
    with people.nobody():
        people.open_office(user.organisation_id)
        people.open_persons(user.person_id)
        yield


def committed(statement: str, *values: Any) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)


def stage() -> tuple[Cast, Awarders]:
    cast = make_cast()
    return cast, awarders(cast)


def again(case: RewardCase) -> RewardCase:
    return RewardCase.objects.get(pk=case.pk)


def test_silence_and_the_end_of_the_term() -> None:
    cast, to = stage()
    case = nominated(to)
    assert case.answer_by is not None
    with at(later((case.answer_by - timezone.localdate()).days)):
        night.run()
        assert again(case).state == State.CONSENT, "the last day is theirs"
    with at(later((case.answer_by - timezone.localdate()).days + 1)):
        with pytest.raises(ValidationError):
            rewards.answer(person(cast), case.number, agrees=True, by=at_home(cast.citizen))
        night.run()
        night.run()
    gone = again(case)
    assert (gone.state, gone.honour, gone.award_no) == (State.DECLINED, "", "")
    assert not Deadline.objects.of(case).filter(met_on=None).exists()
    assert Message.objects.filter(person=cast.citizen.person_id, subject__contains="答复期限").count() == 1

    held = granted(cast, to)
    assert held.valid_to is not None
    end = (held.valid_to - timezone.localdate()).days
    with at(later(end - 1)):
        assert held.is_in_benefit
    with at(later(end)):
        assert not held.is_in_benefit, "before the night has come by"
        assert RewardCase.objects.public().count() == 0
        night.run()
        assert own_file(person(cast), by=at_home(cast.citizen)).records == []
    over = again(held)
    assert (over.state, over.end_kind) == (State.ENDED, "expired")


def test_a_notice_has_its_days_and_then_somebody_decides() -> None:
    cast, to = stage()
    case = agreed(cast, to)
    looked(case, to.head)
    soon = timezone.localdate() + timedelta(days=4)
    with pytest.raises(DatabaseError, match="have their time"):
        committed("INSERT INTO sanctions_rewardstep (case_id, deed, text, document_no, by_id, until) VALUES (%s, 'notice', '', '', %s, %s)",
                  case.pk, to.head.pk, soon)  # fmt: skip
    case = rewards.announce(case, by=to.head)
    assert case.public_to is not None
    last = (case.public_to - timezone.localdate()).days
    with at(later(last - 1)):
        looked(case, to.head)
        with pytest.raises(ValidationError, match="公示期满"):
            rewards.grant(case, by=to.head)
    with at(later(last)):
        night.run()
        night.run()
        clock = Deadline.objects.of(case).get(met_on=None)
        assert (clock.rule.code, clock.started_on) == ("D94", case.public_to - timedelta(days=1))
        looked(case, to.head)
        assert rewards.grant(again(case), by=to.head).state == State.PUBLISHED


def test_a_suspended_reward_waits_for_the_person_and_nobody_decides_unread() -> None:
    cast, to = stage()
    case = granted(cast, to)
    deliver(cast, [penalty(cast)])
    done = night.run()
    assert done["sanctions.rewards_suspended"] == 1
    case = again(case)
    assert case.state == State.SUSPENDED
    assert case.answer_by is not None
    last = (case.answer_by - timezone.localdate()).days
    assert last >= 10
    with pytest.raises(ValidationError, match="查阅核对结果"):
        rewards.resume(case, text="无关", by=to.head)
    assert len(looked(case, to.head)) == 1
    with pytest.raises(ValidationError, match="说明期限"):
        rewards.revoke(case, text="有严重失信记录", by=to.head)
    with at(later(last + 1)):
        night.run()
        assert Deadline.objects.of(case).get(met_on=None).rule.code == "D94"
        looked(case, to.head)
        assert rewards.revoke(case, text="有严重失信记录，没有说明", by=to.head).end_kind == "revoked"


def test_whoever_decides_after_an_explanation_has_read_it() -> None:
    cast, to = stage()
    case = granted(cast, to)
    deliver(cast, [penalty(cast)])
    night.run()
    looked(again(case), to.head)
    rewards.explain(person(cast), case.number, "已经缴清", by=at_home(cast.citizen))
    with pytest.raises(ValidationError, match="查阅核对结果"):
        rewards.resume(again(case), text="无关", by=to.head)


def under_the_own_line(cast: Cast, case: RewardCase) -> None:
    """A no of the citizen, written under their own line by a statement, with nothing of what belongs to it."""
    with page_of(cast.citizen), transaction.atomic():
        ask = Ask(kind=Kind.SELF, ground="本人", purpose="退出", fields_class="无", items=[], person=person(cast))
        write_query(ask, by=at_home(cast.citizen))
        RewardConsent.objects.create(case=case, scope="reward", given=False, by=cast.citizen)


def test_everything_decided_is_told_and_ends_in_the_register() -> None:
    cast, to = stage()
    case = granted(cast, to)
    with pytest.raises(DatabaseError, match="ends with the reward|is told"):
        under_the_own_line(cast, case)
    assert again(case).state == State.PUBLISHED
    with page_of(cast.citizen):
        rewards.withdraw(person(cast), case.number, by=at_home(cast.citizen))
    assert again(case).state == State.ENDED
    with page_of(cast.citizen), pytest.raises(ValidationError):
        rewards.withdraw(person(cast), case.number, by=at_home(cast.citizen))


def test_rows_are_seen_with_the_right_context_only() -> None:
    cast, to = stage()
    deliver(cast, [penalty(cast)])
    case = agreed(cast, to)
    models = (RewardCase, RewardStep, RewardConsent)
    for user, count in ((to.head, 1), (cast.head, 0), (cast.citizen, 1), (cast.other_citizen, 0)):
        with page_of(user):
            for model in models:
                assert (model.objects.count() > 0) == bool(count), (user, model)
            assert RewardHit.objects.count() == 0, "what stands in the way is read under a line"
            with connection.cursor() as cursor:
                cursor.execute("SELECT count(*) FROM sanctions_reward_conflicts(ARRAY[%s::bigint])", [case.person_id])
                assert cursor.fetchone() == (0,)
    with page_of(to.head):
        assert [hit.kind for hit in looked(case, to.head)] == ["一般、严重失信记录"]
    with people.nobody():
        assert RewardCase.objects.count() == 0


def test_what_stands_in_the_way_is_read_under_a_line_over_its_item_alone() -> None:
    cast, to = stage()
    deliver(cast, [penalty(cast)])
    case = agreed(cast, to)
    said = {"ground": "依法办理", "purpose": "办理守信激励", "fields_class": "案件内容", "case_no": case.number}
    for kind, items, count in ((Kind.DUTY, [], 0), (Kind.PUBLIC, None, 0), (Kind.DUTY, [cast.item], 1)):
        with page_of(to.head), transaction.atomic():
            write_query(Ask(kind=kind, items=items, person=person(cast), **said), by=as_(to.head))
            assert RewardHit.objects.count() == count, (kind, items)
    for user, items in ((to.head, [cast.item.pk]), (cast.citizen, [cast.item.pk]), (cast.head, [])):
        with page_of(user), connection.cursor() as cursor:
            cursor.execute("SELECT sanctions_reward_items(%s)", [case.pk])
            assert cursor.fetchone() == (items,), user
