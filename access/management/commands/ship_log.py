"""`manage.py ship_log DIR`: add to a folder the checkpoints and leaf hashes that it lacks; with --lines, the evidence."""

from pathlib import Path
from typing import Any

from auditlog.models import LogEntry
from django.core.management.base import BaseCommand, CommandError, CommandParser

from access import evidence, shipping
from access.models import Checkpoint
from access.tree import LogBroken
from accounts.models import User


class Command(BaseCommand):
    help = "把检查点和封存叶（不含任何人的信息）追加到一个目录；加 --lines 时另附全部日志原文，供审计员取证。"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, help="目录；只追加，不改动已有内容")
        parser.add_argument("--lines", action="store_true", help="另写 lines.jsonl：日志原文，含查询人和被查询人编号")
        parser.add_argument("--by", help="取证的审计员用户名（与 --lines 一起）")

    def handle(self, *args: Any, **options: Any) -> None:
        folder: Path = options["folder"]
        auditor = self._auditor(options["by"]) if options["lines"] else None
        try:
            count = shipping.ship(folder)
        except (shipping.Forked, LogBroken) as error:
            raise CommandError(f"没有外送：{error}。") from error
        self.stdout.write(f"追加检查点 {count} 个。")
        newest = Checkpoint.objects.first()
        if auditor is not None and newest is not None:
            # who took the whole log, and when, stays written down
            LogEntry.objects.log_create(
                newest, force_log=True, action=LogEntry.Action.ACCESS, actor=auditor, changes={}
            )
            lines = evidence.write(folder / "lines.jsonl", newest.size)
            self.stdout.write(f"追加日志原文 {lines} 条，请按敏感资料保管。")

    def _auditor(self, username: str | None) -> User:
        auditor = User.objects.filter(username=username or "", is_active=True).first()
        if auditor is None or not auditor.has_perm("access.view_query"):
            raise CommandError("取证须由审计员办理：--by 审计员用户名。")
        return auditor
