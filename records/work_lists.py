"""Work lists (核对名单): records that an officer compares with the office's own papers, and what was found."""

import re
from dataclasses import dataclass
from datetime import date

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, transaction
from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from access.rules import lists_of
from accounts.models import User
from records.models import BulkJob, WorkList, WorkListEntry

Finding = WorkListEntry.Finding
_LONG_DIGITS = re.compile(r"\d{15,}")


@dataclass(frozen=True)
class Outcome:
    """What became of one record in a job over many."""

    record_id: int
    done: bool
    note: str


def colleagues(user: User) -> list[User]:
    """Return those of the same organisation who may read lists, the user among them."""
    staff = User.objects.filter(organisation=user.organisation_id, is_active=True, kind=User.Kind.STAFF)
    readers = staff.filter(groups__permissions__codename__in=["list_by_duty", "list_supplied"])
    return list(readers.distinct().order_by("name"))


@transaction.atomic
def make(job: BulkJob, *, title: str, assigned_to: User, due_on: date, by: User) -> WorkList:
    """Make the list that a job will fill. Raises PermissionDenied and ValidationError."""
    if by.organisation is None or assigned_to.organisation_id != by.organisation_id or not lists_of(assigned_to):
        raise PermissionDenied("核对人须是本单位有权查看记录列表的人员。")
    if due_on < timezone.localdate():
        raise ValidationError("完成期限不能早于今天。", code="due_on")
    return WorkList.objects.create(
        organisation=by.organisation, made_by=by, assigned_to=assigned_to, title=title, due_on=due_on, job=job
    )


def add_entries(job: BulkJob, keys: list[int]) -> list[Outcome]:
    """Put records on the job's list: those in life that the organisation supplied or may read. Nothing is read."""
    work_list = WorkList.objects.get(job=job)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT record_id, number FROM records_kept(%s, %s, %s)",
            [work_list.organisation_id, job.request.duty_code, keys],
        )
        kept = dict(cursor.fetchall())
    WorkListEntry.objects.bulk_create(
        WorkListEntry(work_list=work_list, record_id=pk, number=kept[pk]) for pk in keys if pk in kept
    )
    return [
        Outcome(pk, pk in kept, "已列入" if pk in kept else "未列入：记录已到期、撤回，或不在本单位可查范围内")
        for pk in keys
    ]


@transaction.atomic
def note_finding(entry_id: int, finding: str, note: str, *, by: User) -> WorkListEntry:
    """Write down what the comparison found. Raises PermissionDenied and ValidationError."""
    entry = WorkListEntry.objects.select_for_update(of=("self",)).select_related("work_list").get(pk=entry_id)
    if entry.work_list.assigned_to_id != by.pk:
        raise PermissionDenied("只有核对人可以填写核对结果。")
    if finding not in (Finding.AGREES, Finding.DIFFERS):
        raise ValidationError("请选择核对结果。", code="finding")
    if finding == Finding.DIFFERS and not note.strip():
        raise ValidationError("与案卷不一致的，请写明哪一项不一致。", code="note")
    if _LONG_DIGITS.search(note):
        raise ValidationError("说明里不要写证件号码。", code="number")
    entry.finding, entry.note, entry.checked_at = finding, note.strip()[:200], timezone.now()
    entry.save(update_fields=["finding", "note", "checked_at"])
    return entry


def open_entries(user: User) -> int:
    """Return how many records wait for this user's comparison."""
    return WorkListEntry.objects.filter(work_list__assigned_to=user, finding=Finding.OPEN).count()


def with_counts(lists: "QuerySet[WorkList]") -> "QuerySet[WorkList]":
    """Add how many records a list holds and how many are still to be compared."""
    return lists.annotate(held=Count("entries"), left=Count("entries", filter=Q(entries__finding=Finding.OPEN)))
