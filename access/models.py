"""Requests to read, and the append-only log of every query and every person read."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from accounts.models import Organisation, Person, User
from catalogue.models import Item


class Kind(models.TextChoices):
    """Kinds of query: domain §7.1."""

    SELF = "Q1", "本人网上查询"
    COUNTER = "Q2", "本人窗口查询"
    AGENT = "Q3", "代理人或近亲属查询"
    CONSENT = "Q4", "经本人授权查询"
    DUTY = "Q5", "部门依职责查询"
    PUBLIC = "Q6", "公众查询公示信息"
    OFFICIAL = "Q7", "司法、监察、监督机关查询"


class Purpose(models.TextChoices):
    """What staff read a file for; the words that the person sees."""

    LICENSING = "licensing", "办理行政许可"
    SUPERVISION = "supervision", "日常监督检查"
    PENALTY = "penalty", "办理行政处罚案件"
    LISTING = "listing", "办理名单认定或移出"
    REPAIR = "repair", "办理信用修复"
    OBJECTION = "objection", "办理异议"
    AWARD = "award", "办理表彰奖励"
    OTHER = "other", "其他法定职责"


class Decision(models.TextChoices):
    ALLOWED = "allowed", "已提供"
    REFUSED = "refused", "已拒绝"


class Refusal(models.TextChoices):
    """Why a reading was refused: the code kept in the log and the sentence shown."""

    NO_RIGHT = "no_right", "所在单位未获准依职责查询所选条目"
    NO_ROLE = "no_role", "账户没有查询职责"
    EXPIRED = "expired", "查询登记已过有效时间，请重新登记"
    NOT_OWNER = "not_owner", "查询登记由他人办理，不能借用"
    NO_GROUND = "no_ground", "没有查询依据"
    NO_CONSENT = "no_consent", "没有本人的有效授权"
    NOT_GRANTEE = "not_grantee", "授权不是给这个机构的"
    OTHER_PERSON = "other_person", "被查询人与授权人不一致"
    OUT_OF_SCOPE = "out_of_scope", "超出本人授权的条目、方式或用途"
    WITHDRAWN = "withdrawn", "本人已撤回授权"
    OVER = "over", "授权已到期"
    SPENT = "spent", "授权的次数已用完"
    LICENCE = "licence", "机构的登记已暂停、证照已到期或用途不在登记范围"
    PERSON_GONE = "person_gone", "授权人已死亡，或号码已并入他人"
    NAME_DIFFERS = "name_differs", "姓名与证件号码不符，申请没有送达"
    NO_AUTHORITY = "no_authority", "委托或者近亲属查询的依据没有通过复核、已到期、已撤销，或不包括所选条目"
    NO_LETTER = "no_letter", "公函没有审核同意、提供期已过或已结案，或不包括这个人"
    NO_DUTY = "no_duty", "所选事项不是本单位现行登记的职责，或者履行它不需要所选条目"
    NO_STEP_UP = "no_step_up", "没有在规定时间内再次完成第二步验证"
    TOO_MANY = "too_many", "一小时内显示完整证件号码的次数已到上限"
    UNANSWERED = "unanswered", "您此前的紧急查询还没有经单位负责人答复，答复之前不能再次紧急查询"
    UNJUSTIFIED = "unjustified", "您此前的紧急查询被认定没有依据，不能再次紧急查询"
    ORDINARY = "ordinary", "所选条目可以凭本单位现行职责查询，请用查询登记"
    CLOSED_ITEM = "closed_item", "所选条目只对本人显示、不予共享或者已中止，紧急时也不打开"
    REVIEWED = "reviewed", "这次紧急查询的时间已过，或者核查已经开始，不能再打开"


WHOLE_NUMBER = "完整证件号码"  # how the log tells that a number was shown whole; the database counts such lines
DOWNLOAD_FIELDS = "下载导出文件"  # and that an exported file was fetched: the records were read when it was made
URGENT_FIELDS = "紧急查询，部门可见，证件号码脱敏"  # and that a file was opened in an emergency


class UnmaskReason(models.TextChoices):
    """Why an officer needs a whole identity number; the words that the person sees."""

    SAME_NAME = "same_name", "区分同名人员"
    DOCUMENT = "document", "制作法律文书须写明证件号码"
    OTHER_SYSTEM = "other_system", "到其他法定系统核实同一人"
    MISTAKE = "mistake", "核对当事人反映的号码差错"


class Reach(models.TextChoices):
    """What a registration opens: one person's file, or lists of records, always within its items."""

    PERSON = "person", "一人的档案"
    BY_DUTY = "by_duty", "依职责可查询条目的记录列表"
    SUPPLIED = "supplied", "本单位报送的记录列表"


