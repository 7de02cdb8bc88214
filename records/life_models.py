"""The life of a record: acts on records outside batches, events, statements by the person, proof of disposal."""

from django.contrib.postgres.fields import DateRangeField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import Organisation, Person, User
from catalogue.models import Deadline, Item, ItemVersion, PublicationPeriod
from records.models import Batch, Record


class RecordActQuerySet(models.QuerySet["RecordAct"]):
    def visible_to(self, user: User) -> "RecordActQuerySet":
        """Acts of the user's own organisation, to those who ask for them or decide them."""
        if user.organisation_id and (user.has_perm("records.ask_act") or user.has_perm("records.decide_act")):
            return self.filter(organisation=user.organisation_id)
        return self.none()

    def with_due_day(self) -> "RecordActQuerySet":
        """Add `due_on`, `due_provisional` and `is_overdue` of the first clock that nobody has met, in the same query."""
        return self.annotate(**Deadline.objects.days_of(RecordAct))

    def waiting(self) -> "RecordActQuerySet":
        """Acts that nobody has decided."""
        return self.filter(state=RecordAct.State.ASKED)

    def to_decide_by(self, user: User) -> "RecordActQuerySet":
        """Acts that this user, a second official, may decide."""
        if not user.has_perm("records.decide_act"):
            return self.none()
        return self.visible_to(user).waiting().exclude(asked_by=user)


class RecordAct(models.Model):
    """A deed on records outside batches (办理单): asked for by one official, decided by another, then carried out."""

    class Kind(models.TextChoices):
        CORRECT = "correct", "更正"
        WITHDRAW = "withdraw", "撤回"
        CANCEL = "cancel", "撤销（文书被撤销、变更或确认无效）"
        RESTORE = "restore", "恢复"
        REPAIR = "repair", "信用修复"
        OBJECTION = "objection", "加注异议标记"
        OBJECTION_END = "objection_end", "解除异议标记"
        REVIEW = "review", "加注复议、诉讼标记"
        REVIEW_END = "review_end", "解除复议、诉讼标记"
        PERIODS = "periods", "公示期从旧兼从轻"

    class State(models.TextChoices):
        DRAFT = "draft", "填写中"
        ASKED = "asked", "待审核"
        DECIDED = "decided", "已同意"
        REFUSED = "refused", "未同意"
        DROPPED = "dropped", "已撤销申请"
        DONE = "done", "已办结"

    # A mark only protects the person, and the rule on old periods only shortens: one hand, or the calendar, is enough.
    ONE_HAND = (Kind.OBJECTION, Kind.REVIEW, Kind.PERIODS)
    # These rest on a document that says so: annulment, result of reconsideration, decision of repair.
    NEED_DOCUMENT = (Kind.CANCEL, Kind.REPAIR, Kind.REVIEW, Kind.REVIEW_END, Kind.OBJECTION_END)

    kind = models.CharField("事项", max_length=14, choices=Kind)
    state = models.CharField("状态", max_length=8, choices=State, default=State.DRAFT)
    organisation = models.ForeignKey(Organisation, models.PROTECT, verbose_name="信源单位", related_name="acts")
    reason = models.CharField("理由", max_length=300)
    document_no = models.CharField("依据文书号", max_length=100, blank=True)
    document_date = models.DateField("文书日期", null=True, blank=True)
    hides = models.BooleanField(
        "核查期间暂停提供", default=False, help_text="认错人、超过期限、应当封存的异议，核查期间除本人外不再提供"
    )
    marks = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, verbose_name="所解除的标记", related_name="ends"
    )
    asked_by = models.ForeignKey(User, models.PROTECT, null=True, verbose_name="申请人", related_name="+")
    asked_at = models.DateTimeField("申请时间", db_default=Now())
    handed_in_at = models.DateTimeField(
        "提交时间", null=True, editable=False
    )  # the database's own: what is decided on stands
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, verbose_name="审核人", related_name="+")
    decided_at = models.DateTimeField("审核时间", null=True)
    decision_note = models.CharField("审核意见", max_length=300, blank=True)
    done_at = models.DateTimeField("办结时间", null=True)

    objects = RecordActQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "办理单"
        db_table_comment = "kept: what was asked, decided and done to records outside batches"
        ordering = ["-id"]
        default_permissions = ()
        permissions = [("ask_act", "申请更正、撤回、撤销等"), ("decide_act", "审核更正、撤回、撤销等")]
        indexes = [models.Index(fields=["organisation", "-id"], name="recordact_by_organisation")]
        constraints = [
            models.CheckConstraint(condition=~Q(reason=""), name="recordact_has_a_reason"),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True)
                | Q(kind__in=["objection", "review", "periods"])
                | (Q(asked_by__isnull=False) & ~Q(decided_by=F("asked_by"))),
                name="recordact_decided_by_another",
                violation_error_message="申请人不能审核自己的申请，须由另一名工作人员办理。",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["decided", "refused", "done"])
                | Q(kind="periods")
                | Q(decided_by__isnull=False, decided_at__isnull=False),
                name="recordact_decided_by_somebody",
            ),
            models.CheckConstraint(
                condition=~Q(state="refused") | ~Q(decision_note=""), name="recordact_refused_with_a_reason"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["done"], done_at__isnull=False) | (~Q(state="done") & Q(done_at__isnull=True)),
                name="recordact_done_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["draft", "dropped"])
                | ~Q(kind__in=["cancel", "repair", "review", "review_end", "objection_end"])
                | (~Q(document_no="") & Q(document_date__isnull=False)),
                name="recordact_rests_on_a_document",
                violation_error_message="这类事项须写明依据的文书号和日期。",
            ),
            models.CheckConstraint(
                condition=(Q(kind__in=["objection_end", "review_end"], marks__isnull=False))
                | (~Q(kind__in=["objection_end", "review_end"]) & Q(marks__isnull=True)),
                name="recordact_lifts_the_mark_it_names",
            ),
            models.CheckConstraint(
                condition=Q(hides=False) | Q(kind="objection"), name="recordact_only_objections_hide"
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.number} {self.get_kind_display()}"

    @property
    def number(self) -> str:
        """Return the number that people quote and the query log holds as the case."""
        return f"A{timezone.localtime(self.asked_at):%Y%m%d}-{self.pk:06d}"


