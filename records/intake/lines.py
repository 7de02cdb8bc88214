"""Blocks of rows as lines for COPY: the number sealed, the content hashed."""

from collections.abc import Sequence
from hashlib import blake2b

from django.conf import settings

from accounts.models import ID_ABOUT
from records.intake.copytext import NOTHING, encode, escape
from records.intake.schema import FROM_NOWHERE, Block, Judgement

COLUMNS = (
    "batch_id, row_no, outcome, problems, source_batch_id, source_row, hints, item_version_id, doc_date, act_end, severity, "
    "publication, query_until, name, id_index, id_cipher, doc_no, decider_uscc, content, content_hash, row_print"
)
_ALL_NOTHING = "\t".join([NOTHING] * 15)
_BY_PRINT = "\t".join(["3", *[NOTHING] * 17])


def content_digest(name: str | None, judgement: Judgement, content: str) -> bytes:
    """Return what tells a changed record from an unchanged one: 16 bytes over name, severity, publication and content."""
    return blake2b(f"{name}\0{judgement.as_hashed}\0{content}".encode(), digest_size=16).digest()


def lines_by_print(batch_id: int, row_nos: Sequence[int], prints: Sequence[bytes]) -> str:
    """Return the lines of rows that are known by their print: unchanged, and nothing else is said of them."""
    rows = zip(row_nos, prints, strict=True)
    return "".join([f"{batch_id}\t{row_no}\t{_BY_PRINT}\t\\\\x{one.hex()}\n" for row_no, one in rows])


class Sealer:
    """Turns blocks into the text format of COPY (columns: `COLUMNS`). Only what is good is sealed."""

    def __init__(self) -> None:
        self._ring = settings.FIELD_KEYRING
        self._index = self._ring.indexer()

    def lines(self, batch_id: int, row_nos: Sequence[int], block: Block, prints: Sequence[bytes] | None = None) -> str:
        """Return the lines of a block; `prints` are kept with the rows that are good."""
        made = []
        seals = self._seals(block)
        printed = [NOTHING] * len(row_nos) if prints is None else [f"\\\\x{one.hex()}" for one in prints]
        rows = zip(row_nos, block.sources, block.judgements, block.names, block.doc_nos, block.deciders,
                   block.contents, strict=True)  # fmt: skip
        for at, (row_no, source, judgement, name, doc_no, decider, content) in enumerate(rows):
            came_from = FROM_NOWHERE if source is None else source.as_columns
            if problems := block.problems.get(at):
                made.append(f"{batch_id}\t{row_no}\t9\t{escape(encode(problems))}\t{came_from}\t{_ALL_NOTHING}\n")
                continue
            digest = content_digest(name, judgement, content).hex()
            made.append(
                f"{batch_id}\t{row_no}\t1\t\\N\t{came_from}\t{judgement.as_columns}\t{escape(name or '')}\t{seals[at]}\t"
                f"{escape(doc_no or '')}\t{decider}\t{escape(content)}\t\\\\x{digest}\t{printed[at]}\n"
            )
        return "".join(made)

    def _seals(self, block: Block) -> dict[int, str]:
        """Return the columns id_index and id_cipher of the good rows, by position."""
        good = [at for at in range(len(block.contents)) if at not in block.problems]
        numbers = [(block.id_numbers[at] or "").encode() for at in good]
        sealed = self._ring.seal_all(numbers, about=ID_ABOUT)
        return {
            at: f"\\\\x{index.hex()}\t\\\\x{seal.hex()}"
            for at, index, seal in zip(good, map(self._index, numbers), sealed, strict=True)
        }
