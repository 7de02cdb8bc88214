"""What the API says of a batch: no more than the department's own page shows, and what to do next."""

from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import Http404
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from creditfujian.lib.text import key_in
from records import actions, volume
from records.intake.base import place
from records.intake.reasons import title_of
from records.models import Batch, BatchRow

State = Batch.State
OUTCOMES = {"refused": BatchRow.Outcome.REFUSED, "corrected": BatchRow.Outcome.CORRECTED}
OFFICIAL = "由本单位审核员在工作平台办理："


def own_batches(user: User) -> QuerySet[Batch]:
    """Return the batches of the caller's organisation, whoever delivered them."""
    batches = Batch.objects.visible_to(user).filter(supplier=user.organisation_id)
    return batches.select_related("item", "supplier", "file", "uploaded_by", "committed_by", "correction_of")


def own_batch(number: str, user: User) -> Batch:
    """Return one of them by its number. Raises Http404, the same for one of others and one that is not there."""
    batch = own_batches(user).filter(pk=key_in(number)).first()
    if batch is None or batch.number != number:
        raise Http404
    return batch


def answer_of(batch: Batch, user: User) -> dict[str, Any]:
    """Return a batch as records.api_shapes.BatchShape says."""
    version = batch.item.version_on(timezone.localdate(batch.received_at))
    action, text = next_step(batch, user)
    failure = batch.failure or {}
    return {
        "number": batch.number, "item": {"code": batch.item.code, "name": version.name if version else batch.item.code},
        "state": batch.state, "state_text": batch.get_state_display(), "mode": batch.mode, "channel": batch.channel,
        "file_sha256": batch.file.sha256, "correction_of": batch.correction_of.number if batch.correction_of else None,
        "uploaded_by": batch.uploaded_by.name, "committed_by": batch.committed_by.name if batch.committed_by else None,
        **{name: _time(getattr(batch, name)) for name in ("received_at", "checked_at", "committed_at", "withdrawn_at")},
        "counts": _counts(batch),
        "reasons": [{"code": code, "title": title_of(code), "rows": rows} for code, rows in sorted(batch.reasons.items())],
        "failure": {"code": failure["code"], "title": title_of(failure["code"]), "message": failure["message"]}
        if failure else None,
        "notes": batch.notes, "next": {"action": action, "text": text}, "links": _links(batch),
    }  # fmt: skip


def brief(batch: Batch) -> dict[str, Any]:
    """Return a batch as records.api_shapes.BriefShape says; asks nothing more of the database."""
    return {
        "number": batch.number, "item": batch.item.code, "state": batch.state, "state_text": batch.get_state_display(),
        "file_sha256": batch.file.sha256, "received_at": _time(batch.received_at), "counts": _counts(batch),
        "link": reverse("api_batch", args=[batch.number]),
    }  # fmt: skip


def _counts(batch: Batch) -> dict[str, int]:
    names = ("rows", "rows_done", "new", "changed", "unchanged", "refused", "corrected", "explained")
    return {**{name: getattr(batch, name) for name in names}, "open": batch.open_rows}


def _time(moment: Any) -> str | None:
    return timezone.localtime(moment).isoformat(timespec="seconds") if moment else None


def _links(batch: Batch) -> dict[str, str | None]:
    def to(name: str) -> str:
        return reverse(f"api_{name}", args=[batch.number])

    receipt = to("batch_receipt") if batch.committed_at else None
    return {"self": to("batch"), "rows": to("batch_rows"), "correction": to("batch_correction"), "receipt": receipt}


def next_step(batch: Batch, user: User) -> tuple[str, str]:
    """Return what to do next, for machines and in a sentence."""
    if batch.is_working:
        return "wait", "正在处理，请稍后再查询。"
    if batch.state == State.CHECKED:
        return _next_of_checked(batch, user)
    if batch.state == State.COMMITTED:
        if batch.holds.filter(measure="withdrawn", agreed=None).exists():
            return "second_look", f"{OFFICIAL}撤回涉及的记录较多，须复核同意后才撤回。"
        return ("correct", _correct(batch)) if batch.open_rows else ("nothing", "已入库，可以取回执。")
    if batch.state in (State.FAILED, State.MAPPING):
        return "resume_by_official", "由本单位数据员在工作平台打开本批次，继续处理或取消。"
    if batch.state == State.REFUSED:
        return "send_again", "没有收下任何一行。按 failure 改正后，用新的 Idempotency-Key 重新报送。"
    return "nothing", f"{batch.get_state_display()}，不再办理。"


def _next_of_checked(batch: Batch, user: User) -> tuple[str, str]:
    if batch.failure and not batch.rows:
        return "send_again", "没有数据行。填好后，用新的 Idempotency-Key 重新报送。"
    if not batch.goes_in:
        return ("correct", _correct(batch)) if batch.refused else ("nothing", "内容都已在库，没有需要入库的行。")
    if held := volume.why_held(batch):
        return "second_look", f"{OFFICIAL}{held}"
    reason = actions.may_commit(batch, user)
    if not reason and batch.uploaded_by_id == user.pk:
        return "commit", "校验完成，可以提交入库。"
    return "commit_by_official", f"{OFFICIAL}校验完成，等候提交入库。"


def _correct(batch: Batch) -> str:
    return f"有 {batch.open_rows or batch.refused} 行退回：按 rows 所列原因改正，键“来源行”填“{batch.number}#行号”，重新报送。"


def rows_of(batch: Batch, *, outcome: str, after: int, limit: int) -> dict[str, Any]:
    """Return a page of rows that went back with every reason, after a row number: RowsShape."""
    found = BatchRow.objects.filter(batch=batch, outcome=OUTCOMES[outcome], row_no__gt=after).order_by("row_no")
    rows = list(found.values_list("row_no", "problems", "source_batch", "source_row")[: limit + 1])
    shown = rows[:limit]
    origins = Batch.objects.in_bulk({origin for *_, origin, _ in shown if origin})
    onward = urlencode({"outcome": outcome, "after": shown[-1][0], "limit": limit}) if len(rows) > limit else ""
    return {
        "batch": batch.number, "outcome": outcome,
        "rows": [
            {"row": row_no, "place": place(row_no), "source_row": source_row,
             "source_batch": origins[origin].number if origin else None, "reasons": [
                {"field": field, "code": code, "title": title_of(code), "message": message}
                for field, code, message in problems or []]}
            for row_no, problems, origin, source_row in shown
        ],
        "next": f"{reverse('api_batch_rows', args=[batch.number])}?{onward}" if onward else None,
    }  # fmt: skip
