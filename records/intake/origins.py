"""The batches that the rows of a correction come from: what 来源行 names, and with which batch each row is matched.

Our own workbook mixes batches: a row that came back twice names the first batch, one that was added to a correction names
that correction. Clerks paste several workbooks together. So each row is matched with the batch that it names itself.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from records.intake.base import Cell, Row
from records.intake.schema import TYPED, split_source
from records.models import Batch

State = Batch.State
GOES_ON = (State.CHECKED, State.COMMITTING, State.COMMITTED)
TYPED_ROWS: Mapping[str, int | None] = {TYPED: None}
SHOWN = 5  # numbers in a note
LOOKED_UP = 5_000  # at a time
SEVERAL = "各行来自 {} 个批次：{}。每一行与“来源行”所写的批次对应。"
WAITING = "“来源行”所写的批次 {} 还没有入库：它先入库，这 {} 行才与它的退回行对应。"
OVER = "“来源行”所写的批次 {} 已经结束，不再等候更正：这 {} 行不与退回行对应。"
NOT_OURS = "“来源行”所写的批次 {} 不存在，或者不是本单位这一条目的批次：这 {} 行按普通行检查，不与退回行对应。"
UNREADABLE = "“来源行”没有写成“批次号#行号”的有 {} 行：按普通行检查，不与退回行对应。"
_NUMBER = re.compile(r"B\d{8}-(\d{6,18})", re.ASCII)


@dataclass(frozen=True)
class Origins:
    """What 来源行 may name and the batch matched by it (None: none is), the first such batch, and what the sender is told."""

    sources: Mapping[str, int | None] = field(default_factory=dict)
    first: Batch | None = None
    notes: Sequence[str] = ()


def origins_of(batch: Batch, rows: Iterable[Row], source_index: int | None) -> Origins:
    """Return the batches that a file's rows come from; the whole file is read for it, where it has the column at all.

    Matched are batches of the same supplier and item that are not over. Of another's no more is told than of none.
    """
    if source_index is None:
        return Origins()
    if batch.channel in Batch.TYPED:
        return Origins(TYPED_ROWS)
    named = Counter(filter(None, (_named(cells, source_index) for _, cells in rows)))
    ours = _ours(batch, named)
    sources = {number: one.pk if one.state in GOES_ON else None for number, one in ours.items()}
    matched = [one for one in ours.values() if one.state in GOES_ON]
    if len(ours) == len(matched) == 1:
        sources[""] = matched[0].pk  # a number of a row alone can only be one of this batch
    return Origins(sources, matched[0] if matched else None, _notes(named, sources, ours))


def _named(cells: Sequence[Cell], index: int) -> tuple[str, bool] | None:
    """Return what a row names as its batch and whether it can be read; None for nothing."""
    cell = cells[index] if index < len(cells) else None
    if not str(cell or "").strip():
        return None
    named, row_no = split_source(cell)
    return named, row_no is not None


def _ours(batch: Batch, named: Iterable[tuple[str, bool]]) -> dict[str, Batch]:
    """Return the supplier's own earlier batches of the item among those named, by number, in the order of the file."""
    keys = {int(match[1]): number for number, reads in named if reads and (match := _NUMBER.fullmatch(number))}
    earlier = [key for key in keys if key < batch.pk]
    found: dict[int, Batch] = {}
    for start in range(0, len(earlier), LOOKED_UP):
        found |= Batch.objects.filter(item=batch.item_id, supplier=batch.supplier_id).in_bulk(
            earlier[start : start + LOOKED_UP]
        )
    return {keys[key]: found[key] for key in earlier if key in found and found[key].number == keys[key]}


def _notes(named: Counter[tuple[str, bool]], sources: Mapping[str, int | None], ours: Mapping[str, Batch]) -> list[str]:
    """Return what the sender is told: each row that names something is matched, or counted under the reason why not."""
    matched = [number for number in ours if sources[number] is not None]
    said: dict[str, Counter[str]] = {WAITING: Counter(), OVER: Counter(), NOT_OURS: Counter()}
    unreadable = 0
    for (number, reads), rows in named.items():
        if reads and number in ours:
            if sources[number] is None:
                said[OVER][number] += rows
            elif ours[number].state != State.COMMITTED and ours[number].goes_in:
                said[WAITING][number] += rows
        elif reads and _NUMBER.fullmatch(number):
            said[NOT_OURS][number] += rows
        elif not (reads and number in sources):
            unreadable += rows
    notes = [SEVERAL.format(len(matched), _listed(matched))] if len(matched) > 1 else []
    notes += [words.format(_listed(list(of)), of.total()) for words, of in said.items() if of]
    return notes + [UNREADABLE.format(unreadable)] * (unreadable > 0)


def _listed(numbers: list[str]) -> str:
    more = f" 等 {len(numbers)} 个" if len(numbers) > SHOWN else ""
    return "、".join(numbers[:SHOWN]) + more
