"""The sealed log: every line gets its place once, in whatever order transactions end."""

import json
import re
from collections.abc import Iterable
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from threading import Event, Thread

import pytest
from django.core.management import call_command
from django.db import DatabaseError, IntegrityError, connection, connections, transaction
from django.utils import timezone
from django_q.models import Schedule

from access import sealing, shipping
from access.actions import Ask, Asker, write_answer, write_query
from access.jobs import seal_log
from access.models import Checkpoint, Kind, Leaf, Node, Query
from access.tree import LogBroken
from access.verifying import verify
from accounts.models import Person
from catalogue.models import Item
from creditfujian.lib.merkle import fold
from creditfujian.tests.cast import Cast, make_cast
from tools import verify_log as outside


def write_line(person: Person | None, *, words: str = "公众查询公示信息") -> int:
    """Write a line as the gateway does, with its answer."""
    with transaction.atomic():
        ask = Ask(kind=Kind.PUBLIC, ground="依法公示", purpose=words, fields_class="公众可见，脱敏", person=person)
        seq = write_query(ask, by=Asker(None, "公示网站", "192.0.2.0/24"))
        write_answer(seq, record_ids=[seq], items=["FJ1-03-MRKT-0001"])
    return seq


def write_together(seq: int, users: Iterable[Person], item: Item) -> None:
    """Write several persons under one line, as a list does."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO access_queryperson (query_id, person_id, kind, allowed, items)"
            " SELECT %s, person, 'Q6', true, ARRAY[%s::bigint] FROM unnest(%s::bigint[]) AS person",
            [seq, item.pk, [user.pk for user in users]],
        )


def test_each_line_gets_its_place_and_the_whole_verifies(cast: Cast) -> None:
    lines = [write_line(cast.citizen.person) for _ in range(5)]
    checkpoint = sealing.seal()
    assert checkpoint is not None
    assert (checkpoint.number, checkpoint.size) == (1, 5)
    assert list(Leaf.objects.order_by("number").values_list("query_id", flat=True)) == lines
    assert bytes(checkpoint.root) == fold(b"".join(bytes(leaf.hash) for leaf in Leaf.objects.order_by("number")))
    report = verify()
    assert (report.lines, report.checkpoints, report.first_bad) == (5, 1, None)


def test_nothing_new_makes_no_checkpoint_until_an_hour_has_passed(cast: Cast, settings: object) -> None:
    write_line(cast.citizen.person)
    assert sealing.seal() is not None
    assert sealing.seal() is None
    settings.LOG_QUIET_MINUTES = 0  # type: ignore[attr-defined]
    quiet = sealing.seal()
    assert quiet is not None
    assert (quiet.number, quiet.size) == (2, 1)
    assert verify().first_bad is None


def test_a_line_of_a_list_holds_all_its_persons(cast: Cast) -> None:
    seq = write_line(None, words="列表")
    assert Person.objects.count() == 2
    write_together(seq, Person.objects.all(), cast.item)
    sealing.seal()
    assert verify().first_bad is None


def test_python_derives_the_same_bytes_as_the_database(cast: Cast) -> None:
    from access.evidence import lines

    seq = write_line(None, words='引号 " 反斜线 \\ 换行\n 零宽\u200b 表情😀')
    write_together(seq, Person.objects.all(), cast.item)
    write_line(cast.other_citizen.person)
    with transaction.atomic():  # no answer, no person: a refused attempt
        refused = Ask(kind=Kind.DUTY, ground="无", purpose="", fields_class="", refusal="no_right", items=[cast.item])
        write_query(refused, by=Asker(cast.officer_here, "工作平台"))
    sealing.seal()
    for leaf, line in zip(Leaf.objects.order_by("number"), lines(0, 3), strict=True):
        assert outside.leaf_of_evidence(json.loads(json.dumps(line))) == bytes(leaf.hash)


def test_kept_nodes_carry_the_tree_over_many_tiles(cast: Cast) -> None:
    with connection.cursor() as cursor:
        for many in (300, 1, 255, 700):
            cursor.execute(
                "INSERT INTO access_query (actor_name, organisation_name, uscc, roles, channel, kind, ground, purpose,"
                " case_no, duty_code, items, fields_class, decision, address, correlation)"
                " SELECT '', '', '', '', '公示网站', 'Q6', '依法公示', n::text, '', '', '{}', '', 'allowed', '', ''"
                " FROM generate_series(1, %s) n", [many],
            )  # fmt: skip
            sealing.seal()
    assert Checkpoint.objects.first().size == 1256
    assert Node.objects.count() == 1256 // 256
    report = verify()
    assert (report.lines, report.checkpoints, report.first_bad) == (1256, 4, None)


def test_every_column_of_the_log_is_under_the_seal(cast: Cast) -> None:
    beside = {
        "access_query": set(),
        "access_queryperson": {"xid", "query_id", "at"},
        "access_queryanswer": {"query_id", "at"},
    }
    with connection.cursor() as cursor:
        cursor.execute("SELECT prosrc FROM pg_proc WHERE proname = 'access_lines'")
        source = cursor.fetchone()[0]
        for table, joins in beside.items():
            cursor.execute("SELECT column_name FROM information_schema.columns WHERE table_name = %s", [table])
            columns = {name for (name,) in cursor.fetchall()} - joins
            assert len(columns) > 1
            alias = {"access_query": "q", "access_queryperson": "p", "access_queryanswer": "a"}[table]
            assert [name for name in columns if not re.search(rf"\b{alias}\.{name}\b", source)] == []


def test_the_job_leaves_what_must_not_be_signed_and_says_so(cast: Cast, caplog: pytest.LogCaptureFixture) -> None:
    write_line(cast.citizen.person)
    assert seal_log() == "checkpoint 1"
    assert seal_log() == "nothing new"
    path = shipping.home() / "checkpoints.jsonl"
    path.write_text(path.read_text().replace('"number": 1', '"number": 2'))
    write_line(cast.citizen.person)
    assert "外送" in seal_log()
    assert "not sealed" in caplog.text
    assert Checkpoint.objects.count() == 1


def test_the_worker_seals_every_minute(db: None) -> None:
    schedule = Schedule.objects.get(name="seal the log")
    module, _, function = schedule.func.rpartition(".")
    assert callable(getattr(import_module(module), function))
    assert (schedule.schedule_type, schedule.minutes) == (Schedule.MINUTES, 1)


def test_the_application_cannot_write_leaves_or_skip_a_checkpoint(cast: Cast) -> None:
    write_line(cast.citizen.person)
    sealing.seal()
    for statement in (
        "INSERT INTO access_leaf (number, query_id, at, salt, hash) SELECT 1, 9, at, salt, hash FROM access_leaf",
        "UPDATE access_leaf SET hash = hash", "DELETE FROM access_leaf", "TRUNCATE access_leaf",
        "UPDATE access_checkpoint SET size = size", "DELETE FROM access_checkpoint", "TRUNCATE access_checkpoint",
        "UPDATE access_node SET hash = hash", "DELETE FROM access_node",
    ):  # fmt: skip
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    columns = "size, root, at, previous, key_id, signature, upto, gaps"
    for number, values in ((3, columns), (2, columns.replace("size", "size + 1")), (2, columns)):
        with (
            pytest.raises(IntegrityError, match="follows the one before"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(
                f"INSERT INTO access_checkpoint (number, {columns}) SELECT {number}, {values} FROM access_checkpoint"
            )


def test_no_line_gets_a_place_without_a_checkpoint_over_it(cast: Cast) -> None:
    """Places that no checkpoint covers would stop every later sealing."""
    write_line(cast.citizen.person)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT access_seal_lines(interval '1 day')")
        with pytest.raises(IntegrityError, match="under a checkpoint"):
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # what the end of the transaction does
        transaction.set_rollback(True)
    assert sealing.seal() is not None


def test_no_node_stands_in_the_way_of_the_tree(cast: Cast) -> None:
    """Forged where the tree will come, a node would stop the sealer for good."""
    write_line(cast.citizen.person)
    sealing.seal()
    for level, number in ((8, 0), (8, 1), (16, 0)):
        with pytest.raises(IntegrityError, match="once all below it stands"), transaction.atomic():
            Node.objects.create(level=level, number=number, hash=b"0" * 32)


def forged_checkpoint(upto: str) -> None:
    """Let the application write the next checkpoint by hand, with all it can know and no key."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO access_checkpoint (number, size, root, at, previous, key_id, signature, upto, gaps)"
            f" SELECT number + 1, size, root, clock_timestamp(), root, key_id, signature, {upto}, '{{}}' FROM access_checkpoint"
        )


