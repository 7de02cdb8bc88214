"""The shape of what the credit office types: a year's days, a new version of a deadline."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from catalogue.models import DeadlineRule
from creditfujian.lib import day_list
from creditfujian.lib.day_list import Day

MAX_BYTES = 64 * 1024
MAX_PROBLEMS = 30
NO_DAYS = "请录入放假日和调休上班日，一天一行；或者在下面上传文本文件。"


class EditionForm(forms.Form):
    """A notice and its days, typed or as a text file. `days` comes out as a list of Day."""

    year = forms.IntegerField(label="年度", min_value=2000, max_value=2099)
    notice_no = forms.CharField(label="通知文号", max_length=80, help_text="如 国办发明电〔2025〕7号")
    source_url = forms.URLField(label="通知网址", required=False, assume_scheme="https", help_text="中国政府网上的原文")
    days = forms.CharField(
        label="放假日和调休上班日", max_length=MAX_BYTES, widget=forms.Textarea(attrs={"rows": 16, "spellcheck": "false"}),
        error_messages={"required": NO_DAYS},
        help_text="一天一行：放假写“2027-01-01 休 元旦”，周末调休上班写“2027-01-02 班”。周末放假不必列出。",
    )  # fmt: skip
    file = forms.FileField(
        label="或者上传文本文件", required=False, widget=forms.FileInput(attrs={"accept": ".txt,.csv"}),
        help_text="内容同上；上传后以文件为准。",
    )  # fmt: skip

    def clean_file(self) -> str:
        """Return the file's text, or an empty string."""
        upload = self.cleaned_data.get("file")
        if not upload:
            return ""
        if upload.size > MAX_BYTES:
            raise ValidationError("文件过大，一年的日历不会超过 64 KB。请确认选对了文件。", code="size")
        content = upload.read()
        for encoding in ("utf-8-sig", "gb18030"):
            try:
                text = content.decode(encoding)
            except UnicodeDecodeError:
                continue
            if "\0" not in text:
                return text
        raise ValidationError("文件不是文本。请另存为 UTF-8 编码的 txt 后上传。", code="encoding")

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        text = data.get("file") or data.get("days", "")
        if data.get("file"):
            self.errors.pop("days", None)
            # So that a file with mistakes can be put right on the page.
            self.data = {**dict(self.data.items()), "days": text}
        if not text or "year" not in data:
            return data
        found = day_list.read(text, data["year"])
        for problem in found.problems[:MAX_PROBLEMS]:
            self.add_error("days", problem)
        if more := len(found.problems[MAX_PROBLEMS:]):
            self.add_error("days", f"还有 {more} 行有同类问题，改好以上各行后会继续提示。")
        if not found.problems and not found.days:
            self.add_error("days", NO_DAYS)
        return {**data, "days": found.days}

    def day_list(self) -> list[Day]:
        """Return the days of a valid form."""
        return self.cleaned_data["days"]


class RuleForm(forms.ModelForm):
    """A new version of a deadline, the version before as its first values."""

    class Meta:
        model = DeadlineRule
        fields = [
            "valid_from", "what", "n", "unit", "n_min", "n_extra", "starts", "owner", "basis", "source", "confidence",
            "verified", "strict", "note", "in_doubt", "rolls",
        ]  # fmt: skip
        widgets = {"valid_from": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")}


class ReasonForm(forms.Form):
    """Why a proposal goes back."""

    reason = forms.CharField(label="退回理由", max_length=200, widget=forms.Textarea(attrs={"rows": 2}))


def take_over(form: forms.BaseForm, error: ValidationError) -> None:
    """Show a deed's refusal beside the field it is about, or above the form."""
    if not hasattr(error, "error_dict"):
        form.add_error(None, error)
        return
    for name, problems in error.error_dict.items():
        form.add_error(name if name in form.fields else None, problems)
