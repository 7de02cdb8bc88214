"""Items out to a spreadsheet and back: nothing is lost, only drafts are made, and what cannot be comes back explained."""

import csv
import io
from collections.abc import Callable
from typing import Any

import openpyxl
import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client

from accounts.actions import register_staff
from accounts.models import Organisation, Role, User
from catalogue import actions, exchange_files, field_cells, publishing, starter_data
from catalogue.cells import BY_NAME, CELLS, Kind, Known, say
from catalogue.columns import complete, labels
from catalogue.exchange import to_export
from catalogue.exchange_actions import confirm_import, take_file
from catalogue.exchange_files import as_csv, as_xlsx
from catalogue.models import Article, CodeValue, Field, Item, ItemImport, ItemVersion
from catalogue.starter import Hands, load_starter
from catalogue.tests.test_starter_load import province  # noqa: F401
from creditfujian.tests.cast import PASSWORD, Cast


def rows_of(content: bytes) -> list[dict[str, str]]:
    """The rows of an exported csv."""
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def as_file(rows: list[dict[str, str]]) -> bytes:
    """Rows as a csv to send in."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode("utf-8-sig")


def exported(cast: Cast, which: str = "own") -> list[dict[str, str]]:
    """What the data officer gets as csv."""
    return rows_of(as_csv(list(to_export(cast.data_officer, which)), by=cast.data_officer))


def exported_book(cast: Cast, which: str = "own") -> openpyxl.Workbook:
    """What the data officer gets as a workbook."""
    out = io.BytesIO()
    as_xlsx(list(to_export(cast.data_officer, which)), out, by=cast.data_officer)
    return openpyxl.load_workbook(io.BytesIO(out.getvalue()))


def saved(book: openpyxl.Workbook) -> bytes:
    """The workbook as a clerk saves it."""
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def send(cast: Cast, rows: list[dict[str, str]], by: User | None = None) -> ItemImport:
    """Upload a csv and look at the preview."""
    return take_file(as_file(rows), name="修订.csv", by=by or cast.data_officer)


def changed(cast: Cast, **cells: str) -> list[dict[str, str]]:
    """The department's export with cells changed by column name."""
    row = exported(cast)[0]
    return [row | {BY_NAME[name].title: text for name, text in cells.items()}]


def problems(sheet: ItemImport) -> list[tuple[str, str]]:
    """Column and sentence of everything refused."""
    return [(one["column"], one["message"]) for row in sheet.outcome for one in row["problems"]]


def draft_of(cast: Cast) -> ItemVersion:
    return complete(ItemVersion.objects.filter(item=cast.item, state="draft")).get()


def in_force(cast: Cast) -> ItemVersion:
    return complete(ItemVersion.objects.filter(item=cast.item, state="in_force")).get()


# --- round trip ---------------------------------------------------------------------------------------------


def test_every_column_of_the_catalogue_is_exported(cast: Cast) -> None:
    row = exported(cast)[0]
    assert len(row) == 41
    assert [cell.title for cell in CELLS][:39] == list(row)[:39]
    assert row["法律政策依据"].startswith(f"{in_force(cast).legal_bases.all()[0].instrument.code}/")


@pytest.fixture
def proposer(province: dict[str, Organisation]) -> User:  # noqa: F811
    """Somebody in a province where every item of the first edition is in force."""
    office = province["FGWH"]
    people = [
        register_staff(username=f"p{n}", name=f"甲{n}", organisation=office, roles=[role], password=PASSWORD)
        for n, role in enumerate((Role.DATA_OFFICER, Role.LEGAL_REVIEWER, Role.CREDIT_OFFICE, Role.CREDIT_OFFICE))
    ]
    load_starter(province, Hands(*people))
    return people[0]


def test_every_starter_item_comes_back_unchanged_from_csv_and_from_a_workbook(proposer: User) -> None:
    everything = list(to_export(proposer, "in_force"))
    assert {version.item.code for version in everything} == {item["code"] for item in starter_data.items()}
    book = io.BytesIO()
    as_xlsx(everything, book, by=proposer)
    for content in (as_csv(everything, by=proposer), saved(openpyxl.load_workbook(book))):
        sheet = take_file(content, name="原样", by=proposer)
        assert [(row["kind"], row["problems"]) for row in sheet.outcome] == [("unchanged", [])] * len(everything)
        assert sheet.notes == []
    assert not ItemVersion.objects.filter(state="draft").exists()


