"""Every code that a file, a cell or a row can be sent back with, and its title: one list for pages and docs."""

from collections.abc import Iterator
from dataclasses import dataclass

from creditfujian.lib import identity
from records.intake import cells, check, files, schema
from records.intake.advice import WHAT_TO_DO

IDENTITY_TITLES = {
    "I11": "身份证号码不是 18 位",
    "I12": "身份证号码含有不允许的字符",
    "I13": "身份证号码中的出生日期不存在",
    "I14": "身份证号码中的出生日期晚于今天",
    "I15": "身份证号码被截断",
    "I16": "身份证号码校验位不对",
    "I17": "演示号段",
}
assert set(IDENTITY_TITLES) == set(identity.PROBLEMS)

TITLES: dict[str, str] = {
    **files.CODES, **cells.REASONS, **IDENTITY_TITLES, **schema.R_REASONS, **check.ROW_REASONS,
}  # fmt: skip


def title_of(code: str) -> str:
    """Return the title of a reason code; the code itself when it is unknown."""
    return TITLES.get(code, code)


@dataclass(frozen=True)
class Explained:
    """A code as the page of codes shows it."""

    code: str
    title: str
    advice: str


KINDS = {
    "整个文件被退回": "F", "单元格": "C", "证件号码": "I", "整行": "R", "处理中断": "S",
}  # fmt: skip


def explained() -> Iterator[tuple[str, list[Explained]]]:
    """Yield every code by what it is about, with its title and what to do."""
    for kind, letter in KINDS.items():
        yield kind, [Explained(c, TITLES[c], WHAT_TO_DO[c]) for c in sorted(TITLES) if c[0] == letter]


def as_markdown() -> str:
    """Return the page of codes as it is kept in docs."""
    lines = [
        "# Why a file, a cell or a row comes back",
        "",
        "Made from `records/intake/reasons.py`; a test holds this copy to it. Staff read it at `/admin/records/batch/reasons/`.",
    ]
    for kind, found in explained():
        lines += ["", f"## {kind}", "", "| 代码 | 原因 | 怎么办 |", "| --- | --- | --- |"]
        lines += [f"| {one.code} | {one.title} | {one.advice} |" for one in found]
    return "\n".join(lines) + "\n"
