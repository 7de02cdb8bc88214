"""Instruments and articles, items and their versions, data fields, code sets, prohibited categories."""

from datetime import date

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateRangeField, RangeOperators
from django.db import models
from django.db.models import F, Q

from accounts.models import Organisation, Region


class Level(models.IntegerChoices):
    """Level of an instrument: code set BL of domain §3.4; the smaller, the higher."""

    LAW = 10, "法律"
    REGULATION = 20, "行政法规"
    CENTRAL_POLICY = 30, "党中央、国务院政策文件"
    JUDICIAL = 35, "司法解释"
    LOCAL_REGULATION = 40, "地方性法规"
    MINISTRY_RULE = 50, "部门规章"
    LOCAL_RULE = 60, "地方政府规章"
    NORMATIVE = 70, "规范性文件"
    OTHER = 90, "其他"


class Confidence(models.TextChoices):
    """How sure we are of what a source says (the tags of the domain brief)."""

    HIGH = "H", "已核对"
    MEDIUM = "M", "待核对"
    LOW = "L", "未核实"


class Instrument(models.Model):
    """A law, regulation, policy or rule."""

    code = models.CharField("代码", max_length=40, unique=True)
    title = models.CharField("标题", max_length=200)
    issuer = models.CharField("制定机关", max_length=100)
    doc_no = models.CharField("文号", max_length=80, blank=True)
    level = models.PositiveSmallIntegerField("效力层级", choices=Level)
    promulgated_on = models.DateField("公布日期", null=True, blank=True)
    effective_on = models.DateField("施行日期")
    repealed_on = models.DateField("废止日期", null=True, blank=True)
    superseded_by = models.ForeignKey("self", models.PROTECT, null=True, blank=True, verbose_name="替代文件")
    territory = models.ForeignKey(Region, models.PROTECT, null=True, blank=True, verbose_name="适用地域")
    source_url = models.URLField("来源网址", blank=True)
    confidence = models.CharField("核实程度", max_length=1, choices=Confidence, default=Confidence.MEDIUM)

    class Meta:
        verbose_name = verbose_name_plural = "法规文件"
        ordering = ["level", "effective_on"]
        constraints = [
            models.CheckConstraint(
                condition=Q(repealed_on__isnull=True) | Q(repealed_on__gte=F("effective_on")),
                name="instrument_repealed_after_it_began",
                violation_error_message="废止日期不能早于施行日期。",
            )
        ]

    def __str__(self) -> str:
        return f"《{self.title}》{f'（{self.doc_no}）' if self.doc_no else ''}"


class Article(models.Model):
    """An article of an instrument that something rests on."""

    instrument = models.ForeignKey(Instrument, models.PROTECT, verbose_name="文件", related_name="articles")
    number = models.CharField("条款", max_length=40, help_text="如 第四十八条")
    summary = models.CharField("要点", max_length=300)

    class Meta:
        verbose_name = verbose_name_plural = "条款"
        ordering = ["instrument", "id"]
        constraints = [models.UniqueConstraint(fields=["instrument", "number"], name="article_once_per_instrument")]

    def __str__(self) -> str:
        return f"{self.instrument}{self.number}"


class CodeSet(models.Model):
    """A closed list of values."""

    code = models.CharField("代码", max_length=20, unique=True)
    title = models.CharField("名称", max_length=60)
    source = models.CharField("来源", max_length=120)

    class Meta:
        verbose_name = verbose_name_plural = "代码集"

    def __str__(self) -> str:
        return self.title


class CodeValue(models.Model):
    """One value; a value with a refusal is known and never taken."""

    code_set = models.ForeignKey(CodeSet, models.CASCADE, verbose_name="代码集", related_name="values")
    code = models.CharField("代码", max_length=20)
    label = models.CharField("名称", max_length=60)
    aliases = ArrayField(models.CharField(max_length=60), verbose_name="别名", default=list, blank=True)
    severity = models.PositiveSmallIntegerField(
        "缺省失信程度", null=True, blank=True, help_text="处罚类别对应的信息类别：1 轻微 2 一般 3 严重"
    )
    refusal = models.CharField("不予归集的理由", max_length=200, blank=True)
    position = models.PositiveSmallIntegerField("顺序", default=0)

    class Meta:
        verbose_name = verbose_name_plural = "代码值"
        ordering = ["code_set", "position"]
        constraints = [
            models.UniqueConstraint(fields=["code_set", "code"], name="codevalue_code_once_per_set"),
            models.UniqueConstraint(fields=["code_set", "label"], name="codevalue_label_once_per_set"),
        ]

    def __str__(self) -> str:
        return self.label


