"""The shape of what is asked for and sent in: which items to export, a sheet of proposals."""

from django import forms
from django.core.exceptions import ValidationError

from catalogue.exchange_files import MAX_BYTES, MAX_ROWS

WHICH = [
    ("own", "本单位条目的最新版（修订用，含待生效和暂停的）"),
    ("drafts", "本单位正在起草的草案"),
    ("in_force", "全部现行条目（查阅用）"),
]
FORMATS = [("xlsx", "Excel 工作簿（数据项单独一张表，便于修改）"), ("csv", "csv（全部内容在一张表里）")]


class ExportForm(forms.Form):
    """Which items, as which file."""

    which = forms.ChoiceField(label="范围", choices=WHICH, widget=forms.RadioSelect)
    format = forms.ChoiceField(label="格式", choices=FORMATS, widget=forms.RadioSelect)


class ImportForm(forms.Form):
    """A sheet of proposals."""

    file = forms.FileField(
        label="修订表", help_text=f"在导出的表上改好的 xlsx 或 csv，不超过 {MAX_ROWS} 行、{MAX_BYTES // 1024 // 1024} MB。",
        widget=forms.FileInput(attrs={"accept": ".xlsx,.csv"}), allow_empty_file=True,
    )  # fmt: skip

    def clean_file(self) -> object:
        upload = self.cleaned_data["file"]
        if upload.size > MAX_BYTES:
            raise ValidationError(f"文件超过 {MAX_BYTES // 1024 // 1024} MB。请分成几个文件导入。", code="size")
        return upload
