"""A list of records and the officer who reads it, for tests."""

from datetime import date

from access.actions import Asker
from access.models import Purpose, Reach, Request
from accounts.models import User
from creditfujian.lib import identity
from creditfujian.tests.cast import CITIZEN_NUMBER, OTHER_NUMBER, Cast
from records.listing import ListRegistration, register
from records.tests.deliveries import decided, deliver, penalty

SURNAMES, GIVEN = "陈林黄张吴李郑王", ["望舒", "景行", "思齐", "怀瑾"]


def numbered(serial: int) -> str:
    """An invented adult's number."""
    return identity.invent(date(1960 + serial % 40, 1 + serial % 12, 1 + serial % 28), 101 + serial % 97)


def fill(cast: Cast, count: int, *, first: int = 0) -> None:
    """Deliver penalties about the citizen, the other citizen, and as many invented people as it takes."""
    rows = []
    for at in range(first, first + count):
        name = SURNAMES[at % 8] + GIVEN[at % 4]
        number = numbered(at)
        if at < 2:
            name, number = [("陈小满", CITIZEN_NUMBER), ("林大雪", OTHER_NUMBER)][at]
        day = decided(40 + at % 200)
        changes = {
            "行政相对人名称": name, "证件号码": number, "行政处罚决定书文号": f"闽市监处罚〔2026〕{1000 + at}号",
            "处罚决定日期": day.isoformat(), "公示截止期": "", "信息使用范围": "公示" if at % 3 else "政务共享",
        }  # fmt: skip
        if at % 4 == 0:
            changes |= {"处罚类别": "罚款", "处罚内容": "罚款五千元。", "罚款金额（万元）": "0.5"}
        rows.append(penalty(cast, **changes))
    batch = deliver(cast, rows)
    assert batch.refused == 0, batch.reasons


def asks(user: User) -> Asker:
    return Asker(user, "工作平台", "192.0.2.0/24")


def wish(cast: Cast, **changes: object) -> ListRegistration:
    values = {
        "reach": Reach.BY_DUTY, "items": [cast.item], "purpose": Purpose.SUPERVISION, "purpose_text": "年度案卷核对",
        "duty_code": "350000-MRKT-02", "case_no": "闽市监核〔2026〕3号",
    }  # fmt: skip
    return ListRegistration(**{**values, **changes})  # type: ignore[arg-type]


def opened(cast: Cast, user: User | None = None, **changes: object) -> Request:
    """A registration that opens lists."""
    request = register(wish(cast, **changes), by=asks(user or cast.officer_here))
    assert isinstance(request, Request), request
    return request
