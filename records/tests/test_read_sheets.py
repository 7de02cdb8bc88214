"""Two header rows, several sheets, what is hidden or merged: read as its sender means it, or said aloud."""

import io

import openpyxl
import pytest

from records.intake.base import SHEET_STEP, FileRefused, place
from records.intake.correction import Problem, write_correction
from records.intake.files import open_table
from records.intake.header import Column, find_header, is_footer, merged_notes
from records.tests.crafting import crafted, text_row

NAME = Column("MC", "姓名", True, ("当事人姓名",))
NUMBER = Column("HM", "证件号码", True, ("身份证号",))
DOC = Column("WSH", "决定书文号", True)
CONTENT = Column("NR", "处罚内容", False)
FINE = Column("FK", "罚款金额（万元）", False, ("罚款金额",))
SEIZED = Column("MS", "没收金额", False)
ORGAN = Column("JG", "处罚机关", False)
ORGAN_CODE = Column("JGDM", "处罚机关代码", False)
COLUMNS = (NAME, NUMBER, DOC, CONTENT, FINE, SEIZED, ORGAN, ORGAN_CODE)
ID = "359901199001010011"


def workbook(*sheets: tuple[str, list[list]], hidden=()) -> io.BytesIO:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets:
        sheet = book.create_sheet(name)
        sheet.sheet_state = "hidden" if name in hidden else "visible"
        for row in rows:
            sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out


def read(stream, columns=COLUMNS):
    table = open_table(stream)
    header = find_header(table, columns)
    rows = [(n, cells) for n, cells in table.rows() if n >= header.data_from and not is_footer(cells)]
    return table, header, rows


def by_code(header, cells):
    return {code: cells[index] for index, code in header.columns.items() if index < len(cells)}


# --- two header rows ---------------------------------------------------------------------------------


TWO_ROWS = [
    ["某局报送表"],
    ["序号", "当事人", None, "决定书文号", "处罚内容", None, "处罚机关", None],
    [None, "姓名", "证件号码", None, "罚款金额（万元）", "没收金额", "名称", "代码"],
    ["1", "张三", ID, "闽1号", "1.5", None, "某局", "1135"],
]


@pytest.mark.parametrize("as_csv", [False, True])
def test_group_headings_above_column_headings(as_csv):
    if as_csv:
        text = "\n".join(",".join(cell or "" for cell in row) for row in TWO_ROWS)
        table, header, rows = read(io.BytesIO(text.encode()))
    else:
        table, header, rows = read(workbook(("一", TWO_ROWS)))
    assert header.row_no == 3
    assert header.data_from == 4
    assert header.unknown == [(0, "序号")]
    assert by_code(header, rows[0][1]) == {
        "MC": "张三", "HM": ID, "WSH": "闽1号", "FK": "1.5", "MS": None, "JG": "某局", "JGDM": "1135",
    }  # fmt: skip


def test_a_group_heading_that_is_a_column_elsewhere_does_not_take_the_columns_below_it():
    rows = [["姓名", "证件号码", "决定书文号", "处罚内容"], [None, None, None, "罚款金额"], ["张三", ID, "闽1号", "2"]]
    _, header, data = read(workbook(("一", rows)))
    assert by_code(header, data[0][1]) == {"MC": "张三", "HM": ID, "WSH": "闽1号", "FK": "2"}


def test_a_name_under_somebody_else_is_never_the_persons_own():
    rows = [
        ["法定代表人", None, "决定书文号"],
        ["姓名", "证件号码", None],
        ["李四", ID, "闽1号"],
    ]
    with pytest.raises(FileRefused) as caught:
        read(workbook(("一", rows)))
    assert caught.value.code == "F18"
    assert "“姓名”" in caught.value.message and "法定代表人（姓名）" in caught.value.message
    both = [
        ["当事人", None, "举报人", None, "决定书文号"],
        ["姓名", "证件号码", "姓名", "证件号码", None],
        ["张三", ID, "王五", "359901197606150042", "闽1号"],
    ]
    _, header, data = read(workbook(("一", both)))
    assert by_code(header, data[0][1]) == {"MC": "张三", "HM": ID, "WSH": "闽1号"}
    assert [label for _, label in header.unknown] == ["举报人（姓名）", "举报人（证件号码）"]


def test_a_title_or_a_row_of_units_makes_no_second_header_row():
    rows = [
        ["罚款金额一览"],
        ["姓名", "证件号码", "决定书文号", "罚款金额"],
        ["", "", "", "单位：万元"],
        ["张三", ID, "1", "2"],
    ]
    _, header, data = read(workbook(("一", rows)))
    assert (header.row_no, header.ignored) == (2, [3])
    assert [number for number, _ in data] == [4]


def test_a_line_of_data_is_never_half_a_header():
    rows = [["姓名", "证件号码", "决定书文号", "备用"], ["张三", ID, "1", "处罚内容"]]
    _, header, data = read(workbook(("一", rows)))
    assert header.row_no == 1 and len(data) == 1


