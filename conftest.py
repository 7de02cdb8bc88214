"""Test set-up: the databases are made by their owner; the tests run as the application (creditfujian/tests/databases.py)."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

MEDIA = tempfile.TemporaryDirectory(prefix="cf-media-")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "creditfujian.settings")
os.environ["DEMO"] = "1"
os.environ["MEDIA_ROOT"] = MEDIA.name

pytest_plugins = ["creditfujian.tests.cast"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep together what shares a portal or a file made once for its module; the rest goes to whichever process is free."""
    for item in items:
        if item.nodeid.startswith("e2e/"):
            item.add_marker(pytest.mark.xdist_group("browser"))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Choose the database before any fixture speaks to it: with the cast for whoever asks for it."""
    from creditfujian.tests import databases

    databases.point_to(databases.working(_kind(item)))


def _kind(item: pytest.Item) -> str:
    from creditfujian.tests import databases

    if item.get_closest_marker("own_cast"):
        return databases.BARE
    asks = not {"cast", "stage"}.isdisjoint(getattr(item, "fixturenames", ()))
    return databases.CAST if asks or hasattr(getattr(item, "module", None), "make_cast") else databases.BARE


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker: Any) -> Iterator[None]:
    """Make the databases, and drop this process's own in the end."""
    from django.conf import settings

    from creditfujian.tests import databases

    wanted = settings.DATABASES["default"]["NAME"]
    with django_db_blocker.unblock():
        databases.set_up()
        databases.point_to(wanted)
    yield
    with django_db_blocker.unblock():
        databases.tear_down()


@pytest.fixture(scope="session", autouse=True)
def _fresh_database_after_transactional_tests() -> Iterator[None]:
    """Replace Django's truncation (which our tables refuse) by a new copy of the template."""
    from django.conf import settings
    from django.test import TransactionTestCase

    from creditfujian.tests import databases

    def copy_again(self: TransactionTestCase) -> None:
        used = settings.DATABASES["default"]["NAME"]
        databases.renew(databases.CAST if used == databases.working(databases.CAST) else databases.BARE)

    original = TransactionTestCase._fixture_teardown
    TransactionTestCase._fixture_teardown = copy_again
    yield
    TransactionTestCase._fixture_teardown = original


@pytest.fixture(autouse=True)
def _media(settings: Any, tmp_path: Path) -> None:
    from creditfujian.tests import databases

    settings.MEDIA_ROOT = str(tmp_path / "media")
    settings.PASSWORD_HASHERS = databases.HASHERS
    settings.SECURE_SSL_REDIRECT = False
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }


@pytest.fixture(autouse=True)
def _everybody_open_to_the_test(django_db_blocker: Any) -> Iterator[None]:
    """Let tests look at persons; a page, a job or an API call inside one begins with nobody open, as in use."""
    from accounts import people

    with ExitStack() as stack:
        stack.enter_context(people.everybody("a test looks at what there is"))
        yield
        with django_db_blocker.unblock():  # the connection outlives the test and is told that nobody is open
            stack.close()
