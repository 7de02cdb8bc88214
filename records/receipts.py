"""The receipt of a batch (回执): the same file whenever it is fetched, and a way to tell that it is ours.

A batch that ended without going in has one too, which says so: an office can show what became of every file it sent.

Counts that add up to the rows of the file, its SHA-256, times, signer (design §5, step 7). No person is in it.
"""

import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts.models import User
from creditfujian.lib import spreadsheet
from records import returned
from records.intake.reasons import title_of
from records.models import Batch
from records.receipt_models import BatchReceipt

CODE = 20  # characters of the seal that a person types
MAX_BYTES = 256 * 1024
_ABOUT = b"receipt:"


def issue(batch: Batch) -> BatchReceipt:
    """Issue the receipt of a batch that has just gone in; whoever committed it signs."""
    assert batch.committed_by is not None
    return _issue(batch, _content(batch, batch.committed_by), by=batch.committed_by, at=batch.committed_at)


def issue_of_end(batch: Batch, *, by: User | None) -> BatchReceipt:
    """Issue the receipt of a batch that was cancelled or refused: nothing of it went in.

    `by` ended it; without, the system did: a file that cannot be read, a term that was over.
    """
    now, reason = timezone.now(), (batch.failure or {}).get("code", "")
    told = {"state": batch.get_state_display(), "at": _time(now), "went_in": 0,
            "reason": {"code": reason, "title": title_of(reason)} if reason else None}  # fmt: skip
    return _issue(batch, {**_content(batch, by), "ended": told}, by=by, at=now)


def _issue(batch: Batch, content: dict[str, Any], *, by: User | None, at: datetime | None) -> BatchReceipt:
    text = _text(content)
    return BatchReceipt.objects.create(
        batch=batch, content=content, sha256=hashlib.sha256(text).hexdigest(), signed_by=by,
        seal=settings.FIELD_KEYRING.index(_ABOUT + text), issued_at=at or timezone.now(),
    )  # fmt: skip


def _content(batch: Batch, signed_by: User | None) -> dict[str, Any]:
    version = batch.item.version_on(timezone.localdate())
    return {
        "receipt": f"HZ-{batch.number}", "batch": batch.number,
        "supplier": {"name": batch.supplier.name, "uscc": batch.supplier.uscc},
        "item": {"code": batch.item.code, "name": version.name if version else batch.item.code},
        # Not the file's name: an office may have put a person's into it.
        "file": {"sha256": batch.file.sha256, "bytes": batch.file.size},
        "mode": batch.get_mode_display(), "channel": batch.get_channel_display(),
        "correction_of": batch.correction_of.number if batch.correction_of else None,
        "corrects": [origin.number for origin in returned.origins_of(batch)],
        "received_at": _time(batch.received_at), "checked_at": _time(batch.checked_at),
        "committed_at": _time(batch.committed_at),
        "uploaded_by": batch.uploaded_by.name, "signed_by": signed_by.name if signed_by else "",
        "counts": {"rows": batch.rows, "new": batch.new, "changed": batch.changed, "unchanged": batch.unchanged,
                   "refused": batch.refused},
        "reasons": [{"code": code, "title": title_of(code), "rows": rows} for code, rows in sorted(batch.reasons.items())],
    }  # fmt: skip


def _time(moment: datetime | None) -> str | None:
    return timezone.localtime(moment).isoformat(timespec="seconds") if moment else None