def test_a_checkpoint_by_hand_does_not_make_the_sealer_skip_lines(cast: Cast) -> None:
    write_line(cast.citizen.person)
    sealing.seal()
    with pytest.raises(IntegrityError, match="follows the one before"):
        forged_checkpoint("1000000")
    forged_checkpoint("upto")
    write_line(cast.citizen.person)
    with pytest.raises(LogBroken, match="检查点 2"):
        sealing.seal()
    assert Leaf.objects.count() == 1


def test_what_was_sealed_is_shipped_at_once_and_only_added_to(cast: Cast, tmp_path: Path) -> None:
    write_line(cast.citizen.person)
    sealing.seal()
    first = (shipping.home() / "checkpoints.jsonl").read_bytes()
    write_line(cast.citizen.person)
    sealing.seal()
    assert (shipping.home() / "checkpoints.jsonl").read_bytes().startswith(first)
    assert (shipping.home() / "leaves.sha256").stat().st_size == 64
    assert shipping.ship(shipping.home()) == 0
    assert shipping.ship(tmp_path / "elsewhere") == 2
    for name in ("checkpoints.jsonl", "leaves.sha256", "keys.txt"):
        assert (tmp_path / "elsewhere" / name).read_bytes() == (shipping.home() / name).read_bytes()
    assert outside.main(["checkpoints", str(tmp_path / "elsewhere")]) == 0


