"""Lists of records in our admin beside Django's default admin on the same table in the same run.

Run: `make bench ARGS="lists --persons 300000 --records 1000000"`; `--keep` leaves the database for the next run, which
then starts at once with `--reuse`. Each page is asked for through the test client, templates and all, as an officer
(ours) and as the owner of the tables without anybody being asked who they are (the default admin, which reads all
records: row-level security would show it nothing). Both show fifty records. Ours also writes the query log.

Medians of `--rounds` runs; a page that takes longer than `--patience` seconds is stopped and said to be that long,
so that its ratio is a lower bound. Ratios belong together; absolute figures belong to the machine and the day.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

os.environ["DEMO"] = "1"

from django.conf import settings
from django.db import OperationalError, connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext, override_settings

from benchmarks.intake import TEMPLATE, make_template, point_to, statements  # sets Django up

DATABASE = "cf_bench_lists"
LIST, ORDINARY = "/admin/records/record/", "/ordinary/records/record/"
XIAMEN = "350200"
CITIES = ("350100", "350200", "350300", "350400", "350500", "350600", "350700", "350800", "350900")


@dataclass
class Figure:
    """How long one page took each time, with how many queries; `stopped` when patience ended."""

    seconds: list[float]
    queries: int
    stopped: bool = False

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--persons", type=int, default=300_000)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--patience", type=int, default=90, help="seconds before a default page is stopped")
    parser.add_argument("--once-above", type=int, default=20, help="seconds above which a default page is asked once")
    parser.add_argument(
        "--leave-out", nargs="*", default=[], metavar="PAGE", help="pages that the default is not asked for"
    )
    parser.add_argument("--keep", action="store_true", help="leave the database")
    parser.add_argument("--reuse", action="store_true", help="take the database that --keep left")
    options = parser.parse_args()
    if not options.reuse:
        make_register(options.persons, options.records)
    point_to(DATABASE)
    plain = {**settings.STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
    with override_settings(STORAGES=plain, ALLOWED_HOSTS=["testserver"]):
        report(options, measure(options))
    connections.close_all()
    if not options.keep:
        statements(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")


def make_register(persons: int, records: int) -> None:
    """Make a database with the cast, suppliers in nine cities, and so many persons and records."""
    make_template(with_cast=False)
    statements(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)", f"ALTER DATABASE {TEMPLATE} RENAME TO {DATABASE}")
    point_to(DATABASE)
    from accounts.actions import register_organisation
    from accounts.models import Region
    from catalogue.models import Item
    from creditfujian import demo_scale
    from creditfujian.tests.cast import credit_code, granted, make_cast

    cast = make_cast()
    transport = Item.objects.get(code="FJ1-03-TRAN-0001")
    for serial, city in enumerate(CITIES, start=20):
        region = Region.objects.get(pk=city)
        office = register_organisation(
            uscc=credit_code(serial),
            name=f"{region.name}市场监督管理局",
            kind="department",
            region=region,
            parent=cast.market,
        )
        granted(cast, office, cast.item)
        if city == XIAMEN:
            reads_its_own_city(cast, office)
    for item in (transport, Item.objects.get(code="FJ1-03-HRSS-0001")):
        granted(cast, cast.market, item, "query_item")
    demo_scale.load(persons=persons, records=records, rebuild_indexes=True, say=print)


def reads_its_own_city(cast: Any, office: Any) -> None:
    """Let an officer of that office list what lies within its city."""
    from accounts.actions import register_staff
    from accounts.models import Role
    from creditfujian.tests.cast import PASSWORD, granted, with_duty

    granted(cast, office, cast.item, "query_item")
    with_duty(cast.credit_office, cast.credit_office_2, office, "350000-MRKT-02", cast.item.code)
    register_staff(
        username="officer_xiamen", name="经办人", organisation=office, roles=[Role.DECIDER_OFFICER], password=PASSWORD
    )


def measure(options: argparse.Namespace) -> dict[str, tuple[Figure, Figure | None]]:
    """Ask for every page of ours and for its like in the default admin."""
    client, register_again = officer()
    facts = Facts()
    ours = {
        "first page": {}, "page in the middle": {"after": facts.middle}, "page near the end": {"after": facts.late},
        "one item": {"item": facts.item}, "severity 1": {"severity": 1}, "one city's office": {"provider": facts.city},
        "decided in one month": {"decided_from": "2024-03-01", "decided_until": "2024-03-31"},
        "public now": {"public": "on"}, "publication ends within 30 days": {"ends_within": 30},
    }  # fmt: skip
    sought = {
        "search: ID number": ("number", facts.number), "search: document": ("document", facts.document),
        "search: rare name": ("name", facts.rare), "search: middling name": ("name", facts.middling),
        "search: frequent name": ("name", facts.frequent), "search: no such name": ("name", "龘龘"),
    }  # fmt: skip
    like = {
        "first page": {}, "page in the middle": {"p": facts.pages // 2}, "page near the end": {"p": facts.pages - 100},
        "one item": {"item__id__exact": facts.item}, "severity 1": {"severity__exact": 1},
        "search: document": {"q": facts.document}, "search: rare name": {"q": facts.rare},
        "search: middling name": {"q": facts.middling}, "search: frequent name": {"q": facts.frequent},
        "search: no such name": {"q": "龘龘"},
    }  # fmt: skip
    figures: dict[str, tuple[Figure, Figure | None]] = {}
    for name, query in [*ours.items(), *sought.items()]:
        registered = register_again()  # the slow pages of the other side outlast one
        if isinstance(query, tuple):
            posted = client.post(f"{LIST}search/", {"r": registered, "by": query[0], "text": query[1]})
            mine = timed(lambda to=posted.headers["Location"]: client.get(to), options.rounds)  # type: ignore[misc]
        else:
            mine = timed(lambda q={"r": registered, **query}: client.get(LIST, q), options.rounds)  # type: ignore[misc]
        theirs = default_admin(like[name], options) if name in like and name not in options.leave_out else None
        figures[name] = mine, theirs
        show(name, mine, theirs)
    client, register_again = officer("officer_xiamen", "FJ1-03-MRKT-0001")
    registered = register_again()
    for name in ("first page", "severity 1", "decided in one month", "publication ends within 30 days"):
        mine = timed(lambda q=ours[name]: client.get(LIST, {"r": registered, **q}), options.rounds)  # type: ignore[misc]
        figures[f"a city's officer: {name}"] = mine, None
        show(f"a city's: {name}", mine, None)
    figures["a person's file"] = file_of(facts.person, options.rounds), None
    show("a person's file", *figures["a person's file"])
    return figures


def officer(username: str = "officer_here", *codes: str) -> tuple[Client, Callable[[], int]]:
    """Return an officer's browser and what registers a list of three items for them, or of those."""
    from accounts.models import User
    from catalogue.models import Item
    from creditfujian.tests.cast import browser_of
    from records.listing import register
    from records.tests.listings import asks, wish

    user = User.objects.get(username=username)
    items = list(Item.objects.filter(code__in=codes or ["FJ1-03-MRKT-0001", "FJ1-03-TRAN-0001", "FJ1-03-HRSS-0001"]))

    class Here:
        item = items[0]

    return browser_of(user), lambda: register(wish(Here, items=items), by=asks(user)).pk  # type: ignore[arg-type, union-attr]


