"""Invented persons and documents for the demo. Numbers lie in area 359901, so they belong to nobody."""

import random
from dataclasses import dataclass
from datetime import date, timedelta

from creditfujian.lib import identity

SURNAMES = "陈林黄张吴李郑王刘苏叶许蔡谢杨曾赖罗何高潘丁卢钟游欧阳"
GIVEN = [
    "小满",
    "大雪",
    "谷雨",
    "立春",
    "清和",
    "望舒",
    "景行",
    "思齐",
    "怀瑾",
    "若水",
    "知远",
    "以宁",
    "嘉禾",
    "书瑶",
    "明澈",
    "子衿",
    "云舒",
    "静姝",
    "亦安",
    "长庚",
    "星阑",
    "临川",
    "疏影",
    "文渊",
]


@dataclass(frozen=True)
class Somebody:
    """An invented adult."""

    name: str
    id_number: str


def people(count: int, *, seed: int = 20260401) -> list[Somebody]:
    """Make up that many adults, all with different numbers; the same seed gives the same people."""
    dice = random.Random(seed)
    surnames = [*SURNAMES[:-2], "欧阳"]
    found: dict[str, Somebody] = {}
    while len(found) < count:
        birth = date(1950, 1, 1) + timedelta(days=dice.randrange(53 * 365))
        number = identity.invent(birth, dice.randrange(1, 1000))
        somebody = Somebody(dice.choice(surnames) + dice.choice(GIVEN), number)
        if not number.endswith("000"):  # as truncated numbers do; the intake asks about those
            found.setdefault(number, somebody)
    return list(found.values())


@dataclass(frozen=True)
class Case:
    """An invented kind of violation."""

    behaviour: str
    facts: str
    basis: str
    kinds: str
    content: str
    fine: str


MARKET_CASES = [
    Case("无照经营", "当事人在未办理营业登记的情况下从事日用百货销售活动，货值金额较小，经责令后已停止。",
         "《无证无照经营查处办法》第十三条", "警告", "给予警告，责令改正。", ""),
    Case("销售超过保质期的食品", "当事人经营的小食店货架上陈列销售超过保质期的包装饼干，共二十四包，货值一百二十元。",
         "《中华人民共和国食品安全法》第一百二十四条", "罚款;没收违法所得", "没收违法所得三十六元，罚款五千元。", "0.5"),
    Case("未明码标价", "当事人在集市摊位销售水产品未标明价格，经提醒后仍未改正。",
         "《中华人民共和国价格法》第四十二条", "罚款", "罚款八百元。", "0.08"),
    Case("销售侵犯注册商标专用权的商品", "当事人销售带有他人注册商标的运动鞋六十双，不能说明合法来源。",
         "《中华人民共和国商标法》第六十条", "罚款;没收非法财物", "没收侵权商品六十双，罚款三万元。", "3"),
    Case("生产不符合食品安全标准的食品", "当事人在自家作坊生产腌制水产品，经检验菌落总数超过标准限量，情节严重。",
         "《中华人民共和国食品安全法》第一百二十四条", "吊销许可证件;罚款", "吊销食品小作坊登记证，罚款六万元。", "6"),
    Case("使用未经检定的计量器具", "当事人在农贸市场使用未经检定的电子秤进行贸易结算。",
         "《中华人民共和国计量法》第二十五条", "罚款", "责令停止使用，罚款五百元。", "0.05"),
]  # fmt: skip

TRANSPORT_CASES = [
    Case("未按规定参加从业人员继续教育", "当事人持道路货物运输从业资格证，未按规定完成继续教育仍从事营运。",
         "《道路运输从业人员管理规定》", "警告", "给予警告。", ""),
    Case("超越从业资格证核定范围从事运输", "当事人持普通货运资格证，驾驶危险货物运输车辆。",
         "《中华人民共和国道路运输条例》", "罚款", "罚款一千元。", "0.1"),
]  # fmt: skip

QUALIFICATIONS = ["注册消防工程师", "一级建造师", "社会工作者", "执业药师", "监理工程师"]
