"""Printed answers limited to a scope: what an agent takes along from the counter, what goes back to a court.

Set like a report, of the records of the scope only; nothing of it is kept, each printing is a reading of its own.
"""

from datetime import date

from django.utils import timezone

from accounts.models import User
from catalogue.columns import labels
from catalogue.reading import CATEGORIES
from records import report_pdf
from records.reading import File
from records.report_content import Content, Cover, clock, content, sheet

TITLE = "个人公共信用信息查询结果（限定条目）"
OMISSIONS = [
    "没有列出的条目：不在本次查询范围内，本件不载，也不说明有无。",
    "查询期已满、已撤回、已撤销、已修复、正在告知和异议核查期间暂停提供的记录：依法不提供。",
    "谁查过这些信息：只向本人提供。",
]


def set_extract(file: File, *, number: str, how: str, until: date | None, item_names: list[str], by: User) -> bytes:
    """Return the PDF of what was read; `how` says by what ground, `until` how long that ground lasts. Raises NoFonts."""
    at, known = timezone.now(), labels()
    body = content(
        file,
        [],
        at=at,
        since=timezone.localdate(at),
        names={code: known.get(("CAT", code), code) for code in CATEGORIES},
    )
    told = sheet(body, Cover(number, how, code="", verify_url="", qr=""))
    scope = [["查询条目", "、".join(item_names)], ["交付窗口", str(by.organisation)]]
    scope += [["依据有效至", until.isoformat()]] if until else []
    return report_pdf.set_report(
        told
        | {
            "title": TITLE, "watermark": "限定用途 不得转交", "footer": "仅供所载依据和用途使用，不得转交他人；涂改无效。",
            "head": [*told["head"], *scope], "summary": _summary(body), "empty": "", "verify": "",
            "looks": {"sentence": "", "rows": []}, "omissions": OMISSIONS,
        }
    )  # fmt: skip


def _summary(body: Content) -> str:
    if not body.records:
        return f"截至 {clock(body.at)}，所列条目里没有可以提供的记录。"
    return f"截至 {clock(body.at)}，所列条目里可以提供的记录共 {body.records} 条。"
