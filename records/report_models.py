"""Credit reports issued: to the person online, at the counter to the person with their card in hand."""

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from accounts.models import Organisation, Person, User
from records.models import SealedFile, mod_37_36


class CounterRequestQuerySet(models.QuerySet["CounterRequest"]):
    def visible_to(self, user: User) -> "CounterRequestQuerySet":
        """Requests at the user's own counter."""
        if user.has_perm("records.print_report") and user.organisation_id:
            return self.filter(organisation=user.organisation_id)
        return self.none()

    def open(self) -> "CounterRequestQuerySet":
        """Requests that wait for the second officer and have not run out."""
        return self.filter(state=CounterRequest.State.WAITING, expires_at__gt=timezone.now())


class CounterRequest(models.Model):
    """Somebody stands at the counter with their card and wants their report (Q2): one officer checks, another confirms."""

    class State(models.TextChoices):
        WAITING = "waiting", "待第二人核对"
        ISSUED = "issued", "已出具"
        REFUSED = "refused", "已退回"

    person = models.ForeignKey(Person, models.PROTECT, verbose_name="当事人", related_name="+")
    asked_by = models.ForeignKey(User, models.PROTECT, verbose_name="经办人", related_name="+")
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, verbose_name="核对人", related_name="+")
    organisation = models.ForeignKey(Organisation, models.PROTECT, verbose_name="窗口", related_name="+")
    state = models.CharField("状态", max_length=8, choices=State, default=State.WAITING)
    reason = models.CharField("退回理由", max_length=200, blank=True)
    asked_at = models.DateTimeField("提出时间", default=timezone.now)
    expires_at = models.DateTimeField("有效至")
    decided_at = models.DateTimeField("核对时间", null=True)

    objects = CounterRequestQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "窗口出具报告"
        ordering = ["-id"]
        default_permissions = ("view", "add")
        permissions = [("print_report", "窗口核对并打印信用报告")]
        indexes = [models.Index(fields=["organisation", "-id"], name="counterrequest_by_counter")]
        constraints = [
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("asked_at"), expires_at__lte=F("asked_at") + models.Value("1 day")),
                name="counterrequest_is_short_lived",
            ),
            models.CheckConstraint(
                condition=Q(state="waiting", decided_by__isnull=True, decided_at__isnull=True)
                | Q(~Q(state="waiting"), decided_by__isnull=False, decided_at__isnull=False),
                name="counterrequest_is_decided_by_somebody",
            ),
            models.CheckConstraint(
                condition=~Q(state="issued") | ~Q(decided_by=F("asked_by")),
                name="counterrequest_takes_two_officers",
                violation_error_message="须由另一名窗口人员核对。",
            ),
            models.CheckConstraint(
                condition=~Q(state="refused") | ~Q(reason=""), name="counterrequest_refused_with_a_reason"
            ),
        ]

    def __str__(self) -> str:
        return f"窗口申请 {self.pk}"

    @property
    def is_open(self) -> bool:
        """Tell whether the second officer may still confirm it."""
        return self.state == self.State.WAITING and timezone.now() < self.expires_at


def paper_number(letters: str, pk: int, issued_on: str) -> str:
    """Return the number of a paper that people hand on: two letters, day, ten digits, check character (MOD 37,36)."""
    body = f"{letters}{issued_on}{pk:010d}"
    return body + mod_37_36(body)


def report_number(pk: int, issued_on: str) -> str:
    """Return the number of a report: BG, day of issue, ten digits, check character (ISO 7064 MOD 37,36)."""
    return paper_number("BG", pk, issued_on)


