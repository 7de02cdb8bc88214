"""Records and their versions; batches, staged rows and the sealed files they came from."""

from datetime import date, datetime, timedelta

from django.contrib.postgres.fields import DateRangeField
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from accounts.models import Organisation, Person, User
from catalogue.models import Item, ItemVersion, PublicationPeriod, SupplyAssignment
from catalogue.rules import items_for
from records.intake.base import place

Severity = PublicationPeriod.Severity


class SealedFile(models.Model):
    """An uploaded file, sealed at rest and known by the SHA-256 of its content."""

    sha256 = models.CharField("SHA-256", max_length=64, unique=True)
    size = models.BigIntegerField("字节数")
    name = models.CharField("原文件名", max_length=200, help_text="长数字已隐去")
    created_at = models.DateTimeField("收到时间", default=timezone.now)
    destroyed_at = models.DateTimeField("销毁时间", null=True, help_text="其中的记录都已到期处理，文件随之销毁")

    class Meta:
        verbose_name = verbose_name_plural = "文件"
        constraints = [
            models.CheckConstraint(condition=Q(sha256__regex=r"^[0-9a-f]{64}$"), name="sealedfile_is_known_by_sha256")
        ]

    def __str__(self) -> str:
        return self.name


class BatchQuerySet(models.QuerySet["Batch"]):
    def visible_to(self, user: User) -> "BatchQuerySet":
        """Batches of the user's own organisation; all of them, as counts, to those who watch the platform."""
        if user.has_perm("records.view_batch_counts"):
            return self
        if user.has_perm("records.view_batch") and user.organisation_id:
            return self.filter(supplier=user.organisation_id)
        return self.none()

    def with_open_rows(self) -> "BatchQuerySet":
        """Batches of which rows were handed back and are not answered."""
        return self.filter(state__in=[Batch.State.COMMITTED, Batch.State.CHECKED], open_rows__gt=0)

    def to_commit_by(self, user: User) -> "BatchQuerySet":
        """Checked batches that this user, a second officer, may commit."""
        if not user.has_perm("records.commit_batch"):
            return self.none()
        items = items_for(user.organisation, "supply_item")
        return self.visible_to(user).filter(state=Batch.State.CHECKED, item__in=items).exclude(uploaded_by=user)


