"""A list of ID numbers, pasted or in a file, as an export takes it: checked here, kept nowhere."""

import re
from typing import Any, BinaryIO, cast

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError

from access.duty_forms import duty_field
from access.models import Purpose
from accounts.actions import check_identity
from accounts.models import User
from creditfujian.lib.text import normalise_code
from records.export_models import Export
from records.export_rules import exportable
from records.exports import Filters
from records.forms import ItemsChoice, current_versions
from records.intake.base import Cell, FileRefused, Limits, Number, place
from records.intake.files import open_table

MAX_BYTES = 5 * 1024 * 1024
LIMITS = Limits(max_bytes=MAX_BYTES, max_unpacked=100 * 1024 * 1024, max_rows=50_000)
SHOWN = 10  # problems told at once
_NUMBER = re.compile(r"[0-9]{15}|[0-9]{17}[0-9Xx]")


class NamedExportForm(forms.Form):
    """Whom, by number; which items; for which duty and case."""

    numbers = forms.CharField(
        label="身份证号码", required=False, strip=True, help_text="每行一个；可以从表格里整列复制。",
        widget=forms.Textarea(attrs={"rows": 6, "autocomplete": "off", "spellcheck": "false"}),
    )  # fmt: skip
    file = forms.FileField(
        label="或者上传名单文件", required=False, help_text="xlsx、xls、ods、csv、txt；每行一人，取行内第一个身份证号码。",
        widget=forms.FileInput(attrs={"accept": ".xlsx,.xls,.et,.ods,.csv,.txt"}),
    )  # fmt: skip
    items = ItemsChoice(label="查询哪些条目", queryset=current_versions().none())
    format = forms.ChoiceField(label="文件格式", choices=Export.Format.choices, initial=Export.Format.XLSX)
    purpose = forms.ChoiceField(label="查询事由", choices=[("", "请选择"), *Purpose.choices])
    purpose_text = forms.CharField(
        label="事由说明", max_length=200, help_text="用一句话说明为什么要查，每一位当事人都会看到这句话。"
    )
    duty_code = forms.Field()
    case_no = forms.CharField(label="案件（办件）编号", max_length=60)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["duty_code"] = duty_field(user)
        anybody, _ = exportable(user)
        cast("ItemsChoice", self.fields["items"]).queryset = current_versions().filter(item__in=anybody)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        upload, pasted = data.get("file"), data.get("numbers", "")
        if bool(upload) == bool(pasted):
            raise ValidationError("请粘贴号码或者上传名单文件，二选一。", code="nothing")
        lines = list(_of_file(upload)) if upload else [(n, [text]) for n, text in enumerate(pasted.splitlines(), 1)]
        found, problems = _numbers(lines, has_head=bool(upload))
        if len(found) > settings.EXPORT_NAMES:
            problems = [f"名单有 {len(found)} 人，一次最多 {settings.EXPORT_NAMES} 人。请分几次申请。"]
        if not found and not problems:
            problems = ["名单里没有身份证号码。"]
        for problem in problems[:SHOWN]:
            self.add_error(None, problem)
        if more := len(problems[SHOWN:]):
            self.add_error(None, f"还有 {more} 行有问题，改好以上各行后会继续提示。")
        return {**data, "list": list(dict.fromkeys(found))}

    def filters(self) -> Filters:
        """Return the valid form as the deed takes it."""
        data = self.cleaned_data
        return Filters(
            items=[version.item for version in data["items"]], numbers=data["list"], own_only=False,
            format=Export.Format(data["format"]), purpose=Purpose(data["purpose"]), purpose_text=data["purpose_text"],
            duty_code=data["duty_code"], case_no=data["case_no"],
        )  # fmt: skip


def _of_file(upload: Any) -> list[tuple[int, list[Cell]]]:
    if upload.size > MAX_BYTES:
        raise ValidationError(f"名单文件超过 {MAX_BYTES // 1024 // 1024} MB。请只留号码一列。", code="size")
    try:
        return list(open_table(cast("BinaryIO", upload.file), limits=LIMITS).rows())
    except FileRefused as error:
        raise ValidationError(error.message, code="file") from error


def _numbers(lines: list[tuple[int, Any]], *, has_head: bool) -> tuple[list[str], list[str]]:
    """Return the checked numbers in order, and what is wrong in which line; no number is repeated in a problem."""
    found: list[str] = []
    problems: list[str] = []
    for at, (row_no, cells) in enumerate(lines):
        texts = [(cell, normalise_code(cell)) for cell in cells if isinstance(cell, str) and cell.strip()]
        if not texts:
            continue
        cell, text = next(((c, t) for c, t in texts if _NUMBER.fullmatch(t)), (None, ""))
        if not text and has_head and at == 0:
            continue  # the heading
        if isinstance(cell, Number):
            problems.append(f"{place(row_no)}：号码是数字格式，后三位已经丢失。请设为文本后重新输入。")
            continue
        try:
            found.append(check_identity(text or texts[0][1]))
        except ValidationError as error:
            problems.append(f"{place(row_no)}：{error.messages[0]}")
    return found, problems
