"""The deeds of records: receive, stage, check, commit, withdraw. A page, a command and a job call the same ones."""

from typing import BinaryIO

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django_q.tasks import async_task

from accounts import people
from accounts.models import User
from catalogue.models import Item, ItemVersion
from catalogue.rules import may_supply
from records import duties, persons, receipts, returned, volume
from records.intake import check, commit, helper, mapped, merged, stage, store
from records.intake.files import FileRefused
from records.models import Batch, ColumnMapping, SealedFile
from records.volume_models import BatchHold

State, Channel = Batch.State, Batch.Channel
BY_MACHINE = (Channel.COMMAND, Channel.API)  # where one hand commits, if the item lets it
NOT_DELIVERED = "该条目不接受表格报送：列入名单须经告知、申辩、决定、送达的程序，法院名单由法院专线更新。"


def receive(
    stream: BinaryIO,
    *,
    name: str,
    item: Item,
    by: User,
    channel: Batch.Channel,
    mode: Batch.Mode = Batch.Mode.GOOD_ROWS,
) -> tuple[Batch, bool]:
    """Take a file for an item (step 1); return the batch and whether it is a new one.

    The same file for the same item and supplier is answered with the batch it made the first time.
    Raises PermissionDenied and ValidationError as `rules_to_deliver` does.
    """
    rules_to_deliver(item, by)
    assert by.organisation is not None
    with transaction.atomic():
        file = store.keep(stream, name)  # held until the batch is there: the night takes no file that nothing uses yet
        item = Item.objects.select_for_update().get(pk=item.pk)
        known = Batch.objects.filter(file=file, item=item, supplier=by.organisation).exclude(
            state__in=[State.WITHDRAWN, State.WITHDRAWING, State.REFUSED, State.CANCELLED, State.FAILED]
        )
        if first := known.first():
            return first, False
        SealedFile.objects.filter(pk=file.pk, destroyed_at__isnull=False).update(destroyed_at=None)  # it is here again
        batch = Batch.objects.create(
            item=item, supplier=by.organisation, uploaded_by=by, file=file, channel=channel, mode=mode
        )
        return batch, True


def rules_to_deliver(item: Item, by: User) -> ItemVersion:
    """Return the version of an item under which this user may deliver rows today.

    Raises PermissionDenied without the role or without the grant on the item, ValidationError when no version of
    the item is in force or its records do not come by delivery.
    """
    if not by.has_perm("records.add_batch") or not may_supply(by.organisation, item) or by.organisation is None:
        raise PermissionDenied("您的单位未获准报送该目录条目，或您没有报送职责。")
    version = item.version_on(timezone.localdate())
    if version is None:
        raise ValidationError("该目录条目没有现行版本，不能报送。", code="not_in_force")
    if not version.comes_by_delivery:
        raise ValidationError(NOT_DELIVERED, code="not_delivered")
    return version


def start_checking(batch: Batch) -> None:
    """Queue steps 2 to 5 for the worker, in the transaction that made the batch."""
    async_task("records.jobs.check_batch", batch.pk, group=batch.number)


def start_committing(batch: Batch) -> None:
    """Queue step 6 for the worker, in the transaction that decided it."""
    async_task("records.jobs.commit_batch", batch.pk, group=batch.number)


def check_batch(batch_id: int) -> Batch:
    """Read, stage and check a batch (steps 2 to 5). Safe to run again: goes on after the last row staged."""
    batch = Batch.objects.get(pk=batch_id)
    if batch.state == State.CHECKING:  # a worker died between staging and checking
        batch = _move(batch, State.RECEIVED)
    if batch.state == State.PARSING:
        batch = _move(batch, State.RECEIVED)
    if batch.state != State.RECEIVED:
        return batch
    batch = _move(batch, State.PARSING)
    try:
        reading = stage.stage(batch)
    except mapped.MappingNeeded as needed:
        return _wait_for_mapping(batch, needed)
    except FileRefused as refused:
        batch.failure = {"code": refused.code, "message": refused.message}
        return _end(batch, State.REFUSED, "failure")
    if reading is None:
        return _end(batch, State.CANCELLED)
    with people.everybody("rows are compared with the register"), transaction.atomic():
        batch = _move(batch, State.CHECKING)
        check.work_on(batch)
        stage.stand_by_prints(batch)
        check.compare_with_file(batch, doc_field=reading.doc_field, name_field=reading.name_field)
        unchanged = check.compare_with_register(
            batch, name_field=reading.name_field, doc_field=reading.doc_field, mark_unchanged=False
        )
        check.count(batch, unmarked=unchanged)
        if batch.rows == 0:
            batch.failure = {"code": "F31", "message": "表头下面没有数据行。请填写数据后重新上传。"}
        # No commit will come by here; and of what is typed all goes in or comes back to the form.
        if not batch.goes_in or batch.channel in Batch.TYPED:
            persons.open_name_cases(batch)
        batch.checked_at = timezone.now()
        return _checked(batch, "reasons", "checked_at", "failure")


