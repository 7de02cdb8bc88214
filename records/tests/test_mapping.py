"""Columns that names cannot tell: the batch waits, an officer says what they are, the same headings are not asked again."""

import io
from typing import Any

import openpyxl
import pytest
from auditlog.models import LogEntry
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction

from access.actions import Asker
from accounts.models import User
from catalogue.models import ProhibitedCategory
from creditfujian.tests.cast import CITIZEN_NUMBER, OTHER_NUMBER, Cast
from records import actions, mappings, preview
from records.mappings import Look, Place
from records.models import Batch, BatchRow, ColumnMapping
from records.reading import own_file
from records.tests.deliveries import HEADER, as_csv, check, penalty, problems

State = Batch.State
# What an office's own system calls the columns; unlike the catalogue's names and aliases.
THEIRS = [
    "被处理人员", "人员性质", "持何种证件", "证件编码", "文书编码", "行为定性", "查明情况", "适用条款", "决定种类", "决定详情",
    "罚没款项", "作出决定之日", "公开至", "作出机构", "机构信用代码", "严重与否", "是否公开",
]  # fmt: skip


def theirs(cast: Cast, *rows: dict[str, str], header: list[str] = THEIRS, more: tuple[str, ...] = ()) -> bytes:
    """Good rows under the office's own headings; `more` are columns that nobody asks for."""
    rows = rows or (penalty(cast),)
    lines = [dict(zip(header, [row[name] for name in HEADER], strict=True)) | dict.fromkeys(more, "甲") for row in rows]
    return as_csv(lines, header=[*header, *more])


def codes(cast: Cast, *, more: int = 0, version: int = 1) -> list[str]:
    """The codes of the catalogue's fields in the order of the columns."""
    by_label = {f.label: f.code for f in cast.item.versions.get(version=version).fields.all()}
    return [*(by_label[label] for label in HEADER), *[""] * more]


def waiting(cast: Cast, content: bytes | None = None, **more: Any) -> Batch:
    batch = check(cast, content or theirs(cast), **more)
    assert batch.state == State.MAPPING, batch.failure
    return batch


def answer(cast: Cast, batch: Batch, said: list[str] | None = None, **more: Any) -> Batch:
    """Say what the columns are and let the worker go on."""
    seen = mappings.look(batch)
    mappings.save(
        batch.pk, more.pop("place", seen.place), said or codes(cast), name="处罚系统导出", by=cast.data_officer
    )
    return actions.check_batch(batch.pk)


def as_xlsx(*rows: list[Any], sheets: dict[str, list[list[Any]]] | None = None) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for name, lines in (sheets or {}).items():
        sheet = book.create_sheet(name)
        for line in lines:
            sheet.append(line)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


# --- waiting, and what is shown ---------------------------------------------------------------------------


def test_a_file_with_headings_of_its_own_waits_instead_of_being_refused(cast: Cast) -> None:
    batch = waiting(cast)
    assert batch.failure["code"] == "F17"
    assert not BatchRow.objects.filter(batch=batch).exists()
    assert not batch.goes_in
    assert "待对应列" in actions.may_commit(batch, cast.data_reviewer)


@pytest.mark.parametrize(
    ("header", "code"),
    [
        (["文书编码" if name == "行政处罚决定书文号" else name for name in HEADER], "F18"),
        (["处罚内容" if name == "处罚依据" else name for name in HEADER], "F19"),
    ],
)
def test_a_required_column_under_another_name_or_a_name_twice_waits(cast: Cast, header: list[str], code: str) -> None:
    line = ",".join(header) + "\r\n" + ",".join(f'"{cell}"' for cell in penalty(cast).values())
    batch = waiting(cast, line.encode())
    assert batch.failure["code"] == code
    assert answer(cast, batch).state == State.CHECKED


@pytest.mark.parametrize(
    "content",
    [
        "甲,乙,丙\n1,2,3\n".encode(),  # no row with enough headings
        ",".join(name for name in HEADER if name != "违法事实").encode() + b"\r\n1\r\n",  # a column is not there at all
    ],
)
def test_a_file_that_no_mapping_can_help_is_refused_as_before(cast: Cast, content: bytes) -> None:
    assert check(cast, content).state == State.REFUSED


def test_data_without_any_headings_is_refused_and_never_taken_for_headings(cast: Cast) -> None:
    batch = check(cast, as_csv([penalty(cast), penalty(cast)]).split(b"\n", 1)[1])
    assert (batch.state, batch.failure["code"]) == (State.REFUSED, "F17")


