"""A row known by its print becomes exactly what it would become if it were read in full, whatever has happened since."""

import io
import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from catalogue.models import Field, ProhibitedCategory
from catalogue.rules import add_months
from creditfujian.lib import identity
from creditfujian.lib.crypto import Keyring
from creditfujian.tests.cast import Cast
from records import actions, persons, preview
from records.intake import files, prints, stage
from records.intake.base import Boolean, ErrorCell, Formula, Number
from records.intake.header import SOURCE_LABEL
from records.intake.packing import packing_of
from records.intake.schema import Schema
from records.life_models import RecordAct
from records.models import Batch, ReturnedRow
from records.person_models import PersonCase
from records.tests.crafting import crafted, text_row
from records.tests.deliveries import HEADER, as_csv, check, decided, deliver, penalty, problems
from records.tests.life import asker, at, done, opened_and_decided, owner_sql
from records.tests.persons import CERTIFICATE, POLICE, agreed, settled
from records.tests.test_acts import correction
from records.tests.test_killed_worker import in_a_worker

Row = dict[str, str]
Kind = RecordAct.Kind
ID, NAME, DOC, FINE, TEXT = "证件号码", "行政相对人名称", "行政处罚决定书文号", "罚款金额（万元）", "违法事实"
NAMES = ("林立春", "陈雨水", "黄惊蛰", "郑春分")
WHO = (0, 0, 1, 2, 3, 3)  # whose each row is
SERIES = itertools.count()
pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "owner"])


@dataclass(frozen=True)
class World:
    """Six rows about four persons, delivered and committed; no other world knows them."""

    cast: Cast
    series: int
    numbers: list[str]
    rows: list[Row]
    first: Batch

    def record(self, row: int) -> str:
        """The number of the record that a row made."""
        return owner_sql(
            "SELECT records_number(id, created_at) FROM records_record WHERE doc_no = %s", self.rows[row][DOC]
        )[0][0]

    def call(self, who: int) -> dict[str, str]:
        return {"id_number": self.numbers[who], "name": NAMES[who]}


def world_of(cast: Cast) -> World:
    series = next(SERIES)
    numbers = [identity.invent(decided(365 * 40) - timedelta(days=series), n + 1) for n in range(len(NAMES))]
    text = f"当事人在作坊生产腌制品（{word_of(series)}），菌落总数超过标准限量。"
    rows = [
        penalty(cast, **{ID: numbers[who], NAME: NAMES[who], DOC: f"闽市监处罚〔2026〕{series}-{n}号", TEXT: text})
        for n, who in enumerate(WHO)
    ]
    return World(cast, series, numbers, rows, deliver(cast, rows))


WORD = re.compile(r"第\d+批坛")


def word_of(series: int) -> str:
    """A word of that world's rows alone: prohibited words are only ever added to."""
    return f"第{series}批坛"


# What happens to the register or to the catalogue in between


def corrected(world: World) -> None:
    act, wrong = correction(world.cast, world.record(0), **{FINE: "5.5"})
    assert wrong == {}
    opened_and_decided(world.cast, act)


def withdrawn(world: World) -> None:
    done(world.cast, Kind.WITHDRAW, world.record(1))


def cancelled(world: World) -> None:
    done(world.cast, Kind.CANCEL, world.record(1))


def withdrawn_and_restored(world: World) -> None:
    done(world.cast, Kind.WITHDRAW, world.record(1))
    done(world.cast, Kind.RESTORE, world.record(1))


def all_withdrawn(world: World) -> None:
    actions.withdraw(world.first.pk, by=world.cast.data_officer, reason="错报")


def changed(world: World) -> Batch:
    return deliver(world.cast, [world.rows[2] | {FINE: "9"}, world.rows[5] | {FINE: "9"}])


def changed_and_back(world: World) -> None:
    actions.withdraw(changed(world).pk, by=world.cast.data_officer, reason="错报")


def merged(world: World) -> None:
    other = world.call(1)
    case = persons.ask_merge(
        **world.call(0), other_number=other["id_number"], other_name=other["name"], reason="公安机关证明为同一人", **POLICE,
        by=asker(world.cast.credit_office),
    )  # fmt: skip
    agreed(world.cast, case)


