"""`manage.py seal_log`: seal what is new in the query log, as the worker does every minute."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from access import sealing
from access.shipping import Forked
from access.tree import LogBroken


class Command(BaseCommand):
    help = "封存查询日志中新的行，签发检查点（后台任务每分钟自动办理）。"

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            checkpoint = sealing.seal()
        except (LogBroken, Forked, ValueError) as error:
            raise CommandError(f"没有封存：{error}") from error
        if checkpoint is None:
            self.stdout.write("没有新的查询需要封存。")
        else:
            self.stdout.write(f"检查点 {checkpoint.number}：共封存 {checkpoint.size} 条。")
