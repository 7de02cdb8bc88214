"""The query log: sealing beside inserting, verifying beside bare SHA-256, reading with the log beside reading without.

Run: `make bench ARGS="log --lines 300000"`. In one run, one after the other:

* **insert, one table**: so many rows into a table like `access_query` with its key and indexes, set-based, nothing else.
* **insert, one by one**: the same table, a statement and a transaction for each row with its values as parameters, as the
  gateway writes lines; by psycopg2 alone, so nothing of Django's is counted.
* **insert, the log**: the same lines with a person and an answer each into the log's three tables, as the gateway leaves them.
* **seal**: all of them at once, and a minute's worth (`--minute`) as the worker does it.
* **bare SHA-256, in memory**: hashlib over the lines' bytes, fetched beforehand. The hardest limit: nothing is read.
* **bare SHA-256, in the database**: PostgreSQL's sha256() over the rows of the three tables as they lie, one process,
  nothing joined, nothing compared.
* **verify_log**: everything that the command does, with one and with two connections.
* **gateway**: a person's own file, read one after another by one client. *Without the log* is the same code reading the same
  records as the owner of the tables, whom row-level security does not ask; *pgbench* is the bare SQL of the two tables.

Ratios belong together; absolute figures belong to the machine and the day.
"""

import argparse
import hashlib
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["DEMO"] = "1"

from django.conf import settings
from django.db import connections, transaction

from benchmarks.intake import TEMPLATE, WORKING, connect, fresh, make_template, point_to, statements  # sets Django up

COLUMNS = (
    "actor_id, actor_name, organisation_id, organisation_name, uscc, roles, channel, kind, ground, purpose, case_no, duty_code,"
    " request_no, items, fields_class, decision, refusal, address, correlation"
)
VALUES = """
SELECT 7, '经办人丙', 3, '省市场监督管理局', '11350000DEM000001X', '认定单位经办人', '工作平台', 'Q5',
       '履行法定职责（事项编码 350000-MRKT-01）',
       '日常监督检查：双随机检查前核实', '闽市监检〔2026〕' || n || '号', '350000-MRKT-01', n,
       ARRAY['FJ1-03-MRKT-0001', 'FJ1-03-TRAN-0001'], '部门可见，证件号码脱敏', 'allowed', '', '192.0.2.0/24', md5(n::text)
  FROM generate_series(1, %s) n
"""
PERSONS = """
INSERT INTO access_queryperson (query_id, person_id, kind, allowed, items, at)
SELECT q.seq, p.id, 'Q5', true, ARRAY[1, 2]::bigint[], q.at FROM access_query q, (SELECT min(id) AS id FROM accounts_person) p
 WHERE q.seq > %s
"""
ANSWERS = """
INSERT INTO access_queryanswer (query_id, record_ids, items, at)
SELECT q.seq, ARRAY[q.seq, q.seq + 1], ARRAY['FJ1-03-MRKT-0001'], q.at FROM access_query q WHERE q.seq > %s
"""
BARE = [
    "SELECT count(sha256(record_send(q))) FROM access_query q", "SELECT count(sha256(record_send(p))) FROM access_queryperson p",
    "SELECT count(sha256(record_send(a))) FROM access_queryanswer a",
]  # fmt: skip
READ = """
SELECT v.*, r.*, i.*, o.name FROM records_recordversion v JOIN records_record r ON r.id = v.record_id AND r.version = v.version
  JOIN catalogue_item i ON i.id = r.item_id JOIN accounts_organisation o ON o.id = r.provider_id
 WHERE r.person_id = {person} ORDER BY v.doc_date DESC, v.record_id DESC;
"""


def timed(deed: Callable[[], Any]) -> float:
    """Return how many seconds it took."""
    began = time.perf_counter()
    deed()
    return time.perf_counter() - began


def insert(cursor: Any, lines: int) -> None:
    """Write lines with a person and an answer each."""
    cursor.execute("SELECT coalesce(max(seq), 0) FROM access_query")
    last = cursor.fetchone()[0]
    cursor.execute(f"INSERT INTO access_query ({COLUMNS}) {VALUES}", [lines])
    cursor.execute(PERSONS, [last])
    cursor.execute(ANSWERS, [last])


def sealing(lines: int, minute: int) -> dict[str, float]:
    """Return seconds per line of inserting and of sealing."""
    from access.sealing import seal

    owner = connect(WORKING)
    owner.autocommit = True
    with owner.cursor() as cursor:
        cursor.execute("CREATE TABLE bare (LIKE access_query INCLUDING ALL)")
        one = timed(lambda: cursor.execute(f"INSERT INTO bare ({COLUMNS}) {VALUES}", [lines]))
        cursor.execute(f"{VALUES} OFFSET 0", [min(lines, 5_000)])
        rows, places = cursor.fetchall(), ", ".join(["%s"] * (COLUMNS.count(",") + 1))
        single = timed(
            lambda: [cursor.execute(f"INSERT INTO bare ({COLUMNS}) VALUES ({places})", row) for row in rows]
        ) / len(rows)
        cursor.execute("DROP TABLE bare")
        three = timed(lambda: insert(cursor, lines))
        for table in ("access_query", "access_queryperson", "access_queryanswer"):
            cursor.execute(f"ANALYZE {table}")
        at_once = timed(seal)
        insert(cursor, minute)
        a_minute = timed(seal)
        for table in ("access_query", "access_queryperson", "access_queryanswer", "access_leaf"):
            cursor.execute(f"VACUUM (ANALYZE) {table}")
    owner.close()
    return {
        "insert, one table": one / lines, "insert, one by one": single, "insert, the log": three / lines,
        "seal, all at once": at_once / lines, f"seal, {minute:,} lines": a_minute / minute,
    }  # fmt: skip


