"""Any workbook, whatever is wrong with it: nothing is lost, nothing is taken that should not be, all of it can be undone.

Workbooks with faults are made up by hypothesis and sent the way a department sends them.
"""

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import openpyxl
import pytest
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from creditfujian.lib import identity
from creditfujian.tests.cast import Cast
from records import actions, preview, returned
from records.intake.check import work_on
from records.intake.header import REASON_LABEL, SOURCE_LABEL
from records.models import Batch, BatchRow, Record, RecordVersion, ReturnedRow
from records.tests.deliveries import HEADER, check, decided, deliver, penalty

Row = dict[str, Any]
PEOPLE = [
    (identity.invent(decided(365 * 40) - timedelta(days=n), n + 1), name)
    for n, name in enumerate(("林立春", "陈雨水", "黄惊蛰", "郑春分", "阿依古丽·买买提", "𠮷田明"))
]
SAYS_WHAT_TO_DO = ("请", "可填", "不归集", "不得归集", "不再归集")
TOMORROW = timezone.localdate() + timedelta(days=1)


def wrong_digit(number: str) -> str:
    """Return the number with a check digit that does not fit."""
    return number[:-1] + next(c for c in "0123456789X" if c != number[-1])


@dataclass(frozen=True)
class Fault:
    """Something wrong with a row: which codes may say so, and how it gets in."""

    codes: frozenset[str]
    put: Callable[[Row], Row]
    in_text: bool = True  # csv can carry it too


def fault(codes: str, put: Callable[[Row], Row], *, in_text: bool = True) -> Fault:
    return Fault(frozenset(codes.split()), put, in_text)


ID, NAME, DOC, DAY, KIND, FACTS = (
    "证件号码", "行政相对人名称", "行政处罚决定书文号", "处罚决定日期", "处罚类别", "违法事实",
)  # fmt: skip
FAULTS = {
    "wrong check digit": fault("I16", lambda row: row | {ID: wrong_digit(row[ID])}),
    "fifteen digits": fault("I11", lambda row: row | {ID: row[ID][:6] + row[ID][8:17]}),
    "zeroed by Excel, as text": fault("I15 I16", lambda row: row | {ID: row[ID][:15] + "000"}),
    "exponent, as text": fault("C02 I11 I12", lambda row: row | {ID: f"{float(row[ID][:17]) * 10:.2E}"}),
    "number cell": fault("C02", lambda row: row | {ID: int(row[ID][:15] + "000")}, in_text=False),
    "formula": fault("C03 C05", lambda row: row | {NAME: f'="{row[NAME]}"'}),
    "no document": fault("C01", lambda row: row | {DOC: ""}),
    "decided tomorrow": fault("C21", lambda row: row | {DAY: TOMORROW.isoformat()}),
    "no such day": fault("C08", lambda row: row | {DAY: "2026-02-30"}),
    "unknown kind": fault("C11", lambda row: row | {KIND: "记过"}),
    "detention": fault("R13", lambda row: row | {KIND: "行政拘留"}),
    "illness": fault("R14", lambda row: row | {FACTS: "当事人患有疾病，未按规定公示价格。"}),
    "a minor": fault("R10", lambda row: row | {ID: identity.invent(decided(365 * 16), 5), NAME: "林未冠"}),
    "a company": fault("R13", lambda row: row | {"行政相对人类别": "法人及非法人组织"}),
    "another name": fault("R02 R03", lambda row: row | {NAME: "张冠李戴"}),
    "too old": fault("R11 R12", lambda row: row | {DAY: "2015-03-01"}),
}  # fmt: skip


@dataclass(frozen=True)
class Sent:
    """A workbook as sent: its bytes, the rows in it and what is wrong with them, by row number in the sheet."""

    content: bytes
    name: str
    good: dict[int, Row]
    bad: dict[int, tuple[Row, frozenset[str]]]  # as it should have been, and what may be said of it


def as_file(kind: str, title: bool, footer: bool, rows: list[Row], header: list[str]) -> bytes:
    """Lay the rows out as people do."""
    lines: list[list[Any]] = [["行政处罚信息报送表（自然人）"], []] if title else []
    lines += [header, *([row.get(label, "") for label in header] for row in rows)]
    lines += [["合计", len(rows)]] if footer else []
    if kind == "csv":
        out = io.StringIO()
        csv.writer(out).writerows(lines)
        return out.getvalue().encode("gb18030" if footer else "utf-8-sig")
    book = openpyxl.Workbook()
    for line in lines:
        book.active.append(line)
    hidden = book.create_sheet("备用")
    hidden.append(["不要读我"])
    hidden.sheet_state = "hidden"
    binary = io.BytesIO()
    book.save(binary)
    return binary.getvalue()


