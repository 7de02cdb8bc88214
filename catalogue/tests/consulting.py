"""A local item that the public is asked about, for tests."""

from datetime import date

from catalogue import actions
from catalogue.models import Consultation, Field, Instrument, Item
from creditfujian.tests.cast import Cast


def local_item(cast: Cast) -> Item:
    """A local supplement of the market authority, written like its penalties but on a local regulation."""
    item = actions.propose_item(
        code="FJ1-03-MRKT-0900", category="03", polarity="N", provider=cast.market, by=cast.data_officer, origin="L"
    )
    regulation = Instrument.objects.create(
        code="CESHI-XYTL", title="福建省社会信用条例（测试）", issuer="福建省人大常委会", level=40, confidence="L",
        effective_on=date(2020, 1, 1), territory_id="350000",
    )  # fmt: skip
    article = regulation.articles.create(number="第九条", summary="地方补充目录由地方性法规规定")
    model = cast.item.versions.get(version=1)
    names = ("territory", "query_retention_months", "severity_rule", "document_type", "repair_conditions")
    first = {name: getattr(model, name) for name in names}
    draft = actions.start_draft(
        item, by=cast.data_officer,
        first={**first, "name": "餐饮服务食品安全处罚", "behaviour": "违反餐饮食品安全规定受到处罚", "disclosure": "SHARE"},
    )  # fmt: skip
    fields = list(model.fields.all())
    for field in fields:  # shared between departments only
        field.visible_to = [reader for reader in field.visible_to if reader != Field.Reader.PUBLIC]
    actions.write_draft(
        draft, by=cast.data_officer, legal_bases=[article], fields=fields, periods=list(model.periods.all())
    )
    return item


def consulted(cast: Cast) -> Consultation:
    """The local item under consultation."""
    draft = local_item(cast).versions.get()
    actions.submit(draft, by=cast.data_officer)
    actions.take_up(draft, by=cast.legal_reviewer)
    actions.pass_review(draft, by=cast.legal_reviewer, note="依据充分")
    return actions.open_consultation(draft, by=cast.credit_office_2, explanation="本省餐饮行业治理需要")