class ActRecord(models.Model):
    """A record that an act is about. Fixed once the act is decided; a mark is lifted by the act that names it."""

    act = models.ForeignKey(RecordAct, models.PROTECT, verbose_name="办理单", related_name="about")
    record = models.ForeignKey(Record, models.DO_NOTHING, db_constraint=False, verbose_name="记录", related_name="acts")
    record_no = models.CharField("记录编号", max_length=24)
    lifted_by = models.ForeignKey(
        RecordAct, models.PROTECT, null=True, verbose_name="解除标记的办理单", related_name="lifted"
    )

    class Meta:
        verbose_name = verbose_name_plural = "办理单所涉记录"
        db_table_comment = "append-only, written by the database: numbers only, outlives the record"
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["act", "record"], name="actrecord_once_per_act")]

    def __str__(self) -> str:
        return self.record_no


class ActContent(models.Model):
    """What a correction would have the record say. Readable only with the record; goes with it."""

    act = models.ForeignKey(RecordAct, models.PROTECT, related_name="contents")
    record = models.ForeignKey(Record, models.PROTECT, related_name="+")
    item_version = models.ForeignKey(ItemVersion, models.PROTECT, db_index=False, related_name="+")
    name = models.TextField("文书所载姓名")
    doc_date = models.DateField("认定日期")
    severity = models.SmallIntegerField("失信程度")
    publication = DateRangeField("公示期", null=True)
    query_until = models.DateField("查询期至")
    content = models.JSONField("内容")
    content_hash = models.BinaryField(editable=False)

    class Meta:
        verbose_name = verbose_name_plural = "更正内容"
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["act", "record"], name="actcontent_once_per_act")]

    def __str__(self) -> str:
        return f"更正内容 {self.act_id}"


class RecordEvent(models.Model):
    """A change of state, mark, period or person of a record. Written by the database with the change itself."""

    class Kind(models.IntegerChoices):
        STATE = 1, "状态"
        MARK = 2, "标记"
        PERIOD = 3, "期限"
        PERSON = 4, "主体"

    record = models.ForeignKey(
        Record, models.DO_NOTHING, db_constraint=False, verbose_name="记录", related_name="events"
    )
    kind = models.SmallIntegerField("种类", choices=Kind)
    from_state = models.SmallIntegerField("原状态", choices=Record.State)
    to_state = models.SmallIntegerField("新状态", choices=Record.State)
    detail = models.JSONField("变化", null=True)  # marks and periods before and after: days, no content
    act = models.ForeignKey(
        RecordAct, models.PROTECT, null=True, db_index=False, verbose_name="办理单", related_name="+"
    )
    batch = models.ForeignKey(Batch, models.PROTECT, null=True, db_index=False, verbose_name="批次", related_name="+")
    by = models.ForeignKey(User, models.PROTECT, null=True, db_index=False, verbose_name="办理人", related_name="+")
    at = models.DateTimeField("时间", db_default=Now())

    class Meta:
        verbose_name = verbose_name_plural = "记录变更"
        db_table_comment = "append-only, written by the database: every change of state, mark or period of a record"
        ordering = ["record", "id"]
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.get_from_state_display()} → {self.get_to_state_display()}"

    @property
    def is_by_calendar(self) -> bool:
        """Tell whether the day itself did it."""
        return self.act_id is None and self.batch_id is None and self.kind != self.Kind.PERSON