class Batch(models.Model):
    """A delivery of rows for one item (报送批次), from the file received to the receipt."""

    class State(models.TextChoices):
        RECEIVED = "received", "已接收"
        PARSING = "parsing", "解析中"
        MAPPING = "mapping", "待对应列"
        CHECKING = "checking", "校验中"
        CHECKED = "checked", "待提交"
        COMMITTING = "committing", "提交中"
        COMMITTED = "committed", "已入库"
        WITHDRAWING = "withdrawing", "撤回中"
        WITHDRAWN = "withdrawn", "已撤回"
        REFUSED = "refused", "文件被退回"
        CANCELLED = "cancelled", "已取消"
        FAILED = "failed", "处理中断"

    class Mode(models.TextChoices):
        GOOD_ROWS = "good_rows", "合格行入库，问题行退回更正"
        ALL_OR_NONE = "all_or_none", "有一行不合格则全部不入库"

    class Channel(models.TextChoices):
        PAGE = "page", "网页上传"
        COMMAND = "command", "命令行"
        FORM = "form", "表单录入"
        API = "api", "接口报送"
        LISTING = "listing", "列入程序"

    TYPED = (Channel.FORM, Channel.LISTING)  # rows that an official compared with the document, not a file's

    item = models.ForeignKey(Item, models.PROTECT, verbose_name="目录条目", related_name="batches")
    supplier = models.ForeignKey(Organisation, models.PROTECT, verbose_name="报送单位", related_name="batches")
    uploaded_by = models.ForeignKey(User, models.PROTECT, verbose_name="上传人", related_name="+")
    committed_by = models.ForeignKey(User, models.PROTECT, null=True, verbose_name="提交人", related_name="+")
    withdrawn_by = models.ForeignKey(User, models.PROTECT, null=True, verbose_name="撤回人", related_name="+")
    file = models.ForeignKey(SealedFile, models.PROTECT, verbose_name="文件", related_name="batches")
    channel = models.CharField("渠道", max_length=8, choices=Channel)
    mode = models.CharField("方式", max_length=12, choices=Mode, default=Mode.GOOD_ROWS)
    state = models.CharField("状态", max_length=12, choices=State, default=State.RECEIVED)
    correction_of = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, verbose_name="更正自批次", related_name="corrections"
    )
    mapping = models.ForeignKey(
        "ColumnMapping", models.PROTECT, null=True, blank=True, verbose_name="列对应", related_name="batches"
    )
    mapped_by = models.ForeignKey(User, models.PROTECT, null=True, verbose_name="对应列的人", related_name="+")
    sheet = models.CharField("工作表", max_length=100, blank=True)
    notes = models.JSONField("说明", default=list)
    failure = models.JSONField("退回原因", null=True)
    reasons = models.JSONField("问题汇总", default=dict)
    rows = models.PositiveIntegerField("总行数", default=0)
    rows_done = models.PositiveIntegerField("已处理行数", default=0)
    new = models.PositiveIntegerField("新增", default=0)
    changed = models.PositiveIntegerField("变更", default=0)
    unchanged = models.PositiveIntegerField("无变化", default=0)
    refused = models.PositiveIntegerField("退回", default=0)
    corrected = models.PositiveIntegerField("已更正", default=0)
    explained = models.PositiveIntegerField("已说明", default=0, db_default=0)
    open_rows = models.PositiveIntegerField("未答复的退回行", default=0, db_default=0)
    last_row = models.PositiveIntegerField("读到第几行", default=0)
    cancel_requested = models.BooleanField("要求取消", default=False)
    received_at = models.DateTimeField("接收时间", default=timezone.now)
    checked_at = models.DateTimeField("校验完成时间", null=True)
    committed_at = models.DateTimeField("入库时间", null=True)
    withdrawn_at = models.DateTimeField("撤回时间", null=True)
    withdraw_reason = models.CharField("撤回理由", max_length=200, blank=True)
    cleared_at = models.DateTimeField("暂存行清除时间", null=True)

    objects = BatchQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "报送批次"
        ordering = ["-id"]
        permissions = [
            ("commit_batch", "提交批次入库"),
            ("withdraw_batch", "撤回批次"),
            ("view_batch_counts", "查看全部批次的数量"),
        ]
        indexes = [
            models.Index(fields=["supplier", "-id"], name="batch_by_supplier"),
            models.Index(fields=["received_at"], condition=Q(cleared_at__isnull=True), name="batch_to_clear"),
            models.Index(fields=["id"], condition=Q(open_rows__gt=0), name="batch_with_open_rows"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["file", "item", "supplier"],
                condition=~Q(state__in=["withdrawn", "withdrawing", "refused", "cancelled", "failed"]),
                name="batch_same_file_once",
                violation_error_message="同一文件已报送过。",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["checked", "committing", "committed"])
                | Q(rows=F("new") + F("changed") + F("unchanged") + F("refused")),
                name="batch_counts_add_up_to_the_rows",
            ),
            models.CheckConstraint(
                condition=~Q(state="committed") | Q(committed_by__isnull=False, committed_at__isnull=False),
                name="batch_committed_by_somebody",
            ),
            models.CheckConstraint(
                condition=~Q(state="withdrawn") | (Q(withdrawn_by__isnull=False) & ~Q(withdraw_reason="")),
                name="batch_withdrawn_with_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(mapped_by__isnull=True) | Q(committed_by__isnull=True) | ~Q(mapped_by=F("committed_by")),
                name="batch_committed_by_another_than_mapped_it",
            ),
            models.CheckConstraint(
                condition=~Q(state="mapping") | Q(channel="page"), name="batch_waits_for_mapping_on_the_page_only"
            ),
            models.CheckConstraint(
                condition=Q(cleared_at__isnull=True)
                | Q(state__in=["committed", "withdrawing", "withdrawn", "refused", "cancelled"]),
                name="batch_is_cleared_when_it_is_over",
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def number(self) -> str:
        """Return the number that people quote: B, date received, sequence."""
        return f"B{timezone.localtime(self.received_at):%Y%m%d}-{self.pk:06d}"

    @property
    def goes_in(self) -> bool:
        """Tell whether a checked batch has something to write and its mode lets it."""
        return self.new + self.changed > 0 and not (self.mode == self.Mode.ALL_OR_NONE and self.refused)

    @property
    def is_working(self) -> bool:
        """Tell whether a job is at it."""
        return self.state in (
            self.State.RECEIVED, self.State.PARSING, self.State.CHECKING, self.State.COMMITTING, self.State.WITHDRAWING,
        )  # fmt: skip


class BatchRow(models.Model):
    """A staged row. Unlogged: after a crash of the database it is read again from the sealed file."""

    class Outcome(models.IntegerChoices):
        NEW = 1, "新增"
        CHANGED = 2, "变更"
        UNCHANGED = 3, "无变化"
        CORRECTED = 8, "退回后已更正"
        REFUSED = 9, "退回"

    pk = models.CompositePrimaryKey("batch_id", "row_no")
    batch = models.ForeignKey(Batch, models.CASCADE, db_constraint=False, db_index=False, related_name="staged")
    row_no = models.IntegerField()
    outcome = models.SmallIntegerField(choices=Outcome)
    problems = models.JSONField(null=True)  # [[field code or null, reason code, message], …]
    hints = models.JSONField(null=True)  # [[field code, message], …]: taken, but the office should know
    # The row handed back that this one corrects. Whether the batch still follows it is asked when the row goes in.
    source_batch = models.ForeignKey(
        Batch, models.DO_NOTHING, null=True, db_constraint=False, db_index=False, related_name="+"
    )
    source_row = models.IntegerField(null=True)
    name = models.TextField(null=True)
    id_index = models.BinaryField(null=True)
    id_cipher = models.BinaryField(null=True)
    item_version = models.ForeignKey(ItemVersion, models.DO_NOTHING, null=True, db_constraint=False, db_index=False)
    doc_no = models.TextField(null=True)
    doc_date = models.DateField(null=True)
    decider_uscc = models.TextField(null=True)
    act_end = models.DateField(null=True)
    severity = models.SmallIntegerField(null=True)
    publication = DateRangeField(null=True)
    query_until = models.DateField(null=True)
    content = models.JSONField(null=True)
    content_hash = models.BinaryField(null=True)
    row_print = models.BinaryField(null=True)  # see `intake.prints`; without a number, it is all that is staged
    record_id = models.BigIntegerField(null=True)
    merged_person_id = models.BigIntegerField(
        null=True
    )  # whose number was sent, when it stands for somebody else's now

    class Meta:
        verbose_name = verbose_name_plural = "批次行"
        default_permissions = ()
        indexes = [
            models.Index(
                fields=["batch"], condition=Q(merged_person_id__isnull=False), name="batchrow_by_merged_number"
            )
        ]

    def __str__(self) -> str:
        return place(self.row_no)


class Record(models.Model):
    """A fact about a person with a legal basis, a source and an end. What was said is in its versions."""

    class State(models.IntegerChoices):
        """Domain §4.2. What is disposed of has no row left: see Disposal."""

        IN_FORCE = 1, "有效"
        WITHDRAWN = 2, "已撤回"
        NOTICE_PENDING = 3, "告知中"
        CANCELLED = 4, "已撤销"
        REPAIRED = 5, "已修复"
        EXPIRED = 6, "已到期"

    # The keys are checked per statement, by the triggers of migration 0008_set_based_keys.
    person = models.ForeignKey(
        Person, models.PROTECT, db_constraint=False, db_index=False, verbose_name="自然人", related_name="records"
    )
    item = models.ForeignKey(
        Item, models.PROTECT, db_constraint=False, db_index=False, verbose_name="目录条目", related_name="records"
    )
    provider = models.ForeignKey(
        Organisation, models.PROTECT, db_constraint=False, db_index=False, verbose_name="提供单位",
        related_name="records",
    )  # fmt: skip
    decider_uscc = models.TextField("认定单位代码")
    doc_no = models.TextField("文书号")
    doc_date = models.DateField("认定日期")
    severity = models.SmallIntegerField("失信程度", choices=Severity)
    publication = DateRangeField("公示期", null=True, help_text="空为不公示；止日当天即不再公示")
    query_until = models.DateField("查询期至", help_text="当天起不再提供")
    state = models.SmallIntegerField("状态", choices=State, default=State.IN_FORCE)
    usable_from = models.DateField("告知期满", null=True, help_text="报送前告知的条目：自这一天起才提供给他人")
    expired_on = models.DateField("到期日", null=True)
    objected_at = models.DateTimeField("存在异议", null=True)
    reviewed_at = models.DateTimeField("复议、诉讼中", null=True)
    hidden_at = models.DateTimeField("核查期间暂停提供", null=True)
    version = models.IntegerField("版本", default=1)
    content_hash = models.BinaryField(editable=False)
    # What `intake.prints` knows the row by that made this version; gone with the version (migration 0017_row_prints).
    row_print = models.BinaryField(null=True, editable=False)
    created_at = models.DateTimeField("入库时间", db_default=models.functions.Now())

    class Meta:
        verbose_name = verbose_name_plural = "信用记录"
        default_permissions = ()
        indexes = [
            models.Index(fields=["usable_from"], condition=Q(state=3), name="record_notice_ends"),
            models.Index(fields=["expired_on"], condition=Q(state=6), name="record_to_dispose_of"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["person", "item", "doc_no", "decider_uscc"], name="record_once_per_person_and_document"
            ),
            models.CheckConstraint(condition=~Q(doc_no=""), name="record_rests_on_a_document"),
            models.CheckConstraint(condition=Q(query_until__gt=F("doc_date")), name="record_has_an_end"),
            models.CheckConstraint(
                condition=Q(publication__isnull=True)
                | Q(publication__startswith__gte=F("doc_date"), publication__endswith__lte=F("query_until")),
                name="record_public_only_within_its_life",
            ),
            models.CheckConstraint(
                condition=~Q(severity=1) | Q(publication__isnull=True), name="record_minor_is_not_public"
            ),
            models.CheckConstraint(
                condition=~Q(state=3) | Q(usable_from__isnull=False), name="record_notice_has_an_end"
            ),
            models.CheckConstraint(
                condition=Q(state=6, expired_on__isnull=False) | (~Q(state=6) & Q(expired_on__isnull=True)),
                name="record_expired_on_a_day",
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def number(self) -> str:
        """Return the record number: R, day of entry, ten digits, check character (ISO 7064 MOD 37,36)."""
        return record_number(self.pk, self.created_at)


def record_number(key: int, entered: datetime) -> str:
    """Return the number of a record; the database's `records_number` says the same."""
    body = f"R{timezone.localtime(entered):%Y%m%d}{key:010d}"
    return body + mod_37_36(body)


def record_key(number: str) -> int | None:
    """Return the key that a record number names; None when it is not one."""
    if len(number) != 20 or number[0] != "R" or not number[1:19].isdigit() or mod_37_36(number[:19]) != number[19]:
        return None
    return int(number[9:19])


def mod_37_36(text: str) -> str:
    """Return the ISO 7064 MOD 37,36 check character of digits and capital letters."""
    product = 36
    for character in text:
        total = (product + _WORTH[character]) % 36 or 36
        product = total * 2 % 37
    return _CHECKS[(37 - product) % 36]


_CHECKS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_WORTH = {character: worth for worth, character in enumerate(_CHECKS)}


class RecordVersion(models.Model):
    """What a record said from one delivery or act on: content, lineage and who did it. Append-only."""

    class Deed(models.IntegerChoices):
        CREATED = 1, "新增"
        CHANGED = 2, "变更"
        WITHDRAWN = 3, "撤回"
        RESTORED = 4, "恢复"
        CORRECTED = 5, "更正"

    pk = models.CompositePrimaryKey("record_id", "version")
    record = models.ForeignKey(
        Record, models.PROTECT, db_constraint=False, db_index=False, related_name="versions"
    )  # its keys, too, are checked by the triggers
    version = models.IntegerField("版本")
    deed = models.SmallIntegerField("变更类型", choices=Deed)
    item_version = models.ForeignKey(
        ItemVersion, models.PROTECT, db_constraint=False, db_index=False, verbose_name="规则版本"
    )
    batch = models.ForeignKey(
        Batch, models.PROTECT, db_constraint=False, null=True, verbose_name="批次", related_name="versions"
    )
    act = models.ForeignKey(
        "RecordAct", models.PROTECT, db_constraint=False, null=True, db_index=False, verbose_name="办理单",
        related_name="versions",
    )  # fmt: skip
    row_no = models.IntegerField("行号", null=True)
    name = models.TextField("文书所载姓名")
    doc_date = models.DateField("认定日期")
    severity = models.SmallIntegerField("失信程度")
    publication = DateRangeField("公示期", null=True)
    query_until = models.DateField("查询期至")
    content = models.JSONField("内容")
    content_hash = models.BinaryField(editable=False)
    by = models.ForeignKey(User, models.PROTECT, db_constraint=False, db_index=False, verbose_name="办理人")
    at = models.DateTimeField("时间", db_default=models.functions.Now())

    class Meta:
        verbose_name = verbose_name_plural = "记录版本"
        db_table_comment = "append-only: every version of every record, with its lineage"
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=Q(batch__isnull=False, act__isnull=True) | Q(batch__isnull=True, act__isnull=False),
                name="recordversion_comes_by_a_batch_or_an_act",
            )
        ]

    def __str__(self) -> str:
        return f"第 {self.version} 版"


class SupplyDutyQuerySet(models.QuerySet["SupplyDuty"]):
    def visible_to(self, user: User) -> "SupplyDutyQuerySet":
        """All of them to the credit office, one's own to data officers, none to anybody else."""
        if user.has_perm("records.view_all_duties"):
            return self
        if user.has_perm("records.view_supplyduty") and user.organisation_id:
            return self.filter(supplier=user.organisation_id)
        return self.none()

    def unmet(self) -> "SupplyDutyQuerySet":
        """Duties that nobody has met, and those met late."""
        return self.filter(state__in=[SupplyDuty.State.MISSED, SupplyDuty.State.LATE])


class SupplyDuty(models.Model):
    """What an organisation owed for one closed period of an item (报送期次), and what became of it. About departments only."""

    class State(models.TextChoices):
        DUE = "due", "待报"
        MET = "met", "已报"
        LATE = "late", "迟报"
        MISSED = "missed", "未报"
        DECLARED = "declared", "零报"
        NOT_COUNTED = "not_counted", "不计"

    class Frequency(models.TextChoices):
        DAY = "D", "日"
        WEEK = "W", "周"
        MONTH = "M", "月"
        QUARTER = "Q", "季"
        YEAR = "Y", "年"

    assignment = models.ForeignKey(SupplyAssignment, models.PROTECT, verbose_name="报送任务", related_name="duties")
    item = models.ForeignKey(Item, models.PROTECT, verbose_name="条目", related_name="duties")
    supplier = models.ForeignKey(Organisation, models.PROTECT, verbose_name="报送单位", related_name="duties")
    frequency = models.CharField("频次", max_length=2, choices=Frequency)
    period = DateRangeField("期间")
    due_on = models.DateField("截止日")
    provisional = models.BooleanField("暂定", default=False)
    state = models.CharField("状态", max_length=12, choices=State)
    met_on = models.DateField("报送日", null=True, blank=True)
    late_days = models.PositiveSmallIntegerField("迟报工作日", default=0)
    batch = models.ForeignKey(Batch, models.PROTECT, null=True, blank=True, verbose_name="批次", related_name="+")
    note = models.CharField("不计的原因", max_length=60, blank=True)
    closed_on = models.DateField("登记日")

    objects = SupplyDutyQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "报送期次"
        db_table_comment = "kept: one line per item, supplier and closed period"
        ordering = ["-due_on", "item", "supplier"]
        default_permissions = ("view",)
        permissions = [("view_all_duties", "查看全部单位的报送情况")]
        indexes = [models.Index(fields=["supplier", "-due_on"], name="supplyduty_by_supplier")]
        constraints = [
            models.UniqueConstraint(fields=["item", "supplier", "period"], name="supplyduty_once_per_period"),
            models.CheckConstraint(
                condition=Q(state__in=["met", "late", "declared"], met_on__isnull=False)
                | Q(state__in=["due", "missed", "not_counted"], met_on__isnull=True),
                name="supplyduty_met_on_a_day",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["met", "declared"]) | Q(met_on__lte=F("due_on")), name="supplyduty_met_in_time"
            ),
            models.CheckConstraint(
                condition=~Q(state="late") | Q(met_on__gt=F("due_on")), name="supplyduty_late_is_after_the_day"
            ),
            models.CheckConstraint(
                condition=Q(state="not_counted") | Q(note=""), name="supplyduty_reason_only_when_not_counted"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.item} {self.period_text}"

    @property
    def last_day(self) -> date:
        """Return the last day of the period."""
        return self.period.upper - timedelta(days=1)

    @property
    def period_text(self) -> str:
        """Return the period in words."""
        return period_text(self.frequency, self.period.lower, self.last_day)

    @property
    def due_text(self) -> str:
        """Return the last day for delivery, with the mark of a provisional one."""
        return f"{self.due_on:%Y-%m-%d}{'（暂定）' if self.provisional else ''}"

    @property
    def state_text(self) -> str:
        """Return the state in words, a late one with how late."""
        if self.state != self.State.LATE:
            return self.get_state_display()
        return f"迟报 {self.late_days} 个工作日" if self.late_days else "迟报不足 1 个工作日"


def period_text(frequency: str, first: date, last: date) -> str:
    """Return a period the way people say it."""
    return {
        "M": f"{first:%Y}年{first.month}月", "Q": f"{first:%Y}年第{(first.month + 2) // 3}季度", "Y": f"{first:%Y}年",
        "D": f"{first:%Y-%m-%d}",
    }.get(frequency, f"{first:%Y-%m-%d} 至 {last:%m-%d}")  # fmt: skip


class NilDeclaration(models.Model):
    """A department says that it decided nothing in a period (零报). Withdrawn by itself when a delivery says otherwise."""

    item = models.ForeignKey(Item, models.PROTECT, verbose_name="条目", related_name="+")
    supplier = models.ForeignKey(Organisation, models.PROTECT, verbose_name="报送单位", related_name="+")
    period = DateRangeField("期间")
    declared_by = models.ForeignKey(User, models.PROTECT, verbose_name="申报人", related_name="+")
    declared_on = models.DateField("申报日")
    withdrawn_on = models.DateField("撤销日", null=True, blank=True)
    withdrawn_by_batch = models.ForeignKey(
        Batch, models.PROTECT, null=True, blank=True, verbose_name="撤销它的批次", related_name="+"
    )

    class Meta:
        verbose_name = verbose_name_plural = "零报"
        db_table_comment = "kept: who said that there was nothing to supply"
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["item", "supplier", "period"], condition=Q(withdrawn_on__isnull=True),
                name="nildeclaration_once_per_period", violation_error_message="这个期间已经零报过。",
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.item} 零报"


