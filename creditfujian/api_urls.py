"""Every address of /api/v1/. A change that would break a client gets /api/v2/ beside it: docs/api.md."""

from django.urls import path

from creditfujian.api_pages import console, docs, schema
from publicity import attestation_api as attestations
from publicity import usage_api as usage
from records import api as batches

urlpatterns = [
    path("schema/", schema, name="api_schema"),
    path("docs/", docs, name="api_docs"),
    path("docs/console/", console, name="api_console"),
    path("me/usage/", usage.UsageView.as_view(), name="api_usage"),
    path("me/usage/period/", usage.PeriodView.as_view(), name="api_usage_period"),
    path("me/usage/heartbeat/", usage.HeartbeatView.as_view(), name="api_usage_heartbeat"),
    path("me/attestations/", attestations.AttestationsView.as_view(), name="api_attestations"),
    path("batches/", batches.BatchesView.as_view(), name="api_batches"),
    path("batches/<str:number>/", batches.BatchView.as_view(), name="api_batch"),
    path("batches/<str:number>/rows/", batches.RowsView.as_view(), name="api_batch_rows"),
    path("batches/<str:number>/correction/", batches.CorrectionView.as_view(), name="api_batch_correction"),
    path("batches/<str:number>/receipt/", batches.ReceiptView.as_view(), name="api_batch_receipt"),
    path("batches/<str:number>/commit/", batches.CommitView.as_view(), name="api_batch_commit"),
    path("batches/<str:number>/withdraw/", batches.WithdrawView.as_view(), name="api_batch_withdraw"),
    path("batches/<str:number>/cancel/", batches.CancelView.as_view(), name="api_batch_cancel"),
]