def _text(content: dict[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def as_json(receipt: BatchReceipt) -> bytes:
    """Return the receipt for machines: content, its SHA-256, and the seal over it."""
    whole = {"content": receipt.content, "sha256": receipt.sha256, "seal": bytes(receipt.seal).hex()}
    return json.dumps(whole, ensure_ascii=False, sort_keys=True, indent=1).encode() + b"\n"


def lines(receipt: BatchReceipt) -> list[tuple[str, str]]:
    """Return the receipt for people, line by line."""
    said, counts = receipt.content, receipt.content["counts"]
    ended = said.get("ended")
    taken = f"新增 {counts['new']}，变更 {counts['changed']}，无变化 {counts['unchanged']}"
    return [
        ("回执编号", said["receipt"]), ("批次号", said["batch"]),
        ("报送单位", f"{said['supplier']['name']}（{said['supplier']['uscc']}）"),
        ("目录条目", f"{said['item']['name']}（{said['item']['code']}）"),
        ("文件 SHA-256", said["file"]["sha256"]), ("文件字节数", f"{said['file']['bytes']}"),
        ("方式", f"{said['mode']}（{said['channel']}）"),
        ("更正自批次", "、".join(said.get("corrects") or [said["correction_of"] or "—"])),
        ("接收时间", said["received_at"]), ("校验完成时间", said["checked_at"] or "—"), *_outcome(said, ended),
        ("上传人", said["uploaded_by"]),
        ("总行数", f"{counts['rows']}"), ("新增", f"{counts['new']}"), ("变更", f"{counts['changed']}"),
        ("无变化", f"{counts['unchanged']}"), ("退回", f"{counts['refused']}"),
        ("合计", f"{taken}，退回 {counts['refused']}，共 {counts['rows']} 行"),
        *((f"退回原因 {one['code']}", f"{one['title']}：{one['rows']} 行") for one in said["reasons"]),
        ("内容摘要（SHA-256）", receipt.sha256), ("校验码", code_of(receipt)),
    ]  # fmt: skip


def _outcome(said: dict[str, Any], ended: dict[str, Any] | None) -> list[tuple[str, str]]:
    if ended is None:
        return [("入库时间", said["committed_at"]), ("签发人（审核提交人）", said["signed_by"])]
    why = [("退回原因", f"{ended['reason']['code']} {ended['reason']['title']}")] if ended["reason"] else []
    return [("结果", f"{ended['state']}，没有任何一行入库；以下各数为校验所得"), ("结束时间", ended["at"]), *why,
            ("签发人（取消人）", said["signed_by"] or "系统")]  # fmt: skip


def as_xlsx(receipt: BatchReceipt) -> bytes:
    """Return the receipt for people as a workbook; no cell becomes a formula."""
    made = timezone.localtime(receipt.issued_at)
    return spreadsheet.as_xlsx("回执", ["项目", "内容"], lines(receipt), made=made)


def code_of(receipt: BatchReceipt) -> str:
    """Return the part of the seal that a person can type."""
    return bytes(receipt.seal).hex()[:CODE].upper()


@dataclass(frozen=True)
class Verdict:
    """Whether a receipt is ours, and what has become of its batch."""

    receipt: BatchReceipt
    withdrawn_at: datetime | None


def verify_code(number: str, code: str) -> Verdict | None:
    """Return what a number and code stand for; None when they are not ours."""
    typed = "".join(code.split()).upper()
    key = number.strip().rpartition("-")[2]
    receipt = _of(int(key)) if key.isdecimal() and len(key) < 12 else None
    if receipt is None or receipt.number != number.strip().upper():
        return None
    return _verdict(receipt) if hmac.compare_digest(code_of(receipt), typed) and _sealed(receipt) else None


def verify_file(data: bytes) -> Verdict | None:
    """Return what a JSON receipt stands for; None when a character of it is not ours. Raises ValidationError."""
    if len(data) > MAX_BYTES:
        raise ValidationError("文件过大，不是回执。请选择从本站下载的 JSON 回执。", code="size")
    try:
        whole = json.loads(data)
        batch = int(whole["content"]["batch"].rpartition("-")[2])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise ValidationError(
            "不是 JSON 回执。请选择从本站下载的 .json 文件，或者输入编号和校验码。", code="json"
        ) from None
    receipt = _of(batch) if 0 < batch < 1 << 62 else None
    # Letter by letter: a key said twice, or 2.0 for 2, is the same to this parser and something else to another.
    if receipt is None or data.strip() != as_json(receipt).strip() or not _sealed(receipt):
        return None
    return _verdict(receipt)


def _of(batch_id: int) -> BatchReceipt | None:
    return BatchReceipt.objects.select_related("batch").filter(batch=batch_id).first()


def _sealed(receipt: BatchReceipt) -> bool:
    """Tell whether what is stored still is what was sealed: whoever changed both in the database lacks the key."""
    text = _text(receipt.content)
    return hashlib.sha256(text).hexdigest() == receipt.sha256 and bytes(receipt.seal) in settings.FIELD_KEYRING.indexes(
        _ABOUT + text
    )


def _verdict(receipt: BatchReceipt) -> Verdict:
    return Verdict(receipt, receipt.batch.withdrawn_at)
