"""Every code that a file, a cell or a row can be sent back with, and its title: one list for pages and docs."""

from creditfujian.lib import identity
from records.intake import cells, check, files, schema

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
