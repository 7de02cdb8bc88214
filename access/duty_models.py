"""The register of duties (职责事项): for which of its duties an organisation reads which items."""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.expressions import RawSQL

from accounts.models import Organisation, Region, User
from catalogue.models import Item, Proposal


class DutyItemQuerySet(models.QuerySet["DutyItem"]):
    def in_force(self) -> "DutyItemQuerySet":
        """Duties that answer today, by the database's own day."""
        today = RawSQL("cf_today()", [], output_field=models.DateField())
        open_ended = Q(valid_to__isnull=True) | Q(valid_to__gt=today)
        return self.filter(open_ended, state=DutyItem.State.IN_FORCE, valid_from__lte=today)

    def of(self, user: User) -> "DutyItemQuerySet":
        """Duties that a member of staff may register a reading for: those of their organisation, in force."""
        return self.in_force().filter(organisation=user.organisation_id) if user.organisation_id else self.none()


class DutyItem(Proposal):
    """A duty of an organisation with its legal basis and the items that it needs; one proposes, another confirms."""

    organisation = models.ForeignKey(Organisation, models.PROTECT, verbose_name="履职单位", related_name="duty_items")
    code = models.CharField("事项编码", max_length=40, help_text="权责清单或政务服务事项中的编码")
    name = models.CharField("事项名称", max_length=100)
    basis = models.CharField("法律依据", max_length=200, help_text="法规名称、条款")
    items = models.ManyToManyField(Item, verbose_name="履职需要的条目", related_name="+")
    region = models.ForeignKey(
        Region, models.PROTECT, null=True, blank=True, verbose_name="另行写明的区域", related_name="+",
        help_text="留空：只及本单位所在区域及其下辖。写明的，还及这个区域及其下辖，须写依据",
    )  # fmt: skip
    region_basis = models.CharField("扩大区域的依据", max_length=200, blank=True, help_text="法规名称、条款")
    valid_from = models.DateField("启用日期")
    valid_to = models.DateField("停用日期", null=True, blank=True, help_text="自这一天起不再适用")

    objects = DutyItemQuerySet.as_manager()

    class Meta(Proposal.Meta):
        verbose_name = verbose_name_plural = "职责事项"
        ordering = ["organisation", "code", "-valid_from", "-id"]
        default_permissions = ("view",)
        permissions = [("propose_dutyitem", "提出、停用职责事项"), ("confirm_dutyitem", "确认职责事项")]
        constraints = [
            *Proposal.Meta.constraints,
            ExclusionConstraint(
                name="dutyitem_in_force_do_not_overlap",
                expressions=[
                    ("organisation", RangeOperators.EQUAL),
                    ("code", RangeOperators.EQUAL),
                    (Func(F("valid_from"), F("valid_to"), Value("[)"), function="daterange"), RangeOperators.OVERLAPS),
                ],
                condition=Q(state="in_force"),
                violation_error_message="同一单位同一事项的现行登记有效期间不能重叠。",
            ),
            models.CheckConstraint(condition=~Q(basis="") & ~Q(code="") & ~Q(name=""), name="dutyitem_says_by_what_law"),
            models.CheckConstraint(
                condition=Q(valid_to__isnull=True) | Q(valid_to__gte=F("valid_from")),
                name="dutyitem_ends_after_it_begins",
                violation_error_message="停用日期不能早于启用日期。",
            ),
            models.CheckConstraint(
                condition=Q(region__isnull=True, region_basis="") | (Q(region__isnull=False) & ~Q(region_basis="")),
                name="dutyitem_says_why_it_reaches_further",
                violation_error_message="写明区域的，须写扩大区域的依据；不扩大的，两项都留空。",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.name}（{self.code}）"
