"""Enter departments from a file of their credit codes: what `manage.py load_organisations` does."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.actions import register_organisation
from accounts.models import Organisation, Region, validate_uscc
from accounts.reference import Department, Succession, departments, successions
from creditfujian.lib.text import normalise_code

COLUMNS = ("code", "uscc")
PREDECESSOR = "predecessor"


@dataclass
class Outcome:
    """What became of the file: names entered, how many were there already, what is wrong by row and column."""

    entered: list[str] = field(default_factory=list)
    known: int = 0
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Line:
    """A row of the file; its number counts the header as 1, as a spreadsheet does."""

    number: int
    code: str
    uscc: str
    predecessor: str

    def wrong(self, column: str, why: str) -> str:
        """Say what is wrong in a cell of the row."""
        return f"第 {self.number} 行“{column}”列：{why}"


class Refused(Exception):
    """A row that is not taken."""


def enter(lines: Iterable[str]) -> Outcome:
    """Enter departments, then those they replaced. A bad row is reported and keeps no other from being taken.

    Raises ValidationError when the columns are not there. Safe to run twice.
    """
    outcome = Outcome()
    rows = list(_read(lines))
    order = {department.code: position for position, department in enumerate(departments())}
    rows.sort(key=lambda row: (bool(row.predecessor), order.get(row.code, 0)))
    for row in rows:
        try:
            with transaction.atomic():
                new = _enter_predecessor(row) if row.predecessor else _enter_department(row)
        except Refused as refusal:
            outcome.problems.append(str(refusal))
            continue
        if new is None:
            outcome.known += 1
        else:
            outcome.entered.append(new.name)
    return outcome


def _read(lines: Iterable[str]) -> Iterator[Line]:
    table = csv.DictReader(lines)
    header = [(name or "").strip().lower() for name in table.fieldnames or []]
    if missing := [column for column in COLUMNS if column not in header]:
        raise ValidationError(f"第 1 行缺少“{missing[0]}”列。表头应为 code,uscc（可加 predecessor）。", code="header")
    table.fieldnames = header
    for row in table:
        cell = {column: normalise_code(row.get(column) or "") for column in COLUMNS}
        former = (row.get(PREDECESSOR) or "").strip()
        if former or any(cell.values()):
            yield Line(table.line_num, cell["code"].upper(), cell["uscc"].upper(), former)


def _enter_department(row: Line) -> Organisation | None:
    department = next((d for d in departments() if d.code == row.code), None)
    if department is None:
        raise Refused(row.wrong("code", f"没有简称为“{row.code}”的部门。请对照 accounts/data/organisations.csv。"))
    known = _known(row, department.name)
    if known is not None:
        known.parent = known.parent or _parent(department)  # it may have come before the one it belongs to
        known.save(update_fields=["parent"])
        return None
    same = Organisation.objects.filter(code=department.code).exclude(uscc=row.uscc).first()
    if same is not None:
        raise Refused(row.wrong("code", f"“{row.code}”已登记为{same.name}（{same.uscc}），两处代码不同。请核对。"))
    return register_organisation(
        uscc=row.uscc, name=department.name, kind=Organisation.Kind.DEPARTMENT, code=department.code,
        region=Region.objects.get(pk=department.region), valid_from=department.valid_from, parent=_parent(department),
    )  # fmt: skip


def _enter_predecessor(row: Line) -> Organisation | None:
    """Enter a department that is gone, closed on its last day, and link it to those that took over."""
    takers = [s for s in successions() if s.predecessor == row.predecessor]
    if not takers:
        raise Refused(
            row.wrong(PREDECESSOR, f"沿革表中没有“{row.predecessor}”。请对照 accounts/data/successions.csv。")
        )
    if row.code:
        raise Refused(row.wrong("code", "原机构没有目录简称，本列请留空。"))
    found = Organisation.objects.filter(code__in=[s.successor for s in takers])
    if not found:
        names = "、".join(s.successor for s in takers)
        raise Refused(row.wrong(PREDECESSOR, f"承接单位（{names}）尚未登记。请先登记承接单位。"))
    known = _known(row, row.predecessor)
    former = known or _former(row, takers[0])
    for successor in found:
        successor.predecessors.add(former)
    return None if known else former


def _former(row: Line, succession: Succession) -> Organisation:
    if Organisation.objects.filter(name=row.predecessor).exists():
        raise Refused(row.wrong("uscc", f"{row.predecessor}已用另一代码登记。请核对。"))
    return register_organisation(
        uscc=row.uscc, name=row.predecessor, kind=Organisation.Kind.DEPARTMENT,
        region=Region.objects.get(pk="350000"), valid_to=succession.valid_to,
    )  # fmt: skip


def _known(row: Line, name: str) -> Organisation | None:
    """Return the organisation if it is entered already. Refuses a wrong code, and one that belongs to another."""
    try:
        validate_uscc(row.uscc)
    except ValidationError as error:
        raise Refused(row.wrong("uscc", error.messages[0])) from error
    holder = Organisation.objects.filter(uscc=row.uscc).first()
    if holder is not None and holder.name != name:
        raise Refused(row.wrong("uscc", f"该代码已登记为{holder.name}，不能再给{name}。请核对。"))
    return holder


def _parent(department: Department) -> Organisation | None:
    return Organisation.objects.filter(code=department.parent).first() if department.parent else None