def test_each_cell_of_every_starter_item_reads_back_what_it_wrote(proposer: User) -> None:
    known = Known.load()
    for version in to_export(proposer, "in_force"):
        said: dict[str, Any] = {"fields": field_cells.read(field_cells.lines(field_cells.write(version)), known)}
        for cell in CELLS:
            if cell.kind is Kind.RULE and cell.name != "fields":
                said |= cell.read(cell.write(version, known.labels), known)
        assert said == say(version)


def test_text_that_looks_like_a_formula_leaves_with_an_apostrophe_and_comes_back_without(cast: Cast) -> None:
    draft = actions.start_draft(cast.item, by=cast.data_officer)
    actions.write_draft(draft, by=cast.data_officer, values={"behaviour": "=HYPERLINK(1)", "national_ref": "'-1"})
    rows = exported(cast, "drafts")
    assert rows[0]["对应的具体行为"] == "'=HYPERLINK(1)"
    assert rows[0]["国家目录对应条目"] == "''-1"
    assert exported_book(cast, "drafts")["条目"]["F2"].value == "'=HYPERLINK(1)"
    assert send(cast, rows).outcome[0]["kind"] == "unchanged"


def test_fields_with_separators_in_their_names_survive(cast: Cast) -> None:
    draft = actions.start_draft(cast.item, by=cast.data_officer)
    fields = list(draft.fields.order_by("position"))
    fields[0].label, fields[0].aliases = "名称｜甲；乙\\丙", ["别名；一", "别名｜二", "三\\"]
    actions.write_draft(draft, by=cast.data_officer, fields=fields)
    for content in (as_file(exported(cast, "drafts")), saved(exported_book(cast, "drafts"))):
        sheet = take_file(content, name="草案", by=cast.data_officer)
        assert [row["kind"] for row in sheet.outcome] == ["unchanged"], sheet.outcome
        assert draft_of(cast).fields.all()[0].label == "名称｜甲；乙\\丙"


# --- each column, edited once ---------------------------------------------------------------------------------


def other_article(cast: Cast) -> Article:
    """An article of the same instrument as a basis of the item, or of one of the same level."""
    used = in_force(cast).legal_bases.all()
    first = used[0]
    same_level = Article.objects.filter(instrument__level=first.instrument.level)
    return same_level.exclude(pk__in=[article.pk for article in used]).first() or first


def other_code(code_set: str, current: str) -> str:
    others = CodeValue.objects.filter(code_set__code=code_set, refusal="").exclude(code=current)
    return others.values_list("code", flat=True)[0]


def _ref(article: Article) -> str:
    return f"{article.instrument.code}/{article.number}"


EDITS: dict[str, Callable[[Cast, ItemVersion, str], str]] = {
    "name": lambda cast, v, text: "行政处罚信息（改名）",
    "behaviour": lambda cast, v, text: "违反新的规定",
    "legal_bases": lambda cast, v, text: f"{text}\n{_ref(other_article(cast))}",
    "disclosure_basis": lambda cast, v, text: "经本人单独同意",
    "source_channel": lambda cast, v, text: other_code("SRC", v.source_channel),
    "source_level": lambda cast, v, text: other_code("LVL", v.source_level),
    "territory": lambda cast, v, text: "350100",
    "disclosure": lambda cast, v, text: "政务共享",
    "sharing": lambda cast, v, text: "NO",
    "scopes": lambda cast, v, text: f"{cast.transport.uscc}｜350000-1｜从业资格核验",
    "update_freq": lambda cast, v, text: other_code("FRQ", v.update_freq),
    "supply_deadline": lambda cast, v, text: "30 日",
    "document_type": lambda cast, v, text: other_code("DOC", v.document_type),
    "severity_rule": lambda cast, v, text: "2 一般",
    "min_disclosure_months": lambda cast, v, text: text.replace("：3", "：6"),
    "max_disclosure_months": lambda cast, v, text: text.replace("：12", "：9"),
    "query_retention_months": lambda cast, v, text: "48",
    "storage_rule": lambda cast, v, text: other_code("RET", v.storage_rule),
    "period_start": lambda cast, v, text: other_code("PST", v.period_start),
    "repairable": lambda cast, v, text: f"不可修复：{_ref(other_article(cast))}",
    "repair_conditions": lambda cast, v, text: text.split("\n")[0],
    "sensitive": lambda cast, v, text: "否",
    "fields": lambda cast, v, text: "\n".join(text.split("\n")[:-1]),
    "masking_profile": lambda cast, v, text: other_code("MSK", v.masking_profile),
    "linked_measures": lambda cast, v, text: "FJM-001\nFJM-002",
    "notice_mode": lambda cast, v, text: "PRE",
    "opt_out": lambda cast, v, text: "是",
    "effective": lambda cast, v, text: text.replace("2021-09-01", "2027-01-01"),
    "national_ref": lambda cast, v, text: "03-行政管理-1",
    "change_note": lambda cast, v, text: "按新规定调整",
    "ministry_rule_reason": lambda cast, v, text: "该领域没有更高层级依据",
    "public_name_in_full": lambda cast, v, text: "是",
}