class Facts:
    """What to ask for: read from the register beforehand, as its owner."""

    def __init__(self) -> None:
        from accounts.models import Person
        from catalogue.models import Item

        self.item = Item.objects.get(code="FJ1-03-MRKT-0001").pk
        with connections["owner"].cursor() as cursor:

            def one(sql: str) -> Any:
                cursor.execute(sql)
                return cursor.fetchone()

            total = one("SELECT reltuples::bigint FROM pg_class WHERE relname = 'records_record'")[0]
            self.pages = int(total) // 50
            live = (
                f"FROM records_record WHERE query_until > current_date + 2 AND item_id = {self.item} ORDER BY doc_date"
            )
            self.middle = one(f"SELECT id {live} DESC OFFSET {total // 5} LIMIT 1")[0]
            self.late = one(f"SELECT id {live} OFFSET 500 LIMIT 1")[0]
            self.city = one("SELECT id FROM accounts_organisation WHERE name LIKE '厦门市市场%'")[0]
            person, self.document = one(f"SELECT person_id, doc_no {live} DESC OFFSET 5000 LIMIT 1")
            names = "SELECT right(name, 2), count(*) FROM accounts_person WHERE char_length(name) = 3 GROUP BY 1"
            self.rare, self.rare_persons = one(f"{names} ORDER BY 2 LIMIT 1")
            self.middling, self.middling_persons = one(f"{names} ORDER BY 2 DESC LIMIT 1")
            self.frequent, self.frequent_persons = one(
                "SELECT left(name, 2), count(*) FROM accounts_person GROUP BY 1 ORDER BY 2 DESC LIMIT 1"
            )
        self.person = Person.objects.opened(person)
        self.number = self.person.id_number()
        print(f"names: {self.rare} {self.rare_persons:,}, {self.middling} {self.middling_persons:,}, "
              f"{self.frequent} {self.frequent_persons:,} persons")  # fmt: skip


