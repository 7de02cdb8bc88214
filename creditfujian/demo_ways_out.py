"""Demo of the ways out: a report that was issued, one at the counter, an export that waits for the second officer."""

from dataclasses import replace
from datetime import timedelta

from django.utils import timezone

from access.actions import Asker
from access.models import Purpose
from accounts.models import User
from catalogue.models import Item
from records import exports, reports
from records.report_pdf import is_possible


def load(*, item_code: str, numbers: list[str]) -> str:
    """Issue and ask as people would, also about a list of persons by `numbers`; return what was done in words."""
    officer, citizen = User.objects.get(username="decider_officer"), User.objects.get(username="citizen")
    filters = exports.Filters(
        items=[Item.objects.get(code=item_code)], purpose=Purpose.SUPERVISION, purpose_text="年度执法评查抽取案卷",
        duty_code="350000-MRKT-0107", case_no="闽市监评查〔2026〕3号",
        decided_from=timezone.localdate() - timedelta(days=150),
    )  # fmt: skip
    export = exports.request(filters, by=Asker(officer, "工作平台"))
    assert isinstance(export, exports.Export)
    exports.run(export.pk)
    named = exports.request(
        replace(filters, numbers=numbers, own_only=False, decided_from=None, purpose=Purpose.LICENSING,
                purpose_text="集中换发许可证前核查", case_no="闽市监许〔2026〕12号"),
        by=Asker(officer, "工作平台"),
    )  # fmt: skip
    assert isinstance(named, exports.Export)
    exports.run(named.pk)
    said = f"导出申请 {export.number}、名单查询 {named.number} 待复核"
    assert citizen.person is not None
    if not is_possible():
        return f"{said}；没有字库，未出具信用报告"
    online = reports.issue(citizen.person, by=Asker(citizen, "公示网站")).report
    clerk, colleague = (User.objects.get(username=name) for name in ("clerk", "clerk2"))
    asked = reports.ask_at_counter(
        id_number=citizen.person.id_number(), name=citizen.person.name, by=Asker(clerk, "工作平台")
    )
    assert asked is not None
    at_counter = reports.confirm_at_counter(asked.pk, by=Asker(colleague, "工作平台")).report
    reports.print_copy(at_counter.pk, by=Asker(colleague, "工作平台"))
    return f"{said}；已出具信用报告 {online.number} 和 {at_counter.number}"