def test_every_column_that_can_be_edited_has_its_edit() -> None:
    assert set(EDITS) == {cell.name for cell in CELLS if cell.kind is Kind.RULE}


@pytest.mark.parametrize("name", list(EDITS))
def test_a_changed_cell_arrives_as_exactly_that_change_in_the_draft(cast: Cast, name: str) -> None:
    before = in_force(cast)
    cell = BY_NAME[name]
    more = {"disclosure_basis": ""} if name == "disclosure" else {}
    text = EDITS[name](cast, before, cell.write(before, labels()))
    sheet = send(cast, changed(cast, **{name: text}))
    assert problems(sheet) == []
    assert sheet.outcome[0]["kind"] == "new"
    assert [one["column"] for one in sheet.outcome[0]["changes"]] == [cell.title], more
    assert not ItemVersion.objects.filter(state="draft").exists(), "a preview makes nothing"
    confirm_import(sheet, by=cast.data_officer)
    after = draft_of(cast)
    own = {"change_note"} - {name}
    differing = {c.column for c in publishing.changes(before, after, labels())} - {BY_NAME[n].title for n in own}
    assert differing == ({cell.title} if name != "effective" else set())
    differs = {key for key, value in say(after).items() if value != say(before)[key]} - own - ({"effective"} - {name})
    assert differs <= set(cell.say(before))
    assert differs


def _edit_field(cast: Cast, title: str, text: str, row: int = 2) -> ItemImport:
    book = exported_book(cast)
    sheet = book["数据项"]
    column = [cell.value for cell in sheet[1]].index(title) + 1
    sheet.cell(row, column).value = text
    return take_file(saved(book), name="修订.xlsx", by=cast.data_officer)


@pytest.mark.parametrize(
    ("title", "text", "attribute", "value"),
    [
        ("字段名", "CF_XM", "code", "CF_XM"), ("名称", "相对人姓名", "label", "相对人姓名"),
        ("类型", "文本", "datatype", "text"), ("长度上限", "60", "length", 60), ("必填", "否", "required", False),
        ("对应记录项", "", "binds", ""), ("可见范围", "本人；提供单位", "visible_to", ["SUBJECT", "PROVIDER"]),
        ("别名", "甲；乙", "aliases", ["甲", "乙"]), ("自由文本", "是", "free_text", True),
        ("自然人应为空", "是", "must_be_empty", True), ("个人信息类别", "姓名", "pii_class", "姓名"),
        ("GB/T 39445 数据元", "01002", "gb_element", "01002"), ("敏感个人信息", "是", "sensitive", True),
        ("脱敏", "除本人外不显示内容", "mask", "HIDE"),
    ],
)  # fmt: skip
def test_each_property_of_a_field_can_be_edited_on_its_sheet(
    cast: Cast, title: str, text: str, attribute: str, value: Any
) -> None:
    before = {f.position: f for f in in_force(cast).fields.all()}
    sheet = _edit_field(cast, title, text)
    assert problems(sheet) == []
    [told] = sheet.outcome[0]["changes"]
    assert told["column"] == "数据项"
    assert len(told["old"]) == len(told["new"]) == 1
    assert title == "字段名" or title in told["new"][0]
    confirm_import(sheet, by=cast.data_officer)
    after = list(draft_of(cast).fields.all())
    assert getattr(after[0], attribute) == value
    names = [f.name for f in Field._meta.fields if f.name not in ("id", "item_version")]
    for field in after:
        for name in names:
            if field.position != 1 or name != attribute:
                assert getattr(field, name) == getattr(before[field.position], name), (field, name)