def may_commit(batch: Batch, user: User) -> str:
    """Return why this user may not commit the batch, or an empty string.

    Two different people upload and commit; the command, and a token with the scope for it, may use one hand where the
    item says so.
    """
    if batch.item.version_on(timezone.localdate()) is None:
        return "该目录条目已没有现行版本，不能入库。"
    if batch.state != State.CHECKED:
        return f"批次当前状态为“{batch.get_state_display()}”，不能提交。"
    if held := volume.why_held(batch):
        return held
    if batch.mode == Batch.Mode.ALL_OR_NONE and batch.refused:
        return f"本批次选择“有一行不合格则全部不入库”，现有 {batch.refused} 行不合格。请下载更正件，改好后整批重报。"
    if batch.new + batch.changed == 0:
        return "没有需要入库的行。"
    return _wrong_hand(batch, user)


def _wrong_hand(batch: Batch, user: User) -> str:
    """Return why this is not the second pair of hands that a batch needs, or an empty string."""
    one_hand = batch.channel in BY_MACHINE and batch.item.one_hand_by_command and user.pk == batch.uploaded_by_id
    if not may_supply(user.organisation, batch.item) or user.organisation_id != batch.supplier_id:
        return "您的单位不是本批次的报送单位，或报送授权已收回。"
    official = batch.channel == Channel.COMMAND and user.kind != User.Kind.SERVICE  # a system needs the scope for it
    if one_hand and user.has_perm("records.add_batch" if official else "records.commit_batch"):
        return ""
    if user.kind == User.Kind.SERVICE:
        return "该条目不允许单人提交：须由本单位审核员在工作平台提交入库。"
    if user.pk == batch.mapped_by_id:
        return "对应列的人不能提交这个批次，须由本单位另一名审核员提交。"
    if user.pk == batch.uploaded_by_id:
        return "上传人不能提交自己的批次，须由本单位另一名审核员提交。"
    if not user.has_perm("records.commit_batch"):
        return "您没有提交入库的职责。"
    return ""


def request_commit(batch_id: int, *, by: User) -> Batch:
    """Decide that a checked batch goes in, and queue the writing (step 6). Raises PermissionDenied with the reason."""
    volume.judge(batch_id)
    with transaction.atomic():
        batch = _locked(batch_id)
        if reason := may_commit(batch, by):
            raise PermissionDenied(reason)
        batch.committed_by = by
        batch = _move(batch, State.COMMITTING, "committed_by")
        start_committing(batch)
    return batch


def commit_now(batch_id: int, *, by: User) -> Batch:
    """Decide and write in one go, for the command. Raises PermissionDenied with the reason."""
    volume.judge(batch_id)
    with transaction.atomic():
        batch = _locked(batch_id)
        if reason := may_commit(batch, by):
            raise PermissionDenied(reason)
        batch.committed_by = by
        _move(batch, State.COMMITTING, "committed_by")
    return commit_batch(batch_id)


def commit_listing(batch_id: int, *, by: User) -> Batch:
    """Let the one row of a listing in by the hand that decided it; whose that is, is held by the database."""
    with transaction.atomic():
        batch = _locked(batch_id)
        batch.committed_by = by
        _move(batch, State.COMMITTING, "committed_by")
        return commit_batch(batch_id)


