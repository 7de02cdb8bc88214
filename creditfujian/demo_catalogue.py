"""The catalogue's demo: a second edition, a revision under way, a local item about which the public is asked."""

from datetime import timedelta

from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone

from accounts.models import Organisation, Region, User
from catalogue import actions, publishing
from catalogue.models import Article, Field, Item, ItemVersion
from catalogue.rules import add_months

LOCAL_CODE = "FJ1-03-XMSJ-0001"


def load() -> None:
    """Enter them through the deeds that officers use; once."""
    if Item.objects.filter(code=LOCAL_CODE).exists():
        return
    _second_edition()
    _revision_under_way()
    _local_item()


def _who(username: str) -> User:
    return User.objects.get(username=username)


def _reviewed(version: ItemVersion, *, drafter: User) -> ItemVersion:
    actions.submit(version, by=drafter)
    actions.take_up(version, by=_who("credit_office2"))
    return actions.pass_review(
        version, by=_who("credit_office2"), note="依据层级和适用范围符合国办发〔2020〕49号的要求。"
    )


def _assess(version: ItemVersion) -> None:
    today = timezone.localdate()
    values = {
        "number": f"PIA-{today.year}-{version.item.code[-4:]}-{version.version}", "title": version.name,
        "purpose": "为履行法定的监督管理职责所必需，范围限于认定文书载明的事项。",
        "risks": "误认他人、超期公示、超范围使用。",
        "safeguards": "公民身份号码唯一匹配、加密保存；到期自动停止公示；查询须登记事由，当事人可见。",
        "assessed_on": today, "valid_until": add_months(today, 24),
    }  # fmt: skip
    assessment = actions.assess(version, by=_who("credit_office2"), values=values)
    actions.review_assessment(assessment, by=_who("credit_office"), passed=True)


def _second_edition() -> None:
    drafter = _who("transport_data")
    draft = actions.start_draft(Item.objects.get(code="FJ1-03-TRAN-0001"), by=drafter)
    values = {
        "behaviour": "道路运输从业人员违反道路运输管理法规，被交通运输主管部门依法作出行政处罚决定（不含公安交通管理部门作出的处罚）",
        "supply_days": 5, "change_note": "明确不含交警处罚；报送时限由 7 个工作日缩短为 5 个工作日",
    }  # fmt: skip
    version = _reviewed(actions.write_draft(draft, by=drafter, values=values), drafter=drafter)
    _assess(version)
    actions.approve(version, by=_who("credit_office"), note="同意")
    publishing.publish(
        number=f"FJ-{timezone.localdate().year}-01", title="福建省自然人公共信用信息征集目录（第二版）", by=_who("credit_office"),
        note="调整道路运输从业人员行政处罚条目",
    )  # fmt: skip


def _revision_under_way() -> None:
    drafter = _who("data_officer")
    draft = actions.start_draft(Item.objects.get(code="FJ1-03-MRKT-0001"), by=drafter)
    values = {
        "behaviour": "违反市场监督管理法律、法规、规章，被依法作出行政处罚决定（简易程序和仅给予警告的除外）",
        "change_note": "写明不包括简易程序和仅给予警告的处罚",
        "effective": DateRange(timezone.localdate() + timedelta(days=60), None),
    }  # fmt: skip
    actions.submit(actions.write_draft(draft, by=drafter, values=values), by=drafter)


def _local_item() -> None:
    xiamen = Organisation.objects.get(name="厦门市市场监督管理局（演示）")
    drafter = _who("xiamen_data")
    item = actions.propose_item(
        code=LOCAL_CODE, category="03", polarity="N", origin=Item.Origin.LOCAL, provider=xiamen, by=drafter
    )
    regulation = Article.objects.filter(instrument__territory="350200", instrument__level=40).order_by("pk")[0]
    like = Item.objects.get(code="FJ1-03-MRKT-0001").versions.filter(state=ItemVersion.State.IN_FORCE).get()
    first = {
        "name": "厦门市住房租赁经纪从业人员行政处罚信息", "behaviour": "在住房租赁经纪活动中提供虚假房源，被依法作出行政处罚决定",
        "territory": Region.objects.get(pk="350200"), "disclosure": ItemVersion.Disclosure.QUERY_AUTH, "document_type": "P",
        "severity_rule": "2", "query_retention_months": 36, "repair_conditions": ["DONE", "PROMISE"], "source_level": "市",
    }  # fmt: skip
    draft = actions.start_draft(item, by=drafter, first=first)
    fields = list(like.fields.all())
    for field in fields:
        field.visible_to = [reader for reader in field.visible_to if reader != Field.Reader.PUBLIC]
    actions.write_draft(draft, by=drafter, legal_bases=[regulation], fields=fields)
    version = _reviewed(draft, drafter=drafter)
    _assess(version)
    consultation = actions.open_consultation(
        version, by=_who("credit_office2"),
        explanation="租赁经纪从业人员发布虚假房源投诉较多。拟将依法作出的行政处罚纳入本市补充目录，仅供经本人授权的查询，不公开公示。",
    )  # fmt: skip
    for text in ("建议查询期限再短一些，一年就够。", "请写明平台审核失误造成的，不算从业人员的责任。"):
        actions.comment(consultation, text=text)
    actions.answer(
        consultation.comments.order_by("id")[0], by=_who("credit_office2"), text="已记下，将与期限规则一并研究。"
    )
