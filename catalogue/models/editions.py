"""Editions of the catalogue: what was published together, and what was retired with it."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from accounts.models import User
from catalogue.models.items import Item, ItemVersion


class Edition(models.Model):
    """A published edition (目录版本). Append-only: a mistake is put right by the next edition."""

    number = models.CharField("版本号", max_length=20, unique=True, help_text="如 FJ-2026-01")
    title = models.CharField("名称", max_length=120)
    published_on = models.DateField("发布日期")
    published_by = models.ForeignKey(User, models.PROTECT, verbose_name="发布人", related_name="+")
    note = models.CharField("说明", max_length=500, blank=True)
    earlier_notice = models.CharField(
        "原发布文号", max_length=120, blank=True, help_text="补录以前发布的版本时填写，发布日期可以早于今天"
    )
    previous = models.OneToOneField(
        "self", models.PROTECT, null=True, blank=True, verbose_name="上一版本", related_name="next"
    )
    digest = models.CharField("目录摘要 SHA-256", max_length=64)
    created_at = models.DateTimeField("入库时间", db_default=Now())

    class Meta:
        verbose_name = verbose_name_plural = "目录版本"
        db_table_comment = "append-only: what was published, by whom, when"
        ordering = ["-id"]
        permissions = [("publish_edition", "发布目录版本")]
        constraints = [
            models.CheckConstraint(condition=Q(digest__regex=r"^[0-9a-f]{64}$"), name="edition_is_sealed_by_a_digest"),
            models.CheckConstraint(condition=~Q(previous=F("id")), name="edition_follows_another"),
        ]

    def __str__(self) -> str:
        return f"{self.title}（{self.number}）"


class EditionEntry(models.Model):
    """One item as it stands in an edition."""

    edition = models.ForeignKey(Edition, models.PROTECT, verbose_name="目录版本", related_name="entries")
    item = models.ForeignKey(Item, models.PROTECT, verbose_name="条目", related_name="+")
    item_version = models.ForeignKey(ItemVersion, models.PROTECT, verbose_name="条目版本", related_name="entries")

    class Meta:
        verbose_name = verbose_name_plural = "目录版本的条目"
        db_table_comment = "append-only: what stands in each edition"
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["edition", "item"], name="editionentry_item_once_per_edition")]

    def __str__(self) -> str:
        return str(self.item_version)


class Retirement(models.Model):
    """An item that an edition takes out, and what becomes of its old records: decided with it, never left open."""

    class OldRecords(models.TextChoices):
        KEEP = "keep", "保留至各自期限届满"
        WITHDRAW = "withdraw", "停用之日起全部不再提供"

    edition = models.ForeignKey(Edition, models.PROTECT, verbose_name="目录版本", related_name="retirements")
    item = models.OneToOneField(Item, models.PROTECT, verbose_name="条目", related_name="retirement")
    effective_on = models.DateField("停用日期")
    old_records = models.CharField("已有记录", max_length=8, choices=OldRecords)
    reason = models.CharField("理由", max_length=300)

    class Meta:
        verbose_name = verbose_name_plural = "停用的条目"
        db_table_comment = "append-only: items taken out and what became of their records"
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=~Q(reason=""), name="retirement_has_a_reason", violation_error_message="请写明停用理由。"
            )
        ]

    def __str__(self) -> str:
        return f"{self.item.code} {self.get_old_records_display()}"