def test_a_prohibited_column_refuses_the_file_before_anybody_is_asked(cast: Cast) -> None:
    header = ["文书编码" if name == "行政处罚决定书文号" else name for name in HEADER]
    batch = check(cast, theirs(cast, header=header, more=("民 族",)))
    assert (batch.state, batch.failure["code"]) == (State.REFUSED, "F30")


def test_the_officer_sees_letters_kinds_and_masked_samples_never_a_name_or_number(cast: Cast) -> None:
    seen = mappings.look(waiting(cast))
    assert [one.heading.letter for one in seen.columns] == list("ABCDEFGHIJKLMNOPQ")
    assert [one.heading.shown for one in seen.columns] == THEIRS
    kinds = {one.heading.shown: one.content for one in seen.columns}
    assert (kinds["证件编码"].kind, kinds["证件编码"].samples) == ("18 位号码", ("3•••••••…",))
    assert (kinds["作出决定之日"].kind, kinds["被处理人员"].samples) == ("日期", ("陈••",))
    for secret in (CITIZEN_NUMBER, "陈小满", "菌落", "罚款六万元"):
        assert secret not in repr(seen)


def test_what_is_named_alike_is_suggested(cast: Cast) -> None:
    header = ["行政相对人姓名", "相对人类别名称", *HEADER[2:4], "处罚决定书编号", *HEADER[5:]]
    seen = mappings.look(waiting(cast, theirs(cast, header=header)))
    assert [one.suggestion for one in seen.columns[:6]] == codes(cast)[:6]


# --- saying it --------------------------------------------------------------------------------------------


def test_what_was_said_is_read_checked_and_goes_in_by_another_officer(cast: Cast) -> None:
    batch = answer(cast, waiting(cast))
    assert (batch.state, batch.new, batch.refused, batch.failure) == (State.CHECKED, 1, 0, None)
    assert "按已保存的列对应“处罚系统导出”读取。" in batch.notes
    assert batch.mapped_by == cast.data_officer
    actions.commit_now(batch.pk, by=cast.data_reviewer)
    [view] = own_file(cast.citizen.person, by=Asker(cast.citizen, "公示网站")).records
    assert view.doc_no == "闽市监处罚〔2026〕1号"


def test_whoever_said_what_the_columns_are_does_not_commit(cast: Cast) -> None:
    batch = waiting(cast)
    roles, of_officers = [*cast.data_reviewer.groups.all()], [*cast.data_officer.groups.all()]
    cast.data_reviewer.groups.set(of_officers)  # an officer today
    officer = User.objects.get(pk=cast.data_reviewer.pk)
    mappings.save(batch.pk, mappings.look(batch).place, codes(cast), name="甲", by=officer)
    actions.check_batch(batch.pk)
    officer.groups.set(roles)  # and a reviewer tomorrow
    with pytest.raises(PermissionDenied, match="对应列的人"):
        actions.commit_now(batch.pk, by=User.objects.get(pk=officer.pk))
    with pytest.raises(IntegrityError, match="another_than_mapped_it"), transaction.atomic():
        Batch.objects.filter(pk=batch.pk).update(committed_by=officer)


def test_the_same_headings_are_read_without_asking_whoever_sends_them(cast: Cast) -> None:
    answer(cast, waiting(cast))
    rows = [penalty(cast), penalty(cast, 行政相对人名称="林大雪", 证件号码=OTHER_NUMBER)]
    batch = check(cast, theirs(cast, *rows))
    assert (batch.state, batch.new, batch.mapped_by) == (State.CHECKED, 2, None)
    assert batch.mapping.name == "处罚系统导出"
    assert "按已保存的列对应“处罚系统导出”读取。" in batch.notes
    titled = b",\xe5\xa4\x84\xe7\xbd\x9a\xe4\xb8\x80\xe8\xa7\x88\r\n" + theirs(cast).removeprefix(b"\xef\xbb\xbf")
    assert check(cast, titled).state == State.CHECKED


def test_other_headings_are_asked_for_again(cast: Cast) -> None:
    answer(cast, waiting(cast))
    assert check(cast, theirs(cast, more=("自编号",))).state == State.MAPPING
    swapped = [THEIRS[1], THEIRS[0], *THEIRS[2:]]
    assert check(cast, theirs(cast, header=swapped)).state == State.MAPPING


def test_columns_nobody_asks_for_are_named_as_not_read(cast: Cast) -> None:
    batch = waiting(cast, theirs(cast, more=("自编号",)))
    batch = answer(cast, batch, codes(cast, more=1))
    assert any("自编号" in note and "未读取" in note for note in batch.notes)
    assert "甲" not in str(BatchRow.objects.get(batch=batch).content)


