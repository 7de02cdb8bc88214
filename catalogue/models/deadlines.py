"""The working-day calendar by official editions, the deadlines of domain §12, and the clocks that run by them."""

from datetime import date
from typing import TYPE_CHECKING, Any

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Cast, Now
from django.utils import timezone

from accounts.models import User
from creditfujian.lib import workdays

if TYPE_CHECKING:
    from creditfujian.lib.workdays import Calendar, Due


class Proposal(models.Model):
    """What one person of the credit office proposes and another confirms; the arrows are held by a trigger."""

    class State(models.TextChoices):
        DRAFT = "draft", "待确认"
        IN_FORCE = "in_force", "现行"
        SUPERSEDED = "superseded", "已被新版替代"
        WITHDRAWN = "withdrawn", "已退回"

    state = models.CharField("状态", max_length=10, choices=State, default=State.DRAFT)
    proposed_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, verbose_name="提出人", related_name="+",
        help_text="随系统载入的数据没有提出人和确认人",
    )  # fmt: skip
    proposed_at = models.DateTimeField("提出时间", default=timezone.now)
    confirmed_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, verbose_name="确认人", related_name="+"
    )
    confirmed_at = models.DateTimeField("确认时间", null=True, blank=True)
    withdrawn_reason = models.CharField("退回理由", max_length=200, blank=True)

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                condition=Q(confirmed_by__isnull=True) | ~Q(confirmed_by=F("proposed_by")),
                name="%(class)s_confirmed_by_another",
                violation_error_message="提出人不能确认自己提出的内容，须由另一名工作人员确认。",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["draft", "withdrawn"], confirmed_at__isnull=True)
                | Q(state__in=["in_force", "superseded"], confirmed_at__isnull=False),
                name="%(class)s_in_force_means_confirmed",
            ),
            models.CheckConstraint(
                condition=~Q(state="withdrawn") | ~Q(withdrawn_reason=""), name="%(class)s_withdrawn_with_a_reason"
            ),
        ]

    @property
    def is_draft(self) -> bool:
        return self.state == self.State.DRAFT


class CalendarEdition(Proposal):
    """The State Council's notice for one year, as entered. A confirmed edition changes only by a newer one."""

    year = models.PositiveSmallIntegerField("年度")
    number = models.PositiveSmallIntegerField("版次")
    notice_no = models.CharField("通知文号", max_length=80, help_text="如 国办发明电〔2025〕7号")
    source = models.CharField("来源", max_length=200)
    source_url = models.URLField("来源网址", blank=True)

    class Meta(Proposal.Meta):
        verbose_name = verbose_name_plural = "工作日历"
        ordering = ["-year", "-number"]
        permissions = [("propose_calendar", "提出年度工作日历"), ("confirm_calendar", "确认年度工作日历")]
        constraints = [
            *Proposal.Meta.constraints,
            models.UniqueConstraint(fields=["year", "number"], name="calendaredition_number_once_per_year"),
            models.UniqueConstraint(
                fields=["year"], condition=Q(state="in_force"), name="calendaredition_one_in_force_per_year"
            ),
            models.UniqueConstraint(
                fields=["year"], condition=Q(state="draft"), name="calendaredition_one_draft_per_year",
                violation_error_message="这一年已有待确认的日历，请先确认或退回。",
            ),
            models.CheckConstraint(condition=Q(year__gte=2000, year__lte=2099), name="calendaredition_year_is_ours"),
            models.CheckConstraint(condition=~Q(notice_no=""), name="calendaredition_has_a_notice"),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.year} 年工作日历（第 {self.number} 版）"


