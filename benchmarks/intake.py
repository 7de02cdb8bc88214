"""Intake of csv and xlsx beside a raw COPY of the same rows and beside django-import-export's ordinary way.

What each way does, from the same file:

* **csv, csv in parts, xlsx**: each file is kept sealed; every cell is checked; rows are staged, compared with the file and the
  register, and committed: persons found or made with their numbers sealed, records, and a version of each with the
  content of all columns, its hash, its batch and row, and who did it. csv is one file, xlsx as many workbooks as
  `--workbook-rows` makes of the rows (a sheet ends at row 1,048,576), one batch each; csv in parts is the same rows in as
  many files and batches, which tells what the format costs from what more batches cost.
* **again**: the same rows in the same order in another file (one more line end). Every row is read and known by its print, as
  none of the rules has changed; no record row is written.
* **again, 1 % changed**: the same once more with a word added to every hundredth row, which is converted, checked and committed.
* **raw COPY, keys per row**: the persons, records and versions that csv left behind, already resolved and sealed, into
  tables like ours with the same indexes, constraints and the ordinary foreign keys of a Django project. Nothing is
  read, checked, sealed or staged. This is the limit that the target names: same rows, same indexes, same keys.
* **raw COPY, our tables**: the same rows into our own tables, whose keys are checked per statement (0008) and whose
  triggers ask whether the catalogue allows each row. Faster than the ordinary keys, so a harder limit.
* **import-export** (`benchmarks.ordinary`): a ModelResource with skip_unchanged; row by row the identity number and
  the dates are cleaned, the person is found or made with the number sealed, and record and version are saved with the
  same content and lineage. django-auditlog notes every person, record and version. No file is kept, nothing is
  staged, and prohibited text, code sets and duplicates are not looked for. A sample, as it takes too long for all.
* **… with preview**: the same as an admin runs it: a dry run for the preview, then the import. Ours are always with
  their preview: what is new, changed, unchanged or refused is known before anybody commits.

Run: `make bench ARGS="--rows 1200000 --rounds 1"`. Every measured import runs in a
process of its own on a fresh copy of one database, so that peak memory is its own (the second process that helps
with reading is added to it) and no run helps the next. `--sample 0` leaves import-export out.
Ratios compare medians of one run; absolute figures belong to the machine and the day.
"""

import argparse
import copy
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
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
    "query_until, state, version, content_hash, row_print, created_at",
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
    """Copy the template; nothing that an earlier way wrote is still on its way to the disk."""
    connections.close_all()
    os.sync()
    statements(f"DROP DATABASE IF EXISTS {WORKING} WITH (FORCE)", f"CREATE DATABASE {WORKING} TEMPLATE {TEMPLATE}")


