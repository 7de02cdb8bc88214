"""The deeds of exports: request, review, run, fetch, forget. Reading itself is in export_reading."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import BinaryIO

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, transaction
from django.utils import timezone
from django_q.tasks import async_task

from access.actions import Ask, Asker, write_query
from access.models import DOWNLOAD_FIELDS, Kind, Purpose, Refusal, Request
from access.reading import purpose_in_words
from access.rules import refusal_of_open_list
from accounts.models import User
from catalogue import deadline_actions as clocks
from catalogue.models import Deadline, Item
from records.export_models import Export, ExportDownload
from records.export_reading import ask_of, file_of, read_next
from records.export_rules import refusal_of_export, review_above
from records.intake import store
from records.reading import Refused

State = Export.State
DEADLINE = "D46"  # the time for another officer's look; its end decides nothing


@dataclass(frozen=True)
class Filters:
    """Which records, in what shape, and for which duty: what an officer fills in, what a list passes on."""

    items: list[Item]
    purpose: Purpose
    purpose_text: str
    duty_code: str
    case_no: str
    own_only: bool = True
    decided_from: date | None = None
    decided_until: date | None = None
    which: Export.Which = Export.Which.ALL
    format: Export.Format = Export.Format.XLSX
    severity: int | None = None
    provider: int | None = None  # an organisation's key
    ends_by: date | None = None  # public today, and no longer than until that day
    record_ids: list[int] | None = None  # these and no others, as far as the rest allows them
    numbers: list[str] | None = None  # normalised ID numbers: these persons and no others; kept as keyed indexes only


@transaction.atomic
def request(filters: Filters, *, by: Asker, listed: Request | None = None) -> Export | Refused:
    """Ask for an export; the job counts it first. A refusal is written down (kind Q5), about nobody.

    `listed` is the registration of the list that the export is asked from: it must still be open.
    """
    assert by.user is not None
    refusal = refusal_of_open_list(listed, by.user, filters.items) if listed else None
    if refusal := refusal or _refusal(by.user, filters):
        ask = Ask(
            kind=Kind.DUTY, ground=f"申请批量导出（事项编码 {filters.duty_code}）",
            purpose=purpose_in_words(filters.purpose, filters.purpose_text), fields_class="无", items=filters.items,
            case_no=filters.case_no, duty_code=filters.duty_code, refusal=refusal.value,
        )  # fmt: skip
        write_query(ask, by=by)
        return Refused(refusal)
    assert by.user.organisation is not None
    export = Export.objects.create(
        requested_by=by.user, organisation=by.user.organisation, purpose=filters.purpose, purpose_text=filters.purpose_text,
        duty_code=filters.duty_code, case_no=filters.case_no, item_ids=sorted(item.pk for item in filters.items),
        own_only=filters.own_only, decided_from=filters.decided_from, decided_until=filters.decided_until,
        which=filters.which, format=filters.format, severity=filters.severity, provider_id=filters.provider,
        ends_by=filters.ends_by, record_ids=filters.record_ids, channel=by.channel, address=by.address,
        named=None if filters.numbers is None else len(filters.numbers),
    )  # fmt: skip
    export.items.set(filters.items)
    if filters.numbers is not None:
        _name(export, filters.numbers)
    _enqueue(export)
    return export


def _refusal(user: User, filters: Filters) -> Refusal | None:
    return refusal_of_export(user, filters.items, own_only=filters.own_only, duty_code=filters.duty_code)


def _refusal_now(export: Export) -> Refusal | None:
    items = export.items.all()
    return refusal_of_export(export.requested_by, items, own_only=export.own_only, duty_code=export.duty_code)


def _name(export: Export, numbers: list[str]) -> None:
    """Leave the list with the database, which alone knows whose numbers they are."""
    pairs = [
        (ordinal, index)
        for ordinal, number in enumerate(numbers, start=1)
        for index in settings.FIELD_KEYRING.indexes(number.encode())
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT records_export_name(%s, %s, %s)",
            [export.pk, [ordinal for ordinal, _ in pairs], [index for _, index in pairs]],
        )


@transaction.atomic
def approve(export_id: int, *, by: User, reason: str = "") -> Export:
    """Agree, as another officer of the organisation, to an export of many persons. Raises PermissionDenied."""
    export = _for_review(export_id, by)
    export.reviewed_by, export.reviewed_at, export.decision_reason = by, timezone.now(), reason.strip()[:200]
    _move(export, State.RUNNING, "reviewed_by", "reviewed_at", "decision_reason")
    _stop_clock(export)
    _enqueue(export)
    return export


@transaction.atomic
def refuse(export_id: int, *, by: User, reason: str) -> Export:
    """Do not agree, with a reason that the requester reads. Raises PermissionDenied, ValidationError."""
    if not reason.strip():
        raise ValidationError("请写明不同意的理由。", code="reason")
    export = _for_review(export_id, by)
    export.reviewed_by, export.reviewed_at, export.decision_reason = by, timezone.now(), reason.strip()[:200]
    _stop_clock(export)
    return _move(export, State.REFUSED, "reviewed_by", "reviewed_at", "decision_reason")


def _stop_clock(export: Export) -> None:
    for clock in Deadline.objects.of(export).filter(met_on__isnull=True):
        clocks.meet(clock.pk, on=timezone.localdate())


def why_not_review(export: Export, user: User) -> str:
    """Return why this user may not review the export, or nothing."""
    if export.state != State.AWAITING:
        return f"申请当前状态为“{export.get_state_display()}”，不需要复核。"
    if export.requested_by_id == user.pk:
        return f"涉及 {export.persons} 人，超过 {review_above()} 人，须由本单位另一名工作人员复核。"
    if not user.has_perm("records.review_export") or user.organisation_id != export.organisation_id:
        return "须由本单位有复核职责的工作人员复核。"
    return ""


@transaction.atomic
def cancel(export_id: int, *, by: User) -> Export:
    """Stop one's own export; what was read stays in the log. Raises PermissionDenied, ValidationError."""
    export = _own(export_id, by)
    if export.state == State.RUNNING:
        export.cancel_requested = True
        export.save(update_fields=["cancel_requested"])
        return export
    if export.state not in (State.REQUESTED, State.AWAITING, State.FAILED):
        raise ValidationError(f"导出当前状态为“{export.get_state_display()}”，不能取消。", code="state")
    export.parts.all().delete()
    _stop_clock(export)
    return _move(export, State.CANCELLED)