def test_the_correction_of_a_two_row_header_comes_back_the_same():
    table, header, rows = read(workbook(("一", TWO_ROWS)))
    out = io.BytesIO()
    problems = {4: [Problem("HM", "I16", "校验位不对。请核对。")]}
    assert write_correction(out, table, header, problems, batch_no="B20261124-000001", id_columns={"HM"}) == 1
    _, again, data = read(out)
    assert again.columns == header.columns
    assert data[0][1][again.source_index] == "B20261124-000001#4"
    assert by_code(again, data[0][1]) == by_code(header, rows[0][1])


# --- several sheets ----------------------------------------------------------------------------------


HEAD = ["姓名", "证件号码", "决定书文号"]


def test_sheets_with_the_same_header_are_read_on_and_their_rows_say_so():
    book = workbook(
        ("一月", [HEAD, ["张三", ID, "1"], ["合计", "1条"]]),
        ("二月", [["二月报送表"], HEAD, ["李四", ID, "2"], ["王五", ID, "3"]]),
        ("三月", [HEAD]),
    )
    table, header, rows = read(book)
    assert [(place(number), cells[0]) for number, cells in rows] == [
        ("第 2 行", "张三"), ("第 2 张表第 3 行", "李四"), ("第 2 张表第 4 行", "王五"),
    ]  # fmt: skip
    assert table.sheet_names == "一月、二月"
    assert table.notes == ["工作表“二月”与“一月”表头相同，已接着读取，行号写作“第 2 张表第几行”。"]
    out = io.BytesIO()
    wrong = {SHEET_STEP + 4: [Problem("HM", "I16", "校验位不对。")]}
    write_correction(out, table, header, wrong, batch_no="B20261124-000001", id_columns={"HM"})
    again, back, data = read(out)
    assert [cells[0] for _, cells in data] == ["王五"]
    assert data[0][1][back.source_index] == f"B20261124-000001#{SHEET_STEP + 4}"
    assert "填写说明" in again.notes[0]


def test_what_is_left_unread_is_counted():
    book = workbook(
        ("报送", [HEAD, ["张三", ID, "1"]]),
        ("示例", [HEAD, ["某某", ID, "1"], ["某某", ID, "2"]]),
        ("统计", [["县区", "件数"], ["鼓楼", "3"]]),
        ("旧", [HEAD, ["赵六", ID, "9"]]),
        ("空", []),
        hidden=("旧",),
    )
    table, _, rows = read(book)
    assert len(rows) == 1
    assert table.notes == [
        "工作表“示例”按名称不是报送数据（如应报送请改名），其中有内容的 3 行未读取。",
        "工作表“统计”没有本条目的表头，其中有内容的 2 行未读取。",
        "工作表“旧”是隐藏的，其中有内容的 2 行未读取。",
    ]


def test_instructions_on_the_first_sheet_do_not_hide_the_data():
    table, _, rows = read(workbook(("填报说明", [["请先阅读"], ["第一条"]]), ("数据", [HEAD, ["张三", ID, "1"]])))
    assert table.sheet == "数据"
    assert len(rows) == 1
    assert table.notes == ["工作表“填报说明”按名称不是报送数据（如应报送请改名），其中有内容的 2 行未读取。"]
    table, _, _ = read(
        workbook(
            ("模板", [HEAD, ["张三", ID, "1"]]),
        )
    )
    assert table.sheet == "模板"


@pytest.mark.parametrize(
    ("second", "says"),
    [
        ([["证件号码", "姓名", "决定书文号"], [ID, "李四", "2"]], "表头与前面的工作表不同"),
        ([["姓名", "证件号码", "文书"], ["李四", ID, "2"]], "表头与前面的工作表不同"),
        ([["李四", ID, "2"]], "没有表头"),
    ],
)
def test_data_that_cannot_be_read_on_refuses_the_file(second, says):
    with pytest.raises(FileRefused) as caught:
        read(workbook(("一月", [HEAD, ["张三", ID, "1"]]), ("二月", second)))
    assert caught.value.code == "F23"
    assert says in caught.value.message and "二月" in caught.value.message and "请" in caught.value.message


# --- hidden and merged -------------------------------------------------------------------------------


def test_hidden_rows_and_columns_of_every_sheet_are_told():
    rows = text_row(1, *HEAD) + text_row(2, "张三", ID, "1")
    columns = '<cols><col min="2" max="2" width="9" hidden="1"/><col min="50" max="16384" hidden="1"/></cols>'
    first = f"<worksheet>{columns}<sheetData>{rows}</sheetData></worksheet>"
    second = rows.replace('<row r="2"', '<row r="2" hidden="1"')
    table, _, _ = read(crafted(first, second))
    assert "有 1 列处于隐藏状态（B），仍已读取。" in table.notes
    assert "“表2”有 1 行处于隐藏状态（如第 2 行），仍已读取。" in table.notes


def test_merged_cells_in_the_data_are_told_and_those_above_are_not():
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "一"
    for row in (["报送表"], HEAD, ["张三", ID, "1"], [None, ID, "2"], ["合计"]):
        sheet.append(row)
    for name in ("A1:C1", "A3:A4", "A5:C5"):
        sheet.merge_cells(name)
    out = io.BytesIO()
    book.save(out)
    table, header, _ = read(out)
    assert merged_notes(table, header) == [
        "数据区有合并单元格（“一”A3:A4），其中没有内容的格按空读取。请取消合并，逐行填写。"
    ]
