"""Enter the demo: Fujian's organisations, the starter catalogue, invented persons, batches and readings."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import people
from creditfujian import demo


class Command(BaseCommand):
    help = "写入演示数据（全部虚构，身份证号码只用 359901 号段）。可重复运行。"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--credentials", type=Path, help="把演示账户写到这个 JSON 文件（仅本人可读）")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("正式环境（DEMO=0）不写入演示数据。")
        with people.everybody("the demo is about invented persons"):
            accounts = demo.load(say=self.stdout.write if options["verbosity"] else lambda line: None)
        if options["credentials"]:
            demo.write_credentials(accounts, options["credentials"])
            self.stdout.write(f"演示账户写入 {options['credentials']}")
