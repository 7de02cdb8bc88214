"""A query line shows whom it is about, for its own transaction; a refused one shows nobody."""

import pytest
from django.db import transaction

from access.actions import Ask, Asker, write_query
from access.models import Kind, Refusal
from accounts import people
from accounts.models import Person
from creditfujian.tests.cast import Cast


def read(cast: Cast, refusal: str = "") -> list[str]:
    """Write a line about the citizen and return the names that the transaction then shows."""
    ask = Ask(
        kind=Kind.SELF,
        ground="本人查询",
        purpose="查看",
        fields_class="本人可见",
        person=cast.citizen.person,
        refusal=refusal,
    )
    write_query(ask, by=Asker(cast.citizen, "公示网站"))
    return list(Person.objects.values_list("name", flat=True))


def test_a_line_shows_its_person_and_nobody_else(cast: Cast) -> None:
    assert cast.citizen.person is not None
    with people.nobody():
        assert read(cast) == ["陈小满"]


def test_a_refused_line_shows_nobody(cast: Cast) -> None:
    assert cast.citizen.person is not None
    with people.nobody():
        assert read(cast, Refusal.NO_GROUND.value) == []


@pytest.mark.django_db(transaction=True)
def test_a_line_shows_nobody_to_the_next_transaction(cast: Cast) -> None:
    assert cast.citizen.person is not None
    with people.nobody():
        with transaction.atomic():
            assert read(cast) == ["陈小满"]
        assert not Person.objects.exists()
