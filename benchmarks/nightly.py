"""The night of records while somebody reads: expiry and disposal of many at once, and how long a reader ever waits.

Run: `make bench ARGS="nightly --records 200000"`. The records are made set-based by the owner, a tenth as many more
stay in force. Measured: use begins, periods are cut, records expire, records are disposed of with proof; each part as
the nightly job does it. Beside it a reader of its own process opens a person's file again and again, by the gateway.
"""

import argparse
import multiprocessing
import statistics
import time
from typing import Any

from benchmarks.intake import TEMPLATE, WORKING, connect, fresh, make_template, point_to, statements

MAKE = """
INSERT INTO accounts_person (sid, name, id_cipher, id_index)
SELECT gen_random_uuid(), '虚构' || n, 'x', sha256(('bench' || n)::bytea) FROM generate_series(1, %(persons)s) n ON CONFLICT DO NOTHING;
CREATE TEMP TABLE made AS
SELECT nextval(pg_get_serial_sequence('records_record', 'id')) AS id, n, p.id AS person_id, %(state)s AS state,
       sha256(n::text::bytea) AS hash
  FROM generate_series(1, %(records)s) n JOIN (SELECT id, row_number() OVER (ORDER BY id) AS at FROM accounts_person
       WHERE name LIKE '虚构%%') p ON p.at = n %% %(persons)s + 1;
INSERT INTO records_record (id, person_id, item_id, provider_id, decider_uscc, doc_no, doc_date, severity, publication,
                            query_until, state, usable_from, version, content_hash)
SELECT id, person_id, %(item)s, %(provider)s, %(uscc)s, %(prefix)s || n, %(doc_date)s::date, 2,
       CASE WHEN %(months)s > 0
            THEN daterange(%(doc_date)s::date, (%(doc_date)s::date + make_interval(months => %(months)s))::date) END,
       %(until)s::date, state, CASE WHEN state = 3 THEN cf_today() END, 1, hash FROM made;
INSERT INTO records_recordversion (record_id, version, deed, item_version_id, batch_id, row_no, name, doc_date, severity,
                                   publication, query_until, content, content_hash, by_id)
SELECT id, 1, 2, %(version)s, %(batch)s, n, '虚构', %(doc_date)s::date, 2, NULL, %(until)s::date,
       jsonb_build_object('CF_SY', repeat('某日在某处经营不合格商品', 12) || n, 'CF_NR', '罚款', 'FK_JE', n::text), hash, %(by)s
  FROM made;
DROP TABLE made;
"""


def make(
    cast: Any, batch: int, *, prefix: str, records: int, doc_date: str, until: str, months: int = 0, state: int = 1
) -> None:
    """Make records as the owner, without the checks of the intake."""
    from catalogue.models import ItemVersion

    version = ItemVersion.objects.get(item=cast.item, state="in_force")
    owner = connect(WORKING)
    with owner, owner.cursor() as cursor:
        cursor.execute(
            "ALTER TABLE records_record DISABLE TRIGGER USER; ALTER TABLE records_recordversion DISABLE TRIGGER USER"
        )
        for statement in MAKE.split(";\n"):
            if statement.strip():
                cursor.execute(statement, {
                    "persons": max(1, records // 3), "records": records, "item": cast.item.pk, "provider": cast.market.pk,
                    "uscc": cast.market.uscc, "prefix": prefix, "doc_date": doc_date, "until": until, "months": months,
                    "state": state, "version": version.pk, "batch": batch, "by": cast.data_reviewer.pk,
                })  # fmt: skip
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in ("records_record", "records_recordversion"):
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    owner.close()


def reader(stop: Any, waits: Any) -> None:
    """Open one person's file again and again, each with its line, and note how long each took."""
    from access.actions import Asker
    from accounts import people
    from accounts.models import User
    from records.reading import own_file

    point_to(WORKING)
    citizen = User.objects.get(username="citizen")
    person = people.opened(citizen)
    assert person is not None
    while not stop.is_set():
        began = time.perf_counter()
        own_file(person, by=Asker(citizen, "测速"))
        waits.append(time.perf_counter() - began)
        time.sleep(0.01)


def measured(what: str, deed: Any, figures: dict[str, tuple[int, float, float, float]]) -> None:
    """Do a part of the night while the reader reads."""
    with multiprocessing.Manager() as manager:
        waits, stop = manager.list(), manager.Event()
        beside = multiprocessing.get_context("spawn").Process(target=reader, args=(stop, waits))
        beside.start()
        while not waits:
            assert beside.is_alive(), "the reader beside the night has ended"
            time.sleep(0.05)
        del waits[:]
        began = time.perf_counter()
        count = deed()
        took = time.perf_counter() - began
        stop.set()
        beside.join()
        times = sorted(waits) or [0.0]
    figures[what] = (count, took, statistics.median(times), times[-1])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--records", type=int, default=20_000)
    options = parser.parse_args()
    make_template(with_cast=False)
    fresh()
    point_to(WORKING)
    from creditfujian.tests.cast import make_cast
    from records import life
    from records.tests.deliveries import deliver, penalty

    cast = make_cast()
    batch = deliver(cast, [penalty(cast)]).pk
    many = options.records
    make(cast, batch, prefix="到期", records=many, doc_date="2021-09-10", until="2026-09-10")
    make(cast, batch, prefix="告知", records=many // 10, doc_date="2026-03-01", until="2031-03-01", state=3)
    make(cast, batch, prefix="旧规", records=many // 10, doc_date="2026-03-01", until="2031-03-01", months=36)
    figures: dict[str, tuple[int, float, float, float]] = {}
    measured("use begins", life.begin_use, figures)
    measured("periods cut", life.shorten_periods, figures)
    measured("expired", life.expire, figures)
    owner = connect(WORKING)
    with owner, owner.cursor() as cursor:  # thirty days later
        cursor.execute("ALTER TABLE records_record DISABLE TRIGGER USER")
        cursor.execute("UPDATE records_record SET expired_on = expired_on - 31 WHERE state = 6")
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; ALTER TABLE records_record ENABLE TRIGGER USER")
    owner.close()
    measured("disposed", life.dispose, figures)
    measured(
        "again, nothing due",
        lambda: life.begin_use() + life.shorten_periods() + life.expire() + life.dispose(),
        figures,
    )
    print(f"{'what':<20}{'records':>10}{'seconds':>10}{'per second':>12}{'reader median ms':>18}{'longest ms':>12}")
    for what, (count, took, middle, longest) in figures.items():
        print(f"{what:<20}{count:>10}{took:>10.2f}{count / took:>12.0f}{middle * 1000:>18.1f}{longest * 1000:>12.1f}")
    fresh()
    statements(f"DROP DATABASE IF EXISTS {WORKING} WITH (FORCE)", f"DROP DATABASE IF EXISTS {TEMPLATE} WITH (FORCE)")


if __name__ == "__main__":
    main()
