"""Why a record is here, who brought it, and how its periods came about, step by step in words (PIPL art 47, 48)."""

from dataclasses import dataclass
from datetime import date

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from access.actions import Asker
from accounts.models import Person
from catalogue.deadlines import rule_for
from catalogue.models import Field, ItemVersion, PublicationPeriod
from catalogue.rules import add_months, query_end
from catalogue.words import months
from records.models import Record, RecordVersion
from records.reading import View, own_file

KEPT = "D36"  # how long an expired record waits for its deletion


@dataclass(frozen=True)
class Explained:
    """A record with the reasons for it being here and the answer to whether it can be deleted."""

    view: View
    reasons: list[str]
    deletion: str


@transaction.atomic
def explained(person: Person, *, by: Asker) -> list[Explained]:
    """Return each record of the person's own file (kind Q1, one line) with its explanation."""
    file = own_file(person, by=by)
    versions = RecordVersion.objects.filter(record__person=person, version=F("record__version"))
    found = versions.select_related("record", "item_version__item").prefetch_related(
        "item_version__periods", "item_version__fields"
    )
    by_number = {version.record.number: version for version in found}
    return [Explained(view, _reasons(view, by_number[view.number]), deletion(view)) for view in file.records]


def _reasons(view: View, version: RecordVersion) -> list[str]:
    rules = version.item_version
    return [
        f"这条记录属于征集目录条目“{view.item_name}”（{view.item_code}）。目录以外的信息一律不归集。",
        f"法律依据：{'；'.join(view.bases)}。",
        f"{view.decider}于 {_day(view.doc_date)} 作出的文书（文书号 {view.doc_no}）写明了这件事；"
        f"由{view.provider}报送，现在是第 {view.version} 版。",
        _publication(view, rules),
        _query(view, version),
        "这里只列事实和依据，没有用它对您作自动化决定（个人信息保护法第二十四条）。",
    ]


def _publication(view: View, rules: ItemVersion) -> str:
    if view.public_from is None or view.public_until is None:
        why = "目录规定这类记录不公示" if rules.disclosure != "PUBLIC" else "按失信程度和公示规则不需要公示"
        return f"公示：不公示，{why}。"
    period = next(
        (p for p in rules.periods.all() if PublicationPeriod.Severity(p.severity).label == view.severity), None
    )
    said = f"公示：失信程度为“{view.severity}”，自 {_day(view.public_from)} 起，{_day(view.public_until)} 当天撤下"
    if period is None:
        return f"{said}。"
    longest = add_months(view.public_from, period.max_months)
    counted = f"这一程度的公示期最长 {months(period.max_months)}，从 {_day(view.public_from)} 数到 {_day(longest)}"
    if view.public_until < longest:
        return f"{said}。{counted}；您的记录适用更短的期限，提前到 {_day(view.public_until)}。"
    return f"{said}：{counted}。"


def _query(view: View, version: RecordVersion) -> str:
    rules = version.item_version
    end = next((f.code for f in rules.fields.all() if f.binds == Field.Binding.ACT_END), "")
    n, said = rules.query_retention_months, f"查询：{_day(view.query_until)} 当天起不再向任何人提供"
    for start, what in ((view.doc_date, "文书作出之日"), (_date(version.content.get(end, "")), "行为终止之日")):
        if start is not None and query_end(start, n) == view.query_until:
            return f"{said}：目录规定查询期为 {months(n)}，从{what} {_day(start)} 数起（征信业管理条例第十六条）。"
    return f"{said}：目录规定查询期最长 {months(n)}，您的记录按更短的期限计算。"


def deletion(view: View) -> str:
    """Say whether, when and why the record is deleted or not yet (PIPL art 47)."""
    days = rule_for(KEPT, timezone.localdate())
    then = f"{_day(view.query_until)} 到期，期满 {days.n} {days.get_unit_display()}后自动删除，不需要您申请"
    if view.state in (Record.State.CANCELLED, Record.State.REPAIRED):
        return f"已经不再公示、不再向他人提供，只有您看得到；{then}（第四十七条第二款：删除前停止除存储以外的处理）。"
    return (
        f"法律规定的保存期限还没有届满，到期前不能因为申请而删除（第四十七条第二款）；{then}。认错了人、没有依据、"
        "依据的决定已被撤销、超过期限或者不该归集的，应当删除：请写明是哪一种，由提供单位核实。"
    )


def _day(day: date) -> str:
    return f"{day:%Y年%-m月%-d日}"


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