@transaction.atomic
def resume(export_id: int, *, by: User) -> Export:
    """Go on with one's own export where it broke off. Raises PermissionDenied, ValidationError."""
    export = _own(export_id, by)
    if export.state != State.FAILED:
        raise ValidationError("导出没有中断，不需要继续。", code="state")
    export.failure = ""
    # What was never decided is counted again; what was reviewed, or needs no review, goes on.
    decided = export.reviewed_by_id is not None or export.last_person > 0
    _move(export, State.RUNNING if decided else State.REQUESTED, "failure")
    _enqueue(export)
    return export


@transaction.atomic
def open_link(export_id: int, *, by: Asker) -> Export:
    """Let the requester fetch the file for some minutes. Raises PermissionDenied, ValidationError."""
    assert by.user is not None
    export = _own(export_id, by.user)
    _still_allowed(export)
    now = timezone.now()
    if export.state != State.READY or export.keep_until is None or now >= export.keep_until:
        raise ValidationError("文件不在或已到期删除。仍然需要的，请重新申请。", code="state")
    export.link_until = min(now + timedelta(minutes=settings.EXPORT_LINK_MINUTES), export.keep_until)
    export.save(update_fields=["link_until"])
    return export


@transaction.atomic
def download(export_id: int, *, by: Asker) -> BinaryIO:
    """Return the file to whoever asked for it, within the link's time, under a line of the query log of its own.

    With the row of the download the database writes the line of everybody in the file: without them nothing goes out.
    Raises PermissionDenied, ValidationError.
    """
    assert by.user is not None
    export = _own(export_id, by.user)
    _still_allowed(export)
    if not export.has_link or export.file is None:
        raise ValidationError("下载链接已过有效时间，请在导出页重新取得。", code="link")
    seq = write_query(ask_of(export, "下载了导出文件", DOWNLOAD_FIELDS), by=by)
    ExportDownload.objects.create(export=export, by=by.user, address=by.address, query_seq=seq)
    return store.open_sealed(export.file)


