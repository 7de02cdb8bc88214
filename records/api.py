"""Batches by the API: departments' systems push records and follow what becomes of them.

The steps are those of an uploaded file (`records.actions`); what is shown is what the department's own page shows.
"""

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Any, BinaryIO

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import Http404, HttpResponse
from django.urls import reverse
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import ApiView, idempotency_key, once
from accounts.api_errors import Problem
from accounts.token_models import Scope
from catalogue.models import Item
from records import actions, api_docs, preview, receipts, volume
from records.api_bodies import LINES, WholeMultiPart, digest_of, length_of_file, most_bytes, refuse_too_large, take
from records.api_reading import answer_of, brief, own_batch, own_batches, rows_of
from records.api_shapes import BatchesAskedShape, DeliveryShape, LinesShape, ReasonedShape, RowsAskedShape
from records.models import Batch

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
LINES_NAME = "接口报送.jsonl"
CLEARED = "本批次的暂存行已按期清除，逐行的原因和更正件不再提供。"


@dataclass(frozen=True)
class Delivery:
    """What was sent: content, its SHA-256, what for."""

    stream: BinaryIO
    sha256: str
    name: str
    item: str
    all_or_none: bool

    @property
    def mode(self) -> Batch.Mode:
        return Batch.Mode.ALL_OR_NONE if self.all_or_none else Batch.Mode.GOOD_ROWS


class BatchesView(ApiView):
    """The organisation's batches, and the way in."""

    scopes = {"GET": Scope.READ_BATCHES, "POST": Scope.WRITE_BATCHES}
    parser_classes = [WholeMultiPart]

    @api_docs.list_batches
    def get(self, request: Request) -> Response:
        asked = _valid(BatchesAskedShape(data=request.query_params))
        found = own_batches(self.caller).order_by("-pk")
        if asked["before"]:
            found = found.filter(pk__lt=own_batch(asked["before"], self.caller).pk)
        if asked["state"]:
            found = found.filter(state=asked["state"])
        batches = list(found[: asked["limit"] + 1])
        shown = batches[: asked["limit"]]
        onward = f"?before={shown[-1].number}&limit={asked['limit']}" if len(batches) > len(shown) else ""
        onward += f"&state={asked['state']}" if onward and asked["state"] else ""
        return Response(
            {
                "batches": [brief(batch) for batch in shown],
                "next": f"{reverse('api_batches')}{onward}" if onward else None,
            }
        )

    @api_docs.deliver
    def post(self, request: Request) -> Response:
        idempotency_key(request)  # a call without one is refused before its body is read
        delivery = self._delivery(request)
        content = {"item": delivery.item, "mode": delivery.mode, "sha256": delivery.sha256}
        with delivery.stream:
            response = once(request, content, lambda: self._receive(delivery))
        response["Location"] = response.data["links"]["self"]
        return response

    def _delivery(self, request: Request) -> Delivery:
        """Take what was sent in either form. Raises Problem, ValidationError and UnsupportedMediaType of DRF."""
        content_type = (request.content_type or "").partition(";")[0].strip().lower()
        if content_type in LINES:
            asked = _valid(LinesShape(data=request.query_params))
            stream, sha256 = take(request._request)
            return Delivery(stream, sha256, LINES_NAME, asked["item"], asked["all_or_none"])
        if content_type != WholeMultiPart.media_type:
            raise UnsupportedMediaType(content_type)
        length_of_file(request._request)
        asked = _valid(DeliveryShape(data=request.data))
        file = asked["file"]
        if file.size > most_bytes():
            raise refuse_too_large()
        return Delivery(file, digest_of(file), file.name, asked["item"], asked["all_or_none"])

    def _receive(self, delivery: Delivery) -> tuple[int, dict[str, Any]]:
        item = Item.objects.filter(code=delivery.item).first()
        if item is None:
            errors = [{"field": "item", "message": "没有这个目录条目。"}]
            raise Problem(422, "A19", f"没有目录条目 {delivery.item}。", errors=errors)
        batch, is_new = actions.receive(
            delivery.stream, name=delivery.name, item=item, by=self.caller, channel=Batch.Channel.API,
            mode=delivery.mode,
        )  # fmt: skip
        if is_new:
            actions.start_checking(batch)
        return (202 if is_new else 200), answer_of(own_batch(batch.number, self.caller), self.caller)