def test_bad_rows_come_back_in_the_sheets_own_columns_and_are_read_by_the_same_mapping(cast: Cast) -> None:
    rows = [penalty(cast), penalty(cast, 行政处罚决定书文号="闽市监处罚〔2026〕2号", 处罚类别="记过")]
    first = answer(cast, waiting(cast, theirs(cast, *rows)))
    assert problems(first) == {3: ["C11"]}
    actions.commit_now(first.pk, by=cast.data_reviewer)
    mapping = ColumnMapping.objects.get()
    mappings.retire(mapping.pk, by=cast.data_officer)  # its corrections come back all the same
    out = io.BytesIO()
    assert preview.write_correction(Batch.objects.get(pk=first.pk), out) == 1
    book = openpyxl.load_workbook(out)
    sheet = book.worksheets[0]
    assert [cell.value for cell in sheet[1]] == [*THEIRS, "更正说明", "来源行"]
    sheet.cell(2, THEIRS.index("决定种类") + 1).value = "罚款"
    fixed = io.BytesIO()
    book.save(fixed)
    second = check(cast, fixed.getvalue(), name="更正件.xlsx")
    assert (second.state, second.new, second.mapping_id, second.correction_of_id) == (
        State.CHECKED, 1, mapping.pk, first.pk,
    )  # fmt: skip
    actions.commit_now(second.pk, by=cast.data_reviewer)
    assert Batch.objects.get(pk=first.pk).corrected == 1


def test_a_header_of_two_rows_under_a_title_on_the_second_sheet(cast: Cast) -> None:
    group = ["被处理人员", None, None, None, "文书", *[None] * 12]
    lower = ["叫什么", "什么性质", "何种证件", "证件编码", "编码", *THEIRS[5:]]
    data = list(penalty(cast).values())
    book = as_xlsx(["封面"], sheets={"数据": [["处罚一览"], group, lower, data]})
    batch = waiting(cast, book, name="两行.xlsx")
    place = Place(1, 2, two=True)
    seen = mappings.look(batch, place)
    assert [one.heading.shown for one in seen.columns][:5] == [
        "被处理人员（叫什么）", "被处理人员（什么性质）", "被处理人员（何种证件）", "被处理人员（证件编码）", "文书（编码）",
    ]  # fmt: skip
    mappings.save(batch.pk, place, codes(cast), name="两行", by=cast.data_officer)
    batch = actions.check_batch(batch.pk)
    assert (batch.state, batch.new, batch.sheet) == (State.CHECKED, 1, "数据")
    again = as_xlsx(["封面"], sheets={"数据": [["处罚一览"], group, lower, data, data]})
    assert check(cast, again, name="两行2.xlsx").rows == 2


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({0: ""}, "还有必填的数据项没有对应的列：“行政相对人名称”"),
        ({1: "CF_XDR_MC"}, "一个数据项只能对应一列"),
        ({1: "CF_NOT_THERE"}, "没有这个数据项"),
    ],
)
def test_what_does_not_fit_is_not_saved(cast: Cast, change: dict[int, str], says: str) -> None:
    batch = waiting(cast)
    said = [change.get(at, code) for at, code in enumerate(codes(cast))]
    with pytest.raises(ValidationError, match=says):
        answer(cast, batch, said)
    assert not ColumnMapping.objects.exists()
    assert Batch.objects.get(pk=batch.pk).state == State.MAPPING


def test_somebody_elses_name_is_never_the_partys(cast: Cast) -> None:
    header = ["法定代表人姓名", *THEIRS[1:]]
    with pytest.raises(ValidationError, match="他人的信息"):
        answer(cast, waiting(cast, theirs(cast, header=header)))


def test_a_column_without_a_heading_and_a_prohibited_one_cannot_be_mapped(cast: Cast) -> None:
    nameless = theirs(cast).replace("文书编码".encode(), b"", 1)
    with pytest.raises(ValidationError, match="E 列没有列名"):
        answer(cast, waiting(cast, nameless + b"\r\n", name="无名.csv"))
    batch = waiting(cast, theirs(cast, more=("星座",)))
    category = ProhibitedCategory.objects.get(code="X13")
    category.header_keywords = [*category.header_keywords, "星座"]  # forbidden while the batch waits
    category.save()
    assert "禁止归集" in mappings.look(batch).prohibited[0]
    with pytest.raises(ValidationError, match="禁止归集"):
        answer(cast, batch, codes(cast, more=1))


def test_a_row_of_data_cannot_be_chosen_as_headings(cast: Cast) -> None:
    batch = waiting(cast)
    seen = mappings.look(batch, Place(0, 2))
    assert "像是数据" in seen.why_not
    assert seen.columns == []
    with pytest.raises(ValidationError, match="像是数据"):
        mappings.save(batch.pk, Place(0, 2), codes(cast), name="甲", by=cast.data_officer)
    assert mappings.look(batch, Place(9, 99)).why_not


