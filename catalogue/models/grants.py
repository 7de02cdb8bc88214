"""The register of grants (目录授权): which organisation may supply or query which item, until when, on what basis."""

from datetime import date, timedelta
from typing import Any

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce

from accounts.models import Organisation, User
from catalogue.models.deadlines import Proposal
from catalogue.models.items import Item

_TODAY = RawSQL("cf_today()", [], output_field=models.DateField())


class ItemGrantQuerySet(models.QuerySet["ItemGrant"]):
    def in_force(self) -> "ItemGrantQuerySet":
        """Grants that open something today, by the database's own day."""
        return self.with_end().filter(state=ItemGrant.State.IN_FORCE, valid_from__lte=_TODAY, end__gt=_TODAY)

    def overlapping(self, grant: "ItemGrant") -> "ItemGrantQuerySet":
        """Confirmed grants of the same thing with a day in common."""
        same = self.with_end().filter(
            state=ItemGrant.State.IN_FORCE, organisation=grant.organisation_id, item=grant.item_id,
            permission=grant.permission,
        )  # fmt: skip
        return same.filter(valid_from__lt=grant.valid_to, end__gt=grant.valid_from).exclude(end=F("valid_from"))

    def ending_within(self, days: int) -> "ItemGrantQuerySet":
        """Grants in force that end within so many days, and that no further row goes on from."""
        now: Any = self.in_force()
        soon = now.filter(end__lte=RawSQL("cf_today() + %s", [days], output_field=models.DateField()), ended_on=None)
        after = ItemGrant.objects.filter(
            organisation=models.OuterRef("organisation"), item=models.OuterRef("item"),
            permission=models.OuterRef("permission"), valid_from__gte=models.OuterRef("valid_to"), ended_on=None,
        ).exclude(state=ItemGrant.State.WITHDRAWN)  # fmt: skip
        return soon.filter(~models.Exists(after))

    def over(self) -> "ItemGrantQuerySet":
        """Grants that were in force and open nothing any more."""
        return self.with_end().filter(state=ItemGrant.State.IN_FORCE, end__lte=_TODAY)

    def with_end(self) -> Any:
        """Add the day from which each opens nothing, as `end`."""
        return self.annotate(end=Coalesce("ended_on", "valid_to"))

    def to_confirm_by(self, user: User) -> "ItemGrantQuerySet":
        """Grants that another asked for."""
        if not user.has_perm("catalogue.confirm_itemgrant"):
            return self.none()
        return self.filter(state=ItemGrant.State.DRAFT).exclude(proposed_by=user)

    def visible_to(self, user: User) -> "ItemGrantQuerySet":
        """All to those who keep or watch the register, one's own to the departments."""
        if user.has_perm("catalogue.view_all_itemgrants"):
            return self
        if user.has_perm("catalogue.view_itemgrant") and user.organisation_id:
            return self.filter(organisation=user.organisation_id)
        return self.none()


class ItemGrant(Proposal):
    """Leave for an organisation to supply or to query an item; one asks for it, another confirms, it ends by itself.

    What an application does follows the database's function `catalogue_granted_items`, which reads these rows.
    """

    class Permission(models.TextChoices):
        SUPPLY = "supply_item", "报送"
        QUERY = "query_item", "依职责查询"

    organisation = models.ForeignKey(Organisation, models.PROTECT, verbose_name="单位", related_name="item_grants")
    item = models.ForeignKey(Item, models.PROTECT, verbose_name="目录条目", related_name="grants")
    permission = models.CharField("授权事项", max_length=12, choices=Permission)
    basis = models.CharField("法律依据", max_length=200, help_text="法规名称、条款，或者目录条目")
    reason = models.CharField("理由", max_length=300)
    valid_from = models.DateField("起始日期")
    valid_to = models.DateField("截止日期", help_text="自这一天起失效；需要继续的另行续期")
    renews = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, editable=False, verbose_name="所续授权", related_name="renewals"
    )
    ended_on = models.DateField("收回日期", null=True, blank=True, editable=False)
    ended_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, editable=False, verbose_name="收回人", related_name="+"
    )
    ended_at = models.DateTimeField("收回时间", null=True, blank=True, editable=False)
    end_reason = models.CharField("收回理由", max_length=300, blank=True, editable=False)

    objects = ItemGrantQuerySet.as_manager()

    class Meta(Proposal.Meta):
        verbose_name = verbose_name_plural = "目录授权"
        ordering = ["organisation", "item", "permission", "-valid_from", "-id"]
        default_permissions = ("view",)
        permissions = [
            ("view_all_itemgrants", "查看全部目录授权"),
            ("propose_itemgrant", "申请目录授权"),
            ("confirm_itemgrant", "确认目录授权"),
            ("end_itemgrant", "收回目录授权"),
        ]
        indexes = [
            models.Index(
                fields=["organisation", "permission"], condition=Q(state="in_force"), name="itemgrant_in_force"
            )
        ]
        constraints = [
            *Proposal.Meta.constraints,
            ExclusionConstraint(
                name="itemgrant_in_force_do_not_overlap",
                expressions=[
                    ("organisation", RangeOperators.EQUAL),
                    ("item", RangeOperators.EQUAL),
                    ("permission", RangeOperators.EQUAL),
                    (
                        Func(F("valid_from"), Coalesce("ended_on", "valid_to"), Value("[)"), function="daterange"),
                        RangeOperators.OVERLAPS,
                    ),
                ],
                condition=Q(state="in_force"),
                violation_error_message="这个单位在这段时间里已有该条目的同一授权。",
            ),
            models.CheckConstraint(
                condition=~Q(basis="") & ~Q(reason=""), name="itemgrant_says_on_what_basis_and_why",
                violation_error_message="请写明法律依据和理由。",
            ),
            models.CheckConstraint(
                condition=Q(valid_to__gt=F("valid_from")), name="itemgrant_ends_after_it_begins",
                violation_error_message="截止日期须晚于起始日期。",
            ),
            models.CheckConstraint(
                condition=Q(ended_on__isnull=True, ended_by__isnull=True, ended_at__isnull=True, end_reason="")
                | (
                    Q(ended_on__isnull=False, ended_by__isnull=False, ended_at__isnull=False)
                    & ~Q(end_reason="")
                    & Q(ended_on__gte=F("valid_from"), ended_on__lte=F("valid_to"))
                ),
                name="itemgrant_taken_back_by_somebody_for_a_reason",
                violation_error_message="请写明收回的理由。",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.organisation}{self.get_permission_display()} {self.item}"

    def state_on(self, day: date) -> str:
        """Say in a word where the grant stands on a day."""
        if self.state != self.State.IN_FORCE:
            return self.get_state_display()
        if self.ended_on is not None and self.ended_on <= day:
            return "已收回"
        if self.valid_to <= day:
            return "已到期"
        return "未开始" if self.valid_from > day else "现行"

    @property
    def last_day(self) -> date:
        """The last day on which it opens something."""
        return (self.ended_on or self.valid_to) - timedelta(days=1)