def test_a_code_set_of_a_field_can_be_changed(cast: Cast) -> None:
    row = next(n for n, f in enumerate(in_force(cast).fields.all(), start=2) if f.code_set)
    other = CodeValue.objects.exclude(code_set=in_force(cast).fields.all()[row - 2].code_set).first()
    assert other is not None
    sheet = _edit_field(cast, "代码集", other.code_set.code, row)
    confirm_import(sheet, by=cast.data_officer)
    assert draft_of(cast).fields.all()[row - 2].code_set == other.code_set


def test_the_number_in_front_decides_the_order_of_fields(cast: Cast) -> None:
    before = [f.code for f in in_force(cast).fields.all()]
    sheet = _edit_field(cast, "顺序", "99")
    assert sheet.outcome[0]["changes"] == [{"column": "数据项", "old": [], "new": [], "reordered": True}]
    confirm_import(sheet, by=cast.data_officer)
    assert [f.code for f in draft_of(cast).fields.all()] == [*before[1:], before[0]]


# --- what a row does --------------------------------------------------------------------------------------------


def test_an_existing_draft_is_rewritten_and_the_differences_are_those_from_the_draft(cast: Cast) -> None:
    draft = actions.start_draft(cast.item, by=cast.data_officer)
    actions.write_draft(draft, by=cast.data_officer, values={"name": "起草中的名称"})
    sheet = send(cast, changed(cast, name="表里的名称"))
    row = sheet.outcome[0]
    assert (row["kind"], row["changes"][0]["old"], row["changes"][0]["new"]) == (
        "changed",
        ["起草中的名称"],
        ["表里的名称"],
    )
    assert any("改写正在起草的第 2 版" in note for note in row["notes"])
    confirm_import(sheet, by=cast.data_officer)
    assert draft_of(cast).name == "表里的名称"


def test_the_same_sheet_again_makes_nothing_more(cast: Cast) -> None:
    rows = changed(cast, name="新名称")
    confirm_import(send(cast, rows), by=cast.data_officer)
    again = send(cast, rows)
    assert again.outcome[0]["kind"] == "unchanged"
    assert "已经在草案里" in again.outcome[0]["notes"][0]


def test_an_import_is_confirmed_once_and_by_its_sender(cast: Cast) -> None:
    sheet = send(cast, changed(cast, name="新名称"))
    with pytest.raises(PermissionDenied):
        confirm_import(sheet, by=cast.legal_reviewer)
    confirm_import(sheet, by=cast.data_officer)
    with pytest.raises(ValidationError, match="已经导入过"):
        confirm_import(sheet, by=cast.data_officer)


def test_a_row_of_a_version_that_is_no_longer_the_last_is_sent_back(cast: Cast) -> None:
    rows = changed(cast, name="新名称", effective="第 7 版，2021-09-01 至 长期")
    assert problems(send(cast, rows)) == [("effective", "这一行是第 7 版，该条目现在是第 1 版。请重新导出后再改。")]


def test_a_version_under_review_is_not_overwritten(cast: Cast) -> None:
    rows = changed(cast, name="新名称")
    draft = actions.start_draft(cast.item, by=cast.data_officer)
    actions.submit(
        actions.write_draft(draft, by=cast.data_officer, values={"change_note": "调整"}), by=cast.data_officer
    )
    assert problems(send(cast, rows)) == [("", "该条目已有一个办理中的版本，请先办完或退回。")]


def test_a_new_item_gets_its_first_version(cast: Cast) -> None:
    actions.propose_item(
        code="FJ1-03-MRKT-0099", category="03", polarity="N", provider=cast.market, by=cast.data_officer
    )
    row = exported(cast)[0] | {
        "条目编码": "FJ1-03-MRKT-0099",
        "条目名称": "新条目",
        "版本、生效、失效": "2027-03-01 至 长期",
    }
    sheet = send(cast, [row])
    assert (sheet.outcome[0]["kind"], problems(sheet)) == ("new", [])
    confirm_import(sheet, by=cast.data_officer)
    first = Item.objects.get(code="FJ1-03-MRKT-0099").versions.get()
    assert (first.name, first.state, str(first.effective.lower)) == ("新条目", "draft", "2027-03-01")
    assert first.fields.count() == in_force(cast).fields.count()