def moved(world: World) -> None:
    other = world.call(2)
    case = persons.ask_move(
        numbers=[world.record(0)], **world.call(0), other_number=other["id_number"], other_name=other["name"],
        reason="录入有误", **POLICE, by=asker(world.cast.credit_office),
    )  # fmt: skip
    agreed(world.cast, case)


def renamed(world: World) -> None:
    check(world.cast, as_csv([world.rows[4] | {NAME: "郑清明", DOC: world.rows[4][DOC] + "之二"}]))
    settled(world.cast, PersonCase.objects.latest("pk"), name="郑清明")


def misnamed(world: World) -> None:
    check(world.cast, as_csv([world.rows[4] | {NAME: "郑清明", DOC: world.rows[4][DOC] + "之三"}]))
    settled(world.cast, PersonCase.objects.latest("pk"), PersonCase.Answer.WRONG, name="郑清明")


def dead(world: World) -> None:
    paper = CERTIFICATE | {"document_date": timezone.localdate()}
    day = decided(50)  # before the documents were made
    case = persons.ask_death(
        **world.call(3), day=day, reason="家属持死亡证明办理", **paper, by=asker(world.cast.credit_office)
    )  # type: ignore[arg-type]
    agreed(world.cast, case)


def word_prohibited(world: World) -> None:
    category = ProhibitedCategory.objects.get(code="X05")
    category.keywords = [*category.keywords, word_of(world.series)]
    category.save()


def nothing(world: World) -> None:
    pass


EVENTS = [
    nothing, corrected, withdrawn, cancelled, withdrawn_and_restored, all_withdrawn, changed, changed_and_back, merged, moved,
    renamed, misnamed, dead, word_prohibited,
]  # fmt: skip
AT_THE_COMMIT = [nothing, corrected, withdrawn, changed, changed_and_back, merged, moved, renamed, dead]


# What is sent the second time


@dataclass(frozen=True)
class Second:
    """Changes to the six rows: what each becomes, in which order, by which columns."""

    rows: list[str]
    order: list[int]
    layout: str

    def content(self, world: World) -> bytes:
        made: list[Row] = []
        for row, what in zip(world.rows, self.rows, strict=True):
            made += {
                "same": [row], "gone": [], "twice": [row, row], "fine": [row | {FINE: "7"}], "other name": [row | {NAME: "王冠"}],
                "spaced": [row | {NAME: f" {row[NAME]}"}], "both": [row, row | {FINE: "8"}], "reversed": [row | {FINE: "8"}, row],
                "faulty": [row | {ID: row[ID][:-1] + ("1" if row[ID][-1] != "1" else "2")}],
                "new": [row, row | {DOC: row[DOC] + "之九"}],
            }[what]  # fmt: skip
        made = [made[n] for n in self.order if n < len(made)] + made[len(self.order) :]
        header = {"reversed": HEADER[::-1], "more": [*HEADER, "备注一"]}.get(self.layout, HEADER)
        encoding = "gb18030" if self.layout == "gb18030" else "utf-8-sig"
        return as_csv(made, header=header, encoding=encoding) + b"\r\n"


ROW_CHANGES = [
    "same",
    "same",
    "same",
    "gone",
    "twice",
    "fine",
    "other name",
    "spaced",
    "both",
    "reversed",
    "faulty",
    "new",
]
SECONDS = st.builds(
    Second, st.lists(st.sampled_from(ROW_CHANGES), min_size=6, max_size=6), st.permutations(range(6)),
    st.sampled_from(["same", "same", "same", "reversed", "more", "gb18030"]),
)  # fmt: skip
ALL_THE_SAME = Second(["same"] * 6, list(range(6)), "same")


@dataclass(frozen=True)
class Became:
    """What people can tell of a delivery, as checked and as committed, and how many rows were known by their print."""

    checked: tuple[Any, ...]
    committed: tuple[Any, ...]
    by_print: int


