"""The catalogue of measures (失信惩戒措施清单): what may follow from a listing, on which basis, and who carries it out."""

from datetime import date

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.expressions import RawSQL
from django.db.models.functions import Now

from accounts.models import Organisation
from catalogue.models import Article, DeadlineRule, Proposal
from sanctions.roster_models import Roster

# Words of measures that would reach a person's family: schooling, marriage, kin.
FAMILY = r"升学|入学|就学|子女|配偶|父母|亲属|家属|家庭成员"


class MeasureQuerySet(models.QuerySet["Measure"]):
    def in_force(self, day: date) -> "MeasureQuerySet":
        """Measures that may be bound on a day: published, on a basis valid on that day.

        The rule itself is the database's function of the same name.
        """
        return self.filter(pk__in=RawSQL("SELECT sanctions_measures_in_force(%s)", [day]))


class Measure(Proposal):
    """A version of a measure (惩戒措施). It lasts as long as the listing that it follows from, never longer."""

    class Kind(models.TextChoices):
        """The three classes of the national list of measures (domain §2.3)."""

        REDUCES = "A", "A 类：减损权益或者增加义务"
        MANAGES = "B", "B 类：履职需要的管理措施"
        INFORMS = "C", "C 类：供社会组织自主参考"

    class Subject(models.TextChoices):
        """Whom a measure may reach: nobody but whom the decision names."""

        LISTED = "listed", "被列入的本人"
        RESPONSIBLE = "responsible", "被列入的责任人员本人"

    code = models.CharField("措施代码", max_length=20)
    version = models.PositiveSmallIntegerField("版次")
    name = models.CharField("措施名称", max_length=100)
    kind = models.CharField("类别", max_length=1, choices=Kind)
    content = models.TextField("惩戒内容", max_length=1000)
    subject = models.CharField("惩戒对象", max_length=11, choices=Subject, default=Subject.LISTED)
    basis = models.ForeignKey(Article, models.PROTECT, verbose_name="惩戒依据", related_name="+")
    implementer = models.ForeignKey(
        Organisation, models.PROTECT, null=True, blank=True, verbose_name="实施单位", related_name="+",
        help_text="C 类措施只提供信息，不设实施单位，任何机构没有实施的义务",
    )  # fmt: skip
    implementer_name = models.CharField(
        "实施主体", max_length=200, blank=True, help_text="照清单所列，例如“各级财政部门”"
    )
    proportionality = models.TextField("过惩相当的说明", max_length=1000)
    rosters: "models.ManyToManyField[Roster, MeasureRoster]" = models.ManyToManyField(
        Roster, through="MeasureRoster", verbose_name="适用名单", related_name="measures"
    )
    source = models.CharField("来源", max_length=200)
    confidence = models.CharField(
        "核实程度", max_length=3, choices=DeadlineRule.Confidence, default=DeadlineRule.Confidence.MEDIUM
    )
    verified = models.BooleanField("已对照原文核实", default=False)
    published_on = models.DateField("公布日期", null=True, blank=True, help_text="没有公布的措施不能实施")
    valid_from = models.DateField("启用日期")
    valid_to = models.DateField("停用日期", null=True, blank=True)
    created_at = models.DateTimeField("录入时间", db_default=Now(), editable=False)

    objects = MeasureQuerySet.as_manager()

    class Meta(Proposal.Meta):
        verbose_name = verbose_name_plural = "惩戒措施"
        ordering = ["code", "-version"]
        default_permissions = ("view",)
        constraints = [
            *Proposal.Meta.constraints,
            models.UniqueConstraint(fields=["code", "version"], name="measure_version_once_per_code"),
            models.UniqueConstraint(
                fields=["code"], condition=Q(state="draft"), name="measure_one_draft_per_code",
                violation_error_message="这项措施已有待确认的版本，请先确认或退回。",
            ),
            ExclusionConstraint(
                name="measure_in_force_do_not_overlap",
                expressions=[
                    ("code", RangeOperators.EQUAL),
                    (Func(F("valid_from"), F("valid_to"), Value("[)"), function="daterange"), RangeOperators.OVERLAPS),
                ],
                condition=Q(state="in_force"),
                violation_error_message="同一措施的现行版本有效期间不能重叠。",
            ),
            models.CheckConstraint(
                condition=Q(valid_to__isnull=True) | Q(valid_to__gt=F("valid_from")),
                name="measure_ends_after_it_begins", violation_error_message="停用日期须晚于启用日期。",
            ),
            models.CheckConstraint(
                condition=Q(kind="C", implementer__isnull=True, implementer_name="")
                | (Q(kind__in=["A", "B"]) & (Q(implementer__isnull=False) | ~Q(implementer_name=""))),
                name="measure_of_class_c_obliges_nobody",
                violation_error_message="C 类措施只供参考，不得设实施单位；A、B 类须写明实施单位。",
            ),
            models.CheckConstraint(
                condition=Q(subject__in=["listed", "responsible"]), name="measure_reaches_the_listed_only",
                violation_error_message="措施只能及于被列入的本人。",
            ),
            models.CheckConstraint(
                condition=~Q(name__regex=FAMILY) & ~Q(content__regex=FAMILY), name="measure_spares_the_family",
                violation_error_message="措施不得及于家庭成员，也不得限制升学。",
            ),
            models.CheckConstraint(
                condition=~Q(proportionality=""), name="measure_says_why_it_is_proportionate",
                violation_error_message="请写明过惩相当的理由。",
            ),
            models.CheckConstraint(
                condition=Q(published_on__isnull=True) | Q(published_on__lte=F("valid_from")),
                name="measure_published_before_it_runs", violation_error_message="公布日期不能晚于启用日期。",
            ),
            models.CheckConstraint(
                condition=~Q(state="in_force") | Q(published_on__isnull=False), name="measure_in_force_is_published",
                violation_error_message="没有公布的措施不能启用。",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.name}（{self.code}）"

    @property
    def carried_out_by(self) -> str:
        """Return who carries it out, in words."""
        if self.kind == self.Kind.INFORMS:
            return "无（供社会组织自主参考）"
        return str(self.implementer) if self.implementer else self.implementer_name


class MeasureRoster(models.Model):
    """A roster whose listings a measure may follow from. Entered with the measure's version, then fixed."""

    measure = models.ForeignKey(Measure, models.PROTECT, verbose_name="措施", related_name="roster_links")
    roster = models.ForeignKey(Roster, models.PROTECT, verbose_name="名单制度", related_name="measure_links")

    class Meta:
        verbose_name = verbose_name_plural = "措施适用名单"
        db_table_comment = "append-only: entered with the version of the measure"
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["measure", "roster"], name="measureroster_once_per_measure")]

    def __str__(self) -> str:
        return f"{self.measure} → {self.roster}"
