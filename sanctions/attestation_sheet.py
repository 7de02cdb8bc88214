"""What an attestation says, on paper and on screen. Pure: everything is passed in."""

from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import Any

from records.report_content import PUBLISHER, clock, day
from sanctions.attestation_models import Attestation, AttestationRule

SHEET = Path(__file__).parent / "typst" / "attestation.typ"
TITLE = "无失信记录证明"
WHOLE = "征集目录内的全部失信类条目"
NOT_COUNTED = "不计入：轻微和不分程度的记录，已修复、到期、撤销、撤回的记录，正在告知的记录，异议核查期间停用的记录，已暂停条目的记录。"
NOTES = [
    "本证明只说明上述期间、上述范围内的一项事实，不是对人的评价，也不说明有没有其他记录。",
    NOT_COUNTED,
    "没有这份证明，不等于有失信记录：不得因为没有提供或者不能提供而推定。",
    "依法不需要提供信用证明的事项，任何单位不得要求提供。",
]


@dataclass(frozen=True)
class Cover:
    """What makes a paper out of it: whose it is, its code and how it is checked."""

    name: str
    id_number: str
    code: str
    verify_url: str
    qr: str


def says(attestation: Attestation, rule: AttestationRule) -> str:
    """Return the one sentence that is attested."""
    return (
        f"{day(attestation.since)}至{day(attestation.as_of)}的 {attestation.years} 个整年里，没有在此期间作出认定或者处于公示期的"
        f"有效失信记录（{rule.severities_in_words}）。"
    )


def sheet(attestation: Attestation, cover: Cover) -> dict[str, Any]:
    """Return the attestation as the type-setter takes it."""
    rule, at = attestation.rule, attestation.issued_at
    utc = at.astimezone(UTC)
    return {
        "title": TITLE, "publisher": PUBLISHER, "number": attestation.number,
        "at": [utc.year, utc.month, utc.day, utc.hour, utc.minute, utc.second],
        "watermark": f"{PUBLISHER} 免费出具", "footer": "免费出具。持编号和验证码可在线核验；涂改无效。",
        "head": [
            ["证明编号", attestation.number], ["当事人", cover.name], ["证件号码", cover.id_number], ["出具时间", clock(at)],
            ["出具方式", attestation.get_way_display()], ["有效期至", f"{day(attestation.valid_until)}（含当日）"],
        ],
        "qr": cover.qr, "code": cover.code,
        "verify": f"在 {cover.verify_url} 填写编号和验证码，可知证明是否真实，以及出具后情况有没有变化（不显示变化的内容）。"
        "请只把验证码交给您同意的人；不想再让人核验的，可以随时停用。",
        "says": says(attestation, rule), "answer": "能够证明",
        "rule": [
            ["范围", WHOLE], ["计入的程度", rule.severities_in_words], ["规则", f"{rule}，{rule.valid_from:%Y-%m-%d} 起"],
            ["依据", rule.basis],
        ],
        "notes": NOTES, "missing": "",
    }  # fmt: skip
