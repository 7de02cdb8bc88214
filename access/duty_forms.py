"""The shape of what is typed about duties: their register, and the choice of one before a reading."""

from typing import Any

from django import forms
from django.utils import timezone

from access.models import DutyItem
from accounts.models import User
from catalogue.models import ItemVersion


def duty_field(user: User) -> forms.Field:
    """Return the field that names the duty of a reading: one of the organisation's; free for what it supplied itself."""
    if not user.has_perm("access.list_by_duty") and not user.has_perm("access.add_request"):
        return forms.CharField(label="事项编码", max_length=40, help_text="权责清单或政务服务事项中的编码。")
    duties = DutyItem.objects.of(user).order_by("code")
    return forms.ChoiceField(
        label="职责事项", choices=[("", "请选择"), *((duty.code, str(duty)) for duty in duties)],
        help_text="本单位现行登记的职责事项；没有所需事项的，请向省信用办申请登记。",
    )  # fmt: skip


class DutyItemForm(forms.ModelForm):
    """A duty with its basis and the items that it needs."""

    items = forms.ModelMultipleChoiceField(
        label="履职需要的条目", queryset=ItemVersion.objects.none(), widget=forms.CheckboxSelectMultiple
    )

    class Meta:
        model = DutyItem
        fields = ["organisation", "code", "name", "basis", "region", "region_basis", "valid_from"]
        widgets = {"valid_from": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        units = self.fields["organisation"].queryset  # type: ignore[attr-defined]
        self.fields["organisation"].queryset = units.filter(kind="department")  # type: ignore[attr-defined]
        current = ItemVersion.objects.in_force(timezone.localdate()).select_related("item").order_by("item__code")
        choice = self.fields["items"]
        choice.queryset = current  # type: ignore[attr-defined]
        choice.label_from_instance = lambda version: f"{version.name}（{version.item.code}）"  # type: ignore[attr-defined]


class EndForm(forms.Form):
    """From which day a duty opens nothing."""

    on = forms.DateField(label="停用日期", widget=forms.DateInput(attrs={"type": "date"}))
