"""A file that cannot be taken is refused with a code and with what to do next."""

import io
import struct
import zipfile
import zlib

import openpyxl
import pytest

from records.intake.base import CODES
from records.intake.files import FileRefused, Limits, open_table
from records.tests.crafting import crafted, ole, text_row, zipped

DO_NEXT = ("请",)
GOOD_ROW = text_row(1, "姓名", "证件号码")


def refusal(data: bytes | io.BytesIO, limits: Limits | None = None) -> FileRefused:
    """The refusal met when the file is opened and read to its end."""
    stream = io.BytesIO(data) if isinstance(data, bytes) else data
    with pytest.raises(FileRefused) as caught:
        for _ in open_table(stream, limits=limits or Limits()).rows():
            pass
    error = caught.value
    assert error.code in CODES
    assert any(word in error.message for word in DO_NEXT), error.message
    assert error.code in str(error)
    assert error.title in str(error)
    return error


@pytest.mark.parametrize(
    ("data", "code", "says"),
    [
        (b"", "F01", "空"),
        (ole(b"", "EncryptedPackage"), "F03", "密码"),
        (ole(b"", "Book"), "F04", "Excel 95"),
        (ole(b"", "WordDocument"), "F07", "Word"),
        (ole(b"", "SomethingElse"), "F07", "没有工作簿"),
        (ole(b"", "_VBA_PROJECT_CUR"), "F09", "宏"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 2000, "F08", "没有传完"),
        (b"\x09\x04\x06\x00\x00\x04\x10\x00", "F04", "Excel 4"),
        (b"<html><table><tr><td>1</td></tr></table></html>", "F06", "另存为"),
        (b"\xef\xbb\xbf\r\n <!DOCTYPE HTML><html>", "F06", "网页"),
        ("\ufeff<table><tr>".encode("utf-16-le"), "F06", "网页"),
        (b'<?xml version="1.0"?>\n<html xmlns="x">', "F06", "网页"),
        (b"MIME-Version: 1.0\r\nContent-Type: multipart/related", "F06", "mht"),
        (b'<?xml version="1.0"?><Workbook xmlns="urn:x">', "F15", "XML"),
        (b"%PDF-1.7\n", "F15", "PDF"),
        (b"\x89PNG\r\n\x1a\n", "F15", "图片"),
        (b"Rar!\x1a\x07", "F15", "RAR"),
        (b"PK\x03\x04 and then nothing", "F08", "重新上传"),
        (b"\n\n , ,\n".replace(b" ", b""), "F16", "没有任何内容"),
    ],
)
def test_other_kinds_of_file_are_named(data, code, says):
    error = refusal(data)
    assert error.code == code
    assert says in error.message


@pytest.mark.parametrize(
    ("parts", "code", "says"),
    [
        ({"a.txt": b"1"}, "F07", "没有工作簿"),
        ({"数据.xlsx": b"1"}, "F07", "解压"),
        ({"word/document.xml": b"<w/>"}, "F07", "Word"),
        ({"xl/workbook.bin": b"1"}, "F20", "xlsb"),
        ({"mimetype": b"application/vnd.oasis.opendocument.text", "content.xml": b"<x/>"}, "F07", "没有工作表"),
    ],
)
def test_a_zip_that_is_no_workbook_is_named(parts, code, says):
    error = refusal(zipped(parts))
    assert error.code == code
    assert says in error.message


def test_macros_are_refused():
    assert refusal(crafted(GOOD_ROW, extra={"xl/vbaProject.bin": b"x"})).code == "F09"
    assert refusal(crafted(GOOD_ROW, extra={"xl\\macrosheets\\s.xml": b"x"})).code == "F09"


