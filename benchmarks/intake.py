"""Intake of csv and xlsx beside a raw COPY of the same rows and beside django-import-export's ordinary way.

What each way does, from the same file:

* **csv, xlsx**: the file is kept sealed; every cell is checked; rows are staged, compared with the file and the
  register, and committed: persons found or made with their numbers sealed, records, and a version of each with the
  content of all columns, its hash, its batch and row, and who did it.
* **again**: the same rows in another file. Everything is read and checked; no record row is written.
* **raw COPY**: the persons, records and versions that csv left behind, already resolved and sealed, into the same
  tables with the same indexes, foreign keys and triggers. Nothing is read, checked, sealed or staged.
* **import-export** (`benchmarks.ordinary`): a ModelResource with skip_unchanged; row by row the identity number and
  the dates are cleaned, the person is found or made with the number sealed, and record and version are saved with the
  same content and lineage. django-auditlog notes every person, record and version. No file is kept, nothing is
  staged, and prohibited text, code sets and duplicates are not looked for. A sample, as it takes too long for all.
* **… with preview**: the same as an admin runs it: a dry run for the preview, then the import. Ours are always with
  their preview: what is new, changed, unchanged or refused is known before anybody commits.

Run: `make bench` (or `python -m benchmarks.intake --rows 100000 --rounds 3`). Every measured import runs in a
process of its own on a fresh copy of one database, so that peak memory is its own and no run helps the next.
Ratios compare medians of one run; absolute figures belong to the machine and the day.
"""

import argparse
import copy
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "creditfujian.settings")
os.environ["DEMO"] = "1"

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connections  # noqa: E402

from creditfujian.dev import owner_sql  # noqa: E402

MAINTENANCE = settings.DATABASES["owner"]["NAME"]
TEMPLATE, WORKING = "cf_bench_template", "cf_bench"
ITEM = "FJ1-03-MRKT-0001"
TABLES = {
    "accounts_person": "id, sid, name, id_cipher, id_index, created_at",
    "records_record": "id, person_id, item_id, provider_id, decider_uscc, doc_no, doc_date, severity, publication, "
    "query_until, state, version, content_hash, created_at",
    "records_recordversion": "record_id, version, deed, item_version_id, batch_id, row_no, name, doc_date, severity, "
    "publication, query_until, content, content_hash, by_id, at",
}


def connect(database: str) -> Any:
    """Connect as the owner."""
    return owner_sql.connect(settings.DATABASES["owner"], database)


def statements(*sql: str) -> None:
    """Run statements that cannot be in a transaction."""
    owner_sql.run(settings.DATABASES["owner"], MAINTENANCE, *sql)


def point_to(database: str) -> None:
    """Let Django use a database."""
    for alias in ("default", "owner"):
        connections[alias].close()
        connections[alias].settings_dict["NAME"] = database


def make_template(*, with_cast: bool = True) -> str:
    """Migrate once and, if wanted, enter the officers and the items; return the supplier's code."""
    statements(
        f"DROP DATABASE IF EXISTS {WORKING} WITH (FORCE)", f"DROP DATABASE IF EXISTS {TEMPLATE} WITH (FORCE)",
        f"CREATE DATABASE {TEMPLATE}",
    )  # fmt: skip
    point_to(TEMPLATE)
    call_command("migrate", database="owner", verbosity=0)
    from creditfujian.tests.cast import make_cast

    uscc = make_cast().market.uscc if with_cast else ""
    connections.close_all()
    return uscc


def fresh() -> None:
    """Copy the template."""
    connections.close_all()
    statements(f"DROP DATABASE IF EXISTS {WORKING} WITH (FORCE)", f"CREATE DATABASE {WORKING} TEMPLATE {TEMPLATE}")