def test_shipping_goes_on_after_a_crash_in_the_middle_of_a_write(cast: Cast) -> None:
    write_line(cast.citizen.person)
    sealing.seal()
    with (
        (shipping.home() / "leaves.sha256").open("ab") as out,
        (shipping.home() / "checkpoints.jsonl").open("ab") as more,
    ):
        write_line(cast.citizen.person)
        more.write(b'{"number": 2, "no')
        with transaction.atomic():
            sealing._seal()
        out.write(bytes(Leaf.objects.get(number=1).hash)[:7])
    assert shipping.ship(shipping.home()) == 1
    assert verify().first_bad is None
    assert outside.main(["checkpoints", str(shipping.home())]) == 0


def test_shipped_files_name_nobody(cast: Cast) -> None:
    write_line(cast.citizen.person, words="这句话只在日志里")
    sealing.seal()
    text = b"".join(path.read_bytes() for path in shipping.home().iterdir()).decode(errors="replace")
    for words in ("陈小满", "这句话只在日志里", "192.0.2", "公示网站"):
        assert words not in text


@pytest.mark.django_db(transaction=True)
def test_a_transaction_that_ends_after_later_ones_were_sealed_is_not_skipped() -> None:
    cast = make_cast()
    written, go = Event(), Event()
    slow: list[int] = []

    def dawdle() -> None:
        try:
            with transaction.atomic():
                slow.append(write_line(cast.citizen.person))
                written.set()
                assert go.wait(20)
        finally:
            connection.close()

    thread = Thread(target=dawdle)
    thread.start()
    assert written.wait(20)
    quick = [write_line(cast.other_citizen.person) for _ in range(3)]
    assert min(quick) > slow[0]
    first = sealing.seal()
    assert first is not None
    assert first.size == 3
    write_line(cast.other_citizen.person)
    assert sealing.seal().size == 4
    go.set()
    thread.join()
    assert sealing.seal().size == 5
    assert Leaf.objects.get(query_id=slow[0]).number == 4
    assert verify().first_bad is None


@pytest.mark.django_db(transaction=True)
def test_a_number_that_was_never_used_holds_nothing_up() -> None:
    cast = make_cast()
    with transaction.atomic():
        write_line(cast.citizen.person)
        transaction.set_rollback(True)
    write_line(cast.citizen.person)
    assert sealing.seal().size == 1
    assert verify().first_bad is None


@pytest.mark.django_db(transaction=True)
def test_two_sealers_at_once_make_one_history() -> None:
    cast = make_cast()
    for _ in range(20):
        write_line(cast.citizen.person)
    wrong: list[Exception] = []

    def work() -> None:
        try:
            for _ in range(5):
                write_line(cast.citizen.person)
                sealing.seal()
        except Exception as error:
            wrong.append(error)
        finally:
            connection.close()

    threads = [Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sealing.seal()
    assert wrong == []
    report = verify()
    assert (report.lines, report.first_bad) == (40, None)
    assert outside.main(["checkpoints", str(shipping.home())]) == 0


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
def test_without_a_partition_for_the_month_there_is_no_line_and_the_night_makes_them_ahead() -> None:
    month = timezone.localdate().strftime("%Y%m")
    with connections["owner"].cursor() as cursor:
        for table in ("access_queryanswer", "access_queryperson", "access_query"):
            cursor.execute(f"ALTER TABLE {table} DETACH PARTITION {table}_{month}")
            cursor.execute(f"DROP TABLE {table}_{month}")
    cast = make_cast()
    with pytest.raises(DatabaseError, match="no partition"):
        write_line(cast.citizen.person)
    assert Query.objects.count() == 0
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT access_make_partitions(cf_today(), 1)")
    write_line(cast.citizen.person)


def test_the_night_makes_the_months_ahead_and_verifies_once(cast: Cast, settings: object) -> None:
    from access.nightly import nightly

    settings.LOG_MONTHS_AHEAD = 20  # type: ignore[attr-defined]
    write_line(cast.citizen.person)
    sealing.seal()
    first, second = nightly(timezone.localdate()), nightly(timezone.localdate())
    assert (first["log_partitions"], first["log_verified"]) == (2, 1)
    assert (second["log_partitions"], second["log_verified"]) == (0, 0)
    ahead = timezone.localdate() + timedelta(days=31 * 18)
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [f"access_query_{ahead:%Y%m}"])
        assert cursor.fetchone()[0]


def test_the_commands_seal_and_verify(cast: Cast, capsys: pytest.CaptureFixture[str]) -> None:
    write_line(cast.citizen.person)
    call_command("seal_log")
    call_command("seal_log")
    call_command("verify_log", json=True)
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "检查点 1：共封存 1 条。"
    assert said[1] == "没有新的查询需要封存。"
    told = json.loads(said[2])
    assert (told["lines"], told["checkpoints"], told["first_bad"]) == (1, 1, None)
