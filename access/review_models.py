"""The second look at readings: rules that say which lines of the log are looked at, the reviews, who read the log."""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, RangeOperators
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.expressions import RawSQL
from django.db.models.functions import Now

from access.models import Query
from accounts.models import Organisation, Person, User
from catalogue.models import Deadline, Proposal


class Sign(models.TextChoices):
    """What makes a reading worth a second look, before it (batches) or after: domain §7.6. None says that it was wrong."""

    NO_CASE = "no_case", "案件编号不像编号"
    UNRESOLVED = "unresolved", "案件编号查无下文"
    HOURLY = "hourly", "短时间打开多人档案"
    LISTED = "listed", "短时间列出、导出大量人员"
    NIGHT = "night", "夜间查询"
    MANY_UNITS = "many_units", "多个单位查同一人"
    REFUSED = "refused", "多次被拒绝"
    SAME_PLACE = "same_place", "同意授权后随即在同一网段使用"
    SAMPLE = "sample", "随机抽查"
    BATCH = "batch", "批量查询、导出先经复核"
    UNMASKED = "unmasked", "多次显示完整证件号码"
    URGENT = "urgent", "紧急查询"
    QUESTIONED = "questioned", "本人提出疑问"


VALUES = ("threshold", "hours", "share", "night_from", "night_until")
NEEDS: dict[Sign, tuple[str, ...]] = {  # which values each sign is said by; the others stay empty
    Sign.NO_CASE: (), Sign.UNRESOLVED: ("hours", "share"), Sign.HOURLY: ("threshold", "hours"),
    Sign.LISTED: ("threshold", "hours"), Sign.NIGHT: ("threshold", "night_from", "night_until"),
    Sign.MANY_UNITS: ("threshold", "hours"), Sign.REFUSED: ("threshold", "hours"), Sign.SAME_PLACE: ("hours",), Sign.SAMPLE: ("share",),
    Sign.BATCH: ("threshold",), Sign.UNMASKED: ("threshold", "hours"), Sign.URGENT: (), Sign.QUESTIONED: (),
}  # fmt: skip


