"""The shape of what people choose about attestations."""

from typing import Any

from django import forms

from sanctions.attestation_models import AttestationRule, Severity

COUNTED = [(one.value, one.label) for one in (Severity.GENERAL, Severity.SERIOUS)]


class YearsForm(forms.Form):
    """Over how many years."""

    years = forms.TypedChoiceField(label="连续几年", coerce=int)

    def __init__(self, rule: AttestationRule, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["years"].choices = [(n, f"{n} 年") for n in rule.years]  # type: ignore[attr-defined]
        self.fields["years"].initial = rule.years_usual


class RuleForm(forms.ModelForm):
    """A new version of the rule; its source is given anew."""

    severities = forms.TypedMultipleChoiceField(
        label="计入的失信程度", coerce=int, choices=COUNTED, widget=forms.CheckboxSelectMultiple
    )

    class Meta:
        model = AttestationRule
        fields = ("severities", "years_from", "years_to", "years_usual", "basis", "source", "confidence", "valid_from")
        widgets = {"valid_from": forms.DateInput(attrs={"type": "date"})}
