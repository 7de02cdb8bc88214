"""Streaming reader for csv and tab-separated text in the encodings that departments send."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from itertools import chain, islice
from typing import Any, BinaryIO

from .base import Cell, Limits, Row, Sheet, Table, column_name, refuse, refuse_long

CHUNK = 256 * 1024
SAMPLE = 1024 * 1024
BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
DELIMITERS = ",;\t"
NONSENSE = re.compile("[\x80-\x84\x86-\x9f\ue000-\uf8ff\ufffd]")
SAVE_AS_UTF8 = "请用 Excel 或 WPS 打开，另存为“CSV UTF-8”或 xlsx 文件后重新上传。"
# Characters of our own headings and of any decision, in both scripts. Text decoded with the
# wrong table hardly has any of them: 處罰 read as GB18030 is 矪籃.
FAMILIAR = frozenset(
    "的一是不人有年月日号號名类類型别別代码碼证證件处處罚罰决決定书書文违違法行为為事实實依据據"
    "内內容金额額万萬元机機关關公示期单單位备備注姓身份自然市场場监監督管理局福建省款警告没收"
)
HANZI = re.compile("[^\u3400-\u9fff]+")


def open_text(stream: BinaryIO, limits: Limits) -> Table:
    """Raises FileRefused F13 (encoding), F21 (NUL), F16 (no content)."""
    encoding = find_encoding(stream)
    delimiter = find_delimiter(stream, encoding)
    reader = TextReader(stream, encoding, delimiter, limits)
    if not any(reader.rows()):
        refuse("F16", "文件中没有任何内容。请确认选对了文件，填好数据后重新上传。")
    name = "制表符分隔文本" if delimiter == "\t" else "csv"
    shown = {"utf-8-sig": "utf-8"}.get(encoding, encoding)
    return Table("csv", name, [Sheet(name)], shown, reader.rows)


def find_encoding(stream: BinaryIO) -> str:
    """The encoding in which the whole stream decodes strictly and reads as Chinese."""
    stream.seek(0)
    sample = stream.read(SAMPLE)
    for bom, encoding in BOMS:
        if sample.startswith(bom):
            _require_decodes(stream, encoding)
            return encoding
    refuse_nul(sample)
    if (line := first_bad_line(stream, "utf-8")) is None:
        return "utf-8"
    if first_bad_line(stream, "gb18030", NONSENSE) is None and reads_as_gb18030(sample):
        return "gb18030"
    refuse(
        "F13",
        f"文字编码无法识别：既不是 UTF-8（第 {line} 行附近不符），也不是 GB18030，"
        f"可能是 Big5 等其他编码或几种编码混用。{SAVE_AS_UTF8}",
    )


def _require_decodes(stream: BinaryIO, encoding: str) -> None:
    if (line := first_bad_line(stream, encoding)) is not None:
        name = encoding.removesuffix("-sig").upper()
        refuse("F13", f"文件标明是 {name} 编码，但第 {line} 行附近不符。{SAVE_AS_UTF8}")


def first_bad_line(stream: BinaryIO, encoding: str, nonsense: re.Pattern[str] | None = None) -> int | None:
    """Line where strict decoding fails (or nonsense shows up), None when all is well.

    Raises FileRefused F21 for a NUL character.
    """
    decoder = codecs.getincrementaldecoder(encoding)()
    stream.seek(0)
    line = 1
    while True:
        data = stream.read(CHUNK)
        try:
            text = decoder.decode(data, final=not data)
        except UnicodeDecodeError as error:
            return line + data.count(b"\n", 0, max(0, error.start))
        if "\0" in text:
            refuse_nul(text.encode(errors="replace"), line)
        if nonsense and (found := nonsense.search(text)):
            return line + text.count("\n", 0, found.start())
        if not data:
            return None
        line += text.count("\n")


def refuse_nul(data: bytes, line: int = 1) -> None:
    if (place := data.find(b"\0")) >= 0:
        line += data.count(b"\n", 0, place)
        refuse("F21", f"第 {line} 行附近含有空字符（NUL），可能不是文本文件。{SAVE_AS_UTF8}")


def reads_as_gb18030(sample: bytes) -> bool:
    """Whether GB18030 gives more familiar characters than Big5 or broken UTF-8 would.

    GB18030 decodes nearly any pair of bytes into some character, so that it decodes says little.
    """
    ours = familiarity(sample, "gb18030")
    return all(ours >= familiarity(sample, other) for other in ("big5", "utf-8"))


def familiarity(sample: bytes, encoding: str) -> float:
    hanzi = HANZI.sub("", sample.decode(encoding, "ignore"))
    return sum(map(FAMILIAR.__contains__, hanzi)) / len(hanzi) if hanzi else 0.0


def find_delimiter(stream: BinaryIO, encoding: str) -> str:
    """Comma, semicolon or tab: the one that splits the first lines most evenly."""
    with View(stream, encoding) as text:
        head = text.read(64 * 1024)
    if named := re.match(r"sep=([,;\t])\r?\n", head):
        return named[1]
    return max(DELIMITERS, key=lambda delimiter: _evenness(head, delimiter))


def _evenness(head: str, delimiter: str) -> int:
    """Rows of the commonest width, weighted by that width; 0 when nothing is split."""
    try:
        widths = [len(row) for row in islice(csv.reader(io.StringIO(head, newline=""), delimiter=delimiter), 20)]
    except csv.Error:
        return 0
    common = Counter(width for width in widths if width > 1).most_common(1)
    return common[0][0] * common[0][1] if common else 0


class View:
    """The shared stream as text from its beginning; leaves the stream open."""

    def __init__(self, stream: BinaryIO, encoding: str) -> None:
        self._text = io.TextIOWrapper(io.BufferedReader(Window(stream), CHUNK), encoding, newline="")

    def __enter__(self) -> io.TextIOWrapper:
        return self._text

    def __exit__(self, *exc: object) -> None:
        self._text.close()


class Window(io.RawIOBase):
    """Own position in a stream that others read too."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._position = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._stream.seek(self._position)
        data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)