class ReviewRule(Proposal):
    """When lines of the query log get a second look. A change is a new rule that one proposes and another confirms."""

    sign = models.CharField("情形", max_length=12, choices=Sign)
    threshold = models.PositiveIntegerField(
        "人数或次数", null=True, blank=True, help_text="人数超过、单位数和次数达到此数即核查"
    )
    hours = models.PositiveIntegerField("多少小时内", null=True, blank=True)
    share = models.DecimalField(
        "抽取比例（%）", max_digits=5, decimal_places=2, null=True, blank=True, help_text="在符合条件的查询中随机抽取"
    )
    night_from = models.TimeField("夜间自", null=True, blank=True)
    night_until = models.TimeField("夜间至", null=True, blank=True)
    basis = models.CharField("依据和理由", max_length=200)
    valid_from = models.DateField("启用日期")
    valid_to = models.DateField("停用日期", null=True, blank=True, help_text="自这一天起不再适用")

    class Meta(Proposal.Meta):
        verbose_name = verbose_name_plural = "查询核查规则"
        ordering = ["sign", "-valid_from", "-id"]
        default_permissions = ("view",)
        permissions = [("propose_reviewrule", "提出查询核查规则"), ("confirm_reviewrule", "确认查询核查规则")]
        constraints = [
            *Proposal.Meta.constraints,
            ExclusionConstraint(
                name="reviewrule_in_force_do_not_overlap",
                expressions=[
                    ("sign", RangeOperators.EQUAL),
                    (Func(F("valid_from"), F("valid_to"), Value("[)"), function="daterange"), RangeOperators.OVERLAPS),
                ],
                condition=Q(state="in_force"),
                violation_error_message="同一情形的现行规则有效期间不能重叠。",
            ),
            models.CheckConstraint(condition=~Q(basis=""), name="reviewrule_says_why"),
            models.CheckConstraint(condition=Q(sign__in=Sign.values), name="reviewrule_sign_is_known"),
            models.CheckConstraint(
                condition=Q(valid_to__isnull=True) | Q(valid_to__gt=F("valid_from")),
                name="reviewrule_ends_after_it_begins",
                violation_error_message="停用日期须晚于启用日期。",
            ),
            models.CheckConstraint(
                condition=Q(threshold__isnull=True) | Q(threshold__gte=1),
                name="reviewrule_threshold_is_a_number",
                violation_error_message="人数或次数至少为 1。",
            ),
            models.CheckConstraint(
                condition=Q(hours__isnull=True) | Q(hours__lte=8760),
                name="reviewrule_looks_back_a_year_at_most",
                violation_error_message="最多回看一年（8760 小时）。",
            ),
            models.CheckConstraint(
                condition=Q(share__isnull=True) | Q(share__gte=0, share__lte=100),
                name="reviewrule_share_is_a_share",
                violation_error_message="比例须在 0 与 100 之间。",
            ),
            *(
                models.CheckConstraint(
                    condition=~Q(sign=sign) | Q(**{f"{name}__isnull": name not in needed for name in VALUES}),
                    name=f"reviewrule_{sign}_says_what_it_needs",
                    violation_error_message="请按所选情形填写数值，其余留空。",
                )
                for sign, needed in NEEDS.items()
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.get_sign_display()}：{self.sentence}"

    @property
    def sentence(self) -> str:
        """Return the rule in words."""
        share = f"{self.share.normalize():f}%" if self.share is not None else ""
        return {
            Sign.NO_CASE: "案件编号没有数字，或者不足四个字",
            Sign.UNRESOLVED: f"登记 {self.hours} 小时后，系统内仍没有这一编号的文书，从中抽取 {share}",
            Sign.HOURLY: f"{self.hours} 小时内打开档案超过 {self.threshold} 人",
            Sign.LISTED: f"{self.hours} 小时内列出、导出超过 {self.threshold} 人次",
            Sign.NIGHT: f"{_clock(self.night_from)} 至次日 {_clock(self.night_until)} 查询 {self.threshold} 次以上",
            Sign.MANY_UNITS: f"{self.hours} 小时内有 {self.threshold} 个以上单位查询",
            Sign.REFUSED: f"{self.hours} 小时内被拒绝 {self.threshold} 次以上",
            Sign.SAME_PLACE: f"本人在网上同意后 {self.hours} 小时内，机构在同一网段使用授权",
            Sign.SAMPLE: f"每日随机抽取 {share}，每名查询人每月至少一次",
            Sign.BATCH: f"一次超过 {self.threshold} 人的，先由本单位另一名工作人员复核",
            Sign.UNMASKED: f"{self.hours} 小时内显示完整证件号码 {self.threshold} 次以上",
            Sign.URGENT: "每一次紧急查询，由单位负责人答复、审计员作出结论",
            Sign.QUESTIONED: "当事人在“谁查了我”里对这次查询提出疑问，先于其他核查单办理",
        }[Sign(self.sign)]


def _clock(time: object) -> str:
    return f"{time:%H:%M}" if time else ""


class Verdict(models.TextChoices):
    """What the unit found."""

    JUSTIFIED = "justified", "有依据"
    MISTAKEN = "mistaken", "操作失误，已改正"
    UNJUSTIFIED = "unjustified", "没有依据"


class AnomalyQuerySet(models.QuerySet["Anomaly"]):
    def to_answer_by(self, user: User) -> "AnomalyQuerySet":
        """Open ones that this user may answer: the database knows who."""
        if not user.has_perm("access.answer_anomaly"):
            return self.none()
        mine = RawSQL(
            "SELECT a.id FROM access_anomaly a WHERE a.state = 'open' AND (a.organisation_id = %s OR %s)"
            " AND access_may_answer(%s, a.id)",
            [user.organisation_id, user.has_perm("access.oversee_anomaly"), user.pk],
        )
        return self.filter(pk__in=mine)

    def to_close(self) -> "AnomalyQuerySet":
        """Answered ones that the auditor has not looked at."""
        return self.filter(state=Anomaly.State.ANSWERED)

    def to_review_by(self, user: User) -> "AnomalyQuerySet":
        """Closed ones whose person asked for a second look, that this user neither answered, closed nor read."""
        if not user.has_perm("access.oversee_anomaly"):
            return self.none()
        asked = self.filter(state=Anomaly.State.CLOSED, question__steps__deed="review")
        strangers = asked.exclude(question__steps__deed="reviewed").exclude(answered_by=user).exclude(closed_by=user)
        return strangers.exclude(models.Exists(_read_by(user)))

    def questions_first(self) -> "AnomalyQuerySet":
        """The open ones that a person asked about, then the others, the latest first."""
        first = Q(sign=Sign.QUESTIONED, state=Anomaly.State.OPEN)
        return self.order_by(models.Case(models.When(first, then=0), default=1), "-pk")

    def overdue(self) -> "AnomalyQuerySet":
        """Open ones whose time to answer is over."""
        late = Deadline.objects.overdue().of_outer(Anomaly)
        return self.filter(models.Exists(late), state=Anomaly.State.OPEN)

    def visible_to(self, user: User) -> "AnomalyQuerySet":
        """All for the auditor; for supervisors what they may answer or look at again, did so, or what others of their unit are under."""
        if user.has_perm("access.close_anomaly"):
            return self
        if not user.has_perm("access.answer_anomaly"):
            return self.none()
        mine = Q(organisation=user.organisation_id) | Q(answered_by=user)
        for more in (self.to_answer_by(user), self.to_review_by(user), self.filter(question__steps__by=user)):
            mine |= Q(pk__in=more.values("pk"))
        # An urgent reading is its reader's before the file was opened.
        own = models.Exists(_read_by(user)) | Q(actor=user)
        return self.filter(mine).exclude(own)


def _read_by(user: User) -> "models.QuerySet[AnomalyLine]":
    """Lines of the outer query's review that this user read."""
    own = Query.objects.filter(actor=user).values("seq")
    return AnomalyLine.objects.filter(anomaly=models.OuterRef("pk"), query_seq__in=own)


class Anomaly(models.Model):
    """Lines of the log that get a second look, and what came of it. Written by the database, from the log and the steps."""

    class State(models.TextChoices):
        OPEN = "open", "待单位答复"
        ANSWERED = "answered", "待审计办结"
        CLOSED = "closed", "已办结"

    rule = models.ForeignKey(ReviewRule, models.PROTECT, verbose_name="规则", related_name="+")
    sign = models.CharField("情形", max_length=12, choices=Sign)
    key = models.CharField(max_length=200, unique=True, editable=False)
    day = models.DateField("查询日期")
    actor = models.ForeignKey(User, models.PROTECT, null=True, verbose_name="查询人", related_name="+")
    actor_name = models.CharField("查询人姓名", max_length=60, blank=True)
    organisation = models.ForeignKey(Organisation, models.PROTECT, null=True, verbose_name="查询单位", related_name="+")
    person = models.ForeignKey(Person, models.PROTECT, null=True, editable=False, related_name="+")
    value = models.PositiveIntegerField("人数或次数")
    opened_at = models.DateTimeField("发起时间", db_default=Now())
    state = models.CharField("状态", max_length=8, choices=State, default=State.OPEN)
    verdict = models.CharField("结论", max_length=12, choices=Verdict, blank=True)
    answered_by = models.ForeignKey(User, models.PROTECT, null=True, verbose_name="答复人", related_name="+")
    closed_by = models.ForeignKey(User, models.PROTECT, null=True, verbose_name="办结人", related_name="+")

    objects = AnomalyQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "查询核查"
        db_table_comment = "append-only to the application, written by the database: lines of the log under review"
        ordering = ["-id"]
        default_permissions = ("view",)
        permissions = [
            ("answer_anomaly", "答复本单位的查询核查"),
            ("oversee_anomaly", "督办、代为答复查询核查"),
            ("close_anomaly", "办结查询核查"),
        ]
        indexes = [
            models.Index(fields=["organisation", "state"], name="anomaly_by_organisation"),
            models.Index(fields=["sign", "person", "day"], name="anomaly_by_person"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="open", verdict="", answered_by__isnull=True, closed_by__isnull=True)
                | (Q(state="answered", answered_by__isnull=False, closed_by__isnull=True) & ~Q(verdict=""))
                | (Q(state="closed", answered_by__isnull=False, closed_by__isnull=False) & ~Q(verdict="")),
                name="anomaly_state_fits_its_hands",
            ),
            models.CheckConstraint(
                condition=Q(closed_by__isnull=True) | ~Q(closed_by=F("answered_by")), name="anomaly_closed_by_another"
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.number

    @property
    def number(self) -> str:
        """Return the number that people quote: H, day of the readings, sequence."""
        return f"H{self.day:%Y%m%d}-{self.pk:06d}"


class AnomalyLine(models.Model):
    """One line of the query log under review."""

    anomaly = models.ForeignKey(Anomaly, models.PROTECT, related_name="lines")
    query_seq = models.BigIntegerField("日志序号")
    query_at = models.DateTimeField("查询时间")

    class Meta:
        verbose_name = verbose_name_plural = "被核查的查询"
        db_table_comment = "append-only, written by the database: which lines are under review"
        ordering = ["query_seq"]
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["anomaly", "query_seq"], name="anomalyline_once")]
        indexes = [models.Index(fields=["query_seq"], name="anomalyline_by_query")]

    def __str__(self) -> str:
        return f"日志第 {self.query_seq} 行"


