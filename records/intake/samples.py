"""Sample files of administrative penalties on natural persons, all invented.

Every person lives in area 359901, which does not exist; every number has a right check digit
unless a row is meant to be wrong. The same seed gives the same file.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, BinaryIO

from .header import Column
from .sample_sheets import Kind, sheet_for

COLUMNS: tuple[Column, ...] = (
    Column("CF_XDR_MC", "行政相对人名称", True, ("姓名", "相对人名称", "当事人姓名")),
    Column("CF_XDR_LB", "行政相对人类别", True, ("相对人类别",)),
    Column("CF_XDR_ZJLX", "证件类型", True, ("行政相对人证件类型",)),
    Column("CF_XDR_ZJHM", "证件号码", True, ("身份证号", "身份证号码", "公民身份号码")),
    Column("CF_WSH", "行政处罚决定书文号", True, ("决定书文号", "处罚决定书文号", "文号")),
    Column("CF_WFXW", "违法行为类型", True),
    Column("CF_SY", "违法事实", True, ("处罚事由",)),
    Column("CF_YJ", "处罚依据", True),
    Column("CF_CFLB", "处罚类别", True, ("处罚种类",)),
    Column("CF_NR", "处罚内容", True, ("处罚结果",)),
    Column("CF_NR_FK", "罚款金额（万元）", False, ("罚款金额",)),
    Column("CF_NR_WFFF", "没收违法所得、没收非法财物的金额（万元）", False, ("没收金额",)),
    Column("CF_NR_ZKDX", "暂扣或吊销证照名称及编号", False),
    Column("CF_JDRQ", "处罚决定日期", True, ("决定日期",)),
    Column("CF_YXQ", "处罚有效期", False),
    Column("CF_GSJZQ", "公示截止期", True, ("公示截止日期",)),
    Column("CF_CFJG", "处罚机关", True, ("处罚机关名称",)),
    Column("CF_CFJGDM", "处罚机关统一社会信用代码", True, ("处罚机关代码",)),
    Column("CF_SJLY", "数据来源单位", True),
    Column("CF_SJLYDM", "数据来源单位统一社会信用代码", True, ("数据来源单位代码",)),
    Column("CF_SXCD", "失信程度", False),
    Column("CF_SYFW", "信息使用范围", False),
    Column("CF_SDRQ", "送达日期", False),
    Column("CF_XWZZRQ", "违法行为终了日期", False),
    Column("BZ", "备注", False),
)
INDEX = {column.code: index for index, column in enumerate(COLUMNS)}
ID_COLUMNS = frozenset({"CF_XDR_ZJHM", "CF_WSH", "CF_CFJGDM", "CF_SJLYDM"})
DATE_COLUMNS = frozenset({"CF_JDRQ", "CF_YXQ", "CF_GSJZQ", "CF_SDRQ", "CF_XWZZRQ"})
ORGAN = "福建省市场监督管理局（演示）"
USCC = "11350000MB0000001W"
TODAY = date(2026, 11, 20)
TITLE = "福建省市场监督管理局（演示）2026年行政处罚信息（自然人）报送表"

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
SURNAMES = list("陈林黄张吴李王郑刘杨蔡许苏谢叶罗洪郭曾赖徐邱周何江肖卢朱廖沈詹游高余魏翁") + [
    "欧阳",
    "上官",
]
GIVEN = list("建国志强秀英文华丽娟明辉晓燕海峰雅婷俊杰淑珍宏伟雪梅国栋玉兰子轩欣怡永福春生金水月娥")
RARE_NAMES = (
    "𠮷田明",
    "林𬀩",
    "陈㛃",
    "黄䶮",
    "李𫟹",
    "阿依古丽·买买提",
    "欧阳·阿卜杜拉",
    "吴喆·卓玛",
    "郑堃",
)


@dataclass(frozen=True)
class Case:
    """One kind of invented case; {…} are filled in."""

    kind: str
    facts: str
    basis: str
    goods: tuple[str, ...]


CASES = (
    Case(
        "销售不合格商品",
        "当事人于{day}在{place}销售{goods}，经检验不符合国家标准，货值金额{value}元",
        "《中华人民共和国产品质量法》第四十九条",
        ("电动自行车充电器", "插座", "儿童玩具", "电热毯", "灯具"),
    ),
    Case(
        "无照经营",
        "当事人自{day}起未取得营业执照在{place}经营{goods}，经营额{value}元",
        "《无证无照经营查处办法》第十三条",
        ("五金零售", "服装零售", "家电维修", "水果批发"),
    ),
    Case(
        "虚假宣传",
        "当事人于{day}在{place}的网店中对{goods}作引人误解的商业宣传，销售额{value}元",
        "《中华人民共和国反不正当竞争法》第二十条",
        ("茶叶", "蜂蜜", "护肤品", "紫砂壶"),
    ),
    Case(
        "使用未经检定的计量器具",
        "当事人于{day}在{place}使用未经检定的{goods}进行贸易结算，涉及金额{value}元",
        "《中华人民共和国计量法实施细则》第四十三条",
        ("电子秤", "台秤", "加油机"),
    ),
    Case(
        "侵犯注册商标专用权",
        "当事人于{day}在{place}销售侵犯他人注册商标专用权的{goods}，违法经营额{value}元",
        "《中华人民共和国商标法》第六十条",
        ("运动鞋", "白酒", "手机配件", "箱包"),
    ),
    Case(
        "未按规定明码标价",
        "当事人于{day}在{place}销售{goods}未按规定明码标价，涉及金额{value}元",
        "《中华人民共和国价格法》第四十二条",
        ("海鲜", "旅游纪念品", "水果"),
    ),
)
PLACES = ("城东农贸市场", "滨江商业街", "开发区物流园", "火车站商圈", "古镇景区", "网上店铺")


@dataclass(frozen=True)
class Outcome:
    """What should become of one row. `flaw` names what is wrong, None when nothing is.

    `accepted` may be true with a flaw: full-width digits and a lower-case x are put right.
    """

    row_no: int
    accepted: bool
    flaw: str | None = None
    column: str | None = None


def check_digit(first_17: str) -> str:
    """GB 11643 check character."""
    return "10X98765432"[sum(int(d) * w for d, w in zip(first_17, WEIGHTS, strict=True)) % 11]


def id_number(rng: random.Random, serial: int, born: date | None = None) -> str:
    """An ID number of area 359901 with a right check digit; adult in 2026 unless `born` is given.

    `serial` keeps numbers apart: 990 to a day, days counted back from 2003. None ends in 000, as truncated
    numbers do.
    """
    if born is None:
        born = date(2003, 12, 31) - timedelta(days=(serial // 990 * 7 + serial * 13) % 16_000)
    hundreds, rest = divmod(serial % 990, 99)
    digits = f"359901{born:%Y%m%d}{hundreds}{rest + 1:02d}"
    return digits + check_digit(digits)


def person_name(rng: random.Random) -> str:
    if rng.random() < 0.02:
        return rng.choice(RARE_NAMES)
    given = rng.choice(GIVEN) + (rng.choice(GIVEN) if rng.random() < 0.8 else "")
    return rng.choice(SURNAMES) + given


def clean_row(rng: random.Random, number: int, organ: str = ORGAN, uscc: str = USCC) -> list[Any]:
    """Cells of one good row in the order of COLUMNS; dates as dates, amounts as floats."""
    case = rng.choice(CASES)
    decided = TODAY - timedelta(days=rng.randrange(5, 300))
    ended = decided - timedelta(days=rng.randrange(10, 90))
    fine = rng.randrange(1, 5000) / 100
    seized = rng.randrange(1, 2000) / 100 if rng.random() < 0.3 else None
    facts = case.facts.format(
        day=f"{ended.year}年{ended.month}月{ended.day}日", place=rng.choice(PLACES),
        goods=rng.choice(case.goods), value=rng.randrange(100, 50_000),
    )  # fmt: skip
    grave = rng.random() < 0.1
    content = f"处罚款人民币{fine * 10_000:.0f}元" + (f"，没收违法所得{seized * 10_000:.0f}元" if seized else "")
    return [
        person_name(rng), "自然人", "身份证", id_number(rng, number),
        f"闽市监处罚〔{decided.year}〕{number + 1}号", case.kind, facts, case.basis,
        "罚款;没收违法所得、没收非法财物" if seized else "罚款", content, fine, seized, None,
        decided, None, decided.replace(year=decided.year + (3 if grave else 1), day=min(decided.day, 28)),
        organ, uscc, organ, uscc, "严重" if grave else "一般", "公开",
        decided + timedelta(days=3), ended, None,
    ]  # fmt: skip


# What can be wrong with a row


def _set(code: str, value: Any) -> Callable[[list[Any]], None]:
    def change(row: list[Any]) -> None:
        row[INDEX[code]] = value

    return change


def _number_typed(row: list[Any]) -> None:
    row[INDEX["CF_XDR_ZJHM"]] = float(row[INDEX["CF_XDR_ZJHM"]][:17] + "0")


def _wrong_check_digit(row: list[Any]) -> None:
    number = row[INDEX["CF_XDR_ZJHM"]]
    row[INDEX["CF_XDR_ZJHM"]] = number[:17] + ("1" if number[17] != "1" else "2")


def _minor(row: list[Any]) -> None:
    row[INDEX["CF_XDR_ZJHM"]] = id_number(random.Random(0), hash_of(row), date(2011, 6, 1))


def _full_width(row: list[Any]) -> None:
    number = row[INDEX["CF_XDR_ZJHM"]]
    row[INDEX["CF_XDR_ZJHM"]] = "".join(chr(ord(c) + 0xFEE0) for c in number)


def _lower_x(row: list[Any]) -> None:
    number = row[INDEX["CF_XDR_ZJHM"]]
    for serial in range(1, 1000):
        digits = f"{number[:14]}{serial:03d}"
        if check_digit(digits) == "X":
            row[INDEX["CF_XDR_ZJHM"]] = digits + "x"
            return


def _add_to_facts(text: str) -> Callable[[list[Any]], None]:
    def change(row: list[Any]) -> None:
        row[INDEX["CF_SY"]] += text

    return change


def hash_of(row: list[Any]) -> int:
    """A small stable number from a row's document number (hash() differs between runs)."""
    return sum(map(ord, row[INDEX["CF_WSH"]])) % 900


