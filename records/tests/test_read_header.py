"""The header is found under titles, and what it lacks is said by name."""

import io

import pytest

from records.intake.base import Number
from records.intake.files import FileRefused, open_table
from records.intake.header import Column, find_header, is_footer, normalise_label
from records.intake.samples import COLUMNS
from records.tests.crafting import crafted

NAME = Column("MC", "姓名", True, ("当事人姓名",))
NUMBER = Column("HM", "证件号码", True, ("身份证号",))
FINE = Column("FK", "罚款金额（万元）", False, ("罚款金额",))
NOTE = Column("BZ", "备注", False)
FOUR = (NAME, NUMBER, FINE, NOTE)


def header_of(text: str, columns=FOUR):
    return find_header(open_table(io.BytesIO(text.encode())), columns)


def refusal(text: str, columns=FOUR) -> FileRefused:
    with pytest.raises(FileRefused) as caught:
        header_of(text, columns)
    assert "请" in caught.value.message
    return caught.value


@pytest.mark.parametrize(
    "label",
    [
        "罚款金额（万元）",
        "罚款金额(万元)",
        " 罚款 金额\n（万元） ",
        "*罚款金额（万元）",
        "＊罚款金额（万元）（必填）",
        "罚款金额（万元）【选填】",
        "罚款\u200b金额(万元)\ufeff",
        "3.罚款金额（万元）",
        "罚款金额（萬元）".replace("萬", "万"),
    ],
)
def test_labels_are_compared_without_ornament(label):
    assert normalise_label(label) == normalise_label("罚款金额（万元）")


def test_labels_codes_and_aliases_under_a_title():
    header = header_of("某局报送表\n2026年第一季度\n*姓 名,hm,罚款金额,自编号,备注\n张三,1,2,3,4\n")
    assert header.row_no == 3
    assert header.columns == {0: "MC", 1: "HM", 2: "FK", 4: "BZ"}
    assert header.unknown == [(3, "自编号")]
    assert header.missing == []
    assert header.data_from == 4


def test_optional_columns_may_be_missing():
    header = header_of("身份证号,当事人姓名\n1,张三\n")
    assert header.columns == {0: "HM", 1: "MC"}
    assert header.missing == [FINE, NOTE]


@pytest.mark.parametrize(
    "note",
    [
        "MC,HM,FK,BZ",
        "必填,必填,单位：万元,选填",
        "如：张三,18位字符,单位：万元,",
        ",,单位：万元,",
    ],
)
def test_a_row_of_notes_under_the_header_is_no_data(note):
    header = header_of(f"姓名,证件号码,罚款金额（万元）,备注\n{note}\n张三,359901199001010011,1,\n")
    assert header.ignored == [2]
    assert header.data_from == 3


@pytest.mark.parametrize(
    "data",
    [
        "张三,359901199001010011,1,说明",
        "张三,,1,",
        ",359901199001010011,,单位",
        "张三,G12345678,,无",
        "张三,,,",
    ],
)
def test_a_row_of_data_is_never_taken_for_a_note(data):
    assert header_of(f"姓名,证件号码,罚款金额（万元）,备注\n{data}\n").ignored == []


def test_no_header_is_refused_and_what_was_wanted_is_listed():
    error = refusal("甲,乙,丙\n1,2,3\n")
    assert error.code == "F17"
    assert "姓名" in error.message and "证件号码" in error.message
    below = "\n".join(["无关,内容"] * 25) + "\n姓名,证件号码\n"
    assert refusal(below).code == "F17"


def test_a_header_in_the_twentieth_row_is_found():
    assert header_of("\n".join(["无关,内容"] * 19) + "\n姓名,证件号码\n").row_no == 20


def test_missing_required_columns_are_named_with_what_was_not_understood():
    error = refusal("姓名,备注,身份证件号\n张三,1,2\n")
    assert error.code == "F18"
    assert "证件号码" in error.message and "身份证件号" in error.message
    assert "第 1 行" in error.message


def test_two_columns_of_the_same_kind_are_refused_with_their_letters():
    error = refusal("姓名,证件号码,备注,身份证号\n张三,1,2,3\n")
    assert error.code == "F19"
    assert "B、D 列" in error.message


def test_our_own_columns_are_recognised():
    header = header_of("姓名,证件号码,更正说明,来源行\n张三,1,2,B1#7\n")
    assert (header.reason_index, header.source_index) == (2, 3)
    assert header.unknown == []


def test_a_single_column_item_has_a_header_too():
    assert header_of("姓名\n张三\n", (NAME,)).columns == {0: "MC"}


def test_header_cells_with_line_breaks_in_a_workbook():
    row = "".join(
        f'<c r="{letter}1" t="inlineStr"><is><t>{label}</t></is></c>'
        for letter, label in zip("ABC", ["姓\n名", "证件号码&#10;（必填）", "2026"], strict=True)
    )
    header = find_header(open_table(crafted(f'<row r="1">{row}</row>')), FOUR)
    assert header.columns == {0: "MC", 1: "HM"}
    assert header.unknown == [(2, "2026")]


def test_sample_labels_and_aliases_are_all_different():
    names = [normalise_label(n) for c in COLUMNS for n in (c.label, c.code, *c.aliases)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    "cells",
    [
        ["合计", None, Number("12.5")],
        ["合  计", "12.5"],
        [None, "小计：", "3人"],
        ["总计", "共 12 条"],
        ["制表人：张三", None, "审核人：李四", "填报日期：2026-03-01"],
        ["填报单位：福建省市场监督管理局（演示）"],
        ["注：1. 本表每周报送一次。"],
        ["制表人", "张三", "复核人", "李四"],
        ["填表日期", "2026年3月1日"],
        ["说明：金额单位为万元"],
    ],
)
def test_footers(cells):
    assert is_footer(cells)


@pytest.mark.parametrize(
    "cells",
    [
        [],
        [None, None],
        ["张三", "自然人", "身份证"],
        ["合计林", "自然人", "身份证", "359901199001010011"],
        ["合计", "自然人", "身份证", "359901199001010011"],
        ["合计", "当事人于2026年3月1日在市场销售不合格商品"],
        ["注册商标侵权", "1"],
        ["1", "张三"],
        [Number("1"), "合计"],
    ],
)
def test_lines_of_data_are_no_footers(cells):
    assert not is_footer(cells)
