"""The shape of what people type at the door."""

from typing import Any

from django import forms
from django.contrib.auth.password_validation import password_validators_help_texts

_CODE = {"autocomplete": "one-time-code", "spellcheck": "false", "inputmode": "text"}


class SignInForm(forms.Form):
    """Name and password, for everybody."""

    username = forms.CharField(
        label="用户名", max_length=60, help_text="群众也可以填写身份证号码。",
        widget=forms.TextInput(attrs={"autocomplete": "username", "spellcheck": "false"}),
    )  # fmt: skip
    password = forms.CharField(
        label="密码",
        strip=False,
        max_length=256,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class CodeForm(forms.Form):
    """A one-time code or a recovery code."""

    code = forms.CharField(
        label="验证码", max_length=40, help_text="手机应用里的 6 位数字；手机不在身边的，填写一个恢复码。",
        widget=forms.TextInput(attrs=_CODE),
    )  # fmt: skip


class AgainForm(forms.Form):
    """The password once more: for citizens without a second factor."""

    password = forms.CharField(
        label="密码",
        strip=False,
        max_length=256,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class TotpForm(forms.Form):
    """The first code that a new authenticator shows."""

    code = forms.CharField(
        label="应用里显示的 6 位数字", max_length=40,
        widget=forms.TextInput(attrs={**_CODE, "inputmode": "numeric"}),
    )  # fmt: skip


class BindForm(TotpForm):
    """The same with the security administrator's code."""

    binding = forms.CharField(
        label="绑定码", max_length=40, help_text="安全管理员当面交给您的 10 位代码。",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )  # fmt: skip
    field_order = ("binding", "code")


class LabelForm(forms.Form):
    """What its holder calls a passkey."""

    label = forms.CharField(
        label="名称", max_length=40, required=False, help_text="例如：办公室电脑、我的手机。",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )  # fmt: skip


class PasswordForm(forms.Form):
    """The old password, and the new one twice."""

    old = forms.CharField(
        label="现在的密码", strip=False, max_length=256,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )  # fmt: skip
    new = forms.CharField(
        label="新密码", strip=False, max_length=256, widget=forms.PasswordInput(attrs={"autocomplete": "new-password"})
    )
    again = forms.CharField(
        label="再输一次新密码", strip=False, max_length=256,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["new"].help_text = "；".join(password_validators_help_texts())

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("new") and data.get("new") != data.get("again"):
            self.add_error("again", "两次输入的新密码不一致。")
        return data
