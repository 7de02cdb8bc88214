"""What is refused at the door, and what only looks like it."""

import pytest

from catalogue.models import ProhibitedCategory
from catalogue.prohibited import Door


@pytest.fixture
def door(db: None) -> Door:
    return Door.load()


def test_every_category_of_the_law_is_there(db: None) -> None:
    codes = set(ProhibitedCategory.objects.values_list("code", flat=True))
    assert codes == {f"X{n:02d}" for n in range(1, 22)}


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("当事人患有精神疾病", "X05"),
        ("当事人系某教信徒", "X01"),
        ("采集了当事人指纹", "X03"),
        ("被处以行政拘留五日", "X10"),
        ("当事人为未成年人", "X09"),
        ("联系电话13800138000", "X19"),
        ("同伙身份证号35990119851231002X", "X19"),
        ("汇入银行卡6222021234567890128", "X06"),
        ("银行卡号不详", "X06"),
        ("当事人血型为A型", "X04"),
        ("有犯罪记录", "X09"),
        ("信用评分较低", "X20"),
        ("当事人离婚后", "X13"),
    ],
)
def test_prohibited_content_is_found(door: Door, text: str, category: str) -> None:
    hit = door.find(text)
    assert hit is not None
    assert hit.category == category
    assert hit.advice


@pytest.mark.parametrize(
    "text",
    [
        "当事人经营病死猪肉，货值二百元",
        "销售转基因大豆油未标识",
        "向未成年人销售烟草制品",
        "销售的指纹锁不合格",
        "货值金额6222021234567890123元",  # no card number by its check digit
        "行政处罚决定书文号闽市监处罚〔2026〕12345678901号",
        "",
    ],
)
def test_words_of_the_trade_are_no_hit(door: Door, text: str) -> None:
    assert door.find(text) is None


def test_an_exception_does_not_hide_another_hit_in_the_same_text(door: Door) -> None:
    hit = door.find("经营病死猪肉；当事人患病住院")
    assert hit is not None
    assert hit.found == "病"


@pytest.mark.parametrize(
    "label", ["民族", "当事人宗教信仰", "血型", "家庭住址", "手机号码", "信用评分", "婚姻状况", "照片"]
)
def test_a_prohibited_column_is_refused_by_its_name(door: Door, label: str) -> None:
    assert door.find_header(label) is not None


def test_no_field_of_any_item_has_a_prohibited_name(cast: object, door: Door) -> None:
    from catalogue.models import Field

    for label in Field.objects.values_list("label", flat=True):
        assert door.find_header(label) is None, label


def test_officials_can_add_a_word_and_an_exception(door: Door) -> None:
    assert door.find("某某症患者") is None
    category = ProhibitedCategory.objects.get(code="X05")
    category.keywords.append("某某症")
    category.exceptions.append("某某症候群研究所")
    category.save()
    again = Door.load()
    assert again.find("某某症患者") is not None
    assert again.find("在某某症候群研究所任职") is None