def test_too_many_bytes_rows_columns_and_letters():
    rows = "".join(text_row(n, "一", "二") for n in range(1, 12))
    assert refusal(crafted(rows), Limits(max_bytes=100)).code == "F02"
    assert refusal(crafted(rows), Limits(max_rows=10)).code == "F11"
    assert refusal(crafted(rows), Limits(max_columns=1)).code == "F12"
    assert refusal(crafted(text_row(1, "长" * 33_000))).code == "F14"
    assert refusal(crafted(text_row(1, "长" * 40)), Limits(max_cell_chars=39)).code == "F14"
    shared = '<row r="1"><c r="A1" t="s"><v>0</v></c></row>'
    assert refusal(crafted(shared, strings=f"<si><t>{'长' * 33_000}</t></si>")).code == "F14"
    csv = "姓名,号码\n" * 11
    assert refusal(csv.encode(), Limits(max_rows=10)).code == "F11"
    assert refusal(csv.encode(), Limits(max_columns=1)).code == "F12"
    assert refusal(("姓名," + "长" * 40_000).encode()).code == "F14"


def test_ten_thousand_columns_are_refused_and_named():
    book = openpyxl.Workbook()
    book.active.append([str(n) for n in range(10_000)])
    out = io.BytesIO()
    book.save(out)
    error = refusal(out)
    assert error.code == "F12"
    assert "GS 列" in error.message
    assert refusal((",".join(["x"] * 10_000) + "\n").encode()).code == "F12"


def test_formatted_empty_cells_far_to_the_right_do_no_harm():
    row = '<row r="1"><c r="A1" t="inlineStr"><is><t>姓名</t></is></c><c r="XFD1" s="1"/></row>'
    assert list(open_table(crafted(row)).rows()) == [(1, ["姓名"])]
    odd = row.replace("<is>", "<!-- x --><is>")
    assert list(open_table(crafted(odd)).rows()) == [(1, ["姓名"])]


def test_billion_laughs_and_external_entities_are_refused():
    laughs = '<!DOCTYPE l [<!ENTITY a "ha">' + "".join(
        f'<!ENTITY {chr(98 + i)} "{f"&{chr(97 + i)};" * 10}">' for i in range(9)
    )
    row = '<row r="1"><c r="A1" t="inlineStr"><is><t>&{};</t></is></c></row>'
    sheet = laughs + f"]><worksheet><sheetData>{row.format('j')}</sheetData></worksheet>"
    assert refusal(crafted(sheet)).code == "F22"
    outside = '<!DOCTYPE w [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    sheet = outside + f"<worksheet><sheetData>{row.format('x')}</sheetData></worksheet>"
    assert refusal(crafted(sheet)).code == "F22"
    wide = f'<?xml version="1.0" encoding="utf-16"?>{sheet}'
    assert refusal(crafted(wide)).code == "F22"
    shared = '<row r="1"><c r="A1" t="s"><v>0</v></c></row>'
    strings = f'{outside}<sst xmlns="x"><si><t>&x;</t></si></sst>'
    assert refusal(crafted(shared, strings=strings)).code == "F22"
    workbook = crafted(GOOD_ROW, extra={"xl/styles.xml": f"{outside}<styleSheet/>".encode()})
    assert refusal(workbook).code == "F22"


def test_an_unknown_entity_is_damage():
    assert refusal(crafted(text_row(1, "&nbsp;"))).code == "F08"


def test_a_zip_bomb_is_refused_before_unpacking():
    bomb = crafted(GOOD_ROW, extra={"xl/media/x.xml": b" " * 60_000_000})
    assert bomb.getbuffer().nbytes < 200_000
    error = refusal(bomb)
    assert error.code == "F10"
    assert "倍" in error.message