class RequestQuerySet(models.QuerySet["Request"]):
    def visible_to(self, user: User) -> "RequestQuerySet":
        """Requests that this member of staff made: nobody borrows another's."""
        return self.filter(actor_id=user.pk)

    def lists(self) -> "RequestQuerySet":
        """Those that open lists of records."""
        return self.exclude(reach=Reach.PERSON)

    def open(self) -> "RequestQuerySet":
        """Those that have not ended."""
        return self.filter(expires_at__gt=timezone.now())


class Request(models.Model):
    """A registration before anything is opened: who asks, about whom, on what ground, what for, until when."""

    reach = models.CharField("登记范围", max_length=8, choices=Reach, default=Reach.PERSON)
    person = models.ForeignKey(
        Person, models.PROTECT, null=True, blank=True, verbose_name="被查询人", related_name="requests"
    )
    actor = models.ForeignKey(User, models.PROTECT, verbose_name="查询人", related_name="requests")
    organisation = models.ForeignKey(Organisation, models.PROTECT, verbose_name="查询单位", related_name="+")
    kind = models.CharField("查询方式", max_length=2, choices=Kind)
    purpose = models.CharField("查询事由", max_length=20, choices=Purpose)
    purpose_text = models.CharField("事由说明", max_length=200)
    duty_code = models.CharField("事项编码", max_length=40)
    case_no = models.CharField("案件（办件）编号", max_length=60)
    items = models.ManyToManyField(Item, verbose_name="查询条目", related_name="+")
    created_at = models.DateTimeField("登记时间", default=timezone.now)
    expires_at = models.DateTimeField("有效至")

    objects = RequestQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "查询登记"
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["actor", "-created_at"], name="request_by_actor")]
        permissions = [("list_by_duty", "依职责查看记录列表"), ("list_supplied", "查看本单位报送的记录列表")]
        constraints = [
            models.CheckConstraint(
                condition=Q(reach="person", person__isnull=False)
                | Q(reach__in=["by_duty", "supplied"], person__isnull=True, kind="Q5"),
                name="request_is_about_one_person_or_a_list",
            ),
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("created_at"), expires_at__lte=F("created_at") + models.Value("1 day")),
                name="request_is_short_lived",
            ),
            models.CheckConstraint(
                condition=~Q(kind="Q5") | (~Q(case_no="") & ~Q(duty_code="") & ~Q(purpose_text="")),
                name="request_by_duty_names_duty_case_and_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"查询登记 {self.pk}"

    @property
    def is_open(self) -> bool:
        """Tell whether it still opens the file."""
        return timezone.now() < self.expires_at


class Query(models.Model):
    """One line of the query log: who asked what, when, on what ground. Partitioned by month, append-only."""

    seq = models.BigAutoField("序号", primary_key=True)
    at = models.DateTimeField("时间")
    actor = models.ForeignKey(User, models.DO_NOTHING, null=True, db_constraint=False, verbose_name="查询人")
    actor_name = models.TextField("查询人姓名")
    organisation = models.ForeignKey(
        Organisation, models.DO_NOTHING, null=True, db_constraint=False, verbose_name="查询单位"
    )
    organisation_name = models.TextField("单位名称")
    uscc = models.TextField("单位代码")
    roles = models.TextField("角色")
    channel = models.TextField("渠道")
    kind = models.CharField("查询方式", max_length=2, choices=Kind)
    ground = models.TextField("查询依据")
    purpose = models.TextField("查询事由")
    case_no = models.TextField("案件编号")
    duty_code = models.TextField("事项编码")
    request_no = models.BigIntegerField("登记号", null=True)
    items = ArrayField(models.TextField(), verbose_name="查询条目")
    fields_class = models.TextField("字段范围")
    decision = models.CharField("结果", max_length=7, choices=Decision)
    refusal = models.CharField("拒绝理由", max_length=12, choices=Refusal, blank=True)
    address = models.TextField("来源网段")
    correlation = models.TextField("请求标识")
    consent_no = models.TextField("授权编号", default="")

    class Meta:
        verbose_name = verbose_name_plural = "查询日志"
        managed = False  # partitions, keys and privileges are written out in migration 0003
        db_table_comment = "append-only: the register of queries, kept ten years"
        ordering = ["-seq"]
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.get_kind_display()}"


