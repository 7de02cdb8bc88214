"""No context, no row: the application's own role sees no person that it has not opened, and opens nobody by a SELECT."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from django.db import DatabaseError, connection, connections, transaction

from accounts import people
from accounts.models import Person, PersonName, User
from creditfujian.lib import identity
from creditfujian.tests.cast import CITIZEN_NUMBER, OTHER_NUMBER, Cast, browser_of


def rows(sql: str, *values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall()


def names_seen() -> set[str]:
    return {name for (name,) in rows("SELECT name FROM accounts_person")}


@pytest.fixture
def nobody_open(cast: Cast) -> Iterator[Cast]:
    with people.nobody():
        yield cast


def test_without_a_context_there_is_no_row(nobody_open: Cast) -> None:
    assert names_seen() == set()
    assert rows("SELECT count(*) FROM accounts_person") == [(0,)]
    assert not Person.objects.filter(pk=nobody_open.citizen.person_id).exists()
    assert rows("SELECT id FROM accounts_person WHERE id = %s FOR UPDATE", nobody_open.citizen.person_id) == []
    assert Person.objects.all().delete()[0] == 0


def test_a_context_shows_its_person_and_nobody_else(nobody_open: Cast) -> None:
    people.open_persons(nobody_open.other_citizen.person_id)
    assert names_seen() == {"林大雪"}
    assert not Person.objects.filter(pk=nobody_open.citizen.person_id).exists()


def test_a_context_ends_with_what_it_was_for(nobody_open: Cast) -> None:
    with people.nobody():
        people.open_persons(nobody_open.citizen.person_id)
        assert names_seen() == {"陈小满"}
    assert names_seen() == set()
    with people.everybody("a test"):
        assert names_seen() >= {"陈小满", "林大雪"}
    assert names_seen() == set()


def test_a_person_hidden_behind_an_account_is_an_error_not_nobody(nobody_open: Cast) -> None:
    with pytest.raises(Person.DoesNotExist):
        assert User.objects.get(pk=nobody_open.citizen.pk).person


@pytest.mark.parametrize("said", ["*|", "*|00", "*", "{pk}|{mac}", "*|{mac}", "{pk},*|{mac}"])
def test_nobody_is_opened_by_a_statement(nobody_open: Cast, said: str) -> None:
    """What is set must be signed for this very connection, as it stands: another's, and more than was signed, is nothing."""
    others = people.signed(frozenset({str(nobody_open.citizen.person_id)}), connection.connection.get_backend_pid() + 1)
    made_up = said.format(pk=nobody_open.citizen.person_id, mac=others.split("|")[1])
    assert rows("SELECT set_config('cf.people', %s, true)", made_up)
    assert names_seen() == set()


def test_what_is_open_is_not_made_more(nobody_open: Cast) -> None:
    people.open_persons(nobody_open.citizen.person_id)
    assert names_seen() == {"陈小满"}
    told = rows("SELECT current_setting('cf.people')")[0][0]
    for wider in (told.replace("|", ",*|"), "*|" + told.split("|")[1]):
        rows("SELECT set_config('cf.people', %s, true)", wider)
        assert names_seen() == set()


def test_the_key_is_the_owners(nobody_open: Cast) -> None:
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        rows("SELECT * FROM accounts_contextkey")


def test_whoever_knows_the_number_finds_its_holder_and_nobody_else(nobody_open: Cast) -> None:
    person = Person.objects.holder_of(CITIZEN_NUMBER)
    assert person is not None
    assert person.name == "陈小满"
    assert person.bears("陈小满")
    assert not person.bears("林大雪")
    assert names_seen() == {"陈小满"}
    assert Person.objects.holder_of(identity.invent(date(1985, 12, 31), 77)) is None


def test_a_number_without_its_key_finds_nobody(nobody_open: Cast) -> None:
    assert rows("SELECT * FROM accounts_holder_of(%s)", [OTHER_NUMBER.encode()]) == []
    assert rows("SELECT accounts_bears(%s, '林大雪')", OTHER_NUMBER.encode()) == [(False,)]


def test_persons_are_entered_by_their_number_only(nobody_open: Cast) -> None:
    fresh = Person.seal(identity.invent(date(1985, 12, 31), 8), "林小寒")
    fresh.save()
    assert names_seen() == {"林小寒"}
    with pytest.raises(DatabaseError, match="row-level security"), transaction.atomic():
        rows("INSERT INTO accounts_person (sid, name, id_cipher, id_index) VALUES (gen_random_uuid(), '甲', 'x', 'x')")


def test_what_a_savepoint_took_back_is_told_again(nobody_open: Cast) -> None:
    people.open_persons(nobody_open.citizen.person_id)
    with transaction.atomic():
        assert names_seen() == {"陈小满"}
        people.open_persons(nobody_open.other_citizen.person_id)
        assert names_seen() == {"陈小满", "林大雪"}
        transaction.set_rollback(True)
    assert names_seen() == {"陈小满", "林大雪"}
    with transaction.atomic(), people.nobody():
        assert names_seen() == set()
        transaction.set_rollback(True)
    assert names_seen() == {"陈小满", "林大雪"}


def test_a_request_begins_with_nobody_and_leaves_nobody_open(nobody_open: Cast) -> None:
    people.open_persons(nobody_open.other_citizen.person_id)
    page = browser_of(nobody_open.citizen).get("/me/")
    assert page.status_code == 200
    assert "林大雪" not in page.content.decode()
    assert names_seen() == {"林大雪"}  # what was open outside, nothing of the request's


NAMED_BEFORE = """
INSERT INTO accounts_personname (person_id, name, how, until, document, case_no, asked_by_id, decided_by_id)
VALUES (%s, '陈小曼', 'renamed', cf_today(), '户口簿', 'H1', %s, %s)
"""


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
def test_names_borne_before_are_closed_with_their_person(cast: Cast) -> None:
    with connections["owner"].cursor() as cursor:
        cursor.execute(NAMED_BEFORE, [cast.citizen.person_id, cast.credit_office.pk, cast.credit_office_2.pk])
    with people.nobody():
        assert not PersonName.objects.exists()
        people.open_persons(cast.other_citizen.person_id)
        assert not PersonName.objects.exists()
        people.open_persons(cast.citizen.person_id)
        assert PersonName.objects.get().name == "陈小曼"
    with people.nobody():
        assert (found := Person.objects.holder_of(CITIZEN_NUMBER)) is not None
        assert found.bears("陈小曼")


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_waits_has_nobody_open(cast: Cast) -> None:
    with people.nobody():
        assert browser_of(cast.citizen).get("/me/").status_code == 200
        with connection.connection.cursor() as cursor:  # what a library would find that does not come by Django
            cursor.execute("SELECT current_setting('cf.people', true), count(*) FROM accounts_person")
            assert cursor.fetchone() == ("", 0)
        people.open_persons(cast.citizen.person_id)
        with transaction.atomic():
            assert names_seen() == {"陈小满"}
        with transaction.atomic():
            people.open_persons(cast.other_citizen.person_id)
            assert names_seen() == {"陈小满", "林大雪"}
            transaction.set_rollback(True)
        assert names_seen() == {"陈小满", "林大雪"}
