"""One cell → one value, or the reason why not.

The converters are called some two million times for a large file. So they return a
CellError instead of raising one, test for the common case first and do nothing twice.
A caller checks `type(value) is CellError`.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from .base import Boolean, Cell, ErrorCell, Formula, Number

REASONS: dict[str, str] = {
    "C01": "必填为空",
    "C02": "证件号码为数字格式",
    "C03": "单元格是公式",
    "C04": "单元格是错误值",
    "C05": "以公式符号开头",
    "C06": "日期格式不对",
    "C07": "日期为数字",
    "C08": "日期不存在",
    "C09": "金额格式不对",
    "C10": "金额超出范围",
    "C11": "取值不在代码表内",
    "C12": "内容过长",
    "C13": "含有控制字符",
    "C14": "单元格是是非值",
    "C15": "含有无法识别的字",
    "C16": "证件号码末三位为 000",
}


class CellError(NamedTuple):
    """Why a cell cannot be taken. `message`: what is wrong and what to do, in Chinese."""

    code: str
    message: str


# What people write where there is nothing to write: no answer to a required question.
PLACEHOLDERS = frozenset(
    ["无", "无。", "暂无", "没有", "不详", "未知", "待定", "待补", "待补充", "空", "略", "测试"]
    + ["/", "／", "\\", "—", "——", "-", "--", "－", "_", "*", "**", "***", "x", "X", "xx", "XX", "xxx", "XXX"]
    + ["n/a", "N/A", "na", "NA", "null", "NULL", "none", "None", "nil", "test"]
)
LONG_TERM = date(2099, 12, 31)  # means 长期: no end
TWO_WAYS = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\u00ad\u061c\u180e]")
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]")
PRIVATE = re.compile("[\ue000-\uf8ff\ufffd\U000f0000-\U0010ffff]")
FORMULA_START = frozenset("=+-@\t\r\0＝＋－＠")
TEXT_MARKS = ("'", "＇", "’", "‘", "`")
NOT_PLAIN_START = FORMULA_START.union(TEXT_MARKS)
SPACES = re.compile(r"\s+")
DATE = re.compile(
    r"(\d{4})(?:-(\d{1,2})-(\d{1,2})|/(\d{1,2})/(\d{1,2})|\.(\d{1,2})\.(\d{1,2})"
    r"|年(\d{1,2})月(\d{1,2})日|(\d{2})(\d{2}))(?:[ T]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?"
)
# 二〇二六年三月五日: as decisions write it
CHINESE_DATE = re.compile(
    "([零〇○O一二三四五六七八九]{4})年(元|[一二三四五六七八九]|十[一二]?)月(初?[一二三四五六七八九]|(?:[二三]?十|廿|卅)[一二三四五六七八九]?)[日号]"
)
CHINESE_DIGITS = {
    **dict.fromkeys("零〇○OＯ", "0"),
    **dict(zip("一二三四五六七八九", "123456789", strict=True)),
    "元": "1",
}
LONG_TERM_WORDS = frozenset({"长期", "永久", "长期有效"})
AMOUNT = re.compile(r"-?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d*)?|-?\.\d+")
SCIENTIFIC = re.compile(r"\s*\d(?:\.\d+)?[eE]\+\d+\s*")  # 3.59901E+17: a number in a csv
LARGEST = Decimal(10) ** 12
ASK_DATE = "请写成 2026-03-01 的样子。"


def refuse_kind(cell: Cell, *, required: bool = False) -> CellError | None:
    """What no bound field takes: a formula, an error value, a truth value; empty if required."""
    if cell is None:
        return CellError("C01", "此项必填，现在是空的。请填写。") if required else None
    kind = type(cell)
    if kind is str or kind is Number:
        return None
    if kind is Formula:
        return CellError("C03", "此格是公式，结果可能随时变化。请复制后“选择性粘贴—数值”，只留下文字。")
    if kind is ErrorCell:
        return CellError("C04", f"此格显示错误值 {cell}。请改为正确的内容。")
    if kind is Boolean:
        return CellError("C14", f"此格是是非值 {cell}。请改为文字内容。")
    return None


def to_text(cell: Cell, *, required: bool = False, is_name: bool = False) -> str | None | CellError:
    """Text without outer spaces and invisible format characters; otherwise as it was written.

    `is_name` also refuses a text that a spreadsheet would take for a formula (C05).
    """
    if type(cell) is not str:
        if error := refuse_kind(cell, required=required):
            return error
        if cell is None:
            return None
        cell = cell.isoformat() if isinstance(cell, date) else str(cell)
    text = cell
    if not text.isprintable():  # as no format character is
        text = TWO_WAYS.sub("", text)
    if is_name and text[:1] in FORMULA_START and text:
        return formula_like(text)
    text = text.strip()
    if is_name:
        text = without_text_mark(text)
    if not text:
        return CellError("C01", "此项必填，现在只有空格。请填写。") if required else None
    if is_name and text[0] in FORMULA_START:
        return formula_like(text)
    if (not text.isprintable() or "\ufffd" in text) and (error := unfit_characters(text)):
        return error
    return text


def without_text_mark(text: str) -> str:
    """A text without the ' that spreadsheets put before what is not to be a number; it is no part of the content."""
    return text[1:].lstrip() if text.startswith(TEXT_MARKS) else text


