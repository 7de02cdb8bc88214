"""Demo of grants and regions: offices of two cities and a county that supply and read what lies within their own."""

from collections.abc import Callable
from datetime import timedelta

from django.utils import timezone

from access import duties
from accounts.models import Organisation, Region, User
from catalogue import grants
from catalogue.models import Item, ItemGrant
from records.models import Batch

CITY, COUNTY, OTHER_CITY = (
    "三明市市场监督管理局（演示）",
    "三明市三元区市场监督管理局（演示）",
    "厦门市市场监督管理局（演示）",
)
BASIS = "《市场监督管理行政处罚信息公示规定》第四条；省市场监管局委托采集"
DUTY = ("MRKT-0107", "市场主体日常监督检查", "《市场主体登记管理条例》第三十八条")
Deliver = Callable[[Organisation, str, str], Batch]


def load(offices: dict[str, Organisation], item: Item, deliver: Deliver) -> str:
    """Grant, register duties and deliver by two hands each; one grant ends soon, one waits, one was taken back."""
    asks, confirms = (User.objects.get(username=name) for name in ("credit_office", "credit_office2"))
    today = grants.today()

    def grant(unit: Organisation, permission: str, basis: str = BASIS, days: int | None = None) -> ItemGrant:
        last = today + timedelta(days=days) if days else None
        asked = grants.ask(
            organisation=unit, item=item, permission=permission, basis=basis, reason="设区市、县级局报送和查询本辖区处罚",
            valid_to=last, by=asks,
        )  # fmt: skip
        return grants.confirm(asked.pk, by=confirms)

    for name in (CITY, COUNTY, OTHER_CITY):
        unit = offices[name]
        grant(unit, ItemGrant.Permission.SUPPLY)
        grant(unit, ItemGrant.Permission.QUERY, days=20 if name == COUNTY else None)
        _duty(unit, item, asks, confirms)
    for name, uploader, prefix in (
        (COUNTY, "sanyuan_data", "明元市监处罚"),
        (OTHER_CITY, "xiamen_data", "厦同市监处罚"),
    ):
        deliver(offices[name], uploader, prefix)
    fuzhou = offices["福州市市场监督管理局（演示）"]
    ended = grant(fuzhou, ItemGrant.Permission.QUERY)
    grants.take_back(
        ended.pk, by=User.objects.get(username="security_admin"), reason="该单位尚未配备查询人员，先行收回"
    )
    grants.ask(
        organisation=fuzhou,
        item=item,
        permission=ItemGrant.Permission.QUERY,
        basis=BASIS,
        reason="已配备查询人员，重新申请",
        by=asks,
    )
    duties.propose(
        organisation=offices[OTHER_CITY], code="350200-MRKT-0901", name="闽西南食品安全协作检查", basis="《食品安全法》第六条",
        region=Region.objects.get(pk="350400"), region_basis="《食品安全法》第六条；闽西南协同发展区协作方案（演示）",
        valid_from=timezone.localdate(), items=[item], by=asks,
    )  # fmt: skip
    return "目录授权：两市一县可报送、查询本辖区处罚；一项将到期，一项待确认，一项已收回"


def _duty(unit: Organisation, item: Item, asks: User, confirms: User) -> None:
    code, name, basis = DUTY
    duty = duties.propose(
        organisation=unit, code=f"{unit.region_id}-{code}", name=name, basis=basis, valid_from=timezone.localdate(),
        items=[item], by=asks,
    )  # fmt: skip
    duties.confirm(duty.pk, by=confirms)
