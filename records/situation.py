"""How departments supplied in a quarter (部门报送情况), item by item: counts and shares of deliveries, never of persons."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from statistics import median
from typing import Any, BinaryIO

import xlsxwriter
from django.db import connection
from django.db.models import Count, Q, QuerySet, Sum
from django.utils import timezone

from accounts.models import Organisation, User
from catalogue.deadlines import working_calendar
from catalogue.models import Item, ItemVersion
from creditfujian.lib import spreadsheet
from creditfujian.lib.workdays import DAY, Unit, add_months, due
from records.duties import WorkingDays, item_names, period_of
from records.models import Batch, ReturnedRow, SupplyDuty

FIRST_QUARTER_SHOWN = 8  # quarters back from today


@dataclass
class Line:
    """One department and item in one quarter."""

    supplier: str
    item_code: str
    item_name: str
    duties: dict[str, int] = field(default_factory=dict)
    rows: int = 0
    refused: int = 0
    corrected: int = 0
    explained: int = 0
    open_rows: int = 0
    correction_days: list[int] = field(default_factory=list)
    withdrawn: int = 0
    records: int = 0
    in_time: int = 0
    supply_days: list[tuple[int, int]] = field(default_factory=list)

    @property
    def refused_share(self) -> str:
        """Return the share of rows sent back at the first delivery."""
        return share(self.refused, self.rows)

    @property
    def corrected_share(self) -> str:
        """Return the share of those that have come in again."""
        return share(self.corrected, self.refused)

    @property
    def explained_share(self) -> str:
        """Return the share of those that two officers said why they do not."""
        return share(self.explained, self.refused)

    @property
    def in_time_share(self) -> str:
        """Return the share of records that came within the item's deadline."""
        return share(self.in_time, self.records)

    @property
    def median_correction(self) -> str:
        """Return the median working days from being sent back to coming in again."""
        return f"{median(self.correction_days):g}" if self.correction_days else "—"

    @property
    def median_supply(self) -> str:
        """Return the median working days from the document to its entry."""
        if not self.supply_days:
            return "—"
        half, seen = sum(count for _, count in self.supply_days) / 2, 0
        for days, count in sorted(self.supply_days):
            seen += count
            if seen >= half:
                return str(days)
        return "—"

    def duty(self, state: str) -> int:
        """Return how many duties ended that way."""
        return self.duties.get(state, 0)

    @property
    def met(self) -> int:
        return self.duty("met")

    @property
    def late(self) -> int:
        return self.duty("late")

    @property
    def missed(self) -> int:
        return self.duty("missed")

    @property
    def declared(self) -> int:
        return self.duty("declared")

    @property
    def not_counted(self) -> int:
        return self.duty("not_counted")


def share(part: int, whole: int) -> str:
    """Return a share in percent, a dash when there is nothing to share."""
    return f"{100 * part / whole:.1f}%" if whole else "—"


def quarter_text(day: date) -> str:
    """Return the quarter of a day in words."""
    return f"{day:%Y}年第{(day.month + 2) // 3}季度"


def quarters(day: date) -> list[tuple[str, str]]:
    """Return the latest quarters as choices, by their first day."""
    first, _ = period_of("Q", day)
    firsts = [add_months(first, -3 * back) for back in range(FIRST_QUARTER_SHOWN)]
    return [(f"{one}", quarter_text(one)) for one in firsts]


def situation(day: date, *, by: User) -> list[Line]:
    """Return a line per department and item of the quarter in which a day lies, as far as the user may see.

    The credit office sees all departments, data officers their own, others none.
    """
    suppliers = visible_suppliers(by)
    if suppliers is None:
        return []
    first, last = period_of("Q", day)
    lines: dict[tuple[int, int], Line] = defaultdict(lambda: Line("", "", ""))
    _count_duties(lines, first, last)
    _count_batches(lines, first, last)
    _count_corrections(lines, first, last)
    _count_records(lines, first, last)
    return _named(lines, suppliers, last)


def visible_suppliers(user: User) -> "QuerySet[Organisation] | None":
    """Return the departments whose situation the user may see, or None."""
    if user.has_perm("records.view_all_duties"):
        return Organisation.objects.all()
    if user.has_perm("records.view_supplyduty") and user.organisation_id:
        return Organisation.objects.filter(pk=user.organisation_id)
    return None


Lines = dict[tuple[int, int], Line]


def _count_duties(lines: Lines, first: date, last: date) -> None:
    rows = SupplyDuty.objects.filter(period__endswith__gt=first, period__endswith__lte=last + DAY)
    for supplier, item, state, count in (
        rows.values_list("supplier", "item", "state").annotate(n=Count("id")).order_by()
    ):
        lines[supplier, item].duties[state] = count


