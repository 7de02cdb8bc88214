"""Decisions made before Order 36: never public for longer than either order allows (从旧兼从轻, domain §2.4)."""

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalogue.rules import add_months
from creditfujian.tests.cast import Cast
from records import life
from records.life_models import LegacyPeriod, RecordAct, RecordEvent
from records.models import Record
from records.periods import OldOrders, favourable_end
from records.tests.deliveries import deliver, penalty
from records.tests.life import at, numbers_of, owner_sql
from records.tests.test_nightly_life import midnight

NEW_ORDER = date(2026, 4, 1)
apart = pytest.mark.django_db(transaction=True, databases=["default", "owner"])
DAYS = st.dates(date(2023, 1, 1), date(2027, 12, 31))


@given(day=DAYS, months=st.lists(st.integers(0, 36), min_size=1, max_size=3))
def test_the_end_is_never_later_than_under_any_rule(day: date, months: list[int]) -> None:
    end = favourable_end(day, months)
    if end is None:
        assert 0 in months
    else:
        assert all(end <= add_months(day, longest) for longest in months)
        assert any(end == add_months(day, longest) for longest in months)


@pytest.mark.django_db
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(day=DAYS, severity=st.integers(1, 3), now=st.integers(0, 36))
def test_the_database_says_the_same(day: date, severity: int, now: int) -> None:
    ours = favourable_end(day, [now, *OldOrders.load().months(day, severity)])
    with connection.cursor() as cursor:
        cursor.execute("SELECT records_favourable_end(%s, %s, %s)", [day, severity, now])
        assert cursor.fetchone()[0] == ours


@pytest.mark.django_db
def test_the_old_order_ends_the_day_the_new_one_begins_and_says_where_it_stands() -> None:
    assert OldOrders.load().end == NEW_ORDER
    for period in LegacyPeriod.objects.all():
        assert "令第58号" in period.basis
        assert period.confidence == "M"


@pytest.fixture
def late_in_2026(transactional_db: None) -> Iterator[None]:
    """The orders change on a day that is written; what is public beside it is so for a while, not for ever."""
    with at(midnight(date(2026, 11, 30), 12 * 3600)):
        yield


@apart
@pytest.mark.own_cast  # entered on that day
@pytest.mark.usefixtures("late_in_2026")
@pytest.mark.parametrize(("day", "months"), [(date(2026, 3, 31), 12), (date(2026, 4, 1), 12)])
def test_an_old_document_delivered_soon_after_gets_the_better_end(cast: Cast, day: date, months: int) -> None:
    deliver(cast, [penalty(cast, 处罚决定日期=day, 公示截止期="", 处罚类别="罚款", 失信程度="一般")])
    from access.actions import Asker
    from records.reading import own_file

    view = own_file(cast.citizen.person, by=Asker(cast.citizen, "公示网站")).records[0]
    assert view.public_until == add_months(day, months)


def stored_under_the_old_order(cast: Cast) -> str:
    """A general penalty of 2026-03-31 as it was stored under Order 58: public for three years."""
    deliver(cast, [penalty(cast, 处罚决定日期=date(2026, 3, 31), 公示截止期="", 处罚类别="罚款", 失信程度="一般")])
    number = numbers_of(cast.citizen)[0]
    owner_sql("ALTER TABLE records_record DISABLE TRIGGER USER")
    owner_sql("UPDATE records_record SET publication = '[2026-03-31,2029-03-31)'")
    owner_sql("ALTER TABLE records_record ENABLE TRIGGER USER")
    return number


@apart
@pytest.mark.own_cast  # entered on that day
@pytest.mark.usefixtures("late_in_2026")
def test_what_is_stored_is_cut_to_the_better_end_once_with_its_lines(cast: Cast) -> None:
    stored_under_the_old_order(cast)
    assert (life.shorten_periods(), life.shorten_periods()) == (1, 0)
    assert owner_sql("SELECT publication FROM records_record") == [(DateRange(date(2026, 3, 31), date(2027, 3, 31)),)]
    act = RecordAct.objects.get()
    assert (act.kind, act.state, act.asked_by, act.decided_by) == ("periods", "done", None, None)
    event = RecordEvent.objects.get(kind=RecordEvent.Kind.PERIOD)
    assert event.act_id == act.pk
    assert event.detail["publication"] == ["[2026-03-31,2029-03-31)", "[2026-03-31,2027-03-31)"]


@apart
@pytest.mark.own_cast  # entered on that day
@pytest.mark.usefixtures("late_in_2026")
@pytest.mark.parametrize("change", [
    {"publication": DateRange(date(2026, 3, 31), date(2030, 1, 1))}, {"query_until": date(2099, 1, 1)},
    {"publication": DateRange(date(2026, 3, 31), date(2026, 4, 30))},
])  # fmt: skip
def test_outside_a_delivery_or_an_act_nobody_moves_a_period_not_even_the_owner(
    cast: Cast, change: dict[str, object]
) -> None:
    stored_under_the_old_order(cast)
    with pytest.raises(IntegrityError, match="only gets shorter"), transaction.atomic(using="owner"):
        Record.objects.using("owner").update(**change)


@apart
@pytest.mark.own_cast  # entered on that day
@pytest.mark.usefixtures("late_in_2026")
def test_a_record_whose_better_end_is_past_is_not_public_any_more(cast: Cast) -> None:
    stored_under_the_old_order(cast)
    with at(midnight(date(2027, 3, 31), 60) + timedelta(days=1)):
        assert life.shorten_periods() == 1
        upper = owner_sql("SELECT upper(publication) FROM records_record")[0][0]
    assert upper == date(2027, 3, 31)