def lay_out(cast: Cast, plan: list[tuple[int, str]], kind: str, title: bool, footer: bool) -> Sent:
    """Make a workbook of rows about those people with those faults."""
    rows, good, bad = [], {}, {}
    first = 2 + (2 if title else 0)
    for at, (person, wrong) in enumerate(plan):
        number, name = PEOPLE[person]
        right = penalty(cast, **{ID: number, NAME: name, DOC: f"闽市监处罚〔2026〕{100 + at}号"})
        found = FAULTS.get(wrong)
        if found is None or (kind == "csv" and not found.in_text):
            good[first + at] = right
            rows.append(right)
        else:
            bad[first + at] = (right, found.codes)
            rows.append(found.put(dict(right)))
    return Sent(as_file(kind, title, footer, rows, HEADER), f"报送.{kind}", good, bad)


def register(cast: Cast) -> list[tuple[Any, ...]]:
    """Return everything in force of the item, content included, without leaving a trace."""
    with transaction.atomic():
        key = Batch.objects.filter(item=cast.item, state=Batch.State.COMMITTED).order_by("pk")[0]
        Batch.objects.filter(pk=key.pk).update(state=Batch.State.WITHDRAWING)
        work_on(key)
        rows = [
            (*row[:-1], bytes(row[-1]))
            for row in Record.objects.filter(state=Record.State.IN_FORCE).order_by("pk").values_list(
                "person__name", "provider", "decider_uscc", "doc_no", "doc_date", "severity", "publication",
                "query_until", "content_hash",
            )
        ]  # fmt: skip
        transaction.set_rollback(True)
    return rows


def accepted_content(batch: Batch) -> dict[int, dict[str, str]]:
    """Return what the register took from each row of a batch."""
    with transaction.atomic():
        Batch.objects.filter(pk=batch.pk).update(state=Batch.State.WITHDRAWING)
        work_on(batch)
        found = dict(RecordVersion.objects.filter(batch=batch, deed__in=[1, 2]).values_list("row_no", "content"))
        transaction.set_rollback(True)
    return found


def assert_as_sent(cast: Cast, batch: Batch, good: dict[int, Row]) -> None:
    """Hold the register's content against what was in the cells."""
    labels = {f.code: f.label for v in cast.item.versions.all() for f in v.fields.all()}
    found = accepted_content(batch)
    assert sorted(found) == sorted(good)
    for row_no, content in found.items():
        named = {labels[code]: value for code, value in content.items() if value}
        for label in (DOC, FACTS, "处罚内容", "处罚依据", DAY, "违法行为类型"):
            assert named[label] == good[row_no][label], (row_no, label)


def correction_of(batch: Batch) -> tuple[list[str], dict[int, dict[str, Any]]]:
    """Return the correction workbook: its header, and its rows by the row they came from."""
    out = io.BytesIO()
    preview.write_correction(batch, out)
    sheet = openpyxl.load_workbook(io.BytesIO(out.getvalue())).worksheets[0]
    lines = [list(line) for line in sheet.iter_rows(values_only=True)]
    at = next(n for n, line in enumerate(lines) if SOURCE_LABEL in line)
    header = [str(label) for label in lines[at]]
    rows = [dict(zip(header, line, strict=True)) for line in lines[at + 1 :]]
    return header, {int(row[SOURCE_LABEL].rpartition("#")[2]): row for row in rows}


def put_right(cast: Cast, batch: Batch, bad: dict[int, tuple[Row, frozenset[str]]]) -> Batch:
    """Correct the workbook that came back, cell by cell, and send it again."""
    header, rows = correction_of(batch)
    assert sorted(rows) == sorted(bad)
    for row_no, row in rows.items():
        assert row[REASON_LABEL], "a refused row without its reason"
        row.update(bad[row_no][0])
    content = as_file("xlsx", False, False, [rows[row_no] for row_no in sorted(rows)], header)
    return check(cast, content, name="更正件.xlsx")


