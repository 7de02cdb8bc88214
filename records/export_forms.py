"""The shape of a request for an export."""

from typing import cast

from django import forms

from access.duty_forms import duty_field
from access.models import Purpose
from accounts.models import User
from records.export_models import Export
from records.export_rules import exportable
from records.exports import Filters
from records.forms import ItemsChoice, current_versions


class ExportForm(forms.Form):
    """Which records, in what shape, for which duty and case."""

    items = ItemsChoice(label="导出哪些条目", queryset=current_versions().none())
    own_only = forms.TypedChoiceField(
        label="提供单位", choices=[("1", "只要本单位提供的"), ("0", "全部提供单位（依职责查询获准的条目）")], initial="1",
        coerce=lambda value: value == "1", widget=forms.RadioSelect,
    )  # fmt: skip
    decided_from = forms.DateField(label="认定日期自", required=False, widget=forms.DateInput(attrs={"type": "date"}))
    decided_until = forms.DateField(label="认定日期至", required=False, widget=forms.DateInput(attrs={"type": "date"}))
    which = forms.ChoiceField(label="范围", choices=Export.Which.choices, initial=Export.Which.ALL)
    format = forms.ChoiceField(
        label="文件格式", choices=Export.Format.choices, initial=Export.Format.XLSX,
        help_text="证件号码按部门可见的方式脱敏；文本不会被表格软件当作公式。",
    )  # fmt: skip
    purpose = forms.ChoiceField(label="查询事由", choices=[("", "请选择"), *Purpose.choices])
    purpose_text = forms.CharField(
        label="事由说明", max_length=200, help_text="用一句话说明为什么要导出，每一位当事人都会看到这句话。"
    )
    duty_code = forms.Field()
    case_no = forms.CharField(label="案件（办件）编号", max_length=60)

    def __init__(self, *args: object, user: User, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.fields["duty_code"] = duty_field(user)
        anybody, own = exportable(user)
        cast("ItemsChoice", self.fields["items"]).queryset = current_versions().filter(item__in=anybody | own)

    def clean(self) -> dict[str, object]:
        data = super().clean() or {}
        begin, end = data.get("decided_from"), data.get("decided_until")
        if begin and end and begin > end:
            self.add_error("decided_until", "止日早于起日。请对调或改正。")
        return data

    def filters(self) -> Filters:
        """Return the valid form as the deed takes it."""
        data = self.cleaned_data
        return Filters(
            items=[version.item for version in data["items"]], own_only=data["own_only"],
            decided_from=data["decided_from"], decided_until=data["decided_until"], which=Export.Which(data["which"]),
            format=Export.Format(data["format"]), purpose=Purpose(data["purpose"]), purpose_text=data["purpose_text"],
            duty_code=data["duty_code"], case_no=data["case_no"],
        )  # fmt: skip


class DecisionForm(forms.Form):
    """What the reviewer says; a refusal needs it."""

    reason = forms.CharField(
        label="复核意见", max_length=200, required=False, help_text="不同意的必须写明，申请人看得到。"
    )