class AnomalyStep(models.Model):
    """What somebody did in a review; the database moves the review by it."""

    class Deed(models.TextChoices):
        ANSWERED = "answered", "单位答复"
        RETURNED = "returned", "审计退回重新核实"
        CLOSED = "closed", "审计办结"

    anomaly = models.ForeignKey(Anomaly, models.PROTECT, related_name="steps")
    deed = models.CharField("办理", max_length=8, choices=Deed)
    verdict = models.CharField("结论", max_length=12, choices=Verdict, blank=True)
    text = models.CharField("说明", max_length=500)
    told = models.CharField("给当事人的答复", max_length=500, blank=True, db_default="")
    by = models.ForeignKey(User, models.PROTECT, verbose_name="办理人", related_name="+")
    at = models.DateTimeField("时间", db_default=Now())

    class Meta:
        verbose_name = verbose_name_plural = "核查经过"
        db_table_comment = "append-only: who answered, sent back and closed a review, and in which words"
        ordering = ["id"]
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=~Q(text=""), name="anomalystep_says_why", violation_error_message="请写明核实了什么。"
            ),
            models.CheckConstraint(
                condition=Q(deed="answered", verdict__in=Verdict.values)
                | Q(deed="closed", verdict__in=["", *Verdict.values])
                | Q(deed="returned", verdict=""),
                name="anomalystep_an_answer_has_a_verdict",
                violation_error_message="请选择核查结论。",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.get_deed_display()


class ReviewLook(models.Model):
    """How far a day of the log has been looked at for reviews."""

    day = models.DateField("日期")
    until = models.DateTimeField("看到")

    class Meta:
        verbose_name = verbose_name_plural = "核查进度"
        db_table_comment = "append-only, written by the database: how far each day of the log has been looked at"
        default_permissions = ()
        indexes = [models.Index(fields=["day"], name="reviewlook_by_day")]

    def __str__(self) -> str:
        return f"{self.day} 看到 {self.until}"


class LogReading(models.Model):
    """One reading of lines of a log: who, which lines, what for. The reviewers are watched as well."""

    class Log(models.TextChoices):
        QUERY = "query", "查询日志"
        CHANGES = "changes", "变更日志"

    log = models.CharField("日志", max_length=7, choices=Log, default=Log.QUERY, db_default=Log.QUERY)
    reader = models.ForeignKey(User, models.PROTECT, verbose_name="查看人", related_name="+")
    reader_name = models.CharField("姓名", max_length=60)
    organisation_name = models.CharField("单位", max_length=200)
    roles = models.CharField("角色", max_length=200)
    at = models.DateTimeField("时间", db_default=Now())
    reason = models.CharField("理由", max_length=200)
    terms = models.CharField("查找条件", max_length=500, blank=True)
    anomaly = models.ForeignKey(Anomaly, models.PROTECT, null=True, blank=True, verbose_name="核查单", related_name="+")
    seqs = ArrayField(models.BigIntegerField(), verbose_name="看到的日志行")

    class Meta:
        verbose_name = verbose_name_plural = "日志的查看记录"
        db_table_comment = "append-only: who read which lines of the query log and of the log of changes, and why"
        ordering = ["-id"]
        default_permissions = ("view",)
        indexes = [GinIndex(fields=["seqs"], name="logreading_by_line")]
        constraints = [
            models.CheckConstraint(condition=~Q(reason=""), name="logreading_says_why"),
            models.CheckConstraint(
                condition=Q(log="query") | Q(log="changes", anomaly__isnull=True), name="logreading_of_a_known_log"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reader_name}查看 {len(self.seqs)} 行"
