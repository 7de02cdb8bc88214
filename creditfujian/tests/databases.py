"""The databases of the tests: two templates made once for all processes, and for each process a working copy of both.

`bare` is what the migrations leave; `cast` has the named cast on stage as well. A test that changes nothing for good is
rolled back in its working copy; a transactional one leaves it to be copied anew, so that append-only tables stay
append-only and nothing is ever truncated.
"""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import connections
from django.test import override_settings
from django.utils import timezone

from creditfujian.database import no_tables_before_ours
from creditfujian.dev import owner_sql

BARE, CAST = "bare", "cast"
KINDS = (BARE, CAST)
HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # the real one takes a tenth of a second a time
MAKING = 7_350_001  # the advisory lock of whoever makes the templates
CHECKOUT = Path(__file__).resolve().parent.parent.parent
MAINTENANCE: str = settings.DATABASES["owner"]["NAME"]


def template(kind: str) -> str:
    """Return the name of a template; all processes share it."""
    return f"test_cf_{kind}"


def working(kind: str) -> str:
    """Return the name of this process's working copy."""
    return f"test_cf_{kind}_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"


def set_up() -> None:
    """Make the templates unless they stand, and this process's working copies."""
    with _one_at_a_time():
        if _fingerprint() != _made_from(template(CAST)):
            _make_templates()
    for kind in KINDS:
        renew(kind)


def renew(kind: str) -> None:
    """Copy the template again; rights on a database are not copied with it."""
    connections.close_all()
    _owner(
        f"DROP DATABASE IF EXISTS {working(kind)} WITH (FORCE)",
        f"CREATE DATABASE {working(kind)} TEMPLATE {template(kind)}", no_tables_before_ours(working(kind)),
    )  # fmt: skip


def tear_down() -> None:
    """Drop the working copies; the templates stay for the next run."""
    connections.close_all()
    _owner(*(f"DROP DATABASE IF EXISTS {working(kind)} WITH (FORCE)" for kind in KINDS))
    point_to(MAINTENANCE)


def point_to(name: str) -> None:
    """Let both roles talk to a database from now on."""
    for alias in ("default", "owner"):
        if settings.DATABASES[alias]["NAME"] != name:
            connections[alias].close()
            settings.DATABASES[alias]["NAME"] = name
            connections[alias].settings_dict["NAME"] = name


def _make_templates() -> None:
    from creditfujian.tests.cast import make_cast

    bare, cast = template(BARE), template(CAST)
    _owner(*(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)" for name in (bare, cast)), f"CREATE DATABASE {bare}")
    point_to(bare)
    call_command("migrate", database="owner", verbosity=0)
    with connections["owner"].cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")
    connections.close_all()
    _owner(f"CREATE DATABASE {cast} TEMPLATE {bare}", no_tables_before_ours(cast))
    point_to(cast)
    with override_settings(PASSWORD_HASHERS=HASHERS):
        make_cast()
    connections.close_all()
    # Who is connected to a template keeps it from being copied: nobody is.
    _owner(
        *(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false" for name in (bare, cast)),
        f"COMMENT ON DATABASE {cast} IS '{_fingerprint()}'",
    )


def _owner(*statements: str) -> None:
    owner_sql.run(settings.DATABASES["owner"], MAINTENANCE, *statements)


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    connection = owner_sql.connect(settings.DATABASES["owner"], MAINTENANCE)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [MAKING])
        yield
    finally:
        connection.close()


def _made_from(database: str) -> str | None:
    connection = owner_sql.connect(settings.DATABASES["owner"], MAINTENANCE)
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s", [database]
            )
            row: Any = cursor.fetchone()
            return row and row[0]
    finally:
        connection.close()


def _fingerprint() -> str:
    """Say what templates rest on: every source file but tests and pages, the locked packages, the keys, the day."""
    digest = hashlib.sha256(f"{timezone.localdate()} {os.environ.get('FIELD_KEYS')}".encode())
    apps = ["creditfujian", *(app for app in settings.INSTALLED_APPS if (CHECKOUT / app).is_dir())]
    sources = {
        path
        for app in apps
        for path in (CHECKOUT / app).rglob("*")
        if path.is_file() and not {"tests", "__pycache__"}.intersection(path.parts)
    }
    for path in sorted({*sources, Path(__file__), Path(__file__).with_name("cast.py"), CHECKOUT / "requirements.txt"}):
        digest.update(path.read_bytes())
    return digest.hexdigest()