def told(batch: Batch) -> tuple[Any, ...]:
    rows = batch.staged.order_by("row_no").values_list("row_no", "outcome", "problems", "hints")
    refused = [(row_no, result, WORD.sub("", f"{found}")) for row_no, result, found, _ in rows if result in (8, 9)]
    handed_back = list(
        ReturnedRow.objects.filter(batch=batch).order_by("row_no").values_list("row_no", "codes", "state")
    )
    counts = (batch.rows, batch.new, batch.changed, batch.unchanged, batch.refused, batch.open_rows)
    return (
        batch.state,
        counts,
        batch.reasons,
        refused,
        handed_back,
        preview.hints(batch),
        [row_no for row_no, *_ in rows],
    )


def becomes(world: World, second: Second, meanwhile: Callable[[World], object], *, known: bool) -> Became:
    """Send, check and commit; `known`: with the prints that the register holds."""
    if not known:
        owner_sql("UPDATE records_record SET row_print = NULL WHERE row_print IS NOT NULL")
    batch = check(world.cast, second.content(world))
    by_print = batch.staged.filter(outcome=3, id_index=None).count()
    as_checked = told(batch)
    meanwhile(world)
    try:
        batch = actions.commit_now(batch.pk, by=world.cast.data_reviewer) if batch.goes_in else batch
        refused = ""
    except PermissionDenied as error:
        refused = str(error)
    batch.refresh_from_db()
    written = owner_sql(
        """SELECT v.row_no, v.version, v.deed, r.state, r.version, v.content_hash = r.content_hash FROM records_recordversion v
             JOIN records_record r ON r.id = v.record_id WHERE v.batch_id = %s ORDER BY 1, 2""",
        batch.pk,
    )
    marks = [] if not batch.goes_in else list(batch.staged.order_by("row_no").values_list("row_no", "outcome"))
    return Became(as_checked, (refused, *told(batch), marks, written), by_print)


def both_ways(
    cast: Cast, second: Second, before: Callable[[World], object], meanwhile: Callable[[World], object]
) -> Became:
    """Let the same happen in two worlds, one of which has no prints; return what became of the other."""
    found = []
    for known in (False, True):
        world = world_of(cast)
        before(world)
        found.append(becomes(world, second, meanwhile, known=known))
    without, by_print = found
    assert without.by_print == 0
    assert by_print.checked == without.checked
    assert by_print.committed == without.committed
    return by_print


# How many of the six rows are known by their print once this has happened to one or two of them.
STILL_KNOWN = {
    nothing: 6, withdrawn_and_restored: 6, all_withdrawn: 0, word_prohibited: 0, corrected: 5, withdrawn: 5, cancelled: 5,
    changed: 4, changed_and_back: 4, merged: 4, moved: 5, renamed: 4, misnamed: 4, dead: 4,
}  # fmt: skip


def test_the_same_rows_after_whatever_happened_to_some_of_them(cast: Cast) -> None:
    for before in EVENTS:
        assert both_ways(cast, ALL_THE_SAME, before, nothing).by_print == STILL_KNOWN[before], before.__name__


def test_what_happens_between_check_and_commit_is_judged_again(cast: Cast) -> None:
    second = Second(["fine", "same", "same", "new", "same", "same"], list(range(7)), "same")
    for meanwhile in AT_THE_COMMIT:
        assert both_ways(cast, second, nothing, meanwhile).by_print == 5, meanwhile.__name__


def test_any_second_delivery_becomes_what_it_would_without_prints(cast: Cast) -> None:
    known = []

    @settings(
        max_examples=20, deadline=None, phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck)
    )
    @given(SECONDS, st.sampled_from(EVENTS), st.sampled_from(AT_THE_COMMIT))
    def examples(second: Second, before: Callable[[World], object], meanwhile: Callable[[World], object]) -> None:
        if before is not nothing and meanwhile is not nothing:
            meanwhile = nothing
        known.append(both_ways(cast, second, before, meanwhile).by_print)

    examples()
    assert sum(known) > len(known)


def test_a_row_taken_for_known_by_accident_is_read_after_all(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prints.Known, "split", lambda self, made: [True] * len(made))
    second = Second(["same", "twice", "fine", "other name", "faulty", "new"], list(range(8)), "same")
    for before in (nothing, corrected, merged):
        both_ways(cast, second, before, nothing)