def verifying(lines: int) -> dict[str, float]:
    """Return seconds per line of bare SHA-256 and of the verification."""
    from access.evidence import lines as evidence
    from access.verifying import verify
    from tools.verify_log import SEALED, SHOWN, record

    sample = [record(SHOWN, line["line"]) + record(SEALED, line["sealed"]) for line in evidence(0, min(lines, 50_000))]
    memory = timed(lambda: [hashlib.sha256(line).digest() for line in sample]) / len(sample)
    print(f"a line has {sum(map(len, sample)) / len(sample):.0f} bytes")
    found = {"bare SHA-256, in memory": memory}
    with connections["owner"].cursor() as cursor:
        cursor.execute("SET max_parallel_workers_per_gather = 0")
        found["bare SHA-256, in the database"] = timed(lambda: [cursor.execute(sql) for sql in BARE]) / lines
    for jobs in (1, 2):
        report = verify(jobs=jobs)
        assert report.first_bad is None, report.faults[:3]
        found[f"verify_log, {jobs} connections"] = report.seconds / report.lines
    return found


def reading(seconds: int) -> dict[str, float]:
    """Return seconds per reading of a person's file: with the log, without it, and the bare SQL by pgbench."""
    from access.actions import Asker
    from accounts import people
    from accounts.models import User
    from creditfujian.lib import masking
    from creditfujian.lib.masking import Profile
    from records import reading as gateway

    citizen = User.objects.get(username="citizen")
    people.opened(citizen)
    assert citizen.person is not None
    by, person = Asker(citizen, "测速"), citizen.person

    def without() -> None:
        with transaction.atomic():  # what records.reading._answer does, but for the lines
            assert person.may_act
            assert gateway._views(gateway._own_ask(person, "测速"), to_hand_on=False)
            assert masking.name(person.name, Profile.SELF)
            assert person.masked_id(Profile.SELF)
            person.former_names()

    def as_owner() -> float:
        application = connections["default"]
        connections["default"] = connections["owner"]
        try:
            return per_call(without, seconds)
        finally:
            connections["default"] = application

    rounds: list[tuple[float, float]] = []
    for _ in range(3):  # alternating, so that both meet the same machine
        rounds.append((per_call(lambda: gateway.own_file(person, by=by), seconds), as_owner()))
    logged, unlogged = (sorted(column)[1] for column in zip(*rounds, strict=True))
    return {
        "own file, with the log": logged,
        "own file, without": unlogged,
        "pgbench, the bare SQL": pgbench(person.pk, seconds),
    }


def per_call(deed: Callable[[], Any], seconds: float) -> float:
    """Return seconds per call, after a warm-up."""
    for _ in range(5):
        deed()
    began, count = time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        deed()
        count += 1
    return (time.perf_counter() - began) / count


def pgbench(person: int, seconds: int) -> float:
    """Return seconds per run of the bare SQL, by one client as the owner."""
    from creditfujian.dev.postgres import find_binaries

    binaries = find_binaries()
    assert binaries is not None, "no pgbench found"
    owner = settings.DATABASES["owner"]
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(READ.format(person=person))
        script.flush()
        done = subprocess.run(
            [binaries / "pgbench", "-n", "-c", "1", "-T", str(seconds), "-f", script.name, "-h", owner["HOST"], "-U", owner["USER"],
             WORKING], env={**os.environ, "PGPASSWORD": owner["PASSWORD"]}, capture_output=True, text=True, check=True,
        )  # fmt: skip
    line = next(line for line in done.stdout.splitlines() if line.startswith("tps"))
    return 1 / float(line.split("=")[1].split()[0])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--lines", type=int, default=200_000)
    parser.add_argument("--minute", type=int, default=5_000, help="lines of one minute")
    parser.add_argument("--seconds", type=int, default=3, help="how long each kind of reading is measured")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    make_template(with_cast=False)
    fresh()
    point_to(WORKING)
    settings.MEDIA_ROOT = tempfile.mkdtemp(prefix="cf-bench-")
    settings.LOG_SHIP_DIR = str(Path(settings.MEDIA_ROOT) / "query-log")
    from creditfujian.tests.cast import make_cast
    from records.tests.deliveries import deliver, penalty

    cast = make_cast()
    deliver(cast, [penalty(cast, 行政处罚决定书文号=f"闽市监处罚〔2026〕{n}号") for n in range(1, 6)])
    found = reading(options.seconds) | sealing(options.lines, options.minute) | verifying(options.lines)
    if options.json:
        print(json.dumps(found, ensure_ascii=False))
    for what, took in found.items():
        print(f"{what:<34}{took * 1e6:>12.1f} µs{1 / took:>14,.0f} a second")
    one, three, seal_all = found["insert, one table"], found["insert, the log"], found["seal, all at once"]
    best = min(found["verify_log, 1 connections"], found["verify_log, 2 connections"])
    for what, ratio in {
        "sealing / insert of one table": one / seal_all, "sealing / insert one by one": found["insert, one by one"] / seal_all,
        "sealing / insert of the log": three / seal_all,
        "verify / SHA-256 in memory": found["bare SHA-256, in memory"] / best,
        "verify / SHA-256 in the database": found["bare SHA-256, in the database"] / best,
        "gateway / without the log": found["own file, without"] / found["own file, with the log"],
        "gateway / pgbench": found["pgbench, the bare SQL"] / found["own file, with the log"],
    }.items():  # fmt: skip
        print(f"{what:<34}{ratio:>8.2f}")
    connections.close_all()
    statements(f"DROP DATABASE IF EXISTS {WORKING} WITH (FORCE)", f"DROP DATABASE IF EXISTS {TEMPLATE} WITH (FORCE)")


if __name__ == "__main__":
    main()