def test_columns_left_out_stay_as_they_are(cast: Cast) -> None:
    row = exported(cast)[0]
    rows = [{"条目编码": row["条目编码"], "条目名称": "只改名称", "备注": "给自己看的"}]
    sheet = send(cast, rows)
    assert [one["column"] for one in sheet.outcome[0]["changes"]] == ["条目名称"]
    assert "备注" in sheet.notes[0]
    assert "数据项" in sheet.notes[1]


# --- what is not for the import ------------------------------------------------------------------------------------


def test_a_prohibited_field_is_refused_and_named(cast: Cast) -> None:
    sheet = _edit_field(cast, "名称", "宗教信仰")
    assert [column for column, _ in problems(sheet)] == ["fields"]
    assert "禁止归集" in problems(sheet)[0][1]
    one = sheet.outcome[0]["problems"][0]
    assert (one["field_row"], one["part"]) == (2, "名称")
    confirm_import(sheet, by=cast.data_officer)
    assert not ItemVersion.objects.filter(state="draft").exists()


def test_an_item_of_another_department_and_an_unknown_one_are_refused_in_the_same_words(cast: Cast) -> None:
    others = [row for row in exported(cast, "in_force") if "TRAN" in row["条目编码"]]
    foreign = others[0] | {"条目名称": "别人的条目"}
    unknown = others[0] | {"条目编码": "FJ1-03-TRAN-7777"}
    found = problems(send(cast, [foreign, unknown]))
    assert [column for column, _ in found] == ["code", "code"]
    assert found[0] == found[1]


def test_a_draft_of_another_department_is_neither_exported_nor_seen(cast: Cast) -> None:
    actions.write_draft(
        actions.start_draft(cast.item, by=cast.data_officer), by=cast.data_officer, values={"name": "秘密"}
    )
    elsewhere = cast.officer_elsewhere
    for which in ("own", "drafts", "in_force"):
        assert "秘密" not in as_csv(list(to_export(elsewhere, which)), by=elsewhere).decode()


def test_a_row_without_a_basis_becomes_a_draft_that_cannot_be_handed_in(cast: Cast) -> None:
    sheet = send(cast, changed(cast, legal_bases="", change_note="去掉依据"))
    assert sheet.outcome[0]["kind"] == "new"
    assert any("没有法律政策依据" in note for note in sheet.outcome[0]["notes"])
    confirm_import(sheet, by=cast.data_officer)
    with pytest.raises(ValidationError, match="没有法律政策依据"):
        actions.submit(draft_of(cast), by=cast.data_officer)


@pytest.mark.parametrize("name", ["state", "assessment", "consultation_note", "basis_level"])
def test_columns_of_others_are_left_aside_with_a_note(cast: Cast, name: str) -> None:
    sheet = send(cast, changed(cast, **{name: "已批准"}))
    assert sheet.outcome[0]["kind"] == "unchanged"
    assert sheet.outcome[0]["notes"] == [f"“{BY_NAME[name].title}”不由本表填写，已忽略。"]


@pytest.mark.parametrize("name", ["category", "polarity", "provider", "subject_type"])
def test_what_an_item_is_cannot_be_changed(cast: Cast, name: str) -> None:
    assert [column for column, _ in problems(send(cast, changed(cast, **{name: "另一个"})))] == [name]


def test_who_may_not_propose_may_not_send_a_sheet(cast: Cast) -> None:
    for user in (cast.credit_office, cast.data_reviewer, cast.operator, cast.officer_elsewhere):
        with pytest.raises(PermissionDenied):
            send(cast, exported(cast), by=user)


