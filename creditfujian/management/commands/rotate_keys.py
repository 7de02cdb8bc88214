"""Seal anew, under the first key of FIELD_KEYS, what is sealed under the others."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from records import rotation


class Command(BaseCommand):
    help = (
        "把用旧密钥密封的证件号码、第二步验证和文件换用 FIELD_KEYS 的第一个密钥密封。分批进行，可以中断后再运行，"
        "运行期间网站照常服务。"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="只统计各密钥下还有多少，不改动")
        parser.add_argument("--database", default="default", help="以数据库所有者运行；manage.py 自动选择")

    def handle(self, *args: Any, check: bool, database: str, **options: Any) -> None:
        broken = 0
        if not check:
            for one in rotation.rotate(using=database):
                self.stdout.write(f"{one.what}：换用新密钥 {one.done} 个")
                for key in one.broken:
                    self.stderr.write(f"{one.what} {key} 用现有密钥打不开，没有改动。")
                broken += len(one.broken)
        for what, counts in rotation.left(using=database).items():
            told = "，".join(f"密钥 {key}：{count} 个" for key, count in sorted(counts.items())) or "没有"
            self.stdout.write(f"{what}：{told}")
        if broken:
            raise CommandError(f"有 {broken} 个值打不开。请找回它们的密钥，加到 FIELD_KEYS 后面，再次运行。")
