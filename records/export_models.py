"""Exports of what an officer may see, from the request to the last download."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from access.models import Purpose
from accounts.models import Organisation, User
from catalogue.models import Item, PublicationPeriod
from records.models import SealedFile


class ExportQuerySet(models.QuerySet["Export"]):
    def visible_to(self, user: User) -> "ExportQuerySet":
        """One's own exports; those of the whole organisation for its reviewers."""
        if not user.organisation_id:
            return self.none()
        if user.has_perm("records.review_export"):
            return self.filter(organisation=user.organisation_id)
        if user.has_perm("records.add_export"):
            return self.filter(organisation=user.organisation_id, requested_by=user)
        return self.none()

    def to_review_by(self, user: User) -> "ExportQuerySet":
        """Exports that this user, another officer of the organisation, may review."""
        if not user.has_perm("records.review_export"):
            return self.none()
        return self.visible_to(user).filter(state=Export.State.AWAITING).exclude(requested_by=user)


class Export(models.Model):
    """A request to take records out in a table: by whom, for which duty and case, which rows, and what became of it."""

    class State(models.TextChoices):
        REQUESTED = "requested", "已申请"
        AWAITING = "awaiting", "待复核"
        RUNNING = "running", "导出中"
        READY = "ready", "可下载"
        EXPIRED = "expired", "已删除"
        REFUSED = "refused", "未获同意"
        CANCELLED = "cancelled", "已取消"
        FAILED = "failed", "处理中断"

    class Format(models.TextChoices):
        CSV = "csv", "CSV（UTF-8）"
        XLSX = "xlsx", "Excel（xlsx）"

    class Which(models.TextChoices):
        ALL = "all", "查询期内的全部记录"
        PUBLIC = "public", "公示中的记录"
        NOT_PUBLIC = "not_public", "不公示的记录"

    requested_by = models.ForeignKey(User, models.PROTECT, verbose_name="申请人", related_name="exports")
    organisation = models.ForeignKey(Organisation, models.PROTECT, verbose_name="申请单位", related_name="+")
    reviewed_by = models.ForeignKey(User, models.PROTECT, null=True, verbose_name="复核人", related_name="+")
    purpose = models.CharField("查询事由", max_length=20, choices=Purpose)
    purpose_text = models.CharField("事由说明", max_length=200)
    duty_code = models.CharField("事项编码", max_length=40)
    case_no = models.CharField("案件（办件）编号", max_length=60)
    items = models.ManyToManyField(Item, verbose_name="条目", related_name="+")
    item_ids = ArrayField(models.BigIntegerField(), verbose_name="条目")
    own_only = models.BooleanField("只要本单位提供的", default=True)
    decided_from = models.DateField("认定日期自", null=True, blank=True)
    decided_until = models.DateField("认定日期至", null=True, blank=True)
    which = models.CharField("范围", max_length=12, choices=Which, default=Which.ALL)
    severity = models.SmallIntegerField("失信程度", choices=PublicationPeriod.Severity, null=True, blank=True)
    provider = models.ForeignKey(
        Organisation, models.PROTECT, null=True, blank=True, verbose_name="提供单位", related_name="+"
    )
    ends_by = models.DateField("公示结束不晚于", null=True, blank=True)
    record_ids = ArrayField(models.BigIntegerField(), verbose_name="只要这些记录", null=True, blank=True)
    named = models.PositiveIntegerField("名单人数", null=True, blank=True)
    format = models.CharField("格式", max_length=4, choices=Format, default=Format.XLSX)
    channel = models.CharField("渠道", max_length=20)
    address = models.CharField("来源网段", max_length=50, blank=True)
    state = models.CharField("状态", max_length=10, choices=State, default=State.REQUESTED)
    decision_reason = models.CharField("复核意见", max_length=200, blank=True)
    failure = models.CharField("中断原因", max_length=200, blank=True)
    persons = models.PositiveIntegerField("涉及人数", null=True)
    records = models.PositiveIntegerField("涉及记录数", null=True)
    persons_done = models.PositiveIntegerField("已读取人数", default=0)
    rows = models.PositiveIntegerField("已写出行数", default=0)
    last_person = models.BigIntegerField("读到哪一人", default=0)
    cancel_requested = models.BooleanField("要求取消", default=False)
    file = models.ForeignKey(SealedFile, models.PROTECT, null=True, verbose_name="文件", related_name="+")
    requested_at = models.DateTimeField("申请时间", default=timezone.now)
    reviewed_at = models.DateTimeField("复核时间", null=True)
    ready_at = models.DateTimeField("完成时间", null=True)
    keep_until = models.DateTimeField("文件保存至", null=True)
    link_until = models.DateTimeField("下载链接有效至", null=True)

    objects = ExportQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "记录导出"
        ordering = ["-id"]
        default_permissions = ("view", "add")
        permissions = [("review_export", "复核本单位的导出")]
        indexes = [models.Index(fields=["organisation", "-id"], name="export_by_organisation")]
        constraints = [
            models.CheckConstraint(
                condition=~Q(case_no="") & ~Q(duty_code="") & ~Q(purpose_text=""),
                name="export_names_duty_case_and_reason",
            ),
            models.CheckConstraint(
                condition=Q(reviewed_by__isnull=True) | ~Q(reviewed_by=F("requested_by")),
                name="export_reviewed_by_another",
                violation_error_message="须由本单位另一名工作人员复核。",
            ),
            models.CheckConstraint(
                condition=Q(decided_from__isnull=True)
                | Q(decided_until__isnull=True)
                | Q(decided_until__gte=F("decided_from")),
                name="export_dates_run_forward",
            ),
            models.CheckConstraint(condition=~Q(item_ids=[]), name="export_names_items"),
            models.CheckConstraint(
                condition=~Q(state="ready") | Q(file__isnull=False, keep_until__isnull=False),
                name="export_ready_has_a_file_and_an_end",
            ),
            models.CheckConstraint(
                condition=~Q(state="refused") | (~Q(decision_reason="") & Q(reviewed_by__isnull=False)),
                name="export_refused_with_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(named__isnull=True) | Q(own_only=False, record_ids__isnull=True, named__gte=1),
                name="export_names_persons_or_records",
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def number(self) -> str:
        """Return the number that people quote: D, day asked for, sequence."""
        return f"D{timezone.localtime(self.requested_at):%Y%m%d}-{self.pk:06d}"

    @property
    def is_working(self) -> bool:
        """Tell whether a job is at it."""
        return self.state in (self.State.REQUESTED, self.State.RUNNING)

    @property
    def has_link(self) -> bool:
        """Tell whether the requester may fetch the file now."""
        now = timezone.now()
        ready = self.state == self.State.READY and self.keep_until is not None and now < self.keep_until
        return ready and self.link_until is not None and now < self.link_until


class ExportPart(models.Model):
    """Rows read so far, sealed: written with their query lines in one transaction, gone once the file is made."""

    pk = models.CompositePrimaryKey("export_id", "number")
    export = models.ForeignKey(Export, models.PROTECT, related_name="parts")
    number = models.IntegerField()
    rows = models.IntegerField()
    sealed = models.BinaryField()

    class Meta:
        verbose_name = verbose_name_plural = "导出片段"
        default_permissions = ()

    def __str__(self) -> str:
        return f"第 {self.number} 段"


class ExportTarget(models.Model):
    """Who is in an export, as the database found them: the application neither sees nor writes this."""

    pk = models.CompositePrimaryKey("export_id", "person_id")
    export = models.ForeignKey(Export, models.CASCADE, db_constraint=False, db_index=False, related_name="+")
    person_id = models.BigIntegerField()

    class Meta:
        verbose_name = verbose_name_plural = "导出涉及的人"
        default_permissions = ()

    def __str__(self) -> str:
        return "一人"


class ExportPerson(models.Model):
    """Whose lines were written when the file was made, for those of each download: the application neither sees nor writes this."""

    pk = models.CompositePrimaryKey("export_id", "person_id")
    export = models.ForeignKey(Export, models.CASCADE, db_constraint=False, db_index=False, related_name="+")
    person_id = models.BigIntegerField()

    class Meta:
        verbose_name = verbose_name_plural = "导出文件中的人"
        default_permissions = ()

    def __str__(self) -> str:
        return "一人"


class ExportNumber(models.Model):
    """A number of a list, by its keyed indexes: the application neither sees nor writes this (`records_export_name`)."""

    pk = models.CompositePrimaryKey("export_id", "ordinal")
    export = models.ForeignKey(Export, models.CASCADE, db_constraint=False, db_index=False, related_name="+")
    ordinal = models.IntegerField()
    indexes = ArrayField(models.BinaryField())

    class Meta:
        verbose_name = verbose_name_plural = "名单中的号码"
        default_permissions = ()

    def __str__(self) -> str:
        return f"名单第 {self.ordinal} 个"


class ExportDownload(models.Model):
    """One fetching of the file, under a line of the query log; the database adds that of each person in it."""

    export = models.ForeignKey(Export, models.PROTECT, verbose_name="导出", related_name="downloads")
    by = models.ForeignKey(User, models.PROTECT, verbose_name="下载人", related_name="+")
    address = models.CharField("来源网段", max_length=50, blank=True)
    query_seq = models.BigIntegerField("查询日志号", null=True, help_text="此前的下载没有")
    at = models.DateTimeField("下载时间", db_default=models.functions.Now())

    class Meta:
        verbose_name = verbose_name_plural = "导出下载"
        db_table_comment = "append-only: every download of an exported file"
        ordering = ["id"]
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M}"
