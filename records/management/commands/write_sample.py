"""Write a sample workbook of 双公示 penalties on invented persons, of any size."""

from pathlib import Path
from typing import Any, Literal

from django.core.management.base import BaseCommand, CommandParser

from records.intake.samples import write_sample


class Command(BaseCommand):
    help = "生成双公示行政处罚样例文件（全部虚构）。docs/samples 里的文件就是这样生成的。"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="以 .xlsx 或 .csv 结尾")
        parser.add_argument("--rows", type=int, default=1000)
        parser.add_argument("--messy", action="store_true", help="带标题行、合计行和常见错误")
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--uscc", help="处罚机关统一社会信用代码")

    def handle(self, *args: Any, **options: Any) -> None:
        target: Path = options["file"]
        more = {"uscc": options["uscc"]} if options["uscc"] else {}
        kind: Literal["csv", "xlsx"] = "csv" if target.suffix == ".csv" else "xlsx"
        with target.open("wb") as out:
            outcomes = write_sample(
                out, options["rows"], messy=options["messy"], kind=kind, seed=options["seed"], **more
            )
        refused = sum(not outcome.accepted for outcome in outcomes)
        self.stdout.write(f"{target}：{len(outcomes)} 行，其中应退回 {refused} 行")
