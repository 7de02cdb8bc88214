"""What is usual for a delivery (数量规则), and batches held for a second look because they are not."""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Coalesce, Now

from accounts.models import Organisation, User
from catalogue.models import Item, Proposal
from records.models import Batch


class Measure(models.TextChoices):
    """What of a batch is measured. Shares are in percent."""

    ROWS = "rows", "每批行数"
    REFUSED = "refused", "退回行占本批的比例"
    CHANGED = "changed", "变更行占本批的比例"
    TOUCHED = "touched", "变更占现有记录的比例"
    WITHDRAWN = "withdrawn", "撤回占现有记录的比例"


class VolumeRule(Proposal):
    """A band outside which a batch is held. Bounds are fixed, or follow from the supplier's own earlier batches.

    Without item or supplier it is for all of them; the nearer rule answers. A rule without any bound says that nothing
    is measured. A change is a new version that one person of the credit office proposes and another confirms.
    """

    measure = models.CharField("指标", max_length=9, choices=Measure)
    item = models.ForeignKey(
        Item, models.PROTECT, null=True, blank=True, verbose_name="目录条目", related_name="volume_rules",
        help_text="不选为所有条目",
    )  # fmt: skip
    supplier = models.ForeignKey(
        Organisation, models.PROTECT, null=True, blank=True, verbose_name="报送单位", related_name="volume_rules",
        help_text="不选为所有报送单位",
    )  # fmt: skip
    low = models.DecimalField(
        "下限",
        max_digits=12,
        decimal_places=2,
        null=True,
        blank=True,
        help_text="低于此数须复核；行数填行，比例填百分数",
    )
    high = models.DecimalField(
        "上限",
        max_digits=12,
        decimal_places=2,
        null=True,
        blank=True,
        help_text="高于此数须复核；行数填行，比例填百分数",
    )
    factor = models.DecimalField(
        "按以往批次推算的倍数", max_digits=6, decimal_places=2, null=True, blank=True,
        help_text="只用于每批行数：没有填上下限的，按以往批次中位数的多少倍、多少分之一",
    )  # fmt: skip
    window = models.PositiveSmallIntegerField("取以往多少批", default=12)
    least = models.PositiveSmallIntegerField("至少有多少批才推算", default=6)
    floor = models.PositiveIntegerField("少于多少行不判断", default=200)
    basis = models.CharField("依据和理由", max_length=200)
    valid_from = models.DateField("启用日期")
    valid_to = models.DateField("停用日期", null=True, blank=True, help_text="自这一天起不再适用")

    class Meta(Proposal.Meta):
        verbose_name = verbose_name_plural = "数量规则"
        ordering = [
            "measure",
            F("item").asc(nulls_first=True),
            F("supplier").asc(nulls_first=True),
            "-valid_from",
            "-id",
        ]
        default_permissions = ("view",)
        permissions = [("propose_volumerule", "提出数量规则"), ("confirm_volumerule", "确认数量规则")]
        constraints = [
            *Proposal.Meta.constraints,
            ExclusionConstraint(
                name="volumerule_in_force_do_not_overlap",
                expressions=[
                    ("measure", RangeOperators.EQUAL),
                    (Coalesce("item", Value(0)), RangeOperators.EQUAL),
                    (Coalesce("supplier", Value(0)), RangeOperators.EQUAL),
                    (Func(F("valid_from"), F("valid_to"), Value("[)"), function="daterange"), RangeOperators.OVERLAPS),
                ],
                condition=Q(state="in_force"),
                violation_error_message="同一指标、条目和单位的现行规则有效期间不能重叠。",
            ),
            models.CheckConstraint(condition=~Q(basis=""), name="volumerule_says_why"),
            models.CheckConstraint(condition=Q(measure__in=Measure.values), name="volumerule_measure_is_known"),
            models.CheckConstraint(
                condition=Q(valid_to__isnull=True) | Q(valid_to__gt=F("valid_from")),
                name="volumerule_ends_after_it_begins",
                violation_error_message="停用日期须晚于启用日期。",
            ),
            models.CheckConstraint(
                condition=Q(low__isnull=True) | Q(high__isnull=True) | Q(low__lte=F("high")),
                name="volumerule_low_is_not_above_high",
                violation_error_message="下限不能高于上限。",
            ),
            models.CheckConstraint(
                condition=(Q(low__isnull=True) | Q(low__gte=0)) & (Q(high__isnull=True) | Q(high__gte=0)),
                name="volumerule_bounds_are_not_negative",
                violation_error_message="上下限不能为负数。",
            ),
            models.CheckConstraint(
                condition=Q(factor__isnull=True) | Q(measure="rows", factor__gt=1),
                name="volumerule_only_rows_follow_from_earlier_batches",
                violation_error_message="倍数只用于每批行数，并且须大于 1。",
            ),
            models.CheckConstraint(
                condition=Q(low__isnull=True) | Q(measure="rows"),
                name="volumerule_shares_have_no_low",
                violation_error_message="比例只设上限。",
            ),
            models.CheckConstraint(
                condition=Q(least__gte=3, window__gte=F("least"), window__lte=100),
                name="volumerule_derives_from_enough_batches",
                violation_error_message="至少按 3 批推算，并且不多于所取的批数；最多取 100 批。",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.get_measure_display()}：{self.band}"

    @property
    def band(self) -> str:
        """Return the bounds in words."""
        unit = " 行" if self.measure == Measure.ROWS else "%"
        fixed = [
            f"{word} {bound.normalize():,f}{unit}"
            for word, bound in (("不低于", self.low), ("不高于", self.high))
            if bound is not None
        ]
        if self.factor is not None and len(fixed) < 2:
            times = f"{self.factor.normalize():f}"
            fixed.append(f"近 {self.window} 批中位数的 1/{times} 至 {times} 倍（至少有 {self.least} 批）")
        return "，".join(fixed) or "不作判断"

    @property
    def scope(self) -> str:
        """Return for which deliveries it is, in words."""
        return (
            f"{self.item.code if self.item else '所有条目'}，{self.supplier.name if self.supplier else '所有报送单位'}"
        )


class BatchHoldQuerySet(models.QuerySet["BatchHold"]):
    def open(self) -> "BatchHoldQuerySet":
        """Those that nobody has decided, of batches that still can go on."""
        return self.filter(agreed__isnull=True).filter(
            Q(batch__state=Batch.State.CHECKED) & ~Q(measure=Measure.WITHDRAWN)
            | Q(batch__state=Batch.State.COMMITTED, measure=Measure.WITHDRAWN)
        )

    def to_decide_by(self, user: User) -> "BatchHoldQuerySet":
        """Open ones that this user, neither uploader nor asker, may decide."""
        if not user.organisation_id:
            return self.none()
        mine = self.open().filter(batch__supplier=user.organisation_id)
        looks = Q(pk__in=[])
        if user.has_perm("records.commit_batch"):
            looks |= ~Q(measure=Measure.WITHDRAWN) & ~Q(batch__uploaded_by=user)
        if user.has_perm("records.withdraw_batch"):
            looks |= Q(measure=Measure.WITHDRAWN) & ~Q(asked_by=user)
        return mine.filter(looks)


class BatchHold(models.Model):
    """Why a batch, or its withdrawal, waits for a second look: what was measured and what is usual (复核单)."""

    batch = models.ForeignKey(Batch, models.PROTECT, verbose_name="批次", related_name="holds")
    rule = models.ForeignKey(VolumeRule, models.PROTECT, verbose_name="规则", related_name="+")
    measure = models.CharField("指标", max_length=9, choices=Measure)
    affected = models.PositiveIntegerField("涉及行数")
    value = models.DecimalField("本次", max_digits=14, decimal_places=2)
    low = models.DecimalField("下限", max_digits=14, decimal_places=2, null=True)
    high = models.DecimalField("上限", max_digits=14, decimal_places=2, null=True)
    median = models.DecimalField("以往中位数", max_digits=14, decimal_places=2, null=True)
    earlier = models.PositiveSmallIntegerField("以往批数", default=0)
    made_at = models.DateTimeField("时间", db_default=Now())
    asked_by = models.ForeignKey(User, models.PROTECT, null=True, verbose_name="申请撤回", related_name="+")
    asked_reason = models.CharField("撤回理由", max_length=200, blank=True)
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, verbose_name="复核人", related_name="+")
    decided_at = models.DateTimeField("复核时间", null=True)
    agreed = models.BooleanField("放行", null=True)
    note = models.CharField("复核意见", max_length=200, blank=True)

    objects = BatchHoldQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "数量异常复核"
        db_table_comment = "written by the database: a batch outside what is usual waits for a second officer"
        ordering = ["id"]
        default_permissions = ()
        indexes = [models.Index(fields=["batch"], condition=Q(agreed__isnull=True), name="batchhold_open")]
        constraints = [
            models.CheckConstraint(
                condition=Q(agreed__isnull=True, decided_by__isnull=True, decided_at__isnull=True, note="")
                | (Q(agreed__isnull=False, decided_by__isnull=False, decided_at__isnull=False) & ~Q(note="")),
                name="batchhold_decided_by_somebody_for_a_reason",
                violation_error_message="请写明复核意见。",
            ),
            models.CheckConstraint(
                condition=Q(measure="withdrawn", asked_by__isnull=False) & ~Q(asked_reason="")
                | ~Q(measure="withdrawn") & Q(asked_by__isnull=True, asked_reason=""),
                name="batchhold_a_withdrawal_is_asked_for",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.sentence

    @property
    def is_withdrawal(self) -> bool:
        """Tell whether a withdrawal waits, not a commit."""
        return self.measure == Measure.WITHDRAWN

    @property
    def is_low(self) -> bool:
        """Tell whether it is less than usual, not more."""
        return self.low is not None and self.value < self.low

    @property
    def sentence(self) -> str:
        """Return what was found, in words and figures."""
        rows, share = f"{self.affected:,}", f"{self.value:,.1f}%"
        bound = self.low if self.is_low else self.high
        limit = "" if bound is None else f"{bound.normalize():,f}"
        if self.measure == Measure.ROWS:
            usual = f"近 {self.earlier} 批中位数 {self.median:,.0f} 行，" if self.median is not None else ""
            return f"本次 {rows} 行，{usual}{'少' if self.is_low else '多'}于 {limit} 行须复核"
        own = self.batch.changed + (self.batch.new if self.is_withdrawal else 0)
        others = "（连同 24 小时内的其他批次）" if self.affected > own else ""
        what = {
            Measure.REFUSED: f"退回 {rows} 行，占本批的 {share}",
            Measure.CHANGED: f"变更 {rows} 行，占本批的 {share}",
            Measure.TOUCHED: f"变更 {rows} 条{others}，占本单位该条目现有记录的 {share}",
            Measure.WITHDRAWN: f"撤回涉及 {rows} 条记录{others}，占本单位该条目现有记录的 {share}",
        }[Measure(self.measure)]
        return f"{what}，超过 {limit}% 须复核"