class Statement(models.Model):
    """What the person says beside a record (Credit Reporting Regulations art 16). Earlier wordings are kept."""

    LONGEST = 500

    record = models.ForeignKey(
        Record, models.DO_NOTHING, db_constraint=False, verbose_name="记录", related_name="statements"
    )
    person = models.ForeignKey(Person, models.PROTECT, verbose_name="本人", related_name="+")
    text = models.CharField("声明", max_length=LONGEST)
    made_at = models.DateTimeField("作出时间", db_default=Now())
    made_by = models.ForeignKey(User, models.PROTECT, verbose_name="办理账户", related_name="+")
    ended_at = models.DateTimeField("结束时间", null=True)

    class Meta:
        verbose_name = verbose_name_plural = "个人声明"
        db_table_comment = "kept: what the person said beside a record, until the record itself goes"
        ordering = ["-id"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["record"], condition=Q(ended_at__isnull=True), name="statement_one_stands_per_record"
            ),
            models.CheckConstraint(condition=~Q(text=""), name="statement_says_something"),
        ]

    def __str__(self) -> str:
        return f"个人声明 {self.pk}"


class Disposal(models.Model):
    """Proof that a record was disposed of (L15): its number and what was deleted, as a keyed hash. No personal data."""

    class Rule(models.TextChoices):
        DELETE = "DEL", "到期删除"
        ANONYMISE = "ANON", "到期匿名化"
        ARCHIVE = "ARC", "转档案（隔离）"

    record_no = models.CharField("记录编号", max_length=24, unique=True)
    item = models.ForeignKey(Item, models.PROTECT, verbose_name="目录条目", related_name="+")
    rule = models.CharField("到期处理", max_length=4, choices=Rule)
    basis = models.CharField("依据", max_length=120)
    expired_on = models.DateField("到期日")
    disposed_on = models.DateField("处理日")
    versions = models.PositiveIntegerField("删除的版本数")
    statements = models.PositiveIntegerField("删除的声明数")
    contents = models.PositiveIntegerField("删除的更正内容数")
    key_id = models.SmallIntegerField("密钥编号")
    proof = models.BinaryField("删除内容的带密钥摘要", editable=False)
    at = models.DateTimeField("时间", db_default=Now())

    class Meta:
        verbose_name = verbose_name_plural = "删除证明"
        db_table_comment = "append-only, written by the database: proof of deletion, no personal data"
        ordering = ["-id"]
        default_permissions = ("view",)

    def __str__(self) -> str:
        return self.record_no


class AnonymousCount(models.Model):
    """What is left of anonymised records: how many, of which item, year and severity. Nobody can be found from it."""

    item = models.ForeignKey(Item, models.PROTECT, verbose_name="目录条目", related_name="+")
    year = models.SmallIntegerField("认定年度")
    severity = models.SmallIntegerField("失信程度", choices=PublicationPeriod.Severity)
    records = models.PositiveIntegerField("条数")

    class Meta:
        verbose_name = verbose_name_plural = "匿名统计"
        db_table_comment = "append-only, written by the database: added to by its own function"
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["item", "year", "severity"], name="anonymouscount_once")]

    def __str__(self) -> str:
        return f"{self.item} {self.year}"


class ArchivedRecord(models.Model):
    """A record handed to the archive: out of the application's reach (no policy lets it read)."""

    record_no = models.CharField("记录编号", max_length=24, primary_key=True)
    item = models.ForeignKey(Item, models.PROTECT, verbose_name="目录条目", related_name="+")
    archived_on = models.DateField("归档日")
    content = models.JSONField("档案内容")

    class Meta:
        verbose_name = verbose_name_plural = "档案"
        db_table_comment = "append-only, written by the database: read by the archive's owner alone"
        default_permissions = ()

    def __str__(self) -> str:
        return self.record_no


class LegacyPeriod(models.Model):
    """How long a decision of an earlier regime could be public: data with a source, never a constant (domain §2.4)."""

    instrument = models.CharField("文件代码", max_length=20)
    severity = models.PositiveSmallIntegerField("失信程度", choices=PublicationPeriod.Severity)
    decided = DateRangeField("认定日期")
    min_months = models.PositiveSmallIntegerField("最短公示期（月）")
    max_months = models.PositiveSmallIntegerField("最长公示期（月）")
    basis = models.CharField("依据", max_length=200)
    confidence = models.CharField("核实程度", max_length=1, default="M")

    class Meta:
        verbose_name = verbose_name_plural = "旧规公示期"
        db_table_comment = "append-only, written by the database: the periods of earlier regimes"
        ordering = ["instrument", "severity"]
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.instrument} {self.get_severity_display()}：{self.min_months}—{self.max_months} 个月"
