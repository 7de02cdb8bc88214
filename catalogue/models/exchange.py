"""Spreadsheets of proposals that a department sent in: kept between preview and confirmation, and as a trail."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.models import User


class ItemImportQuerySet(models.QuerySet["ItemImport"]):
    def visible_to(self, user: User) -> "ItemImportQuerySet":
        """Sheets that the user sent in: they may hold drafts that nobody else has seen."""
        return self.filter(uploaded_by=user.pk)


class ItemImport(models.Model):
    """A sheet of proposals: what it would do is shown first, then done by the one who sent it."""

    name = models.CharField("文件名", max_length=200)
    sha256 = models.CharField("SHA-256", max_length=64)
    content = models.BinaryField("内容", editable=False)
    uploaded_by = models.ForeignKey(User, models.PROTECT, verbose_name="上传人", related_name="+")
    uploaded_at = models.DateTimeField("上传时间", db_default=Now())
    notes = models.JSONField("说明", default=list)
    outcome = models.JSONField("逐行结果", default=list)
    confirmed_at = models.DateTimeField("确认时间", null=True, blank=True)

    objects = ItemImportQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "导入修订"
        ordering = ["-id"]
        default_permissions = ()
        constraints = [
            models.CheckConstraint(condition=Q(sha256__regex=r"^[0-9a-f]{64}$"), name="itemimport_is_known_by_sha256")
        ]

    def __str__(self) -> str:
        return self.name

    def count(self, kind: str) -> int:
        """Return how many rows came out that way."""
        return sum(row["kind"] == kind for row in self.outcome)
