"""The deployment check names each right that the serving role should not have."""

from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import connection, connections

from accounts import people


def found() -> list[str | None]:
    return [one.id for one in run_checks(tags=["database"], include_deployment_checks=True, databases=["default"])]


@pytest.mark.django_db
def test_the_role_that_serves_has_no_more_than_it_needs() -> None:
    assert [one for one in found() if one and one.startswith("creditfujian.")] == []


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
def test_a_key_that_the_database_does_not_know_stops_a_deployment(settings: Any) -> None:
    settings.SECRET_KEY = "another one, and nobody has migrated"
    assert "creditfujian.E005" in found()
    with connections["owner"].cursor() as cursor:
        cursor.execute("UPDATE accounts_contextkey SET inner_pad = %s, outer_pad = %s", people.context_pads())
    assert "creditfujian.E005" not in found()


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
@pytest.mark.parametrize(
    ("right", "code"),
    [
        ("TEMPORARY ON DATABASE {database}", "creditfujian.E001"), ("CREATE ON SCHEMA public", "creditfujian.E002"),
        ("CREATE ON DATABASE {database}", "creditfujian.E003"),
    ],
)  # fmt: skip
def test_a_right_too_many_stops_a_deployment(right: str, code: str) -> None:
    quote = connection.ops.quote_name
    database, role = quote(connection.settings_dict["NAME"]), quote(connection.settings_dict["USER"])
    with connections["owner"].cursor() as cursor:  # the database is thrown away after the test
        cursor.execute(f"GRANT {right.format(database=database)} TO {role}")
    assert code in found()
    with pytest.raises(SystemCheckError, match=code):
        call_command("check", deploy=True, databases=["default"])