class BatchView(ApiView):
    """A batch: state, counts, what to do next."""

    scopes = {"GET": Scope.READ_BATCHES}

    @api_docs.show_batch
    def get(self, request: Request, number: str) -> Response:
        return Response(answer_of(own_batch(number, self.caller), self.caller))


class RowsView(ApiView):
    """The rows that came back, with every reason."""

    scopes = {"GET": Scope.READ_BATCHES}

    @api_docs.show_rows
    def get(self, request: Request, number: str) -> Response:
        asked = _valid(RowsAskedShape(data=request.query_params))
        batch = own_batch(number, self.caller)
        if batch.cleared_at:
            raise Problem(410, "A20", CLEARED)
        return Response(rows_of(batch, outcome=asked["outcome"], after=asked["after"], limit=asked["limit"]))


class CorrectionView(ApiView):
    """The correction workbook."""

    scopes = {"GET": Scope.READ_BATCHES}

    @api_docs.fetch_correction
    def get(self, request: Request, number: str) -> HttpResponse:
        batch = own_batch(number, self.caller)
        if batch.cleared_at:
            raise Problem(410, "A20", CLEARED)
        if batch.state not in (Batch.State.CHECKED, Batch.State.COMMITTED):
            raise Problem(409, "A17", f"批次当前状态为“{batch.get_state_display()}”，没有更正件。")
        out = BytesIO()
        try:
            preview.write_correction(batch, out)
        except ValidationError as error:
            raise Problem(409, "A17", error.messages[0]) from None
        name = f'attachment; filename="correction-{batch.number}.xlsx"'
        return HttpResponse(out.getvalue(), content_type=XLSX, headers={"Content-Disposition": name})


class ReceiptView(ApiView):
    """The receipt."""

    scopes = {"GET": Scope.READ_BATCHES}

    @api_docs.fetch_receipt
    def get(self, request: Request, number: str) -> HttpResponse:
        receipt = getattr(own_batch(number, self.caller), "receipt", None)
        if receipt is None:
            raise Http404
        return HttpResponse(receipts.as_json(receipt), content_type="application/json")


class DeedView(ApiView):
    """A deed on a batch, done once for its Idempotency-Key."""

    def _do(self, request: Request, number: str, content: dict[str, Any], deed: Callable[[int], object]) -> Response:
        idempotency_key(request)
        batch = own_batch(number, self.caller)

        def done() -> tuple[int, dict[str, Any]]:
            deed(batch.pk)
            return 202, answer_of(own_batch(number, self.caller), self.caller)

        return once(request, content, done)


class CommitView(DeedView):
    """Putting in, where one hand may."""

    scopes = {"POST": Scope.COMMIT_BATCHES}

    @api_docs.commit
    def post(self, request: Request, number: str) -> Response:
        return self._do(request, number, {}, self._commit)

    def _commit(self, batch_id: int) -> None:
        try:
            with transaction.atomic():
                actions.request_commit(batch_id, by=self.caller)
        except PermissionDenied as reason:
            raise Problem(409, "A17", str(reason)) from None

    def _do(self, request: Request, number: str, content: dict[str, Any], deed: Callable[[int], object]) -> Response:
        # What is found unusual only now stays found, though the commit itself is refused and rolled back.
        volume.judge(own_batch(number, self.caller).pk)
        return super()._do(request, number, content, deed)


class WithdrawView(DeedView):
    """Taking a batch back."""

    scopes = {"POST": Scope.WITHDRAW_BATCHES}

    @api_docs.withdraw
    def post(self, request: Request, number: str) -> Response:
        reason = _valid(ReasonedShape(data=request.data))["reason"]
        by = self.caller
        return self._do(request, number, {"reason": reason}, lambda b: actions.withdraw(b, by=by, reason=reason))


class CancelView(DeedView):
    """Stopping a batch that has not gone in."""

    scopes = {"POST": Scope.WRITE_BATCHES}

    @api_docs.cancel
    def post(self, request: Request, number: str) -> Response:
        return self._do(request, number, {}, lambda batch_id: actions.cancel(batch_id, by=self.caller))


def _valid(shape: Any) -> dict[str, Any]:
    """Return what a shape takes of what was asked. Raises ValidationError of DRF."""
    shape.is_valid(raise_exception=True)
    data: dict[str, Any] = shape.validated_data
    return data
