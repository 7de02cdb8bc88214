"""Write a sample workbook of 双公示 penalties on invented persons, of any size."""

from pathlib import Path
from typing import Any, cast, get_args

from django.core.management.base import BaseCommand, CommandError, CommandParser

from records.intake.sample_family import write_family
from records.intake.sample_sheets import Kind
from records.intake.samples import write_sample


class Command(BaseCommand):
    help = "生成双公示行政处罚样例文件（全部虚构）。docs/samples 里的文件就是这样生成的。"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="以 .xlsx、.xls、.ods、.csv 或 .tsv 结尾；用 --family 时是目录")
        parser.add_argument("--rows", type=int, default=1000)
        parser.add_argument("--messy", action="store_true", help="带标题行、合计行和常见错误")
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--family", action="store_true", help="写出 docs/samples 里的全部小样例")
        parser.add_argument("--uscc", help="处罚机关统一社会信用代码")

    def handle(self, *args: Any, **options: Any) -> None:
        target: Path = options["file"]
        if options["family"]:
            write_family(target)
            return
        more = {"uscc": options["uscc"]} if options["uscc"] else {}
        kind = target.suffix.removeprefix(".")
        if kind not in get_args(Kind):
            raise CommandError(f"不认识的扩展名 {target.suffix}。请用 .xlsx、.xls、.ods、.csv 或 .tsv。")
        with target.open("wb") as out:
            outcomes = write_sample(
                out, options["rows"], messy=options["messy"], kind=cast(Kind, kind), seed=options["seed"], **more
            )
        refused = sum(not outcome.accepted for outcome in outcomes)
        self.stdout.write(f"{target}：{len(outcomes)} 行，其中应退回 {refused} 行")