# --- what the worker does --------------------------------------------------------------------------


def run(export_id: int) -> Export:
    """Count, read chunk by chunk and make the file; called again, it goes on where it stopped."""
    export = _count(export_id)
    while export.state == State.RUNNING:
        export = _step(export_id)
    return export


@transaction.atomic
def _count(export_id: int) -> Export:
    """Let the database find who would be in it; few persons go on at once, more wait for another officer."""
    export = _locked(export_id)
    if export.state != State.REQUESTED:
        return export
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM records_export_gather(%s)", [export.pk])
        export.persons, export.records = cursor.fetchone()
    if export.records > settings.EXPORT_ROWS:
        too_many = f"符合条件的记录有 {export.records} 条，一次最多导出 {settings.EXPORT_ROWS} 条。"
        export.failure = f"{too_many}请缩小日期范围或减少条目，重新申请。"
        return _move(export, State.FAILED, "persons", "records", "failure")
    if export.persons <= review_above():
        return _move(export, State.RUNNING, "persons", "records")
    clocks.start(DEADLINE, on=timezone.localdate(), subject=export, label=export.number)
    return _move(export, State.AWAITING, "persons", "records")


@transaction.atomic
def _step(export_id: int) -> Export:
    """Read the next persons, or make the file when all are read."""
    export = _locked(export_id)
    if export.state != State.RUNNING:
        return export
    if export.cancel_requested:
        export.parts.all().delete()
        return _move(export, State.CANCELLED)
    if refusal := _refusal_now(export):
        export.failure = f"申请人现在不再有权导出：{refusal.label}。"
        return _move(export, State.FAILED, "failure")
    if export.persons_done >= (export.persons or 0):
        return _finish(export)
    read_next(export)
    export.save(update_fields=["last_person", "persons_done", "rows"])
    return export


def _finish(export: Export) -> Export:
    if export.named is not None:
        export.records = export.rows  # told only now that everybody has their line
    with file_of(export) as stream:
        export.file = store.keep(stream, name=f"{export.number}.{export.format}")
    export.parts.all().delete()
    export.ready_at = timezone.now()
    export.keep_until = export.ready_at + timedelta(hours=settings.EXPORT_HOURS)
    return _move(export, State.READY, "file", "ready_at", "keep_until", "records")


@transaction.atomic
def mark_failed(export_id: int) -> None:
    """Note that a job gave up, so that people see it and can go on."""
    export = _locked(export_id)
    if export.is_working:
        export.failure = "处理中断，已读取的部分还在。请点“继续”；再次中断请联系平台运维。"
        _move(export, State.FAILED, "failure")


def forget_files() -> int:
    """Delete the files whose time is over; the facts of the export stay. Returns how many."""
    count = 0
    for pk in Export.objects.filter(state=State.READY, keep_until__lte=timezone.now()).values_list("pk", flat=True):
        with transaction.atomic():
            export = _locked(pk)
            file, export.file = export.file, None
            _move(export, State.EXPIRED, "file")
            if file is not None:
                store.forget(file)
        count += 1
    return count


def _enqueue(export: Export) -> None:
    async_task("records.jobs.run_export", export.pk, group=export.number)


def _locked(export_id: int) -> Export:
    related = Export.objects.select_for_update(of=("self",)).select_related(
        "requested_by__organisation", "organisation", "file"
    )
    return related.get(pk=export_id)


def _own(export_id: int, by: User) -> Export:
    export = _locked(export_id)
    if export.requested_by_id != by.pk:
        raise PermissionDenied("只有申请人可以办理自己的导出。")
    return export


def _for_review(export_id: int, by: User) -> Export:
    export = _locked(export_id)
    if reason := why_not_review(export, by):
        raise PermissionDenied(reason)
    return export


def _still_allowed(export: Export) -> None:
    if refusal := _refusal_now(export):
        raise PermissionDenied(f"{refusal.label}。")


def _move(export: Export, state: str, *fields: str) -> Export:
    """Move along one arrow; the database refuses any other."""
    export.state = state
    export.save(update_fields=["state", *fields])
    return export
