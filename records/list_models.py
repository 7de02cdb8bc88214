"""What belongs to lists of records: a search kept on the server, saved views, work lists and jobs over many records.

None of these holds anything that a record says: only its key.
"""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from access.models import Request
from accounts.models import Organisation, Person, User


class ListSearch(models.Model):
    """What was looked for in a registered list. Kept here so that no address or log line carries it."""

    class By(models.TextChoices):
        NUMBER = "number", "证件号码"
        NAME = "name", "姓名"
        DOCUMENT = "document", "文书号"
        DOCUMENT_START = "document_start", "文书号开头"
        RECORD = "record", "记录编号"

    request = models.ForeignKey(Request, models.CASCADE, verbose_name="查询登记", related_name="searches")
    by = models.CharField("检索方式", max_length=16, choices=By)
    person = models.ForeignKey(Person, models.CASCADE, null=True, verbose_name="自然人", related_name="+")
    text = models.CharField("检索词", max_length=200, blank=True)
    created_at = models.DateTimeField("时间", default=timezone.now)

    class Meta:
        verbose_name = verbose_name_plural = "列表检索"
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=~Q(by="number") | Q(text=""), name="listsearch_never_keeps_a_number"
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"按{self.get_by_display()}检索"


class SavedView(models.Model):
    """An officer's own set of filters. Nothing that is looked for about a person is ever part of it."""

    owner = models.ForeignKey(User, models.CASCADE, verbose_name="所有人", related_name="saved_views")
    name = models.CharField("名称", max_length=40)
    filters = models.JSONField("筛选条件", default=dict)
    is_default = models.BooleanField("默认", default=False)
    created_at = models.DateTimeField("保存时间", default=timezone.now)

    class Meta:
        verbose_name = verbose_name_plural = "列表视图"
        ordering = ["name"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "name"], name="savedview_name_is_the_owners_only_one",
                violation_error_message="您已有同名的视图，请换一个名称。",
            ),
            models.UniqueConstraint(
                fields=["owner"], condition=Q(is_default=True), name="savedview_one_default_per_owner"
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.name


class BulkJobQuerySet(models.QuerySet["BulkJob"]):
    def visible_to(self, user: User) -> "BulkJobQuerySet":
        """Those that this user started."""
        return self.filter(by=user)


class BulkJob(models.Model):
    """One deed over many records, done in the background in small transactions: progress, cancel, an outcome each."""

    class State(models.TextChoices):
        WAITING = "waiting", "已排队"
        RUNNING = "running", "进行中"
        DONE = "done", "已完成"
        CANCELLED = "cancelled", "已取消"
        FAILED = "failed", "处理中断"

    kind = models.CharField("办理事项", max_length=20)
    by = models.ForeignKey(User, models.PROTECT, verbose_name="办理人", related_name="bulk_jobs")
    request = models.ForeignKey(Request, models.PROTECT, verbose_name="查询登记", related_name="+")
    params = models.JSONField("参数", default=dict)
    record_ids = ArrayField(models.BigIntegerField(), verbose_name="记录")
    state = models.CharField("状态", max_length=10, choices=State, default=State.WAITING)
    done = models.PositiveIntegerField("已处理", default=0)
    cancel_requested = models.BooleanField("要求取消", default=False)
    created_at = models.DateTimeField("提交时间", default=timezone.now)
    ended_at = models.DateTimeField("结束时间", null=True)

    objects = BulkJobQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "批量办理"
        ordering = ["-id"]
        default_permissions = ()
        constraints = [
            models.CheckConstraint(condition=Q(done__lte=models.Func(F("record_ids"), function="cardinality")),
                                   name="bulkjob_done_within_its_records"),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"批量办理 {self.pk}"

    @property
    def is_working(self) -> bool:
        """Tell whether a job is at it."""
        return self.state in (self.State.WAITING, self.State.RUNNING)

    @property
    def total(self) -> int:
        return len(self.record_ids)


class BulkOutcome(models.Model):
    """What became of one record in a job."""

    job = models.ForeignKey(BulkJob, models.CASCADE, verbose_name="批量办理", related_name="outcomes")
    record_id = models.BigIntegerField("记录")
    done = models.BooleanField("已办理")
    note = models.CharField("说明", max_length=100)

    class Meta:
        verbose_name = verbose_name_plural = "办理结果"
        ordering = ["id"]
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["job", "record_id"], name="bulkoutcome_once_per_record")]

    def __str__(self) -> str:
        return self.note


class WorkListQuerySet(models.QuerySet["WorkList"]):
    def visible_to(self, user: User) -> "WorkListQuerySet":
        """Those of the user's own organisation that the user made or works on."""
        return self.filter(organisation=user.organisation_id).filter(Q(made_by=user) | Q(assigned_to=user))


class WorkList(models.Model):
    """Records that an officer is to check against the office's own papers (核对名单)."""

    organisation = models.ForeignKey(Organisation, models.PROTECT, verbose_name="单位", related_name="+")
    made_by = models.ForeignKey(User, models.PROTECT, verbose_name="建立人", related_name="+")
    assigned_to = models.ForeignKey(User, models.PROTECT, verbose_name="核对人", related_name="work_lists")
    title = models.CharField("名称", max_length=60)
    due_on = models.DateField("完成期限")
    created_at = models.DateTimeField("建立时间", default=timezone.now)
    job = models.OneToOneField(BulkJob, models.PROTECT, verbose_name="批量办理", related_name="work_list")

    objects = WorkListQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "核对名单"
        ordering = ["-id"]
        default_permissions = ()

    def __str__(self) -> str:
        return self.title


class WorkListEntry(models.Model):
    """One record to check, and what was found: agreement, or something to put right by its own procedure."""

    class Finding(models.TextChoices):
        OPEN = "open", "待核对"
        AGREES = "agrees", "与案卷一致"
        DIFFERS = "differs", "与案卷不一致"

    work_list = models.ForeignKey(WorkList, models.CASCADE, verbose_name="核对名单", related_name="entries")
    record_id = models.BigIntegerField("记录")  # no foreign key: disposal of a record must not wait for a list
    number = models.CharField("记录编号", max_length=20)
    finding = models.CharField("结果", max_length=8, choices=Finding, default=Finding.OPEN)
    note = models.CharField("说明", max_length=200, blank=True)
    checked_at = models.DateTimeField("核对时间", null=True)

    class Meta:
        verbose_name = verbose_name_plural = "核对项"
        ordering = ["record_id"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["work_list", "record_id"], name="worklistentry_once_per_list"),
            models.CheckConstraint(
                condition=Q(finding="open") | Q(checked_at__isnull=False), name="worklistentry_checked_at_a_time"
            ),
            models.CheckConstraint(
                condition=~Q(finding="differs") | ~Q(note=""), name="worklistentry_difference_is_said"
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"核对项 {self.pk}"