def _count_batches(lines: Lines, first: date, last: date) -> None:
    days = (first, last)
    # What was sent back is counted at the first delivery of a file, not at its corrections.
    checked = Batch.objects.filter(checked_at__date__range=days, correction_of__isnull=True)
    owed = Sum("open_rows", filter=Q(state__in=["checked", "committed"]), default=0)
    sums = checked.values_list("supplier", "item").annotate(
        Sum("rows"), Sum("refused"), Sum("corrected"), Sum("explained"), owed=owed
    )
    for supplier, item, rows, refused, corrected, explained, open_rows in sums.order_by():
        line = lines[supplier, item]
        line.rows, line.refused, line.corrected = rows, refused, min(corrected, refused)
        line.explained, line.open_rows = explained, open_rows
    gone = Batch.objects.filter(withdrawn_at__date__range=days).values_list("supplier", "item")
    for supplier, item, count in gone.annotate(n=Count("id")).order_by():
        lines[supplier, item].withdrawn = count


def _count_corrections(lines: Lines, first: date, last: date) -> None:
    # A file may correct rows of several batches: each of them was waiting for it.
    back = ReturnedRow.objects.filter(state=ReturnedRow.State.CORRECTED, batch__checked_at__date__range=(first, last))
    pairs = back.order_by().values_list("batch", "answer_batch").distinct()
    rows = list(pairs.values_list("batch__supplier", "batch__item", "batch__checked_at", "answer_batch__committed_at"))
    if not rows:
        return
    days = [(timezone.localdate(sent), timezone.localdate(came)) for *_, sent, came in rows]
    count = WorkingDays(working_calendar(), min(sent for sent, _ in days), max(came for _, came in days))
    for (supplier, item, *_), (sent, came) in zip(rows, days, strict=True):
        lines[supplier, item].correction_days.append(count.between(sent, came))


def _count_records(lines: Lines, first: date, last: date) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM records_supply_times(%s, %s)", [first, last])
        rows = cursor.fetchall()
    if not rows:
        return
    calendar = working_calendar()
    versions = {v.pk: v for v in ItemVersion.objects.filter(pk__in={row[2] for row in rows})}
    count = WorkingDays(calendar, min(row[3] for row in rows), last)
    latest: dict[tuple[int, date], date] = {}
    for item, supplier, version_id, doc_date, entered, records in rows:
        line, version = lines[supplier, item], versions[version_id]
        if (key := (version_id, doc_date)) not in latest:
            latest[key] = due(doc_date, version.supply_days, Unit(version.supply_unit), calendar).date
        line.records += records
        line.in_time += records if entered <= latest[key] else 0
        line.supply_days.append((count.between(doc_date, entered), records))


def _named(lines: Lines, suppliers: "QuerySet[Organisation]", day: date) -> list[Line]:
    names = dict(suppliers.filter(pk__in={supplier for supplier, _ in lines}).values_list("pk", "name"))
    codes = dict(Item.objects.filter(pk__in={item for _, item in lines}).values_list("pk", "code"))
    titles = item_names(day)
    shown = []
    for (supplier, item), line in lines.items():
        if supplier in names:
            line.supplier, line.item_code = names[supplier], codes[item]
            line.item_name = titles.get(item, codes[item])
            shown.append(line)
    return sorted(shown, key=lambda line: (line.supplier, line.item_code))


# --- out ----------------------------------------------------------------------------------------------------

HEADINGS = (
    "报送单位", "条目编码", "条目名称", "应报已报", "迟报", "未报", "零报", "不计", "首次报送行数", "退回行数", "退回比例",
    "退回后已更正比例", "退回后已说明比例", "未答复退回行", "更正用时中位数（工作日）", "撤回批次", "入库记录数", "时限内入库比例",
    "文书至入库中位数（工作日）",
)  # fmt: skip


def cells(line: Line) -> list[str]:
    """Return a line as the downloads show it."""
    return [
        line.supplier, line.item_code, line.item_name, *map(str, (line.met, line.late, line.missed, line.declared)),
        str(line.not_counted), str(line.rows), str(line.refused), line.refused_share, line.corrected_share,
        line.explained_share, str(line.open_rows), line.median_correction, str(line.withdrawn), str(line.records),
        line.in_time_share, line.median_supply,
    ]  # fmt: skip


def as_csv(lines: Iterable[Line]) -> bytes:
    """Return the lines as csv."""
    return spreadsheet.as_csv(HEADINGS, map(cells, lines))


def write_xlsx(lines: Sequence[Line], out: BinaryIO, title: str) -> None:
    """Write the lines to a workbook."""
    book: Any = xlsxwriter.Workbook(out, {"strings_to_formulas": False, "strings_to_numbers": False, "in_memory": True})
    sheet = book.add_worksheet(title)
    head = book.add_format({"bold": True, "bg_color": "#D9E1F2", "text_wrap": True, "border": 1})
    sheet.set_column(0, 2, 26)
    sheet.set_column(3, len(HEADINGS) - 1, 12)
    for row, texts in enumerate([list(HEADINGS), *map(cells, lines)]):
        for column, text in enumerate(texts):
            if row and text.isdecimal():
                sheet.write_number(row, column, int(text))
            else:
                sheet.write_string(row, column, spreadsheet.safe(text), None if row else head)
    sheet.freeze_panes(1, 3)
    book.close()
