"""The shape of what staff type: uploads, withdrawals, registrations before a reading."""

from datetime import date
from typing import cast

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from access.duty_forms import duty_field
from access.models import Purpose
from accounts.actions import check_identity
from accounts.models import User
from catalogue.models import ItemVersion, ItemVersionQuerySet
from catalogue.rules import items_for
from creditfujian.lib.text import normalise_name
from records.models import Batch
from records.reading import Registration

MAX_MEGABYTES = 100
KINDS = "xlsx、xls（含 WPS 的 et）、ods 表格，或者 csv、tsv 文本（UTF-8、GB18030 均可）"


class ItemChoice(forms.ModelChoiceField):
    """Items by name and code."""

    def label_from_instance(self, version: ItemVersion) -> str:
        return f"{version.name}（{version.item.code}）"


class ItemsChoice(forms.ModelMultipleChoiceField):
    """Several items by name and code."""

    widget = forms.CheckboxSelectMultiple

    def label_from_instance(self, version: ItemVersion) -> str:
        return f"{version.name}（{version.item.code}）"


def current_versions() -> ItemVersionQuerySet:
    """Return the versions in force today, by item code."""
    return ItemVersion.objects.in_force(timezone.localdate()).select_related("item").order_by("item__code")


def _choice(form: forms.Form, name: str) -> "forms.ModelChoiceField[ItemVersion]":
    return cast("forms.ModelChoiceField[ItemVersion]", form.fields[name])


class UploadForm(forms.Form):
    """A spreadsheet for one item."""

    item = ItemChoice(label="目录条目", queryset=ItemVersion.objects.none(), empty_label="请选择")
    file = forms.FileField(
        label="数据文件", help_text=f"{KINDS}，不超过 {MAX_MEGABYTES} MB。",
        widget=forms.FileInput(attrs={"accept": ".xlsx,.xls,.et,.ods,.csv,.txt,.tsv"}), allow_empty_file=True,
    )  # fmt: skip
    mode = forms.ChoiceField(
        label="有不合格行时", choices=Batch.Mode.choices, initial=Batch.Mode.GOOD_ROWS, widget=forms.RadioSelect
    )

    def __init__(self, *args: object, user: User, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        mine = items_for(user.organisation, "supply_item")
        _choice(self, "item").queryset = current_versions().by_delivery().filter(item__in=mine)

    def clean_file(self) -> object:
        upload = self.cleaned_data["file"]
        if upload.size == 0:
            raise ValidationError("文件是空的（0 字节）。请确认选对了文件，保存后重新上传。", code="empty")
        if upload.size > MAX_MEGABYTES * 1024 * 1024:
            raise ValidationError(f"文件超过 {MAX_MEGABYTES} MB。请拆分后分批上传，或另存为 csv。", code="size")
        return upload


class WithdrawForm(forms.Form):
    """Why a batch goes back."""

    reason = forms.CharField(label="撤回理由", max_length=200, widget=forms.Textarea(attrs={"rows": 2}))


class RegisterForm(forms.Form):
    """The registration before a file is opened: about whom, for which duty and case."""

    name = forms.CharField(label="被查询人姓名", max_length=100, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    id_number = forms.CharField(
        label="身份证号码", max_length=40, widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"})
    )
    items = ItemsChoice(label="查询哪些条目", queryset=ItemVersion.objects.none())
    purpose = forms.ChoiceField(label="查询事由", choices=[("", "请选择"), *Purpose.choices])
    purpose_text = forms.CharField(
        label="事由说明", max_length=200, help_text="用一句话说明为什么要查，当事人会看到这句话。"
    )
    duty_code = forms.Field()
    case_no = forms.CharField(label="案件（办件）编号", max_length=60)

    def __init__(self, *args: object, user: User, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        _choice(self, "items").queryset = current_versions()
        self.fields["duty_code"] = duty_field(user)

    def clean_name(self) -> str:
        return normalise_name(self.cleaned_data["name"])

    def clean_id_number(self) -> str:
        return check_identity(self.cleaned_data["id_number"])

    def registration(self) -> Registration:
        """Return the valid form as the gateway takes it."""
        data = self.cleaned_data
        return Registration(
            id_number=data["id_number"], name=data["name"], items=[version.item for version in data["items"]],
            purpose=Purpose(data["purpose"]), purpose_text=data["purpose_text"], duty_code=data["duty_code"],
            case_no=data["case_no"],
        )  # fmt: skip


class QuarterForm(forms.Form):
    """Which quarter to show."""

    quarter = forms.TypedChoiceField(label="季度", coerce=date.fromisoformat)

    def __init__(self, *args: object, choices: list[tuple[str, str]], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        cast("forms.TypedChoiceField", self.fields["quarter"]).choices = choices