# name: (change, accepted all the same, column that is marked)
FLAWS: dict[str, tuple[Callable[[list[Any]], None], bool, str]] = {
    "number_id": (_number_typed, False, "CF_XDR_ZJHM"),
    "check_digit": (_wrong_check_digit, False, "CF_XDR_ZJHM"),
    "minor": (_minor, False, "CF_XDR_ZJHM"),
    "detention": (_set("CF_CFLB", "行政拘留"), False, "CF_CFLB"),
    "no_document": (_set("CF_WSH", None), False, "CF_WSH"),
    "future_date": (_set("CF_JDRQ", date(2027, 8, 1)), False, "CF_JDRQ"),
    "formula_name": (
        _set("CF_XDR_MC", '=HYPERLINK("http://example.com","张三")'),
        False,
        "CF_XDR_MC",
    ),
    "duplicate": (lambda row: None, False, "CF_WSH"),
    "phone": (_add_to_facts("，当事人电话13900000000"), False, "CF_SY"),
    "illness": (_add_to_facts("，当事人患有糖尿病"), False, "CF_SY"),
    "bad_date": (_set("CF_GSJZQ", "明年三月"), False, "CF_GSJZQ"),
    "unknown_kind": (_set("CF_CFLB", "口头教育"), False, "CF_CFLB"),
    "empty_name": (_set("CF_XDR_MC", None), False, "CF_XDR_MC"),
    "full_width": (_full_width, True, "CF_XDR_ZJHM"),
    "lower_x": (_lower_x, True, "CF_XDR_ZJHM"),
}
FLAWED_IN = 0.08


