"""Whoever owns the database can change anything in it, and nothing of it unnoticed: each attack, and the line it names."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings as django_settings
from django.core.management import call_command
from django.db import connections, transaction
from django.utils import timezone

from access import sealing, shipping
from access.models import Checkpoint, Leaf
from access.readiness import readiness
from access.shipping import Forked
from access.tests.test_sealing import write_line, write_together
from access.tree import LogBroken
from access.verifying import verify, verify_and_note
from access.waiting import waiting_for
from accounts.models import Person, User
from creditfujian.lib.merkle import fold
from creditfujian.lib.signed_note import NOTHING_BEFORE, Head, LogKeys, key_id
from creditfujian.tests.cast import make_cast
from tools import verify_log as outside

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "owner"])
TABLES = ("access_query", "access_queryperson", "access_queryanswer", "access_leaf", "access_node", "access_checkpoint")


def hands_free(owner: Any) -> None:
    """Take triggers and keys between the tables away, as their owner can."""
    for table in TABLES:
        owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    owner.execute("ALTER TABLE access_queryanswer DROP CONSTRAINT queryanswer_belongs_to_a_query")


@contextmanager
def as_owner() -> Iterator[Any]:
    """Let everything be done by the owner in one transaction, and undo it: each attack finds the log whole again."""
    application, owner = connections["default"], connections["owner"]
    connections["default"] = owner
    try:
        with transaction.atomic(using="owner"), owner.cursor() as cursor:
            hands_free(cursor)
            yield cursor
            transaction.set_rollback(True, using="owner")
    finally:
        connections["default"] = application


@pytest.fixture
def log() -> list[int]:
    """Twelve lines under four checkpoints, sealed and shipped; the ninth is a list of two persons."""
    cast = make_cast()
    found = []
    for number in range(12):
        with transaction.atomic():
            found.append(write_line(cast.citizen.person if number != 8 else None))
            if number == 8:
                write_together(found[-1], Person.objects.all(), cast.item)
        if number % 3 == 2:
            sealing.seal()
    assert verify().first_bad is None
    return found


def change(sql: str, *values: Any) -> Callable[[Any, list[int]], None]:
    """Return an attack that is one statement; {n} in it is the number of the n-th line."""

    def attack(owner: Any, lines: list[int]) -> None:
        owner.execute(sql.format(*lines))

    return attack


def resealed(owner: Any, lines: list[int]) -> None:
    """Change a line and give it the leaf that it would have had; the owner can compute that, but not sign."""
    owner.execute(f"UPDATE access_query SET purpose = '别的' WHERE seq = {lines[4]}")
    owner.execute(
        "UPDATE access_leaf l SET hash = d.derived FROM access_lines(4, 5, '-infinity', 'infinity', 0, 999999) d"
        " WHERE l.number = d.number"
    )


def swapped(owner: Any, lines: list[int]) -> None:
    """Let two lines of one checkpoint change places, leaves and all."""
    owner.execute("UPDATE access_leaf SET number = number + 1000 WHERE number IN (4, 5)")
    owner.execute("UPDATE access_leaf SET number = 1009 - number WHERE number IN (1004, 1005)")


def two_days(owner: Any, lines: list[int]) -> None:
    """Exchange what two lines of different checkpoints say of their day."""
    for table, column in (
        ("access_query", "seq"),
        ("access_queryperson", "query_id"),
        ("access_queryanswer", "query_id"),
    ):
        owner.execute(f"UPDATE {table} SET {column} = -1 WHERE {column} = {lines[1]}")
        owner.execute(f"UPDATE {table} SET {column} = {lines[1]} WHERE {column} = {lines[10]}")
        owner.execute(f"UPDATE {table} SET {column} = {lines[10]} WHERE {column} = -1")


def cut(owner: Any, lines: list[int]) -> None:
    """Cut off the last two checkpoints and all that they cover, as if they had never been."""
    for table, column in (
        ("access_queryanswer", "query_id"),
        ("access_queryperson", "query_id"),
        ("access_query", "seq"),
    ):
        owner.execute(f"DELETE FROM {table} WHERE {column} >= {lines[6]}")
    owner.execute("DELETE FROM access_leaf WHERE number >= 6")
    owner.execute("DELETE FROM access_checkpoint WHERE number > 2")
    owner.execute(f"SELECT setval('access_query_seq', {lines[5]})")


def rechained(owner: Any, lines: list[int]) -> None:
    """Change the first line and build everything anew from zero, with a key of one's own."""
    owner.execute(f"UPDATE access_query SET purpose = '别的' WHERE seq = {lines[0]}")
    owner.execute(
        "UPDATE access_leaf l SET hash = d.derived FROM access_lines(0, 99, '-infinity', 'infinity', 0, 999999) d"
        " WHERE l.number = d.number"
    )
    own = Ed25519PrivateKey.generate()
    leaves = [bytes(leaf.hash) for leaf in Leaf.objects.order_by("number")]
    previous = NOTHING_BEFORE
    for checkpoint in Checkpoint.objects.order_by("number"):
        head = Head(
            checkpoint.number, checkpoint.size, fold(b"".join(leaves[: checkpoint.size])), checkpoint.at, previous
        )
        key, signature = key_id(own.public_key().public_bytes_raw()), own.sign(head.text())
        owner.execute(
            "UPDATE access_checkpoint SET root = %s, previous = %s, key_id = %s, signature = %s WHERE number = %s",
            [head.root, previous, key, signature, head.number],
        )
        previous = sha256(head.note(key, signature)).digest()


