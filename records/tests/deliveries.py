"""Delivering rows the way departments do, for tests: a csv in, a committed batch out."""

import csv
import io
from datetime import date, timedelta
from typing import Any

from django.utils import timezone

from accounts.models import User
from creditfujian.tests.cast import CITIZEN_NUMBER, Cast
from records import actions
from records.models import Batch

HEADER = [
    "行政相对人名称", "行政相对人类别", "证件类型", "证件号码", "行政处罚决定书文号", "违法行为类型", "违法事实", "处罚依据",
    "处罚类别", "处罚内容", "罚款金额（万元）", "处罚决定日期", "公示截止期", "处罚机关", "处罚机关统一社会信用代码",
    "失信程度", "信息使用范围",
]  # fmt: skip


def decided(days_ago: int = 40) -> date:
    """A day in the recent past."""
    return timezone.localdate() - timedelta(days=days_ago)


def penalty(cast: Cast, **changes: Any) -> dict[str, str]:
    """One good row about the citizen: a serious penalty marked public."""
    row = {
        "行政相对人名称": "陈小满", "行政相对人类别": "自然人", "证件类型": "身份证", "证件号码": CITIZEN_NUMBER,
        "行政处罚决定书文号": "闽市监处罚〔2026〕1号", "违法行为类型": "生产不符合食品安全标准的食品",
        "违法事实": "当事人在作坊生产腌制品，菌落总数超过标准限量，情节严重。", "处罚依据": "食品安全法第一百二十四条",
        "处罚类别": "吊销许可证件;罚款", "处罚内容": "吊销登记证，罚款六万元。", "罚款金额（万元）": "6",
        "处罚决定日期": decided().isoformat(), "公示截止期": (decided() + timedelta(days=900)).isoformat(),
        "处罚机关": "省市场监督管理局", "处罚机关统一社会信用代码": cast.market.uscc, "失信程度": "", "信息使用范围": "公示",
    }  # fmt: skip
    return row | {key: str(value) for key, value in changes.items()}


def as_csv(rows: list[dict[str, str]], *, header: list[str] = HEADER, encoding: str = "utf-8-sig") -> bytes:
    """The rows as a csv file."""
    out = io.StringIO()
    writer = csv.DictWriter(out, header, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode(encoding)


def check(cast: Cast, content: bytes, *, by: User | None = None, name: str = "处罚.csv", **more: Any) -> Batch:
    """Upload and check a file; nothing is committed."""
    batch, _ = actions.receive(
        io.BytesIO(content), name=name, item=cast.item, by=by or cast.data_officer, channel=Batch.Channel.PAGE, **more
    )
    return actions.check_batch(batch.pk)


def deliver(cast: Cast, rows: list[dict[str, str]], **more: Any) -> Batch:
    """Upload, check and commit by the second officer."""
    batch = check(cast, as_csv(rows), **more)
    assert batch.state == Batch.State.CHECKED, batch.failure
    return actions.commit_now(batch.pk, by=cast.data_reviewer)


def problems(batch: Batch) -> dict[int, list[str]]:
    """Return the reason codes of each refused row by its row number."""
    rows = batch.staged.filter(outcome=9).order_by("row_no").values_list("row_no", "problems")
    return {row_no: [code for _, code, _ in found] for row_no, found in rows}
