"""The signed paper behind a consent: its scan, sealed, as the clerk entered it."""

from django.db import models
from django.db.models.functions import Now

from access.models import Consent
from accounts.models import User
from records.models import SealedFile


class ConsentPaperQuerySet(models.QuerySet["ConsentPaper"]):
    def visible_to(self, user: User) -> "ConsentPaperQuerySet":
        """Papers entered at the user's own counter."""
        if user.has_perm("access.check_consent") and user.organisation_id:
            return self.filter(consent__asked_by__organisation=user.organisation_id)
        return self.none()

    def waiting(self) -> "ConsentPaperQuerySet":
        """Papers that wait for the second pair of eyes."""
        return self.filter(consent__state=Consent.State.ENTERED)


class ConsentPaper(models.Model):
    """A paper form that a person signed. Good only once another officer has compared the scan with what was entered."""

    class Type(models.TextChoices):
        PDF = "pdf", "PDF"
        JPEG = "jpg", "JPEG"
        PNG = "png", "PNG"

    consent = models.OneToOneField(Consent, models.PROTECT, primary_key=True, verbose_name="授权", related_name="paper")
    file = models.ForeignKey(SealedFile, models.PROTECT, verbose_name="扫描件", related_name="+")
    type = models.CharField("文件类型", max_length=3, choices=Type)
    signed_on = models.DateField("签署日期")
    at = models.DateTimeField("录入时间", db_default=Now())

    objects = ConsentPaperQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "纸质授权书"
        db_table_comment = "append-only: the scan of every consent given on paper"
        ordering = ["-consent"]
        default_permissions = ()

    def __str__(self) -> str:
        return f"纸质授权书 {self.consent.number}"
