"""Test set-up: the database is made by its owner; the tests run as the application.

A transactional test gets a database of its own, copied from the migrated template, so that append-only tables
stay append-only and nothing is ever truncated.
"""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "creditfujian.settings")
os.environ["DEMO"] = "1"
os.environ["MEDIA_ROOT"] = tempfile.mkdtemp(prefix="cf-media-")


def _owner_sql(*statements: str) -> None:
    from django.conf import settings

    from creditfujian.dev import owner_sql

    owner_sql.run(settings.DATABASES["owner"], settings.CF_MAINTENANCE_DATABASE, *statements)


def _point_to(name: str) -> None:
    from django.conf import settings
    from django.db import connections

    for alias in ("default", "owner"):
        connections[alias].close()
        settings.DATABASES[alias]["NAME"] = name
        connections[alias].settings_dict["NAME"] = name


def _working_copy() -> tuple[str, ...]:
    """Return what makes the working database; rights on a database are not copied with it."""
    from creditfujian.database import no_tables_before_ours

    template, working = _names()
    return f"CREATE DATABASE {working} TEMPLATE {template}", no_tables_before_ours(working)


def _names() -> tuple[str, str]:
    suffix = os.environ.get("PYTEST_XDIST_WORKER", "main")
    return f"test_cf_{suffix}_template", f"test_cf_{suffix}"


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker: Any) -> Iterator[None]:
    """Migrate a template as the owner, copy it, and serve the tests as the application."""
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connections

    settings.CF_MAINTENANCE_DATABASE = settings.DATABASES["owner"]["NAME"]
    template, working = _names()
    with django_db_blocker.unblock():
        _owner_sql(
            f"DROP DATABASE IF EXISTS {working} WITH (FORCE)", f"DROP DATABASE IF EXISTS {template} WITH (FORCE)",
            f"CREATE DATABASE {template}",
        )  # fmt: skip
        _point_to(template)
        call_command("migrate", database="owner", verbosity=0)
        connections.close_all()
        _owner_sql(*_working_copy())
        _point_to(working)
    yield
    with django_db_blocker.unblock():
        connections.close_all()
        _owner_sql(
            f"DROP DATABASE IF EXISTS {working} WITH (FORCE)", f"DROP DATABASE IF EXISTS {template} WITH (FORCE)"
        )
        _point_to(settings.CF_MAINTENANCE_DATABASE)


@pytest.fixture(scope="session", autouse=True)
def _fresh_database_after_transactional_tests(django_db_blocker: Any) -> Iterator[None]:
    """Replace Django's truncation (which our tables refuse) by a new copy of the template."""
    from django.db import connections
    from django.test import TransactionTestCase

    def copy_again(self: TransactionTestCase) -> None:
        connections.close_all()
        _owner_sql(f"DROP DATABASE IF EXISTS {_names()[1]} WITH (FORCE)", *_working_copy())

    original = TransactionTestCase._fixture_teardown
    TransactionTestCase._fixture_teardown = copy_again
    yield
    TransactionTestCase._fixture_teardown = original


@pytest.fixture(autouse=True)
def _media(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.SECURE_SSL_REDIRECT = False
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }


@pytest.fixture(autouse=True)
def _everybody_open_to_the_test() -> Iterator[None]:
    """Let tests look at persons; a page, a job or an API call inside one begins with nobody open, as in use."""
    from accounts import people

    with people.everybody("a test looks at what there is"):
        yield


pytest_plugins = ["creditfujian.tests.cast"]
