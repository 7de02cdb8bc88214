"""The shape of what is typed about grants: what is asked for, what goes on, what is taken back."""

from typing import Any

from django import forms

from accounts.models import Organisation
from catalogue import grants
from catalogue.models import Item, ItemGrant
from catalogue.supply_forms import ItemByName

_DAY = {"type": "date"}


class GrantForm(forms.Form):
    """Who may do what with which item, from when to when, on what basis and why."""

    organisation = forms.ModelChoiceField(
        label="单位", queryset=Organisation.objects.filter(kind=Organisation.Kind.DEPARTMENT, valid_to=None),
        empty_label="请选择",
    )  # fmt: skip
    item = ItemByName(label="目录条目", queryset=Item.objects.select_related("provider"), empty_label="请选择")
    permission = forms.ChoiceField(label="授权事项", choices=ItemGrant.Permission.choices, widget=forms.RadioSelect)
    basis = forms.CharField(label="法律依据", max_length=200, help_text="法规名称、条款，或者目录条目、报送任务。")
    reason = forms.CharField(label="理由", max_length=300, widget=forms.Textarea(attrs={"rows": 2}))
    valid_from = forms.DateField(label="起始日期", widget=forms.DateInput(attrs=_DAY, format="%Y-%m-%d"))
    valid_to = forms.DateField(
        label="截止日期", widget=forms.DateInput(attrs=_DAY, format="%Y-%m-%d"), help_text="自这一天起失效。"
    )

    def __init__(self, *args: Any, renews: ItemGrant | None = None, **kwargs: Any) -> None:
        first = max(renews.ended_on or renews.valid_to, grants.today()) if renews else grants.today()
        begun: dict[str, Any] = {"valid_from": first, "valid_to": grants.longest_end(first)}
        if renews:
            begun |= {"basis": renews.basis}
        kwargs["initial"] = begun | kwargs.get("initial", {})
        super().__init__(*args, **kwargs)
        self.fields[
            "valid_to"
        ].help_text = f"自这一天起失效；最长到 {grants.longest_end(first)}（时限规则 {grants.LONGEST}）。"
        if renews:
            for name in ("organisation", "item", "permission", "valid_from"):
                del self.fields[name]

    def values(self, renews: ItemGrant | None) -> dict[str, Any]:
        """Return the valid form with what a renewal takes over from the row before."""
        if renews is None:
            return self.cleaned_data
        return {
            "organisation": renews.organisation, "item": renews.item, "permission": renews.permission,
            "valid_from": self.initial["valid_from"], **self.cleaned_data,
        }  # fmt: skip


class TakeBackForm(forms.Form):
    """Why a grant opens nothing any more, at once."""

    reason = forms.CharField(label="收回理由", max_length=300, widget=forms.Textarea(attrs={"rows": 2}))
