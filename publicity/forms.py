"""The shape of what citizens and readers of the catalogue type."""

import hashlib
from dataclasses import dataclass
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.password_validation import password_validators_help_texts
from django.core.exceptions import ValidationError
from django.utils import timezone

from catalogue.columns import Labels
from catalogue.models import Item
from catalogue.reading import CATEGORIES, Standing, Wanted, providers
from catalogue.words import WHO
from creditfujian.lib import identity
from creditfujian.lib.text import normalise_name, strip_format

MAX_REPORT_BYTES = 5 * 1024 * 1024


@dataclass(frozen=True)
class Number:
    """What was typed in the number box: an identity number or a document number."""

    id_number: str = ""
    doc_no: str = ""


class LookupForm(forms.Form):
    """Exact full name with an identity number or a document number (domain §5.7): no wild cards, no lists."""

    name = forms.CharField(
        label="姓名", max_length=100, help_text="请填写完整姓名，与证件一致。",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )  # fmt: skip
    number = forms.CharField(
        label="身份证号码或决定书文号", max_length=128,
        help_text="18 位公民身份号码，或者决定书上的完整文号。我们不会把它写进网址或浏览记录。",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )  # fmt: skip

    def clean_name(self) -> str:
        return normalise_name(self.cleaned_data["name"])

    def clean_number(self) -> Number:
        raw = self.cleaned_data["number"]
        number = identity.normalise(raw)
        if len(number) >= 15 and number[:15].isdigit():
            if problem := identity.problem(number, today=timezone.localdate(), allow_demo=settings.DEMO):
                raise ValidationError(identity.PROBLEMS[problem], code=problem)
            return Number(id_number=number)
        return Number(doc_no=strip_format(raw))


class ResetForm(forms.Form):
    """A new password, with the code handed over at the counter."""

    id_number = forms.CharField(
        label="身份证号码", max_length=40, widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"})
    )
    code = forms.CharField(
        label="激活码", max_length=20, help_text="窗口发放的 10 位激活码，7 天内有效，只能用一次。",
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "spellcheck": "false"}),
    )  # fmt: skip
    password = forms.CharField(
        label="设置密码", help_text="；".join(password_validators_help_texts()),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )  # fmt: skip
    password_again = forms.CharField(
        label="再输一次密码", widget=forms.PasswordInput(attrs={"autocomplete": "new-password"})
    )

    def clean(self) -> dict[str, object]:
        data = super().clean() or {}
        if data.get("password") and data.get("password") != data.get("password_again"):
            self.add_error("password_again", "两次输入的密码不一致。")
        return data


class ActivateForm(ResetForm):
    """Open an account with the same code: a name of its own besides."""

    username = forms.CharField(
        label="设置用户名", max_length=60, widget=forms.TextInput(attrs={"autocomplete": "username"})
    )

    field_order = ["id_number", "code", "username", "password", "password_again"]


class BrowseForm(forms.Form):
    """What a reader of the catalogue looks for; everything may stay empty."""

    words = forms.CharField(
        label="名称、行为、编码或单位", required=False, max_length=60, help_text="几个词用空格隔开，都要符合。",
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
    )  # fmt: skip
    category = forms.ChoiceField(label="信息类别", required=False)
    polarity = forms.ChoiceField(label="信息性质", required=False, choices=[("", "全部"), *Item.Polarity.choices])
    disclosure = forms.ChoiceField(
        label="谁能看到", required=False, choices=[("", "全部"), *((key, word) for key, (word, _) in WHO.items())]
    )
    provider = forms.ChoiceField(label="提供单位", required=False)
    standing = forms.ChoiceField(
        label="状态", required=False, choices=[(s.value, s.label) for s in Standing if s != Standing.ENDED]
    )

    def __init__(self, *args: Any, known: Labels, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        used = [(code, known.get(("CAT", code), code)) for code in CATEGORIES]
        units = [(unit.uscc, unit.name) for unit in providers()]
        self.fields["category"].choices = [("", "全部"), *used]  # type: ignore[attr-defined]
        self.fields["provider"].choices = [("", "全部"), *units]  # type: ignore[attr-defined]

    @property
    def is_narrowed(self) -> bool:
        """Tell whether anything besides the words is chosen, so that the choices are shown open."""
        return any(self.data.get(name) for name in self.fields if name != "words")

    @property
    def wanted(self) -> Wanted:
        """Return what is looked for; a choice that does not exist is not."""
        self.full_clean()
        return Wanted(**{name: value for name, value in self.cleaned_data.items() if value})


class CommentForm(forms.Form):
    """What somebody says in a consultation. Nothing about who says it is asked for."""

    text = forms.CharField(
        label="您的意见", max_length=1000,
        help_text="最多 1000 字。不需要填写姓名、电话，也请不要写任何人的证件号码、电话或者银行卡号；答复后会公开。",
        widget=forms.Textarea(attrs={"rows": 6}),
        error_messages={"required": "请写下您的意见。"},
    )  # fmt: skip


class VerifyForm(forms.Form):
    """What the holder of a report or an attestation reads off it."""

    number = forms.CharField(
        label="编号", max_length=40, help_text="21 位，在首页：信用报告以 BG 开头，无失信记录证明以 ZM 开头。",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )  # fmt: skip
    code = forms.CharField(
        label="验证码", max_length=40, help_text="首页的 16 位字母和数字，横线可以不填。",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )  # fmt: skip
    file = forms.FileField(
        label="报告或证明的 PDF 文件", required=False, help_text="想知道文件有没有被改动时再选。只比对，不保存，最大 5 MB。",
        widget=forms.FileInput(attrs={"accept": ".pdf,application/pdf"}),
    )  # fmt: skip

    def clean_number(self) -> str:
        return identity.normalise(self.cleaned_data["number"])

    def clean_code(self) -> str:
        return identity.normalise(self.cleaned_data["code"])

    def clean_file(self) -> str:
        """Return the file's SHA-256, or nothing when there is none."""
        upload = self.cleaned_data["file"]
        if not upload:
            return ""
        if upload.size > MAX_REPORT_BYTES:
            raise ValidationError("文件超过 5 MB，不会是本站出具的。请确认选对了文件。", code="size")
        return hashlib.file_digest(upload.file, "sha256").hexdigest()