class CalendarDay(models.Model):
    """A day on which the notice differs from Monday to Friday: a weekday off, or a weekend day worked."""

    edition = models.ForeignKey(CalendarEdition, models.PROTECT, verbose_name="日历", related_name="days")
    date = models.DateField("日期")
    is_workday = models.BooleanField("上班")
    name = models.CharField("名称", max_length=40, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "放假和调休上班日"
        ordering = ["date"]
        db_table_comment = "append-only: a confirmed edition changes only by a newer edition of the same year"
        constraints = [
            models.UniqueConstraint(fields=["edition", "date"], name="calendarday_once_per_edition"),
            models.CheckConstraint(
                condition=Q(is_workday=False, date__iso_week_day__lte=5)
                | Q(is_workday=True, date__iso_week_day__gte=6),
                name="calendarday_differs_from_monday_to_friday",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.date} {'班' if self.is_workday else '休'} {self.name}".rstrip()


class DeadlineRuleQuerySet(models.QuerySet["DeadlineRule"]):
    def in_force(self, day: date) -> "DeadlineRuleQuerySet":
        """Rules that answer for a day."""
        until = Q(valid_to__isnull=True) | Q(valid_to__gt=day)
        return self.filter(until, state=DeadlineRule.State.IN_FORCE, valid_from__lte=day)


class DeadlineRule(Proposal):
    """One row of domain §12 for a time. A change is a new version with a date, never an edit."""

    class Unit(models.TextChoices):
        WORKING_DAY = "WD", "个工作日"
        NATURAL_DAY = "ND", "日"
        MONTH = "MO", "个月"

    class Owner(models.TextChoices):
        PROVIDER = "PROVIDER", "信源单位"
        PLATFORM = "PLATFORM", "平台"
        SUBJECT = "SUBJECT", "当事人"
        DECIDER = "DECIDER", "认定单位"
        ALL = "ALL", "各有关单位"
        COURT = "COURT", "人民法院"
        AUTHORITY = "AUTHORITY", "主管机关"
        PERSON = "PERSON", "被征求意见的人"
        CREDIT_OFFICE = "OFFICE", "省信用办"

    class Confidence(models.TextChoices):
        """The tags of domain §12."""

        HIGH = "H", "已核对"
        MEDIUM = "M", "待核对"
        LOW_MEDIUM = "L-M", "未核实"
        DESIGN = "D", "本站设定"

    class InDoubt(models.TextChoices):
        """Which date stands when the official calendar and the provisional one differ: always the person's better."""

        LATER = "later", "取较晚（留给当事人的时间）"
        EARLIER = "earlier", "取较早（机关的职责和对当事人的限制）"

    code = models.CharField("代码", max_length=4)
    version = models.PositiveSmallIntegerField("版次")
    what = models.CharField("事项", max_length=100)
    n = models.PositiveSmallIntegerField("期限")
    n_min = models.PositiveSmallIntegerField("最短期限", null=True, blank=True, help_text="有上下限的期限填下限")
    n_extra = models.PositiveSmallIntegerField(
        "可延长", null=True, blank=True, help_text="只能延长一次；不可延长则留空"
    )
    unit = models.CharField("单位", max_length=2, choices=Unit)
    starts = models.CharField("起算点", max_length=60)
    owner = models.CharField("责任方", max_length=9, choices=Owner)
    basis = models.CharField("依据", max_length=200)
    source = models.CharField("来源", max_length=120)
    confidence = models.CharField("核实程度", max_length=3, choices=Confidence, default=Confidence.MEDIUM)
    strict = models.PositiveSmallIntegerField(
        "本站从严执行", null=True, blank=True, help_text="与法定期限同单位；留空表示本站不设"
    )
    note = models.CharField("说明", max_length=200, blank=True)
    in_doubt = models.CharField("暂定与正式日期不一致时", max_length=7, choices=InDoubt)
    rolls = models.BooleanField(
        "末日逢休息日顺延", default=True, help_text="公示期、保存期不是行为期限，不顺延；按工作日计算的期限不受影响"
    )
    verified = models.BooleanField("已对照原文核实", default=False)
    valid_from = models.DateField("启用日期")
    valid_to = models.DateField("停用日期", null=True, blank=True, help_text="自这一天起不再适用")

    objects = DeadlineRuleQuerySet.as_manager()

    class Meta(Proposal.Meta):
        verbose_name = verbose_name_plural = "时限规则"
        ordering = ["code", "-version"]
        permissions = [("propose_deadlinerule", "提出时限规则新版本"), ("confirm_deadlinerule", "确认时限规则新版本")]
        constraints = [
            *Proposal.Meta.constraints,
            models.UniqueConstraint(fields=["code", "version"], name="deadlinerule_version_once_per_code"),
            models.UniqueConstraint(
                fields=["code"], condition=Q(state="draft"), name="deadlinerule_one_draft_per_code",
                violation_error_message="这项时限已有待确认的新版本，请先确认或退回。",
            ),
            ExclusionConstraint(
                name="deadlinerule_in_force_do_not_overlap",
                expressions=[
                    ("code", RangeOperators.EQUAL),
                    (Func(F("valid_from"), F("valid_to"), Value("[)"), function="daterange"), RangeOperators.OVERLAPS),
                ],
                condition=Q(state="in_force"),
                violation_error_message="同一时限的现行版本有效期间不能重叠。",
            ),
            models.CheckConstraint(
                condition=Q(valid_to__isnull=True) | Q(valid_to__gt=F("valid_from")),
                name="deadlinerule_ends_after_it_begins",
                violation_error_message="停用日期须晚于启用日期。",
            ),
            models.CheckConstraint(condition=Q(code__regex=r"^D\d{2,3}$"), name="deadlinerule_code_has_its_shape"),
            models.CheckConstraint(condition=Q(unit__in=["WD", "ND", "MO"]), name="deadlinerule_unit_is_known"),
            models.CheckConstraint(
                condition=Q(n_min__isnull=True) | Q(n_min__lte=F("n")),
                name="deadlinerule_min_is_not_above_max",
                violation_error_message="最短期限不能长于期限。",
            ),
            models.CheckConstraint(
                condition=Q(n_extra__isnull=True) | (Q(n_extra__gt=0) & ~Q(unit="MO")),
                name="deadlinerule_extension_is_in_days",
                violation_error_message="可延长的期限须按日或工作日计算，且不为零。",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.code} {self.what}（{self.period}）"

    @property
    def period(self) -> str:
        """Return the period in words."""
        span = f"{self.n_min}—{self.n}" if self.n_min is not None else str(self.n)
        extra = f"，可延长一次 {self.n_extra} {self.get_unit_display()}" if self.n_extra else ""
        return f"{span} {self.get_unit_display()}{extra}"

    def due(self, start: date, calendar: "Calendar", *, strict: bool = False) -> "Due":
        """Return the last day of the period that starts with an event on that day. Raises BeyondCalendar."""
        n = self.strict if strict and self.strict is not None else self.n
        return workdays.due(start, n, workdays.Unit(self.unit), calendar, rolls=self.rolls)

    def better_for_the_person(self, one: date, other: date) -> date:
        """Return which of two possible last days stands."""
        return max(one, other) if self.in_doubt == self.InDoubt.LATER else min(one, other)


class DeadlineQuerySet(models.QuerySet["Deadline"]):
    def of(self, subject: models.Model) -> "DeadlineQuerySet":
        """Clocks of one case, listing or whatever else was started on."""
        return self.filter(subject_type=subject._meta.label_lower, subject_id=str(subject.pk))

    def of_outer(self, model: type[models.Model]) -> "DeadlineQuerySet":
        """Clocks of the row of an outer query over a model: for lists, in place of a query per row."""
        return self.filter(
            subject_type=model._meta.label_lower, subject_id=Cast(models.OuterRef("pk"), models.CharField())
        )

    def days_of(self, model: type[models.Model]) -> dict[str, Any]:
        """What a list of a model adds to each row in the same query: `due_on` and `due_provisional` of the first clock that
        nobody has met, and `is_overdue`."""
        clocks = self.of_outer(model).filter(met_on__isnull=True).order_by("due_on", "pk")
        return {
            "due_on": models.Subquery(clocks.values("due_on")[:1]),
            "due_provisional": models.Subquery(clocks.values("provisional")[:1]),
            "is_overdue": models.Exists(clocks.overdue()),
        }

    def running(self) -> "DeadlineQuerySet":
        """Clocks that are neither met nor paused."""
        return self.filter(met_on__isnull=True, paused_on__isnull=True)

    def overdue(self, day: date | None = None) -> "DeadlineQuerySet":
        """Running clocks whose last day is over."""
        return self.running().filter(due_on__lt=day or timezone.localdate())


class Deadline(models.Model):
    """A clock that a case, a batch or an objection is under. Its end decides nothing: it only escalates."""

    rule = models.ForeignKey(DeadlineRule, models.PROTECT, verbose_name="时限", related_name="clocks")
    subject_type = models.CharField("对象类别", max_length=60, editable=False)
    subject_id = models.CharField("对象编号", max_length=40, editable=False)
    subject_label = models.CharField("对象", max_length=100, help_text="办件编号等，不写个人姓名和证件号码")
    started_on = models.DateField("起算日")
    due_on = models.DateField("届满日")
    provisional = models.BooleanField("暂定", default=False, help_text="跨入尚无官方日历的年度，日历确认后重算")
    edition = models.ForeignKey(
        CalendarEdition, models.PROTECT, null=True, blank=True, verbose_name="所据日历", related_name="+"
    )
    counted_from = models.DateField("本段起算日", editable=False)
    counted = models.PositiveSmallIntegerField("本段期限", editable=False)
    counted_unit = models.CharField("本段单位", max_length=2, choices=DeadlineRule.Unit, editable=False)
    paused_on = models.DateField("中止日", null=True, blank=True)
    pause_reason = models.CharField("中止理由", max_length=200, blank=True)
    paused_days = models.PositiveSmallIntegerField("累计中止天数", default=0)
    extended_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, verbose_name="批准延长", related_name="+"
    )
    extended_until = models.DateField("延长至", null=True, blank=True)
    extension_reason = models.CharField("延长理由", max_length=200, blank=True)
    met_on = models.DateField("办结日", null=True, blank=True)
    escalated_at = models.DateTimeField("督办时间", null=True, blank=True)
    created_at = models.DateTimeField("登记时间", db_default=Now(), editable=False)

    objects = DeadlineQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "期限台账"
        ordering = ["due_on", "pk"]
        indexes = [
            models.Index(fields=["subject_type", "subject_id"], name="deadline_subject"),
            models.Index(fields=["due_on"], condition=Q(met_on__isnull=True), name="deadline_open_by_due"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["rule", "subject_type", "subject_id"], condition=Q(met_on__isnull=True),
                name="deadline_one_open_clock_of_a_kind", violation_error_message="同一对象的这项期限已在计时。",
            ),
            models.CheckConstraint(condition=Q(due_on__gte=F("started_on")), name="deadline_due_not_before_start"),
            models.CheckConstraint(
                condition=Q(met_on__isnull=True) | Q(met_on__gte=F("started_on")), name="deadline_met_not_before_start"
            ),
            models.CheckConstraint(
                condition=Q(paused_on__isnull=True)
                | (Q(paused_on__gte=F("started_on"), met_on__isnull=True) & ~Q(pause_reason="")),
                name="deadline_paused_with_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(extended_until__isnull=True, extended_by__isnull=True, extension_reason="")
                | (Q(extended_until__isnull=False, extended_by__isnull=False) & ~Q(extension_reason="")),
                name="deadline_extended_by_somebody_for_a_reason",
            ),
            models.CheckConstraint(
                condition=~Q(provisional=True) | Q(edition__isnull=True), name="deadline_provisional_has_no_edition"
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.rule.code} {self.subject_label}：{self.due_text}"

    @property
    def due_text(self) -> str:
        """Return the last day in words, with the mark of a provisional one."""
        return f"{self.due_on:%Y-%m-%d}{'（暂定）' if self.provisional else ''}"

    def is_overdue(self, day: date | None = None) -> bool:
        """Tell whether the last day is over and nobody has met it."""
        return self.met_on is None and self.paused_on is None and self.due_on < (day or timezone.localdate())
