"""Take a file from the command line: steps 1 to 5, and 6 with --commit."""

import json
import sys
import time
from pathlib import Path
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import Organisation, User
from catalogue.models import Item
from records import actions, preview, returned, volume
from records.intake.reasons import title_of
from records.models import Batch

ALL_TAKEN, SOME_REFUSED, FILE_REFUSED = 0, 1, 2


class Command(BaseCommand):
    help = "报送一个数据文件：解析、校验、预览；加 --commit 直接入库（限允许单人提交的条目）。"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--item", required=True, help="目录条目编码")
        parser.add_argument("--supplier", required=True, help="报送单位统一社会信用代码")
        parser.add_argument("--by", required=True, help="办理人用户名")
        parser.add_argument("--all-or-none", action="store_true", help="有一行不合格则全部不入库")
        parser.add_argument("--commit", action="store_true", help="校验后直接入库")
        parser.add_argument("--json", action="store_true", help="只输出一个 JSON 对象")
        parser.add_argument("--correction", type=Path, help="更正件存到哪里（缺省在原文件旁边）")

    def handle(self, *args: Any, **options: Any) -> None:
        began = time.monotonic()
        item, user = self._who(options)
        mode = Batch.Mode.ALL_OR_NONE if options["all_or_none"] else Batch.Mode.GOOD_ROWS
        try:
            with options["file"].open("rb") as stream:
                batch, _ = actions.receive(
                    stream, name=options["file"].name, item=item, by=user, channel=Batch.Channel.COMMAND, mode=mode
                )
            batch = actions.check_batch(batch.pk)
            wanted = options["commit"] and batch.state == Batch.State.CHECKED and batch.goes_in
            if wanted and not volume.why_held(batch):  # one hand may commit, but takes no second look at itself
                batch = actions.commit_now(batch.pk, by=user)
        except OSError as error:
            raise CommandError(f"文件打不开：{error.strerror}", returncode=FILE_REFUSED) from error
        except PermissionDenied as error:
            raise CommandError(str(error), returncode=FILE_REFUSED) from error
        except ValidationError as error:
            raise CommandError(error.messages[0], returncode=FILE_REFUSED) from error
        self._report(batch, time.monotonic() - began, options)

    def _who(self, options: dict[str, Any]) -> tuple[Item, User]:
        item = Item.objects.filter(code=options["item"]).first()
        if item is None:
            raise CommandError(f"没有目录条目 {options['item']}。", returncode=FILE_REFUSED)
        supplier = Organisation.objects.filter(uscc=options["supplier"]).first()
        user = User.objects.filter(username=options["by"], is_active=True).first()
        if supplier is None or user is None or user.organisation_id != supplier.pk:
            raise CommandError("没有这个报送单位，或办理人不属于该单位。", returncode=FILE_REFUSED)
        if user.kind == User.Kind.SERVICE:
            raise CommandError("接口账户只能凭令牌经接口报送，不能用命令行。", returncode=FILE_REFUSED)
        return item, user

    def _report(self, batch: Batch, seconds: float, options: dict[str, Any]) -> None:
        correction = self._correction(batch, options)
        result: dict[str, Any] = {
            "batch": batch.number, "state": batch.state, "rows": batch.rows, "new": batch.new, "changed": batch.changed,
            "unchanged": batch.unchanged, "refused": batch.refused, "reasons": batch.reasons,
            "correction_file": str(correction) if correction else None, "seconds": round(seconds, 3),
        }  # fmt: skip
        if batch.failure:
            result["failure"] = batch.failure
        if held := [hold.sentence for hold in volume.holds_of(batch)]:
            result["held"] = held
        if options["json"]:
            self.stdout.write(json.dumps(result, ensure_ascii=False))
        else:
            self._tell(batch, result)
        if batch.state in (Batch.State.REFUSED, Batch.State.FAILED, Batch.State.CANCELLED):
            sys.exit(FILE_REFUSED)
        sys.exit(SOME_REFUSED if batch.refused or "held" in result else ALL_TAKEN)

    def _correction(self, batch: Batch, options: dict[str, Any]) -> Path | None:
        there = batch.state in (Batch.State.CHECKED, Batch.State.COMMITTED) and not batch.cleared_at
        if not there or not returned.has_rows_to_correct(batch):
            return None
        target = options["correction"] or options["file"].with_name(
            f"{options['file'].stem}-更正件-{batch.number}.xlsx"
        )
        with target.open("wb") as out:
            preview.write_correction(batch, out)
        return target

    def _tell(self, batch: Batch, result: dict[str, Any]) -> None:
        write = self.stdout.write
        write(f"批次 {batch.number}：{batch.get_state_display()}")
        if batch.failure:
            write(f"  {batch.failure['code']} {batch.failure['message']}")
            return
        write(
            f"  共 {batch.rows} 行：新增 {batch.new}，变更 {batch.changed}，无变化 {batch.unchanged}，退回 {batch.refused}"
        )
        for code, count in batch.reasons.items():
            write(f"  {code} {title_of(code)}：{count} 行")
        for sentence in result.get("held", []):
            write(f"  数量异常，须由另一名审核员在网页上复核放行：{sentence}")
        if result["correction_file"]:
            write(f"  更正件：{result['correction_file']}")
