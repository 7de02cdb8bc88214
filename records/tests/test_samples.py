"""Every sample in docs/samples has a receipt, and the real intake gives exactly that one.

After a deliberate change: `CF_WRITE_RECEIPTS=1 make test ARGS="records/tests/test_samples.py --no-cov"`, then read the diff.
"""

import io
import json
import os
import unicodedata
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.core.management import call_command

from creditfujian.tests.cast import Cast, make_cast
from records import actions, mappings
from records.intake import samples
from records.intake.base import place
from records.intake.files import open_table
from records.intake.sample_family import FAMILY, OWN_NAMES, USCC
from records.intake.samples import COLUMNS
from records.models import Batch
from records.preview import write_correction
from records.tests.deliveries import problems

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "samples"
JUDGED_ON = datetime(2026, 11, 25, 10, tzinfo=ZoneInfo("Asia/Shanghai"))  # the day that the receipts speak of
MESSY = {"messy.xlsx": 31, "messy.xls": 32, "messy.ods": 33, "messy-gb18030.csv": 34, "messy.tsv": 35}


pytestmark = pytest.mark.own_cast  # entered on that day


@pytest.fixture
def that_day(db: None) -> Any:
    """The cast, on the day of the receipts."""
    with time_machine.travel(JUDGED_ON, tick=False):
        yield make_cast()


def check(cast: Cast, name: str) -> Batch:
    with (FOLDER / name).open("rb") as stream:
        batch, _ = actions.receive(stream, name=name, item=cast.item, by=cast.data_officer, channel=Batch.Channel.PAGE)
    return actions.check_batch(batch.pk)


def answered(cast: Cast, batch: Batch) -> Batch:
    """Say of a sample with headings of its own what they are; the others wait for nothing."""
    if batch.state == Batch.State.MAPPING:
        codes = [*(column.code for column in COLUMNS), ""]
        mappings.save(batch.pk, mappings.look(batch).place, codes, name="导出", by=cast.data_officer)
        batch = actions.check_batch(batch.pk)
    return batch


def receipt(batch: Batch, name: str) -> dict[str, Any]:
    return {
        "file": name, "item": batch.item.code, "judged_on": JUDGED_ON.date().isoformat(), "state": batch.state,
        "failure": batch.failure, "sheet": batch.sheet, "rows": batch.rows, "new": batch.new, "changed": batch.changed,
        "unchanged": batch.unchanged, "refused": batch.refused, "reasons": dict(sorted(batch.reasons.items())),
        "refused_rows": {place(row_no): "、".join(codes) for row_no, codes in problems(batch).items()}, "notes": batch.notes,
    }  # fmt: skip


@pytest.mark.parametrize("name", FAMILY)
def test_each_sample_gets_its_receipt(that_day: Cast, name: str) -> None:
    batch = check(that_day, name)
    told = receipt(batch, name)
    file = FOLDER / f"{name}.receipt.json"
    if os.environ.get("CF_WRITE_RECEIPTS"):
        file.write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n")
    assert told == json.loads(file.read_text())
    assert batch.rows == batch.new + batch.changed + batch.unchanged + batch.refused
    assert len(problems(batch)) == batch.refused


def test_the_sample_with_headings_of_its_own_is_read_once_somebody_says_what_they_are(that_day: Cast) -> None:
    batch = check(that_day, "own-headings.xlsx")
    suggested = [one.suggestion for one in mappings.look(batch).columns]
    assert sum(one == column.code for one, column in zip(suggested, COLUMNS, strict=False)) >= len(COLUMNS) - len(
        OWN_NAMES
    )
    batch = answered(that_day, batch)
    assert (batch.rows, batch.new, batch.refused, batch.reasons) == (10, 9, 1, {"I16": 1})
    assert batch.notes[:2] == ["按已保存的列对应“导出”读取。", "下列列不在目录数据项内，未读取：承办科室。"]


@pytest.mark.parametrize(("name", "seed"), MESSY.items())
def test_the_generator_and_the_intake_agree_on_every_row(that_day: Cast, name: str, seed: int) -> None:
    kind: Any = name.rpartition(".")[2]
    outcomes = samples.write_sample(io.BytesIO(), 45, messy=True, kind=kind, seed=seed, uscc=USCC, flawed=0.45)
    batch = check(that_day, name)
    assert set(problems(batch)) == {outcome.row_no for outcome in outcomes if not outcome.accepted}
    assert {outcome.flaw for outcome in outcomes} == {None, *samples.FLAWS}


@pytest.mark.parametrize("name", FAMILY)
def test_the_correction_workbook_of_each_sample_can_be_sent_back(that_day: Cast, name: str) -> None:
    batch = answered(that_day, check(that_day, name))
    out = io.BytesIO()
    assert write_correction(batch, out) == batch.refused
    back, _ = actions.receive(
        io.BytesIO(out.getvalue()),
        name="更正件.xlsx",
        item=that_day.item,
        by=that_day.data_officer,
        channel=Batch.Channel.PAGE,
    )
    again = actions.check_batch(back.pk)
    assert (again.rows, again.state) == (batch.refused, Batch.State.CHECKED), again.failure
    sources = set(again.staged.values_list("source_row", flat=True))
    assert sources == set(batch.staged.filter(outcome=9).values_list("row_no", flat=True))


def test_the_samples_come_from_their_generator(tmp_path: Path) -> None:
    call_command("write_sample", str(tmp_path), "--family")
    for name in FAMILY:
        made, kept = (open_table(io.BytesIO((folder / name).read_bytes())) for folder in (tmp_path, FOLDER))
        assert list(made.rows()) == list(kept.rows()), name
        assert made.sheets == kept.sheets
    assert {file.name.removesuffix(".receipt.json") for file in FOLDER.glob("*.receipt.json")} == {*FAMILY}


def test_everybody_in_the_samples_is_invented() -> None:
    for name in FAMILY:
        table = open_table(io.BytesIO((FOLDER / name).read_bytes()))
        for sheet in [table, *table.others]:
            texts = [unicodedata.normalize("NFKC", str(cell)) for _, cells in sheet.rows() for cell in cells]
            numbers = [text for text in texts if text.isdigit() and len(text) in (15, 18)]
            assert all(number.startswith("359901") for number in numbers), name


def test_no_sample_is_long() -> None:
    for name in FAMILY:
        assert sum(1 for _ in open_table(io.BytesIO((FOLDER / name).read_bytes())).rows()) <= 60


def test_the_demo_samples_hold_a_thousand_rows_and_the_faults_that_the_journey_counts(that_day: Cast) -> None:
    clean, messy = check(that_day, "penalties-clean.xlsx"), check(that_day, "penalties-messy.xlsx")
    assert (clean.rows, clean.refused) == (1000, 0)
    assert (messy.rows, messy.refused) == (1000, 64)