def test_a_worker_killed_while_rows_are_known_by_their_print(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "CHUNK", 4)
    monkeypatch.setattr(stage, "BLOCK", 2)
    world = world_of(cast)
    expected, total = None, 12
    for number, step in enumerate([None, *range(2, 60, 6)]):
        content = Second(["same", "same", "twice", "fine", "same", "new"], list(range(8)), "same").content(world)
        batch, _ = actions.receive(
            io.BytesIO(content + b"\r\n" * number), name="处罚.csv", item=cast.item, by=cast.data_officer,
            channel=Batch.Channel.PAGE,
        )  # fmt: skip
        if step is None:
            total = in_a_worker(lambda: actions.check_batch(batch.pk))  # noqa: B023
            expected = told(Batch.objects.get(pk=batch.pk))
            continue
        if step < total:
            assert in_a_worker(lambda: actions.check_batch(batch.pk), dies_at=step) == -1  # noqa: B023
        assert in_a_worker(lambda: actions.check_batch(batch.pk)) > 0  # noqa: B023
        assert told(Batch.objects.get(pk=batch.pk)) == expected, step
    assert total > 30
    assert expected is not None
    assert expected[1][:5] == (8, 1, 1, 5, 1)


def test_a_record_whose_time_is_over_is_not_known_before_the_night_ends_it(cast: Cast) -> None:
    moment = timezone.now() + timedelta(days=2)
    months = cast.item.version_on(timezone.localdate()).query_retention_months  # type: ignore[union-attr]
    ends = add_months(timezone.localdate(), -months) + timedelta(days=1)
    for known in (True, False):
        world = world_of(cast)
        row = penalty(
            cast,
            **{
                ID: world.numbers[0],
                NAME: NAMES[0],
                DOC: f"文{world.series}号",
                "处罚决定日期": str(ends),
                "公示截止期": "",
            },
        )
        assert deliver(cast, [row]).new == 1
        if not known:
            owner_sql("UPDATE records_record SET row_print = NULL WHERE row_print IS NOT NULL")
        with at(moment):
            batch = check(cast, as_csv([row]) + b"\r\n")
            assert problems(batch) == {2: ["R12"]}


def test_rows_with_a_hint_and_rows_of_a_correction_are_always_read(cast: Cast) -> None:
    too_long = penalty(cast, 公示截止期=(decided() + timedelta(days=2000)).isoformat())
    deliver(cast, [too_long])
    batch = check(cast, as_csv([too_long]) + b"\r\n")
    assert batch.unchanged == 1
    assert [hint.message for hint in preview.hints(batch)]
    assert owner_sql("SELECT count(*) FROM records_record WHERE row_print IS NOT NULL") == [(0,)]
    answer = penalty(cast, 行政处罚决定书文号="文2号") | {SOURCE_LABEL: f"{batch.number}#2"}
    deliver_by(cast, as_csv([answer], header=[*HEADER, SOURCE_LABEL]))
    assert owner_sql("SELECT count(*) FROM records_record WHERE row_print IS NOT NULL") == [(0,)]


def deliver_by(cast: Cast, content: bytes) -> Batch:
    return actions.commit_now(check(cast, content).pk, by=cast.data_reviewer)


