"""The deeds of a sheet of proposals: take it and tell what it would do, then do it."""

import hashlib
from dataclasses import asdict
from datetime import timedelta

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from catalogue.exchange import propose
from catalogue.exchange_files import read_table
from catalogue.models import ItemImport

KEPT_DAYS = 7  # a sheet that nobody confirms is forgotten


def take_file(content: bytes, *, name: str, by: User) -> ItemImport:
    """Keep a sheet and what it would do; nothing is proposed yet.

    Raises PermissionDenied without the duty to propose, ValidationError for a file that cannot be read.
    """
    _refuse_others(by)
    table = read_table(content)
    ItemImport.objects.filter(
        confirmed_at__isnull=True, uploaded_at__lt=timezone.now() - timedelta(days=KEPT_DAYS)
    ).delete()
    outcome = [asdict(row) for row in propose(table.dataset(), by=by, dry_run=True)]
    return ItemImport.objects.create(
        name=name[:200], sha256=hashlib.sha256(content).hexdigest(), content=content, uploaded_by=by,
        notes=table.notes, outcome=outcome,
    )  # fmt: skip


@transaction.atomic
def confirm_import(sheet: ItemImport, *, by: User) -> ItemImport:
    """Make the drafts of a sheet; every row is judged anew, for the catalogue may have moved since the preview.

    Raises PermissionDenied for anybody but the one who sent it, ValidationError when it was confirmed before.
    """
    waiting = ItemImport.objects.select_for_update().get(pk=sheet.pk)
    _refuse_others(by)
    if waiting.uploaded_by_id != by.pk:
        raise PermissionDenied("只有上传人可以确认导入。")
    if waiting.confirmed_at is not None:
        raise ValidationError("这个文件已经导入过。需要再改的，请重新导出后上传新文件。", code="state")
    rows = propose(read_table(bytes(waiting.content)).dataset(), by=by, dry_run=False)
    waiting.outcome, waiting.confirmed_at = [asdict(row) for row in rows], timezone.now()
    waiting.save(update_fields=["outcome", "confirmed_at"])
    return waiting


def _refuse_others(by: User) -> None:
    if not by.has_perm("catalogue.propose_item") or by.organisation is None:
        raise PermissionDenied("您没有提出目录条目修订的职责。")
