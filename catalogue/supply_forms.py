"""The shape of what the credit office fills in about suppliers."""

from django import forms
from django.utils import timezone

from accounts.models import Organisation
from catalogue.models import Item


class ItemByName(forms.ModelChoiceField):
    """Items by code."""

    def label_from_instance(self, item: Item) -> str:
        return f"{item.code}（{item.provider}）"


class AssignForm(forms.Form):
    """Who supplies which item from when, and why."""

    item = ItemByName(label="目录条目", queryset=Item.objects.select_related("provider"), empty_label="请选择")
    supplier = forms.ModelChoiceField(
        label="报送单位", queryset=Organisation.objects.filter(kind=Organisation.Kind.DEPARTMENT), empty_label="请选择"
    )
    since = forms.DateField(
        label="开始日期", initial=timezone.localdate,
        help_text="写成 2027-01-01，今天或以后；所在的期间不计，从下一个完整期间起报送。",
    )  # fmt: skip
    reason = forms.CharField(label="理由", max_length=300, widget=forms.Textarea(attrs={"rows": 2}))


class EndForm(forms.Form):
    """When a duty ends, and why."""

    on = forms.DateField(
        label="结束日期", initial=timezone.localdate,
        help_text="写成 2027-01-01；当天起不再报送，以前应报未报的仍然要报。",
    )  # fmt: skip
    reason = forms.CharField(label="理由", max_length=300, widget=forms.Textarea(attrs={"rows": 2}))
