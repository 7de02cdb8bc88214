"""Whose rows of cases and listings a statement of the application sees: with the right context, and with a wrong one none."""

from collections.abc import Callable, Iterator

import pytest
from django.db import DatabaseError, connection, transaction

from accounts import people
from creditfujian.tests.cast import Cast
from records.tests.life import themselves
from sanctions import cases
from sanctions.models import ListingCase
from sanctions.tests.stage import (
    Stage,
    asker,
    day_after,
    digest,
    own_days,  # noqa: F401 – the days
    own_line,
    somebody,
    stage,  # noqa: F401 – the fixture
)

pytestmark = pytest.mark.django_db(transaction=True)  # a line opens its own transaction only, so there are several here

KEYS = {
    "sanctions_listingcase": "id", "sanctions_casefile": "case_id", "sanctions_casepaper": "case_id", "sanctions_caseevent": "case_id",
    "sanctions_listing": "case_id",
}  # fmt: skip
ALL = set(KEYS)
UNSAID = ALL - {"sanctions_casefile"}  # what is seen of a case without what it says of the person


def seen(case: ListingCase) -> set[str]:
    """The tables that show rows of the case."""
    found = set()
    with connection.cursor() as cursor:
        for table, key in KEYS.items():
            cursor.execute(f"SELECT count(*) FROM {table} WHERE {key} = %s", [case.pk])
            if cursor.fetchone()[0]:
                found.add(table)
    return found


@pytest.fixture
def two(stage: Stage) -> Iterator[tuple[ListingCase, ListingCase]]:  # noqa: F811
    """Two listed cases of the same unit about two persons."""
    both = [stage.served_notice()]
    stage.person = somebody(73, name="郑清平")
    both.append(stage.served_notice())
    with day_after(both[0]):
        for case in both:
            stage.listed(stage.served(stage.decided_after_the_window(case)))
        yield both[0], both[1]


Two = tuple[ListingCase, ListingCase]


def test_without_a_context_or_with_a_wrong_one_no_row_is_seen(stage: Stage, cast: Cast, two: Two) -> None:  # noqa: F811
    case, other = two
    contexts: list[Callable[[], None]] = [
        lambda: None, lambda: people.open_office(cast.transport.pk), lambda: people.open_office(cast.bank.pk),
        lambda: people.open_account(stage.officer.pk), lambda: people.open_persons(other.person_id),
        lambda: people.open_persons(case.person_id),  # whom a page may show is not yet who reads their case
    ]  # fmt: skip
    assert seen(case) == ALL
    for number, context in enumerate(contexts):
        with people.nobody():
            context()
            assert seen(case) == set(), number


def test_the_office_sees_its_cases_and_what_they_say_under_a_line_alone(stage: Stage, two: Two) -> None:  # noqa: F811
    case, other = two
    with people.nobody():
        people.open_office(stage.unit.pk)
        people.open_account(stage.officer.pk)
        assert (seen(case), seen(other)) == (UNSAID, UNSAID)
        with transaction.atomic():
            cases.open_file(ListingCase.objects.get(pk=case.pk), by=asker(stage.officer))
            assert (seen(case), seen(other)) == (ALL, UNSAID)
        assert seen(case) == UNSAID, "the line was good for its transaction"


def test_the_person_sees_their_own_under_a_line_of_their_own(two: Two) -> None:
    case, other = two
    user = themselves(case.person).user
    assert user is not None
    with people.nobody():
        people.open_persons(case.person_id)
        people.open_account(user.pk)
        with transaction.atomic():
            own_line(case.person, user)
            assert (seen(case), seen(other)) == (ALL, set())
        assert seen(case) == set()


def test_nothing_is_written_where_nothing_is_seen(cast: Cast, two: Two) -> None:
    case, _ = two
    for context in (lambda: None, lambda: people.open_office(cast.transport.pk)):
        with people.nobody(), connection.cursor() as cursor:
            context()
            for change in (
                "listingcase SET move_note = '改'",
                "casefile SET facts = '改'",
                "listing SET publication = NULL",
            ):
                cursor.execute(f"UPDATE sanctions_{change}")
                assert cursor.rowcount == 0, change
            with pytest.raises(DatabaseError, match="row-level security"), transaction.atomic():
                cursor.execute(
                    "INSERT INTO sanctions_casepaper (case_id, kind, number, issuer, dated, digest)"
                    " VALUES (%s, 'other', '', '', cf_today(), %s)",
                    [case.pk, digest("塞进来的")],
                )