class Item(models.Model):
    """A catalogue item (目录条目): what may be collected. Its rules live in versions."""

    class Polarity(models.TextChoices):
        POSITIVE = "P", "守信"
        NEGATIVE = "N", "失信"
        BASIC = "B", "基础"

    code = models.CharField("条目编码", max_length=20, unique=True)
    category = models.CharField("信息类别", max_length=2)
    polarity = models.CharField("信息性质", max_length=1, choices=Polarity)
    provider = models.ForeignKey(Organisation, models.PROTECT, verbose_name="提供单位", related_name="items")

    class Meta:
        verbose_name = verbose_name_plural = "目录条目"
        ordering = ["code"]
        permissions = [("supply_item", "报送本条目"), ("query_item", "依职责查询本条目")]
        constraints = [
            models.CheckConstraint(
                condition=Q(code__regex=r"^FJ1-\d{2}-[A-Z]{4}-\d{4}$"), name="item_code_has_the_shape_of_the_catalogue"
            ),
            models.CheckConstraint(
                condition=Q(category__in=["02", "03", "04", "06", "08", "10", "11", "13"]),
                name="item_category_is_one_used_for_persons",
            ),
        ]

    def __str__(self) -> str:
        return self.code

    def version_on(self, day: date) -> "ItemVersion | None":
        """Return the version in force on a day."""
        return self.versions.in_force(day).first()


class ItemVersionQuerySet(models.QuerySet["ItemVersion"]):
    def in_force(self, day: date) -> "ItemVersionQuerySet":
        """Versions in force on a day."""
        return self.filter(state=ItemVersion.State.IN_FORCE, effective__contains=day)


