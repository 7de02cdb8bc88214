"""Make a register of millions for measuring: invented persons and records of the items in force."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.management.base import BaseCommand, CommandError, CommandParser

from creditfujian import demo_scale


class Command(BaseCommand):
    help = "成批生成演示自然人和信用记录（全部虚构，359901 号段），用于测速。须已有目录（manage.py demo）。"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--persons", type=int, required=True, help="自然人数")
        parser.add_argument("--records", type=int, required=True, help="记录数")
        parser.add_argument(
            "--rebuild-indexes",
            action="store_true",
            help="先撤索引和外键、后重建：快几倍，其间表被锁住，仅用于测速专用库",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            demo_scale.load(
                persons=options["persons"], records=options["records"], rebuild_indexes=options["rebuild_indexes"],
                say=self.stdout.write if options["verbosity"] else lambda line: None,
            )  # fmt: skip
        except PermissionDenied as refused:
            raise CommandError(str(refused)) from None