# --- bad cells ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("name", "", "不能为空"), ("behaviour", "长" * 501, "最多 500 个字"),
        ("legal_bases", "没有的法/第一条", "不是已登记的条款"),
        ("disclosure", "全网公开", "可填：PUBLIC 公开公示"), ("update_freq", "随缘", "不在可填的值内"),
        ("territory", "火星", "行政区划代码"),
        ("scopes", "某局｜1", "每行写"), ("scopes", "没有的局｜1｜事项", "没有登记"), ("supply_deadline", "尽快", "7 个工作日"),
        ("min_disclosure_months", "一般三个月", "看不懂"), ("max_disclosure_months", "2 一般：12", "须写明依据"),
        ("query_retention_months", "五年", "不是整数"), ("query_retention_months", "61", "1 至 60 个月"),
        ("repairable", "不可修复", "文件代码/条款"), ("sensitive", "也许", "“是”或“否”"),
        ("effective", "明年", "2027-01-01 至 长期"), ("effective", "2027-02-30 至 长期", "不存在的日期"),
        ("repair_conditions", "看心情", "不在可填的值内"), ("min_disclosure_months", "2 一般：3", "同样的失信程度"),
    ],
)  # fmt: skip
def test_a_bad_cell_is_told_in_words_with_what_to_do(cast: Cast, name: str, text: str, says: str) -> None:
    sheet = send(cast, changed(cast, **{name: text}))
    assert sheet.outcome[0]["kind"] == "refused"
    assert any(says in message for _, message in problems(sheet)), problems(sheet)


@pytest.mark.parametrize(
    ("title", "text", "says"),
    [
        ("类型", "图片", "不在可填的值内"), ("长度上限", "很长", "不是字数"), ("必填", "看情况", "“是”或“否”"),
        ("代码集", "NONE", "没有代码集"),
        ("可见范围", "邻居", "不在可填的值内"), ("字段名", "CF_XDR_LB", "重复"), ("字段名", "", "不能为空"),
    ],
)  # fmt: skip
def test_a_bad_field_is_told_with_its_row_and_property(cast: Cast, title: str, text: str, says: str) -> None:
    sheet = _edit_field(cast, title, text)
    found = [one for row in sheet.outcome for one in row["problems"]]
    assert found
    assert all(one["column"] == "fields" for one in found)
    assert any(says in one["message"] and one["part"] == title for one in found), found
    assert any(one["field_row"] in (2, 3) for one in found)