@people.everybody("rows become records of their persons")
@transaction.atomic
def commit_batch(batch_id: int) -> Batch:
    """Write the good rows in one transaction (step 6); what changed since the preview is judged again first."""
    batch = _locked_with_item(batch_id)
    if batch.state != State.COMMITTING:
        return batch
    if check.staged_rows(batch) != batch.rows:
        return _stage_again(batch)
    check.work_on(batch)
    bound = stage.bound_codes(batch.item)
    try:
        read_again = stage.stand_by_prints(batch)
    except FileRefused:  # the item or the mapping has changed since: the whole file is judged by what holds now
        helper.start_over(batch)
        return _stage_again(batch)
    if merged.follow_moves(batch) or read_again:
        check.compare_with_file(batch, doc_field=bound["doc_no"], name_field=bound["person_name"])
    check.compare_with_register(batch, name_field=bound["person_name"], doc_field=bound["doc_no"], mark_unchanged=True)
    check.count(batch)
    batch.save(update_fields=["reasons"])
    if batch.mode == Batch.Mode.ALL_OR_NONE and batch.refused or volume.is_unseen(batch):
        batch.committed_by = None
        return _checked(batch, "committed_by")
    commit.write_records(batch, by_id=batch.committed_by_id or 0)
    merged.note_merged(batch)
    persons.open_name_cases(batch)
    returned.take_corrections(batch)
    batch.committed_at = timezone.now()
    batch = _move(batch, State.COMMITTED, "committed_at")
    returned.hand_back(batch)
    receipts.issue(batch)
    duties.follow_delivery(batch)
    return batch


def withdraw(batch_id: int, *, by: User, reason: str) -> int | None:
    """Take a committed batch back as a whole (step 8): what stood before comes back, history stays.

    Returns how many records went back; records that a later batch changed are left alone. None when it takes back so
    much that another officer has to agree first. Raises PermissionDenied and ValidationError.
    """
    if not reason.strip():
        raise ValidationError("请写明撤回理由。", code="reason")
    with transaction.atomic():
        batch = _locked_with_item(batch_id)
        _may_withdraw(batch, by)
        if volume.ask_withdrawal(batch, by=by, reason=reason):
            return None
        return _take_back(batch, by=by, reason=reason)


def decide_hold(hold_id: int, *, by: User, agree: bool, note: str) -> BatchHold:
    """Take the second look at a batch, or at a withdrawal, that is outside what is usual; agreed, a withdrawal is done.

    A withdrawal that has come to be more than was agreed to is asked for again instead, by a new hold.
    Raises PermissionDenied and ValidationError.
    """
    with transaction.atomic():
        batch = _locked_with_item(BatchHold.objects.get(pk=hold_id).batch_id)
        hold = BatchHold.objects.select_for_update().get(pk=hold_id)
        hold.batch = batch
        volume.decide(hold, by=by, agree=agree, note=note)
        if agree and hold.asked_by is not None:
            _may_withdraw(batch, hold.asked_by)
            if not volume.ask_withdrawal(batch, by=hold.asked_by, reason=hold.asked_reason):  # no more than was seen
                _take_back(batch, by=hold.asked_by, reason=hold.asked_reason)
        return hold


def _may_withdraw(batch: Batch, by: User) -> None:
    if not by.has_perm("records.withdraw_batch") or by.organisation_id != batch.supplier_id:
        raise PermissionDenied("只有报送单位的数据员或审核员可以撤回批次。")
    if batch.state != State.COMMITTED:
        raise ValidationError(f"批次当前状态为“{batch.get_state_display()}”，不能撤回。", code="state")


def _take_back(batch: Batch, *, by: User, reason: str) -> int:
    batch = _move(batch, State.WITHDRAWING)
    check.work_on(batch)
    count = commit.write_back(batch, by_id=by.pk)
    batch.withdrawn_by, batch.withdrawn_at, batch.withdraw_reason = by, timezone.now(), reason.strip()[:200]
    _move(batch, State.WITHDRAWN, "withdrawn_by", "withdrawn_at", "withdraw_reason")
    returned.reopen(batch)
    returned.follow(batch.pk)
    duties.follow_delivery(batch, again=True)
    return count