class TextReader:
    """Records of a text table; a record number is the row number Excel would show."""

    def __init__(self, stream: BinaryIO, encoding: str, delimiter: str, limits: Limits) -> None:
        self._stream = stream
        self._encoding = encoding
        self._delimiter = delimiter
        self._limits = limits

    def rows(self) -> Iterator[Row]:
        """(record number, cells), empty cells None, records without content left out."""
        limits = self._limits
        count = 0
        for number, record in self._records():
            if len(record) > limits.max_columns:
                self._check_width(number, record)
            # One look at the whole record is cheaper than one at each cell, and mostly enough.
            if len("".join(record)) > limits.max_cell_chars and max(map(len, record)) > limits.max_cell_chars:
                refuse_long(limits, f"第 {number} 行")
            cells: list[Cell] = [cell or None for cell in record]
            while cells and cells[-1] is None:
                cells.pop()
            if cells:
                count += 1
                if count > limits.max_rows:
                    refuse("F11", f"文件超过 {limits.max_rows} 行。请分成几个文件上传。")
                yield number, cells

    def _records(self) -> Iterator[tuple[int, list[str]]]:
        ended: list[bool] = []
        with View(self._stream, self._encoding) as text:
            # csv.reader asks for a line after the last one only at the end, or inside an open quote.
            reader = csv.reader(chain(text, _at_the_end(ended)), delimiter=self._delimiter)
            number = start = 0
            try:
                for number, record in enumerate(reader, 1):
                    if ended:
                        refuse(
                            "F08",
                            f"从第 {start + 1} 行起引号没有成对。请补上缺少的引号后重新上传。",
                        )
                    start = reader.line_num
                    if record and not (number == 1 and record[0].startswith("sep=")):
                        yield number, record
            except csv.Error as cause:
                refuse(
                    "F14",
                    f"第 {number + 1} 行无法读取，可能是引号没有成对。请改正后重新上传。",
                    cause,
                )

    def _check_width(self, number: int, record: list[str]) -> None:
        filled = max((i for i, cell in enumerate(record) if cell), default=-1)
        if filled >= self._limits.max_columns:
            refuse(
                "F12",
                f"第 {number} 行在 {column_name(filled)} 列还有内容，超过 "
                f"{self._limits.max_columns} 列。请删去右侧无关的内容后重新上传。",
            )


def _at_the_end(ended: list[bool]) -> Iterator[str]:
    """No line at all, only the note that one was asked for."""
    ended.append(True)
    yield from ()
