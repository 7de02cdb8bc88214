"""Propose a year's calendar from two packages that agree on every day of it."""

from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import User
from accounts.web import sentence_of
from catalogue.calendar_library import NotOfficial, days_of
from catalogue.deadline_actions import propose_edition
from creditfujian.lib.day_list import write


class Command(BaseCommand):
    help = "用程序库提出某年工作日历草案（两个程序库逐日一致才提出），仍须另一名省信用办人员确认。"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("year", type=int)
        parser.add_argument("--by", help="提出人用户名（省信用办）；不写则只显示，不提出")
        parser.add_argument("--notice", help="国务院办公厅通知文号")
        parser.add_argument("--url", default="", help="通知网址")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            days = days_of(options["year"])
        except NotOfficial as error:
            raise CommandError(str(error)) from error
        self.stdout.write(write(days))
        if not options["by"]:
            return
        user = User.objects.filter(username=options["by"], is_active=True).first()
        if user is None or not options["notice"]:
            raise CommandError("没有这个用户，或没有写通知文号（--notice）。")
        try:
            edition = propose_edition(
                year=options["year"], days=days, notice_no=options["notice"], source_url=options["url"], by=user,
                source="国务院办公厅通知；holidays 与 chinesecalendar 逐日核对一致",
            )  # fmt: skip
        except (PermissionDenied, ValidationError) as error:
            raise CommandError(sentence_of(error)) from error
        self.stdout.write(f"已提出 {edition}，等候另一名工作人员确认。")
