"""Tables for people's spreadsheet programs: no cell is ever taken for a formula.

Used by every way out in a table, and by the way in where a table comes back.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain
from typing import BinaryIO

import xlsxwriter

# What a spreadsheet program may take for the beginning of a formula, also as full-width input methods type it, by
# itself or behind spaces; apostrophes of the text's own in front of it count too, or nobody could tell them from ours.
_RISKY = re.compile("'*[ \u3000\ufeff\u200b]*[=+\\-@\t\r\n\0＝＋－＠]")
MAX_CELL = 32_767  # characters in a cell of an xlsx file
TOO_LONG = "……（超出单元格长度，完整内容见 CSV 或 JSON 文件）"
WIDTH = 24  # characters


def safe(text: str) -> str:
    """Return the text of a cell, led by an apostrophe where a spreadsheet program might calculate it."""
    return f"'{text}" if _RISKY.match(text) else text


def unsafe(text: str) -> str:
    """Return what `safe` was given, for a table that comes back."""
    return text[1:] if text[:1] == "'" and _RISKY.match(text) else text


def as_csv(head: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """Return a CSV file in UTF-8 with the mark that Excel needs to read Chinese."""
    return b"".join(csv_pieces(head, rows))


def csv_pieces(head: Sequence[str], rows: Iterable[Sequence[str]], *, size: int = 1 << 18) -> Iterator[bytes]:
    """Yield such a CSV file in pieces, for tables that do not fit into memory."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    out.write("\ufeff")
    for row in chain([head], rows):
        writer.writerow([safe(text) for text in row])
        if out.tell() > size:
            yield out.getvalue().encode()
            out.seek(0)
            out.truncate()
    yield out.getvalue().encode()


def as_xlsx(sheet: str, head: Sequence[str], rows: Iterable[Sequence[str]], *, made: datetime) -> bytes:
    """Return an xlsx file of texts; the same rows give the same bytes, whenever they are asked for."""
    out = io.BytesIO()
    write_xlsx(out, sheet, head, rows, made=made, options={"in_memory": True})
    return out.getvalue()


def write_xlsx(
    out: BinaryIO,
    sheet: str,
    head: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    made: datetime,
    options: dict[str, object],
) -> None:
    """Write an xlsx file of texts; `constant_memory` with a `tmpdir` of one's own for tables of any length."""
    plain = {"strings_to_formulas": False, "strings_to_numbers": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(out, plain | options)
    book.set_properties({"created": made.replace(tzinfo=None)})
    page = book.add_worksheet(sheet)
    bold, cell = (
        book.add_format({"bold": True, "bg_color": "#E4EEEE"}),
        book.add_format({"text_wrap": True, "valign": "top"}),
    )
    page.set_column(0, max(len(head) - 1, 0), WIDTH)
    page.freeze_panes(1, 0)
    for number, row in enumerate(chain([head], rows)):
        for column, text in enumerate(row):
            page.write_string(number, column, _fitting(safe(text)), cell if number else bold)
    book.close()


def _fitting(text: str) -> str:
    return text if len(text) <= MAX_CELL else text[: MAX_CELL - len(TOO_LONG)] + TOO_LONG
