"""Pages of a batch beyond the preview: the second look, rows handed back, the receipt."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import options
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone

from accounts.models import User
from accounts.web import do_and_say, sentence_of, signed_in
from records import actions, preview, receipts, returned, volume
from records.models import Batch, BatchHold, ReturnedRow
from records.returned_forms import ConfirmForm, ExplainForm, HoldForm, VerifyForm

State = Batch.State
ORIGINS = 5  # batches of which the page of their correction tells more than the number
KINDS = {"xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "json": "application/json"}


class OpenRowsFilter(admin.SimpleListFilter):
    """Batches of which rows were handed back and are not answered."""

    title = "退回行"
    parameter_name = "open_rows"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("1", "有退回行待答复"), ("overdue", "超期未答复"), ("explained", "有说明待确认")]

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet[Batch]:
        if self.value() == "overdue":
            return returned.overdue_batches(queryset)
        if self.value() == "explained":
            rows = ReturnedRow.objects.filter(state=ReturnedRow.State.EXPLAINED)
            return queryset.with_open_rows().filter(pk__in=rows.values("batch"))
        return queryset.with_open_rows() if self.value() else queryset


class HeldFilter(admin.SimpleListFilter):
    """Batches outside what is usual that wait for a second look."""

    title = "数量异常"
    parameter_name = "held"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("1", "待复核")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Batch]) -> QuerySet[Batch]:
        return queryset.filter(pk__in=BatchHold.objects.open().values("batch")) if self.value() else queryset


class AfterThePreview(options.ModelAdmin):
    """Mixed into the batch's own pages."""

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        own = [
            path("receipts/", view(self.verify_view), name="records_batch_verify_receipt"),
            path("<int:pk>/hold/<int:hold>/", view(self.hold_view), name="records_batch_hold"),
            path("<int:pk>/returned/", view(self.returned_view), name="records_batch_returned"),
            path("<int:pk>/explain/", view(self.explain_view), name="records_batch_explain"),
            path("<int:pk>/confirm/", view(self.confirm_view), name="records_batch_confirm"),
            path("<int:pk>/receipt.<str:kind>", view(self.receipt_view), name="records_batch_receipt"),
        ]
        return own + super().get_urls()

    def _batch(self, request: HttpRequest, pk: str | int) -> Batch:
        raise NotImplementedError

    def after_the_preview(self, request: HttpRequest, batch: Batch, *, sees_rows: bool) -> dict[str, Any]:
        """Return what the batch's page says of holds, rows handed back and the receipt."""
        user, origins = signed_in(request), returned.origins_of(batch)
        holds = batch.holds.select_related("batch", "decided_by", "asked_by", "rule")
        return {
            "holds": [(hold, not volume.why_not_decide(hold, user)) for hold in holds],
            "hold_form": HoldForm(), "follow_up": returned.clock_of(batch), "today": timezone.localdate(),
            "row_counts": returned.counts(batch), "has_receipt": hasattr(batch, "receipt"),
            "origins": origins,
            "origins_told": [
                (one, returned.counts(one), returned.page(one) if sees_rows else None) for one in origins[:ORIGINS]
            ],
            "has_correction": sees_rows and bool(batch.refused) and not batch.cleared_at
            and batch.state in (State.CHECKED, State.COMMITTED) and returned.has_rows_to_correct(batch),
        }  # fmt: skip

    def hold_view(self, request: HttpRequest, pk: int, hold: int) -> HttpResponse:
        batch, form = self._batch(request, pk), HoldForm(request.POST or None)
        found = batch.holds.filter(pk=hold).first()
        if found is None:
            raise Http404
        if request.method == "POST":
            agree, by = request.POST.get("agree") == "1", signed_in(request)
            note = form.cleaned_data["note"] if form.is_valid() else ""
            do_and_say(request, lambda: _decide(request, found.pk, by=by, agree=agree, note=note), "")
        return redirect("admin:records_batch_change", pk)

    def returned_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show what became of each row handed back, a page at a time."""
        batch, user = self._batch(request, pk), signed_in(request)
        if not preview.may_see_rows(batch, user):
            raise PermissionDenied("只有报送单位可以查看退回行。")
        return self._returned(request, batch, user, ExplainForm())

    def _returned(self, request: HttpRequest, batch: Batch, user: User, form: ExplainForm) -> HttpResponse:
        state, after = (_number(request.GET.get(name)) for name in ("state", "after"))
        counts = returned.counts(batch)
        open_ = batch.state in returned.FOLLOWED
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": f"批次 {batch.number} 的退回行",
            "batch": batch, "page": returned.page(batch, after=after or 0, state=state), "row_counts": counts,
            "state": state, "total": sum(count for *_, count in counts), "follow_up": returned.clock_of(batch),
            "today": timezone.localdate(), "form": form, "confirm_form": ConfirmForm(),
            "may_explain": open_ and user.has_perm("records.add_batch") and any(s in (1, 2) for s, *_ in counts),
            "may_confirm": open_ and user.has_perm("records.commit_batch") and any(s == 3 for s, *_ in counts),
            "ticks": (1, 2) if user.has_perm("records.add_batch") else (3,),
        }  # fmt: skip
        return render(request, "admin/records/batch/returned.html", context, status=422 if form.errors else 200)

    def explain_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        batch, user = self._batch(request, pk), signed_in(request)
        if not preview.may_see_rows(batch, user):
            raise PermissionDenied("只有报送单位可以说明退回行。")
        form = ExplainForm(request.POST or None)
        if request.method != "POST":
            return redirect("admin:records_batch_returned", pk)
        if not form.is_valid():
            return self._returned(request, batch, user, form)
        data, rows = form.cleaned_data, _ticked(request)
        deed = lambda: returned.explain(pk, rows=rows, why=data["why"], note=data["note"], by=user)  # noqa: E731
        do_and_say(request, deed, "已说明，等候本单位审核员确认。")
        return redirect("admin:records_batch_returned", pk)

    def confirm_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        self._batch(request, pk)
        form = ConfirmForm(request.POST or None)
        if request.method == "POST":
            agree, rows, by = request.POST.get("agree") == "1", _ticked(request), signed_in(request)
            note = form.cleaned_data["note"] if form.is_valid() else ""
            deed = lambda: returned.confirm(pk, rows=rows, by=by, agree=agree, note=note)  # noqa: E731
            do_and_say(request, deed, "已确认，这些行不再跟办。" if agree else "已退回数据员。")
        return redirect("admin:records_batch_returned", pk)

    def receipt_view(self, request: HttpRequest, pk: int, kind: str) -> HttpResponse:
        """Hand over the receipt, the same file every time."""
        receipt = getattr(self._batch(request, pk), "receipt", None)
        if receipt is None or kind not in KINDS:
            raise Http404
        data = receipts.as_json(receipt) if kind == "json" else receipts.as_xlsx(receipt)
        name = f"{receipt.number}.{kind}"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return HttpResponse(data, content_type=KINDS[kind], headers=headers)

    def verify_view(self, request: HttpRequest) -> HttpResponse:
        """Say whether a receipt is ours and what became of its batch."""
        if not self.has_view_permission(request):
            raise PermissionDenied("您没有核验回执的职责。")
        posted = (request.POST, request.FILES) if request.method == "POST" else ()
        form, verdict, asked = VerifyForm(*posted), None, False
        if request.method == "POST" and form.is_valid():
            data, asked = form.cleaned_data, True
            try:
                file = data["file"]
                verdict = (
                    receipts.verify_file(file.read(receipts.MAX_BYTES + 1))
                    if file else receipts.verify_code(data["number"], data["code"])
                )  # fmt: skip
            except ValidationError as error:
                form.add_error("file", error)
                asked = False
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": "核验批次回执", "form": form, "asked": asked,
            "verdict": verdict, "lines": receipts.lines(verdict.receipt) if verdict else [],
        }  # fmt: skip
        return render(request, "admin/records/batch/verify.html", context, status=422 if form.errors else 200)


def _decide(request: HttpRequest, hold_id: int, *, by: User, agree: bool, note: str) -> None:
    hold = actions.decide_hold(hold_id, by=by, agree=agree, note=note)
    if not agree:
        messages.success(request, "不同意，已记录。")
    elif not hold.is_withdrawal:
        messages.success(request, "已放行，可以提交入库。")
    elif hold.batch.state == State.WITHDRAWN:
        messages.success(request, "已同意，批次已撤回。")
    else:
        messages.warning(request, "已同意；但涉及的比例比申请时更高，批次尚未撤回，请核对新的数字后再复核一次。")


def fetch_correction(batch: Batch, out: Any, request: HttpRequest) -> bool:
    """Write the correction workbook; say why where it is no longer to be had."""
    try:
        preview.write_correction(batch, out)
    except ValidationError as error:
        messages.error(request, sentence_of(error))
        return False
    return True


def _ticked(request: HttpRequest) -> list[int] | None:
    """Return the rows ticked, or None for all of them."""
    if request.POST.get("all") == "1":
        return None
    return [int(number) for number in request.POST.getlist("row") if number.isdecimal() and len(number) < 10]


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() and len(text) < 10 else None