def test_good_rows_become_drafts_and_bad_ones_come_back_marked(cast: Cast) -> None:
    book = exported_book(cast, "in_force")
    sheet, fields = book["条目"], book["数据项"]
    titles = [cell.value for cell in sheet[1]]
    row = next(n for n in range(2, sheet.max_row + 1) if sheet.cell(n, 1).value == cast.item.code)
    sheet.cell(row, titles.index("报送时限") + 1).value = "尽快"
    where = next(n for n in range(2, fields.max_row + 1) if fields.cell(n, 1).value == cast.item.code)
    fields.cell(where, [cell.value for cell in fields[1]].index("类型") + 1).value = "图片"
    sent = take_file(saved(book), name="修订.xlsx", by=cast.data_officer)
    assert sent.count("refused") == 1
    out = io.BytesIO()
    exchange_files.write_correction(bytes(sent.content), sent.outcome, out)
    back = openpyxl.load_workbook(io.BytesIO(out.getvalue()))
    assert back["条目"].max_row == 2
    titles = [cell.value for cell in back["条目"][1]]
    bad = back["条目"].cell(2, titles.index("报送时限") + 1)
    assert (bad.value, bad.fill.fgColor.rgb) == ("尽快", "FFFFC7CE")
    reasons = back["条目"].cell(2, titles.index("更正说明") + 1).value
    assert "【报送时限】" in reasons
    assert "【数据项】“数据项”表第" in reasons
    titles = [cell.value for cell in back["数据项"][1]]
    assert {back["数据项"].cell(n, 1).value for n in range(2, back["数据项"].max_row + 1)} == {cast.item.code}
    assert back["数据项"].cell(2, titles.index("类型") + 1).fill.fgColor.rgb == "FFFFC7CE"
    # Put right in the correction itself, it is a sheet like any other.
    back["条目"].cell(2, [c.value for c in back["条目"][1]].index("报送时限") + 1).value = "10 个工作日"
    back["数据项"].cell(2, titles.index("类型") + 1).value = "姓名"
    again = take_file(saved(back), name="更正件.xlsx", by=cast.data_officer)
    assert [one["column"] for one in again.outcome[0]["changes"]] == ["报送时限"], again.outcome


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "0 字节"), (b"PK\x03\x04 nonsense", "不是完好的"), ("名称,行为\n甲,乙\n".encode(), "没有“条目编码”"),
        ("条目编码,条目名称\n".encode(), "没有条目"), (b"\xff\xfe\x00\x81\x81", "不是 xlsx"),
        ("条目编码,名称,名称\n1,2,3\n".encode(), "表头重复"),
        (("条目编码\n" + "A\n" * 2001).encode(), "超过 2000 行"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_told_why(cast: Cast, content: bytes, says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        take_file(content, name="文件", by=cast.data_officer)


def test_a_sheet_saved_by_an_old_office_in_gb18030_is_read(cast: Cast) -> None:
    rows = changed(cast, name="旧编码的名称")
    content = as_file(rows).decode("utf-8-sig").encode("gb18030")
    assert take_file(content, name="修订.csv", by=cast.data_officer).outcome[0]["kind"] == "new"


def test_the_same_item_twice_in_a_sheet_is_refused(cast: Cast) -> None:
    row = changed(cast, name="一次")[0]
    found = problems(send(cast, [row, row]))
    assert found == [("code", "与第 2 行是同一条目。请只留一行。")]


def test_a_sheet_of_many_items_is_read_in_few_queries(cast: Cast, django_assert_max_num_queries: Any) -> None:
    row = exported(cast)[0]
    content = as_file([row, *({**row, "条目编码": f"FJ1-03-MRKT-{n:04d}"} for n in range(100, 600))])
    with django_assert_max_num_queries(1_120):  # a savepoint for each row, and nothing else
        take_file(content, name="很多", by=cast.data_officer)


# --- pages --------------------------------------------------------------------------------------------------------


def test_an_officer_exports_edits_looks_and_confirms(cast: Cast, as_user: Callable[[User | None], Client]) -> None:
    officer = as_user(cast.data_officer)
    assert "导入修订" in officer.get("/admin/catalogue/item/").content.decode()
    answer = officer.get("/admin/catalogue/item/export/", {"which": "own", "format": "xlsx"})
    book = openpyxl.load_workbook(io.BytesIO(b"".join(answer.streaming_content)))
    book["条目"]["B2"].value = "改过的名称"
    upload = io.BytesIO(saved(book))
    upload.name = "修订.xlsx"
    answer = officer.post("/admin/catalogue/itemimport/add/", {"file": upload}, follow=True)
    page = answer.content.decode()
    assert "改过的名称" in page
    assert "现在还没有写入任何内容" in page
    sheet = ItemImport.objects.get()
    answer = officer.post(f"/admin/catalogue/itemimport/{sheet.pk}/confirm/", follow=True)
    assert "已写成 1 份草案" in answer.content.decode()
    assert draft_of(cast).name == "改过的名称"


def test_a_file_that_is_no_sheet_is_told_beside_the_field(cast: Cast, as_user: Callable[[User | None], Client]) -> None:
    upload = io.BytesIO(b"%PDF-1.7")
    upload.name = "扫描件.pdf"
    answer = as_user(cast.data_officer).post("/admin/catalogue/itemimport/add/", {"file": upload})
    assert answer.status_code == 422
    assert "条目编码" in answer.content.decode()


def test_a_sheet_of_another_looks_like_none(cast: Cast, as_user: Callable[[User | None], Client]) -> None:
    sheet = send(cast, changed(cast, name="新名称"))
    transport = User.objects.create(username="td", name="丁", organisation=cast.transport, is_staff=True)
    transport.groups.set(cast.data_officer.groups.all())
    for tail in ("change/", "correction/", "confirm/"):
        assert as_user(transport).get(f"/admin/catalogue/itemimport/{sheet.pk}/{tail}").status_code == 404
    for stranger in (cast.credit_office, cast.operator):
        assert as_user(stranger).get(f"/admin/catalogue/itemimport/{sheet.pk}/change/").status_code == 403
    as_user(transport).post(f"/admin/catalogue/itemimport/{sheet.pk}/confirm/")
    assert not ItemVersion.objects.filter(state="draft").exists()