def are_plain_texts(texts: list[str], *, longest: int) -> bool:
    """Tell whether `to_text` would give back every one of these texts as it is, and none is empty or too long.

    Looking at all of them at once costs a fraction of looking at each.
    """
    whole = "".join(texts)
    return (
        whole.isprintable()
        and "\ufffd" not in whole
        and all(texts)
        and len(max(texts, key=len)) <= longest
        and list(map(str.strip, texts)) == texts
    )


def are_plain_codes(texts: list[str], *, longest: int) -> bool:
    """Tell whether `to_code_text` would give back every one of these texts as it is, and none is empty or too long."""
    whole = "".join(texts)
    return (
        are_plain_texts(texts, longest=longest)
        and " " not in whole
        and not WIDE.search(whole)
        and NOT_PLAIN_START.isdisjoint(text[0] for text in texts)
    )


_NUMERAL = re.compile("[0-9零〇一二三四五六七八九十]")


def is_document_number(text: str) -> bool:
    """Tell whether a text can be a document's number: it has a digit and is not one character over and over.

    The database's `records_is_document_number` says the same.
    """
    return bool(_NUMERAL.search(text)) and bool(text.strip(text[0]))


def formula_like(text: str) -> CellError:
    return CellError(
        "C05",
        f"内容以“{visible(text[0])}”开头，会被表格软件当成公式。请删去这个符号，只填写本来的内容。",
    )


def visible(character: str) -> str:
    return {"\t": "制表符", "\r": "回车符", "\0": "空字符"}.get(character, character)


def unfit_characters(text: str) -> CellError | None:
    """Control characters and characters of private fonts that nobody else can read."""
    if CONTROL.search(text):
        return CellError("C13", "内容含有看不见的控制字符。请删去此格，重新手工输入。")
    if found := PRIVATE.search(text):
        return CellError(
            "C15",
            f"第 {found.start() + 1} 个字是自造字或乱码，别处无法显示。请改用标准字库中的字。",
        )
    return None


def to_code_text(cell: Cell, *, required: bool = False, id_number: bool = False) -> str | None | CellError:
    """Document numbers and codes: full-width letters and digits made narrow, brackets kept.

    No space or invisible character remains. `id_number` refuses a cell stored as a number
    (C02): Excel has turned its last three digits into zeros, and one in eleven of those still
    passes the check digit, as somebody else.
    """
    if id_number and _is_number(cell):
        return CellError(
            "C02",
            "此格是数字格式，Excel 只保留前 15 位，后 3 位已变成 0，无法还原。"
            "请先把此列设为“文本”格式，再按证件重新输入完整号码。",
        )
    text = to_text(cell, required=required)
    if type(text) is not str:
        return text
    if WIDE.search(text):
        text = text.translate(NARROW)
    if " " in text or not text.isprintable():
        text = SPACES.sub("", text)
    text = without_text_mark(text)
    if not text:
        return CellError("C01", "此项必填，现在是空的。请填写。") if required else None
    if text[0] in FORMULA_START:
        return formula_like(text)
    return text


def _is_number(cell: Cell) -> bool:
    return isinstance(cell, Number) or isinstance(cell, str) and "+" in cell and bool(SCIENTIFIC.fullmatch(cell))