def test_nobody_else_says_what_the_columns_are(cast: Cast) -> None:
    batch = waiting(cast)
    place = mappings.look(batch).place
    for stranger in (cast.data_reviewer, cast.officer_here, cast.officer_elsewhere, cast.operator, cast.credit_office):
        with pytest.raises(PermissionDenied):
            mappings.save(batch.pk, place, codes(cast), name="甲", by=stranger)
    assert not ColumnMapping.objects.exists()


# --- keeping it -------------------------------------------------------------------------------------------


def test_another_saying_for_the_same_headings_leaves_staged_batches_alone(cast: Cast) -> None:
    two = [waiting(cast, theirs(cast, penalty(cast, 处罚内容=f"罚款{n}万元。"))) for n in (1, 2)]  # both wait already
    first = answer(cast, two[0])
    said = codes(cast)
    said[10] = ""
    second = answer(cast, two[1], said)
    old, new = ColumnMapping.objects.order_by("pk")
    assert (old.retired_by, new.retired_by) == (cast.data_officer, None)
    first.refresh_from_db()
    assert (first.mapping, second.mapping) == (old, new)
    assert "CF_NR_FK" in BatchRow.objects.get(batch=first).content
    assert "CF_NR_FK" not in BatchRow.objects.get(batch=second).content
    assert actions.commit_now(first.pk, by=cast.data_reviewer).state == State.COMMITTED


def test_the_same_saying_is_not_saved_twice(cast: Cast) -> None:
    two = [waiting(cast, theirs(cast, penalty(cast, 处罚内容=f"罚款{n}万元。"))) for n in (1, 2)]
    assert {answer(cast, batch).mapping_id for batch in two} == {ColumnMapping.objects.get().pk}


def test_a_retired_mapping_reads_no_new_file(cast: Cast) -> None:
    answer(cast, waiting(cast))
    mapping = mappings.retire(ColumnMapping.objects.get().pk, by=cast.data_officer)
    assert check(cast, theirs(cast) + b"\r\n").state == State.MAPPING
    with pytest.raises(ValidationError, match="已经停用"):
        mappings.retire(mapping.pk, by=cast.data_officer)


def test_renaming_and_retiring_are_the_offices_own_and_leave_their_lines(cast: Cast) -> None:
    answer(cast, waiting(cast))
    mapping = ColumnMapping.objects.get()
    for stranger in (cast.data_reviewer, cast.officer_elsewhere, cast.operator):
        with pytest.raises(PermissionDenied):
            mappings.rename(mapping.pk, name="乙", by=stranger)
        with pytest.raises(PermissionDenied):
            mappings.retire(mapping.pk, by=stranger)
    mappings.rename(mapping.pk, name="新系统导出", by=cast.data_officer)
    for bad in (" ", f"张三{CITIZEN_NUMBER}"):
        with pytest.raises(ValidationError, match="名称"):
            mappings.rename(mapping.pk, name=bad, by=cast.data_officer)
    mappings.retire(mapping.pk, by=cast.data_officer)
    changes = [set(line.changes) for line in LogEntry.objects.get_for_object(mapping).order_by("pk")]
    assert changes[1:] == [{"name"}, {"retired_by", "retired_at"}]


def test_a_waiting_batch_is_cancelled_and_the_file_may_come_again(cast: Cast) -> None:
    content = theirs(cast)
    batch = waiting(cast, content)
    assert check(cast, content).pk == batch.pk
    assert actions.cancel(batch.pk, by=cast.data_officer).state == State.CANCELLED
    assert check(cast, content).pk != batch.pk


def test_the_limits_of_the_page_hold_for_a_mapped_file_too(cast: Cast, settings: Any) -> None:
    batch = waiting(cast, theirs(cast, *[penalty(cast)] * 30))
    settings.INTAKE_PAGE_ROWS = 25
    batch = answer(cast, batch)
    assert (batch.state, batch.failure["code"]) == (State.REFUSED, "F11")


def test_the_look_of_a_file_is_of_its_own_batch(cast: Cast) -> None:
    seen = mappings.look(waiting(cast))
    assert isinstance(seen, Look)
    assert seen.rows[0].is_chosen
    assert seen.rows[1].cells[0] == "陈••"


def test_a_row_with_a_number_in_pieces_is_no_heading(cast: Cast) -> None:
    batch = waiting(cast, theirs(cast, more=("12 34 56",)))
    with pytest.raises(ValidationError, match="一串数字"):
        mappings.save(batch.pk, Place(0, 1), codes(cast, more=1), name="甲", by=cast.data_officer)
