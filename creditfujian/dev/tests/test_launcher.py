"""The embedded server: made once, survives being killed, one per checkout, roles that own and bypass nothing."""

import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg2
import pytest

from creditfujian.dev.postgres import PostgresError, Server, find_binaries, major
from creditfujian.dev.setup import wheel_binaries

Make = Callable[..., Server]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Servers of checkouts made up for the test; stopped and removed afterwards."""
    made: list[Server] = []

    def server(checkout: str, purpose: str = "test", binaries: Path | None = None) -> Server:
        folder = tmp_path / checkout
        folder.mkdir(exist_ok=True)
        one = Server(folder, purpose, binaries or find_binaries() or wheel_binaries())
        made.append(one)
        return one

    yield server
    for one in made:
        one.stop()
        shutil.rmtree(one.home.parent, ignore_errors=True)
        shutil.rmtree(one.sockets, ignore_errors=True)


def ask(url: str, question: str) -> object:
    connection = psycopg2.connect(url)
    try:
        with connection.cursor() as cursor:
            cursor.execute(question)
            return cursor.fetchone()
    finally:
        connection.close()


def do(url: str, *statements: str) -> None:
    connection = psycopg2.connect(url)
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
    finally:
        connection.close()


def test_the_application_owns_nothing_and_bypasses_nothing(make: Make) -> None:
    urls = make("one").start()
    rights = "SELECT rolsuper, rolcreatedb, rolcreaterole, rolbypassrls, rolreplication FROM pg_roles WHERE rolname = current_user"
    assert ask(urls.application, rights) == (False,) * 5
    assert ask(urls.owner, rights) == (False, True, False, False, False)
    owner = "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()"
    assert ask(urls.application, owner) == ("cf_owner",)
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        do(urls.application, "CREATE TABLE mine (id int)")


def test_a_killed_server_stops_neither_the_next_start_nor_loses_what_was_committed(make: Make) -> None:
    first = make("one", "run")
    urls = first.start()
    do(urls.owner, "CREATE TABLE kept (word text)", "INSERT INTO kept VALUES ('信用')")
    first.kill()
    again = make("one", "run").start()
    assert again == urls
    assert ask(again.owner, "SELECT word FROM kept") == ("信用",)


def test_a_pid_file_left_behind_that_names_a_stranger_is_no_obstacle(make: Make) -> None:
    first = make("one")
    first.start()
    pid_file = first.data / "postmaster.pid"
    lines = pid_file.read_text().split("\n")
    os.kill(int(lines[0]), signal.SIGKILL)
    time.sleep(0.5)
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]))
    assert ask(make("one").start().application, "SELECT 1") == (1,)


def test_starting_twice_is_the_same_server(make: Make) -> None:
    server = make("one")
    assert server.start() == server.start() == make("one").start()


def test_two_checkouts_run_side_by_side(make: Make) -> None:
    one, two = make("one").start(), make("two").start()
    assert one != two
    do(one.owner, "CREATE TABLE only_here (id int)")
    with pytest.raises(psycopg2.errors.UndefinedTable):
        do(two.owner, "SELECT * FROM only_here")


def test_nobody_else_gets_in_without_the_password(make: Make) -> None:
    urls = make("one").start()
    wrong = urls.owner.replace(urls.owner.split(":")[2].split("@")[0], "wrong")
    with pytest.raises(psycopg2.OperationalError, match="password"):
        ask(wrong, "SELECT 1")
    server = make("one")
    assert server.secrets.stat().st_mode & 0o077 == 0


def test_an_old_server_is_refused_in_plain_words(tmp_path: Path) -> None:
    fake = tmp_path / "postgres"
    fake.write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 13.4'\n")
    fake.chmod(0o755)
    with pytest.raises(PostgresError, match="15 or newer"):
        major(tmp_path)


def test_the_wheel_serves_where_no_server_is_installed(make: Make) -> None:
    urls = make("one", binaries=wheel_binaries()).start()
    assert ask(urls.application, "SELECT current_user") == ("cf_app",)
    do(urls.owner, "CREATE EXTENSION btree_gist")
    major_version = ask(urls.owner, "SELECT current_setting('server_version_num')::int / 10000 >= 15")
    assert major_version == (True,)
