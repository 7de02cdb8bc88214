"""The papers that a reading for somebody else, or for a court, rests on: their scan, sealed, as it came."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from access.models import Authority, OfficialLetter
from records.consent_models import ConsentPaper
from records.models import SealedFile


class GroundPaper(models.Model):
    """The scan of a power of attorney, of proofs of kinship and death, or of a letter: one file for each ground."""

    authority = models.OneToOneField(
        Authority, models.PROTECT, null=True, verbose_name="代理人、近亲属查询", related_name="paper"
    )
    letter = models.OneToOneField(OfficialLetter, models.PROTECT, null=True, verbose_name="公函", related_name="paper")
    file = models.ForeignKey(SealedFile, models.PROTECT, verbose_name="扫描件", related_name="+")
    type = models.CharField("文件类型", max_length=3, choices=ConsentPaper.Type)
    at = models.DateTimeField("收件时间", db_default=Now())

    class Meta:
        verbose_name = verbose_name_plural = "查询依据材料"
        db_table_comment = "append-only: the scans that readings for others and for courts rest on"
        ordering = ["-id"]
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=Q(authority__isnull=False, letter__isnull=True) | Q(authority__isnull=True, letter__isnull=False),
                name="groundpaper_is_of_one_ground",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"查询依据材料 {self.pk}"
