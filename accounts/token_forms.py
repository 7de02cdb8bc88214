"""Forms of service tokens."""

import ipaddress
from datetime import datetime, time

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts.models import Organisation
from accounts.token_models import Scope, TokenRule
from accounts.tokens import Wish

MOST_NETWORKS = 20


class AskForm(forms.Form):
    """What a system administrator asks for, for a department's system."""

    organisation = forms.ModelChoiceField(
        label="单位", queryset=Organisation.objects.none(), help_text="令牌只能办理这个单位获准报送的目录条目。"
    )
    name = forms.CharField(
        label="系统名称", max_length=40, help_text="如“行政处罚办案系统”；批次的上传人写作这个名称。"
    )
    reason = forms.CharField(
        label="用途和理由", max_length=200, widget=forms.Textarea(attrs={"rows": 2}),
        help_text="写明哪个单位因为什么业务、凭哪份来函申请。",
    )  # fmt: skip
    scopes = forms.MultipleChoiceField(
        label="权限", choices=[(scope.value, f"{scope.label}（{scope.value}）") for scope in Scope],
        widget=forms.CheckboxSelectMultiple, help_text="只选用得到的。",
    )  # fmt: skip
    networks = forms.CharField(
        label="允许的网段", widget=forms.Textarea(attrs={"rows": 2}),
        help_text="令牌只在这些地址上有效，每行一个，如 10.35.8.0/24 或 10.35.8.21。",
    )  # fmt: skip
    quota = forms.IntegerField(label="每小时调用次数", min_value=1, initial=600)
    expires_on = forms.DateField(
        label="有效期至",
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text="当天 24 时到期，到期不能续，只能重新申请。",
    )

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        field = self.fields["organisation"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = Organisation.objects.filter(kind=Organisation.Kind.DEPARTMENT).order_by("name")
        rule = TokenRule.on(timezone.localdate())
        self.fields["expires_on"].help_text = f"{self.fields['expires_on'].help_text}最长 {rule.longest_days} 日。"
        self.fields["quota"].help_text = f"最多 {rule.most_per_hour} 次。"

    def clean_networks(self) -> list[str]:
        lines = self.cleaned_data["networks"].replace(",", "\n").replace("，", "\n").split()
        if not 1 <= len(lines) <= MOST_NETWORKS:
            raise ValidationError(f"请填写 1 至 {MOST_NETWORKS} 个网段。", code="networks")
        try:
            networks = [ipaddress.ip_network(line) for line in lines]
        except ValueError:
            raise ValidationError(
                "有网段写得不对。请写成 10.35.8.0/24 或 10.35.8.21，每行一个。", code="networks"
            ) from None
        if any(network.prefixlen == 0 for network in networks):
            raise ValidationError("不能允许所有地址。请写明系统所在的网段。", code="networks")
        return [str(network) for network in networks]

    def wish(self) -> Wish:
        """Return the valid form as the deed takes it."""
        data = self.cleaned_data
        return Wish(
            organisation=data["organisation"], name=data["name"].strip(), reason=data["reason"].strip(),
            scopes=[Scope(value) for value in data["scopes"]], networks=data["networks"], quota=data["quota"],
            expires_at=timezone.make_aware(datetime.combine(data["expires_on"], time.max.replace(microsecond=0))),
        )  # fmt: skip


class RevokeForm(forms.Form):
    """Why a token ends."""

    reason = forms.CharField(label="撤销理由", max_length=200, widget=forms.Textarea(attrs={"rows": 2}))