class QueryPerson(models.Model):
    """One person reached by a query. While its transaction lasts, it is the key to that person's records."""

    seq = models.BigAutoField(primary_key=True)
    at = models.DateTimeField("时间")
    query = models.ForeignKey(Query, models.DO_NOTHING, db_constraint=False, related_name="persons")
    person = models.ForeignKey(Person, models.DO_NOTHING, db_constraint=False, verbose_name="被查询人")
    kind = models.CharField("查询方式", max_length=2, choices=Kind)
    allowed = models.BooleanField("是否提供")
    items = ArrayField(models.BigIntegerField(), verbose_name="可读条目", null=True)

    class Meta:
        verbose_name = verbose_name_plural = "查询日志（人员）"
        managed = False  # partitions, keys and privileges are written out in migration 0003
        db_table_comment = "append-only: one line per person read"
        ordering = ["-at"]
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.get_kind_display()}"


class QueryAnswer(models.Model):
    """What a query gave back: which records, how many. Written in the same transaction as the reading."""

    query = models.OneToOneField(Query, models.DO_NOTHING, primary_key=True, db_constraint=False, related_name="answer")
    at = models.DateTimeField("时间")
    record_ids = ArrayField(models.BigIntegerField(), verbose_name="返回记录")
    items = ArrayField(models.TextField(), verbose_name="返回条目")

    class Meta:
        verbose_name = verbose_name_plural = "查询结果"
        managed = False  # partitions, keys and privileges are written out in migration 0003
        db_table_comment = "append-only: what each query returned"
        default_permissions = ()

    def __str__(self) -> str:
        return f"返回 {len(self.record_ids)} 条"


from access.authority_models import Authority, KinWish  # noqa: E402, F401 – further tables of the app
from access.consent_models import Consent, ConsentText, ConsentUse, Message  # noqa: E402, F401
from access.duty_models import DutyItem  # noqa: E402, F401
from access.institution_models import ConsentPurpose, Institution, InstitutionStep  # noqa: E402, F401
from access.letter_models import HoldExtension, LetterPerson, OfficialLetter  # noqa: E402, F401
from access.question_models import Doubt, Question, QuestionStep  # noqa: E402, F401 – it builds on the reviews
from access.review_models import (  # noqa: E402, F401
    Anomaly,
    AnomalyLine,
    AnomalyStep,
    LogReading,
    ReviewLook,
    ReviewRule,
    Sign,
    Verdict,
)
from access.seal_models import Checkpoint, Leaf, Node, Verification  # noqa: E402, F401 – further tables of the app
from access.urgent_models import UrgentGround, UrgentReading  # noqa: E402, F401
