"""Streaming reader for JSON lines: one object per line, the item's field codes (or labels) as keys.

What systems send needs no guessing: the keys are the header, every line is a row, and its number is the line's. A key that
no field has refuses the file, for a system that spells a key wrong would lose the field in silence.
"""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, BinaryIO, NoReturn

from .base import Boolean, Cell, Limits, Number, Row, Sheet, Table, refuse, refuse_long
from .header import OURS, REASON_LABEL, SOURCE_LABEL, Column, Header, known_names, normalise_label
from .text import CHUNK, Window

LONGEST_LINE = 1 << 20  # bytes
BOM = b"\xef\xbb\xbf"
NAME = "JSON 行"
ONE_OBJECT = "请每行写一个完整的 JSON 对象，键为数据项代码，值为文字、数字、true/false 或 null。"


def looks_like_lines(head: bytes) -> bool:
    """Tell whether a file begins as JSON does; no heading of a text table does."""
    return head.removeprefix(BOM).lstrip()[:1] in (b"{", b"[")


def open_lines(stream: BinaryIO, limits: Limits) -> Table:
    """Raises FileRefused F25 (no JSON lines), F12, F13, F14, F21, F11; read to the end once, so that damage is found first."""
    reader = LineReader(stream, limits)
    reader.look()
    return Table("jsonl", NAME, [Sheet(NAME)], "utf-8", reader.rows, exact=True)


class LineReader:
    """The objects of a stream as rows: row 0 holds the keys, in the order in which they first appear."""

    def __init__(self, stream: BinaryIO, limits: Limits) -> None:
        self._stream = stream
        self._limits = limits
        self._keys: dict[str, int] = {}  # key → index of its column

    def look(self) -> None:
        """Read every line once for its keys and for damage. Raises FileRefused."""
        keys, limits = self._keys, self._limits
        for count, (number, found) in enumerate(self._objects(_CAREFUL), 1):
            if count > limits.max_rows:
                refuse("F11", f"内容超过 {limits.max_rows} 行。请分成几次报送。")
            if not keys.keys() >= found.keys():
                for key in found:
                    keys.setdefault(key, len(keys))
            if len(keys) > limits.max_columns:
                refuse(
                    "F12",
                    f"到第 {number} 行为止已有 {len(keys)} 种键，超过 {limits.max_columns} 种。请只报送条目的数据项。",
                )

    def rows(self) -> Iterator[Row]:
        """Yield (0, keys), then (line number, cells): a cell for every key, None where a line has no such key."""
        keys, limits = list(self._keys), self._limits
        yield 0, list(keys)
        for number, found in self._objects(_AGAIN):
            values: list[Any] = list(map(found.get, keys))
            # One look at the whole row is cheaper than one at each value, and mostly enough.
            if {*map(type, values)} <= _TEXTS and len("".join(values)) <= limits.max_cell_chars:
                yield number, [value or None for value in values]
            else:
                yield number, [cell_of(value, number, limits) for value in values]

    def _objects(self, decoder: json.JSONDecoder) -> Iterator[tuple[int, dict[str, Any]]]:
        reader = io.BufferedReader(Window(self._stream), CHUNK)
        for number, line in enumerate(iter(lambda: reader.readline(LONGEST_LINE + 1), b""), 1):
            if len(line) > LONGEST_LINE:
                refuse("F14", f"第 {number} 行超过 {LONGEST_LINE >> 20} MB。{ONE_OBJECT}")
            said = line.removeprefix(BOM) if number == 1 else line
            if said.strip():
                yield number, _object(said, number, decoder)


def _object(line: bytes, number: int, decoder: json.JSONDecoder) -> dict[str, Any]:
    """Return a line's object, numbers as the text they were written in. Raises FileRefused."""
    try:
        text = line.decode()
    except UnicodeDecodeError as cause:
        refuse("F13", f"第 {number} 行不是 UTF-8 编码。JSON 行须用 UTF-8。", cause)
    try:
        found = decoder.decode(text)
    except (ValueError, RecursionError) as cause:
        refuse("F25", f"第 {number} 行不是完整的 JSON。{ONE_OBJECT}", cause)
    if type(found) is not dict:
        refuse("F25", f"第 {number} 行不是 JSON 对象。{ONE_OBJECT}")
    if "\\u" in text:
        _refuse_unwritable(found, number)
    return found


def _no_number(word: str) -> NoReturn:
    raise ValueError(word)  # NaN and Infinity are no JSON


def _no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key twice")
    return found


# Numbers stay the text that they were written in. Made once: json.loads would make a decoder for every line.
_NUMBERS: dict[str, Any] = {"parse_int": Number, "parse_float": Number, "parse_constant": _no_number}
_CAREFUL = json.JSONDecoder(**_NUMBERS, object_pairs_hook=_no_key_twice)
_AGAIN = json.JSONDecoder(**_NUMBERS)
_TEXTS = {str, Number}


def _refuse_unwritable(found: dict[str, Any], number: int) -> None:
    """Escapes can name what no text holds: NUL, and halves of a character."""
    for text in (*found, *(value for value in found.values() if isinstance(value, str))):
        if "\0" in text:
            refuse("F21", f"第 {number} 行含有空字符（\\u0000）。请去掉后重新报送。")
        if any("\ud800" <= character <= "\udfff" for character in text):
            refuse("F13", f"第 {number} 行含有不成对的 \\ud… 转义，不是完整的字。请改用字本身。")


def cell_of(value: Any, number: int, limits: Limits) -> Cell:
    """Return a JSON value as a cell. Raises FileRefused for a list or an object, and for a text too long."""
    if value is None or value == "":
        return None
    if isinstance(value, str):
        if len(value) > limits.max_cell_chars:
            refuse_long(limits, f"第 {number} 行")
        return value
    if isinstance(value, bool):
        return Boolean(str(value).upper())
    refuse("F25", f"第 {number} 行有的值是数组或对象。多个取值请写成一段文字，用“；”隔开。")


def header_of_lines(table: Table, columns: Sequence[Column]) -> Header:
    """Return the header that the keys make; what every line lacks is a column of empty cells, so that each row is told.

    Raises FileRefused: F26 for a key that no field has, F19 for a field under two keys.
    """
    [(_, keys)] = islice(table.rows(), 1)
    names = known_names(columns)
    labels = [normalise_label(key) for key in keys]
    found = {at: names[label] for at, label in enumerate(labels) if label in names}
    if unknown := [str(key) for at, key in enumerate(keys) if at not in found and labels[at] not in OURS]:
        shown = "、".join(f"“{key[:40]}”" for key in unknown[:8])
        refuse("F26", f"有条目没有的键：{shown}。目录之外不归集，请核对拼写或删去。条目的数据项见征集目录。")
    if repeated := [code for code, count in Counter(found.values()).items() if count > 1]:
        refuse("F19", f"同一数据项用了不止一个键：{'、'.join(repeated)}。请每项只用一个键。")
    absent = [column for column in columns if column.code not in found.values()]
    required = [column.code for column in absent if column.required]
    cells: list[Cell] = [*keys, *required]
    found |= dict(enumerate(required, len(keys)))
    ours = {label: at for at, label in enumerate(labels) if label in OURS and at not in found}
    return Header(
        0, found, {column.code: column.label for column in columns}, [], absent, [], ours.get(SOURCE_LABEL),
        ours.get(REASON_LABEL), cells,
    )  # fmt: skip
