"""Text tables are read in the encodings and with the separators that departments send."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from records.intake.files import FileRefused, open_table

LINES = "姓名,证件号码,违法事实\r\n张三,359901199001010011,当事人在市场销售不合格商品\r\n"
ROWS = [
    (1, ["姓名", "证件号码", "违法事实"]),
    (2, ["张三", "359901199001010011", "当事人在市场销售不合格商品"]),
]


def table_of(data: bytes):
    return open_table(io.BytesIO(data))


def refusal(data: bytes) -> FileRefused:
    with pytest.raises(FileRefused) as caught:
        list(table_of(data).rows())
    assert "请" in caught.value.message
    return caught.value


@pytest.mark.parametrize(
    ("encoding", "named"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8"),
        ("utf-16", "utf-16"),
        ("gb18030", "gb18030"),
        ("gbk", "gb18030"),
        ("gb2312", "gb18030"),
    ],
)
def test_encodings(encoding, named):
    table = table_of(LINES.encode(encoding))
    assert (table.kind, table.encoding) == ("csv", named)
    assert list(table.rows()) == ROWS
    assert list(table.rows()) == ROWS


def test_utf_16_of_the_other_byte_order():
    assert list(table_of(b"\xfe\xff" + LINES.encode("utf-16-be")).rows()) == ROWS


def test_four_byte_characters_of_gb18030():
    lines = LINES.replace("张三", "𠮷㛃䶮")
    table = table_of(lines.encode("gb18030"))
    assert next(cells for number, cells in table.rows() if number == 2)[0] == "𠮷㛃䶮"


def test_gb18030_characters_cut_by_the_read_buffer():
    lines = LINES + "".join(f"李{n},,{'事' * (n % 50)}\n" for n in range(30_000))
    rows = list(table_of(lines.encode("gb18030")).rows())
    assert len(rows) == 30_002
    assert rows[-1] == (30_002, ["李29999", None, "事" * 49])


def test_big5_is_refused():
    big5 = "姓名,證件號碼,違法事實\r\n張三,359901199001010011,當事人在市場銷售不合格商品\r\n"
    error = refusal(big5.encode("big5"))
    assert error.code == "F13"
    assert "Big5" in error.message


@pytest.mark.parametrize("encoding", ["shift_jis", "euc_kr"])
def test_other_asian_encodings_do_not_pass_silently(encoding):
    text = {
        "shift_jis": "氏名,番号\nやまだたろう,カタカナ\n",
        "euc_kr": "이름,번호\n홍길동,대한민국\n",
    }[encoding]
    try:
        table = table_of(text.encode(encoding))
    except FileRefused as error:
        assert error.code == "F13"
    else:
        assert table.encoding == "gb18030"  # decodes, and then no header will be found


def test_mixed_encodings_are_refused_with_the_line():
    mixed = LINES.encode() * 3 + LINES.encode("gb18030")
    error = refusal(mixed)
    assert error.code == "F13"
    assert "第 7 行" in error.message
    assert refusal(LINES.encode("gb18030") * 3 + LINES.encode()).code == "F13"


def test_a_byte_order_mark_that_lies():
    assert refusal(b"\xef\xbb\xbf" + LINES.encode("gb18030")).code == "F13"


def test_nul_characters_are_refused():
    assert refusal(LINES.encode() + b"a,\0,b\n").code == "F21"
    assert refusal(LINES.encode("utf-16-le")).code in {"F21", "F13"}
    late = LINES.encode() + b"a,b\n" * 300_000 + b"\0"
    assert refusal(late).code == "F21"
    assert refusal("﻿姓名,\0".encode("utf-16")).code == "F21"


def test_nonsense_of_private_and_control_characters_is_refused():
    assert refusal("姓名,号码\n\ue000\ue001,1\n".encode("gb18030")).code == "F13"


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_separators(separator):
    rows = [["姓名", "金额", "备注"], ["张三", "1.5", "甲，乙"], ["李四", "2", "丙"]]
    text = "\n".join(separator.join(row) for row in rows)
    assert [cells for _, cells in table_of(text.encode()).rows()] == rows


def test_a_title_above_does_not_confuse_the_separator():
    text = "行政处罚信息（自然人）\n姓名;金额;备注\n张三;1,5;a,b\n"
    assert list(table_of(text.encode()).rows())[1] == (2, ["姓名", "金额", "备注"])


def test_the_separator_may_be_named_in_the_first_line():
    assert list(table_of("sep=;\r\n姓名;号码\r\n".encode()).rows()) == [(2, ["姓名", "号码"])]


def test_line_breaks_and_separators_inside_quotes():
    text = '姓名,事实\r\n张三,"第一行\n第二行,""引""\r\n"\r\n\r\n李四,丙\r\n'
    assert list(table_of(text.encode()).rows()) == [
        (1, ["姓名", "事实"]),
        (2, ["张三", '第一行\n第二行,"引"\r\n']),
        (4, ["李四", "丙"]),
    ]


def test_an_open_quote_is_refused_with_its_line():
    error = refusal('姓名,事实\n张三,"开了没关\n李四,乙\n'.encode())
    assert error.code == "F08"
    assert "第 2 行" in error.message
    assert refusal(('姓名,事实\n张三,"' + "很长,\n" * 60_000).encode()).code == "F14"


def test_ragged_and_padded_rows():
    text = "姓名,号码,备注\n张三\n李四,1,2,3\n,,\n王五,,\n"
    assert list(table_of(text.encode()).rows()) == [
        (1, ["姓名", "号码", "备注"]),
        (2, ["张三"]),
        (3, ["李四", "1", "2", "3"]),
        (5, ["王五"]),
    ]


def test_one_column_and_no_line_end():
    assert list(table_of("姓名".encode()).rows()) == [(1, ["姓名"])]


@given(st.binary(max_size=300))
def test_no_bytes_break_the_reader(data):
    """Whatever comes in: rows or a refusal, never another exception."""
    for start in (b"", b"PK\x03\x04", "姓名,号码\n".encode()):
        try:
            rows = list(table_of(start + data).rows())
        except FileRefused as error:
            assert error.message
        else:
            assert rows
