"""`manage.py verify_log`: derive the sealed query log anew from its lines; exit 0 when whole, 1 when broken."""

import json
import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from access.verifying import Report, verify


class Command(BaseCommand):
    help = "核验查询日志：逐条、逐个检查点重新推算，指出第一条有问题的。完好返回 0，有问题返回 1。"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="输出一个 JSON 对象")
        parser.add_argument("--days", type=int, help="只核验最近几天封存的")
        parser.add_argument("--against", type=Path, help="与这个外送目录核对（默认为封存任务自己的外送目录）")
        parser.add_argument("--jobs", type=int, default=min(4, os.cpu_count() or 1), help="同时使用的数据库连接数")

    def handle(self, *args: Any, **options: Any) -> None:
        since = timezone.now() - timedelta(days=options["days"]) if options["days"] else None
        report = verify(since=since, folder=options["against"], jobs=options["jobs"])
        first = report.first
        if options["json"]:
            told = {
                "lines": report.lines, "checkpoints": report.checkpoints, "first_bad": report.first_bad,
                "leaf": first.leaf if first else None, "found": [fault.what for fault in report.faults],
                "seconds": round(report.seconds, 3),
            }  # fmt: skip
            self.stdout.write(json.dumps(told, ensure_ascii=False))
        else:
            self.stdout.write(_in_words(report))
        if first:
            sys.exit(1)


def _in_words(report: Report) -> str:
    told = f"核验 {report.lines} 条、{report.checkpoints} 个检查点，用时 {report.seconds:.1f} 秒。"
    if report.first is None:
        return f"{told}完好。"
    return f"{told}有问题：第一条是序号 {report.first.seq}（第 {report.first.leaf + 1} 条）——{report.first.what}。"
