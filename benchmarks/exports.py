"""Exports of very many persons: how long, and how much memory the worker needs.

Run: `make bench ARGS="exports --persons 100000"`. The register is made by `demo_scale` (two records a person); each
export runs in a process of its own, as the worker does it: counted, reviewed by a second officer, read in chunks with a
query line for each person, written and sealed. Peak memory is that
process's (VmHWM: what it inherited by a fork does not count, so Linux only); the first line, of one day's records, says
what a process that writes next to nothing needs. `EXPORT_ROWS` is raised for the run.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from django.db import connections

from benchmarks.lists import DATABASE, make_register, point_to, statements  # sets Django up


def main() -> None:
    """Make the register, run each export in its own process, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--persons", type=int, default=100_000)
    parser.add_argument("--child", nargs=2, metavar=("FORMAT", "DAYS"))
    options = parser.parse_args()
    if options.child:
        print(json.dumps(export(options.child[0], int(options.child[1]))))
        return
    make_register(options.persons, 2 * options.persons)
    print(f"\n{'export':<22}{'persons':>9}{'rows':>9}{'seconds':>9}{'rows/s':>8}{'peak MiB':>10}{'file MiB':>10}")
    for name, form, days in (("csv, a week", "csv", 7), ("csv", "csv", 0), ("xlsx", "xlsx", 0)):
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.exports", "--child", form, str(days)],
            check=True, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        one = json.loads(done.stdout.splitlines()[-1])
        print(f"{name:<22}{one['persons']:>9}{one['rows']:>9}{one['seconds']:>9.1f}{one['rows'] / one['seconds']:>8.0f}"
              f"{one['peak']:>10.0f}{one['size']:>10.1f}", flush=True)  # fmt: skip
    connections.close_all()
    statements(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")


def export(form: str, days: int) -> dict[str, float]:
    """Ask for an export of everything that the officer may query, or of the last days; review it, run it."""
    from datetime import timedelta

    from django.conf import settings
    from django.utils import timezone

    from access.actions import Asker
    from access.models import Purpose
    from accounts.models import User
    from catalogue.models import Item
    from records import exports
    from records.export_models import Export

    point_to(DATABASE)
    settings.EXPORT_ROWS = 100_000_000
    officer, head = (User.objects.get(username=name) for name in ("officer_here", "head"))
    codes = ["FJ1-03-MRKT-0001", "FJ1-03-TRAN-0001", "FJ1-03-HRSS-0001"]
    wish = exports.Filters(
        items=list(Item.objects.filter(code__in=codes)), purpose=Purpose.SUPERVISION, purpose_text="测速",
        duty_code="350000-MRKT-02", case_no="测速〔2026〕1号", own_only=False, format=Export.Format(form),
        decided_from=timezone.localdate() - timedelta(days=days) if days else None,
    )  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="cf-bench-") as media:
        settings.MEDIA_ROOT = media
        asked = exports.request(wish, by=Asker(officer, "测速"))
        assert isinstance(asked, Export), asked
        began = time.perf_counter()
        counted = exports.run(asked.pk)
        if counted.state == Export.State.AWAITING:
            exports.approve(asked.pk, by=head)
        done = exports.run(asked.pk)
        took = time.perf_counter() - began
        assert done.state == Export.State.READY, done.failure
        assert done.file is not None
        status = Path("/proc/self/status").read_text().splitlines()
        peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024
        return {"persons": done.persons or 0, "rows": done.rows, "seconds": took, "peak": peak,
                "size": done.file.size / (1 << 20)}  # fmt: skip


if __name__ == "__main__":
    main()
