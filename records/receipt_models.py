"""The receipt of a batch: what it said the moment it went in, or ended without, sealed, the same for ever."""

from django.db import models
from django.db.models import Q

from accounts.models import User
from records.models import Batch


class BatchReceipt(models.Model):
    """A receipt (回执): counts, file, time and signer as they stood, under a keyed digest. No person is in it."""

    batch = models.OneToOneField(Batch, models.PROTECT, verbose_name="批次", related_name="receipt")
    content = models.JSONField("内容")
    sha256 = models.CharField("内容摘要", max_length=64, help_text="JSON 回执全文的 SHA-256")
    seal = models.BinaryField("带密钥摘要", editable=False)
    signed_by = models.ForeignKey(User, models.PROTECT, null=True, verbose_name="签发人", related_name="+")
    issued_at = models.DateTimeField("签发时间")

    class Meta:
        verbose_name = verbose_name_plural = "批次回执"
        db_table_comment = "append-only: one receipt per batch that went in or ended without"
        default_permissions = ()
        constraints = [
            models.CheckConstraint(condition=Q(sha256__regex=r"^[0-9a-f]{64}$"), name="batchreceipt_has_a_digest")
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def number(self) -> str:
        """Return the number of the receipt: HZ and that of its batch."""
        return f"HZ-{self.batch.number}"
