"""Which sheet of a workbook is read, whatever its format."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, NoReturn, Protocol

from .base import Row, Sheet, Table, column_name, refuse


class Source(Protocol):
    """One sheet as a format's reader offers it. `notes` is where it says what the sender should know."""

    sheet: Sheet
    notes: list[str]

    def rows(self) -> Iterator[Row]: ...
    def merged(self) -> list[str]: ...


def choose(kind: Literal["xlsx", "xls", "ods"], sources: Sequence[Source]) -> Table:
    """The first visible sheet that has any content. Raises FileRefused F16 when none has.

    The others are kept beside it: whether they hold more of the same is seen once the header is known.
    """
    chosen = _first_with_content(sources, hidden=False)
    if chosen is None:
        if _first_with_content(sources, hidden=True) is not None:
            refuse("F16", "数据在隐藏的工作表中。请取消隐藏后重新上传。")
        refuse("F16", "工作簿中没有任何内容。请确认选对了文件，填好数据后重新上传。")
    table = _table(kind, chosen, sources)
    table.others = [_table(kind, source, sources) for source in sources if source is not chosen]
    return table


def _table(kind: Literal["xlsx", "xls", "ods"], source: Source, sources: Sequence[Source]) -> Table:
    table = Table(kind, source.sheet.name, [one.sheet for one in sources], None, source.rows, source.merged)
    table.is_hidden = source.sheet.hidden
    source.notes = table.skipped
    return table


def _first_with_content(sources: Sequence[Source], *, hidden: bool) -> Source | None:
    return next((one for one in sources if one.sheet.hidden is hidden and any(one.rows())), None)


def note_hidden(notes: list[str], rows: Sequence[int], columns: Sequence[int]) -> None:
    """Add what is hidden but read all the same, once."""
    found = []
    if rows:
        found.append(f"有 {len(rows)} 行处于隐藏状态（如第 {rows[0]} 行），仍已读取。")
    if columns:
        names = "、".join(map(column_name, columns[:8]))
        found.append(f"有 {len(columns)} 列处于隐藏状态（{names}{' 等' if len(columns) > 8 else ''}），仍已读取。")
    notes += [note for note in found if note not in notes]


def refuse_rows(name: str, most: int) -> NoReturn:
    """Raise FileRefused F11."""
    refuse("F11", f"工作表“{name}”超过 {most} 行。请分成几个文件上传。")


def refuse_columns(name: str, index: int, most: int) -> NoReturn:
    """Raise FileRefused F12; `index` is the column from 0 that lies too far right."""
    refuse(
        "F12",
        f"工作表“{name}”在 {column_name(index)} 列还有内容，超过 {most} 列。请删去表格右侧无关的内容后重新上传。",
    )


def merged_range(first_row: int, last_row: int, first_column: int, last_column: int) -> str:
    """Rows from 1, columns from 0 → A1:F1."""
    return f"{column_name(first_column)}{first_row}:{column_name(last_column)}{last_row}"