def without_partition(owner: Any, lines: list[int]) -> None:
    month = timezone.localtime(Leaf.objects.first().at).strftime("%Y%m")  # type: ignore[union-attr]
    for table in ("access_queryanswer", "access_queryperson", "access_query"):
        owner.execute(f"ALTER TABLE {table} DETACH PARTITION {table}_{month}")
        owner.execute(f"DROP TABLE {table}_{month}")


ATTACKS: dict[str, tuple[Callable[[Any, list[int]], None], int, str]] = {  # what, the line it names, in which words
    "a word changed": (change("UPDATE access_query SET purpose = '别的' WHERE seq = {4}"), 4, "与封存时不同"),
    "the reader's name changed": (change("UPDATE access_query SET actor_name = '别人' WHERE seq = {4}"), 4, "与封存时不同"),
    "the time changed": (change("UPDATE access_query SET at = at + interval '1 second' WHERE seq = {4}"), 4, "删除或者移走"),
    "a line deleted": (change("DELETE FROM access_query WHERE seq = {4}"), 4, "已被删除"),
    "a line deleted with its leaf": (
        change("DELETE FROM access_query WHERE seq = {4}; DELETE FROM access_leaf WHERE number = 4"), 4, "封存叶缺失"),
    "an old line inserted": (change(
        "SELECT access_make_partitions(cf_today() - 4, 1);"
        "INSERT INTO access_query SELECT (q2).* FROM (SELECT jsonb_populate_record(q, jsonb_build_object('seq', 999, 'at',"
        " q.at - interval '3 day')) AS q2 FROM access_query q WHERE seq = {4}) x"), -1, "没有在规定时间内封存"),
    "two lines in each other's place": (swapped, 5, "树根与封存叶不符"),
    "the tail cut off": (cut, 6, "已外送的检查点"),
    "two days exchanged": (two_days, 1, "移走"),
    "built anew from zero without the key": (rechained, 0, ""),
    "an old checkpoint played back": (change(
        "DELETE FROM access_checkpoint WHERE number > 2; DELETE FROM access_leaf WHERE number >= 6"), 6, "已外送的检查点"),
    "another person": (change(
        "UPDATE access_queryperson SET person_id = (SELECT max(id) FROM accounts_person) WHERE query_id = {4}"), 4, "所涉人员"),
    "a person taken off a list": (change(
        "DELETE FROM access_queryperson WHERE query_id = {8} AND person_id = (SELECT max(id) FROM accounts_person)"), 8, "所涉人员"),
    "a person added": (change(
        "INSERT INTO access_queryperson (query_id, person_id, kind, allowed, at) SELECT query_id,"
        " (SELECT max(id) FROM accounts_person), kind, allowed, at FROM access_queryperson WHERE query_id = {4}"), 4, "所涉人员"),
    "another answer": (change("UPDATE access_queryanswer SET record_ids = '{{}}' WHERE query_id = {4}"), 4, "查询结果"),
    "an answer taken away": (change("DELETE FROM access_queryanswer WHERE query_id = {4}"), 4, "查询结果"),
    "a stored leaf changed": (change("UPDATE access_leaf SET hash = sha256('x') WHERE number = 4"), 4, "与封存时不同"),
    "a line and its leaf changed": (resealed, 4, "封存叶"),
    "a salt changed": (change("UPDATE access_leaf SET salt = gen_random_uuid() WHERE number = 4"), 4, "与封存时不同"),
    "a checkpoint's time changed": (
        change("UPDATE access_checkpoint SET at = at - interval '1 hour' WHERE number = 3"), 6, "签名无效"),
    "a checkpoint taken out": (change("DELETE FROM access_checkpoint WHERE number = 2"), 3, ""),
    "a partition dropped": (without_partition, 0, "已被删除"),
}  # fmt: skip


def test_every_attack_is_found_and_the_first_bad_line_named(log: list[int], settings: Any) -> None:
    settings.LOG_LATE_MINUTES = 1
    named, said = {}, {}
    for what, (attack, _, words) in ATTACKS.items():
        with as_owner() as owner:
            attack(owner, log)
            report = verify()
        named[what] = report.first_bad
        said[what] = any(words in fault.what for fault in report.faults)
    assert named == {what: log[line] if line >= 0 else 999 for what, (_, line, _) in ATTACKS.items()}
    assert all(said.values()), said
    assert verify().first_bad is None


