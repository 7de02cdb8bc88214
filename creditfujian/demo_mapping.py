"""Demo of columns under other names: a mapping that an officer saved, and a file that waits for one."""

import csv
import io
from collections.abc import Callable

from accounts.models import User
from catalogue.models import Item
from records import actions, mappings
from records.models import Batch

# What two offices' own systems call the columns of a penalty.
CASE_SYSTEM = {
    "行政相对人名称": "被处罚人", "行政相对人类别": "被处罚人性质", "证件类型": "持有证件", "证件号码": "被处罚人证号",
    "行政处罚决定书文号": "决定书编号", "违法行为类型": "案由", "违法事实": "查明事实", "处罚依据": "法律依据",
    "处罚类别": "处罚方式", "处罚内容": "处理结果", "罚款金额（万元）": "罚没金额", "处罚决定日期": "作出日期",
    "处罚机关": "办案机构", "处罚机关统一社会信用代码": "办案机构信用代码", "公示截止期": "公示到期日", "信息使用范围": "能否公示",
}  # fmt: skip
LEDGER = CASE_SYSTEM | {
    "行政相对人名称": "当事人", "证件号码": "身份证件号", "行政处罚决定书文号": "文书编号", "违法行为类型": "违法行为",
    "处罚内容": "结果摘要", "处罚决定日期": "决定时间", "处罚机关": "所在单位",
}  # fmt: skip


def load(exported: bytes, ledger: bytes, *, item_code: str, say: Callable[[str], object]) -> None:
    """Deliver two files of penalties under headings of their own; the first is answered, the second waits.

    Both are csv files in the catalogue's own names.
    """
    officer, item = User.objects.get(username="data_officer"), Item.objects.get(code=item_code)
    answered = _deliver(renamed(exported, CASE_SYSTEM), "办案系统导出11月.csv", item, officer)
    mappings.save(
        answered.pk, mappings.look(answered).place, _codes(item, exported), name="执法办案系统导出", by=officer
    )
    actions.check_batch(answered.pk)
    waiting = _deliver(renamed(ledger, LEDGER, title="处罚台账"), "处罚台账.csv", item, officer)
    say(f"列对应“执法办案系统导出”已保存，用于批次 {answered.number}；批次 {waiting.number} 待对应列")


def renamed(content: bytes, names: dict[str, str], *, title: str = "") -> bytes:
    """Return a csv with its headings under other names, under a title if one is given."""
    header, *rows = csv.reader(io.StringIO(content.decode("utf-8-sig")))
    out = io.StringIO()
    csv.writer(out).writerows([*([[title]] if title else []), [names[name] for name in header], *rows])
    return out.getvalue().encode("utf-8-sig")


def _codes(item: Item, content: bytes) -> list[str]:
    codes = {f.label: f.code for version in item.versions.all() for f in version.fields.all()}
    return [codes[name] for name in next(csv.reader(io.StringIO(content.decode("utf-8-sig"))))]


def _deliver(content: bytes, name: str, item: Item, officer: User) -> Batch:
    batch, _ = actions.receive(io.BytesIO(content), name=name, item=item, by=officer, channel=Batch.Channel.PAGE)
    return actions.check_batch(batch.pk)