def test_a_bomb_that_lies_about_its_size_stops_while_streaming():
    rows = "".join(text_row(n, "一" * 50) for n in range(1, 100_000))
    honest = crafted(rows).getvalue()
    name = b"xl/worksheets/sheet1.xml"
    at = honest.rindex(name) - 46  # its central directory entry
    size = struct.unpack_from("<I", honest, at + 24)[0]
    lying = bytearray(honest)
    struct.pack_into("<I", lying, at + 24, size // 100)
    assert refusal(bytes(lying)).code == "F08"
    assert refusal(honest, Limits(ratio_from=1_000_000, max_ratio=20)).code == "F10"


def test_a_part_is_counted_again_while_it_streams(monkeypatch):
    monkeypatch.setattr("records.intake.parts.Package._check_sizes", lambda *_: None)
    rows = "".join(text_row(n, "一" * 50) for n in range(1, 100_000))
    assert refusal(crafted(rows), Limits(ratio_from=1_000_000, max_ratio=20)).code == "F10"
    assert refusal(crafted(rows), Limits(ratio_from=0, max_unpacked=5_000_000)).code == "F10"


def test_a_truncated_or_altered_zip_is_damaged():
    whole = crafted("".join(text_row(n, f"甲{n}") for n in range(1, 2000))).getvalue()
    assert refusal(whole[: len(whole) // 2]).code == "F08"
    assert refusal(whole[:-30]).code == "F08"
    altered = bytearray(whole)
    place = whole.index(b"xl/worksheets/sheet1.xml") + 2000
    altered[place : place + 8] = b"\xff" * 8
    assert refusal(bytes(altered)).code == "F08"


def test_a_directory_that_points_before_the_file_begins_is_damaged():
    altered = bytearray(crafted(GOOD_ROW).getvalue())
    offset = altered.rindex(b"PK\x05\x06") + 16
    struct.pack_into("<I", altered, offset, struct.unpack_from("<I", altered, offset)[0] + 65_536)
    assert refusal(bytes(altered)).code == "F08"


def test_a_wrong_checksum_is_damaged():
    whole = crafted(GOOD_ROW, compression=zipfile.ZIP_STORED).getvalue()
    altered = whole.replace("姓名".encode(), "性名".encode())
    assert zlib.crc32(altered) != zlib.crc32(whole)
    assert refusal(altered).code == "F08"


def test_a_password_on_the_zip_is_named():
    data = bytearray(crafted(GOOD_ROW).getvalue())
    at = data.index(b"PK\x01\x02")
    data[at + 8] |= 1
    assert refusal(bytes(data)).code == "F03"


def test_the_same_part_twice_is_damaged():
    assert refusal(crafted(GOOD_ROW, extra={"XL/workbook.xml": b"<x/>"})).code == "F08"


def test_missing_parts_and_sheets():
    assert refusal(zipped({"xl/workbook.xml": b"<workbook"})).code == "F08"
    assert refusal(zipped({"xl/workbook.xml": b"<document xmlns='x'/>"})).code == "F07"
    empty = b"<workbook xmlns='x'><sheets/></workbook>"
    assert refusal(zipped({"xl/workbook.xml": empty})).code == "F16"


@pytest.mark.parametrize(
    "sheet",
    [
        '<worksheet><sheetData><row r="1"><c r="A1"><v>1</v></c></row>',
        '<worksheet><sheetData><row r="1"><c r="A1"><v>1</c></row></sheetData></worksheet>',
        '<worksheet><sheetData><row r="1"><c r="A1"><v>1</v></c></sheetData></worksheet>',
        text_row(1, "a & b"),
        text_row(1, "\x01"),
        text_row(1, "\ud800"),
        '<row r="1"><c r="A1" t="s"><v>7</v></c></row>',
        '<row r="1"><c r="A1" t="s"><v>-1</v></c></row>',
        '<row r="1"><c r="A1" t="s"><v>x</v></c></row>',
        text_row(5, "后") + text_row(3, "前"),
        text_row(5, "一") + text_row(5, "二"),
        text_row(1_048_577, "太远"),
        '<row r="0"><c r="A0"><v>1</v></c></row>',
    ],
)
def test_damaged_sheets_are_refused_not_guessed(sheet):
    assert refusal(crafted(sheet, strings="<si><t>甲</t></si>")).code == "F08"


def test_hidden_sheets_only_is_refused_with_advice():
    error = refusal(crafted("", GOOD_ROW, hidden=(2,)))
    assert error.code == "F16"
    assert "取消隐藏" in error.message
    assert refusal(crafted("", "")).code == "F16"
