"""Scans of papers that people bring: what they may be, how large, how they lie and how they go out again."""

from typing import BinaryIO

from django.core.exceptions import ValidationError

from records.consent_models import ConsentPaper

Type = ConsentPaper.Type
LARGEST = 10 * 1024 * 1024  # bytes of a scan
MIME = {Type.PDF: "application/pdf", Type.JPEG: "image/jpeg", Type.PNG: "image/png"}
HELP = "PDF、JPEG 或 PNG，不超过 10 MB，加密保存。"
ACCEPT = ".pdf,.jpg,.jpeg,.png"
_BEGINS = {b"%PDF-": Type.PDF, b"\xff\xd8\xff": Type.JPEG, b"\x89PNG\r\n": Type.PNG}


def type_of(scan: BinaryIO) -> ConsentPaper.Type:
    """Return what a scan is by its first bytes, and that it is not too large. Raises ValidationError."""
    scan.seek(0, 2)
    size = scan.tell()
    scan.seek(0)
    head = scan.read(8)
    scan.seek(0)
    kind = next((kind for begins, kind in _BEGINS.items() if head.startswith(begins)), None)
    if kind is None or size > LARGEST:
        raise ValidationError({"scan": "扫描件须是 PDF、JPEG 或 PNG，不超过 10 MB。"})
    return kind