from records import export_models, report_models  # noqa: E402, F401 – further tables of the app
from records.consent_models import ConsentPaper  # noqa: E402, F401
from records.ground_models import GroundPaper  # noqa: E402, F401
from records.hold_models import StatementHold  # noqa: E402, F401
from records.life_models import (  # noqa: E402, F401
    ActContent,
    ActRecord,
    AnonymousCount,
    ArchivedRecord,
    Disposal,
    LegacyPeriod,
    RecordAct,
    RecordEvent,
    Statement,
)
from records.list_models import BulkJob, BulkOutcome, ListSearch, SavedView, WorkList, WorkListEntry  # noqa: E402, F401
from records.mapping_models import ColumnMapping  # noqa: E402, F401
from records.person_models import CaseNewcomer, CasePaper, CaseRecord, CaseSource, CaseStep, PersonCase  # noqa: E402, F401
from records.receipt_models import BatchReceipt  # noqa: E402, F401
from records.returned_models import ReturnedRow  # noqa: E402, F401
from records.rights_models import RightsRequest, RightsStep  # noqa: E402, F401
from records.soundness_models import Unsound  # noqa: E402, F401
from records.visibility_models import Visibility  # noqa: E402, F401
from records.volume_models import BatchHold, VolumeRule  # noqa: E402, F401