plans = st.lists(
    st.tuples(st.integers(0, len(PEOPLE) - 1), st.sampled_from(["good", "good", *FAULTS])), min_size=1, max_size=10
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plan=plans, kind=st.sampled_from(["xlsx", "csv"]), title=st.booleans(), footer=st.booleans())
def test_whatever_is_wrong_nothing_is_lost_and_all_can_be_undone(
    cast: Cast, plan: list[tuple[int, str]], kind: str, title: bool, footer: bool
) -> None:
    with transaction.atomic():
        deliver(cast, [penalty(cast, **{ID: number, NAME: name, DOC: f"闽市监处罚〔2026〕{100 + at}号",
                                        "处罚内容": "罚款一万元。"})
                       for at, (number, name) in enumerate(PEOPLE)])  # fmt: skip
        before = register(cast)
        sent = lay_out(cast, plan, kind, title, footer)
        batch = check(cast, sent.content, name=sent.name)
        assert batch.state == Batch.State.CHECKED, batch.failure
        assert_counts_and_reasons(batch, sent)
        if batch.goes_in:
            batch = actions.commit_now(batch.pk, by=cast.data_reviewer)
            assert_as_sent(cast, batch, sent.good)
            assert batch.receipt.content["counts"]["rows"] == len(sent.good) + len(sent.bad)
            after = close_the_loop(cast, batch, sent)
            assert register(cast) == after
            assert actions.withdraw(batch.pk, by=cast.data_officer, reason="整批报错") == batch.new + batch.changed
        else:
            close_the_loop(cast, batch, sent)
        assert register(cast) == before
        transaction.set_rollback(True)


def assert_counts_and_reasons(batch: Batch, sent: Sent) -> None:
    """Every row is accounted for, and every refusal says what was really wrong."""
    assert batch.rows == batch.new + batch.changed + batch.unchanged + batch.refused
    assert batch.rows == len(sent.good) + len(sent.bad)
    refused = dict(BatchRow.objects.filter(batch=batch, outcome=9).values_list("row_no", "problems"))
    assert sorted(refused) == sorted(sent.bad)
    for row_no, problems in refused.items():
        codes = {code for _, code, _ in problems}
        assert codes & sent.bad[row_no][1], (row_no, codes)
        assert all(any(word in message for word in SAYS_WHAT_TO_DO) for _, _, message in problems), problems
    assert sum(batch.reasons.values()) >= batch.refused


def close_the_loop(cast: Cast, batch: Batch, sent: Sent) -> list[tuple[Any, ...]]:
    """Send the correction back, see that it closes the loop, and take it back; return what then stands."""
    stood = register(cast)
    assert_owed(batch, sent)
    if not sent.bad:
        return stood
    again = put_right(cast, batch, sent.bad)
    assert (again.refused, again.correction_of_id, again.rows) == (0, batch.pk, len(sent.bad))
    again = actions.commit_now(again.pk, by=cast.data_reviewer)
    batch.refresh_from_db()
    assert batch.corrected == batch.refused == len(sent.bad)
    assert (batch.open_rows, returned.clock_of(batch)) == (0, None)
    assert_as_sent(cast, again, dict(zip(sorted(accepted_content(again)),
                                         (sent.bad[row_no][0] for row_no in sorted(sent.bad)), strict=True)))  # fmt: skip
    assert actions.withdraw(again.pk, by=cast.data_officer, reason="更正也报错了") == len(sent.bad)
    assert_owed(batch, sent)
    return stood


def assert_owed(batch: Batch, sent: Sent) -> None:
    """Every row that came back, and no other, is owed and has a due date."""
    batch.refresh_from_db()
    owed = ReturnedRow.objects.filter(batch=batch, state__in=ReturnedRow.OPEN_STATES).values_list("row_no", flat=True)
    assert sorted(owed) == sorted(sent.bad)
    assert batch.open_rows == len(sent.bad)
    assert (returned.clock_of(batch) is not None) is bool(sent.bad)


def test_nobody_sees_the_register_without_the_key(cast: Cast) -> None:
    deliver(cast, [penalty(cast)])
    assert register(cast)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM records_record")
        assert cursor.fetchone() == (0,)


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_alone_is_found(cast: Cast, name: str) -> None:
    deliver(cast, [penalty(cast, **{ID: number, NAME: who}) for number, who in PEOPLE[:1]])
    sent = lay_out(cast, [(0, "good"), (0, name)], "xlsx", False, False)
    batch = check(cast, sent.content, name=sent.name)
    assert_counts_and_reasons(batch, sent)
