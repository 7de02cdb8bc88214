"""Opening a file that someone sent: judged by its content, never by its name."""

from __future__ import annotations

import io
import re
from typing import BinaryIO

from .base import (
    CODES,
    Boolean,
    Cell,
    ErrorCell,
    FileRefused,
    Formula,
    Limits,
    Number,
    Row,
    Sheet,
    Table,
    refuse,
)
from .jsonlines import looks_like_lines, open_lines
from .ods import open_ods
from .parts import Package
from .text import open_text
from .xls import open_xls
from .xlsx import Workbook

__all__ = [
    "CODES",
    "Boolean",
    "Cell",
    "ErrorCell",
    "FileRefused",
    "Formula",
    "Limits",
    "Number",
    "Row",
    "Sheet",
    "Table",
    "open_table",
]

HEAD = 4096
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
EARLIER_XLS = (b"\x09\x00", b"\x09\x02", b"\x09\x04")  # BIFF2 to BIFF4: records without a container
NOT_TABLES = (
    (b"%PDF", "PDF 文档"),
    (b"\x89PNG", "图片"),
    (b"\xff\xd8\xff", "图片"),
    (b"GIF8", "图片"),
    (b"Rar!", "RAR 压缩包"),
    (b"7z\xbc\xaf", "7z 压缩包"),
    (b"\x1f\x8b", "gzip 压缩包"),
    (b"{\\rtf", "RTF 文档"),
    (b"MZ", "可执行程序"),
)
HTML = re.compile(r"\s*<(?:!doctype html|html|head|meta|table|body|style|div)\b", re.IGNORECASE)
SAVE_AS_XLSX = "请用 Excel 或 WPS 打开，另存为“Excel 工作簿（*.xlsx）”后上传。"


def open_table(stream: BinaryIO, *, limits: Limits | None = None) -> Table:
    """The table in a seekable stream, which must stay open while rows are read.

    Raises FileRefused with one of CODES for anything that is not a readable workbook or text table.
    """
    limits = limits or Limits()
    size = stream.seek(0, io.SEEK_END)
    if size == 0:
        refuse("F01", "文件是空的（0 字节）。请确认文件已保存，再重新上传。")
    if size > limits.max_bytes:
        refuse(
            "F02",
            f"文件有 {size / 1048576:.1f} MB，超过上限 {limits.max_bytes / 1048576:.0f} MB。请分成几个文件上传。",
        )
    stream.seek(0)
    head = stream.read(HEAD)
    if head.startswith(OLE):
        return open_xls(stream, limits)
    if head[:2] in EARLIER_XLS and head[2:4] in (b"\x04\x00", b"\x06\x00", b"\x08\x00"):
        refuse("F04", f"这是 Excel 4 或更早的 xls 文件，无法可靠读取。{SAVE_AS_XLSX}")
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")):
        return open_zip(stream, limits)
    refuse_other_kinds(head)
    if looks_like_lines(head):
        return open_lines(stream, limits)
    return open_text(stream, limits)


def open_zip(stream: BinaryIO, limits: Limits) -> Table:
    """A workbook's table, or the refusal that fits what the zip holds instead."""
    package = Package(stream, limits)
    if (
        "xl/workbook.xml" in package
        or "_rels/.rels" in package
        and "xl/workbook" in " ".join(part for _, part in package.relations("").values())
    ):
        return Workbook(package, limits).table()
    names = package.names()
    if "xl/workbook.bin" in names:
        refuse("F20", f"这是二进制工作簿（xlsb）。{SAVE_AS_XLSX}")
    if "mimetype" in names and "content.xml" in names:
        return open_ods(package, limits)
    if any(name.startswith(("word/", "ppt/")) for name in names):
        refuse("F07", "这是 Word 或 PowerPoint 文档，不是表格。请上传 xlsx、xls、ods 或 csv 文件。")
    if any(name.endswith((".xlsx", ".csv", ".xls", ".ods", ".et")) for name in names):
        refuse("F07", "这是压缩包。请先解压，再上传里面的表格文件。")
    refuse("F07", "压缩包里没有工作簿（缺少 xl/workbook.xml）。请上传 xlsx、xls、ods 或 csv 文件。")


def refuse_other_kinds(head: bytes) -> None:
    """Web pages, XML and other well-known files that are no table. Returns for plain text."""
    for magic, name in NOT_TABLES:
        if head.startswith(magic):
            refuse("F15", f"这是{name}，不是表格。请上传 xlsx、xls、ods 或 csv 文件。")
    encoding = "utf-16" if head[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    text = head.decode(encoding, "ignore").lstrip()
    if HTML.match(text) or text.startswith("<?xml") and "<html" in text.lower():
        refuse("F06", f"文件内容是网页，只是用了表格的文件名。{SAVE_AS_XLSX}")
    if text.startswith("MIME-Version:"):
        refuse("F06", f"文件内容是单个文件网页（mht）。{SAVE_AS_XLSX}")
    if text.startswith("<"):
        refuse("F15", f"文件内容是 XML，不是表格。{SAVE_AS_XLSX}")