def child(mode: str, *arguments: str) -> dict[str, Any]:
    """Run one import in a process of its own; return its figures."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.intake", "--child", mode, *arguments],
        check=True, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])


def run_intake(path: str) -> dict[str, Any]:
    """Receive, stage, check and commit a file; seconds from the first byte to the commit."""
    from accounts.models import User
    from catalogue.models import Item
    from records import actions
    from records.models import Batch

    with tempfile.TemporaryDirectory() as media:
        settings.MEDIA_ROOT = media
        began = time.perf_counter()
        with Path(path).open("rb") as stream:
            batch, _ = actions.receive(
                stream, name=Path(path).name, item=Item.objects.get(code=ITEM),
                by=User.objects.get(username="data_officer"), channel=Batch.Channel.PAGE,
            )  # fmt: skip
        batch = actions.check_batch(batch.pk)
        checked = time.perf_counter()
        if actions.goes_in(batch):
            batch = actions.commit_now(batch.pk, by=User.objects.get(username="data_reviewer"))
        ended = time.perf_counter()
    counts = {"new": batch.new, "unchanged": batch.unchanged, "refused": batch.refused, "state": batch.state}
    return {"seconds": ended - began, "check": checked - began, "commit": ended - checked, "rows": batch.rows, **counts}


def run_import_export(path: str, count: str) -> dict[str, Any]:
    """Import a sample the ordinary way: a ModelResource, row by row, django-auditlog on. As the owner."""
    import csv

    import tablib
    from auditlog.registry import auditlog

    from accounts.models import Person
    from benchmarks.ordinary import RecordResource
    from records.models import Record, RecordVersion

    connections["default"] = connections["owner"]  # row-level security stops an ordinary import, so: the owner
    auditlog.register(Person, exclude_fields=["id_cipher", "id_index"])  # it cannot note binary fields
    for model in (Record, RecordVersion):
        auditlog.register(model, exclude_fields=["content_hash"])
    with Path(path).open(encoding="utf-8-sig", newline="") as handle:
        reader = csv.reader(handle)
        data = tablib.Dataset(headers=next(reader))
        for row, _ in zip(reader, range(int(count)), strict=False):
            data.append(row)
    with tempfile.TemporaryDirectory() as media:
        settings.MEDIA_ROOT = media
        resource = RecordResource.for_file(path, ITEM)
        sheets = copy.deepcopy(data), data
        began = time.perf_counter()
        resource.import_data(sheets[0], dry_run=True, raise_errors=True, use_transactions=True)
        previewed = time.perf_counter()
        result = resource.import_data(sheets[1], raise_errors=True)
        ended = time.perf_counter()
    versions = RecordVersion.objects.count()
    assert versions == Record.objects.count() == result.total_rows, "the ordinary way did not write every row"
    return {"seconds": ended - previewed, "with_preview": ended - began, "rows": result.total_rows}


def dump_rows(folder: Path) -> None:
    """Write what an intake left in the final tables, for the raw COPY."""
    connection = connect(WORKING)
    with connection.cursor() as cursor:
        for table, columns in {**TABLES, "records_sealedfile": "*", "records_batch": "*"}.items():
            query = f"SELECT {columns} FROM {table}" + (" WHERE id > 2" if table == "accounts_person" else "")
            with (folder / table).open("wb") as out:
                cursor.copy_expert(f"COPY ({query}) TO STDOUT", out)
    connection.close()


def raw_copy(folder: Path) -> float:
    """COPY resolved rows into the same tables with the same indexes and triggers; seconds to the commit."""
    connection = connect(WORKING)
    with connection.cursor() as cursor:
        for table in ("records_sealedfile", "records_batch"):
            with (folder / table).open("rb") as rows:
                cursor.copy_expert(f"COPY {table} FROM STDIN", rows)
        connection.commit()
        began = time.perf_counter()
        for table, columns in TABLES.items():
            with (folder / table).open("rb") as rows:
                cursor.copy_expert(f"COPY {table} ({columns}) FROM STDIN", rows)
        connection.commit()
        seconds = time.perf_counter() - began
    connection.close()
    return seconds


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sample", type=int, default=1000, help="rows for import-export")
    parser.add_argument("--child", nargs="+")
    options = parser.parse_args()
    if options.child:
        return measure_child(*options.child)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = make_files(folder, make_template(), options.rows)
        figures: dict[str, list[dict[str, Any]]] = {}
        for number in range(options.rounds):
            print(f"round {number + 1} of {options.rounds} …", file=sys.stderr, flush=True)
            one_round(figures, files, folder, options.sample)
        report(figures, options.rows)
    statements(f"DROP DATABASE IF EXISTS {WORKING} WITH (FORCE)", f"DROP DATABASE IF EXISTS {TEMPLATE} WITH (FORCE)")


def measure_child(mode: str, *arguments: str) -> None:
    """Run one mode in this process and print its figures."""
    point_to(WORKING)
    run: Callable[..., dict[str, Any]] = {"intake": run_intake, "import_export": run_import_export}[mode]
    figures = run(*arguments)
    figures["mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(figures))


def make_files(folder: Path, uscc: str, rows: int) -> dict[str, Path]:
    """Write the same rows as csv and xlsx, and once more as csv with another digest."""
    from records.intake.samples import write_sample

    files = {"csv": folder / "rows.csv", "xlsx": folder / "rows.xlsx", "again": folder / "again.csv"}
    for kind in ("csv", "xlsx"):
        with files[kind].open("wb") as out:
            write_sample(out, rows, messy=False, kind=kind, seed=1, uscc=uscc)
    files["again"].write_bytes(files["csv"].read_bytes() + b"\r\n")
    for kind, path in files.items():
        print(f"{kind}: {path.stat().st_size / 1e6:.1f} MB", file=sys.stderr)
    return files


def one_round(figures: dict[str, list[dict[str, Any]]], files: dict[str, Path], folder: Path, sample: int) -> None:
    """Run every way once, each on a fresh database (the second delivery on the first's)."""
    fresh()
    figures.setdefault("xlsx", []).append(child("intake", str(files["xlsx"])))
    fresh()
    figures.setdefault("csv", []).append(child("intake", str(files["csv"])))
    dump_rows(folder)
    figures.setdefault("again", []).append(child("intake", str(files["again"])))
    fresh()
    rows = figures["csv"][-1]["rows"]
    figures.setdefault("raw copy", []).append({"seconds": raw_copy(folder), "rows": rows, "mib": float("nan")})
    fresh()
    ordinary = child("import_export", str(files["csv"]), str(sample))
    figures.setdefault("import-export", []).append(ordinary)
    figures.setdefault("… with preview", []).append({**ordinary, "seconds": ordinary["with_preview"]})


def report(figures: dict[str, list[dict[str, Any]]], rows: int) -> None:
    """Print rows/s, ratios and peak memory."""
    speed = {way: statistics.median(f["rows"] / f["seconds"] for f in runs) for way, runs in figures.items()}
    print(f"\n{rows} rows, {len(figures['csv'])} rounds, {platform.machine()}, {os.cpu_count()} cores")
    print(f"{'way':<16}{'rows/s (median)':>16}{'min':>10}{'max':>10}{'peak MiB':>10}")
    for way, runs in figures.items():
        each = [f["rows"] / f["seconds"] for f in runs]
        memory = max(f["mib"] for f in runs)
        print(f"{way:<16}{speed[way]:>16,.0f}{min(each):>10,.0f}{max(each):>10,.0f}{memory:>10,.0f}")
    print("\nratios within this run")
    for name, top, bottom in [
        ("csv against raw COPY", "csv", "raw copy"),
        ("csv against import-export with auditlog", "csv", "import-export"),
        ("the same, both previewed before they commit", "csv", "… with preview"),
        ("xlsx against csv", "xlsx", "csv"),
        ("nothing changed against first intake", "again", "csv"),
    ]:
        print(f"  {name:<42}{speed[top] / speed[bottom]:>8.2f}")
    first = figures["csv"][-1]
    print(f"\ncsv, last round: staged and checked in {first['check']:.1f} s, committed in {first['commit']:.1f} s")


if __name__ == "__main__":
    main()
