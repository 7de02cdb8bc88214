"""The stage, set once for a module in this process's copy of the database, and a copy made anew behind it."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections, transaction
from django.template import Template
from django.test import override_settings

from accounts import people
from creditfujian.tests import databases
from creditfujian.tests.walk import stage as stages

# As the owner: a switch by which a transaction has to do without the query log.
_SWITCH = """
CREATE FUNCTION test_log_is_gone() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'the query log cannot be written' USING ERRCODE = 'io_error'; END $$;
CREATE TRIGGER test_log_is_gone BEFORE INSERT ON access_query FOR EACH ROW
    WHEN (current_setting('test.log_is_gone', true) = 'on') EXECUTE FUNCTION test_log_is_gone();
"""


@pytest.fixture(scope="module")
def _set_up(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[stages.Stage, str]]:
    """Set the stage and commit it, as when the portal is in use: each question then has a transaction of its own."""
    databases.point_to(databases.working(databases.CAST))
    media = str(tmp_path_factory.mktemp("media"))
    with django_db_blocker.unblock():
        with connections["owner"].cursor() as cursor:
            cursor.execute(_SWITCH)
        # A link that a slow machine does not outlast.
        setting = override_settings(MEDIA_ROOT=media, PASSWORD_HASHERS=databases.HASHERS, EXPORT_LINK_MINUTES=240)
        with setting, people.everybody("a stage is set"), transaction.atomic():
            built = stages.build()
        yield built, media
        databases.renew(databases.CAST)


@pytest.fixture
def stage(_set_up: tuple[stages.Stage, str], settings: Any, monkeypatch: pytest.MonkeyPatch) -> stages.Stage:
    """What there is and who asks, with the files that belong to it."""
    built, settings.MEDIA_ROOT = _set_up
    # The test client keeps a copy of the context of every template of an answer; nobody here looks at them.
    monkeypatch.setattr(Template, "_render", lambda template, context: template.nodelist.render(context))
    return built
