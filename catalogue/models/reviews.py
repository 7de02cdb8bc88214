"""What has to be there before an item may be in force: impact assessments, public consultation."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from accounts.models import User
from catalogue.models.items import ItemVersion


class ImpactAssessment(models.Model):
    """A personal-information impact assessment (PIPL art 55, 56; GB/T 39335-2020). Kept three years at least."""

    number = models.CharField("编号", max_length=40, unique=True, help_text="如 PIA-2026-0012")
    title = models.CharField("评估对象", max_length=120)
    purpose = models.TextField("处理目的、方式是否合法、正当、必要", max_length=2000)
    risks = models.TextField("对个人权益的影响及安全风险", max_length=2000)
    safeguards = models.TextField("保护措施是否合法、有效并与风险程度相适应", max_length=2000)
    passed = models.BooleanField("评估结论：可以处理", default=False)
    assessed_by = models.ForeignKey(User, models.PROTECT, editable=False, verbose_name="评估人", related_name="+")
    assessed_on = models.DateField("评估日期")
    valid_until = models.DateField("有效期至", help_text="最长三年；当天起须重新评估")
    reviewed_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, editable=False, verbose_name="复核人", related_name="+"
    )
    reviewed_on = models.DateField("复核日期", null=True, blank=True, editable=False)

    class Meta:
        verbose_name = verbose_name_plural = "影响评估"
        ordering = ["-assessed_on", "number"]
        constraints = [
            models.CheckConstraint(
                condition=Q(reviewed_by__isnull=True) | ~Q(reviewed_by=F("assessed_by")),
                name="impactassessment_reviewed_by_another",
                violation_error_message="评估人不能复核自己的评估。",
            ),
            models.CheckConstraint(
                condition=Q(valid_until__gt=F("assessed_on")), name="impactassessment_ends_after_it_begins",
                violation_error_message="有效期应晚于评估日期。",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.number} {self.title}"


class Consultation(models.Model):
    """A public consultation on a local item before it is adopted."""

    item_version = models.OneToOneField(
        ItemVersion, models.PROTECT, verbose_name="条目版本", related_name="consultation"
    )
    opened_on = models.DateField("开始日期")
    closes_on = models.DateField("截止日期", help_text="截止日当天仍可提意见")
    explanation = models.TextField("起草说明", max_length=2000)
    outcome = models.TextField("意见采纳情况", max_length=2000, blank=True)
    closed_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, editable=False, verbose_name="结束人", related_name="+"
    )
    closed_at = models.DateTimeField("结束时间", null=True, blank=True, editable=False)

    class Meta:
        verbose_name = verbose_name_plural = "征求意见"
        ordering = ["-opened_on", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True) | (Q(closed_by__isnull=False) & ~Q(outcome="")),
                name="consultation_closed_with_an_outcome",
                violation_error_message="请写明意见采纳情况。",
            )
        ]

    def __str__(self) -> str:
        return f"{self.item_version.name}征求意见"


class Comment(models.Model):
    """What somebody said in a consultation. Nothing about the person who said it is asked for."""

    consultation = models.ForeignKey(Consultation, models.PROTECT, verbose_name="征求意见", related_name="comments")
    text = models.TextField("意见", max_length=1000)
    at = models.DateTimeField("时间", db_default=Now())
    answer = models.TextField("答复", max_length=1000, blank=True)
    answered_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, editable=False, verbose_name="答复人", related_name="+"
    )

    class Meta:
        verbose_name = verbose_name_plural = "公众意见"
        ordering = ["id"]

    def __str__(self) -> str:
        return self.text[:30]
