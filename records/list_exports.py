"""From a list to an export of just what it shows: the registration gives the ground, the filters the range."""

from datetime import timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from access.actions import Asker
from access.models import Purpose, Reach, Request
from records import bulk, exports, listing
from records.export_models import Export
from records.reading import Refused


class ListedExportForm(forms.Form):
    """Which records of the list, in what shape; everything else stands in the registration and the filters."""

    which = forms.ChoiceField(label="哪些记录", widget=forms.RadioSelect)
    format = forms.ChoiceField(
        label="文件格式", choices=Export.Format.choices, initial=Export.Format.XLSX,
        help_text="证件号码按部门可见的方式脱敏；文本不会被表格软件当作公式。",
    )  # fmt: skip

    def __init__(self, *args: Any, ticked: int, searched: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        which = self.fields["which"]
        assert isinstance(which, forms.ChoiceField)
        everything = f"检索到的全部记录（最多 {bulk.MOST:,} 条）" if searched else "符合当前筛选条件的全部记录"
        choices = [("all", everything)]
        which.choices = [("selected", f"勾选的 {ticked} 条记录"), *choices] if ticked else choices
        which.initial = which.choices[0][0]


def check(keys: list[int] | None) -> None:
    """Raise ValidationError when the records chosen are none or too many for one request."""
    if keys is not None and not keys:
        raise ValidationError("没有选中可以导出的记录。请在列表中勾选，或改按筛选条件导出。", code="none")
    if keys is not None and len(keys) > bulk.MOST:
        raise ValidationError(f"检索到的超过 {bulk.MOST:,} 条。请把检索内容写全，或改用筛选条件导出。", code="too_many")


def request(
    registered: Request, filters: listing.Filters, *, keys: list[int] | None, form: Export.Format, by: Asker
) -> Export | Refused:
    """Ask for an export of what a list shows, on the list's own ground; `keys` narrow it to those records.

    All rules of exports hold: counted first, reviewed above fifty persons, a query line for everybody in it.
    """
    items = [item for item in registered.items.all() if not filters.items or item.pk in filters.items]
    ends_by = timezone.localdate() + timedelta(days=filters.ends_within) if filters.ends_within else None
    wanted = exports.Filters(
        items=items, purpose=Purpose(registered.purpose), purpose_text=registered.purpose_text,
        duty_code=registered.duty_code, case_no=registered.case_no, own_only=registered.reach == Reach.SUPPLIED,
        decided_from=filters.decided_from, decided_until=filters.decided_until,
        which=Export.Which.PUBLIC if filters.public else Export.Which.ALL, format=form, severity=filters.severity,
        provider=next(iter(filters.providers), None), ends_by=ends_by, record_ids=keys,
    )  # fmt: skip
    return exports.request(wanted, by=by, listed=registered)