def cancel(batch_id: int, *, by: User) -> Batch:
    """Stop a batch that has not gone in. Raises PermissionDenied, ValidationError."""
    with transaction.atomic():
        batch = _locked(batch_id)
        if not by.has_perm("records.add_batch") or by.organisation_id != batch.supplier_id:
            raise PermissionDenied("只有报送单位的数据员可以取消批次。")
        if batch.state == State.PARSING:
            batch.cancel_requested = True
            batch.save(update_fields=["cancel_requested"])
            return batch
        if batch.state not in (State.RECEIVED, State.MAPPING, State.CHECKED, State.FAILED):
            raise ValidationError(f"批次当前状态为“{batch.get_state_display()}”，不能取消。", code="state")
        batch = _end(batch, State.CANCELLED, by=by)
        returned.follow(batch.pk)
        return batch


def resume(batch_id: int, *, by: User) -> Batch:
    """Go on with a batch whose processing broke off. Raises PermissionDenied, ValidationError."""
    with transaction.atomic():
        batch = _locked(batch_id)
        if not by.has_perm("records.add_batch") or by.organisation_id != batch.supplier_id:
            raise PermissionDenied("只有报送单位的数据员可以继续处理批次。")
        if batch.state != State.FAILED:
            raise ValidationError("批次没有中断，不需要继续处理。", code="state")
        batch.failure = None
        batch = _move(batch, State.RECEIVED, "failure")
        start_checking(batch)
        return batch


def mark_failed(batch_id: int) -> None:
    """Note that a job gave up, so that people see it and can go on."""
    with transaction.atomic():
        batch = _locked(batch_id)
        message = "处理中断，已读入的行都还在。请点“继续处理”；再次中断请联系平台运维。"
        if batch.state in (State.PARSING, State.CHECKING, State.RECEIVED):
            batch.failure = {"code": "S01", "message": message}
            _move(batch, State.FAILED, "failure")
        elif batch.state == State.COMMITTING:
            batch.committed_by = None
            batch.failure = {
                "code": "S02",
                "message": "入库时中断，没有写入任何一行。请重新提交；再次中断请联系平台运维。",
            }
            _move(batch, State.CHECKED, "committed_by", "failure")


def go_on_mapped(batch: Batch, mapping: ColumnMapping, *, by: User) -> Batch:
    """Let a locked batch that waited for a mapping be read by it, and queue the reading."""
    batch.mapping, batch.mapped_by, batch.failure = mapping, by, None
    batch = _move(batch, State.RECEIVED, "mapping", "mapped_by", "failure")
    start_checking(batch)
    return batch


def _wait_for_mapping(batch: Batch, needed: mapped.MappingNeeded) -> Batch:
    """Leave a batch to the person who can say what its columns are; nothing read by other columns is kept."""
    helper.start_over(batch)
    batch.failure = {"code": needed.code, "message": needed.message}
    return _move(batch, State.MAPPING, "failure")


def _stage_again(batch: Batch) -> Batch:
    """Read the sealed file again: the unlogged staging table lost its rows in a crash of the database."""
    batch.committed_by = None
    _move(batch, State.CHECKED, "committed_by")
    batch = _move(batch, State.RECEIVED)
    start_checking(batch)
    return batch


def _checked(batch: Batch, *fields: str) -> Batch:
    """Leave a batch checked; when nothing of it can go in, its refused rows are handed back at once."""
    batch = _move(batch, State.CHECKED, *fields)
    if not batch.goes_in:
        returned.hand_back(batch)
    return batch


@transaction.atomic
def _end(batch: Batch, state: str, *fields: str, by: User | None = None) -> Batch:
    """Let a batch end without going in, with its receipt."""
    batch = _move(batch, state, *fields)
    receipts.issue_of_end(batch, by=by)
    return batch


def _locked_with_item(batch_id: int) -> Batch:
    """Lock the item, then the batch: one batch of an item at a time goes in or comes back, and counts the others."""
    Item.objects.select_for_update(of=("self",)).get(batches=batch_id)
    return _locked(batch_id)


def _locked(batch_id: int) -> Batch:
    return Batch.objects.select_for_update(of=("self",)).select_related("item", "supplier").get(pk=batch_id)


def _move(batch: Batch, state: str, *fields: str) -> Batch:
    """Move a batch along one arrow; the database refuses any other."""
    batch.state = state
    batch.save(update_fields=["state", *fields])
    return batch
