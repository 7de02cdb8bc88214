"""Take a committed batch back from the command line."""

import re
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import User
from accounts.web import sentence_of
from records import actions
from records.models import Batch


class Command(BaseCommand):
    help = "整批撤回：入库前的内容恢复，历史保留。"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("batch", help="批次号，如 B20261124-000001")
        parser.add_argument("--by", required=True, help="办理人用户名")
        parser.add_argument("--reason", required=True, help="撤回理由")

    def handle(self, *args: Any, **options: Any) -> None:
        match = re.fullmatch(r"(?:B\d{8}-)?0*(\d+)", options["batch"])
        user = User.objects.filter(username=options["by"], is_active=True).first()
        if match is None or user is None or not Batch.objects.filter(pk=match.group(1)).exists():
            raise CommandError("没有这个批次或用户。")
        try:
            count = actions.withdraw(int(match.group(1)), by=user, reason=options["reason"])
        except (PermissionDenied, ValidationError) as error:
            raise CommandError(sentence_of(error)) from error
        if count is None:
            raise CommandError("撤回涉及的记录较多，须由本单位另一名工作人员在网页上同意。已提请复核，批次尚未撤回。")
        self.stdout.write(f"已撤回，{count} 条记录恢复到入库前。")