def _narrow_table() -> dict[int, str | None]:
    """Full-width ASCII → ASCII, except brackets, and spaces of every width → nothing."""
    table: dict[int, str | None] = {
        code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F) if chr(code) not in "（）［］"
    }
    table[0x3000] = table[0xA0] = None
    return table


NARROW = _narrow_table()
WIDE = re.compile("[\u3000\xa0\uff01-\uff5e]")  # asking first is cheaper than translating


def to_date(cell: Any, *, required: bool = False) -> date | None | CellError:
    """A day, or LONG_TERM for 2099-12-31 and 长期. A time of day is left out.

    Takes date cells and YYYY-MM-DD, YYYY/MM/DD, YYYY.MM.DD, YYYY年M月D日, YYYYMMDD, 二〇二六年三月五日 as text.
    """
    kind = type(cell)
    if kind is date:
        return cell
    if kind is datetime:
        return cell.date()
    if error := refuse_kind(cell, required=required):
        return error
    if cell is None:
        return None
    text = cell if kind is str and cell.isascii() else _narrow(cell)
    match = DATE.fullmatch(text.strip())
    if match is None and (chinese := CHINESE_DATE.fullmatch(text)):
        match = DATE.fullmatch("-".join(map(_chinese_number, chinese.groups())))
    if match is None:
        return _no_date(cell, text.strip(), required)
    year, *parts = match.groups()
    month, day_of_month = (part for part in parts if part is not None)
    if kind is Number and not 1900 <= int(year) <= 2099:
        return _no_date(cell, text, required)
    try:
        return date(int(year), int(month), int(day_of_month))
    except ValueError:
        return CellError("C08", f"“{shorten(cell)}”这一天不存在。请核对后{ASK_DATE[1:]}")


def _narrow(cell: str) -> str:
    text = TWO_WAYS.sub("", unicodedata.normalize("NFKC", cell))
    return SPACES.sub("", text) if "年" in text else text


def _chinese_number(text: str) -> str:
    """二〇二六 → 2026, 十 → 10, 二十五 → 25, 廿一 → 21."""
    text = text.removeprefix("初").replace("廿", "二十").replace("卅", "三十")
    tens, ten, ones = text.partition("十")
    if not ten:
        return "".join(CHINESE_DIGITS[character] for character in text)
    return CHINESE_DIGITS.get(tens, "1") + CHINESE_DIGITS.get(ones, "0")


def _no_date(cell: str, text: str, required: bool) -> date | None | CellError:
    if text in LONG_TERM_WORDS:
        return LONG_TERM
    if not text:
        return CellError("C01", f"此项必填，现在是空的。{ASK_DATE}") if required else None
    if type(cell) is Number or re.fullmatch(r"\d{5}(?:\.\d+)?", text):
        return CellError("C07", f"“{shorten(cell)}”是数字而不是日期。请把此格设为日期格式核对，或{ASK_DATE[1:]}")
    return CellError("C06", f"“{shorten(cell)}”不是能识别的日期。{ASK_DATE}")


def shorten(text: str) -> str:
    return text if len(text) <= 20 else f"{text[:20]}…"


def to_amount(cell: Any, *, required: bool = False) -> Decimal | None | CellError:
    """An amount in 万元 with up to 12 digits before and 6 after the point, not negative."""
    kind = type(cell)
    if kind is not str and kind is not Number:
        if error := refuse_kind(cell, required=required):
            return error
        if cell is None:
            return None
        return CellError("C09", "此格是日期，应为金额。请填写数字（单位：万元）。")
    text = cell
    if not text.isascii():
        text = TWO_WAYS.sub("", unicodedata.normalize("NFKC", text)).removesuffix("万元")
    text = text.strip()
    if not text:
        return CellError("C01", "此项必填，现在是空的。请填写金额（单位：万元）。") if required else None
    if AMOUNT.fullmatch(text) is None:
        return CellError("C09", f"“{shorten(cell)}”不是金额。请只填数字，单位为万元，如 1.25；没有金额请留空。")
    amount = Decimal(text.replace(",", ""))
    if amount < 0:
        return CellError("C10", "金额不能是负数。请核对。")
    if amount >= LARGEST:
        return CellError("C10", "金额超过 12 位整数。单位是万元，请核对。")
    if -int(amount.as_tuple().exponent) > 6 and amount != round(amount, 6):
        return CellError("C10", "金额小数超过 6 位（单位万元，6 位小数为 0.01 元）。请四舍五入。")
    return amount
