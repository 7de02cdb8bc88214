"""`manage.py nightly [--date YYYY-MM-DD]`: everything that ends, starts or falls due that day."""

from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from creditfujian import night


class Command(BaseCommand):
    help = "办理当天到期、生效、届满的事项；可以重复运行。"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--date", type=date.fromisoformat, help="补办某一天的督办和报送统计；条目的生效、暂停、停用始终以当天为准"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        for deed, count in night.run(options["date"]).items():
            self.stdout.write(f"{deed}: {count}")