def test_only_a_tail_cut_off_needs_the_copy_outside(log: list[int], settings: Any) -> None:
    settings.LOG_LATE_MINUTES = 0  # the lines of this test are seconds old
    for name in ("checkpoints.jsonl", "leaves.sha256"):
        (shipping.home() / name).unlink()
    unseen = []
    for what, (attack, _, _) in ATTACKS.items():
        with as_owner() as owner:
            attack(owner, log)
            unseen += [what] if verify().first_bad is None else []
    assert unseen == ["the tail cut off"]  # what is gone without a trace, only a copy elsewhere can show


@pytest.mark.parametrize(("what", "words"), [
    ("a line and its leaf changed", "不符"), ("two lines in each other's place", "不符"), ("the tail cut off", "外送"),
    ("built anew from zero without the key", "外送"), ("an old checkpoint played back", "外送"),
])  # fmt: skip
def test_nothing_is_signed_over_a_history_that_was_changed(log: list[int], what: str, words: str) -> None:
    with as_owner() as owner:
        ATTACKS[what][0](owner, log)
        write_line(None)
        with pytest.raises(LogBroken, match=words):
            sealing.seal()
        if words == "外送":
            with pytest.raises(Forked):
                shipping.ship(shipping.home())


def test_a_line_slipped_in_with_an_old_date_never_gets_a_place(log: list[int], settings: Any) -> None:
    settings.LOG_LATE_MINUTES = 1
    with as_owner() as owner:
        ATTACKS["an old line inserted"][0](owner, log)
        write_line(None)
        assert sealing.seal().size == 13
        assert not Leaf.objects.filter(query_id=999).exists()
        assert verify().first_bad == 999


def test_the_command_says_so_and_ends_with_1(log: list[int], capsys: pytest.CaptureFixture[str]) -> None:
    with as_owner() as owner:
        ATTACKS["a word changed"][0](owner, log)
        for arguments in (["--json"], []):
            with pytest.raises(SystemExit) as ended:
                call_command("verify_log", *arguments)
            assert ended.value.code == 1
    told, words = capsys.readouterr().out.splitlines()
    assert json.loads(told)["first_bad"] == log[4]
    assert json.loads(told)["lines"] == 12
    assert f"序号 {log[4]}（第 5 条）" in words


def test_the_night_looks_at_the_last_day_and_at_the_tree_before_it(log: list[int]) -> None:
    since = Checkpoint.objects.get(number=3).at + timedelta(microseconds=1)
    for statement, first_bad in (
        (f"UPDATE access_query SET purpose = '别的' WHERE seq = {log[10]}", log[10]),
        ("UPDATE access_leaf SET hash = sha256('x') WHERE number = 2", log[0]),
        (f"UPDATE access_query SET purpose = '别的' WHERE seq = {log[2]}", None),  # the whole is verified weekly
    ):
        with as_owner() as owner:
            owner.execute(statement)
            report = verify(since=since)
        assert (report.lines, report.checkpoints, report.first_bad) == (3, 1, first_bad)


def test_a_new_key_goes_on_and_the_old_one_never_signs_again(log: list[int], settings: Any) -> None:
    old: LogKeys = django_settings.LOG_KEYS
    assert old.private is not None
    public = old.private.public_key().public_bytes_raw().hex()
    settings.LOG_KEYS = new = LogKeys.parse("11" * 32, [public])
    write_line(None)
    assert sealing.seal().key_id == new.active != old.active
    assert verify().first_bad is None
    assert outside.main(["checkpoints", str(shipping.home())]) == 0
    settings.LOG_KEYS = LogKeys(old.private, new.public)
    write_line(None)
    sealing.seal()
    found = verify()
    assert found.first is not None
    assert "停用的密钥" in found.first.what
    assert outside.main(["checkpoints", str(shipping.home())]) == 1


def test_those_who_watch_are_told(log: list[int]) -> None:
    auditor, clerk = User.objects.get(username="auditor"), User.objects.get(username="clerk")
    verify_and_note()
    assert {card.count for card in waiting_for(auditor)} == {0}
    assert waiting_for(clerk) == []
    with as_owner() as owner:
        owner.execute(f"UPDATE access_query SET purpose = '别的' WHERE seq = {log[4]}")
        assert verify_and_note().first_bad == log[4]
        card = waiting_for(auditor)[1]
        ready = readiness()
    assert card.count == 1
    assert f"序号 {log[4]}" in card.detail
    assert ready == {"query_log": "broken"}


def test_a_late_seal_is_told(log: list[int], settings: Any) -> None:
    settings.LOG_LATE_MINUTES = 0
    write_line(None)
    card = waiting_for(User.objects.get(username="operator"))[0]
    assert card.count == 1
    assert "还没有封存" in card.detail
    assert readiness() == {"query_log": "late"}
    sealing.seal()
    assert sealing.lateness() == ""
    assert readiness() == {"query_log": "ok"}
    settings.LOG_QUIET_MINUTES = 0
    assert "最近一个检查点" in sealing.lateness()
