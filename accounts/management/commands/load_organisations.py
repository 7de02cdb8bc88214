"""Enter the province's departments from a file that gives each its real credit code."""

from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import credit_codes


class Command(BaseCommand):
    help = (
        "按 CSV 登记省级部门：列 code（目录简称）、uscc（统一社会信用代码）；登记原机构时 code 留空，"
        "在 predecessor 列写原机构名称。可重复运行。"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE.csv", help="UTF-8 编码的 CSV 文件")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            text = options["file"].read_text(encoding="utf-8-sig")
            outcome = credit_codes.enter(text.splitlines())
        except OSError as error:
            raise CommandError(f"读不到文件 {options['file']}。请核对路径。") from error
        except UnicodeDecodeError as error:
            raise CommandError("文件不是 UTF-8 编码。请另存为 UTF-8 后再试。") from error
        except ValidationError as error:
            raise CommandError(error.messages[0]) from error
        for problem in outcome.problems:
            self.stderr.write(problem)
        self.stdout.write(
            f"新登记 {len(outcome.entered)} 个，已登记 {outcome.known} 个，未登记 {len(outcome.problems)} 行。"
        )
        if outcome.problems:
            raise CommandError("有未登记的行，请改正后再次运行；已登记的不会重复。")