def timed(ask: Callable[[], Any], rounds: int) -> Figure:
    """Ask once to warm up, then so many times; count the queries of one more."""
    ask()
    seconds = []
    for _ in range(rounds):
        began = time.perf_counter()
        answer = ask()
        seconds.append(time.perf_counter() - began)
        assert answer.status_code == 200, answer.status_code
    with CaptureQueriesContext(connection) as captured:
        ask()
    return Figure(seconds, len(captured))


def file_of(person: Any, rounds: int) -> Figure:
    """Time the person's own file, as the person reads it."""
    from types import SimpleNamespace

    from access.actions import Asker
    from accounts.models import User
    from records.reading import own_file

    user, _ = User.objects.get_or_create(
        username=f"measured_{person.pk}", defaults={"kind": "citizen", "person": person, "name": "测"}
    )

    def ask() -> Any:
        own_file(person, by=Asker(user, "公示网站"))
        return SimpleNamespace(status_code=200)

    return timed(ask, rounds)


@contextmanager
def as_owner(patience: int) -> Iterator[None]:
    """Let Django read as the owner of the tables, stopped after so many seconds."""
    application = connections["default"]
    owner = connections["owner"]
    with owner.cursor() as cursor:
        cursor.execute("SET statement_timeout = %s", [patience * 1000])
    connections["default"] = owner
    try:
        yield
    finally:
        connections["default"] = application


def default_admin(query: dict[str, Any], options: argparse.Namespace) -> Figure:
    """Time a page of the default admin: once when it is slow, as often as ours otherwise."""
    client, seconds = Client(), []
    with override_settings(ROOT_URLCONF="benchmarks.ordinary_admin"), as_owner(options.patience):
        for _ in range(min(options.rounds, 3)):
            began = time.perf_counter()
            try:
                with CaptureQueriesContext(connection) as captured:
                    answer = client.get(ORDINARY, query)
            except OperationalError:
                return Figure([time.perf_counter() - began], len(captured), stopped=True)
            seconds.append(time.perf_counter() - began)
            assert answer.status_code == 200, answer.status_code
            if seconds[-1] > options.once_above:
                break
    return Figure(seconds, len(captured))


def show(name: str, mine: Figure, theirs: Figure | None) -> None:
    """Print one line as soon as it is known."""
    line = f"{name:<34}{mine.median * 1000:>10.0f}{mine.queries:>9}"
    if theirs is not None:
        more = ">" if theirs.stopped else ""
        took, ratio = f"{more}{theirs.median * 1000:,.0f}", f"{more}{theirs.median / mine.median:.0f}"
        line += f"{took:>16}{theirs.queries:>9}{ratio:>9}"
    print(line, flush=True)


def report(options: argparse.Namespace, figures: dict[str, tuple[Figure, Figure | None]]) -> None:
    """Print how many queries ours takes at most, and the smallest ratio of the pages that both have."""
    slowest = max(mine.median for mine, _ in figures.values())
    ratios = [theirs.median / mine.median for mine, theirs in figures.values() if theirs is not None]
    print(f"\n{options.persons:,} persons, {options.records:,} records, {options.rounds} rounds")
    print(f"columns: ours ms, queries, default admin ms, queries, ratio. slowest of ours {slowest * 1000:.0f} ms, "
          f"smallest ratio {min(ratios):.1f}")  # fmt: skip


if __name__ == "__main__":
    main()