class Report(models.Model):
    """A report that was issued (个人公共信用信息报告): a fact that nobody changes. What it said is in its sealed file."""

    class Kind(models.TextChoices):
        ONLINE = "online", "本人网上下载"
        COUNTER = "counter", "窗口出具"

    number = models.CharField("报告编号", max_length=21, unique=True)
    person = models.ForeignKey(Person, models.PROTECT, verbose_name="报告主体", related_name="reports")
    kind = models.CharField("出具方式", max_length=8, choices=Kind)
    counter_request = models.OneToOneField(
        CounterRequest, models.PROTECT, null=True, verbose_name="窗口申请", related_name="report"
    )
    query_seq = models.BigIntegerField("查询日志号")
    issued_at = models.DateTimeField("出具时间")
    by = models.ForeignKey(User, models.PROTECT, verbose_name="出具人", related_name="+")
    organisation = models.ForeignKey(Organisation, models.PROTECT, null=True, verbose_name="出具单位", related_name="+")
    records = models.PositiveIntegerField("记录条数")
    sha256 = models.CharField("SHA-256", max_length=64)
    code_hash = models.BinaryField("验证码（索引）", editable=False)
    snapshot = models.BinaryField("内容摘要", editable=False, help_text="所载记录及其版本的 SHA-256")

    class Meta:
        verbose_name = verbose_name_plural = "信用报告"
        db_table_comment = "append-only: every report issued, with the digests of its file and of what it rests on"
        ordering = ["-id"]
        default_permissions = ()
        indexes = [models.Index(fields=["person", "-id"], name="report_by_person")]
        constraints = [
            models.CheckConstraint(condition=Q(sha256__regex=r"^[0-9a-f]{64}$"), name="report_is_known_by_sha256"),
            models.CheckConstraint(
                condition=Q(number__regex=r"^BG[0-9]{18}[0-9A-Z]$"), name="report_number_is_well_formed"
            ),
            models.CheckConstraint(
                condition=Q(kind="online", counter_request__isnull=True, organisation__isnull=True)
                | Q(kind="counter", counter_request__isnull=False, organisation__isnull=False),
                name="report_at_the_counter_was_asked_for_there",
            ),
        ]

    def __str__(self) -> str:
        return self.number


class ReportEntry(models.Model):
    """A record that a report holds, in which version: readable with the person's file only, like the record itself."""

    pk = models.CompositePrimaryKey("report_id", "record_id")
    report = models.ForeignKey(Report, models.PROTECT, related_name="entries")
    record = models.ForeignKey("records.Record", models.PROTECT, db_constraint=False, db_index=False, related_name="+")
    version = models.IntegerField("版本")
    public = models.BooleanField("当时公示中")

    class Meta:
        verbose_name = verbose_name_plural = "报告所载记录"
        db_table_comment = "append-only: which record in which version each report holds"
        default_permissions = ()

    def __str__(self) -> str:
        return f"第 {self.version} 版"


class ReportFile(models.Model):
    """The sealed PDF of a report, until the day on which the night job deletes it."""

    report = models.OneToOneField(Report, models.PROTECT, primary_key=True, related_name="kept")
    file = models.ForeignKey(SealedFile, models.PROTECT, related_name="+")
    keep_until = models.DateField("保存至", help_text="当天删除")

    class Meta:
        verbose_name = verbose_name_plural = "报告文件"
        default_permissions = ()

    def __str__(self) -> str:
        return f"保存至 {self.keep_until}"


class ReportPrint(models.Model):
    """One printing of a report at the counter."""

    report = models.ForeignKey(Report, models.PROTECT, verbose_name="报告", related_name="prints")
    copy = models.PositiveSmallIntegerField("第几份")
    reason = models.CharField("重印理由", max_length=200, blank=True)
    by = models.ForeignKey(User, models.PROTECT, verbose_name="打印人", related_name="+")
    query_seq = models.BigIntegerField("查询日志号")
    at = models.DateTimeField("打印时间", db_default=models.functions.Now())

    class Meta:
        verbose_name = verbose_name_plural = "报告打印"
        db_table_comment = "append-only: every printing of a report at the counter"
        ordering = ["copy"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["report", "copy"], name="reportprint_counts_each_copy"),
            models.CheckConstraint(condition=Q(copy__gte=1), name="reportprint_counts_from_one"),
            models.CheckConstraint(
                condition=Q(copy=1) | ~Q(reason=""),
                name="reportprint_again_with_a_reason",
                violation_error_message="重印须写明理由。",
            ),
        ]

    def __str__(self) -> str:
        return f"第 {self.copy} 份"