def sample_rows(
    rows: int, *, messy: bool, seed: int, organ: str = ORGAN, uscc: str = USCC, flawed: float = FLAWED_IN
) -> Iterator[tuple[list[Any], str | None]]:
    """(cells, flaw) of each data row. A messy sample of 200 rows or more has every flaw."""
    rng = random.Random(seed)
    before: list[Any] | None = None
    flaws = list(FLAWS)
    used = 0
    for number in range(rows):
        row = clean_row(rng, number + (seed - 1) * 1_000_000, organ, uscc)  # no two seeds share a person
        if messy and before is not None and rng.random() < flawed:
            flaw = flaws[used % len(flaws)]
            used += 1
            if flaw == "duplicate":
                row = list(before)
            else:
                FLAWS[flaw][0](row)
            yield row, flaw
            continue
        before = row
        yield row, None


def write_sample(
    out: BinaryIO,
    rows: int,
    *,
    messy: bool,
    kind: Kind = "xlsx",
    seed: int = 1,
    organ: str = ORGAN,
    uscc: str = USCC,
    encoding: str = "utf-8-sig",
    flawed: float = FLAWED_IN,
) -> list[Outcome]:
    """Write a sample and return what should become of each data row, in order.

    A messy one has a title row above the header and a 合计 row at the end. In a text, whose cells
    have no kinds, a number-typed ID shows as Excel would have written it.
    """
    sheet = sheet_for(kind, out, [INDEX[code] for code in ID_COLUMNS], encoding)
    outcomes = []
    if messy:
        sheet.title(TITLE, len(COLUMNS))
    sheet.labels([column.label for column in COLUMNS])
    for row, flaw in sample_rows(rows, messy=messy, seed=seed, organ=organ, uscc=uscc, flawed=flawed):
        sheet.row(row)
        accepted, column = FLAWS[flaw][1:] if flaw else (True, None)
        outcomes.append(Outcome(sheet.written, accepted, flaw, column))
    if messy:
        sheet.row(["合计", *[None] * (INDEX["CF_NR_FK"] - 1), float(rows)])
    sheet.close()
    return outcomes