def child(mode: str, *arguments: str) -> dict[str, Any]:
    """Run one import in a process of its own; return its figures."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.intake", "--child", mode, *arguments],
        check=True, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])


PHASES = ("keep", "stage", "check", "commit")
COUNTS = ("rows", "new", "changed", "unchanged", "refused")


def run_intake(*paths: str) -> dict[str, Any]:
    """Receive, stage, check and commit files one after the other; seconds from the first byte to the last commit."""
    figures: dict[str, Any] = dict.fromkeys(("seconds", *PHASES, *COUNTS), 0)
    for path in paths:
        for name, value in intake_of_one(Path(path)).items():
            figures[name] += value
    return figures


def intake_of_one(path: Path) -> dict[str, Any]:
    """Take in one file; seconds by phase and what became of the rows."""
    from accounts.models import User
    from catalogue.models import Item
    from records import actions
    from records.intake import stage
    from records.models import Batch

    seconds = dict.fromkeys(("seconds", *PHASES), 0.0)
    staging = stage.stage

    def timed(batch: Batch) -> Any:
        began = time.perf_counter()
        try:
            return staging(batch)
        finally:
            seconds["stage"] = time.perf_counter() - began

    with tempfile.TemporaryDirectory() as media:
        settings.MEDIA_ROOT = media
        stage.stage = timed
        began = time.perf_counter()
        with path.open("rb") as stream:
            batch, _ = actions.receive(
                stream, name=path.name, item=Item.objects.get(code=ITEM),
                by=User.objects.get(username="data_officer"), channel=Batch.Channel.COMMAND,
            )  # fmt: skip
        kept = time.perf_counter()
        batch = actions.check_batch(batch.pk)
        checked = time.perf_counter()
        if batch.goes_in:
            batch = actions.commit_now(batch.pk, by=User.objects.get(username="data_reviewer"))
        ended = time.perf_counter()
        stage.stage = staging
    assert batch.state in (Batch.State.COMMITTED, Batch.State.CHECKED), batch.failure
    seconds |= {"seconds": ended - began, "keep": kept - began, "commit": ended - checked}
    seconds["check"] = checked - kept - seconds["stage"]
    return {**seconds, **{name: getattr(batch, name) for name in COUNTS}}


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


ORDINARY_KEYS = {
    "bench_record": {
        "person_id": "accounts_person", "item_id": "catalogue_item", "provider_id": "accounts_organisation",
    },
    "bench_recordversion": {
        "record_id": "bench_record", "item_version_id": "catalogue_itemversion", "batch_id": "records_batch",
        "by_id": "accounts_user",
    },
}  # fmt: skip


def ordinary_tables(cursor: Any) -> dict[str, str]:
    """Make tables like ours with ordinary foreign keys; return which table stands for which."""
    for table, keys in ORDINARY_KEYS.items():
        cursor.execute(f"CREATE TABLE {table} (LIKE {table.replace('bench', 'records')} INCLUDING ALL)")
        for column, target in keys.items():
            cursor.execute(
                f"ALTER TABLE {table} ADD FOREIGN KEY ({column}) REFERENCES {target} (id) DEFERRABLE INITIALLY DEFERRED"
            )
    return {table.replace("bench", "records"): table for table in ORDINARY_KEYS}


def raw_copy(folder: Path, *, ordinary: bool) -> float:
    """COPY resolved rows into the final tables, or into ordinary ones like them; seconds to the commit."""
    connection = connect(WORKING)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE records_batch DISABLE TRIGGER batch_begins_received")  # this one comes committed
        for table in ("records_sealedfile", "records_batch"):
            with (folder / table).open("rb") as rows:
                cursor.copy_expert(f"COPY {table} FROM STDIN", rows)
        connection.commit()
        cursor.execute("ALTER TABLE records_batch ENABLE TRIGGER batch_begins_received")
        stands_for = ordinary_tables(cursor) if ordinary else {}
        connection.commit()
        began = time.perf_counter()
        for table, columns in TABLES.items():
            with (folder / table).open("rb") as rows:
                cursor.copy_expert(f"COPY {stands_for.get(table, table)} ({columns}) FROM STDIN", rows)
        connection.commit()
        seconds = time.perf_counter() - began
    connection.close()
    return seconds


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sample", type=int, default=1000, help="rows for import-export; 0 leaves it out")
    parser.add_argument("--workbook-rows", type=int, default=300_000, help="rows of a workbook, 1,000,000 at most")
    parser.add_argument("--only-csv", action="store_true", help="csv and the raw COPYs alone")
    parser.add_argument("--child", nargs="+")
    options = parser.parse_args()
    if options.child:
        return measure_child(*options.child)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = make_files(folder, make_template(), options.rows, options.workbook_rows)
        figures: dict[str, list[dict[str, Any]]] = {}
        for number in range(options.rounds):
            print(f"round {number + 1} of {options.rounds} …", file=sys.stderr, flush=True)
            one_round(figures, files, folder, options)
        report(figures, options.rows)
    statements(f"DROP DATABASE IF EXISTS {WORKING} WITH (FORCE)", f"DROP DATABASE IF EXISTS {TEMPLATE} WITH (FORCE)")


def measure_child(mode: str, *arguments: str) -> None:
    """Run one mode in this process and print its figures, processor seconds of it and its helper among them."""
    point_to(WORKING)
    run: Callable[..., dict[str, Any]] = {"intake": run_intake, "import_export": run_import_export}[mode]
    figures = run(*arguments)
    both = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    figures["cpu"] = sum(usage.ru_utime + usage.ru_stime for usage in both)
    figures["mib"] = sum(usage.ru_maxrss for usage in both) / 1024
    print(json.dumps(figures))


Files = dict[str, list[Path]]


def make_files(folder: Path, uscc: str, rows: int, workbook_rows: int) -> Files:
    """Write the same rows as one csv and some workbooks, and as csv once more with another digest and once with changes."""
    began = time.perf_counter()
    sizes = [min(workbook_rows, rows - start) for start in range(0, rows, workbook_rows)]
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        parts = list(pool.map(make_part, [folder] * len(sizes), range(1, len(sizes) + 1), sizes, [uscc] * len(sizes)))
    whole = folder / "rows.csv"
    with whole.open("wb") as out:
        for number, (part, _) in enumerate(parts):
            with part.open("rb") as source:
                if number:
                    source.readline()  # the header
                shutil.copyfileobj(source, out, 1 << 20)
    again = folder / "again.csv"
    shutil.copyfile(whole, again)
    with again.open("ab") as out:
        out.write(b"\r\n")
    changed = folder / "changed.csv"
    with whole.open("rb") as source, changed.open("wb") as out:
        for number, line in enumerate(source):
            out.write(line if number % 100 or not number else line.rstrip(b"\r\n") + "补正\r\n".encode())
    files = {
        "csv": [whole], "csv in parts": [part for part, _ in parts], "xlsx": [book for _, book in parts],
        "again": [again], "again, 1 % changed": [changed],
    }  # fmt: skip
    for kind, paths in files.items():
        size = sum(path.stat().st_size for path in paths)
        print(f"{kind}: {size / 1e6:.1f} MB in {len(paths)} file(s)", file=sys.stderr)
    print(f"made in {time.perf_counter() - began:.0f} s", file=sys.stderr)
    return files


def make_part(folder: Path, seed: int, rows: int, uscc: str) -> tuple[Path, Path]:
    """Write a part of the rows as csv and as a workbook; no two seeds share a person."""
    from records.intake.samples import write_sample

    paths = folder / f"part{seed}.csv", folder / f"part{seed}.xlsx"
    for path, kind in zip(paths, ("csv", "xlsx"), strict=True):
        with path.open("wb") as out:
            write_sample(out, rows, messy=False, kind=kind, seed=seed, uscc=uscc)
    return paths


def one_round(
    figures: dict[str, list[dict[str, Any]]], files: Files, folder: Path, options: argparse.Namespace
) -> None:
    """Run every way once, each on a fresh database (the second delivery on the first's)."""
    only = options.only_csv

    def note(way: str, measured: dict[str, Any]) -> None:
        figures.setdefault(way, []).append(measured)
        said = ", ".join(
            f"{name} {measured[name]:.1f}" for name in ("seconds", *PHASES, "cpu", "mib") if name in measured
        )
        print(f"  {way}: {said}", file=sys.stderr, flush=True)

    for way in () if only else ("xlsx", "csv in parts"):
        if way == "xlsx" or len(files[way]) > 1:
            fresh()
            note(way, child("intake", *map(str, files[way])))
    fresh()
    note("csv", child("intake", *map(str, files["csv"])))
    dump_rows(folder)
    for way in () if only else ("again", "again, 1 % changed"):
        note(way, child("intake", *map(str, files[way])))
    for way, ordinary in (("raw, keys per row", True), ("raw, our tables", False)):
        fresh()
        rows = figures["csv"][-1]["rows"]
        note(way, {"seconds": raw_copy(folder, ordinary=ordinary), "rows": rows, "mib": float("nan")})
    if options.sample and not only:
        fresh()
        measured = child("import_export", str(files["csv"][0]), str(options.sample))
        note("import-export", measured)
        note("… with preview", {**measured, "seconds": measured["with_preview"]})


RATIOS = [
    ("csv against raw COPY with keys per row", "csv", "raw, keys per row"),
    ("csv against raw COPY into our tables", "csv", "raw, our tables"),
    ("csv against import-export with auditlog", "csv", "import-export"),
    ("the same, both previewed before they commit", "csv", "… with preview"),
    ("xlsx against csv", "xlsx", "csv"),
    ("xlsx against csv in as many batches", "xlsx", "csv in parts"),
    ("nothing changed against first intake", "again", "csv"),
    ("1 % changed against first intake", "again, 1 % changed", "csv"),
]


def report(figures: dict[str, list[dict[str, Any]]], rows: int) -> None:
    """Print rows/s, ratios, peak memory and the seconds of each phase."""
    speed = {way: statistics.median(f["rows"] / f["seconds"] for f in runs) for way, runs in figures.items()}
    load = ", ".join(f"{part:.1f}" for part in os.getloadavg())
    print(f"\n{rows} rows, {len(figures['csv'])} rounds, {platform.machine()}, {os.cpu_count()} cores, load {load}")
    print(f"{'way':<20}{'rows/s (median)':>16}{'min':>10}{'max':>10}{'peak MiB':>10}")
    for way, runs in figures.items():
        each = [f["rows"] / f["seconds"] for f in runs]
        memory = max(f["mib"] for f in runs)
        print(f"{way:<20}{speed[way]:>16,.0f}{min(each):>10,.0f}{max(each):>10,.0f}{memory:>10,.0f}")
    print("\nratios of medians within this run")
    for name, top, bottom in RATIOS:
        if top in speed and bottom in speed:
            print(f"  {name:<46}{speed[top] / speed[bottom]:>8.2f}")
    print(f"\n{'seconds (median)':<20}" + "".join(f"{phase:>10}" for phase in PHASES))
    for way in ("xlsx", "csv in parts", "csv", "again", "again, 1 % changed"):
        if way not in figures:
            continue
        middle = (statistics.median(f[phase] for f in figures[way]) for phase in PHASES)
        print(f"{way:<20}" + "".join(f"{seconds:>10.1f}" for seconds in middle))


if __name__ == "__main__":
    main()