def test_prints_that_are_too_many_for_the_file_are_not_loaded(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    world = world_of(cast)
    batch = check(cast, as_csv(world.rows) + b"\r\n")
    assert batch.staged.filter(outcome=3, id_index=None).count() == 6
    monkeypatch.setattr(prints, "MOST", 5)
    batch = check(cast, as_csv(world.rows) + b"\r\n\r\n")
    assert (batch.unchanged, batch.staged.filter(outcome=3, id_index=None).count()) == (6, 0)


# The print itself


def text_book() -> io.BytesIO:
    return crafted(text_row(1, "姓名", "文号"))


def test_a_print_tells_every_cell_from_every_other(cast: Cast) -> None:
    print_of = prints.printer_of(Schema(cast.item, cast.market), {0: "CF_XDR"}, None)
    assert print_of is not None
    texts, any_cells = (packing_of(files.open_table(io.BytesIO(content))) for content in (b"a,b\n", text_book().read()))
    day = date(2026, 3, 1)
    rows: list[list[Any]] = [
        ["1"], [Number("1")], [Formula("1")], [Formula("1", "A1")], [Boolean("1")], [ErrorCell("1")],
        [None], [""], [" "], ["1", None], [None, "1"],
        ["ab", "c"], ["a", "bc"], ["a\0b"], ["a", "b"], [day], [str(day)], [datetime(2026, 3, 1)], ["date", "2026-03-01"],
        ["1", "2"], [Number("1"), "2"], ["\ud800"], [],
    ]  # fmt: skip
    found = [print_of(any_cells.pack(row)) for row in rows]
    assert len(set(found)) == len(rows)
    assert {len(one) for one in found} == {16}
    for row, one in zip(rows, found, strict=True):
        again = any_cells.unpack(any_cells.pack(row))
        assert again == row
        assert [(type(cell), getattr(cell, "expression", "")) for cell in again] == [
            (type(cell), getattr(cell, "expression", "")) for cell in row
        ]
        assert print_of(any_cells.pack(again)) == one
        if {*map(type, row)} <= {str, type(None)}:
            assert print_of(texts.pack(row)) == one
            assert texts.unpack(texts.pack(row)) == row


def test_whatever_decides_what_a_row_becomes_changes_all_prints(cast: Cast) -> None:
    def digest(change: Callable[[Schema], object] = lambda rules: None, columns: dict[int, str] | None = None) -> bytes:
        rules = Schema(cast.item, cast.market)
        change(rules)
        return prints.rules_digest(rules, columns or {0: "A", 1: "B"})

    def choice(rules: Schema) -> Field:
        return next(one for one in rules.fields if one.code_set is not None)

    changes: list[Callable[[Schema], object]] = [
        lambda rules: setattr(rules.fields[0], "label", "别的"),
        lambda rules: setattr(rules.fields[0], "required", not rules.fields[0].required),
        lambda rules: setattr(choice(rules).code_set.values.all()[0], "refusal", "不归集"),  # type: ignore[union-attr]
        lambda rules: setattr(rules.versions[0], "query_retention_months", 12),
        lambda rules: setattr(rules.versions[0].periods.all()[0], "max_months", 1),
        lambda rules: rules.versions.pop(),
        lambda rules: rules.basis_days.clear(),
        lambda rules: setattr(rules.door.categories[0], "keywords", ["别的"]),
        lambda rules: rules.now_longest.clear(),
        lambda rules: setattr(rules, "supplier", cast.transport),
    ]
    assert digest() == digest()
    found = [digest(), digest(columns={0: "B", 1: "A"}), *map(digest, changes)]
    assert len(set(found)) == len(found)


@pytest.mark.parametrize("suite", ["aes", "sm"])
def test_a_print_says_nothing_without_the_key(suite: str) -> None:
    one, other = (Keyring.parse(f"1:{suite}:{digit * 64}") for digit in "ab")
    assert one.printer(b"rules")(b"row") == one.printer(b"rules")(b"row")
    kinds = {
        one.printer(b"rules")(b"row"),
        other.printer(b"rules")(b"row"),
        one.printer(b"other")(b"row"),
        one.printer(b"rules")(b""),
    }
    assert len(kinds) == 4
    assert {len(kind) for kind in kinds} == {16}


def test_prints_leave_the_register_only_for_a_batch_at_work(cast: Cast) -> None:
    world = world_of(cast)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM records_standing_prints(%s)", [world.first.pk])
        assert cursor.fetchone() == (0,)
    assert owner_sql("SELECT count(*) FROM records_record WHERE octet_length(row_print) = 16") == [(6,)]


@pytest.mark.parametrize(
    ("attack", "rule"),
    [
        ("SET row_print = decode(repeat('ab', 16), 'hex')", "record_print_comes_with_its_version"),
        ("SET row_print = '\\x01', version = version + 1", "record_print_is_whole"),
    ],
)
def test_no_print_is_given_to_a_record_by_itself(cast: Cast, attack: str, rule: str) -> None:
    world_of(cast)
    with pytest.raises(
        IntegrityError, match=rule.replace("comes_with_its_version", "comes_with_its_version|a print stands")
    ):
        owner_sql(f"UPDATE records_record {attack}")