class ItemVersion(models.Model):
    """The rules of an item for a time: the columns of domain §3.2."""

    class State(models.TextChoices):
        DRAFT = "draft", "草案"
        SUBMITTED = "submitted", "已提交"
        LEGAL_REVIEW = "legal_review", "法制审核"
        PIA = "pia", "影响评估"
        CONSULTATION = "consultation", "征求意见"
        APPROVED = "approved", "已批准"
        PUBLISHED = "published", "已发布"
        IN_FORCE = "in_force", "现行"
        SUSPENDED = "suspended", "暂停"
        RETIRED = "retired", "停用"

    class Disclosure(models.TextChoices):
        PUBLIC = "PUBLIC", "公开公示"
        SHARE = "SHARE", "政务共享"
        QUERY_AUTH = "QUERY_AUTH", "依授权查询"
        SELF = "SELF", "仅本人"
        NONE = "NONE", "不予披露"

    class Sharing(models.TextChoices):
        UNCONDITIONAL = "UNCOND", "无条件共享"
        CONDITIONAL = "COND", "有条件共享"
        NO = "NO", "不予共享"

    class Notice(models.TextChoices):
        BEFORE = "PRE", "报送前告知"
        WITH_DOCUMENT = "WITH", "与文书同达"
        BY_LAW = "PUBLIC_BY_LAW", "依法公开免告知"

    item = models.ForeignKey(Item, models.PROTECT, verbose_name="条目", related_name="versions")
    version = models.PositiveSmallIntegerField("版本")
    name = models.CharField("条目名称", max_length=100)
    behaviour = models.CharField("对应的具体行为", max_length=500)
    legal_bases = models.ManyToManyField(Article, verbose_name="法律政策依据", related_name="items")
    disclosure = models.CharField("公开属性", max_length=10, choices=Disclosure, default=Disclosure.QUERY_AUTH)
    disclosure_basis = models.ForeignKey(
        Article, models.PROTECT, null=True, blank=True, verbose_name="公开依据", related_name="+"
    )
    public_name_in_full = models.BooleanField("公示时列明全名", default=False, help_text="仅限公开依据点名全名的条目")
    sharing = models.CharField("政务共享属性", max_length=6, choices=Sharing, default=Sharing.CONDITIONAL)
    source_channel = models.CharField("归集渠道", max_length=6, default="FILE")
    source_level = models.CharField("来源层级", max_length=1, default="省")
    territory = models.ForeignKey(Region, models.PROTECT, verbose_name="适用区域")
    update_freq = models.CharField("更新频次", max_length=2, default="EV")
    supply_days = models.PositiveSmallIntegerField("报送时限（工作日）", default=7)
    document_type = models.CharField("认定文书类型", max_length=1, blank=True)
    query_retention_months = models.PositiveSmallIntegerField("查询披露期限（月）")
    storage_rule = models.CharField("到期处理", max_length=4, default="DEL")
    repairable = models.BooleanField("可否修复", default=True)
    no_repair_basis = models.ForeignKey(
        Article, models.PROTECT, null=True, blank=True, verbose_name="不可修复依据", related_name="+"
    )
    sensitive = models.BooleanField("敏感个人信息", default=True)
    notice_mode = models.CharField("告知方式", max_length=13, choices=Notice, default=Notice.WITH_DOCUMENT)
    opt_out = models.BooleanField("可申请不记入", default=False)
    one_hand_by_command = models.BooleanField(
        "命令行可单人提交", default=False, help_text="页面提交始终须另一名工作人员办理"
    )
    effective = DateRangeField("有效期间")
    state = models.CharField("状态", max_length=12, choices=State, default=State.DRAFT)
    change_note = models.CharField("修订说明", max_length=300, blank=True)

    objects = ItemVersionQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "条目版本"
        ordering = ["item", "-version"]
        constraints = [
            models.UniqueConstraint(fields=["item", "version"], name="itemversion_number_once_per_item"),
            ExclusionConstraint(
                name="itemversion_in_force_do_not_overlap",
                expressions=[("item", RangeOperators.EQUAL), ("effective", RangeOperators.OVERLAPS)],
                condition=Q(state="in_force"),
                violation_error_message="同一条目的现行版本有效期间不能重叠。",
            ),
            models.CheckConstraint(
                condition=~Q(disclosure="PUBLIC") | Q(disclosure_basis__isnull=False),
                name="itemversion_public_needs_a_basis_of_its_own",
                violation_error_message="公开公示须另有公开依据（个人信息保护法第二十五条）。",
            ),
            models.CheckConstraint(
                condition=Q(public_name_in_full=False) | Q(disclosure="PUBLIC"),
                name="itemversion_full_name_only_if_public",
            ),
            models.CheckConstraint(
                condition=Q(repairable=True) | Q(no_repair_basis__isnull=False),
                name="itemversion_no_repair_needs_a_basis",
                violation_error_message="不可修复须注明法律、法规或党中央、国务院政策文件依据（令第36号第二条）。",
            ),
            models.CheckConstraint(
                condition=Q(query_retention_months__gt=0, query_retention_months__lte=60),
                name="itemversion_query_period_is_at_most_five_years",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name}（{self.item.code} 第{self.version}版）"


class PublicationPeriod(models.Model):
    """How long a record of that severity may be public: data with a source, never a constant."""

    class Severity(models.IntegerChoices):
        NONE = 0, "不适用"
        MINOR = 1, "轻微"
        GENERAL = 2, "一般"
        SERIOUS = 3, "严重"

    item_version = models.ForeignKey(ItemVersion, models.CASCADE, verbose_name="条目版本", related_name="periods")
    severity = models.PositiveSmallIntegerField("失信程度", choices=Severity)
    min_months = models.PositiveSmallIntegerField("最短公示期（月）")
    max_months = models.PositiveSmallIntegerField("最长公示期（月）", help_text="0 表示不公示")
    basis = models.ForeignKey(Article, models.PROTECT, verbose_name="依据", related_name="+")
    confidence = models.CharField("核实程度", max_length=1, choices=Confidence, default=Confidence.MEDIUM)

    class Meta:
        verbose_name = verbose_name_plural = "公示期"
        ordering = ["item_version", "severity"]
        constraints = [
            models.UniqueConstraint(fields=["item_version", "severity"], name="publicationperiod_once_per_severity"),
            models.CheckConstraint(
                condition=Q(min_months__lte=F("max_months")), name="publicationperiod_min_is_not_above_max"
            ),
            models.CheckConstraint(condition=Q(max_months__lte=36), name="publicationperiod_at_most_three_years"),
        ]

    def __str__(self) -> str:
        return f"{self.get_severity_display()}：{self.min_months}—{self.max_months} 个月"


class Field(models.Model):
    """A data field (数据项) of an item version: the closed list of what is taken."""

    class Type(models.TextChoices):
        TEXT = "text", "文本"
        CODE = "code", "编号"
        NAME = "name", "姓名"
        ID_NUMBER = "id_number", "公民身份号码"
        DATE = "date", "日期"
        AMOUNT = "amount", "金额（万元）"
        CHOICE = "choice", "单选代码"
        CHOICES = "choices", "多选代码"

    class Binding(models.TextChoices):
        """Which column of the record the field feeds; empty for fields that stay in the content."""

        PERSON_NAME = "person_name", "姓名"
        ID_NUMBER = "id_number", "证件号码"
        DOC_NO = "doc_no", "文书号"
        DOC_DATE = "doc_date", "认定日期"
        SERVICE_DATE = "service_date", "送达日期"
        ACT_END = "act_end", "行为终止日期"
        SEVERITY = "severity", "失信程度"
        KIND = "kind", "类别（推定失信程度）"
        PUBLIC_MARK = "public_mark", "公开标记"
        PUBLIC_UNTIL = "public_until", "公示截止期"
        DECIDER = "decider", "认定单位"
        DECIDER_USCC = "decider_uscc", "认定单位代码"

    class Reader(models.TextChoices):
        SUBJECT = "SUBJECT", "本人"
        PROVIDER = "PROVIDER", "提供单位"
        DEPARTMENT = "DEPT", "有权部门"
        THIRD_PARTY = "THIRD_PARTY", "经授权的机构"
        PUBLIC = "PUBLIC", "公众"

    item_version = models.ForeignKey(ItemVersion, models.CASCADE, verbose_name="条目版本", related_name="fields")
    position = models.PositiveSmallIntegerField("顺序")
    code = models.CharField("字段名", max_length=30)
    label = models.CharField("名称", max_length=60)
    aliases = ArrayField(models.CharField(max_length=60), verbose_name="别名", default=list, blank=True)
    datatype = models.CharField("类型", max_length=10, choices=Type)
    length = models.PositiveIntegerField("长度上限", default=200)
    required = models.BooleanField("必填", default=False)
    code_set = models.ForeignKey(CodeSet, models.PROTECT, null=True, blank=True, verbose_name="代码集")
    binds = models.CharField("对应记录项", max_length=12, choices=Binding, blank=True)
    free_text = models.BooleanField("自由文本（需检查禁止内容）", default=False)
    must_be_empty = models.BooleanField("自然人应为空", default=False)
    visible_to = ArrayField(models.CharField(max_length=12, choices=Reader), verbose_name="可见范围", default=list)
    pii_class = models.CharField("个人信息类别", max_length=20, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "数据项"
        ordering = ["item_version", "position"]
        constraints = [
            models.UniqueConstraint(fields=["item_version", "code"], name="field_code_once_per_version"),
            models.UniqueConstraint(
                fields=["item_version", "binds"], condition=~Q(binds=""), name="field_binding_once_per_version"
            ),
            models.CheckConstraint(
                condition=~Q(datatype__in=["choice", "choices"]) | Q(code_set__isnull=False),
                name="field_of_codes_has_a_code_set",
            ),
            models.CheckConstraint(
                condition=~Q(binds="id_number") | ~Q(visible_to__contains=["PUBLIC"]),
                name="field_id_number_is_never_public",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.label}（{self.code}）"


class ProhibitedCategory(models.Model):
    """What is never collected (domain §9): words that refuse a cell or a column."""

    code = models.CharField("代码", max_length=3, unique=True)
    title = models.CharField("类别", max_length=100)
    basis = models.CharField("依据", max_length=120)
    keywords = ArrayField(models.CharField(max_length=20), verbose_name="正文关键词", default=list, blank=True)
    exceptions = ArrayField(
        models.CharField(max_length=20), verbose_name="不算命中的词", default=list, blank=True,
        help_text="含关键词但与个人无关，如“病死”“转基因”",
    )  # fmt: skip
    header_keywords = ArrayField(models.CharField(max_length=20), verbose_name="列名关键词", default=list, blank=True)
    advice = models.CharField("处理办法", max_length=200)

    class Meta:
        verbose_name = verbose_name_plural = "禁止归集类别"
        ordering = ["code"]

    def __str__(self) -> str:
        return f"{self.code} {self.title}"


from catalogue.deadline_models import CalendarDay, CalendarEdition, Deadline, DeadlineRule, Proposal  # noqa: E402, F401
