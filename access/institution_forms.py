"""The shape of what the credit office registers about an institution."""

from typing import Any

from django import forms

from access.models import ConsentPurpose, Institution
from accounts.models import Organisation


class RegisterForm(forms.ModelForm):
    """An institution's licence, what it may ask for, how persons reach it."""

    purposes = forms.ModelMultipleChoiceField(
        label="可以申请的用途", queryset=ConsentPurpose.objects.all(), widget=forms.CheckboxSelectMultiple
    )

    class Meta:
        model = Institution
        fields = [
            "organisation", "kind", "licence", "licence_no", "valid_from", "valid_to", "checked_on", "checked_at_source",
            "purposes", "contact",
        ]  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        institutions = Organisation.objects.filter(kind=Organisation.Kind.INSTITUTION)
        self.fields["organisation"].queryset = institutions  # type: ignore[attr-defined]
        self.fields["valid_from"].help_text = "写成 2026-01-01。"
        self.fields["checked_on"].help_text = "征信机构必填：哪天核验了许可证。"
        self.fields["checked_at_source"].help_text = "征信机构必填：例如 中国人民银行官网公示名单。"

    def clean_purposes(self) -> list[str]:
        return [purpose.pk for purpose in self.cleaned_data["purposes"]]

    def _post_clean(self) -> None:
        """Leave the model's own checks to the deed, which knows who registers."""


class ReasonForm(forms.Form):
    """Why a registration is sent back, suspended or resumed."""

    reason = forms.CharField(label="理由", max_length=200, required=False)
