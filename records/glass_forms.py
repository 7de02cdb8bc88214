"""The shape of what staff state before a whole number is shown, or a file opened in an emergency."""

from django import forms

from access import urgent
from access.models import UnmaskReason, UrgentGround
from accounts.actions import check_identity
from catalogue.models import ItemVersion
from creditfujian.lib.text import normalise_name
from records.forms import ItemsChoice, current_versions
from records.glass import Emergency


class NumberForm(forms.Form):
    """Why a whole number is needed; `once` is good for one showing."""

    reason = forms.ChoiceField(label="用途", choices=UnmaskReason.choices, widget=forms.RadioSelect)
    words = forms.CharField(
        label="具体说明", min_length=4, max_length=150,
        help_text="写明用在哪份文书、核对哪个系统；不写姓名和号码。当事人会看到这句话。",
    )  # fmt: skip
    once = forms.CharField(widget=forms.HiddenInput)


class EmergencyForm(forms.Form):
    """Whose file, why it cannot wait, by which law, and the officer's own statement."""

    name = forms.CharField(label="被查询人姓名", max_length=100, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    id_number = forms.CharField(
        label="身份证号码", max_length=40, widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"})
    )
    ground = forms.ModelChoiceField(
        label="法定情形", queryset=UrgentGround.objects.all(), widget=forms.RadioSelect, empty_label=None
    )
    incident_no = forms.RegexField(
        label="接警、应急或者办件编号",
        regex="[0-9０-９]",
        max_length=60,
        error_messages={"invalid": "编号里要有数字。"},
    )
    facts = forms.CharField(
        label="事情经过和非查不可的理由", min_length=10, max_length=300, widget=forms.Textarea(attrs={"rows": 3}),
        help_text="发生了什么、为什么等不及登记职责；不写姓名和号码。当事人、单位负责人和审计员会看到。",
    )  # fmt: skip
    items = ItemsChoice(label="查询哪些条目", queryset=ItemVersion.objects.none())
    sworn = forms.BooleanField(label=urgent.STATEMENT)

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.fields["items"].queryset = current_versions().filter(item__in=urgent.items_open())  # type: ignore[attr-defined]

    def clean_name(self) -> str:
        return normalise_name(self.cleaned_data["name"])

    def clean_id_number(self) -> str:
        return check_identity(self.cleaned_data["id_number"])

    def emergency(self) -> Emergency:
        """Return the valid form as the gateway takes it."""
        data = self.cleaned_data
        return Emergency(
            id_number=data["id_number"], name=data["name"], items=[version.item for version in data["items"]],
            ground=data["ground"], incident_no=data["incident_no"], facts=data["facts"],
        )  # fmt: skip
