"""A file read by the block becomes what its rows become one by one."""

import io
import random
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalogue.models import ItemVersion
from creditfujian.lib import identity
from creditfujian.lib.text import normalise_name
from creditfujian.tests.cast import Cast
from records import actions
from records.intake import cells, columns, files, header, lines, samples, stage
from records.intake.base import Boolean, ErrorCell, Formula, Number
from records.intake.schema import Schema
from records.models import Batch, BatchRow, Record, RecordVersion
from records.tests.deliveries import as_csv, check, deliver, penalty

NASTY = [
    None, "", " ", "a\\b", "a\tb", "行\n行", "陈\u200b小满", "=1+1", "＝x", "长期", "2099-12-31", "2026-13-01", "20261120",
    "２０２６年１月２日", "44197", "2010-01-01", "2040-01-01", "公示", "公开", "0", "严重", "轻微", "罚款", "行政拘留", "罚款；警告",
    "/", "x" * 300, "长" * 5000, "\ufffd", "\ue000", "\x07", "13900000000", "6222021234567890123", "359901199001010011",
    "患有糖尿病", "11350000MB0000001W", "１１３５００００ＭＢ０００００１Ｗ", "1,234.5", "-1", "3.59901E+17", "阿依古丽•买买提",
    "John  Smith", "陈 小满", "𠮷田明", "（2026）1号", "ﬁ", "\u2028", "e\u0301", "1", Number("1"), Number("20261120"), Formula("1"),
    Formula("罚款", "A1"), ErrorCell("#N/A"), Boolean("TRUE"), date(2026, 3, 1), date(2040, 1, 1),
]  # fmt: skip


@pytest.fixture
def rules(cast: Cast) -> Schema:
    return Schema(cast.item, cast.market)


def sample(kind: str, seed: int) -> tuple[header.Header, list[tuple[int, list[Any]]]]:
    out = io.BytesIO()
    samples.write_sample(out, 300, messy=True, kind=kind, seed=seed)
    table = files.open_table(out)
    head = header.find_header(table, samples.COLUMNS)
    return head, list(stage.data_rows(table, head))


def staged(rules: Schema, head: header.Header, rows: list[tuple[int, list[Any]]], size: int) -> list[list[str]]:
    """The columns of the staging lines, read in blocks of a size; the sealed number, never the same, left out."""
    read, sealer = rules.reader(head.columns, head.source_index), lines.Sealer()
    made = ""
    for start in range(0, len(rows), size):
        row_nos, block = zip(*rows[start : start + size], strict=True)
        made += sealer.lines(1, row_nos, read(list(block)))
    names = lines.COLUMNS.split(", ")
    split = [line.split("\t") for line in made.split("\n") if line]
    assert {len(line) for line in split} == {len(names)}
    cipher = names.index("id_cipher")
    return [line[:cipher] + line[cipher + 1 :] for line in split]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_blocks_of_any_size_become_the_same_lines(rules: Schema, kind: str) -> None:
    head, rows = sample(kind, seed=3)
    one_by_one = staged(rules, head, rows, 1)
    assert {line[2] for line in one_by_one} == {"1", "9"}
    for size in (2, 7, 50, 1000):
        assert staged(rules, head, rows, size) == one_by_one


@given(st.randoms(use_true_random=False), st.sampled_from(["csv", "xlsx"]))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nasty_cells_become_the_same_in_company_as_alone(rules: Schema, chance: random.Random, kind: str) -> None:
    head, rows = sample(kind, seed=5)
    for _, row in rows:
        if row and chance.random() < 0.3:
            row[chance.randrange(len(row))] = chance.choice(NASTY)
    assert staged(rules, head, rows, 64) == staged(rules, head, rows, 1)


def test_reading_blocks_asks_the_database_nothing(rules: Schema, django_assert_num_queries: Any) -> None:
    head, rows = sample("csv", seed=3)
    with django_assert_num_queries(0):
        staged(rules, head, rows, 100)


def test_a_formula_that_shows_a_known_text_is_still_a_formula(rules: Schema) -> None:
    column = columns.column_of(rules.by_code["CF_YJ"], columns.Context(rules.today, True, rules.door))
    assert column.take(["第一条"])[1] == []
    taken, wrong = column.take(["第一条", Formula("第一条", "A1")])
    assert (wrong, taken[1].problem[1]) == ([1], "C03")


@given(st.lists(st.text("陈小满·• \u200bAＡ=", min_size=0, max_size=4), min_size=1, max_size=4))
def test_names_and_numbers_called_plain_are_what_normalising_makes_of_them(names: list[str]) -> None:
    if columns._HANZI.fullmatch("".join(names)):
        for name in filter(None, names):
            assert normalise_name(name) == name == cells.to_text(name, is_name=True)


@given(st.from_regex(r"[1-9][0-9０-９]{16}[0-9XxＸ]|.{18}", fullmatch=True))
def test_a_shaped_number_is_a_normalised_one(text: str) -> None:
    if identity.is_shaped(text):
        assert identity.normalise(text) == text == cells.to_code_text(text, id_number=True)


def test_versions_of_the_item_are_looked_up_by_the_documents_day(rules: Schema) -> None:
    [version] = rules.versions
    assert isinstance(version, ItemVersion)
    assert rules._version_on(date(2026, 11, 1)) == version
    assert rules._version_on(date(1999, 1, 1)) is None


# What the check leaves alone, and the commit


def test_a_delivery_that_changes_nothing_writes_no_row_of_any_kind(cast: Cast) -> None:
    deliver(cast, [penalty(cast)])
    before = (Record.objects.count(), RecordVersion.objects.count())
    batch = check(cast, as_csv([penalty(cast)]) + b"\r\n")
    assert (batch.new, batch.changed, batch.unchanged) == (0, 0, 1)
    assert list(BatchRow.objects.filter(batch=batch).values_list("outcome", "record_id")) == [(3, None)]
    assert (Record.objects.count(), RecordVersion.objects.count()) == before
    assert not batch.goes_in


def test_unchanged_rows_beside_a_new_one_stay_out_of_the_commit(cast: Cast) -> None:
    deliver(cast, [penalty(cast)])
    batch = check(cast, as_csv([penalty(cast), penalty(cast, 行政处罚决定书文号="闽市监处罚〔2026〕9号")]))
    assert (batch.new, batch.unchanged) == (1, 1)
    batch = actions.commit_now(batch.pk, by=cast.data_reviewer)
    assert (batch.state, batch.new, batch.changed, batch.unchanged) == (Batch.State.COMMITTED, 1, 0, 1)
    outcomes = BatchRow.objects.filter(batch=batch).order_by("row_no").values_list("outcome", flat=True)
    assert list(outcomes) == [BatchRow.Outcome.UNCHANGED, BatchRow.Outcome.NEW]
