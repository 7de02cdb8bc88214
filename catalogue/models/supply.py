"""Who must supply an item, since when and until when."""

from datetime import date

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.models import Organisation, User
from catalogue.models.items import Item


class SupplyAssignmentQuerySet(models.QuerySet["SupplyAssignment"]):
    def on(self, day: date) -> "SupplyAssignmentQuerySet":
        """Assignments that hold on a day."""
        return self.filter(effective__contains=day)

    def visible_to(self, user: User) -> "SupplyAssignmentQuerySet":
        """All to those who assign, one's own to the departments that deliver."""
        if user.has_perm("catalogue.assign_supplier"):
            return self
        if user.has_perm("catalogue.view_supplyassignment"):
            return self.filter(supplier=user.organisation_id)
        return self.none()


class SupplyAssignment(models.Model):
    """A duty to supply (报送任务). It is ended, never rewritten: what was owed stays owed."""

    item = models.ForeignKey(Item, models.PROTECT, verbose_name="条目", related_name="assignments")
    supplier = models.ForeignKey(Organisation, models.PROTECT, verbose_name="报送单位", related_name="assignments")
    effective = DateRangeField("起止日期", help_text="止日当天起不再报送")
    assigned_by = models.ForeignKey(User, models.PROTECT, editable=False, verbose_name="指定人", related_name="+")
    assigned_at = models.DateTimeField("指定时间", db_default=Now(), editable=False)
    reason = models.CharField("指定理由", max_length=300)
    ended_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, editable=False, verbose_name="结束人", related_name="+"
    )
    end_reason = models.CharField("结束理由", max_length=300, blank=True)

    objects = SupplyAssignmentQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "报送任务"
        ordering = ["item", "-effective"]
        default_permissions = ("view",)
        permissions = [("assign_supplier", "指定、结束报送单位")]
        constraints = [
            ExclusionConstraint(
                name="supplyassignment_once_at_a_time",
                expressions=[
                    ("item", RangeOperators.EQUAL), ("supplier", RangeOperators.EQUAL),
                    ("effective", RangeOperators.OVERLAPS),
                ],
                violation_error_message="这个单位在这段时间里已经承担该条目的报送。",
            ),
            models.CheckConstraint(
                condition=Q(effective__isempty=False, effective__startswith__isnull=False),
                name="supplyassignment_lasts_at_least_a_day",
                violation_error_message="请填写开始日期，结束日期须晚于开始日期。",
            ),
            models.CheckConstraint(
                condition=~Q(reason=""), name="supplyassignment_has_a_reason", violation_error_message="请写明指定的理由。"
            ),
            models.CheckConstraint(
                condition=Q(effective__endswith__isnull=True, ended_by__isnull=True, end_reason="")
                | (Q(effective__endswith__isnull=False, ended_by__isnull=False) & ~Q(end_reason="")),
                name="supplyassignment_ended_by_somebody_for_a_reason",
                violation_error_message="请写明结束的理由。",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.supplier}报送 {self.item.code}"
